"""Feature maps over the picture that caused them."""

import re

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from scipy.ndimage import zoom

import kerasviz

STRONGEST = 0.85
"""The opacity of the strongest value, and its colour where it is positive or negative."""
POSITIVE, NEGATIVE = "#ff4000", "#1e7bff"

TOLERANCE = 0.015
"""A colormap has 256 colours, and Matplotlib blends whole numbers up to 255."""


def pooling_model(channels=1, gains=(1.0,), pool=3, side=12):
    """Weigh the mean of the channels by each gain → "gains", mean over a window → "pool"."""
    weights = np.tile(np.array(gains) / channels, (channels, 1))
    model = keras.Sequential(
        [
            keras.Input((side, side, channels)),
            keras.layers.Conv2D(len(gains), 1, use_bias=False, name="gains"),
            keras.layers.AveragePooling2D(pool, name="pool"),
            keras.layers.Conv2D(len(gains), 2, use_bias=False, name="valid"),
        ]
    )
    valid = np.zeros((2, 2, len(gains), len(gains)))
    valid[0, 0] = np.eye(len(gains))
    model.set_weights([weights[np.newaxis, np.newaxis], valid])
    return model


@pytest.fixture(scope="module")
def model():
    return pooling_model(gains=(1.0, 0.5, 0.25))


@pytest.fixture(scope="module")
def signed_model():
    return pooling_model(gains=(1.0, -0.5))


@pytest.fixture(scope="module")
def color_model():
    return pooling_model(channels=3, gains=(1.0, 0.5))


@pytest.fixture
def images(rng):
    return rng.uniform(size=(3, 12, 12, 1)).astype("float32")


def pooled(image, gains, pool=3):
    """Compute the maps of "pool" `(n, height, width)` without Keras."""
    grey = image.mean(axis=-1)
    side = len(grey) // pool
    means = grey.reshape(side, pool, side, pool).mean(axis=(1, 3))
    return np.multiply.outer(gains, means)


@pytest.fixture
def sampled(pixels):
    """Read the colour in the middle of each pixel of each tile, `(n, height, width, 3)`."""

    def read(plot, corners, side=12):
        ax = plot.axes[0]
        rendered = pixels(ax.get_figure(root=True))[..., :3] / 255
        tiles = []
        for top, left in corners:
            y, x = np.mgrid[:side, :side] + 0.5
            points = np.stack([x.ravel() + left, y.ravel() + top], axis=1)
            column, row = ax.transData.transform(points).astype(int).T
            colors = rendered[len(rendered) - 1 - row, column]
            tiles.append(colors.reshape(side, side, 3))
        return np.array(tiles)

    return read


