import re

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

import kerasviz
from tiny_models import convolution

KERAS_ON_TORCH = "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
"""Keras's own warning, ignored everywhere; `pytest.warns` sends it on without Keras's name."""


def principal(kernel):
    """Return the dominant pattern of each filter, and the mean share of the energy."""
    height, width, _, filters = kernel.shape
    tiles, shares = [], []
    for number in range(filters):
        matrix = kernel[..., number].reshape(height * width, -1).astype(float)
        u, s, vt = np.linalg.svd(matrix, full_matrices=False)
        tiles.append(np.sign(vt[0].sum()) * s[0] * u[:, 0].reshape(height, width))
        if s.any():
            shares.append(s[0] ** 2 / (s**2).sum())
    return np.array(tiles), np.mean(shares)


def test_plot_kernels_draws_one_input_channel_as_it_is(
    plot_kernels, read_tiles, grey_model, weights
):
    plot = plot_kernels(grey_model, "first")
    kernel = weights(grey_model, "first")
    shown = read_tiles(plot.images[0], 3, 2)
    np.testing.assert_array_equal(shown, [kernel[:, :, 0, n] for n in range(4)])
    reach = np.abs(kernel).max()
    assert plot.images[0].get_clim() == (-reach, reach)
    assert plot.images[0].get_cmap().name == "RdBu_r"
    assert plot.axes[0].get_title() == "first: 4 kernels, 3×2"
    assert repr(plot) == "Plot(first: 4 kernels, 3×2)"


def test_plot_kernels_draws_three_input_channels_as_colors_around_grey(
    plot_kernels, read_tiles, read_title, rgb_model, weights
):
    plot = plot_kernels(rgb_model, "color")
    kernel = weights(rgb_model, "color")
    reach = np.abs(kernel).max()
    shown = read_tiles(plot.images[0], 3, 3)
    expected = [(kernel[..., n] + reach) / (2 * reach) for n in range(5)]
    np.testing.assert_allclose(shown, expected, rtol=1e-5)
    assert plot.colorbars == (None,)
    limits = f"{-reach:.2g} to {reach:.2g}"
    assert read_title(plot.axes[0]) == (
        f"color: 5 kernels, 3×3×3 RGB, grey = 0, black to white: {limits}".replace(
            "-", "\N{MINUS SIGN}"
        )
    )


def test_plot_kernels_draws_more_input_channels_as_their_principal_pattern(
    plot_kernels, read_tiles, read_title, grey_model, weights
):
    plot = plot_kernels(grey_model, "second")
    tiles, share = principal(weights(grey_model, "second"))
    np.testing.assert_allclose(read_tiles(plot.images[0], 3, 3), tiles, rtol=1e-4, atol=1e-5)
    assert read_title(plot.axes[0]) == (
        f"second: 6 kernels, 3×3×4 principal pattern, {share:.0%} of the energy, 1 zero (×)"
    )


@pytest.mark.parametrize(("channel", "number"), [(0, 0), (2, 2), (-1, 3), (np.int64(1), 1)])
def test_plot_kernels_draws_a_channel_by_its_index(
    plot_kernels, read_tiles, grey_model, weights, channel, number
):
    plot = plot_kernels(grey_model, "second", channel=channel)
    kernel = weights(grey_model, "second")
    shown = read_tiles(plot.images[0], 3, 3)
    np.testing.assert_array_equal(shown, [kernel[:, :, number, n] for n in range(6)])
    assert f"input channel {number} of 4" in plot.axes[0].get_title()


def test_plot_kernels_draws_the_mean_of_the_channels(plot_kernels, read_tiles, grey_model, weights):
    plot = plot_kernels(grey_model, "second", channel="mean")
    kernel = weights(grey_model, "second")
    expected = [kernel[..., n].mean(axis=2) for n in range(6)]
    np.testing.assert_allclose(read_tiles(plot.images[0], 3, 3), expected, rtol=1e-6)
    assert "mean over 4 input channels" in plot.axes[0].get_title()


@pytest.mark.parametrize("name", ["color", "next"])
def test_plot_kernels_draws_the_principal_pattern(
    plot_kernels, read_tiles, rgb_model, weights, name
):
    kernel = weights(rgb_model, name)
    plot = plot_kernels(rgb_model, name, channel="principal")
    tiles, share = principal(kernel)
    shown = read_tiles(plot.images[0], *kernel.shape[:2])
    np.testing.assert_allclose(shown, tiles, rtol=1e-4, atol=1e-5)
    assert f"principal pattern, {share:.0%} of the energy" in plot.axes[0].get_title()


