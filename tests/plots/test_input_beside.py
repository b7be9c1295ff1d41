"""The input image beside its maps, as `plot.picture`."""

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest

import kerasviz


@pytest.fixture
def model():
    return keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            keras.layers.Conv2D(6, 3, name="first"),
            keras.layers.Conv2D(9, 3, name="second"),
        ]
    )


@pytest.fixture
def images():
    return np.random.default_rng(1).random((4, 12, 12, 1), dtype="float32")


@pytest.fixture
def draw():
    plots = []

    def plot_feature_maps(*args, **options):
        plots.append(kerasviz.plot_feature_maps(*args, **options))
        return plots[-1]

    yield plot_feature_maps
    plt.close("all")


def color_model(shape=(12, 12, 3)):
    return keras.Sequential([keras.Input(shape), keras.layers.Conv2D(6, 3, name="c")])


def test_plot_feature_maps_shows_the_input_of_one_sample_left_of_its_maps(draw, model, images):
    plot = draw(model, "first", images, sample=2)
    np.testing.assert_array_equal(plot.picture.image.get_array()[:, :], images[2, ..., 0])
    np.testing.assert_array_equal(plot.picture.values, images[2, ..., 0])
    assert plot.picture.title == "input, 12×12"
    assert "sample 2 of 4" in plot.axes[0].get_title()
    beside, maps = plot.picture.ax.get_position(), plot.axes[0].get_position()
    assert beside.x1 < maps.x0
    assert beside.y1 == pytest.approx(maps.y1)


def test_plot_feature_maps_the_panels_are_those_of_layers_alone(draw, model, images):
    plot = draw(model, None, images)
    assert [panel.address for panel in plot.panels] == ["first", "second"]
    assert plot.figure.axes[:2] == list(plot.axes)
    assert plot.picture.ax not in plot.axes


@pytest.mark.parametrize(
    ("convert", "limits"),
    [
        (lambda x: x, (0, 1)),
        (lambda x: 2 * x - 1, None),
        (lambda x: np.rint(255 * x).astype("uint8"), (0, 255)),
        (lambda x: np.rint(255 * x).astype("float32"), (0, 255)),
    ],
)
def test_plot_feature_maps_the_input_is_grey_between_known_limits_or_its_own(
    draw, model, images, convert, limits
):
    inputs = convert(images)
    picture = draw(model, "first", inputs).picture
    expected = limits or (inputs[0].min(), inputs[0].max())
    assert picture.limits == pytest.approx(expected)
    assert picture.image.get_cmap().name == "gray"
    assert (", white=" in picture.title) == (limits is None)


@pytest.mark.parametrize("kind", ["float", "uint8", "signed"])
def test_plot_feature_maps_an_input_in_colours_is_in_colours(draw, kind):
    colors = np.random.default_rng(2).random((1, 12, 12, 3), dtype="float32")
    inputs = {"float": colors, "uint8": np.rint(255 * colors), "signed": 4 * colors - 2}[kind]
    picture = draw(color_model(), "c", inputs.astype("uint8" if kind == "uint8" else "float32"))
    image = picture.picture.image.get_array()
    right = colors[0]
    if kind == "signed":
        right = (inputs[0] - inputs.min()) / (inputs.max() - inputs.min())
        assert "black=−2, white=2" in picture.picture.title.replace("1.99", "2")
    np.testing.assert_allclose(image, right, atol=1 / 255)


def test_plot_feature_maps_the_input_is_not_in_an_axes_or_a_figure_of_the_callers(
    draw, model, images
):
    figure, ax = plt.subplots()
    assert draw(model, "first", images, ax=ax).picture is None
    assert figure.axes == [ax]
    mine = plt.figure(figsize=(8, 5))
    assert draw(model, "first", images, figure=mine).picture is None
    assert len(mine.axes) == 1


@pytest.mark.parametrize("options", [{"overlay": True}, {"sample": [0, 1]}, {"sample": "all"}])
def test_plot_feature_maps_the_input_is_not_there_twice(draw, model, images, options):
    assert draw(model, "first", images, **options).picture is None


@pytest.mark.parametrize(("width", "is_there"), [(8, True), (5.2, False)])
def test_plot_feature_maps_a_narrow_figsize_has_no_room_for_the_input(
    draw, model, images, width, is_there
):
    plot = draw(model, None, images, figsize=(width, 5))
    assert (plot.picture is not None) == is_there
    assert tuple(plot.figure.get_size_inches()) == (width, 5)
    if is_there:
        right = plot.picture.ax.get_position().x1
        assert right < min(ax.get_position().x0 for ax in plot.axes)


