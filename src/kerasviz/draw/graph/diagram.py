"""Draw an architecture on an Axes: boxes, the frames around them, lines, and a legend."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, cast

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from typing_extensions import override

from kerasviz.draw.color import (
    INVALID,
    color_scale,
    ground_color,
    ink_on,
    is_dark_ground,
    mix_colors,
    warn_invalid,
)
from kerasviz.draw.figure import Placement, describe_on_hover, figure_for
from kerasviz.draw.graph.boxes import (
    BODY,
    COLORS,
    FOOT,
    FROZEN,
    HEAD,
    INDEX,
    INK,
    LINE,
    PAD,
    TOP,
    Diagram,
    FrameBox,
    MapLayout,
    NodeBox,
    TextRow,
    rows_height,
)
from kerasviz.draw.graph.layout.off_page_connectors import TAG_HEIGHT, redundant_pairs
from kerasviz.draw.graph.layout.routes import Line
from kerasviz.draw.graph.sheet import (
    BLEED,
    MARGIN,
    MIN_TEXT,
    PAGE,
    SMALL,
    SWATCH,
    TITLE,
    Sheet,
    SheetMaker,
    check_scale,
    sheet_for_page,
    sheet_for_room,
)
from kerasviz.draw.plot import Panel, Plot
from kerasviz.draw.text import elide_middle
from kerasviz.draw.tiles.grid import constant_tiles, mosaic
from kerasviz.draw.tiles.panel import CROSS_COLOR

# Lengths in points.
STACK = 2.5
"""How far the outline of a second box reaches out from behind one that repeats."""
ROUNDING, TURN = 3.5, 5.0
SKIP_WIDTH, MAIN_WIDTH = 0.6, 1.2
MIN_RISE, HALF_ARROW = 12.0, 2.75
"""From what length on a line that leads back has an arrow in its middle; half of the arrow."""
ARROW = np.array([(-2.6, -5.5), (2.6, -5.5), (0, 0), (-2.6, -5.5)])
OPEN_LENGTH = 15.0

# Which part of a colour is ink, and not the ground of the figure.
TEXT_SHADE, FAINT_SHADE, LINE_SHADE = 0.9, 0.75, 0.7
FRAME_SHADE, HEADER_SHADE, FILL_SHADES = 0.45, 0.14, (0.035, 0.07)


def draw_architecture(diagram: Diagram, placement: Placement, *, sideways: bool = False) -> Plot:
    """Draw an architecture into a new figure that is as large as it needs, or into the caller's.

    In a figure or an Axes of a size of the caller's, letters and all are as large as there is room
    for, up to twice their size.

    Args:
        diagram: What to draw.
        placement: Where to draw, and the title.
        sideways: Whether it runs from left to right.

    Raises:
        ValueError: There is too little room for letters that can be read.
    """
    tiles = [box.maps.tiles for box in diagram.boxes if box.maps is not None]
    warn_invalid(sum(int((~np.isfinite(values)).sum()) for values in tiles), stacklevel=3)
    is_own = isinstance(placement.title, str)  # the caller's, in which a formula may be
    title = str(placement.title) if is_own else diagram.title if placement.title else ""
    maker = SheetMaker(diagram, title, sideways=sideways)
    if placement.grows:
        sheet, scale = sheet_for_page(maker)
        size = tuple((side + 2 * BLEED) * scale + 2 * (MARGIN - BLEED) for side in sheet.size)
        inches = size[0] / 72, size[1] / 72
    else:
        inches, room = _room(placement)
        sheet, scale = sheet_for_room(maker, room)
        check_scale(maker, scale, room=room, size=inches)
    with figure_for(placement, inches, "none") as figure:
        ax = _axes(figure) if placement.ax is None else placement.ax
        artist = _Artist(ax, sheet, scale)
        images = artist.draw(parse_math=is_own)  # names hold no formulas
    panels = [Panel(ax=ax, title=diagram.title), *_map_panels(diagram, images, ax)]
    items: list[NodeBox | FrameBox] = [*diagram.boxes, *diagram.frames]
    folded = [item for item in items if item.count > 1]
    panels += [
        Panel(ax=ax, address=x.addresses[0], title=f"{x.badge}: {', '.join(x.addresses)}")
        for x in folded
    ]
    return Plot(figure=ax.figure, panels=tuple(panels), owns_figure=placement.is_new)


def count_pages(diagram: Diagram, placement: Placement) -> float:
    """Return about how many times as large as its page a diagram is, if its letters can be read.

    The page of a new figure is a screen; else it is the figure.

    Args:
        diagram: What to draw.
        placement: Where to draw it.
    """
    area = SheetMaker(diagram, "", sideways=False).area
    if placement.grows:
        return SMALL**2 * area / math.prod(PAGE)
    _, room = _room(placement)
    return (MIN_TEXT / FOOT) ** 2 * area / max(math.prod(room), 1.0)


def _room(placement: Placement) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return width and height of the caller's figure in inches, and of the room in it in points."""
    if placement.figsize is not None:
        inches = float(placement.figsize[0]), float(placement.figsize[1])
    else:
        figure: Any = placement.figure if placement.ax is None else placement.ax.figure
        dpi = figure.get_figure(root=True).dpi
        inches = figure.bbox.width / dpi, figure.bbox.height / dpi
        if placement.ax is not None:
            extent = placement.ax.get_window_extent()
            return inches, (extent.width * 72 / dpi, extent.height * 72 / dpi)
    around = 2 * (MARGIN - BLEED)
    return inches, (inches[0] * 72 - around, inches[1] * 72 - around)


