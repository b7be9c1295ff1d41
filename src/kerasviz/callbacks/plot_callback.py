"""`Snapshots`: any plot of a model, drawn while it is trained."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
import matplotlib.pyplot as plt
from typing_extensions import override

from kerasviz._checks import check_type
from kerasviz.callbacks.deferred_errors import WriteErrors
from kerasviz.callbacks.layer_snapshots import OnPlot, check_destinations, check_on_plot
from kerasviz.callbacks.schedule import ScheduledCallback
from kerasviz.callbacks.writers.destinations import Folder
from kerasviz.callbacks.writers.folder import PictureFolder
from kerasviz.callbacks.writers.png_encoding import encode_png
from kerasviz.callbacks.writers.tensorboard import EventLog
from kerasviz.draw.animations.gif import free_figure
from kerasviz.draw.plot import Plot


class Snapshots(ScheduledCallback):
    """Call a plot function while a model is trained, and store its pictures.

    Pictures can go to any number of places at once, and must go to one.

    Args:
        function: Called with the model, returns a `Plot`. What it raises is a warning, once, and
            training continues.
        directory: A folder for PNG files, one per step: `my_plot-epoch-0001.png`.
        every: How often: an int for every N epochs, or a text such as `"100 batches"`.
        log_dir: The folder of a run in TensorBoard, as `keras.callbacks.TensorBoard` takes it. The
            pictures go to a folder in it with the name.
        on_plot: A function that is called with the number of epochs or batches, the name and the
            `Plot`, which is its own to keep; its figure is no longer known to pyplot. What it
            raises ends the training, as it would in any callback.
        name: The first word of the files' names, and the tag in TensorBoard. `None` is the name of
            the function.

    Raises:
        TypeError: `function` cannot be called, or another argument has the wrong type. When a
            picture is due: the function returns something that is not a `Plot`.
        ValueError: The pictures have nowhere to go, or `name` cannot be the name of a file.
        ImportError: `log_dir` is given and TensorFlow is not installed.
        OSError: When training begins: a folder cannot be written to. Later that is a warning, and
            training goes on.

    Notes:
        Files are numbered as in `KernelSnapshots` and never overwritten. New pyplot figures are
        closed; a figure of yours that the function draws into stays open.

    Example:
        >>> import keras, kerasviz, numpy as np
        >>> model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3)])
        >>> model.compile("sgd", "mse")
        >>> images, targets = np.ones((2, 8, 8, 1)), np.zeros((2, 6, 6, 4))
        >>> snapshots = kerasviz.Snapshots(kerasviz.plot_kernel_histograms, on_plot=print)
        >>> _ = model.fit(images, targets, epochs=2, verbose=0, callbacks=[snapshots])
        1 plot_kernel_histograms Plot(1 panel)
        2 plot_kernel_histograms Plot(1 panel)
    """

    def __init__(
        self,
        function: Callable[[keras.Model], Plot],
        *,
        directory: Folder | None = None,
        every: int | str = 1,
        log_dir: Folder | None = None,
        on_plot: OnPlot | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(every)
        if not callable(function):
            raise TypeError(
                "`function` must be a function that takes a model and returns a Plot. "
                f"Received: function={function!r:.80}"
            )
        for keyword, folder in (("directory", directory), ("log_dir", log_dir)):
            check_type(keyword, folder, (str, os.PathLike, type(None)), "a path")
        check_on_plot(on_plot)
        check_destinations(on_plot, directory=directory, log_dir=log_dir)
        self.function = function
        self.on_plot = on_plot
        self.name: str = _name_of(function) if name is None else _check_name(name)
        self._pictures = None
        if directory is not None:
            self._pictures = PictureFolder(Path(directory), self.name, self.every)
        self._log = None if log_dir is None else EventLog(os.fspath(log_dir), self.name)
        self._errors = WriteErrors()

    @override
    def open(self) -> int:
        """Open the folders; return the number of the last picture in them."""
        self._errors.reset()
        destinations = (self._pictures, self._log)
        return max((each.open() for each in destinations if each is not None), default=0)

    @override
    def destination(self) -> str:
        """Return where the pictures are to which this training adds, in words."""
        return "" if self._pictures is None else f"directory={str(self._pictures.folder)!r}"

    @override
    def on_due(self, number: int) -> None:
        """Draw the model, and store the picture."""
        open_before = set(plt.get_fignums())
        try:
            picture = self._draw(number)
        finally:
            opened = set(plt.get_fignums()) - open_before
            for figure_number in opened:
                plt.close(figure_number)
        if picture is None:
            return
        plot, png = picture
        if self._pictures is not None:
            self._errors.guard("directory", partial(self._pictures.write, "", number, png))
        if self._log is not None:
            self._errors.guard("log_dir", partial(self._log.write, self.name, number, png))
        figure = plot.figure.get_figure(root=True)
        if self.on_plot is not None:
            self.on_plot(number, self.name, plot)
        elif getattr(figure, "number", None) in opened:
            free_figure(plot)

    def _draw(self, number: int) -> tuple[Plot, bytes] | None:
        """Return a new plot and the PNG of it; `None` where that fails."""
        model = self.model  # on JAX, asking for the model brings its weights up to date
        try:
            plot = self.function(model)
            png = encode_png(plot) if isinstance(plot, Plot) else b""
        # The caller's function may raise anything, and a picture must not end hours of training:
        # the error becomes a warning.
        except Exception as error:
            self._errors.warn(
                "drawing",
                f"No picture of {self.every.label(number)}, training goes on: "
                f"`{self.name}` raised {type(error).__name__}: {error}",
            )
            return None
        if not isinstance(plot, Plot):
            raise TypeError(f"`function` must return a Plot. Received: {plot!r:.80}")
        return plot, png

    @override
    def finish(self) -> None:
        """Close TensorBoard's file."""
        if self._log is not None:
            self._errors.guard("log_dir", self._log.finish)


def _name_of(function: Callable[..., object]) -> str:
    """Return a name for the pictures of a function."""
    inner = function.func if isinstance(function, partial) else function
    return re.sub(r"\W", "", getattr(inner, "__name__", "")).removeprefix("lambda") or "plot"


def _check_name(name: object) -> str:
    check_type("name", name, (str,), "a string")
    if not re.fullmatch(r"[\w.-]*\w[\w.-]*", str(name)):
        raise ValueError(
            "`name` must be of letters, digits, '.', '-' and '_', since it begins the names of "
            f"files. Received: name={name!r}"
        )
    return str(name)
