"""Find the layer that turns a model's logits into probabilities, and call it without doing so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import keras

from kerasviz.model.calls import traced
from kerasviz.model.connections import CallOutput
from kerasviz.model.graph import is_of_keras
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
