"""Choose the colours of each part of a picture of a convolution, and the ticks of its bars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.colors import Colormap, LinearSegmentedColormap

from kerasviz.draw.color import ColorScale, color_scale, value_range
from kerasviz.draw.convolution.content import ConvolutionView
from kerasviz.draw.convolution.number_format import NumberFormat, choose_format

BARS: dict[str, tuple[str, ...]] = {
    "input": ("input", "window"),
    "kernel": ("kernel", "products"),
    "output": ("output",),
}
"""The parts that one colour bar explains, by the first of them."""
MAX_RATIO = 4.0
"""Where weights are this many times larger than products, or smaller, each has own limits."""
CHANNEL_COLORS = (
    ("red", ("#000000", "#c00000", "#ff9a9a")),
    ("green", ("#000000", "#007a00", "#8ff08f")),
    ("blue", ("#000000", "#1034d6", "#9fbaff")),
)
"""Black for 0, and lighter for more: in the pure colours, bright blue would look dark."""

Ticks = tuple[tuple[float, str], ...]
"""The ticks of a bar from left to right: the value, and what is written there."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ConvolutionColors:
    """How values become colours and numbers.

    Args:
        scales: Norm and colormap of each part.
        formats: How the numbers of each part are written.
        row_cmaps: The colormap of input and window in each row, where these differ.
    """

    scales: dict[str, ColorScale]
    formats: dict[str, NumberFormat]
    row_cmaps: tuple[Colormap, ...] = ()

    def scale(self, row: int, part: str) -> ColorScale:
        """Return norm and colormap of a part in a row."""
        scale = self.scales[part]
        if self.row_cmaps and part in BARS["input"]:
            return scale._replace(cmap=self.row_cmaps[row])
        return scale

    def ticks(self, bar: str) -> Ticks:
        """Return the ticks of a bar: its ends, and 0 between them.

        Where weights and products have limits of their own, the bar has a line of labels for each.
        """
        first, last = BARS[bar][0], BARS[bar][-1]
        low, high = self._limits(first)
        if bar == "kernel" and not self.has_shared_limits:
            lines = [
                [self.formats[part](value) for value in self._limits(part)]
                for part in (first, last)
            ]
            ends = ["\n".join(labels) for labels in zip(*lines, strict=True)]
            return (low, ends[0]), (0.0, f"{first}\n{last}"), (high, ends[1])
        values = (low, 0.0, high) if low < 0 < high else (low, high)
        return tuple((value, self.formats[first](value)) for value in values)

    @property
    def has_shared_limits(self) -> bool:
        """Whether equal colours of weights and of products are equal numbers."""
        return self.scales["kernel"].norm is self.scales["products"].norm

    def _limits(self, part: str) -> tuple[float, float]:
        norm = self.scales[part].norm
        return float(norm.vmin or 0.0), float(norm.vmax or 0.0)


def choose_colors(view: ConvolutionView) -> ConvolutionColors:
    """Choose the colours and the notation of each part; the window has those of the input."""
    inputs = color_scale(view.values("input"), cmap=view.cmap)
    scales = {"input": inputs, "window": inputs}
    formats = dict.fromkeys(("input", "window"), choose_format(view.values("input")))
    if view.kernels is not None:
        scales |= _choose_signed_scales(view.kernels, view.products)
        formats |= choose_product_formats(view.kernels, view.products)
    scales["output"] = color_scale(view.output, cmap=view.cmap)
    formats["output"] = choose_format(view.output)
    return ConvolutionColors(scales=scales, formats=formats, row_cmaps=_choose_row_cmaps(view))


def choose_product_formats(kernels: np.ndarray, products: np.ndarray) -> dict[str, NumberFormat]:
    """Return how weights and products are written: in one unit, if they have the same limits."""
    exponent = None
    if _shared_reach(kernels, products):
        exponent = choose_format(np.concatenate([kernels.ravel(), products.ravel()])).exponent
    return {
        "kernel": choose_format(kernels, exponent=exponent),
        "products": choose_format(products, exponent=exponent),
    }


def _choose_signed_scales(kernels: np.ndarray, products: np.ndarray) -> dict[str, ColorScale]:
    """Return diverging scales: a weight has a sign, so white is 0 in the products as well."""
    reach = _shared_reach(kernels, products)
    if reach:
        scale = color_scale(np.array([-reach, reach]), signed=True)
        return dict.fromkeys(("kernel", "products"), scale)
    return {
        "kernel": color_scale(kernels, signed=True),
        "products": color_scale(products, signed=True),
    }


def _shared_reach(kernels: np.ndarray, products: np.ndarray) -> float:
    """Return the largest magnitude of both, 0 where one of the two would be nearly white."""
    smaller, larger = sorted(max(map(abs, value_range(each))) for each in (kernels, products))
    return larger if larger < MAX_RATIO * smaller else 0.0


def _choose_row_cmaps(view: ConvolutionView) -> tuple[Colormap, ...]:
    if view.cmap is not None or view.color_indices is None:
        return ()
    return tuple(
        LinearSegmentedColormap.from_list(*CHANNEL_COLORS[index]) for index in view.color_indices
    )
