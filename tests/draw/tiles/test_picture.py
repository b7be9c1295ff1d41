import warnings
from itertools import pairwise

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from kerasviz.draw.figure import check_panels
from kerasviz.draw.text import text_width
from kerasviz.draw.tiles.colorbar import BAR_PAD, BAR_WIDTH
from kerasviz.draw.tiles.panel import MIN_LABEL_SIZE, TileMatrix, TilePanel
from kerasviz.draw.tiles.picture import draw_panels
from kerasviz.draw.tiles.style import check_style


def panel_of(tiles, name="conv", **facts):
    size = "×".join(map(str, tiles.shape[1:3]))
    rows = len(facts["table"].rows) if "table" in facts else 1
    count = len(tiles) // facts.get("slices", 1) // rows
    return TilePanel(
        values=tiles,
        indices=np.arange(count),
        total=count,
        address=name,
        kind="kernels",
        size=size,
        **facts,
    )


@pytest.fixture
def draw(closing):
    @closing
    def draw(*panels, **options):
        before = plt.get_fignums()
        plot = draw_panels(panels, check_style(**options))
        given = "ax" in options or "figure" in options
        assert len(plt.get_fignums()) == len(before) + (not given)
        return plot

    return draw


@pytest.fixture
def panel(rng):
    return panel_of(rng.normal(size=(12, 3, 3)))


@pytest.fixture
def figure():
    return Figure(figsize=(3, 3))


def outside(figure):
    """Return the text and axes that stick out of a figure."""
    figure.draw_without_rendering()
    width, height = figure.bbox.size
    artists = [*figure.axes, *(ax.title for ax in figure.axes)]
    boxes = [(artist, artist.get_tightbbox()) for artist in artists]
    return [
        artist
        for artist, box in boxes
        if box is not None
        and box.width
        and not (box.x0 >= -1 and box.x1 <= width + 1 and box.y0 >= -1 and box.y1 <= height + 1)
    ]


@pytest.fixture
def covered(pixels):
    """Return which tiles have ink of their numbers on them."""

    def find(ax):
        with_numbers = pixels(ax.figure)
        for text in ax.texts:
            text.set_visible(False)
        y, x = np.nonzero((with_numbers != pixels(ax.figure)).any(axis=2))
        assert y.size
        points = np.stack([x + 0.5, len(with_numbers) - y - 0.5], axis=1)
        places = {ax.format_coord(*point) for point in ax.transData.inverted().transform(points)}
        return places - {""}

    return find


# A new figure


def test_a_new_figure_is_known_to_pyplot(draw, panel):
    plot = draw(panel)
    assert plt.get_fignums() == [plot.figure.number]
    assert plot.figure.axes == [plot.axes[0]]
    assert plot.axes[0].child_axes == [plot.colorbars[0].ax]
    assert plot.figure.get_layout_engine() is None


@pytest.mark.few(4)
@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((1, 3, 3), {}),
        ((2, 3, 3), {"labels": True}),
        (
            (32, 3, 3),
            {"labels": True, "title": "a title of many words that has to be wrapped " * 3},
        ),
        ((5, 1, 9), {}),
        ((5, 9, 1), {"labels": True}),
        ((64, 14, 14), {}),
        ((512, 7, 7), {"labels": True}),
        ((3, 100, 100), {"vmax": 0.1, "vmin": -0.01}),
        ((12, 3, 3), {"colorbar": False, "title": False}),
    ],
    ids=str,
)
def test_nothing_is_clipped(draw, rng, shape, options):
    plot = draw(panel_of(rng.normal(size=shape)), **options)
    assert outside(plot.figure) == []


def test_nothing_of_a_table_is_clipped(draw, rng):
    table = TileMatrix(
        rows=np.arange(4), columns=np.arange(32), row_kind="input channel", column_kind="filter"
    )
    plot = draw(panel_of(rng.normal(size=(128, 3, 3)), table=table))
    assert outside(plot.figure) == []


def test_a_check_of_what_is_clipped_sees_it(draw, panel):
    figure = draw(panel, title="a title").figure
    figure.set_size_inches(figure.get_size_inches() * 0.8)
    figure.axes[0].set_title("a title that is much longer than this figure is wide " * 2)
    assert figure.axes[0].title in outside(figure)


