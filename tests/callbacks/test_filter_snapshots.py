"""`FilterSnapshots` records what `filter_statistics` says of the model at that time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import kerasviz

L = keras.layers
IMAGES = np.random.default_rng(0).random((12, 6, 6, 1)).astype("float32")
LABELS = np.arange(12) % 3


def _model() -> keras.Model:
    keras.utils.set_random_seed(0)
    layers = [L.Conv2D(4, 3, activation="relu", name="a"), L.Conv2D(2, 2, name="b"), L.Flatten()]
    model = keras.Sequential([keras.Input((6, 6, 1)), *layers, L.Dense(3, activation="softmax")])
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    return model


def _fit(model: keras.Model, callbacks: list[Any], epochs: int = 2, **options: Any) -> None:
    model.fit(IMAGES, LABELS, epochs=epochs, verbose=0, callbacks=callbacks, **options)


def test_filter_snapshots_records_the_statistics_of_each_epoch(tmp_path: Path) -> None:
    seen = []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, _epoch: int, _logs: Any = None) -> None:
            seen.append(kerasviz.filter_statistics(self.model, None, IMAGES, labels=LABELS))

    snapshots = kerasviz.FilterSnapshots(IMAGES, labels=LABELS, directory=tmp_path)
    _fit(_model(), [snapshots, Look()])
    history = snapshots.history
    assert history["epoch"] == [1, 1, 2, 2]
    assert history["layer"] == ["a", "b"] * 2
    rows = [statistics for each in seen for statistics in each.values()]
    for name in ("dead", "rare", "duplicates"):
        assert history[name] == [len(getattr(row, name)) for row in rows]
    expected = [np.nanmean(row.selectivity) for row in rows]
    np.testing.assert_allclose(history["selectivity"][::2], expected[::2], rtol=1e-5)
    assert history["filters"] == [4, 2] * 2
    saved = kerasviz.FilterStatistics.load(tmp_path / "a" / "filters-epoch-0001.npz")
    np.testing.assert_allclose(saved.values, seen[0]["a"].values, rtol=1e-5)
    np.testing.assert_array_equal(snapshots.statistics["b"].indices, seen[1]["b"].indices)


def test_filter_snapshots_count_dead_filters_and_duplicates() -> None:
    model = _model()
    kernel, bias = model.get_layer("a").get_weights()
    kernel[..., 0], bias[0] = 0, -1
    kernel[..., 2], bias[2] = kernel[..., 1], bias[1]
    model.get_layer("a").set_weights([kernel, bias])
    model.get_layer("a").trainable = False
    model.compile("sgd", "sparse_categorical_crossentropy")
    snapshots = kerasviz.FilterSnapshots(IMAGES, "a", every="2 epochs")
    _fit(model, [snapshots], epochs=4)
    assert snapshots.history["epoch"] == [2, 4]
    assert snapshots.history["dead"] == [1, 1]
    assert snapshots.history["duplicates"] == [1, 1]


def test_filter_snapshots_do_not_change_training(tmp_path: Path) -> None:
    plain, watched = _model(), _model()
    _fit(plain, [], shuffle=False)
    _fit(watched, [kerasviz.FilterSnapshots(IMAGES, directory=tmp_path)], shuffle=False)
    for a, b in zip(plain.get_weights(), watched.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_filter_snapshots_go_on_and_overwrite_nothing(tmp_path: Path) -> None:
    model = _model()
    _fit(model, [kerasviz.FilterSnapshots(IMAGES, "a", directory=tmp_path)])
    again = kerasviz.FilterSnapshots(IMAGES, "a", directory=tmp_path)
    _fit(model, [again], epochs=1)
    assert again.history["epoch"] == [3]
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == [f"filters-epoch-000{n}.npz" for n in (1, 2, 3)]


# Keras's own variables with NumPy 2, which pytest shows again.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_filter_snapshots_warn_of_nan_and_training_goes_on() -> None:
    model = _model()
    snapshots = kerasviz.FilterSnapshots(IMAGES, "b")

    class Spoil(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, _logs: Any = None) -> None:
            if epoch == 1:
                weights = self.model.get_layer("b").get_weights()
                self.model.get_layer("b").set_weights([np.nan * weights[0], weights[1]])

    with pytest.warns(UserWarning, match="No filter statistics of epoch 2, training goes on"):
        _fit(model, [Spoil(), snapshots])
    assert snapshots.history["epoch"] == [1]


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"layer": "c"}, ValueError, "c"),
        ({"labels": LABELS[:5]}, ValueError, "`labels` must have one class for each sample"),
        ({"inputs": IMAGES[:, :, :4]}, ValueError, "6"),
    ],
)
def test_filter_snapshots_refuse_before_training(arguments: Any, error: Any, words: str) -> None:
    snapshots = kerasviz.FilterSnapshots(**{"inputs": IMAGES, "layer": "a", **arguments})
    with pytest.raises(error, match=words):
        _fit(_model(), [snapshots])


def test_filter_snapshots_refuses_wrong_arguments() -> None:
    with pytest.raises(TypeError, match="`directory` must be a path"):
        kerasviz.FilterSnapshots(IMAGES, directory=3)
    with pytest.raises(ValueError, match="`every` must be"):
        kerasviz.FilterSnapshots(IMAGES, every="often")
    with pytest.raises(ValueError, match="`batch_size`"):
        kerasviz.FilterSnapshots(IMAGES, batch_size=0)


def test_plot_training_statistics_draws_what_filter_snapshots_counted(tmp_path: Path) -> None:
    snapshots = kerasviz.FilterSnapshots(IMAGES, labels=LABELS, directory=tmp_path)
    model = _model()
    kernel, bias = model.get_layer("a").get_weights()
    model.get_layer("a").set_weights([kernel, bias - [0, 9, 9, 0]])
    _fit(model, [snapshots], epochs=3)
    history = snapshots.history
    assert history["dead"][::2] == [2, 2, 2]
    for source in (snapshots, history, tmp_path):
        plot = kerasviz.plot_training_statistics(source)
        assert len(plot.axes) == 4
        for ax, name in zip(plot.axes, ("dead", "rare", "duplicates", "selectivity"), strict=True):
            layers = [np.array(history[name][number::2], float) for number in range(2)]
            # A layer of which all filters are dead has no selectivity, and no line.
            layers = [values for values in layers if np.isfinite(values).any()]
            for values, line in zip(layers, ax.lines, strict=True):
                np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3])
                np.testing.assert_allclose(line.get_ydata(), values)
            assert name == "selectivity" or len(layers) == 2
        assert plot.axes[0].get_ylim()[1] >= 2
        plot.close()


def test_plot_training_statistics_of_filters_of_batches_without_labels(tmp_path: Path) -> None:
    snapshots = kerasviz.FilterSnapshots(IMAGES, "a", every="2 batches", directory=tmp_path)
    _fit(_model(), [snapshots], epochs=1, batch_size=3)
    for source in (snapshots, tmp_path):
        plot = kerasviz.plot_training_statistics(source)
        assert len(plot.axes) == 3
        np.testing.assert_array_equal(plot.axes[0].lines[0].get_xdata(), [2, 4])
        plot.close()
    with pytest.raises(ValueError, match="Give `labels`"):
        kerasviz.plot_training_statistics(snapshots, statistics="selectivity")


def test_plot_training_statistics_refuses_a_folder_without_records(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a folder in which FilterSnapshots has written"):
        kerasviz.plot_training_statistics(tmp_path)