def test_plot_kernels_draws_rgb_as_it_draws_three_channels(plot_kernels, rgb_model, pixels):
    rgb = plot_kernels(rgb_model, "color", channel="rgb")
    auto = plot_kernels(rgb_model, "color")
    np.testing.assert_array_equal(pixels(rgb.figure), pixels(auto.figure))


def test_plot_kernels_draws_all_channels_as_a_table(plot_kernels, grey_model, weights):
    plot = plot_kernels(grey_model, "second", channel="all")
    array = plot.images[0].get_array()
    kernel = weights(grey_model, "second")
    assert array.shape == (4 * 4 - 1, 6 * 4 - 1)
    for row in range(4):
        for column in range(6):
            tile = array[4 * row : 4 * row + 3, 4 * column : 4 * column + 3]
            np.testing.assert_array_equal(tile, kernel[:, :, row, column])
    ax = plot.axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == list("0123")
    assert [label.get_text() for label in ax.get_xticklabels()] == list("012345")
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("input channel", "filter")
    assert ax.get_title().startswith("second: 6 kernels, 3×3×4")
    at = 2 * 3.6 + 1.5, 1 * 3.6 + 0.5
    assert ax.format_coord(*at).startswith("input channel 1, filter 2, row 0, column 1: ")


def test_plot_kernels_draws_all_channels_of_a_sorted_subset(plot_kernels, grey_model, weights):
    plot = plot_kernels(grey_model, "second", channel="all", tiles=[0, 4, 5], sort="norm")
    kernel = weights(grey_model, "second")
    numbers = sorted([0, 4, 5], key=lambda n: -np.linalg.norm(kernel[..., n]))
    columns = [label.get_text() for label in plot.axes[0].get_xticklabels()]
    assert columns == [str(number) for number in numbers]
    np.testing.assert_array_equal(plot.images[0].get_array()[:3, :3], kernel[:, :, 0, numbers[0]])
    assert plot.axes[0].get_title() == "second: filters 0, 4, 5 of 6, 3×3×4"


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        (
            "al",
            "`channel` must be one of 'auto', 'mean', 'principal', 'rgb', 'all' or an int. "
            "Did you mean 'all'? Received: channel='al'",
        ),
        (None, "`channel` must be one of 'auto'"),
        (True, "Received: channel=True"),
        (1.0, "Received: channel=1.0"),
        ([0, 1], "Received: channel=[0, 1]"),
        (4, "`channel` must be between -4 and 3, since 'second' has 4 input channels."),
        (-5, "Received: channel=-5"),
        ("rgb", "`channel` can be 'rgb' for 3 input channels only, and 'second' has 4."),
    ],
)
def test_plot_kernels_refuses_a_channel_that_is_not_there(grey_model, channel, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        kerasviz.plot_kernels(grey_model, "second", channel=channel)


def test_plot_kernels_refuses_columns_for_a_table(grey_model):
    message = "`columns` cannot be given with channel='all'"
    with pytest.raises(ValueError, match=message):
        kerasviz.plot_kernels(grey_model, "second", channel="all", columns=2)


@pytest.mark.parametrize("sort", ["norm", "mean"])
@pytest.mark.parametrize("channel", [0, "mean", "principal"])
def test_plot_kernels_sorts_by_the_whole_filter(plot_kernels, grey_model, weights, sort, channel):
    kernel = weights(grey_model, "second")
    strength = np.linalg.norm(kernel.reshape(-1, 6), axis=0)
    if sort == "mean":
        strength = kernel.mean(axis=(0, 1, 2))
    plot = plot_kernels(grey_model, "second", channel=channel, sort=sort, labels=True)
    numbers = [int(label.get_text()) for label in plot.axes[0].texts]
    assert numbers == np.argsort(-strength).tolist()


def test_plot_kernels_says_that_it_draws_a_subset(plot_kernels, read_tiles, grey_model, weights):
    plot = plot_kernels(grey_model, "first", tiles=[3, 0])
    kernel = weights(grey_model, "first")
    shown = read_tiles(plot.images[0], 3, 2)
    np.testing.assert_array_equal(shown, [kernel[:, :, 0, 3], kernel[:, :, 0, 0]])
    assert plot.axes[0].get_title() == "first: filters 0, 3 of 4, 3×2"


def test_plot_kernels_draws_one_panel_per_layer(plot_kernels, grey_model):
    plot = plot_kernels(grey_model, None)
    titles = [ax.get_title().splitlines()[0] for ax in plot.axes]
    assert titles == ["first: 4 kernels, 3×2", "second: 6 kernels, 3×3×4"]
    assert repr(plot) == "Plot(2 panels)"
    limits = [image.get_clim() for image in plot.images]
    assert limits[0] != limits[1]


def test_plot_kernels_draws_several_layers_on_one_scale(plot_kernels, grey_model, weights):
    plot = plot_kernels(grey_model, ["second", "first"], scale="figure", channel=0)
    kernels = weights(grey_model, "second")[:, :, 0], weights(grey_model, "first")
    reach = max(np.abs(kernel).max() for kernel in kernels)
    assert [image.get_clim() for image in plot.images] == [(-reach, reach)] * 2
    assert [ax.get_title()[:5] for ax in plot.axes] == ["secon", "first"]


def test_plot_kernels_refuses_one_axes_for_several_layers(grey_model):
    ax = Figure().add_subplot()
    with pytest.raises(ValueError, match="`ax` takes one panel, but 2 layers were requested"):
        kerasviz.plot_kernels(grey_model, None, ax=ax)
    assert not ax.images


def test_plot_kernels_draws_beside_other_panels_of_a_figure(plot_kernels, grey_model, rgb_model):
    left, right = Figure(figsize=(8, 4)).subfigures(1, 2)
    assert plot_kernels(grey_model, None, figure=left).figure is left
    assert plot_kernels(rgb_model, "color", figure=right).axes == tuple(right.axes)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("fisrt", "Did you mean 'first'"),
        ("flat", "The layer 'flat' is a Flatten and has no kernel"),
        (9, "`layer` must be between -3 and 2"),
    ],
)
def test_plot_kernels_refuses_a_layer_without_a_kernel(grey_model, layer, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        kerasviz.plot_kernels(grey_model, layer)


def test_plot_kernels_refuses_a_path():
    with pytest.raises(TypeError, match="`model` must be a Keras model"):
        kerasviz.plot_kernels("model.keras", "first")


@pytest.fixture(scope="module")
def volume_model():
    """4×5×5×1 → "first", 4 kernels 2×3×2 → "second", 5 kernels 2×2×3×4; kernel 3 is zeros."""
    import keras

    rng = np.random.default_rng(3)
    model = keras.Sequential(
        [
            keras.Input((4, 5, 5, 1)),
            keras.layers.Conv3D(4, (2, 3, 2), name="first"),
            keras.layers.Conv3D(5, (2, 2, 3), name="second"),
        ]
    )
    first, second = rng.normal(size=(2, 3, 2, 1, 4)), rng.normal(size=(2, 2, 3, 4, 5))
    second[..., 3] = 0
    model.set_weights([first, np.zeros(4), second, np.zeros(5)])
    return model


def test_plot_kernels_draws_kernels_of_volumes_as_groups_of_slices(
    plot_kernels, read_tiles, volume_model, weights
):
    plot = plot_kernels(volume_model, "first", columns=2, labels=True)
    kernel = weights(volume_model, "first")
    shown = read_tiles(plot.images[0], 3, 2)
    expected = [kernel[part, :, :, 0, n] for n in range(4) for part in range(2)]
    np.testing.assert_array_equal(shown, expected)
    ax = plot.axes[0]
    assert ax.get_title() == "first: 4 kernels, 2×3×2"
    assert [label.get_text() for label in ax.texts] == list("0123")
    left, right = (label.xy[0] for label in ax.texts[:2])
    gap = (ax.get_xlim()[1] - 4 * 2) / 5
    assert (left, right) == pytest.approx((0, 2 * 2 + 4 * gap))
    text = ax.format_coord(right + 0.5, 1.5)
    assert text.startswith("tile 1, slice 0, row 1, column 0: ")


@pytest.mark.parametrize("channel", [1, -1, "mean", "principal", "auto"])
def test_plot_kernels_reduces_the_channels_of_all_slices_together(
    plot_kernels, read_tiles, read_title, volume_model, weights, channel
):
    kernel = weights(volume_model, "second")
    plot = plot_kernels(volume_model, "second", channel=channel)
    shown = read_tiles(plot.images[0], 2, 3).reshape(5, 2, 2, 3)
    if channel == "mean":
        expected = np.moveaxis(kernel.mean(axis=3), -1, 0)
    elif channel in ("principal", "auto"):
        tiles, share = principal(kernel.reshape(4, 3, 4, 5))
        expected = tiles.reshape(5, 2, 2, 3)
        assert f"principal pattern, {share:.0%} of the energy" in read_title(plot.axes[0])
    else:
        expected = np.moveaxis(kernel[:, :, :, channel], -1, 0)
    np.testing.assert_allclose(shown, expected, rtol=1e-4, atol=1e-5)
    title = read_title(plot.axes[0])
    assert title.startswith("second: 5 kernels, 2×2×3×4 ")
    assert title.endswith(", 1 zero (×)")


def test_plot_kernels_draws_three_channels_of_a_volume_as_colors(plot_kernels, read_tiles):
    import keras

    model = keras.Sequential(
        [keras.Input((4, 5, 5, 3)), keras.layers.Conv3D(4, (2, 3, 3), name="color")]
    )
    kernel = model.layers[0].get_weights()[0]
    plot = plot_kernels(model, "color")
    reach = np.abs(kernel).max()
    shown = read_tiles(plot.images[0], 3, 3).reshape(4, 2, 3, 3, 3)
    expected = (np.moveaxis(kernel, -1, 0) + reach) / (2 * reach)
    np.testing.assert_allclose(shown, expected, rtol=1e-5)


def test_plot_kernels_draws_all_channels_of_a_volume_as_a_table_of_groups(
    plot_kernels, read_tiles, read_title, volume_model, weights
):
    plot = plot_kernels(volume_model, "second", channel="all", tiles=[4, 3, 0])
    kernel = weights(volume_model, "second")
    shown = read_tiles(plot.images[0], 2, 3).reshape(4, 3, 2, 2, 3)
    np.testing.assert_array_equal(shown, np.moveaxis(kernel[..., [4, 3, 0]], (3, 4), (0, 1)))
    ax = plot.axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == list("0123")
    assert [label.get_text() for label in ax.get_xticklabels()] == list("430")
    steps = np.diff(ax.get_xticks())
    assert steps[0] == pytest.approx(steps[1])
    assert ax.get_xticks()[1] == pytest.approx(ax.get_xlim()[1] / 2)
    assert read_title(ax) == "second: filters 0, 3, 4 of 5, 2×2×3×4 4 zero slices (×)"
    assert len(ax.collections[0].get_segments()) == 4 * 2 * 2
    assert ax.format_coord(ax.get_xticks()[2] + 1, ax.get_yticks()[1]).startswith(
        "input channel 1, filter 0, slice 1, row 1, "
    )


def test_plot_kernels_keeps_the_slices_of_sorted_volumes_together(
    plot_kernels, read_tiles, volume_model, weights
):
    plot = plot_kernels(volume_model, "first", sort="norm", labels=True)
    kernel = weights(volume_model, "first")
    order = np.argsort(-np.linalg.norm(kernel.reshape(-1, 4), axis=0))
    shown = read_tiles(plot.images[0], 3, 2).reshape(4, 2, 3, 2)
    np.testing.assert_array_equal(shown, np.moveaxis(kernel[..., 0, :], -1, 0)[order])
    assert [label.get_text() for label in plot.axes[0].texts] == [str(n) for n in order]


def test_plot_kernels_draws_kernels_of_sequences_as_rows(plot_kernels, read_tiles):
    import keras

    model = keras.Sequential([keras.Input((20, 2)), keras.layers.Conv1D(6, 5, name="sequence")])
    kernel = model.layers[0].get_weights()[0]
    plot = plot_kernels(model, "sequence", channel=1, kind="rows")
    np.testing.assert_array_equal(read_tiles(plot.images[0], 1, 5), kernel[:, 1].T[:, np.newaxis])
    assert plot.axes[0].get_title() == "sequence: 6 kernels, 1×5×2\ninput channel 1 of 2"
    assert plot.axes[0].format_coord(3.5, 0.5).startswith("tile 0, row 0, column 3: ")


def test_plot_kernels_names_the_layer_of_a_kernel_that_is_not_there(grey_model):
    message = "`tiles` must be between -4 and 3, since 'first' has 4. Received: 5"
    with pytest.raises(ValueError, match=re.escape(message)):
        kerasviz.plot_kernels(grey_model, None, tiles=5)


def test_plot_kernels_corrects_a_misspelt_keyword(grey_model):
    with pytest.raises(TypeError, match=r"`chanel`\. Did you mean 'channel'"):
        kerasviz.plot_kernels(grey_model, "first", chanel=0)


def test_plot_kernels_draws_colors_and_values_on_one_scale(
    plot_kernels, read_tiles, rgb_model, weights
):
    plot = plot_kernels(rgb_model, None, scale="figure", channel="auto")
    color = weights(rgb_model, "color")
    patterns, _ = principal(weights(rgb_model, "next"))
    reach = max(np.abs(color).max(), np.abs(patterns).max())
    assert plot.images[1].get_clim() == pytest.approx((-reach, reach), rel=1e-5)
    shown = read_tiles(plot.images[0], 3, 3)
    expected = (np.moveaxis(color, -1, 0) + reach) / (2 * reach)
    np.testing.assert_allclose(shown, expected, rtol=1e-4)
    assert plot.colorbars[0] is None


@pytest.mark.parametrize("scale", ["layer", "tile", "figure"])
def test_plot_kernels_tells_the_weights_on_hovering_over_colors(
    plot_kernels, rgb_model, weights, scale
):
    plot = plot_kernels(rgb_model, "color", scale=scale, columns=5)
    place, value = plot.axes[0].format_coord(1.5, 2.5).split(": ")
    assert place == "tile 0, row 2, column 1"
    shown = [float(number) for number in value.strip("[]").split()]
    assert shown == pytest.approx(weights(rgb_model, "color")[2, 1, :, 0], abs=1e-4)


def test_plot_kernels_refuses_a_mistake_before_anything_is_drawn(grey_model, rgb_model):
    figure = Figure()
    for options in ({"tiles": 6}, {"channel": "rgb"}, {"columns": 0}, {"norm": "log", "vmin": 1}):
        with pytest.raises(ValueError, match=f"`{next(iter(options))}`"):
            kerasviz.plot_kernels(grey_model, "second", figure=figure, **options)
    with pytest.raises(ValueError, match="`cmap` cannot be used for RGB tiles"):
        kerasviz.plot_kernels(rgb_model, "color", figure=figure, cmap="gray")
    with pytest.raises(TypeError, match="Unexpected keyword argument `colums`"):
        kerasviz.plot_kernels(grey_model, "second", figure=figure, colums=2)
    assert not figure.axes
    assert not plt.get_fignums()


@pytest.mark.filterwarnings(KERAS_ON_TORCH)
def test_plot_kernels_counts_a_weight_that_is_not_finite(plot_kernels, grey_model):
    import keras

    model = keras.models.clone_model(grey_model)
    model.set_weights(grey_model.get_weights())
    kernel, bias = model.get_layer("second").get_weights()
    kernel[0, 1, 2, 3] = np.nan
    model.get_layer("second").set_weights([kernel, bias])
    for channel in ("principal", "mean", 2, "all"):
        with pytest.warns(UserWarning, match="^1 of the values drawn is NaN") as caught:
            kerasviz.plot_kernels(model, "second", channel=channel, figure=Figure())
        ours = [warning for warning in caught if warning.category is UserWarning]
        assert [warning.filename for warning in ours] == [__file__]
    assert "NaN" not in plot_kernels(model, "second", channel=0).axes[0].get_title()


def test_plot_kernels_draws_kernels_as_plot_tiles_does(
    plot_kernels, plot_tiles, grey_model, pixels
):
    by_model = plot_kernels(grey_model, "first", title="same", labels=True)
    kernel = kerasviz.get_kernels(grey_model, "first")
    by_array = plot_tiles(kernel[:, :, 0], title="same", labels=True)
    np.testing.assert_array_equal(pixels(by_model.figure), pixels(by_array.figure))


def test_plot_kernels_draws_color_kernels_as_plot_tiles_does(
    plot_kernels, plot_tiles, rgb_model, pixels
):
    by_model = plot_kernels(rgb_model, "color", title="same")
    kernel = kerasviz.get_kernels(rgb_model, "color")
    by_array = plot_tiles(np.moveaxis(kernel, 3, 0), title="same")
    np.testing.assert_array_equal(pixels(by_model.figure), pixels(by_array.figure))


def test_plot_kernels_leaves_the_weights_as_they_are(plot_kernels, grey_model):
    before = grey_model.get_weights()
    for scale in ("layer", "tile", "figure"):
        plot_kernels(grey_model, None, scale=scale, sort="norm")
    for weight, same in zip(grey_model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, same)


def test_plot_kernels_prints_nothing(plot_kernels, grey_model, capfd):
    plot_kernels(grey_model, None, labels=True).figure.canvas.draw()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("value", "is_zero"), [(0, True), (1 / 9, False)])
