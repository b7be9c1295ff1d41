// What each filter of a layer responds to over all images: a card for each.

import { literal } from "./copy";
import { count, h, number, percent } from "./dom";
import { className, type FilterCard, type FilterFacts } from "./facts";
import { heading, type Context } from "./layer";

const SIZE = 64;
const CHUNK = 8;

export function filterSection(address: string, filters: FilterFacts, context: Context): HTMLElement {
  const isSelective = filters.cards.some((card) => card.selectivity !== undefined);
  const order = isSelective ? "most selective first" : "strongest first";
  const kept = filters.cards.length < filters.total ? `${filters.cards.length} of ${filters.total} filters, ` : "";
  const via = filters.responds === address ? "" : `, after ${filters.responds}`;
  const odd = Object.entries(filters.remarks);
  return h("section", { "aria-label": "What filters respond to" },
    heading("What filters respond to", `${kept}${order}, in ${count(filters.samples)} images${via}`, `statistics = kerasviz.filter_statistics(model, ${literal(filters.responds)}, inputs)`),
    odd.length ? h("ul", { class: "odd" }, ...odd.slice(0, 12).map(([index, remark]) => h("li", {}, `filter ${index}: ${remark}`)), odd.length > 12 ? h("li", {}, `and ${odd.length - 12} more`) : null) : null,
    growing(h("ul", { class: "filters" }), filters.cards.map((card) => () => h("li", {}, filterCard(card, filters, context)))));
}

// Add some items now and then, so that a layer is there before all of its cards are.
function growing(list: HTMLElement, items: (() => HTMLElement)[]): HTMLElement {
  const grow = (start: number) => {
    list.append(...items.slice(start, start + CHUNK).map((make) => make()));
    if (start + CHUNK < items.length) setTimeout(() => grow(start + CHUNK));
  };
  setTimeout(() => grow(0));
  return list;
}

function filterCard(card: FilterCard, filters: FilterFacts, context: Context): HTMLElement {
  const { facts } = context;
  const best = card.best === undefined || card.best === null ? "" : typeof card.best === "number" ? className(facts, card.best) : card.best;
  const words = [`mean ${number(card.mean)}`, `largest ${number(card.maximum)}`, `fires in ${percent(card.in_images)} of the images`];
  if (best && card.selectivity !== null && card.selectivity !== undefined) words.unshift(`most for ${best} (selectivity ${card.selectivity.toFixed(2)})`);
  const remark = filters.remarks[String(card.filter)];
  return h("div", { class: "filter", "data-filter": card.filter },
    h("strong", {}, `filter ${card.filter}`), remark ? h("span", { class: "remark" }, ` ${remark}`) : null,
    h("p", { class: "muted" }, words.join(", ")),
    h("div", { class: "strip-row" }, ...card.images.map((image) => strongest(image, context))));
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
  return h("figure", { title: `${name}: ${number(image.value)}` }, canvas, h("figcaption", { class: "muted" }, number(image.value)));
}
