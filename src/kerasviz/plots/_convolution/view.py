"""Put what all steps of a layer have in common into arrays and titles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.colors import Colormap

from kerasviz._wording import write_count, write_size
from kerasviz.compute.convolution.trace import ConvolutionTrace
from kerasviz.compute.kernels import TRANSPOSED
from kerasviz.draw.color import warn_invalid
from kerasviz.draw.convolution.content import ConvolutionView, StepView
from kerasviz.plots._convolution.shown_channels import ChannelChoice
from kerasviz.plots._convolution.step_content import is_max_pooling


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
        marks_largest=is_max_pooling(trace),
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
