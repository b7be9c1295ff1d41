import re

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

import kerasviz
from tiny_models import convolution
from written_words import titles_of

KERAS_ON_TORCH = "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
"""Keras's own warning, ignored everywhere; `pytest.warns` sends it on without Keras's name."""


@pytest.fixture
def compare_kernels(closing):
    return closing(kerasviz.compare_kernels)


def changed(model, seed, size=0.5):
    """Return a copy of a model whose weights are all different."""
    rng = np.random.default_rng(seed)
    copy = keras.models.clone_model(model)
    copy.set_weights([w + size * rng.normal(size=w.shape) for w in model.get_weights()])
    return copy


@pytest.fixture(scope="module")
def grey_models(grey_model):
    """Return two models of 4 kernels 3×2 → 6 kernels 3×3×4, the second one with larger weights."""
    return {"untrained": changed(grey_model, 5), "trained": changed(grey_model, 6, 2.0)}


@pytest.fixture(scope="module")
def seeds(grey_model):
    """Return six models with the layers of `grey_model`."""
    return {f"seed {n}": changed(grey_model, n) for n in range(6)}


@pytest.fixture(scope="module")
def rgb_models(rgb_model):
    return {"a": rgb_model, "b": changed(rgb_model, 7)}


def pattern(matrix):
    """Return the first left singular vector times the first singular value, up to its sign."""
    u, s, _ = np.linalg.svd(matrix, full_matrices=False)
    return s[0] * u[:, 0]


def words(ax):
    """Return the notes above a panel and what stands below it."""
    notes, caption = (
        " ".join(text.get_text().replace("\xa0", " ").split()) for text in ax.texts[-2:]
    )
    return notes, caption


def heading(plot):
    return " ".join(plot.figure.get_suptitle().split())


# What is drawn


def test_compare_kernels_draws_one_panel_per_model_and_the_difference(
    compare_kernels, read_tiles, grey_models, weights
):
    plot = compare_kernels(grey_models, "first")
    kernels = [weights(model, "first") for model in grey_models.values()]
    assert titles_of(plot) == ["untrained", "trained", "trained \N{MINUS SIGN} untrained"]
    assert heading(plot) == "first: 4 kernels, 3×2"
    for image, kernel in zip(plot.images, [*kernels, kernels[1] - kernels[0]], strict=True):
        shown = read_tiles(image, 3, 2)
        np.testing.assert_allclose(shown, [kernel[:, :, 0, n] for n in range(4)], rtol=1e-6)


def test_compare_kernels_draws_models_on_one_scale_and_the_difference_on_its_own(
    compare_kernels, grey_models, weights
):
    plot = compare_kernels(grey_models, "first")
    kernels = [weights(model, "first") for model in grey_models.values()]
    reach = max(np.abs(kernel).max() for kernel in kernels)
    assert reach > np.abs(kernels[0]).max()
    one, other, difference = plot.images
    assert one.get_clim() == other.get_clim() == pytest.approx((-reach, reach))
    assert one.norm is other.norm
    reach = np.abs(kernels[1] - kernels[0]).max()
    assert difference.get_clim() == pytest.approx((-reach, reach))
    assert difference.get_cmap().name == "RdBu_r"


def test_compare_kernels_gives_models_one_color_bar_that_is_true_for_all(
    compare_kernels, grey_models
):
    plot = compare_kernels(grey_models, "first")
    shared, same, own = plot.colorbars
    assert shared is same
    assert shared is not own
    for image, bar in zip(plot.images, plot.colorbars, strict=True):
        assert (bar.vmin, bar.vmax) == image.get_clim()
        assert bar.cmap is image.cmap
    plot.images[0].set_clim(-9, 9)
    assert plot.images[1].get_clim() == (bar_limits := (-9, 9))
    assert (shared.vmin, shared.vmax) == bar_limits
    assert own.vmax != 9


def test_compare_kernels_draws_arrows_where_any_panel_goes_beyond_the_bar(
    compare_kernels, grey_models
):
    first = np.abs(kerasviz.get_kernels(grey_models["untrained"], "first")).max()
    for models in (grey_models, dict(reversed(grey_models.items()))):
        bars = compare_kernels(models, "first", vmax=float(first)).colorbars
        assert bars[0].extend == "both"
        assert bars[2].extend == "neither"


