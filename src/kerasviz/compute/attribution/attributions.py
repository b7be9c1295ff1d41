"""`get_attributions`: which parts of an input made a model answer as it did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import keras
import numpy as np

from kerasviz._checks import check_choice, check_count
from kerasviz.compute.attribution.evidence import (
    Evidence,
    cells_of_inputs,
    cells_of_layer,
    measure_evidence,
)
from kerasviz.compute.attribution.heads import find_heads
from kerasviz.compute.attribution.methods import METHODS, Method
from kerasviz.compute.attribution.methods.integrated_gradients import Integral
from kerasviz.compute.attribution.question import Question
from kerasviz.compute.attribution.scored_model import ScoredModel, output_names, run_model
from kerasviz.compute.attribution.scores import ScoreKind, Target, resolve_goal
from kerasviz.compute.feature_maps import check_batch_size, plan_extraction
from kerasviz.model.addresses import NamedCall, Selection
from kerasviz.model.calls import known_calls
from kerasviz.model.inputs.forms import InputBatch
from kerasviz.model.layer_call import Call

MethodName = Literal[
    "gradient",
    "input-x-gradient",
    "smoothgrad",
    "integrated-gradients",
    "occlusion",
    "rise",
    "grad-cam",
    "grad-cam++",
    "hires-cam",
    "layer-cam",
    "score-cam",
]


@dataclass(frozen=True, kw_only=True, eq=False)
class Attributions:
    """The contribution of each part of the inputs to a score.

    Args:
        values: Signed, never normalised, float32. Of methods that explain by the input, arrays of
            the inputs' shapes, channels last, in the model's own structure. Of class activation
            maps `(samples, *cells)` of the layer, not enlarged, never negative.
        method: The method.
        layer: The address of the layer that a class activation map explains by; else `None`.
        targets: The class of each sample, `(samples,)`; both of a difference, `(samples, 2)`;
            `None` where the caller computes the score.
        score: "logit" or "probability": what the score became.
        scores: The score of each sample, `(samples,)`.
        probabilities: The probability of each sample's target, `(samples,)`, `None` where the model
            has none.
        baseline_probabilities: The same for the baseline.
        evidence: How far the values can be trusted; `None` with `evidence=False`.
    """

    values: Any
    method: MethodName
    layer: str | None
    targets: np.ndarray | None
    score: ScoreKind
    scores: np.ndarray
    probabilities: np.ndarray | None
    baseline_probabilities: np.ndarray | None
    evidence: Evidence | None

    def __repr__(self) -> str:
        layer = "" if self.layer is None else f", layer={self.layer!r}"
        return f"Attributions({self.method!r}{layer}, {len(self.scores)} samples)"


def get_attributions(
    model: keras.Model,
    inputs: Any,
    *,
    method: MethodName | list[MethodName] = "integrated-gradients",
    layer: Any = None,
    target: Target = None,
    score: ScoreKind = "logit",
    baseline: Any = None,
    evidence: bool = True,
    batch_size: int = 32,
    steps: int | None = None,
    seed: int = 0,
) -> Any:
    """Return which parts of inputs made a model answer as it did, with the evidence for it.

    Args:
        model: A Keras model.
        inputs: What the model takes, as in `get_feature_maps`.
        method: "gradient", "input-x-gradient", "smoothgrad", "integrated-gradients", "occlusion" or
            "rise", which explain by the inputs; "grad-cam", "grad-cam++", "hires-cam", "layer-cam"
            or "score-cam", which explain by the output of a layer; or a list of them.
        layer: For these, a layer address. `None` is the last layer whose output has as many axes as
            the input. A list, a pattern or a class gives one result per layer.
        target: What is explained. `None`: the class that the model predicts for each sample. An
            int: that class. A list: one class for each sample. A tuple `(a, b)`: the difference of
            two, "why a and not b". A function that takes the model's outputs and returns
            `(samples,)`, written in `keras.ops`. Of one sigmoid output, 1 is the logit and 0 its
            negative. Of several outputs, a dict from the name of one to any of these.
        score: "logit", the score before softmax or sigmoid, or "probability". Where the last step
            of the model cannot be found, the score is the probability all the same.
        baseline: What counts as nothing: a number, an array of one sample or of all, "mean" (of
            the inputs, for each channel), or a list of these, over which the values are averaged.
            `None` is 0.
        evidence: Whether to measure the curves of deletion and insertion.
        batch_size: How many inputs run at a time.
        steps: How many steps integrated gradients take; `None` doubles them until they add up to
            the change of the score, to 1 %.
        seed: Decides whatever is random.

    Returns:
        `Attributions`; of a list of methods a dict keyed by method, of several layers a dict keyed
        by address.

    Raises:
        TypeError: An argument is of the wrong type, or an input holds integers and the method takes
            gradients with respect to it.
        ValueError: An argument has a value that does not exist or does not fit the model.

    Example:
        >>> import kerasviz
        >>> model = kerasviz.fashion_mnist.load_model()
        >>> images, _ = kerasviz.fashion_mnist.load_samples()
        >>> kerasviz.get_attributions(model, images[:2], method="grad-cam")
        Attributions('grad-cam', layer='max_pooling2d_1', 2 samples)
    """
    names = list(method) if isinstance(method, (list, tuple)) else [method]
    for name in names:
        check_choice("method", name, list(METHODS), "a list of these")
    check_choice("score", score, get_args(ScoreKind))
    check_batch_size(batch_size)
    if steps is not None:
        check_count("steps", steps)
    question, targets = _ask(
        model, inputs, layer, target=target, score=score, batch_size=batch_size
    )
    question = replace(question, steps=steps, seed=seed)
    baselines = _baselines(baseline, question)
    results = {
        name: _explain_by(name, question, baselines, targets, evidence=evidence) for name in names
    }
    return results if isinstance(method, (list, tuple)) else results[names[0]]


def _ask(
    model: keras.Model,
    inputs: Any,
    layer: Any,
    *,
    target: Target,
    score: ScoreKind,
    batch_size: int,
) -> tuple[Question, Selection]:
    """Check what was asked, and return it with the layers that class activation maps explain by."""
    extraction = plan_extraction(model, "*" if layer is None else layer, inputs)
    specs = keras.tree.flatten(extraction.specs)
    calls = known_calls(model, extraction.specs)
    axes = [input_channel_axis(spec, calls) for spec in specs]
    arrays = tuple(
        np.moveaxis(_as_model_takes(x, spec), axis, -1)
        for x, spec, axis in zip(extraction.batch.arrays, specs, axes, strict=True)
    )
    heads = find_heads(model, extraction.specs)
    outputs = _run(model, extraction.batch, batch_size)
    names = output_names(model, outputs)
    goal = resolve_goal(target, outputs, heads, names=names, score=score)
    scored = ScoredModel(
        model, extraction.batch.structure, goal, batch_size=batch_size, channel_axes=axes
    )
    question = Question(scored=scored, inputs=arrays, baseline=tuple(map(np.zeros_like, arrays)))
    selection = extraction.targets if layer is not None else _last_spatial(model, calls, arrays)
    return question, selection


def _as_model_takes(array: np.ndarray, spec: Any) -> np.ndarray:
    return array.astype("float32") if _is_float(spec) else array


def _is_float(spec: Any) -> bool:
    return bool(keras.backend.is_float_dtype(keras.backend.standardize_dtype(spec.dtype)))


def input_channel_axis(spec: Any, calls: Sequence[Call]) -> int:
    """Return the axis of an input's channels, as the first layer that takes it says."""
    if len(spec.shape) < 3:
        return -1
    for call in calls:
        takes = call.inputs and tuple(call.inputs[0].shape[1:]) == tuple(spec.shape[1:])
        if takes and getattr(call.layer, "data_format", None) == "channels_first":
            return 1
    return -1


