"""Score-CAM: channels weighted by the score of the input seen through them.

Source: Wang 2020, arXiv 1910.01279.
"""

from __future__ import annotations

import numpy as np

from kerasviz.compute.attribution.question import Question
from kerasviz.compute.attribution.spatial import interpolate_cells


def score_cam(question: Question) -> np.ndarray:
    """Return ReLU(Σₖ wₖ Aₖ), wₖ the softmax over channels of the score of the masked input.

    The mask is a channel of the layer's output, enlarged and put between 0 and 1. One forward pass
    per channel.
    """
    call = question.call
    assert call is not None
    output = question.scored.gradients(question.inputs, question.samples, call).output
    assert output is not None
    a = np.moveaxis(output, call.channel_axis, -1)
    index = next(i for i, x in enumerate(question.inputs) if x.ndim == a.ndim)
    x, b = question.inputs[index], question.baseline[index]
    size = x.shape[1:-1]
    scores = np.empty((len(x), a.shape[-1]))
    for channel in range(a.shape[-1]):
        mask = interpolate_cells(a[..., channel], size, [0.0] * len(size))
        axes = tuple(range(1, mask.ndim))
        low, high = mask.min(axis=axes, keepdims=True), mask.max(axis=axes, keepdims=True)
        mask = np.where(high > low, (mask - low) / np.where(high > low, high - low, 1), 0)
        seen = (b + (x - b) * mask[..., np.newaxis]).astype(x.dtype)
        arrays = question.replaced(index, seen, question.samples)
        scores[:, channel] = question.scored.scores(arrays, question.samples)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = powers / powers.sum(axis=1, keepdims=True)
    weights = weights.reshape(len(x), *[1] * len(size), -1)
    return np.asarray(np.maximum((weights * a).sum(axis=-1), 0), "float32")
