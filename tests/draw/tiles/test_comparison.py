from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from kerasviz.draw.figure import Placement
from kerasviz.draw.tiles.comparison import PAGE, Compared, draw_comparison
from kerasviz.draw.tiles.panel import TileMatrix, TilePanel
from kerasviz.draw.tiles.style import check_style

CAPTION = "weights: mean\xa0-0.0123, std\xa00.0456, norm\xa012.3, 4.5%\xa0near\xa0zero"


@pytest.fixture
def compared(rng):
    """Return a panel of kernels with a name; `facts` are those of a `TilePanel`."""

    def make(name, shape=(32, 3, 3), **facts):
        size = "×".join(map(str, shape[1:3]))
        numbers = np.arange(shape[0] if "table" not in facts else len(facts["table"].columns))
        panel = TilePanel(
            values=rng.normal(size=shape),
            indices=numbers,
            total=len(numbers),
            address="conv2d",
            kind="kernels",
            size=size,
            **facts,
        )
        return Compared(panel, name, CAPTION)

    return make


@pytest.fixture
def draw(closing):
    @closing
    def draw(*models, difference=None, **options):
        return draw_comparison(models, difference, check_style(**{"scale": "figure", **options}))

    return draw


def boxes(plot):
    """Return the boxes of mosaics and bars, those of words, and those of the tiles' numbers."""
    plot.figure.draw_without_rendering()
    areas = [ax.get_window_extent() for ax in plot.axes]
    words = [plot.figure._suptitle] if plot.figure._suptitle else []
    for ax in plot.axes:
        words += [ax.title, *ax.texts[-2:], ax.xaxis.label, ax.yaxis.label]
        words += [*ax.get_xticklabels(), *ax.get_yticklabels()]
    for bar in {id(bar): bar for bar in plot.colorbars if bar}.values():
        areas.append(bar.ax.get_window_extent())
        low, high = bar.ax.get_ylim()
        ticks = bar.ax.yaxis.get_major_ticks()
        words += [tick.label2 for tick in ticks if low <= tick.get_loc() <= high]
    numbers = [text for ax in plot.axes for text in ax.texts[:-2]]
    extents = [
        [text.get_window_extent() for text in texts if text.get_text()]
        for texts in (words, numbers)
    ]
    return areas, *extents


def faults(plot):
    """Return how many boxes overlap or stick out of the figure."""
    width, height = plot.figure.get_figure(root=True).bbox.size
    areas, words, numbers = ([box.padded(-1) for box in part] for part in boxes(plot))
    found = [*areas, *words]
    outside = sum(
        box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height for box in found + numbers
    )
    pairs = sum(one.overlaps(two) for i, one in enumerate(found) for two in found[:i])
    return outside + pairs + sum(one.overlaps(two) for one in numbers for two in words)


def sizes(plot):
    return {(round(ax.bbox.width, 3), round(ax.bbox.height, 3)) for ax in plot.axes}


SHAPES = {
    "32 of 3×3": (32, 3, 3),
    "1 of 3×3": (1, 3, 3),
    "512 of 3×3": (512, 3, 3),
    "rows": (32, 1, 5),
    "colors": (16, 5, 5, 3),
}


@pytest.mark.few(5)
@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_nothing_overlaps(draw, compared, shape, count):
    models = [compared(f"after {n} epochs", shape, notes=("a note",) * n) for n in range(count)]
    difference = compared("after 1 − after 0", shape) if count == 2 else None
    plot = draw(*models, difference=difference)
    assert faults(plot) == 0
    assert len(sizes(plot)) == 1


@pytest.mark.few(3)
@pytest.mark.parametrize(
    "options",
    [
        {"labels": True},
        {"columns": 16},
        {"columns": 1},
        {"colorbar": False},
        {"title": "a title that is so long that it does not fit " * 4},
        {"title": False},
        {"vmax": 0.5, "labels": True},
    ],
    ids=str,
)
def test_nothing_overlaps_with_options(draw, compared, options):
    models = [compared(name) for name in ("untrained", "trained")]
    plot = draw(*models, difference=compared("trained − untrained"), **options)
    assert faults(plot) == 0
    assert len(sizes(plot)) == 1


@pytest.mark.parametrize("size", [None, (9, 5)])
def test_nothing_overlaps_in_tables(draw, compared, size):
    figure = None if size is None else plt.figure(figsize=size)
    table = TileMatrix(
        rows=np.arange(6), columns=np.arange(8), row_kind="input channel", column_kind="filter"
    )
    models = [compared(name, (48, 3, 3), table=table) for name in ("untrained", "trained")]
    difference = compared("trained − untrained", (48, 3, 3), table=table)
    plot = draw(*models, difference=difference, figure=figure)
    assert faults(plot) == 0
    assert len(sizes(plot)) == 1


def test_a_long_name_is_broken(draw, compared):
    models = [compared(f"{n} epochs of a long name that has many words in it") for n in range(3)]
    assert faults(draw(*models)) == 0


def test_the_check_for_faults_sees_one(draw, compared):
    plot = draw(compared("a"), compared("b"))
    assert faults(plot) == 0
    plot.axes[1].set_position(plot.axes[0].get_position().translated(0.1, 0))
    assert faults(plot) > 0


