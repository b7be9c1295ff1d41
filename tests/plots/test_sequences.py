"""Feature maps of sequences and vectors: lines over time, rows of colours, and bars with names."""

from __future__ import annotations

import itertools
import re

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest

import kerasviz
from legibility import assert_legible, opened, sample_cases
from marks import slow_after

KERAS_ON_TORCH = "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
"""Keras's own warning, ignored everywhere; `pytest.warns` sends it on without Keras's name."""
STEPS = 40
NAMES = tuple(f"class {index}" for index in range(12))


@pytest.fixture(scope="module")
def model():
    """Signal of 40 steps → 5 maps → 3 states → 12 probabilities."""
    layers = keras.layers
    rng = np.random.default_rng(3)
    model = keras.Sequential(
        [
            keras.Input((STEPS, 1)),
            layers.Conv1D(5, 5, name="conv"),
            layers.SimpleRNN(3, return_sequences=True, name="rnn"),
            layers.GlobalAveragePooling1D(name="mean"),
            layers.Dense(12, activation="softmax", name="classes"),
        ]
    )
    model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def signals():
    steps = np.arange(STEPS)
    waves = [np.sin(steps / 3), np.cos(steps / 5), np.sin(steps / 2) - 1]
    return np.stack(waves)[..., np.newaxis].astype("float32")


@pytest.fixture
def compute(model):
    """Return what Keras itself computes, `(samples, ...)`."""

    def run(layer, inputs):
        part = keras.Sequential(model.layers[: model.layers.index(model.get_layer(layer)) + 1])
        return keras.ops.convert_to_numpy(part(inputs))

    return run


def curves(ax):
    """Return the lines of more than two points, as they are in the Axes."""
    return [line for line in ax.lines if len(line.get_xdata()) > 2]


def dots(line):
    """Return where the points of a line are on the page, `(n, 2)`."""
    return line.get_transform().transform(line.get_xydata())


@pytest.mark.parametrize("layer", ["conv", "rnn"])
def test_plot_feature_maps_draws_one_curve_per_map_of_a_sequence(
    plot_feature_maps, model, signals, compute, layer
):
    expected = compute(layer, signals)[1].T
    plot = plot_feature_maps(model, layer, signals, sample=1)
    (panel,) = plot.panels
    np.testing.assert_allclose(panel.values, expected, rtol=1e-4, atol=1e-5)
    assert panel.indices.tolist() == list(range(len(expected)))
    assert panel.limits == pytest.approx((min(expected.min(), 0), max(expected.max(), 0)), rel=1e-4)
    assert panel.image is None
    signal, *maps = curves(panel.ax)
    np.testing.assert_allclose(signal.get_ydata(), signals[1, :, 0])
    for line, values in zip(maps, expected, strict=True):
        np.testing.assert_allclose(line.get_ydata(), values, rtol=1e-4, atol=1e-5)
    steps = expected.shape[1]
    title = f"{layer}: {len(expected)} feature maps, {steps} steps"
    assert panel.ax.get_title() == f"{title}\nsample 1 of 3"
    assert repr(plot) == f"Plot({title})"


def test_plot_feature_maps_draws_all_curves_on_one_scale_below_one_another(
    plot_feature_maps, model, signals
):
    ax = plot_feature_maps(model, "conv", signals).axes[0]
    places = [dots(line) for line in curves(ax)]
    starts = [place[:, 1].mean() for place in places]
    assert starts == sorted(starts, reverse=True)
    pixels = []
    for line, place in zip(curves(ax)[1:], places[1:], strict=True):
        pixels.append(np.ptp(place[:, 1]) / np.ptp(line.get_ydata()))
    np.testing.assert_allclose(pixels, pixels[0], rtol=1e-6)
    # Each step of a map stands for an equal part of the signal.
    signal, first = places[:2]
    middle = (signal[0, 0] + signal[-1, 0]) / 2
    assert (first[0, 0] + first[-1, 0]) / 2 == pytest.approx(middle)
    width = (signal[1, 0] - signal[0, 0]) * STEPS
    assert (first[1, 0] - first[0, 0]) * (STEPS - 4) == pytest.approx(width)


