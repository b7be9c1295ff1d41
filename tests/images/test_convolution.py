"""Pictures of steps of a convolution; see test_images.py for how they are drawn anew."""

import keras
import numpy as np
import pytest
from keras import layers

import kerasviz


@pytest.fixture
def plot_convolution(closing):
    return closing(kerasviz.plot_convolution)


def make(layer, shape, *weights):
    model = keras.Sequential([keras.Input(shape), layer])
    model.set_weights(weights)
    return model


def ball(size):
    """Return a ball, lit from the top left, on black."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    z = np.sqrt(np.clip(0.8 - x**2 - y**2, 0, None))
    return np.clip(0.2 * (z > 0) + 0.7 * z - 0.35 * x - 0.35 * y, 0, None) * (z > 0)


SOBEL = np.array([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])


@pytest.mark.mpl_image_compare
def test_a_step_with_padding_and_stride_on_a_small_input(plot_convolution):
    layer = layers.Conv2D(1, 3, strides=2, padding="same", activation="relu", name="edges")
    model = make(layer, (6, 6, 1), SOBEL.reshape(3, 3, 1, 1), np.array([0.5]))
    image = np.arange(36).reshape(6, 6) * 7 % 10
    return plot_convolution(model, "edges", image, position=(2, 1)).figure


@pytest.mark.mpl_image_compare
def test_a_step_over_more_channels_than_are_drawn(plot_convolution):
    kernel = np.stack([SOBEL, SOBEL.T, -SOBEL / 2, SOBEL / 4], -1)[..., np.newaxis] / 8
    layer = layers.Conv2D(1, 3, padding="same", name="mixed")
    model = make(layer, (28, 28, 4), kernel, np.array([-0.05]))
    image = np.stack([ball(28) * weight for weight in (1, 0.8, 0.6, 0.4)], -1)
    return plot_convolution(model, "mixed", image, position=(9, 5)).figure


@pytest.mark.mpl_image_compare
def test_a_step_of_a_transposed_convolution(plot_convolution):
    kernel = np.array([[0.25, 0.5, 0.25], [0.5, 1, 0.5], [0.25, 0.5, 0.25]])
    layer = layers.Conv2DTranspose(1, 3, strides=2, padding="same", name="larger")
    model = make(layer, (8, 8, 1), kernel.reshape(3, 3, 1, 1), np.zeros(1))
    return plot_convolution(model, "larger", ball(8), position=(7, 6)).figure


@pytest.mark.mpl_image_compare
def test_a_step_with_a_large_dilated_kernel_is_colours_alone(plot_convolution):
    y, x = np.mgrid[-1:1:9j, -1:1:9j]
    kernel = np.sin(4 * x) * np.exp(-2 * (x**2 + y**2))
    layer = layers.Conv2D(1, 9, dilation_rate=3, use_bias=False, padding="same", name="wide")
    model = make(layer, (64, 64, 1), kernel.reshape(9, 9, 1, 1))
    return plot_convolution(model, "wide", ball(64), position=(25, 10)).figure


@pytest.mark.mpl_image_compare
def test_a_step_of_a_pooling_with_padding(plot_convolution):
    layer = layers.MaxPooling2D(3, strides=2, padding="same", name="pool")
    model = make(layer, (8, 8, 2))
    maps = np.stack([ball(8), ball(8).T[::-1] ** 2], -1)
    return plot_convolution(model, "pool", maps, position=(3, 2), filter=1).figure


@pytest.mark.mpl_image_compare
def test_a_window_that_is_half_way():
    layer = layers.Conv2D(1, 3, use_bias=False, name="edges")
    model = make(layer, (12, 12, 1), SOBEL.reshape(3, 3, 1, 1))
    animation = kerasviz.animate_convolution(model, "edges", ball(12))
    animation._draw_frame(44)
    return animation.plot.figure