def _run(model: keras.Model, batch: InputBatch, batch_size: int) -> Any:
    parts = [
        run_model(model, batch.part(start, start + batch_size).packed())
        for start in range(0, len(batch), batch_size)
    ]
    return keras.tree.map_structure(lambda *x: np.concatenate(x), *parts)


def _last_spatial(
    model: keras.Model, calls: Sequence[Call], arrays: Sequence[np.ndarray]
) -> Selection:
    """Return the last layer whose output has cells along the axes of the input."""
    ranks = {x.ndim for x in arrays if x.ndim > 2}
    for call in reversed(calls):
        shape = call.output_shape
        # The cells of a Permute are not where they are in the input.
        is_other = isinstance(call.layer, (keras.layers.InputLayer, keras.layers.Permute))
        if is_other or len(call.outputs) != 1:
            continue
        if isinstance(shape, tuple) and len(shape) in ranks and _has_cells(call):
            return Selection((NamedCall(call.address, call),), single=True)
    del model
    return Selection((), single=True)


def _has_cells(call: Call) -> bool:
    sizes = list(call.outputs[0].shape[1:])
    del sizes[call.channel_axis - 1 if call.channel_axis > 0 else -1]
    return all(size is None or size > 1 for size in sizes) and _is_float(call.outputs[0])


def _baselines(baseline: Any, question: Question) -> list[tuple[np.ndarray, ...]]:
    items = baseline if isinstance(baseline, list) and baseline else [baseline]
    if len(question.inputs) > 1 and any(np.ndim(item) for item in items if item is not None):
        raise ValueError(
            "`baseline` must be a number, 'mean', 'blur' or None for a model of several inputs. "
            "Received: an array"
        )
    axes = question.scored.channel_axes
    return [
        tuple(_baseline(item, x, axis) for x, axis in zip(question.inputs, axes, strict=True))
        for item in items
    ]


