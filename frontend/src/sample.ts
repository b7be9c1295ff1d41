// One image: what the model takes it for, and what it is.

import { readPicture } from "./blocks";
import { h, percent } from "./dom";
import { className, type Facts, type SampleFacts } from "./facts";
import { sampleName, type Context } from "./layer";

export async function sampleView(sample: SampleFacts, context: Context): Promise<HTMLElement> {
  const { facts } = context;
  context.sample = facts.samples.indexOf(sample);
  const element = h("article", { class: "sample", "aria-label": sampleName(facts, sample) }, h("h2", { tabindex: -1 }, sampleName(facts, sample)));
  const row = h("div", { class: "side" });
  if (sample.picture) {
    const picture = await readPicture(sample.picture);
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", "the image");
    row.append(h("figure", { class: "picture" }, picture));
  }
  if (sample.top) row.append(prediction(facts, sample));
  element.append(row);
  return element;
}

function prediction(facts: Facts, sample: SampleFacts): HTMLElement {
  const [best] = sample.top!;
  const isWrong = sample.label !== undefined && best![0] !== sample.label;
  const words = sample.label === undefined ? `The model takes it for ${className(facts, best![0])}.`
    : isWrong ? `The model takes it for ${className(facts, best![0])} (${percent(best![1])}). It is ${className(facts, sample.label)}, to which it gives ${percent(sample.label_probability!)}.`
    : `The model takes it for ${className(facts, best![0])}, which is right.`;
  const bars = sample.top!.map(([index, probability]) => h("tr", { class: index === sample.label ? "label" : "" },
    h("th", { scope: "row" }, className(facts, index)), h("td", {}, h("meter", { min: 0, max: 1, value: probability, "aria-label": className(facts, index) })), h("td", {}, percent(probability))));
  return h("div", {}, h("p", { class: isWrong ? "wrong" : "" }, words), h("table", { class: "bars" }, h("tbody", {}, ...bars)));
}