def _axes(figure: Any) -> Axes:
    """Add an Axes that fills a figure but for its margins, also when the figure is resized."""
    ax: Axes = figure.add_subplot()
    root: Figure = figure.get_figure(root=True)
    if root.get_layout_engine() is None:

        def locate(*_: Any) -> Bbox:
            around = (MARGIN - BLEED) * root.dpi / 72
            inside: Bbox = figure.bbox.padded(-around).transformed(figure.transSubfigure.inverted())
            return inside

        ax.set_axes_locator(locate)
        ax.set_position(locate())
    return ax


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


class _Proportions(Artist):
    """Keeps letters and lines in proportion to the boxes, whatever size the Axes is drawn at.

    A layout engine or a reader who resizes a window changes the Axes after it was drawn into.

    Args:
        ax: The Axes.
        scale: The size of letters and lines, relative to those of the sheet.
        width: The width of the sheet.
    """

    def __init__(self, ax: Axes, scale: float, width: float) -> None:
        super().__init__()
        self.set_zorder(-1000)  # so that it comes before all that it changes
        self.set_in_layout(False)
        self._ax, self._scale, self._width = ax, scale, width
        texts: list[Text] = [ax.title, *ax.texts]
        self._sizes = {text: float(text.get_fontsize()) for text in texts}
        self._widths = {x: np.array(x.get_linewidth()) for x in ax.collections}
        self._factor = 1.0

    @override
    def draw(self, renderer: Any) -> None:
        """Change letters and lines where the Axes has another size."""
        dpi = cast(Figure, self._ax.get_figure(root=True)).dpi
        room = self._ax.bbox.width * 72 / dpi / self._width
        factor = room / self._scale
        if room > 0 and abs(factor / self._factor - 1) > 1e-3:
            self._factor = factor
            for text, size in self._sizes.items():
                text.set_fontsize(size * factor)
            for lines, widths in self._widths.items():
                lines.set_linewidth((factor * widths).tolist())


