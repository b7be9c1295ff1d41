import re

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.signal import correlate2d

import kerasviz

KERAS_ON_TORCH = "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
"""Keras's own warning, ignored everywhere; `pytest.warns` sends it on without Keras's name."""


@pytest.fixture
def images(rng):
    return rng.uniform(size=(3, 12, 12, 1)).astype("float32")


@pytest.fixture
def first_maps(grey_model):
    """Compute the maps `(channels, height, width)` of the layer "first" without Keras."""
    kernel, bias = grey_model.get_layer("first").get_weights()

    def compute(image):
        maps = [correlate2d(image[..., 0], kernel[:, :, 0, n], "valid") + bias[n] for n in range(4)]
        return np.array(maps)

    return compute


@pytest.fixture
def second_maps(grey_model, first_maps):
    """Compute the maps `(channels, height, width)` of the layer "second" without Keras."""
    kernel, bias = grey_model.get_layer("second").get_weights()

    def compute(image):
        below = first_maps(image)
        sums = [
            sum(correlate2d(below[c], kernel[:, :, c, n], "valid") for c in range(4)) + bias[n]
            for n in range(6)
        ]
        return np.maximum(sums, 0)

    return compute


def test_plot_feature_maps_draws_the_maps_of_a_correlation(
    plot_feature_maps, read_tiles, grey_model, images, first_maps
):
    plot = plot_feature_maps(grey_model, "first", images)
    expected = first_maps(images[0])
    np.testing.assert_allclose(read_tiles(plot.images[0], 10, 11), expected, rtol=1e-4, atol=1e-5)
    assert plot.axes[0].get_title() == "first: 4 feature maps, 10×11\nsample 0 of 3"
    assert repr(plot) == "Plot(first: 4 feature maps, 10×11)"
    reach = np.abs(expected).max()
    assert plot.images[0].get_clim() == pytest.approx((-reach, reach), rel=1e-4)


def test_plot_feature_maps_draws_maps_after_a_relu_from_0_and_marks_a_constant_one(
    plot_feature_maps, read_tiles, read_title, grey_model, images, second_maps
):
    plot = plot_feature_maps(grey_model, "second", images)
    expected = second_maps(images[0])
    assert not expected[2].any()
    np.testing.assert_allclose(read_tiles(plot.images[0], 8, 9), expected, rtol=1e-4, atol=1e-4)
    assert plot.images[0].get_clim() == pytest.approx((0, expected.max()), rel=1e-4)
    assert plot.images[0].get_cmap().name == "viridis"
    assert (
        read_title(plot.axes[0]) == "second: 6 feature maps, 8×9 sample 0 of 3, 1 constant here (×)"
    )
    assert len(plot.axes[0].collections) == 1


@pytest.mark.parametrize("sample", [0, 2, -1, np.int64(1)])
def test_plot_feature_maps_draws_the_chosen_sample(
    plot_feature_maps, read_tiles, grey_model, images, first_maps, sample
):
    plot = plot_feature_maps(grey_model, "first", images, sample=sample)
    expected = first_maps(images[sample])
    np.testing.assert_allclose(read_tiles(plot.images[0], 10, 11), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("sample", "index"), [(2, 2), (0, 0), (-1, 2)])
def test_plot_feature_maps_says_in_the_title_which_sample(
    plot_feature_maps, read_title, grey_model, images, sample, index
):
    plot = plot_feature_maps(grey_model, "first", images, sample=sample)
    assert read_title(plot.axes[0]) == f"first: 4 feature maps, 10×11 sample {index} of 3"


def test_plot_feature_maps_says_nothing_of_an_only_sample(plot_feature_maps, grey_model, images):
    plot = plot_feature_maps(grey_model, "first", images[:1])
    assert plot.axes[0].get_title() == "first: 4 feature maps, 10×11"


