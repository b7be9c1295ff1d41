"""Read the file of a `CSVLogger`."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from kerasviz.logs.runs import MAX_EPOCH, Run, as_number, drop_empty, make_series, say_skipped

MISSING = ("", "NA")
"""The text for a value that was not computed."""


def read_csv_logger(path: Path, name: str) -> Run:
    """Read a file; `name` is what the caller's argument is called in errors.

    Raises:
        ValueError: The file is not there, or no `CSVLogger` wrote it.
    """
    header, rows = _read_rows(path, name)
    rows, notes = _join_parts(rows)
    epochs = [epoch for epoch, _ in rows]
    series, skipped = {}, []
    for column, key in enumerate(header):
        texts = [cells[column].strip() for _, cells in rows]
        numbers = [None if text in MISSING else as_number(text) for text in texts]
        if any(isinstance(number, str) for number in numbers):
            skipped.append(key)
        else:
            series[key] = make_series(epochs, numbers)
    return Run(series=drop_empty(series), notes=(*notes, *say_skipped(skipped)))


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
    for line, cells in enumerate(lines[1:], 2):
        if not cells or cells == header:  # written again where training went on
            continue
        if len(cells) != len(header):
            if line == len(lines) and not text.endswith("\n"):
                break  # training was ended in the middle of a row
            raise _no_csv_logger(path, name, f"{len(cells)} values in line {line}")
        try:
            epoch = float(cells[0])
        except ValueError:
            epoch = float("nan")
        if not (0 <= epoch < MAX_EPOCH and epoch.is_integer()):
            raise _no_csv_logger(path, name, f"the epoch {cells[0][:40]!r} in line {line}")
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
        # Rows that begin again at 1 are another training, counted on from the last epoch. Rows that
        # go back to a later epoch went on from a checkpoint and replace what came after it.
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
