import re

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.colors import BoundaryNorm, LogNorm, Normalize, TwoSlopeNorm, to_rgb

from kerasviz.draw.color import (
    INVALID,
    Limits,
    color_scale,
    is_small_float,
    normalize_tiles,
    resolve_limits,
    rgb_limits,
    rgb_values,
    value_range,
)

NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    ("values", "lowest", "highest"),
    [
        ([3, -1, 2], -1, 3),
        ([3, NAN, 2], 2, 3),
        ([3, INF, -INF, 2], 2, 3),
        ([NAN, INF], 0, 0),
        ([], 0, 0),
    ],
)
def test_value_range_is_that_of_the_finite_values(values, lowest, highest):
    assert value_range(np.array(values)) == (lowest, highest)


@pytest.mark.parametrize(
    ("values", "given_limits", "expected"),
    [
        # Signed data is symmetric about 0 …
        ([-1, 3], {}, (-3, 3, True)),
        ([-4, 3], {}, (-4, 4, True)),
        ([-4, -3], {}, (-4, 4, True)),
        ([-4, 3], {"vmax": 2}, (-2, 2, True)),
        ([-4, 3], {"vmin": -5}, (-5, 5, True)),
        # … until the caller says otherwise.
        ([-4, 3], {"vmin": -1, "vmax": 2}, (-1, 2, True)),
        ([-4, 3], {"vmin": 0}, (0, 3, True)),
        ([-4, 3], {"vmin": 1}, (1, 3, True)),
        ([-4, 3], {"vmax": 0}, (-4, 0, True)),
        ([-4, 3], {"vmax": -1}, (-4, -1, True)),
        # Non-negative data begins at 0.
        ([0, 3], {}, (0, 3, False)),
        ([2, 3], {}, (0, 3, False)),
        ([2, 3], {"vmax": 1}, (0, 1, False)),
        ([2, 3], {"vmin": 1}, (1, 3, False)),
        ([2, 3], {"vmin": -1}, (-1, 3, False)),
        # A range that would be empty gets a length of 1.
        ([0, 0], {}, (0, 1, False)),
        ([2, 3], {"vmin": 5}, (5, 6, False)),
        ([2, 3], {"vmax": -5}, (-6, -5, False)),
        ([-4, -3], {"vmin": 0}, (0, 1, True)),
        # What is not finite does not count.
        ([NAN, -1, INF], {}, (-1, 1, True)),
        ([NAN], {}, (0, 1, False)),
    ],
)
def test_resolve_limits_of_signed_and_non_negative_values(values, given_limits, expected):
    assert resolve_limits(np.array(values, float), **given_limits) == expected


@pytest.mark.parametrize("dtype", ["int8", "uint8", "float16", "float32"])
def test_resolve_limits_does_not_overflow_in_a_small_type(dtype):
    info = np.finfo(dtype) if dtype.startswith("float") else np.iinfo(dtype)
    limits = resolve_limits(np.array([info.min, info.max], dtype))
    assert limits.vmax == max(float(info.max), -float(info.min))


@given(arrays("float64", st.integers(0, 20), elements=st.floats(width=32)))
def test_resolve_limits_returns_no_empty_range(values):
    limits = resolve_limits(values)
    assert np.isfinite(limits).all()
    assert limits.vmin < limits.vmax
    assert limits.vmin in (0, -limits.vmax)


def test_color_scale_of_signed_data_diverges_from_0():
    norm, cmap = color_scale(np.array([-1.0, 3.0]))
    assert (norm.vmin, norm.vmax) == (-3, 3)
    assert cmap.name == "RdBu_r"


def test_color_scale_of_non_negative_data_begins_at_0():
    norm, cmap = color_scale(np.array([1.0, 3.0]))
    assert (norm.vmin, norm.vmax) == (0, 3)
    assert cmap.name == "viridis"


@pytest.mark.parametrize(("vmin", "vmax"), [(-1, 4), (-4, 1), (0, 2), (-3, 0)])
def test_color_scale_keeps_0_neutral_between_limits_that_are_not_symmetric(vmin, vmax):
    norm, cmap = color_scale(np.array([-1.0, 3.0]), vmin=vmin, vmax=vmax)
    assert (norm.vmin, norm.vmax) == (vmin, vmax)
    whole = matplotlib.colormaps["RdBu_r"]
    reach = max(abs(vmin), abs(vmax))
    for value in (vmin, 0, vmax):
        expected = whole(0.5 + value / (2 * reach))
        assert cmap(norm(value)) == pytest.approx(expected, abs=0.02)


