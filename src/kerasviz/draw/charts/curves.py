"""Curves over the epochs of a training, with their legend above them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter
from matplotlib.transforms import ScaledTranslation, Transform

from kerasviz.draw.figure import Placement, figure_for
from kerasviz.draw.plot import Plot
from kerasviz.draw.text import escape, text_width, wrap_text

Style = Literal["solid", "dashed", "dotted"]
"""Dotted, with open dots, is what is drawn at assumed places."""
DASHES: dict[Style, Any] = {"solid": "-", "dashed": (0, (4, 2)), "dotted": (0, (1, 2.5))}
WIDTHS: dict[Style, float] = {"solid": 1.6, "dashed": 1.2, "dotted": 1.2}

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Colours that are told apart by everybody; from "Points of view: Color blindness", 2011."""
MARK_COLOR = "0.4"
LEAST_SHARE = 0.05
"""How far an axis of shares reaches at least."""
FEW_POINTS = 30
"""Where no curve has more points, they have a dot at each."""

# Sizes in inches, as those of a figure; of a panel without the words around it.
PANEL = (4.2, 2.5)
LEFT, RIGHT, BELOW = 0.65, 0.15, 0.55
"""Room for the numbers and the words around a panel."""
TITLE = 0.35
"""Room for a title of all panels."""
EDGE = 0.1
"""Room between the upper edge and what is below it."""
LEAST = 0.2
"""The smallest room for a panel, however small the caller's figure is."""
TITLE_PAD = 4.0
"""Distance between panel, legend and heading, in points."""
LINE = 1.25
"""Height of a line of text, in sizes of its font."""
SLACK = 0.94
"""Which part of a line is filled: on screen, letters are up to so much wider than on paper."""
HANDLE, HANDLE_PAD, COLUMN_GAP = 2.0, 0.5, 1.5
"""Lengths in a legend: a line, its distance from the words, and between columns; in font sizes."""


@dataclass(frozen=True)
class Curve:
    """A line of a panel.

    Args:
        x: Its epochs, `(n,)`.
        y: Its values, `(n,)`; one that is not finite is a gap.
        color: Which of the colours it has.
        style: How it is drawn.
    """

    x: np.ndarray
    y: np.ndarray
    color: int
    style: Style = "solid"


@dataclass(frozen=True)
class Mark:
    """An epoch that is marked by a line across the panel, and by a ring on each curve there.

    Args:
        x: The epoch.
        color: Which of the colours it has, `None` for grey.
        curves: The curves on which it is marked.
    """

    x: int
    color: int | None
    curves: Sequence[Curve]


@dataclass(frozen=True)
class LegendEntry:
    """A line of the legend and what it says, letter by letter; `color` as that of a mark."""

    text: str
    color: int | None
    style: Style


