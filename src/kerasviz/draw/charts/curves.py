"""Draw curves over the epochs of a training, with their legend above them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import PercentFormatter
from matplotlib.transforms import ScaledTranslation, Transform

from kerasviz.draw.charts.axes import (
    EDGE,
    NumberFormatter,
    choose_ticks,
    line_width,
    make_room,
    measure_around,
    scale_extent,
    write_page_title,
    write_title,
)
from kerasviz.draw.charts.legend import (
    DASHES,
    THIN,
    WIDTHS,
    LegendEntry,
    Legends,
    Palette,
    Style,
    choose_palette,
    legend_options,
)
from kerasviz.draw.color import ground_color
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
    TITLE_SIZE,
    escape,
    font_size,
    text_height,
    wrap_text,
)

MIN_COUNT = 4
"""The lowest end of an axis of counts."""
MIN_SHARE = 0.05
"""The upper end of an axis of shares is at least this."""
MAX_DOTS, MAX_DOTTED = 30, 14
"""Where no curve has more points, and there are no more curves, they have a dot at each."""

PANEL = PanelExtent(width=4.2, height=2.5, left=0.65, right=0.15, below=0.55)
"""The size of a panel, and about the room that numbers and words around it need, in inches."""
TITLE_PAD = 4.0
"""Distance between panel, legend and heading, in points."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A line of a panel.

    Args:
        x: Its epochs, `(n,)`.
        y: Its values, `(n,)`; one that is not finite is a gap.
        color: Index of its colour; `None` for a thin grey line behind the others.
        style: How it is drawn.
    """

    x: np.ndarray
    y: np.ndarray
    color: int | None
    style: Style = "solid"


@dataclass(frozen=True, kw_only=True)
class Mark:
    """An epoch that is marked by a ring on curves, and perhaps by a line across the panel.

    Args:
        x: The epoch.
        curves: The curves on which it is marked.
        has_line: Whether there is a line; those of many epochs would be a comb.
    """

    x: int
    curves: Sequence[Curve]
    has_line: bool = True


@dataclass(frozen=True, kw_only=True)
class CurvePanel:
    """One panel, before anything is drawn. Its texts are drawn letter by letter.

    Args:
        name: What the curves show.
        note: What the heading says after the name.
        curves: The curves.
        marks: The epochs that are marked.
        legend: The entries above the panel.
        log: Whether the values are on a logarithmic axis.
        level: A value that is marked by a line across the panel.
        percent: Whether the values are shares, to be written as percentages.
        counts: Whether the values are counts.
    """

    name: str
    note: str = ""
    curves: Sequence[Curve]
    marks: Sequence[Mark] = ()
    legend: Sequence[LegendEntry] = ()
    log: bool = False
    level: float | None = None
    percent: bool = False
    counts: bool = False

    @property
    def heading(self) -> str:
        """The title of the panel, as Matplotlib draws it letter by letter."""
        return escape(self.name + self.note)


def draw_curves(
    panels: Sequence[CurvePanel],
    place: Placement,
    *,
    colors: int,
    note: str = "",
    legend: Sequence[LegendEntry] = (),
    axis: str = "epoch",
    columns: int | None = None,
) -> Plot:
    """Draw panels into a new figure, or into the Axes or the figure of the caller.

    Args:
        panels: What to draw, at least one.
        place: Where to draw, and the title.
        colors: How many colours there are.
        note: What holds for all panels, drawn letter by letter.
        legend: The entries above all of them.
        axis: What is counted on the horizontal axis.
        columns: Panels in a row.
    """
    grid = PanelGrid(columns=min(columns or math.ceil(math.sqrt(len(panels))), len(panels)))

    def draw(place: Placement) -> Plot:
        with open_panels(place, grid, len(panels)) as opened:
            picture = _Picture(opened=opened, place=place, note=escape(note), colors=colors)
            picture.draw(panels, legend, axis)
            return Plot.of_axes(
                opened.figure,
                opened.axes,
                addresses=[panel.name for panel in panels],
                titles=[panel.name + panel.note for panel in panels],
                values=[_values(panel.curves) for panel in panels],
                owns_figure=place.is_new,
            )

    return draw_legible(place, draw)


@dataclass(frozen=True, kw_only=True)
class _Picture:
    """The panels of curves while they are drawn; see `draw_curves`."""

    opened: OpenPanels
    place: Placement
    note: str
    colors: int
    legends: Legends = field(default_factory=Legends)

    def draw(self, panels: Sequence[CurvePanel], legend: Sequence[LegendEntry], axis: str) -> None:
        """Draw all panels, then what is written above them, for which their width must be known."""
        opened, count = self.opened, len(panels)
        opened.place([scale_extent(PANEL)] * count)
        if legend and count == 1:
            panels = [replace(panels[0], legend=(*legend, *panels[0].legend)), *panels[1:]]
            legend = ()
        for ax, panel in zip(opened.axes, panels, strict=True):
            _draw_panel(ax, panel, choose_palette(self.colors, ground_color(ax)))
            ax.set_xlabel(axis, fontsize=LABEL_SIZE)
            title = self.place.title
            if not title or (isinstance(title, str) and count == 1):  # nothing else names it
                ax.set_ylabel(escape(panel.name), fontsize=LABEL_SIZE)
        opened.fit(partial(self._write_words, panels, legend))

    def _write_words(self, panels: Sequence[CurvePanel], legend: Sequence[LegendEntry]) -> None:
        """Write what is above the panels, at the width that these have, and place them below."""
        opened, count = self.opened, len(panels)
        extents = [scale_extent(PANEL)] * count
        opened.place(extents)
        self.legends.hide()  # they would count as room beside the panels
        for ax in opened.axes:
            choose_ticks(ax, line_width(ax), integer=True)
        extents = measure_around(opened, extents)
        opened.place(extents)
        heads = [
            self._write_head(ax, panel, count)
            for ax, panel in zip(opened.axes, panels, strict=True)
        ]
        top = self._write_above(legend, count, extents[0].left)
        extents = [replace(extent, above=max(heads) / 72 + EDGE) for extent in extents]
        opened.place(extents, heading=top)

    def _write_head(self, ax: Axes, panel: CurvePanel, count: int) -> float:
        """Write heading and legend above a panel, and return their height in points."""
        title, heading = self.place.title, panel.heading
        if count == 1 and isinstance(title, str):
            heading = title
        elif count == 1 and self.note:
            heading = f"{heading}\n{self.note}"
        # In an Axes that stays where the caller put it there is little room above, and the legend
        # gets some of the panel's own.
        is_inside = self.place.ax is not None and not has_layout_engine(self.opened.figure)
        legend_height = self._write_legend(ax, panel.legend, is_inside=is_inside)
        return self._write_heading(ax, heading if title else "", legend_height)

    def _write_heading(self, ax: Axes, heading: str, legend_height: float) -> float:
        """Write the heading above a panel and its legend.

        Returns:
            The height of all this, in points.
        """
        size = font_size(TITLE_SIZE)
        text = wrap_text(heading, line_width(ax), size)
        offset = DESCENT * size + TITLE_PAD / 2 + legend_height
        write_title(self.opened, ax, text, size=size, pad=offset)
        return offset + 72 * text_height(text, size)

    def _write_legend(self, ax: Axes, entries: Sequence[LegendEntry], *, is_inside: bool) -> float:
        """Put the legend above a panel or, inside it, above its curves; it never covers a curve.

        Returns:
            The height that it takes above the panel, in points.
        """
        if not entries:
            return 0.0
        right, up = (2 * TITLE_PAD, -TITLE_PAD / 2) if is_inside else (0.0, TITLE_PAD)
        shift = ScaledTranslation(right / 72, up / 72, ax.figure.dpi_scale_trans)
        palette = choose_palette(self.colors, ground_color(ax))
        height = self.legends.write(
            ax,
            loc="upper left" if is_inside else "lower left",
            bbox_to_anchor=(0, 1),
            bbox_transform=ax.transAxes + shift,
            **legend_options(entries, palette, line_width(ax)),
        )
        height = 72 * height + TITLE_PAD
        if is_inside:
            make_room(self.opened, ax, height)
            return 0.0
        return height

    def _write_above(self, entries: Sequence[LegendEntry], count: int, left: float) -> float:
        """Put a title and a legend above all panels, and return the height of both in inches."""
        figure, title, top = self.opened.figure, self.place.title, 0.0
        text = title if isinstance(title, str) else self.note if title else ""
        page_width, _ = figure_inches(figure)
        if text and count > 1:
            size = font_size(TITLE_SIZE)
            text = wrap_text(text, LINE_FILL * page_width * 72, size)
            write_page_title(self.opened, text, size)
            top = EDGE + text_height(text, size)
        if entries:
            palette = choose_palette(self.colors, ground_color(figure))
            shift = ScaledTranslation(left, -top - EDGE, figure.dpi_scale_trans)
            height = self.legends.write(
                figure,
                loc="upper left",
                bbox_to_anchor=(0, 1),
                bbox_transform=figure.transSubfigure + shift,
                **legend_options(entries, palette, LINE_FILL * (page_width - left) * 72),
            )
            top += height + EDGE
        return top


def _values(curves: Sequence[Curve]) -> np.ndarray:
    """Return the values of curves as `(curves, points)`, NaN where a curve has no such point."""
    points = np.unique(np.concatenate([np.zeros(0), *(curve.x for curve in curves)]))
    values = np.full((len(curves), len(points)), np.nan)
    for row, curve in zip(values, curves, strict=True):
        row[np.searchsorted(points, curve.x)] = curve.y
    return values


def _draw_panel(ax: Axes, panel: CurvePanel, palette: Palette) -> None:
    has_dots = all(len(curve.x) <= MAX_DOTS for curve in panel.curves)
    has_dots = has_dots and len(panel.curves) <= MAX_DOTTED
    for curve in panel.curves:
        width = WIDTHS[curve.style] if curve.color is not None else THIN
        (line,) = ax.plot(curve.x, curve.y, color=palette.of(curve.color), linewidth=width)
        line.set_zorder(2 if curve.color is not None else 1.5)
        line.set(linestyle=DASHES[curve.style], marker="o", markersize=2 * width)
        if curve.style == "dotted":
            line.set(markersize=4, markerfacecolor=ax.get_facecolor())
        line.set_markevery(_dots(curve, has_dots))
    for mark in panel.marks:
        _draw_mark(ax, mark, palette)
    if panel.log:
        ax.set_yscale("log")
    if panel.level is not None:
        ax.update_datalim([(0, panel.level)], updatex=False)
        ax.autoscale_view(scalex=False)
        _draw_line(
            ax, [(0, panel.level), (1, panel.level)], palette.muted, ax.get_yaxis_transform()
        )
    first = min(int(curve.x[0]) for curve in panel.curves)
    last = max(int(curve.x[-1]) for curve in panel.curves)
    margin = max(0.5, 0.03 * (last - first))
    ax.set_xlim(first - min(margin, 0.9), last + margin)  # there is no epoch 0
    ax.tick_params(which="both", labelsize=LABEL_SIZE)
    if not panel.log:
        ax.yaxis.set_major_formatter(NumberFormatter())
    if panel.percent:
        # From 0, and never so fine that a share of nothing looks like something.
        ax.update_datalim([(0, 0), (0, MIN_SHARE)], updatex=False)
        ax.autoscale_view(scalex=False)
        ax.yaxis.set_major_formatter(PercentFormatter(1))
    if panel.counts:
        ax.update_datalim([(0, 0), (0, MIN_COUNT)], updatex=False)
        ax.autoscale_view(scalex=False)
        ax.locator_params(axis="y", integer=True)
    ax.spines[["top", "right"]].set_visible(False)


def _dots(curve: Curve, everywhere: bool) -> list[int]:
    """Return the indices of points that have a dot: all, or those that no line would reach."""
    if everywhere:
        return list(range(len(curve.x)))
    # A point between two gaps is on no line: without a dot it would not be seen.
    gaps = np.pad(~np.isfinite(curve.y), 1, constant_values=True)
    return np.flatnonzero(gaps[:-2] & gaps[2:] & ~gaps[1:-1]).tolist()


def _draw_mark(ax: Axes, mark: Mark, palette: Palette) -> None:
    if mark.has_line:
        line = [(mark.x, 0), (mark.x, 1)]
        _draw_line(ax, line, palette.muted, ax.get_xaxis_transform())
    for curve in mark.curves:
        value = curve.y[curve.x == mark.x]
        ax.scatter(
            np.full(len(value), mark.x),
            value,
            s=45,
            facecolors="none" if mark.has_line else ax.get_facecolor(),
            edgecolors=palette.of(curve.color),
            linewidths=1.2,
            zorder=3,
        )


def _draw_line(
    ax: Axes, points: Sequence[tuple[float, float]], color: str, transform: Transform
) -> None:
    """Draw a dotted line behind the curves."""
    line = LineCollection(
        [points],
        colors=color,
        linestyles=[(0, (1, 2))],
        linewidths=1.2,
        transform=transform,
        zorder=1,
    )
    ax.add_collection(line, autolim=False)
