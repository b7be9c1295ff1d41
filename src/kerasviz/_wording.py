"""Write counts, sizes and indices in the words of titles and messages."""

from __future__ import annotations

import numpy as np

MAX_RUNS = 6
"""How many runs of indices, such as 0-15, a title lists; of more it lists the first ones."""


def list_indices(indices: np.ndarray, count: int, noun: str) -> str:
    """Return which of `count` tiles these are: "filters 0–15 of 64"; "" for all."""
    unique = np.unique(indices)
    if len(unique) == count:
        return ""
    starts = np.flatnonzero(np.diff(unique, prepend=unique[0] - 2) > 1)
    runs = [_write_run(run) for run in np.split(unique, starts[1:])]
    if len(runs) > MAX_RUNS:
        return f"{len(unique)} of {count} {noun} ({', '.join(runs[:MAX_RUNS])}, …)"
    word = noun.removesuffix("s") if len(unique) == 1 else noun
    return f"{word} {', '.join(runs)} of {count}"


def _write_run(run: np.ndarray) -> str:
    first, last = int(run[0]), int(run[-1])
    if last - first < 2:
        return ", ".join(map(str, run))
    return f"{first}–{last}"


def sample_of(index: int, total: int) -> str:
    """Return "sample 7 of 10" for a title; nothing where there is one sample only."""
    return f"sample {index} of {total}" if total > 1 else ""


def beyond(values: np.ndarray, low: float, high: float) -> str:
    """Return "6 of 288 beyond ±0.5" for a title, of finite values; nothing where there are none."""
    values = values[np.isfinite(values)]
    count = int(np.count_nonzero((values < low) | (values > high)))
    limit = f"±{write_limit(high)}" if low == -high else write_limit(high)
    return f"{count:,} of {values.size:,} beyond {limit}" if count else ""


def write_limit(value: float) -> str:
    """Return the end of a colour scale as text: "0.053", "65", "212", "1.2e+06"."""
    return f"{value:,.0f}" if 100 <= abs(value) < 1e6 else f"{value:.2g}"


def write_count(count: int, noun: str) -> str:
    """Return a count and its noun, which is given in the singular: "1 channel", "2 channels"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def write_size(*sizes: int) -> str:
    """Return the sizes of axes as text: "3×3"."""
    return "×".join(map(str, sizes))
