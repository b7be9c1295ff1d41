"""Measure whether `plot_convolution` can be read, in a sample of sizes, fonts, styles, layouts."""

import keras
import pytest
from keras import layers

import kerasviz
from legibility import Case, is_legible_or_refused, sample_cases
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
