"""Cut off what a unit does not see: the smallest input in which it computes the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kerasviz.compute.filters.receptive_fields.receptive_field import ReceptiveField


class SmallestInput(NamedTuple):
    """A part of an input in which a unit sees all that it sees of the whole.

    Args:
        sizes: How many cells it has along each axis of space.
        place: Where the receptive field of the unit is in it.
        position: Where the unit is in the output of its layer.
    """

    sizes: tuple[int, ...]
    place: tuple[slice, ...]
    position: tuple[int, ...]


def smallest_input(field: ReceptiveField, sizes: Sequence[int]) -> SmallestInput | None:
    """Return the smallest input for a unit, or `None` where its field does not tell.

    Whole strides are cut off on either side, so that every layer on the way pads and samples the
    rest as it did: with `padding="same"` that depends on the size. The padding of a cut is out of
    sight, and that of the whole input's border is kept where the unit sees it.

    Args:
        field: An exact receptive field, with its position.
        sizes: How many cells the whole input has along each axis of space.
    """
    if not field.exact or field.box is None or field.position is None:
        return None
    axes = []
    rows = zip(field.box, field.stride, field.position, sizes, strict=True)
    for (start, stop), stride, position, size in rows:
        if stop is None or stride is None or stride < 1 or stride != int(stride):
            return None
        before, after = start // int(stride), (size - stop) // int(stride)
        first = before * int(stride)
        length = size - first - after * int(stride)
        axes.append((length, slice(start - first, stop - first), position - before))
    lengths, places, positions = zip(*axes, strict=True)
    return SmallestInput(lengths, places, positions)
