"""Draw the histograms of many layers as the rows of one panel: a ridgeline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.text import Annotation

from kerasviz.draw.charts.axes import (
    EDGE,
    NumberFormatter,
    choose_ticks,
    font_scale,
    line_width,
    measure_around,
    scale_extent,
    set_limits,
    write_title,
)
from kerasviz.draw.charts.histograms import OPACITY, Histogram, mark_zero
from kerasviz.draw.charts.legend import choose_palette
from kerasviz.draw.color import faint_color, ground_color, ink_color, readable_color
from kerasviz.draw.figure import Placement
from kerasviz.draw.least_size import draw_legible
from kerasviz.draw.panel_grid import (
    OpenPanels,
    PanelExtent,
    PanelGrid,
    figure_inches,
    has_layout_engine,
    open_panels,
)
from kerasviz.draw.plot import Plot
from kerasviz.draw.text import (
    DESCENT,
    LABEL_SIZE,
    LINE_FILL,
    LINE_HEIGHT,
    TITLE_SIZE,
    elide_middle,
    escape,
    font_size,
    text_height,
    text_width,
    wrap_text,
)

PANEL = PanelExtent(width=4.6, left=1.2, right=0.8, below=0.5)
"""The width of the panel in a new figure, and about the room around it, in inches."""
MAX_ROW, MAX_HEIGHT = 0.32, 10.0
"""How high a row is in a new figure where there are few, and how high all are, in inches."""
FULL = 0.86
"""Which part of a row its highest bar takes."""
MAX_NAME = 2.6
"""How wide a name may be in a new figure, in inches."""
MAX_NAME_SHARE = 0.35
"""How much of the width of a figure of the caller's names may take."""
PAD = 4.0
"""Distance of names, spreads and title from the panel, in points."""


def draw_ridgeline(
    rows: Sequence[Histogram],
    place: Placement,
    *,
    heading: str,
    names: Sequence[str],
    log: bool = False,
    words: tuple[str, str] = ("weight", "std"),
) -> Plot:
    """Draw a row per layer on one axis of weights: its name, its bars, and the spread at the right.

    The bars of a row begin at its base line, and the highest of them is as high as the row allows:
    heights can be compared within a row, widths and positions between rows.

    Args:
        rows: The histograms, at least one, all with the same limits. In each row those of several
            models are on one scale.
        place: Where to draw, and the title.
        heading: What the panel shows, drawn letter by letter.
        names: The name of each model; "" of one that is alone.
        log: Whether heights are logarithmic, from half of the smallest possible bar.
        words: What the values are, and what the number at the right of a row is.
    """

    def draw(place: Placement) -> Plot:
        with open_panels(place, PanelGrid(columns=1), 1) as opened:
            ridgeline = _Ridgeline(
                opened=opened, place=place, rows=rows, names=names, log=log, words=words
            )
            ridgeline.draw(heading)
            return Plot.of_axes(
                opened.figure,
                [*opened.axes] * len(rows),
                addresses=[row.address for row in rows],
                titles=[row.heading for row in rows],
                values=[np.stack(row.heights) for row in rows],
                owns_figure=place.is_new,
            )

    return draw_legible(place, draw)


@dataclass(frozen=True, kw_only=True)
class _Column:
    """The standard deviations of a model's layers, in words, with what is above them."""

    heading: str
    spreads: Sequence[str]
    color: str
    width: float


