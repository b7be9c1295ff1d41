"""Draw sequences as small multiples: one strip per map or kernel, all on one scale.

A panel is one Axes whose unit is an inch of its plan, and everything but its title is inside. Each
strip has a transform of its own, so that every line holds steps and values as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Affine2D, Transform

from kerasviz.draw.charts.strip_sizes import (
    StripSizes,
    column_names,
    line_height,
    row_names,
    write_limit,
)
from kerasviz.draw.color import INVALID, ColorScale, color_cycle, value_range
from kerasviz.draw.figure import describe_on_hover
from kerasviz.draw.text import elide_middle, escape, font_size, screen_width
from kerasviz.draw.tiles.downsampling import DownsampledPcolorImage
from kerasviz.draw.tiles.panel import CROSS_COLOR, TilePanel

SIGNAL_COLOR, BEHIND_COLOR, ZERO_COLOR = "0.5", "0.65", "0.75"
POSITIVE, NEGATIVE = "#d6604d", "#4393c3"
"""The red and the blue of signed colours, both of which can be seen on black and on white."""
MAX_STEMS = 24
"""A kernel of more steps is drawn as a curve."""
STEP_ROOM = 0.7
"""There is at most one number of a step for each of these, in inches."""


@dataclass(frozen=True, kw_only=True)
class Strip:
    """A strip: where it is, and what its horizontal and vertical limits are.

    Args:
        corner: Its lower left corner, in inches.
        size: Its height and width, in inches.
        steps: How many steps it has.
        limits: The values at its lower and its upper side.
    """

    corner: tuple[float, float]
    size: tuple[float, float]
    steps: int
    limits: tuple[float, float]

    def transform(self, ax: Axes) -> Transform:
        """Return the transform from steps and values; each step is an equal part of the width."""
        (left, bottom), (height, width), (low, high) = self.corner, self.size, self.limits
        place = Affine2D().translate(0.5, -low)
        return place.scale(width / self.steps, height / (high - low)).translate(left, bottom) + (
            ax.transData
        )

    def x(self, step: float) -> float:
        """Return where the middle of a step is, in inches."""
        return float(self.corner[0] + (step + 0.5) * self.size[1] / self.steps)

    def clip(self, ax: Axes) -> Rectangle:
        """Return the strip as a path, a little higher and wider than it is for its lines."""
        (left, bottom), (height, width) = self.corner, self.size
        edge = 0.05
        return Rectangle(
            (left - edge, bottom - edge),
            width + 2 * edge,
            height + 2 * edge,
            transform=ax.transData,
        )


@dataclass(frozen=True, kw_only=True)
class StripPlan:
    """A panel of strips, before it is drawn.

    Args:
        panel: What to draw: values `(n, 1, steps)`.
        sizes: Where each strip goes.
    """

    panel: TilePanel
    sizes: StripSizes
    head: float = 0.0

    @property
    def size(self) -> tuple[float, float]:
        """Height and width, in inches."""
        return self.sizes.height, self.sizes.width

    @property
    def unit(self) -> float:
        """Inches per step."""
        return float(self.sizes.strip[1] / self.panel.tiles.shape[2])

    def draw(self, ax: Axes, scale: ColorScale) -> AxesImage | None:
        """Draw the strips, with their names, their limits and the steps.

        Returns:
            The image of the strips that are colours, `None` of lines.
        """
        panel, sizes = self.panel, self.sizes
        _prepare(ax, self.size)
        strips = [self._strip(index, scale.norm) for index in range(sizes.count)]
        image = None
        if panel.form == "heat":
            image = _draw_heat(ax, panel, sizes, scale)
        else:
            _draw_zeros(ax, strips)
        if panel.signals is not None:
            self._draw_signals(ax, panel.signals)
        for index, strip in enumerate(strips):
            part = slice(index * panel.slices, (index + 1) * panel.slices)
            _draw_values(ax, strip, panel, part)
        self._write_names(ax, strips)
        self._write_steps(ax)
        if panel.slices > 1:
            _write_legend(ax, panel.slices)
        if not panel.has_own_scales and not panel.has_colors:
            _write_limits(ax, strips[min(sizes.columns, sizes.count) - 1], sizes)
        describe_on_hover(ax, _coordinate_formatter(panel, strips))
        return image

    def _strip(self, index: int, norm: Normalize) -> Strip:
        row, column = divmod(index, self.sizes.columns)
        return Strip(
            corner=self.sizes.corner(row, column),
            size=self.sizes.strip,
            steps=self.panel.tiles.shape[2],
            limits=(float(norm.vmin or 0.0), float(norm.vmax or 0.0)),
        )

    def _draw_signals(self, ax: Axes, signals: np.ndarray) -> None:
        """Draw the signals: above the strips, beside a table, or behind each map."""
        sizes = self.sizes
        low, high = value_range(signals)
        limits = (low, high) if low < high else (low - 0.5, high + 0.5)
        strips = [
            Strip(corner=corner, size=sizes.strip, steps=signals.shape[1], limits=limits)
            for corner in sizes.signal_corners()
        ]
        per_signal = len(strips) // len(signals) if self.panel.table is not None else len(strips)
        for index, strip in enumerate(strips):
            signal = signals[index // per_signal]
            for channel in range(signal.shape[1]):
                color = SIGNAL_COLOR if signal.shape[1] == 1 else _cycle_color(channel)
                if self.panel.form == "heat":
                    color = rcParams["text.color"]
                elif not sizes.signal:
                    color = BEHIND_COLOR
                _draw_curve(ax, strip, signal[:, channel], color)
        if sizes.signal == "above":
            _write_limits(ax, strips[-1], sizes)

    def _write_names(self, ax: Axes, strips: Sequence[Strip]) -> None:
        panel, sizes = self.panel, self.sizes
        size = font_size("small")
        if panel.table is not None:
            names = [sizes.elide(name) for name in row_names(panel.table)]
            firsts = strips[:: sizes.columns]
            if sizes.signal:
                corners = sizes.signal_corners()
                firsts = [replace(strips[0], corner=corner) for corner in corners]
            _write_beside(ax, firsts[:: sizes.name_step], names[:: sizes.name_step], sizes)
            heads = column_names(panel.table, sizes.strip[1])
            tops = strips[: sizes.columns]
            if sizes.signal:
                corner = sizes.signal_corners()[0]
                tops = [replace(strips[0], corner=corner), *tops]
                heads = ["input", *heads]
            _write_above(ax, tops, heads, size)
            return
        names = [sizes.elide(name) for name in panel.names]
        if sizes.is_above:
            _write_above(ax, strips, names, size)
            return
        step = sizes.name_step * sizes.columns
        first = step - sizes.columns if sizes.signal else 0  # the name of the signal is above
        for column in range(1 if panel.signed else sizes.columns):
            part = slice(first + column, None, step)
            _write_beside(ax, strips[part], names[part], sizes)
        if sizes.signal:
            corners = sizes.signal_corners()
            beside = [replace(strips[0], corner=corner) for corner in corners[:1]]
            _write_beside(ax, beside, [sizes.elide("input")], sizes)

    def _write_steps(self, ax: Axes) -> None:
        """Write the numbers of steps below each column, and what they count below the middle."""
        panel, sizes = self.panel, self.sizes
        signals = panel.signals
        steps = panel.tiles.shape[2] if signals is None else signals.shape[1]
        digits = screen_width(str(steps - 1), font_size("small")) / 72
        bins = max(1, int(sizes.strip[1] / max(STEP_ROOM, 2 * digits)))
        locator = MaxNLocator(bins, integer=True, steps=[1, 2, 5, 10], min_n_ticks=1)
        numbers = [round(n) for n in locator.tick_values(0, steps - 1) if 0 <= n <= steps - 1]
        if len(numbers) < 2 and sizes.strip[1] > 2.5 * digits:
            numbers = sorted({0, steps - 1})
        ticks, feet = [], sizes.feet()
        for left, bottom in feet:
            strip = Strip(corner=(left, bottom), size=sizes.strip, steps=steps, limits=(0.0, 1.0))
            for number in numbers:
                x = strip.x(number)
                ticks.append([(x, bottom - 0.02), (x, bottom - 0.06)])
                # A number at an end must not reach into the next column.
                before = len(feet) > 1 and x - left < digits / 2
                after = left + sizes.strip[1] - x < digits / 2
                x, ha = (left, "left") if before else (x, "center")
                x, ha = (left + sizes.strip[1], "right") if after else (x, ha)
                _write(ax, (x, bottom - 0.08), str(number), ha=ha, va="top")
        ax.add_collection(LineCollection(ticks, colors=SIGNAL_COLOR, linewidths=0.8), autolim=False)
        left, right = feet[0][0], feet[-1][0] + sizes.strip[1]
        word = "step of the input" if signals is not None else "step"
        _write(ax, ((left + right) / 2, sizes.legend), word, ha="center", va="bottom")


def _prepare(ax: Axes, size: tuple[float, float]) -> None:
    height, width = size
    ax.set(xlim=(0, width), ylim=(0, height), xticks=[], yticks=[])
    ax.patch.set_visible(False)
    ax.spines[:].set_visible(False)
    ax.grid(False)


def _draw_heat(
    ax: Axes, panel: TilePanel, sizes: StripSizes, scale: ColorScale
) -> DownsampledPcolorImage:
    """Draw all strips as one image of colours, with masked cells in the gaps between them."""
    steps = panel.tiles.shape[2]
    shape = 2 * sizes.rows - 1, sizes.columns * (steps + 1) - 1
    array = np.ma.MaskedArray(np.zeros(shape), mask=True)
    for index, values in enumerate(panel.tiles[:, 0]):
        row, column = divmod(index, sizes.columns)
        array[2 * row, column * (steps + 1) : column * (steps + 1) + steps] = values
    (height, width), lefts = sizes.strip, [sizes.corner(0, n)[0] for n in range(sizes.columns)]
    x_edges = np.concatenate([np.linspace(left, left + width, steps + 1) for left in lefts])
    bottoms = [sizes.corner(row, 0)[1] for row in range(sizes.rows)]
    y_edges = np.concatenate([[bottom + height, bottom] for bottom in bottoms])
    image = DownsampledPcolorImage(
        ax, x_edges, y_edges[::-1], array[::-1], norm=scale.norm, cmap=scale.cmap
    )
    image.set_clip_path(ax.patch)
    ax.add_image(image)
    image.set_label(panel.heading)
    return image


def _draw_zeros(ax: Axes, strips: Sequence[Strip]) -> None:
    """Draw a thin line at 0 through each strip."""
    low, high = strips[0].limits
    if not low <= 0 <= high:
        return
    lines = []
    for strip in strips:
        (left, bottom), (height, width) = strip.corner, strip.size
        y = bottom + (0 - low) / (high - low) * height
        lines.append([(left, y), (left + width, y)])
    zeros = LineCollection(lines, colors=ZERO_COLOR, linewidths=0.7, zorder=1)
    ax.add_collection(zeros, autolim=False)


def _draw_values(ax: Axes, strip: Strip, panel: TilePanel, part: slice) -> None:
    """Draw what is in one strip: a curve for each slice, or stems."""
    curves = panel.tiles[part, 0]
    if panel.form == "heat":
        _mark_invalid(ax, strip, curves[0])
        return
    if panel.absent[part].all():
        _draw_absent(ax, strip, curves[0])
        return
    if panel.form == "stems" and len(curves) == 1 and curves.shape[1] <= MAX_STEMS:
        _draw_stems(ax, strip, curves[0])
        return
    for index, curve in enumerate(curves):
        _draw_curve(ax, strip, curve, _cycle_color(index))
        if panel.form == "stems" and curve.size <= MAX_STEMS:
            ax.lines[-1].set(markevery=None)  # each weight is a dot


def _draw_curve(ax: Axes, strip: Strip, values: np.ndarray, color: str, width: float = 1.1) -> None:
    (line,) = ax.plot(
        np.arange(len(values)),
        values,
        color=color,
        linewidth=width,
        transform=strip.transform(ax),
        solid_joinstyle="round",
        scalex=False,
        scaley=False,
    )
    line.set_clip_path(strip.clip(ax))
    lonely = _lonely(values)
    line.set(marker="o", markersize=2.5, markevery=lonely, linestyle="-")
    _mark_invalid(ax, strip, values)


def _mark_invalid(ax: Axes, strip: Strip, values: np.ndarray) -> None:
    """Draw a line across the strip where a value is NaN or infinite."""
    invalid = np.flatnonzero(~np.isfinite(values))
    if invalid.size:
        bottom, height = strip.corner[1], strip.size[0]
        marks = [[(strip.x(i), bottom), (strip.x(i), bottom + height)] for i in invalid.tolist()]
        ax.add_collection(LineCollection(marks, colors=INVALID, linewidths=1.2), autolim=False)


def _lonely(values: np.ndarray) -> list[int]:
    """Return the indices of values between two gaps, which no line reaches."""
    gaps = np.pad(~np.isfinite(values), 1, constant_values=True)
    return np.flatnonzero(gaps[:-2] & gaps[2:] & ~gaps[1:-1]).tolist()


def _draw_absent(ax: Axes, strip: Strip, values: np.ndarray) -> None:
    """Draw a map or a kernel that shows nothing faintly, with a cross in its middle."""
    _draw_curve(ax, strip, values, CROSS_COLOR, width=0.8)
    (left, bottom), (height, width) = strip.corner, strip.size
    x, y = left + width / 2, bottom + height / 2
    ax.plot(x, y, marker="x", color=CROSS_COLOR, markersize=5, scalex=False, scaley=False)


def _draw_stems(ax: Axes, strip: Strip, values: np.ndarray) -> None:
    """Draw a stem for each weight, red above 0 and blue below."""
    steps = np.arange(len(values))
    colors = np.where(values < 0, NEGATIVE, POSITIVE)
    transform = strip.transform(ax)
    stems = [[(step, 0.0), (step, value)] for step, value in zip(steps, values, strict=True)]
    lines = LineCollection(stems, colors=colors.tolist(), linewidths=1.6, transform=transform)
    heads = ax.scatter(steps, values, s=10, c=colors.tolist(), transform=transform, zorder=3)
    ax.add_collection(lines, autolim=False)
    for artist in (lines, heads):
        artist.set_clip_path(strip.clip(ax))


def _write(
    ax: Axes, place: tuple[float, float], text: str, *, ha: str, va: str, size: str = "small"
) -> None:
    ax.text(*place, text, ha=ha, va=va, fontsize=size, clip_on=False)


def _write_legend(ax: Axes, count: int) -> None:
    """Say in the lower left corner which colour belongs to which curve of a strip."""
    handles = [
        Line2D([], [], color=_cycle_color(index), linewidth=1.6, label=str(index))
        for index in range(count)
    ]
    ax.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 0),
        ncols=count,
        fontsize="small",
        frameon=False,
        borderpad=0,
        borderaxespad=0,
        handlelength=1.2,
        handletextpad=0.4,
        columnspacing=1.0,
    )


def _write_beside(
    ax: Axes, strips: Sequence[Strip], names: Sequence[str], sizes: StripSizes
) -> None:
    for strip, name in zip(strips, names, strict=True):
        left, bottom = strip.corner
        _write(ax, (left - sizes.pad, bottom + strip.size[0] / 2), name, ha="right", va="center")


def _write_above(ax: Axes, strips: Sequence[Strip], names: Sequence[str], size: float) -> None:
    for strip, name in zip(strips, names, strict=True):
        (left, bottom), (height, width) = strip.corner, strip.size
        text = escape(elide_middle(name, width * 72, size))
        _write(ax, (left + width / 2, bottom + height + 0.03), text, ha="center", va="bottom")


def _write_limits(ax: Axes, strip: Strip, sizes: StripSizes) -> None:
    """Write the values at both ends of a strip beside it, where there is room for two lines."""
    (left, bottom), (height, width) = strip.corner, strip.size
    if height < 2 * line_height("x-small"):
        return
    low, high = strip.limits
    x = left + width + sizes.pad / 2
    axis = LineCollection(
        [[(x, bottom), (x, bottom + height)]], colors=SIGNAL_COLOR, linewidths=0.8
    )
    ax.add_collection(axis, autolim=False)
    x += sizes.pad / 2
    _write(ax, (x, bottom + height), write_limit(high), ha="left", va="top", size="x-small")
    _write(ax, (x, bottom), write_limit(low), ha="left", va="bottom", size="x-small")


def _coordinate_formatter(
    panel: TilePanel, strips: Sequence[Strip]
) -> Callable[[float, float], str]:
    """Return what writes the map, the step and the value below the mouse."""

    def format_coord(x: float, y: float) -> str:
        for index, strip in enumerate(strips):
            (left, bottom), (height, width) = strip.corner, strip.size
            if left <= x < left + width and bottom <= y <= bottom + height:
                step = math.floor((x - left) / width * strip.steps)
                parts = panel.values[index * panel.slices : (index + 1) * panel.slices, 0, step]
                values = ", ".join(np.array2string(value, precision=4) for value in parts)
                return f"{panel.strip_name(index)}, step {step}: {values}"
        return ""

    return format_coord


def _cycle_color(index: int) -> str:
    cycle = color_cycle()
    return cycle[index % len(cycle)]
