import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import colormaps
from matplotlib.colors import (
    BoundaryNorm,
    ListedColormap,
    LogNorm,
    Normalize,
    TwoSlopeNorm,
    to_rgb,
)
from scipy.ndimage import zoom

from kerasviz.draw.color import INVALID, ColorScale, color_scale
from kerasviz.draw.tiles.background import (
    NEGATIVE,
    POSITIVE,
    STRONGEST,
    cell_grid,
    enlarge,
    picture_colors,
    raster_size,
    resample,
    see_through,
)
from kerasviz.draw.tiles.grid import Grid

SIDES = st.integers(1, 9)


@settings(max_examples=40)
@given(SIDES, SIDES, st.integers(0, 20), st.integers(0, 20), st.integers(0, 2**32 - 1))
def test_tiles_are_enlarged_as_scipy_does_it(height, width, more_y, more_x, seed):
    tiles = np.random.default_rng(seed).normal(size=(2, height, width))
    size = height + more_y, width + more_x
    factors = 1, size[0] / height, size[1] / width
    expected = zoom(tiles, factors, order=1, mode="nearest", grid_mode=True)
    np.testing.assert_allclose(enlarge(tiles, size), expected, atol=1e-9)


def test_enlarging_is_exact_on_a_ramp_and_keeps_the_corners():
    (row,) = enlarge(np.array([[[0.0, 4]]]), (1, 4))
    assert row.tolist() == [[0, 1, 3, 4]]
    tiles = np.array([[[1, 2], [3, 4]]])
    large = enlarge(tiles, (6, 8))
    assert large.shape == (1, 6, 8)
    assert large[0, [0, 0, -1, -1], [0, -1, 0, -1]].tolist() == [1, 2, 3, 4]


def test_enlarging_makes_nothing_smaller_and_keeps_single_precision():
    tiles = np.ones((2, 5, 3), "float32")
    assert enlarge(tiles, (2, 6)).shape == (2, 5, 6)
    assert enlarge(tiles, (10, 9)).dtype == "float32"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite_spoils_its_neighbours_alone(value):
    tiles = np.zeros((1, 5, 5))
    tiles[0, 2, 2] = value
    spoilt = ~np.isfinite(enlarge(tiles, (20, 20))[0])
    assert spoilt[8:12, 8:12].all()
    assert not spoilt[:6].any()
    assert not spoilt[:, 14:].any()


@settings(max_examples=40)
@given(SIDES, SIDES, SIDES, SIDES, st.integers(0, 2**32 - 1))
def test_a_pixel_is_the_mean_of_what_it_covers(height, width, rows, columns, seed):
    rng = np.random.default_rng(seed)
    pictures = rng.integers(0, 256, size=(2, height, width, 3), dtype="uint8")
    # Each pixel cut into so many that each new one covers a whole number of them.
    fine = np.kron(pictures, np.ones((1, rows, columns, 1)))
    expected = fine.reshape(2, rows, height, columns, width, 3).mean(axis=(2, 4))
    shown = resample(pictures, (rows, columns))
    assert shown.dtype == np.uint8
    np.testing.assert_allclose(shown, expected, atol=0.5 + 1e-3)


def test_a_picture_of_the_right_size_is_not_touched():
    pictures = np.zeros((1, 4, 5, 3), "uint8")
    assert resample(pictures, (4, 5)) is pictures


