"""What the keywords of every plot of tiles take, refuse and choose."""

import inspect
import re

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

import kerasviz
from written_words import texts_of

ARRAY = np.sin(np.arange(3 * 3 * 8)).reshape(3, 3, 8)
KEYWORDS = [
    *("tiles", "sort", "top", "tile_names", "scale", "robust", "cmap", "vmin", "vmax", "norm"),
    *("columns", "labels", "title", "colorbar", "figsize", "ax", "figure"),
]


def keywords(value):
    return "-".join(value) if isinstance(value, dict) else ""


@pytest.mark.parametrize(
    "function",
    [
        kerasviz.plot_tiles,
        kerasviz.plot_kernels,
        kerasviz.plot_feature_maps,
        kerasviz.compare_kernels,
        kerasviz.plot_snapshots,
    ],
)
def test_every_plot_of_tiles_shows_every_keyword_with_its_default(function):
    parameters = inspect.signature(function).parameters
    assert set(KEYWORDS) <= set(parameters)
    for name in KEYWORDS:
        parameter = parameters[name]
        assert parameter.kind is parameter.KEYWORD_ONLY
        default = {"scale": "layer", "robust": "auto", "title": True, "colorbar": True}.get(name)
        assert parameter.default == default


@pytest.mark.few(12)
@pytest.mark.parametrize(
    "options",
    [
        {"sort": "norm"},
        {"sort": "mean"},
        {"sort": None},
        {"scale": "layer"},
        {"scale": "tile"},
        {"scale": "figure"},
        {"scale": "tile", "cmap": "gray"},
        {"cmap": matplotlib.colormaps["gray"]},
        {"vmin": -1, "vmax": np.float32(1)},
        {"norm": Normalize()},
        {"norm": "symlog"},
        {"title": "mine"},
        {"title": ""},
        {"title": False},
        {"labels": np.True_},
        {"labels": None},
        {"robust": True},
        {"robust": np.False_},
        {"tiles": "all"},
        {"tile_names": list("abcdefgh")},
        {"tile_names": np.array(list("abcdefgh"))},
        {"figsize": (6, np.float64(4))},
        {"colorbar": False},
        {"ax": Figure().add_subplot()},
        {"figure": Figure()},
        {"figure": Figure().subfigures()},
    ],
    ids=keywords,
)
def test_plot_tiles_takes_a_value_that_has_a_meaning(plot_tiles, options):
    array = ARRAY + 2 if options.get("norm") == "log" else ARRAY
    assert len(plot_tiles(array, **options).panels) == 1


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"colums": 3}, TypeError, "Unexpected keyword argument `colums`. Did you mean 'columns'"),
        (
            {"sort": "norms"},
            ValueError,
            "`sort` must be one of 'norm', 'mean' or None. Did you mean 'norm'? "
            "Received: sort='norms'",
        ),
        (
            {"scale": "tiles"},
            ValueError,
            "`scale` must be one of 'layer', 'tile', 'figure'. Did you mean 'tile'? "
            "Received: scale='tiles'",
        ),
        ({"scale": None}, ValueError, "`scale` must be one of 'layer', 'tile', 'figure'."),
        (
            {"cmap": "Viridis"},
            ValueError,
            "`cmap` must be the name of a Matplotlib colormap. Did you mean 'viridis'",
        ),
        (
            {"cmap": 3},
            TypeError,
            "`cmap` must be a Matplotlib colormap or its name. Received: cmap=3",
        ),
        ({"vmin": "0"}, TypeError, "`vmin` must be a finite number. Received: vmin='0'"),
        ({"vmax": np.nan}, TypeError, "`vmax` must be a finite number. Received: vmax=nan"),
        ({"vmax": np.inf}, TypeError, "`vmax` must be a finite number. Received: vmax=inf"),
        ({"vmin": [0, 1]}, TypeError, "`vmin` must be a finite number. Received: vmin=[0, 1]"),
        (
            {"vmin": 2, "vmax": 2},
            ValueError,
            "`vmin` must be less than `vmax`. Received: vmin=2, vmax=2",
        ),
        (
            {"norm": 3},
            TypeError,
            "`norm` must be a Matplotlib norm or a scale's name. Received: norm=3",
        ),
        ({"norm": "loggit"}, ValueError, "'symlog'. Did you mean 'logit'"),
        ({"norm": "function"}, ValueError, "`norm` must be one of 'asinh', 'linear', 'log'"),
        (
            {"norm": "log", "vmin": 1},
            ValueError,
            "`norm` and `vmin` cannot both be given: put the limit into the norm. "
            "Received: norm='log', vmin=1",
        ),
        ({"norm": "log", "vmax": 1}, ValueError, "`norm` and `vmax` cannot both be given"),
        (
            {"scale": "tile", "vmax": 1},
            ValueError,
            "`vmax` cannot be given with scale='tile', where each tile has limits of its own. "
            "Received: vmax=1",
        ),
        ({"scale": "tile", "norm": "log"}, ValueError, "`norm` cannot be given with scale='tile'"),
        (
            {"columns": 0},
            ValueError,
            "`columns` must be a positive integer. Received: columns=0",
        ),
        (
            {"columns": 2.0},
            ValueError,
            "`columns` must be a positive integer. Received: columns=2.0",
        ),
        ({"columns": True}, ValueError, "`columns` must be a positive integer."),
        ({"columns": np.True_}, ValueError, "`columns` must be a positive integer."),
        (
            {"columns": 10**9},
            ValueError,
            "`columns` must be at most 10000. Received: columns=1000000000",
        ),
        ({"top": 0}, ValueError, "`top` must be a positive integer. Received: top=0"),
        ({"top": -1}, ValueError, "`top` must be a positive integer."),
        ({"top": True}, ValueError, "`top` must be a positive integer."),
        ({"top": 2.5}, ValueError, "`top` must be a positive integer."),
        ({"top": "4"}, ValueError, "`top` must be a positive integer."),
        ({"vmin": False}, TypeError, "`vmin` must be a finite number. Received: vmin=False"),
        ({"vmax": np.True_}, TypeError, "`vmax` must be a finite number."),
        ({"vmin": 1j}, TypeError, "`vmin` must be a finite number. Received: vmin=1j"),
        ({"vmax": np.complex64(1)}, TypeError, "`vmax` must be a finite number."),
        ({"vmin": 10**400}, TypeError, "`vmin` must be a finite number."),
        ({"labels": "yes"}, TypeError, "`labels` must be a bool. Received: labels='yes'"),
        ({"colorbar": None}, TypeError, "`colorbar` must be a bool. Received: colorbar=None"),
        ({"title": 3}, TypeError, "`title` must be a string or a bool. Received: title=3"),
        ({"ax": 3}, TypeError, "`ax` must be a Matplotlib Axes. Received: ax=3"),
        (
            {"ax": Figure().add_subplot(projection="polar")},
            TypeError,
            "`ax` must be a plain Axes. Received: ax=<PolarAxes: >",
        ),
        (
            {"ax": Figure().add_subplot(projection="3d")},
            TypeError,
            "`ax` must be a plain Axes. Received: ax=<Axes3D: ",
        ),
        (
            {"robust": "yes"},
            ValueError,
            "`robust` must be one of 'auto' or a bool. Received: robust='yes'",
        ),
        ({"robust": 0.9}, ValueError, "`robust` must be one of 'auto' or a bool."),
        (
            {"tile_names": "abcdefgh"},
            TypeError,
            "`tile_names` must be a list with a name for each tile. Received: tile_names='abc",
        ),
        ({"tile_names": {}}, TypeError, "`tile_names` must be a list"),
        (
            {"tile_names": ["a", "b"]},
            ValueError,
            "`tile_names` must have a name for each of the 8 tiles. "
            "Received: tile_names=['a', 'b']",
        ),
        ({"figsize": 3}, TypeError, "`figsize` must be a width and a height in inches"),
        (
            {"figsize": (6, 4), "figure": Figure()},
            ValueError,
            "`figsize` is the size of a new figure, and cannot be given with `figure`.",
        ),
        (
            {"figsize": (6, 4), "ax": Figure().add_subplot()},
            ValueError,
            "`figsize` is the size of a new figure, and cannot be given with `ax`.",
        ),
        ({"figure": 3}, TypeError, "`figure` must be a Matplotlib figure. Received: figure=3"),
    ],
    ids=keywords,
)
def test_plot_tiles_refuses_a_value_without_a_meaning(options, error, message):
    with pytest.raises(error, match=re.escape(message)):
        kerasviz.plot_tiles(ARRAY, **options)


