"""Whether curves and histograms can be read, over a sample of sizes, fonts, styles and places."""

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest

import kerasviz
from legibility import Case, assert_legible, faults, is_legible_or_refused, sample_cases
from marks import slow_after

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


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("case", slow_after(1, sample_cases(3, seed=5)), ids=str)
def test_plot_kernel_histograms_of_many_layers_is_legible(case, model):
    is_legible_or_refused(lambda **place: kerasviz.plot_kernel_histograms(model, **place), case)


def test_plot_kernel_histograms_keeps_the_numbers_of_both_axes_apart(model):
    """Ticks have no length in this style, so that both numbers at the corner are near it."""
    case = Case(size=(16, 10), font=24, style="seaborn-v0_8", layout="none", place="ax")
    assert is_legible_or_refused(
        lambda **place: kerasviz.plot_kernel_histograms(model, 0, **place), case
    )


def test_plot_kernel_histograms_of_two_models_writes_readable_words_in_an_axes(model):
    case = Case(size=(6.9, 4.6), font=14, style="seaborn-v0_8", layout="none", place="ax")
    models = {"before": model, "after training": model}
    assert is_legible_or_refused(
        lambda **place: kerasviz.plot_kernel_histograms(models, **place), case
    )


def test_plot_filter_similarity_cuts_no_name_that_has_room(model, rng):
    images = rng.uniform(size=(8, 32, 32, 1)).astype("float32")
    case = Case(size=(16, 10), font=24, style="default", layout="none", place="ax")
    names = []

    def draw(**place):
        plot = kerasviz.plot_filter_similarity(
            model, ["block0_convolution", "block1_convolution"], images, **place
        )
        names.extend(label.get_text() for label in plot.axes[0].get_xticklabels())
        return plot

    assert is_legible_or_refused(draw, case)
    assert "block1_convolution" in names


@pytest.mark.slow
def test_plot_filter_similarity_names_as_many_rows_as_have_room_below_the_title():
    """The title makes the panel lower, after its names were chosen."""
    model = kerasviz.fashion_mnist.load_model()
    images = np.random.default_rng(0).uniform(size=(24, 28, 28, 1)).astype("float32")
    case = Case(
        size=(7.3, 5.6), font=24, style="seaborn-v0_8", layout="constrained", place="subfigure"
    )
    with plt.rc_context({"figure.dpi": 60}):
        is_legible_or_refused(
            lambda **place: kerasviz.plot_filter_similarity(model, "conv2d_1", images, **place),
            case,
        )


@pytest.mark.slow
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


@pytest.mark.parametrize("options", [{}, {"figsize": (10, 8)}], ids=str)
def test_plot_history_keeps_the_room_for_words_in_a_smaller_figure(options):
    plot = history(**options)
    plot.figure.set_size_inches(4.5, 3)
    found = faults(plot)
    plot.close()
    assert not found


@pytest.mark.few(1)
@pytest.mark.parametrize("size", [(7, 5), (14, 9)], ids=str)
@pytest.mark.parametrize("options", [{}, {"figsize": (10, 8)}], ids=str)
def test_plot_training_statistics_breaks_its_lines_again_in_a_figure_of_another_size(options, size):
    with plt.rc_context({"font.size": 11}):
        plot = statistics(**options)
    plot.figure.set_size_inches(size)
    found = faults(plot)
    words = plot.axes[3].get_title(), len(plot.figure.legends)
    with plt.rc_context({"font.size": 11}):
        fresh = statistics(figsize=size)
    same = fresh.axes[3].get_title(), len(fresh.figure.legends)
    plot.close()
    fresh.close()
    assert not found
    assert words == same


def test_plot_training_statistics_leaves_what_the_caller_has_changed_in_another_size():
    plot = statistics(figsize=(10, 8))
    plot.axes[0].set_title("mine")
    plot.axes[1].set_position((0.5, 0.5, 0.2, 0.2))
    plot.figure.legends[0].remove()
    plot.figure.set_size_inches(7, 5)
    plot.figure.draw_without_rendering()
    titles = [ax.get_title() for ax in plot.axes]
    kept = titles[0], plot.axes[1].get_position().bounds, len(plot.figure.legends)
    plot.close()
    assert kept == ("mine", pytest.approx((0.5, 0.5, 0.2, 0.2)), 0)
    assert "\n" in titles[3]


