"""Read what is written in a picture, for the tests of all kinds of pictures."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.text import Text

import kerasviz


def texts_of(drawn: kerasviz.Plot | Axes) -> list[str]:
    """Return the texts in an Axes, or in the first one of a plot, without title and ticks."""
    ax = drawn.axes[0] if isinstance(drawn, kerasviz.Plot) else drawn
    return [text.get_text() for text in ax.texts]


def all_words(plot: kerasviz.Plot) -> str:
    """Return all that is written in a picture, as one line."""
    return " ".join(" ".join(text.get_text() for text in plot.figure.findobj(Text)).split())


def titles_of(plot: kerasviz.Plot) -> list[str]:
    """Return the title of each Axes as one line, wherever it was wrapped."""
    return [" ".join(ax.get_title().split()) for ax in plot.axes]


def last_line(plot: kerasviz.Plot) -> str:
    """Return what is written below everything, as one line."""
    return " ".join(plot.figure.texts[-1].get_text().split())
