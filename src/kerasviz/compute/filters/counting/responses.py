"""Add up the responses of a layer's filters, image by image, to what can be merged and saved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from kerasviz.compute.filters.counting.histogram import Histogram
from kerasviz.compute.filters.counting.long_rows import reduce_cells
from kerasviz.compute.filters.counting.moments import Moments
from kerasviz.compute.filters.counting.strongest import Label, Locate, Strongest, find_strongest

MAX_BYTES = 1 << 30
"""The memory that images may take; beyond it only their indices are kept."""


class NotFiniteError(ValueError):
    """A layer returns NaN or infinite values for an image.

    Args:
        address: The layer's address.
        index: The index of the image.
    """

    def __init__(self, address: str, index: int) -> None:
        super().__init__(address, index)
        self.address: str = address
        self.index: int = index

    def __str__(self) -> str:
        return (
            f"'{self.address}' returns NaN or infinite values for image {self.index}, "
            "so that there are no statistics of its filters."
        )


@dataclass(frozen=True, kw_only=True)
class LayerIdentity:
    """The layer and model that responses are of, which tell whether they can be merged.

    Args:
        address: The layer's address.
        fingerprint: A fingerprint of the model's weights.
        places: How many of the strongest places are kept for each filter.
        field_size: How many cells of the image a unit sees, `None` where it may be all.
        is_exact: Whether it sees just these.
    """

    address: str
    fingerprint: str
    places: int
    field_size: tuple[int | None, ...]
    is_exact: bool


@dataclass(kw_only=True)
class Responses:
    """The responses of a layer's filters to the images that were added.

    Args:
        identity: Which filters these are of.
        strongest: The strongest places.
        samples: How many images there were.
        moments: The sums of all values and of products.
        minimum: The smallest value, `(filters,)`.
        maximum: The largest value, `(filters,)`.
        of_cells: The histogram of all values.
        of_images: The histogram of the strongest value in each image.
        class_counts: How many images each class had.
        class_totals: The sum of the strongest value in each of its images, `(filters,)`.
        class_peaks: The histogram of these values, of all filters together.
    """

    identity: LayerIdentity
    strongest: Strongest
    moments: Moments
    minimum: np.ndarray
    maximum: np.ndarray
    of_cells: Histogram
    of_images: Histogram
    samples: int = 0
    class_counts: dict[Label, int] = field(default_factory=dict)
    class_totals: dict[Label, np.ndarray] = field(default_factory=dict)
    class_peaks: dict[Label, Histogram] = field(default_factory=dict)

    @classmethod
    def empty(cls, identity: LayerIdentity, filters: int, axes: int) -> Responses:
        """Return the responses to no image.

        Args:
            identity: Which filters these are of.
            filters: How many.
            axes: The number of axes of space that a map has.
        """
        image_axes = len(identity.field_size)
        return cls(
            identity=identity,
            strongest=Strongest.empty(filters, axes, image_axes),
            moments=Moments.empty(filters),
            minimum=np.full(filters, np.inf),
            maximum=np.full(filters, -np.inf),
            of_cells=Histogram(filters),
            of_images=Histogram(filters),
        )

    def add(
        self,
        maps: np.ndarray,
        indices: np.ndarray,
        *,
        locate: Locate,
        images: Sequence[np.ndarray] | None = None,
        labels: np.ndarray | None = None,
    ) -> None:
        """Add the maps of some images, which come after all that were added before.

        Args:
            maps: `(samples, *space, filters)`.
            indices: The index of each image.
            locate: Tells what a unit sees of the image.
            images: The images, of which some are kept.
            labels: The class of each.

        Raises:
            NotFiniteError: A value is NaN or infinite; nothing was added.
        """
        maps = np.ascontiguousarray(maps, "float32")
        samples, filters = len(maps), maps.shape[-1]
        cells = maps.reshape(samples, -1, filters)
        values = cells.reshape(-1, filters)
        peaks = reduce_cells(np.maximum, cells)
        low, high = cells.min(), peaks.max()
        # NaN is both the largest and the smallest of anything.
        if not np.isfinite([low, high]).all():
            rows = np.flatnonzero(~np.isfinite(cells).all(axis=(1, 2)))
            raise NotFiniteError(self.identity.address, int(indices[rows[0]]))
        if low < self.minimum.max():  # after a ReLU, that of each filter is soon 0
            lows = reduce_cells(np.minimum, values)
            self.minimum = np.minimum(self.minimum, lows)
        self.maximum = np.maximum(self.maximum, peaks.max(axis=0))
        self.moments.add(values)
        self.of_cells.add(values, low, high)
        self.of_images.add(peaks, peaks.min(), peaks.max())
        self.samples += samples
        self._add_places(maps, peaks, indices, locate=locate, images=images, labels=labels)
        if labels is not None:
            self._add_labels(peaks, labels)

    def _add_places(
        self,
        maps: np.ndarray,
        peaks: np.ndarray,
        indices: np.ndarray,
        *,
        locate: Locate,
        images: Sequence[np.ndarray] | None,
        labels: np.ndarray | None,
    ) -> None:
        best, places = self.strongest, self.identity.places
        is_full = best.values.shape[1] == places
        # Once all places are taken, only what is stronger than the weakest has to be located.
        weakest = best.values[:, -1] if is_full else np.full(peaks.shape[1], -np.inf)
        stronger = find_strongest(
            maps,
            peaks,
            indices,
            weakest,
            locate=locate,
            images=None if best.images is None else images,
            labels=labels,
        )
        if stronger is not None:
            self.strongest = best.merge(stronger, places)

    def _add_labels(self, peaks: np.ndarray, labels: np.ndarray) -> None:
        for label in np.unique(labels):
            own = peaks[labels == label]
            key = label.item()
            self.class_counts[key] = self.class_counts.get(key, 0) + len(own)
            self.class_totals[key] = self.class_totals.get(key, 0) + own.sum(axis=0, dtype=float)
            histogram = self.class_peaks.setdefault(key, Histogram(1))
            histogram.add(own.reshape(-1, 1), float(own.min()), float(own.max()))

    def merge(self, other: Responses) -> Responses:
        """Return the responses to the images of both, whose indices differ.

        Raises:
            ValueError: They are not of the same filters.
        """
        if self.identity != other.identity:
            raise ValueError(_difference(self.identity, other.identity))
        return Responses(
            identity=self.identity,
            strongest=self.strongest.merge(other.strongest, self.identity.places),
            moments=self.moments.merge(other.moments),
            minimum=np.minimum(self.minimum, other.minimum),
            maximum=np.maximum(self.maximum, other.maximum),
            of_cells=self.of_cells.merge(other.of_cells),
            of_images=self.of_images.merge(other.of_images),
            samples=self.samples + other.samples,
            class_counts=_sum(self.class_counts, other.class_counts),
            class_totals=_sum(self.class_totals, other.class_totals),
            class_peaks=_join(self.class_peaks, other.class_peaks),
        )

    def shifted(self, offset: int) -> Responses:
        """Return the same for images whose indices are higher by `offset`."""
        return replace(self, strongest=self.strongest.shifted(offset))


def limit_images(layers: Iterable[Responses]) -> None:
    """Keep no more images than memory may take, of which several layers may name the same ones.

    Of the layer that names the most, only the indices are left, and then of the next one.
    """
    by_count = sorted(layers, key=lambda layer: len(layer.strongest.images or ()))
    while by_count:
        named = [layer.strongest.images or {} for layer in by_count]
        sizes = {id(x): x.nbytes for images in named for x in images.values()}
        if sum(sizes.values()) <= MAX_BYTES:
            return
        most = by_count.pop()
        most.strongest = replace(most.strongest, images=None)


def _sum(a: Mapping[Label, Any], b: Mapping[Label, Any]) -> dict[Label, Any]:
    return {**a, **b, **{key: a[key] + b[key] for key in a if key in b}}


def _join(a: Mapping[Label, Histogram], b: Mapping[Label, Histogram]) -> dict[Label, Histogram]:
    return {**a, **b, **{key: a[key].merge(b[key]) for key in a if key in b}}


def _difference(a: LayerIdentity, b: LayerIdentity) -> str:
    """Say why the responses of two layers cannot be merged."""
    if a.address != b.address:
        what = f"of the same layer. Received: '{a.address}' and '{b.address}'"
    elif a.fingerprint != b.fingerprint:
        what = f"of the same model. Received: two models whose '{a.address}' has other weights"
    elif a.places != b.places:
        what = f"made with the same `images`. Received: {a.places} and {b.places}"
    else:
        what = "of one receptive field. Received: models of other input sizes"
    return f"Statistics can be merged if they are {what}"
