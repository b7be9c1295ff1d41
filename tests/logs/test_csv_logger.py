"""Check what `plot_history` reads from the file of a `CSVLogger`, which Keras itself writes."""

import re

import keras
import numpy as np
import pytest

import kerasviz


def test_plot_history_draws_the_file_of_a_csv_logger_as_the_history(
    read, keras_fit, make_model, data, tmp_path
):
    paths = {separator: tmp_path / f"{ord(separator)}.csv" for separator in ",;\t|"}
    loggers = [keras.callbacks.CSVLogger(path, separator) for separator, path in paths.items()]
    history = keras_fit(make_model(), data, epochs=3, callbacks=loggers)
    for separator, path in paths.items():
        assert path.read_text().startswith(f"epoch{separator}")
        run = read(path if separator in ",\t" else str(path))
        assert set(run.series) == set(history.history)
        for key, (epochs, values) in run.series.items():
            assert epochs.tolist() == [1, 2, 3]
            np.testing.assert_allclose(values, history.history[key], rtol=1e-12)
        assert run.note == ""


@pytest.mark.slow
def test_plot_history_draws_no_curves_of_validation_without_it(read, make_model, data, tmp_path):
    path = tmp_path / "log.csv"
    make_model().fit(*data, verbose=0, epochs=2, callbacks=[keras.callbacks.CSVLogger(path)])
    assert "val_loss" in path.read_text()
    assert set(read(path).series) == {"loss", "mae"}


@pytest.mark.slow
def test_plot_history_counts_on_in_a_file_that_was_appended_to(
    read, fit, make_model, data, tmp_path
):
    path, model = tmp_path / "log.csv", make_model()
    first = fit(model, data, epochs=2, callbacks=[keras.callbacks.CSVLogger(path, append=True)])
    logger = keras.callbacks.CSVLogger(path, append=True)
    second = fit(model, data, initial_epoch=2, epochs=4, callbacks=[logger])
    run = read(path)
    assert run.series["loss"][0].tolist() == [1, 2, 3, 4]
    expected = first.history["loss"] + second.history["loss"]
    np.testing.assert_allclose(run.series["loss"][1], expected, rtol=1e-12)
    assert run.note == ""


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("epochs", "shown", "note"),
    [
        ([0, 1, 0, 1, 2], {1: 0, 2: 1, 3: 2, 4: 3, 5: 4}, "2 trainings, counted on"),
        ([0, 0, 0], {1: 0, 2: 1, 3: 2}, "3 trainings, counted on"),
        (
            [0, 1, 2, 3, 2, 3],
            {1: 0, 2: 1, 3: 4, 4: 5},
            "without 2 epochs that were trained again",
        ),
        (
            [0, 1, 0, 1, 1],
            {1: 0, 2: 1, 3: 2, 4: 4},
            "2 trainings, counted on, without 1 epoch that was trained again",
        ),
        ([5, 6, 9], {6: 0, 7: 1, 10: 2}, ""),
        ([0, 1, 1, 1], {1: 0, 2: 3}, "without 2 epochs that were trained again"),
    ],
    ids=str,
)
def test_plot_history_joins_the_parts_of_a_file_and_says_how(
    read, lists, write, epochs, shown, note
):
    rows = "".join(f"{epoch},{place}\n" for place, epoch in enumerate(epochs))
    run = read(write(f"epoch,loss\n{rows}"))
    assert lists(run) == {"loss": shown}
    assert run.note == note


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("epoch,loss,val_loss\n0,2,NA\n1,1,0.5\n", {"loss": {1: 2, 2: 1}, "val_loss": {2: 0.5}}),
        ("epoch,loss,val_loss\r\n0,2,\r\n1,1,3\r\n", {"loss": {1: 2, 2: 1}, "val_loss": {2: 3}}),
        ("\ufeffepoch;loss\n0;2\n\n1;1\n", {"loss": {1: 2, 2: 1}}),
        ('"epoch","loss"\n"0","2"\n', {"loss": {1: 2}}),
        ("epoch,loss\n0,2\nepoch,loss\n1,1\n", {"loss": {1: 2, 2: 1}}),
        ("epoch,loss,mae\n0,2,1\n1,1.2", {"loss": {1: 2}, "mae": {1: 1}}),
        ("epoch,loss\n0,2\n1,1", {"loss": {1: 2, 2: 1}}),
        ("epoch,loss\n0.0,2\n", {"loss": {1: 2}}),
    ],
    ids=repr,
)
def test_plot_history_reads_files_of_other_forms(read, lists, write, text, shown):
    assert lists(read(write(text))) == shown


def test_plot_history_takes_nan_in_a_file_for_a_value(read, write):
    values = read(write("epoch,loss\n0,nan\n1,inf\n2,1\n")).series["loss"][1]
    np.testing.assert_array_equal(values, [np.nan, np.inf, 1])


def test_plot_history_leaves_out_and_names_an_array_in_a_file(read, lists, write):
    run = read(write('epoch,f1,loss\n0,"""[0.1, 0.2]""",2\n'))
    assert lists(run) == {"loss": {1: 2}}
    assert run.note == "without f1, no single numbers"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "the file begins with ''"),
        ("name,age\na,3\n", "the file begins with 'name,age\\na,3\\n'"),
        ("epochs,loss\n0,1\n", "the file begins with 'epochs,loss\\n0,1\\n'"),
        ("epoch\n0\n", "the file begins with 'epoch\\n0\\n'"),
        (b"\x89PNG\xff\xfe", "the file begins with ''"),
        ("epoch,loss\n0,1,2\n", "3 values in line 2"),
        ("epoch,loss\nfirst,1\n", "the epoch 'first' in line 2"),
        ("epoch,loss\n-1,1\n", "the epoch '-1' in line 2"),
        ("epoch,loss\n0.5,1\n", "the epoch '0.5' in line 2"),
        ("epoch,loss\nnan,1\n", "the epoch 'nan' in line 2"),
        ("epoch,loss\n1e300,1\n", "the epoch '1e300' in line 2"),
        (f"epoch,loss\n1{30 * '0'},1\n", f"the epoch '1{30 * '0'}' in line 2"),
        (f"epoch,loss\n0,{200_000 * '9'}\n", "field larger than field limit (131072)"),
    ],
    ids=repr,
)
def test_plot_history_refuses_a_file_of_another_kind(read, write, text, what):
    path = write(text)
    message = (
        "`history` must be the path of a file that a CSVLogger wrote. "
        f"Received: history={str(path)!r}, {what}"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        read(path)


def test_plot_history_refuses_a_file_without_an_epoch(read, write):
    with pytest.raises(ValueError, match="`history` must hold at least one epoch"):
        read(write("epoch,loss\n"))


def test_plot_history_refuses_a_file_that_is_not_there(read, tmp_path):
    path = tmp_path / "nowhere.csv"
    message = "`history` must be the path of a file that is there. Received: history="
    for given in (path, tmp_path):
        with pytest.raises(ValueError, match=re.escape(message + repr(str(given)))):
            read(given)
    with pytest.raises(ValueError, match=re.escape("`history['a']` must be the path of a file")):
        kerasviz.plot_history({"a": path})
