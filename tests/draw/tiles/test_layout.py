"""Check how large values are planned to be: numbers alone, without a figure."""

import numpy as np
import pytest

from kerasviz.draw.tiles.layout import (
    MAX_CELL,
    MAX_TILE,
    MIN_DOTS,
    ONLY_TILE,
    make_plan,
)
from kerasviz.draw.tiles.panel import TileMatrix, TilePanel
from kerasviz.draw.tiles.style import TileLayout

ROOM = (7.0, 7.5)


def panel_of(*shape, **facts):
    fields = {
        "values": np.zeros(shape),
        "indices": np.arange(shape[0] // facts.get("slices", 1)),
        "total": shape[0],
        "address": "conv",
        "kind": "kernels",
        "size": "",
    }
    return TilePanel(**{**fields, **facts})


def plan(*shape, room=ROOM, dpi=100, new=True, labels=False, columns=None, **facts):
    layout = TileLayout(columns=columns, labels=labels)
    return make_plan(panel_of(*shape, **facts), layout, room, dpi, new=new)


@pytest.mark.parametrize("dpi", [72, 100, 144])
@pytest.mark.parametrize("shape", [(1, 3, 3), (32, 3, 3), (64, 14, 14), (512, 7, 7)])
@pytest.mark.parametrize("labels", [False, True])
def test_a_value_of_a_new_figure_is_a_whole_number_of_dots(shape, dpi, labels):
    result = plan(*shape, dpi=dpi, labels=labels)
    assert result.whole_dots
    assert result.unit * dpi == pytest.approx(round(result.unit * dpi))
    gaps = np.array(result.grid.gap) * result.unit * dpi
    np.testing.assert_allclose(gaps, gaps.round(), atol=1e-6)


def test_values_that_are_smaller_than_a_dot_are_not_rounded():
    result = plan(64, 224, 224)
    assert not result.whole_dots
    assert result.unit * 100 < MIN_DOTS
    assert result.size[1] <= ROOM[0] + 8 * 2 / 100  # and a few dots for the gaps


@pytest.mark.parametrize(("count", "largest"), [(1, ONLY_TILE), (2, MAX_TILE)])
def test_few_tiles_do_not_fill_the_room(count, largest):
    height, width = plan(count, 5, 5).grid.tile
    unit = plan(count, 5, 5).unit
    assert height == width == 5
    assert largest - 0.03 < unit * height <= largest + 0.03  # half a dot for each value


def test_a_value_of_a_matrix_has_no_gap_and_a_largest_size():
    matrix = TileMatrix(
        rows=np.arange(6), columns=np.arange(4), row_kind="in", column_kind="out", is_matrix=True
    )
    result = plan(4, 6, 1, table=matrix)
    assert result.grid.gap == (0, 0)
    assert result.unit == pytest.approx(MAX_CELL, abs=0.005)


@pytest.mark.parametrize("room", [(2, 3), (3, 2), (5, 0.8)])
@pytest.mark.parametrize("shape", [(12, 3, 3), (40, 12, 12), (300, 9, 2)])
@pytest.mark.parametrize("labels", [False, True])
def test_a_room_of_the_callers_is_filled_and_never_exceeded(room, shape, labels):
    height, width = plan(*shape, room=room, new=False, labels=labels).size
    assert width == pytest.approx(room[0]) or height == pytest.approx(room[1])
    assert width <= room[0] + 1e-9
    assert height <= room[1] + 1e-9


def test_numbers_that_are_wider_than_a_tile_are_beside_the_rows():
    narrow = plan(512, 3, 3, room=(2, 2), new=False, labels=True)
    assert narrow.by_row
    assert narrow.head == 0
    wide = plan(4, 3, 3, room=(4, 4), new=False, labels=True)
    assert not wide.by_row
    assert wide.head * 72 >= wide.label_size


def test_a_new_figure_grows_for_numbers():
    without, with_numbers = plan(512, 3, 3), plan(512, 3, 3, labels=True)
    assert not with_numbers.by_row
    assert with_numbers.size > without.size
    assert with_numbers.grid.tile[1] * with_numbers.unit * 72 > with_numbers.label_size


@pytest.mark.parametrize(("slices", "columns"), [(1, 6), (4, 24)])
def test_columns_count_groups_of_slices(slices, columns):
    result = plan(24 * slices, 5, 5, slices=slices, columns=6)
    assert result.grid.columns == columns
    assert result.grid.rows == 4
