"""Pictures of many tiles: kerasviz, one subplot a tile, and a single bare `imshow`."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.image import AxesImage, PcolorImage
from PIL import Image
from timing import time_pairs

import kerasviz
from report import Goal, Row

AS_BARE, AS_ONE_IMSHOW = (Goal(1.15),), (Goal(1.3),)

Box = tuple[float, float, float, float]
MakePlot = Callable[[], kerasviz.Plot]


@dataclass(frozen=True)
class MapCase:
    """So many square maps; the subplots of the loop, and the goal, where that is compared too."""

    count: int
    side: int
    subplots: tuple[int, int] | None = None
    sparse: bool = False
    times_faster: int = 0

    @property
    def title(self) -> str:
        return f"{self.count} feature maps, {self.side}×{self.side}"

    @property
    def name(self) -> str:
        return f"{self.title}, {'sparse' if self.sparse else 'noise'}"

    def maps(self) -> np.ndarray:
        """Return maps `(side, side, count)` without negative values, as after a ReLU.

        Noise is 0 in half of its values, and barely compresses. Sparse maps are patches: a
        mean over 3x3 values of the same noise, all but the highest 7 of 100 values cut to 0.
        """
        side = self.side + 2
        noise = np.random.default_rng(self.count).normal(size=(side, side, self.count))
        if self.sparse:
            windows = np.lib.stride_tricks.sliding_window_view(noise, (3, 3), axis=(0, 1))
            values = windows.mean(axis=(3, 4))
            values -= np.quantile(values, 0.93)
        else:
            values = noise[1:-1, 1:-1]
        return np.asarray(np.maximum(values, 0), "float32")


MAP_CASES = (
    MapCase(512, 14, (16, 32), times_faster=50),
    MapCase(512, 14, (16, 32), sparse=True, times_faster=50),
    MapCase(256, 56, (16, 16), times_faster=10),
    MapCase(2048, 7),
    MapCase(64, 224),
)


@dataclass(frozen=True)
class Labels:
    """Positions and texts of an axis's ticks, and the text below or beside them."""

    places: list[float]
    texts: list[str]
    name: str

    @classmethod
    def of(cls, axis: Axis) -> Labels:
        texts = [text.get_text() for text in axis.get_ticklabels()]
        return cls(list(axis.get_ticklocs()), texts, axis.get_label_text())

    def put_on(self, axis: Axis) -> None:
        axis.set_ticks(self.places, self.texts, fontsize="x-small")
        axis.set_label_text(self.name, fontsize="small")


@dataclass(frozen=True)
class Layout:
    """All that a single `imshow` needs to be given to draw the same picture."""

    size: tuple[float, float]
    array: np.ma.MaskedArray
    image_box: Box
    bar_box: Box
    title: str
    style: dict[str, Any]
    labels: tuple[Labels, Labels]

    @classmethod
    def of(cls, make_plot: MakePlot) -> Layout:
        plot = make_plot()
        (ax,), (image,), (bar,) = plot.axes, plot.images, plot.colorbars
        assert isinstance(plot.figure, Figure)
        array = image.get_array()
        assert bar is not None
        assert array is not None
        width, height = plot.figure.get_size_inches()
        plt.close(plot.figure)
        return cls(
            size=(float(width), float(height)),
            array=np.ma.array(array, copy=True),
            image_box=ax.get_position().bounds,
            bar_box=bar.ax.get_position().bounds,
            title=ax.get_title(),
            style=_style(image),
            labels=(Labels.of(ax.xaxis), Labels.of(ax.yaxis)),
        )


def _style(image: AxesImage) -> dict[str, Any]:
    """Return the keywords with which `imshow` colours and resamples as this image does."""
    vmin, vmax = image.get_clim()
    # Rows of unequal heights are drawn by an artist that knows of no smoothing.
    equal = not isinstance(image, PcolorImage)
    return {
        "extent": (*image.axes.get_xlim(), *image.axes.get_ylim()),
        "cmap": image.get_cmap(),
        "vmin": vmin,
        "vmax": vmax,
        "interpolation": image.get_interpolation() if equal else "nearest",
        "interpolation_stage": image.get_interpolation_stage(),
    }


