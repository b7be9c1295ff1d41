"""Lay out the contents of a box: lines of text and small maps, measured in points."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kerasviz.draw.text import elide_middle, screen_width
from kerasviz.draw.tiles.grid import Grid

HEAD, BODY, FOOT, INDEX = 8.0, 7.0, 6.5, 5.5
"""Sizes of the fonts of a box's head, of its other lines, of names and shapes, and of indices."""
BOLD = 1.15
"""How much wider bold letters are."""
LINE = 1.25
"""Height of a line of text, in sizes of its font."""
PAD, TOP, COLUMN_GAP = 5.0, 4.0, 8.0
"""Between the sides of a box, or its top, and what is in it; between a left and a right text."""
MIN_BOX_WIDTH, MAX_BOX_WIDTH = 104.0, 180.0
MAPS_ACROSS = 4
MAP_GAP = 0.12
"""Between two maps, in widths of one."""
MAX_MAP_HEIGHT, MAX_PICTURE_HEIGHT, SEQUENCE_HEIGHT = 38.0, 56.0, 4.5
"""Largest height of a map and of a picture; the height of a map that is a row of values."""
INK, FAINT = "0.1", "0.25"
MAX_HEADER_WIDTH = 260.0
FROZEN = "frozen"
COLORS = {
    "input": "#ffffff",
    "convolution": "#a3d8f4",
    "pooling or resizing": "#e8a87c",
    "merge": "#f4e076",
    "normalization, activation or dropout": "#cdf3c2",
    "dense": "#d49bee",
    "model": "#b8b8b8",
    "cell": "#ccb24c",
    "other": "#f0f0f0",
}
"""By kind: told apart in every kind of colour vision, while black text is legible on all."""


@dataclass(frozen=True, kw_only=True)
class Maps:
    """Small pictures in a box.

    Args:
        tiles: Array `(n, height, width)` of values, or `(1, height, width, 3)` of a picture's
            colours.
        indices: The index of each map in its layer, `None` for a picture.
        label: What they are, for whoever looks at the artists.
    """

    tiles: np.ndarray
    indices: np.ndarray | None
    label: str


def _write_repeats(count: int) -> str:
    """Write how often a box or a frame repeats: `× 5`, "" for once."""
    return f"× {count}" if count > 1 else ""


@dataclass(frozen=True, kw_only=True)
class NodeBox:
    """The text and the maps of one box, for a layer or for several.

    Args:
        kind: The kind of layer, which decides on its colour.
        preceding: What comes before the head, in smaller letters.
        head: What the box is.
        details: What follows; after the head where it fits, else on lines of its own.
        note: A remark at the right, such as the number of parameters.
        name: The name of the layer.
        shape: The shape of its output.
        is_frozen: Whether none of its weights is trained.
        is_open: Whether the source of one of its inputs is unknown.
        count: How many layers alike follow one another, of which it is the first.
        addresses: The addresses of all that it stands for.
        maps: Pictures of what it returns.
    """

    kind: str
    preceding: tuple[str, ...] = ()
    head: str = ""
    details: tuple[str, ...] = ()
    note: str = ""
    name: str = ""
    shape: str = ""
    is_frozen: bool = False
    is_open: bool = False
    count: int = 1
    addresses: tuple[str, ...] = ()
    maps: Maps | None = None

    @property
    def badge(self) -> str:
        """How often it repeats, in words."""
        return _write_repeats(self.count)

    @property
    def words(self) -> str:
        """All of its text, in one line."""
        parts = (self.badge, *self.preceding, self.head, *self.details, self.note, self.shape)
        names = ", ".join(self.addresses) if len(self.addresses) > 1 else self.name
        return (f"{names}: " if names else "") + ", ".join(filter(None, parts))


