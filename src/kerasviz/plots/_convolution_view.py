"""The steps of a layer put into the words and arrays that a picture of them takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
from matplotlib.colors import Colormap

from kerasviz._selection import Tiles, select_tiles
from kerasviz.compute.convolution.geometry import WindowAxis
from kerasviz.compute.convolution.trace import ConvolutionStep, Walk, in_channels
from kerasviz.draw.color import warn_invalid
from kerasviz.draw.convolution.layout import Scene
from kerasviz.draw.convolution.number_format import write_mean, write_number, write_sum
from kerasviz.draw.convolution.picture import Moment

MOST_CHANNELS = 3
"""The number of input channels that are drawn unless the caller names them."""


class Shown(NamedTuple):
    """The input channels that have a row: which of a walk's, their numbers, and how many exist."""

    places: np.ndarray
    numbers: np.ndarray
    total: int
    note: str


def choose_channels(walk: Walk, channel: Tiles | None, strength: np.ndarray) -> Shown:
    """Choose the input channels to draw.

    Args:
        walk: The steps.
        channel: The user's choice, known to be among what the filter sees; `None` for the
            strongest.
        strength: `(channels,)`: what each contributes, of any sign.
    """
    total = in_channels(walk.layer, filters=walk.filters)
    seen = len(walk.channels)
    if channel is not None:
        numbers = select_tiles(channel, total, "channel")
        places = np.searchsorted(walk.channels, numbers)
        note = f"{len(numbers)} of {seen} input channels" if len(numbers) < seen else ""
    elif seen <= MOST_CHANNELS:
        places, note = np.arange(seen), ""
    else:
        order = np.argsort(-np.abs(np.nan_to_num(strength)), kind="stable")
        places = order[:MOST_CHANNELS]
        note = f"{MOST_CHANNELS} of {seen} input channels, strongest first"
    return Shown(places, walk.channels[places], total, note)


def describe_moment(walk: Walk, step: ConvolutionStep, shown: Shown) -> Moment:
    """Put one step into arrays, with one row per channel, and into words."""
    windows = np.ma.stack([step.window[..., place] for place in shown.places])
    largest, products = None, None
    sums: list[str] = []
    if walk.kernel is None:
        if isinstance(walk.layer, keras.layers.MaxPooling2D):
            flat = int(np.ma.argmax(windows[0]))
            height, width = windows.shape[1:]
            largest = divmod(flat, width) if flat < height * width else None
        formula = _pooling_formula(walk, step)
    else:
        assert step.products is not None
        products = np.moveaxis(step.products[..., shown.places], -1, 0)
        sums = [f"sum {write_number(value)}" for value in step.sums[shown.places]]
        formula = _convolution_formula(walk, step, shown)
    return Moment(step.taken, windows, products, largest, step.position, sums, formula)


def _convolution_formula(walk: Walk, step: ConvolutionStep, shown: Shown) -> str:
    terms = [(float(value), "") for value in step.sums[shown.places]]
    others = np.setdiff1d(np.arange(len(step.sums)), shown.places)
    if others.size:
        word = "channel" if others.size == 1 else "channels"
        terms.append((float(step.sums[others].sum()), f"{others.size} other {word}"))
    if walk.layer.use_bias:
        terms.append((walk.bias, "bias"))
    if len(terms) == 1:
        formula = f"sum of products {write_number(step.total)}"
    else:
        formula = write_sum(terms, step.total)
    if walk.activation is None:
        return formula
    along = " together with the other sums" if walk.mixes else ""
    return f"{formula},  {walk.activation}{along} → {write_number(step.value)}"


def _pooling_formula(walk: Walk, step: ConvolutionStep) -> str:
    is_max = isinstance(walk.layer, keras.layers.MaxPooling2D)
    values = step.window.data.ravel() if walk.repeats_edge else step.window.compressed()
    what = (
        "the only value"
        if len(values) == 1
        else (f"{'largest' if is_max else 'mean'} of {len(values)} values")
    )
    if step.window.mask.any():
        what += ", padding repeats the edge" if walk.repeats_edge else ", padding left out"
    if is_max:
        return f"{what}: {write_number(step.value)}"
    return f"{what}: {write_mean([float(value) for value in values], step.value)}"