@pytest.mark.parametrize("count", [1, 3, 6])
def test_compare_kernels_takes_any_number_of_models(
    compare_kernels, read_tiles, seeds, weights, count
):
    models = dict(list(seeds.items())[:count])
    plot = compare_kernels(models, "first")
    assert len(plot.axes) == len(plot.images) == len(plot.colorbars) == count
    for model, image in zip(models.values(), plot.images, strict=True):
        shown = read_tiles(image, 3, 2)
        np.testing.assert_array_equal(shown, np.moveaxis(weights(model, "first")[:, :, 0], -1, 0))
    assert len({image.get_clim() for image in plot.images}) == 1
    assert all((bar.vmin, bar.vmax) == plot.images[0].get_clim() for bar in plot.colorbars)


def test_compare_kernels_writes_all_words_of_one_model_in_one_line(compare_kernels, grey_model):
    plot = compare_kernels({"trained": grey_model}, "first")
    assert titles_of(plot) == ["trained, first: 4 kernels, 3×2"]
    assert repr(plot) == "Plot(first: 4 kernels, 3×2)"
    assert heading(plot) == ""


def test_compare_kernels_writes_the_numbers_of_numpy_below(compare_kernels, grey_models, weights):
    plot = compare_kernels(grey_models, "second", channel=0, tiles=[1, 2], near_zero=0.2)
    kernels = [weights(model, "second").astype(float) for model in grey_models.values()]
    number = r"(\S+?),? "
    for ax, kernel in zip(plot.axes, [*kernels, kernels[1] - kernels[0]], strict=True):
        caption = words(ax)[1]
        match = re.match(rf"weights: mean {number}std {number}norm {number}", caption + " ")
        expected = kernel.mean(), kernel.std(), np.linalg.norm(kernel.ravel())
        numbers = [float(text.replace("\N{MINUS SIGN}", "-")) for text in match.groups()]
        assert numbers == pytest.approx(expected, rel=5e-3)
    for ax, kernel in zip(plot.axes, kernels, strict=False):
        share = np.mean(np.abs(kernel) <= 0.2 * np.abs(kernel).max())
        assert words(ax)[1].endswith(f", {share:.1%} near zero")
    share = np.linalg.norm((kernels[1] - kernels[0]).ravel()) / np.linalg.norm(kernels[0].ravel())
    assert words(plot.axes[2])[1].endswith(f" ({share:.0%} of untrained)")


# Kernels with several input channels


@pytest.mark.parametrize("channel", [0, -1, "mean"])
def test_compare_kernels_draws_a_channel_or_their_mean(
    compare_kernels, read_tiles, grey_models, weights, channel
):
    plot = compare_kernels(grey_models, "second", channel=channel)
    kernels = [weights(model, "second").astype(float) for model in grey_models.values()]
    for image, kernel in zip(plot.images, [*kernels, kernels[1] - kernels[0]], strict=True):
        flat = kernel.mean(axis=2) if channel == "mean" else kernel[:, :, channel]
        shown = read_tiles(image, 3, 3)
        np.testing.assert_allclose(shown, np.moveaxis(flat, -1, 0), rtol=1e-4, atol=1e-6)
    what = {0: "input channel 0 of 4", -1: "input channel 3 of 4"}.get(
        channel, "mean over 4 input channels"
    )
    assert heading(plot) == f"second: 6 kernels, 3×3×4, {what}"
    assert [words(ax)[0] for ax in plot.axes] == ["", "", ""]


def test_compare_kernels_draws_the_pattern_of_the_difference_of_patterns(
    compare_kernels, read_tiles, grey_models, weights
):
    plot = compare_kernels(grey_models, "second")
    first, second = (weights(model, "second").astype(float) for model in grey_models.values())
    shown = [read_tiles(image, 3, 3) for image in plot.images]
    for tiles, kernel in zip(shown, [first, second, second - first], strict=True):
        for number, tile in enumerate(tiles):
            expected = pattern(kernel[..., number].reshape(9, 4)).reshape(3, 3)
            sign = np.sign((tile * expected).sum())
            np.testing.assert_allclose(tile, sign * expected, rtol=1e-3, atol=1e-5)
    assert not np.allclose(shown[2], shown[1] - shown[0], atol=0.1)
    notes = [words(ax)[0] for ax in plot.axes]
    assert re.fullmatch(r"principal pattern, \d+% of the energy", notes[1])
    assert re.fullmatch(r"pattern of the difference, \d+% of the energy", notes[2])
    energy = [
        pattern(kernel.reshape(9, 4)) @ pattern(kernel.reshape(9, 4)) / (kernel**2).sum()
        for kernel in np.moveaxis(second - first, -1, 0)
    ]
    assert f" {np.mean(energy):.0%} " in notes[2]


