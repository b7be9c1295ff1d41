import base64
import gc
import io
import itertools
import json
import math
import pydoc
import re
import warnings
from unittest import mock

import keras
import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from keras import layers
from matplotlib.animation import FuncAnimation, writers
from matplotlib.figure import Figure
from PIL import Image
from scipy.signal import convolve2d, correlate2d

import kerasviz
from tiny_models import one_layer
from written_words import last_line

RUN = "kerasviz.compute.feature_maps.Extraction.run"
"""What runs a model. How often it does can be seen only inside."""
KERAS_ON_TORCH = "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
"""Keras's own warning, ignored everywhere; `pytest.warns` sends it on without Keras's name."""


@pytest.fixture
def plot_convolution(closing):
    return closing(kerasviz.plot_convolution)


@pytest.fixture
def images(rng):
    return rng.uniform(size=(2, 12, 12, 1)).astype("float32")


@pytest.fixture
def passes(monkeypatch):
    """Count how often a model runs."""
    runs = mock.Mock(side_effect=pydoc.locate(RUN))
    monkeypatch.setattr(RUN, lambda extraction: runs(extraction))
    return runs


def titles(plot, of_rows=1):
    """Return the titles of the first row and of the output as one line each."""
    axes = [*plot.axes[: (len(plot.axes) - 1) // of_rows], plot.axes[-1]]
    return [" ".join(ax.get_title().split()) for ax in axes]


def frame(ax):
    """Return column, row, width and height of what is framed."""
    (patch,) = ax.patches
    return (patch.get_x() + 0.5, patch.get_y() + 0.5, patch.get_width(), patch.get_height())


def test_plot_convolution_draws_a_step_of_a_first_layer(
    plot_convolution, grey_model, images, passes
):
    kernel, bias = grey_model.get_layer("first").get_weights()
    plot = plot_convolution(grey_model, "first", images, position=(4, 7), filter=2, sample=1)
    shown, window, weights, products, output = (image.get_array() for image in plot.images)
    image = images[1, ..., 0]
    np.testing.assert_array_equal(shown, image)
    np.testing.assert_array_equal(window, image[4:7, 7:9])
    np.testing.assert_array_equal(weights, kernel[:, :, 0, 2])
    np.testing.assert_allclose(products, image[4:7, 7:9] * kernel[:, :, 0, 2])
    expected = correlate2d(image, kernel[:, :, 0, 2], "valid") + bias[2]
    np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-5)
    assert frame(plot.axes[0]) == (7, 4, 2, 3)
    assert frame(plot.axes[-1]) == (7, 4, 1, 1)
    assert plot.figure.get_suptitle() == "first: row 4, column 7 of the output\nsample 1 of 2"
    assert titles(plot) == [
        "input 12×12",
        "window 3×2",
        "kernel 2 of 4 3×2",
        "products",
        "output map 2 of 4 10×11",
    ]
    total = f"{expected[4, 7]:.3f}".replace("-", "−")
    assert last_line(plot) == f"{total} + 0 (bias) = {total}"
    assert repr(plot) == "Plot(5 panels)"
    assert passes.call_count == 1


def number(text):
    return float(text.replace("−", "-").replace(" ", ""))


def test_plot_convolution_gives_the_strongest_channels_a_row_and_sums_the_rest(
    plot_convolution, grey_model, images
):
    kernel, bias = grey_model.get_layer("second").get_weights()
    below = kerasviz.get_feature_maps(grey_model, "first", images)[0, 3:6, 5:8]
    sums = (below * kernel[..., 4]).sum(axis=(0, 1))
    plot = plot_convolution(grey_model, "second", images, position=(3, 5), filter=4)
    order = np.argsort(-np.abs(sums))
    names = [ax.get_ylabel() for ax in plot.axes[:-1:4]]
    assert names == [f"channel {channel}" for channel in order[:3]]
    title = plot.figure.get_suptitle().splitlines()
    assert title[1] == "sample 0 of 2, 3 of 4 input channels, strongest first"
    shown = [number(ax.get_xlabel().removeprefix("sum")) for ax in plot.axes[3::4]]
    assert shown == pytest.approx(sums[order[:3]], abs=1e-3)

    left, right = last_line(plot).split(" = ")
    total, activated = right.split(", relu → ")
    terms = [number(term) for term in re.findall(r"[−]? ?[\d.]+(?= [(+−])", left)]
    assert terms == pytest.approx([*sums[order], bias[4]], abs=1e-3)
    assert "(1 other channel)" in left
    assert left.endswith("(bias)")
    assert sum(terms) == pytest.approx(number(total), abs=1e-9)
    assert number(activated) == pytest.approx(max(0, number(total)))
    assert plot.images[-1].get_array()[3, 5] == pytest.approx(number(activated), abs=1e-3)


def test_plot_convolution_draws_the_channels_that_are_named(plot_convolution, grey_model, images):
    plot = plot_convolution(grey_model, "second", images, position=(0, 0), channel=[2, 0])
    assert [ax.get_ylabel() for ax in plot.axes[:-1:4]] == ["channel 2", "channel 0"]
    assert plot.figure.get_suptitle().endswith("\nsample 0 of 2, 2 of 4 input channels")
    assert "(2 other channels)" in last_line(plot)
    plot = plot_convolution(grey_model, "second", images, position=(0, 0), channel=-1)
    assert titles(plot)[0] == "input channel 3 of 4 10×11"
    plot = plot_convolution(grey_model, "second", images, position=(0, 0), channel=slice(None))
    assert len(plot.axes) == 17
    assert "other" not in last_line(plot) + plot.figure.get_suptitle()


def test_plot_convolution_draws_three_channels_in_their_order(plot_convolution, rgb_model, rng):
    plot = plot_convolution(rgb_model, 0, rng.uniform(size=(10, 10, 3)), position=(2, 2))
    names = [ax.get_ylabel() for ax in plot.axes[:-1:4]]
    assert names == ["channel 0", "channel 1", "channel 2"]
    assert plot.figure.get_suptitle() == "color: row 2, column 2 of the output"


def test_plot_convolution_masks_and_names_padding(plot_convolution, rng):
    image = rng.uniform(size=(6, 6))
    kernel = rng.normal(size=(3, 3, 1, 1))
    layer = layers.Conv2D(1, 3, strides=2, padding="same", use_bias=False, name="c")
    plot = plot_convolution(one_layer(layer, (6, 6, 1), kernel), "c", image, position=(-1, -1))
    window = plot.images[1].get_array()
    assert window.mask.tolist() == [[False, False, True], [False, False, True], [True] * 3]
    assert plot.images[0].get_array().mask.sum() == 13
    assert titles(plot)[0] == "input 6×6, padded by 1 at bottom and right"
    assert titles(plot)[-1] == "output map 3×3, stride 2"
    assert plot.figure.get_suptitle() == "c: row 2, column 2 of the output"
    expected = (image[4:, 4:] * kernel[:2, :2, 0, 0]).sum()
    assert number(last_line(plot).removeprefix("sum of products ")) == pytest.approx(
        expected, abs=2e-3
    )
    assert plot.axes[1].texts[8].get_text() == "0"


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("layer", "title"),
    [
        (layers.Conv2D(1, 3, padding="same"), "input 7×7, padded by 1"),
        (layers.Conv2D(1, 7, 2, "same"), "input 7×7, padded by 3"),
        (layers.Conv2D(1, (1, 4), padding="same"), "input 7×7, padded by 1 at left, 2 at right"),
        (layers.Conv2D(1, 3), "input 7×7"),
        (layers.Conv2DTranspose(1, 2, 2), "input 7×7, spread by 2, padded by 1"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_plot_convolution_says_in_the_title_what_was_added(plot_convolution, layer, title):
    model = keras.Sequential([keras.Input((7, 7, 1)), layer])
    plot = plot_convolution(model, 0, np.ones((7, 7)), position=(0, 0))
    assert titles(plot)[0] == title


def test_plot_convolution_of_a_dilated_layer(plot_convolution, rng):
    image, kernel = rng.uniform(size=(7, 7)), rng.normal(size=(2, 2, 1, 1))
    layer = layers.Conv2D(1, 2, dilation_rate=(2, 3), name="c")
    plot = plot_convolution(
        one_layer(layer, (7, 7, 1), kernel, np.ones(1)), "c", image, position=(1, 2)
    )
    np.testing.assert_allclose(plot.images[1].get_array(), image[1:5:2, 2:7:3], rtol=1e-6)
    assert frame(plot.axes[0]) == (2, 1, 4, 3)
    assert titles(plot)[1] == "window 2×2, dilation 2×3"


def test_plot_convolution_gathers_for_a_transposed_convolution(plot_convolution, rng):
    image, kernel = rng.uniform(size=(3, 3)), rng.normal(size=(3, 3, 1, 1))
    layer = layers.Conv2DTranspose(1, 3, strides=2, use_bias=False, name="t")
    plot = plot_convolution(one_layer(layer, (3, 3, 1), kernel), "t", image, position=(3, 2))
    spread = np.zeros((5, 5))
    spread[::2, ::2] = image
    expected = convolve2d(spread, kernel[..., 0, 0])
    output = plot.images[-1].get_array()
    np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(
        plot.images[2].get_array(), kernel[::-1, ::-1, 0, 0].astype("float32")
    )
    assert plot.images[3].get_array().sum() == pytest.approx(expected[3, 2], rel=1e-4)
    assert (~plot.images[0].get_array().mask).sum() == 9
    assert titles(plot)[2] == "kernel 3×3, turned by 180°"


def test_plot_convolution_frames_the_largest_value_of_a_pooling(plot_convolution, rng):
    maps = rng.normal(size=(4, 4, 3))
    model = one_layer(layers.MaxPooling2D(2, name="p"), (4, 4, 3))
    plot = plot_convolution(model, "p", maps, position=(1, 0), filter=2)
    window = maps[2:, :2, 2]
    row, column = divmod(int(window.argmax()), 2)
    assert frame(plot.axes[1]) == (column, row, 1, 1)
    assert plot.images[2].get_array()[1, 0] == pytest.approx(window.max())
    assert titles(plot) == [
        "input channel 2 of 3 4×4",
        "window 2×2",
        "output map 2 of 3 2×2, stride 2",
    ]
    assert last_line(plot).startswith("largest of 4 values: ")


def test_plot_convolution_says_what_an_average_pooling_counts(plot_convolution):
    maps = np.arange(25.0).reshape(5, 5)
    layer = layers.AveragePooling2D(3, strides=2, padding="same", name="p")
    plot = plot_convolution(one_layer(layer), "p", maps, position=(0, 0))
    assert last_line(plot) == "mean of 4 values, padding left out: (0 + 1 + 5 + 6) / 4 = 3"
    plot = plot_convolution(one_layer(layer), "p", maps, position=(1, 1))
    middle = "(6 + 7 + 8 + 11 + 12 + 13 + 16 + 17 + 18) / 9 = 12"
    assert last_line(plot) == f"mean of 9 values: {middle}"
    layer = layers.AveragePooling2D(3, padding="same", name="p")
    plot = plot_convolution(one_layer(layer), "p", maps, position=(1, 1))
    corner = plot.axes[1].texts[8].get_text()
    if keras.backend.backend() == "torch":
        values = "(18 + 19 + 19 + 23 + 24 + 24 + 23 + 24 + 24) / 9 = 22"
        assert last_line(plot) == f"mean of 9 values, padding repeats the edge: {values}"
        assert corner == "24"
    else:
        text = "mean of 4 values, padding left out: (18 + 19 + 23 + 24) / 4 = 21"
        assert last_line(plot) == text
        assert corner == ""


def test_plot_convolution_says_that_an_activation_takes_all_filters(plot_convolution):
    model = one_layer(
        layers.Conv2D(2, 1, activation="softmax", name="s"),
        (3, 3, 1),
        np.array([[[[0.0, 1.0]]]]),
        np.zeros(2),
    )
    image = np.full((3, 3), np.log(3))
    plot = plot_convolution(model, "s", image, position=(0, 0), filter=1)
    assert (
        last_line(plot) == "1.099 + 0 (bias) = 1.099, softmax together with the other sums → 0.750"
    )
    assert plot.images[-1].get_array()[0, 0] == pytest.approx(0.75)


def test_plot_convolution_draws_all_of_a_large_image_beside_the_window(plot_convolution, rng):
    model = one_layer(
        layers.Conv2D(2, 3, strides=2, padding="same", name="c"),
        (224, 224, 1),
        rng.normal(size=(3, 3, 1, 2)),
        np.zeros(2),
    )
    image = rng.uniform(size=(224, 224))
    plot = plot_convolution(model, "c", image, position=(50, 60))
    assert plot.images[0].get_array().shape == (225, 225)
    assert len(plot.axes[1].texts) == 9
    np.testing.assert_allclose(plot.images[1].get_array(), image[100:103, 120:123], rtol=1e-6)
    assert plot.colorbars[0] is plot.colorbars[1] is not None


def test_plot_convolution_reads_the_input_of_a_layer_in_a_nested_model(plot_convolution, rng):
    encoder = keras.Sequential(
        [keras.Input((6, 6, 2)), layers.Conv2D(2, 3, name="c"), layers.ReLU(name="r")], name="e"
    )
    inputs = keras.Input((6, 6, 2))
    model = keras.Model(inputs, layers.Subtract()([encoder(inputs), encoder(-inputs)]))
    image = rng.normal(size=(6, 6, 2)).astype("float32")
    plot = plot_convolution(model, "e:1/c", image, position=(0, 0), filter=1)
    np.testing.assert_allclose(plot.images[0].get_array(), -image[..., 0])
    expected = keras.ops.convert_to_numpy(encoder.layers[0](-image[np.newaxis]))[0, ..., 1]
    np.testing.assert_allclose(plot.images[-1].get_array(), expected, rtol=1e-4, atol=1e-5)
    assert plot.figure.get_suptitle().startswith("e:1/c: row 0, column 0")


def test_plot_convolution_takes_inputs_of_any_size(plot_convolution):
    model = keras.Sequential([keras.Input((None, None, 1)), layers.Conv2D(1, 3, name="c")])
    plot = plot_convolution(model, "c", np.ones((1, 8, 9, 1)), position=(-1, -1))
    assert frame(plot.axes[-1]) == (6, 5, 1, 1)
    with pytest.raises(ValueError, match="6 rows and 7 columns"):
        kerasviz.plot_convolution(model, "c", np.ones((1, 8, 9, 1)), position=(6, 0))


@pytest.mark.filterwarnings(KERAS_ON_TORCH)
def test_plot_convolution_warns_once_of_values_that_are_not_finite(rng):
    model = one_layer(layers.MaxPooling2D(2, name="p"), (4, 4, 1))
    image = rng.normal(size=(4, 4))
    image[0, 0] = np.inf
    with pytest.warns(UserWarning, match="2 of the values drawn are NaN or infinite") as caught:
        plot = kerasviz.plot_convolution(model, "p", image, position=(0, 0))
    plt.close(plot.figure)
    (warning,) = [warning for warning in caught if warning.category is UserWarning]
    assert warning.filename == __file__


def test_plot_convolution_writes_the_callers_title_or_none(plot_convolution, grey_model, images):
    for title, expected in [("mine", "mine"), (False, ""), (None, "")]:
        plot = plot_convolution(grey_model, 0, images, position=(0, 0), title=title)
        assert plot.figure.get_suptitle() == expected


def test_plot_convolution_draws_maps_in_the_callers_colormap(plot_convolution, grey_model, images):
    plot = plot_convolution(grey_model, 0, images, position=(0, 0), cmap="gray")
    names = [image.get_cmap().name for image in plot.images]
    assert names == ["gray", "gray", "RdBu_r", "RdBu_r", "gray"]


def test_plot_convolution_draws_into_the_callers_figures(plot_convolution, grey_model, images):
    figure = Figure(figsize=(10, 8), layout="constrained")
    upper, lower = figure.subfigures(2, 1)
    for part, position in ((upper, (0, 0)), (lower, (3, 3))):
        plot = plot_convolution(grey_model, "first", images, position=position, figure=part)
        assert plot.figure is part
        assert {panel.ax.get_figure(root=False) for panel in plot.panels} == {part}
        assert len({panel.colorbar for panel in plot.panels} - {None}) == 2
    figure.canvas.draw()
    assert len(upper.axes) == len(lower.axes) == 5
    assert not plt.get_fignums()


def test_plot_convolution_leaves_the_model_as_it_was(plot_convolution, grey_model, images):
    before = grey_model.get_weights()
    config = grey_model.to_json()
    before_call = images.copy()
    plot_convolution(grey_model, "second", images, position=(0, 0))
    assert grey_model.to_json() == config
    for old, new in zip(before, grey_model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    np.testing.assert_array_equal(images, before_call)


MISTAKES = [
    ({"layer": "flat"}, ValueError, "AveragePooling2D. Received: 'flat', a Flatten"),
    ({"layer": None}, ValueError, "`layer` must name one layer. Received: 'first', 'second'"),
    ({"layer": "secnd"}, ValueError, "Did you mean 'second'?"),
    ({"filter": 4}, ValueError, "`filter` must be between -4 and 3, since 'first' has 4"),
    ({"filter": 1.0}, TypeError, "`filter` must be an int. Received: filter=1.0"),
    ({"filter": [0]}, TypeError, "`filter` must be an int. Received: filter=[0]"),
    ({"sample": 2}, ValueError, "`sample` must be between -2 and 1, since `inputs` has 2"),
    ({"sample": True}, TypeError, "`sample` must be an int. Received: sample=True"),
    ({"channel": 1}, ValueError, "`channel` must be between -1 and 0, since the input of 'first'"),
    ({"channel": "all"}, TypeError, "`channel` must be an int, a slice or a list of ints"),
    ({"cmap": "virids"}, ValueError, "Did you mean 'viridis'"),
    ({"inputs": np.zeros((2, 9, 12, 1))}, ValueError, "`inputs` must have the shape"),
    ({"titel": "x"}, TypeError, "Unexpected keyword argument `titel`. Did you mean 'title'"),
    ({"chanel": 0}, TypeError, "Did you mean 'channel'"),
    (
        {"ax": Figure().add_subplot()},
        ValueError,
        "cannot be drawn into one `ax`; pass `figure` instead",
    ),
    ({"model": "model.keras"}, TypeError, "`model` must be a Keras model."),
]
POSITIONS = [
    (5, TypeError, "`position` must be two ints, row and column in the output. Received: posi"),
    ((1, 2, 3), TypeError, "Received: position=(1, 2, 3)"),
    ((1.0, 2), TypeError, "Received: position=(1.0, 2)"),
    ((True, 2), TypeError, "Received: position=(True, 2)"),
    ((10, 0), ValueError, "`position` must be in the output of 'first', which has 10 rows and 11 "),
    ((0, -12), ValueError, "Received: position=(0, -12)"),
]


@pytest.fixture
def never_runs(monkeypatch):
    monkeypatch.setattr(RUN, mock.Mock(side_effect=AssertionError("the model ran")))


@pytest.mark.usefixtures("never_runs")
@pytest.mark.parametrize(("change", "error", "message"), MISTAKES)
def test_plot_and_animate_convolution_refuse_a_mistake_before_the_model_runs(
    grey_model, images, change, error, message
):
    arguments = {"model": grey_model, "layer": "first", "inputs": images, **change}
    with pytest.raises(error, match=re.escape(message)):
        kerasviz.plot_convolution(**arguments, position=(0, 0))
    with pytest.raises(error, match=re.escape(message)):
        kerasviz.animate_convolution(**arguments)


@pytest.mark.usefixtures("never_runs")
@pytest.mark.parametrize(("position", "error", "message"), POSITIONS)
def test_plot_convolution_refuses_what_is_not_a_position(
    grey_model, images, position, error, message
):
    with pytest.raises(error, match=re.escape(message)):
        kerasviz.plot_convolution(grey_model, "first", images, position=position)


@pytest.mark.usefixtures("never_runs")
@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"positions": []}, ValueError, "`positions` must hold at least one position."),
        ({"positions": 3}, TypeError, "`positions` must be a list of rows and columns."),
        ({"positions": (3, 4)}, TypeError, "`positions` must each be two ints, row and column"),
        ({"positions": [(0, 0), (10, 0)]}, ValueError, "Received: positions=(10, 0)"),
        ({"interval": 0}, ValueError, "must be a finite number above 0. Received: interval=0"),
        ({"interval": True}, TypeError, "`interval` must be a number. Received: interval=True"),
        (
            {"interval": math.inf},
            ValueError,
            "must be a finite number above 0. Received: interval=inf",
        ),
        ({"interval": "slow"}, TypeError, "`interval` must be a number. Received: interval='slow'"),
    ],
)
def test_animate_convolution_refuses_bad_positions_and_intervals(
    grey_model, images, change, error, message
):
    with pytest.raises(error, match=re.escape(message)):
        kerasviz.animate_convolution(grey_model, "first", images, **change)