def test_a_typo_is_corrected_from_the_own_keywords_of_plot_kernels_too(grey_model):
    with pytest.raises(TypeError, match=r"`chanel`\. Did you mean 'channel' or "):
        kerasviz.plot_kernels(grey_model, chanel=0)
    with pytest.raises(TypeError, match=r"`patchgrid`\. Did you mean 'patch_grid'\?$"):
        kerasviz.plot_feature_maps(grey_model, None, np.zeros((12, 12)), patchgrid=(2, 2))
    with pytest.raises(TypeError, match=r"`patchgrid`\.$"):
        kerasviz.plot_tiles(ARRAY, patchgrid=(2, 2))


def test_for_plot_tiles_an_axes_and_a_figure_contradict_each_other():
    figure = Figure()
    with pytest.raises(ValueError, match="`ax` and `figure` cannot both be given"):
        kerasviz.plot_tiles(ARRAY, ax=figure.add_subplot(), figure=figure)


def indices_of(array, **options):
    """Return the indices of the tiles that are drawn."""
    plot = kerasviz.plot_tiles(array, figure=Figure(), colorbar=False, **options)
    return plot.panels[0].indices.tolist()


@settings(max_examples=10)
@given(st.integers(1, 20), st.data())
def test_plot_tiles_selects_tiles_as_from_a_list(count, data):
    every, array = list(range(count)), np.ones((1, 1, count))
    number = data.draw(st.integers(-count, count - 1))
    assert indices_of(array, tiles=number) == [every[number]]
    numbers = data.draw(st.lists(st.integers(-count, count - 1), min_size=1, max_size=9))
    expected = [every[i] for i in numbers]
    for form in (numbers, tuple(numbers), np.array(numbers), np.array(numbers, "int8")):
        assert indices_of(array, tiles=form) == expected
    part = data.draw(st.slices(count))
    if every[part]:
        assert indices_of(array, tiles=part) == every[part]


