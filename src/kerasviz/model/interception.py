"""The one place that sees, and may change, what passes through the layers of a running model.

Keras has no way to ask a layer inside a nested or subclassed model for its output. But every layer
is called through `keras.Layer.__call__`, so while a model is intercepted, and in that thread alone,
that method also tells observers what each layer is called on and what it returns. The model and its
layers are never touched.

What this relies on: Keras calls layers inside a model by `layer(...)`. A layer called by
`layer.call(...)` is not seen, and one inside a loop, a branch or a compiled function of the backend
is seen, but its values cannot leave (`OpenCall.is_reachable`).
"""

from __future__ import annotations

import functools
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import keras

from kerasviz.model.backend import is_inside_map, trace_scope
from kerasviz.model.graph import held_layers, is_functional, is_graph, written_indices
from kerasviz.model.layer_call import CallPath

_local = threading.local()
_patch_lock = threading.Lock()
_intercepting_threads = 0
_plain_call: Callable[..., Any] = keras.Layer.__call__
_plain_remat: Callable[..., Any] = keras.Layer.rematerialized_call


class StopModel(BaseException):
    """Ends a model's call once an observer has all that it needs.

    Not an `Exception`, so that no handler on the way takes it for a failure.
    """


class OpenCall:
    """A call of a layer that has begun.

    Args:
        path: The path to the call, as in `Call.path`.
        layer: The layer.
        args: The positional arguments.
        kwargs: The keyword arguments.
        is_reachable: Whether values can leave the call: not from inside a loop, a branch or a
            function that the backend traces by itself.
        call_indices: `written_indices` of the layer, where they are not its own.
    """

    def __init__(
        self,
        path: CallPath,
        layer: keras.Layer,
        *,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        is_reachable: bool = True,
        call_indices: Mapping[str, list[int]] | None = None,
    ) -> None:
        self.path = path
        self.layer = layer
        self.args = args
        self.kwargs: dict[str, Any] = dict(kwargs or {})
        self.is_reachable = is_reachable
        self.time_steps: tuple[Any, Any] | None = None
        """Samples and time steps, where the layer inside runs on all time steps at once."""
        self._seen: Counter[str] = Counter()
        self._unreachable: Counter[str] = Counter()
        if call_indices is None:  # a Sequential model runs as it is written
            call_indices = written_indices(layer) if is_functional(layer) else {}
        self._written = call_indices

    @property
    def tensors(self) -> list[Any]:
        """The tensors that the layer is called on."""
        return [x for x in keras.tree.flatten((self.args, self.kwargs)) if keras.ops.is_tensor(x)]

    def next_index(self, name: str, *, is_reachable: bool = True) -> int:
        """Return which call of a layer the next one is, in the order in which a graph was written.

        Keras may run the calls of a graph in another order than that. Calls that values cannot
        leave have indices of their own, below 0: Keras also calls the layers in a model that is
        not built yet to build it, once.
        """
        if not is_reachable:
            self._unreachable[name] += 1
            return -self._unreachable[name]
        run = self._seen[name]
        self._seen[name] += 1
        written = self._written.get(name, ())
        return written[run] if run < len(written) else run


class Observer:
    """Sees the calls of layers; each kind of observer overrides what it needs."""

    def looks_into(self, path: CallPath) -> bool:
        """Whether calls inside the call of this path are of interest."""
        del path
        return True

    def begin(self, call: OpenCall, parents: Sequence[OpenCall]) -> None:
        """See a call before the layer runs; the arguments are those of `end`.

        An observer may set `call.layer`: that layer then runs in place of the model's own.
        """

    def end(self, call: OpenCall, outputs: Any, parents: Sequence[OpenCall]) -> Any:
        """See what a layer returned, and return what the model is to go on with.

        Args:
            call: The call.
            outputs: What the layer returned.
            parents: The calls that it is in, the outermost first.
        """
        del call, parents
        return outputs


def call_plainly(layer: keras.Layer, *args: Any) -> Any:
    """Call a layer of ours that no observer is to see, as an observer may do."""
    return _plain_call(layer, *args)


