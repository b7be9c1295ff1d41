"""Count values in bins that are the same for any data, so that two counts can be added."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from kerasviz.compute.filters.counting.long_rows import split_rows

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
        # One bin of all filters after the other, in the narrowest integers that count so far: a
        # network has ten thousands of filters, and each of them thousands of bins.
        self._others: np.ndarray = np.zeros((1, filters), np.uint8)

    @property
    def counts(self) -> np.ndarray:
        """The counts, `(filters, bins)`, int64."""
        # Zeros, most of what a ReLU returns, are the rest of the values, and need no counting.
        counts = self._others.T.astype(np.int64, order="C")
        counts[:, -self.low] += self.size - counts.sum(axis=1)
        return counts

    def add(self, values: np.ndarray, low: float, high: float) -> None:
        """Count values.

        Args:
            values: Finite float32 array `(n, filters)`, not empty, in one piece of memory.
            low: The smallest of them, or a number below it.
            high: The largest, or a number above it.
        """
        first, last = _keys(np.array([low, high], np.float32), is_signed=True)
        self._make_room(int(first), int(last), self.size + len(values))
        self.size += len(values)
        for part in split_rows(values):
            self._count(part, is_signed=low < 0)

    def _count(self, values: np.ndarray, *, is_signed: bool) -> None:
        """Count values for which there is room, and which fit into a processor's cache."""
        cells, filters = values.shape
        values, columns = values.reshape(-1), _columns(cells, filters)
        is_other = values != 0
        if np.count_nonzero(is_other) < MAX_DENSITY * len(values):
            others = is_other.nonzero()[0]
            values, columns = values.take(others), columns.take(others)
        bins = _keys(values, is_signed=is_signed)
        bins -= self.low
        bins *= filters
        bins += columns
        # With a number of another type, this takes fifty times as long.
        one = self._others.dtype.type(1)
        np.add.at(self._others.reshape(-1), bins.astype(np.intp), one)

    def merge(self, other: Histogram) -> Histogram:
        """Return the counts of both."""
        filters = self._others.shape[1]
        merged = Histogram(filters)
        merged.size = self.size + other.size
        for part in (self, other):
            stop = part.low + len(part._others)
            merged._make_room(part.low, stop - 1, merged.size)
        for part in (self, other):
            start = part.low - merged.low
            merged._others[start : start + len(part._others)] += part._others
        return merged

    def quantile(self, q: float) -> np.ndarray:
        """Return a quantile for each filter, `(filters,)`, as NumPy interpolates it.

        Args:
            q: From 0 to 1.
        """
        rank = q * (self.size - 1)
        below = math.floor(rank)
        part = rank - below
        up_to = self._counts_up_to()
        low, high = (self._value_of_rank(n, up_to) for n in (below, math.ceil(rank)))
        return np.asarray(low + part * (high - low))

    def _value_of_rank(self, rank: int, up_to: np.ndarray) -> np.ndarray:
        """Return the value that comes after `rank` smaller ones, as if bins were filled evenly."""
        lower, upper = self._limits()
        bins = (up_to <= rank).sum(axis=1)
        last, count = _last_and_count(up_to, bins)
        inside = rank - (last - count)
        return np.asarray(lower[bins] + (inside + 0.5) / count * (upper - lower)[bins])

    def share_above(self, thresholds: np.ndarray) -> np.ndarray:
        """Return the share of values above thresholds, `(..., filters)`.

        Args:
            thresholds: One for each filter, or several, `(..., filters)`.
        """
        lower, upper = self._limits()
        # The first bin that reaches above it; beyond the last bin, there is nothing above.
        bins = np.searchsorted(upper, thresholds, side="right")
        is_beyond = bins == len(upper)
        bins = np.where(is_beyond, 0, bins)
        last, count = _last_and_count(self._counts_up_to(), bins)
        width = np.where(upper > lower, upper - lower, 1)
        part = np.where(lower[bins] > thresholds, 1, (upper[bins] - thresholds) / width[bins])
        return np.asarray(np.where(is_beyond, 0, self.size - last + part * count) / self.size)

    def _counts_up_to(self) -> np.ndarray:
        """Return how many values are in each bin and those before it, `(filters, bins)`."""
        counts = self.counts
        return np.cumsum(counts, axis=1, out=counts)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what `from_arrays` takes."""
        narrow = np.min_scalar_type(self.size)
        return {"low": np.array(self.low), "counts": self.counts.astype(narrow)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Histogram:
        """Return the histogram that `arrays` described."""
        counts = arrays["counts"]
        histogram = cls(len(counts))
        histogram.low, histogram.size = int(arrays["low"]), int(counts[0].sum())
        histogram._others = counts.T.astype(np.min_scalar_type(histogram.size), order="C")
        return histogram

    def _make_room(self, low: int, high: int, size: int) -> None:
        """Make room for the bins from `low` to `high`, and for counts up to `size`."""
        # Up to whole powers of two, since values that exceed all before them come again and again.
        stop = self.low + len(self._others)
        before = max(self.low - (low >> BITS << BITS), 0)
        after = max((high | (1 << BITS) - 1) + 1 - stop, 0)
        dtype = np.min_scalar_type(size)
        if before or after or dtype != self._others.dtype:
            counts = np.zeros((before + len(self._others) + after, self._others.shape[1]), dtype)
            counts[before : before + len(self._others)] = self._others
            self._others, self.low = counts, self.low - before

    def _limits(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the lower and upper limits of the bins; that of 0 has no width."""
        keys = self.low + np.arange(len(self._others))
        inner, outer = _value(np.abs(keys)), _value(np.abs(keys) + 1)
        lower = np.where(keys > 0, inner, np.where(keys < 0, -outer, 0))
        return lower, np.where(keys > 0, outer, np.where(keys < 0, -inner, 0))


def _last_and_count(up_to: np.ndarray, bins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the counts up to one bin of each filter, and in it; `bins` are `(..., filters)`."""
    filters = np.arange(len(up_to))
    last = up_to[filters, bins]
    return last, last - np.where(bins > 0, up_to[filters, bins - 1], 0)


@lru_cache(maxsize=4)
def _columns(cells: int, filters: int) -> np.ndarray:
    """Return the number of the filter of each value of some cells, int32."""
    return np.tile(np.arange(filters, dtype=np.int32), cells)


def _keys(values: np.ndarray, *, is_signed: bool) -> np.ndarray:
    """Return the key of each value's bin, int32: 0 for 0, and larger for larger values."""
    # The first half of a float32's bits: its sign, its exponent, and BITS digits.
    bits = values.view(np.int32)
    keys = np.right_shift(bits & _MAGNITUDE if is_signed else bits, _SHIFT)
    # Without negative values, a sign that is set is that of -0, which makes a number below 0.
    np.maximum(keys, _BASE, out=keys)
    keys -= _BASE
    if is_signed:
        sign = np.right_shift(bits, 31)  # 0, or -1: with all bits set
        keys ^= sign  # with the next line, the number times -1
        keys -= sign
    return np.asarray(keys)


def _value(magnitude: np.ndarray) -> np.ndarray:
    """Return the smallest number in a bin."""
    bits = ((magnitude + _BASE) << _SHIFT).astype(np.int32)
    return np.asarray(np.where(magnitude > 0, bits.view(np.float32).astype("float64"), 0))
