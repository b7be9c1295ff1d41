"""Read what `fit` recorded: from a `History`, its dict, or the file of a `CSVLogger`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kerasviz.logs.csv_logger import read_csv_logger
from kerasviz.logs.runs import (
    MAX_EPOCH,
    VALIDATION,
    Run,
    Series,
    as_number,
    drop_empty,
    make_series,
    say_skipped,
)


def read_runs(history: Any) -> dict[str, Run]:
    """Read one training, under the name "", or a dict of several.

    Raises:
        TypeError: `history` is nothing of the kind.
        ValueError: It holds no epoch, or a file is not there or not of a `CSVLogger`.
    """
    if isinstance(history, Mapping) and any(map(_is_run, history.values())):
        return {str(name): _read(run, f"history[{name!r}]") for name, run in history.items()}
    return {"": _read(history, "history")}


def _is_run(value: object) -> bool:
    return isinstance(value, (keras.callbacks.History, Mapping, str, os.PathLike))


def _read(history: Any, name: str) -> Run:
    if isinstance(history, keras.callbacks.History):
        run = _read_columns(history.history, getattr(history, "epoch", None), name)
    elif isinstance(history, Mapping):
        columns = {str(key): values for key, values in history.items() if key != "epoch"}
        run = _read_columns(columns, history.get("epoch"), name)
    elif isinstance(history, (str, os.PathLike)):
        run = read_csv_logger(Path(history), name)
    else:
        hint = " Of a model, pass model.history." if isinstance(history, keras.Model) else ""
        raise TypeError(
            f"`{name}` must be what `fit` returned, its dict, or the path of a CSVLogger's file."
            f"{hint} Received: {name}={history!r:.80}"
        )
    if run.lengths and not run.series:
        raise ValueError(f"`{name}` must say in which epochs there are values. {explain(run)}")
    if not run.series:
        raise ValueError(f"`{name}` must hold at least one epoch. Received: {name}={history!r:.80}")
    return run


def explain(run: Run) -> str:
    """Return a sentence on quantities that are left out since their epochs are unknown."""
    values = ", ".join(f"{key!r} ({count})" for key, count in run.lengths.items())
    return (
        f"Unknown are the epochs of (number of values): {values}. Give None for the epochs "
        "without a value, or the file of a CSVLogger."
    )


def _read_columns(columns: Mapping[str, Any], logged: Any, name: str) -> Run:
    """Read lists of values. One with fewer values than others does not say their epochs."""
    for key, values in columns.items():
        if isinstance(values, str) or not isinstance(values, Iterable):
            raise TypeError(
                f"`{name}` must have a list of values for each metric. "
                f"Received: {key!r}: {values!r:.80}"
            )
    # A list says only how many values there are. The longest has one per epoch; where a shorter one
    # belongs, only the schedule of validation tells, and only if a single schedule fits.
    lists = {key: list(values) for key, values in columns.items()}
    epochs = _read_epochs(logged, name)
    count = max(len(epochs), *map(len, lists.values()), 0)
    epochs, notes = _number_epochs(epochs, count)
    counts = np.zeros(0, int) if notes else _count_validations(epochs)
    series: dict[str, Series] = {}
    lengths: dict[str, int] = {}
    skipped = []
    for key, values in lists.items():
        numbers = [as_number(value) for value in values]
        if any(isinstance(number, str) for number in numbers):
            skipped.append(key)
        elif len(numbers) == count:
            series[key] = make_series(epochs, numbers[count - len(epochs) :])
        elif key.startswith(VALIDATION) and (every := _choose_frequency(counts, len(numbers))):
            series[key] = make_series(
                [epoch for epoch in epochs if epoch % every == 0], numbers, every
            )
        elif numbers:
            lengths[key] = len(numbers)
    notes = (*notes, *_assumed(series), *_unknown(lengths), *say_skipped(skipped))
    return Run(series=drop_empty(series), notes=notes, lengths=lengths)


def _read_epochs(logged: Any, name: str) -> list[int]:
    """Return the epochs that a history says, counted from 1; Keras counts them from 0."""
    if logged is None:
        return []
    try:
        epochs = [float(epoch) for epoch in logged]
    except (TypeError, ValueError, OverflowError):
        epochs = [float("nan")]
    are_epochs = all(0 <= epoch < MAX_EPOCH and epoch.is_integer() for epoch in epochs)
    if not are_epochs or any(after <= before for before, after in pairwise(epochs)):
        raise ValueError(
            f"The epochs of `{name}` must be a list of increasing integers from 0 to "
            f"{MAX_EPOCH - 1}. Received: epoch={logged!r:.80}"
        )
    return [int(epoch) + 1 for epoch in epochs]


def _number_epochs(logged: list[int], count: int) -> tuple[list[int], tuple[str, ...]]:
    """Return the epochs of the last values of a full list, and what has to be said of them.

    A `History` that was passed to `fit` more than once has all values, but only the epochs of the
    latest training.

    Args:
        logged: The epochs that the history says, counted from 1.
        count: The number of values of a full list, or of `logged` where that has more.
    """
    earlier = count - len(logged)
    if not logged:
        return list(range(1, count + 1)), ()
    if not earlier or logged[0] == earlier + 1:
        return [*range(1, earlier + 1), *logged], ()
    if logged[0] == 1:
        epochs = [*range(1, earlier + 1), *(epoch + earlier for epoch in logged)]
        return epochs, ("several trainings, counted on",)
    what = "value" if earlier == 1 else "values"
    return logged, (f"without the first {earlier} {what}, whose epochs are unknown",)


def _count_validations(epochs: Sequence[int]) -> np.ndarray:
    """Return how many values `fit` computes with `validation_freq` 1, 2, 3, ..., `(n,)`.

    Only for consecutive epochs; frequencies above their number give a value at most.
    """
    if not epochs or epochs[-1] - epochs[0] + 1 != len(epochs):
        return np.zeros(0, int)
    every = np.arange(1, len(epochs) + 1)
    return np.asarray(epochs[-1] // every - (epochs[0] - 1) // every)


def _choose_frequency(counts: np.ndarray, count: int) -> int:
    """Return the only `validation_freq` that gives this number of values, 0 for none or several.

    A single value could be of any of the last epochs.
    """
    matches = np.flatnonzero(counts == count)
    return int(matches[0]) + 1 if count > 1 and len(matches) == 1 else 0


def _unknown(keys: Iterable[str]) -> tuple[str, ...]:
    names = ", ".join(keys)
    return (f"without {names}: epochs unknown",) if names else ()


def _assumed(series: Mapping[str, Series]) -> Iterator[str]:
    """Say of which quantities the epochs are assumed."""
    for every in dict.fromkeys(item.frequency for item in series.values() if item.frequency):
        names = ", ".join(key for key, item in series.items() if item.frequency == every)
        yield f"epochs of {names} assumed (validation_freq={every})"
