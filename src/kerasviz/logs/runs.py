"""Hold what trainings recorded: for each quantity, the epochs and the values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

LEARNING_RATES = ("learning_rate", "lr")
VALIDATION = "val_"
"""How the names of metrics begin that `fit` computes on the validation data."""
MAX_EPOCH = 10**12
"""The highest epoch that is read. Of a higher one, floats no longer tell a part of an epoch."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One quantity over the epochs in which it was computed.

    Args:
        epochs: Their numbers, counted from 1 as in the progress bar of `fit`, `(n,)`.
        values: Array `(n,)`.
        frequency: Where the epochs are assumed: the `validation_freq` that fits. Where they are
            known, 0.
    """

    epochs: np.ndarray
    values: np.ndarray
    frequency: int = 0


@dataclass(frozen=True, kw_only=True)
class Run:
    """The values that one training recorded.

    Args:
        series: By name, such as "loss" and "val_loss".
        notes: How it was read, where a reader has to know.
        lengths: The number of values of each quantity that is left out because its epochs are
            unknown.
    """

    series: Mapping[str, Series]
    notes: tuple[str, ...] = ()
    lengths: Mapping[str, int] = field(default_factory=dict)


def make_series(
    epochs: Iterable[int], numbers: Iterable[float | str | None], frequency: int = 0
) -> Series:
    """Return a series of the numbers that are there; `None` was not computed in its epoch."""
    # `None` is left out and NaN is not: one was never computed, the other is what was computed.
    pairs = [(epoch, n) for epoch, n in zip(epochs, numbers, strict=True) if n is not None]
    epoch_numbers, values = zip(*pairs, strict=True) if pairs else ((), ())
    return Series(
        epochs=np.array(epoch_numbers, "int64"),
        values=np.array(values, "float64"),
        frequency=frequency,
    )


def as_number(value: Any) -> float | str | None:
    """Return a number, `None` for what was not computed, and a string for anything else."""
    if value is None:
        return None
    if keras.ops.is_tensor(value):
        value = keras.ops.convert_to_numpy(value)
    try:
        return float(value) if np.ndim(value) == 0 else "an array"
    except (TypeError, ValueError, OverflowError):
        return str(type(value))


def drop_empty(series: Mapping[str, Series]) -> dict[str, Series]:
    """Leave out what was never computed: a `CSVLogger` has a column for validation anyway."""
    return {key: item for key, item in series.items() if len(item.values)}


def say_skipped(keys: Sequence[str]) -> tuple[str, ...]:
    """Return a note on quantities that are left out because they are not numbers."""
    return (f"without {', '.join(keys)}, no single numbers",) if keys else ()
