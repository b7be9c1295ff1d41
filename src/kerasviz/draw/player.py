"""Write the frames of an animation into a player, a piece of HTML that needs no network."""

from __future__ import annotations

import base64
import io
import uuid
from pathlib import Path
from string import Template
from typing import Any

from matplotlib.animation import AbstractMovieWriter
from matplotlib.figure import Figure

TEMPLATE = Path(__file__).with_name("player.html")


class PlayerWriter(AbstractMovieWriter):
    """Keep the frames of an animation in memory, and put them into a page.

    Matplotlib's own `HTMLWriter` is not used: it loads its icons from another host, and leaves out
    the frames that exceed a limit. The buttons are characters here, named as they are there.

    Args:
        interval: How long a frame is shown, in milliseconds.
    """

    def __init__(self, interval: float) -> None:
        super().__init__()
        self._interval = interval
        self._frames: list[str] = []

    @property
    def html(self) -> str:
        """The player with all frames so far, which can be on a page with other players."""
        return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
            id=f"kerasviz-player-{uuid.uuid4().hex}",
            frames=", ".join(f'"data:image/png;base64,{frame}"' for frame in self._frames),
            last=len(self._frames) - 1,
            interval=self._interval,
        )

    def setup(self, fig: Figure, outfile: str | Path, dpi: float | None = None) -> None:
        """Begin with no frames; nothing is written to `outfile`."""
        super().setup(fig, outfile, dpi)
        self._frames.clear()

    def grab_frame(self, **savefig_kwargs: Any) -> None:
        """Add the figure as it is now."""
        stream = io.BytesIO()
        self.fig.savefig(stream, format="png", dpi=self.dpi, **savefig_kwargs)
        self._frames.append(base64.b64encode(stream.getvalue()).decode("ascii"))

    def finish(self) -> None:
        """Do nothing: `html` has the page."""
