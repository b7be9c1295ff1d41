"""Find what the weights alone tell: NaN, filters of zeros, exploding and duplicate filters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kerasviz._wording import write_count
from kerasviz.report.findings.finding import Finding, link_filters, list_names

ZERO = 0.01
"""A filter is zero if its largest weight is at most this share of the median of its layer: of the
layer's largest, as in `kernel_statistics`, all were zero beside one filter that explodes."""
EXPLODING = 20
"""A filter explodes if it is this many times as long as the median of its layer."""
ALIKE = 0.999
"""The cosine of two kernels above which they are duplicates."""
MIN_WEIGHTS = 4
"""Kernels with fewer weights are alike by chance, those with one always but for the sign."""
MAX_COMPARED = 1024
"""Of more filters no pairs are compared."""


def find_in_kernels(kernels: Mapping[str, np.ndarray]) -> list[Finding]:
    """Return what is odd about kernels, each `(..., filters)`, by the addresses of their layers."""
    matrices = {a: kernel.reshape(-1, kernel.shape[-1]) for a, kernel in kernels.items()}
    return [
        *_find_not_finite(matrices),
        *_find_by_filter(matrices, "whose weights are all near zero", _zero_filters),
        *_find_by_filter(
            matrices,
            f"more than {EXPLODING} times as large as the median of its layer (exploding)",
            _exploding_filters,
        ),
        *_find_duplicates(matrices),
    ]


def _find_not_finite(matrices: Mapping[str, np.ndarray]) -> list[Finding]:
    counts = {a: int(x.size - np.isfinite(x).sum()) for a, x in matrices.items()}
    odd = {address: count for address, count in counts.items() if count}
    if not odd:
        return []
    weights = "weight is" if sum(odd.values()) == 1 else "weights are"
    text = f"{sum(odd.values()):,} {weights} NaN or infinite, in {list_names([*odd])}."
    return [Finding(level="error", text=text, layers=tuple(odd))]


def _find_by_filter(matrices: Mapping[str, np.ndarray], words: str, find: object) -> list[Finding]:
    """Return one finding on all layers with such filters, the layer with the most first."""
    assert callable(find)
    filters = {address: find(matrix) for address, matrix in matrices.items()}
    odd = {a: x for a, x in sorted(filters.items(), key=lambda item: -len(item[1])) if len(x)}
    if not odd:
        return []
    count = sum(map(len, odd.values()))
    where = [f"{a} ({list_names(x.tolist())})" for a, x in odd.items()]
    text = f"{write_count(count, 'filter')} {words}: {list_names(where)}."
    links = link_filters({a: [(i,) for i in x.tolist()] for a, x in odd.items()})
    return [Finding(level="warning", text=text, layers=tuple(odd), filters=links)]


def _norms(matrix: np.ndarray) -> np.ndarray:
    finite = np.nan_to_num(matrix.astype("float64"), posinf=0, neginf=0)
    return np.asarray(np.linalg.norm(finite, axis=0))


def _zero_filters(matrix: np.ndarray) -> np.ndarray:
    largest = np.abs(matrix).max(axis=0, initial=0)
    usual = np.nanmedian(np.where(np.isfinite(largest), largest, np.nan))
    return np.flatnonzero(largest <= ZERO * usual)


def _exploding_filters(matrix: np.ndarray) -> np.ndarray:
    norms = _norms(matrix)
    return np.flatnonzero(norms > EXPLODING * np.median(norms)) if norms.any() else np.zeros(0, int)


def _find_duplicates(matrices: Mapping[str, np.ndarray]) -> list[Finding]:
    pairs = {address: _duplicate_pairs(matrix) for address, matrix in matrices.items()}
    odd = {a: x for a, x in sorted(pairs.items(), key=lambda item: -len(item[1])) if x}
    if not odd:
        return []
    count = write_count(sum(map(len, odd.values())), "pair")
    names = {a: [f"{one} and {other}" for one, other in x] for a, x in odd.items()}
    words = [f"{address} ({list_names(x)})" for address, x in names.items()]
    text = f"{count} of filters with the same kernel (duplicate): {list_names(words)}."
    return [Finding(level="warning", text=text, layers=tuple(odd), filters=link_filters(odd))]


def _duplicate_pairs(matrix: np.ndarray) -> list[tuple[int, int]]:
    """Return the pairs of filters whose kernels are alike, of kernels that are large enough."""
    if not matrix.shape[0] >= MIN_WEIGHTS or not 1 < matrix.shape[1] <= MAX_COMPARED:
        return []
    norms = _norms(matrix)
    is_zero = norms <= ZERO * np.median(norms)
    unit = np.nan_to_num(matrix, posinf=0, neginf=0) / np.where(is_zero, np.inf, norms)
    alike = np.argwhere(np.triu(unit.T @ unit > ALIKE, k=1))
    return [(a, b) for a, b in alike.tolist()]
