"""Draw panels of tiles: into a new figure that fits them, or into the caller's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from kerasviz.draw.color import ColorScale, warn_invalid
from kerasviz.draw.figure import check_panels, figure_for
from kerasviz.draw.panel_grid import PanelExtent, PanelGrid, Rect, add_axes, measure
from kerasviz.draw.plot import Plot
from kerasviz.draw.text import escape, font_size, text_height, wrap_text
from kerasviz.draw.tiles.colorbar import BAR_PAD, BAR_ROOM, BAR_WIDTH, add_bar, needs_bar
from kerasviz.draw.tiles.layout import MANY_PANELS, ONE_PANEL, AnyPlan, Plan, make_plan
from kerasviz.draw.tiles.panel import TilePanel, draw_panel
from kerasviz.draw.tiles.scaling import resolve_scales
from kerasviz.draw.tiles.style import TileStyle

# Sizes in inches, as those of a figure.
MARGIN = 0.12
"""Room around a panel, with its title and colour bar."""
MIN_WIDTH = 2.6
"""Smallest width of a panel in a new figure, with what is around it: its title needs some room."""
SMALL_AXES = 3.5
"""Below this width, an Axes of the caller's gets a title in a small font."""
MAX_BAR_PART = 0.4
"""The largest part of an Axes of the caller's that its colour bar may take."""
TITLE_PAD = 0.07
"""Distance between the tiles, with the numbers above them, and the title."""


def draw_panels(panels: Sequence[TilePanel], style: TileStyle) -> Plot:
    """Draw panels into a new figure, or into the Axes or the figure of the caller.

    Args:
        panels: What to draw, at least one.
        style: How to draw them.

    Returns:
        The `Plot`. A new figure is known to pyplot; if anything fails, it is closed again.
    """
    check_panels(len(panels), style.place.ax)
    warn_invalid(sum(panel.invalid for panel in panels), stacklevel=3)
    return draw_scaled(*resolve_scales(panels, style.colors), style)


def draw_scaled(
    panels: Sequence[TilePanel], scales: Sequence[ColorScale | None], style: TileStyle
) -> Plot:
    """Draw panels as `draw_panels` does, in colours that are chosen already."""
    with figure_for(style.place, ONE_PANEL, layout="none") as figure:
        if style.place.ax is not None:
            return _draw_into_axes([style.place.ax], panels, scales, style)
        if style.place.is_new:
            return _draw_into_new(cast(Figure, figure), panels, scales, style)
        axes = add_axes(figure, len(panels), _panel_columns(panels))
        return _draw_into_axes(axes, panels, scales, style)


def draw_apart(panels: Sequence[TilePanel], style: TileStyle) -> Iterator[Plot]:
    """Draw each panel as `draw_panels` does, into a figure of its own that pyplot does not know.

    Args:
        panels: What to draw.
        style: How to draw them; `ax` and `figure` are ignored.

    Yields:
        The `Plot` of each panel, drawn when it is requested. There are no warnings.
    """
    panels, scales = resolve_scales(panels, style.colors)
    for panel, scale in zip(panels, scales, strict=True):
        yield draw_unmanaged(panel, scale, style)


def draw_unmanaged(panel: TilePanel, scale: ColorScale | None, style: TileStyle) -> Plot:
    """Draw a panel into a new figure that pyplot does not know, in colours that are chosen."""
    figure = Figure()
    figure.set_layout_engine("none")
    FigureCanvasAgg(figure)
    return _draw_into_new(figure, [panel], [scale], style)


def _panel_columns(panels: Sequence[TilePanel]) -> int:
    """Choose how many panels are side by side: one where tables have backgrounds and are wide."""
    if any(panel.has_background_column for panel in panels):
        return 1
    return math.ceil(math.sqrt(len(panels)))


def panel_title(panel: TilePanel, title: str | bool | None) -> str:
    """Return the caller's title, or the panel's heading and below it a line of notes.

    Names of layers and samples are drawn letter by letter; the caller's title may hold formulas.
    """
    if isinstance(title, str):
        return title
    return escape(panel.title) if title else ""


def _draw_into_new(
    figure: Figure,
    panels: Sequence[TilePanel],
    scales: Sequence[ColorScale | None],
    style: TileStyle,
) -> Plot:
    """Draw panels, measure what they need around their tiles, and make the figure as large."""
    room = ONE_PANEL if len(panels) == 1 else MANY_PANELS
    plans = [make_plan(panel, style.layout, room, figure.dpi, new=True) for panel in panels]
    extents, parts = [], []
    for plan, scale in zip(plans, scales, strict=True):
        height, width = plan.size
        # What sticks out of an Axes can be measured on any figure that is larger than it, and then
        # tells how large the figure has to be; so each panel is drawn before it has its position.
        figure.set_size_inches(width + 2, height + 2)
        mosaic = Rect(left=1, bottom=1, width=width, height=height)
        ax = figure.add_axes(mosaic.fractions(figure))
        image = draw_plan(ax, plan, scale)
        bar = None
        if image is not None and needs_bar(scale, style):
            cax = figure.add_axes(_beside(mosaic).fractions(figure))
            bar = add_bar(
                image,
                plan.panel.tiles,
                over=plan.panel.is_over_pictures,
                labels=plan.panel.label_names,
                cax=cax,
            )
        around = _measure(plan, ax, bar)
        title = panel_title(plan.panel, style.place.title)
        extents.append(_add_title(ax, title, plan, around))
        parts.append(plan.panel.drawn_as(ax, image, bar, scale))
    # Each panel is in the corner of its cell: their mosaics have no common edge to be aligned at.
    grid = PanelGrid(columns=_panel_columns(panels), is_aligned=False)
    rects = grid.place([panel.ax for panel in parts], extents, is_new=True)
    for panel, rect in zip(parts, rects, strict=True):
        if panel.colorbar is not None:
            _beside(rect).place(panel.colorbar.ax)
    return Plot(figure=figure, panels=tuple(parts), owns_figure=True)


