"""`kernel_statistics`: what the kernels of a model look like in numbers."""

from __future__ import annotations

import difflib
import html
import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from numbers import Real
from typing import Any, overload

import keras
import numpy as np

from kerasviz._checks import import_optional
from kerasviz.compute.kernels import read_kernel, resolve_kernels

NEAR_ZERO = 0.01
TEXT_COLUMNS = 2
"""The first columns of the table hold text, the others numbers."""


@dataclass(frozen=True)
class LayerStatistics:
    """The kernel of one layer in numbers: a row of `KernelStatistics`.

    Args:
        address: The layer's address.
        shape: Shape of the kernel as `get_kernels` returns it: of a convolution
            `(height, width, in_channels, filters)`, of other layers `(inputs, units)`.
        parameters: How many weights the kernel has; biases are not counted.
        mean: Mean of the weights.
        std: Standard deviation of the weights.
        min: The smallest weight.
        max: The largest weight.
        norm: Euclidean norm of the whole kernel, the root of the sum of squares.
        filter_norm_min: The smallest Euclidean norm of a filter.
        filter_norm_mean: The mean Euclidean norm of the filters.
        filter_norm_max: The largest Euclidean norm of a filter.
        near_zero: Share of the weights that are near zero, 0 to 1.
        zero: How many filters, or units, are zero: all their weights are near zero.
        not_finite: How many weights are NaN or infinite; all else leaves them out.
    """

    address: str
    shape: tuple[int, ...]
    parameters: int
    mean: float
    std: float
    min: float
    max: float
    norm: float
    filter_norm_min: float
    filter_norm_mean: float
    filter_norm_max: float
    near_zero: float
    zero: int
    not_finite: int


