"""Panels in a figure: a new one that fits them, or the caller's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure, FigureBase
from matplotlib.font_manager import FontProperties
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from kerasviz.draw.color import INVALID, ColorScale, value_range, warn_invalid
from kerasviz.draw.plot import Plot
from kerasviz.draw.text import escape, text_width, wrap_text
from kerasviz.draw.tiles.background import enlarge, raster_size, resample
from kerasviz.draw.tiles.grid import GROUP_GAP, Grid, choose_columns
from kerasviz.draw.tiles.panel import (
    LARGEST_LABEL,
    MOST_TICKS,
    SMALLEST_LABEL,
    TileMatrix,
    TilePanel,
    draw_panel,
    picture_column,
)
from kerasviz.draw.tiles.scaling import resolve_scales
from kerasviz.draw.tiles.style import TileLayout, TileStyle

# Sizes in inches, as those of a figure.
ONE_PANEL = (7.0, 7.5)
MANY_PANELS = (4.4, 4.4)
LARGEST_TILE = 1.4
LARGEST_PICTURE = 2.3
ONLY_TILE = 3.0
LARGEST_CELL = 0.3
"""A value of a matrix."""
LEAST_TILE, WIDEST = 0.3, 24.0
"""A table with pictures becomes wider for its tiles to be so large, but not wider than that."""
LEAST_WIDTH = 2.6
SMALL_AXES = 3.5
"""Below this width, an Axes of the caller's gets a title in a small font."""
MARGIN = 0.12
BAR_WIDTH, BAR_PAD = 0.13, 0.1
BAR_LABELS = 0.45
"""Room for the labels of a colour bar that shares an Axes of the caller's."""
TITLE_PAD = 0.07
ASPECT = 1.4
"""Width to height of a new figure's mosaic, where the number of tiles allows it."""

GAP = 0.06
"""Distance between two tiles, as a part of a tile's side."""
LEAST_GAP = 2 / 100
LINE = 1.25
"""Height of a line of text, in sizes of its font."""
SLACK = 0.94
"""Which part of a line of small text is filled: drawn in dots, letters may be so much wider."""
LEAST_DOTS = 0.75
"""Below this size in pixels, cells are not rounded to whole pixels."""
ROW_ASPECT = 20
"""Width to height of a row of values, where it is long and there is room."""
HIGH_ROW = 0.3
"""How high a row of values in a table is where there is room, in inches."""
MIN_ROW_DOTS = 6
"""How high a row of values is in a new figure, at least."""
MAX_NAMED_HEIGHT = 100.0
"""How high a new figure becomes for each row of a table to have its name, in inches."""
FINE_TILE = 12
"""From this many values a side, a gap is a whole number of values wide."""


@dataclass(frozen=True)
class Plan:
    """A panel with its place: `unit` inches a value, numbers of `label_size` points.

    In a new figure a value is `whole_dots` wide and high, unless it is smaller than a dot.
    """

    panel: TilePanel
    grid: Grid
    unit: float
    label_size: float | None
    row_step: int = 0
    whole_dots: bool = False
    most_ticks: tuple[int, int] = (MOST_TICKS, MOST_TICKS)

    @property
    def size(self) -> tuple[float, float]:
        """Height and width of the mosaic, in inches."""
        height, width = _size(self.panel, self.grid)
        return height * self.unit, width * self.unit

    @property
    def head(self) -> float:
        """Room above the mosaic for the numbers of the first row, in inches."""
        above = self.label_size is not None and not self.row_step
        return self.grid.gap[0] * self.unit if above else 0.0


def check_panels(count: int, ax: Axes | None, noun: str = "layers") -> None:
    """Refuse, before anything is computed, an Axes for more panels than one."""
    if ax is not None and count > 1:
        raise ValueError(
            f"`ax` takes one panel, but {count} {noun} were requested: pass `figure` instead."
        )


def draw_panels(panels: Sequence[TilePanel], style: TileStyle) -> Plot:
    """Draw panels into a new figure, or into the Axes or the figure that the caller gave.

    Args:
        panels: What to draw, at least one.
        style: How to draw them.

    Returns:
        The `Plot`. A new figure is known to pyplot; if anything fails, it is closed again.
    """
    check_panels(len(panels), style.place.ax)
    warn_invalid(sum(panel.invalid for panel in panels), stacklevel=3)
    return draw_scaled(*resolve_scales(panels, style.colors), style)


