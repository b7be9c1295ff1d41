import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure

from kerasviz.draw.charts.curves import (
    COLORS,
    MAX_DOTS,
    Curve,
    CurvePanel,
    Mark,
    choose_colors,
    draw_curves,
)
from kerasviz.draw.charts.legend import MARK_COLOR, LegendEntry
from kerasviz.draw.figure import Placement


@pytest.fixture
def draw(closing):
    @closing
    def draw(*panels, colors=2, note="", **options):
        before = plt.get_fignums()
        own = {name: options.pop(name) for name in ("legend", "axis", "columns") if name in options}
        plot = draw_curves(panels, Placement(**options), colors=colors, note=note, **own)
        is_new = "ax" not in options and "figure" not in options
        assert len(plt.get_fignums()) == len(before) + is_new
        return plot

    return draw


def curve(y, first=1, color=0, style="solid"):
    y = np.asarray(y, float)
    return Curve(x=np.arange(first, first + len(y)), y=y, color=color, style=style)


def panel_of(*curves, name="loss", note="", **facts):
    return CurvePanel(name=name, note=note, curves=curves, **facts)


ENTRIES = (
    LegendEntry(text="training", color=0, style="dashed"),
    LegendEntry(text="validation", color=1, style="solid"),
)


def outside(figure):
    """Return what sticks out of a figure: axes with their ticks, legends and titles."""
    figure.draw_without_rendering()
    width, height = figure.bbox.size
    boxes = [ax.get_tightbbox() for ax in figure.axes]
    return [
        box
        for box in boxes
        if box.x0 < -1 or box.x1 > width + 1 or box.y0 < -1 or box.y1 > height + 1
    ]


def test_lines_are_the_curves_alone(draw):
    first, second = curve([3, 2, 1], style="dashed"), curve([4, 3], first=2, color=1)
    mark = Mark(x=2, color=None, curves=[first, second])
    (ax,) = draw(panel_of(first, second, marks=[mark])).axes
    assert len(ax.lines) == 2
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), [[1, 3], [2, 2], [3, 1]])
    np.testing.assert_array_equal(ax.lines[1].get_xydata(), [[2, 4], [3, 3]])
    assert [line.get_color() for line in ax.lines] == list(COLORS[:2])
    assert ax.lines[0].is_dashed()
    assert not ax.lines[1].is_dashed()


def test_a_mark_is_a_line_across_the_panel_and_a_ring_on_each_curve(draw):
    first, second = curve([3, 2, 1]), curve([4, 3], color=1)
    (ax,) = draw(
        panel_of(first, second, marks=[Mark(x=2, color=None, curves=[first, second])])
    ).axes
    line, *rings = ax.collections
    np.testing.assert_array_equal(line.get_segments(), [[[2, 0], [2, 1]]])
    assert line.get_transform() == ax.get_xaxis_transform()
    assert tuple(line.get_color()[0]) == to_rgba(MARK_COLOR)
    assert [ring.get_offsets().tolist() for ring in rings] == [[[2, 2]], [[2, 3]]]
    assert [to_hex(ring.get_edgecolor()[0]) for ring in rings] == list(COLORS[:2])
    low, high = ax.get_ylim()
    assert 0.5 < low < 1
    assert 4 < high < 4.5


def test_a_mark_where_a_curve_has_no_point_has_no_ring(draw):
    short = curve([3, 2])
    (ax,) = draw(
        panel_of(short, curve([1, 2, 3, 4]), marks=[Mark(x=4, color=1, curves=[short])])
    ).axes
    line, ring = ax.collections
    assert to_hex(line.get_color()[0]) == COLORS[1]
    assert len(ring.get_offsets()) == 0


@pytest.mark.parametrize(
    ("values", "dots"),
    [
        ([1], [0]),
        ([3, 2, 1], [0, 1, 2]),
        ([3, np.nan, 1], [0, 1, 2]),
        (np.ones(MAX_DOTS + 1), []),
        ([np.nan, 1, np.nan, *np.ones(MAX_DOTS), np.inf, 1], [1, MAX_DOTS + 4]),
    ],
    ids=str,
)
def test_a_point_that_no_line_reaches_has_a_dot(draw, values, dots):
    (ax,) = draw(panel_of(curve(values))).axes
    assert ax.lines[0].get_marker() == "o"
    assert ax.lines[0].get_markevery() == dots


