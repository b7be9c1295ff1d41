"""`plot_feature_maps`: what a layer makes of an image, as one picture."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from typing_extensions import Unpack

from kerasviz.draw.layout import check_panels, draw_panels
from kerasviz.draw.options import (
    TileOptions,
    check_options,
    order_tiles,
    select_tiles,
    tile_strength,
)
from kerasviz.draw.panel import Panel, Plot
from kerasviz.model.feature_maps import compute, prepare
from kerasviz.model.inputs import InputBatch
from kerasviz.model.layers import Target


def plot_feature_maps(
    model: keras.Model,
    layer: Any,
    inputs: Any,
    *,
    sample: int = 0,
    **options: Unpack[TileOptions],
) -> Plot:
    """Draw every feature map that a layer makes of one sample as one picture.

    Args:
        model: A Keras model.
        layer: A layer address; several give a panel each, from one forward pass.
        inputs: What the model takes: a batch, or one sample without the batch axis, or either
            without the channel axis where there is one channel; a list or dict of these for
            several inputs. The values are passed on as they are.
        sample: Which sample of the batch; negative numbers count from the end. Only this one is
            computed.
        **options: The keywords of every plot of tiles, see `TileOptions`.

    Returns:
        A `Plot` with a panel a layer.

    Raises:
        TypeError: `model` is no Keras model, `layer` no address, or a keyword of the wrong type.
        ValueError: No layer has that address, its output is no `(height, width, channels)`,
            `inputs` does not fit the model, or a keyword has no meaning.

    Example:
        >>> import keras, kerasviz, numpy as np
        >>> model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(32, 3)])
        >>> kerasviz.plot_feature_maps(model, 0, np.zeros((28, 28)))
        Plot(conv2d: 32 feature maps, 26×26)
    """
    merged = check_options(options)
    request = prepare(model, layer, inputs)
    targets = request.targets.targets
    check_panels(len(targets), merged)
    for target in targets:
        check_target(target, merged)
    batch = take_sample(request.batch, sample)
    maps = compute(request._replace(batch=batch))
    panels = [map_panel(array[0], address, merged) for address, array in maps.items()]
    return draw_panels(panels, merged)


def take_sample(batch: InputBatch, sample: int) -> InputBatch:
    """Return a batch of the one sample that is wanted."""
    if not isinstance(sample, (int, np.integer)) or isinstance(sample, bool):
        raise TypeError(f"`sample` must be an int. Received: sample={sample!r}")
    if not -len(batch) <= sample < len(batch):
        raise ValueError(
            f"`sample` must be between {-len(batch)} and {len(batch) - 1}, since `inputs` has "
            f"{len(batch)}. Received: sample={sample}"
        )
    start = range(len(batch))[sample]
    return batch.part(start, start + 1)


def check_target(target: Target, options: TileOptions) -> None:
    """Refuse, before anything is computed, a layer whose output cannot be drawn as tiles."""
    shape = target.call.output_shape
    if shape is None or len(shape) != 4 or not isinstance(shape[1], (int, type(None))):
        raise ValueError(
            "`layer` must name layers with an output of shape (samples, height, width, channels). "
            f"Received: '{target.address}', whose output has the shape {shape}"
        )
    channels = shape[target.call.channel_axis]
    if channels is not None:
        select_tiles(options["tiles"], channels)


def map_panel(maps: np.ndarray, name: str, options: TileOptions) -> Panel:
    """Choose and order the maps of one sample, `(height, width, channels)`."""
    height, width, channels = maps.shape
    numbers = select_tiles(options["tiles"], channels)
    tiles = np.moveaxis(maps, 2, 0)
    if options["sort"] is not None:
        strength = tile_strength(tiles[numbers], options["sort"])
        numbers = numbers[order_tiles(numbers, strength)]
    size = f"{height}×{width}"
    return Panel(tiles[numbers], numbers, channels, name, "feature maps", size)
