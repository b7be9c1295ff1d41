"""Score-CAM: channels weighted by the score of the input seen through them.

Source: Wang 2020, arXiv 1910.01279.
"""

from __future__ import annotations

import numpy as np

from kerasviz.compute.attribution.question import Question, over_cells
from kerasviz.compute.attribution.spatial_grid import LayerOutput, interpolate_cells


def score_cam(question: Question, output: LayerOutput) -> np.ndarray:
    """Return Σₖ wₖ Aₖ, wₖ the softmax over channels of the score of the masked input.

    The mask is a channel of the layer's output, enlarged and put between 0 and 1; it is laid on
    every input that the layer's cells are on. One forward pass per channel.
    """
    a, indices = output.values, output.input_indices
    _check_inputs(question, output)
    scores = np.empty((len(a), a.shape[-1]))
    for rows, channels in question.variants(a.shape[-1], "batch of channels"):
        seen = [x[rows] for x in question.inputs]
        for index in indices:
            cells = a[rows, ..., channels]
            seen[index] = _see_through(question, index, rows, cells)
        scores[rows, channels] = question.scores(seen, rows)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = powers / powers.sum(axis=1, keepdims=True)
    weights = weights.reshape(len(a), *[1] * (a.ndim - 2), -1)
    return np.asarray((weights * a).sum(axis=-1), "float32")


def _check_inputs(question: Question, output: LayerOutput) -> None:
    if not output.input_indices:
        raise ValueError(
            "`layer` must name a layer whose cells are those of an input for method='score-cam', "
            f"which masks it. Received: '{output.address}' with an output of shape "
            f"{output.values.shape}"
        )
    if any(question.inputs[index].dtype.kind in "iu" for index in output.input_indices):
        raise TypeError(
            "`method` must be one that masks no input, such as 'grad-cam', where an input holds "
            "integers, which cannot be halved. Received: method='score-cam'"
        )


def _see_through(question: Question, index: int, rows: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Return variants of an input seen through masks `(n, *cells)`."""
    x, b = question.inputs[index], question.baseline[index]
    masks = interpolate_cells(cells, question.size(index), [0.0] * (cells.ndim - 1))
    masks = over_cells(_stretched(masks), x)
    return np.asarray((b[rows] + (x[rows] - b[rows]) * masks).astype(x.dtype))


def _stretched(masks: np.ndarray) -> np.ndarray:
    """Return masks between 0 and 1; one that does not vary is 0."""
    axes = tuple(range(1, masks.ndim))
    low, high = masks.min(axis=axes, keepdims=True), masks.max(axis=axes, keepdims=True)
    varies = high > low
    return np.asarray(np.where(varies, (masks - low) / np.where(varies, high - low, 1), 0))
