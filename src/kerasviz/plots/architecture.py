"""Draw what a model is made of, as boxes and lines: `plot_architecture`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, get_args

import keras
import numpy as np
from typing_extensions import Unpack

from kerasviz._checks import check_choice, check_count
from kerasviz._selection import order_tiles, tile_strength
from kerasviz._wording import sample_of
from kerasviz.compute.feature_maps import Extraction, plan_extraction
from kerasviz.draw.figure import FIGURE_DEFAULTS, FigureOptions, check_placement
from kerasviz.draw.graph.boxes import Maps, NodeBox
from kerasviz.draw.graph.diagram import Diagram, FrameBox, draw_architecture
from kerasviz.draw.plot import Plot
from kerasviz.draw.signatures import shows_keywords
from kerasviz.draw.tiles.background import picture_colors
from kerasviz.model.addresses import NamedCall, Selection, check_model
from kerasviz.model.architecture.elements import Architecture, Part
from kerasviz.model.architecture.reading import read_architecture
from kerasviz.model.calls import known_calls
from kerasviz.model.inputs.forms import check_has_call, check_is_eager
from kerasviz.model.layer_call import Shape

Detail = Literal["blocks", "layers"]

MAPS = 4
EVERY_LEVEL = 1_000
OPEN = (
    "Dotted arrow: the input comes from an operation outside any layer (such as x + y), so its "
    "source is unknown."
)


@shows_keywords(FigureOptions, FIGURE_DEFAULTS)
def plot_architecture(
    model: keras.Model,
    *,
    inputs: Any = None,
    sample: int = 0,
    maps: int = MAPS,
    expand: int | bool = 0,
    detail: Detail = "blocks",
    **options: Unpack[FigureOptions],
) -> Plot:
    """Draw the architecture of a model: its layers as boxes, with arrows between them.

    A box names the class of a layer with its main settings, how many parameters it has, its name
    and the shape of its output without the batch axis. Its colour shows the kind; a dashed
    outline and the word "frozen" mean that none of its weights is trained. With `inputs`, each box
    with a convolution also shows its strongest feature maps. Text that has no room is shortened
    with …; hovering shows all of it.

    Args:
        model: A Keras model: Sequential, Functional or subclassed.
        inputs: What the model takes, to draw feature maps: a batch, or one sample without the batch
            axis, or either without the channel axis where there is one channel; a list or dict of
            these for several inputs. The values are passed on as they are. A model that is not
            built yet is built from them.
        sample: Which sample of the batch, by index; negative ones count from the end. Only this one
            is computed, in one forward pass; the title says which of how many.
        maps: How many maps of each box to draw, strongest first by their Euclidean norm.
        expand: How many levels of nested models and composite layers to draw as frames around
            their layers, and not as one box: an int, or `True` for every level.
        detail: "blocks": a normalization, an activation or a dropout is in the box of the
            convolution, dense layer, merge or normalization that it follows, and a padding in that
            of the convolution after it. "layers": each layer has a box of its own.
        **options: `title`, and `figsize`, `ax` or `figure`, in which everything is made as small as
            the room demands. With none of these a new figure is as large as the architecture needs.

    Returns:
        A `Plot` whose first panel is the diagram. Each box with pictures has a further panel, from
        the first box on, and an image: `images[i].get_array()` holds the values of its maps side by
        side, with the gaps masked, or the colours of an input.

    Raises:
        TypeError: `model` is not a Keras model, or a keyword has the wrong type.
        ValueError: The model is not built and there are no `inputs`, `inputs` does not fit the
            model, or a keyword cannot be used.

    Notes:
        A box of several layers has the name of its convolution, dense or merge layer. Its shape and
        its maps are those of what it returns: after a convolution, a normalization and a ReLU, the
        ReLU's.

        Each box has a colour scale of its own: from 0 where no value drawn is negative, else
        symmetric about 0. A map that has one value throughout is crossed out. Of volumes, of
        steps in time and of rows that are not samples the middle one is shown; an input is shown
        where it is a picture.

        A layer that is called more than once has a box for each call, under the address of the
        call, such as `"encoder:1"`, and its parameters are counted at the first.

        Inside a subclassed model or a composite layer, an arrow is drawn where a layer takes the
        very tensor that another layer returned. Where an operation outside any layer, such as
        `x + y`, came in between, the layers are in the order in which they are called, and a
        dotted arrow says that its source is unknown.

        A Sequential or Functional model is drawn from its graph, without a call. With `expand`, a
        composite layer in it is found out about by tracing the model on symbolic inputs; where that
        raises, as in a layer that only runs eagerly, the layer stays one box, and a note says so.

    Example:
        >>> import keras, kerasviz
        >>> model = keras.Sequential(
        ...     [keras.Input((28, 28, 1)), keras.layers.Conv2D(32, 3), keras.layers.ReLU()]
        ... )
        >>> kerasviz.plot_architecture(model)
        Plot(1 panel)
    """
    placement = check_placement("inputs", "sample", "maps", "expand", "detail", **options)
    check_model(model)
    check_is_eager()
    check_has_call(model)
    levels = _check_own(inputs, sample, maps, expand, detail)
    extraction, which = None, ""
    if inputs is not None:
        extraction = plan_extraction(model, "*", inputs)
        index = _check_sample(sample, len(extraction.batch))
        which = sample_of(index, len(extraction.batch))
        extraction = replace(extraction, batch=extraction.batch.part(index, index + 1))
    specs = None if extraction is None else extraction.specs
    architecture = read_architecture(model, specs, expand=levels, merge=detail == "blocks")
    pictures: dict[int, Maps] = {}
    notes: list[str] = []
    if extraction is not None:
        pictures, notes = _draw_inputs(architecture, extraction)
        maps_of = _compute_maps(architecture, extraction, maps)
        notes += [_explain(maps_of, maps)]
        pictures |= maps_of
    diagram = _diagram(architecture, pictures, notes)
    if which:
        diagram = replace(diagram, title=f"{diagram.title}, {which}")
    return draw_architecture(diagram, placement)


def _check_own(inputs: Any, sample: Any, maps: Any, expand: Any, detail: Any) -> int:
    """Check the keywords that other plots do not have, and return how many levels to expand."""
    check_count("maps", maps)
    if not isinstance(sample, (int, np.integer)) or isinstance(sample, bool):
        raise TypeError(f"`sample` must be an int. Received: sample={sample!r}")
    check_choice("detail", detail, get_args(Detail))
    if not isinstance(expand, (int, np.integer, np.bool_)):
        raise TypeError(f"`expand` must be an int or a bool. Received: expand={expand!r}")
    if expand < 0:
        raise ValueError(f"`expand` must be 0 or more. Received: expand={expand!r}")
    for name, value, default in (("sample", sample, 0), ("maps", maps, MAPS)):
        if inputs is None and value != default:
            raise ValueError(
                f"`{name}` can only be used together with `inputs`. Received: {name}={value!r}"
            )
    is_bool = isinstance(expand, (bool, np.bool_))
    return EVERY_LEVEL * bool(expand) if is_bool else int(expand)


def _check_sample(sample: int, total: int) -> int:
    """Return the index of the one sample that is drawn, counted from 0."""
    if not -total <= sample < total:
        raise ValueError(
            f"`sample` must be between {-total} and {total - 1}, since `inputs` has {total}. "
            f"Received: sample={sample}"
        )
    return range(total)[sample]


def _draw_inputs(
    architecture: Architecture, extraction: Extraction
) -> tuple[dict[int, Maps], list[str]]:
    """Return the inputs that are pictures, by the indices of their nodes, and remarks on them."""
    pictures, notes = {}, []
    for index, array in zip(architecture.inputs, extraction.batch.arrays, strict=True):
        if array.ndim == 4 and array.shape[-1] in (1, 3) and array.dtype.kind in "biuf":
            colors, note = picture_colors(array)
            name = architecture.nodes[index].head.name
            pictures[index] = Maps(tiles=colors, indices=None, label=f"{name}: input")
            notes += [f"{name}: {note}."] if note else []
    return pictures, notes


def _compute_maps(
    architecture: Architecture, extraction: Extraction, count: int
) -> dict[int, Maps]:
    """Return the strongest maps of each node that has a convolution, from one forward pass."""
    calls = {call.path: call for call in known_calls(extraction.model, extraction.specs)}
    last = {
        index: node.parts[-1]
        for index, node in enumerate(architecture.nodes)
        if any(part.kind == "convolution" for part in node.parts) and node.parts[-1].path in calls
    }
    if not last:
        return {}
    targets = tuple(NamedCall(part.address, calls[part.path]) for part in last.values())
    outputs = replace(extraction, targets=Selection(targets, single=False)).run()
    maps = {}
    for index, part in last.items():
        rows = keras.tree.flatten(outputs[part.address])[0]
        maps[index] = strongest_maps(rows[len(rows) // 2], count, part.address)
    return maps


def strongest_maps(maps: np.ndarray, count: int, address: str) -> Maps:
    """Return the strongest maps of a layer, strongest first.

    Args:
        maps: Array `(..., height, width, channels)` or `(steps, channels)` of one sample; along
            the axes before height the middle is taken.
        count: How many.
        address: What they are of.
    """
    while maps.ndim > 3:
        maps = maps[len(maps) // 2]
    if np.iscomplexobj(maps):
        maps, address = np.abs(maps), f"{address}, magnitudes of complex values"
    height, width = ([1, 1, *maps.shape[:-1]])[-2:]
    tiles = np.moveaxis(maps, -1, 0).reshape(-1, height, width)
    order = order_tiles(np.arange(len(tiles)), tile_strength(tiles, "norm"))[:count]
    label = f"{address}: feature maps {', '.join(map(str, order))}"
    return Maps(tiles=tiles[order], indices=order, label=label)


def _explain(maps_of: Mapping[int, Maps], count: int) -> str:
    if not maps_of:
        return "There are no feature maps: no box has a convolution."
    signed = any((maps.tiles < 0).any() for maps in maps_of.values())
    colors = "red above 0 and blue below, or from 0 (dark) up" if signed else "from 0 (dark) up"
    kind = "strongest feature map" if count == 1 else f"{count} strongest feature maps"
    return (
        f"Each box with a convolution shows the {kind} of what it returns, under their numbers and "
        f"on a colour scale of its own: {colors}."
    )


def _diagram(architecture: Architecture, pictures: Mapping[int, Maps], notes: list[str]) -> Diagram:
    nodes, frames = architecture.nodes, architecture.frames
    around = [*(node.frame for node in nodes), *(frame.frame for frame in frames)]
    is_open = any(node.is_open for node in nodes) or any(frame.is_open for frame in frames)

    def index(item: int) -> int:
        """Return the index of a node, or of a frame: those go on from the last node."""
        return item if item >= 0 else len(nodes) + ~item

    if architecture.closed:
        notes = [*notes, _explain_closed(architecture)]
    return Diagram(
        boxes=tuple(_node_box(architecture, i, pictures.get(i)) for i in range(len(nodes))),
        frames=tuple(
            FrameBox(
                title=_frame_title(frame.part),
                is_frozen=frame.part.is_frozen,
                is_open=frame.is_open,
            )
            for frame in frames
        ),
        edges=tuple((index(a), index(b)) for a, b in architecture.edges),
        order=tuple((index(a), index(b)) for a, b in architecture.order),
        parents=tuple(None if frame is None else len(nodes) + frame for frame in around),
        title=_title(architecture),
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


def _frame_title(part: Part) -> str:
    words = [part.title, part.settings, *_weights(part.parameters, part.frozen)]
    if part.shares_with:
        words.append(f"weights of {part.shares_with}")
    return one_line(f"{part.name}: {', '.join(words)}")


def _node_box(architecture: Architecture, index: int, maps: Maps | None) -> NodeBox:
    """Return the box of a node: it is named after its head, and the other parts are details."""
    node = architecture.nodes[index]
    head, position = node.head, node.parts.index(node.head)
    words = [_words(part) for part in node.parts]
    details = [head.activation] if head.activation else []
    details += words[position + 1 :]
    title, name = f"{head.title} {head.settings}".strip(), head.name
    if head.kind == "model":  # of a nested model the name says more than its class
        title, name, details = name, "", [f"{head.title}, {head.settings}", *details]
    return NodeBox(
        kind=head.kind,
        preceding=tuple(words[:position]),
        head=one_line(title),
        details=tuple(details),
        note=one_line(", ".join(_notes(architecture, index))),
        name=one_line(name),
        shape=", ".join(map(shape_text, node.output_shapes)),
        is_frozen=node.is_frozen,
        is_open=node.is_open,
        maps=maps,
    )


def _words(part: Part) -> str:
    """Return the words for a part that is not the head of its box."""
    return part.settings if part.title == "Activation" else f"{part.title} {part.settings}".strip()


def _notes(architecture: Architecture, index: int) -> list[str]:
    node = architecture.nodes[index]
    notes = _weights(node.parameters, node.frozen)
    owner = next((part.shares_with for part in node.parts if part.shares_with), "")
    if owner:
        frame = None if node.frame is None else architecture.frames[node.frame]
        in_shared = frame is not None and frame.part.shares_with
        notes.append("shared" if in_shared else f"weights of {owner}")
    if index in architecture.outputs and any(a == index for a, _ in architecture.edges):
        notes.append("output")
    return notes


def _weights(parameters: int, frozen: int) -> list[str]:
    """Return in words how many weights there are, and how many of them are frozen."""
    if not parameters:
        return []
    count = short_count(parameters)
    if frozen == parameters:
        return [f"{count} frozen"]
    word = "param" if parameters == 1 else "params"
    return [f"{count} {word}", *([f"{short_count(frozen)} frozen"] if frozen else [])]


def short_count(count: int) -> str:
    """Write a number with five digits, or with three and k, M or G."""
    if count < 100_000:
        return f"{count:,}"
    for unit, name in ((1e9, "G"), (1e6, "M")):
        if count >= 0.9995 * unit:
            return f"{count / unit:.3g}{name}"
    return f"{count / 1e3:.3g}k"


def one_line(text: str) -> str:
    """Return text with a space for each character that cannot be printed, such as a line break."""
    return "".join(char if char.isprintable() else " " for char in text)


def shape_text(shape: Shape) -> str:
    """Write the shape of one sample; what is not known is ?."""
    return "×".join("?" if size is None else str(size) for size in shape[1:]) or "scalar"
