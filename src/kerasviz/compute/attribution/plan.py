"""Check what was asked of a model, and put the question as every method takes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from kerasviz.compute.attribution.baselines import make_baselines
from kerasviz.compute.attribution.methods import METHODS
from kerasviz.compute.attribution.question import Question
from kerasviz.compute.attribution.score.goal import ScoreKind, Target, check_target, resolve_goal
from kerasviz.compute.attribution.score.heads import Head, before_operations, find_heads
from kerasviz.compute.attribution.score.scored_model import ScoredModel, output_names, run_model
from kerasviz.compute.attribution.spatial_grid import (
    InputCells,
    check_has_cells,
    has_cells,
    spatial_calls,
)
from kerasviz.compute.feature_maps import Extraction, has_fixed_rows, plan_call, plan_extraction
from kerasviz.model.addresses import NamedCall, Selection, resolve
from kerasviz.model.calls import calls_by_end, input_names, traced
from kerasviz.model.channel_axes import channel_axis
from kerasviz.model.connections import inputs_behind
from kerasviz.model.graph import (
    declared_outputs,
    held_layers,
    is_functional,
    is_graph,
    may_mix_samples,
)
from kerasviz.model.inputs.input_adapter import InputBatch
from kerasviz.model.layer_call import Call

ROUNDING = 1e-4
"""Differences between batches of one sample and of two that rounding explains, as a share of the
largest value."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """The arguments of the caller, beside the model and its inputs.

    Args:
        methods: The methods.
        layer: The caller's `layer`.
        target: The caller's `target`.
        score: The caller's `score`.
        baseline: The caller's `baseline`.
        batch_size: How many samples run at a time.
        steps: How many steps integrated gradients take.
        seed: Decides whatever is random.
        verbose: Whether to show a progress bar.
    """

    methods: Sequence[str]
    layer: Any
    target: Target
    score: ScoreKind
    baseline: Any
    batch_size: int
    steps: int | None
    seed: int
    verbose: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The attributions to compute.

    Args:
        model: The model.
        question: The question, with the first baseline.
        baselines: All baselines.
        layers: The layers of class activation maps; where they are not `named`, those that can be,
            the last one first.
        named: Whether the caller named them.
        calls: All calls of the model, in the order in which they end.
        cells: The cells of the inputs.
    """

    model: keras.Model
    question: Question
    baselines: list[tuple[np.ndarray, ...]]
    layers: Selection
    named: bool
    calls: list[Call]
    cells: InputCells


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """The parts of a plan but for the score, for which the model may have to run."""

    extraction: Extraction
    calls: list[Call]
    axes: list[int]
    arrays: tuple[np.ndarray, ...]
    cell_axes: tuple[int, ...]
    baselines: list[tuple[np.ndarray, ...]]
    cells: InputCells
    layers: Selection


def make_plan(model: keras.Model, inputs: Any, options: Options) -> Plan:
    """Return what is to be computed, after all checks; the model runs on a first sample.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument does not fit the model.
    """
    parts = plan_parts(model, inputs, options)
    question = Question(
        scored=_score(parts.extraction, options, parts.axes),
        inputs=parts.arrays,
        baseline=parts.baselines[0],
        samples=np.arange(len(parts.arrays[0])),
        cell_axes=parts.cell_axes,
        steps=options.steps,
        seed=options.seed,
        verbose=options.verbose,
    )
    return Plan(
        model=model,
        question=question,
        baselines=parts.baselines,
        layers=parts.layers,
        named=options.layer is not None,
        calls=parts.calls,
        cells=parts.cells,
    )


def plan_parts(model: keras.Model, inputs: Any, options: Options) -> _Parts:
    """Check all but the score, without running a model that is built.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument does not fit the model.
    """
    if options.layer is None:
        extraction = plan_call(model, inputs)
    else:
        extraction = plan_extraction(model, options.layer, inputs)
    specs = keras.tree.flatten(extraction.specs)
    calls = calls_by_end(model, extraction.specs)
    axes = [input_channel_axis(spec, calls) for spec in specs]
    arrays = tuple(
        np.moveaxis(x.astype("float32", copy=False) if _is_float(spec) else x, axis, -1)
        for x, spec, axis in zip(extraction.batch.arrays, specs, axes, strict=True)
    )
    cell_axes = tuple(input_cell_axes(spec, calls) for spec in specs)
    _check_numbers(arrays)
    _check_methods(options.methods, specs, cell_axes, calls)
    baselines = make_baselines(
        options.baseline,
        arrays,
        names=input_names(extraction.specs),
        channel_axes=axes,
        cell_axes=cell_axes,
    )
    cells = InputCells(
        shapes=[x.shape for x in arrays],
        counts=cell_axes,
        find_behind=_inputs_behind(extraction),
    )
    return _Parts(
        extraction=extraction,
        calls=calls,
        axes=axes,
        arrays=arrays,
        cell_axes=cell_axes,
        baselines=baselines,
        cells=cells,
        layers=_choose_layers(extraction, options, calls, cells),
    )