def test_plot_convolution_refuses_a_channel_of_another_group():
    model = keras.Sequential([keras.Input((4, 4, 4)), layers.Conv2D(2, 3, groups=2, name="g")])
    message = "`channel` must be in 2 to 3, which filter 1 of 'g' sees. Received: channel=[0, 2]"
    with pytest.raises(ValueError, match=re.escape(message)):
        kerasviz.plot_convolution(
            model, "g", np.ones((4, 4, 4)), position=(0, 0), filter=1, channel=[0, 2]
        )


def test_plot_convolution_refuses_a_layer_within_time_steps():
    inputs = keras.Input((3, 5, 5, 1))
    steps = layers.TimeDistributed(layers.Conv2D(1, 3, name="c"), name="td")(inputs)
    message = "an output of shape (samples, height, width, channels). Received: 'td/c', whose"
    with pytest.raises(ValueError, match=re.escape(message)):
        kerasviz.plot_convolution(
            keras.Model(inputs, steps), "td/c", np.zeros((3, 5, 5, 1)), position=(0, 0)
        )


def test_plot_convolution_leaves_nothing_open_where_drawing_fails(grey_model, images, monkeypatch):
    monkeypatch.setattr(
        "matplotlib.figure.Figure.suptitle", mock.Mock(side_effect=RuntimeError("no"))
    )
    with pytest.raises(RuntimeError, match="no"):
        kerasviz.plot_convolution(grey_model, "first", images, position=(0, 0))
    assert not plt.get_fignums()


