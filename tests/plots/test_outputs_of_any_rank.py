"""Feature maps that are no images: vectors, sequences, volumes, frames and tokens."""

import re

import keras
import numpy as np
import pytest

import kerasviz


def model_of(shape, *layers):
    return keras.Sequential([keras.Input(shape), *layers])


@pytest.fixture
def compute(rng):
    """Return a random sample and what the model itself makes of it, without kerasviz."""

    def run(model):
        inputs = rng.normal(size=(1, *model.input_shape[1:])).astype("float32")
        return inputs, keras.ops.convert_to_numpy(model(inputs, training=False))[0]

    return run


def test_a_vector_is_a_value_a_tile_in_strips(plot_feature_maps, compute):
    model = model_of((5,), keras.layers.Dense(70, name="dense"))
    inputs, output = compute(model)
    plot = plot_feature_maps(model, "dense", inputs, labels=True)
    array = plot.images[0].get_array()
    assert array.shape == (2 * 3 - 1, 2 * 32 - 1)
    np.testing.assert_allclose(array[::2, ::2].ravel()[:70], output, rtol=1e-5)
    assert array.count() == 70
    ax = plot.axes[0]
    assert ax.get_title() == "dense: 70 values"
    assert [label.get_text() for label in ax.texts] == [str(n) for n in range(70)]
    assert ax.format_coord(0.5, 0.5).startswith("tile 0, row 0, column 0: ")
    subset = plot_feature_maps(model, "dense", inputs, tiles=[7, 3], columns=1)
    np.testing.assert_allclose(subset.images[0].get_array()[::2, 0], output[[7, 3]], rtol=1e-5)
    assert subset.axes[0].get_title() == "dense: values 3, 7 of 70"


def test_a_sequence_is_a_row_a_channel(plot_feature_maps, read_tiles, compute):
    model = model_of((20, 2), keras.layers.Conv1D(6, 3, name="sequence"))
    inputs, output = compute(model)
    plot = plot_feature_maps(model, "sequence", inputs)
    shown = read_tiles(plot.images[0], 1, 18)
    for number in range(6):
        np.testing.assert_allclose(shown[number, 0], output[:, number], rtol=1e-4, atol=1e-5)
    assert plot.axes[0].get_title() == "sequence: 6 feature maps, 18 steps"


@pytest.fixture(scope="module")
def volume_model():
    return model_of(
        (4, 7, 6, 1), keras.layers.Conv3D(3, 2, name="volume"), keras.layers.Flatten(name="flat")
    )


@pytest.fixture
def volume(volume_model, compute):
    part = keras.Sequential([keras.Input((4, 7, 6, 1)), volume_model.get_layer("volume")])
    return compute(part)


@pytest.mark.parametrize("columns", [None, 1, 2])
def test_a_volume_is_a_group_of_slices_a_channel(
    plot_feature_maps, read_tiles, volume_model, volume, columns
):
    inputs, output = volume
    plot = plot_feature_maps(volume_model, "volume", inputs, labels=True, columns=columns)
    shown = read_tiles(plot.images[0], 6, 5)
    assert output.shape == (3, 6, 5, 3)
    assert len(shown) == 9
    for number in range(3):
        for part in range(3):
            expected = output[part, :, :, number]
            np.testing.assert_allclose(shown[3 * number + part], expected, rtol=1e-4, atol=1e-5)
    ax = plot.axes[0]
    assert ax.get_title() == "volume: 3 feature maps, 3×6×5"
    assert [label.get_text() for label in ax.texts] == ["0", "1", "2"]
    assert repr(plot) == "Plot(volume: 3 feature maps, 3×6×5)"


@pytest.mark.parametrize(
    ("slices", "numbers", "note"),
    [
        (1, [1], "slice 1 of 3"),
        (-1, [2], "slice 2 of 3"),
        ([2, 0], [2, 0], "slices 2, 0 of 3"),
        (slice(1, None), [1, 2], "slices 1, 2 of 3"),
    ],
    ids=str,
)
def test_slices_are_chosen_and_announced(
    plot_feature_maps, read_tiles, read_title, volume_model, volume, slices, numbers, note
):
    inputs, output = volume
    plot = plot_feature_maps(volume_model, "volume", inputs, slices=slices, tiles=[2, 0])
    shown = read_tiles(plot.images[0], 6, 5)
    expected = [output[part, :, :, number] for number in (2, 0) for part in numbers]
    np.testing.assert_allclose(shown, expected, rtol=1e-4, atol=1e-5)
    assert read_title(plot.axes[0]) == f"volume: feature maps 0, 2 of 3, 3×6×5 {note}"