def _inputs_behind(extraction: Extraction) -> Callable[[Call], frozenset[int]]:
    """Return what finds the indices of the inputs that a call depends on."""
    model, specs = extraction.model, extraction.specs
    count = len(keras.tree.flatten(specs))

    def find(call: Call) -> frozenset[int]:
        if count == 1:
            return frozenset([0])
        return inputs_behind(model, traced(model, specs).connections, call.path)

    return find


def _is_float(spec: Any) -> bool:
    return bool(keras.backend.is_float_dtype(keras.backend.standardize_dtype(spec.dtype)))


def _check_numbers(arrays: Sequence[np.ndarray]) -> None:
    # TensorFlow's compiled ReLU makes 0 of NaN, so that the scores do not always tell.
    for x in arrays:
        rows = np.flatnonzero(~np.isfinite(x).reshape(len(x), -1).all(axis=1))
        if rows.size:
            raise ValueError(
                "`inputs` must be such that the model returns numbers. Received: inputs of which "
                f"sample {rows[0]} is not finite"
            )


def input_channel_axis(spec: Any, calls: Sequence[Call]) -> int:
    """Return the axis of an input's channels, as the layers that take it say."""
    rank = len(spec.shape)
    for call in calls:
        layer = call.layer
        while isinstance(layer, keras.layers.TimeDistributed):
            layer = layer.layer
        takes = call.inputs and tuple(call.inputs[0].shape[1:]) == tuple(spec.shape[1:])
        if takes and getattr(layer, "data_format", None) == "channels_first":
            return channel_axis(call.layer, rank)
    return -1


def input_cell_axes(spec: Any, calls: Sequence[Call]) -> int:
    """Return how many axes of cells an input has, such as rows and columns."""
    shape = tuple(spec.shape[1:])
    with_channel = ((*shape, 1), (1, *shape))
    outputs = [tuple(x.shape[1:]) for call in calls for x in call.outputs[:1]]
    if len(shape) and any(output in with_channel for output in outputs):
        return len(shape)  # the model gives it its channel
    if len(shape) == 1:
        return 0 if _is_float(spec) else 1  # features, or tokens
    return max(0, len(shape) - 1)


def _check_methods(
    methods: Sequence[str], specs: Sequence[Any], cell_axes: Sequence[int], calls: Sequence[Call]
) -> None:
    for name in methods:
        method = METHODS[name]
        needs_floats = method.needs_gradient or method.needs_cells
        if needs_floats and not all(map(_is_float, specs)):
            raise TypeError(
                "`method` must explain by a layer, such as 'grad-cam', where an input holds "
                f"integers, which have no gradient.{_first_float_layer(calls)} "
                f"Received: method={name!r}"
            )
        if method.needs_cells and not all(cell_axes):
            shapes = [tuple(spec.shape) for spec, n in zip(specs, cell_axes, strict=True) if not n]
            raise ValueError(
                "`method` must be one that changes no parts of the inputs, such as "
                "'integrated-gradients', where an input has no cells, such as rows and columns or "
                f"time steps. Received: method={name!r} for an input of shape {shapes[0]}"
            )


def _first_float_layer(calls: Sequence[Call]) -> str:
    for call in calls:
        is_input = isinstance(call.layer, keras.layers.InputLayer)
        if not is_input and call.outputs and _is_float(call.outputs[0]):
            return f" The first layer that returns floats is '{call.address}'."
    return ""


def _choose_layers(
    extraction: Extraction,
    options: Options,
    calls: list[Call],
    cells: InputCells,
) -> Selection:
    """Return the layers of class activation maps: those named, or all that can be."""
    cams = [name for name in options.methods if METHODS[name].is_cam]
    if not cams:
        if options.layer is None:
            return Selection((), single=True)
        raise ValueError(
            "`layer` can only be used together with a method that explains by a layer, such as "
            f"'grad-cam'. Received: layer={options.layer!r:.200} with method={options.methods[0]!r}"
        )
    if options.layer is None:
        spatial = spatial_calls(calls, cells)
        if spatial:
            return Selection(tuple(NamedCall(call.address, call) for call in spatial), single=True)
        raise ValueError(
            f"`layer` must name a layer whose output has cells for method={cams[0]!r}: the model "
            "has none with as many axes of cells as an input. Received: layer=None"
        )
    items = options.layer if isinstance(options.layer, (list, tuple)) else [options.layer]
    parts = [resolve(extraction.model, item, calls) for item in items]
    usable = {
        t.address: t for part in parts for t in part.targets if part.single or has_cells(t.call)
    }
    if not usable:
        raise ValueError(
            "`layer` must name a layer whose output has cells, (samples, *cells, channels). "
            f"Received: layer={options.layer!r:.200}"
        )
    for target in usable.values():
        _check_layer(target, extraction)
    return Selection(tuple(usable.values()), single=extraction.targets.single)


