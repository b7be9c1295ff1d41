"""Ranks and orders of items, against every path."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from kerasviz.draw.graph.layout.ranks import depth_first, rank, topological_order


@st.composite
def pairs(draw: Any) -> tuple[int, list[tuple[int, int]]]:
    count = draw(st.integers(1, 9))
    item = st.integers(0, count - 1)
    shuffled = draw(st.permutations(range(count)))
    ends = draw(st.lists(st.tuples(item, item), max_size=16))
    return count, [(shuffled[a], shuffled[b]) for a, b in ends if a < b]


def longest_path_to(item: int, edges: list[tuple[int, int]]) -> int:
    return max((1 + longest_path_to(a, edges) for a, b in edges if b == item), default=0)


@hypothesis.given(pairs())
def test_rank_is_the_length_of_the_longest_path(made: tuple[int, Any]) -> None:
    count, edges = made
    ranks = rank(count, edges)
    assert all(ranks[a] < ranks[b] for a, b in edges)
    for item in range(count):
        assert ranks[item] >= longest_path_to(item, edges)
        if [b for a, b in edges if a == item] == []:
            assert ranks[item] == longest_path_to(item, edges)
    assert max(ranks) == max(longest_path_to(item, edges) for item in range(count))


def test_rank_puts_what_leads_to_one_thing_right_above_it() -> None:
    main = [(0, 1), (1, 2), (2, 3)]
    assert rank(6, [*main, (4, 5), (5, 3)]) == [0, 1, 2, 3, 1, 2]
    assert rank(6, [*main, (4, 1), (4, 5), (5, 3)]) == [0, 1, 2, 3, 0, 1]


@hypothesis.given(pairs())
def test_topological_order_and_depth_first_keep_the_order_of_every_pair(
    made: tuple[int, Any],
) -> None:
    count, edges = made
    for order in (topological_order(count, edges), depth_first(count, edges)):
        assert sorted(order) == list(range(count))
        assert all(order.index(a) < order.index(b) for a, b in edges)


def test_depth_first_keeps_the_order_of_inputs() -> None:
    assert depth_first(6, [(5, 3), (2, 3), (4, 3), (3, 0)]) == [5, 2, 4, 3, 0, 1]


def test_topological_order_and_rank_refuse_a_circle() -> None:
    with pytest.raises(ValueError, match="must not lead in a circle"):
        topological_order(3, [(0, 1), (1, 2), (2, 1)])
    with pytest.raises(ValueError, match="must not lead in a circle"):
        rank(2, [(0, 1), (1, 0)])
