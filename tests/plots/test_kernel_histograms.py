import re

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import same_color, to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

import kerasviz

KERAS_ON_TORCH = "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
"""Keras's own warning, ignored everywhere; `pytest.warns` sends it on without Keras's name."""


@pytest.fixture
def plot_kernel_histograms(closing):
    return closing(kerasviz.plot_kernel_histograms)


@pytest.fixture
def weights():
    """Return all weights of the kernel of a layer, as float64."""

    def read(model, name):
        return np.array(model.get_layer(name).get_weights()[0], "float64").ravel()

    return read


@pytest.fixture(scope="module")
def other_model(grey_model):
    """Return a second grey model, with smaller weights."""
    return smaller(grey_model)


def smaller(grey_model):
    model = keras.models.clone_model(grey_model)
    model.set_weights([0.3 * weight + 0.1 for weight in grey_model.get_weights()])
    return model


def bins(ax):
    """Return counts and edges of each histogram in a panel."""
    patches = [patch for patch in ax.patches if isinstance(patch, StepPatch)]
    return [(patch.get_data().values, patch.get_data().edges) for patch in patches]


def facts(ax):
    return [
        text.get_text().replace("\n", " ").replace("\xa0", " ").replace("\N{MINUS SIGN}", "-")
        for text in ax.texts
    ]


def title(ax):
    return ax.get_title().replace("\n", " ").replace("\xa0", " ")


def spoil(model, name, *values):
    """Put values that are not finite into the kernel of a layer."""
    kernel, bias = (np.array(weight) for weight in model.get_layer(name).get_weights())
    kernel[0, 0, 0, : len(values)] = values
    model.get_layer(name).set_weights([kernel, bias])


# What is drawn


def test_plot_kernel_histograms_counts_as_numpy_does(plot_kernel_histograms, grey_model, weights):
    plot = plot_kernel_histograms(grey_model)
    assert repr(plot) == "Plot(2 panels)"
    assert plot.images == plot.colorbars == ()
    for ax, name in zip(plot.axes, ("first", "second"), strict=True):
        ((counts, edges),) = bins(ax)
        expected = np.histogram(weights(grey_model, name), 40)
        np.testing.assert_array_equal(counts, expected[0])
        np.testing.assert_allclose(edges, expected[1])
        assert counts.sum() == weights(grey_model, name).size


def test_plot_kernel_histograms_writes_the_numbers_of_numpy_above(
    plot_kernel_histograms, grey_model, weights
):
    ax = plot_kernel_histograms(grey_model, "second").axes[0]
    values = weights(grey_model, "second")
    assert title(ax) == "second: 216 weights"
    (text,) = facts(ax)
    mean, std = re.fullmatch(r"mean (\S+), std (\S+)", text).groups()
    assert float(mean) == pytest.approx(values.mean(), rel=5e-3)
    assert float(std) == pytest.approx(values.std(), rel=5e-3)


@pytest.mark.parametrize("number", [1, 7, np.int64(12)])
def test_plot_kernel_histograms_takes_the_number_of_bins(
    plot_kernel_histograms, grey_model, weights, number
):
    ((counts, edges),) = bins(plot_kernel_histograms(grey_model, "first", bins=number).axes[0])
    values = weights(grey_model, "first")
    np.testing.assert_array_equal(counts, np.histogram(values, number)[0])
    assert (edges[0], edges[-1]) == (values.min(), values.max())


@pytest.mark.parametrize("kind", [list, tuple, np.array])
def test_plot_kernel_histograms_counts_weights_outside_of_the_callers_bins(
    plot_kernel_histograms, grey_model, weights, kind
):
    edges = kind([-0.5, 0, 0.25, 1])
    plot = plot_kernel_histograms(grey_model, bins=edges)
    for ax, name in zip(plot.axes, ("first", "second"), strict=True):
        ((counts, drawn),) = bins(ax)
        values = weights(grey_model, name)
        np.testing.assert_array_equal(drawn, edges)
        np.testing.assert_array_equal(counts, np.histogram(values, edges)[0])
        outside = np.sum((values < -0.5) | (values > 1))
        assert title(ax) == f"{name}: {values.size} weights, {outside} outside the bins"
        assert ax.get_xlim() == (-0.5, 1)


