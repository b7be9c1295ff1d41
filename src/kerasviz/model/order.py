"""The order in which the calls of a model are listed."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from kerasviz.model.layers import Call, Path, is_graph


def in_model_order(model: keras.Model, calls: Sequence[Call]) -> list[Call]:
    """Sort calls as a person reads a model.

    A graph runs by depth, and of parallel branches the one that was written last comes first. In
    the result its calls are in the order of its `layers`, and several calls of one layer in the
    order in which they were written. Calls in a layer that is not a graph keep their order. Calls
    inside a layer follow it.

    Args:
        model: The model.
        calls: All calls inside it.
    """
    layers: dict[Path, keras.Layer] = {(): model, **{call.path: call.layer for call in calls}}
    called = {call.path: index for index, call in enumerate(calls)}
    indices: dict[Path, dict[int, int]] = {}

    def index(path: Path) -> tuple[int, int]:
        around = layers.get(path[:-1])
        if around is None or not is_graph(around):
            return called.get(path, -1), 0
        if path[:-1] not in indices:
            indices[path[:-1]] = {id(layer): i for i, layer in enumerate(around.layers)}
        return indices[path[:-1]].get(id(layers.get(path)), -1), path[-1][1]

    return sorted(
        calls, key=lambda call: [index(call.path[: n + 1]) for n in range(len(call.path))]
    )
