"""Compute each step of a convolution or a pooling, as arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import keras
import numpy as np

from kerasviz.compute.convolution.geometry import POOLING, STEPPING, WindowAxis, window_axis
from kerasviz.compute.kernels import kernel_shape, read_kernel

OF_LARGEST, OF_MAGNITUDE = {True: 3e-2, False: 2e-3}, {True: 1e-2, False: 1e-5}
"""In half and in single precision: how far a layer's output may be off, as a part of its largest
value and of the largest sum of magnitudes. Graphics cards round single precision to 10 bits."""


@dataclass(frozen=True, eq=False)
class ConvolutionStep:
    """How one value of an output map comes about.

    Args:
        position: Row and column in the output map.
        taken: The rows and the columns of the padded input that the window takes.
        window: Masked array `(height, width, channels)`: the values there; what is not real is
            masked, and 0 beneath or the edge, see `Walk.cells`.
        products: `(height, width, channels)`: each value times its weight; `None` of a pooling.
        sums: `(channels,)`: the sum of each channel's products; of a pooling the result.
        total: The sum of all products and of the bias; of a pooling the result.
        value: What the layer returns: `total` after the activation.
    """

    position: tuple[int, int]
    taken: tuple[np.ndarray, np.ndarray]
    window: np.ma.MaskedArray
    products: np.ndarray | None
    sums: np.ndarray
    total: float
    value: float


@dataclass(frozen=True, eq=False)
class Walk:
    """All steps of a layer over one sample, for one channel of its output.

    Args:
        layer: The layer.
        filter: Which channel of the output.
        filters: How many it has.
        channels: Integer array `(channels,)`: the input channels of which it is made.
        cells: `(height, width, channels)`: the padded input; 0 where it is not real.
        rows: How the window moves down.
        columns: How it moves to the right.
        kernel: `(window height, window width, channels)`, that of a transposed convolution turned
            by 180°; `None` of a pooling.
        bias: 0 where there is none.
        sums: `(rows, columns, channels)`: for each output the sum of each channel's products; of a
            pooling the result.
        output: `(rows, columns)`: what the layer returned.
        activation: The name of the activation, `None` for none.
        mixes: Whether the activation makes a value of more than one sum, as softmax does.
        repeats_edge: Whether padding repeats the edge of the input, and counts in an average.

    Notes:
        A transposed convolution is the convolution of the input, spread by the stride and padded,
        with the kernel turned by 180°: each output gathers what the inputs scatter to it.
    """

    layer: keras.Layer
    filter: int
    filters: int
    channels: np.ndarray
    cells: np.ndarray
    rows: WindowAxis
    columns: WindowAxis
    kernel: np.ndarray | None
    bias: float
    sums: np.ndarray
    output: np.ndarray
    activation: str | None = None
    mixes: bool = False
    repeats_edge: bool = False

    @property
    def totals(self) -> np.ndarray:
        """For each output, the sum of all products and of the bias: `(rows, columns)`."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.sums.sum(axis=2) + self.bias)

    @property
    def real(self) -> np.ndarray:
        """Which cells hold a value of the input: `(height, width)`."""
        return np.asarray(np.logical_and.outer(self.rows.real, self.columns.real))

    def step(self, row: int, column: int) -> ConvolutionStep:
        """Return the step that makes one value of the output."""
        taken = self.rows.taken[row], self.columns.taken[column]
        values = self.cells[np.ix_(*taken)]
        mask = np.broadcast_to(~self.real[np.ix_(*taken)][..., np.newaxis], values.shape)
        with np.errstate(invalid="ignore"):
            products = None if self.kernel is None else values * self.kernel
        return ConvolutionStep(
            (row, column),
            taken,
            np.ma.MaskedArray(values, mask),
            products,
            self.sums[row, column],
            float(self.totals[row, column]),
            float(self.output[row, column]),
        )


def check_stepping(layer: keras.Layer, address: str) -> None:
    """Raise `ValueError` unless a layer's output is made by a window that moves over an image."""
    if not isinstance(layer, STEPPING):
        names = [cls.__name__ for cls in STEPPING]
        name = type(layer).__name__
        raise ValueError(
            f"`layer` must name a {', '.join(names[:-1])} or {names[-1]}. "
            f"Received: {address!r}, a{'n' if name[0] in 'AEIOU' else ''} {name}"
        )