def test_plot_tiles_selects_all_tiles_by_default():
    assert indices_of(ARRAY) == indices_of(ARRAY, tiles="all") == list(range(8))
    assert indices_of(ARRAY, tiles=range(2)) == [0, 1]


@pytest.mark.parametrize(
    ("tiles", "error", "message"),
    [
        (
            8,
            ValueError,
            "`tiles` must be between -8 and 7, since the array has 8. Received: 8",
        ),
        ([0, -9, 12], ValueError, "since the array has 8. Received: -9, 12"),
        ([], ValueError, "`tiles` must select at least one of 8. Received: tiles=[]"),
        (slice(5, 5), ValueError, "`tiles` must select at least one of 8."),
        (
            1.0,
            TypeError,
            "`tiles` must be an int, a slice, a list of ints or 'all'. Received: tiles=1.0",
        ),
        ("al", TypeError, "Received: tiles='al'"),
        (True, TypeError, "Received: tiles=True"),
        ([True, False], TypeError, "Received: tiles=[True, False]"),
        ([[1, 2]], TypeError, "Received: tiles=[[1, 2]]"),
        (slice(None, None, 0), ValueError, "`tiles` must be a slice of ints whose step is not 0."),
        (slice("a", "b"), TypeError, "Received: tiles=slice('a', 'b', None)"),
    ],
)
def test_plot_tiles_refuses_tiles_that_are_not_there(tiles, error, message):
    with pytest.raises(error, match=re.escape(message)):
        kerasviz.plot_tiles(ARRAY, tiles=tiles)


