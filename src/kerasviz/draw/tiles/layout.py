"""Plan a panel of tiles: how large a value is, and how many tiles are in a row."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace

import numpy as np

from kerasviz.draw.charts.bars import BarPlan, plan_bars
from kerasviz.draw.charts.strip_sizes import strip_sizes
from kerasviz.draw.charts.strips import StripPlan
from kerasviz.draw.text import LINE_HEIGHT, font_size, screen_width, text_width
from kerasviz.draw.tiles.background import enlarge, raster_size, resample
from kerasviz.draw.tiles.grid import GROUP_GAP, Grid, choose_columns
from kerasviz.draw.tiles.panel import (
    MAX_LABEL_SIZE,
    MAX_TICKS,
    MIN_LABEL_SIZE,
    TileMatrix,
    TilePanel,
    background_column,
)
from kerasviz.draw.tiles.style import TileLayout

# Sizes in inches, as those of a figure.
ONE_PANEL = (7.0, 7.5)
MANY_PANELS = (4.4, 4.4)
DRAFT_ASPECTS = (0.4, 0.6, 0.85, 1.2, 1.7, 2.4, 3.4, 5.0, 7.0)
DRAFT_PARTS = (0.4, 0.6, 0.8, 1.0, 1.3, 1.7)
SIDES_BESIDE = (1.8, 1.3, 1.5, 2.2, 2.7)
MAX_DRAFT_WIDTH, MAX_DRAFT_HEIGHT = 9.0, 5.5
"""Shapes and sizes of one panel of several that are compared: width to height, and area as a part
of what it would have alone."""
MAX_TILE = 1.4
MAX_TILE_OVER_BACKGROUND = 2.3
ONLY_TILE = 3.0
MAX_CELL = 0.3
"""A value of a matrix."""
MIN_TILE, MAX_WIDTH = 0.3, 24.0
"""The smallest tile of a table with backgrounds, for which a new figure becomes wider, and the
largest width to which it does."""
ASPECT = 1.4
"""Width to height of a new figure's mosaic, where the number of tiles allows it."""

GAP, CELL_GAP = 0.06, 0.6
"""Distance between two tiles: as a part of a tile's side, and at least in values of small tiles."""
MIN_GAP = 2 / 100
MIN_DOTS = 0.75
"""Below this size in pixels, cells are not rounded to whole pixels."""
ROW_ASPECT = 20
"""Width to height of a row of values, where it is long and there is room."""
HIGH_ROW = 0.3
"""How high a row of values in a table is where there is room, in inches."""
MIN_ROW_DOTS = 10
"""How high a row of values is in a new figure, at least."""
MAX_NAMED_HEIGHT = 100.0
"""How high a new figure becomes for each row of a table to have its name, in inches."""
FINE_TILE = 12
"""From this many values a side, a gap is a whole number of values wide."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The grid and the size of a panel, before it is drawn.

    Args:
        panel: What to draw, its backgrounds and smooth tiles resampled to what the figure can show.
        grid: Where each tile goes.
        unit: Inches per unit of the grid.
        label_size: Size of the tiles' numbers in points, `None` for none.
        by_row: As for `draw_panel`.
        whole_dots: Whether every unit is a whole number of dots, so that nothing need be blended.
        max_ticks: How many rows and columns of a table may get a number.
    """

    panel: TilePanel
    grid: Grid
    unit: float
    label_size: float | None
    by_row: bool = False
    whole_dots: bool = False
    max_ticks: tuple[int, int] = (MAX_TICKS, MAX_TICKS)

    @property
    def size(self) -> tuple[float, float]:
        """Height and width of the mosaic, in inches."""
        height, width = _size(self.panel, self.grid)
        return height * self.unit, width * self.unit

    @property
    def head(self) -> float:
        """Room above the mosaic for the numbers of the first row, in inches."""
        above = self.label_size is not None and not self.by_row
        return self.grid.gap[0] * self.unit if above else 0.0


@dataclass(frozen=True, kw_only=True)
class Draft:
    """The room, width and height, and the aspect from which a plan was made."""

    room: tuple[float, float]
    aspect: float


