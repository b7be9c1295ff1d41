// Curves on two axes, as SVG.

import { h, number, svg } from "./dom";

export interface Curve {
  name: string;
  x: number[];
  y: (number | null)[];
  dashed?: boolean;
  series: number; // which of the colours
}

export interface ChartOptions {
  label: string;
  x: string;
  shares?: boolean; // whether x and y are shares, from 0 to 1, as far as they are
}

const WIDTH = 300;
const HEIGHT = 150;
const LEFT = 44;
const BOTTOM = 26;

export function chart(curves: Curve[], options: ChartOptions): HTMLElement {
  const xs = curves.flatMap((curve) => curve.x);
  const ys = curves.flatMap((curve) => curve.y).filter((y): y is number => typeof y === "number" && Number.isFinite(y));
  const [left, right] = range(xs, options.shares);
  const [low, high] = range(ys, options.shares);
  const at = (x: number, y: number): [number, number] => [
    LEFT + ((WIDTH - LEFT - 6) * (x - left)) / (right - left || 1),
    HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - 6) * (y - low)) / (high - low || 1),
  ];
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart", role: "img", "aria-label": `${options.label}: ${curves.map(describe).join("; ")}` },
    svg("path", { d: `M${LEFT} 6V${HEIGHT - BOTTOM}H${WIDTH - 6}`, class: "axis" }),
    ...tick(at, left, low, number(left), "x"), ...tick(at, right, low, number(right), "x"),
    svg("text", { x: (LEFT + WIDTH) / 2, y: HEIGHT - 4, "text-anchor": "middle", class: "tick" }, options.x),
    ...tick(at, left, low, number(low), "y"), ...tick(at, left, high, number(high), "y"));
  for (const curve of curves) {
    // Where there is no value there is no line either.
    let path = "";
    let isOpen = false;
    curve.x.forEach((x, i) => {
      const y = curve.y[i];
      if (typeof y !== "number" || !Number.isFinite(y)) {
        isOpen = false;
        return;
      }
      path += `${isOpen ? "L" : "M"}${at(x, y).map((v) => v.toFixed(1)).join(" ")}`;
      isOpen = true;
    });
    picture.append(svg("path", { d: path, class: `curve series-${curve.series % 6} ${curve.dashed ? "dashed" : ""}` }));
    if (curve.x.length === 1 && typeof curve.y[0] === "number") picture.append(svg("circle", { cx: at(curve.x[0]!, curve.y[0])[0], cy: at(curve.x[0]!, curve.y[0])[1], r: 2.5, class: `dot series-${curve.series % 6}` }));
  }
  return h("figure", { class: "chart-box" }, h("figcaption", {}, options.label), picture,
    h("div", { class: "legend" }, ...curves.map((curve) => h("span", {}, svg("svg", { width: 18, height: 8, "aria-hidden": "true" }, svg("path", { d: "M0 4H18", class: `curve series-${curve.series % 6} ${curve.dashed ? "dashed" : ""}` })), ` ${curve.name} `))));
}

function tick(at: (x: number, y: number) => [number, number], x: number, y: number, text: string, axis: "x" | "y"): SVGElement[] {
  const [left, top] = at(x, y);
  return axis === "x"
    ? [svg("text", { x: left, y: HEIGHT - BOTTOM + 12, "text-anchor": "middle", class: "tick" }, text)]
    : [svg("text", { x: LEFT - 4, y: top + 3.5, "text-anchor": "end", class: "tick" }, text)];
}

function range(values: number[], areShares?: boolean): [number, number] {
  if (areShares && values.every((value) => value >= 0 && value <= 1)) return [0, 1];
  if (!values.length) return [0, 1];
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

function describe(curve: Curve): string {
  const last = curve.y[curve.y.length - 1];
  return `${curve.name} from ${number(curve.y[0])} to ${number(last)}`;
}
