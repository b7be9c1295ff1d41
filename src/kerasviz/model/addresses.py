"""Resolve layer addresses to the calls of a model that they name."""

from __future__ import annotations

import difflib
import fnmatch
import inspect
import re
from collections.abc import Sequence
from numbers import Integral
from typing import Any, NamedTuple

import keras

from kerasviz.model.graph import held_layers
from kerasviz.model.layer_call import Call

LayerAddress = str | int | keras.Layer | type[keras.Layer]
"""One layer address; most functions take a list of them, or `None` for every convolution, too."""


CONVOLUTIONS = (
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
    keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv1D,
    keras.layers.SeparableConv2D,
    keras.layers.ConvLSTM1D,
    keras.layers.ConvLSTM2D,
    keras.layers.ConvLSTM3D,
)


class NamedCall(NamedTuple):
    """A call that the user asked for, and the address that the result is keyed by."""

    address: str
    call: Call


class Selection(NamedTuple):
    """The calls that a layer argument names; `single` where it can name one layer only."""

    targets: tuple[NamedCall, ...]
    single: bool


def check_model(model: object) -> None:
    """Raise `TypeError` unless `model` is a Keras model."""
    if not isinstance(model, keras.Model):
        hint = " Load it with keras.models.load_model." if isinstance(model, str) else ""
        raise TypeError(f"`model` must be a Keras model.{hint} Received: model={model!r}")


def check_form(layer: object) -> None:
    """Refuse what names no layer of any model.

    Raises:
        TypeError: `layer` is neither an address nor a list of addresses.
        ValueError: It is an empty list.
    """
    if isinstance(layer, (list, tuple)) and not layer:
        raise ValueError("`layer` must name at least one layer. Received: layer=[]")
    for item in layer if isinstance(layer, (list, tuple)) else [layer]:
        is_layer_class = inspect.isclass(item) and issubclass(item, keras.Layer)
        is_index = isinstance(item, Integral) and not isinstance(item, bool)
        is_none = layer is None
        if not (is_layer_class or is_index or is_none or isinstance(item, (keras.Layer, str))):
            raise TypeError(
                "`layer` must be a name, an index, a layer, a layer class, a pattern, a list of "
                f"these or None. Received: layer={item!r}"
            )


def resolve(model: keras.Model, layer: Any, calls: Sequence[Call]) -> Selection:
    """Find what a layer argument names.

    Args:
        model: The model to look in.
        layer: A layer address, a list of them, or `None` for every convolution.
        calls: The calls of its layers.

    Raises:
        TypeError: `layer` is not an address.
        ValueError: Nothing has that address, or more than one call has.
    """
    check_form(layer)
    if layer is None:
        convolutions = [call for call in calls if is_convolution(call.layer)]
        if not convolutions:
            raise ValueError(
                f"The model '{model.name}' has no convolution. "
                "Name a layer: find_layers(model, '*') lists them all."
            )
        targets = [NamedCall(call.address, call) for call in convolutions]
        return Selection(tuple(targets), single=False)
    if isinstance(layer, (list, tuple)):
        parts = [_find(model, calls, item)[0] for item in layer]
        merged = {target.address: target for part in parts for target in part}
        return Selection(tuple(merged.values()), single=False)
    targets, single = _find(model, calls, layer)
    return Selection(tuple(targets), single)


def resolve_unbuilt(model: keras.Model, layer: Any, calls: Sequence[Call]) -> Selection:
    """Find what a layer argument names in a model whose calls are not known yet.

    Each layer counts as called once: which of its calls is meant, only a built model can check.
    """

    def without_index(item: Any) -> Any:
        return re.sub(r":\d+", "", item) if isinstance(item, str) else item

    several = isinstance(layer, (list, tuple))
    return resolve(
        model, list(map(without_index, layer)) if several else without_index(layer), calls
    )


def is_convolution(layer: keras.Layer) -> bool:
    """Whether a layer is one of Keras's convolutions, or made from one."""
    return isinstance(layer, CONVOLUTIONS)


