"""Explain: run what was planned batch by batch, each method after one pass that all share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import keras
import numpy as np

from kerasviz.compute.attribution.evidence import (
    Evidence,
    EvidenceMeter,
    cells_of_inputs,
    cells_of_map,
    erasable_inputs,
    join_evidence,
)
from kerasviz.compute.attribution.methods import METHODS, Method
from kerasviz.compute.attribution.methods.integrated_gradients import Integral
from kerasviz.compute.attribution.plan import Plan
from kerasviz.compute.attribution.question import Question
from kerasviz.compute.attribution.randomisation import (
    correlate_with_randomised,
    stages_from_the_top,
)
from kerasviz.compute.attribution.score.goal import ScoreKind
from kerasviz.compute.attribution.score.scored_model import ScoreGradients, joined
from kerasviz.compute.attribution.spatial_grid import LayerOutput, read_output
from kerasviz.compute.progress import track
from kerasviz.model.addresses import NamedCall, Selection

MAX_CANDIDATES = 24
"""How many of the last layers are tried where none is named and the last one does not count."""
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
        input_indices: Which of several inputs the values are about. Of a class activation map those
            that the layer depends on and that have its axes of cells; none where its cells are not
            those of an input, and then `evidence` is `None`.
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
    input_indices: tuple[int, ...] = (0,)

    def __repr__(self) -> str:
        layer = "" if self.layer is None else f", layer={self.layer!r}"
        return f"Attributions({self.method!r}{layer}, {len(self.scores)} samples)"


@dataclass(frozen=True, kw_only=True)
class _Task:
    """One attribution to compute.

    Args:
        name: The method.
        target: The layer of a class activation map.
    """

    name: MethodName
    target: NamedCall | None = None

    @property
    def method(self) -> Method:
        """How it is computed."""
        return METHODS[self.name]


@dataclass(frozen=True, kw_only=True)
class _Batch:
    """The first pass over a batch of samples, which every method has in common.

    Args:
        questions: The question for each baseline.
        outputs: What the layers of class activation maps returned, by address.
        baseline_answers: What the model returned for the baseline, where it came along.
    """

    questions: list[Question]
    outputs: dict[str, LayerOutput]
    baseline_answers: np.ndarray | None = None


@dataclass(kw_only=True)
class _Parts:
    """Results of one batch of samples after the other.

    Args:
        values: Arrays of the inputs' shapes; for a class activation map one, not yet made positive.
        integrals: What integrated gradients say of each baseline, for each batch.
        evidence: The curves.
        input_indices: The inputs that the values are about.
    """

    values: list[list[np.ndarray]] = field(default_factory=list)
    integrals: list[list[Integral]] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    input_indices: tuple[int, ...] = ()

    def joined(self) -> list[np.ndarray]:
        """Return the values of all samples, which the caller may write into."""
        arrays = [joined(arrays) for arrays in zip(*self.values, strict=True)]
        return [np.require(array, requirements="W") for array in arrays]


def explain(plan: Plan, names: Sequence[MethodName], evidence: Any) -> dict[str, Any]:
    """Return the attributions by each method."""
    question, (layers, first) = plan.question, _choose_layer(plan)
    tasks = [
        _Task(name=name, target=target)
        for name in names
        for target in (layers.targets if METHODS[name].is_cam else (None,))
    ]
    computed = [_Parts() for _ in tasks]
    answers, nothing = [], None
    size = question.scored.batch_size
    starts = range(0, len(question), size)
    for start in track(starts, "batch", verbose=question.verbose if len(starts) > 1 else 0):
        batch = _run_first_pass(plan, start, tasks, first if start == 0 else None)
        answers.append(np.asarray(batch.questions[0].answers))
        nothing = batch.baseline_answers if start == 0 else nothing
        meters: dict[tuple[int, ...], EvidenceMeter] = {}
        for task, parts in zip(tasks, computed, strict=True):
            values = _add_values(task, batch, parts)
            parts.input_indices = _input_indices(task, batch)
            if evidence:
                _add_evidence(task, batch, values, parts, meters)
    common = _Common.of(question, np.concatenate(answers), nothing)
    results: dict[str, Any] = {name: {} for name in names}
    for task, parts in zip(tasks, computed, strict=True):
        key = "" if task.target is None else task.target.address
        results[task.name][key] = _finish(plan, task, parts, common, evidence)
    return {
        name: next(iter(of_layers.values())) if layers.single or "" in of_layers else of_layers
        for name, of_layers in results.items()
    }


def _choose_layer(plan: Plan) -> tuple[Selection, ScoreGradients | None]:
    """Return the layers of class activation maps: those named, or the last one that counts.

    The last layer may be on the way to another output, or its tokens may have no way to a score
    that is read from the class token alone: the last one is meant whose gradient is not 0. Its
    gradients for the first batch come with it.
    """
    candidates = plan.layers.targets
    if plan.named or len(candidates) < 2:
        return plan.layers, None
    question = plan.question.part(0, plan.question.scored.batch_size)
    for some in (candidates[:1], candidates[:MAX_CANDIDATES]):
        gradients = _differentiate(question, some, by_inputs=False, must_reach=False)
        for target, output in zip(some, _cells(plan, some, gradients), strict=True):
            # A gradient of 0 everywhere means that the score does not depend on the layer.
            if output.gradient.any():
                return Selection((target,), single=True), gradients if len(some) == 1 else None
    return Selection(candidates[:1], single=True), None


def _differentiate(
    question: Question, targets: Sequence[NamedCall], *, by_inputs: bool, must_reach: bool = True
) -> ScoreGradients:
    return question.scored.gradients(
        question.inputs,
        question.samples,
        [target.call for target in targets],
        by_inputs=by_inputs,
        must_reach=must_reach,
    )


def _cells(
    plan: Plan, targets: Sequence[NamedCall], gradients: ScoreGradients
) -> list[LayerOutput]:
    return [
        read_output(target, output, gradient, plan.cells)
        for target, output, gradient in zip(
            targets, gradients.outputs, gradients.output_gradients, strict=True
        )
    ]


def _run_first_pass(
    plan: Plan,
    start: int,
    tasks: Sequence[_Task],
    gradients: ScoreGradients | None = None,
    *,
    again: bool = False,
) -> _Batch:
    """Run the model on a batch: the answers, and all gradients at the inputs, in one pass.

    Args:
        plan: What is to be computed.
        start: The first sample.
        tasks: The attributions, which say which gradients are needed.
        gradients: The gradients with respect to the layers, where they were computed before.
        again: Whether the model was changed, and may no longer depend on its inputs.
    """
    size = plan.question.scored.batch_size
    question = plan.question.part(start, start + size)
    if len(plan.question) > size:
        # The bar counts batches; one for each method within them would overwrite it.
        question = replace(question, verbose=0)
    layers = {t.target.address: t.target for t in tasks if t.target is not None}
    targets, scored, count = list(layers.values()), question.scored, len(question)
    with_baseline = question if start or again else _with_baseline(question)
    nothing: np.ndarray | None = None
    by_inputs = any(task.method.uses_first_pass for task in tasks)
    outputs: list[LayerOutput] = []
    if targets or by_inputs:
        if gradients is None or by_inputs:
            gradients = _differentiate(
                with_baseline, targets, by_inputs=by_inputs, must_reach=not again
            )
            nothing, gradients = gradients.answers[count:], gradients.first(count)
        outputs = _cells(plan, targets, gradients)
        answers = gradients.answers
    else:
        answers = scored.outputs(with_baseline.inputs)
        answers, nothing = answers[:count], answers[count:]
    if not again:
        scored.goal.settle(answers, question.samples)
    gradient = (
        [np.asarray(x) for x in gradients.inputs] if gradients is not None and by_inputs else None
    )
    question = replace(question, answers=answers, gradient=gradient)
    baselines = [tuple(x[start : start + size] for x in baseline) for baseline in plan.baselines]
    return _Batch(
        questions=[replace(question, baseline=baseline) for baseline in baselines],
        outputs=dict(zip(layers, outputs, strict=True)),
        baseline_answers=nothing if len(with_baseline) > count else None,
    )


def _with_baseline(question: Question) -> Question:
    """Return a question with its baseline as one more sample, which saves a pass for that alone.

    It is the same where each sample has its own baseline, or where a batch has no room.
    """
    if not _is_shared(question.baseline) or len(question) >= question.scored.batch_size:
        return question
    inputs = [
        np.concatenate([x, b[:1]]) for x, b in zip(question.inputs, question.baseline, strict=True)
    ]
    samples = np.append(question.samples, question.samples[-1:])
    return replace(question, inputs=tuple(inputs), samples=samples)


def _is_shared(baseline: Sequence[np.ndarray]) -> bool:
    """Whether a baseline is the same for all samples: an array without a step along them."""
    return all(x.strides[0] == 0 for x in baseline)


def _add_values(task: _Task, batch: _Batch, parts: _Parts) -> list[np.ndarray]:
    """Compute the values for a batch, the mean over the baselines, and return them."""
    args = () if task.target is None else (batch.outputs[task.target.address],)
    # Only what compares with a baseline has another result for another one.
    used = batch.questions if task.method.uses_baseline else batch.questions[:1]
    results = [task.method.explain(question, *args) for question in used]
    parts.integrals.append([x for x in results if isinstance(x, Integral)])
    arrays = [x.values if isinstance(x, Integral) else x for x in results]
    lists = [x if isinstance(x, list) else [x] for x in arrays]
    values = [
        (np.mean(x, axis=0) if len(x) > 1 else x[0]).astype("float32", copy=False)
        for x in zip(*lists, strict=True)
    ]
    parts.values.append(values)
    return values


def _add_evidence(
    task: _Task,
    batch: _Batch,
    values: list[np.ndarray],
    parts: _Parts,
    meters: dict[tuple[int, ...], EvidenceMeter],
) -> None:
    """Measure the curves for a batch, unless the cells are on no input."""
    question = batch.questions[0]
    indices = _input_indices(task, batch)
    if not indices:
        return
    # Random orders cost as many passes as a method's own; methods about the same inputs share
    # them.
    if indices not in meters:
        meters[indices] = EvidenceMeter(question, erasable_inputs(question, indices))
    if task.target is None:
        cells = cells_of_inputs(question, values)
    else:
        cells = cells_of_map(question, np.maximum(values[0], 0), indices)
    parts.evidence.append(meters[indices].measure(cells))


def _input_indices(task: _Task, batch: _Batch) -> tuple[int, ...]:
    """Return the inputs that a map is about."""
    if task.target is None:
        return tuple(range(len(batch.questions[0].inputs)))
    return batch.outputs[task.target.address].input_indices


@dataclass(frozen=True, kw_only=True)
class _Common:
    """The part of `Attributions` that is the same for every method."""

    scores: np.ndarray
    probabilities: np.ndarray | None
    baseline_probabilities: np.ndarray | None

    @classmethod
    def of(cls, question: Question, answers: np.ndarray, nothing: np.ndarray | None) -> _Common:
        """Return the scores and probabilities of what the model returned.

        Args:
            question: The question about all samples.
            answers: What the model returned for them.
            nothing: What it returned for the baseline, where that came along.
        """
        goal, samples, baseline = question.scored.goal, question.samples, question.baseline
        if nothing is None:
            shared = [x[:1] for x in baseline] if _is_shared(baseline) else baseline
            nothing = question.scored.outputs(shared)
        nothing = np.repeat(nothing, len(samples) // len(nothing), axis=0)
        return cls(
            scores=goal.scores(answers, samples),
            probabilities=goal.probabilities(answers, samples),
            baseline_probabilities=goal.probabilities(nothing, samples),
        )


def _finish(plan: Plan, task: _Task, parts: _Parts, common: _Common, evidence: Any) -> Attributions:
    """Return the attributions of all samples."""
    scored = plan.question.scored
    values = parts.joined()
    proof = join_evidence(parts.evidence) if parts.evidence else None
    if proof is not None and any(parts.integrals):
        proof = _with_integrals(proof, parts.integrals)
    if proof is not None and evidence == "randomised":
        proof = _with_randomised(plan, task, values, proof)
    is_cam = task.target is not None
    return Attributions(
        values=np.maximum(values[0], 0)
        if is_cam
        else keras.tree.pack_sequence_as(scored.structure, values),
        method=task.name,
        layer=None if task.target is None else task.target.address,
        targets=scored.goal.targets,
        score=scored.goal.score,
        scores=common.scores,
        probabilities=common.probabilities,
        baseline_probabilities=common.baseline_probabilities,
        evidence=proof,
        input_indices=parts.input_indices,
    )


def _with_integrals(evidence: Evidence, integrals: list[list[Integral]]) -> Evidence:
    return replace(
        evidence,
        completeness=np.concatenate(
            [np.max([x.completeness for x in several], axis=0) for several in integrals]
        ),
        steps=np.concatenate([np.max([x.steps for x in several], axis=0) for several in integrals]),
    )


def _with_randomised(
    plan: Plan, task: _Task, values: list[np.ndarray], evidence: Evidence
) -> Evidence:
    """Add the correlations with the maps of the model with permuted weights."""
    question, factor = plan.question, task.method.factor
    quiet = replace(question, verbose=0)
    # With other weights other steps would be enough; what differs is to be the weights alone.
    if evidence.steps is not None:
        quiet = replace(quiet, steps=int(evidence.steps.max()))
    stages = stages_from_the_top(plan.model, plan.calls)
    # Input × gradient is 0 where the input is, whatever the weights are: such pixels would make
    # every two maps alike.
    masks = [None] * len(values) if factor is None else [x != 0 for x in factor(question)]
    correlations = correlate_with_randomised(
        lambda: _explain_again(replace(plan, question=quiet), task),
        values,
        stages,
        masks=masks,
        seed=question.seed,
        verbose=question.verbose,
    )
    return replace(
        evidence,
        randomised=correlations,
        randomised_layers=tuple(stage.address for stage in stages),
    )


def _explain_again(plan: Plan, task: _Task) -> list[np.ndarray]:
    """Return the values of all samples for the weights that the model has now."""
    parts = _Parts()
    for start in range(0, len(plan.question), plan.question.scored.batch_size):
        _add_values(task, _run_first_pass(plan, start, [task], again=True), parts)
    return parts.joined()
