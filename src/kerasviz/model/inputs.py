"""A user's inputs to a batch that the model takes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import keras
import numpy as np

from kerasviz.model.calls import input_specs
from kerasviz.model.layers import Shape, has_inputs


@dataclass(frozen=True)
class InputBatch:
    """Arrays with a batch axis, in the structure that the model takes."""

    arrays: tuple[np.ndarray, ...]
    structure: Any

    def __len__(self) -> int:
        return len(self.arrays[0])

    def part(self, start: int, stop: int) -> InputBatch:
        """Return some of the samples."""
        return replace(self, arrays=tuple(array[start:stop] for array in self.arrays))

    def specs(self, model: keras.Model) -> Any:
        """Return what a model would be called on, as a structure of `keras.KerasTensor`."""
        tensors = [
            keras.KerasTensor(
                (None, *array.shape[1:]),
                model.input_dtype if array.dtype.kind == "f" else str(array.dtype),
            )
            for array in self.arrays
        ]
        specs = keras.tree.pack_sequence_as(self.structure, tensors)
        if isinstance(specs, dict):
            for key, tensor in specs.items():
                tensor.name = key
        return specs

    def packed(self) -> Any:
        """Return the arrays in the model's own structure."""
        return keras.tree.pack_sequence_as(self.structure, list(self.arrays))


def prepare_inputs(model: keras.Model, inputs: Any) -> InputBatch:
    """Fit a user's inputs to a model: add a missing batch or channel axis, check the rest.

    Raises:
        TypeError: An input holds no numbers.
        ValueError: An input has the wrong rank or size, there is none, or there are no samples.
    """
    specs = input_specs(model)
    if specs is None or not has_inputs(model):
        return _fit_freely(model, specs, inputs)
    tensors = keras.tree.flatten(specs)
    if len(tensors) == 1:
        shape = tuple(tensors[0].shape)
        return _batch([_fit(_only(inputs, tensors[0]), shape, "`inputs`")], specs)
    given = {id(tensor): value for tensor, value in _pair(specs, inputs)}
    arrays = [
        _fit(_as_array(given[id(tensor)]), tuple(tensor.shape), f"The input '{tensor.name}'")
        for tensor in tensors
    ]
    return _batch(arrays, specs)


def check_inputs_form(inputs: Any, *, may_be_text: bool = False) -> None:
    """Raise for inputs of a form that can never be used, which is known without a model.

    Args:
        inputs: What a user gave.
        may_be_text: Whether strings may be text, and not paths.

    Raises:
        TypeError: Inputs that are symbolic, batches to iterate over, or a path.
    """
    if isinstance(inputs, (str, os.PathLike)) and not may_be_text:
        what = "load the image of a path with keras.utils.load_img"
    elif isinstance(inputs, keras.KerasTensor):
        what = "a symbolic tensor holds no numbers"
    elif is_stream(inputs):
        what = "give one batch, without its labels"
    else:
        return
    raise TypeError(f"`inputs` must be arrays: {what}. Received: inputs={inputs!r:.80}")


def is_stream(inputs: Any) -> bool:
    """Whether inputs are batches to iterate over, and no arrays."""
    if isinstance(inputs, keras.utils.PyDataset):
        return True
    given = isinstance(inputs, (list, tuple, dict, str, bytes)) or hasattr(inputs, "__array__")
    return not given and not keras.ops.is_tensor(inputs) and isinstance(inputs, Iterable)


def iter_batches(stream: Any) -> Iterator[Any]:
    """Yield the inputs in each batch of a stream, without targets and sample weights."""
    if isinstance(stream, keras.utils.PyDataset):
        numbers = count() if stream.num_batches is None else range(stream.num_batches)
        stream = map(stream.__getitem__, numbers)
    for batch in stream:
        yield keras.utils.unpack_x_y_sample_weight(batch)[0]


def _fit_freely(model: keras.Model, specs: Any, inputs: Any) -> InputBatch:
    """Fit inputs to a model that takes what it is called on: one that is subclassed or unbuilt."""
    several = isinstance(inputs, dict) or (
        specs is not None and keras.tree.is_nested(specs) and isinstance(inputs, (list, tuple))
    )
    if several:
        arrays = [_as_array(value) for value in keras.tree.flatten(inputs)]
        return _batch(arrays, keras.tree.map_structure(lambda _: 0, inputs))
    array = _as_array(inputs)
    shape = _guess_shape(model, array)
    if specs is not None and not keras.tree.is_nested(specs):
        built_for = tuple(specs.shape)
        if array.ndim != len(built_for):
            shape = built_for
    return _batch([_fit(array, shape, "`inputs`")], 0)


