"""Text that fits into boxes, and the artists of an architecture: what they show, and where."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from itertools import combinations
from typing import Any

import hypothesis
import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import strategies as st
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.path import Path

from kerasviz.draw.figure import Placement
from kerasviz.draw.graph.boxes import (
    BODY,
    FOOT,
    HEAD,
    INDEX,
    MAX_BOX_WIDTH,
    MAX_MAP_HEIGHT,
    Maps,
    NodeBox,
    box_rows,
    box_width,
    join_words,
    lay_out_maps,
    rows_height,
)
from kerasviz.draw.graph.diagram import COLORS, Diagram, FrameBox, draw_architecture, line_path
from kerasviz.draw.plot import Plot
from kerasviz.draw.text import screen_width
from legibility import assert_legible
from written_words import texts_of


def box(head: str, kind: str = "convolution", **changes: Any) -> NodeBox:
    options = {
        "details": ("BatchNormalization", "ReLU"),
        "note": "1,234 params",
        "name": head.lower(),
        "shape": "8×8×4",
    }
    return NodeBox(kind=kind, head=head, **{**options, **changes})


def diagram(*boxes: NodeBox, **changes: Any) -> Diagram:
    count = len(boxes)
    edges = tuple((n, n + 1) for n in range(count - 1))
    parents = (None,) * count
    options = {"frames": (), "edges": edges, "order": (), "parents": parents, "title": "net"}
    return Diagram(boxes=boxes, **{**options, **changes})


@pytest.fixture
def draw(closing: Callable[[Any], Any]) -> Callable[..., Plot]:
    def call(made: Diagram, **options: Any) -> Plot:
        return closing(draw_architecture)(made, Placement(**options))

    return call


def paths(plot: Plot, zorder: float) -> PathCollection:
    (collection,) = [
        artist
        for artist in plot.axes[0].collections
        if isinstance(artist, PathCollection)
        and artist.get_zorder() == zorder
        and len(artist.get_paths()) > 0
    ][:1]
    return collection


def test_draw_architecture_colours_boxes_by_kind_and_dashes_frozen_ones(draw: Any) -> None:
    kinds = [kind for kind in COLORS if kind != "input"]
    boxes = [box(f"Layer{n}", kind, is_frozen=n == 1) for n, kind in enumerate(kinds)]
    plot = draw(diagram(*boxes))
    outlines = paths(plot, 2)
    np.testing.assert_allclose(outlines.get_facecolors(), [to_rgba(COLORS[k]) for k in kinds])
    dashes = [style[1] is not None for style in outlines.get_linestyles()]
    assert dashes == [n == 1 for n in range(len(kinds))]
    assert texts_of(plot)[-len(kinds) - 1 :] == [*kinds, "frozen"], "the legend"


def test_draw_architecture_names_in_the_legend_what_is_there(draw: Any) -> None:
    plot = draw(diagram(box("Input", "input"), box("Conv2D"), box("Conv2D")))
    assert texts_of(plot)[-1] == "convolution"
    assert "frozen" not in texts_of(plot)
    assert "dense" not in texts_of(plot)


def test_draw_architecture_ends_arrows_on_the_box_that_is_reached(draw: Any) -> None:
    plot = draw(diagram(box("A"), box("B"), box("C")))
    outlines, heads = paths(plot, 2).get_paths(), paths(plot, 2.5).get_paths()
    tips = sorted(head.vertices[2][1] for head in heads)
    tops = sorted(outline.vertices[:, 1].min() for outline in outlines)
    np.testing.assert_allclose(tips, tops[1:])
    lines = paths(plot, 1.5).get_paths()
    bottoms = sorted(outline.vertices[:, 1].max() for outline in outlines)
    np.testing.assert_allclose(sorted(line.vertices[0][1] for line in lines), bottoms[:-1])


def test_draw_architecture_dots_the_arrow_of_an_unknown_source(draw: Any) -> None:
    made = diagram(box("A"), box("B", is_open=True), edges=(), order=((0, 1),), notes=("Dotted.",))
    plot = draw(made)
    stub, tip = paths(plot, 1.6), paths(plot, 2.5).get_paths()[-1].vertices[2]
    assert stub.get_linestyles()[0][1] is not None
    assert tip[1] == pytest.approx(paths(plot, 2).get_paths()[1].vertices[:, 1].min())
    assert texts_of(plot)[-1] == "Dotted."


def test_draw_architecture_puts_an_unknown_source_beside_the_arrow_that_is_there() -> None:
    for sideways in (False, True):
        figure = Figure(figsize=(9, 9))
        made = diagram(box("A"), box("B", is_open=True))
        plot = draw_architecture(made, Placement(figure=figure), sideways=sideways)
        tips = [head.vertices[2] for artist in arrowheads(plot) for head in artist.get_paths()]
        target = paths(plot, 2).get_paths()[1].get_extents()
        middle, along = (target.y0 + target.y1) / 2, target.x0
        if not sideways:
            middle, along = (target.x0 + target.x1) / 2, target.y0
        known, unknown = (tip[::-1] if sideways else tip for tip in (tips[0], tips[-1]))
        np.testing.assert_allclose(known, (middle, along))
        np.testing.assert_allclose(unknown, (middle + 12, along))


def arrowheads(plot: Plot) -> list[Any]:
    return [artist for artist in plot.axes[0].collections if artist.get_zorder() == 2.5]


def extents(plot: Plot) -> tuple[list[Any], list[Any]]:
    """Return the extents of the boxes, and of the texts in the Axes, in dots."""
    figure = plot.axes[0].get_figure(root=True)
    figure.canvas.draw()
    transform = plot.axes[0].transData
    boxes = [path.get_extents(transform) for path in paths(plot, 2).get_paths()]
    return boxes, [text.get_window_extent() for text in plot.axes[0].texts]


CROWDED = [
    box("Conv2DTranspose 3×3, stride 2, dilation 4 · 1024", details=("relu",), is_frozen=True),
    box("Add", "merge", details=(), note="", name="a_name_that_is_longer_than_any_box_could_hold"),
    box("Dense · 10", "dense", details=("softmax", "Dropout 0.25", "LayerNormalization")),
]


NAMES = ("global_average_pooling2d_12", "illimitable_filter_list", "conv5_block3_2_conv")
HINTED = [box(name, name=n, shape="112×112×64", note="99,999 params") for name, n in
          zip(("Conv2D 3×3, stride 2 · 64", "MaxPooling2D 3×3, stride 2", "RandomFlip"), NAMES,
              strict=True)]  # fmt: skip
"""Words that are wider on a screen than on paper."""


@pytest.mark.few(3)
@pytest.mark.parametrize("dpi", [72, 80, 100, 120, 150, 233])
def test_draw_architecture_keeps_text_in_its_box(draw: Any, dpi: int) -> None:
    with plt.rc_context({"figure.dpi": dpi}):
        plot = draw(diagram(*CROWDED, *HINTED))
        boxes, texts = extents(plot)
    inside = texts[: -len({made.kind for made in CROWDED}) - 1]  # without the legend
    for text in inside:
        assert any(
            outline.x0 <= text.x0 and text.x1 <= outline.x1
            and outline.y0 <= text.y0 + 1 and text.y1 <= outline.y1 + 1
            for outline in boxes
        ), text  # fmt: skip
    for a, b in combinations(texts, 2):
        assert not a.shrunk(0.98, 0.7).overlaps(b.shrunk(0.98, 0.7))


def test_draw_architecture_makes_a_figure_as_large_as_what_is_in_it(draw: Any) -> None:
    small, large = draw(diagram(*CROWDED[:2])), draw(diagram(*CROWDED * 8))
    for plot in (small, large):
        figure, ax = plot.figure, plot.axes[0]
        boxes, texts = extents(plot)
        width, height = figure.get_size_inches() * figure.dpi
        assert min(item.x0 for item in [*boxes, *texts]) >= 0
        assert max(item.x1 for item in [*boxes, *texts]) <= width
        assert min(item.y0 for item in [*boxes, *texts]) >= 0
        assert max(item.y1 for item in [*boxes, *texts]) <= height
        top = ax.title.get_window_extent()
        assert max(item.y1 for item in boxes) < top.y0 < top.y1 <= height
        extent = ax.get_window_extent()
        scale = max(text.get_fontsize() for text in ax.texts) / 8
        assert extent.width / np.ptp(ax.get_xlim()) == pytest.approx(scale * figure.dpi / 72)
        assert 0.7 <= scale <= 1, "smaller letters on a full page"
    assert large.figure.get_size_inches().min() > 1.5 * small.figure.get_size_inches().min()


def test_draw_architecture_into_an_axes_of_the_callers_fits_it(draw: Any) -> None:
    figure = Figure(figsize=(8, 6))
    left, right = figure.subplots(1, 2)
    before = left.get_position().bounds
    plot = draw(diagram(*CROWDED * 3), ax=right, title="mine")
    assert (plot.figure, plot.axes) == (figure, (right,))
    assert right.get_title() == "mine"
    assert figure.get_size_inches().tolist() == [8, 6]
    assert left.get_position().bounds == before
    room = right.get_window_extent()
    boxes, texts = extents(plot)
    for item in [*boxes, *texts]:
        assert room.x0 - 1 <= item.x0
        assert item.x1 <= room.x1 + 1
    sizes = {text.get_fontsize() for text in right.texts}
    assert max(sizes) < 8


def test_draw_architecture_into_a_figure_of_the_callers(draw: Any) -> None:
    sub = Figure(figsize=(9, 9)).subfigures(1, 2)[1]
    plot = draw(diagram(*CROWDED), figure=sub)
    assert plot.figure is sub
    assert len(sub.axes) == 1
    sizes = {text.get_fontsize() for text in plot.axes[0].texts}
    assert 8 < max(sizes) <= 2 * 8, "letters grow with the figure, up to twice their size"


def test_draw_architecture_titles(draw: Any) -> None:
    made = diagram(*CROWDED)
    assert draw(made).axes[0].get_title() == "net"
    assert draw(made, title="mine $x$").axes[0].get_title() == "mine $x$"
    for nothing in (False, None):
        assert draw(made, title=nothing).axes[0].get_title() == ""


def test_draw_architecture_widens_the_figure_for_a_long_title(draw: Any) -> None:
    plot = draw(diagram(box("A"), title=f"{50 * 'm'}: 3 layers"))
    extents(plot)
    assert plot.axes[0].title.get_window_extent().x1 <= plot.figure.bbox.x1


def test_draw_architecture_draws_frames_with_headers_around_their_boxes(draw: Any) -> None:
    boxes = [box("A"), box("B"), box("C")]
    made = diagram(
        *boxes,
        parents=(None, 3, 4, None, 3),
        frames=(FrameBox(title="outer: Model"), FrameBox(title="in", is_frozen=True)),
    )
    plot = draw(made)
    frames, headers = paths(plot, 1).get_paths(), paths(plot, 1.1).get_paths()
    outer, inner = (frame.get_extents() for frame in frames)
    a, b, c = (outline.get_extents() for outline in paths(plot, 2).get_paths()[:3])
    assert not outer.overlaps(a)
    for item, around in ((b, outer), (inner, outer), (c, inner)):
        assert around.fully_contains(*item.min)
        assert around.fully_contains(*item.max)
    assert [style[1] is not None for style in paths(plot, 1).get_linestyles()] == [False, True]
    for header, text in zip(headers, plot.axes[0].texts, strict=False):
        (x, y), extent = text.get_position(), header.get_extents()
        assert extent.y0 < y < extent.y1
        assert extent.x0 < x
    assert texts_of(plot)[:2] == ["outer: Model", "in"]


TILES = np.arange(4 * 3 * 5, dtype=float).reshape(4, 3, 5) - 10


def with_maps(tiles: np.ndarray, indices: Any = (7, 2, 30, 0)) -> Diagram:
    return diagram(
        box("A"), box("B", maps=Maps(tiles=tiles, indices=np.array(indices), label="b: maps"))
    )


def test_draw_architecture_keeps_the_values_of_maps(draw: Any, read_tiles: Any) -> None:
    plot = draw(with_maps(TILES))
    (image,) = plot.images
    assert plot.colorbars == (None,)
    np.testing.assert_array_equal(read_tiles(image, 3, 5), TILES)
    assert image.get_clim() == (-49, 49)
    assert image.get_cmap().name == "RdBu_r"
    assert image.get_label() == "b: maps"
    assert [text for text in texts_of(plot) if text in ("7", "2", "30", "0")] == [
        "7",
        "2",
        "30",
        "0",
    ]
    outline = paths(plot, 2).get_paths()[1].get_extents()
    left, right, bottom, top = image.get_extent()
    assert outline.x0 < left < right < outline.x1
    assert outline.y0 < top < bottom < outline.y1


def test_draw_architecture_begins_at_0_where_no_map_is_negative(draw: Any) -> None:
    (image,) = draw(with_maps(TILES + 20)).images
    assert image.get_clim() == (0, 69)
    assert image.get_cmap().name == "viridis"


def test_draw_architecture_crosses_out_constant_maps(draw: Any) -> None:
    tiles = TILES.copy()
    tiles[2] = 3
    plot = draw(with_maps(tiles))
    (crosses,) = [c for c in plot.axes[0].collections if isinstance(c, LineCollection)]
    left, right, _, _ = plot.images[0].get_extent()
    segments = np.array(crosses.get_segments())
    assert segments.shape == (2, 2, 2)
    unit = (right - left) / plot.images[0].get_array().shape[1]
    np.testing.assert_allclose(np.sort(segments[0, :, 0]), left + unit * np.array([12, 17]))


def test_draw_architecture_shows_and_counts_what_is_not_finite(draw: Any) -> None:
    tiles = TILES.copy()
    tiles[0, 0, 0], tiles[1, 2, 4] = np.nan, np.inf
    with pytest.warns(UserWarning, match="2 of the values drawn are NaN or infinite"):
        plot = draw(with_maps(tiles))
    assert len(plot.images) == 1
    overlay = plot.axes[0].images[-1].get_array()
    marked = np.argwhere(overlay[..., 3] > 0)
    np.testing.assert_array_equal(marked, [[0, 0], [2, 10]])
    np.testing.assert_array_equal(overlay[0, 0], to_rgba("magenta"))


def test_draw_architecture_shows_a_picture_in_its_own_colours(draw: Any) -> None:
    colors = np.linspace(0, 255, 4 * 4 * 3).astype("uint8").reshape(1, 4, 4, 3)
    plot = draw(
        diagram(
            box("Input", "input", maps=Maps(tiles=colors, indices=None, label="x: input")), box("A")
        )
    )
    np.testing.assert_array_equal(plot.images[0].get_array(), colors[0])
    assert repr(plot) == "Plot(x: input)"


def test_draw_architecture_shows_all_text_of_a_box_on_hovering(draw: Any) -> None:
    plot = draw(diagram(*CROWDED))
    describe = plot.axes[0].format_coord
    x, y = paths(plot, 2).get_paths()[1].vertices[:, :2].mean(axis=0)
    assert describe(x, y) == "a_name_that_is_longer_than_any_box_could_hold: Add, 8×8×4"
    assert describe(-100, -100) == ""


def test_draw_architecture_keeps_text_as_text_in_a_vector_file(draw: Any) -> None:
    plot = draw(diagram(box("Conv2D 3×3 · 16")))
    file = io.StringIO()
    with plt.rc_context({"svg.fonttype": "none"}):
        plot.savefig(file, format="svg")
    assert "Conv2D 3×3 · 16" in file.getvalue()
    assert "<image" not in file.getvalue()


@pytest.mark.parametrize("style", ["default", "dark_background", "ggplot", "Solarize_Light2"])
def test_draw_architecture_is_on_the_ground_of_the_style(draw: Any, style: str) -> None:
    with plt.style.context(style):
        plot = draw(diagram(*CROWDED))
        ground = to_rgb(plt.rcParams["figure.facecolor"])
    assert to_rgb(plot.axes[0].get_facecolor()) == pytest.approx(ground, abs=0.01)
    assert_legible(plot)


def test_line_path() -> None:
    points = np.array([(0.0, 0.0), (0.0, 10.0), (40.0, 30.0), (40.0, 36.0)])
    curve = line_path(points)
    assert curve.codes.tolist() == [Path.MOVETO, Path.LINETO, *[Path.CURVE4] * 3, Path.LINETO]
    np.testing.assert_array_equal(curve.vertices[2:4, 0], [0, 40])  # vertical at both ends
    track = line_path(np.array([(0.0, 0.0), (0.0, 20.0), (30.0, 20.0), (30.0, -9.0)]))
    np.testing.assert_array_equal(track.vertices[[0, -1]], [(0, 0), (30, -9)])
    assert (track.codes == Path.CURVE3).sum() == 4, "two round corners"
    corner = track.vertices[1:4]
    np.testing.assert_array_equal(corner, [(0, 15), (0, 20), (5, 20)])


DEFICIENCIES = {
    "none": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
"""Machado, Oliveira and Fernandes, 2009, doi:10.1109/TVCG.2009.113, for linear RGB."""


def cielab(color: str, deficiency: Any) -> np.ndarray:
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    xyz = to_xyz @ np.clip(np.array(deficiency) @ linear, 0, 1) / (0.9505, 1, 1.089)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_colors_of_kinds_are_told_apart_in_any_colour_vision(deficiency: str) -> None:
    seen = {kind: cielab(color, DEFICIENCIES[deficiency]) for kind, color in COLORS.items()}
    for a, b in combinations(seen, 2):
        if {a, b} != {"input", "other"}:  # which are said by their text alone
            assert np.linalg.norm(seen[a] - seen[b]) > 13, (a, b)
    assert min(lab[0] for lab in seen.values()) > 70, "black text is legible"


WORDS = st.text("abcdefgh_123456×· ", min_size=1, max_size=40)


def text_box(**changes: Any) -> NodeBox:
    options = {
        "head": "Conv2D 3×3 · 16",
        "details": ("BatchNormalization", "ReLU"),
        "note": "496 params",
        "name": "conv2d",
        "shape": "32×32×16",
        "kind": "convolution",
    }
    return NodeBox(**{**options, **changes})


def texts(made: NodeBox, width: float) -> list[tuple[str, str]]:
    return [(row.left, row.right) for row in box_rows(made, width)]


def test_box_rows_of_a_convolution() -> None:
    assert texts(text_box(), 160) == [
        ("Conv2D 3×3 · 16", ""),
        ("BatchNormalization · ReLU", "496 params"),
        ("conv2d", "32×32×16"),
    ]
    sizes = [row.size for row in box_rows(text_box(), 160)]
    assert sizes == [HEAD, BODY, FOOT]


def test_box_rows_put_a_note_where_it_has_room() -> None:
    long = text_box(note="18,688 params of a kind")
    assert texts(long, 175)[:2] == [
        ("Conv2D 3×3 · 16", "18,688 params of a kind"),
        ("BatchNormalization · ReLU", ""),
    ]
    assert texts(long, 120)[1:3] == [
        ("BatchNormalization · ReLU", ""),
        ("", "18,688 params of a kind"),
    ]


def test_box_rows_put_details_after_the_head_where_there_is_no_note() -> None:
    made = text_box(head="Add", details=("ReLU",), note="", name="add")
    assert texts(made, 160) == [("Add · ReLU", ""), ("add", "32×32×16")]


def test_box_rows_put_what_comes_before_above() -> None:
    assert texts(text_box(preceding=("ZeroPadding2D 1",)), 160)[:2] == [
        ("ZeroPadding2D 1", ""),
        ("Conv2D 3×3 · 16", ""),
    ]


def test_box_rows_shorten_a_long_name_or_give_it_a_line_of_its_own() -> None:
    long = text_box(name="conv2d_of_the_second_block_and_branch")
    *_, (name, shape) = texts(long, 150)
    assert shape == "32×32×16"
    assert name.startswith("conv2d_of")
    assert name.endswith("branch")
    assert "…" in name
    *_, (name, right), (left, shape) = texts(long, 80)
    assert (right, left, shape) == ("", "", "32×32×16")
    assert "…" in name


def test_box_rows_give_a_short_name_a_line_of_its_own_beside_a_long_shape() -> None:
    rows = box_rows(text_box(name="x", shape=12 * "1"), 60)
    assert [(row.left, row.right) for row in rows[-2:]] == [("x", ""), ("", 12 * "1")]
    assert all(row.width <= 60 for row in rows)


@hypothesis.given(
    st.builds(
        text_box,
        preceding=st.lists(WORDS, max_size=1).map(tuple),
        head=WORDS,
        details=st.lists(WORDS, max_size=4).map(tuple),
        note=st.one_of(st.just(""), WORDS),
        name=WORDS,
        shape=WORDS,
    ),
    st.floats(60, 300),
)
@hypothesis.settings(max_examples=40)
def test_box_rows_always_fit_and_lose_nothing_in_a_wide_box(made: NodeBox, width: float) -> None:
    for row in box_rows(made, width):
        assert row.width <= width + 1e-6, row
    whole = " ".join(f"{row.left} {row.right}" for row in box_rows(made, math.inf))
    for text in (*made.preceding, made.head, *made.details, made.note, made.name, made.shape):
        assert text in whole
    assert made.name in made.words


def test_join_words_on_as_few_lines_as_possible() -> None:
    assert join_words(["one", "two", "three"], 1000, 7) == ["one · two · three"]
    assert join_words(["one", "two", "three"], 1, 7) == ["one", "two", "three"]
    assert join_words([], 100, 7) == []


def test_box_width_is_what_the_widest_box_needs() -> None:
    narrow, wide = text_box(head="Add", details=(), note="", name="add"), text_box()
    assert box_width([narrow]) < box_width([narrow, wide]) == box_width([wide]) < MAX_BOX_WIDTH
    assert box_width([text_box(head=40 * "x")]) == MAX_BOX_WIDTH
    inside = box_width([wide]) - 10
    assert all(row.width <= inside for row in box_rows(wide, inside))
    assert rows_height(box_rows(wide, inside)) > sum((HEAD, BODY, FOOT))


def zero_maps(count: int, height: int, width: int) -> Maps:
    return Maps(tiles=np.zeros((count, height, width)), indices=np.arange(count), label="zero_maps")


@pytest.mark.parametrize(
    ("count", "size", "columns"),
    [
        (4, (28, 28), 4),
        (2, (28, 28), 2),
        (9, (7, 7), 4),
        (4, (1, 1), 4),
        (4, (20, 60), 2),
        (4, (20, 200), 1),
        (3, (60, 20), 3),
        (4, (224, 224), 4),
    ],
)
def test_lay_out_maps_keeps_their_shape_within_the_box(
    count: int, size: tuple[int, int], columns: int
) -> None:
    layout = lay_out_maps(zero_maps(count, *size), 150.0)
    assert layout.grid.columns == columns
    corners = np.array(list(layout.corners()))
    assert len(corners) == count
    assert corners.min() >= 0
    assert corners[:, 2].max() <= 150 + 1e-9
    assert corners[:, 3].max() < layout.height
    sides = corners[:, 2:] - corners[:, :2]
    np.testing.assert_allclose(sides[:, 0] / sides[:, 1], size[1] / size[0])
    assert sides[:, 1].max() <= MAX_MAP_HEIGHT
    rows = corners[::columns, 1]
    assert rows[0] >= INDEX
    assert (np.diff(rows) - sides[0, 1] >= INDEX).all(), "room for the indices"


def test_lay_out_maps_of_sequences_with_their_indices_at_the_left() -> None:
    layout = lay_out_maps(zero_maps(3, 1, 40), 150.0)
    assert layout.are_rows
    corners = np.array(list(layout.corners()))
    np.testing.assert_allclose(corners[:, 2], 150)
    assert corners[:, 0].min() >= screen_width("2", INDEX)
    assert (np.diff(corners[:, 1]) > 0).all()


def test_lay_out_maps_puts_a_picture_in_the_middle() -> None:
    layout = lay_out_maps(Maps(tiles=np.zeros((1, 20, 10, 3)), indices=None, label="input"), 150.0)
    ((left, top, right, bottom),) = layout.corners()
    assert left + right == pytest.approx(150)
    assert (right - left) / (bottom - top) == pytest.approx(0.5)
