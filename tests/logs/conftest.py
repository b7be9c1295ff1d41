"""Provide a tiny model to train, its data, and files of logs."""

import keras
import numpy as np
import pytest

from kerasviz.logs.history import read_runs


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


@pytest.fixture
def read():
    """Read the only run of a history."""

    def read(history):
        runs = read_runs(history)
        assert list(runs) == [""]
        return runs[""]

    return read


@pytest.fixture
def lists():
    """Return the values of each series of a run, by their epochs, which rise."""

    def lists(run):
        for series in run.series.values():
            assert (np.diff(series.epochs) > 0).all()
        return {
            key: dict(zip(series.epochs.tolist(), series.values.tolist(), strict=True))
            for key, series in run.series.items()
        }

    return lists


@pytest.fixture
def fit():
    """Train a model in silence, and validate it on the same data."""
    return lambda model, data, **options: model.fit(
        *data, verbose=0, validation_data=data, **options
    )
