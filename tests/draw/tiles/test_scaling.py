import re

import numpy as np
import pytest
from matplotlib.colors import Normalize

from kerasviz.draw.tiles.panel import TilePanel
from kerasviz.draw.tiles.scaling import OWN_SCALE, resolve_scales
from kerasviz.draw.tiles.style import check_style


def panel_of(tiles, **facts):
    count = len(tiles) // facts.get("slices", 1)
    return TilePanel(
        values=tiles,
        indices=np.arange(count),
        total=count,
        address="conv",
        kind="kernels",
        size="3×3",
        **facts,
    )


def resolve_panels(*panels, **options):
    return resolve_scales(panels, check_style(**options).colors)


def resolve(*tiles, **options):
    panels, scales = resolve_scales(
        [panel_of(array) for array in tiles], check_style(**options).colors
    )
    return [panel.tiles for panel in panels], scales, [panel.notes for panel in panels]


def limits(scale):
    return scale.norm.vmin, scale.norm.vmax


@pytest.fixture
def small():
    return np.array([[[-1.0, 0], [0.5, 0]], [[0.1, 0], [0, 0]]])


@pytest.fixture
def large():
    return np.array([[[0.0, 8], [2, 4]]])


def test_by_layer_each_panel_has_its_limits(small, large):
    shown, scales, notes = resolve(small, large)
    assert [limits(scale) for scale in scales] == [(-1, 1), (0, 8)]
    assert [scale.cmap.name for scale in scales] == ["RdBu_r", "viridis"]
    assert shown[0] is small
    assert notes == [(), ()]


def test_by_figure_all_panels_have_the_same_limits(small, large):
    _, scales, _ = resolve(small, large, scale="figure")
    assert [limits(scale) for scale in scales] == [(-8, 8), (-8, 8)]
    assert [scale.cmap.name for scale in scales] == ["RdBu_r", "RdBu_r"]


def test_by_figure_a_norm_is_filled_in_from_all_panels(small, large):
    norm = Normalize()
    _, scales, _ = resolve(small, large, scale="figure", norm=norm)
    assert [limits(scale) for scale in scales] == [(-1, 8), (-1, 8)]
    assert norm.vmin is None


def test_by_tile_each_tile_reaches_1_and_0_stays_0(small):
    (shown,), (scale,), (notes,) = resolve(small, scale="tile")
    np.testing.assert_allclose(shown, [[[-1, 0], [0.5, 0]], [[1, 0], [0, 0]]])
    assert limits(scale) == (-1, 1)
    assert notes == (OWN_SCALE,)
    assert small[1].max() == 0.1


def test_by_tile_non_negative_data_ends_at_1(large):
    (shown,), (scale,), _ = resolve(large, scale="tile")
    np.testing.assert_allclose(shown, large / 8)
    assert limits(scale) == (0, 1)


def test_the_callers_limits_hold_for_every_panel(small, large):
    _, scales, _ = resolve(small, large, vmin=-2, vmax=3)
    assert [limits(scale) for scale in scales] == [(-2, 3), (-2, 3)]


@pytest.mark.parametrize(
    ("tiles", "shown", "note"),
    [
        ([0, 0.25, 1], [0, 0.25, 1], ()),
        ([0.0, 1, 4], [0, 0.25, 1], ("black to white: 0 to 4",)),
        ([-2.0, -1, 1], [0, 0.25, 0.75], ("grey = 0, black to white: -2 to 2",)),
        (np.array([0, 51, 255], "uint8"), [0, 0.2, 1], ()),
        (np.array([0, 51, 204], "int64"), [0, 0.2, 0.8], ()),
        (
            np.array([0, 100, 1000], "uint16"),
            [0, 0.1, 1],
            ("black to white: 0 to 1e+03",),
        ),
    ],
)
def test_colors_are_put_between_black_and_white(tiles, shown, note):
    pixel = np.reshape(tiles, (1, 1, 1, 3))
    (colors,), (scale,), (notes,) = resolve(pixel)
    np.testing.assert_allclose(colors.ravel(), shown, rtol=1e-6)
    assert scale is None
    assert notes == note


