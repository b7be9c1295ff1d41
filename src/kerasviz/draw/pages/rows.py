"""Choose which panels share a row of a new figure, and how large each is, so that rows are full."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

FEW_PANELS = 8
"""Up to how many panels a figure has few."""
MAX_SIZES, MAX_IN_ROW = {True: 12, False: 4}, {True: 4, False: 7}
"""How many sizes of each panel are compared, and panels in a row at most, of few panels or many."""
LIKE = 0.1
"""By what part two sizes differ at most of which one is enough."""
PAGE_WIDTHS = (6.5, 10.0)
"""Least and largest width of a figure of few panels, in inches; of many it is wider."""
PAGES = 8
"""How many widths of a figure are compared."""
PAGE_ASPECTS = (1.2, 2.0)
"""Least and largest width of the figure of many panels to the height that their tiles alone would
need."""
TALL_COST = 0.3
"""The cost of a figure that is higher than wide, as a part of the area that is below a square."""
SIZE_COST = 1.0
"""The cost of a panel that is not as large as it would be alone: times its area left empty, for one
that is e times as large or as small."""


@dataclass(frozen=True, kw_only=True)
class PanelSizes:
    """The sizes in which a panel can be drawn, in inches, with all that is around it.

    Args:
        widths: Array `(sizes,)`.
        heights: Array `(sizes,)`.
        areas: How many square inches show data in each, `(sizes,)`.
        usual: How many square inches are best.
    """

    widths: np.ndarray
    heights: np.ndarray
    areas: np.ndarray
    usual: float

    @property
    def gains(self) -> np.ndarray:
        """The worth of each size: the area that it shows, less how far it is from the best one."""
        off = np.log(np.maximum(self.areas, 1e-6) / self.usual) ** 2
        return np.asarray(self.areas - SIZE_COST * self.usual * off)

    def is_like(self, other: PanelSizes) -> bool:
        """Whether another panel can have the same sizes."""
        return np.array_equal(self.widths, other.widths) and np.array_equal(self.areas, other.areas)

    def only(self, indices: Sequence[int]) -> PanelSizes:
        """Return some of the sizes alone."""
        chosen = np.asarray(indices)
        return PanelSizes(
            widths=self.widths[chosen],
            heights=self.heights[chosen],
            areas=self.areas[chosen],
            usual=self.usual,
        )

    def best(self, count: int) -> list[int]:
        """Return the indices of some sizes that are good and not alike."""
        sides = np.log(np.stack([self.widths, self.heights], axis=1))
        chosen: list[int] = []
        for index in np.argsort(self.widths * self.heights / 2 - self.gains, kind="stable"):
            # Two sizes that differ by little are one choice too many: the rows are all
            # combinations.
            far = np.abs(sides[chosen] - sides[index]).max(axis=1) if chosen else np.ones(1)
            if far.min() > LIKE and len(chosen) < count:
                chosen.append(int(index))
        return chosen


@dataclass(frozen=True, kw_only=True)
class FilledRows:
    """Panels in rows: how many are in each, and in which of its sizes each panel is.

    Args:
        counts: Panels in each row.
        choices: The index of each panel's size.
        height: The height of all rows, in inches.
        gain: What the sizes of all panels are worth.
        width: The width of the page.
    """

    counts: tuple[int, ...] = ()
    choices: tuple[int, ...] = ()
    height: float = 0.0
    gain: float = 0.0
    width: float

    @property
    def cost(self) -> float:
        """The area that is empty, with what else there is against it."""
        tall = max(0.0, self.height - self.width)
        return self.width * (self.height + TALL_COST * tall) - self.gain

    def above(self, row: FilledRows) -> FilledRows:
        """Return these rows and a further one below them."""
        return FilledRows(
            counts=self.counts + row.counts,
            choices=self.choices + row.choices,
            height=self.height + row.height,
            gain=self.gain + row.gain,
            width=self.width,
        )


@dataclass(frozen=True, kw_only=True)
class _Row:
    """All combinations of the sizes of panels that are beside each other."""

    widths: np.ndarray
    heights: np.ndarray
    gains: np.ndarray
    shape: tuple[int, ...]

    def best(self, width: float) -> FilledRows | None:
        """Return the row that leaves the least empty on a page of some width, if one fits."""
        costs = np.where(self.widths <= width + 1e-6, width * self.heights - self.gains, np.inf)
        index = int(np.argmin(costs))
        if not np.isfinite(costs[index]):
            return None
        return FilledRows(
            counts=(len(self.shape),),
            choices=tuple(map(int, np.unravel_index(index, self.shape))),
            height=float(self.heights[index]),
            gain=float(self.gains[index]),
            width=width,
        )


def fill_rows(panels: Sequence[PanelSizes], gap: float) -> FilledRows:
    """Put panels into rows, in their order, so that little of the figure is empty.

    Panels that can have the same sizes get the same one, since they are there to be compared.

    Args:
        panels: The sizes that each can have.
        gap: Distance between two panels, in inches.
    """
    is_few = len(panels) <= FEW_PANELS
    chosen = [panel.best(MAX_SIZES[is_few]) for panel in panels]
    page = _fill_alike([panel.only(best) for panel, best in zip(panels, chosen, strict=True)], gap)
    choices = (best[choice] for best, choice in zip(chosen, page.choices, strict=True))
    return replace(page, choices=tuple(map(int, choices)))


def _fill_alike(panels: Sequence[PanelSizes], gap: float) -> FilledRows:
    alike = [i for i, panel in enumerate(panels) if panel.is_like(panels[-1])]
    if len(alike) < len(panels) - 1 or len(panels) == 1:
        return _fill(panels, gap)
    pages = []
    # The first panel may be the input, whose size is its own; all others take the same one.
    for index in range(len(panels[-1].widths)):
        fixed = [panel.only([index]) if i in alike else panel for i, panel in enumerate(panels)]
        page = _fill(fixed, gap)
        choices = tuple(index if i in alike else n for i, n in enumerate(page.choices))
        pages.append(replace(page, choices=choices))
    return min(pages, key=lambda page: page.cost)


def _fill(panels: Sequence[PanelSizes], gap: float) -> FilledRows:
    """Choose the width of the page, its rows, and the sizes of panels in these."""
    rows = dict(_possible_rows(panels, gap))
    # Each panel alone must fit into the page, be it in its narrowest size.
    least = max(float(panel.widths.min()) for panel in panels)
    total = sum(panel.usual for panel in panels)
    smallest, largest = (
        max(width, math.sqrt(aspect * total), least)
        for width, aspect in zip(PAGE_WIDTHS, PAGE_ASPECTS, strict=True)
    )
    widths = np.linspace(smallest, largest, PAGES)
    pages = (_fill_page(rows, len(panels), float(width)) for width in widths)
    return min(pages, key=lambda page: page.cost)


def _possible_rows(
    panels: Sequence[PanelSizes], gap: float
) -> Iterator[tuple[tuple[int, int], _Row]]:
    """Yield the first and the last panel of each row that there may be, and its combinations."""
    most = MAX_IN_ROW[len(panels) <= FEW_PANELS]
    for first in range(len(panels)):
        for last in range(first + 1, min(first + most, len(panels)) + 1):
            row = panels[first:last]
            shape = tuple(len(panel.widths) for panel in row)
            widths, heights, gains = np.zeros(()), np.zeros(()), np.zeros(())
            for panel in row:
                widths = np.add.outer(widths, panel.widths)
                heights = np.maximum.outer(heights, panel.heights)
                gains = np.add.outer(gains, panel.gains)
            yield (
                (first, last),
                _Row(
                    widths=widths.ravel() + gap * (len(row) - 1),
                    heights=heights.ravel() + gap,
                    gains=gains.ravel(),
                    shape=shape,
                ),
            )


def _fill_page(rows: dict[tuple[int, int], _Row], count: int, width: float) -> FilledRows:
    """Choose the rows of a page of some width: the best ones of the first panels, then of more."""
    pages = [FilledRows(width=width)]
    for last in range(1, count + 1):
        starts = [first for first in range(last) if (first, last) in rows]
        # The best page of some first panels does not depend on what follows: dynamic programming.
        candidates = [(pages[first], rows[first, last].best(width)) for first in starts]
        longer = [page.above(row) for page, row in candidates if row is not None]
        pages.append(min(longer, key=lambda page: page.cost))
    return pages[-1]
