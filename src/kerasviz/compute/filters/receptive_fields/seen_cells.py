"""Follow cells of a layer's output back through a graph to the cells of the inputs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from kerasviz.compute.filters.receptive_fields.windows import CELL_BY_CELL, Reach, Window, reach_of
from kerasviz.model.graph import GraphNode, as_functional, graph_axes, graph_nodes, is_graph
from kerasviz.model.layer_call import CallStep


class Seen(NamedTuple):
    """Cells of a tensor.

    Args:
        axes: For each axis of space the sorted indices of the cells, or `None` for every cell.
        period: After how many units the windows are placed in the same way again, which is
            above 1 after an upsampling.
    """

    axes: tuple[np.ndarray | None, ...] | None
    period: int = 1

    def union(self, other: Seen | None) -> Seen:
        """Return the cells of either."""
        if other is None:
            return self
        if self.axes is None or other.axes is None:
            return EVERYTHING
        axes = [
            None if a is None or b is None else np.union1d(a, b)
            for a, b in zip(self.axes, other.axes, strict=True)
        ]
        return Seen(tuple(axes), math.lcm(self.period, other.period))


EVERYTHING = Seen(None)
"""Whatever a tensor holds."""


class NotAGraphError(Exception):
    """A layer is in a part of the model that is not a graph."""


class Graphs:
    """The nodes of graphs, the channel axes of their tensors and their reach, each read once."""

    def __init__(self) -> None:
        self._functional: dict[int, Any] = {}
        self._cache: dict[Any, tuple[list[GraphNode], dict[int, int]]] = {}
        self._reaches: dict[Any, Reach] = {}

    def functional(self, model: Any) -> Any:
        """Return a Functional model with the same graph, for a Sequential one made once."""
        if id(model) not in self._functional:
            self._functional[id(model)] = as_functional(model)
        return self._functional[id(model)]

    def read(self, model: Any, passed_in: Sequence[int]) -> tuple[list[GraphNode], dict[int, int]]:
        """Return the nodes in the order in which they run, and by identity each tensor's axis.

        Args:
            model: A Functional or Sequential model.
            passed_in: The channel axes of its inputs, where it is inside another model.
        """
        key = (id(model), *passed_in)
        if key not in self._cache:
            nodes = graph_nodes(model)
            self._cache[key] = nodes, _axes_by_use(nodes, graph_axes(model, passed_in))
        return self._cache[key]

    def reach(self, operation: Any, sizes: Sequence[int | None], channel_axis: int) -> Reach:
        """Return what `reach_of` does."""
        key = (id(operation), *sizes, channel_axis)
        if key not in self._reaches:
            self._reaches[key] = reach_of(operation, sizes, channel_axis)
        return self._reaches[key]


def _axes_by_use(nodes: Sequence[GraphNode], axes: Mapping[int, int]) -> dict[int, int]:
    """Return the channel axes of tensors, those of the inputs as the layers that take them say."""
    axes = dict(axes)
    for node in reversed(nodes):
        is_first = getattr(node.operation, "data_format", None) == "channels_first"
        if is_first or (
            isinstance(node.operation, CELL_BY_CELL) and axes[id(node.outputs[0])] == 1
        ):
            axes |= {id(x): 1 for x in node.inputs if len(x.shape) > 2}
    return axes


@dataclass(kw_only=True)
class BackwardPass:
    """Follows cells back through a graph.

    Args:
        graphs: The graphs of the model.
        is_cut: Whether cells outside of a tensor are left out, as those of a padding.
        everything: The names of the layers that may see every cell of their input.
        uncertain: The names of those whose windows depend on a size that is not known.
    """

    graphs: Graphs
    is_cut: bool
    everything: list[str] = field(default_factory=list)
    uncertain: list[str] = field(default_factory=list)

    def from_call(
        self,
        model: Any,
        steps: Sequence[CallStep],
        output: int,
        cells: Sequence[int],
        passed_in: Sequence[int] = (),
    ) -> list[Seen | None]:
        """Return what a unit of a layer sees of each input of a model, `None` for nothing.

        Args:
            model: A model.
            steps: The steps that lead to the call of the layer.
            output: The index of the layer's output.
            cells: The index of the unit along each axis of space.
            passed_in: The channel axes of the model's inputs, where it is inside another one.

        Raises:
            NotAGraphError: The layer is in a part of the model that is not a graph.
        """
        if not is_graph(model):
            raise NotAGraphError
        (name, index, _), *inner = steps
        nodes, axes = self.graphs.read(model, passed_in)
        named = [node for node in nodes if node.step[:2] == (name, index)]
        if not named:
            raise NotAGraphError
        (node,) = named
        if not inner:
            seen = Seen(tuple(np.array([cell]) for cell in cells))
            return self._to_inputs(model, {id(node.outputs[output]): seen}, passed_in)
        at_inputs = self.from_call(
            node.operation, inner, output, cells, [axes[id(x)] for x in node.inputs]
        )
        seeds: dict[int, Seen] = {}
        for x, seen_there in zip(node.inputs, at_inputs, strict=True):
            if seen_there is not None:
                seeds[id(x)] = seen_there.union(seeds.get(id(x)))
        return self._to_inputs(model, seeds, passed_in)

    def _to_inputs(
        self, model: Any, seeds: Mapping[int, Seen], passed_in: Sequence[int]
    ) -> list[Seen | None]:
        """Follow cells of tensors inside a graph to its inputs."""
        seen = dict(seeds)
        nodes, axes = self.graphs.read(model, passed_in)
        for node in reversed(nodes):
            outputs = [seen.get(id(x)) for x in node.outputs]
            if node.is_input or not any(outputs):
                continue
            for x, cells in zip(node.inputs, self._through(node, outputs, axes), strict=True):
                if cells is not None:
                    seen[id(x)] = cells.union(seen.get(id(x)))
        return [seen.get(id(x)) for x in self.graphs.functional(model).inputs]

    def _through(
        self, node: GraphNode, outputs: Sequence[Seen | None], axes: Mapping[int, int]
    ) -> list[Seen | None]:
        """Return what a call needs of each of its inputs for cells of its outputs."""
        if is_graph(node.operation):
            inner = self.graphs.functional(node.operation).outputs
            pairs = zip(inner, outputs, strict=True)
            seeds = {id(x): cells for x, cells in pairs if cells is not None}
            return self._to_inputs(node.operation, seeds, [axes[id(x)] for x in node.inputs])
        tensor_cells = [(x, cells) for x, cells in zip(node.outputs, outputs, strict=True) if cells]
        return [self._needed(node, x, tensor_cells, axes[id(x)]) for x in node.inputs]

    def _needed(
        self, node: GraphNode, x: Any, outputs: Sequence[tuple[Any, Seen]], channel_axis: int
    ) -> Seen:
        """Return what a call needs of one input."""
        if len(x.shape) < 3 or any(cells.axes is None for _, cells in outputs):
            return self._everything(node, x, outputs)
        (y, seen), *others = outputs
        sizes = space_of(x, channel_axis)
        reach = self.graphs.reach(node.operation, sizes, channel_axis)
        if others or reach.windows is None or len(y.shape) != len(x.shape):
            return self._everything(node, x, outputs)
        if not reach.is_certain:
            self.uncertain.append(node.operation.name)
        assert seen.axes is not None  # as was looked at above
        axes = [
            None if cells is None else self._cells(window, cells, size)
            for window, cells, size in zip(reach.windows, seen.axes, sizes, strict=True)
        ]
        strides = [window.input_stride for window in reach.windows]
        return Seen(tuple(axes), seen.period * math.lcm(*strides))

    def _everything(self, node: GraphNode, x: Any, outputs: Sequence[tuple[Any, Seen]]) -> Seen:
        saw_a_part = any(cells.axes is not None for _, cells in outputs)
        has_space = len(x.shape) > 2 and any(n != 1 for n in x.shape[1:-1])
        was_vector = all(len(y.shape) < 3 for y, _ in outputs)
        if has_space and (saw_a_part or was_vector):
            self.everything.append(node.operation.name)
        return EVERYTHING

    def _cells(self, window: Window, outputs: np.ndarray, size: int | None) -> np.ndarray:
        if size == 1 and window == Window():
            return np.zeros_like(outputs[:1])  # of one cell, which is broadcast
        cells = window.cells(outputs)
        if not self.is_cut:
            return cells
        return cells[(cells >= 0) & (cells < (math.inf if size is None else size))]


def space_of(tensor: Any, channel_axis: int) -> list[int | None]:
    """Return the sizes of a tensor's axes of space."""
    shape = list(tensor.shape)
    del shape[channel_axis]
    return shape[1:]
