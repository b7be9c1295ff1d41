"""A picture for each thing that only an eye can judge; look at a baseline before you commit it.

Draw them anew with `pytest tests/images --mpl-generate-path=tests/images/baseline`.
"""

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest


def waves(count, height, width):
    """Return signed tiles `(height, width, n)` that differ and hold zeros."""
    y, x, n = np.mgrid[:height, :width, :count]
    return (
        np.sin((n + 1) * (x - width // 2)) * np.cos(n * (y - height // 2)) * (n + 2) / (count + 1)
    )


def bumps(count, height, width):
    """Return non-negative tiles `(height, width, n)`, each with a bump at a place of its own."""
    y, x, n = np.mgrid[:height, :width, :count]
    center_y, center_x = height * (n + 0.5) / count, width * ((3 * n) % count + 0.5) / count
    return np.exp(-((y - center_y) ** 2 + (x - center_x) ** 2) / (height * width / 20))


@pytest.mark.mpl_image_compare
def test_signed_kernels_are_neutral_at_0(plot_tiles):
    kernels = waves(6, 3, 3)
    kernels[..., 0] = [[-1, 0, 1], [-0.5, 0, 0.5], [-0.25, 0, 0.25]]
    return plot_tiles(kernels).figure


@pytest.mark.mpl_image_compare
def test_limits_that_are_not_symmetric_keep_0_neutral(plot_tiles):
    kernels = waves(6, 3, 3)
    kernels[..., 0] = [[-1, 0, 1], [-0.5, 0, 0.5], [-0.25, 0, 0.25]]
    return plot_tiles(kernels, vmin=-0.25, vmax=1).figure


@pytest.mark.mpl_image_compare
def test_non_negative_maps_begin_at_0(plot_tiles):
    return plot_tiles(bumps(8, 14, 14) + 0.5).figure


@pytest.mark.mpl_image_compare
def test_labels_keep_their_numbers_when_sorted(plot_tiles):
    return plot_tiles(waves(12, 3, 3), labels=True, sort="norm", tiles=slice(1, 11)).figure


@pytest.mark.mpl_image_compare
def test_a_scale_a_tile_has_no_color_bar(plot_tiles):
    return plot_tiles(bumps(6, 14, 14) * 10.0 ** -np.arange(6), scale="tile").figure


@pytest.mark.mpl_image_compare
def test_tiles_that_are_not_square(plot_tiles):
    return plot_tiles(bumps(6, 5, 16)).figure


@pytest.mark.mpl_image_compare
def test_constant_tiles_are_crossed_out(plot_tiles):
    maps = bumps(6, 14, 14)
    maps[..., [1, 4]] = 0, 0.7
    return plot_tiles(maps).figure


@pytest.mark.mpl_image_compare
@pytest.mark.filterwarnings("ignore:.*values drawn are NaN:UserWarning")
def test_what_is_not_finite_is_magenta(plot_tiles):
    kernels = waves(4, 3, 3)
    kernels[1, 2, 0], kernels[..., 3] = np.inf, np.nan
    return plot_tiles(kernels).figure


@pytest.mark.mpl_image_compare
def test_color_kernels_are_grey_at_0(plot_tiles):
    kernels = np.stack([waves(6, 5, 5), -waves(6, 5, 5), waves(6, 5, 5)[:, ::-1]])
    kernels[..., 0] = 0
    kernels[0, 2, :, 0] = 1
    return plot_tiles(np.moveaxis(kernels, (0, 3), (3, 0))).figure


@pytest.mark.mpl_image_compare
def test_color_maps_have_gaps(plot_tiles):
    red, green = bumps(5, 20, 20), bumps(5, 20, 20)[::-1]
    return plot_tiles(np.moveaxis([red, green, red], (0, 3), (3, 0))).figure


@pytest.mark.mpl_image_compare
def test_all_channels_are_a_table(plot_kernels, grey_model):
    return plot_kernels(grey_model, "second", channel="all").figure


@pytest.mark.mpl_image_compare
def test_a_1x1_convolution_is_a_matrix(plot_kernels):
    layer = keras.layers.Conv2D(24, 1, name="mix")
    model = keras.Sequential([keras.Input((4, 4, 16)), layer])
    row, column = np.mgrid[:16, :24]
    weights = np.sin(row * column / 24)
    weights[:, [6, 17]] = 0
    layer.set_weights([weights.reshape(1, 1, 16, 24), np.zeros(24)])
    return plot_kernels(model, "mix").figure


@pytest.mark.mpl_image_compare
def test_two_panels_on_one_scale(plot_kernels, grey_model):
    return plot_kernels(grey_model, None, channel=0, scale="figure").figure


@pytest.mark.mpl_image_compare
def test_a_small_axes_of_the_callers(plot_tiles):
    figure, (left, right) = plt.subplots(1, 2, figsize=(6, 3))
    left.plot([0, 1], [0, 1])
    plot_tiles(waves(12, 3, 3), ax=right)
    return figure


@pytest.mark.mpl_image_compare
def test_512_tiles(plot_tiles):
    return plot_tiles(bumps(512, 7, 7)).figure


@pytest.mark.mpl_image_compare
def test_2_tiles(plot_tiles):
    return plot_tiles(waves(2, 3, 3)).figure


@pytest.mark.mpl_image_compare
def test_512_tiles_in_a_small_axes_are_numbered_by_row(plot_tiles):
    figure, ax = plt.subplots(figsize=(3, 3))
    plot_tiles(bumps(512, 7, 7), ax=ax, labels=True)
    return figure


@pytest.mark.mpl_image_compare
def test_volumes_are_groups_of_slices(plot_kernels):
    model = keras.Sequential([keras.Input((6, 6, 6, 1)), keras.layers.Conv3D(6, 3, name="volume")])
    kernels = waves(6, 9, 3).reshape(3, 3, 3, 1, 6)
    kernels[..., 4] = 0
    model.set_weights([kernels, np.zeros(6)])
    return plot_kernels(model, "volume", labels=True).figure


@pytest.mark.mpl_image_compare
def test_sequences_are_rows(plot_feature_maps):
    model = keras.Sequential(
        [keras.Input((40, 1)), keras.layers.Conv1D(6, 1, use_bias=False, name="sequence")]
    )
    model.set_weights([np.linspace(-1, 1, 6).reshape(1, 1, 6)])
    ramp = np.linspace(-1, 1, 40).reshape(1, 40, 1)
    return plot_feature_maps(model, "sequence", ramp, labels=True, kind="rows").figure


@pytest.mark.mpl_image_compare
def test_sequences_are_lines_below_their_signal(plot_feature_maps):
    model = keras.Sequential(
        [keras.Input((40, 1)), keras.layers.Conv1D(4, 1, use_bias=False, name="sequence")]
    )
    model.set_weights([np.linspace(-1, 1, 4).reshape(1, 1, 4)])
    wave = np.sin(np.arange(40) / 4).reshape(1, 40, 1)
    return plot_feature_maps(model, "sequence", wave).figure


@pytest.mark.mpl_image_compare
def test_a_vector_is_bars_with_names(plot_feature_maps):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Activation("softmax", name="pets")])
    return plot_feature_maps(
        model, "pets", np.array([[1.0, 3, 0]]), class_names=["cat", "dog", "guinea pig"]
    ).figure
