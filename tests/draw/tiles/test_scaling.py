"""The limits of the colours: of a layer, of a tile, of a figure, and robust ones."""

import re

import keras
import numpy as np
import pytest
from matplotlib.colors import Normalize

import kerasviz

OWN_SCALE = "each tile on its own scale"


@pytest.fixture
def model_of():
    """Return a model with a layer for each kernel, which are all from one input."""

    def make(*kernels):
        inputs = keras.Input((9, 9, kernels[0].shape[2]))
        layers = [
            keras.layers.Conv2D(k.shape[-1], k.shape[:2], use_bias=False, name=f"conv_{i}")
            for i, k in enumerate(kernels)
        ]
        model = keras.Model(inputs, [layer(inputs) for layer in layers])
        for layer, kernel in zip(layers, kernels, strict=True):
            layer.set_weights([kernel])
        return model

    return make


SMALL = np.array([[[[-1.0, 0.1]], [[0, 0]]], [[[0.5, 0]], [[0, 0]]]])
LARGE = np.array([[[[0.0]], [[8]]], [[[2]], [[4]]]])


def limits(plot):
    return [panel.limits for panel in plot.panels]


def test_by_layer_each_panel_of_plot_kernels_has_its_limits(plot_kernels, model_of):
    plot = plot_kernels(model_of(SMALL, LARGE))
    assert limits(plot) == [(-1, 1), (-8, 8)]
    assert [image.get_cmap().name for image in plot.images] == ["RdBu_r", "RdBu_r"]
    np.testing.assert_allclose(plot.panels[0].values, np.moveaxis(SMALL[:, :, 0], -1, 0))


def test_by_layer_maps_without_a_negative_value_begin_at_0_in_plot_tiles(plot_tiles):
    plot = plot_tiles(LARGE[:, :, 0])
    assert limits(plot) == [(0, 8)]
    assert plot.images[0].get_cmap().name == "viridis"


def test_by_figure_all_panels_of_plot_kernels_have_the_same_limits(plot_kernels, model_of):
    plot = plot_kernels(model_of(SMALL, LARGE), scale="figure")
    assert limits(plot) == [(-8, 8), (-8, 8)]


def test_by_figure_plot_kernels_fills_a_norm_in_from_all_panels(plot_kernels, model_of):
    norm = Normalize()
    plot = plot_kernels(model_of(SMALL, LARGE), scale="figure", norm=norm)
    assert limits(plot) == [(-1, 8), (-1, 8)]
    assert norm.vmin is None


def test_by_tile_each_tile_reaches_1_and_0_stays_0_in_plot_tiles(plot_tiles, read_tiles):
    array = SMALL[:, :, 0]
    plot = plot_tiles(array, scale="tile")
    shown = read_tiles(plot.images[0], 2, 2)
    np.testing.assert_allclose(shown, [[[-1, 0], [0.5, 0]], [[1, 0], [0, 0]]])
    assert limits(plot) == [(-1, 1)]
    assert OWN_SCALE in plot.panels[0].title
    np.testing.assert_array_equal(plot.panels[0].values, np.moveaxis(array, -1, 0))
    large = plot_tiles(LARGE[:, :, 0], scale="tile")
    np.testing.assert_allclose(large.images[0].get_array(), LARGE[:, :, 0, 0] / 8)
    assert limits(large) == [(0, 1)]


def test_the_callers_limits_hold_for_every_panel_of_plot_kernels(plot_kernels, model_of):
    plot = plot_kernels(model_of(SMALL, LARGE), vmin=-2, vmax=3)
    assert limits(plot) == [(-2, 3), (-2, 3)]


@pytest.mark.parametrize(
    ("tiles", "colors", "note"),
    [
        ([0, 0.25, 1], [0, 0.25, 1], ""),
        ([0.0, 1, 4], [0, 0.25, 1], "black to white: 0 to 4"),
        ([-2.0, -1, 1], [0, 0.25, 0.75], "grey = 0, black to white: \N{MINUS SIGN}2 to 2"),
        (np.array([0, 51, 255], "uint8"), [0, 0.2, 1], ""),
        (np.array([0, 51, 204], "int64"), [0, 0.2, 0.8], ""),
        (np.array([0, 100, 1000], "uint16"), [0, 0.1, 1], "black to white: 0 to 1,000"),
    ],
)
def test_plot_tiles_puts_colors_between_black_and_white(plot_tiles, tiles, colors, note):
    plot = plot_tiles(np.reshape(tiles, (1, 1, 1, 3)))
    np.testing.assert_allclose(plot.images[0].get_array().ravel(), colors, rtol=1e-6)
    assert plot.panels[0].limits is None
    assert plot.panels[0].title.partition("\n")[2] == note