def test_plot_feature_maps_keeps_a_count_in_one_line_of_a_narrow_title(plot_feature_maps, images):
    model = keras.Sequential([keras.Input((12, 12, 1)), keras.layers.Conv2D(1, 3, name="c")])
    many = np.repeat(images, 400, axis=0)
    names = [f"{'a long name ' * (n % 5)}{n}" for n in range(1200)]
    for sample in range(1195, 1200):
        plot = plot_feature_maps(model, "c", many, sample=sample, sample_names=names)
        assert f"sample {sample} of 1200" in plot.axes[0].get_title()


def test_plot_feature_maps_without_a_layer_draws_every_convolution(
    plot_feature_maps, grey_model, images
):
    plot = plot_feature_maps(grey_model, inputs=images)
    assert [ax.get_title().split(":")[0] for ax in plot.axes] == ["first", "second"]


@pytest.mark.parametrize("arguments", [(), ("first",)], ids=str)
def test_plot_feature_maps_names_missing_inputs(grey_model, arguments):
    with pytest.raises(TypeError, match="`inputs` is missing"):
        kerasviz.plot_feature_maps(grey_model, *arguments)


def test_plot_feature_maps_calls_a_map_that_does_not_vary_constant_and_never_dead(
    plot_feature_maps, read_title
):
    conv = keras.layers.Conv2D(3, 3, name="c", activation="relu")
    model = keras.Sequential([keras.Input((8, 8, 1)), conv])
    kernel = np.ones((3, 3, 1, 3), "float32")
    kernel[..., 1] = 0
    conv.set_weights([kernel, np.array([0, 2, 0], "float32")])
    inputs = np.zeros((2, 8, 8, 1), "float32")
    inputs[1, 2:5, 2:5] = 1
    for sample, count in ((0, 3), (1, 1)):
        plot = plot_feature_maps(model, "c", inputs, sample=sample)
        title = read_title(plot.axes[0])
        assert title == f"c: 3 feature maps, 6×6 sample {sample} of 2, {count} constant here (×)"
        (cross,) = plot.axes[0].collections
        assert len(cross.get_segments()) == 2 * count
    title = read_title(plot_feature_maps(model, "c", inputs, sample="all").axes[0])
    assert title.endswith("2 samples, 4 constant tiles (×)")


@pytest.mark.slow
@pytest.mark.parametrize(("size", "count"), [(512, 64), (224, 8)])
def test_plot_feature_maps_enlarges_a_figure_by_the_lines_of_labels_alone(
    plot_feature_maps, rng, size, count
):
    model = keras.Sequential(
        [keras.Input((size, size, 1)), keras.layers.Conv2D(count, 1, name="c")]
    )
    image = rng.random((size, size, 1))
    plain, labelled = (
        plot_feature_maps(model, "c", image, labels=labels).figure.get_size_inches()
        for labels in (False, True)
    )
    rows = 8 if count == 64 else 2
    assert labelled[0] <= plain[0] + 0.1
    assert labelled[1] <= plain[1] + rows * 0.2 + 0.1


@pytest.mark.parametrize("layer", ["*", keras.layers.Layer], ids=["pattern", "class"])
def test_plot_feature_maps_selects_by_a_pattern_what_can_be_drawn(plot_feature_maps, layer):
    inputs = keras.Input((8, 8, 1))
    maps = keras.layers.Conv2D(2, 3, name="conv")(inputs)
    _, *states = keras.layers.LSTM(3, return_state=True, name="lstm")(
        keras.layers.Reshape((36, 2), name="steps")(maps)
    )
    model = keras.Model(inputs, states)
    plot = plot_feature_maps(model, layer, np.ones((1, 8, 8, 1)))
    names = [ax.get_title().split(":")[0] for ax in plot.axes]
    assert "lstm" not in names
    assert names[-2:] == ["conv", "steps"]
    with pytest.raises(ValueError, match="must name layers with one output"):
        plot_feature_maps(model, ["conv", "lstm"], np.ones((1, 8, 8, 1)))


