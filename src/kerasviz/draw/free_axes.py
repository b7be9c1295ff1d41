"""Axes that are placed by hand, and stay there whatever layout engine their figure has."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase
from matplotlib.gridspec import GridSpec, SubplotSpec
from matplotlib.transforms import Bbox
from typing_extensions import override

if TYPE_CHECKING:
    from kerasviz.draw.panel_grid import Rect


class FreeAxes(Axes):
    """An Axes that is where it was put, and of which layout engines see an empty cell."""

    _chosen: Bbox | None = None

    @override
    def set_position(self, pos: Any, which: Any = "both") -> None:
        """Move it; Matplotlib's engines move it in another way."""
        super().set_position(pos, which)
        self._chosen = self.get_position(original=True).frozen()

    @property
    def chosen_position(self) -> Bbox:
        """Where it was put, in parts of the figure."""
        return self._chosen or self.get_position(original=True)

    @override
    def get_tightbbox(self, renderer: Any = None, **options: Any) -> Any:
        """Return what Matplotlib does, but to an engine the cell, which it then leaves as it is.

        Tight layout takes positions in a SubFigure for positions in the figure, and would warn that
        what it finds elsewhere has no room.
        """
        spec = self.get_subplotspec()
        if spec is None or not options.get("for_layout_only"):
            return super().get_tightbbox(renderer, **options)
        root: Any = self.figure.get_figure(root=True)
        return spec.get_position(root).transformed(root.transFigure)


def add_free_axes(figure: FigureBase, *, share: Axes | None = None) -> FreeAxes:
    """Add an Axes that is placed by hand, perhaps with the horizontal axis of another.

    It is in a grid of its own: constrained and tight layout warn of figures without one.
    """
    page: Any = figure  # Matplotlib's annotation leaves SubFigures out, which work
    ax: Any = figure.add_subplot(GridSpec(1, 1, figure=page)[0], axes_class=FreeAxes, sharex=share)
    ax.set_in_layout(False)
    ax.set_axes_locator(Locator(None, ax.get_subplotspec(), None))
    free: FreeAxes = ax
    return free


class Locator:
    """Tells Matplotlib, at every draw, where an Axes is.

    An Axes that the caller has moved since it was `placed` stays where it is.
    """

    def __init__(
        self,
        rect: Callable[[], Rect | None] | None,
        spec: SubplotSpec | None,
        placed: Bbox | None,
    ) -> None:
        self.rect = rect
        self.spec = spec
        self.placed = placed

    def __call__(self, ax: Axes, _renderer: Any) -> Bbox:
        """Return the place in parts of the figure."""
        rect = None if self.rect is None or self.is_moved(ax) else self.rect()
        if rect is None:
            return _chosen_position(ax)
        return Bbox.from_bounds(*rect.fractions(ax.figure))

    def is_moved(self, ax: Axes) -> bool:
        """Whether the caller has moved an Axes since it was placed."""
        bounds = _chosen_position(ax).bounds
        return self.placed is not None and not np.allclose(bounds, self.placed.bounds)

    def get_subplotspec(self) -> SubplotSpec | None:
        """Return a cell of a grid, without which tight layout would warn of the Axes."""
        return self.spec


def locate(ax: Axes, rect: Callable[[], Rect | None], *, is_placed: bool = True) -> None:
    """Ask a function where an Axes is, whenever it is drawn.

    Args:
        ax: The Axes.
        rect: Returns where it is; `None` where the caller has put it.
        is_placed: Whether it is there now, so that the caller may move it.
    """
    placed = _chosen_position(ax).frozen() if is_placed else None
    locator: Any = Locator(rect, ax.get_subplotspec(), placed)  # annotated for another kind of Axes
    ax.set_axes_locator(locator)


def is_moved(ax: Axes) -> bool:
    """Whether the caller has moved an Axes since it was placed here."""
    locator: Any = ax.get_axes_locator()
    return isinstance(locator, Locator) and locator.is_moved(ax)


def _chosen_position(ax: Axes) -> Bbox:
    return ax.chosen_position if isinstance(ax, FreeAxes) else ax.get_position(original=True)
