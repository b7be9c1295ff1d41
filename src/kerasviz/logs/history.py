"""Read what `fit` recorded: from a `History`, its dict, or the file of a `CSVLogger`."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple

import keras
import numpy as np

Direction = Literal["min", "max"]

LEARNING_RATES = ("learning_rate", "lr")
VALIDATION = "val_"
"""How the names of metrics begin that `fit` computes on the validation data."""
MISSING = ("", "NA")
"""The text in the file of a `CSVLogger` for a value that was not computed."""
MAX_EPOCH = 10**12
"""The highest epoch that is read. Of a higher one, floats no longer tell a part of an epoch."""
HIGH_IS_GOOD = re.compile(
    "_(acc|accuracy|auc|auroc|bleu|correlation|dice|f1|fbeta|fscore|io_u|iou|jaccard|precision|"
    "psnr|r2|recall|score|sensitivity|similarity|specificity|ssim|true_negatives|true_positives)_"
)
LOW_IS_GOOD = re.compile(
    "_(crossentropy|deviation|distance|divergence|entropy|error|false_negatives|false_positives|"
    "hinge|log_cosh|logcosh|mae|mape|mse|msle|perplexity|poisson|rmse)_|_loss_$"
)


class Series(NamedTuple):
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


@dataclass(frozen=True)
class Run:
    """The values that one training recorded.

    Args:
        series: By name, such as "loss" and "val_loss".
        notes: What has to be said about how it was read.
        lengths: Of each quantity that is left out since its epochs are unknown, the number of
            values.
    """

    series: Mapping[str, Series]
    notes: tuple[str, ...] = ()
    lengths: Mapping[str, int] = field(default_factory=dict)


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
        run = _read_csv(Path(history), name)
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
    """Say which quantities are left out since their epochs are unknown, and what helps."""
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
    lists = {key: list(values) for key, values in columns.items()}
    epochs = _read_epochs(logged, name)
    count = max(len(epochs), *map(len, lists.values()), 0)
    epochs, notes = _number_epochs(epochs, count)
    counts = np.zeros(0, int) if notes else _count_validations(epochs)
    series: dict[str, Series] = {}
    lengths: dict[str, int] = {}
    skipped = []
    for key, values in lists.items():
        numbers = [_as_number(value) for value in values]
        if any(isinstance(number, str) for number in numbers):
            skipped.append(key)
        elif len(numbers) == count:
            series[key] = _series(epochs, numbers[count - len(epochs) :])
        elif key.startswith(VALIDATION) and (every := _choose_frequency(counts, len(numbers))):
            series[key] = _series([epoch for epoch in epochs if epoch % every == 0], numbers, every)
        elif numbers:
            lengths[key] = len(numbers)
    notes = (*notes, *_assumed(series), *_unknown(lengths), *_skipped(skipped))
    return Run(_computed(series), notes, lengths)


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


def _as_number(value: Any) -> float | str | None:
    """Return a number, `None` for what was not computed, and a string for anything else."""
    if value is None:
        return None
    if keras.ops.is_tensor(value):
        value = keras.ops.convert_to_numpy(value)
    try:
        return float(value) if np.ndim(value) == 0 else "an array"
    except (TypeError, ValueError, OverflowError):
        return str(type(value))


def _series(
    epochs: Iterable[int], numbers: Iterable[float | str | None], frequency: int = 0
) -> Series:
    pairs = [(epoch, n) for epoch, n in zip(epochs, numbers, strict=True) if n is not None]
    indices, values = zip(*pairs, strict=True) if pairs else ((), ())
    return Series(np.array(indices, "int64"), np.array(values, "float64"), frequency)


def _computed(series: Mapping[str, Series]) -> dict[str, Series]:
    """Leave out what was never computed: a `CSVLogger` has a column for validation anyway."""
    return {key: item for key, item in series.items() if len(item.values)}


def _skipped(keys: Sequence[str]) -> tuple[str, ...]:
    return (f"without {', '.join(keys)}, no single numbers",) if keys else ()


def _unknown(keys: Iterable[str]) -> tuple[str, ...]:
    names = ", ".join(keys)
    return (f"without {names}: epochs unknown",) if names else ()


def _assumed(series: Mapping[str, Series]) -> Iterator[str]:
    """Say of which quantities the epochs are assumed."""
    for every in dict.fromkeys(item.frequency for item in series.values() if item.frequency):
        names = ", ".join(key for key, item in series.items() if item.frequency == every)
        yield f"epochs of {names} assumed (validation_freq={every})"


# The file of a CSVLogger


def _read_csv(path: Path, name: str) -> Run:
    header, rows = _read_rows(path, name)
    rows, notes = _join_parts(rows)
    epochs = [epoch for epoch, _ in rows]
    series, skipped = {}, []
    for place, key in enumerate(header):
        texts = [cells[place].strip() for _, cells in rows]
        numbers = [None if text in MISSING else _as_number(text) for text in texts]
        if any(isinstance(number, str) for number in numbers):
            skipped.append(key)
        else:
            series[key] = _series(epochs, numbers)
    return Run(_computed(series), (*notes, *_skipped(skipped)))


def _read_rows(path: Path, name: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the names of the columns after the first one, and each row with its epoch from 1."""
    if not path.is_file():
        raise ValueError(
            f"`{name}` must be the path of a file that is there. Received: {name}={str(path)!r}"
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = ""
    # A CSVLogger's first column is the epoch, and what follows it is the separator.
    start = re.match(r'"?epoch"?([^\w\s"\'.-]|[\t ])', text)
    if start is None:
        raise _no_csv_logger(path, name, f"the file begins with {text[:20]!r}")
    try:
        lines = list(csv.reader(text.splitlines(), delimiter=start[1]))
    except csv.Error as error:  # such as a field that is longer than csv reads
        raise _no_csv_logger(path, name, str(error)) from error
    header, rows = lines[0], []
    for number, cells in enumerate(lines[1:], 2):
        if not cells or cells == header:  # written again where training went on
            continue
        if len(cells) != len(header):
            if number == len(lines) and not text.endswith("\n"):
                break  # training was ended in the middle of a row
            raise _no_csv_logger(path, name, f"{len(cells)} values in line {number}")
        try:
            epoch = float(cells[0])
        except ValueError:
            epoch = float("nan")
        if not (0 <= epoch < MAX_EPOCH and epoch.is_integer()):
            raise _no_csv_logger(path, name, f"the epoch {cells[0][:40]!r} in line {number}")
        rows.append((int(epoch) + 1, cells[1:]))
    return header[1:], rows


def _no_csv_logger(path: Path, name: str, what: str) -> ValueError:
    return ValueError(
        f"`{name}` must be the path of a file that a CSVLogger wrote. "
        f"Received: {name}={str(path)!r}, {what}"
    )


def _join_parts(
    rows: Sequence[tuple[int, list[str]]],
) -> tuple[list[tuple[int, list[str]]], tuple[str, ...]]:
    """Join the rows of trainings that were appended to one file.

    One that begins at an epoch which is there already went on from an earlier state, and what had
    come after that is left out. One that begins again, without an `initial_epoch`, is counted on.
    """
    joined: list[tuple[int, list[str]]] = []
    before = replaced = parts = 0
    previous = 0
    for epoch, cells in rows:
        if epoch <= previous and epoch == 1:
            before = joined[-1][0]
            parts += 1
        elif epoch <= previous:
            while joined and joined[-1][0] >= epoch + before:
                joined.pop()
                replaced += 1
        previous = epoch
        joined.append((epoch + before, cells))
    notes = []
    if parts:
        notes.append(f"{parts + 1} trainings, counted on")
    if replaced:
        what = "1 epoch that was" if replaced == 1 else f"{replaced} epochs that were"
        notes.append(f"without {what} trained again")
    return joined, tuple(notes)


# Which epoch is the best


class Best(NamedTuple):
    """The epoch in which what is monitored was best, and how that is said."""

    epoch: int
    monitor: str
    direction: Direction


def find_best(run: Run, monitor: str, mode: Direction | Literal["auto"]) -> Best | None:
    """Return a run's best epoch: the first of equal ones, as Keras's callbacks keep it.

    Args:
        run: What was recorded.
        monitor: A metric; "auto" is the loss of validation, or of training where there is none.
        mode: Whether low or high values are good; "auto" by the metric's name.

    Returns:
        The epoch, or `None` where what is monitored was not computed or was never finite.

    Raises:
        ValueError: The name does not tell whether high values are good.
    """
    names = ("val_loss", "loss") if monitor == "auto" else (monitor,)
    name = next((name for name in names if name in run.series or name in run.lengths), None)
    if name is None or name in run.lengths:
        return None
    direction = guess_direction(name) if mode == "auto" else mode
    if direction is None:
        raise ValueError(
            f"`mode` must be 'min' or 'max', since the name {name!r} does not tell whether high "
            "values are good. Received: mode='auto'"
        )
    epochs, values, _ = run.series[name]
    finite = np.isfinite(values)
    if not finite.any():
        return None
    place = (np.argmin if direction == "min" else np.argmax)(values[finite])
    return Best(int(epochs[finite][place]), name, direction)


def guess_direction(name: str) -> Direction | None:
    """Tell by a metric's name whether low or high values are good; `None` where it says nothing."""
    words = f"_{name.lower()}_"
    words = re.sub(r"_\d+_$", "_", words)  # Keras numbers metrics of the same name
    low = bool(LOW_IS_GOOD.search(words))
    high = bool(HIGH_IS_GOOD.search(words)) and not words.endswith("_loss_")
    if low == high:
        return None
    return "min" if low else "max"
