"""Compute where the parts of a picture of a convolution go, and how large they are.

The parts are in rows and columns, but not in those of a `PanelGrid`: the output is beside all rows,
signs are between the columns, a bar is below two of them, and whether a part has a bar depends on
whether its numbers fit into its cells. Texts keep their size, so the parts alone become smaller or
larger until a figure is filled.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kerasviz.draw.convolution.colors import BARS, ConvolutionColors, Ticks
from kerasviz.draw.convolution.content import ConvolutionView
from kerasviz.draw.convolution.numbered_image import MAX_NUMBERED_CELLS, number_size
from kerasviz.draw.panel_grid import Rect as PageRect
from kerasviz.draw.text import LINE_FILL, elide_middle, font_size, screen_width, wrap_text

# Sizes in inches, as those of a figure.
MAP_SIZE, MAP_SIZE_OF_SEVERAL, SEQUENCE_SIZE = 2.0, 1.45, 2.8
SCALES = np.geomspace(0.35, 6.0, 60)
"""How many times larger than in a new figure the parts may become."""
MIN_EM, SHRINKING = 1.0, 0.92
"""The smallest size of the font in points, and the step to the next one that is tried, where a
figure has become too small."""

# Sizes in inches where the font has 10 points; they grow with it.
TITLE_WIDTHS = (2.5, 1.8, 1.3, 0.9)
"""Titles are broken into lines that are wider only where their part is."""
MAX_CELL, MIN_WINDOW, MAX_WINDOW = 0.42, 1.2, 1.65
LEGIBLE_CELL = 0.235
MAX_SEQUENCE_WINDOW, STRIP_HEIGHT, CURVE_HEIGHT = 2.4, 0.36, 0.75
"""A sequence has no height of its own, but that of a strip of numbers or of a curve."""
MARGIN, ROW_NAME_GAP, ROW_GAP, PAD = 0.15, 0.06, 0.16, 0.08
LINES_GAP = 0.36
"""Distance of the window from the input, for the lines between them."""
BAR_HEIGHT = 0.08
LINE = 1.3
"""Height of a line of text, in sizes of its font."""
SIGNS = {"kernel": "×", "products": "=", "output": "→"}
"""The sign before a part."""

PartKey = tuple[int, str]
"""A part of a picture: the index of its row, and its name. The output is in row 0."""


@dataclass(frozen=True, kw_only=True)
class TextSizes:
    """The sizes of all texts in points, which follow `font.size`.

    Args:
        em: That size.
    """

    em: float

    @property
    def heading(self) -> float:
        """The size of the text above everything."""
        return 1.1 * self.em

    @property
    def title(self) -> float:
        """The size of titles, of the names of rows and of sums."""
        return 0.85 * self.em

    @property
    def formula(self) -> float:
        """The size of the text below everything."""
        return self.em

    @property
    def sign(self) -> float:
        """The size of "×", "=" and "→"."""
        return 1.8 * self.em

    @property
    def tick(self) -> float:
        """The size of row and column, and of the labels of a bar."""
        return 0.7 * self.em

    @property
    def unit(self) -> float:
        """The length in inches that is 0.1 inches where the font has 10 points, times 10."""
        return self.em / 10


@dataclass(frozen=True, kw_only=True)
class BarTick:
    """A tick of a colour bar.

    Args:
        value: Where it is.
        label: What is written there.
        alignment: Which part of the label is there: "left", "center" or "right".
    """

    value: float
    label: str
    alignment: str


class Rect(NamedTuple):
    """A rectangle in inches from the top left of the picture."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True)
