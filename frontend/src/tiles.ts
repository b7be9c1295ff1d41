// Tiles side by side on a canvas, with the value below the cursor, and the controls of a picture.

import { valueOf, type Tiles } from "./blocks";
import { overlay, ownLimits, paintOver, paintTile, type Limits, type Palette } from "./colors";
import { h, number } from "./dom";
import { inkOf, onTheme } from "./theme";

export interface TileOptions {
  kind: string; // what a tile is, in the singular: "filter"
  label: string; // for whoever does not see the picture
  palettes: { signed: Palette; plain: Palette };
  background?: HTMLCanvasElement | null;
  marks?: Map<number, string>; // remarks on tiles, by their index
  framed?: number | undefined; // the index of a tile, or of a column, that stands out
  only?: number; // the one tile that is drawn
  target?: number; // about how large a tile is drawn, in pixels
}

interface State {
  scale: "layer" | "tile";
  strongest: boolean;
  filter: string;
  over: boolean;
}

const LABEL = 13;
const TARGET = 84;
// What a reader chose for one picture holds for the next one too.
const chosen: State = { scale: "layer", strongest: false, filter: "", over: false };

export function parseIndices(text: string): ((index: number) => boolean) | null {
  const ranges: [number, number][] = [];
  for (const part of text.split(/[\s,]+/).filter(Boolean)) {
    const match = /^(\d+)(?:[-\u2013](\d+))?$/.exec(part);
    if (!match) return null;
    ranges.push([Number(match[1]), Number(match[2] ?? match[1])]);
  }
  return (index) => ranges.length === 0 || ranges.some(([low, high]) => low <= index && index <= high);
}

const fresh = new Set<TileView>();

// Lay out the tiles that came into the page, before it is seen without them.
export function layFresh(): void {
  for (const view of fresh) {
    if (!view.element.isConnected) continue;
    fresh.delete(view);
    view.lay();
  }
}

export class TileView {
  readonly element: HTMLElement;
  private readonly canvas = h("canvas", { tabindex: 0, role: "img" });
  private readonly readout = h("output", { class: "readout", "aria-live": "polite" });
  private readonly bar = h("div", { class: "bar" });
  private readonly summary = h("span", { class: "muted summary" });
  private readonly state: State = { ...chosen, filter: "" };
  private order: number[] = [];
  private columns = 1;
  private zoom: [number, number] = [1, 1];
  private gap = 4;
  private cursor: [number, number, number] | null = null; // position of a tile, row, column

  constructor(private readonly tiles: Tiles, private readonly options: TileOptions) {
    const isMatrix = Boolean(tiles.facts.rows);
    this.canvas.setAttribute("aria-label", `${options.label}. Arrow keys move from value to value.`);
    const isOne = options.only !== undefined;
    this.element = h("div", { class: isOne ? "tiles one" : "tiles" }, isMatrix ? null : isOne ? this.overBox() : this.controls(), this.bar, h("div", { class: "scroll" }, this.canvas), this.readout);
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerdown", (event) => this.point(event));
    this.canvas.addEventListener("keydown", (event) => this.press(event));
    // The width is known only in the page; a wider one has more columns.
    new ResizeObserver(() => this.lay()).observe(this.element);
    onTheme(this.element, () => this.draw());
    this.choose();
    fresh.add(this);
  }

  private overBox(): HTMLElement | null {
    if (!this.options.background) return null;
    const input = h("input", { type: "checkbox", name: "over", change: () => {
      chosen.over = this.state.over = input.checked;
      this.draw();
    } });
    input.checked = this.state.over;
    return h("div", { class: "controls" }, h("label", {}, input, " over the image"));
  }

