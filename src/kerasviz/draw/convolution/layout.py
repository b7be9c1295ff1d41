"""Where the parts of a step of a convolution go, and how large they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from matplotlib.colors import Colormap

from kerasviz.draw.convolution.number_format import NumberFormat, choose_format
from kerasviz.draw.convolution.numbered_image import MOST_NUMBERS, number_size
from kerasviz.draw.text import text_width, wrap_text

# Sizes in inches, as those of a figure.
MAP, MAP_OF_SEVERAL = 2.0, 1.45
WIDEST_TITLE = 2.5
"""A title that is longer is broken into lines, unless its part is wider."""
LARGEST_CELL, LEAST_WINDOW, LARGEST_WINDOW = 0.42, 1.2, 1.65
LEGIBLE_CELL = 0.235
BEFORE = {"window": 0.45, "kernel": 0.36, "products": 0.36, "output": 0.6}
"""Distance between a part and the one before it."""
MARGIN, ROW_NAME, ROW_GAP = 0.15, 0.22, 0.32
BELOW = {"output": 0.2, "kernel": 0.24, "products": 0.24}
"""Room for the text below a part; the text of a kernel is beside it."""
BAR_PAD, BAR_HEIGHT, BAR = 0.08, 0.08, 0.36
"""Distance and height of a colour bar, and the room for both and its labels."""
LINE = 1.3
"""Height of a line of text, in sizes of its font."""
HEADING, TITLE, FORMULA = 11.0, 8.5, 10.0
"""Sizes of text, in points."""


@dataclass(frozen=True, eq=False)
class Scene:
    """The part of a picture that does not change while a window moves.

    Args:
        inputs: Array `(rows, height, width)`: a padded input a row of the picture.
        names: What each row is called, empty for a single one.
        real: Which rows and which columns of the input hold values, as two boolean arrays.
        kernels: `(rows, window height, window width)`, `None` of a pooling.
        window: Height and width of the window.
        products: Values with the range of all products that will be shown.
        output: `(rows, columns)`.
        titles: The title of each part.
        heading: The text above everything.
        formula: The longest text that will be below everything.
        dilated: Whether the window passes over cells.
        counts_padding: Whether a padded cell under the window goes into the result.
        marks_largest: Whether one value under the window is the result.
        cmap: The colormap of inputs and output, `None` for the usual ones.
        address: The address of the layer.
    """

    inputs: np.ndarray
    names: Sequence[str]
    real: tuple[np.ndarray, np.ndarray]
    kernels: np.ndarray | None
    window: tuple[int, int]
    products: np.ndarray
    output: np.ndarray
    titles: dict[str, str]
    heading: str
    formula: str
    dilated: bool = False
    counts_padding: bool = True
    marks_largest: bool = False
    cmap: str | Colormap | None = None
    address: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts from left to right; all but the output are there once a row."""
        between = () if self.kernels is None else ("kernel", "products")
        return ("input", "window", *between, "output")

    def values(self, part: str) -> np.ndarray:
        """Return values with the range of all that a part will show."""
        if part == "kernel":
            assert self.kernels is not None
            return self.kernels
        if part in ("products", "output"):
            return self.products if part == "products" else self.output
        return self.inputs[:, self.real[0]][:, :, self.real[1]]

    def shape(self, part: str) -> tuple[int, int]:
        """Return height and width of a part, in cells."""
        if part == "input":
            return len(self.real[0]), len(self.real[1])
        return (len(self.output), self.output.shape[1]) if part == "output" else self.window


