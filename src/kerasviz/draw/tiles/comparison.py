"""Draw panels to be compared: one geometry and one colour scale for all, with numbers below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure, SubFigure
from matplotlib.image import AxesImage

from kerasviz.draw.axes_locators import (
    MARGIN,
    MIN_WORDS,
    TITLE_PAD,
    min_side,
    place_beside,
)
from kerasviz.draw.color import DIVERGING, ColorChoice, ColorScale, warn_invalid
from kerasviz.draw.figure import figure_for, is_large_enough, too_small
from kerasviz.draw.free_axes import add_free_axes, locate
from kerasviz.draw.panel_grid import (
    MIN_SIDE,
    PanelExtent,
    PanelGrid,
    Rect,
    figure_inches,
    measure,
    measure_axis_right,
)
from kerasviz.draw.plot import Plot
from kerasviz.draw.text import LINE_FILL, escape, font_size, text_height, wrap_text
from kerasviz.draw.tiles.colorbar import BAR_PAD, BAR_WIDTH, add_bar, bar_room, needs_bar
from kerasviz.draw.tiles.layout import MANY_PANELS, ONE_PANEL, AnyPlan, make_plan
from kerasviz.draw.tiles.panel import TilePanel
from kerasviz.draw.tiles.picture import draw_plan, panel_title
from kerasviz.draw.tiles.scaling import resolve_scales
from kerasviz.draw.tiles.style import TileStyle

# Sizes in inches, as those of a figure.
PAGE = (11.0, 8.5)
"""The largest size of a new figure."""
BESIDE, BELOW = 0.25, 0.15
"""Distance between two panels."""
TABLE_NUMBERS = (0.5, 0.45)
"""Room for the numbers of a table's rows and columns."""
NAME_PAD = 0.4
"""Distance between a panel's name and the small lines below it, in sizes of the name's font."""
NARROW = 1.9
"""Smallest width of the lines above and below a panel, where there is room for them."""
SIDE_BY_SIDE = 0.6
"""All panels are in one row, unless tiles would be smaller than this part of what they can be."""
LARGE, SMALL = "large", "small"
"""Font sizes of headings and names, and of all else."""


class Compared(NamedTuple):
    """A panel, its name, and the text below it."""

    panel: TilePanel
    name: str
    caption: str


@dataclass(frozen=True, kw_only=True)
class _Item:
    """A panel with its colours and the words around it; `title` is all that they say of it."""

    panel: TilePanel
    scale: ColorScale | None
    name: str
    notes: str
    caption: str
    title: str

    def lines(self, width: float) -> tuple[str, str, str]:
        """Return name, notes and caption in lines that are at most `width` inches wide."""
        points, small = LINE_FILL * 72 * width, font_size(SMALL)
        return (
            wrap_text(self.name, points, font_size(LARGE)),
            wrap_text(self.notes, points, small),
            wrap_text(self.caption, points, small),
        )


@dataclass(frozen=True, kw_only=True)
class _Part:
    """A panel's artists, and its extent, of which the data area is its mosaic."""

    item: _Item
    ax: Axes
    image: AxesImage | None
    bar: Colorbar | None
    extent: PanelExtent


def draw_comparison(
    models: Sequence[Compared], difference: Compared | None, style: TileStyle
) -> Plot:
    """Draw panels on one colour scale, and the difference of two of them on one of its own.

    Args:
        models: The panels, all with the same tiles at the same positions.
        difference: The difference.
        style: How to draw them; `scale` must be "figure".

    Returns:
        The `Plot`. A new figure is known to pyplot; if anything fails, it is closed again.
    """
    compared = [*models, *([difference] if difference else [])]
    warn_invalid(sum(each.panel.invalid for each in compared), stacklevel=3)
    heading, items = _words(compared, _colors(models, difference, style.colors), style.place.title)
    with figure_for(style.place, PAGE, layout="none") as new_or_callers:
        if style.place.ax is not None:
            return _draw_into_axes([style.place.ax], items, 1, style)
        return _draw_into_grid(cast("Figure | SubFigure", new_or_callers), items, heading, style)


def _colors(
    models: Sequence[Compared], difference: Compared | None, colors: ColorChoice
) -> list[tuple[TilePanel, ColorScale | None]]:
    """Put all models on the very same scale, and the difference on one that is even about 0."""
    panels, scales = resolve_scales([each.panel for each in models], colors)
    colored = [(panel, scales[0]) for panel in panels]
    if difference is not None:
        cmap = None if difference.panel.is_rgb else DIVERGING
        own = replace(colors, cmap=cmap, norm=None, vmin=None, vmax=None)
        panels, scales = resolve_scales([difference.panel], own)
        colored.append((panels[0], scales[0]))
    return colored


