"""One panel of tiles: what it holds, and how it is drawn on an Axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colorbar import Colorbar
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.path import Path

from kerasviz._selection import check_tile_names
from kerasviz.draw.axes_locators import FittedName, ThinnedTicks
from kerasviz.draw.color import DIVERGING, INVALID, ColorScale
from kerasviz.draw.figure import describe_on_hover
from kerasviz.draw.plot import Panel
from kerasviz.draw.text import LINE_HEIGHT, font_size, text_width
from kerasviz.draw.tiles.background import FrameBox, Opacity, cell_grid
from kerasviz.draw.tiles.downsampling import DownsampledImage, DownsampledPcolorImage
from kerasviz.draw.tiles.grid import GROUP_GAP, Grid, constant_tiles, mosaic

CROSS_COLOR, CROSS_ALPHA = "0.5", 0.6
"""Grey and see-through, so that what is absent is drawn fainter than what is there."""
FRAME_COLORS = (("white", 2.6), ("#d55e00", 1.4))
"""The colours of a frame and the widths of its lines in points: one is seen on any ground."""
GROUND = "0.8"
"""The colour between tiles in which white means 0, so that it means nothing else."""
GROUND_BORDER = 2.0
"""How wide the ground is around all tiles, in points."""
INVALID_SCALE = ColorScale(Normalize(0, 1), ListedColormap([INVALID]))
MIN_LABEL_SIZE, MAX_LABEL_SIZE = 0.6, 0.9
"""Sizes of a tile's number, in sizes of the usual font."""
LABEL_OPACITY = 0.6
"""How much of a picture labels cover that are drawn over it."""
MAX_MATRIX_ASPECT = 4
"""How many times as long as wide a matrix is drawn at most."""
MAX_TICKS = 16
"""How many rows or columns of a table get a number."""

Coloring = Literal["values", "picture", "labels"]
"""Whether colours stand for values, are the greys of a picture, or name the label of a pixel."""

Form = Literal["tiles", "lines", "heat", "stems", "bars"]
"""How the values of a panel are drawn: as tiles of colours, or, where they have one row each, as a
chart; "heat" is a strip of colours under the signal that caused them."""

AbsentRule = Literal["constant", "constant here", "zero", "none"]
"""Which tiles show nothing: those that are "constant", or "constant here" as a map of one image is,
which tells nothing of others; those that are "zero" throughout, as of kernels, where any other
constant is a blur; or "none"."""


@dataclass(frozen=True, kw_only=True)
class TileMatrix:
    """Rows and columns of a panel that is a table, such as input channels by filters.

    Args:
        rows: The index or the name of each row.
        columns: The index of each column.
        row_kind: What a row is.
        column_kind: What a column is.
        cell_kind: What the tiles are, in the plural.
        background_kind: What the column of backgrounds shows, where there is one.
        every: Whether every row and column for which there is room gets its index or name.
        is_matrix: Whether a row is one of the values of each tile, and each tile a column.
    """

    rows: np.ndarray
    columns: np.ndarray
    row_kind: str
    column_kind: str
    cell_kind: str = "slices"
    background_kind: str = ""
    every: bool = False
    is_matrix: bool = False


