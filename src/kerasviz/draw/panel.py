"""A mosaic of tiles as artists on an Axes; `Plot`, what every plot function returns."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colorbar import Colorbar
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure, FigureBase
from matplotlib.font_manager import FontProperties
from matplotlib.image import AxesImage
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.textpath import text_to_path

from kerasviz.draw.color import INVALID, ColorScale
from kerasviz.draw.tiles import Grid, constant_tiles, mosaic

DEAD_COLOR = "0.55"
SMALLEST_LABEL = 5.5
LARGEST_LABEL = 9.0
"""Sizes of a tile's number, in points."""


@dataclass(frozen=True, eq=False, repr=False)
class Plot:
    """A finished picture and the Matplotlib artists in it.

    Nothing is shown or saved: call pyplot's `show` or `savefig`. In a notebook the figure appears
    by itself, as that of every pyplot call does.

    Args:
        figure: The Figure, or the SubFigure that was drawn into.
        axes: The Axes of each panel.
        images: The image of each panel, none where there are curves or boxes. Of tiles,
            `images[i].get_array()` is the masked array of the values that are shown, one masked
            row or column or more between two tiles.
        colorbars: The colour bar of each image, `None` where there is none.

    Example:
        >>> import numpy as np, kerasviz
        >>> plot = kerasviz.plot_tiles(np.eye(3)[:, :, np.newaxis])
        >>> plot.images[0].get_array().shape
        (3, 3)
    """

    figure: FigureBase
    axes: tuple[Axes, ...]
    images: tuple[AxesImage, ...]
    colorbars: tuple[Colorbar | None, ...]

    def savefig(self, path: str | os.PathLike[str], **kwargs: Any) -> None:
        """Save the whole figure to a file, with the keywords of `Figure.savefig`."""
        cast(Figure, self.axes[0].get_figure(root=True)).savefig(path, **kwargs)

    def __repr__(self) -> str:
        if len(self.images) == 1:
            return f"Plot({self.images[0].get_label()})"
        return f"Plot({len(self.axes)} panel{'s' if len(self.axes) != 1 else ''})"


@dataclass(frozen=True)
class Panel:
    """What one panel shows, before anything is drawn.

    Args:
        tiles: Array `(n, height, width)` of values, or `(n, height, width, 3)` of colours in
            0 to 1, in the order in which they are drawn.
        numbers: The number of each among all that exist: of a tile, or of a group of tiles.
        total: How many exist.
        name: What the tiles belong to, the first word of the title.
        noun: What a tile is, in the plural.
        size: The size of one, as it is written in the title.
        notes: Further facts for the title's second line.
        table: For a table of tiles, its rows and columns, which the tiles fill row by row.
        slices: How many tiles belong together and have one number, such as those of a volume.
        columns: Tiles or groups in a row, where not their shape but their meaning decides.
        raw: The values behind `tiles`, where these were put on another scale.
        slice_numbers: The number of each slice, where not all of them are drawn.
    """

    tiles: np.ndarray
    numbers: np.ndarray
    total: int
    name: str
    noun: str
    size: str
    notes: tuple[str, ...] = ()
    table: Table | None = None
    slices: int = 1
    columns: int | None = None
    raw: np.ndarray | None = None
    slice_numbers: np.ndarray | None = None

    @property
    def values(self) -> np.ndarray:
        """The values themselves, whatever scale they are drawn on."""
        return self.tiles if self.raw is None else self.raw

    @property
    def is_rgb(self) -> bool:
        """Whether the tiles are colours."""
        return self.tiles.ndim == 4

    @cached_property
    def invalid(self) -> int:
        """How many values are NaN or infinite."""
        if np.isfinite(self.tiles.min()) and np.isfinite(self.tiles.max()):
            return 0  # as nearly always, and found without an array of flags
        return int(self.tiles.size - np.isfinite(self.tiles).sum())

    @cached_property
    def dead(self) -> np.ndarray:
        """Which tiles belong to a kernel or a map that is constant, as a boolean array `(n,)`."""
        groups = self.values.reshape(-1, self.slices, *self.tiles.shape[1:])
        return np.repeat(constant_tiles(groups), self.slices)

    @property
    def heading(self) -> str:
        """The first line of the title."""
        shown = len(np.unique(self.numbers))
        count = f"{shown}" if shown == self.total else f"{shown} of {self.total}"
        noun = self.noun.removesuffix("s") if self.total == 1 else self.noun
        parts = [f"{count} {noun}", self.size]
        start = f"{self.name}: " if self.name else ""
        return start + ", ".join(part for part in parts if part)


