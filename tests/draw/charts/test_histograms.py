import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from kerasviz.draw.charts.histograms import Histogram, draw_histograms
from kerasviz.draw.figure import Placement


def histogram(heading="conv2d: 18,432 weights", facts=("mean -0.0123, std 0.0456",), **changes):
    """Return a panel with a histogram for each of the facts."""
    heights = [np.array([1, 4.0 + index, 0, 2]) for index in range(len(facts))]
    fields = {"edges": np.linspace(-1, 1, 5), "heights": heights, "limits": (-1.1, 1.1)}
    return Histogram(heading=heading, facts=facts, min_height=1.0, **{**fields, **changes})


@pytest.fixture
def draw(closing):
    @closing
    def draw(*panels, columns=None, share=True, density=False, log=False, **options):
        merged = Placement(**options)
        return draw_histograms(
            panels, merged, columns=columns, share=share, density=density, log=log
        )

    return draw


def words(ax):
    """Return the boxes of all text at an Axes, and that of the Axes itself."""
    texts = [ax.title, *ax.texts, ax.xaxis.label, ax.yaxis.label]
    for axis in (ax.xaxis, ax.yaxis):
        low, high = axis.get_view_interval()
        ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
        texts += [tick.label1 for tick in ticks if tick.label1.get_visible()]
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    return boxes, ax.get_window_extent()


def overlaps(plot):
    """Return how many texts lie on one another or on another panel, or stick out of the figure."""
    plot.figure.draw_without_rendering()
    width, height = plot.figure.get_figure(root=True).bbox.size
    panels = [words(ax) for ax in plot.axes]
    texts = [(index, box.padded(-1)) for index, (boxes, _) in enumerate(panels) for box in boxes]
    outside = sum(b.x0 < 0 or b.y0 < 0 or b.x1 > width or b.y1 > height for _, b in texts)
    pairs = sum(one.overlaps(two) for i, (_, one) in enumerate(texts) for _, two in texts[:i])
    on_panels = sum(
        box.overlaps(area)
        for index, box in texts
        for other, (_, area) in enumerate(panels)
        if other != index
    )
    return outside + pairs + on_panels


@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize("count", [1, 3, 6, 13])
def test_words_never_overlap(draw, count, share):
    panels = [
        histogram(f"conv{n}_block{n}_conv: {10**n:,}\xa0weights", ["trained: mean\xa00.1"] * 2)
        for n in range(count)
    ]
    assert overlaps(draw(*panels, share=share)) == 0


@pytest.mark.parametrize("columns", [1, 5])
@pytest.mark.parametrize("options", [{"title": "mine"}, {"title": False}, {"log": True}], ids=str)
def test_words_never_overlap_with_options(draw, columns, options):
    panels = [histogram(facts=[f"model {n}: mean 0.1, std 0.1" for n in range(3)])] * 5
    plot = draw(*panels, columns=columns, **options)
    assert overlaps(plot) == 0
    columns_drawn = {round(ax.get_position().x0, 6) for ax in plot.axes}
    assert len(columns_drawn) == columns


def test_the_check_for_overlaps_sees_one(draw):
    plot = draw(histogram(), histogram())
    assert overlaps(plot) == 0
    plot.axes[1].set_position(plot.axes[0].get_position().translated(0.05, 0))
    assert overlaps(plot) > 0


def test_panels_are_of_one_size(draw):
    plot = draw(*[histogram(facts=["a"] * n) for n in (1, 2, 3, 1, 1)])
    sizes = {(round(ax.bbox.width, 3), round(ax.bbox.height, 3)) for ax in plot.axes}
    assert len(sizes) == 1


def test_only_the_lowest_panels_of_a_shared_axis_have_numbers(draw):
    def numbered(plot):
        return [ax.xaxis.get_tick_params()["labelbottom"] for ax in plot.axes]

    panels = [histogram()] * 5
    plot = draw(*panels, columns=3)
    assert numbered(plot) == [False, False, True, True, True]
    assert [bool(ax.get_xlabel()) for ax in plot.axes] == numbered(plot)
    assert [bool(ax.get_ylabel()) for ax in plot.axes] == [True, False, False, True, False]
    assert all(numbered(draw(*panels, columns=3, share=False)))


def test_counts_are_whole_numbers(draw):
    ax = draw(histogram(heights=[np.array([0, 1, 2, 1])])).axes[0]
    assert all(tick == int(tick) for tick in ax.get_yticks())
    ax = draw(histogram(heights=[np.array([0, 12_500, 1_400_000, 1])])).axes[0]
    ax.figure.draw_without_rendering()
    assert "1M" in [label.get_text() for label in ax.get_yticklabels()]


def test_a_bin_of_one_is_seen_on_a_logarithmic_axis(draw, pixels):
    edges = np.linspace(-1, 1, 5)
    with_one = draw(histogram(heights=[np.array([1, 0, 500, 20])], edges=edges), log=True)
    without = draw(histogram(heights=[np.array([0, 0, 500, 20])], edges=edges), log=True)
    assert (pixels(with_one.figure) != pixels(without.figure)).any()


def test_0_is_marked_only_where_it_is_in_sight(draw):
    assert len(draw(histogram()).axes[0].lines) == 1
    assert not draw(histogram(limits=(0.5, 1.0))).axes[0].lines


def test_a_new_figure_is_known_to_pyplot_and_has_no_layout_engine(draw):
    plot = draw(histogram(), histogram())
    assert plt.figure(plot.figure.number) is plot.figure
    assert plot.figure.get_layout_engine() is None


def test_a_new_figure_is_closed_when_drawing_fails():
    with pytest.raises(ValueError, match="Size mismatch"):
        draw_histograms([histogram(edges=np.arange(3))], Placement())
    assert not plt.get_fignums()


@pytest.mark.parametrize("size", [(7, 3), (6, 6), (12, 4)])
def test_a_figure_of_the_callers_is_filled(draw, size):
    figure = plt.figure(figsize=size)
    plot = draw(*[histogram()] * 4, figure=figure)
    assert tuple(figure.get_size_inches()) == size
    assert overlaps(plot) == 0
    assert max(ax.get_position().x1 for ax in plot.axes) > 0.95


@pytest.mark.parametrize("size", [(1, 1), (3, 2)])
def test_a_tiny_figure_is_no_error(draw, pixels, size):
    figure = plt.figure(figsize=size)
    pixels(draw(*[histogram()] * 4, figure=figure).figure)


def test_drawing_into_an_axes_and_into_a_figure_differ_only_in_place(draw):
    ax = Figure(figsize=(6, 4)).add_subplot()
    into_axes = draw(histogram(), ax=ax)
    new = draw(histogram())
    for one, other in zip(into_axes.axes, new.axes, strict=True):
        assert one.get_xlim() == other.get_xlim()
        assert one.get_ylim() == other.get_ylim()
        assert one.get_title() == other.get_title()
        assert one.get_xlabel() == other.get_xlabel() == "weight"


def test_a_dark_style_is_readable(draw):
    with plt.style.context("dark_background"):
        plot = draw(histogram())
        assert plot.axes[0].texts[0].get_color() == "white"
        assert plot.axes[0].lines[0].get_color() == "white"
