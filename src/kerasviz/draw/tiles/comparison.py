"""Panels to be compared: the same geometry for each, one colour scale, numbers below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, cast

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure, SubFigure
from matplotlib.image import AxesImage
from matplotlib.layout_engine import ConstrainedLayoutEngine

from kerasviz.draw.color import DIVERGING, ColorChoice, ColorScale, value_range, warn_invalid
from kerasviz.draw.figure import subplots
from kerasviz.draw.plot import Plot
from kerasviz.draw.text import LINE_FILL, LINE_HEIGHT, escape, font_size, wrap_text
from kerasviz.draw.tiles.layout import (
    BAR_LABELS,
    BAR_PAD,
    BAR_WIDTH,
    MANY_PANELS,
    MARGIN,
    ONE_PANEL,
    TITLE_PAD,
    Plan,
    add_bar,
    draw_plan,
    make_plan,
    needs_bar,
    overhang,
    panel_title,
)
from kerasviz.draw.tiles.panel import TilePanel
from kerasviz.draw.tiles.scaling import resolve_scales
from kerasviz.draw.tiles.style import TileStyle

# Sizes in inches, as those of a figure.
PAGE = (11.0, 8.5)
"""The largest size of a new figure."""
BESIDE, BELOW = 0.25, 0.15
"""Distance between two panels."""
BAR_ROOM = BAR_PAD + BAR_WIDTH + BAR_LABELS
TABLE_NUMBERS = (0.5, 0.45)
"""Room for the numbers of a table's rows and columns."""
NAME_PAD = 0.04
"""Distance between a panel's name and the small lines below it."""
NARROW = 1.9
"""Smallest width of the lines above and below a panel, where there is room for them."""
MIN_ROOM = 0.2
"""The smallest room for a mosaic, however small the caller's figure is."""
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
    """A panel's artists, and what it needs around the left, lower corner of its mosaic."""

    item: _Item
    ax: Axes
    image: AxesImage
    bar: Colorbar | None
    left: float
    right: float
    above: float
    below: float


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
    ax, figure = style.place.ax, style.place.figure
    if ax is not None:
        return _draw_into_axes([ax], items, 1, style)
    if figure is None:
        figure = plt.figure(layout="none")
        try:
            return _draw_by_hand(figure, items, heading, style, new=True)
        except BaseException:
            plt.close(figure)
            raise
    engine = figure.get_figure(root=True).get_layout_engine()
    if engine is None or isinstance(engine, ConstrainedLayoutEngine):
        return _draw_by_hand(figure, items, heading, style, new=False)
    # Other engines do not leave Axes alone that are placed by hand.
    columns, _ = _arrange(items, heading, style, _inches(figure), figure.dpi, new=False)
    axes = subplots(figure, len(items), columns)
    figure.suptitle(heading, fontsize=font_size(LARGE))
    return _draw_into_axes(axes, items, columns, style)


def _colors(
    models: Sequence[Compared], difference: Compared | None, colors: ColorChoice
) -> list[tuple[TilePanel, ColorScale | None]]:
    """Put all models on the very same scale, and the difference on one that is even about 0."""
    panels, scales = resolve_scales([each.panel for each in models], colors)
    colored = [(panel, scales[0]) for panel in panels]
    if difference is not None:
        reach = max(map(abs, value_range(difference.panel.tiles))) or 1.0
        cmap = None if difference.panel.is_rgb else DIVERGING
        own = replace(colors, cmap=cmap, norm=None, vmin=-reach, vmax=reach)
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


def _arrange(
    items: Sequence[_Item],
    heading: str,
    style: TileStyle,
    page: tuple[float, float],
    dpi: float,
    *,
    new: bool,
) -> tuple[int, tuple[float, float]]:
    """Choose how many panels are in a row: all, unless the tiles would be much larger otherwise.

    Returns:
        The number, and the width and height that each mosaic has.
    """
    count = len(items)
    even = {columns for columns in range(1, count + 1) if count % columns == 0}
    if count > 3:
        even.add(math.ceil(math.sqrt(count)))
    units, rooms = {}, {}
    for columns in even:
        room = _room(items, heading, columns, style, page)
        if new:
            largest = MANY_PANELS if columns > 1 else (ONE_PANEL[0], MANY_PANELS[1])
            room = min(room[0], largest[0]), min(room[1], largest[1])
        rooms[columns] = room
        units[columns] = make_plan(items[0].panel, style.layout, room, dpi, new=new).unit
    chosen = max(even, key=lambda columns: (units[columns], columns))
    if units[count] >= SIDE_BY_SIDE * units[chosen] and rooms[count][0] >= NARROW:
        chosen = count
    return chosen, rooms[chosen]


