"""Draw cards of filters into a new figure, or into that of the caller."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from kerasviz.draw.attributions.picture import warning_color
from kerasviz.draw.color import ColorScale, color_scale
from kerasviz.draw.figure import Placement, figure_for, is_large_enough, too_small
from kerasviz.draw.filters.artists import (
    draw_classes,
    draw_examples,
    draw_pattern,
    write_below,
    write_notes,
)
from kerasviz.draw.filters.content import CardTable, CellKind, FilterCard, Pattern
from kerasviz.draw.filters.layout import (
    EXAMPLE_GAP,
    PAD,
    CardLayout,
    plan_new,
    plan_page,
    shorten,
    size_of,
    unit,
)
from kerasviz.draw.filters.title import break_title, heading_height, write_title
from kerasviz.draw.free_axes import add_free_axes
from kerasviz.draw.panel_grid import Places, figure_inches
from kerasviz.draw.plot import Panel, Plot
from kerasviz.draw.text import (
    NOTE_SIZE,
    escape,
    font_size,
)


@dataclass(frozen=True, kw_only=True)
class Colors:
    """The scale of patterns.

    Args:
        scale: The colours of weights, `None` where there are none.
        limits: The lowest and highest value of stems and curves.
    """

    scale: ColorScale | None
    limits: tuple[float, float]


def draw_filter_cards(table: CardTable, place: Placement) -> Plot:
    """Draw cards of filters, one per row.

    Args:
        table: What to draw.
        place: Where to draw; an Axes cannot be used.

    Raises:
        ValueError: The caller's figure is too small. The message says the least size.
    """
    with figure_for(place, (1, 1), layout="none") as figure:
        figure = cast("Figure | SubFigure", figure)
        layout, title = _plan(table, place, figure)
        heading = heading_height(title)
        if place.grows:
            cast(Figure, figure).set_size_inches(size_of(layout, heading))
        axes = [add_free_axes(figure) for _ in layout.extents()]
        places = Places(figure=figure, fit=lambda: None)
        places.put(axes, layout.grid, layout.extents(), heading)
        panels = _draw_cards(axes, layout)
        _write_words(axes, layout)
        write_title(figure, title)
        table, words = layout.table, title.replace("\n", " ")  # fewer cards, where room is short

        def fit() -> None:
            """Draw what depends on it again, at the size that the figure has now."""
            layout, title = _plan_cards(table, figure_inches(figure), words)
            places.put(axes, layout.grid, layout.extents(), heading_height(title))
            _draw_lists(axes, layout)
            _write_words(axes, layout)
            write_title(figure, title)

        places.fit = fit
        return Plot(figure=figure, panels=tuple(panels), owns_figure=place.is_new)


def _plan(table: CardTable, place: Placement, figure: Figure | SubFigure) -> tuple[CardLayout, str]:
    """Return the layout, and the title in lines."""
    words = place.title if isinstance(place.title, str) else escape(table.title)
    words = words if place.title else ""
    if place.grows:
        layout = plan_new(table)
        return layout, break_title(words, size_of(layout, 0.0)[0])
    page = figure_inches(figure)
    layout, title = _plan_cards(table, page, words)
    # A title of the caller's cannot say that there are fewer cards.
    if not _fits(layout, title, page) and place.title and not isinstance(place.title, str):
        layout, title = _plan_fewer(table, page)
    if not _fits(layout, title, page):
        size = size_of(layout, heading_height(title))
        title = break_title(title.replace("\n", " "), max(size[0], page[0]))
        raise too_small(page, size_of(layout, heading_height(title)), place)
    return layout, title


def _plan_cards(table: CardTable, page: tuple[float, float], words: str) -> tuple[CardLayout, str]:
    title = break_title(words, page[0])
    return plan_page(table, page, heading_height(title)), title


def _plan_fewer(table: CardTable, page: tuple[float, float]) -> tuple[CardLayout, str]:
    """Return the layout of the first cards, those that a page has room for, at least one."""
    count = len(table.cards)

    def plan(cards: int) -> tuple[CardLayout, str]:
        words = escape(f"{table.title} There is room for the first {cards}.")
        return _plan_cards(replace(table, cards=table.cards[:cards]), page, words)

    low, high = 1, count - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _fits(*plan(middle), page) else (low, middle - 1)
    return plan(low)


def _fits(layout: CardLayout, title: str, page: tuple[float, float]) -> bool:
    return is_large_enough(page, size_of(layout, heading_height(title)))


def _draw_cards(axes: Sequence[Axes], layout: CardLayout) -> list[Panel]:
    table = layout.table
    kernels = [card.kernel for card in table.cards if card.kernel is not None]
    scale, stems = _kernel_scale(kernels)
    panels = []
    for ax, card, kind in _cells(axes, table):
        if kind in ("kernel", "preferred"):
            limits = stems if kind == "kernel" else table.limits
            pattern = card.kernel if kind == "kernel" else card.preferred
            panel = _draw_pattern(ax, card, pattern, table, Colors(scale=scale, limits=limits))
        else:
            panel = _draw_list(ax, card, kind, layout)
        if panel is not None:
            panels.append(panel)
    return panels


def _cells(axes: Sequence[Axes], table: CardTable) -> Iterator[tuple[Axes, FilterCard, CellKind]]:
    """Yield each Axes with its card, and what is in it."""
    for number, ax in enumerate(axes):
        row, column = divmod(number, len(table.kinds))
        yield ax, table.cards[row], table.kinds[column]


def _draw_list(ax: Axes, card: FilterCard, kind: CellKind, layout: CardLayout) -> Panel | None:
    """Draw as many examples or classes as there is room for."""
    if kind == "examples":
        return _draw_examples(ax, card, layout)
    return _draw_classes(ax, card, layout, has_numbers=card is layout.table.cards[-1])


def _draw_lists(axes: Sequence[Axes], layout: CardLayout) -> None:
    """Draw examples and classes again, for which there may be another room."""
    for ax, card, kind in _cells(axes, layout.table):
        if kind not in ("kernel", "preferred"):
            ax.clear()
            _draw_list(ax, card, kind, layout)


def _write_words(axes: Sequence[Axes], layout: CardLayout) -> None:
    """Write what is above columns, beside cards and below patterns, in place of former words."""
    table = layout.table
    for ax, card, kind in _cells(axes, table):
        if kind in ("kernel", "preferred"):
            for text in list(ax.texts):
                text.remove()
            pattern = card.kernel if kind == "kernel" else card.preferred
            if pattern is not None and pattern.caption:
                write_below(ax, [pattern.caption])
        if card is table.cards[0]:
            _write_heading(ax, layout.heading(kind), layout.names_width, kind)
        if kind == table.kinds[0]:
            write_notes(
                ax,
                layout.notes(card),
                layout.remark(card),
                color=warning_color(ax.figure),
                offset=72 * layout.notes_offset,
            )


def _kernel_scale(kernels: Sequence[Pattern]) -> tuple[ColorScale | None, tuple[float, float]]:
    """Return the colours of all kernels, and the limits of those that are drawn as stems."""
    weights = [
        kernel.view.ravel() for kernel in kernels if kernel.kind in ("weights", "stems", "curves")
    ]
    if not weights:
        return None, (-1.0, 1.0)
    scale = color_scale(np.concatenate(weights), signed=True)
    return scale, (float(scale.norm.vmin or 0.0), float(scale.norm.vmax or 0.0))


def _draw_pattern(
    ax: Axes,
    card: FilterCard,
    pattern: Pattern | None,
    table: CardTable,
    colors: Colors,
) -> Panel | None:
    if pattern is None:
        ax.set_axis_off()
        return None
    image = draw_pattern(ax, pattern, colors.scale, colors.limits)
    kind = "kernel" if pattern is card.kernel else "preferred input"
    return Panel(
        ax=ax,
        address=table.address,
        indices=np.array([card.index]),
        values=pattern.values,
        limits=None if image is None or pattern.kind != "weights" else image.get_clim(),
        title=f"{table.noun} {card.index}: {kind}, {pattern.caption}".removesuffix(", "),
        image=image,
    )


def _draw_examples(ax: Axes, card: FilterCard, layout: CardLayout) -> Panel:
    width = layout.example_width
    pitch = width + EXAMPLE_GAP
    ax.set(xlim=(0, layout.width_of("examples") / layout.side), ylim=(0, 1))
    draw_examples(
        ax,
        card.examples[: layout.places],
        size=(width, 1.0),
        pitch=pitch,
        limits=layout.table.limits,
    )
    ax.set(xlim=(0, layout.width_of("examples") / layout.side), ylim=(0, 1))
    return Panel(
        ax=ax,
        address=layout.table.address,
        indices=np.array([card.index]),
        values=card.images,
        title=f"{layout.table.noun} {card.index}: {card.words}",
    )


def _draw_classes(
    ax: Axes, card: FilterCard, layout: CardLayout, *, has_numbers: bool
) -> Panel | None:
    table, size = layout.table, font_size(NOTE_SIZE)
    if card.class_means is None:
        ax.set_axis_off()
        return None
    room = layout.names_width - unit() * PAD
    names = [escape(shorten(name, room + 0.01, size)) for name in table.class_names]
    draw_classes(ax, card.class_means, names, bars=layout.bars, has_numbers=has_numbers)
    means = [c.class_means.min() for c in table.cards if c.class_means is not None]
    lowest = min([0.0, *map(float, means)])
    ax.set_xlim(lowest, max(table.largest_mean, lowest + 1e-9) * 1.02 or 1.0)
    return Panel(
        ax=ax,
        address=table.address,
        indices=np.array([card.index]),
        values=card.class_means,
        title=f"{table.noun} {card.index}: {table.headings['classes']}",
    )


def _write_heading(ax: Axes, text: str, names: float, kind: CellKind) -> None:
    ax.annotate(
        escape(text),
        (0, 1),
        xycoords="axes fraction",
        xytext=(-72 * names if kind == "classes" else 0, 72 * unit() * PAD),
        textcoords="offset points",
        ha="left",
        va="bottom",
        fontsize=font_size("small"),
        annotation_clip=False,
    )
