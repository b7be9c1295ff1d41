"""Choose one colour scale for all maps of one unit, and write its colour bar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure, SubFigure
from matplotlib.gridspec import GridSpec, SubplotSpec
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.transforms import Bbox
from typing_extensions import override

from kerasviz.draw.attributions.artists import STRENGTH
from kerasviz.draw.attributions.content import AttributionTable
from kerasviz.draw.color import (
    ColorChoice,
    ColorScale,
    Robust,
    color_scale,
    outline_colorbar,
    value_range,
)
from kerasviz.draw.text import font_size, screen_width
from kerasviz.draw.tiles.background import see_through


def choose_scales(table: AttributionTable, vmax: float | None, robust: Robust) -> list[ColorScale]:
    """Return the colours of each column of maps: signed ones around white at 0, others from 0 up.

    Args:
        table: All maps.
        vmax: The caller's upper limit, which holds for every column.
        robust: Whether limits of signed maps leave out the most extreme values; bars end there.
    """
    scales = []
    has_bars = any(subject.is_flat for subject in table.subjects)
    for column in table.columns:
        values = [
            content.values.ravel()
            for contents in table.maps
            for other, content in zip(table.columns, contents, strict=True)
            if content is not None and other.unit == column.unit
        ]
        joined = np.concatenate(values) if values else np.zeros(1)
        if column.is_signed:
            choice = ColorChoice(vmax=vmax, robust=False if has_bars else robust)
            scales.append(choice.limited(joined, signed=True).of(joined, signed=True))
        else:
            opaque = color_scale(joined, vmin=0.0, vmax=vmax)
            scales.append(see_through(opaque, "strength", cmap_given=False))
    return scales


class FixedLocator:
    """Keeps an Axes where it was placed, whatever layout engine the figure has.

    Matplotlib's tight layout warns of Axes that belong to no grid; these say one.
    """

    def __init__(self, figure: Figure | SubFigure) -> None:
        self._figure = figure

    def __call__(self, ax: Axes, _: Any) -> Bbox:
        """Return where an Axes goes, in parts of its figure."""
        return ax.get_position(original=True)

    def get_subplotspec(self) -> SubplotSpec:
        """Return the whole figure."""
        return GridSpec(1, 1, figure=cast(Figure, self._figure))[0]


class BelowLocator(FixedLocator):
    """Places an Axes below another one, as wide as this is in the end.

    Matplotlib moves an Axes with a picture while it draws it, so that pixels are square.
    """

    def __init__(self, ax: Axes, pad: float, height: float) -> None:
        super().__init__(ax.figure)
        self._ax, self._pad, self._height = ax, pad, height

    @override
    def __call__(self, ax: Axes, _: Any) -> Bbox:
        # A layout engine may have moved it, which its locator undoes.
        locator: Any = self._ax.get_axes_locator()
        self._ax.apply_aspect(locator(self._ax, None))
        box, dpi = self._ax.get_window_extent(), ax.figure.dpi
        top = box.y0 - self._pad * dpi
        bar = Bbox.from_extents(box.x0, top - self._height * dpi, box.x1, top)
        return bar.transformed(ax.figure.transSubfigure.inverted())


def fix(ax: Axes, locator: FixedLocator | None = None) -> Axes:
    """Let an Axes be placed by a locator, and by no layout engine."""
    ax.set_axes_locator(cast(Any, locator or FixedLocator(ax.figure)))  # typed as a function
    return ax


def add_bar(
    image: AxesImage,
    values: Sequence[np.ndarray],
    *,
    pad: float,
    height: float,
    is_over: bool,
) -> Colorbar:
    """Add a colour bar below the map of an image, as wide as it.

    Args:
        image: The image whose colours it explains.
        values: All values that have these colours. Where some are beyond the limits, the bar ends
            in an arrow.
        pad: Its distance from the map, in inches.
        height: Its height, in inches.
        is_over: Whether the colours are drawn over pictures.
    """
    ax = image.axes
    cax = fix(ax.figure.add_axes((0.1, 0.1, 0.1, 0.1)), BelowLocator(ax, pad, height))
    low, high = image.get_clim()
    assert low is not None
    assert high is not None
    lowest, highest = value_range(np.concatenate([v.ravel() for v in values]))
    is_above, is_below = highest > high, lowest < low
    extend = "both" if is_above and is_below else "max" if is_above else "neither"
    extend = "min" if is_below and not is_above else extend
    bar = ax.figure.colorbar(image, cax=cax, orientation="horizontal", extend=extend)
    outline_colorbar(bar)
    if is_over:
        # What shines through is the darkest grey in the lower half and white in the upper one.
        for bottom, color in ((0.0, str(1 - STRENGTH)), (0.5, "white")):
            half = Rectangle((0, bottom), 1, 0.5, transform=cax.transAxes, color=color, linewidth=0)
            cax.add_patch(half).set_zorder(0)
    return bar


def write_ticks(bar: Colorbar, width: float) -> None:
    """Write those numbers of a bar for which there is room, in `width` points."""
    low, high = bar.mappable.get_clim()
    size = font_size("small")
    bar.ax.tick_params(labelsize=size, length=2, pad=2)
    middle = [0.0] if low < 0 < high else []
    for digits in (2, 1):
        for ticks in ([low, *middle, high], [low, high], [high]):
            words = [_write(tick, digits) for tick in ticks]
            if sum(screen_width(word, size) + size for word in words) <= width or len(ticks) == 1:
                bar.set_ticks(ticks, labels=words)
                _align(bar, low, high)
                if len(ticks) > 1 or digits == 1:
                    return


def _align(bar: Colorbar, low: float, high: float) -> None:
    """Keep the numbers at both ends within the bar."""
    for tick, label in zip(bar.get_ticks(), bar.ax.get_xticklabels(), strict=True):
        label.set_horizontalalignment(
            "left" if tick == low else "right" if tick == high else "center"
        )


def _write(value: float, digits: int) -> str:
    text = f"{value:.{digits}g}"
    return text.replace("-", "\N{MINUS SIGN}")