def _room(
    items: Sequence[_Item],
    heading: str,
    columns: int,
    style: TileStyle,
    page: tuple[float, float],
) -> tuple[float, float]:
    """Return the width and height that a mosaic has on a page with `columns` panels in a row."""
    bars = sum(bool(_sharing(items, i, columns, style)) for i in range(columns))
    width = page[0] - 2 * MARGIN - (columns - 1) * BESIDE - bars * BAR_ROOM
    beside, below = (0.0, 0.0) if items[0].panel.table is None else TABLE_NUMBERS
    width = max(width / columns - beside, MIN_ROOM)
    rows = math.ceil(len(items) / columns)
    words = max(sum(_heights(*item.lines(width))) for item in items)
    height = page[1] - 2 * MARGIN - (rows - 1) * BELOW
    height -= _heading_height(heading, page[0] - 2 * MARGIN)
    return width, max(height / rows - words - below, MIN_ROOM)


def _heights(name: str, notes: str, caption: str) -> tuple[float, float, float]:
    """Return the heights of the words around a panel, with their distances, in inches."""
    sizes = (font_size(LARGE), font_size(SMALL), font_size(SMALL))
    name_height, notes_height, caption_height = (
        len(text.splitlines()) * LINE_HEIGHT * size / 72
        for text, size in zip((name, notes, caption), sizes, strict=True)
    )
    between = NAME_PAD if notes else 0.0
    return name_height, notes_height + between + TITLE_PAD, caption_height + TITLE_PAD


def _heading_height(heading: str, width: float) -> float:
    """Return the height of the heading, in lines of this width, with the distance below it."""
    size = font_size(LARGE)
    lines = wrap_text(heading, width * 72, size).splitlines()
    return len(lines) * LINE_HEIGHT * size / 72 + TITLE_PAD if heading else 0.0


def _inches(figure: Figure | SubFigure) -> tuple[float, float]:
    return figure.bbox.width / figure.dpi, figure.bbox.height / figure.dpi


def _draw_by_hand(
    figure: Figure | SubFigure,
    items: Sequence[_Item],
    heading: str,
    style: TileStyle,
    *,
    new: bool,
) -> Plot:
    """Place all panels by hand, and make a new figure as large as they are.

    A layout engine would make the panels that have a colour bar beside them smaller than others.
    """
    if new:
        cast(Figure, figure).set_size_inches(PAGE)
    page = _inches(figure)
    columns, room = _arrange(items, heading, style, page, figure.dpi, new=new)
    plans = [make_plan(item.panel, style.layout, room, figure.dpi, new=new) for item in items]
    height, width = plans[0].size
    axes = subplots(figure, len(items), columns)
    for ax in axes:
        ax.set_position((0, 0, width / page[0], height / page[1]))
    line_width = max(width, min(NARROW, room[0])) if new else room[0]
    parts = _draw_items(axes, items, plans, columns=columns, line_width=line_width, style=style)
    _place(figure, parts, heading, columns=columns, mosaic_size=plans[0].size, new=new)
    return _plot(figure, parts, is_new=new)


def _place(
    figure: Figure | SubFigure,
    parts: Sequence[_Part],
    heading: str,
    *,
    columns: int,
    mosaic_size: tuple[float, float],
    new: bool,
) -> None:
    """Put panels whose mosaics are all of one size into rows, in the middle of the figure."""
    height, width = mosaic_size
    rows = [parts[i : i + columns] for i in range(0, len(parts), columns)]
    lefts = [max(each.left for each in parts[i::columns]) for i in range(columns)]
    rights = [max(each.right for each in parts[i::columns]) for i in range(columns)]
    tops = [max(each.above for each in row) for row in rows]
    bottoms = [max(each.below for each in row) for row in rows]
    total_width = 2 * MARGIN + sum(lefts) + sum(rights) + (columns - 1) * BESIDE
    page_width = total_width if new else _inches(figure)[0]
    start = MARGIN + max(0.0, page_width - total_width) / 2
    head = _heading_height(heading, page_width - start - MARGIN)
    total_height = 2 * MARGIN + head + sum(tops) + sum(bottoms) + len(rows) * height
    total_height += (len(rows) - 1) * BELOW
    if new:
        cast(Figure, figure).set_size_inches(total_width, total_height)
    page = _inches(figure)
    top = page[1] - MARGIN - head - max(0.0, page[1] - total_height) / 2
    for i, each in enumerate(parts):
        row, column = divmod(i, columns)
        x = start + sum(lefts[: column + 1]) + sum(rights[:column]) + column * BESIDE
        y = top - sum(tops[: row + 1]) - sum(bottoms[:row]) - (row + 1) * height - row * BELOW
        x, y = (round(inches * figure.dpi) / figure.dpi for inches in (x, y))
        each.ax.set_position((x / page[0], y / page[1], width / page[0], height / page[1]))
    if heading:
        size = font_size(LARGE)
        text = wrap_text(heading, (page[0] - start - MARGIN) * 72, size)
        place = {"x": start / page[0], "y": 1 - MARGIN / page[1]}
        figure.suptitle(text, fontsize=size, ha="left", va="top", **place)