def draw_scaled(
    panels: Sequence[TilePanel], scales: Sequence[ColorScale | None], style: TileStyle
) -> Plot:
    """Draw panels as `draw_panels` does, in colours that are chosen already."""
    ax, figure = style.place.ax, style.place.figure
    if ax is not None:
        return _draw_into_axes([ax], panels, scales, style)
    if figure is not None:
        columns = _panel_columns(panels)
        rows = math.ceil(len(panels) / columns)
        axes = [figure.add_subplot(rows, columns, i + 1) for i in range(len(panels))]
        return _draw_into_axes(axes, panels, scales, style)
    new = plt.figure(layout="none")
    try:
        return _draw_into_new(new, panels, scales, style)
    except BaseException:
        plt.close(new)
        raise


def draw_apart(panels: Sequence[TilePanel], style: TileStyle) -> Iterator[Plot]:
    """Draw each panel as `draw_panels` does, into a figure of its own that pyplot does not know.

    Args:
        panels: What to draw.
        style: How to draw them; `ax` and `figure` are left out of account.

    Yields:
        The `Plot` of each panel, drawn when it is asked for. Nothing is warned about.
    """
    panels, scales = resolve_scales(panels, style.colors)
    for panel, scale in zip(panels, scales, strict=True):
        yield draw_unmanaged(panel, scale, style)


def draw_unmanaged(panel: TilePanel, scale: ColorScale | None, style: TileStyle) -> Plot:
    """Draw a panel into a new figure that pyplot does not know, in colours that are chosen."""
    figure = Figure()
    figure.set_layout_engine("none")
    FigureCanvasAgg(figure)
    return _draw_into_new(figure, [panel], [scale], style)


def _panel_columns(panels: Sequence[TilePanel]) -> int:
    """Choose how many panels stand side by side: tables of pictures, which are wide, do not."""
    if any(panel.has_picture_column for panel in panels):
        return 1
    return math.ceil(math.sqrt(len(panels)))


