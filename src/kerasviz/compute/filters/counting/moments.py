"""Add up the values of filters and the products of two, for means and correlations."""

from __future__ import annotations

import numpy as np

from kerasviz.compute.filters.counting.long_rows import split_rows, subtract

ROWS = 2048
"""How many cells at least are multiplied at a time: it takes as long to add up the products of many
filters as to multiply hundreds of cells."""
SAMPLE = 256
"""How many cells of the first values tell whether they are far from 0."""
FAR = 2
"""The reference is far from the mean if it is more than this times the standard deviation away."""


class Moments:
    """Sums of the values of filters, and of the products of two filters in the same cell.

    Values are multiplied in float32, which is several times as fast as float64. Far from 0 this
    would cost their products the digits that tell how they vary. So what is multiplied is their
    deviation from a reference, which is 0 where that is near them.

    Args:
        cells: How many values each filter had.
        total: Their sum, float64 `(filters,)`.
        products: The sums of products, float64 `(filters, filters)`.
    """

    def __init__(self, cells: int, total: np.ndarray, products: np.ndarray) -> None:
        self._cells = cells
        self._reference: np.ndarray = np.zeros(len(total), "float32")
        self._total, self._products = total, products  # of the deviations from it
        self._waiting: list[np.ndarray] = []  # too few to be multiplied yet

    @classmethod
    def empty(cls, filters: int) -> Moments:
        """Return the moments of no values."""
        return cls(0, np.zeros(filters), np.zeros((filters, filters)))

    @property
    def cells(self) -> int:
        """How many values each filter had."""
        self.settle()
        return self._cells

    @property
    def total(self) -> np.ndarray:
        """The sum of the values, `(filters,)`."""
        self.settle()
        return np.asarray(self._total + self._cells * self._reference.astype("float64"))

    @property
    def products(self) -> np.ndarray:
        """The sums of products of two filters in the same cell, `(filters, filters)`."""
        self.settle()
        return self._products_after(-self._reference.astype("float64"))

    def add(self, values: np.ndarray) -> None:
        """Add finite values, float32 `(n, filters)` in one piece of memory."""
        if not self._waiting and len(values) >= ROWS:
            self._add(values)
            return
        self._waiting.append(values.copy())
        if sum(map(len, self._waiting)) >= ROWS:
            self.settle()

    def settle(self) -> None:
        """Multiply what is waiting, so that reading changes nothing: two threads may read."""
        if self._waiting:
            values, self._waiting = np.concatenate(self._waiting), []
            self._add(values)

    def _add(self, values: np.ndarray) -> None:
        self._move_reference(values)
        is_moved = self._reference.any()
        for rows in split_rows(values, at_least=ROWS):
            deviations = subtract(rows, self._reference) if is_moved else rows
            # What float32 gives for a few values is added up in float64.
            self._total += np.ones(len(rows), "float32") @ deviations
            self._products += deviations.T @ deviations
        self._cells += len(values)

    def merge(self, other: Moments) -> Moments:
        """Return the moments of both."""
        return Moments(
            cells=self.cells + other.cells,
            total=self.total + other.total,
            products=self.products + other.products,
        )

    def _move_reference(self, values: np.ndarray) -> None:
        """Move the reference to the mean, where it is far from it; at first that of a sample."""
        if self._cells:
            mean = self._total / self._cells
            std = np.sqrt((self._products.diagonal() / self._cells - mean**2).clip(min=0))
        else:
            sample = values[:: max(len(values) // SAMPLE, 1)].astype("float64")
            mean, std = sample.mean(axis=0), sample.std(axis=0)
        is_far = np.abs(mean) > FAR * std
        before = self._reference
        self._reference = np.where(is_far, before + mean, before).astype("float32")
        step = self._reference.astype("float64") - before
        if self._cells and step.any():
            self._products = self._products_after(step)
            self._total -= self._cells * step

    def _products_after(self, step: np.ndarray) -> np.ndarray:
        """Return the sums of products after the reference has moved by a step, `(filters,)`."""
        moved = step.nonzero()[0]  # often few of many filters
        half = self._total - 0.5 * self._cells * step
        products = self._products.copy()
        products[moved] -= np.outer(step[moved], half)
        products[:, moved] -= np.outer(half, step[moved])
        return products