def test_color_scale_takes_the_callers_colormap_and_norm():
    cmap = matplotlib.colormaps["gray"]
    assert color_scale(np.array([-1.0, 3.0]), cmap=cmap).cmap is cmap
    assert color_scale(np.array([-1.0, 3.0]), cmap="gray", vmin=-1, vmax=4).cmap.name == "gray"
    for norm in (TwoSlopeNorm(1), BoundaryNorm([-1, 0, 3], 256)):
        scale = color_scale(np.array([-1.0, 3.0]), norm=norm)
        assert type(scale.norm) is type(norm)
        assert scale.cmap.name == "RdBu_r"


@pytest.mark.parametrize("name", ["log", "linear", "symlog", "asinh"])
def test_color_scale_turns_the_name_of_a_scale_into_a_norm_with_limits(name):
    norm = color_scale(np.array([NAN, 1.0, 3.0, INF]), norm=name).norm
    assert isinstance(norm, Normalize)
    assert isinstance(norm, LogNorm) == (name == "log")
    assert (norm.vmin, norm.vmax) == (1, 3)


@pytest.mark.parametrize(
    ("norm", "values", "lowest", "highest"),
    [
        ("log", [0.0, 0.0], "0", "0"),
        ("log", [-1.5, -0.12345678], "-1.5", "-0.1235"),
        ("log", [NAN, INF], "0", "0"),
        ("logit", [1.5, 3.0], "1.5", "3"),
        (LogNorm(), [-2.0, NAN], "-2", "-2"),
        (LogNorm(vmin=4), [1.0, 3.0], "1", "3"),
        (Normalize(vmin=4), [1.0, 3.0], "1", "3"),
    ],
)
def test_color_scale_refuses_a_norm_that_cannot_show_the_values(norm, values, lowest, highest):
    message = f"`norm` cannot show values from {lowest} to {highest}. Received: norm={norm!r}"
    with pytest.raises(ValueError, match=re.escape(message)):
        color_scale(np.array(values), norm=norm)


def test_color_scale_lets_a_log_norm_leave_out_values_that_are_not_positive():
    norm = color_scale(np.array([-1.0, 0, 2, 8]), norm="log").norm
    assert (norm.vmin, norm.vmax) == (2, 8)


@pytest.mark.parametrize("norm", [Normalize(), Normalize(vmin=-7), LogNorm(vmax=100)])
def test_color_scale_copies_a_norm_before_it_fills_in_limits(norm):
    before = norm.vmin, norm.vmax
    values = np.array([1.0, 3.0, NAN, INF])
    copy = color_scale(values, norm=norm).norm
    assert (norm.vmin, norm.vmax) == before
    assert type(copy) is type(norm)
    filled = [1.0 if before[0] is None else before[0], 3.0 if before[1] is None else before[1]]
    assert [copy.vmin, copy.vmax] == filled


@pytest.mark.parametrize("name", ["RdBu_r", "viridis"])
def test_color_scale_shows_nan_unlike_every_color_of_a_default_colormap(name):
    colors = matplotlib.colormaps[name](np.linspace(0, 1, 256))[:, :3]
    assert np.linalg.norm(colors - to_rgb(INVALID), axis=1).min() > 0.5


def test_normalize_tiles_divides_each_tile_by_its_largest_magnitude(rng):
    tiles = rng.normal(size=(4, 3, 3)) * [[[1]], [[10]], [[0]], [[1e-3]]]
    normalized = normalize_tiles(tiles)
    for tile, expected in zip(normalized, tiles, strict=True):
        np.testing.assert_allclose(tile, expected / (np.abs(expected).max() or 1))


def test_normalize_tiles_leaves_infinity_out_of_the_scale_of_a_tile():
    normalized = normalize_tiles(np.array([[[INF, 2], [-1, NAN]]]))
    np.testing.assert_array_equal(normalized, [[[INF, 1], [-0.5, NAN]]])


