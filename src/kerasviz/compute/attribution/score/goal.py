"""The score that is explained: a logit, a difference of two, or what the caller computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Literal

import keras
import numpy as np

from kerasviz.compute.attribution.score.heads import Head, HeadKind
from kerasviz.model.layer_call import CallPath

Target = int | tuple[int, int] | Callable[[Any], Any] | Any
"""The answer that is explained; see `get_attributions`."""
ScoreKind = Literal["logit", "probability"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Goal:
    """The part of a model's outputs that is explained.

    Where the target is what the model predicts, `weights` are NaN and `targets` -1 until `settle`
    was told what the model returned.

    Args:
        output: The index of the output, of several; `None` where a function takes all of them.
        head: The last step of that output.
        weights: What the score is the sum of: a weight for each class of each sample,
            `(samples, classes)`.
        targets: The class of each sample `(samples,)`, or both of a difference `(samples, 2)`.
        function: The caller's own score, which takes the place of `weights`.
        score: Whether the score is of logits, or of what the model returns.
    """

    output: int | None
    head: Head
    weights: np.ndarray
    targets: np.ndarray | None
    function: Callable[[Any], Any] | None
    score: ScoreKind

    @property
    def replaced(self) -> tuple[CallPath, Callable[[Any], Any]] | None:
        """The call of the head, and the activation that it has for this score, not its own."""
        if self.function is not None or self.head.path is None:
            return None
        if self.score == "logit":
            return self.head.path, keras.activations.linear
        is_log = self.head.kind == "log_softmax"
        return (self.head.path, keras.activations.softmax) if is_log else None

    def read(self, outputs: Any) -> Any:
        """Return the output that counts, of all that the model returned; or the caller's score."""
        if self.output is not None:
            outputs = keras.tree.flatten(outputs)[self.output]
        return outputs if self.function is None else self.function(outputs)

    @property
    def threshold(self) -> float:
        """The output of one sigmoid from which on the class 1 is predicted."""
        return 0.0 if self.score == "logit" else 0.5

    def weigh(self, outputs: Any, weights: Any) -> Any:
        """Return scores `(n,)` of a backend's tensors.

        Args:
            outputs: What `read` returned, `(n, classes)`.
            weights: Those of these samples, NaN where what is predicted is meant.
        """
        outputs = keras.ops.cast(outputs, "float32")
        classes = outputs.shape[1]
        if classes == 1:
            predicted = keras.ops.where(outputs >= self.threshold, 1.0, -1.0)
        else:
            predicted = keras.ops.one_hot(keras.ops.argmax(outputs, axis=1), classes)
        weights = keras.ops.where(keras.ops.isnan(weights), predicted, weights)
        return keras.ops.sum(outputs * weights, axis=1)

    def settle(self, outputs: np.ndarray, samples: np.ndarray) -> None:
        """Take what the model predicts for samples as their targets, where that is meant.

        Args:
            outputs: What the model returned for them, `(n, classes)`.
            samples: Their indices.

        Raises:
            ValueError: A score is NaN.
        """
        if (
            self.function is None
            and self.targets is not None
            and np.isnan(self.weights[samples]).any()
        ):
            if outputs.shape[1] == 1:
                targets = (outputs[:, 0] >= self.threshold).astype(int)
            else:
                targets = outputs.argmax(axis=1)
            self.targets[samples] = targets
            self.weights[samples] = _weigh(targets, outputs.shape[1], self.head)
        scores = self.scores(outputs, samples)
        if np.isnan(scores).any():
            raise ValueError(
                "`inputs` must be such that the model returns numbers. Received: inputs of which "
                f"sample {samples[np.isnan(scores)][0]} has a score that is NaN"
            )

    def scores(self, outputs: np.ndarray, samples: np.ndarray) -> np.ndarray:
        """Return scores `(n,)` of outputs of the model, as `probabilities` does."""
        if self.function is not None:
            return outputs
        return np.asarray((outputs * self.weights[samples]).sum(axis=1))

    def probabilities(self, outputs: np.ndarray, samples: np.ndarray) -> np.ndarray | None:
        """Return the probability of each target, `(n,)`, of a difference that of `a`.

        Args:
            outputs: Logits, or probabilities where the score is one, `(n, classes)`.
            samples: Which sample each of them belongs to, `(n,)`.
        """
        if self.function is not None or self.targets is None or self.head.kind == "linear":
            return None
        targets = self.targets if self.targets.ndim == 1 else self.targets[:, 0]
        targets = targets[samples]
        if self.score == "logit":
            outputs = logits_to_probabilities(outputs, self.head.kind)
        if outputs.shape[1] == 1:
            return np.where(targets == 1, outputs[:, 0], 1 - outputs[:, 0])
        return np.asarray(outputs[np.arange(len(outputs)), targets])


