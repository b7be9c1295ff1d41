"""Compute each step of a convolution or a pooling as arrays, and check them against Keras."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from kerasviz.compute.convolution.channels import input_channels_of
from kerasviz.compute.convolution.geometry import (
    MAX_POOLING,
    POOLING_LAYERS,
    SLIDING_LAYERS,
    SlidingAxis,
    resting_axis,
    slides_over_steps,
    sliding_axis,
)
from kerasviz.compute.kernels import TRANSPOSED, read_kernel


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """How far a layer's output may be from the one computed here, in two parts that are added.

    Args:
        of_output: As a part of the largest magnitude in the output.
        of_sums: As a part of the largest sum of magnitudes.
    """

    of_output: float
    of_sums: float


HALF_PRECISION = Tolerance(of_output=3e-2, of_sums=1e-2)
SINGLE_PRECISION = Tolerance(of_output=2e-3, of_sums=1e-5)
"""Graphics cards round single precision to 10 bits."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ConvolutionStep:
    """How one value of an output map is computed.

    Args:
        position: Row and column in the output map.
        indices: The rows and the columns of the padded input that are under the window.
        window: Masked array `(height, width, channels)`: the values there. Padding and the zeros
            between spread values are masked; for the data of the mask, see
            `ConvolutionTrace.padded_input`.
        products: `(height, width, channels)`: each value times its weight; `None` of a pooling.
        sums: `(channels,)`: the sum of each channel's products; of a pooling the result.
        total: The sum of all products and of the bias; of a pooling the result.
        value: What the layer returns: `total` after the activation.
    """

    position: tuple[int, int]
    indices: tuple[np.ndarray, np.ndarray]
    window: np.ma.MaskedArray
    products: np.ndarray | None
    sums: np.ndarray
    total: float
    value: float


