"""Tell whether layers are built alike: the same class, settings and layers inside.

Names, weights' values, seeds and initializers say nothing on what a layer computes, so they are
left out. So is the rate of a dropout, which stochastic depth changes from block to block: boxes
show it.
"""

from __future__ import annotations

import inspect
from collections.abc import Hashable
from functools import cache, partial
from typing import Any

import keras
import numpy as np

from kerasviz.model.graph import graph_nodes, is_graph, is_of_keras, sublayers

MAX_DEPTH = 12
"""How deep objects within objects are compared; what is deeper is taken to differ."""
_UNRELATED = (
    keras.initializers.Initializer,
    keras.random.SeedGenerator,
    keras.Variable,
    keras.layers.InputSpec,
)
_DROPOUT = (keras.layers.Dropout, keras.layers.AlphaDropout, keras.layers.GaussianDropout)


def layer_structure(layer: Any) -> Hashable:
    """Return a key that is equal for layers, or operations, that are built alike."""
    return _structure(layer, MAX_DEPTH)


def weight_shapes(layer: Any) -> tuple[Hashable, ...]:
    """Return the shapes of a layer's weights, in order."""
    return tuple(tuple(weight.shape) for weight in getattr(layer, "weights", ()))


def argument_structure(value: Any) -> Hashable:
    """Return a key that is equal for arguments of a call that are alike but for their tensors."""
    return _key(value, MAX_DEPTH)


def _structure(layer: Any, depth: int) -> Hashable:
    if is_graph(layer):
        return type(layer), _graph_structure(layer, depth - 1)
    settings = [
        (name, _key(value, depth - 1))
        for name, value in sorted(vars(layer).items())
        if not _is_bookkeeping(name) and not (name == "rate" and isinstance(layer, _DROPOUT))
    ]
    inner = sublayers(layer) if isinstance(layer, keras.Layer) else []
    return type(layer), tuple(settings), tuple(_structure(x, depth - 1) for x in inner)


def _graph_structure(model: keras.Model, depth: int) -> Hashable:
    """Return what a graph calls, and on what: tensors by the order in which they are made."""
    index: dict[int, int] = {}
    calls = []
    for node in graph_nodes(model):
        sources = tuple(index.get(id(x), -1) for x in node.inputs)
        own = () if node.is_input else (_structure(node.operation, depth),)
        calls.append((own, sources, _key(node.arguments, depth)))
        index.update((id(x), len(index)) for x in node.outputs)
    return tuple(calls)


def _is_bookkeeping(name: str) -> bool:
    """Whether an attribute is one that every layer has, or one of the backend's trackers."""
    return name in _common_attributes() or name.startswith("_self_") or name.strip("_") == "seed"


@cache
def _common_attributes() -> frozenset[str]:
    layer = keras.layers.Layer()
    layer.build((1,))
    # An operation that is not a layer has these alone, and "name" and "_path" are no settings.
    return frozenset(vars(layer)) | {"name", "_path", "trainable", "lora_enabled"}


def _key(value: Any, depth: int) -> Hashable:
    """Return a hashable key of a setting; one that nothing equals where it cannot be compared."""
    if isinstance(value, (bool, int, float, complex, str, bytes, type(None), type)):
        return type(value).__name__, value
    if isinstance(value, _UNRELATED):
        return ""
    if depth <= 0:
        return object()
    if isinstance(value, keras.KerasTensor):
        return "tensor"
    if isinstance(value, (list, tuple, dict, set, frozenset, slice, np.ndarray, np.generic)):
        return _key_of_collection(value, depth)
    if isinstance(value, keras.Layer):
        return _structure(value, depth)
    if isinstance(value, partial):
        return _key((value.func, value.args, value.keywords), depth - 1)
    if inspect.isfunction(value):
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        return value.__code__, _key((cells, value.__defaults__, value.__kwdefaults__), depth - 1)
    if is_of_keras(value) and hasattr(value, "__dict__"):
        return type(value), _key(vars(value), depth - 1)
    return id(value)


def _key_of_collection(value: Any, depth: int) -> Hashable:
    if isinstance(value, slice):
        return slice.__name__, _key((value.start, value.stop, value.step), depth)
    if isinstance(value, (np.ndarray, np.generic)):
        return str(value.dtype), value.shape, value.tobytes()
    if isinstance(value, dict):
        items = [(str(key), _key(item, depth - 1)) for key, item in value.items()]
        return tuple(sorted(items, key=lambda item: item[0]))
    if isinstance(value, (set, frozenset)):
        return frozenset(_key(item, depth - 1) for item in value)
    return tuple(_key(item, depth - 1) for item in value)
