"""A model and layer addresses to a sub-model, and its feature maps as arrays."""

from __future__ import annotations

import re
import threading
import weakref
from collections.abc import Callable, MutableMapping, Sequence
from typing import Any, NamedTuple, cast

import keras
import numpy as np

from kerasviz.model.calls import input_specs, known_calls, spec_key
from kerasviz.model.inputs import InputBatch, prepare_inputs
from kerasviz.model.layers import (
    Call,
    Targets,
    check_model,
    has_inputs,
    is_functional,
    is_graph,
    layer_calls,
    resolve,
    written_numbers,
)
from kerasviz.model.recording import Recorder
from kerasviz.model.run import make_runner

_kept: weakref.WeakKeyDictionary[keras.Model, MutableMapping[Any, Any]]
_kept = weakref.WeakKeyDictionary()
_lock = threading.RLock()


def feature_map_model(model: keras.Model, layer: Any) -> keras.Model:
    """Return a model from the same inputs to the output of a layer.

    It shares its weights with `model` and runs only as far as it needs to. It is made once for as
    long as `model` lives: a second call returns the same model.

    Args:
        model: A Keras model.
        layer: A layer address, or several: a list of them, a pattern, a layer class, or `None` for
            every convolution.

    Returns:
        A `keras.Model`. One layer: its output is the layer's. Several: a dict of their outputs,
        keyed by address.

    Raises:
        TypeError: `model` is no Keras model, or `layer` is no address.
        ValueError: No layer has that address, more than one call has, or the model is not built.

    Example:
        >>> import keras, kerasviz
        >>> model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(32, 3)])
        >>> kerasviz.feature_map_model(model, "conv2d").output_shape
        (None, 26, 26, 32)
    """
    check_model(model)
    specs = input_specs(model)
    if specs is None:
        raise ValueError(
            f"The model '{model.name}' has no inputs yet: build it with model.build(input_shape), "
            "or call get_feature_maps with inputs."
        )
    targets = resolve(model, layer, known_calls(model, specs))
    return _sub_model(model, targets, specs, hold=True)


def _sub_model(model: keras.Model, targets: Targets, specs: Any, *, hold: bool) -> keras.Model:
    """Return the sub-model for targets, made once for as long as the model lives.

    The sub-model of a graph needs the model's layers but not the model, so it can be kept beside
    it. That of a subclassed model needs the model itself, and keeping it would keep the model
    alive for ever: with `hold`, for a caller who may let go of the model, it is kept only as long
    as the caller keeps it; without, it must not be used longer than the model.
    """
    key = _key(targets, specs)
    weak = hold and not is_graph(model)
    with _lock:
        kept = _kept.setdefault(model, {})
        if weak:
            kept = kept.setdefault("held", weakref.WeakValueDictionary())
        sub_model = kept.get(key)
        if sub_model is None:
            kept[key] = sub_model = _build(model, targets, specs, hold)
        return sub_model


def _key(targets: Targets, specs: Any) -> tuple[Any, ...]:
    """Return what tells two sub-models of a model apart."""
    wanted = ((address, tuple(map(id, call.outputs))) for address, call in targets.targets)
    return targets.single, spec_key(specs), tuple(wanted)


def _runner(model: keras.Model, targets: Targets, specs: Any) -> Callable[[Any], Any]:
    """Return the function that runs the sub-model for targets, kept as long as the model."""
    key = ("runner", *_key(targets, specs))
    with _lock:
        kept = _kept.setdefault(model, {})
        if key not in kept:
            kept[key] = make_runner(_sub_model(model, targets, specs, hold=False))
        return cast(Callable[[Any], Any], kept[key])


def _build(model: keras.Model, targets: Targets, specs: Any, hold: bool) -> keras.Model:
    calls = {target.address: target.call for target in targets.targets}
    name = f"{model.name}_feature_maps"
    if is_graph(model) and all(len(call.steps) == 1 for call in calls.values()):
        inputs = specs
        outputs = {key: call.pack(call.outputs) for key, call in calls.items()}
    else:
        inputs = keras.tree.map_structure(
            lambda x: keras.Input(batch_shape=x.shape, dtype=x.dtype, name=x.name), specs
        )
        outputs = _recorder(model, calls, hold=hold, name=name)(inputs)
    return keras.Model(
        inputs, next(iter(outputs.values())) if targets.single else outputs, name=name
    )


def _recorder(model: keras.Model, calls: dict[str, Call], *, hold: bool, name: str) -> Recorder:
    """Return a layer that calls the model; of a graph, only the part that leads to the calls."""
    if not is_graph(model):
        return Recorder(model, calls, hold=hold, name=name)
    first_steps = {call.path[:1] for call in calls.values()}
    tops = [c.outputs for c in layer_calls(model) if c.path in first_steps]
    inputs = model.input if is_functional(model) else model.inputs[0]
    part = keras.Model(inputs, keras.tree.flatten(tops), name=model.name)
    return Recorder(part, calls, hold=True, name=name, numbers=written_numbers(part, model))


