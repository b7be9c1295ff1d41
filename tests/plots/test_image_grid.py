"""Several images against the same feature maps."""

import re
from itertools import pairwise

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from scipy.signal import correlate2d

import kerasviz

STRONGEST = 0.85
"""The opacity of the strongest value, and its colour where it is positive or negative."""
POSITIVE = "#ff4000"

NAMES = ["boot", "bag", "shirt", "coat"]


@pytest.fixture
def images(rng):
    return rng.uniform(size=(4, 12, 12, 1)).astype("float32")


@pytest.fixture
def first_maps(grey_model):
    """Compute the maps `(samples, channels, height, width)` of the layer "first" without Keras."""
    kernel, bias = grey_model.get_layer("first").get_weights()

    def compute(images):
        return np.array(
            [
                [correlate2d(x[..., 0], kernel[:, :, 0, n], "valid") + bias[n] for n in range(4)]
                for x in images
            ]
        )

    return compute


@pytest.fixture
def compute_second(grey_model):
    """Compute the maps of the layer "second" `(samples, channels, height, width)` by its call."""

    def compute(images):
        below = grey_model.get_layer("first")(images)
        maps = keras.ops.convert_to_numpy(grey_model.get_layer("second")(below))
        return np.moveaxis(maps, -1, 1)

    return compute


@pytest.fixture
def read_table(read_tiles):
    """Read the values of a table, `(rows, columns, height, width)`."""

    def read(plot, rows, height, width, panel=0):
        tiles = read_tiles(plot.images[panel], height, width)
        return tiles.reshape(rows, -1, height, width)

    return read


def labels(ticks):
    return [label.get_text() for label in ticks]


