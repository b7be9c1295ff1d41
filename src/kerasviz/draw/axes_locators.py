"""Keep panels and colour bars where they belong, also after the size of a figure has changed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.image import AxesImage
from matplotlib.text import Annotation
from matplotlib.ticker import FixedLocator, FuncFormatter
from typing_extensions import override

from kerasviz.draw.figure import current_style
from kerasviz.draw.free_axes import locate
from kerasviz.draw.panel_grid import PanelExtent, Rect, figure_inches
from kerasviz.draw.text import (
    LINE_HEIGHT,
    RESOLUTION_MARGIN,
    elide_middle,
    escape,
    font_size,
    screen_width,
    text_height,
    wrap_text,
)

# Sizes in inches, as those of a figure.
MARGIN = 0.12
"""Room around a panel, with its title and colour bar."""
TITLE_PAD = 0.07
"""Distance between the tiles, with the numbers above them, and the title."""
MIN_MOSAIC, MIN_LINES = 0.6, 4.5
"""The smallest width and height of a panel, without what is written around it: in inches, and in
lines of small text, so that the numbers of a colour bar are apart."""
MIN_WORDS = 14
"""The smallest width of a title, in sizes of its font."""
MIN_ROOM = 0.75
"""The least height of the room for the number of a tile, in sizes of its font: a digit's."""
MIN_CHANGE = 0.02
"""By how much the size of a chart changes at least, in inches, for it to be drawn again."""


def min_side() -> float:
    """Return the smallest side of a panel, in inches."""
    return max(MIN_MOSAIC, MIN_LINES * font_size("small") / 72)


@dataclass(frozen=True, kw_only=True)
class Title:
    """The title of a panel, which is broken into lines as its width changes.

    Args:
        text: The title.
        size: The size of its font, in points.
        is_own: Whether it is the caller's, who may have written a formula.
    """

    text: str
    size: float
    is_own: bool = False

    def lines(self, width: float) -> str:
        """Return the title in lines that are at most `width` inches wide.

        Longer words, such as the address of a layer, lose their middle.
        """
        points = 72 * width
        if self.is_own:
            return wrap_text(self.text, points, self.size, on_screen=True)
        words = [
            " ".join(elide_middle(word, points, self.size) for word in line.split(" "))
            for line in self.text.splitlines()
        ]
        return escape(wrap_text("\n".join(words), points, self.size, on_screen=True))

    def height(self, lines: str) -> float:
        """Return the height of the lines with the distance below them, in inches."""
        return text_height(lines, self.size) + TITLE_PAD if lines else 0.0

    def width(self, lines: str) -> float:
        """Return the width of the lines, in inches."""
        widths = [screen_width(line.replace(r"\$", "$"), self.size) for line in lines.splitlines()]
        return max(widths, default=0.0) / 72

    @property
    def min_width(self) -> float:
        """The width below which a title is not broken into lines that can be read."""
        words = [screen_width(word, self.size) for word in self.text.split()]
        return min(MIN_WORDS * self.size, RESOLUTION_MARGIN * max(words, default=0.0)) / 72


