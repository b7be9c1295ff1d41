"""Colours of label maps, one per class, and the legend that names them."""

from __future__ import annotations

import math

import numpy as np
from matplotlib import colormaps
from matplotlib.colorbar import Colorbar
from matplotlib.colors import BoundaryNorm, Colormap, ListedColormap, to_hex

from kerasviz.draw.color import ColorScale, color_cycle
from kerasviz.draw.text import elide_middle, escape, font_size

MAX_LEGEND = 24
"""How many classes a legend names; of more, evenly many are left out."""
MAX_NAME = 90.0
"""How wide the name of a class is at most, in points."""


class LabelNorm(BoundaryNorm):
    """Gives each of some labels a colour of its own.

    Args:
        labels: The labels that occur, whole numbers in ascending order.
    """

    def __init__(self, labels: np.ndarray) -> None:
        between = (labels[:-1] + labels[1:]) / 2
        edges = [labels[0] - 0.5, *between.tolist(), labels[-1] + 0.5]
        super().__init__(edges, len(labels))
        self.labels: np.ndarray = labels.astype(int)


def label_scale(values: np.ndarray, count: int, cmap: str | Colormap | None) -> ColorScale:
    """Return a colour for each class that occurs; a class has the same one in every picture.

    Args:
        values: The labels that are drawn, whole numbers from 0 on or NaN.
        count: How many classes there are.
        cmap: The caller's colormap.
    """
    present = np.unique(values[np.isfinite(values)])
    if not present.size:
        present = np.zeros(1)
    colors = label_colors(count, cmap)
    listed = ListedColormap([colors[int(label)] for label in present], name="labels")
    return ColorScale(LabelNorm(present), listed)


def label_colors(count: int, cmap: str | Colormap | None) -> list[str]:
    """Return a colour per class: those of the caller's colormap, or such as differ clearly."""
    if cmap is not None:
        chosen = colormaps[cmap] if isinstance(cmap, str) else cmap
        is_list = isinstance(chosen, ListedColormap) and chosen.N < 256
        return [
            to_hex(chosen(index % chosen.N if is_list else index / max(count - 1, 1)))
            for index in range(count)
        ]
    cycle = color_cycle()
    if count <= len(cycle):
        return cycle[:count]
    if count <= colormaps["tab20"].N:
        # Its colours are pairs of a dark and a light one: the dark ones first.
        order = [*range(0, 20, 2), *range(1, 20, 2)]
        return [to_hex(colormaps["tab20"](index)) for index in order[:count]]
    return [to_hex(colormaps["turbo"](part)) for part in np.linspace(0.02, 0.98, count)]


def name_labels(bar: Colorbar, names: tuple[str, ...]) -> None:
    """Turn a colour bar into a legend: each colour has the name of its class beside it."""
    norm = bar.mappable.norm
    assert isinstance(norm, LabelNorm)
    step = math.ceil(len(norm.labels) / MAX_LEGEND)
    edges, size = np.asarray(norm.boundaries), font_size("small")
    texts = [escape(elide_middle(names[label], MAX_NAME, size)) for label in norm.labels]
    middles = (edges[:-1] + edges[1:]) / 2
    bar.set_ticks(middles[::step], labels=texts[::step], fontsize=size)
    bar.ax.tick_params(length=0)
    bar.ax.minorticks_off()
    bar.ax.invert_yaxis()  # the first class uppermost
