"""Look at the artists that `plot_convolution` and `animate_convolution` draw."""

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from keras import layers
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

import kerasviz
from written_words import texts_of

NOT_FINITE = ("ignore:.*NaN or infinite", "ignore:__array__ implementation")


def make_model(layer, shape, kernel=None):
    model = keras.Sequential([keras.Input(shape), layer])
    if kernel is not None:
        model.set_weights([kernel])
    return model


def make_convolution(size=6, channels=1, window=3, kernel=None, **options):
    """Return a convolution without bias, and an image from 0 to 1."""
    if kernel is None:
        kernel = np.linspace(-1, 1, channels * window**2)
    layer = layers.Conv2D(1, window, use_bias=False, name="c", **options)
    model = make_model(
        layer, (size, size, channels), np.reshape(kernel, (window, window, channels, 1))
    )
    return model, np.linspace(0, 1, channels * size**2).reshape(size, size, channels)


@pytest.fixture
def draw(closing):
    """Draw a step of a convolution that `make_convolution` made."""

    def call(position=(0, 0), *, figure=None, cmap=None, image=None, **options):
        model, ramp = make_convolution(**options)
        image = ramp if image is None else image
        plot = closing(kerasviz.plot_convolution)
        return plot(model, "c", image, position=position, figure=figure, cmap=cmap)

    return call


@pytest.fixture
def draw_pooling(closing):
    def call(image, position, **options):
        model = make_model(layers.MaxPooling2D(name="p", **options), (*image.shape, 1))
        return closing(kerasviz.plot_convolution)(model, "p", image, position=position)

    return call


def frame(ax):
    """Return left, top, width and height of what frames cells of an Axes."""
    (patch,) = ax.patches
    return (*patch.get_xy(), patch.get_width(), patch.get_height())


def hatched(ax):
    """Return left, top, width and height of each hatched part."""
    (collection,) = [c for c in ax.collections if c.get_hatch()]
    return [path.get_extents().bounds for path in collection.get_paths()]


def test_plot_convolution_frames_the_window_and_its_value(draw):
    plot = draw((3, 1))
    assert frame(plot.axes[0]) == (0.5, 2.5, 3, 3)
    assert frame(plot.axes[-1]) == (0.5, 2.5, 1, 1)
    assert plot.axes[-1].get_xticks().tolist() == [1]
    assert plot.axes[-1].get_yticks().tolist() == [3]


def test_plot_convolution_counts_rows_and_columns_without_padding(draw):
    ax = draw((0, 1), window=5, padding="same").axes[0]
    assert ax.get_xlim() == (-2.5, 7.5)
    assert ax.get_ylim() == (7.5, -2.5)
    assert frame(ax) == (-1.5, -2.5, 5, 5)


def test_animate_convolution_moves_artists_and_adds_none(rng):
    model, _ = make_convolution()
    image = rng.uniform(size=(6, 6, 1))
    animation = kerasviz.animate_convolution(model, "c", image)
    plot = animation.plot
    before = [len(ax.get_children()) for ax in plot.axes]
    texts = [text.get_text() for text in plot.figure.texts]
    assert texts[:-1] == ["×", "=", "→", "c: step by step"]
    animation._draw_frame(6)
    assert [len(ax.get_children()) for ax in plot.axes] == before
    np.testing.assert_allclose(plot.images[1].get_array(), image[1:4, 2:5, 0], rtol=1e-6)
    is_written = ~plot.images[-1].get_array().mask
    np.testing.assert_array_equal(is_written.ravel(), np.arange(16) <= 6)
    total = plot.images[-1].get_array()[1, 2]
    assert plot.axes[3].get_xlabel() == f"sum {total:.3f}".replace("-", "−")
    assert [text.get_text() for text in plot.figure.texts][:-1] == texts[:-1]
    assert plot.figure.texts[-1].get_text() != texts[-1]


def test_animate_convolution_shows_values_that_are_not_there_yet_in_grey(pixels):
    model, image = make_convolution(30, kernel=np.ones(9))
    steps = [(row, column) for row in range(14) for column in range(28)]
    animation = kerasviz.animate_convolution(model, "c", image, positions=steps, cmap="gray")
    animation._draw_frame(299)
    seen = pixels(animation.plot.figure)
    ax = animation.plot.axes[-1]

    def color(row, column):
        x, y = ax.transData.transform((column, row))
        return seen[len(seen) - int(y) - 1, int(x)] / 255

    np.testing.assert_allclose(color(25, 15), to_rgba("0.93"), atol=0.01)
    assert color(5, 15)[0] < 0.5


