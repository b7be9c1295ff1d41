"""Draw what a card of a filter holds: its kernel, its examples, its classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import blended_transform_factory

from kerasviz.draw.color import ColorScale, ground_color, muted_color, readable_color, series_colors
from kerasviz.draw.filters.content import Example, Pattern
from kerasviz.draw.text import NOTE_SIZE, elide_middle, escape, font_size

HIGHLIGHT = "#d55e00"
"""The colour of the frame, and of the class with the largest mean."""
SEEN = 0.3
"""Which part of its colour an image keeps where the unit does not see it."""
FRAME_WIDTH = 1.5
"""Of the frame, in points."""


def draw_pattern(
    ax: Axes, pattern: Pattern, scale: ColorScale | None, limits: tuple[float, float]
) -> AxesImage | None:
    """Draw a kernel or an input that was made, and return its image if it has one.

    Args:
        ax: The Axes.
        pattern: What to draw.
        scale: The colours of weights.
        limits: The lowest and highest value of stems or curves.
    """
    image = None
    if pattern.kind == "stems":
        _draw_stems(ax, pattern.view, limits)
    elif pattern.kind == "curves":
        _draw_curves(ax, pattern.view, limits)
    elif pattern.kind == "weights" and scale is not None:
        values = np.ma.masked_invalid(pattern.view)
        image = ax.imshow(values, norm=scale.norm, cmap=scale.cmap, interpolation="nearest")
    else:
        image = ax.imshow(_over_ground(pattern.view, ax), interpolation="nearest")
    if image is not None:
        ax.set_anchor("N")
    _frame(ax)
    write_below(ax, [pattern.caption] if pattern.caption else [])
    return image


def _frame(ax: Axes) -> None:
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    for spine in ax.spines.values():
        spine.set(color="0.6", linewidth=0.6, visible=True)


def _draw_stems(ax: Axes, values: np.ndarray, limits: tuple[float, float]) -> None:
    """Draw weights as lines from 0, red above and blue below."""
    colors = np.where(values >= 0, "#b2182b", "#2166ac")
    stems = [[(n, 0.0), (n, float(value))] for n, value in enumerate(values)]
    ax.add_collection(LineCollection(stems, colors=colors.tolist(), linewidths=1.2), autolim=False)
    ax.axhline(0, color="0.5", linewidth=0.6)
    ax.set(xlim=(-0.5, len(values) - 0.5), ylim=_wider(limits))
    ax.patch.set_facecolor("white")


def _draw_curves(ax: Axes, values: np.ndarray, limits: tuple[float, float]) -> None:
    steps = np.arange(len(values))
    ground = ground_color(ax)
    for color, curve in zip(series_colors(values.shape[1], ground), values.T, strict=True):
        ax.plot(steps, curve, color=color, linewidth=1.2)
    ax.set(xlim=(-0.5, len(values) - 0.5), ylim=_wider(limits))


def _wider(limits: tuple[float, float]) -> tuple[float, float]:
    low, high = limits
    margin = 0.06 * ((high - low) or 1.0)
    return low - margin, high + margin


def draw_examples(
    ax: Axes,
    examples: Sequence[Example],
    *,
    size: tuple[float, float],
    pitch: float,
    limits: tuple[float, float],
) -> None:
    """Draw examples side by side.

    Args:
        ax: The Axes, whose unit is the side of an example.
        examples: The examples.
        size: Width and height of each, in sides.
        pitch: The distance from one to the next, in sides.
        limits: The lowest and highest value of signals.
    """
    width, height = size
    for place, example in enumerate(examples):
        left = place * pitch
        if example.view.ndim == 2:
            _draw_window(ax, example.view, (left, width), limits)
        else:
            _draw_image(ax, example, (left, width, height))
        points = ax.get_window_extent().height / ax.figure.dpi * 72 * width / height
        write_below(ax, example.lines, x=left + width / 2, width=points)
    ax.set_axis_off()


def _draw_image(ax: Axes, example: Example, cell: tuple[float, float, float]) -> None:
    """Draw an image as large as a cell allows, with the field that the unit sees framed in it."""
    left, width, height = cell
    rows, columns = example.view.shape[:2]
    scale = min(width / columns, height / rows)
    left += (width - scale * columns) / 2
    colors = _over_ground(example.view, ax)
    if example.box is not None:
        (top, bottom), (first, last) = example.box
        ground = np.array(to_rgb(ground_color(ax)), "float32")
        seen = colors[top:bottom, first:last].copy()
        colors = SEEN * colors + (1 - SEEN) * ground
        colors[top:bottom, first:last] = seen
    extent = (left, left + scale * columns, 0.0, scale * rows)
    ax.imshow(colors, extent=extent, aspect="auto", interpolation="nearest")
    corner = (extent[0], extent[2])
    edge = Rectangle(corner, scale * columns, scale * rows, fill=False, ec="0.6", lw=0.6)
    ax.add_patch(edge).set_clip_on(False)
    if example.box is not None and bottom > top and last > first:
        frame = Rectangle(
            (left + scale * first, scale * (rows - bottom)),
            scale * (last - first),
            scale * (bottom - top),
            fill=False,
            edgecolor=HIGHLIGHT,
            linewidth=FRAME_WIDTH,
        )
        ax.add_patch(frame).set_clip_on(False)


def _draw_window(
    ax: Axes, values: np.ndarray, place: tuple[float, float], limits: tuple[float, float]
) -> None:
    """Draw the window of a signal that the unit sees, as curves in a box."""
    left, width = place
    low, high = _wider(limits)
    steps = left + width * (np.arange(len(values)) + 0.5) / len(values)
    ground = ground_color(ax)
    for color, curve in zip(series_colors(values.shape[1], ground), values.T, strict=True):
        ax.plot(steps, (curve - low) / (high - low), color=color, linewidth=1.2)
    box = Rectangle((left, 0), width, 1, fill=False, edgecolor="0.6", linewidth=0.6)
    ax.add_patch(box).set_clip_on(False)


def _over_ground(colors: np.ndarray, ax: Axes) -> np.ndarray:
    """Return colours in which what is outside of the image, NaN, has the colour of the ground."""
    ground = np.array(to_rgb(ground_color(ax)), "float32")
    return np.where(np.isnan(colors), ground, colors)


def draw_classes(
    ax: Axes, means: np.ndarray, names: Sequence[str], *, bars: int, has_numbers: bool
) -> None:
    """Draw the mean response per class as bars, the largest in another colour.

    Args:
        ax: The Axes, whose horizontal limits are set.
        means: One per class.
        names: Their names.
        bars: How many of the classes are drawn: the largest.
        has_numbers: Whether numbers are written below.
    """
    indices = np.sort(np.argsort(-means, kind="stable")[:bars])
    best, size = int(means.argmax()), font_size(NOTE_SIZE)
    colors = [HIGHLIGHT if index == best else "0.6" for index in indices]
    ax.barh(np.arange(len(indices)), means[indices], height=0.72, color=colors)
    ax.set_ylim(max(len(indices), bars) - 0.5, -0.5)
    ax.set_yticks([])
    ax.grid(False)
    ax.patch.set_visible(False)
    ax.spines[["top", "right"]].set_visible(False)
    ax.xaxis.set_major_locator(MaxNLocator(2))
    ax.tick_params(labelsize=size, length=2, pad=2, labelbottom=has_numbers)
    at_left = blended_transform_factory(ax.transAxes, ax.transData)
    for row, index in enumerate(indices):
        ax.annotate(
            names[index],
            (0, row),
            xycoords=at_left,
            xytext=(-3, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=size,
            annotation_clip=False,
        )


def write_below(
    ax: Axes, lines: Sequence[str], *, x: float | None = None, width: float | None = None
) -> None:
    """Write lines below a panel, in its middle or at a place of its data."""
    size = font_size(NOTE_SIZE)
    if width is None:
        width = 72 * ax.get_window_extent().width / ax.figure.dpi
    at_bottom = blended_transform_factory(
        ax.transData if x is not None else ax.transAxes, ax.transAxes
    )
    # Of a picture that is lower than its Axes, the lower edge is known while it is drawn.
    for row, line in enumerate(lines):
        ax.annotate(
            escape(elide_middle(line, width, size)),
            (0.5 if x is None else x, 0),
            xycoords=at_bottom,
            xytext=(0, -2 - row * 1.25 * size),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=size,
            annotation_clip=False,
        )


def write_notes(
    ax: Axes, notes: Sequence[str], remark: Sequence[str], *, color: str, offset: float
) -> None:
    """Write the name of a filter, notes, and what is odd about it, at the left of its card.

    Args:
        ax: The first panel.
        notes: The name, and the notes.
        remark: What is odd.
        color: The colour of that.
        offset: The distance from the panel, in points.
    """
    small, y = font_size(NOTE_SIZE), 0.0
    ground = ground_color(ax.figure)
    muted = readable_color(muted_color(ground), ground)
    lines = [(notes[0], font_size(), rcParams["text.color"])]
    lines += [(note, small, muted) for note in notes[1:]]
    lines += [(line, small, color) for line in remark]
    for row, (text, size, ink) in enumerate(lines):
        ax.annotate(
            escape(text),
            (0, 1),
            xycoords="axes fraction",
            xytext=(-offset, -y),
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize=size,
            color=ink,
            weight="bold" if row == 0 else "normal",
            annotation_clip=False,
        )
        y += 1.25 * size
