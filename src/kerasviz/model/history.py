"""What `fit` recorded, as numbers: from a `History`, its dict, or the file of a `CSVLogger`."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import keras
import numpy as np

Direction = Literal["min", "max"]

LEARNING_RATES = ("learning_rate", "lr")
MISSING = ("", "NA")
"""What stands in the file of a `CSVLogger` for a value that was not computed."""
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
    """

    epochs: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Run:
    """What one training recorded.

    Args:
        series: By name, such as "loss" and "val_loss".
        notes: What has to be said about how it was read.
    """

    series: Mapping[str, Series]
    notes: tuple[str, ...] = ()


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
    if not run.series:
        raise ValueError(f"`{name}` must hold at least one epoch. Received: {name}={history!r:.80}")
    return run


def _read_columns(columns: Mapping[str, Any], logged: Sequence[int] | None, name: str) -> Run:
    """Read lists of values, of which those of validation may be fewer than there are epochs."""
    for key, values in columns.items():
        if isinstance(values, str) or not isinstance(values, Iterable):
            raise TypeError(
                f"`{name}` must have a list of values for each metric. "
                f"Received: {key!r}: {values!r:.80}"
            )
    lists = {key: list(values) for key, values in columns.items()}
    epochs = _number_epochs(logged, max(map(len, lists.values()), default=0))
    series, skipped = {}, []
    for key, values in lists.items():
        numbers = [_as_number(value) for value in values]
        if any(isinstance(number, str) for number in numbers):
            skipped.append(key)
            continue
        places = epochs if len(values) == len(epochs) else _validated(epochs, len(values), key)
        series[key] = _series(places, numbers)
    return Run(_computed(series), _skipped(skipped))


def _number_epochs(logged: Sequence[int] | None, count: int) -> list[int]:
    """Return the epochs, counted from 1.

    Keras counts them from 0, and from `initial_epoch` where training goes on. A `History` that was
    passed to `fit` more than once has all values but only the latest epochs.
    """
    if not logged:
        return list(range(1, count + 1))
    if len(logged) == count:
        return [int(epoch) + 1 for epoch in logged]
    last = max(int(logged[-1]) + 1, count)
    return list(range(last - count + 1, last + 1))


def _validated(epochs: list[int], count: int, key: str) -> list[int]:
    """Return in which epochs something was computed, as `fit` does it with `validation_freq`."""
    every = range(1, epochs[-1] + 1)
    choices = {tuple(epoch for epoch in epochs if epoch % n == 0) for n in every}
    fitting = [choice for choice in choices if len(choice) == count]
    if not count:
        return []
    if len(fitting) != 1:
        raise ValueError(
            f"`history` must say in which epochs {key!r} was computed: it has {count} values for "
            f"{len(epochs)} epochs. Give None for the others, or the file of a CSVLogger."
        )
    return list(fitting[0])


def _as_number(value: Any) -> float | str | None:
    """Return a number, `None` for what was not computed, and a string for what is no number."""
    if value is None:
        return None
    if keras.ops.is_tensor(value):
        value = keras.ops.convert_to_numpy(value)
    try:
        return float(value) if np.ndim(value) == 0 else "an array"
    except (TypeError, ValueError):
        return str(value)


def _series(epochs: Iterable[int], numbers: Iterable[float | str | None]) -> Series:
    pairs = [(epoch, n) for epoch, n in zip(epochs, numbers, strict=True) if n is not None]
    places, values = zip(*pairs, strict=True) if pairs else ((), ())
    return Series(np.array(places, int), np.array(values, "float64"))


def _computed(series: Mapping[str, Series]) -> dict[str, Series]:
    """Leave out what was never computed: a `CSVLogger` has a column for validation anyway."""
    return {key: item for key, item in series.items() if len(item.values)}


def _skipped(keys: Sequence[str]) -> tuple[str, ...]:
    return (f"without {', '.join(keys)}, no single numbers",) if keys else ()


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
    lines = list(csv.reader(text.splitlines(), delimiter=start[1]))
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
        if not (epoch >= 0 and epoch.is_integer()):
            raise _no_csv_logger(path, name, f"the epoch {cells[0]!r} in line {number}")
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
    come after that is left out. One that begins anew, without an `initial_epoch`, is counted on.
    """
    joined: list[tuple[int, list[str]]] = []
    before = replaced = parts = 0
    previous = 0
    for epoch, cells in rows:
        if epoch <= previous and epoch == 1:
            before = joined[-1][0]
            parts += 1
        elif epoch <= previous:
            kept = [row for row in joined if row[0] < epoch + before]
            replaced += len(joined) - len(kept)
            joined = kept
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
    name = next((name for name in names if name in run.series), None)
    if name is None:
        return None
    direction = guess_direction(name) if mode == "auto" else mode
    if direction is None:
        raise ValueError(
            f"`mode` must be 'min' or 'max', since the name {name!r} does not tell whether high "
            "values are good. Received: mode='auto'"
        )
    epochs, values = run.series[name]
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
