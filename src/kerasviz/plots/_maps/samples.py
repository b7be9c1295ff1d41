"""Choose the samples of a batch whose feature maps are drawn, and what the rows of outputs are."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from kerasviz._checks import check_choice
from kerasviz._selection import select_tiles
from kerasviz._wording import sample_of
from kerasviz.compute.feature_maps import Extraction
from kerasviz.draw.tiles.background import picture_colors
from kerasviz.draw.tiles.panel import TileMatrix
from kerasviz.plots._maps.background import Background, find_backgrounds, find_picture_beside

Samples = int | slice | Sequence[int] | Literal["all"]


@dataclass(frozen=True, kw_only=True)
class ShownSamples:
    """The samples that are drawn.

    Args:
        indices: Their indices in the batch.
        total: How many the batch has.
        background: The keywords about the pictures behind the maps.
        is_table: Whether they are the rows of a table.
        names: A name for each that is drawn.
        backgrounds: The picture of each, unsigned bytes `(samples, height, width, 3)`.
        note: What has to be said about the pictures.
        rows: How many rows a layer returns for the one sample, where these are not samples.
        signals: The signal of each, `(samples, steps, channels)`.
        kind: The caller's `kind`.
        beside: The picture of the one sample, `(height, width, 1 or 3)`, where its maps are not
            drawn over it.
    """

    indices: np.ndarray
    total: int
    background: Background
    is_table: bool = False
    names: tuple[str, ...] = ()
    backgrounds: np.ndarray | None = None
    note: str = ""
    rows: int | None = None
    signals: np.ndarray | None = None
    kind: str | None = None
    beside: np.ndarray | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Facts for the title."""
        notes = []
        count, total = len(self.indices), self.total
        if self.rows is not None:
            notes.append(_count_rows(self.rows))
        if self.is_table and self.rows is None:
            counted = str(count) if count == total else f"{count} of {total}"
            notes.append(f"{counted} sample{'s' if total > 1 else ''}")
        else:
            notes += [sample_of(int(self.indices[0]), total), *self.names]
        if self.backgrounds is not None and self.background.is_beneath:
            notes.append(self.background.note(self.backgrounds.shape[1:3], self.kind))
        return tuple(note for note in (*notes, self.note) if note)

    def table(self, indices: np.ndarray, kind: str) -> TileMatrix | None:
        """Return the rows and columns of a table: of samples, or of what a layer makes of one.

        Args:
            indices: The indices of the maps, one column each.
            kind: What these are, in the plural.
        """
        if self.rows is None and not self.is_table:
            return None
        rows = np.array(self.names or self.indices) if self.rows is None else np.arange(self.rows)
        return TileMatrix(
            rows=rows,
            columns=indices,
            row_kind="sample" if self.rows is None else "row",
            column_kind=kind.removesuffix("s"),
            cell_kind="tiles",
            background_kind=self.background.kind if self.rows is None else "",
            every=True,
        )


def check_sample(sample: Any, columns: int | None) -> None:
    """Check the type of `sample`, and refuse what cannot be used together with a table."""
    if isinstance(sample, str):
        check_choice("sample", sample, ("all",), "an int, a slice or a list of ints")
    elif isinstance(sample, (bool, np.bool_)) or not isinstance(
        sample, (int, np.integer, slice, list, tuple, range, np.ndarray)
    ):
        raise TypeError(
            "`sample` must be an int, a slice, a list of ints or 'all'. "
            f"Received: sample={sample!r}"
        )
    if not isinstance(sample, (int, np.integer)) and columns is not None:
        raise ValueError(
            "`columns` cannot be given with several samples, where each map has a column. "
            f"Received: columns={columns}, sample={sample!r}"
        )


def choose_samples(
    extraction: Extraction,
    sample: Samples,
    names: Sequence[str] | None,
    background: Background,
    *,
    grey: bool,
    has_pictures: bool = True,
) -> ShownSamples:
    """Find the samples that are drawn, their names and their pictures.

    Args:
        extraction: What is drawn, with all samples.
        sample: The caller's `sample`.
        names: The caller's `sample_names`.
        background: The keywords about pictures.
        grey: Whether inputs without an axis of channels may be pictures.
        has_pictures: Whether maps can be drawn over pictures.
    """
    total = len(extraction.batch)
    is_table = not isinstance(sample, (int, np.integer))
    if isinstance(sample, (int, np.integer)) and not -total <= sample < total:
        raise ValueError(
            f"`sample` must be between {-total} and {total - 1}, since `inputs` has {total}. "
            f"Received: sample={sample}"
        )
    requested = slice(None) if isinstance(sample, str) else sample
    indices = select_tiles(requested, total, "sample", "`inputs`")
    samples = ShownSamples(indices=indices, total=total, background=background, is_table=is_table)
    if names is not None:
        if isinstance(names, str) or not isinstance(names, Sized) or len(names) != total:
            raise ValueError(
                f"`sample_names` must have a name for each of the {total} samples in `inputs`. "
                f"Received: sample_names={names!r:.80}"
            )
        samples = replace(samples, names=tuple(str(names[index]) for index in indices))
    if not has_pictures:
        return samples
    if not (is_table or background.is_beneath):
        beside = find_picture_beside(extraction, background, int(indices[0]), grey=grey)
        return replace(samples, beside=beside)
    pictures = find_backgrounds(extraction, background, indices, grey=grey)
    if pictures is None:
        return samples
    colors, note = picture_colors(pictures)
    return replace(samples, backgrounds=colors, note=note)


def take_samples(extraction: Extraction, indices: np.ndarray) -> Extraction:
    """Return the extraction of some of the samples."""
    batch = extraction.batch
    arrays = tuple(array[indices] for array in batch.arrays)
    return replace(extraction, batch=replace(batch, arrays=arrays))


def rows_of_sample(
    array: np.ndarray, samples: ShownSamples, address: str, *, fixed: bool = False
) -> ShownSamples:
    """Return what the rows of an output stand for, computed from the samples that are drawn.

    Args:
        array: The output.
        samples: The samples from which it was computed, and no others.
        address: The layer's address.
        fixed: Whether the output has as many rows for any number of samples.

    Raises:
        ValueError: The rows are not samples, and several samples are drawn, or over pictures.
    """
    rows, count = len(array), len(samples.indices)
    if rows == count and not fixed:
        return samples
    if count > 1:
        raise not_samples(address, None if fixed else rows, count)
    if samples.background.is_beneath:
        raise ValueError(
            f"`overlay` takes layers with one row per sample. Received: '{address}', whose output "
            f"has {_count_rows(rows)} for one sample, so its rows are not samples"
        )
    total = 1 if fixed else samples.total  # the same rows for every sample
    return replace(samples, rows=rows, total=total, backgrounds=None, signals=None, note="")


def not_samples(address: str, rows: int | None, samples: int) -> ValueError:
    """Return the error for several samples of a layer whose rows are not samples.

    Args:
        address: The layer's address.
        rows: How many rows its output has; `None` where it has no axis of samples.
        samples: From how many samples it was computed.
    """
    has = "no axis of samples" if rows is None else f"{_count_rows(rows)} for {samples} samples"
    return ValueError(
        f"`sample` must be one index for '{address}': its output has {has}, so its rows are not "
        f"samples. get_feature_maps returns all rows. Received: {samples} samples"
    )


def _count_rows(count: int) -> str:
    return f"{count} row{'s' if count != 1 else ''}"
