"""The records of `WeightStatistics`, and reading them back."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple


class Record(NamedTuple):
    """The record of one layer at one time, as `WeightStatistics` describes it."""

    epoch: int
    step: int
    layer: str
    mean: float
    std: float
    norm: float
    update_ratio: float | None
    dead: float | None


COLUMNS = Record._fields
"""The columns of the file and of the history."""
STATISTICS = COLUMNS[3:]
"""Those that hold what was measured."""
MAX_COUNT = 10**12
"""The highest number of epochs or steps that is read: as an axis can show it."""


class Records(NamedTuple):
    """The records in their order, and what has to be said about how they were read."""

    records: tuple[Record, ...]
    note: str = ""


def read_records(source: Any) -> Records:
    """Read what was written down from a callback, its history, or its file.

    Raises:
        TypeError: `source` is nothing of the kind.
        ValueError: It holds no record, or a file is not there, or is of something else.
    """
    history = getattr(source, "history", source)
    if isinstance(history, Mapping):
        found = Records(_read_columns(history, source))
    elif isinstance(source, (str, os.PathLike)):
        found = _read_csv(Path(source))
    else:
        raise TypeError(
            "`source` must be a WeightStatistics, its history, or the path of its CSV file. "
            f"Received: source={source!r:.80}"
        )
    if not found.records:
        raise ValueError(f"`source` must hold at least one record. Received: source={source!r:.80}")
    return found


def _read_columns(columns: Mapping[str, Sequence[Any]], source: Any) -> tuple[Record, ...]:
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        raise ValueError(
            "`source` must be what WeightStatistics wrote down; what `fit` returns is drawn by "
            f"plot_history. Received: source={source!r:.80}, without {', '.join(missing)}"
        )
    rows = zip(*(columns[name] for name in COLUMNS), strict=True)
    return tuple(Record(*row) for row in rows)


def _read_csv(path: Path) -> Records:
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
        header, *rows = csv.reader((whole or cut).splitlines()) if text else [[]]
    except csv.Error as error:  # such as a field that is longer than csv reads
        raise _other_file(path, str(error)) from error
    if tuple(header) != COLUMNS:
        raise _other_file(path, f"the file begins with {text[:20]!r}")
    records = []
    for number, row in enumerate(rows, start=2):
        try:
            epoch, step, layer, *moments, ratio, dead = row
            mean, std, norm = map(float, moments)
            counts = _read_count(epoch), _read_count(step)
            rest = [float(value) if value else None for value in (ratio, dead)]
            records.append(Record(*counts, layer, mean, std, norm, *rest))
        except ValueError as error:
            raise _other_file(path, f"line {number} is {','.join(row)[:40]!r}") from error
    return Records(tuple(records), "without a last row that is cut" if whole and cut else "")


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
