"""`KernelSnapshots` and `FeatureMapSnapshots`: pictures of a network while it is trained."""

from __future__ import annotations

import math
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

import keras
import numpy as np
from numpy.typing import ArrayLike
from typing_extensions import Unpack, override

from kerasviz._selection import Tiles
from kerasviz.callbacks.errors import Guard
from kerasviz.callbacks.schedule import ScheduledCallback
from kerasviz.callbacks.signs import DrawnPatterns
from kerasviz.callbacks.writers.destinations import Destinations, Folder
from kerasviz.callbacks.writers.png import discard
from kerasviz.compute.feature_maps import check_address
from kerasviz.compute.kernel_patterns import Channel, resolve_channel
from kerasviz.compute.kernels import matrix_axes, read_kernel, resolve_kernels
from kerasviz.draw.plot import Plot
from kerasviz.draw.signatures import shows_keywords
from kerasviz.draw.tiles.background import Opacity
from kerasviz.draw.tiles.panel import TilePanel
from kerasviz.draw.tiles.picture import draw_apart
from kerasviz.draw.tiles.scaling import resolve_scales
from kerasviz.draw.tiles.style import DEFAULTS, TileOptions, TileStyle, check_style
from kerasviz.model.addresses import NamedCall
from kerasviz.model.graph import sublayers
from kerasviz.model.inputs.forms import check_inputs_form
from kerasviz.plots._background import Interpolation, check_background
from kerasviz.plots._samples import Samples
from kerasviz.plots.feature_maps import (
    OWN_KEYWORDS,
    Kind,
    MapKeywords,
    Maps,
    check_keywords,
    prepare_maps,
)
from kerasviz.plots.kernels import check_channel, kernel_panel

OnPlot = Callable[[int, str, Plot], object]
"""Gets the number of epochs or batches, the layer's address and the picture."""


PLACES = ("every", "directory", "gif", "log_dir", "on_plot")


