"""Return the colours of Matplotlib's colormaps as bytes, so that the page has the same ones."""

from __future__ import annotations

import base64

import numpy as np
from matplotlib import colormaps

SIZE = 256


def palette(name: str) -> str:
    """Return red, green and blue of 256 colours from the lowest to the highest, as base64."""
    colors = colormaps[name](np.linspace(0, 1, SIZE))[:, :3]
    return base64.b64encode(np.rint(255 * colors).astype("uint8").tobytes()).decode("ascii")
