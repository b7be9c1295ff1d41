"""Kernels of one dimension as stems and lines, in pictures, comparisons and snapshots."""

from __future__ import annotations

import re

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgb

import kerasviz
from legibility import assert_legible, opened, sample_cases

layers = keras.layers


@pytest.fixture(scope="module")
def model():
    """One input channel → 6 kernels of 7 steps → 3 kernels of 30 → 4 kernels of 5."""
    rng = np.random.default_rng(5)
    model = keras.Sequential(
        [
            keras.Input((60, 1)),
            layers.Conv1D(6, 7, name="short"),
            layers.Conv1D(3, 30, name="long"),
            layers.Conv1D(4, 5, name="three"),
        ]
    )
    model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])
    return model


@pytest.fixture
def draw(closing):
    return closing(kerasviz.plot_kernels)


def heads(ax):
    """Return the weights at the heads of the stems, one array per kernel."""
    collections = [item for item in ax.collections if isinstance(item, PathCollection)]
    return [np.asarray(item.get_offsets())[:, 1] for item in collections]


def test_plot_kernels_draws_a_stem_per_weight(draw, model):
    weights = model.get_layer("short").get_weights()[0][:, 0].T
    plot = draw(model, "short")
    (panel,) = plot.panels
    np.testing.assert_allclose(panel.values, weights, rtol=1e-6)
    np.testing.assert_allclose(heads(panel.ax), weights, rtol=1e-6)
    reach = np.abs(weights).max()
    assert panel.limits == pytest.approx((-reach, reach))
    assert panel.image is None
    assert panel.colorbar is None
    assert repr(plot) == "Plot(short: 6 kernels, 1×7)"


def test_plot_kernels_shows_the_signs_of_stems(draw, model):
    ax = draw(model, "short").axes[0]
    collections = [item for item in ax.collections if isinstance(item, PathCollection)]
    for item, values in zip(collections, heads(ax), strict=True):
        for color, value in zip(item.get_facecolors(), values, strict=True):
            red, _, blue = to_rgb(color)
            assert (red > blue) == (value >= 0)


def test_plot_kernels_orders_stems(draw, model):
    weights = model.get_layer("short").get_weights()[0][:, 0].T
    order = np.argsort(-np.linalg.norm(weights, axis=1))[:2]
    plot = draw(model, "short", top=2)
    assert plot.panels[0].indices.tolist() == order.tolist()
    np.testing.assert_allclose(heads(plot.axes[0]), weights[order], rtol=1e-6)
    names = [text.get_text() for text in plot.axes[0].texts]
    assert {str(index) for index in order} <= set(names)


def test_plot_kernels_writes_the_steps_below_the_last_kernel_of_each_column(draw, model):
    texts = draw(model, "short", columns=4).axes[0].texts
    zeros = [text for text in texts if text.get_text() == "0" and text.get_va() == "top"]
    heights = [text.get_position()[1] for text in zeros]
    assert heights[0] == pytest.approx(heights[1])
    assert heights[2] == pytest.approx(heights[3])
    assert heights[2] > heights[0] + 0.5, "six kernels: the last row has two"


def test_plot_kernels_draws_long_kernels_as_lines(draw, model):
    kernel = model.get_layer("long").get_weights()[0]
    plot = draw(model, "long", channel=2)
    lines = [line for line in plot.axes[0].lines if len(line.get_xdata()) == 30]
    for index, line in enumerate(lines):
        np.testing.assert_allclose(line.get_ydata(), kernel[:, 2, index], rtol=1e-6)
    assert len(lines) == 3
    assert not heads(plot.axes[0])
    assert draw(model, "short", kind="lines").panels[0].values.shape == (6, 7)
    assert not heads(draw(model, "short", kind="lines").axes[0])


def test_plot_kernels_draws_the_principal_pattern_of_many_channels(draw, model):
    kernel = model.get_layer("long").get_weights()[0]
    plot = draw(model, "long")
    for index, pattern in enumerate(plot.panels[0].values):
        left, strengths, _ = np.linalg.svd(kernel[:, :, index], full_matrices=False)
        agreement = abs(pattern @ left[:, 0]) / strengths[0]
        assert agreement == pytest.approx(1, rel=1e-4)


def test_plot_kernels_draws_few_channels_as_curves_in_one_strip(draw, model):
    kernel = model.get_layer("three").get_weights()[0]
    plot = draw(model, "three")
    np.testing.assert_allclose(plot.panels[0].values, np.transpose(kernel, (2, 1, 0)), rtol=1e-6)
    lines = [line for line in plot.axes[0].lines if len(line.get_xdata()) == 5]
    np.testing.assert_allclose(lines[5].get_ydata(), kernel[:, 2, 1], rtol=1e-6)
    assert len({line.get_color() for line in lines}) == 3
    assert "one curve per input channel" in plot.panels[0].title
    legend = plot.axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["0", "1", "2"]
    colors = [line.get_color() for line in legend.get_lines()]
    assert colors == [line.get_color() for line in lines[:3]]


def test_plot_kernels_draws_all_channels_as_a_table_of_stems(draw, model):
    kernel = model.get_layer("three").get_weights()[0]
    plot = draw(model, "three", channel="all")
    np.testing.assert_allclose(plot.panels[0].values, np.transpose(kernel, (2, 1, 0)), rtol=1e-6)
    names = [text.get_text() for text in plot.axes[0].texts]
    assert {"channel 0", "channel 2", "filter 3"} <= set(names)


