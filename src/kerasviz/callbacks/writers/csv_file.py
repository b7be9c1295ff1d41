"""An append-only CSV file; an interrupted write damages at most the last row."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from kerasviz.logs.training_statistics import COLUMNS

HEADER = ",".join(COLUMNS).encode()
TAIL = 1 << 16
"""The last bytes of a file, of this number, contain at least one whole row."""
MAX_DIGITS = 12
"""The most digits that a number of epochs or steps has."""


class Progress(NamedTuple):
    """How far training has come: the epoch, and the steps since the beginning."""

    epoch: int = 0
    step: int = 0

    def or_later(self, other: Progress) -> Progress:
        """Return the later epoch and the later step of both."""
        return Progress(max(self.epoch, other.epoch), max(self.step, other.step))


class StatisticsFile:
    """The file that `WeightStatistics` writes, with one row per layer and record.

    Args:
        path: The file.
    """

    keyword = "csv"

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self) -> Progress:
        """Check that the file can be written to; return the progress in the last row in it.

        A last row that is cut, as where the program was killed, is removed.

        Raises:
            OSError: It cannot be written to.
            ValueError: It is there, and is something else.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as stream:
                size = stream.tell()
            if not size:
                return Progress()
            with self.path.open("r+b") as stream:
                return self._find_end(stream, size)
        except OSError as error:
            raise OSError(
                error.errno,
                f"`csv` must be a file that can be written to: {error.strerror}. "
                f"Received: csv={str(self.path)!r}",
            ) from error

    def _find_end(self, stream: io.BufferedRandom, size: int) -> Progress:
        head = stream.readline()
        if head == HEADER[:size]:
            stream.truncate(0)  # not even the header was complete
            return Progress()
        stream.seek(max(0, size - TAIL))
        *rows, cut = stream.read().split(b"\n")
        last = rows[-1].rstrip(b"\r") if rows else b""
        progress = Progress() if last == HEADER else _read_progress(last)
        if head.rstrip(b"\r\n") != HEADER or progress is None:
            raise ValueError(
                "`csv` must be a new file, or one that WeightStatistics wrote. "
                f"Received: csv={str(self.path)!r}, which begins with {head[:40]!r}"
            )
        if cut:
            stream.truncate(size - len(cut))
        return progress

    def append(self, rows: Iterable[Sequence[object]]) -> None:
        """Add rows at the end, all or none of them.

        The file is opened again each time, so that a deleted file is noticed.
        """
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        data = text.getvalue().encode()
        with self.path.open("ab", buffering=0) as stream:
            start = stream.tell()
            rest = memoryview(data if start else HEADER + b"\n" + data)
            try:
                while rest:
                    rest = rest[stream.write(rest) :]
            except OSError:
                with suppress(OSError):
                    os.truncate(self.path, start)
                raise


def _read_progress(row: bytes) -> Progress | None:
    """Return the progress that a row begins with, `None` where it does not."""
    counts = [
        int(part) for part in row.split(b",")[:2] if part.isdigit() and len(part) <= MAX_DIGITS
    ]
    return Progress(*counts) if len(counts) == 2 else None
