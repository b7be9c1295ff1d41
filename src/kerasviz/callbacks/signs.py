"""Signs of principal patterns that follow each filter from frame to frame."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kerasviz.draw.channels import align_signs, kernel_agreement
from kerasviz.draw.panel import Panel


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The principal patterns of a layer at one step, as they were drawn.

    Args:
        indices: Which filter each pattern is of, in increasing order, `(filters,)`.
        patterns: Array `(filters, height, width)`.
        kernel: The kernel that they are of, `(positions, 1, in_channels, filters)`, if it is known.
    """

    indices: np.ndarray
    patterns: np.ndarray
    kernel: np.ndarray | None = None


def make_frame(tiles: np.ndarray, indices: np.ndarray, kernel: np.ndarray | None = None) -> Frame:
    """Put patterns in the order of their filters, since `sort` may order each step differently.

    Args:
        tiles: The patterns in the order in which they are drawn, with the slices of a volume one
            after the other, `(filters * slices, height, width)`.
        indices: Which filter each pattern is of, `(filters,)`.
        kernel: The kernel of the whole layer, `(..., in_channels, filters)`.
    """
    order = np.argsort(indices, kind="stable")
    if kernel is not None:
        chosen = kernel[..., indices[order]]
        kernel = chosen.reshape(-1, 1, *chosen.shape[-2:])
    patterns = tiles.reshape(len(indices), -1, tiles.shape[-1])[order]
    return Frame(indices=indices[order], patterns=patterns, kernel=kernel)


def follow_signs(panel: Panel, kernel: np.ndarray, before: Frame | None) -> tuple[Panel, Frame]:
    """Give each pattern the sign that agrees with the frame before.

    Args:
        panel: The principal patterns of a kernel.
        kernel: That kernel.
        before: The frame before; `None`, or one of another shape, leaves the signs as they are.

    Returns:
        The panel with these signs, and the frame that it is.
    """
    frame = make_frame(panel.tiles, panel.numbers, kernel)
    if (
        before is None
        or before.patterns.shape != frame.patterns.shape
        or not np.array_equal(before.indices, frame.indices)
    ):
        return panel, frame
    agreement = None
    if before.kernel is not None and frame.kernel is not None:
        if before.kernel.shape != frame.kernel.shape:
            return panel, frame
        agreement = kernel_agreement(frame.kernel, before.kernel)
    patterns = align_signs(frame.patterns, before.patterns, agreement)
    tiles = np.empty_like(patterns)
    tiles[np.argsort(panel.numbers, kind="stable")] = patterns
    aligned = replace(panel, tiles=tiles.reshape(panel.tiles.shape))
    return aligned, replace(frame, patterns=patterns)
