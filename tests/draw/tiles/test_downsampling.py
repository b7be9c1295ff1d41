"""Images with more values than pixels."""

from __future__ import annotations

import io
import itertools

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from PIL import Image

from kerasviz.draw.tiles.downsampling import (
    DownsampledImage,
    DownsampledPcolorImage,
    average_blocks,
    average_colors,
)


def contraharmonic(values: np.ndarray) -> float:
    """The definition, value by value."""
    strength = sum(abs(float(value)) for value in values)
    return sum(float(v) * abs(float(v)) for v in values) / strength if strength else 0.0


@pytest.mark.parametrize("factors", [(2, 2), (3, 2), (1, 4), (5, 7), (1, 1)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_blocks_are_averaged_by_the_definition(factors, dtype, rng) -> None:
    array = (10 * rng.normal(size=(11, 14))).astype(dtype)
    reduced = average_blocks(array, np.arange(0, 11, factors[0]), np.arange(0, 14, factors[1]))
    rows, columns = -(-11 // factors[0]), -(-14 // factors[1])
    assert reduced.shape == (rows, columns)
    for i in range(rows):
        for j in range(columns):
            block = array[i * factors[0] :, j * factors[1] :][: factors[0], : factors[1]]
            assert reduced[i, j] == pytest.approx(contraharmonic(block.ravel()), rel=1e-4, abs=1e-5)


def test_masked_and_invalid_values_do_not_count() -> None:
    array = np.ma.MaskedArray(np.full((4, 4), 9.0), np.zeros((4, 4), bool))
    array[0, 0], array[0, 1] = 2, 2
    array.mask[1, :2] = True
    array.data[2, 0], array.data[2, 1] = np.nan, np.inf
    array.mask[2:, 2:] = True
    reduced = average_blocks(array, np.array([0, 2]), np.array([0, 2]))
    np.testing.assert_array_equal(reduced.filled(-1), [[2, 9], [9, -1]])


@pytest.mark.parametrize("size", [1e-44, 1e-25, 1e-5, 1e4, 1e30, 3e38])
def test_huge_and_tiny_values_are_averaged_as_others_are(size) -> None:
    array = np.zeros((4, 4), "float32" if size not in (1e-5, 1e4) else "float16")
    array[0, 0] = array[3, 3] = array[3, 2] = size
    reduced = average_blocks(array, np.array([0, 2]), np.array([0, 2]))
    expected = float(array[0, 0]) * np.array([[1, 0], [0, 1]])
    np.testing.assert_allclose(reduced, expected, rtol=1e-2)


def test_averages_stay_within_the_values(rng) -> None:
    for value in rng.uniform(1e-3, 1, 50).astype("float32"):
        reduced = average_blocks(np.full((9, 9), value), np.arange(0, 9, 3), np.arange(0, 9, 3))
        assert (reduced == value).all()


def test_nothing_that_counts_is_all_masked() -> None:
    reduced = average_blocks(np.full((4, 6), np.nan), np.array([0, 2]), np.array([0, 2, 4]))
    assert reduced.shape == (2, 3)
    assert reduced.mask.all()


@pytest.fixture
def draw():
    """Draw values, a canvas of 100 by 100 pixels, and return image, canvas and the greys."""

    def make(array: np.ndarray, kind: type = DownsampledImage, **settings: object):
        figure = Figure(figsize=(1, 1), dpi=100)
        canvas = FigureCanvasAgg(figure)
        ax = figure.add_axes((0, 0, 1, 1))
        rows, columns = array.shape[:2]
        image = kind(ax, extent=(0, columns, rows, 0), cmap="gray", **settings)
        image.set_data(array)
        image.set_clim(0, 1)
        ax.add_image(image)
        ax.set(xlim=(0, columns), ylim=(rows, 0))
        ax.axis("off")
        return image, canvas

    return make


def greys(canvas: FigureCanvasAgg) -> np.ndarray:
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., 0] / 255


def test_a_single_bright_value_stays_visible(draw) -> None:
    array = np.zeros((800, 800), "float32")
    array[401, 237] = 1
    image, canvas = draw(array)
    shown = greys(canvas)
    row, column = np.unravel_index(shown.argmax(), shown.shape)
    assert shown.max() > 0.9
    assert (row, column) == (401 // 8, 237 // 8)
    np.testing.assert_array_equal(image.get_array(), array)
    plain = greys(draw(array, kind=type(image).__mro__[1])[1])
    assert plain.max() < 0.1, "Matplotlib alone lets it vanish"


def test_what_is_drawn_are_the_averages(draw, rng) -> None:
    array = rng.uniform(size=(400, 300)).astype("float32")
    _, canvas = draw(array, interpolation="nearest")
    expected = average_blocks(array, np.arange(0, 400, 4), np.arange(0, 300, 3))
    np.testing.assert_allclose(greys(canvas), expected, atol=2 / 255)


def test_a_size_that_is_no_multiple_keeps_its_place(draw) -> None:
    array = np.zeros((301, 299), "float32")
    array[:, 150:] = 1
    _, canvas = draw(array)
    shown = greys(canvas)
    edge = 100 * 150 / 299
    assert (shown[:, : int(edge) - 1] < 0.1).all()
    assert (shown[:, int(edge) + 2 :] > 0.9).all()


def test_more_dots_and_a_closer_look_show_more(draw) -> None:
    array = np.zeros((400, 400), "float32")
    array[::2] = 1
    image, canvas = draw(array, interpolation="nearest")
    assert len(np.unique(greys(canvas))) == 1
    fine = io.BytesIO()
    canvas.figure.savefig(fine, dpi=400)
    lines = np.asarray(Image.open(fine))[..., 0]
    np.testing.assert_array_equal(np.unique(lines), [0, 255])
    image.axes.set(xlim=(0, 50), ylim=(50, 0))
    np.testing.assert_array_equal(np.unique(greys(canvas)), [0, 1])


def test_fewer_values_than_pixels_are_drawn_as_matplotlib_draws_them(draw, rng) -> None:
    array = rng.uniform(size=(90, 70))
    image, canvas = draw(array)
    _, plain = draw(array, kind=type(image).__mro__[1])
    np.testing.assert_array_equal(greys(canvas), greys(plain))


@pytest.mark.parametrize("alpha", [None, 0.4])
@pytest.mark.parametrize("shape", [(150, 120), (190, 30), (150, 120, 3)], ids=str)
def test_fewer_than_two_values_a_pixel_are_blended_as_matplotlib_does(
    draw, rng, shape, alpha
) -> None:
    array = np.ma.MaskedArray(rng.uniform(size=shape), np.zeros(shape, bool))
    if len(shape) == 2:
        array.mask[40:50], array.mask[:, 7] = True, True
    image, canvas = draw(array, alpha=alpha)
    _, plain = draw(array, kind=type(image).__mro__[1], alpha=alpha)
    off = np.abs(greys(canvas) - greys(plain)) * 255
    # Rounded before blending, after it and with the opacity; by Matplotlib 3.10, always down.
    assert off.max() < 2.01
    assert off.mean() < 0.6


def test_an_opacity_for_each_value_is_matplotlibs_own(draw, rng) -> None:
    array, alpha = rng.uniform(size=(2, 250, 250))
    image, canvas = draw(array, alpha=alpha)
    _, plain = draw(array, kind=type(image).__mro__[1], alpha=alpha)
    np.testing.assert_array_equal(greys(canvas), greys(plain))


def test_other_values_and_limits_are_shown(draw) -> None:
    image, canvas = draw(np.zeros((400, 400), "float32"))
    assert greys(canvas).max() == 0
    image.set_data(np.ones((400, 400), "float32"))
    assert greys(canvas).min() == 1
    image.set_clim(0, 2)
    assert greys(canvas).max() == pytest.approx(0.5, abs=0.01)
    image.set_alpha(0.5)
    assert greys(canvas).max() == pytest.approx(0.75, abs=0.01)


def test_many_maps_are_reduced_and_can_be_read_back(plot_tiles, rng, read_tiles) -> None:
    maps = rng.uniform(size=(224, 224, 64)).astype("float32")
    plot = plot_tiles(maps)
    (image,) = plot.images
    assert isinstance(image, DownsampledImage)
    np.testing.assert_array_equal(read_tiles(image, 224, 224), np.moveaxis(maps, 2, 0))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_colors_are_averaged_and_those_in_the_gaps_do_not_count(dtype, rng) -> None:
    colors = rng.uniform(size=(11, 14, 3)).astype(dtype)
    mask = np.zeros(colors.shape, bool)
    mask[:, 7] = mask[3] = True
    mask[:3, :4] = True
    given = np.ma.MaskedArray(colors, mask)
    reduced = average_colors(given, np.arange(0, 11, 3), np.arange(0, 14, 4))
    assert reduced.shape == (4, 4, 3)
    assert not reduced[0, 0].any()
    for i, j in set(itertools.product(range(4), range(4))) - {(0, 0)}:
        block = given[3 * i : 3 * i + 3, 4 * j : 4 * j + 4]
        np.testing.assert_allclose(reduced[i, j], block.mean(axis=(0, 1)), rtol=1e-5)
    np.testing.assert_array_equal(given.data, colors)


@pytest.mark.slow
def test_pictures_of_more_pixels_than_the_figure_has_are_reduced(plot_tiles, rng, pixels) -> None:
    pictures = np.repeat(rng.uniform(0.2, 0.8, size=(64, 1, 1, 3)), 224, axis=1).repeat(224, axis=2)
    pictures = pictures + np.resize([-0.2, 0.2], (224, 224))[..., np.newaxis] * [1, 1, 0]
    pictures = pictures.astype("float32")
    plot = plot_tiles(pictures)
    (image,) = plot.images
    assert isinstance(image, DownsampledImage)
    shown = pixels(plot.figure)[..., :3] / 255
    box = image.get_window_extent()
    rows, columns = image.get_size()
    seen = np.ma.getmaskarray(image.get_array())[..., 0]
    for n, (y, x) in enumerate(itertools.product(range(8), range(8))):
        row = np.flatnonzero(~seen.all(axis=1))[y * 224 + 112]
        column = np.flatnonzero(~seen.all(axis=0))[x * 224 + 112]
        dot = shown[
            int(len(shown) - box.y1 + row / rows * box.height),
            int(box.x0 + column / columns * box.width),
        ]
        np.testing.assert_allclose(dot, pictures[n].mean(axis=(0, 1)), atol=0.02)


@pytest.mark.few(1)
@pytest.mark.parametrize("shape", [(224, 224, 64), (64, 224, 224, 3), (9, 9, 40_000)], ids=str)
def test_a_single_value_that_is_not_finite_stays_visible(plot_tiles, shape, pixels, rng) -> None:
    array = rng.uniform(size=shape).astype("float32")
    array.flat[array.size // 3] = np.nan
    with pytest.warns(UserWarning, match="^1 of the values"):
        plot = plot_tiles(array, tiles="all")
    colors = pixels(plot.figure)[..., :3].astype(int)
    magenta = np.abs(colors - (255, 0, 255)).max(axis=2)
    assert magenta.min() < 100


@pytest.fixture
def draw_unequal():
    """Draw values in columns that are three times as wide one time in five, 100 by 100 pixels."""

    def make(array: np.ndarray):
        figure = Figure(figsize=(1, 1), dpi=100)
        canvas = FigureCanvasAgg(figure)
        ax = figure.add_axes((0, 0, 1, 1))
        widths = np.where(np.arange(array.shape[1]) % 5 == 0, 3, 1)
        x = np.concatenate([[0], np.cumsum(widths)])
        y = np.arange(len(array) + 1)
        image = DownsampledPcolorImage(ax, x, y, array, cmap="gray")
        image.set_clim(0, 1)
        ax.add_image(image)
        ax.set(xlim=(0, x[-1]), ylim=(len(array), 0))
        ax.axis("off")
        return image, canvas, x

    return make


@pytest.mark.parametrize("place", [(401, 237), (0, 0), (799, 499)])
def test_a_single_bright_value_between_unequal_columns_stays_visible(draw_unequal, place) -> None:
    array = np.zeros((800, 500), "float32")
    array[place] = 1
    image, canvas, x = draw_unequal(array)
    shown = greys(canvas)
    row, column = np.unravel_index(shown.argmax(), shown.shape)
    assert shown.max() == 1
    assert row == place[0] // 8
    assert abs(column - (x[place[1]] + 0.5) / x[-1] * 100) <= 1
    np.testing.assert_array_equal(image.get_array(), array)


def test_colors_of_unequal_columns_are_averaged(draw_unequal) -> None:
    array = np.zeros((400, 500, 3), "float32")
    array[::2] = 0.8
    np.testing.assert_allclose(greys(draw_unequal(array)[1]), 0.4, atol=1 / 255)


def test_gaps_do_not_count(draw_unequal) -> None:
    array = np.ma.MaskedArray(np.full((400, 50), 0.5), np.zeros((400, 50), bool))
    array.mask[1::2] = True
    shown = greys(draw_unequal(array)[1])
    np.testing.assert_allclose(shown, 0.5, atol=1 / 255)


def test_few_values_of_unequal_size_are_drawn_as_they_are(draw_unequal, rng) -> None:
    array = rng.integers(0, 256, (60, 40)) / 255
    _, canvas, x = draw_unequal(array)
    shown = greys(canvas)
    for i, j in itertools.product(range(100), range(100)):
        row = int((i + 0.5) * 60 / 100)
        column = sum(edge <= (j + 0.5) * x[-1] / 100 for edge in x[1:])
        assert shown[i, j] == pytest.approx(array[row, column], abs=1.5 / 255)


def test_a_closer_look_and_more_dots_show_more_of_unequal_columns(draw_unequal) -> None:
    array = np.zeros((400, 400), "float32")
    array[::2] = 1
    image, canvas, _ = draw_unequal(array)
    assert len(np.unique(greys(canvas))) == 1
    fine = io.BytesIO()
    canvas.figure.savefig(fine, dpi=400)
    np.testing.assert_array_equal(np.unique(np.asarray(Image.open(fine))[..., 0]), [0, 255])
    image.axes.set(xlim=(0, 50), ylim=(50, 0))
    np.testing.assert_array_equal(np.unique(greys(canvas)), [0, 1])


@pytest.mark.parametrize("number", [0, 1234, 4095])
def test_kernels_smaller_than_a_pixel_are_reduced(plot_tiles, pixels, number) -> None:
    tiles = np.zeros((3, 3, 4096), "float32")
    tiles[0, 0] = 0.1  # so that none is constant
    tiles[1, 1, number] = 1
    figure = plt.figure(figsize=(1.5, 1.5), dpi=100)
    ax = figure.add_axes((0, 0, 1, 1))
    colors = ListedColormap(["black", "red"])
    plot = plot_tiles(
        tiles, tiles="all", cmap=colors, ax=ax, title=False, colorbar=False, robust=False
    )
    array = plot.images[0].get_array()
    assert array.shape[0] > 150
    assert (array == 1).sum() == 1
    red, green, *_ = np.moveaxis(pixels(figure), -1, 0)
    assert 1 <= ((red > 200) & (green < 50)).sum() <= 4


@pytest.mark.few(2)
@pytest.mark.skipif(
    matplotlib.__version_info__ < (3, 11),
    reason="older versions of imshow may draw a column of a cell a dot too early",
)
@pytest.mark.parametrize("dpi", [50, 72, 100, 150, 200])
def test_plot_tiles_draws_values_of_whole_dots_as_imshow_does(plot_tiles, rng, dpi) -> None:
    array = rng.normal(size=(14, 14, 12)).astype("float32")
    plot = plot_tiles(array, columns=4)
    plot.figure.set_dpi(dpi)
    (image,) = plot.images
    pictures = []
    for _ in range(2):
        canvas = FigureCanvasAgg(plot.figure)
        canvas.draw()
        pictures.append(np.array(canvas.buffer_rgba()))
        image.set_visible(False)
        own = image.axes.imshow(
            image.get_array(), norm=image.norm, cmap=image.cmap, extent=image.get_extent()
        )
        own.set(interpolation="nearest", interpolation_stage="data")
    np.testing.assert_array_equal(*pictures)