def test_colors_take_the_callers_limits_in_plot_tiles(plot_tiles):
    plot = plot_tiles(np.array([0.0, 1, 2]).reshape(1, 1, 1, 3), vmin=-1, vmax=3)
    assert plot.images[0].get_array().ravel().tolist() == [0.25, 0.5, 0.75]
    assert plot.panels[0].title.endswith("black to white: \N{MINUS SIGN}1 to 3")


def test_by_tile_each_color_tile_of_plot_tiles_has_its_own_limits(plot_tiles, read_tiles):
    tiles = np.array([[-2, 0, 1], [-0.5, 0.5, 0]]).reshape(2, 1, 1, 3)
    plot = plot_tiles(tiles, scale="tile")
    shown = read_tiles(plot.images[0], 1, 1)
    assert shown.reshape(2, 3).tolist() == [[0, 0.5, 0.75], [0, 1, 0.5]]
    assert OWN_SCALE in plot.panels[0].title


def test_by_figure_colors_share_their_limits_in_plot_kernels(plot_kernels, model_of):
    kernel = np.array([-1.0, 0, 1]).reshape(1, 1, 3, 1)
    kernel = np.concatenate([kernel, 0 * kernel], axis=1)  # two wide, or it would be a matrix
    plot = plot_kernels(model_of(kernel, 4 * kernel), scale="figure")
    shown = [image.get_array()[0, 0].tolist() for image in plot.images]
    assert shown == [[0.375, 0.5, 0.625], [0, 0.5, 1]]
    note = "grey = 0, black to white: \N{MINUS SIGN}4 to 4"
    assert [note in panel.title for panel in plot.panels] == [True, True]


@pytest.mark.parametrize(("name", "value"), [("cmap", "gray"), ("norm", "log")])
def test_colors_have_no_colormap_in_plot_tiles(name, value):
    message = f"`{name}` cannot be used for RGB tiles, which are colours already. Received: {name}="
    with pytest.raises(ValueError, match=re.escape(message)):
        kerasviz.plot_tiles(np.zeros((1, 2, 2, 3)), **{name: value})


def test_by_tile_the_slices_of_a_volume_share_a_scale_in_plot_feature_maps(
    plot_feature_maps, read_tiles
):
    model = keras.Sequential([keras.Input((2, 2, 2, 1)), keras.layers.Identity(name="same")])
    volume = np.array([[[-1.0, 0], [0.5, 0]], [[0.1, 0], [0, 0]]])
    plot = plot_feature_maps(model, "same", volume[np.newaxis, ..., np.newaxis], scale="tile")
    np.testing.assert_allclose(read_tiles(plot.images[0], 2, 2), volume)
    assert limits(plot) == [(-1, 1)]


@pytest.mark.parametrize("scale", ["layer", "tile", "figure"])
@pytest.mark.parametrize("shape", [(4, 2, 2, 1), (4, 2, 2, 3)])
def test_the_values_in_the_panel_of_plot_tiles_are_raw(plot_tiles, rng, shape, scale):
    tiles = 7 * rng.normal(size=shape)
    plot = plot_tiles(tiles, scale=scale)
    np.testing.assert_array_equal(plot.panels[0].values, tiles[..., 0] if shape[3] == 1 else tiles)


@pytest.fixture
def washed_out(rng):
    """Return 32 tiles 3×3, of which five values wash out the rest."""
    values = rng.normal(size=288)
    values[[3, 50, 120, 200, 277]] = [30, -40, 35, -50, 45]
    return values.reshape(3, 3, 32)