class _Artist:
    """Draws a sheet on an Axes; what is thinner or smaller there than on it goes by `scale`."""

    def __init__(self, ax: Axes, sheet: Sheet, scale: float) -> None:
        self.ax = ax
        self.sheet = sheet
        self.scale = scale
        self.sideways = sheet.sideways
        self.boxes, self.frames = sheet.diagram.boxes, sheet.diagram.frames
        self.rects = sheet.layout.rects
        self.crosses: list[Any] = []
        self.ground = ground_color(ax.figure)
        self.line_color = self._shade(LINE_SHADE)

    def _shade(self, share: float) -> str:
        """Return the grey that is drawn on the ground of the figure, light or dark."""
        return mix_colors(ink_on(self.ground), self.ground, share)

    def draw(self, *, parse_math: bool) -> list[AxesImage]:
        """Draw everything, and return the image of each box that has one.

        Args:
            parse_math: Whether the title may hold formulas.
        """
        self._draw_frames()
        self._draw_lines()
        self._draw_tags()
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
        self._write_title(parse_math)
        width, height = sheet.size
        self.ax.set(xlim=(-BLEED, width + BLEED), ylim=(height + BLEED, -BLEED), aspect="equal")
        self.ax.set_anchor("NW")
        self.ax.set(xticks=[], yticks=[], facecolor=self.ground)
        self.ax.spines[:].set_visible(False)
        describe_on_hover(self.ax, self._describe)
        self.ax.add_artist(_Proportions(self.ax, self.scale, width + 2 * BLEED))
        return images

    def _write_title(self, parse_math: bool) -> None:
        """Write the title, within the Axes, so that it has room in any figure."""
        size = self.scale * TITLE
        style: dict[str, Any] = {
            "ha": "left",
            "va": "top",
            "color": self._shade(TEXT_SHADE),
            "fontweight": "normal",
        }
        style |= {"fontsize": size, "linespacing": 1.15, "parse_math": parse_math}
        self.ax.set_title(self.sheet.title, x=0, y=1, pad=0, **style)

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
        style = {"color": self._shade(TEXT_SHADE), "parse_math": False, "zorder": 5, **style}
        self.ax.text(x, y, text, fontsize=size * self.scale, va="baseline", **style)

    def _draw_frames(self) -> None:
        if not self.frames:
            return
        rects = self.rects[len(self.boxes) :]
        self._add_paths(
            [_rounded(*rect) for rect in rects],
            1,
            facecolors=[
                self._shade(FILL_SHADES[self._depth(i) % 2]) for i in range(len(self.frames))
            ],
            edgecolors=self._shade(FRAME_SHADE),
            linestyles=["--" if frame.is_frozen else "-" for frame in self.frames],
        )
        headers = [
            _rounded(left, top, width, frame.header[1])
            for frame, (left, top, width, _) in zip(self.frames, rects, strict=True)
        ]
        self._add_paths(headers, 1.1, facecolors=self._shade(HEADER_SHADE), edgecolors="none")
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
        layout, diagram = self.sheet.layout, self.sheet.diagram
        skips = redundant_pairs(len(diagram.parents), diagram.edges, diagram.order)
        main: list[Line] = []
        thin: list[Line] = []
        for line in layout.lines:
            is_skip = line.leads_to and {(line.source, x) for x in line.leads_to} <= skips
            (thin if is_skip else main).append(line)
        for lines, width, zorder in ((thin, SKIP_WIDTH, 1.4), (main, MAIN_WIDTH, 1.5)):
            style = {
                "edgecolors": self.line_color,
                "linewidths": width * self.scale,
                "capstyle": "round",
                "snap": False,  # what is straight alone would be moved to pixels, from the rest
            }
            paths = [line_path(x.points, sideways=self.sideways) for x in lines]
            self._add_paths(paths, zorder, facecolors="none", **style)
        heads = [arrow(x.points[-2], x.points[-1]) for x in layout.lines if x.target is not None]
        if not layout.is_u:
            heads += [head for x in layout.lines for head in _rises(x.points, self.sideways)]
        self._add_paths(heads, 2.5, facecolors=self.line_color, edgecolors="none")

    def _draw_tags(self) -> None:
        """Draw the numbers that stand for lines which would be too long, each with its stub."""
        tags = self.sheet.layout.tags
        if not tags:
            return
        axis = int(self.sideways)
        stubs, heads, pills = [], [], []
        for tag in tags:
            left, top, width, height = self.rects[tag.item]
            middle = np.array(tag.position)
            side = np.array([(left, left + width), (top, top + height)])[axis, int(tag.is_start)]
            end = middle.copy()
            end[axis] = side
            stubs.append(Path([middle, end]))
            heads += [] if tag.is_start else [arrow(middle, end)]
            x, y = tag.position
            pills.append(_rounded(x - tag.width / 2, y - TAG_HEIGHT / 2, tag.width, TAG_HEIGHT))
            self._write(x, y + 0.36 * FOOT, tag.text, FOOT, ha="center")
        width = SKIP_WIDTH * self.scale
        self._add_paths(stubs, 1.6, facecolors="none", edgecolors=self.line_color, linewidths=width)
        self._add_paths(heads, 2.5, facecolors=self.line_color, edgecolors="none")
        self._add_paths(
            pills, 2.6, facecolors=self.ground, edgecolors=self.line_color, linewidths=width
        )

    def _draw_open_ends(self) -> None:
        """Draw dotted arrows into boxes whose input has an unknown source."""
        stubs, heads = open_ends(self.sheet)
        if stubs:
            style = {
                "edgecolors": self.line_color,
                "linewidths": 1.2 * self.scale,
                "linestyles": ":",
            }
            self._add_paths(stubs, 1.6, facecolors="none", **style)
            self._add_paths(heads, 2.5, facecolors=self.line_color, edgecolors="none")

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
        edges: list[Any] = [0.6 * color for color in colors]
        widths = np.full(len(boxes), 0.8)
        dashes: Any = "--"
        if is_dark_ground(self.ground):  # dashes of the edge's colour would be lost: these cut in
            dashes = (0, (1.6, 1.2))
            for index in (index for index, box in enumerate(boxes) if box.is_frozen):
                edges[index], widths[index] = self.ground, 1.8
        self._add_paths(
            [_rounded(*rect) for rect in rects],
            2,
            facecolors=colors,
            edgecolors=edges,
            linewidths=self.scale * widths,
            linestyles=[dashes if box.is_frozen else "-" for box in boxes],
        )

    def _write_rows(self, rect: np.ndarray, rows: Sequence[TextRow]) -> None:
        left, y, width, _ = rect
        y += TOP
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
            self._write(x, y, str(index), INDEX, ha=align, color=INK)

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
            self._write(x + SWATCH + 4, y, word, BODY, color=self._shade(FAINT_SHADE))
        for y, line in self.sheet.notes:
            self._write(0, y, line, BODY, color=self._shade(FAINT_SHADE))