def logits_to_probabilities(logits: np.ndarray, kind: HeadKind) -> np.ndarray:
    """Return the softmax over classes of logits `(samples, classes)`, or their sigmoid."""
    if kind == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-np.clip(logits, -500, 500))))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def check_target(
    target: Target, outputs: Any, heads: list[Head], *, names: list[str], samples: int
) -> None:
    """Check what shapes tell of a target, before the model runs; see `resolve_goal`.

    Args:
        target: The caller's `target`.
        outputs: What the model declares to return, a structure of what has a shape.
        heads: The head of each output.
        names: The name of each output.
        samples: How many samples there are.

    Raises:
        TypeError: `target` is of no form that there is.
        ValueError: `target` does not fit the model.
    """
    index, target = _choose_output(target, names, heads)
    if callable(target):
        return
    shape = keras.tree.flatten(outputs)[index or 0].shape
    _check_rank(target, shape)
    if target is not None and shape[1] is not None:
        _resolve_classes(target, shape[1], heads[index or 0], samples=samples)


def resolve_goal(
    target: Target,
    outputs: Any,
    heads: list[Head],
    *,
    names: list[str],
    score: ScoreKind,
    samples: int,
) -> Goal:
    """Return what a target means for a model's outputs.

    Args:
        target: The caller's `target`.
        outputs: What the model returned for some samples, arrays in the model's structure.
        heads: The head of each output.
        names: The name of each output.
        score: The score that the caller asks for.
        samples: How many samples there are.

    Raises:
        TypeError: `target` is of no form that there is.
        ValueError: `target` does not fit the model.
    """
    index, target = _choose_output(target, names, heads)
    values = np.asarray(keras.tree.flatten(outputs)[index or 0])
    head = _settle(heads[index or 0], values)
    if callable(target):
        _check_function(target, outputs if index is None else values)
        return Goal(
            output=index,
            head=head,
            weights=np.zeros((samples, 0), "float32"),
            targets=None,
            function=target,
            score="logit" if head.kind == "linear" else "probability",  # what the model returns
        )
    _check_rank(target, values.shape)
    classes = values.shape[1]
    is_class = classes > 1 or head.kind != "linear"
    if target is None and is_class:
        targets, weights = np.full(samples, -1), np.full((samples, classes), np.nan, "float32")
    else:
        targets = _resolve_classes(target, classes, head, samples=samples)
        weights = _weigh(targets, classes, head)
    return Goal(
        output=index,
        head=head,
        weights=weights,
        targets=targets,
        function=None,
        score="probability" if head.kind == "unknown" else score,
    )


def _check_rank(target: Target, shape: tuple[int | None, ...]) -> None:
    if len(shape) != 2:
        raise ValueError(
            f"`target` must be a function of the outputs, since the model's output has the shape "
            f"{shape} and not (samples, classes). Received: target={target!r}"
        )


def _settle(head: Head, values: np.ndarray) -> Head:
    """Return a head that is not known as linear where what it returns is not a probability."""
    is_probability = np.all((values >= 0) & (values <= 1) | np.isnan(values))
    return head if head.kind != "unknown" or is_probability else Head(kind="linear")