@pytest.mark.parametrize(("size", "has_numbers"), [(6, True), (28, False)])
def test_plot_convolution_writes_legible_numbers_and_draws_bars_elsewhere(draw, size, has_numbers):
    plot = draw(size=size)
    assert texts_of(plot.axes[1])[:2] == ["0", "0.03" if has_numbers else "0.00"]
    assert len(texts_of(plot.axes[0])) == (36 if has_numbers else 0)
    assert len(texts_of(plot.axes[2])) == 9
    has_bar = [bar is not None for bar in plot.colorbars]
    assert has_bar == [not has_numbers, not has_numbers, False, False, not has_numbers]


def test_plot_convolution_draws_a_large_kernel_as_colours_with_bars(draw):
    plot = draw(size=28, window=11)
    assert not any(texts_of(ax) for ax in plot.axes)
    assert all(bar is not None for bar in plot.colorbars)
    assert plot.colorbars[1] is plot.colorbars[0]
    assert plot.images[1].norm is plot.images[0].norm


def test_plot_convolution_writes_numbers_that_are_readable_on_their_colour(draw):
    image = np.array([[0.0, 0.1], [0.9, 1.0]])
    texts = draw(size=2, window=1, image=image, cmap="gray").axes[0].texts
    assert [text.get_color() for text in texts] == ["white", "white", "black", "black"]


def test_plot_convolution_hatches_padding_and_writes_its_0_where_it_counts(draw, draw_pooling):
    ax = draw((1, 1), size=2, window=2, padding="same", image=np.ones((2, 2))).axes[1]
    assert texts_of(ax) == ["1", "0", "0", "0"]
    assert hatched(ax) == [(0.5, -0.5, 1, 1), (-0.5, 0.5, 1, 1), (0.5, 0.5, 1, 1)]
    ax = draw_pooling(np.ones((3, 2)), (1, 0), padding="same").axes[1]
    assert texts_of(ax) == ["1", "1", "", ""]
    assert hatched(ax) == [(-0.5, 0.5, 1, 1), (0.5, 0.5, 1, 1)]


def test_plot_convolution_shrinks_numbers_until_they_are_not_legible(draw):
    plots = [draw(figure=Figure(figsize=(width, 0.4 * width))) for width in (14, 8, 6)]
    sizes = [[text.get_fontsize() for text in plot.axes[2].texts] for plot in plots]
    assert set(sizes[0]) == {8}
    assert 5.5 <= min(sizes[1]) == max(sizes[1]) < 8
    assert sizes[2] == []


def test_plot_convolution_says_the_least_size(draw):
    message = r"too small .* in a font of 10 points: it must be at least 4\.\d x 2\.\d in"
    with pytest.raises(ValueError, match=message):
        draw(figure=Figure(figsize=(3.3, 2.5)))
    assert not plt.get_fignums()


@pytest.mark.parametrize("size", [8, 14, 20])
def test_plot_convolution_scales_texts_with_the_font(draw, size):
    with plt.rc_context({"font.size": size}):
        plot = draw(size=28)
    texts = [plot.figure.texts[-1], plot.axes[0].title, plot.axes[3].xaxis.label]
    assert [text.get_fontsize() for text in texts] == pytest.approx(
        [size, 0.85 * size, 0.85 * size]
    )
    assert {text.get_fontsize() for text in plot.axes[1].texts} == {0.8 * size}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("layout", ["none", "constrained", "tight"])
def test_plot_convolution_keeps_its_places_in_every_layout(draw, layout):
    figure = Figure(figsize=(8, 3), layout=layout)
    plot = draw(size=28, figure=figure)
    before = [ax.get_position().bounds for ax in plot.axes]
    figure.canvas.draw()
    np.testing.assert_allclose([ax.get_position().bounds for ax in plot.axes], before, atol=2e-3)
    figure.set_size_inches(10, 6)
    figure.canvas.draw()
    bar, ax = plot.colorbars[0].ax.get_window_extent(), plot.axes[0].get_window_extent()
    assert (bar.x0, bar.x1) == pytest.approx((ax.x0, ax.x1))
    assert bar.y1 < ax.y0


def test_plot_convolution_draws_color_channels_in_their_colors(draw, rng):
    plot = draw(size=8, channels=3, image=rng.uniform(size=(8, 8, 3)))
    for index, image in enumerate(plot.images[:-1:4]):
        assert image.cmap(1.0)[index] == max(image.cmap(1.0)[:3])
        assert image.cmap(0.5)[index] > 2 * sorted(image.cmap(0.5)[:3])[1]
        assert image.cmap(0.0)[:3] == (0, 0, 0)
    signed = draw(size=8, channels=3, image=rng.normal(size=(8, 8, 3)))
    assert {image.cmap.name for image in signed.images} == {"RdBu_r"}
    chosen = draw(size=8, channels=3, image=rng.uniform(size=(8, 8, 3)), cmap="gray")
    assert {image.cmap.name for image in chosen.images[:-1:4]} == {"gray"}


