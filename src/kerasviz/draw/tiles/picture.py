"""Draw panels of tiles: into a new figure that fits them, or into the caller's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from matplotlib.image import AxesImage

from kerasviz.draw.color import ColorScale, warn_invalid
from kerasviz.draw.figure import check_panels, check_size, figure_for, is_large_enough, too_small
from kerasviz.draw.panel_grid import (
    PanelExtent,
    PanelGrid,
    Rect,
    figure_inches,
    measure,
    measure_axis_right,
)
from kerasviz.draw.placing import (
    MARGIN,
    Frame,
    Page,
    Slot,
    Title,
    add_free_axes,
    min_side,
    original_rect,
    place_beside,
)
from kerasviz.draw.plot import Panel, Plot
from kerasviz.draw.text import escape, font_size, text_height
from kerasviz.draw.tiles.colorbar import BAR_PAD, BAR_WIDTH, add_bar, bar_room, needs_bar
from kerasviz.draw.tiles.layout import ONE_PANEL, AnyPlan, Plan, balance_rooms, make_plan
from kerasviz.draw.tiles.panel import TilePanel, draw_panel
from kerasviz.draw.tiles.scaling import resolve_scales
from kerasviz.draw.tiles.style import TileStyle

# Sizes in inches, as those of a figure.
MIN_WIDTH = 2.6
"""Smallest width of a panel in a new figure, with what is around it: its title needs some room."""
SMALL_AXES = 3.5
"""Below this width at 10 points, an Axes of the caller's gets a title in a small font."""
TABLE_WORDS = 3.5
"""Room beside and below a table for its numbers and words, in sizes of the font."""


def draw_panels(panels: Sequence[TilePanel], style: TileStyle) -> Plot:
    """Draw panels into a new figure, or into the Axes or the figure of the caller.

    Args:
        panels: What to draw, at least one.
        style: How to draw them.

    Returns:
        The `Plot`. A new figure is known to pyplot; if anything fails, it is closed again.
    """
    check_panels(len(panels), style.place.ax)
    warn_invalid(sum(panel.invalid for panel in panels), stacklevel=3)
    return draw_scaled(*resolve_scales(panels, style.colors), style)


def draw_scaled(
    panels: Sequence[TilePanel], scales: Sequence[ColorScale | None], style: TileStyle
) -> Plot:
    """Draw panels as `draw_panels` does, in colours that are chosen already."""
    with figure_for(style.place, ONE_PANEL, layout="none") as figure:
        if style.place.ax is not None:
            return _draw_into_axes(style.place.ax, panels[0], scales[0], style)
        if style.place.grows:
            return _draw_into_new(cast(Figure, figure), panels, scales, style)
        return _draw_into_page(cast("Figure | SubFigure", figure), panels, scales, style)


def draw_apart(panels: Sequence[TilePanel], style: TileStyle) -> Iterator[Plot]:
    """Draw each panel as `draw_panels` does, into a figure of its own that pyplot does not know.

    Args:
        panels: What to draw.
        style: How to draw them; `ax` and `figure` are ignored.

    Yields:
        The `Plot` of each panel, drawn when it is requested. There are no warnings.
    """
    panels, scales = resolve_scales(panels, style.colors)
    for panel, scale in zip(panels, scales, strict=True):
        yield draw_unmanaged(panel, scale, style)


def draw_unmanaged(panel: TilePanel, scale: ColorScale | None, style: TileStyle) -> Plot:
    """Draw a panel into a new figure that pyplot does not know, in colours that are chosen."""
    figure = Figure()
    figure.set_layout_engine("none")
    FigureCanvasAgg(figure)
    return _draw_into_new(figure, [panel], [scale], style)


def _panel_columns(panels: Sequence[TilePanel]) -> int:
    """Choose how many panels are side by side: one where tables have backgrounds and are wide."""
    if any(panel.has_background_column for panel in panels):
        return 1
    return math.ceil(math.sqrt(len(panels)))


def panel_title(panel: TilePanel, title: str | bool | None) -> str:
    """Return the caller's title, or the panel's heading and below it a line of notes.

    Names of layers and samples are drawn letter by letter; the caller's title may hold formulas.
    """
    if isinstance(title, str):
        return title
    return escape(panel.title) if title else ""


def _title(panel: TilePanel, title: str | bool | None) -> Title:
    is_own = isinstance(title, str)
    text = str(title) if is_own else panel.title if title else ""
    return Title(text=text, size=font_size(), is_own=is_own)