@pytest.mark.few(6)
@pytest.mark.parametrize("shape", [(12, 3, 3), (10, 5, 7), (32, 14, 14), (64, 28, 28), (512, 7, 7)])
@pytest.mark.parametrize("labels", [False, True])
def test_every_value_is_a_whole_number_of_dots(draw, rng, shape, labels):
    plot = draw(panel_of(rng.normal(size=shape)), labels=labels)
    ax = plot.axes[0]
    (x0, y0), (x1, y1) = ax.transData.transform([(0, 0), (1, 1)])
    assert x1 - x0 == pytest.approx(round(x1 - x0))
    assert y0 - y1 == pytest.approx(x1 - x0)


def test_values_are_seen_at_their_places(draw, pixels):
    values = np.arange(2.0 * 3 * 3).reshape(2, 3, 3) + 1
    plot = draw(panel_of(values), cmap="gray", title=False)
    rendered = pixels(plot.figure)[..., 0]
    for index, place in np.ndenumerate(values):
        x = index[0] * (3 + 3 * 0.06) + index[2] + 0.5
        column, row = plot.axes[0].transData.transform((x, index[1] + 0.5))
        grey = rendered[len(rendered) - 1 - int(row), int(column)]
        assert grey == pytest.approx(place / values.max() * 255, abs=1.5)


@pytest.mark.parametrize(("columns", "rows"), [(1, 12), (5, 3), (12, 1), (99, 1)])
def test_columns_are_as_many_as_the_caller_says(draw, panel, columns, rows):
    array = draw(panel, columns=columns).images[0].get_array()
    assert array.shape == (rows * 4 - 1, min(columns, 12) * 4 - 1)


def test_columns_are_chosen_by_the_shape_of_a_tile(draw, rng):
    tall = draw(panel_of(rng.normal(size=(12, 18, 6)))).images[0].get_array()
    wide = draw(panel_of(rng.normal(size=(12, 6, 18)))).images[0].get_array()
    assert (~tall.mask[0]).sum() // 6 > (~wide.mask[0]).sum() // 18


@pytest.mark.parametrize("columns", [None, 2])
def test_a_volume_stays_in_a_row(draw, rng, columns):
    tiles = rng.normal(size=(12 * 3, 4, 4))
    array = draw(panel_of(tiles, slices=3), columns=columns).images[0].get_array()
    across = (~array.mask[0]).sum() // 4
    assert across % 3 == 0
    if columns:
        assert across == columns * 3
    np.testing.assert_array_equal(array[:4].compressed().reshape(4, across, 4)[:, 2], tiles[2])


@pytest.mark.parametrize("shape", [(20, 3, 3), (20, 13, 13)])
def test_volumes_stand_further_apart_than_their_slices(draw, rng, shape):
    plot = draw(panel_of(rng.normal(size=shape), slices=2), columns=2, labels=True)
    first, second = (label.xy[0] for label in plot.axes[0].texts[:2])
    width = plot.axes[0].get_xlim()[1]
    gap = (width - 4 * shape[2]) / (1 + 3 + 1)
    assert second - first == pytest.approx(2 * shape[2] + 4 * gap)
    assert outside(plot.figure) == []


def test_a_panel_may_say_how_many_columns_it_has_until_the_caller_does(draw, rng):
    strip = panel_of(rng.normal(size=(70, 1, 1)), columns=32)
    assert draw(strip).images[0].get_array().shape == (2 * 3 - 1, 2 * 32 - 1)
    assert draw(strip, columns=10).images[0].get_array().shape == (2 * 7 - 1, 2 * 10 - 1)
    few = panel_of(rng.normal(size=(5, 1, 1)), columns=32)
    assert draw(few).images[0].get_array().shape == (1, 2 * 5 - 1)


@pytest.mark.parametrize(("height", "width"), [(4, 9), (9, 4), (6, 6), (1, 36)])
def test_the_gap_between_small_tiles_is_a_part_of_a_value(draw, rng, height, width):
    ax = draw(panel_of(rng.normal(size=(4, height, width))), columns=2).axes[0]
    gap = ax.get_xlim()[1] - 2 * width
    dot = 1 / ax.transData.get_matrix()[0, 0]
    assert 0.6 - 1e-6 <= gap <= 0.6 + dot


