"""Where the pictures of a training run go: PNG files, animations and TensorBoard."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from kerasviz._checks import check_type
from kerasviz.callbacks.errors import Faults
from kerasviz.callbacks.schedule import Every
from kerasviz.callbacks.signs import DrawnPatterns
from kerasviz.callbacks.writers.folder import PictureFolder, safe_names
from kerasviz.callbacks.writers.gif import Animation
from kerasviz.callbacks.writers.png import encode
from kerasviz.callbacks.writers.tensorboard import EventLog
from kerasviz.draw.plot import Plot
from kerasviz.draw.tiles.panel import TilePanel
from kerasviz.draw.tiles.style import TileStyle

Folder = str | os.PathLike[str]


class Destinations:
    """The folders that a callback writes to; it knows nothing of the callback.

    Args:
        kind: What the pictures show, as a word for names.
        every: What is counted.
        style: How to draw the pictures.
        directory: The caller's `directory`.
        gif: The caller's `gif`.
        log_dir: The caller's `log_dir`.
    """

    folder: PictureFolder | None
    log: EventLog | None
    animation: Animation | None
    faults: Faults

    def __init__(
        self,
        kind: str,
        every: Every,
        style: TileStyle,
        *,
        directory: Folder | None,
        gif: Folder | None,
        log_dir: Folder | None,
    ) -> None:
        for name, folder in (("directory", directory), ("gif", gif), ("log_dir", log_dir)):
            check_type(name, folder, (str, os.PathLike, type(None)), "a path")
        self.folder = None if directory is None else PictureFolder(Path(directory), kind, every)
        self.log = None if log_dir is None else EventLog(os.fspath(log_dir), kind)
        self.animation = None if gif is None else Animation(Path(gif), kind, every, style)
        self.faults = Faults()
        self._names: dict[str, str] = {}

    @property
    def take_pictures(self) -> bool:
        """Whether there is one for finished pictures; animations are drawn at the end."""
        return self.folder is not None or self.log is not None

    def open(self) -> int:
        """Check that every folder can be written to; return the number of the last step in any."""
        self.faults.forget()
        places = (self.folder, self.log, self.animation)
        return max((place.open() for place in places if place is not None), default=0)

    def places(self) -> str:
        """Return the folders to which a later training adds, in words."""
        places = [place for place in (self.folder, self.animation) if place is not None]
        return " and ".join(f"{place.keyword}={str(place.folder)!r}" for place in places)

    def begin(self, addresses: Iterable[str], key: str) -> None:
        """Take note of the layers, and of what the values of an animation depend on."""
        self._names = safe_names(addresses)
        if self.animation is not None:
            self.animation.begin(key)

    def read_patterns(self, address: str, panel: TilePanel, drawn: DrawnPatterns) -> None:
        """Remember the principal patterns in the last step of an animation that goes on."""
        if self.animation is not None:
            self.animation.read_patterns(self._names[address], panel, drawn)

    def put_aside(self, number: int, panels: Mapping[str, TilePanel]) -> None:
        """Keep the values of a step for the animations, by the layers' addresses."""
        if self.animation is None:
            return
        for address, panel in panels.items():
            name = self._names[address]
            self.faults.attempt("gif", partial(self.animation.write, name, number, panel))

    def write(self, number: int, address: str, plot: Plot) -> None:
        """Write the picture of a layer."""
        if not self.take_pictures:
            return
        png, name = encode(plot), self._names[address]
        if self.folder is not None:
            self.faults.attempt("directory", partial(self.folder.write, name, number, png))
        if self.log is not None:
            self.faults.attempt("log_dir", partial(self.log.write, address, number, png))

    def finish(self) -> None:
        """Write what is written at the end."""
        if self.log is not None:
            self.faults.attempt("log_dir", self.log.finish)
        if self.animation is not None:
            try:
                self.faults.attempt("gif", self.animation.finish)
            except ValueError as error:  # such as a logarithmic norm, and all values are 0
                self.faults.warn("drawing", f"No animation was drawn: {error}")