def test_hovering_tells_the_number_of_a_chosen_slice(plot_feature_maps, volume_model, volume):
    inputs, output = volume
    plot = plot_feature_maps(volume_model, "volume", inputs, slices=[0, 2], tiles=[1])
    ax = plot.axes[0]
    place, value = ax.format_coord(ax.get_xlim()[1] - 0.5, 3.5).split(": ")
    assert place == "tile 1, slice 2, row 3, column 4"
    assert float(value) == pytest.approx(output[2, 3, 4, 1], abs=1e-3)


@pytest.mark.parametrize("sort", ["norm", "mean"])
def test_the_strongest_volume_comes_first_with_all_its_slices(
    plot_feature_maps, read_tiles, volume_model, volume, sort
):
    inputs, output = volume
    plot = plot_feature_maps(volume_model, "volume", inputs, sort=sort, labels=True)
    flat = output.reshape(-1, 3)
    strength = np.linalg.norm(flat, axis=0) if sort == "norm" else flat.mean(axis=0)
    order = np.argsort(-strength)
    assert [label.get_text() for label in plot.axes[0].texts] == [str(n) for n in order]
    shown = read_tiles(plot.images[0], 6, 5).reshape(3, 3, 6, 5)
    expected = np.moveaxis(output, -1, 0)[order]
    np.testing.assert_allclose(shown, expected, rtol=1e-4, atol=1e-5)


def test_the_slices_of_a_volume_share_a_scale(plot_feature_maps, read_tiles, volume_model, volume):
    inputs, output = volume
    plot = plot_feature_maps(volume_model, "volume", inputs, scale="tile")
    shown = read_tiles(plot.images[0], 6, 5).reshape(3, 3, 6, 5)
    by_channel = np.moveaxis(output, -1, 0)
    reach = np.abs(by_channel).max(axis=(1, 2, 3), keepdims=True)
    np.testing.assert_allclose(shown, by_channel / reach, rtol=1e-4, atol=1e-5)


def test_a_large_volume_is_drawn(plot_feature_maps, pixels):
    model = model_of((2, 16, 16, 1), keras.layers.Conv3D(4, 1, name="volume"))
    plot = plot_feature_maps(model, "volume", np.ones((1, 2, 16, 16, 1)))
    assert pixels(plot.figure).size
    assert plot.images[0].get_array().count() == 2 * 16 * 16 * 4


