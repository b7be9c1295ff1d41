"""Compute where the parts of a picture of a convolution go, and how large they are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kerasviz.draw.convolution.number_format import NumberFormat, choose_format
from kerasviz.draw.convolution.numbered_image import MAX_NUMBERED_CELLS, number_size
from kerasviz.draw.convolution.view import ConvolutionView
from kerasviz.draw.text import text_width, wrap_text

# Sizes in inches, as those of a figure.
MAP_SIZE, MAP_SIZE_OF_SEVERAL = 2.0, 1.45
MAX_TITLE_WIDTH = 2.5
"""A title that is longer is broken into lines, unless its part is wider."""
MAX_CELL, MIN_WINDOW, MAX_WINDOW = 0.42, 1.2, 1.65
LEGIBLE_CELL = 0.235
GAP_BEFORE = {"window": 0.45, "kernel": 0.36, "products": 0.36, "output": 0.6}
"""Distance between a part and the one before it."""
MARGIN, ROW_NAME, ROW_GAP = 0.15, 0.22, 0.32
ROOM_BELOW = {"output": 0.2, "kernel": 0.24, "products": 0.24}
"""Room for the text below a part; the text of a kernel is beside it."""
BAR_PAD, BAR_HEIGHT, BAR_ROOM = 0.08, 0.08, 0.36
"""Distance and height of a colour bar, and the room for both and its labels."""
LINE = 1.3
"""Height of a line of text, in sizes of its font."""
HEADING, TITLE, FORMULA = 11.0, 8.5, 10.0
"""Sizes of text, in points."""

PartKey = tuple[int, str]
"""A part of a picture: the index of its row, and its name. The output is in row 0."""


class Rect(NamedTuple):
    """Where something is, in inches from the top left of the picture."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True)
class ConvolutionLayout:
    """The place of everything, in inches that a figure of the caller's may make smaller.

    Args:
        size: Width and height of the whole.
        rects: The place of each part, the output last.
        titles: The title of each part, with the unit of the numbers in it.
        signs: The middle of the sign before each part.
        bars: The place of each colour bar, by part.
        formats: How the numbers of each part are written.
        fonts: Their sizes in points, `None` where there is no room for them.
        cell_sizes: The side of a cell of each part.
        formula_top: Where the text below everything begins.
    """

    size: tuple[float, float]
    rects: dict[PartKey, Rect]
    titles: dict[str, str]
    signs: dict[PartKey, tuple[float, float]]
    bars: dict[str, Rect]
    formats: dict[str, NumberFormat]
    fonts: dict[str, float | None]
    cell_sizes: dict[str, float]
    formula_top: float

    @property
    def figure_size(self) -> tuple[float, float]:
        """Width and height of a new figure, in whole tenths of an inch."""
        return math.ceil(self.size[0] * 10) / 10, math.ceil(self.size[1] * 10) / 10


def make_layout(view: ConvolutionView, scale: float = 1.0) -> ConvolutionLayout:
    """Choose where everything goes.

    Args:
        view: What is to be drawn.
        scale: How many inches of the figure are one of the layout.
    """
    formats = {part: choose_format(view.values(part)) for part in view.parts}
    cells = {part: _cell_size(part, view) for part in view.parts}
    fonts = {
        part: _font_size(part, view, formats[part], cells[part] * scale) for part in view.parts
    }
    sizes = {part: _part_size(part, view, cells[part]) for part in view.parts}
    titles = {}
    for part, (width, _) in sizes.items():
        title = view.titles[part] + (formats[part].unit if fonts[part] else "")
        titles[part] = wrap_text(title, max(width, MAX_TITLE_WIDTH) * 72, TITLE)
    rows = _stack_rows(view, sizes, titles)
    columns = _place_columns(view, sizes, titles)
    rects = _place_parts(sizes, rows, columns)
    bars, bottom = _place_bars(view, rects, fonts, rows.bottom)
    width = columns.right + MARGIN
    formula = wrap_text(view.longest_formula, (width - 2 * MARGIN) * 72, FORMULA)
    formula_top = bottom + 0.12
    return ConvolutionLayout(
        size=(width, formula_top + _text_height(formula, FORMULA) + MARGIN),
        rects=rects,
        titles=titles,
        signs=_place_signs(sizes, rows, columns),
        bars=bars,
        formats=formats,
        fonts=fonts,
        cell_sizes=cells,
        formula_top=formula_top,
    )


class _Rows(NamedTuple):
    """The middle of each row, that of all rows, and where they end, in inches from the top."""

    middles: Sequence[float]
    middle: float
    bottom: float

    def of(self, part: str) -> Sequence[float]:
        """Return the middles of a part: one per row, or that of all rows."""
        return [self.middle] if part == "output" else self.middles


