"""Write classes, probabilities and scores in the words of titles."""

from __future__ import annotations

from collections.abc import Sequence


def name_class(index: int, names: Sequence[str] | None) -> str:
    """Return the name of a class, or "class 3" where it has none."""
    return f"class {index}" if names is None else str(names[index])


def write_probability(probability: float) -> str:
    """Return a probability as a percentage that is 0 or 100 only where it rounds to these."""
    percent = 100 * probability
    digits = 0 if 1 <= percent <= 99 else 1
    text = f"{percent:.{digits}f}"
    return f"{text.removesuffix('.0')} %"


def write_score(score: float) -> str:
    """Return a score with three digits, of small ones with two decimals."""
    text = f"{score:.2f}" if 0.01 <= abs(score) < 1 else f"{score:.3g}"
    return text.replace("-", "\N{MINUS SIGN}")
