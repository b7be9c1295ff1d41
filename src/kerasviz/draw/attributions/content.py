"""The content of a picture of attributions, before anything is drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from kerasviz.draw.charts.evidence import EvidenceCurves
from kerasviz.draw.charts.top_classes import ClassBars

SubjectKind = Literal["image", "signal", "vector", "volume"]
MAX_SLICES = 9
"""How many slices of a volume are drawn."""
SLICE_GAP = 1
"""Pixels between two slices."""


def slice_indices(count: int) -> np.ndarray:
    """Return which slices of a volume are drawn, evenly spaced."""
    return np.unique(np.linspace(0, count - 1, min(count, MAX_SLICES)).round().astype(int))


def slice_columns(count: int) -> int:
    """Return how many slices are side by side."""
    return math.ceil(math.sqrt(count))


def slices_size(count: int, size: tuple[int, int]) -> tuple[int, int]:
    """Return height and width of a picture of slices in rows and columns, each of one size."""
    columns = slice_columns(count)
    down, across = (
        number * (side + SLICE_GAP) - SLICE_GAP
        for number, side in zip((math.ceil(count / columns), columns), size, strict=True)
    )
    return down, across


@dataclass(frozen=True, kw_only=True)
class Subject:
    """An input of one sample, which a row begins with.

    Args:
        values: As the model takes it, channels last: an image `(height, width, channels)`, a signal
            `(steps, channels)`, a vector `(features, 1)`, or a volume
            `(slices, height, width, channels)`.
        picture: An image as it is drawn, unsigned bytes `(height, width, 3)`; of a volume one per
            slice. `None` for signals and for what is not a picture.
        kind: How it is drawn.
        title: The title of its panel, such as "sample 7 of 10".
        lines: What is written below: the claim of the model, and the truth. Letter by letter.
        bars: The classes that are drawn beside its maps, `None` for none.
    """

    values: np.ndarray
    picture: np.ndarray | None
    kind: SubjectKind
    title: str
    lines: Sequence[str] = ()
    bars: ClassBars | None = None

    @property
    def is_flat(self) -> bool:
        """Whether it is drawn along one axis, as curves or bars."""
        return self.kind in ("signal", "vector")

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of an image, or of one slice."""
        return self.values.shape[-3], self.values.shape[-2]

    @property
    def picture_size(self) -> tuple[int, int]:
        """Height and width of what is drawn: of a volume, of its slices in rows and columns."""
        if self.kind != "volume":
            return self.size
        return slices_size(len(slice_indices(len(self.values))), self.size)


@dataclass(frozen=True, kw_only=True)
class MapColumn:
    """A column of maps.

    Args:
        heading: What its maps are, such as "Grad-CAM of conv2d_1 (7×7)".
        unit: What the values are. Maps of one unit share a scale.
        is_signed: Whether values have a sign; else they begin at 0, and are drawn over the picture.
        address: The layer that the maps explain by, "" for the input.
    """

    heading: str
    unit: str
    is_signed: bool
    address: str = ""


@dataclass(frozen=True, kw_only=True)
class AttributionMap:
    """The map of one sample.

    Args:
        values: The raw map: `(height, width)`, `(steps,)` or `(slices, height, width)`, or the
            cells of a layer, as many axes.
        note: What is written above it, such as "sum off by 0.4 %".
        warning: What is written in red, such as "no better than random".
        evidence: The curves beside it, `None` for none.
        title: All that is said of it, for `Panel.title`.
    """

    values: np.ndarray
    note: str = ""
    warning: str = ""
    evidence: EvidenceCurves | None = None
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class AttributionTable:
    """Rows of samples and columns of maps.

    Args:
        subjects: One per row.
        columns: What each column of maps shows.
        maps: For each row, the map in each column; `None` where the method says nothing about this
            input.
        title: The title of the whole picture; it may hold formulas.
        has_evidence: Whether there is a panel of evidence beside each map.
        across: How many subjects, each with its maps, are side by side.
    """

    subjects: Sequence[Subject]
    columns: Sequence[MapColumn]
    maps: Sequence[Sequence[AttributionMap | None]]
    title: str
    has_evidence: bool
    across: int = 1

    @property
    def has_bars(self) -> bool:
        """Whether there is a panel of classes beside the maps of a subject."""
        return any(subject.bars is not None for subject in self.subjects)

    @property
    def has_scores(self) -> bool:
        """Whether the curves of some evidence are scores, whose numbers are longer."""
        contents = [content for row in self.maps for content in row if content is not None]
        curves = [content.evidence for content in contents if content.evidence is not None]
        return not all(each.is_probability for each in curves)

    def is_lowest(self, row: int, column: int, *, evidence: bool = False) -> bool:
        """Whether no map, or no evidence, is in the same column below one.

        Args:
            row: The index of its subject.
            column: Its column of maps; -1 for that of the subjects themselves.
            evidence: Whether it is about evidence.
        """
        below = range(row + self.across, len(self.subjects), self.across)
        if column < 0:
            return not below
        contents = [self.maps[index][column] for index in below]
        return not any(
            content is not None and (content.evidence is not None or not evidence)
            for content in contents
        )