def seen_channels(layer: keras.Layer, number: int) -> np.ndarray:
    """Return the input channels of which a channel of the output is made, as `(n,)`."""
    if isinstance(layer, POOLING):
        return np.array([number])
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return np.array([number // layer.depth_multiplier])
    shape = kernel_shape(layer)
    assert shape is not None  # since the layer was called
    seen, filters = shape[-2:]
    group = number // (filters // getattr(layer, "groups", 1))
    return np.arange(seen) + group * seen


def in_channels(layer: keras.Layer, filters: int) -> int:
    """Return the number of input channels of a layer with this number of output channels."""
    if isinstance(layer, POOLING):
        return filters
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return filters // int(layer.depth_multiplier)
    shape = kernel_shape(layer)
    assert shape is not None  # since the layer was called
    return shape[-2] * int(getattr(layer, "groups", 1))


def read_walk(
    layer: keras.Layer,
    address: str,
    inputs: np.ndarray,
    outputs: np.ndarray,
    number: int,
) -> Walk:
    """Take apart what a layer did to one sample.

    Args:
        layer: One of `STEPPING`.
        address: What the layer is called in an error.
        inputs: What it was called on, `(height, width, channels)`.
        outputs: What it returned, `(rows, columns, filters)`.
        number: Which channel of the output.

    Raises:
        ValueError: The layer does not compute what its class says, so that its steps are unknown.
    """
    made = _Made(layer, inputs.astype("float64"), outputs.astype("float64"))
    if isinstance(layer, POOLING):
        walks = [_pool(made, number, repeats_edge=repeats) for repeats in (False, True)]
        found = next((walk for walk in walks if _agrees(walk, walk.totals)), None)
    else:
        found = _find_activation(made, number)
    if found is None:
        cls = next(cls for cls in STEPPING if isinstance(layer, cls)).__name__
        raise ValueError(
            f"The output of {address!r} ({type(layer).__name__}) differs from what {cls} computes, "
            f"so its steps cannot be shown. Received: layer={address!r}"
        )
    return found


class _Made(NamedTuple):
    """A layer, what it was called on, and what it made of it."""

    layer: keras.Layer
    inputs: np.ndarray
    outputs: np.ndarray

    def axes(self) -> tuple[WindowAxis, WindowAxis]:
        """Return how the window moves down and to the right."""
        height, width, _ = self.inputs.shape
        return window_axis(self.layer, 0, height), window_axis(self.layer, 1, width)


def _agrees(walk: Walk, computed: np.ndarray) -> bool:
    """Whether a map that was computed by hand is what the layer returned, but for rounding."""
    if computed.shape != walk.output.shape:
        return False
    finite = np.isfinite(computed) & np.isfinite(walk.output)
    if not finite.any():
        return True
    half = "16" in walk.layer.compute_dtype
    magnitude = np.abs(walk.sums).sum(axis=2)[finite].max()
    largest = np.abs(walk.output[finite]).max()
    allowed = OF_LARGEST[half] * largest + OF_MAGNITUDE[half] * magnitude
    return bool(np.abs(computed[finite] - walk.output[finite]).max() <= allowed)


def _pool(made: _Made, number: int, *, repeats_edge: bool) -> Walk:
    """Return the walk of a pooling, whose padding counts as copies of the edge or not at all.

    It counts in an average of Keras on PyTorch where one side has more padding than the other.
    """
    layer, (rows, columns) = made.layer, made.axes()
    channels, filters = seen_channels(layer, number), made.outputs.shape[-1]
    seen = made.inputs[..., channels]
    cells = _place(seen, rows, columns)
    if repeats_edge:
        cells = np.pad(seen, (rows.padding, columns.padding, (0, 0)), "edge")
    real = np.logical_and.outer(rows.real, columns.real)[..., np.newaxis]
    counted = np.ma.MaskedArray(cells, ~(real | repeats_edge))
    windows = np.ma.stack([values for _, _, values in _taps(counted, rows, columns)])
    largest = isinstance(layer, keras.layers.MaxPooling2D)
    sums = np.ma.getdata(windows.max(axis=0) if largest else windows.mean(axis=0))
    output = made.outputs[..., number]
    walk = Walk(layer, number, filters, channels, cells, rows, columns, None, 0.0, sums, output)
    return replace(walk, repeats_edge=repeats_edge)


def _convolve(made: _Made, number: int) -> Walk:
    """Return the walk of a convolution, whatever its activation."""
    layer, (rows, columns) = made.layer, made.axes()
    channels, filters = seen_channels(layer, number), made.outputs.shape[-1]
    cells = _place(made.inputs[..., channels], rows, columns)
    kernel = read_kernel(layer, layer.name)[..., number].astype("float64")
    if isinstance(layer, keras.layers.Conv2DTranspose):
        kernel = kernel[::-1, ::-1]
    bias = float(_to_numpy(layer.bias)[number]) if layer.use_bias else 0.0
    sums = np.zeros((len(rows.taken), len(columns.taken), len(channels)))
    with np.errstate(invalid="ignore"):
        for i, j, values in _taps(cells, rows, columns):
            sums += values * kernel[i, j]
    output = made.outputs[..., number]
    return Walk(layer, number, filters, channels, cells, rows, columns, kernel, bias, sums, output)


def _find_activation(made: _Made, number: int) -> Walk | None:
    """Return the walk of a convolution, `None` where it does not lead to what the layer returned.

    The activation of this filter's sums, twice over, is tried first, since most take each value by
    itself; that of all filters takes as long as the layer does.
    """
    layer, walk = made.layer, _convolve(made, number)
    if layer.activation in (None, keras.activations.linear):
        return walk if _agrees(walk, walk.totals) else None
    totals, place = np.stack([walk.totals, walk.totals], -1), 0
    if isinstance(layer.activation, keras.Layer) or not _activates(walk, totals, place):
        every = [_convolve(made, n).totals for n in range(read_kernel(layer, "").shape[-1])]
        totals, place = np.stack(every, -1), number
        if not _activates(walk, totals, place):
            return None
    changed, expected = totals + 1, walk.output.copy()
    changed[::2, ::2, place] = totals[::2, ::2, place]
    expected[::2, ::2] = _activate(layer, changed)[::2, ::2, place]
    return replace(walk, activation=_name(layer.activation), mixes=not _agrees(walk, expected))


def _activates(walk: Walk, totals: np.ndarray, place: int) -> bool:
    """Whether the activation of sums `(rows, columns, n)` gives what the layer returned."""
    computed = _activate(walk.layer, totals)
    return computed.shape == totals.shape and _agrees(walk, computed[..., place])


def _activate(layer: keras.Layer, totals: np.ndarray) -> np.ndarray:
    """Apply a layer's activation to sums `(rows, columns, n)`, in the layer's own layout."""
    axis = 0 if layer.data_format == "channels_first" else -1
    maps = np.moveaxis(totals, -1, axis)[np.newaxis].astype("float32")
    return np.moveaxis(_to_numpy(layer.activation(keras.ops.convert_to_tensor(maps)))[0], axis, -1)


def _name(activation: Any) -> str:
    """Return what an activation is called: a function's name or a layer's class."""
    name = getattr(activation, "__name__", type(activation).__name__)
    return name if name.isidentifier() and name != "partial" else "activation"


def _to_numpy(tensor: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32")), "float64")


def _place(inputs: np.ndarray, rows: WindowAxis, columns: WindowAxis) -> np.ndarray:
    """Return an input `(height, width, channels)` spread and padded with zeros."""
    cells = np.zeros((len(rows.real), len(columns.real), inputs.shape[2]))
    cells[np.ix_(rows.real, columns.real)] = inputs
    return cells


def _taps(
    cells: np.ndarray, rows: WindowAxis, columns: WindowAxis
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield each place in the window, and what the window takes there for each output."""
    for i, first_row in enumerate(rows.taken[0]):
        down = slice(first_row, rows.taken[-1, i] + 1, rows.stride)
        for j, first_column in enumerate(columns.taken[0]):
            right = slice(first_column, columns.taken[-1, j] + 1, columns.stride)
            yield i, j, cells[down, right]
