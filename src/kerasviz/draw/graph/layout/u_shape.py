"""Lay an encoder and a decoder out as a U: down at the left, up at the right, skips straight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from kerasviz.draw.graph.layout.page_columns import TRACK, Column, Contents, join_columns
from kerasviz.draw.graph.layout.ranks import depth_first, rank
from kerasviz.draw.graph.layout.routes import IN, OUT, Line, Link, Point, collect_edges
from kerasviz.draw.graph.layout.row_order import Item

SKIP_LENGTH = 64.0
"""The distance of the two sides, over which the skips run."""

Level = tuple[tuple[int, ...], tuple[int, ...]]
"""The items at the left, which run down, and at the right, which run up; the last level is the
bottom, and of each other one the last item at the left leads to the first at the right."""


@dataclass(kw_only=True)
class _Segment:
    """The items of a level on one side, laid out, and where they are in the whole.

    Args:
        contents: The items as they are laid out, from (0, 0).
        end: The item that a skip begins or ends at, `None` at the bottom.
        left: The left of the contents.
        top: Their top.
    """

    contents: Contents
    end: int | None
    left: float = 0.0
    top: float = 0.0

    def rect(self, items: Sequence[Item]) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom of the item at its end, within the whole."""
        assert self.end is not None
        item = items[self.end]
        x, y = self.contents.corners[item.index]
        left, top = self.left + x, self.top + y
        return left, top, left + item.width, top + item.height


def lay_out_u(
    items: Sequence[Item], links: Sequence[Link], levels: Sequence[Level]
) -> Contents | None:
    """Lay items out as a U; `None` where they are not connected as one.

    Args:
        items: The items.
        links: What leads to what.
        levels: The items of each level, from the top to the bottom.
    """
    skips = {(left[-1], right[0]) for left, right in levels[:-1]}
    others = [link for link in links if (link.start, link.stop) not in skips]
    down = [_lay_out_side(items, others, left, end=left[-1]) for left, _ in levels[:-1]]
    down.append(_lay_out_side(items, others, levels[-1][0], end=None))
    up = [_lay_out_side(items, others, right, end=right[0]) for _, right in levels[:-1]]
    if levels[-1][1]:
        up.append(_lay_out_side(items, others, levels[-1][1], end=None))
    # Each side is laid out from the top down; the one at the right is turned over, since it runs
    # up.
    heights = {item.index: item.height for item in items}
    for segment in up:
        segment.contents = segment.contents.flipped_over(heights)
    joints = [*_pairs(down), (down[-1], up[-1]), *_pairs(up[::-1])]
    # Where more than one line leads from a segment to the next, or another one than that comes
    # in, this is drawn as any other graph.
    if any(len(upper.contents.exits) != 1 for upper, _ in joints) or any(
        upper.contents.exits.keys() != lower.contents.entries.keys() for upper, lower in joints
    ):
        return None
    _set_across(down, up)
    _set_heights(items, down, up)
    lines = [line.moved(s.left, s.top) for s in (*down, *up) for line in s.contents.lines]
    lines += _joint_lines(down, up)
    lines += [_skip_line(items, links, pair) for pair in zip(down[: len(skips)], up, strict=False)]
    return _collect(down, up, lines)


def _pairs(segments: Sequence[_Segment]) -> list[tuple[_Segment, _Segment]]:
    return list(pairwise(segments))


def _lay_out_side(
    items: Sequence[Item], links: Sequence[Link], members: Sequence[int], *, end: int | None
) -> _Segment:
    """Lay out the items of a level on one side in one column."""
    index = {member: position for position, member in enumerate(members)}
    own = [
        replace(link, start=index.get(link.start, IN), stop=index.get(link.stop, OUT))
        for link in links
        if link.start in index or link.stop in index
    ]
    pairs = [(x.start, x.stop) for x in own if x.start != IN and x.stop != OUT]
    ranks = rank(len(members), pairs)
    edges = collect_edges(own, ranks)
    column = Column(
        items={position: items[members[position]] for position in depth_first(len(members), pairs)},
        ranks=dict(enumerate(ranks)),
        edges=edges,
        span=(0, max(ranks) + 1),
        entering=[edge.source for edge in edges if edge.first < 0],
        pad=0.0,
    )
    return _Segment(contents=join_columns([column]), end=end)