def _find(model: keras.Model, calls: Sequence[Call], layer: Any) -> tuple[list[NamedCall], bool]:
    if inspect.isclass(layer) and issubclass(layer, keras.Layer):
        named = [NamedCall(call.address, call) for call in calls if isinstance(call.layer, layer)]
        return _some(named, layer, model, calls), False
    if isinstance(layer, keras.Layer):
        matches = [call for call in calls if call.layer is layer]
        if not matches and any(layer is held for held in held_layers(model)):
            raise ValueError(_out_of_reach(model, layer.name))
        if not matches:
            raise ValueError(f"`layer` is not in the model '{model.name}'. Received: {layer!r}")
        return [_only(matches, layer.name)], True
    if isinstance(layer, str):
        return _find_by_name(model, calls, layer)
    layer = int(layer)
    layers = model.layers
    if not -len(layers) <= layer < len(layers):
        raise ValueError(
            f"`layer` must be between {-len(layers)} and {len(layers) - 1}, since the model "
            f"'{model.name}' has {len(layers)} layers. Received: layer={layer}"
        )
    matches = [call for call in calls if call.layer is layers[layer]]
    if not matches:
        raise ValueError(_out_of_reach(model, layers[layer].name))
    # An index counts the model's own layers, so a call in the model itself is what it names,
    # even where a layer inside another one calls that layer, too.
    direct = [call for call in matches if len(call.steps) == 1]
    return [_only(direct or matches, str(layer))], True


def _find_by_name(
    model: keras.Model, calls: Sequence[Call], address: str
) -> tuple[list[NamedCall], bool]:
    # A layer's name may hold the characters that mark an output or a pattern: so names are looked
    # up first, and marks are read where there is no such name.
    matches = named_calls(calls, address) or _at_attribute(model, calls, address)
    if matches:
        return [NamedCall(address, _only(matches, address).call)], True
    of_output = _output_of(model, calls, address)
    if of_output is not None:
        return [NamedCall(address, of_output)], True
    if any(char in address for char in "*?["):
        named = [NamedCall(call.address, call) for call in calls if _like(call, address)]
        return _some(named or _outputs_like(calls, address), address, model, calls), False
    called = {call.layer.name for call in calls}
    name = address.split("/")[-1].split(":")[0]
    if name not in called and any(layer.name == name for layer in held_layers(model)):
        raise ValueError(_out_of_reach(model, address))
    names = dict.fromkeys(call.address for call in calls)
    names |= dict.fromkeys(call.layer.name for call in calls)
    close = difflib.get_close_matches(address, names, n=3, cutoff=0.4)
    listed = list(dict.fromkeys(call.address for call in calls if len(call.steps) == 1))
    if close:
        hint = f"Did you mean {' or '.join(map(repr, close))}?"
    elif listed:
        hint = f"Its layers are: {', '.join(listed[:20])}{', …' if len(listed) > 20 else ''}."
    else:
        hint = "It has no layers."
    raise ValueError(
        f"No such layer in the model '{model.name}': {address!r}. {hint} `layer` must name one of "
        f"its layers. Received: layer={address!r}"
    )


def named_calls(calls: Sequence[Call], address: str) -> list[Call]:
    """Return the calls whose last steps are those of an address; whole addresses come first."""
    parts = address.split("/")
    exact = [call for call in calls if len(call.steps) == len(parts) and _ends(call, parts)]
    return exact or [call for call in calls if _ends(call, parts)]


def _at_attribute(model: keras.Model, calls: Sequence[Call], address: str) -> list[Call]:
    """Return the calls of the layer that `"blocks/0/conv"` leads to by attributes and indices.

    In a subclassed model whose layers have automatic names, these are the names that its author
    knows.
    """
    path, _, index = address.partition(":")
    layer = _attribute(model, path.split("/"))
    if not isinstance(layer, keras.Layer):
        return []
    matches = [call for call in calls if call.layer is layer]
    if not matches:
        raise ValueError(_out_of_reach(model, address))
    return [call for call in matches if index in ("", str(call.steps[-1].call_index))]


