"""Cuts of rows into columns, against every way to cut them."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from kerasviz.draw.graph.layout.page_breaks import choose_cuts, partition


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
