"""Checks of arguments, and what they say."""

from __future__ import annotations

import difflib
import importlib
import os
from collections.abc import Collection, Iterable, Sequence
from numbers import Real
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np


def suggest(word: object, choices: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the closest known words, or nothing."""
    close = difflib.get_close_matches(str(word), list(choices), n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else ""


def check_choice(name: str, value: object, choices: Sequence[str], otherwise: str = "") -> None:
    """Raise `ValueError` unless `value` is one of the known words.

    Args:
        name: The keyword's name.
        value: What the caller gave.
        choices: The words that it may be.
        otherwise: What else it may be, for the message alone.
    """
    if not isinstance(value, str) or value not in choices:
        words = f"{', '.join(map(repr, choices))}{f' or {otherwise}' if otherwise else ''}"
        raise ValueError(
            f"`{name}` must be one of {words}.{suggest(value, choices)} Received: {name}={value!r}"
        )


def check_type(name: str, value: object, types: tuple[type, ...], form: str) -> None:
    """Raise `TypeError` unless `value` is of one of the types, which `form` says in words."""
    if not isinstance(value, types):
        raise TypeError(f"`{name}` must be {form}. Received: {name}={value!r}")


def is_int(value: object) -> TypeGuard[int]:
    """Whether a value is an integer of Python or NumPy, and not a bool."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def check_count(name: str, value: object, largest: int | None = None) -> None:
    """Raise `ValueError` unless `value` is a positive integer, of at most `largest`."""
    if not is_int(value) or value < 1:
        raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")
    if largest is not None and value > largest:
        raise ValueError(f"`{name}` must be at most {largest}. Received: {name}={value!r}")


def check_seed(seed: object) -> None:
    """Raise `ValueError` unless `seed` is an integer of at least 0."""
    if not is_int(seed) or seed < 0:
        raise ValueError(f"`seed` must be an integer of at least 0. Received: seed={seed!r}")


def check_verbose(verbose: object) -> None:
    """Raise `ValueError` unless `verbose` is 0 or 1."""
    if isinstance(verbose, (bool, np.bool_)) or verbose not in (0, 1):
        raise ValueError(f"`verbose` must be 0 or 1. Received: verbose={verbose!r}")


def import_optional(name: str, purpose: str) -> Any:
    """Return a module that kerasviz does not need itself, or say what needs it.

    Raises:
        ImportError: It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(f"{purpose} needs {name}: pip install {name}") from error


def check_path(name: str, value: object) -> Path:
    """Return a path, or raise `TypeError` unless `value` is one."""
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"`{name}` must be a path. Received: {name}={value!r:.80}")
    return Path(value)


def is_finite_number(value: Any) -> bool:
    if not isinstance(value, Real) or isinstance(value, (bool, np.bool_)):
        return False
    try:
        return bool(np.isfinite(float(value)))
    except OverflowError:  # of an int with hundreds of digits
        return False


def check_names(options: Iterable[str], names: Collection[str]) -> None:
    """Raise `TypeError` for a keyword that a function does not have."""
    for name in options:
        if name not in names:
            raise TypeError(f"Unexpected keyword argument `{name}`.{suggest(name, names)}")
