"""Find the best epoch of a training, by the metric that is monitored."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from kerasviz.logs.runs import Run

Direction = Literal["min", "max"]

HIGH_IS_GOOD = re.compile(
    "_(acc|accuracy|auc|auroc|bleu|correlation|dice|f1|fbeta|fscore|io_u|iou|jaccard|precision|"
    "psnr|r2|recall|score|sensitivity|similarity|specificity|ssim|true_negatives|true_positives)_"
)
LOW_IS_GOOD = re.compile(
    "_(crossentropy|deviation|distance|divergence|entropy|error|false_negatives|false_positives|"
    "hinge|log_cosh|logcosh|mae|mape|mse|msle|perplexity|poisson|rmse)_|_loss_$"
)


@dataclass(frozen=True, kw_only=True)
class Best:
    """The epoch in which the monitored metric was best, and whether that is low or high."""

    epoch: int
    monitor: str
    direction: Direction


def find_best(run: Run, monitor: str, mode: Direction | Literal["auto"]) -> Best | None:
    """Return a run's best epoch: the first of equal ones, as Keras's callbacks keep it.

    Args:
        run: The values of the training.
        monitor: A metric; "auto" is the loss of validation, or of training where there is none.
        mode: Whether low or high values are good; "auto" by the metric's name.

    Returns:
        The epoch, or `None` where the metric was not computed or was never finite.

    Raises:
        ValueError: The name does not tell whether high values are good.
    """
    names = ("val_loss", "loss") if monitor == "auto" else (monitor,)
    name = next((name for name in names if name in run.series or name in run.lengths), None)
    if name is None or name in run.lengths:
        return None
    direction = guess_direction(name) if mode == "auto" else mode
    if direction is None:
        raise ValueError(
            f"`mode` must be 'min' or 'max', since the name {name!r} does not tell whether high "
            "values are good. Received: mode='auto'"
        )
    series = run.series[name]
    finite = np.isfinite(series.values)
    if not finite.any():
        return None
    index = (np.argmin if direction == "min" else np.argmax)(series.values[finite])
    epoch = int(series.epochs[finite][index])
    return Best(epoch=epoch, monitor=name, direction=direction)


def guess_direction(name: str) -> Direction | None:
    """Return whether low or high values are good by a metric's name, `None` if it does not tell."""
    words = f"_{name.lower()}_"
    words = re.sub(r"_\d+_$", "_", words)  # Keras numbers metrics of the same name
    low = bool(LOW_IS_GOOD.search(words))
    # A loss that is named after a score has to be low: "dice" is good where it is high, and
    # "dice_loss" where it is low.
    high = bool(HIGH_IS_GOOD.search(words)) and not words.endswith("_loss_")
    if low == high:
        return None
    return "min" if low else "max"