@pytest.mark.parametrize(
    ("sample", "numbers"),
    [
        ([0, 3], [0, 3]),
        ([2], [2]),
        ((-1, 0, 0), [3, 0, 0]),
        (slice(1, 3), [1, 2]),
        (slice(None), [0, 1, 2, 3]),
        ("all", [0, 1, 2, 3]),
        (np.array([3, 1]), [3, 1]),
        (range(2), [0, 1]),
    ],
    ids=str,
)
def test_plot_feature_maps_draws_one_row_per_sample_and_one_column_per_map(
    plot_feature_maps, read_table, read_title, grey_model, images, first_maps, sample, numbers
):
    plot = plot_feature_maps(grey_model, "first", images, sample=sample)
    expected = first_maps(images[numbers])
    shown = read_table(plot, len(numbers), 10, 11)
    np.testing.assert_allclose(shown, expected, rtol=1e-4, atol=1e-5)
    ax = plot.axes[0]
    assert labels(ax.get_yticklabels()) == [str(number) for number in numbers]
    assert labels(ax.get_xticklabels()) == ["input", "0", "1", "2", "3"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("feature map", "sample")
    count = "4" if len(numbers) == 4 else f"{len(numbers)} of 4"
    assert read_title(ax) == f"first: 4 feature maps, 10×11 {count} samples"
    assert repr(plot) == "Plot(first: 4 feature maps, 10×11)"


def test_plot_feature_maps_begins_a_row_with_its_picture(
    plot_feature_maps, pixels, grey_model, images
):
    plot = plot_feature_maps(grey_model, "first", images, sample=[0, 2, 3])
    ax = plot.axes[0]
    rendered = pixels(plot.figure)[::-1, :, :3] / 255
    left = ax.get_xticks()[0] - 6
    for row, number in enumerate([0, 2, 3]):
        top = ax.get_yticks()[row] - 6
        y, x = np.mgrid[:12, :12] + 0.5
        points = np.stack([left + x.ravel(), top + y.ravel()], axis=1)
        columns, rows = ax.transData.transform(points).astype(int).T
        shown = rendered[rows, columns].reshape(12, 12, 3)
        expected = np.broadcast_to(images[number], (12, 12, 3))
        np.testing.assert_allclose(shown, expected, atol=0.006)
    assert ax.get_xlim()[0] == pytest.approx(left)
    assert -left > 12


def test_plot_feature_maps_draws_a_color_picture_in_its_colors(plot_feature_maps, rgb_model, rng):
    photos = rng.integers(0, 256, size=(2, 10, 10, 3), dtype="uint8")
    plot = plot_feature_maps(rgb_model, "color", photos, sample="all")
    column = next(image for image in plot.axes[0].images if image is not plot.images[0])
    shown = column.get_array()[..., :3]
    np.testing.assert_array_equal(shown[:10], photos[0])
    np.testing.assert_array_equal(shown[-10:], photos[1])


def test_plot_feature_maps_draws_a_table_on_one_scale_with_a_bar_for_the_maps_alone(
    plot_feature_maps, grey_model, images, first_maps
):
    plot = plot_feature_maps(grey_model, "first", 100 * images, sample=[0, 1])
    reach = np.abs(first_maps(100 * images[:2])).max()
    (image,), (bar,) = plot.images, plot.colorbars
    assert image.get_clim() == pytest.approx((-reach, reach), rel=1e-4)
    assert bar.mappable is image
    assert len(plot.colorbars) == 1


def test_plot_feature_maps_draws_each_tile_of_a_table_on_its_own_scale(
    plot_feature_maps, read_table, grey_model, images, first_maps
):
    plot = plot_feature_maps(grey_model, "first", images, sample=[0, 1], scale="tile")
    maps = first_maps(images[:2])
    expected = maps / np.abs(maps).max(axis=(2, 3), keepdims=True)
    np.testing.assert_allclose(read_table(plot, 2, 10, 11), expected, rtol=1e-4, atol=1e-5)
    assert plot.colorbars == (None,)


@pytest.mark.parametrize("sort", ["norm", "mean"])
def test_plot_feature_maps_sorts_maps_by_all_the_samples_that_are_drawn(
    plot_feature_maps, read_table, read_title, grey_model, images, compute_second, sort
):
    chosen = [5, 0, 3, 1]
    images[3], images[1] = 0.1 * images[3, ::-1] - 0.6, 2 * images[1]
    second_maps = compute_second(images)
    plot = plot_feature_maps(grey_model, "second", images, sample=[3, 1], sort=sort, tiles=chosen)
    maps = second_maps[[3, 1]]
    strength = {
        n: np.sqrt((maps[:, n] ** 2).sum()) if sort == "norm" else maps[:, n].mean() for n in chosen
    }
    order = sorted(chosen, key=lambda n: -strength[n])
    assert order != sorted(chosen, key=lambda n: -np.linalg.norm(maps[0, n]))
    assert labels(plot.axes[0].get_xticklabels()) == ["input", *map(str, order)]
    expected = maps[:, order]
    np.testing.assert_allclose(read_table(plot, 2, 8, 9), expected, rtol=1e-4, atol=1e-4)
    assert read_title(plot.axes[0]).startswith(
        "second: feature maps 0, 1, 3, 5 of 6, 8×9 2 of 4 samples"
    )


def test_plot_feature_maps_marks_and_counts_a_map_that_is_constant_for_a_sample(
    plot_feature_maps, read_title, grey_model, images
):
    plot = plot_feature_maps(grey_model, "second", images, sample=[0, 1], tiles=[1, 2])
    assert read_title(plot.axes[0]).endswith("2 of 4 samples, 2 constant tiles (×)")
    (cross,) = plot.axes[0].collections
    assert {segment[:, 0].min() for segment in cross.get_segments()} == {13}


def test_plot_feature_maps_names_rows(plot_feature_maps, read_title, grey_model, images):
    plot = plot_feature_maps(grey_model, "first", images, sample=[3, 0], sample_names=NAMES)
    ax = plot.axes[0]
    assert labels(ax.get_yticklabels()) == ["coat", "boot"]
    x, y = 13 + 0.5, 13 + 6.0
    assert ax.format_coord(x, y).startswith("sample boot, feature map 1, row 5, column 0: ")
    one = plot_feature_maps(grey_model, "first", images, sample=3, sample_names=NAMES)
    assert read_title(one.axes[0]) == "first: 4 feature maps, 10×11 sample 3 of 4, coat"


def test_plot_feature_maps_tells_sample_map_and_value_at_the_cursor(
    plot_feature_maps, grey_model, images, first_maps
):
    plot = plot_feature_maps(grey_model, "first", images, sample=[1, 3])
    ax = plot.axes[0]
    value = first_maps(images)[3, 2, 9, 0]
    place, shown = ax.format_coord(26.5, 13 + 11.9).split(": ")
    assert place == "sample 3, feature map 2, row 9, column 0"
    assert float(shown) == pytest.approx(value, abs=1e-3)
    assert ax.format_coord(ax.get_xlim()[0] + 1, 5) == ""


def test_plot_feature_maps_draws_each_map_over_the_picture_of_its_row(
    plot_feature_maps, pixels, read_table, read_title, rng
):
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            keras.layers.Conv2D(2, 1, use_bias=False),
            keras.layers.AveragePooling2D(3, name="pool"),
        ]
    )
    model.set_weights([np.reshape([1.0, 0.4], (1, 1, 1, 2))])
    images = rng.uniform(size=(3, 12, 12, 1)).astype("float32")
    plot = plot_feature_maps(model, "pool", images, sample=[2, 0], overlay=True)
    means = images[[2, 0], ..., 0].reshape(2, 4, 3, 4, 3).mean(axis=(2, 4))
    maps = np.stack([means, 0.4 * means], axis=1)
    np.testing.assert_allclose(read_table(plot, 2, 4, 4), maps, rtol=1e-5)
    rendered = pixels(plot.figure)[::-1, :, :3] / 255
    ax = plot.axes[0]
    for (row, column), _ in np.ndenumerate(maps[:, :, 0, 0]):
        y, x = np.mgrid[:12, :12] + 0.5
        points = np.stack([13 * column + x.ravel(), 13 * row + y.ravel()], axis=1)
        columns, rows = ax.transData.transform(points).astype(int).T
        shown = rendered[rows, columns].reshape(12, 12, 3)
        strength = np.kron(maps[row, column], np.ones((3, 3)))[..., np.newaxis] / maps.max()
        opacity = STRONGEST * strength
        expected = opacity * np.array(to_rgb(POSITIVE)) + (1 - opacity) * images[[2, 0][row]]
        np.testing.assert_allclose(shown, expected, atol=0.015)
    assert len(ax.images) == 3
    note = "2 of 3 samples, over the 12×12 input, opacity by strength"
    assert read_title(ax) == f"pool: 2 feature maps, 4×4 {note}"


