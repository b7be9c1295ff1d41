"""Find the signal behind maps that are sequences: an input of the model, or the caller's array."""

from __future__ import annotations

import keras
import numpy as np

from kerasviz.compute.feature_maps import Extraction
from kerasviz.plots._maps.background import Background, find_input

MAX_CHANNELS = 6
"""Curves of more channels than these could not be told apart."""

PICTURES_NDIM = 4
"""From how many axes on an array can be pictures alone."""


def may_be_signal(background: Background) -> bool:
    """Whether the caller's array may be signals; with more axes it is pictures."""
    return isinstance(background.picture, np.ndarray) and background.picture.ndim < PICTURES_NDIM


def find_signals(
    extraction: Extraction, background: Background, indices: np.ndarray, *, steps: int
) -> np.ndarray | None:
    """Return the signals of the samples that are drawn, or `None` where there are none.

    Args:
        extraction: What is drawn, with all samples.
        background: The keywords about pictures, which for a sequence are those about signals.
        indices: The indices of the samples.
        steps: The number of steps of the maps.

    Returns:
        Array `(samples, steps, channels)`.

    Raises:
        ValueError: It cannot be told which input is the signal, or there is none and one is needed.
    """
    if isinstance(background.picture, np.ndarray):
        if not background.is_beneath and not may_be_signal(background):
            return None
        return _of_caller(background.picture, len(extraction.batch), indices)
    arrays = extraction.batch.arrays
    names = [str(tensor.name) for tensor in keras.tree.flatten(extraction.specs)]
    signals = {i: _as_signals(array, steps) for i, array in enumerate(arrays)}
    candidates = {i: signal for i, signal in signals.items() if signal is not None}
    if background.picture is not None:
        index = find_input(background.picture, names)
        if index in candidates:
            return np.asarray(candidates[index][indices])
        if not background.is_beneath:
            return None
        candidates = {}
    if background.is_beneath and len(candidates) != 1:
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise ValueError(
            "`overlay` can be True where one input is a signal of shape (samples, steps, channels) "
            f"with at most {MAX_CHANNELS} channels, and `picture` can name it; else it must be the "
            f"signal itself. Received: overlay=True, inputs of shape {shapes}"
        )
    if len(candidates) != 1:
        return None
    return np.asarray(next(iter(candidates.values()))[indices])


def _as_signals(array: np.ndarray, steps: int) -> np.ndarray | None:
    """Return an input as signals `(samples, steps, channels)`, if it is like some.

    Whole numbers without an axis of channels are tokens, whose indices are no curve.
    """
    if array.dtype.kind not in "biuf":
        return None
    if array.ndim == 2 and array.shape[1] >= steps > 1 and not (array == np.rint(array)).all():
        return array[..., np.newaxis]
    if array.ndim == 3 and array.shape[1] > 1 and array.shape[2] <= MAX_CHANNELS:
        return array
    return None


def _of_caller(array: np.ndarray, total: int, indices: np.ndarray) -> np.ndarray:
    """Return the caller's signals of the samples that are drawn."""
    if array.ndim == 1:
        array = array[np.newaxis, :, np.newaxis]
    elif array.ndim == 2 and len(array) == total and total > 1:
        array = array[..., np.newaxis]
    elif array.ndim == 2:
        array = array[np.newaxis]
    if array.ndim != 3 or array.shape[2] > MAX_CHANNELS or array.shape[1] < 2:
        raise ValueError(
            "A signal must have the shape (steps,) or (steps, channels), with at most "
            f"{MAX_CHANNELS} channels, with an axis for the samples before these where there are "
            f"several. Received: an array of shape {array.shape}"
        )
    if len(array) == total:
        return np.asarray(array[indices])
    if len(array) > 1 or len(indices) > 1:
        raise ValueError(
            f"The signal must be one for each of the {total} samples in `inputs`, or one where one "
            f"sample is drawn. Received: {len(array)} for {len(indices)} drawn"
        )
    return array
