"""Where the pictures of layers go: PNG files with their records, animations and TensorBoard."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import cast

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from kerasviz._checks import check_type
from kerasviz.callbacks.deferred_errors import WriteErrors
from kerasviz.callbacks.schedule import Interval
from kerasviz.callbacks.writers.folder import PictureFolder, safe_names
from kerasviz.callbacks.writers.gif import GifBuilder
from kerasviz.callbacks.writers.png_encoding import encode_png
from kerasviz.callbacks.writers.record_folder import RecordFolder
from kerasviz.callbacks.writers.tensorboard import EventLog
from kerasviz.draw.plot import Plot
from kerasviz.draw.tiles.style import TileStyle
from kerasviz.logs.snapshots import SnapshotRecord

Folder = str | os.PathLike[str]


class Destinations:
    """The folders that a callback writes to; it knows nothing of the callback.

    Args:
        kind: What the pictures show, as a word for names.
        every: What is counted.
        style: How to draw the animations.
        directory: The caller's `directory`.
        gif: The caller's `gif`.
        log_dir: The caller's `log_dir`.
    """

    pictures: PictureFolder | None
    log: EventLog | None
    gif: GifBuilder | None
    errors: WriteErrors

    def __init__(
        self,
        kind: str,
        every: Interval,
        style: TileStyle,
        *,
        directory: Folder | None,
        gif: Folder | None,
        log_dir: Folder | None,
    ) -> None:
        for name, folder in (("directory", directory), ("gif", gif), ("log_dir", log_dir)):
            check_type(name, folder, (str, os.PathLike, type(None)), "a path")
        self.kind = kind
        self.errors = WriteErrors()
        self.log = None if log_dir is None else EventLog(os.fspath(log_dir), kind)
        self.pictures, self.gif = None, None
        # Where both are one folder, the records in it serve both.
        by_path: dict[Path, RecordFolder] = {}
        if gif is not None:
            records = RecordFolder(Path(gif), kind, every, "gif")
            by_path[Path(gif).resolve()] = records
            self.gif = GifBuilder(records, style)
        if directory is not None:
            self.pictures = PictureFolder(Path(directory), kind, every)
            records = RecordFolder(Path(directory), kind, every, "directory")
            by_path.setdefault(Path(directory).resolve(), records)
        self._records: Sequence[RecordFolder] = list(by_path.values())
        self._names: dict[str, str] = {}

    @property
    def take_pictures(self) -> bool:
        """Whether there is one for finished pictures; animations are drawn at the end."""
        return self.pictures is not None or self.log is not None

    def open(self) -> int:
        """Check that every folder can be written to; return the number of the last step in any."""
        self.errors.reset()
        destinations = (self.pictures, self.log, *self._records)
        return max((each.open() for each in destinations if each is not None), default=0)

    def describe(self) -> str:
        """Return the folders to which a later training adds, in words."""
        folders = [self.pictures, None if self.gif is None else self.gif.records]
        return " and ".join(
            f"{each.keyword}={str(each.folder)!r}" for each in folders if each is not None
        )

    def begin(self, addresses: Iterable[str]) -> None:
        """Take note of the layers."""
        self._names = safe_names(addresses)

    def read_last(self, address: str, key: str) -> SnapshotRecord | None:
        """Return the last record of a layer with these settings, if there is one."""
        last = (records.read_last(self._names[address], key) for records in self._records)
        return next((record for record in last if record is not None), None)

    def stash(self, records: Iterable[SnapshotRecord]) -> None:
        """Write the records of a step, for animations and for pictures that are drawn later."""
        for record in records:
            for folder in self._records:
                write = partial(folder.write, self._names[record.address], record)
                self.errors.guard(folder.keyword, write)
            if self.gif is not None:
                self.gif.has_new_steps = True

    def write(self, number: int, address: str, plot: Plot) -> None:
        """Write the picture of a layer."""
        if not self.take_pictures:
            return
        png, name = encode_png(plot), self._names[address]
        FigureCanvasAgg(cast(Figure, plot.figure))  # for the old canvas to let go of its pixels
        if self.pictures is not None:
            self.errors.guard("directory", partial(self.pictures.write, name, number, png))
        if self.log is not None:
            tag = f"{address}/{self.kind}"
            self.errors.guard("log_dir", partial(self.log.write, tag, number, png))

    def finish(self) -> None:
        """Write what is written at the end."""
        if self.log is not None:
            self.errors.guard("log_dir", self.log.finish)
        if self.gif is not None:
            try:
                self.errors.guard("gif", self.gif.build)
            except ValueError as error:  # such as a logarithmic norm, and all values are 0
                self.errors.warn("drawing", f"No animation was drawn: {error}")