def test_plot_feature_maps_draws_the_callers_photos_in_the_rows(
    plot_feature_maps, grey_model, images, rng
):
    photos = rng.integers(0, 256, size=(4, 20, 20, 3), dtype="uint8")
    plot = plot_feature_maps(grey_model, "first", images, sample=[3, 1], picture=photos)
    ax = plot.axes[0]
    column = next(image for image in ax.images if image is not plot.images[0])
    np.testing.assert_array_equal(column.get_array()[:20, :20, :3], photos[3])
    np.testing.assert_array_equal(column.get_array()[-20:, :20, :3], photos[1])
    assert labels(ax.get_xticklabels())[0] == "picture"
    over = plot_feature_maps(grey_model, "first", images, sample=[3, 1], overlay=photos)
    np.testing.assert_array_equal(over.axes[0].images[0].get_array()[:20, :20, :3], photos[3])
    message = "one for each of the 4 samples in `inputs`, or one where one sample is drawn"
    with pytest.raises(ValueError, match=re.escape(message)):
        kerasviz.plot_feature_maps(grey_model, "first", images, sample=[3, 1], overlay=photos[0])


def test_plot_feature_maps_draws_the_tables_of_several_layers_below_one_another(
    plot_feature_maps, grey_model, images
):
    plot = plot_feature_maps(grey_model, None, images, sample=[0, 1, 2], scale="figure")
    first, second = plot.axes
    assert first.get_position().y0 > second.get_position().y1
    assert plot.images[0].get_clim() == plot.images[1].get_clim()


