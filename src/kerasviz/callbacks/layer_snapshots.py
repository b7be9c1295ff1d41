"""The base of `KernelSnapshots` and `FeatureMapSnapshots`: record, then draw."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import keras
from typing_extensions import override

from kerasviz._checks import check_type
from kerasviz._selection import TileSelection
from kerasviz.callbacks.deferred_errors import FinishOnExit
from kerasviz.callbacks.schedule import ScheduledCallback, parse_interval
from kerasviz.callbacks.writers.destinations import Destinations, Folder
from kerasviz.draw.animations.gif import free_figure
from kerasviz.draw.plot import Plot
from kerasviz.draw.tiles.panel import TilePanel
from kerasviz.draw.tiles.scaling import resolve_scales
from kerasviz.draw.tiles.style import TileStyle
from kerasviz.logs.snapshots import SnapshotRecord
from kerasviz.model.addresses import check_form
from kerasviz.model.graph import sublayers
from kerasviz.plots.snapshots import draw_step, record_of, refuse_places

OnPlot = Callable[[int, str, Plot], object]
"""Gets the number of epochs or batches, the layer's address and the picture."""

FOLDERS = ("directory", "gif", "log_dir")
DESTINATIONS = ("every", "directory", "gif", "log_dir", "on_plot")


@dataclass(frozen=True, kw_only=True)
class Recording:
    """The keywords of both callbacks that tell what to record and where to, checked in order.

    Args:
        layer: The caller's layer argument.
        every: The caller's `every`.
        directory: The caller's `directory`.
        gif: The caller's `gif`.
        log_dir: The caller's `log_dir`.
        on_plot: The caller's `on_plot`.
    """

    layer: Any
    every: int | str
    directory: Folder | None
    gif: Folder | None
    log_dir: Folder | None
    on_plot: OnPlot | None

    def __post_init__(self) -> None:
        """Refuse what cannot be right, whatever the other keywords are."""
        check_form(self.layer)
        parse_interval(self.every)
        for name in FOLDERS:
            path = getattr(self, name)
            check_type(name, path, (str, os.PathLike, type(None)), "a path")
        check_on_plot(self.on_plot)

    def check_together(self, style: TileStyle) -> None:
        """Refuse keywords that cannot be used together, when each is right by itself."""
        refuse_places(style)
        if self.gif is not None and style.choice.top is not None:
            raise ValueError(
                "`top` cannot be given together with `gif`, since all steps of an animation show "
                f"the same tiles: choose them by `tiles`. Received: top={style.choice.top!r}"
            )
        check_destinations(self.on_plot, **{name: getattr(self, name) for name in FOLDERS})


