"""A model with a score: run on many inputs, and differentiated, without being touched."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Self

import keras
import numpy as np
from typing_extensions import override

from kerasviz.compute.attribution.score.goal import Goal
from kerasviz.compute.attribution.score.heads import twin_of
from kerasviz.model.backend import (
    Differentiator,
    Gradients,
    Mark,
    Runner,
    compiles_for_each_size,
)
from kerasviz.model.interception import Observer, OpenCall, call_observed, call_plainly
from kerasviz.model.layer_call import Call, CallPath
from kerasviz.model.recording import with_time_axes
from kerasviz.model.state import keeping_state

_cache: weakref.WeakKeyDictionary[keras.Model, MutableMapping[Any, _Compiled]]
_cache = weakref.WeakKeyDictionary()
_lock = threading.RLock()
Place = tuple[CallPath, int]
"""An output of a call."""
_ANSWERS: Place = ((), 0)
"""The output of the model itself."""


@dataclass(frozen=True, kw_only=True)
class _Compiled:
    """A compiled model.

    Args:
        run: A `Runner` or a `Differentiator`.
        function: The caller's own score in it, where there is one.
        sizes: The numbers of samples for which it is compiled.
        reached: The layers, by their places, and the inputs, by their indices, that a gradient
            reaches, as far as that was in question.
    """

    run: Any
    function: Callable[[Any], Any] | None
    sizes: set[int] = field(default_factory=set)
    reached: set[Any] = field(default_factory=set)

    def parts(self, count: int, batch_size: int, *, is_fixed: bool) -> list[tuple[int, int, int]]:
        """Return where each batch begins and ends, and the size to which it is padded.

        Args:
            count: The number of samples.
            batch_size: How many run at a time.
            is_fixed: Whether the model takes no other number.
        """
        parts = []
        for start in range(0, count, batch_size):
            samples = min(batch_size, count - start)
            parts.append((start, start + samples, self._padded(samples, batch_size, is_fixed)))
        return parts

    def _padded(self, samples: int, batch_size: int, is_fixed: bool) -> int:
        """Return the size to fill a batch up to: one that is compiled, if it costs little."""
        if is_fixed or not compiles_for_each_size():
            return batch_size if is_fixed else samples
        size = min((n for n in self.sizes if samples <= n <= 2 * samples), default=0)
        size = size or min(batch_size, 1 << (samples - 1).bit_length())
        self.sizes.add(size)
        return size


@dataclass(frozen=True, kw_only=True)
class ScoreGradients:
    """Scores and their gradients.

    Args:
        scores: `(samples,)`.
        answers: What `ScoredModel.outputs` would return.
        inputs: The gradient with respect to each input, of its shape; `None` for integers.
        outputs: What each layer in question returned, as it returned it.
        output_gradients: The gradients with respect to these.
    """

    scores: np.ndarray
    answers: np.ndarray
    inputs: list[np.ndarray | None]
    outputs: list[np.ndarray]
    output_gradients: list[np.ndarray]

    def first(self, count: int) -> Self:
        """Return those of the first samples."""
        return replace(
            self,
            scores=self.scores[:count],
            answers=self.answers[:count],
            inputs=[None if x is None else x[:count] for x in self.inputs],
            outputs=[x[:count] for x in self.outputs],
            output_gradients=[x[:count] for x in self.output_gradients],
        )


class ScoredModel:
    """A model, and the score that is explained.

    Args:
        model: The model.
        structure: How its inputs belong together.
        goal: The score.
        batch_size: How many samples run at a time.
        is_fixed: Whether the model takes no other number of them.
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
        is_fixed: bool,
        channel_axes: Sequence[int],
    ) -> None:
        self.model = model
        self.structure = structure
        self.goal = goal
        self.batch_size = batch_size
        self.channel_axes = channel_axes
        self._is_fixed = is_fixed

    def outputs(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        """Return the logits of inputs, or the scores themselves where the caller computes them.

        Args:
            arrays: The inputs, each `(n, ...)`.

        Returns:
            `(n, classes)`; of the caller's own score `(n,)`.
        """
        goal = self.goal
        compiled = self._compile(
            ("outputs", goal.replaced, goal.output),
            lambda: Runner(_outputs(self.model, goal), self.model),
        )

        def run(start: int, stop: int, size: int) -> np.ndarray:
            batch = self._pack([_padded(array[start:stop], size) for array in arrays])
            with keeping_state(compiled.run.find_layers()):
                return np.asarray(compiled.run(batch), "float32")[: stop - start]

        parts = compiled.parts(len(arrays[0]), self.batch_size, is_fixed=self._is_fixed)
        return np.concatenate([run(*part) for part in parts])

    def scores(self, arrays: Sequence[np.ndarray], samples: np.ndarray) -> np.ndarray:
        """Return the score of each input, `(n,)`.

        Args:
            arrays: The inputs, each `(n, ...)`.
            samples: Which sample each of them belongs to, `(n,)`.
        """
        return self.goal.scores(self.outputs(arrays), samples)

    def gradients(
        self,
        arrays: Sequence[np.ndarray],
        samples: np.ndarray,
        calls: Sequence[Call] = (),
        *,
        by_inputs: bool = True,
        must_reach: bool = True,
    ) -> ScoreGradients:
        """Return the scores of inputs and the gradients with respect to them, and to layers.

        Args:
            arrays: The inputs, each `(n, ...)`.
            samples: Which sample each of them belongs to, `(n,)`.
            calls: The calls of layers; all of them take one pass together.
            by_inputs: Whether to take the gradients with respect to the inputs.
            must_reach: Whether the score has to depend on the layers, or on an input.

        Raises:
            ValueError: The score does not depend on these.
        """
        places = [(call.path, call.output or 0) for call in calls]
        compiled, differentiator = self._differentiator(places)

        def run(start: int, stop: int, size: int) -> Any:
            batch = self._batch(arrays, samples, start, stop, size)
            with keeping_state(differentiator.find_layers()):
                gradients = differentiator(batch, by_inputs=by_inputs)
            for call, place in zip(calls, places, strict=True):
                _check_rows(call, gradients.marked.get(place), size)
            return _first(gradients, stop - start)

        parts = [
            run(*part)
            for part in compiled.parts(len(arrays[0]), self.batch_size, is_fixed=self._is_fixed)
        ]
        inputs = [
            None if of_one[0] is None else np.moveaxis(joined(of_one), axis, -1)
            for *of_one, axis in zip(*(x.of_inputs for x in parts), self.channel_axes, strict=True)
        ]
        result = ScoreGradients(
            scores=np.concatenate([part.scores for part in parts]),
            answers=np.concatenate([x.marked.get(_ANSWERS, x.scores) for x in parts]),
            inputs=inputs,
            outputs=[joined([x.marked[place] for x in parts]) for place in places],
            output_gradients=[joined([x.of_marked[place] for x in parts]) for place in places],
        )
        if must_reach:
            reaches = partial(
                self._reaches, places=places, by_inputs=by_inputs, arrays=arrays, samples=samples
            )
            for call, place, gradient in zip(calls, places, result.output_gradients, strict=True):
                if not gradient.any() and not reaches(place):
                    raise _not_reached(f"'{call.address}'")
            by_index = {i: x for i, x in enumerate(inputs) if x is not None}
            is_zero = by_inputs and not any(x.any() for x in by_index.values())
            if is_zero and not any(map(reaches, by_index)):
                need = "`method` must need no gradient, such as 'occlusion', or take inputs"
                raise _not_reached("the inputs", need)
        return result

    def _reaches(
        self,
        key: Any,
        *,
        places: list[Place],
        by_inputs: bool,
        arrays: Sequence[np.ndarray],
        samples: np.ndarray,
    ) -> bool:
        """Whether the score depends on a layer, by its place, or on an input, by its index.

        The gradient of one that it depends on may be 0 as well, as that of a dead filter is. The
        other arguments are those of the run in question.
        """
        compiled, differentiator = self._differentiator(places)
        if key not in compiled.reached:
            size = self.batch_size if self._is_fixed else 1
            batch = self._batch(arrays, samples, 0, 1, size)
            with keeping_state(differentiator.find_layers()):
                is_reached = differentiator.is_connected(batch, key, by_inputs=by_inputs)
            if not is_reached:
                return False
            compiled.reached.add(key)
        return True

    def _differentiator(self, places: list[Place]) -> tuple[_Compiled, Differentiator]:
        goal = self.goal
        compiled = self._compile(
            ("gradients", goal.replaced, goal.output, *places),
            lambda: Differentiator(_differentiable(self.model, goal, places), self.model),
        )
        return compiled, compiled.run

    def _batch(
        self,
        arrays: Sequence[np.ndarray],
        samples: np.ndarray,
        start: int,
        stop: int,
        size: int,
    ) -> Any:
        return {
            "inputs": self._pack([_padded(array[start:stop], size) for array in arrays]),
            "weights": _padded(self.goal.weights[samples[start:stop]], size),
        }

    def _pack(self, arrays: Sequence[np.ndarray]) -> Any:
        arrays = [np.moveaxis(x, -1, a) for x, a in zip(arrays, self.channel_axes, strict=True)]
        return keras.tree.pack_sequence_as(self.structure, arrays)

    def _compile(self, key: Any, make: Callable[[], Any]) -> _Compiled:
        """Return what was compiled for this model before, so that nothing is traced again."""
        function = self.goal.function
        with _lock:
            cache = _cache.setdefault(self.model, {})
            # Of the caller's own scores only the latest is kept: each call may bring a new lambda.
            if key not in cache or cache[key].function is not function:
                cache[key] = _Compiled(run=make(), function=function)
            return cache[key]


def joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Return arrays one after the other; one alone is not copied."""
    return np.concatenate(arrays) if len(arrays) > 1 else arrays[0]


def _padded(array: np.ndarray, size: int) -> np.ndarray:
    """Return an array of `size` samples, which repeats the last one."""
    missing = size - len(array)
    return np.concatenate([array, np.repeat(array[-1:], missing, axis=0)]) if missing else array


def _first(gradients: Gradients, samples: int) -> Gradients:
    """Return the gradients of the first samples, without those that filled up the batch."""
    return Gradients(
        scores=gradients.scores[:samples],
        marked={key: x[:samples] for key, x in gradients.marked.items()},
        of_marked={key: x[:samples] for key, x in gradients.of_marked.items()},
        of_inputs=[None if x is None else x[:samples] for x in gradients.of_inputs],
    )


def _not_reached(name: str, need: str = "`layer` must name a layer") -> ValueError:
    return ValueError(
        f"{need} that the score depends on by a gradient. "
        f"Received: {name}, which no gradient of the score reaches"
    )


def _check_rows(call: Call, output: np.ndarray | None, samples: int) -> None:
    if output is None:
        raise ValueError(
            "`layer` must name a layer that the model calls on these inputs, where its output can "
            f"be taken. Received: layer={call.address!r}"
        )
    if len(output) != samples:
        raise ValueError(
            "`layer` must name a layer that returns one row for each sample. "
            f"Received: '{call.address}', which returns {len(output)} for {samples}"
        )


def run_model(model: keras.Model, inputs: Any) -> Any:
    """Return what a model returns, as arrays in its own structure."""
    find_model = weakref.ref(model)
    with _lock:
        cache = _cache.setdefault(model, {})
        if "plain" not in cache:
            runner = Runner(lambda x: call_observed(find_model(), x, []), model)
            cache["plain"] = _Compiled(run=runner, function=None)
        runner = cache["plain"].run
    with keeping_state(runner.find_layers()):
        return runner(inputs)


def output_names(model: keras.Model, outputs: Any) -> list[str]:
    """Return the name of each of a model's outputs."""
    paths = keras.tree.flatten_with_path(outputs)
    if isinstance(outputs, dict):
        return [".".join(map(str, path)) for path, _ in paths]
    names = list(getattr(model, "output_names", None) or [])
    return names if len(names) == len(paths) else [str(index) for index in range(len(paths))]


class _ScoreObserver(Observer):
    """Changes the activation of the head, and marks what layers return."""

    def __init__(self, goal: Goal, places: Sequence[Place] = (), mark: Mark | None = None) -> None:
        self._goal = goal
        self._places = places
        self._mark = mark

    @override
    def looks_into(self, path: CallPath) -> bool:
        """Whether a layer inside the call of this path is marked, or is the head."""
        paths = [place for place, _ in self._places]
        paths += [self._goal.replaced[0]] if self._goal.replaced else []
        return any(len(p) > len(path) and p[: len(path)] == path for p in paths)

    @override
    def begin(self, call: OpenCall, parents: Sequence[OpenCall]) -> None:
        """Let a twin with another activation run in place of the head."""
        if self._goal.replaced is not None and call.path == self._goal.replaced[0]:
            call.layer = twin_of(call.layer, self._goal.replaced[1])

    @override
    def end(self, call: OpenCall, outputs: Any, parents: Sequence[OpenCall]) -> Any:
        """Mark the outputs of the layers."""
        for place in self._places:
            if place[0] == call.path and self._mark is not None:
                flat = keras.tree.flatten(outputs)
                # By a layer, so that Keras passes the mask on.
                marker = _Marker(self._mark, place, parents)
                flat[place[1]] = call_plainly(marker, flat[place[1]])
                outputs = keras.tree.pack_sequence_as(outputs, flat)
        return outputs


class _Marker(keras.Layer):
    """Marks a tensor, and passes its mask on."""

    def __init__(self, mark: Mark, place: Place, parents: Sequence[OpenCall]) -> None:
        super().__init__(name="kerasviz_marker", autocast=False)
        self.supports_masking = True
        self.built = True
        self._mark = mark
        self._place = place
        self._parents = tuple(parents)

    def call(self, x: Any) -> Any:
        # In a `TimeDistributed` all time steps run as samples: they are marked as an axis.
        if all(parent.time_steps is None for parent in self._parents):
            return self._mark(self._place, x)
        marked = self._mark(self._place, with_time_axes(x, self._parents))
        return keras.ops.reshape(marked, keras.ops.shape(x))


def _outputs(model: keras.Model, goal: Goal) -> Callable[[Any], Any]:
    """Return a function from inputs to one of the model's outputs, before its activation."""
    find_model = weakref.ref(model)

    def run(inputs: Any) -> Any:
        outputs = call_observed(find_model(), inputs, [_ScoreObserver(goal)])
        return goal.read(outputs)

    return run


def _differentiable(
    model: keras.Model, goal: Goal, places: Sequence[Place]
) -> Callable[[Any, Mark], Any]:
    """Return a function from inputs and weights to scores, which marks layers' outputs."""
    find_model = weakref.ref(model)

    def run(batch: Any, mark: Mark) -> Any:
        observer = _ScoreObserver(goal, places, mark)
        outputs = goal.read(call_observed(find_model(), batch["inputs"], [observer]))
        if goal.function is not None:
            return outputs
        return goal.weigh(mark(_ANSWERS, outputs), batch["weights"])

    return run
