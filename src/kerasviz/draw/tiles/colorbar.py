"""Draw the colour bar of a panel, where one would tell the truth."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib import rcParams
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Normalize
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.ticker import AutoLocator

from kerasviz.draw.color import ColorScale, outline_colorbar, value_range
from kerasviz.draw.label_colors import name_labels
from kerasviz.draw.text import font_size, screen_width
from kerasviz.draw.tiles.style import TileStyle

# Sizes in inches, as those of a figure.
BAR_WIDTH, BAR_PAD = 0.13, 0.1
"""Width of a colour bar, and its distance from the tiles."""
BAR_LABELS = 0.45
"""Room for its labels, where it is not known how wide they are."""
MAX_NUMBERS = 10
"""How many numbers a bar has at most, as Matplotlib chooses them."""
BAR_LINE = 1.3
"""The least distance between two of its numbers, in sizes of their font."""
BAR_ROOM = BAR_PAD + BAR_WIDTH + BAR_LABELS


def bar_room() -> float:
    """Return the room that a colour bar needs at the right in the usual font, in inches."""
    return BAR_PAD + BAR_WIDTH + BAR_LABELS * font_size() / 10


class BarLocator(AutoLocator):
    """Chooses the numbers beside a colour bar, as few as have room in the height that it has."""

    def __call__(self) -> Any:
        """Return the values that get a number."""
        axis: Any = self.axis
        low, high = sorted(axis.get_view_interval())
        ticks = [tick for tick in super().__call__() if low <= tick <= high]
        height = axis.axes.bbox.height * 72 / axis.axes.figure.dpi
        line = BAR_LINE * font_size("small")
        if len(ticks) < 2 or (ticks[1] - ticks[0]) / (high - low) * height >= line:
            return np.array(ticks)
        # Of those at the same distance from 0, which is the middle of signed values.
        nearest = min(range(len(ticks)), key=lambda index: abs(ticks[index]))
        step = math.ceil(line * (high - low) / height / (ticks[1] - ticks[0]))
        chosen = ticks[nearest % step :: step]
        if len(chosen) < 2 and len(ticks) > step:  # one number alone would tell no scale
            chosen = [ticks[0], ticks[-1]]
        return np.array(chosen)


def longest_number(bar: Colorbar) -> float:
    """Return how far the numbers of a bar stick out at most, however high it is, in inches."""
    if not isinstance(bar.locator, BarLocator):
        return 0.0
    limits, auto = sorted(bar.ax.yaxis.get_view_interval()), AutoLocator()
    size, formatter, widths = font_size("small"), bar.formatter, []
    for count in range(1, MAX_NUMBERS):  # a few at 0.25 and 0.5 are longer than many at 0.2 and 0.4
        auto.set_params(nbins=count)
        texts = formatter.format_ticks(list(auto.tick_values(*limits)))
        widths += [screen_width(text, size) for text in texts]
    beside = float(rcParams["ytick.major.size"]) + float(rcParams["ytick.major.pad"])
    return (max(widths, default=0.0) + beside) / 72


def needs_bar(scale: ColorScale | None, style: TileStyle) -> bool:
    """Whether a colour bar would tell the truth: never over tiles on scales of their own."""
    return bool(style.layout.colorbar) and scale is not None and style.colors.scale != "tile"


def add_bar(
    image: AxesImage,
    tiles: np.ndarray,
    *,
    over: bool = False,
    labels: tuple[str, ...] = (),
    **place: Any,
) -> Colorbar:
    """Add a colour bar, which ends in an arrow where values are beyond its limits.

    Args:
        image: The image whose colours it explains.
        tiles: The values that have these colours.
        over: Whether the colours are drawn over a background.
        labels: Of a label map, the names of the classes.
        **place: Where to, as for `Figure.colorbar`.
    """
    lowest, highest = value_range(tiles)
    vmin, vmax = image.get_clim()
    below, above = vmin is not None and lowest < vmin, vmax is not None and highest > vmax
    extend = {(True, True): "both", (True, False): "min", (False, True): "max"}
    bar = image.axes.figure.colorbar(image, extend=extend.get((below, above), "neither"), **place)
    if type(image.norm) is Normalize and bar.orientation == "vertical" and not labels:
        bar.locator = BarLocator()
    outline_colorbar(bar)
    if bar.orientation == "vertical":
        bar.ax.xaxis.set_visible(False)  # it is empty, but takes as long as one that is not
    bar.ax.tick_params(labelsize="small")
    if labels:
        name_labels(bar, labels)
    if over:
        # What shines through is black in the left half and white in the right one.
        for left, color in ((0.0, "black"), (0.5, "white")):
            half = Rectangle(
                (left, 0), 0.5, 1, transform=bar.ax.transAxes, color=color, linewidth=0
            )
            bar.ax.add_patch(half).set_zorder(0)
    return bar