@dataclass(kw_only=True)
class Frame:
    """A panel that is drawn, and what is around it.

    Args:
        ax: Its Axes.
        title: Its title.
        around: The room that is needed around the Axes without the title, in inches. Above it is a
            number of the colour bar, on which a title must not be that reaches so far.
        size: Height and width of the Axes as it was planned, in inches.
        head: Room above the Axes for numbers of tiles, which grows with it.
        chart: What is in it, where its height and width are not in proportion.
    """

    ax: Axes
    title: Title
    around: PanelExtent
    size: tuple[float, float]
    head: float = 0.0
    chart: Redrawn | None = None
    _lines: str = ""

    def write_title(self, lines: str, width: float, head: float) -> None:
        """Write the title above an Axes of some width, and above the numbers of tiles.

        A title that the caller has changed afterwards stays as it is.
        """
        if self.ax.get_title() != self._lines:
            return
        pad = 72 * (self.over(lines, width, head) + TITLE_PAD)
        # The centred title, since that is the one that `get_title` returns, but flush left.
        self.ax.set_title(lines, fontsize=self.title.size, x=0, ha="left", y=1, pad=pad)
        self._lines = self.ax.get_title()

    def over(self, lines: str, width: float, head: float) -> float:
        """Return how far above an Axes its title begins, without the distance between them."""
        return max(head, self.around.above if self.title.width(lines) > width else 0.0)

    def above(self, lines: str, width: float, head: float) -> float:
        """Return the room that an Axes of some width needs above it."""
        room = self.over(lines, width, head) + self.title.height(lines)
        return max(room, self.around.above)

    def min_width(self) -> float:
        """Return the width of a cell below which the panel is too small."""
        beside = self.around.left + self.around.right
        return max(beside + min_side(), self.around.left + self.title.min_width)

    def min_height(self, width: float) -> float:
        """Return the height of a cell of some width below which the panel is too small."""
        lines = self.title.lines(width - self.around.left)
        # Numbers of tiles share the least height with their tiles, and become smaller with them.
        return self.above(lines, 0.0, 0.0) + self.around.below + min_side()

    def fit(
        self,
        cell: Rect,
        *,
        around: PanelExtent | None = None,
        above: float = 0.0,
        is_centered: bool = True,
    ) -> Rect:
        """Return where the Axes is in a cell, which it fills with all that is around it.

        Args:
            cell: The cell.
            around: The room around the Axes, where it is more than needed.
            above: Room above the Axes, where it is more than needed.
            is_centered: Whether a panel that is lower than the cell is in its middle.
        """
        around = around or self.around
        lines = self.title.lines(cell.width - around.left)
        width = max(cell.width - around.left - around.right, 0.05)
        size, head = (max(cell.height - around.below, 0.05), width), self.head
        for _ in range(3):  # the numbers above tiles have room that depends on the tiles' size
            room = max(above, self.above(lines, size[1], head))
            height = max(cell.height - room - around.below, 0.05)
            scale = min(width / self.size[1], height / self.size[0])
            size, head = (scale * self.size[0], scale * self.size[1]), scale * self.head
            if self.chart is not None:
                size = height, width
        if self.chart is not None:
            self.chart.resize(size)
        self.write_title(lines, size[1], head)
        # In the middle, unless the title would then leave the cell at the right.
        words = cell.width - around.left - self.title.width(lines)
        beside, below = width - size[1], height - size[0]
        return Rect(
            left=cell.left + around.left + max(0.0, min(beside / 2, words)),
            bottom=cell.bottom + around.below + (below / 2 if is_centered else below),
            width=size[1],
            height=size[0],
        )


@dataclass(kw_only=True)
class Page:
    """Panels in the cells of a figure, from the upper left to the lower right.

    Args:
        figure: The figure, or a part of one.
        frames: The panels.
        cells: The cell of each panel, in parts of the figure.
        natural: The size of a figure that was made for its panels, and where they are in it.
    """

    figure: Figure | SubFigure
    frames: Sequence[Frame]
    cells: Sequence[Rect]
    natural: tuple[tuple[float, float], Sequence[Rect]] | None = None
    _size: tuple[float, float] = (0.0, 0.0)
    _rects: Sequence[Rect] = ()

    def attach(self) -> None:
        """Move the Axes to their places, now and whenever the figure is drawn."""
        for index, frame in enumerate(self.frames):
            self.rect(index).place(frame.ax)
            locate(frame.ax, partial(self.rect, index))

    def rect(self, index: int) -> Rect:
        """Return where a panel is, in the size that the figure has now."""
        size = figure_inches(self.figure)
        if self.natural is not None and math.dist(size, self.natural[0]) < 0.01:
            return self.natural[1][index]
        if size != self._size:
            self._size, self._rects = size, self._arrange(size)
        return self._rects[index]

    def least_size(self) -> tuple[float, float]:
        """Return the least size of a figure that is at least as large, in which all is legible."""
        gap, width = 2 * MARGIN, figure_inches(self.figure)[0]
        panels = list(zip(self.frames, self.cells, strict=True))
        least = max((frame.min_width() + gap) / cell.width for frame, cell in panels)
        wide = max(width, least)
        heights = [
            (frame.min_height(wide * cell.width - gap) + gap) / cell.height
            for frame, cell in panels
        ]
        return least, max(heights)

    def cell(self, index: int, size: tuple[float, float]) -> Rect:
        """Return the cell of a panel in a figure of some size."""
        part = self.cells[index]
        return Rect(
            left=part.left * size[0] + MARGIN,
            bottom=part.bottom * size[1] + MARGIN,
            width=part.width * size[0] - 2 * MARGIN,
            height=part.height * size[1] - 2 * MARGIN,
        )

    def row(self, index: int) -> list[int]:
        """Return the indices of the panels that are in a row with one."""
        bottom = self.cells[index].bottom
        return [i for i, cell in enumerate(self.cells) if math.isclose(cell.bottom, bottom)]

    def _arrange(self, size: tuple[float, float]) -> list[Rect]:
        rects = []
        for index, frame in enumerate(self.frames):
            cell = self.cell(index, size)
            row = [(self.frames[i], self.cell(i, size)) for i in self.row(index)]
            above = max(
                other.above(other.title.lines(its.width - other.around.left), 0.0, other.head)
                for other, its in row
            )
            rects.append(frame.fit(cell, above=above, is_centered=len(self.frames) == 1))
        return rects


