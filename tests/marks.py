"""Mark cases of a test: the first few show that it holds, the others run with `-m slow`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def slow_after(count: int, values: Iterable[object]) -> list[Any]:
    """Return the parameters of a test, of which those after the first few run with `-m slow`.

    Args:
        count: How many run always.
        values: The parameters; a tuple stands for several arguments.
    """
    return [
        pytest.param(
            *(value if isinstance(value, tuple) else (value,)),
            marks=[pytest.mark.slow] if index >= count else [],
        )
        for index, value in enumerate(values)
    ]
