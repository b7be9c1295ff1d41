"""Choose tiles by index and by strength, and say in words which were chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from kerasviz._wording import list_indices

Sort = Literal["norm", "mean"]


Tiles = int | slice | Sequence[int]


@dataclass(frozen=True, kw_only=True)
class TileChoice:
    """Which tiles to draw, and in which order; see `TileOptions`."""

    tiles: Tiles | None = None
    sort: Sort | None = None
    top: int | None = None


def select_tiles(tiles: Tiles | None, count: int, name: str = "tiles", of: str = "") -> np.ndarray:
    """Return the indices of the chosen tiles.

    Args:
        tiles: The caller's `tiles`; negative indices count from the end.
        count: How many there are.
        name: What the keyword is called.
        of: What they belong to, for an error.

    Returns:
        Integer array `(n,)` with `n >= 1`, in the caller's order.

    Raises:
        TypeError: Not an int, a slice or a list of ints.
        ValueError: An index out of range, a slice with the step 0, or no tile at all.
    """
    every = np.arange(count)
    if tiles is None:
        return every
    if isinstance(tiles, slice):
        try:
            chosen = every[tiles]
        except (TypeError, ValueError) as error:
            raise type(error)(
                f"`{name}` must be a slice of ints whose step is not 0. Received: {name}={tiles!r}"
            ) from error
    else:
        wanted: Any = np.atleast_1d(np.asarray(tiles))
        if wanted.ndim != 1 or (wanted.size and not np.issubdtype(wanted.dtype, np.integer)):
            raise TypeError(
                f"`{name}` must be an int, a slice or a list of ints. Received: {name}={tiles!r}"
            )
        outside = wanted[(wanted < -count) | (wanted >= count)]
        if outside.size:
            raise ValueError(
                f"`{name}` must be between {-count} and {count - 1}, since {of or 'the array'} "
                f"has {count}. Received: {', '.join(map(str, outside))}"
            )
        chosen = every[wanted.astype(int)]
    if not chosen.size:
        raise ValueError(
            f"`{name}` must select at least one of {count}. Received: {name}={tiles!r}"
        )
    return chosen


def tile_strength(tiles: np.ndarray, sort: Sort) -> np.ndarray:
    """Return the Euclidean norm or the mean of each tile `(n, ...)`; NaN counts as 0."""
    flat = np.nan_to_num(tiles.reshape(len(tiles), -1).astype("float64"), posinf=0, neginf=0)
    return np.asarray(flat.mean(axis=1) if sort == "mean" else np.linalg.norm(flat, axis=1))


def order_tiles(numbers: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """Return positions that put the strongest first; equals keep the order of their numbers."""
    return np.lexsort([numbers, -strength])


class TileSelection(NamedTuple):
    """Which tiles are drawn.

    Args:
        indices: The index of each, in the order in which they are drawn.
        words: Which these are, for the title; "" where it is all of them.
    """

    indices: np.ndarray
    words: str


def choose_tiles(
    tiles: np.ndarray, choice: TileChoice, noun: str, name: str = "", of: str = ""
) -> TileSelection:
    """Choose and order tiles as `tiles`, `sort` and `top` say.

    Args:
        tiles: All there are, `(n, ...)`.
        choice: Which to choose, and their order.
        noun: What a tile is, in the plural.
        name: What an index is the index of, in the plural, where that has another name.
        of: What they belong to, for an error.
    """
    count, sort, top = len(tiles), choice.sort, choice.top
    indices = select_tiles(choice.tiles, count, of=of)
    words = list_indices(indices, count, name or noun)
    if sort is not None or top is not None:
        chosen = tiles if choice.tiles is None else tiles[indices]
        strength = tile_strength(chosen, sort or "norm")
        if top is not None and top < len(indices):
            words = f"{top} strongest of {words or f'{count} {noun}'}"
            words += ", by mean" if sort == "mean" else ""
        indices = indices[order_tiles(indices, strength)[:top]]
    return TileSelection(indices, words)
