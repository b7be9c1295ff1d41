"""`plot_tiles`: the tiles of an array as one picture, no model needed."""

from __future__ import annotations

import numpy as np
from typing_extensions import Unpack

from kerasviz._selection import choose_tiles
from kerasviz.draw.color import is_small_float
from kerasviz.draw.plot import Plot
from kerasviz.draw.signatures import shows_keywords
from kerasviz.draw.tiles.panel import TilePanel
from kerasviz.draw.tiles.picture import draw_panels
from kerasviz.draw.tiles.style import DEFAULTS, TileOptions, check_style


@shows_keywords(TileOptions, DEFAULTS)
def plot_tiles(array: np.ndarray, **options: Unpack[TileOptions]) -> Plot:
    """Draw the tiles of an array as one picture.

    Args:
        array: `(height, width, n)` or `(n, height, width, 1)`, n tiles of values, a masked value
            counting as NaN; `(height, width)`, one tile; or `(n, height, width, 3)`, n tiles of
            colours. Integer colours are taken as 0 to 255, floats in 0 to 1 as they are; others are
            scaled by `scale`, `vmin` and `vmax`.
        **options: The keywords of every plot of tiles, see `TileOptions`.

    Returns:
        A `Plot` with one panel.

    Raises:
        TypeError: `array` does not hold real numbers, or a keyword is of the wrong type.
        ValueError: `array` has another shape or no values, or a keyword cannot be used.

    Example:
        >>> import numpy as np, kerasviz
        >>> x = np.linspace(-3, 3, 24)
        >>> waves = np.sin(x[:, None, None] * [1, 2, 3, 4]) * np.cos(x[:, None] * [4, 2, 3, 1])
        >>> kerasviz.plot_tiles(waves, title="waves")
        Plot(4 tiles, 24×24)
    """
    style = check_style(**options)
    tiles = as_tiles(array)
    chosen = choose_tiles(tiles, style.choice, "tiles")
    height, width = tiles.shape[1:3]
    panel = TilePanel(
        values=tiles[chosen.indices],
        indices=chosen.indices,
        total=len(tiles),
        address="",
        kind="tiles",
        size=f"{height}×{width}",
        words=chosen.words,
        notes=chosen.notes,
        is_numbered=bool(chosen.note),
    )
    return draw_panels([panel], style)


def as_tiles(array: np.ndarray) -> np.ndarray:
    """Return the tiles of a user's array, first axis the tile."""
    tiles = np.asarray(array)
    if is_small_float(tiles.dtype):
        tiles = tiles.astype("float32")
    if np.ma.is_masked(array) and tiles.dtype.kind in "biuf":
        tiles = np.ma.filled(np.ma.asarray(array).astype("float64"), np.nan)
    if tiles.dtype.kind not in "biuf":
        raise TypeError(f"`array` must hold real numbers. Received: dtype {tiles.dtype}")
    if tiles.ndim == 2:
        tiles = tiles[:, :, np.newaxis]
    if tiles.ndim == 3:
        tiles = np.moveaxis(tiles, 2, 0)
    elif tiles.ndim == 4 and tiles.shape[3] == 1:
        tiles = tiles[..., 0]
    elif tiles.ndim != 4 or tiles.shape[3] != 3:
        raise ValueError(
            "`array` must have the shape (height, width, n) or (n, height, width, 1 or 3). "
            f"Received: an array of shape {np.shape(array)}"
        )
    if not tiles.size:
        raise ValueError(f"`array` must hold a value. Received: shape {np.shape(array)}")
    return tiles.astype("float32") if tiles.dtype == bool else tiles
