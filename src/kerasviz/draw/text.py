"""Measure, wrap, shorten and escape the text of a picture."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from matplotlib import rcParams
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.textpath import text_to_path


def escape(text: str) -> str:
    r"""Return text that Matplotlib draws letter by letter, where "$" would begin a formula.

    Matplotlib reads a text as a formula if it holds an even number of "$" that have no backslash
    before them, and of any other text it draws "\$" as "$". With a backslash before each "$" there
    is no formula, and the text is drawn as it was, its own backslashes too. Escape a name once,
    where it is put into a text: a `title` of the caller's may hold formulas beside it.
    """
    return text.replace("$", r"\$")


LINE_HEIGHT = 1.25
"""Height of a line of text, in sizes of its font."""
DESCENT = 0.25
"""How far letters reach below their base line, in sizes of their font."""
LINE_FILL = 0.94
"""Which part of a line of small text is filled: drawn in dots, letters may be wider by the rest."""


TITLE_SIZE, LABEL_SIZE, NOTE_SIZE = "medium", "small", "x-small"
"""Relative sizes of a title, of what is beside an axis, and of what is in a crowd of panels."""
HYPHEN = re.compile(r"(?<![\w.])-(?=[\d.∞])|(?<=\de)-(?=\d)")
"""A hyphen that means minus: before a number, or in the exponent of one."""


def fix_minus(text: str) -> str:
    """Return text with the minus signs that Matplotlib writes at an axis."""
    return HYPHEN.sub("\N{MINUS SIGN}", text) if rcParams["axes.unicode_minus"] else text


def font_size(relative: str = TITLE_SIZE) -> float:
    """Return a font size in points, such as that of "small"."""
    return _font_size(relative, float(rcParams["font.size"]))


@lru_cache(maxsize=100)
def _font_size(relative: str, _usual: float) -> float:
    return float(FontProperties(size=relative).get_size_in_points())


BREAK = re.compile(
    r" (?!of \d)(?!(?<= of )\d)(?!(?<=sample )\d)(?!(?<=\(\d, )\d)(?!(?<=\(\d\d, )\d)"
)
"""A space at which a line may be broken: not one in "sample 7 of 10" or in "(8, 14)"."""


def text_height(text: str, size: float) -> float:
    """Return the height of lines of text in inches; that of an empty text is 0."""
    return len(text.splitlines()) * LINE_HEIGHT * size / 72


def text_width(text: str, size: float) -> float:
    """Return the width of a line of text in points, in the font that Matplotlib would use."""
    return _text_width(text, size, _font())


# Measuring is slow, and the same words come up again and again. The font is part of the key, since
# rcParams decide which file it is read from.
@lru_cache(maxsize=10_000)
def _text_width(text: str, size: float, _font: str) -> float:
    width, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(size=size), False)
    return float(width)


def _font() -> str:
    """Return the file of the font that rcParams choose."""
    return findfont(FontProperties())


def wrap_text(text: str, width: float, size: float, *, on_screen: bool = False) -> str:
    """Break lines at spaces so that each is at most `width` points wide, where it can be.

    A count such as "sample 7 of 10" stays in one line if that is wide enough. With `on_screen`
    lines are no wider there either, where small letters are wider than on paper.
    """
    measure = screen_width if on_screen else text_width
    lines: list[str] = []
    for paragraph in text.splitlines():
        line = ""
        for word in _breakable(paragraph, lambda part: measure(part, size) > width):
            longer = f"{line} {word}" if line else word
            if line and measure(longer, size) > width:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
    return "\n".join(lines)


def _breakable(paragraph: str, is_too_wide: Callable[[str], bool]) -> Iterator[str]:
    """Yield what is not to be broken: words, and counts unless they are wider than a line."""
    for part in BREAK.split(paragraph):
        if " " in part and is_too_wide(part):
            yield from part.split(" ")
        else:
            yield part


RESOLUTION_MARGIN = 1.03
"""How much wider than measured a line may come out in another resolution."""


def screen_width(text: str, size: float) -> float:
    """Return the largest width in points that a line of text has, on paper or on a screen.

    On a screen each letter is fitted to whole dots, which makes small ones up to a tenth wider.
    """
    return _screen_width(text, size, _font(), float(rcParams["figure.dpi"]))


@lru_cache(maxsize=10_000)
def _screen_width(text: str, size: float, _font: str, dpi: float) -> float:
    width, _, _ = _renderer(dpi).get_text_width_height_descent(
        text, FontProperties(size=size), False
    )
    return max(RESOLUTION_MARGIN * text_width(text, size), float(width) * 72 / dpi)


@lru_cache(maxsize=4)
def _renderer(dpi: float) -> Any:
    renderer: Any = RendererAgg  # which Matplotlib has no types for
    return renderer(1, 1, dpi)


def elide_middle(text: str, width: float, size: float) -> str:
    """Put … for the middle of a text that would be wider than `width` points on a screen.

    Names of layers differ at their ends: `block2_conv1` and `block2_conv2`.
    """
    width += 0.01  # inches and back may round a text's own width to less
    if math.isinf(width) or screen_width(text, size) <= width:
        return text
    low, high = 0, len(text) - 1  # the number of letters that remain is between these
    while low < high:
        middle = (low + high + 1) // 2
        if screen_width(_without_middle(text, middle), size) <= width:
            low = middle
        else:
            high = middle - 1
    return _without_middle(text, low)


def _without_middle(text: str, letters: int) -> str:
    end = letters // 2
    return f"{text[: letters - end]}…{text[len(text) - end :]}"


SPACE = "\N{NO-BREAK SPACE}"
"""Between what must not be torn apart at the end of a line."""
