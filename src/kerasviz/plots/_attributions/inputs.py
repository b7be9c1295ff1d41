"""Inputs as they are drawn: channels last, whatever the model's own order."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from kerasviz._selection import select_tiles
from kerasviz.compute.attribution.plan import input_channel_axis
from kerasviz.compute.feature_maps import Extraction, plan_call
from kerasviz.model.calls import input_names, known_calls
from kerasviz.plots._maps.samples import Samples


def channel_axes(batch: Extraction) -> list[int]:
    """Return the axis of the channels of each input: 1 or -1."""
    calls = known_calls(batch.model, batch.specs)
    return [input_channel_axis(spec, calls) for spec in keras.tree.flatten(batch.specs)]


def channels_last(model: keras.Model, inputs: Any) -> tuple[list[np.ndarray], list[str]]:
    """Return inputs with their channels last, and the name of each."""
    batch = plan_call(model, inputs)
    pairs = zip(batch.batch.arrays, channel_axes(batch), strict=True)
    return [np.moveaxis(x, axis, -1) for x, axis in pairs], input_names(batch.specs)


def choose_samples(sample: Samples, total: int) -> np.ndarray:
    """Return the indices of the samples that are drawn."""
    chosen = slice(None) if isinstance(sample, str) else sample
    return select_tiles(chosen, total, "sample", "`inputs`")