def test_plot_feature_maps_gives_each_curve_its_own_scale(plot_feature_maps, model, signals):
    plot = plot_feature_maps(model, "conv", signals, scale="tile")
    for line in curves(plot.axes[0])[1:]:
        assert np.abs(line.get_ydata()).max() == pytest.approx(1)
    assert "each tile on its own scale" in plot.panels[0].title


def test_plot_feature_maps_takes_limits_for_curves(plot_feature_maps, model, signals):
    plot = plot_feature_maps(model, "conv", signals, vmin=-2, vmax=5)
    assert plot.panels[0].limits == (-2, 5)
    texts = [text.get_text() for text in plot.axes[0].texts]
    assert "5" in texts
    assert "\N{MINUS SIGN}2" in texts


@pytest.mark.parametrize(("filters", "is_lines"), [(32, True), (33, False)])
def test_plot_feature_maps_draws_many_maps_as_rows(plot_feature_maps, signals, filters, is_lines):
    model = keras.Sequential([keras.Input((STEPS, 1)), keras.layers.Conv1D(filters, 3, name="c")])
    plot = plot_feature_maps(model, "c", signals[:1])
    assert (plot.panels[0].image is None) == is_lines
    lines = plot_feature_maps(model, "c", signals[:1], kind="lines")
    assert lines.panels[0].values.shape == (filters, STEPS - 2)


def test_plot_feature_maps_draws_a_table_of_curves(plot_feature_maps, model, signals, compute):
    plot = plot_feature_maps(model, "rnn", signals, sample="all", kind="lines")
    expected = np.moveaxis(compute("rnn", signals), -1, 0)
    np.testing.assert_allclose(plot.panels[0].values, expected, rtol=1e-4, atol=1e-5)
    lines = curves(plot.axes[0])
    assert len(lines) == 3 + 3 * 3
    np.testing.assert_allclose(lines[2].get_ydata(), signals[2, :, 0])
    np.testing.assert_allclose(lines[3 + 4].get_ydata(), expected[1, 1], rtol=1e-4, atol=1e-5)
    texts = [text.get_text() for text in plot.axes[0].texts]
    assert {"input", "map 0", "map 2"} <= set(texts)
    # A name is elided in the middle where its font is too wide.
    assert [text[-1] for text in texts if text.startswith("sam")] == ["0", "1", "2"]


def test_plot_feature_maps_draws_curves_over_the_signal(plot_feature_maps, model, signals):
    plot = plot_feature_maps(model, "conv", signals, sample=2, overlay=True, tiles=[3, 1])
    behind, maps = curves(plot.axes[0])[:2], curves(plot.axes[0])[2:]
    for line in behind:
        np.testing.assert_allclose(line.get_ydata(), signals[2, :, 0])
    assert plot.panels[0].indices.tolist() == [3, 1]
    for below, line in zip(behind, maps, strict=True):
        assert below.get_clip_box() is not None
        assert abs(dots(below)[:, 0].mean() - dots(line)[:, 0].mean()) < 1e-6
    assert "over the signal" in plot.panels[0].title


