"""Maps of cells at the size of an input."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def enlarge_cells(cells: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """Return maps at the size of an input, each cell as a block of equal values.

    Args:
        cells: `(n, *cells)`.
        size: The size of the input, as many numbers as the cells have axes.
    """
    for axis, length in enumerate(size, start=1):
        count = cells.shape[axis]
        centers = (np.arange(length) + 0.5) * count / length
        cells = np.take(cells, np.clip(centers.astype(int), 0, count - 1), axis=axis)
    return cells


def interpolate_cells(cells: np.ndarray, size: Sequence[int], shift: Sequence[float]) -> np.ndarray:
    """Return maps at the size of an input, linearly between the middles of cells.

    Args:
        cells: `(n, *cells)`.
        size: The size of the input.
        shift: By which part of a cell the grid is moved, along each axis.
    """
    for axis, (length, offset) in enumerate(zip(size, shift, strict=True), start=1):
        count = cells.shape[axis]
        position = np.clip((np.arange(length) + 0.5) * count / length - 0.5 + offset, 0, count - 1)
        low = np.floor(position).astype(int)
        high = np.minimum(low + 1, count - 1)
        weight = (position - low).reshape([-1 if a == axis else 1 for a in range(cells.ndim)])
        cells = np.take(cells, low, axis) * (1 - weight) + np.take(cells, high, axis) * weight
    return cells
