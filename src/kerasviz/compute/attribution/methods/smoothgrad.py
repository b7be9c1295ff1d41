"""SmoothGrad: the mean of gradients under noise. Source: Smilkov 2017, arXiv 1706.03825."""

from __future__ import annotations

import numpy as np

from kerasviz.compute.attribution.question import Question, add_by_row

DRAWS = 32
NOISE = 0.15
"""Standard deviation of the noise, as a share of the range of an input."""


def smoothgrad(question: Question) -> list[np.ndarray]:
    """Return the mean of ∂y/∂x at x + N(0, σ²) for each input."""
    generators = [question.rng(int(sample)) for sample in question.samples]
    totals = [np.zeros(x.shape, "float64") for x in question.inputs]
    for rows, _ in question.variants(DRAWS, "batch of draws"):
        # Each sample has its own noise, in whatever batches it is computed.
        noise = [
            [generators[row].standard_normal(x.shape[1:]) for x in question.inputs] for row in rows
        ]
        noisy = [
            (x[rows] + NOISE * spread * np.stack(parts)).astype(x.dtype)
            for x, spread, parts in zip(
                question.inputs, question.ranges, zip(*noise, strict=True), strict=True
            )
        ]
        for total, gradient in zip(totals, question.gradients(noisy, rows), strict=True):
            add_by_row(total, rows, gradient)
    return [(total / DRAWS).astype("float32") for total in totals]