@pytest.mark.parametrize(
    ("sample", "error", "message"),
    [
        (
            3,
            ValueError,
            "`sample` must be between -3 and 2, since `inputs` has 3. Received: sample=3",
        ),
        (-4, ValueError, "Received: sample=-4"),
        (
            1.0,
            TypeError,
            "`sample` must be an int, a slice, a list of ints or 'all'. Received: sample=1.0",
        ),
        (True, TypeError, "Received: sample=True"),
        (10**30, ValueError, f"Received: sample={10**30}"),
        ([0.5], TypeError, "Received: sample=[0.5]"),
        (
            [0, 3],
            ValueError,
            "`sample` must be between -3 and 2, since `inputs` has 3. Received: 3",
        ),
        (slice(3, None), ValueError, "`sample` must select at least one of 3. Received: sample="),
        ("everyone", ValueError, "`sample` must be one of 'all' or an int, a slice or a list"),
        (None, TypeError, "Received: sample=None"),
    ],
)
def test_plot_feature_maps_refuses_a_sample_that_is_not_there(
    grey_model, images, sample, error, message
):
    with pytest.raises(error, match=re.escape(message)):
        kerasviz.plot_feature_maps(grey_model, "first", images, sample=sample)


@pytest.mark.parametrize(
    "part", [np.s_[0], np.s_[0, :, :, 0], np.s_[:1], np.s_[:2, :, :, 0]], ids=str
)
def test_plot_feature_maps_takes_inputs_without_the_batch_or_the_channel_axis(
    plot_feature_maps, read_tiles, grey_model, images, first_maps, part
):
    plot = plot_feature_maps(grey_model, "first", images[part])
    expected = first_maps(images[0])
    np.testing.assert_allclose(read_tiles(plot.images[0], 10, 11), expected, rtol=1e-4, atol=1e-5)


def test_plot_feature_maps_draws_one_panel_per_layer(
    plot_feature_maps, read_tiles, grey_model, images, second_maps
):
    plot = plot_feature_maps(grey_model, ["second", "first"], images, sample=1)
    titles = [ax.get_title().splitlines()[0] for ax in plot.axes]
    assert titles == ["second: 6 feature maps, 8×9", "first: 4 feature maps, 10×11"]
    shown = read_tiles(plot.images[0], 8, 9)
    np.testing.assert_allclose(shown, second_maps(images[1]), rtol=1e-4, atol=1e-4)
    assert repr(plot) == "Plot(2 panels)"


def test_plot_feature_maps_takes_none_for_every_convolution(plot_feature_maps, grey_model, images):
    plot = plot_feature_maps(grey_model, None, images)
    assert [ax.get_title().split(":")[0] for ax in plot.axes] == ["first", "second"]


def test_plot_feature_maps_draws_several_layers_on_one_scale(
    plot_feature_maps, grey_model, images, first_maps, second_maps
):
    plot = plot_feature_maps(grey_model, None, images, scale="figure")
    reach = max(np.abs(maps(images[0])).max() for maps in (first_maps, second_maps))
    for image, bar in zip(plot.images, plot.colorbars, strict=True):
        assert image.get_clim() == pytest.approx((-reach, reach), rel=1e-4)
        assert (bar.vmin, bar.vmax) == image.get_clim()


def test_plot_feature_maps_draws_each_map_on_its_own_scale(
    plot_feature_maps, read_tiles, grey_model, images, first_maps
):
    plot = plot_feature_maps(grey_model, "first", images, scale="tile")
    expected = [tile / np.abs(tile).max() for tile in first_maps(images[0])]
    np.testing.assert_allclose(read_tiles(plot.images[0], 10, 11), expected, rtol=1e-4, atol=1e-5)
    assert plot.colorbars == (None,)