def _check_function(function: Callable[[Any], Any], outputs: Any) -> None:
    tensors = keras.tree.map_structure(keras.ops.convert_to_tensor, outputs)
    count = len(keras.tree.flatten(outputs)[0])
    scores = function(tensors)
    shape = tuple(getattr(scores, "shape", ())) if keras.ops.is_tensor(scores) else None
    if shape != (count,):
        received = "no tensor" if shape is None else f"the shape {shape}"
        raise ValueError(
            "`target` must be a function that returns one score for each sample, (samples,), "
            f"written in keras.ops. Received: one that returns {received} for {count} samples"
        )


def _choose_output(target: Any, names: list[str], heads: list[Head]) -> tuple[int | None, Any]:
    if isinstance(target, Mapping):
        if len(target) != 1 or next(iter(target)) not in names:
            raise ValueError(
                f"`target` must name one output, of {', '.join(map(repr, names))}. "
                f"Received: target={target!r}"
            )
        name, inner = next(iter(target.items()))
        return names.index(name), inner
    if callable(target):
        return None, target
    if len(heads) > 1:
        raise ValueError(
            f"`target` must be a dict that names an output, such as {{{names[0]!r}: 0}}, since the "
            f"model has {len(heads)}: {', '.join(map(repr, names))}. Received: target={target!r}"
        )
    return 0, target


def _resolve_classes(target: Any, classes: int, head: Head, *, samples: int) -> np.ndarray:
    """Return the class of each sample, or two of each for a difference."""
    target = 0 if target is None else target  # of one score
    last = 1 if classes == 1 and head.kind != "linear" else classes - 1
    if _is_class(target):
        array = np.full(samples, int(target))
    elif isinstance(target, tuple) and len(target) == 2 and all(map(_is_class, target)):
        array = np.tile(np.array(target, int), (samples, 1))
    else:
        array = _as_classes(target, samples)
    if array.ndim == 2 and (array[:, 0] == array[:, 1]).any():
        raise ValueError(f"`target` must name two classes. Received: target={target!r}")
    if (array < 0).any() or (array > last).any():
        raise ValueError(
            f"`target` must be between 0 and {last}, since the model has {last + 1} classes. "
            f"Received: target={target!r}"
        )
    return array


def _as_classes(target: Any, samples: int) -> np.ndarray:
    is_list = isinstance(target, (list, np.ndarray)) and not isinstance(target, str)
    array = np.asarray(target) if is_list else np.empty(0, object)
    if not np.issubdtype(array.dtype, np.integer):
        raise TypeError(
            "`target` must be a class, a list with one per sample, a tuple of two, a function of "
            f"the outputs, a dict of an output's name, or None. Received: target={target!r}"
        )
    if array.shape not in ((samples,), (samples, 2)):
        raise ValueError(
            f"`target` must have one class for each of the {samples} samples. "
            f"Received: an array of shape {array.shape}"
        )
    return array.astype(int)


def _is_class(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, (bool, np.bool_))


def _weigh(targets: np.ndarray, classes: int, head: Head) -> np.ndarray:
    """Return what each class counts in the score, `(samples, classes)`."""
    samples = len(targets)
    if classes == 1 and head.kind == "linear":
        return np.ones((samples, 1), "float32")
    if classes == 1:  # of one sigmoid: 1 is the logit, 0 its negative
        first = targets if targets.ndim == 1 else targets[:, 0]
        sign = np.where(first == 1, 1, -1).astype("float32")
        return np.asarray(sign[:, np.newaxis] * (1 if targets.ndim == 1 else 2))
    weights, rows = np.zeros((samples, classes), "float32"), np.arange(samples)
    if targets.ndim == 1:
        weights[rows, targets] = 1
    else:
        weights[rows, targets[:, 0]], weights[rows, targets[:, 1]] = 1, -1
    return weights
