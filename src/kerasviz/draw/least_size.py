"""Refuse a figure that is too small for the words of a plot, and find the least size that is not.

A plot whose size the caller has chosen is rehearsed: drawn into a figure of that size which nobody
sees. If words are cut off or on one another there, larger ones are tried, and the error says the
first that does. Nothing of the caller's has been touched by then.
"""

from __future__ import annotations

import copy
import itertools
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure, SubFigure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from kerasviz.draw.figure import Placement
from kerasviz.draw.panel_grid import figure_inches, has_layout_engine
from kerasviz.draw.plot import Plot
from kerasviz.draw.text import font_size

MIN_PANEL = (5.0, 2.5)
"""The smallest width and height of the data area of a panel, in sizes of its font."""
MIN_SHARE_BELOW_LEGEND = 0.4
"""How much of the height of an Axes is left to its data, however high a legend inside it is."""
TOLERANCE = 1.0
"""By how many dots a word may reach out of the figure, or into another."""
GROWTH, MAX_SIDE = 1.3, 64.0
"""The step from one size that is tried to the next, and the longest side that is tried, in inches.
"""


def draw_legible(place: Placement, draw: Callable[[Placement], Plot]) -> Plot:
    """Draw a plot where it is legible, and refuse the place before it is touched where it is not.

    A figure that grows is as large as it needs. An Axes of the caller's that would be too small in
    a figure of any size, since it leaves no room around it, is drawn into as it is.

    Args:
        place: Where to draw.
        draw: Draws it.

    Raises:
        ValueError: The figure or the Axes is too small.
    """
    if not place.grows:
        stage = _stage(place)
        if not stage.is_legible(stage.size, draw):
            _refuse(place, stage, draw)
    return draw(place)


@dataclass(frozen=True, kw_only=True)
class _Stage:
    """A place to rehearse: as the caller's is, in a figure of any size.

    Args:
        place: Where to draw, and the title.
        size: Width and height of the caller's figure, or of the part that its layout engine has for
            the caller's Axes.
        shares: Which parts of the figure's width and height these are.
        dpi: Dots per inch.
        engine: The layout engine.
        position: Where the caller's Axes is, in parts of the figure; `None` where none is given, or
            where the engine decides.
    """

    place: Placement
    size: tuple[float, float]
    shares: tuple[float, float] = (1.0, 1.0)
    dpi: float | None = None
    engine: Any = None
    position: tuple[float, float, float, float] | None = None

    def round_up(self, size: tuple[float, float]) -> tuple[float, float]:
        """Return a size at which the whole figure has tenths of an inch."""
        width, height = (
            math.ceil(10 * inches / share) / 10 * share
            for inches, share in zip(size, self.shares, strict=True)
        )
        return width, height

    def is_legible(self, size: tuple[float, float], draw: Callable[[Placement], Plot]) -> bool:
        """Whether all words of a plot can be read in a figure of this size."""
        engine: Any = copy.copy(self.engine) if self.engine is not None else "none"
        figure = Figure(figsize=size, dpi=self.dpi, layout=engine)
        is_part = isinstance(self.place.figure, SubFigure)  # which an engine pads
        page: Any = figure.subfigures(1, 1) if is_part else figure
        place = replace(self.place, figsize=None, figure=page)
        if self.place.ax is not None:
            ax = figure.add_axes(self.position) if self.position else figure.add_subplot()
            place = replace(place, ax=ax, figure=None)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.filterwarnings("error", ".*layout not applied")  # there is no room for it
            try:
                return _is_legible(draw(place))
            except (UserWarning, ValueError):  # which may say that another size is too small
                return False


def _stage(place: Placement) -> _Stage:
    if place.figsize is not None:
        return _Stage(place=place, size=place.figsize)
    figure = place.figure if place.ax is None else place.ax.figure
    assert figure is not None  # else there would be a new figure, which grows
    size, dpi = figure_inches(figure), figure.dpi
    engine = figure.get_figure(root=True).get_layout_engine()
    if place.ax is None:
        return _Stage(place=place, size=size, dpi=dpi, engine=engine)
    spec = place.ax.get_subplotspec()
    if not has_layout_engine(figure) or spec is None:
        position = place.ax.get_position().bounds
        return _Stage(place=place, size=size, dpi=dpi, position=position)
    rows, columns = spec.get_gridspec().get_geometry()
    shares = len(spec.colspan) / columns, len(spec.rowspan) / rows
    size = size[0] * shares[0], size[1] * shares[1]
    return _Stage(place=place, size=size, shares=shares, dpi=dpi, engine=engine)


