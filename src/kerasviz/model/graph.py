"""Read from a model, without running it, the nodes of its graph and the layers that it holds."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import keras

from kerasviz.model.channel_axes import channel_axis
from kerasviz.model.layer_call import Call, CallStep, number_steps


def is_functional(model: keras.Layer) -> bool:
    """Whether a layer is a Functional model that runs as its graph says."""
    return (
        isinstance(model, keras.Model)
        and isinstance(model, keras.Function)
        and runs_keras_call(model)
    )


def is_graph(model: keras.Layer) -> bool:
    """Whether a layer is a built Functional or Sequential model that runs as its graph says."""
    if isinstance(model, keras.Sequential):
        return runs_keras_call(model) and has_inputs(model)
    return is_functional(model)


def has_inputs(model: keras.Model) -> bool:
    """Whether a model knows its symbolic inputs; an unbuilt Sequential does not."""
    try:
        return bool(model.inputs)
    except AttributeError:
        return False


def runs_keras_call(model: keras.Layer) -> bool:
    """Whether the call of a layer is Keras's: a subclass may run its graph in another way."""
    owner = next(cls for cls in type(model).__mro__ if "call" in vars(cls))
    return owner.__module__.split(".")[0] == "keras"


def as_functional(model: keras.Model) -> keras.Model:
    """Return a Functional model with the same graph: the model itself, or a Sequential's twin."""
    if is_functional(model):
        return model
    return keras.Model(model.inputs[0], model.outputs[0], name=model.name)


def declared_outputs(model: keras.Model) -> Any:
    """Return the symbolic outputs of a graph, in its structure."""
    return model.output if is_functional(model) else model.outputs[0]


@dataclass(frozen=True, kw_only=True)
class GraphNode:
    """One call in a Keras graph. The one place that reads Keras's own node.

    Args:
        operation: The layer that is called, or an operation such as an addition.
        step: What names this call in the graph.
        arguments: What it is called on, positional and by keyword.
        inputs: The symbolic tensors among these.
        outputs: The symbolic tensors that it returns.
    """

    operation: Any
    step: CallStep
    arguments: tuple[tuple[Any, ...], dict[str, Any]]
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]

    @property
    def is_input(self) -> bool:
        """Whether this is an input of the graph, and not a call of anything."""
        return isinstance(self.operation, keras.layers.InputLayer)


def graph_nodes(model: keras.Model) -> list[GraphNode]:
    """Return the nodes of a Functional or Sequential model in the order in which they run.

    The calls of a layer are numbered in the order in which they were written.
    """
    # Depth is the distance from the outputs, and Keras runs the deepest nodes first. That need not
    # be the order in which the calls of a layer were written, which `node_index` tells.
    by_depth = as_functional(model)._nodes_by_depth
    nodes = [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]
    written = sorted(nodes, key=lambda node: int(node.outputs[0]._keras_history.node_index))
    steps = number_steps(node.operation.name for node in written)
    step_of = dict(zip(map(id, written), steps, strict=True))
    return [
        GraphNode(
            operation=node.operation,
            step=step_of[id(node)],
            arguments=(tuple(node.arguments.args), dict(node.arguments.kwargs)),
            inputs=tuple(node.input_tensors),
            outputs=tuple(node.outputs),
        )
        for node in nodes
    ]


def written_indices(model: keras.Model, within: keras.Model | None = None) -> dict[str, list[int]]:
    """Return, in the order in which a graph runs, the index of each call as it was written.

    Two calls of one layer need not run in the order in which they were written. Only layers that
    are called more than once are listed.

    Args:
        model: A Functional model.
        within: The graph of which `model` is a part, where the indices are to be those of the
            whole.
    """
    steps = {id(node.outputs[0]): node.step for node in graph_nodes(within or model)}
    indices: dict[str, list[int]] = {}
    for node in graph_nodes(model):
        step = steps[id(node.outputs[0])]
        if step.calls > 1:
            indices.setdefault(step.name, []).append(step.call_index)
    return indices


