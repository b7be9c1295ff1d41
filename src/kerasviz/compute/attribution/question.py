"""One question to a model, as every method of attribution takes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from kerasviz.compute.attribution.score.scored_model import ScoredModel
from kerasviz.compute.progress import track


@dataclass(frozen=True, kw_only=True)
class Question:
    """Why these scores, for these inputs?

    Args:
        scored: The model and the score.
        inputs: Each input, `(samples, ...)`, channels last where it has channels.
        baseline: What counts as nothing, of the same shapes.
        samples: The index of each sample among all, `(samples,)`.
        cell_axes: For each input, how many axes of cells it has, such as rows and columns.
        steps: How many steps integrated gradients take, `None` for a doubling until exact.
        seed: Decides whatever is random.
        verbose: Whether loops show a progress bar.
        answers: What the model returned for the inputs, as `ScoredModel.outputs` returns it.
        gradient: The gradients of the scores with respect to the inputs, for methods that use them.
    """

    scored: ScoredModel
    inputs: tuple[np.ndarray, ...]
    baseline: tuple[np.ndarray, ...]
    samples: np.ndarray
    cell_axes: tuple[int, ...]
    steps: int | None = None
    seed: int = 0
    verbose: int = 0
    answers: np.ndarray | None = None
    gradient: list[np.ndarray] | None = None

    def __len__(self) -> int:
        return len(self.samples)

    def part(self, start: int, stop: int) -> Self:
        """Return the question about some of the samples."""
        return replace(
            self,
            inputs=tuple(x[start:stop] for x in self.inputs),
            baseline=tuple(x[start:stop] for x in self.baseline),
            samples=self.samples[start:stop],
        )

    def size(self, index: int) -> tuple[int, ...]:
        """Return the number of cells of an input along each of their axes."""
        return tuple(self.inputs[index].shape[1 : 1 + self.cell_axes[index]])

    def rng(self, *key: int) -> np.random.Generator:
        """Return random numbers that are the same for the same seed and key."""
        return np.random.default_rng([self.seed, *key])

    def variants(self, count: int, unit: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield batches of variants of the samples: the row of each, and which variant it is.

        All variants of one sample follow one another.

        Args:
            count: How many variants each sample has.
            unit: What a batch of them is called in the progress bar.
        """
        yield from self.variants_of(np.arange(len(self)), count, unit)

    def variants_of(
        self, rows: np.ndarray, count: int, unit: str
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield batches of variants of some samples, as `variants` does."""
        total, size = len(rows) * count, self.scored.batch_size
        for start in track(range(0, total, size), unit, verbose=self.verbose):
            pairs = np.arange(start, min(start + size, total))
            yield rows[pairs // count], pairs % count

    def scores(self, arrays: list[np.ndarray], rows: np.ndarray) -> np.ndarray:
        """Return the score of variants, `(n,)`.

        Args:
            arrays: The inputs, each `(n, ...)`.
            rows: Which sample each is a variant of, `(n,)`.
        """
        return self.scored.scores(arrays, self.samples[rows])

    def first_scores(self) -> np.ndarray:
        """Return the score of each sample itself, from the first pass, `(samples,)`."""
        assert self.answers is not None
        return self.scored.goal.scores(self.answers, self.samples)

    def gradients(self, arrays: list[np.ndarray], rows: np.ndarray) -> list[np.ndarray]:
        """Return the gradients of the scores of variants with respect to each input."""
        gradients = self.scored.gradients(arrays, self.samples[rows]).inputs
        return [np.asarray(x) for x in gradients]

    def replaced(self, index: int, values: np.ndarray, rows: np.ndarray) -> list[np.ndarray]:
        """Return the inputs of variants of which one has other values.

        Args:
            index: Which input.
            values: Its values, `(n, ...)`.
            rows: Which sample each is a variant of, `(n,)`.
        """
        arrays = [array[rows] for array in self.inputs]
        arrays[index] = values
        return arrays

    def shared_by_channels(self, index: int, cells: np.ndarray) -> np.ndarray:
        """Return values of cells of an input as values of its shape, shared evenly by channels."""
        x = self.inputs[index]
        if x.ndim == cells.ndim:
            return cells.astype("float32")
        shared = cells[..., np.newaxis] / x.shape[-1]
        return np.broadcast_to(shared, x.shape).astype("float32")


def add_by_row(
    total: np.ndarray, rows: np.ndarray, values: np.ndarray, weights: np.ndarray | None = None
) -> None:
    """Add values of variants, `(n, ...)`, each times its weight, to the totals of their samples."""
    weights = np.ones(len(rows), "float32") if weights is None else weights
    flat = values.reshape(len(rows), -1)
    for row in np.unique(rows):
        own = rows == row
        part = weights @ flat if own.all() else weights[own] @ flat[own]
        total[row] += part.reshape(total[row].shape)


def over_cells(values: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Return an array with further axes of length 1, so that it goes with another."""
    return values.reshape(*values.shape, *[1] * (like.ndim - values.ndim))
