"""Layers that run where Keras or the backend hides values, and the layers beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

import kerasviz

Way = Callable[[Any, Any], Any]


class Hidden(keras.Model):
    """Calls layer `a`, and then layer `b` in the way that it is given."""

    def __init__(self, way: Way) -> None:
        super().__init__()
        self.a = layers.Conv2D(2, 3, padding="same", name="a")
        self.b = layers.Conv2D(2, 3, padding="same", name="b")
        self.way = way

    def call(self, x: Any) -> Any:
        return self.way(self.b, self.a(x))


def in_a_branch(layer: Any, x: Any) -> Any:
    return ops.cond(ops.max(x) > -9.0, lambda: layer(x), lambda: x)


def in_a_loop(layer: Any, x: Any) -> Any:
    return ops.fori_loop(0, 2, lambda _, state: layer(state), x)


def in_a_while_loop(layer: Any, x: Any) -> Any:
    return ops.while_loop(lambda i, _: i < 2, lambda i, state: (i + 1, layer(state)), (0, x))[1]


def in_a_scan(layer: Any, x: Any) -> Any:
    return ops.scan(lambda state, _: (layer(state), state), x, length=2)[0]


def in_a_map(layer: Any, x: Any) -> Any:
    return ops.map(lambda image: layer(image[None])[0], x)


def in_a_call_method(layer: Any, x: Any) -> Any:
    if not layer.built:
        layer.build(x.shape)
    return layer.call(x)


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).random((2, 8, 8, 2), dtype="float32")


WAYS = [in_a_branch, in_a_loop, in_a_while_loop, in_a_scan, in_a_map, in_a_call_method]


@pytest.mark.few(2)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_find_layers_lists_the_others_where_one_is_out_of_reach(
    way: Way, images: np.ndarray
) -> None:
    model = Hidden(way)
    model(images)
    expected = ops.convert_to_numpy(model.a(images))
    for layer in (None, "*", "a"):
        maps = kerasviz.get_feature_maps(model, layer, images)
        maps = maps if layer == "a" else maps["a"]
        np.testing.assert_allclose(maps, expected, rtol=1e-4, atol=1e-5)
    addresses = [ref.address for ref in kerasviz.find_layers(model, "*")]
    assert addresses[0] == "a"
    for address in addresses[1:]:  # where a backend runs the code in Python, with every call of it
        assert address.split(":")[0] == "b"
        assert kerasviz.get_feature_maps(model, address, images).shape[-1] == 2
    if addresses == ["a"]:
        with pytest.raises(ValueError, match="holds 'b', but no output of it can be taken"):
            kerasviz.get_feature_maps(model, "b", images)


def test_find_layers_looks_into_a_call_that_is_a_function_of_tensorflow(images: np.ndarray) -> None:
    if keras.backend.backend() != "tensorflow":
        pytest.skip("tf.function runs on TensorFlow alone")
    import tensorflow as tf

    class Compiled(Hidden):
        call = tf.function(Hidden.call)

    model = Compiled(lambda layer, x: layer(x))
    model.predict(images, verbose=0)
    addresses = [ref.address for ref in kerasviz.find_layers(model)]
    expected = {"a": model.a(images), "b": model.b(model.a(images))}
    for name in ("a", "b"):
        if name in addresses:
            maps = kerasviz.get_feature_maps(model, name, images)
            np.testing.assert_allclose(maps, expected[name], rtol=1e-4, atol=1e-5)
        else:
            with pytest.raises(ValueError, match="function"):
                kerasviz.get_feature_maps(model, name, images)


def test_find_layers_lists_no_cells_of_recurrent_layers() -> None:
    inputs = keras.Input((5, 3))
    model = keras.Model(inputs, layers.LSTM(2, name="lstm")(inputs))
    assert [ref.address for ref in kerasviz.find_layers(model, "*")] == ["lstm"]
    x = np.random.default_rng(0).random((2, 5, 3), dtype="float32")
    maps = kerasviz.get_feature_maps(model, "*", x)["lstm"]
    np.testing.assert_allclose(maps, ops.convert_to_numpy(model(x)), rtol=1e-5)


class OneByOne(keras.Model):
    """Calls a layer once per sample, so that the number of calls depends on the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.a = layers.Conv2D(2, 3, name="a")
        self.b = layers.Dense(3, name="b")

    def call(self, x: Any) -> Any:
        x = self.a(x)
        return ops.stack([self.b(x[i]) for i in range(x.shape[0] or 2)])


def test_find_layers_lists_what_comes_before_calls_that_depend_on_the_batch(
    images: np.ndarray,
) -> None:
    model = OneByOne()
    model(images)
    assert "a" in [ref.address for ref in kerasviz.find_layers(model)]
    expected = ops.convert_to_numpy(model.a(images))
    maps = kerasviz.get_feature_maps(model, "a", images)
    np.testing.assert_allclose(maps, expected, rtol=1e-4, atol=1e-5)


class Count(layers.Layer):
    """Returns a tensor without any axis beside the maps."""

    def call(self, x: Any) -> Any:
        return 2.0 * x, ops.convert_to_tensor(3)


@pytest.mark.parametrize("batch_size", [32, 1])
def test_get_feature_maps_returns_a_scalar_output_as_it_is(
    batch_size: int, images: np.ndarray
) -> None:
    inputs = keras.Input((8, 8, 2))
    doubled, _ = Count(name="count")(inputs)
    model = keras.Model(inputs, layers.Conv2D(2, 3, name="conv")(doubled))
    maps, count = kerasviz.get_feature_maps(model, "count", images, batch_size=batch_size)
    np.testing.assert_array_equal(maps, 2 * images)
    assert np.shape(count) == ()
    assert count == 3
    one = kerasviz.get_feature_maps(model, "count#1", images, batch_size=batch_size)
    assert np.shape(one) == ()
    assert one == 3
    every = kerasviz.get_feature_maps(model, "*", images, batch_size=batch_size)
    assert every["conv"].shape == (2, 6, 6, 2)


class Positions(layers.Layer):
    """Adds one vector to each token, of which it has few."""

    def __init__(self, size: int) -> None:
        super().__init__(name="positions")
        self.table = self.add_weight(shape=(size, 4), name="table")

    def call(self, x: Any) -> Any:
        return x + ops.broadcast_to(self.table[: ops.shape(x)[1]], ops.shape(x)[1:])

    def compute_output_shape(self, shape: Any) -> Any:
        return shape


class Block(layers.Layer):
    """Holds attention, whose softmax another layer computes where nothing drops out."""

    def __init__(self) -> None:
        super().__init__(name="block")
        self.attention = layers.MultiHeadAttention(2, 2, name="attention")

    def build(self, shape: Any) -> None:
        self.attention.build(shape, shape)

    def call(self, x: Any) -> Any:
        return self.attention(x, x)


@pytest.mark.parametrize("size", [8, 40])
def test_find_layers_lists_the_calls_of_a_model_of_tokens_that_has_few_positions(
    size: int,
) -> None:
    tokens = keras.Input((None,), dtype="int32")
    x = layers.Embedding(9, 4, name="embedding")(tokens)
    model = keras.Model(tokens, Block()(Positions(size)(x)))
    ids = np.array([[1, 2, 3], [4, 5, 6]])
    addresses = [ref.address for ref in kerasviz.find_layers(model, "*")]
    maps = kerasviz.get_feature_maps(model, addresses, ids)
    assert "block/attention/softmax" not in addresses
    expected = ops.convert_to_numpy(model(ids))
    np.testing.assert_allclose(maps["block/attention"], expected, rtol=1e-4, atol=1e-6)