@pytest.mark.parametrize("channels", [1, 3])
def test_plot_tiles_sorts_by_the_norm_or_the_mean_of_all_values(rng, channels):
    tiles = rng.normal(size=(5, 3, 3, channels)).astype("float32")
    norms = [np.sqrt(sum(float(value) ** 2 for value in tile.flat)) for tile in tiles]
    assert indices_of(tiles, sort="norm") == sorted(range(5), key=lambda i: -norms[i])
    means = [sum(map(float, tile.flat)) / tile.size for tile in tiles]
    assert indices_of(tiles, sort="mean") == sorted(range(5), key=lambda i: -means[i])


def test_what_is_not_finite_has_no_strength_for_plot_tiles():
    tiles = np.array([[[np.nan, 3]], [[np.inf, 4]], [[2, 2.5]]])[..., np.newaxis]
    with pytest.warns(UserWarning, match="2 of the values"):
        assert indices_of(tiles, sort="norm") == [1, 2, 0]
    with pytest.warns(UserWarning, match="2 of the values"):
        assert indices_of(tiles, sort="mean") == [2, 1, 0]


def test_strength_does_not_overflow_in_a_small_type_in_plot_tiles():
    tiles = np.array([[[200, 200]], [[255, 1]]], "uint8")[..., np.newaxis]
    assert indices_of(tiles, sort="norm") == [0, 1]
    tiles = np.array([[[6e4, 1]], [[6e4, 6e4]]], "float16")[..., np.newaxis]
    assert indices_of(tiles, sort="mean") == [1, 0]


def test_equally_strong_tiles_keep_their_order_in_plot_tiles():
    tiles = np.array([5, 1, 5, -2, 5.0]).reshape(1, 1, 5)
    assert indices_of(tiles, sort="mean") == [0, 2, 4, 1, 3]
    assert indices_of(tiles, sort="mean", tiles=[4, 3, 2]) == [2, 4, 3]


@pytest.fixture
def ten_tiles(rng):
    return rng.normal(size=(10, 3, 3)) * rng.permutation(np.arange(1, 11))[:, None, None]


@pytest.mark.parametrize("chosen", [None, slice(2, 9), [7, 1, 4, 0], list(range(9, -1, -1))])
@pytest.mark.parametrize("sort", [None, "norm", "mean"])
def test_plot_tiles_draws_the_strongest_of_what_was_chosen(plot_tiles, ten_tiles, chosen, sort):
    plot = plot_tiles(np.moveaxis(ten_tiles, 0, -1), tiles=chosen, sort=sort, top=3)
    among = np.arange(10) if chosen is None else np.arange(10)[chosen]
    strength = ten_tiles.mean((1, 2)) if sort == "mean" else np.linalg.norm(ten_tiles, axis=(1, 2))
    expected = among[np.argsort(-strength[among])][:3].tolist()
    assert plot.panels[0].indices.tolist() == expected
    np.testing.assert_array_equal(plot.panels[0].values, ten_tiles[expected])
    assert plot.panels[0].title.startswith("3 strongest of ")
    assert (", by mean" in plot.panels[0].title) == (sort == "mean")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "10 tiles"),
        ({"sort": "norm"}, "10 tiles"),
        ({"top": 10}, "10 tiles"),
        ({"top": 99, "tiles": slice(4)}, "tiles 0–3 of 10"),
        ({"top": 4}, "4 strongest of 10 tiles"),
        ({"top": 1, "tiles": slice(4)}, "1 strongest of tiles 0–3 of 10"),
        ({"tiles": 3}, "tile 3 of 10"),
        ({"tiles": [3, 3]}, "tile 3 of 10"),
        ({"tiles": [4, 3]}, "tiles 3, 4 of 10"),
        ({"tiles": [-1, 5, 0, 6, 7]}, "tiles 0, 5–7, 9 of 10"),
        ({"tiles": slice(1, None), "sort": "mean"}, "tiles 1–9 of 10"),
    ],
)
def test_the_title_of_plot_tiles_says_which_tiles_these_are(plot_tiles, ten_tiles, options, words):
    plot = plot_tiles(np.moveaxis(ten_tiles, 0, -1), **options)
    assert plot.panels[0].title == f"{words}, 3×3"


