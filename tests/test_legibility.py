"""Break a picture in each way that `legibility` must see."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patheffects import withStroke

import kerasviz
from legibility import CASES, Case, faults, is_legible_or_refused, opened, sample_cases

WAVES = np.sin(np.arange(6 * 6 * 4)).reshape(6, 6, 4)


@pytest.fixture
def figure():
    figure = plt.figure(figsize=(4, 3))
    yield figure
    plt.close(figure)


def test_faults_finds_none_in_plain_words(figure):
    figure.text(0.1, 0.7, "black on white")
    figure.text(0.1, 0.3, "grey of 4.6 to 1", color="#757575")
    assert not faults(figure)


@pytest.mark.parametrize(("x", "y"), [(-0.05, 0.5), (0.9, 0.5), (0.1, 0.99), (0.1, -0.02)])
def test_faults_finds_a_text_that_leaves_the_figure(figure, x, y):
    figure.text(x, y, "beyond an edge")
    assert "clipped" in faults(figure)[0]


def test_faults_finds_texts_on_one_another(figure):
    figure.text(0.1, 0.5, "one")
    figure.text(0.12, 0.52, "another")
    (fault,) = faults(figure)
    assert fault == "overlapping: 'one' and 'another'"


@pytest.mark.parametrize("color", ["#787878", "yellow", "white", (0, 0, 0, 0.4)])
def test_faults_finds_a_pale_text(figure, color):
    figure.text(0.1, 0.5, "pale", color=color)
    assert "contrast" in faults(figure)[0]


def test_faults_looks_at_what_is_behind_the_letters(figure):
    ax = figure.add_axes((0, 0, 1, 1))
    ax.imshow([[0, 1]], cmap="gray", aspect="auto")
    ax.set(xticks=[], yticks=[])
    figure.text(0.55, 0.5, "right", color="black")
    assert not faults(figure)
    figure.text(0.05, 0.5, "left", color="black")
    assert ["left" in fault for fault in faults(figure)] == [True]


def test_faults_takes_an_outline_for_what_is_behind_the_letters(figure):
    figure.set_facecolor("black")
    text = figure.text(0.1, 0.5, "black", color="black")
    assert faults(figure)
    text.set_path_effects([withStroke(linewidth=4, foreground="white")])
    assert not faults(figure)


def test_faults_leaves_out_what_is_not_drawn(figure):
    ax = figure.add_subplot()
    ax.set_xticks([0, 1, 5], ["in", "at the end", "outside"])
    ax.set(xlim=(0, 1), yticks=[])
    figure.text(-1, 0.5, "hidden", visible=False)
    figure.text(-1, 0.5, " ")
    assert not faults(figure)


def test_faults_finds_a_colour_bar_that_is_not_as_high_as_its_tiles():
    plot = kerasviz.plot_tiles(WAVES, colorbar=True)
    assert not faults(plot)
    bar = plot.panels[0].colorbar.ax
    box = bar.get_position()
    bar.set_axes_locator(None)
    bar.set_position((box.x0, box.y0 + 0.05, box.width, box.height - 0.05))
    assert any("colour bar" in fault for fault in faults(plot))
    plot.close()


def test_sample_cases_gives_the_same_ones_for_a_seed():
    assert len(CASES) == len(set(CASES)) == 720
    assert sample_cases(60) == sample_cases(60)
    assert sample_cases(60) != sample_cases(60, seed=1)
    assert {case.place for case in sample_cases(60, places=["own"])} == {"own"}


def test_opened_draws_in_the_font_the_style_and_the_layout_of_a_case():
    case = Case(size=(6, 4), font=14, style="dark_background", layout="tight", place="subfigure")
    with opened(lambda figure: kerasviz.plot_tiles(WAVES, figure=figure), case) as plot:
        figure = plot.figure.get_figure(root=True)
        assert type(figure.get_layout_engine()).__name__ == "TightLayoutEngine"
        assert figure.get_facecolor() == (0, 0, 0, 1)
        assert plt.rcParams["font.size"] == 14
        assert np.allclose([plot.figure.bbox.width, plot.figure.bbox.height], [600, 400])
    assert not plt.get_fignums()


SMALL = Case(size=(3.3, 2.5), font=10, style="default", layout="none", place="own")
LARGE = Case(size=(6, 4), font=10, style="default", layout="none", place="own")


def draw_or_refuse(figsize, least=(5, 2.4)):
    """Draw a picture, or refuse a width or a height that is too small."""
    if figsize[0] < least[0] or figsize[1] < least[1]:
        raise ValueError(f"`figsize` must be at least {least[0]:g} x {least[1]:g} in.")
    figure = plt.figure(figsize=figsize)
    return kerasviz.plot_tiles(WAVES, figure=figure, colorbar=False)


def test_is_legible_or_refused_takes_a_refusal_that_says_the_least_size():
    assert not is_legible_or_refused(draw_or_refuse, SMALL)
    assert is_legible_or_refused(draw_or_refuse, LARGE)
    assert not plt.get_fignums()


def test_is_legible_or_refused_takes_no_other_refusal():
    with pytest.raises(AssertionError, match="is large enough"):
        is_legible_or_refused(lambda figsize: draw_or_refuse(figsize, (6.5, 4)), LARGE)
    with pytest.raises(AssertionError, match="is larger than"):
        is_legible_or_refused(lambda **_: draw_or_refuse([0, 0], (3, 2)), SMALL)
    with pytest.raises(AssertionError, match="least size is not said"):
        is_legible_or_refused(lambda **_: kerasviz.plot_tiles(np.zeros(3)), SMALL)


def test_is_legible_or_refused_looks_at_the_picture_of_the_least_size():
    def draw(figsize):
        plot = draw_or_refuse(figsize)
        plot.panels[0].ax.set_title("")
        plot.figure.text(0.9, 0.5, "much too long")
        return plot

    with pytest.raises(AssertionError, match="clipped"):
        is_legible_or_refused(draw, SMALL)