def test_plot_feature_maps_an_input_that_is_no_image_is_not_drawn(draw):
    sequences = keras.Sequential([keras.Input((20, 3)), keras.layers.Conv1D(4, 3, name="c")])
    assert draw(sequences, "c", np.ones((1, 20, 3))).picture is None
    channels = keras.Sequential([keras.Input((8, 8, 5)), keras.layers.Conv2D(4, 3, name="c")])
    assert draw(channels, "c", np.ones((1, 8, 8, 5))).picture is None
    assert draw(color_model((60, 6, 3)), "c", np.ones((1, 60, 6, 3))).picture is None


def two_images():
    left, right = keras.Input((8, 8, 1), name="left"), keras.Input((8, 8, 1), name="right")
    both = keras.layers.Concatenate()([left, right])
    return keras.Model([left, right], keras.layers.Conv2D(4, 3, name="c")(both))


def test_plot_feature_maps_of_two_images_picture_says_which_is_beside(draw):
    pair = [np.zeros((2, 8, 8, 1)), np.full((2, 8, 8, 1), 0.5)]
    assert draw(two_images(), "c", pair).picture is None
    chosen = draw(two_images(), "c", pair, picture="right").picture
    assert (chosen.values == 0.5).all()


def test_plot_feature_maps_a_photo_may_be_beside_instead_of_the_input(draw, model, images):
    photo = np.random.default_rng(3).integers(0, 256, (24, 24, 3), "uint8")
    picture = draw(model, "first", images, picture=photo).picture
    assert picture.title == "picture, 24×24"
    np.testing.assert_allclose(picture.image.get_array(), photo / 255, atol=1e-6)


def test_plot_feature_maps_a_picture_that_would_not_be_drawn_is_refused(model, images):
    _, ax = plt.subplots()
    with pytest.raises(ValueError, match="`picture` can only be used together with `overlay`"):
        kerasviz.plot_feature_maps(model, "first", images, picture=0, ax=ax)
    plt.close("all")


def test_plot_feature_maps_a_layer_that_ignores_the_input_has_none_beside(draw):
    class Positions(keras.layers.Layer):
        def build(self, _):
            self.table = self.add_weight(shape=(1, 4, 4, 3), initializer="ones")

        def call(self, _):
            return keras.ops.convert_to_tensor(self.table) * 1.0

    inputs = keras.Input((4, 4, 3))
    outputs = keras.layers.Add()([inputs, Positions(name="positions")(inputs)])
    model = keras.Model(inputs, outputs)
    assert draw(model, "positions", np.ones((1, 4, 4, 3)), kind="image").picture is None


@pytest.mark.parametrize("size", [(5, 4), (9, 6), (14, 10)])
def test_plot_feature_maps_the_input_stays_beside_the_maps_in_another_size(
    draw, model, images, size
):
    plot = draw(model, None, images)
    plot.figure.set_size_inches(size)
    plot.figure.canvas.draw()
    boxes = [ax.get_tightbbox() for ax in (plot.picture.ax, *plot.axes)]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    page = plot.figure.bbox
    assert all(box.x0 >= 0 and box.y0 >= 0 for box in boxes)
    assert all(box.x1 <= page.x1 and box.y1 <= page.y1 for box in boxes)


def test_plot_feature_maps_without_a_title_the_input_has_none(draw, model, images):
    plot = draw(model, "first", images, title=False)
    assert plot.picture.ax.get_title() == ""
    assert draw(model, "first", images, title="mine").picture.ax.get_title() == "input, 12×12"


def test_plot_feature_maps_tokens_have_their_photo_beside(draw):
    inputs = keras.Input((8, 8, 3))
    patches = keras.layers.Conv2D(5, 4, strides=4)(inputs)
    model = keras.Model(inputs, keras.layers.Reshape((4, 5), name="tokens")(patches))
    photos = np.random.default_rng(4).integers(0, 256, (1, 8, 8, 3), "uint8")
    plot = draw(model, "tokens", photos / 255 - 0.5, picture=photos)
    assert len(plot.panels[0].values) == 5
    np.testing.assert_allclose(plot.picture.image.get_array(), photos[0] / 255, atol=1e-6)
