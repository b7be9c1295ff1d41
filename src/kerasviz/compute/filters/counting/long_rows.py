"""Loop over the cells of maps in long rows, in which NumPy is several times as fast."""

from __future__ import annotations

import math

import numpy as np

LENGTH = 1024
"""The number of values in a row."""
CHUNK = 1 << 16
"""The number of values that are counted at a time, which fit into a processor's cache."""


def split_rows(values: np.ndarray, at_least: int = 1) -> list[np.ndarray]:
    """Return parts of values `(n, filters)`, of a number of long rows each but for the last one.

    Args:
        values: The values.
        at_least: How many cells a part has at least, but for the last one.
    """
    filters = values.shape[1]
    cells = max(LENGTH // filters, 1)
    step = cells * max(CHUNK // (cells * filters), -(-at_least // cells), 1)
    return [values[start : start + step] for start in range(0, len(values), step)]


def subtract(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return values `(n, filters)` less one number for each filter, `(filters,)`."""
    filters = values.shape[1]
    repeats = math.gcd(len(values), max(LENGTH // filters, 1))
    rows = values.reshape(-1, repeats * filters) - np.tile(reference, repeats)
    return np.asarray(rows.reshape(values.shape))


def reduce_cells(reduction: np.ufunc, cells: np.ndarray) -> np.ndarray:
    """Return the largest, smallest, ... of each filter, `(..., filters)`.

    Args:
        reduction: Such as `np.maximum`.
        cells: `(..., cells, filters)`.
    """
    *lead, count, filters = cells.shape
    # With the root of the cells in a row, there are about as many rows as cells left to reduce.
    repeats = min(max(LENGTH // filters, 1), math.isqrt(count))
    whole = count // repeats * repeats
    rows = cells[..., :whole, :].reshape(*lead, -1, repeats * filters)
    head = reduction.reduce(rows, axis=-2).reshape(*lead, repeats, filters)
    rest = np.concatenate([head, cells[..., whole:, :]], axis=-2)
    return np.asarray(reduction.reduce(rest, axis=-2))
