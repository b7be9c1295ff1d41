"""Set up the axes of a chart: sizes that go with the font, ticks that fit, numbers in full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, ScalarFormatter
from matplotlib.transforms import ScaledTranslation

from kerasviz.draw.least_size import MIN_SHARE_BELOW_LEGEND
from kerasviz.draw.panel_grid import OpenPanels, PanelExtent, measure
from kerasviz.draw.text import LABEL_SIZE, LINE_FILL, LINE_HEIGHT, fix_minus, font_size

MAX_FONT_SCALE = 1.6
"""How much larger panels become in a new figure whose font is larger than usual."""
USUAL_FONT = 10.0
TICK_ROOM = 4.5
"""The room for a tick on a horizontal axis, in sizes of its font."""
MIN_PLAIN, MAX_PLAIN = 1e-4, 1e6
"""Between these, the numbers of an axis are written with all their digits."""
EDGE = 0.1
"""Room around a panel and all that is beside and below it, in inches."""


def font_scale() -> float:
    """Return how much larger than usual the panels of a new figure are, for their words to fit."""
    return min(max(font_size() / USUAL_FONT, 1.0), MAX_FONT_SCALE)


def scale_extent(extent: PanelExtent) -> PanelExtent:
    """Return the extent of a panel in a new figure with the font that is set."""
    scale, room = font_scale(), max(font_size() / USUAL_FONT, 1.0)
    return PanelExtent(
        width=scale * extent.width,
        height=scale * extent.height,
        left=room * extent.left,
        right=room * extent.right,
        above=room * extent.above,
        below=room * extent.below,
    )


def measure_around(
    opened: OpenPanels, extents: Sequence[PanelExtent], *, above: bool = False
) -> list[PanelExtent]:
    """Return the extents with the room that the panels take beside and below them, as drawn."""
    measured = []
    for ax, extent in zip(opened.axes, extents, strict=True):
        around = measure(ax)
        room = {name: getattr(around, name) + EDGE for name in ("left", "right", "below")}
        measured.append(replace(extent, **room, above=around.above if above else extent.above))
    return measured


def choose_ticks(ax: Axes, width: float, *, integer: bool, max_ticks: int = 8) -> None:
    """Put as many ticks on the horizontal axis as there is room for, at round numbers.

    Args:
        ax: The panel.
        width: Its width in points.
        integer: Whether they must be whole numbers.
        max_ticks: About how many there may be.
    """
    room = TICK_ROOM * font_size(LABEL_SIZE)
    count = min(max(int(width / room), 1), max_ticks)
    steps = [1, 2, 5, 10] if integer else [1, 2, 2.5, 5, 10]
    ax.xaxis.set_major_locator(MaxNLocator(count, integer=integer, steps=steps, min_n_ticks=1))
    # Below the number at the foot of the other axis, half of which is below the panel.
    apart = LINE_HEIGHT / 2 * font_size(LABEL_SIZE) - rcParams["xtick.major.size"]
    ax.tick_params(axis="x", which="major", pad=max(rcParams["xtick.major.pad"], apart))


class NumberFormatter(ScalarFormatter):
    """Write the numbers of an axis without a common factor, which would be in the title's place."""

    def __init__(self) -> None:
        super().__init__(useOffset=False)
        self.set_scientific(False)

    def format_ticks(self, values: list[float]) -> list[str]:
        """Return the numbers, all with as many decimals; of extreme ones with an "e"."""
        largest = max(map(abs, values), default=0.0)
        if largest and not MIN_PLAIN <= largest < MAX_PLAIN:
            return [fix_minus(f"{value:.7g}") for value in values]
        return super().format_ticks(values)


def write_page_title(opened: OpenPanels, text: str, size: float) -> None:
    """Write a title above all panels, `EDGE` from the upper left corner of the figure.

    One that the caller has written since stays.
    """
    figure, titles = opened.figure, opened.places.titles
    if figure in titles and figure.get_suptitle() != titles[figure]:
        return
    # With `x` and `y`, no layout engine moves it.
    title = figure.suptitle(text, fontsize=size, x=0, y=1, ha="left", va="top")
    shift = ScaledTranslation(EDGE, -EDGE, figure.dpi_scale_trans)
    title.set_transform(figure.transSubfigure + shift)
    titles[figure] = figure.get_suptitle()


def write_title(opened: OpenPanels, ax: Axes, text: str, *, size: float, pad: float) -> None:
    """Write the title of a panel, flush left and `pad` points above it.

    One that the caller has written since stays.
    """
    titles = opened.places.titles
    if ax in titles and ax.get_title() != titles[ax]:
        return
    ax.set_title(text, fontsize=size, x=0, ha="left", y=1, pad=pad)
    titles[ax] = ax.get_title()


def line_width(ax: Axes) -> float:
    """Return how wide a line of text above a panel may be, in points."""
    return float(LINE_FILL * ax.get_window_extent().width / ax.figure.dpi * 72)


def set_limits(opened: OpenPanels, ax: Axes, axis: str, limits: tuple[float, float]) -> None:
    """Set the limits of the axis `"x"` or `"y"`.

    Those that the caller has set since stay.
    """
    written, get_limits = opened.places.limits, getattr(ax, f"get_{axis}lim")
    if written.get((ax, axis), get_limits()) == get_limits():
        ax.set(**{f"{axis}lim": limits})
        written[ax, axis] = get_limits()


def make_room(opened: OpenPanels, ax: Axes, height: float) -> None:
    """Extend the axis of values upwards until `height` points of a panel are empty."""
    bounds = opened.places.bounds.setdefault(ax, ax.get_ylim())
    part = height / 72 * ax.figure.dpi / ax.get_window_extent().height
    # On the scale of the axis, which may be logarithmic, and not in its values.
    scale = ax.yaxis.get_transform()
    low, high = scale.transform(np.array(bounds))
    high = low + (high - low) / max(1 - part, MIN_SHARE_BELOW_LEGEND)
    top = float(scale.inverted().transform(np.array([high]))[0])
    set_limits(opened, ax, "y", (bounds[0], top))
