// The curves of a training: each metric beside its validation twin.

import { chart } from "./charts";
import { h } from "./dom";
import type { TrainingFacts } from "./facts";
import { heading } from "./layer";

const TWIN = "val_";

export function trainingView(training: TrainingFacts): HTMLElement {
  const names = Object.keys(training.series);
  const bases = [...new Set(names.map((name) => (name.startsWith(TWIN) ? name.slice(TWIN.length) : name)))];
  const charts = bases.map((base) => chart(
    [base, TWIN + base].filter((name) => training.series[name]).map((name) => ({
      name: name.startsWith(TWIN) ? "validation" : "training",
      x: training.series[name]!.epochs,
      y: training.series[name]!.values.map((value) => (typeof value === "number" ? value : null)),
      dashed: !name.startsWith(TWIN),
      series: 0,
    })), { label: base, x: "epoch" }));
  return h("section", { "aria-label": `Training ${training.name}` },
    heading(training.name ? `Training: ${training.name}` : "Training", training.notes.join("; "), "kerasviz.plot_history(history)"),
    h("div", { class: "charts" }, ...charts));
}
