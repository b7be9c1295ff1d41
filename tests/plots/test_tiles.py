import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

import kerasviz


@pytest.fixture
def array(rng):
    return rng.normal(size=(3, 4, 12))


def test_plot_tiles_draws_one_tile_per_index_of_the_last_axis(plot_tiles, read_tiles, array):
    plot = plot_tiles(array)
    shown = read_tiles(plot.images[0], 3, 4)
    np.testing.assert_array_equal(shown, [array[:, :, n] for n in range(12)])
    assert plot.axes[0].get_title() == "12 tiles, 3×4"
    assert repr(plot) == "Plot(12 tiles, 3×4)"


def test_plot_tiles_draws_two_axes_as_one_tile(plot_tiles, array):
    plot = plot_tiles(array[:, :, 0])
    np.testing.assert_array_equal(plot.images[0].get_array(), array[:, :, 0])
    assert plot.axes[0].get_title() == "1 tile, 3×4"


def test_plot_tiles_draws_four_axes_as_colors(plot_tiles, read_tiles, rng):
    colors = rng.uniform(size=(6, 3, 4, 3))
    plot = plot_tiles(colors)
    np.testing.assert_allclose(read_tiles(plot.images[0], 3, 4), colors, rtol=1e-6)
    assert plot.axes[0].get_title() == "6 tiles, 3×4"


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_plot_tiles_takes_the_first_axis_of_colors_for_tiles_even_where_it_is_3(
    plot_tiles, read_tiles, dtype
):
    colors = np.arange(81).reshape(3, 3, 3, 3).astype(dtype)
    divisor = 255 if dtype == "uint8" else 80
    shown = read_tiles(plot_tiles(colors).images[0], 3, 3)
    np.testing.assert_allclose(shown, colors / divisor, rtol=1e-6)


def test_plot_tiles_draws_booleans_as_0_and_1(plot_tiles, read_tiles, array):
    image = plot_tiles(array > 0).images[0]
    np.testing.assert_array_equal(read_tiles(image, 3, 4), np.moveaxis(array > 0, 2, 0))
    assert image.get_clim() == (0, 1)
    colors = np.array([True, False, True]).reshape(1, 1, 1, 3)
    assert plot_tiles(colors).images[0].get_array().tolist() == [[[1, 0, 1]]]


def test_plot_tiles_takes_lists(plot_tiles):
    assert plot_tiles([[1, 2], [3, 4]]).images[0].get_array().tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("array", "error", "message"),
    [
        (np.zeros(3), ValueError, "Received: an array of shape (3,)"),
        (
            np.zeros((2, 3, 3, 4)),
            ValueError,
            "`array` must have the shape (height, width, n) or (n, height, width, 1 or 3). "
            "Received: an array of shape (2, 3, 3, 4)",
        ),
        (np.zeros((1, 2, 3, 3, 3)), ValueError, "Received: an array of shape (1, 2, 3, 3, 3)"),
        (np.zeros((3, 3, 0)), ValueError, "`array` must hold a value. Received: shape (3, 3, 0)"),
        (
            np.zeros((3, 3), complex),
            TypeError,
            "must hold real numbers. Received: dtype complex128",
        ),
        ("text", TypeError, "`array` must hold real numbers. Received: dtype <U4"),
        (None, TypeError, "`array` must hold real numbers. Received: dtype object"),
    ],
    ids=["1-D", "4 colors", "5-D", "empty", "complex", "text", "None"],
)
def test_plot_tiles_refuses_what_holds_no_tiles(array, error, message):
    with pytest.raises(error, match=re.escape(message)):
        kerasviz.plot_tiles(array)


@pytest.mark.parametrize(
    ("tiles", "numbers", "words"),
    [
        (5, [5], "tile 5"),
        (-1, [11], "tile 11"),
        (slice(2, 9, 3), [2, 5, 8], "tiles 2, 5, 8"),
        ([7, 0, 3], [7, 0, 3], "tiles 0, 3, 7"),
        (range(4), [0, 1, 2, 3], "tiles 0–3"),
        ([9, 10, 1, 2, 3], [9, 10, 1, 2, 3], "tiles 1–3, 9, 10"),
    ],
    ids=str,
)
def test_plot_tiles_draws_a_subset_in_its_order_and_says_so(
    plot_tiles, read_tiles, array, tiles, numbers, words
):
    plot = plot_tiles(array, tiles=tiles, labels=True)
    shown = read_tiles(plot.images[0], 3, 4)
    np.testing.assert_array_equal(shown, [array[:, :, number] for number in numbers])
    assert plot.axes[0].get_title() == f"{words} of 12, 3×4"
    assert [label.get_text() for label in plot.axes[0].texts] == [str(n) for n in numbers]