def save(figure: Figure) -> bytes:
    """Write a figure as PNG, and close it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    plt.close(figure)
    return buffer.getvalue()


def draw_kerasviz(make_plot: MakePlot) -> bytes:
    """Draw with kerasviz, from the array or the model to the closed figure."""
    plot, buffer = make_plot(), io.BytesIO()
    plot.savefig(buffer, format="png")
    assert isinstance(plot.figure, Figure)
    plt.close(plot.figure)
    return buffer.getvalue()


def draw_loop(maps: np.ndarray, subplots: tuple[int, int], size: tuple[float, float]) -> bytes:
    """Draw as the notes do: one subplot a map."""
    rows, columns = subplots
    figure, axes = plt.subplots(rows, columns, figsize=size)
    for i in range(rows):
        for j in range(columns):
            axes[i, j].imshow(maps[:, :, i * columns + j])
            axes[i, j].axis("off")
    return save(figure)


def draw_bare(layout: Layout, *, labels: bool = False) -> bytes:
    """Draw a mosaic that is already assembled, at places that are already known."""
    figure = plt.figure(figsize=layout.size)
    ax = figure.add_axes(layout.image_box)
    image = ax.imshow(layout.array, **layout.style)
    if labels:
        layout.labels[0].put_on(ax.xaxis)
        layout.labels[1].put_on(ax.yaxis)
    else:
        ax.set_axis_off()
    ax.set_title(layout.title)
    figure.colorbar(image, cax=figure.add_axes(layout.bar_box))
    return save(figure)


def plot_maps(case: MapCase, maps: np.ndarray) -> MakePlot:
    """Return the call that is timed for a case: every map is drawn, as the other way does."""
    return lambda: kerasviz.plot_tiles(maps, title=case.title, tiles="all")


def plot_strongest(case: MapCase, maps: np.ndarray) -> MakePlot:
    """Return the call that draws what is drawn of many maps by default: the strongest, numbered."""
    return lambda: kerasviz.plot_tiles(maps, title=case.title)


def compare_loop(case: MapCase, *, pairs: int, warmup: int, strongest: bool = False) -> Row:
    """Compare `plot_tiles` with one subplot a map, in a figure of the same size in pixels.

    Args:
        case: The maps.
        pairs: How often each runs.
        warmup: How often each runs before it is timed.
        strongest: Whether kerasviz draws what it draws by default, the 64 strongest with their
            numbers. This is less than the loop draws, and so without a goal.
    """
    assert case.subplots is not None
    subplots, maps = case.subplots, case.maps()
    make_plot = (plot_strongest if strongest else plot_maps)(case, maps)
    size = Layout.of(make_plot).size
    timed = time_pairs(
        lambda: draw_loop(maps, subplots, size),
        lambda: draw_kerasviz(make_plot),
        pairs=pairs,
        warmup=warmup,
    )
    compared = f"{subplots[0]}×{subplots[1]} subplots / kerasviz"
    if strongest:
        return Row(case.name, f"{compared}, 64 numbered", timed.ratios, pairs)
    goals = (Goal(case.times_faster, at_least=True),)
    return Row(case.name, compared, timed.ratios, pairs, goals)


def compare_bare(
    name: str,
    make_plot: MakePlot,
    *,
    pairs: int,
    warmup: int,
    labels: bool = False,
    goals: tuple[Goal, ...] = AS_BARE,
) -> Row:
    """Compare a plot with one `imshow` of the same array at the same places.

    Args:
        name: The case.
        make_plot: The call to kerasviz.
        pairs: How often each runs.
        warmup: How often each runs before it is timed.
        labels: Whether the bare picture has the numbers and words along the axes too.
        goals: What the median should meet.
    """
    layout = Layout.of(make_plot)
    if _pixels(draw_kerasviz(make_plot)) != _pixels(draw_bare(layout, labels=labels)):
        raise RuntimeError(f"{name}: the two pictures are not of the same size in pixels.")
    timed = time_pairs(
        lambda: draw_kerasviz(make_plot),
        lambda: draw_bare(layout, labels=labels),
        pairs=pairs,
        warmup=warmup,
    )
    compared = "kerasviz / bare imshow" + (" with the same labels" if labels else "")
    return Row(name, compared, timed.ratios, pairs, goals)


def plot_all_channels(in_channels: int, filters: int) -> MakePlot:
    """Return the call that draws every slice of a 3x3 kernel, a seeded one in a model."""
    import keras  # loaded here, so that the other cases run without it

    layer = keras.layers.Conv2D(filters, 3, use_bias=False, name="conv")
    model = keras.Sequential([keras.Input((8, 8, in_channels)), layer])
    layer.set_weights([np.random.default_rng(0).normal(size=(3, 3, in_channels, filters))])
    return lambda: kerasviz.plot_kernels(model, "conv", channel="all")


def _pixels(png: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(png)).size