def test_panels_stand_side_by_side_without_touching(draw, rng):
    panels = [panel_of(rng.normal(size=(n, 3, 3)), f"conv_{n}") for n in (4, 30, 7, 1, 2)]
    plot = draw(*panels, labels=True)
    assert len(plot.axes) == len(plot.images) == len(plot.colorbars) == 5
    assert outside(plot.figure) == []
    boxes = [
        matplotlib.transforms.Bbox.union([ax.get_tightbbox(), bar.ax.get_tightbbox()])
        for ax, bar in zip(plot.axes, plot.colorbars, strict=True)
    ]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    # Those of a row begin at one height, and a row is below the one before it.
    tops = [round(ax.get_position().y1, 4) for ax in plot.axes]
    assert tops == sorted(tops, reverse=True)
    assert len(set(tops)) < 5


def test_panels_have_images_and_titles_in_order(draw, rng):
    panels = [panel_of(rng.normal(size=(n, 3, 3)), f"conv_{n}") for n in (4, 30)]
    plot = draw(*panels)
    assert [ax.get_title() for ax in plot.axes] == [
        "conv_4: 4 kernels, 3×3",
        "conv_30: 30 kernels, 3×3",
    ]
    for panel, ax, image in zip(panels, plot.axes, plot.images, strict=True):
        assert list(ax.images) == [image]
        np.testing.assert_array_equal(
            np.sort(image.get_array().compressed()), np.sort(panel.tiles.flat)
        )


# Title, labels and colour bar


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        (True, "conv: 12 kernels, 3×3"),
        ("mine", "mine"),
        (False, ""),
        (None, ""),
        ("", ""),
    ],
)
def test_title(draw, panel, title, shown):
    assert draw(panel, title=title).axes[0].get_title() == shown


def test_the_title_has_notes_and_counts_what_is_marked(draw, rng):
    tiles = rng.normal(size=(40, 3, 3))
    tiles[[2, 5]] = 7
    tiles[0, 0] = np.nan
    with pytest.warns(UserWarning, match="3 of the values drawn are NaN or infinite"):
        plot = draw(panel_of(tiles, notes=("a note",)))
    assert plot.axes[0].get_title() == (
        "conv: 40 kernels, 3×3\na note, 2 constant (×), 3 NaN or infinite values (magenta)"
    )


def test_the_title_counts_a_constant_volume_once(draw, rng):
    tiles = rng.normal(size=(8, 3, 3))
    tiles[2:4] = 0
    tiles[4] = 1
    title = draw(panel_of(tiles, slices=2)).axes[0].get_title()
    assert title == "conv: 4 kernels, 3×3\n1 constant (×)"


def test_the_title_of_a_table_counts_constant_slices(draw, rng):
    tiles = rng.normal(size=(12, 3, 3))
    tiles[[0, 1, 4, 5, 7]] = 0
    table = TileMatrix(
        rows=np.arange(2), columns=np.arange(3), row_kind="input channel", column_kind="filter"
    )
    title = draw(panel_of(tiles, slices=2, table=table)).axes[0].get_title()
    assert title.endswith("\n2 constant slices (×)")


def test_colors_beyond_the_callers_limits_are_not_constant(draw, rng):
    colors = rng.uniform(1, 2, size=(4, 3, 3, 3))
    plot = draw(panel_of(colors), vmin=0, vmax=0.5)
    assert "constant" not in plot.axes[0].get_title()
    assert not plot.axes[0].collections


def test_a_long_title_is_wrapped(draw, panel):
    words = " ".join(["word"] * 60)
    title = draw(panel, title=words).axes[0].get_title()
    assert title.split() == words.split()
    assert title.count("\n") >= 2


def test_labels_are_off_until_they_are_asked_for(draw, panel):
    assert not draw(panel).axes[0].texts
    numbers = [label.get_text() for label in draw(panel, labels=True).axes[0].texts]
    assert numbers == [str(number) for number in range(12)]