def test_plot_feature_maps_draws_one_column_per_value_of_a_vector(
    plot_feature_maps, read_table, images
):
    head = keras.layers.Dense(5, name="dense")
    model = keras.Sequential([keras.Input((12, 12, 1)), keras.layers.Flatten(), head])
    plot = plot_feature_maps(model, "dense", images, sample=[0, 2])
    expected = keras.ops.convert_to_numpy(model(images))[[0, 2]]
    shown = read_table(plot, 2, 1, 1)[..., 0, 0]
    np.testing.assert_allclose(shown, expected, rtol=1e-4, atol=1e-5)
    ax = plot.axes[0]
    assert ax.get_xlabel() == "value"
    assert labels(ax.get_xticklabels()) == ["input", "0", "1", "2", "3", "4"]
    assert ax.get_ylim()[0] == pytest.approx(25)


def test_plot_feature_maps_draws_a_table_without_pictures_for_other_inputs(plot_feature_maps, rng):
    model = keras.Sequential([keras.Input((6, 2)), keras.layers.Conv1D(3, 2, name="c")])
    inputs = rng.normal(size=(3, 6, 2)).astype("float32")
    plot = plot_feature_maps(model, "c", inputs, sample="all")
    expected = keras.ops.convert_to_numpy(model(inputs))
    ax = plot.axes[0]
    assert list(ax.images) == [plot.images[0]]
    assert labels(ax.get_xticklabels()) == ["0", "1", "2"]
    tiles = plot.images[0].get_array().compressed().reshape(3, 3, 5)
    np.testing.assert_allclose(tiles, np.moveaxis(expected, 2, 1), rtol=1e-4, atol=1e-5)


def test_plot_feature_maps_draws_volumes_as_groups_of_slices_in_a_row(plot_feature_maps, rng):
    model = keras.Sequential(
        [keras.Input((2, 5, 5, 1)), keras.layers.Conv3D(3, (1, 2, 2), name="c")]
    )
    inputs = rng.normal(size=(3, 2, 5, 5, 1)).astype("float32")
    plot = plot_feature_maps(model, "c", inputs, sample=[2, 0], slices=1, tiles=[2, 1])
    expected = keras.ops.convert_to_numpy(model(inputs))[[2, 0], 1][..., [2, 1]]
    shown = plot.images[0].get_array()
    for row in range(2):
        for column in range(2):
            tile = shown[5 * row : 5 * row + 4, 5 * column : 5 * column + 4]
            np.testing.assert_allclose(tile, expected[row, ..., column], rtol=1e-4, atol=1e-5)


class Batches(keras.layers.Layer):
    """Lists the batches that it is called on; it looks at a value, so that it runs in Python."""

    def __init__(self, batches):
        super().__init__()
        self.write = batches.append  # a look puts back what a layer itself has written down

    def call(self, x):
        assert float(keras.ops.max(x)) > -np.inf
        self.write(keras.ops.convert_to_numpy(x))
        return x

    def compute_output_shape(self, shape):
        return shape


def test_plot_feature_maps_computes_only_the_samples_that_are_drawn_and_at_once(
    plot_feature_maps, grey_model, images
):
    batches = []
    inputs = keras.Input((12, 12, 1))
    model = keras.Model(inputs, grey_model(Batches(batches)(inputs)))
    plot_feature_maps(model, None, images, sample=[3, 1])
    (batch,) = batches
    np.testing.assert_array_equal(batch, images[[3, 1]])


# Layout


def outside(figure):
    """Return the text and axes that stick out of a figure."""
    figure.draw_without_rendering()
    width, height = figure.bbox.size
    boxes = [ax.get_tightbbox() for ax in figure.axes]
    return [
        box
        for box in boxes
        if not (box.x0 >= -1 and box.x1 <= width + 1 and box.y0 >= -1 and box.y1 <= height + 1)
    ]