def test_plot_kernel_histograms_shows_every_weight_and_0_on_one_axis_for_all_layers(
    plot_kernel_histograms, grey_model, weights
):
    first, second = plot_kernel_histograms(grey_model).axes
    every = np.concatenate([weights(grey_model, name) for name in ("first", "second")])
    low, high = first.get_xlim()
    assert second.get_xlim() == (low, high)
    assert low < every.min() < 0 < every.max() < high
    assert high - low < 1.1 * np.ptp(every)
    first.set_xlim(-1, 2)
    assert second.get_xlim() == (-1, 2)


def test_plot_kernel_histograms_gives_each_layer_an_axis(
    plot_kernel_histograms, grey_model, weights
):
    plot = plot_kernel_histograms(grey_model, scale="layer")
    for ax, name in zip(plot.axes, ("first", "second"), strict=True):
        values, (low, high) = weights(grey_model, name), ax.get_xlim()
        assert low < values.min() < values.max() < high
        assert high - low < 1.1 * np.ptp(values)
    plot.axes[0].set_xlim(-1, 2)
    assert plot.axes[1].get_xlim() != (-1, 2)


@pytest.mark.parametrize("shift", [-5, 5])
def test_plot_kernel_histograms_marks_0_where_no_weight_is_near_it(
    plot_kernel_histograms, rgb_model, shift
):
    model = keras.models.clone_model(rgb_model)
    model.set_weights([weight + shift for weight in rgb_model.get_weights()])
    ax = plot_kernel_histograms(model, "color").axes[0]
    (line,) = ax.lines
    assert line.get_xdata() == [0, 0]
    low, high = ax.get_xlim()
    assert low < 0 < high


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("density", [False, True])
def test_plot_kernel_histograms_shows_the_highest_and_the_lowest_bin(
    plot_kernel_histograms, grey_model, density, log
):
    plot = plot_kernel_histograms(grey_model, density=density, log=log)
    for ax in plot.axes:
        ((heights, _),) = bins(ax)
        bottom, top = ax.get_ylim()
        assert top > heights.max()
        if log:
            assert 0 < bottom < heights[heights > 0].min()
        else:
            assert bottom == 0
        assert ax.get_yscale() == ("log" if log else "linear")
    assert plot.axes[0].get_ylabel() == ("density" if density else "count")


def test_plot_kernel_histograms_draws_a_density_of_area_1(
    plot_kernel_histograms, grey_model, weights
):
    ((heights, edges),) = bins(plot_kernel_histograms(grey_model, "first", density=True).axes[0])
    expected = np.histogram(weights(grey_model, "first"), 40, density=True)[0]
    np.testing.assert_allclose(heights, expected)
    assert (heights * np.diff(edges)).sum() == pytest.approx(1)


def test_plot_kernel_histograms_draws_a_density_of_the_share_that_is_inside(
    plot_kernel_histograms, grey_model, weights
):
    plot = plot_kernel_histograms(grey_model, "first", density=True, bins=[-0.5, 0, 0.1, 1])
    ((heights, edges),) = bins(plot.axes[0])
    values = weights(grey_model, "first")
    inside = np.mean((values >= -0.5) & (values <= 1))
    assert (heights * np.diff(edges)).sum() == pytest.approx(inside)


# Several models


def test_plot_kernel_histograms_draws_models_over_one_another(
    plot_kernel_histograms, grey_model, other_model, weights
):
    models = {"untrained": other_model, "trained": grey_model}
    plot = plot_kernel_histograms(models)
    assert len(plot.axes) == 2
    for ax, name in zip(plot.axes, ("first", "second"), strict=True):
        values = [weights(model, name) for model in models.values()]
        both = np.concatenate(values)
        (low, edges), (high, same_edges) = bins(ax)
        np.testing.assert_array_equal(edges, same_edges)
        np.testing.assert_allclose(edges, np.histogram_bin_edges(both, 40))
        np.testing.assert_array_equal(low, np.histogram(values[0], edges)[0])
        np.testing.assert_array_equal(high, np.histogram(values[1], edges)[0])
        texts = dict(text.split(": ") for text in facts(ax))
        assert set(texts) == {"untrained", "trained"}
        assert texts["trained"].startswith(f"mean {values[1].mean():#.3g}, ")
        assert texts["untrained"].startswith(f"mean {values[0].mean():#.3g}, ")


