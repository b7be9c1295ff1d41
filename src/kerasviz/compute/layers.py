"""List the layers of a model that can be looked at, and their addresses: `find_layers`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from kerasviz.compute.filters.receptive_fields.exact_fields import exact_fields
from kerasviz.compute.kernels import kernel_shape
from kerasviz.model.addresses import check_model, is_convolution, resolve
from kerasviz.model.calls import known_calls
from kerasviz.model.layer_call import Shape


@dataclass(frozen=True, kw_only=True, repr=False)
class LayerRef:
    """A layer, or one of its calls, that can be looked at.

    Args:
        address: What to pass as `layer`.
        layer: The layer itself.
        output_shape: Shape of its output, `(samples, height, width, channels)` for most; a tuple of
            shapes where it has several outputs, `None` where Keras cannot tell.
        kernel_shape: Shape of its kernel as `get_kernels` returns it: of a convolution
            `(height, width, in_channels, filters)`, of other layers a matrix; `None` where it has
            none.
        field_size: How many cells of the input one of its units sees, `(height, width)` of an
            image, where `receptive_field` is exact and the same for every unit; else `None`.
        field_stride: How many cells that moves on from one unit to the next, likewise.
    """

    address: str
    layer: keras.Layer
    output_shape: Shape | tuple[Shape, ...] | None
    kernel_shape: tuple[int, ...] | None
    field_size: tuple[int, ...] | None = None
    field_stride: tuple[int, ...] | None = None

    def __repr__(self) -> str:
        return (
            f"LayerRef({self.address!r}, {type(self.layer).__name__}, "
            f"output_shape={self.output_shape}, kernel_shape={self.kernel_shape})"
        )

    def __str__(self) -> str:
        facts = [type(self.layer).__name__]
        if self.kernel_shape is not None:
            facts.append(f"kernel {'×'.join(map(str, self.kernel_shape))}")
        if self.output_shape is not None:
            facts.append(f"output {self.output_shape}")
        if self.field_size is not None and self.field_stride is not None:
            size, stride = ("×".join(map(str, n)) for n in (self.field_size, self.field_stride))
            facts.append(f"sees {size}, stride {stride}")
        return f"{self.address}: {', '.join(facts)}"


def find_layers(model: keras.Model, layer: Any = None) -> list[LayerRef]:
    """List the layers of a model that you can look at, and their addresses.

    Args:
        model: A Keras model.
        layer: A layer address, a list of them, or `None` for every convolution. `"*"` lists
            everything. See Notes for the forms of an address.

    Returns:
        The matches in model order; for a list, in its order. Layers of a Sequential or Functional
        model are in the order of `model.layers`, those of any other model in the order of their
        calls; what is inside a layer follows it. A model without a convolution has none for `None`.

    Raises:
        TypeError: `model` is not a Keras model, or `layer` is not an address.
        ValueError: No layer has that address, or more than one call has.

    Notes:
        Every function that takes a `layer` takes an address: the name of a layer (`"conv2d"`), an
        index into `model.layers`, a layer, a layer class, a pattern with `*`, `?` and `[...]`, a
        list of these, or `None` for every convolution.

        A layer inside another one has a path: `"resnet50/conv1_conv"`. A layer that is called more
        than once has an address for each call, counted from 0: `"shared:1"`. A layer that returns
        several tensors has an address for each output, counted from 0: `"attention#1"`. In a
        subclassed model, the path of attributes, keys and indices that leads to a layer is an
        address too: `"blocks/0/conv"`.

        A layer whose values cannot be taken is not listed: one that the model does not call, one
        that runs in a loop, a branch or a compiled function of the backend, and the cell of a
        recurrent layer.

    Example:
        >>> import keras, kerasviz
        >>> model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(32, 3)])
        >>> print(*kerasviz.find_layers(model))
        conv2d: Conv2D, kernel 3×3×1×32, output (None, 26, 26, 32), sees 3×3, stride 1×1
    """
    check_model(model)
    calls = known_calls(model)
    # Elsewhere a model without a convolution is a mistake, since there is nothing to draw. Here it
    # is an answer: the list is empty.
    if layer is None and not any(is_convolution(call.layer) for call in calls):
        return []
    fields = exact_fields(model)
    refs = []
    for address, call in resolve(model, layer, calls).targets:
        field = fields.get(call.path)
        refs.append(
            LayerRef(
                address=address,
                layer=call.layer,
                output_shape=call.output_shape,
                kernel_shape=kernel_shape(call.layer),
                field_size=field and field.size,
                field_stride=field and field.stride,
            )
        )
    return refs