def _draw_into_new(
    figure: Figure,
    panels: Sequence[TilePanel],
    scales: Sequence[ColorScale | None],
    style: TileStyle,
) -> Plot:
    """Draw panels, measure what they need around their tiles, and make the figure as large."""
    columns = _panel_columns(panels)
    rooms = [ONE_PANEL]
    if len(panels) > 1:
        rooms = balance_rooms(panels, columns, style.layout, figure.dpi)
    frames, parts, extents = [], [], []
    for panel, scale, room in zip(panels, scales, rooms, strict=True):
        plan = make_plan(panel, style.layout, room, figure.dpi, new=True)
        height, width = plan.size
        # What sticks out of an Axes can be measured on any figure that is larger than it, and then
        # tells how large the figure has to be; so each panel is drawn before it has its position.
        figure.set_size_inches(width + 2, height + 2)
        ax = figure.add_axes(Rect(left=1, bottom=1, width=width, height=height).fractions(figure))
        frame, part = _draw_frame(ax, plan, scale, style)
        around = frame.around
        right = max(around.right, MIN_WIDTH - 2 * MARGIN - around.left - width)
        lines = frame.title.lines(width + right)
        frame.write_title(lines, width, plan.head)
        above = frame.above(lines, width, plan.head)
        extents.append(replace(around, width=width, height=height, right=right, above=above))
        frames.append(frame)
        parts.append(part)
    # Each panel is in the corner of its cell: their mosaics have no common edge to be aligned at.
    grid = PanelGrid(
        columns=columns, margin=MARGIN, gaps=(2 * MARGIN, 2 * MARGIN), is_aligned=False
    )
    rects = grid.place([panel.ax for panel in parts], extents, is_new=True)
    page = Page(
        figure=figure, frames=frames, columns=columns, natural=(figure_inches(figure), rects)
    )
    page.attach()
    return Plot(figure=figure, panels=tuple(parts), owns_figure=True)


def _draw_into_page(
    figure: Figure | SubFigure,
    panels: Sequence[TilePanel],
    scales: Sequence[ColorScale | None],
    style: TileStyle,
) -> Plot:
    """Draw panels into a figure that has its size, of which each gets an equal part."""
    size, least = figure_inches(figure), (math.inf, math.inf)
    for columns in _page_columns(panels, size, style):
        page = Page(figure=figure, frames=[], columns=columns, count=len(panels))
        framed_panels = _draw_cells(page, panels, scales, style)
        page.frames = [frame for frame, _ in framed_panels]
        needed = page.least_size()
        if is_large_enough(size, needed):
            page.attach()
            parts = tuple(part for _, part in framed_panels)
            return Plot(figure=figure, panels=parts, owns_figure=style.place.is_new)
        for frame in page.frames:
            frame.ax.remove()
        least = min(least, needed, key=math.prod)
    raise too_small(size, least, style.place)


def _draw_cells(
    page: Page,
    panels: Sequence[TilePanel],
    scales: Sequence[ColorScale | None],
    style: TileStyle,
) -> list[tuple[Frame, Panel]]:
    """Draw each panel as large as it can be in its cell, below the highest title of its row."""
    size = figure_inches(page.figure)
    cells = [page.cell(index, size) for index in range(len(panels))]
    titles = [_title(panel, style.place.title) for panel in panels]
    heights = [
        title.height(title.lines(cell.width)) for title, cell in zip(titles, cells, strict=True)
    ]
    framed_panels = []
    for index, (panel, scale) in enumerate(zip(panels, scales, strict=True)):
        first = index - index % page.columns
        above = max(heights[first : first + page.columns])
        room = replace(cells[index], height=cells[index].height - above)
        ax = add_free_axes(page.figure)
        framed_panels.append(_draw_in_room(ax, panel, scale, room, style))
    return framed_panels


def _draw_into_axes(ax: Axes, panel: TilePanel, scale: ColorScale | None, style: TileStyle) -> Plot:
    """Draw a panel into an Axes of the caller's, as large as there is room."""
    ax.set_title("")
    rect, title = original_rect(ax), _title(panel, style.place.title)
    if rect.width < SMALL_AXES * font_size() / 10:
        title = replace(title, size=font_size("small"))
    room = replace(rect, height=rect.height - title.height(title.lines(rect.width)))
    frame, part = _draw_in_room(ax, panel, scale, room, style)
    frame.title = title
    slot = Slot(frame=frame)
    check_size(ax.figure, slot.least_size(), style.place)
    slot.attach()
    slot.rect()  # writes the title
    return Plot(figure=ax.figure, panels=(part,))


