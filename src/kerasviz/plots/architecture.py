"""Draw what a model is made of, as boxes and lines: `plot_architecture`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

import keras
import numpy as np
from typing_extensions import Unpack

from kerasviz._checks import check_choice, check_count, check_type, is_int
from kerasviz._selection import order_tiles, tile_strength
from kerasviz._wording import sample_of
from kerasviz.compute.feature_maps import Extraction, plan_extraction
from kerasviz.draw.figure import FIGURE_DEFAULTS, FigureOptions, Placement, check_placement
from kerasviz.draw.graph.boxes import Diagram, Maps
from kerasviz.draw.graph.diagram import count_pages, draw_architecture
from kerasviz.draw.plot import Plot
from kerasviz.draw.signatures import shows_keywords
from kerasviz.draw.tiles.background import picture_colors
from kerasviz.model.addresses import NamedCall, Selection, check_model
from kerasviz.model.architecture.elements import Architecture
from kerasviz.model.architecture.layer_words import CELL
from kerasviz.model.architecture.reading import Detail, read_architecture
from kerasviz.model.calls import known_calls
from kerasviz.model.inputs.input_adapter import check_has_call, check_is_eager
from kerasviz.plots._architecture.diagram import describe_diagram

Direction = Literal["down", "right"]

OWN = ("inputs", "sample", "maps", "expand", "detail", "fold", "direction")
"""The keywords that other plots do not have."""
MAPS = 4
MAX_PAGES = 1.2
"""From about how many pages on a new figure has cells by default: it is larger than a screen."""
MIN_CELLS = 6
"""Fewer boxes do not show an architecture: the whole of a U-Net is one cell."""
EVERY_LEVEL = 1_000


@shows_keywords(FigureOptions, FIGURE_DEFAULTS)
def plot_architecture(
    model: keras.Model,
    *,
    inputs: Any = None,
    sample: int = 0,
    maps: int = MAPS,
    expand: int | bool = 0,
    detail: Detail | None = None,
    fold: bool = True,
    direction: Direction = "down",
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
            of the convolution after it. "layers": each layer has a box of its own. "cells": all
            that is between two boxes that the whole model goes through is one box, such as a module
            of an Inception. `None`: "blocks", or "cells" where the figure would be larger than
            a page, or its letters too small to be read; a note says so.
        fold: Whether blocks that follow one another and are alike are drawn once, with "× 5" and
            the names of all of them. `False` draws every one.
        direction: Where arrows lead: "down", or to the "right". An encoder and a decoder with skips
            between them, as in a U-Net, are drawn as a U: first "down" and then up again.
        **options: `title`, and `figsize`, `ax` or `figure`, in which everything is made as small as
            the room demands. With none of these a new figure is as large as the architecture needs.

    Returns:
        A `Plot` whose first panel is the diagram. Each box with pictures has a further panel, from
        the first box on, and an image: `images[i].get_array()` holds the values of its maps side by
        side, with the gaps masked, or the colours of an input. A box that is folded into another
        has its panel after these, without an image. The last panels are one for each folded block,
        whose title lists the addresses of all that it stands for.

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
        >>> import kerasviz
        >>> model = kerasviz.fashion_mnist.load_model()
        >>> kerasviz.plot_architecture(model)
        Plot(1 panel)
    """
    placement = check_placement(*OWN, **options)
    check_model(model)
    check_is_eager()
    check_has_call(model)
    check_type("fold", fold, (bool, np.bool_), "a bool")
    check_choice("direction", direction, get_args(Direction))
    levels = _check_own(inputs, sample, maps, expand, detail)
    extraction, which = None, ""
    if inputs is not None:
        extraction = plan_extraction(model, "*", inputs)
        index = _check_sample(sample, len(extraction.batch))
        which = sample_of(index, len(extraction.batch))
        extraction = replace(extraction, batch=extraction.batch.part(index, index + 1))
    specs = None if extraction is None else extraction.specs

    def read(detail: Detail) -> Architecture:
        return read_architecture(model, specs, expand=levels, detail=detail, fold=bool(fold))

    architecture, notes = _choose_detail(read, detail, placement)
    if extraction is None:
        diagram = describe_diagram(architecture, {}, notes)
    else:
        diagram = _draw_with_maps(architecture, extraction, maps, notes)
        diagram = replace(diagram, title=", ".join(filter(None, [diagram.title, which])))
    return draw_architecture(diagram, placement, sideways=direction == "right")


