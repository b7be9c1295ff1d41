"""A model and layer addresses to a sub-model, and its feature maps as arrays."""

from __future__ import annotations

import re
import threading
import weakref
from collections.abc import MutableMapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

import keras
import numpy as np

from kerasviz.compute.batch_joining import Batches
from kerasviz.model.addresses import Selection, check_model, resolve, resolve_unbuilt
from kerasviz.model.backend import Runner, writes_in_place
from kerasviz.model.calls import input_specs, known_calls, spec_key
from kerasviz.model.channel_axes import channel_axis
from kerasviz.model.graph import (
    has_inputs,
    held_layers,
    is_functional,
    is_graph,
    layer_calls,
    may_mix_samples,
    written_indices,
)
from kerasviz.model.inputs.input_adapter import (
    InputBatch,
    check_has_call,
    check_is_eager,
    prepare_inputs,
)
from kerasviz.model.layer_call import Call
from kerasviz.model.recording import Recorder
from kerasviz.model.state import keeping_state

_cache: weakref.WeakKeyDictionary[keras.Model, MutableMapping[Any, Any]]
_cache = weakref.WeakKeyDictionary()
_lock = threading.RLock()
_NOT_IN_NAMES = re.compile(r"[^\w.-]")
"""The characters that TensorFlow refuses in the name of a model, though Keras does not."""


def feature_map_model(model: keras.Model, layer: Any) -> keras.Model:
    """Return a model from the same inputs to the output of a layer.

    It shares its weights with `model` and runs only as far as it needs to. The result is cached:
    calling again with the same model and layer returns the same object.

    Args:
        model: A Keras model.
        layer: A layer address, or several: a list of them, a pattern, a layer class, or `None` for
            every convolution.

    Returns:
        A `keras.Model`. One layer: its output is the layer's. Several: a dict of their outputs,
        keyed by address.

    Raises:
        TypeError: `model` is not a Keras model, or `layer` is not an address.
        ValueError: No layer has that address, more than one call has, or the model is not built.

    Example:
        >>> import keras, kerasviz
        >>> model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(32, 3)])
        >>> kerasviz.feature_map_model(model, "conv2d").output_shape
        (None, 26, 26, 32)
    """
    check_model(model)
    check_is_eager()
    check_has_call(model)
    specs = input_specs(model)
    if specs is None:
        raise ValueError(
            f"The model '{model.name}' has no inputs yet: build it with model.build(input_shape), "
            "or call get_feature_maps with inputs."
        )
    targets = resolve(model, layer, known_calls(model, specs))
    return _sub_model(model, targets, specs, hold=True)


def _sub_model(model: keras.Model, targets: Selection, specs: Any, *, hold: bool) -> keras.Model:
    """Return the sub-model for targets, made once for as long as the model lives.

    The sub-model of a graph needs the model's layers but not the model, so it can be kept beside
    it. That of a subclassed model needs the model itself, and keeping it would keep the model
    alive for ever: with `hold`, for a caller who may let go of the model, it is kept only as long
    as the caller keeps it; without, it must not be used longer than the model.
    """
    key = _key(targets, specs)
    weak = hold and not is_graph(model)
    with _lock:
        cache = _cache.setdefault(model, {})
        if weak:
            cache = cache.setdefault("held", weakref.WeakValueDictionary())
        sub_model = cache.get(key)
        if sub_model is None:
            with keeping_state(held_layers(model)):  # Keras empties the losses of what it connects
                cache[key] = sub_model = _build(model, targets, specs, hold)
        return sub_model


def _key(targets: Selection, specs: Any) -> tuple[Any, ...]:
    """Return a hashable key for a sub-model of a model."""
    outputs = ((address, tuple(map(id, call.outputs))) for address, call in targets.targets)
    return targets.single, spec_key(specs), tuple(outputs)


def _runner(model: keras.Model, targets: Selection, specs: Any) -> Runner:
    """Return what runs a model for targets, kept as long as the model."""
    key = ("runner", *_key(targets, specs))
    with _lock:
        cache = _cache.setdefault(model, {})
        if key not in cache:
            cache[key] = _make_runner(model, targets, specs)
        return cast(Runner, cache[key])


