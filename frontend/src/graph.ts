// The graph of the model: boxes that open their layer, which can be zoomed and moved.

import { h, svg } from "./dom";
import type { BoxFacts, GraphFacts } from "./facts";

const MIN_ZOOM = 0.2;
const MAX_ZOOM = 6;

export function graphView(graph: GraphFacts, open: (address: string) => void, known: Set<string>): HTMLElement {
  const [left, top, width, height] = graph.view;
  const content = svg("g");
  for (const frame of graph.frames) content.append(drawFrame(frame));
  for (const line of graph.lines) content.append(svg("path", { d: line.path, class: line.thin ? "line thin" : "line" }));
  for (const path of graph.open) content.append(svg("path", { d: path, class: "line open" }));
  for (const head of graph.heads) content.append(svg("path", { d: `${head}Z`, class: "head" }));
  for (const tag of graph.tags) {
    content.append(svg("rect", { x: tag.at[0] - tag.width / 2, y: tag.at[1] - 5, width: tag.width, height: 10, rx: 4, class: "tag" }));
    content.append(svg("text", { x: tag.at[0], y: tag.at[1] + 2.4, "font-size": 6.5, "text-anchor": "middle", class: "word" }, tag.text));
  }
  for (const box of graph.boxes) content.append(drawBox(box, open, known));
  const picture = svg("svg", { viewBox: graph.view.join(" "), class: "graph", role: "group", "aria-label": "Architecture. Tab moves from layer to layer, Enter opens one." }, content);
  const view = { x: left, y: top, width, height };
  const apply = () => {
    picture.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
    picture.classList.toggle("zoomed", view.width < width);
  };
  const zoom = (factor: number, at: [number, number] = [0.5, 0.5]) => {
    const next = Math.max(width / MAX_ZOOM, Math.min(width / MIN_ZOOM, view.width / factor));
    const ratio = next / view.width;
    view.x += view.width * (1 - ratio) * at[0];
    view.y += view.height * (1 - ratio) * at[1];
    view.width *= ratio;
    view.height *= ratio;
    apply();
  };
  const all = () => {
    Object.assign(view, { x: left, y: top, width, height });
    apply();
  };
  picture.addEventListener("wheel", (event) => {
    // A wheel alone scrolls the page; with Ctrl, as a pinch sends it, it zooms.
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const box = picture.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY / 300), [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]);
  }, { passive: false });
  drag(picture, (dx, dy) => {
    const box = picture.getBoundingClientRect();
    const scale = Math.max(view.width / box.width, view.height / box.height);
    view.x -= dx * scale;
    view.y -= dy * scale;
    apply();
  });
  const button = (text: string, label: string, click: () => void) => h("button", { type: "button", "aria-label": label, title: label, click }, text);
  return h("div", { class: "graph-box" },
    h("div", { class: "controls" }, button("+", "Zoom in", () => zoom(1.4)), button("\u2212", "Zoom out", () => zoom(1 / 1.4)), button("All", "Show all of it", all),
      h("span", { class: "legend" }, ...graph.legend.map(([word, color]) => h("span", {}, svg("svg", { width: 11, height: 11, "aria-hidden": "true" }, svg("rect", { width: 11, height: 11, rx: 2, fill: color, stroke: "#555" })), ` ${word} `)))),
    picture,
    ...graph.notes.map((note) => h("p", { class: "muted" }, note)));
}

function drawFrame(frame: GraphFacts["frames"][number]): SVGElement {
  const [x, y, width, height] = frame.rect;
  return svg("g", {},
    svg("title", {}, frame.words),
    svg("rect", { x, y, width, height, rx: 3.5, class: `frame ${frame.frozen ? "frozen" : ""}` }),
    svg("rect", { x, y, width, height: frame.header, rx: 3.5, class: "header" }),
    ...frame.lines.map((line, i) => svg("text", { x: x + 5, y: y + 2.5 + 0.95 * frame.size + 1.25 * frame.size * i, "font-size": frame.size, class: "word" }, line)));
}

function drawBox(box: BoxFacts, open: (address: string) => void, known: Set<string>): SVGElement {
  const [x, y, width, height] = box.rect;
  const isKnown = known.has(box.address);
  const element = svg("g", isKnown ? { class: "box", "data-address": box.address, tabindex: 0, role: "link" } : { class: "box" },
    svg("title", {}, box.words));
  if (box.count > 1) element.append(svg("rect", { x: x + 2.5, y: y + 2.5, width, height, rx: 3.5, fill: box.color, class: "outline" }));
  element.append(svg("rect", { x, y, width, height, rx: 3.5, fill: box.color, class: `outline ${box.frozen ? "frozen" : ""}` }));
  for (const row of box.rows) {
    // A browser's letters may be wider than those that the box was laid out with.
    const other = box.rows.find((piece) => piece !== row && piece.at[1] === row.at[1]);
    const room = width - 2 * (Math.min(...box.rows.map((piece) => piece.at[0])) - x) - (other && !row.end ? measure(other) + 4 : 0);
    const squeeze = measure(row) > room ? { textLength: room, lengthAdjust: "spacingAndGlyphs" } : {};
    element.append(svg("text", {
      ...squeeze,
      x: row.at[0], y: row.at[1], "font-size": row.size, "text-anchor": row.end ? "end" : "start", "font-weight": row.bold ? 600 : 400, class: "boxed",
    }, row.text));
  }
  if (isKnown) {
    element.addEventListener("click", () => open(box.address));
    element.addEventListener("keydown", (event) => {
      if (event.key === "Enter") open(box.address);
    });
  }
  return element;
}

const pen = document.createElement("canvas").getContext("2d")!;

function measure(row: BoxFacts["rows"][number]): number {
  pen.font = `${row.bold ? 600 : 400} 100px system-ui, sans-serif`;
  return (pen.measureText(row.text).width * row.size) / 100;
}

function drag(target: SVGSVGElement, move: (dx: number, dy: number) => void): void {
  let last: [number, number] | null = null;
  let moved = 0;
  target.addEventListener("pointerdown", (event) => {
    // A finger scrolls the page as long as all of the graph is seen, and moves what is seen of it else.
    if (event.pointerType === "touch" && !target.classList.contains("zoomed")) return;
    last = [event.clientX, event.clientY];
    moved = 0;
  });
  addEventListener("pointermove", (event) => {
    if (!last || !event.buttons) return;
    moved += Math.abs(event.clientX - last[0]) + Math.abs(event.clientY - last[1]);
    move(event.clientX - last[0], event.clientY - last[1]);
    last = [event.clientX, event.clientY];
  });
  addEventListener("pointerup", () => (last = null));
  // A box that was dragged away is not opened.
  target.addEventListener("click", (event) => {
    if (moved > 5) event.stopPropagation();
  }, { capture: true });
}
