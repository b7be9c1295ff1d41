"""A layer to a few words: its kind, its class, its main settings."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import keras

from kerasviz.model.layers import is_convolution, sublayers

FINISHING = "normalization, activation or dropout"
KINDS = (
    "input",
    "convolution",
    "pooling or resizing",
    "merge",
    FINISHING,
    "dense",
    "model",
    "other",
)

Config = dict[str, Any]


def is_composite(layer: Any) -> bool:
    """Whether a layer is a model, or holds layers and was not written by Keras."""
    inner = _wrapped(layer)
    if inner is not None:
        return is_composite(inner)
    if not isinstance(layer, keras.Layer) or isinstance(layer, keras.layers.RNN):
        return False
    return isinstance(layer, keras.Model) or (not _is_keras(type(layer)) and bool(sublayers(layer)))


def kind(layer: Any, arity: int = 1) -> str:
    """Return which of `KINDS` a layer, or an operation that takes so many tensors, is."""
    inner = _wrapped(layer)
    if inner is not None:
        return kind(inner, arity)
    if is_composite(layer):
        return "model"
    if is_convolution(layer):
        return "convolution"
    name = _keras_class(layer)
    if not isinstance(layer, keras.Layer):
        if arity > 1:
            return "merge"
        return FINISHING if hasattr(keras.activations, _snake_case(name)) else "other"
    return next((kind for kind, pattern in _KINDS.items() if re.fullmatch(pattern, name)), "other")


_KINDS = {
    "input": "InputLayer",
    "pooling or resizing": r".*Pooling\dD|UpSampling\dD",
    "merge": "Add|Average|Concatenate|Dot|Maximum|Minimum|Multiply|Subtract",
    FINISHING: r".*Normalization|.*Dropout(\dD)?|GaussianNoise|Activation|Softmax|E?LU|\w*ReLU",
    "dense": "(Einsum)?Dense",
}
"""Patterns of the names of Keras's classes."""


def title(layer: Any) -> str:
    """Return the class of a layer; of an operation, what it is called in `keras.ops`."""
    if isinstance(layer, keras.layers.InputLayer):
        return "Input"
    inner = _wrapped(layer)
    if inner is not None:
        return f"{type(layer).__name__}({title(inner)})"
    if isinstance(layer, keras.Layer):
        return type(layer).__name__
    return f"ops.{_snake_case(type(layer).__name__)}"


def activation(layer: Any) -> str:
    """Return the name of the activation with which a convolution or a dense layer ends, or ""."""
    inner = _wrapped(layer)
    if inner is not None:
        return activation(inner)
    function = getattr(layer, "activation", None)
    if function is None or kind(layer) not in ("convolution", "dense"):
        return ""
    name = str(getattr(function, "__name__", type(function).__name__))
    return "" if name == "linear" else name


def settings(layer: Any, rank: int) -> str:
    """Return the main settings of a layer in a few words: `"3×3, stride 2 · 64"`.

    Args:
        layer: A layer, or another operation of a graph.
        rank: The rank of its output.
    """
    inner = _wrapped(layer)
    if inner is not None:
        return settings(inner, rank)
    if is_composite(layer):
        count = sum(not isinstance(x, keras.layers.InputLayer) for x in sublayers(layer))
        return f"{count} layer{'s' if count != 1 else ''}"
    if is_convolution(layer):
        return _say_convolution(layer.get_config())
    say = _SETTINGS.get(_keras_class(layer))
    if say is None:
        return ""
    config = layer.get_config()
    if config.get("axis") in (-1, rank - 1):
        config.pop("axis")
    return say(config)


def _wrapped(layer: Any) -> keras.Layer | None:
    """Return the layer that a wrapper of Keras's is made around."""
    if isinstance(layer, keras.layers.Bidirectional):
        return layer.forward_layer
    return layer.layer if isinstance(layer, keras.layers.Wrapper) else None


def _is_keras(cls: type) -> bool:
    return cls.__module__.split(".")[0] == "keras"


