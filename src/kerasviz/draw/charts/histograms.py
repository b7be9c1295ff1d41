"""Histograms as small multiples, with what they say in numbers above each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator, NullFormatter

from kerasviz.draw.figure import Placement, figure_for, subplots
from kerasviz.draw.plot import Plot
from kerasviz.draw.text import LINE_FILL, LINE_HEIGHT, escape, font_size, wrap_text

# Sizes in inches, as those of a figure; of a panel without the words around it.
ONE_PANEL = (4.6, 2.8)
FEW_PANELS = (2.9, 1.9)
MANY_PANELS = (1.75, 1.0)
FEW = 6
"""Up to this number of panels, they are large."""
MOST_COLUMNS = 6
LEFT, BOTTOM, NUMBERS, MARGIN = 0.6, 0.5, 0.25, 0.12
"""Room for the numbers beside a panel, for those below with their label, and without it."""
TITLE = 0.3
"""Room for a title of all panels."""
LEAST = 0.2
"""The smallest room for a panel, however small the caller's figure is."""
TITLE_PAD = 3.0
"""Distance of the lowest line of text from the panel, and of the heading from it, in points."""
OPACITY = 0.25
"""Of the area under an outline where there are several."""


@dataclass(frozen=True)
class Histogram:
    """One panel, before anything is drawn.

    Args:
        heading: What the panel shows.
        edges: Edges of the bins, `(bins + 1,)`.
        heights: For each distribution in the panel, the height of each bin, `(bins,)`.
        facts: For each distribution, a line of text.
        limits: Both ends of the axis of values.
        least: The height of a bin that holds a single value.
        address: The address of the layer.
    """

    heading: str
    edges: np.ndarray
    heights: Sequence[np.ndarray]
    facts: Sequence[str]
    limits: tuple[float, float]
    least: float
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
    """Draw histograms into a new figure, or into the Axes or the figure that the caller gave.

    Args:
        panels: What to draw, at least one.
        place: Where to draw, and the title.
        columns: Panels in a row.
        share: Whether all panels have one axis of values, numbered below the lowest ones alone.
        density: Whether the heights are densities, and not numbers of weights.
        log: Whether the heights are on a logarithmic axis.
    """
    count, title = len(panels), place.title
    columns = min(columns or min(math.ceil(math.sqrt(count)), MOST_COLUMNS), count)
    large, small = ("medium", "small") if count <= FEW else ("small", "x-small")
    size = _panel_size(place, count, columns)
    with figure_for(place, (1, 1), layout="none") as figure:
        ax = place.ax
        axes = subplots(figure, count, columns, share=share) if ax is None else [ax]
        heads = []
        for index, (ax, panel) in enumerate(zip(axes, panels, strict=True)):
            _draw_bins(ax, panel)
            _set_scales(ax, panel, density, log)
            lowest = index + columns >= count
            ax.tick_params(labelsize=small, labelbottom=lowest or not share)
            ax.set_xlabel("weight" if lowest else "", fontsize=small)
            leftmost = index % columns == 0
            ax.set_ylabel(("density" if density else "count") if leftmost else "", fontsize=small)
            heading = title if isinstance(title, str) and count == 1 else escape(panel.heading)
            width = ax.get_window_extent().width / ax.figure.dpi if size is None else size[0]
            sizes = 72 * width, font_size(large), font_size(small)
            heads.append(_write_head(ax, heading if title else "", panel.facts, *sizes))
        above = title if isinstance(title, str) and count > 1 else ""
        if above:
            figure.suptitle(above)
        if size is not None:
            rows = [max(heads[i : i + columns]) / 72 + MARGIN for i in range(0, count, columns)]
            rows = [head + (0 if share else NUMBERS) for head in rows]
            rows[0] += (TITLE if above else 0) - (0 if share else NUMBERS)
            _place(axes, size, columns, rows)
        return Plot.of_axes(
            figure,
            axes,
            addresses=[panel.address for panel in panels],
            titles=[panel.heading for panel in panels],
            values=[np.stack(panel.heights) for panel in panels],
            owns_figure=place.is_new,
        )


