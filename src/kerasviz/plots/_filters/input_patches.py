"""Inputs of a model as they are drawn on the card of a filter: colours, windows, slices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kerasviz.compute.filters.statistics import FilterStatistics
from kerasviz.draw.color import Limits, resolve_limits, rgb_limits, rgb_values

RGB = 3
IMAGE_NDIM, VOLUME_NDIM = 3, 4


@dataclass(frozen=True, kw_only=True)
class InputColors:
    """How values of inputs become colours, or curves.

    Args:
        limits: The values that are drawn black and white, or the range of curves.
        lowest: The smallest value that an input may have.
        is_flat: Whether inputs are signals.
    """

    limits: Limits
    lowest: float
    is_flat: bool

    @classmethod
    def of(cls, images: Sequence[np.ndarray]) -> InputColors:
        """Return the colours for inputs `(*space, channels)`."""
        values = np.concatenate([image.ravel() for image in images])
        is_flat = images[0].ndim < IMAGE_NDIM
        limits = resolve_limits(values) if is_flat else rgb_limits(values)
        if is_flat:
            limits = Limits(float(values.min()), float(values.max()), limits.signed)
        lowest = float(values.min()) if limits.signed else 0.0
        return cls(limits=limits, lowest=min(lowest, limits.vmin), is_flat=is_flat)

    @property
    def range(self) -> tuple[float, float]:
        """The smallest and the largest value of an input."""
        low, high = self.lowest, self.limits.vmax
        return (low, high) if low < high else (low, low + 1.0)

    def colors(self, image: np.ndarray) -> np.ndarray:
        """Return colours `(height, width, 3)` of an image `(height, width, channels)`."""
        channels = image.shape[-1]
        if channels != RGB:
            mean = image[..., 0] if channels == 1 else image.mean(axis=-1)
            image = np.repeat(mean[..., np.newaxis], RGB, axis=-1)
        return rgb_values(np.asarray(image), self.limits)

    def middle_slice(self, image: np.ndarray) -> np.ndarray:
        """Return what is drawn of an input that was made: a signal as it is, else colours."""
        if self.is_flat:
            return image
        if image.ndim >= VOLUME_NDIM:
            image = image[len(image) // 2]
        return self.colors(image)


@dataclass(frozen=True, kw_only=True)
class SeenPart:
    """A part of an input, as it is drawn.

    Args:
        view: Colours `(height, width, 3)`, or a window `(steps, channels)`.
        box: What the unit sees of it, `None` where this is all.
        note: Which slice it is.
    """

    view: np.ndarray
    box: tuple[tuple[int, int], tuple[int, int]] | None
    note: str = ""


def seen_part(image: np.ndarray, box: np.ndarray, size: int, colors: InputColors) -> SeenPart:
    """Return what is drawn of an image, and the part of it that a unit sees.

    Args:
        image: `(*space, channels)`.
        box: First and last cell along each axis of space, `(axes, 2)`.
        size: The length of the window of a signal.
        colors: How values become colours.
    """
    if colors.is_flat:
        return SeenPart(view=seen_values(image, box, (size,)), box=None)
    note, is_all = "", all(a == 0 and b == n for (a, b), n in zip(box, image.shape, strict=False))
    if image.ndim >= VOLUME_NDIM:
        depth = len(image)
        middle = int(box[0].sum()) // 2
        image, box, note = image[middle], box[1:], f"slice {middle} of {depth}"
    (top, bottom), (left, right) = box.tolist()
    field = None if is_all else ((top, bottom), (left, right))
    return SeenPart(view=colors.colors(image), box=field, note=note)


def seen_values(image: np.ndarray, box: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """Return what a unit sees of an image, at the size of its field.

    Args:
        image: `(*space, channels)`.
        box: First and last cell along each axis of space, `(axes, 2)`, cut at the border.
        size: The size of the field.

    Returns:
        Array `(*size, channels)`; what is outside of the image has no value, NaN.
    """
    inside = image[tuple(slice(start, stop) for start, stop in box.tolist())]
    pads = []
    for (start, stop), length in zip(box.tolist(), size, strict=True):
        missing = length - (stop - start)
        # A field that is cut is so at the start of the image, or at its end.
        pads.append((missing, 0) if start == 0 else (0, missing))
    return np.pad(inside.astype("float32"), (*pads, (0, 0)), constant_values=np.nan)


def field_size(statistics: FilterStatistics) -> tuple[int, ...]:
    """Return the size of what a unit sees, where it is not cut at the border."""
    boxes = statistics.boxes
    sizes = (boxes[..., 1] - boxes[..., 0]).reshape(-1, boxes.shape[2])
    return tuple(sizes.max(axis=0).tolist())


def write_value(value: float) -> str:
    """Return a response with three digits, also where the last is 0."""
    return f"{value:#.3g}".rstrip(".").replace("-", "\N{MINUS SIGN}")
