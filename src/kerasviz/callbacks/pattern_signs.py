"""Signs of principal patterns that follow each filter from frame to frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kerasviz.compute.kernel_patterns import align_signs, kernel_agreement
from kerasviz.draw.tiles.panel import TilePanel


class DrawnPatterns:
    """The principal patterns of one layer's filters as they were drawn last, by filter.

    `sort` may order each step differently, and each step may show other filters.
    """

    def __init__(self) -> None:
        self._patterns: dict[int, np.ndarray] = {}
        self._kernels: dict[int, np.ndarray] = {}

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def remember(
        self, tiles: np.ndarray, indices: np.ndarray, kernel: np.ndarray | None = None
    ) -> None:
        """Keep what was drawn.

        Args:
            tiles: The patterns, with the slices of a volume one after the other,
                `(filters * slices, height, width)`.
            indices: Which filter each pattern is of, `(filters,)`.
            kernel: The kernel of the whole layer, `(..., in_channels, filters)`, if it is known.
        """
        patterns = _by_filter(tiles, indices)
        self._patterns |= dict(zip(indices.tolist(), patterns.copy(), strict=True))
        for index in indices.tolist():
            self._kernels.pop(index, None)
            if kernel is not None:
                self._kernels[index] = kernel[..., index].copy()

    def follow(self, panel: TilePanel, kernel: np.ndarray) -> TilePanel:
        """Return a panel whose patterns have the signs that agree with what was drawn last.

        Args:
            panel: The principal patterns of a kernel.
            kernel: That kernel. Where the one before is known, a filter that became its negative
                gets the negative pattern.
        """
        patterns = _by_filter(panel.tiles, panel.indices).copy()
        for pattern, index in zip(patterns, panel.indices.tolist(), strict=True):
            before = self._patterns.get(index)
            if before is None or before.shape != pattern.shape:
                continue
            agreement = self._agreement(index, kernel[..., index])
            pattern[:] = align_signs(pattern[np.newaxis], before[np.newaxis], agreement)[0]
        return replace(panel, values=patterns.reshape(panel.values.shape))

    def _agreement(self, index: int, weights: np.ndarray) -> np.ndarray | None:
        """Return the agreement of a filter with the one before, `(1,)`, where that is known."""
        before = self._kernels.get(index)
        if before is None or before.shape != weights.shape:
            return None
        columns = [array.reshape(-1, 1, 1, 1) for array in (weights, before)]
        return kernel_agreement(*columns)


def _by_filter(tiles: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Return the patterns one per filter, the slices of a volume below one another."""
    return tiles.reshape(len(indices), -1, tiles.shape[-1])
