"""Draw inputs and maps into Axes: pictures, signals as curves, volumes as slices."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator

from kerasviz.draw.attributions.content import (
    SLICE_GAP,
    AttributionMap,
    Subject,
    slice_columns,
    slice_indices,
    slices_size,
)
from kerasviz.draw.color import ColorScale, series_colors
from kerasviz.draw.tiles.background import enlarge

MAX_CHANNELS = 7
"""Of more channels of a signal, the curve is their mean."""
GREY = np.array([0.299, 0.587, 0.114])
"""The weights of red, green and blue in the brightness of a grey picture (ITU-R BT.601)."""
STRENGTH = 0.55
"""How strong the picture beneath a map is: black becomes a middle grey."""


def lay_out_slices(slices: np.ndarray, fill: float) -> np.ndarray:
    """Return slices `(n, height, width, ...)` as one picture of rows and columns."""
    count, height, width = slices.shape[:3]
    size = slices_size(count, (height, width))
    page = np.full((*size, *slices.shape[3:]), fill, slices.dtype)
    for index, each in enumerate(slices):
        row, column = divmod(index, slice_columns(count))
        top, left = row * (height + SLICE_GAP), column * (width + SLICE_GAP)
        page[top : top + height, left : left + width] = each
    return page


def draw_subject(ax: Axes, subject: Subject, *, has_numbers: bool) -> AxesImage | None:
    """Draw an input, and return its image if it is a picture."""
    if subject.is_flat:
        _draw_signal(ax, subject, has_numbers=has_numbers)
        return None
    image = ax.imshow(_picture(subject), interpolation="nearest")
    _hide_axes(ax)
    return image


def draw_map(
    ax: Axes,
    content: AttributionMap,
    subject: Subject,
    scale: ColorScale,
    *,
    is_signed: bool,
    smooth: bool,
) -> AxesImage | None:
    """Draw a map, and return its image; of a signal an image that only holds its colours."""
    if subject.is_flat:
        return _draw_signal_map(ax, content.values, subject, scale)
    values = content.values
    if subject.kind == "volume":
        indices = slice_indices(len(subject.values))
        cells = values[(indices * len(values)) // len(subject.values)]
        if cells.shape[1:] != subject.size:
            cells = _blocks(cells, subject.size)
        values = lay_out_slices(cells.astype("float32"), np.nan)
    elif smooth and values.shape != subject.size:
        values = enlarge(values[np.newaxis], subject.size)[0]
    picture = _picture(subject)
    height, width = picture.shape[:2]
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    if not is_signed and subject.picture is not None:
        # Pale and without colours, so that those of the map are seen on dark and colourful photos.
        grey = np.rint(255 - STRENGTH * (255 - picture @ GREY)).astype("uint8")
        ax.imshow(np.repeat(grey[..., np.newaxis], 3, axis=-1), interpolation="nearest")
    image = ax.imshow(
        np.ma.masked_invalid(values),
        norm=scale.norm,
        cmap=scale.cmap,
        interpolation="nearest",
        extent=extent,
    )
    _hide_axes(ax)
    return image


def _picture(subject: Subject) -> np.ndarray:
    if subject.picture is None:  # without colours of its own: only its size counts
        return np.full((*subject.picture_size, 3), 255, "uint8")
    if subject.kind == "volume":
        return lay_out_slices(subject.picture[slice_indices(len(subject.picture))], 255)
    return subject.picture


def _blocks(cells: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return cells at the size of a slice, each as a block of equal values."""
    for axis, length in enumerate(size, start=1):
        count = cells.shape[axis]
        cells = np.take(cells, (np.arange(length) * count) // length, axis=axis)
    return cells


def _hide_axes(ax: Axes) -> None:
    ax.set(xticks=[], yticks=[], anchor="NW")
    ax.grid(False)
    ax.set_facecolor("white")
    for spine in ax.spines.values():
        spine.set(color="0.6", linewidth=0.6, visible=True)


def _draw_signal(ax: Axes, subject: Subject, *, has_numbers: bool) -> None:
    """Draw a signal as curves, one for each channel, and a vector as bars."""
    values = subject.values
    steps, channels = values.shape
    if subject.kind == "vector":
        ax.bar(np.arange(steps), values[:, 0], width=0.8, color="0.5")
        _set_steps(ax, steps, has_numbers=has_numbers)
        return
    curves = values.T if channels <= MAX_CHANNELS else values.mean(axis=1)[np.newaxis]
    for color, curve in zip(series_colors(len(curves)), curves, strict=True):
        ax.plot(np.arange(steps), curve, color=color, linewidth=1.2)
    _set_steps(ax, steps, has_numbers=has_numbers)


def _draw_signal_map(
    ax: Axes, values: np.ndarray, subject: Subject, scale: ColorScale
) -> AxesImage:
    """Draw a map of a signal as bars, one for each step or cell, in the colours of their values."""
    steps = len(subject.values)
    edges = np.linspace(-0.5, steps - 0.5, len(values) + 1)
    bars = [
        [(left, 0), (left, value), (right, value), (right, 0)]
        for left, right, value in zip(edges, edges[1:], values, strict=False)
    ]
    low, high = float(scale.norm.vmin or 0), float(scale.norm.vmax or 1)
    # An image without an extent in sight, which a colour bar and `Panel.image` refer to.
    image = ax.imshow(
        np.atleast_2d(values),
        norm=scale.norm,
        cmap=scale.cmap,
        aspect="auto",
        extent=(-0.5, steps - 0.5, low, high),
    )
    image.set_visible(False)
    ax.set_facecolor("white")  # the colour of 0: on black the weakest bars would be seen most
    colors = scale.cmap(scale.norm(values))
    ax.add_collection(PolyCollection(bars, facecolors=colors, edgecolors="none"), autolim=False)
    ax.plot([-0.5, steps - 0.5], [0, 0], color="0.5", linewidth=0.6)
    margin = 0.05 * (high - low)
    ax.set_ylim(low - (margin if low < 0 else 0), high + margin)
    _set_steps(ax, steps, has_numbers=False)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    return image


def _set_steps(ax: Axes, steps: int, *, has_numbers: bool) -> None:
    ax.set_xlim(-0.5, steps - 0.5)
    ax.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(2))
    ax.tick_params(labelsize="small", length=2, pad=2, labelbottom=has_numbers)
    ax.grid(False)
    ax.spines[["top", "right"]].set_visible(False)
