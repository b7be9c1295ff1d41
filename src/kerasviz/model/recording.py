"""What layers anywhere inside a model compute, recorded while the model is called.

Keras has no way to ask a layer inside a nested or subclassed model for its output. But every layer
is called through `keras.Layer.__call__`, so while a model is recorded, and in the thread that
records it alone, that method also keeps the outputs that are wanted. The model and its layers are
never touched.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import keras

from kerasviz.model.layers import (
    INPUT,
    Call,
    Path,
    channel_axis,
    count_steps,
    is_functional,
    written_numbers,
)

_local = threading.local()
_patch_lock = threading.Lock()
_recording_threads = 0
_plain_call: Callable[..., Any] = keras.Layer.__call__


class _Found(BaseException):
    """Ends a model's call when every output that is wanted is there.

    Not an `Exception`, so that no handler on the way takes it for a failure.
    """


class Recording:
    """One call of a model: which calls of layers lie open, and the outputs that were kept.

    Args:
        model: The model that is called.
        wanted: Paths of the calls to keep. `None` keeps the facts of every call instead.
        numbers: `written_numbers` of the model, where they are not its own.
    """

    def __init__(
        self,
        model: keras.Model,
        wanted: frozenset[Path] | None,
        numbers: Mapping[str, list[int]] | None = None,
    ) -> None:
        self.wanted = wanted
        self.outputs: dict[Path, Any] = {}
        self.calls: list[tuple[Path, Call]] = []
        self._open = [_OpenCall((), model, numbers)]
        self._axes: dict[int, tuple[Any, int]] = {}

    def call(self, layer: keras.Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a layer as a step of the innermost open call."""
        path = (*self._open[-1].path, (layer.name, self._open[-1].number(layer.name)))
        opened = _OpenCall(path, layer)
        place = len(self.calls)
        self._open.append(opened)
        try:
            if self._looks_into(path) and _is_unrolled(layer, args, kwargs):
                inputs = args[0] if args else kwargs["inputs"]
                outputs = self._call_time_distributed(layer, opened, inputs)
            else:
                outputs = _plain_call(layer, *args, **kwargs)
        finally:
            self._open.pop()
        if self.wanted is None:
            facts = self._describe(layer, (args, kwargs), _only_tensors(outputs))
            self.calls.insert(place, (path, facts))
        else:
            self._keep(path, outputs)
            self._keep((*path, INPUT[:2]), _first_tensor((args, kwargs)))
        return outputs

    def _keep(self, path: Path, value: Any) -> None:
        if self.wanted is not None and path in self.wanted:
            self.outputs[path] = self._with_time_axes(_only_tensors(value))
            if len(self.outputs) == len(self.wanted):
                raise _Found

    def _looks_into(self, path: Path) -> bool:
        if self.wanted is None:
            return True
        return any(len(w) > len(path) and w[: len(path)] == path for w in self.wanted)

    def _call_time_distributed(
        self,
        layer: keras.layers.TimeDistributed,
        opened: _OpenCall,
        inputs: Any,
    ) -> Any:
        """Call the inner layer once on all time steps, put behind one another as samples.

        Keras calls the inner layer's `call` for each step, partly inside a loop from which no
        tensor can be taken. In inference mode the two give the same.
        """
        shape = keras.ops.shape(inputs)
        opened.steps = (shape[0], shape[1])
        outputs = layer.layer(keras.ops.reshape(inputs, (-1, *shape[2:])), training=False)
        return keras.tree.map_structure(lambda x: self._split_time(x, opened.steps), outputs)

    def _with_time_axes(self, outputs: Any) -> Any:
        for opened in reversed(self._open):
            if opened.steps is not None:
                steps = opened.steps
                outputs = keras.tree.map_structure(
                    lambda x, s=steps: self._split_time(x, s), outputs
                )
        return outputs

    def _split_time(self, x: Any, steps: tuple[Any, Any]) -> Any:
        split = keras.ops.reshape(x, (*steps, *keras.ops.shape(x)[1:]))
        if id(x) in self._axes:
            axis = self._axes[id(x)][1]
            self._note_axis(split, axis + 1 if axis > 0 else axis)
        return split

    def _describe(self, layer: keras.Layer, arguments: Any, outputs: Any) -> Call:
        flat = keras.tree.flatten(outputs)
        for x in flat:
            if id(x) not in self._axes:  # as that of a layer inside is
                self._note_axis(x, channel_axis(layer, len(x.shape), self._passed_on(arguments, x)))
        shown = keras.tree.flatten(self._with_time_axes(flat))
        axes = tuple(self._axes[id(x)][1] for x in shown)
        structure = keras.tree.map_structure(lambda _: 0, outputs)
        given = _first_tensor(arguments)
        over_time = any(opened.steps is not None for opened in self._open)
        inputs = () if given is None or over_time else (_spec(given),)
        return Call((), layer, tuple(_spec(x) for x in shown), axes, lambda: structure, inputs)

    def _passed_on(self, arguments: Any, output: Any) -> list[int]:
        """Return the channel axes of a call's arguments that have the rank of its output."""
        rank = len(output.shape)
        known = [self._axes[id(x)] for x in keras.tree.flatten(arguments) if id(x) in self._axes]
        passed_on = [axis for x, axis in known if len(x.shape) == rank]
        if passed_on:
            return passed_on
        # What no layer made, as x + y, is taken to lie as the latest output of a layer does.
        latest = (axis for x, axis in reversed(self._axes.values()) if len(x.shape) == rank)
        return list(itertools.islice(latest, 1))

    def _note_axis(self, tensor: Any, axis: int) -> None:
        self._axes[id(tensor)] = tensor, axis  # kept, so that no identity is used again