AnyPlan = Plan | StripPlan | BarPlan
"""A panel of tiles, or a chart."""


def area_of(plan: AnyPlan) -> float:
    """Return how many square inches of a panel show data: its tiles without gaps, or a chart."""
    if not isinstance(plan, Plan):
        return math.prod(plan.size)
    height, width = plan.grid.tile
    return plan.grid.count * height * width * plan.unit**2


def draft_plans(panel: TilePanel, layout: TileLayout, dpi: float) -> list[tuple[Draft, AnyPlan]]:
    """Return plans of one panel of several, of many shapes and sizes, none to be drawn as it is.

    The first is the one that it would have with nothing beside it.
    """
    usual = make_plan(panel, layout, MANY_PANELS, dpi, new=True, is_draft=True)
    drafts = {_key(usual): (Draft(room=MANY_PANELS, aspect=ASPECT), usual)}
    area = math.prod(usual.size)
    for aspect, part in itertools.product(DRAFT_ASPECTS, DRAFT_PARTS):
        width = min(math.sqrt(part * area * aspect), MAX_DRAFT_WIDTH)
        room = width, min(part * area / width, MAX_DRAFT_HEIGHT)
        plan = make_plan(panel, layout, room, dpi, new=True, aspect=aspect, is_draft=True)
        drafts.setdefault(_key(plan), (Draft(room=room, aspect=aspect), plan))
    return list(drafts.values())


def draft_beside(panel: TilePanel, dpi: float) -> list[tuple[Draft, AnyPlan]]:
    """Return plans of a picture beside others, as `draft_plans` does."""
    drafts: dict[tuple[float, float], tuple[Draft, AnyPlan]] = {}
    for side in SIDES_BESIDE:
        draft = Draft(room=(side, side), aspect=ASPECT)
        plan = make_plan(panel, TileLayout(labels=False), draft.room, dpi, new=True, is_draft=True)
        drafts.setdefault(_key(plan), (draft, plan))
    return list(drafts.values())


def _key(plan: AnyPlan) -> tuple[float, float]:
    """Return the size of a plan, the same for plans that cannot be told apart."""
    height, width = plan.size
    return round(height, 1), round(width, 1)


def make_plan(
    panel: TilePanel,
    layout: TileLayout,
    room: tuple[float, float],
    dpi: float,
    *,
    new: bool,
    aspect: float = ASPECT,
    is_draft: bool = False,
) -> AnyPlan:
    """Choose the grid and the size of a panel.

    Args:
        panel: What to draw.
        layout: How the tiles are laid out.
        room: Width and height to fill, in inches.
        dpi: Dots per inch of the figure.
        new: Whether the figure is a new one, in which every value is made a whole number of dots
            wide and what needs more room gets it; in another the room is all there is.
        aspect: Width to height of the mosaic in a new figure, where the number of tiles allows it.
        is_draft: Whether the plan is not drawn, so that nothing is resampled or measured for it.
    """
    if panel.form == "bars":
        return plan_bars(panel, room, new=new)
    if panel.is_chart:
        return StripPlan(panel=panel, sizes=strip_sizes(panel, layout, room, new=new))
    dots = dpi if new else None
    panel = panel.named(layout.tile_names)
    if panel.free_height:
        panel = _fit_rows(panel, room, dots)
    frame = panel.frame  # in pixels of backgrounds, which may be resampled below
    shape = _choose_shape(panel, layout, aspect if new else room[0] / room[1])
    if panel.has_background_column and new:
        wider = min(MIN_TILE * shape.width / _side(frame), MAX_WIDTH)
        room = max(room[0], wider), room[1]
    labels, unit, whole_dots = _fit_unit(panel, layout, shape, room, dots=dots)
    steps = (1.0, 1.0)
    if panel.backgrounds is not None:
        panel, steps = _fit_backgrounds(panel, unit * dpi, is_draft=is_draft)
    gaps = (0.0, 0.0)
    if not panel.is_matrix:
        row_height = _row_height(panel, shape.rows) if new else 0.0
        above = max(labels.line, row_height - frame[0] * unit)
        gaps = _choose_gaps(frame, unit, above=above, steps=steps, dots=dots)
    columns, count = shape.columns * panel.slices, len(panel.tiles)
    grid = Grid(count=count, columns=columns, tile=frame, gap=gaps, group=panel.slices)
    if not new:
        size = _size(panel, grid)
        unit = min(room[0] / size[1], room[1] / size[0])  # as the equal aspect makes it
    max_ticks = (MAX_TICKS, MAX_TICKS)
    if panel.table is not None and not is_draft:
        max_ticks = _max_ticks(panel.table, grid, unit)
        panel = _name_backgrounds(panel, grid, unit)
    return Plan(
        panel=panel,
        grid=grid,
        unit=unit,
        label_size=labels.size,
        by_row=labels.by_row,
        whole_dots=whole_dots,
        max_ticks=max_ticks,
    )