@dataclass(frozen=True, kw_only=True)
class FrameBox:
    """A frame around boxes.

    Args:
        title: What is written above it.
        detail: A second line of it.
        count: How many blocks alike follow one another, of which it holds the first.
        addresses: The address of each of these.
        is_frozen: Whether none of the weights in it is trained.
        is_open: Whether the source of one of its inputs is unknown.
    """

    title: str
    detail: str = ""
    count: int = 1
    addresses: tuple[str, ...] = ()
    is_frozen: bool = False
    is_open: bool = False

    @property
    def badge(self) -> str:
        """How often it repeats, in words."""
        return _write_repeats(self.count)

    @property
    def lead(self) -> float:
        """The width that the badge takes before the title."""
        return screen_width(f"{self.badge}  ", HEAD) * BOLD if self.badge else 0.0

    @property
    def header(self) -> tuple[float, float]:
        """The width that its words need, and their height."""
        width = max(self.lead + screen_width(self.title, BODY), screen_width(self.detail, BODY))
        lines = 1 + bool(self.detail)
        return min(width + 2 * PAD, MAX_HEADER_WIDTH), LINE * BODY * lines + PAD

    @property
    def words(self) -> str:
        """All of its text, and every address that it stands for, in one line."""
        names = f"{self.badge} ({', '.join(self.addresses)})" if self.badge else ""
        return ", ".join(filter(None, (names, self.title, self.detail)))


@dataclass(frozen=True, kw_only=True)
class Diagram:
    """A diagram of boxes, frames and arrows.

    Args:
        boxes: The boxes.
        frames: The frames.
        edges: What leads to what, as in `Graph`; so are `order` and `parents`.
        order: Pairs of which the first is above the second.
        parents: The frame that each item is in.
        title: The default title.
        levels: The boxes and frames of a U, as in `Graph`.
        notes: Sentences for below the legend.
        hidden: The pictures of boxes that are folded into others, by their names.
    """

    boxes: tuple[NodeBox, ...]
    frames: tuple[FrameBox, ...]
    edges: tuple[tuple[int, int], ...]
    order: tuple[tuple[int, int], ...]
    parents: tuple[int | None, ...]
    title: str
    levels: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = ()
    notes: tuple[str, ...] = ()
    hidden: tuple[tuple[str, Maps], ...] = ()

    @property
    def legend(self) -> list[str]:
        """The kinds of boxes in it, and whether something is frozen."""
        present = {box.kind for box in self.boxes}
        frozen = [box.is_frozen for box in self.boxes]
        frozen += [frame.is_frozen for frame in self.frames]
        return [kind for kind in COLORS if kind in present and kind != "input"] + [FROZEN] * any(
            frozen
        )


@dataclass(frozen=True, kw_only=True)
class TextRow:
    """A line of a box: a text at the left in its own size, and one at the right in `FOOT`."""

    left: str = ""
    right: str = ""
    size: float = FOOT
    color: str = INK
    right_color: str = FAINT
    right_weight: str = "normal"

    @property
    def width(self) -> float:
        """The width that it needs."""
        gap = COLUMN_GAP if self.left and self.right else 0.0
        return screen_width(self.left, self.size) + gap + screen_width(self.right, FOOT)


def join_words(words: Sequence[str], width: float, size: float) -> list[str]:
    """Put words on as few lines as they fit on, in order."""
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]} · {word}" if lines else word
        if lines and screen_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def box_rows(box: NodeBox, width: float) -> list[TextRow]:
    """Return the lines of a box, none wider than `width` points."""

    def row(text: str, size: float) -> TextRow:
        return TextRow(left=elide_middle(text, width, size), size=size)

    badge = box.badge
    room = width - (COLUMN_GAP + BOLD * screen_width(badge, FOOT) if badge else 0.0)
    whole = " · ".join((box.head, *box.details))
    rows = [row(text, BODY) for text in box.preceding]
    if not box.note and screen_width(whole, HEAD) <= room:
        rows.append(_head_row(whole, badge))
    else:
        rows.append(_head_row(elide_middle(box.head, room, HEAD), badge))
        rows += [row(text, BODY) for text in join_words(box.details, width, BODY)]
    return [*_with_note(rows, box.note, width), *_foot(box, width)]


def _head_row(text: str, badge: str) -> TextRow:
    if not badge:
        return TextRow(left=text, size=HEAD)
    return TextRow(left=text, right=badge, size=HEAD, right_color=INK, right_weight="bold")


