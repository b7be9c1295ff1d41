"""Choose the form in which an output is drawn: as tiles, lines or bars."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from kerasviz._selection import TileChoice, TileSelection, choose_tiles
from kerasviz.draw.tiles.panel import Form

Kind = Literal["lines", "rows", "bars", "image", "labels"]

MAX_LINES = 32
"""Of how many maps a sequence is drawn as lines, where the caller does not choose."""
SHARES_TOLERANCE = 0.01
"""How far the sum of probabilities may be from 1, as in half precision."""
MAX_BARS = 10
"""How many values of a vector are drawn as bars, where the caller does not choose."""


def choose_form(
    axes: Sequence[int],
    kind: Kind | None,
    maps: int,
    *,
    is_table: bool,
    is_recorded: bool,
    is_over: bool,
) -> Form:
    """Return how an output is drawn.

    Args:
        axes: The sizes of the axes between samples and channels.
        kind: The caller's `kind`.
        maps: How many maps are drawn.
        is_table: Whether there are several rows, such as samples.
        is_recorded: Whether the picture is one of many, whose maps must be the same.
        is_over: Whether a sequence is drawn over its signal.
    """
    if kind in ("lines", "bars"):
        return kind
    if not axes and not is_table and kind is None and not is_recorded:
        return "bars"
    is_sequence = len(axes) == 1 and axes[0] > 1
    if kind is None and is_sequence and not is_table and maps <= MAX_LINES:
        return "lines"
    return "heat" if is_over else "tiles"


def choose_bars(values: np.ndarray, choice: TileChoice, of: str) -> TileSelection:
    """Choose the values of a vector that are drawn as bars: the largest, unless it is said which.

    Args:
        values: The values, `(n,)`.
        choice: The caller's choice.
        of: What they belong to, for an error.
    """
    if choice.tiles is not None or choice.sort is not None:
        return choose_tiles(values, choice, "values", of=of)
    count, top = len(values), choice.top or MAX_BARS
    # The mean of one value is the value: the largest comes first.
    largest = replace(choice, sort="mean", top=top)
    indices = choose_tiles(values, largest, "values", of=of).indices
    words = f"{top} largest of {count} values" if top < count else ""
    return TileSelection(indices, words)


def are_shares(values: np.ndarray) -> bool:
    """Whether the values of a vector are shares of 1, as the probabilities of a softmax are."""
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
        return False
    return len(values) == 1 or bool(abs(values.sum(dtype="float64") - 1) < SHARES_TOLERANCE)


def check_class_names(names: Any) -> tuple[str, ...] | None:
    """Return the caller's `class_names`, or raise `TypeError` unless they are a list of names."""
    if names is None:
        return None
    if isinstance(names, (str, dict, set, frozenset)) or not isinstance(names, Collection):
        raise TypeError(
            f"`class_names` must be a list with one name per class. Received: class_names={names!r}"
        )
    return tuple(map(str, names))
