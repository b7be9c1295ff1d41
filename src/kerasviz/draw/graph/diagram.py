"""Draw an architecture on an Axes: boxes, the frames around them, lines, and a legend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.image import AxesImage
from matplotlib.path import Path
from matplotlib.patheffects import withStroke

from kerasviz.draw.color import INVALID, color_scale, warn_invalid
from kerasviz.draw.figure import Placement, figure_for
from kerasviz.draw.graph.boxes import (
    BODY,
    BOLD,
    FAINT,
    FOOT,
    HEAD,
    INDEX,
    INK,
    LINE,
    PAD,
    MapLayout,
    Maps,
    NodeBox,
    TextRow,
    box_rows,
    box_width,
    lay_out_maps,
    rows_height,
)
from kerasviz.draw.graph.layout import Graph, Layout, lay_out
from kerasviz.draw.plot import Panel, Plot
from kerasviz.draw.text import RESOLUTION_MARGIN, elide_middle, screen_width, wrap_text
from kerasviz.draw.tiles.grid import constant_tiles, mosaic
from kerasviz.draw.tiles.panel import CROSS_COLOR

# Lengths in points.
PAGE = (11 * 72.0, 8.2 * 72.0)
"""The size that a new figure should come close to: a screen, or a page on its side."""
MIN_WIDTH, MARGIN, TITLE_PAD = 230.0, 9.0, 8.0
BLEED = 1.0
"""How far the outlines of the outermost boxes reach beyond them."""
STACK = 2.5
"""How far the outline of a second box reaches out from behind one that repeats."""
MAX_HEADER_WIDTH = 260.0
ROUNDING, TURN = 3.5, 5.0
ARROW = np.array([(-2.6, -5.5), (2.6, -5.5), (0, 0), (-2.6, -5.5)])
OPEN_LENGTH = 15.0
SWATCH = 11.0

COLORS = {
    "input": "#ffffff",
    "convolution": "#a3d8f4",
    "pooling or resizing": "#e8a87c",
    "merge": "#f4e076",
    "normalization, activation or dropout": "#cdf3c2",
    "dense": "#d49bee",
    "model": "#b8b8b8",
    "other": "#f0f0f0",
}
"""By kind: told apart in every kind of colour vision, while black text is legible on all."""
LINE_COLOR, FRAME_COLOR, HEADER_COLOR = "0.3", "0.55", "0.86"
FRAME_FILLS = ("0.965", "0.93")
FROZEN = "frozen"


@dataclass(frozen=True, kw_only=True)
class FrameBox:
    """A frame around boxes.

    Args:
        title: What is written above it.
        detail: A second line of it.
        count: How many blocks alike follow one another, of which it holds the first.
        addresses: The address of each of these.
        is_frozen: Whether none of the weights in it is trained.
        is_open: Whether the source of one of its inputs is unknown.
    """

    title: str
    detail: str = ""
    count: int = 1
    addresses: tuple[str, ...] = ()
    is_frozen: bool = False
    is_open: bool = False

    @property
    def badge(self) -> str:
        """How often it repeats: `× 5`."""
        return f"× {self.count}" if self.count > 1 else ""

    @property
    def lead(self) -> float:
        """The width that the badge takes before the title."""
        return screen_width(f"{self.badge}  ", HEAD) * BOLD if self.badge else 0.0

    @property
    def header(self) -> tuple[float, float]:
        """The width that its words need, and their height."""
        width = max(self.lead + screen_width(self.title, BODY), screen_width(self.detail, BODY))
        lines = 1 + bool(self.detail)
        return min(width + 2 * PAD, MAX_HEADER_WIDTH), LINE * BODY * lines + PAD

    @property
    def words(self) -> str:
        """All of its text, and every address that it stands for, in one line."""
        names = f"{self.badge} ({', '.join(self.addresses)})" if self.badge else ""
        return ", ".join(filter(None, (names, self.title, self.detail)))


@dataclass(frozen=True, kw_only=True)
class Diagram:
    """A diagram of boxes, frames and arrows.

    Args:
        boxes: The boxes.
        frames: The frames.
        edges: What leads to what, as in `Graph`; so are `order` and `parents`.
        order: Pairs of which the first is above the second.
        parents: The frame that each item is in.
        title: The default title.
        notes: Sentences for below the legend.
        hidden: The pictures of boxes that are folded into others, by their names.
    """

    boxes: tuple[NodeBox, ...]
    frames: tuple[FrameBox, ...]
    edges: tuple[tuple[int, int], ...]
    order: tuple[tuple[int, int], ...]
    parents: tuple[int | None, ...]
    title: str
    notes: tuple[str, ...] = ()
    hidden: tuple[tuple[str, Maps], ...] = ()


def draw_architecture(diagram: Diagram, placement: Placement) -> Plot:
    """Draw an architecture into a new figure that is as large as it needs, or into the caller's.

    In an Axes or a figure of the caller's it is made as small as it has to be, letters and all.

    Args:
        diagram: What to draw.
        placement: Where to draw, and the title.
    """
    tiles = [box.maps.tiles for box in diagram.boxes if box.maps is not None]
    warn_invalid(sum(int((~np.isfinite(values)).sum()) for values in tiles), stacklevel=3)
    is_own = isinstance(placement.title, str)  # the caller's, in which a formula may be
    title = str(placement.title) if is_own else diagram.title if placement.title else ""
    sheet = _Sheet(diagram)
    with figure_for(placement, (1.0, 1.0), "none") as figure:
        if placement.grows:
            words = [screen_width(word, _title_size()) for word in title.split()]
            sheet.lay_out(PAGE, max(words, default=0.0))
            ax, width, scale = _add_axes(cast(Figure, figure), sheet, title), sheet.width, 1.0
        else:
            ax = figure.add_subplot() if placement.ax is None else placement.ax
            extent = ax.get_window_extent()
            points = 72 / cast(Figure, ax.get_figure(root=True)).dpi
            room = max(extent.width * points, 1.0), max(extent.height * points, 1.0)
            sheet.lay_out(room)
            scale = min(1.0, room[0] / sheet.width, room[1] / sheet.height)
            width = max(room[0], MIN_WIDTH)
        size = _title_size()
        ax.set_title(
            wrap_text(title, width, size),
            fontsize=size,
            x=0,
            ha="left",
            y=1,
            pad=TITLE_PAD,
            parse_math=is_own,  # names hold no formulas
        )
        images = _Artist(ax, sheet, scale).draw()
    panels = [Panel(ax=ax, title=diagram.title), *_map_panels(diagram, images, ax)]
    items: list[NodeBox | FrameBox] = [*diagram.boxes, *diagram.frames]
    folded = [item for item in items if item.count > 1]
    panels += [
        Panel(ax=ax, address=x.addresses[0], title=f"{x.badge}: {', '.join(x.addresses)}")
        for x in folded
    ]
    return Plot(figure=ax.figure, panels=tuple(panels), owns_figure=placement.is_new)


def _map_panels(diagram: Diagram, images: Sequence[AxesImage], ax: Axes) -> list[Panel]:
    """Return the panel of each box with pictures, and then of those folded into others."""
    pictured = [(box.name, box.maps) for box in diagram.boxes if box.maps is not None]
    panels = [
        Panel(
            address=address,
            indices=maps.indices,
            values=maps.tiles,
            limits=None if maps.indices is None else image.get_clim(),
            title=maps.label,
            ax=ax,
            image=image,
        )
        for (address, maps), image in zip(pictured, images, strict=True)
    ]
    return panels + [
        Panel(address=address, indices=m.indices, values=m.tiles, title=m.label, ax=ax)
        for address, m in diagram.hidden
    ]


class _Sheet:
    """Positions of everything, in points: the boxes, below them the legend, and then the notes."""

    def __init__(self, diagram: Diagram) -> None:
        self.diagram = diagram
        across = box_width(diagram.boxes)
        inside = across - 2 * PAD
        self.rows = [box_rows(box, inside) for box in diagram.boxes]
        self.maps = [
            None if box.maps is None else lay_out_maps(box.maps, inside) for box in diagram.boxes
        ]
        heights = [
            rows_height(rows) + (maps.height if maps else PAD)
            for rows, maps in zip(self.rows, self.maps, strict=True)
        ]
        headers = tuple(frame.header for frame in diagram.frames)
        sizes = np.array([(across, height) for height in heights])
        self.graph = Graph(
            sizes=sizes,
            edges=diagram.edges,
            parents=diagram.parents,
            headers=headers,
            order=diagram.order,
        )

    def lay_out(self, page: tuple[float, float], min_width: float = 0.0) -> None:
        """Lay the boxes out, and put legend and notes below them."""
        layout = lay_out(self.graph, page)
        self.width = max(layout.size[0], MIN_WIDTH, min_width)
        left = (self.width - layout.size[0]) / 2
        lines = tuple(line.moved(left, 0) for line in layout.lines)
        rects = np.add(layout.rects, (left, 0, 0, 0))
        self.layout = Layout(size=layout.size, rects=rects, lines=lines)
        self.legend: list[tuple[float, float, str]] = []
        x, y = 0.0, layout.size[1] + MARGIN + LINE * BODY
        for word in self._legend_words():
            needed = SWATCH + 4 + screen_width(word, BODY) + 12
            if x and x + needed > self.width:
                x, y = 0.0, y + 1.5 * BODY
            self.legend.append((x, y, word))
            x += needed
        notes = "\n".join(
            wrap_text(note, self.width, RESOLUTION_MARGIN * BODY) for note in self.diagram.notes
        )
        self.notes = [(y + 4 + LINE * BODY * (i + 1), t) for i, t in enumerate(notes.splitlines())]
        self.height = (self.notes[-1][0] if self.notes else y) + 0.3 * BODY

    def _legend_words(self) -> list[str]:
        present = {box.kind for box in self.diagram.boxes}
        words = [kind for kind in COLORS if kind in present and kind != "input"]
        frozen = [box.is_frozen for box in self.diagram.boxes]
        frozen += [frame.is_frozen for frame in self.diagram.frames]
        return words + [FROZEN] * any(frozen)


def _add_axes(figure: Figure, sheet: _Sheet, title: str) -> Axes:
    """Make a new figure as large as a sheet, and give it an Axes of that size."""
    size = _title_size()
    lines = len(wrap_text(title, sheet.width, size).splitlines())
    head = lines * LINE * size + TITLE_PAD if lines else 0.0
    width, height = sheet.width + 2 * MARGIN, sheet.height + head + 2 * MARGIN
    figure.set_size_inches(width / 72, height / 72)
    around = (MARGIN - BLEED) / width, (MARGIN - BLEED) / height
    inside = (sheet.width + 2 * BLEED) / width, (sheet.height + 2 * BLEED) / height
    return figure.add_axes((*around, *inside))


def _title_size() -> float:
    return float(FontProperties(size="medium").get_size_in_points())


class _Artist:
    """Draws a sheet on an Axes; what is thinner or smaller there than on it goes by `scale`."""

    def __init__(self, ax: Axes, sheet: _Sheet, scale: float) -> None:
        self.ax = ax
        self.sheet = sheet
        self.scale = scale
        self.boxes, self.frames = sheet.diagram.boxes, sheet.diagram.frames
        self.rects = sheet.layout.rects
        self.crosses: list[Any] = []

    def draw(self) -> list[AxesImage]:
        """Draw everything, and return the image of each box that has one."""
        self._draw_frames()
        self._draw_lines()
        self._draw_open_ends()
        self._draw_outlines(self.rects[: len(self.boxes)], self.boxes)
        images = []
        sheet = self.sheet
        for box, rect, rows, maps in zip(
            self.boxes, self.rects, sheet.rows, sheet.maps, strict=False
        ):
            self._write_rows(rect, rows)
            if maps is not None:
                left, top = rect[0] + PAD, rect[1] + rows_height(rows)
                images.append(self._draw_maps(box, maps, left, top))
        self._draw_crosses()
        self._draw_legend()
        self.ax.set(
            xlim=(-BLEED, sheet.width + BLEED), ylim=(sheet.height + BLEED, -BLEED), aspect="equal"
        )
        self.ax.set(xticks=[], yticks=[], facecolor="white")
        self.ax.spines[:].set_visible(False)
        # Matplotlib's documented way to change what hovering shows is to replace this method.
        self.ax.format_coord = self._describe  # type: ignore[method-assign]
        return images

    def _describe(self, x: float, y: float) -> str:
        """Return all text of the box below the cursor, with nothing shortened."""
        items: list[NodeBox | FrameBox] = [*self.boxes, *self.frames]
        # The innermost comes first: boxes before frames, and of those the last.
        order = [*range(len(self.boxes)), *reversed(range(len(self.boxes), len(items)))]
        for item in order:
            left, top, width, height = self.rects[item]
            if left <= x <= left + width and top <= y <= top + height:
                return str(items[item].words)
        return ""

    def _add_paths(self, paths: Sequence[Path], zorder: float, **style: Any) -> None:
        style = {"linewidths": 0.8 * self.scale, **style}
        self.ax.add_collection(PathCollection(paths, zorder=zorder, **style), autolim=False)

    def _write(self, x: float, y: float, text: str, size: float, **style: Any) -> None:
        style = {"color": INK, "parse_math": False, "zorder": 5, **style}
        self.ax.text(x, y, text, fontsize=size * self.scale, va="baseline", **style)

    def _draw_frames(self) -> None:
        if not self.frames:
            return
        rects = self.rects[len(self.boxes) :]
        self._add_paths(
            [_rounded(*rect) for rect in rects],
            1,
            facecolors=[FRAME_FILLS[self._depth(i) % 2] for i in range(len(self.frames))],
            edgecolors=FRAME_COLOR,
            linestyles=["--" if frame.is_frozen else "-" for frame in self.frames],
        )
        headers = [
            _rounded(left, top, width, frame.header[1])
            for frame, (left, top, width, _) in zip(self.frames, rects, strict=True)
        ]
        self._add_paths(headers, 1.1, facecolors=HEADER_COLOR, edgecolors="none")
        for frame, (left, top, width, _) in zip(self.frames, rects, strict=True):
            base, room = top + PAD / 2 + 0.95 * BODY, width - 2 * PAD
            if frame.badge:
                self._write(left + PAD, base, frame.badge, HEAD, weight="bold")
            title = elide_middle(frame.title, room - frame.lead, BODY)
            self._write(left + PAD + frame.lead, base, title, BODY)
            if frame.detail:
                detail = elide_middle(frame.detail, room, BODY)
                self._write(left + PAD, base + LINE * BODY, detail, BODY)

    def _depth(self, frame: int) -> int:
        parent = self.sheet.diagram.parents[len(self.boxes) + frame]
        return 0 if parent is None else 1 + self._depth(parent - len(self.boxes))

    def _draw_lines(self) -> None:
        lines = self.sheet.layout.lines
        style = {
            "edgecolors": LINE_COLOR,
            "linewidths": self.scale,
            "capstyle": "round",
            "snap": False,  # what is straight alone would be moved to pixels, away from the rest
        }
        self._add_paths([line_path(li.points) for li in lines], 1.5, facecolors="none", **style)
        heads = [Path(line.points[-1] + ARROW) for line in lines if line.target is not None]
        heads += [Path(middle - ARROW) for line in lines for middle in _rises(line.points)]
        self._add_paths(heads, 2.5, facecolors=LINE_COLOR, edgecolors="none")

    def _draw_open_ends(self) -> None:
        """Draw dotted arrows into boxes whose input has an unknown source."""
        reached = {line.target for line in self.sheet.layout.lines}
        is_open = [*(box.is_open for box in self.boxes), *(frame.is_open for frame in self.frames)]
        tips = []
        for item in np.flatnonzero(is_open):
            left, top, width, _ = self.rects[item]
            aside = 12 if item in reached else 0  # beside the arrow that is there already
            tips.append(np.array([left + width / 2 + aside, top]))
        if tips:
            stubs = [Path([tip - (0, OPEN_LENGTH), tip - (0, 4)]) for tip in tips]
            style = {"edgecolors": LINE_COLOR, "linewidths": 1.2 * self.scale, "linestyles": ":"}
            self._add_paths(stubs, 1.6, facecolors="none", **style)
            heads = [Path(tip + ARROW) for tip in tips]
            self._add_paths(heads, 2.5, facecolors=LINE_COLOR, edgecolors="none")

    def _draw_outlines(self, rects: np.ndarray, boxes: Sequence[NodeBox]) -> None:
        colors = [np.array(to_rgb(COLORS[box.kind])) for box in boxes]
        behind = [index for index, box in enumerate(boxes) if box.count > 1]
        if behind:
            self._add_paths(
                [_rounded(*np.add(rects[index], (STACK, STACK, 0, 0))) for index in behind],
                1.9,
                facecolors=[colors[index] for index in behind],
                edgecolors=[0.6 * colors[index] for index in behind],
            )
        self._add_paths(
            [_rounded(*rect) for rect in rects],
            2,
            facecolors=colors,
            edgecolors=[0.6 * color for color in colors],
            linestyles=["--" if box.is_frozen else "-" for box in boxes],
        )

    def _write_rows(self, rect: np.ndarray, rows: Sequence[TextRow]) -> None:
        left, y, width, _ = rect
        y += PAD
        for row in rows:
            base = y + 0.95 * row.size
            if row.left:
                self._write(left + PAD, base, row.left, row.size, color=row.color)
            if row.right:
                style = {"ha": "right", "color": row.right_color, "weight": row.right_weight}
                self._write(left + width - PAD, base, row.right, FOOT, **style)
            y += LINE * row.size

    def _draw_maps(self, box: NodeBox, layout: MapLayout, left: float, top: float) -> AxesImage:
        maps = box.maps
        assert maps is not None
        array = mosaic(maps.tiles, layout.grid)
        (height, width), x, y = layout.size, left + layout.left, top + layout.top
        style: dict[str, Any] = {"extent": (x, x + width, y + height, y), "aspect": "auto"}
        colors: dict[str, Any] = {} if maps.indices is None else color_scale(maps.tiles)._asdict()
        image = self.ax.imshow(array, zorder=3, **style, **colors)
        image.set_label(maps.label)
        image.mouseover = False
        invalid = ~np.isfinite(array.data)
        if invalid.any():
            cells = np.zeros((*array.shape[:2], 4))
            cells[invalid] = to_rgba(INVALID)
            self.ax.imshow(cells, zorder=3.1, **style)
        if maps.indices is not None:
            self._write_indices(maps.indices, layout, (left, top))
            corners = np.add(list(layout.corners()), (left, top, left, top))
            for a, b, c, d in corners[constant_tiles(maps.tiles)]:
                self.crosses += [[(a, b), (c, d)], [(a, d), (c, b)]]
        return image

    def _write_indices(
        self, indices: np.ndarray, layout: MapLayout, origin: tuple[float, float]
    ) -> None:
        for index, (left, top, _, bottom) in zip(indices, layout.corners(), strict=True):
            x, y = origin[0] + left, origin[1] + top - 1.2
            align = "left"
            if layout.are_rows:
                x, y = x - 3, origin[1] + (top + bottom) / 2 + 0.36 * INDEX
                align = "right"
            self._write(x, y, str(index), INDEX, ha=align)

    def _draw_crosses(self) -> None:
        if self.crosses:
            stroke = withStroke(linewidth=2 * self.scale, foreground="white")
            style = {"colors": CROSS_COLOR, "linewidths": 0.8 * self.scale}
            lines = LineCollection(self.crosses, path_effects=[stroke], zorder=4, **style)
            self.ax.add_collection(lines, autolim=False)

    def _draw_legend(self) -> None:
        for x, y, word in self.sheet.legend:
            rect = np.array([[x, y - 0.85 * BODY, SWATCH, BODY]])
            is_frozen = word == FROZEN
            swatch = NodeBox(kind="other" if is_frozen else word, is_frozen=is_frozen)
            self._draw_outlines(rect, [swatch])
            self._write(x + SWATCH + 4, y, word, BODY, color=FAINT)
        for y, line in self.sheet.notes:
            self._write(0, y, line, BODY, color=FAINT)


def _rises(points: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the middle of each piece of a line that leads upwards."""
    for start, stop in pairwise(points):
        if stop[1] < start[1]:
            yield (start + stop) / 2