def test_plot_kernels_marks_a_kernel_of_zeros_and_not_a_blur(
    value, is_zero, plot_kernels, read_title
):
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3, name="c")])
    kernel = np.eye(3)[:, :, np.newaxis, np.newaxis] * [1.0, 0.0]
    kernel[..., 1] = value
    model.set_weights([kernel, np.zeros(2)])
    plot = plot_kernels(model, "c")
    assert ("1 zero" in read_title(plot.axes[0])) == is_zero
    assert bool(plot.axes[0].collections) == is_zero


def test_plot_kernels_draws_the_strongest_filters(plot_kernels, read_tiles, rng):
    kernel = rng.normal(size=(3, 3, 1, 20)) * rng.permutation(np.arange(1, 21))
    plot = plot_kernels(convolution(kernel), "c", top=4, labels=True)
    order = np.linalg.norm(kernel.reshape(-1, 20), axis=0).argsort()[::-1][:4]
    np.testing.assert_allclose(
        read_tiles(plot.images[0], 3, 3), [kernel[:, :, 0, n] for n in order], rtol=1e-6
    )
    assert [label.get_text() for label in plot.axes[0].texts] == [str(n) for n in order]
    assert plot.axes[0].get_title() == "c: 4 strongest of 20 kernels, 3×3"