def test_panels_stand_in_a_row_and_wide_ones_in_a_column(draw, compared):
    models = [compared("a"), compared("b")]
    row = draw(*models, difference=compared("b − a"))
    column = draw(*models, difference=compared("b − a"), columns=16)
    assert len({round(ax.get_position().y0, 9) for ax in row.axes}) == 1
    assert len({round(ax.get_position().x0, 9) for ax in column.axes}) == 1
    tops = [ax.get_position().y1 for ax in column.axes]
    assert tops == sorted(tops, reverse=True)


def test_four_panels_make_a_square(draw, compared):
    plot = draw(*[compared(name) for name in "abcd"])
    corners = {(ax.get_position().x0, ax.get_position().y0) for ax in plot.axes}
    assert len({x for x, _ in corners}) == len({y for _, y in corners}) == 2
    assert plot.colorbars[0] is plot.colorbars[1]
    assert plot.colorbars[2] is plot.colorbars[3]
    assert plot.colorbars[1] is not plot.colorbars[2]


def test_rows_that_end_in_different_columns_fit_on_a_page(draw, compared):
    """Of five panels the bars of both rows take room, one beside the third and one the second."""
    plot = draw(*[compared(name, (6, 5, 5)) for name in "abcde"])
    lefts = [ax.get_position().x0 for ax in plot.axes]
    assert lefts[:2] == pytest.approx(lefts[3:])
    assert plot.colorbars[0] is not plot.colorbars[4]
    width, height = plot.figure.get_size_inches()
    assert width <= PAGE[0]
    assert height <= PAGE[1]
    assert faults(plot) == 0


def test_a_bar_stands_beside_the_last_panel_and_is_as_high(draw, compared):
    plot = draw(compared("a"), compared("b"), compared("c"))
    plot.figure.draw_without_rendering()
    assert len(set(map(id, plot.colorbars))) == 1
    bar, last = plot.colorbars[0].ax.get_window_extent(), plot.axes[-1].get_window_extent()
    assert (bar.y0, bar.y1) == pytest.approx((last.y0, last.y1))
    assert bar.x0 > last.x1


def test_names_stand_at_one_height(draw, compared):
    plot = draw(compared("a"), compared("b", notes=("a note",)), compared("c", notes=("x y",) * 30))
    plot.figure.draw_without_rendering()
    heights = [ax.title.get_window_extent().y0 for ax in plot.axes]
    assert heights == pytest.approx([heights[0]] * 3)


def test_what_all_panels_share_is_said_once(draw, compared):
    plot = draw(compared("a", notes=("both", "one")), compared("b", notes=("both", "two")))
    assert plot.figure.get_suptitle() == "conv2d: 32 kernels, 3×3, both"
    assert [ax.texts[0].get_text() for ax in plot.axes] == ["one", "two"]


def test_a_value_is_a_whole_number_of_dots(draw, compared):
    plot = draw(compared("a"), compared("b"), difference=compared("b − a"))
    plot.figure.draw_without_rendering()
    for ax, image in zip(plot.axes, plot.images, strict=True):
        corners = ax.transData.transform([(0, 0), (1, 1)])
        dots = np.abs(np.diff(corners, axis=0))
        np.testing.assert_allclose(dots, np.round(dots), atol=1e-6)
        np.testing.assert_allclose(corners[0], np.round(corners[0]), atol=1e-6)
        assert image.get_interpolation() == "nearest"


@pytest.mark.few(3)
@pytest.mark.parametrize("layout", [None, "constrained"])
@pytest.mark.parametrize("size", [(8, 3), (12, 5), (6, 7)])
def test_nothing_overlaps_in_a_figure_of_the_callers(draw, compared, size, layout):
    figure = plt.figure(figsize=size, layout=layout)
    models, difference = [compared("untrained"), compared("trained")], compared("change")
    title = "a title that is so long that it does not fit into a line of any of these figures " * 2
    plot = draw(*models, difference=difference, figure=figure, title=title)
    assert faults(plot) == 0
    assert len(sizes(plot)) == 1
    assert tuple(figure.get_size_inches()) == size


@pytest.mark.few(3)
@pytest.mark.parametrize("layout", [None, "constrained", "tight"])
@pytest.mark.parametrize("size", [(1, 1), (3, 2)])
def test_a_tiny_figure_is_refused(draw, compared, size, layout):
    figure = plt.figure(figsize=size, layout=layout)
    with pytest.raises(ValueError, match=r"`figure` must be at least \d\.\d x \d\.\d in"):
        draw(compared("a"), compared("b"), difference=compared("c"), figure=figure)
    assert not figure.axes
    plt.close(figure)


def test_a_new_figure_is_closed_when_drawing_fails(compared):
    with pytest.raises(AttributeError):
        draw_comparison(
            [compared("a"), compared("b")], None, replace(check_style(), place=Placement(title=5))
        )
    assert not plt.get_fignums()


def test_the_callers_figure_is_not_known_to_pyplot(draw, compared):
    draw(compared("a"), compared("b"), figure=Figure(figsize=(8, 4)))
    assert not plt.get_fignums()