@pytest.mark.few(2)
@pytest.mark.parametrize("shape", [(12, 3, 3), (100, 3, 3), (64, 14, 14), (28, 1, 1)])
def test_labels_touch_neither_each_other_nor_a_tile(draw, rng, covered, shape):
    plot = draw(panel_of(rng.normal(size=shape)), labels=True)
    ax = plot.axes[0]
    boxes = [label.get_window_extent() for label in ax.texts]
    for one, following in pairwise(boxes):
        assert one.x1 < following.x0 or one.y0 != following.y0
    for label, box in zip(ax.texts, boxes, strict=True):
        left, above = ax.transData.inverted().transform((box.x0, box.y1))
        assert left == pytest.approx(label.xy[0], abs=0.1 * shape[2])
        assert above < label.xy[1]
    assert not covered(ax)
    assert max(box.y1 for box in boxes) < ax.title.get_window_extent().y0


def test_a_color_bar_shows_the_limits_of_its_panel(draw, rng):
    panels = [panel_of(rng.normal(size=(4, 3, 3))), panel_of(rng.uniform(size=(4, 3, 3)))]
    plot = draw(*panels)
    for panel, image, bar in zip(panels, plot.images, plot.colorbars, strict=True):
        assert bar.mappable is image
        reach = np.abs(panel.tiles).max()
        assert (bar.vmin, bar.vmax) == (-reach if panel.tiles.min() < 0 else 0, reach)


@pytest.mark.parametrize("options", [{"colorbar": False}, {"scale": "tile"}])
def test_there_is_no_color_bar_where_it_is_unwanted_or_would_lie(draw, panel, options):
    plot = draw(panel, **options)
    assert plot.colorbars == (None,)
    assert plot.figure.axes == [plot.axes[0]]


def test_colors_have_no_color_bar(draw, rng):
    assert draw(panel_of(rng.uniform(size=(4, 3, 3, 3)))).colorbars == (None,)


@pytest.mark.parametrize(
    ("limits", "extend"),
    [
        ({}, "neither"),
        ({"vmin": -9, "vmax": 9}, "neither"),
        ({"vmax": 0.1}, "both"),
        ({"vmin": -9, "vmax": 0.1}, "max"),
        ({"vmin": 0}, "min"),
    ],
)
def test_a_color_bar_shows_that_values_are_beyond_it(draw, limits, extend):
    tiles = np.linspace(-1, 1, 36).reshape(4, 3, 3)
    assert draw(panel_of(tiles), **limits).colorbars[0].extend == extend


@pytest.mark.parametrize("norm", ["log", matplotlib.colors.LogNorm(), "logit"])
def test_a_norm_that_cannot_show_the_values_leaves_nothing_behind(figure, norm):
    panel = panel_of(np.zeros((4, 3, 3)))
    ax = figure.add_subplot()
    for place in ({"ax": ax}, {"figure": figure}, {}):
        with pytest.raises(ValueError, match=r"^`norm` cannot show values from 0 to 0\."):
            draw_panels([panel], check_style(norm=norm, **place))
    assert figure.axes == [ax]
    assert not ax.images
    assert not plt.get_fignums()


@pytest.mark.parametrize("norm", ["log", "symlog", matplotlib.colors.LogNorm()])
def test_a_norm_reaches_the_image(draw, rng, norm):
    tiles = rng.uniform(1, 100, size=(4, 3, 3))
    image = draw(panel_of(tiles), norm=norm).images[0]
    assert image.get_clim() == (tiles.min(), tiles.max())
    assert not isinstance(image.norm(5.0), np.ma.MaskedArray)
    assert float(image.norm(10.0)) > (10 - tiles.min()) / np.ptp(tiles)


# Warnings and errors


def test_one_warning_counts_what_is_not_finite_in_all_panels(draw, rng):
    tiles = rng.normal(size=(2, 4, 3, 3))
    tiles[0, 0, 0, :2] = np.nan, np.inf
    tiles[1, 3] = -np.inf
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        draw(panel_of(tiles[0]), panel_of(tiles[1]))
    assert [str(warning.message) for warning in caught] == [
        "11 of the values drawn are NaN or infinite; they are shown in magenta."
    ]


def test_a_panel_without_a_finite_value_can_be_drawn(draw):
    with pytest.warns(UserWarning, match="18 of the values drawn"):
        plot = draw(panel_of(np.full((2, 3, 3), np.nan)))
    assert plot.images[0].get_clim() == (0, 1)