def test_curves_have_dots_together_or_not_at_all(draw):
    (ax,) = draw(panel_of(curve([1, 2, 3]), curve(np.ones(MAX_DOTS + 1)))).axes
    assert [line.get_markevery() for line in ax.lines] == [[], []]


@pytest.mark.parametrize("count", [1, 2, 7, 30, 200])
@pytest.mark.parametrize("first", [1, 8])
def test_epochs_are_whole_numbers(draw, count, first):
    plot = draw(panel_of(curve(np.arange(count), first=first)))
    plot.figure.draw_without_rendering()
    (ax,) = plot.axes
    low, high = ax.get_xlim()
    shown = [tick for tick in ax.get_xticks() if low <= tick <= high]
    assert shown
    assert all(tick == round(tick) and first <= tick < first + count for tick in shown)
    assert len(shown) <= 9
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert all(label.isdigit() for label in labels if label)
    assert ax.get_xlabel() == "epoch"


def test_a_gap_is_drawn_where_a_value_is_not_finite(draw, pixels):
    values = np.ones(MAX_DOTS + 10)
    values[20] = np.nan
    plot = draw(panel_of(curve(values)), title=False)
    ax = plot.axes[0]
    row = ax.transData.transform((0, 1))[1]
    rendered = pixels(plot.figure)[::-1]
    for epoch, ink in ((19.5, True), (20.6, False), (21.4, False), (22.5, True)):
        column, _ = ax.transData.transform((epoch, 1)).astype(int)
        part = rendered[int(row) - 1 : int(row) + 2, column, :3]
        assert (part.min() < 200) is np.bool_(ink), epoch


def test_a_panel_may_be_logarithmic(draw):
    plot = draw(panel_of(curve([0.1, 0.001]), log=True), panel_of(curve([0.1, 0.001])))
    assert [ax.get_yscale() for ax in plot.axes] == ["log", "linear"]


@pytest.mark.parametrize(
    ("title", "titles", "above", "label"),
    [
        (True, ["loss, odd", "mae"], None, ""),
        ("mine", ["loss, odd", "mae"], "mine", ""),
        (False, ["", ""], None, "loss"),
        (None, ["", ""], None, "loss"),
    ],
)
def test_title(draw, title, titles, above, label):
    first = panel_of(curve([1, 2]), note=", odd")
    plot = draw(first, panel_of(curve([1, 2]), name="mae"), title=title)
    assert [ax.get_title() for ax in plot.axes] == titles
    assert (plot.figure.get_suptitle() or None) == above
    assert plot.axes[0].get_ylabel() == label
    one = draw(first, title=title)
    assert one.axes[0].get_title() == (above or titles[0])
    assert one.axes[0].get_ylabel() == ("loss" if title is not True else "")
    assert not one.figure.get_suptitle()


def test_a_note_on_all_panels_is_written_once(draw):
    panels = [panel_of(curve([1, 2]), name=name) for name in ("loss", "mae")]
    assert draw(*panels, note="a note").figure.get_suptitle() == "a note"
    assert draw(panels[0], note="a note").axes[0].get_title() == "loss\na note"
    assert draw(panels[0], note="a note", title="mine").axes[0].get_title() == "mine"
    assert not draw(*panels, note="a note", title=False).figure.get_suptitle()


def test_the_legend_says_what_is_what(draw):
    (ax,) = draw(
        panel_of(
            curve([1, 2]), legend=(*ENTRIES, LegendEntry(text="both", color=None, style="solid"))
        )
    ).axes
    legend = ax.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["training", "validation", "both"]
    handles = legend.get_lines()
    assert [to_hex(line.get_color()) for line in handles] == [*COLORS[:2], to_hex(MARK_COLOR)]
    assert [line.is_dashed() for line in handles] == [True, False, False]


MANY = tuple(
    LegendEntry(text=f"a run with a long name {n}", color=n % 2, style="solid") for n in range(7)
)


