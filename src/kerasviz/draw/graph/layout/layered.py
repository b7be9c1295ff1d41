"""Lay out a graph in layers: where boxes and frames are, and how lines run between them.

Boxes are in rows, each below all that leads to it. A line that passes rows on its way has a dummy
node in each of them, so that it runs through no box. A frame is laid out by itself, and is one box
for what is around it. What is too tall for a page is cut into columns, as newspapers do.

The method is that of Sugiyama, Tagawa and Toda, "Methods for Visual Understanding of Hierarchical
System Structures", 1981, doi:10.1109/TSMC.1981.4308636.

This is not a grid of panels, so it cannot use `panel_grid`, which lays out every other figure:
where a box is follows from what leads to it, and half of the work is to lead lines past boxes.

It is written out here because no package has all that a picture of a network needs. Graphviz, with
which Keras draws its own, is a program of the system, which pip does not install. What pip installs
(grandalf, in Python, last released in January 2023; fast-sugiyama, compiled) orders layers so that
few lines cross, but knows no frames around nodes, to any depth, and no columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kerasviz.draw.graph.layout.off_page_connectors import (
    Tag,
    find_jumps,
    number_jumps,
    place_tags,
    tag_room,
)
from kerasviz.draw.graph.layout.page_columns import (
    FRAME_PAD,
    Column,
    Contents,
    cut_rows,
    join_columns,
)
from kerasviz.draw.graph.layout.ranks import depth_first, rank
from kerasviz.draw.graph.layout.routes import IN, OUT, Line, Link, Point, collect_edges
from kerasviz.draw.graph.layout.row_order import Item
from kerasviz.draw.graph.layout.u_shape import Level, lay_out_u


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Boxes, frames and what leads to what. Boxes have indices from 0, frames go on from there.

    Args:
        sizes: Width and height of each box, `(n, 2)`.
        edges: Pairs of a box or frame and one that it leads to.
        parents: For each box, then for each frame: the frame that it is in, `None` outside.
        headers: Width and height of the title of each frame.
        order: Pairs of which the first is above the second, though no line is drawn.
        levels: The boxes and frames of a U, see `Level`; () of all else.
        sideways: Whether it runs from left to right, and not from top to bottom.
    """

    sizes: np.ndarray
    edges: tuple[tuple[int, int], ...]
    parents: tuple[int | None, ...]
    headers: tuple[tuple[float, float], ...] = ()
    order: tuple[tuple[int, int], ...] = ()
    levels: tuple[Level, ...] = ()
    sideways: bool = False


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Positions of everything; y grows downwards.

    Args:
        size: Width and height of the whole.
        rects: Left, top, width and height of each box, then of each frame, `(n, 4)`.
        lines: The lines between them.
        tags: Where a number stands for a line that would be too long.
        is_u: Whether it is a U, in which lines also run up.
    """

    size: tuple[float, float]
    rects: np.ndarray
    lines: tuple[Line, ...]
    tags: tuple[Tag, ...] = ()
    is_u: bool = False

    def moved(self, x: float, y: float) -> Layout:
        """Return the same elsewhere."""
        return replace(
            self,
            rects=np.add(self.rects, (x, y, 0, 0)),
            lines=tuple(line.moved(x, y) for line in self.lines),
            tags=tuple(tag.moved(x, y) for tag in self.tags),
        )

    def transposed(self) -> Layout:
        """Return the same with x for y."""
        return replace(
            self,
            size=self.size[::-1],
            rects=self.rects[:, [1, 0, 3, 2]],
            lines=tuple(line.transposed() for line in self.lines),
            tags=tuple(replace(tag, position=tag.position[::-1]) for tag in self.tags),
        )


def lay_out(graph: Graph, page: tuple[float, float]) -> Layout:
    """Lay a graph out, in as many columns as bring it closest to a page.

    Args:
        graph: What to lay out.
        page: Width and height that it should not exceed. Where it must, it does so in both.

    Raises:
        ValueError: The edges lead in a circle, also through the contents of a frame.
    """
    if not graph.sideways:
        return _NestedLayout(graph, page).lay_out()
    # One direction is enough to know: what runs to the right is what runs down, mirrored.
    turned = replace(graph, sizes=graph.sizes[:, ::-1])
    return _NestedLayout(turned, page[::-1]).lay_out().transposed()


class _NestedLayout:
    """The frames of a graph, laid out from the innermost to the outermost.

    What is in a frame stays together because it is laid out before its surroundings, in which the
    frame is a single item: nothing else can come between its boxes. Edges across its border are
    cut there, and the two parts meet, since the item says where the inner parts begin and end.
    """

    def __init__(self, graph: Graph, page: tuple[float, float]) -> None:
        skips = {(left[-1], right[0]) for left, right in graph.levels[:-1]}
        jumps = find_jumps(len(graph.parents), graph.edges, graph.order, exempt=skips)
        self._tags = number_jumps(jumps)
        edges = tuple(edge for edge in graph.edges if edge not in jumps)
        # A number beside a box takes room on both sides, so that the box stays in the middle.
        rooms = np.array([tag_room(self._tags, i, graph.sideways) for i in range(len(graph.sizes))])
        self._rooms = rooms
        self._graph = graph = replace(graph, edges=edges)
        self._page = page
        self._boxes = len(graph.sizes)
        self._contents: dict[int, tuple[Contents, Point]] = {}
        """For each frame, its contents and their left and top within it."""
        self._items = {
            index: Item(index=index, width=float(width + 2 * room), height=float(height))
            for index, ((width, height), room) in enumerate(zip(graph.sizes, rooms, strict=True))
        }
        self._members = [self._member_of(item) for item in range(len(graph.parents))]

    def _member_of(self, item: int) -> dict[int | None, int]:
        """Return for each frame around an item, and for the outside, what in it holds the item."""
        members: dict[int | None, int] = {}
        holder: int | None = item
        while holder is not None:
            members[self._graph.parents[holder]] = holder
            holder = self._graph.parents[holder]
        return members

    def lay_out(self) -> Layout:
        """Lay out everything, and move it to its position in the whole."""
        # The innermost first: the size of a frame has to be known before what is around it is
        # laid out.
        frames = range(self._boxes, len(self._graph.parents))
        for frame in sorted(frames, key=lambda item: -len(self._members[item])):
            self._lay_out_frame(frame)
        contents = self._lay_out_levels() if self._graph.levels else None
        top = self._lay_out_contents(None) if contents is None else contents
        rects = np.zeros((len(self._graph.parents), 4))
        lines: list[Line] = []
        self._collect(top, (0.0, 0.0), rects, lines)
        # The room for numbers was part of the boxes; the boxes themselves are without it.
        rects[: self._boxes] += self._rooms[:, np.newaxis] * (1, 0, -2, 0)
        return Layout(
            size=(top.width, top.height),
            rects=rects,
            lines=tuple(lines),
            tags=place_tags(self._tags, rects, self._rooms),
            is_u=contents is not None,
        )

    def _lay_out_levels(self) -> Contents | None:
        """Lay everything out as a U, if it is connected as one."""
        members = [item for item, parent in enumerate(self._graph.parents) if parent is None]
        index_of = {member: index for index, member in enumerate(members)}
        levels = [
            (tuple(index_of[x] for x in left), tuple(index_of[x] for x in right))
            for left, right in self._graph.levels
        ]
        return lay_out_u([self._items[member] for member in members], self._links(None), levels)

    def _lay_out_frame(self, frame: int) -> None:
        contents = self._lay_out_contents(frame)
        across, along = self._graph.headers[frame - self._boxes]
        if self._graph.sideways:  # the header is at what is here the left
            missing = max(across - contents.height, 0.0) / 2
            contents = contents.widened(missing, missing)
            left, top = along + FRAME_PAD, 0.0
            total = left + contents.width + FRAME_PAD
        else:
            total = max(contents.width + 2 * FRAME_PAD, across)
            left, top = (total - contents.width) / 2, along
        self._contents[frame] = contents, (left, top)
        self._items[frame] = Item(
            index=frame,
            width=total,
            height=contents.height + top,
            entries={source: x + left - total / 2 for source, x in contents.entries.items()},
            exits={source: x + left - total / 2 for source, x in contents.exits.items()},
        )

    def _lay_out_contents(self, frame: int | None) -> Contents:
        """Lay out what is directly in a frame, or outside all frames."""
        members = [item for item, parent in enumerate(self._graph.parents) if parent == frame]
        index_of = {member: index for index, member in enumerate(members)}
        order = [
            (self._members[a].get(frame), self._members[b].get(frame)) for a, b in self._graph.order
        ]
        above = [
            (index_of[a], index_of[b])
            for a, b in order
            if a is not None and b is not None and a != b
        ]
        items = [self._items[member] for member in members]
        pad = 0.0 if frame is None else FRAME_PAD
        return _lay_out_items(items, self._links(frame), above, page=self._page, pad=pad)

    def _links(self, frame: int | None) -> list[Link]:
        """Return what leads to what directly in a frame, or outside all frames."""
        members = [item for item, parent in enumerate(self._graph.parents) if parent == frame]
        index_of = {member: index for index, member in enumerate(members)}
        links = []
        for source, target in self._graph.edges:
            a, b = (self._members[item].get(frame) for item in (source, target))
            if a != b:
                start, stop = IN if a is None else index_of[a], OUT if b is None else index_of[b]
                links.append(Link(start=start, stop=stop, source=source, target=target))
        return links

    def _collect(
        self, contents: Contents, origin: Point, rects: np.ndarray, lines: list[Line]
    ) -> None:
        """Add contents that are at `origin`, and what is in the frames among them."""
        x, y = origin
        lines.extend(line.moved(x, y) for line in contents.lines)
        for index, (left, top) in contents.corners.items():
            item = self._items[index]
            rects[index] = x + left, y + top, item.width, item.height
            if index in self._contents:
                inner, (right, down) = self._contents[index]
                # In the half of a U that runs up, what is inside a frame runs up too.
                if index in contents.flipped:
                    heights = {member: self._items[member].height for member in inner.corners}
                    inner = inner.flipped_over(heights)
                self._collect(inner, (x + left + right, y + top + down), rects, lines)


def _lay_out_items(
    items: Sequence[Item],
    links: Sequence[Link],
    above: Sequence[tuple[int, int]],
    *,
    page: tuple[float, float],
    pad: float,
) -> Contents:
    """Lay out items of which none is in another.

    Args:
        items: The items.
        links: What leads to what.
        above: Pairs of which the first is above the second.
        page: Width and height that all should not exceed.
        pad: The distance from the top and the bottom, where no line comes in or goes out.
    """
    pairs = [(link.start, link.stop) for link in links if link.start != IN and link.stop != OUT]
    ranks = rank(len(items), [*pairs, *above])
    edges = collect_edges(links, ranks)
    order = depth_first(len(items), pairs)
    columns: list[Column] = []
    entering = [edge.source for edge in edges if edge.first < 0]
    for start, stop in cut_rows(items, ranks, edges, page):
        rows = {index: ranks[index] for index in order if start <= ranks[index] < stop}
        column = Column(
            items={index: items[index] for index in rows},
            ranks=rows,
            edges=edges,
            span=(start, stop),
            entering=entering,
            pad=pad,
        )
        # Lines that leave a column at its foot enter the next one at its head, in the same order.
        entering = list(column.exits)
        columns.append(column)
    return join_columns(columns)
