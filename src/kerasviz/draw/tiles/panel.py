"""A mosaic of tiles as artists on an Axes; `Plot`, what every plot function returns."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.image import AxesImage
from matplotlib.path import Path
from matplotlib.patheffects import withStroke

from kerasviz.draw.color import INVALID, ColorScale
from kerasviz.draw.text import escape
from kerasviz.draw.tiles.background import Opacity, cell_grid
from kerasviz.draw.tiles.downsampling import ReducedImage, ReducedPcolorImage
from kerasviz.draw.tiles.grid import GROUP_GAP, Grid, constant_tiles, mosaic

CROSS_COLOR = "0.72"
"""Light, so that what is absent is drawn fainter than what is there."""
INVALID_SCALE = ColorScale(Normalize(0, 1), ListedColormap([INVALID]))
SMALLEST_LABEL = 5.5
LARGEST_LABEL = 9.0
"""Sizes of a tile's number, in points."""
MAX_MATRIX_ASPECT = 4
"""How many times as long as wide a matrix is drawn at most."""
MOST_TICKS = 16
"""How many rows or columns of a table get a number."""


@dataclass(frozen=True)
class TilePanel:
    """The contents of one panel, before anything is drawn.

    Args:
        tiles: Array `(n, height, width)` of values, or `(n, height, width, 3)` of colours in
            0 to 1, in the order in which they are drawn.
        indices: Index of each tile, or group of tiles, in the layer.
        total: How many exist.
        name: What the tiles belong to, the first word of the title.
        noun: What a tile is, in the plural.
        size: The size of one, as it is written in the title.
        notes: Further facts for the title's second line.
        table: For a table of tiles, its rows and columns, which the tiles fill row by row.
        slices: How many tiles belong together and have one number, such as those of a volume.
        columns: Tiles or groups in a row, where not their shape but their meaning decides.
        raw: The values behind `tiles`, where these were put on another scale or enlarged.
        slice_indices: Index of each slice, where not all of them are drawn.
        pictures: The pictures that the tiles stand for, unsigned bytes
            `(samples, height, width, 3)`, each for as many tiles as every other. Every tile gets
            their shape. In a table they are a column of their own.
        alpha: How much of a picture the tiles cover that are drawn over it; `None` where they are
            not.
        smooth: Whether tiles over a picture are enlarged with their values interpolated.
        words: Which tiles these are, for the title, where they are not all; see `TileSelection`.
        signed: Whether the values have a sign by nature, as weights do, whatever those are that are
            drawn: 0 is in the middle of the colours.
        absent_if: Which tiles show nothing, in the word that the title has for them: those that are
            "constant", or "constant here" as a map of one image is, which tells nothing of others;
            those that are "zero" throughout, as of kernels, where any other constant is a blur; or
            "none".
        free_height: Whether the tiles are rows of values, such as sequences, whose height has no
            scale in common with their width, so that they are as high as the picture needs.
        value_height: How high a value is drawn, in widths of a value.
    """

    tiles: np.ndarray
    indices: np.ndarray
    total: int
    name: str
    noun: str
    size: str
    notes: tuple[str, ...] = ()
    table: TileMatrix | None = None
    slices: int = 1
    columns: int | None = None
    raw: np.ndarray | None = None
    slice_indices: np.ndarray | None = None
    pictures: np.ndarray | None = None
    alpha: Opacity | None = None
    smooth: bool = False
    words: str = ""
    signed: bool = False
    absent_if: Literal["constant", "constant here", "zero", "none"] = "constant"
    free_height: bool = False
    value_height: int = 1

    @property
    def values(self) -> np.ndarray:
        """The values themselves, whatever scale they are drawn on."""
        return self.tiles if self.raw is None else self.raw

    @property
    def is_rgb(self) -> bool:
        """Whether the tiles are colours."""
        return self.tiles.ndim == 4

    @property
    def is_matrix(self) -> bool:
        """Whether the tiles are the columns of a matrix, one beside the other without gaps."""
        return self.table is not None and self.table.is_matrix

    @property
    def frame(self) -> tuple[int, int]:
        """Height and width at which a tile is drawn: its own, or those of a picture.

        The values of a long matrix are not squares, since it would be too thin to be seen.
        """
        if self.pictures is not None:
            height, width = self.pictures.shape[1:3]
            return height, width
        height, width = self.tiles.shape[1:3]
        if self.is_matrix:
            columns = len(self.tiles)
            wider = math.ceil(height / (MAX_MATRIX_ASPECT * columns))
            higher = math.ceil(columns / (MAX_MATRIX_ASPECT * height))
            return height * higher, width * wider
        height *= self.value_height
        return height, width

    @property
    def has_picture_column(self) -> bool:
        """Whether the pictures are a column of a table."""
        return self.table is not None and self.pictures is not None

    @cached_property
    def invalid(self) -> int:
        """How many values are NaN or infinite."""
        if np.isfinite(self.values.min()) and np.isfinite(self.values.max()):
            return 0  # as nearly always, and found without an array of flags
        return int(self.values.size - np.isfinite(self.values).sum())

    @cached_property
    def absent(self) -> np.ndarray:
        """Which tiles belong to a kernel or a map that shows nothing, as booleans `(n,)`."""
        if self.absent_if == "none":
            return np.zeros(len(self.tiles), bool)
        groups = self.values.reshape(-1, self.slices, *self.values.shape[1:])
        absent = constant_tiles(groups)
        if self.absent_if == "zero":
            absent &= groups.reshape(len(groups), -1)[:, 0] == 0
        return np.repeat(absent, self.slices)

    @property
    def absent_note(self) -> str:
        """Count the tiles that show nothing, for the title; nothing where there are none."""
        count = int(self.absent.sum()) // self.slices
        if not count:
            return ""
        what: str = self.absent_if
        if self.table is not None:
            noun = self.table.cell_noun.removesuffix("s" if count == 1 else "")
            what = f"{what.removesuffix(' here')} {noun}"
        return f"{count} {what} (\N{MULTIPLICATION SIGN})"

    @property
    def heading(self) -> str:
        """The first line of the title."""
        shown = len(np.unique(self.indices))
        count = f"{shown}" if shown == self.total else f"{shown} of {self.total}"
        noun = self.noun.removesuffix("s") if self.total == 1 else self.noun
        parts = [self.words or f"{count} {noun}", self.size]
        start = f"{self.name}: " if self.name else ""
        return start + ", ".join(part for part in parts if part)