  private controls(): HTMLElement {
    const { state } = this;
    const set = (change: Partial<State>) => {
      Object.assign(state, change);
      Object.assign(chosen, change);
      this.choose();
      this.lay(true);
    };
    const scale = h("select", { "aria-label": "Colour scale", change: () => set({ scale: scale.value as State["scale"] }) },
      h("option", { value: "layer" }, "one colour scale"), h("option", { value: "tile" }, "each its own scale"));
    scale.value = state.scale;
    const box = (text: string, name: "strongest" | "over") => {
      const input = h("input", { type: "checkbox", name, change: () => set({ [name]: input.checked }) });
      input.checked = state[name];
      return h("label", {}, input, ` ${text}`);
    };
    const filter = h("input", {
      type: "text", size: 12, placeholder: "such as 3, 8-15", "aria-label": `Show only these ${this.options.kind}s`, spellcheck: "false",
      input: () => {
        filter.classList.toggle("wrong", !parseIndices(filter.value));
        set({ filter: filter.value });
      },
    });
    return h("div", { class: "controls" }, scale, box("strongest first", "strongest"),
      this.options.background ? box("over the image", "over") : null,
      h("label", {}, `${this.options.kind}s `, filter), this.summary);
  }

  private choose(): void {
    const { tiles, state } = this;
    const { only } = this.options;
    if (only !== undefined) {
      this.order = [only];
      return;
    }
    const accepts = parseIndices(state.filter) ?? (() => true);
    this.order = [...tiles.indices.keys()].filter((tile) => accepts(tiles.indices[tile]!));
    if (state.strongest) {
      const norms = strengths(tiles);
      this.order.sort((a, b) => norms[b]! - norms[a]! || a - b);
    }
    const { count, total } = tiles.facts;
    const kept = count < total ? `${count} strongest of ${total}` : `all ${total}`;
    const shown = state.filter && this.order.length < count ? `${this.order.length} shown of ${kept}` : kept;
    const isCrossed = tiles.facts.width * tiles.facts.height > 1 && this.order.some((tile) => tiles.low[tile] === tiles.high[tile]);
    this.summary.textContent = isCrossed ? `${shown}; crossed out: the same value everywhere here` : shown;
    this.cursor = null;
    this.readout.textContent = "";
  }

  lay(force = false): void {
    const { width, height } = this.tiles.facts;
    const room = Math.max(100, this.element.clientWidth);
    const fit = (size: number, target: number) => Math.max(1, Math.min(32, Math.round(target / size)));
    if (this.tiles.facts.rows) this.zoom = [Math.max(3, Math.min(14, Math.floor(560 / width))), Math.max(2, Math.min(14, Math.floor(420 / height)))];
    else if (height === 1 && width > 1) this.zoom = [fit(width, 240), 14];
    else this.zoom = [fit(Math.max(width, height), this.options.target ?? TARGET), fit(Math.max(width, height), this.options.target ?? TARGET)];
    const tileWidth = width * this.zoom[0];
    this.gap = Math.max(4, Math.round(0.6 * Math.min(...this.zoom)));
    const columns = Math.max(1, Math.min(this.order.length, Math.floor((room + this.gap) / (tileWidth + this.gap))));
    if (force || columns !== this.columns || !this.canvas.hasAttribute("data-columns")) {
      this.columns = columns;
      this.draw();
    }
  }

  private get labelHeight(): number {
    return this.tiles.facts.rows || this.options.only !== undefined ? 0 : LABEL;
  }

  private get pitch(): [number, number] {
    const { width, height } = this.tiles.facts;
    const label = this.labelHeight;
    return [width * this.zoom[0] + this.gap, height * this.zoom[1] + this.gap + label];
  }

