"""Draw a table of attributions: inputs, maps on common scales, and the evidence beside each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.image import AxesImage
from matplotlib.text import Annotation
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
from kerasviz.draw.attributions.scales import add_bar, choose_scales, write_ticks
from kerasviz.draw.charts.evidence import draw_evidence, label_evidence
from kerasviz.draw.charts.top_classes import draw_class_bars
from kerasviz.draw.color import ColorScale, Robust, ground_color, is_dark_ground
from kerasviz.draw.figure import Placement, figure_for
from kerasviz.draw.free_axes import add_free_axes
from kerasviz.draw.panel_grid import Places, figure_inches
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
        title = place.title if isinstance(place.title, str) else escape(table.title)
        title = title if place.title else ""
        table, plan = _make_plan(table, title, place, figure)
        if place.grows:
            cells = [cell.extent for cell in plan.cells]
            size = plan.grid.width(cells), plan.grid.height(cells, plan.heading)
            cast(Figure, figure).set_size_inches(size)
        axes = [add_free_axes(figure) for _ in plan.cells]
        places = Places(figure=figure, fit=lambda: None)
        places.put(axes, plan.grid, [cell.extent for cell in plan.cells], plan.heading)
        panels = _draw_cells(axes, plan, table, scales, style)
        picture = _Picture(table=table, axes=axes, panels=panels, figure=figure)
        picture.write(plan)

        def fit() -> None:
            """Plan the picture again, at the size that the figure has now."""
            plan = plan_page(table, title, figure_inches(figure))
            places.put(axes, plan.grid, [cell.extent for cell in plan.cells], plan.heading)
            picture.write(plan)

        places.fit = fit
        own = tuple(panel for panel in panels if panel is not None)
        return Plot(figure=figure, panels=own, owns_figure=place.is_new)


def _count_beyond(table: AttributionTable, scales: Sequence[ColorScale]) -> list[MapColumn]:
    """Return the columns, each with the number of its values beyond the limits in its heading."""
    columns = []
    for index, (column, scale) in enumerate(zip(table.columns, scales, strict=True)):
        contents = [maps[index] for maps in table.maps]
        values = [content.values.ravel() for content in contents if content is not None]
        joined, high = np.concatenate([*values, np.zeros(0)]), float(scale.norm.vmax or 0.0)
        count = int((np.abs(joined) > high * (1 + 1e-6)).sum())
        sign = "±" if column.is_signed else ""
        note = f", {count:,} of {joined.size:,} beyond {sign}{write_limit(high)}" if count else ""
        columns.append(replace(column, heading=column.heading + note))
    return columns


def _make_plan(
    table: AttributionTable, title: str, place: Placement, figure: Figure | SubFigure
) -> tuple[AttributionTable, Plan]:
    """Return the plan, and the table with as many subjects side by side as suit the figure."""
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
) -> list[Panel | None]:
    """Draw what is in each panel, without words that depend on its size."""
    panels: list[Panel | None] = []
    for ax, cell in zip(axes, plan.cells, strict=True):
        panel = _draw_cell(ax, cell, table, scales, style)
        if panel is None:
            ax.set_axis_off()
        elif cell.kind == "map" and table.is_lowest(cell.row, cell.column):
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
    draw_evidence(ax, curves)
    rows = [curves.values[0], curves.random[0], curves.values[1], curves.random[1]]
    title = f"{content.title}: {'; '.join(curves.lines)}"
    return Panel(ax=ax, address=column.address, values=np.stack(rows), title=title)


def _draw_bars(ax: Axes, subject: Subject) -> Panel | None:
    bars = subject.bars
    if bars is None:
        return None
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
    return replace(panel, colorbar=bar)


@dataclass(frozen=True, kw_only=True)
class _Picture:
    """A picture that is drawn, whose words are written again at each size; see `draw_attributions`.

    Args:
        table: What is drawn.
        axes: The Axes of each cell.
        panels: What is in each, `None` for nothing.
        figure: The figure.
        notes: The texts above panels.
    """

    table: AttributionTable
    axes: Sequence[Axes]
    panels: Sequence[Panel | None]
    figure: Figure | SubFigure
    notes: list[Annotation] = field(default_factory=list)

    def write(self, plan: Plan) -> None:
        """Write all words in place of former ones, at the size that the panels have."""
        for note in self.notes:
            if note.axes is not None:  # the caller may have removed it
                note.remove()
        self.notes.clear()
        for ax, cell, panel in zip(self.axes, plan.cells, self.panels, strict=True):
            self.notes.extend(_write_lines(ax, cell.lines))
            if panel is not None:
                self._write_in(ax, cell, panel)
        _write_title(self.figure, plan)

    def _write_in(self, ax: Axes, cell: CellPlan, panel: Panel) -> None:
        """Write what is in a panel, and beside and below it."""
        bars = self.table.subjects[cell.row].bars
        content = self.table.maps[cell.row][cell.column] if cell.column >= 0 else None
        if cell.kind == "bars" and bars is not None:
            draw_class_bars(ax, bars)
        elif cell.kind == "evidence" and content is not None and content.evidence is not None:
            is_lowest = self.table.is_lowest(cell.row, cell.column, evidence=True)
            label_evidence(
                ax, content.evidence, cell.text_width, x_label=is_lowest, y_label=cell.row == 0
            )
        elif panel.colorbar is not None:
            width = ax.get_window_extent().width / ax.figure.dpi * 72
            write_ticks(panel.colorbar, width)


def _write_lines(ax: Axes, lines: Sequence[Line]) -> list[Annotation]:
    """Write the texts above a panel, the last one as its title, and return the others."""
    size, offset, notes = font_size("small"), 72 * unit() * LINE_PAD, []
    # Evidence has a legend there, and writes its own.
    for index, line in enumerate(reversed(lines)):
        color = warning_color(ax.figure) if line.is_warning else rcParams["text.color"]
        text = escape(line.text)
        if index == 0:
            ax.set_title(text, fontsize=size, x=0, ha="left", y=1, pad=offset, color=color)
        else:
            note = ax.annotate(
                text,
                (0, 1),
                xycoords="axes fraction",
                xytext=(0, offset),
                textcoords="offset points",
                fontsize=size,
                color=color,
                va="baseline",
            )
            notes.append(note)
        offset += 72 * text_height(line.text, size) + ROUNDING * line.text.count("\n")
    return notes


def warning_color(figure: Figure | SubFigure) -> str:
    """Return the red that can be read on the ground of a figure."""
    return WARNING_COLORS[is_dark_ground(ground_color(figure.get_figure(root=True)))]


def _write_title(figure: Figure | SubFigure, plan: Plan) -> None:
    if not plan.title:
        return
    title = figure.suptitle(plan.title, fontsize=font_size(), x=0, y=1, ha="left", va="top")
    shift = unit() * MARGIN
    move = ScaledTranslation(shift, -shift, figure.dpi_scale_trans)
    title.set_transform(figure.transSubfigure + move)