def test_compare_kernels_draws_colors_on_one_scale_and_grey_where_nothing_changed(
    compare_kernels, read_tiles, rgb_models, weights
):
    plot = compare_kernels(rgb_models, "color")
    first, second = (weights(model, "color") for model in rgb_models.values())
    reach = max(np.abs(first).max(), np.abs(second).max())
    own = np.abs(second - first).max()
    for image, kernel, limit in zip(
        plot.images, [first, second, second - first], [reach, reach, own], strict=True
    ):
        expected = (np.moveaxis(kernel, -1, 0) + limit) / (2 * limit)
        np.testing.assert_allclose(read_tiles(image, 3, 3), expected, rtol=1e-4, atol=1e-6)
    assert plot.colorbars == (None, None, None)
    assert heading(plot) == "color: 5 kernels, 3×3×3, RGB"
    limits = [
        f"grey = 0, black to white: {-n:.2g} to {n:.2g}".replace("-", "\N{MINUS SIGN}")
        for n in (reach, reach, own)
    ]
    assert [words(ax)[0] for ax in plot.axes] == limits


def test_compare_kernels_draws_all_channels_as_a_table(compare_kernels, grey_models, weights):
    plot = compare_kernels(grey_models, "second", channel="all")
    first, second = (weights(model, "second") for model in grey_models.values())
    for image, kernel in zip(plot.images, [first, second, second - first], strict=True):
        array = image.get_array()
        assert array.shape == (4 * 4 - 1, 6 * 4 - 1)
        np.testing.assert_allclose(array[4:7, 8:11], kernel[:, :, 1, 2], rtol=1e-6)
    assert all(ax.get_xlabel() == "filter" for ax in plot.axes)


def test_compare_kernels_draws_kernels_of_volumes(compare_kernels, read_tiles):
    models = {
        name: keras.Sequential([keras.Input((5, 5, 5, 1)), keras.layers.Conv3D(3, 2, name="v")])
        for name in "ab"
    }
    plot = compare_kernels(models, "v")
    first, second = (np.array(model.get_weights()[0]) for model in models.values())
    expected = np.moveaxis(second - first, -1, 0)[..., 0].reshape(-1, 2, 2)
    np.testing.assert_allclose(read_tiles(plot.images[2], 2, 2), expected, rtol=1e-6)


def test_compare_kernels_draws_a_part_of_a_layer(compare_kernels):
    models = {
        name: keras.Sequential(
            [keras.Input((5, 5, 3)), keras.layers.SeparableConv2D(4, 2, name="s")]
        )
        for name in "ab"
    }
    assert heading(compare_kernels(models, "s/pointwise")).startswith("s/pointwise: 4 kernels, 1×1")


# The options of tiles


@pytest.mark.parametrize("sort", ["norm", "mean"])
def test_compare_kernels_orders_all_models_by_the_last(
    compare_kernels, read_tiles, grey_models, weights, sort
):
    plot = compare_kernels(grey_models, "second", channel=1, sort=sort, labels=True)
    kernels = [weights(model, "second") for model in grey_models.values()]
    flat = kernels[-1].reshape(-1, 6)
    strength = np.linalg.norm(flat, axis=0) if sort == "norm" else flat.mean(axis=0)
    order = np.argsort(-strength)
    assert order.tolist() != list(range(6))
    for ax, image, kernel in zip(
        plot.axes, plot.images, [*kernels, kernels[1] - kernels[0]], strict=True
    ):
        assert [label.get_text() for label in ax.texts[:6]] == [str(n) for n in order]
        shown = read_tiles(image, 3, 3)
        np.testing.assert_allclose(shown, [kernel[:, :, 1, n] for n in order], rtol=1e-6)