class LayerSnapshots(ScheduledCallback, ABC):
    """Record layers every N epochs or batches, and draw the records; the base of both callbacks.

    Args:
        recording: The caller's layer argument, and where the pictures go.
        style: The caller's keywords.
    """

    kind: ClassVar[str]

    def __init__(self, recording: Recording, style: TileStyle) -> None:
        recording.check_together(style)
        super().__init__(recording.every)
        self.layer: Any = recording.layer
        self.style = style
        self.on_plot: OnPlot | None = recording.on_plot
        self._destinations = Destinations(
            self.kind,
            self.every,
            style,
            directory=recording.directory,
            gif=recording.gif,
            log_dir=recording.log_dir,
        )
        self._finish_on_exit: FinishOnExit | None = None
        self._key = ""
        self._of_many: dict[str, TileSelection] = {}
        self._record_keys: dict[str, str] = {}

    @abstractmethod
    def panels(self) -> dict[str, TilePanel]:
        """Return what is drawn of each layer now, by address."""

    def style_of(self, address: str) -> TileStyle:
        """Return the caller's style; of many tiles, it chooses those of the step before."""
        choice = replace(self.style.choice, of_many=self._of_many.get(address))
        return replace(self.style, choice=choice)

    def follow(self, panels: dict[str, TilePanel]) -> dict[str, TilePanel]:
        """Return the panels of a step in a form that agrees with the step before."""
        return panels

    @abstractmethod
    def key(self) -> str:
        """Return a key for the settings that determine the values of a record."""

    def check(self, model: keras.Model) -> None:
        """Refuse an address that cannot be right, of a model that the first step will build."""
        try:
            self.check_layers(model)
        except ValueError:
            if not may_get_layers(model):
                raise

    @abstractmethod
    def check_layers(self, model: keras.Model) -> None:
        """Raise `ValueError` for an address that the model does not have."""

    @override
    def prepare(self, model: keras.Model) -> None:
        """Find the layers, and refuse what cannot be drawn of them."""
        before, self._of_many = self._of_many, {}
        panels = self.panels()
        resolve_scales(list(panels.values()), self.style.colors)
        self._key = self.key()
        self._destinations.begin(panels)
        self._resume_tiles(panels, before)

    def _resume_tiles(self, panels: dict[str, TilePanel], before: dict[str, TileSelection]) -> None:
        """Go on with the tiles of many that the last step showed, of this program or another."""
        keys = {address: self.record_key(panel) for address, panel in panels.items()}
        if keys == self._record_keys:
            self._of_many = before
        self._record_keys = keys
        for address in keys.keys() - self._of_many.keys():
            if panels[address].is_numbered:
                last = self._destinations.read_last(address, keys[address])
                if last is not None:
                    indices, note = last.arrays["indices"], last.notes[-1]
                    self._of_many[address] = TileSelection(indices, "", note)

    def open(self) -> int:
        """Open the folders; return the number of the last picture in them."""
        number = self._destinations.open()
        self._release()  # of a run that was interrupted
        self._finish_on_exit = FinishOnExit(self, self._destinations.finish)
        return number

    @override
    def destination(self) -> str:
        """Return where the pictures are to which this training adds, in words."""
        return self._destinations.describe()

    @override
    def on_due(self, number: int) -> None:
        """Record each layer, and draw the records."""
        panels = {
            address: self._choose(panel, number)
            for address, panel in self.follow(self.panels()).items()
        }
        self._warn_of_invalid(panels, self.every.label(number))
        records = [
            record_of(
                panel,
                kind=self.kind,
                unit=self.every.unit,
                step=number,
                order=order,
                key=self.record_key(panel),
            )
            for order, panel in enumerate(panels.values())
        ]
        self._destinations.stash(records)
        if self._destinations.take_pictures or self.on_plot is not None:
            self._draw(number, records)

    def _choose(self, panel: TilePanel, number: int) -> TilePanel:
        """Let all steps show the same tiles of many, and say when these were chosen."""
        if self.style.choice.top is not None:  # each step has its own, so they need their numbers
            return replace(panel, is_numbered=len(panel.indices) < panel.total)
        if not panel.is_numbered or panel.address in self._of_many:
            return panel
        *notes, note = panel.notes
        note = note.replace(";", f" at {self.every.label(number)};", 1)
        self._of_many[panel.address] = TileSelection(panel.indices, "", note)
        return replace(panel, notes=(*notes, note))

    def record_key(self, panel: TilePanel) -> str:
        """Return what tells the records of a layer apart from those of something else."""
        shape = f"{panel.total} {panel.kind}, {panel.tiles.shape}"
        return f"{self._key}, {shape}, {self.every.unit}"

    def _draw(self, number: int, records: Sequence[SnapshotRecord]) -> None:
        plots = draw_step(records, self.style)
        for record in records:
            try:
                plot = next(plots)
            except ValueError as error:  # such as a logarithmic norm, and all values are 0 now
                message = f"No picture of {self.every.label(number)}, training goes on: {error}"
                self._destinations.errors.warn("drawing", message)
                return
            self._destinations.write(number, record.address, plot)
            if self.on_plot is None:
                free_figure(plot)
            else:
                self.on_plot(number, record.address, plot)

    def _warn_of_invalid(self, panels: dict[str, TilePanel], label: str) -> None:
        invalid = [address for address, panel in panels.items() if panel.invalid]
        if invalid:
            self._destinations.errors.warn(
                "invalid",
                f"At {label}, values of {', '.join(map(repr, invalid))} are NaN or infinite; they "
                "are shown in magenta.",
            )

    def finish(self) -> None:
        """Write the animations, and close the files."""
        self._destinations.finish()

    def on_train_end(self, logs: Any = None) -> None:
        """Write what is written at the end."""
        super().on_train_end(logs)
        self._release()

    def _release(self) -> None:
        if self._finish_on_exit is not None:
            self._finish_on_exit.release()
            self._finish_on_exit = None


def check_on_plot(on_plot: object) -> None:
    """Refuse an `on_plot` that cannot be called."""
    if on_plot is not None and not callable(on_plot):
        raise TypeError(f"`on_plot` must be a function. Received: on_plot={on_plot!r}")


def check_destinations(on_plot: object, **folders: Folder | None) -> None:
    """Refuse pictures that have nowhere to go."""
    if on_plot is None and all(folder is None for folder in folders.values()):
        names = ", ".join(f"`{name}`" for name in folders)
        raise ValueError(f"The pictures must go somewhere: give {names} or `on_plot`.")


def may_get_layers(layer: keras.Layer) -> bool:
    """Whether a layer may still make others, in a `build` of its own."""
    owner = next(cls for cls in type(layer).__mro__ if "build" in vars(cls))
    own_build = owner.__module__.split(".")[0] != "keras"
    return (own_build and not layer.built) or any(map(may_get_layers, sublayers(layer)))