def test_the_title_of_plot_tiles_lists_the_first_of_many_indices(plot_tiles):
    plot = plot_tiles(np.arange(40.0).reshape(1, 1, 40), tiles=slice(None, None, 2))
    assert plot.panels[0].title == "20 of 40 tiles (0, 2, 4, 6, 8, 10, …), 1×1"


def test_plot_tiles_draws_the_64_strongest_of_more_than_128(plot_tiles, rng):
    tiles = rng.normal(size=(3, 3, 200))
    few = plot_tiles(tiles[..., :128])
    assert (len(few.panels[0].indices), texts_of(few)) == (128, [])
    plot = plot_tiles(tiles)
    strongest = np.argsort(-np.linalg.norm(tiles.reshape(9, 200), axis=0))[:64]
    assert plot.panels[0].indices.tolist() == strongest.tolist()
    assert texts_of(plot) == list(map(str, strongest))
    note = "64 strongest of 200; tiles='all' draws every one"
    assert plot.panels[0].title == f"64 of 200 tiles, 3×3\n{note}"


@pytest.mark.parametrize(
    ("options", "count"),
    [({"tiles": "all"}, 200), ({"tiles": slice(150)}, 150), ({"top": 150}, 150)],
)
def test_plot_tiles_draws_as_many_tiles_as_the_caller_chooses(plot_tiles, options, count):
    plot = plot_tiles(np.arange(200.0).reshape(1, 1, 200), **options)
    assert len(plot.panels[0].indices) == count
    assert "draws every one" not in plot.panels[0].title
    assert not texts_of(plot)


def test_plot_tiles_numbers_many_tiles_unless_told_otherwise(plot_tiles, rng):
    tiles = rng.normal(size=(3, 3, 200))
    assert texts_of(plot_tiles(tiles, labels=False)) == []
    by_mean = plot_tiles(tiles, sort="mean").panels[0]
    assert by_mean.indices.tolist() == np.argsort(-tiles.mean((0, 1)))[:64].tolist()
    assert "64 strongest of 200, by mean; tiles='all'" in by_mean.title


def test_plot_tiles_writes_names_in_place_of_numbers(plot_tiles):
    names = ["ant", "bee", "cat", "dog", "elk", "fox", "gnu", "hen"]
    assert texts_of(plot_tiles(ARRAY, tile_names=names)) == names
    assert texts_of(plot_tiles(ARRAY, tile_names=names, labels=False)) == []
    plot = plot_tiles(ARRAY, tile_names=names, tiles=[5, 2], labels=True)
    assert texts_of(plot) == ["fox", "cat"]
    assert plot.axes[0].format_coord(1.5, 0.5).startswith("tile fox, row 0, column 1: ")


def test_plot_kernels_writes_names_along_a_table(plot_kernels, grey_model):
    plot = plot_kernels(grey_model, "first", channel="all", tile_names=list("wxyz"))
    assert [label.get_text() for label in plot.axes[0].get_xticklabels()] == list("wxyz")
    message = re.escape("`tile_names` must have a name for each of the 4 kernels of 'first'.")
    with pytest.raises(ValueError, match=message):
        kerasviz.plot_kernels(grey_model, "first", tile_names=["one"])