def test_plot_kernel_histograms_writes_in_the_color_of_each_histogram(
    plot_kernel_histograms, grey_model, other_model
):
    with plt.rc_context({"axes.prop_cycle": plt.cycler(color=["#a00000", "green"])}):
        ax = plot_kernel_histograms({"a": grey_model, "b": other_model}, "first").axes[0]
        for text in ax.texts:
            color = {"a": "#a00000", "b": "green"}[text.get_text()[0]]
            assert same_color(to_rgba(text.get_color()), color)
        for patch, color in zip(ax.patches, ("#a00000", "green"), strict=True):
            assert same_color(patch.get_edgecolor(), color)
            assert patch.get_facecolor()[3] < 0.5


def test_plot_kernel_histograms_matches_layers_with_other_names_by_their_order(
    plot_kernel_histograms, grey_model, weights
):
    other = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            keras.layers.Conv2D(3, 3, name="a"),
            keras.layers.Conv2D(5, 2, name="b"),
        ]
    )
    plot = plot_kernel_histograms({"grey": grey_model, "other": other})
    sizes = [weights(other, name).size for name in "ab"]
    assert title(plot.axes[0]) == f"first, a: 24 and {sizes[0]} weights"
    assert title(plot.axes[1]) == f"second, b: 216 and {sizes[1]} weights"
    assert [counts.sum() for counts, _ in bins(plot.axes[1])] == [216, sizes[1]]


def test_plot_kernel_histograms_refuses_models_with_other_numbers_of_layers(grey_model):
    other = keras.Sequential([keras.Input((12, 12, 1)), keras.layers.Conv2D(3, 3, name="a")])
    message = (
        "`layer` must name the same number of layers in each model. "
        "Received: layer=None, which names 2 in 'grey', 1 in 'other'"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        kerasviz.plot_kernel_histograms({"grey": grey_model, "other": other})


# Weights that are out of the ordinary


@pytest.mark.filterwarnings(KERAS_ON_TORCH)
def test_plot_kernel_histograms_counts_weights_that_are_not_finite(grey_model, weights):
    model = smaller(grey_model)
    spoil(model, "first", np.nan, np.inf, -np.inf)
    spoil(model, "second", np.nan)
    message = "^4 of the weights are NaN or infinite; they are in no bin"
    with pytest.warns(UserWarning, match=message) as caught:
        plot = kerasviz.plot_kernel_histograms(model, figure=Figure())
    ours = [warning for warning in caught if warning.category is UserWarning]
    assert [warning.filename for warning in ours] == [__file__]
    assert title(plot.axes[0]) == "first: 24 weights, 3 NaN or infinite"
    assert title(plot.axes[1]) == "second: 216 weights, 1 NaN or infinite"
    ((counts, _),) = bins(plot.axes[0])
    values = weights(model, "first")
    np.testing.assert_array_equal(counts, np.histogram(values[np.isfinite(values)], 40)[0])
    assert facts(plot.axes[0])[0].startswith(f"mean {values[np.isfinite(values)].mean():#.3g}")


@pytest.mark.filterwarnings("ignore:.*NaN or infinite:UserWarning")
@pytest.mark.parametrize("options", [{}, {"log": True}, {"density": True, "log": True}], ids=str)
@pytest.mark.parametrize("value", [0.0, 0.5, np.nan])
def test_plot_kernel_histograms_draws_a_layer_of_one_value(
    plot_kernel_histograms, pixels, value, options
):
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3, name="conv")])
    model.set_weights([np.full((3, 3, 1, 4), value), np.zeros(4)])
    plot = plot_kernel_histograms(model, **options)
    pixels(plot.figure)
    ((heights, edges),) = bins(plot.axes[0])
    if np.isfinite(value):
        (place,) = np.flatnonzero(heights)
        assert edges[place] <= value <= edges[place + 1]
        low, high = plot.axes[0].get_xlim()
        assert low < value < high
    else:
        assert not heights.any()
        assert facts(plot.axes[0]) == ["mean nan, std nan"]


def test_plot_kernel_histograms_draws_half_precision(plot_kernel_histograms):
    layer = keras.layers.Conv2D(3, 3, dtype="float16")
    model = keras.Sequential([keras.Input((8, 8, 3)), layer])
    ((counts, _),) = bins(plot_kernel_histograms(model).axes[0])
    values = keras.ops.convert_to_numpy(layer.kernel).astype("float64")
    np.testing.assert_array_equal(counts, np.histogram(values, 40)[0])