@pytest.mark.parametrize(
    ("values", "shown", "note"),
    [
        ([0, 0.2, 1], [0, 51, 255], ""),
        (np.array([0, 51, 204], "uint8"), [0, 51, 204], ""),
        (np.array([0, 51, 204], "int64"), [0, 51, 204], ""),
        (np.array([False, True]), [0, 255], ""),
        ([0.0, 51, 255], [0, 51, 255], ""),
        ([0.0, 20, 51], [0, 20, 51], ""),
        ([0.0, 12.6, 20.4], [0, 13, 20], ""),
        ([0.0, 8, 16], [0, 128, 255], "picture black to white: 0 to 16"),
        ([0.0, 255, 510], [0, 128, 255], "picture black to white: 0 to 510"),
        ([0.0, 1, 5], [0, 51, 255], "picture black to white: 0 to 5"),
        ([-124.0, -94, 26], [0, 51, 255], "picture black to white: \N{MINUS SIGN}124 to 26"),
        ([-1.0, 0, 1], [0, 128, 255], "picture black to white: \N{MINUS SIGN}1 to 1"),
        ([-3.0, -3], [0, 0], "picture black to white: \N{MINUS SIGN}3 to 0"),
        ([0.0, 0], [0, 0], ""),
    ],
    ids=str,
)
def test_pictures_are_put_between_black_and_white(values, shown, note):
    values = np.asarray(values).reshape(1, 1, -1, 1)
    before = values.copy()
    colors, said = picture_colors(values)
    assert colors.dtype == np.uint8
    np.testing.assert_allclose(colors[0, 0], np.repeat(shown, 3).reshape(-1, 3), atol=1)
    assert said == note
    np.testing.assert_array_equal(values, before)


def test_all_pictures_have_the_same_limits_and_colors_stay_colors():
    values = np.zeros((2, 1, 1, 3))
    values[0, 0, 0], values[1, 0, 0] = [2, 0, 1], [4, 4, 0]
    colors, note = picture_colors(values)
    np.testing.assert_allclose(colors[:, 0, 0], [[128, 0, 64], [255, 255, 0]], atol=1)
    assert note == "picture black to white: 0 to 4"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_pixel_that_is_not_finite_is_magenta(value):
    values = np.array([0.5, value]).reshape(1, 1, 2, 1)
    colors, note = picture_colors(values)
    assert colors[0, 0, 1].tolist() == [255 * part for part in to_rgb(INVALID)]
    assert colors[0, 0, 0].tolist() == [128, 128, 128]
    assert not note


def opacity_of(scale, value):
    return float(scale.cmap(scale.norm(value))[3])


@pytest.mark.parametrize(
    ("limits", "value", "opacity"),
    [
        ((0, 2), 0, 0),
        ((0, 2), 1, 0.5),
        ((0, 2), 2, 1),
        ((-2, 2), 0, 0),
        ((-2, 2), -1, 0.5),
        ((-2, 2), 2, 1),
        ((-1, 4), -1, 0.25),
        ((-1, 4), 4, 1),
        ((2, 4), 2, 0),
        ((2, 4), 3, 0.5),
        ((-4, -2), -2, 0),
        ((-4, -2), -4, 1),
    ],
    ids=str,
)
def test_the_opacity_is_in_proportion_to_the_strength(limits, value, opacity):
    scale = ColorScale(Normalize(*limits), colormaps["viridis"])
    for cmap_given in (True, False):
        clear = see_through(scale, "strength", cmap_given=cmap_given)
        assert clear.norm is scale.norm
        assert opacity_of(clear, value) == pytest.approx(STRONGEST * opacity, abs=0.005)


def test_two_colors_tell_positive_from_negative():
    clear = see_through(color_scale(np.array([-3.0, 2])), "strength", cmap_given=False)
    for value, color in ((-3, NEGATIVE), (-0.1, NEGATIVE), (0.1, POSITIVE), (3, POSITIVE)):
        assert clear.cmap(clear.norm(value))[:3] == to_rgb(color)


@pytest.mark.parametrize("alpha", ["strength", 0.3])
def test_the_callers_colors_stay(alpha):
    scale = color_scale(np.array([0.0, 1]), cmap="magma")
    clear = see_through(scale, alpha, cmap_given=True)
    for value in (0.1, 0.5, 1):
        assert clear.cmap(value)[:3] == scale.cmap(value)[:3]


