"""Tell which input channels a channel of a layer's output is made of."""

from __future__ import annotations

import keras
import numpy as np

from kerasviz.compute.convolution.geometry import DEPTHWISE_LAYERS, POOLING_LAYERS
from kerasviz.compute.kernels import kernel_shape


def input_channels_of(layer: keras.Layer, filter_index: int) -> np.ndarray:
    """Return the indices `(n,)` of the input channels that one filter of a layer combines."""
    if isinstance(layer, POOLING_LAYERS):
        return np.array([filter_index])
    if isinstance(layer, DEPTHWISE_LAYERS):
        return np.array([filter_index // layer.depth_multiplier])
    shape = kernel_shape(layer)
    assert shape is not None  # since the layer was called
    group_size, filters = shape[-2:]
    group = filter_index // (filters // getattr(layer, "groups", 1))
    return np.arange(group_size) + group * group_size


def count_input_channels(layer: keras.Layer, filters: int) -> int:
    """Return the number of input channels of a layer with `filters` output channels."""
    if isinstance(layer, POOLING_LAYERS):
        return filters
    if isinstance(layer, DEPTHWISE_LAYERS):
        return filters // int(layer.depth_multiplier)
    shape = kernel_shape(layer)
    assert shape is not None  # since the layer was called
    return shape[-2] * int(getattr(layer, "groups", 1))
