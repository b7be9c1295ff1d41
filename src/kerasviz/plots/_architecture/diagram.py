"""Put an architecture into boxes and frames, with their titles, details and remarks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from kerasviz._wording import write_count
from kerasviz.draw.graph.boxes import Diagram, FrameBox, Maps, NodeBox
from kerasviz.model.architecture.elements import Architecture, Fold, Frame, Node, Part
from kerasviz.model.architecture.encoder_decoder import find_levels
from kerasviz.model.architecture.layer_words import CELL
from kerasviz.plots._architecture.words import (
    common_start,
    one_line,
    short_count,
    span_names,
    spread_settings,
    spread_shape,
)

OPEN = (
    "Dotted arrow: the input comes from an operation outside any layer (such as x + y), so its "
    "source is unknown."
)


def describe_diagram(
    architecture: Architecture, pictures: Mapping[int, Maps], notes: list[str]
) -> Diagram:
    """Return the boxes and frames of an architecture, in words."""
    nodes, frames = architecture.nodes, architecture.frames
    around = [*(node.frame for node in nodes), *(frame.frame for frame in frames)]
    is_open = any(node.is_open for node in nodes) or any(frame.is_open for frame in frames)

    def index(item: int) -> int:
        """Return the index of a node, or of a frame: those go on from the last node."""
        return item if item >= 0 else len(nodes) + ~item

    if any(node.fold for node in nodes) or any(frame.fold for frame in frames):
        notes = [*notes, _explain_folds(bool(pictures))]
    if architecture.closed:
        notes = [*notes, _explain_closed(architecture)]
    return Diagram(
        boxes=tuple(_node_box(architecture, i, pictures.get(i)) for i in range(len(nodes))),
        frames=tuple(map(_frame_box, frames)),
        edges=tuple((index(a), index(b)) for a, b in architecture.edges),
        order=tuple((index(a), index(b)) for a, b in architecture.order),
        parents=tuple(None if frame is None else len(nodes) + frame for frame in around),
        title=_title(architecture),
        levels=tuple(
            (tuple(map(index, down)), tuple(map(index, up)))
            for down, up in find_levels(architecture)
        ),
        notes=(*notes, OPEN) if is_open else tuple(notes),
    )


def _explain_closed(architecture: Architecture) -> str:
    names = ", ".join(architecture.closed[:3])
    more = f" and {len(architecture.closed) - 3} more" if len(architecture.closed) > 3 else ""
    return (
        f"Not expanded: {names}{more}. What a composite layer calls is only known by tracing the "
        f"model, which failed: {architecture.failure.splitlines()[0]:.200}"
    )


def _title(architecture: Architecture) -> str:
    count, frozen = architecture.layers, architecture.frozen
    words = [f"{count} layer{'s' if count != 1 else ''}"]
    words.append(f"{architecture.parameters:,} parameters")
    if frozen:
        all_ = frozen == architecture.parameters
        words.append("all frozen" if all_ else f"{frozen:,} of them frozen")
    return one_line(f"{architecture.name}: {', '.join(words)}")


def _explain_folds(has_maps: bool) -> str:
    maps = ", and maps are those of the first" if has_maps else ""
    return (
        "×: blocks alike follow one another, of which one is drawn. Counts in it are those of one "
        f"block{maps}; fold=False draws every one."
    )


def _frame_box(frame: Frame) -> FrameBox:
    part, fold = frame.part, frame.fold
    if part is None and fold is None:  # which no frame is
        return FrameBox(title="")
    title, words = "", []
    if fold is not None:
        title = span_names(_block_names(fold))
        words = _fold_weights(fold)
    if part is not None:
        own = [part.title, part.settings]
        own += [] if fold else _weights(part.parameters, part.frozen)
        own += [f"weights of {part.shares_with}"] if part.shares_with else []
        title = f"{title or part.name}: {', '.join(own)}"
    return FrameBox(
        title=one_line(title),
        detail=one_line(", ".join(words)),
        count=1 if fold is None else len(fold.addresses),
        addresses=() if fold is None else tuple(block[-1] for block in fold.addresses),
        is_frozen=part is not None and part.is_frozen,
        is_open=frame.is_open,
    )


def _block_names(fold: Fold) -> list[str]:
    """Return a name for each block: what the names in it begin with, or that of its last box."""
    names = []
    for addresses in fold.addresses:
        common = common_start(list(addresses))
        if any(re.match(r"[^\W_]", address[len(common) :]) for address in addresses):
            common = common[: max(common.rfind("_"), common.rfind("/"), common.rfind("-")) + 1]
        names.append(common.strip("_/-"))
    is_told_apart = len(set(names)) == len(names) and all(names)
    return names if is_told_apart else [block[-1] for block in fold.addresses]


def _node_box(architecture: Architecture, index: int, maps: Maps | None) -> NodeBox:
    """Return the box of a node: it is named after its head, and the other parts are details."""
    node = architecture.nodes[index]
    head, position = node.head, node.parts.index(node.head)
    same = [node, *node.repeats]
    settings = [spread_settings(texts) for texts in zip(*map(_settings, same), strict=True)]
    words = [_words(part, text) for part, text in zip(node.parts, settings, strict=True)]
    details = [head.activation] if head.activation else []
    details += words[position + 1 :]
    title = f"{head.title} {settings[position]}".strip()
    name = span_names([item.head.name for item in same]) if node.fold else head.name
    if head.kind == CELL:
        title, details = head.title, [settings[position]]
    if head.kind == "model":  # of a nested model the name says more than its class
        title, name, details = name, "", [f"{head.title}, {head.settings}", *details]
        details += _hint(architecture, head)
    return NodeBox(
        kind=head.kind,
        preceding=tuple(words[:position]),
        head=one_line(title),
        details=tuple(details),
        note=one_line(", ".join(_notes(architecture, index))),
        name=one_line(name),
        shape=", ".join(map(spread_shape, zip(*(x.output_shapes for x in same), strict=True))),
        is_frozen=node.is_frozen,
        is_open=node.is_open,
        count=len(node.fold.addresses) if node.fold else 1,
        addresses=tuple(one_line(item.head.address) for item in same),
        maps=maps,
    )


def _hint(architecture: Architecture, part: Part) -> list[str]:
    """Return how to see the convolutions inside a box, where that can be seen."""
    if not part.convolutions or part.address in architecture.closed:
        return []
    return [f"expand={len(part.path)} draws {write_count(part.convolutions, 'convolution')}"]


def _settings(node: Node) -> list[str]:
    return [part.settings for part in node.parts]


def _words(part: Part, settings: str) -> str:
    """Return the words for a part that is not the head of its box."""
    return settings if part.title == "Activation" else f"{part.title} {settings}".strip()


def _notes(architecture: Architecture, index: int) -> list[str]:
    node = architecture.nodes[index]
    notes = _fold_weights(node.fold) if node.fold else _spread_weights([node, *node.repeats])
    owner = next((part.shares_with for part in node.parts if part.shares_with), "")
    if owner:
        notes.append("shared" if _is_in_shared(architecture, node.frame) else f"weights of {owner}")
    if index in architecture.outputs and any(a == index for a, _ in architecture.edges):
        notes.append("output")
    return notes


def _is_in_shared(architecture: Architecture, frame: int | None) -> bool:
    """Whether a frame around a box already says with what it shares its weights."""
    if frame is None:
        return False
    part = architecture.frames[frame].part
    if part is None:
        return _is_in_shared(architecture, architecture.frames[frame].frame)
    return bool(part.shares_with)


def _spread_weights(nodes: Sequence[Node]) -> list[str]:
    counts = sorted({node.parameters for node in nodes})
    if len(counts) == 1:
        return _weights(counts[0], nodes[0].frozen)
    word = "frozen" if all(node.frozen == node.parameters for node in nodes) else "params"
    return [f"{short_count(counts[0])}–{short_count(counts[-1])} {word}"]


def _fold_weights(fold: Fold) -> list[str]:
    """Return in words how many weights each block has, and all of them together."""
    total, low, high = sum(fold.parameters), min(fold.parameters), max(fold.parameters)
    if not total:
        return []
    each = short_count(low) if low == high else f"{short_count(low)}–{short_count(high)}"
    word = "frozen" if fold.frozen == fold.parameters else "params"
    frozen = sum(fold.frozen) if word == "params" else 0
    notes = [f"{each} {word} each", f"{short_count(total)} in all"]
    return notes + ([f"{short_count(frozen)} frozen"] if frozen else [])


def _weights(parameters: int, frozen: int) -> list[str]:
    """Return in words how many weights there are, and how many of them are frozen."""
    if not parameters:
        return []
    count = short_count(parameters)
    if frozen == parameters:
        return [f"{count} frozen"]
    word = "param" if parameters == 1 else "params"
    return [f"{count} {word}", *([f"{short_count(frozen)} frozen"] if frozen else [])]
