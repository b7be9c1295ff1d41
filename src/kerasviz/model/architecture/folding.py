"""Fold blocks that repeat into one that says how often, where all of them are built alike."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from kerasviz.model.architecture.dominators import Nesting, Segment, find_series
from kerasviz.model.architecture.elements import Architecture, Fold, Frame, Node, Part

MIN_GROWING = 3
"""How often a block has to repeat that differs from the next in its numbers of channels."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """Blocks that follow one another and are alike.

    Args:
        blocks: The items directly in each block, as in `Architecture.edges`, in the same order.
    """

    blocks: tuple[tuple[int, ...], ...]

    @property
    def saved(self) -> int:
        """How many items folding it saves."""
        return (len(self.blocks) - 1) * len(self.blocks[0])


def fold_repeats(architecture: Architecture) -> Architecture:
    """Fold each block that is followed by others like it, in every frame and outside.

    Blocks are alike where they have layers of the same classes, with the same settings, weights of
    the same shapes, outputs of the same shapes, all trained or all frozen alike, and connected
    in the same way; the rate of a dropout may differ. Of blocks that concatenate what they take
    and what they make of it, as a dense block does, the number of channels may grow.

    Boxes whose inputs have an unknown source are left alone: nobody knows that they are alike.
    """
    folder = _Folder(architecture)
    frames: list[int | None] = [None, *range(len(architecture.frames))]
    for frame in frames:  # which grows: a folded block may hold blocks that repeat
        frames += folder.fold_inside(frame)
    return folder.folded()


class _Folder:
    """An architecture whose blocks are folded, frame by frame; what is hidden stays until the end.

    An item is the index of a node, or `~index` of a frame, as in `Architecture.edges`.
    """

    def __init__(self, architecture: Architecture) -> None:
        self._architecture = architecture
        self._hidden: set[int] = set()

    def fold_inside(self, frame: int | None) -> list[int]:
        """Fold the blocks directly in a frame, and return the frames that are made for them."""
        if frame is not None and ~frame in self._hidden:
            return []
        count = len(self._architecture.frames)
        for run in self._runs(frame):
            self._fold(run, frame)
        return list(range(count, len(self._architecture.frames)))

    def _runs(self, frame: int | None) -> list[Run]:
        """Return the runs directly in a frame, none inside another, the largest first."""
        facts = _Facts(self._architecture, self._hidden)
        runs = [run for series in facts.series(frame) for run in _runs_of(series, facts)]
        chosen: list[Run] = []
        used: set[int] = set()
        for run in sorted(runs, key=lambda run: -sum(map(len, run.blocks))):
            items = {item for block in run.blocks for item in block}
            # Of a run inside another, all but the first block may be about to be hidden.
            if not items & used:
                chosen.append(run)
                used |= {item for run_item in items for item in facts.deep([run_item])}
        return chosen

    def _fold(self, run: Run, frame: int | None) -> None:
        """Put the blocks of a run into the first one, and the edges between blocks nowhere."""
        architecture = self._architecture
        facts = _Facts(architecture, self._hidden)
        deep = [facts.deep(block) for block in run.blocks]
        twin = {item: first for block in deep for item, first in zip(block, deep[0], strict=True)}
        block_of = {item: number for number, block in enumerate(deep) for item in block}
        hidden = {item for block in deep[1:] for item in block}
        nodes, frames = list(architecture.nodes), list(architecture.frames)
        for item, *others in zip(*deep, strict=True):
            if item >= 0:
                nodes[item] = nodes[item].standing_for([nodes[other] for other in others])
            else:
                frames[~item] = frames[~item].standing_for([frames[~other] for other in others])
        _mark_block(run.blocks[0], facts.fold(run), frame, nodes=nodes, frames=frames)

        def fold_pairs(pairs: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
            return tuple(
                dict.fromkeys(
                    (twin.get(a, a), twin.get(b, b))
                    for a, b in pairs
                    # What leads from one block to the next would lead from the first to itself.
                    if b not in hidden or block_of.get(a) == block_of[b]
                )
            )

        self._hidden |= hidden
        self._architecture = replace(
            architecture,
            nodes=tuple(nodes),
            frames=tuple(frames),
            edges=fold_pairs(architecture.edges),
            order=fold_pairs(architecture.order),
            outputs=tuple(dict.fromkeys(twin.get(item, item) for item in architecture.outputs)),
        )

    def folded(self) -> Architecture:
        """Return the architecture without what is hidden, each frame after that around it."""
        architecture = self._architecture
        nodes = [i for i in range(len(architecture.nodes)) if i not in self._hidden]
        frames = [i for i in range(len(architecture.frames)) if ~i not in self._hidden]
        frames.sort(key=lambda frame: _depth(architecture, frame))
        return architecture.select(nodes, frames)


def _mark_block(
    block: Sequence[int], fold: Fold, frame: int | None, *, nodes: list[Node], frames: list[Frame]
) -> None:
    """Put a fold on the one item of a block, or on a frame around several that is added."""
    first = block[0]
    if len(block) == 1 and first >= 0:
        nodes[first] = replace(nodes[first], fold=fold)
    elif len(block) == 1:
        frames[~first] = replace(frames[~first], fold=fold)
    else:
        frames.append(Frame(part=None, frame=frame, fold=fold))
        for item in block:
            if item >= 0:
                nodes[item] = replace(nodes[item], frame=len(frames) - 1)
            else:
                frames[~item] = replace(frames[~item], frame=len(frames) - 1)


def _depth(architecture: Architecture, frame: int | None) -> int:
    return 0 if frame is None else 1 + _depth(architecture, architecture.frames[frame].frame)


def _runs_of(series: Sequence[Segment], facts: _Facts) -> list[Run]:
    """Return the runs of a series of segments: those that save most, then those beside them."""
    strict = [facts.key(segment, grows=False) for segment in series]
    runs = _longest_runs(series, _numbered(strict), 2)
    used = {item for run in runs for block in run.blocks for item in block}
    # A segment that is in a run already is like no other here.
    loose = [
        object() if used & set(segment.items) else facts.key(segment, grows=True)
        for segment in series
    ]
    growing = _longest_runs(series, _numbered(loose), MIN_GROWING)
    return runs + [run for run in growing if facts.is_growing(run)]


def _numbered(keys: Iterable[Hashable]) -> list[int]:
    """Return a small number for each key, the same for equal ones."""
    index: dict[Hashable, int] = {}
    return [index.setdefault(key, len(index)) for key in keys]


def _longest_runs(series: Sequence[Segment], keys: Sequence[int], least: int) -> list[Run]:
    """Return runs of units of one segment or several, each repeated `least` times or more."""
    best, span = None, (0, 0)
    for start in range(len(keys)):
        for length in range(1, (len(keys) - start) // least + 1):
            count = _count_repeats(keys, start, length)
            if count < least:
                continue
            stops = range(start, start + count * length, length)
            blocks = tuple(_items(series[stop : stop + length]) for stop in stops)
            run = Run(blocks=blocks)
            if best is None or run.saved > best.saved:
                best, span = run, (start, start + count * length)
    if best is None:
        return []
    before = _longest_runs(series[: span[0]], keys[: span[0]], least)
    return [*before, best, *_longest_runs(series[span[1] :], keys[span[1] :], least)]


def _count_repeats(keys: Sequence[int], start: int, length: int) -> int:
    unit, count = keys[start : start + length], 1
    while keys[start + count * length : start + (count + 1) * length] == unit:
        count += 1
    return count


def _items(segments: Iterable[Segment]) -> tuple[int, ...]:
    return tuple(item for segment in segments for item in segment.items)


class _Facts:
    """Keys by which the segments of an architecture are compared."""

    def __init__(self, architecture: Architecture, hidden: set[int]) -> None:
        self._architecture = architecture
        self._nesting = Nesting(architecture, hidden)
        self.deep = self._nesting.deep

    def series(self, frame: int | None) -> list[list[Segment]]:
        """Return the series of segments directly in a frame."""
        return find_series(*self._nesting.graph(frame))

    @cached_property
    def _sources(self) -> dict[int, list[tuple[str, int]]]:
        """Return the sources of each item, in the order of its inputs."""
        sources: dict[int, list[tuple[str, int]]] = {}
        for kind, pairs in (
            ("edge", self._architecture.edges),
            ("order", self._architecture.order),
        ):
            for a, b in pairs:
                sources.setdefault(b, []).append((kind, a))
        return sources

    @cached_property
    def _targets(self) -> dict[int, list[int]]:
        targets: dict[int, list[int]] = {}
        for a, b in self._architecture.edges:
            targets.setdefault(a, []).append(b)
        for item in self._architecture.outputs:
            targets.setdefault(item, []).append(self._end)
        return targets

    @property
    def _end(self) -> int:
        """Return the item that stands for whatever takes the outputs of the model."""
        return len(self._architecture.nodes)

    def key(self, segment: Segment, *, grows: bool) -> Hashable:
        """Return what is equal for segments that are alike.

        Args:
            segment: A segment.
            grows: Whether the numbers of channels may differ.
        """
        if any(self._is_open(item) for item in segment.items):
            return object()
        deep = self.deep(segment.items)
        index = {item: position for position, item in enumerate(deep)}
        outside: dict[int, int] = {}
        keys = []
        for item in deep:
            sources = [
                (kind, index[a] if a in index else ~outside.setdefault(a, len(outside)))
                for kind, a in self._sources.get(item, ())
            ]
            targets = self._targets.get(item, ())
            leads_out = any(b not in index for b in targets)
            # What is returned and used further is marked, and must not be taken for another.
            is_marked = self._end in targets and len(targets) > 1
            keys.append((self._own_key(item, grows), tuple(sources), leads_out, is_marked))
        return tuple(keys)

    def _is_open(self, item: int) -> bool:
        frames, nodes = self._architecture.frames, self._architecture.nodes
        return frames[~item].is_open if item < 0 else nodes[item].is_open

    def _own_key(self, item: int, grows: bool) -> Hashable:
        if item < 0:
            frame = self._architecture.frames[~item]
            part = frame.part
            own = () if part is None else (part.structure, part.is_frozen, part.shares_with)
            return "frame", own
        node = self._architecture.nodes[item]
        parts = tuple(
            (
                part.structure,
                part.is_frozen,
                part.shares_with,
                *(() if grows else (part.weights, part.parameters, part.frozen)),
                tuple(map(part.without_channels, part.output_shapes))
                if grows
                else part.output_shapes,
            )
            for part in node.parts
        )
        return parts, node.is_open

    def fold(self, run: Run) -> Fold:
        """Return what the blocks of a run are, and how many weights they have."""
        nodes, frames = self._architecture.nodes, self._architecture.frames

        def part(item: int) -> Node | Part | None:
            return nodes[item] if item >= 0 else frames[~item].part

        return Fold(
            addresses=tuple(
                tuple(nodes[item].head.address for item in self.deep(block) if item >= 0)
                for block in run.blocks
            ),
            parameters=tuple(
                sum(x.parameters for x in map(part, block) if x) for block in run.blocks
            ),
            frozen=tuple(sum(x.frozen for x in map(part, block) if x) for block in run.blocks),
        )

    def is_growing(self, run: Run) -> bool:
        """Whether each block adds channels to what it takes, and does so beside what it takes."""
        last = [block[-1] for block in run.blocks]
        if min(last) < 0 or len(run.blocks[0]) < 2:
            return False
        shapes = [self._architecture.nodes[item].output_shapes[0] for item in last]
        axis = self._architecture.nodes[last[0]].parts[-1].channel_axis
        channels = [shape[axis] or 0 for shape in shapes]
        merges = len(self._sources.get(last[0], ())) > 1
        return merges and all(a < b for a, b in pairwise(channels))