@dataclass(frozen=True, kw_only=True)
class TilePanel:
    """The contents of one panel, before anything is drawn.

    Args:
        values: Array `(n, height, width)` of values, or `(n, height, width, 3)` of colours or of
            values that become colours, in the order in which they are drawn.
        scaled_values: The values on the scale or at the size at which they are drawn, where that is
            another: colours in 0 to 1, tiles on a scale of their own, tiles that were enlarged.
        indices: Index of each tile, or group of tiles, in the layer.
        is_numbered: Whether each gets its index unless the caller says otherwise.
        total: How many exist.
        address: What the tiles belong to, the first word of the title.
        kind: What a tile is, in the plural.
        size: The size of one, as it is written in the title.
        notes: Further facts for the title's second line.
        table: For a table of tiles, its rows and columns, which the tiles fill row by row.
        slices: How many tiles belong together and have one index, such as those of a volume.
        columns: Tiles or groups in a row, where not their shape but their meaning decides.
        slice_indices: Index of each slice, where not all of them are drawn.
        backgrounds: The pictures that the tiles stand for, unsigned bytes
            `(samples, height, width, 3)`, each for the same number of tiles. Every tile gets
            their shape. In a table they are a column of their own.
        alpha: How much of a background the tiles cover that are drawn over it; `None` where they
            are not.
        smooth: Whether tiles over a background are enlarged with their values interpolated.
        words: Which tiles these are, for the title, where they are not all; see `TileSelection`.
        signed: Whether the values have a sign by nature, as weights do, whatever those are that are
            drawn: 0 is in the middle of the colours.
        absent_rule: Which tiles show nothing, in the word that the title has for them.
        free_height: Whether the tiles are rows of values, such as sequences, whose height has no
            scale in common with their width, so that they are as high as the picture needs.
        value_height: How high a value is drawn, in widths of a value.
        form: How the values are drawn: tiles `(n, 1, steps)` can be "lines", "heat" or "stems",
            where the slices of one index share a strip, and tiles `(n, 1, 1)` can be "bars".
        signals: Of "lines" and "heat", the sequences that the maps stand for,
            `(samples, steps, channels)`. Where `alpha` is given, they are in each strip.
        tile_names: Names instead of the indices.
        coloring: What the colours stand for.
        label_names: Of labels, the name of each class, whether it occurs or not.
        outline: What is framed in each tile, in values.
        is_share: Whether the values of bars are shares of 1, such as probabilities.
    """

    values: np.ndarray
    scaled_values: np.ndarray | None = None
    indices: np.ndarray
    total: int
    address: str
    kind: str
    size: str
    is_numbered: bool = False
    notes: tuple[str, ...] = ()
    table: TileMatrix | None = None
    slices: int = 1
    columns: int | None = None
    slice_indices: np.ndarray | None = None
    backgrounds: np.ndarray | None = None
    alpha: Opacity | None = None
    smooth: bool = False
    words: str = ""
    signed: bool = False
    absent_rule: AbsentRule = "constant"
    free_height: bool = False
    value_height: int = 1
    form: Form = "tiles"
    signals: np.ndarray | None = None
    tile_names: tuple[str, ...] = ()
    is_share: bool = False
    coloring: Coloring = "values"
    label_names: tuple[str, ...] = ()
    outline: FrameBox | None = None

    @property
    def tiles(self) -> np.ndarray:
        """The values as they are drawn, on whatever scale."""
        return self.values if self.scaled_values is None else self.scaled_values

    @property
    def is_rgb(self) -> bool:
        """Whether the tiles are colours."""
        return self.values.ndim == 4

    @property
    def is_chart(self) -> bool:
        """Whether the values are drawn as a chart, and not as tiles."""
        return self.form != "tiles"

    @property
    def has_colors(self) -> bool:
        """Whether the values are drawn as colours."""
        return self.form in ("tiles", "heat")

    @property
    def opacity(self) -> Opacity:
        """How much of a background the tiles cover; labels have no strength."""
        if self.coloring == "labels" and self.alpha == "strength":
            return LABEL_OPACITY
        return 1.0 if self.alpha is None else self.alpha

    @property
    def is_over_pictures(self) -> bool:
        """Whether the tiles are drawn over pictures."""
        return self.alpha is not None and not self.is_chart

    @property
    def has_own_scales(self) -> bool:
        """Whether each tile is drawn on a scale of its own."""
        return self.scaled_values is not None

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each tile or group of tiles: its index, where it has no other."""
        return self.tile_names or tuple(map(str, self.indices.tolist()))

    def row_names(self, columns: int) -> tuple[str, ...]:
        """Return the name of the first tile of each row of a grid.

        Args:
            columns: The columns of the grid.
        """
        return self.names[:: columns // self.slices]

    def strip_name(self, index: int) -> str:
        """Return in words which strip or bar of a chart this is."""
        if self.table is None:
            return f"{self.kind.removesuffix('s')} {self.names[index]}"
        row, column = divmod(index, len(self.table.columns))
        return (
            f"{self.table.row_kind} {self.table.rows[row]}, "
            f"{self.table.column_kind} {self.table.columns[column]}"
        )

    @property
    def is_matrix(self) -> bool:
        """Whether the tiles are the columns of a matrix, one beside the other without gaps."""
        return self.table is not None and self.table.is_matrix

    @property
    def frame(self) -> tuple[int, int]:
        """Height and width at which a tile is drawn: its own, or those of a background.

        The values of a long matrix are not squares, since it would be too thin to be seen.
        """
        if self.backgrounds is not None:
            height, width = self.backgrounds.shape[1:3]
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
    def has_background_column(self) -> bool:
        """Whether the backgrounds are a column of a table."""
        return self.table is not None and self.backgrounds is not None

    def named(self, names: Sequence[str] | None) -> TilePanel:
        """Return the panel with the caller's names, one for each tile that exists."""
        if names is None:
            return self
        check_tile_names(names, self.total, self.kind, repr(self.address) if self.address else "")
        chosen = tuple(str(names[index]) for index in self.indices)
        table = self.table and replace(self.table, columns=np.array(chosen, object))
        return replace(self, tile_names=chosen, table=table, is_numbered=True)

    @cached_property
    def invalid(self) -> int:
        """How many values are NaN or infinite."""
        if np.isfinite(self.values.min()) and np.isfinite(self.values.max()):
            return 0  # as nearly always, and found without an array of flags
        return int(self.values.size - np.isfinite(self.values).sum())

    @cached_property
    def absent(self) -> np.ndarray:
        """Which tiles belong to a kernel or a map that shows nothing, as booleans `(n,)`."""
        if self.absent_rule == "none":
            return np.zeros(len(self.values), bool)
        groups = self.values.reshape(-1, self.slices, *self.values.shape[1:])
        absent = constant_tiles(groups)
        if self.absent_rule == "zero":
            absent &= groups.reshape(len(groups), -1)[:, 0] == 0
        return np.repeat(absent, self.slices)

    @property
    def absent_note(self) -> str:
        """Count the tiles that show nothing, for the title; nothing where there are none."""
        count = int(self.absent.sum()) // self.slices
        if not count:
            return ""
        what: str = self.absent_rule
        if self.table is not None:
            kind = self.table.cell_kind.removesuffix("s" if count == 1 else "")
            what = f"{what.removesuffix(' here')} {kind}"
        return f"{count} {what} (\N{MULTIPLICATION SIGN})"

    @property
    def heading(self) -> str:
        """The first line of the title."""
        distinct = len(np.unique(self.indices))
        count = f"{distinct}" if distinct == self.total else f"{distinct} of {self.total}"
        kind = self.kind.removesuffix("s") if self.total == 1 else self.kind
        parts = [self.words or f"{count} {kind}", self.size]
        start = f"{self.address}: " if self.address else ""
        return start + ", ".join(part for part in parts if part)

    @property
    def title(self) -> str:
        """The heading, and below it a line of all notes; names are in it as they are."""
        notes = list(self.notes)
        if self.absent_note:
            notes.append(self.absent_note)
        if self.invalid:
            notes.append(f"{self.invalid} NaN or infinite values ({INVALID})")
        return "\n".join([self.heading, ", ".join(notes)]).rstrip()

    def values_by_index(self) -> np.ndarray:
        """Return the values with one entry per index on the first axis, as `Panel` has them."""
        if self.is_matrix:
            return self.values[..., 0]
        values = self.values
        if self.slices > 1:
            values = values.reshape(-1, self.slices, *values.shape[1:])
        if self.table is not None:
            # A table is filled row by row, so that the tiles of one index are a column of it.
            by_cell = values.reshape(len(self.table.rows), len(self.indices), *values.shape[1:])
            values = by_cell.swapaxes(0, 1)
        if self.form == "bars":
            return values[..., 0, 0]
        return values[..., 0, :] if self.is_chart else values

    def drawn_as(
        self,
        ax: Axes,
        image: AxesImage | None,
        colorbar: Colorbar | None,
        scale: ColorScale | None,
        *,
        title: str = "",
    ) -> Panel:
        """Return the data of this panel with the artists that show it.

        Args:
            ax: Where it is drawn.
            image: The image of the tiles; `None` of a chart.
            colorbar: Its colour bar.
            scale: The limits of a chart.
            title: Other words for what it shows than its own.
        """
        limits = None if self.is_rgb or image is None else image.get_clim()
        if image is None and scale is not None:
            limits = float(scale.norm.vmin or 0.0), float(scale.norm.vmax or 0.0)
        return Panel(
            address=self.address,
            indices=self.indices,
            values=self.values_by_index(),
            limits=limits,
            title=title or self.title,
            ax=ax,
            image=image,
            colorbar=colorbar,
        )