def _beside(mosaic: Rect) -> Rect:
    """Return where the colour bar of a mosaic is."""
    return replace(mosaic, left=mosaic.left + mosaic.width + BAR_PAD, width=BAR_WIDTH)


def _measure(plan: AnyPlan, ax: Axes, bar: Colorbar | None) -> PanelExtent:
    """Return the extent of a panel without its title."""
    height, width = plan.size
    left, right, above, below = MARGIN, MARGIN, plan.head, MARGIN
    if plan.panel.table is not None and not plan.panel.is_chart:
        around = measure(ax)
        left += around.left
        below += around.below
    if bar is not None:
        around = measure(bar.ax)
        right += BAR_PAD + BAR_WIDTH + around.right
        above = max(above, around.above)
        below = max(below, around.below + MARGIN / 2)
    right = max(right, MIN_WIDTH - left - width)
    return PanelExtent(width=width, height=height, left=left, right=right, above=above, below=below)


def _add_title(ax: Axes, title: str, plan: AnyPlan, extent: PanelExtent) -> PanelExtent:
    """Write the title of a panel in a new figure, and return the extent with room for it."""
    size = font_size()
    text = wrap_text(title, (extent.width + extent.right - MARGIN) * 72, size)
    _set_title(ax, text, plan, size)
    title_height = text_height(text, size) + TITLE_PAD if text else 0.0
    return replace(extent, above=MARGIN + extent.above + title_height)


def _draw_into_axes(
    axes: Sequence[Axes],
    panels: Sequence[TilePanel],
    scales: Sequence[ColorScale | None],
    style: TileStyle,
) -> Plot:
    """Draw each panel into an Axes of the caller's, as large as there is room."""
    parts = []
    for ax, panel, scale in zip(axes, panels, scales, strict=True):
        extent = ax.get_window_extent()
        dpi = ax.figure.dpi
        full = extent.width / dpi, extent.height / dpi
        has_bar = panel.has_colors and needs_bar(scale, style)
        beside = min(BAR_ROOM, MAX_BAR_PART * full[0]) if has_bar else 0.0
        room = (full[0] - beside, full[1])
        plan = make_plan(panel, style.layout, room, dpi, new=False)
        image = draw_plan(ax, plan, scale)
        bar = None
        height, width = plan.size
        if image is not None and has_bar:
            pad = BAR_PAD / full[0]
            bar = add_bar(
                image,
                panel.tiles,
                over=panel.is_over_pictures,
                labels=panel.label_names,
                ax=ax,
                fraction=beside / full[0] - pad,
                pad=pad,
                shrink=min(1.0, height / room[1]),
                aspect=height / BAR_WIDTH,
            )
        size = font_size("medium" if full[0] >= SMALL_AXES else "small")
        title = wrap_text(panel_title(panel, style.place.title), (full[0] + width) / 2 * 72, size)
        _set_title(ax, title, plan, size)
        parts.append(panel.drawn_as(ax, image, bar, scale))
    return Plot(figure=axes[0].figure, panels=tuple(parts))


def draw_plan(ax: Axes, plan: AnyPlan, scale: ColorScale | None) -> AxesImage | None:
    """Draw a panel as it is planned; most charts have no image."""
    if not isinstance(plan, Plan):
        assert scale is not None  # a chart has no colours of its own
        return plan.draw(ax, scale)
    image = draw_panel(
        ax,
        plan.panel,
        plan.grid,
        scale,
        label_size=plan.label_size,
        row_step=plan.row_step,
        max_ticks=plan.max_ticks,
    )
    values, units = plan.panel.tiles.shape[1:3], plan.grid.tile
    if plan.whole_dots and values[0] <= units[0] and values[1] <= units[1]:
        # Matplotlib's own choice blends values of three dots, and by rounding errors many of one
        # and two. Without blending both stages give the same dots, and "data" is faster.
        for each in ax.images:
            each.set(interpolation="nearest", interpolation_stage="data")
    return image


def _set_title(ax: Axes, title: str, plan: AnyPlan, size: float) -> None:
    # The centred title, since that is the one that `get_title` returns, but flush with the tiles.
    pad = (plan.head + TITLE_PAD) * 72
    ax.set_title(title, fontsize=size, x=0, ha="left", y=1, pad=pad)