class ThinnedTicks(FixedLocator):
    """Ticks at evenly spaced rows or columns, of which fewer are drawn where an Axes is small.

    Args:
        centers: The middle of each, in data.
        names: What is written there, letter by letter.
        apart: The least distance of two names, in inches.
        fixed: Further ticks, which are always drawn: their positions and names.
    """

    def __init__(
        self,
        centers: Sequence[float],
        names: Sequence[str],
        *,
        apart: float,
        fixed: tuple[Sequence[float], Sequence[str]] = ((), ()),
    ) -> None:
        self._fixed, self._centers, self._apart = list(fixed[0]), list(centers), apart
        self._names = [*fixed[1], *names]
        self._positions = np.array([*self._fixed, *self._centers])
        super().__init__(self._positions.tolist())

    def attach(self, axis: Any, size: float | str) -> None:
        """Let an axis have these ticks and names, in letters of some size."""
        axis.set_major_locator(self)
        axis.set_major_formatter(FuncFormatter(lambda value, _: self._name(value)))
        axis.set_tick_params(labelsize=size)

    def __call__(self) -> Any:
        """Return the positions of the ticks that have room, at the size that the Axes has now."""
        axis: Any = self.axis
        pitch = abs(self._centers[1] - self._centers[0]) if len(self._centers) > 1 else math.inf
        box, is_vertical = axis.axes.get_window_extent(), axis.axis_name == "y"
        length = (box.height if is_vertical else box.width) / axis.axes.figure.dpi
        low, high = axis.get_view_interval()
        steps = self._apart * abs(high - low) / max(pitch * length, 1e-9)
        step = math.ceil(min(steps, len(self._centers)) - 1e-6)
        return np.array([*self._fixed, *self._centers[:: max(step, 1)]])

    def _name(self, value: float) -> str:
        return escape(self._names[int(np.argmin(np.abs(self._positions - value)))])


class FittedName(Annotation):
    """The words above a tile: as much of it as has room at the size that the Axes has now.

    Args:
        name: The number or the name of the tile.
        corner: Its upper left corner, in data.
        room: How high and how wide the name may be, in data.
        sizes: The least and the usual size of its font, in points.
        is_number: Whether it is a number, which is written in full or not at all.
        color: Its colour.
    """

    def __init__(
        self,
        name: str,
        corner: tuple[float, float],
        *,
        room: tuple[float, float],
        sizes: tuple[float, float],
        is_number: bool,
        color: str | None,
    ) -> None:
        self._name, self._room, self._sizes, self._is_number = name, room, sizes, is_number
        super().__init__(
            escape(name),
            corner,
            xytext=(0, 1.5),
            textcoords="offset points",
            fontsize=sizes[1],
            va="baseline",
            color=color,
            annotation_clip=False,
        )
        self._written = self.get_text()

    @override
    def draw(self, renderer: Any) -> None:
        """Draw it as Matplotlib does, in its room."""
        self._fit()
        super().draw(renderer)

    @override
    def get_window_extent(self, renderer: Any = None, dpi: float | None = None) -> Any:
        """Return where it is drawn; as of any annotation, at the figure's own resolution."""
        self._fit()
        return super().get_window_extent(renderer)

    def _fit(self) -> None:
        """Shorten it to its room; a text of the caller's stays as it is."""
        ax: Any = self.axes
        if ax is None or self.get_text() != self._written:
            return
        left, right = ax.get_xlim()
        # The aspect is equal, so that a unit is as high as wide.
        unit = ax.get_window_extent().width / abs(right - left) / ax.figure.dpi * 72
        height, width = (unit * side for side in self._room)
        size = min(self._sizes[1], max(height / LINE_HEIGHT, self._sizes[0]))
        text = self._name if self._is_number else elide_middle(self._name, width, size)
        is_wide = self._is_number and screen_width(text, size) > width + size / 2
        has_room = height >= MIN_ROOM * size and not is_wide
        self.set_text(escape(text) if has_room else "")
        self.set_fontsize(size)
        self._written = self.get_text()