@pytest.fixture
def edges():
    """A layer with an output of 3×4, its image, in which no two windows are alike, and output."""
    kernel = np.array([[1.0, -1.0], [2.0, 0.5]]).reshape(2, 2, 1, 1)
    model = one_layer(layers.Conv2D(1, 2, name="c"), (4, 5, 1), kernel, np.ones(1))
    image = np.random.default_rng(4).normal(size=(4, 5))
    return model, image, correlate2d(image, kernel[..., 0, 0], "valid") + 1


def test_animate_convolution_moves_in_reading_order_and_fills_the_output(edges, passes):
    model, image, expected = edges
    animation = kerasviz.animate_convolution(model, "c", image)
    assert isinstance(animation, FuncAnimation)
    assert passes.call_count == 1
    shown, window, _, products, output = animation.plot.images
    limits = [image.get_clim() for image in animation.plot.images]
    for frame_index in range(12):
        animation._draw_frame(frame_index)
        row, column = divmod(frame_index, 4)
        assert frame(animation.plot.axes[0]) == (column, row, 2, 2)
        written = ~np.ma.getmaskarray(output.get_array()).ravel()
        assert written.tolist() == [index <= frame_index for index in range(12)]
        total = float(products.get_array().sum()) + 1
        assert output.get_array()[row, column] == pytest.approx(total, rel=1e-4)
        assert products.get_array().max() <= products.get_clim()[1] + 1e-9
    np.testing.assert_allclose(output.get_array(), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(window.get_array(), image[2:, 3:], rtol=1e-6)
    assert limits == [image.get_clim() for image in animation.plot.images]
    assert animation.plot.figure.get_suptitle() == "c: step by step"
    assert shown.get_array().shape == (4, 5)


@pytest.mark.slow
def test_animate_convolution_saves_a_gif_with_one_frame_per_step(edges, tmp_path):
    animation = kerasviz.animate_convolution(edges[0], "c", edges[1], interval=80)
    animation.save(tmp_path / "steps.gif", dpi=40)
    with Image.open(tmp_path / "steps.gif") as gif:
        assert gif.n_frames == 12
        assert gif.info["duration"] == 80
        frames = []
        for number in range(12):
            gif.seek(number)
            frames.append(np.array(gif.convert("L"), float))
    for before, after in itertools.pairwise(frames):
        assert np.abs(before - after).max() > 50
    assert not plt.get_fignums()


@pytest.mark.slow
def test_animate_convolution_saves_what_each_frame_shows(edges, tmp_path):
    animation = kerasviz.animate_convolution(edges[0], "c", edges[1])
    animation.save(tmp_path / "steps.gif", dpi=50)
    with Image.open(tmp_path / "steps.gif") as gif:
        for index in (0, 5, 11):
            gif.seek(index)
            animation._draw_frame(index)
            stream = io.BytesIO()
            animation.plot.figure.savefig(stream, format="png", dpi=50)
            expected = np.asarray(Image.open(stream).convert("RGB"), float)
            # A GIF has 256 colours.
            assert np.abs(np.asarray(gif.convert("RGB")) - expected).mean() < 2


def test_animate_convolution_saves_frames_that_are_alike_as_one(edges, tmp_path):
    steps = [(0, 0), (0, 0), (1, 1)]
    animation = kerasviz.animate_convolution(edges[0], "c", edges[1], positions=steps, interval=80)
    animation.save(tmp_path / "steps.gif", dpi=40)
    with Image.open(tmp_path / "steps.gif") as gif:
        assert gif.n_frames == 2
        assert gif.info["duration"] == 160
        gif.seek(1)
        assert gif.info["duration"] == 80


def test_animate_convolution_writes_a_gif_frame_by_frame(edges, tmp_path):
    animation = kerasviz.animate_convolution(edges[0], "c", edges[1])
    sizes = []

    def look(*_):
        (path,) = tmp_path.iterdir()
        sizes.append(path.stat().st_size)

    animation.save(tmp_path / "steps.gif", dpi=150, progress_callback=look)
    assert sizes == sorted(sizes)
    assert sizes[3] > 0
    assert sizes[-1] > (tmp_path / "steps.gif").stat().st_size / 2


def test_animate_convolution_that_fails_leaves_what_was_there(edges, tmp_path):
    path = tmp_path / "steps.gif"
    path.write_bytes(b"old")
    animation = kerasviz.animate_convolution(edges[0], "c", edges[1])

    def stop(frame, _):
        if frame == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        animation.save(path, dpi=40, progress_callback=stop)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_animate_convolution_is_a_player_in_a_notebook_and_no_still(edges):
    with matplotlib.rc_context({"animation.html": "none", "animation.embed_limit": 0.001}):
        animation = kerasviz.animate_convolution(
            edges[0], "c", edges[1], positions=[(0, 0), (1, 1)]
        )
        html = animation._repr_html_()
    assert html.count("data:image/png;base64") == 2
    assert "<script" in html
    assert "http" not in html, "a notebook may be offline"
    assert "<i " not in html
    assert len(re.findall(r"<button[^>]*>[^<]+</button>", html)) == 9
    assert animation._repr_html_() is html, "it is drawn once"
    other = kerasviz.animate_convolution(edges[0], "c", edges[1], positions=[(0, 0)], interval=30)
    (identifier,) = set(re.findall(r"kerasviz-player-\w+", html))
    assert identifier not in other._repr_html_(), "a page may hold several players"
    assert "interval = 30.0," in other._repr_html_()
    assert "keydown" in html
    assert "prefers-reduced-motion" in html
    assert not plt.get_fignums()


def player_data(animation):
    """Return the data that the script of a player reads."""
    (text,) = re.findall(r"open\((\{.*\})\);", animation._repr_html_())
    return json.loads(text)


def decode(values):
    """Return the numbers that a player reads: 4 bytes each, or the index in a table."""
    raw = base64.b64decode(values["data"])
    if values["table"] is None:
        return np.frombuffer(raw, "<f4")
    codes = np.frombuffer(raw, "u1" if values["bytes"] == 1 else "<u2")
    return np.frombuffer(base64.b64decode(values["table"]), "<f4")[codes]


def test_animate_convolution_gives_the_player_what_each_frame_shows(edges):
    model, image, _ = edges
    animation = kerasviz.animate_convolution(model, "c", image)
    data = player_data(animation)
    windows = decode(data["windows"]).reshape(12, 2, 2)
    kernel = decode(data["kernel"]).reshape(2, 2)
    frames = np.repeat(*np.transpose(data["runs"])).reshape(3, 4)
    for index, step in enumerate(data["steps"]):
        animation._draw_frame(index)
        plot = animation.plot
        left, top, _, _ = frame(plot.axes[0])
        column, row, _, _ = frame(plot.axes[-1])
        assert step["place"] == [row, column, top, left]
        np.testing.assert_array_equal(windows[index], plot.images[1].get_array())
        np.testing.assert_allclose(windows[index] * kernel, plot.images[3].get_array(), rtol=1e-6)
        written = ~np.ma.getmaskarray(plot.images[-1].get_array())
        np.testing.assert_array_equal(frames <= index, written)
        assert step["captions"] == [plot.axes[3].get_xlabel()]
        assert " ".join(step["formula"].split()) == last_line(plot)
    assert data["titles"]["kernel"] == plot.axes[2].get_title()
    assert (data["scales"]["output"]["low"], data["scales"]["output"]["high"]) == (
        plot.images[-1].get_clim()
    )


def test_animate_convolution_puts_two_pictures_into_the_player(edges):
    model, image, expected = edges
    data = player_data(kerasviz.animate_convolution(model, "c", image, cmap="gray"))
    for source, values in ((data["rows"][0]["input"], image), (data["output"], expected)):
        picture = Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2])))
        limits = values.min(), values.max()
        if values.min() < 0:
            limits = -np.abs(values).max(), np.abs(values).max()
        levels = (values - limits[0]) / (limits[1] - limits[0])
        np.testing.assert_allclose(np.asarray(picture.convert("L")) / 255, levels, atol=0.01)


