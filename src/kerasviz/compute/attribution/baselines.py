"""Baselines: what an input is compared with, as the caller names it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kerasviz._checks import check_choice

FORMS = "a number, an array, a list of these or None"


def make_baselines(
    baseline: Any,
    inputs: Sequence[np.ndarray],
    *,
    names: Sequence[str],
    channel_axes: Sequence[int],
    cell_axes: Sequence[int],
) -> list[tuple[np.ndarray, ...]]:
    """Return the baselines that were named, each as arrays of the inputs' shapes.

    Args:
        baseline: The caller's `baseline`.
        inputs: The inputs, channels last.
        names: The name of each.
        channel_axes: For each, the axis of its channels in the caller's arrays.
        cell_axes: For each, how many axes of cells it has.

    Raises:
        TypeError: `baseline` is of no form that there is.
        ValueError: `baseline` does not fit the inputs.
    """
    items = baseline if isinstance(baseline, list) else [baseline]
    if not items:
        raise ValueError("`baseline` must name at least one. Received: baseline=[]")
    return [
        tuple(
            _make(part, x, axis, cells)
            for part, x, axis, cells in zip(
                _of_inputs(item, names), inputs, channel_axes, cell_axes, strict=True
            )
        )
        for item in items
    ]


def check_answers(answers: np.ndarray) -> None:
    """Raise `ValueError` where the model does not return numbers for what is replaced."""
    if np.isnan(answers).any():
        raise ValueError(
            "`baseline` must be one for which the model returns numbers; where 0 is padding, name "
            "another, or leave out the evidence with evidence=False. "
            "Received: one for which the score is NaN"
        )


def _of_inputs(baseline: Any, names: Sequence[str]) -> list[Any]:
    """Return one baseline for each input."""
    if isinstance(baseline, Mapping):
        if set(baseline) != set(names):
            raise ValueError(
                "`baseline` must have the names of the inputs where it is a dict, "
                f"{', '.join(map(repr, names))}. Received: a dict of "
                f"{', '.join(map(repr, baseline)) or 'nothing'}"
            )
        return [baseline[name] for name in names]
    if len(names) > 1 and np.ndim(baseline) > 0:
        raise ValueError(
            f"`baseline` must be {FORMS}, or a dict of these by the names of the inputs, "
            f"{', '.join(map(repr, names))}. Received: an array for {len(names)} inputs"
        )
    return [baseline] * len(names)


def _make(baseline: Any, x: np.ndarray, axis: int, cells: int) -> np.ndarray:
    if baseline is None:
        return np.broadcast_to(np.zeros((), x.dtype), x.shape)
    if isinstance(baseline, str):
        check_choice("baseline", baseline, ("mean", "blur"), FORMS)
        if baseline == "blur" and not cells:
            raise ValueError(
                "`baseline` must be 'mean', a number or an array for an input without cells, which "
                f"cannot be blurred. Received: baseline='blur' for an input of shape {x.shape}"
            )
        return channel_means(x, cells) if baseline == "mean" else _blur(x, cells)
    array = np.asarray(baseline)
    if array.dtype.kind not in "iuf":
        raise TypeError(
            f"`baseline` must be 'mean', 'blur', {FORMS}. Received: baseline={baseline!r:.200}"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"`baseline` must be finite. Received: baseline={baseline!r:.200}")
    if not array.ndim:
        return np.broadcast_to(array.astype(x.dtype), x.shape)
    own = np.moveaxis(x, -1, axis)  # as the model takes it
    if array.shape not in (own.shape, own.shape[1:]):
        raise ValueError(
            f"`baseline` must have the shape of a sample, {own.shape[1:]}, or of all, {own.shape}. "
            f"Received: an array of shape {array.shape}"
        )
    return np.moveaxis(np.broadcast_to(array.astype(x.dtype), own.shape), axis, -1)


def channel_means(x: np.ndarray, cells: int) -> np.ndarray:
    """Return the mean of all inputs: of each channel, or of each feature of what has no cells."""
    has_channels = x.ndim > 1 + cells
    channels = x.ndim - 1 if has_channels else x.ndim
    mean = x.mean(axis=tuple(axis for axis in range(x.ndim) if axis != channels), dtype="float64")
    return np.broadcast_to(mean.astype(x.dtype), x.shape)


def _blur(x: np.ndarray, cells: int) -> np.ndarray:
    """Return inputs blurred by a Gaussian of a tenth of their size; edges are continued."""
    blurred = x.astype("float64")
    for axis in range(1, 1 + cells):
        length = x.shape[axis]
        sigma = max(length / 10, 0.5)
        offsets = np.arange(-round(3 * sigma), round(3 * sigma) + 1)
        weights = np.exp(-0.5 * (offsets / sigma) ** 2)
        total = np.zeros_like(blurred)
        for offset, weight in zip(offsets, weights / weights.sum(), strict=True):
            index = np.clip(np.arange(length) + offset, 0, length - 1)
            total += weight * np.take(blurred, index, axis)
        blurred = total
    return blurred.astype(x.dtype)
