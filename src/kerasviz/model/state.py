"""Put back what a look at a model changes: attributes, losses, the backend's state, generators."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import keras
import numpy as np

from kerasviz.model.backend import save_native_generator, save_native_state
from kerasviz.model.graph import is_of_keras, leaves

Restore = Callable[[], None]


@dataclass(kw_only=True)
class _Saved:
    """How to put something back, and how many looks are at work on it."""

    restore: Restore
    looks: int = 0


_saved: dict[Hashable, _Saved] = {}
_lock = threading.Lock()


@contextmanager
def keeping_state(layers: Iterable[keras.Layer]) -> Iterator[None]:
    """Put back all state of layers, but for Keras's variables, and that of random numbers.

    `keras.StatelessScope` keeps Keras's variables. Of several looks at the same time, in several
    threads, the first one saves the state and the last one puts it back.

    Args:
        layers: Every layer that may be called.
    """
    savers: dict[Hashable, Callable[[], Restore]] = {"generators": _save_generators}
    for layer in filter(_has_state, layers):
        savers[id(layer)] = partial(_save_layer, layer)
    entered: list[Hashable] = []
    try:
        with _lock:
            for key, save in savers.items():
                if key not in _saved:
                    _saved[key] = _Saved(restore=save())
                _saved[key].looks += 1
                entered.append(key)
        yield
    finally:
        with _lock:
            for key in entered:
                _saved[key].looks -= 1
                if _saved[key].looks == 0:
                    _saved.pop(key).restore()


def _save_generators() -> Restore:
    """Save what the numbers depend on that Python, NumPy and PyTorch draw next."""
    # Users' code draws from NumPy's global generator. Only `get_state` has all of it: that of
    # `get_bit_generator` lacks the second of two Gaussian numbers, kept for the next draw.
    state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002 (see above)
    restore_native = save_native_generator()

    def restore() -> None:
        random.setstate(state)
        np.random.set_state(numpy_state)  # noqa: NPY002 (see above)
        restore_native()

    return restore


def _has_state(layer: keras.Layer) -> bool:
    """Whether a call can change a layer beyond its variables: most of Keras's own it cannot."""
    return bool(
        layer._losses
        or layer._loss_ids
        or not is_of_keras(layer)
        or isinstance(layer, keras.layers.TorchModuleWrapper)
    )


def _save_layer(layer: keras.Layer) -> Restore:
    attributes = _own_attributes(layer)
    # Keras empties these at each call, and collects none in a StatelessScope. It has no public
    # way to set them; every Keras 3 has them.
    contents = [_save_contents(x) for x in (layer._losses, layer._loss_ids)]
    contents += [_save_contents(x) for x in _containers(attributes.values())]
    restore_native = save_native_state(layer, attributes.values())

    def restore() -> None:
        _restore_attributes(layer, attributes)
        for restore_content in contents:
            restore_content()
        restore_native()

    return restore


def _own_attributes(layer: keras.Layer) -> dict[str, Any]:
    """Return the attributes that a layer's own code may set: none of a layer of Keras's."""
    if is_of_keras(layer):
        return {}
    return {name: x for name, x in vars(layer).items() if name not in _names_of_keras()}


@cache
def _names_of_keras() -> frozenset[str]:
    return frozenset(vars(keras.Model(name="kerasviz_attributes")))


def _restore_attributes(layer: keras.Layer, before: Mapping[str, Any]) -> None:
    """Put attributes back without Keras's `__setattr__`, which would track them again."""
    after = _own_attributes(layer)
    for name, value in after.items():
        if (name in before and value is before[name]) or _is_built(value):
            continue
        if name in before:
            vars(layer)[name] = before[name]
        elif _holds_tensors(value):  # which nobody can use after a trace
            del vars(layer)[name]
    for name, value in before.items():
        if name not in after:
            vars(layer)[name] = value


def _is_built(value: Any) -> bool:
    """Whether a new value belongs to what a layer makes once, at its first call."""
    kinds = (keras.Layer, keras.Variable, keras.Metric, keras.random.SeedGenerator)
    return any(isinstance(x, kinds) for x in leaves(value))


def _holds_tensors(value: Any) -> bool:
    return any(keras.ops.is_tensor(x) for x in leaves(value))


def _containers(values: Iterable[Any]) -> list[Any]:
    """Return the lists, dicts and sets among values, and those inside them, each once."""
    containers: dict[int, Any] = {}
    to_visit = list(values)
    while to_visit:
        value = to_visit.pop()
        if isinstance(value, (list, dict, set)) and id(value) not in containers:
            containers[id(value)] = value
        elif not isinstance(value, tuple):
            continue
        to_visit += value.values() if isinstance(value, dict) else value
    return list(containers.values())


def _save_contents(container: Any) -> Restore:
    """Save what is in a list, a dict or a set."""
    if isinstance(container, dict):
        return partial(_restore_dict, container, dict(container))
    before = list(container)

    def restore() -> None:
        if isinstance(container, set):
            if container != set(before):
                container.clear()
                container.update(before)
        elif len(container) != len(before) or any(map(_differ, container, before)):
            container[:] = before

    return restore


def _restore_dict(container: dict[Any, Any], before: Mapping[Any, Any]) -> None:
    for key in [key for key in container if key not in before]:
        if not _is_built(container[key]):
            del container[key]
    for key, value in before.items():
        if key not in container or container[key] is not value:
            container[key] = value


def _differ(a: Any, b: Any) -> bool:
    return a is not b
