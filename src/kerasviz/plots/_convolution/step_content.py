"""Put single steps of a layer into the arrays, captions and formulas of their picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from kerasviz._wording import write_count
from kerasviz.compute.convolution.geometry import MAX_POOLING
from kerasviz.compute.convolution.schedule import Position
from kerasviz.compute.convolution.trace import ConvolutionStep, ConvolutionTrace
from kerasviz.draw.convolution.colors import choose_product_formats
from kerasviz.draw.convolution.content import StepView
from kerasviz.draw.convolution.number_format import (
    NumberFormat,
    choose_sum_format,
    write_mean,
    write_number,
    write_result,
    write_sum,
)
from kerasviz.plots._convolution.shown_channels import ChannelChoice


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
        largest=_find_largest(windows[0]) if is_max_pooling(trace) else None,
        position=step.position,
        captions=captions,
        formula=formula,
    )


def is_max_pooling(trace: ConvolutionTrace) -> bool:
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
    is_max = is_max_pooling(trace)
    values = step.window.data.ravel() if trace.repeats_edge else step.window.compressed()
    text = "the only value"
    if len(values) > 1:
        text = f"{'largest' if is_max else 'mean'} of {len(values)} values"
    if step.window.mask.any():
        text += ", padding repeats the edge" if trace.repeats_edge else ", padding left out"
    if is_max:
        return f"{text}: {write_number(step.value)}"
    return f"{text}: {write_mean([float(value) for value in values], step.value)}"
