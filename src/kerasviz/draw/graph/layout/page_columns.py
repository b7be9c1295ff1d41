"""Lay out the rows of a graph in columns, and set the columns side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from kerasviz.draw.graph.layout.coordinates import BOX_GAP, DUMMY_GAP, assign_coordinates
from kerasviz.draw.graph.layout.page_breaks import choose_cuts
from kerasviz.draw.graph.layout.routes import Edge, Line, Point, Route, route_edge
from kerasviz.draw.graph.layout.row_order import Item, LayoutNode, sort_rows

# Distances, in the unit of the sizes, which is points.
MIN_ROW_GAP, SLANT, MAX_ROW_GAP = 13.0, 0.05, 30.0
"""Between two rows: at least, how much more for a line that goes far to the side, and at most."""
FRAME_PAD = 7.0
GUTTER, TRACK = 16.0, 7.0
"""Beside a line that leads to the next column, and between two such lines."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """The laid out contents of a frame, or of the whole graph, from (0, 0).

    Args:
        width: The width of everything.
        height: The height of everything.
        corners: Left and top of each item, by its index in the graph.
        lines: The lines between them.
        entries: For each source outside, the x at which its line comes in.
        exits: For each source inside, the x at which its line goes out.
        leads_to: For each of these sources, what that line leads to.
        flipped: The items whose own contents are upside down.
    """

    width: float
    height: float
    corners: dict[int, Point]
    lines: list[Line] = field(repr=False)
    entries: dict[int, float]
    exits: dict[int, float]
    leads_to: dict[int, frozenset[int]] = field(default_factory=dict)
    flipped: frozenset[int] = frozenset()

    def flipped_over(self, heights: Mapping[int, float]) -> Contents:
        """Return the same upside down, so that what comes in does so from below.

        Args:
            heights: The height of each item, by its index in the graph.
        """
        corners = {
            item: (x, self.height - y - heights[item]) for item, (x, y) in self.corners.items()
        }
        return replace(
            self,
            corners=corners,
            lines=[line.flipped(self.height) for line in self.lines],
            flipped=frozenset(self.corners) - self.flipped,
        )

    def widened(self, above: float, below: float) -> Contents:
        """Return the same with room above and below, through which lines lead on."""
        lines = [line.moved(0.0, above) for line in self.lines]
        arriving = {line.source: line.leads_to for line in self.lines}
        if above:
            lines += [
                _straight(x, (0.0, above), source, arriving.get(source, frozenset()))
                for source, x in self.entries.items()
            ]
        start, height = above + self.height, above + self.height + below
        if below:
            lines += [
                _straight(x, (start, height), source, self.leads_to[source])
                for source, x in self.exits.items()
            ]
        corners = {item: (x, y + above) for item, (x, y) in self.corners.items()}
        return replace(self, height=height, corners=corners, lines=lines)


class Column:
    """Rows below one another; the first holds what comes in, the last what goes out.

    Args:
        items: The items in it by index, in the order in which they are to be met from left.
        ranks: The row of each among all rows.
        edges: The edges of the whole.
        span: Which rows it has.
        entering: The sources of what comes in, from left to right.
        pad: The distance from a border to a box beside which no line comes in or goes out.
    """

    def __init__(
        self,
        *,
        items: dict[int, Item],
        ranks: dict[int, int],
        edges: Sequence[Edge],
        span: tuple[int, int],
        entering: Sequence[int],
        pad: float,
    ) -> None:
        self._start, self._stop = span
        self._rows: list[list[LayoutNode]] = [[] for _ in range(self._stop - self._start + 2)]
        self._dummies = {source: LayoutNode(item=None, source=source) for source in entering}
        self._rows[0] = list(self._dummies.values())
        self.entering: dict[int, frozenset[int]] = {
            edge.source: edge.beyond(self._start) for edge in edges
        }
        """For each source, what a line from it that comes in leads to."""
        self._nodes = {
            index: LayoutNode(item=item, source=item.index) for index, item in items.items()
        }
        for index, node in self._nodes.items():
            self._rows[self._row(ranks[index])].append(node)
        self._routes: list[Route] = []
        self.later: dict[int, frozenset[int]] = {}
        """For each source of a line that goes out, what it leads to there."""
        for edge in edges:
            if edge.first < self._stop and edge.last >= self._start:
                self._routes += self._route(edge)
        # What comes in keeps the order in which the column before let it go, so that the lines
        # between two columns never cross.
        sort_rows(self._rows, fixed=self._start > 0)
        assign_coordinates(self._rows)
        right_edges = (n.x + n.width / 2 for row in self._rows for n in row)
        self.width: float = max(right_edges, default=0.0)
        self._set_heights(pad)

    def _row(self, rank: int) -> int:
        """Return the index here of one among all rows."""
        return rank - self._start + 1

    def _route(self, edge: Edge) -> list[Route]:
        """Lead an edge through the rows, as far as it is in this column."""
        is_here = edge.first >= self._start
        first = self._row(edge.first) if is_here else 0
        targets: dict[int, list[tuple[LayoutNode, int, frozenset[int]]]] = {}
        for index, (rank, target) in edge.targets.items():
            if index in self._nodes:
                reached = self._nodes[index], target, frozenset(edge.ends[index])
                targets.setdefault(self._row(rank) - first, []).append(reached)
        later = edge.beyond(self._stop)
        if later:
            self.later[edge.source] = later
        return route_edge(
            edge.source,
            self._rows[first:],
            start=self._nodes[edge.start] if is_here else self._dummies[edge.source],
            targets=targets,
            later=later,
        )

    def _set_heights(self, pad: float) -> None:
        """Give each row its top and bottom."""
        self._tops, self._bottoms = [0.0], [0.0]
        for upper, lower in pairwise(self._rows):
            aside = [abs(a - b) for node in upper for a, b in (s.ends for s in node.outgoing)]
            if aside:
                gap = min(MIN_ROW_GAP + SLANT * max(aside), MAX_ROW_GAP)
            else:
                is_border = upper is self._rows[0] or lower is self._rows[-1]
                gap = pad if is_border else MIN_ROW_GAP
            self._tops.append(self._bottoms[-1] + gap)
            tallest = max((node.item.height for node in lower if node.item), default=0.0)
            self._bottoms.append(self._tops[-1] + tallest)

    @property
    def height(self) -> float:
        """The height of all rows."""
        return self._bottoms[-1]

    @property
    def entries(self) -> dict[int, float]:
        """For each source of a line that comes in, from left to right, the x of that line."""
        return {node.source: node.x for node in self._rows[0]}

    @property
    def exits(self) -> dict[int, float]:
        """For each source of a line that goes out, from left to right, the x of that line."""
        return {node.source: node.x for node in self._rows[-1]}

    def corners(self) -> dict[int, Point]:
        """Return left and top of each item, by its index in the graph."""
        return {
            node.item.index: (node.x - node.width / 2, top)
            for row, top in zip(self._rows, self._tops, strict=True)
            for node in row
            if node.item
        }

    def lines(self) -> list[Line]:
        """Return the lines within the column."""
        row_of = {node: index for index, row in enumerate(self._rows) for node in row}
        return [route.line(row_of, self._tops, self._bottoms) for route in self._routes]


def cut_rows(
    items: Sequence[Item], ranks: Sequence[int], edges: Sequence[Edge], page: tuple[float, float]
) -> list[tuple[int, int]]:
    """Choose where to cut rows into columns, before it is known where anything is.

    Args:
        items: The items.
        ranks: The row of each.
        edges: The edges between them.
        page: Width and height that all columns together should not exceed.

    Returns:
        The rows of each column, as a range.
    """
    rows = max(ranks, default=0) + 1
    heights, widths = np.zeros(rows), np.zeros(rows)
    for item, row in zip(items, ranks, strict=True):
        heights[row] = max(heights[row], item.height + MIN_ROW_GAP)
        widths[row] += item.width + BOX_GAP
    lines = np.zeros(rows + 1)
    for edge in edges:
        lines[edge.first + 1 : edge.last + 1] += 1
        widths[edge.first + 1 : edge.last] += DUMMY_GAP
    margins = 2 * GUTTER, TRACK
    return choose_cuts(heights=heights, widths=widths, lines=lines, page=page, margins=margins)


def join_columns(columns: Sequence[Column]) -> Contents:
    """Set columns side by side, and lead lines from the foot of each to the head of the next."""
    leaving = [len(column.exits) for column in columns]
    head = TRACK * (1 + max(leaving[:-1])) if len(columns) > 1 else 0.0
    feet = [*(TRACK * (1 + count) for count in leaving[:-1]), 0.0]
    height = max(head + c.height + foot for c, foot in zip(columns, feet, strict=True))
    corners: dict[int, Point] = {}
    entries, entering = columns[0].entries, columns[0].entering
    lines = [_straight(x, (0.0, head), i, entering[i]) for i, x in entries.items() if head]
    left = 0.0
    ends: dict[int, Point] = {}  # of the lines that leave the column before
    for index, column in enumerate(columns):
        starts = {source: left + x for source, x in column.entries.items()}
        lines += _tracks(ends, starts, (left, head), column.entering)
        corners |= {item: (left + x, head + y) for item, (x, y) in column.corners().items()}
        lines += [line.moved(left, head) for line in column.lines()]
        bottom = head + column.height
        ends = {source: (left + x, bottom) for source, x in column.exits.items()}
        left += column.width
        if index < len(columns) - 1:
            left += 2 * GUTTER + TRACK * max(0, leaving[index] - 1)
    lines += [
        _straight(x, (y, height), source, columns[-1].later[source])
        for source, (x, y) in ends.items()
        if y < height
    ]
    return Contents(
        width=left,
        height=height,
        corners=corners,
        lines=lines,
        entries=entries,
        exits={source: x for source, (x, _) in ends.items()},
        leads_to=columns[-1].later,
    )


def _straight(x: float, span: tuple[float, float], source: int, leads_to: frozenset[int]) -> Line:
    """Return a vertical line."""
    points = np.array([(x, span[0]), (x, span[1])])
    return Line(points=points, source=source, leads_to=leads_to)


def _tracks(
    ends: dict[int, Point],
    starts: dict[int, float],
    corner: Point,
    leads_to: dict[int, frozenset[int]],
) -> list[Line]:
    """Return the lines up to the head of a column; they are nested, so that none crosses another.

    Args:
        ends: For each source, from left to right, where it leaves the column before.
        starts: For each source, the x at which it enters this one.
        corner: The left of this column and the top of its rows.
        leads_to: For each source, what its line leads to.
    """
    lines, (left, head) = [], corner
    for index, (source, (x, y)) in enumerate(ends.items()):
        low = y + TRACK * (len(ends) - index)
        high = head - TRACK * (1 + index)
        side = left - GUTTER - TRACK * index
        end = starts[source]
        points = [(x, y), (x, low), (side, low), (side, high), (end, high), (end, head)]
        lines.append(Line(points=np.array(points), source=source, leads_to=leads_to[source]))
    return lines
