"""Compute which cells of its padded input a layer combines into each value of its output."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np

from kerasviz.compute.kernels import TRANSPOSED

MAX_POOLING = (keras.layers.MaxPooling1D, keras.layers.MaxPooling2D)
POOLING_LAYERS = (*MAX_POOLING, keras.layers.AveragePooling1D, keras.layers.AveragePooling2D)
DEPTHWISE_LAYERS = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
SLIDING_LAYERS = (
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    *DEPTHWISE_LAYERS,
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    *POOLING_LAYERS,
)


@dataclass(frozen=True, eq=False, kw_only=True)
class SlidingAxis:
    """How a window slides along the rows or the columns of an input.

    Args:
        padding: The number of cells that are added before and after the input.
        is_data: Boolean array `(length,)`: which cells of the padded input hold one of its values.
        indices: Integer array `(outputs, kernel size)`: the cells that each output combines.
        stride: The number of cells from one window to the next.
        dilation: The distance between two cells under the window.
        input_stride: The distance between two values of the input; above 1, there are zeros
            between them.
    """

    padding: tuple[int, int]
    is_data: np.ndarray
    indices: np.ndarray
    stride: int
    dilation: int
    input_stride: int = 1


def slides_over_steps(layer: keras.Layer) -> bool:
    """Whether a layer slides its window over the steps of a sequence, and not over an image."""
    return len(layer.strides) == 1


def resting_axis() -> SlidingAxis:
    """Return the axis of the rows of a sequence, which has one row and one window on it."""
    return SlidingAxis(
        padding=(0, 0),
        is_data=np.ones(1, bool),
        indices=np.zeros((1, 1), int),
        stride=1,
        dilation=1,
    )


def sliding_axis(layer: keras.Layer, axis: int, size: int) -> SlidingAxis:
    """Return how a layer's window slides along an axis of an input of this size.

    Args:
        layer: A convolution or a pooling of any rank.
        axis: The index of an axis of space.
        size: The size of the input along it.
    """
    stride = layer.strides[axis]
    if hasattr(layer, "pool_size"):
        pool_size = layer.pool_size[axis]
        return _convolution_axis(size, pool_size, stride=stride, dilation=1, padding=layer.padding)
    kernel_size, dilation = layer.kernel_size[axis], layer.dilation_rate[axis]
    if not isinstance(layer, TRANSPOSED):
        return _convolution_axis(
            size, kernel_size, stride=stride, dilation=dilation, padding=layer.padding
        )
    output_padding = layer.output_padding
    return _transposed_axis(
        size,
        kernel_size,
        stride=stride,
        dilation=dilation,
        padding=layer.padding,
        output_padding=None if output_padding is None else output_padding[axis],
    )


def _convolution_axis(
    size: int, kernel_size: int, *, stride: int, dilation: int, padding: str
) -> SlidingAxis:
    span = _span(kernel_size, dilation)
    total = span - 1 if padding == "causal" else 0
    if padding == "same":
        # There is one output per stride that is begun, and the padding is what the last window
        # needs. Of an odd number of cells, TensorFlow adds the odd one at the end.
        total = max((-(-size // stride) - 1) * stride + span - size, 0)
    # A causal window ends at its own step, so that no output depends on a later one.
    before = total if padding == "causal" else total // 2
    is_data = np.zeros(size + total, bool)
    is_data[before : before + size] = True
    # Dilation leaves the starts of windows alone: it only spaces the cells of a window.
    starts = np.arange(0, size + total - span + 1, stride)
    return SlidingAxis(
        padding=(before, total - before),
        is_data=is_data,
        indices=starts[:, np.newaxis] + dilation * np.arange(kernel_size),
        stride=stride,
        dilation=dilation,
    )


def _transposed_axis(
    size: int,
    kernel_size: int,
    *,
    stride: int,
    dilation: int,
    padding: str,
    output_padding: int | None,
) -> SlidingAxis:
    """Return the axis of a transposed convolution as that of a convolution.

    A transposed convolution scatters: it adds each input value times the kernel to its output, one
    stride further for each value. The same sums are gathered by a window with the stride 1, if
    there are `stride - 1` zeros between the values of the input.
    """
    span = _span(kernel_size, dilation)
    before, after = _transposed_padding(span, stride, padding, output_padding)
    length = (size - 1) * stride + 1
    is_data = np.zeros(before + length + after, bool)
    is_data[before : before + length : stride] = True
    starts = np.arange(len(is_data) - span + 1)
    return SlidingAxis(
        padding=(before, after),
        is_data=is_data,
        indices=starts[:, np.newaxis] + dilation * np.arange(kernel_size),
        stride=1,
        dilation=dilation,
        input_stride=stride,
    )


def _transposed_padding(
    span: int, stride: int, padding: str, output_padding: int | None
) -> tuple[int, int]:
    """Return how many cells a gathering window needs before and after the input.

    With `span - 1` cells on each side the window gathers all that is scattered. Less padding cuts
    the output, as "same" does; more of it lengthens the output by zeros.
    """
    if padding == "valid":
        extra = max(stride - span, 0) if output_padding is None else output_padding
        return span - 1, span - 1 + extra
    # The output has `stride` values per value of the input, unless `output_padding` says otherwise.
    total = stride + span - 2
    if output_padding is not None:
        total = span + span % 2 - 2 + output_padding
    # "same" cuts the end first, where the convolution that is transposed has its odd cell.
    before = min(-(-total // 2), span - 1)
    return before, total - before


def _span(kernel_size: int, dilation: int) -> int:
    """Return the number of cells from the first to the last one under a window."""
    return (kernel_size - 1) * dilation + 1
