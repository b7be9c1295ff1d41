"""Collect the layers of a model: what each is, its kernel, and the kernel in numbers."""

from __future__ import annotations

import math
import warnings
from typing import Any

import keras
import numpy as np

from kerasviz._selection import order_tiles, tile_strength
from kerasviz._wording import write_count, write_size
from kerasviz.compute.kernel_statistics import describe_kernel
from kerasviz.compute.kernels import matrix_axes, read_kernel, resolve_kernels
from kerasviz.compute.layers import LayerRef, find_layers
from kerasviz.draw.color import ColorChoice
from kerasviz.draw.tiles.style import check_style
from kerasviz.model.layer_call import Shape
from kerasviz.plots.kernels import kernel_panel
from kerasviz.report.quantization import Block, Tiles

MAX_ROWS, MAX_COLUMNS = 256, 64
"""The rows and columns of a matrix that are shown, the strongest of more."""
BINS = 40
FACTS = ("mean", "std", "min", "max", "norm", "near_zero")
"""The columns of `kernel_statistics` that the page shows."""


def list_layers(model: keras.Model) -> list[LayerRef]:
    """Return every layer, or call of one, that has an address."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return find_layers(model, "*")


def read_kernels(model: keras.Model, refs: list[LayerRef]) -> dict[str, tuple[Any, np.ndarray]]:
    """Return the layer and the kernel of each address that has one."""
    kernels: dict[str, tuple[Any, np.ndarray]] = {}
    for ref in refs:
        if ref.kernel_shape is None:
            continue
        (address, call), *_ = resolve_kernels(model, ref.address).targets
        kernels[ref.address] = call.layer, read_kernel(call.layer, address)
    return kernels


def layer_facts(ref: LayerRef) -> dict[str, Any]:
    """Return what one line of the page says of a layer."""
    return {
        "address": ref.address,
        "type": type(ref.layer).__name__,
        "shape": _shape_words(ref.output_shape),
        "kernel": None if ref.kernel_shape is None else write_size(*ref.kernel_shape),
        "parameters": sum(math.prod(weight.shape) for weight in ref.layer.weights),
        "depth": ref.address.count("/"),
        "field": None if ref.field_size is None else write_size(*ref.field_size),
        "trainable": bool(ref.layer.trainable),
        "noun": "unit" if isinstance(ref.layer, keras.layers.Dense) else "filter",
    }


def _shape_words(shape: Shape | tuple[Shape, ...] | None) -> str:
    """Write the shape of one sample, or of each output of several."""
    if shape is None:
        return "unknown"
    if shape and isinstance(shape[0], tuple):
        return ", ".join(_shape_words(inner) for inner in shape if isinstance(inner, tuple))
    return "×".join("?" if size is None else str(size) for size in shape[1:]) or "scalar"


def kernel_facts(kernel: np.ndarray, layer: Any, address: str, block: Block) -> dict[str, Any]:
    """Pack a kernel, and return what the page draws of it."""
    statistics = describe_kernel(kernel, address)
    tiles = _matrix_tiles(kernel, layer) if _is_point(kernel) else _kernel_tiles(kernel, address)
    values = kernel[np.isfinite(kernel)]
    counts, edges = np.histogram(values, BINS) if values.size else (np.zeros(BINS, int), [0, 1])
    return {
        "tiles": block.add(tiles),
        "statistics": {name: getattr(statistics, name) for name in FACTS},
        "not_finite": statistics.not_finite,
        "histogram": {"counts": counts.tolist(), "low": float(edges[0]), "high": float(edges[-1])},
    }


def _is_point(kernel: np.ndarray) -> bool:
    """Whether a kernel has one position, so that it is a matrix of channels by filters."""
    return kernel.ndim < 3 or all(size == 1 for size in kernel.shape[:-2])


def _kernel_tiles(kernel: np.ndarray, address: str) -> Tiles:
    panel = kernel_panel(kernel, address, "auto", check_style())
    values, order = np.asarray(panel.values, "float32"), np.argsort(panel.indices)
    # The slices of a volume are below one another.
    width, colors = values.shape[2], values.shape[3:]
    values = values.reshape(len(order), -1, width, *colors)[order]
    limits, _ = _scale(values, signed=True)
    notes = [note for note in panel.notes if "tiles=" not in note]
    slices = len(panel.values) // len(order)
    notes += [f"{slices} slices below one another"] if slices > 1 else []
    return Tiles(
        values=values,
        indices=np.asarray(panel.indices)[order],
        total=panel.total,
        limits=limits,
        signed=True,
        title=", ".join([panel.size, *notes]),
    )


def _matrix_tiles(kernel: np.ndarray, layer: Any) -> Tiles:
    """Return a matrix as one tile: its strongest rows and columns, where it has too many."""
    matrix = kernel.reshape(-1, kernel.shape[-1]).astype("float32")
    columns = _strongest(matrix.T, MAX_COLUMNS)
    rows = _strongest(matrix[:, columns], MAX_ROWS)
    axes = ("input channel", "filter") if kernel.ndim > 2 else matrix_axes(layer)
    words = [
        f"{len(some)} strongest of {count:,} {name}s"
        if len(some) < count
        else write_count(count, name)
        for some, count, name in zip((rows, columns), matrix.shape, axes, strict=True)
    ]
    limits, _ = _scale(matrix, signed=True)
    return Tiles(
        values=matrix[np.ix_(rows, columns)][np.newaxis],
        indices=columns,
        total=1,
        limits=limits,
        signed=True,
        rows=rows,
        axes=axes,
        title=" × ".join(words),
    )


def _strongest(vectors: np.ndarray, count: int) -> np.ndarray:
    """Return the indices of the longest vectors, in their order."""
    if len(vectors) <= count:
        return np.arange(len(vectors))
    strength = tile_strength(vectors[:, :, np.newaxis], "norm")
    return np.sort(order_tiles(np.arange(len(vectors)), strength)[:count])


def _scale(values: np.ndarray, *, signed: bool = False) -> tuple[tuple[float, float], bool]:
    """Return the limits of colours as every picture of kerasviz chooses them, and the sign."""
    colors = ColorChoice(robust="auto").limited(values, signed=signed).of(values, signed=signed)
    low, high = float(colors.norm.vmin or 0), float(colors.norm.vmax or 0)
    return (low, high), low < 0


def map_tiles(maps: np.ndarray, limit: int) -> Tiles:
    """Return the maps of one sample, the strongest where there are more than `limit`.

    Args:
        maps: Array `(height, width, channels)`, or `(steps, channels)`.
        limit: How many maps are kept.
    """
    notes = []
    while maps.ndim > 3:  # of volumes and of steps in time the middle one
        notes.append(f"slice {len(maps) // 2} of {len(maps)}")
        maps = maps[len(maps) // 2]
    if np.iscomplexobj(maps):
        maps = np.abs(maps)
        notes.append("magnitudes")
    values = np.moveaxis(maps[np.newaxis] if maps.ndim == 2 else maps, -1, 0).astype("float32")
    indices = _strongest(values.reshape(len(values), -1), limit)
    limits, signed = _scale(values)
    return Tiles(
        values=values[indices],
        indices=indices,
        total=len(values),
        limits=limits,
        signed=signed,
        title=", ".join(notes),
    )
