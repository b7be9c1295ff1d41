"""`KernelSnapshots`: the kernels of a network while it is trained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from typing_extensions import Unpack, override

from kerasviz.callbacks.layer_snapshots import DESTINATIONS, LayerSnapshots, OnPlot, Recording
from kerasviz.callbacks.pattern_signs import DrawnPatterns
from kerasviz.callbacks.writers.destinations import Folder
from kerasviz.compute.kernel_patterns import Channel, resolve_channel
from kerasviz.compute.kernels import matrix_axes, read_kernel, resolve_kernels
from kerasviz.draw.signatures import shows_keywords
from kerasviz.draw.tiles.panel import TilePanel
from kerasviz.draw.tiles.style import DEFAULTS, TileOptions, check_style
from kerasviz.model.addresses import NamedCall
from kerasviz.plots.kernels import (
    KernelKind,
    check_channel,
    check_kernel_kind,
    kernel_form,
    kernel_panel,
)


class KernelSnapshots(LayerSnapshots):
    """Record the kernels of layers while they are trained, and draw them as `plot_kernels` does.

    Pictures can go to any number of places at once, and must go to one.

    Args:
        layer: A layer address; several, or `None` for every convolution, give one picture each.
        every: How often: an int for every N epochs, or a text such as `"100 batches"`.
        directory: A folder for PNG files, one per layer and step: `conv2d/kernels-epoch-0001.png`.
            Beside each is a record of its values, `conv2d/kernels-epoch-0001.npz`, from which
            `plot_snapshots` and `animate_snapshots` draw later. Where an address has characters
            that a file's name should not have, such as "/", the name of its folder ends in a
            checksum.
        gif: A folder for animations, one per layer: `conv2d/kernels.gif`, on one colour scale for
            all steps, or of more than 1000 for as many of them. It is written at the end, or when
            training was interrupted and the callback is no longer used, its `close()` is called,
            the notebook's cell has ended, or the program ends. It is drawn from records as in
            `directory`, with which a run that is resumed goes on; delete them when training is
            done. With `sort`, all steps have the order of the last one; `top` cannot be given,
            since all steps show the same tiles.
        log_dir: The folder of a run in TensorBoard, as `keras.callbacks.TensorBoard` takes it. The
            pictures go to a folder in it, `kernels`, beside `train` and `validation`. To read the
            text in them, tick "Show actual image size".
        on_plot: A function that is called with the number of epochs or batches, the layer's address
            and the `Plot`, which is its own to keep. What it raises ends the training, as it would
            in any callback.
        channel: Which of the kernel's input channels to draw, as in `plot_kernels`.
        kind: How kernels of one dimension are drawn, as in `plot_kernels`.
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

        Of more than 128 filters, all steps show the 64 that were the strongest in the first step,
        unless `tiles` or `top` says which; with `top`, each step shows its own, with their indices.

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
        kind: KernelKind | None = None,
        **options: Unpack[TileOptions],
    ) -> None:
        recording = Recording(
            layer=layer,
            every=every,
            directory=directory,
            gif=gif,
            log_dir=log_dir,
            on_plot=on_plot,
        )
        check_channel(channel)
        check_kernel_kind(kind)
        super().__init__(recording, check_style("channel", "kind", *DESTINATIONS, **options))
        self.channel = channel
        self.form = kind
        self._targets: Sequence[NamedCall] = ()
        self._kernels: dict[str, np.ndarray] = {}
        self._patterns: dict[str, DrawnPatterns] = {}

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
                self.style_of(address),
                axes=matrix_axes(call.layer),
                form=kernel_form(call.layer, self.form),
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
            patterns = self._patterns.setdefault(address, DrawnPatterns())
            if not patterns:
                last = self._destinations.read_last(address, self.record_key(panel))
                if last is not None:
                    patterns.remember(last.arrays["values"], last.arrays["indices"])
            kernel = self._kernels[address]
            aligned[address] = patterns.follow(panel, kernel)
            patterns.remember(aligned[address].tiles, panel.indices, kernel)
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
        """Return a key for the settings that determine the values of a record."""
        return f"channel={self.channel!r}, tiles={self.style.choice.tiles!r}"
