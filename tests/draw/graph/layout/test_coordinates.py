"""Distances and positions in rows, against an optimizer of SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from kerasviz.draw.graph.layout.coordinates import (
    BOX_GAP,
    DUMMY_GAP,
    Attraction,
    assign_coordinates,
    solve_positions,
)
from kerasviz.draw.graph.layout.row_order import Item, LayoutNode, Segment

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