def _check_layer(target: NamedCall, extraction: Extraction) -> None:
    call = target.call
    if isinstance(call.layer, keras.layers.InputLayer):
        raise ValueError(
            "`layer` must name a layer that computes something; for the inputs themselves, "
            f"`method` may be 'gradient'. Received: layer={target.address!r}"
        )
    if len(call.outputs) > 1:
        raise ValueError(
            f"`layer` must name one output, such as '{target.address}#0'. "
            f"Received: '{target.address}', which returns {len(call.outputs)}"
        )
    if call.outputs:
        check_has_cells(target, tuple(call.outputs[0].shape))
        if has_fixed_rows(call, 0, extraction.specs):
            raise ValueError(
                "`layer` must name a layer that returns one row for each sample. Received: "
                f"'{target.address}', whose output has the shape {tuple(call.outputs[0].shape)}"
            )


def _score(extraction: Extraction, options: Options, axes: Sequence[int]) -> ScoredModel:
    """Return the model with the score that is explained."""
    model, batch = extraction.model, extraction.batch
    heads = find_heads(model, extraction.specs)
    names: list[str] = []
    if is_graph(model):
        declared = declared_outputs(model)
        names = output_names(model, declared)
        check_target(options.target, declared, heads, names=names, samples=len(batch))
    sizes = {spec.shape[0] for spec in keras.tree.flatten(extraction.specs)}
    fixed = next(iter(sizes)) if len(sizes) == 1 else None
    is_mixed = fixed is None and _mixes_samples(model, batch)
    batch_size = fixed or (1 if is_mixed else options.batch_size)
    if is_functional(model) and options.score == "logit" and not _is_function(options.target):
        model, kinds = before_operations(model)
        heads = [Head(kind=kinds[i]) if i in kinds else head for i, head in enumerate(heads)]
    outputs = _declared_outputs(model, heads, options.target)
    if outputs is None:
        # One sample shows the form of the outputs; whether they are probabilities, more of them do.
        count = batch_size if any(head.kind == "unknown" for head in heads) else 1
        outputs = _run(model, batch.part(0, count), fixed)
    goal = resolve_goal(
        options.target,
        outputs,
        heads,
        names=names or output_names(model, outputs),
        score=options.score,
        samples=len(batch),
    )
    return ScoredModel(
        model,
        batch.structure,
        goal,
        batch_size=batch_size,
        is_fixed=fixed is not None,
        channel_axes=axes,
    )


def _declared_outputs(model: keras.Model, heads: Sequence[Head], target: Target) -> Any:
    """Return zeros of the form of one sample's outputs, where a graph says all that is in question.

    It does not say whether unknown outputs are probabilities, or what the caller's function takes.
    """
    is_unknown = any(head.kind == "unknown" for head in heads) or _is_function(target)
    if is_unknown or not is_graph(model):
        return None
    declared = declared_outputs(model)
    if any(None in x.shape[1:] for x in keras.tree.flatten(declared)):
        return None
    return keras.tree.map_structure(lambda x: np.zeros((1, *x.shape[1:]), x.dtype), declared)


def _is_function(target: Target) -> bool:
    """Whether a target is a function of the outputs, of all of them or of one."""
    return any(map(callable, target.values() if isinstance(target, dict) else [target]))


def _run(model: keras.Model, batch: InputBatch, fixed: int | None) -> Any:
    """Return what a model returns; a batch is filled up to the number that it takes."""
    count = len(batch)
    if fixed is not None:
        batch = batch.take(np.minimum(np.arange(fixed), count - 1))
    return keras.tree.map_structure(lambda x: x[:count], run_model(model, batch.packed()))


def _mixes_samples(model: keras.Model, batch: InputBatch) -> bool:
    """Whether what a model returns for a sample depends on the others in its batch.

    The gradient of a sum of scores would then be that of the other samples' scores as well. Such a
    model runs on one sample at a time.
    """
    if not may_mix_samples(held_layers(model)):
        return False
    alone = keras.tree.flatten(run_model(model, batch.part(0, 1).packed()))
    other = batch.part(1, 2) if len(batch) > 1 else batch.part(0, 1)
    arrays = [
        np.concatenate([a[:1], b[:1] if len(batch) > 1 else np.zeros_like(b[:1])])
        for a, b in zip(batch.arrays, other.arrays, strict=True)
    ]
    pair = InputBatch(tuple(arrays), batch.structure)
    together = keras.tree.flatten(run_model(model, pair.packed()))
    return not all(
        np.allclose(a[0], b[0], rtol=0, atol=ROUNDING * np.abs(b[0]).max(initial=0), equal_nan=True)
        for a, b in zip(together, alone, strict=True)
    )
