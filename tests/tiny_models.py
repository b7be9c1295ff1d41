"""Models of one layer or two, for the tests of all floors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np


class Function(keras.Layer):
    """Calls a function of the tests."""

    def __init__(self, function: Callable[[Any], Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.function = function

    def call(self, x: Any) -> Any:
        return self.function(x)


def one_layer(layer: keras.Layer, shape: Any = (5, 5, 1), *weights: Any) -> keras.Model:
    """Return a model of one layer, with these weights or its own."""
    model = keras.Sequential([keras.Input(shape), layer], name="tiny")
    if weights:
        model.set_weights(weights)
    return model


def convolution(kernel: np.ndarray) -> keras.Model:
    """Return a model with a convolution "c" that has a kernel `(height, width, in, filters)`."""
    *window, channels, filters = kernel.shape
    layer = keras.layers.Conv2D(filters, window, use_bias=False, name="c")
    model = keras.Sequential([keras.Input((8, 8, channels)), layer])
    layer.set_weights([kernel])
    return model