  private draw(): void {
    const { tiles, canvas, gap } = this;
    const { width, height } = tiles.facts;
    const [across, down] = this.pitch;
    const top = this.labelHeight;
    const rows = Math.ceil(this.order.length / this.columns);
    canvas.width = Math.max(1, this.columns * across - gap);
    canvas.height = Math.max(1, rows * down - gap);
    canvas.dataset["columns"] = String(this.columns);
    canvas.dataset["pitch"] = `${across} ${down}`;
    canvas.dataset["zoom"] = `${this.zoom[0]} ${this.zoom[1]}`;
    canvas.dataset["top"] = String(top);
    canvas.dataset["order"] = this.order.map((tile) => tiles.indices[tile]).join(" ");
    const context = canvas.getContext("2d")!;
    const ink = inkOf(this.element);
    context.font = "11px system-ui, sans-serif";
    const one = h("canvas", { width, height });
    const pen = one.getContext("2d")!;
    const { isOver } = this;
    this.order.forEach((tile, position) => {
      const x = (position % this.columns) * across;
      const y = Math.floor(position / this.columns) * down + top;
      const limits = this.limitsOf(tile);
      pen.putImageData(isOver ? paintOver(tiles, tile, limits) : paintTile(tiles, tile, limits, this.options.palettes), 0, 0);
      const size = [width * this.zoom[0], height * this.zoom[1]] as const;
      context.imageSmoothingEnabled = isOver;
      if (isOver) context.drawImage(this.options.background!, x, y, ...size);
      context.drawImage(one, x, y, ...size);
      if (tiles.facts.signed && !isOver && this.zoom[0] > 3) outline(context, x, y, size);
      if (!top) return;
      context.fillStyle = ink;
      context.fillText(String(tiles.indices[tile]), x, y - 3, size[0]);
      if (tiles.low[tile] === tiles.high[tile] && width * height > 1) cross(context, x, y, size);
    });
    this.frame(context);
    this.drawBar();
  }

  private frame(context: CanvasRenderingContext2D): void {
    const { indices, facts } = this.tiles;
    const [across, down] = this.pitch;
    const [width, height] = [facts.width * this.zoom[0], facts.height * this.zoom[1]];
    const { framed } = this.options;
    if (framed === undefined) return;
    const stroke = (left: number, top: number, across: number, down: number) => {
      // Seen on any colour: orange in black.
      for (const [color, wide] of [["#000", 5], ["#ff9f1c", 3]] as const) {
        context.strokeStyle = color;
        context.lineWidth = wide;
        context.strokeRect(left, top, across, down);
      }
    };
    if (facts.rows) {
      const column = facts.columns!.indexOf(framed);
      if (column >= 0) stroke(column * this.zoom[0], 2, this.zoom[0], height - 4);
      return;
    }
    const position = this.order.findIndex((tile) => indices[tile] === framed);
    if (position < 0) return;
    const [x, y] = [(position % this.columns) * across, Math.floor(position / this.columns) * down + this.labelHeight];
    stroke(x + 1, y + 1, width - 2, height - 2);
  }

  private limitsOf(tile: number): Limits {
    const { limits, signed } = this.tiles.facts;
    if (this.hasOwnScale) return ownLimits(this.tiles, tile);
    return { low: limits[0], high: limits[1], signed };
  }

  private get isOver(): boolean {
    return this.state.over && Boolean(this.options.background);
  }

  private get hasOwnScale(): boolean {
    return this.options.only !== undefined || (this.state.scale === "tile" && !this.tiles.facts.rows);
  }

  private drawBar(): void {
    const { facts } = this.tiles;
    if (facts.channels === 3) return this.bar.replaceChildren(`colours: ${number(facts.limits[0])} to ${number(facts.limits[1])}`);
    const { only } = this.options;
    if (this.hasOwnScale && only === undefined) return this.bar.replaceChildren("each on its own colour scale");
    const limits = this.limitsOf(only ?? 0);
    const strip = h("canvas", { width: 128, height: 1, class: "strip", "aria-hidden": "true" });
    const palette = facts.signed ? this.options.palettes.signed : this.options.palettes.plain;
    const image = new ImageData(128, 1);
    const step = (limits.high - limits.low) / 127;
    for (let i = 0; i < 128; i++) image.data.set(this.isOver ? overlay(limits.low + step * i, limits) : [...palette.subarray(6 * i, 6 * i + 3), 255], 4 * i);
    strip.getContext("2d")!.putImageData(image, 0, 0);
    // Beyond robust limits the colour is that of the limit.
    const [below, above] = [this.order.some((tile) => this.tiles.low[tile]! < limits.low), this.order.some((tile) => this.tiles.high[tile]! > limits.high)];
    const words = facts.axes ? h("span", {}, `a row for each ${facts.axes[0]}, a column for each ${facts.axes[1]}`) : "";
    this.bar.replaceChildren(h("span", {}, `${below ? "\u2264 " : ""}${number(limits.low)}`), strip, h("span", {}, `${above ? "\u2265 " : ""}${number(limits.high)}`), words);
  }

