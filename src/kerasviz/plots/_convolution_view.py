"""Put the steps of a layer into the words and arrays that a picture of them shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.colors import Colormap

from kerasviz._selection import Tiles, select_tiles
from kerasviz._wording import write_count, write_size
from kerasviz.compute.convolution.channels import count_input_channels
from kerasviz.compute.convolution.geometry import MAX_POOLING
from kerasviz.compute.convolution.schedule import Position
from kerasviz.compute.convolution.trace import ConvolutionStep, ConvolutionTrace
from kerasviz.compute.kernels import TRANSPOSED
from kerasviz.draw.color import warn_invalid
from kerasviz.draw.convolution.colors import choose_product_formats
from kerasviz.draw.convolution.number_format import (
    NumberFormat,
    choose_sum_format,
    write_mean,
    write_number,
    write_result,
    write_sum,
)
from kerasviz.draw.convolution.view import ConvolutionView, StepView

MAX_CHANNELS = 3
"""The number of input channels that are drawn unless the caller names them."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ChannelChoice:
    """The input channels that have a row.

    Args:
        positions: Which of the trace's channels they are, `(n,)`.
        indices: Their indices in the layer's input, `(n,)`.
        total: The number of channels of the layer's input.
        note: Which of how many, for the title; "" where it is all of them.
    """

    positions: np.ndarray
    indices: np.ndarray
    total: int
    note: str


def choose_channels(
    trace: ConvolutionTrace, channel: Tiles | None, strength: np.ndarray
) -> ChannelChoice:
    """Choose the input channels to draw.

    Args:
        trace: The steps.
        channel: The user's choice, known to be among what the filter sees; `None` for the
            strongest.
        strength: `(channels,)`: what each contributes, of any sign.
    """
    total = count_input_channels(trace.layer, filters=trace.filter_count)
    visible, note = len(trace.channel_indices), ""
    if channel is not None:
        indices = select_tiles(channel, total, "channel")
        # A filter of a group, and a pooling, see only some channels: an index in the input is
        # another one among these.
        positions = np.searchsorted(trace.channel_indices, indices)
        note = f"{len(indices)} of {visible} input channels" if len(indices) < visible else ""
    elif visible <= MAX_CHANNELS:
        positions = np.arange(visible)
    else:
        order = np.argsort(-np.abs(np.nan_to_num(strength)), kind="stable")
        positions = order[:MAX_CHANNELS]
        note = f"{MAX_CHANNELS} of {visible} input channels, strongest first"
    indices = trace.channel_indices[positions]
    return ChannelChoice(positions=positions, indices=indices, total=total, note=note)


def describe_steps(
    trace: ConvolutionTrace, positions: Iterable[Position], choice: ChannelChoice
) -> list[StepView]:
    """Put steps into arrays, with one row per channel, and into words.

    Args:
        trace: All steps.
        positions: Row and column in the output of those that are shown.
        choice: The channels that are shown.
    """
    steps = [trace.step(*position) for position in positions]
    if trace.kernel is None:
        return [_describe_step(trace, step, choice) for step in steps]
    products = np.stack(
        [step.products[..., choice.positions] for step in steps if step.products is not None]
    )
    # Sums are in the unit of the products, which is one for all steps.
    formats = choose_product_formats(trace.kernel[..., choice.positions], products)
    exponent = formats["products"].exponent
    return [_describe_step(trace, step, choice, exponent) for step in steps]


def _describe_step(
    trace: ConvolutionTrace, step: ConvolutionStep, choice: ChannelChoice, exponent: int = 0
) -> StepView:
    windows = np.ma.stack([step.window[..., position] for position in choice.positions])
    products: np.ndarray | None = None
    captions: list[str] = []
    if step.products is None:
        formula = _write_pooling(trace, step)
    else:
        products = np.moveaxis(step.products[..., choice.positions], -1, 0)
        terms = _list_terms(trace, step, choice)
        # The sums below the products are terms of the formula, and are written as they are there.
        number_format = choose_sum_format([value for value, _ in terms], step.total, exponent)
        captions = [
            f"sum {number_format(value)}{number_format.unit}"
            for value in step.sums[choice.positions]
        ]
        formula = _write_formula(trace, step, terms, number_format)
    return StepView(
        indices=step.indices,
        windows=windows,
        products=products,
        largest=_find_largest(windows[0]) if _is_max_pooling(trace) else None,
        position=step.position,
        captions=captions,
        formula=formula,
    )


