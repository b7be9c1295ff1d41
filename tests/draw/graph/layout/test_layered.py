"""Check every layout: nothing overlaps, and every line leads where it should."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise, permutations
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from kerasviz.draw.graph.layout.layered import Graph, Layout, lay_out
from kerasviz.draw.graph.layout.routes import Line

ONE_COLUMN = (1e9, 1e9)
HEADER = (60.0, 14.0)


def chain(*items: int) -> list[tuple[int, int]]:
    return list(pairwise(items))


def graph(count: int, edges: list[tuple[int, int]], *frames: set[int], **kwargs: Any) -> Graph:
    """Return a graph of equal boxes; each frame is a set of boxes, outer frames first."""
    return Graph(
        sizes=np.tile([100.0, 30.0], (count, 1)),
        edges=tuple(edges),
        parents=tuple(innermost(item, count, frames) for item in range(count + len(frames))),
        headers=(HEADER,) * len(frames),
        **kwargs,
    )


def innermost(item: int, count: int, frames: tuple[set[int], ...]) -> int | None:
    """Return the smallest frame around a box, or around a frame."""
    boxes = {item} if item < count else frames[item - count]
    around = [
        n for n, frame in enumerate(frames) if boxes <= frame and count + n != item and (
            item < count or n < item - count
        )
    ]  # fmt: skip
    return count + around[-1] if around else None


@st.composite
def graphs(draw: Any) -> Graph:
    """Boxes of any size, edges that lead on, and frames around boxes that follow one another."""
    count = draw(st.integers(1, 14))
    edges = draw(
        st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=24)
    )
    edges = list(dict.fromkeys((a, b) for a, b in edges if a < b))
    frames: list[set[int]] = []
    for start, length in draw(
        st.lists(st.tuples(st.integers(0, count - 1), st.integers(1, count)), max_size=3)
    ):
        frame = set(range(start, min(count, start + length)))
        if all(frame <= f or f <= frame or not frame & f for f in frames):
            frames.append(frame)
    frames.sort(key=len, reverse=True)
    sizes = draw(st.lists(st.tuples(st.integers(5, 90), st.integers(5, 60)), min_size=count,
                          max_size=count))  # fmt: skip
    made = graph(count, edges, *frames)
    return replace(made, sizes=np.array(sizes, float))


def inside(layout_graph: Graph, item: int, frame: int) -> bool:
    at: int | None = item
    while at is not None and at != frame:
        at = layout_graph.parents[at]
    return at == frame


def overlap(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two rectangles (left, top, width, height) have an inner point in common."""
    gap = 1e-6
    return bool(
        (a[:2] + a[2:] > b[:2] + gap).all() and (b[:2] + b[2:] > a[:2] + gap).all()
    )  # fmt: skip


def pieces(line: Line) -> list[tuple[np.ndarray, np.ndarray]]:
    return list(pairwise(line.points))


def check(made: Graph, layout: Layout) -> None:
    """Check everything that a reader relies on."""
    boxes, items = len(made.sizes), len(made.parents)
    rects = layout.rects
    np.testing.assert_allclose(rects[:boxes, 2:], made.sizes)
    assert (rects[:, :2] >= -1e-6).all()
    assert (rects[:, :2] + rects[:, 2:] <= np.array(layout.size) + 1e-6).all()
    for a, b in combinations(range(items), 2):
        if inside(made, a, b) or inside(made, b, a):
            inner, outer = (a, b) if inside(made, a, b) else (b, a)
            assert (rects[inner, :2] >= rects[outer, :2]).all()
            assert rects[inner, 1] >= rects[outer, 1] + HEADER[1]
            ends = [rects[i, :2] + rects[i, 2:] for i in (inner, outer)]
            assert (ends[0] <= ends[1] + 1e-6).all()
        else:
            assert not overlap(rects[a], rects[b]), (a, b)
    check_lines(made, layout)


