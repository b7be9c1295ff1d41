"""Score-CAM: channels weighted by the score of the input seen through them.

Source: Wang 2020, arXiv 1910.01279.
"""

from __future__ import annotations

import numpy as np

from kerasviz.compute.attribution.cells import LayerOutput, interpolate_cells
from kerasviz.compute.attribution.question import Question, over_cells


def score_cam(question: Question, output: LayerOutput) -> np.ndarray:
    """Return Σₖ wₖ Aₖ, wₖ the softmax over channels of the score of the masked input.

    The mask is a channel of the layer's output, enlarged and put between 0 and 1. One forward pass
    per channel.
    """
    a, index = output.values, output.input_index
    if index is None:
        raise ValueError(
            "`layer` must name a layer whose cells are those of an input for method='score-cam', "
            f"which masks it. Received: '{output.address}' with an output of shape {a.shape}"
        )
    x, b = question.inputs[index], question.baseline[index]
    scores = np.empty((len(x), a.shape[-1]))
    for rows, channels in question.variants(a.shape[-1], "batch of channels"):
        shift = [0.0] * (a.ndim - 2)
        masks = interpolate_cells(a[rows, ..., channels], question.size(index), shift)
        masks = over_cells(_stretched(masks), x)
        seen = (b[rows] + (x[rows] - b[rows]) * masks).astype(x.dtype)
        scores[rows, channels] = question.scores(question.replaced(index, seen, rows), rows)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = powers / powers.sum(axis=1, keepdims=True)
    weights = weights.reshape(len(x), *[1] * (a.ndim - 2), -1)
    return np.asarray((weights * a).sum(axis=-1), "float32")


def _stretched(masks: np.ndarray) -> np.ndarray:
    """Return masks between 0 and 1; one that does not vary is 0."""
    axes = tuple(range(1, masks.ndim))
    low, high = masks.min(axis=axes, keepdims=True), masks.max(axis=axes, keepdims=True)
    varies = high > low
    return np.asarray(np.where(varies, (masks - low) / np.where(varies, high - low, 1), 0))