def _draw_into_axes(
    axes: Sequence[Axes], items: Sequence[_Item], columns: int, style: TileStyle
) -> Plot:
    """Draw each panel into an Axes of the caller's, or one that the caller's layout places."""
    figure, extent = axes[0].figure, axes[0].get_window_extent()
    has_bars = any(needs_bar(item.scale, style) for item in items)
    beside = BAR_ROOM if has_bars else 0.0  # for every panel, so that all are of one size
    width = max(extent.width / figure.dpi - beside, MIN_ROOM)
    room = width, extent.height / figure.dpi
    plans = [make_plan(item.panel, style.layout, room, figure.dpi, new=False) for item in items]
    parts = _draw_items(axes, items, plans, columns=columns, line_width=width, style=style)
    return _plot(figure, parts, is_new=False)


def _draw_items(
    axes: Sequence[Axes],
    items: Sequence[_Item],
    plans: Sequence[Plan],
    *,
    columns: int,
    line_width: float,
    style: TileStyle,
) -> list[_Part]:
    """Draw panels with the words around them, the names of a row at one height."""
    words = [item.lines(line_width) for item in items]
    heights = [_heights(*each) for each in words]
    parts = []
    for i, (ax, item, plan) in enumerate(zip(axes, items, plans, strict=True)):
        image = draw_plan(ax, plan, item.scale)
        left, below, right = 0.0, 0.0, plan.size[1]
        if plan.panel.table is not None:
            around = overhang(ax)
            left, below = around.left, around.bottom
        bar = None
        sharing = _sharing(items, i, columns, style)
        if sharing:
            bar = _add_shared_bar(image, plan, sharing)
            right += BAR_PAD + BAR_WIDTH + overhang(bar.ax).right
        start = i - i % columns
        above = plan.head + max(height for _, height, _ in heights[start : start + columns])
        name, notes, caption = words[i]
        ax.set_title(name, fontsize=font_size(LARGE), x=0, ha="left", y=1, pad=72 * above)
        _annotate(ax, notes, 1, above - NAME_PAD)
        _annotate(ax, caption, 0, -below - TITLE_PAD)
        above, below, right = above + heights[i][0], below + heights[i][2], max(right, line_width)
        parts.append(
            _Part(
                item=item,
                ax=ax,
                image=image,
                bar=bar,
                left=left,
                right=right,
                above=above,
                below=below,
            )
        )
    return parts


def _sharing(items: Sequence[_Item], i: int, columns: int, style: TileStyle) -> Sequence[TilePanel]:
    """Return the panels of a row that share a colour bar, for the last of them; else none."""
    row = items[i - i % columns : i - i % columns + columns]
    sharing = [other for other in row if other.scale is items[i].scale]
    if sharing[-1] is not items[i] or not needs_bar(items[i].scale, style):
        return ()
    return [other.panel for other in sharing]


def _add_shared_bar(image: AxesImage, plan: Plan, sharing: Sequence[TilePanel]) -> Colorbar:
    """Add a colour bar as high as the mosaic, with arrows where one of the panels needs them."""
    width = plan.size[1]
    cax = image.axes.inset_axes((1 + BAR_PAD / width, 0, BAR_WIDTH / width, 1))
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
        panels.append(each.item.panel.drawn_as(each.image, bar, each.item.title))
    return Plot(figure=figure, panels=tuple(reversed(panels)), owns_figure=is_new)
