"""Which call inside a model takes what another one returned, followed while the model is traced."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import keras
from typing_extensions import override

from kerasviz.model.backend import tensor_version
from kerasviz.model.graph import graph_nodes, is_graph
from kerasviz.model.interception import Observer, OpenCall
from kerasviz.model.layer_call import CallPath


class CallOutput(NamedTuple):
    """One of the tensors that a call returned."""

    path: CallPath
    output_index: int


TensorSource = CallOutput | int | None
"""Where a tensor comes from: a call beside it, the input of that number of the layer around both,
or something that is not known."""


@dataclass(frozen=True)
class Connections:
    """Where each call's tensors come from, by the path of the call; `()` is the model itself.

    Args:
        inputs: The source of each tensor that a call takes.
        outputs: The source, inside it, of each tensor that a call returns.
    """

    inputs: dict[CallPath, list[TensorSource]] = field(default_factory=dict)
    outputs: dict[CallPath, list[TensorSource]] = field(default_factory=dict)

    def among(self, paths: Set[CallPath]) -> Connections:
        """Return the same, where what comes from any other call comes from an unknown source."""

        def known(sources: list[TensorSource]) -> list[TensorSource]:
            return [
                None if isinstance(s, CallOutput) and s.path not in paths else s for s in sources
            ]

        return Connections(
            {path: known(sources) for path, sources in self.inputs.items()},
            {path: known(sources) for path, sources in self.outputs.items()},
        )


def inputs_behind(model: keras.Model, connections: Connections, path: CallPath) -> frozenset[int]:
    """Return the indices of the model's inputs from which a call inside it may compute.

    Where a source is not known, all inputs of the layer around are taken for it.

    Args:
        model: The model.
        connections: What a trace of it showed.
        path: The call.
    """
    around, inside = model, connections.inputs.get((), [])
    origins = [frozenset([index]) for index in range(len(inside))]
    if is_graph(model):  # a trace does not see its operations, such as +
        origins = [frozenset([index]) for index in range(len(model.inputs))]
    for level in range(1, len(path) + 1):
        if is_graph(around):
            around, origins = _behind_in_graph(around, origins, path[level - 1])
        else:
            origins = _behind_in_trace(connections, origins, path[:level])
            around = None
    return frozenset().union(*origins)


def _behind_in_graph(
    graph: keras.Model, origins: Sequence[frozenset[int]], step: tuple[str, int]
) -> tuple[Any, list[frozenset[int]]]:
    """Return the layer of a step in a graph, and what is behind each of its inputs."""
    behind = dict(zip(map(id, graph.inputs), origins, strict=True))
    for node in graph_nodes(graph):
        inputs = [behind.get(id(x), frozenset()) for x in node.inputs]
        if node.step[:2] == step:
            return node.operation, inputs
        for x in node.outputs:
            behind.setdefault(id(x), frozenset().union(*inputs))
    return None, list(origins)


def _behind_in_trace(
    connections: Connections, origins: Sequence[frozenset[int]], path: CallPath
) -> list[frozenset[int]]:
    """Return what is behind each input of a call, of the layer around which `origins` are."""
    everything = frozenset().union(*origins)
    seen: dict[CallPath, frozenset[int]] = {}

    def behind(source: TensorSource) -> frozenset[int]:
        if isinstance(source, int):
            return origins[source] if source < len(origins) else everything
        if source is None:
            return everything
        if source.path not in seen:
            seen[source.path] = frozenset()  # of a layer that takes its own output
            sources = connections.inputs.get(source.path, [None])
            seen[source.path] = frozenset().union(*map(behind, sources))
        return seen[source.path]

    return [behind(source) for source in connections.inputs.get(path, [None])]


class _Sources:
    """The sources of the tensors that are known inside one call.

    A tensor is told by its identity, and, where code can write into it, by how often it has done
    so: what was written into is something else.
    """

    def __init__(self) -> None:
        self._by_tensor: dict[tuple[int, int], tuple[Any, TensorSource]] = {}

    def __contains__(self, tensor: Any) -> bool:
        return (id(tensor), tensor_version(tensor)) in self._by_tensor

    def get(self, tensor: Any) -> TensorSource:
        """Return the source of a tensor."""
        return self._by_tensor.get((id(tensor), tensor_version(tensor)), (None, None))[1]

    def note(self, tensor: Any, source: TensorSource) -> None:
        """Note the source of a tensor, which is kept, so that no identity is used again."""
        self._by_tensor[id(tensor), tensor_version(tensor)] = tensor, source


class ConnectionObserver(Observer):
    """Follows tensors from call to call.

    A layer that returns what it was given, as a dropout does in inference mode, is made to return
    a copy, so that what comes from it can be told from what comes from before it.
    """

    def __init__(self) -> None:
        self.connections: Connections = Connections()
        self._inside: dict[CallPath, _Sources] = {}

    def begin_model(self, inputs: Any) -> None:
        """Note what the model itself is called on."""
        self._begin((), keras.tree.flatten(inputs), _Sources())

    def end_model(self, outputs: Any) -> None:
        """Note what the model itself returned."""
        inside = self._inside[()]
        self.connections.outputs[()] = [inside.get(x) for x in _tensors(outputs)]

    @override
    def begin(self, call: OpenCall, parents: Sequence[OpenCall]) -> None:
        """Note where what a layer takes comes from."""
        self._begin(call.path, call.tensors, self._inside.get(parents[-1].path, _Sources()))

    def _begin(self, path: CallPath, tensors: Sequence[Any], around: _Sources) -> None:
        self.connections.inputs[path] = [around.get(x) for x in tensors]
        self._inside[path] = inside = _Sources()
        for index, x in reversed(list(enumerate(tensors))):  # the first of equal ones counts
            inside.note(x, index)

    @override
    def end(self, call: OpenCall, outputs: Any, parents: Sequence[OpenCall]) -> Any:
        """Note where what a layer returns comes from, inside it."""
        inside = self._inside[call.path]
        around = self._inside.setdefault(parents[-1].path, _Sources())
        returned = _tensors(outputs)
        self.connections.outputs[call.path] = [inside.get(x) for x in returned]
        fresh = [keras.ops.copy(x) if x in around else x for x in returned]
        for index, x in enumerate(fresh):
            around.note(x, CallOutput(call.path, index))
        if all(x is y for x, y in zip(fresh, returned, strict=True)):
            return outputs
        rest = iter(fresh)
        flat = [next(rest) if keras.ops.is_tensor(x) else x for x in keras.tree.flatten(outputs)]
        return keras.tree.pack_sequence_as(outputs, flat)


def _tensors(structure: Any) -> list[Any]:
    return [x for x in keras.tree.flatten(structure) if keras.ops.is_tensor(x)]
