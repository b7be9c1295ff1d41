"""Choose tiles by index and by strength, and say in words which were chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from kerasviz._wording import list_indices

Sort = Literal["norm", "mean"]


Tiles = int | slice | Sequence[int] | Literal["all"]

INTS = "an int, a slice or a list of ints"
MAX_TILES, TOP = 128, 64
"""How many tiles are all drawn unless the caller chooses; of more, how many of the strongest."""


@dataclass(frozen=True, kw_only=True)
class TileChoice:
    """Which tiles to draw, and in which order; see `TileOptions`.

    `of_many` is what is drawn of more than 128 where `tiles` and `top` say nothing, and `None` the
    64 strongest.
    """

    tiles: Tiles | None = None
    sort: Sort | None = None
    top: int | None = None
    of_many: TileSelection | None = None


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
        TypeError: Not an int, a slice, a list of ints or "all".
        ValueError: An index out of range, a slice with the step 0, or no tile at all.
    """
    every, has_word = np.arange(count), name == "tiles"
    if tiles is None or (has_word and isinstance(tiles, str) and tiles == "all"):
        return every
    if isinstance(tiles, slice):
        try:
            chosen = every[tiles]
        except (TypeError, ValueError) as error:
            raise type(error)(
                f"`{name}` must be a slice of ints whose step is not 0. Received: {name}={tiles!r}"
            ) from error
    else:
        types = "an int, a slice, a list of ints or 'all'" if has_word else INTS
        chosen = every[_read_indices(tiles, count, name, types=types, of=of or "the array")]
    if not chosen.size:
        raise ValueError(
            f"`{name}` must select at least one of {count}. Received: {name}={tiles!r}"
        )
    return chosen


def _read_indices(tiles: Any, count: int, name: str, *, types: str, of: str) -> np.ndarray:
    """Return the indices of an int or a list, each of which must be among `count`."""
    indices: Any = np.atleast_1d(np.asarray(tiles))
    if indices.ndim != 1 or (indices.size and not np.issubdtype(indices.dtype, np.integer)):
        raise TypeError(f"`{name}` must be {types}. Received: {name}={tiles!r}")
    outside = indices[(indices < -count) | (indices >= count)]
    if outside.size:
        raise ValueError(
            f"`{name}` must be between {-count} and {count - 1}, since {of} "
            f"has {count}. Received: {', '.join(map(str, outside))}"
        )
    return np.asarray(indices.astype(int))


def check_tile_names(names: Sequence[str] | None, count: int, noun: str, of: str = "") -> None:
    """Refuse names that are not one for each tile that exists.

    Args:
        names: The caller's `tile_names`.
        count: How many there are.
        noun: What a tile is, in the plural.
        of: What they belong to.
    """
    if names is not None and len(names) != count:
        belonging = f" of {of}" if of else ""
        raise ValueError(
            f"`tile_names` must have a name for each of the {count} {noun}{belonging}. "
            f"Received: tile_names={names!r:.80}"
        )


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
        words: Which these are, for the title; "" where it is all of them, or `note` says it.
        note: What has to be said where the caller has not chosen, and not all are drawn.
    """

    indices: np.ndarray
    words: str
    note: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """Return `note` as the notes of a panel."""
        return (self.note,) if self.note else ()


def choose_tiles(
    tiles: np.ndarray,
    choice: TileChoice,
    noun: str,
    *,
    name: str = "",
    of: str = "",
    is_limited: bool = True,
) -> TileSelection:
    """Choose and order tiles as `tiles`, `sort` and `top` say.

    Where `tiles` and `top` say nothing, and there are more than 128, these are the 64 strongest, or
    those of `of_many`.

    Args:
        tiles: All there are, `(n, ...)`.
        choice: Which to choose, and their order.
        noun: What a tile is, in the plural.
        name: What an index is the index of, in the plural, where that has another name.
        of: What they belong to, for an error.
        is_limited: Whether many tiles are too many to be drawn; those of a matrix are not.
    """
    count, sort, top = len(tiles), choice.sort, choice.top
    if is_limited and choice.tiles is None and top is None and count > MAX_TILES:
        if choice.of_many is not None:
            return choice.of_many
        strongest = order_tiles(np.arange(count), tile_strength(tiles, sort or "norm"))[:TOP]
        by = ", by mean" if sort == "mean" else ""
        return TileSelection(
            strongest, "", f"{TOP} strongest of {count}{by}; tiles='all' draws every one"
        )
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