def _guess_shape(model: keras.Model, array: np.ndarray) -> Shape:
    """Return the batch shape that an array stands for, where the model has none to fit."""
    specs = keras.tree.flatten(getattr(model.layers[0], "input_spec", None)) if model.layers else []
    least = specs[0].min_ndim if len(specs) == 1 and specs[0] is not None else None
    if least is not None and array.ndim == least - 1:
        is_sample = array.shape[-1] in (1, 3, 4)
        return (None, *array.shape) if is_sample else (None, *array.shape[1:], 1)
    return (None, *array.shape[1:])


def _batch(arrays: list[np.ndarray], structure: Any) -> InputBatch:
    lengths = {len(array) for array in arrays}
    if len(lengths) > 1:
        raise ValueError(
            "`inputs` must have as many samples in each input. "
            f"Received: {', '.join(str(len(array)) for array in arrays)}"
        )
    if lengths == {0}:
        raise ValueError(
            f"`inputs` must hold at least one sample. Received: an array of shape {arrays[0].shape}"
        )
    return InputBatch(tuple(arrays), structure)


def _as_array(value: Any) -> np.ndarray:
    try:
        array = np.asarray(
            keras.ops.convert_to_numpy(value) if keras.ops.is_tensor(value) else value
        )
    except ValueError as error:
        raise ValueError(f"`inputs` must be an array that is not ragged. {error}") from error
    if array.dtype == object or (array.dtype.kind in "SU" and not array.ndim):
        raise TypeError(f"`inputs` must hold numbers. Received: inputs={value!r:.80}")
    return array


def _only(inputs: Any, tensor: Any) -> np.ndarray:
    """Return the array for a model with one input, which may stand in a list or dict of one."""
    if isinstance(inputs, dict):
        ((_, inputs),) = _pair({tensor.name: tensor}, inputs)
    elif isinstance(inputs, (list, tuple)) and len(inputs) == 1:
        inner = _as_array(inputs[0])
        if inner.ndim >= len(tensor.shape) - 1:
            return inner
    return _as_array(inputs)


def _pair(structure: Any, inputs: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each symbolic input of a structure with what the user gave for it."""
    if not isinstance(structure, (dict, list, tuple)):
        yield structure, inputs
        return
    names = [tensor.name for tensor in keras.tree.flatten(structure)]
    if isinstance(inputs, dict):
        if not isinstance(structure, dict):
            structure = dict(zip(names, keras.tree.flatten(structure), strict=True))
        if set(inputs) != set(structure):
            raise ValueError(
                f"`inputs` must have the keys {', '.join(map(repr, structure))}. "
                f"Received: {', '.join(map(repr, inputs))}"
            )
        parts = [(structure[key], inputs[key]) for key in structure]
    else:
        values = list(structure.values()) if isinstance(structure, dict) else structure
        if not isinstance(inputs, (list, tuple)) or len(inputs) != len(values):
            received = len(inputs) if isinstance(inputs, (list, tuple)) else type(inputs).__name__
            raise ValueError(
                f"`inputs` must be a list or dict of {len(values)}, for the model's inputs "
                f"{', '.join(map(repr, names))}. Received: {received}"
            )
        parts = list(zip(values, inputs, strict=True))
    for part, value in parts:
        yield from _pair(part, value)


def _fit(array: np.ndarray, shape: Shape, name: str) -> np.ndarray:
    """Add the axes that an array lacks to fit the shape of a batch."""
    sample = shape[1:]
    candidates = [array]
    if array.ndim == len(sample):
        candidates = [array[np.newaxis]]
        if sample and sample[-1] == 1:
            candidates.append(array[..., np.newaxis])
    elif array.ndim == len(sample) - 1 and sample[-1] == 1:
        candidates = [array[np.newaxis, ..., np.newaxis]]
    for candidate in candidates:
        if candidate.ndim == len(shape) and all(
            wanted in (None, size) for wanted, size in zip(sample, candidate.shape[1:], strict=True)
        ):
            return candidate
    wanted = ", ".join(["samples", *("any" if n is None else str(n) for n in sample)])
    raise ValueError(
        f"{name} must have the shape ({wanted}), or be one sample without the first axis. "
        f"Received: an array of shape {array.shape}"
    )
