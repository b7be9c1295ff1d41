"""Tell whether a model is an encoder and a decoder with skips between them, as a U-Net is."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise

from kerasviz.model.architecture.dominators import Nesting, find_series
from kerasviz.model.architecture.elements import Architecture, Node

MIN_SKIPS = 2
"""How many skips a U has, at least."""
_ENLARGES = re.compile(r"UpSampling|Transpose|Resizing|DepthToSpace|PixelShuffle")

Pair = tuple[int, int]
Levels = tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]


def find_levels(architecture: Architecture) -> Levels:
    """Return the items of each level of a U, from the outermost to the bottom; () of all else.

    A skip leads from a box before the bottom to a merge after it, in which all has the same height
    and width, while what is between is smaller. Each skip is inside the one before, and all that
    leads from one end to the next goes through it.

    Args:
        architecture: An architecture; items in frames count as their frame.

    Returns:
        For each level the items on the way down and those on the way up. But for the bottom, a skip
        leads from the last on the way down to the first on the way up.
    """
    if any(node.is_open for node in architecture.nodes):
        return ()
    nesting = Nesting(architecture)
    items, pairs, ends = nesting.graph(None)
    sizes = _sizes(architecture, {item: nesting.deep([item]) for item in items}, pairs)
    skips = _find_skips(items, pairs, sizes)
    if len(skips) < MIN_SKIPS:
        return ()
    others = [pair for pair in pairs if pair not in set(skips)]
    series = find_series(items, others, ends)
    main = next((x for x in series if any(skips[0][0] in s.items for s in x)), [])
    if sum(len(segment.items) for segment in main) < len(items):
        return ()
    position = {segment.items[-1]: index for index, segment in enumerate(main)}
    if not all(item in position for skip in skips for item in skip):
        return ()
    spans = [segment.items for segment in main]
    return _split(spans, [(position[a], position[b]) for a, b in skips], sizes)


def _split(
    spans: Sequence[tuple[int, ...]], skips: Sequence[Pair], sizes: dict[int, float]
) -> Levels:
    """Return the levels of a series of segments, given where the ends of skips are in it."""

    def join(start: int, stop: int) -> tuple[int, ...]:
        return tuple(item for span in spans[start:stop] for item in span)

    levels, start, stop = [], 0, len(spans)
    for a, b in skips:
        # A merge is the last of its segment, in which nothing else may be.
        if len(spans[b]) > 1:
            return ()
        levels.append((join(start, a + 1), join(b, stop)))
        start, stop = a + 1, b
    if start >= stop:
        return ()
    least = min(sizes[span[-1]] for span in spans[start:stop])
    turn = max(index for index in range(start, stop) if sizes[spans[index][-1]] == least) + 1
    levels.append((join(start, turn), join(turn, stop)))
    return tuple(levels)


def _find_skips(items: Sequence[int], pairs: Sequence[Pair], sizes: dict[int, float]) -> list[Pair]:
    """Return the skips over something smaller, from the outermost; [] if they are not nested."""
    index = {item: position for position, item in enumerate(items)}
    sources: dict[int, list[int]] = {}
    for a, b in pairs:
        sources.setdefault(b, []).append(a)
    skips = []
    for a, b in pairs:
        others = [x for x in sources[b] if x != a]
        between = items[index[a] + 1 : index[b]]
        # What joins a skip has its size too: an excitation, which is a single value, has not.
        joins = bool(others) and all(sizes[x] == sizes[b] for x in others)
        if joins and between and sizes[a] == sizes[b] > min(sizes[x] for x in between):
            skips.append((a, b))
    skips.sort(key=lambda pair: index[pair[0]])
    ends = [(index[a], index[b]) for a, b in skips]
    nested = all(a < c < d < b for (a, b), (c, d) in pairwise(ends))
    return skips if nested else []


def _sizes(
    architecture: Architecture, deep: dict[int, list[int]], pairs: Sequence[Pair]
) -> dict[int, float]:
    """Return how many positions the output of each item has, relative to others of the model."""
    sources = {b: a for a, b in reversed(pairs)}  # the first that leads to each item
    sizes: dict[int, float] = {}
    for item, inside in deep.items():  # in the order in which they run
        nodes = [architecture.nodes[index] for index in inside if index >= 0]
        shapes = nodes[-1].output_shapes[:1] if nodes else ()
        shape = nodes[-1].parts[-1].without_channels(shapes[0])[1:] if shapes else ()
        if None in shape:  # a model for images of any size
            sizes[item] = sizes.get(sources.get(item, item), 1.0) * math.prod(map(_factor, nodes))
        else:
            sizes[item] = math.prod(size for size in shape if size)
    return sizes


def _factor(node: Node) -> float:
    """Return by how much the parts of a node change the length of an axis, by their settings."""
    factor = 1.0
    for part in node.parts:
        stride = re.search(r"stride (\d+)", part.settings)
        size = stride or re.match(r"(\d+)", part.settings)
        is_sized = stride or part.kind == "pooling or resizing"
        if size and is_sized:
            factor *= int(size[1]) ** (1 if _ENLARGES.search(part.title) else -1)
    return factor
