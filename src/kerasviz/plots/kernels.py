"""`plot_kernels`: the filters of a layer as one picture."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from typing_extensions import Unpack

from kerasviz.draw.channels import CHANNELS, Channel, kernel_tiles, resolve_channel
from kerasviz.draw.layout import check_panels, draw_panels
from kerasviz.draw.options import (
    TileOptions,
    check_choice,
    check_options,
    order_tiles,
    select_tiles,
    tile_strength,
)
from kerasviz.draw.panel import Panel, Plot, Table
from kerasviz.model.kernels import read_kernel, resolve_kernels


def plot_kernels(
    model: keras.Model,
    layer: Any,
    *,
    channel: Channel = "auto",
    **options: Unpack[TileOptions],
) -> Plot:
    """Draw every filter of a convolution as one picture.

    Args:
        model: The model that has the layer.
        layer: A layer address; several give a panel each.
        channel: Which of the kernel's input channels to draw. "auto": the only one, three as
            colours, of more the principal pattern. An int: that channel. "mean": their mean.
            "principal": the pattern that explains most of each filter, see Notes. "rgb": three
            channels as colours. "all": a table, a row an input channel and a column a filter.
        **options: The keywords of every plot of tiles, see `TileOptions`; `sort` goes by the whole
            filter, whichever channel is drawn.

    Returns:
        A `Plot` with a panel a layer.

    Raises:
        TypeError: `model` is no Keras model, `layer` no address, or a keyword of the wrong type.
        ValueError: No layer has that address, it has no kernel, or a keyword has no meaning.

    Notes:
        The principal pattern of a filter is its first left singular vector over positions and
        input channels, times the first singular value: what the filter does to the mix of channels
        (of unit length) to which it responds most. Its sign makes the loadings of the channels
        sum to 0 or more. The title says how much of the filters' energy it explains on average.

    Example:
        >>> import keras, kerasviz
        >>> model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(32, 3)])
        >>> kerasviz.plot_kernels(model, 0)
        Plot(conv2d: 32 kernels, 3×3)
    """
    merged = check_options(options, "channel")
    check_channel(channel)
    targets, _ = resolve_kernels(model, layer)
    check_panels(len(targets), merged)
    panels = [
        kernel_panel(read_kernel(call.layer, address), address, channel, merged)
        for address, call in targets
    ]
    return draw_panels(panels, merged)


def check_channel(channel: object) -> None:
    """Raise `ValueError` unless `channel` is one of its words or an int."""
    if not isinstance(channel, (int, np.integer)) or isinstance(channel, bool):
        check_choice("channel", channel, CHANNELS, "an int")


def kernel_panel(kernel: np.ndarray, name: str, channel: Channel, options: TileOptions) -> Panel:
    """Choose, order and reduce the filters of a kernel.

    Args:
        kernel: Array `(height, width, in_channels, filters)`, or with the depth before it.
        name: The layer's address.
        channel: The caller's `channel`.
        options: The caller's keywords, checked and complete.
    """
    *window, in_channels, filters = kernel.shape
    height, width = window[-2:]
    depth = math.prod(window[:-2])
    channel = resolve_channel(channel, in_channels, name)
    numbers = select_tiles(options["tiles"], filters, of=repr(name))
    if options["sort"] is not None:
        strength = tile_strength(np.moveaxis(kernel[..., numbers], -1, 0), options["sort"])
        numbers = numbers[order_tiles(numbers, strength)]
    # The slices of a volume lie below one another while its channels are reduced.
    flat = kernel.reshape(depth * height, width, in_channels, filters)
    tiles, note = kernel_tiles(flat[..., numbers], channel)
    tiles = tiles.reshape(-1, height, width, *tiles.shape[3:])
    table = None
    if channel == "all":
        if options["columns"] is not None:
            raise ValueError(
                "`columns` cannot be given with channel='all', where each filter has a column. "
                f"Received: columns={options['columns']}"
            )
        table = Table(np.arange(in_channels), numbers, "input channel", "filter")
    size = "×".join(map(str, window if in_channels == 1 else (*window, in_channels)))
    notes = (note,) if note else ()
    return Panel(
        tiles, numbers, filters, name, "kernels", size, notes, table, depth, absent_if="zero"
    )