def test_plot_tiles_says_that_it_draws_a_subset_of_512(plot_tiles, rng):
    plot = plot_tiles(rng.normal(size=(3, 3, 512)), tiles=slice(8))
    assert plot.axes[0].get_title() == "tiles 0–7 of 512, 3×3"


@pytest.mark.parametrize("sort", ["norm", "mean"])
def test_plot_tiles_draws_the_strongest_tile_first_under_its_own_number(
    plot_tiles, read_tiles, array, sort
):
    plot = plot_tiles(array, sort=sort, labels=True)
    strength = [
        np.linalg.norm(array[..., n]) if sort == "norm" else array[..., n].mean() for n in range(12)
    ]
    numbers = sorted(range(12), key=lambda n: -strength[n])
    shown = read_tiles(plot.images[0], 3, 4)
    np.testing.assert_array_equal(shown, [array[:, :, number] for number in numbers])
    assert [label.get_text() for label in plot.axes[0].texts] == [str(n) for n in numbers]
    assert plot.axes[0].format_coord(0.5, 0.5).startswith(f"tile {numbers[0]}, row 0, column 0")
    assert plot.axes[0].get_title() == "12 tiles, 3×4"


def test_plot_tiles_sorts_a_subset_among_itself(plot_tiles, array):
    plot = plot_tiles(array, tiles=[3, 9, 1], sort="norm", labels=True)
    numbers = sorted([3, 9, 1], key=lambda n: -np.linalg.norm(array[..., n]))
    assert [label.get_text() for label in plot.axes[0].texts] == [str(n) for n in numbers]


@pytest.mark.parametrize("scale", ["layer", "figure"])
def test_plot_tiles_shows_the_values_as_they_are_on_one_scale(plot_tiles, read_tiles, array, scale):
    plot = plot_tiles(array, scale=scale)
    np.testing.assert_array_equal(read_tiles(plot.images[0], 3, 4), np.moveaxis(array, 2, 0))
    reach = np.abs(array).max()
    assert plot.images[0].get_clim() == (-reach, reach)
    assert plot.colorbars[0] is not None


def test_plot_tiles_shows_normalised_values_on_one_scale_per_tile_and_says_so(
    plot_tiles, read_tiles, read_title, array
):
    plot = plot_tiles(array, scale="tile")
    expected = [array[..., n] / np.abs(array[..., n]).max() for n in range(12)]
    np.testing.assert_allclose(read_tiles(plot.images[0], 3, 4), expected)
    assert plot.images[0].get_clim() == (-1, 1)
    assert plot.colorbars == (None,)
    assert read_title(plot.axes[0]) == "12 tiles, 3×4 each tile on its own scale"


def test_plot_tiles_tells_the_value_itself_on_hovering_over_scaled_tiles(plot_tiles, array):
    array[1, 2, 0] = 0.015625
    plot = plot_tiles(array, scale="tile")
    assert plot.axes[0].format_coord(2.5, 1.5) == "tile 0, row 1, column 2: 0.0156"


def test_plot_tiles_takes_what_is_masked_for_nan(plot_tiles, read_title):
    numbers = np.arange(18).reshape(3, 3, 2)
    values = np.ma.array(numbers, mask=numbers % 9 == 8)
    with pytest.warns(UserWarning, match="^2 of the values drawn are NaN or infinite"):
        plot = plot_tiles(values)
    array = plot.images[0].get_array()
    shown = array.data[~array.mask.all(axis=1)][:, ~array.mask.all(axis=0)]
    expected = np.hstack(np.moveaxis(values.astype(float).filled(np.nan), 2, 0))
    np.testing.assert_array_equal(shown, expected)
    assert plot.images[0].get_clim() == (0, 16)
    assert read_title(plot.axes[0]) == "2 tiles, 3×3 2 NaN or infinite values (magenta)"


def test_plot_tiles_takes_a_masked_array_without_a_masked_value(plot_tiles, pixels, array):
    one, other = plot_tiles(array), plot_tiles(np.ma.array(array))
    np.testing.assert_array_equal(pixels(one.figure), pixels(other.figure))


