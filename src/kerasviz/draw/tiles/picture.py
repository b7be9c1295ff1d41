"""Draw panels of tiles: into a new figure that fits them, or into the caller's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from matplotlib.image import AxesImage

from kerasviz.draw.axes_locators import (
    MARGIN,
    TITLE_PAD,
    Frame,
    Page,
    Redrawn,
    Slot,
    Title,
    min_side,
    original_rect,
    place_beside,
)
from kerasviz.draw.color import ColorScale, warn_invalid
from kerasviz.draw.figure import (
    Placement,
    check_panels,
    check_size,
    figure_for,
    is_large_enough,
    too_small,
)
from kerasviz.draw.free_axes import add_free_axes
from kerasviz.draw.least_size import draw_legible
from kerasviz.draw.pages.cells import Use, equal_cells, fitted_cells
from kerasviz.draw.pages.rows import PanelSizes, fill_rows
from kerasviz.draw.panel_grid import (
    PanelExtent,
    PanelRows,
    Rect,
    figure_inches,
    measure,
    measure_axis_right,
)
from kerasviz.draw.plot import Panel, Plot
from kerasviz.draw.text import LINE_HEIGHT, escape, font_size, screen_width, text_height
from kerasviz.draw.tiles.background import Picture
from kerasviz.draw.tiles.colorbar import (
    BAR_PAD,
    BAR_WIDTH,
    add_bar,
    bar_room,
    longest_number,
    needs_bar,
)
from kerasviz.draw.tiles.layout import (
    MANY_PANELS,
    ONE_PANEL,
    AnyPlan,
    Plan,
    area_of,
    draft_beside,
    draft_plans,
    make_plan,
)
from kerasviz.draw.tiles.panel import TilePanel, draw_panel
from kerasviz.draw.tiles.scaling import resolve_picture, resolve_scales
from kerasviz.draw.tiles.style import TileLayout, TileStyle

# Sizes in inches, as those of a figure.
MIN_WIDTH = 2.6
"""Smallest width of a panel in a new figure, with what is around it: its title needs some room."""
WIDTH_BESIDE, MIN_BESIDE = 1.8, 1.2
"""Largest width and height of a picture beside panels, and smallest width of its words."""
MIN_PAGE_BESIDE, SHARE_BESIDE = 6.5, 0.2
"""Width of a figure of the caller's size from which on there is such a picture at 10 points, and
which part of this width it gets."""
SMALL_AXES = 3.5
"""Below this width at 10 points, an Axes of the caller's gets a title in a small font."""
TABLE_WORDS = 3.5
"""Room beside and below a table for its numbers and words, in sizes of the font."""


def draw_panels(
    panels: Sequence[TilePanel], style: TileStyle, picture: Picture | None = None
) -> Plot:
    """Draw panels into a new figure, or into the Axes or the figure of the caller.

    Args:
        panels: What to draw, at least one.
        style: How to draw them.
        picture: What is drawn beside them in a new figure, where there is room.

    Returns:
        The `Plot`. A new figure is known to pyplot; if anything fails, it is closed again.
    """
    check_panels(len(panels), style.place.ax)
    warn_invalid(sum(panel.invalid for panel in panels), stacklevel=3)
    return draw_scaled(*resolve_scales(panels, style.colors), style, picture)


def draw_scaled(
    panels: Sequence[TilePanel],
    scales: Sequence[ColorScale | None],
    style: TileStyle,
    picture: Picture | None = None,
) -> Plot:
    """Draw panels as `draw_panels` does, in colours that are chosen already."""

    def draw(place: Placement) -> Plot:
        return _draw(panels, scales, replace(style, place=place), picture)

    # Tiles can be measured beforehand; the words in a chart depend on its size.
    if any(panel.is_chart for panel in panels):
        return draw_legible(style.place, draw)
    return draw(style.place)