def _words(
    compared: Sequence[Compared],
    colored: Sequence[tuple[TilePanel, ColorScale | None]],
    title: str | bool | None,
) -> tuple[str, list[_Item]]:
    """Return the heading of all panels, and each with the words that are its own."""
    panels = [panel for panel, _ in colored]
    common = [note for note in panels[0].notes if all(note in panel.notes for panel in panels)]
    own_heading = escape(", ".join([panels[0].heading, *common]))
    heading = own_heading if title is True else title or ""
    items = []
    for each, (panel, scale) in zip(compared, colored, strict=True):
        own = replace(panel, notes=tuple(note for note in panel.notes if note not in common))
        notes = panel_title(own, True).partition("\n")[2]
        item = _Item(
            panel=panel,
            scale=scale,
            name=escape(each.name),
            notes=notes,
            caption=escape(each.caption),
            title=f"{each.name}, {panel.title}",
        )
        items.append(item)
    if len(items) == 1 and heading:  # one panel has one line above it, in an Axes as in a figure
        name = f"{items[0].name}, {heading}" if title is True else heading
        return "", [replace(items[0], name=name)]
    return heading, items


def _choose_columns(
    items: Sequence[_Item],
    heading: str,
    style: TileStyle,
    page: tuple[float, float],
    dpi: float,
) -> dict[int, tuple[float, float]]:
    """Choose how many panels are in a row: all, unless the tiles would be much larger otherwise.

    Returns:
        The width and height that each mosaic has, by the number of panels in a row; the best first.
    """
    count, new = len(items), style.place.grows
    candidates = {columns for columns in range(1, count + 1) if count % columns == 0}
    if count > 3:
        candidates.add(math.ceil(math.sqrt(count)))
    units, rooms = {}, {}
    for columns in candidates:
        room = _room(items, heading, columns, style, page)
        if new:
            largest = MANY_PANELS if columns > 1 else (ONE_PANEL[0], MANY_PANELS[1])
            room = min(room[0], largest[0]), min(room[1], largest[1])
        rooms[columns] = room
        units[columns] = make_plan(items[0].panel, style.layout, room, dpi, new=new).unit
    order = sorted(candidates, key=lambda columns: (units[columns], columns), reverse=True)
    # Side by side panels are compared best, so their tiles may be somewhat smaller.
    if units[count] >= SIDE_BY_SIDE * units[order[0]] and rooms[count][0] >= NARROW:
        order = [count, *(columns for columns in order if columns != count)]
    return {columns: rooms[columns] for columns in order}


def _room(
    items: Sequence[_Item],
    heading: str,
    columns: int,
    style: TileStyle,
    page: tuple[float, float],
) -> tuple[float, float]:
    """Return the width and height that a mosaic has on a page with `columns` panels in a row."""
    grid = _grid(columns)
    beside, below = (0.0, 0.0)
    if items[0].panel.table is not None:
        beside, below = (inches * font_size() / 10 for inches in TABLE_NUMBERS)
    # A bar takes room from all columns: the mosaics beside it must not be larger than its own.
    bars = [bar_room() * bool(_sharing(items, i, columns, style)) for i in range(len(items))]
    extents = [PanelExtent(left=beside, right=bar) for bar in bars]
    width = grid.fill_width(extents, page[0])
    words = max(sum(_heights(*item.lines(width))) for item in items)
    extents = [replace(extent, above=words, below=below) for extent in extents]
    heading_height = _heading_height(heading, page[0] - 2 * MARGIN)
    return width, grid.fill_height(extents, page[1], heading_height)


def _grid(columns: int) -> PanelGrid:
    return PanelGrid(columns=columns, margin=MARGIN, gaps=(BESIDE, BELOW), whole_dots=True)


def _heights(name: str, notes: str, caption: str) -> tuple[float, float, float]:
    """Return the heights of the words around a panel, with their distances, in inches."""
    sizes = (font_size(LARGE), font_size(SMALL), font_size(SMALL))
    name_height, notes_height, caption_height = (
        text_height(text, size) for text, size in zip((name, notes, caption), sizes, strict=True)
    )
    between = _name_pad() if notes else 0.0
    return name_height, notes_height + between + TITLE_PAD, caption_height + TITLE_PAD


def _name_pad() -> float:
    """Return the distance between a panel's name and the lines below it, in inches."""
    return NAME_PAD * font_size(LARGE) / 72