def _rounded(left: float, top: float, width: float, height: float) -> Path:
    """Return a rectangle with round corners."""
    radius = min(ROUNDING, width / 2, height / 2)
    right, bottom = left + width, top + height
    corners = np.array([(right, top), (right, bottom), (left, bottom), (left, top)])
    starts = radius * np.array([(-1, 0), (0, -1), (1, 0), (0, 1)])
    ends = radius * np.array([(0, 1), (-1, 0), (0, -1), (1, 0)])
    points = np.stack([corners + starts, corners, corners + ends], axis=1).reshape(-1, 2)
    codes = [Path.LINETO, Path.CURVE3, Path.CURVE3] * 4
    return Path([points[-1], *points], [Path.MOVETO, *codes])


def line_path(points: np.ndarray) -> Path:
    """Return the path of a line: a curve between points that are askew, and round corners."""
    path, codes = [points[0]], [Path.MOVETO]
    for index in range(1, len(points)):
        start, stop = points[index - 1], points[index]
        if (start != stop).all():
            middle = (start[1] + stop[1]) / 2
            path += [(start[0], middle), (stop[0], middle), stop]
            codes += [Path.CURVE4] * 3
            continue
        ahead = points[index + 1] if index + 1 < len(points) else stop
        across, on = start != stop, stop != ahead
        if (across ^ on).all():  # a right angle
            path += [_towards(stop, start), stop, _towards(stop, ahead)]
            codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
        else:
            path.append(stop)
            codes.append(Path.LINETO)
    return Path(np.array(path), codes)


def _towards(corner: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the point on the way from a corner to another point at which it begins to be round."""
    length = float(np.abs(other - corner).sum())
    return np.asarray(corner + (other - corner) * min(TURN, length / 2) / length)
