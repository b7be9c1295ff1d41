"""Draw an array as cells of an image, with numbers in them where there is room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patheffects import AbstractPathEffect, withStroke
from matplotlib.text import Text

from kerasviz.draw.color import INVALID, ColorScale, luminance, value_range
from kerasviz.draw.convolution.number_format import NumberFormat
from kerasviz.draw.text import text_width

MASKED_COLOR, HATCH_COLOR = "0.95", "0.65"
"""Face and hatch of a cell that holds no value."""
MAX_NUMBER_SIZE, MIN_NUMBER_SIZE = 0.8, 0.55
"""Sizes of the numbers in cells, as parts of `font.size`."""
MIN_LINED_CELL = 11.0
"""Below this size, in points, cells are not set apart by lines."""
MAX_NUMBERED_CELLS = 100
"""A part with more cells has no numbers, however large it is."""
CURVE_MARGIN = 0.1
"""How far a curve stays from the edges of its strip, as a part of the height."""
MAX_DOTS = 64
"""A curve of more values has no dots."""
HALO: list[AbstractPathEffect] = [withStroke(linewidth=2, foreground=MASKED_COLOR)]
"""The outline that makes a number legible on a hatch."""


def number_size(
    values: np.ndarray, number_format: NumberFormat, *, cell_size: float, em: float
) -> float | None:
    """Return in which size numbers fit into cells, `None` where they would not be legible.

    Args:
        values: All values that may have to be written.
        number_format: How they are written.
        cell_size: In points.
        em: The size of the font, in points.
    """
    longest = max(text_width(number_format(value), em) for value in value_range(values)) / em
    size = min(MAX_NUMBER_SIZE * em, 0.84 * cell_size / longest, 0.6 * cell_size)
    return size if size >= MIN_NUMBER_SIZE * em else None


@dataclass(frozen=True, kw_only=True)
class CellStyle:
    """How the cells of an array are drawn.

    Args:
        scale: Norm and colormap.
        size: The size of a cell, in points.
        number_format: How numbers are written.
        font_size: The size of the numbers, `None` for none.
        tick_size: The size of the index of a row and of a column.
        numbers_masked: Whether a masked cell has a number, too.
        is_strip: Whether the cells are a sequence: they may be higher than wide, and have a curve
            where they have no numbers.
    """

    scale: ColorScale
    size: float
    number_format: NumberFormat
    font_size: float | None
    tick_size: float
    numbers_masked: bool = False
    is_strip: bool = False


class NumberedImage:
    """The artists of one array, which can be given other values.

    Args:
        ax: Where to draw; its limits, aspect, ticks and frame are set.
        shape: Height and width of the array.
        style: How cells and numbers are drawn.
        origin: Row and column of the cell that has the coordinates 0, 0.
    """

    top: float
    left: float
    image: AxesImage
    hatches: PolyCollection
    texts: list[Text]

    def __init__(
        self,
        ax: Axes,
        shape: tuple[int, int],
        style: CellStyle,
        origin: tuple[int, int] = (0, 0),
    ) -> None:
        self._shape, self._style = shape, style
        self.top, self.left = -0.5 - origin[0], -0.5 - origin[1]
        self._bottom, self._right = self.top + shape[0], self.left + shape[1]
        self.image = self._add_image(ax)
        self._values = np.ma.MaskedArray(np.zeros(shape), True)
        self.hatches = PolyCollection(
            [], facecolor=MASKED_COLOR, edgecolor=HATCH_COLOR, hatch="//////", linewidth=0
        )
        ax.add_collection(self.hatches, autolim=False)
        self._lines: LineCollection | None = None
        self._curve: Line2D | None = None
        self.texts = []
        self._fit(ax)
        ax.set(xlim=(self.left, self._right), ylim=(self._bottom, self.top), xticks=[], yticks=[])
        ax.tick_params(length=2, pad=1)
        ax.spines[:].set(color="0.4", linewidth=0.6)
        ax.grid(False)

    @property
    def axes(self) -> Axes:
        """The Axes that the artists are in."""
        axes = self.image.axes
        assert axes is not None
        return axes

    def fit(self, style: CellStyle) -> None:
        """Draw cells of another size, with or without lines, numbers and the curve."""
        self._style = style
        self._fit(self.axes)
        self.write(self._values)

    def _fit(self, ax: Axes) -> None:
        """Add what has room now and did not before, and hide what has none."""
        style = self._style
        is_lined, has_numbers = style.size >= MIN_LINED_CELL, style.font_size is not None
        if is_lined and self._lines is None:
            self._lines = self._add_lines(ax)
        if self._lines is not None:
            self._lines.set_visible(is_lined)
        if style.is_strip and not has_numbers and self._curve is None:
            self._curve = self._add_curve(ax)
        if self._curve is not None:
            self._curve.set_visible(not has_numbers)
        if has_numbers and not self.texts:
            self.texts = self._add_texts(ax)
        for text in self.texts:
            text.set_visible(has_numbers)
            text.set_fontsize(style.font_size or text.get_fontsize())
        ax.tick_params(labelsize=style.tick_size)

    def show(self, values: np.ma.MaskedArray) -> None:
        """Show other values; masked cells are hatched."""
        self.image.set_data(values)
        rows, columns = np.nonzero(np.ma.getmaskarray(values))
        self.hatches.set_verts(
            [
                _corners(self.top + row, self.left + column, 1, 1)
                for row, column in zip(rows, columns, strict=True)
            ]
        )
        self.write(values)

    def write(self, values: np.ma.MaskedArray) -> None:
        """Write the numbers, dark on light colours and light on dark ones, or draw the curve."""
        style, self._values = self._style, values
        if self._curve is not None:
            self._curve.set_ydata(self._curve_heights(values))
        if style.font_size is None:
            return
        data, mask = np.ma.getdata(values).ravel(), np.ma.getmaskarray(values).ravel()
        dark = is_dark(style.scale.cmap(style.scale.norm(data))[:, :3])
        dark &= ~mask & np.isfinite(data)
        for text, value, is_masked, needs_white in zip(self.texts, data, mask, dark, strict=True):
            has_number = style.numbers_masked or not is_masked
            text.set_text(style.number_format(value) if has_number else "")
            text.set_color("white" if needs_white else "black")
            text.set_path_effects(HALO if is_masked else [])

    def hatch(self, rows: np.ndarray, columns: np.ndarray) -> None:
        """Hatch whole rows and columns, given as boolean arrays."""
        height, width = len(rows), len(columns)
        # One strip per row instead of one square per cell: a large input draws faster.
        strips = [_corners(self.top + y, self.left, 1, width) for y in np.flatnonzero(rows)]
        strips += [_corners(self.top, self.left + x, height, 1) for x in np.flatnonzero(columns)]
        self.hatches.set_verts(strips)

    def _add_image(self, ax: Axes) -> AxesImage:
        scale = self._style.scale
        return ax.imshow(
            np.ma.MaskedArray(np.zeros(self._shape), True),
            norm=scale.norm,
            # Values beyond the limits are infinite; masked cells are under other artists.
            cmap=scale.cmap.with_extremes(bad=INVALID, over=INVALID, under=INVALID),
            extent=(self.left, self._right, self._bottom, self.top),
            interpolation="antialiased",
            aspect="auto" if self._style.is_strip else "equal",
        )

    def _add_lines(self, ax: Axes) -> LineCollection:
        height, width = self._shape
        ys, xs = self.top + np.arange(1, height), self.left + np.arange(1, width)
        lines = [[(self.left, y), (self._right, y)] for y in ys]
        lines += [[(x, self.top), (x, self._bottom)] for x in xs]
        collection = LineCollection(lines, colors="white", linewidths=0.6)
        ax.add_collection(collection, autolim=False)
        return collection

    def _add_curve(self, ax: Axes) -> Line2D:
        xs = self.left + 0.5 + np.arange(self._shape[1])
        # A dot shows a value between two that are masked, where there is no line.
        marker = "." if len(xs) <= MAX_DOTS else ""
        (curve,) = ax.plot(xs, np.full(len(xs), np.nan), color="black", linewidth=1)
        curve.set(marker=marker, markersize=4)
        curve.set_path_effects([withStroke(linewidth=2.4, foreground="white")])
        return curve

    def _curve_heights(self, values: np.ma.MaskedArray) -> np.ndarray:
        """Return where the curve is: at the same part of the height as the colour of its scale."""
        data = np.ma.filled(values.astype(float), np.nan)[0]
        parts = np.clip(np.ma.filled(self._style.scale.norm(data), np.nan), 0, 1)
        parts[~np.isfinite(data)] = np.nan
        return self._bottom - (CURVE_MARGIN + (1 - 2 * CURVE_MARGIN) * parts)

    def _add_texts(self, ax: Axes) -> list[Text]:
        height, width = self._shape
        return [
            ax.text(
                self.left + column + 0.5,
                self.top + row + 0.5,
                "",
                size=self._style.font_size,
                ha="center",
                va="center_baseline",
            )
            for row in range(height)
            for column in range(width)
        ]


def is_dark(colors: np.ndarray) -> np.ndarray:
    """Whether white is more legible than black on colours `(n, 3)`, by the contrast of WCAG 2."""
    # Here (1 + 0.05) / (x + 0.05) is (x + 0.05) / 0.05: both contrasts are 4.58, which is enough.
    return luminance(colors) < 0.179


def _corners(top: float, left: float, height: float, width: float) -> np.ndarray:
    """Return the corners `(4, 2)` of a rectangle."""
    bottom, right = top + height, left + width
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
