"""A model with a score: run on many inputs, and differentiated, without being touched."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from typing_extensions import override

from kerasviz.compute.attribution.heads import linear_twin
from kerasviz.compute.attribution.scores import Goal
from kerasviz.model.backend import Differentiator, Mark, Runner
from kerasviz.model.interception import Observer, OpenCall, call_observed, call_plainly
from kerasviz.model.layer_call import Call, CallPath
from kerasviz.model.state import keeping_state

_cache: weakref.WeakKeyDictionary[keras.Model, MutableMapping[Any, Any]]
_cache = weakref.WeakKeyDictionary()
_lock = threading.RLock()


@dataclass(frozen=True, kw_only=True)
class Gradients:
    """Scores and their gradients.

    Args:
        scores: `(samples,)`.
        inputs: The gradient with respect to each input, of its shape; `None` for integers.
        output: What the layer in question returned, `None` where no layer is.
        output_gradient: The gradient with respect to that.
    """

    scores: np.ndarray
    inputs: list[np.ndarray | None]
    output: np.ndarray | None = None
    output_gradient: np.ndarray | None = None


class ScoredModel:
    """A model, and the score that is explained.

    Args:
        model: The model.
        structure: How its inputs belong together.
        goal: The score.
        batch_size: How many samples run at a time.
        channel_axes: For each input, the axis of its channels in the model. Everybody else has the
            channels last.
    """

    def __init__(
        self,
        model: keras.Model,
        structure: Any,
        goal: Goal,
        *,
        batch_size: int,
        channel_axes: Sequence[int],
    ) -> None:
        self.model = model
        self.structure = structure
        self.goal = goal
        self.batch_size = batch_size
        self.channel_axes = channel_axes

    def outputs(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """Return the logits of inputs, or the scores themselves where the caller computes them.

        Args:
            arrays: The inputs, each `(n, ...)`.

        Returns:
            `(n, classes)`; of the caller's own score `(n,)`.
        """
        goal = self.goal
        head = goal.head.path if goal.score == "logit" else None
        key = ("outputs", head, goal.output)
        runner = self._keep(key, lambda: Runner(_outputs(self.model, goal), self.model))

        def run(start: int, stop: int) -> np.ndarray:
            batch = self._pack([array[start:stop] for array in arrays])
            with keeping_state(runner.find_layers()):
                return np.asarray(runner(batch), "float32")

        return np.concatenate([run(*part) for part in self._parts(len(arrays[0]))])

    def scores(self, arrays: Sequence[np.ndarray], samples: np.ndarray) -> np.ndarray:
        """Return the score of each input, `(n,)`.

        Args:
            arrays: The inputs, each `(n, ...)`.
            samples: Which sample each of them belongs to, `(n,)`.
        """
        return self.score_outputs(self.outputs(arrays), samples)

    def score_outputs(self, outputs: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """Return the scores of what `outputs` returned, `(n,)`."""
        if self.goal.function is not None:
            return outputs
        return np.asarray((outputs * self.goal.weights[samples]).sum(axis=1))

    def gradients(
        self, arrays: Sequence[np.ndarray], samples: np.ndarray, call: Call | None = None
    ) -> Gradients:
        """Return the scores of inputs and the gradients with respect to them, and to a layer.

        Args:
            arrays: The inputs, each `(n, ...)`.
            samples: Which sample each of them belongs to, `(n,)`.
            call: The call of a layer.
        """
        goal = self.goal
        path = None if call is None else call.path
        output = None if call is None else call.output or 0
        head = goal.head.path if goal.score == "logit" else None
        key = ("gradients", head, goal.output, path, output)
        differentiator = self._keep(
            key, lambda: Differentiator(_differentiable(self.model, goal, path, output), self.model)
        )

        def run(start: int, stop: int) -> Any:
            batch = {
                "inputs": self._pack([array[start:stop] for array in arrays]),
                "weights": goal.weights[samples[start:stop]],
            }
            with keeping_state(differentiator.find_layers()):
                return differentiator(batch)

        parts = [run(*part) for part in self._parts(len(arrays[0]))]
        inputs = [
            None
            if any(x is None for x in of_one)
            else np.moveaxis(np.concatenate(of_one), axis, -1)
            for *of_one, axis in zip(*(part[3] for part in parts), self.channel_axes, strict=True)
        ]
        scores = np.concatenate([part[0] for part in parts])
        if call is None:
            return Gradients(scores=scores, inputs=inputs)
        return Gradients(
            scores=scores,
            inputs=inputs,
            output=np.concatenate([part[1][_KEY] for part in parts]),
            output_gradient=np.concatenate([part[2][_KEY] for part in parts]),
        )

    def _parts(self, count: int) -> list[tuple[int, int]]:
        return [(start, start + self.batch_size) for start in range(0, count, self.batch_size)]

    def _pack(self, arrays: Sequence[np.ndarray]) -> Any:
        arrays = [np.moveaxis(x, -1, a) for x, a in zip(arrays, self.channel_axes, strict=True)]
        return keras.tree.pack_sequence_as(self.structure, arrays)

    def _keep(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what was compiled for this model before, so that nothing is traced again."""
        function = self.goal.function
        with _lock:
            cache = _cache.setdefault(self.model, {})
            # Of the caller's own scores only the latest is kept: each call may bring a new lambda.
            if key not in cache or cache[key][0] is not function:
                cache[key] = function, make()
            return cache[key][1]