def open_ends(sheet: Sheet) -> tuple[list[Path], list[Path]]:
    """Return the lines and the heads of the arrows into boxes whose input has an unknown source."""
    diagram = sheet.diagram
    reached = {line.target for line in sheet.layout.lines}
    along = np.array((1, 0) if sheet.sideways else (0, 1))
    stubs, heads = [], []
    boxes: list[NodeBox | FrameBox] = [*diagram.boxes, *diagram.frames]
    for item, box in enumerate(boxes):
        if not box.is_open:
            continue
        left, top, width, height = sheet.layout.rects[item]
        aside = 12 if item in reached else 0  # beside the arrow that is there already
        middle = (left, top + height / 2) if sheet.sideways else (left + width / 2, top)
        tip = np.array(middle) + aside * along[::-1]
        stubs.append(Path([tip - OPEN_LENGTH * along, tip - 4 * along]))
        heads.append(arrow(tip - along, tip))
    return stubs, heads


def _rises(points: np.ndarray, sideways: bool) -> Iterator[Path]:
    """Yield an arrow in the middle of each piece of a line that leads back."""
    axis = 0 if sideways else 1
    for start, stop in pairwise(points):
        if stop[axis] < start[axis] - MIN_RISE:
            middle = (start + stop) / 2
            yield arrow(start, middle + HALF_ARROW * (stop - start) / np.abs(stop - start).max())


def arrow(start: np.ndarray, tip: np.ndarray) -> Path:
    """Return the head of an arrow that comes from a point on the same level or above or below."""
    x, y = np.sign(np.subtract(tip, start))
    turn = np.array([(y, -x), (x, y)]) if not x or not y else np.eye(2)
    return Path(ARROW @ turn + tip)


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


def line_path(points: np.ndarray, *, sideways: bool = False) -> Path:
    """Return the path of a line: a curve between points that are askew, and round corners.

    Args:
        points: Its points, `(k, 2)`.
        sideways: Whether curves run from left to right at both ends, and not up or down.
    """
    axis = 0 if sideways else 1
    path, codes = [points[0]], [Path.MOVETO]
    for index in range(1, len(points)):
        start, stop = points[index - 1], points[index]
        if (start != stop).all():
            middle = (start[axis] + stop[axis]) / 2
            bends = np.array([start, stop])
            bends[:, axis] = middle
            path += [*bends, stop]
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
