"""Compare the windows of layers with the rules that TensorFlow documents for padding."""

import keras
import numpy as np
import pytest
from keras import layers

import kerasviz


@pytest.fixture
def plot_convolution(closing):
    return closing(kerasviz.plot_convolution)


def one_layer(layer, shape, kernel):
    model = keras.Sequential([keras.Input(shape), layer])
    model.set_weights([kernel])
    return model


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("size", "window", "stride", "dilation", "padding", "expected"),
    [
        (28, 3, 1, 1, "same", (1, 1)),
        (28, 3, 2, 1, "same", (0, 1)),
        (27, 3, 2, 1, "same", (1, 1)),
        (28, 2, 1, 1, "same", (0, 1)),
        (28, 3, 1, 2, "same", (2, 2)),
        (224, 7, 2, 1, "same", (2, 3)),
        (10, 1, 3, 1, "same", (0, 0)),
        (28, 3, 2, 1, "valid", (0, 0)),
    ],
)
def test_plot_convolution_pads_as_tensorflow(
    plot_convolution, size, window, stride, dilation, padding, expected
):
    layer = layers.Conv2D(
        1, (window, 1), (stride, stride), padding, dilation_rate=(dilation, 1), use_bias=False
    )
    model = one_layer(layer, (size, 1, 1), np.ones((window, 1, 1, 1)))
    plot = plot_convolution(model, 0, np.arange(size).reshape(size, 1), position=(1, 0))
    mask = np.ma.getmaskarray(plot.images[0].get_array())[:, 0]
    before, after = expected
    assert mask.tolist() == [True] * before + [False] * size + [True] * after
    # The value of a cell is its row, so the window shows which rows it is over.
    rows = stride + dilation * np.arange(window) - before
    assert plot.images[1].get_array()[:, 0].tolist() == [
        row if 0 <= row < size else None for row in rows
    ]


def test_plot_convolution_spreads_the_input_of_a_transposed_convolution(plot_convolution):
    layer = layers.Conv2DTranspose(1, 3, strides=2, padding="same", use_bias=False)
    model = one_layer(layer, (3, 3, 1), np.ones((3, 3, 1, 1)))
    plot = plot_convolution(model, 0, np.ones((3, 3)), position=(5, 5))
    is_data = ~plot.images[0].get_array().mask
    assert is_data.any(axis=1).astype(int).tolist() == [0, 0, 1, 0, 1, 0, 1, 0]
    assert plot.images[-1].get_array().shape == (6, 6)
