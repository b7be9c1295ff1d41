import numpy as np
import pytest

from kerasviz.draw.convolution.number_format import (
    choose_format,
    write_mean,
    write_number,
    write_sum,
)


@pytest.mark.parametrize(
    ("value", "text", "unit"),
    [
        (0.8349, "0.83", ""),
        (-0.8349, "−0.83", ""),
        (0.0512, "0.051", ""),
        (3.14159, "3.14", ""),
        (31.4159, "31.4", ""),
        (314.159, "314", ""),
        (0.00456, "4.56", ", in 10⁻³"),
        (0.0000456, "45.6", ", in 10⁻⁶"),
        (56789.1, "56.8", ", in 10³"),
        (7.0, "7", ""),
        (-255, "−255", ""),
        (0.0, "0", ""),
    ],
)
def test_the_largest_number_has_a_few_digits_that_count(value, text, unit):
    write = choose_format(np.array([value]))
    assert (write(value), write.unit) == (text, unit)


def test_numbers_that_are_rounded_to_nothing_are_not_0():
    write = choose_format(np.array([0.5, -0.001]))
    assert [write(value) for value in (0, 0.001, -0.001, np.nan)] == ["0", "0.00", "0.00", "nan"]


def test_what_is_not_finite_does_not_choose_the_format():
    assert choose_format(np.array([np.nan, -np.inf, 0.25])).decimals == 2
    assert choose_format(np.array([np.nan])).decimals == 0


def test_one_number():
    assert write_number(-0.00467) == "−0.00467"
    assert write_number(12.3456) == "12.35"


def test_a_sum_names_its_terms():
    terms = [(0.311, ""), (-0.113, ""), (0.43, "29 other channels"), (-0.01, "bias")]
    expected = "0.311 − 0.113 + 0.430 (29 other channels) − 0.010 (bias) = 0.618"
    assert write_sum(terms, 0.618) == expected
    assert write_sum([(-1, ""), (3, "")], 2) == "−1 + 3 = 2"


def test_rounded_terms_add_up_to_the_rounded_total():
    terms = [(0.1234, ""), (0.1234, ""), (0.1234, "")]
    assert write_sum(terms, 0.3702) == "0.1234 + 0.1234 + 0.1234 = 0.3702"
    thirds = [(1 / 3, ""), (1 / 3, ""), (1 / 3, "")]
    assert write_sum(thirds, 1.0) == "0.33333 + 0.33333 + 0.33333 ≈ 1.00000"


def test_a_sum_that_is_no_number():
    assert write_sum([(np.nan, ""), (0.5, "bias")], np.nan) == "nan + 0.500 (bias) = nan"


def test_a_mean_shows_what_it_is_made_of():
    assert write_mean([1, 2, 6], 3) == "(1 + 2 + 6) / 3 = 3"
    assert write_mean([0.5], 0.5) == "0.500"
    assert write_mean([0.5] * 16, 0.5) == "8.000 / 16 = 0.500"
