"""Tell from responses which filters are dead, rare, alike or selective: `FilterStatistics`."""

from __future__ import annotations

import html
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from kerasviz._checks import check_path, import_optional
from kerasviz._files import check_target
from kerasviz._wording import write_count
from kerasviz.compute.filters.counting.histogram import Histogram
from kerasviz.compute.filters.counting.responses import Responses, limit_images
from kerasviz.compute.filters.counting.strongest import Label
from kerasviz.compute.filters.statistics_file import read_responses, write_responses
from kerasviz.compute.kernel_statistics import write_number, write_share

HIGH = 0.999
"""The quantile from which the threshold of firing is taken."""
RARE = 0.01
"""A filter is rare if it fires in a smaller share of the images."""
DUPLICATE = 0.99
"""Two filters are duplicates if their correlation is higher."""


FAR = 1e39
"""Beyond any float32."""


class FilterStatistics:
    """The responses of the filters of a layer to a data set.

    `filter_statistics` makes it. Arrays have one row per filter, in the order of the filters.

    Example:
        >>> import kerasviz
        >>> model = kerasviz.fashion_mnist.load_model()
        >>> images, labels = kerasviz.fashion_mnist.load_samples()
        >>> statistics = kerasviz.filter_statistics(model, "conv2d", images, labels=labels)
        >>> statistics.samples, statistics.values.shape, statistics.crops.shape
        (10, (32, 9), (32, 9, 3, 3, 1))
    """

    def __init__(self, responses: Responses) -> None:
        self._responses = responses

    @property
    def address(self) -> str:
        """The address of the layer."""
        return self._responses.identity.address

    @property
    def fingerprint(self) -> str:
        """A fingerprint of the model's weights: statistics of another model have another one."""
        return self._responses.identity.fingerprint

    @property
    def samples(self) -> int:
        """How many images there were."""
        return self._responses.samples

    @property
    def values(self) -> np.ndarray:
        """The strongest values, one per image, strongest first, `(filters, images)`."""
        return self._responses.strongest.values

    @property
    def indices(self) -> np.ndarray:
        """The index of the image that each has, `(filters, images)`; of equal ones the earlier."""
        return self._responses.strongest.indices

    @property
    def labels(self) -> list[list[Label | None]]:
        """The class of each of these images, one list per filter; `None` where it has none."""
        labels = self._responses.strongest.labels
        return [[labels.get(index) for index in row] for row in self.indices.tolist()]

    @property
    def positions(self) -> np.ndarray:
        """The place of each in its map, `(filters, images, 2)`: row and column.

        Of equal values in one image it is the first in row-major order.
        """
        return self._responses.strongest.positions

    @cached_property
    def boxes(self) -> np.ndarray:
        """The box of the image that the unit at each place sees, `(filters, images, 2, 2)`.

        `((top, bottom), (left, right))`, as `ReceptiveField.box`: the receptive field, cut at the
        border of the image and of the layers on the way. Where the field may be everything, or is
        known as a bound only, it is the whole image.
        """
        return _cut_boxes(self._responses)

    @cached_property
    def crops(self) -> np.ndarray | None:
        """The part of the image that the unit at each place sees.

        `(filters, images, height, width, channels)`.

        As large as the receptive field; what is outside of the image is NaN. Where the field may
        be everything, or is known as a bound only, it is the whole image. `None` where the images
        differ in size, or would take more than a gigabyte.
        """
        return _cut_crops(self._responses)

    def image(self, index: int) -> np.ndarray:
        """Return one of the images that `indices` names, `(height, width, channels)`.

        Raises:
            KeyError: It is not kept.
        """
        images = self._responses.strongest.images
        if images is None or index not in images:
            raise KeyError(f"the image {index} is not kept")
        return images[index]

    @property
    def has_images(self) -> bool:
        """Whether the images that `indices` names are kept."""
        return bool(self._responses.strongest.images)

    @cached_property
    def mean(self) -> np.ndarray:
        """The mean over all cells of all maps, `(filters,)`."""
        moments = self._responses.moments
        return np.asarray(moments.total / moments.cells)

    @property  # as large as the correlation, which is kept
    def _covariance(self) -> np.ndarray:
        moments = self._responses.moments
        products = moments.products / moments.cells
        return np.asarray(products - np.outer(self.mean, self.mean))

    @cached_property
    def std(self) -> np.ndarray:
        """The standard deviation over all cells, `(filters,)`."""
        return np.asarray(np.sqrt(np.diag(self._covariance).clip(min=0) * ~self._is_constant))

    @property
    def minimum(self) -> np.ndarray:
        """The smallest value, `(filters,)`."""
        return self._responses.minimum

    @property
    def maximum(self) -> np.ndarray:
        """The largest value, `(filters,)`."""
        return self._responses.maximum

    def quantile(self, q: float) -> np.ndarray:
        """Return a quantile over all cells, `(filters,)`, from a histogram.

        The bins are less than 1% wide, relative to their values; values nearer to 0 than 6e-8
        count as 0.

        Args:
            q: The share of the values that are below, 0 to 1.

        Raises:
            ValueError: `q` is not from 0 to 1.
        """
        if isinstance(q, bool) or not isinstance(q, (int, float, np.number)) or not 0 <= q <= 1:
            raise ValueError(f"`q` must be a number from 0 to 1. Received: q={q!r}")
        if q in (0, 1):
            return self.maximum if q else self.minimum
        values = self._responses.of_cells.quantile(float(q))
        return np.asarray(np.clip(values, self.minimum, self.maximum))

    def histogram(self, edges: ArrayLike) -> np.ndarray:
        """Return how many values of each filter are in bins, over all cells, `(filters, bins)`.

        Counts are those of narrow bins, see `quantile`, which edges cut in proportion.

        Args:
            edges: The edges of the bins, rising, `(bins + 1,)`. The lowest belongs to its bin.
        """
        return _count_between(self._responses.of_cells, self._open(edges), len(self.mean))

    def _open(self, edges: ArrayLike) -> np.ndarray:
        """Return edges that no value is beyond which is not: narrow bins reach a little further."""
        array = np.array(edges, float)
        array[array <= self.minimum.min()] = -np.inf
        array[array >= self.maximum.max()] = np.inf
        return array

    def class_histogram(self, edges: ArrayLike) -> np.ndarray:
        """Return the same of the strongest value in each image of a class, `(classes, bins)`.

        The values of all filters are counted together.
        """
        array = self._open(edges)
        peaks = self._responses.class_peaks
        counts = [_count_between(peaks[label], array, 1)[0] for label in self.classes]
        return np.array(counts).reshape(len(counts), len(array) - 1)

    @cached_property
    def threshold(self) -> np.ndarray:
        """The value above which a filter fires: half of its 99.9% quantile, at least 0."""
        return np.asarray(self.quantile(HIGH).clip(min=0) / 2)

    @cached_property
    def firing_rate(self) -> np.ndarray:
        """The share of cells in which a filter fires, `(filters,)`."""
        return self._responses.of_cells.share_above(self.threshold)

    @cached_property
    def image_rate(self) -> np.ndarray:
        """The share of images in which a filter fires anywhere, `(filters,)`."""
        # Within a bin the histogram only knows how many images there are; they are whole.
        count = self._responses.samples * self._responses.of_images.share_above(self.threshold)
        return np.asarray(np.round(count) / self._responses.samples)

    @property
    def classes(self) -> list[Label]:
        """The classes of the images, sorted; none where there were no labels."""
        return sorted(
            self._responses.class_counts, key=lambda label: (isinstance(label, str), label)
        )

    @cached_property
    def class_means(self) -> np.ndarray:
        """The mean over a class's images of the strongest value in each, `(classes, filters)`."""
        counts, totals = self._responses.class_counts, self._responses.class_totals
        means = [totals[label] / counts[label] for label in self.classes]
        return np.array(means).reshape(len(means), len(self.mean))

    @cached_property
    def selectivity(self) -> np.ndarray:
        """How much more a filter responds to one class, `(filters,)`.

        It is (best - rest) / (best + rest) of the largest class mean and the mean of the others,
        from 0, all alike, to 1, one class alone. NaN with fewer than two classes, and where the
        class means are not positive.
        """
        if len(self.classes) < 2:
            return np.full(len(self.mean), np.nan)
        best = self.class_means.max(axis=0)
        rest = (self.class_means.sum(axis=0) - best) / (len(self.classes) - 1)
        is_positive = self.class_means.min(axis=0) >= 0
        total = np.where(is_positive & (best > 0), best + rest, np.nan)
        return np.asarray((best - rest) / total)

    @property
    def best_class(self) -> list[Label | None]:
        """The class with the largest mean for each filter."""
        if not self.classes:
            return [None] * len(self.mean)
        return [self.classes[n] for n in self.class_means.argmax(axis=0)]

    @cached_property
    def correlation(self) -> np.ndarray:
        """The correlation of filters over all cells, `(filters, filters)`; NaN for dead ones."""
        deviation = np.where(self._is_constant, np.nan, self.std)
        correlation = self._covariance / np.outer(deviation, deviation)
        np.fill_diagonal(correlation, np.where(self._is_constant, np.nan, 1))
        return np.asarray(correlation.clip(-1, 1))

    @property
    def _is_constant(self) -> np.ndarray:
        return np.asarray(self.minimum == self.maximum)

    @property
    def dead(self) -> np.ndarray:
        """The indices of the filters that had one value at every place of every image."""
        return np.flatnonzero(self._is_constant)

    @property
    def rare(self) -> np.ndarray:
        """The indices of those that fire in less than 1% of the images and are not dead."""
        return np.flatnonzero((self.image_rate < RARE) & ~self._is_constant)

    @property
    def duplicates(self) -> list[tuple[int, int]]:
        """The pairs of filters whose correlation is above 0.99."""
        pairs = np.argwhere(np.triu(np.nan_to_num(self.correlation) > DUPLICATE, k=1))
        return [(int(a), int(b)) for a, b in pairs]

    def merge(self, other: FilterStatistics) -> FilterStatistics:
        """Return the statistics of both data sets; the images of `other` follow.

        Raises:
            TypeError: `other` is not a `FilterStatistics`.
            ValueError: It is of another layer or model, or was made with another `images`.
        """
        if not isinstance(other, FilterStatistics):
            raise TypeError(f"`other` must be a FilterStatistics. Received: other={other!r}")
        following = other._responses.shifted(self.samples)
        merged = self._responses.merge(following)
        limit_images([merged])
        return FilterStatistics(merged)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write this to a file, a NumPy archive `.npz`, from which `load` restores all of it.

        Returns:
            The path.

        Raises:
            OSError: It cannot be written there.
        """
        path = check_path("path", path)
        if path.suffix != ".npz":
            raise ValueError(f"`path` must end in .npz. Received: path={str(path)!r}")
        check_target(path)
        write_responses(path, {self.address: self._responses})
        return path

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> FilterStatistics:
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is not a complete file of filter statistics.
        """
        (responses,) = read_responses(check_path("path", path)).values()
        return cls(responses)

    def to_pandas(self) -> Any:
        """Return a `pandas.DataFrame` with one row per filter.

        Raises:
            ImportError: pandas is not installed.
        """
        pandas = import_optional("pandas", "`to_pandas`")
        return pandas.DataFrame(self._columns()).rename_axis("filter")

    def _columns(self) -> dict[str, Any]:
        columns: dict[str, Any] = {
            "mean": self.mean,
            "std": self.std,
            "maximum": self.maximum,
            "firing_rate": self.firing_rate,
            "image_rate": self.image_rate,
        }
        if len(self.classes) > 1:
            columns |= {"selectivity": self.selectivity, "best_class": self.best_class}
        return columns | {"remark": self.remarks}

    @property
    def remarks(self) -> list[str]:
        """A remark on each filter that is odd; an empty string for the others."""
        remarks: list[list[str]] = [[] for _ in self.mean]
        for index in self.dead:
            remarks[index].append("dead")
        for index in self.rare:
            remarks[index].append(f"rare: fires in {write_share(self.image_rate[index])} of images")
        for a, b in self.duplicates:
            remarks[a].append(f"like filter {b}")
            remarks[b].append(f"like filter {a}")
        return [", ".join(words) for words in remarks]

    def _summary(self) -> str:
        counts = (
            f"{len(self.dead)} dead",
            f"{len(self.rare)} rare",
            write_count(len(self.duplicates), "duplicate pair"),
        )
        images = write_count(self.samples, "image")
        return f"{self.address}: {len(self.mean)} filters, {images}; {', '.join(counts)}"

    def _rows(self) -> list[list[str]]:
        """Return the table as text, the head first."""
        rows = [["filter", "mean", "max", "fires", "in images", "selective", "for", "remark"]]
        for index, remark in enumerate(self.remarks):
            selectivity = self.selectivity[index]
            is_selective = bool(np.isfinite(selectivity))
            rows.append(
                [
                    str(index),
                    write_number(self.mean[index]),
                    write_number(self.maximum[index]),
                    write_share(self.firing_rate[index]),
                    write_share(self.image_rate[index]),
                    f"{selectivity:.2f}" if is_selective else "",
                    str(self.best_class[index]) if is_selective else "",
                    remark,
                ]
            )
        return rows

    def __repr__(self) -> str:
        rows = self._rows()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(cell.rjust(n) for cell, n in zip(row[:-1], widths, strict=False))
            + "  "
            + row[-1]
            for row in rows
        ]
        return "\n".join([self._summary(), "", *(line.rstrip() for line in lines)])

    def _repr_html_(self) -> str:
        head, *rows = (
            "".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in self._rows()
        )
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        return (
            f"<p>{html.escape(self._summary())}</p><table><thead><tr>{head.replace('td>', 'th>')}"
            f"</tr></thead><tbody>{body}</tbody></table>"
        )


