"""Draw curves over the epochs of a training, with their legend above them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator, PercentFormatter
from matplotlib.transforms import ScaledTranslation, Transform

from kerasviz.draw.charts.legend import (
    DASHES,
    MARK_COLOR,
    WIDTHS,
    LegendEntry,
    Style,
    legend_options,
)
from kerasviz.draw.figure import Placement
from kerasviz.draw.panel_grid import (
    OpenPanels,
    PanelExtent,
    PanelGrid,
    figure_inches,
    has_layout_engine,
    open_panels,
)
from kerasviz.draw.plot import Plot
from kerasviz.draw.text import LINE_FILL, LINE_HEIGHT, escape, font_size, text_height, wrap_text

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Colours that everybody can tell apart; from "Points of view: Color blindness", 2011."""
MIN_SHARE = 0.05
"""The upper end of an axis of shares is at least this."""
MAX_DOTS = 30
"""Where no curve has more points, they have a dot at each."""

# Sizes in inches, as those of a figure.
PANEL = PanelExtent(width=4.2, height=2.5, left=0.65, right=0.15, below=0.55)
"""The size of a panel, and the room for the numbers and words beside and below it."""
TITLE = 0.35
"""Room for a title of all panels."""
EDGE = 0.1
"""Room between the upper edge and what is below it."""
TITLE_PAD = 4.0
"""Distance between panel, legend and heading, in points."""
MIN_CURVE_SHARE = 0.4
"""How much of the height of an Axes is left to the curves, however high a legend inside it is."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A line of a panel.

    Args:
        x: Its epochs, `(n,)`.
        y: Its values, `(n,)`; one that is not finite is a gap.
        color: Index of its colour.
        style: How it is drawn.
    """

    x: np.ndarray
    y: np.ndarray
    color: int
    style: Style = "solid"


@dataclass(frozen=True, kw_only=True)
class Mark:
    """An epoch that is marked by a line across the panel, and by a ring on each curve there.

    Args:
        x: The epoch.
        color: Index of its colour, `None` for grey.
        curves: The curves on which it is marked.
    """

    x: int
    color: int | None
    curves: Sequence[Curve]


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
    """

    name: str
    note: str = ""
    curves: Sequence[Curve]
    marks: Sequence[Mark] = ()
    legend: Sequence[LegendEntry] = ()
    log: bool = False
    level: float | None = None
    percent: bool = False

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
        legend: The entries above all of them; where a layout engine places the panels, above the
            first.
        axis: What is counted on the horizontal axis.
        columns: Panels in a row.
    """
    count, title, note = len(panels), place.title, escape(note)
    columns = min(columns or math.ceil(math.sqrt(count)), count)
    palette = choose_colors(colors)
    with open_panels(place, PanelGrid(columns=columns), count) as opened:
        opened.place([PANEL] * count)  # heads are broken into lines as wide as their panel
        has_engine = has_layout_engine(opened.figure)
        if legend and (count == 1 or has_engine):
            panels = [replace(panels[0], legend=(*legend, *panels[0].legend)), *panels[1:]]
            legend = ()
        heads = []
        for ax, panel in zip(opened.axes, panels, strict=True):
            _draw_panel(ax, panel, palette)
            ax.set_xlabel(axis, fontsize="small")
            heading = title if isinstance(title, str) and count == 1 else panel.heading
            if count == 1 and note and not isinstance(title, str):
                heading = f"{heading}\n{note}"
            if not title or heading != panel.heading:
                ax.set_ylabel(escape(panel.name), fontsize="small")
            # In an Axes that stays where the caller put it there is little room above, and the
            # legend gets some of the panel's own.
            is_inside = place.ax is not None and not has_engine
            legend_height = _write_legend(ax, panel.legend, palette, is_inside=is_inside)
            heads.append(_write_heading(ax, heading if title else "", legend_height))
        above = title if isinstance(title, str) else note if title else ""
        top = _write_above(opened, above if count > 1 else "", legend, palette)
        opened.place([replace(PANEL, above=max(heads) / 72)] * count, heading=top)
        return Plot.of_axes(
            opened.figure,
            opened.axes,
            addresses=[panel.name for panel in panels],
            titles=[panel.name + panel.note for panel in panels],
            values=[_values(panel.curves) for panel in panels],
            owns_figure=place.is_new,
        )


def _values(curves: Sequence[Curve]) -> np.ndarray:
    """Return the values of curves as `(curves, points)`, NaN where a curve has no such point."""
    points = np.unique(np.concatenate([np.zeros(0), *(curve.x for curve in curves)]))
    values = np.full((len(curves), len(points)), np.nan)
    for row, curve in zip(values, curves, strict=True):
        row[np.searchsorted(points, curve.x)] = curve.y
    return values


def choose_colors(count: int) -> list[str]:
    """Return `count` colours that can be told apart; of very many, neighbours look alike."""
    if count <= len(COLORS):
        return list(COLORS[:count])
    cmap = matplotlib.colormaps["viridis"]
    return [matplotlib.colors.to_hex(cmap(part)) for part in np.linspace(0, 0.95, count)]