class ConvolutionLayout:
    """The place of everything, in inches from the top left of the picture.

    Args:
        size: Width and height of the whole.
        heading: The text above everything, in lines.
        rects: The place of each part, the output last.
        titles: The title of each part, with the unit of the numbers in it, in lines.
        signs: The middle of the sign before each part.
        bars: The place of each colour bar, by the first part that it explains.
        ticks: The ticks of each colour bar.
        overhang: How far the name of a row is longer than its input, at either end.
        fonts: The sizes of the numbers in points, `None` where there is no room for them.
        cell_sizes: The side of a cell of each part.
        formula_top: Where the text below everything begins.
        text: The sizes of texts.
    """

    size: tuple[float, float]
    heading: str
    rects: dict[PartKey, Rect]
    titles: dict[str, str]
    signs: dict[PartKey, tuple[float, float]]
    bars: dict[str, Rect]
    ticks: dict[str, list[BarTick]]
    overhang: float
    fonts: dict[str, float | None]
    cell_sizes: dict[str, float]
    formula_top: float
    text: TextSizes

    @property
    def figure_size(self) -> tuple[float, float]:
        """Width and height of a new figure, in whole tenths of an inch."""
        return round_up(self.size[0]), round_up(self.size[1])

    @property
    def margin(self) -> float:
        """Room around everything, in inches."""
        return MARGIN * self.text.unit

    def heading_left(self, page_width: float) -> float:
        """Return where the heading begins: with the parts, or further left where it is longer."""
        beside = (page_width - self.size[0]) / 2
        longest = _width(self.heading, self.text.heading)
        return self.margin - min(
            max(0.0, longest + 2 * self.margin - self.size[0] - beside), beside
        )

    def on_page(self, page: tuple[float, float]) -> list[PageRect]:
        """Return the place of each part in the middle of a page, in inches from its lower left."""
        left, top = ((room - side) / 2 for room, side in zip(page, self.size, strict=True))
        return [
            PageRect(
                left=left + rect.left,
                bottom=page[1] - top - rect.top - rect.height,
                width=rect.width,
                height=rect.height,
            )
            for rect in self.rects.values()
        ]

    def wrap_formula(self, formula: str, width: float) -> str:
        """Break a formula into lines for a picture of this width, in inches."""
        return wrap_lines(formula, width - 2 * self.margin, self.text.formula)

    def fits(self, page: tuple[float, float]) -> bool:
        """Whether everything is on a page."""
        return all(side <= room + 1e-6 for side, room in zip(self.size, page, strict=True))


def make_layout(
    view: ConvolutionView, colors: ConvolutionColors, page: tuple[float, float] | None = None
) -> ConvolutionLayout:
    """Choose where everything goes.

    Args:
        view: What is to be drawn.
        colors: Its colours, and how its numbers are written.
        page: Width and height of the figure in inches, `None` for as large as it needs.

    Raises:
        ValueError: The figure is too small.
    """
    if page is None:
        return _Measure(view, colors).lay_out()
    layout = _fill(view, colors, page, font_size())
    if layout is not None:
        return layout
    # The least size is one that has the shape of the figure, so that it seldom needs much more.
    width, height = _least_size(view, colors, page)
    raise ValueError(
        f"The figure is too small for this picture in a font of {font_size():g} points: it must "
        f"be at least {round_up(width):.1f} x {round_up(height):.1f} in. "
        f"Received: {page[0]:.4g} x {page[1]:.4g} in"
    )


def make_layout_again(
    view: ConvolutionView, colors: ConvolutionColors, page: tuple[float, float]
) -> ConvolutionLayout:
    """Choose where everything goes in a figure that has got another size, however small it is.

    Where it is too small for the texts, these become smaller.
    """
    em, layout = font_size(), _fill(view, colors, page, font_size())
    if layout is None:
        em *= min(r / side for r, side in zip(page, _least_size(view, colors, page), strict=True))
    while layout is None and em > MIN_EM:
        layout = _fill(view, colors, page, em)
        em *= SHRINKING
    return layout or _Measure(view, colors, em=MIN_EM).lay_out(SCALES[0], page[0])


def _fill(
    view: ConvolutionView, colors: ConvolutionColors, page: tuple[float, float], em: float
) -> ConvolutionLayout | None:
    """Return the layout with the largest parts for a page, `None` where there is none."""
    measures = [_Measure(view, colors, title_width=width, em=em) for width in TITLE_WIDTHS]
    scales = [_largest_scale(measure, page) for measure in measures]
    scale = max(scales)
    return measures[scales.index(scale)].lay_out(scale, page[0]) if scale > 0 else None


def _least_size(
    view: ConvolutionView, colors: ConvolutionColors, page: tuple[float, float]
) -> tuple[float, float]:
    """Return the width and height that everything needs, as near to those of a page as possible."""
    measures = [_Measure(view, colors, title_width=width) for width in TITLE_WIDTHS]
    smallest = [measure.lay_out(SCALES[0]).size for measure in measures]
    return min(smallest, key=lambda size: max(size[0] / page[0], size[1] / page[1]))