@pytest.mark.few(4)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("channel", ["auto", "all"])
def test_plot_kernels_draws_a_1x1_kernel_as_the_matrix_of_its_weights(
    plot_kernels, rng, channels, channel
):
    kernel = rng.normal(size=(1, 1, channels, 5)).astype("float32")
    plot = plot_kernels(convolution(kernel), "c", channel=channel)
    np.testing.assert_array_equal(plot.images[0].get_array(), kernel[0, 0])
    ax = plot.axes[0]
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("input channel", "filter")
    assert [label.get_text() for label in ax.get_xticklabels()] == list("01234")
    assert [label.get_text() for label in ax.get_yticklabels()] == list("0123")[:channels]
    reach = np.abs(kernel).max()
    assert plot.images[0].get_clim() == pytest.approx((-reach, reach))
    assert "energy" not in ax.get_title()
    place, value = ax.format_coord(2.5, channels - 0.5).split(": ")
    assert place == f"input channel {channels - 1}, filter 2"
    assert float(value) == pytest.approx(kernel[0, 0, -1, 2], abs=1e-4)
    assert ax.format_coord(5.5, 0.5) == ""


def test_plot_kernels_chooses_and_sorts_the_columns_of_a_matrix(plot_kernels, rng):
    kernel = rng.choice([-1.0, 1.0], size=(1, 1, 4, 6)) * [5, 1, 2, 3, 4, 0]
    plot = plot_kernels(convolution(kernel), "c", tiles=slice(1, 6), top=3, labels=True)
    np.testing.assert_allclose(plot.images[0].get_array(), kernel[0, 0][:, [4, 3, 2]], rtol=1e-6)
    assert [label.get_text() for label in plot.axes[0].get_xticklabels()] == ["4", "3", "2"]