def check_lines(made: Graph, layout: Layout) -> None:
    boxes, rects = len(made.sizes), layout.rects
    reached: dict[tuple[int, int], int] = {}
    for line in layout.lines:
        check_start(made, layout, line)
        x, y = line.points[-1]
        if line.target is not None:
            (from_x, from_y), (to_x, to_y) = line.points[-2:]
            assert from_x == to_x
            assert to_y - from_y >= 6 - 1e-6, "room for the arrow"
            left, top, width, _ = rects[line.target]
            if abs(y - top) < 1e-6 and left <= x <= left + width:
                pair = line.source, line.target
                reached[pair] = reached.get(pair, 0) + 1
        for start, stop in pieces(line):
            low, high = np.minimum(start, stop), np.maximum(start, stop)
            if stop[1] < start[1]:
                assert start[0] == stop[0], "only a track between columns leads up"
            if start[1] == stop[1]:
                assert line.target is None, "only a track between columns leads aside"
            piece = np.array([*low, *(high - low)])
            for item in range(len(made.parents)):
                is_box = item < boxes
                if is_box or not concerns(made, line.source, item):
                    assert not touches(piece, rects[item]), (line, item)
    assert reached == dict.fromkeys(set(made.edges) - jumps(layout), 1)


def jumps(layout: Layout) -> set[tuple[int, int]]:
    """Return the edges for whose lines there are numbers."""
    starts = {tag.text: tag.item for tag in layout.tags if tag.is_start}
    ends = [tag for tag in layout.tags if not tag.is_start]
    return {(starts[text], tag.item) for tag in ends for text in tag.text.split(", ")}


def concerns(made: Graph, source: int, frame: int) -> bool:
    """Whether a frame holds a source or something that it leads to."""
    ends = [source, *(b for a, b in made.edges if a == source)]
    return any(inside(made, item, frame) for item in ends)


def touches(piece: np.ndarray, rect: np.ndarray) -> bool:
    """Whether the rectangle of a piece, which may have no area, has a point within a box."""
    low, high = np.maximum(piece[:2], rect[:2]), np.minimum(
        piece[:2] + piece[2:], rect[:2] + rect[2:]
    )  # fmt: skip
    inner = rect[:2] + 1e-6, rect[:2] + rect[2:] - 1e-6
    return bool((low <= high).all() and (high > inner[0]).all() and (low < inner[1]).all())


def check_start(made: Graph, layout: Layout, line: Line) -> None:
    """A line begins at its source, below the header of a frame, or on another line of its."""
    x, y = line.points[0]
    left, top, width, height = layout.rects[line.source]
    if abs(y - top - height) < 1e-6 and left <= x <= left + width:
        return
    others = [other for other in layout.lines if other.source == line.source and other is not line]
    for frame in range(len(made.sizes), len(made.parents)):
        header = layout.rects[frame, 1] + HEADER[1]
        if abs(y - header) < 1e-6:
            above = [o.points[-1] for o in others]
            if any(np.allclose(end, (x, header - HEADER[1]), atol=1e-6) for end in above):
                return
    for other in others:
        for start, stop in pieces(other):
            low, high = np.minimum(start, stop) - 1e-6, np.maximum(start, stop) + 1e-6
            is_straight = (start == stop).any()
            if is_straight and (low <= (x, y)).all() and ((x, y) <= high).all():
                return
            if np.allclose(stop, (x, y), atol=1e-6) or np.allclose(start, (x, y), atol=1e-6):
                return
    raise AssertionError(f"nothing leads to the start of {line}")


def cross(a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]) -> bool:
    """Whether a piece that runs aside and one that runs up or down cross."""
    if a[0][1] != a[1][1] or b[0][0] != b[1][0]:
        return False
    (left, right), (top, bottom) = sorted((a[0][0], a[1][0])), sorted((b[0][1], b[1][1]))
    return bool(left < b[0][0] < right and top < a[0][1] < bottom)


