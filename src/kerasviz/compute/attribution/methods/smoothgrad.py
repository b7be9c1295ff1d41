"""SmoothGrad: the mean of gradients under noise. Source: Smilkov 2017, arXiv 1706.03825."""

from __future__ import annotations

import numpy as np

from kerasviz.compute.attribution.question import Question

DRAWS = 32
NOISE = 0.15
"""Standard deviation of the noise, as a share of the range of an input."""


def smoothgrad(question: Question) -> list[np.ndarray]:
    """Return the mean of ∂y/∂x at x + N(0, σ²) for each input."""
    rng = np.random.default_rng(question.seed)
    spread = [NOISE * float(np.ptp(x)) for x in question.inputs]
    total = [np.zeros(x.shape, "float64") for x in question.inputs]
    for _ in range(DRAWS):
        noisy = [
            (x + s * rng.standard_normal(x.shape)).astype(x.dtype)
            for x, s in zip(question.inputs, spread, strict=True)
        ]
        gradients = question.scored.gradients(noisy, question.samples).inputs
        total = [x + g for x, g in zip(total, gradients, strict=True)]
    return [(x / DRAWS).astype("float32") for x in total]
