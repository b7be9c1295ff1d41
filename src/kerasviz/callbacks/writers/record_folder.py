"""Folders of records, from which pictures are drawn after the training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kerasviz.callbacks.schedule import Interval
from kerasviz.callbacks.writers.folder import last_number, open_folder
from kerasviz.logs.snapshots import (
    SnapshotRecord,
    choose_series,
    list_records,
    read_record,
    step_name,
    write_record,
)


class RecordFolder:
    """A folder with one file of values per layer and step: `conv2d/kernels-epoch-0001.npz`.

    Args:
        folder: The folder.
        kind: What the values are, the first word of each name.
        every: What is counted.
        keyword: The keyword by which the caller chose the folder.
    """

    def __init__(self, folder: Path, kind: str, every: Interval, keyword: str) -> None:
        self.folder = folder
        self.kind = kind
        self.every = every
        self.keyword = keyword
        self._series: dict[str, str] = {}

    def open(self) -> int:
        """Check that the folder can be written to; return the number of the last step in it."""
        open_folder(self.folder, self.keyword)
        self._series = {}
        return last_number(self.folder.glob(f"*/{self.kind}*-{self.every.unit}-*.npz"), self.every)

    def write(self, name: str, record: SnapshotRecord) -> None:
        """Write a record into the folder of a layer, beside those with the same settings."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)  # without parents: one that vanished must not come back
        if name not in self._series:
            self._series[name] = choose_series(folder, self.kind, record.key)
        stem = f"{self._series[name]}-{step_name(record.unit, record.step)}"
        write_record(folder / f"{stem}.npz", record)

    def read_last(self, name: str, key: str) -> SnapshotRecord | None:
        """Return the last record with these settings; `None` where there is none to be read."""
        folder = self.folder / name
        files = list_records(folder).get(choose_series(folder, self.kind, key), [])
        try:
            return read_record(files[-1]) if files else None
        except OSError:
            return None

    def written(self) -> dict[Path, Sequence[Path]]:
        """Return the records of each series that has new ones, by its path without a suffix."""
        return {
            self.folder / name / series: list_records(self.folder / name).get(series, [])
            for name, series in self._series.items()
        }
