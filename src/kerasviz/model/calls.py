"""The calls of a model's layers, read from its graph or found by tracing it once."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import keras

from kerasviz.model.graph import (
    graph_nodes,
    has_inputs,
    is_functional,
    is_graph,
    is_traceable,
    layer_calls,
    sublayers,
)
from kerasviz.model.layer_call import Call, CallPath
from kerasviz.model.tracing import ModelTrace, trace_model

_traced: weakref.WeakKeyDictionary[keras.Model, dict[Any, ModelTrace]]
_traced = weakref.WeakKeyDictionary()
_readings: weakref.WeakKeyDictionary[keras.Model, tuple[tuple[Any, ...], _Reading]]
_readings = weakref.WeakKeyDictionary()


def known_calls(model: keras.Model, specs: Any = None) -> list[Call]:
    """Return every call of every layer inside a model, in model order: the one list of calls.

    They are read from a graph, and found by a trace where that does not show them.

    Args:
        model: A Keras model.
        specs: What it is called on, as a structure of `keras.KerasTensor`; by default its own
            inputs, or those that it was built for. Where it has none, each layer counts as called
            once, and output shapes stay unknown.
    """
    calls, traceable, _ = _read(model)
    specs = input_specs(model) if specs is None else specs
    if not traceable or specs is None or not model.built:
        return calls
    return _cached_trace(model, specs, calls).calls


def held_calls(model: keras.Model) -> list[Call]:
    """Return the calls of a model, and after them the layers that it holds and does not call.

    Their weights can be looked at.
    """
    fingerprint = known_calls(model)
    called = {id(call.layer) for call in fingerprint}
    return [*fingerprint, *(call for call in _read(model).calls if id(call.layer) not in called)]


def calls_by_end(model: keras.Model, specs: Any) -> list[Call]:
    """Return every call of a built model, as `known_calls` does, in the order in which they end.

    Args:
        model: A built model.
        specs: What it is called on, as a structure of `keras.KerasTensor`.
    """
    reading = _read(model)
    # A graph says so itself, so that a wrong argument is refused before anything is called.
    ends = reading.ends
    if ends is None:
        paths = traced(model, specs).connections.outputs
        ends = {path: index for index, path in enumerate(paths)}
    return sorted(known_calls(model, specs), key=lambda call: ends.get(call.path, -1))


def _graph_ends(model: keras.Model, path: CallPath = ()) -> Iterator[CallPath]:
    """Yield the paths of the calls in a graph in the order in which they end."""
    for node in graph_nodes(model):
        inside = (*path, node.step[:2])
        if is_graph(node.operation):
            yield from _graph_ends(node.operation, inside)
        yield inside


def traced(model: keras.Model, specs: Any) -> ModelTrace:
    """Return what a trace shows of a built model, which is made once."""
    return _cached_trace(model, specs, _read(model).calls)


def _cached_trace(model: keras.Model, specs: Any, calls: Sequence[Call]) -> ModelTrace:
    cache = _traced.setdefault(model, {})
    key = (spec_key(specs), tuple(id(call.layer) for call in calls))
    if key not in cache:
        cache[key] = _trace(model, specs, calls)
    return cache[key]


def _trace(model: keras.Model, specs: Any, readings: Sequence[Call]) -> ModelTrace:
    # The outputs of the graph's own calls are its tensors, from which models can be made.
    own = {call.path: call for call in readings if len(call.steps) == 1 and call.outputs}
    model_trace = trace_model(model, specs)
    calls = {
        call.path: replace(own.get(call.path, call), channel_axes=call.channel_axes)
        for call in model_trace.calls
    }
    # Keras does not call input layers.
    calls |= {c.path: c for c in own.values() if isinstance(c.layer, keras.layers.InputLayer)}
    if model_trace.failure is not None:  # what is held may be called after that
        held = [replace(call, is_certain=call.path in own) for call in readings]
        calls = {call.path: calls.get(call.path, call) for call in held} | calls
    return model_trace._replace(calls=in_model_order(model, list(calls.values())))


class _Reading(NamedTuple):
    """Facts about a model that are read without running it.

    Args:
        calls: The calls that can be read from it.
        is_traceable: Whether only a run shows all of them.
        ends: The rank of each call among those that end, where a graph shows it.
    """

    calls: list[Call]
    is_traceable: bool
    ends: dict[CallPath, int] | None


def _read(model: keras.Model) -> _Reading:
    """Return what can be read from a model without running it; read again when it was changed."""
    fingerprint = _fingerprint(model)
    cached, reading = _readings.get(model, (None, None))
    if reading is None or cached != fingerprint:
        calls = in_model_order(model, list(layer_calls(model)))
        traceable = is_traceable(model)
        has_ends = is_graph(model) and not traceable
        ends = {path: i for i, path in enumerate(_graph_ends(model))} if has_ends else None
        reading = _Reading(calls, traceable, ends)
        _readings[model] = fingerprint, reading
    return reading


def _fingerprint(layer: keras.Layer) -> tuple[Any, ...]:
    """Return a fingerprint that changes when the model's graph or its layers change."""
    graph = tuple(map(id, layer.outputs)) if is_graph(layer) else ()
    inner = sublayers(layer)
    return (
        id(layer),
        graph,
        *(_fingerprint(item) if sublayers(item) else id(item) for item in inner),
    )


