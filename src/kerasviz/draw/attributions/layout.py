"""Plan a picture of attributions: how large each panel is, and how its texts are broken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from kerasviz.draw.attributions.content import AttributionMap, AttributionTable, Subject
from kerasviz.draw.panel_grid import PanelExtent, PanelGrid
from kerasviz.draw.text import elide_middle, font_size, text_height, wrap_text

CellKind = Literal["subject", "map", "evidence", "bars"]

# Sizes in inches at a font of 10 points; with another font all of them grow with it.
SIDE = 1.9
"""The longer side of a picture, and the width of curves, in a new figure."""
SIGNAL_HEIGHT = 1.1
"""The height of a signal in a new figure, and how much wider than others it is."""
SIGNAL_WIDTH = 1.5
MIN_SIDE = 0.42
"""Below this height or width nothing can be seen in a panel."""
MARGIN, GAP = 0.14, 0.16
"""Room around everything, and between panels."""
LEFT, LEFT_OF_SCORES = 0.28, 0.5
"""Room for the numbers beside curves: of probabilities, which are 0 and 1, and of others."""
BAR_PAD, BAR_HEIGHT = 0.07, 0.07
"""Distance of a colour bar from the map above it, and its height."""
LINE_PAD = 0.05
"""Distance between a panel and what is written above it."""
GROWTH, SHRINKAGE = 1.15, 1.08
"""By how much the page changes at each step of a search for one that is just large enough."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A text above a panel, broken into lines.

    Args:
        text: The text, letter by letter.
        is_warning: Whether it is red.
    """

    text: str
    is_warning: bool = False


@dataclass(frozen=True, kw_only=True)
class CellPlan:
    """One panel: where it belongs, its size, and its texts.

    Args:
        row: Its row.
        column: Its column of maps; -1 for the inputs.
        kind: What it shows.
        extent: Its size and the room around it.
        lines: The texts above it, from top to bottom.
        text_width: How wide these may be, in points.
    """

    row: int
    column: int
    kind: CellKind
    extent: PanelExtent
    lines: Sequence[Line]
    text_width: float


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A whole picture.

    Args:
        cells: All cells, row by row.
        grid: Their rows and columns.
        heading: The height of the title, in inches.
        title: The title, broken into lines.
        fits: Whether everything can be read.
    """

    cells: Sequence[CellPlan]
    grid: PanelGrid
    heading: float
    title: str
    fits: bool

    @property
    def picture_area(self) -> float:
        """The area of the smallest panel, in square inches."""
        return min(cell.extent.width * cell.extent.height for cell in self.cells)


def unit() -> float:
    """Return by how much sizes are larger than at a font of 10 points."""
    return font_size() / 10


def plan_new(table: AttributionTable, title: str) -> Plan:
    """Return the plan of a new figure, which becomes as large as its panels need."""
    grid = _grid(table)
    sizes = [_own_size(table, row, kind) for row, _, kind in _cells(table)]
    widths = [unit() * SIDE] * len(sizes)
    cells = _plan_cells(table, sizes, [max(w, s[0]) for w, s in zip(widths, sizes, strict=True)])
    width = grid.width([cell.extent for cell in cells])
    return _with_title(cells, grid, title, width)


def plan_page(table: AttributionTable, title: str, page: tuple[float, float]) -> Plan:
    """Return the plan of a figure whose size is known, in inches."""
    grid = _grid(table)
    kinds = list(_cells(table))
    bare = [_around(table, *cell) for cell in kinds]
    width = grid.fill_width(bare, page[0])
    cells = _plan_cells(table, [(width, 0.0)] * len(kinds), [width] * len(kinds))
    plan = _with_title(cells, grid, title, page[0])
    extents = [cell.extent for cell in cells]
    height = grid.fill_height(extents, page[1], plan.heading)
    fits = (
        min(width, height) >= unit() * MIN_SIDE
        and grid.width(extents) <= page[0] + 1e-6
        and grid.height([replace(e, height=height) for e in extents], plan.heading)
        <= page[1] + 1e-6
        and width >= _least_text_width()
    )
    placed = [
        replace(cell, extent=_shrink(table, cell, replace(cell.extent, height=height)))
        for cell in cells
    ]
    return replace(plan, cells=placed, fits=fits)


def least_page(
    table: AttributionTable, title: str, page: tuple[float, float]
) -> tuple[float, float]:
    """Return a page that is just large enough where one is not."""

    def fits(width: float, height: float) -> bool:
        return plan_page(table, title, (width, height)).fits

    width, height = page
    while not fits(width, height):
        width, height = GROWTH * width, GROWTH * height
    # Perhaps it was too small along one side alone.
    while height / SHRINKAGE >= page[1] and fits(width, height / SHRINKAGE):
        height /= SHRINKAGE
    while width / SHRINKAGE >= page[0] and fits(width / SHRINKAGE, height):
        width /= SHRINKAGE
    return width, height


def _least_text_width() -> float:
    """Return the width in inches that the longest word of the numbers needs."""
    return unit() * 0.75


def _grid(table: AttributionTable) -> PanelGrid:
    count = 1 + len(table.columns) * (1 + table.has_evidence) + table.has_bars
    return PanelGrid(
        columns=count * table.across,
        margin=unit() * MARGIN,
        gaps=(unit() * GAP, unit() * GAP),
        is_aligned=True,
    )