def _draw(
    panels: Sequence[TilePanel],
    scales: Sequence[ColorScale | None],
    style: TileStyle,
    picture: Picture | None,
) -> Plot:
    parts = [
        _Part(panel=panel, scale=scale, style=style)
        for panel, scale in zip(panels, scales, strict=True)
    ]
    beside = None if picture is None or not style.place.is_new else _part_beside(picture, style)
    with figure_for(style.place, ONE_PANEL, layout="none") as figure:
        if style.place.ax is not None:
            return _draw_into_axes(style.place.ax, parts[0])
        if style.place.grows:
            return _draw_into_new(cast(Figure, figure), parts, beside)
        return _draw_into_page(cast("Figure | SubFigure", figure), parts, beside, style.place)


@dataclass(frozen=True, kw_only=True)
class _Part:
    """A panel with its colours and its style.

    Args:
        panel: What to draw.
        scale: Its colours.
        style: How to draw it.
        is_beside: Whether it is the picture that the others were computed from.
    """

    panel: TilePanel
    scale: ColorScale | None
    style: TileStyle
    is_beside: bool = False

    @property
    def title(self) -> Title:
        """The title above it."""
        title = self.style.place.title
        is_own = isinstance(title, str)
        text = str(title) if is_own else self.panel.title if title else ""
        return Title(text=text, size=font_size(), is_own=is_own)

    @property
    def has_bar(self) -> bool:
        """Whether it has a colour bar."""
        return self.panel.has_colors and needs_bar(self.scale, self.style)

    @property
    def min_width(self) -> float:
        """The smallest width in a new figure, with what is around it."""
        return (MIN_BESIDE if self.is_beside else MIN_WIDTH) - 2 * MARGIN


def _part_beside(picture: Picture, style: TileStyle) -> _Part:
    """Return the picture that is beside the panels, in its own colours, without a number."""
    panel, scale = resolve_picture(picture)
    style = replace(
        style,
        layout=TileLayout(labels=False, colorbar=False),
        place=replace(style.place, title=bool(style.place.title)),
    )
    return _Part(panel=panel, scale=scale, style=style, is_beside=True)


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
    figure = Figure(figsize=style.place.figsize)
    figure.set_layout_engine("none")
    FigureCanvasAgg(figure)
    part = _Part(panel=panel, scale=scale, style=style)
    if style.place.grows:
        return _draw_into_new(figure, [part], None)
    return _draw_into_page(figure, [part], None, style.place)


def panel_title(panel: TilePanel, title: str | bool | None) -> str:
    """Return the caller's title, or the panel's heading and below it a line of notes.

    Names of layers and samples are drawn letter by letter; the caller's title may hold formulas.
    """
    if isinstance(title, str):
        return title
    return escape(panel.title) if title else ""


def _draw_into_new(figure: Figure, parts: Sequence[_Part], beside: _Part | None) -> Plot:
    """Draw panels, measure what they need around their tiles, and make the figure as large."""
    # The picture is at the left of the first row; its artists come last in the figure.
    ordered = list(parts) if beside is None else [beside, *parts]
    plans, counts = _plan_rows(ordered, figure.dpi)
    planned = list(zip(ordered, plans, strict=True))
    frames, panels, extents = [], [], []
    for part, plan in planned if beside is None else [*planned[1:], planned[0]]:
        frame, panel, extent = _draw_measured(figure, part, plan)
        frames.append(frame)
        panels.append(panel)
        extents.append(extent)
    if beside is not None:
        frames, panels, extents = ([last, *first] for *first, last in (frames, panels, extents))
    rows = PanelRows(counts=counts, margin=MARGIN)
    rects, cells = rows.place([panel.ax for panel in panels], extents)
    page = Page(figure=figure, frames=frames, cells=cells, natural=(figure_inches(figure), rects))
    page.attach()
    return _plot(figure, panels, has_picture=beside is not None, owns_figure=True)


def _plot(
    figure: Figure | SubFigure, panels: Sequence[Panel], *, has_picture: bool, owns_figure: bool
) -> Plot:
    """Return the plot of panels, of which the first may be the picture beside the others."""
    picture = None
    if has_picture:
        (values,) = np.asarray(panels[0].values)
        picture = replace(panels[0], indices=None, values=values)
    return Plot(
        figure=figure,
        panels=tuple(panels[1:] if has_picture else panels),
        picture=picture,
        owns_figure=owns_figure,
    )