class Redrawn:
    """Artists of an Axes that depend on its size: drawn again when that changes.

    Args:
        ax: The Axes.
        draw: Draws it at a height and a width in inches; an image that it returns stays the same.
    """

    def __init__(self, ax: Axes, draw: Callable[[tuple[float, float]], AxesImage | None]) -> None:
        self._ax, self._draw = ax, draw
        # The caller's style may have ended by then.
        self._style = current_style()
        self._artists: list[Artist] = []
        self._size = (0.0, 0.0)
        self.image: AxesImage | None = None

    def resize(self, size: tuple[float, float]) -> None:
        """Draw it at a size, in place of what was drawn at another."""
        if math.dist(size, self._size) < MIN_CHANGE:
            return
        for artist in self._artists:
            artist.remove()
        before = set(self._ax.get_children())
        with rc_context(self._style):
            image = self._draw(size)
        first: Any = self.image
        if image is not None and first is not None:  # which stays in the Axes
            first.take_cells(image)
            image.remove()
        self.image, self._size = first or image, size
        children = [artist for artist in self._ax.get_children() if artist not in before]
        self._artists = [artist for artist in children if artist is not self.image]


@dataclass(kw_only=True)
class Slot:
    """A panel in an Axes of the caller's, and in what is free around it.

    Args:
        frame: The panel.
    """

    frame: Frame

    def attach(self) -> None:
        """Move what is drawn into the room that the Axes had, now and whenever it is drawn."""
        ax = self.frame.ax
        locate(ax, self.rect, is_placed=False)

    def rect(self) -> Rect:
        """Return where the panel is."""
        slot, cell = self._slot(), self.cell()
        around = self.frame.around
        # The panel does not leave the Axes; what is around it may, above, below and at the left.
        inner = replace(
            around,
            left=max(around.left, slot.left - cell.left),
            below=max(around.below, slot.bottom - cell.bottom),
        )
        above = cell.bottom + cell.height - slot.bottom - slot.height
        return self.frame.fit(cell, around=inner, above=above)

    def cell(self) -> Rect:
        """Return the Axes with the room above, below and at the left of it that is free.

        What a layout engine places has no free room: it gives to each Axes what that needs.
        """
        slot, figure = self._slot(), self.frame.ax.figure
        if figure.get_figure(root=True).get_layout_engine() is not None:
            return slot
        page = figure_inches(figure)
        left = self._free(slot, "left", slot.left)
        below = self._free(slot, "below", slot.bottom)
        above = self._free(slot, "above", page[1] - slot.bottom - slot.height)
        return Rect(
            left=slot.left - left,
            bottom=slot.bottom - below,
            width=slot.width + left,
            height=slot.height + below + above,
        )

    def least_size(self) -> tuple[float, float]:
        """Return the least size of the caller's figure that is at least as large."""
        page, cell = figure_inches(self.frame.ax.figure), self.cell()
        least = self.frame.min_width()
        height = self.frame.min_height(max(cell.width, least))
        return page[0] * least / cell.width, page[1] * height / cell.height

    def _slot(self) -> Rect:
        return original_rect(self.frame.ax)

    def _free(self, slot: Rect, side: str, to_edge: float) -> float:
        """Return how much is free at a side: up to the edge, or half of the way to an Axes."""
        free = max(to_edge - MARGIN / 2, 0.0)
        own = self.frame.ax
        for other in own.figure.axes:
            if other is own or other in own.child_axes:
                continue
            box = original_rect(other)
            if side == "left":
                is_beside = box.bottom < slot.bottom + slot.height
                is_beside = is_beside and box.bottom + box.height > slot.bottom
                distance = slot.left - box.left - box.width
            else:
                is_beside = box.left < slot.left + slot.width and box.left + box.width > slot.left
                distance = (
                    box.bottom - slot.bottom - slot.height
                    if side == "above"
                    else slot.bottom - box.bottom - box.height
                )
            if is_beside and distance >= 0:
                free = min(free, distance / 2)
        return free


def original_rect(ax: Axes) -> Rect:
    """Return where an Axes is in its figure, in inches, before its aspect is applied."""
    box, page = ax.get_position(original=True), figure_inches(ax.figure)
    return Rect(
        left=box.x0 * page[0],
        bottom=box.y0 * page[1],
        width=box.width * page[0],
        height=box.height * page[1],
    )


def place_beside(cax: Axes, ax: Axes, pad: float, width: float) -> None:
    """Keep an Axes, such as of a colour bar, `pad` inches beside another, and as high."""

    def beside() -> Rect:
        locator: Any = ax.get_axes_locator()
        ax.apply_aspect(locator(ax, None) if locator else None)
        box, page = ax.get_position(), figure_inches(ax.figure)
        return Rect(
            left=box.x1 * page[0] + pad,
            bottom=box.y0 * page[1],
            width=width,
            height=box.height * page[1],
        )

    locate(cax, beside, is_placed=False)
