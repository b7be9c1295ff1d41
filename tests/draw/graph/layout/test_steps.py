"""Each step of the layered layout, against every path, order, cut or an optimizer of SciPy's."""

from __future__ import annotations

from itertools import combinations, pairwise, permutations
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from scipy.optimize import minimize

from kerasviz.draw.graph.layout.coordinates import (
    BOX_GAP,
    DUMMY_GAP,
    Attraction,
    assign_coordinates,
    solve_positions,
)
from kerasviz.draw.graph.layout.off_page_connectors import redundant_pairs
from kerasviz.draw.graph.layout.page_breaks import choose_cuts, partition
from kerasviz.draw.graph.layout.ranks import depth_first, rank, topological_order
from kerasviz.draw.graph.layout.row_order import Item, LayoutNode, Segment, sort_rows


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


Problem = tuple[int, dict[tuple[int, int], float], list[Attraction]]


def problem(rng: np.random.Generator) -> Problem:
    count = int(rng.integers(2, 7))
    pairs = rng.integers(0, count, (6, 2)).tolist()
    separations = {(a, b): float(rng.integers(5, 30)) for a, b in pairs if a < b}
    attractions = [
        Attraction(
            first=a,
            second=b,
            offset=float(rng.integers(-20, 20)),
            strength=float(rng.choice([1.0, 0.1])),
        )
        for a, b in rng.integers(0, count, (6, 2)).tolist()
        if a != b
    ]
    return count, separations, attractions


def tension(x: np.ndarray, attractions: list[Attraction]) -> float:
    return float(sum(p.strength * (x[p.first] + p.offset - x[p.second]) ** 2 for p in attractions))


def test_solve_positions_keeps_distances_at_the_least_tension(
    rng: np.random.Generator,
) -> None:
    best = 0
    for _ in range(60):
        count, separations, attractions = problem(rng)
        x = np.array(solve_positions(count, separations, attractions))
        for (a, b), distance in separations.items():
            assert x[b] - x[a] >= distance
        limits = [
            {"type": "ineq", "fun": lambda y, a=a, b=b, d=d: y[b] - y[a] - d}
            for (a, b), d in separations.items()
        ]
        least = minimize(tension, x, (attractions,), method="SLSQP", constraints=limits).fun
        assert tension(x, attractions) >= least - 1e-3
        best += tension(x, attractions) <= least + 1
    assert best >= 56, "groups are never divided again, which is seldom needed"


def rows_of(*widths: list[float]) -> list[list[LayoutNode]]:
    """Return rows of boxes of these widths, with dummy nodes where a width is 0."""

    def node(index: int, width: float) -> LayoutNode:
        item = Item(index=index, width=width, height=10.0) if width else None
        return LayoutNode(item=item, source=0)

    return [
        [node(10 * i + j, width) for j, width in enumerate(row)] for i, row in enumerate(widths)
    ]


def test_assign_coordinates_keeps_distances_within_a_row() -> None:
    rows = rows_of([30.0, 50.0, 0.0, 0.0, 20.0])
    assign_coordinates(rows)
    x = [node.x for node in rows[0]]
    assert x[0] == 15.0
    gaps = np.diff(x) - [40, 25, 0, 10]
    np.testing.assert_allclose(gaps, [BOX_GAP, DUMMY_GAP, DUMMY_GAP, DUMMY_GAP])


def test_assign_coordinates_centers_a_fork_of_three() -> None:
    rows = rows_of([40.0], [40.0, 40.0, 40.0], [40.0])
    for node in rows[1]:
        Segment.connect(rows[0][0], node, source=0, target=None)
        Segment.connect(node, rows[2][0], source=0, target=None)
    assign_coordinates(rows)
    assert rows[0][0].x == pytest.approx(rows[1][1].x, abs=0.1)
    assert rows[2][0].x == pytest.approx(rows[1][1].x, abs=0.1)


def test_assign_coordinates_makes_one_of_two_crossing_lines_straight() -> None:
    """What cannot both be straight gives way, and the distances stay."""
    rows = rows_of([40.0, 40.0], [40.0, 40.0])
    Segment.connect(rows[0][0], rows[1][1], source=0, target=None)
    Segment.connect(rows[0][1], rows[1][0], source=1, target=None)
    assign_coordinates(rows)
    for row in rows:
        assert row[1].x - row[0].x >= 40 + BOX_GAP


def test_partition_costs_as_little_as_the_best_of_all(rng: np.random.Generator) -> None:
    for _ in range(30):
        rows = int(rng.integers(2, 9))
        count = int(rng.integers(1, rows + 1))
        tops = np.concatenate([[0.0], np.cumsum(rng.uniform(5, 50, rows))])
        costs = np.append(rng.uniform(0, 0.3, rows), 0.0)
        ideal = tops[-1] / count

        def cost(
            borders: list[int],
            tops: np.ndarray = tops,
            costs: np.ndarray = costs,
            ideal: float = ideal,
        ) -> float:
            return sum(
                ((tops[b] - tops[a]) / ideal - 1) ** 2 + costs[b] for a, b in pairwise(borders)
            )

        every = [[0, *inner, rows] for inner in combinations(range(1, rows), count - 1)]
        borders = partition(tops, costs, count)
        assert borders in every
        assert cost(borders) == pytest.approx(min(map(cost, every)))


@pytest.mark.parametrize(
    ("page", "columns"), [((100.0, 400.0), 1), ((100.0, 200.0), 2), ((100.0, 100.0), 4)]
)
def test_choose_cuts_takes_the_fewest_columns_that_fit(
    page: tuple[float, float], columns: int
) -> None:
    cuts = choose_cuts(
        heights=np.full(8, 50.0),
        widths=np.full(8, 20.0),
        lines=np.ones(9),
        page=page,
        margins=(4.0, 1.0),
    )
    rows = 8 // columns
    assert cuts == [(n * rows, (n + 1) * rows) for n in range(columns)]


def test_redundant_pairs_are_those_beside_which_there_is_a_longer_path() -> None:
    assert redundant_pairs(4, [(0, 1), (1, 2), (0, 2), (2, 3)]) == {(0, 2)}
    assert redundant_pairs(4, [(0, 1), (1, 2), (0, 3)]) == set()