@dataclass(frozen=True)
class TileMatrix:
    """Rows and columns of a panel that is a table, such as input channels by filters.

    Args:
        rows: The number or the name of each row.
        columns: The number of each column.
        row_noun: What a row is.
        column_noun: What a column is.
        cell_noun: What the tiles are, in the plural.
        picture_noun: What the column of pictures shows, where there is one.
        every: Whether as many rows and columns get a number as there is room for.
        is_matrix: Whether a row is one of the values of each tile, and each tile a column.
    """

    rows: np.ndarray
    columns: np.ndarray
    row_noun: str
    column_noun: str
    cell_noun: str = "slices"
    picture_noun: str = ""
    every: bool = False
    is_matrix: bool = False


def draw_panel(
    ax: Axes,
    panel: TilePanel,
    grid: Grid,
    scale: ColorScale | None,
    *,
    label_size: float | None,
    row_step: int = 0,
    most_ticks: tuple[int, int] = (MOST_TICKS, MOST_TICKS),
) -> AxesImage:
    """Draw a panel's tiles as one image, with the marks that belong on it.

    Args:
        ax: Where to draw; its limits, aspect, ticks and frame are set.
        panel: What to draw.
        grid: Where each tile goes. Its unit is a value, or a pixel of a picture.
        scale: Norm and colormap, `None` for colours.
        label_size: Size of the tiles' numbers in points, `None` for none.
        row_step: Where tiles are too small for numbers of their own: number the first one of each
            row, or of every N rows, at the left. 0 for numbers over the tiles.
        most_ticks: How many rows and columns of a table may get a number.

    Returns:
        The image.
    """
    if panel.alpha is not None:
        assert panel.pictures is not None
        shares = len(panel.tiles) // len(panel.pictures)
        _draw_pictures(ax, np.repeat(panel.pictures, shares, axis=0), grid)
    cells = cell_grid(grid, panel.tiles.shape[1:3])
    array = mosaic(panel.tiles, cells)
    invalid = ~np.isfinite(array.data) if panel.invalid else None
    if panel.is_rgb and invalid is not None:  # Matplotlib cannot cast NaN to a colour
        array = np.ma.MaskedArray(np.nan_to_num(array.data), array.mask | invalid)
    image = _draw_cells(ax, cells, array, scale, grid.size)
    image.set_label(panel.heading)
    if panel.is_rgb:
        _clip_to_tiles(image, grid)
    if invalid is not None:
        places = invalid if invalid.ndim == 2 else invalid.any(axis=2)
        cover = np.ma.MaskedArray(np.ones(places.shape, "float32"), ~places)
        _draw_cells(ax, cells, cover, INVALID_SCALE, grid.size, blended=False)
    _mark_constant(ax, panel, grid)
    beside = picture_column(grid) if panel.has_picture_column else 0.0
    if panel.has_picture_column:
        assert panel.pictures is not None
        column = replace(grid, count=grid.rows, columns=1, group=1)
        _draw_pictures(ax, panel.pictures, column, left=-beside)
    height, width = grid.size
    ax.set(xlim=(-beside, width), ylim=(height, 0), aspect="equal")
    ax.patch.set_visible(False)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.grid(False)
    ax.set(xticks=[], yticks=[])
    if panel.table is not None:
        _label_table(ax, panel.table, grid, beside, most_ticks)
    elif label_size is not None and row_step:
        centers = np.arange(0, grid.rows, row_step) * grid.pitch[0] + grid.tile[0] / 2
        first = panel.indices[:: grid.columns // panel.slices][::row_step]
        ax.set_yticks(centers, first, fontsize=label_size)
    elif label_size is not None:
        _label_tiles(ax, panel, grid, label_size)
    # Matplotlib's documented way to change what hovering shows is to replace this method.
    ax.format_coord = _coordinate_formatter(panel, grid)  # type: ignore[assignment,method-assign]
    image.mouseover = False  # the value is already in the coordinates
    return image


def picture_column(grid: Grid) -> float:
    """Return how much room a column of pictures takes at the left, in units of the grid."""
    return grid.tile[1] + GROUP_GAP * grid.gap[1]


def _draw_pictures(ax: Axes, pictures: np.ndarray, grid: Grid, left: float = 0.0) -> None:
    """Draw a picture at the place of each tile, so far from the left."""
    cells = cell_grid(grid, pictures.shape[1:3])
    array = mosaic(_opaque(pictures), cells).data
    image = _draw_cells(ax, cells, array, None, grid.size, left)
    _clip_to_tiles(image, grid, left)


def _opaque(colors: np.ndarray) -> np.ndarray:
    """Add full opacity, without which Matplotlib makes the colours twice as large to draw them."""
    return np.concatenate([colors, np.full_like(colors[..., :1], 255)], axis=-1)


def _draw_cells(
    ax: Axes,
    grid: Grid,
    array: np.ndarray,
    scale: ColorScale | None,
    size: tuple[float, float],
    left: float = 0.0,
    *,
    blended: bool = True,
) -> AxesImage:
    """Draw an array laid out by a grid, `size` units high and wide and so far from the left.

    Values of about a pixel may be `blended` with their neighbours, or have a pixel of their own.
    """
    colors: dict[str, Any] = scale._asdict() if scale else {}
    height, width = size
    image: AxesImage
    see_through = array.shape[2:] == (4,)
    if grid.uniform and blended:
        kind = AxesImage if see_through else ReducedImage
        extent = (left, left + width, height, 0)
        image = kind(ax, extent=extent, interpolation="antialiased", **colors)
        image.set_data(array)
        return _add(ax, image)
    y_edges, x_edges = grid.edges()
    y_edges, x_edges = y_edges * (height / y_edges[-1]), x_edges * (width / x_edges[-1])
    if not see_through:
        return _add(ax, ReducedPcolorImage(ax, left + x_edges, y_edges, array, **colors))
    return cast(AxesImage, ax.pcolorfast(left + x_edges, y_edges, array, **colors))


def _add(ax: Axes, image: AxesImage) -> AxesImage:
    image.set_clip_path(ax.patch)
    ax.add_image(image)
    return image


def _clip_to_tiles(image: AxesImage, grid: Grid, left: float = 0.0) -> None:
    """Hide the gaps between colours, since `imshow` ignores the mask of an RGB array."""
    height, width = grid.tile
    outline = left + np.array([0, width, width, 0]), np.array([0, 0, height, height])
    corners = np.stack(grid.corners()[::-1], axis=1)
    path = Path.make_compound_path_from_polys(corners[:, np.newaxis] + np.transpose(outline))
    image.set_clip_path(path, image.axes.transData)


def _mark_constant(ax: Axes, panel: TilePanel, grid: Grid) -> None:
    if not panel.absent.any():
        return
    tops, lefts = (corner[panel.absent] for corner in grid.corners())
    height, width = grid.tile
    falling = [[(x, y), (x + width, y + height)] for y, x in zip(tops, lefts, strict=True)]
    rising = [[(x, y + height), (x + width, y)] for y, x in zip(tops, lefts, strict=True)]
    ax.add_collection(
        LineCollection(
            falling + rising,
            colors=CROSS_COLOR,
            linewidths=0.6,
            path_effects=[withStroke(linewidth=1.2, foreground="white", alpha=0.4)],
        ),
        autolim=False,
    )


def _label_tiles(ax: Axes, panel: TilePanel, grid: Grid, size: float) -> None:
    tops, lefts = (corner[:: panel.slices] for corner in grid.corners())
    for number, top, left in zip(panel.indices, tops, lefts, strict=True):
        ax.annotate(
            escape(str(number)),
            (left, top),
            xytext=(0, 1.5),
            textcoords="offset points",
            fontsize=size,
            va="baseline",
            annotation_clip=False,
        )


def _label_table(
    ax: Axes, table: TileMatrix, grid: Grid, beside: float, most_ticks: tuple[int, int]
) -> None:
    y = np.arange(grid.rows) * grid.pitch[0] + grid.tile[0] / 2
    if table.is_matrix:
        y = (np.arange(len(table.rows)) + 0.5) * grid.tile[0] / len(table.rows)
    lefts = grid.corners()[1][: grid.columns]
    x = (lefts[:: grid.group] + lefts[grid.group - 1 :: grid.group] + grid.tile[1]) / 2
    rows, columns = map(_thin, (len(y), len(x)), most_ticks)
    places, words = x[columns].tolist(), list(map(str, table.columns[columns]))
    if beside:
        places, words = [grid.tile[1] / 2 - beside, *places], [table.picture_noun, *words]
    ax.set_xticks(places, words, fontsize="x-small")
    names = [escape(str(name)) for name in table.rows[rows]]
    ax.set_yticks(y[rows], names, fontsize="x-small")
    ax.set_xlabel(table.column_noun, fontsize="small")
    ax.set_ylabel(table.row_noun, fontsize="small")


def _thin(count: int, most: int) -> slice:
    """Choose which of many ticks get a number: at most `most`, at a round distance."""
    steps = [1, 2, 4, 5, 8, 10, 16, 20, 32, 50, 64, 100, 128, 200, 256, 500, 512, 1000]
    steps += [2000, 5000, 10_000, 20_000, 50_000, 100_000]
    return slice(None, None, next((step for step in steps if count <= most * step), count))


def _coordinate_formatter(panel: TilePanel, grid: Grid) -> Callable[[float, float], str]:
    cells = cell_grid(grid, panel.values.shape[1:3])
    height, width = (n / side for n, side in zip(cells.tile, grid.tile, strict=True))

    def format_coord(x: float, y: float) -> str:
        place = cells.locate(y * height, x * width)
        if place is None:
            return ""
        index, row, column = place
        value = np.array2string(panel.values[index, row, column], precision=4)
        if panel.table is not None and panel.table.is_matrix:
            rows, columns = panel.table.rows, panel.table.columns
            row_name = f"{panel.table.row_noun} {rows[row]}"
            return f"{row_name}, {panel.table.column_noun} {columns[index]}: {value}"
        if panel.table is None:
            item, part = divmod(index, panel.slices)
            name = f"tile {panel.indices[item]}"
        else:
            table_row, place_in_row = divmod(index, grid.columns)
            table_column, part = divmod(place_in_row, panel.slices)
            name = (
                f"{panel.table.row_noun} {panel.table.rows[table_row]}, "
                f"{panel.table.column_noun} {panel.table.columns[table_column]}"
            )
        if panel.slices > 1:
            name += f", slice {part if panel.slice_indices is None else panel.slice_indices[part]}"
        return f"{name}, row {row}, column {column}: {value}"

    return format_coord
