"""One symbolic call of a model: every call of a layer inside it, and what leads to what."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import keras
from typing_extensions import override

from kerasviz.model.backend import needs_sizes, trace, try_out
from kerasviz.model.channel_axes import channel_axis
from kerasviz.model.connections import ConnectionObserver, Connections
from kerasviz.model.graph import held_layers
from kerasviz.model.interception import Observer, OpenCall, call_observed
from kerasviz.model.layer_call import Call, CallPath, count_steps
from kerasviz.model.recording import only_tensors, with_time_axes
from kerasviz.model.state import keeping_state


class ModelTrace(NamedTuple):
    """The layers and outputs that one symbolic call of a model showed.

    Args:
        calls: Every call of a layer whose outputs can be taken, in the order in which they begin.
        connections: Where the tensors of each call come from.
        failure: What ended the call too early, in words, `None` if nothing did.
    """

    calls: list[Call]
    connections: Connections
    failure: str | None


SAMPLES, SIZES = (2, 3), (96, 128)
"""Numbers for sizes that are not known, of two runs, where a backend needs numbers: samples, and
other sizes, of which most networks take any multiple of 32."""
TIME_STEPS, FEW_TIME_STEPS = (4, 36), (5, 8)
"""Numbers of time steps of two runs; so far apart that strides over time leave them different.