@dataclass(frozen=True, eq=False, kw_only=True)
class ConvolutionTrace:
    """All steps of a layer over one sample, for one channel of its output.

    A sequence is an image of one row: its steps are the columns.

    Args:
        layer: The layer.
        filter_index: Which channel of the output.
        filter_count: How many it has.
        channel_indices: Integer array `(channels,)`: the input channels that are combined.
        padded_input: `(height, width, channels)`: these channels, spread and padded. Cells that
            are not data are 0, or with `repeats_edge` the nearest value.
        rows: How the window slides down.
        columns: How it slides to the right.
        kernel: `(window height, window width, channels)`, that of a transposed convolution rotated
            by 180°; `None` of a pooling.
        bias: 0 where there is none.
        sums: `(rows, columns, channels)`: for each output the sum of each channel's products; of a
            pooling the result.
        output: `(rows, columns)`: what the layer returned.
        activation: The name of the activation, `None` for none.
        mixes_sums: Whether the activation computes a value from more than one sum, as softmax does.
        repeats_edge: Whether padding repeats the edge of the input, and counts in an average.

    Notes:
        A transposed convolution is the convolution of the input, spread by the stride and padded,
        with the kernel rotated by 180°: each output gathers what the inputs scatter to it.
    """

    layer: keras.Layer
    filter_index: int
    filter_count: int
    channel_indices: np.ndarray
    padded_input: np.ndarray
    rows: SlidingAxis
    columns: SlidingAxis
    kernel: np.ndarray | None = None
    bias: float = 0.0
    sums: np.ndarray
    output: np.ndarray
    activation: str | None = None
    mixes_sums: bool = False
    repeats_edge: bool = False

    @property
    def is_sequence(self) -> bool:
        """Whether the layer slides over the steps of a sequence."""
        return slides_over_steps(self.layer)

    @property
    def totals(self) -> np.ndarray:
        """For each output, the sum of all products and of the bias: `(rows, columns)`."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.sums.sum(axis=2) + self.bias)

    @property
    def is_data(self) -> np.ndarray:
        """Which cells of the padded input hold one of its values: `(height, width)`."""
        return np.asarray(np.logical_and.outer(self.rows.is_data, self.columns.is_data))

    def step(self, row: int, column: int) -> ConvolutionStep:
        """Return the step that computes one value of the output."""
        indices = self.rows.indices[row], self.columns.indices[column]
        values = self.padded_input[np.ix_(*indices)]
        mask = np.broadcast_to(~self.is_data[np.ix_(*indices)][..., np.newaxis], values.shape)
        with np.errstate(invalid="ignore"):
            products = None if self.kernel is None else values * self.kernel
        return ConvolutionStep(
            position=(row, column),
            indices=indices,
            window=np.ma.MaskedArray(values, mask),
            products=products,
            sums=self.sums[row, column],
            total=float(self.totals[row, column]),
            value=float(self.output[row, column]),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class LayerIO:
    """The input and the output of a layer for one sample.

    Args:
        layer: One of `SLIDING_LAYERS`.
        inputs: `(height, width, channels)`.
        outputs: `(rows, columns, filters)`.
    """

    layer: keras.Layer
    inputs: np.ndarray
    outputs: np.ndarray

    def axes(self) -> tuple[SlidingAxis, SlidingAxis]:
        """Return how the window slides down and to the right."""
        height, width, _ = self.inputs.shape
        if slides_over_steps(self.layer):
            return resting_axis(), sliding_axis(self.layer, 0, width)
        return sliding_axis(self.layer, 0, height), sliding_axis(self.layer, 1, width)


def check_sliding_layer(layer: keras.Layer, address: str) -> None:
    """Raise `ValueError` unless a layer slides a window over an image or a sequence."""
    if not isinstance(layer, SLIDING_LAYERS):
        names = [cls.__name__ for cls in SLIDING_LAYERS]
        name = type(layer).__name__
        raise ValueError(
            f"`layer` must name a {', '.join(names[:-1])} or {names[-1]}. "
            f"Received: {address!r}, a{'n' if name[0] in 'AEIOU' else ''} {name}"
        )


def trace_convolution(
    layer: keras.Layer,
    inputs: np.ndarray,
    outputs: np.ndarray,
    *,
    filter_index: int,
    address: str,
) -> ConvolutionTrace:
    """Take apart how a layer computed one channel of its output for one sample.

    Args:
        layer: One of `SLIDING_LAYERS`.
        inputs: What it was called on, `(height, width, channels)` or `(steps, channels)`.
        outputs: What it returned, `(rows, columns, filters)` or `(steps, filters)`.
        filter_index: Which channel of the output.
        address: The name of the layer in an error.

    Raises:
        ValueError: The layer does not compute what its class does, so that its steps are unknown.
    """
    if slides_over_steps(layer):
        inputs, outputs = inputs[np.newaxis], outputs[np.newaxis]
    call = LayerIO(layer=layer, inputs=inputs.astype("float64"), outputs=outputs.astype("float64"))
    trace_layer = _trace_pooling if isinstance(layer, POOLING_LAYERS) else _trace_convolution
    trace = trace_layer(call, filter_index)
    # A subclass may override `call`, and backends pad in different ways. So nothing is drawn of
    # steps that do not lead to the values that the layer itself returned.
    if trace is None:
        cls = next(cls for cls in SLIDING_LAYERS if isinstance(layer, cls)).__name__
        raise ValueError(
            f"The output of {address!r} ({type(layer).__name__}) differs from what {cls} computes, "
            f"so its steps cannot be shown. Received: layer={address!r}"
        )
    return trace


def _matches_output(trace: ConvolutionTrace, computed: np.ndarray) -> bool:
    """Whether a computed map is the one that the layer returned, up to rounding."""
    if computed.shape != trace.output.shape:
        return False
    finite = np.isfinite(computed) & np.isfinite(trace.output)
    if not finite.any():
        return True
    tolerance = HALF_PRECISION if "16" in trace.layer.compute_dtype else SINGLE_PRECISION
    # Large terms that cancel leave a rounding error which the small output does not show.
    magnitude = np.abs(trace.sums).sum(axis=2)[finite].max()
    largest = np.abs(trace.output[finite]).max()
    allowed = tolerance.of_output * largest + tolerance.of_sums * magnitude
    return bool(np.abs(computed[finite] - trace.output[finite]).max() <= allowed)


def _trace_pooling(call: LayerIO, filter_index: int) -> ConvolutionTrace | None:
    """Return the trace of a pooling, `None` where it does not lead to what the layer returned."""
    # Padding does not count, except in an average of Keras on PyTorch where one side has more
    # padding than the other: there it repeats the edge. The output tells which of the two it was.
    for repeats_edge in (False, True):
        trace = _pool(call, filter_index, repeats_edge=repeats_edge)
        if _matches_output(trace, trace.totals):
            return trace
    return None


def _begin_trace(call: LayerIO, filter_index: int) -> ConvolutionTrace:
    """Return what a trace knows before anything is computed: its sums are 0."""
    rows, columns = call.axes()
    channels = input_channels_of(call.layer, filter_index)
    return ConvolutionTrace(
        layer=call.layer,
        filter_index=filter_index,
        filter_count=call.outputs.shape[-1],
        channel_indices=channels,
        padded_input=_spread_and_pad(call.inputs[..., channels], rows, columns),
        rows=rows,
        columns=columns,
        sums=np.zeros((len(rows.indices), len(columns.indices), len(channels))),
        output=call.outputs[..., filter_index],
    )


def _pool(call: LayerIO, filter_index: int, *, repeats_edge: bool) -> ConvolutionTrace:
    trace = _begin_trace(call, filter_index)
    rows, columns, padded_input = trace.rows, trace.columns, trace.padded_input
    if repeats_edge:
        inputs = call.inputs[..., trace.channel_indices]
        padded_input = np.pad(inputs, (rows.padding, columns.padding, (0, 0)), "edge")
    counted = np.ma.MaskedArray(padded_input, ~(trace.is_data[..., np.newaxis] | repeats_edge))
    windows = np.ma.stack([values for _, _, values in offsets(counted, rows, columns)])
    is_max = isinstance(call.layer, MAX_POOLING)
    sums = np.ma.getdata(windows.max(axis=0) if is_max else windows.mean(axis=0))
    return replace(trace, padded_input=padded_input, sums=sums, repeats_edge=repeats_edge)


def _trace_convolution(call: LayerIO, filter_index: int) -> ConvolutionTrace | None:
    """Return the trace of a convolution, `None` where it does not lead to the layer's output."""
    layer, trace = call.layer, _convolve(call, filter_index)
    if layer.activation in (None, keras.activations.linear):
        return trace if _matches_output(trace, trace.totals) else None
    activated = _find_activated_sums(call, trace)
    if activated is None:
        return None
    return replace(
        trace,
        activation=_activation_name(layer.activation),
        mixes_sums=_mixes_sums(trace, *activated),
    )


