"""The score that is explained: a logit, a difference of two, or what the caller computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Literal

import keras
import numpy as np

from kerasviz.compute.attribution.heads import Head, HeadKind

Target = int | tuple[int, int] | Callable[[Any], Any] | Any
"""The answer that is explained; see `get_attributions`."""
ScoreKind = Literal["logit", "probability"]


@dataclass(frozen=True, kw_only=True)
class Goal:
    """The part of a model's outputs that is explained.

    Args:
        output: The index of the output, of several.
        head: The last step of that output.
        weights: What the score is the sum of: a weight for each class of each sample,
            `(samples, classes)`.
        targets: The class of each sample `(samples,)`, or both of a difference `(samples, 2)`.
        function: The caller's own score, which takes the place of `weights`.
        score: Whether the score is of logits, or of what the model returns.
    """

    output: int
    head: Head
    weights: np.ndarray
    targets: np.ndarray | None
    function: Callable[[Any], Any] | None
    score: ScoreKind

    @property
    def has_probability(self) -> bool:
        """Whether the target has a probability."""
        return self.function is None and self.head.kind != "linear"

    def probabilities(self, outputs: np.ndarray) -> np.ndarray | None:
        """Return the probability of each sample's target, `(samples,)`; of a difference, of `a`.

        Args:
            outputs: Logits, or probabilities where the score is one, `(samples, classes)`.
        """
        if not self.has_probability or self.targets is None:
            return None
        targets = self.targets if self.targets.ndim == 1 else self.targets[:, 0]
        if self.score == "logit":
            outputs = logits_to_probabilities(outputs, self.head.kind)
        if outputs.shape[1] == 1:
            return np.where(targets == 1, outputs[:, 0], 1 - outputs[:, 0])
        return np.asarray(outputs[np.arange(len(outputs)), targets])


def logits_to_probabilities(logits: np.ndarray, kind: HeadKind) -> np.ndarray:
    """Return the softmax over classes of logits `(samples, classes)`, or their sigmoid."""
    if kind != "softmax":
        return np.asarray(1 / (1 + np.exp(-np.clip(logits, -500, 500))))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def resolve_goal(
    target: Target, outputs: Any, heads: list[Head], *, names: list[str], score: ScoreKind
) -> Goal:
    """Return what a target means for a model's outputs.

    Args:
        target: The caller's `target`.
        outputs: What the model returned for all samples, arrays in the model's structure.
        heads: The head of each output.
        names: The name of each output.
        score: The score that the caller asks for.

    Raises:
        TypeError: `target` is of no form that there is.
        ValueError: `target` does not fit the model.
    """
    flat = [np.asarray(x) for x in keras.tree.flatten(outputs)]
    index, target = _choose_output(target, names, heads)
    values, head = flat[index], heads[index]
    score = score if head.kind != "unknown" else "probability"
    samples = len(values)
    if callable(target):
        score = "logit" if head.kind == "linear" else "probability"  # what the model returns
        empty = np.zeros((samples, 0), "float32")
        return Goal(
            output=index, head=head, weights=empty, targets=None, function=target, score=score
        )
    if values.ndim != 2:
        raise ValueError(
            f"`target` must be a function of the outputs, since the model's output has the shape "
            f"{values.shape} and not (samples, classes). Received: target={target!r}"
        )
    classes = values.shape[1]
    targets = _resolve_classes(target, values, classes, head)
    return Goal(
        output=index,
        head=head,
        weights=_weigh(targets, classes, head),
        targets=targets,
        function=None,
        score=score,
    )


def _choose_output(target: Any, names: list[str], heads: list[Head]) -> tuple[int, Any]:
    if isinstance(target, Mapping):
        if len(target) != 1 or next(iter(target)) not in names:
            raise ValueError(
                f"`target` must name one output, of {', '.join(map(repr, names))}. "
                f"Received: target={target!r}"
            )
        name, inner = next(iter(target.items()))
        return names.index(name), inner
    if len(heads) > 1:
        raise ValueError(
            f"`target` must be a dict that names an output, such as {{{names[0]!r}: 0}}, since the "
            f"model has {len(heads)}: {', '.join(map(repr, names))}. Received: target={target!r}"
        )
    return 0, target


def _resolve_classes(target: Any, values: np.ndarray, classes: int, head: Head) -> np.ndarray:
    """Return the class of each sample, or two of each for a difference."""
    samples = len(values)
    if target is None:
        if classes > 1:
            return np.asarray(values.argmax(axis=1))
        is_sigmoid = head.kind in ("sigmoid", "unknown")
        return (values[:, 0] >= 0.5).astype(int) if is_sigmoid else np.zeros(samples, int)
    last = 1 if classes == 1 and head.kind != "linear" else classes - 1
    if _is_class(target):
        array = np.full(samples, int(target))
    elif isinstance(target, tuple) and len(target) == 2 and all(map(_is_class, target)):
        array = np.tile(np.array(target, int), (samples, 1))
        if array[0, 0] == array[0, 1]:
            raise ValueError(f"`target` must name two classes. Received: target={target!r}")
    else:
        array = _as_classes(target, samples)
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
    one_hot = np.eye(classes, dtype="float32")
    if targets.ndim == 1:
        return np.asarray(one_hot[targets])
    return np.asarray(one_hot[targets[:, 0]] - one_hot[targets[:, 1]])