def test_robust_limits_of_plot_tiles_are_the_98th_percentile_of_magnitudes(plot_tiles, washed_out):
    plot = plot_tiles(washed_out)
    limit = np.percentile(np.abs(washed_out), 98)
    np.testing.assert_allclose(plot.panels[0].limits, (-limit, limit))
    count = (np.abs(washed_out) > limit).sum()
    note = f"{count} of 288 beyond ±{limit:.2g}"
    assert plot.panels[0].title == f"32 tiles, 3×3\n{note}"
    assert plot.colorbars[0].extend == "both"
    np.testing.assert_array_equal(plot.panels[0].values, np.moveaxis(washed_out, -1, 0))


def test_robust_limits_of_plot_tiles_leave_zeros_out(plot_tiles, rng):
    active = rng.uniform(0.5, 1, size=500)
    active[:3] = 40
    maps = np.zeros((20, 20, 50))
    maps.flat[rng.permutation(maps.size)[:500]] = active
    plot = plot_tiles(maps)
    np.testing.assert_allclose(plot.panels[0].limits, (0, np.percentile(active, 98)))
    assert " of 20,000 beyond " in plot.panels[0].title
    assert plot.colorbars[0].extend == "max"


def test_robust_limits_are_left_alone_where_nothing_is_washed_out(plot_tiles, rng):
    tiles = rng.normal(size=(9, 9, 32))
    for options in ({}, {"robust": False}):
        plot = plot_tiles(tiles, **options)
        assert plot.panels[0].limits == (-np.abs(tiles).max(), np.abs(tiles).max())
        assert "beyond" not in plot.panels[0].title
    plot = plot_tiles(tiles, robust=True)
    limit = np.percentile(np.abs(tiles), 98)
    np.testing.assert_allclose(plot.panels[0].limits, (-limit, limit))


@pytest.mark.parametrize(
    "options", [{"vmax": 60}, {"vmin": -60}, {"norm": Normalize(-60, 60)}, {"robust": False}]
)
def test_robust_limits_of_plot_tiles_give_way_to_the_caller(plot_tiles, washed_out, options):
    plot = plot_tiles(washed_out, **options)
    reach = 50 if options == {"robust": False} else 60
    assert plot.panels[0].limits == (-reach, reach)
    assert "beyond" not in plot.panels[0].title


def test_robust_limits_are_no_matter_of_tiles_with_scales_of_their_own(plot_tiles, washed_out):
    assert plot_tiles(washed_out, scale="tile", robust=True).panels[0].limits == (-1, 1)


@pytest.mark.parametrize(
    ("scale", "limit"), [(0.1, "0.1"), (10, "10"), (212.4, "212"), (2e6, "2e+06")]
)
def test_plot_tiles_writes_a_limit_without_an_exponent(plot_tiles, scale, limit):
    tiles = np.full((10, 10, 4), scale)
    tiles[0, 0, 0] = 9 * scale
    title = plot_tiles(tiles, robust=True).panels[0].title
    assert f"1 of 400 beyond {limit}" in title


def test_plot_kernels_draws_robust_colors(plot_kernels, model_of, rng):
    kernel = rng.normal(size=(5, 5, 3, 8))
    kernel.flat[::150] = 40
    plot = plot_kernels(model_of(kernel))
    limit = np.percentile(np.abs(kernel), 98)
    assert (
        f"black to white: {-limit:.2g} to {limit:.2g}".replace("-", "\N{MINUS SIGN}")
        in plot.panels[0].title
    )
    assert f"12 of 600 beyond ±{limit:.2g}" in plot.panels[0].title
    assert plot.images[0].get_array().max() == 1


def test_robust_limits_of_a_picture_are_those_of_pictures_in_plot_tiles(plot_tiles, rng):
    photo = rng.uniform(0, 0.1, size=(1, 20, 20, 3))
    photo[0, 0, 0] = 1
    np.testing.assert_allclose(plot_tiles(photo).images[0].get_array(), photo[0], rtol=1e-6)


def test_robust_limits_count_values_and_not_what_is_not_finite(plot_tiles, washed_out):
    washed_out[0, 0, :2] = np.nan, np.inf
    with pytest.warns(UserWarning, match="2 of the values"):
        plot = plot_tiles(washed_out)
    finite = np.abs(washed_out[np.isfinite(washed_out)])
    assert plot.panels[0].limits[1] == pytest.approx(np.percentile(finite, 98))
    beyond = (finite > np.percentile(finite, 98)).sum()
    assert f"{beyond} of 286 beyond" in plot.panels[0].title
