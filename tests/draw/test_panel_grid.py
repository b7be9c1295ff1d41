"""Check where panels go: numbers first, then against Matplotlib's own grid and the pixels."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from kerasviz.draw.figure import Placement, too_small
from kerasviz.draw.panel_grid import (
    MIN_SIDE,
    PanelExtent,
    PanelGrid,
    PanelRows,
    Rect,
    add_axes,
    figure_inches,
    has_layout_engine,
    measure,
    open_panels,
)

EXTENT = PanelExtent(width=3, height=2, left=0.5, right=0.25, above=0.75, below=0.5)


def corners(rects):
    return [(rect.left, rect.bottom) for rect in rects]


def bounds(ax):
    """Return left, bottom, width and height of an Axes in inches."""
    figure = ax.figure.get_figure(root=True)
    return np.array(ax.get_window_extent().bounds) / figure.dpi


def test_panel_grid_is_as_large_as_all_panels_and_what_is_around_them():
    grid = PanelGrid(columns=2, margin=0.125, gaps=(1.0, 0.5))
    assert grid.width([EXTENT] * 3) == 2 * 0.125 + 2 * (0.5 + 3 + 0.25) + 1
    assert grid.height([EXTENT] * 3, heading=0.25) == 2 * 0.125 + 0.25 + 2 * (0.75 + 2 + 0.5) + 0.5
    assert grid.width([EXTENT]) == 2 * 0.125 + 3.75  # and no gap beside a panel that is alone
    assert PanelGrid(columns=5).width([EXTENT] * 2) == 2 * 3.75


def test_panel_grid_goes_row_by_row_from_the_upper_left():
    grid = PanelGrid(columns=2, margin=0.125, gaps=(1.0, 0.5))
    extents = [EXTENT] * 3
    page = grid.width(extents), grid.height(extents, 0.25)
    rects = grid.arrange(extents, page, heading=0.25)
    assert corners(rects) == [(0.625, 4.375), (5.375, 4.375), (0.625, 0.625)]
    assert {(rect.width, rect.height) for rect in rects} == {(3, 2)}


def test_panel_grid_has_columns_as_wide_as_their_widest_panel():
    wide, high = PanelExtent(width=4, height=1), PanelExtent(width=1, height=3)
    extents = [wide, high, high, high]
    grid = PanelGrid(columns=2)
    assert (grid.width(extents), grid.height(extents)) == (5, 6)
    rects = grid.arrange(extents, (5, 6))
    assert corners(rects) == [(0, 5), (4, 3), (0, 0), (4, 0)]


def test_panel_grid_aligns_data_areas_or_puts_panels_into_corners():
    labelled = PanelExtent(width=2, height=1, left=1, above=0.5)
    extents = [labelled, PanelExtent(width=2, height=1), PanelExtent(width=3, height=1)]
    aligned = PanelGrid(columns=2)
    assert aligned.width(extents) == (1 + 3) + 2
    assert corners(aligned.arrange(extents, (6, 2.5))) == [(1, 1), (4, 1), (1, 0)]
    cornered = PanelGrid(columns=2, is_aligned=False)
    assert cornered.width(extents) == 3 + 2
    assert corners(cornered.arrange(extents, (5, 2.5))) == [(1, 1), (3, 1.5), (0, 0)]


def test_panel_grid_leaves_what_is_left_of_a_page_around_the_panels():
    grid = PanelGrid(columns=1, margin=0.5)
    extent = PanelExtent(width=1, height=1)
    assert grid.start([extent], page_width=4) == 1.5
    assert corners(grid.arrange([extent], (4, 6))) == [(1.5, 2.5)]
    # Of a page that is too small, the upper left is filled.
    assert corners(grid.arrange([extent], (1, 1))) == [(0.5, -0.5)]


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (4, 2), (5, 3), (2, 4), (3, 1)])
def test_panel_grid_fills_a_page(count, columns):
    grid = PanelGrid(columns=columns, margin=0.1, gaps=(0.2, 0.3))
    extents = [replace(EXTENT, left=0.1 * index, above=0.2 * index) for index in range(count)]
    filling = grid.fill(extents, (20, 15), heading=0.4)
    assert grid.width(filling) == pytest.approx(20)
    assert grid.height(filling, heading=0.4) == pytest.approx(15)
    assert len({(extent.width, extent.height) for extent in filling}) == 1
    assert [extent.left for extent in filling] == [extent.left for extent in extents]


def test_panel_grid_squeezes_panels_into_a_page_that_is_too_small():
    grid = PanelGrid(columns=2, margin=0.05)
    extents = grid.fill([EXTENT] * 4, (1.1, 1.2), heading=0.1)
    assert grid.width(extents) == pytest.approx(1.1)
    assert grid.height(extents, heading=0.1) == pytest.approx(1.2)
    across, down = 1 / (2 * (0.75 + MIN_SIDE)), 1 / (2 * (1.25 + MIN_SIDE))
    for extent in extents:
        assert (extent.width, extent.height) == pytest.approx((across * MIN_SIDE, down * MIN_SIDE))
        assert (extent.left, extent.above) == pytest.approx((across * 0.5, down * 0.75))


def test_panel_grid_lets_no_data_area_vanish():
    (extent,) = PanelGrid(columns=1).fill([EXTENT], (0.5, 0.5), heading=1)
    assert extent.width > 0.05
    assert extent.height > 0.02


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (6, 3), (5, 2)])
def test_add_axes_puts_equal_panels_where_a_grid_of_matplotlib_has_them(count, columns):
    figure, reference = Figure(figsize=(12, 9)), Figure(figsize=(12, 9))
    grid, rows = PanelGrid(columns=columns), -(-count // columns)
    extents = grid.fill([EXTENT] * count, (12, 9))
    axes = add_axes(figure, count)
    grid.place(axes, extents, is_new=False)
    spec = reference.add_gridspec(
        rows,
        columns,
        left=0.5 / 12,
        right=1 - 0.25 / 12,
        bottom=0.5 / 9,
        top=1 - 0.75 / 9,
        wspace=0.75 / extents[0].width,
        hspace=1.25 / extents[0].height,
    )
    for index, ax in enumerate(axes):
        other = reference.add_subplot(spec[divmod(index, columns)])
        np.testing.assert_allclose(bounds(ax), bounds(other), atol=1e-9)


def test_add_axes_makes_a_new_figure_as_large_as_its_panels():
    for is_new, size in ((True, (7.5, 3.5)), (False, (9, 9))):
        figure = Figure(figsize=(9, 9))
        axes = add_axes(figure, 2)
        rects = PanelGrid(columns=2).place(axes, [EXTENT] * 2, heading=0.25, is_new=is_new)
        assert tuple(figure.get_size_inches()) == size
        for ax, rect in zip(axes, rects, strict=True):
            expected = (rect.left, rect.bottom, rect.width, rect.height)
            np.testing.assert_allclose(bounds(ax), expected, atol=1e-9)


@pytest.mark.parametrize("dpi", [72, 100, 144])
def test_add_axes_begins_data_areas_at_whole_dots(dpi):
    extents = [PanelExtent(width=50 / dpi, height=20 / dpi, left=0.123, above=0.456)] * 2
    for whole_dots in (True, False):
        axes = add_axes(Figure(dpi=dpi), 2)
        PanelGrid(columns=2, whole_dots=whole_dots).place(axes, extents, is_new=True)
        dots = np.array([bounds(ax) for ax in axes]) * dpi
        assert np.allclose(dots, dots.round(), atol=1e-6) == whole_dots
        np.testing.assert_allclose(dots[:, 2:], [[50, 20]] * 2)


def test_figure_inches_of_a_part_of_a_figure_are_its_own():
    figure = Figure(figsize=(8, 4))
    right = figure.subfigures(1, 2)[1]
    assert figure_inches(figure) == (8, 4)
    assert figure_inches(right) == (4, 4)
    ax = right.add_subplot()
    Rect(left=1, bottom=0.5, width=2, height=3).place(ax)
    np.testing.assert_allclose(bounds(ax), (5, 0.5, 2, 3))


def test_measure_finds_what_sticks_out_of_an_axes():
    ax = Figure(figsize=(6, 5)).add_subplot()
    Rect(left=1, bottom=1, width=3, height=2).place(ax)
    ax.set(xticks=[], yticks=[])
    bare = measure(ax)
    assert (bare.width, bare.height) == pytest.approx((3, 2))
    around = np.array([bare.left, bare.right, bare.above, bare.below])
    assert (np.abs(around) < 0.02).all()  # half the width of the frame's line
    ax.add_patch(plt.Rectangle((-0.5, -0.25), 1, 1, transform=ax.transAxes, clip_on=False))
    ax.add_patch(plt.Rectangle((0.5, 0.5), 1, 0.75, transform=ax.transAxes, clip_on=False))
    around = measure(ax)
    expected = (3 * 0.5, 3 * 0.5, 2 * 0.25, 2 * 0.25)
    measured = (around.left, around.right, around.above, around.below)
    assert measured == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("layout", ["none", "constrained", "tight"])
def test_has_layout_engine_of_a_figure_holds_for_its_parts(layout):
    figure = Figure(layout=layout)
    assert has_layout_engine(figure) == (layout != "none")
    assert has_layout_engine(figure.subfigures()) == (layout != "none")


def test_open_panels_fill_the_callers_figure():
    figure = Figure(figsize=(9, 7))
    with open_panels(Placement(figure=figure), PanelGrid(columns=2), 2) as panels:
        assert panels.is_movable
        panels.place([EXTENT] * 2, heading=0.25)
    assert panels.figure is figure
    assert tuple(figure.axes) == panels.axes
    width, height = (9 - 2 * 0.75) / 2, 7 - 0.25 - 0.75 - 0.5
    np.testing.assert_allclose(bounds(panels.axes[0]), (0.5, 0.5, width, height))
    np.testing.assert_allclose(bounds(panels.axes[1]), (1.25 + width, 0.5, width, height))


def test_open_panels_of_a_new_figure_have_the_size_that_they_ask_for():
    with open_panels(Placement(), PanelGrid(columns=1), 2, share=True) as panels:
        panels.place([EXTENT] * 2)
    assert plt.get_fignums()
    assert figure_inches(panels.figure) == (3.75, 6.5)
    assert panels.axes[0].get_shared_x_axes().joined(*panels.axes)
    plt.close(panels.figure)


def _inches(ax):
    page = ax.figure.bbox
    return np.array(ax.get_position().bounds) * np.tile([page.width, page.height], 2) / 100


@pytest.mark.parametrize("layout", ["none", "constrained", "tight"])
@pytest.mark.parametrize("is_part", [False, True])
def test_open_panels_are_where_they_are_placed_whatever_the_layout_engine(layout, is_part):
    figure = Figure((6, 8), layout=layout)
    page = figure.subfigures(2, 1)[0] if is_part else figure
    with open_panels(Placement(figure=page), PanelGrid(columns=2), 2) as panels:
        panels.place([EXTENT] * 2)
    before = [_inches(ax) for ax in panels.axes]
    figure.draw_without_rendering()
    after = [_inches(ax) for ax in panels.axes]
    # The engine takes 0.04 inches off the page if that is a SubFigure; the margins stay.
    np.testing.assert_allclose(after, before, atol=0.05)
    np.testing.assert_allclose(np.array(after)[:, :2], np.array(before)[:, :2])


@pytest.mark.parametrize("layout", ["none", "constrained", "tight"])
def test_open_panels_stay_where_the_caller_or_the_layout_engine_puts_an_axes(layout):
    ax = Figure(layout=layout).add_axes((0.2, 0.3, 0.4, 0.5))
    before = ax.get_position().bounds
    with open_panels(Placement(ax=ax), PanelGrid(columns=1), 1) as panels:
        panels.place([EXTENT])
    assert not panels.is_movable
    assert panels.axes[0].get_position().bounds == before


def test_open_panels_closes_only_a_new_figure_after_an_error():
    mine = plt.figure()
    for place in (Placement(), Placement(figure=mine)):
        with (
            pytest.raises(RuntimeError, match="broken"),
            open_panels(place, PanelGrid(columns=1), 1),
        ):
            raise RuntimeError("broken")
    assert plt.get_fignums() == [mine.number]
    plt.close(mine)


def test_panel_rows_divide_a_figure_into_cells_as_wide_as_their_panels():
    figure = Figure()
    wide, narrow = replace(EXTENT, width=6), replace(EXTENT, width=1)
    _, cells = PanelRows(counts=[2], margin=0.125).place(add_axes(figure, 2), [wide, narrow])
    assert [cell.width for cell in cells] == pytest.approx([7 / 9, 2 / 9])
    assert [cell.left for cell in cells] == pytest.approx([0, 7 / 9])
    assert {(cell.bottom, cell.height) for cell in cells} == {(0, 1)}


def test_a_side_that_is_long_enough_stays_as_it_is_in_the_least_size():
    error = too_small((3.0, 1.0), (2.0, 2.0), Placement(figure=Figure(figsize=(3, 1))))
    assert "at least 3.0 x 2.0 in" in str(error)