def test_plot_feature_maps_draws_colors_under_the_signal(
    plot_feature_maps, model, signals, compute
):
    photo = 2 * signals[0]
    plot = plot_feature_maps(model, "conv", signals, overlay=photo, kind="rows")
    (panel,) = plot.panels
    expected = compute("conv", signals)[0].T
    shown = panel.image.get_array()[::-1].compressed().reshape(expected.shape)
    np.testing.assert_allclose(shown, expected, rtol=1e-4, atol=1e-5)
    assert panel.limits == panel.image.get_clim()
    assert panel.colorbar is not None
    for line in curves(panel.ax):
        np.testing.assert_allclose(line.get_ydata(), photo[:, 0])


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        (np.ones((1, STEPS, 7)), "at most 6 channels"),
        (np.ones((2, STEPS, 1)), "Received: 2 for 1 drawn"),
        (np.ones((1, 2, 3, 1)), "A signal must have the shape (steps,)"),
    ],
    ids=str,
)
def test_plot_feature_maps_refuses_what_is_no_signal(model, signals, overlay, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        kerasviz.plot_feature_maps(model, "conv", signals, overlay=overlay)
    assert not plt.get_fignums()


@pytest.mark.parametrize("shape", [(STEPS,), (STEPS, 1), (3, STEPS)], ids=str)
def test_plot_feature_maps_takes_a_signal_without_some_of_its_axes(
    plot_feature_maps, model, signals, shape
):
    given = np.random.default_rng(4).normal(size=shape)
    plot = plot_feature_maps(model, "conv", signals, sample=2, overlay=given)
    expected = given[2] if shape == (3, STEPS) else given.reshape(STEPS)
    over = [line.get_ydata() for line in curves(plot.axes[0])]
    assert any(len(y) == STEPS and np.allclose(y, expected) for y in over)


@pytest.fixture(scope="module")
def two_signals():
    """A model of two signals, which are added, and these."""
    inputs = [keras.Input((STEPS, 1), name=name) for name in ("heart", "breath")]
    summed = keras.layers.Add(name="sum")(inputs)
    model = keras.Model(inputs, keras.layers.Conv1D(3, 3, name="conv")(summed))
    rng = np.random.default_rng(5)
    return model, [rng.normal(size=(2, STEPS, 1)).astype("float32") for _ in inputs]


def test_plot_feature_maps_draws_the_signal_that_is_named(plot_feature_maps, two_signals):
    model, arrays = two_signals
    plot = plot_feature_maps(model, "conv", arrays, sample=1, overlay=True, picture="breath")
    shown = [line.get_ydata() for line in curves(plot.axes[0])]
    signals = [y for y in shown if len(y) == STEPS]  # a map has two steps less
    assert signals
    assert all(np.allclose(y, arrays[1][1, :, 0]) for y in signals)


def test_plot_feature_maps_of_two_signals_asks_which_one(plot_feature_maps, two_signals):
    model, arrays = two_signals
    with pytest.raises(ValueError, match="`overlay` can be True where one input is a signal"):
        kerasviz.plot_feature_maps(model, "conv", arrays, overlay=True)
    plot = plot_feature_maps(model, "conv", arrays)
    assert len(curves(plot.axes[0])) == 3  # the maps, and neither signal


def test_plot_feature_maps_needs_a_signal_to_draw_over():
    model = keras.Sequential([keras.Input((9,)), keras.layers.Embedding(5, 4, name="e")])
    tokens = np.arange(9)[np.newaxis] % 5
    with pytest.raises(ValueError, match="`overlay` can be True where one input is a signal"):
        kerasviz.plot_feature_maps(model, "e", tokens, overlay=True)


def test_plot_feature_maps_draws_no_curve_of_tokens(plot_feature_maps):
    model = keras.Sequential([keras.Input((9,)), keras.layers.Embedding(5, 4, name="e")])
    tokens = np.arange(9)[np.newaxis] % 5
    plot = plot_feature_maps(model, "e", tokens)
    assert len(curves(plot.axes[0])) == 4
    assert "input" not in [text.get_text() for text in plot.axes[0].texts]


@pytest.mark.filterwarnings(KERAS_ON_TORCH)
def test_plot_feature_maps_marks_curves_that_show_nothing(plot_feature_maps, signals):
    conv = keras.layers.Conv1D(2, 3, name="c", use_bias=False)
    model = keras.Sequential([keras.Input((STEPS, 1)), conv])
    kernel = np.ones((3, 1, 2), "float32")
    kernel[..., 1] = 0
    conv.set_weights([kernel])
    plot = plot_feature_maps(model, "c", signals[:1])
    assert plot.panels[0].title.endswith("1 constant here (×)")
    crosses = [line for line in plot.axes[0].lines if line.get_marker() == "x"]
    assert len(crosses) == 1
    with pytest.warns(UserWarning, match="shown in magenta"):
        bad = plot_feature_maps(model, "c", np.where(signals[:1] > 0.99, np.nan, signals[:1]))
    colors = [line.get_colors()[0].tolist() for line in bad.axes[0].collections]
    assert [1.0, 0.0, 1.0, 1.0] in colors


# Vectors


def test_plot_feature_maps_draws_the_ten_largest_values_of_a_vector(
    plot_feature_maps, model, signals, compute
):
    expected = compute("classes", signals)[0]
    plot = plot_feature_maps(model, "classes", signals, class_names=NAMES)
    (panel,) = plot.panels
    order = np.argsort(-expected)[:10]
    assert panel.indices.tolist() == order.tolist()
    np.testing.assert_allclose(panel.values, expected[order], rtol=1e-4)
    widths = [bar.get_width() for bar in panel.ax.patches]
    np.testing.assert_allclose(widths, expected[order], rtol=1e-4)
    texts = [text.get_text() for text in panel.ax.texts]
    assert texts[::2] == [NAMES[index] for index in order]
    assert texts[1::2] == [f"{value:.3f}" if value >= 0.001 else "<0.001" for value in panel.values]
    assert panel.limits == (0, 1)
    assert panel.ax.get_title() == "classes: 10 largest of 12 values\nsample 0 of 3"
    (tops,) = {bar.get_y() < panel.ax.patches[-1].get_y() for bar in panel.ax.patches[:-1]}
    assert tops


def test_plot_feature_maps_draws_the_bars_that_are_chosen(
    plot_feature_maps, model, signals, compute
):
    expected = compute("mean", signals)[2]
    plot = plot_feature_maps(model, "mean", signals, sample=2, tiles=[2, 0])
    assert plot.panels[0].indices.tolist() == [2, 0]
    np.testing.assert_allclose(plot.panels[0].values, expected[[2, 0]], rtol=1e-4)
    strongest = plot_feature_maps(model, "mean", signals, sample=2, sort="norm", top=1)
    assert strongest.panels[0].indices.tolist() == [int(np.abs(expected).argmax())]
    largest = plot_feature_maps(model, "mean", signals, sample=2, top=1)
    assert largest.panels[0].indices.tolist() == [int(expected.argmax())]


def test_plot_feature_maps_leaves_names_to_layers_with_as_many_values(
    plot_feature_maps, model, signals
):
    plot = plot_feature_maps(model, ["mean", "classes"], signals, class_names=NAMES)
    mean, classes = ([text.get_text() for text in ax.texts][::2] for ax in plot.axes)
    assert set(mean) == {"0", "1", "2"}
    assert set(classes) <= set(NAMES)


@pytest.mark.parametrize(
    ("layer", "options", "error", "message"),
    [
        ("classes", {"class_names": "names"}, TypeError, "`class_names` must be a list with one"),
        ("classes", {"class_names": 3}, TypeError, "Received: class_names=3"),
        (
            "classes",
            {"class_names": ["a", "b"]},
            ValueError,
            "`class_names` must have a name for each of the 12 values of 'classes'. Received: 2",
        ),
        ("conv", {"class_names": NAMES}, ValueError, "can only be used for a vector of values"),
        ("classes", {"kind": "lines"}, ValueError, "an output of shape (samples, steps, channels)"),
        ("conv", {"kind": "bars"}, ValueError, "for an output of shape (samples, values)"),
        ("conv", {"kind": "line"}, ValueError, "Did you mean 'lines'"),
        (
            "classes",
            {"kind": "bars", "sample": "all"},
            ValueError,
            "`kind` can be 'bars' for one sample",
        ),
    ],
    ids=str,
)
def test_plot_feature_maps_refuses_a_kind_or_names_that_do_not_fit(
    model, signals, layer, options, error, message
):
    with pytest.raises(error, match=re.escape(message)):
        kerasviz.plot_feature_maps(model, layer, signals, **options)
    assert not plt.get_fignums()


@pytest.mark.parametrize("layer", ["conv", "classes"])
def test_plot_feature_maps_draws_charts_into_any_place(plot_feature_maps, model, signals, layer):
    figure, ax = plt.subplots()
    plot = plot_feature_maps(model, layer, signals, ax=ax)
    assert plot.axes == (ax,)
    parts = plt.figure().subfigures(1, 2)
    both = plot_feature_maps(model, [layer, "rnn"], signals, figure=parts[1])
    assert len(both.axes) == 2
    assert {part.figure for part in both.axes} == {parts[1]}
    assert not parts[0].axes
    assert figure.axes == [ax]


@pytest.mark.few(1)
@pytest.mark.parametrize("kind", ["lines", "bars"])
def test_feature_map_snapshots_draw_charts(tmp_path, closing, model, signals, kind):
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    copy.compile("sgd", "mse")
    layer = "conv" if kind == "lines" else "classes"
    plots = []
    snapshots = kerasviz.FeatureMapSnapshots(
        signals,
        layer,
        directory=tmp_path,
        kind=kind,
        class_names=NAMES if kind == "bars" else None,
        on_plot=lambda *args: plots.append(args[2]),
    )
    copy.fit(signals, np.ones((3, 12)), epochs=2, verbose=0, callbacks=[snapshots])
    assert [plot.panels[0].values.shape for plot in plots] == [plots[0].panels[0].values.shape] * 2
    plot = closing(kerasviz.plot_snapshots)(tmp_path, layer)
    np.testing.assert_array_equal(plot.panels[-1].values, plots[-1].panels[0].values)
    assert plot.panels[0].limits == plot.panels[1].limits
    texts = {text.get_text() for text in plot.axes[0].texts}
    assert ("input" if kind == "lines" else "class") in " ".join(texts)


# Whether all of it can be read

CASES = [
    case
    for case in sample_cases(40, seed=2, places=("ax", "subfigure"))
    if not case.may_be_refused() and case.size[0] < 16  # which takes long to draw
]


@pytest.mark.few(2)
@pytest.mark.parametrize("case", CASES[:2], ids=str)
@pytest.mark.parametrize(
    "options", [{}, {"overlay": True, "kind": "rows"}, {"sample": "all", "kind": "lines"}], ids=str
)
def test_plot_feature_maps_draws_legible_curves(model, signals, case, options):
    with opened(
        lambda **place: kerasviz.plot_feature_maps(model, "conv", signals, **options, **place), case
    ) as plot:
        assert_legible(plot)


@pytest.mark.parametrize("case", slow_after(1, CASES[2:5]), ids=str)
def test_plot_feature_maps_draws_legible_bars(model, signals, case):
    def draw(**place):
        names = [f"a class, number {index}" for index in range(12)]
        return kerasviz.plot_feature_maps(model, "classes", signals, class_names=names, **place)

    with opened(draw, case) as plot:
        assert_legible(plot)


@pytest.mark.parametrize("height", [1.5, 1.8, 2.4])
def test_plot_feature_maps_names_as_many_bars_as_have_room(
    plot_feature_maps, model, signals, height
):
    plot = plot_feature_maps(model, "classes", signals, figsize=(5, height))
    plot.figure.draw_without_rendering()
    names = [text for text in plot.axes[0].texts if text.get_ha() == "right"]
    boxes = [text.get_window_extent() for text in names]
    assert len(names) >= 2
    assert all(above.y0 >= below.y1 - 2 for above, below in itertools.pairwise(boxes))
