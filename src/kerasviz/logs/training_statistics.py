"""The records of `WeightStatistics` and of `FilterSnapshots`, and reading them back."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple


class StatisticsRow(NamedTuple):
    """The record of one layer at one time, as `WeightStatistics` describes it."""

    epoch: int
    step: int
    layer: str
    mean: float
    std: float
    norm: float
    update_ratio: float | None
    dead: float | None


class FilterRow(NamedTuple):
    """The counts of one layer at one time, as `FilterSnapshots` takes them.

    Of records of batches the epoch is 0, and the step is the batch.
    """

    epoch: int
    step: int
    layer: str
    dead: int
    rare: int
    duplicates: int
    selectivity: float | None


COLUMNS = StatisticsRow._fields
"""The columns of the file and of the history."""
STATISTICS = COLUMNS[3:]
"""Those that hold what was measured."""
MAX_COUNT = 10**12
"""The highest number of epochs or steps that is read: as an axis can show it."""


class StatisticsLog(NamedTuple):
    """The rows in their order, and what has to be said about how they were read."""

    rows: tuple[StatisticsRow | FilterRow, ...]
    note: str = ""


def read_statistics_log(source: Any) -> StatisticsLog:
    """Read what was written down from a callback, its history, or its file.

    Raises:
        TypeError: `source` is nothing of the kind.
        ValueError: It holds no record, or a file is not there, or is of something else.
    """
    history = getattr(source, "history", source)
    if isinstance(history, Mapping) and "duplicates" in history:
        log = StatisticsLog(_read_filter_columns(history))
    elif isinstance(history, Mapping):
        log = StatisticsLog(_read_columns(history, source))
    elif isinstance(source, (str, os.PathLike)):
        log = _read_csv(Path(source))
    else:
        raise TypeError(
            "`source` must be a WeightStatistics, its history, or the path of its CSV file; or a "
            "FilterSnapshots, its history, or its folder. "
            f"Received: source={source!r:.80}"
        )
    if not log.rows:
        raise ValueError(f"`source` must hold at least one record. Received: source={source!r:.80}")
    return log


def _read_columns(columns: Mapping[str, Sequence[Any]], source: Any) -> tuple[StatisticsRow, ...]:
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        raise ValueError(
            "`source` must be what WeightStatistics wrote down; what `fit` returns is drawn by "
            f"plot_history. Received: source={source!r:.80}, without {', '.join(missing)}"
        )
    rows = zip(*(columns[name] for name in COLUMNS), strict=True)
    return tuple(StatisticsRow(*row) for row in rows)


def _read_filter_columns(columns: Mapping[str, Sequence[Any]]) -> tuple[FilterRow, ...]:
    """Return the rows of a history of `FilterSnapshots`; a selectivity of NaN is of no labels."""
    count = len(columns["layer"])
    epochs = columns.get("epoch", [0] * count)
    selectivity = [None if value != value else value for value in columns["selectivity"]]
    rows = zip(
        epochs,
        columns.get("batch", epochs),
        *(columns[name] for name in ("layer", "dead", "rare", "duplicates")),
        selectivity,
        strict=True,
    )
    return tuple(FilterRow(*row) for row in rows)


def _read_csv(path: Path) -> StatisticsLog:
    if not path.is_file():
        raise ValueError(
            f"`source` must be the path of a file that is there. Received: source={str(path)!r}"
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = ""
    whole, _, cut = text.rpartition("\n")  # where the program was killed, the last row is cut
    try:
        header, *lines = csv.reader((whole or cut).splitlines()) if text else [[]]
    except csv.Error as error:  # such as a field that is longer than csv reads
        raise _other_file(path, str(error)) from error
    if tuple(header) != COLUMNS:
        raise _other_file(path, f"the file begins with {text[:20]!r}")
    rows = []
    for number, fields in enumerate(lines, start=2):
        try:
            rows.append(_read_row(fields))
        except ValueError as error:
            raise _other_file(path, f"line {number} is {','.join(fields)[:40]!r}") from error
    return StatisticsLog(tuple(rows), "without a last row that is cut" if whole and cut else "")


def _read_row(fields: Sequence[str]) -> StatisticsRow:
    """Return the row that the fields of a line hold, or raise a `ValueError`."""
    epoch, step, layer, *moments, ratio, dead = fields
    mean, std, norm = map(float, moments)
    return StatisticsRow(
        epoch=_read_count(epoch),
        step=_read_count(step),
        layer=layer,
        mean=mean,
        std=std,
        norm=norm,
        update_ratio=float(ratio) if ratio else None,
        dead=float(dead) if dead else None,
    )


def _read_count(text: str) -> int:
    """Return the number of epochs or steps that a field holds."""
    count = int(text)
    if not 0 <= count <= MAX_COUNT:
        raise ValueError(f"{text!r:.40} epochs or steps")
    return count


def _other_file(path: Path, what: str) -> ValueError:
    return ValueError(
        "`source` must be the path of a file that WeightStatistics wrote. "
        f"Received: source={str(path)!r}, where {what}"
    )