def round_up(inches: float) -> float:
    """Return a length in whole tenths of an inch."""
    return math.ceil(round(inches * 10, 6)) / 10


def wrap_lines(text: str, width: float, size: float) -> str:
    """Break a text into lines of at most `width` inches; a word that is wider loses its middle."""
    lines = []
    for line in text.splitlines():
        if "$" in line.replace(r"\$", ""):  # a formula of the caller's is left alone
            lines.append(line)
            continue
        wrapped = wrap_text(line, LINE_FILL * width * 72, size).splitlines()
        lines += [elide_middle(each, width * 72, size) for each in wrapped]
    return "\n".join(lines)


def _largest_scale(measure: _Measure, page: tuple[float, float]) -> float:
    """Return the largest scale at which everything is on a page, 0 where there is none."""
    low, high, natural = 0, len(SCALES), 0.0
    # A smaller strip is hardly less high, and one that has lost its numbers needs room for a bar:
    # what fits at the usual scale need not fit at the next smaller one.
    if measure.view.is_sequence and measure.lay_out(1.0, page[0]).fits(page):
        low, natural = int(np.searchsorted(SCALES, 1.0)), 1.0
    while low < high:
        middle = (low + high) // 2
        if measure.lay_out(SCALES[middle], page[0]).fits(page):
            low = middle + 1
        else:
            high = middle
    return max(float(SCALES[low - 1]), natural) if low else 0.0


class _Columns(NamedTuple):
    """Where each part's column is, in inches from the left."""

    lefts: Mapping[str, float]
    widths: Mapping[str, float]
    signs: Mapping[str, float]
    right: float


class _Rows(NamedTuple):
    """The middle of each row, that of all rows, and where they end, in inches from the top."""

    middles: Sequence[float]
    middle: float
    bottom: float

    def of(self, part: str) -> Sequence[float]:
        """Return the middles of a part: one per row, or that of all rows."""
        return [self.middle] if part == "output" else self.middles


