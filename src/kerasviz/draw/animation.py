"""Animations that are a player in a notebook and can be saved as a file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.animation import AbstractMovieWriter, FuncAnimation, writers
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from kerasviz._files import replacing
from kerasviz.draw.gif import FRAME_TIME, save_gif

MAX_MEGABYTES = 500
"""How large a player in a notebook may be; 200 frames take about 15."""

BUTTONS = {
    "fast-backward": "|◀◀",
    "step-backward": "|◀",
    "play fa-flip-horizontal": "◀",
    "pause": "||",
    "play": "▶",
    "step-forward": "▶|",
    "fast-forward": "▶▶|",
    "minus": "−",
    "plus": "+",
}
"""The labels of the player's buttons, by the names of Matplotlib's icons."""


class PlayerAnimation(FuncAnimation):
    """A Matplotlib animation that in a notebook is a player."""

    def save(
        self,
        filename: str | os.PathLike[str],
        writer: AbstractMovieWriter | str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Save to a file, as Matplotlib does; a GIF needs no program beside Python.

        Args:
            filename: Where to; `.gif`, `.mp4` and what else the writer can write.
            writer: As in Matplotlib. `None`: Pillow for a GIF.
            *args: As in Matplotlib.
            **kwargs: As in Matplotlib.

        Raises:
            RuntimeError: An MP4 is requested, and ffmpeg is not installed.
        """
        suffix = Path(filename).suffix.lower()
        if writer is None and suffix == ".gif":
            writer = "pillow"  # the usual one, ffmpeg, has too few colours for a GIF
        if writer in (None, "ffmpeg") and suffix == ".mp4" and not writers.is_available("ffmpeg"):
            raise RuntimeError(
                "An MP4 is written by ffmpeg, which is not installed: install it, or save a GIF. "
                f"Received: filename={str(filename)!r}"
            )
        super().save(os.fspath(filename), writer, *args, **kwargs)

    def _repr_html_(self) -> str:
        """Return the player for a notebook, whatever `rcParams["animation.html"]` says.

        It asks no other host for anything: its buttons are characters, where Matplotlib's are icons
        from a font on the net.
        """
        with rc_context({"animation.embed_limit": MAX_MEGABYTES}):  # else frames are left out
            html = self.to_jshtml()
        html = re.sub(r'<link rel="stylesheet"\s*href="https://[^>]*font-awesome[^>]*>', "", html)
        html = html.replace('<img id="_anim_img', '<img alt="step by step" id="_anim_img')
        return re.sub(
            r'<i class="fa fa-([\w -]+)"></i>', lambda icon: BUTTONS.get(icon[1], icon[0]), html
        )


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

        super().__init__(figure, show, frames=count, interval=FRAME_TIME, cache_frame_data=False)

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
