"""A figure to draw into, for plots that are no tiles: a new one, or the caller's."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypedDict

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase, SubFigure

from kerasviz.draw.options import check_place, check_type, suggest


class FigureOptions(TypedDict, total=False):
    """Keywords of every plot; each has one meaning everywhere."""

    title: str | bool | None
    ax: Axes | None
    figure: Figure | SubFigure | None


FIGURE_DEFAULTS = FigureOptions(title=True, ax=None, figure=None)


def check_figure_options(options: FigureOptions, *own: str) -> FigureOptions:
    """Merge the caller's keywords over the defaults, and refuse what cannot be used.

    Args:
        options: What the caller gave.
        own: Further keywords of the function that was called, to be suggested for a typo.

    Raises:
        TypeError: A keyword that does not exist, or a value of the wrong type.
        ValueError: Both an Axes and a figure.
    """
    for name in options:
        if name not in FIGURE_DEFAULTS:
            known = [*FIGURE_DEFAULTS, *own]
            raise TypeError(f"Unexpected keyword argument `{name}`.{suggest(name, known)}")
    merged = FigureOptions(**{**FIGURE_DEFAULTS, **options})
    check_type("title", merged["title"], (str, bool, type(None)), "a string or a bool")
    check_place(merged["ax"], merged["figure"])
    return merged


def subplots(figure: FigureBase, count: int, columns: int, *, share: bool = False) -> list[Axes]:
    """Add `count` Axes to a figure, row by row; with `share` they have one horizontal axis."""
    axes: list[Axes] = []
    for place in range(1, count + 1):
        beside = axes[0] if share and axes else None
        axes.append(figure.add_subplot(math.ceil(count / columns), columns, place, sharex=beside))
    return axes


@contextmanager
def figure_for(
    options: FigureOptions, size: tuple[float, float], layout: str = "constrained"
) -> Iterator[FigureBase]:
    """Give the figure to draw into: that of the caller's Axes, the caller's, or a new one.

    A new one is known to pyplot and lays itself out; it is closed again if drawing fails.

    Args:
        options: The caller's keywords, checked and complete.
        size: Width and height of a new figure, in inches.
        layout: The layout engine of a new figure.
    """
    ax, figure = options["ax"], options["figure"]
    if ax is not None:
        yield ax.figure
        return
    if figure is not None:
        yield figure
        return
    new = plt.figure(figsize=size, layout=layout)
    try:
        yield new
    except BaseException:
        plt.close(new)
        raise