def describe_view(
    trace: ConvolutionTrace,
    choice: ChannelChoice,
    steps: Sequence[StepView],
    *,
    heading: str,
    cmap: str | Colormap | None,
) -> ConvolutionView:
    """Put what all steps have in common into arrays and words."""
    kernels, products = None, np.zeros(1)
    if trace.kernel is not None:
        kernels = np.moveaxis(trace.kernel[..., choice.positions], -1, 0)
        products = np.stack([step.products for step in steps if step.products is not None])
    has_rows = len(choice.positions) > 1
    return ConvolutionView(
        padded_inputs=np.moveaxis(trace.padded_input[..., choice.positions], -1, 0),
        row_names=[f"channel {index}" if has_rows else "" for index in choice.indices],
        is_data=(trace.rows.is_data, trace.columns.is_data),
        kernels=kernels,
        window_shape=(trace.rows.indices.shape[1], trace.columns.indices.shape[1]),
        products=products,
        output=trace.output,
        titles=_write_titles(trace, choice),
        heading=heading,
        longest_formula=max((step.formula for step in steps), key=len),
        is_dilated=max(trace.rows.dilation, trace.columns.dilation) > 1,
        counts_padding=trace.kernel is not None or trace.repeats_edge,
        marks_largest=_is_max_pooling(trace),
        is_sequence=trace.is_sequence,
        color_indices=_find_colors(trace, choice),
        cmap=cmap,
    )


def _find_colors(trace: ConvolutionTrace, choice: ChannelChoice) -> list[int] | None:
    """Return which colour each row is, where the input is an image of three colours.

    Negative values are not light: a network's own preparation may have changed the order of
    the colours as well.
    """
    values = trace.padded_input[trace.is_data]
    is_image = (
        choice.total == 3
        and not trace.is_sequence
        and bool((values[np.isfinite(values)] >= 0).all())
    )
    return choice.indices.tolist() if is_image else None


def warn_of_values(view: ConvolutionView) -> None:
    """Warn once of values that have no colour."""
    kernels = np.zeros(0) if view.kernels is None else view.kernels
    arrays = (view.padded_inputs, kernels, view.products, view.output)
    count = sum(int((~np.isfinite(values)).sum()) for values in arrays)
    warn_invalid(count, stacklevel=3)


def _is_max_pooling(trace: ConvolutionTrace) -> bool:
    return isinstance(trace.layer, MAX_POOLING)


def _find_largest(window: np.ma.MaskedArray) -> tuple[int, int]:
    """Return row and column of the largest value in a window, padding left out."""
    row, column = divmod(int(np.ma.argmax(window)), window.shape[1])
    return row, column


def _list_terms(
    trace: ConvolutionTrace, step: ConvolutionStep, choice: ChannelChoice
) -> list[tuple[float, str]]:
    """Return the sums of channels and the bias; channels without a row are one term."""
    terms = [(float(value), "") for value in step.sums[choice.positions]]
    others = np.setdiff1d(np.arange(len(step.sums)), choice.positions)
    if others.size:
        terms.append((float(step.sums[others].sum()), write_count(others.size, "other channel")))
    if trace.layer.use_bias:
        terms.append((trace.bias, "bias"))
    return terms


def _write_formula(
    trace: ConvolutionTrace,
    step: ConvolutionStep,
    terms: Sequence[tuple[float, str]],
    number_format: NumberFormat,
) -> str:
    formula = f"sum of products {number_format(step.total)}"
    if len(terms) > 1:
        formula = write_sum(terms, step.total, number_format)
    if trace.activation is not None:
        others = " together with the other sums" if trace.mixes_sums else ""
        result = write_result(step.value, number_format)
        formula += f",  {trace.activation}{others} → {result}"
    return formula + number_format.unit


