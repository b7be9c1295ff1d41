"""The evidence for an attribution: what happens to the model when the map is taken at its word."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kerasviz.compute.attribution.question import Question
from kerasviz.compute.attribution.spatial import enlarge_cells

FRACTIONS = np.linspace(0, 1, 11)
RANDOM_ORDERS = 3
"""With 11 fractions, of which two are known before, these are 74 forward passes for each sample."""


@dataclass(frozen=True, kw_only=True)
class EvidenceCurve:
    """The answer of a model to an input whose pixels are erased, or put into the baseline.

    Args:
        fractions: Shares of the pixels, `(fractions,)`, from 0 to 1.
        values: The target's probability, its score where there is none, `(samples, fractions)`;
            pixels in the order of the attribution, the strongest first.
        random: The same for pixels in a random order, the mean over three of them.
        area: The area below `values`, by trapezoids, `(samples,)`.
        random_area: The area below `random`.
    """

    fractions: np.ndarray
    values: np.ndarray
    random: np.ndarray
    area: np.ndarray
    random_area: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """How far an attribution can be trusted.

    Args:
        deletion: The pixels are replaced by the baseline, the strongest first. A map that finds
            what the model looks at makes the curve fall faster than a random order does.
        insertion: The pixels are put into the baseline.
        faithful: Whether the area of deletion is below that of a random order, `(samples,)`.
        completeness: Of integrated gradients |Σ values − Δ| / |Δ|, `(samples,)`, with Δ the change
            of the score from the baseline; `None` for other methods.
        steps: How many steps integrated gradients took, `(samples,)`.
        randomised: The rank correlation of the values with those of the same model with permuted
            weights, `(layers, samples)`, layer by layer from the top until all are permuted; `None`
            unless it was asked for.
        randomised_layers: The layers in that order.
    """

    deletion: EvidenceCurve
    insertion: EvidenceCurve
    faithful: np.ndarray
    completeness: np.ndarray | None = None
    steps: np.ndarray | None = None
    randomised: np.ndarray | None = None
    randomised_layers: tuple[str, ...] = ()


def measure_evidence(question: Question, values: list[np.ndarray | None]) -> Evidence:
    """Return the curves of deletion and insertion, and whether they beat a random order.

    Args:
        question: What was asked.
        values: For each input the values of its cells, `(samples, *cells)`, signed; `None` for an
            input that the attribution says nothing about, which stays as it is.
    """
    samples, rng = len(question.samples), np.random.default_rng(question.seed)
    flat = [x.reshape(samples, -1) for x in values if x is not None]
    strength = np.concatenate(flat, axis=1)
    order = np.argsort(-strength, axis=1, kind="stable")  # of equal values the first one counts
    plain = np.broadcast_to(np.arange(order.shape[1]), order.shape)
    orders = [order, *(rng.permuted(plain, axis=1) for _ in range(RANDOM_ORDERS))]
    whole = _values(question, [*question.inputs])
    nothing = _values(question, _mix(question, values, np.ones(strength.shape, bool)))
    runs: dict[bool, list[np.ndarray]] = {True: [], False: []}
    for ranked in orders:
        rank = np.argsort(ranked, axis=1)
        for deletes in (True, False):
            inner = []
            for share in FRACTIONS[1:-1]:
                chosen = rank < round(share * strength.shape[1])
                erased = chosen if deletes else ~chosen
                inner.append(_values(question, _mix(question, values, erased)))
            ends = (whole, nothing) if deletes else (nothing, whole)
            runs[deletes].append(np.stack([ends[0], *inner, ends[1]], axis=1))
    deletion, insertion = _curve(runs[True]), _curve(runs[False])
    return Evidence(
        deletion=deletion, insertion=insertion, faithful=deletion.area < deletion.random_area
    )


def _curve(runs: list[np.ndarray]) -> EvidenceCurve:
    values, random = runs[0], np.mean(runs[1:], axis=0)
    return EvidenceCurve(
        fractions=FRACTIONS,
        values=values,
        random=random,
        area=_area(values),
        random_area=_area(random),
    )


def _area(values: np.ndarray) -> np.ndarray:
    middles = (values[:, 1:] + values[:, :-1]) / 2
    return np.asarray((middles * np.diff(FRACTIONS)).sum(axis=1))


def _values(question: Question, arrays: list[np.ndarray]) -> np.ndarray:
    """Return the probability of each sample's target, or its score."""
    scored = question.scored
    outputs = scored.outputs(arrays)
    probabilities = scored.goal.probabilities(outputs)
    if probabilities is None:
        return scored.score_outputs(outputs, question.samples)
    return probabilities


def _mix(
    question: Question, values: list[np.ndarray | None], erased: np.ndarray
) -> list[np.ndarray]:
    """Return the inputs, with the baseline where cells are erased."""
    arrays, start = [], 0
    for x, b, cells in zip(question.inputs, question.baseline, values, strict=True):
        if cells is None:
            arrays.append(x)
            continue
        stop = start + cells[0].size
        gone = erased[:, start:stop].reshape(cells.shape)
        start = stop
        arrays.append(np.where(gone[..., np.newaxis] if x.ndim > cells.ndim else gone, b, x))
    return arrays


def cells_of_inputs(question: Question, values: list[np.ndarray]) -> list[np.ndarray | None]:
    """Return the signed sum over the channels of attributions of inputs, `(samples, *cells)`."""
    del question
    return [x.sum(axis=-1) if x.ndim > 2 else x for x in values]


def cells_of_layer(question: Question, values: np.ndarray) -> list[np.ndarray | None]:
    """Return the map of a layer at the size of the first input that has as many axes."""
    cells: list[np.ndarray | None] = [None] * len(question.inputs)
    for index, x in enumerate(question.inputs):
        if x.ndim - 1 == values.ndim:
            cells[index] = enlarge_cells(values, x.shape[1:-1])
            return cells
    raise ValueError(
        f"`evidence` needs an input with as many axes as the map, {values.ndim - 1}, to erase "
        "parts of it. Pass evidence=False."
    )
