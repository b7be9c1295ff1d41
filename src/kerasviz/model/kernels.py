"""A layer to its convolution kernel as an array `(height, width, in_channels, filters)`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import keras
import numpy as np

from kerasviz.model.layers import (
    Step,
    Targets,
    check_model,
    is_convolution,
    layer_calls,
    resolve,
)

TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)
SEPARABLE = (keras.layers.SeparableConv1D, keras.layers.SeparableConv2D)
DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D, *SEPARABLE)
PARTS: dict[str, tuple[type[keras.Layer], ...]] = {
    "depthwise": SEPARABLE,
    "pointwise": SEPARABLE,
    "recurrent": (keras.layers.RNN,),
}
"""The kernels of layers that have two; the layer's own address means the first."""


def get_kernels(model: keras.Model, layer: Any) -> np.ndarray | dict[str, np.ndarray]:
    """Return the kernel of a convolution, whatever the layer's own layout.

    Args:
        model: The model that has the layer.
        layer: A layer address; for a pattern, a class, a list or `None`, the answer is a dict.
            A separable layer's own address means its depthwise kernel, `"name/pointwise"` the
            other one; `"name/recurrent"` is the recurrent kernel of a ConvLSTM, whose filters are
            those of its input, forget, cell and output gate, one gate behind the other.

    Returns:
        A new float32 array of shape `(height, width, in_channels, filters)`. `in_channels` is what
        one filter sees: a convolution in groups has `channels / groups`. For several layers, a
        dict of such arrays keyed by address.

    Raises:
        TypeError: `model` is no Keras model, or `layer` is no address.
        ValueError: No layer has that address, the layer has no kernel, or it is not built.

    Example:
        >>> import keras, kerasviz
        >>> model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(32, 3)])
        >>> kerasviz.get_kernels(model, 0).shape
        (3, 3, 1, 32)
    """
    targets, single = resolve_kernels(model, layer)
    kernels = {address: read_kernel(call.layer, address) for address, call in targets}
    return kernels[targets[0].address] if single else kernels


class KernelPart(NamedTuple):
    """One of a layer's two kernels, which is asked for as `"layer/name"`."""

    layer: keras.Layer
    name: str


def resolve_kernels(model: keras.Model, layer: Any) -> Targets:
    """Find what a layer argument names, where all calls of a layer are the same."""
    check_model(model)
    first = {id(call.layer): call for call in reversed(list(layer_calls(model)))}
    known = list(first.values())[::-1]
    parts = [
        replace(call, steps=(*call.steps, Step(name, 0, 1)), layer=KernelPart(call.layer, name))
        for call in known
        for name in PARTS
        if isinstance(call.layer, PARTS[name])
    ]
    return resolve(model, layer, known + parts)


def read_kernel(layer: keras.Layer | KernelPart, address: str) -> np.ndarray:
    """Return the kernel of a layer or of a part of one; `address` is for the error."""
    shape = kernel_shape(layer)
    if shape is None:
        whole = layer.layer if isinstance(layer, KernelPart) else layer
        if is_convolution(whole):
            raise ValueError(
                f"The layer '{address}' is not built yet, so it has no kernel: build its model, "
                "or call it once on data."
            )
        raise ValueError(
            f"The layer '{address}' is a {type(layer).__name__} and has no convolution kernel. "
            "find_layers(model) lists those that have."
        )
    kernel = keras.ops.convert_to_numpy(keras.ops.cast(_weight(layer), "float32"))
    if isinstance(layer, TRANSPOSED):
        kernel = kernel.swapaxes(-1, -2)
    return np.array(kernel.reshape(shape), "float32")


def kernel_shape(layer: keras.Layer | KernelPart) -> tuple[int, ...] | None:
    """Return the shape of what `read_kernel` returns, `None` where there is no kernel."""
    weight = _weight(layer)
    if weight is None:
        return None
    *window, rows, columns = weight.shape
    if isinstance(layer, TRANSPOSED):
        rows, columns = columns, rows
    elif isinstance(layer, DEPTHWISE) or _is_part(layer, "depthwise"):
        rows, columns = 1, rows * columns
    if len(window) == 1:
        window = [1, *window]
    return (*window, rows, columns)


def _is_part(layer: keras.Layer | KernelPart, name: str) -> bool:
    return isinstance(layer, KernelPart) and layer.name == name


def _weight(layer: keras.Layer | KernelPart) -> Any:
    """Return the weight that holds the kernel, in the layer's own layout."""
    whole = layer.layer if isinstance(layer, KernelPart) else layer
    if not is_convolution(whole) or not whole.built:
        return None
    if isinstance(whole, keras.layers.RNN):
        return whole.cell.recurrent_kernel if _is_part(layer, "recurrent") else whole.cell.kernel
    if isinstance(whole, SEPARABLE):
        return whole.pointwise_kernel if _is_part(layer, "pointwise") else whole.depthwise_kernel
    return whole.kernel
