"""Which call inside a model takes what another one returned, found by tracing the model once."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import keras

from kerasviz.model.layers import Path
from kerasviz.model.recording import Recording, recording_calls


class Output(NamedTuple):
    """One of the tensors that a call returned."""

    path: Path
    place: int


Source = Output | int | None
"""Where a tensor comes from: a call beside it, the input of that number of the layer around both,
or something that is not known."""


@dataclass(frozen=True)
class Wiring:
    """Where each call's tensors come from, by the path of the call; `()` is the model itself.

    Args:
        inputs: The source of each tensor that a call takes.
        outputs: The source, inside it, of each tensor that a call returns.
    """

    inputs: dict[Path, list[Source]] = field(default_factory=dict)
    outputs: dict[Path, list[Source]] = field(default_factory=dict)


class _WiringRecording(Recording):
    """Follows tensors from call to call by their identity.

    A layer that returns what it was given, as a dropout does in inference mode, is made to return
    a copy, so that what comes from it can be told from what comes from before it.
    """

    def __init__(self, model: keras.Model) -> None:
        super().__init__(model, None)
        self.wiring = Wiring()
        self._sources: list[dict[int, Source]] = [{}]
        self._tensors: list[Any] = []  # kept, so that no identity is used again

    def call(self, layer: keras.Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a layer, and note where what it takes and what it returns comes from."""
        place = len(self.calls)
        around = self._sources[-1]
        given = [x for x in keras.tree.flatten((args, kwargs)) if keras.ops.is_tensor(x)]
        inside: dict[int, Source] = {}
        for number, x in enumerate(given):
            inside.setdefault(id(x), number)
        self._sources.append(inside)
        try:
            outputs = super().call(layer, args, kwargs)
        finally:
            self._sources.pop()
        path = self.calls[place][0][1:]  # without the model itself
        flat = keras.tree.flatten(outputs)
        returned = [x for x in flat if keras.ops.is_tensor(x)]
        self.wiring.inputs[path] = [around.get(id(x)) for x in given]
        self.wiring.outputs[path] = [inside.get(id(x)) for x in returned]
        fresh = [keras.ops.copy(x) if id(x) in around else x for x in returned]
        for number, x in enumerate(fresh):
            around[id(x)] = Output(path, number)
        self._tensors += [*given, *returned, *fresh]
        if all(x is y for x, y in zip(fresh, returned, strict=True)):
            return outputs
        left = iter(fresh)
        flat = [next(left) if keras.ops.is_tensor(x) else x for x in flat]
        return keras.tree.pack_sequence_as(outputs, flat)


class _Tracer(keras.Layer):
    """Runs a model on symbolic inputs and keeps its wiring."""

    def __init__(self, model: keras.Model) -> None:
        super().__init__(name="kerasviz_tracer", autocast=False)
        self._model = weakref.ref(model)
        self.wiring = Wiring()

    def call(self, inputs: Any) -> Any:
        model: Any = self._model()
        recording = _WiringRecording(model)
        with recording_calls(recording):
            model(inputs, training=False)
        self.wiring = recording.wiring
        return inputs


def trace_wiring(model: keras.Model, specs: Any) -> Wiring:
    """Return where the tensors of each call inside a model come from. Nothing is computed.

    Args:
        model: A built model.
        specs: Its inputs, as a structure of `keras.KerasTensor`.
    """
    tracer = _Tracer(model)
    tracer.compute_output_spec(specs)
    return tracer.wiring
