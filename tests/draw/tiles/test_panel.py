import dataclasses
import io
import zlib

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from PIL import Image

from kerasviz.draw.color import INVALID, color_scale
from kerasviz.draw.plot import Panel, Plot
from kerasviz.draw.text import text_width, wrap_text
from kerasviz.draw.tiles.downsampling import DownsampledImage
from kerasviz.draw.tiles.grid import Grid
from kerasviz.draw.tiles.panel import CROSS_ALPHA, CROSS_COLOR, TileMatrix, TilePanel, draw_panel


@pytest.fixture
def ax():
    return Figure().add_subplot()


@pytest.fixture
def tiles(rng):
    return rng.normal(size=(3, 2, 4))


def panel_of(tiles, **changes):
    facts = {"indices": np.arange(len(tiles)), "total": len(tiles), "address": "conv"}
    return TilePanel(**{"values": tiles, **facts, "kind": "kernels", "size": "2×4", **changes})


def draw(ax, panel, columns=2, gap=(1, 1), label_size=None, by_row=False):
    size = panel.tiles.shape[1:3]
    grid = Grid(
        count=len(panel.tiles),
        columns=columns * panel.slices,
        tile=size,
        gap=gap,
        group=panel.slices,
    )
    scale = None if panel.is_rgb else color_scale(panel.tiles)
    return draw_panel(ax, panel, grid, scale, label_size=label_size, by_row=by_row)


@pytest.fixture
def volumes(rng):
    """Three volumes of two slices 2×4."""
    numbers = np.array([7, 0, 12])
    return panel_of(rng.normal(size=(6, 2, 4)), indices=numbers, total=20, slices=2)


@pytest.mark.parametrize(
    ("changes", "heading"),
    [
        ({}, "conv: 3 kernels, 2×4"),
        ({"total": 512}, "conv: 3 of 512 kernels, 2×4"),
        ({"address": ""}, "3 kernels, 2×4"),
        ({"size": ""}, "conv: 3 kernels"),
        ({"notes": ("a note",)}, "conv: 3 kernels, 2×4"),
    ],
)
def test_heading(tiles, changes, heading):
    assert panel_of(tiles, **changes).heading == heading


def test_heading_of_one(tiles):
    assert panel_of(tiles[:1]).heading == "conv: 1 kernel, 2×4"
    assert panel_of(tiles[:1], total=3).heading == "conv: 1 of 3 kernels, 2×4"


def test_a_tile_that_is_drawn_twice_counts_once(tiles):
    twice = panel_of(tiles, indices=np.array([4, 0, 4]), total=5)
    assert twice.heading == "conv: 2 of 5 kernels, 2×4"
    assert panel_of(tiles, indices=np.array([1, 0, 1]), total=2).heading == "conv: 2 kernels, 2×4"


def test_the_heading_counts_volumes_and_not_their_slices(volumes):
    assert volumes.heading == "conv: 3 of 20 kernels, 2×4"


@pytest.mark.parametrize("gap", [(1, 1), (0.2, 0.2), (3, 2)], ids=str)
def test_a_panel_is_one_image_of_the_values_with_the_gaps_masked(ax, tiles, gap):
    image = draw(ax, panel_of(tiles), gap=gap)
    assert list(ax.images) == [image]
    array = image.get_array()
    down, right = max(1, round(gap[0])), max(1, round(gap[1]))
    assert array.shape == (2 + down + 2, 4 + right + 4)
    np.testing.assert_array_equal(array[:2, :4], tiles[0])
    np.testing.assert_array_equal(array[:2, 4 + right :], tiles[1])
    np.testing.assert_array_equal(array[2 + down :, :4], tiles[2])
    assert array.count() == tiles.size


@pytest.mark.parametrize("gap", [(1, 1), (0.2, 0.2)], ids=str)
def test_the_first_tile_stands_top_left_and_a_value_is_square(ax, tiles, gap):
    image = draw(ax, panel_of(tiles), gap=gap)
    assert ax.get_aspect() == 1
    assert ax.get_xlim() == pytest.approx((0, 8 + gap[1]))
    assert ax.get_ylim() == pytest.approx((4 + gap[0], 0))
    assert isinstance(image, AxesImage)


def test_an_even_gap_is_drawn_by_imshow_and_another_to_scale(ax, tiles):
    assert type(draw(ax, panel_of(tiles), gap=(1, 1))) is DownsampledImage
    assert type(draw(ax, panel_of(tiles), gap=(0.2, 1))) is not AxesImage


