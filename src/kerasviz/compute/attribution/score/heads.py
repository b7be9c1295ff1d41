"""Find the layer that turns a model's logits into probabilities, and call it without doing so."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import keras

from kerasviz.model.calls import traced
from kerasviz.model.connections import CallOutput
from kerasviz.model.graph import GraphNode, graph_nodes, is_of_keras
from kerasviz.model.layer_call import CallPath
from kerasviz.model.tracing import ModelTrace

HeadKind = Literal["softmax", "log_softmax", "sigmoid", "linear", "unknown"]
ACTIVATIONS: dict[Any, HeadKind] = {
    keras.activations.softmax: "softmax",
    keras.activations.log_softmax: "log_softmax",
    keras.activations.sigmoid: "sigmoid",
    keras.activations.linear: "linear",
    keras.ops.softmax: "softmax",
    keras.ops.log_softmax: "log_softmax",
    keras.ops.sigmoid: "sigmoid",
}
_OPERATIONS: dict[str, HeadKind] = {
    "Softmax": "softmax",
    "LogSoftmax": "log_softmax",
    "Sigmoid": "sigmoid",
}
"""The names of Keras's classes for operations in a graph, which are not public."""
_cuts: weakref.WeakKeyDictionary[
    keras.Model, tuple[tuple[int, ...], keras.Model | None, dict[int, HeadKind]]
]
_cuts = weakref.WeakKeyDictionary()
PROBABILITIES = tuple(
    getattr(module, name)
    for module in (keras.activations, keras.ops)
    for name in ("hard_sigmoid", "sparsemax", "sparse_sigmoid")
    if hasattr(module, name)  # the oldest Keras has no sparse_sigmoid
)
"""Activations that make probabilities, of which there are no logits."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """The last step of one of a model's outputs.

    Args:
        kind: How logits become what the model returns. "linear": the model returns logits, or any
            other score. "unknown": the step is not a layer, or is not one of these.
        path: The call of the layer that does it.
    """

    kind: HeadKind
    path: CallPath | None = None


def find_heads(model: keras.Model, specs: Any) -> list[Head]:
    """Return the head of each output of a model.

    Args:
        model: A built model.
        specs: What it is called on, as a structure of `keras.KerasTensor`.
    """
    trace = traced(model, specs)
    if trace.failure is not None:
        return [Head(kind="unknown")] * max(1, len(keras.tree.flatten(model.outputs or [0])))
    return [_follow(trace, source) for source in trace.connections.outputs[()]]


def before_operations(model: keras.Model) -> tuple[keras.Model, dict[int, HeadKind]]:
    """Return a graph without the operations that make probabilities of its outputs.

    A softmax that was called as a function, `keras.ops.softmax(x)`, is a node of the graph and
    not a layer, of which a twin could be called. The graph is cut there, once for each model.

    Args:
        model: A Functional model.

    Returns:
        The model to what these operations take, with the same structure of outputs, and the
        operation of each output that has one, by its index.
    """
    outputs = keras.tree.flatten(model.output)
    key = tuple(map(id, outputs))
    if model not in _cuts or _cuts[model][0] != key:
        _cuts[model] = key, *_cut(model, outputs)
    _, part, kinds = _cuts[model]
    return model if part is None else part, kinds


def _cut(
    model: keras.Model, outputs: Sequence[Any]
) -> tuple[keras.Model | None, dict[int, HeadKind]]:
    nodes = {id(x): node for node in graph_nodes(model) for x in node.outputs}
    kinds = {index: _operation_kind(nodes[id(x)]) for index, x in enumerate(outputs)}
    heads = {index: kind for index, kind in kinds.items() if kind is not None}
    if not heads:
        return None, heads
    declared = [nodes[id(x)].inputs[0] if i in heads else x for i, x in enumerate(outputs)]
    declared = keras.tree.pack_sequence_as(model.output, declared)
    return keras.Model(model.input, declared, name=model.name), heads


def _operation_kind(node: GraphNode) -> HeadKind | None:
    """Return which operation a node of a graph is, where it makes probabilities of classes."""
    operation = node.operation
    if isinstance(operation, keras.Layer) or not is_of_keras(operation):
        return None
    axis = getattr(operation, "axis", -1)
    is_of_classes = axis in (-1, len(node.outputs[0].shape) - 1)
    return _OPERATIONS.get(type(operation).__name__) if is_of_classes else None


def _follow(trace: ModelTrace, source: Any) -> Head:
    """Follow an output into nested models, to the layer that computes it."""
    layers = {call.path: call.layer for call in trace.calls}
    while isinstance(source, CallOutput):
        layer = layers[source.path]
        inside = trace.connections.outputs.get(source.path, [])
        inner = inside[source.output_index] if source.output_index < len(inside) else None
        if isinstance(inner, CallOutput):
            source = inner
            continue
        before = trace.connections.inputs.get(source.path, [])
        if _passes_on(layer) and len(before) == 1 and isinstance(before[0], CallOutput):
            source = before[0]
            continue
        kind = _kind(layer)
        return Head(kind=kind, path=None if kind in ("linear", "unknown") else source.path)
    return Head(kind="unknown")


def _passes_on(layer: keras.Layer) -> bool:
    """Whether a layer returns what it takes, such as the cast to float32 behind a softmax."""
    if isinstance(layer, keras.layers.Activation):
        return layer.activation is keras.activations.linear
    return isinstance(layer, _PASSING)


def _kind(layer: keras.Layer) -> HeadKind:
    if isinstance(layer, keras.layers.Softmax):
        return "softmax"
    if isinstance(layer, _WITH_ACTIVATION):
        is_score = is_of_keras(layer.activation) and layer.activation not in PROBABILITIES
        return ACTIVATIONS.get(layer.activation, "linear" if is_score else "unknown")
    # Amounts and not probabilities, also where those of a first batch are all between 0 and 1.
    is_unbounded = isinstance(layer, _UNBOUNDED) and getattr(layer, "max_value", None) is None
    return "linear" if is_unbounded else "unknown"


_PASSING = (
    keras.layers.Identity,
    keras.layers.Dropout,
    keras.layers.GaussianNoise,
    keras.layers.ActivityRegularization,
)
_UNBOUNDED = (
    keras.layers.ReLU,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
    keras.layers.ELU,
)
_WITH_ACTIVATION = (
    keras.layers.Activation,
    keras.layers.Dense,
    keras.layers.EinsumDense,
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
)


def twin_of(layer: keras.Layer, activation: Callable[[Any], Any]) -> keras.Layer:
    """Return a layer with the same variables and another activation; `layer` stays as it is.

    Args:
        layer: The layer of a head.
        activation: The activation; for a `Softmax` layer, what takes its place.
    """
    if isinstance(layer, keras.layers.Softmax):
        return _InPlaceOfSoftmax(activation, name=layer.name, dtype=layer.dtype_policy)
    twin = object.__new__(type(layer))  # since copy.copy would serialize it
    twin.__dict__.update(vars(layer), activation=activation)
    return twin


class _InPlaceOfSoftmax(keras.Layer):
    """Takes what a `Softmax` layer takes, a mask included."""

    def __init__(self, activation: Callable[[Any], Any], **options: Any) -> None:
        super().__init__(**options)
        self.supports_masking = True
        self._activation = activation

    def call(self, inputs: Any, mask: Any = None) -> Any:
        del mask
        return self._activation(inputs)
