"""Read random arrays back from pictures: the pixels of cells against the colour bar.

Random tiles are drawn with random sizes, scales, colormaps and limits, and rendered to pixels. The
pixel at the middle of each cell must have the colour `cmap(norm(value))` exactly; looked up among
the pixels of the drawn colour bar, it must give back the value to within one step of the bar: one
of its 256 colours and one of its pixels.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from calls import print_table
from matplotlib.backends.backend_agg import FigureCanvasAgg

import kerasviz

CMAPS = (None, "viridis", "PiYG", "gray", "plasma")


@dataclass(kw_only=True)
class Count:
    """How many cells were compared, and how they came out."""

    pictures: int = 0
    cells: int = 0
    wrong_colors: int = 0
    bars: int = 0
    bar_cells: int = 0
    far_values: int = 0
    worst_steps: float = 0.0


def draw(rng: np.random.Generator) -> Any:
    """Return a plot of a random array, signed or not, with random keywords."""
    height, width, tiles = (int(n) for n in rng.integers((2, 2, 1), (9, 9, 20)))
    array = rng.normal(size=(height, width, tiles)) * 10.0 ** rng.integers(-6, 7)
    if rng.random() < 0.5:
        array = np.abs(array)
    options: dict[str, Any] = {"cmap": CMAPS[int(rng.integers(len(CMAPS)))], "tiles": "all"}
    options["scale"] = "tile" if rng.random() < 0.2 else "layer"
    if options["scale"] == "layer" and rng.random() < 0.3:
        options["vmax"] = float(np.abs(array).max() * rng.uniform(0.3, 1.5))
    if rng.random() < 0.3:
        options["columns"] = int(rng.integers(1, tiles + 1))
    if options["scale"] == "layer":
        options["robust"] = bool(rng.random() < 0.3) or "auto"
    return kerasviz.plot_tiles(array, **options)


def render(plot: Any) -> np.ndarray:
    canvas = FigureCanvasAgg(plot.figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def pixels_at(pixels: np.ndarray, ax: Any, points: np.ndarray) -> np.ndarray:
    """Return the colours `(n, 4)` of the pixels at points `(n, 2)` of an Axes, x and y."""
    x, y = ax.transData.transform(points).T
    return pixels[len(pixels) - 1 - np.floor(y).astype(int), np.floor(x).astype(int)]


def check(plot: Any, count: Count) -> None:
    """Compare each cell of a picture with its pixel, and with the colour bar."""
    (panel,) = plot.panels
    pixels = render(plot)
    array, image = panel.image.get_array(), panel.image
    rows, columns = np.nonzero(~np.ma.getmaskarray(array).reshape(*array.shape[:2], -1).all(axis=2))
    left, right, bottom, top = image.get_extent()
    x = left + (columns + 0.5) * (right - left) / array.shape[1]
    y = top + (rows + 0.5) * (bottom - top) / array.shape[0]
    colors = pixels_at(pixels, panel.ax, np.stack([x, y], axis=1))
    count.pictures += 1
    count.cells += len(rows)
    if array.ndim == 3:  # tiles that each have their own scale come as colours
        wanted = np.asarray(array[rows, columns])
        count.wrong_colors += int((wanted[:, :3] != colors[:, :3]).any(axis=1).sum())
        return
    values = np.asarray(array[rows, columns], "float64")
    wanted = image.cmap(image.norm(values), bytes=True)
    count.wrong_colors += int((wanted[:, :3] != colors[:, :3]).any(axis=1).sum())
    if panel.colorbar is not None:
        read_back(panel.colorbar, pixels, values, colors, count)


def read_back(
    bar: Any, pixels: np.ndarray, values: np.ndarray, colors: np.ndarray, count: Count
) -> None:
    """Look each colour up in the pixels of the bar, as a reader does, and compare the value."""
    low, high = bar.vmin, bar.vmax
    is_tall = bar.orientation == "vertical"
    levels = np.linspace(low, high, 2049)[1:-1]
    middle = np.full_like(levels, 0.5)
    points = np.stack([middle, levels] if is_tall else [levels, middle], axis=1)
    # A bar is drawn in data coordinates along its length, and from 0 to 1 across.
    scale = pixels_at(pixels, bar.ax, points)[:, :3].astype(int)
    inside = (values >= low) & (values <= high)
    distance = np.abs(scale[None] - colors[inside, None, :3].astype(int)).sum(axis=2)
    nearest = distance.min(axis=1, keepdims=True)
    errors = np.abs(levels[None] - values[inside, None])
    errors = np.where(distance == nearest, errors, np.inf).min(axis=1)
    # A colour holds for 1/256 of the bar, and begins and ends at whole pixels.
    box = bar.ax.get_window_extent()
    length = box.height if is_tall else box.width
    steps = errors / ((high - low) * (1 / 256 + 1 / length))
    count.bars += 1
    count.bar_cells += int(inside.sum())
    count.far_values += int((steps > 1).sum())
    count.worst_steps = max(count.worst_steps, float(steps.max(initial=0)))


def main() -> int:
    """Print how many cells had the right colour, and how many values were read back."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="10 pictures")
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    count = Count()
    for index in range(10 if options.short else options.pictures):
        plot = draw(np.random.default_rng([options.seed, index]))
        check(plot, count)
        plt.close("all")
    print_table(
        ("pictures", "cells", "with another colour", "read by a bar", "off by more than a step"),
        [(count.pictures, count.cells, count.wrong_colors, count.bar_cells, count.far_values)],
    )
    print(f"{count.bars} bars; the worst value read back is off by {count.worst_steps:.2f} steps")
    return count.wrong_colors + count.far_values > 0


if __name__ == "__main__":
    sys.exit(main())
