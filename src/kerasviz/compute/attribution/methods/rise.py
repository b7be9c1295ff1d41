"""RISE: random masks weighted by the score. Source: Petsiuk 2018, arXiv 1806.07421."""

from __future__ import annotations

import numpy as np

from kerasviz.compute.attribution.question import Question, add_by_row, over_cells
from kerasviz.compute.attribution.spatial_grid import interpolate_cells

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
    x, b = question.inputs[index], question.baseline[index]
    size = question.size(index)
    total = np.zeros((len(x), *size), "float64")
    for rows, variants in question.variants(MASKS, "batch of masks"):
        masks = np.concatenate([_mask(question, int(variant), size) for variant in variants])
        seen = b[rows] + (x[rows] - b[rows]) * over_cells(masks, x)
        scores = question.scores(question.replaced(index, seen.astype(x.dtype), rows), rows)
        add_by_row(total, rows, over_cells(scores, masks) * masks)
    return question.shared_by_channels(index, total / (MASKS * SHARE))


def _mask(question: Question, variant: int, size: tuple[int, ...]) -> np.ndarray:
    rng = question.rng(variant)
    cells = (rng.random((1, *[min(CELLS, n) for n in size])) < SHARE).astype("float64")
    return interpolate_cells(cells, size, rng.uniform(-0.5, 0.5, len(size)).tolist())
