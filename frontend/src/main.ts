// The page: one header, the list of layers, and the view that the address names.

import { readPalettes } from "./colors";
import { h } from "./dom";
import { readFacts } from "./facts";
import { layerView, type Context } from "./layer";
import { LayerList } from "./list";
import { overview } from "./overview";
import { layerHash, readRoute } from "./route";
import { sampleView } from "./sample";

const facts = readFacts();
const context: Context = { facts, palettes: readPalettes(facts), sample: 0 };
const open = (address: string) => {
  location.hash = layerHash(address);
};
const list = new LayerList(facts.layers, layerHash, open);
const main = h("main", { tabindex: -1 });
let visit = 0;

async function view(): Promise<HTMLElement> {
  const route = readRoute();
  if (route && "layer" in route) {
    const layer = facts.layers.find((item) => item.address === route.layer);
    if (layer) return layerView(layer, context);
    return h("article", {}, h("h2", { tabindex: -1 }, "No such layer"), h("p", {}, "The model has no layer with the address ", h("code", {}, route.layer), "."));
  }
  if (route) {
    const sample = facts.samples.find((item) => item.index === route.sample);
    if (sample) return sampleView(sample, context);
  }
  return overview(context, open);
}

async function show(isFirst = false): Promise<void> {
  const mine = ++visit;
  const element = await view();
  if (mine !== visit) return; // somebody went on meanwhile
  const route = readRoute();
  main.replaceChildren(element);
  list.show(route && "layer" in route ? route.layer : null);
  if (isFirst) return;
  scrollTo(0, 0);
  element.querySelector<HTMLElement>("h2")?.focus({ preventScroll: true });
}

function step(by: number): void {
  const route = readRoute();
  const index = route && "layer" in route ? facts.layers.findIndex((item) => item.address === route.layer) : -1;
  const next = facts.layers[index + by];
  if (next) open(next.address);
}

addEventListener("keydown", (event) => {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey || target.matches("input, select, textarea")) return;
  if (event.key === "/") {
    event.preventDefault();
    list.search.focus();
    list.search.select();
  } else if (event.key === "Escape" && location.hash.length > 1) location.hash = "";
  else if (event.key === "ArrowRight") step(1);
  else if (event.key === "ArrowLeft" && readRoute()) step(-1);
});
addEventListener("hashchange", () => void show());

const side = h("details", { class: "side-list" }, h("summary", {}, "Layers"), list.element);
side.open = matchMedia("(min-width: 800px)").matches;
document.getElementById("page")!.replaceChildren(
  h("header", {}, h("h1", {}, h("a", { href: "#" }, facts.model.name)), h("span", { class: "muted" }, `kerasviz ${facts.version}`)),
  h("div", { class: "columns" }, side, main),
  h("footer", { class: "muted" }, "A value on this page is exact to 1/254 of the range of its tile. Keys: / searches, ← and → go from layer to layer, Esc goes back to the overview."));
void show(true);