def _baseline(baseline: Any, x: np.ndarray, axis: int) -> np.ndarray:
    if baseline is None:
        return np.zeros_like(x)
    if isinstance(baseline, str):
        check_choice("baseline", baseline, ("mean", "blur"), "a number, an array, a list or None")
        if baseline == "mean":
            mean = x.mean(axis=tuple(range(max(1, x.ndim - 1))), dtype="float64")
            return np.broadcast_to(mean, x.shape).astype(x.dtype)
        return _blur(x)
    array = np.asarray(baseline)
    if array.dtype.kind not in "biuf":
        raise TypeError(
            "`baseline` must be a number, an array, 'mean', 'blur', a list of these or None. "
            f"Received: baseline={baseline!r}"
        )
    if not array.ndim:
        return np.full_like(x, array)
    own = np.moveaxis(x, -1, axis)  # as the model takes it
    if array.shape not in (own.shape, own.shape[1:]):
        raise ValueError(
            f"`baseline` must have the shape of a sample, {own.shape[1:]}, or of all, {own.shape}. "
            f"Received: an array of shape {array.shape}"
        )
    return np.moveaxis(np.broadcast_to(array, own.shape), axis, -1).astype(x.dtype)


def _blur(x: np.ndarray) -> np.ndarray:
    """Return inputs blurred by a Gaussian of a tenth of their size; edges are continued."""
    blurred = x.astype("float64")
    for axis in range(1, x.ndim - 1):
        length = x.shape[axis]
        sigma = max(length / 10, 0.5)
        offsets = np.arange(-round(3 * sigma), round(3 * sigma) + 1)
        weights = np.exp(-0.5 * (offsets / sigma) ** 2)
        total = np.zeros_like(blurred)
        for offset, weight in zip(offsets, weights / weights.sum(), strict=True):
            index = np.clip(np.arange(length) + offset, 0, length - 1)
            total += weight * np.take(blurred, index, axis)
        blurred = total
    return blurred.astype(x.dtype)


def _explain_by(
    name: MethodName,
    question: Question,
    baselines: list[tuple[np.ndarray, ...]],
    selection: Selection,
    *,
    evidence: bool,
) -> Any:
    method = METHODS[name]
    if not method.is_cam:
        _check_floats(name, method, question)
        return _attribute(name, method, question, baselines, None, evidence=evidence)
    if not selection.targets:
        raise ValueError(
            f"`layer` must name a layer whose output has cells for method={name!r}: the model has "
            "none with as many axes as its input. Received: layer=None"
        )
    results = {}
    for target in selection.targets:
        if len(target.call.outputs) != 1 or len(target.call.outputs[0].shape) < 3:
            raise ValueError(
                f"`layer` must name layers whose output has cells for method={name!r}. "
                f"Received: '{target.address}' with the output {target.call.output_shape}"
            )
        results[target.address] = _attribute(
            name, method, question, baselines, target, evidence=evidence
        )
    return next(iter(results.values())) if selection.single else results


def _check_floats(name: str, method: Method, question: Question) -> None:
    for x in question.inputs:
        if x.dtype.kind != "f" and (method.needs_gradient or name == "rise"):
            raise TypeError(
                f"`method` must explain by a layer, such as 'grad-cam', where an input holds "
                f"integers, which have no gradient. Received: method={name!r}"
            )


def _attribute(
    name: MethodName,
    method: Method,
    question: Question,
    baselines: list[tuple[np.ndarray, ...]],
    target: NamedCall | None,
    *,
    evidence: bool,
) -> Attributions:
    call = None if target is None else target.call
    questions = [replace(question, baseline=baseline, call=call) for baseline in baselines]
    if target is not None and name != "score-cam":
        questions = questions[:1]  # the baseline has no part in them
    results = [method.explain(each) for each in questions]
    integrals = [result for result in results if isinstance(result, Integral)]
    arrays = [result.values if isinstance(result, Integral) else result for result in results]
    values = _mean(arrays)
    first = replace(question, baseline=baselines[0], call=call)
    scored, goal = question.scored, question.scored.goal
    outputs, nothing = scored.outputs(first.inputs), scored.outputs(first.baseline)
    proof = None
    if evidence:
        cells = cells_of_layer(first, values) if target else cells_of_inputs(first, values)
        proof = measure_evidence(first, cells)
        if integrals:
            proof = replace(
                proof,
                completeness=np.max([each.completeness for each in integrals], axis=0),
                steps=np.max([each.steps for each in integrals], axis=0),
            )
    structured = values if target else keras.tree.pack_sequence_as(scored.structure, values)
    return Attributions(
        values=structured,
        method=name,
        layer=None if target is None else target.address,
        targets=goal.targets,
        score=goal.score,
        scores=scored.score_outputs(outputs, first.samples),
        probabilities=goal.probabilities(outputs),
        baseline_probabilities=goal.probabilities(nothing),
        evidence=proof,
    )


def _mean(results: list[Any]) -> Any:
    """Return the mean of the values by several baselines."""
    if isinstance(results[0], list):
        return [np.mean(arrays, axis=0).astype("float32") for arrays in zip(*results, strict=True)]
    return np.mean(results, axis=0).astype("float32")
