"""An array as cells of an image, with numbers in them where there is room."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.image import AxesImage
from matplotlib.patheffects import AbstractPathEffect, withStroke
from matplotlib.text import Text

from kerasviz.draw.color import INVALID, ColorScale, value_range
from kerasviz.draw.convolution.number_format import NumberFormat
from kerasviz.draw.text import text_width

ABSENT, HATCH = "0.95", "0.65"
"""Face and hatch of a cell that holds no value."""
LARGEST_NUMBER, SMALLEST_NUMBER = 8.0, 5.5
"""Sizes of the numbers in cells, in points."""
FINE_CELL = 11.0
"""Below this size, in points, cells are not set apart by lines."""
MOST_NUMBERS = 100
"""A part with more cells has no numbers, however large it is."""


def number_size(values: np.ndarray, write: NumberFormat, cell: float) -> float | None:
    """Return in which size numbers fit into cells, `None` where they would not be legible.

    Args:
        values: All values that may have to be written.
        write: How they are written.
        cell: The size of a cell, in points.
    """
    longest = max(text_width(write(value), 1.0) for value in value_range(values))
    size = min(LARGEST_NUMBER, 0.84 * cell / longest, 0.6 * cell)
    return size if size >= SMALLEST_NUMBER else None


class Cells:
    """The artists of one array, which can be given other values.

    Args:
        ax: Where to draw; its limits, aspect, ticks and frame are set.
        shape: Height and width of the array.
        scale: Norm and colormap.
        cell: The size of a cell, in points.
        write: How numbers are written.
        font: The size of the numbers, `None` for none.
        first: Row and column of the cell that has the coordinates 0, 0.
        writes_absent: Whether a masked cell has a number, too.
    """

    top: float
    left: float
    image: AxesImage
    absent: PolyCollection
    texts: list[Text]

    def __init__(
        self,
        ax: Axes,
        shape: tuple[int, int],
        scale: ColorScale,
        *,
        cell: float,
        write: NumberFormat,
        font: float | None,
        first: tuple[int, int] = (0, 0),
        writes_absent: bool = False,
    ) -> None:
        self._scale, self._write, self._writes_absent = scale, write, writes_absent
        self.top, self.left = -0.5 - first[0], -0.5 - first[1]
        height, width = shape
        bottom, right = self.top + height, self.left + width
        self.image = ax.imshow(
            np.ma.MaskedArray(np.zeros(shape), True),
            norm=scale.norm,
            # Values beyond the limits are infinite; what is masked is under other artists.
            cmap=scale.cmap.with_extremes(bad=INVALID, over=INVALID, under=INVALID),
            extent=(self.left, right, bottom, self.top),
            interpolation="antialiased",
        )
        self.absent = PolyCollection(
            [], facecolor=ABSENT, edgecolor=HATCH, hatch="//////", linewidth=0
        )
        ax.add_collection(self.absent, autolim=False)
        if cell >= FINE_CELL:
            ys, xs = self.top + np.arange(1, height), self.left + np.arange(1, width)
            lines = [[(self.left, y), (right, y)] for y in ys]
            lines += [[(x, self.top), (x, bottom)] for x in xs]
            ax.add_collection(LineCollection(lines, colors="white", linewidths=0.6), autolim=False)
        self.texts = []
        if font is not None:
            self.texts = [
                ax.text(
                    self.left + x + 0.5,
                    self.top + y + 0.5,
                    "",
                    size=font,
                    ha="center",
                    va="center_baseline",
                )
                for y in range(height)
                for x in range(width)
            ]
        ax.set(xlim=(self.left, right), ylim=(bottom, self.top), xticks=[], yticks=[])
        ax.tick_params(length=2, pad=1, labelsize="x-small")
        ax.spines[:].set(color="0.4", linewidth=0.6)
        ax.grid(False)

    @property
    def axes(self) -> Axes:
        """Where they are drawn."""
        axes = self.image.axes
        assert axes is not None
        return axes

    def show(self, values: np.ma.MaskedArray) -> None:
        """Show other values; what is masked is hatched."""
        self.image.set_data(values)
        mask = np.ma.getmaskarray(values)
        self.absent.set_verts(self._outlines(*np.nonzero(mask)))
        self.write(values)

    def write(self, values: np.ma.MaskedArray) -> None:
        """Write the numbers, dark on light colours and light on dark ones."""
        if not self.texts:
            return
        data, mask = np.ma.getdata(values).ravel(), np.ma.getmaskarray(values).ravel()
        colors = self._scale.cmap(self._scale.norm(data))[:, :3]
        dark = (colors @ (0.299, 0.587, 0.114) < 0.5) & ~mask & np.isfinite(data)
        for text, value, absent, is_dark in zip(self.texts, data, mask, dark, strict=True):
            text.set_text("" if absent and not self._writes_absent else self._write(value))
            text.set_color("white" if is_dark else "black")
            text.set_path_effects(_HALO if absent else [])

    def hatch(self, rows: np.ndarray, columns: np.ndarray) -> None:
        """Hatch whole rows and columns, given as boolean arrays."""
        height, width = len(rows), len(columns)
        strips = [_rectangle(self.top + y, self.left, 1, width) for y in np.flatnonzero(rows)]
        strips += [_rectangle(self.top, self.left + x, height, 1) for x in np.flatnonzero(columns)]
        self.absent.set_verts(strips)

    def _outlines(self, ys: np.ndarray, xs: np.ndarray) -> list[np.ndarray]:
        return [_rectangle(self.top + y, self.left + x, 1, 1) for y, x in zip(ys, xs, strict=True)]


_HALO: list[AbstractPathEffect] = [withStroke(linewidth=2, foreground=ABSENT)]


def _rectangle(top: float, left: float, height: float, width: float) -> np.ndarray:
    return np.array(
        [
            (left, top),
            (left + width, top),
            (left + width, top + height),
            (left, top + height),
        ]
    )