def check_unambiguous(layout: Layout) -> None:
    """Lines from two sources are never upon one another, but where they reach the same target.

    Those between columns do not even cross.
    """
    straight = []
    for line in layout.lines:
        for index, (start, stop) in enumerate(pieces(line)):
            is_last = line.target is not None and index == len(line.points) - 2
            for axis in (0, 1):
                if start[axis] == stop[axis]:
                    low, high = sorted((start[1 - axis], stop[1 - axis]))
                    end = line.target if is_last else None
                    straight.append((axis, start[axis], low, high, line.source, end))
    tracks = [line for line in layout.lines if (np.diff(line.points[:, 1]) < 0).any()]
    for line, other in permutations(tracks, 2):
        if line.source != other.source:
            assert not any(cross(a, b) for a in pieces(line) for b in pieces(other)), (line, other)
    for a, b in combinations(straight, 2):
        if a[0] == b[0] and abs(a[1] - b[1]) < 0.5 and a[4] != b[4]:
            shared = min(a[3], b[3]) - max(a[2], b[2])
            assert shared < 0.5 or (a[5] is not None and a[5] == b[5]), (a, b)


@hypothesis.given(graphs(), st.sampled_from([ONE_COLUMN, (400.0, 200.0), (150.0, 100.0)]))
@hypothesis.settings(max_examples=80)
def test_lay_out_any_graph(made: Graph, page: tuple[float, float]) -> None:
    layout = lay_out(made, page)
    check(made, layout)
    check_unambiguous(layout)
    again = lay_out(made, page)
    np.testing.assert_array_equal(layout.rects, again.rects)
    if page == ONE_COLUMN:
        drops = [stop[1] - start[1] for line in layout.lines for start, stop in pieces(line)]
        assert min(drops, default=1) > 0
        for a, b in made.edges:
            end = layout.rects[a, 1] + layout.rects[a, 3]
            assert end < layout.rects[b, 1], "what leads to a box stands above it"


def middles(layout: Layout) -> np.ndarray:
    return layout.rects[:, 0] + layout.rects[:, 2] / 2


def test_lay_out_makes_a_chain_straight() -> None:
    layout = lay_out(graph(6, chain(0, 1, 2, 3, 4, 5)), ONE_COLUMN)
    np.testing.assert_allclose(middles(layout), middles(layout)[0])
    assert [len(line.points) for line in layout.lines] == [2] * 5
    assert (np.diff(layout.rects[:, 1]) > 30).all()


def test_lay_out_makes_a_chain_straight_through_frames_of_any_width() -> None:
    made = graph(5, chain(0, 1, 2, 3, 4), {1, 2}, {2})
    layout = lay_out(made, ONE_COLUMN)
    check(made, layout)
    np.testing.assert_allclose(middles(layout), middles(layout)[0])


def test_lay_out_makes_the_main_path_of_a_residual_block_straight() -> None:
    """A skip passes on the right, and so does a shortcut of one box beside two."""
    made = graph(5, [*chain(0, 1, 2, 3, 4), (0, 3)])
    layout = lay_out(made, ONE_COLUMN)
    check(made, layout)
    np.testing.assert_allclose(middles(layout), middles(layout)[0])
    (skip,) = [li for li in layout.lines if (li.source, li.target) == (0, 3)]
    assert skip.points[:, 0].max() > layout.rects[1, 0] + 100

    made = graph(6, [*chain(0, 1, 2, 3, 4), (0, 5), (5, 3)])
    layout = lay_out(made, ONE_COLUMN)
    check(made, layout)
    np.testing.assert_allclose(middles(layout)[:5], middles(layout)[0])
    assert middles(layout)[5] > middles(layout)[0]


def test_lay_out_keeps_branches_in_the_order_in_which_they_are_merged() -> None:
    branches = [(0, 1), (0, 2), (0, 3), (0, 4)]
    made = graph(6, [*branches, (4, 5), (2, 5), (1, 5), (3, 5)])
    layout = lay_out(made, ONE_COLUMN)
    check(made, layout)
    assert np.argsort(layout.rects[1:5, 0]).tolist() == [3, 1, 0, 2]
    np.testing.assert_allclose(middles(layout)[[0, 5]], middles(layout)[1:5].mean(), atol=0.1)