def corners_of(count, columns, pitch=13):
    return [(index // columns * pitch, index % columns * pitch) for index in range(count)]


def blend(picture, colors, opacity):
    """Lay colours over a picture: the formula of alpha blending."""
    return opacity[..., np.newaxis] * colors + (1 - opacity[..., np.newaxis]) * picture


def over(image, maps, reach):
    """Return the expected colours of maps over an image, where opacity tells the strength."""
    picture = np.broadcast_to(image, (*image.shape[:2], 3))
    strength = np.abs(maps) / reach
    colors = np.where(maps[..., np.newaxis] < 0, to_rgb(NEGATIVE), to_rgb(POSITIVE))
    return blend(picture, colors, STRONGEST * strength)


def test_plot_feature_maps_stretches_a_map_over_the_whole_picture_by_its_strength(
    plot_feature_maps, sampled, read_tiles, model, images
):
    plot = plot_feature_maps(model, "pool", images, sample=1, overlay=True, columns=2)
    maps = pooled(images[1], (1, 0.5, 0.25))
    np.testing.assert_allclose(read_tiles(plot.images[0], 4, 4), maps, rtol=1e-5)
    large = np.kron(maps, np.ones((1, 3, 3)))
    expected = over(images[1], large, maps.max())
    shown = sampled(plot, corners_of(3, 2))
    np.testing.assert_allclose(shown, expected, atol=TOLERANCE)


def test_plot_feature_maps_lets_a_color_picture_shine_through(
    plot_feature_maps, sampled, color_model, rng
):
    image = rng.uniform(size=(12, 12, 3)).astype("float32")
    plot = plot_feature_maps(color_model, "pool", image, overlay=True, columns=2)
    maps = pooled(image, (1, 0.5))
    expected = over(image, np.kron(maps, np.ones((1, 3, 3))), maps.max())
    np.testing.assert_allclose(sampled(plot, corners_of(2, 2)), expected, atol=TOLERANCE)


def test_plot_feature_maps_gives_positive_and_negative_values_colors_of_their_own(
    plot_feature_maps, sampled, signed_model, images
):
    image = images[0] - np.float32(0.5)
    plot = plot_feature_maps(signed_model, "gains", image, overlay=images[0], columns=2)
    maps = np.multiply.outer([1, -0.5], image[..., 0])
    expected = over(images[0], maps, np.abs(maps).max())
    np.testing.assert_allclose(sampled(plot, corners_of(2, 2)), expected, atol=TOLERANCE)
    reach = np.abs(maps).max()
    assert plot.images[0].get_clim() == pytest.approx((-reach, reach))


def test_plot_feature_maps_leaves_the_picture_as_it_is_under_a_value_of_0(
    plot_feature_maps, sampled, images
):
    model = pooling_model(gains=(1.0, 0.0))
    plot = plot_feature_maps(model, "pool", images, overlay=True, columns=2)
    picture = np.broadcast_to(images[0], (12, 12, 3))
    np.testing.assert_allclose(
        sampled(plot, corners_of(2, 2))[1, 0, 1:-1], picture[0, 1:-1], atol=TOLERANCE
    )


def test_plot_feature_maps_takes_a_number_for_the_opacity_everywhere(
    plot_feature_maps, sampled, model, images
):
    plot = plot_feature_maps(model, "pool", images, overlay=True, alpha=0.4, columns=2)
    maps = np.kron(pooled(images[0], (1, 0.5, 0.25)), np.ones((1, 3, 3)))
    colors = colormaps["viridis"](maps / maps.max())[..., :3]
    picture = np.broadcast_to(images[0], (12, 12, 3))
    expected = blend(picture, colors, np.full(maps.shape, 0.4))
    np.testing.assert_allclose(sampled(plot, corners_of(3, 2)), expected, atol=TOLERANCE)


def test_plot_feature_maps_lays_the_callers_colors_over_the_picture(
    plot_feature_maps, sampled, model, images
):
    plot = plot_feature_maps(model, "pool", images, overlay=True, cmap="magma", vmax=2, columns=2)
    maps = np.kron(pooled(images[0], (1, 0.5, 0.25)), np.ones((1, 3, 3)))
    colors = colormaps["magma"](maps / 2)[..., :3]
    picture = np.broadcast_to(images[0], (12, 12, 3))
    expected = blend(picture, colors, STRONGEST * maps / 2)
    np.testing.assert_allclose(sampled(plot, corners_of(3, 2)), expected, atol=TOLERANCE)


def test_plot_feature_maps_enlarges_bilinear_maps_as_scipy_does(
    plot_feature_maps, sampled, read_tiles, read_title, model, images
):
    plot = plot_feature_maps(
        model, "pool", images, overlay=True, interpolation="bilinear", columns=2
    )
    maps = pooled(images[0], (1, 0.5, 0.25))
    large = zoom(maps, (1, 3, 3), order=1, mode="nearest", grid_mode=True)
    np.testing.assert_allclose(read_tiles(plot.images[0], 12, 12), large, rtol=1e-4)
    expected = over(images[0], large, maps.max())
    np.testing.assert_allclose(sampled(plot, corners_of(3, 2)), expected, atol=TOLERANCE)
    assert plot.images[0].get_clim() == pytest.approx((0, maps.max()))
    note = "sample 0 of 3, over the 12×12 input, bilinear, opacity by strength"
    assert read_title(plot.axes[0]) == f"pool: 3 feature maps, 4×4 {note}"


def test_plot_feature_maps_fills_the_picture_with_a_map_of_no_whole_number_of_pixels(
    plot_feature_maps, sampled, model, images
):
    plot = plot_feature_maps(model, "valid", images, overlay=True, tiles=0)
    maps = pooled(images[0], (1,))[:, :3, :3]
    expected = over(images[0], np.kron(maps, np.ones((1, 4, 4))), maps.max())
    np.testing.assert_allclose(sampled(plot, [(0, 0)]), expected, atol=TOLERANCE)


def test_plot_feature_maps_draws_each_tile_over_a_picture_on_its_own_scale(
    plot_feature_maps, sampled, model, images
):
    plot = plot_feature_maps(model, "pool", images, overlay=True, scale="tile", columns=2)
    maps = np.kron(pooled(images[0], (1, 0.5, 0.25)), np.ones((1, 3, 3)))
    expected = over(images[0], maps, maps.max(axis=(1, 2), keepdims=True))
    np.testing.assert_allclose(sampled(plot, corners_of(3, 2)), expected, atol=TOLERANCE)
    assert plot.colorbars == (None,)


def test_plot_feature_maps_lays_every_tile_over_the_same_two_images(
    plot_feature_maps, model, images
):
    plot = plot_feature_maps(model, "pool", images, overlay=True)
    ax = plot.axes[0]
    below, above = ax.images
    assert above is plot.images[0]
    assert below.get_array().dtype == np.uint8
    assert len(plot.colorbars) == 1


def test_plot_feature_maps_draws_the_color_bar_over_black_and_over_white(
    plot_feature_maps, pixels, model, images
):
    plot = plot_feature_maps(model, "pool", images, overlay=True)
    (bar,) = plot.colorbars
    assert bar.mappable is plot.images[0]
    rendered = pixels(plot.figure)[::-1, :, :3] / 255
    box = bar.ax.get_window_extent()
    for part, ground in ((0.25, 0.0), (0.75, 1.0)):
        column = rendered[:, int(box.x0 + part * box.width)]
        for height in (0.02, 0.3, 0.6, 0.98):
            shown = column[int(box.y0 + height * box.height)]
            opacity = np.array(STRONGEST * height)
            expected = blend(np.full(3, ground), np.array(to_rgb(POSITIVE)), opacity)
            np.testing.assert_allclose(shown, expected, atol=0.02)


def test_plot_feature_maps_tells_the_value_of_the_map_over_a_picture(
    plot_feature_maps, model, images
):
    maps = pooled(images[0], (1, 0.5, 0.25))
    for interpolation in ("nearest", "bilinear"):
        plot = plot_feature_maps(
            model, "pool", images, overlay=True, interpolation=interpolation, columns=2
        )
        place, value = plot.axes[0].format_coord(13 + 10.9, 3.1).split(": ")
        assert place == "tile 1, row 1, column 3"
        assert float(value) == pytest.approx(maps[1, 1, 3], abs=1e-3)
        assert plot.axes[0].format_coord(12.5, 3) == ""


def test_plot_feature_maps_chooses_sorts_and_numbers_tiles_over_a_picture(
    plot_feature_maps, read_title, model, images
):
    plot = plot_feature_maps(
        model, "pool", images, overlay=True, sort="norm", tiles=[2, 0], labels=True
    )
    assert [label.get_text() for label in plot.axes[0].texts] == ["0", "2"]
    note = "sample 0 of 3, over the 12×12 input, opacity by strength"
    assert read_title(plot.axes[0]) == f"pool: feature maps 0, 2 of 3, 4×4 {note}"


def test_plot_feature_maps_draws_one_panel_per_layer_over_the_same_picture(
    plot_feature_maps, model, images
):
    plot = plot_feature_maps(model, ["gains", "pool"], images, overlay=True, scale="figure")
    below = [ax.images[0].get_array()[:12, :12, :3] for ax in plot.axes]
    for picture in below:
        np.testing.assert_allclose(picture[..., :1] / 255, images[0], atol=0.003)
    assert plot.images[0].get_clim() == plot.images[1].get_clim()


def test_plot_feature_maps_marks_a_constant_map_at_its_tile(plot_feature_maps, images):
    model = pooling_model(gains=(1.0, 0.0))
    plot = plot_feature_maps(model, "pool", images, overlay=True, columns=2)
    (cross,) = plot.axes[0].collections
    assert {tuple(segment[0]) for segment in cross.get_segments()} == {(13, 0), (13, 12)}


@pytest.mark.filterwarnings("ignore:.*values drawn is NaN:UserWarning")
def test_plot_feature_maps_draws_what_is_not_finite_magenta(
    plot_feature_maps, sampled, read_title, model, images
):
    images[0, 4, 4] = np.nan
    plot = plot_feature_maps(model, "pool", images, overlay=images[1], tiles=0)
    shown = sampled(plot, [(0, 0)])[0]
    magenta = (shown == (1, 0, 1)).all(axis=2)
    assert np.argwhere(magenta).tolist() == [[y, x] for y in (3, 4, 5) for x in (3, 4, 5)]
    assert "1 NaN or infinite values (magenta)" in read_title(plot.axes[0])


# Which picture


def test_plot_feature_maps_draws_over_the_callers_picture_instead_of_the_input(
    plot_feature_maps, sampled, read_title, model, images, rng
):
    photo = rng.integers(0, 256, size=(12, 12, 3), dtype="uint8")
    before = photo.copy()
    plot = plot_feature_maps(model, "pool", images, overlay=photo, tiles=0)
    maps = pooled(images[0], (1,))
    expected = over(photo / 255, np.kron(maps, np.ones((1, 3, 3))), maps.max())
    np.testing.assert_allclose(sampled(plot, [(0, 0)]), expected, atol=TOLERANCE)
    np.testing.assert_array_equal(photo, before)
    note = "sample 0 of 3, over the 12×12 picture, opacity by strength"
    title = f"pool: feature map 0 of 3, 4×4 {note}"
    assert read_title(plot.axes[0]) == title
    same = plot_feature_maps(model, "pool", images, overlay=True, picture=photo, tiles=0)
    np.testing.assert_array_equal(sampled(same, [(0, 0)]), sampled(plot, [(0, 0)]))


@pytest.mark.parametrize(
    "shape", [(6, 9), (6, 9, 1), (6, 9, 3), (1, 6, 9, 3), (3, 6, 9, 3), (3, 6, 9)]
)
def test_plot_feature_maps_takes_a_picture_of_any_size(
    plot_feature_maps, model, images, rng, shape
):
    photo = rng.uniform(size=shape)
    plot = plot_feature_maps(model, "pool", images, sample=2, overlay=photo, tiles=0)
    ax = plot.axes[0]
    assert (ax.get_xlim(), ax.get_ylim()) == ((0, 9), (6, 0))
    expected = photo[2] if shape[0] == 3 else photo
    shown = ax.images[0].get_array()[..., :3] / 255
    np.testing.assert_allclose(
        shown, np.broadcast_to(expected.reshape(6, 9, -1), (6, 9, 3)), atol=0.003
    )


@pytest.mark.parametrize("kind", [list, keras.ops.convert_to_tensor, np.asarray])
def test_plot_feature_maps_takes_a_picture_of_any_kind(plot_feature_maps, model, images, kind):
    photo = kind(images[1, ..., 0].tolist())
    plot = plot_feature_maps(model, "pool", images, overlay=photo, tiles=0)
    shown = plot.axes[0].images[0].get_array()[..., :1] / 255
    np.testing.assert_allclose(shown, images[1], atol=0.003)


def test_plot_feature_maps_keeps_a_dark_photo_of_floats_dark_whatever_is_beside_it(
    plot_feature_maps, rng
):
    conv = keras.layers.Conv2D(1, 1, name="c", kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((16, 16, 3)), conv])
    dark = rng.integers(0, 52, (1, 16, 16, 3)).astype("uint8")
    both = np.concatenate([dark, np.full_like(dark, 250)]).astype("float32")
    for inputs in (dark, dark.astype("float32"), both):
        plot = plot_feature_maps(model, "c", inputs, overlay=True)
        shown = plot.axes[0].images[0].get_array()[..., :3]
        np.testing.assert_array_equal(shown, dark[0])
    column = plot_feature_maps(model, "c", both, sample="all").axes[0].images[-1].get_array()
    np.testing.assert_array_equal(column[:16, :16, :3], dark[0])


@pytest.mark.parametrize(
    ("change", "limits"),
    [
        (lambda x: x, (0, 1)),
        (lambda x: 255 * x, (0, 255)),
        (lambda x: 51 * x, (0, 255)),
        (lambda x: 4 * x, (0, None)),
        (lambda x: 999 * x, (0, None)),
        (lambda x: 9 * x, (0, None)),
        (lambda x: 2 * x - 1, (None, None)),
        (lambda x: 99 * x - 110, (None, None)),
    ],
)
def test_plot_feature_maps_puts_a_preprocessed_input_between_black_and_white_for_the_eye_alone(
    plot_feature_maps, read_title, read_tiles, model, images, change, limits
):
    image = change(images[0])
    before = image.copy()
    image.flags.writeable = False
    plot = plot_feature_maps(model, "pool", image, overlay=True)
    np.testing.assert_array_equal(image, before)
    maps = pooled(image, (1, 0.5, 0.25))
    np.testing.assert_allclose(read_tiles(plot.images[0], 4, 4), maps, rtol=1e-3, atol=1e-5)
    low = image.min() if limits[0] is None else limits[0]
    high = image.max() if limits[1] is None else limits[1]
    shown = plot.axes[0].images[0].get_array()[:12, :12, :1] / 255
    np.testing.assert_allclose(shown, (image - low) / (high - low), atol=0.003)
    is_known = limits in ((0, 1), (0, 255))
    note = (
        ""
        if is_known
        else f", picture black to white: {low:.3g} to {high:.3g}".replace("-", "\N{MINUS SIGN}")
    )
    assert read_title(plot.axes[0]).endswith(f"opacity by strength{note}")


@pytest.fixture(scope="module")
def siamese():
    left, right = keras.Input((6, 6, 1), name="left"), keras.Input((6, 6, 1), name="right")
    extra = keras.Input((4,), name="extra")
    both = keras.layers.Add(name="sum")([left, right])
    out = keras.layers.Conv2D(2, 1, name="conv")(both)
    dense = keras.layers.Dense(1)(extra)
    return keras.Model([left, right, extra], [out, dense])


@pytest.fixture
def pairs(rng):
    return [*rng.uniform(size=(2, 2, 6, 6, 1)).astype("float32"), np.zeros((2, 4), "float32")]


@pytest.mark.parametrize(("picture", "index"), [("left", 0), ("right", 1), (1, 1), (-3, 0)])
def test_plot_feature_maps_takes_one_of_several_inputs_for_the_picture(
    plot_feature_maps, siamese, pairs, picture, index
):
    plot = plot_feature_maps(siamese, "conv", pairs, sample=1, overlay=True, picture=picture)
    shown = plot.axes[0].images[0].get_array()[:6, :6, :1] / 255
    np.testing.assert_allclose(shown, pairs[index][1], atol=0.003)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (None, "`picture` must say which of the inputs is the picture: 'left' or 'right'."),
        (
            "lef",
            "`picture` must be one of the inputs 'left', 'right', 'extra'. Did you mean 'left'",
        ),
        (
            3,
            "`picture` must be between -3 and 2, since the model has 3 inputs. Received: picture=3",
        ),
        (
            "extra",
            "`picture` must name an input of shape (samples, height, width, 1 or 3). "
            "Received: picture='extra', of shape (2, 4)",
        ),
    ],
)
def test_plot_feature_maps_refuses_to_guess_which_input_is_the_picture(
    siamese, pairs, picture, message
):
    with pytest.raises(ValueError, match=re.escape(message)):
        kerasviz.plot_feature_maps(siamese, "conv", pairs, overlay=True, picture=picture)
    assert not plt.get_fignums()


