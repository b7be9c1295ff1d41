"""Measure whether a picture can be read, in each combination of size, font, style and layout.

`from legibility import CASES, sample_cases, faults, assert_legible, is_legible_or_refused`.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from unittest import mock

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import colors, patheffects
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

import kerasviz

SIZES = ((3.3, 2.5), (6.0, 4.0), (10.0, 8.0), (16.0, 10.0))
FONTS = (8, 10, 14, 18, 24)
STYLES = ("default", "dark_background", "seaborn-v0_8", "ggplot")
LAYOUTS = ("none", "constrained", "tight")
PLACES = ("own", "ax", "subfigure")

MIN_CONTRAST = 4.5
"""What WCAG 2 asks of text (https://www.w3.org/TR/WCAG21/#contrast-minimum)."""
TOLERANCE = 1.0
"""By how many dots a text may reach out of the figure, or into another text."""
LARGEST_REFUSED = {False: (5.0, 3.5), True: (7.0, 5.0)}
"""Below which size in inches, at 10 points, a picture of one panel or of several may be refused."""
LEAST_SIZE = re.compile(r"(\d+(?:\.\d+)?) x (\d+(?:\.\d+)?) in")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One combination, in which a picture has to be legible."""

    size: tuple[float, float]
    font: float
    style: str
    layout: str
    place: str

    def __str__(self) -> str:
        width, height = self.size
        return f"{width:g}x{height:g}-{self.font:g}pt-{self.style}-{self.layout}-{self.place}"

    def may_be_refused(self, *, several: bool = False) -> bool:
        """Whether the figure is so small for its font that it may be refused."""
        limits = (self.font / 10 * inches for inches in LARGEST_REFUSED[several])
        return any(inches < limit for inches, limit in zip(self.size, limits, strict=True))


CASES = tuple(
    Case(size=size, font=font, style=style, layout=layout, place=place)
    for size, font, style, layout, place in itertools.product(SIZES, FONTS, STYLES, LAYOUTS, PLACES)
)


def sample_cases(count: int, *, seed: int = 0, places: Sequence[str] = PLACES) -> list[Case]:
    """Return some of the combinations, the same for one seed.

    Args:
        count: How many.
        seed: Which sample.
        places: Where the picture may be drawn: a plot of several panels takes no `ax`.
    """
    return random.Random(seed).sample([case for case in CASES if case.place in places], count)


@contextmanager
def opened(draw: Callable[..., kerasviz.Plot], case: Case) -> Iterator[kerasviz.Plot]:
    """Yield a picture that was drawn in one combination, and close its figure afterwards.

    Args:
        draw: Draws the picture, with one of the keywords `figsize`, `ax` and `figure`.
        case: The combination. Of a SubFigure `size` is that of the SubFigure.
    """
    layout = {
        "font.size": case.font,
        "figure.autolayout": case.layout == "tight",
        "figure.constrained_layout.use": case.layout == "constrained",
    }
    before = plt.get_fignums()
    with plt.style.context(case.style), plt.rc_context(layout):
        try:
            yield draw(**_place(case))
        finally:
            for number in set(plt.get_fignums()) - set(before):
                plt.close(number)


def _place(case: Case) -> dict[str, object]:
    width, height = case.size
    if case.place == "own":
        return {"figsize": case.size}
    if case.place == "ax":
        return {"ax": plt.figure(figsize=case.size).add_subplot()}
    return {"figure": plt.figure(figsize=(width, 2 * height)).subfigures(2, 1)[0]}


def is_legible_or_refused(
    draw: Callable[..., kerasviz.Plot], case: Case, *, several: bool = False
) -> bool:
    """Assert that a picture is legible in one combination, or refused for a good reason.

    A refusal is a `ValueError` that says the least size, which is larger than the figure; at that
    size the picture must be legible. It counts only where the figure is small for its font.

    Args:
        draw: As for `opened`.
        case: The combination.
        several: Whether the picture has several panels, which need more room.

    Returns:
        Whether it was drawn.
    """
    refusal = _draw(draw, case)
    if refusal is None:
        return True
    least = LEAST_SIZE.search(refusal)
    assert least, f"{case}: the least size is not said in {refusal}"
    assert case.may_be_refused(several=several), f"{case}: is large enough, but {refusal}"
    size = float(least[1]), float(least[2])
    assert size[0] > case.size[0] or size[1] > case.size[1], f"{case}: is larger than {least[0]}"
    larger = replace(case, size=(max(size[0], case.size[0]), max(size[1], case.size[1])))
    again = _draw(draw, larger)
    assert again is None, f"{case}: {least[0]} is refused too: {again}"
    return False


def _draw(draw: Callable[..., kerasviz.Plot], case: Case) -> str | None:
    """Draw a picture, and assert that it is legible; return why it is refused, if it is."""
    try:
        with opened(draw, case) as plot:
            assert not (found := faults(plot)), "\n".join([f"{case}:", *found])
    except ValueError as error:
        return str(error)
    return None


def assert_legible(plot: kerasviz.Plot | Figure) -> None:
    """Assert that nothing of a picture is hard to read; see `faults`."""
    found = faults(plot)
    assert not found, "\n".join(found)


def faults(plot: kerasviz.Plot | Figure) -> list[str]:
    """Return what is wrong with a picture, in words; an empty list where nothing is.

    Each text that is drawn must be inside the figure, on no other text, and have a contrast of at
    least 4.5 to the dots behind its letters. A colour bar must be as long as the panels beside it.
    """
    figure = plot.figure.get_figure(root=True) if isinstance(plot, kerasviz.Plot) else plot
    texts = drawn_texts(figure)
    found = [*_clipped(figure, texts), *_overlapping(texts), *_pale(figure, texts)]
    if isinstance(plot, kerasviz.Plot):
        found += _odd_bars(plot)
    return found


def drawn_texts(figure: Figure) -> list[Text]:
    """Draw a figure, and return the texts that were drawn, each once."""
    texts: dict[Text, None] = {}
    draw = Text.draw

    def record(self: Text, renderer: object, *args: object, **kwargs: object) -> None:
        if self.get_visible() and self.get_text().strip():
            texts[self] = None
        draw(self, renderer, *args, **kwargs)

    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # once without: a layout engine moves things while it draws
    with mock.patch.object(Text, "draw", record):
        canvas.draw()
    return list(texts)


def _quote(text: Text) -> str:
    return repr(" ".join(text.get_text().split()))


def _clipped(figure: Figure, texts: Sequence[Text]) -> Iterator[str]:
    for text in texts:
        box = Text.get_window_extent(text)
        around = [figure.bbox]
        if text.get_clip_on() and text.get_clip_box() is not None:
            around.append(text.get_clip_box())
        for room in around:
            beyond = max(room.x0 - box.x0, room.y0 - box.y0, box.x1 - room.x1, box.y1 - room.y1)
            if beyond > TOLERANCE:
                yield f"clipped by {beyond:.0f} dots: {_quote(text)}"


def _overlapping(texts: Sequence[Text]) -> Iterator[str]:
    boxes = [Text.get_window_extent(text) for text in texts]
    for (first, a), (second, b) in itertools.combinations(zip(texts, boxes, strict=True), 2):
        common = Bbox.intersection(a, b)
        if common is not None and min(common.width, common.height) > TOLERANCE:
            yield f"overlapping: {_quote(first)} and {_quote(second)}"


def _pale(figure: Figure, texts: Sequence[Text]) -> Iterator[str]:
    """Compare each text's colour with the dots that are behind its letters."""
    drawn = _render(figure)
    effects = [text.get_path_effects() for text in texts]
    alphas = [text.get_alpha() for text in texts]
    for text, own in zip(texts, effects, strict=True):
        # An outline belongs to what is behind the letters; without one nothing is to be seen.
        strokes = [effect for effect in own if isinstance(effect, patheffects.Stroke)]
        text.set_path_effects([patheffects.Stroke(**each._gc) for each in strokes])
        if not strokes:
            text.set_alpha(0)
    behind = _render(figure)
    for text, own, alpha in zip(texts, effects, alphas, strict=True):
        text.set_path_effects(own)
        text.set_alpha(alpha)
    for text in texts:
        box = Text.get_window_extent(text)
        rows = slice(max(0, int(len(drawn) - box.y1)), max(0, int(len(drawn) - box.y0) + 1))
        columns = slice(max(0, int(box.x0)), max(0, int(box.x1) + 1))
        letters = (drawn[rows, columns] != behind[rows, columns]).any(axis=-1)
        ground = behind[rows, columns][letters]
        color = colors.to_rgba_array(text.get_color())[0]
        if text.get_alpha() is not None:
            color[3] = text.get_alpha()
        if not len(ground):  # nothing differs: no contrast, or nothing in the figure
            ground = behind[rows, columns].reshape(-1, 3)
        if not len(ground):
            continue
        ink = color[3] * color[:3] + (1 - color[3]) * ground
        least = float(np.percentile(contrast(ink, ground), 5))
        if least < MIN_CONTRAST:
            yield f"contrast {least:.1f}: {_quote(text)}"


def _render(figure: Figure) -> np.ndarray:
    """Return the dots of a figure, `(rows, columns, 3)` in 0 to 1, over white paper."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    dots = np.asarray(canvas.buffer_rgba(), "float64") / 255
    return dots[..., :3] * dots[..., 3:] + (1 - dots[..., 3:])


def contrast(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the contrast of colours, by the relative luminance of WCAG 2."""
    light, dark = (0.05 + _luminance(each) for each in (first, second))
    return np.maximum(light, dark) / np.minimum(light, dark)


def _luminance(rgb: np.ndarray) -> np.ndarray:
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def _odd_bars(plot: kerasviz.Plot) -> Iterator[str]:
    """Compare each colour bar, with the arrows at its ends, with the panels of its images."""
    bars = dict.fromkeys(panel.colorbar for panel in plot.panels if panel.colorbar is not None)
    for bar in bars:
        sharing = [panel for panel in plot.panels if panel.colorbar is bar]
        parts = [bar.ax.get_window_extent(), *(p.get_window_extent() for p in bar.ax.patches)]
        tiles = [panel.ax.get_window_extent() for panel in sharing]
        ends = ("y0", "y1") if bar.orientation == "vertical" else ("x0", "x1")
        # Panels that share a bar may be in several rows, of which it is beside one; or side by
        # side, and it is as long as all of them.
        off = min(
            max(abs(getattr(Bbox.union(parts), end) - getattr(box, end)) for end in ends)
            for box in [*tiles, Bbox.union(tiles)]
        )
        if off > 2 * TOLERANCE:
            yield f"the colour bar ends {off:.0f} dots off its tiles: {sharing[0].title!r}"
