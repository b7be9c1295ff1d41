"""Read the calls of a graph, and where the inputs of each come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from kerasviz.model.architecture.elements import Origin
from kerasviz.model.graph import GraphNode, as_functional, graph_nodes, is_graph
from kerasviz.model.layer_call import Call, CallPath, CallStep

CallReader = Callable[[Call, Sequence[Origin], Sequence[Origin], Any], tuple[int, list[Origin]]]
"""Reads a call, given the origins of the tensors that it takes, where it calls a graph the origins
of the graph's inputs in the graph's own order, and all of its arguments as far as they are known.
Returns the item that the call became, as in `Architecture.edges`, and the origins of its
outputs."""


def read_graph(
    model: keras.Model,
    *,
    steps: tuple[CallStep, ...],
    calls: Mapping[CallPath, Call],
    inputs: Sequence[Origin] | None,
    read_call: CallReader,
) -> list[Origin]:
    """Read the calls of a graph, and return the origins of its outputs.

    Args:
        model: The model.
        steps: The steps that lead to it.
        calls: The calls of all layers, by path.
        inputs: The origins of its inputs; `None` for the outermost model, whose inputs are nodes.
        read_call: Reads one call.
    """
    graph = as_functional(model)
    origins: dict[int, Origin] = {}
    if inputs is not None:
        origins.update(zip(map(id, graph.inputs), inputs, strict=False))
    for node in graph_nodes(graph):
        if inputs is not None and node.is_input:
            continue
        path = tuple((step.name, step.call_index) for step in (*steps, node.step))
        call = calls.get(path)
        if call is None:  # an operation that is not a layer
            call = Call((*steps, node.step), node.operation, node.outputs)
        sources = [origins[id(x)] for x in node.inputs]
        is_model = is_graph(node.operation)
        graph_inputs = _graph_input_origins(node, origins) if is_model else sources
        _, outputs = read_call(call, sources, graph_inputs, node.arguments)
        origins.update(zip(map(id, node.outputs), outputs, strict=True))
    return [origins[id(x)] for x in graph.outputs]


def _graph_input_origins(node: GraphNode, origins: Mapping[int, Origin]) -> list[Origin]:
    """Return the origins of the inputs of a nested model, in that model's own order."""
    args, kwargs = node.arguments
    inputs = args[0] if args else next(iter(kwargs.values()))
    graph = as_functional(node.operation)
    # A model that was made with a list of inputs can be called with a dict, in any order.
    if isinstance(inputs, dict) and not isinstance(graph.input, dict):
        inputs = [inputs[tensor.name] for tensor in graph.inputs]
    return [origins.get(id(x), ()) for x in keras.tree.flatten(inputs)]
