"""Draw figures as the frames of a GIF, in which a value has the same colour throughout."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from matplotlib.animation import AbstractMovieWriter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import GifImagePlugin, Image, ImageChops

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


class GifStream:
    """Writes a GIF that repeats for ever, frame by frame, and holds no more than two of them.

    Pillow's `save_all` holds every frame until the last.

    Args:
        stream: Where to write.
        palette: The colours of all frames; `None` for the best ones of each.
    """

    def __init__(self, stream: IO[bytes], palette: Image.Image | None = None) -> None:
        self._stream, self._palette = stream, palette
        self._current: Image.Image | None = None
        self._waiting: tuple[Image.Image, int] | None = None

    def add(self, frame: Image.Image, duration: float) -> None:
        """Add a frame, all of which have one size, and say how long it is shown in milliseconds.

        A frame like the one before makes that one longer.
        """
        reduced = frame.quantize(256, palette=self._palette, dither=Image.Dither.NONE)
        if self._waiting is not None:
            before, time = self._waiting
            if _changed_box(before, reduced) is None:
                self._waiting = before, time + round(duration)
                return
            self._write()
        self._waiting = reduced, round(duration)

    def close(self) -> None:
        """Write the last frame and the end of the file."""
        self._write()
        self._stream.write(b";")

    def _write(self) -> None:
        assert self._waiting is not None  # there is a frame at least
        frame, duration = self._waiting
        box = (0, 0, *frame.size)
        if self._current is None:
            header, _ = GifImagePlugin.getheader(frame, info={"loop": 0, "optimize": False})
            self._stream.writelines(header)
        else:
            # Only what has changed is written, over the frame before.
            box = _changed_box(self._current, frame) or box
        self._stream.writelines(
            GifImagePlugin.getdata(
                frame.crop(box),
                box[:2],
                duration=duration,
                include_color_table=self._palette is None,
            )
        )
        self._current = frame


def _changed_box(before: Image.Image, after: Image.Image) -> tuple[int, int, int, int] | None:
    """Return left, top, right and bottom of what differs between two frames, `None` for nothing."""
    difference = ImageChops.difference(before.convert("RGB"), after.convert("RGB"))
    return difference.getbbox()


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
    gif = GifStream(stream, palette)
    for index, frame in enumerate(itertools.islice(frames, count), start=1):
        gif.add(frame, FRAME_TIME if index < count else LAST_TIME)
    gif.close()


class GifWriter(AbstractMovieWriter):
    """Write the frames of a Matplotlib animation as a GIF, one by one.

    Args:
        time: How long a frame is shown, in milliseconds.
    """

    def __init__(self, time: float) -> None:
        super().__init__()
        self._time = time

    def setup(self, fig: Figure, outfile: str | Path, dpi: float | None = None) -> None:
        """Open the file."""
        super().setup(fig, outfile, dpi)
        # Matplotlib opens and closes a file in two calls, and makes the second one, `finish`, even
        # where a frame fails; so no `with` can hold it, and Ruff sees no other way to close it.
        self._file = Path(outfile).open("wb")  # noqa: SIM115
        self._gif = GifStream(self._file)

    def grab_frame(self, **savefig_kwargs: Any) -> None:
        """Add the figure as it is now."""
        buffer = io.BytesIO()
        self.fig.savefig(buffer, format="rgba", dpi=self.dpi, **savefig_kwargs)
        frame = Image.frombytes("RGBA", self.frame_size, buffer.getvalue())
        self._gif.add(frame.convert("RGB"), self._time)

    def finish(self) -> None:
        """Write the end of the file, and close it."""
        self._gif.close()
        self._file.close()