def _draw_in_room(
    ax: Axes, panel: TilePanel, scale: ColorScale | None, room: Rect, style: TileStyle
) -> tuple[Frame, Panel]:
    """Draw a panel, as large as it can be in a room with all that is around it but its title."""
    has_bar = panel.has_colors and needs_bar(scale, style)
    width = max(room.width - (bar_room() if has_bar else 0.0), min_side())
    height = max(room.height, min_side())
    if panel.table is not None and not panel.is_chart:
        words = TABLE_WORDS * font_size() / 72
        width, height = max(width - words, min_side()), max(height - words, min_side())
    plan = make_plan(panel, style.layout, (width, height), ax.figure.dpi, new=False)
    if style.place.ax is None:  # so that what is around it can be measured
        replace(room, width=plan.size[1], height=plan.size[0]).place(ax)
    return _draw_frame(ax, plan, scale, style)


def _draw_frame(
    ax: Axes, plan: AnyPlan, scale: ColorScale | None, style: TileStyle
) -> tuple[Frame, Panel]:
    """Draw a panel as it is planned, and measure what is around it."""
    image = draw_plan(ax, plan, scale)
    left = right = above = below = 0.0
    if isinstance(plan, Plan) and (plan.panel.table is not None or plan.row_step):
        around = measure(ax)
        left, below = around.left, around.below
    bar = None
    if image is not None and needs_bar(scale, style):
        cax = ax.inset_axes((1, 0, 0.1, 1))
        place_beside(cax, ax, BAR_PAD, BAR_WIDTH)
        bar = add_bar(
            image,
            plan.panel.tiles,
            over=plan.panel.is_over_pictures,
            labels=plan.panel.label_names,
            cax=cax,
        )
        right = BAR_PAD + BAR_WIDTH + measure_axis_right(cax)
        # Half of a number, wherever the numbers will be when the bar has its height.
        half = text_height("0", font_size("small")) / 2
        above, below = half, max(below, half)
    extent = PanelExtent(left=left, right=right, above=above, below=below)
    frame = Frame(
        ax=ax,
        title=_title(plan.panel, style.place.title),
        around=extent,
        size=plan.size,
        head=plan.head,
        has_aspect=isinstance(plan, Plan),
    )
    return frame, plan.panel.drawn_as(ax, image, bar, scale)


def _page_columns(
    panels: Sequence[TilePanel], page: tuple[float, float], style: TileStyle
) -> list[int]:
    """Return how many panels may be in a row; first what fills a page of some shape best."""
    count = len(panels)
    if count == 1 or any(panel.has_background_column for panel in panels):
        return [1]

    def smallest(columns: int) -> float:
        """Return how large the smallest panel becomes: its area in square inches."""
        rows = math.ceil(count / columns)
        room = page[0] / columns - bar_room() - 2 * MARGIN, page[1] / rows - 4 * MARGIN
        room = max(room[0], 0.1), max(room[1], 0.1)
        plans = [make_plan(panel, style.layout, room, 100, new=False) for panel in panels]
        return round(min(plan.size[0] * plan.size[1] for plan in plans), 3)

    # As many columns as needed for a number of rows: with more, the last row would be emptier.
    candidates = {math.ceil(count / rows) for rows in range(1, count + 1)}
    return sorted(candidates, key=smallest, reverse=True)


def draw_plan(ax: Axes, plan: AnyPlan, scale: ColorScale | None) -> AxesImage | None:
    """Draw a panel as it is planned; most charts have no image."""
    if not isinstance(plan, Plan):
        assert scale is not None  # a chart has no colours of its own
        return plan.draw(ax, scale)
    image = draw_panel(
        ax,
        plan.panel,
        plan.grid,
        scale,
        label_size=plan.label_size,
        unit=plan.unit,
        row_step=plan.row_step,
        max_ticks=plan.max_ticks,
    )
    values, units = plan.panel.tiles.shape[1:3], plan.grid.tile
    if plan.whole_dots and values[0] <= units[0] and values[1] <= units[1]:
        # Matplotlib's own choice blends values of three dots, and by rounding errors many of one
        # and two. Without blending both stages give the same dots, and "data" is faster.
        for each in ax.images:
            each.set(interpolation="nearest", interpolation_stage="data")
    return image
