"""Count values in bins that are the same for any data, so that two counts can be added."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from functools import cache

import numpy as np

BITS = 7
"""Binary digits after the first one: a bin is at most 1/128 of its value wide."""
SMALLEST = -24
"""Values nearer to 0 than two to this power count as 0."""
_BASE = (127 + SMALLEST) << BITS
_SHIFT = 23 - BITS
_SIGN = 1 << 15


class Histogram:
    """Counts of values for each filter, in bins of equal relative width.

    The bins are the numbers of few binary digits, which a float32 shows in its first bits. They do
    not depend on the data: counts of parts add up to the counts of the whole, in any order.

    Args:
        filters: The number of filters.
    """

    def __init__(self, filters: int) -> None:
        self.low: int = 0  # the key of the first bin
        self.counts: np.ndarray = np.zeros((filters, 1), np.int64)

    def add(self, values: np.ndarray) -> None:
        """Count values.

        Args:
            values: Finite float32 array `(n, filters)`, not empty. Many small arrays take less time
                than a large one, which fits into no cache.
        """
        limits = np.array([values.min(), values.max()], np.float32)
        is_signed = bool(limits[0] < 0)
        low, high = _keys(limits, is_signed=True)
        self._widen(int(low), int(high))
        keys = _keys(values, is_signed=is_signed)
        starts = np.arange(len(self.counts)) * self.counts.shape[1] - self.low
        np.add.at(self.counts.reshape(-1), np.add(keys, starts, dtype=np.intp).reshape(-1), 1)

    def merge(self, other: Histogram) -> Histogram:
        """Return the counts of both."""
        merged = Histogram(len(self.counts))
        low = min(self.low, other.low)
        merged._widen(low, max(x.low + x.counts.shape[1] - 1 for x in (self, other)))
        for part in (self, other):
            start = part.low - merged.low
            merged.counts[:, start : start + part.counts.shape[1]] += part.counts
        return merged

    def quantile(self, q: float) -> np.ndarray:
        """Return a quantile for each filter, `(filters,)`, as NumPy interpolates it.

        Args:
            q: From 0 to 1.
        """
        rank = q * (int(self.counts[0].sum()) - 1)
        below = math.floor(rank)
        part = rank - below
        low, high = self._value_of_rank(below), self._value_of_rank(math.ceil(rank))
        return np.asarray(low + part * (high - low))

    def _value_of_rank(self, rank: int) -> np.ndarray:
        """Return the value that comes after `rank` smaller ones, as if bins were filled evenly."""
        lower, upper = self._limits()
        up_to = np.cumsum(self.counts, axis=1)
        column = (up_to <= rank).sum(axis=1)
        count = self.counts[np.arange(len(up_to)), column]
        inside = rank - (up_to[np.arange(len(up_to)), column] - count)
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
        return np.asarray((self.counts * part).sum(axis=1) / self.counts.sum(axis=1))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what `from_arrays` takes."""
        return {"low": np.array(self.low), "counts": self.counts}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Histogram:
        """Return the histogram that `arrays` described."""
        histogram = cls(0)
        histogram.low, histogram.counts = int(arrays["low"]), arrays["counts"]
        return histogram

    def _widen(self, low: int, high: int) -> None:
        """Make room for the bins from `low` to `high`."""
        before = max(self.low - low, 0)
        after = max(high - (self.low + self.counts.shape[1] - 1), 0)
        if before or after:
            self.counts = np.pad(self.counts, ((0, 0), (before, after)))
            self.low -= before

    def _limits(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the lower and upper limits of the bins; that of 0 has no width."""
        keys = self.low + np.arange(self.counts.shape[1])
        inner, outer = _value(np.abs(keys)), _value(np.abs(keys) + 1)
        lower = np.where(keys > 0, inner, np.where(keys < 0, -outer, 0))
        return lower, np.where(keys > 0, outer, np.where(keys < 0, -inner, 0))


def _keys(values: np.ndarray, *, is_signed: bool) -> np.ndarray:
    """Return the key of each value's bin: 0 around 0, larger for larger values."""
    # The first half of a float32's bits: its sign, its exponent, and BITS digits.
    halves = np.ascontiguousarray(values).view(np.uint16)
    first = halves[..., 1 if sys.byteorder == "little" else 0 :: 2]
    if is_signed:
        return np.asarray(_signed_keys()[first])
    # Without negative values, the only bit of a sign that can be set is that of -0.
    return np.asarray(np.maximum(first & (_SIGN - 1), _BASE) - np.uint16(_BASE))


@cache
def _signed_keys() -> np.ndarray:
    """Return the key for each of the numbers that 16 bits make."""
    bits = np.arange(1 << 16)
    magnitude = np.maximum((bits & (_SIGN - 1)) - _BASE, 0)
    return np.asarray(np.where(bits < _SIGN, magnitude, -magnitude), np.int32)


def _value(magnitude: np.ndarray) -> np.ndarray:
    """Return the smallest number in a bin."""
    bits = ((magnitude + _BASE) << _SHIFT).astype(np.int32)
    return np.asarray(np.where(magnitude > 0, bits.view(np.float32).astype("float64"), 0))