@pytest.mark.parametrize(
    ("count", "title", "legend"),
    [
        (1, True, ENTRIES),
        (1, "a title", MANY),
        (2, True, MANY),
        (3, "a title", ENTRIES),
        (5, True, ()),
        (5, "a title", ENTRIES),
    ],
)
@pytest.mark.parametrize("place", ["new", (7, 6), (9, 5, "constrained")], ids=str)
def test_nothing_covers_anything(draw, count, legend, title, place):
    panels = [
        panel_of(curve([3, 2, 1]), curve([1, 2, 3], color=1), name=f"metric {n}", legend=legend)
        for n in range(count)
    ]
    options = {}
    if place != "new":
        options["figure"] = Figure(figsize=place[:2], layout=place[2] if len(place) > 2 else None)
    plot = draw(*panels, title=title, **options)
    assert outside(plot.figure) == []
    boxes = [ax.get_tightbbox() for ax in plot.axes]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    for ax in plot.axes:
        panel, heading = ax.get_window_extent(), ax.title.get_window_extent()
        key = ax.get_legend().get_window_extent() if legend else panel
        assert heading.y0 >= key.y1 - 1
        assert key.y0 >= panel.y1 or not legend
        assert key.x1 <= panel.x1 + 5 or legend is MANY
        assert panel.height > 50


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("values", [[3, 2, 1], [1, 2, 3]])
def test_in_the_callers_axes_the_legend_gets_room_above_the_curves(draw, values, log):
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3))
    limits = left.get_position().bounds
    plot = draw(panel_of(curve(values), legend=ENTRIES, log=log), ax=left)
    figure.draw_without_rendering()
    assert plot.axes == (left,)
    assert left.get_position().bounds == limits
    legend = left.get_legend().get_window_extent()
    panel = left.get_window_extent()
    assert panel.x0 < legend.x0 < legend.x1 < panel.x1
    assert panel.y0 < legend.y0 < legend.y1 <= panel.y1
    highest = left.transData.transform((0, 3))[1]
    assert legend.y0 > highest + 3
    assert left.title.get_window_extent().y1 <= figure.bbox.height
    assert not right.lines
    plt.close(figure)


