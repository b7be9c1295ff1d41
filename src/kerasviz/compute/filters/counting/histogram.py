"""Count values in bins that are the same for any data, so that two counts can be added."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

BITS = 7
"""Binary digits after the first one: a bin is at most 1/128 of its value wide."""
SMALLEST = -24
"""Values nearer to 0 than two to this power count as 0."""
MAX_DENSITY = 0.6
"""Up to this share of values that are not 0, it takes less time to pick them first."""
_BASE = (127 + SMALLEST) << BITS
_SHIFT = 23 - BITS
_MAGNITUDE = np.int32(2**31 - 1)


class Histogram:
    """Counts of values for each filter, in bins of equal relative width.

    The bins are the numbers of few binary digits, which a float32 shows in its first bits. They do
    not depend on the data: counts of parts add up to the counts of the whole, in any order.

    Args:
        filters: The number of filters.
    """

    def __init__(self, filters: int) -> None:
        self.low: int = 0  # the key of the first bin
        self.size: int = 0  # the number of values that each filter had
        self._others: np.ndarray = np.zeros((filters, 1), np.int64)

    @property
    def counts(self) -> np.ndarray:
        """The counts, `(filters, bins)`."""
        # Zeros, most of what a ReLU returns, are the rest of the values, and need no counting.
        counts = self._others.copy()
        counts[:, -self.low] += self.size - counts.sum(axis=1)
        return counts

    def add(self, values: np.ndarray, low: float, high: float) -> None:
        """Count values.

        Args:
            values: Finite float32 array `(n, filters)`, not empty, in one piece of memory. Many
                small arrays take less time than a large one, which fits into no cache.
            low: The smallest of them.
            high: The largest.
        """
        first, last = _keys(np.array([low, high], np.float32), is_signed=True)
        self._widen(int(first) - _BASE, int(last) - _BASE)
        filters, width = self._others.shape
        starts = _starts(len(values), filters, width, self.low + _BASE)
        self.size += len(values)
        values = values.reshape(-1)
        is_other = values != 0
        if np.count_nonzero(is_other) < MAX_DENSITY * len(values):
            others = is_other.nonzero()[0]
            starts, values = starts.take(others), values.take(others)
        bins = _keys(values, is_signed=low < 0)
        bins += starts
        np.add.at(self._others.reshape(-1), bins.astype(np.intp), 1)

    def merge(self, other: Histogram) -> Histogram:
        """Return the counts of both."""
        merged = Histogram(len(self._others))
        merged.size = self.size + other.size
        low = min(self.low, other.low)
        merged._widen(low, max(x.low + x._others.shape[1] - 1 for x in (self, other)))
        for part in (self, other):
            start = part.low - merged.low
            merged._others[:, start : start + part._others.shape[1]] += part._others
        return merged

    def quantile(self, q: float) -> np.ndarray:
        """Return a quantile for each filter, `(filters,)`, as NumPy interpolates it.

        Args:
            q: From 0 to 1.
        """
        rank = q * (self.size - 1)
        below = math.floor(rank)
        part = rank - below
        low, high = self._value_of_rank(below), self._value_of_rank(math.ceil(rank))
        return np.asarray(low + part * (high - low))

    def _value_of_rank(self, rank: int) -> np.ndarray:
        """Return the value that comes after `rank` smaller ones, as if bins were filled evenly."""
        lower, upper = self._limits()
        counts = self.counts
        up_to = np.cumsum(counts, axis=1)
        filters = np.arange(len(up_to))
        column = (up_to <= rank).sum(axis=1)
        count = counts[filters, column]
        inside = rank - (up_to[filters, column] - count)
        return np.asarray(lower[column] + (inside + 0.5) / count * (upper - lower)[column])

    def share_above(self, thresholds: np.ndarray) -> np.ndarray:
        """Return the share of values above a threshold, `(filters,)`.

        Args:
            thresholds: One for each filter, `(filters,)`.
        """
        lower, upper = self._limits()
        threshold = thresholds[:, np.newaxis]
        inside = (upper - threshold) / np.where(upper > lower, upper - lower, 1)
        part = np.where(lower > threshold, 1, np.where(upper > threshold, inside, 0))
        return np.asarray((self.counts * part).sum(axis=1) / self.size)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what `from_arrays` takes."""
        return {"low": np.array(self.low), "counts": self.counts}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Histogram:
        """Return the histogram that `arrays` described."""
        histogram = cls(0)
        histogram.low, histogram._others = int(arrays["low"]), arrays["counts"]
        histogram.size = int(histogram._others[0].sum())
        return histogram

    def _widen(self, low: int, high: int) -> None:
        """Make room for the bins from `low` to `high`."""
        before = max(self.low - low, 0)
        after = max(high - (self.low + self._others.shape[1] - 1), 0)
        if before or after:
            self._others = np.pad(self._others, ((0, 0), (before, after)))
            self.low -= before

    def _limits(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the lower and upper limits of the bins; that of 0 has no width."""
        keys = self.low + np.arange(self._others.shape[1])
        inner, outer = _value(np.abs(keys)), _value(np.abs(keys) + 1)
        lower = np.where(keys > 0, inner, np.where(keys < 0, -outer, 0))
        return lower, np.where(keys > 0, outer, np.where(keys < 0, -inner, 0))


@lru_cache(maxsize=4)
def _starts(cells: int, filters: int, width: int, low: int) -> np.ndarray:
    """Return, for all values of some cells, what makes the index of a bin of a key.

    Args:
        cells: The number of cells.
        filters: The number of filters.
        width: The number of bins that each filter has.
        low: The key of the first bin, as `_keys` counts.
    """
    return np.tile(np.arange(filters, dtype=np.int32) * width - low, cells)


def _keys(values: np.ndarray, *, is_signed: bool) -> np.ndarray:
    """Return the key of each value's bin plus `_BASE`, int32: larger for larger values."""
    # The first half of a float32's bits: its sign, its exponent, and BITS digits.
    bits = values.view(np.int32)
    keys = np.right_shift(bits & _MAGNITUDE if is_signed else bits, _SHIFT)
    # Without negative values, a sign that is set is that of -0, which makes a number below 0.
    np.maximum(keys, _BASE, out=keys)
    if is_signed:
        sign = np.right_shift(bits, 31)  # 0, or -1: with all bits set
        keys -= _BASE
        keys ^= sign  # with the next line, the number times -1
        keys -= sign
        keys += _BASE
    return np.asarray(keys)


def _value(magnitude: np.ndarray) -> np.ndarray:
    """Return the smallest number in a bin."""
    bits = ((magnitude + _BASE) << _SHIFT).astype(np.int32)
    return np.asarray(np.where(magnitude > 0, bits.view(np.float32).astype("float64"), 0))
