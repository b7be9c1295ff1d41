"""An image with more values than pixels, averaged before Matplotlib resamples it."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage, PcolorImage
from matplotlib.transforms import Bbox, IdentityTransform
from typing_extensions import override

Extent = tuple[float, float, float, float]
SLACK = 1e-6
"""Tolerance for rounding errors in the number of values per pixel."""
PIXEL_SLACK = 1e-3
"""Tolerance for rounding errors in the sides of an image, in pixels."""


class DownsampledImage(AxesImage):
    """An image of values or of colours, averaged when it is drawn, by the pixels that it then has.

    `get_array` stays as it was: only what is drawn is averaged, again for each resolution and
    each zoom. Where it has no more values than pixels, it is an `AxesImage` like any other.
    """

    _cache: tuple[tuple[int, int], np.ndarray] | None = None

    @override
    def set_data(self, A: Any) -> None:
        """Show other values."""
        self._cache = None
        super().set_data(A)

    @override
    def make_image(
        self, renderer: Any, magnification: float = 1.0, unsampled: bool = False
    ) -> tuple[Any, float, float, Any]:
        """Return what Matplotlib draws: of averages, where there are too many values."""
        dots = None if unsampled else self._whole_dots(magnification)
        if dots is not None:
            return dots
        ratios = self._values_per_pixel(magnification)
        alpha: Any = self.get_alpha()  # of each value, perhaps, which is not what the type says
        if unsampled or max(ratios) < 1 + SLACK or np.ndim(alpha):
            return super().make_image(renderer, magnification, unsampled)
        return self._downsampled(ratios).make_image(renderer, magnification)

    def _whole_dots(self, magnification: float) -> tuple[Any, float, float, Any] | None:
        """Return the dots where each value is the same whole number of them, and all are in sight.

        Resampling would give the same dots in five times the time.
        """
        array = self.get_array()
        assert array is not None
        left, right, bottom, top = self.get_extent()
        box = Bbox.from_extents(left, bottom, right, top).transformed(self.get_transform())
        edges = np.array(box.extents) * magnification
        is_whole = np.allclose(box.extents, self.axes.bbox.extents, rtol=0, atol=PIXEL_SLACK)
        if not is_whole or self.get_interpolation() != "nearest" or self.get_alpha() is not None:
            return None
        sides = np.array([edges[3] - edges[1], edges[2] - edges[0]])
        zooms = np.rint(sides / array.shape[:2]).astype(int)
        if array.ndim != 2 or not np.allclose(sides, zooms * array.shape, rtol=0, atol=PIXEL_SLACK):
            return None
        colors = self.to_rgba(array[::-1], bytes=True).view("uint32")[..., 0]  # the lowest first
        dots = colors.repeat(zooms[0], axis=0).repeat(zooms[1], axis=1)
        # To the nearest dots, as Matplotlib rounds.
        x, y = np.floor(edges[0] + 0.5), np.ceil(edges[1] - 0.5 - 1e-8)
        dots = dots[..., np.newaxis].view("uint8")
        return dots, x / magnification, y / magnification, IdentityTransform()

    def _values_per_pixel(self, magnification: float) -> tuple[float, float]:
        left, right, bottom, top = self.get_extent()
        box = Bbox.from_extents(left, bottom, right, top).transformed(self.get_transform())
        rows, columns = self.get_size()
        pixels = abs(box.height) * magnification, abs(box.width) * magnification
        return rows / max(pixels[0], 1), columns / max(pixels[1], 1)

    def _downsampled(self, ratios: tuple[float, float]) -> AxesImage:
        """Return an image of the averages, which are cached for the next time that it is drawn."""
        rows, columns = (max(1, int(ratio + SLACK)) for ratio in ratios)
        factors = rows, columns
        if self._cache is None or self._cache[0] != factors:
            array = self.get_array()
            assert array is not None
            if max(factors) > 1:
                average = average_blocks if array.ndim == 2 else average_colors
                array = average(array, *map(np.arange, (0, 0), array.shape, factors))
            self._cache = factors, array
        averages, stage = self._cache[1], self.get_interpolation_stage()
        image = AxesImage(self.axes, extent=self._extent_of(averages, factors))
        # Of colours that are blended Matplotlib makes floats with twice the digits, or four times.
        image.set_data(averages if stage == "data" else self.to_rgba(averages, bytes=True))
        image.set(
            cmap=self.cmap,
            norm=self.norm,
            alpha=self.get_alpha(),
            figure=self.get_figure(),
            transform=self.get_transform(),
            clip_box=self.get_clip_box(),
            clip_on=self.get_clip_on(),
            interpolation=self.get_interpolation(),
            interpolation_stage=stage,
        )
        return image

    def _extent_of(self, averages: np.ndarray, factors: tuple[int, int]) -> Extent:
        """Return where the averages lie, of which the last ones may reach over the edge."""
        left, right, bottom, top = self.get_extent()
        rows, columns = self.get_size()
        high = averages.shape[0] * factors[0] / rows
        wide = averages.shape[1] * factors[1] / columns
        return left, left + (right - left) * wide, top + (bottom - top) * high, top


class DownsampledPcolorImage(PcolorImage):
    """An image of rows and columns of unequal sizes that is averaged in the same way.

    Values, or colours, whose centres are in the same pixel are averaged, by rows and by columns; a
    pixel without a centre shows the value that it is in.
    """

    def __init__(
        self, ax: Axes, x: np.ndarray, y: np.ndarray, array: np.ndarray, **kwargs: Any
    ) -> None:
        super().__init__(ax, x, y, array, **kwargs)
        self.set_extent((x[0], x[-1], y[-1], y[0]))  # with the first row above
        self._edges = y, x

    def take_cells(self, other: DownsampledPcolorImage) -> None:
        """Show the cells of another image, where these are in that."""
        y, x = self._edges = other._edges
        array = other.get_array()
        assert array is not None
        self.set_data(x, y, array)
        self.set_extent((x[0], x[-1], y[-1], y[0]))

    @override
    def make_image(
        self,
        renderer: Any,
        magnification: float = 1.0,
        unsampled: bool = False,
    ) -> tuple[Any, float, float, Any]:
        """Return the dots of the whole Axes, as Matplotlib does for such an image."""
        array, view = self.get_array(), self.axes.viewLim
        assert array is not None
        box = np.asarray(self.axes.bbox.extents) * magnification
        left, bottom, right, top = (box + 0.5).astype(int)
        rows, row = _groups(self._edges[0], view.intervaly, top - bottom)
        columns, column = _groups(self._edges[1], view.intervalx, right - left)
        if (len(rows), len(columns)) != array.shape[:2]:
            average = average_blocks if array.ndim == 2 else average_colors
            array = average(array, rows, columns)
        colors = np.pad(self.to_rgba(array, bytes=True), [(0, 1), (0, 1), (0, 0)])
        dots = colors.view("uint32")[..., 0].take(row, 0).take(column, 1)  # a colour at a time
        dots = dots[..., np.newaxis].view("uint8")
        return dots, left / magnification, bottom / magnification, IdentityTransform()


def _groups(edges: np.ndarray, limits: np.ndarray, pixels: int) -> tuple[np.ndarray, np.ndarray]:
    """Group rows, or columns, by the pixel in which their middles lie.

    Returns:
        The first of each group; and for each pixel the number of the group that it shows, one more
        than the last where it shows none.
    """
    start, end = limits
    middles = (edges[:-1] + edges[1:]) / 2
    pixel = np.floor((middles - start) / (end - start) * pixels + SLACK).astype(int)
    is_first = np.diff(pixel, prepend=pixel[0] - 1) != 0
    firsts, group = np.flatnonzero(is_first), np.cumsum(is_first) - 1
    centers = start + (np.arange(pixels) + 0.5) / pixels * (end - start)
    inside = np.searchsorted(edges, centers, side="right") - 1
    group_of_pixel = np.append(group, [len(firsts)])[np.where(inside < len(group), inside, -1)]
    is_visible = (pixel >= 0) & (pixel < pixels)
    group_of_pixel[pixel[is_visible]] = group[is_visible]
    return firsts, group_of_pixel


def average_blocks(array: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ma.MaskedArray:
    """Average blocks of values by their strength, so that a single bright one stays visible.

    The average is the contraharmonic mean `sum(v |v|) / sum(|v|)`: of equal values it is that
    value, of a bright one among zeros it is the bright one, where the arithmetic mean would let it
    vanish. Masked, NaN and infinite values do not count.

    Source: P. S. Bullen, "Handbook of Means and Their Inequalities", 2003, on Lehmer means.

    Args:
        array: Array `(rows, columns)`, masked or not.
        rows: The first row of each block, in ascending order.
        columns: The first column of each block.

    Returns:
        A masked array `(len(rows), len(columns))`, masked where a block has no value that counts.
    """
    values = np.ma.getdata(array)
    if values.dtype not in ("float32", "float64"):
        values = values.astype("float32")
    counts = np.isfinite(values)
    if np.ma.is_masked(array):
        counts &= ~np.ma.getmaskarray(array)
    if not counts.any():
        return np.ma.MaskedArray(np.zeros((len(rows), len(columns)), values.dtype), mask=True)
    if not counts.all():
        values = np.where(counts, values, values.flat[counts.argmax()])
    strength = np.abs(values)
    largest = strength.max() or values.dtype.type(1)
    strength /= largest  # squares and sums of huge or tiny values would not fit
    strength *= counts
    total = _block_sums(strength, rows, columns)
    weighted = _block_sums(np.copysign(strength * strength, values), rows, columns)
    averages = np.divide(weighted, total, out=np.zeros_like(weighted), where=total > 0) * largest
    # A rounding error beyond the limits of the colours would be shown as a value beyond them.
    averages = np.ma.MaskedArray(averages.clip(values.min(), values.max()))
    if not counts.all():
        averages.mask = ~_block_sums(counts, rows, columns)
    return averages


def average_colors(array: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Average blocks of colours, as is usual where a picture becomes smaller.

    A colour has no strength: grey may be the middle of a signed scale, black its end.

    Args:
        array: Array `(rows, columns, 3)` in 0 to 1, masked or not. What is masked does not count.
        rows: The first row of each block, in ascending order.
        columns: The first column of each block.

    Returns:
        Array `(len(rows), len(columns), 3)`, black where a block has no colour that counts.
    """
    counted = ~np.ma.getmaskarray(array)[..., 0]
    totals = _block_sums(np.ma.filled(array, 0), rows, columns)
    counts = _block_sums(counted.astype("float32"), rows, columns)
    return np.asarray(totals / np.maximum(counts, 1)[..., np.newaxis]).clip(0, 1)


def _block_sums(array: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the sum of each block; of booleans, whether any is true.

    Every first value of a block, plus every second one, and so on: many times as fast as
    `np.add.reduceat`.
    """
    for axis, starts in enumerate((rows, columns)):
        last = array.shape[axis] - 1
        lengths = np.diff(starts, append=last + 1)
        total = array.take(starts, axis)
        for step in range(1, lengths.max()):
            part = array.take(np.minimum(starts + step, last), axis)
            np.moveaxis(part, axis, 0)[lengths <= step] = 0
            total += part
        array = total
    return array
