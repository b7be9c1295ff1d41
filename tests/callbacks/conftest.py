"""A tiny network that trains in a moment, what it is trained on, and disks that become full."""

from __future__ import annotations

import errno
import subprocess
import sys
import threading
from pathlib import Path

import keras
import numpy as np
import pytest

from training import train

TARGETS = np.arange(24, dtype="float32").reshape(12, 2) / 24


@pytest.fixture
def images(rng):
    return rng.normal(size=(12, 8, 8, 1)).astype("float32")


@pytest.fixture(scope="session")
def built_model():
    """Build 8×8×1 → "first", 3 kernels 3×3 → "second", 5 kernels 2×2×3 → 2 values, once."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(3, 3, name="first"),
            keras.layers.Conv2D(5, 2, activation="relu", name="second"),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    )
    return model, [np.array(weight) for weight in model.get_weights()]


@pytest.fixture
def make_model(built_model):
    """Compile the model, with the weights that it had in the beginning."""
    # To trace and to compile so small a network takes TensorFlow longer than to train it.
    tensorflow = keras.backend.backend() == "tensorflow"
    by_default = {"run_eagerly": True, "jit_compile": False} if tensorflow else {}

    def make(**compiling):
        keras.utils.set_random_seed(0)
        model, weights = built_model
        for layer in model.layers:  # a test may have frozen it
            layer.trainable = True
        model.set_weights(weights)
        model.compile(keras.optimizers.SGD(0.1), "mse", **{**by_default, **compiling})
        return model

    return make


@pytest.fixture
def model(make_model):
    return make_model()


@pytest.fixture
def fit(images):
    """Train on the images as `fit` does: three batches an epoch."""

    def fit(model, *callbacks, epochs=2, **options):
        return train(model, images, TARGETS, callbacks, batch_size=4, epochs=epochs, **options)

    return fit


@pytest.fixture
def keras_fit(images):
    """Train on the images with `fit` itself."""

    def fit(model, *callbacks, epochs=2, **options):
        options |= {"batch_size": 4, "epochs": epochs, "verbose": 0}
        return model.fit(images, TARGETS, callbacks=list(callbacks), **options)

    return fit


@pytest.fixture
def own_loop():
    """Call a callback as a training loop of one's own does: two epochs of three batches."""

    def loop(model, callback):
        callbacks = keras.callbacks.CallbackList([callback], model=model)
        callbacks.on_train_begin()
        for epoch in range(2):
            callbacks.on_epoch_begin(epoch)
            for batch in range(3):
                callbacks.on_train_batch_begin(batch)
                callbacks.on_train_batch_end(batch)
            callbacks.on_epoch_end(epoch)
        callbacks.on_train_end()

    return loop


class Composite(keras.layers.Layer):
    """A layer that makes another one when it is built."""

    def build(self, input_shape):
        self.late = keras.layers.Conv2D(2, 3, name="late")
        self.late.build(input_shape)

    def call(self, inputs):
        return self.late(inputs)


class Subclassed(keras.Model):
    """A model that is never built before it is trained."""

    def __init__(self, first):
        super().__init__()
        self.first = first
        self.head = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])

    def call(self, inputs):
        return self.head(self.first(inputs))


@pytest.fixture
def subclassed():
    """Make a model that was never built, around a layer "conv" or one that makes "late"."""

    def make(name, **compiling):
        keras.utils.set_random_seed(0)
        is_late = name == "late"
        model = Subclassed(Composite() if is_late else keras.layers.Conv2D(2, 3, name=name))
        model.compile("sgd", "mse", **compiling)
        return model

    return make


@pytest.fixture
def at_epoch():
    """Make a callback that does something when an epoch begins."""

    def make(number, action):
        def on_epoch_begin(epoch, _):
            if epoch == number:
                action()

        return keras.callbacks.LambdaCallback(on_epoch_begin=on_epoch_begin)

    return make


@pytest.fixture
def in_thread():
    """Do something in a thread, and raise what it raises."""

    def run(action):
        failures = []

        def attempt():
            try:
                action()
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join()
        assert not failures

    return run


@pytest.fixture
def disk(monkeypatch):
    """Return an Event: while it is set, no file can be opened for writing."""
    is_full, plain = threading.Event(), Path.open

    def open_file(path, mode="r", *args, **kwargs):
        if is_full.is_set() and set(mode) & set("wax"):
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return plain(path, mode, *args, **kwargs)

    monkeypatch.setattr(Path, "open", open_file)
    return is_full


@pytest.fixture
def small_disk(tmp_path):
    """Mount a disk of some kilobytes; skip where that is not allowed."""
    folder = tmp_path / "small"
    folder.mkdir()

    def mount(size):
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("no small file system can be made here")
        return folder

    yield mount
    if folder.is_mount():
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def files():
    """List the files in a folder, as paths from there, but for the values of animations."""

    def files(folder):
        return sorted(
            path.relative_to(folder).as_posix()
            for path in folder.rglob("*")
            if path.is_file() and path.suffix != ".npz"
        )

    return files


@pytest.fixture
def run_script(tmp_path):
    """Start a program in a process of its own."""

    def start(script):
        path = tmp_path / "script.py"
        path.write_text(script)
        return subprocess.Popen(
            [sys.executable, str(path)],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start