def _keras_class(layer: Any) -> str:
    """Return the name of the class of Keras's own that a layer is, or is made from."""
    return next(cls.__name__ for cls in type(layer).__mro__ if _is_keras(cls))


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _sizes(value: Any) -> str:
    return "×".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def _short(value: Any) -> str:
    """Write a number, or numbers of which all that are the same are one."""
    if isinstance(value, (tuple, list)):
        if len(value) == 2 and value[0] == -value[1]:
            return f"±{_short(value[1])}"
        return _short(value[0]) if len(set(value)) == 1 else "×".join(map(_short, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _say_convolution(config: Config) -> str:
    words = [_sizes(config["kernel_size"])]
    for name, word in (("strides", "stride"), ("dilation_rate", "dilation"), ("groups", "groups")):
        value = config.get(name, 1)
        if _short(value) != "1":
            words.append(f"{word} {_short(value)}")
    if config.get("depth_multiplier", 1) != 1:
        words.append(f"depth ×{config['depth_multiplier']}")
    filters = config.get("filters")
    return ", ".join(words) + (f" · {filters}" if filters else "")


def _say_pooling(config: Config) -> str:
    size, strides = config["pool_size"], config["strides"]
    differs = strides is not None and _short(strides) != _short(size)
    return _sizes(size) + (f", stride {_short(strides)}" if differs else "")


def _say_padding(config: Config) -> str:
    sides = config["padding"] if "padding" in config else config["cropping"]
    if len(set(keras.tree.flatten(sides))) == 1:
        return str(keras.tree.flatten(sides)[0])
    return ", ".join("+".join(map(str, keras.tree.flatten(side))) for side in sides)


def _say_rescaling(config: Config) -> str:
    scale, offset = config["scale"], config["offset"]
    if not isinstance(scale, (int, float)) or not isinstance(offset, (int, float)):
        return ""
    return f"×{scale:.4g}" + (f", {offset:+.4g}" if offset else "")


def _say_activation(config: Config) -> str:
    value = config["activation"]
    return str(value.get("class_name", "") if isinstance(value, dict) else value)


def _say(name: str, before: str = "") -> Callable[[Config], str]:
    """Return what writes one setting, where it is there, behind a word."""

    def say(config: Config) -> str:
        value = config.get(name)
        return "" if value is None or isinstance(value, dict) else before + _short(value)

    return say


def _say_sizes(*names: str) -> Callable[[Config], str]:
    """Return what writes sizes, be they one setting or two."""

    def say(config: Config) -> str:
        values = [config[name] for name in names]
        return _sizes(values if len(names) > 1 else values[0])

    return say


_RATES = ("Dropout", "AlphaDropout", "GaussianDropout", *(f"SpatialDropout{n}D" for n in (1, 2, 3)))
_SETTINGS: dict[str, Callable[[Config], str]] = {
    **{f"{which}Pooling{n}D": _say_pooling for which in ("Max", "Average") for n in (1, 2, 3)},
    **{f"{what}{n}D": _say_padding for what in ("ZeroPadding", "Cropping") for n in (1, 2, 3)},
    **{f"UpSampling{n}D": _say_sizes("size") for n in (1, 2, 3)},
    **dict.fromkeys(_RATES, _say("rate")),
    **dict.fromkeys(("Dense", "LSTM", "GRU", "SimpleRNN"), _say("units", "· ")),
    **dict.fromkeys(("RandomRotation", "RandomContrast", "RandomBrightness"), _say("factor")),
    **dict.fromkeys(("Resizing", "CenterCrop", "RandomCrop"), _say_sizes("height", "width")),
    **dict.fromkeys(("BatchNormalization", "LayerNormalization"), _say("axis", "axis ")),
    "Activation": _say_activation,
    "Concatenate": _say("axis", "axis "),
    "EinsumDense": _say("equation"),
    "Embedding": _say("output_dim", "· "),
    "GaussianNoise": _say("stddev"),
    "GroupNormalization": _say("groups", "groups "),
    "LeakyReLU": _say("negative_slope"),
    "MultiHeadAttention": _say("num_heads", "heads "),
    "RandomFlip": lambda config: str(config["mode"]).replace("_", " "),
    "RandomZoom": _say("height_factor"),
    "ReLU": _say("max_value", "max "),
    "RepeatVector": _say("n"),
    "Rescaling": _say_rescaling,
    "Reshape": _say_sizes("target_shape"),
}
