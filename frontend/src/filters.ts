// What each filter of a layer responds to over all images: a card for each.

import { literal } from "./copy";
import { count, h, number, percent, svg } from "./dom";
import { className, type Facts, type FilterCard, type FilterFacts, type LayerFacts } from "./facts";
import { heading, type Context } from "./layer";
import { filterHash } from "./route";
import { outline } from "./tiles";

const SIZE = 50;
const CHUNK = 8;
const MAX_LINES = 12;
const MAX_LINKS = 24;
const BAR = 40; // the height of the largest bar
const MAX_NAME = 12;
const LETTER = 5.6; // the width of a letter, about
const SLANT = Math.SQRT1_2;
const NEVER = "never fires";

export function filterSection(layer: LayerFacts, filters: FilterFacts, context: Context): HTMLElement {
  const { noun } = layer;
  const isSelective = filters.cards.some((card) => card.selectivity !== undefined);
  const first = filters.cards.length - filters.odd;
  const order = isSelective ? "most selective first" : "strongest first";
  const number = first < filters.total ? `${first} of ${filters.total} ${noun}s, ` : "";
  const odd = filters.odd ? `, then ${filters.odd} more with a remark` : "";
  const via = filters.responds === layer.address ? "" : `, after ${filters.responds}`;
  const bars = filters.cards.some((card) => card.means) ? h("p", { class: "muted" }, noun === "unit" ? "Bars: for each class, the mean over its images." : "Bars: for each class, the mean over its images of the largest value in each.") : null;
  return h("section", { "aria-label": `What ${noun}s respond to` },
    heading(`What ${noun}s respond to`, `${number}${order}${odd}, in ${count(filters.samples)} images${via}`, `kerasviz.plot_filters(model, ${literal(filters.responds)}, inputs${context.facts.predictions?.samples ? ", labels=labels" : ""})`),
    remarkList(layer, filters), bars,
    growing(h("ul", { class: "filters" }), filters.cards.map((card) => () => h("li", {}, filterCard(layer, card, filters, context)))));
}

// What is odd, each remark once, with links to those that it is about.
function remarkList({ address, noun }: LayerFacts, { remarks, total, samples }: FilterFacts): HTMLElement | null {
  const groups = new Map<string, number[]>();
  for (const [index, remark] of Object.entries(remarks)) groups.set(remark, [...(groups.get(remark) ?? []), Number(index)]);
  const line = (remark: string, indices: number[]) => {
    const words = remark === NEVER ? `${indices.length} of ${total} units never fire, with the value 0 for all ${count(samples)} images: ` : `${remark}: ${noun} `;
    const links = indices.slice(0, MAX_LINKS).map((index) => h("a", { href: filterHash(address, index) }, String(index)));
    return h("li", {}, words, h("span", { class: "links" }, ...links, indices.length > MAX_LINKS ? `and ${indices.length - MAX_LINKS} more` : null));
  };
  const lines = [...groups].map(([remark, indices]) => line(remark, indices));
  return lines.length ? h("ul", { class: "odd" }, ...lines.slice(0, MAX_LINES), lines.length > MAX_LINES ? h("li", {}, `and ${lines.length - MAX_LINES} more`) : null) : null;
}

// Add some items now and then, once the list is in the page and was laid out: a layer is there
// before any of its cards.
function growing(list: HTMLElement, items: (() => HTMLElement)[]): HTMLElement {
  const grow = (start: number) => {
    list.append(...items.slice(start, start + CHUNK).map((make) => make()));
    if (start + CHUNK < items.length) setTimeout(() => grow(start + CHUNK));
  };
  const observer = new ResizeObserver(() => {
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => grow(0)));
  });
  observer.observe(list);
  return list;
}

export function filterCard(layer: LayerFacts, card: FilterCard, filters: FilterFacts, context: Context): HTMLElement {
  const { facts } = context;
  const { noun } = layer;
  const best = card.best === undefined || card.best === null ? "" : typeof card.best === "number" ? className(facts, card.best) : card.best;
  const words = [`mean of all values ${number(card.mean)}`, `largest ${number(card.maximum)}`, `fires in ${percent(card.in_images)} of the images`];
  if (best && card.selectivity !== null && card.selectivity !== undefined) words.unshift(`most for ${best} (selectivity ${card.selectivity.toFixed(2)})`);
  const remark = filters.remarks[String(card.filter)];
  const title = [h("strong", {}, `${noun} ${card.filter}`), remark ? h("span", { class: "remark" }, ` ${remark}`) : null];
  // No image is stronger than another here.
  if (isDead(remark)) return h("div", { class: "filter", "data-filter": card.filter }, ...title, h("p", { class: "muted" }, `${number(card.maximum)} ${noun === "unit" ? "for" : "everywhere in"} all ${count(filters.samples)} images`));
  return h("div", { class: "filter", "data-filter": card.filter }, ...title,
    h("p", { class: "muted" }, words.join(", ")),
    card.means ? means(card.means, filters, facts) : null,
    h("div", { class: "strip-row" }, card.preferred || context.source.preferred ? preferred(layer, card, context) : null, ...card.images.map((image) => strongest(image, context))));
}

