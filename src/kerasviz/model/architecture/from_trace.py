"""Read the traced calls inside a layer that is not a graph, and what is known of their inputs."""

from __future__ import annotations

from collections.abc import Sequence

from kerasviz.model.architecture.elements import Origin
from kerasviz.model.architecture.from_graph import CallReader
from kerasviz.model.connections import CallOutput, Connections, TensorSource
from kerasviz.model.layer_call import Call, CallPath


def read_trace(
    path: CallPath,
    *,
    calls: Sequence[Call],
    connections: Connections,
    inputs: Sequence[Origin],
    read_call: CallReader,
    unknown: Origin = None,
) -> tuple[list[Origin], list[tuple[int, int]]]:
    """Read the calls inside a layer.

    Args:
        path: The path of the layer.
        calls: The calls inside it, in the order in which they begin.
        connections: The sources of the tensors of each call.
        inputs: The origins of the layer's inputs.
        read_call: Reads one call.
        unknown: The origin of what a call inside takes, if the trace does not tell.

    Returns:
        The origins of the layer's outputs, and pairs of items that follow one another although the
        source of what the second takes is unknown.
    """
    count = len(connections.inputs.get(path, []))
    if count != len(inputs):  # a constant is among them, so it is unknown which is which
        inputs = [None] * count
    outputs: dict[CallPath, list[Origin]] = {}

    def origin(source: TensorSource) -> Origin:
        if isinstance(source, CallOutput):
            tensors = outputs.get(source.path, [])
            return tensors[source.output_index] if source.output_index < len(tensors) else None
        return None if source is None else inputs[source]

    order: list[tuple[int, int]] = []
    last: int | None = None
    for call in calls:
        sources = connections.inputs.get(call.path, [None])
        origins = [unknown if source is None else origin(source) for source in sources]
        item, outputs[call.path] = read_call(call, origins, origins, None)
        if last is not None and None in origins:
            order.append((last, item))
        last = item
    return [origin(source) for source in connections.outputs.get(path, [])], order
