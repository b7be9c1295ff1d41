import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from kerasviz._wording import sample_of
from kerasviz.draw.text import (
    elide_middle,
    escape,
    font_size,
    screen_width,
    text_width,
    wrap_text,
)
from kerasviz.plots._architecture.words import short_count

NAMES = ["plain", "$", "$$", r"\$", r"\\$", "file_$1_to_$2.png", r"$\alpha$", "a$b$c$d", "{$^_$}"]


def picture(text, **keywords):
    figure = Figure(figsize=(3, 1))
    figure.text(0.1, 0.5, text, **keywords)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


@pytest.mark.parametrize("name", NAMES)
def test_escape_draws_a_name_as_without_formulas(name):
    np.testing.assert_array_equal(picture(escape(name)), picture(name, parse_math=False))


def test_escape_makes_no_formula_of_two_names():
    both = f"{escape('a$')} and {escape('$b')}"
    np.testing.assert_array_equal(picture(both), picture("a$ and $b", parse_math=False))


def test_escape_leaves_a_formula_beside_a_name():
    picture(rf"$\alpha$ of {escape('file_$_')}")


@pytest.mark.parametrize(
    ("index", "total", "words"), [(7, 10, "sample 7 of 10"), (0, 2, "sample 0 of 2"), (0, 1, "")]
)
def test_sample_of_says_which_sample_of_several(index, total, words):
    assert sample_of(index, total) == words


@pytest.mark.parametrize("words", ["sample 7 of 10", "framed: (8, 14)"])
def test_wrap_text_breaks_no_line_within_a_position_or_a_count(words):
    whole = words.removeprefix("framed: ")
    lines = wrap_text(f"many {words}", screen_width(f"many {words[:-3]}", 8), 8)
    assert any(line.endswith(whole) for line in lines.splitlines())
    assert "\n" in lines


def test_elide_middle() -> None:
    assert elide_middle("conv2d", 100, 7) == "conv2d"
    text = "a_very_long_name_of_a_layer_42"
    short = elide_middle(text, 80, 7)
    assert screen_width(short, 7) <= 80 < screen_width(text, 7)
    start, end = short.split("…")
    assert text.startswith(start)
    assert text.endswith(end)
    assert 0 <= len(start) - len(end) <= 1
    assert screen_width(text[: len(start) + 1] + "…" + end, 7) > 80
    assert elide_middle(text, 1, 7) == "…"


@pytest.mark.parametrize("dpi", [72, 100, 300])
def test_screen_width_is_at_least_what_is_drawn_at_any_resolution(dpi):
    for text in ("Conv2D 3×3 · 64", "illimitable_filter_list"):
        figure = Figure(dpi=dpi)
        drawn = figure.text(0, 0, text, fontsize=7, parse_math=False)
        extent = drawn.get_window_extent(FigureCanvasAgg(figure).get_renderer())
        with matplotlib.rc_context({"figure.dpi": dpi}):
            assert extent.width * 72 / dpi <= screen_width(text, 7) < 1.3 * text_width(text, 7)


def test_font_size_is_that_of_matplotlib():
    figure = Figure()
    for relative in ("x-small", "small", "medium", "large"):
        assert font_size(relative) == figure.text(0, 0, "", fontsize=relative).get_fontsize()


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (1, "1"),
        (99_999, "99,999"),
        (100_000, "100k"),
        (147_584, "148k"),
        (999_499, "999k"),
        (999_600, "1M"),
        (2_257_984, "2.26M"),
        (138_357_544, "138M"),
        (1_300_000_000, "1.3G"),
    ],
)
def test_short_count(count, text):
    assert short_count(count) == text
