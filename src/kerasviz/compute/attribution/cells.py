"""The cells of a layer's output: which layers have them, on which input, and at its size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np

from kerasviz.model.addresses import NamedCall
from kerasviz.model.channel_axes import channel_axis
from kerasviz.model.graph import is_graph
from kerasviz.model.layer_call import Call, Shape

EXTRA_TOKENS = (0, 1, 2, 5)
"""How many tokens before those of the patches are known: none, a class, one more for distillation,
or four registers."""


@dataclass(frozen=True, kw_only=True)
class LayerOutput:
    """The output of a layer, as a class activation map takes it.

    Args:
        address: The layer's address.
        values: `(samples, *cells, channels)`; tokens of patches are cells on their grid.
        gradient: The gradient of the score with respect to these.
        input_index: The input on which the cells are, `None` where they are on none.
    """

    address: str
    values: np.ndarray
    gradient: np.ndarray
    input_index: int | None


@dataclass(frozen=True, kw_only=True)
class Arrangement:
    """How the output of a layer is made of cells.

    Args:
        input_index: The input on which the cells are, `None` where they are on none.
        grid: The rows and columns of tokens, where the cells are tokens.
    """

    input_index: int | None
    grid: tuple[int, int] | None = None

    def apply(self, output: np.ndarray) -> np.ndarray:
        """Return an output, channels last, as `(samples, *cells, channels)`."""
        if self.grid is None:
            return output
        rows, columns = self.grid
        tokens = output[:, output.shape[1] - rows * columns :]  # without a class token before them
        return tokens.reshape(len(output), rows, columns, output.shape[-1])


def arrange(shape: Shape, inputs: Sequence[np.ndarray], cell_axes: Sequence[int]) -> Arrangement:
    """Return how an output is made of cells.

    Args:
        shape: The shape of the output, channels last.
        inputs: The inputs, channels last.
        cell_axes: For each input, how many axes of cells it has.
    """
    for index, count in enumerate(cell_axes):
        if count == len(shape) - 2:
            return Arrangement(input_index=index)
    if len(shape) == 3 and shape[1] is not None:
        for index, (x, count) in enumerate(zip(inputs, cell_axes, strict=True)):
            grid = _patch_grid(shape[1], x.shape[1:3]) if count == 2 else None
            if grid is not None:
                return Arrangement(input_index=index, grid=grid)
    return Arrangement(input_index=None)


def _patch_grid(tokens: int, size: Sequence[int]) -> tuple[int, int] | None:
    """Return the rows and columns of the square patches of an image that are `tokens`."""
    for extra in EXTRA_TOKENS:
        for patch in range(1, min(size) + 1):
            rows, columns = size[0] // patch, size[1] // patch
            if rows * columns == tokens - extra and rows * columns > 1:
                return rows, columns
    return None


def read_output(
    target: NamedCall,
    output: np.ndarray,
    gradient: np.ndarray,
    *,
    inputs: Sequence[np.ndarray],
    cell_axes: Sequence[int],
) -> LayerOutput:
    """Return what a layer returned as cells.

    Args:
        target: The layer.
        output: What it returned.
        gradient: The gradient with respect to that.
        inputs: The inputs, channels last.
        cell_axes: For each input, how many axes of cells it has.
    """
    axis = output_axis(target.call, output.ndim)
    output, gradient = np.moveaxis(output, axis, -1), np.moveaxis(gradient, axis, -1)
    check_has_cells(target, output.shape)
    arrangement = arrange(output.shape, inputs, cell_axes)
    return LayerOutput(
        address=target.address,
        values=arrangement.apply(output),
        gradient=arrangement.apply(gradient),
        input_index=arrangement.input_index,
    )


def output_axis(call: Call, rank: int) -> int:
    """Return the axis of the channels of a call's output."""
    return call.channel_axes[0] if call.channel_axes else channel_axis(call.layer, rank)


def check_has_cells(target: NamedCall, shape: Shape) -> None:
    """Raise `ValueError` for an output without cells."""
    if len(shape) < 3:
        raise ValueError(
            "`layer` must name layers whose output has cells, (samples, *cells, channels), for a "
            f"class activation map. Received: '{target.address}', whose output has the shape "
            f"{tuple(shape)}"
        )


def has_cells(call: Call) -> bool:
    """Whether a call returns one array of floats with cells, as far as it is known."""
    if isinstance(call.layer, keras.layers.InputLayer) or len(call.outputs) > 1:
        return False
    if not call.outputs:
        return True
    output = call.outputs[0]
    dtype = keras.backend.standardize_dtype(output.dtype)
    return len(output.shape) > 2 and keras.backend.is_float_dtype(dtype)


def spatial_calls(
    calls: Sequence[Call], inputs: Sequence[np.ndarray], cell_axes: Sequence[int]
) -> list[Call]:
    """Return the calls whose cells are those of an input, the last one first.

    A model in the model returns what a layer inside it returned, which is the one that is named.

    Args:
        calls: The calls of a model, in the order in which they end.
        inputs: The inputs, channels last.
        cell_axes: For each input, how many axes of cells it has.
    """
    return [
        call
        for call in reversed(calls)
        if call.outputs
        and not is_graph(call.layer)
        # The cells of a Permute are not where they are in the input.
        and not isinstance(call.layer, keras.layers.Permute)
        and has_cells(call)
        and _is_on_input(call, inputs, cell_axes)
    ]


def _is_on_input(call: Call, inputs: Sequence[np.ndarray], cell_axes: Sequence[int]) -> bool:
    shape = list(call.outputs[0].shape)
    shape.append(shape.pop(output_axis(call, len(shape))))
    several = all(size is None or size > 1 for size in shape[1:-1])
    return several and arrange(tuple(shape), inputs, cell_axes).input_index is not None


def enlarge_cells(cells: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """Return maps at the size of an input, each cell as a block of equal values.

    Args:
        cells: `(n, *cells)`.
        size: The size of the input, as many numbers as the cells have axes.
    """
    for axis, length in enumerate(size, start=1):
        count = cells.shape[axis]
        centers = (np.arange(length) + 0.5) * count / length
        cells = np.take(cells, np.clip(centers.astype(int), 0, count - 1), axis=axis)
    return cells


def interpolate_cells(cells: np.ndarray, size: Sequence[int], shift: Sequence[float]) -> np.ndarray:
    """Return maps at the size of an input, linearly between the middles of cells.

    Args:
        cells: `(n, *cells)`.
        size: The size of the input.
        shift: By which part of a cell the grid is moved, along each axis.
    """
    for axis, (length, offset) in enumerate(zip(size, shift, strict=True), start=1):
        count = cells.shape[axis]
        position = np.clip((np.arange(length) + 0.5) * count / length - 0.5 + offset, 0, count - 1)
        low = np.floor(position).astype(int)
        high = np.minimum(low + 1, count - 1)
        weight = (position - low).reshape([-1 if a == axis else 1 for a in range(cells.ndim)])
        cells = np.take(cells, low, axis) * (1 - weight) + np.take(cells, high, axis) * weight
    return cells
