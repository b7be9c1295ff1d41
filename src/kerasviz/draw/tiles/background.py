"""Backgrounds of tiles: pictures under their feature maps or beside them, as arrays."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
from matplotlib.colors import ListedColormap, to_rgb

from kerasviz.draw.color import INVALID, ColorScale, Limits, rgb_limits, rgb_values, value_range
from kerasviz.draw.text import fix_minus
from kerasviz.draw.tiles.grid import Grid

Opacity = float | Literal["strength"]
"""The share of the picture that a map covers: the same everywhere, or more for stronger values."""

STRONGEST = 0.85
"""The opacity of the strongest value, which still lets a picture's edges through."""
POSITIVE, NEGATIVE = "#ff4000", "#1e7bff"
"""Colours whose opacity alone tells the strength: seen over black, white and grey alike."""
DARK_PHOTO = 16
"""Floats from 0 to more than this, and to 255 at most, are a photo's bytes: `img_to_array` gives
such ones. Scans of 17 greys, as scikit-learn's digits are, end here."""
SHARP = 3
"""How many pixels of a picture are kept for each dot of the figure, so that it can be saved finer
than it is shown."""


FrameBox = tuple[tuple[float, float], tuple[float, float]]
"""First and last row, and first and last column, of what is framed, half open."""


class Picture(NamedTuple):
    """The picture from which maps were computed, to be drawn beside them.

    Args:
        values: Array `(height, width, 1)` or `(height, width, 3)`.
        kind: What it is, in one word.
        outline: What is framed in it; `None` for nothing.
    """

    values: np.ndarray
    kind: str
    outline: FrameBox | None = None


class PictureColors(NamedTuple):
    """Colours that can be drawn, and what has to be said about them.

    Args:
        colors: Array `(samples, height, width, 3)` of unsigned bytes.
        note: The values that are shown as black and white, where one cannot know them.
    """

    colors: np.ndarray
    note: str


def picture_colors(values: np.ndarray) -> PictureColors:
    """Put pictures between black and white, all by the same limits.

    Integers up to 255 are taken as 0 to 255, and so are floats up to 255 that go beyond
    `DARK_PHOTO`, as `img_to_array` gives a photo; floats in 0 to 1 are taken as they are. Of what
    was preprocessed for a model, other non-negative values end at the largest, and signed values
    begin at the lowest.

    Args:
        values: Array `(samples, height, width, 1)` or `(samples, height, width, 3)`.
    """
    values = values.astype("float32") if values.dtype == bool else values
    limits, note = picture_limits(values)
    scaled = np.broadcast_to(rgb_values(values, limits), (*values.shape[:3], 3))
    colors = np.where(np.isfinite(scaled), scaled, np.asarray(to_rgb(INVALID), "float32"))
    return PictureColors(np.rint(255 * colors).astype("uint8"), note)


def picture_limits(values: np.ndarray) -> tuple[Limits, str]:
    """Return which values of pictures are black and white, and what has to be said about them."""
    limits = rgb_limits(values)
    if limits.signed:
        lowest, highest = value_range(values)
        limits = Limits(lowest, highest if lowest < highest else 0.0, signed=True)
    elif DARK_PHOTO < limits.vmax <= 255:
        limits = Limits(0.0, 255.0, signed=False)
    if limits[:2] in ((0, 1), (0, 255)):
        return limits, ""
    span = fix_minus(f"{limits.vmin:.3g} to {limits.vmax:.3g}")
    return limits, f"picture black to white: {span}"


def see_through(scale: ColorScale, alpha: Opacity, *, cmap_given: bool) -> ColorScale:
    """Let what is below shine through the colours.

    Args:
        scale: Opaque colours.
        alpha: The opacity of all of them, or "strength": in proportion to the value, from 0 for
            the value 0 to `STRONGEST` for the one that is furthest from it.
        cmap_given: Whether the colours are the caller's. Else, with "strength", there are just
            two, for positive and for negative values.
    """
    cmap = scale.cmap
    if alpha == "strength":
        zero = _position_of_zero(scale)
        positions = (np.arange(cmap.N) + 0.5) / cmap.N
        opacity = STRONGEST * np.abs(positions - zero) / max(zero, 1 - zero)
        if not cmap_given:
            cmap = ListedColormap([NEGATIVE if p < zero else POSITIVE for p in positions])
    else:
        opacity = np.full(cmap.N, alpha)
    colors = cmap(np.arange(cmap.N))
    colors[:, 3] *= opacity
    ends = {
        "under": (*cmap.get_under()[:3], colors[0, 3]),
        "over": (*cmap.get_over()[:3], colors[-1, 3]),
    }
    clear = ListedColormap(colors, name=f"{cmap.name}_over_a_picture")
    return ColorScale(scale.norm, clear.with_extremes(**ends))


