"""A model and layer addresses to a sub-model, and its feature maps as arrays."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from kerasviz.model.inputs import InputBatch, prepare_inputs
from kerasviz.model.layers import Call, Targets, is_functional, is_graph, resolve

_sub_models: weakref.WeakKeyDictionary[keras.Model, dict[Any, keras.Model]]
_sub_models = weakref.WeakKeyDictionary()
_lock = threading.Lock()


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
        >>> kerasviz.feature_map_model(model, "conv2d*").output_shape
        {'conv2d': (None, 26, 26, 32)}
    """
    targets = resolve(model, layer)
    if not is_graph(model):
        raise ValueError(
            f"The model '{model.name}' has no inputs yet: build it with model.build(input_shape), "
            "or call get_feature_maps with inputs."
        )
    return _sub_model(model, targets)


def _sub_model(model: keras.Model, targets: Targets) -> keras.Model:
    key = (
        targets.single,
        tuple((target.address, tuple(map(id, target.call.outputs))) for target in targets.targets),
    )
    with _lock:
        kept = _sub_models.setdefault(model, {})
        if key not in kept:
            kept[key] = _build(model, targets)
        return kept[key]


def _build(model: keras.Model, targets: Targets) -> keras.Model:
    outputs = {target.address: _output(target.call) for target in targets.targets}
    return keras.Model(
        model.input if is_functional(model) else model.inputs[0],
        next(iter(outputs.values())) if targets.single else outputs,
        name=f"{model.name}_feature_maps",
    )


def _output(call: Call) -> Any:
    return call.outputs[0] if len(call.outputs) == 1 else list(call.outputs)


def get_feature_maps(model: keras.Model, layer: Any, inputs: Any, *, batch_size: int = 32) -> Any:
    """Return what layers compute for given inputs, in inference mode, as NumPy arrays.

    Args:
        model: A Keras model.
        layer: A layer address, or several: a list of them, a pattern, a layer class, or `None` for
            every convolution. Several take one pass together.
        inputs: What the model takes: a batch, or one sample without the batch axis, or either
            without the channel axis where there is one channel; a list or dict of these for
            several inputs. The values are passed on as they are.
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
    if not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise ValueError(
            f"`batch_size` must be a positive integer. Received: batch_size={batch_size!r}"
        )
    targets, batch = prepare(model, layer, inputs)
    maps = compute(model, targets, batch, batch_size)
    return maps[targets.targets[0].address] if targets.single else maps


def prepare(model: keras.Model, layer: Any, inputs: Any) -> tuple[Targets, InputBatch]:
    """Check a layer argument and inputs together; build a model that has no inputs yet."""
    targets = resolve(model, layer)
    batch = prepare_inputs(model, inputs)
    if not is_graph(model):
        model.build((None, *batch.arrays[0].shape[1:]))
        batch = prepare_inputs(model, inputs)
        targets = resolve(model, layer)
    return targets, batch


def compute(
    model: keras.Model, targets: Targets, batch: InputBatch, batch_size: int = 32
) -> dict[str, Any]:
    """Return the outputs of all targets for a prepared batch, keyed by address."""
    sub_model = _sub_model(model, targets)
    chunks = [
        sub_model.predict_on_batch(batch.part(start, start + batch_size).packed())
        for start in range(0, len(batch), batch_size)
    ]
    if targets.single:
        chunks = [{targets.targets[0].address: chunk} for chunk in chunks]
    return {
        address: keras.tree.map_structure(
            lambda *parts: _finish(parts, call.channel_axis),  # noqa: B023
            *(chunk[address] for chunk in chunks),
        )
        for address, call in targets.targets
    }


def _finish(parts: Sequence[np.ndarray], channel_axis: int) -> np.ndarray:
    """Join the batches of an output, channels last, half precision as float32."""
    array = np.concatenate(parts) if len(parts) > 1 else parts[0]
    if array.dtype.kind not in "biu" and array.itemsize == 2:
        array = array.astype("float32")
    return np.moveaxis(array, channel_axis, -1) if array.ndim > 2 else array
