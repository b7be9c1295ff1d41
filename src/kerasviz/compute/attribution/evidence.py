"""The evidence for an attribution: what happens to the model when the map is taken at its word."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from kerasviz.compute.attribution.baselines import check_answers
from kerasviz.compute.attribution.question import Question
from kerasviz.compute.attribution.spatial_grid import enlarge_cells

FRACTIONS = np.linspace(0, 1, 11)
RANDOM_ORDERS = 5
"""With 11 fractions, of which two are known before, these are 65 forward passes for each sample."""


@dataclass(frozen=True, kw_only=True)
class EvidenceCurve:
    """How a model responds to an input whose pixels are erased, or put into the baseline.

    Args:
        fractions: Shares of the pixels, `(fractions,)`, from 0 to 1.
        values: The target's probability, its score where there is none, `(samples, fractions)`;
            pixels in the order of the attribution, the strongest first.
        random: The same for pixels in a random order, the mean over five of them.
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

    Pixels are ranked by the signed sum of the values over the channels, and replaced by the
    baseline, of several by the first. Source: Petsiuk 2018, arXiv 1806.07421.

    Args:
        deletion: The pixels are replaced by the baseline, the strongest first. A map that finds
            what the model looks at makes the curve fall faster than a random order does.
        insertion: The pixels are put into the baseline.
        faithful: Whether the area of deletion is below that of a random order, `(samples,)`.
        completeness: Of integrated gradients |Σ values − Δ| / |Δ|, `(samples,)`, with Δ the change
            of the score from the baseline, the largest of several baselines; `None` for other
            methods.
        steps: How many steps integrated gradients took, `(samples,)`.
        randomised: The rank correlation of the values with those of the same model with permuted
            weights, `(layers, samples)`, layer by layer from the top until all are permuted; `None`
            unless `evidence="randomised"`. Source: Adebayo 2018, arXiv 1810.03292.
        randomised_layers: The addresses of these layers, in the same order.
    """

    deletion: EvidenceCurve
    insertion: EvidenceCurve
    faithful: np.ndarray
    completeness: np.ndarray | None = None
    steps: np.ndarray | None = None
    randomised: np.ndarray | None = None
    randomised_layers: tuple[str, ...] = ()


class EvidenceMeter:
    """Measures deletion and insertion; what several maps have in common it measures once.

    Args:
        question: What was asked.
        erasable: For each input the number of its cells along each axis, `None` for an input that
            the maps say nothing about, which stays as it is.
    """

    def __init__(self, question: Question, erasable: list[tuple[int, ...] | None]) -> None:
        self._question = question
        self._erasable = erasable
        self._sizes = [0 if size is None else int(np.prod(size)) for size in erasable]

    def measure(self, cells: list[np.ndarray]) -> Evidence:
        """Return the curves of a map, and whether it is better than a random order.

        Args:
            cells: The values of the cells of each erasable input, `(samples, *cells)`, signed.
        """
        strength = np.concatenate([x.reshape(len(x), -1) for x in cells], axis=1)
        order = np.argsort(-strength, axis=1, kind="stable")  # of equal values the first one counts
        rank = np.argsort(order, axis=1)[np.newaxis]
        deletion = _curve(self._values(rank, deletes=True)[0], self._random)
        # To insert in a random order is to delete in the reverse of one.
        insertion = _curve(self._values(rank, deletes=False)[0], self._random[:, ::-1])
        is_faithful = deletion.area < deletion.random_area
        return Evidence(deletion=deletion, insertion=insertion, faithful=is_faithful)

    @cached_property
    def _random(self) -> np.ndarray:
        """The mean curve of deletion in random orders, `(samples, fractions)`."""
        count, samples = sum(self._sizes), len(self._question)
        # The same orders for every sample, whatever others there are beside it.
        orders = [self._question.rng(index).permutation(count) for index in range(RANDOM_ORDERS)]
        ranks = np.broadcast_to(np.array(orders)[:, np.newaxis], (len(orders), samples, count))
        return np.asarray(self._values(ranks, deletes=True).mean(axis=0))

    @cached_property
    def _ends(self) -> tuple[np.ndarray, np.ndarray]:
        """The values of the inputs, and of what is left when all is erased, `(samples,)`."""
        question, rows = self._question, np.arange(len(self._question))
        erased = np.ones((len(rows), sum(self._sizes)), bool)
        nothing = question.scored.outputs(self._mix(rows, erased))
        return _answers(question, np.asarray(question.answers), rows), _answers(
            question, nothing, rows
        )

    def _values(self, ranks: np.ndarray, *, deletes: bool) -> np.ndarray:
        """Return curves by the ranks of the cells `(orders, samples, cells)`.

        Returns:
            `(orders, samples, fractions)`.
        """
        question, inner = self._question, FRACTIONS[1:-1]
        curves = np.empty((len(ranks), len(question), len(FRACTIONS)))
        whole, nothing = self._ends
        curves[..., 0], curves[..., -1] = (whole, nothing) if deletes else (nothing, whole)
        check_answers(nothing)
        count = len(ranks) * len(inner)
        for rows, variants in question.variants(count, "batch of evidence"):
            orders, steps = np.divmod(variants, len(inner))
            limits = np.round(inner[steps] * ranks.shape[-1])
            first = ranks[orders, rows] < limits[:, np.newaxis]
            arrays = self._mix(rows, first if deletes else ~first)
            outputs = question.scored.outputs(arrays)
            curves[orders, rows, steps + 1] = _answers(question, outputs, rows)
        check_answers(curves)
        return curves

    def _mix(self, rows: np.ndarray, erased: np.ndarray) -> list[np.ndarray]:
        """Return the inputs of variants, with the baseline where cells are erased."""
        question, arrays, start = self._question, [], 0
        for x, b, size, count in zip(
            question.inputs, question.baseline, self._erasable, self._sizes, strict=True
        ):
            if size is None:
                arrays.append(x[rows])
                continue
            mask = erased[:, start : start + count].reshape(len(rows), *size)
            start += count
            mask = mask[..., np.newaxis] if x.ndim > mask.ndim else mask
            arrays.append(np.where(mask, b[rows], x[rows]))
        return arrays


def _answers(question: Question, outputs: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the probability of the target of each variant, or its score, `(n,)`."""
    goal, samples = question.scored.goal, question.samples[rows]
    probabilities = goal.probabilities(outputs, samples)
    return goal.scores(outputs, samples) if probabilities is None else probabilities


