"""Provide a tiny model to train, its data, and files of logs."""

import keras
import numpy as np
import pytest


@pytest.fixture
def write(tmp_path):
    def write(text, name="log.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def make_model():
    def make():
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.set_weights([np.array([[1.0], [0.5]]), np.zeros(1)])
        # Eagerly, since a training of a few steps takes less time than it takes to trace one.
        model.compile(keras.optimizers.SGD(0.01), "mse", metrics=["mae"], run_eagerly=True)
        return model

    return make


@pytest.fixture
def data(rng):
    x = rng.normal(size=(8, 2)).astype("float32")
    return x, x.sum(axis=1, keepdims=True)