def model_of(channels, side=14):
    return keras.Sequential(
        [keras.Input((side, side, 1)), keras.layers.Conv2D(channels, 3, name="conv")]
    )


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("channels", "samples", "side"),
    [(64, 3, 14), (3, 12, 14), (1, 1, 14), (40, 40, 14), (5, 2, 90)],
)
@pytest.mark.parametrize("overlay", [False, True])
def test_plot_feature_maps_drops_nothing_and_clips_nothing_of_a_table(
    plot_feature_maps, channels, samples, side, overlay
):
    inputs = np.random.default_rng(0).uniform(size=(samples, side, side, 1))
    names = [f"name {n}" for n in range(samples)]
    plot = plot_feature_maps(
        model_of(channels, side), "conv", inputs, sample="all", sample_names=names, overlay=overlay
    )
    assert outside(plot.figure) == []
    values = plot.images[0].get_array()
    assert values.count() == samples * channels * (side - 2) ** 2
    ax = plot.axes[0]
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert all(a.x1 < b.x0 for a, b in pairwise(boxes))
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert all(a.y0 >= b.y1 - 1 for a, b in pairwise(boxes))


def test_plot_feature_maps_makes_a_table_wide_enough_for_its_pictures(
    plot_feature_maps,
):
    inputs = np.random.default_rng(0).uniform(size=(3, 14, 14, 1))
    plot = plot_feature_maps(model_of(64), "conv", inputs, sample="all")
    ax = plot.axes[0]
    assert labels(ax.get_xticklabels()) == ["input", *map(str, range(64))]
    (left, _), (right, _) = ax.transData.transform([(0, 0), (14, 0)])
    assert 0.2 < (right - left) / plot.figure.dpi < 0.4
    assert plot.figure.get_size_inches()[0] < 24


def test_plot_feature_maps_fits_a_table_into_the_callers_axes(
    plot_feature_maps, grey_model, images
):
    figure = Figure(figsize=(6, 3), layout="constrained")
    ax, other = figure.subplots(1, 2)
    plot = plot_feature_maps(grey_model, "first", images, sample="all", ax=ax)
    assert plot.axes == (ax,)
    assert outside(figure) == []
    assert ax.get_tightbbox().x1 < other.get_window_extent().x0
    figure = Figure(figsize=(6, 6))
    plot = plot_feature_maps(grey_model, None, images, sample=[0, 1], figure=figure)
    upper, lower = plot.axes
    assert upper.get_window_extent().y0 > lower.get_window_extent().y1


# Mistakes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": 3}, "`columns` cannot be given with several samples, where each map has a"),
        ({"sample_names": ["one"]}, "`sample_names` must have a name for each of the 4 samples"),
        ({"sample_names": "four"}, "Received: sample_names='four'"),
        ({"sample_names": 4}, "Received: sample_names=4"),
        ({"picture": np.zeros((3, 5, 5))}, "Received: 3 for 2 drawn"),
        ({"tiles": 7}, "`tiles` must be between -4 and 3, since 'first' has 4. Received: 7"),
    ],
    ids=str,
)
def test_plot_feature_maps_refuses_a_mistake_about_samples(
    monkeypatch, grey_model, images, options, message
):
    model = keras.models.clone_model(grey_model)  # which nothing has run yet
    monkeypatch.setattr(keras.Layer, "__call__", None)
    with pytest.raises(ValueError, match=re.escape(message)):
        kerasviz.plot_feature_maps(model, "first", images, sample=[0, 1], **options)
    assert not plt.get_fignums()


def test_plot_feature_maps_leaves_the_inputs_of_a_table_as_they_are(
    plot_feature_maps, grey_model, images
):
    before = images.copy()
    images.flags.writeable = False
    for overlay in (False, True):
        plot_feature_maps(grey_model, "first", images, sample="all", overlay=overlay)
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize("sample", [[0, 1], 0], ids=str)
def test_plot_feature_maps_draws_names_of_samples_letter_by_letter(
    plot_feature_maps, pixels, grey_model, images, sample
):
    names = ["file_$1_to_$2.png", r"$\alpha$", "c", "d"]
    ax = plot_feature_maps(grey_model, "first", images, sample=sample, sample_names=names).axes[0]
    words = labels(ax.get_yticklabels()) if sample else [ax.get_title().split(", ")[-1]]
    assert words == [name.replace("$", r"\$") for name in names[: len(words)]]
    assert pixels(ax.figure).size
    mine = plot_feature_maps(grey_model, "first", images, title=r"$\alpha$")
    assert mine.axes[0].get_title() == r"$\alpha$"