@pytest.mark.slow
def test_animate_convolution_keeps_the_player_small(rng):
    layer = layers.Conv2D(1, 7, 2, "same", name="c")
    image = rng.normal(size=(224, 224, 3))
    html = kerasviz.animate_convolution(one_layer(layer, (224, 224, 3)), "c", image)._repr_html_()
    assert len(html.encode()) < 300_000


def test_animate_convolution_puts_names_into_the_player_as_text(edges):
    title = "</script><b>$x$"
    html = kerasviz.animate_convolution(edges[0], "c", edges[1], title=title)._repr_html_()
    assert html.count("</script>") == 1
    assert "<b>" not in html


@pytest.mark.few(1)
@pytest.mark.parametrize("name", ["steps.gif", "steps.mp4"])
def test_animate_convolution_shows_how_far_a_file_is(edges, tmp_path, capsys, name):
    if name.endswith("mp4") and not writers.is_available("ffmpeg"):
        pytest.skip("ffmpeg is not installed")
    animation = kerasviz.animate_convolution(edges[0], "c", edges[1], positions=[(0, 0), (1, 1)])
    calls = []
    animation.save(
        tmp_path / name, dpi=40, verbose=1, progress_callback=lambda *call: calls.append(call)
    )
    assert "2/2" in capsys.readouterr().out
    assert calls == [(0, 2), (1, 2)]
    animation.save(tmp_path / name, dpi=40)
    assert not capsys.readouterr().out
    with pytest.raises(ValueError, match=r"`verbose` must be 0 or 1\."):
        animation.save(tmp_path / name, verbose=2)