def run_model(model: keras.Model, inputs: Any) -> Any:
    """Return what a model returns, as arrays in its own structure."""
    find_model = weakref.ref(model)
    with _lock:
        cache = _cache.setdefault(model, {})
        if "plain" not in cache:
            cache["plain"] = Runner(lambda x: call_observed(find_model(), x, []), model)
        runner = cache["plain"]
    with keeping_state(runner.find_layers()):
        return runner(inputs)


def output_names(model: keras.Model, outputs: Any) -> list[str]:
    """Return the name of each of a model's outputs."""
    paths = keras.tree.flatten_with_path(outputs)
    if isinstance(outputs, dict):
        return [".".join(map(str, path)) for path, _ in paths]
    names = list(getattr(model, "output_names", None) or [])
    return names if len(names) == len(paths) else [str(index) for index in range(len(paths))]


_KEY = "layer"


class _ScoreObserver(Observer):
    """Takes the activation off the head, and marks what a layer returns."""

    def __init__(
        self,
        head: CallPath | None,
        path: CallPath | None = None,
        output: int | None = None,
        mark: Mark | None = None,
    ) -> None:
        self._head = head
        self._path = path
        self._output = output
        self._mark = mark

    @override
    def begin(self, call: OpenCall, parents: Sequence[OpenCall]) -> None:
        """Let a twin without activation run in place of the head."""
        if call.path == self._head:
            call.layer = linear_twin(call.layer)

    @override
    def end(self, call: OpenCall, outputs: Any, parents: Sequence[OpenCall]) -> Any:
        """Mark the output of the layer."""
        if call.path != self._path or self._mark is None:
            return outputs
        flat = keras.tree.flatten(outputs)
        index = self._output or 0
        # By a layer, so that Keras passes the mask on.
        flat[index] = call_plainly(_Marker(self._mark), flat[index])
        return keras.tree.pack_sequence_as(outputs, flat)


class _Marker(keras.Layer):
    """Marks a tensor, and passes its mask on."""

    def __init__(self, mark: Mark) -> None:
        super().__init__(name="kerasviz_marker", autocast=False)
        self.supports_masking = True
        self.built = True
        self._mark = mark

    def call(self, x: Any) -> Any:
        return self._mark(_KEY, x)


def _outputs(model: keras.Model, goal: Goal) -> Callable[[Any], Any]:
    """Return a function from inputs to one of the model's outputs, before its activation."""
    find_model = weakref.ref(model)
    head = goal.head.path if goal.score == "logit" else None
    index, function = goal.output, goal.function

    def run(inputs: Any) -> Any:
        outputs = call_observed(find_model(), inputs, [_ScoreObserver(head)])
        return function(outputs) if function else keras.tree.flatten(outputs)[index]

    return run


def _differentiable(
    model: keras.Model, goal: Goal, path: CallPath | None, output: int | None
) -> Callable[[Any, Mark], Any]:
    """Return a function from inputs and weights to scores, which marks a layer's output."""
    find_model = weakref.ref(model)
    head = goal.head.path if goal.score == "logit" else None
    index, function = goal.output, goal.function

    def run(batch: Any, mark: Mark) -> Any:
        observer = _ScoreObserver(head, path, output, mark)
        outputs = call_observed(find_model(), batch["inputs"], [observer])
        if function is not None:
            return function(outputs)
        logits = keras.ops.cast(keras.tree.flatten(outputs)[index], "float32")
        return keras.ops.sum(logits * batch["weights"], axis=1)

    return run
