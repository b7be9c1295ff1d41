"""Animations that are a player in a notebook and can be saved as a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.animation import AbstractMovieWriter, FuncAnimation, writers
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from kerasviz._files import replacing, replacing_path
from kerasviz.draw.gif import FRAME_TIME, save_gif
from kerasviz.draw.player import PlayerWriter


class PlayerAnimation(FuncAnimation):
    """A Matplotlib animation that in a notebook is a player.

    Args:
        figure: What changes from frame to frame.
        show: Takes the index of a frame, and returns the artists that it changed.
        count: How many frames there are.
        interval: How long a frame is shown, in milliseconds.
    """

    def __init__(
        self, figure: Figure, show: Callable[[int], list[Any]], *, count: int, interval: float
    ) -> None:
        self._interval_of_player = interval  # Matplotlib rounds its own to whole milliseconds
        self._player: str | None = None
        super().__init__(figure, show, frames=count, interval=interval, cache_frame_data=False)

    def save(
        self,
        filename: str | os.PathLike[str],
        writer: AbstractMovieWriter | str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Save to a file, as Matplotlib does; a GIF needs no other program than Python.

        The file appears under its name when it is complete: if the animation cannot be saved, a
        file that was there stays as it was. A writer of yours writes as it likes.

        Args:
            filename: Where to; `.gif`, `.mp4` and what else the writer can write.
            writer: As in Matplotlib. `None`: Pillow for a GIF.
            *args: As in Matplotlib.
            **kwargs: As in Matplotlib.

        Raises:
            RuntimeError: The file is an MP4, and ffmpeg is not installed.
        """
        suffix = Path(filename).suffix.lower()
        if writer is None and suffix == ".gif":
            writer = "pillow"  # the usual one, ffmpeg, has too few colours for a GIF
        if writer in (None, "ffmpeg") and suffix == ".mp4" and not writers.is_available("ffmpeg"):
            raise RuntimeError(
                "An MP4 is written by ffmpeg, which is not installed: install it, or save a GIF. "
                f"Received: filename={str(filename)!r}"
            )
        if writer not in (None, "pillow", "ffmpeg", "imagemagick"):  # may write several files
            super().save(os.fspath(filename), writer, *args, **kwargs)
            return
        with replacing_path(Path(filename), keep_suffix=True) as temporary:
            super().save(os.fspath(temporary), writer, *args, **kwargs)

    def _repr_html_(self) -> str:
        """Return the player for a notebook, whatever `rcParams["animation.html"]` says.

        It is drawn once: a cell that shows the animation again shows the same frames.
        """
        if self._player is None:
            writer = PlayerWriter(self._interval_of_player)
            self.save("player.html", writer)
            self._player = writer.html
        return self._player


class FrameAnimation(PlayerAnimation):
    """An animation of finished frames: a figure that shows each one dot for dot.

    Args:
        draw: Returns the frame with an index; all frames have one size.
        count: How many there are.
        palette: The colours of all frames of a GIF; `None` for the best ones of each.
    """

    def __init__(
        self, draw: Callable[[int], Image.Image], count: int, palette: Image.Image | None
    ) -> None:
        self._draw_frame_of = draw
        self._count = count
        self._palette = palette
        first = draw(0)
        # Matplotlib rounds down to whole dots, and the quotient may be a little too small.
        width, height = ((side + 0.1) / 100 for side in first.size)
        figure = Figure(figsize=(width, height), dpi=100)
        FigureCanvasAgg(figure)
        image = figure.figimage(np.asarray(first))

        def show(index: int) -> list[Any]:
            image.set_data(np.asarray(draw(index)))
            return [image]

        super().__init__(figure, show, count=count, interval=FRAME_TIME)

    def save(
        self,
        filename: str | os.PathLike[str],
        writer: AbstractMovieWriter | str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Save to a file: a GIF as the callbacks write it, all else as Matplotlib does.

        Args:
            filename: Where to; `.gif`, `.mp4` and what else the writer can write.
            writer: As in Matplotlib. `None`: Pillow for a GIF, in colours that are the same in
                all frames.
            *args: As in Matplotlib.
            **kwargs: As in Matplotlib.

        Raises:
            RuntimeError: An MP4 is requested, and ffmpeg is not installed.
        """
        if writer is not None or args or kwargs or Path(filename).suffix.lower() != ".gif":
            super().save(filename, writer, *args, **kwargs)
            return
        with replacing(Path(filename), tidy=True) as stream:
            frames = map(self._draw_frame_of, range(self._count))
            save_gif(stream, frames, self._count, self._palette)

    def __del__(self) -> None:
        """Do not warn as Matplotlib does, since no window shows this figure."""