def test_ranks_stand_side_by_side(plot_feature_maps, volume_model, volume):
    plot = plot_feature_maps(volume_model, ["flat", "volume"], volume[0])
    titles = [ax.get_title() for ax in plot.axes]
    assert titles == ["flat: 270 values", "volume: 3 feature maps, 3×6×5"]


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.TimeDistributed(keras.layers.Conv2D(2, 3), name="frames"),
        keras.layers.ConvLSTM2D(2, 3, return_sequences=True, name="frames"),
    ],
    ids=["time-distributed", "ConvLSTM"],
)
@pytest.mark.parametrize("slices", [None, [0, 3]], ids=str)
def test_the_frames_of_a_video_are_slices(plot_feature_maps, read_tiles, compute, layer, slices):
    model = model_of((4, 7, 6, 1), layer)
    inputs, output = compute(model)
    plot = plot_feature_maps(model, "frames", inputs, slices=slices)
    frames = range(4) if slices is None else slices
    expected = [output[frame, :, :, number] for number in range(2) for frame in frames]
    shown = read_tiles(plot.images[0], 5, 4)
    np.testing.assert_allclose(shown, expected, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module", params=[0, 1, 2], ids=["no token", "class token", "two tokens"])
def tokens(request):
    """6 patches in 2 rows of 3, behind so many tokens of another kind, with 4 channels each."""
    layers = [
        keras.layers.Conv2D(4, 3, strides=3, name="patches"),
        keras.layers.Reshape((6, 4)),
        keras.layers.ZeroPadding1D((request.param, 0)),
        keras.layers.Dense(4, name="tokens"),
    ]
    return request.param, model_of((6, 9, 1), *layers)


def test_tokens_are_laid_out_as_the_image_that_they_stand_for(
    plot_feature_maps, read_tiles, read_title, compute, tokens
):
    leading, model = tokens
    inputs, output = compute(model)
    assert output.shape == (leading + 6, 4)
    plot = plot_feature_maps(model, "tokens", inputs, patch_grid=(2, 3))
    expected = [output[leading:, number].reshape(2, 3) for number in range(4)]
    shown = read_tiles(plot.images[0], 2, 3)
    np.testing.assert_allclose(shown, expected, rtol=1e-4, atol=1e-5)
    note = ["", " without 1 leading token", " without 2 leading tokens"][leading]
    assert read_title(plot.axes[0]) == f"tokens: 4 feature maps, 2×3{note}"


def test_tokens_are_a_sequence_until_the_grid_is_told(
    plot_feature_maps, read_tiles, compute, tokens
):
    leading, model = tokens
    inputs, output = compute(model)
    plot = plot_feature_maps(model, "tokens", inputs)
    shown = read_tiles(plot.images[0], 1, leading + 6)
    np.testing.assert_allclose(shown[:, 0], output.T, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("sample", [0, 1])
def test_each_sample_has_its_tokens(plot_feature_maps, read_tiles, tokens, rng, sample):
    leading, model = tokens
    inputs = rng.normal(size=(2, 6, 9, 1)).astype("float32")
    output = keras.ops.convert_to_numpy(model(inputs))[sample]
    plot = plot_feature_maps(model, "tokens", inputs, sample=sample, patch_grid=[2, 3])
    expected = output[leading:].T.reshape(4, 2, 3)
    np.testing.assert_allclose(read_tiles(plot.images[0], 2, 3), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "options", "error", "message"),
    [
        ("volume", {"slices": 3}, ValueError, "`slices` must be between -3 and 2, since 'volume'"),
        ("volume", {"slices": []}, ValueError, "`slices` must select at least one of 3."),
        ("volume", {"slices": 1.0}, TypeError, "`slices` must be an int, a slice or a list"),
        (
            "flat",
            {"slices": 1},
            ValueError,
            "`slices` must be between -1 and 0, since 'flat' has 1",
        ),
        (
            "volume",
            {"patch_grid": (3, 6)},
            ValueError,
            "`patch_grid` must lay out the tokens of 'volume', whose channels have the shape "
            "(3, 6, 5). Received: patch_grid=(3, 6)",
        ),
        ("flat", {"patch_grid": (9, 30)}, ValueError, "'flat', whose channels have the shape ()."),
        ("flat", {"patch_grid": 3}, TypeError, "two positive integers. Received: patch_grid=3"),
        ("flat", {"patch_grid": (0, 3)}, TypeError, "Received: patch_grid=(0, 3)"),
        ("flat", {"patch_grid": (2, 3, 1)}, TypeError, "Received: patch_grid=(2, 3, 1)"),
        ("flat", {"patch_grid": (2.0, 3)}, TypeError, "Received: patch_grid=(2.0, 3)"),
        ("flat", {"patch_grid": "23"}, TypeError, "Received: patch_grid='23'"),
    ],
    ids=str,
)
def test_what_does_not_fit_the_output_is_refused(volume_model, layer, options, error, message):
    with pytest.raises(error, match=re.escape(message)):
        kerasviz.plot_feature_maps(volume_model, layer, np.zeros((4, 7, 6)), **options)


def test_more_patches_than_tokens_are_refused(tokens):
    leading, model = tokens
    message = f"whose channels have the shape ({leading + 6},). Received: patch_grid=(3, 3)"
    with pytest.raises(ValueError, match=re.escape(message)):
        kerasviz.plot_feature_maps(model, "tokens", np.zeros((6, 9)), patch_grid=(3, 3))