@pytest.mark.skipif(not writers.is_available("ffmpeg"), reason="ffmpeg is not installed")
def test_animate_convolution_saves_a_video(edges, tmp_path):
    steps = [(0, 0), (1, 1), (2, 2)]
    animation = kerasviz.animate_convolution(edges[0], "c", edges[1], positions=steps)
    animation.save(tmp_path / "steps.mp4", dpi=40)
    assert b"ftyp" in (tmp_path / "steps.mp4").read_bytes()[:16]


def test_animate_convolution_refuses_a_video_without_ffmpeg(edges, tmp_path, monkeypatch):
    monkeypatch.setattr(writers, "is_available", lambda name: name != "ffmpeg")
    animation = kerasviz.animate_convolution(edges[0], "c", edges[1])
    with pytest.raises(RuntimeError, match="ffmpeg, which is not installed"):
        animation.save(tmp_path / "steps.mp4")
    assert not list(tmp_path.iterdir())


def test_animate_convolution_shows_only_the_positions_of_the_caller(edges):
    animation = kerasviz.animate_convolution(
        edges[0], "c", edges[1], positions=np.array([(2, -1), (0, 1), (2, -1)])
    )
    written = []
    for frame_index in range(3):
        animation._draw_frame(frame_index)
        mask = np.ma.getmaskarray(animation.plot.images[-1].get_array())
        written.append(sorted(map(tuple, np.argwhere(~mask).tolist())))
    assert written == [[(2, 3)], [(0, 1), (2, 3)], [(0, 1), (2, 3)]]
    assert animation.plot.figure.get_suptitle() == "c: step by step\n2 of 12 steps"