def test_plot_training_statistics_draws_the_legend_of_the_size_that_it_has():
    """A figure makes the list of what it draws before its Axes are asked where they are."""
    plot = statistics(figsize=(10, 8))
    plot.figure.set_size_inches(7, 5)
    pictures = []
    for _ in range(2):
        plot.figure.canvas.draw()
        pictures.append(np.array(plot.figure.canvas.buffer_rgba()))
    plot.close()
    assert np.array_equal(*pictures)


@pytest.mark.few(2)
@pytest.mark.parametrize("name", ["kernel_histograms", "activation_histograms", "similarity"])
@pytest.mark.parametrize("size", [(7, 4.5), (14, 9)], ids=str)
def test_plots_of_layers_write_their_words_again_in_another_size(model, rng, name, size):
    images = rng.uniform(size=(8, 32, 32, 1)).astype("float32")
    layers = ["block1_convolution", "block2_convolution"]
    draw = {
        "kernel_histograms": lambda: kerasviz.plot_kernel_histograms(model),
        "activation_histograms": lambda: kerasviz.plot_activation_histograms(model, layers, images),
        "similarity": lambda: kerasviz.plot_filter_similarity(model, layers, images),
    }[name]
    plot = draw()
    plot.figure.set_size_inches(size)
    found = faults(plot)
    plot.close()
    assert not found


def _in_an_axes(draw, size):
    figure = plt.figure(figsize=size)
    plot = draw(ax=figure.add_axes((0.2, 0.2, 0.55, 0.6)))
    figure.draw_without_rendering()
    return plot


def _as_drawn(plot):
    """Return what is written and where, and the limits of the axes."""
    plot.figure.draw_without_rendering()
    (ax,) = plot.axes
    texts = [*ax.texts, *ax.get_xticklabels(), *ax.get_yticklabels(), ax.title]
    texts += ax.get_legend().get_texts() if ax.get_legend() else []
    words = {text.get_text() for text in texts if text.get_text()}
    return words, np.round([ax.get_xlim(), ax.get_ylim()], 6).tolist()


@pytest.mark.few(4)
@pytest.mark.parametrize("sizes", [((9, 6), (5.5, 4)), ((6, 4), (11, 7))], ids=str)
@pytest.mark.parametrize("name", ["history", "histogram", "ridgeline", "similarity"])
def test_charts_in_an_axes_of_the_caller_are_written_again_in_another_size(model, rng, name, sizes):
    layers = ["block1_convolution", "block2_convolution"]
    images = rng.uniform(size=(8, 32, 32, 1)).astype("float32")
    draw = {
        "history": lambda **place: kerasviz.plot_history(RUN, title="Loss of a run", **place),
        "histogram": lambda **place: kerasviz.plot_kernel_histograms(model, 0, **place),
        "ridgeline": lambda **place: kerasviz.plot_kernel_histograms(model, **place),
        "similarity": lambda **place: kerasviz.plot_filter_similarity(
            model, layers, images, **place
        ),
    }[name]
    plot, fresh = _in_an_axes(draw, sizes[0]), _in_an_axes(draw, sizes[1])
    plot.figure.set_size_inches(sizes[1])
    words, same = _as_drawn(plot), _as_drawn(fresh)
    found = faults(plot)
    plt.close(plot.figure)
    plt.close(fresh.figure)
    assert words == same
    assert not found


def test_plot_history_in_an_axes_leaves_limits_of_the_caller_in_another_size():
    plot = _in_an_axes(history, (9, 6))
    plot.axes[0].set_ylim(0, 7)
    plot.figure.set_size_inches(6, 4)
    plot.figure.draw_without_rendering()
    limits = plot.axes[0].get_ylim()
    plt.close(plot.figure)
    assert limits == (0, 7)
