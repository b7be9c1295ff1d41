"""A layered layout: where boxes and the frames around them are, and how lines run between them.

Boxes are in rows, each below all that leads to it. A line that passes rows on its way has a lane
of its own in them, so that it runs through no box. A frame is laid out by itself, and is one box
for what is around it. What is too tall for a page is cut into columns, as newspapers do.

The method is that of Sugiyama, Tagawa and Toda, "Methods for Visual Understanding of Hierarchical
System Structures", 1981, doi:10.1109/TSMC.1981.4308636.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from kerasviz.draw.graph.coordinates import BOX_GAP, LANE_GAP, place_cells
from kerasviz.draw.graph.rows import Cell, Item, Joint, depth_first, rank, sort_rows

Point = tuple[float, float]

# Distances, in the unit of the sizes, which is points.
ROW_GAP, STEEPEST, WIDEST_ROW_GAP = 18.0, 0.07, 46.0
"""Between two rows: at least, how much more for a line that goes far to the side, and at most."""
STUB = 6.0
"""How far a line runs straight down before it reaches a box, for its arrow."""
FRAME_PAD = 9.0
GUTTER, TRACK = 16.0, 7.0
"""Beside a line that leads to the next column, and between two such lines."""

MOST_COLUMNS = 24
CUT_COST = 0.12
"""The cost of each further line that is cut; a column that is a third too tall costs 0.11."""
LEAST_FULL = 0.6
"""How full columns have to be on average: else one box too tall would be alone in one."""


@dataclass(frozen=True)
class Graph:
    """Boxes, frames and what leads to what. Boxes are numbered from 0, frames go on from there.

    Args:
        sizes: Width and height of each box, `(n, 2)`.
        edges: Pairs of a box or frame and one that it leads to.
        parents: For each box, then for each frame: the frame that it is in, `None` outside.
        headers: Width and height of the title of each frame.
        order: Pairs of which the first is above the second, though no line is drawn.
    """

    sizes: np.ndarray
    edges: tuple[tuple[int, int], ...]
    parents: tuple[int | None, ...]
    headers: tuple[tuple[float, float], ...] = ()
    order: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Line:
    """A part of the way from a box or frame to what it leads to.

    Between two points it runs straight where x or y is the same. Else it is a curve, vertical at
    both ends, that stays in the rectangle between them.

    Args:
        points: `(k, 2)`, x and y.
        source: Where it comes from.
        target: Where it ends with an arrow, `None` where other lines go on.
    """

    points: np.ndarray
    source: int
    target: int | None

    def moved(self, x: float, y: float) -> Line:
        """Return the same line elsewhere."""
        return Line(np.add(self.points, (x, y)), self.source, self.target)


@dataclass(frozen=True)
class Layout:
    """Where everything is; y grows downwards.

    Args:
        size: Width and height of the whole.
        places: Left, top, width and height of each box, then of each frame, `(n, 4)`.
        lines: The lines between them.
    """

    size: tuple[float, float]
    places: np.ndarray
    lines: tuple[Line, ...]


def lay_out(graph: Graph, page: tuple[float, float]) -> Layout:
    """Lay a graph out, in as many columns as bring it closest to a page.

    Args:
        graph: What to lay out.
        page: Width and height that it should not exceed. Where it must, it does so in both.

    Raises:
        ValueError: The edges lead in a circle, also through the contents of a frame.
    """
    return _Nesting(graph, page).lay_out()


class _Nesting:
    """The frames of a graph, laid out from the innermost to the outermost."""

    def __init__(self, graph: Graph, page: tuple[float, float]) -> None:
        self.graph = graph
        self.page = page
        self.boxes = len(graph.sizes)
        self.levels: dict[int, _Level] = {}
        self.items = {i: Item(i, float(w), float(h)) for i, (w, h) in enumerate(graph.sizes)}
        self.holders = [self._holders(item) for item in range(len(graph.parents))]

    def _holders(self, item: int) -> dict[int | None, int]:
        """Return for each frame around an item, and for the outside, what of it holds the item."""
        found: dict[int | None, int] = {}
        at: int | None = item
        while at is not None:
            found[self.graph.parents[at]] = at
            at = self.graph.parents[at]
        return found

    def lay_out(self) -> Layout:
        """Lay out everything, and move it to its position in the whole."""
        frames = range(self.boxes, len(self.graph.parents))
        for frame in sorted(frames, key=lambda item: -len(self.holders[item])):
            self._lay_out_frame(frame)
        top = self._lay_out_level(None)
        places = np.zeros((len(self.graph.parents), 4))
        lines: list[Line] = []
        self._collect(top, (0.0, 0.0), places, lines)
        return Layout((top.width, top.height), places, tuple(lines))

    def _lay_out_frame(self, frame: int) -> None:
        level = self._lay_out_level(frame)
        width, height = self.graph.headers[frame - self.boxes]
        total = max(level.width + 2 * FRAME_PAD, width)
        level.origin = ((total - level.width) / 2, height)
        self.levels[frame] = level
        middle = level.width / 2
        self.items[frame] = Item(
            frame,
            total,
            level.height + height,
            {source: x - middle for source, x in level.ins.items()},
            {source: x - middle for source, x in level.outs.items()},
        )

    def _lay_out_level(self, frame: int | None) -> _Level:
        members = [item for item, parent in enumerate(self.graph.parents) if parent == frame]
        places = {member: place for place, member in enumerate(members)}

        def place(item: int) -> int | None:
            holder = self.holders[item].get(frame)
            return None if holder is None else places[holder]

        links = []
        for source, target in self.graph.edges:
            a, b = place(source), place(target)
            if a != b:
                links.append(_Link(IN if a is None else a, OUT if b is None else b, source, target))
        above = [(place(a), place(b)) for a, b in self.graph.order]
        pairs = [(a, b) for a, b in above if a is not None and b is not None and a != b]
        items = [self.items[member] for member in members]
        return _lay_out_level(items, links, pairs, self.page, framed=frame is not None)

    def _collect(self, level: _Level, origin: Point, places: np.ndarray, lines: list[Line]) -> None:
        x, y = origin
        lines.extend(line.moved(x, y) for line in level.lines)
        for item, (left, top) in level.places.items():
            size = self.items[item]
            places[item] = x + left, y + top, size.width, size.height
            if item in self.levels:
                inner = self.levels[item]
                inside = (x + left + inner.origin[0], y + top + inner.origin[1])
                self._collect(inner, inside, places, lines)


IN, OUT = -1, -2
"""The ends of lines outside a level: before it, and after it."""


@dataclass(frozen=True)
class _Link:
    """An edge as a level sees it, between places of its items; `source` and `target` are real."""

    start: int
    stop: int
    source: int
    target: int


@dataclass
class _Level:
    """The contents of one frame, from (0, 0); `ins` and `outs` are where lines come in and out."""

    width: float
    height: float
    places: dict[int, Point]
    lines: list[Line]
    ins: dict[int, float]
    outs: dict[int, float]
    origin: Point = (0.0, 0.0)


def _lay_out_level(
    items: Sequence[Item],
    links: Sequence[_Link],
    above: Sequence[tuple[int, int]],
    page: tuple[float, float],
    *,
    framed: bool,
) -> _Level:
    pairs = [(link.start, link.stop) for link in links if link.start != IN and link.stop != OUT]
    ranks = rank(len(items), [*pairs, *above])
    flows = _flows(links, ranks)
    order = depth_first(len(items), pairs)
    columns = []
    entering = [flow.source for flow in flows if flow.first < 0]
    for start, stop in _cut(items, ranks, flows, page):
        rows = {place: ranks[place] for place in order if start <= ranks[place] < stop}
        column = _Column({p: items[p] for p in rows}, rows, flows, (start, stop), entering, framed)
        entering = [cell.source for cell in column.rows[-1]]
        columns.append(column)
    return _join(columns)


@dataclass
class _Flow:
    """The lines from one source, from its row, -1 before the level, to the rows of its targets.

    Args:
        source: The real source.
        start: The place of the item that holds it, or `IN`.
        first: The row of that.
        targets: For each place, or `OUT`, its row and the real target.
    """

    source: int
    start: int
    first: int
    targets: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def last(self) -> int:
        """The last row that it leads to."""
        return max(row for row, _ in self.targets.values())


def _flows(links: Iterable[_Link], ranks: Sequence[int]) -> list[_Flow]:
    flows: dict[int, _Flow] = {}
    behind = max(ranks, default=-1) + 1
    for link in links:
        first = -1 if link.start == IN else ranks[link.start]
        flow = flows.setdefault(link.source, _Flow(link.source, link.start, first))
        row = behind if link.stop == OUT else ranks[link.stop]
        flow.targets.setdefault(link.stop, (row, link.target))
    return list(flows.values())


def _cut(
    items: Sequence[Item],
    ranks: Sequence[int],
    flows: Sequence[_Flow],
    page: tuple[float, float],
) -> list[tuple[int, int]]:
    """Choose where to cut rows into columns, as ranges of rows.

    Of one column, two and so on, those are taken that fit the page first, or exceed it least.
    """
    rows = max(ranks, default=0) + 1
    heights, widths = np.zeros(rows), np.zeros(rows)
    for item, row in zip(items, ranks, strict=True):
        heights[row] = max(heights[row], item.height + ROW_GAP)
        widths[row] += item.width + BOX_GAP
    crossing = np.zeros(rows + 1)
    for flow in flows:
        crossing[flow.first + 1 : flow.last + 1] += 1
        widths[flow.first + 1 : flow.last] += LANE_GAP
    edges = np.concatenate([[0.0], np.cumsum(heights)])
    costs = CUT_COST * np.maximum(crossing - 1, 0)
    costs[-1] = 0
    best, least = [(0, rows)], np.inf
    for count in range(1, min(MOST_COLUMNS, rows) + 1):
        borders = _partition(edges, costs, count)
        spans = list(pairwise(borders))
        height = max(edges[stop] - edges[start] for start, stop in spans)
        width = sum(widths[start:stop].max() for start, stop in spans)
        width += sum(2 * GUTTER + TRACK * crossing[stop] for _, stop in spans[:-1])
        excess = max(width / page[0], height / page[1])
        if excess < least and edges[-1] >= LEAST_FULL * height * count:
            best, least = spans, excess
        if excess <= 1:
            break
    return best


def _partition(edges: np.ndarray, costs: np.ndarray, count: int) -> list[int]:
    """Divide rows into columns that are about equally tall, at places that cost little.

    Args:
        edges: Where each row begins, and where the last one ends.
        costs: What it costs to cut there.
        count: Number of columns.

    Returns:
        The row at which each column begins, and the number of rows.
    """
    tall = (edges[np.newaxis, :] - edges[:, np.newaxis]) * count / max(edges[-1], 1e-9)
    cost = (tall - 1) ** 2 + costs[np.newaxis, :]
    cost[np.tril_indices(len(edges))] = np.inf
    total, steps = cost[0], []
    for _ in range(count - 1):
        sums = total[:, np.newaxis] + cost
        steps.append(sums.argmin(axis=0))
        total = sums.min(axis=0)
    borders = [len(edges) - 1]
    for step in reversed(steps):
        borders.append(int(step[borders[-1]]))
    return [0, *reversed(borders)]


class _Column:
    """Rows below one another; the first holds what comes in, the last what goes out.

    Args:
        items: The items in it by place, in the order in which they are to be met from left.
        ranks: The row of each among all rows.
        flows: The flows of the level.
        span: Which rows it has.
        entering: The sources of what comes in, from left to right.
        framed: Whether it is in a frame.
    """

    def __init__(
        self,
        items: dict[int, Item],
        ranks: dict[int, int],
        flows: Sequence[_Flow],
        span: tuple[int, int],
        entering: Sequence[int],
        framed: bool,
    ) -> None:
        self.start, self.stop = span
        self.rows: list[list[Cell]] = [[] for _ in range(self.stop - self.start + 2)]
        self.entries = {source: Cell(None, source) for source in entering}
        self.rows[0] = list(self.entries.values())
        self.cells = {place: Cell(item, item.name) for place, item in items.items()}
        for place, cell in self.cells.items():
            self.rows[ranks[place] - self.start + 1].append(cell)
        self.ways: list[tuple[int, list[Joint]]] = []
        """Sources, and the joints that lead on from them."""
        for flow in flows:
            if flow.first < self.stop and flow.last >= self.start:
                self._lead(flow)
        sort_rows(self.rows, fixed=self.start > 0)
        place_cells(self.rows)
        self.width = max((c.x + c.width / 2 for row in self.rows for c in row), default=0.0)
        self._set_heights(FRAME_PAD if framed else 0.0)

    def _lead(self, flow: _Flow) -> None:
        """Lead a flow through the rows: one way to the last row, and a branch to each target."""
        targets: dict[int, list[tuple[Cell, int]]] = {}
        for place, (row, target) in flow.targets.items():
            if place in self.cells:
                targets.setdefault(row - self.start + 1, []).append((self.cells[place], target))
        is_here = flow.first >= self.start
        cell = self.cells[flow.start] if is_here else self.entries[flow.source]
        row = flow.first - self.start + 1 if is_here else 0
        goes_on = flow.last >= self.stop
        last = len(self.rows) - 1 if goes_on else max(targets)
        way: list[Joint] = []
        while row < last:
            row += 1
            reached = [Joint.make(cell, other, flow.source, t) for other, t in targets.get(row, ())]
            if row == last and not goes_on:
                way.append(reached.pop())
            else:
                lane = Cell(None, flow.source)
                self.rows[row].append(lane)
                way.append(Joint.make(cell, lane, flow.source, None))
            self.ways += [(flow.source, [branch]) for branch in reached]
            cell = way[-1].lower
        self.ways.append((flow.source, way))

    def _set_heights(self, pad: float) -> None:
        """Give each row its top and bottom."""
        self.tops, self.bottoms = [0.0], [0.0]
        for upper, lower in pairwise(self.rows):
            aside = [abs(a - b) for cell in upper for a, b in (j.ends for j in cell.downs)]
            if aside:
                gap = min(ROW_GAP + STEEPEST * max(aside), WIDEST_ROW_GAP)
            else:
                gap = pad if upper is self.rows[0] or lower is self.rows[-1] else ROW_GAP
            self.tops.append(self.bottoms[-1] + gap)
            tallest = max((cell.item.height for cell in lower if cell.item), default=0.0)
            self.bottoms.append(self.tops[-1] + tallest)

    @property
    def height(self) -> float:
        """The height of all rows."""
        return self.bottoms[-1]

    def places(self) -> dict[int, Point]:
        """Return left and top of each item, by its name."""
        return {
            cell.item.name: (cell.x - cell.width / 2, top)
            for row, top in zip(self.rows, self.tops, strict=True)
            for cell in row
            if cell.item
        }

    def lines(self) -> list[Line]:
        """Return the lines within the column."""
        numbers = {cell: number for number, row in enumerate(self.rows) for cell in row}
        return [
            Line(self._points(way, numbers), source, way[-1].target) for source, way in self.ways
        ]

    def _points(self, way: Sequence[Joint], numbers: dict[Cell, int]) -> np.ndarray:
        points: list[Point] = []
        for joint in way:
            row = numbers[joint.upper]
            (x, below), item = joint.ends, joint.upper.item
            is_branch = joint is way[0] and item is None  # of a line that is drawn already
            begin = self.bottoms[row] if is_branch else self.tops[row]
            points += [(x, begin + item.height if item else begin), (x, self.bottoms[row])]
            top = self.tops[row + 1]
            points += [(below, top - STUB)] if joint.lower.item else []
            points.append((below, top))
        return _tidy(points)


def _tidy(points: Iterable[Point]) -> np.ndarray:
    """Leave out points that are there twice, or on a straight way between two others."""
    kept: list[Point] = []
    for point in points:
        if kept and np.allclose(kept[-1], point, rtol=0, atol=1e-6):
            continue
        if len(kept) > 1 and kept[-2][0] == kept[-1][0] == point[0]:
            kept.pop()
        kept.append(point)
    return np.array(kept)


def _join(columns: Sequence[_Column]) -> _Level:
    """Set columns side by side, and lead lines from the foot of each to the head of the next."""
    leaving = [len(column.rows[-1]) for column in columns]
    head = TRACK * (1 + max(leaving[:-1])) if len(columns) > 1 else 0.0
    feet = [*(TRACK * (1 + count) for count in leaving[:-1]), 0.0]
    height = max(head + c.height + foot for c, foot in zip(columns, feet, strict=True))
    places: dict[int, Point] = {}
    lines: list[Line] = []
    left = 0.0
    before: list[tuple[int, Point]] = []
    for number, column in enumerate(columns):
        ends = {cell.source: left + cell.x for cell in column.rows[0]}
        if number == 0:
            ins = ends
            lines += [
                Line(np.array([(x, 0.0), (x, head)]), s, None) for s, x in ins.items() if head
            ]
        lines += _tracks(before, ends, left, head)
        places |= {item: (left + x, head + y) for item, (x, y) in column.places().items()}
        lines += [line.moved(left, head) for line in column.lines()]
        bottom = head + column.height
        before = [(cell.source, (left + cell.x, bottom)) for cell in column.rows[-1]]
        left += column.width
        if number < len(columns) - 1:
            left += 2 * GUTTER + TRACK * max(0, leaving[number] - 1)
    lines += [Line(np.array([at, (at[0], height)]), s, None) for s, at in before if at[1] < height]
    return _Level(left, height, places, lines, ins, {source: at[0] for source, at in before})


def _tracks(
    starts: Sequence[tuple[int, Point]], ends: dict[int, float], left: float, head: float
) -> list[Line]:
    """Return the lines up to the head of a column; they are nested, so that none crosses another.

    Args:
        starts: For each source, from left to right, where it leaves the column before.
        ends: For each source, the x at which it enters this one.
        left: The left of this column.
        head: The top of its rows.
    """
    lines = []
    for place, (source, (x, y)) in enumerate(starts):
        low = y + TRACK * (len(starts) - place)
        high = head - TRACK * (1 + place)
        side = left - GUTTER - TRACK * place
        end = ends[source]
        way = [(x, y), (x, low), (side, low), (side, high), (end, high), (end, head)]
        lines.append(Line(np.array(way), source, None))
    return lines