def _draw_measured(figure: Figure, part: _Part, plan: AnyPlan) -> tuple[Frame, Panel, PanelExtent]:
    """Draw a panel into a new figure, and measure the room that it needs.

    What sticks out of an Axes can be measured on any figure that is larger than it, and then tells
    how large the figure has to be; so each panel is drawn before it has its position.
    """
    height, width = plan.size
    figure.set_size_inches(width + 2, height + 2)
    ax = add_free_axes(figure)
    Rect(left=1, bottom=1, width=width, height=height).place(ax)
    frame, panel = _draw_frame(ax, plan, part)
    around = frame.around
    right = max(around.right, part.min_width - around.left - width)
    lines = frame.title.lines(width + right)
    frame.write_title(lines, width, plan.head)
    above = frame.above(lines, width, plan.head)
    return frame, panel, replace(around, width=width, height=height, right=right, above=above)


def _plan_rows(parts: Sequence[_Part], dpi: float) -> tuple[list[AnyPlan], tuple[int, ...]]:
    """Plan the panels of a new figure, and say how many are in each of its rows."""
    *first, last = parts
    if not first or (len(first) == 1 and first[0].is_beside):
        plan = make_plan(last.panel, last.style.layout, ONE_PANEL, dpi, new=True)
        return [*(_plan_beside(part, plan.size[0], dpi) for part in first), plan], (len(parts),)
    if any(part.panel.has_background_column for part in parts):  # these are wide
        return [
            make_plan(part.panel, part.style.layout, MANY_PANELS, dpi, new=True) for part in parts
        ], (1,) * len(parts)
    drafts = [
        draft_beside(part.panel, dpi)
        if part.is_beside
        else draft_plans(part.panel, part.style.layout, dpi)
        for part in parts
    ]
    sizes = [
        _sizes(part, [plan for _, plan in plans]) for part, plans in zip(parts, drafts, strict=True)
    ]
    filled = fill_rows(sizes, 2 * MARGIN)
    plans = []
    for part, drafts_of_part, choice in zip(parts, drafts, filled.choices, strict=True):
        draft, _ = drafts_of_part[choice]
        layout = part.style.layout
        plan = make_plan(part.panel, layout, draft.room, dpi, new=True, aspect=draft.aspect)
        plans.append(plan)
    return plans, filled.counts


def _plan_beside(part: _Part, height: float, dpi: float) -> AnyPlan:
    """Plan a picture beside one panel of some height."""
    room = WIDTH_BESIDE, min(max(height, MIN_BESIDE), WIDTH_BESIDE)
    return make_plan(part.panel, part.style.layout, room, dpi, new=True)


def _sizes(part: _Part, plans: Sequence[AnyPlan]) -> PanelSizes:
    """Return the sizes that a panel would have as it is planned, with what is around it."""
    title = part.title
    lines = [screen_width(line, title.size) / 72 for line in title.text.splitlines()]
    words = TABLE_WORDS * font_size() / 72
    widths, heights = [], []
    for plan in plans:
        has_words = isinstance(plan, Plan) and plan.panel.table is not None
        beside = (bar_room() if part.has_bar else 0.0) + (words if has_words else 0.0)
        height, width = plan.size
        width = max(width + beside, part.min_width)
        count = sum(math.ceil(line / width) for line in lines)
        above = plan.head + count * LINE_HEIGHT * title.size / 72 + TITLE_PAD
        widths.append(width)
        heights.append(height + above + (words if has_words else 0.0))
    areas = np.array([area_of(plan) for plan in plans])
    return PanelSizes(
        widths=np.array(widths), heights=np.array(heights), areas=areas, usual=float(areas[0])
    )


