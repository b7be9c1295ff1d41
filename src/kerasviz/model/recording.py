"""Keep what layers anywhere inside a model compute while the model is called."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from typing_extensions import override

from kerasviz.model.backend import tensor_version, untraceable_errors, writes_in_place
from kerasviz.model.interception import (
    Observer,
    OpenCall,
    StopModel,
    call_observed,
    split_time,
)
from kerasviz.model.layer_call import INPUT, Call, CallPath


class OutputRecorder(Observer):
    """Keeps the outputs of some calls, and ends the model's call when it has them all.

    Args:
        paths: The paths of the calls.
        copy: Whether to keep copies, where the model's code writes into tensors.
        stops: Whether to end the model's call when all are there, or to count the calls after that.
    """

    def __init__(
        self, paths: frozenset[CallPath], *, copy: bool = False, stops: bool = True
    ) -> None:
        self._paths = paths
        self._copy = copy
        self._stops = stops
        self._count: Counter[tuple[CallPath, str]] = Counter()
        self._versions: list[tuple[Any, int]] = []
        self.outputs: dict[CallPath, Any] = {}

    @property
    def is_overwritten(self) -> bool:
        """Whether code wrote into a tensor after it was kept."""
        return any(tensor_version(x) != version for x, version in self._versions)

    @property
    def is_complete(self) -> bool:
        """Whether all outputs are there."""
        return len(self.outputs) == len(self._paths)

    def count(self, path: CallPath) -> int:
        """Return how often the layer of a path was called where the path leads."""
        return self._count[path[:-1], path[-1][0]]

    @override
    def looks_into(self, path: CallPath) -> bool:
        """Whether a call inside the call of this path is to be kept."""
        return any(len(p) > len(path) and p[: len(path)] == path for p in self._paths)

    @override
    def begin(self, call: OpenCall, parents: Sequence[OpenCall]) -> None:
        """Count the call, and keep what the layer is called on."""
        self._count[call.path[:-1], call.path[-1][0]] += 1
        path = (*call.path, INPUT[:2])
        if path in self._paths and call.tensors:
            self._keep(path, with_time_axes(call.tensors[0], parents))

    @override
    def end(self, call: OpenCall, outputs: Any, parents: Sequence[OpenCall]) -> Any:
        """Keep what the layer returned."""
        if call.path in self._paths:
            self._keep(call.path, with_time_axes(only_tensors(outputs), parents))
        return outputs

    def _keep(self, path: CallPath, outputs: Any) -> None:
        if self._copy:
            outputs = keras.tree.map_structure(keras.ops.copy, outputs)
        else:
            self._versions += [(x, tensor_version(x)) for x in keras.tree.flatten(outputs)]
        self.outputs[path] = outputs
        if self.is_complete and self._stops:
            raise StopModel


def with_time_axes(outputs: Any, parents: Sequence[OpenCall]) -> Any:
    """Give outputs an axis for each `TimeDistributed` around them that runs all steps at once."""
    for parent in reversed(parents):
        if parent.time_steps is not None:
            steps = parent.time_steps
            outputs = keras.tree.map_structure(lambda x, s=steps: split_time(x, s), outputs)
    return outputs


def only_tensors(outputs: Any) -> Any:
    """Return what a layer returned; where not all of it is tensors, as in `(x, None)`, only these.

    A model can return nothing else.
    """
    flat = keras.tree.flatten(outputs)
    tensors = [x for x in flat if keras.ops.is_tensor(x)]
    if len(tensors) == len(flat):
        return outputs
    return tensors[0] if len(tensors) == 1 else tensors


class Recorder(keras.Layer):
    """A layer that calls a model and returns the outputs of layers inside it.

    Args:
        model: The model. Kept alive only where `hold` says so; its weights always are.
        calls: The calls whose outputs are recorded, by the keys of the result.
        call_indices: `written_indices` of the model, where they are not its own.
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
        call_indices: Mapping[str, list[int]] | None = None,
    ) -> None:
        super().__init__(name=name, autocast=False)
        self._find_model = (lambda: model) if hold else weakref.ref(model)
        held = {id(variable) for layer in model.layers for variable in layer.variables}
        self.held_layers = list(model.layers)
        self.held_variables = [v for v in model.variables if id(v) not in held]
        self._calls = dict(calls)
        self._call_indices = call_indices
        self._copies = False
        self.built = True

    def call(self, inputs: Any) -> dict[str, Any]:
        """Return the recorded outputs, by key."""
        recorded = self._record(inputs)
        if recorded.is_overwritten:
            self._copies = True
            recorded = self._record(inputs)
        outputs = recorded.outputs
        for key, call in self._calls.items():
            if call.path not in outputs:
                raise ValueError(_not_called(key, call, recorded.count(call.path)))
            if not call.is_certain:
                _check_is_one_call(key, call, recorded)
        return {key: call.pick(outputs[call.path]) for key, call in self._calls.items()}

    def _record(self, inputs: Any) -> OutputRecorder:
        paths = frozenset(call.path for call in self._calls.values())
        is_certain = all(call.is_certain for call in self._calls.values())
        recorder = OutputRecorder(paths, copy=self._copies, stops=is_certain)
        if writes_in_place():  # into its inputs, too: a second run has to begin with the same
            inputs = keras.tree.map_structure(keras.ops.copy, inputs)
        model = self._find_model()
        recorder.outputs.update(self._input_layers(model, inputs))
        if recorder.is_complete:
            return recorder
        try:
            call_observed(model, inputs, [recorder], self._call_indices)
        # A user's layer may raise anything. Where all that is recorded came before it, nothing is
        # missing; any other error, and one by which the backend turns to running eagerly, counts.
        except Exception as error:
            if not recorder.is_complete or isinstance(error, untraceable_errors()):
                raise
        return recorder

    def _input_layers(self, model: keras.Model, inputs: Any) -> dict[CallPath, Any]:
        """Return the outputs of input layers: what the graph is called on, as Keras skips them."""
        calls = [c for c in self._calls.values() if isinstance(c.layer, keras.layers.InputLayer)]
        if not calls:
            return {}
        flat = zip(keras.tree.flatten(model.input), keras.tree.flatten(inputs), strict=True)
        values = {id(tensor): x for tensor, x in flat}
        return {call.path: values[id(call.outputs[0])] for call in calls}

    def compute_output_spec(self, *_: Any) -> dict[str, Any]:
        """Return the shapes that are known already, so that nothing is traced to find them."""
        return {
            key: call.pack([keras.KerasTensor(x.shape, x.dtype) for x in call.outputs])
            for key, call in self._calls.items()
        }


