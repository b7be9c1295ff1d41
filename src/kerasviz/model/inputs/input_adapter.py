"""A user's inputs to a batch that the model takes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from numbers import Number
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kerasviz.model.backend import is_inside_graph
from kerasviz.model.calls import input_specs
from kerasviz.model.graph import has_inputs
from kerasviz.model.inputs.image_files import MODES, image_shape, read_images
from kerasviz.model.layer_call import Shape


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

    def take(self, indices: np.ndarray) -> InputBatch:
        """Return the samples of some indices, in their order."""
        return replace(self, arrays=tuple(array[indices] for array in self.arrays))

    def specs(self, model: keras.Model) -> Any:
        """Return what a model would be called on, as a structure of `keras.KerasTensor`."""
        tensors = [
            keras.KerasTensor(
                (None, *array.shape[1:]),
                _dtype_name(model, array),
            )
            for array in self.arrays
        ]
        specs = keras.tree.pack_sequence_as(self.structure, tensors)
        if isinstance(specs, dict):
            for path, tensor in keras.tree.flatten_with_path(specs):
                tensor.name = "_".join(map(str, path))
        return specs

    def packed(self) -> Any:
        """Return the arrays in the model's own structure."""
        return keras.tree.pack_sequence_as(self.structure, list(self.arrays))


def _dtype_name(model: keras.Model, array: np.ndarray) -> str:
    """Return the dtype with which an array reaches a model that declares none."""
    if array.dtype.kind == "f":
        return str(model.input_dtype)
    return "string" if array.dtype.kind in "SU" else str(array.dtype)


def prepare_inputs(model: keras.Model, inputs: Any) -> InputBatch:
    """Fit a user's inputs to a model: add a missing batch or channel axis, check the rest.

    Of a data set the first batch is taken, and image files are read.

    Raises:
        TypeError: An input holds no numbers, or has a form that no model takes.
        ValueError: An input has the wrong rank or size, there is none, there are no samples, or the
            model has no `call`.
        RuntimeError: This is called from within a `tf.function` or a `tf.Graph`.
    """
    check_is_eager()
    check_has_call(model)
    if is_stream(inputs):
        check_inputs_form(inputs)
        inputs = _first_batch(inputs)
    try:
        check_inputs_form(inputs, may_be_text=_takes_text(model))
        return _prepare(model, inputs)
    except (TypeError, ValueError) as error:
        if _is_with_targets(model, inputs):
            raise ValueError(
                "`inputs` must be x alone, without labels or other targets, as for model.predict. "
                f"Received: a {type(inputs).__name__} of {len(inputs)}, like (x, y)"
            ) from error
        raise


def _prepare(model: keras.Model, inputs: Any) -> InputBatch:
    specs = input_specs(model)
    if specs is None or not has_inputs(model):
        return _fit_freely(model, specs, inputs)
    tensors = keras.tree.flatten(specs)
    values = {id(tensor): value for tensor, value in _pair(specs, inputs)}
    single = len(tensors) == 1
    arrays = [
        _fit(
            _as_array(values[id(tensor)], tensor),
            tuple(tensor.shape),
            "`inputs`" if single else f"The input '{tensor.name}'",
        )
        for tensor in tensors
    ]
    return _batch(arrays, specs)


def check_is_eager() -> None:
    """Raise `RuntimeError` within a `tf.function` or a `tf.Graph`, where no value exists."""
    if is_inside_graph():
        raise RuntimeError(
            "kerasviz must be called in eager mode: outside of a tf.function, a tf.Graph and "
            "Dataset.map."
        )


def check_has_call(model: keras.Model) -> None:
    """Raise `ValueError` for a model of parts that has no `call`, as many with a `train_step`."""
    if type(model).call is not keras.Model.call:
        return
    # PyTorch's modules do not keep those that they hold among their attributes.
    children = model.named_children() if hasattr(model, "named_children") else vars(model).items()
    parts = {
        name: value
        for name, value in children
        if isinstance(value, keras.Layer) and not name.startswith("_")
    }
    models = [name for name, value in parts.items() if isinstance(value, keras.Model)]
    names = [f"model.{name}" for name in models or parts]
    hint = f": look into one of its parts, such as {' or '.join(names[:3])}" if names else ""
    raise ValueError(
        f"The model '{model.name}' has no `call` method, so it computes nothing by itself{hint}. "
        f"Received: a {type(model).__name__}"
    )


