"""`FeatureMapSnapshots`: the feature maps of an image while a network is trained."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import keras
from numpy.typing import ArrayLike
from typing_extensions import Unpack

from kerasviz._selection import Tiles
from kerasviz.callbacks.layer_snapshots import DESTINATIONS, LayerSnapshots, OnPlot, Recording
from kerasviz.callbacks.writers.destinations import Folder
from kerasviz.compute.feature_maps import check_address
from kerasviz.draw.signatures import shows_keywords
from kerasviz.draw.tiles.background import Opacity
from kerasviz.draw.tiles.panel import TilePanel
from kerasviz.draw.tiles.style import DEFAULTS, TileOptions, check_style
from kerasviz.model.inputs.input_adapter import check_inputs_form
from kerasviz.plots._maps.background import Interpolation, check_background
from kerasviz.plots._maps.kinds import Kind, check_class_names
from kerasviz.plots._maps.samples import Samples
from kerasviz.plots.feature_maps import (
    OWN_KEYWORDS,
    MapKeywords,
    Maps,
    check_keywords,
    prepare_maps,
)


class FeatureMapSnapshots(LayerSnapshots):
    """Record feature maps of an image during training, and draw them as `plot_feature_maps` does.

    Pictures can go to any number of places at once, and must go to one.

    Args:
        inputs: What the model takes, as in `plot_feature_maps`.
        layer: A layer address; several, or `None` for every convolution, give one picture each,
            from one forward pass.
        every: How often: an int for every N epochs, or a text such as `"100 batches"`.
        directory: A folder for PNG files and records, one of each per layer and step, as in
            `KernelSnapshots`: `conv2d/feature_maps-epoch-0001.png`.
        gif: A folder for animations, one per layer, as in `KernelSnapshots`.
        log_dir: The folder of a run in TensorBoard, as in `KernelSnapshots`.
        on_plot: A function that is called with the number of epochs or batches, the layer's address
            and the `Plot`, as in `KernelSnapshots`.
        sample: Which samples of the batch to draw, as in `plot_feature_maps`. The image of a single
            one is the same at every step, and is not drawn beside the maps.
        sample_names: A name for each sample of `inputs`.
        overlay: Whether to draw each map over the picture that caused it, as in
            `plot_feature_maps`.
        picture: Which of several inputs is the picture, or the picture itself.
        alpha: How much of the picture a map covers.
        interpolation: How a map is enlarged over the picture.
        slices: Of volumes and videos, which positions along their further axes to draw.
        patch_grid: Of tokens, the rows and columns of the patches that they stand for.
        kind: How an output is drawn, as in `plot_feature_maps`; with `None` all values of a vector
            are drawn, and not only the largest.
        class_names: A name for each value of a vector, as in `plot_feature_maps`.
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

        The training is not changed: the model runs in inference mode, and the state of its layers
        and the random numbers to come stay as they were.

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
        class_names: Sequence[str] | None = None,
        **options: Unpack[TileOptions],
    ) -> None:
        check_inputs_form(inputs, may_be_text=isinstance(inputs, (list, tuple, dict)))
        recording = Recording(
            layer=layer,
            every=every,
            directory=directory,
            gif=gif,
            log_dir=log_dir,
            on_plot=on_plot,
        )
        style = check_style(*OWN_KEYWORDS, *DESTINATIONS, **options)
        keywords = MapKeywords(
            style=style,
            sample=sample,
            sample_names=sample_names,
            background=check_background(overlay, picture, alpha, interpolation),
            slices=slices,
            patch_grid=patch_grid,
            kind=kind,
            class_names=check_class_names(class_names),
            is_recorded=True,
        )
        check_keywords(keywords)
        super().__init__(recording, style)
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
        _ = self.model  # on JAX, asking for the model brings its weights up to date
        return {panel.address: panel for panel in self._maps.panels(self.style_of)}

    def key(self) -> str:
        """Return a key for the settings that determine the values of a record."""
        assert self._maps is not None
        arrays = self._maps.extraction.batch.arrays
        checksums = [zlib.crc32(array.tobytes()) for array in arrays]
        keywords = self.keywords
        return (
            f"inputs={checksums}, slices={keywords.slices!r}, patch_grid={keywords.patch_grid!r}, "
            f"kind={keywords.kind!r}, tiles={self.style.choice.tiles!r}"
        )

    def on_train_end(self, logs: Any = None) -> None:
        """Write what is written at the end."""
        super().on_train_end(logs)
        self._maps = None  # it holds the model
