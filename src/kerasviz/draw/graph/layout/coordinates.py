"""Choose how far right each node of a layered layout is.

Nodes that one straight line connects are a block, which moves as a whole. Blocks are attracted by
what they are connected to, and keep their distances as in Dwyer, Marriott and Stuckey, "Fast Node
Overlap Removal", 2005, doi:10.1007/11618058_15.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kerasviz.draw.graph.layout.ranks import topological_order
from kerasviz.draw.graph.layout.row_order import LayoutNode, Segment

BOX_GAP, DUMMY_GAP = 16.0, 9.0
"""Least distance of two boxes side by side, and of a line from what is beside it."""
MAX_SWEEPS, STRIDE = 60, 0.6
"""How often blocks are moved, at most, and which part of the way to where they are attracted."""
WEAK = 0.1
"""How strongly a line past boxes attracts, against 1 for one between boxes."""


def assign_coordinates(rows: Sequence[Sequence[LayoutNode]]) -> None:
    """Give each node its x, from 0: chains are straight, lines short, and nothing overlaps."""
    blocks = _Blocks(rows)
    separations: dict[tuple[int, int], float] = {}
    for row in rows:
        for a, b in pairwise(row):
            gap = BOX_GAP if a.item and b.item else DUMMY_GAP
            distance = (a.width + b.width) / 2 + gap + blocks.offset[a] - blocks.offset[b]
            pair = blocks.index[a], blocks.index[b]
            separations[pair] = max(separations.get(pair, -np.inf), distance)
    x = solve_positions(blocks.count, separations, blocks.attractions(rows))
    for node, block in blocks.index.items():
        node.x = x[block] + blocks.offset[node]
    left = min((node.x - node.width / 2 for node in blocks.index), default=0.0)
    for node in blocks.index:
        node.x -= left


@dataclass(frozen=True, kw_only=True)
class Attraction:
    """How far right of the first block the second is drawn, and how strongly."""

    first: int
    second: int
    offset: float
    strength: float


class _Blocks:
    """The index of each node's block, and how far right of its block's position the node is."""

    def __init__(self, rows: Sequence[Sequence[LayoutNode]]) -> None:
        straight = _straight_segments(rows)
        self.index: dict[LayoutNode, int] = {}
        self.offset: dict[LayoutNode, float] = {}
        self.count = 0
        for node in (node for row in rows for node in row):
            segment = straight.get(node)
            if segment is None:
                self.index[node], self.offset[node] = self.count, 0.0
                self.count += 1
            else:
                self.index[node] = self.index[segment.upper]
                self.offset[node] = self.offset[segment.upper] + segment.start - segment.stop

    def attractions(self, rows: Sequence[Sequence[LayoutNode]]) -> list[Attraction]:
        """Return how the blocks attract one another."""
        with_boxes = {self.index[node] for node in self.index if node.item}
        attractions = []
        for segment in (segment for row in rows for node in row for segment in node.outgoing):
            upper, lower = segment.upper, segment.lower
            a, b = self.index[upper], self.index[lower]
            if a != b:
                offset = self.offset[upper] + segment.start - self.offset[lower] - segment.stop
                strength = 1.0 if {a, b} <= with_boxes else WEAK
                attractions.append(Attraction(first=a, second=b, offset=offset, strength=strength))
        return attractions


def _straight_segments(rows: Sequence[Sequence[LayoutNode]]) -> dict[LayoutNode, Segment]:
    """Choose which segments are vertical, by their lower nodes: those that both ends prefer."""
    straight: dict[LayoutNode, Segment] = {}
    for row, below in pairwise(rows):
        index = {node: i for i, node in enumerate((*row, *below))}
        preferences = [_main(node.outgoing, _length_down) for node in row]
        candidates = [
            segment
            for segment in preferences
            if segment is not None and _main(segment.lower.incoming, _length_up) is segment
        ]
        # Of two that cross, only one can be straight. A line past boxes comes first, since a bend
        # in it is seen more easily than one between two boxes.
        candidates.sort(key=lambda segment: segment.upper.item is not None)
        pairs: list[tuple[int, int]] = []
        for segment in candidates:
            a, b = index[segment.upper], index[segment.lower]
            if all((a < c) == (b < d) for c, d in pairs):
                pairs.append((a, b))
                straight[segment.lower] = segment
    return straight


def _main(segments: Sequence[Segment], length: Callable[[Segment], int]) -> Segment | None:
    """Return the segment that is to be straight: the only one, or that to the longest chain.

    `None` where no chain is longer, or there are three, so that the node belongs in the middle.
    """
    if len(segments) == 1:
        return segments[0]
    chains = sorted((segment for segment in segments if length(segment)), key=length)
    if len(chains) == 2 and length(chains[0]) == length(chains[1]):
        return None
    return chains[-1] if 1 <= len(chains) <= 2 else None


def _length_down(segment: Segment) -> int:
    """Return how many boxes follow one another below a segment; a line past boxes has none."""
    return _length(segment.lower, lambda n: n.incoming, lambda n: [s.lower for s in n.outgoing])


def _length_up(segment: Segment) -> int:
    return _length(segment.upper, lambda n: n.outgoing, lambda n: [s.upper for s in n.incoming])


def _length(
    node: LayoutNode,
    back: Callable[[LayoutNode], list[Segment]],
    onward: Callable[[LayoutNode], list[LayoutNode]],
) -> int:
    length = 0
    while len(back(node)) < 2:
        length += node.item is not None
        ahead = onward(node)
        if len(ahead) != 1:
            break
        node = ahead[0]
    return length


def solve_positions(
    count: int, separations: dict[tuple[int, int], float], attractions: Sequence[Attraction]
) -> list[float]:
    """Return positions of blocks that keep their distances, near to where they are attracted.

    Args:
        count: Number of blocks.
        separations: For pairs of blocks, the least distance from the first to the second.
        attractions: How blocks attract one another.
    """
    order = topological_order(count, separations)
    left_of: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    for (a, b), distance in separations.items():
        left_of[b].append((a, distance))
    x = _separate(order, left_of, np.zeros(count), np.ones(count))
    first = np.array([attraction.first for attraction in attractions], int)
    second = np.array([attraction.second for attraction in attractions], int)
    offset = np.array([attraction.offset for attraction in attractions], float)
    strength = np.array([attraction.strength for attraction in attractions], float)
    total = np.bincount(first, strength, count) + np.bincount(second, strength, count)
    weights = np.where(total > 0, total, 1.0)
    for _ in range(MAX_SWEEPS):
        # Projected gradient descent: every block moves towards where its lines would be vertical,
        # and what then overlaps is moved apart again. A whole step would overshoot, since both ends
        # of a line move at once.
        deviation = strength * (x[first] + offset - x[second])
        force = np.bincount(second, deviation, count) - np.bincount(first, deviation, count)
        moved = _separate(order, left_of, x + STRIDE * force / weights, weights)
        is_done = np.abs(moved - x).max(initial=0.0) < 0.01
        x = moved
        if is_done:
            break
    positions: list[float] = x.tolist()
    for block in order:  # what rounding left a hair too close
        positions[block] = max([positions[block], *(positions[a] + d for a, d in left_of[block])])
    return positions


@dataclass
class _Group:
    """Blocks that touch, and move together."""

    members: list[int]
    position: float
    weight: float


def _separate(
    order: Sequence[int],
    left_of: Sequence[Sequence[tuple[int, float]]],
    targets: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """Return positions that keep their distances, near to the targets.

    Args:
        order: The blocks, each after all those on its left.
        left_of: For each block, those on its left and the distance from them.
        targets: Where each block is attracted to.
        weights: How strongly.
    """
    # Blocks are added from left to right. One that is too close to a group becomes part of it, at
    # exactly the least distance, and the group moves to the weighted mean of what its members want:
    # the least-squares solution for blocks that must touch. A group that moved left may now be too
    # close to others, so this repeats until nothing is, the worst violation first. Groups are never
    # divided again, which the full algorithm of the paper does: it is seldom needed, and slow.
    groups = [_Group([block], targets[block], weights[block]) for block in range(len(order))]
    group_of, offset = list(range(len(order))), [0.0] * len(order)

    def position(block: int) -> float:
        # The position of a group is that of its first member: others are at an offset from it.
        return groups[group_of[block]].position + offset[block]

    def largest_overlap(current: int) -> tuple[int, int, float] | None:
        """Return the blocks that overlap most, the right one in a group, and their distance."""
        worst, pair = 1e-9, None
        for b in groups[current].members:
            for a, distance in left_of[b]:
                if group_of[a] != current:
                    overlap = position(a) + distance - groups[current].position - offset[b]
                    if overlap > worst:
                        worst, pair = overlap, (a, b, distance)
        return pair

    for block in order:
        current = block
        while (pair := largest_overlap(current)) is not None:
            group = groups[current]
            a, b, distance = pair
            left, shift = groups[group_of[a]], offset[a] + distance - offset[b]
            total = left.weight + group.weight
            sum_ = left.weight * left.position + group.weight * (group.position - shift)
            left.position, left.weight = sum_ / total, total
            for member in group.members:
                offset[member] += shift
                group_of[member] = group_of[a]
            left.members += group.members
            current = group_of[a]
    return np.array([position(block) for block in range(len(order))])