def make_plan(
    panel: TilePanel,
    layout: TileLayout,
    room: tuple[float, float],
    dpi: float,
    *,
    new: bool,
) -> Plan:
    """Choose the grid and the size of a panel.

    Args:
        panel: What to draw.
        layout: How the tiles are laid out.
        room: Width and height to fill, in inches.
        dpi: Dots per inch of the figure.
        new: Whether the figure is a new one, in which every value is made a whole number of dots
            wide and what needs more room gets it; in another the room is all there is.
    """
    dots = dpi if new else None
    if panel.free_height:
        panel = _fit_rows(panel, room, dots)
    items, (height, width) = len(panel.tiles) // panel.slices, panel.frame
    side = math.sqrt(height * width)
    gap_width = 0.0 if panel.is_matrix else GAP * side
    block = panel.slices * (width + gap_width)
    if panel.slices > 1:
        block += (GROUP_GAP - 1) * gap_width
    if panel.table is not None:
        across = len(panel.table.columns)
    else:
        aspect = ASPECT if dots else room[0] / room[1]
        across = layout.columns or panel.columns or 0
        across = across or choose_columns(items, (height + gap_width, block), aspect)
    across = min(across, items)
    rows = -(-items // across)
    total_width = across * block
    if panel.has_picture_column:
        total_width += width + GROUP_GAP * gap_width
        wanted = min(LEAST_TILE * total_width / side, WIDEST)
        room = (max(room[0], wanted) if new else room[0], room[1])

    unit = min(room[0] / total_width, room[1] / (rows * (height + gap_width)))
    label_size = None
    whole_dots = False
    row_numbers = False
    if layout.labels and panel.table is None:
        label_size = float(np.clip(0.16 * unit * width * 72, SMALLEST_LABEL, LARGEST_LABEL))
        line = LINE * label_size / 72
        needed = (text_width(str(panel.indices.max()), label_size) + label_size / 2) / 72 / width
        if not dots:
            left = min(unit, (room[1] / rows - line) / height)
            if needed > left * panel.slices or line > left * height:
                label_size, row_numbers = SMALLEST_LABEL, True
            else:
                unit = left
    row_height = _row_height(panel, rows) if new else 0.0
    if dots:
        least = 0.0 if label_size is None else needed / panel.slices
        if panel.free_height:
            least = max(least, row_height / height, MIN_ROW_DOTS / dots / height)
        largest = LARGEST_CELL if panel.is_matrix else _largest_tile(panel) / side
        unit = max(min(unit, largest), least)
        if unit * dots >= LEAST_DOTS:
            unit = max(1, round(unit * dots), math.ceil(least * dots - 1e-6)) / dots
            whole_dots = True

    steps = (1.0, 1.0)
    if panel.pictures is not None:
        panel, steps = _fit_pictures(panel, unit * dpi)
    gap = max(LEAST_GAP, GAP * side * unit)
    line = 0.0 if label_size is None or row_numbers else LINE * label_size / 72
    gaps = (max(gap, line, row_height - height * unit) / unit, gap / unit)
    if panel.is_matrix:
        gaps = (0.0, 0.0)
    elif side >= FINE_TILE:
        whole = math.ceil(gaps[0] / steps[0]), round(gaps[1] / steps[1])
        gaps = (max(1, whole[0]) * steps[0], max(1, whole[1]) * steps[1])
    elif dots:
        dot = 1 / dots / unit
        gaps = (math.ceil(gaps[0] / dot - 1e-6) * dot, math.ceil(gaps[1] / dot - 1e-6) * dot)
    grid = Grid(len(panel.tiles), across * panel.slices, (height, width), gaps, panel.slices)
    if not dots:
        size = _size(panel, grid)
        unit = min(room[0] / size[1], room[1] / size[0])  # as the equal aspect makes it
    row_step = 0
    if row_numbers:
        row_step = math.ceil(LINE * SMALLEST_LABEL / 72 / (grid.pitch[0] * unit))
    most_ticks = (MOST_TICKS, MOST_TICKS)
    if panel.table is not None:
        most_ticks = _most_ticks(panel.table, grid, unit)
    return Plan(panel, grid, unit, label_size, row_step, whole_dots, most_ticks)


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
        tile = min(LARGEST_TILE, room[0] / (1 + GAP) / len(table.columns))
        unit = tile / length
        if dots and unit * dots >= LEAST_DOTS:
            unit = max(1, int(unit * dots)) / dots
        high = min(HIGH_ROW, room[1] / (1 + GAP) / len(table.rows))
        if dots:
            high = max(high, LINE * title_size("x-small") / 72)
        else:
            value_height = min(value_height, int(high / unit))
        value_height = max(1, value_height, math.ceil(high / unit))
    return replace(panel, value_height=value_height)


def _row_height(panel: TilePanel, rows: int) -> float:
    """Return how high a row of a table must be in a new figure to have a name, in inches."""
    line = LINE * title_size("x-small") / 72
    named = panel.table is not None and panel.table.every and rows * line <= MAX_NAMED_HEIGHT
    return line if named else 0.0


def _largest_tile(panel: TilePanel) -> float:
    """Return how large a tile may become in a new figure, in inches."""
    if len(panel.tiles) == 1:
        return ONLY_TILE
    return LARGEST_TILE if panel.alpha is None or panel.table is not None else LARGEST_PICTURE


def _size(panel: TilePanel, grid: Grid) -> tuple[float, float]:
    """Return height and width of a panel, in units of its grid."""
    height, width = grid.size
    return height, width + (picture_column(grid) if panel.has_picture_column else 0.0)


def _fit_pictures(panel: TilePanel, dots: float) -> tuple[TilePanel, tuple[float, float]]:
    """Resample a panel's pictures, and tiles that are smooth, to what the figure can show.

    Args:
        panel: The panel.
        dots: Height and width of a pixel of a picture, in dots.

    Returns:
        The panel, and the height and width in pixels of which gaps must be whole multiples, for
        values or pixels that are smaller than a dot to be blended.
    """
    pictures, frame, cells = panel.pictures, panel.frame, panel.tiles.shape[1:3]
    assert pictures is not None
    size = raster_size(frame, cells, dots)
    step_y, step_x = (
        length / (count if length * dots < count else pixels)
        for length, count, pixels in zip(frame, cells, size, strict=True)
    )
    if panel.smooth:
        panel = replace(panel, tiles=enlarge(panel.tiles, size), raw=panel.values)
    return replace(panel, pictures=resample(pictures, size)), (step_y, step_x)


def _most_ticks(table: TileMatrix, grid: Grid, unit: float) -> tuple[int, int]:
    """Return how many rows and columns of a table may get a number or a name.

    Where not all have one they are a scale, for which half as many will do.
    """
    if not table.every:
        rows, columns = (
            MOST_TICKS if len(indices) <= MOST_TICKS else MOST_TICKS // 2
            for indices in (table.rows, table.columns)
        )
        if not table.is_matrix:
            return rows, columns
    else:
        rows, columns = len(table.rows), len(table.columns)
    size = title_size("x-small")
    widest = max(text_width(str(column), size) for column in table.columns)
    height, width = 72 * unit * grid.rows * grid.pitch[0], 72 * unit * grid.size[1]
    room = int(height / (LINE * size) + 1e-6), int(width / (widest + size / 2))
    return min(rows, max(1, room[0])), min(columns, max(1, room[1]))


def panel_title(panel: TilePanel, title: str | bool | None) -> str:
    """Return the caller's title, or the panel's heading and below it a line of notes.

    Names of layers and samples are drawn letter by letter; the caller's title may hold formulas.
    """
    if isinstance(title, str):
        return title
    if not title:
        return ""
    notes = list(panel.notes)
    if panel.absent_note:
        notes.append(panel.absent_note)
    if panel.invalid:
        notes.append(f"{panel.invalid} NaN or infinite values ({INVALID})")
    return escape("\n".join([panel.heading, ", ".join(notes)]).rstrip())


def needs_bar(scale: ColorScale | None, style: TileStyle) -> bool:
    """Whether a colour bar would tell the truth: never over tiles on scales of their own."""
    return bool(style.layout.colorbar) and scale is not None and style.colors.scale != "tile"


def _draw_into_new(
    figure: Figure,
    panels: Sequence[TilePanel],
    scales: Sequence[ColorScale | None],
    style: TileStyle,
) -> Plot:
    """Draw panels one beside the other, and make the figure as large as they are.

    The axes are placed by hand: the sizes of mosaics are known, so that a layout engine, which
    costs more than the drawing itself, has nothing to find out.
    """
    room = ONE_PANEL if len(panels) == 1 else MANY_PANELS
    plans = [make_plan(panel, style.layout, room, figure.dpi, new=True) for panel in panels]
    boxes, axes, images, bars = [], [], [], []
    for plan, scale in zip(plans, scales, strict=True):
        height, width = plan.size
        figure.set_size_inches(width + 2, height + 2)
        ax = figure.add_axes(_fractions(figure, 1, 1, width, height))
        image = draw_plan(ax, plan, scale)
        bar = None
        if needs_bar(scale, style):
            cax = figure.add_axes(_fractions(figure, 1 + width, 1, BAR_WIDTH, height))
            bar = add_bar(image, plan.panel, figure, cax=cax)
        boxes.append(_measure(plan, ax, bar, style.place.title))
        axes.append(ax)
        images.append(image)
        bars.append(bar)

    columns = _panel_columns(panels)
    widths = [max(box.width for box in boxes[i::columns]) for i in range(columns)]
    rows = [boxes[i : i + columns] for i in range(0, len(boxes), columns)]
    heights = [max(box.height for box in row) for row in rows]
    figure.set_size_inches(sum(widths), sum(heights))
    for i, (box, plan, ax, bar) in enumerate(zip(boxes, plans, axes, bars, strict=True)):
        row, column = divmod(i, columns)
        height, width = plan.size
        left = sum(widths[:column]) + box.left
        bottom = sum(heights[row + 1 :]) + heights[row] - box.top - height
        ax.set_position(_fractions(figure, left, bottom, width, height))
        if bar is not None:
            bar.ax.set_position(
                _fractions(figure, left + width + BAR_PAD, bottom, BAR_WIDTH, height)
            )
        _set_title(ax, box.title, plan, title_size())
    return Plot(figure, tuple(axes), tuple(images), tuple(bars))


@dataclass(frozen=True)
class _Box:
    """The room around the mosaic of a panel, in inches, and its title broken into lines."""

    left: float
    top: float
    width: float
    height: float
    title: str


def _measure(plan: Plan, ax: Axes, bar: Colorbar | None, title: str | bool | None) -> _Box:
    height, width = plan.size
    left, right, above, below = MARGIN, MARGIN, plan.head, MARGIN
    if plan.panel.table is not None:
        around = overhang(ax)
        left += around.left
        below += around.bottom
    if bar is not None:
        around = overhang(bar.ax)
        right += BAR_PAD + BAR_WIDTH + around.right
        above = max(above, around.top)
        below = max(below, around.bottom + MARGIN / 2)
    total = max(left + width + right, LEAST_WIDTH)
    size = title_size()
    title = wrap_text(panel_title(plan.panel, title), (total - left - MARGIN) * 72, size)
    lines = len(title.splitlines())
    top = MARGIN + above + (lines * LINE * size / 72 + TITLE_PAD if lines else 0)
    return _Box(left, top, total, top + height + below, title)


class _Overhang(NamedTuple):
    left: float
    right: float
    top: float
    bottom: float


def overhang(ax: Axes) -> _Overhang:
    """Return how far ticks and labels stick out of an Axes, in inches."""
    dpi = cast(Figure, ax.get_figure(root=True)).dpi
    inner, outer = ax.get_window_extent(), ax.get_tightbbox()
    assert outer is not None  # it is `None` for an invisible Axes alone
    return _Overhang(
        (inner.x0 - outer.x0) / dpi,
        (outer.x1 - inner.x1) / dpi,
        (outer.y1 - inner.y1) / dpi,
        (inner.y0 - outer.y0) / dpi,
    )


def _fractions(
    figure: Figure, left: float, bottom: float, width: float, height: float
) -> tuple[float, float, float, float]:
    total_width, total_height = figure.get_size_inches()
    return left / total_width, bottom / total_height, width / total_width, height / total_height


def _draw_into_axes(
    axes: Sequence[Axes],
    panels: Sequence[TilePanel],
    scales: Sequence[ColorScale | None],
    style: TileStyle,
) -> Plot:
    """Draw each panel into an Axes of the caller's, as large as there is room."""
    images, bars = [], []
    for ax, panel, scale in zip(axes, panels, scales, strict=True):
        extent = ax.get_window_extent()
        dpi = ax.figure.dpi
        full = extent.width / dpi, extent.height / dpi
        has_bar = needs_bar(scale, style)
        beside = min(BAR_PAD + BAR_WIDTH + BAR_LABELS, 0.4 * full[0]) if has_bar else 0.0
        room = (full[0] - beside, full[1])
        plan = make_plan(panel, style.layout, room, dpi, new=False)
        image = draw_plan(ax, plan, scale)
        bar = None
        height, width = plan.size
        if has_bar:
            pad = BAR_PAD / full[0]
            bar = add_bar(
                image,
                panel,
                ax.figure,
                ax=ax,
                fraction=beside / full[0] - pad,
                pad=pad,
                shrink=min(1.0, height / room[1]),
                aspect=height / BAR_WIDTH,
            )
        size = title_size("medium" if full[0] >= SMALL_AXES else "small")
        title = wrap_text(panel_title(panel, style.place.title), (full[0] + width) / 2 * 72, size)
        _set_title(ax, title, plan, size)
        images.append(image)
        bars.append(bar)
    return Plot(axes[0].figure, tuple(axes), tuple(images), tuple(bars))


def draw_plan(ax: Axes, plan: Plan, scale: ColorScale | None) -> AxesImage:
    """Draw a panel as it is planned."""
    image = draw_panel(
        ax,
        plan.panel,
        plan.grid,
        scale,
        label_size=plan.label_size,
        row_step=plan.row_step,
        most_ticks=plan.most_ticks,
    )
    values, units = plan.panel.tiles.shape[1:3], plan.grid.tile
    if plan.whole_dots and values[0] <= units[0] and values[1] <= units[1]:
        # Matplotlib's own choice blends values of three dots, and by rounding errors many of one
        # and two. Without blending both stages give the same dots, and "data" is faster.
        for drawn in ax.images:
            drawn.set(interpolation="nearest", interpolation_stage="data")
    return image


def add_bar(image: AxesImage, panel: TilePanel, figure: FigureBase, **place: Any) -> Colorbar:
    """Add a colour bar, which ends in an arrow where values are beyond its limits."""
    lowest, highest = value_range(panel.tiles)
    vmin, vmax = image.get_clim()
    below, above = vmin is not None and lowest < vmin, vmax is not None and highest > vmax
    extend = {(True, True): "both", (True, False): "min", (False, True): "max"}
    bar = figure.colorbar(image, extend=extend.get((below, above), "neither"), **place)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize="small")
    if panel.alpha is not None:
        # What shines through is black in the left half and white in the right one.
        for left, color in ((0.0, "black"), (0.5, "white")):
            half = Rectangle(
                (left, 0), 0.5, 1, transform=bar.ax.transAxes, color=color, linewidth=0
            )
            bar.ax.add_patch(half).set_zorder(0)
    return bar


def title_size(relative: str = "medium") -> float:
    """Return a font size in points, such as that of "small"."""
    return float(FontProperties(size=relative).get_size_in_points())


def _set_title(ax: Axes, title: str, plan: Plan, size: float) -> None:
    # The centred title, since that is the one that `get_title` returns, but flush with the tiles.
    pad = (plan.head + TITLE_PAD) * 72
    ax.set_title(title, fontsize=size, x=0, ha="left", y=1, pad=pad)