function isDead(remark: string | undefined): boolean {
  return remark === NEVER || (remark?.startsWith("dead") ?? false);
}

// The input that was made for the filter: there at once in a report, and computed in a notebook.
function preferred({ address, noun }: LayerFacts, card: FilterCard, { source, watch }: Context): HTMLElement {
  const canvas = h("canvas", { width: SIZE, height: SIZE, role: "img", "aria-label": `Preferred input of ${noun} ${card.filter}, made by gradient ascent` });
  const caption = h("figcaption", { class: "muted" }, "made");
  const element = h("figure", { class: "preferred", title: "Preferred input: made by gradient ascent, and not one of the images" }, canvas, caption);
  watch.add(canvas, async () => {
    const facts = card.preferred ?? (await source.preferred!(address).catch(() => ({} as Record<string, never>)))[String(card.filter)];
    const picture = facts && (await source.picture(facts.picture));
    if (!picture) return element.remove();
    const context = canvas.getContext("2d")!;
    const scale = SIZE / Math.max(picture.width, picture.height);
    const [width, height] = [picture.width * scale, picture.height * scale];
    context.imageSmoothingEnabled = false;
    const [left, top] = [(SIZE - width) / 2, (SIZE - height) / 2];
    context.drawImage(picture, left, top, width, height);
    outline(context, left, top, [width, height]);
    caption.textContent = `made ${short(facts.value)}`;
  });
  return element;
}

// The mean response for each class. Each card has its own scale: on one for all, a single strong
// filter leaves no bar of another to be seen.
function means(values: number[], filters: FilterFacts, facts: Facts): HTMLElement {
  const classes = filters.classes ?? [];
  const top = Math.max(...values, 0) || 1;
  const names = values.map((_, i) => (typeof classes[i] === "number" ? className(facts, classes[i]) : String(classes[i])));
  const best = values.indexOf(Math.max(...values));
  const words = values.map((value, i) => `${names[i]} ${number(value)}`);
  const pitch = values.length > 10 ? 16 : 26;
  // Names lean to the left: that of the first bars reaches beyond them.
  const lean = names.map((name) => SLANT * LETTER * Math.min(name.length, MAX_NAME));
  const left = Math.max(0, ...lean.map((width, i) => width - pitch * (i + 0.5)));
  const bottom = BAR + 14;
  const bars = values.map((value, i) => {
    const height = (BAR * Math.max(0, value)) / top;
    const x = left + pitch * i;
    const middle = x + pitch / 2;
    const name = names[i]!.length > MAX_NAME ? `${names[i]!.slice(0, MAX_NAME - 1)}\u2026` : names[i]!;
    return svg("g", { class: i === best ? "best" : "value" }, svg("title", {}, words[i]!),
      svg("rect", { x: x + 2, y: bottom - height - 1, width: pitch - 4, height: height + 1 }),
      i === best ? svg("text", { x: middle, y: bottom - height - 4, "text-anchor": "middle" }, short(value)) : null,
      svg("text", { x: middle + 3, y: bottom + 10, "text-anchor": "end", transform: `rotate(-45 ${middle + 3} ${bottom + 10})` }, name));
  });
  const size = [left + pitch * values.length + 12, bottom + 14 + Math.max(...lean)].map(Math.ceil);
  return h("figure", {}, svg("svg", { viewBox: `0 0 ${size[0]} ${size[1]}`, width: size[0], height: size[1], class: "means", role: "img", "aria-label": `Mean response for each class: ${words.join(", ")}` }, ...bars));
}

// As wide as the image above it.
function short(value: number): string {
  return number(typeof value === "number" ? Number(value.toPrecision(3)) : value);
}

// An image, dimmed but for what the unit sees.
function strongest(image: FilterCard["images"][number], { source, watch }: Context): HTMLElement {
  const name = image.picture.startsWith("data-") ? `image ${image.picture.slice(5)} of the data set` : `sample ${image.picture}`;
  const canvas = h("canvas", { width: SIZE, height: SIZE, role: "img", "aria-label": `${name}, ${number(image.value)}` });
  watch.add(canvas, () => void source.picture(image.picture).then((picture) => {
    if (!picture) return;
    const context = canvas.getContext("2d")!;
    context.imageSmoothingEnabled = picture.width > SIZE;
    const scale = SIZE / Math.max(picture.width, picture.height);
    const [width, height] = [picture.width * scale, picture.height * scale];
    const [x, y] = [(SIZE - width) / 2, (SIZE - height) / 2];
    context.globalAlpha = 0.4;
    context.drawImage(picture, x, y, width, height);
    context.globalAlpha = 1;
    const [top, bottom, left, right] = image.box;
    context.save();
    context.beginPath();
    context.rect(x + left * width, y + top * height, (right - left) * width, (bottom - top) * height);
    context.clip();
    context.drawImage(picture, x, y, width, height);
    context.restore();
    context.strokeStyle = "#ff9f1c";
    context.strokeRect(x + left * width, y + top * height, (right - left) * width, (bottom - top) * height);
  }));
  return h("figure", { title: `${name}: ${number(image.value)}` }, canvas, h("figcaption", { class: "muted" }, short(image.value)));
}
