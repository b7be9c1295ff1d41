"""`plot_feature_maps`: what a layer makes of an image, as one picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from typing_extensions import Unpack

from kerasviz.draw.layout import check_panels, draw_panels
from kerasviz.draw.options import (
    TileOptions,
    Tiles,
    check_options,
    order_tiles,
    select_tiles,
    tile_strength,
)
from kerasviz.draw.panel import Panel, Plot
from kerasviz.model.feature_maps import compute, prepare
from kerasviz.model.inputs import InputBatch
from kerasviz.model.layers import Target

STRIP = 32
"""Values of a vector in a row."""


def plot_feature_maps(
    model: keras.Model,
    layer: Any,
    inputs: Any,
    *,
    sample: int = 0,
    slices: Tiles | None = None,
    patch_grid: tuple[int, int] | None = None,
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
        slices: Of outputs with more axes than height, width and channels, such as volumes or the
            frames of a video, which positions along these to draw: an int, a slice or a list.
        patch_grid: Of outputs `(tokens, channels)`, the rows and columns of patches that the
            tokens stand for, to lay each channel out as an image. Tokens before these, such as a
            class token, are left out.
        **options: The keywords of every plot of tiles, see `TileOptions`.

    Returns:
        A `Plot` with a panel a layer.

    Raises:
        TypeError: `model` is no Keras model, `layer` no address, or a keyword of the wrong type.
        ValueError: No layer has that address, it has several outputs, `inputs` does not fit the
            model, or a keyword has no meaning.

    Notes:
        Each channel is a tile. Of a vector it is one value, of a sequence a row; of a volume it is
        a group of slices, and so are the frames of a video and the steps of a ConvLSTM.

    Example:
        >>> import keras, kerasviz, numpy as np
        >>> model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(32, 3)])
        >>> kerasviz.plot_feature_maps(model, 0, np.zeros((28, 28)))
        Plot(conv2d: 32 feature maps, 26×26)
    """
    merged = check_options(options, "sample", "slices", "patch_grid")
    check_patch_grid(patch_grid)
    request = prepare(model, layer, inputs)
    targets = request.targets.targets
    check_panels(len(targets), merged)
    for target in targets:
        check_target(target, merged, slices, patch_grid)
    batch = take_sample(request.batch, sample)
    maps = compute(request._replace(batch=batch))
    panels = [
        map_panel(array[0], address, merged, slices, patch_grid) for address, array in maps.items()
    ]
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


def check_target(
    target: Target,
    options: TileOptions,
    slices: Tiles | None = None,
    patch_grid: tuple[int, int] | None = None,
) -> None:
    """Refuse, before anything is computed, a layer whose output cannot be drawn as tiles."""
    shape = target.call.output_shape
    if shape is None:
        return
    if any(isinstance(size, tuple) for size in shape):
        raise ValueError(
            "`layer` must name layers with one output. "
            f"Received: '{target.address}', with outputs {', '.join(map(str, shape))}"
        )
    if len(shape) < 2:
        raise ValueError(
            "`layer` must name layers with an output of shape (samples, ..., channels). "
            f"Received: '{target.address}', whose output has the shape {shape}"
        )
    axes = list(shape)
    channels = axes.pop(target.call.channel_axis)
    del axes[0]
    if isinstance(channels, int):
        select_tiles(options["tiles"], channels, of=repr(target.address))
    sizes = [size for size in axes if isinstance(size, int)]
    if len(sizes) < len(axes):
        return
    if patch_grid is not None:
        _leading_tokens(sizes, target.address, patch_grid)
        sizes = [*patch_grid]
    if slices is not None:
        select_tiles(slices, math.prod(sizes[:-2]), "slices", of=repr(target.address))


def map_panel(
    maps: np.ndarray,
    name: str,
    options: TileOptions,
    slices: Tiles | None = None,
    patch_grid: tuple[int, int] | None = None,
) -> Panel:
    """Choose and order the maps of one sample.

    Args:
        maps: Array `(..., channels)`: of vectors, sequences, images, or images along further axes.
        name: The layer's address.
        options: The caller's keywords, checked and complete.
        slices: Which positions along the further axes.
        patch_grid: Rows and columns of the image that a sequence stands for.
    """
    notes: tuple[str, ...] = ()
    if patch_grid is not None:
        maps, notes = _lay_out_patches(maps, name, patch_grid)
    *axes, channels = maps.shape
    numbers = select_tiles(options["tiles"], channels, of=repr(name))
    if options["sort"] is not None:
        strength = tile_strength(np.moveaxis(maps[..., numbers], -1, 0), options["sort"])
        numbers = numbers[order_tiles(numbers, strength)]
    height, width = ([1, 1, *axes])[-2:]
    volumes = maps.reshape(-1, height, width, channels)
    shown = None
    if slices is not None:
        shown = select_tiles(slices, len(volumes), "slices", of=repr(name))
        word = "slice" if len(shown) == 1 else "slices"
        notes += (f"{word} {', '.join(map(str, shown))} of {len(volumes)}",)
        volumes = volumes[shown]
    tiles = np.moveaxis(volumes[..., numbers], -1, 0).reshape(-1, height, width)
    noun = "feature maps" if axes else "values"
    size = f"{axes[0]} steps" if len(axes) == 1 else "×".join(map(str, axes))
    return Panel(
        tiles,
        numbers,
        channels,
        name,
        noun,
        size,
        notes,
        slices=len(volumes),
        columns=None if axes else STRIP,
        slice_numbers=shown,
    )


def _lay_out_patches(
    maps: np.ndarray, name: str, patch_grid: tuple[int, int]
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Put the tokens of a vision transformer where their patches are in the image."""
    leading = _leading_tokens(maps.shape[:-1], name, patch_grid)
    word = "token" if leading == 1 else "tokens"
    notes = (f"without {leading} leading {word}",) if leading else ()
    return maps[leading:].reshape(*patch_grid, -1), notes


def _leading_tokens(sizes: Sequence[int], name: str, patch_grid: tuple[int, int]) -> int:
    """Return how many tokens come before the patches, of an output with these axes a channel."""
    leading = sizes[0] - math.prod(patch_grid) if len(sizes) == 1 else -1
    if leading < 0:
        raise ValueError(
            f"`patch_grid` must lay out the tokens of '{name}', whose channels have the shape "
            f"{tuple(sizes)}. Received: patch_grid={patch_grid}"
        )
    return leading


def check_patch_grid(patch_grid: object) -> None:
    """Raise `TypeError` unless `patch_grid` is `None` or two positive integers."""
    if patch_grid is None:
        return
    sizes = list(patch_grid) if isinstance(patch_grid, (tuple, list)) else []
    if len(sizes) != 2 or not all(isinstance(n, (int, np.integer)) and n > 0 for n in sizes):
        raise TypeError(
            "`patch_grid` must be rows and columns, two positive integers. "
            f"Received: patch_grid={patch_grid!r}"
        )
