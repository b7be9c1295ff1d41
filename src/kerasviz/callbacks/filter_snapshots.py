"""`FilterSnapshots`: what the filters of layers respond to, while a network is trained."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import keras
from typing_extensions import override

from kerasviz._checks import check_type
from kerasviz.callbacks.deferred_errors import WriteErrors
from kerasviz.callbacks.layer_snapshots import may_get_layers
from kerasviz.callbacks.schedule import ScheduledCallback
from kerasviz.callbacks.writers.destinations import Folder
from kerasviz.callbacks.writers.folder import last_number, open_folder, safe_names
from kerasviz.compute.feature_maps import check_address, check_batch_size
from kerasviz.compute.filters.collecting import filter_statistics
from kerasviz.compute.filters.statistics import FilterStatistics, count_odd
from kerasviz.model.addresses import check_form
from kerasviz.model.inputs.input_adapter import check_inputs_form

COLUMNS = ("layer", "filters", "dead", "rare", "duplicates", "selectivity")


class FilterSnapshots(ScheduledCallback):
    """Record what filters respond to in a fixed set of images, while a model is trained.

    `plot_training_statistics` draws how many are dead, rare or duplicates over the epochs.

    Args:
        inputs: Images that stay the same, as `filter_statistics` takes them, but no stream: a few
            hundred are good evidence for what is dead.
        layer: A layer address, or several; `None` is every convolution.
        labels: The class of each image, for what is selective.
        every: How often: an int for every N epochs, or a text such as `"100 batches"`.
        directory: A folder for the statistics themselves, one file per layer and record, such as
            `conv2d/filters-epoch-0001.npz`, which `FilterStatistics.load` reads.
        images: How many of the strongest images are kept for each filter.
        batch_size: How many images are computed at a time.

    Attributes:
        history: The records of this callback so far: a dict of columns, lists of the same length,
            as `pandas.DataFrame` takes it.

            - `epoch` or `batch`: How many were trained.
            - `layer`: The layer's address.
            - `filters`: How many filters it has.
            - `dead`, `rare`: How many filters are so, see `FilterStatistics`.
            - `duplicates`: How many pairs of filters are duplicates.
            - `selectivity`: The mean over the filters; NaN without labels.
        statistics: The last record, `FilterStatistics` by address.

    Raises:
        TypeError: An argument of the wrong type, or `inputs` of a form that no model takes.
        ValueError: A keyword cannot be used. When training begins: no layer has that address, or
            `inputs` or `labels` do not fit.
        OSError: When training begins: `directory` cannot be written to. Later that is a warning,
            and training goes on.

    Notes:
        Epochs and batches are counted on from run to run, as in `KernelSnapshots`, and files are
        never overwritten. Training is not changed. Values that are NaN or infinite have no
        statistics: then there is a warning, and no record.

    Example:
        >>> import keras, kerasviz, numpy as np
        >>> model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3)])
        >>> model.compile("sgd", "mse")
        >>> images, targets = np.ones((2, 8, 8, 1)), np.zeros((2, 6, 6, 4))
        >>> snapshots = kerasviz.FilterSnapshots(images)
        >>> _ = model.fit(images, targets, epochs=2, verbose=0, callbacks=[snapshots])
        >>> snapshots.history["epoch"], snapshots.history["dead"]
        ([1, 2], [4, 4])
    """

    def __init__(
        self,
        inputs: Any,
        layer: Any = None,
        *,
        labels: Any = None,
        every: int | str = 1,
        directory: Folder | None = None,
        images: int = 9,
        batch_size: int = 32,
    ) -> None:
        check_form(layer)
        check_inputs_form(inputs, may_be_text=isinstance(inputs, (list, tuple, dict)))
        super().__init__(every)
        check_type("directory", directory, (str, os.PathLike, type(None)), "a path")
        check_batch_size(batch_size)
        self.inputs = inputs
        self.layer = layer
        self.labels = labels
        self.images = images
        self.batch_size = batch_size
        self.history: dict[str, list[Any]] = {name: [] for name in (self.every.unit, *COLUMNS)}
        self.statistics: dict[str, FilterStatistics] = {}
        self._folder = None if directory is None else Path(directory)
        self._errors = WriteErrors()

    @override
    def check(self, model: keras.Model) -> None:
        """Refuse an address that cannot be right, of a model that the first step will build."""
        try:
            check_address(model, self.layer)
        except ValueError:
            if not may_get_layers(model):
                raise

    @override
    def prepare(self, model: keras.Model) -> None:
        """Refuse inputs that do not fit, by one look at them."""
        check_address(model, self.layer)
        self._look(model)

    @override
    def open(self) -> int:
        """Open the folder; return the number of the last record in it."""
        self._errors.reset()
        if self._folder is None:
            return 0
        open_folder(self._folder, "directory")
        return last_number(self._folder.glob("*/filters-*.npz"), self.every)

    @override
    def destination(self) -> str:
        """Return where the records are to which this training adds, in words."""
        return "" if self._folder is None else f"directory={str(self._folder)!r}"

    @override
    def on_due(self, number: int) -> None:
        """Look at the filters, and write down what they are."""
        model = self.model  # on JAX, asking for the model brings its weights up to date
        try:
            self.statistics = self._look(model)
        except ValueError as error:  # such as of NaN, which must not end hours of training
            self._errors.warn(
                "statistics",
                f"No filter statistics of {self.every.label(number)}, training goes on: {error}",
            )
            return
        names = safe_names(self.statistics)
        for address, statistics in self.statistics.items():
            self._add(number, statistics)
            if self._folder is not None:
                path = self._folder / names[address] / f"filters-{self.every.stem(number)}.npz"
                self._errors.guard("directory", partial(_save, statistics, path))

    def _look(self, model: keras.Model) -> dict[str, FilterStatistics]:
        result: FilterStatistics | dict[str, FilterStatistics] = filter_statistics(
            model,
            self.layer,
            self.inputs,
            labels=self.labels,
            images=self.images,
            batch_size=self.batch_size,
        )
        return result if isinstance(result, dict) else {result.address: result}

    def _add(self, number: int, statistics: FilterStatistics) -> None:
        for name, value in {self.every.unit: number, **count_odd(statistics)}.items():
            self.history[name].append(value)


def _save(statistics: FilterStatistics, path: Path) -> None:
    """Write a record; one that is there already stays."""
    path.parent.mkdir(exist_ok=True)  # without parents: one that vanished must not come back
    copies, name = 1, path
    while name.exists():
        copies += 1
        name = path.with_name(f"{path.stem}-{copies}.npz")
    statistics.save(name)