def sublayers(layer: keras.Layer) -> list[keras.Layer]:
    """Return the layers that a layer holds in its attributes, each once."""
    if isinstance(layer, keras.Model):
        return list(layer.layers)
    if layer in _leaves:
        return []
    held = leaves([value for value in vars(layer).values() if isinstance(value, _HOLDERS)])
    unique = {id(item): item for item in held if isinstance(item, keras.Layer)}
    if layer.built and not unique:  # Keras lets no built layer take on another
        _leaves.add(layer)
    return list(unique.values())


def held_layers(layer: keras.Layer) -> list[keras.Layer]:
    """Return a layer and every layer inside it, to any depth, each once."""
    layers = {id(layer): layer}
    to_visit = [layer]
    while to_visit:
        for inner in sublayers(to_visit.pop()):
            if id(inner) not in layers:
                layers[id(inner)] = inner
                to_visit.append(inner)
    return list(layers.values())


def leaves(value: Any) -> Iterator[Any]:
    """Yield what lists, tuples, dicts and sets hold, to any depth.

    Unlike `keras.tree.flatten`, this takes dicts whose keys cannot be sorted.
    """
    seen: set[int] = set()
    to_visit = [value]
    while to_visit:
        item = to_visit.pop()
        if not isinstance(item, (list, tuple, dict, set, frozenset)):
            yield item
        elif id(item) not in seen:
            seen.add(id(item))
            inner = list(item.values() if isinstance(item, dict) else item)
            to_visit += inner[::-1]


_HOLDERS = (keras.Layer, list, tuple, dict)


_leaves: weakref.WeakSet[keras.Layer] = weakref.WeakSet()
"""Layers that hold no other, remembered: reading attributes is slow, and happens in every call."""


def is_traceable(model: keras.Layer) -> bool:
    """Whether the calls in a model can only be known by running it.

    So it is where a layer that is not a graph holds layers of its own: a subclassed model, a
    composite layer, a wrapper; or where its code refers to layers that it does not hold. A
    recurrent layer's cell does not count.
    """
    if isinstance(model, keras.layers.RNN):
        return False
    inner = sublayers(model)
    if not is_graph(model) and (inner or _refers_to_layers(model)):
        return True
    return any(map(is_traceable, inner))


def _refers_to_layers(layer: keras.Layer) -> bool:
    """Whether the code of a layer's call refers to layers as globals, in a closure or by default.

    A `Lambda` can, and a layer of the user's; Keras does not know of these layers.
    """
    if isinstance(layer, keras.layers.Lambda):
        code = layer.function
    else:
        code = None if runs_keras_call(layer) else type(layer).call
    if not inspect.isfunction(code):
        return False
    try:
        names = inspect.getclosurevars(code)
    except ValueError:  # of a variable without a value
        return False
    values = [*names.nonlocals.values(), *names.globals.values(), *(code.__defaults__ or ())]
    held = leaves([value for value in values if isinstance(value, _HOLDERS)])
    return any(isinstance(value, keras.Layer) for value in held)


_OPAQUE = tuple(
    getattr(keras.layers, name)
    for name in ("FlaxLayer", "JaxLayer", "Lambda", "TFSMLayer", "TorchModuleWrapper")
    if hasattr(keras.layers, name)
)
"""Layers of Keras's that run anybody's code."""

_ARITHMETIC = ("Add", "Divide", "Multiply", "Negative", "Subtract", "TrueDivide")
"""Operations of a graph that change each value by itself."""


_AXES = {"axis", "_attention_axes"}
_FUNCTIONS = {"activation", "recurrent_activation", "_standardize", "_split"}
"""The attributes of Keras's layers that say along which axes they work, and with which functions
they were made."""


def may_mix_samples(layers: Iterable[keras.Layer]) -> bool:
    """Whether a sample's values may depend on the other samples of its batch.

    It cannot be ruled out where code runs that is not Keras's, and of Keras's own layers where
    they work along the axis of the samples.

    Args:
        layers: Every layer that is called, models among them.
    """
    return not all(map(_keeps_samples_apart, layers))


