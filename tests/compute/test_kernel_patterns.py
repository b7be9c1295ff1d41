import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasviz.compute.kernel_patterns import (
    align_signs,
    kernel_agreement,
    kernel_tiles,
    principal_patterns,
    resolve_channel,
)

FEW_CHANNELS, MANY_CHANNELS = (3, 3, 4, 6), (2, 3, 16, 5)
"""Fewer channels than positions, and more: two ways to the same pattern."""


@pytest.fixture(params=[FEW_CHANNELS, MANY_CHANNELS], ids=["few channels", "many channels"])
def kernel(request, rng):
    return rng.normal(size=request.param)


@pytest.mark.parametrize(
    ("channel", "in_channels", "resolved"),
    [
        ("auto", 1, 0),
        ("auto", 2, "principal"),
        ("auto", 3, "rgb"),
        ("auto", 64, "principal"),
        ("rgb", 3, "rgb"),
        ("mean", 3, "mean"),
        ("principal", 1, "principal"),
        ("all", 64, "all"),
        (63, 64, 63),
        (-64, 64, -64),
        (np.int64(1), 2, 1),
    ],
)
def test_resolve_channel_goes_by_the_number_of_input_channels(channel, in_channels, resolved):
    assert resolve_channel(channel, in_channels, "conv") == resolved


@pytest.mark.parametrize(
    ("channel", "in_channels", "message"),
    [
        (
            "rgb",
            4,
            "`channel` can be 'rgb' for 3 input channels only, and 'conv' has 4. "
            "Received: channel='rgb'",
        ),
        (
            4,
            4,
            "`channel` must be between -4 and 3, since 'conv' has 4 input channels. "
            "Received: channel=4",
        ),
        (-5, 4, "Received: channel=-5"),
    ],
)
def test_resolve_channel_refuses_a_channel_that_is_not_there(channel, in_channels, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        resolve_channel(channel, in_channels, "conv")


@pytest.mark.parametrize("channel", [0, 2, -1])
def test_kernel_tiles_of_one_channel_are_a_slice_of_each_filter(kernel, channel):
    tiles, note = kernel_tiles(kernel, channel)
    in_channels, filters = kernel.shape[2:]
    assert len(tiles) == filters
    for number in range(filters):
        np.testing.assert_array_equal(tiles[number], kernel[:, :, channel, number])
    assert note == f"input channel {channel % in_channels} of {in_channels}"


@pytest.mark.parametrize("channel", [0, "mean"])
def test_kernel_tiles_of_an_only_channel_need_no_note(rng, channel):
    assert kernel_tiles(rng.normal(size=(3, 3, 1, 2)), channel).note == ""


def test_kernel_tiles_of_the_mean_are_the_mean_over_the_input_channels(kernel):
    tiles, note = kernel_tiles(kernel, "mean")
    for number in range(kernel.shape[3]):
        slices = [kernel[:, :, channel, number] for channel in range(kernel.shape[2])]
        np.testing.assert_allclose(tiles[number], sum(slices) / len(slices))
    assert note == f"mean over {kernel.shape[2]} input channels"


def test_kernel_tiles_of_rgb_have_the_three_channels_last(rng):
    kernel = rng.normal(size=(2, 4, 3, 5))
    tiles, note = kernel_tiles(kernel, "rgb")
    assert tiles.shape == (5, 2, 4, 3)
    np.testing.assert_array_equal(tiles[4, 1, 2], kernel[1, 2, :, 4])
    assert note == "RGB"


def test_kernel_tiles_of_all_channels_have_the_filters_of_one_side_by_side(kernel):
    tiles, note = kernel_tiles(kernel, "all")
    in_channels, filters = kernel.shape[2:]
    for channel in range(in_channels):
        for number in range(filters):
            tile = tiles[channel * filters + number]
            np.testing.assert_array_equal(tile, kernel[:, :, channel, number])
    assert note == ""


def test_principal_patterns_are_those_of_the_singular_value_decomposition(kernel):
    patterns, share = principal_patterns(kernel)
    height, width, in_channels, filters = kernel.shape
    shares = []
    for number in range(filters):
        matrix = kernel[..., number].reshape(height * width, in_channels)
        u, s, vt = np.linalg.svd(matrix)
        sign = -1 if vt[0].sum() < 0 else 1
        np.testing.assert_allclose(patterns[number].ravel(), sign * s[0] * u[:, 0], atol=1e-9)
        shares.append(s[0] ** 2 / (s**2).sum())
    assert share == pytest.approx(np.mean(shares))
    assert kernel_tiles(kernel, "principal").note == (
        f"principal pattern, {np.mean(shares):.0%} of the energy"
    )


@given(
    st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 20), st.integers(1, 4)),
    st.integers(0, 2**32 - 1),
)
def test_principal_patterns_explain_a_kernel_with_one_pattern_in_full(shape, seed):
    rng = np.random.default_rng(seed)
    height, width, in_channels, filters = shape
    pattern = rng.uniform(-1, 1, size=(filters, height, width)) + 1e-3
    loadings = rng.uniform(0.1, 1, size=(filters, in_channels))
    patterns, share = principal_patterns(np.einsum("fhw,fc->hwcf", pattern, loadings))
    lengths = np.sqrt((loadings**2).sum(axis=1))
    np.testing.assert_allclose(patterns, pattern * lengths[:, None, None], rtol=1e-6, atol=1e-9)
    assert share == pytest.approx(1)