def test_plot_kernel_histograms_draws_both_kernels_of_a_layer_that_has_two(plot_kernel_histograms):
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.SeparableConv2D(5, 3, name="s")])
    plot = plot_kernel_histograms(model, ["s", "s/pointwise"])
    sizes = [int(counts.sum()) for ax in plot.axes for counts, _ in bins(ax)]
    assert sizes == [27, 15]


# Where it is drawn


def test_plot_kernel_histograms_writes_a_title_above_one_panel_or_several(
    plot_kernel_histograms, grey_model
):
    plot = plot_kernel_histograms(grey_model, "first", title="mine")
    assert title(plot.axes[0]) == "mine"
    assert facts(plot.axes[0])[0].startswith("mean ")
    plot = plot_kernel_histograms(grey_model, title="mine")
    assert plot.figure.get_suptitle() == "mine"
    assert [title(ax).split(":")[0] for ax in plot.axes] == ["first", "second"]
    plot = plot_kernel_histograms(grey_model, title=False)
    assert plot.figure.get_suptitle() == ""
    assert [title(ax) for ax in plot.axes] == ["", ""]


def test_plot_kernel_histograms_takes_columns(plot_kernel_histograms, grey_model):
    upper, lower = plot_kernel_histograms(grey_model, columns=1).axes
    assert upper.get_position().x0 == lower.get_position().x0
    assert upper.get_position().y0 > lower.get_position().y1
    left, right = plot_kernel_histograms(grey_model, columns=9).axes
    assert left.get_position().x1 < right.get_position().x0


def test_plot_kernel_histograms_draws_into_the_callers_axes(plot_kernel_histograms, grey_model):
    figure = Figure(layout="constrained")
    left, right = figure.subplots(1, 2)
    before = left.get_position().bounds
    plot = plot_kernel_histograms(grey_model, "first", ax=right, title="mine")
    assert plot.axes == (right,)
    assert plot.figure is figure
    assert title(right) == "mine"
    assert left.get_position().bounds == before
    assert not left.has_data()
    with pytest.raises(ValueError, match="`ax` takes one panel, but 2 layers were requested"):
        kerasviz.plot_kernel_histograms(grey_model, ax=left)
    assert not left.has_data()


@pytest.mark.parametrize("layout", [None, "constrained", "tight"])
def test_plot_kernel_histograms_draws_into_the_callers_figure(
    plot_kernel_histograms, pixels, grey_model, layout
):
    figure = plt.figure(figsize=(7, 3), layout=layout)
    engine = figure.get_layout_engine()
    plot = plot_kernel_histograms(grey_model, figure=figure)
    pixels(figure)
    assert plot.figure is figure
    assert figure.axes == list(plot.axes)
    assert tuple(figure.get_size_inches()) == (7, 3)
    assert figure.get_layout_engine() is engine


def test_plot_kernel_histograms_draws_into_a_subfigure(plot_kernel_histograms, grey_model):
    sub = plt.figure(figsize=(8, 4)).subfigures(1, 2)[1]
    plot = plot_kernel_histograms(grey_model, figure=sub)
    assert plot.figure is sub
    assert len(sub.axes) == 2


# Mistakes, and what stays as it was


