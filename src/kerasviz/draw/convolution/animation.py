"""Animate a window that slides over an input, as a Matplotlib animation."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.animation import AbstractMovieWriter, FuncAnimation, writers

from kerasviz._files import replacing_path
from kerasviz.draw.convolution.picture import ConvolutionPicture
from kerasviz.draw.convolution.view import StepView
from kerasviz.draw.player import PlayerWriter
from kerasviz.draw.plot import Plot


class ConvolutionAnimation(FuncAnimation):
    """A Matplotlib animation that in a notebook is a player, and has `plot`.

    Args:
        picture: What is drawn.
        steps: What each frame shows.
        frame_indices: For each value of the output, the index of the first frame that shows it.
        interval: How long a frame is shown, in milliseconds.
        is_seen: Whether somebody else has the figure, and may see that it stands still.

    Attributes:
        plot: The figure, axes, images and colour bars.
    """

    plot: Plot

    def __init__(
        self,
        picture: ConvolutionPicture,
        steps: Sequence[StepView],
        *,
        frame_indices: np.ndarray,
        interval: float,
        is_seen: bool,
    ) -> None:
        self._is_seen, self._interval_of_player = is_seen, interval
        self._player: str | None = None
        self.plot = picture.plot

        def show(frame: int) -> list[Any]:
            picture.show(steps[frame], frame_indices <= frame)
            return []

        show(0)
        figure = self.plot.figure.get_figure(root=True)
        super().__init__(figure, show, frames=len(steps), interval=interval, cache_frame_data=False)

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

    def __del__(self) -> None:
        """Warn as Matplotlib does, but only where a window would stand still."""
        if getattr(self, "_is_seen", False):
            super().__del__()
