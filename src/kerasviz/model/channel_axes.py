"""Find the axis of a layer's output that holds its channels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras


def channel_axis(layer: Any, rank: int, passed_on: Iterable[int] = ()) -> int:
    """Return the axis that holds the channels of a layer's output.

    A layer with a data format has it there, and a normalization in its axis; any other passes on
    that of its input.

    Args:
        layer: A layer, or another operation of a graph.
        rank: The rank of its output.
        passed_on: The axis of each input of that rank, as far as it is known.
    """
    if rank < 3:
        return -1
    if isinstance(layer, keras.layers.TimeDistributed):
        inner = channel_axis(layer.layer, rank - 1)
        return inner + 1 if inner > 0 else inner
    by_default = 1 if rank == 4 and keras.config.image_data_format() == "channels_first" else -1
    data_format = getattr(layer, "data_format", None)
    if data_format == "channels_first":
        return rank - layer.cell.rank - 1 if isinstance(layer, keras.layers.RNN) else 1
    if data_format == "channels_last":
        return -1
    # These move or regroup axes, so what came in tells nothing about what goes out.
    if isinstance(layer, (keras.layers.Permute, keras.layers.Reshape)):
        return by_default
    axis = getattr(layer, "axis", None)
    if isinstance(layer, keras.layers.BatchNormalization) and isinstance(axis, int):
        return axis if 0 < axis < rank - 1 else -1
    # Of several inputs, one that says where its channels are is believed before those that have
    # the last axis (-1), which is also what is assumed where nothing is known.
    return max(passed_on, default=by_default)