def _cells(table: AttributionTable) -> list[tuple[int, int, CellKind]]:
    """Return row, column of maps and kind of each cell, row by row."""
    cells: list[tuple[int, int, CellKind]] = []
    for row in range(len(table.subjects)):
        cells.append((row, -1, "subject"))
        for column in range(len(table.columns)):
            cells.append((row, column, "map"))
            if table.has_evidence:
                cells.append((row, column, "evidence"))
        if table.has_bars:
            cells.append((row, -1, "bars"))
    return cells


def _own_size(table: AttributionTable, row: int, kind: CellKind) -> tuple[float, float]:
    """Return width and height of a panel in a new figure, in inches."""
    subject, side = table.subjects[row], unit() * SIDE
    if subject.is_flat:
        wide = SIGNAL_WIDTH if kind in ("subject", "map") else 1.0
        return wide * side, unit() * SIGNAL_HEIGHT
    height, width = subject.picture_size
    across, down = min(1.0, width / height), min(1.0, height / width)
    return (across * side if kind in ("subject", "map") else side), down * side


def _shrink(table: AttributionTable, cell: CellPlan, extent: PanelExtent) -> PanelExtent:
    """Return the extent of a picture with the ratio of its sides, in a cell that has another.

    Curves are as high as the picture beside them, but for one that is very low.
    """
    subject = table.subjects[cell.row]
    if subject.is_flat or cell.kind == "bars":
        return extent
    height, width = subject.picture_size
    scale = min(extent.width / width, extent.height / height)
    across, down = scale * width, scale * height
    if cell.kind == "evidence":
        across, down = extent.width, min(extent.height, max(down, extent.width / 2))
    return replace(
        extent,
        width=across,
        height=down,
        right=extent.right + extent.width - across,
        below=extent.below + extent.height - down,
    )


def _around(table: AttributionTable, row: int, column: int, kind: CellKind) -> PanelExtent:
    """Return the room beside and below a panel, without what is written above it."""
    u = unit()
    numbers = 1.3 * font_size("small") / 72
    is_lowest = table.is_lowest(row, column, evidence=kind == "evidence")
    if kind == "evidence":
        left = LEFT_OF_SCORES if table.has_scores else LEFT
        return PanelExtent(left=u * left, below=1.6 * numbers if is_lowest else 0.0)
    if kind == "map":
        return PanelExtent(below=u * (BAR_PAD + BAR_HEIGHT) + 1.5 * numbers if is_lowest else 0.0)
    if kind == "subject" and table.subjects[row].is_flat:
        return PanelExtent(left=u * LEFT_OF_SCORES, below=numbers if is_lowest else 0.0)
    return PanelExtent()


def _plan_cells(
    table: AttributionTable,
    sizes: Sequence[tuple[float, float]],
    widths: Sequence[float],
) -> list[CellPlan]:
    """Break the texts of each cell, and add their height to the room above it.

    Args:
        table: What is drawn.
        sizes: Width and height of the panel of each cell.
        widths: How wide the texts of each cell may be, in inches.
    """
    plans = []
    for (row, column, kind), size, width in zip(_cells(table), sizes, widths, strict=True):
        points = 72 * width
        lines = _lines(table, row, column, kind, points)
        height = sum(text_height(line.text, font_size("small")) for line in lines)
        content = table.maps[row][column] if column >= 0 else None
        if kind == "evidence" and content is not None and content.evidence is not None:
            height += content.evidence.legend_height(points, font_size("small"))
        around = _around(table, row, column, kind)
        extent = replace(
            around,
            width=size[0],
            height=size[1],
            above=height + unit() * LINE_PAD if height else 0.0,
            right=max(0.0, width - size[0]),
        )
        plans.append(
            CellPlan(
                row=row, column=column, kind=kind, extent=extent, lines=lines, text_width=points
            )
        )
    return plans


def _lines(
    table: AttributionTable, row: int, column: int, kind: CellKind, width: float
) -> list[Line]:
    """Return the texts above a panel, broken into lines of at most `width` points."""
    if kind == "subject":
        return _subject_lines(table.subjects[row], width)
    if kind == "map":
        heading = table.columns[column].heading if row < table.across else ""
        return _map_lines(table.maps[row][column], heading, width)
    return []


def _subject_lines(subject: Subject, width: float) -> list[Line]:
    return [Line(text=_wrap(text, width)) for text in (subject.title, *subject.lines) if text]


def _map_lines(content: AttributionMap | None, heading: str, width: float) -> list[Line]:
    lines = [Line(text=_wrap(heading, width))] if heading else []
    if content is None:
        return lines
    if content.note:
        lines.append(Line(text=_wrap(content.note, width)))
    if content.warning:
        lines.append(Line(text=_wrap(content.warning, width), is_warning=True))
    return lines


def _wrap(text: str, width: float) -> str:
    """Break a text into lines, and shorten words that are longer than a line."""
    size = font_size("small")
    words = [elide_middle(word, width, size) for word in text.split(" ")]
    return wrap_text(" ".join(words), width, size, on_screen=True)


def _with_title(cells: Sequence[CellPlan], grid: PanelGrid, title: str, width: float) -> Plan:
    size = font_size()
    text = wrap_text(title, 72 * (width - 2 * grid.margin), size, on_screen=True)
    heading = text_height(text, size) + unit() * GAP if text else 0.0
    return Plan(cells=cells, grid=grid, heading=heading, title=text, fits=True)
