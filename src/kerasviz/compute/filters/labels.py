"""Pair batches of images with the classes that come beside them or in batches `(x, y)`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from kerasviz.compute.feature_maps import Extraction, plan_extraction
from kerasviz.model.inputs.input_adapter import is_stream, iter_labelled_batches
from kerasviz.model.inputs.labels import as_labels


def labelled_extractions(
    model: keras.Model, layer: Any, inputs: Any, labels: np.ndarray | None
) -> Iterator[tuple[Extraction, np.ndarray | None]]:
    """Yield an extraction for each batch of inputs, with the labels of its samples.

    Args:
        model: A Keras model.
        layer: A layer address, or several.
        inputs: Arrays, or batches from anything that can be iterated. Batches `(x, y)` bring their
            own labels, where `y` are classes.
        labels: The label of every sample instead.

    Raises:
        ValueError: There are more or fewer labels than samples.
    """
    if not is_stream(inputs):
        extraction = plan_extraction(model, layer, inputs)
        _check_length(labels, len(extraction.batch), is_end=True)
        yield extraction, labels
        return
    seen = 0
    for x, y in iter_labelled_batches(inputs):
        extraction = plan_extraction(model, layer, x)
        start, seen = seen, seen + len(extraction.batch)
        _check_length(labels, seen, is_end=False)
        yield extraction, _own_labels(y, seen - start) if labels is None else labels[start:seen]
    if seen:
        _check_length(labels, seen, is_end=True)


def _own_labels(targets: Any, samples: int) -> np.ndarray | None:
    """Return the targets of a batch if they are classes; they may be images, or anything."""
    if targets is None:
        return None
    try:
        labels = as_labels(targets, may_be_text=True)
    except (TypeError, ValueError):
        return None
    return labels if len(labels) == samples else None


def _check_length(labels: np.ndarray | None, samples: int, *, is_end: bool) -> None:
    if labels is not None and (len(labels) < samples or (is_end and len(labels) != samples)):
        least = "" if is_end else "at least "
        raise ValueError(
            f"`labels` must have one class for each sample, of which there are {least}{samples}. "
            f"Received: {len(labels)}"
        )
