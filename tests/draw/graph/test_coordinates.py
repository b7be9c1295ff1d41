"""Distances and positions in rows, against an optimizer of SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from kerasviz.draw.graph.coordinates import BOX_GAP, LANE_GAP, Pull, place_cells, settle
from kerasviz.draw.graph.rows import Cell, Item, Joint

Problem = tuple[int, dict[tuple[int, int], float], list[Pull]]


def problem(rng: np.random.Generator) -> Problem:
    count = int(rng.integers(2, 7))
    pairs = rng.integers(0, count, (6, 2)).tolist()
    apart = {(a, b): float(rng.integers(5, 30)) for a, b in pairs if a < b}
    pulls = [
        Pull(a, b, float(rng.integers(-20, 20)), float(rng.choice([1.0, 0.1])))
        for a, b in rng.integers(0, count, (6, 2)).tolist()
        if a != b
    ]
    return count, apart, pulls


def tension(x: np.ndarray, pulls: list[Pull]) -> float:
    return float(sum(p.strength * (x[p.first] + p.offset - x[p.second]) ** 2 for p in pulls))


def test_blocks_keep_their_distances_and_stand_where_they_are_drawn(
    rng: np.random.Generator,
) -> None:
    best = 0
    for _ in range(60):
        count, apart, pulls = problem(rng)
        x = np.array(settle(count, apart, pulls))
        for (a, b), distance in apart.items():
            assert x[b] - x[a] >= distance
        limits = [
            {"type": "ineq", "fun": lambda y, a=a, b=b, d=d: y[b] - y[a] - d}
            for (a, b), d in apart.items()
        ]
        least = minimize(tension, x, (pulls,), method="SLSQP", constraints=limits).fun
        assert tension(x, pulls) >= least - 1e-3
        best += tension(x, pulls) <= least + 1
    assert best >= 56, "groups are never divided again, which is seldom needed"


def rows_of(*widths: list[float]) -> list[list[Cell]]:
    return [
        [Cell(Item(10 * i + j, width, 10.0) if width else None, 0) for j, width in enumerate(row)]
        for i, row in enumerate(widths)
    ]


def test_cells_of_a_row_keep_their_distances() -> None:
    rows = rows_of([30.0, 50.0, 0.0, 0.0, 20.0])
    place_cells(rows)
    x = [cell.x for cell in rows[0]]
    assert x[0] == 15.0
    gaps = np.diff(x) - [40, 25, 0, 10]
    np.testing.assert_allclose(gaps, [BOX_GAP, LANE_GAP, LANE_GAP, LANE_GAP])


def test_a_fork_of_three_stands_in_the_middle() -> None:
    rows = rows_of([40.0], [40.0, 40.0, 40.0], [40.0])
    for cell in rows[1]:
        Joint.make(rows[0][0], cell, 0, None)
        Joint.make(cell, rows[2][0], 0, None)
    place_cells(rows)
    assert rows[0][0].x == pytest.approx(rows[1][1].x, abs=0.1)
    assert rows[2][0].x == pytest.approx(rows[1][1].x, abs=0.1)


def test_two_straight_lines_never_cross() -> None:
    """What cannot both be straight gives way, and the distances stay."""
    rows = rows_of([40.0, 40.0], [40.0, 40.0])
    Joint.make(rows[0][0], rows[1][1], 0, None)
    Joint.make(rows[0][1], rows[1][0], 1, None)
    place_cells(rows)
    for row in rows:
        assert row[1].x - row[0].x >= 40 + BOX_GAP
