"""Occlusion: how much the score falls without a window. Source: Zeiler & Fergus 2014."""

from __future__ import annotations

import itertools

import numpy as np

from kerasviz.compute.attribution.question import Question

WINDOWS = 7
"""How many windows lie side by side along an axis; they overlap by half."""


def occlusion(question: Question) -> list[np.ndarray]:
    """Return y(x) − y(x with a window replaced by the baseline), the mean over all windows.

    Each value is the mean over the windows that cover it (arXiv 1311.2901), shared evenly by the
    channels, so that their sum is the fall of the score.
    """
    score = question.scored.scores(question.inputs, question.samples)
    return [_occlude(question, index, score) for index in range(len(question.inputs))]


def _occlude(question: Question, index: int, score: np.ndarray) -> np.ndarray:
    x, b = question.inputs[index], question.baseline[index]
    size = x.shape[1:-1] or x.shape[1:]
    total = np.zeros((len(x), *size), "float64")
    covered = np.zeros(size)
    for window in _windows(size):
        part = (slice(None), *window)
        changed = x.copy()
        changed[part] = b[part]
        arrays = question.replaced(index, changed, question.samples)
        fall = score - question.scored.scores(arrays, question.samples)
        total[part] += fall.reshape(-1, *[1] * len(size))
        covered[window] += 1
    mean = total / covered
    if x.ndim == 2:
        return mean.astype("float32")
    channels = x.shape[-1]
    return np.repeat(mean[..., np.newaxis] / channels, channels, axis=-1).astype("float32")


def _windows(size: tuple[int, ...]) -> list[tuple[slice, ...]]:
    axes = []
    for length in size:
        window = max(1, round(length / WINDOWS))
        starts = [*range(0, length - window, max(1, window // 2)), length - window]
        axes.append([slice(start, start + window) for start in dict.fromkeys(starts)])
    return list(itertools.product(*axes))
