import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kerasviz.draw.tiles.grid import (
    GROUP_GAP,
    Grid,
    choose_columns,
    constant_tiles,
    mosaic,
    split_mosaic,
)

DTYPES = st.sampled_from(["float32", "float64", "uint8", "int16"])
GAPS = st.floats(0.01, 6)


@st.composite
def grids(draw):
    group = draw(st.integers(1, 5))
    items = draw(st.integers(1, 30 // group))
    columns = draw(st.integers(1, items))
    tile = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    gap = draw(st.tuples(GAPS, GAPS) | st.tuples(st.integers(1, 6), st.integers(1, 6)))
    return Grid(count=items * group, columns=columns * group, tile=tile, gap=gap, group=group)


@st.composite
def grids_with_tiles(draw):
    grid = draw(grids())
    rest = draw(st.sampled_from([(), (3,)]))
    dtype = np.dtype(draw(DTYPES))
    return grid, draw(arrays(dtype, (grid.count, *grid.tile, *rest)))


@given(grids_with_tiles())
def test_splitting_a_mosaic_gives_the_tiles_back(case):
    grid, tiles = case
    array = mosaic(tiles, grid)
    assert array.dtype == tiles.dtype
    np.testing.assert_array_equal(split_mosaic(array.data, grid), tiles)
    assert not split_mosaic(np.ma.getmaskarray(array), grid).any()


@given(grids_with_tiles())
def test_everything_between_the_tiles_is_masked(case):
    grid, tiles = case
    array = mosaic(tiles, grid)
    assert array.count() == tiles.size
    y, x = grid.edges()
    assert array.shape[:2] == (len(y) - 1, len(x) - 1)


@given(grids_with_tiles())
def test_groups_change_no_value_of_a_mosaic(case):
    grid, tiles = case
    alone = mosaic(tiles, dataclasses.replace(grid, group=1))
    array = mosaic(tiles, grid)
    np.testing.assert_array_equal(array.data, alone.data)
    np.testing.assert_array_equal(array.mask, alone.mask)


def test_tiles_stand_in_rows_from_the_top_left():
    tiles = np.array([[[1, 2]], [[3, 4]], [[5, 6]]])
    array = mosaic(tiles, Grid(count=3, columns=2, tile=(1, 2)))
    assert array.filled(0).tolist() == [[1, 2, 0, 3, 4], [0, 0, 0, 0, 0], [5, 6, 0, 0, 0]]


def test_a_mosaic_is_a_copy(rng):
    tiles = rng.normal(size=(1, 3, 3))
    mosaic(tiles, Grid(count=1, columns=1, tile=(3, 3)))[:] = 0
    assert tiles.all()


@pytest.mark.parametrize(
    ("gap", "cells", "uniform"),
    [((1, 1), (1, 1), True), ((3, 1), (3, 1), True), ((0.2, 0.2), (1, 1), False)],
)
def test_a_gap_is_drawn_in_its_own_width(gap, cells, uniform):
    grid = Grid(count=4, columns=2, tile=(3, 3), gap=gap)
    assert grid.gap_cells == cells
    assert grid.uniform is uniform
    y, x = grid.edges()
    assert np.diff(y)[:3].tolist() == [1, 1, 1]
    assert y[3 + cells[0]] - y[3] == pytest.approx(gap[0])
    assert (y[-1], x[-1]) == pytest.approx(grid.size) == (6 + gap[0], 6 + gap[1])


@given(grids())
def test_corners_and_edges_agree(grid):
    y, x = grid.edges()
    assert (np.diff(y) > 0).all()
    assert (np.diff(x) > 0).all()
    tops, lefts = grid.corners()
    numbers = np.arange(grid.count)
    rows = numbers // grid.columns * (grid.tile[0] + grid.gap_cells[0])
    columns = numbers % grid.columns * (grid.tile[1] + grid.gap_cells[1])
    np.testing.assert_allclose(tops, y[rows])
    np.testing.assert_allclose(lefts, x[columns])


@given(grids())
def test_the_distance_between_two_groups_is_wider(grid):
    lefts = grid.corners()[1][: grid.columns]
    gaps = np.diff(lefts) - grid.tile[1]
    between = np.arange(1, len(lefts)) % grid.group == 0
    if grid.group == 1:
        between[:] = False
    np.testing.assert_allclose(gaps[between], GROUP_GAP * grid.gap[1])
    np.testing.assert_allclose(gaps[~between], grid.gap[1])


@given(grids())
def test_the_size_ends_with_the_last_tile(grid):
    tops, lefts = grid.corners()
    y, x = grid.edges()
    ends = tops.max() + grid.tile[0], lefts.max() + grid.tile[1]
    assert (y[-1], x[-1]) == pytest.approx(grid.size)
    assert ends == pytest.approx(grid.size)


@pytest.mark.parametrize("gap", [(1, 1), (3, 2), (1.0, 1.0), (0.2, 0.2)])
def test_the_gap_between_groups_is_drawn_in_its_own_width(gap):
    grid = Grid(count=8, columns=4, tile=(3, 5), gap=gap, group=2)
    y, x = grid.edges()
    cells = grid.gap_cells[1]
    assert not grid.uniform
    assert x[5 + cells] - x[5] == pytest.approx(gap[1])
    assert x[10 + 2 * cells] - x[10 + cells] == pytest.approx(GROUP_GAP * gap[1])
    assert np.diff(y)[:3].tolist() == [1, 1, 1]
    assert (y[-1], x[-1]) == pytest.approx((6 + gap[0], 20 + 5 * gap[1]))


@given(grids(), st.data())
def test_locate_finds_every_value_where_it_is_drawn(grid, data):
    index = data.draw(st.integers(0, grid.count - 1))
    row = data.draw(st.integers(0, grid.tile[0] - 1))
    column = data.draw(st.integers(0, grid.tile[1] - 1))
    tops, lefts = grid.corners()
    place = tops[index] + row + 0.5, lefts[index] + column + 0.5
    assert grid.locate(*place) == (index, row, column)


@pytest.mark.parametrize(
    "point",
    [(3.1, 1), (1, 3.1), (-0.1, 1), (1, -0.1), (1, 6.5), (4, 4), (7, 1)],
    ids=["below", "beside", "above", "left", "right", "empty place", "under the last row"],
)
def test_locate_finds_nothing_outside_the_tiles(point):
    grid = Grid(count=3, columns=2, tile=(3, 3), gap=(0.2, 0.2))
    assert grid.locate(*point) is None


@pytest.mark.parametrize("x", [3.1, 6.3, 6.5, 6.79, 9.9, 13.1, -0.1], ids=str)
def test_locate_finds_nothing_in_the_gaps_in_and_between_groups(x):
    grid = Grid(count=4, columns=4, tile=(3, 3), gap=(0.2, 0.2), group=2)
    assert grid.locate(1, x) is None


@pytest.mark.parametrize(("x", "place"), [(3.3, 1), (6.1, 1), (6.9, 2), (10.1, 3), (12.9, 3)])
def test_locate_finds_tiles_of_groups(x, place):
    grid = Grid(count=4, columns=4, tile=(3, 3), gap=(0.2, 0.2), group=2)
    assert grid.locate(1, x)[0] == place


@given(st.integers(1, 600), st.tuples(st.floats(0.5, 300), st.floats(0.5, 300)), st.floats(0.2, 5))
def test_choose_columns_never_drops_a_tile(count, tile, aspect):
    columns = choose_columns(count, tile, aspect)
    rows = Grid(count=count, columns=columns, tile=(1, 1)).rows
    assert 1 <= columns <= count
    assert (rows - 1) * columns < count <= rows * columns


@pytest.mark.parametrize(
    ("count", "aspect", "columns"),
    [(1, 1.4, 1), (2, 1.4, 2), (12, 1.4, 4), (32, 1.4, 8), (64, 1, 8)],
)
def test_choose_columns_prefers_full_rows_near_the_aspect(count, aspect, columns):
    assert choose_columns(count, (1, 1), aspect) == columns


def test_choose_columns_takes_the_shape_of_a_tile_into_account():
    assert (
        choose_columns(64, (1, 4), 1)
        < choose_columns(64, (1, 1), 1)
        < choose_columns(64, (4, 1), 1)
    )


@pytest.mark.parametrize(
    ("tile", "constant"),
    [
        ([[0, 0], [0, 0]], True),
        ([[1.5, 1.5], [1.5, 1.5]], True),
        ([[0, 0], [0, 1e-9]], False),
        ([[0, 0], [0, np.nan]], False),
        ([[np.inf, np.inf], [np.inf, np.inf]], False),
        ([[0]], False),
    ],
)
def test_constant_tiles(tile, constant):
    varied = np.arange(np.size(tile)).reshape(np.shape(tile))
    assert constant_tiles(np.array([tile, varied], float)).tolist() == [constant, False]


def test_a_color_tile_is_constant_when_it_is_grey_throughout():
    tiles = np.full((2, 4, 4, 3), 0.5)
    tiles[1, 0, 0, 2] = 0
    assert constant_tiles(tiles).tolist() == [True, False]


def test_tiles_without_a_gap_touch(rng):
    tiles = rng.normal(size=(5, 4, 1))
    grid = Grid(count=5, columns=5, tile=(4, 1), gap=(0, 0))
    array = mosaic(tiles, grid)
    np.testing.assert_array_equal(array.data, tiles[..., 0].T)
    assert not array.mask.any()
    assert grid.uniform
    assert grid.size == (4, 5)
    np.testing.assert_array_equal(split_mosaic(array, grid), tiles)
    for edges, count in zip(grid.edges(), (4, 5), strict=True):
        assert edges.tolist() == list(range(count + 1))
    assert grid.locate(3.5, 2.5) == (2, 3, 0)
    assert grid.locate(3.5, 5.5) is None