def test_colors_take_the_callers_limits():
    pixel = np.array([0.0, 1, 2]).reshape(1, 1, 1, 3)
    (colors,), _, (notes,) = resolve(pixel, vmin=-1, vmax=3)
    assert colors.ravel().tolist() == [0.25, 0.5, 0.75]
    assert notes == ("black to white: -1 to 3",)


def test_by_tile_each_color_tile_has_its_own_limits():
    tiles = np.array([[-2, 0, 1], [-0.5, 0.5, 0]]).reshape(2, 1, 1, 3)
    (colors,), _, (notes,) = resolve(tiles, scale="tile")
    assert colors[:, 0, 0].tolist() == [[0, 0.5, 0.75], [0, 1, 0.5]]
    assert notes == (OWN_SCALE,)


def test_by_figure_colors_share_their_limits():
    tiles = np.array([-1.0, 0, 1]).reshape(1, 1, 1, 3)
    shown, _, _ = resolve(tiles, 4 * tiles, scale="figure")
    assert [colors.ravel().tolist() for colors in shown] == [[0.375, 0.5, 0.625], [0, 0.5, 1]]


@pytest.mark.parametrize(("name", "value"), [("cmap", "gray"), ("norm", "log")])
def test_colors_have_no_colormap(name, value, small):
    message = f"`{name}` cannot be used for RGB tiles, which are colours already. Received: {name}="
    with pytest.raises(ValueError, match=re.escape(message)):
        resolve(small, np.zeros((1, 2, 2, 3)), **{name: value})


def test_by_figure_colors_and_values_have_one_scale(small):
    colors = np.array([-4.0, 0, 2]).reshape(1, 1, 1, 3)
    (_, shown), (scale, _), (_, notes) = resolve(small, colors, scale="figure")
    assert limits(scale) == (-4, 4)
    assert shown.ravel().tolist() == [0, 0.5, 0.75]
    assert notes == ("grey = 0, black to white: -4 to 4",)
    (_, shown), (scale, _), (_, notes) = resolve(8 * small, colors, scale="figure")
    assert limits(scale) == (-8, 8)
    assert shown.ravel().tolist() == [0.25, 0.5, 0.625]
    assert notes == ("grey = 0, black to white: -8 to 8",)


def test_by_tile_the_slices_of_a_volume_share_a_scale(small):
    volumes = panel_of(np.concatenate([small, 3 * small]), slices=2)
    (shown,), (scale,) = resolve_panels(volumes, scale="tile")
    np.testing.assert_allclose(shown.tiles, np.concatenate([small, small]))
    assert limits(scale) == (-1, 1)


def test_by_tile_the_slices_of_a_color_volume_share_their_limits():
    tiles = np.array([[-2, 0, 1], [0.0, 1, 2], [-0.5, 0.5, 0], [0, 0, 0]]).reshape(4, 1, 1, 3)
    volumes = panel_of(tiles, slices=2)
    (shown,), _ = resolve_panels(volumes, scale="tile")
    assert shown.tiles[:, 0, 0].tolist() == [
        [0, 0.5, 0.75],
        [0.5, 0.75, 1],
        [0, 1, 0.5],
        [0.5, 0.5, 0.5],
    ]


@pytest.mark.parametrize("scale", ["layer", "tile", "figure"])
@pytest.mark.parametrize("shape", [(4, 2, 2), (4, 2, 2, 3)])
def test_the_values_themselves_remain(rng, shape, scale):
    tiles = 7 * rng.normal(size=shape)
    (panel,), _ = resolve_panels(panel_of(tiles), scale=scale)
    np.testing.assert_array_equal(panel.values, tiles)
    assert (panel.scaled_values is None) == (panel.tiles is tiles)
