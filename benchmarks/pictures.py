"""Pictures of many tiles: kerasviz, one subplot a tile, and a single bare `imshow`."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import kerasviz
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from report import Goal, Row
from timing import time_pairs

FASTER_THAN_LOOP = (Goal(40, at_least=True), Goal(50, at_least=True))
AS_BARE = (Goal(1.5), Goal(1.15))

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class MapCase:
    """So many square maps, and the subplots of the loop where that is compared too."""

    count: int
    side: int
    subplots: tuple[int, int] | None = None

    @property
    def title(self) -> str:
        return f"{self.count} feature maps, {self.side}×{self.side}"

    def maps(self) -> np.ndarray:
        """Return rectified noise `(side, side, count)`: half of it zeros, as after a ReLU."""
        noise = np.random.default_rng(self.count).normal(size=(self.side, self.side, self.count))
        return np.maximum(noise, 0).astype("float32")


MAP_CASES = (
    MapCase(512, 14, (16, 32)),
    MapCase(256, 56, (16, 16)),
    MapCase(2048, 7),
    MapCase(64, 224),
)


@dataclass(frozen=True)
class Layout:
    """All that a single `imshow` needs to be given to draw the same picture."""

    size: tuple[float, float]
    array: np.ma.MaskedArray
    image_box: Box
    bar_box: Box
    title: str
    cmap: str
    limits: tuple[float, float]

    @classmethod
    def of(cls, plot: kerasviz.Plot) -> Layout:
        (ax,), (image,), (bar,) = plot.axes, plot.images, plot.colorbars
        assert isinstance(plot.figure, Figure)
        assert bar is not None
        width, height = plot.figure.get_size_inches()
        return cls(
            size=(float(width), float(height)),
            array=np.ma.copy(image.get_array()),
            image_box=ax.get_position().bounds,
            bar_box=bar.ax.get_position().bounds,
            title=ax.get_title(),
            cmap=image.get_cmap().name,
            limits=image.get_clim(),
        )


def save(figure: Figure) -> bytes:
    """Write a figure as PNG, and close it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    plt.close(figure)
    return buffer.getvalue()


def draw_kerasviz(make_plot: Callable[[], kerasviz.Plot]) -> bytes:
    """Draw with kerasviz, from the arrays or the model to the closed figure."""
    figure = make_plot().figure
    assert isinstance(figure, Figure)
    return save(figure)


def draw_loop(maps: np.ndarray, subplots: tuple[int, int], size: tuple[float, float]) -> bytes:
    """Draw as the notes do: one subplot a map."""
    rows, columns = subplots
    figure, axes = plt.subplots(rows, columns, figsize=size)
    for i in range(rows):
        for j in range(columns):
            axes[i, j].imshow(maps[:, :, i * columns + j])
            axes[i, j].axis("off")
    return save(figure)


def draw_bare(layout: Layout) -> bytes:
    """Draw a mosaic that is already assembled, at places that are already known."""
    figure = plt.figure(figsize=layout.size)
    ax = figure.add_axes(layout.image_box)
    vmin, vmax = layout.limits
    image = ax.imshow(layout.array, cmap=layout.cmap, vmin=vmin, vmax=vmax)
    ax.set_axis_off()
    ax.set_title(layout.title)
    figure.colorbar(image, cax=figure.add_axes(layout.bar_box))
    return save(figure)


def compare_maps(case: MapCase, *, pairs: int, loop_pairs: int, warmup: int) -> list[Row]:
    """Compare `plot_tiles` with a bare `imshow`, and with the loop where the case asks for it."""
    maps = case.maps()

    def make_plot() -> kerasviz.Plot:
        return kerasviz.plot_tiles(maps, title=case.title)

    rows = []
    if case.subplots is not None:
        rows.append(_compare_loop(case, maps, make_plot, pairs=loop_pairs, warmup=warmup))
    return [*rows, compare_bare(case.title, make_plot, pairs=pairs, warmup=warmup)]


def _compare_loop(
    case: MapCase,
    maps: np.ndarray,
    make_plot: Callable[[], kerasviz.Plot],
    *,
    pairs: int,
    warmup: int,
) -> Row:
    assert case.subplots is not None
    subplots, size = case.subplots, _layout(make_plot).size
    timed = time_pairs(
        lambda: draw_loop(maps, subplots, size),
        lambda: draw_kerasviz(make_plot),
        pairs=pairs,
        warmup=warmup,
    )
    goals = FASTER_THAN_LOOP if case.count == 512 else ()
    compared = f"{subplots[0]}×{subplots[1]} subplots / kerasviz"
    return Row(case.title, compared, timed.ratios, pairs, goals)


def compare_bare(
    name: str, make_plot: Callable[[], kerasviz.Plot], *, pairs: int, warmup: int
) -> Row:
    """Compare a plot with one `imshow` of the same array at the same places."""
    layout = _layout(make_plot)
    by_kerasviz, bare = draw_kerasviz(make_plot), draw_bare(layout)
    if _pixels(by_kerasviz) != _pixels(bare):
        raise RuntimeError(f"{name}: the two pictures are not of the same size in pixels.")
    timed = time_pairs(
        lambda: draw_kerasviz(make_plot), lambda: draw_bare(layout), pairs=pairs, warmup=warmup
    )
    return Row(name, "kerasviz / bare imshow", timed.ratios, pairs, AS_BARE)


def _layout(make_plot: Callable[[], kerasviz.Plot]) -> Layout:
    plot = make_plot()
    layout = Layout.of(plot)
    plt.close("all")
    return layout


def _pixels(png: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(png)).size
