from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from kerasviz.draw.color import color_scale
from kerasviz.draw.convolution.layout import Scene, make_plan
from kerasviz.draw.convolution.number_format import NumberFormat
from kerasviz.draw.convolution.numbered_image import Cells, number_size
from kerasviz.draw.convolution.picture import ACCENT, UNWRITTEN, ConvolutionPicture, Moment

TITLES = dict.fromkeys(("input", "window", "kernel", "products", "output"), "part\n3×3")


def make_scene(size=6, rows=1, window=3, **changes):
    """A convolution without stride over an input that is padded by 1 at the bottom and right."""
    real = np.arange(size + 1) < size
    inputs = np.linspace(0, 1, rows * (size + 1) ** 2).reshape(rows, size + 1, size + 1)
    kernels = np.linspace(-1, 1, rows * window**2).reshape(rows, window, window)
    output = np.linspace(-1, 1, (size + 2 - window) ** 2).reshape((size + 2 - window,) * 2)
    names = [f"channel {row}" for row in range(rows)] if rows > 1 else [""]
    scene = Scene(
        inputs,
        names,
        (real, real),
        kernels,
        (window, window),
        kernels,
        output,
        TITLES,
        "heading",
        "formula",
    )
    return replace(scene, **changes)


def make_moment(scene, row=0, column=0, **changes):
    taken = row + np.arange(scene.window[0]), column + np.arange(scene.window[1])
    window = scene.inputs[:, taken[0]][:, :, taken[1]]
    mask = ~np.logical_and.outer(scene.real[0][taken[0]], scene.real[1][taken[1]])
    windows = np.ma.MaskedArray(window, np.broadcast_to(mask, window.shape))
    products = None if scene.kernels is None else window * scene.kernels
    sums = [f"sum {n}" for n in range(len(window))]
    moment = Moment(taken, windows, products, None, (row, column), sums, "formula")
    return replace(moment, **changes)


def draw(scene, figure=None, **changes):
    picture = ConvolutionPicture(figure or Figure(figsize=make_plan(scene).figure_size), scene)
    picture.show(make_moment(scene, **changes), np.ones(scene.output.shape, bool))
    return picture


def numbers(ax):
    return [text.get_text() for text in ax.texts]


def frame(ax):
    """Return left, top, width and height of what frames cells of an Axes."""
    (patch,) = [patch for patch in ax.patches if patch.get_edgecolor() == to_rgba(ACCENT)]
    return (*patch.get_xy(), patch.get_width(), patch.get_height())


def test_images_hold_the_raw_values_and_padding_is_masked():
    scene = make_scene()
    moment = make_moment(scene, 3, 4)
    picture = draw(scene, row=3, column=4)
    shown, window, kernel, products, output = (image.get_array() for image in picture.plot.images)
    np.testing.assert_array_equal(shown.data, scene.inputs[0])
    assert shown.mask[6].all()
    assert shown.mask[:, 6].all()
    assert not shown.mask[:6, :6].any()
    np.testing.assert_array_equal(window.data, moment.windows[0].data)
    np.testing.assert_array_equal(window.mask, moment.windows[0].mask)
    np.testing.assert_array_equal(kernel, scene.kernels[0])
    np.testing.assert_array_equal(products, moment.products[0])
    np.testing.assert_array_equal(output, scene.output)


def test_window_and_value_are_framed_where_they_are():
    plot = draw(make_scene(), row=3, column=1).plot
    assert frame(plot.axes[0]) == (0.5, 2.5, 3, 3)
    assert frame(plot.axes[-1]) == (0.5, 2.5, 1, 1)
    assert plot.axes[-1].get_xticks().tolist() == [1]
    assert plot.axes[-1].get_yticks().tolist() == [3]


def test_rows_and_columns_are_those_of_the_input_without_padding():
    real = np.arange(8) > 1
    scene = make_scene(7, real=(real, real))
    ax = draw(scene, row=1).plot.axes[0]
    assert ax.get_xlim() == (-2.5, 5.5)
    assert ax.get_ylim() == (5.5, -2.5)
    assert frame(ax) == (-2.5, -1.5, 3, 3)


def test_moving_on_draws_nothing_anew():
    scene = make_scene()
    picture = draw(scene)
    before = [len(ax.get_children()) for ax in picture.plot.axes]
    window = picture.plot.images[1]
    written = np.zeros(scene.output.shape, bool)
    written[:2] = True
    picture.show(make_moment(scene, 1, 2, formula="other", sums=["more"]), written)
    assert [len(ax.get_children()) for ax in picture.plot.axes] == before
    np.testing.assert_array_equal(window.get_array(), scene.inputs[0, 1:4, 2:5])
    np.testing.assert_array_equal(picture.plot.images[-1].get_array().mask, ~written)
    assert picture.plot.axes[3].get_xlabel() == "more"
    texts = [text.get_text() for text in picture.plot.figure.texts]
    assert texts == ["×", "=", "→", "heading", "other"]


