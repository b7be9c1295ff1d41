"""`plot_kernel_histograms` of many layers: a ridgeline."""

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import rgb_to_hsv, to_rgb
from matplotlib.patches import StepPatch

import kerasviz

LAYERS = 9


def build(scale=1.0):
    """Return a model of nine convolutions whose kernels have known, different spreads."""
    layers = [keras.layers.Conv2D(4, 3, name=f"block{n}_conv") for n in range(LAYERS)]
    model = keras.Sequential([keras.Input((32, 32, 1)), *layers])
    rng = np.random.default_rng(5)
    for n, layer in enumerate(layers):
        kernel, bias = layer.get_weights()
        layer.set_weights([scale / (n + 1) * rng.normal(size=kernel.shape), bias])
    return model


@pytest.fixture(scope="module")
def model():
    return build()


@pytest.fixture
def draw(closing):
    return closing(kerasviz.plot_kernel_histograms)


def weights(model, index):
    return np.array(model.layers[index].get_weights()[0], "float64").ravel()


def rows(ax):
    """Return the bars of each row, from its base line up, and their edges."""
    patches = [patch.get_data() for patch in ax.patches if isinstance(patch, StepPatch)]
    return [(patch.values - patch.baseline, patch.edges, patch.baseline) for patch in patches]


def test_plot_kernel_histograms_of_many_layers_has_one_row_per_layer(draw, model):
    plot = draw(model)
    (ax,) = plot.axes
    assert [panel.address for panel in plot.panels] == [layer.name for layer in model.layers]
    assert [label.get_text() for label in ax.get_yticklabels()] == [x.name for x in model.layers]
    head, *stds = [text.get_text() for text in ax.texts]
    assert head == "std"
    expected = [weights(model, index).std() for index in range(LAYERS)]
    np.testing.assert_allclose([float(text) for text in stds], expected, rtol=5e-3)


def test_plot_kernel_histograms_scales_each_row_to_its_highest_bar(draw, model):
    plot = draw(model)
    (ax,) = plot.axes
    heights = set()
    for index, (values, edges, base) in enumerate(rows(ax)):
        counts, same_edges = np.histogram(weights(model, index), 40)
        np.testing.assert_allclose(edges, same_edges)
        np.testing.assert_allclose(values / values.max(), counts / counts.max(), atol=1e-12)
        np.testing.assert_array_equal(plot.panels[index].values, counts[np.newaxis])
        assert base == LAYERS - 1 - index
        heights.add(round(float(values.max()), 9))
    assert len(heights) == 1
    assert 0.5 < heights.pop() < 1  # no row reaches into the next
    assert "bars: counts, each row scaled to its highest bar" in ax.get_title().replace("\n", " ")


def test_plot_kernel_histograms_of_two_models_has_one_scale_per_row(draw, model):
    plot = draw({"a": model, "b": build(2.0)})
    (ax,) = plot.axes
    pairs = rows(ax)
    for (one, edges, base), (two, same_edges, same_base) in zip(
        pairs[::2], pairs[1::2], strict=True
    ):
        np.testing.assert_array_equal(edges, same_edges)
        assert base == same_base
        counts = plot.panels[LAYERS - 1 - int(base)].values
        np.testing.assert_allclose(
            np.stack([one, two]) / max(one.max(), two.max()), counts / counts.max(), atol=1e-12
        )
    assert [text.get_text() for text in ax.texts if "std" in text.get_text()] == [
        "std\na",
        "std\nb",
    ]


def hue(color):
    return rgb_to_hsv(to_rgb(color))[0]


def test_plot_kernel_histograms_writes_the_spread_of_a_model_in_the_hue_of_its_bars(draw, model):
    (ax,) = draw({"a": model, "b": build(2.0)}).axes
    bars = [patch for patch in ax.patches if isinstance(patch, StepPatch)][:2]
    words = [text for text in ax.texts if "std" in text.get_text()]
    for patch, text in zip(bars, words, strict=True):
        assert hue(text.get_color()) == pytest.approx(hue(patch.get_facecolor()), abs=0.02)


def test_plot_kernel_histograms_shows_a_single_weight_in_logarithmic_rows(draw, model):
    plot = draw(model, log=True)
    (ax,) = plot.axes
    for index, (values, _, _) in enumerate(rows(ax)):
        counts = plot.panels[index].values[0]
        expected = np.log(np.maximum(counts, 0.5) / 0.5) / np.log(counts.max() / 0.5)
        np.testing.assert_allclose(values / values.max(), expected, atol=1e-12)
        assert values[counts == 1].min() > 0.1
    assert "logarithmic counts" in ax.get_title()


@pytest.mark.parametrize("options", [{"scale": "layer"}, {"columns": 3}], ids=str)
def test_plot_kernel_histograms_has_panels_where_rows_would_say_less(draw, model, options):
    plot = draw(model, **options)
    assert len(plot.axes) == LAYERS


def test_plot_kernel_histograms_of_six_layers_has_six_panels(draw, model):
    assert len(draw(model, [0, 1, 2, 3, 4, 5]).axes) == 6
    assert len(draw(model, [0, 1, 2, 3, 4, 5, 6]).axes) == 1


def test_plot_kernel_histograms_of_many_layers_goes_into_one_axes(draw, model):
    figure, ax = plt.subplots(figsize=(8, 6))
    plot = draw(model, ax=ax)
    assert plot.axes == (ax,)
    assert len(plot.panels) == LAYERS
    plt.close(figure)


@pytest.mark.filterwarnings(
    "ignore:__array__ implementation:DeprecationWarning"
)  # of Keras, on PyTorch
def test_plot_kernel_histograms_says_which_rows_have_weights_in_no_bin(draw):
    model = build()
    kernel, bias = model.layers[3].get_weights()
    kernel[0, 0, 0, 0] = np.nan
    model.layers[3].set_weights([kernel, bias])
    with pytest.warns(UserWarning, match="1 of the weights are NaN"):
        plot = draw(model)
    title = plot.axes[0].get_title().replace("\xa0", " ").replace("\n", " ")
    assert "block3_conv: 1 NaN or infinite" in title
    assert plot.panels[3].title.replace("\xa0", " ").endswith("1 NaN or infinite")


def test_a_ridgeline_in_large_letters_has_room_for_as_long_names(draw):
    names = [f"block{n}_of_some_convolutions" for n in range(LAYERS)]
    layers = [keras.layers.Conv2D(2, 3, name=name) for name in names]
    model = keras.Sequential([keras.Input((32, 32, 1)), *layers])
    with plt.rc_context({"font.size": 16}):
        ax = draw(model).axes[0]
    assert [text.get_text() for text in ax.get_yticklabels()] == names


@pytest.mark.parametrize("width", [0.5, 0.68])
def test_a_ridgeline_in_an_axes_keeps_room_for_its_spreads_where_there_is_none_beside(model, width):
    figure = plt.figure(figsize=(10, 6))
    ax = figure.add_axes((0.3, 0.15, width, 0.7))
    kerasviz.plot_kernel_histograms(model, ax=ax)
    edges = rows(ax)[0][1]
    low, high = ax.get_xlim()
    longer = (high - low) / (edges[0] - low + edges[-1] - low)  # with as much room at either end
    plt.close(figure)
    assert longer == pytest.approx(1) if width == 0.5 else 1.05 < longer < 1.5