def test_there_are_no_ticks_no_frame_and_no_background(ax, tiles):
    draw(ax, panel_of(np.abs(tiles)))
    assert not ax.get_xticks().size
    assert not ax.get_yticks().size
    assert not any(spine.get_visible() for spine in ax.spines.values())
    assert not ax.patch.get_visible()


def test_colors_are_drawn_as_they_are(ax, rng, pixels):
    colors = rng.uniform(size=(2, 2, 2, 3)).astype("float32")
    figure = Figure(figsize=(0.5, 0.2), dpi=100)
    ax = figure.add_axes((0, 0, 1, 1))
    image = draw(ax, panel_of(colors), gap=(1, 1))
    np.testing.assert_array_equal(image.get_array()[:, :2], colors[0])
    np.testing.assert_array_equal(image.get_array()[:, 3:], colors[1])
    rendered = pixels(figure)[5::10, 5::10]
    np.testing.assert_allclose(rendered[:, :2, :3], colors[0] * 255, atol=1)
    assert (rendered[:, 2] == 255).all()


@pytest.mark.parametrize("gap", [(1, 1), (0.2, 0.2)], ids=str)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_magenta(tiles, gap, value, pixels):
    tiles[0, 1, 2] = value
    figure = Figure(figsize=(1 + gap[1] / 8, 1), dpi=80)
    draw(figure.add_axes((0, 0, 1, 1)), panel_of(tiles), gap=gap)
    magenta = (pixels(figure)[..., :3] == np.multiply(to_rgb(INVALID), 255)).all(axis=2)
    y, x = np.argwhere(magenta).mean(axis=0)
    unit = figure.bbox.width / (8 + gap[1])
    top = (figure.bbox.height - unit * (4 + gap[0])) / 2
    assert (x / unit, (y - top) / unit) == pytest.approx((2.5, 1.5), abs=0.15)
    assert magenta.sum() == pytest.approx(unit**2, rel=0.3)


def test_a_color_that_is_not_finite_is_magenta(rng, pixels):
    colors = rng.uniform(size=(1, 2, 2, 3)).astype("float32")
    colors[0, 1, 0, 2] = np.nan
    figure = Figure(figsize=(0.2, 0.2), dpi=100)
    image = draw(figure.add_axes((0, 0, 1, 1)), panel_of(colors), columns=1)
    rendered = pixels(figure)[5::10, 5::10, :3] / 255
    expected = colors[0].copy()
    expected[1, 0] = to_rgb(INVALID)
    np.testing.assert_allclose(rendered, expected, atol=1 / 255)
    np.testing.assert_array_equal(
        image.get_array().mask.any(axis=2), [[False, False], [True, False]]
    )


def test_a_constant_tile_gets_a_cross(ax, tiles):
    tiles[1] = 0
    draw(ax, panel_of(tiles), gap=(0.5, 0.5))
    (cross,) = ax.collections
    assert isinstance(cross, LineCollection)
    assert to_rgba(CROSS_COLOR, CROSS_ALPHA) == tuple(cross.get_color()[0])
    lines = {tuple(map(tuple, segment)) for segment in cross.get_segments()}
    assert lines == {((4.5, 0), (8.5, 2)), ((4.5, 2), (8.5, 0))}


def test_a_volume_is_constant_when_all_its_slices_are_the_same_value(ax, volumes):
    volumes.tiles[:2] = 0.5
    volumes.tiles[2], volumes.tiles[3] = 0.5, 0.7
    assert volumes.absent.tolist() == [True, True, False, False, False, False]
    draw(ax, volumes)
    (cross,) = ax.collections
    lefts = sorted({segment[:, 0].min() for segment in cross.get_segments()})
    assert lefts == [0, 5]
    assert len(cross.get_segments()) == 4


def test_a_value_alone_is_not_constant_but_a_constant_volume_of_them_is():
    values = np.array([1.0, 1, 2, 3]).reshape(4, 1, 1)
    assert not panel_of(values).absent.any()
    assert panel_of(values, slices=2).absent.tolist() == [True, True, False, False]


def test_what_is_constant_is_told_by_the_values_and_not_by_their_colors(rng):
    values = rng.uniform(2, 3, size=(2, 2, 2, 3))
    values[1] = 2
    panel = panel_of(values, scaled_values=np.ones((2, 2, 2, 3), "float32"))
    assert panel.absent.tolist() == [False, True]


