"""Measure whether `plot_convolution` can be read, in a sample of sizes, fonts, styles, layouts."""

import keras
import pytest
from keras import layers
from matplotlib.transforms import Bbox

import kerasviz
from legibility import Case, drawn_texts, faults, is_legible_or_refused, sample_cases
from marks import slow_after

PLACES = ("own", "subfigure")


def one_layer(layer, shape, seed=0):
    keras.utils.set_random_seed(seed)
    return keras.Sequential([keras.Input(shape), layer])


def draw_grey(image, **place):
    model = one_layer(
        layers.Conv2D(32, 3, padding="same", activation="relu", name="c"), (28, 28, 1)
    )
    return kerasviz.plot_convolution(model, "c", image, position=(11, 15), filter=5, **place)


def draw_colors(image, **place):
    layer = layers.Conv2D(64, 7, 2, "same", activation="relu", name="conv1_conv")
    model = one_layer(layer, (64, 64, 3))
    return kerasviz.plot_convolution(model, 0, image, position=(7, 31), filter=63, **place)


def draw_maps(image, **place):
    layer = layers.Conv2DTranspose(3, 4, strides=(3, 2), name="block_with_a_long_name_5_upsampling")
    model = one_layer(layer, (9, 9, 16))
    return kerasviz.plot_convolution(model, 0, image, position=(9, 9), **place)


def draw_pooling(image, **place):
    model = one_layer(layers.MaxPooling2D(name="pool"), (6, 6, 2))
    return kerasviz.plot_convolution(model, "pool", image, position=(1, 2), **place)


def draw_sequence(signal, **place):
    model = one_layer(layers.Conv1D(8, 5, padding="causal", activation="relu", name="c"), (90, 3))
    return kerasviz.plot_convolution(model, "c", signal, position=2, filter=5, **place)


def draw_short_sequence(signal, **place):
    model = one_layer(layers.Conv1D(1, 3, name="c"), (8, 1))
    return kerasviz.plot_convolution(model, "c", signal, position=2, **place)


def test_plot_convolution_keeps_the_name_of_a_row_and_the_title_apart(rng):
    case = Case(size=(15.5, 11), font=24, style="default", layout="none", place="own")
    image = 255 * rng.uniform(size=(9, 9, 16))
    is_legible_or_refused(lambda **place: draw_maps(image, **place), case, several=True)


CASES = {
    draw_grey: (28, 28, 1),
    draw_colors: (64, 64, 3),
    draw_maps: (9, 9, 16),
    draw_pooling: (6, 6, 2),
    draw_sequence: (90, 3),
    draw_short_sequence: (8, 1),
}


@pytest.mark.few(2)
@pytest.mark.parametrize("draw", CASES, ids=lambda draw: draw.__name__)
@pytest.mark.parametrize("case", slow_after(1, sample_cases(3, seed=3, places=PLACES)), ids=str)
def test_plot_convolution_is_legible_or_says_the_least_size(rng, draw, case):
    image = 255 * rng.uniform(size=CASES[draw])
    is_legible_or_refused(lambda **place: draw(image, **place), case, several=True)


@pytest.fixture
def opened(rng):
    """Draw a picture with its own colours, and close it in the end."""
    plots = []

    def call(draw):
        plots.append(draw(255 * rng.uniform(size=CASES[draw])))
        return plots[-1]

    yield call
    for plot in plots:
        plot.close()


@pytest.mark.few(2)
@pytest.mark.parametrize("draw", [draw_grey, draw_maps, draw_pooling, draw_sequence])
def test_plot_convolution_stays_in_order_when_its_figure_gets_another_size(opened, draw):
    plot = opened(draw)
    first = plot.figure.get_size_inches().copy()
    for size in [1.5 * first, 0.8 * first, (4, 6)]:
        plot.figure.set_size_inches(size)
        assert not faults(plot), size
        boxes = [ax.get_window_extent() for ax in plot.axes]
        for text in plot.figure.texts:  # signs, heading and formula
            box = text.get_window_extent()
            assert not any(Bbox.intersection(box, part) for part in boxes), (size, text)


def test_plot_convolution_writes_numbers_again_where_a_larger_figure_has_room(opened):
    plot = opened(draw_grey)
    first, counts = plot.figure.get_size_inches().copy(), []
    for factor in (1, 0.8, 1):
        plot.figure.set_size_inches(factor * first)
        counts.append(sum(text in plot.axes[2].texts for text in drawn_texts(plot.figure)))
    assert counts == [9, 0, 9]


def test_plot_convolution_draws_a_bar_where_numbers_have_no_room_in_a_smaller_figure(opened):
    plot = opened(draw_grey)
    kernel, products = plot.axes[2], plot.axes[3]
    assert not products.child_axes
    plot.figure.set_size_inches(0.8 * plot.figure.get_size_inches())
    written = drawn_texts(plot.figure)
    assert not any(text in written for text in (*kernel.texts, *products.texts))
    (bar,) = (ax.get_window_extent() for ax in products.child_axes)
    ends = kernel.get_window_extent().x0, products.get_window_extent().x1
    assert (bar.x0, bar.x1) == pytest.approx(ends)


def test_plot_convolution_leaves_a_heading_of_the_callers_when_its_figure_is_resized(opened):
    plot = opened(draw_grey)
    plot.figure.suptitle("mine")
    plot.axes[1].set_title("my window")
    plot.figure.set_size_inches(12, 6)
    plot.figure.draw_without_rendering()
    assert (plot.figure.get_suptitle(), plot.axes[1].get_title()) == ("mine", "my window")
