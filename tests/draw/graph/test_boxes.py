"""Text that fits, and maps that stand where they should."""

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
    MAP_HEIGHT,
    NUMBER,
    WIDEST_BOX,
    Box,
    Maps,
    box_rows,
    box_width,
    join_words,
    line_width,
    place_maps,
    rows_height,
    shorten,
)

WORDS = st.text("abcdefgh_123456×· ", min_size=1, max_size=40)


def box(**changes: Any) -> Box:
    said = {
        "before": (),
        "head": "Conv2D 3×3 · 16",
        "details": ("BatchNormalization", "ReLU"),
        "note": "496 params",
        "name": "conv2d",
        "shape": "32×32×16",
        "kind": "convolution",
    }
    return Box(**{**said, **changes})


def texts(made: Box, width: float) -> list[tuple[str, str]]:
    return [(row.left, row.right) for row in box_rows(made, width)]


def test_the_lines_of_a_box() -> None:
    assert texts(box(), 160) == [
        ("Conv2D 3×3 · 16", ""),
        ("BatchNormalization · ReLU", "496 params"),
        ("conv2d", "32×32×16"),
    ]
    sizes = [row.size for row in box_rows(box(), 160)]
    assert sizes == [HEAD, BODY, FOOT]


def test_a_note_stands_where_it_has_room() -> None:
    long = box(note="18,688 params of a kind")
    assert texts(long, 175)[:2] == [
        ("Conv2D 3×3 · 16", "18,688 params of a kind"),
        ("BatchNormalization · ReLU", ""),
    ]
    assert texts(long, 120)[1:3] == [
        ("BatchNormalization · ReLU", ""),
        ("", "18,688 params of a kind"),
    ]


def test_what_has_no_note_may_stand_behind_the_head() -> None:
    made = box(head="Add", details=("ReLU",), note="", name="add")
    assert texts(made, 160) == [("Add · ReLU", ""), ("add", "32×32×16")]


def test_what_comes_before_stands_above() -> None:
    assert texts(box(before=("ZeroPadding2D 1",)), 160)[:2] == [
        ("ZeroPadding2D 1", ""),
        ("Conv2D 3×3 · 16", ""),
    ]


def test_a_long_name_is_shortened_in_the_middle_or_has_a_line_of_its_own() -> None:
    long = box(name="conv2d_of_the_second_block_and_branch")
    *_, (name, shape) = texts(long, 150)
    assert shape == "32×32×16"
    assert name.startswith("conv2d_of")
    assert name.endswith("branch")
    assert "…" in name
    *_, (name, right), (left, shape) = texts(long, 80)
    assert (right, left, shape) == ("", "", "32×32×16")
    assert "…" in name


@hypothesis.given(
    st.builds(
        box,
        before=st.lists(WORDS, max_size=1).map(tuple),
        head=WORDS,
        details=st.lists(WORDS, max_size=4).map(tuple),
        note=st.one_of(st.just(""), WORDS),
        name=WORDS,
        shape=WORDS,
    ),
    st.floats(60, 300),
)
@hypothesis.settings(max_examples=40)
def test_text_always_fits_and_none_is_lost_in_a_wide_box(made: Box, width: float) -> None:
    for row in box_rows(made, width):
        assert row.width <= width + 1e-6, row
    whole = " ".join(f"{row.left} {row.right}" for row in box_rows(made, math.inf))
    for text in (*made.before, made.head, *made.details, made.note, made.name, made.shape):
        assert text in whole
    assert made.name in made.words


def test_shortening() -> None:
    assert shorten("conv2d", 100, 7) == "conv2d"
    text = "a_very_long_name_of_a_layer_42"
    short = shorten(text, 80, 7)
    assert line_width(short, 7) <= 80 < line_width(text, 7)
    start, end = short.split("…")
    assert text.startswith(start)
    assert text.endswith(end)
    assert 0 <= len(start) - len(end) <= 1
    assert line_width(text[: len(start) + 1] + "…" + end, 7) > 80
    assert shorten(text, 1, 7) == "…"


def test_words_are_joined_on_as_few_lines_as_they_fit_on() -> None:
    assert join_words(["one", "two", "three"], 1000, 7) == ["one · two · three"]
    assert join_words(["one", "two", "three"], 1, 7) == ["one", "two", "three"]
    assert join_words([], 100, 7) == []


def test_boxes_are_as_wide_as_the_widest_needs() -> None:
    narrow, wide = box(head="Add", details=(), note="", name="add"), box()
    assert box_width([narrow]) < box_width([narrow, wide]) == box_width([wide]) < WIDEST_BOX
    assert box_width([box(head=40 * "x")]) == WIDEST_BOX
    inside = box_width([wide]) - 10
    assert all(row.width <= inside for row in box_rows(wide, inside))
    assert rows_height(box_rows(wide, inside)) > sum((HEAD, BODY, FOOT))


def maps(count: int, height: int, width: int) -> Maps:
    return Maps(np.zeros((count, height, width)), np.arange(count), "maps")


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
def test_maps_keep_their_shape_and_stay_in_the_box(
    count: int, size: tuple[int, int], columns: int
) -> None:
    places = place_maps(maps(count, *size), 150.0)
    assert places.grid.columns == columns
    corners = np.array(list(places.corners()))
    assert len(corners) == count
    assert corners.min() >= 0
    assert corners[:, 2].max() <= 150 + 1e-9
    assert corners[:, 3].max() < places.height
    sides = corners[:, 2:] - corners[:, :2]
    np.testing.assert_allclose(sides[:, 0] / sides[:, 1], size[1] / size[0])
    assert sides[:, 1].max() <= MAP_HEIGHT
    rows = corners[::columns, 1]
    assert rows[0] >= NUMBER
    assert (np.diff(rows) - sides[0, 1] >= NUMBER).all(), "room for the numbers"


def test_sequences_are_rows_with_their_numbers_at_the_left() -> None:
    places = place_maps(maps(3, 1, 40), 150.0)
    assert places.are_rows
    corners = np.array(list(places.corners()))
    np.testing.assert_allclose(corners[:, 2], 150)
    assert corners[:, 0].min() >= line_width("2", NUMBER)
    assert (np.diff(corners[:, 1]) > 0).all()


def test_a_picture_stands_in_the_middle() -> None:
    places = place_maps(Maps(np.zeros((1, 20, 10, 3)), None, "input"), 150.0)
    ((left, top, right, bottom),) = places.corners()
    assert left + right == pytest.approx(150)
    assert (right - left) / (bottom - top) == pytest.approx(0.5)