def test_lay_out_puts_a_late_input_above_what_needs_it() -> None:
    layout = lay_out(graph(5, [*chain(0, 1, 2, 3), (4, 3)]), ONE_COLUMN)
    assert layout.rects[4, 1] == layout.rects[2, 1]


def unet(depth: int) -> Graph:
    """Boxes go down and up again, and each on the way down leads to its fellow on the way up."""
    edges = chain(*range(2 * depth + 1))
    return graph(2 * depth + 1, [*edges, *((n, 2 * depth - n) for n in range(depth - 1))])


def test_lay_out_nests_long_skips() -> None:
    made = unet(6)
    layout = lay_out(made, ONE_COLUMN)
    check(made, layout)
    check_unambiguous(layout)
    np.testing.assert_allclose(middles(layout), middles(layout)[0])
    farthest = {
        line.source: line.points[:, 0].max()
        for line in layout.lines
        if line.target == 12 - line.source
    }
    assert jumps(layout) == {(0, 12), (1, 11)}, "no three long lines beside one another"
    assert [farthest[n] for n in (2, 3, 4)] == sorted(farthest.values(), reverse=True)


@pytest.mark.parametrize("page", [(300.0, 260.0), (500.0, 200.0)])
def test_lay_out_cuts_what_is_too_tall_into_columns(page: tuple[float, float]) -> None:
    for made in (graph(12, chain(*range(12))), unet(6)):
        tall = lay_out(made, ONE_COLUMN)
        layout = lay_out(made, page)
        check(made, layout)
        check_unambiguous(layout)
        assert layout.size[1] < 0.75 * tall.size[1]
        assert layout.size[0] > 1.8 * tall.size[0]
        tops = layout.rects[:, 1]
        assert tops[0] < tops[1], "a column is read downwards"


def test_lay_out_cuts_columns_where_one_line_crosses() -> None:
    """Of residual blocks, each stays in one column."""
    edges, last = [], 0
    for _ in range(6):
        edges += [*chain(last, last + 1, last + 2, last + 3), (last, last + 3)]
        last += 3
    made = graph(last + 1, edges)
    layout = lay_out(made, (400.0, 400.0))
    check(made, layout)
    left = layout.rects[:, 0]
    assert len(np.unique(left.round())) > 1
    for block in range(6):
        assert np.ptp(left[[3 * block + n for n in (1, 2, 3)]]) < 1


def test_lay_out_puts_what_only_comes_later_below_without_a_line() -> None:
    made = graph(3, [(0, 1)], order=((1, 2),))
    layout = lay_out(made, ONE_COLUMN)
    assert len(layout.lines) == 1
    assert layout.rects[2, 1] > layout.rects[1, 1] + 30
    np.testing.assert_allclose(middles(layout)[:2], middles(layout)[0])


def test_lay_out_ends_lines_at_the_border_of_a_frame() -> None:
    made = graph(3, [(0, 3), (3, 2)], {1})
    layout = lay_out(made, ONE_COLUMN)
    check(made, layout)
    (left, top, width, height) = layout.rects[3]
    ends = {(line.source, line.target): line.points for line in layout.lines}
    np.testing.assert_allclose(ends[0, 3][-1], (left + width / 2, top))
    np.testing.assert_allclose(ends[3, 2][0], (left + width / 2, top + height))


def test_lay_out_refuses_edges_in_a_circle() -> None:
    with pytest.raises(ValueError, match="must not lead in a circle"):
        lay_out(graph(3, [(0, 1), (1, 2), (2, 0)]), ONE_COLUMN)
    with pytest.raises(ValueError, match="must not lead in a circle"):
        lay_out(graph(3, chain(0, 1, 2), {0, 2}), ONE_COLUMN)  # through the frame of both ends