@pytest.mark.parametrize("sort", ["norm", "mean"])
def test_plot_feature_maps_draws_the_strongest_map_first_under_its_own_number(
    plot_feature_maps, grey_model, images, second_maps, sort
):
    plot = plot_feature_maps(
        grey_model, "second", images, sort=sort, labels=True, tiles=slice(1, 6)
    )
    maps = second_maps(images[0])
    strength = {
        n: np.linalg.norm(maps[n]) if sort == "norm" else maps[n].mean() for n in range(1, 6)
    }
    numbers = [int(label.get_text()) for label in plot.axes[0].texts]
    assert numbers == sorted(strength, key=lambda n: -strength[n])
    assert plot.axes[0].get_title().startswith("second: feature maps 1–5 of 6, 8×9")


def test_plot_feature_maps_tells_the_value_of_the_map_at_the_cursor(
    plot_feature_maps, grey_model, images, first_maps
):
    plot = plot_feature_maps(grey_model, "first", images, tiles=[3], cmap="gray", vmin=0, vmax=1)
    text = plot.axes[0].format_coord(4.5, 7.5)
    place, value = text.split(": ")
    assert place == "tile 3, row 7, column 4"
    assert float(value) == pytest.approx(first_maps(images[0])[3, 7, 4], abs=1e-3)


def test_plot_feature_maps_draws_into_the_callers_axes(plot_feature_maps, grey_model, images):
    figure = Figure()
    ax = figure.add_subplot()
    plot = plot_feature_maps(grey_model, "first", images, ax=ax, title="mine", colorbar=False)
    assert plot.axes == (ax,)
    assert figure.axes == [ax]
    assert ax.get_title() == "mine"
    with pytest.raises(ValueError, match="`ax` takes one panel, but 2 layers were requested"):
        kerasviz.plot_feature_maps(grey_model, None, images, ax=ax)
    assert len(ax.images) == 1


def test_plot_feature_maps_draws_beside_other_panels_of_a_subfigure(
    plot_feature_maps, grey_model, images
):
    sub = Figure(figsize=(8, 4)).subfigures(1, 2)[1]
    plot = plot_feature_maps(grey_model, None, images, figure=sub)
    assert plot.figure is sub
    assert len(plot.axes) == 2


