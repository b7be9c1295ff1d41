"""Many tiles to one mosaic array, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

RAGGED_COST, EMPTY_COST = 0.15, 1.0
"""The cost of a last row that is not full, and its extra cost the emptier it is, against an
aspect that is e times off the target."""


GROUP_GAP = 3.0
"""Distance between two groups of tiles, in distances between two tiles."""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Where each tile of a mosaic is.

    The unit is one value of a tile. Between two tiles there are `gap_cells` masked rows or columns
    of the mosaic array, drawn `gap` units wide: a kernel of 3x3 needs a gap far thinner than one
    of its values, a map of 224x224 a gap of several, and the columns of a matrix none.

    Args:
        count: Number of tiles.
        columns: Tiles in a row.
        tile: Height and width of a tile.
        gap: Vertical and horizontal distance between two tiles, in units.
        group: How many tiles of a row belong together, such as the slices of a volume; between two
            groups the distance is `GROUP_GAP` times as wide.
    """

    count: int
    columns: int
    tile: tuple[int, int]
    gap: tuple[float, float] = (1.0, 1.0)
    group: int = 1

    @property
    def rows(self) -> int:
        """Number of rows; the last one may not be full."""
        return -(-self.count // self.columns)

    @property
    def gap_cells(self) -> tuple[int, int]:
        """Masked rows and columns of the mosaic array between two tiles."""
        rows, columns = (max(1, round(gap)) if gap else 0 for gap in self.gap)
        return rows, columns

    @property
    def pitch(self) -> tuple[float, float]:
        """Vertical and horizontal distance from a tile to the next, in units."""
        return self.tile[0] + self.gap[0], self.tile[1] + self.gap[1]

    @property
    def size(self) -> tuple[float, float]:
        """Height and width of the whole, in units."""
        between = (self.columns // self.group - 1) * self.extra_gap
        return (
            self.rows * self.pitch[0] - self.gap[0],
            self.columns * self.pitch[1] - self.gap[1] + between,
        )

    @property
    def extra_gap(self) -> float:
        """By how much the distance between two groups is wider than that between two tiles."""
        return (GROUP_GAP - 1) * self.gap[1] if self.group > 1 else 0.0

    @property
    def uniform(self) -> bool:
        """Whether every row and column of the mosaic is drawn one unit wide."""
        return self.gap == self.gap_cells and self.group == 1

    def edges(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the borders of the mosaic's rows and of its columns, in units from 0."""
        across = np.full(self.columns, self.gap[1], float)
        across[self.group - 1 :: self.group] += self.extra_gap
        return (
            _edges(self.tile[0], np.full(self.rows, self.gap[0]), self.gap_cells[0]),
            _edges(self.tile[1], across, self.gap_cells[1]),
        )

    def corners(self) -> tuple[np.ndarray, np.ndarray]:
        """Return top and left of each tile, in units, as two arrays of shape `(count,)`."""
        row, column = np.divmod(np.arange(self.count), self.columns)
        return row * self.pitch[0], column * self.pitch[1] + column // self.group * self.extra_gap

    def locate(self, y: float, x: float) -> tuple[int, int, int] | None:
        """Return tile, row and column in the tile at a point, or `None` outside every tile."""
        row, y = divmod(y, self.pitch[0])
        group, x = divmod(x, self.group * self.pitch[1] + self.extra_gap)
        column, x = divmod(x, self.pitch[1])
        inside = y < self.tile[0] and x < self.tile[1] and column < self.group
        column += group * self.group
        index = int(row) * self.columns + int(column)
        if not (inside and 0 <= column < self.columns and row >= 0 and index < self.count):
            return None
        return index, int(y), int(x)


def _edges(length: int, gaps: np.ndarray, gap_cells: int) -> np.ndarray:
    widths = np.ones((len(gaps), length + gap_cells))
    widths[:, length:] = gaps[:, np.newaxis] / max(gap_cells, 1)
    return np.concatenate([[0.0], np.cumsum(widths.ravel()[: widths.size - gap_cells])])


def choose_columns(count: int, tile: tuple[float, float], aspect: float) -> int:
    """Choose how many tiles are in a row.

    Args:
        count: Number of tiles.
        tile: Height and width of a tile with its gap.
        aspect: The width that the whole should have, divided by its height.

    Returns:
        The number of columns that comes closest to the aspect with few empty cells in the last
        row.
    """
    columns = np.arange(1, count + 1)
    rows = -(-count // columns)
    off_aspect = np.abs(np.log(columns * tile[1] / (rows * tile[0]) / aspect))
    empty = (rows * columns - count) / columns
    cost = off_aspect + RAGGED_COST * (empty > 0) + EMPTY_COST * empty
    return int(columns[np.argmin(cost)])


def mosaic(tiles: np.ndarray, grid: Grid) -> np.ma.MaskedArray:
    """Lay tiles out in rows as one array, row by row from the top left.

    Args:
        tiles: Array of shape `(n, height, width)` or `(n, height, width, 3)`.
        grid: Where the tiles go.

    Returns:
        Masked array `(rows, columns)` or `(rows, columns, 3)` of the tiles' own dtype; the gaps
        and the empty cells at the end of the last row are masked.
    """
    count, height, width = tiles.shape[:3]
    rest = tiles.shape[3:]
    cell = (height + grid.gap_cells[0], width + grid.gap_cells[1])
    data = np.zeros((grid.rows, cell[0], grid.columns, cell[1], *rest), tiles.dtype)
    mask = np.ones(data.shape, bool)
    # All full rows are copied at once, through an array of (row, y, column, x) that has the gaps as
    # the ends of its y and x; the last row, which may be shorter, is copied in the same way.
    full, remainder = divmod(count, grid.columns)
    for rows, part in (
        (slice(0, full), tiles[: full * grid.columns]),
        (slice(full, grid.rows), tiles[full * grid.columns :]),
    ):
        if part.size:
            columns = grid.columns if rows.start < full else remainder
            block = part.reshape(-1, columns, height, width, *rest).swapaxes(1, 2)
            data[rows, :height, :columns, :width] = block
            mask[rows, :height, :columns, :width] = False
    shape = (grid.rows * cell[0], grid.columns * cell[1], *rest)
    crop = tuple(slice(n - gap) for n, gap in zip(shape, grid.gap_cells, strict=False))
    return np.ma.MaskedArray(data.reshape(shape)[crop], mask.reshape(shape)[crop])


def split_mosaic(array: np.ndarray, grid: Grid) -> np.ndarray:
    """Return the tiles `(n, height, width)` of a mosaic: the inverse of `mosaic`."""
    height, width = grid.tile
    cell = (height + grid.gap_cells[0], width + grid.gap_cells[1])
    row, column = np.divmod(np.arange(grid.count), grid.columns)
    tops, lefts = row * cell[0], column * cell[1]
    return np.stack(
        [array[y : y + height, x : x + width] for y, x in zip(tops, lefts, strict=True)]
    )


def constant_tiles(tiles: np.ndarray) -> np.ndarray:
    """Return which tiles hold one finite value throughout, as a boolean array `(n,)`.

    A tile of a single value has nothing to vary, so it never counts.
    """
    if math.prod(tiles.shape[1:]) == 1:
        return np.zeros(len(tiles), bool)
    axes = tuple(range(1, tiles.ndim))
    lowest, highest = tiles.min(axis=axes), tiles.max(axis=axes)
    return np.asarray((lowest == highest) & np.isfinite(lowest))
