"""A layer to its kernel as an array: of a convolution `(height, width, in_channels, filters)`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import keras
import numpy as np

from kerasviz.model.addresses import (
    NamedCall,
    Selection,
    check_model,
    is_convolution,
    named_calls,
    resolve,
)
from kerasviz.model.calls import held_calls
from kerasviz.model.layer_call import Call, CallStep

TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)
SEPARABLE = (keras.layers.SeparableConv1D, keras.layers.SeparableConv2D)
DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D, *SEPARABLE)
PARTS: dict[str, tuple[type[keras.Layer], ...]] = {
    "depthwise": SEPARABLE,
    "pointwise": SEPARABLE,
    "recurrent": (keras.layers.RNN,),
}
"""The kernels of layers that have two; the layer's own address means the first."""


ONE_DIMENSIONAL = 3
"""The rank of a kernel `(steps, in_channels, filters)`."""
RECURRENT_CELLS = (keras.layers.LSTMCell, keras.layers.GRUCell, keras.layers.SimpleRNNCell)


def get_kernels(model: keras.Model, layer: Any = None) -> np.ndarray | dict[str, np.ndarray]:
    """Return the kernel of a layer, whatever the layer's own layout.

    Args:
        model: The model that has the layer.
        layer: A layer address; for a pattern, a class, a list or `None`, the result is a dict.
            `None` is every convolution; a pattern or a class selects the layers that have a kernel.
            A separable layer's own address means its depthwise kernel, `"name/pointwise"` the
            other one; `"name/recurrent"` is the recurrent kernel of a ConvLSTM, an LSTM, a GRU or
            a SimpleRNN. The filters, or units, of a layer with gates are those of its first gate,
            followed by those of the next. A wrapper such as `TimeDistributed` means the layer that
            it wraps; `Bidirectional` means both, in a dict.

    Returns:
        A new float32 array. Of a convolution it has the shape
        `(height, width, in_channels, filters)`, where `in_channels` is what one filter sees: a
        convolution in groups has `channels / groups`. Of other layers it is a matrix: `Dense`
        `(inputs, units)`, `Embedding` `(vocabulary, dimensions)`, recurrent layers
        `(inputs, gates * units)`. For several layers, a dict of such arrays keyed by address.

    Raises:
        TypeError: `model` is not a Keras model, or `layer` is not an address.
        ValueError: No layer has that address, the layer has no kernel, or it is not built.

    Example:
        >>> import keras, kerasviz
        >>> model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(32, 3)])
        >>> kerasviz.get_kernels(model, 0).shape
        (3, 3, 1, 32)
    """
    targets, single = resolve_kernels(model, layer)
    kernels = {address: read_kernel(call.layer, address) for address, call in targets}
    return kernels[targets[0].address] if single else kernels


class KernelPart(NamedTuple):
    """One of a layer's two kernels, which is asked for as `"layer/name"`."""

    layer: keras.Layer
    name: str


def has_kernel(layer: keras.Layer | KernelPart) -> bool:
    """Whether a layer is built and has a kernel that `read_kernel` returns."""
    return kernel_shape(layer) is not None


def resolve_kernels(
    model: keras.Model, layer: Any, is_usable: Callable[[Any], bool] = has_kernel
) -> Selection:
    """Find what a layer argument names, where all calls of a layer are the same.

    Args:
        model: The model to look in.
        layer: A layer address, a list of them, or `None` for every convolution.
        is_usable: Which of the layers that a pattern, a class or `None` matches are selected.

    Raises:
        TypeError: `model` is not a Keras model, or `layer` is not an address.
        ValueError: Nothing has that address, or nothing that it matches is usable. A layer that is
            named outright is returned whether it has a kernel or not.
    """
    check_model(model)
    calls = held_calls(model)
    calls += [
        replace(call, steps=(*call.steps, CallStep(name, 0, 1)), layer=KernelPart(call.layer, name))
        for call in calls
        for name in PARTS
        if isinstance(call.layer, PARTS[name])
    ]
    if not isinstance(layer, (list, tuple)) or not layer:
        return _resolve_one(model, layer, calls, is_usable)
    matches = [_resolve_one(model, item, calls, is_usable).targets for item in layer]
    unique = {target.address: target for targets in matches for target in targets}
    return Selection(tuple(unique.values()), single=False)