def draw_panel(
    ax: Axes,
    panel: TilePanel,
    grid: Grid,
    scale: ColorScale | None,
    *,
    label_size: float | None,
    by_row: bool = False,
    max_ticks: tuple[int, int] = (MAX_TICKS, MAX_TICKS),
) -> AxesImage:
    """Draw a panel's tiles as one image, with the marks that belong on it.

    Args:
        ax: Where to draw; its limits, aspect, ticks and frame are set.
        panel: What to draw.
        grid: Where each tile goes. Its unit is a value, or a pixel of a picture.
        scale: Norm and colormap, `None` for colours.
        label_size: Size of the tiles' numbers in points, `None` for none.
        by_row: Whether tiles are too small for numbers of their own: then the first one of each
            row, or of every N rows, is numbered at the left.
        max_ticks: How many rows and columns of a table may get a number.

    Returns:
        The image.
    """
    image = _draw_mosaic(ax, panel, grid, scale)
    _mark_constant(ax, panel, grid)
    _frame_tiles(ax, panel, grid)
    beside = _draw_background_column(ax, panel, grid)
    height, width = grid.size
    ax.set(xlim=(-beside, width), ylim=(height, 0), aspect="equal")
    is_grounded = _lay_ground(ax, panel, scale)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.grid(False)
    ax.set(xticks=[], yticks=[])
    if panel.table is not None:
        _label_table(ax, panel.table, grid, beside, max_ticks)
    elif label_size is not None and by_row:
        centers = np.arange(0, grid.rows) * grid.pitch[0] + grid.tile[0] / 2
        ticks = ThinnedTicks(
            centers.tolist(), panel.row_names(grid.columns), apart=LINE_HEIGHT * label_size / 72
        )
        ticks.attach(ax.yaxis, label_size)
    elif label_size is not None:
        _label_tiles(ax, panel, grid, label_size, is_grounded=is_grounded)
    describe_on_hover(ax, _coordinate_formatter(panel, grid))
    return image


