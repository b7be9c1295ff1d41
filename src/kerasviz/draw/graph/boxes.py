"""The contents of a box of an architecture: lines of text and small maps, measured in points."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from matplotlib import rcParams
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties, findfont

from kerasviz.draw.text import text_width
from kerasviz.draw.tiles.grid import Grid

HEAD, BODY, FOOT, NUMBER = 8.0, 7.0, 6.5, 5.5
"""Sizes of the fonts of a box's head, of its other lines, of names and shapes, and of numbers."""
LINE = 1.25
"""Height of a line of text, in sizes of its font."""
SPARE = 1.03
"""How much wider than measured a line may come out in another resolution."""
PAD, COLUMN_GAP = 5.0, 8.0
"""Between a box and what is in it, and between a left and a right text."""
LEAST_BOX, WIDEST_BOX = 104.0, 180.0
MAPS_ACROSS = 4
MAP_GAP = 0.12
"""Between two maps, in widths of one."""
MAP_HEIGHT, PICTURE_HEIGHT, SEQUENCE_HEIGHT = 38.0, 56.0, 4.5
"""Largest height of a map and of a picture; the height of a map that is a row of values."""
INK, FAINT = "0.1", "0.35"


@dataclass(frozen=True)
class Maps:
    """Small pictures in a box.

    Args:
        tiles: Array `(n, height, width)` of values, or `(1, height, width, 3)` of a picture's
            colours.
        numbers: The number of each, `None` for a picture.
        label: What they are, for whoever looks at the artists.
    """

    tiles: np.ndarray
    numbers: np.ndarray | None
    label: str


@dataclass(frozen=True)
class Box:
    """The text and the maps of one box, for a layer or for several.

    Args:
        before: What comes before the head, in smaller letters.
        head: What the box is.
        details: What follows; after the head where it fits, else on lines of its own.
        note: A remark at the right, such as the number of parameters.
        name: The name of the layer.
        shape: The shape of its output.
        kind: What it is coloured by.
        is_frozen: Whether none of its weights is trained.
        is_open: Whether it takes something of which it is not known where it comes from.
        maps: Pictures of what it returns.
    """

    before: tuple[str, ...]
    head: str
    details: tuple[str, ...]
    note: str
    name: str
    shape: str
    kind: str
    is_frozen: bool = False
    is_open: bool = False
    maps: Maps | None = None

    @property
    def words(self) -> str:
        """All that is said, in one line."""
        parts = (*self.before, self.head, *self.details, self.note, self.shape)
        return (f"{self.name}: " if self.name else "") + ", ".join(filter(None, parts))


class Row(NamedTuple):
    """A line of a box: a text at the left in its own size, and one at the right in `FOOT`."""

    left: str
    right: str
    size: float
    color: str = INK
    right_color: str = FAINT

    @property
    def width(self) -> float:
        """The width that it needs."""
        gap = COLUMN_GAP if self.left and self.right else 0.0
        return line_width(self.left, self.size) + gap + line_width(self.right, FOOT)


def line_width(text: str, size: float) -> float:
    """Return the width in points that a line of text may have, on paper and on a screen.

    On a screen each letter is fitted to whole dots, which makes small ones up to a tenth wider.
    """
    font = findfont(FontProperties(size=size))
    return _measure(text, size, font, float(rcParams["figure.dpi"]))


@lru_cache(maxsize=10_000)
def _measure(text: str, size: float, _font: str, dpi: float) -> float:
    """Return the width of a text: the same words are in many boxes, and measuring is slow."""
    width, _, _ = _renderer(dpi).get_text_width_height_descent(
        text, FontProperties(size=size), False
    )
    return max(SPARE * text_width(text, size), float(width) * 72 / dpi)


@lru_cache(maxsize=4)
def _renderer(dpi: float) -> Any:
    renderer: Any = RendererAgg  # which Matplotlib has no types for
    return renderer(1, 1, dpi)


def shorten(text: str, width: float, size: float) -> str:
    """Put … for the middle of a text that would be wider than `width` points."""
    if math.isinf(width) or line_width(text, size) <= width:
        return text
    least, most = 0, len(text) - 1  # letters that are kept
    while least < most:
        middle = (least + most + 1) // 2
        if line_width(_without_middle(text, middle), size) <= width:
            least = middle
        else:
            most = middle - 1
    return _without_middle(text, least)


def _without_middle(text: str, kept: int) -> str:
    end = kept // 2
    return f"{text[: kept - end]}…{text[len(text) - end :]}"


