import re

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from kerasviz._checks import check_choice, suggest
from kerasviz._selection import TileChoice, choose_tiles, order_tiles, select_tiles, tile_strength
from kerasviz.draw.tiles.style import DEFAULTS, TileOptions, check_style


def keywords(value):
    return "-".join(value) if isinstance(value, dict) else ""


def checked(**options):
    """Return every keyword as the records have it."""
    style = check_style(**options)
    return {
        name: value
        for record in (style.choice, style.colors, style.layout, style.place)
        for name, value in vars(record).items()
    }


def test_every_keyword_has_a_default():
    assert list(DEFAULTS) == list(TileOptions.__annotations__)
    assert checked() == DEFAULTS


def test_the_caller_wins_over_the_defaults():
    given_options = TileOptions(tiles=[1], sort="norm", columns=np.int64(2), title=None)
    assert checked(**given_options) == {**DEFAULTS, **given_options}
    assert DEFAULTS["columns"] is None


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
        {"colorbar": False},
        {"ax": Figure().add_subplot()},
        {"figure": Figure()},
        {"figure": Figure().subfigures()},
    ],
    ids=keywords,
)
def test_a_value_that_has_a_meaning_is_taken(options):
    assert checked(**options) == {**DEFAULTS, **options}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"colums": 3}, TypeError, "Unexpected keyword argument `colums`. Did you mean 'columns'?"),
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
        ({"figure": 3}, TypeError, "`figure` must be a Matplotlib figure. Received: figure=3"),
    ],
    ids=keywords,
)
def test_a_value_without_a_meaning_is_refused(options, error, message):
    with pytest.raises(error, match=re.escape(message)):
        check_style(**options)


def test_a_typo_is_corrected_from_the_functions_own_keywords_too():
    with pytest.raises(TypeError, match=r"`chanel`\. Did you mean 'channel' or "):
        check_style("channel", chanel=0)
    with pytest.raises(TypeError, match=r"`patchgrid`\. Did you mean 'patch_grid'\?$"):
        check_style("slices", "patch_grid", patchgrid=(2, 2))
    with pytest.raises(TypeError, match=r"`patchgrid`\.$"):
        check_style(patchgrid=(2, 2))


def test_an_axes_and_a_figure_contradict_each_other():
    figure = Figure()
    with pytest.raises(ValueError, match="`ax` and `figure` cannot both be given"):
        check_style(ax=figure.add_subplot(), figure=figure)


def test_suggest_names_the_closest_words():
    assert suggest("virdis", ["viridis", "magma"]) == " Did you mean 'viridis'?"
    assert suggest("tile", ["tile_a", "tile_b"]) == " Did you mean 'tile_b' or 'tile_a'?"
    assert suggest(7, ["viridis"]) == ""


def test_check_choice_says_what_else_may_be_given():
    check_choice("channel", "all", ["auto", "all"])
    with pytest.raises(
        ValueError, match=r"one of 'auto', 'all' or an int\. Received: channel=1\.5"
    ):
        check_choice("channel", 1.5, ["auto", "all"], "an int")


@given(st.integers(1, 20), st.data())
def test_tiles_are_selected_as_from_a_list(count, data):
    every = list(range(count))
    number = data.draw(st.integers(-count, count - 1))
    assert select_tiles(number, count).tolist() == [every[number]]
    numbers = data.draw(st.lists(st.integers(-count, count - 1), min_size=1))
    expected = [every[i] for i in numbers]
    for form in (numbers, tuple(numbers), np.array(numbers), np.array(numbers, "int8")):
        assert select_tiles(form, count).tolist() == expected
    part = data.draw(st.slices(count))
    if every[part]:
        assert select_tiles(part, count).tolist() == every[part]


def test_all_tiles_are_selected_by_default():
    assert select_tiles(None, 3).tolist() == [0, 1, 2]
    assert select_tiles(range(2), 3).tolist() == [0, 1]


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
        (1.0, TypeError, "`tiles` must be an int, a slice or a list of ints. Received: tiles=1.0"),
        ("all", TypeError, "Received: tiles='all'"),
        (True, TypeError, "Received: tiles=True"),
        ([True, False], TypeError, "Received: tiles=[True, False]"),
        ([[1, 2]], TypeError, "Received: tiles=[[1, 2]]"),
        (slice(None, None, 0), ValueError, "`tiles` must be a slice of ints whose step is not 0."),
        (slice("a", "b"), TypeError, "Received: tiles=slice('a', 'b', None)"),
    ],
)
def test_tiles_that_are_not_there_are_refused(tiles, error, message):
    with pytest.raises(error, match=re.escape(message)):
        select_tiles(tiles, 8)