def test_living_tiles_get_no_cross(ax, tiles):
    draw(ax, panel_of(tiles))
    assert not ax.collections


def test_labels_are_the_tiles_own_numbers_above_their_left_corners(ax, tiles):
    draw(ax, panel_of(tiles, indices=np.array([7, 0, 12])), label_size=6)
    assert {label.get_text(): tuple(label.xy) for label in ax.texts} == {
        "7": (0, 0),
        "0": (5, 0),
        "12": (0, 3),
    }
    assert {label.get_fontsize() for label in ax.texts} == {6}


def test_a_volume_has_one_label_above_its_first_slice(ax, volumes):
    draw(ax, volumes, label_size=6)
    assert {label.get_text(): tuple(label.xy) for label in ax.texts} == {
        "7": (0, 0),
        "0": (12, 0),
        "12": (0, 3),
    }


@pytest.mark.parametrize(
    ("height", "numbers", "centers"),
    [(4.0, ["7", "12", "3"], [1, 4, 7]), (0.2, ["7", "3"], [1, 7]), (0.05, ["7"], [1])],
)
def test_rows_are_numbered_by_their_first_tile(ax, rng, height, numbers, centers):
    ax.set_position((0.1, 0.1, 0.5, height / ax.figure.get_figheight()))
    tiles = rng.normal(size=(5, 2, 4))
    panel = panel_of(tiles, indices=np.array([7, 0, 12, 4, 3]), total=20)
    draw(ax, panel, label_size=6, by_row=True)
    assert [label.get_text() for label in ax.get_yticklabels()] == numbers
    assert ax.get_yticks().tolist() == centers
    assert {label.get_fontsize() for label in ax.get_yticklabels()} == {6}
    assert not ax.texts
    assert not ax.get_xticks().size


def test_rows_of_volumes_are_numbered_by_their_first_volume(ax, volumes):
    draw(ax, volumes, label_size=6, by_row=True)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["7", "12"]


def test_rows_are_not_numbered_without_labels(ax, tiles):
    draw(ax, panel_of(tiles), by_row=True)
    assert not ax.get_yticks().size


def test_a_table_of_volumes_numbers_each_above_its_middle(ax, rng):
    table = TileMatrix(
        rows=np.arange(2),
        columns=np.array([4, 0, 9]),
        row_kind="input channel",
        column_kind="filter",
    )
    panel = panel_of(rng.normal(size=(12, 3, 3)), table=table, slices=2)
    draw(ax, panel, columns=3)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["4", "0", "9"]
    assert ax.get_xticks().tolist() == [3.5, 13.5, 23.5]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0", "1"]
    assert ax.get_yticks().tolist() == [1.5, 5.5]
    value = np.array2string(panel.tiles[9, 2, 0], precision=4)
    place = "input channel 1, filter 0, slice 1, row 2, column 0"
    assert ax.format_coord(10 + 4.5, 4 + 2.5) == f"{place}: {value}"


def test_a_table_numbers_its_rows_and_columns(ax, rng):
    tiles = rng.normal(size=(6, 3, 3))
    table = TileMatrix(
        rows=np.arange(2),
        columns=np.array([4, 0, 9]),
        row_kind="input channel",
        column_kind="filter",
    )
    draw(ax, panel_of(tiles, table=table), columns=3, label_size=6)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0", "1"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["4", "0", "9"]
    assert ax.get_xticks().tolist() == [1.5, 5.5, 9.5]
    assert ax.get_yticks().tolist() == [1.5, 5.5]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("filter", "input channel")
    assert not ax.texts


@pytest.mark.parametrize(("count", "step"), [(16, 1), (17, 2), (64, 4), (512, 32)])
def test_a_long_table_numbers_some_of_its_columns(ax, count, step):
    table = TileMatrix(
        rows=np.arange(1), columns=np.arange(count), row_kind="input channel", column_kind="filter"
    )
    draw(ax, panel_of(np.zeros((count, 1, 1)), table=table), columns=count)
    numbers = [int(label.get_text()) for label in ax.get_xticklabels()]
    assert numbers == list(range(0, count, step))