def join_words(words: Sequence[str], width: float, size: float) -> list[str]:
    """Put words on as few lines as they fit on, in order."""
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]} · {word}" if lines else word
        if lines and line_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def box_rows(box: Box, width: float) -> list[Row]:
    """Return the lines of a box, none wider than `width` points."""

    def row(text: str, size: float) -> Row:
        return Row(shorten(text, width, size), "", size)

    whole = " · ".join((box.head, *box.details))
    rows = [row(text, BODY) for text in box.before]
    if not box.note and line_width(whole, HEAD) <= width:
        rows.append(row(whole, HEAD))
    else:
        rows.append(row(box.head, HEAD))
        rows += [row(text, BODY) for text in join_words(box.details, width, BODY)]
    return [*_with_note(rows, box.note, width), *_foot(box, width)]


def _with_note(rows: list[Row], note: str, width: float) -> list[Row]:
    """Put a note at the right of the last line that has room for it, or on one of its own."""
    for place in reversed(range(len(rows))):
        noted = rows[place]._replace(right=note)
        if noted.width <= width:
            return [*rows[:place], noted, *rows[place + 1 :]]
    return [*rows, Row("", shorten(note, width, FOOT), FOOT)]


def _foot(box: Box, width: float) -> list[Row]:
    """Return the line with name and shape; two lines where one would leave little of the name."""
    shape = shorten(box.shape, width, FOOT)
    room = width - line_width(shape, FOOT) - COLUMN_GAP
    whole = shorten(box.name, width, FOOT)
    name = whole if line_width(whole, FOOT) <= room else shorten(box.name, room, FOOT)
    if len(name) < min(len(whole), 12):
        return [Row(whole, "", FOOT, FAINT), Row("", shape, FOOT, FAINT, INK)]
    return [Row(name, shape, FOOT, FAINT, INK)]


def rows_height(rows: Sequence[Row]) -> float:
    """Return the height of the lines of a box, with the room above them."""
    return PAD + sum(LINE * row.size for row in rows)


def box_width(boxes: Sequence[Box]) -> float:
    """Return the width that all boxes have: as much as their text needs, within limits."""
    needed = [row.width for box in boxes for row in box_rows(box, math.inf)]
    with_maps = any(box.maps is not None for box in boxes)
    return float(np.clip(max(needed) + 2 * PAD, WIDEST_BOX if with_maps else LEAST_BOX, WIDEST_BOX))


class MapPlaces(NamedTuple):
    """Where the maps of a box are, in points from the left and the top of the room for them.

    Args:
        grid: How they are laid out in one image.
        unit: Height and width of a value.
        left: The left of the image.
        top: Its top.
    """

    grid: Grid
    unit: tuple[float, float]
    left: float
    top: float

    @property
    def size(self) -> tuple[float, float]:
        """Height and width of the image."""
        height, width = self.grid.size
        return height * self.unit[0], width * self.unit[1]

    @property
    def height(self) -> float:
        """The height of everything, with the room below."""
        return self.top + self.size[0] + PAD

    @property
    def are_rows(self) -> bool:
        """Whether the maps are rows of values, with their numbers at the left."""
        return self.grid.tile[0] == self.grid.columns == 1

    def corners(self) -> Iterator[tuple[float, float, float, float]]:
        """Yield left, top, right and bottom of each map."""
        (unit_y, unit_x), (height, width) = self.unit, self.grid.tile
        for y, x in zip(*self.grid.corners(), strict=True):
            left, top = self.left + x * unit_x, self.top + y * unit_y
            yield left, top, left + width * unit_x, top + height * unit_y


def place_maps(maps: Maps, width: float) -> MapPlaces:
    """Lay the maps of a box out in `width` points."""
    count, height, across = maps.tiles.shape[:3]
    if maps.numbers is None:
        unit = min(width / across, PICTURE_HEIGHT / height)
        left = (width - across * unit) / 2
        return MapPlaces(Grid(count=1, columns=1, tile=(height, across)), (unit, unit), left, 2.0)
    if height == 1 < across:
        left = max(line_width(str(number), NUMBER) for number in maps.numbers) + 3
        unit_x = (width - left) / across
        grid = Grid(count=count, columns=1, tile=(1, across))
        return MapPlaces(grid, (SEQUENCE_HEIGHT, unit_x), left, 2.0)
    columns = int(np.clip(round(1.2 * MAPS_ACROSS * height / across), 1, MAPS_ACROSS))
    gap = max(1, round(MAP_GAP * across))
    unit = min(width / (columns * across + (columns - 1) * gap), MAP_HEIGHT / height)
    label = LINE * NUMBER + 1
    gaps = (max(1, math.ceil(label / unit)), gap)
    grid = Grid(count=count, columns=min(columns, count), tile=(height, across), gap=gaps)
    return MapPlaces(grid, (unit, unit), (width - grid.size[1] * unit) / 2, label)
