"""When a callback acts, and how it counts."""

from __future__ import annotations

import copy
import pickle
import re

import keras
import numpy as np
import pytest

from kerasviz.callbacks.schedule import Interval, ScheduledCallback, count_updates, parse_interval

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)
"""Keras's own warning, ignored everywhere; `pytest.warns` sends it on without Keras's name."""


class Diary(ScheduledCallback):
    """Writes down when it is called; `last` is what it finds when it opens its folder."""

    def __init__(self, every=1, last=0):
        super().__init__(every)
        self.last = last
        self.numbers = []
        self.calls = []

    def check(self, _):
        self.calls.append("check")

    def prepare(self, _):
        self.calls.append("prepare")

    def open(self):
        self.calls.append("open")
        return self.last

    def on_due(self, number):
        self.calls.append("on_due")
        self.numbers.append(number)

    def finish(self):
        self.calls.append("finish")


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        (1, Interval(1, "epoch")),
        (5, Interval(5, "epoch")),
        ("1 epoch", Interval(1, "epoch")),
        ("3 epochs", Interval(3, "epoch")),
        ("1 batch", Interval(1, "batch")),
        (" 100  batches ", Interval(100, "batch")),
    ],
)
def test_every_counts_epochs_or_batches(every, expected):
    assert parse_interval(every) == expected


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
def test_what_every_cannot_be(every, error, message):
    with pytest.raises(error, match=re.escape(message)):
        parse_interval(every)


def test_names_sort_as_numbers_do():
    for unit, numbers in (("epoch", (1, 9, 10, 200, 9999)), ("batch", (1, 99, 12345678))):
        stems = [Interval(1, unit).stem(number) for number in numbers]
        assert stems == sorted(stems)
        assert [int(re.search(Interval(1, unit).stem_pattern, s)[1]) for s in stems] == [*numbers]


def test_epochs_are_counted(model, fit):
    diary = Diary(every=2)
    fit(model, diary, epochs=5)
    assert diary.numbers == [2, 4]
    assert diary.calls == ["finish", "prepare", "open", "on_due", "on_due", "finish"]


def test_batches_are_counted_across_epochs(model, fit):
    diary = Diary(every="2 batches")
    fit(model, diary, epochs=3)
    assert diary.numbers == [2, 4, 6, 8]


def test_a_run_that_begins_later_is_numbered_as_keras_numbers_it(model, fit):
    diary = Diary()
    fit(model, diary, epochs=5, initial_epoch=3)
    assert diary.numbers == [4, 5]
    batches = Diary(every="1 batch")
    fit(model, batches, epochs=4, initial_epoch=3)
    assert batches.numbers == [10, 11, 12]


def test_numbers_go_on_in_another_fit(model, fit):
    diary = Diary()
    fit(model, diary)
    fit(model, diary, epochs=3)
    fit(model, diary, epochs=10, initial_epoch=9)
    assert diary.numbers == [1, 2, 3, 4, 5, 10]


def test_numbers_go_on_after_what_is_there_already(model, fit):
    diary = Diary(last=7)
    fit(model, diary)
    assert diary.numbers == [8, 9]
    diary = Diary(last=7)
    fit(model, diary, epochs=9, initial_epoch=7)
    assert diary.numbers == [8, 9]
    diary = Diary("2 batches", last=7)
    fit(model, diary, epochs=1)
    assert diary.numbers == [8, 10]


class Keeper(Diary):
    """Adds to what is in a folder."""

    def destination(self):
        return "directory='old'"


def test_a_model_that_was_never_trained_and_records_of_another(model, fit):
    message = "Keeper goes on from epoch 7 of an earlier training, in directory='old', but the opt"
    with pytest.warns(UserWarning, match=message):
        fit(model, Keeper(last=7))
    fit(model, Keeper(last=7))  # whose optimizer has taken steps


def test_what_goes_on_says_nothing(model, fit):
    fit(model, Keeper())  # there is nothing yet
    fit(model, Keeper(last=2))
    model.compile("sgd", "mse", run_eagerly=True)  # weights alone were loaded
    fit(model, Keeper(last=4), epochs=6, initial_epoch=4)


def test_steps_are_those_of_any_optimizer(make_model, fit):
    model = make_model()
    assert count_updates(model) == 0
    fit(model, epochs=1)
    assert count_updates(model) == 3
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(), initial_scale=1.0)
    model.compile(scaled, "mse", run_eagerly=True)
    assert count_updates(model) == 0
    fit(model, epochs=1)
    assert count_updates(model) == 3
    own = keras.Sequential([keras.layers.Dense(1)])
    assert count_updates(own) is None
    own.first, own.second = keras.optimizers.SGD(), model.optimizer
    assert count_updates(own) == 3
    own.second = keras.optimizers.SGD()
    assert count_updates(own) == 0


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="Keras on PyTorch has only 1")
def test_a_call_that_stands_for_several_batches(make_model, fit):
    diary = Diary("2 batches")
    model = make_model(steps_per_execution=3, run_eagerly=False)
    fit(model, diary, epochs=2)
    assert diary.numbers == [3, 6]
    diary = Diary()
    fit(model, diary, epochs=2)
    assert diary.numbers == [1, 2]


@pytest.mark.parametrize("ends", [(2, 5, 6), (0, 3, 6)], ids=["newer Keras", "older Keras"])
def test_what_versions_of_keras_say_of_several_batches(model, ends):
    model.steps_per_execution = 3
    diary = Diary("1 batch")
    diary.set_model(model)
    diary.set_params({"steps": 7})
    diary.on_train_begin()
    for epoch in range(2):
        diary.on_epoch_begin(epoch)
        for begin, end in zip((0, 3, 6), ends, strict=True):
            diary.on_train_batch_begin(begin)
            diary.on_train_batch_end(end)
    assert diary.numbers == [3, 6, 7, 10, 13, 14]


def test_a_model_that_is_not_built_is_checked_first_and_prepared_after_its_first_step(fit):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("elsewhere Keras builds the model before training begins")
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    diary = Diary()
    fit(model, diary, epochs=1)
    assert diary.calls == ["finish", "check", "open", "prepare", "on_due", "finish"]


def test_it_does_not_hold_up_batches_where_epochs_count():
    for every, is_safe in ((1, True), ("1 batch", False)):
        assert Diary(every).async_safe is is_safe


def test_a_loop_of_ones_own(model, own_loop):
    diary = Diary("2 batches")
    own_loop(model, diary)
    assert diary.numbers == [2, 4, 6]


def test_it_can_be_copied(model, fit):
    diary = Diary()
    for copied in (copy.deepcopy(diary), pickle.loads(pickle.dumps(diary))):
        fit(model, copied, epochs=1)
        assert copied.numbers == [1]
    assert diary.numbers == []