def count_odd(statistics: FilterStatistics) -> dict[str, Any]:
    """Return how many filters are what, and their mean selectivity, NaN without labels."""
    selectivity = statistics.selectivity
    has_any = np.isfinite(selectivity).any()
    return {
        "layer": statistics.address,
        "filters": len(statistics.mean),
        "dead": len(statistics.dead),
        "rare": len(statistics.rare),
        "duplicates": len(statistics.duplicates),
        "selectivity": float(np.nanmean(selectivity)) if has_any else float("nan"),
    }


def _count_between(histogram: Histogram, edges: np.ndarray, filters: int) -> np.ndarray:
    """Return the counts between edges, `(filters, bins)`."""
    # "Above" leaves out what is equal, such as the zeros of a ReLU at the lowest edge.
    lowest = np.nextafter(edges[0], -np.inf)
    # A finite number that is beyond any float32, since thresholds are subtracted.
    limits = np.clip([lowest, *edges[1:]], -FAR, FAR)
    shares = histogram.share_above(np.repeat(limits[:, np.newaxis], filters, axis=1))
    return np.asarray(-np.diff(shares, axis=0).T * histogram.size)


def _field_size(responses: Responses, shape: Sequence[int]) -> list[int]:
    """Return the size of the field in an image of some shape; all of it if it is not exact."""
    identity = responses.identity
    return [
        n if size is None or not identity.is_exact else size
        for n, size in zip(shape, identity.field_size, strict=False)
    ]