class Box(NamedTuple):
    """Where something is, in inches from the top left of the picture."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Plan:
    """The place of everything, in inches that a figure of the caller's may make smaller.

    Args:
        size: Width and height of the whole.
        boxes: The place of each part, by row and part, the output last.
        titles: The title of each part, with the unit of the numbers in it.
        signs: The middle of the sign before each part, likewise.
        bars: The place of each colour bar, by part.
        formats: How the numbers of each part are written.
        fonts: Their sizes in points, `None` where there is no room for them.
        cell: The side of a cell of each part.
        formula_top: Where the text below everything begins.
    """

    size: tuple[float, float]
    boxes: dict[tuple[int, str], Box]
    titles: dict[str, str]
    signs: dict[tuple[int, str], tuple[float, float]]
    bars: dict[str, Box]
    formats: dict[str, NumberFormat]
    fonts: dict[str, float | None]
    cells: dict[str, float]
    formula_top: float

    @property
    def figure_size(self) -> tuple[float, float]:
        """Width and height of a new figure, in whole tenths of an inch."""
        return math.ceil(self.size[0] * 10) / 10, math.ceil(self.size[1] * 10) / 10


def make_plan(scene: Scene, scale: float = 1.0) -> Plan:
    """Choose where everything goes.

    Args:
        scene: What is to be drawn.
        scale: How many inches of the figure are one of the plan.
    """
    rows, parts = len(scene.inputs), scene.parts
    formats = {part: choose_format(scene.values(part)) for part in parts}
    cells = {part: _cell(part, scene) for part in parts}
    fonts = {part: _font(part, scene, formats[part], cells[part] * scale) for part in parts}
    heights = {part: scene.shape(part)[0] * cells[part] for part in parts}
    widths = {part: scene.shape(part)[1] * cells[part] for part in parts}
    titles = {}
    for part in parts:
        title = scene.titles[part] + (formats[part].unit if fonts[part] else "")
        titles[part] = wrap_text(title, max(widths[part], WIDEST_TITLE) * 72, TITLE)
    columns = {part: max(widths[part], _title_width(titles[part])) for part in parts}

    lines = max(title.count("\n") + 1 for title in titles.values())
    top = MARGIN + (lines * LINE * TITLE + 6) / 72
    if scene.heading:
        top += (scene.heading.count("\n") + 1) * LINE * HEADING / 72 + 0.06
    row = max(heights[part] for part in parts if part != "output")
    pitch = row + ROW_GAP
    block = max(rows * pitch - ROW_GAP, heights["output"])
    first = top + (block - (rows * pitch - ROW_GAP)) / 2

    boxes, signs = {}, {}
    left = MARGIN + (ROW_NAME if any(scene.names) else 0)
    for part in parts:
        gap = BEFORE.get(part, 0.0)
        left += gap
        inner = left + (columns[part] - widths[part]) / 2
        middles = [first + n * pitch + row / 2 for n in range(rows)]
        for n, middle in enumerate([top + block / 2] if part == "output" else middles):
            boxes[n, part] = Box(inner, middle - heights[part] / 2, widths[part], heights[part])
            signs[n, part] = left - gap / 2, middle
        left += columns[part]

    bars, bottom = {}, top + block
    for part in parts:
        n = 0 if part == "output" else rows - 1
        box = boxes[n, part]
        end = box.top + box.height + BELOW.get(part, 0.0)
        if fonts[part] is None and part != "window":
            bars[part] = Box(box.left, end + BAR_PAD, box.width, BAR_HEIGHT)
            end += BAR
        bottom = max(bottom, end)
    width = left + MARGIN
    text = wrap_text(scene.formula, (width - 2 * MARGIN) * 72, FORMULA)
    formula_top = bottom + 0.12
    height = formula_top + (text.count("\n") + 1) * LINE * FORMULA / 72 + MARGIN
    boxes = dict(sorted(boxes.items(), key=lambda item: (item[0][1] == "output", item[0][0])))
    return Plan((width, height), boxes, titles, signs, bars, formats, fonts, cells, formula_top)


def _cell(part: str, scene: Scene) -> float:
    """Return the side of a cell of a part."""
    longest = max(scene.shape(part))
    if part == "output":
        room = MAP
    elif part == "input":
        room = MAP if len(scene.inputs) == 1 else MAP_OF_SEVERAL
    else:
        room = max(LEAST_WINDOW, min(LEGIBLE_CELL * longest, LARGEST_WINDOW))
    return min(room / longest, LARGEST_CELL)


def _font(part: str, scene: Scene, write: NumberFormat, cell: float) -> float | None:
    """Return the size of a part's numbers, `None` where they would not be legible."""
    if math.prod(scene.shape(part)) > MOST_NUMBERS:
        return None
    return number_size(scene.values(part), write, cell * 72)


def _title_width(title: str) -> float:
    return max(text_width(line, TITLE) for line in title.split("\n")) / 72
