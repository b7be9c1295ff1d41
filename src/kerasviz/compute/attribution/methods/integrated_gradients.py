"""Integrated gradients. Source: Sundararajan 2017, arXiv 1703.01365, equation 1."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kerasviz.compute.attribution.baselines import check_answers
from kerasviz.compute.attribution.methods.gradient import gradient
from kerasviz.compute.attribution.question import Question, add_by_row, over_cells

FIRST_STEPS, MAX_STEPS = 16, 512
TOLERANCE = 0.01
"""The completeness error below which no more steps are taken."""
NEAR_BASELINE = 1e-5
"""Where the gradient at the beginning of the path is taken, as a share of the path."""


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
    path = _Path(question)
    rows = np.arange(len(question))
    counts = np.full(len(question), question.steps or FIRST_STEPS)
    path.add(rows, np.arange(counts[0]) / counts[0])
    check_answers(path.change)
    while True:
        values = path.values(counts)
        errors = _completeness(values, path.change)
        unfinished = rows[(errors >= TOLERANCE) & (counts * 2 <= MAX_STEPS)]
        if question.steps is not None or not unfinished.size:
            return Integral([v.astype("float32") for v in values], errors, counts)
        steps = int(counts[unfinished[0]])
        path.add(unfinished, (np.arange(steps) + 0.5) / steps)
        counts[unfinished] *= 2


class _Path:
    """The straight path from the baseline to the inputs, and the gradients along it.

    Those at its end, the inputs themselves, were computed in the first pass.
    """

    def __init__(self, question: Question) -> None:
        self._question = question
        pairs = zip(question.inputs, question.baseline, strict=True)
        self._differences = [x - b for x, b in pairs]
        self._sums = [x.astype("float64") / 2 for x in gradient(question)]  # the ends count half
        self.change = question.first_scores().astype("float64")
        """The change of the score along the path, known once its beginning was added."""

    def add(self, rows: np.ndarray, positions: np.ndarray) -> None:
        """Add the gradients at some positions of the path of some samples, without its end."""
        question = self._question
        is_start = positions == 0
        weights = np.where(is_start, 0.5, 1).astype("float32")
        for batch, variants in question.variants_of(rows, len(positions), "batch of steps"):
            # Without biases all units of a ReLU are at their kink where the baseline is 0, and
            # their gradient there is 0: the one next to it is that of the path.
            at = positions[variants].clip(min=NEAR_BASELINE).astype("float32")
            points = [
                _along(difference, baseline, batch, at)
                for difference, baseline in zip(self._differences, question.baseline, strict=True)
            ]
            result = question.scored.gradients(points, question.samples[batch])
            for total, of_points in zip(self._sums, result.inputs, strict=True):
                add_by_row(total, batch, np.asarray(of_points), weights[variants])
            add_by_row(self.change, batch, -result.scores, is_start[variants].astype("float32"))

    def values(self, counts: np.ndarray) -> list[np.ndarray]:
        """Return the integrals, of paths of `counts` steps."""
        question = self._question
        return [
            (x.astype("float64") - b) * total / over_cells(counts, x)
            for x, b, total in zip(question.inputs, question.baseline, self._sums, strict=True)
        ]


def _along(
    difference: np.ndarray, baseline: np.ndarray, rows: np.ndarray, positions: np.ndarray
) -> np.ndarray:
    """Return points of the paths of some samples, `(n, ...)`, written in place: they are large.

    Args:
        difference: From the baseline to the inputs, `(samples, ...)`.
        baseline: Of the same shape.
        rows: The sample of each point, `(n,)`; points of one sample follow one another.
        positions: Where each point is, as a share of the path, `(n,)`.
    """
    points = np.empty((len(rows), *difference.shape[1:]), difference.dtype)
    for row in np.unique(rows):
        own = slice(*np.searchsorted(rows, [row, row + 1]))
        np.multiply(difference[row], over_cells(positions[own], difference), out=points[own])
        points[own] += baseline[row]
    return points


def _completeness(values: list[np.ndarray], change: np.ndarray) -> np.ndarray:
    total = sum(v.reshape(len(change), -1).sum(axis=1) for v in values)
    size = np.where(change == 0, 1, np.abs(change))
    return np.asarray(np.abs(total - change) / size)