def test_compare_kernels_draws_the_same_subset_everywhere_and_says_so(compare_kernels, grey_models):
    plot = compare_kernels(grey_models, "second", tiles=[5, 0, 3], labels=True)
    assert heading(plot) == "second: filters 0, 3, 5 of 6, 3×3×4"
    for ax in plot.axes:
        assert [label.get_text() for label in ax.texts[:3]] == ["5", "0", "3"]


def test_compare_kernels_takes_limits_and_colors_for_the_models(compare_kernels, grey_models):
    plot = compare_kernels(grey_models, "first", cmap="gray", vmin=-0.5, vmax=0.5)
    assert [image.get_clim() for image in plot.images[:2]] == [(-0.5, 0.5)] * 2
    assert [image.get_cmap().name for image in plot.images] == ["gray", "gray", "RdBu_r"]
    assert plot.images[2].get_clim()[1] > 0.5
    norm = Normalize(-1, 2)
    plot = compare_kernels(grey_models, "first", norm=norm)
    assert [image.get_clim() for image in plot.images[:2]] == [(-1, 2)] * 2
    low, high = plot.images[2].get_clim()
    assert low == -high


def test_compare_kernels_draws_the_difference_evenly_about_0_where_all_weights_rose(
    compare_kernels, grey_model
):
    more = keras.models.clone_model(grey_model)
    more.set_weights([weight + 0.25 for weight in grey_model.get_weights()])
    plot = compare_kernels({"a": grey_model, "b": more}, "first")
    assert plot.images[2].get_clim() == pytest.approx((-0.25, 0.25), rel=1e-5)
    assert plot.images[2].get_cmap().name == "RdBu_r"


def test_compare_kernels_writes_a_title_above_all_panels(compare_kernels, grey_models):
    plot = compare_kernels(grey_models, "first", title="mine")
    assert heading(plot) == "mine"
    assert titles_of(plot)[:2] == ["untrained", "trained"]
    plot = compare_kernels(grey_models, "first", title=False, colorbar=False)
    assert heading(plot) == ""
    assert titles_of(plot)[:2] == ["untrained", "trained"]
    assert plot.colorbars == (None, None, None)
    plot = compare_kernels({"a": grey_models["trained"]}, "first", title="mine")
    assert titles_of(plot) == ["mine"]


def test_compare_kernels_leaves_room_for_the_lines_that_a_title_needs(compare_kernels, grey_models):
    shapes = []
    for title in ("trained", "Before and after a training on forty images"):
        figure = plt.figure(figsize=(9, 3.5))
        plot = compare_kernels(grey_models, "second", figure=figure, title=title)
        shapes.append([np.shape(image.get_array()) for image in plot.images])
    assert shapes[0] == shapes[1]


# Filters that are out of the ordinary


def test_compare_kernels_does_not_mark_a_filter_that_did_not_change(compare_kernels, grey_model):
    other = changed(grey_model, 8)
    kernel, bias = (np.array(weight) for weight in other.get_layer("first").get_weights())
    kernel[..., [0, 3]] = grey_model.get_layer("first").get_weights()[0][..., [0, 3]]
    other.get_layer("first").set_weights([kernel, bias])
    plot = compare_kernels({"a": grey_model, "b": other}, "first")
    assert words(plot.axes[2])[0] == "2 unchanged"
    assert not plot.axes[2].collections
    plot = compare_kernels({"a": grey_model, "b": other}, "first", tiles=[0, 1])
    assert words(plot.axes[2])[0] == "1 unchanged"


def test_compare_kernels_draws_two_models_that_are_the_same(
    compare_kernels, read_tiles, grey_model
):
    plot = compare_kernels({"a": grey_model, "b": grey_model}, "second")
    assert not read_tiles(plot.images[2], 3, 3).any()
    assert words(plot.axes[2]) == (
        "6 unchanged",
        "weights: mean 0.00, std 0.00, norm 0.00 (0% of a)",
    )
    low, high = plot.images[2].get_clim()
    assert low == -high < 0


def test_compare_kernels_marks_filters_of_zeros_in_the_models(compare_kernels, grey_model):
    plot = compare_kernels({"a": grey_model, "b": changed(grey_model, 9)}, "second")
    assert [len(ax.collections) for ax in plot.axes] == [1, 0, 0]
    assert words(plot.axes[0])[0].endswith(", 1 zero (×)")