def _draw_mosaic(ax: Axes, panel: TilePanel, grid: Grid, scale: ColorScale | None) -> AxesImage:
    """Draw tiles as one image over their backgrounds, and invalid values as another over it."""
    if panel.alpha is not None:
        assert panel.backgrounds is not None
        shares = len(panel.tiles) // len(panel.backgrounds)
        _draw_backgrounds(ax, np.repeat(panel.backgrounds, shares, axis=0), grid)
    # The grid counts in pixels of a background or in widths of a value, the mosaic in values: both
    # have the tiles at the same positions, so that one image can lie over the other.
    cells = cell_grid(grid, panel.tiles.shape[1:3])
    array = mosaic(panel.tiles, cells)
    invalid = ~np.isfinite(array.data) if panel.invalid else None
    if panel.is_rgb and invalid is not None:  # Matplotlib cannot cast NaN to a colour
        array = np.ma.MaskedArray(np.nan_to_num(array.data), array.mask | invalid)
    image = _draw_cells(ax, cells, array, scale, size=grid.size)
    image.set_label(panel.heading)
    if panel.is_rgb:
        _clip_to_tiles(image, grid)
    if invalid is not None:
        # A colormap has one colour for what is bad, the gaps: invalid values get an image of their
        # own, whose values are not averaged, so that a single one of them stays visible.
        is_bad = invalid if invalid.ndim == 2 else invalid.any(axis=2)
        cover = np.ma.MaskedArray(np.ones(is_bad.shape, "float32"), ~is_bad)
        _draw_cells(ax, cells, cover, INVALID_SCALE, size=grid.size, blended=False)
    image.mouseover = False  # the value is already in the coordinates
    return image