def test_a_number_is_the_opacity_of_every_color_and_of_what_is_beyond_the_limits():
    scale = color_scale(np.array([-1.0, 1]))
    clear = see_through(scale, 0.3, cmap_given=False)
    for value in (-9, -1, 0, 1, 9):
        assert clear.cmap(clear.norm(value)) == (*scale.cmap(scale.norm(value))[:3], 0.3)
    assert clear.cmap(np.ma.masked_all(1))[0, 3] == 0


def test_what_is_beyond_the_limits_is_as_strong_as_the_limit():
    clear = see_through(color_scale(np.array([0.0, 1])), "strength", cmap_given=False)
    assert opacity_of(clear, 7) == pytest.approx(STRONGEST, abs=0.005)
    assert opacity_of(clear, -7) == pytest.approx(0, abs=0.005)


def test_colors_that_are_clear_already_become_clearer():
    half = ListedColormap([(1, 0, 0, 0.5)] * 256)
    scale = ColorScale(Normalize(0, 1), half)
    assert opacity_of(see_through(scale, 0.5, cmap_given=True), 0.7) == 0.25


@pytest.mark.parametrize(
    ("norm", "value", "opacity"),
    [
        (LogNorm(1, 100), 1, 0),
        (LogNorm(1, 100), 10, 0.5),
        (LogNorm(1, 100), 100, 1),
        (TwoSlopeNorm(0, -1, 10), -1, 1),
        (TwoSlopeNorm(0, -1, 10), 5, 0.5),
    ],
)
def test_the_strength_goes_by_the_norm(norm, value, opacity):
    clear = see_through(ColorScale(norm, colormaps["viridis"]), "strength", cmap_given=True)
    assert opacity_of(clear, value) == pytest.approx(STRONGEST * opacity, abs=0.01)


def test_a_norm_with_steps_has_an_opacity_a_step():
    scale = ColorScale(BoundaryNorm([-2, -1, 1, 2], 3), colormaps["viridis"].resampled(3))
    clear = see_through(scale, "strength", cmap_given=True)
    weak, strong = opacity_of(clear, 0), opacity_of(clear, 1.5)
    assert 0 < weak < strong <= STRONGEST


@pytest.mark.parametrize(
    ("picture", "cells", "dots", "size"),
    [
        ((28, 28), (7, 7), 6, (28, 28)),
        ((28, 20), (7, 5), 1, (28, 20)),
        ((224, 224), (7, 7), 0.4, (224, 224)),
        ((224, 205), (7, 7), 0.1, (68, 62)),
        ((299, 299), (149, 149), 0.3, (298, 298)),
        ((300, 300), (75, 75), 0.05, (75, 75)),
        ((10, 10), (40, 30), 2, (40, 30)),
    ],
    ids=str,
)
def test_a_picture_keeps_what_the_figure_can_show(picture, cells, dots, size):
    assert raster_size(picture, cells, dots) == size


@pytest.mark.parametrize("group", [1, 2])
@pytest.mark.parametrize(
    ("cells", "uniform"), [((12, 20), True), ((6, 10), True), ((24, 40), True), ((5, 3), False)]
)
def test_a_grid_in_another_unit_has_its_tiles_at_the_same_places(cells, uniform, group):
    grid = Grid(count=7, columns=4, tile=(12, 20), gap=(2.0, 4.0), group=group)
    other = cell_grid(grid, cells)
    assert other.tile == cells
    assert other.uniform is (uniform and group == 1)
    scale = 12 / cells[0], 20 / cells[1]
    for place, same, factor in zip(grid.corners(), other.corners(), scale, strict=True):
        np.testing.assert_allclose(same * factor, place)
    for length, same, factor in zip(grid.size, other.size, scale, strict=True):
        assert math.isclose(same * factor, length)


def test_what_is_beyond_the_limits_of_a_few_colors_is_as_strong_as_the_last():
    scale = ColorScale(Normalize(0, 1), colormaps["viridis"].resampled(3))
    clear = see_through(scale, "strength", cmap_given=True)
    assert opacity_of(clear, 7) == opacity_of(clear, 1)
