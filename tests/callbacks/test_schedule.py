"""When `KernelSnapshots` acts, and how it counts epochs and batches."""

from __future__ import annotations

import copy
import pickle
import re
import warnings

import keras
import numpy as np
import pytest

from kerasviz import KernelSnapshots

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)
"""Keras's own warning, ignored everywhere; `pytest.warns` sends it on without Keras's name."""


class Diary:
    """Writes down of which epochs or batches it gets a picture."""

    def __init__(self):
        self.numbers = []

    def __call__(self, number, address, plot):
        assert address == "first"
        assert plot.panels
        self.numbers.append(number)


def make_callback(every=1, **places):
    return KernelSnapshots("first", every=every, on_plot=Diary(), **places)


@pytest.fixture
def numbers(keras_fit):
    """Train with a callback, and return of which epochs or batches it makes pictures."""

    def numbers(model, every=1, **training):
        callback = make_callback(every)
        keras_fit(model, callback, **training)
        return callback.on_plot.numbers

    return numbers


@pytest.fixture
def folder_of(tmp_path):
    """Make a folder in which an earlier training has left its last picture."""

    def make(last, unit="epoch"):
        folder = tmp_path / f"{unit}-{last}"
        folder.mkdir()
        digits = {"epoch": 4, "batch": 8}[unit]
        (folder / f"kernels-{unit}-{last:0{digits}d}.png").write_bytes(b"")
        return folder

    return make


@pytest.mark.parametrize(
    ("every", "count", "unit"),
    [
        (1, 1, "epoch"),
        (5, 5, "epoch"),
        ("1 epoch", 1, "epoch"),
        ("3 epochs", 3, "epoch"),
        ("1 batch", 1, "batch"),
        (" 100  batches ", 100, "batch"),
    ],
)
def test_kernel_snapshots_count_epochs_or_batches(every, count, unit):
    interval = make_callback(every).every
    assert (interval.count, interval.unit) == (count, unit)


@pytest.mark.parametrize(
    ("every", "error", "message"),
    [
        (0, ValueError, "`every` must be a positive integer. Received: every=0"),
        (True, ValueError, "Received: every=True"),
        (np.True_, TypeError, f"Received: every={np.True_!r}"),
        (f"{5000 * '9'} batches", ValueError, "`every` must be a positive number of epochs"),
        (1.5, TypeError, "`every` must be a number of epochs, or a string such as '100 batches'"),
        (None, TypeError, "Received: every=None"),
        ("100 btaches", ValueError, "Did you mean '100 batches' or "),
        ("epochs", ValueError, "Did you mean '1 epochs'"),
        ("0 batches", ValueError, "`every` must be a positive number of epochs"),
        ("5", ValueError, "Received: every='5'"),
    ],
)
def test_kernel_snapshots_refuse_a_wrong_every(every, error, message):
    with pytest.raises(error, match=re.escape(message)):
        make_callback(every)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("unit", "steps"), [("epoch", (1, 9, 10, 200, 9999)), ("batch", (1, 99, 12345678))]
)
def test_kernel_snapshots_write_names_that_sort_as_numbers_do(model, fit, folder_of, unit, steps):
    fit(model, epochs=1)  # since it is warned of a model that was never trained
    for last in steps:
        folder = folder_of(last, unit)
        callback = make_callback(f"1 {unit}", directory=folder)
        fit(model, callback, epochs=1)
        assert callback.on_plot.numbers[0] == last + 1
        (new, *_) = sorted(path.name for path in (folder / "first").glob("*.png"))
        digits = {"epoch": 4, "batch": 8}[unit]
        assert new == f"kernels-{unit}-{last + 1:0{digits}d}.png"


def test_kernel_snapshots_count_epochs(model, numbers):
    assert numbers(model, every=2, epochs=5) == [2, 4]


def test_kernel_snapshots_count_batches_across_epochs(model, numbers):
    assert numbers(model, "2 batches", epochs=3) == [2, 4, 6, 8]


def test_kernel_snapshots_number_a_run_that_begins_later_as_keras_does(model, numbers):
    assert numbers(model, epochs=5, initial_epoch=3) == [4, 5]
    assert numbers(model, "1 batch", epochs=4, initial_epoch=3) == [10, 11, 12]


