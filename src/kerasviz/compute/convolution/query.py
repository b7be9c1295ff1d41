"""Check the arguments of a picture of a layer's steps before the model runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from kerasviz._checks import is_int
from kerasviz._selection import Tiles, select_tiles
from kerasviz._wording import sample_of
from kerasviz.compute.convolution.channels import count_input_channels, input_channels_of
from kerasviz.compute.convolution.geometry import slides_over_steps
from kerasviz.compute.convolution.schedule import Position
from kerasviz.compute.convolution.trace import (
    ConvolutionTrace,
    check_sliding_layer,
    trace_convolution,
)
from kerasviz.compute.feature_maps import Extraction, plan_extraction
from kerasviz.model.addresses import NamedCall, Selection


@dataclass(frozen=True, eq=False, kw_only=True)
class ConvolutionQuery:
    """The arguments of the caller, checked as far as shapes are known.

    Args:
        extraction: The model and the one sample that it will run on.
        target: The call of the layer.
        filter_index: Which channel of the output; negative ones count from the end.
        channel: The input channels to draw, `None` where the caller names none.
        sample_note: Which sample of how many, for the title.
    """

    extraction: Extraction
    target: NamedCall
    filter_index: int
    channel: Tiles | None
    sample_note: str

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """Rows, columns and channels of the layer's output, `None` for what is not known.

        The output of a layer that slides over a sequence has one row.
        """
        call = self.target.call
        names = ("samples", "steps") if self.is_sequence else ("samples", "height", "width")
        shape = (None,) * (len(names) + 1) if call.output_shape is None else call.output_shape
        *axes, channels = _channels_last(shape, call.channel_axis)
        if len(axes) != len(names):
            raise ValueError(
                f"`layer` must name a layer with an output of shape ({', '.join(names)}, "
                f"channels). Received: {self.target.address!r}, whose output has the shape "
                f"{call.output_shape}"
            )
        return (*((1,) if self.is_sequence else ()), *axes[1:], channels)

    @property
    def is_sequence(self) -> bool:
        """Whether the layer slides over the steps of a sequence."""
        return slides_over_steps(self.target.call.layer)

    def trace(self) -> ConvolutionTrace:
        """Run the model once, and take apart how the layer computed its output."""
        call, address = self.target.call, self.target.address
        # Both sides of the call come from the same run, so that they belong together even where
        # the model draws random numbers or counts its calls.
        pair = NamedCall(address, call), NamedCall(call.input_call.address, call.input_call)
        maps = replace(self.extraction, targets=Selection(pair, single=False)).run()
        outputs, inputs = (_only_row(maps[target.address], address) for target in pair)
        filters = outputs.shape[-1]
        self.check_indices(filters)
        return trace_convolution(
            call.layer,
            inputs,
            outputs,
            filter_index=range(filters)[self.filter_index],
            address=address,
        )

    def check_indices(self, filters: int | None) -> None:
        """Check `filter` and `channel` against the number of channels of the output, if known."""
        if filters is None:
            return
        layer, address = self.target.call.layer, repr(self.target.address)
        filter_index = _check_index("filter", self.filter_index, filters, of=address)
        if self.channel is None:
            return
        total = count_input_channels(layer, filters)
        requested = select_tiles(self.channel, total, "channel", f"the input of {address}")
        visible = input_channels_of(layer, filter_index)
        if np.setdiff1d(requested, visible).size:
            first, last = visible[0], visible[-1]
            raise ValueError(
                f"`channel` must be in {first if first == last else f'{first} to {last}'}, "
                f"which filter {filter_index} of {address} sees. Received: channel={self.channel!r}"
            )

    def check_position(
        self, position: Any, shape: Sequence[int | None], name: str = "position"
    ) -> Position:
        """Return row and column in an output of this shape, counted from its start."""
        if self.is_sequence:
            return self._check_step(position, shape[1], name)
        pair = position if isinstance(position, (tuple, list, np.ndarray)) else ()
        if len(pair) != 2 or not all(map(is_int, pair)):
            each = "each be" if name == "positions" else "be"
            raise TypeError(
                f"`{name}` must {each} two ints, row and column in the output. "
                f"Received: {name}={position!r}"
            )
        rows, columns = shape[:2]
        row, column = _count_from_start(pair[0], rows), _count_from_start(pair[1], columns)
        if row is None or column is None:
            raise ValueError(
                f"`{name}` must be in the output of {self.target.address!r}, which has {rows} "
                f"rows and {columns} columns. Received: {name}={position!r}"
            )
        return row, column

    def _check_step(self, position: Any, steps: int | None, name: str) -> Position:
        """Return the position of a step of a sequence, which has one row."""
        single = position if isinstance(position, (tuple, list, np.ndarray)) else (position,)
        rule = f"`{name}` must {'each ' if name == 'positions' else ''}be one int"
        if np.shape(single) != (1,) or not is_int(single[0]):
            last = "" if steps is None else f" from 0 to {steps - 1}"
            raise TypeError(f"{rule}{last}, a step of the output. Received: {name}={position!r}")
        column = _count_from_start(single[0], steps)
        if column is None:
            raise ValueError(
                f"{rule} from 0 to {(steps or 0) - 1}, a step of the output of "
                f"{self.target.address!r}, or from -{steps} to -1 to count from its end. "
                f"Received: {name}={position!r}"
            )
        return 0, column

    def check_positions(
        self, positions: Sequence[Any], shape: Sequence[int | None]
    ) -> list[Position]:
        """Return several positions, of which there must be at least one."""
        if not positions:
            raise ValueError("`positions` must hold at least one position. Received: positions=[]")
        return [self.check_position(position, shape, "positions") for position in positions]


def parse_query(
    model: keras.Model,
    layer: Any,
    inputs: Any,
    *,
    filter_index: Any,
    sample: Any,
    channel: Tiles | None,
) -> ConvolutionQuery:
    """Check all but the positions, as far as it can be checked before the model runs."""
    extraction = plan_extraction(model, layer, inputs)
    targets = extraction.targets.targets
    if len(targets) != 1:
        raise ValueError(
            "`layer` must name one layer. "
            f"Received: {', '.join(repr(target.address) for target in targets)}"
        )
    check_sliding_layer(targets[0].call.layer, targets[0].address)
    samples = len(extraction.batch)
    index = _check_index("sample", sample, samples, of="`inputs`")
    query = ConvolutionQuery(
        extraction=replace(extraction, batch=extraction.batch.part(index, index + 1)),
        target=targets[0],
        filter_index=filter_index,
        channel=channel,
        sample_note=sample_of(index, samples),
    )
    query.check_indices(query.output_shape[-1])
    return query


def _only_row(array: np.ndarray, address: str) -> np.ndarray:
    """Return what a layer received or returned for the one sample that was computed."""
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


def _count_from_start(index: int, size: int | None) -> int | None:
    """Return an index counted from 0, `None` where it is out of range."""
    if size is None:
        return int(index)
    return range(size)[index] if -size <= index < size else None


def _check_index(name: str, value: Any, count: int, *, of: str) -> int:
    """Return an index, which may be negative, counted from 0."""
    if not is_int(value):
        raise TypeError(f"`{name}` must be an int. Received: {name}={value!r}")
    return int(select_tiles(value, count, name, of)[0])


def _channels_last(shape: Sequence[Any], axis: int) -> tuple[Any, ...]:
    """Return a shape with the channels at the end."""
    axes = list(shape)
    channels = axes.pop(axis)
    return (*axes, channels)