def test_plot_convolution_has_one_bar_for_kernel_and_products(draw, rng):
    image = rng.uniform(size=(28, 28, 1))
    plot = draw(size=28, window=11, image=image)
    kernel, products = plot.panels[2:4]
    assert kernel.colorbar is products.colorbar is not None
    assert kernel.limits == products.limits == (-1, 1)
    left, right = kernel.ax.get_position().x0, products.ax.get_position().x1
    plot.figure.canvas.draw()
    place = kernel.colorbar.ax.get_position()
    assert (place.x0, place.x1) == pytest.approx((left, right))
    # Products that are much larger have limits of their own, which the same bar says.
    plot = draw(size=28, window=11, image=255 * image)
    kernel, products = plot.panels[2:4]
    assert kernel.limits == (-1, 1)
    assert products.limits[1] == -products.limits[0] == np.abs(products.values).max() > 4
    labels = [label.get_text() for label in kernel.colorbar.ax.get_xticklabels()]
    assert labels[1] == "kernel\nproducts"
    assert labels[2].startswith("1")


def test_plot_convolution_keeps_the_arrow_apart_from_the_index_of_a_row(draw):
    plot = draw((110, 5), size=128, channels=1)
    plot.figure.canvas.draw()
    arrow = next(text for text in plot.figure.texts if text.get_text() == "→")
    index = plot.axes[-1].get_yticklabels()[0]
    assert index.get_text() == "110"
    assert arrow.get_window_extent().x1 < index.get_window_extent().x0


@pytest.mark.parametrize("style", ["dark_background", "ggplot"])
def test_plot_convolution_writes_signs_in_the_color_of_text(draw, style):
    with plt.style.context(style):
        plot = draw()
        color = plt.rcParams["text.color"]
    texts = [*plot.figure.texts, plot.axes[3].xaxis.label]
    assert {to_rgba(text.get_color()) for text in texts} == {to_rgba(color)}


@pytest.mark.parametrize(
    ("kernel", "image", "limits"),
    [
        ([-1.0], [[0, 0.25]], (-0.25, 0.25)),
        ([-1.0], [[0, 0]], (-1, 1)),
        ([1.0], [[0, 0.25]], (-0.25, 0.25)),
        ([-1.0], [[0, 0.5]], (-1, 1)),
    ],
)
def test_animate_convolution_gives_products_the_signed_colors_of_the_kernel(kernel, image, limits):
    layer = layers.Conv2D(1, 1, use_bias=False, name="c")
    model = make_model(layer, (1, 2, 1), np.reshape(kernel, (1, 1, 1, 1)))
    animation = kerasviz.animate_convolution(model, "c", np.array(image))
    assert animation.plot.images[3].get_clim() == limits


def test_plot_convolution_draws_one_row_per_channel_in_shared_colours(draw):
    plot = draw(size=12, channels=3)
    assert len(plot.axes) == 13
    names = [ax.get_ylabel() for ax in plot.axes[:-1:4]]
    assert names == ["channel 0", "channel 1", "channel 2"]
    sums = [float(image.get_array().sum()) for image in plot.images[3::4]]
    for ax, total in zip(plot.axes[3::4], sums, strict=True):
        shown = float(ax.get_xlabel().removeprefix("sum ").replace("−", "-"))
        assert shown == pytest.approx(total, abs=1e-3)
    assert {image.get_clim() for image in plot.images[:-1:4]} == {plot.images[0].get_clim()}
    titles = [" ".join(ax.get_title().split()) for ax in plot.axes]
    assert titles[:4] == ["input 12×12", "window 3×3", "kernel 3×3", "products"]
    assert titles[4:-1] == [""] * 8


def test_plot_convolution_writes_the_unit_of_small_numbers_into_the_title(draw):
    ax = draw(kernel=np.linspace(-0.002, 0.002, 9)).axes[2]
    assert ax.get_title() == "kernel\n3×3, in 10⁻³"
    assert texts_of(ax)[0] == "−2.00"


def test_plot_convolution_frames_the_largest_value_of_a_pooling(draw_pooling):
    plot = draw_pooling(np.array([[1.0, 2], [4, 3]]), (0, 0))
    assert len(plot.axes) == 3
    assert frame(plot.axes[1]) == (-0.5, 0.5, 1, 1)