def _heading_height(heading: str, width: float) -> float:
    """Return the height of the heading, in lines of this width, with the distance below it."""
    size = font_size(LARGE)
    return text_height(wrap_text(heading, width * 72, size), size) + TITLE_PAD if heading else 0.0


def _draw_into_grid(
    figure: Figure | SubFigure, items: Sequence[_Item], heading: str, style: TileStyle
) -> Plot:
    """Place all panels on a grid, and make a new figure as large as they are.

    A layout engine would make the panels that have a colour bar beside them smaller than others.
    """
    page, new = figure_inches(figure), style.place.grows
    least = (math.inf, math.inf)
    for columns, room in _choose_columns(items, heading, style, page, figure.dpi).items():
        parts = _draw_in_columns(figure, items, columns, room, style)
        needed = _least_size(parts, heading, _grid(columns), page)
        if new or is_large_enough(page, needed):
            _place(figure, parts, heading, _grid(columns), is_new=new)
            return _plot(figure, parts, is_new=style.place.is_new)
        for part in parts:
            part.ax.remove()
        least = min(least, needed, key=math.prod)
    raise too_small(page, least, style.place)


def _draw_in_columns(
    figure: Figure | SubFigure,
    items: Sequence[_Item],
    columns: int,
    room: tuple[float, float],
    style: TileStyle,
) -> list[_Part]:
    """Draw panels of which each has a room, to be placed."""
    new = style.place.grows
    plans = [make_plan(item.panel, style.layout, room, figure.dpi, new=new) for item in items]
    height, width = plans[0].size
    axes = [add_free_axes(figure) for _ in items]
    for ax in axes:  # with its size, but not yet at its place, what is around it can be measured
        Rect(left=0, bottom=0, width=width, height=height).place(ax)
    line_width = max(width, min(NARROW, room[0])) if new else room[0]
    return _draw_items(axes, items, plans, columns=columns, line_width=line_width, style=style)


def _least_size(
    parts: Sequence[_Part], heading: str, grid: PanelGrid, page: tuple[float, float]
) -> tuple[float, float]:
    """Return the least width and height of a page on which panels and words have room."""
    least = [
        replace(
            part.extent,
            width=min_side(),
            right=max(part.extent.right, MIN_WORDS * font_size(SMALL) / 72 - min_side()),
            height=min_side(),
        )
        for part in parts
    ]
    width = grid.width(least)
    height = grid.height(least, _heading_height(heading, max(width, page[0]) - 2 * MARGIN))
    return width, height


def _place(
    figure: Figure | SubFigure,
    parts: Sequence[_Part],
    heading: str,
    grid: PanelGrid,
    *,
    is_new: bool,
) -> None:
    """Put panels into rows, in the middle of the caller's figure, below the heading."""
    extents = [each.extent for each in parts]
    page_width = grid.width(extents) if is_new else figure_inches(figure)[0]
    start = grid.start(extents, page_width)
    line_width = page_width - start - MARGIN
    heading_height = _heading_height(heading, line_width)
    axes = [each.ax for each in parts]
    if not is_new:
        for ax in axes:  # the words begin at the left edge, and the tiles too
            ax.set_anchor("NW")
        extents = grid.fill(extents, figure_inches(figure), heading_height)
    rects = grid.place(axes, extents, heading=heading_height, is_new=is_new)
    natural = figure_inches(figure)

    def where(index: int) -> Rect:
        """Return where a panel is, in the size that the figure has now."""
        size = figure_inches(figure)
        if math.dist(size, natural) < 0.01:
            return rects[index]
        return grid.arrange(grid.fill(extents, size, heading_height), size, heading_height)[index]

    for index, ax in enumerate(axes):
        locate(ax, partial(where, index))
    if heading:
        size = font_size(LARGE)
        text = wrap_text(heading, line_width * 72, size)
        page = figure_inches(figure)
        place = {"x": start / page[0], "y": 1 - MARGIN / page[1]}
        figure.suptitle(text, fontsize=size, ha="left", va="top", **place)


def _draw_into_axes(
    axes: Sequence[Axes], items: Sequence[_Item], columns: int, style: TileStyle
) -> Plot:
    """Draw each panel into an Axes of the caller's, or one that the caller's layout places."""
    figure, extent = axes[0].figure, axes[0].get_window_extent()
    has_bars = any(needs_bar(item.scale, style) for item in items)
    beside = bar_room() if has_bars else 0.0  # for every panel, so that all are of one size
    width = max(extent.width / figure.dpi - beside, MIN_SIDE)
    room = width, extent.height / figure.dpi
    plans = [make_plan(item.panel, style.layout, room, figure.dpi, new=False) for item in items]
    parts = _draw_items(axes, items, plans, columns=columns, line_width=width, style=style)
    return _plot(figure, parts, is_new=False)


