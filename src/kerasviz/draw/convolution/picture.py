"""Draw a window on its way over an input, the numbers under it, and the output that it fills."""

from __future__ import annotations

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colorbar import Colorbar
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import ConnectionPatch, Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.text import Text

from kerasviz.draw.color import outline_colorbar
from kerasviz.draw.convolution.axes_positions import BelowPlace
from kerasviz.draw.convolution.colors import BARS, choose_colors
from kerasviz.draw.convolution.content import ConvolutionView, StepView
from kerasviz.draw.convolution.layout import (
    SIGNS,
    PartKey,
    bar_ends,
    make_layout,
    make_layout_again,
)
from kerasviz.draw.convolution.numbered_image import CellStyle, NumberedImage
from kerasviz.draw.free_axes import add_free_axes
from kerasviz.draw.panel_grid import Places, figure_inches
from kerasviz.draw.plot import Panel, Plot
from kerasviz.draw.text import DESCENT

ACCENT = "#ff6a00"
"""The colour of the window, and of the value that it makes: in neither of the two colormaps."""
UNWRITTEN = "0.93"
"""The colour of a value that the output map does not have yet."""
OUTPUT: PartKey = (0, "output")


def natural_size(view: ConvolutionView) -> tuple[float, float]:
    """Return width and height of a new figure for a picture, in inches."""
    return make_layout(view, choose_colors(view)).figure_size