def get_feature_maps(model: keras.Model, layer: Any, inputs: Any, *, batch_size: int = 32) -> Any:
    """Return what layers compute for given inputs, in inference mode, as NumPy arrays.

    Args:
        model: A Keras model.
        layer: A layer address, or several: a list of them, a pattern, a layer class, or `None` for
            every convolution. Several take one pass together.
        inputs: What the model takes: a batch, or one sample without the batch axis, or either
            without the channel axis where there is one channel; a list or dict of these for
            several inputs. The values are passed on as they are. Of a data set (a `PyDataset`, a
            `tf.data.Dataset`, a PyTorch `DataLoader`) the first batch is used. The path of an
            image file, or a list of paths, is read in the colours and at the size that the model
            takes, which may squash the image, as floats from 0 to 255; a model that was trained
            on other values needs the image as an array.
        batch_size: How many samples are computed at a time.

    Returns:
        One layer: an array `(samples, height, width, channels)`, channels last whatever the
        model's data format. Several: a dict of such arrays, keyed by address.

    Raises:
        TypeError: `model` is no Keras model, or `layer` is no address.
        ValueError: No layer has that address, more than one call has, or `inputs` does not fit the
            model.

    Example:
        >>> import keras, kerasviz, numpy as np
        >>> model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(32, 3)])
        >>> kerasviz.get_feature_maps(model, 0, np.zeros((28, 28))).shape
        (1, 26, 26, 32)
    """
    check_batch_size(batch_size)
    request = prepare(model, layer, inputs)
    maps = compute(request, batch_size)
    targets = request.targets
    return maps[targets.targets[0].address] if targets.single else maps


def check_batch_size(batch_size: object) -> None:
    """Raise `ValueError` unless `batch_size` is a positive integer."""
    is_bool = isinstance(batch_size, bool)
    if is_bool or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise ValueError(
            f"`batch_size` must be a positive integer. Received: batch_size={batch_size!r}"
        )


class Request(NamedTuple):
    """A layer argument and inputs that were checked together."""

    model: keras.Model
    targets: Targets
    batch: InputBatch
    specs: Any


def prepare(model: keras.Model, layer: Any, inputs: Any) -> Request:
    """Check a layer argument and inputs; build a model that was never built, from the inputs."""
    check_model(model)
    unbuilt = not has_inputs(model) and (isinstance(model, keras.Sequential) or not model.built)
    if unbuilt:
        resolve(model, _without_numbers(layer), list(layer_calls(model)))
    batch = prepare_inputs(model, inputs)
    if unbuilt:
        _build_from(model, batch)
        batch = prepare_inputs(model, batch.packed())
    specs = input_specs(model) if has_inputs(model) else batch.specs(model)
    return Request(model, resolve(model, layer, known_calls(model, specs)), batch, specs)


def check_address(model: keras.Model, layer: Any) -> Targets:
    """Return what a layer argument names, as far as it can be known without inputs."""
    check_model(model)
    specs = input_specs(model)
    if specs is not None:
        return resolve(model, layer, known_calls(model, specs))
    return resolve(model, _without_numbers(layer), list(layer_calls(model)))


def _without_numbers(layer: Any) -> Any:
    """Return a layer argument without call numbers, which only a built model can check."""
    if isinstance(layer, (list, tuple)):
        return [_without_numbers(item) for item in layer]
    return re.sub(r":\d+", "", layer) if isinstance(layer, str) else layer


def _build_from(model: keras.Model, batch: InputBatch) -> None:
    if isinstance(model, keras.Sequential) and not keras.tree.is_nested(batch.structure):
        model.build((None, *batch.arrays[0].shape[1:]))
    elif not model.built:
        model(batch.part(0, 1).packed(), training=False)


def compute(request: Request, batch_size: int = 32) -> dict[str, Any]:
    """Return the outputs of all targets of a request, keyed by address."""
    model, targets, batch, specs = request
    run = _runner(model, targets, specs)
    chunks = [
        run(batch.part(start, start + batch_size).packed())
        for start in range(0, len(batch), batch_size)
    ]
    if targets.single:
        chunks = [{targets.targets[0].address: chunk} for chunk in chunks]
    return {
        address: _join([chunk[address] for chunk in chunks], call.channel_axes)
        for address, call in targets.targets
    }


def _join(chunks: Sequence[Any], channel_axes: Sequence[int]) -> Any:
    """Join the batches of what a layer returns, be it one tensor or a structure of several."""
    outputs = zip(*map(keras.tree.flatten, chunks), strict=True)
    arrays = [_finish(parts, axis) for parts, axis in zip(outputs, channel_axes, strict=True)]
    return keras.tree.pack_sequence_as(chunks[0], arrays)


def _finish(parts: Sequence[np.ndarray], channel_axis: int) -> np.ndarray:
    """Join the batches of an output, channels last, half precision as float32."""
    array = np.concatenate(parts) if len(parts) > 1 else parts[0]
    if array.dtype.kind not in "biu" and array.itemsize == 2:
        array = array.astype("float32")
    return np.moveaxis(array, channel_axis, -1) if array.ndim > 2 else array
