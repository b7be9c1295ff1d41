"""Draw the values of a vector as bars, each with its name and its number.

A panel is one Axes whose vertical unit is a bar; names and numbers are inside it, so that it can be
an Axes of the caller's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.transforms import blended_transform_factory

from kerasviz.draw.charts.strip_sizes import PAD, line_height, write_limit
from kerasviz.draw.charts.strips import ZERO_COLOR
from kerasviz.draw.color import INVALID, ColorScale, color_cycle
from kerasviz.draw.figure import describe_on_hover
from kerasviz.draw.text import elide_middle, escape, font_size, screen_width
from kerasviz.draw.tiles.panel import TilePanel

# Sizes in inches, as those of a figure.
BAR_PITCH = 0.24
"""The height of a bar, with the gap to the next one."""
BARS_WIDTH = 3.0
"""The width of bars in a new figure, without their names and numbers."""
MAX_NAME_WIDTH = 2.2
MAX_NAME_SHARE = 0.4
"""The widest name, and which part of a panel names or numbers take at most."""
MIN_SHARE = 0.001
"""Smaller shares are not written as numbers."""
MIN_BARS = 0.3
"""Which part of the height of a panel the bars fill, however high a line of text is."""
THICKNESS = 0.72
"""Which part of its pitch a bar fills."""


@dataclass(frozen=True, kw_only=True)
class BarPlan:
    """A panel of bars, before it is drawn; sizes are in inches.

    Args:
        panel: What to draw: values `(n, 1, 1)`.
        pitch: The height of a bar with its gap.
        left: Room for the names.
        right: Room for the numbers of values from 0 upwards, and below 0 at the other side.
        bars: Room for the bars.
        edge: Room above and below all bars, for a name that is higher than its bar.
    """

    panel: TilePanel
    pitch: float
    left: float
    right: float
    bars: float
    edge: float = 0.0
    head: float = 0.0

    @property
    def size(self) -> tuple[float, float]:
        """Height and width."""
        height = self.pitch * len(self.panel.tiles) + 2 * self.edge
        return height, self.left + self.right + self.bars

    @property
    def unit(self) -> float:
        """Inches per bar."""
        return self.pitch

    def draw(self, ax: Axes, scale: ColorScale) -> None:
        """Draw the bars from 0, the first one uppermost, with names left and numbers beside."""
        panel, norm = self.panel, scale.norm
        values = panel.tiles[:, 0, 0].astype("float64")
        count, (low, high) = len(values), (float(norm.vmin or 0.0), float(norm.vmax or 0.0))
        per_inch = (high - low) / self.bars
        start = low - per_inch * (self.left + (self.right / 2 if low < 0 else 0.0))
        beyond = 0.5 + self.edge / self.pitch
        ax.set(xlim=(start, start + per_inch * self.size[1]), ylim=(count - 1 + beyond, -beyond))
        ax.set(xticks=[], yticks=[])
        ax.patch.set_visible(False)
        ax.spines[:].set_visible(False)
        ax.grid(False)
        lengths = np.clip(np.nan_to_num(values, nan=0.0), low, high)
        cycle = color_cycle()
        colors = [cycle[0] if value >= 0 else cycle[1 % len(cycle)] for value in lengths]
        ax.barh(np.arange(count), lengths, height=THICKNESS, color=colors)
        zero = LineCollection(
            [[(0.0, -0.5), (0.0, count - 0.5)]], colors=ZERO_COLOR, linewidths=0.8, zorder=1
        )
        ax.add_collection(zero, autolim=False)
        step = max(1, math.ceil(line_height() / self.pitch))
        self._write(ax, values, lengths, slice(None, None, step))
        describe_on_hover(ax, _coordinate_formatter(panel))

    def _write(self, ax: Axes, values: np.ndarray, lengths: np.ndarray, part: slice) -> None:
        size = font_size("small")
        at_left = blended_transform_factory(ax.transAxes, ax.transData)
        width = self.left - PAD
        edge = width / self.size[1]
        for index in range(len(values))[part]:
            name = escape(elide_middle(self.panel.names[index], 72 * width + 0.1, size))
            ax.text(
                edge,
                index,
                name,
                ha="right",
                va="center_baseline",
                fontsize=size,
                transform=at_left,
            )
            value = float(values[index])
            is_negative = value < 0
            ax.annotate(
                write_value(value, is_share=self.panel.is_share),
                (float(lengths[index]), index),
                xytext=(-3 if is_negative else 3, 0),
                textcoords="offset points",
                ha="right" if is_negative else "left",
                va="center_baseline",
                fontsize=size,
                color=None if math.isfinite(value) else INVALID,
                annotation_clip=False,
            )


def write_value(value: float, *, is_share: bool) -> str:
    """Return the number beside a bar; a share is never 0 or 1 that is not exactly so."""
    if not is_share or value in (0.0, 1.0) or not math.isfinite(value):
        return write_limit(value)
    if value < MIN_SHARE:
        return f"<{MIN_SHARE}"
    return f">{1 - MIN_SHARE}" if value > 1 - MIN_SHARE / 2 else f"{value:.3f}"


def plan_bars(panel: TilePanel, room: tuple[float, float], *, new: bool) -> BarPlan:
    """Choose the sizes of bars, with their names and numbers.

    Args:
        panel: What to draw.
        room: Width and height to fill, in inches.
        new: Whether the figure is a new one, which becomes as large as the bars need.
    """
    size, count = font_size("small"), len(panel.tiles)
    values = panel.tiles[:, 0, 0]
    names = max(screen_width(name, size) for name in panel.names) / 72
    texts = [write_value(float(value), is_share=panel.is_share) for value in values]
    numbers = max(screen_width(text, size) for text in texts) / 72 + PAD
    right = numbers * (2 if (values < 0).any() else 1)
    if new:
        return BarPlan(
            panel=panel,
            pitch=max(BAR_PITCH, line_height()),
            left=min(names, MAX_NAME_WIDTH) + PAD,
            right=right,
            bars=BARS_WIDTH,
        )
    left = min(names + PAD, MAX_NAME_SHARE * room[0])
    right = min(right, MAX_NAME_SHARE * room[0])
    bars = room[0] - left - right
    edge = max(0.0, (line_height() - room[1] / count) / 2)
    pitch = max(room[1] - 2 * edge, MIN_BARS * room[1]) / count
    return BarPlan(panel=panel, pitch=pitch, left=left, right=right, bars=bars, edge=edge)


def _coordinate_formatter(panel: TilePanel) -> Callable[[float, float], str]:
    def format_coord(_x: float, y: float) -> str:
        index = math.floor(y + 0.5)
        if not 0 <= index < len(panel.values):
            return ""
        return (
            f"{panel.strip_name(index)}: {np.array2string(panel.values[index, 0, 0], precision=4)}"
        )

    return format_coord
