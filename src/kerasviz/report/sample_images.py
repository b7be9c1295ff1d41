"""Keep the pictures of samples, each once, as long as the page has room for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kerasviz.draw.tiles.background import picture_colors
from kerasviz.report.quantization import Block

MAX_PIXELS = 512
"""The larger side of a picture; of more pixels every second, third ... is kept."""
BUDGET = 1_500_000
"""Bytes of all pictures, before they are compressed."""


@dataclass(kw_only=True)
class Pictures:
    """The pictures in a page, each under a name.

    Args:
        block: Their bytes.
        facts: Where each is in the block.
        room: How many bytes are left.
        originals: The pictures of all samples as they are, before they were preprocessed.
    """

    block: Block = field(default_factory=Block)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    room: int = BUDGET
    originals: np.ndarray | None = None

    def add(self, name: str, colors: np.ndarray, *, must: bool = False) -> bool:
        """Keep a picture, and return whether it is in the page.

        Args:
            name: The index of its sample, or a text with other letters than digits.
            colors: Array `(height, width, 3)` of unsigned bytes.
            must: Whether to keep it even beyond the room that is left.
        """
        if name in self.facts:
            return True
        if self.originals is not None and name.isdecimal():
            colors = as_picture(self.originals[int(name)])
        is_grey = bool((colors == colors[..., :1]).all())
        values = colors[..., 0] if is_grey else colors
        if values.size > self.room and not must:
            return False
        self.room -= values.size
        self.facts[name] = {
            "start": self.block.add_bytes(values),
            "height": colors.shape[0],
            "width": colors.shape[1],
            "channels": 1 if is_grey else 3,
        }
        return True


def as_picture(values: np.ndarray) -> np.ndarray:
    """Return an image `(height, width)` or `(height, width, channels)` as bytes of colours."""
    values = values[..., np.newaxis] if values.ndim == 2 else values[..., :3]
    step = -(-max(values.shape[:2]) // MAX_PIXELS)
    return np.asarray(picture_colors(values[np.newaxis, ::step, ::step]).colors[0])