def test_values_that_are_not_there_yet_are_grey(pixels):
    scene = make_scene(30, cmap="gray")
    picture = draw(scene)
    written = np.arange(scene.output.size).reshape(scene.output.shape) < 300
    picture.show(make_moment(scene, 9, 0), written)
    seen = pixels(picture.plot.figure)
    ax = picture.plot.axes[-1]

    def color(row, column):
        x, y = ax.transData.transform((column, row))
        return seen[len(seen) - int(y) - 1, int(x)] / 255

    np.testing.assert_allclose(color(25, 15), to_rgba(UNWRITTEN), atol=0.01)
    assert color(5, 15)[0] < 0.5


@pytest.mark.parametrize(("size", "has_numbers"), [(6, True), (28, False)])
def test_numbers_stand_where_they_are_legible_and_bars_elsewhere(size, has_numbers):
    plot = draw(make_scene(size)).plot
    assert numbers(plot.axes[1])[:2] == ["0", "0.02" if has_numbers else "0.00"]
    assert len(numbers(plot.axes[0])) == (49 if has_numbers else 0)
    assert len(numbers(plot.axes[2])) == 9
    has_bar = [bar is not None for bar in plot.colorbars]
    assert has_bar == [not has_numbers, not has_numbers, False, False, not has_numbers]


def test_a_large_kernel_is_colours_alone_with_bars():
    plot = draw(make_scene(28, window=11)).plot
    assert not any(numbers(ax) for ax in plot.axes)
    assert all(bar is not None for bar in plot.colorbars)
    assert plot.colorbars[1] is plot.colorbars[0]
    assert plot.images[1].norm is plot.images[0].norm


def test_numbers_are_readable_on_their_colour():
    ax = Figure().add_subplot()
    scale = color_scale(np.array([0.0, 1.0]), cmap="gray")
    cells = Cells(ax, (1, 2), scale, cell=30, write=NumberFormat(1), font=8)
    cells.show(np.ma.MaskedArray([[0.1, 0.9]]))
    assert [text.get_color() for text in ax.texts] == ["white", "black"]


def test_a_masked_cell_is_hatched_and_has_a_number_where_it_counts():
    scale = color_scale(np.array([0.0, 1.0]))
    for writes_absent in (True, False):
        ax = Figure().add_subplot()
        cells = Cells(
            ax,
            (1, 2),
            scale,
            cell=30,
            write=NumberFormat(1),
            font=8,
            writes_absent=writes_absent,
        )
        cells.show(np.ma.MaskedArray([[0.5, 0.0]], [[False, True]]))
        assert numbers(ax) == ["0.5", "0" if writes_absent else ""]
        (outline,) = cells.absent.get_paths()
        assert outline.get_extents().bounds == (0.5, -0.5, 1, 1)
        assert cells.absent.get_hatch()


def test_numbers_shrink_until_they_would_not_be_legible():
    values, write = np.array([-0.25, 0.5]), NumberFormat(2)
    sizes = [number_size(values, write, cell) for cell in (40, 24, 10)]
    assert sizes[0] == 8
    assert 5.5 < sizes[1] < 8
    assert sizes[2] is None


def test_products_have_the_colours_of_signed_data_where_a_weight_has_a_sign():
    plot = draw(make_scene(products=np.array([0.0, 0.25]))).plot
    assert plot.images[3].get_clim() == (-0.25, 0.25)
    plot = draw(make_scene(products=np.zeros(1))).plot
    assert plot.images[3].get_clim() == (-1, 1)
    kernels = np.ones((1, 3, 3))
    plot = draw(make_scene(kernels=kernels, products=np.array([0.0, 0.25]))).plot
    assert plot.images[3].get_clim() == (0, 0.25)


def test_each_channel_has_a_row_and_inputs_share_their_colours():
    plot = draw(make_scene(12, rows=3)).plot
    assert len(plot.axes) == 13
    names = [ax.get_ylabel() for ax in plot.axes[:-1:4]]
    assert names == ["channel 0", "channel 1", "channel 2"]
    assert [ax.get_xlabel() for ax in plot.axes[3::4]] == ["sum 0", "sum 1", "sum 2"]
    assert {image.get_clim() for image in plot.images[:-1:4]} == {plot.images[0].get_clim()}
    titles = [ax.get_title() for ax in plot.axes]
    assert titles[:4] == ["part\n3×3"] * 4
    assert titles[4:-1] == [""] * 8


