"""Choose where a layout that is too tall for a page is cut into columns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

MAX_COLUMNS = 24
CUT_COST = 0.12
"""The cost of each further line that is cut; a column that is a third too tall costs 0.11."""
MIN_FILL = 0.6
"""How full columns have to be on average: else one box too tall would be alone in one."""


def choose_cuts(
    *,
    heights: np.ndarray,
    widths: np.ndarray,
    lines: np.ndarray,
    page: tuple[float, float],
    margins: tuple[float, float],
) -> list[tuple[int, int]]:
    """Return the columns as ranges of rows.

    Of one column, two and so on, those are chosen that fit the page first, or exceed it least.

    Args:
        heights: The height of each row.
        widths: The width of each row.
        lines: How many lines cross the top of each row, and the bottom of the last.
        page: Width and height of the page.
        margins: The width of the room between two columns, and what each line adds to it.
    """
    rows = len(heights)
    tops = np.concatenate([[0.0], np.cumsum(heights)])
    costs = CUT_COST * np.maximum(lines - 1, 0)
    costs[-1] = 0
    best, least = [(0, rows)], np.inf
    for count in range(1, min(MAX_COLUMNS, rows) + 1):
        spans = list(pairwise(partition(tops, costs, count)))
        height = max(tops[stop] - tops[start] for start, stop in spans)
        width = sum(widths[start:stop].max() for start, stop in spans)
        width += sum(margins[0] + margins[1] * lines[stop] for _, stop in spans[:-1])
        excess = max(width / page[0], height / page[1])
        if excess < least and tops[-1] >= MIN_FILL * height * count:
            best, least = spans, excess
        if excess <= 1:
            break
    return best


def partition(tops: np.ndarray, costs: np.ndarray, count: int) -> Sequence[int]:
    """Divide rows into columns that are about equally tall, where a cut costs little.

    Args:
        tops: Where each row begins, and where the last one ends.
        costs: The cost of a cut there.
        count: Number of columns.

    Returns:
        The row at which each column begins, and the number of rows.
    """
    # Dynamic programming over the number of columns, as a text is broken into lines: `total` is the
    # least cost of all rows above, and `steps` remembers where the column before began.
    relative = (tops[np.newaxis, :] - tops[:, np.newaxis]) * count / max(tops[-1], 1e-9)
    cost = (relative - 1) ** 2 + costs[np.newaxis, :]
    cost[np.tril_indices(len(tops))] = np.inf
    total, steps = cost[0], []
    for _ in range(count - 1):
        sums = total[:, np.newaxis] + cost
        steps.append(sums.argmin(axis=0))
        total = sums.min(axis=0)
    borders = [len(tops) - 1]
    for step in reversed(steps):
        borders.append(int(step[borders[-1]]))
    return [0, *reversed(borders)]
