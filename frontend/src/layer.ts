// A layer: what it is, its kernel, and its maps for each image.

import { copyPicture } from "./blocks";
import type { Palette } from "./colors";
import { codeButton, literal } from "./copy";
import { count, h, number, percent, plural, svg } from "./dom";
import { className, type Facts, type KernelFacts, type LayerFacts, type SampleFacts } from "./facts";
import { filterCard, filterSection } from "./filters";
import { later, settle, type Watch } from "./later";
import { breakable } from "./list";
import { layerHash } from "./route";
import type { Kernels, Source } from "./source";
import { layFresh, TileView } from "./tiles";

export interface Context {
  facts: Facts;
  source: Source;
  palettes: { signed: Palette; plain: Palette };
  sample: number; // the position of the sample that was looked at last
  watch: Watch;
}

type Marks = Map<number, string>; // remarks on filters, by their index

const WORDS: Record<string, string> = { mean: "mean", std: "standard deviation", min: "smallest", max: "largest", norm: "norm", near_zero: "near zero" };

// `filter` is the index of the one that is looked at, if it is one.
export async function layerView(layer: LayerFacts, context: Context, filter?: number): Promise<HTMLElement> {
  const { facts, source, watch } = context;
  const marks: Marks = new Map();
  mark(marks, layer.filters?.remarks);
  const kernels = source.kernels(layer).then((part) => part && kernelSection(layer, part, marks, context, filter));
  const maps = facts.samples.length ? mapSection(layer, marks, context, filter) : Promise.resolve(null);
  const end = h("div");
  const element = h("article", { class: "layer", "data-address": layer.address, "aria-label": layer.address },
    h("h2", { tabindex: -1 }, ...breakable(layer.address)), factList(layer), filter === undefined ? null : chosenSection(layer, filter, context),
    later("Reading the kernel \u2026", kernels), later("Computing feature maps \u2026", maps), end);
  const filters = () => source.filters(layer).then((part) => {
    mark(marks, part?.remarks);
    return part && filterSection(layer, part, context);
  });
  // A pass over all images is begun when somebody comes near its place, unless it was made before.
  if (layer.filters) end.replaceWith(later("", filters()));
  else if (facts.samples.length) watch.add(end, () => end.replaceWith(later("Looking at what filters respond to \u2026", filters())));
  void Promise.all([kernels, maps]).then(([kernel, map]) => {
    if (!kernel && !map) element.append(h("p", { class: "muted" }, "There is nothing to draw of this layer: it has no kernel, and its output has no rows and columns."));
  }, () => {});
  await settle([kernels, maps], source.patience);
  return element;
}

function mark(marks: Marks, remarks: Record<string, string> | undefined): void {
  for (const [index, remark] of Object.entries(remarks ?? {})) marks.set(Number(index), remark);
}

// One filter before all others: its card, and where else to look for it.
function chosenSection(layer: LayerFacts, index: number, context: Context): HTMLElement {
  const name = `${layer.noun} ${index}`;
  const card = context.source.filters(layer).then((filters) => {
    const own = filters?.cards.find((item) => item.filter === index);
    return filters && own ? h("div", { class: "filters" }, filterCard(layer, own, filters, context)) : null;
  });
  return h("section", { class: "chosen", "aria-label": name },
    h("div", { class: "heading" }, h("h3", {}, name), h("span", { class: "muted" }, "framed in orange wherever it is drawn below"), h("a", { href: layerHash(layer.address) }, `all ${layer.noun}s`)),
    later("Looking at what it responds to \u2026", card));
}

function kernelSection(layer: LayerFacts, kernels: Kernels, marks: Marks, context: Context, framed?: number): HTMLElement {
  const view = new TileView(kernels.tiles, { kind: "filter", label: `Kernels of ${layer.address}`, palettes: context.palettes, marks, framed });
  view.element.dataset["kind"] = "kernels";
  return h("section", { "aria-label": "Kernel" },
    heading("Kernel", kernels.facts.tiles.title, `kerasviz.plot_kernels(model, ${literal(layer.address)})`),
    view.element, statistics(kernels.facts, layer));
}

export function heading(text: string, detail: string, code: string): HTMLElement {
  return h("div", { class: "heading" }, text ? h("h3", {}, text) : null, h("span", { class: "muted" }, detail), codeButton(`import kerasviz\n\n${code}`));
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
    heading("", "", `kerasviz.plot_kernel_histograms(model, ${literal(layer.address)})`),
    svg("svg", { viewBox: `0 0 ${8 * counts.length} 80`, class: "histogram", role: "img", "aria-label": `Histogram of the weights of ${layer.address}` }, ...bars),
    h("figcaption", { class: "muted ends" }, h("span", {}, number(low)), h("span", {}, "weights"), h("span", {}, number(high))));
}

export function sampleName(facts: Facts, sample: SampleFacts): string {
  const of = facts.total && facts.total > 1 ? ` of ${count(facts.total)}` : "";
  const name = sample.name ?? (sample.label === undefined ? "" : className(facts, sample.label));
  return `sample ${sample.index}${of}${name ? `: ${name}` : ""}`;
}

// The section is there when the maps of the first image are.
async function mapSection(layer: LayerFacts, marks: Marks, context: Context, framed?: number): Promise<HTMLElement | null> {
  const { facts, source } = context;
  const holder = h("div", { class: "maps" });
  const head = h("div");
  let visit = 0;
  const draw = async (): Promise<boolean> => {
    const mine = ++visit;
    const position = Math.min(context.sample, facts.samples.length - 1);
    const sample = facts.samples[position]!;
    const tiles = await source.maps(layer, position);
    if (!tiles || mine !== visit) return Boolean(tiles);
    const background = await source.picture(String(sample.index));
    const view = new TileView(tiles, {
      kind: "filter", label: `Feature maps of ${layer.address}, ${sampleName(facts, sample)}`, palettes: context.palettes, background, marks, framed,
    });
    view.element.dataset["kind"] = "maps";
    view.element.dataset["sample"] = String(sample.index);
    const code = `kerasviz.plot_feature_maps(model, ${literal(layer.address)}, inputs, sample=${sample.index})`;
    head.replaceChildren(heading("Feature maps", tiles.facts.title, code));
    holder.replaceChildren(view.element);
    layFresh();
    return true;
  };
  const choice = sampleChoice(context, () => void draw().catch((error: Error) => holder.replaceChildren(h("p", { class: "wrong", role: "alert" }, error.message))));
  return (await draw()) ? h("section", { "aria-label": "Feature maps" }, head, choice, holder) : null;
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
    }, String(sample.index));
    button.setAttribute("aria-pressed", String(position === Math.min(context.sample, facts.samples.length - 1)));
    void context.source.picture(String(sample.index)).then((picture) => picture && button.replaceChildren(copyPicture(picture)));
    return button;
  });
  return h("div", { class: "thumbs", role: "group", "aria-label": "Which image" }, ...buttons);
}
