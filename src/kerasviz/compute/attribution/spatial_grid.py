"""The cells of a layer's output: which layers have them, on which input, and at its size."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
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
        input_indices: The inputs that have the same cells, of those that the layer depends on.
    """

    address: str
    values: np.ndarray
    gradient: np.ndarray
    input_indices: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class InputCells:
    """The cells of a model's inputs, and which inputs a layer depends on.

    Args:
        shapes: The shape of each input, channels last.
        counts: For each, how many axes of cells it has, such as rows and columns.
        find_behind: Returns the indices of the inputs that a call depends on.
    """

    shapes: Sequence[tuple[int, ...]]
    counts: Sequence[int]
    find_behind: Callable[[Call], Collection[int]]


@dataclass(frozen=True, kw_only=True)
class Arrangement:
    """How the output of a layer is made of cells.

    Args:
        input_indices: The inputs on which the cells are.
        grid: The rows and columns of tokens, where the cells are tokens.
    """

    input_indices: tuple[int, ...]
    grid: tuple[int, int] | None = None

    def apply(self, output: np.ndarray) -> np.ndarray:
        """Return an output, channels last, as `(samples, *cells, channels)`."""
        if self.grid is None:
            return output
        rows, columns = self.grid
        tokens = output[:, output.shape[1] - rows * columns :]  # without a class token before them
        return tokens.reshape(len(output), rows, columns, output.shape[-1])


def arrange(shape: Shape, call: Call, inputs: InputCells) -> Arrangement:
    """Return how an output is made of cells.

    Args:
        shape: The shape of the output, channels last.
        call: The call that returned it.
        inputs: The cells of the inputs.
    """
    behind = [index for index in sorted(inputs.find_behind(call)) if inputs.counts[index]]
    own = [index for index in behind if inputs.counts[index] == len(shape) - 2]
    if own or len(shape) != 3 or shape[1] is None:
        return Arrangement(input_indices=tuple(own))
    images = [index for index in behind if inputs.counts[index] == 2]
    grids = {index: _patch_grid(shape[1], inputs.shapes[index][1:3]) for index in images}
    grid = next(filter(None, grids.values()), None)
    of_grid = tuple(index for index in grids if grid is not None and grids[index] == grid)
    return Arrangement(input_indices=of_grid, grid=grid)


def _patch_grid(tokens: int, size: Sequence[int]) -> tuple[int, int] | None:
    """Return the rows and columns of the square patches of an image that are `tokens`."""
    for extra in EXTRA_TOKENS:
        for patch in range(1, min(size) + 1):
            rows, columns = size[0] // patch, size[1] // patch
            if rows * columns == tokens - extra and rows * columns > 1:
                return rows, columns
    return None


def read_output(
    target: NamedCall, output: np.ndarray, gradient: np.ndarray, inputs: InputCells
) -> LayerOutput:
    """Return what a layer returned as cells.

    Args:
        target: The layer.
        output: What it returned.
        gradient: The gradient with respect to that.
        inputs: The cells of the inputs.
    """
    axis = output_axis(target.call, output.ndim)
    output, gradient = np.moveaxis(output, axis, -1), np.moveaxis(gradient, axis, -1)
    check_has_cells(target, output.shape)
    arrangement = arrange(output.shape, target.call, inputs)
    return LayerOutput(
        address=target.address,
        values=arrangement.apply(output),
        gradient=arrangement.apply(gradient),
        input_indices=arrangement.input_indices,
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


def spatial_calls(calls: Sequence[Call], inputs: InputCells) -> list[Call]:
    """Return the calls whose cells are those of an input, the last one first.

    A model in the model returns what a layer inside it returned, which is the one that is named.

    Args:
        calls: The calls of a model, in the order in which they end.
        inputs: The cells of the inputs.
    """
    return [
        call
        for call in reversed(calls)
        if call.outputs
        and not is_graph(call.layer)
        # The cells of a Permute are not where they are in the input.
        and not isinstance(call.layer, keras.layers.Permute)
        and has_cells(call)
        and _is_on_input(call, inputs)
    ]


def _is_on_input(call: Call, inputs: InputCells) -> bool:
    shape = list(call.outputs[0].shape)
    shape.append(shape.pop(output_axis(call, len(shape))))
    several = all(size is None or size > 1 for size in shape[1:-1])
    return several and bool(arrange(tuple(shape), call, inputs).input_indices)


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