def test_in_an_axes_of_a_layout_the_legend_is_above(draw):
    figure = Figure(figsize=(8, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    engine = figure.get_layout_engine()
    draw(panel_of(curve([3, 2, 1]), legend=ENTRIES), ax=left)
    assert outside(figure) == []
    assert figure.get_layout_engine() is engine
    assert left.get_legend().get_window_extent().y0 > left.get_window_extent().y1
    assert not left.get_tightbbox().overlaps(right.get_tightbbox())


def test_a_figure_gets_one_axes_per_panel(draw):
    figure = Figure(figsize=(8, 6))
    margins = vars(figure.subplotpars).copy()
    sub = figure.subfigures(1, 2)[1]
    plot = draw(*[panel_of(curve([1, 2])) for _ in range(3)], figure=sub)
    assert plot.figure is sub
    assert sub.axes == list(plot.axes)
    assert vars(figure.subplotpars) == margins
    assert figure.get_size_inches().tolist() == [8, 6]
    assert (plot.images, plot.colorbars) == ((), ())
    assert repr(plot) == "Plot(3 panels)"


@pytest.mark.parametrize("size", [(1, 1), (3, 2)])
def test_a_tiny_figure_is_no_error(draw, pixels, size):
    panels = [panel_of(curve([3, 2, 1]), legend=ENTRIES) for _ in range(4)]
    figure = Figure(figsize=size)
    pixels(draw(*panels, title="a title", figure=figure).figure)
    assert tuple(figure.get_size_inches()) == size


@pytest.mark.parametrize("count", [1, 2, 7, 8, 20])
def test_every_curve_has_a_color_of_its_own(count):
    colors = choose_colors(count)
    assert len(set(colors)) == count


def test_an_error_in_the_middle_leaves_no_figure_open(monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("broken")

    monkeypatch.setattr("matplotlib.axes.Axes.set_title", fail)
    with pytest.raises(RuntimeError, match="broken"):
        draw_curves([panel_of(curve([1, 2]))], Placement(), colors=1)
    assert not plt.get_fignums()


@pytest.mark.parametrize(("log", "value"), [(False, -7), (True, 1e-5), (True, 1000.0)])
def test_a_level_is_a_line_across_the_panel_and_in_sight(draw, log, value):
    (ax,) = draw(panel_of(curve([3, 2, 1]), log=log, level=value)).axes
    (line,) = ax.collections
    np.testing.assert_array_equal(line.get_segments(), [[[0, value], [1, value]]])
    assert line.get_transform() == ax.get_yaxis_transform()
    assert tuple(line.get_color()[0]) == to_rgba(MARK_COLOR)
    low, high = ax.get_ylim()
    assert low < min(value, 1) < max(value, 3) < high
    assert ax.get_xlim() == draw(panel_of(curve([3, 2, 1]))).axes[0].get_xlim()
    assert len(ax.lines) == 1


def test_shares_are_percentages(draw):
    plot = draw(panel_of(curve([0, 0.5]), percent=True), panel_of(curve([0, 0.5])))
    plot.figure.draw_without_rendering()
    labels = [{text.get_text() for text in ax.get_yticklabels()} for ax in plot.axes]
    assert "50%" in labels[0]
    assert "0.5" in labels[1]


@pytest.mark.parametrize("shares", [[0, 0, 0], [0, 0.01], [0.4, 0.6]], ids=str)
def test_an_axis_of_shares_begins_at_0(draw, shares):
    (ax,) = draw(panel_of(curve(shares), percent=True)).axes
    low, high = ax.get_ylim()
    assert -0.1 * high < low <= 0
    assert high >= max(0.05, *shares)
    assert all(tick >= 0 for tick in ax.get_yticks() if low <= tick <= high)


def test_the_axis_may_count_something_else(draw):
    assert [ax.get_xlabel() for ax in draw(panel_of(curve([1, 2])), axis="step").axes] == ["step"]


@pytest.mark.parametrize(("count", "columns", "rows"), [(5, 2, 3), (5, 9, 1), (3, 1, 3), (1, 4, 1)])
def test_columns_is_the_number_of_panels_in_a_row(draw, count, columns, rows):
    plot = draw(*[panel_of(curve([1, 2]))] * count, columns=columns)
    plot.figure.draw_without_rendering()
    assert len({round(ax.get_position().y0, 3) for ax in plot.axes}) == rows
    assert outside(plot.figure) == []


@pytest.mark.parametrize("title", [True, "a title"])
@pytest.mark.parametrize("entries", [ENTRIES, MANY])
@pytest.mark.parametrize("place", ["new", (7, 14), (9, 8, "constrained"), (9, 8, "tight")], ids=str)
def test_a_legend_of_all_panels_is_above_them(draw, title, entries, place):
    panels = [panel_of(curve([3, 2, 1]), name=f"metric {n}") for n in range(4)]
    options = {"legend": entries, "note": "a note", "title": title}
    if place != "new":
        options["figure"] = Figure(figsize=place[:2], layout=place[2] if len(place) > 2 else None)
    figure = draw(*panels, **options).figure
    assert outside(figure) == []
    texts = [entry.text for entry in entries]
    if place != "new" and len(place) > 2:
        assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == texts
        assert not figure.legends
        return
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == texts
    key, above = legend.get_window_extent(), figure._suptitle.get_window_extent()
    assert above.y0 > key.y1
    assert above.y1 < figure.bbox.height
    assert 0 < key.x0 < key.x1 < figure.bbox.width
    for ax in figure.axes:
        assert ax.title.get_window_extent().y1 < key.y0
        assert ax.get_legend() is None


def test_a_panel_that_is_alone_has_the_legend_of_all(draw):
    mine = LegendEntry(text="mine", color=None, style="solid")
    plot = draw(panel_of(curve([1, 2]), legend=[mine]), legend=ENTRIES)
    texts = [text.get_text() for text in plot.axes[0].get_legend().get_texts()]
    assert texts == ["training", "validation", "mine"]
    assert not plot.figure.legends