def test_plot_feature_maps_finds_the_only_input_that_is_an_image(plot_feature_maps, rng):
    image, numbers = keras.Input((6, 6, 3), name="image"), keras.Input((4,), name="numbers")
    conv = keras.layers.Conv2D(2, 1, name="conv")(image)
    model = keras.Model(
        {"numbers": numbers, "image": image}, [conv, keras.layers.Dense(1)(numbers)]
    )
    photo = rng.uniform(size=(1, 6, 6, 3)).astype("float32")
    inputs = {"numbers": np.zeros((1, 4)), "image": photo}
    plot = plot_feature_maps(model, "conv", inputs, overlay=True)
    shown = plot.axes[0].images[0].get_array()[:6, :6, :3] / 255
    np.testing.assert_allclose(shown, photo[0], atol=0.003)


def test_plot_feature_maps_takes_an_input_without_channels_for_a_grey_picture(
    plot_feature_maps, images
):
    model = keras.Sequential(
        [
            keras.Input((12, 12)),
            keras.layers.Reshape((12, 12, 1)),
            keras.layers.Conv2D(2, 3, name="c"),
        ]
    )
    plot = plot_feature_maps(model, "c", images[..., 0], overlay=True)
    shown = plot.axes[0].images[0].get_array()[:12, :12, :1] / 255
    np.testing.assert_allclose(shown, images[0], atol=0.003)


