"""Rows of a layered layout: in which row an item stands, and in which order a row stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

SWEEPS = 12
"""How often all rows are sorted, at most."""


@dataclass(frozen=True)
class Item:
    """A box or frame.

    Args:
        name: Its number in the graph.
        width: Its width.
        height: Its height.
        ins: For a source, how far right of the middle its line comes in; 0 where there is none.
        outs: For a source inside, how far right of the middle its line goes out.
    """

    name: int
    width: float
    height: float
    ins: dict[int, float] = field(default_factory=dict)
    outs: dict[int, float] = field(default_factory=dict)


@dataclass(eq=False)
class Cell:
    """A place in a row: that of an item, or of a line that passes, on its way from a source."""

    item: Item | None
    source: int
    ups: list[Joint] = field(default_factory=list, repr=False)
    downs: list[Joint] = field(default_factory=list, repr=False)
    x: float = 0.0

    @property
    def width(self) -> float:
        """The width that it takes."""
        return self.item.width if self.item else 0.0


@dataclass(eq=False)
class Joint:
    """The piece of a line between a row and the next.

    Args:
        upper: Where it comes from.
        lower: Where it leads.
        out: How far right of the middle of `upper` it begins.
        into: How far right of the middle of `lower` it ends.
        target: What it reaches at the end, `None` where it goes on.
    """

    upper: Cell
    lower: Cell
    out: float
    into: float
    target: int | None

    @classmethod
    def make(cls, upper: Cell, lower: Cell, source: int, target: int | None) -> Joint:
        """Join two cells."""
        out = upper.item.outs.get(source, 0.0) if upper.item else 0.0
        into = lower.item.ins.get(source, 0.0) if lower.item else 0.0
        joint = cls(upper, lower, out, into, target)
        upper.downs.append(joint)
        lower.ups.append(joint)
        return joint

    @property
    def ends(self) -> tuple[float, float]:
        """The x at which it begins and ends."""
        return self.upper.x + self.out, self.lower.x + self.into


def rank(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Return the row of each item: the first that is below all that leads to it.

    An item stands right above what it leads to, and not further up, where nothing leads to it but
    what leads to nothing else.

    Args:
        count: Number of items.
        pairs: Which item leads to which.

    Raises:
        ValueError: The pairs lead in a circle.
    """
    after: list[set[int]] = [set() for _ in range(count)]
    before: list[set[int]] = [set() for _ in range(count)]
    for a, b in pairs:
        after[a].add(b)
        before[b].add(a)
    order = topological_order(count, [(a, b) for a in range(count) for b in after[a]])
    ranks, is_loose = [0] * count, [False] * count
    for item in order:
        ranks[item] = max((ranks[other] + 1 for other in before[item]), default=0)
        is_loose[item] = all(is_loose[other] and len(after[other]) == 1 for other in before[item])
    for item in reversed(order):
        if is_loose[item] and after[item]:
            ranks[item] = min(ranks[other] for other in after[item]) - 1
    return ranks


def topological_order(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Return the items so that each comes after all that leads to it.

    Raises:
        ValueError: The pairs lead in a circle.
    """
    after: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for a, b in pairs:
        after[a].append(b)
        waiting[b] += 1
    order = [item for item in range(count) if not waiting[item]]
    for item in order:
        for other in after[item]:
            waiting[other] -= 1
            if not waiting[other]:
                order.append(other)
    if len(order) < count:
        raise ValueError("The edges of a layered layout must not lead in a circle.")
    return order


def depth_first(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Return the items as they are met from the last ones upwards.

    So those that lead to the same item come in the order in which they lead to it.
    """
    before: list[list[int]] = [[] for _ in range(count)]
    is_last = [True] * count
    for a, b in pairs:
        before[b].append(a)
        is_last[a] = False
    order: dict[int, None] = {}
    todo = [item for item in reversed(range(count)) if is_last[item]]
    while todo:
        waiting = [other for other in before[todo[-1]] if other not in order]
        if waiting:
            todo += reversed(waiting)
        else:
            order[todo.pop()] = None
    return list(order)


def sort_rows(rows: Sequence[list[Cell]], *, fixed: bool = False) -> None:
    """Order the cells of each row by what they are joined to, so that few lines cross.

    Rows are sorted downwards and upwards in turn, each cell by the middle of what it is joined to;
    the order with the fewest crossings stays.

    Args:
        rows: The rows from top to bottom, sorted in place.
        fixed: Whether the first row has to stay as it is.
    """
    place: dict[Cell, float] = {}

    def number(row: Sequence[Cell]) -> None:
        place.update({cell: float(i) for i, cell in enumerate(row)})

    def end(cell: Cell, offset: float) -> float:
        return place[cell] + (offset / cell.width if cell.width else 0.0)

    def sort(row: list[Cell], ends: Callable[[Cell], list[float]]) -> None:
        middles = {cell: ends(cell) for cell in row}
        row.sort(key=lambda cell: float(np.mean(middles[cell])) if middles[cell] else place[cell])
        number(row)

    def crossings() -> int:
        total = 0
        for row in rows[:-1]:
            joints = [joint for cell in row for joint in cell.downs]
            a = np.array([end(joint.upper, joint.out) for joint in joints])
            b = np.array([end(joint.lower, joint.into) for joint in joints])
            total += int((np.subtract.outer(a, a) * np.subtract.outer(b, b) < 0).sum()) // 2
        return total

    for row in rows:
        number(row)
    least, best = crossings(), [list(row) for row in rows]
    for sweep in range(SWEEPS):
        if not least:
            break
        if sweep % 2 == 0:
            for row in rows[1:]:
                sort(row, lambda cell: [end(j.upper, j.out) for j in cell.ups])
        else:
            for row in reversed(rows[int(fixed) : -1]):
                sort(row, lambda cell: [end(j.lower, j.into) for j in cell.downs])
        count = crossings()
        if count < least:
            least, best = count, [list(row) for row in rows]
    for row, order in zip(rows, best, strict=True):
        row[:] = order