def _position_of_zero(scale: ColorScale) -> float:
    """Return where in the colormap the value 0 is, 0 to 1; its end where it is nowhere."""
    position = np.ma.masked_invalid(scale.norm(np.zeros(1)))
    if np.issubdtype(position.dtype, np.integer):  # a norm with steps returns indices of colours
        position = position / scale.cmap.N
    return float(np.clip(position.filled(0), 0, 1)[0])


def enlarge(tiles: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Enlarge tiles bilinearly, each value at the middle of the part that it covers.

    Args:
        tiles: Array `(n, height, width)`.
        size: The new height and width; an axis that is longer already stays as it is.
    """
    if not np.issubdtype(tiles.dtype, np.floating):
        tiles = tiles.astype("float64")
    for axis in (1, 2):
        count = tiles.shape[axis]
        length = max(size[axis - 1], count)
        positions = np.clip((np.arange(length) + 0.5) * count / length - 0.5, 0, count - 1)
        low = positions.astype(int)
        part = (positions - low).astype(tiles.dtype).reshape(-1, *[1] * (2 - axis))
        below, above = (np.take(tiles, n, axis) for n in (low, np.minimum(low + 1, count - 1)))
        with np.errstate(invalid="ignore"):  # infinite values
            tiles = np.asarray(below + (above - below) * part)
    return tiles


def resample(backgrounds: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Give backgrounds another size; each pixel is the mean of the part that it covers.

    Args:
        backgrounds: Array `(samples, height, width, 3)` of unsigned bytes.
        size: The new height and width.
    """
    if backgrounds.shape[1:3] == size:
        return backgrounds
    rows, columns = map(_shares, backgrounds.shape[1:3], size)
    values = backgrounds.astype("float32")
    means = np.einsum("yh,shwc,xw->syxc", rows, values, columns, optimize=True)
    return np.asarray(np.rint(means), "uint8")


def _shares(length: int, size: int) -> np.ndarray:
    """Return how much of each new pixel each old one covers, `(size, length)`."""
    edges = np.arange(size + 1) * (length / size)
    old = np.arange(length)
    ends = np.minimum(edges[1:, np.newaxis], old + 1)
    overlap = np.clip(ends - np.maximum(edges[:-1, np.newaxis], old), 0, None)
    return np.asarray(overlap * (size / length), "float32")


def raster_size(
    background: tuple[int, int], cells: tuple[int, int], dots: float
) -> tuple[int, int]:
    """Choose with how many pixels to draw a background.

    Pixels far smaller than a dot cost much and show nothing. Where a map's values are smaller than
    a dot too, both must be drawn by an artist that blends what falls on one dot, which takes
    pixels of a size: then a value covers a whole number of pixels.

    Args:
        background: Height and width of the background.
        cells: The rows and columns of a map's values.
        dots: Height and width of a pixel of the background, in dots of the figure.
    """
    size = []
    for length, count in zip(background, cells, strict=True):
        pixels = min(length, math.ceil(SHARP * dots * length))
        if length * dots < count:
            pixels = count * max(1, round(pixels / count))
        size.append(pixels)
    return size[0], size[1]


def cell_grid(grid: Grid, cells: tuple[int, int]) -> Grid:
    """Return the same positions in another unit: `cells` values fill a tile.

    Args:
        grid: The positions, in any unit.
        cells: The rows and columns of a tile's values.
    """
    if cells == grid.tile:
        return grid
    # Whole gaps become ints again: `Grid.uniform` compares them with counts of cells, and for a
    # rounding error the slower image, with rows and columns of unequal sizes, would be chosen.
    gaps = (gap * n / side for gap, n, side in zip(grid.gap, cells, grid.tile, strict=True))
    gap_y, gap_x = (round(gap) if math.isclose(gap, round(gap)) else gap for gap in gaps)
    return replace(grid, tile=cells, gap=(gap_y, gap_x))
