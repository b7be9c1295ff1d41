"""Check what `plot_history` reads from what `fit` returned, and from dicts."""

import re

import keras
import numpy as np
import pytest
from matplotlib.figure import Figure

import kerasviz

# What fit returns


def test_plot_history_counts_the_epochs_of_fit_from_1(read, lists, keras_fit, make_model, data):
    history = keras_fit(make_model(), data, epochs=3)
    run = read(history)
    assert set(run.series) == {"loss", "mae", "val_loss", "val_mae"}
    for key, values in history.history.items():
        assert run.series[key][0].tolist() == [1, 2, 3]
        assert run.series[key][1].tolist() == values
    assert lists(read(history.history)) == lists(run)
    assert run.note == ""


def test_plot_history_counts_on_in_a_training_that_goes_on(read, fit, make_model, data):
    model = make_model()
    fit(model, data, epochs=2)
    history = fit(model, data, initial_epoch=2, epochs=5)
    assert read(history).series["loss"][0].tolist() == [3, 4, 5]


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("initial_epoch", "epochs", "expected"), [(2, 4, [1, 2, 3, 4]), (0, 3, [1, 2, 3, 4, 5])]
)
def test_plot_history_draws_all_epochs_of_a_history_of_two_calls_of_fit(
    read, fit, make_model, data, initial_epoch, epochs, expected
):
    model, history = make_model(), keras.callbacks.History()
    fit(model, data, epochs=2, callbacks=[history])
    fit(model, data, initial_epoch=initial_epoch, epochs=epochs, callbacks=[history])
    run = read(history)
    assert run.series["loss"][0].tolist() == expected
    assert run.series["val_loss"][1].tolist() == history.history["val_loss"]


