"""Tell which cells of its input a layer needs for a cell of its output, along one axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from kerasviz.compute.convolution.geometry import sliding_axis
from kerasviz.model.graph import is_of_keras, runs_keras_call


def _of_ranks(*names: str) -> tuple[type[keras.Layer], ...]:
    """Return the layers of some names for sequences, images and volumes."""
    return _named(*(name.format(rank) for name in names for rank in ("1D", "2D", "3D")))


def _named(*names: str) -> tuple[type[keras.Layer], ...]:
    """Return those of some layers that this Keras has."""
    return tuple(getattr(keras.layers, x) for x in names if hasattr(keras.layers, x))


SLIDING = _of_ranks(
    *("Conv{}", "Conv{}Transpose", "DepthwiseConv{}", "SeparableConv{}"),
    *("MaxPooling{}", "AveragePooling{}"),
)
SHIFTING = _of_ranks("Cropping{}", "ZeroPadding{}")
REPEATING = _of_ranks("UpSampling{}")
CELL_BY_CELL = _named(
    *("Activation", "ActivityRegularization", "Add", "AlphaDropout", "Average"),
    *("BatchNormalization", "Dropout", "ELU", "GaussianDropout", "GaussianNoise", "Identity"),
    *("LeakyReLU", "Maximum", "Minimum", "Multiply", "Normalization", "PReLU", "ReLU"),
    *("Rescaling", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "Subtract"),
    *("RandomBrightness", "RandomContrast", "RandomFlip", "RandomHue", "RandomRotation"),
    *("RandomSaturation", "RandomShear", "RandomTranslation", "RandomZoom"),
)
"""Layers that compute each cell of their output from the same cell of their inputs, those among
them that change images in training alone."""
OVER_CHANNELS = _named(
    "Concatenate", "LayerNormalization", "RMSNormalization", "Softmax", "UnitNormalization"
)
"""Layers that do so where their axis is that of the channels."""
OPERATIONS = frozenset(
    {
        *("Abs", "Absolute", "Add", "Cast", "Clip", "Divide", "Elu", "Exp", "Gelu", "HardSigmoid"),
        *("HardSilu", "HardSwish", "HardTanh", "LeakyRelu", "Log", "Maximum", "Minimum", "Mish"),
        *("Multiply", "Negative", "Power", "Relu", "Relu6", "Rsqrt", "Selu", "Sigmoid", "Silu"),
        *("Softplus", "Softsign", "Sqrt", "Square", "Subtract", "Swish", "Tanh", "TrueDivide"),
    }
)
"""Operations of a graph that compute each cell from the same cell of their inputs."""


class Window(NamedTuple):
    """The cells of an input that the cells of an output need, along one axis.

    The input is thought to have `input_stride - 1` empty cells between its values; there a window
    begins `before` cells before the first value, and moves on by `stride`.
    """

    before: int = 0
    stride: int = 1
    dilation: int = 1
    kernel_size: int = 1
    input_stride: int = 1

    def cells(self, outputs: np.ndarray) -> np.ndarray:
        """Return the sorted indices of the input cells that output cells need.

        They may be outside the input, in its padding.

        Args:
            outputs: Indices of output cells.
        """
        cells = self.stride * outputs - self.before
        if self.kernel_size > 1:
            taps = self.dilation * np.arange(self.kernel_size)
            cells = np.unique(cells[:, np.newaxis] + taps)
        if self.input_stride == 1:
            return cells
        return np.asarray(cells[cells % self.input_stride == 0] // self.input_stride)


class Reach(NamedTuple):
    """The cells that a layer needs of its input.

    Args:
        windows: One for each axis of space; `None` where it may need every cell.
        is_certain: Whether the windows are the same for every size of the input.
    """

    windows: tuple[Window, ...] | None
    is_certain: bool = True


def reach_of(operation: Any, sizes: Sequence[int | None], channel_axis: int) -> Reach:
    """Return what a layer, or another operation of a graph, needs of an input.

    Args:
        operation: The layer or operation.
        sizes: The sizes of the input's axes of space, `None` where they are not known.
        channel_axis: The axis of the input's channels.
    """
    if not _is_known(operation):
        return Reach(None)
    if isinstance(operation, keras.layers.TimeDistributed):
        inner_axis = channel_axis - 1 if channel_axis > 0 else channel_axis
        windows, is_certain = reach_of(operation.layer, sizes[1:], inner_axis)
        return Reach(None if windows is None else (Window(), *windows), is_certain)
    axes = range(len(sizes))
    if isinstance(operation, SLIDING):
        windows = tuple(_sliding(operation, axis, sizes[axis]) for axis in axes)
        pairs = zip(windows, sizes, strict=True)
        depends = operation.padding == "same"
        return Reach(windows, not any(depends and w.stride > 1 and n is None for w, n in pairs))
    if isinstance(operation, SHIFTING):
        return Reach(tuple(_shifting(operation, axis) for axis in axes))
    if isinstance(operation, REPEATING):
        factors = np.ravel(operation.size)
        by = getattr(operation, "interpolation", "nearest")
        if by not in _REPEATS:
            return Reach(None)
        return Reach(tuple(_REPEATS[by](int(factors[axis])) for axis in axes))
    is_same = _is_cell_by_cell(operation, len(sizes) + 2, channel_axis)
    return Reach(tuple(Window() for _ in axes) if is_same else None)


def _is_known(operation: Any) -> bool:
    """Whether an operation is Keras's own, as are its activation and whatever else it calls."""
    if not is_of_keras(operation) and not isinstance(operation, keras.Layer):
        return False
    activation = getattr(operation, "activation", None)
    is_layer = isinstance(operation, keras.Layer)
    return (not is_layer or runs_keras_call(operation)) and (
        activation is None or is_of_keras(activation)
    )