@dataclass(frozen=True, repr=False)
class KernelStatistics(Sequence[LayerStatistics]):
    """A table with one row per layer: printed, it reads well, and pandas takes it over.

    It is a sequence of `LayerStatistics` that knows its rows by address too.

    Args:
        rows: The rows.
        threshold: A weight is near zero if its magnitude is at most this fraction of the layer's
            largest.

    Example:
        >>> import keras, kerasviz
        >>> model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(32, 3)])
        >>> statistics = kerasviz.kernel_statistics(model)
        >>> statistics["conv2d"].parameters, statistics[0].shape
        (288, (3, 3, 1, 32))
    """

    rows: tuple[LayerStatistics, ...]
    threshold: float = NEAR_ZERO

    @overload
    def __getitem__(self, key: int | str) -> LayerStatistics: ...
    @overload
    def __getitem__(self, key: slice) -> KernelStatistics: ...
    def __getitem__(self, key: int | str | slice) -> LayerStatistics | KernelStatistics:
        if isinstance(key, slice):
            return KernelStatistics(self.rows[key], self.threshold)
        if not isinstance(key, str):
            return self.rows[key]
        by_address = {row.address: row for row in self.rows}
        if key not in by_address:
            close = difflib.get_close_matches(key, by_address, n=3, cutoff=0.4) or by_address
            raise KeyError(f"no row {key!r}, but {', '.join(map(repr, close))}")
        return by_address[key]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[LayerStatistics]:
        return iter(self.rows)

    def __contains__(self, key: object) -> bool:
        return key in self.rows or any(row.address == key for row in self.rows)

    def to_pandas(self) -> Any:
        """Return a `pandas.DataFrame` with one row per layer, whose index is the address.

        Raises:
            ImportError: pandas is not installed.
        """
        pandas = import_optional("pandas", "`to_pandas`")
        names = list(LayerStatistics.__dataclass_fields__)
        frame = pandas.DataFrame([asdict(row) for row in self.rows], columns=names)
        return frame.set_index("address")

    def __repr__(self) -> str:
        columns = [[name, *cells] for name, cells in self._columns().items()]
        widths = [max(map(len, column)) for column in columns]
        lines = [
            "  ".join(
                cell.ljust(width) if place < TEXT_COLUMNS else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in zip(*columns, strict=True)
        ]
        return "\n".join([*lines, "", *self._legend()])

    def _repr_html_(self) -> str:
        columns = [[name, *cells] for name, cells in self._columns().items()]
        head, *lines = (
            "".join(f"<td>{html.escape(cell.strip())}</td>" for cell in line)
            for line in zip(*columns, strict=True)
        )
        body = "".join(f"<tr>{line}</tr>" for line in lines)
        head = head.replace("td>", "th>")
        legend = "<br>".join(map(html.escape, self._legend()))
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{legend}</p>"

    def _columns(self) -> dict[str, list[str]]:
        """Return the table as text, a list of cells a column."""
        rows = self.rows
        columns = {
            "layer": [row.address for row in rows],
            "kernel": ["×".join(map(str, row.shape)) for row in rows],
            "weights": [f"{row.parameters:,}" for row in rows],
            "mean": _align([row.mean for row in rows]),
            "std": _align([row.std for row in rows]),
            "min": _align([row.min for row in rows]),
            "max": _align([row.max for row in rows]),
            "norm": _align([row.norm for row in rows]),
            "filter norm": _align([row.filter_norm_mean for row in rows]),
            "near 0": [write_share(row.near_zero) for row in rows],
            "zero": [str(row.zero) for row in rows],
        }
        if any(row.not_finite for row in rows):
            columns["NaN/inf"] = [f"{row.not_finite:,}" for row in rows]
        return columns

    def _legend(self) -> list[str]:
        legend = [
            f"near 0: at most {100 * self.threshold:.4g}% of the layer's largest magnitude; "
            "zero: filters with no other weights"
        ]
        if any(row.not_finite for row in self.rows):
            legend.append("NaN/inf: counted among the weights, and left out of all else")
        return legend


def kernel_statistics(
    model: keras.Model, layer: Any = None, *, near_zero: float = NEAR_ZERO
) -> KernelStatistics:
    """Describe the kernels of layers in numbers, one row per layer.

    Args:
        model: The model that has the layers.
        layer: A layer address, or several; `None` is every convolution, and a pattern or a class
            selects the layers that have a kernel, `Dense`, `Embedding` and recurrent layers too.
            Of a layer with two kernels its own address means the first, as in `get_kernels`.
        near_zero: A weight is near zero if its magnitude is at most this share of the largest in
            its layer. 0 counts the weights that are exactly zero.

    Returns:
        A `KernelStatistics`, a sequence of `LayerStatistics`: print it, look up a row by index or
        address, or call its `to_pandas`.

    Raises:
        TypeError: `model` is not a Keras model, or `layer` is not an address.
        ValueError: No layer has that address, the layer has no kernel, or `near_zero` is not a
            number from 0 to below 1.

    Notes:
        What is near zero is measured by the largest weight, as a colour scale is: at 1% a weight
        is too close to neutral to be told from it, and as 8-bit integers it would be at most 1.
        After pruning, `near_zero=0` gives the sparsity. A filter is zero if all its weights are
        near zero, as where only weight decay still moved it. It is not called dead: that is a
        filter that stays silent on data, whatever its weights. Weights that are NaN or infinite are
        counted and left out, with one warning.

    Example:
        >>> import kerasviz
        >>> model = kerasviz.fashion_mnist.load_model()
        >>> kerasviz.kernel_statistics(model, "conv2d")
        layer   kernel    weights     mean    std    min    max  norm  filter norm  near 0  zero
        conv2d  3×3×1×32      288  -0.0191  0.254  -1.81  0.410  4.31        0.661    6.6%     0
        <BLANKLINE>
        near 0: at most 1% of the layer's largest magnitude; zero: filters with no other weights
    """
    check_near_zero(near_zero)
    targets, _ = resolve_kernels(model, layer)
    rows = [
        describe_kernel(read_kernel(call.layer, address), address, near_zero)
        for address, call in targets
    ]
    not_finite = sum(row.not_finite for row in rows)
    if not_finite:
        warnings.warn(
            f"{not_finite} of the weights are NaN or infinite; they are left out.", stacklevel=2
        )
    return KernelStatistics(tuple(rows), near_zero)


def check_near_zero(near_zero: object) -> None:
    """Raise `ValueError` unless `near_zero` is a share of the largest weight."""
    is_share = (
        isinstance(near_zero, Real)
        and not isinstance(near_zero, bool)
        and 0 <= float(near_zero) < 1
    )
    if not is_share:
        raise ValueError(
            f"`near_zero` must be a number from 0 to below 1. Received: near_zero={near_zero!r}"
        )


def describe_kernel(
    kernel: np.ndarray, address: str, near_zero: float = NEAR_ZERO
) -> LayerStatistics:
    """Describe one kernel in numbers.

    Args:
        kernel: Array `(..., filters)`.
        address: The layer's address.
        near_zero: See `kernel_statistics`.
    """
    weights = kernel.reshape(-1, kernel.shape[-1]).astype("float64")
    finite = np.isfinite(weights)
    # A single NaN would make every figure of the layer NaN; it is counted apart.
    magnitude = np.where(finite, np.abs(weights), 0)
    values = weights[finite]
    if not values.size:
        values = np.array([np.nan])
    norms = np.linalg.norm(magnitude[:, finite.any(axis=0)], axis=0)
    if not norms.size:
        norms = np.array([np.nan])
    limit = near_zero * magnitude.max()
    small = finite & (magnitude <= limit)
    return LayerStatistics(
        address=address,
        shape=kernel.shape,
        parameters=kernel.size,
        mean=float(values.mean()),
        std=float(values.std()),
        min=float(values.min()),
        max=float(values.max()),
        norm=float(np.linalg.norm(values)),
        filter_norm_min=float(norms.min()),
        filter_norm_mean=float(norms.mean()),
        filter_norm_max=float(norms.max()),
        near_zero=float(small.sum() / finite.sum()) if finite.any() else math.nan,
        zero=int(small.all(axis=0).sum()),
        not_finite=int(kernel.size - finite.sum()),
    )


def write_number(value: float) -> str:
    """Write a number with three digits, and all digits of the whole part up to six."""
    if 100 <= abs(value) < 1e6:
        return f"{value:,.0f}"
    return f"{value:#.3g}".removesuffix(".")


def write_share(share: float) -> str:
    """Write a share as a percentage that says 0 and 100 only where it is exactly that."""
    if 0 < share < 0.0005:
        return "<0.1%"
    if 0.9995 <= share < 1:
        return ">99.9%"
    return f"{share:.1%}" if math.isfinite(share) else "nan"


def _align(values: Sequence[float]) -> list[str]:
    """Write numbers with their points below one another."""
    parts = [write_number(value).partition(".") for value in values]
    width = max((len(tail) + len(point) for _, point, tail in parts), default=0)
    return [head + (point + tail).ljust(width) for head, point, tail in parts]
