"""Check where a plot is drawn, and give it a figure: a new one, or the caller's."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypedDict

import matplotlib.pyplot as plt
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase, SubFigure
from typing_extensions import Unpack

from kerasviz._checks import check_names, check_type, is_finite_number
from kerasviz.draw.text import font_size


class FigureOptions(TypedDict, total=False):
    """Keywords of every plot; each has one meaning everywhere.

    Attributes:
        title: A title of your own, `False` for none. `True`, the default, says what is drawn.
        figsize: Width and height of a new figure in inches, `None` for as large as it needs.
        ax: The Axes to draw into, for one panel.
        figure: The Figure or SubFigure to draw into, for one panel or several. With neither, a new
            pyplot figure is made.
    """

    title: str | bool | None
    figsize: tuple[float, float] | None
    ax: Axes | None
    figure: Figure | SubFigure | None


FIGURE_DEFAULTS = FigureOptions(title=True, figsize=None, ax=None, figure=None)
MAX_SIDE = 2**16 / 100
"""The longest side of a figure in inches: at 100 dots per inch, Matplotlib draws no more dots."""


SIZE_TOLERANCE = 0.005
"""By how many inches a figure may be smaller than needed, from rounding."""
STYLE_KEYS = (
    *("axes.", "figure.dpi", "font.", "legend.", "lines.", "mathtext.", "patch.", "text."),
    *("xtick.", "ytick."),
)
"""The beginnings of the settings on which what is drawn again depends."""


def current_style() -> Any:
    """Return the settings on which a picture depends, for what is drawn again later."""
    return {key: rcParams[key] for key in rcParams if key.startswith(STYLE_KEYS)}


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where a plot is drawn, and its title; see `FigureOptions`."""

    title: str | bool | None = True
    figsize: tuple[float, float] | None = None
    ax: Axes | None = None
    figure: Figure | SubFigure | None = None

    @property
    def is_new(self) -> bool:
        """Whether the plot gets a figure of its own."""
        return self.ax is None and self.figure is None

    @property
    def grows(self) -> bool:
        """Whether the plot gets a figure of its own that becomes as large as it needs."""
        return self.is_new and self.figsize is None


def check_placement(*own: str, **options: Unpack[FigureOptions]) -> Placement:
    """Return the caller's keywords over the defaults, and refuse what cannot be used.

    Args:
        *own: Further keywords of the function that was called, to be suggested for a typo.
        **options: The caller's keywords.

    Raises:
        TypeError: A keyword that does not exist, or a value of the wrong type.
        ValueError: Both an Axes and a figure, or one of them and a size.
    """
    check_names(options, [*FIGURE_DEFAULTS, *own])
    place = Placement(**options)
    check_type("title", place.title, (str, bool, type(None)), "a string or a bool")
    check_figsize(place.figsize)
    check_place(place.ax, place.figure)
    for name, value in {"ax": place.ax, "figure": place.figure}.items():
        if place.figsize is not None and value is not None:
            raise ValueError(
                f"`figsize` is the size of a new figure, and cannot be given with `{name}`. "
                f"Received: figsize={place.figsize!r}, {name}={value!r}"
            )
    return place


def check_figsize(figsize: object) -> None:
    """Refuse a `figsize` that is not a width and a height in inches."""
    if figsize is None:
        return
    form = "`figsize` must be a width and a height in inches, such as (8, 6)."
    if not isinstance(figsize, (tuple, list)) or len(figsize) != 2:
        raise TypeError(f"{form} Received: figsize={figsize!r}")
    if not all(is_finite_number(side) for side in figsize):
        raise TypeError(f"{form} Received: figsize={figsize!r}")
    if not all(0 < side <= MAX_SIDE for side in figsize):
        raise ValueError(
            f"`figsize` must have sides above 0 and up to {MAX_SIDE:.0f} inches. "
            f"Received: figsize={figsize!r}"
        )


@contextmanager
def figure_for(
    place: Placement, size: tuple[float, float], layout: str = "constrained"
) -> Iterator[FigureBase]:
    """Yield the figure to draw into: that of the caller's Axes, the caller's, or a new one.

    A new one is known to pyplot and lays itself out; it is closed again if drawing fails.

    Args:
        place: Where to draw.
        size: Width and height of a new figure in inches, where the caller chose none.
        layout: The layout engine of a new figure.
    """
    if place.ax is not None:
        yield place.ax.figure
        return
    if place.figure is not None:
        yield place.figure
        return
    new = plt.figure(figsize=place.figsize or size, layout=layout)
    try:
        yield new
    except BaseException:
        plt.close(new)
        raise


def check_place(ax: object, figure: object) -> None:
    """Refuse an `ax` or a `figure` that cannot be drawn into, and both together."""
    check_type("ax", ax, (Axes, type(None)), "a Matplotlib Axes")
    if isinstance(ax, Axes) and ax.name != "rectilinear":
        raise TypeError(f"`ax` must be a plain Axes. Received: ax={ax!r}")
    check_type("figure", figure, (FigureBase, type(None)), "a Matplotlib figure")
    if ax is not None and figure is not None:
        raise ValueError("`ax` and `figure` cannot both be given: an Axes has a figure already.")


def check_panels(count: int, ax: Axes | None, kind: str = "layers") -> None:
    """Refuse, before anything is computed, an Axes for more panels than one."""
    if ax is not None and count > 1:
        raise ValueError(
            f"`ax` takes one panel, but {count} {kind} were requested: pass `figure` instead."
        )


def check_size(figure: Figure | SubFigure, least: tuple[float, float], place: Placement) -> None:
    """Refuse a figure that is too small for its words to be legible.

    Args:
        figure: The figure, or the part of it that is drawn into.
        least: The least width and height, in inches.
        place: Where it comes from.
    """
    size = figure.bbox.width / figure.dpi, figure.bbox.height / figure.dpi
    if not is_large_enough(size, least):
        raise too_small(size, least, place)


def is_large_enough(size: tuple[float, float], least: tuple[float, float]) -> bool:
    """Whether neither side of a figure is below the least one."""
    return size[0] >= least[0] - SIZE_TOLERANCE and size[1] >= least[1] - SIZE_TOLERANCE


def too_small(
    size: tuple[float, float], least: tuple[float, float], place: Placement
) -> ValueError:
    """Return the error for a figure that is too small for its words to be legible."""
    # Rounded up, so that the size in the message is large enough.
    width, height = (
        math.ceil(10 * max(inches, minimum) - 1e-6) / 10
        for inches, minimum in zip(size, least, strict=True)
    )
    what, received = "`figure`", f"figure of {size[0]:.1f} x {size[1]:.1f} in"
    if place.is_new:
        what, received = "`figsize`", f"figsize={place.figsize}"
    elif place.ax is not None:
        what = "The figure of `ax`"
    return ValueError(
        f"{what} must be at least {width:.1f} x {height:.1f} in for its words to be legible at "
        f"{font_size():g} points. Received: {received}"
    )


def describe_on_hover(ax: Axes, describe: Callable[[float, float], str]) -> None:
    """Let a function say what is at a point, where the mouse is over an Axes.

    Args:
        ax: The Axes.
        describe: From coordinates of the data to words.
    """
    # To replace this method is Matplotlib's documented way, which its annotations do not allow.
    hovered: Any = ax
    hovered.format_coord = describe