def test_plot_feature_maps_refuses_a_layer_whose_output_has_no_channels():
    import keras

    inputs = keras.Input((4,))
    total = keras.layers.Lambda(lambda x: keras.ops.sum(x, axis=-1), output_shape=(), name="total")(
        inputs
    )
    message = (
        "`layer` must name layers with an output of shape (samples, ..., channels). "
        "Received: 'total', whose output has the shape (None,)"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        kerasviz.plot_feature_maps(keras.Model(inputs, total), "total", np.zeros((1, 4)))


def test_plot_feature_maps_refuses_a_path(images):
    with pytest.raises(TypeError, match="`model` must be a Keras model"):
        kerasviz.plot_feature_maps("model.keras", "first", images)


@pytest.mark.parametrize(
    "options",
    [
        {"columns": 0},
        {"tiles": 4},
        {"tiles": []},
        {"sort": "size"},
        {"scale": "row"},
        {"cmap": "rainbows"},
        {"vmin": 1, "vmax": 0},
        {"norm": "lin"},
        {"sample": 1},
        {"slices": 1},
        {"slices": []},
        {"patch_grid": (2, 2)},
    ],
    ids=str,
)
def test_plot_feature_maps_refuses_a_mistake_before_the_model_is_run(armed_model, options):
    inputs = np.zeros((1, 6, 6, 1))
    with pytest.raises(RuntimeError, match="the model was run"):
        kerasviz.plot_feature_maps(armed_model, "conv", inputs)
    with pytest.raises(ValueError, match=f"`{next(iter(options))}`"):
        kerasviz.plot_feature_maps(armed_model, "conv", inputs, **options)
    assert not plt.get_fignums()


def test_plot_feature_maps_refuses_one_axes_for_several_layers_before_the_model_is_run(
    armed_model,
):
    ax = Figure().add_subplot()
    with pytest.raises(ValueError, match="`ax` takes one panel"):
        kerasviz.plot_feature_maps(armed_model, ["conv", "trap"], np.zeros((6, 6)), ax=ax)


@pytest.mark.parametrize(
    ("typo", "keyword"), [("sampel", "sample"), ("slice", "slices"), ("patch_size", "patch_grid")]
)
def test_plot_feature_maps_corrects_a_misspelt_keyword(grey_model, images, typo, keyword):
    with pytest.raises(TypeError, match=rf"`{typo}`\. Did you mean .*'{keyword}'"):
        kerasviz.plot_feature_maps(grey_model, "first", images, **{typo: 0})


def test_plot_feature_maps_names_the_layer_of_a_map_that_is_not_there(grey_model, images):
    message = "`tiles` must be between -4 and 3, since 'first' has 4. Received: 5"
    with pytest.raises(ValueError, match=re.escape(message)):
        kerasviz.plot_feature_maps(grey_model, ["second", "first"], images, tiles=5)


def test_plot_feature_maps_refuses_a_misspelt_keyword(grey_model, images):
    with pytest.raises(TypeError, match="Unexpected keyword argument `batch_size`"):
        kerasviz.plot_feature_maps(grey_model, "first", images, batch_size=1)


@pytest.mark.filterwarnings(KERAS_ON_TORCH)
def test_plot_feature_maps_warns_at_the_line_of_the_call(grey_model, images):
    images[0, 5, 5] = np.nan
    with pytest.warns(UserWarning, match="^24 of the values drawn are NaN") as caught:
        kerasviz.plot_feature_maps(grey_model, "first", images, figure=Figure())
    ours = [warning for warning in caught if warning.category is UserWarning]
    assert [warning.filename for warning in ours] == [__file__]


def test_plot_feature_maps_draws_maps_as_plot_tiles_does(
    plot_feature_maps, plot_tiles, grey_model, images, pixels
):
    one, other = plt.figure(figsize=(6, 5)), plt.figure(figsize=(6, 5))  # without the input
    by_model = plot_feature_maps(grey_model, "second", images, sample=1, title="same", figure=one)
    maps = kerasviz.get_feature_maps(grey_model, "second", images)
    by_array = plot_tiles(maps[1], title="same", figure=other)
    np.testing.assert_array_equal(pixels(by_model.figure), pixels(by_array.figure))


def test_plot_feature_maps_leaves_inputs_and_weights_as_they_are(
    plot_feature_maps, grey_model, images
):
    before, weights = images.copy(), grey_model.get_weights()
    images.flags.writeable = False
    plot_feature_maps(grey_model, None, images, scale="tile", sort="mean")
    np.testing.assert_array_equal(images, before)
    for weight, same in zip(grey_model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(weight, same)


def test_plot_feature_maps_prints_nothing(plot_feature_maps, grey_model, images, capfd):
    plot_feature_maps(grey_model, None, images, labels=True).figure.canvas.draw()
    assert capfd.readouterr() == ("", "")


def test_plot_feature_maps_draws_the_strongest_maps_of_those_that_are_chosen(
    plot_feature_maps, read_tiles, read_title, grey_model, images, second_maps
):
    plot = plot_feature_maps(grey_model, "second", images, top=2, tiles=slice(1, 6), labels=True)
    maps = second_maps(images[0])
    strongest = sorted(range(1, 6), key=lambda n: -np.linalg.norm(maps[n]))[:2]
    shown = read_tiles(plot.images[0], 8, 9)
    np.testing.assert_allclose(shown, maps[strongest], rtol=1e-4, atol=1e-4)
    assert [int(label.get_text()) for label in plot.axes[0].texts] == strongest
    title = "second: 2 strongest of feature maps 1–5 of 6, 8×9 sample 0 of 3"
    assert read_title(plot.axes[0]) == title