def _draw_items(
    axes: Sequence[Axes],
    items: Sequence[_Item],
    plans: Sequence[AnyPlan],
    *,
    columns: int,
    line_width: float,
    style: TileStyle,
) -> list[_Part]:
    """Draw panels with the words around them, the names of a row at one height."""
    words = [item.lines(line_width) for item in items]
    heights = [_heights(*each) for each in words]
    images = [
        draw_plan(ax, plan, item.scale) for ax, plan, item in zip(axes, plans, items, strict=True)
    ]
    beside = [
        _draw_beside(axes[i], plans[i], images[i], _sharing(items, i, columns, style))
        for i in range(len(items))
    ]
    parts = []
    for i, (ax, item, plan) in enumerate(zip(axes, items, plans, strict=True)):
        height, width = plan.size
        bar, (left, _, right) = beside[i]
        start = i - i % columns
        # A number of the bar, which one panel has, moves the captions of all of its row.
        below = max(low for _, (_, low, _) in beside[start : start + columns])
        above = plan.head + max(notes for _, notes, _ in heights[start : start + columns])
        name, notes, caption = words[i]
        ax.set_title(name, fontsize=font_size(LARGE), x=0, ha="left", y=1, pad=72 * above)
        _annotate(ax, notes, 1, above - _name_pad())
        _annotate(ax, caption, 0, -below - TITLE_PAD)
        extent = PanelExtent(
            width=width,
            height=height,
            left=left,
            right=max(right, line_width - width) if style.place.grows else right,
            above=above + heights[i][0],
            below=below + heights[i][2],
        )
        parts.append(_Part(item=item, ax=ax, image=images[i], bar=bar, extent=extent))
    return parts


def _draw_beside(
    ax: Axes, plan: AnyPlan, image: AxesImage | None, sharing: Sequence[TilePanel]
) -> tuple[Colorbar | None, tuple[float, float, float]]:
    """Draw the bar of a row at its end; return it, and the inches left, below and right."""
    left, below, right = 0.0, 0.0, 0.0
    if plan.panel.table is not None and not plan.panel.is_chart:
        around = measure(ax)
        left, below = around.left, around.below
    if image is None or not sharing:
        return None, (left, below, right)
    bar = _add_shared_bar(image, sharing)
    right = BAR_PAD + BAR_WIDTH + measure_axis_right(bar.ax)
    below = max(below, text_height("0", font_size(SMALL)) / 2)
    return bar, (left, below, right)


def _sharing(items: Sequence[_Item], i: int, columns: int, style: TileStyle) -> Sequence[TilePanel]:
    """Return the panels of a row that share a colour bar, for the last of them; else none."""
    row = items[i - i % columns : i - i % columns + columns]
    sharing = [other for other in row if other.scale is items[i].scale]
    if sharing[-1] is not items[i] or not needs_bar(items[i].scale, style):
        return ()
    return [other.panel for other in sharing]


def _add_shared_bar(image: AxesImage, sharing: Sequence[TilePanel]) -> Colorbar:
    """Add a colour bar as high as the mosaic, with arrows where one of the panels needs them."""
    cax = image.axes.inset_axes((1, 0, 0.1, 1))
    place_beside(cax, image.axes, BAR_PAD, BAR_WIDTH)
    return add_bar(image, np.concatenate([panel.tiles for panel in sharing]), cax=cax)


def _annotate(ax: Axes, text: str, y: float, offset: float) -> None:
    """Write lines `offset` inches above the upper, 1, or the lower side of an Axes, 0."""
    ax.annotate(
        text,
        (0, y),
        xycoords="axes fraction",
        xytext=(0, 72 * offset),
        textcoords="offset points",
        fontsize=SMALL,
        va="top",
        annotation_clip=False,
    )


def _plot(figure: Figure | SubFigure, parts: Sequence[_Part], *, is_new: bool) -> Plot:
    """Return the `Plot`, in which every image has the bar at the end of its row."""
    panels = []
    bar = None
    for each in reversed(parts):
        bar = each.bar or bar
        panel, image = each.item.panel, each.image
        shared = None if image is None else bar
        panels.append(
            panel.drawn_as(each.ax, image, shared, each.item.scale, title=each.item.title)
        )
    return Plot(figure=figure, panels=tuple(reversed(panels)), owns_figure=is_new)
