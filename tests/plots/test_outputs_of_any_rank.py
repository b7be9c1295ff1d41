"""Feature maps that are no images: vectors, sequences, volumes, frames and tokens."""

import itertools
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


def test_plot_feature_maps_draws_a_vector_as_strips_of_one_tile_per_value(
    plot_feature_maps, compute
):
    model = model_of((5,), keras.layers.Dense(70, name="dense"))
    inputs, output = compute(model)
    plot = plot_feature_maps(model, "dense", inputs, labels=True, kind="rows")
    array = plot.images[0].get_array()
    assert array.shape == (2 * 3 - 1, 2 * 32 - 1)
    np.testing.assert_allclose(array[::2, ::2].ravel()[:70], output, rtol=1e-5)
    assert array.count() == 70
    ax = plot.axes[0]
    assert ax.get_title() == "dense: 70 values"
    # A strip has no room for a number above each value: each row begins with that of its first one.
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0", "32", "64"]
    assert ax.format_coord(0.5, 0.5).startswith("tile 0, row 0, column 0: ")
    subset = plot_feature_maps(model, "dense", inputs, tiles=[7, 3], columns=1, kind="rows")
    np.testing.assert_allclose(subset.images[0].get_array()[::2, 0], output[[7, 3]], rtol=1e-5)
    assert subset.axes[0].get_title() == "dense: values 3, 7 of 70"


def test_plot_feature_maps_draws_a_sequence_as_one_row_per_channel(
    plot_feature_maps, read_tiles, compute
):
    model = model_of((20, 2), keras.layers.Conv1D(6, 3, name="sequence"))
    inputs, output = compute(model)
    plot = plot_feature_maps(model, "sequence", inputs, kind="rows")
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
def test_plot_feature_maps_draws_a_volume_as_one_group_of_slices_per_channel(
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
def test_plot_feature_maps_draws_the_chosen_slices_and_says_so(
    plot_feature_maps, read_tiles, read_title, volume_model, volume, slices, numbers, note
):
    inputs, output = volume
    plot = plot_feature_maps(volume_model, "volume", inputs, slices=slices, tiles=[2, 0])
    shown = read_tiles(plot.images[0], 6, 5)
    expected = [output[part, :, :, number] for number in (2, 0) for part in numbers]
    np.testing.assert_allclose(shown, expected, rtol=1e-4, atol=1e-5)
    assert read_title(plot.axes[0]) == f"volume: feature maps 0, 2 of 3, 3×6×5 {note}"


def test_plot_feature_maps_tells_the_index_of_a_chosen_slice_on_hovering(
    plot_feature_maps, volume_model, volume
):
    inputs, output = volume
    plot = plot_feature_maps(volume_model, "volume", inputs, slices=[0, 2], tiles=[1])
    ax = plot.axes[0]
    place, value = ax.format_coord(ax.get_xlim()[1] - 0.5, 3.5).split(": ")
    assert place == "tile 1, slice 2, row 3, column 4"
    assert float(value) == pytest.approx(output[2, 3, 4, 1], abs=1e-3)


@pytest.mark.parametrize("sort", ["norm", "mean"])
def test_plot_feature_maps_draws_the_strongest_volume_first_with_all_its_slices(
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


def test_plot_feature_maps_draws_the_slices_of_a_volume_on_one_scale(
    plot_feature_maps, read_tiles, volume_model, volume
):
    inputs, output = volume
    plot = plot_feature_maps(volume_model, "volume", inputs, scale="tile")
    shown = read_tiles(plot.images[0], 6, 5).reshape(3, 3, 6, 5)
    by_channel = np.moveaxis(output, -1, 0)
    reach = np.abs(by_channel).max(axis=(1, 2, 3), keepdims=True)
    np.testing.assert_allclose(shown, by_channel / reach, rtol=1e-4, atol=1e-5)


def test_plot_feature_maps_draws_a_large_volume(plot_feature_maps, pixels):
    model = model_of((2, 16, 16, 1), keras.layers.Conv3D(4, 1, name="volume"))
    plot = plot_feature_maps(model, "volume", np.ones((1, 2, 16, 16, 1)))
    assert pixels(plot.figure).size
    assert plot.images[0].get_array().count() == 2 * 16 * 16 * 4


def test_plot_feature_maps_draws_outputs_of_several_ranks_side_by_side(
    plot_feature_maps, volume_model, volume
):
    plot = plot_feature_maps(volume_model, ["flat", "volume"], volume[0])
    titles = [ax.get_title() for ax in plot.axes]
    assert titles == ["flat: 10 largest of 270 values", "volume: 3 feature maps, 3×6×5"]


@pytest.mark.few(2)
@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.TimeDistributed(keras.layers.Conv2D(2, 3), name="frames"),
        keras.layers.ConvLSTM2D(2, 3, return_sequences=True, name="frames"),
    ],
    ids=["time-distributed", "ConvLSTM"],
)
@pytest.mark.parametrize("slices", [None, [0, 3]], ids=str)
def test_plot_feature_maps_draws_the_frames_of_a_video_as_slices(
    plot_feature_maps, read_tiles, compute, layer, slices
):
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