class ConvolutionPicture:
    """The artists of a step of a convolution, which can be moved to another step.

    Args:
        figure: What to draw into; the parts fill it, and its layout is left alone.
        view: The part of the picture that does not change from step to step.
    """

    def __init__(self, figure: Figure | SubFigure, view: ConvolutionView) -> None:
        self._figure, self._view = figure, view
        self._colors = choose_colors(view)
        self._layout = make_layout(view, self._colors, figure_inches(figure))
        self._places = Places(figure=figure, fit=self._fit)
        self._axes = {key: add_free_axes(figure) for key in self._layout.rects}
        self._images = {key: self._add_image(*key) for key in self._axes}
        self._bars: dict[str, Colorbar] = {}
        self._below: dict[str, BelowPlace] = {}
        self._signs = {
            key: figure.text(0, 0, SIGNS[key[1]], ha="center", va="center")
            for key in self._layout.signs
        }
        self._heading: Text | None = None
        if self._layout.heading:
            self._heading = figure.suptitle(self._layout.heading, ha="left", va="top")
        self._formula, self._formula_words = figure.text(0, 0, "", ha="center", va="top"), ""
        self._add_marks()
        self._write()

    @property
    def view(self) -> ConvolutionView:
        """The part of the picture that does not change from step to step."""
        return self._view

    @property
    def plot(self) -> Plot:
        """The data and the artists of all parts."""
        bars = {part: bar for key, bar in self._bars.items() for part in BARS[key]}
        panels = [
            Panel(
                address=self._view.address,
                values=cells.image.get_array(),
                limits=cells.image.get_clim(),
                title=str(cells.image.get_label()),
                ax=cells.image.axes,
                image=cells.image,
                colorbar=bars.get(part),
            )
            for (_, part), cells in self._images.items()
        ]
        return Plot(figure=self._figure, panels=tuple(panels))

    def show(self, step: StepView, is_written: np.ndarray) -> None:
        """Move the window, and show what is there.

        Args:
            step: Where to.
            is_written: Boolean array: which values of the output are there already.
        """
        for (row, part), image in self._images.items():
            if part == "input":
                self._show_window_on_input(row, step)
            elif part == "window":
                self._show_window(row, step)
            elif part == "products":
                assert step.products is not None
                image.show(np.ma.MaskedArray(step.products[row]))
                image.axes.set_xlabel(step.captions[row])
        self._show_output(step, is_written)
        self._formula_words = step.formula
        self._write_formula()

    def _show_window_on_input(self, row: int, step: StepView) -> None:
        """Frame the window on the input, and each of its cells where it passes over others."""
        top, left, height, width = self._window_extent(step)
        _move(self._frames[row, "input"], top, left, height, width)
        if self._view.is_dilated:
            first_row, first_column = self._view.origin
            ys, xs = (index.ravel() for index in np.meshgrid(*step.indices, indexing="ij"))
            corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
            centers = np.stack([xs - first_column, ys - first_row], -1)
            self._dilated_cells[row].set_verts(list(centers[:, np.newaxis] + 0.8 * corners))

    def _show_window(self, row: int, step: StepView) -> None:
        self._images[row, "window"].show(step.windows[row])
        if step.largest is not None:
            _move(self._frames[row, "window"], *step.largest, 1, 1)
        top, left, height, width = self._window_extent(step)
        for line, edge in zip(self._lines[row], (0, height), strict=True):
            line.xy1 = left + width - 0.5, top + edge - 0.5

    def _show_output(self, step: StepView, is_written: np.ndarray) -> None:
        image, (row, column) = self._images[OUTPUT], step.position
        values = np.ma.MaskedArray(self._view.output, ~is_written)
        image.image.set_data(values)
        image.write(values)
        cover = np.zeros((*values.shape, 4))
        cover[~is_written] = to_rgba(UNWRITTEN)
        self._cover.set_data(cover)
        _move(self._frames[OUTPUT], row, column, 1, 1)
        image.axes.set(xticks=[column], yticks=[] if self._view.is_sequence else [row])

    def _window_extent(self, step: StepView) -> tuple[int, int, int, int]:
        """Return top, left, height and width of the window on the input."""
        rows, columns = step.indices
        top, left = int(rows[0]), int(columns[0])
        first_row, first_column = self._view.origin
        height, width = int(rows[-1]) - top + 1, int(columns[-1]) - left + 1
        return top - first_row, left - first_column, height, width

    def _fractions(self, x: float, y: float) -> tuple[float, float]:
        """Return a point of the layout in fractions of the figure, from its bottom left."""
        page = figure_inches(self._figure)
        left, top = ((room - size) / 2 for room, size in zip(page, self._layout.size, strict=True))
        return (left + x) / page[0], 1 - (top + y) / page[1]

    def _fit(self) -> None:
        """Place and write everything again, at the size that the figure has now."""
        page = figure_inches(self._figure)
        self._layout = make_layout_again(self._view, self._colors, page)
        for (row, part), image in self._images.items():
            image.fit(self._cell_style(row, part))
        self._write()

    def _write(self) -> None:
        """Place everything, and write what depends on the size of the figure."""
        layout, page = self._layout, figure_inches(self._figure)
        self._places.put_at(list(self._axes.values()), layout.on_page(page))
        for (row, part), ax in self._axes.items():
            self._write_around(row, part, ax)
        for key, bar in self._bars.items():
            bar.ax.set_visible(key in layout.bars)
        for key in layout.bars:
            self._place_bar(key)
        for sign, middle in layout.signs.items():
            x, y = self._fractions(*middle)
            self._signs[sign].set(x=x, y=y, fontsize=layout.text.sign)
        self._write_heading()
        self._write_formula()
        for lines in self._lines.values():
            for line in lines:
                # Lines to the window would run over the numbers of a small input.
                line.set_visible(layout.fonts["input"] is None)

    def _write_heading(self) -> None:
        """Write the heading, or leave alone what the caller has written instead."""
        heading, layout = self._heading, self._layout
        if heading is None:
            return
        titles, page = self._places.titles, figure_inches(self._figure)
        if heading.get_text() == titles.setdefault(self._figure, heading.get_text()):
            heading.set_text(layout.heading)
            titles[self._figure] = layout.heading
        x, y = self._fractions(layout.heading_left(page[0]), layout.margin)
        heading.set(x=x, y=y, fontsize=layout.text.heading)

    def _write_formula(self) -> None:
        layout, page = self._layout, figure_inches(self._figure)
        x, y = self._fractions(layout.size[0] / 2, layout.formula_top)
        words = layout.wrap_formula(self._formula_words, page[0])
        self._formula.set(x=x, y=y, text=words, fontsize=layout.text.formula)

    def _write_around(self, row: int, part: str, ax: Axes) -> None:
        """Write the title of a part, and give the words beside and below it their size."""
        layout, titles = self._layout, self._places.titles
        size = layout.text.title
        if row == 0 and ax.get_title() == titles.get(ax, ""):
            above = layout.overhang * 72 if part == "input" else 0
            above += DESCENT * size if above else 0  # no letter of it is on the name of the row
            ax.set_title(layout.titles[part], fontsize=size, pad=4 + above, linespacing=1.2)
            titles[ax] = layout.titles[part]
        ax.xaxis.label.set_fontsize(size)
        ax.yaxis.label.set_fontsize(size)

    def _cell_style(self, row: int, part: str) -> CellStyle:
        layout, view = self._layout, self._view
        return CellStyle(
            scale=self._colors.scale(row, part),
            size=layout.cell_sizes[part] * 72,
            number_format=self._colors.formats[part],
            font_size=layout.fonts[part],
            tick_size=layout.text.tick,
            numbers_masked=view.counts_padding and part != "output",
            is_strip=view.is_sequence,
        )

    def _add_image(self, row: int, part: str) -> NumberedImage:
        view, ax = self._view, self._axes[row, part]
        origin = view.origin if part == "input" else (0, 0)
        image = NumberedImage(ax, view.shape(part), self._cell_style(row, part), origin)
        # A style may have a paler colour for labels; this one is a result, and no label of an axis.
        ax.xaxis.label.set_color(rcParams["text.color"])
        if part == "input":
            ax.set_ylabel(view.row_names[row], labelpad=3)
            self._show_input(row, image)
        elif part == "kernel":
            assert view.kernels is not None
            image.show(np.ma.MaskedArray(view.kernels[row]))
        ax.xaxis.set_visible(part in ("products", "output"))  # drawing an axis takes time
        ax.yaxis.set_visible(part in ("input", "output"))
        image.image.set_label(" ".join(f"{view.row_names[row]} {view.titles[part]}".split()))
        return image

    def _show_input(self, row: int, image: NumberedImage) -> None:
        """Show a padded input, which stays as it is while the window moves."""
        view = self._view
        is_data = np.logical_and.outer(*view.is_data)
        image.show(np.ma.MaskedArray(view.padded_inputs[row], ~is_data))
        image.hatch(*(~is_data for is_data in view.is_data))

    def _place_bar(self, bar: str) -> None:
        """Place a bar below the last row, and write as many numbers as have room."""
        if bar not in self._bars:
            self._bars[bar] = self._add_bar(bar)
        colorbar, rect = self._bars[bar], self._layout.bars[bar]
        above = self._layout.rects[self._bar_row(bar), bar]
        self._below[bar].distance = rect.top - above.top - above.height
        self._below[bar].height = rect.height
        ticks = self._layout.ticks[bar]
        colorbar.set_ticks([tick.value for tick in ticks], labels=[tick.label for tick in ticks])
        colorbar.ax.tick_params(labelsize=self._layout.text.tick, length=2, pad=1, which="major")
        colorbar.ax.minorticks_off()
        for label, tick in zip(colorbar.ax.get_xticklabels(), ticks, strict=True):
            label.set(horizontalalignment=tick.alignment)

    def _bar_row(self, bar: str) -> int:
        return 0 if bar == "output" else len(self._view.padded_inputs) - 1

    def _add_bar(self, bar: str) -> Colorbar:
        """Add a bar, which stays as wide as the parts that it explains."""
        row = self._bar_row(bar)
        first, last = (self._axes[row, part] for part in bar_ends(bar))
        # A child of the last of them is drawn where they are, even if a figure of another size
        # needs this bar for the first time, while it is drawn.
        ax = last.inset_axes((0, -0.2, 1, 0.1))
        self._below[bar] = BelowPlace((first, last))
        ax.set_axes_locator(self._below[bar])
        image = self._images[row, bar].image
        colorbar = self._figure.colorbar(image, cax=ax, orientation="horizontal")
        outline_colorbar(colorbar)
        if bar == "input" and self._colors.row_cmaps:
            self._stripe(colorbar)
        return colorbar

    def _stripe(self, colorbar: Colorbar) -> None:
        """Put the colours of all channels over the bar of the input, one strip per row."""
        values = np.linspace(0, 1, 256)
        strips = np.stack([cmap(values) for cmap in self._colors.row_cmaps])
        low, high = colorbar.ax.get_xlim()
        bottom, top = colorbar.ax.get_ylim()
        colorbar.ax.imshow(strips, extent=(low, high, bottom, top), aspect="auto", zorder=2)

    def _add_marks(self) -> None:
        """Add what shows where the window is, and which values are not there yet."""
        self._frames: dict[PartKey, Rectangle] = {}
        self._lines: dict[int, list[ConnectionPatch]] = {}
        self._dilated_cells: dict[int, PolyCollection] = {}
        for (row, part), ax in self._axes.items():
            if part in ("input", "output") or (part == "window" and self._view.marks_largest):
                frame = self._frames[row, part] = _frame()
                ax.add_patch(frame)
            if part == "window":
                ax.spines[:].set(color=ACCENT, linewidth=1.2)
                self._lines[row] = [
                    self._connect(self._axes[row, "input"], ax, height) for height in (1, 0)
                ]
            if part == "input" and self._view.is_dilated:
                cells = PolyCollection([], facecolor="none", edgecolor=ACCENT, linewidth=0.9)
                self._dilated_cells[row] = cells
                ax.add_collection(cells, autolim=False)
        self._add_cover()

    def _add_cover(self) -> None:
        """Add an image over the output that hides the values which are not there yet."""
        output = self._images[OUTPUT]
        colors = np.zeros((*self._view.output.shape, 4))
        extent = output.image.get_extent()
        aspect = output.axes.get_aspect()
        self._cover = output.axes.imshow(
            colors, extent=extent, interpolation="nearest", aspect=aspect
        )

    def _connect(self, start: Axes, end: Axes, height: int) -> ConnectionPatch:
        """Add a line from the window on the input to a left corner of what is under it."""
        line = ConnectionPatch((0, 0), (0, height), "data", "axes fraction", axesA=start, axesB=end)
        line.set(color=ACCENT, linewidth=0.7, alpha=0.8)
        self._figure.add_artist(line)
        return line


def _frame() -> Rectangle:
    halo = [withStroke(linewidth=2.8, foreground="white")]
    return Rectangle(
        (0, 0),
        0,
        0,
        fill=False,
        color=ACCENT,
        linewidth=1.6,
        zorder=4,
        path_effects=halo,
        clip_on=False,
    )


def _move(frame: Rectangle, top: float, left: float, height: float, width: float) -> None:
    frame.set(xy=(left - 0.5, top - 0.5), height=height, width=width)