def _refuse(place: Placement, stage: _Stage, draw: Callable[[Placement], Plot]) -> None:
    """Say the least size; say nothing where no size is enough."""
    first = least = stage.size
    while max(least) <= MAX_SIDE:
        least = stage.round_up((GROWTH * least[0], GROWTH * least[1]))
        if stage.is_legible(least, draw):
            break
    else:
        return
    # It may be enough to make one side longer: each is made shorter again as far as that goes.
    for side in (0, 1):
        for part in (0.0, 0.5):
            shorter = list(least)
            shorter[side] = first[side] + part * (least[side] - first[side])
            rounded = stage.round_up((shorter[0], shorter[1])) if part else (shorter[0], shorter[1])
            if stage.is_legible(rounded, draw):
                least = rounded
                break
    width, height = (
        math.ceil(round(10 * inches / share, 3)) / 10
        for inches, share in zip(least, stage.shares, strict=True)
    )
    name = "figsize" if place.figsize is not None else "ax" if place.ax is not None else "figure"
    size = tuple(
        round(inches / share, 2) for inches, share in zip(stage.size, stage.shares, strict=True)
    )
    what = {
        "figsize": "`figsize` must be",
        "ax": "`ax` must be in a figure of",
        "figure": "`figure` must be",
    }[name]
    raise ValueError(
        f"{what} at least {width:g} x {height:g} in, so that the words of this plot can be read at "
        f"{font_size():g} points. Received: {name}={getattr(place, name)!r}, {size[0]:g} x "
        f"{size[1]:g} in"
    )


def _is_legible(plot: Plot) -> bool:
    """Whether each word is in the figure and on no other, and each panel large enough."""
    figure = plot.figure.get_figure(root=True)
    recorder: Any = _WordRecorder(figure.bbox.width, figure.bbox.height, figure.dpi)
    figure.draw(recorder)
    smallest = [sizes * font_size() * figure.dpi / 72 for sizes in MIN_PANEL]
    for ax in plot.axes:
        extent = ax.get_window_extent()
        if extent.width < smallest[0] or extent.height < smallest[1]:
            return False
        legend = ax.get_legend()
        if legend is not None and legend.get_window_extent().y0 < extent.y1:
            height = legend.get_window_extent().height
            if height > (1 - MIN_SHARE_BELOW_LEGEND) * extent.height:
                return False
    boxes = recorder.boxes(figure)
    return not any(_is_outside(box, figure.bbox) for box in boxes) and not any(
        _is_on(*pair) for pair in itertools.combinations(boxes, 2)
    )


def _is_outside(box: Bbox, page: Any) -> bool:
    beyond = max(page.x0 - box.x0, page.y0 - box.y0, box.x1 - page.x1, box.y1 - page.y1)
    return bool(beyond > TOLERANCE)


def _is_on(first: Bbox, second: Bbox) -> bool:
    common = Bbox.intersection(first, second)
    return common is not None and bool(min(common.width, common.height) > TOLERANCE)


class _WordRecorder(RendererAgg):
    """A renderer that notes which texts are drawn, instead of drawing them."""

    def __init__(self, width: float, height: float, dpi: float) -> None:
        # Nothing is drawn, so a single dot of memory is enough, however large the figure is.
        begin: Any = super().__init__  # which has no annotations
        begin(1, 1, dpi)
        self.width, self.height = width, height
        self.texts: dict[Text, None] = {}

    def draw_text(self, *_: Any, mtext: Text | None = None, **__: Any) -> None:
        """Note a text of one line; of others Matplotlib does not say whose line it draws."""
        if mtext is not None:
            self.texts[mtext] = None

    def boxes(self, figure: Figure) -> list[Bbox]:
        """Return where the texts of a figure are that has been drawn, as Matplotlib says."""
        texts: list[Any] = [*self.texts, *figure.findobj(_has_lines)]
        return [Text.get_window_extent(text, cast(Any, self)) for text in texts]


def _has_lines(artist: Artist) -> bool:
    return isinstance(artist, Text) and artist.get_visible() and "\n" in artist.get_text()
