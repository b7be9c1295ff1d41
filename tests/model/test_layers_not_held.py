"""Layers that a model calls and does not hold: in a closure, a global, a default, a `Lambda`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import kerasviz

IMAGES = np.random.default_rng(0).random((3, 8, 8, 3), dtype="float32")
FREE = layers.Conv2D(2, 3, name="free")
FREE.build((None, 8, 8, 3))


def free_layer() -> keras.Layer:
    layer = layers.Conv2D(2, 3, name="free")
    layer.build((None, 8, 8, 3))
    return layer


def subclassed() -> tuple[keras.Model, keras.Layer, str]:
    free = free_layer()

    class Net(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="net")
            self.own = layers.Conv2D(2, 1, name="own")

        def call(self, x: Any) -> Any:
            return self.own(free(x))

    model = Net()
    model(IMAGES)
    return model, free, "free"


def in_graph(layer: keras.Layer) -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    return keras.Model(inputs, layers.Conv2D(2, 1, name="own")(layer(inputs)))


def closure() -> tuple[keras.Model, keras.Layer, str]:
    free = {"first": [free_layer()]}

    class Calls(layers.Layer):
        def call(self, x: Any) -> Any:
            return free["first"][0](x)

    return in_graph(Calls(name="calls")), free["first"][0], "calls/free"


class CallsGlobal(layers.Layer):
    def call(self, x: Any) -> Any:
        return FREE(x)


def in_global() -> tuple[keras.Model, keras.Layer, str]:
    return in_graph(CallsGlobal(name="calls")), FREE, "calls/free"


def default() -> tuple[keras.Model, keras.Layer, str]:
    free = free_layer()
    layer = layers.Lambda(lambda x, free=free: free(x), name="calls")
    return in_graph(layer), free, "calls/free"


def lambda_layer() -> tuple[keras.Model, keras.Layer, str]:
    free = free_layer()
    return in_graph(layers.Lambda(lambda x: free(x) + 0, name="calls")), free, "calls/free"


Maker = Callable[[], tuple[keras.Model, keras.Layer, str]]
all_kinds = pytest.mark.parametrize(
    "make", [subclassed, closure, in_global, default, lambda_layer], ids=lambda f: f.__name__
)


@pytest.mark.few(3)
@all_kinds
def test_get_feature_maps_of_a_layer_that_the_model_does_not_hold(make: Maker) -> None:
    model, free, address = make()
    assert address in [ref.address for ref in kerasviz.find_layers(model)]
    maps = kerasviz.get_feature_maps(model, address, IMAGES, batch_size=2)
    expected = keras.ops.convert_to_numpy(free(IMAGES))
    np.testing.assert_allclose(maps, expected, rtol=1e-4, atol=1e-5)
    assert address in kerasviz.get_kernels(model)


@all_kinds
def test_get_feature_maps_shows_later_values_of_its_variables(make: Maker) -> None:
    model, free, address = make()
    for _ in range(3):
        maps = kerasviz.get_feature_maps(model, [address, "own"], IMAGES)
        first = keras.ops.convert_to_numpy(free(IMAGES))
        last = keras.ops.convert_to_numpy(model.get_layer("own")(first))
        np.testing.assert_allclose(maps[address], first, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(maps["own"], last, rtol=1e-4, atol=1e-5)
        free.kernel.assign(0.5 * free.kernel)


def test_get_feature_maps_shows_later_values_of_a_variable_of_no_layer() -> None:
    scale = keras.Variable(2.0, name="scale")
    model = in_graph(layers.Lambda(lambda x: x * scale, name="calls"))
    for _ in range(2):
        maps = kerasviz.get_feature_maps(model, "calls", IMAGES)
        np.testing.assert_allclose(maps, IMAGES * scale.numpy(), rtol=1e-6)
        scale.assign(3.0)


def test_find_layers_lists_no_name_without_a_value() -> None:
    def make(later: bool) -> layers.Layer:
        class Never(layers.Layer):
            def call(self, x: Any) -> Any:
                return x if later else free(x)

        if not later:
            free = free_layer()
        return Never(name="never")

    assert [ref.address for ref in kerasviz.find_layers(in_graph(make(True)), "*")] == [
        "never",
        "own",
    ]


def test_get_feature_maps_returns_copies_of_its_variables() -> None:
    table = keras.Variable(IMAGES[:1], name="table")
    model = in_graph(layers.Lambda(lambda x: (x, table.value)[1], name="calls"))
    kerasviz.get_feature_maps(model, "calls", IMAGES)[:] = 0
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(table.value), IMAGES[:1])
