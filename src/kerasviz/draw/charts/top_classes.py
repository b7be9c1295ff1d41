"""Draw the most probable classes as bars, each with its name and its percentage above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from kerasviz.draw.text import LINE_HEIGHT, elide_middle, escape, font_size, screen_width

COLORS = {"answer": "#d55e00", "truth": "#0072b2", "other": "0.6"}
"""The answer of the model, the truth, and the rest."""
THICKNESS = 3.0
"""Of a bar, in points."""


@dataclass(frozen=True, kw_only=True)
class ClassBars:
    """Probabilities of classes, the most probable first.

    Args:
        names: The name of each class.
        probabilities: `(classes,)`.
        percentages: The same in words.
        truth: The index of the true class among these.
    """

    names: Sequence[str]
    probabilities: np.ndarray
    percentages: Sequence[str]
    truth: int


def draw_class_bars(ax: Axes, bars: ClassBars) -> None:
    """Draw bars from 0 to 1 into an Axes, in place of those that were made for another size.

    Where it is low, the answer and the truth alone stay.
    """
    for artist in [*ax.patches, *ax.texts]:
        artist.remove()
    size = font_size("small")
    box, dpi = ax.get_window_extent(), ax.figure.dpi
    height, width = 72 * box.height / dpi, 72 * box.width / dpi
    pitch = LINE_HEIGHT * size + 2 * THICKNESS
    indices = _choose(bars, max(2, int(height / pitch)))
    for row, index in enumerate(indices):
        color = COLORS["answer" if index == 0 else "truth" if index == bars.truth else "other"]
        bottom = height - (row + 1) * pitch + THICKNESS / 2
        share = float(bars.probabilities[index])
        ax.barh(bottom, 1, height=THICKNESS, align="edge", color="0.5", alpha=0.15, linewidth=0)
        ax.barh(bottom, share, height=THICKNESS, align="edge", color=color, linewidth=0)
        percentage = bars.percentages[index]
        room = width - screen_width(percentage, size) - size
        name = bars.names[index] + (" (true)" if index == bars.truth else "")
        baseline = bottom + THICKNESS + 0.1 * size
        ax.text(
            0,
            baseline,
            escape(elide_middle(name, room, size)),
            ha="left",
            va="bottom",
            fontsize=size,
        )
        ax.text(1, baseline, percentage, ha="right", va="bottom", fontsize=size)
    ax.set(xlim=(0, 1), ylim=(0, height), xticks=[], yticks=[])
    ax.grid(False)
    ax.patch.set_visible(False)
    ax.spines[:].set_visible(False)


def _choose(bars: ClassBars, count: int) -> list[int]:
    """Return the classes that are drawn: the most probable, and the true one in any case."""
    indices = list(range(len(bars.names)))
    if len(indices) > count:
        indices = [*indices[: count - 1], max(bars.truth, count - 1)]
    return indices
