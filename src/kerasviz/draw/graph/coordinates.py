"""Places in the rows of a layered layout: how far right each cell stands.

Cells that one straight line joins are a block, which moves as a whole. Blocks are drawn to what
they are joined to, and keep their distances as in Dwyer, Marriott and Stuckey, "Fast Node Overlap
Removal", 2005, doi:10.1007/11618058_15.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from kerasviz.draw.graph.rows import Cell, Joint, topological_order

BOX_GAP, LANE_GAP = 16.0, 9.0
"""Least distance of two boxes side by side, and of a line from what is beside it."""
SWEEPS, STRIDE = 60, 0.6
"""How often blocks are moved, and how far on the way to where they are drawn."""
WEAK = 0.1
"""How strongly a line past boxes draws, against 1 for one between boxes."""


def place_cells(rows: Sequence[Sequence[Cell]]) -> None:
    """Give each cell its x, from 0: chains are straight, lines short, and nothing overlaps."""
    blocks = _Blocks(rows)
    apart: dict[tuple[int, int], float] = {}
    for row in rows:
        for a, b in pairwise(row):
            gap = BOX_GAP if a.item and b.item else LANE_GAP
            distance = (a.width + b.width) / 2 + gap + blocks.shift[a] - blocks.shift[b]
            pair = blocks.number[a], blocks.number[b]
            apart[pair] = max(apart.get(pair, -np.inf), distance)
    x = settle(blocks.count, apart, blocks.pulls(rows))
    for cell, number in blocks.number.items():
        cell.x = x[number] + blocks.shift[cell]
    left = min((cell.x - cell.width / 2 for cell in blocks.number), default=0.0)
    for cell in blocks.number:
        cell.x -= left


class Pull(NamedTuple):
    """How far right of the first block the second is drawn, and how strongly."""

    first: int
    second: int
    offset: float
    strength: float


class _Blocks:
    """The block of each cell, and how far right of its block's position it stands."""

    def __init__(self, rows: Sequence[Sequence[Cell]]) -> None:
        straight = _straight_joints(rows)
        self.number: dict[Cell, int] = {}
        self.shift: dict[Cell, float] = {}
        self.count = 0
        for cell in (cell for row in rows for cell in row):
            joint = straight.get(cell)
            if joint is None:
                self.number[cell], self.shift[cell] = self.count, 0.0
                self.count += 1
            else:
                self.number[cell] = self.number[joint.upper]
                self.shift[cell] = self.shift[joint.upper] + joint.out - joint.into

    def pulls(self, rows: Sequence[Sequence[Cell]]) -> list[Pull]:
        """Return how the blocks are drawn to one another."""
        with_boxes = {self.number[cell] for cell in self.number if cell.item}
        pulls = []
        for joint in (joint for row in rows for cell in row for joint in cell.downs):
            a, b = self.number[joint.upper], self.number[joint.lower]
            offset = self.shift[joint.upper] + joint.out - self.shift[joint.lower] - joint.into
            if a != b:
                pulls.append(Pull(a, b, offset, 1.0 if {a, b} <= with_boxes else WEAK))
        return pulls


def _straight_joints(rows: Sequence[Sequence[Cell]]) -> dict[Cell, Joint]:
    """Choose which joints are vertical, by their lower cells: those that both ends prefer."""
    straight: dict[Cell, Joint] = {}
    for row, below in pairwise(rows):
        place = {cell: i for i, cell in enumerate((*row, *below))}
        kept: list[tuple[int, int]] = []
        found = [joint for cell in row if (joint := _main(cell.downs, _length_down)) is not None]
        found = [joint for joint in found if _main(joint.lower.ups, _length_up) is joint]
        for joint in sorted(found, key=lambda j: j.upper.item is not None):  # lanes come first
            a, b = place[joint.upper], place[joint.lower]
            if all((a < c) == (b < d) for c, d in kept):  # two that cross cannot both be straight
                kept.append((a, b))
                straight[joint.lower] = joint
    return straight


