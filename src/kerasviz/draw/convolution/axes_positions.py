"""Keep a colour bar below the parts of a picture that it explains."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.transforms import Bbox


class BelowPlace:
    """A place below other Axes, as wide as these are when they are drawn, as an axes locator.

    Args:
        beside: The Axes at the left and the one at the right end, which may be the same.

    Attributes:
        distance: How far below them the place begins, in inches.
        height: Its height, in inches.
    """

    distance: float = 0.0
    height: float = 0.0

    def __init__(self, beside: tuple[Axes, Axes]) -> None:
        self._beside = beside

    def __call__(self, _ax: Any, _renderer: Any) -> Bbox:
        """Return the place in fractions of the figure."""
        first, last = (ax.get_position() for ax in self._beside)
        figure = self._beside[0].figure
        inches = figure.bbox.height / figure.dpi
        bottom = min(first.y0, last.y0) - (self.distance + self.height) / inches
        return Bbox.from_bounds(first.x0, bottom, last.x1 - first.x0, self.height / inches)
