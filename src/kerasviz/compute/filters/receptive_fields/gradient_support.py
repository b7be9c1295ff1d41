"""Find the input cells that a unit of any model depends on, by its gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from kerasviz.compute.feature_maps import feature_map_model
from kerasviz.model.backend import Differentiator, Mark
from kerasviz.model.calls import input_specs
from kerasviz.model.state import keeping_state

SAMPLES = 24
"""Random inputs: a unit of one may be silent, and has no gradient there."""
SIZE = 64
"""The size of an axis of unknown size."""


def gradient_support(
    model: keras.Model, address: str, channel_axis: int, position: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    """Return the box around the input cells whose gradient is not zero for any of random inputs.

    Args:
        model: A built model.
        address: The address of a layer.
        channel_axis: The axis of its channels.
        position: The unit, along each axis of space.

    Returns:
        `((first, after the last), ...)` for each axis of space of the first input that has them.

    Raises:
        ValueError: No input that has axes of space has a gradient.
    """
    sub_model = feature_map_model(model, address)
    specs = keras.tree.flatten(input_specs(model))
    rng = np.random.default_rng(0)
    arrays = [_random(spec, rng) for spec in specs]
    channels = sub_model.output_shape[channel_axis]

    def score(batch: Any, _: Mark) -> Any:
        maps = keras.ops.moveaxis(sub_model(batch["inputs"], training=False), channel_axis, -1)
        return keras.ops.sum(maps[(slice(None), *position)] * batch["weights"], axis=-1)

    differentiator = Differentiator(score, sub_model)
    inputs = keras.tree.pack_sequence_as(input_specs(model), arrays)
    batch = {"inputs": inputs, "weights": rng.normal(size=channels).astype("float32")}
    with keeping_state(differentiator.find_layers()):
        *_, gradients = differentiator(batch)
    for spec, gradient in zip(specs, gradients, strict=True):
        if gradient is not None and len(spec.shape) > 2 and np.any(gradient):
            return _box_around(gradient != 0)
    raise ValueError(
        f"'{address}' has no gradient with respect to an input of the model '{model.name}' that "
        "has axes of space."
    )


def _random(spec: keras.KerasTensor, rng: np.random.Generator) -> np.ndarray:
    samples, *sizes = spec.shape
    array = rng.normal(size=(samples or SAMPLES, *(n or SIZE for n in sizes)))
    return np.abs(array).astype(spec.dtype) if "int" in spec.dtype else array.astype("float32")


def _box_around(mask: np.ndarray) -> tuple[tuple[int, int], ...]:
    """Return the box around the true values of `(samples, *space, channels)`."""
    mask = np.asarray(mask.any(axis=(0, -1)))
    boxes = []
    for axis in range(mask.ndim):
        along = np.flatnonzero(mask.any(axis=tuple(a for a in range(mask.ndim) if a != axis)))
        boxes.append((int(along[0]), int(along[-1]) + 1))
    return tuple(boxes)