class _Measure:
    """The sizes of what a picture consists of, at any scale."""

    def __init__(
        self,
        view: ConvolutionView,
        colors: ConvolutionColors,
        *,
        title_width: float = TITLE_WIDTHS[0],
        em: float | None = None,
    ) -> None:
        self.view, self.colors, self.title_width = view, colors, title_width
        self.text = TextSizes(em=font_size() if em is None else em)
        self.row_count = len(view.padded_inputs)

    def lay_out(self, scale: float = 1.0, page_width: float | None = None) -> ConvolutionLayout:
        """Place everything, with parts that are larger than usual by a factor."""
        text, margin = self.text, MARGIN * self.text.unit
        cells = {part: self._cell_size(part, scale) for part in self.view.parts}
        fonts = {part: self._number_size(part, cells[part]) for part in self.view.parts}
        sizes = {part: self._part_size(part, cells[part], scale) for part in self.view.parts}
        titles = {part: self._wrap_title(part, sizes[part][0]) for part in self.view.parts}
        columns = self._place_columns(sizes, titles, fonts)
        width = columns.right + margin
        room = max((page_width or width) - 2 * margin, 1.0)
        heading = wrap_lines(self.view.heading, room, text.heading)
        rows = self._stack_rows(sizes, titles, heading)
        rects = _place_parts(sizes, rows, columns)
        bars, bottom = self._place_bars(rects, fonts)
        formula = wrap_lines(self.view.longest_formula, room, text.formula)
        formula_top = bottom + PAD * text.unit
        return ConvolutionLayout(
            size=(width, formula_top + _height(formula, text.formula) + margin),
            heading=heading,
            rects=rects,
            titles=titles,
            signs=_place_signs(rows, columns),
            bars=bars,
            ticks=self._fit_ticks(bars),
            overhang=self._overhang(sizes["input"][1]),
            fonts=fonts,
            cell_sizes=cells,
            formula_top=formula_top,
            text=text,
        )

    def _fit_ticks(self, bars: Mapping[str, Rect]) -> dict[str, list[BarTick]]:
        return {
            bar: fit_ticks(self.colors.ticks(bar), rect.width, self.text.tick)
            for bar, rect in bars.items()
        }

    def _cell_size(self, part: str, scale: float) -> float:
        """Return the side of a cell of a part. Cells for numbers grow with the font."""
        longest, unit = max(self.view.shape(part)), self.text.unit
        if self.view.is_sequence:
            is_window = part not in ("input", "output")
            room = MAX_SEQUENCE_WINDOW * unit if is_window else SEQUENCE_SIZE
        elif part in ("input", "output"):
            is_small = part == "input" and self.row_count > 1
            room = MAP_SIZE_OF_SEVERAL if is_small else MAP_SIZE
        else:
            room = unit * max(MIN_WINDOW, min(LEGIBLE_CELL * longest, MAX_WINDOW))
        return min(room / longest, MAX_CELL * unit) * scale

    def _number_size(self, part: str, cell_size: float) -> float | None:
        """Return the size of a part's numbers, `None` where they would not be legible."""
        if math.prod(self.view.shape(part)) > MAX_NUMBERED_CELLS:
            return None
        number_format = self.colors.formats[part]
        return number_size(
            self.view.values(part), number_format, cell_size=cell_size * 72, em=self.text.em
        )

    def _part_size(self, part: str, cell_size: float, scale: float) -> tuple[float, float]:
        """Return width and height of a part."""
        height, width = self.view.shape(part)
        if self.view.is_sequence:
            is_curve = self._number_size(part, cell_size / scale) is None
            strip_height = CURVE_HEIGHT if is_curve else STRIP_HEIGHT
            return width * cell_size, strip_height * self.text.unit * scale
        return width * cell_size, height * cell_size

    def _wrap_title(self, part: str, width: float) -> str:
        title = self.view.titles[part] + self.colors.formats[part].unit
        # A long word is wider than a narrow column, which then becomes as wide as the word.
        room = max(width, self.title_width * self.text.unit)
        return wrap_text(title, LINE_FILL * room * 72, self.text.title)

    def _place_columns(
        self,
        sizes: Mapping[str, tuple[float, float]],
        titles: Mapping[str, str],
        fonts: Mapping[str, float | None],
    ) -> _Columns:
        """Place the parts from left to right; each is as wide as its cells or its title."""
        unit = self.text.unit
        widths = {
            part: max(width, _width(titles[part], self.text.title))
            for part, (width, _) in sizes.items()
        }
        for bar in self._bars(fonts):
            if bar != "kernel":  # which is below two parts, and has room enough
                ticks = fit_ticks(self.colors.ticks(bar), sizes[bar][0], self.text.tick)
                labels = max(_width(tick.label, self.text.tick) for tick in ticks)
                widths[bar] = max(widths[bar], labels)
        left = MARGIN * unit
        if any(self.view.row_names):
            left += LINE * self.text.title / 72 + ROW_NAME_GAP * unit
        lefts, signs = {}, {}
        for part, width in widths.items():
            if part == "window":
                left += LINES_GAP * unit
            elif part in SIGNS:
                sign = _width(SIGNS[part], self.text.sign)
                signs[part] = left + PAD * unit + sign / 2
                left += sign + 2 * PAD * unit
            if part == "output":  # the index of a row, which the arrow must not run into
                left += max(0.0, self._row_index_width() - (width - sizes[part][0]) / 2)
            lefts[part] = left
            left += width
        return _Columns(lefts, widths, signs, left)

    def _row_index_width(self) -> float:
        longest = str(len(self.view.output) - 1)
        return _width(longest, self.text.tick) + PAD * self.text.unit

    def _stack_rows(
        self, sizes: Mapping[str, tuple[float, float]], titles: Mapping[str, str], heading: str
    ) -> _Rows:
        """Place the rows below the texts; rows and output are beside each other's middle."""
        unit = self.text.unit
        top = MARGIN * unit
        if heading:
            top += _height(heading, self.text.heading) + PAD * unit
        heights = {part: height for part, (_, height) in sizes.items()}
        heights["input"] += 2 * self._overhang(heights["input"])
        row_height = max(height for part, height in heights.items() if part != "output")
        pitch = row_height + ROW_GAP * unit
        if self.view.kernels is not None:
            pitch += _height("sum", self.text.title)
        rows_height = (self.row_count - 1) * pitch + row_height
        # A title is above the part that it belongs to, so the highest part decides.
        output_height = heights["output"]
        height = max(rows_height, output_height)
        above = max(
            _height(title, self.text.title)
            - (height - (output_height if part == "output" else rows_height)) / 2
            - (0.0 if part == "output" else (row_height - heights[part]) / 2)
            for part, title in titles.items()
        )
        top += max(above, 0.0) + PAD * unit
        first = top + (height - rows_height) / 2
        middles = [first + index * pitch + row_height / 2 for index in range(self.row_count)]
        return _Rows(middles, top + height / 2, top + height)

    def _overhang(self, input_height: float) -> float:
        names = max(_width(name, self.text.title) for name in self.view.row_names)
        return max(0.0, names - input_height) / 2

    def _bars(self, fonts: Mapping[str, float | None]) -> list[str]:
        """Return which bars there are: of parts without numbers; the window is like the input."""
        parts = {**BARS, "input": ("input",)}
        return [
            bar for bar in BARS if any(part in fonts and fonts[part] is None for part in parts[bar])
        ]

    def _place_bars(
        self, rects: Mapping[PartKey, Rect], fonts: Mapping[str, float | None]
    ) -> tuple[dict[str, Rect], float]:
        """Place a colour bar below parts without numbers; return them and where all parts end."""
        text, unit = self.text, self.text.unit
        ends = dict.fromkeys(self.view.parts, 0.0)
        for (_, part), rect in rects.items():
            ends[part] = max(ends[part], rect.top + rect.height)
        # Below the output is the index of a column, below the products their sum.
        ends["input"] += self._overhang(rects[0, "input"].height)
        ends["output"] += _height("0", text.tick) + PAD / 2 * unit
        if "products" in ends:
            ends["products"] += _height("sum", text.title) + PAD / 2 * unit
        bars, bottom = {}, max(ends.values())
        for bar in self._bars(fonts):
            row = 0 if bar == "output" else self.row_count - 1
            first, last = (rects[row, part] for part in bar_ends(bar))
            top = max(ends[part] for part in BARS[bar] if part != "window") + PAD * unit
            right = last.left + last.width
            bars[bar] = Rect(first.left, top, right - first.left, BAR_HEIGHT * unit)
            lines = max(label.count("\n") + 1 for _, label in self.colors.ticks(bar))
            labels = lines * LINE * text.tick / 72 + PAD / 2 * unit
            bottom = max(bottom, top + BAR_HEIGHT * unit + labels)
        return bars, bottom


