"""Read the architecture of a model: its boxes, frames and arrows, before anything is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

import keras

from kerasviz.model.addresses import is_convolution
from kerasviz.model.architecture.elements import Architecture, Frame, Node, Origin, Part
from kerasviz.model.architecture.folding import fold_repeats
from kerasviz.model.architecture.from_graph import read_graph
from kerasviz.model.architecture.from_trace import read_trace
from kerasviz.model.architecture.layer_words import activation, is_composite, kind, settings, title
from kerasviz.model.architecture.merging import merge_cells, merge_chains
from kerasviz.model.architecture.structure_keys import (
    argument_structure,
    layer_structure,
    weight_shapes,
)
from kerasviz.model.architecture.weight_counts import WeightCounter
from kerasviz.model.calls import input_specs, traced
from kerasviz.model.connections import Connections
from kerasviz.model.graph import as_functional, graph_nodes, held_layers, is_graph, layer_calls
from kerasviz.model.layer_call import Call, CallPath, CallStep

Detail = Literal["cells", "blocks", "layers"]
"""The kinds of boxes, the coarsest first."""


def read_architecture(
    model: keras.Model,
    specs: Any = None,
    *,
    expand: int = 0,
    detail: Detail = "blocks",
    fold: bool = False,
) -> Architecture:
    """Read the architecture of a model.

    The connections of a graph are read from it, and a graph is not traced unless `expand` reaches
    something in it that is not a graph. Inside a subclassed model or a composite layer a connection
    is known where a call takes the very tensor that another call returned; where something was
    done to it in between it is not, and none is made up.

    Args:
        model: A Keras model.
        specs: What it is called on, as a structure of `keras.KerasTensor`; by default its own
            inputs, or those that it was built for.
        expand: How many levels of nested models and composite layers to look into.
        detail: "layers": each has a box of its own; "blocks": those that only finish another's work
            are in its box, see `merge_chains`; "cells": see `merge_cells` too.
        fold: Whether blocks that repeat are folded into one, see `fold_repeats`.

    Raises:
        ValueError: The model is not built.
    """
    specs = input_specs(model) if specs is None else specs
    if specs is None or not model.built:
        raise ValueError(
            f"The model '{model.name}' has no inputs yet, so no layer of it has a shape: build it "
            "with model.build(input_shape), or give `inputs`."
        )
    architecture = _Reader(model, expand, _read_calls(model, specs, expand), fold=fold).read(specs)
    if detail != "layers":
        architecture = merge_chains(architecture)
    if detail == "cells":
        architecture = merge_cells(architecture)
    return fold_repeats(architecture) if fold else architecture


@dataclass(frozen=True, kw_only=True)
class _Calls:
    """The calls of a model, read from its graph, and found by a trace where that is needed.

    Args:
        by_path: Each call by its path.
        inside: The traced calls directly inside each layer, by its path; `()` is the model.
        connections: The sources of what traced calls take and return.
        failure: Why the trace failed, "" where it did not, or there was none.
    """

    by_path: dict[CallPath, Call]
    inside: dict[CallPath, list[Call]] = field(default_factory=dict)
    connections: Connections = field(default_factory=Connections)
    failure: str = ""


def _read_calls(model: keras.Model, specs: Any, expand: int) -> _Calls:
    by_path: dict[CallPath, Call] = {}
    if is_graph(model):
        by_path = {call.path: call for call in layer_calls(model)}
        reached = [call for call in by_path.values() if len(call.steps) <= expand]
        if not any(map(_needs_trace, reached)):
            return _Calls(by_path=by_path)
    trace = traced(model, specs)
    if trace.failure is not None:
        return _Calls(by_path=by_path, failure=trace.failure)
    inside: dict[CallPath, list[Call]] = {}
    for call in trace.calls:
        inside.setdefault(call.path[:-1], []).append(call)
    by_path |= {call.path: call for call in trace.calls}
    return _Calls(by_path=by_path, inside=inside, connections=trace.connections)


def _needs_trace(call: Call) -> bool:
    """Whether only a trace tells what is inside a call, or the shapes there."""
    if not is_graph(call.layer):
        return is_composite(call.layer)
    own = [tuple(x.shape) for x in call.layer.inputs]
    return own != [tuple(x.shape) for x in call.inputs]


class _Reader:
    """Collects the nodes, frames and edges of a model, call by call, and level by level."""

    def __init__(self, model: keras.Model, expand: int, calls: _Calls, *, fold: bool) -> None:
        self._model = model
        self._expand = expand
        self._calls = calls
        self._fold = fold
        self._by_path: dict[CallPath, Call] = {}
        """The calls that are nodes or frames, in the order in which they are read."""
        self._nodes: list[Node] = []
        self._frames: list[Frame] = []
        self._edges: dict[tuple[int, int], None] = {}
        self._order: dict[tuple[int, int], None] = {}
        self._closed: list[str] = []

    def read(self, specs: Any) -> Architecture:
        """Read the whole model, which is called on `specs`."""
        if is_graph(self._model):
            outputs = self._read_graph(self._model, (), frame=None, inputs=None)
            inputs = self._graph_inputs()
        elif self._calls.failure:
            raise ValueError(
                f"The model '{self._model.name}' cannot be called on inputs without values, so "
                f"what leads to what in it is not known. {self._calls.failure}"
            )
        else:
            flat = keras.tree.flatten_with_path(specs)
            inputs = tuple(self._add_input(path, tensor) for path, tensor in flat)
            outputs = self._read_trace((), [(index,) for index in inputs], frame=None)
        weights = WeightCounter(self._model)
        frame_paths = {frame.part.path for frame in self._frames if frame.part}
        weights.count(self._by_path, frame_paths)
        return Architecture(
            name=self._model.name,
            nodes=tuple(map(weights.with_counts, self._nodes)),
            frames=tuple(map(weights.with_counts, self._frames)),
            edges=tuple(self._edges),
            order=tuple(self._order),
            inputs=inputs,
            outputs=tuple(_items(outputs)),
            layers=self._count_layers(),
            parameters=weights.total,
            frozen=weights.frozen,
            closed=tuple(self._closed),
            failure=self._calls.failure,
        )

    def _graph_inputs(self) -> tuple[int, ...]:
        """Return the nodes of the inputs of a graph, in the order in which it takes them."""
        indices = {node.head.path: index for index, node in enumerate(self._nodes)}
        step_of = {id(node.outputs[0]): node.step for node in graph_nodes(self._model)}
        steps = [step_of[id(x)] for x in as_functional(self._model).inputs]
        return tuple(indices[((step.name, step.call_index),)] for step in steps)

    def _add_input(self, path: tuple[Any, ...], tensor: Any) -> int:
        """Add a node for an input of a model that has no layer for it, and return its index."""
        name = " ".join(["input", *map(str, path)])
        part = Part(
            address=name,
            path=((name, 0),),
            title="Input",
            kind="input",
            output_shapes=(tuple(tensor.shape),),
        )
        self._nodes.append(Node(parts=(part,)))
        return len(self._nodes) - 1

    def _count_layers(self) -> int:
        called = [call.layer for call in self._calls.inside.get((), [])]
        layers = {id(layer): layer for layer in [*self._model.layers, *called]}
        return sum(not isinstance(layer, keras.layers.InputLayer) for layer in layers.values())

    def _read_graph(
        self,
        model: keras.Model,
        steps: tuple[CallStep, ...],
        *,
        frame: int | None,
        inputs: Sequence[Origin] | None,
    ) -> list[Origin]:
        """Read the calls of a graph in a frame, and return the origins of its outputs."""
        return read_graph(
            model,
            steps=steps,
            calls=self._calls.by_path,
            inputs=inputs,
            read_call=partial(self._read_call, frame),
        )

    def _read_trace(
        self,
        path: CallPath,
        inputs: Sequence[Origin],
        *,
        frame: int | None,
        unknown: Origin = None,
    ) -> list[Origin]:
        """Read the calls inside a layer that is not a graph; return the origins of its outputs."""
        outputs, order = read_trace(
            path,
            calls=self._calls.inside.get(path, []),
            connections=self._calls.connections,
            inputs=inputs,
            read_call=partial(self._read_call, frame),
            unknown=unknown,
        )
        self._order.update(dict.fromkeys(order))
        return outputs

    def _read_call(
        self,
        frame: int | None,
        call: Call,
        inputs: Sequence[Origin],
        graph_inputs: Sequence[Origin],
        arguments: Any,
    ) -> tuple[int, list[Origin]]:
        """Read one call in a frame, see `CallReader`: it becomes a node, or a frame of its own."""
        self._by_path[call.path] = call
        part = self._describe(call, len(inputs), arguments)
        if len(call.steps) <= self._expand and self._has_inside(call):
            self._frames.append(Frame(part=part, frame=frame, is_open=None in inputs))
            index = len(self._frames) - 1
            if is_graph(call.layer):
                outputs = self._read_graph(call.layer, call.steps, frame=index, inputs=graph_inputs)
            else:
                outputs = self._read_composite(call, index, inputs)
            return ~index, outputs
        if self._calls.failure and part.kind == "model" and not is_graph(call.layer):
            self._closed += [call.address] * (len(call.steps) <= self._expand)
        self._nodes.append(Node(parts=(part,), frame=frame, is_open=None in inputs))
        index = len(self._nodes) - 1
        self._edges.update(dict.fromkeys((item, index) for item in _items(inputs)))
        return index, [(index,)] * max(1, len(call.outputs))

    def _read_composite(self, call: Call, index: int, inputs: Sequence[Origin]) -> list[Origin]:
        """Read the calls inside a composite layer, which is the frame of that index."""
        count = len(self._edges)
        # A time-distributed layer takes its input apart into steps, and joins what the layer inside
        # returns: no tensor that it takes is one that it was called on, yet all come from it.
        over_time = isinstance(call.layer, keras.layers.TimeDistributed) and len(inputs) == 1
        unknown = inputs[0] if over_time else None
        outputs = self._read_trace(call.path, inputs, frame=index, unknown=unknown)
        connected = {item for item, _ in list(self._edges)[count:]}
        for item in _items(inputs):
            if item not in connected:  # what takes it inside is not a layer
                self._edges[item, ~index] = None
        length = max(1, len(call.outputs))
        outputs = [*outputs, *[None] * length][:length]
        return [(~index,) if origin is None else origin for origin in outputs]

    def _has_inside(self, call: Call) -> bool:
        """Whether there is something to draw in a frame of a call."""
        if is_graph(call.layer):
            operations = [node.operation for node in graph_nodes(call.layer)]
            return not all(isinstance(x, keras.layers.InputLayer) for x in operations)
        return is_composite(call.layer) and call.path in self._calls.inside

    def _describe(self, call: Call, arity: int, arguments: Any) -> Part:
        layer, shapes = call.layer, tuple(tuple(x.shape) for x in call.outputs)
        part = Part(
            address=call.address,
            path=call.path,
            title=title(layer),
            kind=kind(layer, arity),
            output_shapes=shapes,
            settings=settings(layer, len(shapes[0]) if shapes else 0),
            activation=activation(layer),
            is_layer=isinstance(layer, keras.Layer),
            channel_axis=call.channel_axis,
        )
        if part.kind == "model":
            part = replace(part, convolutions=sum(map(is_convolution, held_layers(layer))))
        if not self._fold:
            return part
        structure = layer_structure(layer), argument_structure(arguments)
        return replace(part, structure=structure, weights=weight_shapes(layer))


def _items(origins: Iterable[Origin]) -> list[int]:
    """Return the items among origins, each once."""
    return list(dict.fromkeys(item for origin in origins for item in origin or ()))