class _OpenCall:
    """A call that has begun and not ended, and how often it has called each layer so far."""

    def __init__(
        self,
        path: Path,
        layer: keras.Layer,
        numbers: Mapping[str, list[int]] | None = None,
    ) -> None:
        self.path = path
        self.steps: tuple[Any, Any] | None = None
        self._seen: Counter[str] = Counter()
        if numbers is None:  # a Sequential model runs as it is written
            numbers = written_numbers(layer) if is_functional(layer) else {}
        self._written = numbers

    def number(self, name: str) -> int:
        """Return which call of a layer this is, in the order in which a graph was written."""
        run = self._seen[name]
        self._seen[name] += 1
        return self._written[name][run] if name in self._written else run


def _is_unrolled(layer: keras.Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a call is one whose time steps can be computed together: masked ones differ."""
    masks = [kwargs.get("mask"), *(getattr(x, "_keras_mask", None) for x in args)]
    return isinstance(layer, keras.layers.TimeDistributed) and all(m is None for m in masks)


def _only_tensors(outputs: Any) -> Any:
    """Return what a layer returned; where not all of it is tensors, as in `(x, None)`, only these.

    A model can return nothing else.
    """
    flat = keras.tree.flatten(outputs)
    tensors = [x for x in flat if keras.ops.is_tensor(x)]
    if len(tensors) == len(flat):
        return outputs
    return tensors[0] if len(tensors) == 1 else tensors


def _first_tensor(arguments: Any) -> Any:
    return next((x for x in keras.tree.flatten(arguments) if keras.ops.is_tensor(x)), None)


def _spec(x: Any) -> keras.KerasTensor:
    return keras.KerasTensor(tuple(x.shape), keras.backend.standardize_dtype(x.dtype))


def _recorded_call(layer: keras.Layer, /, *args: Any, **kwargs: Any) -> Any:
    recording: Recording | None = getattr(_local, "recording", None)
    if recording is None:
        return _plain_call(layer, *args, **kwargs)
    return recording.call(layer, args, kwargs)


@contextmanager
def recording_calls(recording: Recording) -> Iterator[None]:
    """Let this thread's calls of layers run through a recording; other threads see no change."""
    global _recording_threads, _plain_call
    with _patch_lock:
        if _recording_threads == 0:
            _plain_call = keras.Layer.__call__
            keras.Layer.__call__ = _recorded_call
        _recording_threads += 1
    outer = getattr(_local, "recording", None)
    _local.recording = recording
    try:
        yield
    finally:
        _local.recording = outer
        with _patch_lock:
            _recording_threads -= 1
            if _recording_threads == 0 and keras.Layer.__call__ is _recorded_call:
                keras.Layer.__call__ = _plain_call


def record(
    model: keras.Model,
    inputs: Any,
    wanted: frozenset[Path] | None = None,
    numbers: Mapping[str, list[int]] | None = None,
) -> Recording:
    """Call a model in inference mode, as far as it is needed, and return what was recorded."""
    recording = Recording(model, wanted, numbers)
    with recording_calls(recording), suppress(_Found):
        _plain_call(model, inputs, training=False)
    return recording


class _Tracer(keras.Layer):
    """Runs a model on symbolic inputs and keeps the facts of every call."""

    def __init__(self, model: keras.Model) -> None:
        super().__init__(name="kerasviz_tracer", autocast=False)
        self._model = weakref.ref(model)
        self.runs: list[list[tuple[Path, Call]]] = []

    def call(self, inputs: Any) -> Any:
        recording = record(self._model(), inputs)
        self.runs.append(recording.calls)
        return inputs


def trace_calls(model: keras.Model, specs: Any) -> list[Call]:
    """Return every call of every layer inside a model, in the order in which they begin.

    Nothing is computed. Where a backend stands in numbers for sizes that are not known, it runs
    twice, with different ones; what differs is unknown.

    Args:
        model: A built model.
        specs: Its inputs, as a structure of `keras.KerasTensor`.
    """
    tracer = _Tracer(model)
    tracer.compute_output_spec(specs)
    first, last = tracer.runs[0], tracer.runs[-1]
    steps = count_steps([path for path, _ in last])
    calls = []
    for (path, call), (_, other) in zip(last, first, strict=True):
        outputs = tuple(map(_common, call.outputs, other.outputs))
        inputs = tuple(map(_common, call.inputs, other.inputs))
        calls.append(replace(call, steps=steps[path], outputs=outputs, inputs=inputs))
    return calls


def _common(a: keras.KerasTensor, b: keras.KerasTensor) -> keras.KerasTensor:
    sizes = [m if m == n else None for m, n in zip(a.shape, b.shape, strict=True)]
    return keras.KerasTensor((None, *sizes[1:]), a.dtype)


class Recorder(keras.Layer):
    """A layer that calls a model and returns the outputs of layers inside it.

    Args:
        model: The model. Kept alive only where `hold` says so; its weights always are.
        calls: The calls whose outputs are wanted, by the keys of the answer.
        numbers: `written_numbers` of the model, where they are not its own.
    """

    held_layers: list[keras.Layer]
    held_variables: list[keras.Variable]

    def __init__(
        self,
        model: keras.Model,
        calls: Mapping[str, Call],
        *,
        hold: bool,
        name: str,
        numbers: Mapping[str, list[int]] | None = None,
    ) -> None:
        super().__init__(name=name, autocast=False)
        self._find_model = (lambda: model) if hold else weakref.ref(model)
        held = {id(variable) for layer in model.layers for variable in layer.variables}
        self.held_layers = list(model.layers)
        self.held_variables = [v for v in model.variables if id(v) not in held]
        self._calls = dict(calls)
        self._numbers = numbers
        self.built = True

    def call(self, inputs: Any) -> dict[str, Any]:
        """Return the wanted outputs, by key."""
        wanted = frozenset(call.path for call in self._calls.values())
        recording = record(self._find_model(), inputs, wanted, self._numbers)
        missing = [key for key, call in self._calls.items() if call.path not in recording.outputs]
        if missing:
            raise ValueError(
                f"The model did not call {', '.join(map(repr, missing))} on these inputs, as it "
                "did when it was looked at first."
            )
        return {key: recording.outputs[call.path] for key, call in self._calls.items()}

    def compute_output_spec(self, *_: Any) -> dict[str, Any]:
        """Return the shapes that are known already, so that nothing is traced to find them."""
        return {
            key: call.pack([keras.KerasTensor(x.shape, x.dtype) for x in call.outputs])
            for key, call in self._calls.items()
        }
