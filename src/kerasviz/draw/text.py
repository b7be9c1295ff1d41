"""Measure text, break it into lines, and keep Matplotlib from reading it as a formula."""

from __future__ import annotations

import re

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

LINE_HEIGHT = 1.25
"""Height of a line of text, in sizes of its font."""
LINE_FILL = 0.94
"""How much of a line small text may fill: drawn in dots, letters may be wider than they measure."""


def escape(text: str) -> str:
    r"""Return text that Matplotlib draws letter by letter, where "$" would begin a formula.

    Matplotlib reads a text as a formula if it holds an even number of "$" that have no backslash
    before them, and of any other text it draws "\$" as "$". With a backslash before each "$" there
    is no formula, and the text is drawn as it was, its own backslashes too. Escape a name once,
    where it is put into a text: a `title` of the caller's may hold formulas beside it.
    """
    return text.replace("$", r"\$")


BREAK = re.compile(r" (?!of \d)(?!(?<= of )\d)(?!(?<=sample )\d)")
"""A space at which a line may be broken: not one in "sample 7 of 10"."""


def font_points(relative: str) -> float:
    """Return a font size in points, such as that of "small"."""
    return float(FontProperties(size=relative).get_size_in_points())


def text_height(text: str, size: float) -> float:
    """Return the height of lines of text in inches; that of an empty text is 0."""
    return len(text.splitlines()) * LINE_HEIGHT * size / 72


def text_width(text: str, size: float) -> float:
    """Return the width of a line of text in points, in the font that Matplotlib would use."""
    width, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(size=size), False)
    return float(width)


def wrap_text(text: str, width: float, size: float) -> str:
    """Break lines at spaces so that each is at most `width` points wide, where it can be.

    A count such as "sample 7 of 10" stays in one line.
    """
    lines: list[str] = []
    for paragraph in text.splitlines():
        line = ""
        for word in BREAK.split(paragraph):
            longer = f"{line} {word}" if line else word
            if line and text_width(longer, size) > width:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
    return "\n".join(lines)