def _draw_background_column(ax: Axes, panel: TilePanel, grid: Grid) -> float:
    """Draw backgrounds beside the tiles where they are not beneath, and return how wide that is."""
    if not panel.has_background_column:
        return 0.0
    assert panel.backgrounds is not None
    beside = background_column(grid)
    # Left of 0, so that the tiles have the same positions with such a column and without.
    column = replace(grid, count=grid.rows, columns=1, group=1)
    _draw_backgrounds(ax, panel.backgrounds, column, left=-beside)
    return beside


def background_column(grid: Grid) -> float:
    """Return how much room a column of backgrounds takes at the left, in units of the grid."""
    return grid.tile[1] + GROUP_GAP * grid.gap[1]


def _draw_backgrounds(ax: Axes, backgrounds: np.ndarray, grid: Grid, left: float = 0.0) -> None:
    """Draw a background at the position of each tile, `left` units from the left."""
    cells = cell_grid(grid, backgrounds.shape[1:3])
    array = mosaic(_opaque(backgrounds), cells).data
    image = _draw_cells(ax, cells, array, None, size=grid.size, left=left)
    _clip_to_tiles(image, grid, left)


def _opaque(colors: np.ndarray) -> np.ndarray:
    """Add full opacity, without which Matplotlib makes the colours twice as large to draw them."""
    return np.concatenate([colors, np.full_like(colors[..., :1], 255)], axis=-1)


def _draw_cells(
    ax: Axes,
    grid: Grid,
    array: np.ndarray,
    scale: ColorScale | None,
    *,
    size: tuple[float, float],
    left: float = 0.0,
    blended: bool = True,
) -> AxesImage:
    """Draw an array laid out by a grid, `size` units high and wide and `left` units from the left.

    Values of about a pixel may be `blended` with their neighbours, or have a pixel of their own.
    """
    colors: dict[str, Any] = scale._asdict() if scale else {}
    height, width = size
    image: AxesImage
    see_through = array.shape[2:] == (4,)
    if grid.uniform and blended:
        # One image of equal cells is much faster than one whose rows and columns have sizes.
        kind = AxesImage if see_through else DownsampledImage
        extent = (left, left + width, height, 0)
        image = kind(ax, extent=extent, interpolation="antialiased", **colors)
        image.set_data(array)
        return _add(ax, image)
    y_edges, x_edges = grid.edges()
    y_edges, x_edges = y_edges * (height / y_edges[-1]), x_edges * (width / x_edges[-1])
    if not see_through:
        return _add(ax, DownsampledPcolorImage(ax, left + x_edges, y_edges, array, **colors))
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


def _lay_ground(ax: Axes, panel: TilePanel, scale: ColorScale | None) -> bool:
    """Fill the gaps with light grey where white is the colour of 0; return whether it is."""
    is_white_zero = scale is not None and scale.cmap.name.startswith(DIVERGING)
    is_grounded = is_white_zero and panel.alpha is None and not panel.is_matrix
    ax.patch.set_visible(is_grounded)
    if is_grounded:
        ax.patch.set(facecolor=GROUND, edgecolor=GROUND, linewidth=2 * GROUND_BORDER)
    return is_grounded


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
            alpha=CROSS_ALPHA,
            linewidths=0.6,
        ),
        autolim=False,
    )


def _frame_tiles(ax: Axes, panel: TilePanel, grid: Grid) -> None:
    """Draw a frame around the same part of each tile, light outside and dark inside."""
    if panel.outline is None:
        return
    # The grid may count in pixels of a background, and the frame is in values.
    units = [a / b for a, b in zip(grid.tile, panel.tiles.shape[1:3], strict=True)]
    (top, bottom), (left, right) = panel.outline
    for y, x in zip(*grid.corners(), strict=True):
        corner = (x + left * units[1], y + top * units[0])
        size = (right - left) * units[1], (bottom - top) * units[0]
        for color, width in FRAME_COLORS:
            frame = Rectangle(corner, *size, fill=False, edgecolor=color, linewidth=width)
            ax.add_patch(frame).set_clip_on(False)


