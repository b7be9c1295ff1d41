"""Which cells of its input a layer's window takes for each value of its output."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np

POOLING = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
STEPPING = (
    keras.layers.Conv2D,
    keras.layers.DepthwiseConv2D,
    keras.layers.Conv2DTranspose,
    *POOLING,
)


@dataclass(frozen=True, eq=False)
class WindowAxis:
    """How a window moves along the rows or the columns of an input.

    Args:
        padding: How many cells lie before and after the input.
        real: Boolean array `(length,)`: which cells of the padded input hold one of its values.
        taken: Integer array `(outputs, taps)`: the cells of which each output is made.
        stride: By how many cells the window moves from an output to the next.
        dilation: The distance between two cells under the window.
        spread: The distance between two values of the input; above 1, there are zeros between them.
    """

    padding: tuple[int, int]
    real: np.ndarray
    taken: np.ndarray
    stride: int
    dilation: int
    spread: int


def window_axis(layer: keras.Layer, axis: int, size: int) -> WindowAxis:
    """Return how a layer's window moves along an axis of an input of this size."""
    stride = layer.strides[axis]
    if isinstance(layer, POOLING):
        return _sliding(size, layer.pool_size[axis], stride, 1, layer.padding)
    taps, dilation = layer.kernel_size[axis], layer.dilation_rate[axis]
    if not isinstance(layer, keras.layers.Conv2DTranspose):
        return _sliding(size, taps, stride, dilation, layer.padding)
    extra = layer.output_padding
    return _spread(
        size, taps, stride, dilation, layer.padding, None if extra is None else extra[axis]
    )


def _sliding(size: int, taps: int, stride: int, dilation: int, padding: str) -> WindowAxis:
    """Return the steps of a convolution; of an odd number of padding cells, more come last."""
    span = (taps - 1) * dilation + 1
    total = 0
    if padding == "same":
        total = max((-(-size // stride) - 1) * stride + span - size, 0)
    before = total // 2
    real = np.zeros(size + total, bool)
    real[before : before + size] = True
    starts = np.arange(0, size + total - span + 1, stride)
    taken = starts[:, np.newaxis] + dilation * np.arange(taps)
    return WindowAxis((before, total - before), real, taken, stride, dilation, 1)


def _spread(
    size: int, taps: int, stride: int, dilation: int, padding: str, output_padding: int | None
) -> WindowAxis:
    """Return the steps of a transposed convolution over its input, spread by the stride."""
    span = (taps - 1) * dilation + 1
    if padding == "valid":
        extra = max(stride - span, 0) if output_padding is None else output_padding
        before, after = span - 1, span - 1 + extra
    else:
        total = stride + span - 2
        if output_padding is not None:
            total = span + span % 2 - 2 + output_padding
        before = min(-(-total // 2), span - 1)
        after = total - before
    length = (size - 1) * stride + 1
    real = np.zeros(before + length + after, bool)
    real[before : before + length : stride] = True
    taken = np.arange(len(real) - span + 1)[:, np.newaxis] + dilation * np.arange(taps)
    return WindowAxis((before, after), real, taken, 1, dilation, stride)
