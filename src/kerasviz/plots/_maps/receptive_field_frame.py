"""Frame one cell of feature maps, and what the unit there saw of the input: `position=`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras

from kerasviz._checks import is_int
from kerasviz.compute.filters.receptive_fields.receptive_field import (
    ReceptiveField,
    receptive_field,
)
from kerasviz.draw.tiles.background import FrameBox, Picture
from kerasviz.draw.tiles.panel import TilePanel
from kerasviz.model.addresses import NamedCall

IMAGE_RANK = 4


def check_position(position: Any) -> tuple[int, int] | None:
    """Return the row and the column, or raise `TypeError` unless these are two integers."""
    if position is None:
        return None
    is_pair = isinstance(position, (tuple, list)) and len(position) == 2
    if not is_pair or not all(map(is_int, position)):
        raise TypeError(
            "`position` must be the row and the column of a cell, such as (3, 4). "
            f"Received: position={position!r}"
        )
    return int(position[0]), int(position[1])


def find_field(
    model: keras.Model, targets: Sequence[NamedCall], position: tuple[int, int]
) -> ReceptiveField:
    """Return what the unit at a position of the one layer sees.

    Raises:
        ValueError: There are several layers, their maps are no images, or the position is outside.
    """
    if len(targets) > 1 or len(targets[0].call.output_shape or ()) != IMAGE_RANK:
        names = ", ".join(f"'{target.address}'" for target in targets)
        raise ValueError(
            "`position` can be used for one layer whose maps have rows and columns. "
            f"Received: position={position!r}, for {names}"
        )
    field: ReceptiveField = receptive_field(model, targets[0].address, position=position)
    return field


def frame_panel(panel: TilePanel, field: ReceptiveField, *, is_over: bool) -> TilePanel:
    """Return a panel in which each tile has a frame, and whose title says what the unit sees.

    Args:
        panel: The maps.
        field: What the unit sees.
        is_over: Whether the maps are over the input: then the frame is around what the unit saw.
    """
    assert field.position is not None
    row, column = field.position
    frame: FrameBox = ((row, row + 1), (column, column + 1))
    height, width = panel.values.shape[1:3]
    if row >= height or column >= width:
        raise ValueError(
            f"`position` must be inside the maps of '{panel.address}', which have "
            f"{height}×{width} cells. "
            f"Received: position={field.position!r}"
        )
    words = f"framed: ({row}, {column})"
    if field.box is not None:
        sides = [f"{start}–{stop - 1}" for start, stop in field.box if stop is not None]
        if len(sides) == 2:
            words += f", which sees rows {sides[0]} and columns {sides[1]} of the input"
        if field.reason:
            words += f" ({field.reason})"
    if is_over and field.box is not None and panel.backgrounds is not None:
        sizes = zip(panel.values.shape[1:3], panel.backgrounds.shape[1:3], strict=True)
        scales = [cells / pixels for cells, pixels in sizes]
        rows, columns = (
            (start * scale, cells if stop is None else stop * scale)
            for (start, stop), scale, cells in zip(
                field.box, scales, panel.values.shape[1:3], strict=True
            )
        )
        frame = (rows, columns)
    return replace(panel, outline=frame, notes=(*panel.notes, words))


def frame_picture(picture: Picture | None, field: ReceptiveField) -> Picture | None:
    """Return the input with a frame around what the unit saw of it."""
    if picture is None or field.box is None or len(field.box) != 2:
        return picture
    sizes = picture.values.shape[:2]
    top, left = (
        (float(start), float(size if stop is None else stop))
        for (start, stop), size in zip(field.box, sizes, strict=True)
    )
    return picture._replace(outline=(top, left))