  private point(event: PointerEvent): void {
    const box = this.canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) * this.canvas.width) / box.width;
    const y = ((event.clientY - box.top) * this.canvas.height) / box.height;
    const [across, down] = this.pitch;
    const top = this.labelHeight;
    const column = Math.floor((x % across) / this.zoom[0]);
    const row = Math.floor(((y % down) - top) / this.zoom[1]);
    const position = Math.floor(y / down) * this.columns + Math.floor(x / across);
    const { width, height } = this.tiles.facts;
    const isInside = column < width && row >= 0 && row < height && position < this.order.length;
    if (isInside) this.show([position, row, column]);
  }

  private press(event: KeyboardEvent): void {
    const step: Record<string, [number, number]> = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const move = step[event.key];
    if (!move || !this.order.length || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const { width, height } = this.tiles.facts;
    let [position, row, column] = this.cursor ?? [0, -move[0], -move[1]];
    row += move[0];
    column += move[1];
    // Beyond the edge of a tile is the next one.
    if (column < 0 || column >= width) {
      position += move[1];
      column = column < 0 ? width - 1 : 0;
    }
    if (row < 0 || row >= height) {
      position += move[0] * this.columns;
      row = row < 0 ? height - 1 : 0;
    }
    if (position >= 0 && position < this.order.length) this.show([position, row, column]);
  }

  private show(cursor: [number, number, number]): void {
    this.cursor = cursor;
    const [position, row, column] = cursor;
    const { facts } = this.tiles;
    const tile = this.order[position]!;
    const cell = (row * facts.width + column) * facts.channels;
    const values = Array.from({ length: facts.channels }, (_, c) => number(valueOf(this.tiles, tile, cell + c)));
    const value = facts.channels === 3 ? `red ${values[0]}, green ${values[1]}, blue ${values[2]}` : values[0]!;
    const index = this.tiles.indices[tile]!;
    const where = facts.rows
      ? `${facts.axes![0]} ${facts.rows[row]}, ${facts.axes![1]} ${facts.columns![column]}`
      : this.options.only !== undefined ? `row ${row}, column ${column}`
      : `${this.options.kind} ${index}, row ${row}, column ${column}`;
    const mark = this.options.marks?.get(index);
    const isConstant = this.tiles.low[tile] === this.tiles.high[tile] && facts.width * facts.height > 1;
    const remark = mark ? ` (${mark})` : isConstant ? " (constant here)" : "";
    this.readout.textContent = `${where}: ${value}${remark}`;
  }
}

function strengths(tiles: Tiles): Float64Array {
  const { count, height, width, channels } = tiles.facts;
  const size = height * width * channels;
  const result = new Float64Array(count);
  for (let tile = 0; tile < count; tile++) {
    let sum = 0;
    for (let i = 0; i < size; i++) {
      const value = valueOf(tiles, tile, i);
      if (value === value) sum += value * value;
    }
    result[tile] = Math.sqrt(sum);
  }
  return result;
}

// White is 0, or the brightest value, and so is the ground of the page.
export function outline(context: CanvasRenderingContext2D, x: number, y: number, size: readonly [number, number]): void {
  context.strokeStyle = "#8888";
  context.lineWidth = 1;
  context.strokeRect(x + 0.5, y + 0.5, size[0] - 1, size[1] - 1);
}

function cross(context: CanvasRenderingContext2D, x: number, y: number, size: readonly [number, number]): void {
  context.strokeStyle = "#888";
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x + size[0], y + size[1]);
  context.moveTo(x + size[0], y);
  context.lineTo(x, y + size[1]);
  context.stroke();
}