def _make_runner(model: keras.Model, targets: Selection, specs: Any) -> Runner:
    calls = {target.address: target.call for target in targets.targets}
    if not _is_flat(model, targets):
        recorder = _recorder(model, calls, hold=False, name="kerasviz_recorder")
        return Runner(recorder.call, model)
    sub_model = _sub_model(model, targets, specs, hold=False)

    def run(inputs: Any) -> Any:
        outputs = sub_model(inputs, training=False)
        return {targets.targets[0].address: outputs} if targets.single else outputs

    return Runner(run, sub_model)


def _is_flat(model: keras.Model, targets: Selection) -> bool:
    """Whether Keras's own model from the graph's inputs to some of its tensors does it.

    Where code can write into tensors, one layer could overwrite what another one returned.
    """
    flat = is_graph(model) and all(len(target.call.steps) == 1 for target in targets.targets)
    return flat and (len(targets.targets) == 1 or not writes_in_place())


def _build(model: keras.Model, targets: Selection, specs: Any, hold: bool) -> keras.Model:
    calls = {target.address: target.call for target in targets.targets}
    unknown = [address for address, call in calls.items() if not call.outputs]
    if unknown:
        raise ValueError(
            f"The output of {', '.join(map(repr, unknown))} has no shape that can be known without "
            "values, so no model ends there. get_feature_maps returns its output for your inputs."
        )
    name = f"feature_maps_of_{re.sub(_NOT_IN_NAMES, '_', model.name)}"
    if _is_flat(model, targets):
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
    indices = written_indices(part, model)
    return Recorder(part, calls, hold=True, name=name, call_indices=indices)


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
        batch_size: How many samples are computed at a time, where the model was not built for
            another number.

    Returns:
        One layer: an array `(samples, height, width, channels)`, channels last whatever the
        model's data format. Several layers: a dict of such arrays, keyed by address. A layer with
        several outputs: these in the structure in which it returns them.

        The values are those that the layer returns in inference mode, in its own dtype; half
        precision comes as float32, and so does the bfloat16 of mixed precision. A layer whose rows
        are not samples, such as windows that are folded into the batch or a table of positions, or
        whose values depend on the other samples of a batch, such as their mean, is computed in one
        batch of all samples, whatever `batch_size` is, and its rows come back exactly as they are.
        So is a model that refuses a part of the samples, as one whose rows are the nodes of a
        graph. A scalar is an array of rank 0.

    Raises:
        TypeError: `model` is not a Keras model, or `layer` is not an address.
        ValueError: No layer has that address, more than one call has, or `inputs` does not fit the
            model.

    Example:
        >>> import keras, kerasviz, numpy as np
        >>> model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(32, 3)])
        >>> kerasviz.get_feature_maps(model, 0, np.zeros((28, 28))).shape
        (1, 26, 26, 32)
    """
    check_batch_size(batch_size)
    extraction = plan_extraction(model, layer, inputs)
    maps = extraction.run(batch_size)
    targets = extraction.targets
    return maps[targets.targets[0].address] if targets.single else maps


def check_batch_size(batch_size: object) -> None:
    """Raise `ValueError` unless `batch_size` is a positive integer."""
    is_bool = isinstance(batch_size, bool)
    if is_bool or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise ValueError(
            f"`batch_size` must be a positive integer. Received: batch_size={batch_size!r}"
        )


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """The outputs to compute: a model, some of its calls, and inputs that were checked for it.

    Args:
        model: The model.
        targets: The calls whose outputs are computed.
        batch: The inputs, all samples of them.
        specs: The inputs as the model declares them, a structure of `keras.KerasTensor`.
    """

    model: keras.Model
    targets: Selection
    batch: InputBatch
    specs: Any

    def run(self, batch_size: int = 32, *, copy: bool = True) -> dict[str, Any]:
        """Return the outputs of all calls, keyed by address.

        They are what the layers return for all samples at once. Where the rows of an output are
        not samples, or depend on other samples, batches cannot be joined, and all samples are
        computed together.

        Args:
            batch_size: How many samples are computed at a time.
            copy: Whether the arrays are the caller's own, or for reading only.
        """
        runner = _runner(self.model, self.targets, self.specs)

        def run(part: InputBatch) -> dict[str, Any]:
            with keeping_state(runner.find_layers()):
                return cast(dict[str, Any], runner(part.packed(), copy=copy))

        batch_size = _own_batch_size(self.specs) or batch_size
        has_fixed_size = _has_fixed_size(self.specs)
        batches = Batches(
            run,
            self.batch,
            batch_size,
            has_fixed_size=has_fixed_size,
            may_mix=len(self.batch) > batch_size and may_mix_samples(runner.find_layers()),
        )
        outputs = {}
        for address, call in self.targets.targets:
            structure = batches.first[address]
            arrays = [
                batches.join(
                    partial(_pick, address, index),
                    tuple(call.outputs[index].shape) if index < len(call.outputs) else None,
                    has_fixed_rows=has_fixed_rows(call, index, self.specs),
                )
                for index in range(len(keras.tree.flatten(structure)))
            ]
            axes = call.channel_axes or [channel_axis(call.layer, x.ndim) for x in arrays]
            arrays = [_finish(x, axis) for x, axis in zip(arrays, axes, strict=True)]
            outputs[address] = keras.tree.pack_sequence_as(structure, arrays)
        return outputs


def plan_extraction(model: keras.Model, layer: Any, inputs: Any) -> Extraction:
    """Check a layer argument and inputs; build a model that was never built, from the inputs."""
    check_model(model)
    if _is_unbuilt(model):
        resolve_unbuilt(model, layer, list(layer_calls(model)))
    call = plan_call(model, inputs)
    return replace(call, targets=resolve(model, layer, known_calls(model, call.specs)))


def plan_call(model: keras.Model, inputs: Any) -> Extraction:
    """Check inputs as `plan_extraction` does, for the model itself and none of its layers."""
    check_model(model)
    unbuilt = _is_unbuilt(model)
    batch = prepare_inputs(model, inputs)
    if unbuilt:
        _build_from(model, batch)
        batch = prepare_inputs(model, batch.packed())
    specs = input_specs(model) if has_inputs(model) else batch.specs(model)
    return Extraction(model=model, targets=Selection((), single=True), batch=batch, specs=specs)


def _is_unbuilt(model: keras.Model) -> bool:
    return not has_inputs(model) and (isinstance(model, keras.Sequential) or not model.built)


def check_address(model: keras.Model, layer: Any) -> Selection:
    """Return what a layer argument names, as far as it can be known without inputs."""
    check_model(model)
    specs = input_specs(model)
    if specs is not None:
        return resolve(model, layer, known_calls(model, specs))
    return resolve_unbuilt(model, layer, list(layer_calls(model)))


def _build_from(model: keras.Model, batch: InputBatch) -> None:
    if isinstance(model, keras.Sequential) and not keras.tree.is_nested(batch.structure):
        model.build((None, *batch.arrays[0].shape[1:]))
    elif not model.built:
        model(batch.part(0, 1).packed(), training=False)


def _pick(address: str, index: int, outputs: dict[str, Any]) -> np.ndarray:
    """Return one of a layer's outputs."""
    return cast(np.ndarray, keras.tree.flatten(outputs[address])[index])


