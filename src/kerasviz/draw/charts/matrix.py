"""Draw a matrix of similarities as cells in colours, with a name for each row and column."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.image import AxesImage
from matplotlib.text import Text

from kerasviz.draw.charts.axes import EDGE, font_scale, write_title
from kerasviz.draw.color import ColorScale, color_scale, faint_color, ground_color, ink_on
from kerasviz.draw.figure import Placement, describe_on_hover
from kerasviz.draw.least_size import draw_legible
from kerasviz.draw.panel_grid import (
    OpenPanels,
    PanelExtent,
    PanelGrid,
    figure_inches,
    has_layout_engine,
    measure,
    open_panels,
)
from kerasviz.draw.plot import Panel, Plot
from kerasviz.draw.text import (
    LABEL_SIZE,
    LINE_FILL,
    LINE_HEIGHT,
    NOTE_SIZE,
    elide_middle,
    escape,
    font_size,
    text_width,
    wrap_text,
)

SIDE, MAX_SIDE = 3.6, 6.5
"""The least and the largest side of the matrix in a new figure, in inches."""
CELL = 0.14
"""The side of a cell in a new figure, between these."""
MAX_NAME = 1.6
"""How wide a name of a row or column may be, in inches."""
BAR = (1.02, 0.0, 0.03, 1.0)
"""Where the colour bar is, in parts of the panel."""
PAD = 4.0
"""Distance of the title from the panel, in points."""


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """A matrix of similarities.

    Args:
        values: `(rows, columns)`; NaN where there is none.
        rows: The name of each row.
        columns: The name of each column.
        axes: What rows and columns are.
        limits: The lowest and highest value of the colours; negative values are blue.
        unit: What the values are, beside the colour bar.
        title: The title, letter by letter.
        address: What it belongs to.
        indices: The index of each row, where it has one.
        has_numbers: Whether each cell has its value in numbers, where there is room.
    """

    values: np.ndarray
    rows: Sequence[str]
    columns: Sequence[str]
    axes: tuple[str, str]
    limits: tuple[float, float]
    unit: str
    title: str
    address: str = ""
    indices: np.ndarray | None = None
    has_numbers: bool = False


def draw_matrix(matrix: Matrix, place: Placement) -> Plot:
    """Draw a matrix into a new figure, or into the Axes or the figure of the caller.

    Raises:
        ValueError: The caller's figure is too small.
    """

    def draw(place: Placement) -> Plot:
        with open_panels(place, PanelGrid(columns=1, margin=EDGE), 1) as opened:
            panel = _draw(opened, matrix, place)
            return Plot(figure=opened.figure, panels=(panel,), owns_figure=place.is_new)

    return draw_legible(place, draw)


def _draw(opened: OpenPanels, matrix: Matrix, place: Placement) -> Panel:
    (ax,) = opened.axes
    scale = color_scale(
        matrix.values, vmin=matrix.limits[0], vmax=matrix.limits[1], signed=matrix.limits[0] < 0
    )
    image = _draw_cells(ax, matrix, scale)
    bar = ax.figure.colorbar(image, cax=ax.inset_axes(BAR))
    # In an Axes that stays where it is, the title alone may have room to say what the values are.
    if place.title is not True or _has_room_for_unit(opened, place):
        bar.set_label(matrix.unit, fontsize=font_size(LABEL_SIZE))
    bar.ax.tick_params(labelsize=font_size(NOTE_SIZE))
    numbers: list[Text] = []

    def write() -> None:
        _write_words(opened, matrix, place)
        for number in numbers:
            if number.axes is not None:  # the caller may have removed it
                number.remove()
        numbers[:] = _write_numbers(ax, matrix, scale) if matrix.has_numbers else []

    opened.fit(write)
    return Panel(
        ax=ax,
        address=matrix.address,
        indices=matrix.indices,
        values=matrix.values,
        limits=image.get_clim(),
        title=matrix.title,
        image=image,
        colorbar=bar,
    )


def _write_words(opened: OpenPanels, matrix: Matrix, place: Placement) -> None:
    """Write names and title, at the size that the panel has, and place it among them."""
    (ax,) = opened.axes
    rows, columns = matrix.values.shape
    extent = PanelExtent(width=_side(columns), height=_side(rows))
    opened.place([extent])
    # Which names there is room for depends on the size, and this on the names and the title.
    for _ in range(2):
        _write_names(ax, matrix, _room_for_names(opened, place))
        opened.place([_with_room(ax, extent)])
        _write_title(opened, ax, matrix, place)
        opened.place([_with_room(ax, extent)])


def _side(count: int) -> float:
    return font_scale() * min(max(SIDE, CELL * count), MAX_SIDE)


def _with_room(ax: Axes, extent: PanelExtent) -> PanelExtent:
    """Return the extent with the room that names, bar and title take around the panel."""
    around = measure(ax)
    return replace(
        extent, left=around.left, right=around.right, above=around.above, below=around.below
    )


def _draw_cells(ax: Axes, matrix: Matrix, scale: ColorScale) -> AxesImage:
    cmap = scale.cmap.with_extremes(bad=faint_color(ground_color(ax.figure)))
    values = np.ma.masked_invalid(matrix.values)
    image = ax.imshow(values, norm=scale.norm, cmap=cmap, aspect="auto", interpolation="nearest")
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, pad=2)

    def describe(x: float, y: float) -> str:
        row, column = math.floor(y + 0.5), math.floor(x + 0.5)
        if not (0 <= row < len(matrix.rows) and 0 <= column < len(matrix.columns)):
            return ""
        return f"{matrix.rows[row]}, {matrix.columns[column]}: {matrix.values[row, column]:.3f}"

    describe_on_hover(ax, describe)
    return image


def _room_for_names(opened: OpenPanels, place: Placement) -> tuple[float, float]:
    """Return how long the names at the left and those below may be, in points."""
    longest = 72 * MAX_NAME
    if place.ax is None or has_layout_engine(opened.figure):
        return longest, longest
    # An Axes of the caller's stays where it is: the room beside it is all there is.
    box, page = place.ax.get_window_extent(), opened.figure.bbox
    beside = box.x0 - page.x0, box.y0 - page.y0
    label = LINE_HEIGHT * font_size(LABEL_SIZE) + 3 * PAD
    left, below = (min(longest, max(72 * dots / opened.figure.dpi - label, 0.0)) for dots in beside)
    return left, below


def _has_room_for_unit(opened: OpenPanels, place: Placement) -> bool:
    """Whether the colour bar's numbers leave room at the right for the word beside them."""
    if place.ax is None or has_layout_engine(opened.figure):
        return True
    box, page = place.ax.get_window_extent(), opened.figure.bbox
    bar = (BAR[0] + BAR[2] - 1) * box.width
    free = 72 * (page.x1 - box.x1 - bar) / opened.figure.dpi
    numbers = text_width("−1.00", font_size(NOTE_SIZE))
    return bool(free >= numbers + LINE_HEIGHT * font_size(LABEL_SIZE) + 4 * PAD)


