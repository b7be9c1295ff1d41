"""Find what follows one another in a graph: segments between boxes that all paths go through."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

from kerasviz.model.architecture.elements import Architecture

MAX_CELL = 16
"""Up to how many boxes are one cell without a look at whether it is several."""


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Items that only the last item of the segment before leads to, and only the last leads on.

    Args:
        items: The items in the order in which they run.
    """

    items: tuple[int, ...]


class Nesting:
    """Items directly in each frame of an architecture, and what leads to what there.

    Args:
        architecture: The architecture.
        hidden: Items that are left out.
    """

    def __init__(self, architecture: Architecture, hidden: Collection[int] = ()) -> None:
        self._architecture = architecture
        self._inside: dict[int | None, list[int]] = {}
        """The items directly in each frame, by its index, in the order in which they run."""
        nodes, frames = architecture.nodes, architecture.frames
        items = [(index, node.frame) for index, node in enumerate(nodes)]
        items += [(~index, frame.frame) for index, frame in enumerate(frames)]
        for item, frame in items:
            if item not in hidden:
                self._inside.setdefault(frame, []).append(item)
        self._first: dict[int, int] = {}
        for inside in self._inside.values():
            inside.sort(key=self._position)

    def _position(self, item: int) -> int:
        """Return the index of a node, and of the first node in a frame."""
        if item >= 0:
            return item
        if item not in self._first:
            inside = self._inside.get(~item, ())
            self._first[item] = min(map(self._position, inside), default=-1)
        return self._first[item]

    def deep(self, items: Iterable[int]) -> list[int]:
        """Return items and all that is in those that are frames."""
        rows: list[int] = []
        for item in items:
            rows.append(item)
            rows += self.deep(self._inside.get(~item, ())) if item < 0 else []
        return rows

    def graph(
        self, frame: int | None
    ) -> tuple[list[int], list[tuple[int, int]], tuple[set[int], set[int]]]:
        """Return the items directly in a frame, what leads to what, and the ends of both.

        The ends are the items that something outside leads to, and those that lead outside or are
        outputs of the model. What is in a frame inside counts as that frame.
        """
        items = self._inside.get(frame, [])
        holder = {inner: item for item in items for inner in self.deep([item])}
        outputs = self._architecture.outputs
        pairs: dict[tuple[int, int], None] = {}
        ends: tuple[set[int], set[int]] = set(), {holder[x] for x in outputs if x in holder}
        for a, b in (*self._architecture.edges, *self._architecture.order):
            upper, lower = holder.get(a), holder.get(b)
            if upper is not None and lower is not None:
                pairs.update({(upper, lower): None} if upper != lower else {})
            elif lower is not None:
                ends[0].add(lower)
            elif upper is not None:
                ends[1].add(upper)
        return items, list(pairs), ends


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


def find_cells(
    items: Sequence[int], pairs: Sequence[tuple[int, int]], ends: tuple[set[int], set[int]]
) -> list[tuple[int, ...]]:
    """Return what is between two boxes of which the second alone leads on.

    What is larger than `MAX_CELL` is split where boxes of several branches meet and together with
    the end of the cell before lead on, as in a network whose cells take the two before them.

    Args:
        items: The items in the order in which they run.
        pairs: Which item leads to which; the first of a pair runs before the second.
        ends: As for `find_series`.
    """
    index = {item: position for position, item in enumerate(items)}
    count = len(items)
    # Sets of items as the bits of a number, which is much faster than sets.
    sources, targets = [0] * count, [0] * count
    for a, b in pairs:
        if index[a] >= index[b]:
            return []
        sources[index[b]] |= 1 << index[a]
        targets[index[a]] |= 1 << index[b]
    for item in ends[1]:
        targets[index[item]] |= 1 << count
    upto: list[int] = []
    for position in range(count):
        before = [upto[other] for other in _bits(sources[position])]
        upto.append(reduce(int.__or__, before, 1 << position))
    used = [[other for other in _bits(inside) if targets[other] & ~inside] for inside in upto]
    chain: list[int] = []
    for position in sorted(range(count), key=lambda position: upto[position].bit_count()):
        done = upto[chain[-1]] if chain else 0
        if used[position] == [position] and done & upto[position] == done:
            if (upto[position] & ~done).bit_count() > MAX_CELL:
                is_merge = [source.bit_count() > 1 for source in sources]
                chain += _chain_of_pairs(chain[-1:], used, is_merge)
            chain.append(position)
    dones = [0, *(upto[position] for position in chain)]
    return [
        tuple(items[other] for other in _bits(inside & ~done)) for done, inside in pairwise(dones)
    ]


def _chain_of_pairs(
    start: Sequence[int], used: Sequence[Sequence[int]], is_merge: Sequence[bool]
) -> list[int]:
    """Return the longest chain of merges each of which leads on with the one before it alone.

    Args:
        start: The item before the first one, if there is one.
        used: Of all up to each item, those that lead on.
        is_merge: Whether each item has several sources.
    """
    chains: dict[int, list[int]] = {position: [] for position in start}
    for position, both in enumerate(used):
        others = [other for other in both if other != position]
        if is_merge[position] and len(both) == 2 and len(others) == 1 and others[0] in chains:
            chains[position] = [*chains[others[0]], position]
    return max(chains.values(), key=len, default=[])


def _bits(number: int) -> Iterator[int]:
    """Yield the positions of the bits that are 1, the lowest first."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


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