class Interception:
    """The open calls of a running model, and who observes them."""

    def __init__(
        self,
        model: keras.Model,
        observers: Sequence[Observer],
        call_indices: Mapping[str, list[int]] | None = None,
        *,
        of_any_size: bool = False,
    ) -> None:
        self._observers = observers
        self._of_any_size = of_any_size
        self._held = set(map(id, held_layers(model)))
        self._scope = trace_scope()
        self._open = [OpenCall((), model, call_indices=call_indices)]

    def call(self, layer: keras.Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a layer as a step of the innermost open call."""
        parent = self._open[-1]
        if isinstance(parent.layer, keras.layers.RNN):  # calls its cell once per time step
            return _plain_call(layer, *args, **kwargs)
        name = self._step_name(layer)
        is_reachable = trace_scope() == self._scope and not is_inside_map()
        index = parent.next_index(name, is_reachable=is_reachable)
        opened = OpenCall(
            (*parent.path, (name, index)),
            layer,
            args=args,
            kwargs=kwargs,
            is_reachable=is_reachable,
        )
        for observer in self._observers:
            observer.begin(opened, self._open)
        self._open.append(opened)
        try:
            outputs = self._run(opened)
        finally:
            self._open.pop()
        for observer in self._observers:
            outputs = observer.end(opened, outputs, self._open)
        return outputs

    def _step_name(self, layer: keras.Layer) -> str:
        """Return the name of a layer, without Keras's counter where `call` makes it each time."""
        name = str(layer.name)
        if id(layer) in self._held:
            return name
        stem = re.sub(r"_\d+$", "", name)
        is_automatic = stem.replace("_", "") == re.sub(r"\W|_", "", type(layer).__name__).lower()
        return stem if is_automatic else name

    def _run(self, opened: OpenCall) -> Any:
        layer, args, kwargs = opened.layer, opened.args, opened.kwargs
        unrolls = isinstance(layer, keras.layers.TimeDistributed) and any(
            observer.looks_into(opened.path) for observer in self._observers
        )
        if unrolls:
            inputs = args[0] if args else kwargs["inputs"]
            mask = kwargs.get("mask", args[2] if len(args) > 2 else None)
            if mask is None and _read_mask(inputs) is None:
                return _call_time_distributed(layer, opened, inputs)
        if self._of_any_size and is_graph(layer):
            return layer.call(*args, **{**kwargs, "training": False})
        return _plain_call(layer, *args, **kwargs)


def _call_time_distributed(layer: Any, opened: OpenCall, inputs: Any) -> Any:
    """Call the inner layer once on all time steps, one after the other as samples.

    Keras calls the inner layer's `call` for each step, partly inside a loop from which no tensor
    can be taken. In inference mode, and without a mask, the two give the same.
    """
    shape = keras.ops.shape(inputs)
    opened.time_steps = (shape[0], shape[1])
    outputs = layer.layer(keras.ops.reshape(inputs, (-1, *shape[2:])), training=False)
    return keras.tree.map_structure(lambda x: split_time(x, opened.time_steps), outputs)


def split_time(x: Any, time_steps: tuple[Any, Any] | None) -> Any:
    """Return a tensor with an axis for the time steps that were computed as samples."""
    return keras.ops.reshape(x, (*(time_steps or ()), *keras.ops.shape(x)[1:]))


class _MaskReader(keras.Layer):
    """Learns the mask of a tensor from Keras, which passes it to any layer that takes one.

    Where Keras keeps a mask differs between the backends, and is private.
    """

    def __init__(self) -> None:
        super().__init__(name="kerasviz_mask_reader", autocast=False)
        self.supports_masking = True
        self.mask: Any = None

    def call(self, x: Any, mask: Any = None) -> Any:
        self.mask = (mask,)  # in a tuple, which Keras does not track
        return x


def _read_mask(tensor: Any) -> Any:
    reader = _MaskReader()
    _plain_call(reader, tensor)
    return reader.mask[0]


def _intercepted_call(layer: keras.Layer, /, *args: Any, **kwargs: Any) -> Any:
    interception: Interception | None = getattr(_local, "interception", None)
    if interception is None:
        return _plain_call(layer, *args, **kwargs)
    return interception.call(layer, args, kwargs)


def _intercepted_remat(layer: keras.Layer, function: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Run a layer under `keras.RematScope` plainly: inference has no use for rematerialization.

    JAX would trace it by itself, and let no value out.
    """
    if getattr(_local, "interception", None) is None:
        return _plain_remat(layer, function, *args, **kwargs)
    return function if _remat_returns_function() else function(*args, **kwargs)


@functools.cache
def _remat_returns_function() -> bool:
    """Whether Keras calls what `rematerialized_call` returns; before 3.10 that was the result."""
    with keras.RematScope(mode="list_of_layers", layer_names=[]):
        layer = keras.layers.Identity(name="kerasviz_remat")
    return callable(_plain_remat(layer, lambda: None))


@contextmanager
def _intercepting(interception: Interception) -> Iterator[None]:
    """Let this thread's calls of layers run through an interception, and no other thread's."""
    global _intercepting_threads, _plain_call, _plain_remat
    with _patch_lock:
        if _intercepting_threads == 0:
            _plain_call = keras.Layer.__call__
            _plain_remat = keras.Layer.rematerialized_call
            keras.Layer.__call__ = _intercepted_call
            keras.Layer.rematerialized_call = _intercepted_remat
        _intercepting_threads += 1
    outer = getattr(_local, "interception", None)
    _local.interception = interception
    try:
        yield
    finally:
        _local.interception = outer
        with _patch_lock:
            _intercepting_threads -= 1
            if _intercepting_threads == 0 and keras.Layer.__call__ is _intercepted_call:
                keras.Layer.__call__ = _plain_call
                keras.Layer.rematerialized_call = _plain_remat


def call_observed(
    model: keras.Model,
    inputs: Any,
    observers: Sequence[Observer],
    call_indices: Mapping[str, list[int]] | None = None,
    *,
    of_any_size: bool = False,
) -> Any:
    """Call a model in inference mode while observers see each call of a layer inside it.

    Args:
        model: The model.
        inputs: What it is called on.
        observers: Who sees the calls, and may change what goes on.
        call_indices: `written_indices` of the model, where they are not its own.
        of_any_size: Whether graphs run on inputs of other sizes than their own, which Keras
            refuses to call them on.

    Returns:
        What the model returns; `None` where an observer ended it early.
    """
    interception = Interception(model, observers, call_indices, of_any_size=of_any_size)
    with _intercepting(interception), suppress(StopModel):
        if of_any_size and is_graph(model):
            return model.call(inputs, training=False)
        return _plain_call(model, inputs, training=False)
    return None