def test_plot_convolution_outlines_the_cells_of_a_dilated_window(draw):
    ax = draw((0, 1), size=8, dilation_rate=2).axes[0]
    assert frame(ax) == (0.5, -0.5, 5, 5)
    outlines = ax.collections[-1].get_paths()
    centers = {tuple(path.get_extents().get_points().mean(axis=0)) for path in outlines}
    assert centers == {(x, y) for x in (1, 3, 5) for y in (0, 2, 4)}


@pytest.mark.filterwarnings(*NOT_FINITE)
def test_plot_convolution_draws_nan_and_infinity_in_magenta(draw):
    image = np.linspace(0, 1, 36).reshape(6, 6)
    image[0, 0], image[0, 1] = np.nan, np.inf
    shown = draw(image=image).images[0]
    magenta = to_rgba("magenta")
    colors = shown.cmap(shown.norm(shown.get_array()))
    assert tuple(colors[0, 0]) == tuple(colors[0, 1]) == magenta
    assert tuple(colors[1, 1]) != magenta


def without_bars(ax):
    return [artist for artist in ax.get_default_bbox_extra_artists() if artist not in ax.child_axes]


def overlaps(plot):
    """Return parts of which the drawn extents overlap."""
    plot.figure.canvas.draw()
    axes = [*plot.axes, *(bar.ax for bar in set(plot.colorbars) if bar is not None)]
    texts = list(plot.figure.texts)
    boxes = [(ax, ax.get_tightbbox(bbox_extra_artists=without_bars(ax))) for ax in axes]
    boxes += [(text, text.get_window_extent()) for text in texts]
    outer = plot.figure.bbox
    outside = [a for a, box in boxes if box.x0 < outer.x0 or box.x1 > outer.x1 or box.y0 < 0]
    pairs = [
        (a, b)
        for i, (a, box) in enumerate(boxes)
        for b, other in boxes[:i]
        if box.shrunk(0.99, 0.99).overlaps(other)
    ]
    return outside + pairs


@pytest.mark.few(2)
@pytest.mark.parametrize("options", [{}, {"channels": 3}, {"size": 28}, {"size": 28, "window": 11}])
def test_plot_convolution_overlaps_nothing_and_cuts_nothing_off(draw, options):
    assert overlaps(draw((2, 2), **options)) == []


@pytest.mark.slow
def test_plot_convolution_breaks_a_long_title_and_has_room_for_a_long_formula(closing, rng):
    layer = layers.Conv2DTranspose(1, 4, strides=(3, 2), name="t")
    model = keras.Sequential([keras.Input((9, 9, 16)), layer])
    image = rng.normal(size=(9, 9, 16))
    plot = closing(kerasviz.plot_convolution)(
        model, "t", image, position=(9, 9), channel=slice(None)
    )
    title = plot.axes[0].get_title()
    assert title.splitlines()[0] == "input"
    words = "input 9×9, spread by 3×2, padded by 3"
    assert " ".join(title.split()) == words
    formula = plot.figure.texts[-1].get_text()
    assert formula.count("\n") >= 1
    assert formula.count("+") + formula.count("−") >= 16
    assert overlaps(plot) == []


def test_plot_convolution_breaks_a_title_that_is_wider_than_its_part(closing):
    layer = layers.Conv2D(1, (4, 6), dilation_rate=(2, 3), padding="same", name="c")
    model = keras.Sequential([keras.Input((9, 9, 1)), layer])
    plot = closing(kerasviz.plot_convolution)(model, "c", np.ones((9, 9)), position=(4, 4))
    title = plot.axes[0].get_title()
    assert title.count("\n") >= 2
    assert " ".join(title.split()) == (
        "input 9×9, padded by 3 at top and bottom, 7 at left, 8 at right"
    )
    assert overlaps(plot) == []


@pytest.mark.parametrize("size", [(5, 2.5), (16, 9), (5, 8)])
def test_plot_convolution_fills_the_callers_figure_and_keeps_its_layout(draw, size):
    figure = Figure(figsize=size, layout="constrained")
    engine = figure.get_layout_engine()
    plot = draw(size=28, figure=figure)
    figure.canvas.draw()
    assert figure.get_layout_engine() is engine
    assert tuple(figure.get_size_inches()) == size
    extents = np.array([ax.get_tightbbox().extents for ax in plot.axes])
    assert (extents > 0).all()
    assert (extents[:, 2:].max(axis=0) <= figure.bbox.max).all()


def test_plot_convolution_stays_in_a_subfigure(draw):
    left, right = Figure(figsize=(12, 4)).subfigures(1, 2)
    plot = draw(figure=right)
    assert plot.figure is right
    right.get_figure(root=True).canvas.draw()
    assert all(ax.get_window_extent().x0 > left.bbox.x1 for ax in plot.axes)
    assert not left.axes
    assert not plt.get_fignums()