def _keeps_samples_apart(layer: keras.Layer) -> bool:
    if is_graph(layer):
        operations = layer.operations if is_functional(layer) else layer.layers
        return all(
            isinstance(x, keras.Layer) or (is_of_keras(x) and type(x).__name__ in _ARITHMETIC)
            for x in operations
        )
    if not is_of_keras(layer) or isinstance(layer, _OPAQUE):
        return False
    attributes = vars(layer)
    axes, functions = (names & attributes.keys() for names in (_AXES, _FUNCTIONS))
    return all(_is_after_samples(attributes[name]) for name in axes) and not any(
        callable(attributes[name]) and not is_of_keras(attributes[name]) for name in functions
    )


def _is_after_samples(axes: Any) -> bool:
    """Whether none of some axes can be that of the samples, as one counted from the end may be."""
    return all(axis is None or axis == -1 or axis > 0 for axis in leaves(axes))


def is_of_keras(value: Any) -> bool:
    """Whether a layer, an operation or a function is one of Keras's own."""
    module = value.__module__ if inspect.isfunction(value) else type(value).__module__
    return str(module).split(".")[0] == "keras"


def layer_calls(
    model: keras.Layer, steps: tuple[CallStep, ...] = (), passed_in: Sequence[int] = ()
) -> Iterator[Call]:
    """Yield every call of every layer inside a model, to any depth, in model order.

    Calls in a graph are read from it. A layer inside a layer that is not a graph (a subclassed
    model, a composite layer) is taken to be called once.

    Args:
        model: A model, or any layer.
        steps: The steps that lead to it, where it is inside another model.
        passed_in: The channel axes of what it is called on there.
    """
    calls = _graph_calls(model, passed_in) if is_graph(model) else _held_calls(model)
    for call, axes in calls:
        if steps and isinstance(call.layer, keras.layers.InputLayer):
            continue  # a nested model is called on what comes in instead
        path = (*steps, *call.steps)
        yield replace(call, steps=path)
        if not isinstance(call.layer, keras.layers.RNN):  # its cell is called within a loop
            yield from layer_calls(call.layer, path, axes)


def _graph_calls(
    model: keras.Model, passed_in: Sequence[int]
) -> Iterator[tuple[Call, Sequence[int]]]:
    """Yield the calls that make up a graph, as they run, and the channel axes of their inputs.

    The calls of one layer are numbered in the order in which they were written.
    """
    axes = graph_axes(model, passed_in)
    for node in graph_nodes(model):
        layer, (args, kwargs) = node.operation, node.arguments
        if isinstance(layer, keras.Layer):
            call = Call(
                (node.step,),
                layer,
                outputs=node.outputs,
                channel_axes=tuple(axes[id(x)] for x in node.outputs),
                structure=partial(layer.compute_output_spec, *args, **kwargs),
                inputs=node.inputs,
            )
            yield call, [axes[id(x)] for x in node.inputs]


def graph_axes(model: keras.Model, passed_in: Sequence[int]) -> dict[int, int]:
    """Return the channel axis of each tensor of a graph, by the tensor's identity."""
    axes = dict(zip(map(id, model.inputs), passed_in, strict=False))
    for node in graph_nodes(model):
        for tensor, axis in zip(node.outputs, _node_axes(node, axes), strict=True):
            axes.setdefault(id(tensor), axis)
    return axes


def _node_axes(node: GraphNode, axes: Mapping[int, int]) -> list[int]:
    if is_graph(node.operation):
        model = as_functional(node.operation)
        inside = graph_axes(model, [axes[id(x)] for x in node.inputs])
        return [inside[id(x)] for x in model.outputs]
    ranks = [len(x.shape) for x in node.outputs]
    passed_on = [(len(x.shape), axes[id(x)]) for x in node.inputs]
    return [
        channel_axis(node.operation, n, [axis for m, axis in passed_on if m == n]) for n in ranks
    ]


def _held_calls(layer: keras.Layer) -> Iterator[tuple[Call, Sequence[int]]]:
    layers = sublayers(layer)
    for item, step in zip(layers, number_steps(item.name for item in layers), strict=True):
        yield Call((step,), item), ()
