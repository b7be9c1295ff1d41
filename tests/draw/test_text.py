import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from kerasviz._wording import sample_of
from kerasviz.draw.text import elide_middle, escape, font_size, screen_width

NAMES = ["plain", "$", "$$", r"\$", r"\\$", "file_$1_to_$2.png", r"$\alpha$", "a$b$c$d", "{$^_$}"]


def picture(text, **keywords):
    figure = Figure(figsize=(3, 1))
    figure.text(0.1, 0.5, text, **keywords)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


@pytest.mark.parametrize("name", NAMES)
def test_an_escaped_name_is_drawn_as_without_formulas(name):
    np.testing.assert_array_equal(picture(escape(name)), picture(name, parse_math=False))


def test_two_escaped_names_make_no_formula_together():
    both = f"{escape('a$')} and {escape('$b')}"
    np.testing.assert_array_equal(picture(both), picture("a$ and $b", parse_math=False))


def test_an_escaped_name_may_be_beside_a_formula():
    picture(rf"$\alpha$ of {escape('file_$_')}")


@pytest.mark.parametrize(
    ("index", "total", "words"), [(7, 10, "sample 7 of 10"), (0, 2, "sample 0 of 2"), (0, 1, "")]
)
def test_which_sample_of_several_is_shown(index, total, words):
    assert sample_of(index, total) == words


@pytest.mark.parametrize("name", ["block2_sub_sample_separable_conv1", "a" * 60, "ab"])
@pytest.mark.parametrize("share", [0.99, 0.5, 0.2])
def test_a_long_name_loses_its_middle_and_as_few_letters_as_possible(name, share):
    width = share * screen_width(name, 7)
    start, end = elide_middle(name, width, 7).split("…")
    assert name.startswith(start)
    assert name.endswith(end)
    assert 0 <= len(start) - len(end) <= 1
    remaining = len(start) + len(end)
    if remaining:
        assert screen_width(f"{start}…{end}", 7) <= width
    longer = remaining + 1
    half = longer // 2
    wider = f"{name[: longer - half]}…{name[len(name) - half :]}"
    assert longer == len(name) or screen_width(wider, 7) > width


@pytest.mark.parametrize("width", [np.inf, 1e3])
def test_a_name_that_fits_remains_as_it_is(width):
    assert elide_middle("conv2d", width, 7) == "conv2d"


def test_a_font_size_is_that_of_matplotlib():
    figure = Figure()
    for relative in ("x-small", "small", "medium", "large"):
        assert font_size(relative) == figure.text(0, 0, "", fontsize=relative).get_fontsize()
