"""Choose the samples that a page shows, and read what the model says about all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from kerasviz.compute.attribution.score.goal import logits_to_probabilities
from kerasviz.compute.attribution.score.heads import find_heads
from kerasviz.compute.attribution.score.scored_model import run_model
from kerasviz.compute.feature_maps import Extraction
from kerasviz.model.inputs.image_files import image_shape

TOP = 5
"""How many classes are named for each sample."""


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """The probabilities of classes, of all samples.

    Args:
        probabilities: Array `(samples, classes)`; of one sigmoid output those of 0 and of 1.
        labels: The class that each sample has, `(samples,)`, `None` where that is unknown.
    """

    probabilities: np.ndarray
    labels: np.ndarray | None = None

    @property
    def classes(self) -> np.ndarray:
        """The class that the model takes each sample for."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def mistakes(self) -> np.ndarray:
        """The indices of the samples that are taken for something else, the surest first."""
        if self.labels is None:
            return np.zeros(0, int)
        wrong = np.flatnonzero(self.classes != self.labels)
        return wrong[np.argsort(-self.probabilities[wrong].max(axis=1), kind="stable")]


def confusions(predictions: Predictions, limit: int = 10) -> list[list[int]]:
    """Return the most frequent mistakes: label, what the model says, and how often."""
    if predictions.labels is None:
        return []
    wrong = predictions.mistakes
    pairs = np.stack([predictions.labels[wrong], predictions.classes[wrong]], axis=1)
    unique, counts = np.unique(pairs, axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:limit]
    return [
        [int(a), int(b), int(n)] for (a, b), n in zip(unique[order], counts[order], strict=True)
    ]


def telling_mistakes(predictions: Predictions) -> list[int]:
    """Return the indices of all mistakes: the surest of each frequent pair of classes first.

    So a page has an image for the pairs that it lists, and not the same mistake many times.
    """
    surest, labels = predictions.mistakes.tolist(), predictions.labels
    if labels is None:
        return []
    first: dict[tuple[int, int], int] = {}
    for index in surest:
        first.setdefault((int(labels[index]), int(predictions.classes[index])), index)
    telling = [first[label, predicted] for label, predicted, _ in confusions(predictions)]
    return [*telling, *(index for index in surest if index not in telling)]


def predict(extraction: Extraction, batch_size: int = 32) -> np.ndarray | None:
    """Return the probabilities of all samples, `(samples, classes)`, `None` of no classifier."""
    model, batch = extraction.model, extraction.batch
    rows: list[np.ndarray] = []
    for start in range(0, len(batch), batch_size):
        outputs = keras.tree.flatten(
            run_model(model, batch.part(start, start + batch_size).packed())
        )
        if len(outputs) != 1 or outputs[0].ndim != 2:
            return None
        rows.append(np.asarray(outputs[0], "float64"))
    values = np.concatenate(rows)
    head = find_heads(model, extraction.specs)[0]
    is_outside = bool((values < 0).any() or (values > 1 + 1e-5).any())
    if head.kind == "linear" or is_outside:
        if values.shape[1] == 1:  # a number and not a class: what a regression returns
            return None
        values = logits_to_probabilities(values, "softmax")
    return np.concatenate([1 - values, values], axis=1) if values.shape[1] == 1 else values


def choose_samples(count: int, limit: int, mistakes: Sequence[int]) -> list[int]:
    """Return the indices of the samples to show: the first ones, and the first mistakes."""
    first = list(range(min(count, limit)))
    if count <= limit:
        return first
    wrong = list(mistakes)[: limit // 2]
    others = [index for index in range(count) if index not in set(wrong)]
    return sorted([*wrong, *others[: limit - len(wrong)]])


def images_of(extraction: Extraction) -> np.ndarray | None:
    """Return all samples as `(samples, height, width, channels)`, `None` where they are no images.

    They are in the model's own values, such as those of `preprocess_input`.
    """
    if len(extraction.batch.arrays) != 1:
        return None
    values = extraction.batch.arrays[0]
    shape = image_shape((None, *values.shape[1:]))
    if shape is None or values.dtype.kind not in "biuf":
        return None
    return np.moveaxis(values, 1, -1) if shape.channels_first else values


def sample_facts(
    indices: Sequence[int], predictions: Predictions | None, names: Sequence[str] | None
) -> list[dict[str, Any]]:
    """Return what the page says of each sample: its index, name, label and top classes."""
    facts = []
    for index in indices:
        entry: dict[str, Any] = {"index": int(index)}
        if names is not None:
            entry["name"] = str(names[index])
        if predictions is not None:
            row = predictions.probabilities[index]
            order = np.argsort(-row, kind="stable")[:TOP]
            entry["top"] = [[int(c), float(row[c])] for c in order]
            if predictions.labels is not None:
                entry["label"] = int(predictions.labels[index])
                entry["label_probability"] = float(row[entry["label"]])
        facts.append(entry)
    return facts
