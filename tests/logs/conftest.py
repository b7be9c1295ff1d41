"""Provide a tiny model to train, its data, files of logs, and what `plot_history` reads."""

import re
import warnings
from dataclasses import dataclass

import keras
import numpy as np
import pytest
from matplotlib.figure import Figure

import kerasviz
from training import train


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


@dataclass
class Curves:
    """What `plot_history` draws of one training.

    Args:
        series: The epochs and values of each metric, `(2, points)`.
        note: What the title says about how the history was read.
        unknown: The numbers of values of the metrics that are left out as their epochs are unknown.
        legends: The names of the curves of each panel, as its legend has them.
    """

    series: dict[str, np.ndarray]
    note: str
    unknown: dict[str, int]
    legends: dict[str, list[str]]


def plot(history, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # Keras\'s own on PyTorch, ignored everywhere.
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        result = kerasviz.plot_history(history, monitor=None, figure=Figure(), **options)
    messages = [str(warning.message) for warning in caught]
    assert all(re.search("NaN or infinite|^Unknown are the epochs", text) for text in messages)
    return result, " ".join(messages)


def name_of(address, entry):
    return f"val_{address}" if entry.startswith("validation") else address


@pytest.fixture
def read():
    """Read the only run of a history: from its curves, its legends, its title and its warning."""

    def read(history):
        plotted, _ = plot(history)
        _, warning = plot(history, title=False)
        series, legends = {}, {}
        for panel in plotted.panels:
            legends[panel.address] = [text.get_text() for text in panel.ax.get_legend().get_texts()]
            for line, entry in zip(panel.ax.lines, legends[panel.address], strict=True):
                series[name_of(panel.address, entry)] = np.array(line.get_xydata()).T
        alone = len(plotted.panels) == 1
        note = plotted.axes[0].get_title() if alone else f"\n{plotted.figure.get_suptitle()}"
        return Curves(
            series=series,
            note=" ".join(note.partition("\n")[2].split()),
            unknown={key: int(n) for key, n in re.findall(r"'(\w+)' \((\d+)\)", warning)},
            legends=legends,
        )

    return read


@pytest.fixture
def lists():
    """Return the values of each curve of a training, by their epochs, which rise."""

    def lists(run):
        for epochs, _ in run.series.values():
            assert (np.diff(epochs) > 0).all()
        return {
            key: dict(zip(epochs.tolist(), values.tolist(), strict=True))
            for key, (epochs, values) in run.series.items()
        }

    return lists


@pytest.fixture
def fit():
    """Train a model, as `fit` does, and validate it on the same data."""
    return lambda model, data, **options: train(
        model, *data, validation_data=data, metrics=["loss", "mae"], **options
    )


@pytest.fixture
def keras_fit():
    """Train a model with `fit` itself, in silence, and validate it on the same data."""
    return lambda model, data, **options: model.fit(
        *data, verbose=0, validation_data=data, **options
    )
