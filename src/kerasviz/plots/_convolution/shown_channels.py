"""Choose the input channels that have a row in the picture of a convolution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kerasviz._selection import Tiles, select_tiles
from kerasviz.compute.convolution.channels import count_input_channels
from kerasviz.compute.convolution.trace import ConvolutionTrace

MAX_CHANNELS = 3
"""The number of input channels that are drawn unless the caller names them."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ChannelChoice:
    """The input channels that have a row.

    Args:
        positions: Which of the trace's channels they are, `(n,)`.
        indices: Their indices in the layer's input, `(n,)`.
        total: The number of channels of the layer's input.
        note: Which of how many, for the title; "" where it is all of them.
    """

    positions: np.ndarray
    indices: np.ndarray
    total: int
    note: str


def choose_channels(
    trace: ConvolutionTrace, channel: Tiles | None, strength: np.ndarray
) -> ChannelChoice:
    """Choose the input channels to draw.

    Args:
        trace: The steps.
        channel: The user's choice, known to be among what the filter sees; `None` for the
            strongest.
        strength: `(channels,)`: what each contributes, of any sign.
    """
    total = count_input_channels(trace.layer, filters=trace.filter_count)
    visible, note = len(trace.channel_indices), ""
    if channel is not None:
        indices = select_tiles(channel, total, "channel")
        # A filter of a group, and a pooling, see only some channels: an index in the input is
        # another one among these.
        positions = np.searchsorted(trace.channel_indices, indices)
        note = f"{len(indices)} of {visible} input channels" if len(indices) < visible else ""
    elif visible <= MAX_CHANNELS:
        positions = np.arange(visible)
    else:
        order = np.argsort(-np.abs(np.nan_to_num(strength)), kind="stable")
        positions = order[:MAX_CHANNELS]
        note = f"{MAX_CHANNELS} of {visible} input channels, strongest first"
    indices = trace.channel_indices[positions]
    return ChannelChoice(positions=positions, indices=indices, total=total, note=note)