def input_specs(model: keras.Model) -> Any:
    """Return the inputs that a model expects as a structure of `keras.KerasTensor`, or `None`."""
    if is_functional(model):
        return model.input
    if has_inputs(model):
        return model.inputs[0]
    # Keras's own, since a model's may be anybody's code.
    shapes = (keras.Layer.get_build_config(model) or {}).get("input_shape")
    if not model.built or shapes is None:
        return None
    guesses = [_specs(shapes, dtype) for dtype in (model.input_dtype, "int32")]
    return next((x for x in guesses if traced(model, x).failure is None), guesses[0])


def input_names(specs: Any) -> list[str]:
    """Return the name of each input: its key, or else that of its layer.

    Args:
        specs: The inputs, as a structure of `keras.KerasTensor`.
    """
    if isinstance(specs, dict):
        return [".".join(map(str, path)) for path, _ in keras.tree.flatten_with_path(specs)]
    # A tensor without a name is a "keras_tensor_7", which nobody knows it by.
    histories = [getattr(spec, "_keras_history", None) for spec in keras.tree.flatten(specs)]
    return [
        str((spec if history is None else history.operation).name)
        for spec, history in zip(keras.tree.flatten(specs), histories, strict=True)
    ]


def _specs(shapes: Any, dtype: str) -> Any:
    return keras.tree.map_shape_structure(
        lambda shape: keras.KerasTensor((None, *shape[1:]), dtype), _plain(shapes)
    )


def _plain(structure: Any) -> Any:
    """Return a structure of lists and dicts without the classes in which Keras keeps them."""
    if isinstance(structure, dict):
        return {key: _plain(value) for key, value in structure.items()}
    return [*map(_plain, structure)] if isinstance(structure, list) else structure


def spec_key(specs: Any) -> tuple[Any, ...]:
    """Return a hashable key for a structure of symbolic inputs."""
    return tuple(
        (path, tuple(x.shape), str(x.dtype)) for path, x in keras.tree.flatten_with_path(specs)
    )


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
    layers: dict[CallPath, keras.Layer] = {(): model, **{call.path: call.layer for call in calls}}
    called = {call.path: index for index, call in enumerate(calls)}
    indices: dict[CallPath, dict[int, int]] = {}

    def index(path: CallPath) -> tuple[int, int]:
        around = layers.get(path[:-1])
        if around is None or not is_graph(around):
            return called.get(path, -1), 0
        if path[:-1] not in indices:
            indices[path[:-1]] = {id(layer): i for i, layer in enumerate(around.layers)}
        return indices[path[:-1]].get(id(layers.get(path)), -1), path[-1][1]

    return sorted(
        calls, key=lambda call: [index(call.path[: n + 1]) for n in range(len(call.path))]
    )
