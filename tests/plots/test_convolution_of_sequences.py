"""Compare the steps of layers that slide over a sequence with the layers' own output."""

import itertools
import re

import keras
import numpy as np
import pytest
from keras import layers

import kerasviz
from marks import slow_after
from tiny_models import one_layer

KERAS_ON_TORCH = "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
"""Keras's own warning, ignored everywhere; `pytest.warns` sends it on without Keras's name."""


@pytest.fixture
def plot_convolution(closing):
    return closing(kerasviz.plot_convolution)


def signal(rng, steps=12, channels=2):
    return rng.normal(size=(steps, channels)).astype("float32")


def words(plot):
    """Return everything that is written outside the cells."""
    texts = [plot.figure.get_suptitle(), *(text.get_text() for text in plot.figure.texts)]
    for ax in plot.axes:
        texts += [ax.get_title(), ax.get_xlabel(), ax.get_ylabel()]
    return [" ".join(text.split()) for text in texts if text]


def frame(ax):
    """Return the first step and the length of what is framed."""
    (patch,) = ax.patches
    assert (patch.get_y(), patch.get_height()) == (-0.5, 1)
    return patch.get_x() + 0.5, patch.get_width()


def name_of(value):
    """Return the name of a class or the settings of a layer, for the name of a case."""
    return value.__name__ if isinstance(value, type) else "-".join(map(str, value.values()))


def is_channels_first(layer):
    return layer.data_format == "channels_first"


def check_against_layer(plot, layer, inputs, position, filter_index):
    outputs = keras.ops.convert_to_numpy(layer(inputs[np.newaxis]))[0]
    outputs = outputs[filter_index] if is_channels_first(layer) else outputs[:, filter_index]
    shown = plot.images[-1].get_array()
    assert shown.shape == (1, len(outputs))
    np.testing.assert_allclose(shown[0], outputs, rtol=1e-5, atol=1e-6)
    assert frame(plot.axes[-1]) == (position, 1)
    assert plot.axes[-1].get_xticks() == [position]
    assert not len(plot.axes[-1].get_yticks())
    return float(outputs[position])


PADDINGS = ("valid", "same", "causal")
STEPS = [{"strides": 2}, {"dilation_rate": 2}, {}]
CONVOLUTIONS = [
    *(
        (layers.Conv1D, {"filters": 4, "padding": padding, **steps})
        for padding, steps in itertools.product(PADDINGS, STEPS)
    ),
    (layers.Conv1D, {"filters": 4, "groups": 2, "activation": "tanh"}),
    (layers.Conv1D, {"filters": 4, "data_format": "channels_first"}),
    *((layers.DepthwiseConv1D, {"depth_multiplier": 2, "padding": p}) for p in PADDINGS[:2]),
    *((layers.Conv1DTranspose, {"filters": 4, "strides": 2, "padding": p}) for p in PADDINGS[:2]),
]


@pytest.mark.few(2)
@pytest.mark.parametrize(("cls", "options"), slow_after(5, CONVOLUTIONS), ids=name_of)
def test_plot_convolution_sums_the_products_of_a_step(plot_convolution, rng, cls, options):
    keras.utils.set_random_seed(2)
    layer = cls(kernel_size=3, bias_initializer="normal", name="c", **options)
    inputs = signal(rng).T if is_channels_first(layer) else signal(rng)
    model = one_layer(layer, inputs.shape)
    plot = plot_convolution(model, "c", inputs, position=1, filter=3)
    value = check_against_layer(plot, layer, inputs, 1, 3)
    shown = [image.get_array() for image in plot.images[:-1]]
    windows, kernels, products = shown[1::4], shown[2::4], shown[3::4]
    for window, kernel, product in zip(windows, kernels, products, strict=True):
        np.testing.assert_allclose(product, window.filled(0) * kernel, rtol=1e-5)
    bias = layer.get_weights()[1][3]
    total = sum(product.sum() for product in products) + bias
    assert float(layer.activation(keras.ops.convert_to_tensor(total))) == pytest.approx(
        value, abs=1e-5
    )
    assert words(plot)[0] == "c: step 1 of the output"
    assert not any(re.search(r"\d×\d|\brow\b|column", text) for text in words(plot))


@pytest.mark.few(4)
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("steps", [12, 13])
@pytest.mark.parametrize("cls", [layers.MaxPooling1D, layers.AveragePooling1D])
def test_plot_convolution_pools_a_step(plot_convolution, rng, cls, steps, padding):
    layer, inputs = cls(3, strides=2, padding=padding, name="p"), signal(rng, steps)
    plot = plot_convolution(one_layer(layer, inputs.shape), "p", inputs, position=-1, filter=1)
    last = plot.images[-1].get_array().shape[1] - 1
    value = check_against_layer(plot, layer, inputs, last, 1)
    assert len(plot.axes) == 3
    window = plot.images[1].get_array()
    if cls is layers.MaxPooling1D:
        assert window.max() == pytest.approx(value)
        assert frame(plot.axes[1]) == (int(np.ma.argmax(window)), 1)
    elif padding == "valid":
        assert window.mean() == pytest.approx(value, rel=1e-5)
    assert not any(re.search(r"\d×\d|\brow\b|column", text) for text in words(plot))


