"""Write the title of a picture of filters above all of its panels."""

from __future__ import annotations

from matplotlib.figure import Figure, SubFigure
from matplotlib.transforms import ScaledTranslation

from kerasviz.draw.filters.layout import GAP, MARGIN, unit
from kerasviz.draw.text import font_size, text_height, wrap_text


def break_title(words: str, width: float) -> str:
    """Return a title in lines that are as wide as a page of this width in inches allows."""
    room = 72 * (width - 2 * unit() * MARGIN)
    return wrap_text(words, room, font_size(), on_screen=True)


def heading_height(title: str) -> float:
    """Return the height of a title with the room below it, in inches."""
    return text_height(title, font_size()) + unit() * GAP if title else 0.0


def write_title(figure: Figure | SubFigure, text: str) -> None:
    """Write a title into the upper left corner of a figure."""
    if not text:
        return
    title = figure.suptitle(text, fontsize=font_size(), x=0, y=1, ha="left", va="top")
    shift = unit() * MARGIN
    move = ScaledTranslation(shift, -shift, figure.dpi_scale_trans)
    title.set_transform(figure.transSubfigure + move)