def _resolve_one(
    model: keras.Model, layer: Any, calls: Sequence[Call], is_usable: Callable[[Any], bool]
) -> Selection:
    """Find what one address, pattern or class names, wrappers replaced by what they wrap."""
    named = named_calls(calls, layer) if isinstance(layer, str) else []
    targets: tuple[NamedCall, ...]
    if len({_identity(call.layer) for call in named}) == 1:  # whichever of its calls is meant
        targets, single = (NamedCall(layer, named[0]),), True
    else:
        # A kernel is the same in all calls of its layer: the first call stands for all, in order.
        first = {_identity(call.layer): call for call in reversed(calls)}
        targets, single = resolve(model, layer, list(first.values())[::-1])
    if single:
        inner = _unwrap(targets[0])
        return Selection(inner, single=len(inner) == 1)
    # What a wrapper wraps may be called elsewhere too; then it has an address of its own.
    own = {id(call.layer): NamedCall(call.address, call) for call in reversed(calls)}
    unwrapped = [inner for target in targets for inner in _unwrap(target)]
    unique = {id(target.call.layer): own.get(id(target.call.layer), target) for target in unwrapped}
    usable = tuple(target for target in unique.values() if is_usable(target.call.layer))
    if usable:
        return Selection(usable, single=False)
    unbuilt = _unbuilt(unique.values())
    if unbuilt:  # whose kernels may be read later, and until then have an error of their own
        return Selection(unbuilt, single=False)
    raise ValueError(
        f"`layer` must match a layer with a kernel, and in the model '{model.name}' "
        f"{layer!r:.80} matches none: find_layers(model, '*') lists the kernels. "
        f"Received: layer={layer!r:.80}"
    )


def _identity(layer: keras.Layer | KernelPart) -> tuple[int, str]:
    return id(_whole(layer)), layer.name if isinstance(layer, KernelPart) else ""


def _unbuilt(targets: Iterable[NamedCall]) -> tuple[NamedCall, ...]:
    """Return the layers that will have a kernel once they are built."""
    return tuple(
        target
        for target in targets
        if not _whole(target.call.layer).built and _has_kernel_when_built(target.call.layer)
    )


def _unwrap(target: NamedCall) -> tuple[NamedCall, ...]:
    """Return what a wrapper wraps, under the wrapper's address where it wraps one layer."""
    address, call = target
    if isinstance(call.layer, keras.layers.Bidirectional):
        both = (call.layer.forward_layer, call.layer.backward_layer)
        return tuple(
            NamedCall(
                f"{address}/{inner.name}",
                replace(call, steps=(*call.steps, CallStep(inner.name, 0, 1)), layer=inner),
            )
            for inner in both
        )
    if isinstance(call.layer, keras.layers.Wrapper):
        return _unwrap(NamedCall(address, replace(call, layer=call.layer.layer)))
    return (target,)


def read_kernel(layer: keras.Layer | KernelPart, address: str) -> np.ndarray:
    """Return the kernel of a layer or of a part of one; `address` is for the error."""
    shape = kernel_shape(layer)
    if shape is None:
        if _has_kernel_when_built(layer):
            raise ValueError(
                f"The layer '{address}' is not built yet, so it has no kernel: build its model, "
                "or call it once on data."
            )
        raise ValueError(
            f"The layer '{address}' is a {type(layer).__name__} and has no kernel. "
            "find_layers(model, '*') lists the layers that have one."
        )
    kernel = keras.ops.convert_to_numpy(keras.ops.cast(_weight(layer), "float32"))
    # Keras stores transposed convolutions as (..., filters, channels).
    if isinstance(layer, TRANSPOSED):
        kernel = kernel.swapaxes(-1, -2)
    if isinstance(layer, keras.layers.EinsumDense):
        kernel = kernel.transpose(*_einsum_axes(layer))
    return np.array(kernel.reshape(shape), "float32")


