"""Find what follows one another in a graph: segments between boxes that all paths go through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Items that only the last item of the segment before leads to, and only the last leads on.

    Args:
        items: The items in the order in which they run.
    """

    items: tuple[int, ...]


def find_series(
    items: Sequence[int], pairs: Sequence[tuple[int, int]], ends: tuple[set[int], set[int]]
) -> list[list[Segment]]:
    """Return the series of segments in a graph, whole or within a branch; every item ends one.

    Args:
        items: The items in the order in which they run.
        pairs: Which item leads to which; the first of a pair runs before the second.
        ends: The items that something outside leads to, and those that lead outside.
    """
    # A box u and a box v follow one another where every path to v goes through u and every path
    # from u through v: u is the immediate dominator of v, and v the immediate postdominator of u.
    index = {item: position for position, item in enumerate(items)}
    successors: dict[int, list[int]] = {item: [] for item in items}
    predecessors: dict[int, list[int]] = {item: [] for item in items}
    for a, b in pairs:
        if index[a] >= index[b]:
            return []
        successors[a].append(b)
        predecessors[b].append(a)
    before = _dominators(items, predecessors, ends[0])
    after = _dominators(items[::-1], successors, ends[1])
    following = {u: v for u in items if (v := after[u]) is not None and before[v] == u}
    firsts = [item for item in items if item not in set(following.values())]
    series = []
    for item in firsts:
        segments = [Segment(items=(item,))]
        while item in following:
            inside = _between(item, following[item], successors)
            item = following[item]
            segments.append(Segment(items=(*sorted(inside, key=index.__getitem__), item)))
        series.append(segments)
    return series


def _dominators(
    order: Sequence[int], predecessors: Mapping[int, Sequence[int]], entered: set[int]
) -> dict[int, int | None]:
    """Return the last item that every path from outside to each item goes through, before it.

    Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm", 2001; in a graph without
    circles one pass is enough.
    """
    dominator: dict[int, int | None] = {}
    depth: dict[int | None, int] = {None: 0}
    for item in order:
        sources: list[int | None] = list(predecessors[item])
        if item in entered or not sources:
            sources.append(None)
        common = sources[0]
        for other in sources[1:]:
            while common != other:
                if depth[common] >= depth[other] and common is not None:
                    common = dominator[common]
                elif other is not None:
                    other = dominator[other]
        dominator[item] = common
        depth[item] = depth[common] + 1
    return dominator


def _between(first: int, last: int, successors: Mapping[int, Sequence[int]]) -> set[int]:
    """Return the items on the paths from one item to another."""
    inside: set[int] = set()
    to_visit = [item for item in successors[first] if item != last]
    while to_visit:
        item = to_visit.pop()
        if item not in inside:
            inside.add(item)
            to_visit += [other for other in successors[item] if other != last]
    return inside
