"""Place the panels of a plot: a new figure grows to what they need, the caller's is filled.

Every plot of several panels does the same. It draws each panel and measures its `PanelExtent`, the
room that title, ticks and legend need around the data area; then a `PanelGrid` puts the panels into
rows and columns. All sizes are known by then, in inches, so that no layout engine has to find them
out, which would take longer than the drawing itself, at every draw.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase, SubFigure

from kerasviz.draw.figure import Placement, current_style, figure_for
from kerasviz.draw.free_axes import add_free_axes, is_moved, locate

MIN_SIDE = 0.2
"""The smallest width and height of a data area, however small the caller's figure is, in inches."""
MIN_CHANGE = 0.01
"""By how much the size of a figure changes at least, in inches, for its panels to be fitted again.
"""


@dataclass(frozen=True, kw_only=True)
class PanelExtent:
    """The size of a panel's data area and the room that it needs around it, in inches.

    The data area is what an Axes spans: it has no ticks, labels, titles or colour bars.
    """

    width: float = 0.0
    height: float = 0.0
    left: float = 0.0
    right: float = 0.0
    above: float = 0.0
    below: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Rect:
    """A part of a figure, in inches from the figure's lower left corner."""

    left: float
    bottom: float
    width: float
    height: float

    def fractions(self, figure: Figure | SubFigure) -> tuple[float, float, float, float]:
        """Return left, bottom, width and height in parts of a figure, as Matplotlib does."""
        page_width, page_height = figure_inches(figure)
        return (
            self.left / page_width,
            self.bottom / page_height,
            self.width / page_width,
            self.height / page_height,
        )

    def place(self, ax: Axes) -> None:
        """Move an Axes here."""
        ax.set_position(self.fractions(ax.figure))


