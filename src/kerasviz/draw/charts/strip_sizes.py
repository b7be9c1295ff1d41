"""Choose the sizes of strips and bars, with all that is written around them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from kerasviz.draw.color import value_range
from kerasviz.draw.text import LINE_HEIGHT, elide_middle, escape, font_size, screen_width
from kerasviz.draw.tiles.panel import TileMatrix, TilePanel
from kerasviz.draw.tiles.style import TileLayout

# Sizes in inches, as those of a figure.
MIN_STRIP, MAX_STRIP = 0.3, 0.8
"""The lowest and the highest strip of a new figure."""
STRIPS_HEIGHT = 5.5
"""How high the strips of a new figure are together, where they need not be higher."""
MAX_ROWS, MAX_COLUMNS = 12, 4
"""From how many rows on there are more columns, and how many there are at most."""
KERNEL_STEP, KERNEL_WIDTHS = 0.13, (0.75, 2.0)
"""The width of a step of a kernel, and between which widths a kernel is."""
KERNEL_HEIGHT = 0.6
KERNEL_ASPECT, LINES_ASPECT = 1.4, 5.0
"""Width to height of all kernels in a new figure, and of a strip in another."""
MIN_NAMED = 0.15
"""The lowest strip of a kernel that has its name above it."""
ROW_GAP, HEAT_GAP, PAD = 0.08, 0.12, 0.06
"""Distances between two rows of strips, and between a strip and what is written beside it."""
MAX_NAME = 1.3
"""The widest name beside a strip."""
SPARE = 0.1
"""Room at the right of all in a new figure."""
TICKS = 0.08
"""Room for the marks of steps below the strips."""


def line_height(size: str = "small") -> float:
    """Return the height of a line of text of a relative font size, in inches."""
    return LINE_HEIGHT * font_size(size) / 72


def write_limit(value: float) -> str:
    """Return a number of three digits as text."""
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")


def row_names(table: TileMatrix) -> list[str]:
    """Return the names of the rows of a table, or what they are with their indices."""
    if table.rows.dtype.kind not in "iu":
        return [str(name) for name in table.rows]
    return [f"{table.row_kind.split()[-1]} {index}" for index in table.rows]


def column_names(table: TileMatrix, width: float) -> list[str]:
    """Return the indices of the columns, after their noun where there is room for it."""
    size = font_size("small")
    names = [f"{table.column_kind.split()[-1]} {index}" for index in table.columns]
    if max(screen_width(name, size) for name in names) < 72 * width:
        return names
    return [str(index) for index in table.columns]


@dataclass(frozen=True, kw_only=True)
class StripSizes:
    """Where the strips of a panel are, in inches from its lower left corner.

    Args:
        count: How many strips there are, without those of signals.
        columns: Strips in a row, without that of a signal beside a table.
        rows: Rows, without that of a signal above.
        strip: Height and width of a strip.
        gaps: Distance between two rows and between two columns.
        left: Room at the left for names.
        right: Room at the right for the limits of the values.
        above: Room above for the names of columns.
        below: Room below for the steps.
        legend: Room below the steps for a legend, which is a part of `below`.
        signal: Whether a signal is "above" the strips, "beside" them, or behind them or nowhere,
            "".
        is_above: Whether names are above the strips, and not beside them.
        name_step: Of how many rows the first one is named, where not each has the room.
        name_width: How wide a name may be.
    """

    count: int
    columns: int
    rows: int
    strip: tuple[float, float]
    gaps: tuple[float, float]
    left: float
    right: float
    above: float
    below: float
    legend: float = 0.0
    signal: str = ""
    is_above: bool = False
    name_step: int = 1
    name_width: float = MAX_NAME
    pad: float = PAD

    @property
    def height(self) -> float:
        """The height of all."""
        rows = self.rows + (self.signal == "above")
        strips = rows * self.strip[0] + (rows - 1) * self.gaps[0]
        return self.below + strips + self.above

    @property
    def width(self) -> float:
        """The width of all."""
        columns = self.columns + (self.signal == "beside")
        strips = columns * self.strip[1] + (columns - 1) * self.gaps[1]
        return self.left + strips + self.right

    def corner(self, row: int, column: int) -> tuple[float, float]:
        """Return the lower left corner of a strip."""
        row += self.signal == "above"
        column += self.signal == "beside"
        return self._corner(row, column)

    def signal_corners(self) -> list[tuple[float, float]]:
        """Return the lower left corners of the strips of signals: all, where they are behind."""
        if not self.signal:
            places = (divmod(index, self.columns) for index in range(self.count))
            return [self._corner(row, column) for row, column in places]
        if self.signal == "above":
            return [self._corner(0, column) for column in range(self.columns)]
        return [self._corner(row, 0) for row in range(self.rows)]

    def feet(self) -> list[tuple[float, float]]:
        """Return the lower left corner of the last strip of each column."""
        lasts = [(self.count - 1 - column) // self.columns for column in range(self.columns)]
        corners = [self.corner(row, column) for column, row in enumerate(lasts)]
        return [self._corner(self.rows - 1, 0)] * (self.signal == "beside") + corners

    def _corner(self, row: int, column: int) -> tuple[float, float]:
        height, width = self.strip
        top = self.height - self.above
        return (
            self.left + column * (width + self.gaps[1]),
            top - height - row * (height + self.gaps[0]),
        )

    def elide(self, name: str) -> str:
        """Return a name that is no wider than it may be, to be drawn letter by letter."""
        return escape(elide_middle(name, 72 * self.name_width, font_size("small")))


def strip_sizes(
    panel: TilePanel, layout: TileLayout, room: tuple[float, float], *, new: bool
) -> StripSizes:
    """Choose how many strips are in a row, and how large they are.

    Args:
        panel: What to draw.
        layout: How the strips are laid out.
        room: Width and height to fill, in inches.
        new: Whether the figure is a new one, which becomes as large as the strips need.
    """
    count, table = len(panel.tiles) // panel.slices, panel.table
    if table is not None:
        return _sizes(panel, len(table.columns), room, new=new)
    if layout.columns is not None:
        return _sizes(panel, min(layout.columns, count), room, new=new)
    if new:
        return _sizes(panel, _columns(panel, count, room), room, new=True)
    # In the caller's figure, strips are as large as the room lets them be, in this proportion.
    aspect = KERNEL_ASPECT if panel.signed else LINES_ASPECT
    most = min(count, max(1, int(room[0] / MIN_STRIP)))
    candidates = [
        _sizes(panel, columns, room, new=False, is_named=is_named)
        for is_named in (True, False)
        for columns in range(1, most + 1)
    ]
    named = [sizes for sizes in candidates[:most] if sizes.strip[0] >= MIN_NAMED]
    return max(named or candidates, key=lambda sizes: min(sizes.strip[1] / aspect, sizes.strip[0]))


def _sizes(
    panel: TilePanel,
    columns: int,
    room: tuple[float, float],
    *,
    new: bool,
    is_named: bool = True,
) -> StripSizes:
    """Return the sizes with a number of columns; where room is short, kernels are named by row."""
    count, table, line = len(panel.tiles) // panel.slices, panel.table, line_height()
    rows = math.ceil(count / columns)
    is_above = panel.signed and table is None and is_named
    has_signal = panel.signals is not None and panel.alpha is None
    signal = "" if not has_signal else "above" if table is None else "beside"
    name_width = _name_width(panel, has_signal, MAX_NAME if new else 0.25 * room[0])
    has_limits = not panel.has_own_scales and not panel.has_colors
    right = _limit_width(panel, SPARE if new else 0.0) + PAD if has_limits else 0.0
    gaps = (HEAT_GAP if panel.has_colors else ROW_GAP), name_width + ROW_GAP
    if panel.signed or table is not None:
        gaps = ROW_GAP + (line if is_above else 0.0), 2 * ROW_GAP
    left = 0.0 if is_above else name_width
    above = line + 0.03 if is_above or table is not None else ROW_GAP / 2
    legend = line if panel.slices > 1 else 0.0
    below = 2 * line + TICKS + legend
    all_rows, all_columns = rows + (signal == "above"), columns + (signal == "beside")
    width = (room[0] - left - right - (all_columns - 1) * gaps[1]) / all_columns
    if new:
        height = min(max(STRIPS_HEIGHT / all_rows - gaps[0], MIN_STRIP, line), MAX_STRIP)
        if panel.signed:
            width, height = _kernel_width(panel), KERNEL_HEIGHT
    else:
        filled = room[1] - below - (all_rows - 1) * gaps[0]
        height, above = _fill_height(filled, all_rows, above)
    width, height = max(width, 0.2), max(height, 0.02)
    return StripSizes(
        count=count,
        columns=columns,
        rows=rows,
        strip=(height, width),
        gaps=gaps,
        left=left,
        right=right,
        above=above,
        below=below,
        legend=legend,
        signal=signal,
        is_above=is_above,
        name_step=max(1, math.ceil(line / (height + gaps[0]) - 1e-6)),
        name_width=name_width - PAD,
    )


def _fill_height(room: float, rows: int, above: float) -> tuple[float, float]:
    """Return the height of strips that fill a room, and the room above them, all in inches.

    Where strips are lower than a line, the name of the first one reaches above it.
    """
    line, height = line_height(), (room - above) / rows
    if height + 2 * above >= line:
        return height, above
    height = (room - line / 2) / (rows - 0.5)
    return height, (line - height) / 2


def _name_width(panel: TilePanel, has_signal: bool, most: float) -> float:
    """Return the room for the names beside strips, at most `most` inches."""
    table, size = panel.table, font_size("small")
    names = row_names(table) if table is not None else list(panel.names)
    if has_signal and table is None:
        names.append("input")
    return min(max(screen_width(name, size) for name in names) / 72, most) + PAD


def _limit_width(panel: TilePanel, spare: float) -> float:
    """Return the room for the limits of the values in inches, where some is spare beyond it."""
    size, (low, high) = font_size("x-small"), value_range(panel.tiles)
    limits = (-max(-low, high), high) if panel.signed else (low, high)
    widths = [screen_width(write_limit(float(limit)), size) for limit in limits]
    return max(5 * 0.62 * size, max(widths) - 72 * spare) / 72


def _columns(panel: TilePanel, count: int, room: tuple[float, float]) -> int:
    """Return how many strips of a new figure are in a row."""
    if panel.signed:
        return _kernel_columns(panel, count, room, line_height())
    return min(max(1, math.ceil(count / MAX_ROWS)), MAX_COLUMNS)


def _kernel_width(panel: TilePanel) -> float:
    low, high = KERNEL_WIDTHS
    return min(max(KERNEL_STEP * float(panel.tiles.shape[2]), low), high)


def _kernel_columns(panel: TilePanel, count: int, room: tuple[float, float], line: float) -> int:
    """Choose how many kernels are in a row, so that all together are somewhat wider than high."""
    width, height = _kernel_width(panel) + 2 * ROW_GAP, KERNEL_HEIGHT + ROW_GAP + line
    columns = max(1, round(math.sqrt(count * KERNEL_ASPECT * height / width)))
    return min(columns, count, max(1, int(room[0] / width)))
