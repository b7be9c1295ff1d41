"""Compare the player of `animate_convolution` with one that has a picture of every step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib.pyplot as plt
from timing import Spread, time_pairs

import kerasviz
from report import RATIO_HEADS, Goal, Row, table

FASTER, SMALLER = (Goal(10, at_least=True),), (Goal(10, at_least=True),)


def compare_players(pairs: int) -> Iterator[Row]:
    """Yield time and size of a player with all frames over those of kerasviz's."""
    model = kerasviz.fashion_mnist.load_model()
    boot = kerasviz.fashion_mnist.load_samples()[0][9]
    name = "`animate_convolution`, 28×28, 200 steps"
    sizes: dict[str, int] = {}

    def animate() -> Any:
        return kerasviz.animate_convolution(model, "conv2d", boot, filter=5)

    def draw_frames() -> None:
        # Matplotlib's own player leaves out frames above a limit.
        with plt.rc_context({"animation.embed_limit": 1000}):
            sizes["frames"] = len(animate().to_jshtml())

    def draw_player() -> None:
        sizes["player"] = len(animate()._repr_html_())

    timed = time_pairs(draw_frames, draw_player, pairs=pairs, warmup=0)
    yield Row(name, "`to_jshtml` / kerasviz, time", timed.ratios, pairs, FASTER)
    ratio = Spread.of([sizes["frames"] / sizes["player"]])
    yield Row(name, "`to_jshtml` / kerasviz, size", ratio, 1, SMALLER)


if __name__ == "__main__":
    print(table(RATIO_HEADS, [row.cells() for row in compare_players(1)]))