def _label_tiles(ax: Axes, panel: TilePanel, grid: Grid, size: float, *, is_grounded: bool) -> None:
    tops, lefts = (corner[:: panel.slices] for corner in grid.corners())
    width = grid.tile[1] * panel.slices + grid.gap[1] * (panel.slices - 1)
    if is_grounded:  # also beneath the numbers of the first row, which are above the Axes
        head = Rectangle((0, -grid.gap[0]), grid.size[1], grid.gap[0], clip_on=False)
        head.set(facecolor=GROUND, edgecolor=GROUND, linewidth=2 * GROUND_BORDER)
        ax.add_patch(head)
    for label, top, left in zip(panel.names, tops, lefts, strict=True):
        name = FittedName(
            label,
            (left, top),
            room=(grid.gap[0], width),
            sizes=(min(size, MIN_LABEL_SIZE * font_size()), size),
            is_number=not panel.tile_names,
            color="black" if is_grounded else None,
        )
        ax.add_artist(name).set_clip_on(False)


def _label_table(
    ax: Axes, table: TileMatrix, grid: Grid, beside: float, max_ticks: tuple[int, int]
) -> None:
    y = np.arange(grid.rows) * grid.pitch[0] + grid.tile[0] / 2
    if table.is_matrix:
        y = (np.arange(len(table.rows)) + 0.5) * grid.tile[0] / len(table.rows)
    lefts = grid.corners()[1][: grid.columns]
    x = (lefts[:: grid.group] + lefts[grid.group - 1 :: grid.group] + grid.tile[1]) / 2
    rows, columns = map(_thin, (len(y), len(x)), max_ticks)
    words = list(map(str, table.columns[columns]))
    fixed = ([grid.tile[1] / 2 - beside], [table.background_kind]) if beside else ([], [])
    names, size = [str(name) for name in table.rows[rows]], font_size("x-small")
    apart = LINE_HEIGHT * size / 72
    ThinnedTicks(y[rows].tolist(), names, apart=apart).attach(ax.yaxis, size)
    apart = max(text_width(word, size) for word in words) / 72 + size / 144
    ThinnedTicks(x[columns].tolist(), words, apart=apart, fixed=fixed).attach(ax.xaxis, size)
    ax.set_xlabel(table.column_kind, fontsize="small")
    ax.set_ylabel(table.row_kind, fontsize="small")


def _thin(count: int, max_count: int) -> slice:
    """Choose which of many ticks get a number: at most `max_count`, at a round distance."""
    steps = [1, 2, 4, 5, 8, 10, 16, 20, 32, 50, 64, 100, 128, 200, 256, 500, 512, 1000]
    steps += [2000, 5000, 10_000, 20_000, 50_000, 100_000]
    return slice(None, None, next((step for step in steps if count <= max_count * step), count))


def _coordinate_formatter(panel: TilePanel, grid: Grid) -> Callable[[float, float], str]:
    cells = cell_grid(grid, panel.values.shape[1:3])
    height, width = (n / side for n, side in zip(cells.tile, grid.tile, strict=True))

    def format_coord(x: float, y: float) -> str:
        position = cells.locate(y * height, x * width)
        if position is None:
            return ""
        index, row, column = position
        value = np.array2string(panel.values[index, row, column], precision=4)
        if panel.table is not None and panel.table.is_matrix:
            rows, columns = panel.table.rows, panel.table.columns
            row_name = f"{panel.table.row_kind} {rows[row]}"
            return f"{row_name}, {panel.table.column_kind} {columns[index]}: {value}"
        if panel.table is None:
            item, part = divmod(index, panel.slices)
            name = f"tile {panel.names[item]}"
        else:
            table_row, index_in_row = divmod(index, grid.columns)
            table_column, part = divmod(index_in_row, panel.slices)
            name = (
                f"{panel.table.row_kind} {panel.table.rows[table_row]}, "
                f"{panel.table.column_kind} {panel.table.columns[table_column]}"
            )
        if panel.slices > 1:
            name += f", slice {part if panel.slice_indices is None else panel.slice_indices[part]}"
        return f"{name}, row {row}, column {column}: {value}"

    return format_coord