def bar_ends(bar: str) -> tuple[str, str]:
    """Return the part where a bar begins, and the one where it ends."""
    return bar, "products" if bar == "kernel" else bar


def fit_ticks(ticks: Ticks, width: float, size: float) -> list[BarTick]:
    """Return as many ticks of a bar as have room: three, two, or one for both ends."""
    alignments = ("left", "center", "right") if len(ticks) == 3 else ("left", "right")
    every = [
        BarTick(value=value, label=label, alignment=alignment)
        for (value, label), alignment in zip(ticks, alignments, strict=True)
    ]
    for fitting in (every, [every[0], every[-1]]):
        gaps = (len(fitting) - 1) * size / 72
        if sum(_width(tick.label, size) for tick in fitting) + gaps <= width:
            return fitting
    low, high = every[0], every[-1]
    if low.value != -high.value:
        return [high]
    label = "\n".join(f"±{line}" for line in high.label.split("\n"))
    return [BarTick(value=0.0, label=label, alignment="center")]


def _place_parts(
    sizes: Mapping[str, tuple[float, float]], rows: _Rows, columns: _Columns
) -> dict[PartKey, Rect]:
    rects = {}
    for part, (width, height) in sizes.items():
        left = columns.lefts[part] + (columns.widths[part] - width) / 2
        for index, middle in enumerate(rows.of(part)):
            rects[index, part] = Rect(left, middle - height / 2, width, height)
    # Row by row, the output last: the order of the axes in the plot that the caller receives.
    return dict(sorted(rects.items(), key=lambda item: (item[0][1] == "output", item[0][0])))


def _place_signs(rows: _Rows, columns: _Columns) -> dict[PartKey, tuple[float, float]]:
    return {
        (row, part): (left, middle)
        for part, left in columns.signs.items()
        for row, middle in enumerate(rows.of(part))
    }


def _width(text: str, size: float) -> float:
    return max((screen_width(line, size) for line in text.split("\n")), default=0.0) / 72


def _height(text: str, size: float) -> float:
    return (text.count("\n") + 1) * LINE * size / 72 if text else 0.0