def _draw_into_page(
    figure: Figure | SubFigure,
    parts: Sequence[_Part],
    beside: _Part | None,
    place: Placement,
) -> Plot:
    """Draw panels into a figure that has its size, of which each gets as much as it can fill.

    A picture beside them gets a narrow part at the left, where the figure is wide enough.
    """
    size, least = figure_inches(figure), (math.inf, math.inf)
    layouts = [(columns, 0.0) for columns in _page_columns(parts, size)]
    if beside is not None and size[0] >= MIN_PAGE_BESIDE * font_size() / 10:
        layouts = [(columns, SHARE_BESIDE) for columns, _ in layouts] + layouts
    for columns, share in layouts:
        for cells in _page_cells(parts, size, columns, share, figure.dpi):
            ordered = list(parts)
            if share and beside is not None:
                cells = [replace(cells[0], left=0.0, width=share), *cells]
                ordered = [beside, *parts]
            page = Page(figure=figure, frames=[], cells=cells)
            framed_panels = _draw_cells(page, ordered)
            page.frames = [frame for frame, _ in framed_panels]
            needed = page.least_size()
            if is_large_enough(size, needed):
                page.attach()
                panels = [panel for _, panel in framed_panels]
                return _plot(figure, panels, has_picture=share > 0, owns_figure=place.is_new)
            for frame in page.frames:
                frame.ax.remove()
            least = min(least, needed, key=math.prod) if not share else least
    raise too_small(size, least, place)


def _page_cells(
    parts: Sequence[_Part], page: tuple[float, float], columns: int, share: float, dpi: float
) -> Iterator[list[Rect]]:
    """Yield cells for panels that each can fill, and, where these are others, equal ones."""

    def use(index: int, width: float, height: float) -> Use:
        part, title = parts[index], parts[index].title
        around = title.height(title.lines(width - 2 * MARGIN)) + 2 * MARGIN
        cell = Rect(left=0.0, bottom=0.0, width=width - 2 * MARGIN, height=height - around)
        room = _room_of(part, cell)
        plan = make_plan(part.panel, part.style.layout, room, dpi, new=False, is_draft=True)
        beside = width - room[0]
        wide = max(plan.size[1] + beside, title.min_width + 2 * MARGIN)
        return Use(wide, plan.size[0] + plan.head + height - room[1], area_of(plan))

    equal = equal_cells(len(parts), columns, left=share)
    fitted = fitted_cells(page, len(parts), columns, use, left=share)
    yield fitted
    if fitted != equal:
        yield equal


def _draw_cells(page: Page, parts: Sequence[_Part]) -> list[tuple[Frame, Panel]]:
    """Draw each panel as large as it can be in its cell, below the highest title of its row."""
    size = figure_inches(page.figure)
    cells = [page.cell(index, size) for index in range(len(parts))]
    heights = [
        part.title.height(part.title.lines(cell.width))
        for part, cell in zip(parts, cells, strict=True)
    ]
    framed_panels = []
    for index, part in enumerate(parts):
        above = max(heights[other] for other in page.row(index))
        room = replace(cells[index], height=cells[index].height - above)
        framed_panels.append(_draw_in_room(add_free_axes(page.figure), part, room))
    return framed_panels


def _draw_into_axes(ax: Axes, part: _Part) -> Plot:
    """Draw a panel into an Axes of the caller's, as large as there is room."""
    ax.set_title("")
    rect, title = original_rect(ax), part.title
    if rect.width < SMALL_AXES * font_size() / 10:
        title = replace(title, size=font_size("small"))
    room = replace(rect, height=rect.height - title.height(title.lines(rect.width)))
    frame, panel = _draw_in_room(ax, part, room)
    frame.title = title
    slot = Slot(frame=frame)
    check_size(ax.figure, slot.least_size(), part.style.place)
    slot.attach()
    slot.rect()  # writes the title
    return Plot(figure=ax.figure, panels=(panel,))


def _draw_in_room(ax: Axes, part: _Part, room: Rect) -> tuple[Frame, Panel]:
    """Draw a panel, as large as it can be in a room with all that is around it but its title."""
    panel, style = part.panel, part.style
    plan = make_plan(panel, style.layout, _room_of(part, room), ax.figure.dpi, new=False)
    if style.place.ax is None:  # so that what is around it can be measured
        replace(room, width=plan.size[1], height=plan.size[0]).place(ax)
    return _draw_frame(ax, plan, part)


