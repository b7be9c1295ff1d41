"""Decide when a callback acts: every N epochs or batches, counted on from run to run."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import Any

import keras
from typing_extensions import override

from kerasviz._checks import check_count, check_type, suggest
from kerasviz.logs.snapshots import DIGITS, Unit, step_name

MAX_DIGITS = 12
"""The most digits of a number in a string for `every`."""


@dataclass(frozen=True)
class Interval:
    """An interval of `count` epochs or batches."""

    count: int
    unit: Unit

    def is_due(self, before: int, after: int) -> bool:
        """Whether a multiple of `count` is in (before, after]."""
        return after // self.count > before // self.count

    def label(self, number: int) -> str:
        """Return the words of a title: `"epoch 12"`."""
        return f"{self.unit} {number}"

    def stem(self, number: int) -> str:
        """Return the part of a file's name: `"epoch-0012"`."""
        return step_name(self.unit, number)

    @property
    def stem_pattern(self) -> str:
        """A regular expression for `stem`, with the number as its group."""
        return rf"{self.unit}-(\d{{{DIGITS[self.unit]},}})"


def parse_interval(every: int | str) -> Interval:
    """Return what `every` means: an integer counts epochs, `"100 batches"` counts batches."""
    if not isinstance(every, str):
        check_type("every", every, (int,), "a number of epochs, or a string such as '100 batches'")
        check_count("every", every)
        return Interval(every, "epoch")
    match = re.fullmatch(rf"\s*(\d{{1,{MAX_DIGITS}}})\s+(epoch|batch)(?:s|es)?\s*", every)
    if not match or not int(match[1]):
        number = re.search(rf"[1-9]\d{{,{MAX_DIGITS - 1}}}", every)
        options = [f"{number[0] if number else 1} {word}" for word in ("epochs", "batches")]
        raise ValueError(
            "`every` must be a positive number of epochs, or a string such as '2 epochs' or "
            f"'100 batches'.{suggest(every, options)} Received: every={every!r}"
        )
    return Interval(int(match[1]), "epoch" if match[2] == "epoch" else "batch")


class ScheduledCallback(keras.callbacks.Callback):
    """A Keras callback that acts every N epochs or batches.

    A subclass fills in `check`, `prepare`, `open`, `on_due` and `finish`. Epochs and batches
    are numbered by how many were trained when it acts. A later run goes on counting, be it another
    `fit` with the same callback, one with `initial_epoch`, or one that finds what was written
    before.

    Args:
        every: The caller's `every`.

    Attributes:
        every: The interval.
    """

    every: Interval
    async_safe: bool

    def __init__(self, every: int | str) -> None:
        super().__init__()
        self.every = parse_interval(every)
        # Where Keras calls callbacks for batches beside the training, it waits for those that are
        # not said to be safe. Where epochs count, nothing is done for a batch.
        self.async_safe = self.every.unit == "epoch"
        self._number = 0
        self._updates: int | None = None
        self._batches = 0
        self._begun = -1
        self._stride = 1
        self._has_begun = False
        self._is_ready = False

    def check(self, model: keras.Model) -> None:
        """Refuse, before the first step, what is wrong whatever a model will be built of."""

    def prepare(self, model: keras.Model) -> None:
        """Get ready before the first step, or right after it for a model that it builds."""

    def open(self) -> int:
        """Open what is written to; return the number of the last epoch or batch in it."""
        return 0

    def destination(self) -> str:
        """Return where the records are to which this training adds, in words."""
        return ""

    def on_due(self, number: int) -> None:
        """Do what is due after this number of epochs or batches."""

    def finish(self) -> None:
        """Write what has not been written yet. May be called at any time, and more than once."""

    def close(self) -> None:
        """Write what is written at the end, where training was interrupted and Keras did not."""
        self.finish()

    @override
    def on_train_begin(self, logs: Any = None) -> None:
        """Check everything, and get ready."""
        self.finish()  # the run before may have been interrupted
        self._has_begun = self._is_ready = False
        model = self.model
        self._stride = getattr(model, "steps_per_execution", 1)
        if model.built:
            self._get_ready()
        else:
            self.check(model)
        self._number = max(self._number, self.open())
        self._updates = count_updates(model)

    @override
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Find the number at which a run begins."""
        self._batches = 0
        if not self._has_begun:
            self._has_begun = True
            if epoch == 0:
                self._warn_of_another_training()
            length = 1 if self.every.unit == "epoch" else (self.params or {}).get("steps") or 0
            self._number = max(self._number, epoch * length)

    def _warn_of_another_training(self) -> None:
        """Warn where a model that was never trained would go on from what is there."""
        where = self.destination()
        if where and self._number and self._updates == 0:
            warnings.warn(
                f"{type(self).__name__} goes on from {self.every.label(self._number)} of an "
                f"earlier training, in {where}, but the optimizer of this model has taken no step "
                "yet. A new training needs a new place and a new callback; one that goes on with "
                "loaded weights says so by `initial_epoch`.",
                stacklevel=2,
            )

    @override
    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Check what could not be checked before the first step had built the model."""
        self._begun = batch
        if batch and not self._is_ready:
            self._get_ready()

    @override
    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Count batches; one call may stand for several."""
        if self.every.unit == "batch":
            batches = self._batches_until(batch)
            self._advance(batches - self._batches)
            self._batches = batches

    def _batches_until(self, batch: int) -> int:
        """Return how many batches of the epoch are over when a call ends.

        Of a call that stands for several batches, older versions of Keras say the first, and newer
        ones the last.
        """
        if batch != self._begun or self._stride == 1:
            return batch + 1
        steps = (self.params or {}).get("steps")
        return min(batch + self._stride, steps or batch + self._stride)

    @override
    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Count epochs."""
        if self.every.unit == "epoch":
            self._advance(1)

    @override
    def on_train_end(self, logs: Any = None) -> None:
        """Write what is written at the end."""
        self.finish()

    def _advance(self, steps: int) -> None:
        if not self._is_ready:
            self._get_ready()
        before, self._number = self._number, self._number + steps
        if self.every.is_due(before, self._number):
            self.on_due(self._number)

    def _get_ready(self) -> None:
        self.prepare(self.model)
        self._is_ready = True


def count_updates(model: keras.Model) -> int | None:
    """Return how many steps the optimizers of a model have taken; `None` if it has none.

    A model with a `train_step` of its own may have several, as attributes.
    """
    optimizers = [
        value
        for value in [getattr(model, "optimizer", None), *vars(model).values()]
        if isinstance(value, keras.optimizers.Optimizer)
    ]
    if not optimizers:
        return None
    # An optimizer that scales the loss leaves the steps to the one inside.
    inner = [getattr(optimizer, "inner_optimizer", optimizer) for optimizer in optimizers]
    return max(int(keras.ops.convert_to_numpy(optimizer.iterations)) for optimizer in inner)
