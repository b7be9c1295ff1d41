"""Draw histograms as small multiples, with a summary in numbers above each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.text import Annotation
from matplotlib.ticker import EngFormatter, MaxNLocator, NullFormatter

from kerasviz.draw.charts.axes import (
    EDGE,
    NumberFormatter,
    choose_ticks,
    line_width,
    make_room,
    measure_around,
    scale_extent,
    write_page_title,
    write_title,
)
from kerasviz.draw.charts.legend import choose_palette
from kerasviz.draw.color import ground_color, ink_color, readable_color
from kerasviz.draw.figure import Placement
from kerasviz.draw.least_size import draw_legible
from kerasviz.draw.panel_grid import (
    OpenPanels,
    PanelExtent,
    PanelGrid,
    figure_inches,
    has_layout_engine,
    open_panels,
)
from kerasviz.draw.plot import Plot
from kerasviz.draw.text import (
    DESCENT,
    LABEL_SIZE,
    LINE_FILL,
    NOTE_SIZE,
    TITLE_SIZE,
    escape,
    font_size,
    text_height,
    wrap_text,
)

# Sizes in inches, as those of a figure.
LEFT, BELOW, MARGIN = 0.6, 0.5, 0.12
"""About the room that the numbers beside and below a panel need, and that at its right."""
ONE_PANEL = PanelExtent(width=4.6, height=2.8, left=LEFT, right=MARGIN, below=BELOW)
LARGE_PANEL = PanelExtent(width=2.9, height=1.9, left=LEFT, right=MARGIN, below=BELOW)
SMALL_PANEL = PanelExtent(width=1.75, height=1.0, left=LEFT, right=MARGIN, below=BELOW)
MAX_LARGE = 6
"""Up to this number of panels, they are large."""
MAX_COLUMNS = 6
TITLE_PAD = 3.0
"""Distance of the lowest line of text from the panel, and of the heading from it, in points."""
OPACITY = 0.25
"""Of the area under an outline where there are several."""


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """One panel, before anything is drawn.

    Args:
        heading: What the panel shows.
        edges: Edges of the bins, `(bins + 1,)`.
        heights: For each distribution in the panel, the height of each bin, `(bins,)`.
        facts: For each distribution, a line of text.
        limits: Both ends of the axis of values.
        min_height: The height of a bin that holds a single value.
        address: The address of the layer.
        note: How many of its weights are in no bin, in words.
        spreads: For each distribution, its standard deviation in words.
    """

    heading: str
    edges: np.ndarray
    heights: Sequence[np.ndarray]
    facts: Sequence[str]
    limits: tuple[float, float]
    min_height: float
    address: str = ""
    note: str = ""
    spreads: Sequence[str] = ()


def draw_histograms(
    panels: Sequence[Histogram],
    place: Placement,
    *,
    columns: int | None = None,
    share: bool = True,
    density: bool = False,
    log: bool = False,
    quantity: str = "weight",
) -> Plot:
    """Draw histograms into a new figure, or into the Axes or the figure of the caller.

    Args:
        panels: What to draw, at least one.
        place: Where to draw, and the title.
        columns: Panels in a row.
        share: Whether all panels have one axis of values, numbered below the lowest ones alone.
        density: Whether the heights are densities, and not numbers of weights.
        log: Whether the heights are on a logarithmic axis.
        quantity: What the values are.
    """
    count = len(panels)
    grid = PanelGrid(columns=min(columns or min(math.ceil(math.sqrt(count)), MAX_COLUMNS), count))

    def draw(place: Placement) -> Plot:
        with open_panels(place, grid, count, share=share) as opened:
            picture = _Picture(opened=opened, place=place, share=share, quantity=quantity)
            picture.draw(panels, density=density, log=log)
            return Plot.of_axes(
                opened.figure,
                opened.axes,
                addresses=[panel.address for panel in panels],
                titles=[panel.heading for panel in panels],
                values=[np.stack(panel.heights) for panel in panels],
                owns_figure=place.is_new,
            )

    return draw_legible(place, draw)


@dataclass(frozen=True, kw_only=True)
class _Picture:
    """The panels of histograms while they are drawn; see `draw_histograms`."""

    opened: OpenPanels
    place: Placement
    share: bool
    quantity: str
    facts: list[Annotation] = field(default_factory=list)

    def draw(self, panels: Sequence[Histogram], *, density: bool, log: bool) -> None:
        """Draw all panels, then what is written above them, for which their width must be known."""
        opened = self.opened
        opened.place(self._natural_extents)
        for index, (ax, panel) in enumerate(zip(opened.axes, panels, strict=True)):
            _draw_bins(ax, panel)
            _set_scales(ax, panel, density, log)
            self._label(ax, index, "density" if density else "count")
        opened.fit(partial(self._write_words, panels))

    @property
    def _natural_extents(self) -> list[PanelExtent]:
        """The extents of the panels in a new figure."""
        count = len(self.opened.axes)
        several = LARGE_PANEL if count <= MAX_LARGE else SMALL_PANEL
        return [scale_extent(ONE_PANEL if count == 1 else several)] * count

    @property
    def _sizes(self) -> tuple[str, str]:
        """The font sizes of headings and of all else."""
        is_large = len(self.opened.axes) <= MAX_LARGE
        return (TITLE_SIZE, LABEL_SIZE) if is_large else (LABEL_SIZE, NOTE_SIZE)

    def _write_words(self, panels: Sequence[Histogram]) -> None:
        """Write what is above the panels, at the width that these have, and place them below."""
        opened, count, title = self.opened, len(panels), self.place.title
        opened.place(self._natural_extents)
        for fact in self.facts:
            if fact.axes is not None:  # the caller may have removed it
                fact.remove()
        self.facts.clear()
        for ax in opened.axes:
            choose_ticks(ax, line_width(ax), integer=False, max_ticks=5)
        extents = measure_around(opened, self._natural_extents)
        opened.place(extents)
        for index, (ax, panel) in enumerate(zip(opened.axes, panels, strict=True)):
            heading = title if isinstance(title, str) and count == 1 else escape(panel.heading)
            height = self._write_head(ax, heading if title else "", panel.facts)
            extents[index] = replace(extents[index], above=height / 72 + MARGIN)
        above = title if isinstance(title, str) and count > 1 else ""
        if above:
            size = font_size(TITLE_SIZE)
            above = wrap_text(above, LINE_FILL * 72 * figure_inches(opened.figure)[0], size)
            write_page_title(opened, above, size)
        opened.place(extents, heading=text_height(above, font_size()) + EDGE if above else 0.0)

    def _write_head(self, ax: Axes, heading: str, facts: Sequence[str]) -> float:
        """Write the heading above a panel, and below it the facts, each in the colour of its bins.

        Args:
            ax: The panel.
            heading: The heading.
            facts: A text for each histogram in it.

        Returns:
            The height of all this above the panel, in points.
        """
        size, small = map(font_size, self._sizes)
        # In an Axes that stays where the caller put it there may be no room above it.
        is_inside = self.place.ax is not None and not has_layout_engine(self.opened.figure)
        texts = [wrap_text(escape(fact), line_width(ax), small) for fact in facts]
        total = sum(72 * text_height(text, small) for text in texts)
        self._write_facts(ax, texts, -TITLE_PAD if is_inside else TITLE_PAD + total)
        for fact in self.facts:
            # A layout makes room for the heading above; a long text must not make the panel narrow.
            fact.set_in_layout(not heading)
        if is_inside:
            make_room(self.opened, ax, total + 2 * TITLE_PAD)
            total = 0.0
        total += 1.5 * TITLE_PAD + DESCENT * size
        text = wrap_text(heading, line_width(ax), size)
        write_title(self.opened, ax, text, size=size, pad=total)
        return total + 72 * text_height(text, size)

    def _write_facts(self, ax: Axes, texts: Sequence[str], offset: float) -> None:
        """Write texts below one another, from `offset` points above the upper edge of a panel."""
        is_inside, small = offset < 0, font_size(self._sizes[1])
        ground = ground_color(ax if is_inside else ax.figure)
        colors = [ink_color()]
        if len(texts) > 1:
            palette = choose_palette(len(texts), ground_color(ax)).series
            colors = [readable_color(color, ground) for color in palette]
        for text, color in zip(texts, colors, strict=True):
            annotation = ax.annotate(
                text,
                (0, 1),
                xycoords="axes fraction",
                xytext=(TITLE_PAD if is_inside else 0, offset),
                textcoords="offset points",
                fontsize=small,
                color=color,
                va="top",
            )
            if is_inside:  # where the line at 0 would cross it
                annotation.set_bbox({"facecolor": ground, "edgecolor": "none", "pad": 1})
            self.facts.append(annotation)
            offset -= 72 * text_height(text, small)

    def _label(self, ax: Axes, index: int, heights: str) -> None:
        """Write numbers and words beside a panel: on a shared axis below the lowest ones alone."""
        _, size = self._sizes
        columns = self.opened.grid.columns
        lowest = index + columns >= len(self.opened.axes)
        ax.tick_params(which="both", labelsize=size, labelbottom=lowest or not self.share)
        ax.set_xlabel(self.quantity if lowest else "", fontsize=size)
        ax.set_ylabel(heights if index % columns == 0 else "", fontsize=size)


def _draw_bins(ax: Axes, panel: Histogram) -> None:
    palette = choose_palette(len(panel.heights), ground_color(ax)).series
    several = len(panel.heights) > 1
    for heights, color in zip(panel.heights, palette, strict=True):
        ax.stairs(
            heights,
            panel.edges,
            fill=True,
            facecolor=to_rgba(color, OPACITY if several else 1),
            edgecolor=color,
            linewidth=1.2 if several else 0,
        )
    mark_zero(ax, panel.limits)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(False)


def mark_zero(ax: Axes, limits: tuple[float, float]) -> None:
    """Draw a line where weights are 0, if that is in sight."""
    if limits[0] <= 0 <= limits[1]:
        ax.axvline(0, color=ink_color(), linewidth=0.8, linestyle=(0, (4, 2)))


def _set_scales(ax: Axes, panel: Histogram, density: bool, log: bool) -> None:
    highest = max(float(heights.max()) for heights in panel.heights) or panel.min_height
    if log:
        ax.set_ylim(panel.min_height / 2, 2 * highest)
        ax.set_yscale("log", nonpositive="clip")  # with limits, since bins may all be empty
        ax.yaxis.set_minor_formatter(NullFormatter())
    else:
        ax.set_ylim(0, 1.05 * highest)
        ax.yaxis.set_major_locator(MaxNLocator(3, integer=not density))
        if density:
            ax.yaxis.set_major_formatter(NumberFormatter())
        else:
            ax.yaxis.set_major_formatter(EngFormatter(sep=""))
    ax.set_xlim(panel.limits)
    ax.xaxis.set_major_formatter(NumberFormatter())