def test_animate_convolution_shows_a_regular_part_of_many_steps_and_the_last(rng):
    model = one_layer(layers.Conv2D(1, 1, use_bias=False, name="c"), (20, 25, 1))
    animation = kerasviz.animate_convolution(model, "c", rng.uniform(size=(20, 25)))
    output = animation.plot.images[-1]
    visited, counts = [], []
    for index in animation.new_frame_seq():
        animation._draw_frame(index)
        column, row, *_ = frame(animation.plot.axes[-1])
        visited.append(25 * row + column)
        counts.append(output.get_array().count())
    assert visited == [*range(0, 500, 3), 499]
    assert counts == [index + 1 for index in visited]
    heading = "c: step by step\n1 in 3 of 500 steps, and the last"
    assert animation.plot.figure.get_suptitle() == heading


def test_animate_convolution_does_not_warn_where_nobody_sees_it(edges):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        kerasviz.animate_convolution(edges[0], "c", edges[1])
        gc.collect()
    assert not [warning for warning in caught if "Animation" in str(warning.message)]


def test_animate_convolution_warns_where_the_callers_figure_stands_still(edges):
    figure = plt.figure(figsize=(8, 3))
    animation = kerasviz.animate_convolution(edges[0], "c", edges[1], figure=figure)
    assert animation.plot.figure is figure
    assert plt.get_fignums()
    with pytest.warns(UserWarning, match="Animation was deleted without rendering anything"):
        animation.__del__()
    figure.canvas.draw()  # and so it has been rendered
    plt.close(figure)


class Complex(layers.MaxPooling2D):
    def call(self, inputs):
        return keras.ops.view_as_complex(keras.ops.stack([super().call(inputs)] * 2, -1))


@pytest.mark.skipif(
    not hasattr(keras.ops, "view_as_complex"), reason="this Keras makes no complex numbers"
)
def test_plot_convolution_refuses_complex_values():
    model = keras.Sequential([keras.Input((4, 4, 1)), Complex(name="c")])
    with pytest.raises(ValueError, match="Received: 'c', whose values are complex"):
        kerasviz.plot_convolution(model, "c", np.ones((4, 4)), position=(0, 0))