def test_plot_tiles_scales_integer_colors_beyond_255_and_says_so(plot_tiles, read_title):
    colors = np.array([0, 1000, 4000], "uint16").reshape(1, 1, 1, 3)
    plot = plot_tiles(colors)
    assert plot.images[0].get_array().tolist() == [[[0, 0.25, 1]]]
    assert read_title(plot.axes[0]) == "1 tile, 1×1 black to white: 0 to 4,000"
    assert plot.axes[0].format_coord(0.5, 0.5).endswith(": [   0 1000 4000]")


def test_plot_tiles_draws_a_repeated_tile_twice_and_counts_it_once(plot_tiles, read_tiles, array):
    plot = plot_tiles(array, tiles=[3, 0, 3], labels=True)
    shown = read_tiles(plot.images[0], 3, 4)
    np.testing.assert_array_equal(shown, [array[..., n] for n in (3, 0, 3)])
    assert plot.axes[0].get_title() == "tiles 0, 3 of 12, 3×4"
    assert [label.get_text() for label in plot.axes[0].texts] == ["3", "0", "3"]


@pytest.mark.parametrize("projection", ["polar", "3d"])
def test_plot_tiles_refuses_an_axes_that_is_not_flat(array, projection):
    ax = Figure().add_subplot(projection=projection)
    with pytest.raises(TypeError, match=r"^`ax` must be a plain Axes\."):
        kerasviz.plot_tiles(array, ax=ax)
    assert not ax.images


def test_plot_tiles_takes_limits_and_a_colormap(plot_tiles, array):
    image = plot_tiles(array, cmap="gray", vmin=-1, vmax=2).images[0]
    assert image.get_clim() == (-1, 2)
    assert image.get_cmap().name == "gray"
    assert plot_tiles(array, vmax=2).images[0].get_clim() == (-2, 2)
    assert plot_tiles(abs(array), vmax=2).images[0].get_clim() == (0, 2)


def test_plot_tiles_uses_a_norm_and_leaves_it_as_it_is(plot_tiles, array):
    norm = Normalize(vmax=2)
    image = plot_tiles(array, norm=norm).images[0]
    assert image.get_clim() == (array.min(), 2)
    assert (norm.vmin, norm.vmax) == (None, 2)


def test_plot_tiles_takes_columns(plot_tiles, array):
    assert plot_tiles(array, columns=6).images[0].get_array().shape == (2 * 4 - 1, 6 * 5 - 1)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("columns", {"columns": 0}),
        ("tiles", {"tiles": 12}),
        ("tiles", {"tiles": []}),
        ("sort", {"sort": "size"}),
        ("scale", {"scale": "row"}),
        ("cmap", {"cmap": "rainbows"}),
        ("vmin", {"vmin": 1, "vmax": 0}),
        ("vmin", {"vmin": 0, "scale": "tile"}),
        ("norm", {"norm": "lin"}),
        ("norm", {"norm": "log", "vmin": 1}),
    ],
)
def test_plot_tiles_refuses_a_mistake_before_anything_is_drawn(array, name, options):
    figure = Figure()
    with pytest.raises(ValueError, match=f"^`{name}`.*Received: "):
        kerasviz.plot_tiles(array, figure=figure, **options)
    assert not figure.axes
    with pytest.raises(ValueError, match=f"^`{name}`"):
        kerasviz.plot_tiles(array, **options)
    assert not plt.get_fignums()


def test_plot_tiles_refuses_a_misspelt_keyword(array):
    with pytest.raises(TypeError, match=r"`colums`\. Did you mean 'columns'"):
        kerasviz.plot_tiles(array, colums=3)


@pytest.mark.parametrize(
    "options", [{}, {"sort": "norm"}, {"scale": "tile"}, {"tiles": [1, 0]}], ids=str
)
@pytest.mark.parametrize("shape", [(3, 4, 12), (2, 3, 4, 3)])
def test_plot_tiles_leaves_the_array_as_it_is(plot_tiles, rng, shape, options, pixels):
    array = rng.normal(size=shape)
    before = array.copy()
    array.flags.writeable = False
    plot = plot_tiles(array, **options)
    pixels(plot.figure)
    np.testing.assert_array_equal(array, before)
    assert not any(np.shares_memory(image.get_array(), array) for image in plot.images)