def test_plot_feature_maps_lays_tokens_out_as_the_image_that_they_stand_for(
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


def test_plot_feature_maps_draws_tokens_as_a_sequence_without_a_patch_grid(
    plot_feature_maps, read_tiles, compute, tokens
):
    leading, model = tokens
    inputs, output = compute(model)
    plot = plot_feature_maps(model, "tokens", inputs, kind="rows")
    shown = read_tiles(plot.images[0], 1, leading + 6)
    np.testing.assert_allclose(shown[:, 0], output.T, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("sample", [0, 1])
def test_plot_feature_maps_draws_the_tokens_of_each_sample(
    plot_feature_maps, read_tiles, tokens, rng, sample
):
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
def test_plot_feature_maps_refuses_what_does_not_fit_the_output(
    volume_model, layer, options, error, message
):
    with pytest.raises(error, match=re.escape(message)):
        kerasviz.plot_feature_maps(volume_model, layer, np.zeros((4, 7, 6)), **options)


def test_plot_feature_maps_refuses_more_patches_than_tokens(tokens):
    leading, model = tokens
    message = f"whose channels have the shape ({leading + 6},). Received: patch_grid=(3, 3)"
    with pytest.raises(ValueError, match=re.escape(message)):
        kerasviz.plot_feature_maps(model, "tokens", np.zeros((6, 9)), patch_grid=(3, 3))


# Rows that are not samples


@pytest.fixture(scope="module")
def folded():
    """Three images of a sample are folded into the batch, so that "conv" returns three rows."""
    inputs = keras.Input((3, 8, 8, 1))
    images = keras.ops.reshape(inputs, (-1, 8, 8, 1))
    conv = keras.layers.Conv2D(2, 3, name="conv")
    means = keras.ops.mean(keras.ops.reshape(conv(images), (-1, 3, 72)), axis=1)
    return keras.Model(inputs, keras.layers.Dense(1)(means)), conv


@pytest.mark.parametrize("sample", [1, [1], -1], ids=str)
def test_plot_feature_maps_draws_all_rows_of_one_sample(
    plot_feature_maps, read_tiles, rng, folded, sample
):
    model, conv = folded
    inputs = rng.normal(size=(2, 3, 8, 8, 1)).astype("float32")
    expected = keras.ops.convert_to_numpy(conv(inputs[1]))
    plot = plot_feature_maps(model, "conv", inputs, sample=sample)
    shown = read_tiles(plot.images[0], 6, 6).reshape(3, 2, 6, 6)
    np.testing.assert_allclose(shown, np.moveaxis(expected, -1, 1), rtol=1e-4, atol=1e-5)
    ax = plot.axes[0]
    assert ax.get_title() == "conv: 2 feature maps, 6×6\n3 rows, sample 1 of 2"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0", "1", "2"]
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("row", "feature map")


@pytest.mark.parametrize("sample", ["all", [0, 1]], ids=str)
def test_plot_feature_maps_does_not_draw_rows_as_samples_that_are_none(folded, sample):
    message = (
        "`sample` must be one index for 'conv': its output has 6 rows for 2 samples, so its rows "
        "are not samples. get_feature_maps returns all rows."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        kerasviz.plot_feature_maps(folded[0], "conv", np.ones((2, 3, 8, 8, 1)), sample=sample)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"overlay": np.ones((8, 8))}, "`overlay` takes layers with one row per sample."),
        ({"columns": 2}, "`columns` cannot be given for 'conv', whose rows are not samples"),
    ],
    ids=["overlay", "columns"],
)
def test_plot_feature_maps_refuses_what_a_table_of_rows_cannot_have(folded, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        kerasviz.plot_feature_maps(folded[0], "conv", np.ones((2, 3, 8, 8, 1)), **options)


def test_plot_convolution_refuses_a_step_of_a_row_that_is_not_a_sample(folded):
    with pytest.raises(ValueError, match="3 rows for one sample, so its rows are not samples"):
        kerasviz.plot_convolution(folded[0], "conv", np.ones((2, 3, 8, 8, 1)), position=(0, 0))


class Tokens(keras.layers.Layer):
    """Adds a table of positions, which has no axis of samples, to tokens."""

    def __init__(self):
        super().__init__(name="tokens")
        self.dense = keras.layers.Dense(8, name="dense")
        self.positions = keras.layers.Embedding(4, 8, name="positions")

    def call(self, x):
        return self.dense(x) + self.positions(keras.ops.arange(4))


@pytest.fixture(scope="module")
def tokens_model():
    inputs = keras.Input((4, 6))
    return keras.Model(inputs, Tokens()(inputs))


@pytest.mark.parametrize("samples", [1, 2, 4])
def test_plot_feature_maps_draws_the_whole_of_a_table_without_an_axis_of_samples(
    plot_feature_maps, tokens_model, samples
):
    table = tokens_model.get_layer("tokens").positions.get_weights()[0]
    x = np.ones((samples, 4, 6), "float32")
    plot = plot_feature_maps(tokens_model, "tokens/positions", x, sample=-1)
    shown = plot.images[0].get_array().compressed().reshape(4, 8)
    np.testing.assert_allclose(shown, table, rtol=1e-6)
    assert plot.axes[0].get_title() == "tokens/positions: 8 values\n4 rows"


def test_plot_feature_maps_does_not_take_a_table_for_samples_of_that_number(tokens_model):
    message = "its output has no axis of samples, so its rows are not samples"
    for samples in ("all", [0, 1, 2, 3]):
        with pytest.raises(ValueError, match=message):
            kerasviz.plot_feature_maps(
                tokens_model, "tokens/positions", np.ones((4, 4, 6)), sample=samples
            )


# What a shape does not tell


@pytest.fixture(scope="module")
def mask_model():
    """Returns a mask `(samples, height, width)`."""
    inputs = keras.Input((9, 7, 1))
    maps = keras.layers.Conv2D(3, 3, padding="same", name="conv")(inputs)
    return keras.Model(inputs, keras.layers.Reshape((9, 7), name="mask")(maps[..., 1]))


def test_plot_feature_maps_draws_a_mask_as_one_picture_per_sample(
    plot_feature_maps, read_tiles, read_title, rng, mask_model
):
    inputs = rng.normal(size=(3, 9, 7, 1)).astype("float32")
    expected = keras.ops.convert_to_numpy(mask_model(inputs))
    plot = plot_feature_maps(mask_model, "mask", inputs, sample=1, kind="image")
    np.testing.assert_allclose(
        read_tiles(plot.images[0], 9, 7), expected[[1]], rtol=1e-4, atol=1e-5
    )
    assert read_title(plot.axes[0]) == "mask: 1 feature map, 9×7 sample 1 of 3"
    table = plot_feature_maps(mask_model, "mask", inputs, sample="all", kind="image")
    shown = read_tiles(table.images[0], 9, 7)
    np.testing.assert_allclose(shown, expected, rtol=1e-4, atol=1e-5)
    assert table.axes[0].get_xticklabels()[0].get_text() == "input"
    over = plot_feature_maps(mask_model, "mask", inputs, overlay=True, kind="image")
    assert "over the 9×7 input" in read_title(over.axes[0])


@pytest.mark.parametrize("kind", [None, "rows", "lines"])
def test_plot_feature_maps_draws_three_axes_as_a_sequence_unless_told_otherwise(
    plot_feature_maps, read_tiles, mask_model, kind
):
    plot = plot_feature_maps(mask_model, "mask", np.ones((9, 7)), kind=kind)
    assert plot.axes[0].get_title() == "mask: 7 feature maps, 9 steps"
    if kind != "rows":
        assert plot.panels[0].values.shape == (7, 9)
        return
    assert read_tiles(plot.images[0], 1, 9).shape == (7, 1, 9)


def test_plot_feature_maps_draws_axes_before_height_and_width_as_slices(
    plot_feature_maps, read_tiles, rng
):
    model = model_of((5, 6, 2), keras.layers.Permute((3, 1, 2), name="heads"))
    inputs = rng.normal(size=(1, 5, 6, 2)).astype("float32")
    plot = plot_feature_maps(model, "heads", inputs, kind="image")
    shown = read_tiles(plot.images[0], 5, 6)
    np.testing.assert_allclose(shown, np.moveaxis(inputs[0], -1, 0), rtol=1e-6)
    assert plot.axes[0].get_title() == "heads: 1 feature map, 2×5×6"


def test_plot_feature_maps_does_not_turn_an_image_of_a_channels_first_model(
    plot_feature_maps, read_tiles, rng
):
    inputs = keras.Input((1, 5, 6))
    flat = keras.layers.Reshape((5, 6), name="flat")(
        keras.layers.AveragePooling2D(1, data_format="channels_first")(inputs)
    )
    x = rng.normal(size=(1, 1, 5, 6)).astype("float32")
    plot = plot_feature_maps(keras.Model(inputs, flat), "flat", x, kind="image")
    np.testing.assert_allclose(read_tiles(plot.images[0], 5, 6), x[0], rtol=1e-6)


@pytest.mark.parametrize(
    ("layer", "options", "message"),
    [
        ("conv", {"kind": "imge"}, "Did you mean 'image'? Received: kind='imge'"),
        (
            "conv",
            {"kind": 2},
            "'lines', 'rows', 'bars', 'image', 'labels' or None. Received: kind=2",
        ),
        ("conv", {"kind": "rows"}, "Received: kind='rows', for 'conv', whose output has 4 axes"),
        ("flat", {"kind": "image"}, "Received: kind='image', for 'flat', whose output has 2 axes"),
        ("mask", {"kind": "image", "patch_grid": (3, 3)}, "`kind` and `patch_grid` cannot both"),
        ("mask", {"kind": "image", "tiles": 1}, "`tiles` must be between -1 and 0"),
    ],
    ids=str,
)
def test_plot_feature_maps_refuses_a_kind_that_does_not_fit(mask_model, layer, options, message):
    flat = keras.layers.Flatten(name="flat")(mask_model.output)
    model = keras.Model(mask_model.input, flat)
    with pytest.raises(ValueError, match=re.escape(message)):
        kerasviz.plot_feature_maps(model, layer, np.zeros((9, 7)), **options)


class Complex(keras.layers.Layer):
    """Makes complex numbers of real ones, as a Fourier transform does."""

    def call(self, x):
        return keras.ops.view_as_complex(keras.ops.stack([x, 2.0 * x], axis=-1))

    def compute_output_spec(self, x):
        return keras.KerasTensor(x.shape, "complex64")


@pytest.mark.skipif(
    not hasattr(keras.ops, "view_as_complex"), reason="this Keras makes no complex numbers"
)
def test_plot_feature_maps_draws_the_magnitudes_of_complex_values(
    plot_feature_maps, read_tiles, read_title, rng
):
    model = model_of((8, 7, 2), Complex(name="complex"))
    inputs = rng.normal(size=(1, 8, 7, 2)).astype("float32")
    plot = plot_feature_maps(model, "complex", inputs, sort="mean")
    expected = np.moveaxis(np.sqrt(5) * np.abs(inputs[0]), -1, 0)
    order = np.argsort(-expected.mean(axis=(1, 2)))
    shown = read_tiles(plot.images[0], 8, 7)
    np.testing.assert_allclose(shown, expected[order], rtol=1e-5)
    assert "magnitudes of complex values" in read_title(plot.axes[0])
    assert plot.images[0].get_clim()[0] == 0


# Rows are high enough


def heights(plot, count):
    """Return the heights of the rows of tiles as they are drawn, in pixels."""
    plot.figure.canvas.draw()
    image = plot.images[0]
    shown = ~np.ma.getmaskarray(image.get_array()).all(axis=1)
    assert shown.sum() == count
    edges = image.axes.transData.transform([(0, y) for y in image._edges[0]])[:, 1]
    return -np.diff(edges)[shown]


@pytest.mark.parametrize(("steps", "channels"), [(485, 16), (3000, 1), (40, 6), (100, 700)])
def test_plot_feature_maps_draws_a_row_of_a_sequence_high_enough_to_be_seen(
    plot_feature_maps, steps, channels
):
    model = model_of((steps, 1), keras.layers.Conv1D(channels, 1, name="k"))
    plot = plot_feature_maps(
        model, "k", np.linspace(-1, 1, steps), tiles=range(channels), kind="rows"
    )
    columns = round((plot.images[0].get_array().shape[1] + 1) / (steps + 1))
    assert heights(plot, -(-channels // columns)).min() >= 9.99


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("steps", "channels", "samples"), [(485, 16, 3), (485, 3, 40), (3000, 64, 2), (5, 4, 12)]
)
def test_plot_feature_maps_names_every_row_of_a_table_of_sequences(
    plot_feature_maps, rng, steps, channels, samples
):
    model = model_of((steps, 1), keras.layers.Conv1D(channels, 1, name="k"))
    inputs = rng.normal(size=(samples, steps, 1))
    plot = plot_feature_maps(model, "k", inputs, sample="all")
    assert heights(plot, samples).min() >= 9.99
    labels = plot.axes[0].get_yticklabels()
    assert [label.get_text() for label in labels] == [str(n) for n in range(samples)]
    boxes = [label.get_window_extent() for label in labels]
    assert all(a.y0 >= b.y1 - 1 for a, b in itertools.pairwise(boxes))


@pytest.mark.parametrize("channels", [5, 300])
def test_plot_feature_maps_names_every_row_of_a_table_of_values(plot_feature_maps, rng, channels):
    model = model_of((6,), keras.layers.Dense(channels, name="dense"))
    inputs = rng.normal(size=(30, 6)).astype("float32")
    plot = plot_feature_maps(model, "dense", inputs, sample="all", tiles=range(channels))
    labels = plot.axes[0].get_yticklabels()
    assert [label.get_text() for label in labels] == [str(n) for n in range(30)]
    expected = keras.ops.convert_to_numpy(model(inputs))
    shown = plot.images[0].get_array().compressed().reshape(30, channels)
    np.testing.assert_allclose(shown, expected, rtol=1e-4, atol=1e-5)
    ax = plot.axes[0]
    y, x = ax.get_yticks()[7], ax.get_xticks()[0]
    assert ax.format_coord(x, y).startswith("sample 7, value 0, row 0, column 0: ")


def test_plot_feature_maps_names_every_row_of_small_maps_of_many_channels(plot_feature_maps, rng):
    model = model_of((7, 7, 2), keras.layers.Conv2D(200, 1, name="conv"))
    inputs = rng.normal(size=(6, 7, 7, 2))
    plot = plot_feature_maps(model, "conv", inputs, sample="all", tiles=range(200))
    labels = plot.axes[0].get_yticklabels()
    assert [label.get_text() for label in labels] == list("012345")