def test_principal_patterns_of_one_channel_are_that_channel(rng):
    kernel = rng.normal(size=(3, 3, 1, 4)).astype("float32")
    patterns, share = principal_patterns(kernel)
    assert patterns.dtype == "float32"
    np.testing.assert_allclose(patterns, np.moveaxis(kernel[:, :, 0], 2, 0), rtol=1e-6)
    assert share == pytest.approx(1)


def test_principal_patterns_count_no_energy_of_a_filter_of_zeros(rng):
    kernel = rng.normal(size=FEW_CHANNELS)
    share = principal_patterns(kernel[..., :3])[1]
    kernel[..., 3:] = 0
    patterns, with_zeros = principal_patterns(kernel)
    assert with_zeros == pytest.approx(share)
    assert not patterns[3:].any()
    assert principal_patterns(np.zeros(FEW_CHANNELS))[1] == 1


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_principal_patterns_have_a_hole_where_a_weight_is_not_finite(kernel, value):
    kernel[1, 2, 3, 4] = value
    patterns, share = principal_patterns(kernel)
    assert np.argwhere(~np.isfinite(patterns)).tolist() == [[4, 1, 2]]
    assert np.isnan(patterns[4, 1, 2])
    assert 0 < share < 1


def test_kernel_tiles_write_nothing_into_the_kernel(kernel):
    kernel.flags.writeable = False
    for channel in (0, "mean", "principal", "all"):
        kernel_tiles(kernel, channel)


def test_align_signs_takes_those_of_the_reference(kernel, rng):
    reference, _ = principal_patterns(kernel)
    signs = np.array([1.0, -1.0] * kernel.shape[3])[: kernel.shape[3], None, None]
    moved = reference + 0.01 * rng.normal(size=reference.shape)
    np.testing.assert_array_equal(align_signs(moved * signs, reference), moved)


def test_align_signs_gives_the_negative_pattern_to_a_negative_kernel(kernel):
    reference, _ = principal_patterns(kernel)
    signs = np.array([1.0, -1.0] * kernel.shape[3])[: kernel.shape[3]]
    patterns, _ = principal_patterns(kernel * signs)
    agreement = kernel_agreement(kernel * signs, kernel)
    np.testing.assert_allclose(
        agreement, [signs[i] * (kernel[..., i] ** 2).sum() for i in range(len(signs))]
    )
    aligned = align_signs(patterns, reference, agreement)
    np.testing.assert_allclose(aligned, reference * signs[:, None, None], atol=1e-12)


def test_align_signs_goes_by_what_is_finite():
    reference = np.array([[[1.0, np.nan]], [[0.0, 0.0]], [[np.inf, 2.0]]], "float32")
    patterns = np.array([[[-1.0, 5.0]], [[3.0, -4.0]], [[1.0, -2.0]]], "float32")
    aligned = align_signs(patterns, reference)
    assert aligned.dtype == "float32"
    np.testing.assert_array_equal(aligned, [[[1, -5]], [[3, -4]], [[-1, 2]]])
    aligned = align_signs(patterns, reference, np.array([1.0, -1.0, 1.0]))
    np.testing.assert_array_equal(aligned, [[[1, -5]], [[3, -4]], [[-1, 2]]])
