"""Describe a layer in a few words: its kind, its class, its main settings.

Everything is read from attributes. `get_config()` would be slower, raises in some layers, imports
TensorFlow on other backends, and a subclass may leave out what its base class needs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from numbers import Integral, Real
from typing import Any

import keras
from keras import layers

from kerasviz.model.addresses import is_convolution
from kerasviz.model.graph import sublayers

FINISHING = "normalization, activation or dropout"
POOLING = "pooling or resizing"
CELL = "cell"
KINDS = (
    "input",
    "convolution",
    POOLING,
    "merge",
    FINISHING,
    "dense",
    "model",
    CELL,
    "other",
)


def is_composite(layer: Any) -> bool:
    """Whether a layer is a model, or holds layers and was not written by Keras."""
    inner = _wrapped(layer)
    if inner is not None:
        return is_composite(inner)
    if not isinstance(layer, keras.Layer) or isinstance(layer, layers.RNN):
        return False
    return isinstance(layer, keras.Model) or (not _is_keras(type(layer)) and bool(sublayers(layer)))


def kind(layer: Any, arity: int = 1) -> str:
    """Return which of `KINDS` a layer is, or an operation that takes `arity` tensors."""
    inner = _wrapped(layer)
    if inner is not None:
        return kind(inner, arity)
    if is_composite(layer):
        return "model"
    if is_convolution(layer):
        return "convolution"
    if not isinstance(layer, keras.Layer):
        if arity > 1:
            return "merge"
        return FINISHING if _is_activation(type(layer)) else "other"
    return next((kind for kind, classes in _KINDS.items() if isinstance(layer, classes)), "other")


def title(layer: Any) -> str:
    """Return the class of a layer; of an operation, its name in `keras.ops`."""
    if isinstance(layer, layers.InputLayer):
        return "Input"
    inner = _wrapped(layer)
    if inner is not None:
        return f"{type(layer).__name__}({title(inner)})"
    name = type(layer).__name__
    is_keras_operation = not isinstance(layer, keras.Layer) and _is_keras(type(layer))
    return f"ops.{_snake_case(name)}" if is_keras_operation else name


def activation(layer: Any) -> str:
    """Return the name of the activation with which a convolution or a dense layer ends, or ""."""
    inner = _wrapped(layer)
    if inner is not None:
        return activation(inner)
    if kind(layer) not in ("convolution", "dense"):
        return ""
    name = _function_name(_read(layer, "activation"))
    return "" if name == "linear" else name


def settings(layer: Any, rank: int) -> str:
    """Return the main settings of a layer in a few words: `"3×3, stride 2 · 64"`.

    A setting that cannot be read, or that is not of the type that Keras gives it, is left out.

    Args:
        layer: A layer, or another operation of a graph.
        rank: The rank of its output.
    """
    inner = _wrapped(layer)
    if inner is not None:
        return settings(inner, rank)
    if is_composite(layer):
        count = sum(not isinstance(x, layers.InputLayer) for x in sublayers(layer))
        return f"{count} layer{'s' if count != 1 else ''}"
    if is_convolution(layer):
        return _describe_convolution(layer)
    if isinstance(layer, _WITH_AXIS):
        return _describe_axis(layer, rank)
    describe = next((d for classes, d in _SETTINGS.items() if isinstance(layer, classes)), None)
    return "" if describe is None else describe(layer)


def _wrapped(layer: Any) -> keras.Layer | None:
    """Return the layer that a wrapper of Keras's is made around."""
    if isinstance(layer, layers.Bidirectional):
        return layer.forward_layer
    return layer.layer if isinstance(layer, layers.Wrapper) else None


def _is_keras(cls: type) -> bool:
    return cls.__module__.split(".")[0] == "keras"


def _is_activation(operation: type) -> bool:
    name = _snake_case(operation.__name__)
    return _is_keras(operation) and hasattr(keras.activations, name)


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _read(layer: Any, name: str) -> Any:
    """Return an attribute, or `None` where there is none that can be read."""
    try:
        return getattr(layer, name, None)
    # A property of somebody's subclass may raise anything. The box then says one fact less.
    except Exception:
        return None


def _read_numbers(layer: Any, name: str) -> tuple[float, ...]:
    """Return an attribute that is a number, or numbers of any structure, flat; else ()."""
    value = _read(layer, name)
    flat = keras.tree.flatten(value) if isinstance(value, (tuple, list)) else [value]
    return tuple(flat) if all(_is_number(number) for number in flat) else ()


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _write(number: float) -> str:
    return str(number) if isinstance(number, Integral) else f"{number:.4g}"


def _join(numbers: tuple[float, ...]) -> str:
    """Write every number: `3×3`."""
    return "×".join(map(_write, numbers))


def _shorten(numbers: tuple[float, ...]) -> str:
    """Write numbers, once where all are the same: `2` for (2, 2), `±0.1` for (-0.1, 0.1)."""
    if len(numbers) == 2 and numbers[0] == -numbers[1]:
        return f"±{_write(numbers[1])}"
    return _write(numbers[0]) if len(set(numbers)) == 1 else _join(numbers)


def _function_name(function: Any) -> str:
    """Return the name of an activation: a function, an object or a layer; "" for `None`."""
    if function is None:
        return ""
    if isinstance(function, partial):
        return _function_name(function.func)
    name = getattr(function, "__name__", None)
    return name.strip("<>") if isinstance(name, str) else type(function).__name__


