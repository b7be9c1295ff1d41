"""A window that walks over an input, as a Matplotlib animation."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.animation import AbstractMovieWriter, FuncAnimation, writers

from kerasviz._files import replacing_path
from kerasviz.draw.convolution.picture import ConvolutionPicture, Moment
from kerasviz.draw.plot import Plot

MOST_MEGABYTES = 500
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


class ConvolutionAnimation(FuncAnimation):
    """A Matplotlib animation that in a notebook is a player, and has `plot`.

    Args:
        picture: What is drawn.
        moments: What each frame shows.
        written_at: For each value of the output, the number of the frame that writes it.
        interval: How long a frame is shown, in milliseconds.
        is_seen: Whether somebody else has the figure, and may see that it stands still.

    Attributes:
        plot: The figure, axes, images and colour bars.
    """

    plot: Plot

    def __init__(
        self,
        picture: ConvolutionPicture,
        moments: Sequence[Moment],
        written_at: np.ndarray,
        *,
        interval: float,
        is_seen: bool,
    ) -> None:
        self._is_seen = is_seen
        self.plot = picture.plot

        def show(frame: int) -> list[Any]:
            picture.show(moments[frame], written_at <= frame)
            return []

        show(0)
        figure = self.plot.figure.get_figure(root=True)
        super().__init__(
            figure, show, frames=len(moments), interval=interval, cache_frame_data=False
        )

    def save(
        self,
        filename: str | os.PathLike[str],
        writer: AbstractMovieWriter | str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Save to a file, as Matplotlib does; a GIF needs no program beside Python.

        The file appears under its name when it is complete: if the animation cannot be saved, a
        file that was there stays as it was. A writer of yours writes as it likes.

        Args:
            filename: Where to; `.gif`, `.mp4` and what else the writer can write.
            writer: As in Matplotlib. `None`: Pillow for a GIF.
            *args: As in Matplotlib.
            **kwargs: As in Matplotlib.

        Raises:
            RuntimeError: An MP4 is wanted, and ffmpeg is not installed.
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

        It asks no other host for anything: its buttons are characters, where Matplotlib's are icons
        from a font on the net.
        """
        with rc_context({"animation.embed_limit": MOST_MEGABYTES}):  # else frames are left out
            html = self.to_jshtml()
        html = re.sub(r'<link rel="stylesheet"\s*href="https://[^>]*font-awesome[^>]*>', "", html)
        html = html.replace('<img id="_anim_img', '<img alt="step by step" id="_anim_img')
        return re.sub(
            r'<i class="fa fa-([\w -]+)"></i>', lambda icon: BUTTONS.get(icon[1], icon[0]), html
        )

    def __del__(self) -> None:
        """Warn as Matplotlib does, but only where a window would stand still."""
        if getattr(self, "_is_seen", False):
            super().__del__()
