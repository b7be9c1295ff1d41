"""The array code below the pictures: principal patterns and the mosaic."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from functools import partial

import numpy as np
from timing import Spread, time_pairs

from kerasviz.compute.kernel_patterns import principal_patterns
from kerasviz.draw.tiles.grid import Grid, choose_columns, mosaic
from report import Goal, Row, goal_text

KERNEL = (3, 3, 512, 512)
SIDE = 7
MOSAIC_HEADS = ("tiles", "ns a tile", "mosaic / copy of the tiles", "peak / array", "goal")
PEAK = Goal(2.5)


def patterns_by_svd(kernel: np.ndarray) -> np.ndarray:
    """Return the first singular pattern of each filter, one decomposition a filter."""
    height, width, in_channels, filters = kernel.shape
    patterns = np.empty((filters, height, width), kernel.dtype)
    for i in range(filters):
        matrix = kernel[..., i].reshape(height * width, in_channels).astype("float64")
        left, lengths, right = np.linalg.svd(matrix, full_matrices=False)
        sign = -1 if right[0].sum() < 0 else 1
        patterns[i] = (sign * lengths[0] * left[:, 0]).reshape(height, width)
    return patterns


def compare_principal(*, pairs: int, warmup: int) -> Row:
    """Compare `principal_patterns` with the loop, after checking that the values agree."""
    kernel = np.random.default_rng(0).normal(size=KERNEL).astype("float32")
    np.testing.assert_allclose(
        principal_patterns(kernel)[0], patterns_by_svd(kernel), rtol=1e-4, atol=1e-5
    )
    timed = time_pairs(
        lambda: patterns_by_svd(kernel),
        lambda: principal_patterns(kernel),
        pairs=pairs,
        warmup=warmup,
    )
    name = f"principal patterns, {'×'.join(map(str, KERNEL))}"
    compared = "SVD a filter / principal_patterns"
    return Row(name, compared, timed.ratios, pairs, (Goal(2.5, at_least=True),))


def measure_mosaic(counts: tuple[int, ...], *, pairs: int) -> Iterator[list[str]]:
    """Yield a row a number of tiles: time against a plain copy, and the peak of memory.

    The peak is over the bytes of the mosaic, its values and its mask.
    """
    for count in counts:
        tiles = np.random.default_rng(count).normal(size=(count, SIDE, SIDE)).astype("float32")
        columns = choose_columns(count, (SIDE + 1, SIDE + 1), 1.4)
        grid = Grid(count=count, columns=columns, tile=(SIDE, SIDE))
        timed = time_pairs(partial(mosaic, tiles, grid), tiles.copy, pairs=pairs)
        ratios = timed.ratios
        per_tile = Spread.of(timed.first).median / count * 1e9
        peak = _peak(tiles, grid)
        yield [
            str(count),
            f"{per_tile:.0f}",
            f"{ratios.median:.1f} ({ratios.lowest:.1f}–{ratios.highest:.1f})",
            f"{peak:.2f}",
            goal_text((PEAK,), peak),
        ]


def _peak(tiles: np.ndarray, grid: Grid) -> float:
    tracemalloc.start()
    try:
        array = mosaic(tiles, grid)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return peak / (array.nbytes + np.ma.getmaskarray(array).nbytes)