def check_inputs_form(inputs: Any, *, may_be_text: bool = False) -> None:
    """Raise for inputs of a form that can never be used, which is known without a model.

    Args:
        inputs: What a user gave.
        may_be_text: Whether strings may be text, and not paths.

    Raises:
        TypeError: Inputs that are symbolic, hold no real numbers, can be read only once, or are
            paths of files that are not there.
    """
    _refuse_cluster_dataset(inputs)
    if isinstance(inputs, Iterator):
        raise TypeError(
            "`inputs` must be one batch; give next(inputs), or all of them to iter_feature_maps. "
            f"Received: an iterator, {type(inputs).__name__}"
        )
    for value in _leaves(inputs):
        if isinstance(value, keras.KerasTensor):
            raise TypeError(
                "`inputs` must hold numbers, such as an array of images, and not be symbolic. "
                f"Received: the KerasTensor '{value.name}' of shape {tuple(value.shape)}"
            )
        if isinstance(value, (str, os.PathLike)) and not may_be_text:
            _check_is_file(value)
        dtype = getattr(value, "dtype", None)
        if isinstance(dtype, np.dtype):
            _check_dtype(dtype, value, "complex64", may_be_text=True)


def _leaves(inputs: Any) -> Iterator[Any]:
    """Yield what containers hold; of lists of numbers, the innermost lists."""
    if isinstance(inputs, dict):
        inputs = list(inputs.values())
    if isinstance(inputs, (list, tuple)) and not (inputs and isinstance(inputs[0], Number)):
        for item in inputs:
            yield from _leaves(item)
    else:
        yield inputs


def is_stream(inputs: Any) -> bool:
    """Whether inputs are batches to iterate over, and no arrays.

    Raises:
        TypeError: They are a data set of Ray, which only functions take that compute on its
            cluster.
    """
    _refuse_cluster_dataset(inputs)
    if isinstance(inputs, keras.utils.PyDataset):
        return True
    is_data = isinstance(
        inputs, (list, tuple, dict, str, bytes, os.PathLike, keras.KerasTensor)
    ) or hasattr(inputs, "__array__")
    return not is_data and not keras.ops.is_tensor(inputs) and isinstance(inputs, Iterable)


def _refuse_cluster_dataset(inputs: Any) -> None:
    if type(inputs).__module__.startswith("ray.data."):
        raise TypeError(
            "`inputs` must be arrays, or batches that can be iterated. Received: a data set of "
            "Ray, which only filter_statistics and save_feature_maps take, and the plots that are "
            "drawn from statistics of one layer"
        )


def iter_batches(stream: Any) -> Iterator[Any]:
    """Yield the inputs in each batch of a stream, without targets and sample weights."""
    for inputs, _ in iter_labelled_batches(stream):
        yield inputs