def _attribute(value: Any, parts: Sequence[str]) -> Any:
    """Return what attributes, keys and indices lead to, `None` where there is nothing."""
    for part in parts:
        if isinstance(value, keras.Layer):
            inner = vars(value).get("_modules", {})  # where PyTorch keeps them
            value = {**inner, **vars(value)}.get(part)
        elif isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, (list, tuple)) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def _output_of(model: keras.Model, calls: Sequence[Call], address: str) -> Call | None:
    """Return the call of which an address such as `"attention#1"` names one output."""
    name, mark, output = address.rpartition("#")
    matches = named_calls(calls, name) or _at_attribute(model, calls, name) if mark else []
    if not matches:
        return None
    target = _only(matches, name).call
    call = target.with_output(output)
    if call is None:
        count = len(target.outputs)
        raise ValueError(
            f"The layer {name!r} has no output {output!r}: it returns {count}, counted from 0. "
            f"Received: layer={address!r}"
        )
    return call


def _outputs_like(calls: Sequence[Call], pattern: str) -> list[NamedCall]:
    """Return the outputs that a pattern such as `"attention*#1"` names, one for each call."""
    name, _, output = pattern.rpartition("#")
    pairs = [(call, call.with_output(output)) for call in calls if name and _like(call, name)]
    return [NamedCall(f"{call.address}#{output}", part) for call, part in pairs if part is not None]


def _out_of_reach(model: keras.Model, address: str) -> str:
    return (
        f"The model '{model.name}' holds {address!r}, but no output of it can be taken: the model "
        "does not call it in inference mode, or calls it where values cannot leave, such as in a "
        "loop, in a branch of `keras.ops.cond`, in a function that the backend compiles by itself "
        "(`tf.function`, `jax.jit`), or in a recurrent layer's steps. "
        f"Received: layer={address!r}"
    )


def _ends(call: Call, parts: Sequence[str]) -> bool:
    """Whether the last steps of a call are those of an address."""
    if len(parts) > len(call.steps):
        return False
    steps = call.steps[-len(parts) :]
    return all(
        part in (step.name, f"{step.name}:{step.call_index}")
        for step, part in zip(steps, parts, strict=True)
    )


def _like(call: Call, pattern: str) -> bool:
    if isinstance(call.layer, keras.layers.InputLayer) or not isinstance(call.layer, keras.Layer):
        return False  # inputs, and parts of a layer, are asked for by name alone
    path = "/".join(step.name for step in call.steps)
    names = {call.address, path}
    if "/" not in pattern:
        names |= {call.layer.name, str(call.steps[-1])}
    return any(fnmatch.fnmatchcase(name, pattern) for name in names)


def _only(matches: Sequence[Call], address: str) -> NamedCall:
    if len(matches) > 1:
        addresses = ", ".join(repr(call.address) for call in matches)
        what = (
            "a layer that is called more than once"
            if len({id(call.layer) for call in matches}) == 1
            else "more than one layer"
        )
        raise ValueError(f"`layer` must name one of {addresses}: {address!r} is {what}.")
    return NamedCall(matches[0].address, matches[0])


def _some(
    matches: list[NamedCall],
    layer: str | type[keras.Layer],
    model: keras.Model,
    calls: Sequence[Call],
) -> list[NamedCall]:
    if not matches:
        layers = [call.layer for call in calls if isinstance(call.layer, keras.Layer)]  # no parts
        classes = sorted({type(layer).__name__ for layer in layers})
        hint = (
            f"Its layers are of the classes {', '.join(classes)}; `layer` must match one of them."
            if classes
            else "It has no layers, and `layer` must match at least one."
        )
        name = layer.__name__ if isinstance(layer, type) else layer
        received = name if isinstance(layer, type) else repr(layer)
        raise ValueError(
            f"Nothing in the model '{model.name}' matches {name!r}. {hint} "
            f"Received: layer={received}"
        )
    return matches
