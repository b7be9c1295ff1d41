// What each filter of a layer responds to over all images: a card for each.

import { literal } from "./copy";
import { count, h, number, percent, svg } from "./dom";
import { className, type Facts, type FilterCard, type FilterFacts } from "./facts";
import { heading, type Context } from "./layer";

const SIZE = 50;
const CHUNK = 8;

export function filterSection(address: string, filters: FilterFacts, context: Context): HTMLElement {
  const isSelective = filters.cards.some((card) => card.selectivity !== undefined);
  const order = isSelective ? "most selective first" : "strongest first";
  const kept = filters.cards.length < filters.total ? `${filters.cards.length} of ${filters.total} filters, ` : "";
  const via = filters.responds === address ? "" : `, after ${filters.responds}`;
  const odd = Object.entries(filters.remarks);
  return h("section", { "aria-label": "What filters respond to" },
    heading("What filters respond to", `${kept}${order}, in ${count(filters.samples)} images${via}`, `kerasviz.plot_filters(model, ${literal(filters.responds)}, inputs${context.facts.predictions?.samples ? ", labels=labels" : ""})`),
    odd.length ? h("ul", { class: "odd" }, ...odd.slice(0, 12).map(([index, remark]) => h("li", {}, `filter ${index}: ${remark}`)), odd.length > 12 ? h("li", {}, `and ${odd.length - 12} more`) : null) : null,
    growing(h("ul", { class: "filters" }), filters.cards.map((card) => () => h("li", {}, filterCard(address, card, filters, context)))));
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

function filterCard(address: string, card: FilterCard, filters: FilterFacts, context: Context): HTMLElement {
  const { facts } = context;
  const best = card.best === undefined || card.best === null ? "" : typeof card.best === "number" ? className(facts, card.best) : card.best;
  const words = [`mean of all values ${number(card.mean)}`, `largest ${number(card.maximum)}`, `fires in ${percent(card.in_images)} of the images`];
  if (best && card.selectivity !== null && card.selectivity !== undefined) words.unshift(`most for ${best} (selectivity ${card.selectivity.toFixed(2)})`);
  const remark = filters.remarks[String(card.filter)];
  const title = [h("strong", {}, `filter ${card.filter}`), remark ? h("span", { class: "remark" }, ` ${remark}`) : null];
  // No image is stronger than another here.
  if (isDead(remark)) return h("div", { class: "filter", "data-filter": card.filter }, ...title, h("p", { class: "muted" }, `${number(card.maximum)} everywhere in all ${count(filters.samples)} images`));
  return h("div", { class: "filter", "data-filter": card.filter }, ...title,
    h("p", { class: "muted" }, words.join(", ")),
    card.means ? means(card.means, filters, facts) : null,
    h("div", { class: "strip-row" }, card.preferred || context.source.preferred ? preferred(address, card, context) : null, ...card.images.map((image) => strongest(image, context))));
}

function isDead(remark: string | undefined): boolean {
  return remark?.startsWith("dead") ?? false;
}

// The input that was made for the filter: there at once in a report, and computed in a notebook.
function preferred(address: string, card: FilterCard, { source, watch }: Context): HTMLElement {
  const canvas = h("canvas", { width: SIZE, height: SIZE, role: "img", "aria-label": `Preferred input of filter ${card.filter}, made by gradient ascent` });
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
    context.drawImage(picture, (SIZE - width) / 2, (SIZE - height) / 2, width, height);
    caption.textContent = `made ${short(facts.value)}`;
  });
  return element;
}

// The mean response for each class, on one scale for all cards of the layer.
function means(values: number[], filters: FilterFacts, facts: Facts): HTMLElement {
  const classes = filters.classes ?? [];
  const top = Math.max(...filters.cards.flatMap((card) => card.means ?? []), 0) || 1;
  const name = (i: number) => (typeof classes[i] === "number" ? className(facts, classes[i]) : String(classes[i]));
  const best = values.indexOf(Math.max(...values));
  const words = values.map((value, i) => `${name(i)} ${number(value)}`);
  const bars = values.map((value, i) => {
    const height = (38 * Math.max(0, value)) / top;
    return svg("rect", { x: 12 * i, y: 39 - height, width: 10, height: height + 1, class: i === best ? "best" : "value" }, svg("title", {}, words[i]!));
  });
  const picture = svg("svg", { viewBox: `0 0 ${12 * values.length} 40`, width: 12 * values.length, class: "means", role: "img", "aria-label": `Mean response for each class: ${words.join(", ")}` }, ...bars);
  return h("figure", {}, picture, h("figcaption", { class: "muted" }, `mean over the images of a class of the largest value in each; ${name(best)}: ${number(values[best])}`));
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
