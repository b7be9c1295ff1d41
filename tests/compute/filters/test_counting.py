"""Tests of what statistics of filters are counted in, against NumPy over all values at once."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import keras
import numpy as np
import pytest

import kerasviz
from kerasviz.compute.filters.counting.histogram import Histogram
from kerasviz.compute.filters.counting.moments import Moments

CELLS = 5000


def _values(filters: int) -> np.ndarray:
    """Return values near 0, far from it, constant, and of a mean that changes, in turn."""
    rng = np.random.default_rng(filters)
    values = rng.normal(size=(CELLS, filters))
    values[:, 1::4] = 100 * values[:, 1::4] + 1e5
    values[:, 2::4] = 0.1
    values[:, 3::4] += np.linspace(-300, 40, CELLS)[:, np.newaxis]
    return values.astype("float32")


def _batches(values: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """Yield batches in one array that is filled again and again."""
    array = np.empty((size, values.shape[1]), values.dtype)
    for start in range(0, len(values), size):
        batch = array[: len(values[start : start + size])]
        batch[:] = values[start : start + size]
        yield batch


def _moments(values: np.ndarray, size: int) -> Moments:
    moments = Moments.empty(values.shape[1])
    for batch in _batches(values, size):
        moments.add(batch)
    return moments


def _assert_moments(moments: Moments, values: np.ndarray) -> None:
    exact = values.astype("float64")
    assert moments.cells == len(exact)
    scale = np.maximum(exact.std(axis=0), 1e-9)
    mean = moments.total / len(exact)
    assert (np.abs(mean - exact.mean(axis=0)) < 1e-6 * scale).all()
    covariance = moments.products / len(exact) - np.outer(mean, mean)
    error = covariance - np.cov(exact, rowvar=False, bias=True)
    rounding = 1e-14 * np.outer(np.abs(mean), np.abs(mean))  # float64 has as many digits
    assert (np.abs(error) < 2e-6 * np.outer(scale, scale) + rounding).all()


@pytest.mark.parametrize("size", [1, 7, 300, 2048, CELLS])
@pytest.mark.parametrize("filters", [1, 4, 40])
def test_moments_are_those_of_all_values_at_once(filters: int, size: int) -> None:
    values = _values(filters)
    _assert_moments(_moments(values, size), values)


def test_moments_that_are_asked_for_in_between_stay_right() -> None:
    values = _values(8)
    moments = Moments.empty(8)
    for n, batch in enumerate(_batches(values, 100)):
        moments.add(batch)
        _assert_moments(moments, values[: 100 * (n + 1)])


def test_moments_that_are_settled_are_only_read() -> None:
    moments = Moments.empty(8)
    moments.add(_values(8)[:100])
    moments.settle()
    before = pickle.dumps(moments)
    _assert_moments(moments, _values(8)[:100])
    assert pickle.dumps(moments) == before


def test_a_pass_settles_what_it_returns() -> None:
    """Two threads that read the same statistics must not both add what is waiting."""
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 3, name="c")])
    statistics = kerasviz.filter_statistics(model, "c", np.ones((3, 4, 4, 1), "float32"))
    before = pickle.dumps(statistics._responses.moments)
    assert statistics.correlation.shape == (2, 2)
    assert pickle.dumps(statistics._responses.moments) == before


def test_moments_that_are_merged_and_go_on() -> None:
    values = _values(8)
    merged = _moments(values[:1000], 30).merge(_moments(values[1000:3000], 400))
    merged.add(values[3000:])
    _assert_moments(merged, values)


def _histogram(values: np.ndarray, size: int) -> Histogram:
    histogram = Histogram(values.shape[1])
    for batch in _batches(values, size):
        histogram.add(batch, float(batch.min()), float(batch.max()))
    return histogram


def _assert_counts(histogram: Histogram, values: np.ndarray) -> None:
    """Compare the shares above powers of two, at which bins begin."""
    powers = 2.0 ** np.arange(-20, 20)
    for limits, is_above in (
        (powers, lambda limit: values >= limit),
        (-powers, lambda limit: values > limit),
        (np.zeros(1), lambda _: values > 2.0**-24),
    ):
        shares = histogram.share_above(np.repeat(limits[:, np.newaxis], values.shape[1], axis=1))
        expected = np.array([is_above(limit).mean(axis=0) for limit in limits])
        np.testing.assert_allclose(shares, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("count", [1, 255, 256, 65_535, 65_536, 70_000])
def test_histogram_counts_beyond_what_narrow_integers_hold(count: int) -> None:
    values = np.tile(np.array([[1, 0, -2]], "float32"), (count, 1))
    for size in (97, count):
        assert _histogram(values, size).counts.max(axis=1).tolist() == [count] * 3
    half = _histogram(values, count)
    merged = half.merge(half)
    assert merged.counts.max(axis=1).tolist() == [2 * count] * 3
    again = Histogram.from_arrays(merged.arrays())
    again.add(values, -2, 1)
    assert again.counts.max(axis=1).tolist() == [3 * count] * 3
    _assert_counts(again, values)


@pytest.mark.parametrize("size", [1, 300, CELLS])
def test_histogram_of_all_values_and_of_parts(size: int) -> None:
    values = _values(8)
    values[::3] *= 0  # as after a ReLU
    _assert_counts(_histogram(values, size), values)
    parts = [_histogram(part, size) for part in np.array_split(values, [100, 3000])]
    _assert_counts(parts[0].merge(parts[1]).merge(parts[2]), values)
    _assert_counts(parts[2].merge(parts[0].merge(parts[1])), values)
    arrays = Histogram.from_arrays(parts[0].arrays())
    _assert_counts(arrays, values[:100])


def test_histogram_has_no_more_bins_for_values_that_it_has_seen() -> None:
    """There are 2⁷ bins from one power of 2 to the next: from -2 to -2⁻²⁴, and from 0 to 4."""
    values = np.array([[-1.5, 2.5], [0, 0.5]], "float32")
    histogram = Histogram(2)
    for _ in range(3):
        histogram.add(values, -1.5, 2.5)
    assert histogram.counts.shape == (2, 128 * 25 + 128 * 26)
    assert histogram.counts.sum(axis=1).tolist() == [6, 6]
