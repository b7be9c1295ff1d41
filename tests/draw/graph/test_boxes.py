"""Text that fits into boxes, and the positions of maps in them."""

from __future__ import annotations

import math
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from kerasviz.draw.graph.boxes import (
    BODY,
    FOOT,
    HEAD,
    INDEX,
    MAX_BOX_WIDTH,
    MAX_MAP_HEIGHT,
    Maps,
    NodeBox,
    box_rows,
    box_width,
    join_words,
    lay_out_maps,
    rows_height,
)
from kerasviz.draw.text import screen_width

WORDS = st.text("abcdefgh_123456×· ", min_size=1, max_size=40)


def box(**changes: Any) -> NodeBox:
    options = {
        "head": "Conv2D 3×3 · 16",
        "details": ("BatchNormalization", "ReLU"),
        "note": "496 params",
        "name": "conv2d",
        "shape": "32×32×16",
        "kind": "convolution",
    }
    return NodeBox(**{**options, **changes})


def texts(made: NodeBox, width: float) -> list[tuple[str, str]]:
    return [(row.left, row.right) for row in box_rows(made, width)]


def test_box_rows_of_a_convolution() -> None:
    assert texts(box(), 160) == [
        ("Conv2D 3×3 · 16", ""),
        ("BatchNormalization · ReLU", "496 params"),
        ("conv2d", "32×32×16"),
    ]
    sizes = [row.size for row in box_rows(box(), 160)]
    assert sizes == [HEAD, BODY, FOOT]


def test_box_rows_put_a_note_where_it_has_room() -> None:
    long = box(note="18,688 params of a kind")
    assert texts(long, 175)[:2] == [
        ("Conv2D 3×3 · 16", "18,688 params of a kind"),
        ("BatchNormalization · ReLU", ""),
    ]
    assert texts(long, 120)[1:3] == [
        ("BatchNormalization · ReLU", ""),
        ("", "18,688 params of a kind"),
    ]


def test_box_rows_put_details_after_the_head_where_there_is_no_note() -> None:
    made = box(head="Add", details=("ReLU",), note="", name="add")
    assert texts(made, 160) == [("Add · ReLU", ""), ("add", "32×32×16")]


def test_box_rows_put_what_comes_before_above() -> None:
    assert texts(box(preceding=("ZeroPadding2D 1",)), 160)[:2] == [
        ("ZeroPadding2D 1", ""),
        ("Conv2D 3×3 · 16", ""),
    ]


def test_box_rows_shorten_a_long_name_or_give_it_a_line_of_its_own() -> None:
    long = box(name="conv2d_of_the_second_block_and_branch")
    *_, (name, shape) = texts(long, 150)
    assert shape == "32×32×16"
    assert name.startswith("conv2d_of")
    assert name.endswith("branch")
    assert "…" in name
    *_, (name, right), (left, shape) = texts(long, 80)
    assert (right, left, shape) == ("", "", "32×32×16")
    assert "…" in name


def test_box_rows_give_a_short_name_a_line_of_its_own_beside_a_long_shape() -> None:
    rows = box_rows(box(name="x", shape=12 * "1"), 60)
    assert [(row.left, row.right) for row in rows[-2:]] == [("x", ""), ("", 12 * "1")]
    assert all(row.width <= 60 for row in rows)


@hypothesis.given(
    st.builds(
        box,
        preceding=st.lists(WORDS, max_size=1).map(tuple),
        head=WORDS,
        details=st.lists(WORDS, max_size=4).map(tuple),
        note=st.one_of(st.just(""), WORDS),
        name=WORDS,
        shape=WORDS,
    ),
    st.floats(60, 300),
)
@hypothesis.settings(max_examples=40)
def test_box_rows_always_fit_and_lose_nothing_in_a_wide_box(made: NodeBox, width: float) -> None:
    for row in box_rows(made, width):
        assert row.width <= width + 1e-6, row
    whole = " ".join(f"{row.left} {row.right}" for row in box_rows(made, math.inf))
    for text in (*made.preceding, made.head, *made.details, made.note, made.name, made.shape):
        assert text in whole
    assert made.name in made.words


def test_join_words_on_as_few_lines_as_possible() -> None:
    assert join_words(["one", "two", "three"], 1000, 7) == ["one · two · three"]
    assert join_words(["one", "two", "three"], 1, 7) == ["one", "two", "three"]
    assert join_words([], 100, 7) == []


def test_box_width_is_what_the_widest_box_needs() -> None:
    narrow, wide = box(head="Add", details=(), note="", name="add"), box()
    assert box_width([narrow]) < box_width([narrow, wide]) == box_width([wide]) < MAX_BOX_WIDTH
    assert box_width([box(head=40 * "x")]) == MAX_BOX_WIDTH
    inside = box_width([wide]) - 10
    assert all(row.width <= inside for row in box_rows(wide, inside))
    assert rows_height(box_rows(wide, inside)) > sum((HEAD, BODY, FOOT))


def maps(count: int, height: int, width: int) -> Maps:
    return Maps(tiles=np.zeros((count, height, width)), indices=np.arange(count), label="maps")


@pytest.mark.parametrize(
    ("count", "size", "columns"),
    [
        (4, (28, 28), 4),
        (2, (28, 28), 2),
        (9, (7, 7), 4),
        (4, (1, 1), 4),
        (4, (20, 60), 2),
        (4, (20, 200), 1),
        (3, (60, 20), 3),
        (4, (224, 224), 4),
    ],
)
def test_lay_out_maps_keeps_their_shape_within_the_box(
    count: int, size: tuple[int, int], columns: int
) -> None:
    layout = lay_out_maps(maps(count, *size), 150.0)
    assert layout.grid.columns == columns
    corners = np.array(list(layout.corners()))
    assert len(corners) == count
    assert corners.min() >= 0
    assert corners[:, 2].max() <= 150 + 1e-9
    assert corners[:, 3].max() < layout.height
    sides = corners[:, 2:] - corners[:, :2]
    np.testing.assert_allclose(sides[:, 0] / sides[:, 1], size[1] / size[0])
    assert sides[:, 1].max() <= MAX_MAP_HEIGHT
    rows = corners[::columns, 1]
    assert rows[0] >= INDEX
    assert (np.diff(rows) - sides[0, 1] >= INDEX).all(), "room for the indices"


def test_lay_out_maps_of_sequences_with_their_indices_at_the_left() -> None:
    layout = lay_out_maps(maps(3, 1, 40), 150.0)
    assert layout.are_rows
    corners = np.array(list(layout.corners()))
    np.testing.assert_allclose(corners[:, 2], 150)
    assert corners[:, 0].min() >= screen_width("2", INDEX)
    assert (np.diff(corners[:, 1]) > 0).all()


def test_lay_out_maps_puts_a_picture_in_the_middle() -> None:
    layout = lay_out_maps(Maps(tiles=np.zeros((1, 20, 10, 3)), indices=None, label="input"), 150.0)
    ((left, top, right, bottom),) = layout.corners()
    assert left + right == pytest.approx(150)
    assert (right - left) / (bottom - top) == pytest.approx(0.5)