def test_plot_tiles_warns_at_the_line_of_the_call(array):
    array[0, 0, :5] = np.nan
    with pytest.warns(UserWarning, match="^5 of the values drawn are NaN or infinite") as caught:
        kerasviz.plot_tiles(array, figure=Figure())
    assert [warning.filename for warning in caught] == [__file__]


def test_plot_tiles_does_not_warn_of_a_tile_that_is_not_drawn(plot_tiles, array):
    array[0, 0, 5] = np.nan
    assert plot_tiles(array, tiles=slice(5)).axes[0].get_title() == "tiles 0–4 of 12, 3×4"


def test_plot_tiles_counts_constant_tiles(plot_tiles, array):
    array[..., 3] = 0
    plot = plot_tiles(array)
    assert plot.axes[0].get_title().endswith("\n1 constant (×)")
    assert len(plot.axes[0].collections) == 1


def test_plot_tiles_prints_nothing(plot_tiles, array, capfd):
    plot_tiles(array, labels=True).figure.canvas.draw()
    assert capfd.readouterr() == ("", "")


def test_plot_tiles_looks_the_same_in_a_figure_and_with_its_size(plot_tiles, array, pixels):
    into_figure = Figure(figsize=(4, 3))
    plot_tiles(array, figure=into_figure, labels=True)
    own = plot_tiles(array, figsize=(4, 3), labels=True)
    np.testing.assert_array_equal(pixels(own.figure), pixels(into_figure))


def test_plot_tiles_looks_the_same_for_all_tiles_and_a_list_of_all(plot_tiles, array, pixels):
    one, other = plot_tiles(array), plot_tiles(array, tiles=list(range(12)))
    np.testing.assert_array_equal(pixels(one.figure), pixels(other.figure))


@pytest.mark.parametrize("scale", ["layer", "tile"])
def test_plot_tiles_changes_no_color_for_a_positive_factor(plot_tiles, array, pixels, scale):
    options = {"scale": scale, "colorbar": False}
    one, other = plot_tiles(array, **options), plot_tiles(array * 8, **options)
    np.testing.assert_array_equal(pixels(one.figure), pixels(other.figure))


def test_plot_tiles_looks_different_for_another_value(plot_tiles, array, pixels):
    one = pixels(plot_tiles(array, vmax=1).figure)
    array[1, 2, 7] = -array[1, 2, 7]
    other = pixels(plot_tiles(array, vmax=1).figure)
    assert (one != other).any()


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_plot_tiles_draws_small_floats_like_any(plot_tiles, read_tiles, rng, name):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    array = rng.normal(size=(4, 4, 3)).astype(getattr(ml_dtypes, name))
    shown = read_tiles(plot_tiles(array).images[0], 4, 4)
    np.testing.assert_array_equal(shown, np.moveaxis(array.astype("float32"), 2, 0))


def test_plot_tiles_gives_float16_the_colors_of_float64(plot_tiles, pixels, rng):
    values = rng.uniform(-3.3, 3.3, (5, 5, 9)).astype("float16")
    values[0, 0, 0] = 1.45996
    drawn = [
        pixels(plot_tiles(array, title=False, vmin=-3.34, vmax=3.34).figure).astype(int)
        for array in (values, values.astype("float64"))
    ]
    assert np.abs(drawn[0] - drawn[1]).max() <= 1


def test_plot_tiles_draws_grey_images_as_tiles(plot_tiles, read_tiles, rng):
    images = rng.random((5, 6, 7, 1))
    plot = plot_tiles(images)
    np.testing.assert_array_equal(read_tiles(plot.images[0], 6, 7), images[..., 0])
    assert plot.axes[0].get_title() == "5 tiles, 6×7"


def test_plot_tiles_draws_the_strongest_tiles(plot_tiles, read_tiles, array):
    plot = plot_tiles(array, top=3, labels=True)
    order = np.linalg.norm(array.reshape(-1, 12), axis=0).argsort()[::-1][:3]
    np.testing.assert_array_equal(read_tiles(plot.images[0], 3, 4), np.moveaxis(array, 2, 0)[order])
    assert [label.get_text() for label in plot.axes[0].texts] == [str(n) for n in order]
    assert plot.axes[0].get_title() == "3 strongest of 12 tiles, 3×4"