class Snapshots(ScheduledCallback, ABC):
    """Draw layers every N epochs or batches; the base of both callbacks.

    Args:
        layer: The caller's layer argument.
        style: The caller's keywords.
        every: The caller's `every`.
        directory: The caller's `directory`.
        gif: The caller's `gif`.
        log_dir: The caller's `log_dir`.
        on_plot: The caller's `on_plot`.
    """

    kind: ClassVar[str]

    def __init__(
        self,
        layer: Any,
        style: TileStyle,
        *,
        every: int | str,
        directory: Folder | None,
        gif: Folder | None,
        log_dir: Folder | None,
        on_plot: OnPlot | None,
    ) -> None:
        super().__init__(every)
        for name in ("ax", "figure"):
            if getattr(style.place, name) is not None:
                raise TypeError(f"`{name}` cannot be given, since each picture is a new figure.")
        if gif is not None and style.choice.top is not None:
            raise ValueError(
                "`top` cannot be given together with `gif`, since all steps of an animation show "
                f"the same tiles: choose them by `tiles`. Received: top={style.choice.top!r}"
            )
        if on_plot is not None and not callable(on_plot):
            raise TypeError(f"`on_plot` must be a function. Received: on_plot={on_plot!r}")
        if all(place is None for place in (directory, gif, log_dir, on_plot)):
            raise ValueError(
                "The pictures must go somewhere: give `directory`, `gif`, `log_dir` or `on_plot`."
            )
        self.layer = layer
        self.style = style
        self.on_plot = on_plot
        self._destinations = Destinations(
            self.kind, self.every, style, directory=directory, gif=gif, log_dir=log_dir
        )
        self._guard: Guard | None = None

    @abstractmethod
    def panels(self) -> dict[str, TilePanel]:
        """Return what is drawn of each layer now, by address."""

    def follow(self, panels: dict[str, TilePanel]) -> dict[str, TilePanel]:
        """Return the panels of a step in a form that agrees with the step before."""
        return panels

    @abstractmethod
    def key(self) -> str:
        """Return a key for the settings that determine an animation's frames."""

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
        panels = self.panels()
        resolve_scales(list(panels.values()), self.style.colors)
        self._destinations.begin(panels, self.key())

    def open(self) -> int:
        """Open the folders; return the number of the last picture in them."""
        number = self._destinations.open()
        self._release()  # of a run that was interrupted
        self._guard = Guard(self, self._destinations.finish)
        return number

    @override
    def places(self) -> str:
        """Return where the records are to which this training adds, in words."""
        return self._destinations.places()

    def act(self, number: int) -> None:
        """Take a picture of each layer."""
        label = self.every.label(number)
        panels = {
            address: replace(panel, notes=(label, *panel.notes))
            for address, panel in self.follow(self.panels()).items()
        }
        self._warn_of_invalid(panels, label)
        self._destinations.put_aside(number, panels)
        if self._destinations.take_pictures or self.on_plot is not None:
            self._draw(number, panels)

    def _draw(self, number: int, panels: dict[str, TilePanel]) -> None:
        plots = draw_apart(list(panels.values()), self.style)
        for address in panels:
            try:
                plot = next(plots)
            except ValueError as error:  # such as a logarithmic norm, and all values are 0 now
                message = f"No picture of {self.every.label(number)}, training goes on: {error}"
                self._destinations.faults.warn("drawing", message)
                return
            self._destinations.write(number, address, plot)
            if self.on_plot is None:
                discard(plot)
            else:
                self.on_plot(number, address, plot)

    def _warn_of_invalid(self, panels: dict[str, TilePanel], label: str) -> None:
        found = [address for address, panel in panels.items() if panel.invalid]
        if found:
            self._destinations.faults.warn(
                "invalid",
                f"At {label}, values of {', '.join(map(repr, found))} are NaN or infinite; they "
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
        if self._guard is not None:
            self._guard.release()
            self._guard = None


def may_get_layers(layer: keras.Layer) -> bool:
    """Whether a layer may still make others, in a `build` of its own."""
    owner = next(cls for cls in type(layer).__mro__ if "build" in vars(cls))
    own_build = owner.__module__.split(".")[0] != "keras"
    return (own_build and not layer.built) or any(map(may_get_layers, sublayers(layer)))


class KernelSnapshots(Snapshots):
    """Draws the kernels of layers while they are trained, as `plot_kernels` does.

    Pictures can go to any number of places at once, and must go to one.

    Args:
        layer: A layer address; several, or `None` for every convolution, give one picture each.
        every: How often: an int for every N epochs, or a text such as `"100 batches"`.
        directory: A folder for PNG files, one per layer and step: `conv2d/kernels-epoch-0001.png`.
            Where an address has characters that a file's name should not have, such as "/", the
            name of its folder ends in a checksum.
        gif: A folder for animations, one per layer: `conv2d/kernels.gif`, on one colour scale for
            all steps. It is written at the end, or when training was interrupted and the callback
            is no longer used, its `close()` is called, the notebook's cell has ended, or the
            program ends. The values of the steps are kept beside it, in `conv2d/kernels-frames`,
            for a run that is resumed to go on with; delete that folder when training is done. With
            `sort`, all steps have the order of the last one; `top` cannot be given, since all steps
            show the same tiles.
        log_dir: The folder of a run in TensorBoard, as `keras.callbacks.TensorBoard` takes it. The
            pictures go to a folder in it, `kernels`, beside `train` and `validation`. To read the
            text in them, tick "Show actual image size".
        on_plot: A function that is called with the number of epochs or batches, the layer's address
            and the `Plot`, which is its own to keep. What it raises ends the training, as it would
            in any callback.
        channel: Which of the kernel's input channels to draw, as in `plot_kernels`.
        **options: The keywords of every plot of tiles, see `TileOptions`, without `ax` and
            `figure`.

    Raises:
        TypeError: A keyword that does not exist, or a value of the wrong type.
        ValueError: A keyword cannot be used, or the pictures have nowhere to go. When training
            begins: no layer has that address, or it has no kernel. Of a model that is built by its
            first step and makes layers while it is built, an address is checked after that step.
        ImportError: `log_dir` is given and TensorFlow is not installed.
        OSError: When training begins: a folder cannot be written to. Later that is a warning, and
            training goes on.

    Notes:
        A number says how many epochs or batches were trained, so that the first epoch is 1, as in
        what Keras prints; Keras's own TensorBoard callback calls it 0. With `initial_epoch`
        numbers go on from there. A picture is never overwritten: where a folder has pictures
        already, numbers go on from the last of them. For a new beginning, give a new folder: where
        the optimizer has taken no step yet, and `initial_epoch` is 0, there is a warning.

        The sign of a principal pattern is free. In the first picture it is that of `plot_kernels`,
        in each later one that which agrees with the picture before, also where an animation of a
        resumed run goes on: a filter that hardly changed looks as before, and one that became its
        negative is drawn as its negative.

        The training is not changed: kernels are read, and nothing else. Figures are made without
        pyplot.

        `on_plot` for Weights & Biases, where `run` is what `wandb.init` returned, and for MLflow:

            lambda step, address, plot: run.log({f"kernels/{address}": wandb.Image(plot.figure)})
            lambda step, address, plot: mlflow.log_figure(
                plot.figure, f"kernels/{address}/{step:04d}.png"
            )

    Example:
        >>> import keras, kerasviz, numpy as np
        >>> model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3)])
        >>> model.compile("sgd", "mse")
        >>> snapshots = kerasviz.KernelSnapshots(on_plot=print)
        >>> images, targets = np.ones((2, 8, 8, 1)), np.zeros((2, 6, 6, 4))
        >>> _ = model.fit(images, targets, epochs=2, verbose=0, callbacks=[snapshots])
        1 conv2d Plot(conv2d: 4 kernels, 3×3)
        2 conv2d Plot(conv2d: 4 kernels, 3×3)
    """

    kind = "kernels"

    @shows_keywords(TileOptions, DEFAULTS, without=("ax", "figure"))
    def __init__(
        self,
        layer: Any = None,
        *,
        every: int | str = 1,
        directory: Folder | None = None,
        gif: Folder | None = None,
        log_dir: Folder | None = None,
        on_plot: OnPlot | None = None,
        channel: Channel = "auto",
        **options: Unpack[TileOptions],
    ) -> None:
        style = check_style("channel", *PLACES, **options)
        check_channel(channel)
        super().__init__(
            layer,
            style,
            every=every,
            directory=directory,
            gif=gif,
            log_dir=log_dir,
            on_plot=on_plot,
        )
        self.channel = channel
        self._targets: Sequence[NamedCall] = ()
        self._kernels: dict[str, np.ndarray] = {}
        self._drawn: dict[str, DrawnPatterns] = {}

    def check_layers(self, model: keras.Model) -> None:
        """Raise `ValueError` for an address that the model does not have."""
        resolve_kernels(model, self.layer)

    def prepare(self, model: keras.Model) -> None:
        """Find the layers, and refuse what cannot be drawn of them."""
        self._targets = resolve_kernels(model, self.layer).targets
        super().prepare(model)

    def panels(self) -> dict[str, TilePanel]:
        """Return what is drawn of each layer now, by address."""
        _ = self.model  # on JAX, asking for the model brings its weights up to date
        self._kernels = {
            address: read_kernel(call.layer, address) for address, call in self._targets
        }
        return {
            address: kernel_panel(
                self._kernels[address],
                address,
                self.channel,
                self.style,
                axes=matrix_axes(call.layer),
            )
            for address, call in self._targets
        }

    @override
    def follow(self, panels: dict[str, TilePanel]) -> dict[str, TilePanel]:
        """Return the panels of a step; the signs of principal patterns are those of the last."""
        aligned = dict(panels)
        for address, panel in panels.items():
            if not self._has_free_signs(address, panel):
                continue
            drawn = self._drawn.setdefault(address, DrawnPatterns())
            if not drawn:
                self._destinations.read_patterns(address, panel, drawn)
            kernel = self._kernels[address]
            aligned[address] = drawn.follow(panel, kernel)
            drawn.remember(aligned[address].tiles, panel.indices, kernel)
        return aligned

    @override
    def on_train_end(self, logs: Any = None) -> None:
        """Write what is written at the end."""
        super().on_train_end(logs)
        self._kernels = {}  # as large as the model

    def _has_free_signs(self, address: str, panel: TilePanel) -> bool:
        """Whether a panel shows principal patterns, whose signs the decomposition leaves open."""
        *window, in_channels, _ = self._kernels[address].shape
        is_point = math.prod(window) == 1
        channel = resolve_channel(self.channel, in_channels, address, is_point=is_point)
        return channel == "principal" and panel.tiles.size == len(panel.indices) * math.prod(window)

    def key(self) -> str:
        """Return a key for the settings that determine an animation's frames."""
        return f"channel={self.channel!r}, tiles={self.style.choice.tiles!r}"


class FeatureMapSnapshots(Snapshots):
    """Draws what layers make of an image while they are trained, as `plot_feature_maps` does.

    Pictures can go to any number of places at once, and must go to one.

    Args:
        inputs: What the model takes, as in `plot_feature_maps`.
        layer: A layer address; several, or `None` for every convolution, give a picture each, from
            one forward pass.
        every: How often: an int for every N epochs, or a text such as `"100 batches"`.
        directory: A folder for PNG files, one a layer and step, as in `KernelSnapshots`:
            `conv2d/feature_maps-epoch-0001.png`.
        gif: A folder for animations, one a layer, as in `KernelSnapshots`.
        log_dir: The folder of a run in TensorBoard, as in `KernelSnapshots`.
        on_plot: A function that is called with the number of epochs or batches, the layer's address
            and the `Plot`, as in `KernelSnapshots`.
        sample: Which samples of the batch to draw, as in `plot_feature_maps`.
        sample_names: A name for each sample of `inputs`.
        overlay: Whether to draw each map over the picture that caused it, as in
            `plot_feature_maps`.
        picture: Which of several inputs is the picture, or the picture itself.
        alpha: How much of the picture a map covers.
        interpolation: How a map is enlarged over the picture.
        slices: Of volumes and videos, which positions along their further axes to draw.
        patch_grid: Of tokens, the rows and columns of the patches that they stand for.
        kind: "image" for outputs `(samples, height, width)` that are one picture per sample, as in
            `plot_feature_maps`.
        **options: The keywords of every plot of tiles, see `TileOptions`, without `ax` and
            `figure`.

    Raises:
        TypeError: A keyword that does not exist, a value of the wrong type, or `inputs` of a form
            that no model takes.
        ValueError: A keyword cannot be used, or the pictures have nowhere to go. When training
            begins: no layer has that address, or `inputs` does not fit the model. Of a model that
            is built by its first step, the inputs are checked after that step.
        ImportError: `log_dir` is given and TensorFlow is not installed.
        OSError: When training begins: a folder cannot be written to. Later that is a warning, and
            training goes on.

    Notes:
        Numbers, files and what is said of `on_plot` are as in `KernelSnapshots`.

        The training is not changed: the model runs in inference mode, and the seeds of layers that
        draw random numbers all the same are put back.

    Example:
        >>> import keras, kerasviz, numpy as np
        >>> model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3)])
        >>> model.compile("sgd", "mse")
        >>> images, targets = np.ones((2, 8, 8, 1)), np.zeros((2, 6, 6, 4))
        >>> snapshots = kerasviz.FeatureMapSnapshots(images, every="1 batch", on_plot=print)
        >>> _ = model.fit(images, targets, epochs=2, verbose=0, callbacks=[snapshots])
        1 conv2d Plot(conv2d: 4 feature maps, 6×6)
        2 conv2d Plot(conv2d: 4 feature maps, 6×6)
    """

    kind = "feature_maps"

    @shows_keywords(TileOptions, DEFAULTS, without=("ax", "figure"))
    def __init__(
        self,
        inputs: Any,
        layer: Any = None,
        *,
        every: int | str = 1,
        directory: Folder | None = None,
        gif: Folder | None = None,
        log_dir: Folder | None = None,
        on_plot: OnPlot | None = None,
        sample: Samples = 0,
        sample_names: Sequence[str] | None = None,
        overlay: bool | ArrayLike = False,
        picture: str | int | ArrayLike | None = None,
        alpha: Opacity = "strength",
        interpolation: Interpolation = "nearest",
        slices: Tiles | None = None,
        patch_grid: tuple[int, int] | None = None,
        kind: Kind | None = None,
        **options: Unpack[TileOptions],
    ) -> None:
        style = check_style(*OWN_KEYWORDS, *PLACES, **options)
        keywords = MapKeywords(
            style=style,
            sample=sample,
            sample_names=sample_names,
            background=check_background(overlay, picture, alpha, interpolation),
            slices=slices,
            patch_grid=patch_grid,
            kind=kind,
        )
        check_keywords(keywords)
        super().__init__(
            layer,
            style,
            every=every,
            directory=directory,
            gif=gif,
            log_dir=log_dir,
            on_plot=on_plot,
        )
        check_inputs_form(inputs, may_be_text=isinstance(inputs, (list, tuple, dict)))
        self.inputs = inputs
        self.keywords = keywords
        self._maps: Maps | None = None

    def check_layers(self, model: keras.Model) -> None:
        """Raise `ValueError` for an address that the model does not have."""
        check_address(model, self.layer)

    def prepare(self, model: keras.Model) -> None:
        """Find the layers, and refuse what cannot be drawn of them."""
        self._maps = prepare_maps(model, self.layer, self.inputs, self.keywords)
        super().prepare(model)

    def panels(self) -> dict[str, TilePanel]:
        """Return what is drawn of each layer now, by address, from one forward pass."""
        assert self._maps is not None
        with seeds_put_back(self.model):
            panels = self._maps.panels()
        return {panel.address: panel for panel in panels}

    def key(self) -> str:
        """Return a key for the settings that determine an animation's frames."""
        assert self._maps is not None
        arrays = self._maps.extraction.batch.arrays
        checksums = [zlib.crc32(array.tobytes()) for array in arrays]
        said = self.keywords
        return (
            f"inputs={checksums}, slices={said.slices!r}, patch_grid={said.patch_grid!r}, "
            f"kind={said.kind!r}, tiles={self.style.choice.tiles!r}"
        )

    def on_train_end(self, logs: Any = None) -> None:
        """Write what is written at the end."""
        super().on_train_end(logs)
        self._maps = None  # it holds the model


@contextmanager
def seeds_put_back(model: keras.Model) -> Iterator[None]:
    """Run something after which the random layers of a model go on as if it had not run."""
    weights = {id(variable) for variable in model.weights}
    seeds = [variable for variable in model.variables if id(variable) not in weights]
    before = [keras.ops.convert_to_numpy(variable).copy() for variable in seeds]
    try:
        yield
    finally:
        for variable, value in zip(seeds, before, strict=True):
            if not np.array_equal(keras.ops.convert_to_numpy(variable), value):
                variable.assign(value)