def fail(*_, **__):
    raise RuntimeError("broken")


@pytest.mark.parametrize("method", ["set_title", "add_image", "set_position"])
def test_an_error_in_the_middle_leaves_no_figure_open(monkeypatch, rng, method):
    monkeypatch.setattr(matplotlib.axes.Axes, method, fail)
    panels = [panel_of(rng.normal(size=(4, side, side))) for side in (3, 14)]
    with pytest.raises(RuntimeError, match="broken"):
        draw_panels(panels, check_style())
    assert not plt.get_fignums()


def test_an_error_leaves_other_figures_open(monkeypatch, panel):
    monkeypatch.setattr(matplotlib.axes.Axes, "set_title", fail)
    other = plt.figure()
    with pytest.raises(RuntimeError, match="broken"):
        draw_panels([panel], check_style())
    assert plt.get_fignums() == [other.number]
    plt.close(other)


def test_an_axes_takes_one_panel(panel, figure):
    ax = figure.add_subplot()
    style = check_style(ax=ax)
    check_panels(1, ax)
    with pytest.raises(ValueError, match="`ax` takes one panel, but 2 layers were requested"):
        draw_panels([panel, panel], style)
    assert not ax.images


# The caller's Axes and figures


@pytest.mark.parametrize("layout", [None, "constrained", "tight"])
def test_the_callers_figure_keeps_its_layout_and_size(draw, panel, layout):
    figure = Figure(figsize=(4, 3), layout=layout)
    axes = figure.subplots(1, 2)
    engine, margins = figure.get_layout_engine(), vars(figure.subplotpars).copy()
    plot = draw(panel, ax=axes[0])
    assert plot.figure is figure
    assert plot.axes == (axes[0],)
    assert figure.get_layout_engine() is engine
    assert vars(figure.subplotpars) == margins
    assert figure.get_size_inches().tolist() == [4, 3]
    assert not axes[1].images
    assert not plt.get_fignums()


def test_the_callers_margins_are_kept_when_it_is_drawn(draw, panel, figure):
    figure.subplots_adjust(left=0.2, right=0.7)
    ax = figure.add_subplot()
    draw(panel, ax=ax, colorbar=False)
    figure.draw_without_rendering()
    box = ax.get_position(original=True)
    assert (box.x0, box.x1) == pytest.approx((0.2, 0.7))


def test_nothing_sticks_out_of_a_small_figure_of_the_callers(draw, rng, figure):
    draw(panel_of(rng.normal(size=(12, 3, 3)) / 100), ax=figure.add_subplot())
    assert outside(figure) == []


def test_a_color_bar_is_as_high_as_the_tiles_in_the_callers_axes(draw, rng, figure):
    plot = draw(panel_of(rng.normal(size=(4, 3, 12))), ax=figure.add_subplot(), columns=2)
    figure.draw_without_rendering()
    tiles, bar = plot.axes[0].get_window_extent(), plot.colorbars[0].ax.get_window_extent()
    assert (bar.y0, bar.y1) == pytest.approx((tiles.y0, tiles.y1), abs=2)
    assert bar.x0 - tiles.x1 == pytest.approx(BAR_PAD * figure.dpi, abs=2)
    assert bar.width == pytest.approx(BAR_WIDTH * figure.dpi, abs=2)


@pytest.mark.few(4)
@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize("shape", [(12, 3, 3), (512, 7, 7), (128, 1, 1), (40, 12, 12), (300, 9, 2)])
def test_a_color_bar_is_as_high_as_tiles_with_small_gaps(draw, rng, shape, labels):
    figure = Figure(figsize=(2, 3))
    plot = draw(panel_of(rng.normal(size=shape)), ax=figure.add_subplot(), labels=labels)
    figure.draw_without_rendering()
    tiles, bar = plot.axes[0].get_window_extent(), plot.colorbars[0].ax.get_window_extent()
    assert (bar.y0, bar.y1) == pytest.approx((tiles.y0, tiles.y1), abs=2)


def test_a_check_of_what_is_covered_sees_it(draw, panel, figure, covered):
    ax = draw(panel, ax=figure.add_subplot(), labels=True).axes[0]
    ax.texts[5].set_position((0, -5))
    assert {place.split(",")[0] for place in covered(ax)} == {"tile 5"}