def _is_cell_by_cell(operation: Any, rank: int, channel_axis: int) -> bool:
    if isinstance(operation, OVER_CHANNELS):
        axes = np.ravel(operation.axis)
        return all(int(axis) % rank == channel_axis % rank for axis in axes)
    if isinstance(operation, keras.layers.Dense):
        return channel_axis % rank == rank - 1
    if isinstance(operation, keras.Layer):
        return isinstance(operation, CELL_BY_CELL)
    return type(operation).__name__ in OPERATIONS


def _sliding(layer: Any, axis: int, size: int | None) -> Window:
    is_pooling = hasattr(layer, "pool_size")
    stride = int(np.ravel(layer.strides)[axis])
    kernel_size = int(np.ravel(layer.pool_size if is_pooling else layer.kernel_size)[axis])
    dilation = 1 if is_pooling else int(np.ravel(layer.dilation_rate)[axis])
    span = (kernel_size - 1) * dilation + 1
    if layer.padding == "causal":
        return Window(before=span - 1, stride=stride, dilation=dilation, kernel_size=kernel_size)
    # Of an unknown size it is assumed that the strides divide it, as they do in most networks.
    cells = sliding_axis(layer, axis, stride * span if size is None else size)
    return Window(
        before=cells.padding[0],
        stride=cells.stride,
        dilation=dilation,
        kernel_size=kernel_size,
        input_stride=cells.input_stride,
    )


def _shifting(layer: Any, axis: int) -> Window:
    is_cropping = "Cropping" in type(layer).__name__
    amounts = np.reshape(layer.cropping if is_cropping else layer.padding, (-1, 2))
    before = int(amounts[axis, 0])
    return Window(-before if is_cropping else before)


def _nearest(factor: int) -> Window:
    return Window(factor - 1, kernel_size=factor, input_stride=factor)


def _bilinear(factor: int) -> Window:
    """Return the window of a triangle that is two input cells wide, about the cell's centre."""
    last = math.ceil((3 * factor - 1) / 2) - 1
    first = math.floor((-factor - 1) / 2) + 1
    return Window(last, kernel_size=last - first + 1, input_stride=factor)


_REPEATS = {"nearest": _nearest, "bilinear": _bilinear}
