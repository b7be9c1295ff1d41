"""Draw a table of attributions: inputs, maps on common scales, and the evidence beside each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure, SubFigure
from matplotlib.image import AxesImage
from matplotlib.transforms import ScaledTranslation

from kerasviz._wording import write_limit
from kerasviz.draw.attributions.artists import draw_map, draw_subject
from kerasviz.draw.attributions.content import AttributionTable, MapColumn, Subject
from kerasviz.draw.attributions.layout import (
    BAR_HEIGHT,
    BAR_PAD,
    LINE_PAD,
    MARGIN,
    CellPlan,
    Line,
    Plan,
    least_page,
    plan_new,
    plan_page,
    unit,
)
from kerasviz.draw.attributions.scales import add_bar, choose_scales, fix, write_ticks
from kerasviz.draw.charts.evidence import draw_evidence
from kerasviz.draw.charts.top_classes import draw_class_bars
from kerasviz.draw.color import ColorScale, Robust
from kerasviz.draw.figure import Placement, figure_for
from kerasviz.draw.panel_grid import figure_inches
from kerasviz.draw.plot import Panel, Plot
from kerasviz.draw.text import escape, font_size, text_height

WARNING_COLORS = ("#c00000", "#ff7a7a")
"""Red on light and on dark ground, each with a contrast of 6 and more."""
ROUNDING = 0.75
"""By how many points a line break may be higher, since letters are drawn in whole dots."""


@dataclass(frozen=True, kw_only=True)
class MapStyle:
    """How maps are drawn.

    Args:
        vmax: The upper limit of every scale, `None` by the values.
        smooth: Whether cells are drawn smoothly.
        robust: Whether the limits of signed maps leave out the most extreme values, as for tiles.
    """

    vmax: float | None = None
    smooth: bool = False
    robust: Robust = "auto"


def draw_attributions(table: AttributionTable, place: Placement, style: MapStyle) -> Plot:
    """Draw attributions into a new figure, or into that of the caller.

    Args:
        table: What to draw.
        place: Where to draw; an Axes cannot be used.
        style: How maps are drawn.

    Raises:
        ValueError: The caller's figure is too small. The message says the least size.
    """
    scales = choose_scales(table, style.vmax, style.robust)
    table = replace(table, columns=_count_beyond(table, scales))
    with figure_for(place, (1, 1), layout="none") as figure:
        figure = cast("Figure | SubFigure", figure)
        table, plan = _make_plan(table, place, figure)
        if place.grows:
            cells = [cell.extent for cell in plan.cells]
            size = plan.grid.width(cells), plan.grid.height(cells, plan.heading)
            cast(Figure, figure).set_size_inches(size)
        axes = [figure.add_axes((0.1, 0.1, 0.1, 0.1), label=str(i)) for i in range(len(plan.cells))]
        for ax in axes:
            fix(ax)
        plan.grid.place(
            axes, [cell.extent for cell in plan.cells], heading=plan.heading, is_new=False
        )
        panels = _draw_cells(axes, plan, table, scales, style)
        _write_title(figure, plan)
        return Plot(figure=figure, panels=tuple(panels), owns_figure=place.is_new)


def _count_beyond(table: AttributionTable, scales: Sequence[ColorScale]) -> list[MapColumn]:
    """Return the columns, each with the number of its values beyond the limits in its heading."""
    columns = []
    for index, (column, scale) in enumerate(zip(table.columns, scales, strict=True)):
        contents = [maps[index] for maps in table.maps]
        values = [content.values.ravel() for content in contents if content is not None]
        joined, high = np.concatenate([*values, np.zeros(0)]), float(scale.norm.vmax or 0.0)
        count = int((np.abs(joined) > high * (1 + 1e-6)).sum())
        sign = "±" if column.is_signed else ""
        note = f", {count} of {joined.size} beyond {sign}{write_limit(high)}" if count else ""
        columns.append(replace(column, heading=column.heading + note))
    return columns


def _make_plan(
    table: AttributionTable, place: Placement, figure: Figure | SubFigure
) -> tuple[AttributionTable, Plan]:
    """Return the plan, and the table with as many subjects side by side as suit the figure."""
    title = place.title if isinstance(place.title, str) else escape(table.title)
    title = title if place.title else ""
    if place.grows:
        return table, plan_new(table, title)
    page = figure_inches(figure)
    tables = [replace(table, across=across) for across in sorted({table.across, 1}, reverse=True)]
    plans = [(each, plan_page(each, title, page)) for each in tables]
    table, plan = max(plans, key=lambda each: (each[1].fits, each[1].picture_area))
    if not plan.fits:
        sizes = [least_page(each, title, page) for each in tables]
        width, height = min(sizes, key=lambda size: size[0] * size[1])
        name = "figsize" if place.is_new else "figure"
        raise ValueError(
            f"`{name}` must be at least {np.ceil(10 * width) / 10:.1f} x "
            f"{np.ceil(10 * height) / 10:.1f} in large for {len(table.subjects)} rows and "
            f"{plan.grid.columns} columns of panels. "
            f"Received: a figure of {page[0]:.1f} x {page[1]:.1f} in"
        )
    return table, plan


def _draw_cells(
    axes: Sequence[Axes],
    plan: Plan,
    table: AttributionTable,
    scales: Sequence[ColorScale],
    style: MapStyle,
) -> list[Panel]:
    panels: list[Panel] = []
    for ax, cell in zip(axes, plan.cells, strict=True):
        _write_lines(ax, cell.lines)
        panel = _draw_cell(ax, cell, table, scales, style)
        if panel is None:
            ax.set_axis_off()
            continue
        if cell.kind == "map" and table.is_lowest(cell.row, cell.column):
            panel = _add_bar(panel, cell.column, table)
        panels.append(panel)
    return panels


def _draw_cell(
    ax: Axes,
    cell: CellPlan,
    table: AttributionTable,
    scales: Sequence[ColorScale],
    style: MapStyle,
) -> Panel | None:
    """Draw one panel, or nothing where the method says nothing about this input."""
    subject = table.subjects[cell.row]
    if cell.kind == "bars":
        return _draw_bars(ax, subject)
    if cell.kind == "subject":
        is_lowest = table.is_lowest(cell.row, -1)
        draw_subject(ax, subject, has_numbers=is_lowest)
        title = ", ".join(filter(None, [subject.title, *subject.lines]))
        return Panel(ax=ax, values=subject.values, title=title)
    content, column = table.maps[cell.row][cell.column], table.columns[cell.column]
    if content is None:
        return None
    if cell.kind == "map":
        scale, is_signed = scales[cell.column], column.is_signed
        image = draw_map(ax, content, subject, scale, is_signed=is_signed, smooth=style.smooth)
        if image is not None:
            image.set_label(column.heading)  # what `repr` of a plot says
        return Panel(
            ax=ax,
            address=column.address,
            values=content.values,
            limits=_limits(image),
            title=content.title,
            image=image,
        )
    curves = content.evidence
    if curves is None:
        return None
    is_lowest = table.is_lowest(cell.row, cell.column, evidence=True)
    draw_evidence(ax, curves, cell.text_width, x_label=is_lowest, y_label=cell.row == 0)
    rows = [curves.values[0], curves.random[0], curves.values[1], curves.random[1]]
    title = f"{content.title}: {'; '.join(curves.lines)}"
    return Panel(ax=ax, address=column.address, values=np.stack(rows), title=title)


def _draw_bars(ax: Axes, subject: Subject) -> Panel | None:
    bars = subject.bars
    if bars is None:
        return None
    draw_class_bars(ax, bars)
    facts = zip(bars.names, bars.percentages, strict=True)
    title = f"{subject.title}: {', '.join(f'{name} {share}' for name, share in facts)}"
    return Panel(ax=ax, values=bars.probabilities, title=title)


def _limits(image: AxesImage | None) -> tuple[float, float] | None:
    return None if image is None else image.get_clim()


def _add_bar(panel: Panel, column: int, table: AttributionTable) -> Panel:
    """Add the colour bar of a column below its lowest map."""
    assert panel.image is not None
    contents = [maps[column] for maps in table.maps]
    values = [content.values for content in contents if content is not None]
    bar = add_bar(
        panel.image,
        values,
        pad=unit() * BAR_PAD,
        height=unit() * BAR_HEIGHT,
        is_over=not table.columns[column].is_signed,
    )
    width = panel.ax.get_window_extent().width / panel.ax.figure.dpi * 72
    write_ticks(bar, width)
    return replace(panel, colorbar=bar)


def _write_lines(ax: Axes, lines: Sequence[Line]) -> None:
    """Write the texts above a panel, the last one as its title."""
    size, offset = font_size("small"), 72 * unit() * LINE_PAD
    # Evidence has a legend there, and writes its own.
    for index, line in enumerate(reversed(lines)):
        color = warning_color(ax.figure) if line.is_warning else rcParams["text.color"]
        text = escape(line.text)
        if index == 0:
            ax.set_title(text, fontsize=size, x=0, ha="left", y=1, pad=offset, color=color)
        else:
            ax.annotate(
                text,
                (0, 1),
                xycoords="axes fraction",
                xytext=(0, offset),
                textcoords="offset points",
                fontsize=size,
                color=color,
                va="baseline",
            )
        offset += 72 * text_height(line.text, size) + ROUNDING * line.text.count("\n")


def warning_color(figure: Figure | SubFigure) -> str:
    """Return the red that can be read on the ground of a figure."""
    ground = figure.get_figure(root=True).get_facecolor()
    is_dark = sum(to_rgb(ground)) < 1.5
    return WARNING_COLORS[is_dark]


def _write_title(figure: Figure | SubFigure, plan: Plan) -> None:
    if not plan.title:
        return
    title = figure.suptitle(plan.title, fontsize=font_size(), x=0, y=1, ha="left", va="top")
    shift = unit() * MARGIN
    move = ScaledTranslation(shift, -shift, figure.dpi_scale_trans)
    title.set_transform(figure.transSubfigure + move)
