"""Compose the receptive fields of all layers of a graph in one pass, where they are exact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras

from kerasviz.compute.filters.receptive_fields.seen_cells import Graphs, space_of
from kerasviz.compute.filters.receptive_fields.windows import Window, reach_of
from kerasviz.model.graph import GraphNode, is_graph
from kerasviz.model.layer_call import CallPath


class ExactField(NamedTuple):
    """The unit at `n` sees the cells from `stride * n + first` to `stride * n + last`.

    Args:
        input_index: The first input of the model that the unit sees.
        stride: For each axis of space.
        first: For each axis of space.
        last: For each axis of space.
    """

    input_index: int
    stride: tuple[int, ...]
    first: tuple[int, ...]
    last: tuple[int, ...]

    @property
    def size(self) -> tuple[int, ...]:
        """How many cells the unit sees along each axis."""
        return tuple(b - a + 1 for a, b in zip(self.first, self.last, strict=True))

    def through(self, windows: Sequence[Window]) -> ExactField:
        """Return the field of a unit that looks at units with this field through windows."""
        axes = list(zip(self.stride, self.first, self.last, windows, strict=True))
        return ExactField(
            self.input_index,
            tuple(stride * w.stride for stride, _, _, w in axes),
            tuple(first - stride * w.before for stride, first, _, w in axes),
            tuple(
                last + stride * ((w.kernel_size - 1) * w.dilation - w.before)
                for stride, _, last, w in axes
            ),
        )


def exact_fields(model: keras.Model) -> dict[CallPath, ExactField]:
    """Return by the path of a call the receptive field of its layer, where it is exact.

    Layers after one that sees everything are left out, and so are those after an upsampling, whose
    units see more or less in turn, and those in no graph.
    """
    if not is_graph(model):
        return {}
    ranks = [len(x.shape) - 2 for x in model.inputs]
    at_inputs = [
        ExactField(index, (1,) * rank, (0,) * rank, (0,) * rank) if rank > 0 else None
        for index, rank in enumerate(ranks)
    ]
    forward_pass = _ForwardPass()
    forward_pass.through(model, (), at_inputs, ())
    return forward_pass.fields


class _ForwardPass:
    """Composes the fields of all calls in a graph, to any depth."""

    def __init__(self) -> None:
        self.fields: dict[CallPath, ExactField] = {}
        self._graphs = Graphs()

    def through(
        self,
        model: Any,
        path: CallPath,
        at_inputs: Sequence[ExactField | None],
        passed_in: Sequence[int],
    ) -> list[ExactField | None]:
        """Note the fields of the calls in a graph, and return those of its outputs.

        Args:
            model: A Functional or Sequential model.
            path: The path that leads to it.
            at_inputs: The fields of its inputs.
            passed_in: The channel axes of its inputs, where it is inside another model.
        """
        nodes, axes = self._graphs.read(model, passed_in)
        graph = self._graphs.functional(model)
        fields = dict(zip(map(id, graph.inputs), at_inputs, strict=True))
        for node in nodes:
            if node.is_input:
                continue
            inside = (*path, node.step[:2])
            of_inputs = [fields.get(id(x)) for x in node.inputs]
            axes_in = [axes[id(x)] for x in node.inputs]
            if is_graph(node.operation):
                outputs = self.through(node.operation, inside, of_inputs, axes_in)
            else:
                outputs = [_through(node, of_inputs, axes_in)] * len(node.outputs)
            fields |= dict(zip(map(id, node.outputs), outputs, strict=True))
            if outputs[0] is not None:
                self.fields[inside] = outputs[0]
        return [fields.get(id(x)) for x in graph.outputs]


def _through(
    node: GraphNode, of_inputs: Sequence[ExactField | None], axes: Sequence[int]
) -> ExactField | None:
    """Return the field of what a call returns."""
    together: ExactField | None = None
    for x, field, axis in zip(node.inputs, of_inputs, axes, strict=True):
        if field is None or len(x.shape) != len(node.outputs[0].shape):
            return None
        sizes = space_of(x, axis)
        windows, is_certain = reach_of(node.operation, sizes, axis)
        if windows is None or not is_certain or any(w.input_stride > 1 for w in windows):
            return None
        if list(space_of(node.outputs[0], axis)) != sizes and windows == (Window(),) * len(sizes):
            return None  # of one cell, which is broadcast
        seen = field.through(windows)
        together = seen if together is None else _union(together, seen)
        if together is None:
            return None
    return together


def _union(a: ExactField, b: ExactField) -> ExactField | None:
    """Return the hull of two fields; of two inputs, that of the first."""
    if a.input_index != b.input_index:
        return min(a, b)
    if a.stride != b.stride:
        return None
    first = tuple(map(min, a.first, b.first))
    return ExactField(a.input_index, a.stride, first, tuple(map(max, a.last, b.last)))
