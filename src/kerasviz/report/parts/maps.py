"""Compute the maps of some samples, and keep as many of them as a page has room for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from kerasviz.compute.feature_maps import Extraction, rows_are_samples
from kerasviz.model.addresses import Selection, is_convolution
from kerasviz.report.parts.layers import map_tiles
from kerasviz.report.quantization import Tiles

BUDGET = 6_000_000
"""How many values of maps a page holds at most; compressed they take about as many bytes."""
CONVOLUTION_SHARE = 0.7
"""The part of them that is for convolutions, where not everything fits."""
MAX_MAPS = 128
LIMITS = (128, 64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1)


@dataclass(frozen=True, kw_only=True)
class SampleMaps:
    """The maps of one sample, and what came out of the model that is not a number.

    Args:
        tiles: By address, the tiles of each layer that has maps.
        not_finite: By address, how many values of a layer are NaN or infinite.
    """

    tiles: Mapping[str, Tiles]
    not_finite: Mapping[str, int]


def compute_maps(extraction: Extraction, samples: list[int]) -> list[SampleMaps]:
    """Return the maps of some samples, one sample at a time.

    Args:
        extraction: Every layer, and all inputs.
        samples: The indices of the samples whose maps are wanted.
    """
    results: list[SampleMaps] = []
    limits: dict[str, int] = {}
    for index in samples:
        batch = extraction.batch.take(np.array([index]))
        single = replace(extraction, batch=batch)
        arrays = spatial_maps(single, single.run(1))
        if not limits:
            limits = choose_limits(extraction.targets, arrays, len(samples))
        results.append(
            SampleMaps(
                tiles={
                    address: map_tiles(maps, limits[address])
                    for address, maps in arrays.items()
                    if limits.get(address)
                },
                not_finite={
                    address: count
                    for address, maps in arrays.items()
                    if (count := int(maps.size - np.isfinite(maps).sum()))
                },
            )
        )
    return results


def spatial_maps(extraction: Extraction, outputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the maps of the one sample, of layers whose output has cells."""
    maps = {}
    for address, call in extraction.targets.targets:
        arrays = keras.tree.flatten(outputs[address])
        if len(arrays) != 1 or not 3 <= arrays[0].ndim <= 5 or not arrays[0].size:
            continue
        if not isinstance(call.layer, keras.layers.InputLayer) and rows_are_samples(
            extraction, call, 0, arrays[0]
        ):
            maps[address] = arrays[0][0]
    return maps


def choose_limits(
    targets: Selection, maps: Mapping[str, np.ndarray], samples: int
) -> dict[str, int]:
    """Return how many maps of each layer are kept, so that all samples fit in the budget.

    Convolutions come first: they have most of the room, and the others what is left of it. A layer
    of which not even one map fits has none.
    """
    sizes = {
        address: (int(np.prod(array.shape[-3:-1])) or 1, array.shape[-1])
        for address, array in maps.items()
    }
    convolutions = {a for a, call in targets.targets if is_convolution(call.layer) and a in sizes}
    others = sizes.keys() - convolutions
    room = BUDGET // samples
    share = CONVOLUTION_SHARE if others else 1.0
    first = _fit({a: sizes[a] for a in convolutions}, room * share)
    used = sum(min(sizes[a][1], first[a]) * sizes[a][0] for a in convolutions)
    return first | _fit({a: sizes[a] for a in others}, room - used)


def _fit(sizes: Mapping[str, tuple[int, int]], room: float) -> dict[str, int]:
    """Return one limit for all layers, the highest with which they fit; else fewer layers."""
    for limit in LIMITS:
        if sum(min(count, limit) * cells for cells, count in sizes.values()) <= room:
            return dict.fromkeys(sizes, limit)
    limits = dict.fromkeys(sizes, 0)
    for address, (cells, _) in sorted(sizes.items(), key=lambda item: item[1][0]):
        if cells <= room:
            limits[address], room = 1, room - cells
    return limits
