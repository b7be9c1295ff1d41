"""Write classes, probabilities and scores in the words of titles."""

from __future__ import annotations

from collections.abc import Sequence


def name_class(index: int, names: Sequence[str] | None) -> str:
    """Return the name of a class, or "class 3" where it has none."""
    return f"class {index}" if names is None else str(names[index])


def write_probability(probability: float) -> str:
    """Return a probability as a percentage; "<0.1 %" and ">99.9 %" where it would look certain."""
    percent = 100 * probability
    if 0 < percent < 0.05:
        return "<0.1 %"
    if 99.95 <= percent < 100:
        return ">99.9 %"
    text = f"{percent:.{0 if 10 <= percent <= 99 else 1}f}"
    return f"{text.removesuffix('.0')} %"


def write_score(score: float) -> str:
    """Return a score with three digits, of small ones with two decimals."""
    text = f"{score:.2f}" if 0.01 <= abs(score) < 1 else f"{score:.3g}"
    return text.replace("-", "\N{MINUS SIGN}")
