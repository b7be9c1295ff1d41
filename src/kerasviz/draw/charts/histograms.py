"""Draw histograms as small multiples, with a summary in numbers above each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.ticker import EngFormatter, MaxNLocator, NullFormatter

from kerasviz.draw.figure import Placement
from kerasviz.draw.panel_grid import PanelExtent, PanelGrid, open_panels
from kerasviz.draw.plot import Plot
from kerasviz.draw.text import LINE_FILL, escape, font_size, text_height, wrap_text

# Sizes in inches, as those of a figure.
LEFT, BELOW, NUMBERS, MARGIN = 0.6, 0.5, 0.25, 0.12
"""Room for the numbers beside a panel, for those below with their label, and without it."""
ONE_PANEL = PanelExtent(width=4.6, height=2.8, left=LEFT, right=MARGIN)
LARGE_PANEL = PanelExtent(width=2.9, height=1.9, left=LEFT, right=MARGIN)
SMALL_PANEL = PanelExtent(width=1.75, height=1.0, left=LEFT, right=MARGIN)
MAX_LARGE = 6
"""Up to this number of panels, they are large."""
MAX_COLUMNS = 6
TITLE = 0.3
"""Room for a title of all panels."""
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
    """

    heading: str
    edges: np.ndarray
    heights: Sequence[np.ndarray]
    facts: Sequence[str]
    limits: tuple[float, float]
    min_height: float
    address: str = ""


def draw_histograms(
    panels: Sequence[Histogram],
    place: Placement,
    *,
    columns: int | None = None,
    share: bool = True,
    density: bool = False,
    log: bool = False,
) -> Plot:
    """Draw histograms into a new figure, or into the Axes or the figure of the caller.

    Args:
        panels: What to draw, at least one.
        place: Where to draw, and the title.
        columns: Panels in a row.
        share: Whether all panels have one axis of values, numbered below the lowest ones alone.
        density: Whether the heights are densities, and not numbers of weights.
        log: Whether the heights are on a logarithmic axis.
    """
    count, title = len(panels), place.title
    columns = min(columns or min(math.ceil(math.sqrt(count)), MAX_COLUMNS), count)
    large, small = ("medium", "small") if count <= MAX_LARGE else ("small", "x-small")
    extents = [_extent(index, count, columns, share=share) for index in range(count)]
    with open_panels(place, PanelGrid(columns=columns), count, share=share) as opened:
        opened.place(extents)  # heads are broken into lines as wide as their panel
        for index, (ax, panel) in enumerate(zip(opened.axes, panels, strict=True)):
            _draw_bins(ax, panel)
            _set_scales(ax, panel, density, log)
            lowest = index + columns >= count
            ax.tick_params(labelsize=small, labelbottom=lowest or not share)
            ax.set_xlabel("weight" if lowest else "", fontsize=small)
            leftmost = index % columns == 0
            ax.set_ylabel(("density" if density else "count") if leftmost else "", fontsize=small)
            heading = title if isinstance(title, str) and count == 1 else escape(panel.heading)
            sizes = font_size(large), font_size(small)
            head = _write_head(ax, heading if title else "", panel.facts, *sizes)
            extents[index] = replace(extents[index], above=head / 72 + MARGIN)
        above = title if isinstance(title, str) and count > 1 else ""
        if above:
            opened.figure.suptitle(above)
        opened.place(extents, heading=TITLE if above else 0.0)
        return Plot.of_axes(
            opened.figure,
            opened.axes,
            addresses=[panel.address for panel in panels],
            titles=[panel.heading for panel in panels],
            values=[np.stack(panel.heights) for panel in panels],
            owns_figure=place.is_new,
        )


def _extent(index: int, count: int, columns: int, *, share: bool) -> PanelExtent:
    """Return the extent of a panel in a new figure, without what is written above it."""
    large = LARGE_PANEL if count <= MAX_LARGE else SMALL_PANEL
    # Only the last row needs room for a label: where it has fewer panels, the labels of the row
    # before are in its empty cells.
    in_last_row = index // columns == (count - 1) // columns
    below = BELOW if in_last_row else 0.0 if share else NUMBERS
    return replace(ONE_PANEL if count == 1 else large, below=below)


def _draw_bins(ax: Axes, panel: Histogram) -> None:
    several = len(panel.heights) > 1
    for index, heights in enumerate(panel.heights):
        color = _color(index)
        ax.stairs(
            heights,
            panel.edges,
            fill=True,
            facecolor=to_rgba(color, OPACITY if several else 1),
            edgecolor=color,
            linewidth=1.2 if several else 0,
        )
    low, high = panel.limits
    if low <= 0 <= high:
        text_color = matplotlib.rcParams["text.color"]
        ax.axvline(0, color=text_color, linewidth=0.8, linestyle=(0, (4, 2)))
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(False)


def _color(index: int) -> str:
    """Return the colour of one of several histograms, from the caller's own cycle."""
    return f"C{index}"


def _set_scales(ax: Axes, panel: Histogram, density: bool, log: bool) -> None:
    highest = max(float(heights.max()) for heights in panel.heights) or panel.min_height
    if log:
        ax.set_ylim(panel.min_height / 2, 2 * highest)
        ax.set_yscale("log", nonpositive="clip")  # with limits, since bins may all be empty
        ax.yaxis.set_minor_formatter(NullFormatter())
    else:
        ax.set_ylim(0, 1.05 * highest)
        ax.yaxis.set_major_locator(MaxNLocator(3, integer=not density))
        if not density:
            ax.yaxis.set_major_formatter(EngFormatter(sep=""))
    ax.set_xlim(panel.limits)
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))


def _write_head(ax: Axes, heading: str, facts: Sequence[str], size: float, small: float) -> float:
    """Write the heading above a panel, and below it the facts, each in the colour of its bins.

    Args:
        ax: The panel.
        heading: The heading.
        facts: A text for each histogram in it.
        size: The font size of the heading.
        small: The font size of the facts.

    Returns:
        The height of all this, in points.
    """
    width = LINE_FILL * 72 * ax.get_window_extent().width / ax.figure.dpi
    offset = TITLE_PAD
    for index, fact in reversed(list(enumerate(facts))):
        text = wrap_text(escape(fact), width, small)
        annotation = ax.annotate(
            text,
            (0, 1),
            xycoords="axes fraction",
            xytext=(0, offset),
            textcoords="offset points",
            fontsize=small,
            color=_color(index) if len(facts) > 1 else matplotlib.rcParams["text.color"],
            va="bottom",
        )
        # A layout makes room for the heading above it; a long text must not make the panel narrow.
        annotation.set_in_layout(not heading)
        offset += 72 * text_height(text, small)
    offset += TITLE_PAD
    text = wrap_text(heading, width, size)
    ax.set_title(text, fontsize=size, x=0, ha="left", y=1, pad=offset)
    return offset + 72 * text_height(text, size)