@dataclass(frozen=True)
class Table:
    """Rows and columns of a panel that is a table, such as input channels by filters."""

    rows: np.ndarray
    columns: np.ndarray
    row_noun: str
    column_noun: str


def text_width(text: str, size: float) -> float:
    """Return the width of a line of text in points, in the font that Matplotlib would use."""
    width, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(size=size), False)
    return float(width)


def wrap_text(text: str, width: float, size: float) -> str:
    """Break lines at spaces so that each is at most `width` points wide, where it can be."""
    lines: list[str] = []
    for paragraph in text.splitlines():
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if line and text_width(longer, size) > width:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
    return "\n".join(lines)


def draw_panel(
    ax: Axes,
    panel: Panel,
    grid: Grid,
    scale: ColorScale | None,
    *,
    label_size: float | None,
    row_step: int = 0,
) -> AxesImage:
    """Draw a panel's tiles as one image, with the marks that belong on it.

    Args:
        ax: Where to draw; its limits, aspect, ticks and frame are set.
        panel: What to draw.
        grid: Where each tile goes.
        scale: Norm and colormap, `None` for colours.
        label_size: Size of the tiles' numbers in points, `None` for no numbers.
        row_step: Where tiles are too small for numbers of their own: number the first one of each
            row, or of every so many rows, at the left. 0 for numbers over the tiles.

    Returns:
        The image.
    """
    array = mosaic(panel.tiles, grid)
    invalid = ~np.isfinite(array.data) if panel.invalid else None
    if panel.is_rgb and invalid is not None:  # Matplotlib cannot cast NaN to a colour
        array = np.ma.MaskedArray(np.nan_to_num(array.data), array.mask | invalid)
    image = _draw_cells(ax, grid, array, scale)
    image.set_label(panel.heading)
    if panel.is_rgb:
        _clip_to_tiles(image, grid)
    if invalid is not None:
        cells = np.zeros((*array.shape[:2], 4))
        cells[invalid if invalid.ndim == 2 else invalid.any(axis=2)] = to_rgba(INVALID)
        _draw_cells(ax, grid, cells, None)
    _mark_constant(ax, panel, grid)
    height, width = grid.size
    ax.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    ax.patch.set_visible(False)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.grid(False)
    ax.set(xticks=[], yticks=[])
    if panel.table is not None:
        _label_table(ax, panel.table, grid)
    elif label_size is not None and row_step:
        centers = np.arange(0, grid.rows, row_step) * grid.pitch[0] + grid.tile[0] / 2
        first = panel.numbers[:: grid.columns // panel.slices][::row_step]
        ax.set_yticks(centers, first, fontsize=label_size)
    elif label_size is not None:
        _label_tiles(ax, panel, grid, label_size)
    # Matplotlib's documented way to change what hovering shows is to replace this method.
    ax.format_coord = _coordinate_formatter(panel, grid)  # type: ignore[assignment,method-assign]
    image.mouseover = False  # the value already stands in the coordinates
    return image


def _draw_cells(ax: Axes, grid: Grid, array: np.ndarray, scale: ColorScale | None) -> AxesImage:
    colors: dict[str, Any] = scale._asdict() if scale else {}
    if grid.uniform:
        height, width = grid.size
        return ax.imshow(
            array,
            extent=(0, width, height, 0),
            origin="upper",
            aspect="equal",
            interpolation="antialiased",
            **colors,
        )
    y_edges, x_edges = grid.edges()
    return cast(AxesImage, ax.pcolorfast(x_edges, y_edges, array, **colors))


def _clip_to_tiles(image: AxesImage, grid: Grid) -> None:
    """Hide the gaps between colours, since `imshow` ignores the mask of an RGB array."""
    height, width = grid.tile
    outline = np.array([(0, 0), (width, 0), (width, height), (0, height)])
    corners = np.stack(grid.corners()[::-1], axis=1)
    path = Path.make_compound_path_from_polys(corners[:, np.newaxis] + outline)
    image.set_clip_path(path, image.axes.transData)


def _mark_constant(ax: Axes, panel: Panel, grid: Grid) -> None:
    if not panel.dead.any():
        return
    tops, lefts = (corner[panel.dead] for corner in grid.corners())
    height, width = grid.tile
    falling = [[(x, y), (x + width, y + height)] for y, x in zip(tops, lefts, strict=True)]
    rising = [[(x, y + height), (x + width, y)] for y, x in zip(tops, lefts, strict=True)]
    ax.add_collection(
        LineCollection(
            falling + rising,
            colors=DEAD_COLOR,
            linewidths=0.8,
            path_effects=[withStroke(linewidth=2, foreground="white")],
        ),
        autolim=False,
    )


def _label_tiles(ax: Axes, panel: Panel, grid: Grid, size: float) -> None:
    tops, lefts = (corner[:: panel.slices] for corner in grid.corners())
    for number, top, left in zip(panel.numbers, tops, lefts, strict=True):
        ax.annotate(
            str(number),
            (left, top),
            xytext=(0, 1.5),
            textcoords="offset points",
            fontsize=size,
            va="baseline",
            annotation_clip=False,
        )


def _label_table(ax: Axes, table: Table, grid: Grid) -> None:
    y = np.arange(grid.rows) * grid.pitch[0] + grid.tile[0] / 2
    lefts = grid.corners()[1][: grid.columns]
    x = (lefts[:: grid.group] + lefts[grid.group - 1 :: grid.group] + grid.tile[1]) / 2
    rows, columns = _thin(len(y)), _thin(len(x))
    ax.set_xticks(x[columns], table.columns[columns], fontsize="x-small")
    ax.set_yticks(y[rows], table.rows[rows], fontsize="x-small")
    ax.set_xlabel(table.column_noun, fontsize="small")
    ax.set_ylabel(table.row_noun, fontsize="small")


def _thin(count: int) -> slice:
    """Choose which of many ticks get a number: at most 16, at a round distance."""
    steps = [1, 2, 4, 5, 8, 10, 16, 20, 32, 50, 64, 100, 128, 200, 256, 500, 512, 1000]
    return slice(None, None, next((step for step in steps if count <= 16 * step), count))


def _coordinate_formatter(panel: Panel, grid: Grid) -> Callable[[float, float], str]:
    def format_coord(x: float, y: float) -> str:
        place = grid.locate(y, x)
        if place is None:
            return ""
        index, row, column = place
        value = np.array2string(panel.values[index, row, column], precision=4)
        if panel.table is None:
            item, part = divmod(index, panel.slices)
            name = f"tile {panel.numbers[item]}"
        else:
            table_row, place_in_row = divmod(index, grid.columns)
            table_column, part = divmod(place_in_row, panel.slices)
            name = (
                f"{panel.table.row_noun} {panel.table.rows[table_row]}, "
                f"{panel.table.column_noun} {panel.table.columns[table_column]}"
            )
        if panel.slices > 1:
            name += f", slice {part if panel.slice_numbers is None else panel.slice_numbers[part]}"
        return f"{name}, row {row}, column {column}: {value}"

    return format_coord
