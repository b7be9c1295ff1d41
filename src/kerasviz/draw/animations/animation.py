"""Animations that are a player in a notebook and can be saved as a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.animation import AbstractMovieWriter, FuncAnimation, writers
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from kerasviz._checks import check_verbose
from kerasviz._files import replacing, replacing_path
from kerasviz.draw.animations.gif import FRAME_TIME, GifWriter, save_gif
from kerasviz.draw.animations.player import PlayerWriter

ONE_FILE_WRITERS = (None, "pillow", "ffmpeg", "imagemagick")
"""Those that write the file that is named and no other; a caller's may write several."""


class PlayerAnimation(FuncAnimation):
    """A Matplotlib animation that in a notebook is a player.

    Args:
        figure: What changes from frame to frame.
        show: Takes the index of a frame, and returns the artists that it changed.
        count: How many frames there are.
        interval: How long a frame is shown, in milliseconds.
        make_bar: Takes the number of frames, and returns a progress bar with a method `update`.
    """

    def __init__(
        self,
        figure: Figure,
        show: Callable[[int], list[Any]],
        *,
        count: int,
        interval: float,
        make_bar: Callable[[int], Any],
    ) -> None:
        self._make_bar = make_bar
        self._interval_of_player = interval  # Matplotlib rounds its own to whole milliseconds
        self._player: str | None = None
        super().__init__(figure, show, frames=count, interval=interval, cache_frame_data=False)

    def save(
        self,
        filename: str | os.PathLike[str],
        writer: AbstractMovieWriter | str | None = None,
        *args: Any,
        verbose: int = 0,
        **kwargs: Any,
    ) -> None:
        """Save to a file, as Matplotlib does; a GIF needs no other program than Python.

        The file appears under its name when it is complete: if the animation cannot be saved, a
        file that was there stays as it was. A writer of yours writes as it likes.

        Args:
            filename: Where to; `.gif`, `.mp4` and what else the writer can write.
            writer: As in Matplotlib. `None`: a GIF is written frame by frame.
            *args: As in Matplotlib.
            verbose: 0 or 1; 1 prints a progress bar.
            **kwargs: As in Matplotlib.

        Raises:
            RuntimeError: The file is an MP4, and ffmpeg is not installed.
            ValueError: `verbose` is something else.
        """
        check_verbose(verbose)
        if verbose:
            kwargs["progress_callback"] = self._show_progress(kwargs.get("progress_callback"))
        suffix = Path(filename).suffix.lower()
        if writer is None and suffix == ".gif":
            # The usual writer, ffmpeg, has too few colours for a GIF. Of Pillow's keywords, those
            # that ours does not know are rare, and Pillow's writer holds all frames.
            writer = "pillow"
            if not args and kwargs.keys() <= {"fps", "dpi", "progress_callback", "savefig_kwargs"}:
                fps = kwargs.pop("fps", None)
                writer = GifWriter(1000 / fps if fps else self._interval_of_player)
        if writer in (None, "ffmpeg") and suffix == ".mp4" and not writers.is_available("ffmpeg"):
            raise RuntimeError(
                "An MP4 is written by ffmpeg, which is not installed: install it, or save a GIF. "
                f"Received: filename={str(filename)!r}"
            )
        is_of_one_file = isinstance(writer, GifWriter) or writer in ONE_FILE_WRITERS
        if not is_of_one_file:
            super().save(os.fspath(filename), writer, *args, **kwargs)
            return
        with replacing_path(Path(filename), keep_suffix=True) as temporary:
            super().save(os.fspath(temporary), writer, *args, **kwargs)

    def _show_progress(
        self, callback: Callable[[int, int], Any] | None
    ) -> Callable[[int, int], Any]:
        """Return a callback of `save` that moves a progress bar, and calls the caller's own."""
        bars: list[Any] = []

        def show(frame: int, count: int) -> None:
            bar = bars[0] if bars else self._make_bar(count)
            bars.append(bar)
            bar.update(frame + 1)
            if callback is not None:
                callback(frame, count)

        return show

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
        make_bar: As for `PlayerAnimation`.
    """

    def __init__(
        self,
        draw: Callable[[int], Image.Image],
        count: int,
        palette: Image.Image | None,
        *,
        make_bar: Callable[[int], Any],
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

        super().__init__(figure, show, count=count, interval=FRAME_TIME, make_bar=make_bar)

    def save(
        self,
        filename: str | os.PathLike[str],
        writer: AbstractMovieWriter | str | None = None,
        *args: Any,
        verbose: int = 0,
        **kwargs: Any,
    ) -> None:
        """Save to a file: a GIF as the callbacks write it, all else as Matplotlib does.

        Args:
            filename: Where to; `.gif`, `.mp4` and what else the writer can write.
            writer: As in Matplotlib. `None`: a GIF is written frame by frame, in colours that are
                the same in all of them.
            *args: As in Matplotlib.
            verbose: 0 or 1; 1 prints a progress bar.
            **kwargs: As in Matplotlib.

        Raises:
            RuntimeError: An MP4 is requested, and ffmpeg is not installed.
            ValueError: `verbose` is something else.
        """
        check_verbose(verbose)
        if writer is not None or args or kwargs or Path(filename).suffix.lower() != ".gif":
            super().save(filename, writer, *args, verbose=verbose, **kwargs)
            return
        show = self._show_progress(None) if verbose else lambda *_: None
        with replacing(Path(filename), tidy=True) as stream:
            save_gif(stream, self._frames(show), self._count, self._palette)

    def _frames(self, show: Callable[[int, int], Any]) -> Iterator[Image.Image]:
        for index in range(self._count):
            yield self._draw_frame_of(index)
            show(index, self._count)

    def __del__(self) -> None:
        """Do not warn as Matplotlib does, since no window shows this figure."""