class Now(keras.callbacks.Callback):
    """Logs a metric in the 1st, the 6th and the 11th epoch."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch % 5 == 0:
            logs["f1"] = epoch + 1.0


def test_plot_history_assumes_epochs_of_validation_where_one_frequency_fits(
    read, fit, make_model, data
):
    history = fit(make_model(), data, epochs=5, validation_freq=2)
    run = read(history)
    assert run.series["val_loss"][0].tolist() == [2, 4]
    assert run.series["val_loss"][1].tolist() == history.history["val_loss"]
    assert run.series["loss"][0].tolist() == [1, 2, 3, 4, 5]
    assert run.legends["loss"] == ["training", "validation, epochs assumed"]
    assert run.note == "epochs of val_loss, val_mae assumed (validation_freq=2)"


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("first", "count", "values", "epochs"),
    [
        (0, 12, 6, [2, 4, 6, 8, 10, 12]),
        (0, 12, 4, [3, 6, 9, 12]),
        (0, 12, 2, None),  # every 5th or every 6th
        (0, 11, 3, [3, 6, 9]),
        (10, 10, 5, [12, 14, 16, 18, 20]),
        (10, 10, 3, None),  # every 3rd or every 4th
        (0, 12, 5, None),  # no frequency
        (0, 12, 1, None),
        (0, 2, 1, None),
    ],
)
def test_plot_history_assumes_no_frequency_where_another_fits_too(
    read, first, count, values, epochs
):
    history = {"epoch": range(first, first + count), "loss": [1.0] * count}
    run = read({**history, "val_loss": [0.5] * values})
    choices = [
        [epoch for epoch in range(first + 1, first + count + 1) if epoch % every == 0]
        for every in range(1, first + count + 1)
    ]
    fitting = [choice for choice in choices if len(choice) == values]
    if epochs is None:
        assert len(fitting) != 1 or values == 1
        assert list(run.series) == ["loss"]
        assert run.unknown == {"val_loss": values}
    else:
        assert fitting == [epochs]
        assert run.series["val_loss"][0].tolist() == epochs
        assert "epochs of val_loss assumed" in run.note
        assert not run.unknown


@pytest.mark.slow
def test_plot_history_knows_no_epochs_of_what_a_callback_logs_now_and_then(
    read, fit, make_model, data
):
    history = fit(make_model(), data, epochs=11, callbacks=[Now()])
    assert history.history["f1"] == [1, 6, 11]
    run = read(history)
    assert set(run.series) == {"loss", "mae", "val_loss", "val_mae"}
    assert run.unknown == {"f1": 3}
    assert run.note == "without f1: epochs unknown"


def test_plot_history_knows_no_epochs_without_a_pattern(read, lists):
    run = read({"loss": [5, 4, 3, 2, 1], "mae": [2, 1], "val_loss": [1]})
    assert list(run.series) == ["loss"]  # the value may be of the 3rd, the 4th or the 5th epoch
    assert run.unknown == {"mae": 2, "val_loss": 1}
    run = read({"epoch": [0, 10**8], "loss": [2, 1], "val_loss": [1]})
    assert lists(run) == {"loss": {1: 2, 10**8 + 1: 1}}
    assert run.unknown == {"val_loss": 1}


def test_plot_history_takes_a_dict_with_more_epochs_than_values(read):
    run = read({"epoch": range(6), "val_loss": [3, 2, 1]})
    assert run.series["val_loss"][0].tolist() == [2, 4, 6]
    assert run.note == "epochs of val_loss assumed (validation_freq=2)"
    message = "`history` must say in which epochs there are values. Unknown are the epochs of (numb"
    with pytest.raises(ValueError, match=re.escape(message)):
        read({"epoch": range(6), "f1": [3, 2, 1]})


@pytest.mark.slow
def test_plot_history_says_how_two_trainings_are_counted(read, fit, make_model, data):
    model, history = make_model(), keras.callbacks.History()
    for _ in range(2):
        fit(model, data, epochs=4, validation_freq=2, callbacks=[history])
    run = read(history)
    assert run.series["loss"][0].tolist() == list(range(1, 9))
    assert run.unknown == {"val_loss": 4, "val_mae": 4}
    assert run.note == "several trainings, counted on, without val_loss, val_mae: epochs unknown"


@pytest.mark.parametrize("first", [3, 7])
def test_plot_history_leaves_out_earlier_values_of_unknown_epochs(read, lists, first):
    run = read({"epoch": [first, first + 1], "loss": [5, 4, 3, 2, 1, 0], "mae": [1, 2]})
    assert lists(run) == {"loss": {first + 1: 1, first + 2: 0}}
    assert run.note == (
        "without the first 4 values, whose epochs are unknown, without mae: epochs unknown"
    )


@pytest.mark.parametrize(
    "epochs",
    [
        [0, 10**30],
        [0, 1e300],
        [0, float("inf")],
        [0, float("nan")],
        [-1, 0],
        [0, 0.5],
        [1, 0],
        [0, 0],
        ["a", "b"],
        [None, 1],
        3,
    ],
    ids=str,
)
def test_plot_history_refuses_what_are_not_epochs(read, epochs):
    message = "The epochs of `history` must be a list of increasing integers from 0 to 999999999999"
    with pytest.raises(ValueError, match=message):
        read({"epoch": epochs, "loss": [1.0, 0.5]})


def test_plot_history_takes_epochs_as_an_array(read, lists):
    assert lists(read({"epoch": np.array([4, 5]), "loss": [2, 1]})) == {"loss": {5: 2, 6: 1}}


def test_plot_history_leaves_out_a_number_that_no_float_holds(read):
    run = read({"loss": [2, 1], "odd": [10**400, 1]})
    assert run.note == "without odd, no single numbers"


def test_plot_history_draws_the_learning_rate(read, fit, make_model, data):
    callback = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))
    run = read(fit(make_model(), data, epochs=2, callbacks=[callback]))
    np.testing.assert_allclose(run.series["learning_rate"][1], [0.1, 0.05], rtol=1e-6)


# Dicts


@pytest.mark.few(2)
@pytest.mark.parametrize(
    "values",
    [
        [1, 0.5],
        (1.0, 0.5),
        np.array([1, 0.5], "float32"),
        [np.float32(1), np.array(0.5)],
        keras.ops.convert_to_tensor([1.0, 0.5]),
        [keras.ops.convert_to_tensor(1.0), 0.5],
    ],
    ids=str,
)
def test_plot_history_takes_numbers_of_any_kind(read, lists, values):
    assert lists(read({"loss": values})) == {"loss": {1: 1.0, 2: 0.5}}


def test_plot_history_takes_none_for_no_value_and_nan_for_a_value(read, lists):
    run = read({"loss": [3, 2, 1], "val_loss": [None, 2, None], "mae": [1, float("nan"), 2]})
    assert lists(run)["val_loss"] == {2: 2}
    assert run.series["mae"][0].tolist() == [1, 2, 3]
    assert np.isnan(run.series["mae"][1][1])


def test_plot_history_takes_the_epochs_of_a_dict(read, lists):
    assert lists(read({"epoch": [4, 5], "loss": [2, 1]})) == {"loss": {5: 2, 6: 1}}


def test_plot_history_leaves_out_and_names_what_is_not_a_single_number(read):
    run = read({"loss": [2, 1], "f1": [np.zeros(3), np.zeros(3)], "when": ["a", "b"]})
    assert list(run.series) == ["loss"]
    assert run.note == "without f1, when, no single numbers"


def test_plot_history_takes_several_trainings_as_a_dict_of_names(fit, make_model, data, write):
    path = write("epoch,loss\n0,7.0\n")
    history = fit(make_model(), data, epochs=1)
    runs = {"a": history, "b": {"loss": [1]}, "c": path, 4: str(path)}
    plot = kerasviz.plot_history(runs, figure=Figure())
    loss = plot.axes[0]
    assert [line.get_xydata().tolist() for line in loss.lines] == [
        [[1, history.history["loss"][0]]],
        [[1, history.history["val_loss"][0]]],
        [[1, 1]],
        [[1, 7]],
        [[1, 7]],
    ]
    (legend,) = [x for x in (loss.get_legend(), *plot.figure.legends) if x is not None]
    names = [text.get_text().partition(":")[0] for text in legend.get_texts()]
    assert names[:4] == ["a", "b", "c", "4"]


@pytest.mark.parametrize(
    ("history", "error", "message"),
    [
        ({}, ValueError, "`history` must hold at least one epoch. Received: history={}"),
        ({"loss": []}, ValueError, "`history` must hold at least one epoch."),
        (keras.callbacks.History(), ValueError, "`history` must hold at least one epoch."),
        ({"a": {"loss": []}}, ValueError, "`history['a']` must hold at least one epoch."),
        ({"a": {"loss": [1]}, "b": 3}, TypeError, "`history['b']` must be what `fit` returned"),
        ([0.5, 0.4], TypeError, "`history` must be what `fit` returned, its dict, or the path"),
        (None, TypeError, "Received: history=None"),
        ({"loss": 3}, TypeError, "`history` must have a list of values for each metric."),
    ],
)
def test_plot_history_refuses_what_is_not_a_history(history, error, message):
    with pytest.raises(error, match=re.escape(message)):
        kerasviz.plot_history(history)


def test_plot_history_refuses_a_model_and_names_its_history(make_model):
    with pytest.raises(TypeError, match=r"Of a model, pass model\.history\."):
        kerasviz.plot_history(make_model())