def test_plot_feature_maps_takes_an_input_with_its_channels_first_for_a_picture(
    plot_feature_maps, rng
):
    model = keras.Sequential(
        [
            keras.Input((3, 8, 10)),
            keras.layers.Permute((2, 3, 1)),
            keras.layers.Conv2D(2, 3, name="c"),
        ]
    )
    photo = rng.uniform(size=(1, 3, 8, 10)).astype("float32")
    plot = plot_feature_maps(model, "c", photo, overlay=True)
    shown = plot.axes[0].images[0].get_array()[:8, :10, :3] / 255
    np.testing.assert_allclose(shown, np.moveaxis(photo[0], 0, -1), atol=0.003)


def test_plot_feature_maps_draws_maps_of_a_subclassed_model_over_its_input(
    plot_feature_maps, images
):
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.conv = keras.layers.Conv2D(2, 3, name="conv")

        def call(self, inputs):
            return self.conv(inputs)

    plot = plot_feature_maps(Model(), "conv", images, overlay=True)
    shown = plot.axes[0].images[0].get_array()[:12, :12, :1] / 255
    np.testing.assert_allclose(shown, images[0], atol=0.003)


def test_plot_feature_maps_lays_patches_over_the_picture(plot_feature_maps, images, sampled):
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            keras.layers.AveragePooling2D(4),
            keras.layers.Reshape((9, 1), name="tokens"),
        ]
    )
    plot = plot_feature_maps(model, "tokens", images, overlay=True, patch_grid=(3, 3))
    maps = pooled(images[0], (1,), pool=4)
    expected = over(images[0], np.kron(maps, np.ones((1, 4, 4))), maps.max())
    np.testing.assert_allclose(sampled(plot, [(0, 0)]), expected, atol=TOLERANCE)


