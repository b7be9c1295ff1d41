"""`plot_attributions`: which parts of an input made a model answer as it did, and the evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, get_args

import keras
import numpy as np
from numpy.typing import ArrayLike
from typing_extensions import Unpack

from kerasviz._checks import check_choice, is_finite_number
from kerasviz._selection import select_tiles
from kerasviz.compute.attribution.attributions import (
    Attributions,
    MethodName,
    get_attributions,
    input_channel_axis,
)
from kerasviz.compute.attribution.evidence import EvidenceCurve
from kerasviz.compute.attribution.scores import ScoreKind, Target
from kerasviz.compute.feature_maps import Extraction, plan_extraction
from kerasviz.draw.attributions.picture import MapStyle, draw_attributions
from kerasviz.draw.color import Robust
from kerasviz.draw.figure import FIGURE_DEFAULTS, FigureOptions, check_placement
from kerasviz.draw.plot import Plot
from kerasviz.draw.signatures import shows_keywords
from kerasviz.model.calls import known_calls
from kerasviz.plots._attributions.table import Explained, Words, make_table
from kerasviz.plots._background import Interpolation, as_pictures
from kerasviz.plots._samples import Samples, check_sample
from kerasviz.plots.compare import check_models

OWN_KEYWORDS = (
    "method",
    "sample",
    "class_names",
    "labels",
    "sample_names",
    "picture",
    "interpolation",
    "vmax",
    "robust",
    "layer",
    "target",
    "score",
    "baseline",
    "evidence",
    "batch_size",
    "steps",
    "seed",
)


@shows_keywords(FigureOptions, FIGURE_DEFAULTS, without=("ax",))
def plot_attributions(
    model: Any,
    inputs: Any,
    *,
    method: MethodName | list[MethodName] = "integrated-gradients",
    sample: Samples = 0,
    class_names: Sequence[str] | None = None,
    labels: ArrayLike | None = None,
    sample_names: Sequence[str] | None = None,
    picture: ArrayLike | None = None,
    interpolation: Interpolation = "nearest",
    vmax: float | None = None,
    robust: Robust = "auto",
    layer: Any = None,
    target: Target = None,
    score: ScoreKind = "logit",
    baseline: Any = None,
    evidence: Any = True,
    batch_size: int = 32,
    steps: int | None = None,
    seed: int = 0,
    **options: Unpack[FigureOptions],
) -> Plot:
    """Draw which parts of an input made a model answer as it did, and the evidence for it.

    Each row is a sample: the input with the model's claim, then for each method its map, and beside
    it what happens to the model when the strongest pixels are erased (deletion) or put into the
    baseline (insertion), against the same in a random order.

    Args:
        model: A Keras model; several to compare, as a dict of names: `{"before": a, "after": b}`;
            or what `get_attributions` returned for all of `inputs`.
        inputs: What the model takes, as in `plot_feature_maps`.
        method: A method of `get_attributions`, or a list of them, one column each.
        sample: Which samples to draw, one row each: an index, a slice, a list or "all". Only these
            are computed.
        class_names: The name of each class.
        labels: The true class of each sample of `inputs`, `(samples,)`, to be written beside the
            claim.
        sample_names: A name for each sample of `inputs`.
        picture: Images to draw instead of the inputs, such as photos before they were preprocessed:
            `(samples, height, width, 1 or 3)`.
        interpolation: How the cells of a layer are drawn over the image. "nearest": each covers the
            part of the image that it stands for. "bilinear": smooth between their middles, which
            looks finer than it is.
        vmax: The upper end of every scale, such as to compare pictures; the lower end is its
            negative where values are signed, and else 0. `None`: the largest value of all maps of
            one unit.
        robust: Whether the limits of signed maps ignore the most extreme 2 %, as for tiles. "auto"
            does where these would wash out the rest; the bar then ends in arrows, and the heading
            counts what is beyond.
        layer: The layer that class activation maps explain by, see `get_attributions`.
        target: What is explained, see `get_attributions`.
        score: "logit" or "probability", see `get_attributions`.
        baseline: What counts as nothing, see `get_attributions`.
        evidence: Whether to measure and to draw the evidence, see `get_attributions`.
        batch_size: How many inputs run at a time.
        steps: How many steps integrated gradients take, see `get_attributions`.
        seed: Decides whatever is random.
        **options: `title` and `figure`, as for every plot.

    Returns:
        A `Plot`. Of each row the first panel is the input; a map's panel has the raw map as
        `values`, summed over the channels, or the cells of the layer; the panel beside it has the
        curves as `values`: deletion, deletion at random, insertion, insertion at random.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument has a value that does not exist or does not fit the model, or the
            figure is too small.

    Notes:
        Signed maps are red where the input speaks for the target and blue where it speaks against
        it. All maps of one unit share a scale, over all rows and models: integrated gradients and
        input × gradient are contributions to the score; gradient and SmoothGrad are changes of it;
        each other method has a scale of its own. No map is stretched by itself: one that is 0
        everywhere is said to be so.

        A map is "no better than random" where the model's answer outlives the deletion of its
        strongest pixels as long as that of random ones. Where the baseline itself is of the class,
        the title of the input says so: then deletion proves little, and another baseline is worth
        a try.

    Example:
        >>> import kerasviz
        >>> model = kerasviz.fashion_mnist.load_model()
        >>> images, labels = kerasviz.fashion_mnist.load_samples()
        >>> kerasviz.plot_attributions(model, images, sample=9, labels=labels)
        Plot(3 panels)
    """
    if options.get("ax") is not None:
        raise ValueError("`ax` takes one panel, but this plot has several: pass `figure` instead.")
    place = check_placement(*OWN_KEYWORDS, **options)
    check_sample(sample, None)
    check_choice("interpolation", interpolation, get_args(Interpolation))
    _check_limits(vmax, robust)
    words = Words.of(class_names, labels, sample_names)
    pictures = None if picture is None else as_pictures("picture", picture)
    style = MapStyle(vmax=vmax, smooth=interpolation == "bilinear", robust=robust)
    if _is_computed(model):
        explained = _take_computed(model, inputs, sample, words)
    else:
        question = AttributionQuestion(
            method=method,
            layer=layer,
            target=target,
            score=score,
            baseline=baseline,
            evidence=evidence,
            batch_size=batch_size,
            steps=steps,
            seed=seed,
        )
        explained = _explain(model, inputs, sample, question, words)
    words.check_classes([result for _, result in explained.results])
    return draw_attributions(make_table(explained, words, pictures), place, style)


def _check_limits(vmax: Any, robust: Any) -> None:
    if not isinstance(robust, (bool, np.bool_)):
        check_choice("robust", robust, ("auto",), "a bool")
    if vmax is None:
        return
    if not is_finite_number(vmax):
        raise TypeError(f"`vmax` must be a finite number. Received: vmax={vmax!r}")
    if vmax <= 0:
        raise ValueError(f"`vmax` must be above 0. Received: vmax={vmax!r}")


def _is_computed(model: Any) -> bool:
    """Whether these are attributions that were computed already."""
    first = next(iter(model.values()), None) if isinstance(model, Mapping) else model
    if isinstance(first, Mapping):  # of several layers
        first = next(iter(first.values()), None)
    return isinstance(first, Attributions)


def _take_computed(results: Any, inputs: Any, sample: Samples, words: Words) -> Explained:
    """Return the samples that are drawn of attributions that were computed already."""
    found = _flatten(results)
    arrays = [np.asarray(x) for x in keras.tree.flatten(inputs)]
    of_inputs = next((result for result in found if result.layer is None), None)
    if of_inputs is not None:
        shapes = [x.shape for x in keras.tree.flatten(of_inputs.values)]
        arrays = [_channels_last(x, shape) for x, shape in zip(arrays, shapes, strict=True)]
    total = len(found[0].scores)
    if any(len(x) != total for x in [*arrays, *(result.scores for result in found)]):
        raise ValueError(
            f"`inputs` must be the {total} samples whose attributions these are. "
            f"Received: arrays of shape {', '.join(str(x.shape) for x in arrays)}"
        )
    words.check_samples(total)
    indices = _choose(sample, total)
    return Explained(
        arrays=[x[indices] for x in arrays],
        names=[str(index) for index in range(len(arrays))],
        indices=indices,
        total=total,
        results=[("", _take(result, indices)) for result in found],
    )


def _flatten(results: Any) -> list[Attributions]:
    """Return the attributions of all methods and layers."""
    if isinstance(results, Mapping):
        return [each for part in results.values() for each in _flatten(part)]
    return [results]


def _take(result: Attributions, indices: np.ndarray) -> Attributions:
    """Return the attributions of some samples."""

    def take(value: Any) -> Any:
        return None if value is None else value[indices]

    def take_curve(curve: EvidenceCurve) -> EvidenceCurve:
        parts = {f.name: take(getattr(curve, f.name)) for f in fields(curve)}
        return replace(curve, **{**parts, "fractions": curve.fractions})

    proof = result.evidence
    if proof is not None:
        randomised = proof.randomised
        proof = replace(
            proof,
            deletion=take_curve(proof.deletion),
            insertion=take_curve(proof.insertion),
            faithful=take(proof.faithful),
            completeness=take(proof.completeness),
            steps=take(proof.steps),
            randomised=None if randomised is None else randomised[:, indices],
        )
    return replace(
        result,
        values=keras.tree.map_structure(take, result.values),
        targets=take(result.targets),
        scores=take(result.scores),
        probabilities=take(result.probabilities),
        baseline_probabilities=take(result.baseline_probabilities),
        evidence=proof,
    )


@dataclass(frozen=True, kw_only=True)
class AttributionQuestion:
    """The keywords of `get_attributions`, as the caller gave them for all samples."""

    method: MethodName | list[MethodName]
    layer: Any
    target: Target
    score: ScoreKind
    baseline: Any
    evidence: Any
    batch_size: int
    steps: int | None
    seed: int

    def ask(self, batch: Extraction, indices: np.ndarray) -> list[Attributions]:
        """Return the attributions of some samples, by each method and layer.

        Args:
            batch: The model, and all samples.
            indices: The indices of these.
        """
        results = get_attributions(
            batch.model,
            batch.batch.take(indices).packed(),
            method=self.method,
            layer=self.layer,
            target=_take_target(self.target, len(batch.batch), indices),
            score=self.score,
            baseline=_take_baseline(self.baseline, batch, indices),
            evidence=self.evidence,
            batch_size=self.batch_size,
            steps=self.steps,
            seed=self.seed,
        )
        return _flatten(results)


def _take_target(target: Target, total: int, indices: np.ndarray) -> Target:
    """Return the targets of some samples, where there is one for each."""
    if isinstance(target, Mapping):
        return {name: _take_target(each, total, indices) for name, each in target.items()}
    if not isinstance(target, (list, np.ndarray)):
        return target
    if len(target) != total:
        raise ValueError(
            f"`target` must have one class for each of the {total} samples. "
            f"Received: target={target!r}"
        )
    return np.asarray(target)[indices]


def _take_baseline(baseline: Any, batch: Extraction, indices: np.ndarray) -> Any:
    """Return the baselines of some samples; the mean is that of all of them."""
    if isinstance(baseline, list):
        return [_take_baseline(each, batch, indices) for each in baseline]
    arrays = batch.batch.arrays
    if isinstance(baseline, str) and baseline == "mean" and len(arrays) == 1:
        (axis,) = _channel_axes(batch)
        moved = np.moveaxis(arrays[0], axis, -1)
        mean = moved.mean(axis=tuple(range(max(1, moved.ndim - 1))), dtype="float64")
        return np.moveaxis(
            np.broadcast_to(mean, moved.shape[1:]), -1, axis if axis < 0 else axis - 1
        )
    if not isinstance(baseline, str) and np.ndim(baseline) == arrays[0].ndim:
        return np.asarray(baseline)[indices] if len(baseline) == len(arrays[0]) else baseline
    return baseline


def _channel_axes(batch: Extraction) -> list[int]:
    """Return the axis of the channels of each input."""
    calls = known_calls(batch.model, batch.specs)
    return [input_channel_axis(spec, calls) for spec in keras.tree.flatten(batch.specs)]


def _explain(
    model: Any, inputs: Any, sample: Samples, question: AttributionQuestion, words: Words
) -> Explained:
    """Compute the attributions of the samples that are drawn, by each model."""
    models = check_models(model, "model") if isinstance(model, Mapping) else {"": model}
    batches = {name: plan_extraction(each, "*", inputs) for name, each in models.items()}
    first = next(iter(batches.values()))
    total = len(first.batch)
    words.check_samples(total)
    indices = _choose(sample, total)
    results = [
        (name, each) for name, batch in batches.items() for each in question.ask(batch, indices)
    ]
    arrays = zip(first.batch.arrays, _channel_axes(first), strict=True)
    return Explained(
        arrays=[np.moveaxis(x[indices], axis, -1) for x, axis in arrays],
        names=[str(tensor.name) for tensor in keras.tree.flatten(first.specs)],
        indices=indices,
        total=total,
        results=results,
    )


def _choose(sample: Samples, total: int) -> np.ndarray:
    chosen = slice(None) if isinstance(sample, str) else sample
    return select_tiles(chosen, total, "sample", "`inputs`")


def _channels_last(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return an input as its attributions have it: channels last."""
    if array.shape == shape:
        return array
    if (*array.shape, 1) == shape:
        return array[..., np.newaxis]
    moved = np.moveaxis(array, 1, -1) if array.ndim > 2 else array
    if moved.shape == shape:
        return moved
    raise ValueError(
        f"`inputs` must be those whose attributions these are, of shape {shape}. "
        f"Received: an array of shape {array.shape}"
    )