class _Columns(NamedTuple):
    """Where each part's column is, in inches from the left."""

    lefts: Mapping[str, float]
    widths: Mapping[str, float]
    right: float


def _stack_rows(
    view: ConvolutionView, sizes: Mapping[str, tuple[float, float]], titles: Mapping[str, str]
) -> _Rows:
    """Place the rows below the texts; rows and output are beside each other's middle."""
    lines = max(title.count("\n") + 1 for title in titles.values())
    top = MARGIN + (lines * LINE * TITLE + 6) / 72
    if view.heading:
        top += _text_height(view.heading, HEADING) + 0.06
    count = len(view.padded_inputs)
    row_height = max(height for part, (_, height) in sizes.items() if part != "output")
    pitch = row_height + ROW_GAP
    rows_height = count * pitch - ROW_GAP
    height = max(rows_height, sizes["output"][1])
    first = top + (height - rows_height) / 2
    middles = [first + index * pitch + row_height / 2 for index in range(count)]
    return _Rows(middles, top + height / 2, top + height)


def _place_columns(
    view: ConvolutionView, sizes: Mapping[str, tuple[float, float]], titles: Mapping[str, str]
) -> _Columns:
    """Place the parts from left to right; each is as wide as its cells or its title."""
    widths = {part: max(width, _title_width(titles[part])) for part, (width, _) in sizes.items()}
    left = MARGIN + (ROW_NAME if any(view.row_names) else 0)
    lefts = {}
    for part, width in widths.items():
        lefts[part] = left = left + GAP_BEFORE.get(part, 0.0)
        left += width
    return _Columns(lefts, widths, left)


def _place_parts(
    sizes: Mapping[str, tuple[float, float]], rows: _Rows, columns: _Columns
) -> dict[PartKey, Rect]:
    rects = {}
    for part, (width, height) in sizes.items():
        left = columns.lefts[part] + (columns.widths[part] - width) / 2
        for index, middle in enumerate(rows.of(part)):
            rects[index, part] = Rect(left, middle - height / 2, width, height)
    # Row by row, the output last: the order of the axes in the plot that the caller receives.
    return dict(sorted(rects.items(), key=lambda item: (item[0][1] == "output", item[0][0])))


def _place_signs(
    sizes: Mapping[str, tuple[float, float]], rows: _Rows, columns: _Columns
) -> dict[PartKey, tuple[float, float]]:
    return {
        (index, part): (columns.lefts[part] - GAP_BEFORE.get(part, 0.0) / 2, middle)
        for part in sizes
        for index, middle in enumerate(rows.of(part))
    }


def _place_bars(
    view: ConvolutionView,
    rects: Mapping[PartKey, Rect],
    fonts: Mapping[str, float | None],
    bottom: float,
) -> tuple[dict[str, Rect], float]:
    """Place a colour bar below each part without numbers; return them and where all parts end."""
    bars = {}
    for part in view.parts:
        rect = rects[0 if part == "output" else len(view.padded_inputs) - 1, part]
        end = rect.top + rect.height + ROOM_BELOW.get(part, 0.0)
        if fonts[part] is None and part != "window":  # which has the colours of the input
            bars[part] = Rect(rect.left, end + BAR_PAD, rect.width, BAR_HEIGHT)
            end += BAR_ROOM
        bottom = max(bottom, end)
    return bars, bottom


def _cell_size(part: str, view: ConvolutionView) -> float:
    """Return the side of a cell of a part."""
    longest = max(view.shape(part))
    if part == "output":
        room = MAP_SIZE
    elif part == "input":
        room = MAP_SIZE if len(view.padded_inputs) == 1 else MAP_SIZE_OF_SEVERAL
    else:
        room = max(MIN_WINDOW, min(LEGIBLE_CELL * longest, MAX_WINDOW))
    return min(room / longest, MAX_CELL)


def _part_size(part: str, view: ConvolutionView, cell_size: float) -> tuple[float, float]:
    """Return width and height of a part."""
    height, width = view.shape(part)
    return width * cell_size, height * cell_size


def _font_size(
    part: str, view: ConvolutionView, number_format: NumberFormat, cell_size: float
) -> float | None:
    """Return the size of a part's numbers, `None` where they would not be legible."""
    if math.prod(view.shape(part)) > MAX_NUMBERED_CELLS:
        return None
    return number_size(view.values(part), number_format, cell_size * 72)


def _title_width(title: str) -> float:
    return max(text_width(line, TITLE) for line in title.split("\n")) / 72


def _text_height(text: str, size: float) -> float:
    return (text.count("\n") + 1) * LINE * size / 72
