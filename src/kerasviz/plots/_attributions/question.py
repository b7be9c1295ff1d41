"""Compute the attributions of the samples that are drawn, by one model or by several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasviz.compute.attribution.attributions import (
    Attributions,
    MethodName,
    get_attributions,
)
from kerasviz.compute.attribution.baselines import channel_means
from kerasviz.compute.attribution.score.goal import ScoreKind, Target
from kerasviz.compute.feature_maps import Extraction, plan_call
from kerasviz.compute.layer_matching import check_models
from kerasviz.model.calls import input_names
from kerasviz.plots._attributions.computed import flatten_results
from kerasviz.plots._attributions.input_pictures import (
    cell_axes,
    channel_axes,
    choose_samples,
    drawn_inputs,
)
from kerasviz.plots._attributions.rows_and_columns import Explained, Words
from kerasviz.plots._maps.samples import Samples


@dataclass(frozen=True, kw_only=True)
class AttributionQuestion:
    """The keywords of `get_attributions`, as the caller gave them for all samples."""

    method: MethodName | list[MethodName]
    layer: Any
    target: Target
    score: ScoreKind
    baseline: Any
    evidence: Any
    batch_size: int
    steps: int | None
    seed: int

    def ask(self, batch: Extraction, indices: np.ndarray) -> list[Attributions]:
        """Return the attributions of some samples, by each method and layer.

        Args:
            batch: The model, and all samples.
            indices: The indices of these.
        """
        results = get_attributions(
            batch.model,
            batch.batch.take(indices).packed(),
            method=self.method,
            layer=self.layer,
            target=_take_target(self.target, len(batch.batch), indices),
            score=self.score,
            baseline=_take_baseline(self.baseline, batch, indices),
            evidence=self.evidence,
            batch_size=self.batch_size,
            steps=self.steps,
            seed=self.seed,
        )
        return flatten_results(results)


def _take_target(target: Target, total: int, indices: np.ndarray) -> Target:
    """Return the targets of some samples, where there is one for each."""
    if isinstance(target, Mapping):
        return {name: _take_target(each, total, indices) for name, each in target.items()}
    if not isinstance(target, (list, np.ndarray)):
        return target
    if len(target) != total:
        raise ValueError(
            f"`target` must have one class for each of the {total} samples. "
            f"Received: target={target!r}"
        )
    return np.asarray(target)[indices]


def _take_baseline(baseline: Any, batch: Extraction, indices: np.ndarray) -> Any:
    """Return the baselines of some samples; the mean is that of all of them."""
    if isinstance(baseline, list):
        return [_take_baseline(each, batch, indices) for each in baseline]
    arrays = batch.batch.arrays
    if isinstance(baseline, str) and baseline == "mean" and len(arrays) == 1:
        (axis,), (cells,) = channel_axes(batch), cell_axes(batch)
        means = channel_means(np.moveaxis(arrays[0], axis, -1), cells)
        return np.moveaxis(means, -1, axis)[0]
    if not isinstance(baseline, str) and np.ndim(baseline) == arrays[0].ndim:
        return np.asarray(baseline)[indices] if len(baseline) == len(arrays[0]) else baseline
    return baseline


def explain(
    model: Any, inputs: Any, sample: Samples, question: AttributionQuestion, words: Words
) -> Explained:
    """Compute the attributions of the samples that are drawn, by each model."""
    models = check_models(model, "model") if isinstance(model, Mapping) else {"": model}
    batches = {name: plan_call(each, inputs) for name, each in models.items()}
    first = next(iter(batches.values()))
    total = len(first.batch)
    indices = choose_samples(sample, total)
    words = words.take(indices, total)
    results = [
        (name, each) for name, batch in batches.items() for each in question.ask(batch, indices)
    ]
    return Explained(
        arrays=[x[indices] for x in drawn_inputs(first)],
        names=input_names(first.specs),
        indices=indices,
        total=total,
        results=results,
        words=words,
    )
