"""A layer to its convolution kernel as an array `(height, width, in_channels, filters)`."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from kerasviz.model.layers import Targets, check_model, is_convolution, layer_calls, resolve

TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)
DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)


def get_kernels(model: keras.Model, layer: Any) -> np.ndarray | dict[str, np.ndarray]:
    """Return the kernel of a convolution, whatever the layer's own layout.

    Args:
        model: The model that has the layer.
        layer: A layer address; for a pattern, a class, a list or `None`, the answer is a dict.

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


def resolve_kernels(model: keras.Model, layer: Any) -> Targets:
    """Find what a layer argument names, where all calls of a layer are the same."""
    check_model(model)
    first = {id(call.layer): call for call in reversed(list(layer_calls(model)))}
    return resolve(model, layer, list(first.values())[::-1])


def read_kernel(layer: keras.Layer, address: str) -> np.ndarray:
    """Return the kernel of a layer; `address` is for the error."""
    shape = kernel_shape(layer)
    if shape is None:
        if is_convolution(layer):
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


def kernel_shape(layer: keras.Layer) -> tuple[int, ...] | None:
    """Return the shape of what `read_kernel` returns, `None` where there is no kernel."""
    weight = _weight(layer)
    if weight is None:
        return None
    *window, rows, columns = weight.shape
    if isinstance(layer, TRANSPOSED):
        rows, columns = columns, rows
    elif isinstance(layer, DEPTHWISE):
        rows, columns = 1, rows * columns
    if len(window) == 1:
        window = [1, *window]
    return (*window, rows, columns)


def _weight(layer: keras.Layer) -> Any:
    """Return the weight that holds the kernel, in the layer's own layout."""
    if not is_convolution(layer) or not layer.built:
        return None
    if isinstance(layer, keras.layers.RNN):
        return layer.cell.kernel
    if hasattr(layer, "depthwise_kernel"):
        return layer.depthwise_kernel
    return layer.kernel