def _min_gap(frame: tuple[float, float]) -> float:
    """Return the distance between two tiles, in units; it is not a part of any tile."""
    return max(GAP * _side(frame), CELL_GAP)


def _side(frame: tuple[float, float]) -> float:
    """Return the side of a square as large as a tile."""
    height, width = frame
    return math.sqrt(height * width)


@dataclass(frozen=True, kw_only=True)
class _Shape:
    """The rows and columns of a panel, and their height and width in units."""

    rows: int
    columns: int
    height: float
    width: float


def _choose_shape(panel: TilePanel, layout: TileLayout, aspect: float) -> _Shape:
    """Choose how many tiles, or groups of slices, are in a row: those of the caller, or to fit.

    The gaps depend on the unit, and the unit on the room that gaps take: so the unit is chosen with
    gaps in proportion to the tiles, and gaps that have to be wider become so afterwards.
    """
    items, (height, width) = len(panel.tiles) // panel.slices, panel.frame
    gap = 0.0 if panel.is_matrix else _min_gap(panel.frame)
    block = panel.slices * (width + gap)
    if panel.slices > 1:
        block += (GROUP_GAP - 1) * gap
    if panel.table is not None:
        columns = len(panel.table.columns)
    else:
        columns = layout.columns or panel.columns or 0
        columns = columns or choose_columns(items, (height + gap, block), aspect)
    columns = min(columns, items)
    rows = -(-items // columns)
    total_width = columns * block
    if panel.has_background_column:
        total_width += width + GROUP_GAP * gap
    return _Shape(rows=rows, columns=columns, height=rows * (height + gap), width=total_width)


@dataclass(frozen=True, kw_only=True)
class _Labels:
    """The numbers of tiles.

    Args:
        size: Their size in points, `None` for none.
        line: Room for them above each tile, in inches.
        min_unit: Inches per unit from which on the widest is no wider than its tile.
        by_row: Whether only rows have a number, beside them.
    """

    size: float | None = None
    line: float = 0.0
    min_unit: float = 0.0
    by_row: bool = False


NO_LABELS = _Labels()


def _choose_labels(panel: TilePanel, unit: float) -> _Labels:
    """Choose the size of the numbers above tiles by that of the tiles."""
    _, width = panel.frame
    smallest, largest = MIN_LABEL_SIZE * font_size(), MAX_LABEL_SIZE * font_size()
    size = float(np.clip(0.16 * unit * width * 72, smallest, largest))
    widest = text_width(str(panel.indices.max()), size) + size / 2
    min_unit = widest / 72 / width / panel.slices
    return _Labels(size=size, line=LINE_HEIGHT * size / 72, min_unit=min_unit)


def _share_height(
    labels: _Labels, panel: TilePanel, unit: float, row_height: float
) -> tuple[_Labels, float]:
    """Return numbers and unit in a figure of the caller's, which cannot grow.

    Numbers take their height from the tiles, unless they then are wider or higher than a tile; then
    one number per row has to do.
    """
    height, _ = panel.frame
    smaller = min(unit, (row_height - labels.line) / height)
    too_wide = labels.min_unit > smaller and not panel.tile_names
    if too_wide or labels.line > smaller * height:
        return _Labels(size=MIN_LABEL_SIZE * font_size(), by_row=True), unit
    return labels, smaller


def _fit_unit(
    panel: TilePanel,
    layout: TileLayout,
    shape: _Shape,
    room: tuple[float, float],
    *,
    dots: float | None,
) -> tuple[_Labels, float, bool]:
    """Return the numbers of tiles, the inches per unit, and whether these are whole dots.

    Args:
        panel: What to draw.
        layout: How the tiles are laid out.
        shape: The rows and columns.
        room: Width and height to fill, in inches.
        dots: Dots per inch of a new figure; `None` in another.
    """
    unit = min(room[0] / shape.width, room[1] / shape.height)
    is_labelled = panel.is_numbered if layout.labels is None else layout.labels
    labels = _choose_labels(panel, unit) if is_labelled and panel.table is None else NO_LABELS
    if dots is not None:
        unit, is_whole = _round_unit(panel, unit, _row_height(panel, shape.rows), dots)
        if labels.min_unit > unit and not panel.tile_names:
            labels = _Labels(size=MIN_LABEL_SIZE * font_size(), by_row=True)
        return labels, unit, is_whole
    if labels.size is not None:
        labels, unit = _share_height(labels, panel, unit, room[1] / shape.rows)
    return labels, unit, False


def _round_unit(panel: TilePanel, unit: float, row_height: float, dpi: float) -> tuple[float, bool]:
    """Return the unit of a new figure, and whether it is a whole number of dots.

    Values of equal numbers of dots are drawn without blending: no value looks wider than its
    neighbour, and none is mixed with it. Below a dot that would make the picture too large.
    """
    min_unit = 0.0
    if panel.free_height:
        min_unit = max(row_height, MIN_ROW_DOTS / dpi) / panel.frame[0]
    largest = MAX_CELL if panel.is_matrix else _max_tile(panel) / _side(panel.frame)
    unit = max(min(unit, largest), min_unit)
    if unit * dpi < MIN_DOTS:
        return unit, False
    return max(1, round(unit * dpi), math.ceil(min_unit * dpi - 1e-6)) / dpi, True


def _choose_gaps(
    frame: tuple[float, float],
    unit: float,
    *,
    above: float,
    steps: tuple[float, float],
    dots: float | None,
) -> tuple[float, float]:
    """Return the vertical and the horizontal distance between two tiles, in units.

    Args:
        frame: Height and width of a tile.
        unit: Inches per unit.
        above: Room for what is written above each tile, in inches.
        steps: Height and width of a value, of which the gaps of large tiles are multiples.
        dots: Dots per inch of a new figure, `None` for another.
    """
    gap = max(MIN_GAP, _min_gap(frame) * unit)
    vertical, horizontal = max(gap, above) / unit, gap / unit
    # Gaps of whole values make the mosaic an image of equal cells, which is fast and can be
    # blended. Between small tiles these would be too wide: gaps are a number of dots there.
    if _side(frame) >= FINE_TILE:
        whole = math.ceil(vertical / steps[0]), round(horizontal / steps[1])
        return max(1, whole[0]) * steps[0], max(1, whole[1]) * steps[1]
    if dots:
        dot = 1 / dots / unit
        return math.ceil(vertical / dot - 1e-6) * dot, math.ceil(horizontal / dot - 1e-6) * dot
    return vertical, horizontal


def _fit_rows(panel: TilePanel, room: tuple[float, float], dots: float | None) -> TilePanel:
    """Make rows of values so high that they are seen and, in a table, that each has its name.

    Args:
        panel: A panel whose tiles are rows of values.
        room: Width and height to fill, in inches.
        dots: Dots per inch of a new figure, `None` for another, which cannot grow.
    """
    length, table = panel.tiles.shape[2], panel.table
    value_height = math.ceil(length / ROW_ASPECT)
    if table is not None:
        tile = min(MAX_TILE, room[0] / (1 + GAP) / len(table.columns))
        unit = tile / length
        if dots and unit * dots >= MIN_DOTS:
            unit = max(1, int(unit * dots)) / dots
        high = min(HIGH_ROW, room[1] / (1 + GAP) / len(table.rows))
        if dots:
            high = max(high, LINE_HEIGHT * font_size("x-small") / 72)
        else:
            value_height = min(value_height, int(high / unit))
        value_height = max(1, value_height, math.ceil(high / unit))
    return replace(panel, value_height=value_height)


def _row_height(panel: TilePanel, rows: int) -> float:
    """Return how high a row of a table must be in a new figure to have a name, in inches."""
    line = LINE_HEIGHT * font_size("x-small") / 72
    named = panel.table is not None and panel.table.every and rows * line <= MAX_NAMED_HEIGHT
    return line if named else 0.0


def _max_tile(panel: TilePanel) -> float:
    """Return how large a tile may become in a new figure, in inches."""
    if len(panel.tiles) == 1:
        return ONLY_TILE
    return MAX_TILE if panel.alpha is None or panel.table is not None else MAX_TILE_OVER_BACKGROUND


def _size(panel: TilePanel, grid: Grid) -> tuple[float, float]:
    """Return height and width of a panel, in units of its grid."""
    height, width = grid.size
    return height, width + (background_column(grid) if panel.has_background_column else 0.0)


def _fit_backgrounds(
    panel: TilePanel, dots: float, *, is_draft: bool
) -> tuple[TilePanel, tuple[float, float]]:
    """Resample a panel's backgrounds, and tiles that are smooth, to what the figure can show.

    Args:
        panel: The panel.
        dots: Height and width of a pixel of a background, in dots.
        is_draft: Whether to leave the panel as it is.

    Returns:
        The panel, and the height and width in pixels of which gaps must be whole multiples, for
        values or pixels that are smaller than a dot to be blended.
    """
    backgrounds, frame, cells = panel.backgrounds, panel.frame, panel.tiles.shape[1:3]
    assert backgrounds is not None
    size = raster_size(frame, cells, dots)
    step_y, step_x = (
        length / (count if length * dots < count else pixels)
        for length, count, pixels in zip(frame, cells, size, strict=True)
    )
    if is_draft:
        return panel, (step_y, step_x)
    if panel.smooth:
        panel = replace(panel, scaled_values=enlarge(panel.tiles, size))
    return replace(panel, backgrounds=resample(backgrounds, size)), (step_y, step_x)


def _name_backgrounds(panel: TilePanel, grid: Grid, unit: float) -> TilePanel:
    """Leave out the word below a column of backgrounds where it would be in the next column."""
    table = panel.table
    if table is None or not panel.has_background_column:
        return panel
    size, room = font_size("x-small"), 72 * unit * (grid.tile[1] + GROUP_GAP * grid.gap[1])
    names = (table.background_kind, str(table.columns[0]))
    if sum(screen_width(name, size) for name in names) / 2 + size / 2 > room:
        return replace(panel, table=replace(table, background_kind=""))
    return panel


def _max_ticks(table: TileMatrix, grid: Grid, unit: float) -> tuple[int, int]:
    """Return how many rows and columns of a table may get a number or a name.

    Where not all have one they are a scale, for which half as many will do.
    """
    if not table.every:
        rows, columns = (
            MAX_TICKS if len(indices) <= MAX_TICKS else MAX_TICKS // 2
            for indices in (table.rows, table.columns)
        )
        if not table.is_matrix:
            return rows, columns
    else:
        rows, columns = len(table.rows), len(table.columns)
    size = font_size("x-small")
    widest = max(text_width(str(column), size) for column in table.columns)
    height, width = 72 * unit * grid.rows * grid.pitch[0], 72 * unit * grid.size[1]
    room = int(height / (LINE_HEIGHT * size) + 1e-6), int(width / (widest + size / 2))
    return min(rows, max(1, room[0])), min(columns, max(1, room[1]))