def _curve(values: np.ndarray, random: np.ndarray) -> EvidenceCurve:
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


def erasable_inputs(
    question: Question, input_indices: tuple[int, ...]
) -> list[tuple[int, ...] | None]:
    """Return the cells of each input that a map is about, `None` for other inputs.

    Args:
        question: What was asked.
        input_indices: The inputs that the map is about.
    """
    sizes = [question.size(index) or x.shape[1:] for index, x in enumerate(question.inputs)]
    return [size if index in input_indices else None for index, size in enumerate(sizes)]


def cells_of_inputs(question: Question, values: list[np.ndarray]) -> list[np.ndarray]:
    """Return the signed sum over the channels of attributions of inputs, `(samples, *cells)`."""
    return [
        x.sum(axis=-1) if 0 < cells < x.ndim - 1 else x
        for x, cells in zip(values, question.cell_axes, strict=True)
    ]


def cells_of_map(
    question: Question, values: np.ndarray, input_indices: tuple[int, ...]
) -> list[np.ndarray]:
    """Return the map of a layer at the size of each input that it is about."""
    return [enlarge_cells(values, question.size(index)) for index in input_indices]


def join_evidence(parts: list[Evidence]) -> Evidence:
    """Return the evidence for all samples from that for some after others."""
    return Evidence(
        deletion=_join_curves([part.deletion for part in parts]),
        insertion=_join_curves([part.insertion for part in parts]),
        faithful=np.concatenate([part.faithful for part in parts]),
    )


def _join_curves(curves: list[EvidenceCurve]) -> EvidenceCurve:
    names = [field.name for field in fields(EvidenceCurve) if field.name != "fractions"]
    joined = {name: np.concatenate([getattr(curve, name) for curve in curves]) for name in names}
    return EvidenceCurve(fractions=FRACTIONS, **joined)