def test_a_grid_of_the_callers_style_is_not_drawn_over_the_tiles(tiles):
    with plt.rc_context({"axes.grid": True}):
        ax = Figure().add_subplot()
    table = TileMatrix(
        rows=np.arange(1), columns=np.arange(3), row_kind="input channel", column_kind="filter"
    )
    draw(ax, panel_of(tiles, table=table), columns=3)
    lines = [*ax.get_xgridlines(), *ax.get_ygridlines()]
    assert lines
    assert not any(line.get_visible() for line in lines)


def test_the_cursor_tells_tile_row_column_and_value(ax, tiles):
    tiles[1, 1, 3] = 0.123456
    image = draw(ax, panel_of(tiles, indices=np.array([7, 5, 12])), gap=(0.5, 0.5))
    assert ax.format_coord(4.5 + 3.9, 1.1) == "tile 5, row 1, column 3: 0.1235"
    assert ax.format_coord(4.2, 1.1) == ""
    assert ax.format_coord(8, 4) == ""
    assert ax.format_coord(-1, 0.5) == ""
    assert not image.mouseover


def test_the_cursor_tells_the_slice_of_a_volume(ax, volumes):
    volumes.tiles[3, 1, 2] = -2
    draw(ax, volumes)
    assert ax.format_coord(12 + 5 + 2.5, 1.5) == "tile 0, slice 1, row 1, column 2: -2."
    assert ax.format_coord(10.5, 1.5) == ""
    chosen = dataclasses.replace(volumes, slice_indices=np.array([5, 31]))
    draw(ax, chosen)
    assert ax.format_coord(12 + 5 + 2.5, 1.5) == "tile 0, slice 31, row 1, column 2: -2."


def test_the_cursor_tells_the_value_behind_the_one_that_is_shown(ax, tiles):
    draw(ax, panel_of(np.full(tiles.shape, 1234.5), scaled_values=tiles))
    assert ax.format_coord(0.5, 0.5) == "tile 0, row 0, column 0: 1234.5"


def test_the_cursor_tells_every_color(ax):
    colors = np.zeros((1, 2, 2, 3), "float32")
    colors[0, 0, 1] = 0.25, 0.5, 1
    draw(ax, panel_of(colors), columns=1)
    assert ax.format_coord(1.5, 0.5) == "tile 0, row 0, column 1: [0.25 0.5  1.  ]"


def test_the_cursor_tells_the_place_in_a_table(ax, rng):
    tiles = rng.normal(size=(6, 3, 3))
    tiles[5, 0, 0] = -2
    table = TileMatrix(
        rows=np.array([0, 8]),
        columns=np.array([4, 0, 9]),
        row_kind="input channel",
        column_kind="filter",
    )
    draw(ax, panel_of(tiles, table=table), columns=3)
    place = "input channel 8, filter 9, row 0, column 0"
    assert ax.format_coord(8.5, 4.5) == f"{place}: -2."


def test_text_is_as_wide_as_matplotlib_draws_it():
    figure = Figure(dpi=72)
    text = figure.text(0, 0, "conv2d_1: 64 kernels", fontsize=40)
    drawn = text.get_window_extent().width
    assert text_width("conv2d_1: 64 kernels", 40) == pytest.approx(drawn, rel=0.02)


def test_lines_are_broken_at_spaces_so_that_they_fit():
    text = "several words in a line\nand another"
    wrapped = wrap_text(text, text_width("several words", 10) + 1, 10)
    assert wrapped == "several words\nin a line\nand another"
    assert wrap_text(text, 1e6, 10) == text
    assert wrap_text("unbreakable", 1, 10) == "unbreakable"
    assert wrap_text("", 100, 10) == ""


@pytest.fixture
def plot(ax, tiles):
    image = draw(ax, panel_of(tiles))
    return Plot(figure=ax.figure, panels=(Panel(ax=ax, image=image),))


def test_a_plot_cannot_be_changed(plot):
    with pytest.raises(dataclasses.FrozenInstanceError):
        plot.figure = None


def test_the_repr_of_a_plot_is_a_short_line(plot):
    assert repr(plot) == "Plot(conv: 3 kernels, 2×4)"
    two = dataclasses.replace(plot, panels=plot.panels * 2)
    assert repr(two) == "Plot(2 panels)"


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_savefig_writes_the_whole_figure(plot, suffix, tmp_path):
    path = tmp_path / f"picture{suffix}"
    plot.savefig(path)
    assert path.stat().st_size > 1000
    plot.savefig(str(tmp_path / "small.png"), dpi=10)
    small = plt.imread(tmp_path / "small.png")
    assert small.shape[:2] == (48, 64)


