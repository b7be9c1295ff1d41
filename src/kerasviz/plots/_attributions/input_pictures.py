"""Inputs as they are drawn: channels last, whatever the model's own order."""

from __future__ import annotations

import keras
import numpy as np

from kerasviz._selection import select_tiles
from kerasviz.compute.attribution.plan import input_cell_axes, input_channel_axis
from kerasviz.compute.feature_maps import Extraction
from kerasviz.model.calls import known_calls
from kerasviz.plots._maps.samples import Samples


def channel_axes(batch: Extraction) -> list[int]:
    """Return the axis of the channels of each input: 1 or -1."""
    calls = known_calls(batch.model, batch.specs)
    return [input_channel_axis(spec, calls) for spec in keras.tree.flatten(batch.specs)]


def cell_axes(batch: Extraction) -> list[int]:
    """Return how many axes of cells each input has, such as rows and columns."""
    calls = known_calls(batch.model, batch.specs)
    return [input_cell_axes(spec, calls) for spec in keras.tree.flatten(batch.specs)]


def drawn_inputs(batch: Extraction) -> list[np.ndarray]:
    """Return inputs with their channels last; images without an axis for these get one."""
    axes = zip(batch.batch.arrays, channel_axes(batch), cell_axes(batch), strict=True)
    return [
        x[..., np.newaxis] if 1 < cells == x.ndim - 1 else np.moveaxis(x, axis, -1)
        for x, axis, cells in axes
    ]


def choose_samples(sample: Samples, total: int) -> np.ndarray:
    """Return the indices of the samples that are drawn."""
    chosen = slice(None) if isinstance(sample, str) else sample
    return select_tiles(chosen, total, "sample", "`inputs`")
