"""`WeightStatistics`: a network in numbers while it is trained."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from typing_extensions import override

from kerasviz._checks import check_count, check_type
from kerasviz.callbacks.deferred_errors import WriteErrors
from kerasviz.callbacks.layer_snapshots import may_get_layers
from kerasviz.callbacks.schedule import ScheduledCallback
from kerasviz.callbacks.writers.csv_file import Progress, StatisticsFile
from kerasviz.callbacks.writers.destinations import Folder
from kerasviz.callbacks.writers.tensorboard import EventLog
from kerasviz.compute.dead_filters import DeadFilterProbe, plan_probe
from kerasviz.compute.kernels import KernelPart, has_kernel, read_kernel, resolve_kernels
from kerasviz.logs.training_statistics import COLUMNS, STATISTICS, StatisticsRow
from kerasviz.model.addresses import NamedCall, check_form
from kerasviz.model.inputs.input_adapter import check_inputs_form

_counting = threading.Lock()


class WeightStatistics(ScheduledCallback):
    """Record statistics of the kernels of layers during training.

    `plot_training_statistics` draws them.

    Args:
        layer: A layer address, or several: a convolution, a dense layer or any other with a
            kernel. `None` is every convolution.
        inputs: A batch of what the model takes, as in `get_feature_maps`, to find dead filters; the
            more samples, the surer. Without it they are not counted.
        every: How often: an int for every N epochs, or a text such as `"100 batches"`.
        csv: A CSV file, made with its folder if need be, with one row per layer and record. Rows
            are added to a file that this callback wrote before.
        log_dir: The folder of a run in TensorBoard, as `keras.callbacks.TensorBoard` takes it. The
            scalars, such as `norm/conv2d`, go to a folder in it, `statistics`.
        batch_size: How many of the samples of `inputs` are computed at a time.

    Attributes:
        history: The records of this callback so far, whether there is a file or not: a dict of
            columns, lists of the same length, as `pandas.DataFrame` takes it.

            - `epoch`: The epoch, the first is 1.
            - `step`: Steps of training since the beginning.
            - `layer`: The layer's address.
            - `mean`, `std`, `norm`: Mean and standard deviation of the kernel's weights, and their
              Euclidean norm. Biases do not count.
            - `update_ratio`: Size of the last training step relative to the kernel's norm, see
              Notes; `None`, and empty in the file, where it was not measured.
            - `dead`: Share of filters that are dead over the samples of `inputs`, 0 to 1, see
              Notes; `None`, and empty in the file, without `inputs`, or where these give each
              filter but one value.

    Raises:
        TypeError: A keyword of the wrong type, or `inputs` of a form that no model takes.
        ValueError: A keyword cannot be used. When training begins: no layer has that address, it
            has no kernel, `inputs` does not fit the model, or `csv` is a file of something else.
            Of a model that is built by its first step and makes layers while it is built, an
            address is checked after that step.
        ImportError: `log_dir` is given and TensorFlow is not installed.
        OSError: When training begins: a file or a folder cannot be written to. Later that is a
            warning, and training goes on.

    Notes:
        The update ratio is `‖after − before‖ / ‖before‖`, the Euclidean norms of a kernel's change
        in the last step before the record and of the kernel before that step. As a rule of thumb
        it should be near 0.001: far above, steps are too large; far below, too small. 0 is a layer
        that is not trained, or a step that a scaled loss left out. Source: "CS231n: Convolutional
        Neural Networks for Visual Recognition", Stanford, notes on "Learning and Evaluation",
        "Ratio of weights:updates".

        It is of a single step, as the rule is: over many, steps partly cancel, and the change of an
        epoch divided by their number is far smaller. Where Keras takes several at once
        (`steps_per_execution`), or the optimizer gathers gradients of several
        (`gradient_accumulation_steps`), it is the change over these, divided by the number of
        updates. Where epochs are counted, Keras must know how many steps an epoch has: of a
        generator it does not, and the ratio of the first epoch is not measured.

        A filter is dead if its feature map is the same at every position for every sample of
        `inputs`, as after a ReLU that is always 0. It may respond to other samples: a few
        hundred images are good evidence, a single one is nearly none. Where a normalisation and
        an activation follow the layer, and nothing else takes what it returns, they count as a part
        of it.

        Where weights are NaN or infinite, so are their numbers, and there is one warning.

        Epochs and batches are counted on from run to run, as in `KernelSnapshots`, with a warning
        where a model that was never trained continues an old file. Training is not changed. If the
        process is killed, at most the last row is incomplete; the next run removes it.

    Example:
        >>> import keras, kerasviz, numpy as np
        >>> model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3)])
        >>> model.compile("sgd", "mse")
        >>> images, targets = np.ones((2, 8, 8, 1)), np.zeros((2, 6, 6, 4))
        >>> statistics = kerasviz.WeightStatistics(inputs=images)
        >>> _ = model.fit(images, targets, epochs=2, verbose=0, callbacks=[statistics])
        >>> statistics.history["layer"], statistics.history["dead"]
        (['conv2d', 'conv2d'], [1.0, 1.0])
    """

    def __init__(
        self,
        layer: Any = None,
        *,
        inputs: Any = None,
        every: int | str = 1,
        csv: Folder | None = None,
        log_dir: Folder | None = None,
        batch_size: int = 32,
    ) -> None:
        check_form(layer)
        if inputs is not None:
            check_inputs_form(inputs, may_be_text=isinstance(inputs, (list, tuple, dict)))
        super().__init__(every)
        for name, path in (("csv", csv), ("log_dir", log_dir)):
            check_type(name, path, (str, os.PathLike, type(None)), "a path")
        check_count("batch_size", batch_size)
        self.layer = layer
        self.inputs = inputs
        self.batch_size = batch_size
        self.history: dict[str, list[Any]] = {column: [] for column in COLUMNS}
        self._file = None if csv is None else StatisticsFile(Path(csv))
        self._log = None if log_dir is None else EventLog(os.fspath(log_dir), "statistics")
        self._errors = WriteErrors()
        self._targets: Sequence[NamedCall] = ()
        self._probe: DeadFilterProbe | None = None
        self._progress = Progress()
        self._accumulated = 1
        self._length: int | None = None
        self._ended = 0
        self._before: _Before | None = None

    # Once a run

    def check(self, model: keras.Model) -> None:
        """Refuse an address that cannot be right, of a model that the first step will build."""
        try:
            resolve_kernels(model, self.layer, has_weights)
        except ValueError:
            if not may_get_layers(model):
                raise

    def prepare(self, model: keras.Model) -> None:
        """Find the layers and what is computed of the inputs, and refuse what cannot be."""
        targets = resolve_kernels(model, self.layer, has_weights)
        for address, call in targets.targets:
            read_weights(call.layer, address)
        self._targets = targets.targets
        if self.inputs is not None:
            self._probe = plan_probe(model, targets, self.inputs)
            self._dead_shares()

    def open(self) -> int:
        """Open what is written to; return the number of the last record in it."""
        self._errors.reset()
        if self._log is not None:
            self._log.open()
        last = Progress() if self._file is None else self._file.open()
        self._progress = self._progress.or_later(last)
        return last.epoch if self.every.unit == "epoch" else last.step

    @override
    def destination(self) -> str:
        """Return where the records are to which this training adds, in words."""
        return "its `history`" if self._file is None else f"csv={str(self._file.path)!r}"

    def finish(self) -> None:
        """Close TensorBoard's file."""
        if self._log is not None:
            self._errors.guard("log_dir", self._log.finish)

    def on_train_begin(self, logs: Any = None) -> None:
        """Check everything, and get ready."""
        self._before = None
        self._accumulated = _accumulated_steps(self.model)
        self._length = (self.params or {}).get("steps")
        super().on_train_begin(logs)

    def on_train_end(self, logs: Any = None) -> None:
        """Write what is written at the end."""
        super().on_train_end(logs)
        self._targets, self._probe, self._before = (), None, None  # they hold the model

    # Counting

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Count epochs."""
        if not self._has_begun:
            skipped = Progress(epoch, epoch * (self._length or 0))
            self._progress = self._progress.or_later(skipped)
        super().on_epoch_begin(epoch, logs)
        self._progress = self._progress._replace(epoch=self._progress.epoch + 1)
        self._ended = 0
        if self.every.unit == "epoch":
            self._before = None

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Keep the weights as they are before the last step that a record is about."""
        super().on_train_batch_begin(batch, logs)
        if self._is_ready and self._before is None and self._is_last(batch):
            _ = self.model  # on JAX, asking for the model brings its weights up to date
            weights = {
                address: read_weights(call.layer, address) for address, call in self._targets
            }
            self._before = _Before(weights, self._steps_before(batch))

    def _is_last(self, batch: int) -> bool:
        """Whether there is a record after the steps that begin with this one."""
        window = max(self._stride, self._accumulated)
        if self.every.unit == "batch":
            return self.every.is_due(self._number, self._number + window)
        ends = self._length is not None and batch + window >= self._length
        return ends and self.every.is_due(self._number, self._number + 1)

    def _steps_before(self, batch: int) -> int:
        return self._number if self.every.unit == "batch" else self._progress.step + batch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Count steps; where epochs count, Keras may call this on several threads at once."""
        with _counting:
            self._ended = max(self._ended, batch + 1)
        super().on_train_batch_end(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Count the steps of the epoch."""
        # Of a call that stands for several, older versions of Keras say the first.
        steps = math.ceil(self._ended / self._stride) * self._stride
        if (self.params or {}).get("steps"):
            steps = min(steps, self.params["steps"])  # the last call may stand for fewer
        else:
            self._length = steps or None  # what Keras does not know, as with a generator
        if self.every.unit == "epoch":
            self._progress = self._progress._replace(step=self._progress.step + steps)
        super().on_epoch_end(epoch, logs)

    # Once a record

    def on_due(self, number: int) -> None:
        """Write down the numbers of each layer."""
        if self.every.unit == "epoch":
            self._progress = self._progress._replace(epoch=number)
        else:
            self._progress = self._progress._replace(step=number)
        _ = self.model  # on JAX, asking for the model brings its weights up to date
        dead = self._dead_shares()
        rows = [
            self._measure(address, call.layer, dead.get(address)) for address, call in self._targets
        ]
        self._before = None
        for row in rows:
            for column, value in zip(COLUMNS, row, strict=True):
                self.history[column].append(value)
        self._warn_of_invalid(rows)
        if self._file is not None:
            self._errors.guard("csv", partial(self._file.append, rows))
        if self._log is not None:
            scalars = dict(_scalars(rows))
            self._errors.guard("log_dir", partial(self._log.write_scalars, scalars, number))

    def _measure(self, address: str, layer: Any, dead: float | None) -> StatisticsRow:
        weights = read_weights(layer, address)
        values = weights.astype("float64")
        with np.errstate(invalid="ignore"):
            mean, std = float(values.mean()), float(values.std())
        ratio = None
        if self._before is not None:
            steps = self._progress.step - self._before.step
            updates = max(1, steps / self._accumulated)
            ratio = _ratio(self._before.weights[address], weights, updates)
        return StatisticsRow(
            epoch=self._progress.epoch,
            step=self._progress.step,
            layer=address,
            mean=mean,
            std=std,
            norm=_norm(values),
            update_ratio=ratio,
            dead=dead,
        )

    def _dead_shares(self) -> dict[str, float]:
        return {} if self._probe is None else self._probe.dead_shares(self.batch_size)

    def _warn_of_invalid(self, rows: Sequence[StatisticsRow]) -> None:
        invalid = [row.layer for row in rows if not np.isfinite(row.norm)]
        if invalid:
            self._errors.warn(
                "invalid",
                f"At {self.every.label(self._number)}, weights of {', '.join(map(repr, invalid))} "
                "are NaN or infinite.",
            )