def _write_names(ax: Axes, matrix: Matrix, room: tuple[float, float]) -> None:
    """Write the names of as many rows and columns as there is room for, evenly spaced."""
    size = font_size(NOTE_SIZE)
    box, dpi = ax.get_window_extent(), ax.figure.dpi
    line = LINE_HEIGHT * size
    short = [elide_middle(name, room[0], size) for name in matrix.rows]
    step = max(1, math.ceil(line * len(short) / (72 * box.height / dpi)))
    ticks = np.arange(0, len(short), step)
    ax.set_yticks(ticks, [escape(short[n]) for n in ticks], fontsize=size)
    pitch = 72 * box.width / dpi / len(matrix.columns)
    is_upright = max(text_width(name, size) for name in matrix.columns) + size > pitch
    short = list(matrix.columns)
    if is_upright:
        short = [elide_middle(name, room[1], size) for name in matrix.columns]
    step = max(1, math.ceil(line / pitch)) if is_upright else 1
    ticks = np.arange(0, len(short), step)
    names = [escape(short[n]) for n in ticks]
    ax.set_xticks(ticks, names, fontsize=size, rotation=90 if is_upright else 0)
    ax.set_ylabel(escape(matrix.axes[0]), fontsize=font_size(LABEL_SIZE))
    ax.set_xlabel(escape(matrix.axes[1]), fontsize=font_size(LABEL_SIZE))


def _write_title(opened: OpenPanels, ax: Axes, matrix: Matrix, place: Placement) -> None:
    """Write the title above the panel, as wide as panel and colour bar."""
    if not place.title:
        return
    around = measure(ax)
    width = around.width + around.right
    if not opened.is_movable:
        width = min(width, figure_inches(opened.figure)[0])
    text = place.title if isinstance(place.title, str) else escape(matrix.title)
    lines = wrap_text(text, LINE_FILL * 72 * width, font_size())
    pad = PAD + font_size(NOTE_SIZE) / 2  # half of the uppermost number is above the colour bar
    write_title(opened, ax, lines, size=font_size(), pad=pad)


def _write_numbers(ax: Axes, matrix: Matrix, scale: ColorScale) -> list[Text]:
    """Write the value of each cell, where all of them have room."""
    size = font_size(NOTE_SIZE)
    box, dpi = ax.get_window_extent(), ax.figure.dpi
    rows, columns = matrix.values.shape
    if 72 * box.width / dpi / columns < 2.6 * size or 72 * box.height / dpi / rows < 1.5 * size:
        return []
    finite = [cell for cell, value in np.ndenumerate(matrix.values) if np.isfinite(value)]
    numbers = []
    for row, column in finite:
        value = matrix.values[row, column]
        # Black or white, whichever is easier to read on the colour of the cell.
        ground = to_hex(scale.cmap(scale.norm(value)))
        number = ax.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=size)
        number.set_color(ink_on(ground))
        numbers.append(number)
    return numbers
