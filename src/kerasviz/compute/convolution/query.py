"""Check the request for a picture of a layer's steps before the model runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import keras
import numpy as np

from kerasviz._selection import Tiles, select_tiles
from kerasviz._wording import sample_of
from kerasviz.compute.convolution.trace import (
    Walk,
    check_stepping,
    in_channels,
    read_walk,
    seen_channels,
)
from kerasviz.compute.feature_maps import Extraction, plan_extraction
from kerasviz.model.addresses import NamedCall, Selection

Position = tuple[int, int]
"""Row and column in an output map."""


class Asked(NamedTuple):
    """The arguments of the caller, checked as far as shapes are known."""

    extraction: Extraction
    target: NamedCall
    filter: int
    channel: Tiles | None
    which: str = ""
    """Which sample of how many, for the title."""

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Rows, columns and channels of the layer's output, `None` for what is not known."""
        call = self.target.call
        *axes, channels = _channels_last(call.output_shape, call.channel_axis)
        if len(axes) != 3:
            raise ValueError(
                "`layer` must name a layer with an output of shape (samples, height, width, "
                f"channels). Received: {self.target.address!r}, whose output has the shape "
                f"{call.output_shape}"
            )
        return (*axes[1:], channels)

    def walk(self) -> Walk:
        """Run the model once, and take apart what the layer did."""
        call, address = self.target.call, self.target.address
        pair = NamedCall(address, call), NamedCall(call.input_call.address, call.input_call)
        maps = replace(self.extraction, targets=Selection(pair, single=False)).run()
        outputs, inputs = (_only_row(maps[target.address], address) for target in pair)
        self.check_numbers(outputs.shape[-1])
        return read_walk(
            call.layer, address, inputs, outputs, range(outputs.shape[-1])[self.filter]
        )

    def check_numbers(self, filters: int | None) -> None:
        """Check `filter` and `channel`, given how many channels the output has."""
        layer, address = self.target.call.layer, repr(self.target.address)
        if filters is None:
            return
        number = _check_number("filter", self.filter, filters, address)
        if self.channel is None:
            return
        total = in_channels(layer, filters)
        chosen = select_tiles(self.channel, total, "channel", f"the input of {address}")
        seen = seen_channels(layer, number)
        unseen = np.setdiff1d(chosen, seen)
        if unseen.size:
            span = f"{seen[0]}" if len(seen) == 1 else f"{seen[0]} to {seen[-1]}"
            raise ValueError(
                f"`channel` must be in {span}, which filter {number} of {address} sees. "
                f"Received: channel={self.channel!r}"
            )

    def check_position(
        self, position: Any, shape: Sequence[int | None], name: str = "position"
    ) -> Position:
        """Return row and column in an output of this shape, counted from its start."""
        numbers = position if isinstance(position, (tuple, list, np.ndarray)) else ()
        if len(numbers) != 2 or not all(map(_is_int, numbers)):
            each = "each be" if name == "positions" else "be"
            raise TypeError(
                f"`{name}` must {each} two ints, row and column in the output. "
                f"Received: {name}={position!r}"
            )
        rows, columns = shape[:2]
        row, column = _within(numbers[0], rows), _within(numbers[1], columns)
        if row is None or column is None:
            raise ValueError(
                f"`{name}` must be in the output of {self.target.address!r}, which has {rows} "
                f"rows and {columns} columns. Received: {name}={position!r}"
            )
        return row, column

    def check_positions(
        self, positions: Sequence[Any], shape: Sequence[int | None]
    ) -> list[Position]:
        """Return several positions, of which there must be one."""
        if not positions:
            raise ValueError("`positions` must hold at least one position. Received: positions=[]")
        return [self.check_position(position, shape, "positions") for position in positions]


def _only_row(array: np.ndarray, address: str) -> np.ndarray:
    """Return what a layer took or returned for the one sample that was computed."""
    if len(array) != 1:
        raise ValueError(
            f"`sample` must be one row of what {address!r} computes, but it has {len(array)} rows "
            "for one sample, so its rows are not samples and its steps cannot be shown"
        )
    if np.iscomplexobj(array):
        raise ValueError(
            "`layer` must name a layer that computes with real numbers. "
            f"Received: {address!r}, whose values are complex"
        )
    return np.asarray(array[0])


def _within(number: int, size: int | None) -> int | None:
    """Return a number counted from 0, `None` where it is out of range."""
    if size is None:
        return int(number)
    return range(size)[number] if -size <= number < size else None


def _is_int(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _check_number(name: str, value: Any, count: int, of: str) -> int:
    """Return an index, counted from 0, that may be negative."""
    if not _is_int(value):
        raise TypeError(f"`{name}` must be an int. Received: {name}={value!r}")
    return int(select_tiles(value, count, name, of)[0])


def _channels_last(shape: Any, axis: int) -> tuple[Any, ...]:
    """Return a shape, as far as it is known, with the channels at the end."""
    axes = [None] * 4 if shape is None else list(shape)
    channels = axes.pop(axis)
    return (*axes, channels)


def ask(
    model: keras.Model,
    layer: Any,
    inputs: Any,
    filter: Any,  # noqa: A002 - the keyword of plot_convolution
    sample: Any,
    channel: Tiles | None,
) -> Asked:
    """Check all but the positions, as far as it can be checked before the model runs."""
    extraction = plan_extraction(model, layer, inputs)
    targets = extraction.targets.targets
    if len(targets) != 1:
        raise ValueError(
            "`layer` must name one layer. "
            f"Received: {', '.join(repr(target.address) for target in targets)}"
        )
    check_stepping(targets[0].call.layer, targets[0].address)
    number = _check_number("sample", sample, len(extraction.batch), "`inputs`")
    batch = extraction.batch.part(number, number + 1)
    which = sample_of(number, len(extraction.batch))
    asked = Asked(replace(extraction, batch=batch), targets[0], filter, channel, which)
    asked.check_numbers(asked.shape[-1])
    return asked