def _convolve(call: LayerIO, filter_index: int) -> ConvolutionTrace:
    """Return the trace of a convolution before its activation."""
    layer, trace = call.layer, _begin_trace(call, filter_index)
    kernel = read_kernel(layer, layer.name)[..., filter_index].astype("float64")
    if isinstance(layer, TRANSPOSED):
        # An input value reaches the output after it through the first weights of the kernel, and
        # the one before it through the last: seen from the output, the order is reversed.
        kernel = kernel[::-1, ::-1]
    sums = trace.sums
    with np.errstate(invalid="ignore"):
        for i, j, values in offsets(trace.padded_input, trace.rows, trace.columns):
            sums = sums + values * kernel[i, j]
    bias = float(_to_numpy(layer.bias)[filter_index]) if layer.use_bias else 0.0
    return replace(trace, kernel=kernel, bias=bias, sums=sums)


def _find_activated_sums(call: LayerIO, trace: ConvolutionTrace) -> tuple[np.ndarray, int] | None:
    """Return sums `(rows, columns, n)` whose activation is the output, and this filter's index.

    An activation can be any function, so it is recognised by what it returns: first for the sums
    of this filter alone, since most functions take each value by itself; then for those of all
    filters, which takes as long as the layer does.
    """
    # Twice over, since softmax of a single channel is 1 and could pass for a saturated output. A
    # layer as an activation, such as PReLU, may have one weight per filter and needs all of them.
    own = np.stack([trace.totals, trace.totals], -1)
    if not isinstance(call.layer.activation, keras.Layer) and _leads_to_output(trace, own, 0):
        return own, 0
    filters = range(read_kernel(call.layer, "").shape[-1])
    every, index = np.stack([_convolve(call, n).totals for n in filters], -1), trace.filter_index
    return (every, index) if _leads_to_output(trace, every, index) else None


def _leads_to_output(trace: ConvolutionTrace, totals: np.ndarray, index: int) -> bool:
    """Whether channel `index` of the activation of sums is what the layer returned."""
    computed = _activate(trace.layer, totals)
    return computed.shape == totals.shape and _matches_output(trace, computed[..., index])


def _mixes_sums(trace: ConvolutionTrace, totals: np.ndarray, index: int) -> bool:
    """Whether a value after the activation depends on more than its own sum.

    All sums change but those in every second row and column of one filter. What comes of these is
    the same only where each value is made of its own sum.
    """
    changed, expected = totals + 1, trace.output.copy()
    changed[::2, ::2, index] = totals[::2, ::2, index]
    expected[::2, ::2] = _activate(trace.layer, changed)[::2, ::2, index]
    return not _matches_output(trace, expected)


def _activate(layer: keras.Layer, totals: np.ndarray) -> np.ndarray:
    """Apply a layer's activation to sums `(rows, columns, n)`, in the layer's own layout."""
    axis = 0 if layer.data_format == "channels_first" else -1
    maps = np.moveaxis(totals[0] if slides_over_steps(layer) else totals, -1, axis)
    batch = keras.ops.convert_to_tensor(maps[np.newaxis].astype("float32"))
    activated = np.moveaxis(_to_numpy(layer.activation(batch))[0], axis, -1)
    return np.expand_dims(activated, 0) if slides_over_steps(layer) else activated


def _activation_name(activation: Any) -> str:
    """Return the name of an activation: a function's, or that of a layer's class."""
    name = getattr(activation, "__name__", type(activation).__name__)
    return name if name.isidentifier() and name != "partial" else "activation"


def _to_numpy(tensor: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32")), "float64")


def _spread_and_pad(inputs: np.ndarray, rows: SlidingAxis, columns: SlidingAxis) -> np.ndarray:
    """Return an input `(height, width, channels)` with zeros around and between its values."""
    padded = np.zeros((len(rows.is_data), len(columns.is_data), inputs.shape[2]))
    padded[np.ix_(rows.is_data, columns.is_data)] = inputs
    return padded


def offsets(
    padded_input: np.ndarray, rows: SlidingAxis, columns: SlidingAxis
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield each row and column in the window, and the value there for every output.

    One pass per cell of the window, over all outputs at once, needs no copy of all windows.
    """
    for i, first_row in enumerate(rows.indices[0]):
        down = slice(first_row, rows.indices[-1, i] + 1, rows.stride)
        for j, first_column in enumerate(columns.indices[0]):
            right = slice(first_column, columns.indices[-1, j] + 1, columns.stride)
            yield i, j, padded_input[down, right]
