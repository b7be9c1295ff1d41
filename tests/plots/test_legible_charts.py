"""Whether curves and histograms can be read, over a sample of sizes, fonts, styles and places."""

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest

import kerasviz
from legibility import assert_legible, is_legible_or_refused, sample_cases, slow_after

RUN = {"loss": [0.9, 0.5, 0.4, 0.35], "val_loss": [0.8, 0.6, 0.5, 0.55]}


@pytest.fixture(scope="module")
def model():
    layers = [keras.layers.Conv2D(2, 3, name=f"block{n}_convolution") for n in range(8)]
    return keras.Sequential([keras.Input((32, 32, 1)), *layers])


def history(**place):
    return kerasviz.plot_history(RUN, **place)


def histories(**place):
    runs = {f"learning rate {n / 100}": {**RUN, "mae": [1, 2, n, 4]} for n in range(9)}
    return kerasviz.plot_history(runs, **place)


def statistics(**place):
    rows = {"layer": [f"conv{n}" for n in range(5)] * 2, "epoch": [1] * 5 + [2] * 5}
    rows |= {"step": rows["epoch"]}
    rows |= {name: list(np.linspace(0.01, 2, 10)) for name in ("mean", "std", "norm")}
    rows |= {"update_ratio": list(np.geomspace(1e-4, 1e-2, 10)), "dead": [None] * 10}
    return kerasviz.plot_training_statistics(rows, **place)


@pytest.mark.parametrize("case", slow_after(1, sample_cases(4, seed=1)), ids=str)
def test_plot_history_is_legible(case):
    is_legible_or_refused(history, case)


@pytest.mark.parametrize(
    "case", slow_after(1, sample_cases(2, seed=2, places=("own", "subfigure"))), ids=str
)
def test_plot_history_of_many_trainings_is_legible(case):
    is_legible_or_refused(histories, case, several=True)


@pytest.mark.parametrize(
    "case", slow_after(1, sample_cases(2, seed=3, places=("own", "subfigure"))), ids=str
)
def test_plot_training_statistics_is_legible(case):
    is_legible_or_refused(statistics, case, several=True)


@pytest.mark.parametrize("case", slow_after(1, sample_cases(3, seed=4)), ids=str)
def test_plot_kernel_histograms_is_legible(case, model):
    is_legible_or_refused(lambda **place: kerasviz.plot_kernel_histograms(model, 0, **place), case)


@pytest.mark.parametrize("case", slow_after(1, sample_cases(3, seed=5)), ids=str)
def test_plot_kernel_histograms_of_many_layers_is_legible(case, model):
    is_legible_or_refused(lambda **place: kerasviz.plot_kernel_histograms(model, **place), case)


@pytest.mark.parametrize("font", [8, 24])
@pytest.mark.parametrize("draw", [history, histories, statistics])
def test_a_new_figure_becomes_as_large_as_its_words_need(draw, font):
    with plt.rc_context({"font.size": font}):
        plot = draw()
        assert_legible(plot)
        plot.close()


@pytest.mark.parametrize("name", ["figsize", "figure", "ax"])
def test_plot_history_refuses_a_small_place_before_it_is_touched(name):
    figure = plt.figure(figsize=(1.2, 0.9))
    ax = figure.add_subplot() if name == "ax" else None
    place = {"figsize": (1.2, 0.9), "figure": figure, "ax": ax}[name]
    message = rf"^`{name}` must be .*at least \S+ x \S+ in.*Received: {name}=.*, 1.2 x 0.9 in$"
    with pytest.raises(ValueError, match=message):
        history(**{name: place})
    assert figure.axes == ([ax] if ax else [])
    assert ax is None or not (ax.lines or ax.get_title() or ax.get_xlabel())
    assert plt.get_fignums() == [figure.number]
    plt.close(figure)
