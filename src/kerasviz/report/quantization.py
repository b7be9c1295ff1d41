"""Pack tiles of values into bytes, one for each value, and blocks of them into text."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

LEVELS = 254
"""Steps between the lowest and the highest value of a tile; level 0 is for what is not finite."""


@dataclass(frozen=True, kw_only=True)
class Tiles:
    """Tiles that are drawn side by side, with what the page needs to draw them.

    Args:
        values: Array `(tiles, height, width)`, or `(tiles, height, width, 3)` of a kernel that
            reads colours.
        indices: The index of each tile in its layer.
        total: How many tiles the layer has.
        limits: The colours' lowest and highest value on one scale for all.
        signed: Whether the colours diverge from 0.
        rows: For a matrix, the index of each of its rows; its columns are `indices`.
        axes: For a matrix, what a row and what a column is.
        title: What is drawn, in words.
    """

    values: np.ndarray
    indices: np.ndarray
    total: int
    limits: tuple[float, float]
    signed: bool
    rows: np.ndarray | None = None
    axes: tuple[str, str] | None = None
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Block:
    """The tiles of one layer, packed one after the other; they are decoded together."""

    parts: list[bytes] = field(default_factory=list)

    def add(self, tiles: Tiles) -> dict[str, Any]:
        """Append tiles, and return where they are and how they are drawn."""
        levels, low, high = quantise(tiles.values)
        start = sum(map(len, self.parts))
        indices = tiles.indices if tiles.rows is None else np.arange(len(levels))
        arrays = (low, high, indices.astype("<u4"), levels)
        self.parts.extend(array.tobytes() for array in arrays)
        count, height, width, *channels = tiles.values.shape
        facts: dict[str, Any] = {
            "start": start,
            "count": count,
            "height": height,
            "width": width,
            "channels": channels[0] if channels else 1,
            "total": tiles.total,
            "limits": [float(limit) for limit in tiles.limits],
            "signed": tiles.signed,
            "title": tiles.title,
        }
        if tiles.rows is not None:
            facts |= {"rows": tiles.rows.tolist(), "columns": tiles.indices.tolist()}
            facts |= {"axes": tiles.axes}
        # What follows begins at a multiple of four bytes, since floats are read in place.
        self.parts.append(bytes(-sum(map(len, self.parts)) % 4))
        return facts

    def add_bytes(self, values: np.ndarray) -> int:
        """Append unsigned bytes as they are, and return where they begin."""
        start = sum(map(len, self.parts))
        self.parts.extend([values.astype("uint8").tobytes(), bytes(-values.size % 4)])
        return start

    def encode(self) -> str:
        """Return all of it, compressed, as base64."""
        return base64.b64encode(zlib.compress(b"".join(self.parts), 9)).decode("ascii")


def quantise(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return values as levels from 1 to 255, and the values of the first and last level.

    Args:
        values: Array `(tiles, ...)`; values that are not finite get level 0.

    Returns:
        Levels of the same shape, unsigned bytes; the lowest and the highest finite value of each
        tile, little-endian float32 `(tiles,)`, 0 where there is none.
    """
    flat = values.reshape(len(values), -1).astype("float64")
    finite = np.isfinite(flat)
    low = np.where(finite, flat, np.inf).min(axis=1, initial=np.inf)
    high = np.where(finite, flat, -np.inf).max(axis=1, initial=-np.inf)
    is_empty = ~finite.any(axis=1)
    low, high = np.where(is_empty, 0, low), np.where(is_empty, 0, high)
    low, high = (np.clip(x, -3e38, 3e38).astype("<f4") for x in (low, high))
    start, span = low.astype("float64"), high.astype("float64") - low
    scaled = (np.where(finite, flat, 0) - start[:, np.newaxis]) / np.where(span > 0, span, 1)[
        :, np.newaxis
    ]
    levels = np.where(finite, 1 + np.rint(LEVELS * np.clip(scaled, 0, 1)), 0)
    return levels.astype("uint8").reshape(values.shape), low, high
