"""Several batches give what all samples at once give, however a layer uses the batch axis."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

import kerasviz

RNG = np.random.default_rng(0)
IMAGES = RNG.random((4, 8, 8, 3), dtype="float32")


def flat(x: Any) -> Any:
    return ops.reshape(x, (ops.shape(x)[0], -1))


def similarities() -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    x = layers.Lambda(lambda x: ops.matmul(flat(x), ops.transpose(flat(x))), name="pairs")(inputs)
    return keras.Model(inputs, x)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 4])
def test_get_feature_maps_computes_a_matrix_of_similarities_of_all_samples(batch_size: int) -> None:
    x = IMAGES.reshape(4, -1)
    maps = kerasviz.get_feature_maps(similarities(), "pairs", IMAGES, batch_size=batch_size)
    np.testing.assert_allclose(maps, x @ x.T, rtol=1e-4)


def test_get_feature_maps_is_not_misled_by_an_axis_as_long_as_the_batch() -> None:
    inputs = keras.Input((None, None, 3))
    conv = layers.Conv2D(2, 3, padding="same", name="conv")
    model = keras.Model(inputs, conv(inputs))
    x = RNG.random((16, 8, 8, 3), dtype="float32")
    maps = kerasviz.get_feature_maps(model, "conv", x, batch_size=8)
    np.testing.assert_allclose(maps, ops.convert_to_numpy(conv(x)), rtol=1e-4, atol=1e-5)


def stateful() -> tuple[keras.Model, np.ndarray]:
    inputs = keras.Input(batch_shape=(2, 5, 3))
    lstm = layers.LSTM(4, stateful=True, name="layer")
    return keras.Model(inputs, lstm(inputs)), RNG.random((6, 5, 3), dtype="float32")


def size_in_the_graph() -> tuple[keras.Model, np.ndarray]:
    inputs = keras.Input(batch_shape=(2, 8, 8, 3))
    conv = layers.Conv2D(2, 3, name="conv")(inputs)
    total = layers.Dense(3, name="layer")(ops.reshape(conv, (conv.shape[0], -1)))
    return keras.Model(inputs, total), RNG.random((6, 8, 8, 3), dtype="float32")


@pytest.mark.few(2)
@pytest.mark.parametrize("make", [stateful, size_in_the_graph], ids=lambda make: make.__name__)
@pytest.mark.parametrize("batch_size", [1, 32])
def test_get_feature_maps_runs_a_model_of_a_fixed_batch_size_on_batches_of_that_size(
    make: Any, batch_size: int
) -> None:
    model, x = make()
    maps = kerasviz.get_feature_maps(model, "layer", x, batch_size=batch_size)
    expected = []
    for part in np.split(x, 3):
        with keras.StatelessScope():
            expected.append(ops.convert_to_numpy(model(part)))
    np.testing.assert_allclose(maps, np.concatenate(expected), rtol=1e-4, atol=1e-5)


def test_get_feature_maps_does_not_mix_up_what_runs_in_a_map_of_the_backend() -> None:
    class Maps(layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.dense = layers.Dense(2, name="dense")

        def build(self, shape: Any) -> None:
            self.dense.build(shape)

        def call(self, x: Any) -> Any:
            return ops.vectorized_map(lambda row: self.dense(row[None])[0], x)

    inputs = keras.Input((5,))
    layer = Maps(name="maps")
    model = keras.Model(inputs, layer(inputs))
    x = RNG.random((3, 5), dtype="float32")
    expected = ops.convert_to_numpy(layer.dense(x))
    np.testing.assert_allclose(kerasviz.get_feature_maps(model, "maps", x), expected, rtol=1e-4)
    listed = [ref.address for ref in kerasviz.find_layers(model, "*")]
    for address in listed:
        kerasviz.get_feature_maps(model, address, x)
    assert listed == ["maps"]  # TensorFlow traces the layer on one sample, which is none of these


class Tokens(keras.Model):
    """Looks up rows of a table, which takes integers alone, and runs a layer twice."""

    def __init__(self) -> None:
        super().__init__(name="tokens")
        self.table = self.add_weight(shape=(20, 4), name="table", initializer="normal")
        self.conv = layers.Conv1D(4, 3, padding="same", name="conv")

    def call(self, x: Any) -> Any:
        return self.conv(self.conv(ops.take(self.table, x, axis=0)))


def test_get_feature_maps_traces_a_subclassed_model_of_integers() -> None:
    model = Tokens()
    x = RNG.integers(0, 20, (3, 6)).astype("int32")
    model(x)
    shapes = {ref.address: ref.output_shape for ref in kerasviz.find_layers(model)}
    assert shapes == {"conv:0": (None, 6, 4), "conv:1": (None, 6, 4)}
    expected = ops.convert_to_numpy(model(x))
    maps = kerasviz.get_feature_maps(model, "conv:1", x, batch_size=2)
    np.testing.assert_allclose(maps, expected, rtol=1e-4, atol=1e-6)
    sub_model = kerasviz.feature_map_model(model, "conv:1")
    np.testing.assert_allclose(ops.convert_to_numpy(sub_model(x)), expected, rtol=1e-4, atol=1e-6)
