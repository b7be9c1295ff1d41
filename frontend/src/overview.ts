// The first view: what matters, findings, the graph, and the images with what the model says.

import { copyPicture } from "./blocks";
import { count, h, percent, plural } from "./dom";
import { className, type Facts, type FindingFacts, type SampleFacts } from "./facts";
import { graphView } from "./graph";
import { later } from "./later";
import { trainingView } from "./training";
import { heading, sampleName, type Context } from "./layer";
import { filterHash, layerHash, sampleHash } from "./route";

export function overview(context: Context, open: (address: string) => void): HTMLElement {
  const { facts } = context;
  const known = new Set(facts.layers.map((layer) => layer.address));
  return h("article", { class: "overview", "aria-label": "Overview" },
    h("h2", { tabindex: -1, class: "hidden" }, "Overview"),
    summary(facts), findings(context),
    facts.samples.length ? samples(context) : null,
    facts.predictions?.confusions?.length ? confusions(facts) : null,
    ...(facts.history ?? []).map(trainingView),
    h("section", { "aria-label": "Architecture" }, heading("Architecture", "click on a layer", "kerasviz.plot_architecture(model)"), graphView(facts.graph, open, known)));
}

function summary(facts: Facts): HTMLElement {
  const { model, predictions } = facts;
  const cards: [string, string][] = [[plural(model.parameters, "parameter"), model.frozen ? `${count(model.frozen)} frozen` : "all trainable"], [plural(model.layers, "layer"), model.type]];
  if (model.inputs.length) cards.push([model.inputs.join(" and "), "input"]);
  if (predictions?.samples) cards.push([percent(predictions.right! / predictions.samples), `right, of ${plural(predictions.samples, "sample")}`]);
  else if (facts.total) cards.push([plural(facts.total, "sample"), "without labels"]);
  return h("ul", { class: "cards" }, ...cards.map(([big, small]) => h("li", {}, h("strong", {}, big), h("span", { class: "muted" }, small))));
}

function findings({ facts, source }: Context): HTMLElement {
  const holder = h("div");
  const show = (found: FindingFacts[], searched = true) => {
    const items = found.map((finding) => h("li", { class: finding.level }, h("span", { class: "level" }, finding.level), finding.text, links(facts, finding)));
    const none = searched ? h("p", { class: "muted" }, "Nothing odd was found in what was looked at.") : "";
    holder.replaceChildren(items.length ? h("ul", { class: "findings" }, ...items) : none);
    return null;
  };
  show(facts.findings, !source.findings);
  const search = () => later("Searching the weights \u2026", source.findings!().then((found) => show(found)));
  const section = h("section", { "aria-label": "Findings" }, h("h3", {}, "Findings"), holder);
  if (source.findings && facts.is_quick) section.append(search());
  else if (source.findings) {
    const button = h("button", { type: "button", click: () => button.replaceWith(search()) }, "Search the weights for what is odd");
    section.append(button);
  }
  return section;
}

const MAX_LINKS = 12;
const MAX_EXAMPLES = 3;

function links(facts: Facts, finding: FindingFacts): HTMLElement {
  const nouns = new Map(facts.layers.map((layer) => [layer.address, layer.noun]));
  const filters = finding.filters.filter(([address]) => nouns.has(address)).map(([address, index]): [string, string] => [`${address} ${nouns.get(address)} ${index}`, filterHash(address, index)]);
  const targets: [string, string][] = [
    ...finding.layers.map((address): [string, string] => [address, layerHash(address)]),
    ...finding.samples.map((index): [string, string] => [`sample ${index}`, sampleHash(index)]),
  ];
  const known = new Set([...facts.layers.map((layer) => layerHash(layer.address)), ...facts.samples.map((sample) => sampleHash(sample.index))]);
  const usable = [...targets.filter(([, hash]) => known.has(hash)), ...filters];
  const more = usable.length > MAX_LINKS ? ` and ${usable.length - MAX_LINKS} more` : "";
  return h("span", { class: "links" }, ...usable.slice(0, MAX_LINKS).map(([text, href]) => h("a", { href }, text)), more);
}

function samples(context: Context): HTMLElement {
  const { facts } = context;
  const list = h("ul", { class: "samples" }, ...facts.samples.map((sample) => h("li", {}, card(context, sample))));
  const detail = facts.total && facts.total > facts.samples.length ? `${facts.samples.length} of ${count(facts.total)}: the first ones and the mistakes that are made most often` : "";
  return h("section", { "aria-label": "Images" }, heading("Images", detail, "kerasviz.plot_attributions(model, inputs, sample=\"all\")"), list);
}

function confusions(facts: Facts): HTMLElement {
  const { confusions, samples: total, right } = facts.predictions!;
  const listed = confusions!.reduce((sum, [, , times]) => sum + times, 0);
  const detail = `${plural(total! - right!, "mistake")} in ${plural(total!, "sample")}${listed < total! - right! ? `; the ${confusions!.length} most frequent pairs, with ${listed} of them` : ""}`;
  const rows = confusions!.map(([label, predicted, times]) => confusionRow(facts, label, predicted, times));
  return h("section", { "aria-label": "Mistakes" },
    heading("Mistakes", detail, "kerasviz.plot_mistakes(model, inputs, labels)"),
    h("table", { class: "plain" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "it is"), h("th", { scope: "col" }, "the model says"), h("th", { scope: "col" }, "how often"), h("th", { scope: "col" }, "such as"))), h("tbody", {}, ...rows)));
}

// A click anywhere in a row leads where its first link does.
function confusionRow(facts: Facts, label: number, predicted: number, times: number): HTMLElement {
  const examples = facts.samples.filter((sample) => sample.label === label && sample.top?.[0]?.[0] === predicted).slice(0, MAX_EXAMPLES);
  const links = examples.map((sample) => h("a", { href: sampleHash(sample.index), title: sampleName(facts, sample) }, `sample ${sample.index}`));
  const row = h("tr", { class: links.length ? "leads" : "" },
    h("td", {}, className(facts, label)), h("td", {}, className(facts, predicted)), h("td", { class: "number" }, count(times)),
    h("td", { class: "links" }, ...(links.length ? links : [h("span", { class: "muted" }, "not on this page")])));
  row.addEventListener("click", (event) => {
    if (!(event.target as Element).closest("a")) links[0]?.click();
  });
  return row;
}

function card({ facts, source }: Context, sample: SampleFacts): HTMLElement {
  const frame = h("span", { class: "frame", "aria-hidden": "true" }, String(sample.index));
  void source.picture(String(sample.index)).then((picture) => picture && frame.replaceChildren(copyPicture(picture)));
  const isWrong = sample.label !== undefined && sample.top !== undefined && sample.top[0]![0] !== sample.label;
  return h("a", { href: sampleHash(sample.index), class: isWrong ? "card wrong" : "card", title: sampleName(facts, sample) },
    frame, h("span", { class: "muted" }, `sample ${sample.index}${sample.name ? ` ${sample.name}` : ""}`),
    sample.top ? h("span", {}, `${className(facts, sample.top[0]![0])} ${percent(sample.top[0]![1])}`) : null,
    isWrong ? h("strong", {}, `not ${className(facts, sample.label!)}`) : null);
}