# Sizes


@pytest.mark.few(2)
@pytest.mark.parametrize("side", [30, 60, 149, 150])
def test_plot_feature_maps_aligns_a_large_picture_with_its_maps(plot_feature_maps, pixels, side):
    """Also where a value is smaller than a dot, and where it is no whole number of pixels."""
    size = 300
    model = keras.Sequential(
        [
            keras.Input((size, size, 1)),
            keras.layers.Conv2D(16, 1, name="same"),
            keras.layers.Resizing(side, side, interpolation="nearest", name="small"),
        ]
    )
    model.set_weights([np.ones((1, 1, 1, 16)), np.zeros(16)])
    image = np.zeros((size, size, 1), "float32")
    image[100:200, 150:300] = 1
    plot = plot_feature_maps(model, "small", image, overlay=True)
    rendered = pixels(plot.figure)[::-1, :, :3] / 255
    ax = plot.axes[0]
    strong = STRONGEST * np.array(to_rgb(POSITIVE)) + (1 - STRONGEST)
    lefts = np.arange(4) * (ax.get_xlim()[1] - size) / 3
    tops = np.arange(4) * (ax.get_ylim()[0] - size) / 3
    margin = 8
    for top in tops:
        for left in lefts:
            for y, x, color in (
                (100 + margin, 150 + margin, strong),
                (200 - margin, 300 - margin, strong),
                (100 - margin, 200, (0, 0, 0)),
                (200 + margin, 200, (0, 0, 0)),
                (150, 150 - margin, (0, 0, 0)),
            ):
                column, row = ax.transData.transform((left + x, top + y)).astype(int)
                np.testing.assert_allclose(rendered[row, column], color, atol=0.02)


