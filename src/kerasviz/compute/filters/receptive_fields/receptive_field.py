"""How far a unit of a layer sees: `receptive_field`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from numbers import Integral
from typing import Any, NamedTuple

import keras
import numpy as np

from kerasviz.compute.filters.receptive_fields.gradient_support import gradient_support
from kerasviz.compute.filters.receptive_fields.seen_cells import (
    BackwardPass,
    Graphs,
    NotAGraphError,
    Seen,
    space_of,
)
from kerasviz.model.addresses import NamedCall, check_model, resolve
from kerasviz.model.calls import input_specs, known_calls
from kerasviz.model.layer_call import Call

Box = tuple[tuple[int, int | None], ...]


@dataclass(frozen=True, kw_only=True)
class ReceptiveField:
    """The cells of the input that a unit of a layer sees.

    Every tuple has a value for each axis of space: rows and columns of an image, steps of a
    sequence, three of a volume.

    Args:
        address: The address of the layer.
        size: How many cells the unit sees, those in the padding at the border included. `None`
            where it sees an axis of unknown size as a whole.
        stride: How many input cells the field moves on from one unit to the next; a fraction of
            one after an upsampling. `None` where that cannot be known.
        offset: The first cell that the unit at position 0 sees; below 0 in the padding. `None`
            where that cannot be known.
        exact: Whether this is what the unit sees, no more and no less.
        reason: If not exact, whether it sees at most or at least this, and why.
        position: Which unit `box` is of.
        box: The first cell that this unit sees and the one after the last, inside the input:
            `((top, bottom), (left, right))`.
    """

    address: str
    size: tuple[int | None, ...]
    stride: tuple[float | None, ...]
    offset: tuple[int | None, ...]
    exact: bool
    reason: str | None
    position: tuple[int, ...] | None
    box: Box | None

    def __str__(self) -> str:
        size = "×".join("all" if n is None else str(n) for n in self.size)
        text = f"{self.address}: sees {size} cells"
        numbers = [f"{n:g}" for n in self.stride if n is not None]
        text += f", stride {'×'.join(numbers)}" if numbers else ""
        return text if self.exact else f"{text} ({self.reason})"


def receptive_field(model: keras.Model, layer: Any = None, *, position: Any = None) -> Any:
    """Return how far a unit of a layer sees.

    It is composed from the windows of every layer on the way from the inputs: strides, dilations,
    poolings, transposed convolutions, upsamplings, croppings and paddings, along every branch and
    inside nested models. It is the smallest box around the cells that have a weight, whatever the
    value of the weight.

    Args:
        model: A built Keras model.
        layer: A layer address, or several; `None` for every convolution.
        position: The unit whose box is returned: `(row, column)`, an integer for a sequence. It
            is counted as in the output of `get_feature_maps`.

    Returns:
        A `ReceptiveField`; of several layers a dict, keyed by address. It is exact where the model
        is a graph of layers whose windows are known. Where a layer on the way sees everything (a
        global pooling, attention) or is not known, it is what the unit sees at most. Where the
        layer is in a part of the model that is not a graph, as in a subclassed model, it is what
        the unit sees at least: where the gradient with respect to random inputs is not zero. Of
        several inputs it is that of the first that the unit sees.

    Raises:
        TypeError: `model` is not a Keras model, or `layer` is not an address.
        ValueError: No layer has that address; the model is not built; the layer's output has no
            axes of space; `position` does not fit it; the unit sees no input that has axes of
            space.

    References:
        Araujo, Norris and Sim (2019), Computing receptive fields of convolutional neural networks,
        Distill, https://doi.org/10.23915/distill.00021

    Example:
        >>> import keras, kerasviz
        >>> model = keras.Sequential(
        ...     [
        ...         keras.Input((28, 28, 1)),
        ...         keras.layers.Conv2D(8, 3, name="a"),
        ...         keras.layers.MaxPooling2D(2),
        ...         keras.layers.Conv2D(8, 3, name="b"),
        ...     ]
        ... )
        >>> field = kerasviz.receptive_field(model, "b", position=(5, 5))
        >>> field.size, field.stride, field.box
        ((8, 8), (2, 2), ((10, 18), (10, 18)))
    """
    check_model(model)
    specs = input_specs(model)
    if specs is None:
        raise ValueError(
            f"The model '{model.name}' has no inputs yet: build it with model.build(input_shape)."
        )
    targets = resolve(model, layer, known_calls(model, specs))
    named = [target for target in targets.targets if targets.single or has_space(target.call)]
    for address, call in named or targets.targets[:1]:
        _check_space(address, call)
    cells = {address: _check_position(position, address, call) for address, call in named}
    graphs = Graphs()
    fields = {}
    for target in named:
        try:
            field = field_from_graph(model, target, cells[target.address], graphs)
        except NotAGraphError:
            field = _from_gradients(model, target, cells[target.address])
        fields[target.address] = field
    return next(iter(fields.values())) if targets.single else fields


def has_space(call: Call) -> bool:
    """Whether the output of a call has axes of space."""
    return bool(call.outputs) and len(call.outputs[0].shape) > 2


def _check_space(address: str, call: Call) -> None:
    if not has_space(call):
        raise ValueError(
            f"'{address}' returns {call.output_shape}, which has no axes of space, so that its "
            "units see everything that the layers before it see."
        )


def _check_position(position: Any, address: str, call: Call) -> tuple[int, ...] | None:
    """Return the position of a unit as a tuple of integers."""
    if position is None:
        return None
    space = space_of(call.outputs[0], call.channel_axis)
    cells = position if isinstance(position, (tuple, list, np.ndarray)) else (position,)
    numbers = all(isinstance(n, Integral) and not isinstance(n, bool) for n in cells)
    if not numbers or len(cells) != len(space):
        raise ValueError(
            f"`position` must have one integer for each axis of space of '{address}', of which "
            f"there are {len(space)}. Received: position={position!r}"
        )
    for n, size in zip(cells, space, strict=True):
        if n < 0 or (size is not None and n >= size):
            raise ValueError(
                f"`position` must be inside the output of '{address}', which has "
                f"{'×'.join(map(str, space))} cells. Received: position={position!r}"
            )
    return tuple(int(n) for n in cells)


class _AxisField(NamedTuple):
    """The field along one axis of space, as in `ReceptiveField`."""

    size: int | None
    stride: float | None
    offset: int | None


def field_from_graph(
    model: keras.Model, target: NamedCall, position: tuple[int, ...] | None, graphs: Graphs
) -> ReceptiveField:
    """Compose the field of a unit from the windows of the layers of a graph.

    Raises:
        NotAGraphError: The layer is in a part of the model that is not a graph.
    """
    address, call = target
    uncut = BackwardPass(graphs=graphs, is_cut=False)
    rank = len(call.outputs[0].shape) - 2
    index, first = look(model, target, [0] * rank, uncut)
    tensor = model.inputs[index]
    space = space_of(tensor, graphs.read(model, ())[1][id(tensor)])
    # After an upsampling, units see more or less in turn: these are two turns.
    units = [look(model, target, [n] * rank, uncut)[1] for n in range(2 * first.period)]
    fields = [
        _along([None if seen.axes is None else seen.axes[axis] for seen in units], size)
        for axis, size in enumerate(space)
    ]
    box = None
    if position is not None:
        _, seen = look(model, target, position, BackwardPass(graphs=graphs, is_cut=True))
        box = _box(seen, space)
    reason = _reason(uncut)
    return ReceptiveField(
        address=address,
        size=tuple(field.size for field in fields),
        stride=tuple(field.stride for field in fields),
        offset=tuple(field.offset for field in fields),
        exact=reason is None,
        reason=reason,
        position=position,
        box=box,
    )


def look(
    model: keras.Model, target: NamedCall, cells: Sequence[int], way: BackwardPass
) -> tuple[int, Seen]:
    """Return the first input with axes of space that a unit sees, and what it sees of it."""
    call = target.call
    seen = way.from_call(model, call.steps, call.output or 0, cells)
    for index, (tensor, cells_there) in enumerate(zip(model.inputs, seen, strict=True)):
        if cells_there is not None and len(tensor.shape) > 2:
            return index, cells_there
    raise ValueError(
        f"'{target.address}' sees no input of the model '{model.name}' that has axes of space."
    )


def _along(units: Sequence[np.ndarray | None], size: int | None) -> _AxisField:
    """Return the field along one axis.

    Args:
        units: The cells that one unit after the other sees, for two turns; `None` for all.
        size: How many cells there are.
    """
    if any(cells is None for cells in units):
        return _AxisField(size, None, None)
    fields = [cells for cells in units if cells is not None]
    period = len(fields) // 2
    extents = [int(cells[-1] - cells[0]) + 1 if len(cells) else 0 for cells in fields]
    moved = [
        Fraction(int(later[0] - cells[0]), period)
        for cells, later in zip(fields[:period], fields[period:], strict=True)
        if len(cells)
    ]
    stride = moved[0] if moved else None
    offset = int(fields[0][0]) if len(fields[0]) else None
    return _AxisField(max(extents), None if stride is None else _plain(stride), offset)


def _plain(number: Fraction) -> float:
    return int(number) if number.denominator == 1 else float(number)


def _box(seen: Seen, space: Sequence[int | None]) -> Box:
    """Return the box around the cells that a unit sees; an empty one if it sees nothing."""
    axes = seen.axes or (None,) * len(space)
    if any(cells is not None and not len(cells) for cells in axes):
        return ((0, 0),) * len(space)
    return tuple(
        (0, size) if cells is None else (int(cells[0]), int(cells[-1]) + 1)
        for cells, size in zip(axes, space, strict=True)
    )


def _reason(way: BackwardPass) -> str | None:
    """Return in words why a field may be smaller than what was composed."""
    if way.everything:
        names = list(dict.fromkeys(way.everything))
        return f"at most: '{names[0]}' may see all of its input"
    if way.uncertain:
        return f"nearly: the padding of '{way.uncertain[0]}' depends on the size of the input"
    return None


def _from_gradients(
    model: keras.Model, target: NamedCall, position: tuple[int, ...] | None
) -> ReceptiveField:
    """Return the box in which the gradient with respect to random inputs is not zero."""
    address, call = target
    space = space_of(call.outputs[0], call.channel_axis)
    middle = tuple((n or 1) // 2 for n in space)
    box = gradient_support(model, address, call.channel_axis, position or middle)
    return ReceptiveField(
        address=address,
        size=tuple(stop - start for start, stop in box),
        stride=(None,) * len(box),
        offset=(None,) * len(box),
        exact=False,
        reason="at least: the layer is in no graph, and this is where it has a gradient",
        position=position,
        box=None if position is None else box,
    )