def test_compare_kernels_writes_no_share_of_a_change_from_zeros(compare_kernels, grey_model):
    nothing = keras.models.clone_model(grey_model)
    nothing.set_weights([np.zeros(weight.shape) for weight in grey_model.get_weights()])
    plot = compare_kernels({"nothing": nothing, "all": grey_model}, "first")
    assert "of nothing" not in words(plot.axes[2])[1]


@pytest.mark.filterwarnings(KERAS_ON_TORCH)
def test_compare_kernels_counts_weights_that_are_not_finite_in_one_warning(grey_model):
    models = {"a": changed(grey_model, 1), "b": changed(grey_model, 2)}
    for model in models.values():
        kernel, bias = (np.array(weight) for weight in model.get_layer("first").get_weights())
        kernel[0, 0, 0, 0] = np.inf
        model.get_layer("first").set_weights([kernel, bias])
    with pytest.warns(UserWarning, match="^3 of the values drawn are NaN or infinite") as caught:
        plot = kerasviz.compare_kernels(models, "first", figure=Figure(figsize=(9, 4)))
    ours = [warning for warning in caught if warning.category is UserWarning]
    assert [warning.filename for warning in ours] == [__file__]
    notes = [words(ax)[0] for ax in plot.axes]
    assert notes == ["1 NaN or infinite values (magenta)"] * 3
    assert "nan" not in words(plot.axes[2])[1]


# Layers


@pytest.mark.parametrize("layer", [1, ["second"], "sec*"], ids=str)
def test_compare_kernels_takes_every_address_of_one_layer(compare_kernels, grey_models, layer):
    assert heading(compare_kernels(grey_models, layer)).startswith("second: 6 kernels")


def test_compare_kernels_takes_a_layer_with_another_name_in_each_model(compare_kernels, grey_model):
    other = keras.Sequential([keras.Input((12, 12, 1)), keras.layers.Conv2D(4, (3, 2), name="c")])
    plot = compare_kernels({"grey": grey_model, "other": other}, 0)
    assert heading(plot) == "first, c: 4 kernels, 3×2"


@pytest.mark.parametrize("layer", [None, ["first", "second"], "*s*", keras.layers.Conv2D], ids=str)
def test_compare_kernels_refuses_more_than_one_layer(grey_models, layer):
    message = "`layer` must name one layer. Received: layer="
    with pytest.raises(ValueError, match=re.escape(message)):
        kerasviz.compare_kernels(grey_models, layer)


