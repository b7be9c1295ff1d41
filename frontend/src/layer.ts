// A layer: what it is, its kernel, and its maps for each image.

import { readBlock, readPicture, readTiles } from "./blocks";
import type { Palette } from "./colors";
import { codeButton, literal } from "./copy";
import { count, h, number, percent, plural, svg } from "./dom";
import { className, pictureOf, type Facts, type KernelFacts, type LayerFacts, type SampleFacts } from "./facts";
import { filterSection } from "./filters";
import { TileView } from "./tiles";

export interface Context {
  facts: Facts;
  palettes: { signed: Palette; plain: Palette };
  sample: number; // the position of the sample that was looked at last
}

const WORDS: Record<string, string> = { mean: "mean", std: "standard deviation", min: "smallest", max: "largest", norm: "norm", near_zero: "near zero" };

export async function layerView(layer: LayerFacts, context: Context): Promise<HTMLElement> {
  const block = layer.block ? await readBlock(layer.block) : null;
  const element = h("article", { class: "layer", "data-address": layer.address, "aria-label": layer.address },
    h("h2", { tabindex: -1 }, layer.address), factList(layer));
  if (block && layer.kernels) {
    const kernels = layer.kernels;
    const tiles = new TileView(readTiles(block, kernels.tiles), { kind: "filter", label: `Kernels of ${layer.address}`, palettes: context.palettes, marks: marksOf(layer) });
    tiles.element.dataset["kind"] = "kernels";
    element.append(h("section", { "aria-label": "Kernel" },
      heading("Kernel", kernels.tiles.title, `kerasviz.plot_kernels(model, ${literal(layer.address)})`),
      tiles.element, statistics(kernels, layer)));
  }
  if (block && layer.maps) element.append(mapSection(layer, block, context));
  if (layer.filters) element.append(filterSection(layer.address, layer.filters, context));
  if (!layer.kernels && !layer.maps) element.append(h("p", { class: "muted" }, "There is nothing to draw of this layer: it has no kernel, and its output has no rows and columns."));
  return element;
}

function marksOf(layer: LayerFacts): Map<number, string> {
  return new Map(Object.entries(layer.filters?.remarks ?? {}).map(([index, remark]) => [Number(index), remark]));
}

export function heading(text: string, detail: string, code: string): HTMLElement {
  return h("div", { class: "heading" }, h("h3", {}, text), h("span", { class: "muted" }, detail), codeButton(`import kerasviz\n\n${code}`));
}

function factList(layer: LayerFacts): HTMLElement {
  const pairs: [string, string][] = [["layer", layer.type], ["output", layer.shape]];
  if (layer.kernel) pairs.push(["kernel", layer.kernel]);
  if (layer.parameters) pairs.push(["parameters", count(layer.parameters) + (layer.trainable ? "" : ", frozen")]);
  if (layer.field) pairs.push(["one unit sees", `${layer.field} of the input`]);
  return h("dl", { class: "facts" }, ...pairs.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function statistics(kernels: KernelFacts, layer: LayerFacts): HTMLElement {
  const pairs = Object.entries(kernels.statistics).map(([name, value]) => [WORDS[name] ?? name, name === "near_zero" && typeof value === "number" ? percent(value) : number(value)]);
  if (kernels.not_finite) pairs.push(["NaN or infinite", plural(kernels.not_finite, "weight")]);
  return h("details", { class: "more" }, h("summary", {}, "Weights in numbers"),
    h("dl", { class: "facts" }, ...pairs.map(([name, value]) => h("div", {}, h("dt", {}, name!), h("dd", {}, value!)))),
    histogram(kernels, layer));
}

function histogram(kernels: KernelFacts, layer: LayerFacts): HTMLElement {
  const { counts, low, high } = kernels.histogram;
  const most = Math.max(1, ...counts);
  const bars = counts.map((value, i) => svg("rect", { x: 8 * i, y: 80 - (80 * value) / most, width: 7, height: (80 * value) / most, class: "value" },
    svg("title", {}, `${number(low + ((high - low) * i) / counts.length)} to ${number(low + ((high - low) * (i + 1)) / counts.length)}: ${plural(value, "weight")}`)));
  return h("figure", {},
    svg("svg", { viewBox: `0 0 ${8 * counts.length} 80`, class: "histogram", role: "img", "aria-label": `Histogram of the weights of ${layer.address}` }, ...bars),
    h("figcaption", { class: "muted ends" }, h("span", {}, number(low)), h("span", {}, "weights"), h("span", {}, number(high))));
}

export function sampleName(facts: Facts, sample: SampleFacts): string {
  const of = facts.total && facts.total > 1 ? ` of ${count(facts.total)}` : "";
  const name = sample.name ?? (sample.label === undefined ? "" : className(facts, sample.label));
  return `sample ${sample.index}${of}${name ? `: ${name}` : ""}`;
}

function mapSection(layer: LayerFacts, block: Uint8Array<ArrayBuffer>, context: Context): HTMLElement {
  const { facts } = context;
  const holder = h("div", { class: "maps" });
  const head = h("div");
  const draw = async () => {
    const position = Math.min(context.sample, layer.maps!.length - 1);
    const sample = facts.samples[position]!;
    const picture = pictureOf(facts, sample);
    const background = picture ? await readPicture(picture) : null;
    const view = new TileView(readTiles(block, layer.maps![position]!), {
      kind: "filter", label: `Feature maps of ${layer.address}, ${sampleName(facts, sample)}`, palettes: context.palettes, background, marks: marksOf(layer),
    });
    view.element.dataset["kind"] = "maps";
    view.element.dataset["sample"] = String(sample.index);
    const code = `kerasviz.plot_feature_maps(model, ${literal(layer.address)}, inputs, sample=${sample.index})`;
    head.replaceChildren(heading("Feature maps", layer.maps![position]!.title, code));
    holder.replaceChildren(view.element);
  };
  const choice = sampleChoice(context, () => void draw());
  void draw();
  return h("section", { "aria-label": "Feature maps" }, head, choice, holder);
}

function sampleChoice(context: Context, change: () => void): HTMLElement {
  const { facts } = context;
  const buttons = facts.samples.map((sample, position) => {
    const button = h("button", {
      type: "button", class: "thumb", "aria-label": sampleName(facts, sample), title: sampleName(facts, sample), "data-sample": sample.index,
      click: () => {
        context.sample = position;
        buttons.forEach((other, i) => other.setAttribute("aria-pressed", String(i === position)));
        change();
      },
    });
    button.setAttribute("aria-pressed", String(position === Math.min(context.sample, facts.samples.length - 1)));
    const picture = pictureOf(facts, sample);
    if (picture) void readPicture(picture).then((canvas) => button.replaceChildren(canvas));
    else button.append(String(sample.index));
    return button;
  });
  return h("div", { class: "thumbs", role: "group", "aria-label": "Which image" }, ...buttons);
}
