"""Order the nodes in each row of a layered layout, so that few lines cross."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

MAX_SWEEPS = 12
"""How often all rows are sorted, at most."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """A box, or a frame with all that is in it.

    Args:
        index: Its index in the graph.
        width: Its width.
        height: Its height.
        entries: For a source, how far right of the middle its line comes in; 0 where there is none.
        exits: For a source inside, how far right of the middle its line goes out.
    """

    index: int
    width: float
    height: float
    entries: dict[int, float] = field(default_factory=dict)
    exits: dict[int, float] = field(default_factory=dict)


@dataclass(eq=False, kw_only=True)
class LayoutNode:
    """A node of a row: an item, or a dummy node, where a line passes on its way from a source.

    Args:
        item: The item, `None` for a dummy node.
        source: The index of the item, or of the source of the line.
        incoming: The segments from the row above.
        outgoing: The segments to the row below.
        x: The middle, as soon as it is known.
    """

    item: Item | None
    source: int
    incoming: list[Segment] = field(default_factory=list, repr=False)
    outgoing: list[Segment] = field(default_factory=list, repr=False)
    x: float = 0.0

    @property
    def width(self) -> float:
        """The width that it takes."""
        return self.item.width if self.item else 0.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Segment:
    """The part of a line between a row and the next.

    Args:
        upper: Where it comes from.
        lower: Where it leads.
        start: How far right of the middle of `upper` it begins.
        stop: How far right of the middle of `lower` it ends.
        target: What it reaches at the end, `None` where it goes on.
    """

    upper: LayoutNode
    lower: LayoutNode
    start: float
    stop: float
    target: int | None

    @classmethod
    def connect(
        cls, upper: LayoutNode, lower: LayoutNode, *, source: int, target: int | None
    ) -> Segment:
        """Connect two nodes of neighbouring rows by a part of the line from a source."""
        segment = cls(
            upper=upper,
            lower=lower,
            start=upper.item.exits.get(source, 0.0) if upper.item else 0.0,
            stop=lower.item.entries.get(source, 0.0) if lower.item else 0.0,
            target=target,
        )
        upper.outgoing.append(segment)
        lower.incoming.append(segment)
        return segment

    @property
    def ends(self) -> tuple[float, float]:
        """The x at which it begins and ends."""
        return self.upper.x + self.start, self.lower.x + self.stop


def sort_rows(rows: Sequence[list[LayoutNode]], *, fixed: bool = False) -> None:
    """Order the nodes of each row by what they are connected to, so that few lines cross.

    Args:
        rows: The rows from top to bottom, sorted in place.
        fixed: Whether the first row has to stay as it is.
    """
    # The fewest crossings are NP-hard to find even for two rows, so this is the usual heuristic:
    # each node goes to the mean index ("barycentre") of its neighbours in the row before, downwards
    # and upwards in turn. A sweep can make things worse, which is why the best order is remembered.
    order = _RowOrder(rows)
    fewest, best = order.crossings(), [list(row) for row in rows]
    for sweep in range(MAX_SWEEPS):
        if not fewest:
            break
        if sweep % 2 == 0:
            order.sweep_down()
        else:
            order.sweep_up(fixed=fixed)
        count = order.crossings()
        if count < fewest:
            fewest, best = count, [list(row) for row in rows]
    for row, nodes in zip(rows, best, strict=True):
        row[:] = nodes


class _RowOrder:
    """Rows of nodes, sorted in place, and the index of each node in its row."""

    def __init__(self, rows: Sequence[list[LayoutNode]]) -> None:
        self._rows = rows
        self._index: dict[LayoutNode, float] = {}
        for row in rows:
            self._update_index(row)

    def _update_index(self, row: Sequence[LayoutNode]) -> None:
        self._index.update({node: float(i) for i, node in enumerate(row)})

    def sweep_down(self) -> None:
        """Sort each row but the first by the row above."""
        for row in self._rows[1:]:
            self._sort(row, lambda node: [self._end(s.upper, s.start) for s in node.incoming])

    def sweep_up(self, *, fixed: bool) -> None:
        """Sort each row but the last, and a fixed first, by the row below."""
        for row in reversed(self._rows[int(fixed) : -1]):
            self._sort(row, lambda node: [self._end(s.lower, s.stop) for s in node.outgoing])

    def _end(self, node: LayoutNode, offset: float) -> float:
        # Where a line ends at a frame tells apart the lines of one frame, and keeps them uncrossed.
        return self._index[node] + (offset / node.width if node.width else 0.0)

    def _sort(self, row: list[LayoutNode], ends: Callable[[LayoutNode], list[float]]) -> None:
        neighbours = {node: ends(node) for node in row}
        row.sort(key=lambda x: float(np.mean(neighbours[x])) if neighbours[x] else self._index[x])
        self._update_index(row)

    def crossings(self) -> int:
        """Count how often two lines between neighbouring rows cross."""
        total = 0
        for row in self._rows[:-1]:
            segments = [segment for node in row for segment in node.outgoing]
            a = np.array([self._end(segment.upper, segment.start) for segment in segments])
            b = np.array([self._end(segment.lower, segment.stop) for segment in segments])
            # Two lines cross where their ends are in opposite orders. Rows are short, so comparing
            # all pairs at once is faster than a clever count in Python.
            total += int((np.subtract.outer(a, a) * np.subtract.outer(b, b) < 0).sum()) // 2
        return total