class _Before(NamedTuple):
    """Kernels before the last step that a record is about, and how many steps came before it."""

    weights: dict[str, np.ndarray]
    step: int


def _accumulated_steps(model: keras.Model) -> int:
    """Return how many steps an update of the weights takes."""
    optimizer = getattr(model, "optimizer", None)
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)  # of a scaled loss
    return getattr(optimizer, "gradient_accumulation_steps", None) or 1


def read_weights(layer: keras.Layer | KernelPart, address: str) -> np.ndarray:
    """Return the kernel of a layer, float32; `address` is for the error.

    It has the shape that `get_kernels` says, or, of a layer that is not Keras's, its own.
    """
    kernel = None if has_kernel(layer) else _own_kernel(layer)
    if kernel is None:
        return read_kernel(layer, address)
    # A copy, since on PyTorch the array would be the weights themselves.
    return np.array(keras.ops.convert_to_numpy(keras.ops.cast(kernel, "float32")), "float32")


def has_weights(layer: keras.Layer | KernelPart) -> bool:
    """Whether `read_weights` finds a kernel."""
    return has_kernel(layer) or _own_kernel(layer) is not None


def _own_kernel(layer: keras.Layer | KernelPart) -> Any:
    """Return what a layer that is not Keras's calls its kernel, `None` where there is none."""
    kernel = getattr(layer, "kernel", None)
    is_kernel = isinstance(kernel, keras.Variable) or keras.ops.is_tensor(kernel)
    return kernel if is_kernel else None


def _norm(values: np.ndarray) -> float:
    return float(np.linalg.norm(values.astype("float64")))


def _ratio(before: np.ndarray, after: np.ndarray, updates: float) -> float:
    """Return by which part of its norm an update moved a kernel; NaN of one that is all 0."""
    with np.errstate(invalid="ignore", over="ignore"):
        moved, size = _norm(after - before), _norm(before)
    return moved / size / updates if size else float("nan")


def _scalars(rows: Sequence[StatisticsRow]) -> Iterator[tuple[str, float]]:
    """Yield the names and values of what was measured."""
    for row in rows:
        for statistic in STATISTICS:
            value = getattr(row, statistic)
            if value is not None:
                yield f"{statistic}/{row.layer}", value
