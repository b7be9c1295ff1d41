"""Lay a diagram out on a sheet, and choose how large it is drawn in the room there is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kerasviz.draw.graph.boxes import (
    BODY,
    FOOT,
    LINE,
    PAD,
    TOP,
    Diagram,
    MapLayout,
    TextRow,
    box_rows,
    box_width,
    lay_out_maps,
    rows_height,
)
from kerasviz.draw.graph.layout.layered import Graph, Layout, lay_out
from kerasviz.draw.text import RESOLUTION_MARGIN, font_size, screen_width, wrap_text

# Lengths in points, of a sheet that is drawn at its own size with letters of 10 points.
PAGE = (11 * 72.0, 8.2 * 72.0)
"""The size that a new figure should come close to: a screen, or a page on its side."""
MIN_WIDTH, MARGIN, TITLE_PAD = 230.0, 9.0, 8.0
BLEED = 1.0
"""How far the outlines of the outermost boxes reach beyond them."""
TITLE = 10.0
SWATCH = 11.0
SMALL = 0.7
"""To which part of its size a sheet is drawn smaller before a new figure exceeds the page."""
LARGE = 2.0
"""To how many times its size a sheet is drawn larger in a figure with room for it."""
MIN_TEXT = 4.5
"""The smallest size of letters, in points, of a figure that may be refused."""
ROOMY = (5.0, 3.5)
"""Width and height in inches from which on no figure is refused, at 10 points."""
FILL = 0.55
"""Which part of a sheet is boxes and the gaps between them, as a first guess."""
MANY = 30
"""From how many boxes on a sheet is laid out once only, since it takes long."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Positions of everything: the title, the boxes, below them the legend, and then the notes.

    Args:
        diagram: What is on it.
        rows: The lines of text of each box.
        maps: The positions of the maps in each box.
        layout: The positions of boxes, frames and lines.
        title: The title, in lines.
        legend: Left, baseline and word of each entry.
        notes: Baseline and text of each line.
        size: Width and height.
        sideways: Whether it runs from left to right.
    """

    diagram: Diagram
    rows: tuple[tuple[TextRow, ...], ...]
    maps: tuple[MapLayout | None, ...]
    layout: Layout
    title: str
    legend: tuple[tuple[float, float, str], ...]
    notes: tuple[tuple[float, str], ...]
    size: tuple[float, float]
    sideways: bool

    def scale_in(self, room: tuple[float, float]) -> float:
        """Return how large it can be drawn in a room."""
        return min(room[0] / (self.size[0] + 2 * BLEED), room[1] / (self.size[1] + 2 * BLEED))


class SheetMaker:
    """Lays a diagram out, on pages of one size or another.

    Args:
        diagram: What is on it.
        title: Its title.
        sideways: Whether it runs from left to right.
    """

    def __init__(self, diagram: Diagram, title: str, *, sideways: bool) -> None:
        self._diagram, self._title = diagram, title
        across = box_width(diagram.boxes)
        inside = across - 2 * PAD
        self._rows = tuple(tuple(box_rows(box, inside)) for box in diagram.boxes)
        self._maps = tuple(
            None if box.maps is None else lay_out_maps(box.maps, inside) for box in diagram.boxes
        )
        heights = [
            rows_height(rows) + (maps.height if maps else TOP)
            for rows, maps in zip(self._rows, self._maps, strict=True)
        ]
        self._graph = Graph(
            sizes=np.array([(across, height) for height in heights]),
            edges=diagram.edges,
            parents=diagram.parents,
            headers=tuple(frame.header for frame in diagram.frames),
            order=diagram.order,
            levels=diagram.levels,
            # A U leads to the right as it is: down at the left, and up at the right.
            sideways=sideways and not diagram.levels,
        )

    @property
    def area(self) -> float:
        """About how much room the boxes take, with that around them."""
        return float(np.add(self._graph.sizes, (24.0, 26.0)).prod(axis=1).sum()) / FILL

    @property
    def is_large(self) -> bool:
        """Whether it has more boxes than `MANY`."""
        return len(self._graph.sizes) > MANY

    def lay_out(self, page: tuple[float, float]) -> Sheet:
        """Lay everything out on a page, which it exceeds where it must."""
        layout = lay_out(self._graph, page)
        longest = max((screen_width(word, TITLE) for word in self._title.split()), default=0.0)
        width = max(layout.size[0], min(MIN_WIDTH, page[0]), longest)
        title = wrap_text(self._title, width / RESOLUTION_MARGIN, TITLE)
        head = len(title.splitlines()) * LINE * TITLE + TITLE_PAD if title else 0.0
        left = (width - layout.size[0]) / 2
        legend, low = self._legend(width, head + layout.size[1] + MARGIN + LINE * BODY)
        texts = [wrap_text(x, width, RESOLUTION_MARGIN * BODY) for x in self._diagram.notes]
        lines = "\n".join(texts).splitlines()
        notes = [(low + 4 + LINE * BODY * (i + 1), text) for i, text in enumerate(lines)]
        height = (notes[-1][0] if notes else low) + 0.3 * BODY
        return Sheet(
            diagram=self._diagram,
            rows=self._rows,
            maps=self._maps,
            layout=layout.moved(left, head),
            title=title,
            legend=legend,
            notes=tuple(notes),
            size=(width, height),
            sideways=self._graph.sideways,
        )

    def _legend(
        self, width: float, top: float
    ) -> tuple[tuple[tuple[float, float, str], ...], float]:
        """Return the entries of the legend, in as many lines as they need, and the last line."""
        legend = []
        x, y = 0.0, top
        for word in self._diagram.legend:
            needed = SWATCH + 4 + screen_width(word, BODY) + 12
            if x and x + needed > width:
                x, y = 0.0, y + 1.5 * BODY
            legend.append((x, y, word))
            x += needed
        return tuple(legend), y


def sheet_for_page(maker: SheetMaker) -> tuple[Sheet, float]:
    """Return the sheet of a new figure, and how large it is drawn: smaller to fit the page."""
    unit = font_size() / 10
    if maker.area <= 1.5 * PAGE[0] * PAGE[1] or not maker.is_large:
        sheet = maker.lay_out(PAGE)
        if sheet.scale_in(PAGE) >= 1:
            return sheet, unit
    # What exceeds a page on its side may fit one that stands.
    pages = [PAGE] if maker.is_large else [PAGE, PAGE[::-1]]
    sheets = [(maker.lay_out((page[0] / SMALL, page[1] / SMALL)), page) for page in pages]
    sheet, page = max(sheets, key=lambda pair: pair[0].scale_in(pair[1]))
    return sheet, unit * float(np.clip(sheet.scale_in(page), SMALL, 1))


def sheet_for_room(maker: SheetMaker, room: tuple[float, float]) -> tuple[Sheet, float]:
    """Return the sheet that is drawn largest in a room, and how large that is.

    Args:
        maker: Makes it.
        room: Width and height in points.
    """
    largest = LARGE * font_size() / 10
    room = max(room[0], 1.0), max(room[1], 1.0)
    guess = min(math.sqrt(room[0] * room[1] / maker.area), largest)
    factors = (1.0, 1.15) if maker.is_large else (0.7, 0.85, 1.0, 1.2, 1.5)
    sheets = [maker.lay_out((room[0] / s, room[1] / s)) for s in (f * guess for f in factors)]
    best = max(sheets, key=lambda sheet: sheet.scale_in(room))
    return best, min(best.scale_in(room), largest)


def check_scale(
    maker: SheetMaker, scale: float, *, room: tuple[float, float], size: tuple[float, float]
) -> None:
    """Refuse a figure that is small for its font, in which letters would be too small to read.

    Args:
        maker: Makes the sheet.
        scale: How large it is drawn.
        room: Width and height of the room for it, in points.
        size: Width and height of the figure in inches.

    Raises:
        ValueError: It is too small, and smaller than a figure that is never refused.
    """
    unit = font_size() / 10
    roomy = ROOMY[0] * unit, ROOMY[1] * unit
    least = size
    while FOOT * scale < MIN_TEXT and (least[0] < roomy[0] or least[1] < roomy[1]):
        # Letters grow about as the figure does, so most of the way is one step; then a tenth at a
        # time. It is never beyond what is enough for all.
        growth = max(1.1, 0.85 * MIN_TEXT / (FOOT * scale))
        grown = [max(x, min(growth * x, y)) for x, y in zip(least, roomy, strict=True)]
        least = math.ceil(10 * grown[0]) / 10, math.ceil(10 * grown[1]) / 10
        factors = least[0] / size[0], least[1] / size[1]
        _, scale = sheet_for_room(maker, (room[0] * factors[0], room[1] * factors[1]))
    if least != size:
        raise ValueError(
            f"To be legible, the architecture needs a figure of at least {least[0]:.1f} x "
            f"{least[1]:.1f} in. Received: {size[0]:.1f} x {size[1]:.1f} in"
        )