def test_compare_kernels_refuses_kernels_of_other_shapes(grey_model):
    other = keras.Sequential(
        [keras.Input((12, 12, 1)), keras.layers.Conv2D(4, (2, 3), name="first")]
    )
    message = (
        "`models` must have kernels of one shape to be compared. "
        "Received: 'first', which is 3×2×1×4 in 'grey', 2×3×1×4 in 'other'"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        kerasviz.compare_kernels({"grey": grey_model, "other": other}, "first")


def test_compare_kernels_refuses_a_layer_that_one_model_lacks(grey_model, rgb_model):
    with pytest.raises(ValueError, match="No such layer in the model 'rgb': 'first'"):
        kerasviz.compare_kernels({"grey": grey_model, "rgb": rgb_model}, "first")


# Where it is drawn


def test_compare_kernels_draws_one_model_into_an_axes(compare_kernels, grey_models):
    left, right = Figure(figsize=(8, 4)).subplots(1, 2)
    message = "`ax` takes one panel, but 3 panels were requested: pass `figure` instead."
    with pytest.raises(ValueError, match=re.escape(message)):
        kerasviz.compare_kernels(grey_models, "first", ax=left)
    assert not left.has_data()
    plot = compare_kernels({"trained": grey_models["trained"]}, "first", ax=right)
    assert plot.axes == (right,)
    assert titles_of(plot) == ["trained, first: 4 kernels, 3×2"]
    assert words(right)[1].startswith("weights: ")
    assert left.figure.get_suptitle() == ""


@pytest.mark.parametrize("layout", [None, "constrained", "compressed", "tight"])
def test_compare_kernels_draws_into_the_callers_figure(
    compare_kernels, pixels, grey_models, layout
):
    figure = plt.figure(figsize=(9, 4), layout=layout)
    engine = figure.get_layout_engine()
    plot = compare_kernels(grey_models, "second", figure=figure)
    pixels(figure)
    assert plot.figure is figure
    assert figure.axes == list(plot.axes)
    assert tuple(figure.get_size_inches()) == (9, 4)
    assert figure.get_layout_engine() is engine
    sizes = {(round(ax.bbox.width), round(ax.bbox.height)) for ax in plot.axes}
    assert len(sizes) == 1


def test_compare_kernels_draws_into_a_subfigure(compare_kernels, grey_models):
    sub = plt.figure(figsize=(12, 4)).subfigures(1, 2)[1]
    plot = compare_kernels(grey_models, "second", figure=sub)
    assert plot.figure is sub
    assert sub.get_suptitle().startswith("second")
    assert sub.get_figure(root=True).get_suptitle() == ""


# Mistakes, and what stays as it was


@pytest.mark.parametrize("form", [list, tuple, "path", 1, None], ids=str)
def test_compare_kernels_needs_names_of_models(grey_models, form):
    models = form(grey_models.values()) if callable(form) else form
    message = (
        '`models` must be a dict of names and Keras models: {"untrained": a, "trained": b}. '
        "Received: models="
    )
    with pytest.raises(TypeError, match=f"^{re.escape(message)}"):
        kerasviz.compare_kernels(models, "first")


def test_compare_kernels_refuses_other_names_than_strings_and_what_is_not_a_model(grey_model):
    with pytest.raises(TypeError, match="Received: 1: <Sequential name=grey"):
        kerasviz.compare_kernels({1: grey_model}, "first")
    with pytest.raises(TypeError, match=re.escape("Received: 'trained': 'model.keras'")):
        kerasviz.compare_kernels({"a": grey_model, "trained": "model.keras"}, "first")
    with pytest.raises(ValueError, match="`models` must be a dict"):
        kerasviz.compare_kernels({}, "first")


@pytest.mark.few(5)
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"scale": "tile"}, ValueError, "`scale` can only be 'figure' in a comparison"),
        ({"scale": "layer"}, ValueError, "Received: scale='layer'"),
        ({"channel": "al"}, ValueError, "Did you mean 'all'? Received: channel='al'"),
        ({"channel": 4}, ValueError, "`channel` must be between -4 and 3, since 'second'"),
        ({"channel": "rgb"}, ValueError, "`channel` can be 'rgb' for 3 input channels only"),
        ({"near_zero": 1}, ValueError, "`near_zero` must be a number from 0 to below 1"),
        ({"tiles": 6}, ValueError, "`tiles` must be between -6 and 5, since 'second' has 6"),
        ({"sort": "size"}, ValueError, "`sort` must be one of"),
        ({"columns": 0}, ValueError, "`columns` must be a positive integer"),
        ({"norm": "log", "vmin": 1}, ValueError, "`norm` and `vmin` cannot both be given"),
        ({"chanel": 0}, TypeError, "`chanel`. Did you mean 'channel'"),
        ({"near_nought": 0}, TypeError, "`near_nought`. Did you mean 'near_zero'"),
    ],
    ids=str,
)
def test_compare_kernels_refuses_a_mistake_before_anything_is_drawn(
    grey_models, options, error, message
):
    figure = Figure()
    with pytest.raises(error, match=re.escape(message)):
        kerasviz.compare_kernels(grey_models, "second", figure=figure, **options)
    assert not figure.axes
    with pytest.raises(error, match=re.escape(message)):
        kerasviz.compare_kernels(grey_models, "second", **options)
    assert not plt.get_fignums()


def test_compare_kernels_refuses_a_colormap_for_colors(rgb_models):
    with pytest.raises(ValueError, match="`cmap` cannot be used for RGB tiles"):
        kerasviz.compare_kernels(rgb_models, "color", cmap="gray")


def test_compare_kernels_leaves_the_models_as_they_are(compare_kernels, grey_models, capfd):
    before = {name: model.get_weights() for name, model in grey_models.items()}
    compare_kernels(grey_models, "second", labels=True).figure.canvas.draw()
    for name, model in grey_models.items():
        for weight, same in zip(model.get_weights(), before[name], strict=True):
            np.testing.assert_array_equal(weight, same)
    assert capfd.readouterr() == ("", "")