@dataclass(frozen=True, kw_only=True)
class PanelGrid:
    """Rows and columns of panels, filled row by row.

    A column is as wide as its widest panel, and a row is as high as its highest, each with the room
    around it.

    Args:
        columns: Panels in a row.
        margin: Room around all panels, in inches.
        gaps: Distance between two columns and between two rows, in inches.
        is_aligned: Whether the data areas of a column begin at one left edge, and those of a row at
            one height. If not, each panel is in the upper left corner of its cell.
        whole_dots: Whether data areas begin at whole dots, which keeps values of whole dots sharp.
    """

    columns: int
    margin: float = 0.0
    gaps: tuple[float, float] = (0.0, 0.0)
    is_aligned: bool = True
    whole_dots: bool = False

    def width(self, extents: Sequence[PanelExtent]) -> float:
        """Return the width that panels need together."""
        widths = self._column_widths(self._align(extents))
        return 2 * self.margin + sum(widths) + (len(widths) - 1) * self.gaps[0]

    def height(self, extents: Sequence[PanelExtent], heading: float = 0.0) -> float:
        """Return the height that panels need together, below a heading."""
        heights = self._row_heights(self._align(extents))
        return 2 * self.margin + heading + sum(heights) + (len(heights) - 1) * self.gaps[1]

    def start(self, extents: Sequence[PanelExtent], page_width: float) -> float:
        """Return where the first column begins: panels that leave some of a page are centred."""
        return self.margin + max(0.0, page_width - self.width(extents)) / 2

    def fill_width(self, extents: Sequence[PanelExtent], page_width: float) -> float:
        """Return the width of data areas that are equally wide and fill a page."""
        around = self.width([replace(extent, width=0.0) for extent in extents])
        return max((page_width - around) / min(self.columns, len(extents)), MIN_SIDE)

    def fill_height(
        self, extents: Sequence[PanelExtent], page_height: float, heading: float = 0.0
    ) -> float:
        """Return the height of data areas that are equally high and fill a page."""
        around = self.height([replace(extent, height=0.0) for extent in extents], heading)
        return max((page_height - around) / math.ceil(len(extents) / self.columns), MIN_SIDE)

    def fill(
        self, extents: Sequence[PanelExtent], page: tuple[float, float], heading: float = 0.0
    ) -> list[PanelExtent]:
        """Return the extents with data areas of one size that fill a page.

        On a page that is too small for what is written around the panels, all of this is squeezed:
        the words are then on one another, but every panel is in sight.
        """
        width = self.fill_width(extents, page[0])
        height = self.fill_height(extents, page[1], heading)
        filling = [replace(extent, width=width, height=height) for extent in extents]
        # Margins, gaps and the heading keep their size. The rest of the page is to be shared by the
        # panels: where they need more than that, these factors are below 1.
        fixed = heading + self.height([PanelExtent()] * len(extents))
        beside = self.width([PanelExtent()] * len(extents))
        across = max(page[0] - beside, MIN_SIDE) / (self.width(filling) - beside)
        down = max(page[1] - fixed, MIN_SIDE) / (self.height(filling, heading) - fixed)
        return [_squeeze(extent, min(across, 1.0), min(down, 1.0)) for extent in filling]

    def arrange(
        self, extents: Sequence[PanelExtent], page: tuple[float, float], heading: float = 0.0
    ) -> list[Rect]:
        """Return where data areas go on a page, below a heading.

        Panels that leave some of the page are in its middle. Of panels that need more, those at the
        right and at the bottom are cut off.
        """
        # Rows go downwards from the upper edge, while Matplotlib counts upwards from the lower one.
        top = page[1] - self.margin - heading
        top -= max(0.0, page[1] - self.height(extents, heading)) / 2
        start = self.start(extents, page[0])
        extents = self._align(extents)
        widths, heights = self._column_widths(extents), self._row_heights(extents)
        rects = []
        for index, extent in enumerate(extents):
            row, column = divmod(index, self.columns)
            left = start + sum(widths[:column]) + column * self.gaps[0] + extent.left
            bottom = top - sum(heights[:row]) - row * self.gaps[1] - extent.above - extent.height
            rects.append(Rect(left=left, bottom=bottom, width=extent.width, height=extent.height))
        return rects

    def place(
        self,
        axes: Sequence[Axes],
        extents: Sequence[PanelExtent],
        *,
        heading: float = 0.0,
        is_new: bool,
    ) -> list[Rect]:
        """Move Axes to where their panels go, and make a new figure as large as these need.

        Args:
            axes: The Axes of each panel.
            extents: The extent of each panel.
            heading: Height of what is written above all panels.
            is_new: Whether the figure is a new one, which is given its size.

        Returns:
            Where each Axes is.
        """
        figure = axes[0].figure
        # Before any Axes is moved, since Matplotlib keeps positions as fractions of the figure.
        if is_new:
            size = self.width(extents), self.height(extents, heading)
            cast(Figure, figure).set_size_inches(size)
        rects = self.arrange(extents, figure_inches(figure), heading)
        if self.whole_dots:
            rects = [_round_to_dots(rect, figure.dpi) for rect in rects]
        for ax, rect in zip(axes, rects, strict=True):
            if not is_moved(ax):
                rect.place(ax)
        return rects

    def _align(self, extents: Sequence[PanelExtent]) -> list[PanelExtent]:
        """Give the panels of a column the same room at the left, and those of a row above."""
        if not self.is_aligned:
            return list(extents)
        # Right and below need no such care: a column is as wide, and a row as high, as the panel in
        # it that reaches furthest.
        lefts = [extent.left for extent in extents]
        aboves = [extent.above for extent in extents]
        aligned = []
        for index, extent in enumerate(extents):
            first = index - index % self.columns
            left = max(lefts[index % self.columns :: self.columns])
            above = max(aboves[first : first + self.columns])
            aligned.append(replace(extent, left=left, above=above))
        return aligned

    def _column_widths(self, extents: Sequence[PanelExtent]) -> list[float]:
        widths = [extent.left + extent.width + extent.right for extent in extents]
        return [max(widths[i :: self.columns]) for i in range(min(self.columns, len(widths)))]

    def _row_heights(self, extents: Sequence[PanelExtent]) -> list[float]:
        heights = [extent.above + extent.height + extent.below for extent in extents]
        return [max(heights[i : i + self.columns]) for i in range(0, len(heights), self.columns)]