def test_plot_convolution_writes_the_sizes_of_a_sequence_in_steps(plot_convolution):
    kernel = np.array([1.0, 10, 100]).reshape(3, 1, 1)
    layer = layers.Conv1D(1, 3, padding="causal", dilation_rate=2, name="c")
    model = one_layer(layer, (8, 1), kernel, np.ones(1))
    plot = plot_convolution(model, 0, np.arange(1, 9.0), position=2)
    assert words(plot) == [
        "c: step 2 of the output",
        "×",
        "=",
        "→",
        "c: step 2 of the output",
        "310 + 1 (bias) = 311",
        "input 8 steps, padded by 4 at the start",
        "window 3 steps, dilation 2",
        "kernel 3 steps",
        "products",
        "sum 310",
        "output map 8 steps",
    ]
    assert plot.images[1].get_array().tolist() == [[None, 1.0, 3.0]]
    assert plot.images[3].get_array().tolist() == [[0.0, 10.0, 300.0]]
    assert frame(plot.axes[0]) == (-2, 5)


@pytest.mark.filterwarnings(KERAS_ON_TORCH)
def test_plot_convolution_draws_a_curve_where_a_sequence_is_too_long_for_numbers(
    plot_convolution, rng
):
    inputs = signal(rng, 200, 1)
    inputs[50] = np.nan
    model = one_layer(layers.Conv1D(1, 3), (200, 1))
    with pytest.warns(UserWarning, match="4 of the values drawn are NaN or infinite"):
        plot = plot_convolution(model, 0, inputs, position=20)
    (curve,) = plot.axes[0].lines
    heights = -curve.get_ydata()
    assert np.isnan(heights[50])
    values, heights = np.delete(inputs[:, 0], 50), np.delete(heights, 50)
    assert np.corrcoef(values, heights)[0, 1] == pytest.approx(1)
    assert not plot.axes[0].texts
    assert not plot.axes[1].lines
    assert [text.get_text() for text in plot.axes[1].texts] == [
        f"{value:.2f}".replace("-", "−") for value in inputs[20:23, 0]
    ]


def test_plot_convolution_takes_three_channels_of_a_sequence_for_no_colours(plot_convolution, rng):
    inputs = rng.uniform(size=(9, 3))
    plot = plot_convolution(one_layer(layers.Conv1D(1, 3), (9, 3)), 0, inputs, position=(4,))
    assert len({image.get_cmap().name for image in plot.images[:-1:4]}) == 1
    assert [ax.get_ylabel() for ax in plot.axes[:-1:4]] == ["channel 0", "channel 1", "channel 2"]


def test_plot_convolution_of_sequences_of_any_length(plot_convolution, rng):
    layer, inputs = layers.Conv1D(2, 3, activation="softmax", name="c"), signal(rng, 7, 1)
    model = one_layer(layer, (None, 1))
    plot = plot_convolution(model, "c", inputs, position=4)
    check_against_layer(plot, layer, inputs, 4, 0)
    assert any("softmax together with the other sums" in text for text in words(plot))
    with pytest.raises(ValueError, match="`position` must be one int from 0 to 4, a step of the"):
        kerasviz.plot_convolution(model, "c", inputs, position=5)


@pytest.mark.parametrize(
    ("position", "error", "message"),
    [
        ((1, 2), TypeError, "one int from 0 to 9, a step of the output. Received: position=(1, 2)"),
        (1.0, TypeError, "Received: position=1.0"),
        (True, TypeError, "Received: position=True"),
        (None, TypeError, "Received: position=None"),
        ("1", TypeError, "Received: position='1'"),
        ([], TypeError, "Received: position=[]"),
        ([[1]], TypeError, "Received: position=[[1]]"),
        (10, ValueError, "one int from 0 to 9, a step of the output of 'c', or from -10 to -1"),
        (-11, ValueError, "Received: position=-11"),
        ((10,), ValueError, "Received: position=(10,)"),
    ],
)
def test_plot_convolution_refuses_what_is_not_a_step(rng, position, error, message):
    model = one_layer(layers.Conv1D(1, 3, name="c"), (12, 2))
    with pytest.raises(error, match=re.escape(message)):
        kerasviz.plot_convolution(model, "c", signal(rng), position=position)


def test_animate_convolution_visits_the_steps_of_a_sequence(rng):
    layer, inputs = layers.Conv1D(1, 3, name="c"), signal(rng, 6, 1)
    model = one_layer(layer, (6, 1))
    animation = kerasviz.animate_convolution(model, "c", inputs)
    animation._draw_frame(2)
    np.testing.assert_array_equal(
        np.ma.getmaskarray(animation.plot.images[-1].get_array())[0], [False, False, False, True]
    )
    assert frame(animation.plot.axes[0]) == (2, 3)
    animation = kerasviz.animate_convolution(model, "c", inputs, positions=[3, (-4,)])
    animation._draw_frame(1)
    assert frame(animation.plot.axes[-1]) == (0, 1)
    assert "2 of 4 steps" in animation.plot.figure.get_suptitle()


@pytest.mark.parametrize(
    ("positions", "error", "message"),
    [
        (3, TypeError, "`positions` must be a list of ints."),
        ([(0, 1)], TypeError, "`positions` must each be one int from 0 to 3, a step of the output"),
        ([0, 4], ValueError, "`positions` must each be one int from 0 to 3"),
    ],
)
def test_animate_convolution_refuses_what_are_not_steps(rng, positions, error, message):
    model = one_layer(layers.Conv1D(1, 3, name="c"), (6, 1))
    with pytest.raises(error, match=re.escape(message)):
        kerasviz.animate_convolution(model, "c", signal(rng, 6, 1), positions=positions)
