"""Divide a page of the caller's size into cells, one for each panel."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from kerasviz.draw.panel_grid import Rect

FITS = 4
"""How often cells are made as large as their panels were in the cells before."""
MIN_GAIN = 1.05
"""How many times as much of the panels there has to be to see for cells to differ in size."""


class Use(NamedTuple):
    """The width and height of its cell that a panel fills, and the area of its data.

    Widths and heights are in inches, with all that is around the panel.
    """

    width: float
    height: float
    area: float


UseOf = Callable[[int, float, float], Use]
"""From the index of a panel, the width and the height of its cell, in inches."""


def equal_cells(count: int, columns: int, left: float = 0.0) -> list[Rect]:
    """Return cells of one size that fill a figure but for something at its left, in parts of it."""
    rows = math.ceil(count / columns)
    return _cells([[1.0] * columns] * rows, [1.0] * rows, left)[:count]


def fitted_cells(
    page: tuple[float, float], count: int, columns: int, use_of: UseOf, *, left: float = 0.0
) -> list[Rect]:
    """Return cells like those of `equal_cells`, but larger where a panel fills more of them.

    Args:
        page: Width and height of the figure, in inches.
        count: The number of panels.
        columns: How many are in a row; the last one may have fewer.
        use_of: Tells what a panel makes of a cell.
        left: The part at the left of the figure that is taken.
    """
    cells = best = equal_cells(count, columns, left)
    most = 0.0
    for _ in range(FITS):
        uses = [
            use_of(i, cell.width * page[0], cell.height * page[1]) for i, cell in enumerate(cells)
        ]
        area = sum(use.area for use in uses)
        if area > most * (MIN_GAIN if most else 1):
            best, most = cells, area
        rows = [uses[start : start + columns] for start in range(0, count, columns)]
        widths = [[use.width for use in row] for row in rows]
        cells = _cells(widths, [max(use.height for use in row) for row in rows], left)
    return best


def _cells(widths: Sequence[Sequence[float]], heights: Sequence[float], left: float) -> list[Rect]:
    """Return cells in rows, whose widths and heights are in these proportions."""
    cells, top = [], 1.0
    for row, height in zip(widths, heights, strict=True):
        top -= height / sum(heights)
        start = left
        for width in row:
            part = (1 - left) * width / sum(row)
            cells.append(Rect(left=start, bottom=top, width=part, height=height / sum(heights)))
            start += part
    return cells