@dataclass(frozen=True, kw_only=True)
class PanelRows:
    """Rows of panels that are beside each other from left to right, without common columns.

    The data areas of a row begin at one height.

    Args:
        counts: How many panels are in each row.
        margin: Room around all panels, and half of the distance between two, in inches.
    """

    counts: Sequence[int]
    margin: float

    def place(
        self, axes: Sequence[Axes], extents: Sequence[PanelExtent]
    ) -> tuple[list[Rect], list[Rect]]:
        """Make a new figure as large as its panels need, and move their Axes to where they go.

        Args:
            axes: The Axes of each panel.
            extents: The extent of each panel.

        Returns:
            Where each Axes is, in inches, and its cell, in parts of the figure.
        """
        figure, gap = cast(Figure, axes[0].figure), 2 * self.margin
        panels = iter(extents)
        rows = [list(itertools.islice(panels, count)) for count in self.counts]
        widths = [sum(e.left + e.width + e.right + gap for e in row) for row in rows]
        aboves = [max(extent.above for extent in row) for row in rows]
        heights = [
            above + gap + max(extent.height + extent.below for extent in row)
            for row, above in zip(rows, aboves, strict=True)
        ]
        page = max(widths), sum(heights)
        figure.set_size_inches(page)
        rects, cells = [], []
        for index, row in enumerate(rows):
            left, top = 0.0, page[1] - sum(heights[:index])
            for extent in row:
                width = extent.left + extent.width + extent.right + gap
                rects.append(
                    Rect(
                        left=left + self.margin + extent.left,
                        bottom=top - self.margin - aboves[index] - extent.height,
                        width=extent.width,
                        height=extent.height,
                    )
                )
                bottom = (top - heights[index]) / page[1]
                size = width / page[0], heights[index] / page[1]
                cells.append(
                    Rect(left=left / page[0], bottom=bottom, width=size[0], height=size[1])
                )
                left += width
        for ax, rect in zip(axes, rects, strict=True):
            rect.place(ax)
        return rects, cells


def _squeeze(extent: PanelExtent, across: float, down: float) -> PanelExtent:
    """Make a panel, with all that is around it, narrower and lower by these factors."""
    return PanelExtent(
        width=across * extent.width,
        left=across * extent.left,
        right=across * extent.right,
        height=down * extent.height,
        above=down * extent.above,
        below=down * extent.below,
    )


def _round_to_dots(rect: Rect, dpi: float) -> Rect:
    """Move a part of a figure to the nearest whole dots, without changing its size."""
    left, bottom = (round(inches * dpi) / dpi for inches in (rect.left, rect.bottom))
    return replace(rect, left=left, bottom=bottom)


@dataclass(kw_only=True)
class Places:
    """Where panels are, at the size that their figure has; they are fitted again to another one.

    Args:
        figure: The figure.
        fit: Finds out `rects` at the size that the figure has now, and may write words again.
        rects: Where each panel is.
        titles: What has been written above the figure and each Axes, and may be written again.
        limits: The limits that have been set of an axis, `"x"` or `"y"`, and may be set again.
        bounds: The vertical limits that each Axes had before there was room for words in it.
    """

    figure: Figure | SubFigure
    fit: Callable[[], None]
    rects: Sequence[Rect] = ()
    titles: dict[Figure | SubFigure | Axes, str] = field(default_factory=dict)
    limits: dict[tuple[Axes, str], tuple[float, float]] = field(default_factory=dict)
    bounds: dict[Axes, tuple[float, float]] = field(default_factory=dict)
    is_resized: bool = False
    # The caller's style may have ended by the time that the figure gets another size.
    _style: Any = field(default_factory=current_style)
    _size: tuple[float, float] = (0.0, 0.0)

    def put(
        self,
        axes: Sequence[Axes],
        grid: PanelGrid,
        extents: Sequence[PanelExtent],
        heading: float = 0.0,
        *,
        is_new: bool = False,
    ) -> None:
        """Move Axes to where their panels go, and keep them there; see `PanelGrid.place`.

        An Axes that the caller has moved stays where it is.
        """
        free = _free_axes(axes)
        self.rects = grid.place(axes, extents, heading=heading, is_new=is_new)
        self._keep(free)

    def put_at(self, axes: Sequence[Axes], rects: Sequence[Rect]) -> None:
        """Move Axes to these places, and keep them there; see `put`."""
        free, self.rects = _free_axes(axes), rects
        for index, ax in free.items():
            rects[index].place(ax)
        self._keep(free)

    def _keep(self, free: Mapping[int, Axes]) -> None:
        self._size = figure_inches(self.figure)
        for index, ax in free.items():
            locate(ax, partial(self.rect, index))

    def watch(self, axes: Sequence[Axes]) -> None:
        """Fit words in Axes that stay where they are; one that something else locates does not."""
        self._size = figure_inches(self.figure)
        for ax in axes:
            if ax.get_axes_locator() is None:
                locate(ax, self._fit_to_size, is_placed=False)

    def rect(self, index: int) -> Rect:
        """Return where a panel is, at the size that the figure has now."""
        self._fit_to_size()
        return self.rects[index]

    def _fit_to_size(self) -> None:
        size = figure_inches(self.figure)
        if math.dist(size, self._size) > MIN_CHANGE:
            self.is_resized, self._size = True, size  # what is measured while it is fitted asks too
            with rc_context(self._style):
                self.fit()


def _free_axes(axes: Sequence[Axes]) -> dict[int, Axes]:
    """Return the Axes that the caller has not moved, by their index."""
    return {index: ax for index, ax in enumerate(axes) if not is_moved(ax)}