def _set_across(down: Sequence[_Segment], up: Sequence[_Segment]) -> None:
    """Set each segment so that the line from the one before is straight, and the sides apart."""
    for side in (down, up[::-1]):
        for before, segment in _pairs(side):
            segment.left = before.left + _exit(before) - _entry(segment)
    shift = min(segment.left for segment in down)
    for segment in down:
        segment.left -= shift
    edge = max(segment.left + segment.contents.width for segment in down) + SKIP_LENGTH
    # Both sides are aligned by now, each within itself: they are moved as wholes.
    shift = edge - min(segment.left for segment in up)
    for segment in up:
        segment.left += shift


def _exit(segment: _Segment) -> float:
    return next(iter(segment.contents.exits.values()))


def _entry(segment: _Segment) -> float:
    return next(iter(segment.contents.entries.values()))


def _set_heights(items: Sequence[Item], down: Sequence[_Segment], up: Sequence[_Segment]) -> None:
    """Set each level below the one before, with the ends of its skip at one height."""
    top = 0.0
    for left, right in zip(down, up, strict=False):
        middles = [_middle(items, side) for side in (left, right)]
        left.top, right.top = (top + max(middles) - middle for middle in middles)
        top = max(side.top + side.contents.height for side in (left, right))
    if len(down) > len(up):  # nothing is at the right of the bottom
        down[-1].top = top


def _middle(items: Sequence[Item], segment: _Segment) -> float:
    """Return how far below the top of a segment its skip is."""
    if segment.end is None:
        return 0.0
    _, top, _, bottom = segment.rect(items)
    return (top + bottom) / 2 - segment.top


def _joint_lines(down: Sequence[_Segment], up: Sequence[_Segment]) -> list[Line]:
    """Return the lines from each segment to the next: straight, but for that at the bottom."""
    lines = []
    for before, segment in _pairs(down):
        x = before.left + _exit(before)
        span = (before.top + before.contents.height, segment.top)
        lines += _joint(before, [(x, span[0]), (x, span[1])])
    for before, segment in _pairs(up[::-1]):
        x = before.left + _exit(before)
        lines += _joint(before, [(x, before.top), (x, segment.top + segment.contents.height)])
    last, first = down[-1], up[-1]
    start = last.left + _exit(last), last.top + last.contents.height
    stop = first.left + _entry(first), first.top + first.contents.height
    # The line at the bottom runs below both ends, so that it crosses none of their boxes.
    low = max(start[1], stop[1]) + TRACK
    return lines + _joint(last, [start, (start[0], low), (stop[0], low), stop])


def _joint(before: _Segment, points: list[Point]) -> list[Line]:
    (source,) = before.contents.exits
    leads_to = before.contents.leads_to[source]
    if points[0] == points[-1]:
        return []
    return [Line(points=np.array(points), source=source, leads_to=leads_to)]


def _skip_line(
    items: Sequence[Item], links: Sequence[Link], pair: tuple[_Segment, _Segment]
) -> Line:
    """Return the straight line of a skip."""
    left, right = pair
    link = next(x for x in links if (x.start, x.stop) == (left.end, right.end))
    _, top, x, bottom = left.rect(items)
    y = (top + bottom) / 2
    points = np.array([(x, y), (right.rect(items)[0], y)])
    leads_to = frozenset({link.target})
    return Line(points=points, source=link.source, target=link.target, leads_to=leads_to)


def _collect(down: Sequence[_Segment], up: Sequence[_Segment], lines: list[Line]) -> Contents:
    corners = {
        item: (segment.left + x, segment.top + y)
        for segment in (*down, *up)
        for item, (x, y) in segment.contents.corners.items()
    }
    ends = [(s.left + s.contents.width, s.top + s.contents.height) for s in (*down, *up)]
    low = max(float(line.points[:, 1].max()) for line in lines)
    return Contents(
        width=max(x for x, _ in ends),
        height=max(low, *(y for _, y in ends)),
        corners=corners,
        lines=lines,
        entries={},
        exits={},
        flipped=frozenset(item for segment in up for item in segment.contents.corners),
    )