@dataclass(frozen=True)
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
    note: str
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
    """Draw panels into a new figure, or into the Axes or the figure that the caller gave.

    Args:
        panels: What to draw, at least one.
        place: Where to draw, and the title.
        colors: How many colours there are.
        note: What has to be said about all of them, letter by letter.
        legend: The entries above all of them; where a layout engine places the panels, above the
            first.
        axis: What is counted on the horizontal axis.
        columns: Panels in a row.
    """
    count, title, note = len(panels), place.title, escape(note)
    columns = min(columns or math.ceil(math.sqrt(count)), count)
    rows = math.ceil(count / columns)
    palette = choose_colors(colors)
    size = LEFT + PANEL[0] + RIGHT, PANEL[1] + BELOW
    with figure_for(place, (columns * size[0], rows * size[1]), layout="none") as figure:
        grid, axes = None, [place.ax] if place.ax is not None else []
        if not axes:
            grid = figure.add_gridspec(rows, columns)
            axes = [figure.add_subplot(grid[divmod(index, columns)]) for index in range(count)]
            _place_columns(grid, axes, columns)
        if legend and (count == 1 or _has_engine(axes[0])):
            panels = [replace(panels[0], legend=(*legend, *panels[0].legend)), *panels[1:]]
            legend = ()
        heads = []
        for ax, panel in zip(axes, panels, strict=True):
            _draw_panel(ax, panel, palette)
            ax.set_xlabel(axis, fontsize="small")
            heading = title if isinstance(title, str) and count == 1 else panel.heading
            if count == 1 and note and not isinstance(title, str):
                heading = f"{heading}\n{note}"
            is_inside = grid is None and not _has_engine(ax)
            heading_shown = heading if title else ""
            heads.append(_write_head(ax, heading_shown, panel.legend, palette, is_inside=is_inside))
            if not title or heading != panel.heading:
                ax.set_ylabel(escape(panel.name), fontsize="small")
        above = title if isinstance(title, str) else note if title else ""
        above = above if count > 1 else ""
        top = _write_above(axes[0], above, legend, palette)
        if grid is not None:
            head = max(heads) / 72
            _place_rows(grid, axes, rows, top + head, head + BELOW, is_new=place.is_new)
        return Plot.of_axes(
            figure,
            axes,
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
    return [matplotlib.colors.to_hex(cmap(place)) for place in np.linspace(0, 0.95, count)]


def _draw_panel(ax: Axes, panel: CurvePanel, palette: Sequence[str]) -> None:
    few = all(len(curve.x) <= FEW_POINTS for curve in panel.curves)
    for curve in panel.curves:
        width = WIDTHS[curve.style]
        (line,) = ax.plot(curve.x, curve.y, color=palette[curve.color], linewidth=width)
        line.set(linestyle=DASHES[curve.style], marker="o", markersize=2 * width)
        if curve.style == "dotted":
            line.set(markersize=4, markerfacecolor=ax.get_facecolor())
        line.set_markevery(_dots(curve, few))
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
        ax.update_datalim([(0, 0), (0, LEAST_SHARE)], updatex=False)
        ax.autoscale_view(scalex=False)
        ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.spines[["top", "right"]].set_visible(False)


def _dots(curve: Curve, few: bool) -> list[int]:
    """Return at which points a curve has a dot: where there are few, and where no line would be."""
    if few:
        return list(range(len(curve.x)))
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


def _write_head(
    ax: Axes,
    heading: str,
    entries: Sequence[LegendEntry],
    palette: Sequence[str],
    *,
    is_inside: bool,
) -> float:
    """Put the legend above a panel, where it covers no curve, and the heading above that.

    In an Axes of the caller's that no layout engine moves there is little room above, and the
    legend gets some of the panel's own.

    Returns:
        The height of all that is above the panel, in points.
    """
    dpi = ax.figure.dpi
    width = SLACK * ax.get_window_extent().width / dpi * 72
    offset = TITLE_PAD
    large = _points("medium")
    if entries:
        right, up = (2 * TITLE_PAD, -TITLE_PAD / 2) if is_inside else (0.0, TITLE_PAD)
        shift = ScaledTranslation(right / 72, up / 72, ax.figure.dpi_scale_trans)
        legend = ax.legend(
            handles=[_handle(entry, palette) for entry in entries],
            loc="upper left" if is_inside else "lower left",
            bbox_to_anchor=(0, 1),
            bbox_transform=ax.transAxes + shift,
            **_legend_style(entries, width),
        )
        height = legend.get_window_extent().height / dpi * 72 + TITLE_PAD
        if is_inside:
            _make_room(ax, height)
        else:
            offset += height
    text = wrap_text(heading, width, large)
    ax.set_title(text, fontsize=large, x=0, ha="left", y=1, pad=offset)
    return offset + len(text.splitlines()) * LINE * large


def _write_above(
    ax: Axes, text: str, entries: Sequence[LegendEntry], palette: Sequence[str]
) -> float:
    """Put a title and a legend above all panels, of which one is given.

    Returns:
        The height of both, in inches.
    """
    figure, top = ax.figure, EDGE
    from_top = figure.transSubfigure
    if text:
        size = _points("medium")
        text = wrap_text(text, SLACK * figure.bbox.width / figure.dpi * 72, size)
        title = figure.suptitle(text, fontsize=size)
        if not _has_engine(ax):
            shift = ScaledTranslation(0, -top, figure.dpi_scale_trans)
            title.set(y=1, transform=from_top + shift)
        top = TITLE + text.count("\n") * LINE * size / 72
    if entries:
        width = figure.bbox.width / figure.dpi - LEFT - RIGHT
        shift = ScaledTranslation(LEFT, -top, figure.dpi_scale_trans)
        legend = figure.legend(
            handles=[_handle(entry, palette) for entry in entries],
            loc="upper left",
            bbox_to_anchor=(0, 1),
            bbox_transform=from_top + shift,
            **_legend_style(entries, SLACK * width * 72),
        )
        top += legend.get_window_extent().height / figure.dpi + TITLE_PAD / 72
    return top


def _legend_style(entries: Sequence[LegendEntry], width: float) -> dict[str, Any]:
    """Return the style of a legend that is at most `width` points wide."""
    size = _points("small")
    return {
        "ncols": _legend_columns([entry.text for entry in entries], width, size),
        "fontsize": size,
        "frameon": False,
        "borderpad": 0,
        "borderaxespad": 0,
        "handlelength": HANDLE,
        "handletextpad": HANDLE_PAD,
        "columnspacing": COLUMN_GAP,
        "labelspacing": 0.3,
    }


def _make_room(ax: Axes, height: float) -> None:
    """Extend the axis of values upwards until `height` points of the panel are empty."""
    part = height / 72 * ax.figure.dpi / ax.get_window_extent().height
    scale = ax.yaxis.get_transform()
    low, high = scale.transform(np.array(ax.get_ylim()))
    high = low + (high - low) / max(1 - part, 0.4)
    ax.set_ylim(top=float(scale.inverted().transform(np.array([high]))[0]))


def _handle(entry: LegendEntry, palette: Sequence[str]) -> Line2D:
    color = MARK_COLOR if entry.color is None else palette[entry.color]
    line = Line2D([], [], color=color, linewidth=WIDTHS[entry.style], label=escape(entry.text))
    line.set_linestyle(DASHES[entry.style])
    return line


def _legend_columns(texts: Sequence[str], width: float, size: float) -> int:
    """Return how many columns of a legend fit into `width` points."""
    widths = [text_width(text, size) + (HANDLE + HANDLE_PAD + COLUMN_GAP) * size for text in texts]
    for columns in range(len(texts), 1, -1):
        parts = np.array_split(widths, columns)
        if sum(part.max() for part in parts) - COLUMN_GAP * size <= width:
            return columns
    return 1


def _has_engine(ax: Axes) -> bool:
    """Whether a layout engine places the panels."""
    return cast(Figure, ax.get_figure(root=True)).get_layout_engine() is not None


def _place_columns(grid: GridSpec, axes: Sequence[Axes], columns: int) -> None:
    """Give the panels their widths, unless a layout engine does."""
    if _has_engine(axes[0]):
        return
    total = axes[0].figure.bbox.width / axes[0].figure.dpi
    width = max((total - columns * (LEFT + RIGHT)) / columns, LEAST)
    _place(axes, grid, left=LEFT / total, right=1 - RIGHT / total, wspace=(LEFT + RIGHT) / width)


def _place(axes: Sequence[Axes], grid: GridSpec, **places: float) -> None:
    """Change a grid, and move the panels, which Matplotlib does in figures of pyplot alone."""
    grid.update(**places)
    for ax in axes:
        spec = ax.get_subplotspec()
        assert spec is not None
        ax.set_subplotspec(spec)


def _place_rows(
    grid: GridSpec, axes: Sequence[Axes], rows: int, top: float, between: float, *, is_new: bool
) -> None:
    """Give the panels their heights, and a new figure its own; in inches, what is known of them.

    All sizes are known, and a layout engine would take longer than the drawing, at every draw.
    """
    figure = axes[0].figure
    if _has_engine(axes[0]):
        return
    around = top + (rows - 1) * between + BELOW
    if is_new:
        cast(Figure, figure).set_figheight(around + rows * PANEL[1])
    total = figure.bbox.height / figure.dpi
    height = max((total - around) / rows, LEAST)
    _place(axes, grid, bottom=BELOW / total, top=1 - top / total, hspace=between / height)


def _points(relative: str) -> float:
    return float(FontProperties(size=relative).get_size_in_points())
