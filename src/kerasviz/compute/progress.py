"""A progress bar for loops over a model that take more than a moment."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

import keras

Item = TypeVar("Item")
PATIENCE = 2.0
"""Seconds after which a bar appears."""


def track(items: Sequence[Item], unit: str, *, verbose: int) -> Iterator[Item]:
    """Yield items, and show a progress bar once they have taken two seconds.

    Args:
        items: What to loop over.
        unit: What one of them is called.
        verbose: 0 for no bar.
    """
    begin, bar = time.monotonic(), None
    for done, item in enumerate(items):
        if verbose and bar is None and time.monotonic() - begin > PATIENCE:
            bar = keras.utils.Progbar(len(items), unit_name=unit)
        if bar is not None:
            bar.update(done)
        yield item
    if bar is not None:
        bar.update(len(items))
