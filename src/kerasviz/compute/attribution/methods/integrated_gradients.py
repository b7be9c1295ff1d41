"""Integrated gradients. Source: Sundararajan 2017, arXiv 1703.01365, equation 1."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kerasviz.compute.attribution.question import Question

FIRST_STEPS, MAX_STEPS = 16, 512
TOLERANCE = 0.01
"""The completeness error below which no more steps are taken."""


class Integral(NamedTuple):
    """Integrated gradients, and how exact they are.

    Args:
        values: One array per input, of its shape.
        completeness: |Σ values − Δ| / |Δ| for each sample, with Δ the change of the score.
        steps: How many steps each sample took.
    """

    values: list[np.ndarray]
    completeness: np.ndarray
    steps: np.ndarray


def integrated_gradients(question: Question) -> Integral:
    """Return (x − b) ∫₀¹ ∂y/∂x(b + a(x − b)) da, by trapezoids whose number is doubled.

    The steps are doubled for the samples whose values do not yet add up to the change of the score,
    until the error is below 1 %, at most 512. Each doubling uses the gradients of the one before.
    """
    inputs = [x.astype("float64") for x in question.inputs]
    paths = [x - b for x, b in zip(inputs, question.baseline, strict=True)]
    samples = question.samples
    change = question.scored.scores(question.inputs, samples)
    change = change - question.scored.scores(question.baseline, samples)
    steps = question.steps or FIRST_STEPS
    counts = np.full(len(samples), steps)
    ends = _sums(question, paths, samples, np.array([0.0, 1.0]))
    inner = _sums(question, paths, samples, np.arange(1, steps) / steps)
    sums = [e / 2 + s for e, s in zip(ends, inner, strict=True)]
    while True:
        values = [_times(p, s, counts) for p, s in zip(paths, sums, strict=True)]
        errors = _completeness(values, change)
        open_samples = samples[(errors >= TOLERANCE) & (counts * 2 <= MAX_STEPS)]
        if question.steps is not None or not open_samples.size:
            return Integral([v.astype("float32") for v in values], errors, counts)
        steps = int(counts[open_samples[0]])
        middles = (np.arange(steps) + 0.5) / steps
        for total, part in zip(sums, _sums(question, paths, open_samples, middles), strict=True):
            total[open_samples] += part[open_samples]
        counts[open_samples] *= 2


def _times(path: np.ndarray, total: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return np.asarray(path * total / counts.reshape(-1, *[1] * (path.ndim - 1)))


def _sums(
    question: Question, paths: list[np.ndarray], samples: np.ndarray, positions: np.ndarray
) -> list[np.ndarray]:
    """Return the sum of the gradients at some positions between baseline and input."""
    sums = [np.zeros(path.shape, "float64") for path in paths]
    size = question.scored.batch_size
    for start in range(0, len(samples) * len(positions), size):
        pairs = np.arange(start, min(start + size, len(samples) * len(positions)))
        rows = samples[pairs // len(positions)]
        a = positions[pairs % len(positions)]
        points = [
            (b[rows] + p[rows] * a.reshape(-1, *[1] * (p.ndim - 1))).astype(x.dtype)
            for x, b, p in zip(question.inputs, question.baseline, paths, strict=True)
        ]
        gradients = question.scored.gradients(points, rows).inputs
        for total, gradient in zip(sums, gradients, strict=True):
            np.add.at(total, rows, np.asarray(gradient))
    return sums


def _completeness(values: list[np.ndarray], change: np.ndarray) -> np.ndarray:
    total = sum(v.reshape(len(change), -1).sum(axis=1) for v in values)
    size = np.where(change == 0, 1, np.abs(change))
    return np.asarray(np.abs(total - change) / size)