@pytest.mark.few(5)
@pytest.mark.parametrize("size", [(2, 3), (3, 3), (3, 2), (5, 2)], ids=str)
@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((12, 3, 3), {}),
        ((32, 3, 3), {}),
        ((16, 14, 14), {}),
        ((8, 3, 9), {}),
        ((24, 20, 2), {"columns": 12}),
        ((30, 1, 20), {"columns": 1}),
        ((16, 1, 20), {"columns": 1}),
        ((128, 1, 1), {}),
        ((200, 30, 2), {"columns": 100}),
        ((300, 20, 2), {"columns": 268}),
        ((512, 7, 7), {}),
        ((512, 7, 7), {"columns": 8}),
        ((64 * 3, 5, 5), {"slices": 3}),
        ((8 * 5, 12, 12), {"slices": 5}),
    ],
    ids=str,
)
def test_numbers_in_the_callers_axes_touch_nothing(draw, rng, covered, size, shape, options):
    figure = Figure(figsize=size)
    facts = {name: value for name, value in options.items() if name == "slices"}
    panel = panel_of(rng.normal(size=shape), **facts)
    plot = draw(panel, ax=figure.add_subplot(), labels=True, columns=options.get("columns"))
    figure.draw_without_rendering()
    ax = plot.axes[0]
    labels = [*ax.texts, *ax.get_yticklabels()]
    assert labels
    boxes = [label.get_window_extent() for label in labels]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert min(label.get_fontsize() for label in labels) >= MIN_LABEL_SIZE
    if ax.texts:
        assert not len(ax.get_yticks())
        tile = shape[1] * ax.get_window_extent().height / ax.get_ylim()[0]
        assert max(box.height for box in boxes) <= tile
        assert not covered(ax)
    else:
        assert max(box.x1 for box in boxes) < ax.get_window_extent().x0


def test_512_tiles_in_a_small_axes_have_numbers_at_their_rows(draw, rng, figure):
    ax = figure.add_subplot()
    array = draw(panel_of(rng.normal(size=(512, 7, 7))), ax=ax, labels=True).images[0].get_array()
    across = (~array.mask[0]).sum() // 7
    numbers = [int(label.get_text()) for label in ax.get_yticklabels()]
    step = numbers[1]
    assert not ax.texts
    assert step % across == 0
    assert numbers == list(range(0, 512, step))
    for number, y in zip(numbers, ax.get_yticks(), strict=True):
        assert ax.format_coord(0.5, y).startswith(f"tile {number}, row 3, column 0: ")


def test_few_tiles_in_a_small_axes_keep_their_own_numbers(draw, panel, figure):
    ax = draw(panel, ax=figure.add_subplot(), labels=True).axes[0]
    assert [label.get_text() for label in ax.texts] == [str(number) for number in range(12)]
    assert not ax.get_yticks().size


def test_a_new_figure_has_a_number_over_every_tile(draw, rng):
    ax = draw(panel_of(rng.normal(size=(512, 7, 7))), labels=True).axes[0]
    assert len(ax.texts) == 512
    assert not ax.get_yticks().size


@pytest.mark.parametrize(("width", "size"), [(3, "small"), (6, "medium")])
def test_the_title_in_a_narrow_axes_is_small(draw, panel, width, size):
    ax = draw(panel, ax=Figure(figsize=(width, 3)).add_subplot()).axes[0]
    points = FontProperties(size=size).get_size_in_points()
    assert ax.title.get_fontsize() == points


@pytest.mark.parametrize("colorbar", [True, False])
@pytest.mark.parametrize("size", [(2, 3), (3, 3), (5, 3)], ids=str)
def test_the_title_is_as_wide_as_tiles_and_color_bar_at_most(draw, panel, size, colorbar):
    figure = Figure(figsize=size)
    ax = figure.add_subplot()
    right = ax.get_window_extent().x1
    title = "a title of many words that has to be wrapped in so narrow an axes"
    draw(panel, ax=ax, title=title, colorbar=colorbar)
    figure.draw_without_rendering()
    box, tiles = ax.title.get_window_extent(), ax.get_window_extent()
    assert box.x0 == pytest.approx(tiles.x0, abs=1)
    assert box.x1 <= right + 1
    assert box.y0 > tiles.y1
    assert " ".join(ax.get_title().split()) == title
    longest = max(ax.get_title().splitlines(), key=len)
    assert text_width(longest, ax.title.get_fontsize()) > 0.5 * (right - tiles.x0) * 72 / figure.dpi
    assert len(ax.child_axes) == colorbar


