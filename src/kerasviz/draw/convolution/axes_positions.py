"""Keep Axes at places of their own, whatever layout engine the figure has."""

from __future__ import annotations

from typing import Any, cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.gridspec import GridSpec, SubplotSpec
from matplotlib.transforms import Bbox


class FixedPlace:
    """A place in a figure, as an axes locator.

    A layout engine moves Axes that belong to a grid, and warns of a figure whose Axes do not. These
    belong to a grid of one cell, and a locator has the last word on where they are drawn.

    Args:
        figure: The figure.
        bounds: Left, bottom, width and height in fractions of it.
    """

    def __init__(
        self, figure: Figure | SubFigure, bounds: tuple[float, float, float, float]
    ) -> None:
        self._figure = figure
        self._bounds = bounds
        self._cell = GridSpec(1, 1, figure=cast(Figure, figure))[0, 0]

    def __call__(self, _ax: Any, _renderer: Any) -> Bbox:
        """Return the place in fractions of the figure."""
        return Bbox.from_bounds(*self._bounds)

    def get_subplotspec(self) -> SubplotSpec:
        """Return the cell, where Matplotlib asks a locator for it."""
        return self._cell

    def add_axes(self) -> Axes:
        """Add an Axes here."""
        ax = self._figure.add_subplot(self._cell)
        ax.set_position(self(ax, None))  # until it is drawn; no layout engine counts it from now on
        ax.set_axes_locator(self)
        return ax


class BelowPlace(FixedPlace):
    """A place below other Axes, as wide as these are when they are drawn.

    Args:
        figure: The figure.
        beside: The Axes at the left and the one at the right end, which may be the same.
        distance: How far below them the place begins, and its height, in inches.
    """

    def __init__(
        self,
        figure: Figure | SubFigure,
        beside: tuple[Axes, Axes],
        distance: tuple[float, float],
    ) -> None:
        super().__init__(figure, (0, 0, 1, 1))
        self._beside, self._distance = beside, distance

    def __call__(self, _ax: Any, _renderer: Any) -> Bbox:
        """Return the place in fractions of the figure."""
        first, last = (ax.get_position() for ax in self._beside)
        inches = self._figure.bbox.height / self._figure.dpi
        gap, height = (each / inches for each in self._distance)
        bottom = min(first.y0, last.y0) - gap - height
        return Bbox.from_bounds(first.x0, bottom, last.x1 - first.x0, height)