def test_plot_kernels_draws_rows_of_colors_where_it_is_told(draw, read_tiles, model):
    weights = model.get_layer("short").get_weights()[0][:, 0].T
    plot = draw(model, "short", kind="rows")
    np.testing.assert_allclose(read_tiles(plot.images[0], 1, 7)[:, 0], weights, rtol=1e-6)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.DepthwiseConv1D(3), (9, 4)),
        (layers.SeparableConv1D(2, 3), (9, 4)),
        (layers.Conv1DTranspose(4, 3), (9, 1)),
        (layers.ConvLSTM1D(2, 3), (5, 9, 1)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_plot_kernels_draws_stems_of_every_layer_of_one_dimension(draw, layer, shape):
    model = keras.Sequential([keras.Input(shape), layer])
    kernel = kerasviz.get_kernels(model, 0)
    plot = draw(model, 0, tiles="all")
    np.testing.assert_allclose(
        np.sort(np.concatenate(heads(plot.axes[0]))), np.sort(kernel.ravel())
    )


def test_plot_kernels_leaves_rows_of_pictures_as_they_are(draw):
    model = keras.Sequential([keras.Input((1, 9, 1)), layers.Conv2D(4, (1, 3))])
    assert draw(model, 0).panels[0].image is not None


def test_plot_kernels_marks_a_kernel_of_zeros(draw):
    layer = layers.Conv1D(2, 3, use_bias=False)
    model = keras.Sequential([keras.Input((9, 1)), layer])
    layer.set_weights([np.stack([np.zeros((3, 1)), np.ones((3, 1))], axis=-1)])
    plot = draw(model, 0)
    assert plot.panels[0].title.endswith("1 zero (×)")
    assert len(heads(plot.axes[0])) == 1
    assert [line for line in plot.axes[0].lines if line.get_marker() == "x"]


def test_compare_kernels_draws_stems_on_one_scale(closing, model):
    other = keras.models.clone_model(model)
    other.set_weights([2 * weight for weight in model.get_weights()])
    plot = closing(kerasviz.compare_kernels)({"one": model, "two": other}, "short")
    one, two, difference = plot.panels
    weights = model.get_layer("short").get_weights()[0][:, 0].T
    np.testing.assert_allclose(heads(two.ax), 2 * weights, rtol=1e-6)
    np.testing.assert_allclose(heads(difference.ax), weights, rtol=1e-6)
    assert one.limits == two.limits == pytest.approx(np.array([-2, 2]) * np.abs(weights).max())
    rows = closing(kerasviz.compare_kernels)({"one": model, "two": other}, "short", kind="rows")
    assert rows.panels[0].image is not None


@pytest.mark.parametrize(
    ("kind", "layer", "message"),
    [
        ("stem", "short", "`kind` must be one of 'stems', 'lines', 'rows' or None."),
        ("stems", "flat", "`kind` can be 'stems' for kernels of one dimension"),
    ],
)
def test_plot_kernels_refuses_a_kind_that_does_not_fit(kind, layer, message):
    model = keras.Sequential(
        [
            keras.Input((9, 9, 1)),
            layers.Conv2D(2, 3, name="flat"),
            layers.Reshape((49, 2)),
            layers.Conv1D(2, 3, name="short"),
        ]
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        kerasviz.plot_kernels(model, layer, kind=kind)
    assert not plt.get_fignums()


def test_kernel_snapshots_draw_stems_on_the_scale_of_all_steps(tmp_path, closing):
    model = keras.Sequential([keras.Input((9, 1)), layers.Conv1D(2, 3, name="conv")])
    model.compile("sgd", "mse")
    snapshots = kerasviz.KernelSnapshots(directory=tmp_path, gif=tmp_path)
    model.fit(np.ones((4, 9, 1)), np.ones((4, 7, 2)), epochs=3, verbose=0, callbacks=[snapshots])
    plot = closing(kerasviz.plot_snapshots)(tmp_path, "conv")
    last = model.get_layer("conv").get_weights()[0][:, 0].T
    np.testing.assert_allclose(plot.panels[-1].values, last, rtol=1e-6)
    np.testing.assert_allclose(heads(plot.panels[-1].ax), last, rtol=1e-6)
    assert len({panel.limits for panel in plot.panels}) == 1
    assert list(tmp_path.rglob("*.gif"))
    stems = [item for item in plot.axes[0].collections if isinstance(item, LineCollection)]
    assert stems


CASES = [
    case
    for case in sample_cases(40, seed=3, places=("ax", "subfigure"))
    if not case.may_be_refused() and case.size[0] < 16  # which takes long to draw
]


@pytest.mark.few(2)
@pytest.mark.parametrize("case", CASES[:2], ids=str)
@pytest.mark.parametrize("layer", ["short", "three"])
def test_plot_kernels_draws_legible_stems(model, layer, case):
    with opened(lambda **place: kerasviz.plot_kernels(model, layer, **place), case) as plot:
        assert_legible(plot)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_plot_kernels_of_several_channels_has_a_legend(draw, channels):
    model = keras.Sequential([keras.Input((9, channels)), layers.Conv1D(2, 3, name="c")])
    legend = draw(model, "c").axes[0].get_legend()
    written = [text.get_text() for text in legend.get_texts()] if legend else []
    assert written == ([str(n) for n in range(channels)] if channels > 1 else [])
