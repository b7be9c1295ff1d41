"""Merge layers into one box: those that only finish another's work, or whole cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from kerasviz.model.architecture.dominators import Nesting, find_cells
from kerasviz.model.architecture.elements import Architecture, Node, Part
from kerasviz.model.architecture.layer_words import CELL, FINISHING, POOLING

FINISHED_KINDS = ("convolution", "dense", "merge", FINISHING)
"""The kinds of layers after which a normalization, an activation or a dropout joins their box."""

MIN_CELL = 4
"""From how many boxes on what is between two others is a cell."""


def merge_chains(architecture: Architecture) -> Architecture:
    """Put layers that only finish another's work into its box.

    A normalization, an activation or a dropout joins the convolution, dense layer, merge or
    normalization that it follows, a reshape the pooling, and a convolution joins the padding before
    it. So it is where
    the one alone takes the other's only output, both are in the same frame, and the model does
    not return what is between them.
    """
    # Of the 177 layers of ResNet50 most are a normalization or an activation, about which there is
    # little to say: merged, it has 74 boxes, and its blocks can be seen. Nothing is hidden by that,
    # since what is between merged layers leads nowhere else.
    nodes = architecture.nodes
    consumers = Counter(a for a, _ in architecture.edges)
    producers = Counter(b for _, b in architecture.edges)
    leader = list(range(len(nodes)))
    for a, b in sorted(architecture.edges):  # so a leader is known before what follows it
        is_chain = a >= 0 <= b and consumers[a] == producers[b] == 1 and not nodes[b].is_open
        if is_chain and a not in architecture.outputs and _belongs(nodes[a], nodes[b]):
            leader[b] = leader[a]
    parts: dict[int, list[Part]] = {}
    for node, first in zip(nodes, leader, strict=True):
        parts.setdefault(first, []).extend(node.parts)
    index_of = {first: index for index, first in enumerate(parts)}
    merged = {old: index_of[first] for old, first in enumerate(leader)}

    def reindex(pairs: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
        """Return pairs of merged nodes; frames, whose items are negative, stay what they are."""
        items = [(merged.get(a, a), merged.get(b, b)) for a, b in pairs]
        return tuple(dict.fromkeys((a, b) for a, b in items if a != b))

    return replace(
        architecture,
        nodes=tuple(replace(nodes[first], parts=tuple(parts[first])) for first in parts),
        edges=reindex(architecture.edges),
        order=reindex(architecture.order),
        inputs=tuple(merged[item] for item in architecture.inputs),
        outputs=tuple(merged.get(item, item) for item in architecture.outputs),
    )


def merge_cells(architecture: Architecture) -> Architecture:
    """Put what is between two boxes that all of a model goes through into one box, a cell.

    What holds a frame, or a box whose input has an unknown source, stays as it is.
    """
    nodes, cell_of = list(architecture.nodes), dict[int, int]()
    nesting = Nesting(architecture)
    for frame in (None, *range(len(architecture.frames))):
        for items in find_cells(*nesting.graph(frame)):
            if len(items) < MIN_CELL or any(i < 0 or nodes[i].is_open for i in items):
                continue
            if set(items) & set(architecture.inputs):
                continue
            nodes[items[-1]] = _cell([nodes[item] for item in items])
            cell_of |= dict.fromkeys(items, items[-1])

    def reindex(pairs: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
        merged = [(cell_of.get(a, a), cell_of.get(b, b)) for a, b in pairs]
        return tuple(dict.fromkeys((a, b) for a, b in merged if a != b))

    merged = replace(
        architecture,
        nodes=tuple(nodes),
        edges=reindex(architecture.edges),
        order=reindex(architecture.order),
    )
    rest = [i for i in range(len(nodes)) if cell_of.get(i, i) == i]
    return merged.select(rest, range(len(architecture.frames)))


def _cell(nodes: Sequence[Node]) -> Node:
    """Return one box for several; its settings count the layers that it is about."""
    parts = [part for node in nodes for part in node.parts]
    counts = Counter(node.head.title for node in nodes).most_common()
    words = [title if count == 1 else f"{count} {title}" for title, count in counts]
    weighted = [part for part in parts if part.parameters]
    cell = replace(
        parts[-1],
        title=f"Cell of {len(parts)} layers",
        kind=CELL,
        settings=", ".join(words),
        activation="",
        parameters=sum(part.parameters for part in parts),
        frozen=sum(part.frozen for part in parts),
        is_frozen=bool(weighted) and all(part.is_frozen for part in weighted),
        shares_with="",
        structure=tuple((part.structure, part.settings) for part in parts),
        weights=tuple(part.weights for part in parts),
    )
    return replace(nodes[-1], parts=(cell,))


def _belongs(node: Node, follower: Node) -> bool:
    """Whether a node goes into the box of the one before it."""
    last, first = node.parts[-1], follower.parts[0]
    if node.frame != follower.frame or len(last.output_shapes) != 1:
        return False
    if not (last.is_layer and first.is_layer):
        return False
    if last.is_padding:
        return first.kind == "convolution"
    if first.title == "Reshape":
        return last.kind == POOLING
    return first.kind == FINISHING and last.kind in FINISHED_KINDS
