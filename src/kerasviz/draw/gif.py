"""Figures to the frames of a GIF, in which a value has the same colour throughout."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import IO, Any, cast

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from kerasviz.draw.color import INVALID, ColorScale
from kerasviz.draw.plot import Plot
from kerasviz.draw.tiles.panel import CROSS_COLOR

FRAME_TIME, LAST_TIME = 250, 2000
"""How long a frame is shown, and the last one, in milliseconds."""
GREYS = 32
"""How many of a palette's 256 colours are for text; nearly all others are for values."""


def render_frame(plot: Plot) -> Image.Image:
    """Return the pixels of a plot, and free its figure."""
    canvas: Any = FigureCanvasAgg(cast(Figure, plot.figure))
    canvas.draw()
    frame = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    free_figure(plot)
    return frame


def free_figure(plot: Plot) -> None:
    """Free at once the figure of a plot that nobody holds any more.

    The parts of a figure refer to one another in circles. Python looks for these seldom, and in a
    process that trains it takes a third of a second; until then dozens of pictures would pile up.
    `Figure.clear` leaves new circles: measured, ten times the memory and four times the time.
    """
    figure = plot.figure.get_figure(root=True)
    assert figure is not None
    for artist in figure.findobj():
        vars(artist).clear()


def fit_frame(frame: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Give a frame another height: room is added at the top, where titles differ in length."""
    if frame.size == size:
        return frame
    whole = Image.new("RGB", size, cast(tuple[int, ...], frame.getpixel((0, 0))))
    whole.paste(frame, (0, size[1] - frame.height))
    return whole


def value_palette(scale: ColorScale) -> Image.Image:
    """Return a palette of greys for text and of the colours of values."""
    greys = np.linspace(0, 1, GREYS)[:, np.newaxis].repeat(3, axis=1)
    marks = np.array([to_rgb(CROSS_COLOR), to_rgb(INVALID)])
    values = scale.cmap(np.linspace(0, 1, 256 - GREYS - len(marks)))[:, :3]
    colors = np.concatenate([greys, marks, values])
    image = Image.new("P", (1, 1))
    image.putpalette((255 * colors).round().astype("uint8").tobytes())
    return image


def save_gif(
    stream: IO[bytes], frames: Iterable[Image.Image], count: int, palette: Image.Image | None
) -> None:
    """Write frames of one size, which may be made one by one, as a GIF that repeats for ever.

    Args:
        stream: Where to write.
        frames: The frames.
        count: How many there are.
        palette: The colours of all of them; `None` for the best ones of each.
    """
    # Quantised here, so that Pillow, which holds all frames until the last, has a byte per pixel.
    reduced = (frame.quantize(256, palette=palette, dither=Image.Dither.NONE) for frame in frames)
    first = next(reduced)
    durations = [FRAME_TIME] * (count - 1) + [LAST_TIME]
    first.save(
        stream,
        format="GIF",
        save_all=True,
        append_images=itertools.islice(reduced, count - 1),
        duration=durations if count > 1 else LAST_TIME,
        loop=0,
        optimize=False,  # which would give each frame colours of its own
    )
