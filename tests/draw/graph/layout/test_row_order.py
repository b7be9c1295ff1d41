"""Orders of rows, against every order."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import hypothesis
from hypothesis import strategies as st

from kerasviz.draw.graph.layout.row_order import LayoutNode, Segment, sort_rows


@st.composite
def two_rows(draw: Any) -> list[list[LayoutNode]]:
    upper = [LayoutNode(item=None, source=n) for n in range(draw(st.integers(1, 5)))]
    lower = [LayoutNode(item=None, source=n) for n in range(draw(st.integers(1, 5)))]
    ends = st.tuples(st.sampled_from(range(len(upper))), st.sampled_from(range(len(lower))))
    for a, b in dict.fromkeys(draw(st.lists(ends, max_size=8))):
        Segment.connect(upper[a], lower[b], source=a, target=None)
    return [upper, lower]


def crossings(rows: list[list[LayoutNode]]) -> int:
    ends = [
        (rows[0].index(segment.upper), rows[1].index(segment.lower))
        for node in rows[0]
        for segment in node.outgoing
    ]
    return sum(a < c and b > d for a, b in ends for c, d in ends)


@hypothesis.given(two_rows(), st.booleans())
def test_sort_rows_removes_crossings(rows: list[list[LayoutNode]], fixed: bool) -> None:
    before, nodes = crossings(rows), [set(row) for row in rows]
    first = list(rows[0])
    least = min(
        crossings([list(upper), list(lower)])
        for upper in ([first] if fixed else permutations(first))
        for lower in permutations(rows[1])
    )
    sort_rows(rows, fixed=fixed)
    assert [set(row) for row in rows] == nodes
    assert crossings(rows) <= before
    if least == 0 and fixed:
        assert crossings(rows) == 0
    if fixed:
        assert rows[0] == first