def describe_scene(
    walk: Walk,
    shown: Shown,
    moments: Sequence[Moment],
    heading: str,
    cmap: str | Colormap | None,
) -> Scene:
    """Put what all moments have in common into arrays and words."""
    places = shown.places
    kernels, products = None, np.zeros(1)
    if walk.kernel is not None:
        kernels = np.moveaxis(walk.kernel[..., places], -1, 0)
        products = np.stack([m.products for m in moments if m.products is not None])
    several = len(places) > 1
    dilated = max(walk.rows.dilation, walk.columns.dilation) > 1
    return Scene(
        np.moveaxis(walk.cells[..., places], -1, 0),
        [f"channel {number}" if several else "" for number in shown.numbers],
        (walk.rows.real, walk.columns.real),
        kernels,
        (walk.rows.taken.shape[1], walk.columns.taken.shape[1]),
        products,
        walk.output,
        _titles(walk, shown),
        heading,
        max((moment.formula for moment in moments), key=len),
        dilated=dilated,
        counts_padding=walk.kernel is not None or walk.repeats_edge,
        marks_largest=isinstance(walk.layer, keras.layers.MaxPooling2D),
        cmap=cmap,
    )


def _titles(walk: Walk, shown: Shown) -> dict[str, str]:
    """Return the title of each part, in two lines."""
    axes = walk.rows, walk.columns
    filters = walk.filters
    name = (
        "input"
        if shown.total == 1 or len(shown.places) > 1
        else (f"input channel {shown.numbers[0]} of {shown.total}")
    )
    size = _by(*(int(axis.real.sum()) for axis in axes))
    spread = _pair(walk.rows.spread, walk.columns.spread)
    notes = [size, f"spread by {spread}" if spread else "", _padding(*axes)]
    window = _by(*(axis.taken.shape[1] for axis in axes))
    dilation = _pair(walk.rows.dilation, walk.columns.dilation)
    stride = _pair(walk.rows.stride, walk.columns.stride)
    of = f" {walk.filter} of {filters}" if filters > 1 else ""
    turned = isinstance(walk.layer, keras.layers.Conv2DTranspose)
    return {
        "input": f"{name}\n{', '.join(filter(None, notes))}",
        "window": f"window\n{window}{f', dilation {dilation}' if dilation else ''}",
        "kernel": f"kernel{of}\n{window}{', turned by 180°' if turned else ''}",
        "products": "products",
        "output": f"output map{of}\n{_by(*walk.output.shape)}"
        f"{f', stride {stride}' if stride else ''}",
    }


def _by(height: int, width: int) -> str:
    return f"{height}×{width}"


def _pair(down: int, right: int) -> str:
    """Return a number of cells down and to the right as text, nothing where both are 1."""
    if down == right:
        return "" if down == 1 else str(down)
    return _by(down, right)


def _padding(rows: WindowAxis, columns: WindowAxis) -> str:
    """Say on which sides how many cells were added."""
    sides = dict(zip(("top", "bottom"), rows.padding, strict=True))
    sides |= dict(zip(("left", "right"), columns.padding, strict=True))
    if len(set(sides.values())) == 1:
        return f"padded by {rows.padding[0]}" if rows.padding[0] else ""
    by_count: dict[int, list[str]] = defaultdict(list)
    for side, count in sides.items():
        by_count[count].append(side)
    parts = [f"{count} at {' and '.join(names)}" for count, names in by_count.items() if count]
    return f"padded by {', '.join(parts)}"


def warn_of_values(scene: Scene) -> None:
    """Warn once of values that are in no colour."""
    kernels = np.zeros(0) if scene.kernels is None else scene.kernels
    shown = (scene.inputs, kernels, scene.products, scene.output)
    count = sum(int((~np.isfinite(values)).sum()) for values in shown)
    warn_invalid(count, stacklevel=3)
