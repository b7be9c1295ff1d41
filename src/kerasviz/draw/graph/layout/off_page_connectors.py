"""Put a number for a line that would run beside others over the page: it ends and goes on there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kerasviz.draw.graph.layout.ranks import rank, topological_order

MAX_PARALLEL = 2
"""How many long lines run side by side, at most."""
LONG_SKIP, LONG_BRANCH = 5, 9
"""From how many rows on a line is long: one beside another path, and the only path of a branch."""
TAG_HEIGHT, TAG_PAD, DIGIT, TAG_STUB = 9.0, 6.0, 4.4, 8.0
"""Sizes of a number: its height, the room around its letters, the width of one, and its line."""

Pair = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Tag:
    """A number beside a box, from which a line goes on at the same number elsewhere.

    Args:
        text: The number, or several.
        item: The box.
        is_start: Whether the line begins at the box, and does not end there.
        position: The middle of the number, x and y.
        width: Its width.
    """

    text: str
    item: int
    is_start: bool
    position: tuple[float, float]
    width: float

    def moved(self, x: float, y: float) -> Tag:
        """Return the same elsewhere."""
        return replace(self, position=(self.position[0] + x, self.position[1] + y))


def redundant_pairs(count: int, pairs: Iterable[Pair], order: Iterable[Pair] = ()) -> set[Pair]:
    """Return the pairs beside which there is a longer path: the skips.

    Args:
        count: Number of items.
        pairs: Which item leads to which.
        order: Further pairs, of which the first is before the second.
    """
    pairs = list(pairs)
    successors: dict[int, list[int]] = {}
    for a, b in pairs:
        successors.setdefault(a, []).append(b)
    reach = [0] * count  # as bits: the items that each item leads to
    for item in reversed(topological_order(count, [*pairs, *order])):
        for other in successors.get(item, ()):
            reach[item] |= reach[other] | 1 << other
    return {(a, b) for a, b in pairs if any(reach[other] >> b & 1 for other in successors[a])}


def find_jumps(
    count: int, pairs: Sequence[Pair], order: Sequence[Pair], *, exempt: Collection[Pair]
) -> set[Pair]:
    """Return the pairs whose lines would be the third of long ones side by side, or more.

    Args:
        count: Number of items.
        pairs: Which item leads to which.
        order: Further pairs, of which the first is before the second.
        exempt: Pairs whose lines have room elsewhere.
    """
    own = [pair for pair in pairs if pair not in exempt]
    ranks = rank(count, [*pairs, *order])
    skips = redundant_pairs(count, pairs, order)
    far: dict[int, list[int]] = {}
    for a, b in own:
        if ranks[b] - ranks[a] >= (LONG_SKIP if (a, b) in skips else LONG_BRANCH):
            far.setdefault(a, []).append(b)
    crowd = np.zeros(max(ranks, default=0) + 1, int)
    jumps: set[Pair] = set()
    # Lines from one source share their way. The shortest are drawn: there a line helps most.
    last = {a: max(ranks[b] for b in targets) for a, targets in far.items()}
    for a in sorted(far, key=lambda item: last[item] - ranks[item]):
        rows = slice(ranks[a], last[a])
        if crowd[rows].max() < MAX_PARALLEL:
            crowd[rows] += 1
        else:
            jumps.update((a, b) for b in far[a])
    return jumps


def number_jumps(jumps: Collection[Pair]) -> dict[tuple[int, bool], str]:
    """Return the number beside each box, by the box and whether it is where a line begins."""
    number = {source: index for index, source in enumerate(sorted({a for a, _ in jumps}), 1)}
    texts: dict[tuple[int, bool], list[int]] = {}
    for a, b in sorted(jumps):
        texts[a, True] = [number[a]]
        texts.setdefault((b, False), []).append(number[a])
    return {key: ", ".join(map(str, sorted(numbers))) for key, numbers in texts.items()}


def tag_room(tags: Mapping[tuple[int, bool], str], item: int, sideways: bool) -> float:
    """Return the room beside a box that its numbers need."""
    texts = [tags[key] for key in ((item, True), (item, False)) if key in tags]
    if not texts:
        return 0.0
    return TAG_STUB + (TAG_HEIGHT if sideways else max(map(_width, texts)))


def _width(text: str) -> float:
    return DIGIT * len(text) + TAG_PAD


def place_tags(
    tags: Mapping[tuple[int, bool], str], rects: np.ndarray, rooms: np.ndarray
) -> tuple[Tag, ...]:
    """Return where each number is: at the right of a box where a line begins, else at the left.

    Args:
        tags: The numbers, see `number_jumps`.
        rects: Left, top, width and height of each box.
        rooms: The room for numbers on each side of it.
    """
    placed = []
    for (item, is_start), text in tags.items():
        left, top, width, height = rects[item]
        aside = TAG_STUB + (rooms[item] - TAG_STUB) / 2
        x = left + width + aside if is_start else left - aside
        position = (float(x), float(top + height / 2))
        tag = Tag(text=text, item=item, is_start=is_start, position=position, width=_width(text))
        placed.append(tag)
    return tuple(placed)