def _room_of(part: _Part, room: Rect) -> tuple[float, float]:
    """Return width and height of what remains of a room for a panel, without its bar and words."""
    width = max(room.width - (bar_room() if part.has_bar else 0.0), min_side())
    height = max(room.height, min_side())
    if part.panel.table is not None and not part.panel.is_chart:
        words = TABLE_WORDS * font_size() / 72
        width, height = max(width - words, min_side()), max(height - words, min_side())
    return width, height


def _draw_frame(ax: Axes, plan: AnyPlan, part: _Part) -> tuple[Frame, Panel]:
    """Draw a panel as it is planned, and measure what is around it."""
    scale = part.scale
    chart = None if isinstance(plan, Plan) else _chart(ax, plan, part)
    image = draw_plan(ax, plan, scale) if chart is None else chart.image
    left = right = above = below = 0.0
    if isinstance(plan, Plan) and (plan.panel.table is not None or plan.by_row):
        around = measure(ax)
        left, below = around.left, around.below
        if plan.by_row:  # with another height, other rows may be numbered
            size = plan.label_size or font_size()
            names = plan.panel.row_names(plan.grid.columns)
            widest = max(screen_width(name, size) for name in names)
            left = max(left, (widest + rcParams["ytick.major.pad"]) / 72)
    bar = None
    if image is not None and needs_bar(scale, part.style):
        cax = ax.inset_axes((1, 0, 0.1, 1))
        place_beside(cax, ax, BAR_PAD, BAR_WIDTH)
        bar = add_bar(
            image,
            plan.panel.tiles,
            over=plan.panel.is_over_pictures,
            labels=plan.panel.label_names,
            cax=cax,
        )
        numbers = measure_axis_right(cax)
        if not part.style.place.grows:  # its height may become another, and its numbers longer
            numbers = max(numbers, longest_number(bar))
        right = BAR_PAD + BAR_WIDTH + numbers
        # Half of a number, wherever the numbers will be when the bar has its height.
        half = text_height("0", font_size("small")) / 2
        above, below = half, max(below, half)
    extent = PanelExtent(left=left, right=right, above=above, below=below)
    frame = Frame(
        ax=ax,
        title=replace(part, panel=plan.panel).title,
        around=extent,
        size=plan.size,
        head=plan.head,
        chart=chart,
    )
    return frame, plan.panel.drawn_as(ax, image, bar, scale)


def _chart(ax: Axes, first: AnyPlan, part: _Part) -> Redrawn:
    """Draw a chart as it is planned, to be planned and drawn again when its Axes changes."""

    def draw(size: tuple[float, float]) -> AxesImage | None:
        plan: AnyPlan = first
        if size != first.size:
            room, dpi = (size[1], size[0]), ax.figure.dpi
            plan = make_plan(part.panel, part.style.layout, room, dpi, new=False)
        return draw_plan(ax, plan, part.scale)

    chart = Redrawn(ax, draw)
    chart.resize(first.size)
    return chart


def _page_columns(parts: Sequence[_Part], page: tuple[float, float]) -> list[int]:
    """Return how many panels may be in a row; first what fills a page of some shape best."""
    count = len(parts)
    if count == 1 or any(part.panel.has_background_column for part in parts):
        return [1]

    def smallest(columns: int) -> float:
        """Return how large the smallest panel becomes: its area in square inches."""
        rows = math.ceil(count / columns)
        room = page[0] / columns - bar_room() - 2 * MARGIN, page[1] / rows - 4 * MARGIN
        room = max(room[0], 0.1), max(room[1], 0.1)
        plans = [make_plan(part.panel, part.style.layout, room, 100, new=False) for part in parts]
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
        by_row=plan.by_row,
        max_ticks=plan.max_ticks,
    )
    values, units = plan.panel.tiles.shape[1:3], plan.grid.tile
    if plan.whole_dots and values[0] <= units[0] and values[1] <= units[1]:
        # Matplotlib's own choice blends values of three dots, and by rounding errors many of one
        # and two. Without blending both stages give the same dots, and "data" is faster.
        for each in ax.images:
            each.set(interpolation="nearest", interpolation_stage="data")
    return image