Few, where a model has no positions for more.
"""


def trace_model(model: keras.Model, specs: Any) -> ModelTrace:
    """Call a model on symbolic inputs, in inference mode, and return what was seen.

    Where a layer's code cannot take inputs without values, the model is tried out on a few ones.
    Where that fails too, what was seen before is returned.

    Args:
        model: A built model.
        specs: Its inputs, as a structure of `keras.KerasTensor`.
    """
    sizes = _in_numbers(specs)
    ways: list[tuple[Callable[..., None], list[Any]]] = [
        *((trace, runs) for runs in sizes),
        *((try_out, runs) for runs in sizes),
    ]
    if not needs_sizes():
        ways.insert(0, (trace, [specs]))
    traces = []
    for call, runs in ways:
        traces.append(_trace(model, call, runs))
        if traces[-1].failure is None:
            # On values, how often code calls a layer may depend on these values.
            return traces[-1] if call is trace else _uncertain(traces[-1])
    return _uncertain(max(traces, key=lambda trace: len(trace.calls)))


def _uncertain(model_trace: ModelTrace) -> ModelTrace:
    """Return a trace whose calls may be others for other inputs."""
    calls = [replace(call, is_certain=False) for call in model_trace.calls]
    return model_trace._replace(calls=calls)


def _in_numbers(specs: Any) -> list[list[Any]]:
    """Return specs with numbers for unknown sizes; different ones, as the axes tell themselves.

    Where there are time steps of unknown number, few of them come first: a recurrent layer runs
    once for each. A model that takes the steps together may need more.
    """

    def fill(spec: keras.KerasTensor, samples: int, steps: int, size: int) -> keras.KerasTensor:
        shape = list(spec.shape)
        if _has_unknown_steps(spec):
            shape[1] = steps
        first, *others = shape
        filled = (first or samples, *(n or size for n in others))
        return keras.KerasTensor(filled, spec.dtype, name=spec.name)

    has_steps = any(map(_has_unknown_steps, keras.tree.flatten(specs)))
    return [
        [
            keras.tree.map_structure(partial(fill, samples=n, steps=steps, size=size), specs)
            for n, steps, size in zip(SAMPLES, time_steps, SIZES, strict=True)
        ]
        for time_steps in ([TIME_STEPS, SIZES, FEW_TIME_STEPS] if has_steps else [SIZES])
    ]


def _has_unknown_steps(spec: keras.KerasTensor) -> bool:
    """Whether axis 1 of an input is one of time, as in tokens, sequences and videos."""
    return len(spec.shape) in (2, 3, 5) and spec.shape[1] is None


def _trace(model: keras.Model, way: Callable[..., None], runs: Sequence[Any]) -> ModelTrace:
    """Call a model in some way on each of some specs; sizes that differ are unknown."""
    lists: list[_CallList] = []
    connections = Connections()

    def call(inputs: Any) -> None:
        nonlocal connections
        calls, observer = _CallList(), ConnectionObserver()
        lists.append(calls)
        connections = observer.connections
        observer.begin_model(inputs)
        observer.end_model(call_observed(model, inputs, [observer, calls]))

    failure = None
    try:
        with keeping_state(held_layers(model)):
            for specs in runs:
                way(call, specs)
    # A user's layer can raise anything; what was seen before it did is worth keeping.
    except Exception as error:
        failure = f"{type(error).__name__}: {error}"  # not the error, which holds the model
    calls = _merge([run.calls for run in lists])
    if len(lists) < len(runs):  # one run alone cannot tell which of its sizes are always the same
        calls = [replace(call, outputs=(), channel_axes=(), inputs=()) for call in calls]
    return ModelTrace(calls, connections.among({call.path for call in calls}), failure)


def _merge(runs: Sequence[Mapping[CallPath, Call]]) -> list[Call]:
    """Return the calls that every run made, with the sizes that were the same in all."""
    paths = [path for path in runs[-1] if all(path in run for run in runs)] if runs else []
    is_certain = all(run.keys() == runs[-1].keys() for run in runs)
    steps = count_steps(paths)
    return [
        replace(
            runs[-1][path],
            steps=steps[path],
            outputs=tuple(map(_common, *(run[path].outputs for run in runs))),
            inputs=tuple(map(_common, *(run[path].inputs for run in runs))),
            is_certain=is_certain,
        )
        for path in paths
    ]


def _common(*specs: keras.KerasTensor) -> keras.KerasTensor:
    sizes = zip(*(spec.shape for spec in specs), strict=True)
    shape = tuple(n[0] if len(set(n)) == 1 else None for n in sizes)
    return keras.KerasTensor(shape, specs[0].dtype)


class _CallList(Observer):
    """Lists the calls whose outputs can be taken, with the shapes of what they take and return."""

    def __init__(self) -> None:
        self._calls: dict[CallPath, Call | None] = {}
        self._axes: dict[int, tuple[Any, int]] = {}

    @property
    def calls(self) -> dict[CallPath, Call]:
        """The calls that ended, in the order in which they began."""
        return {path: call for path, call in self._calls.items() if call is not None}

    @override
    def begin(self, call: OpenCall, parents: Sequence[OpenCall]) -> None:
        """Keep the place of a call in the order."""
        if call.is_reachable:
            self._calls[call.path] = None

    @override
    def end(self, call: OpenCall, outputs: Any, parents: Sequence[OpenCall]) -> Any:
        """List a call."""
        if not call.is_reachable:
            return outputs
        self._note_time_axes(call, outputs, parents)
        tensors = only_tensors(outputs)
        flat = keras.tree.flatten(tensors)
        if any(getattr(x.shape, "rank", 0) is None for x in flat):  # TensorFlow cannot tell
            self._calls[call.path] = Call((), call.layer)
            return outputs
        for x in flat:
            if id(x) not in self._axes:  # as that of a layer inside is
                passed_on = self._passed_on(call.tensors, x)
                self._note_axis(x, channel_axis(call.layer, len(x.shape), passed_on))
        axes = [self._axes[id(x)][1] for x in flat]
        over_steps = with_time_axes(flat, parents)
        extra = [len(y.shape) - len(x.shape) for x, y in zip(flat, over_steps, strict=True)]
        structure = keras.tree.map_structure(lambda _: 0, tensors)
        over_time = any(parent.time_steps is not None for parent in parents)
        inputs = () if over_time else tuple(map(_spec, call.tensors[:1]))
        self._calls[call.path] = Call(
            (),
            call.layer,
            outputs=tuple(map(_spec, over_steps)),
            channel_axes=tuple(
                axis + n if axis > 0 else axis for axis, n in zip(axes, extra, strict=True)
            ),
            structure=lambda: structure,
            inputs=inputs,
        )
        return outputs

    def _note_time_axes(self, call: OpenCall, outputs: Any, parents: Sequence[OpenCall]) -> None:
        """Note the channel axes of what a `TimeDistributed` made of the outputs inside it."""
        if call.time_steps is None:
            return
        inner = self._calls.get((*call.path, (call.layer.layer.name, 0)))
        above = sum(parent.time_steps is not None for parent in parents)
        if inner is not None:
            for x, axis in zip(keras.tree.flatten(outputs), inner.channel_axes, strict=True):
                self._note_axis(x, axis - above if axis > 0 else axis)

    def _passed_on(self, tensors: Sequence[Any], output: Any) -> list[int]:
        """Return the channel axes of a call's inputs that have the rank of its output."""
        rank = len(output.shape)
        axes = [self._axes[id(x)] for x in tensors if id(x) in self._axes]
        passed_on = [axis for x, axis in axes if len(x.shape) == rank]
        if passed_on:
            return passed_on
        # What no layer made, as x + y, is taken to lie as the latest output of a layer does.
        latest = (axis for x, axis in reversed(self._axes.values()) if len(x.shape) == rank)
        return list(itertools.islice(latest, 1))

    def _note_axis(self, tensor: Any, axis: int) -> None:
        self._axes[id(tensor)] = tensor, axis  # kept, so that no identity is used again


def _spec(x: Any) -> keras.KerasTensor:
    shape = tuple(n if isinstance(n, int) else None for n in x.shape)  # JAX has symbolic sizes
    return keras.KerasTensor(shape, keras.backend.standardize_dtype(x.dtype))