def _choose_detail(
    reader: Callable[[Detail], Architecture], detail: Detail | None, placement: Placement
) -> tuple[Architecture, list[str]]:
    """Return the architecture, and a note where the caller did not choose what a box is.

    Args:
        reader: Reads the architecture.
        detail: The caller's `detail`.
        placement: Where it is drawn.
    """
    architecture = reader(detail or "blocks")
    pages = count_pages(describe_diagram(architecture, {}, []), placement) if detail is None else 0
    if pages <= (MAX_PAGES if placement.grows else 1):
        return architecture, []
    coarse, count = reader("cells"), len(architecture.nodes)
    if len(coarse.nodes) == count or (placement.grows and len(coarse.nodes) < MIN_CELLS):
        return architecture, []
    return coarse, [f"Each cell is one box; detail='blocks' draws all {count} boxes."]


def _check_own(inputs: Any, sample: Any, maps: Any, expand: Any, detail: Any) -> int:
    """Check the keywords that other plots do not have, and return how many levels to expand."""
    check_count("maps", maps)
    if not is_int(sample):
        raise TypeError(f"`sample` must be an int. Received: sample={sample!r}")
    if detail is not None:
        check_choice("detail", detail, get_args(Detail), "None")
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


def _draw_with_maps(
    architecture: Architecture, extraction: Extraction, count: int, notes: Sequence[str]
) -> Diagram:
    """Return a diagram with the inputs that are pictures, and the strongest maps of boxes."""
    pictures, remarks = _draw_inputs(architecture, extraction)
    maps_of = _compute_maps(architecture, extraction, count)
    notes = [*notes, *remarks, _explain(list(maps_of.values()), count)]
    hidden: list[tuple[str, Maps]] = []
    for index, node in enumerate(architecture.nodes):
        if node.address in maps_of:
            pictures[index] = maps_of[node.address]
        folded = [twin for twin in node.repeats if twin.address in maps_of]
        hidden += [(twin.head.name, maps_of[twin.address]) for twin in folded]
    return replace(describe_diagram(architecture, pictures, notes), hidden=tuple(hidden))


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
) -> dict[str, Maps]:
    """Return the strongest maps of each node that has a convolution, from one forward pass.

    They are named by the node's address; nodes that are folded into others are among them.
    """
    calls = {call.path: call for call in known_calls(extraction.model, extraction.specs)}
    last = [
        twin.parts[-1]
        for node in architecture.nodes
        if any(part.kind in ("convolution", CELL) for part in node.parts)
        for twin in (node, *node.repeats)
        if twin.parts[-1].path in calls
    ]
    if not last:
        return {}
    targets = tuple(NamedCall(part.address, calls[part.path]) for part in last)
    outputs = replace(extraction, targets=Selection(targets, single=False)).run()
    maps = {}
    for part in last:
        rows = keras.tree.flatten(outputs[part.address])[0]
        maps[part.address] = strongest_maps(rows[len(rows) // 2], count, part.address)
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


def _explain(maps_of: Sequence[Maps], count: int) -> str:
    if not maps_of:
        return "There are no feature maps: no box has a convolution."
    signed = any((maps.tiles < 0).any() for maps in maps_of)
    colors = "red above 0 and blue below, or from 0 (dark) up" if signed else "from 0 (dark) up"
    kind = "strongest feature map" if count == 1 else f"{count} strongest feature maps"
    return (
        f"Each box with a convolution shows the {kind} of what it returns, under their numbers and "
        f"on a colour scale of its own: {colors}."
    )
