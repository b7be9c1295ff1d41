"""Write the frames of an animation into a player, a piece of HTML that needs no network."""

from __future__ import annotations

import base64
import html
import io
import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from matplotlib.animation import AbstractMovieWriter
from matplotlib.figure import Figure

TEMPLATE = Path(__file__).with_name("player.html")
SHOW_FRAMES = """
      const picture = player.querySelector("img");
      const frames = data.map((source) => Object.assign(new Image(), { src: source }));
      return (index) => {
        picture.src = frames[index].src;
        return "frame " + (index + 1) + " of " + frames.length;
      };
"""


@dataclass(frozen=True, kw_only=True)
class Player:
    """A piece of HTML with buttons, which can be on a page with other players.

    Args:
        label: What it shows, in words.
        content: The HTML above the buttons.
        script: The body of a JavaScript function of `data`. It returns a function that shows the
            frame with an index, and returns in words which one that is.
        data: What the script needs, as JSON.
        count: The number of frames.
        interval: How long a frame is shown, in milliseconds.
    """

    label: str
    content: str
    script: str
    data: Any
    count: int
    interval: float

    def write(self) -> str:
        """Return the HTML, with an id of its own."""
        # Within a script, "<" of a name could end the script.
        data = json.dumps(self.data, separators=(",", ":"), ensure_ascii=False)
        return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
            id=f"kerasviz-player-{uuid.uuid4().hex}",
            label=html.escape(self.label),
            content=self.content,
            script=self.script.strip("\n"),
            data=data.replace("<", "\\u003c"),
            last=self.count - 1,
            interval=self.interval,
        )


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
        """The player with all frames so far."""
        return Player(
            label="step by step",
            content='<img alt="step by step">',
            script=SHOW_FRAMES,
            data=[f"data:image/png;base64,{frame}" for frame in self._frames],
            count=len(self._frames),
            interval=self._interval,
        ).write()

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