def test_columns_fit_the_shape_of_the_callers_axes(draw, rng):
    widths = []
    for size in [(2, 6), (6, 2)]:
        ax = Figure(figsize=size).add_subplot()
        array = draw(panel_of(rng.normal(size=(24, 3, 3))), ax=ax).images[0].get_array()
        widths.append(array.shape[1])
    assert widths[0] < widths[1]


def test_a_figure_gets_an_axes_a_panel(draw, rng, figure):
    panels = [panel_of(rng.normal(size=(4, 3, 3)), f"conv_{n}") for n in range(3)]
    plot = draw(*panels, figure=figure)
    assert plot.figure is figure
    assert [ax.get_title()[:6] for ax in plot.axes] == ["conv_0", "conv_1", "conv_2"]
    assert len(figure.axes) == 3
    boxes = [ax.get_position() for ax in plot.axes]
    assert boxes[0].y0 > boxes[2].y1
    assert boxes[0].x1 < boxes[1].x0


def test_a_subfigure_is_drawn_into(draw, panel, figure):
    left, right = figure.subfigures(1, 2)
    plot = draw(panel, figure=left)
    assert plot.figure is left
    assert plot.axes[0].figure is left
    assert left.axes == [plot.axes[0]]
    assert not right.axes


def test_an_axes_in_a_subfigure_is_drawn_into(draw, panel, figure):
    sub = figure.subfigures(1, 2)[1]
    ax = sub.add_subplot()
    plot = draw(panel, ax=ax)
    assert plot.figure is sub
    assert plot.colorbars[0].ax.figure is sub


def test_the_figure_of_an_axes_that_pyplot_made_stays_the_only_one(draw, panel):
    figure, ax = plt.subplots()
    plot = draw(panel, ax=ax)
    assert plot.figure is figure
    assert plt.get_fignums() == [figure.number]


def test_a_new_figure_does_not_become_larger_for_a_larger_layer(draw, rng):
    for shape in [(12, 3, 3), (512, 3, 3), (2048, 7, 7), (512, 14, 14), (4, 224, 224)]:
        width, height = draw(panel_of(rng.normal(size=shape))).figure.get_size_inches()
        assert width < 9.5
        assert height < 9


def test_the_panels_are_left_as_they_are(draw, rng):
    tiles = rng.normal(size=(4, 3, 3))
    tiles.flags.writeable = False
    for scale in ("layer", "tile", "figure"):
        draw(panel_of(tiles), scale=scale)
    colors = rng.normal(size=(4, 3, 3, 3))
    colors.flags.writeable = False
    draw(panel_of(colors))


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("shape", "dots"),
    [((32, 3, 3), 28), ((64, 28, 28), 3), ((512, 14, 14), 2), ((150, 56, 56), 1)],
)
@pytest.mark.parametrize("title", ["one line", "one line\nand a second one"])
def test_values_are_sharp_in_a_new_figure(shape, dots, title, draw, rng, pixels):
    panel = panel_of(rng.integers(0, 2, size=shape).astype("float32"))
    plot = draw(panel, title=title, colorbar=False)
    x0, y0, x1, y1 = plot.axes[0].get_window_extent().extents.round().astype(int)
    picture = pixels(plot.figure)[::-1][y0:y1, x0:x1]
    colors = {tuple(color) for color in np.unique(picture.reshape(-1, 4), axis=0)}
    cmap = matplotlib.colormaps["viridis"]
    assert colors == {cmap(0.0, bytes=True), cmap(1.0, bytes=True), (255, 255, 255, 255)}
    tile = plot.axes[0].transData.transform([(0, 0), (shape[2], 0)])
    assert (tile[1, 0] - tile[0, 0]) / shape[2] == pytest.approx(dots, rel=0.2)
