"""Animate a window that slides over an input, as a Matplotlib animation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kerasviz.draw.animations.animation import PlayerAnimation
from kerasviz.draw.convolution.content import StepView
from kerasviz.draw.convolution.picture import ConvolutionPicture
from kerasviz.draw.convolution.player import make_player
from kerasviz.draw.plot import Plot


class ConvolutionAnimation(PlayerAnimation):
    """A Matplotlib animation that in a notebook is a player, and has `plot`.

    Args:
        picture: What is drawn.
        steps: What each frame shows.
        frame_indices: For each value of the output, the index of the first frame that shows it.
        interval: How long a frame is shown, in milliseconds.
        make_bar: As for `PlayerAnimation`.
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
        make_bar: Callable[[int], Any],
        is_seen: bool,
    ) -> None:
        self._is_seen = is_seen
        self._picture, self._steps, self._frame_indices = picture, steps, frame_indices
        self.plot = picture.plot

        def show(frame: int) -> list[Any]:
            picture.show(steps[frame], frame_indices <= frame)
            return []

        show(0)
        figure = self.plot.figure.get_figure(root=True)
        super().__init__(figure, show, count=len(steps), interval=interval, make_bar=make_bar)

    def _repr_html_(self) -> str:
        """Return the player for a notebook: two pictures, and frames that move over them."""
        if self._player is None:
            self._player = make_player(
                self._picture.view, self._steps, self._frame_indices, self._interval_of_player
            )
        return self._player

    def __del__(self) -> None:
        """Warn as Matplotlib does, but only where a window would stand still."""
        if getattr(self, "_is_seen", False):
            super().__del__()