def _main(joints: Sequence[Joint], length: Callable[[Joint], int]) -> Joint | None:
    """Return the joint that is to be straight: the only one, or that to the longest chain.

    `None` where no chain stands out, or there are three, so that the middle is the place to be.
    """
    if len(joints) == 1:
        return joints[0]
    chains = sorted((joint for joint in joints if length(joint)), key=length)
    if len(chains) == 2 and length(chains[0]) == length(chains[1]):
        return None
    return chains[-1] if 1 <= len(chains) <= 2 else None


def _length_down(joint: Joint) -> int:
    """Return how many boxes follow one another below a joint; a line past boxes has none."""
    return _length(joint.lower, lambda cell: cell.ups, lambda cell: [j.lower for j in cell.downs])


def _length_up(joint: Joint) -> int:
    return _length(joint.upper, lambda cell: cell.downs, lambda cell: [j.upper for j in cell.ups])


def _length(
    cell: Cell, back: Callable[[Cell], list[Joint]], onward: Callable[[Cell], list[Cell]]
) -> int:
    length = 0
    while len(back(cell)) < 2:
        length += cell.item is not None
        ahead = onward(cell)
        if len(ahead) != 1:
            break
        cell = ahead[0]
    return length


def settle(count: int, apart: dict[tuple[int, int], float], pulls: Sequence[Pull]) -> list[float]:
    """Return positions of blocks that keep their distances, near to where they are drawn.

    Args:
        count: Number of blocks.
        apart: For pairs of blocks, the least distance from the first to the second.
        pulls: How blocks are drawn to one another.
    """
    order = topological_order(count, apart)
    before: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    for (a, b), distance in apart.items():
        before[b].append((a, distance))
    x = _separate(order, before, np.zeros(count), np.ones(count))
    first, second = (np.array([pull[i] for pull in pulls], int) for i in (0, 1))
    offset, strength = (np.array([pull[i] for pull in pulls], float) for i in (2, 3))
    total = np.bincount(first, strength, count) + np.bincount(second, strength, count)
    weights = np.where(total > 0, total, 1.0)
    for _ in range(SWEEPS):
        lacking = strength * (x[first] + offset - x[second])
        force = np.bincount(second, lacking, count) - np.bincount(first, lacking, count)
        moved = _separate(order, before, x + STRIDE * force / weights, weights)
        is_done = np.abs(moved - x).max(initial=0.0) < 0.01
        x = moved
        if is_done:
            break
    positions: list[float] = x.tolist()
    for block in order:  # what rounding left a hair too close
        positions[block] = max([positions[block], *(positions[a] + d for a, d in before[block])])
    return positions


@dataclass
class _Group:
    """Blocks that touch, and move together."""

    members: list[int]
    position: float
    weight: float


def _separate(
    order: Sequence[int],
    before: Sequence[Sequence[tuple[int, float]]],
    wanted: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """Return positions that keep their distances, near to those that are wanted.

    From left to right, blocks that are too close become one group, which stands where its members
    want to be on average; the worst offence comes first.

    Args:
        order: The blocks, each behind all those on its left.
        before: For each block, those on its left and the distance from them.
        wanted: Where each block wants to be.
        weights: How strongly.
    """
    groups = [_Group([block], wanted[block], weights[block]) for block in range(len(order))]
    member_of, offset = list(range(len(order))), [0.0] * len(order)
    for block in order:
        number = block
        while True:
            group = groups[number]
            worst, pair = 1e-9, None
            for b in group.members:
                for a, distance in before[b]:
                    if member_of[a] != number:
                        end = groups[member_of[a]].position + offset[a] + distance
                        if end - group.position - offset[b] > worst:
                            worst, pair = end - group.position - offset[b], (a, b, distance)
            if pair is None:
                break
            a, b, distance = pair
            left, shift = groups[member_of[a]], offset[a] + distance - offset[b]
            total = left.weight + group.weight
            sum_ = left.weight * left.position + group.weight * (group.position - shift)
            left.position, left.weight = sum_ / total, total
            for member in group.members:
                offset[member] += shift
                member_of[member] = member_of[a]
            left.members += group.members
            number = member_of[a]
    return np.array([groups[member_of[b]].position + offset[b] for b in range(len(order))])