def test_plot_kernels_draws_one_row_per_input_channel_of_a_matrix(plot_kernels, read_title, rng):
    kernel = rng.normal(size=(1, 1, 4, 6)).astype("float32")
    plot = plot_kernels(convolution(kernel), "c", channel=-2)
    np.testing.assert_array_equal(plot.images[0].get_array(), kernel[0, 0, 2:3])
    assert [label.get_text() for label in plot.axes[0].get_yticklabels()] == ["2"]
    assert read_title(plot.axes[0]) == "c: 6 kernels, 1×1×4 input channel 2 of 4"


def test_plot_kernels_counts_a_zero_column_of_a_matrix(plot_kernels, read_title, rng):
    kernel = rng.normal(size=(1, 1, 4, 6)) * [1, 1, 0, 1, 0, 1]
    plot = plot_kernels(convolution(kernel), "c")
    assert read_title(plot.axes[0]) == "c: 6 kernels, 1×1×4 2 zero filters (×)"


def test_plot_kernels_draws_each_column_of_a_matrix_on_its_own_scale(plot_kernels, rng):
    kernel = rng.normal(size=(1, 1, 4, 3)).astype("float32") * [1, 10, 100]
    plot = plot_kernels(convolution(kernel), "c", scale="tile")
    expected = kernel[0, 0] / np.abs(kernel[0, 0]).max(axis=0)
    np.testing.assert_allclose(plot.images[0].get_array(), expected, rtol=1e-5)


