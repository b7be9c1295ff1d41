"""Occlusion: how much the score falls without a window. Source: Zeiler & Fergus 2014."""

from __future__ import annotations

import itertools

import numpy as np

from kerasviz.compute.attribution.question import Question

WINDOWS = 7
"""How many windows there are side by side along an axis; they overlap by half."""


def occlusion(question: Question) -> list[np.ndarray]:
    """Return y(x) − y(x with a window replaced by the baseline), the mean over all windows.

    Each value is the mean over the windows that cover it (arXiv 1311.2901), shared evenly by the
    channels, so that their sum is the fall of the score.
    """
    score = question.scored.goal.scores(np.asarray(question.answers), question.samples)
    return [_occlude(question, index, score) for index in range(len(question.inputs))]


def _occlude(question: Question, index: int, score: np.ndarray) -> np.ndarray:
    x, b = question.inputs[index], question.baseline[index]
    size = question.size(index)
    windows = _windows(size)
    total = np.zeros((len(x), *size), "float64")
    for rows, variants in question.variants(len(windows), "batch of windows"):
        changed = x[rows]
        for each, (row, variant) in enumerate(zip(rows, variants, strict=True)):
            changed[(each, *windows[variant])] = b[(row, *windows[variant])]
        falls = score[rows] - question.scores(question.replaced(index, changed, rows), rows)
        for row, variant, fall in zip(rows, variants, falls, strict=True):
            total[(row, *windows[variant])] += fall
    covered = np.zeros(size)
    for window in windows:
        covered[window] += 1
    return question.shared_by_channels(index, total / covered)


def _windows(size: tuple[int, ...]) -> list[tuple[slice, ...]]:
    axes = []
    for length in size:
        window = max(1, round(length / WINDOWS))
        starts = [*range(0, length - window, max(1, window // 2)), length - window]
        axes.append([slice(start, start + window) for start in dict.fromkeys(starts)])
    return list(itertools.product(*axes))
