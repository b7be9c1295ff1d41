"""Probabilities in words."""

import pytest

from kerasviz.draw.attributions.words import write_probability


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (0.0, "0 %"),
        (0.0004, "<0.1 %"),
        (0.5, "50 %"),
        (0.994, "99.4 %"),
        (0.9995, ">99.9 %"),
        (0.99999, ">99.9 %"),
        (1.0, "100 %"),
    ],
)
def test_a_probability_never_looks_certain_that_is_not(probability, text):
    assert write_probability(probability) == text