def test_the_unit_of_small_numbers_is_in_the_title():
    kernels = np.linspace(-0.002, 0.002, 9).reshape(1, 3, 3)
    ax = draw(make_scene(kernels=kernels)).plot.axes[2]
    assert ax.get_title() == "part\n3×3, in 10⁻³"
    assert numbers(ax)[0] == "−2.00"


def test_a_pooling_has_no_kernel_and_frames_its_largest_value():
    scene = make_scene(kernels=None, marks_largest=True, counts_padding=False)
    plot = draw(scene, row=4, column=4, largest=(1, 0)).plot
    assert len(plot.axes) == 3
    assert frame(plot.axes[1]) == (-0.5, 0.5, 1, 1)
    assert numbers(plot.axes[1])[2::3] == ["", "", ""]


def test_a_window_that_passes_over_cells_shows_which_it_takes():
    scene = make_scene(8, dilated=True)
    taken = np.array([0, 2, 4]), np.array([1, 3, 5])
    ax = draw(scene, taken=taken).plot.axes[0]
    assert frame(ax) == (0.5, -0.5, 5, 5)
    outlines = ax.collections[-1].get_paths()
    centers = {tuple(path.get_extents().get_points().mean(axis=0)) for path in outlines}
    assert centers == {(x, y) for x in (1, 3, 5) for y in (0, 2, 4)}


def test_what_is_not_finite_is_magenta():
    scene = make_scene()
    scene.inputs[0, 0, 0], scene.inputs[0, 0, 1] = np.nan, np.inf
    image = draw(scene).plot.images[0]
    magenta = to_rgba("magenta")
    colors = image.cmap(image.norm(image.get_array()))
    assert tuple(colors[0, 0]) == tuple(colors[0, 1]) == magenta
    assert tuple(colors[1, 1]) != magenta


def overlaps(plot):
    """Return parts of which the drawn extents overlap."""
    plot.figure.canvas.draw()
    axes = [*plot.axes, *(bar.ax for bar in set(plot.colorbars) if bar is not None)]
    texts = list(plot.figure.texts)
    boxes = [(artist, artist.get_tightbbox()) for artist in axes]
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


@pytest.mark.parametrize("changes", [{}, {"rows": 3}, {"size": 28}, {"size": 28, "window": 11}])
def test_nothing_overlaps_and_nothing_is_cut_off(changes):
    scene = make_scene(**changes)
    figure = Figure(figsize=make_plan(scene).figure_size)
    middle = len(scene.output) // 2
    plot = draw(scene, figure, row=middle, column=middle).plot
    assert overlaps(plot) == []


def test_a_long_title_is_broken_and_a_long_formula_has_room():
    long = "input\n224×224, spread by 2, padded by 2 at top and left, 3 at bottom and right"
    formula = " + ".join(["0.123 (channel)"] * 20)
    scene = make_scene(titles={**TITLES, "input": long}, formula=formula)
    plot = draw(scene, formula=formula).plot
    assert plot.axes[0].get_title().count("\n") >= 2
    assert " ".join(plot.axes[0].get_title().split()) == " ".join(long.split())
    assert plot.figure.texts[-1].get_text().count("\n") >= 1
    assert overlaps(plot) == []


@pytest.mark.parametrize("size", [(5, 2.5), (16, 9), (4, 8)])
def test_the_callers_figure_is_filled_and_keeps_its_layout(size):
    figure = Figure(figsize=size, layout="constrained")
    engine = figure.get_layout_engine()
    plot = draw(make_scene(28), figure).plot
    figure.canvas.draw()
    assert figure.get_layout_engine() is engine
    assert tuple(figure.get_size_inches()) == size
    extents = np.array([ax.get_tightbbox().extents for ax in plot.axes])
    assert (extents > 0).all()
    assert (extents[:, 2:].max(axis=0) <= figure.bbox.max).all()


def test_a_subfigure_holds_all_of_it():
    left, right = Figure(figsize=(12, 4)).subfigures(1, 2)
    plot = draw(make_scene(), right).plot
    assert plot.figure is right
    right.get_figure(root=True).canvas.draw()
    assert all(ax.get_window_extent().x0 > left.bbox.x1 for ax in plot.axes)
    assert not left.axes
    assert not plt.get_fignums()
