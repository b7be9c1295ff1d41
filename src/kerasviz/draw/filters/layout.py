"""Plan cards of filters: how large each panel is, and how its texts are broken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from kerasviz.draw.filters.content import CardTable, CellKind, FilterCard
from kerasviz.draw.panel_grid import PanelExtent, PanelGrid
from kerasviz.draw.text import (
    NOTE_SIZE,
    RESOLUTION_MARGIN,
    elide_middle,
    font_size,
    screen_width,
    text_height,
    wrap_text,
)

# Sizes in inches at a font of 10 points; with another font all of them grow with it.
SIDE, MIN_SIDE = 0.78, 0.5
"""The side of a kernel and of an example in a new figure, and the least one."""
SIGNAL_SHAPE = 1.4
"""How much wider than high a window of a signal is."""
EXAMPLE_GAP = 0.08
"""The distance of two examples, in sides."""
BARS = 1.7
"""The width of bars, in sides."""
MARGIN, GAP, ROW_GAP = 0.14, 0.16, 0.08
"""Room around everything, between two panels, and between two rows."""
PAD = 0.04
"""Distance of a text from its panel."""
NOTES, NAMES = 1.35, 1.0
"""The largest width of the notes on a filter, and of names of classes."""
BAR_LINES = 1.2
"""The height of a bar, in sizes of its font."""
MIN_EXAMPLES = 3
"""How many examples stay in a narrow figure."""
PLACES = "{places}"
"""In a heading, what becomes the number of examples."""


@dataclass(frozen=True, kw_only=True)
class CardLayout:
    """Where the panels of cards go, in inches.

    Args:
        table: What is drawn.
        side: The side of a kernel and of an example.
        places: How many examples of each card are drawn.
    """

    table: CardTable
    side: float
    places: int

    @property
    def grid(self) -> PanelGrid:
        """The rows and columns of panels."""
        return PanelGrid(
            columns=len(self.table.kinds),
            margin=unit() * MARGIN,
            gaps=(unit() * GAP, unit() * ROW_GAP),
        )

    @property
    def example_width(self) -> float:
        """The width of an example, in sides."""
        return SIGNAL_SHAPE if self.table.is_flat else 1.0

    def width_of(self, kind: CellKind) -> float:
        """Return the width of a panel, in inches."""
        if kind == "examples":
            pitch = self.example_width + EXAMPLE_GAP
            return self.side * (self.places * pitch - EXAMPLE_GAP)
        return self.side * (BARS if kind == "classes" else self.example_width)

    def heading(self, kind: CellKind) -> str:
        """Return what is above a column, in lines."""
        width = 72 * (self.width_of(kind) + self._beside(kind)) / RESOLUTION_MARGIN
        return wrap_text(self._words(kind), width, font_size("small"))

    def _words(self, kind: CellKind) -> str:
        # "the strongest of 10 images", "the 9 strongest of 10 images"
        count = "" if self.places == 1 else f"{self.places} "
        words = self.table.headings[kind].replace(f"{PLACES} ", count)
        if kind == "classes" and self.bars < len(self.table.class_names):
            return f"{words} ({self.bars} largest of {len(self.table.class_names)})"
        return words

    def _beside(self, kind: CellKind) -> float:
        """Return the room at the left of a column that its heading may use."""
        return self.names_width if kind == "classes" else 0.0

    @property
    def notes_offset(self) -> float:
        """The distance of the notes from the first panel, in inches."""
        return self._beside(self.table.kinds[0]) + unit() * GAP / 2

    @property
    def notes_width(self) -> float:
        """The width of the notes at the left, in inches."""
        sizes = font_size(), font_size(NOTE_SIZE)
        lines = [
            (line, sizes[row > 0])
            for card in self.table.cards
            for row, line in enumerate([*self.notes(card), *self.remark(card)])
        ]
        return (
            max(screen_width(line, size) * (1.1 if size == sizes[0] else 1) for line, size in lines)
            / 72
        )

    def notes(self, card: FilterCard) -> list[str]:
        """Return the name of a filter and the notes on it, in lines."""
        width, size = 72 * unit() * NOTES, font_size(NOTE_SIZE)
        lines = [f"{self.table.noun} {card.index}"]
        for note in card.notes:
            lines += wrap_text(note, width, size).splitlines()
        return lines

    def remark(self, card: FilterCard) -> list[str]:
        """Return what is odd about a filter, in lines."""
        width, size = 72 * unit() * NOTES, font_size(NOTE_SIZE)
        return wrap_text(card.remark, width, size).splitlines()

    @property
    def names_width(self) -> float:
        """The room for the names of classes, in inches."""
        size = font_size(NOTE_SIZE)
        widths = [screen_width(name, size) / 72 for name in self.table.class_names]
        return min(max(widths, default=0.0), unit() * NAMES) + unit() * PAD

    @property
    def caption_height(self) -> float:
        """The room below the examples, in inches."""
        rows = [len(e.lines) for card in self.table.cards for e in card.examples]
        patterns = [p for card in self.table.cards for p in (card.kernel, card.preferred)]
        has_caption = any(pattern is not None and pattern.caption for pattern in patterns)
        count = max([*rows, int(has_caption), 0])
        return text_height("\n".join("x" * count), font_size(NOTE_SIZE)) + unit() * PAD

    @property
    def bars_height(self) -> float:
        """The height of a panel of classes: that of a card."""
        return self.side + self.caption_height + unit() * PAD

    @property
    def bars(self) -> int:
        """How many classes a card has room for."""
        pitch = BAR_LINES * font_size(NOTE_SIZE) / 72
        return min(len(self.table.class_names), int(self.bars_height / pitch + 1e-6))

    def extents(self) -> list[PanelExtent]:
        """Return the extent of each panel, row by row."""
        return [
            self._extent(kind, row)
            for row in range(len(self.table.cards))
            for kind in self.table.kinds
        ]

    def _extent(self, kind: CellKind, row: int) -> PanelExtent:
        small = font_size("small")
        is_lowest = row == len(self.table.cards) - 1
        above = text_height(self.heading(kind), small) + unit() * PAD if row == 0 else 0.0
        width = self.width_of(kind)
        # A long word of the heading may be wider than the panel.
        lines = self.heading(kind).splitlines() if row == 0 else []
        longest = max((screen_width(line, small) for line in lines), default=0.0) / 72
        extent = PanelExtent(
            width=width,
            height=self.side,
            above=above,
            right=max(0.0, longest - width - self._beside(kind)),
        )
        if kind == "classes":
            numbers = 1.6 * font_size(NOTE_SIZE) / 72 if is_lowest else 0.0
            extent = replace(
                extent,
                left=self.names_width,
                right=max(extent.right, unit() * 0.1),
                height=self.bars_height,
                below=numbers,
            )
        else:
            extent = replace(extent, below=self.caption_height)
        if kind == self.table.kinds[0]:
            extent = replace(extent, left=self.notes_offset + self.notes_width)
        # The notes may be higher than the panels.
        card = self.table.cards[row]
        notes = len(self.notes(card)) + len(self.remark(card)) + 0.6
        height = notes * text_height("x", font_size(NOTE_SIZE))
        return replace(extent, below=max(extent.below, height - extent.height))


def unit() -> float:
    """Return by how much sizes are larger than at a font of 10 points."""
    return font_size() / 10


def plan_new(table: CardTable) -> CardLayout:
    """Return the layout of a new figure, which becomes as large as it needs."""
    side = unit() * SIDE
    # As many classes as there can be in twice the height of an example.
    layout = CardLayout(table=table, side=side, places=table.places)
    pitch = BAR_LINES * font_size(NOTE_SIZE) / 72
    needed = pitch * len(table.class_names) - layout.caption_height
    if side < needed <= 1.3 * side:
        layout = replace(layout, side=needed)
    return layout


def plan_page(table: CardTable, page: tuple[float, float], heading: float) -> CardLayout:
    """Return the layout for a page, with as many examples as there is room for.

    Args:
        table: What is drawn.
        page: Width and height, in inches.
        heading: The height of the title.

    Returns:
        A layout that may be larger than the page, if this is too small.
    """
    layouts = [_fit(table, page, heading, places) for places in _counts(table)]
    fitting = [each for each in layouts if each.side >= unit() * MIN_SIDE - 1e-6]
    if fitting:
        return fitting[0]
    return replace(layouts[-1], side=unit() * MIN_SIDE)


def _counts(table: CardTable) -> Iterator[int]:
    yield from range(table.places, min(table.places, MIN_EXAMPLES) - 1, -1)


def _fit(table: CardTable, page: tuple[float, float], heading: float, places: int) -> CardLayout:
    """Return the layout whose panels are as large as a page allows."""
    layout = CardLayout(table=table, side=unit() * SIDE, places=places)
    # Both sides of the whole grow evenly with the side of a panel, but for the lines of headings.
    for _ in range(3):
        bigger = replace(layout, side=2 * layout.side)
        sides = []
        for room, first, second in zip(
            page, size_of(layout, heading), size_of(bigger, heading), strict=True
        ):
            # Where notes are higher than panels, these could be larger in the same room.
            slope = max((second - first) / layout.side, 1e-3)
            sides.append(layout.side + (room - first) / slope)
        layout = replace(layout, side=float(np.clip(min(sides), 1e-3, 4 * unit() * SIDE)))
    return layout


def size_of(layout: CardLayout, heading: float) -> tuple[float, float]:
    """Return width and height that a layout needs, in inches."""
    extents = layout.extents()
    return layout.grid.width(extents), layout.grid.height(extents, heading)


def shorten(text: str, width: float, size: float) -> str:
    """Return a text that is at most `width` inches wide."""
    return elide_middle(text, 72 * width, size)