def _panel_size(place: Placement, count: int, columns: int) -> tuple[float, float | None] | None:
    """Return width and height of the panels, as far as they are known before they are drawn.

    In the caller's figure the height is what the words above the panels leave. Where a layout
    engine places the panels, or the caller has, nothing is known.
    """
    if place.ax is not None:
        return None
    figure = place.figure
    if figure is None:
        return ONE_PANEL if count == 1 else FEW_PANELS if count <= FEW else MANY_PANELS
    if figure.get_figure(root=True).get_layout_engine() is not None:
        return None
    return max(figure.bbox.width / figure.dpi / columns - LEFT - MARGIN, LEAST), None


def _place(
    axes: Sequence[Axes],
    size: tuple[float, float | None],
    columns: int,
    above: Sequence[float],
) -> None:
    """Place panels by hand, and make a new figure as large as they are.

    All sizes are known, and a layout engine would take longer than the drawing, at every draw.

    Args:
        axes: The panels.
        size: Their width and height; without a height they fill the figure.
        columns: Panels in a row.
        above: Room above each row of panels.
    """
    figure = axes[0].figure
    rows = len(above)
    width, height = size
    around = sum(above) + BOTTOM
    if height is None:
        height = max((figure.bbox.height / figure.dpi - around) / rows, LEAST)
    else:
        cast(Figure, figure).set_size_inches(
            (LEFT + width + MARGIN) * columns, around + rows * height
        )
    total_width, total_height = (n / figure.dpi for n in figure.bbox.size)
    for place, ax in enumerate(axes):
        row, column = divmod(place, columns)
        x = LEFT + column * (LEFT + width + MARGIN)
        y = total_height - sum(above[: row + 1]) - (row + 1) * height
        ax.set_position(
            (x / total_width, y / total_height, width / total_width, height / total_height)
        )


def _draw_bins(ax: Axes, panel: Histogram) -> None:
    several = len(panel.heights) > 1
    for number, heights in enumerate(panel.heights):
        color = _color(number)
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


def _color(number: int) -> str:
    """Return the colour of one of several histograms, from the caller's own cycle."""
    return f"C{number}"


def _set_scales(ax: Axes, panel: Histogram, density: bool, log: bool) -> None:
    highest = max(float(heights.max()) for heights in panel.heights) or panel.least
    if log:
        ax.set_ylim(panel.least / 2, 2 * highest)
        ax.set_yscale("log", nonpositive="clip")  # with limits, since bins may all be empty
        ax.yaxis.set_minor_formatter(NullFormatter())
    else:
        ax.set_ylim(0, 1.05 * highest)
        ax.yaxis.set_major_locator(MaxNLocator(3, integer=not density))
        if not density:
            ax.yaxis.set_major_formatter(EngFormatter(sep=""))
    ax.set_xlim(panel.limits)
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))


def _write_head(
    ax: Axes, heading: str, facts: Sequence[str], width: float, size: float, small: float
) -> float:
    """Write the heading above a panel, and below it the facts, each in the colour of its bins.

    Args:
        ax: The panel.
        heading: The heading.
        facts: A text for each histogram in it.
        width: How wide a line may be, in points.
        size: The font size of the heading.
        small: The font size of the facts.

    Returns:
        The height of all this, in points.
    """
    width *= LINE_FILL
    offset = TITLE_PAD
    for number, fact in reversed(list(enumerate(facts))):
        text = wrap_text(escape(fact), width, small)
        drawn = ax.annotate(
            text,
            (0, 1),
            xycoords="axes fraction",
            xytext=(0, offset),
            textcoords="offset points",
            fontsize=small,
            color=_color(number) if len(facts) > 1 else matplotlib.rcParams["text.color"],
            va="bottom",
        )
        # A layout makes room for the heading above it; a long text must not make the panel narrow.
        drawn.set_in_layout(not heading)
        offset += len(text.splitlines()) * LINE_HEIGHT * small
    offset += TITLE_PAD
    text = wrap_text(heading, width, size)
    ax.set_title(text, fontsize=size, x=0, ha="left", y=1, pad=offset)
    return offset + len(text.splitlines()) * LINE_HEIGHT * size
