// One image: what the model takes it for, and why, with the evidence for that.

import { copyPicture, type Tiles } from "./blocks";
import { chart } from "./charts";
import { literal } from "./copy";
import { h, number, percent } from "./dom";
import { className, type ExplanationFacts, type Facts, type SampleFacts } from "./facts";
import { heading, sampleName, type Context } from "./layer";
import { later, settle } from "./later";
import { sampleHash } from "./route";
import { TileView } from "./tiles";

// Methods that compare with an input of zeros, or multiply by the input.
const BY_BASELINE = new Set(["integrated-gradients", "input-x-gradient", "occlusion", "rise"]);

export async function sampleView(sample: SampleFacts, context: Context): Promise<HTMLElement> {
  const { facts, source } = context;
  const position = facts.samples.indexOf(sample);
  context.sample = position;
  const element = h("article", { class: "sample", "aria-label": sampleName(facts, sample) }, neighbours(facts, position), h("h2", { tabindex: -1 }, sampleName(facts, sample)));
  const row = h("div", { class: "side" });
  const background = await source.picture(String(sample.index));
  if (background) {
    const picture = copyPicture(background);
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", "the image");
    row.append(h("figure", { class: "picture" }, picture));
  }
  if (sample.top) row.append(prediction(facts, sample));
  element.append(row);
  const explained = source.explanations(position).then(({ explanations, missing }) => {
    const views = explanations.map(({ facts: explanation, tiles }) => {
      const place = explanation.positions.indexOf(position);
      return place < 0 ? null : explanationView(explanation, tiles, place, sample, background, context);
    });
    const words = Object.entries(missing).map(([method, reason]) => h("p", { class: "muted" }, `${method} is missing: ${reason}`));
    return h("div", { class: "explanations" }, ...views, ...words);
  });
  element.append(later("Explaining the answer \u2026", explained));
  await settle([explained], source.patience);
  return element;
}

// The way back, and to the samples beside this one.
function neighbours(facts: Facts, position: number): HTMLElement {
  const link = (by: number, text: (name: string) => string) => {
    const other = facts.samples[position + by];
    return other ? h("a", { href: sampleHash(other.index) }, text(`sample ${other.index}`)) : null;
  };
  return h("p", { class: "neighbours" }, h("a", { href: "#" }, "Overview"), link(-1, (name) => `\u2190 ${name}`), link(1, (name) => `${name} \u2192`));
}

function prediction(facts: Facts, sample: SampleFacts): HTMLElement {
  const [best] = sample.top!;
  if (best![1] === null) return h("p", { class: "wrong" }, "The model returns NaN for this image.");
  const isWrong = sample.label !== undefined && best![0] !== sample.label;
  const says = `The model takes it for ${className(facts, best![0])}`;
  const words = sample.label === undefined ? `${says}.`
    : isWrong ? `${says} (${percent(best![1])}). It is ${className(facts, sample.label)}, to which it gives ${percent(sample.label_probability!)}.`
    : `${says}, which is right.`;
  const bars = sample.top!.map(([index, probability]) => h("tr", { class: index === sample.label ? "label" : "" },
    h("th", { scope: "row" }, className(facts, index)), h("td", {}, h("meter", { min: 0, max: 1, value: probability, "aria-label": className(facts, index) })), h("td", {}, percent(probability))));
  return h("div", {}, h("p", { class: isWrong ? "wrong" : "" }, words), h("table", { class: "bars" }, h("tbody", {}, ...bars)));
}

function explanationView(explanation: ExplanationFacts, tiles: Tiles, position: number, sample: SampleFacts, background: HTMLCanvasElement | null, context: Context): HTMLElement {
  const { facts } = context;
  const view = new TileView(tiles, {
    kind: "sample", label: `${explanation.method} of ${sampleName(facts, sample)}`, palettes: context.palettes, background, only: position, target: 220,
  });
  view.element.dataset["kind"] = "explanation";
  const target = explanation.targets?.[position];
  const why = target === undefined ? "" : typeof target === "number" ? `why ${className(facts, target)}` : `why ${className(facts, target[0])} and not ${className(facts, target[1])}`;
  const option = Array.isArray(target) ? `, target=(${target[0]}, ${target[1]})` : "";
  const detail = [why, explanation.input ? `at the input ${explanation.input}` : "", explanation.layer ? `by ${explanation.layer}` : "", explanation.score === "logit" ? "of the logit" : ""].filter(Boolean).join(", ");
  return h("section", { "aria-label": explanation.method, class: "explanation" },
    heading(explanation.method, detail, `kerasviz.plot_attributions(model, inputs, method=${literal(explanation.method)}, sample=${sample.index}${option})`),
    h("div", { class: "side" }, h("div", { class: "map" }, view.element, legend(facts, target, tiles.facts.signed)), evidenceView(explanation, position, target === undefined ? "the class" : className(facts, Array.isArray(target) ? target[0] : target))));
}

// What the colours say, in words.
function legend(facts: Facts, target: number | [number, number] | undefined, isSigned: boolean): HTMLElement | null {
  if (target === undefined) return null;
  const [name, other] = Array.isArray(target) ? target.map((index) => className(facts, index)) : [className(facts, target)];
  const words = !isSigned ? `The brighter, over the image the redder, the more it counts for ${name}${other === undefined ? "" : ` and against ${other}`}.`
    : other === undefined ? `Red pixels raise the score of ${name}, blue ones lower it.`
    : `Red pixels speak for ${name}, blue ones for ${other}.`;
  return h("p", { class: "muted" }, words);
}

function evidenceView(explanation: ExplanationFacts, position: number, name: string): HTMLElement | null {
  const { evidence } = explanation;
  if (!evidence) return null;
  const isFaithful = evidence.faithful[position]!;
  const words = isFaithful
    ? "Erasing what the map marks changes the answer faster than erasing pixels at random."
    : "No better than random: erasing what the map marks changes the answer no faster than erasing pixels at random.";
  const isInserted = evidence.insertion.area[position]! > evidence.insertion.random_area[position]!;
  const second = isFaithful === isInserted ? null
    : isInserted ? "Putting in what it marks first brings the answer sooner than putting in pixels at random: the two tests disagree."
    : "Putting in what it marks first brings the answer no sooner than putting in pixels at random.";
  const notes = [`curves: the ${explanation.baseline ? "probability" : "score"} of ${name}, in which erased pixels are 0; at random: the mean of five orders`];
  if (evidence.completeness) notes.push(`completeness error ${percent(evidence.completeness[position]!)}`);
  if (explanation.baseline) notes.push(`an input of zeros alone gets ${percent(explanation.baseline[position]!)}`);
  if (BY_BASELINE.has(explanation.method)) notes.push("a pixel that is 0 already counts for nothing here");
  const curves = (["deletion", "insertion"] as const).map((name) => {
    const curve = evidence[name];
    return chart([
      { name: "by the map", x: curve.fractions, y: curve.values[position]!, series: 0 },
      { name: "at random", x: curve.fractions, y: curve.random[position]!, dashed: true, series: 1 },
    ], { label: `${name}: area ${number(curve.area[position]!)}, at random ${number(curve.random_area[position]!)}`, x: name === "deletion" ? "share of the pixels erased" : "share of the pixels put in", shares: true });
  });
  return h("div", { class: "evidence" }, h("p", { class: isFaithful ? "" : "wrong" }, words),
    second ? h("p", { class: isInserted ? "" : "wrong" }, second) : null, notes.length ? h("p", { class: "muted" }, notes.join("; ")) : null, h("div", { class: "charts" }, ...curves));
}