def test_compare_kernels_draws_kernels_as_plot_kernels_does(
    compare_kernels, plot_kernels, grey_models, weights
):
    reach = max(float(np.abs(weights(model, "first")).max()) for model in grey_models.values())
    plot = compare_kernels(grey_models, "first", columns=4)
    for model, image in zip(grey_models.values(), plot.images, strict=False):
        alone = plot_kernels(model, "first", columns=4, vmax=reach).images[0]
        np.testing.assert_array_equal(image.get_array(), alone.get_array())
        colors = [each.to_rgba(each.get_array(), bytes=True) for each in (image, alone)]
        np.testing.assert_array_equal(*colors)


def test_compare_kernels_gives_a_pattern_the_sign_that_agrees_with_the_first_model(
    compare_kernels, rng
):
    mix = rng.normal(size=(64, 5))
    mix -= mix.mean(axis=0)  # so that the sign is decided by nearly nothing
    patterns = rng.normal(size=(3, 3, 1, 1)) * rng.normal(size=(3, 3, 1, 5))
    first, second = (patterns * (mix + offset) for offset in (1e-3, -1e-3))
    models = {"a": convolution(first), "b": convolution(second), "c": convolution(-first)}
    plot = compare_kernels(models, "c")
    a, b, c = (image.get_array().compressed() for image in plot.images)
    np.testing.assert_allclose(a, b, atol=0.02 * np.abs(a).max())
    np.testing.assert_allclose(a, -c, atol=1e-5 * np.abs(a).max())


def test_compare_kernels_gives_the_pattern_of_the_difference_that_sign_too(compare_kernels, rng):
    first = rng.normal(size=(3, 3, 8, 5))
    plot = compare_kernels({"a": convolution(first), "b": convolution(0.25 * first)}, "c")
    a, _, difference = (image.get_array().compressed() for image in plot.images)
    np.testing.assert_allclose(difference, -0.75 * a, rtol=1e-3, atol=1e-4)


def test_compare_kernels_compares_the_strongest_of_the_last_model(compare_kernels, read_tiles, rng):
    kernels = [rng.normal(size=(3, 3, 1, 8)) * rng.permutation(np.arange(1, 9)) for _ in range(2)]
    models = dict(zip("ab", map(convolution, kernels), strict=True))
    plot = compare_kernels(models, top=3)
    order = np.linalg.norm(kernels[1].reshape(-1, 8), axis=0).argsort()[::-1][:3]
    for image, kernel in zip(plot.images, kernels, strict=False):
        expected = [kernel[:, :, 0, n] for n in order]
        np.testing.assert_allclose(read_tiles(image, 3, 3), expected, rtol=1e-5)
    assert heading(plot) == "c: 3 strongest of 8 kernels, 3×3"


def test_compare_kernels_compares_1x1_kernels_as_matrices(compare_kernels, rng):
    kernels = [rng.normal(size=(1, 1, 6, 4)).astype("float32") for _ in range(2)]
    plot = compare_kernels(dict(zip("ab", map(convolution, kernels), strict=True)), "c")
    difference = kernels[1] - kernels[0]
    for image, kernel in zip(plot.images, [*kernels, difference], strict=True):
        np.testing.assert_array_equal(image.get_array(), kernel[0, 0])
    assert {ax.get_ylabel() for ax in plot.axes} == {"input channel"}


def test_compare_kernels_needs_a_layer_unless_there_is_one_convolution(grey_models):
    with pytest.raises(ValueError, match=r"must name one layer\..* names 2: first, second"):
        kerasviz.compare_kernels(grey_models)


def test_compare_kernels_draws_names_of_models_letter_by_letter(
    compare_kernels, pixels, grey_models
):
    models = dict(zip(["cost_$_$", r"$\alpha$"], grey_models.values(), strict=True))
    plot = compare_kernels(models, "first")
    titles = [ax.get_title() for ax in plot.axes]
    assert titles[:2] == [r"cost_\$_\$", r"\$\alpha\$"]
    assert pixels(plot.figure).size
    assert compare_kernels(models, "first", title=r"$\alpha$").figure.get_suptitle() == r"$\alpha$"


def test_compare_kernels_writes_the_captions_of_a_row_at_one_height(compare_kernels, grey_models):
    plot = compare_kernels(grey_models, "first")
    plot.figure.canvas.draw()
    tops = [ax.texts[-1].get_window_extent().y1 for ax in plot.axes]
    assert len(tops) == 3
    np.testing.assert_allclose(tops, tops[0], atol=0.5)