@dataclass(frozen=True, kw_only=True)
class _Ridgeline:
    """A ridgeline while it is drawn; see `draw_ridgeline`."""

    opened: OpenPanels
    place: Placement
    rows: Sequence[Histogram]
    names: Sequence[str]
    log: bool
    words: tuple[str, str]
    beside: list[Annotation] = field(default_factory=list)

    @property
    def ax(self) -> Axes:
        """The panel."""
        return self.opened.axes[0]

    @property
    def _is_placed_later(self) -> bool:
        """Whether a layout engine, which has not placed the caller's Axes yet, will do so."""
        return self.place.ax is not None and has_layout_engine(self.opened.figure)

    def draw(self, heading: str) -> None:
        """Draw the rows, what is beside them, and then the title, for which the width is known."""
        ax, count = self.ax, len(self.rows)
        self.opened.place([self._natural_extent])
        for index, row in enumerate(self.rows):
            self._draw_row(row, count - 1 - index)
        mark_zero(ax, self.rows[0].limits)
        ax.set(xlim=self.rows[0].limits, ylim=(-0.1, count))
        ax.spines[["left", "top", "right"]].set_visible(False)
        ax.grid(False)
        ax.tick_params(labelsize=LABEL_SIZE)
        ax.xaxis.set_major_formatter(NumberFormatter())
        ax.set_xlabel(self.words[0], fontsize=LABEL_SIZE)
        self.opened.fit(partial(self._write_words, heading))

    @property
    def _natural_extent(self) -> PanelExtent:
        """The extent of the panel in a new figure."""
        line, count = LINE_HEIGHT * font_size(LABEL_SIZE) / 72, len(self.rows)
        row_height = max(min(MAX_ROW * font_scale(), MAX_HEIGHT / count), line)
        return replace(scale_extent(PANEL), height=row_height * count)

    def _write_words(self, heading: str) -> None:
        """Write what is around the rows, at the size that the panel has, and place it."""
        extent = self._natural_extent
        self.opened.place([extent])
        self._write_beside()
        (extent,) = measure_around(self.opened, [extent])
        self.opened.place([extent])
        # The panel has another size now, and the words beside it may need other rows.
        height = self._write_title(heading, *self._write_beside())
        self.opened.place([replace(extent, above=height)])

    def _write_beside(self) -> tuple[float, float]:
        """Write names and spreads beside the panel, in place of former ones.

        Returns:
            The height of what is above the panel then, and the width of the panel, in points.
        """
        for text in self.beside:
            if text.axes is not None:  # the caller may have removed it
                text.remove()
        self.beside.clear()
        step, columns = self._name_step(), self._columns()
        names = self._write_names(step)
        spreads = PAD + sum(column.width for column in columns)
        left, panel = PAD, line_width(self.ax)
        (low, high), part = self.rows[0].limits, 0.0
        if spreads > self._room_right():  # in the panel then, of which the bars leave a part free
            left -= spreads
            part = min(spreads / panel, 0.5)
        set_limits(self.opened, self.ax, "x", (low, low + (high - low) / (1 - part)))
        if self._is_placed_later:
            page_width, _ = figure_inches(self.opened.figure)
            panel = LINE_FILL * (72 * (page_width - 2 * EDGE) - names - spreads)
        choose_ticks(self.ax, panel, integer=False)
        lines = max(len(column.heading.splitlines()) for column in columns)
        above = lines * LINE_HEIGHT * font_size(LABEL_SIZE)
        # In an Axes that stays where the caller put it, headings are in the panel, above the rows.
        is_inside = self.place.ax is not None and not self._is_placed_later
        if is_inside:
            height = 72 * self.ax.get_window_extent().height / self.ax.figure.dpi
            rows = len(self.rows) / (1 - min((above + PAD) / height, 0.5))
            set_limits(self.opened, self.ax, "y", (-0.1, rows))
        for column in columns:
            self._write_at(column.heading, None, left, column.color, is_inside=is_inside)
            for index in range(0, len(self.rows), step):
                base = len(self.rows) - 1 - index + FULL / 3
                self._write_at(column.spreads[index], base, left, column.color)
            left += column.width
        return 0.0 if is_inside else above, panel

    def _draw_row(self, row: Histogram, base: int) -> None:
        """Draw the bars of a layer on their base line."""
        ax, ground = self.ax, ground_color(self.ax)
        palette = choose_palette(len(row.heights), ground).series
        several = len(palette) > 1
        ax.axhline(base, color=faint_color(ground), linewidth=0.8, zorder=0.5)
        for heights, color in zip(_scale_bars(row, log=self.log), palette, strict=True):
            ax.stairs(
                base + FULL * heights,
                row.edges,
                baseline=base,
                fill=True,
                facecolor=to_rgba(color, OPACITY if several else 1),
                edgecolor=color,
                linewidth=1 if several else 0,
            )

    def _name_step(self) -> int:
        """Return which rows are named: every one, or every second, third, … for want of room."""
        ax = self.ax
        row = ax.get_window_extent().height / ax.figure.dpi * 72 / (len(self.rows) + 0.1)
        return math.ceil(LINE_HEIGHT * font_size(LABEL_SIZE) / row)

    def _write_names(self, step: int) -> float:
        """Write the layers' names at the left, and return the width of the widest in points."""
        width, size = self._name_width(), font_size(LABEL_SIZE)
        names = [
            elide_middle(row.address, width, size) if index % step == 0 else ""
            for index, row in enumerate(self.rows)
        ]
        bases = np.arange(len(names))[::-1]
        self.ax.set_yticks(bases + FULL / 3, [escape(name) for name in names])
        self.ax.tick_params(axis="y", length=0, pad=PAD)
        return PAD + max(text_width(name, size) for name in names)

    def _name_width(self) -> float:
        """Return how wide a name may be, in points."""
        if self.place.grows:
            return MAX_NAME * 72 * font_scale()
        page_width, _ = figure_inches(self.opened.figure)
        if self.place.ax is None or self._is_placed_later:
            return MAX_NAME_SHARE * page_width * 72
        left = self.ax.get_window_extent().x0 - self.opened.figure.bbox.x0
        return max(float(left) / self.ax.figure.dpi * 72 - 2 * PAD, 0.0)

    def _room_right(self) -> float:
        """Return the room at the right of the panel in points: of no limit where it is made."""
        figure = self.opened.figure
        if self.place.ax is None or self._is_placed_later:
            return math.inf
        right = figure.bbox.x1 - self.ax.get_window_extent().x1
        return float(right) / figure.dpi * 72

    def _columns(self) -> list[_Column]:
        """Return the standard deviations at the right, a column per model."""
        size, columns = font_size(LABEL_SIZE), []
        # In an Axes of the caller's, what is at the right may be in the panel.
        ground = ground_color(self.ax if self.place.ax is not None else self.ax.figure)
        colors = [ink_color()]
        if len(self.names) > 1:
            palette = choose_palette(len(self.names), ground_color(self.ax)).series
            colors = [readable_color(color, ground) for color in palette]
        for model, (name, color) in enumerate(zip(self.names, colors, strict=True)):
            heading = self.words[1]
            heading += f"\n{elide_middle(name, MAX_NAME * 72 / 2, size)}" if name else ""
            spreads = [row.spreads[model] for row in self.rows]
            width = max(text_width(word, size) for word in [*heading.splitlines(), *spreads])
            columns.append(
                _Column(
                    heading=escape(heading), spreads=spreads, color=color, width=width + 2 * PAD
                )
            )
        return columns

    def _write_at(
        self,
        text: str,
        base: float | None,
        left: float,
        color: str,
        *,
        is_inside: bool = False,
    ) -> None:
        """Write at the right of the panel: at a row, or above all rows."""
        pad = -PAD / 2 if is_inside else PAD
        annotation = self.ax.annotate(
            text,
            (1, 1 if base is None else base),
            xycoords="axes fraction" if base is None else ("axes fraction", "data"),
            xytext=(left, pad if base is None else 0),
            textcoords="offset points",
            fontsize=LABEL_SIZE,
            color=color,
            va="center_baseline" if base is not None else "top" if is_inside else "bottom",
        )
        self.beside.append(annotation)

    def _write_title(self, heading: str, above: float, width: float) -> float:
        """Write the title above the headings of the columns; return the height of both, inches."""
        title, size = self.place.title, font_size(TITLE_SIZE)
        text = title if isinstance(title, str) else escape(heading) if title else ""
        text = wrap_text(text, width, size)
        pad = PAD + above + DESCENT * size
        write_title(self.opened, self.ax, text, size=size, pad=pad)
        return (pad + PAD) / 72 + text_height(text, size)


def _scale_bars(row: Histogram, *, log: bool) -> list[np.ndarray]:
    """Return the heights of a row's bars, in 0 to 1, the highest of all models being 1."""
    highest = max(float(heights.max()) for heights in row.heights) or 1.0
    if not log:
        return [heights / highest for heights in row.heights]
    # As on a logarithmic axis that begins at half of the smallest bar: this one is seen too.
    lowest = row.min_height / 2
    return [
        np.log(np.maximum(heights, lowest) / lowest) / np.log(max(highest / lowest, 2.0))
        for heights in row.heights
    ]
