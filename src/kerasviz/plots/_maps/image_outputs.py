"""Outputs that are pictures: grey, in colours, or a label per pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kerasviz.draw.color import ColorChoice
from kerasviz.draw.tiles.panel import Coloring, TilePanel
from kerasviz.plots._maps.kinds import Kind
from kerasviz.plots._maps.samples import ShownSamples

THRESHOLD = 0.5
"""Above which value the one channel of a mask says that a pixel belongs to it."""


def is_picture(shape: Sequence[int | None], kind: Kind | None) -> bool:
    """Whether an output `(samples, ..., channels)` is one picture per sample.

    Args:
        shape: Its shape, channels last.
        kind: The caller's `kind`.
    """
    if kind == "labels":
        return True
    return kind == "image" and len(shape) == 4 and shape[-1] in (1, 3)


def check_label_colors(kind: object, colors: ColorChoice) -> None:
    """Refuse limits of colours for labels, which have a colour each."""
    for name in ("vmin", "vmax", "norm"):
        value = getattr(colors, name)
        if kind == "labels" and value is not None:
            raise ValueError(
                f"`{name}` cannot be used with kind='labels', where each class has a colour of "
                f"its own. Received: {name}={value!r}"
            )


def picture_panel(
    array: np.ndarray,
    address: str,
    samples: ShownSamples,
    kind: Kind | None,
    *,
    class_names: tuple[str, ...] | None,
) -> TilePanel:
    """Return the panel of an output that is one picture per sample.

    Args:
        array: Array `(rows, height, width, channels)` or, of labels, `(rows, height, width)`.
        address: The layer's address.
        samples: The samples that are drawn.
        kind: "image", or "labels" for a label map.
        class_names: The caller's names of the labels.
    """
    is_beneath = samples.background.is_beneath
    coloring: Coloring = "values" if is_beneath else "picture"
    words = "picture" if array.shape[-1] == 3 else ""
    notes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    if kind == "labels":
        coloring, words = "labels", "label map"
        values, count, notes = _labels(array, address)
        names = _label_names(values, count, class_names, address)
        occurring = len(np.unique(values[np.isfinite(values)]))
        notes = (f"{occurring} of {len(names)} classes", *notes)
    else:
        values = array[..., 0] if array.shape[-1] == 1 else array
    height, width = values.shape[1:3]
    is_table = samples.is_table or samples.rows is not None
    table = samples.table(np.array([0]), "output") if is_table else None
    if table is not None:
        table = replace(table, columns=np.array(["output"]), column_kind="")
    return TilePanel(
        values=values,
        indices=np.array([0]),
        total=1,
        address=address,
        kind="feature maps",
        size=f"{height}×{width}",
        notes=notes + samples.notes,
        table=table,
        backgrounds=samples.backgrounds,
        alpha=samples.background.alpha if is_beneath else None,
        words=words,
        absent_rule="none",
        coloring=coloring,
        label_names=names,
    )


def _labels(array: np.ndarray, address: str) -> tuple[np.ndarray, int, tuple[str, ...]]:
    """Return the label of each pixel, the number of labels, and how they were found.

    A pixel with a value that is not finite has NaN instead of a label.
    """
    if array.ndim == 4 and array.shape[-1] > 1:
        labels = array.argmax(axis=-1).astype("float32")
        labels[~np.isfinite(array).all(axis=-1)] = np.nan
        return labels, array.shape[-1], ("largest of the channels",)
    array = array[..., 0] if array.ndim == 4 else array
    finite = array[np.isfinite(array)]
    if (finite == np.rint(finite)).all():
        if finite.size and finite.min() < 0:
            raise ValueError(
                f"`kind` can be 'labels' for labels from 0 on. Received: '{address}', whose "
                f"lowest is {finite.min():g}"
            )
        return array.astype("float32"), int(finite.max(initial=1)) + 1, ()
    if finite.min() < 0 or finite.max() > 1:
        raise ValueError(
            "`kind` can be 'labels' for whole numbers, for one channel per class, or for "
            f"probabilities of one class. Received: '{address}', whose values are from "
            f"{finite.min():.3g} to {finite.max():.3g}"
        )
    labels = (array > THRESHOLD).astype("float32")
    labels[~np.isfinite(array)] = np.nan
    return labels, 2, (f"1 where the value is above {THRESHOLD}",)


def _label_names(
    labels: np.ndarray, count: int, names: tuple[str, ...] | None, address: str
) -> tuple[str, ...]:
    """Return a name for each label: the caller's, or its number."""
    if names is None:
        return tuple(map(str, range(count)))
    largest = int(np.nanmax(labels, initial=0))
    if len(names) <= largest:
        raise ValueError(
            f"`class_names` must have a name for each label of '{address}', which go up to "
            f"{largest}. Received: {len(names)} names"
        )
    return names