def test_normalize_tiles_takes_the_magnitude_of_the_smallest_integer():
    normalized = normalize_tiles(np.array([[[-128, 64]]], "int8"))
    assert normalized.tolist() == [[[-1, 0.5]]]


@pytest.mark.parametrize(
    ("values", "given_limits", "expected"),
    [
        (np.array([0, 7], "uint8"), {}, (0, 255)),
        (np.array([0, 255], "int64"), {}, (0, 255)),
        (np.array([0, 256], "uint16"), {}, (0, 256)),
        (np.array([0, 65535], "uint16"), {}, (0, 65535)),
        (np.array([0, 0.5]), {}, (0, 1)),
        (np.array([0, 4.0]), {}, (0, 4)),
        (np.array([-1, 4.0]), {}, (-4, 4)),
        (np.array([-1, 4], "int16"), {}, (-4, 4)),
        (np.array([0, 0.5]), {"vmax": 0.25}, (0, 0.25)),
        (np.array([0, 7], "uint8"), {"vmin": 0, "vmax": 10}, (0, 10)),
    ],
)
def test_rgb_limits(values, given_limits, expected):
    assert rgb_limits(values, **given_limits)[:2] == expected


def test_rgb_values_go_from_0_at_vmin_to_1_at_vmax():
    values = rgb_values(np.array([-3, -2, 0, 2, 3]), Limits(-2, 2, signed=True))
    assert values.dtype == "float32"
    assert values.tolist() == [0, 0, 0.5, 1, 1]


def test_rgb_values_keeps_what_is_not_finite_as_nan():
    values = rgb_values(np.array([NAN, INF, -INF, 1]), Limits(0, 1, signed=False))
    np.testing.assert_array_equal(values, np.array([NAN, NAN, NAN, 1], "float32"))


def test_color_scale_and_rgb_values_leave_the_array_as_it_is(rng):
    tiles = rng.normal(size=(2, 3, 3))
    tiles.flags.writeable = False
    color_scale(tiles, norm=Normalize())
    normalize_tiles(tiles)
    rgb_values(tiles, rgb_limits(tiles))


@pytest.mark.parametrize(
    ("scale", "dtype"),
    [(2e38, "float32"), (1e300, "float64"), (1.7e308, "float64"), (1e-300, "f8")],
)
def test_rgb_values_of_any_finite_size_have_the_same_shades(scale, dtype):
    base = np.linspace(-1, 1, 54)
    values = (base * scale).astype(dtype)
    shades = rgb_values(values, rgb_limits(values))
    np.testing.assert_allclose(shades, (base + 1) / 2, atol=1e-6)


def test_rgb_values_clips_a_value_far_beyond_the_limits():
    values = np.array([-1e300, 0.25, 1e300])
    assert rgb_values(values, Limits(0, 1, signed=False)).tolist() == [0, 0.25, 1]


@pytest.mark.parametrize(
    ("values", "given_limits", "expected"),
    [
        ([1, 3], {}, (-3, 3)),
        ([-3, -1], {}, (-3, 3)),
        ([0, 0], {}, (-1, 1)),
        ([NAN], {}, (-1, 1)),
        ([1, 3], {"vmax": 2}, (-2, 2)),
        ([1, 3], {"vmin": -2}, (-2, 2)),
        ([1, 3], {"vmin": 0}, (0, 3)),
    ],
)
def test_color_scale_of_values_that_have_a_sign_by_nature(values, given_limits, expected):
    limits = resolve_limits(np.array(values), **given_limits, signed=True)
    assert limits == (*expected, True)
    assert color_scale(np.array(values), **given_limits, signed=True).cmap(
        Normalize(*expected)(0.0)
    ) == pytest.approx(matplotlib.colormaps["RdBu_r"](0.5), abs=0.02)


def test_color_scale_takes_the_middle_from_the_callers_norm():
    assert color_scale(np.array([1.0, 3]), norm="log", signed=True).cmap.name == "viridis"
    assert color_scale(np.array([-1.0, 3]), norm=Normalize(), signed=True).cmap.name == "RdBu_r"


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_is_small_float_knows_small_floats(name):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    assert is_small_float(np.dtype(getattr(ml_dtypes, name)))
    assert is_small_float(np.dtype("float16"))
    for other in ("float32", "float64", "int8", "V2", [("a", "f4")]):
        assert not is_small_float(np.dtype(other))
