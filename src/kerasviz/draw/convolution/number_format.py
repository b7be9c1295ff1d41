"""Write numbers and sums as the text of a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MINUS = "\N{MINUS SIGN}"
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
MAX_TERMS = 9
"""A mean of more values shows their sum instead of each one."""


@dataclass(frozen=True, kw_only=True)
class NumberFormat:
    """How the numbers of one part of a picture are written.

    Args:
        decimals: Digits after the point.
        exponent: The numbers are written in units of 10 to this power.
    """

    decimals: int
    exponent: int = 0

    def __call__(self, value: float) -> str:
        """Return a number as text."""
        if value == 0:
            return "0"  # and not a small number that was rounded
        text = f"{value / 10.0**self.exponent:.{self.decimals}f}"
        if not text.strip("-0."):
            text = text.removeprefix("-")  # "-0.00" would be a negative zero
        return text.replace("-", MINUS)

    @property
    def unit(self) -> str:
        """The words for a title: nothing, or `", in 10⁻³"`."""
        power = str(self.exponent).translate(SUPERSCRIPTS)
        return f", in 10{power}" if self.exponent else ""


def choose_format(
    values: np.ndarray, digits: int = 2, *, exponent: int | None = None
) -> NumberFormat:
    """Choose how to write numbers, so that the largest has a few digits that count.

    Args:
        values: The numbers; those that are not finite are left out.
        digits: How many decimals numbers about 1 have.
        exponent: Of the unit. `None`: very small and very large numbers are written in units of a
            power of 10, all others as they are.
    """
    finite = np.asarray(values)[np.isfinite(values)]
    largest = float(np.abs(finite).max(initial=0))
    if largest == 0 or (not exponent and largest < 10000 and (finite == np.round(finite)).all()):
        return NumberFormat(decimals=0, exponent=exponent or 0)
    magnitude = math.floor(math.log10(largest))
    # Units are those of the SI, thousands and thousandths, so that they need no counting of digits.
    if exponent is None:
        exponent = 0 if -3 < magnitude < 4 else 3 * (magnitude // 3)
    magnitude -= exponent
    decimals = max(0, digits - max(magnitude, 0) - min(magnitude + 1, 0))
    return NumberFormat(decimals=decimals, exponent=exponent)


def write_number(value: float) -> str:
    """Return one number as text."""
    return choose_format(np.array([value]), 3, exponent=0)(value)


def choose_sum_format(terms: Sequence[float], total: float, exponent: int = 0) -> NumberFormat:
    """Choose how to write a sum: with as many decimals as make the rounded numbers add up.

    Where five decimals do not, there are five, and the sum has to be written with "≈".

    Args:
        terms: The summands.
        total: The result.
        exponent: Of the unit.
    """
    values = np.array(terms)
    # A reader may add up what is written: rounded terms need not make the rounded total, so there
    # are more decimals until they do.
    for digits in (3, 4, 5):
        number_format = choose_format(np.array([*values, total]), digits, exponent=exponent)
        if _adds_up(values, total, number_format):
            break
    return number_format


def write_sum(terms: Sequence[tuple[float, str]], total: float, number_format: NumberFormat) -> str:
    """Return a sum with its result, such as `"0.31 − 0.11 − 0.02 (bias) = 0.18"`.

    Args:
        terms: The summands, each with the remark after it in brackets, or with none.
        total: The result.
        number_format: How numbers are written.

    Returns:
        The sum, with "≈" where the numbers that are written do not add up.
    """
    values = np.array([value for value, _ in terms])
    sign = "=" if _adds_up(values, total, number_format) else "≈"
    return f"{_join(number_format, terms)} {sign} {number_format(total)}"


def write_result(value: float, number_format: NumberFormat) -> str:
    """Return what an activation makes of a sum, in the notation of the sum where that can be.

    A probability beside sums of thousands, which have no decimals, is written as a number alone.
    """
    text = number_format(value)
    own = choose_format(np.array([value]), 2, exponent=0)
    if number_format.exponent or number_format.decimals >= own.decimals or float(value) == 0:
        return text
    return own(value)


def _adds_up(values: np.ndarray, total: float, number_format: NumberFormat) -> bool:
    """Whether rounded values make the rounded total; NaN and infinity need not."""
    decimals, unit = number_format.decimals, 10.0**number_format.exponent
    with np.errstate(invalid="ignore"):
        error = np.round(values / unit, decimals).sum() - np.round(total / unit, decimals)
    return not abs(error) > 0.1 * 10.0**-decimals


def _join(number_format: NumberFormat, terms: Sequence[tuple[float, str]]) -> str:
    text = ""
    for value, name in terms:
        number = number_format(value)
        if not text:
            text = number
        elif number.startswith(MINUS):
            text += f" {MINUS} {number[1:]}"
        else:
            text += f" + {number}"
        text += f" ({name})" if name else ""
    return text


def write_mean(values: Sequence[float], mean: float) -> str:
    """Return a mean with its result, such as `"(1 + 2 + 6) / 3 = 3"`."""
    number_format = choose_format(np.array([*values, mean]), 3, exponent=0)
    count, result = len(values), number_format(mean)
    if count == 1:
        return result
    if count > MAX_TERMS:
        return f"{number_format(sum(values))} / {count} = {result}"
    return f"({_join(number_format, [(value, '') for value in values])}) / {count} = {result}"