@pytest.mark.parametrize("shape", [(2000, 3), (3, 2000)])
def test_plot_kernels_draws_a_long_matrix_thick_enough_to_be_seen(plot_kernels, shape):
    layer = keras.layers.Dense(shape[1], use_bias=False, name="d")
    model = keras.Sequential([keras.Input(shape[:1]), layer])
    kernel = layer.get_weights()[0]
    plot = plot_kernels(model, "d")
    np.testing.assert_array_equal(plot.images[0].get_array(), kernel)
    box = plot.axes[0].get_window_extent()
    assert 1 / 4.2 < box.height / box.width < 4.2
    assert plot.axes[0].get_title() == f"d: {shape[1]} units, {shape[0]} inputs"


@pytest.mark.parametrize(
    ("layer", "shape", "axes"),
    [
        (keras.layers.Dense(4, name="x"), (6,), ("input", "unit")),
        (keras.layers.Embedding(9, 4, name="x"), (6,), ("token", "dimension")),
        (keras.layers.SimpleRNN(4, name="x"), (6, 3), ("input", "unit")),
        (keras.layers.LSTM(4, name="x"), (6, 3), ("input", "gate unit")),
        (keras.layers.GRU(4, name="x"), (6, 3), ("input", "gate unit")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_plot_kernels_draws_the_kernel_of_another_layer_as_a_matrix(
    plot_kernels, layer, shape, axes
):
    model = keras.Sequential([keras.Input(shape), layer])
    plot = plot_kernels(model, "x")
    np.testing.assert_array_equal(plot.images[0].get_array(), layer.get_weights()[0])
    assert (plot.axes[0].get_ylabel(), plot.axes[0].get_xlabel()) == axes


@pytest.mark.parametrize("change", [np.abs, lambda k: -np.abs(k), lambda k: np.maximum(k, 0)])
@pytest.mark.parametrize("options", [{}, {"scale": "tile"}, {"scale": "figure"}])
def test_plot_kernels_draws_0_white_whatever_the_signs_of_the_weights(
    plot_kernels, rng, change, options
):
    kernel = change(rng.normal(size=(3, 3, 1, 4)))
    image = plot_kernels(convolution(kernel), "c", **options).images[0]
    assert image.get_cmap().name == "RdBu_r"
    assert image.norm(0.0) == pytest.approx(0.5)


def test_plot_kernels_draws_a_kernel_of_zeros_white(plot_kernels):
    image = plot_kernels(convolution(np.zeros((3, 3, 1, 4))), "c").images[0]
    assert image.get_clim() == (-1, 1)


def test_plot_kernels_draws_0_grey_in_colors_that_are_all_positive(plot_kernels, read_tiles, rng):
    kernel = np.abs(rng.normal(size=(3, 3, 3, 4)))
    plot = plot_kernels(convolution(kernel), "c")
    expected = [0.5 + kernel[..., n] / (2 * kernel.max()) for n in range(4)]
    np.testing.assert_allclose(read_tiles(plot.images[0], 3, 3), expected, rtol=1e-5)


def test_plot_kernels_draws_positive_weights_in_the_callers_colors(plot_kernels, rng):
    model = convolution(np.abs(rng.normal(size=(3, 3, 1, 4))))
    assert plot_kernels(model, "c", cmap="magma").images[0].get_cmap().name == "magma"
    assert plot_kernels(model, "c", norm="log").images[0].get_cmap().name == "viridis"


def test_plot_kernels_without_a_layer_draws_every_convolution(plot_kernels, grey_model):
    assert len(plot_kernels(grey_model).axes) == len(plot_kernels(grey_model, None).axes) == 2
    with pytest.raises(TypeError, match="`layer_name`"):
        plot_kernels(grey_model, layer_name="first")
