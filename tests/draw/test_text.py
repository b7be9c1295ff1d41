import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from kerasviz._wording import sample_of
from kerasviz.draw.text import escape

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
