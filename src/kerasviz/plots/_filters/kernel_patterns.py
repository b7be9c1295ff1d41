"""The kernel of each filter as it is drawn on its card."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from kerasviz.compute.kernel_patterns import principal_patterns
from kerasviz.compute.kernels import get_kernels
from kerasviz.draw.color import rgb_limits, rgb_values
from kerasviz.draw.filters.content import Pattern

RGB = 3
MAX_CURVES = 3
"""Up to how many input channels a kernel over time is drawn as curves."""


def kernel_patterns(
    model: keras.Model, address: str, indices: np.ndarray, filters: int
) -> list[Pattern] | None:
    """Return the kernels of some filters, or `None` where a filter has none that can be drawn.

    Args:
        model: The model.
        address: The layer.
        indices: The filters.
        filters: How many the layer has.
    """
    kernel = _find_kernel(model, address)
    if kernel is None or kernel.shape[-1] != filters:
        return None
    *window, channels, _ = kernel.shape
    if not window:
        return None
    chosen = kernel[..., indices]
    limits = rgb_limits(chosen, signed=True)
    patterns = []
    for number in range(len(indices)):
        one = chosen[..., [number]]
        own = one[..., 0]
        if math.prod(window) == 1:
            patterns.append(Pattern(values=own, view=own.ravel(), kind="stems"))
        elif channels == RGB and len(window) == 2 and 1 not in window:
            colors = rgb_values(own, limits)
            patterns.append(Pattern(values=own, view=colors, kind="colors"))
        else:
            patterns.append(_principal_pattern(one, window))
    return patterns


def _find_kernel(model: keras.Model, address: str) -> np.ndarray | None:
    try:
        kernel: Any = get_kernels(model, address)
    except ValueError:  # a layer without one
        return None
    return kernel if isinstance(kernel, np.ndarray) else None


def _principal_pattern(kernel: np.ndarray, window: list[int]) -> Pattern:
    """Return the pattern over positions that explains most of a kernel `(*window, channels, 1)`."""
    channels = kernel.shape[-2]
    if len(window) == 2 and window[0] == 1 and 1 < channels <= MAX_CURVES:
        return Pattern(values=kernel[..., 0], view=kernel[0, ..., 0], kind="curves")
    flat = kernel.reshape(-1, window[-1], channels, 1)
    tiles, energy = principal_patterns(flat)
    pattern = tiles[0].reshape(window)
    caption = "" if channels == 1 else f"{energy:.0%} of it"
    if window[0] == 1 and len(window) == 2:
        return Pattern(values=kernel[..., 0], view=pattern[0], kind="stems", caption=caption)
    if len(window) > 2:
        pattern = pattern[len(pattern) // 2]
        caption = ", ".join(filter(None, ["middle slice", caption]))
    return Pattern(values=kernel[..., 0], view=pattern, kind="weights", caption=caption)
