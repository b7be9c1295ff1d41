// The list of layers and the search in it.

import { count, h } from "./dom";
import type { LayerFacts } from "./facts";

// The search stays at the top of the list.
const HEAD = 44;

export class LayerList {
  readonly element: HTMLElement;
  readonly search = h("input", { type: "search", placeholder: "Search layers ( / )", "aria-label": "Search layers", spellcheck: "false", autocomplete: "off" });
  private readonly items: { layer: LayerFacts; link: HTMLAnchorElement; text: string }[];
  private readonly nothing = h("p", { class: "muted nothing", hidden: true }, "No layer has this in its name or class.");
  private marked = -1;

  constructor(layers: LayerFacts[], href: (address: string) => string, private readonly open: (address: string) => void) {
    this.items = layers.map((layer) => ({
      layer,
      text: `${layer.address} ${layer.type}`.toLowerCase(),
      link: h("a", { href: href(layer.address), "data-address": layer.address, class: `depth-${Math.min(layer.depth, 4)}` },
        h("span", { class: "name" }, ...breakable(layer.address)), h("span", { class: "muted" }, `${layer.type} ${layer.shape}${layer.parameters ? `, ${count(layer.parameters)}` : ""}`)),
    }));
    this.search.addEventListener("input", () => this.filter());
    this.search.addEventListener("keydown", (event) => this.press(event));
    this.element = h("nav", { "aria-label": "Layers" }, this.search, this.nothing, h("ul", {}, ...this.items.map((item) => h("li", {}, item.link))));
  }

  private get matches() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    return this.items.filter((item) => words.every((word) => item.text.includes(word)));
  }

  private filter(): void {
    const matches = new Set(this.matches);
    for (const item of this.items) item.link.parentElement!.hidden = !matches.has(item);
    this.nothing.hidden = matches.size > 0;
    this.mark(matches.size && this.search.value ? 0 : -1);
  }

  private mark(index: number): void {
    const { matches } = this;
    this.marked = index < 0 ? -1 : Math.min(index, matches.length - 1);
    for (const item of this.items) item.link.classList.remove("marked");
    const link = matches[this.marked]?.link;
    link?.classList.add("marked");
    if (link) reveal(link);
  }

  private press(event: KeyboardEvent): void {
    event.stopPropagation();
    if (event.key === "Enter") {
      const { matches } = this;
      const exact = matches.find((item) => item.layer.address === this.search.value);
      const item = this.marked > 0 ? matches[this.marked] : (exact ?? matches[0]);
      if (item) this.open(item.layer.address);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      this.mark(Math.max(0, this.marked + (event.key === "ArrowDown" ? 1 : -1)));
    } else if (event.key === "Escape") {
      this.search.value = "";
      this.filter();
      this.search.blur();
    }
  }

  show(address: string | null): void {
    for (const { layer, link } of this.items) {
      if (layer.address === address) {
        link.setAttribute("aria-current", "page");
        reveal(link);
      } else link.removeAttribute("aria-current");
    }
  }
}

// A long name is broken between its words.
export function breakable(name: string): (string | Node)[] {
  return name.split(/(?<=[/_])/).flatMap((part) => [part, h("wbr")]);
}

// Scroll the list alone: what is around it, such as a notebook, stays where it is.
function reveal(link: HTMLElement): void {
  const box = link.closest<HTMLElement>(".side-list");
  if (!box) return;
  const [inner, outer] = [link.getBoundingClientRect(), box.getBoundingClientRect()];
  const top = outer.top + HEAD;
  if (inner.top < top) box.scrollTop -= top - inner.top;
  else if (inner.bottom > outer.bottom) box.scrollTop += inner.bottom - outer.bottom;
}