def test_an_error_names_the_keyword_and_what_the_tiles_belong_to():
    message = "`slices` must be between -8 and 7, since 'conv' has 8. Received: 9"
    with pytest.raises(ValueError, match=re.escape(message)):
        select_tiles(9, 8, "slices", of="'conv'")
    with pytest.raises(ValueError, match=r"^`slices` must select at least one of 8\."):
        select_tiles([], 8, "slices", of="'conv'")
    with pytest.raises(TypeError, match=r"^`slices` must be an int.* Received: slices='all'"):
        select_tiles("all", 8, "slices", of="'conv'")


@pytest.mark.parametrize("shape", [(5, 3, 3), (5, 3, 3, 4)])
def test_strength_is_the_norm_or_the_mean_of_all_values(rng, shape):
    tiles = rng.normal(size=shape).astype("float32")
    norms = [np.sqrt(sum(float(value) ** 2 for value in tile.flat)) for tile in tiles]
    np.testing.assert_allclose(tile_strength(tiles, "norm"), norms)
    means = [sum(map(float, tile.flat)) / tile.size for tile in tiles]
    np.testing.assert_allclose(tile_strength(tiles, "mean"), means)


def test_what_is_not_finite_has_no_strength():
    tiles = np.array([[[np.nan, 3]], [[np.inf, 4]]])
    assert tile_strength(tiles, "norm").tolist() == [3, 4]
    assert tile_strength(tiles, "mean").tolist() == [1.5, 2]


def test_strength_does_not_overflow_in_a_small_type():
    assert tile_strength(np.full((1, 2, 2), 200, "uint8"), "norm").tolist() == [400]
    assert tile_strength(np.full((1, 2, 2), 6e4, "float16"), "mean") == pytest.approx(6e4, rel=1e-3)


def test_the_strongest_come_first_and_equals_keep_their_order():
    order = order_tiles(np.array([4, 1, 3, 2, 0]), np.array([1.0, 5.0, 5.0, -2.0, 5.0]))
    assert order.tolist() == [4, 1, 2, 0, 3]


@pytest.fixture
def ten_tiles(rng):
    return rng.normal(size=(10, 3, 3)) * rng.permutation(np.arange(1, 11))[:, None, None]


@pytest.mark.parametrize("chosen", [None, slice(2, 9), [7, 1, 4, 0], list(range(9, -1, -1))])
@pytest.mark.parametrize("sort", [None, "norm", "mean"])
def test_the_strongest_of_what_was_chosen_come_first(ten_tiles, chosen, sort):
    choice = TileChoice(tiles=chosen, sort=sort, top=3)
    indices, words = choose_tiles(ten_tiles, choice, "tiles")
    among = np.arange(10) if chosen is None else np.arange(10)[chosen]
    strength = ten_tiles.mean((1, 2)) if sort == "mean" else np.linalg.norm(ten_tiles, axis=(1, 2))
    assert indices.tolist() == among[np.argsort(-strength[among])][:3].tolist()
    assert words.startswith("3 strongest of ")
    assert words.endswith(", by mean") == (sort == "mean")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ""),
        ({"sort": "norm"}, ""),
        ({"top": 10}, ""),
        ({"top": 99, "tiles": slice(4)}, "filters 0–3 of 10"),
        ({"top": 4}, "4 strongest of 10 kernels"),
        ({"top": 1, "tiles": slice(4)}, "1 strongest of filters 0–3 of 10"),
        ({"tiles": 3}, "filter 3 of 10"),
        ({"tiles": [3, 3]}, "filter 3 of 10"),
        ({"tiles": [4, 3]}, "filters 3, 4 of 10"),
        ({"tiles": [-1, 5, 0, 6, 7]}, "filters 0, 5–7, 9 of 10"),
        ({"tiles": slice(1, None), "sort": "mean"}, "filters 1–9 of 10"),
    ],
)
def test_words_say_which_tiles_these_are(ten_tiles, options, words):
    choice = TileChoice(**options)
    assert choose_tiles(ten_tiles, choice, "kernels", "filters").words == words


def test_words_list_the_first_of_many_indices():
    words = choose_tiles(np.ones((40, 2)), TileChoice(tiles=slice(None, None, 2)), "tiles")
    assert words.words == "20 of 40 tiles (0, 2, 4, 6, 8, 10, …)"