def test_plot_feature_maps_gives_every_pixel_a_whole_number_of_dots(
    plot_feature_maps, model, images
):
    ax = plot_feature_maps(model, "pool", images, overlay=True).axes[0]
    (x0, y0), (x1, y1) = ax.transData.transform([(0, 0), (1, 1)])
    assert x1 - x0 == pytest.approx(round(x1 - x0))
    assert y0 - y1 == pytest.approx(x1 - x0)


def test_plot_feature_maps_draws_over_the_picture_in_the_callers_axes(
    plot_feature_maps, model, images
):
    figure = Figure(figsize=(4, 3))
    ax, other = figure.subplots(1, 2)
    plot = plot_feature_maps(model, "pool", images, overlay=True, ax=ax, title="mine")
    assert plot.axes == (ax,)
    assert len(ax.images) == 2
    assert not other.images
    figure.draw_without_rendering()
    assert ax.get_window_extent().x1 < other.get_window_extent().x0
    sub = Figure(figsize=(8, 4)).subfigures(1, 2)[1]
    assert (
        plot_feature_maps(model, ["gains", "pool"], images, overlay=True, figure=sub).figure is sub
    )


# Mistakes


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"overlay": None}, TypeError, "`overlay` must be a bool or an array, the picture; "),
        ({"overlay": "image"}, TypeError, "`picture` names an input. Received: overlay='image'"),
        ({"overlay": 1}, TypeError, "Received: overlay=1"),
        ({"overlay": ["a"]}, TypeError, "`overlay` must hold real numbers. Received: dtype <U1"),
        ({"overlay": [[1], [1, 2]]}, ValueError, "`overlay` must be an array that is not ragged."),
        (
            {"overlay": np.zeros(3)},
            ValueError,
            "`overlay` must have the shape (height, width) or (height, width, 1 or 3), with an "
            "axis for the samples before these where there are several. "
            "Received: an array of shape (3,)",
        ),
        ({"overlay": np.zeros((0, 3))}, ValueError, "Received: an array of shape (0, 3)"),
        ({"overlay": np.zeros((5, 6, 6, 3))}, ValueError, "Received: 5 for 1 drawn"),
        (
            {"overlay": True, "picture": np.zeros((1, 2, 3, 4))},
            ValueError,
            "`picture` must have the",
        ),
        ({"overlay": True, "picture": True}, TypeError, "Received: picture=True"),
        (
            {"overlay": np.zeros((6, 6)), "picture": "image"},
            ValueError,
            "`overlay` and `picture` cannot both be a picture.",
        ),
        ({"overlay": True, "alpha": 1.5}, ValueError, "Received: alpha=1.5"),
        ({"overlay": True, "alpha": np.nan}, ValueError, "Received: alpha=nan"),
        (
            {"overlay": True, "alpha": "strong"},
            ValueError,
            "`alpha` must be one of 'strength' or a number from 0 to 1. Did you mean 'strength'?",
        ),
        ({"overlay": True, "alpha": None}, TypeError, "Received: alpha=None"),
        ({"overlay": True, "alpha": True}, TypeError, "Received: alpha=True"),
        ({"alpha": 0.5}, ValueError, "`alpha` can only be used together with `overlay`."),
        (
            {"picture": "image"},
            ValueError,
            "`picture` must be one of the inputs ",
        ),
        (
            {"overlay": True, "interpolation": "bicubic"},
            ValueError,
            "`interpolation` must be one of 'nearest', 'bilinear'.",
        ),
        ({"interpolation": "bilinear"}, ValueError, "`interpolation` can only be used together"),
        ({"overlays": True}, TypeError, "Did you mean 'overlay'"),
    ],
    ids=str,
)
def test_plot_feature_maps_refuses_a_mistake_about_pictures_before_the_model_is_run(
    armed_model, options, error, message
):
    inputs = np.zeros((2, 6, 6, 1))
    with pytest.raises(RuntimeError, match="the model was run"):
        kerasviz.plot_feature_maps(armed_model, "conv", inputs, overlay=True)
    with pytest.raises(error, match=re.escape(message)):
        kerasviz.plot_feature_maps(armed_model, "conv", inputs, **options)
    assert not plt.get_fignums()


def test_plot_feature_maps_refuses_to_draw_over_a_picture_without_height_and_width(armed_model):
    message = (
        "`overlay` takes layers whose maps have a height and a width, or steps. "
        "Received: 'vector', whose output has no axis between samples and channels"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        kerasviz.plot_feature_maps(armed_model, "vector", np.zeros((1, 6, 6, 1)), overlay=True)


@pytest.mark.parametrize("channels", [2, 4])
def test_plot_feature_maps_needs_a_picture_where_no_input_is_one(plot_feature_maps, channels):
    model = keras.Sequential([keras.Input((6, 6, channels)), keras.layers.Conv2D(2, 3, name="c")])
    inputs = np.zeros((1, 6, 6, channels))
    message = (
        "`overlay` can be True where an input has the shape (samples, height, width, 1 or 3); else "
        f"it must be the picture itself. Received: overlay=True, inputs of shape {inputs.shape}"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        kerasviz.plot_feature_maps(model, "c", inputs, overlay=True)
    plot = plot_feature_maps(model, "c", inputs, overlay=np.zeros((6, 6)))
    assert len(plot.axes[0].images) == 2