def _describe_convolution(layer: Any) -> str:
    words = [_join(_read_numbers(layer, "kernel_size"))]
    for name, word in (
        ("strides", "stride "),
        ("dilation_rate", "dilation "),
        ("groups", "groups "),
        ("depth_multiplier", "depth ×"),
    ):
        value = _shorten(_read_numbers(layer, name))
        words.append(word + value if value not in ("", "1") else "")
    filters = _join(_read_numbers(layer, "filters"))
    return " · ".join(filter(None, (", ".join(filter(None, words)), filters)))


def _describe_axis(layer: Any, rank: int) -> str:
    """Write the axis, unless it is the last."""
    axis = _read_numbers(layer, "axis")
    if axis in ((), (-1,), (rank - 1,)):
        return ""
    return f"{'axis' if len(axis) == 1 else 'axes'} {', '.join(map(_write, axis))}"


def _describe_pooling(layer: Any) -> str:
    size, strides = _read_numbers(layer, "pool_size"), _read_numbers(layer, "strides")
    differs = strides and _shorten(strides) != _shorten(size)
    return ", ".join(filter(None, (_join(size), f"stride {_shorten(strides)}" if differs else "")))


def _describe_sides(name: str) -> Callable[[Any], str]:
    """Return a formatter for what is added or cut at both ends of each axis."""

    def describe(layer: Any) -> str:
        sides = _read_numbers(layer, name)
        if len(set(sides)) < 2:
            return _join(sides[:1])
        starts, stops = map(_write, sides[::2]), map(_write, sides[1::2])
        return ", ".join(f"{start}+{stop}" for start, stop in zip(starts, stops, strict=False))

    return describe


def _describe_rescaling(layer: Any) -> str:
    scale, offset = _read_numbers(layer, "scale"), _read_numbers(layer, "offset")
    if len(scale) != 1 or len(offset) != 1:
        return ""
    return f"×{scale[0]:.4g}" + (f", {offset[0]:+.4g}" if offset[0] else "")


def _describe(name: str, prefix: str = "") -> Callable[[Any], str]:
    """Return a formatter for one setting, with an optional prefix."""

    def describe(layer: Any) -> str:
        value = _read(layer, name)
        text = value if isinstance(value, str) else _shorten(_read_numbers(layer, name))
        return prefix + text if text else ""

    return describe


def _describe_sizes(*names: str) -> Callable[[Any], str]:
    """Return a formatter for sizes, in one attribute or in two."""
    return lambda layer: "×".join(filter(None, (_join(_read_numbers(layer, n)) for n in names)))


def _classes(*names: str) -> tuple[type, ...]:
    """Return layers of Keras by name, as far as the installed version has them."""
    return tuple(getattr(layers, name) for name in names if hasattr(layers, name))


def _by_rank(name: str) -> tuple[type, ...]:
    return _classes(*(f"{name}{rank}D" for rank in (1, 2, 3)))


_POOLING = (*_by_rank("MaxPooling"), *_by_rank("AveragePooling"))
_DROPOUT = (layers.Dropout, layers.AlphaDropout, layers.GaussianDropout)  # and spatial ones
_WITH_AXIS = (layers.BatchNormalization, layers.Concatenate, layers.LayerNormalization)

_KINDS: dict[str, tuple[type, ...]] = {
    "input": (layers.InputLayer,),
    POOLING: (
        *_POOLING,
        *_by_rank("GlobalMaxPooling"),
        *_by_rank("GlobalAveragePooling"),
        *_by_rank("AdaptiveMaxPooling"),
        *_by_rank("AdaptiveAveragePooling"),
        *_by_rank("UpSampling"),
    ),
    "merge": (
        layers.Add,
        layers.Average,
        layers.Concatenate,
        layers.Dot,
        layers.Maximum,
        layers.Minimum,
        layers.Multiply,
        layers.Subtract,
    ),
    FINISHING: (
        *_DROPOUT,
        *_classes("RMSNormalization"),
        layers.Activation,
        layers.BatchNormalization,
        layers.ELU,
        layers.GaussianNoise,
        layers.GroupNormalization,
        layers.LayerNormalization,
        layers.LeakyReLU,
        layers.Normalization,
        layers.PReLU,
        layers.ReLU,
        layers.Softmax,
        layers.UnitNormalization,
    ),
    "dense": (layers.Dense, layers.EinsumDense),
}

_SETTINGS: dict[tuple[type, ...], Callable[[Any], str]] = {
    _POOLING: _describe_pooling,
    _by_rank("ZeroPadding"): _describe_sides("padding"),
    _by_rank("Cropping"): _describe_sides("cropping"),
    _by_rank("UpSampling"): _describe_sizes("size"),
    _DROPOUT: _describe("rate"),
    (layers.Dense, layers.LSTM, layers.GRU, layers.SimpleRNN): _describe("units", "· "),
    _classes("RandomRotation", "RandomContrast", "RandomBrightness"): _describe("factor"),
    _classes("Resizing", "CenterCrop", "RandomCrop"): _describe_sizes("height", "width"),
    (layers.Activation,): lambda layer: _function_name(_read(layer, "activation")),
    (layers.EinsumDense,): _describe("equation"),
    (layers.Embedding,): _describe("output_dim", "· "),
    (layers.GaussianNoise,): _describe("stddev"),
    (layers.GroupNormalization,): _describe("groups", "groups "),
    (layers.LeakyReLU,): _describe("negative_slope"),
    (layers.MultiHeadAttention,): _describe("num_heads", "heads "),
    (layers.RandomFlip,): lambda layer: _describe("mode")(layer).replace("_", " "),
    (layers.RandomZoom,): _describe("height_factor"),
    (layers.ReLU,): _describe("max_value", "max "),
    (layers.RepeatVector,): _describe("n"),
    (layers.Rescaling,): _describe_rescaling,
    (layers.Reshape,): _describe_sizes("target_shape"),
}