def iter_labelled_batches(stream: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the inputs and the targets in each batch of a stream, `None` where it has no targets.

    Sample weights are left out.
    """
    if isinstance(stream, keras.utils.PyDataset):
        indices = count() if stream.num_batches is None else range(stream.num_batches)
        stream = map(stream.__getitem__, indices)
    for batch in stream:
        inputs, targets, _ = keras.utils.unpack_x_y_sample_weight(batch)
        yield inputs, targets


def _first_batch(stream: Any) -> Any:
    for batch in iter_batches(stream):
        return batch
    raise ValueError("`inputs` must hold at least one batch. Received: none")


def _is_with_targets(model: keras.Model, inputs: Any) -> bool:
    """Whether inputs look like `(x, y)` or `(x, y, sample_weight)`, as `model.fit` takes them."""
    if not isinstance(inputs, (list, tuple)) or len(inputs) not in (2, 3):
        return False
    if isinstance(inputs[1], (str, os.PathLike)):
        return False
    try:
        return len(_prepare(model, inputs[0])) == len(inputs[1])
    except (TypeError, ValueError):
        return False


def _fit_freely(model: keras.Model, specs: Any, inputs: Any) -> InputBatch:
    """Fit inputs to a model that takes what it is called on: one that is subclassed or unbuilt."""
    text = _takes_text(model)
    if isinstance(inputs, dict) or _are_several(model, specs, inputs):
        arrays = [_as_array(value, may_be_text=text) for value in keras.tree.flatten(inputs)]
        return _batch(arrays, keras.tree.map_structure(lambda _: 0, inputs))
    spec = None if specs is None or keras.tree.is_nested(specs) else specs
    array = _as_array(inputs, spec, may_be_text=text)
    if spec is None:
        shape = _guess_shape(model, array)
    else:  # sizes may be others than at the first call
        shape = (None, *array.shape[1:]) if array.ndim == len(spec.shape) else tuple(spec.shape)
    return _batch([_fit(array, shape, "`inputs`")], 0)


def _are_several(model: keras.Model, specs: Any, inputs: Any) -> bool:
    """Whether a list holds several inputs, and not the samples of one."""
    if not isinstance(inputs, (list, tuple)):
        return False
    if specs is not None:
        return bool(keras.tree.is_nested(specs))
    if any(isinstance(item, dict) for item in inputs):
        return True
    if len(inputs) < 2 or not all(hasattr(item, "shape") for item in inputs):
        return False
    least = _least_rank(model)
    if least is not None:
        several = all(len(item.shape) >= least for item in inputs)
        if several and isinstance(model, keras.Sequential):
            raise ValueError(
                "`inputs` must be one batch, since the model's first layer takes one input. "
                f"Received: a {type(inputs).__name__} of {len(inputs)} batches"
            )
        return several
    return not all(len(item.shape) == 3 and item.shape[-1] in MODES for item in inputs)


def _least_rank(model: keras.Model) -> int | None:
    """Return how many axes a batch has at least for the first layer, where that says so."""
    specs = keras.tree.flatten(getattr(model.layers[0], "input_spec", None)) if model.layers else []
    return specs[0].min_ndim if len(specs) == 1 and specs[0] is not None else None


def _guess_shape(model: keras.Model, array: np.ndarray) -> Shape:
    """Return the batch shape that an array stands for, where the model has none to fit."""
    least = _least_rank(model)
    if least is not None and array.ndim == least - 1:
        is_sample = array.shape[-1] in MODES
        return (None, *array.shape) if is_sample else (None, *array.shape[1:], 1)
    return (None, *array.shape[1:])


def _batch(arrays: list[np.ndarray], structure: Any) -> InputBatch:
    if any(array.ndim == 0 for array in arrays):
        raise ValueError("`inputs` must be arrays with a batch axis. Received: a single number")
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


def _as_array(value: Any, spec: Any = None, *, may_be_text: bool = False) -> np.ndarray:
    """Return one input as an array; image files are read as the input takes them.

    Args:
        value: What the user gave for it.
        spec: The input as a `keras.KerasTensor`, where it is known.
        may_be_text: Whether strings are text and not paths, where `spec` does not say so.
    """
    dtype = "" if spec is None else str(spec.dtype)
    may_be_text = may_be_text or dtype == "string"
    paths = [] if may_be_text else _paths(value)
    if paths:
        return _read_files(paths, spec)
    try:
        array = np.asarray(
            keras.ops.convert_to_numpy(value) if keras.ops.is_tensor(value) else value
        )
    except ValueError as error:
        raise ValueError(
            f"`inputs` must be an array that is not ragged. Received: inputs={_shorten(value)}"
        ) from error
    _check_dtype(array.dtype, value, dtype, may_be_text=may_be_text)
    return array


def _check_dtype(dtype: np.dtype[Any], value: Any, expected: str, *, may_be_text: bool) -> None:
    """Raise `TypeError` for what a model would not take, or not as it is.

    Args:
        dtype: That of an array.
        value: What it was made from.
        expected: The dtype of the model's input, where it is known.
        may_be_text: Whether strings may be.
    """
    kind = "records" if issubclass(dtype.type, np.void) else _NO_NUMBERS.get(dtype.kind)
    is_text = may_be_text and kind == "strings"
    if kind is None or is_text or (dtype.kind == "c" and expected.startswith("complex")):
        return
    hint = " Give their parts or magnitudes as channels." if dtype.kind == "c" else ""
    raise TypeError(
        f"`inputs` must hold numbers, and not {kind}.{hint} Received: inputs={_shorten(value)}"
    )


_NO_NUMBERS = {
    "c": "complex numbers",
    "M": "dates",
    "m": "time spans",
    "S": "strings",
    "U": "strings",
    "O": "other objects",
}
"""The contents of arrays that no model of images takes, by the kind of their dtype."""


def _shorten(value: Any) -> str:
    """Return the start of a value's repr, on one line; of an array, its shape and dtype."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    return " ".join(f"{value!r:.80}".split())


def _takes_text(model: keras.Model) -> bool:
    """Whether a model may begin with words."""
    specs = keras.tree.flatten(input_specs(model))
    if any(spec is not None and str(spec.dtype) == "string" for spec in specs):
        return True
    kinds = (keras.layers.TextVectorization, keras.layers.StringLookup, keras.layers.Hashing)
    return any(isinstance(layer, kinds) for layer in model.layers)


def _paths(value: Any) -> list[str | os.PathLike[str]]:
    """Return the path or the list of paths that an input is, an empty list if it is neither."""
    items = list(value) if isinstance(value, (list, tuple)) else [value]
    return items if items and all(isinstance(x, (str, os.PathLike)) for x in items) else []


def _read_files(paths: list[str | os.PathLike[str]], spec: Any) -> np.ndarray:
    for path in paths:
        _check_is_file(path)
    shape = None if spec is None else image_shape(tuple(spec.shape))
    if shape is None:
        accepts = "unknown inputs" if spec is None else f"an input of shape {tuple(spec.shape)}"
        raise TypeError(
            "`inputs` may be the path of an image file only where the model says which images it "
            "takes; load the file with keras.utils.load_img. "
            f"Received: path {os.fspath(paths[0])!r}, for a model with {accepts}"
        )
    return read_images(paths, shape)


def _check_is_file(path: str | os.PathLike[str]) -> None:
    if not Path(path).is_file():
        raise TypeError(
            "`inputs` must hold numbers, such as an image that keras.utils.load_img loads, or be "
            "the path of an image file that exists. "
            f"Received: inputs={os.fspath(path)!r:.200}, which is not a file"
        )


def _only(tensor: Any, inputs: Any) -> Any:
    """Return what was given for an input, which may be in a list or dict of one."""
    if isinstance(inputs, dict):
        if tensor.name not in inputs:
            raise _wrong_keys([tensor.name], inputs)
        return inputs[tensor.name]
    while isinstance(inputs, (list, tuple)) and len(inputs) == 1 and not _paths(inputs):
        inner = inputs[0]
        if np.ndim(_as_array(inner, tensor)) < len(tensor.shape) - 1:
            break
        inputs = inner
    return inputs


def _wrong_keys(keys: Iterable[str], inputs: dict[str, Any]) -> ValueError:
    keys = list(keys)
    return ValueError(
        f"`inputs` must have the key{'s' if len(keys) > 1 else ''} {', '.join(map(repr, keys))}. "
        f"Received: {', '.join(map(repr, inputs))}"
    )


def _pair(structure: Any, inputs: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each symbolic input of a structure with what the user gave for it.

    As in Keras, the names of inputs may be the keys where these are a list, but not where they are
    lists in lists; and where there is one input, the lists and dicts around it may be left out.
    """
    if not isinstance(structure, (dict, list, tuple)):
        yield structure, _only(structure, inputs)
        return
    tensors = keras.tree.flatten(structure)
    if isinstance(inputs, dict):
        parts = _pair_by_key(structure, inputs)
    elif len(tensors) == 1:
        (part,) = structure.values() if isinstance(structure, dict) else structure
        is_whole = isinstance(inputs, (list, tuple)) and len(inputs) == 1
        if is_whole and isinstance(structure, (list, tuple)) and isinstance(part, (dict, list)):
            inputs = inputs[0]
        parts = [(part, inputs)]
    else:
        parts = _pair_in_order(structure, tensors, inputs)
    for part, value in parts:
        yield from _pair(part, value)


def _pair_by_key(structure: Any, inputs: dict[str, Any]) -> list[tuple[Any, Any]]:
    if not isinstance(structure, dict):
        if any(isinstance(part, (dict, list, tuple)) for part in structure):
            names = keras.tree.map_structure(lambda tensor: tensor.name, structure)
            raise ValueError(
                f"`inputs` must have the structure of the model's inputs, {names}. "
                f"Received: a dict of {', '.join(map(repr, inputs))}"
            )
        structure = {tensor.name: tensor for tensor in structure}
    if not set(structure) <= set(inputs):
        raise _wrong_keys(structure, inputs)
    return [(part, inputs[key]) for key, part in structure.items()]


def _pair_in_order(structure: Any, tensors: list[Any], inputs: Any) -> list[tuple[Any, Any]]:
    values = list(structure.values()) if isinstance(structure, dict) else structure
    if isinstance(inputs, (list, tuple)):
        if len(inputs) == len(values):
            return list(zip(values, inputs, strict=True))
        if len(inputs) == len(tensors):  # as flat as Keras takes them, too
            return list(zip(tensors, inputs, strict=True))
    received = len(inputs) if isinstance(inputs, (list, tuple)) else type(inputs).__name__
    names = ", ".join(repr(tensor.name) for tensor in tensors)
    raise ValueError(
        f"`inputs` must be a list or dict of {len(values)}, for the model's inputs {names}. "
        f"Received: {received}"
    )


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
            form in (None, size) for form, size in zip(sample, candidate.shape[1:], strict=True)
        ):
            return candidate
    form = ", ".join(["samples", *("any" if n is None else str(n) for n in sample)])
    raise ValueError(
        f"{name} must have the shape ({form}), or be one sample without the first axis. "
        f"Received: an array of shape {array.shape}"
    )
