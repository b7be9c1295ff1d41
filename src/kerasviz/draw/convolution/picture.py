"""A window on its way over an input, the numbers under it, and the output that it fills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colorbar import Colorbar
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import ConnectionPatch, Rectangle
from matplotlib.patheffects import withStroke

from kerasviz.draw.color import ColorScale, color_scale, value_range
from kerasviz.draw.convolution.layout import (
    FORMULA,
    HEADING,
    MARGIN,
    TITLE,
    Box,
    Plan,
    Scene,
    make_plan,
)
from kerasviz.draw.convolution.numbered_image import Cells
from kerasviz.draw.plot import Panel, Plot
from kerasviz.draw.text import wrap_text

ACCENT = "#ff6a00"
"""The colour of the window, and of the value that it makes: in neither of the two colormaps."""
UNWRITTEN = "0.93"
"""The colour of a value that the output map does not have yet."""
SIGNS = {"kernel": "×", "products": "=", "output": "→"}
"""The sign before a part."""
SIGN, BAR_LABEL = 18.0, 7.0
"""Sizes of text, in points."""


@dataclass(frozen=True, eq=False)
class Moment:
    """Where the window is, and what is there.

    Args:
        taken: The rows and the columns of the input under the window.
        windows: Masked array `(rows, height, width)`: the values there, padding masked.
        products: Array of the same shape, `None` of a pooling.
        largest: Row and column in the window of the value that a maximum takes, or `None`.
        position: Row and column in the output.
        sums: The text below the products of each row.
        formula: The text below everything.
    """

    taken: tuple[np.ndarray, np.ndarray]
    windows: np.ma.MaskedArray
    products: np.ndarray | None
    largest: tuple[int, int] | None
    position: tuple[int, int]
    sums: Sequence[str]
    formula: str


class ConvolutionPicture:
    """The artists of a step of a convolution, which can be moved to another step.

    Args:
        figure: What to draw into; the parts fill it, and its layout is left alone.
        scene: What stays as it is.
    """

    def __init__(self, figure: Figure | SubFigure, scene: Scene) -> None:
        self._figure, self._scene = figure, scene
        dpi = figure.dpi
        self._room = figure.bbox.width / dpi, figure.bbox.height / dpi
        self._plan = make_plan(scene, self._fit(make_plan(scene)))
        self._unit = self._fit(self._plan)
        self._scales = _choose_scales(scene)
        self._axes: dict[tuple[int, str], Axes] = {}
        self._cells: dict[tuple[int, str], Cells] = {}
        for (row, part), box in self._plan.boxes.items():
            self._add_part(row, part, box)
        self._bars = {part: self._add_bar(part, box) for part, box in self._plan.bars.items()}
        self._bars |= {"window": self._bars["input"]} if "input" in self._bars else {}
        self._add_texts()
        self._add_marks()

    @property
    def plot(self) -> Plot:
        """The figure, axes, images and colour bars of all parts."""
        panels = [
            Panel(
                address=self._scene.address,
                values=cells.image.get_array(),
                limits=cells.image.get_clim(),
                title=str(cells.image.get_label()),
                ax=cells.image.axes,
                image=cells.image,
                colorbar=self._bars.get(part),
            )
            for (_, part), cells in self._cells.items()
        ]
        return Plot(figure=self._figure, panels=tuple(panels))

    def show(self, moment: Moment, written: np.ndarray) -> None:
        """Move the window, and show what is there.

        Args:
            moment: Where to.
            written: Boolean array: which values of the output are there already.
        """
        top, left, height, width = _extent(*moment.taken)
        first = [int(np.argmax(real)) for real in self._scene.real]
        place = top - first[0], left - first[1], height, width
        for (row, part), cells in self._cells.items():
            if part == "input":
                _move(self._frames[row, part], *place)
                self._mark_taken(row, moment.taken, first)
            elif part == "window":
                cells.show(moment.windows[row])
                if moment.largest is not None:
                    _move(self._frames[row, part], *moment.largest, 1, 1)
                for line, edge in zip(self._lines[row], (0, height), strict=False):
                    line.xy1 = place[1] + width - 0.5, place[0] + edge - 0.5
            elif part == "products":
                assert moment.products is not None
                cells.show(np.ma.MaskedArray(moment.products[row]))
                cells.axes.set_xlabel(moment.sums[row])
        self._show_output(moment, written)
        width_in_points = (self._plan.size[0] - 2 * MARGIN) * self._unit * 72
        size = self._points(FORMULA)
        self._formula.set_text(wrap_text(moment.formula, width_in_points, size))

    def _show_output(self, moment: Moment, written: np.ndarray) -> None:
        cells, (row, column) = self._cells[0, "output"], moment.position
        values = np.ma.MaskedArray(self._scene.output, ~written)
        cells.image.set_data(values)
        cells.write(values)
        cover = np.zeros((*values.shape, 4))
        cover[~written] = to_rgba(UNWRITTEN)
        self._cover.set_data(cover)
        _move(self._frames[0, "output"], row, column, 1, 1)
        cells.axes.set(xticks=[column], yticks=[row])

    def _mark_taken(
        self, row: int, taken: tuple[np.ndarray, np.ndarray], first: Sequence[int]
    ) -> None:
        """Outline the cells that a window takes which passes over others."""
        if self._scene.dilated:
            ys, xs = (t.ravel() for t in np.meshgrid(*taken, indexing="ij"))
            corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
            centers = np.stack([xs - first[1], ys - first[0]], -1)
            self._taken[row].set_verts(list(centers[:, np.newaxis] + 0.8 * corners))

    def _fit(self, plan: Plan) -> float:
        """Return how many inches of the figure are one of the plan."""
        return min(self._room[0] / plan.size[0], self._room[1] / plan.size[1])

    def _points(self, size: float) -> float:
        """Return the size of text that has this many points in a figure of its own."""
        return size * float(np.clip(self._unit, 0.6, 1.4))

    def _fractions(self, x: float, y: float) -> tuple[float, float]:
        """Return a point of the plan in fractions of the figure, from its bottom left."""
        left, top = (
            (room - size * self._unit) / 2
            for room, size in zip(self._room, self._plan.size, strict=True)
        )
        return (left + x * self._unit) / self._room[0], 1 - (top + y * self._unit) / self._room[1]

    def _add_axes(self, box: Box) -> Axes:
        left, bottom = self._fractions(box.left, box.top + box.height)
        right, top = self._fractions(box.left + box.width, box.top)
        return self._figure.add_axes((left, bottom, right - left, top - bottom))

    def _add_part(self, row: int, part: str, box: Box) -> None:
        scene, plan = self._scene, self._plan
        ax = self._axes[row, part] = self._add_axes(box)
        first = [int(np.argmax(real)) for real in scene.real] if part == "input" else [0, 0]
        cells = self._cells[row, part] = Cells(
            ax,
            scene.shape(part),
            self._scales[part],
            cell=plan.cells[part] * self._unit * 72,
            write=plan.formats[part],
            font=plan.fonts[part],
            first=(first[0], first[1]),
            writes_absent=scene.counts_padding and part != "output",
        )
        size = self._points(TITLE)
        if row == 0:
            ax.set_title(plan.titles[part], fontsize=size, pad=4, linespacing=1.2)
        ax.xaxis.label.set(size=size, color="0.3")
        if part == "input":
            ax.set_ylabel(scene.names[row], fontsize=size, labelpad=3)
            cells.show(np.ma.MaskedArray(scene.inputs[row], ~np.logical_and.outer(*scene.real)))
            cells.hatch(*(~real for real in scene.real))
        elif part == "kernel":
            assert scene.kernels is not None
            cells.show(np.ma.MaskedArray(scene.kernels[row]))
        ax.xaxis.set_visible(part in ("products", "output"))  # drawing an axis takes time
        ax.yaxis.set_visible(part in ("input", "output"))
        cells.image.set_label(" ".join(f"{scene.names[row]} {scene.titles[part]}".split()))

    def _add_bar(self, part: str, box: Box) -> Colorbar:
        image = self._cells[0, part].image
        bar = self._figure.colorbar(image, cax=self._add_axes(box), orientation="horizontal")
        bar.outline.set_visible(False)
        bar.ax.tick_params(labelsize=self._points(BAR_LABEL), length=2, pad=1)
        bar.ax.locator_params(nbins=4)
        return bar

    def _add_texts(self) -> None:
        scene, figure = self._scene, self._figure
        for (_, part), middle in self._plan.signs.items():
            if part in SIGNS:
                style: dict[str, Any] = {
                    "size": self._points(SIGN),
                    "color": "0.3",
                    "ha": "center",
                    "va": "center",
                }
                figure.text(*self._fractions(*middle), SIGNS[part], **style)
        if scene.heading:
            x, y = self._fractions(MARGIN, MARGIN)
            size = self._points(HEADING)
            figure.suptitle(scene.heading, x=x, y=y, ha="left", va="top", fontsize=size)
        x, y = self._fractions(self._plan.size[0] / 2, self._plan.formula_top)
        self._formula = figure.text(x, y, "", size=self._points(FORMULA), ha="center", va="top")

    def _add_marks(self) -> None:
        """Add what shows where the window is, and which values are not there yet."""
        self._frames: dict[tuple[int, str], Rectangle] = {}
        self._lines: dict[int, list[ConnectionPatch]] = {}
        self._taken: dict[int, PolyCollection] = {}
        for (row, part), ax in self._axes.items():
            if part in ("input", "output") or (part == "window" and self._scene.marks_largest):
                frame = self._frames[row, part] = _frame()
                ax.add_patch(frame)
            if part == "window":
                ax.spines[:].set(color=ACCENT, linewidth=1.2)
                heights = (1, 0) if self._plan.fonts["input"] is None else ()
                self._lines[row] = [
                    self._connect(self._axes[row, "input"], ax, height) for height in heights
                ]  # which would run over the numbers of a small input
            if part == "input" and self._scene.dilated:
                cells = PolyCollection([], facecolor="none", edgecolor=ACCENT, linewidth=0.9)
                self._taken[row] = cells
                ax.add_collection(cells, autolim=False)
        output = self._cells[0, "output"]
        colors = np.zeros((*self._scene.output.shape, 4))
        extent = output.image.get_extent()
        self._cover = output.axes.imshow(colors, extent=extent, interpolation="nearest")

    def _connect(self, start: Axes, end: Axes, height: int) -> ConnectionPatch:
        """Add a line from the window on the input to a left corner of what is under it."""
        line = ConnectionPatch((0, 0), (0, height), "data", "axes fraction", axesA=start, axesB=end)
        line.set(color=ACCENT, linewidth=0.7, alpha=0.8)
        self._figure.add_artist(line)
        return line


def _choose_scales(scene: Scene) -> dict[str, ColorScale]:
    """Choose the colours of each part; the window shows those of the input.

    Products have a sign where kernel or input has one, be it not among those that are shown.
    """
    inputs = color_scale(scene.values("input"), cmap=scene.cmap)
    scales = {"input": inputs, "window": inputs}
    if scene.kernels is not None:
        scales["kernel"] = color_scale(scene.kernels, signed=True)
        lowest = min(value_range(scene.values(part))[0] for part in ("input", "kernel"))
        reach = max(map(abs, value_range(scene.products))) or 1.0
        products = np.array([-reach, reach]) if lowest < 0 else scene.products
        scales["products"] = color_scale(products)
    return {**scales, "output": color_scale(scene.output, cmap=scene.cmap)}


def _extent(rows: np.ndarray, columns: np.ndarray) -> tuple[int, int, int, int]:
    """Return top, left, height and width of what a window covers."""
    top, left = int(rows[0]), int(columns[0])
    return top, left, int(rows[-1]) - top + 1, int(columns[-1]) - left + 1


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