def _with_note(rows: list[TextRow], note: str, width: float) -> list[TextRow]:
    """Put a note at the right of the last line that has room for it, or on one of its own."""
    for index in reversed([index for index, row in enumerate(rows) if not row.right]):
        candidate = replace(rows[index], right=note)
        if candidate.width <= width:
            return [*rows[:index], candidate, *rows[index + 1 :]]
    return [*rows, TextRow(right=elide_middle(note, width, FOOT))]


def _foot(box: NodeBox, width: float) -> list[TextRow]:
    """Return the line with name and shape; two lines where one would leave little of the name."""
    shape = elide_middle(box.shape, width, FOOT)
    room = width - screen_width(shape, FOOT) - COLUMN_GAP
    whole = elide_middle(box.name, width, FOOT)
    name = whole if screen_width(whole, FOOT) <= room else elide_middle(box.name, room, FOOT)
    row = TextRow(left=name, right=shape, color=FAINT, right_color=INK)
    # A name of one letter is not shorter as "…", and may not fit beside a long shape either.
    if len(name) < min(len(whole), 12) or row.width > width:
        return [TextRow(left=whole, color=FAINT), TextRow(right=shape, right_color=INK)]
    return [row]


def rows_height(rows: Sequence[TextRow]) -> float:
    """Return the height of the lines of a box, with the room above them."""
    return TOP + sum(LINE * row.size for row in rows)


def box_width(boxes: Sequence[NodeBox]) -> float:
    """Return the width that all boxes have: as much as their text needs, within limits."""
    needed = [row.width for box in boxes for row in box_rows(box, math.inf)]
    with_maps = any(box.maps is not None for box in boxes)
    return float(
        np.clip(max(needed) + 2 * PAD, MAX_BOX_WIDTH if with_maps else MIN_BOX_WIDTH, MAX_BOX_WIDTH)
    )


@dataclass(frozen=True, kw_only=True)
class MapLayout:
    """Positions of the maps of a box, in points from the left and the top of the room for them.

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
        """Whether the maps are rows of values, with their indices at the left."""
        return self.grid.tile[0] == self.grid.columns == 1

    def corners(self) -> Iterator[tuple[float, float, float, float]]:
        """Yield left, top, right and bottom of each map."""
        (unit_y, unit_x), (height, width) = self.unit, self.grid.tile
        for y, x in zip(*self.grid.corners(), strict=True):
            left, top = self.left + x * unit_x, self.top + y * unit_y
            yield left, top, left + width * unit_x, top + height * unit_y


def lay_out_maps(maps: Maps, width: float) -> MapLayout:
    """Lay the maps of a box out in `width` points."""
    count, height, across = maps.tiles.shape[:3]
    if maps.indices is None:
        unit = min(width / across, MAX_PICTURE_HEIGHT / height)
        left = (width - across * unit) / 2
        grid = Grid(count=1, columns=1, tile=(height, across))
        return MapLayout(grid=grid, unit=(unit, unit), left=left, top=2.0)
    if height == 1 < across:
        left = max(screen_width(str(index), INDEX) for index in maps.indices) + 3
        grid = Grid(count=count, columns=1, tile=(1, across))
        unit_x = (width - left) / across
        return MapLayout(grid=grid, unit=(SEQUENCE_HEIGHT, unit_x), left=left, top=2.0)
    # Wide maps get fewer columns, so that they do not become strips too thin to see.
    columns = int(np.clip(round(1.2 * MAPS_ACROSS * height / across), 1, MAPS_ACROSS))
    gap = max(1, round(MAP_GAP * across))
    unit = min(width / (columns * across + (columns - 1) * gap), MAX_MAP_HEIGHT / height)
    label = LINE * INDEX + 1
    gaps = (max(1, math.ceil(label / unit)), gap)
    grid = Grid(count=count, columns=min(columns, count), tile=(height, across), gap=gaps)
    left = (width - grid.size[1] * unit) / 2
    return MapLayout(grid=grid, unit=(unit, unit), left=left, top=label)
