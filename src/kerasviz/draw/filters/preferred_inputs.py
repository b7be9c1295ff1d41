"""Draw the inputs that drive filters most, each beside the best of a data set where it is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from kerasviz.draw.figure import Placement, figure_for, is_large_enough, too_small
from kerasviz.draw.filters.artists import draw_pattern
from kerasviz.draw.filters.content import Pattern
from kerasviz.draw.filters.layout import GAP, MARGIN, PAD, SIDE, unit
from kerasviz.draw.filters.title import break_title, heading_height, write_title
from kerasviz.draw.free_axes import add_free_axes
from kerasviz.draw.panel_grid import PanelExtent, PanelGrid, Places, figure_inches
from kerasviz.draw.plot import Panel, Plot
from kerasviz.draw.text import LINE_HEIGHT, NOTE_SIZE, escape, font_size, screen_width

COLUMNS = 8
"""How many pictures are side by side in a new figure."""
MIN_SIDE = 0.45
"""The least side of a picture, in inches at a font of 10 points."""


@dataclass(frozen=True, kw_only=True)
class PreferredTile:
    """The pictures of one filter.

    Args:
        index: The filter.
        name: What is written above.
        patterns: The input that was made, and the best of the data where it is known.
        titles: Each of these in words, for `Panel.title`.
    """

    index: int
    name: str
    patterns: Sequence[Pattern]
    titles: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class PreferredGrid:
    """All pictures.

    Args:
        address: The layer.
        tiles: One per filter.
        title: The title of the whole picture.
        limits: The lowest and highest value of curves.
    """

    address: str
    tiles: Sequence[PreferredTile]
    title: str
    limits: tuple[float, float]

    @property
    def per_tile(self) -> int:
        """How many pictures each filter has."""
        return len(self.tiles[0].patterns)


def draw_preferred_inputs(grid: PreferredGrid, place: Placement) -> Plot:
    """Draw inputs that were made into a new figure, or into that of the caller.

    Raises:
        ValueError: The caller's figure is too small. The message says the least size.
    """
    with figure_for(place, (1, 1), layout="none") as figure:
        figure = cast("Figure | SubFigure", figure)
        panels, extents, title = _plan(grid, place, figure)
        heading = heading_height(title)
        if place.grows:
            size = panels.width(extents), panels.height(extents, heading)
            cast(Figure, figure).set_size_inches(size)
        axes = [add_free_axes(figure) for _ in extents]
        places = Places(figure=figure, fit=lambda: None)
        places.put(axes, panels, extents, heading)
        write_title(figure, title)

        def fit() -> None:
            """Place the pictures again, at the size that the figure has now."""
            panels, extents, title = _plan_page(grid, _words(grid, place), figure_inches(figure))
            places.put(axes, panels, extents, heading_height(title))
            write_title(figure, title)

        places.fit = fit
        return Plot(figure=figure, panels=tuple(_draw(axes, grid)), owns_figure=place.is_new)


def _draw(axes: Sequence[Axes], grid: PreferredGrid) -> list[Panel]:
    panels = []
    for number, ax in enumerate(axes):
        row, column = divmod(number, grid.per_tile)
        tile = grid.tiles[row]
        pattern = tile.patterns[column]
        image = draw_pattern(ax, pattern, None, grid.limits)
        if column == 0:
            ax.annotate(
                escape(tile.name),
                (0, 1),
                xycoords="axes fraction",
                xytext=(0, 72 * unit() * PAD),
                textcoords="offset points",
                fontsize=font_size(NOTE_SIZE),
                va="bottom",
            )
        panel = Panel(
            ax=ax,
            address=grid.address,
            indices=np.array([tile.index]),
            values=pattern.values,
            title=tile.titles[column],
            image=image,
        )
        panels.append(panel)
    return panels


def _plan(
    grid: PreferredGrid, place: Placement, figure: Figure | SubFigure
) -> tuple[PanelGrid, list[PanelExtent], str]:
    """Return the rows and columns, the extent of each picture, and the title in lines."""
    words, per_tile = _words(grid, place), grid.per_tile
    if place.grows:
        across = min(len(grid.tiles), COLUMNS // per_tile)
        side = max(unit() * SIDE, _least_side(grid))
        panels, extents = _panels(across, len(grid.tiles) * per_tile, side, per_tile)
        return panels, extents, break_title(words, panels.width(extents))
    page = figure_inches(figure)
    panels, extents, title = _plan_page(grid, words, page)
    size = panels.width(extents), panels.height(extents, heading_height(title))
    if not is_large_enough(page, size):
        title = break_title(words, max(size[0], page[0]))
        raise too_small(page, (size[0], panels.height(extents, heading_height(title))), place)
    return panels, extents, title


def _words(grid: PreferredGrid, place: Placement) -> str:
    """Return the title, in one line."""
    words = place.title if isinstance(place.title, str) else escape(grid.title)
    return words if place.title else ""


def _plan_page(
    grid: PreferredGrid, words: str, page: tuple[float, float]
) -> tuple[PanelGrid, list[PanelExtent], str]:
    """Return the plan for a page of some size, which is larger than one that is too small."""
    count, per_tile = len(grid.tiles), grid.per_tile
    title = break_title(words, page[0])
    sides = [
        _largest_side(page, heading_height(title), across, count, per_tile)
        for across in range(1, count + 1)
    ]
    across = 1 + int(np.argmax(sides))
    side = min(max(sides), 4 * unit() * SIDE)
    side = max(side, _least_side(grid))
    panels, extents = _panels(across, count * per_tile, side, per_tile)
    return panels, extents, title


def _least_side(grid: PreferredGrid) -> float:
    """Return the least side of a picture."""
    return max(unit() * MIN_SIDE, _least_width(grid))


def _least_width(grid: PreferredGrid) -> float:
    """Return the width of the widest caption or name."""
    size = font_size(NOTE_SIZE)
    captions = [pattern.caption for tile in grid.tiles for pattern in tile.patterns]
    names = [tile.name for tile in grid.tiles] if grid.per_tile == 1 else []
    return max(screen_width(word, size) for word in [*captions, *names]) / 72


def _panels(
    across: int, count: int, side: float, per_tile: int
) -> tuple[PanelGrid, list[PanelExtent]]:
    line = LINE_HEIGHT * font_size(NOTE_SIZE) / 72 + unit() * PAD
    gap = unit() * GAP / 2
    grid = PanelGrid(columns=across * per_tile, margin=unit() * MARGIN, gaps=(gap, gap))
    extent = PanelExtent(width=side, height=side, above=line, below=line)
    # The pictures of one filter are nearer to one another than to those of the next.
    return grid, [
        replace(extent, right=gap if (n + 1) % per_tile == 0 and per_tile > 1 else 0.0)
        for n in range(count)
    ]


def _largest_side(
    page: tuple[float, float], heading: float, across: int, count: int, per_tile: int
) -> float:
    """Return the largest side of pictures on a page for a number of filters side by side."""
    panels, extents = _panels(across, count * per_tile, 0.0, per_tile)
    beside = (page[0] - panels.width(extents)) / (across * per_tile)
    return min(beside, (page[1] - panels.height(extents, heading)) / math.ceil(count / across))
