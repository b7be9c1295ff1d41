"""Read the classes of samples, which come beside inputs or in batches `(x, y)`."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


def as_labels(labels: Any, *, may_be_text: bool = False) -> np.ndarray:
    """Return the class of each sample, `(samples,)`, as integers or text.

    Args:
        labels: Classes `(samples,)` or `(samples, 1)`, or one-hot `(samples, classes)`.
        may_be_text: Whether the names of classes will do.

    Raises:
        TypeError: They are not classes.
        ValueError: They are rows of numbers that are not one-hot.
    """
    array = _as_array(labels)
    is_number = array.dtype.kind in "biuf"
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 2 and array.shape[1] and is_number:
        if not np.all((array != 0).sum(axis=1) == 1):
            raise ValueError(
                "`labels` must be classes or one-hot. Received: an array of shape "
                f"{array.shape}, whose rows are not one-hot"
            )
        return np.asarray(array.argmax(axis=1))
    if array.ndim == 1 and array.dtype.kind in "US" and may_be_text:
        return array.astype(str)
    is_whole = array.dtype.kind == "f" and np.array_equal(array, np.floor(array))
    if array.ndim == 1 and (array.dtype.kind in "biu" or is_whole):
        return array.astype(int)
    kinds = "integers or text" if may_be_text else "integers"
    raise TypeError(
        f"`labels` must be the class of each sample, {kinds} of shape (samples,), or one-hot, "
        f"(samples, classes). Received: {_describe(labels, array)}"
    )


def _as_array(labels: Any) -> np.ndarray:
    is_tensor = keras.ops.is_tensor(labels)
    try:
        return np.asarray(keras.ops.convert_to_numpy(labels) if is_tensor else labels)
    except ValueError:  # ragged
        return np.empty((), object)


def _describe(labels: Any, array: np.ndarray) -> str:
    if array.ndim == 0:
        return f"labels={labels!r:.80}"
    return f"an array of shape {array.shape} and dtype {array.dtype}"