def _not_called(address: str, call: Call, count: int) -> str:
    """Return what is wrong where a call was not made; its layer was called `count` times."""
    step = call.steps[-1]
    layer = f"{address!r} on these inputs"
    if step.calls == 1 and count == 0:
        return (
            f"The model did not call {layer}, as it did when it was looked at: its code takes "
            "another way for other inputs. Give inputs for which it calls the layer. "
            f"Received: layer={address!r}"
        )
    return (
        f"The model did not call {layer}: it called '{step.name}' {_times(count)}, and "
        f"{_times(step.calls)} when it was looked at. Code that calls a layer in a loop, over the "
        "samples for one, makes as many calls as there are turns. Name a call that these inputs "
        "make, counted from 0, or give more samples at a time. "
        f"Received: layer={address!r}"
    )


def _check_is_one_call(address: str, call: Call, recorded: OutputRecorder) -> None:
    """Raise for an address that was that of a layer's only call, where there are several."""
    for level, step in enumerate(call.steps, 1):
        count = recorded.count(call.path[:level])
        if count > 1 and step.calls == 1 and f"{step.name}:{step.call_index}" not in address:
            raise ValueError(
                f"The model calls '{step.name}' {_times(count)} on these inputs, and once when it "
                f"was looked at, so {address!r} does not say which call. "
                f"'{step.name}:{step.call_index}' is the first. Received: layer={address!r}"
            )


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")