@dataclass(frozen=True, kw_only=True)
class OpenPanels:
    """The Axes of a plot's panels, while it is drawn.

    Args:
        figure: The figure.
        axes: One Axes per panel, row by row.
        grid: Their rows and columns.
        grows: Whether the figure becomes as large as its panels need.
        is_movable: Whether the panels are placed here, and not by the caller, whose Axes it is, or
            by the layout engine of that.
        places: Where they are.
    """

    figure: Figure | SubFigure
    axes: tuple[Axes, ...]
    grid: PanelGrid
    grows: bool
    is_movable: bool
    places: Places

    def place(self, extents: Sequence[PanelExtent], heading: float = 0.0) -> None:
        """Place the panels, where they are movable, in the figure at any size.

        Args:
            extents: The extent of each panel. The size of its data area is that in a new figure; in
                the caller's all data areas are of one size, which fills the figure.
            heading: Height of what is written above all panels.
        """
        if not self.is_movable:
            return
        # A figure that may grow becomes as large as its panels need; another is filled by them.
        is_new, sizes = self.grows and not self.places.is_resized, list(extents)
        if not is_new:
            sizes = self.grid.fill(extents, figure_inches(self.figure), heading)
        self.places.put(self.axes, self.grid, sizes, heading, is_new=is_new)
        self.places.fit = partial(self.place, extents, heading)

    def fit(self, fit: Callable[[], None]) -> None:
        """Place the panels and write around them, now and when the figure gets another size.

        Args:
            fit: Does so at the size that the figure has; it leaves alone what the caller has
                changed since.
        """

        def keep() -> None:
            # Former titles would count as room that the panels need.
            for ax in self.axes:
                if self.places.titles.get(ax) == ax.get_title():
                    ax.set_title("")
                    self.places.titles[ax] = ""
            fit()
            self.places.fit = keep  # `place` has put itself there

        keep()
        if not self.is_movable:
            self.places.watch(self.axes)


@contextmanager
def open_panels(
    place: Placement, grid: PanelGrid, count: int, *, share: bool = False
) -> Iterator[OpenPanels]:
    """Yield the Axes of `count` panels: the caller's, or new ones in the caller's or a new figure.

    A new figure is known to pyplot; it is closed again if drawing fails. With `share` the panels
    have one horizontal axis.
    """
    with figure_for(place, (1, 1), layout="none") as figure:
        axes = [place.ax] if place.ax is not None else add_axes(figure, count, share=share)
        yield OpenPanels(
            figure=axes[0].figure,
            axes=tuple(axes),
            grid=grid,
            grows=place.grows,
            is_movable=place.ax is None,
            places=Places(figure=axes[0].figure, fit=lambda: None),
        )


def add_axes(figure: FigureBase, count: int, *, share: bool = False) -> list[Axes]:
    """Add `count` Axes to a figure, to be placed; with `share` they have one horizontal axis."""
    axes: list[Axes] = []
    for _ in range(count):
        axes.append(add_free_axes(figure, share=axes[0] if share and axes else None))
    return axes


def has_layout_engine(figure: Figure | SubFigure) -> bool:
    """Whether a layout engine places the caller's Axes in a figure."""
    return figure.get_figure(root=True).get_layout_engine() is not None


def measure(ax: Axes) -> PanelExtent:
    """Return the size of an Axes, and how far ticks, labels and titles stick out of it."""
    dpi = ax.figure.dpi
    inner, outer = ax.get_window_extent(), ax.get_tightbbox()
    assert outer is not None  # it is `None` for an invisible Axes alone
    return PanelExtent(
        width=inner.width / dpi,
        height=inner.height / dpi,
        left=(inner.x0 - outer.x0) / dpi,
        right=(outer.x1 - inner.x1) / dpi,
        above=(outer.y1 - inner.y1) / dpi,
        below=(inner.y0 - outer.y0) / dpi,
    )


def measure_axis_right(ax: Axes) -> float:
    """Return how far the numbers of a vertical axis stick out at the right, in inches.

    This takes half as long as `measure`.
    """
    outer: Any = ax.yaxis.get_tightbbox()  # which Matplotlib has no right type for
    return 0.0 if outer is None else max((outer.x1 - ax.get_window_extent().x1) / ax.figure.dpi, 0)


def figure_inches(figure: Figure | SubFigure) -> tuple[float, float]:
    """Return width and height of a figure, or of a part of one."""
    return figure.bbox.width / figure.dpi, figure.bbox.height / figure.dpi
