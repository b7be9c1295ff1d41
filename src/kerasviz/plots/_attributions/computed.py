"""Take the samples that are drawn out of attributions that were computed already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import keras
import numpy as np

from kerasviz.compute.attribution.attributions import Attributions
from kerasviz.compute.attribution.evidence import EvidenceCurve
from kerasviz.plots._attributions.input_pictures import choose_samples
from kerasviz.plots._attributions.rows_and_columns import Explained, Words
from kerasviz.plots._maps.samples import Samples


def is_computed(model: Any) -> bool:
    """Whether these are attributions that were computed already."""
    first = next(iter(model.values()), None) if isinstance(model, Mapping) else model
    if isinstance(first, Mapping):  # of several layers
        first = next(iter(first.values()), None)
    return isinstance(first, Attributions)


def take_computed(results: Any, inputs: Any, sample: Samples, words: Words) -> Explained:
    """Return the samples that are drawn of attributions that were computed already."""
    attributions = flatten_results(results)
    arrays = [np.asarray(x) for x in keras.tree.flatten(inputs)]
    of_inputs = next((result for result in attributions if result.layer is None), None)
    if of_inputs is not None:
        shapes = [x.shape for x in keras.tree.flatten(of_inputs.values)]
        arrays = [_channels_last(x, shape) for x, shape in zip(arrays, shapes, strict=True)]
    arrays = [_with_channels(x, index, attributions) for index, x in enumerate(arrays)]
    total = len(attributions[0].scores)
    if any(len(x) != total for x in [*arrays, *(result.scores for result in attributions)]):
        raise ValueError(
            f"`inputs` must be the {total} samples whose attributions these are. "
            f"Received: arrays of shape {', '.join(str(x.shape) for x in arrays)}"
        )
    indices = choose_samples(sample, total)
    words = words.take(indices, total)
    return Explained(
        arrays=[x[indices] for x in arrays],
        names=[str(index) for index in range(len(arrays))],
        indices=indices,
        total=total,
        results=[("", _take(result, indices)) for result in attributions],
        words=words,
    )


def flatten_results(results: Any) -> list[Attributions]:
    """Return the attributions of all methods and layers."""
    if isinstance(results, Mapping):
        return [each for part in results.values() for each in flatten_results(part)]
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


def _with_channels(array: np.ndarray, index: int, results: Sequence[Attributions]) -> np.ndarray:
    """Return an input with an axis for its channels, where the cells of a layer show that none is.

    The array of an image without channels looks like that of a signal of steps and channels.
    """
    maps = [result for result in results if result.layer is not None]
    shows = any(index in each.input_indices and each.values.ndim == array.ndim for each in maps)
    return array[..., np.newaxis] if shows else array


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