def _write_pooling(trace: ConvolutionTrace, step: ConvolutionStep) -> str:
    is_max = _is_max_pooling(trace)
    values = step.window.data.ravel() if trace.repeats_edge else step.window.compressed()
    text = "the only value"
    if len(values) > 1:
        text = f"{'largest' if is_max else 'mean'} of {len(values)} values"
    if step.window.mask.any():
        text += ", padding repeats the edge" if trace.repeats_edge else ", padding left out"
    if is_max:
        return f"{text}: {write_number(step.value)}"
    return f"{text}: {write_mean([float(value) for value in values], step.value)}"


def _write_titles(trace: ConvolutionTrace, choice: ChannelChoice) -> dict[str, str]:
    """Return the title of each part, in two lines: what it is, and its size."""
    # The one row of a sequence is nothing that a reader knows of: its steps are the only axis.
    columns, is_sequence = trace.columns, trace.is_sequence
    rows = columns if is_sequence else trace.rows
    write_extent = _write_step_count if is_sequence else write_size
    window = write_extent(rows.indices.shape[1], columns.indices.shape[1])
    of = f" {trace.filter_index} of {trace.filter_count}" if trace.filter_count > 1 else ""
    turned = "reversed" if is_sequence else "turned by 180°"
    is_transposed = isinstance(trace.layer, TRANSPOSED)
    input_size = write_extent(int(rows.is_data.sum()), int(columns.is_data.sum()))
    input_notes = [
        input_size,
        _write_steps("spread by", rows.input_stride, columns.input_stride),
        _write_padding(_list_sides(trace)),
    ]
    window_notes = [window, _write_steps("dilation", rows.dilation, columns.dilation)]
    output_notes = [
        write_extent(*trace.output.shape),
        _write_steps("stride", rows.stride, columns.stride),
    ]
    return {
        "input": _write_title(_name_input(choice), input_notes),
        "window": _write_title("window", window_notes),
        "kernel": _write_title(f"kernel{of}", [window, turned if is_transposed else ""]),
        "products": "products",
        "output": _write_title(f"output map{of}", output_notes),
    }


def _write_title(name: str, notes: Iterable[str]) -> str:
    return f"{name}\n{', '.join(filter(None, notes))}"


def _name_input(choice: ChannelChoice) -> str:
    if choice.total == 1 or len(choice.positions) > 1:
        return "input"
    return f"input channel {choice.indices[0]} of {choice.total}"


def _write_steps(name: str, down: int, right: int) -> str:
    """Return a number of cells down and to the right as text, nothing where both are 1."""
    if down == right:
        return "" if down == 1 else f"{name} {down}"
    return f"{name} {write_size(down, right)}"


def _write_step_count(_rows: int, steps: int) -> str:
    """Return the size of a sequence as text: "128 steps"."""
    return write_count(steps, "step")


def _list_sides(trace: ConvolutionTrace) -> dict[str, int]:
    """Return how many cells were added on each side of the input."""
    if trace.is_sequence:
        return dict(zip(("the start", "the end"), trace.columns.padding, strict=True))
    sides = dict(zip(("top", "bottom"), trace.rows.padding, strict=True))
    return sides | dict(zip(("left", "right"), trace.columns.padding, strict=True))


def _write_padding(sides: Mapping[str, int]) -> str:
    """Return on which sides how many cells were added, as text."""
    counts = set(sides.values())
    if len(counts) == 1:
        count = counts.pop()
        return f"padded by {count}" if count else ""
    by_count: dict[int, list[str]] = defaultdict(list)
    for side, count in sides.items():
        by_count[count].append(side)
    parts = [f"{count} at {' and '.join(names)}" for count, names in by_count.items() if count]
    return f"padded by {', '.join(parts)}"
