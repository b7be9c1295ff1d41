"""Every picture of the reference example's chapter, from the trained network."""

from __future__ import annotations

from pathlib import Path

import keras

from kerasviz.fashion_mnist.data import Split


def write_chapter(
    folder: Path,
    model: keras.Sequential,
    untrained: keras.Sequential,
    history: keras.callbacks.History,
    test: Split,
) -> tuple[Path, ...]:
    """Write the pictures."""
    return ()