def _cut_boxes(responses: Responses) -> np.ndarray:
    starts, inside = responses.strongest.starts, responses.strongest.boxes
    images = responses.strongest.images or {}
    boxes = np.zeros((*starts.shape, 2), int)
    for place, index in np.ndenumerate(responses.strongest.indices):
        # Without the image its size is not known, and a box may reach beyond it.
        shape = images[index].shape if index in images else (np.iinfo(int).max // 2,) * 3
        size = _field_size(responses, shape)
        if inside is None:
            boxes[place] = np.stack([starts[place].clip(min=0), starts[place] + size], axis=-1)
        else:
            boxes[place] = inside[place]
        boxes[place][:, 1] = np.minimum(boxes[place][:, 1], shape[: len(size)])
    return boxes


def _cut_crops(responses: Responses) -> np.ndarray | None:
    """Return what the units see, each in a field that is not cut at the border of the image."""
    strongest = responses.strongest
    images = strongest.images
    if not images or len({image.shape for image in images.values()}) > 1:
        return None
    *space, channels = next(iter(images.values())).shape
    size = _field_size(responses, space)
    crops = np.full((*strongest.values.shape, *size, channels), np.nan, "float32")
    for place, index in np.ndenumerate(strongest.indices):
        starts = strongest.starts[place]
        inside = [
            (max(start, 0), max(min(start + n, end), 0))
            for start, n, end in zip(starts, size, space, strict=True)
        ]
        source = tuple(slice(a, b) for a, b in inside)
        target = tuple(slice(a - s, b - s) for (a, b), s in zip(inside, starts, strict=True))
        crops[(*place, *target)] = images[index][source]
    return crops
