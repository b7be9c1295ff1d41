"""RISE: random masks weighted by the score. Source: Petsiuk 2018, arXiv 1806.07421."""

from __future__ import annotations

import numpy as np

from kerasviz.compute.attribution.question import Question
from kerasviz.compute.attribution.spatial import interpolate_cells

MASKS = 512
CELLS = 7
SHARE = 0.5
"""The chance of a cell to be visible."""


def rise(question: Question) -> list[np.ndarray]:
    """Return the mean of random masks, each times the score of the input seen through it.

    The values are divided by the chance of being visible, as in equation 6, and shared evenly by
    the channels, so that their sum is the map.
    """
    return [_rise(question, index) for index in range(len(question.inputs))]


def _rise(question: Question, index: int) -> np.ndarray:
    rng = np.random.default_rng(question.seed)
    x, b = question.inputs[index], question.baseline[index]
    size = x.shape[1:-1] or x.shape[1:]
    total = np.zeros((len(x), *size), "float64")
    for _ in range(MASKS):
        cells = (rng.random((1, *[min(CELLS, n) for n in size])) < SHARE).astype("float64")
        mask = interpolate_cells(cells, size, rng.uniform(-0.5, 0.5, len(size)).tolist())
        shaped = mask if x.ndim == 2 else mask[..., np.newaxis]
        seen = (b + (x - b) * shaped).astype(x.dtype)
        arrays = question.replaced(index, seen, question.samples)
        scores = question.scored.scores(arrays, question.samples)
        total += scores.reshape(-1, *[1] * len(size)) * mask
    mean = total / (MASKS * SHARE)
    if x.ndim == 2:
        return mean.astype("float32")
    channels = x.shape[-1]
    return np.repeat(mean[..., np.newaxis] / channels, channels, axis=-1).astype("float32")
