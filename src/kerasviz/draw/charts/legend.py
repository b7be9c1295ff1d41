"""Draw the legend of curves, in as many columns as there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

from kerasviz.draw.color import muted_color, pale_color, series_colors
from kerasviz.draw.text import LABEL_SIZE, escape, font_size, text_width

Style = Literal["solid", "dashed", "dotted"]
"""Dotted, with open dots, is a curve at assumed epochs."""
DASHES: dict[Style, Any] = {"solid": "-", "dashed": (0, (4, 2)), "dotted": (0, (1, 2.5))}
WIDTHS: dict[Style, float] = {"solid": 1.6, "dashed": 1.2, "dotted": 1.2}
THIN = 0.6
"""The width of the lines of what is there for comparison only."""
HANDLE, HANDLE_PAD, COLUMN_GAP = 2.0, 0.5, 1.5
"""Lengths in a legend: a line, its distance from the words, and between columns; in font sizes."""


@dataclass(frozen=True, kw_only=True)
class LegendEntry:
    """A line of the legend.

    Args:
        text: Its words, drawn letter by letter.
        color: Index of its colour, `None` for grey.
        style: How it is drawn.
        is_thin: Whether it is one of many that are thin and grey.
    """

    text: str
    color: int | None
    style: Style = "solid"
    is_thin: bool = False


@dataclass(frozen=True, kw_only=True)
class Palette:
    """The colours of a panel: of its series, and the greys of what belongs to none.

    Args:
        series: The colours of series.
        muted: A grey.
        pale: A lighter one, of series that are there for comparison only.
    """

    series: Sequence[str]
    muted: str
    pale: str

    def of(self, index: int | None) -> str:
        """Return the colour of a series, or the pale grey."""
        return self.pale if index is None else self.series[index]


def choose_palette(count: int, ground: str) -> Palette:
    """Return the colours for `count` series on a ground."""
    return Palette(
        series=series_colors(count, ground), muted=muted_color(ground), pale=pale_color(ground)
    )


def legend_options(
    entries: Sequence[LegendEntry], palette: Palette, width: float
) -> dict[str, Any]:
    """Return the keywords of a Matplotlib legend without a frame, at most `width` points wide."""
    size = font_size(LABEL_SIZE)
    return {
        "handles": [_handle(entry, palette) for entry in entries],
        "ncols": _choose_columns([entry.text for entry in entries], width, size),
        "fontsize": size,
        "frameon": False,
        "borderpad": 0,
        "borderaxespad": 0,
        "handlelength": HANDLE,
        "handletextpad": HANDLE_PAD,
        "columnspacing": COLUMN_GAP,
        "labelspacing": 0.3,
    }


@dataclass(frozen=True, kw_only=True)
class Legends:
    """The legends of a picture, each of which can be replaced by one of another width.

    Args:
        written: The legend of each figure and Axes.
    """

    written: dict[Figure | SubFigure | Axes, Legend] = field(default_factory=dict)

    def hide(self) -> None:
        """Hide the legends, until they are replaced."""
        for legend in self.written.values():
            legend.set_visible(False)

    def write(self, owner: Figure | SubFigure | Axes, **options: Any) -> float:
        """Add a legend to a figure or an Axes, in place of that which was written there before.

        Returns:
            Its height in inches, 0 where the caller has removed it.
        """
        former = self.written.get(owner)
        legends = [owner.get_legend()] if isinstance(owner, Axes) else owner.legends
        if former is not None and former not in legends:
            return 0.0
        legend = self.written[owner] = owner.legend(**options)
        if former is not None and not isinstance(owner, Axes):
            former.remove()
            # A figure that is being drawn has made the list of what it draws, with the former one.
            stale: Any = former
            stale.draw = legend.draw
        return float(legend.get_window_extent().height / owner.figure.dpi)


def _handle(entry: LegendEntry, palette: Palette) -> Line2D:
    width = THIN if entry.is_thin else WIDTHS[entry.style]
    is_grey = entry.color is None and not entry.is_thin
    color = palette.muted if is_grey else palette.of(entry.color)
    line = Line2D([], [], color=color, linewidth=width, label=escape(entry.text))
    line.set_linestyle(DASHES[entry.style])
    return line


def _choose_columns(texts: Sequence[str], width: float, size: float) -> int:
    """Return how many columns of a legend fit into `width` points."""
    widths = [text_width(text, size) + (HANDLE + HANDLE_PAD + COLUMN_GAP) * size for text in texts]
    for columns in range(len(texts), 1, -1):
        # Matplotlib fills a legend column by column, the first ones with one entry more.
        parts = np.array_split(widths, columns)
        if sum(part.max() for part in parts) - COLUMN_GAP * size <= width:
            return columns
    return 1