def test_a_png_is_compressed_lightly_unless_the_caller_says_how(plot, tmp_path):
    def saved(path=None, by=plot, **kwargs):
        stream = io.BytesIO()
        by.savefig(path or stream, dpi=200, **kwargs)
        return path.read_bytes() if path else stream.getvalue()

    light = saved(tmp_path / "light.png")
    assert saved() == saved(format="PNG") == saved(tmp_path / "light", format="png") == light
    assert len(light) < len(saved(by=plot.figure, pil_kwargs={"compress_level": 0})) / 10
    pictures = [np.array(Image.open(io.BytesIO(png))) for png in (light, saved(by=plot.figure))]
    np.testing.assert_array_equal(*pictures)
    for own in ({"compress_level": 9}, {"optimize": True}, {"compress_type": zlib.Z_FIXED}):
        assert saved(pil_kwargs=own) == saved(by=plot.figure, pil_kwargs=own)
    assert saved(pil_kwargs={"compress_level": 9}) != light
    vector = io.BytesIO()
    plot.savefig(vector, format="svg")
    assert b"<svg" in vector.getvalue()


def test_repetitions_are_looked_for_where_there_is_more_than_tiles(plot):
    def saved(by, **kwargs):
        by.savefig(stream := io.BytesIO(), format="png", **kwargs)
        return stream.getvalue()

    of_tiles = saved(plot)
    quick = {"compress_level": 3, "compress_type": zlib.Z_RLE}
    assert of_tiles == saved(plot.figure, pil_kwargs=quick)
    plot.axes[0].plot([0, 3], [0, 2])
    assert saved(plot) == saved(plot.figure, pil_kwargs={"compress_level": 3})
    assert saved(plot) != saved(plot.figure, pil_kwargs=quick)


def test_savefig_from_a_subfigure_writes_the_figure_around_it(tiles, tmp_path):
    figure = Figure(figsize=(6, 3))
    sub = figure.subfigures(1, 2)[0]
    ax = sub.add_subplot()
    plot = Plot(figure=sub, panels=(Panel(ax=ax, image=draw(ax, panel_of(tiles))),))
    plot.savefig(tmp_path / "whole.png", dpi=10)
    assert plt.imread(tmp_path / "whole.png").shape[:2] == (30, 60)


@pytest.mark.parametrize("width", [1, 40])
def test_a_count_of_samples_is_broken_where_it_is_wider_than_a_line(width):
    text = "conv: 3 of 64 maps, sample 7 of 10, x"
    lines = wrap_text(text, width, 10).splitlines()
    assert " ".join(lines) == text
    assert not any("sample 7 of 10," in line for line in lines)


@pytest.mark.parametrize("width", [80, 120])
def test_a_count_of_samples_is_not_broken(width):
    lines = wrap_text("conv: 3 of 64 maps, sample 7 of 10, x", width, 10).splitlines()
    assert any("sample 7 of 10," in line for line in lines)
    assert any("3 of 64" in line for line in lines)


def test_savefig_leaves_the_file_that_was_there_where_it_fails(plot, tmp_path, monkeypatch):
    path = tmp_path / "picture.png"
    path.write_bytes(b"old")

    def savefig(stream, **_):
        stream.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(plot.figure, "savefig", savefig)
    with pytest.raises(OSError, match="No space left"):
        plot.savefig(path)
    assert path.read_bytes() == b"old"
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize("name", ["picture", "picture.", "picture.one.svg", "picture.PNG"])
def test_savefig_names_and_formats_are_matplotlibs(plot, name, tmp_path):
    for folder, by in (("ours", plot), ("theirs", plot.figure)):
        (tmp_path / folder).mkdir()
        by.savefig(str(tmp_path / folder / name), dpi=10)
    ours, theirs = ([*(tmp_path / folder).iterdir()] for folder in ("ours", "theirs"))
    assert [path.name for path in ours] == [path.name for path in theirs]
    assert ours[0].read_bytes()[:4] == theirs[0].read_bytes()[:4]


def test_savefig_says_which_format_there_is_not(plot, tmp_path):
    with pytest.raises(ValueError, match="Format 'nope' is not supported"):
        plot.savefig(tmp_path / "picture.nope")
    assert not [*tmp_path.iterdir()]