def kernel_shape(layer: keras.Layer | KernelPart) -> tuple[int, ...] | None:
    """Return the shape of what `read_kernel` returns, `None` where there is no kernel."""
    weight = _weight(layer)
    if weight is None:
        return None
    if isinstance(layer, keras.layers.EinsumDense):
        rows, columns = (
            math.prod(weight.shape[axis] for axis in axes) for axes in _split_einsum_axes(layer)
        )
        return rows, columns
    if not is_convolution(_whole(layer)):
        return tuple(weight.shape)
    *window, rows, columns = weight.shape
    if isinstance(layer, TRANSPOSED):
        rows, columns = columns, rows
    elif isinstance(layer, DEPTHWISE) or _is_part(layer, "depthwise"):
        rows, columns = 1, rows * columns
    if len(window) == 1:
        window = [1, *window]
    return (*window, rows, columns)


def kernel_steps(layer: keras.Layer | KernelPart) -> int:
    """Return how many steps a kernel of one dimension has; 0 of any other kernel."""
    weight = _weight(layer)
    is_one_dimensional = weight is not None and len(weight.shape) == ONE_DIMENSIONAL
    return int(weight.shape[0]) if is_one_dimensional and is_convolution(_whole(layer)) else 0


def matrix_axes(layer: keras.Layer | KernelPart) -> tuple[str, str]:
    """Return what a row and a column of a layer's kernel are, where it is drawn as a matrix."""
    if is_convolution(_whole(layer)):
        return "input channel", "filter"
    if isinstance(layer, keras.layers.Embedding):
        return "token", "dimension"
    row = "unit" if _is_part(layer, "recurrent") else "input"
    return row, "gate unit" if _has_gates(_whole(layer)) else "unit"


def _has_gates(layer: keras.Layer) -> bool:
    cell = getattr(layer, "cell", None)
    return isinstance(cell, (keras.layers.LSTMCell, keras.layers.GRUCell))


def _whole(layer: keras.Layer | KernelPart) -> keras.Layer:
    return layer.layer if isinstance(layer, KernelPart) else layer


def _is_part(layer: keras.Layer | KernelPart, name: str) -> bool:
    return isinstance(layer, KernelPart) and layer.name == name


def _has_kernel_when_built(layer: keras.Layer | KernelPart) -> bool:
    whole = _whole(layer)
    if isinstance(whole, keras.layers.RNN):
        return is_convolution(whole) or isinstance(whole.cell, RECURRENT_CELLS)
    matrices = (keras.layers.Dense, keras.layers.EinsumDense, keras.layers.Embedding)
    return is_convolution(whole) or isinstance(whole, matrices)


def _weight(layer: keras.Layer | KernelPart) -> Any:
    """Return the weight that holds the kernel, in the layer's own layout."""
    whole = _whole(layer)
    if not _has_kernel_when_built(layer) or not whole.built:
        return None
    if isinstance(whole, keras.layers.RNN):
        return whole.cell.recurrent_kernel if _is_part(layer, "recurrent") else whole.cell.kernel
    if isinstance(whole, SEPARABLE):
        return whole.pointwise_kernel if _is_part(layer, "pointwise") else whole.depthwise_kernel
    return whole.embeddings if isinstance(whole, keras.layers.Embedding) else whole.kernel


def _split_einsum_axes(layer: keras.layers.EinsumDense) -> tuple[list[int], list[int]]:
    """Return the axes of a kernel that are summed over, and those that its output has."""
    operands, outputs = layer.equation.split("->")
    letters = operands.split(",")[1].strip()
    return (
        [axis for axis, letter in enumerate(letters) if letter not in outputs],
        [axis for axis, letter in enumerate(letters) if letter in outputs],
    )


def _einsum_axes(layer: keras.layers.EinsumDense) -> list[int]:
    summed, returned = _split_einsum_axes(layer)
    return [*summed, *returned]
