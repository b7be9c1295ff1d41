"""SmoothGrad: the mean of gradients under noise. Source: Smilkov 2017, arXiv 1706.03825."""

from __future__ import annotations

import numpy as np

from kerasviz.compute.attribution.question import Question, add_by_row, over_cells

DRAWS = 32
NOISE = 0.15
"""Standard deviation of the noise, as a share of the range of a sample."""


def smoothgrad(question: Question) -> list[np.ndarray]:
    """Return the mean of ∂y/∂x at x + N(0, σ²) for each input.

    σ is a share of the range of the sample, and each draw is the same for every sample: the values
    of a sample do not depend on those beside it.
    """
    spreads = [NOISE * np.ptp(x.reshape(len(x), -1), axis=1) for x in question.inputs]
    totals = [np.zeros(x.shape, "float64") for x in question.inputs]
    for rows, draws in question.variants(DRAWS, "batch of draws"):
        noise = [_draw(question, int(draw)) for draw in draws]
        noisy = [
            (x[rows] + over_cells(spread[rows], x) * np.stack(parts)).astype(x.dtype)
            for x, spread, parts in zip(
                question.inputs, spreads, zip(*noise, strict=True), strict=True
            )
        ]
        for total, gradient in zip(totals, question.gradients(noisy, rows), strict=True):
            add_by_row(total, rows, gradient)
    return [(total / DRAWS).astype("float32") for total in totals]


def _draw(question: Question, draw: int) -> list[np.ndarray]:
    """Return standard normal noise of the shape of a sample of each input."""
    rng = question.rng(draw)
    return [rng.standard_normal(x.shape[1:]) for x in question.inputs]
