"""Lay out the graph of a model as `plot_architecture` does, for the page to draw."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from matplotlib.path import Path

from kerasviz.draw.graph.boxes import BODY, COLORS, FOOT, HEAD, LINE, PAD, TOP, Diagram, TextRow
from kerasviz.draw.graph.diagram import arrow, line_path, open_ends
from kerasviz.draw.graph.layout.off_page_connectors import redundant_pairs
from kerasviz.draw.graph.sheet import PAGE, Sheet, SheetMaker
from kerasviz.draw.text import elide_middle
from kerasviz.model.architecture.elements import Architecture
from kerasviz.model.architecture.reading import read_architecture
from kerasviz.plots._architecture.diagram import describe_diagram

MAX_BOXES = 120
"""Of more boxes, blocks that repeat are folded into one."""
EVERY_LEVEL = 1_000
MARGIN = 3.0


def read_graph(model: keras.Model, specs: Any = None) -> Architecture:
    """Return the architecture of a model, with blocks that repeat folded where it is large.

    Raises:
        ValueError: The model is not built and there are no specs, or it cannot be traced.
    """
    whole = read_architecture(model, specs, expand=EVERY_LEVEL)
    if len(whole.nodes) <= MAX_BOXES:
        return whole
    return read_architecture(model, specs, expand=EVERY_LEVEL, fold=True)


def graph_facts(architecture: Architecture) -> dict[str, Any]:
    """Return the positions of boxes, frames and lines, and the words in them."""
    diagram = describe_diagram(architecture, {}, [])
    maker = SheetMaker(diagram, "", sideways=False)
    # As wide as a screen; of many boxes a larger sheet of the same form, which the page zooms.
    factor = max(1.0, math.sqrt(maker.area / (PAGE[0] * PAGE[1])))
    sheet = maker.lay_out((PAGE[0] * factor, PAGE[1] * factor))
    layout = sheet.layout
    corners = [layout.rects[:, :2], layout.rects[:, :2] + layout.rects[:, 2:]]
    stubs, open_heads = open_ends(sheet)
    points = np.concatenate(
        [*corners, *(line.points for line in layout.lines), *(stub.vertices for stub in stubs)]
    )
    low, high = points.min(axis=0) - MARGIN, points.max(axis=0) + MARGIN
    return {
        "view": [_round(x) for x in (*low, *(high - low))],
        "boxes": [_box(architecture, sheet, index) for index in range(len(diagram.boxes))],
        "frames": [_frame(sheet, index) for index in range(len(diagram.frames))],
        "lines": _lines(sheet),
        "open": [_svg(stub) for stub in stubs],
        "heads": [_svg(head) for head in (*_heads(sheet), *open_heads)],
        "tags": [
            {"at": [_round(x) for x in tag.position], "width": _round(tag.width), "text": tag.text}
            for tag in layout.tags
        ],
        "legend": [[word, COLORS[word]] for word in diagram.legend if word in COLORS],
        "notes": list(diagram.notes),
    }


def _round(value: float) -> float:
    return round(float(value), 1)


def _box(architecture: Architecture, sheet: Sheet, index: int) -> dict[str, Any]:
    box, node = sheet.diagram.boxes[index], architecture.nodes[index]
    rect = sheet.layout.rects[index]
    return {
        "rect": [_round(x) for x in rect],
        "color": COLORS[box.kind],
        "address": node.head.address,
        "addresses": [part.address for twin in (node, *node.repeats) for part in twin.parts],
        "rows": _rows(rect, sheet.rows[index]),
        "frozen": box.is_frozen,
        "open": box.is_open,
        "count": box.count,
        "words": box.words,
    }


def _rows(rect: np.ndarray, rows: Sequence[TextRow]) -> list[dict[str, Any]]:
    """Return each piece of text in a box with its position, size and weight."""
    left, y, width, _ = rect
    y += TOP
    pieces: list[dict[str, Any]] = []
    for row in rows:
        base = _round(y + 0.95 * row.size)
        if row.left:
            piece = {"text": row.left, "at": [_round(left + PAD), base], "size": row.size}
            pieces.append({**piece, "end": False, "bold": row.size == HEAD})
        if row.right:
            piece = {"text": row.right, "at": [_round(left + width - PAD), base], "size": FOOT}
            pieces.append({**piece, "end": True, "bold": row.right_weight == "bold"})
        y += LINE * row.size
    return pieces


def _frame(sheet: Sheet, index: int) -> dict[str, Any]:
    frame = sheet.diagram.frames[index]
    rect = sheet.layout.rects[len(sheet.diagram.boxes) + index]
    title = f"{frame.badge}  {frame.title}" if frame.badge else frame.title
    room = float(rect[2]) - 2 * PAD
    lines = [elide_middle(text, room, BODY) for text in (title, frame.detail) if text]
    return {
        "rect": [_round(x) for x in rect],
        "lines": lines,
        "header": _round(frame.header[1]),
        "size": BODY,
        "depth": _depth(sheet.diagram, len(sheet.diagram.boxes) + index),
        "frozen": frame.is_frozen,
        "words": frame.words,
    }


def _depth(diagram: Diagram, item: int) -> int:
    parent = diagram.parents[item]
    return 0 if parent is None else 1 + _depth(diagram, parent)


def _heads(sheet: Sheet) -> list[Path]:
    lines = [line.points for line in sheet.layout.lines if line.target is not None]
    return [arrow(points[-2], points[-1]) for points in lines]


def _lines(sheet: Sheet) -> list[Mapping[str, Any]]:
    """Return the lines; those beside which there is a longer way are thin."""
    diagram = sheet.diagram
    skips = redundant_pairs(len(diagram.parents), diagram.edges, diagram.order)
    return [
        {
            "path": _svg(line_path(line.points)),
            "thin": bool(line.leads_to) and {(line.source, x) for x in line.leads_to} <= skips,
        }
        for line in sheet.layout.lines
    ]


def _svg(path: Path) -> str:
    """Return a path in the words of SVG."""
    letters = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C"}
    words = []
    for values, code in path.iter_segments(simplify=False):
        if code in letters:
            words.append(letters[code] + " ".join(f"{x:g}" for x in np.round(values, 1)))
    return "".join(words)
