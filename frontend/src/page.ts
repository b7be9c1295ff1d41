// The page: one header, the list of layers, and the view that the address names.

import { readPalettes } from "./colors";
import { h } from "./dom";
import type { Facts } from "./facts";
import { layerView, type Context } from "./layer";
import { Watch } from "./later";
import { LayerList } from "./list";
import { overview } from "./overview";
import { layerHash, readRoute, sampleHash, type Navigation, type Route } from "./route";
import { sampleView } from "./sample";
import type { Source } from "./source";
import { layFresh } from "./tiles";

const WIDE = 800;

export class Page {
  private readonly context: Context;
  private readonly list: LayerList;
  private readonly main = h("main", { tabindex: -1 });
  private readonly side: HTMLDetailsElement;
  private visit = 0;

  constructor(private readonly root: HTMLElement, private readonly facts: Facts, source: Source, private readonly navigation: Navigation, private readonly tools: HTMLElement | null = null) {
    this.context = { facts, source, palettes: readPalettes(facts), sample: 0, watch: new Watch() };
    this.list = new LayerList(facts.layers, layerHash, (address) => this.open(address));
    this.side = h("details", { class: "side-list" }, h("summary", {}, "Layers"), this.list.element);
  }

  // Draw the page, and hear keys that are pressed in `keys`.
  start(keys: EventTarget): void {
    const { facts, side } = this;
    side.open = this.isWide;
    keys.addEventListener("keydown", (event) => this.press(event as KeyboardEvent));
    this.navigation.listen(() => void this.show());
    this.root.replaceChildren(
      h("header", {}, h("h1", {}, h("a", { href: "#" }, facts.model.name)), h("span", { class: "muted" }, `kerasviz ${facts.version}`)),
      ...(this.tools ? [this.tools] : []),
      h("div", { class: "columns" }, side, this.main));
    const footer = h("footer", { class: "muted" }, "A value on this page is exact to 1/254 of the range of its tile. Keys: / searches, \u2190 and \u2192 go from layer to layer and from sample to sample, Esc goes back to the overview.");
    // Below the first view, which else would push it away.
    void this.show(true).then(() => this.root.append(footer));
  }

  private get isWide(): boolean {
    const width = this.root.clientWidth;
    return !width || width >= WIDE;
  }

  private get route(): Route {
    return readRoute(this.navigation.read());
  }

  private open(address: string): void {
    this.navigation.go(layerHash(address));
  }

  private async view(): Promise<HTMLElement> {
    const { context, facts, route } = this;
    if (route && "layer" in route) {
      const layer = facts.layers.find((item) => item.address === route.layer);
      if (layer) return layerView(layer, context, route.filter);
      return h("article", {}, h("h2", { tabindex: -1 }, "No such layer"), h("p", {}, "The model has no layer with the address ", h("code", {}, route.layer), "."));
    }
    if (route) {
      const sample = facts.samples.find((item) => item.index === route.sample);
      if (sample) return sampleView(sample, context);
    }
    return overview(context, (address) => this.open(address));
  }

  async show(isFirst = false): Promise<void> {
    const mine = ++this.visit;
    this.context.watch.clear();
    const element = await this.view();
    if (mine !== this.visit) return; // somebody went on meanwhile
    const { route } = this;
    // The list first: where its links are is known as long as nothing else has changed.
    this.list.show(route && "layer" in route ? route.layer : null);
    this.main.replaceChildren(element);
    layFresh();
    if (isFirst) return;
    if (!this.isWide) this.side.open = false; // above the view, it would hide what was chosen in it
    this.navigation.toTop();
    if (this.navigation.takesFocus()) element.querySelector<HTMLElement>("h2")?.focus({ preventScroll: true });
  }

  private step(by: number): void {
    const { route, facts } = this;
    if (route && "sample" in route) {
      const sample = facts.samples[facts.samples.findIndex((item) => item.index === route.sample) + by];
      if (sample) this.navigation.go(sampleHash(sample.index));
      return;
    }
    const index = route && "layer" in route ? facts.layers.findIndex((item) => item.address === route.layer) : -1;
    const next = facts.layers[index + by];
    if (next) this.open(next.address);
  }

  private press(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || target.matches("input, select, textarea")) return;
    if (event.key === "/") {
      event.preventDefault();
      this.side.open = true;
      this.list.search.focus();
      this.list.search.select();
    } else if (event.key === "Escape" && this.navigation.read()) this.navigation.go("#");
    else if (event.key === "ArrowRight") this.step(1);
    else if (event.key === "ArrowLeft" && this.route) this.step(-1);
  }
}