def _own_batch_size(specs: Any) -> int | None:
    """Return the number of samples for which a model was built, `None` where it takes any."""
    sizes = {x.shape[0] for x in keras.tree.flatten(specs)}
    return sizes.pop() if len(sizes) == 1 else None


def _has_fixed_size(specs: Any) -> bool:
    return any(x.shape[0] for x in keras.tree.flatten(specs))


def has_fixed_rows(call: Call, index: int, specs: Any) -> bool:
    """Whether an output has the same number of rows for any number of samples."""
    if index >= len(call.outputs) or _has_fixed_size(specs):
        return False
    shape = call.outputs[index].shape
    return not shape or shape[0] is not None


def rows_are_samples(extraction: Extraction, call: Call, index: int, array: np.ndarray) -> bool:
    """Whether the rows of an output are the samples of an extraction, one by one.

    Windows and images that were folded into the batch make more rows; a table of positions has
    the same number of rows whatever the number of samples.

    Args:
        extraction: What was computed.
        call: The call that returned the output.
        index: Which of the call's outputs it is.
        array: The output.
    """
    is_fixed = has_fixed_rows(call, index, extraction.specs)
    return array.ndim > 0 and len(array) == len(extraction.batch) and not is_fixed


def _finish(array: np.ndarray, channel_axis: int) -> np.ndarray:
    """Return an output with its channels last, and half precision as float32."""
    if array.dtype.kind not in "biu" and array.itemsize == 2:
        array = array.astype("float32")
    is_last = array.ndim < 3 or channel_axis in {-1, array.ndim - 1}
    return array if is_last else np.moveaxis(array, channel_axis, -1)