def test_kernel_snapshots_count_on_in_another_fit(model, fit):
    callback = make_callback()
    fit(model, callback)
    fit(model, callback, epochs=3)
    fit(model, callback, epochs=10, initial_epoch=9)
    assert callback.on_plot.numbers == [1, 2, 3, 4, 5, 10]


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("every", "unit", "training", "expected"),
    [
        (1, "epoch", {}, [8, 9]),
        (1, "epoch", {"epochs": 9, "initial_epoch": 7}, [8, 9]),
        ("2 batches", "batch", {"epochs": 1}, [8, 10]),
    ],
)
def test_kernel_snapshots_count_on_after_what_is_there_already(
    model, fit, folder_of, every, unit, training, expected
):
    fit(model, epochs=1)  # since it is warned of a model that was never trained
    callback = make_callback(every, directory=folder_of(7, unit))
    fit(model, callback, **training)
    assert callback.on_plot.numbers == expected


WARNING = (
    "KernelSnapshots goes on from epoch 7 of an earlier training, in directory='.*', but the opt"
)


def test_kernel_snapshots_warn_of_records_of_another_model(model, fit, folder_of):
    callback = make_callback(directory=folder_of(7))
    with pytest.warns(UserWarning, match=WARNING):
        fit(model, callback)
    fit(model, callback)  # whose optimizer has taken steps


@pytest.mark.slow
def test_kernel_snapshots_do_not_warn_of_a_training_that_goes_on(model, fit, tmp_path):
    fit(model, make_callback(directory=tmp_path))  # there is nothing yet
    fit(model, make_callback(directory=tmp_path))
    model.compile("sgd", "mse", run_eagerly=True)  # weights alone were loaded
    fit(model, make_callback(directory=tmp_path), epochs=6, initial_epoch=4)


class OwnOptimizers(keras.Model):
    """A model whose training step has two optimizers, which `compile` does not know."""

    def __init__(self):
        super().__init__()
        self.first_layer = keras.layers.Conv2D(2, 3, name="first")

    def call(self, inputs):
        return self.first_layer(inputs)


def is_trained(model, folder):
    """Whether a loop of one's own with the model goes on in silence from an earlier training."""
    callback = make_callback(directory=folder)
    callback.set_model(model)
    callback.on_train_begin()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        callback.on_epoch_begin(0)
    assert all(re.match(WARNING, str(warning.message)) for warning in caught)
    return not caught


def test_kernel_snapshots_count_the_steps_of_any_optimizer(make_model, fit, folder_of):
    model, folder = make_model(), folder_of(7)
    assert not is_trained(model, folder)
    fit(model, epochs=1)
    assert is_trained(model, folder)
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(), initial_scale=1.0)
    model.compile(scaled, "mse", run_eagerly=True)
    assert not is_trained(model, folder)
    fit(model, epochs=1)
    assert is_trained(model, folder)
    own = OwnOptimizers()
    own(np.zeros((1, 8, 8, 1), "float32"))
    assert is_trained(own, folder)  # nothing is known of it
    own.first, own.second = keras.optimizers.SGD(), model.optimizer
    assert is_trained(own, folder)
    own.second = keras.optimizers.SGD()
    assert not is_trained(own, folder)


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="Keras on PyTorch has only 1")
def test_kernel_snapshots_count_all_batches_of_one_call(make_model, numbers):
    model = make_model(steps_per_execution=3, run_eagerly=False)
    assert numbers(model, "2 batches") == [3, 6]
    assert numbers(model) == [1, 2]


@pytest.mark.parametrize("ends", [(2, 5, 6), (0, 3, 6)], ids=["newer Keras", "older Keras"])
def test_kernel_snapshots_count_batches_by_the_indices_of_any_version_of_keras(model, ends):
    model.steps_per_execution = 3
    callback = make_callback("1 batch")
    callback.set_model(model)
    callback.set_params({"steps": 7})
    callback.on_train_begin()
    for epoch in range(2):
        callback.on_epoch_begin(epoch)
        for begin, end in zip((0, 3, 6), ends, strict=True):
            callback.on_train_batch_begin(begin)
            callback.on_train_batch_end(end)
    callback.on_train_end()
    assert callback.on_plot.numbers == [3, 6, 7, 10, 13, 14]


def test_kernel_snapshots_do_nothing_at_batches_where_epochs_count():
    for every, is_safe in ((1, True), ("1 batch", False)):
        assert make_callback(every).async_safe is is_safe


def test_kernel_snapshots_work_in_a_loop_of_ones_own(model, own_loop):
    callback = make_callback("2 batches")
    own_loop(model, callback)
    assert callback.on_plot.numbers == [2, 4, 6]


def test_kernel_snapshots_can_be_copied(model, fit):
    callback = make_callback()
    for copied in (copy.deepcopy(callback), pickle.loads(pickle.dumps(callback))):
        fit(model, copied, epochs=1)
        assert copied.on_plot.numbers == [1]
    assert callback.on_plot.numbers == []