@pytest.mark.few(6)
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"bins": 0}, ValueError, "`bins` must be a positive integer. Received: bins=0"),
        ({"bins": "auto"}, ValueError, "Received: bins='auto'"),
        ({"bins": True}, ValueError, "Received: bins=True"),
        ({"bins": [1]}, ValueError, "`bins` must be a positive integer or at least two edges"),
        ({"bins": [1, 0]}, ValueError, "Received: bins=[1, 0]"),
        ({"bins": [0, 0, 1]}, ValueError, "Received: bins=[0, 0, 1]"),
        ({"bins": [0, np.inf]}, ValueError, "Received: bins=[0, inf]"),
        ({"bins": [0, np.nan]}, ValueError, "Received: bins=[0, nan]"),
        ({"bins": [[0, 1], [2, 3]]}, ValueError, "Received: bins=[[0, 1], [2, 3]]"),
        ({"bins": ["a", "b"]}, ValueError, "Received: bins=['a', 'b']"),
        ({"scale": "figur"}, ValueError, "Did you mean 'figure'? Received: scale='figur'"),
        ({"scale": "tile"}, ValueError, "`scale` must be one of 'figure', 'layer'."),
        ({"density": 1}, TypeError, "`density` must be a bool. Received: density=1"),
        ({"log": "y"}, TypeError, "`log` must be a bool. Received: log='y'"),
        ({"columns": 0}, ValueError, "`columns` must be a positive integer. Received: columns=0"),
        ({"colums": 1}, TypeError, "`colums`. Did you mean 'columns'?"),
        ({"title": 1}, TypeError, "`title` must be a string or a bool"),
    ],
    ids=str,
)
def test_plot_kernel_histograms_refuses_a_mistake_before_anything_is_drawn(
    grey_model, options, error, message
):
    figure = Figure()
    with pytest.raises(error, match=re.escape(message)):
        kerasviz.plot_kernel_histograms(grey_model, figure=figure, **options)
    assert not figure.axes
    with pytest.raises(error, match=re.escape(message)):
        kerasviz.plot_kernel_histograms(grey_model, **options)
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        ("model.keras", TypeError, "`model` must be a Keras model"),
        ({}, ValueError, '`model` must be a dict of names and Keras models: {"untrained": a, '),
        ({"a": "model.keras"}, TypeError, "Received: 'a': 'model.keras'"),
    ],
    ids=str,
)
def test_plot_kernel_histograms_refuses_what_is_not_a_model(model, error, message):
    with pytest.raises(error, match=re.escape(message)):
        kerasviz.plot_kernel_histograms(model)


def test_plot_kernel_histograms_needs_names_of_models(grey_model):
    message = '`model` must be a dict of names and Keras models: {"untrained": a, "trained": b}.'
    for models in ([grey_model, grey_model], (grey_model,), {1: grey_model}):
        with pytest.raises(TypeError, match=re.escape(message)):
            kerasviz.plot_kernel_histograms(models)


def test_plot_kernel_histograms_refuses_a_layer_that_is_not_there(grey_model):
    with pytest.raises(ValueError, match="Did you mean 'first'"):
        kerasviz.plot_kernel_histograms(grey_model, "frist")
    with pytest.raises(ValueError, match="'flat' is a Flatten and has no kernel"):
        kerasviz.plot_kernel_histograms(grey_model, "flat")
    assert not plt.get_fignums()


def test_plot_kernel_histograms_leaves_the_model_as_it_is(
    plot_kernel_histograms, grey_model, capfd
):
    before = grey_model.get_weights()
    edges = [-1.0, 0.0, 1.0]
    plot_kernel_histograms(grey_model, bins=edges).figure.canvas.draw()
    for weight, same in zip(grey_model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, same)
    assert edges == [-1.0, 0.0, 1.0]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("options", [{"bins": 10**9}, {"columns": 10**9}])
def test_plot_kernel_histograms_refuses_an_absurd_number_at_once(grey_model, options):
    (name,) = options
    with pytest.raises(ValueError, match=f"`{name}` must be at most .* Received: {name}=10+$"):
        kerasviz.plot_kernel_histograms(grey_model, **options)


def test_plot_kernel_histograms_draws_names_letter_by_letter(
    plot_kernel_histograms, pixels, grey_model, other_model
):
    plot = plot_kernel_histograms({"cost_$_$": grey_model, r"$\alpha$": other_model}, "first")
    first, second = facts(plot.axes[0])
    assert first.startswith(r"cost_\$_\$: mean")
    assert second.startswith(r"\$\alpha\$: mean")
    assert pixels(plot.figure).size
    assert plot_kernel_histograms(grey_model, "first", title="$x$").axes[0].get_title() == "$x$"


def test_plot_kernel_histograms_has_a_title_as_wide_as_the_figure():
    layers = [keras.layers.Conv2D(2, 3, name=f"c{n}") for n in range(4)]
    model = keras.Sequential([keras.Input((16, 16, 1)), *layers])
    title = "What the four convolutions of a small network weigh before it is trained"
    plot = kerasviz.plot_kernel_histograms(model, title=title, figsize=(14, 5))
    written = plot.figure.get_suptitle()
    plot.close()
    assert written == title
