"""Keep the places where each filter responds most strongly, and the images that have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

Label = int | str
Locate = Callable[[np.ndarray], np.ndarray]
"""From positions `(n, axes)` to the first cells that units there see, `(n, axes of the image)`,
which are below 0 in the padding."""

BoxesOf = Callable[[np.ndarray], np.ndarray | None]
"""From positions `(n, axes)` to the boxes that units there see, `(n, axes of the image, 2)`; `None`
where they are not known exactly."""


@dataclass(frozen=True, kw_only=True)
class Strongest:
    """For each filter the strongest places, one per image, strongest first.

    Of equal values the earlier image comes first, and in it the first place in row-major order.

    Args:
        values: `(filters, places)`.
        indices: Of the images, `(filters, places)`.
        positions: `(filters, places, axes of space)`.
        starts: The first cell that the unit at each position sees, `(filters, places, axes of the
            image)`; below 0 in the padding.
        images: By index the images that are named here; `None` where they take too much memory.
        labels: By index their classes, where they have some.
        boxes: What the units see inside the image, `(filters, places, axes of the image, 2)`: the
            first cell and the one after the last; `None` where that is not known exactly, and
            before a pass is complete.
    """

    values: np.ndarray
    indices: np.ndarray
    positions: np.ndarray
    starts: np.ndarray
    images: Mapping[int, np.ndarray] | None = field(default_factory=dict)
    labels: Mapping[int, Label] = field(default_factory=dict)
    boxes: np.ndarray | None = None

    @classmethod
    def empty(cls, filters: int, axes: int, image_axes: int) -> Strongest:
        """Return a record of no places."""
        return cls(
            values=np.empty((filters, 0), "float32"),
            indices=np.empty((filters, 0), int),
            positions=np.empty((filters, 0, axes), int),
            starts=np.empty((filters, 0, image_axes), int),
        )

    def merge(self, other: Strongest, places: int) -> Strongest:
        """Return the strongest places of both.

        Args:
            other: Places in other images.
            places: How many are kept for each filter.
        """
        values = np.concatenate([self.values, other.values], axis=1)
        indices = np.concatenate([self.indices, other.indices], axis=1)
        order = np.lexsort((indices, -values), axis=1)[:, :places]
        images = None
        if self.images is not None and other.images is not None:
            images = {**self.images, **other.images}
        return replace(
            self,
            values=np.take_along_axis(values, order, axis=1),
            indices=np.take_along_axis(indices, order, axis=1),
            positions=_take(self.positions, other.positions, order),
            starts=_take(self.starts, other.starts, order),
            images=images,
            labels={**self.labels, **other.labels},
            boxes=None
            if self.boxes is None or other.boxes is None
            else _take(self.boxes, other.boxes, order),
        ).tidied()

    def tidied(self) -> Strongest:
        """Return the same with those images and labels alone that are named in it."""
        named = set(self.indices.ravel().tolist())
        labels = {index: label for index, label in self.labels.items() if index in named}
        images = self.images
        if images is not None:
            images = {index: image for index, image in images.items() if index in named}
        return replace(self, labels=labels, images=images)

    def with_boxes(self, boxes_of: BoxesOf) -> Strongest:
        """Return the same with the boxes that the units at all places see."""
        positions = self.positions.reshape(self.values.size, self.positions.shape[-1])
        boxes = boxes_of(positions) if positions.size else None
        shape = (*self.values.shape, -1, 2)
        return replace(self, boxes=None if boxes is None else boxes.reshape(shape))

    def shifted(self, offset: int) -> Strongest:
        """Return the same for images whose indices are higher by `offset`."""
        images = self.images
        if images is not None:
            images = {index + offset: image for index, image in images.items()}
        labels = {index + offset: label for index, label in self.labels.items()}
        return replace(self, indices=self.indices + offset, images=images, labels=labels)


def find_strongest(
    maps: np.ndarray,
    peaks: np.ndarray,
    indices: np.ndarray,
    weakest: np.ndarray,
    *,
    locate: Locate,
    images: Sequence[np.ndarray] | None,
    labels: np.ndarray | None = None,
) -> Strongest | None:
    """Return the places of a batch that are stronger than the weakest that is kept.

    Args:
        maps: `(samples, *space, filters)`.
        peaks: The largest value of each map, `(samples, filters)`.
        indices: The index of each image, `(samples,)`.
        weakest: For each filter the value that a place has to exceed, `(filters,)`. Of equal
            values the earlier image is kept, which is there already.
        locate: Tells what units see.
        images: The images, which are kept as they are.
        labels: The class of each image, `(samples,)`.
    """
    samples, filters = peaks.shape
    space = maps.shape[1:-1]
    is_stronger = peaks > weakest
    rows, columns = np.nonzero(is_stronger)
    if not len(rows):
        return None
    cells = maps.reshape(samples, -1, filters)[rows, :, columns].argmax(axis=1)
    positions = (
        np.stack(np.unravel_index(cells, space), axis=-1)
        if space
        else np.empty((len(rows), 0), int)
    )
    named = set(rows.tolist())
    # What is not stronger has no place here: it is weaker than anything, and cut off by merging.
    values = np.where(is_stronger, peaks, -np.inf).T
    return Strongest(
        values=values,
        indices=np.broadcast_to(indices, values.shape),
        positions=_scatter(positions, rows, columns, values.shape),
        starts=_scatter(locate(positions), rows, columns, values.shape),
        images=None if images is None else {int(indices[n]): images[n] for n in named},
        labels={} if labels is None else {int(indices[n]): labels[n].item() for n in named},
    )


def _take(a: np.ndarray, b: np.ndarray, order: np.ndarray) -> np.ndarray:
    joined = np.concatenate([a, b], axis=1)
    return np.asarray(joined[np.arange(len(order))[:, np.newaxis], order])


def _scatter(
    items: np.ndarray, samples: np.ndarray, filters: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray:
    """Return items `(n, ...)` in an array `(filters, samples, ...)`."""
    array = np.zeros((*shape, *items.shape[1:]), int)
    array[filters, samples] = items
    return array
