"""Lead edges through the rows of a layered layout, past the boxes on their way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from kerasviz.draw.graph.layout.row_order import LayoutNode, Segment

Point = tuple[float, float]

IN, OUT = -1, -2
"""The ends of links outside a frame: before it, and after it."""
STUB = 6.0
"""How far a line runs straight down before it reaches a box, for its arrow."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A part of the route from a box or frame to what it leads to.

    Between two points it runs straight where x or y is the same. Else it is a curve, vertical at
    both ends, that stays in the rectangle between them.

    Args:
        points: `(k, 2)`, x and y.
        source: Where it comes from.
        target: Where it ends with an arrow, `None` where other lines go on.
        leads_to: All that it leads to, itself or by the lines that go on from its end.
    """

    points: np.ndarray
    source: int
    target: int | None = None
    leads_to: frozenset[int] = frozenset()

    def moved(self, x: float, y: float) -> Line:
        """Return the same line elsewhere."""
        return replace(self, points=np.add(self.points, (x, y)))

    def flipped(self, height: float) -> Line:
        """Return the same line with what was at the top at the bottom of `height`."""
        return replace(self, points=self.points * (1, -1) + (0, height))

    def transposed(self) -> Line:
        """Return the same line with x for y."""
        return replace(self, points=self.points[:, ::-1])


@dataclass(frozen=True, kw_only=True)
class Link:
    """A connection of two items in a frame.

    Args:
        start: The index, among the items of the frame, of that in which it begins, or `IN`.
        stop: The same of that in which it ends, or `OUT`.
        source: The box or frame of the graph from which it comes.
        target: The box or frame of the graph to which it leads.
    """

    start: int
    stop: int
    source: int
    target: int


@dataclass(frozen=True, kw_only=True)
class Edge:
    """All links from one source, which share their way: lines to several targets are a tree.

    Args:
        source: The box or frame of the graph from which it comes.
        start: The index of the item that holds the source, or `IN`.
        first: The row of that item, -1 for `IN`.
        targets: For the index of each item that it leads to, or `OUT`: the item's row, and the box
            or frame of the graph in it, the first of several.
        ends: For each of these indices, every box or frame of the graph that it leads to there.
    """

    source: int
    start: int
    first: int
    targets: dict[int, tuple[int, int]] = field(default_factory=dict)
    ends: dict[int, set[int]] = field(default_factory=dict)

    @property
    def last(self) -> int:
        """The last row that it leads to."""
        return max(row for row, _ in self.targets.values())

    def beyond(self, row: int) -> frozenset[int]:
        """Return the boxes or frames of the graph that it leads to in a row or below it."""
        stops = [stop for stop, (own, _) in self.targets.items() if own >= row]
        return frozenset(end for stop in stops for end in self.ends[stop])


def collect_edges(links: Iterable[Link], ranks: Sequence[int]) -> list[Edge]:
    """Return an edge for each source of links.

    Args:
        links: The links.
        ranks: The row of each item.
    """
    edges: dict[int, Edge] = {}
    after_last = max(ranks, default=-1) + 1
    for link in links:
        first = -1 if link.start == IN else ranks[link.start]
        edge = Edge(source=link.source, start=link.start, first=first)
        edge = edges.setdefault(link.source, edge)
        row = after_last if link.stop == OUT else ranks[link.stop]
        edge.targets.setdefault(link.stop, (row, link.target))
        edge.ends.setdefault(link.stop, set()).add(link.target)
    return list(edges.values())


@dataclass(frozen=True, kw_only=True)
class Route:
    """Segments that follow one another, from a source or from another route of the same edge.

    Args:
        source: The source of the edge.
        segments: The segments.
        leads_to: The boxes or frames of the graph that it leads to.
    """

    source: int
    segments: list[Segment]
    leads_to: frozenset[int]

    def line(
        self, row_of: dict[LayoutNode, int], tops: Sequence[float], bottoms: Sequence[float]
    ) -> Line:
        """Return the line along this route.

        Args:
            row_of: The row of each node.
            tops: The top of each row.
            bottoms: The bottom of each row.
        """
        points: list[Point] = []
        for segment in self.segments:
            row = row_of[segment.upper]
            (x, next_x), item = segment.ends, segment.upper.item
            # A branch begins at a dummy node, through which the line of its edge is drawn already.
            is_branch = segment is self.segments[0] and item is None
            begin = bottoms[row] if is_branch else tops[row]
            points += [(x, begin + item.height if item else begin), (x, bottoms[row])]
            top = tops[row + 1]
            points += [(next_x, top - STUB)] if segment.lower.item else []
            points.append((next_x, top))
        target = self.segments[-1].target
        points_ = _simplify(points)
        return Line(points=points_, source=self.source, target=target, leads_to=self.leads_to)


def route_edge(
    source: int,
    rows: Sequence[list[LayoutNode]],
    *,
    start: LayoutNode,
    targets: dict[int, list[tuple[LayoutNode, int, frozenset[int]]]],
    later: frozenset[int] = frozenset(),
) -> list[Route]:
    """Lead an edge through rows: a route to the last of them, and a branch to each other target.

    In each row that it passes it gets a dummy node, so that its line has room of its own there and
    runs through no box.

    Args:
        source: The source of the edge.
        rows: The rows from that of `start` on, to which dummy nodes are added.
        start: The node at which it begins.
        targets: For the index of a row, the nodes in it that the edge leads to, each with the box
            or frame of the graph at which its line ends, and all that it leads to there.
        later: The boxes or frames of the graph that it leads to below the last row.
    """
    node, last = start, len(rows) - 1 if later else max(targets)
    branches: list[Route] = []
    trunk, ends = [], later
    for index, row in enumerate(rows[1 : last + 1], 1):
        reached = [
            (Segment.connect(node, lower, source=source, target=target), leads_to)
            for lower, target, leads_to in targets.get(index, ())
        ]
        if index == last and not later:
            segment, ends = reached.pop()
            trunk.append(segment)
        else:
            dummy = LayoutNode(item=None, source=source)
            row.append(dummy)
            trunk.append(Segment.connect(node, dummy, source=source, target=None))
        branches += [Route(source=source, segments=[x], leads_to=all_) for x, all_ in reached]
        node = trunk[-1].lower
    return [*branches, Route(source=source, segments=trunk, leads_to=ends)]


def _simplify(points: Iterable[Point]) -> np.ndarray:
    """Leave out points that are there twice, or on a straight way between two others."""
    simple: list[Point] = []
    for point in points:
        if simple and np.allclose(simple[-1], point, rtol=0, atol=1e-6):
            continue
        if len(simple) > 1 and simple[-2][0] == simple[-1][0] == point[0]:
            simple.pop()
        simple.append(point)
    return np.array(simple)
