"""Lay out a graph in layers: where boxes and frames are, and how lines run between them.

Boxes are in rows, each below all that leads to it. A line that passes rows on its way has a dummy
node in each of them, so that it runs through no box. A frame is laid out by itself, and is one box
for what is around it. What is too tall for a page is cut into columns, as newspapers do.

The method is that of Sugiyama, Tagawa and Toda, "Methods for Visual Understanding of Hierarchical
System Structures", 1981, doi:10.1109/TSMC.1981.4308636.

It is written out here because no package has all that a picture of a network needs. Graphviz, with
which Keras draws its own, is a program of the system, which pip does not install. What pip installs
(grandalf, in Python, last released in January 2023; fast-sugiyama, compiled) orders layers so that
few lines cross, but knows no frames around nodes, to any depth, and no columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kerasviz.draw.graph.columns import FRAME_PAD, Column, Contents, cut_rows, join_columns
from kerasviz.draw.graph.ranks import depth_first, rank
from kerasviz.draw.graph.routes import IN, OUT, Line, Link, Point, collect_edges
from kerasviz.draw.graph.rows import Item


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Boxes, frames and what leads to what. Boxes have indices from 0, frames go on from there.

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


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Positions of everything; y grows downwards.

    Args:
        size: Width and height of the whole.
        rects: Left, top, width and height of each box, then of each frame, `(n, 4)`.
        lines: The lines between them.
    """

    size: tuple[float, float]
    rects: np.ndarray
    lines: tuple[Line, ...]


def lay_out(graph: Graph, page: tuple[float, float]) -> Layout:
    """Lay a graph out, in as many columns as bring it closest to a page.

    Args:
        graph: What to lay out.
        page: Width and height that it should not exceed. Where it must, it does so in both.

    Raises:
        ValueError: The edges lead in a circle, also through the contents of a frame.
    """
    return _NestedLayout(graph, page).lay_out()


class _NestedLayout:
    """The frames of a graph, laid out from the innermost to the outermost.

    What is in a frame stays together because it is laid out before its surroundings, in which the
    frame is a single item: nothing else can come between its boxes. Edges across its border are
    cut there, and the two parts meet, since the item says where the inner parts begin and end.
    """

    def __init__(self, graph: Graph, page: tuple[float, float]) -> None:
        self._graph = graph
        self._page = page
        self._boxes = len(graph.sizes)
        self._contents: dict[int, tuple[Contents, Point]] = {}
        """For each frame, its contents and their left and top within it."""
        self._items = {
            index: Item(index=index, width=float(width), height=float(height))
            for index, (width, height) in enumerate(graph.sizes)
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
        frames = range(self._boxes, len(self._graph.parents))
        for frame in sorted(frames, key=lambda item: -len(self._members[item])):
            self._lay_out_frame(frame)
        top = self._lay_out_contents(None)
        rects = np.zeros((len(self._graph.parents), 4))
        lines: list[Line] = []
        self._collect(top, (0.0, 0.0), rects, lines)
        return Layout(size=(top.width, top.height), rects=rects, lines=tuple(lines))

    def _lay_out_frame(self, frame: int) -> None:
        contents = self._lay_out_contents(frame)
        width, height = self._graph.headers[frame - self._boxes]
        total = max(contents.width + 2 * FRAME_PAD, width)
        self._contents[frame] = contents, ((total - contents.width) / 2, height)
        middle = contents.width / 2
        self._items[frame] = Item(
            index=frame,
            width=total,
            height=contents.height + height,
            entries={source: x - middle for source, x in contents.entries.items()},
            exits={source: x - middle for source, x in contents.exits.items()},
        )

    def _lay_out_contents(self, frame: int | None) -> Contents:
        """Lay out what is directly in a frame, or outside all frames."""
        members = [item for item, parent in enumerate(self._graph.parents) if parent == frame]
        index_of = {member: index for index, member in enumerate(members)}

        def index(item: int) -> int | None:
            member = self._members[item].get(frame)
            return None if member is None else index_of[member]

        links = []
        for source, target in self._graph.edges:
            a, b = index(source), index(target)
            if a != b:
                start, stop = IN if a is None else a, OUT if b is None else b
                links.append(Link(start=start, stop=stop, source=source, target=target))
        order = [(index(a), index(b)) for a, b in self._graph.order]
        above = [(a, b) for a, b in order if a is not None and b is not None and a != b]
        items = [self._items[member] for member in members]
        pad = 0.0 if frame is None else FRAME_PAD
        return _lay_out_items(items, links, above, page=self._page, pad=pad)

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
        entering = list(column.exits)
        columns.append(column)
    return join_columns(columns)
