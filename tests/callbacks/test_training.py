"""What no callback changes of a training: its results, its tracing, its loop."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from kerasviz import FeatureMapSnapshots, KernelSnapshots, WeightStatistics

BACKEND = keras.backend.backend()
layers = keras.layers


class Noise(layers.Layer):
    """Adds noise in inference too, as the sampling layer of a variational autoencoder does."""

    def __init__(self):
        super().__init__()
        self.generator = keras.random.SeedGenerator(5)

    def call(self, inputs):
        noise = keras.random.normal(keras.ops.shape(inputs), seed=self.generator)
        return inputs + 0.01 * noise


def train(keras_fit, *callbacks):
    """Return the history of a training with much chance in it, and all variables after it."""
    keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.RandomFlip(),
            layers.GaussianNoise(0.1),
            layers.Conv2D(3, 3, name="conv"),
            layers.BatchNormalization(),
            Noise(),
            layers.Dropout(0.4, name="dropout"),
            layers.Flatten(),
            layers.Dense(2, name="dense"),
        ]
    )
    compiling = {"jit_compile": False} if BACKEND == "tensorflow" else {}
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse", metrics=["mae"], **compiling)
    history = keras_fit(model, *callbacks, validation_split=0.25)
    variables = [*model.variables, *model.optimizer.variables]
    return history.history, [np.array(keras.ops.convert_to_numpy(v)) for v in variables]


@pytest.mark.slow
def test_callbacks_do_not_change_a_training(keras_fit, images, tmp_path):
    def keep(*_):
        pass

    plain_history, plain = train(keras_fit)
    sets = {
        "kernels": [
            KernelSnapshots(directory=tmp_path, gif=tmp_path),
            KernelSnapshots(every="1 batch", on_plot=keep),
        ],
        "maps": [
            FeatureMapSnapshots(images, "dropout", sample=1, directory=tmp_path),
            FeatureMapSnapshots(images, "dropout", every="1 batch", on_plot=keep),
        ],
        "statistics": [
            WeightStatistics(["conv", "dense"], inputs=images, csv=tmp_path / "a.csv"),
            WeightStatistics(["conv", "dense"], inputs=images, every="1 batch"),
        ],
    }
    for name, callbacks in sets.items():
        history, variables = train(keras_fit, *callbacks)
        assert history == plain_history, name
        assert len(variables) == len(plain)
        for variable, expected in zip(variables, plain, strict=True):
            np.testing.assert_array_equal(variable, expected, strict=True, err_msg=name)


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch runs without tracing")
def test_callbacks_trace_nothing_from_epoch_to_epoch(keras_fit, images):
    class Counter(layers.Layer):
        calls = 0

        def call(self, inputs):
            Counter.calls += 1
            return inputs

    model = keras.Sequential(
        [keras.Input((8, 8, 1)), Counter(), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2)]
    )
    model.compile("sgd", "mse")
    seen = []
    callbacks = [
        FeatureMapSnapshots(images, on_plot=lambda *_: None),
        WeightStatistics(inputs=images, batch_size=5),
        keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: seen.append(Counter.calls)),
    ]
    keras_fit(model, *callbacks, epochs=4)
    assert seen[0] > 0
    assert len(set(seen)) == 1


class Spare(keras.Model):
    """Holds a convolution that it never calls."""

    def __init__(self):
        super().__init__()
        self.used = keras.layers.Conv2D(2, 3, name="used")
        self.spare = keras.layers.Conv2D(9, 3, name="spare")

    def call(self, x):
        return self.used(x)


@pytest.mark.few(2)
@pytest.mark.filterwarnings("ignore:`build\\(\\)` was called on layer:UserWarning")  # by Keras
@pytest.mark.parametrize("is_built", [True, False], ids=["built", "not built"])
@pytest.mark.parametrize("layer", [None, "*", keras.layers.Conv2D], ids=str)
def test_callbacks_leave_out_a_layer_that_is_never_called(images, layer, is_built):
    model = Spare()
    if is_built:
        model(images)
    model.compile("sgd", "mse", run_eagerly=True)
    addresses = []
    kernels = KernelSnapshots(layer, on_plot=lambda _, name, __: addresses.append(name))
    statistics = WeightStatistics(layer, inputs=images)
    targets = np.zeros((len(images), 6, 6, 2), "float32")
    model.fit(images, targets, epochs=2, verbose=0, callbacks=[kernels, statistics])
    assert addresses == statistics.history["layer"] == ["used", "used"]