def _draw_panel(ax: Axes, panel: CurvePanel, palette: Sequence[str]) -> None:
    has_dots = all(len(curve.x) <= MAX_DOTS for curve in panel.curves)
    for curve in panel.curves:
        width = WIDTHS[curve.style]
        (line,) = ax.plot(curve.x, curve.y, color=palette[curve.color], linewidth=width)
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
        _draw_line(ax, [(0, panel.level), (1, panel.level)], MARK_COLOR, ax.get_yaxis_transform())
    first = min(int(curve.x[0]) for curve in panel.curves)
    last = max(int(curve.x[-1]) for curve in panel.curves)
    margin = max(0.5, 0.03 * (last - first))
    ax.set_xlim(first - min(margin, 0.9), last + margin)  # there is no epoch 0
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    ax.tick_params(which="both", labelsize="small")
    if panel.percent:
        # From 0, and never so fine that a share of nothing looks like something.
        ax.update_datalim([(0, 0), (0, MIN_SHARE)], updatex=False)
        ax.autoscale_view(scalex=False)
        ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.spines[["top", "right"]].set_visible(False)


def _dots(curve: Curve, everywhere: bool) -> list[int]:
    """Return the indices of points that have a dot: all, or those that no line would reach."""
    if everywhere:
        return list(range(len(curve.x)))
    # A point between two gaps is on no line: without a dot it would not be seen.
    gaps = np.pad(~np.isfinite(curve.y), 1, constant_values=True)
    return np.flatnonzero(gaps[:-2] & gaps[2:] & ~gaps[1:-1]).tolist()


def _draw_mark(ax: Axes, mark: Mark, palette: Sequence[str]) -> None:
    color = MARK_COLOR if mark.color is None else palette[mark.color]
    _draw_line(ax, [(mark.x, 0), (mark.x, 1)], color, ax.get_xaxis_transform())
    for curve in mark.curves:
        value = curve.y[curve.x == mark.x]
        ax.scatter(
            np.full(len(value), mark.x),
            value,
            s=45,
            facecolors="none",
            edgecolors=palette[curve.color],
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


def _write_legend(
    ax: Axes, entries: Sequence[LegendEntry], palette: Sequence[str], *, is_inside: bool
) -> float:
    """Put the legend above a panel or, inside it, above its curves; it never covers a curve.

    Returns:
        The height that it takes above the panel, in points.
    """
    if not entries:
        return 0.0
    dpi = ax.figure.dpi
    right, up = (2 * TITLE_PAD, -TITLE_PAD / 2) if is_inside else (0.0, TITLE_PAD)
    shift = ScaledTranslation(right / 72, up / 72, ax.figure.dpi_scale_trans)
    legend = ax.legend(
        loc="upper left" if is_inside else "lower left",
        bbox_to_anchor=(0, 1),
        bbox_transform=ax.transAxes + shift,
        **legend_options(entries, palette, _line_width(ax)),
    )
    height = legend.get_window_extent().height / dpi * 72 + TITLE_PAD
    if is_inside:
        _make_room(ax, height)
        return 0.0
    return height


def _write_heading(ax: Axes, heading: str, legend_height: float) -> float:
    """Write the heading above a panel and its legend.

    Returns:
        The height of all this, in points.
    """
    size = font_size("medium")
    text = wrap_text(heading, _line_width(ax), size)
    offset = TITLE_PAD + legend_height
    ax.set_title(text, fontsize=size, x=0, ha="left", y=1, pad=offset)
    return offset + 72 * text_height(text, size)


def _line_width(ax: Axes) -> float:
    """Return how wide a line of text above a panel may be, in points."""
    return float(LINE_FILL * ax.get_window_extent().width / ax.figure.dpi * 72)


def _write_above(
    panels: OpenPanels, text: str, entries: Sequence[LegendEntry], palette: Sequence[str]
) -> float:
    """Put a title and a legend above all panels, where there are any.

    Returns:
        The height of both, in inches.
    """
    figure, top = panels.figure, EDGE
    page_width, _ = figure_inches(figure)
    from_top = figure.transSubfigure
    if text:
        size = font_size("medium")
        text = wrap_text(text, LINE_FILL * page_width * 72, size)
        title = figure.suptitle(text, fontsize=size)
        if panels.is_movable:  # else the layout engine places the title too
            shift = ScaledTranslation(0, -top, figure.dpi_scale_trans)
            title.set(y=1, transform=from_top + shift)
        top = TITLE + text.count("\n") * LINE_HEIGHT * size / 72
    if entries:
        width = page_width - PANEL.left - PANEL.right
        shift = ScaledTranslation(PANEL.left, -top, figure.dpi_scale_trans)
        legend = figure.legend(
            loc="upper left",
            bbox_to_anchor=(0, 1),
            bbox_transform=from_top + shift,
            **legend_options(entries, palette, LINE_FILL * width * 72),
        )
        top += legend.get_window_extent().height / figure.dpi + TITLE_PAD / 72
    return top


def _make_room(ax: Axes, height: float) -> None:
    """Extend the axis of values upwards until `height` points of the panel are empty."""
    part = height / 72 * ax.figure.dpi / ax.get_window_extent().height
    # On the scale of the axis, which may be logarithmic, and not in its values.
    scale = ax.yaxis.get_transform()
    low, high = scale.transform(np.array(ax.get_ylim()))
    high = low + (high - low) / max(1 - part, MIN_CURVE_SHARE)
    ax.set_ylim(top=float(scale.inverted().transform(np.array([high]))[0]))
