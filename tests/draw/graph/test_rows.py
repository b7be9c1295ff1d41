"""Rows and their order, against every path and every order."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from kerasviz.draw.graph.rows import Cell, Joint, depth_first, rank, sort_rows, topological_order


@st.composite
def pairs(draw: Any) -> tuple[int, list[tuple[int, int]]]:
    count = draw(st.integers(1, 9))
    item = st.integers(0, count - 1)
    shuffled = draw(st.permutations(range(count)))
    found = draw(st.lists(st.tuples(item, item), max_size=16))
    return count, [(shuffled[a], shuffled[b]) for a, b in found if a < b]


def longest_path_to(item: int, edges: list[tuple[int, int]]) -> int:
    return max((1 + longest_path_to(a, edges) for a, b in edges if b == item), default=0)


@hypothesis.given(pairs())
def test_a_row_is_as_far_up_as_its_longest_path_allows(made: tuple[int, Any]) -> None:
    count, edges = made
    ranks = rank(count, edges)
    assert all(ranks[a] < ranks[b] for a, b in edges)
    for item in range(count):
        assert ranks[item] >= longest_path_to(item, edges)
        if [b for a, b in edges if a == item] == []:
            assert ranks[item] == longest_path_to(item, edges)
    assert max(ranks) == max(longest_path_to(item, edges) for item in range(count))


def test_what_leads_to_one_thing_only_stands_right_above_it() -> None:
    main = [(0, 1), (1, 2), (2, 3)]
    assert rank(6, [*main, (4, 5), (5, 3)]) == [0, 1, 2, 3, 1, 2]
    assert rank(6, [*main, (4, 1), (4, 5), (5, 3)]) == [0, 1, 2, 3, 0, 1]


@hypothesis.given(pairs())
def test_orders(made: tuple[int, Any]) -> None:
    count, edges = made
    for order in (topological_order(count, edges), depth_first(count, edges)):
        assert sorted(order) == list(range(count))
        assert all(order.index(a) < order.index(b) for a, b in edges)


def test_inputs_come_in_the_order_in_which_they_are_merged() -> None:
    assert depth_first(6, [(5, 3), (2, 3), (4, 3), (3, 0)]) == [5, 2, 4, 3, 0, 1]


def test_a_circle_is_refused() -> None:
    with pytest.raises(ValueError, match="must not lead in a circle"):
        topological_order(3, [(0, 1), (1, 2), (2, 1)])
    with pytest.raises(ValueError, match="must not lead in a circle"):
        rank(2, [(0, 1), (1, 0)])


@st.composite
def two_rows(draw: Any) -> list[list[Cell]]:
    upper = [Cell(None, n) for n in range(draw(st.integers(1, 5)))]
    lower = [Cell(None, n) for n in range(draw(st.integers(1, 5)))]
    ends = st.tuples(st.sampled_from(range(len(upper))), st.sampled_from(range(len(lower))))
    for a, b in dict.fromkeys(draw(st.lists(ends, max_size=8))):
        Joint.make(upper[a], lower[b], a, None)
    return [upper, lower]


def crossings(rows: list[list[Cell]]) -> int:
    ends = [
        (rows[0].index(joint.upper), rows[1].index(joint.lower))
        for cell in rows[0]
        for joint in cell.downs
    ]
    return sum(a < c and b > d for a, b in ends for c, d in ends)


@hypothesis.given(two_rows(), st.booleans())
def test_sorting_rows_removes_crossings(rows: list[list[Cell]], fixed: bool) -> None:
    before, cells = crossings(rows), [set(row) for row in rows]
    first = list(rows[0])
    least = min(
        crossings([list(upper), list(lower)])
        for upper in ([first] if fixed else permutations(first))
        for lower in permutations(rows[1])
    )
    sort_rows(rows, fixed=fixed)
    assert [set(row) for row in rows] == cells
    assert crossings(rows) <= before
    if least == 0 and fixed:
        assert crossings(rows) == 0
    if fixed:
        assert rows[0] == first
