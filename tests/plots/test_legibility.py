"""Every plot of tiles is legible in each size, font, style and layout, or says the least size."""

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest

import kerasviz
from legibility import Case, faults, is_legible_or_refused, sample_cases
from marks import slow_after

ONE, SEVERAL = ("own", "ax", "subfigure"), ("own", "subfigure")
WAVES = np.sin(np.arange(6 * 6 * 12)).reshape(6, 6, 12)


@pytest.mark.parametrize("case", slow_after(1, sample_cases(14, seed=1, places=ONE)), ids=str)
def test_plot_kernels_is_legible_or_refused(grey_model, case):
    assert (
        is_legible_or_refused(
            lambda **place: kerasviz.plot_kernels(grey_model, "second", **place), case
        )
        or case.may_be_refused()
    )


@pytest.mark.parametrize("case", slow_after(1, sample_cases(14, seed=2, places=ONE)), ids=str)
def test_plot_tiles_with_names_is_legible_or_refused(case):
    names = [f"a tile with the number {index}" for index in range(12)]
    assert (
        is_legible_or_refused(
            lambda **place: kerasviz.plot_tiles(WAVES, tile_names=names, **place), case
        )
        or case.may_be_refused()
    )


@pytest.mark.parametrize("case", slow_after(1, sample_cases(12, seed=3, places=ONE)), ids=str)
def test_plot_feature_maps_of_several_samples_is_legible_or_refused(grey_model, rng, case):
    images = rng.uniform(size=(3, 12, 12, 1)).astype("float32")
    assert (
        is_legible_or_refused(
            lambda **place: kerasviz.plot_feature_maps(
                grey_model, "first", images, sample="all", **place
            ),
            case,
        )
        or case.may_be_refused()
    )


@pytest.mark.parametrize("case", slow_after(1, sample_cases(12, seed=4, places=SEVERAL)), ids=str)
def test_plot_kernels_of_two_layers_is_legible_or_refused(grey_model, case):
    assert is_legible_or_refused(
        lambda **place: kerasviz.plot_kernels(grey_model, **place), case, several=True
    ) or case.may_be_refused(several=True)


def a_case(size, font, style, place, layout="none"):
    return Case(size=size, font=font, style=style, layout=layout, place=place)


def test_plot_tiles_numbers_as_many_rows_as_have_room(rng):
    """The title takes more lines than planned, and the rows become lower."""
    array, case = rng.normal(size=(14, 14, 320)), a_case((3.3, 3.1), 18, "default", "own")
    assert is_legible_or_refused(lambda **place: kerasviz.plot_tiles(array, **place), case)


def test_plot_tiles_breaks_a_count_that_is_wider_than_a_line(rng):
    """In other places "strongest of 320" stays in one line."""
    array, case = rng.normal(size=(3, 3, 320)), a_case((3.3, 4.9), 24, "ggplot", "own")
    assert is_legible_or_refused(lambda **place: kerasviz.plot_tiles(array, **place), case)


def test_plot_tiles_numbers_fewer_rows_when_its_figure_becomes_smaller(plot_tiles, rng):
    plot = plot_tiles(rng.normal(size=(3, 3, 900)), tiles="all", labels=True, figsize=(6, 6))
    many = len(plot.axes[0].get_yticks())
    plot.figure.set_size_inches(3.5, 3.5)
    assert not faults(plot)
    assert 1 < len(plot.axes[0].get_yticks()) < many


def test_plot_tiles_says_a_least_size_at_which_its_names_have_room():
    case = a_case((3.3, 2.5), 24, "dark_background", "ax", layout="constrained")
    names = [f"a tile with the number {index}" for index in range(12)]
    assert not is_legible_or_refused(
        lambda **place: kerasviz.plot_tiles(WAVES, tile_names=names, **place), case
    )


def test_plot_tiles_has_room_for_the_longest_numbers_of_a_bar(plot_tiles):
    """0.25 and 0.5 are longer than the 0.2, 0.4 and 0.6 of a higher bar."""
    values = np.linspace(0, 0.85, 64).reshape(4, 4, 4)
    plot = plot_tiles(values, figsize=(7, 7))
    for height in np.linspace(7, 1.5, 12):
        plot.figure.set_size_inches(7, height)
        found = [fault for fault in faults(plot) if "clipped" in fault]
        assert not found, height


@pytest.mark.few(2)
@pytest.mark.parametrize("size", [(9, 4), (12, 12)], ids=str)
@pytest.mark.parametrize("options", [{}, {"labels": True}, {"figsize": (6, 5)}], ids=str)
def test_plot_tiles_stays_in_order_when_its_figure_gets_another_size(plot_tiles, size, options):
    plot = plot_tiles(WAVES, **options)
    plot.figure.set_size_inches(size)
    assert not faults(plot)


def test_plot_tiles_leaves_an_axes_where_the_caller_moves_it(plot_tiles):
    plot = plot_tiles(WAVES)
    plot.axes[0].set_position((0.3, 0.2, 0.4, 0.4))
    plot.figure.draw_without_rendering()
    box = plot.axes[0].get_position()
    assert 0.3 <= box.x0 < box.x1 <= 0.7 + 1e-9


@pytest.mark.parametrize("shape", [(3, 3, 12), (128, 128, 64), (7, 7, 300)], ids=str)
def test_plot_tiles_enlarges_its_figure_by_the_lines_of_numbers_alone(plot_tiles, rng, shape):
    array = rng.normal(size=shape).astype("float32")
    sizes = [
        plot_tiles(
            array, tiles="all", labels=labels, title=False, colorbar=False
        ).figure.get_size_inches()
        for labels in (False, True)
    ]
    rows = 25
    assert sizes[1][0] <= sizes[0][0] + 0.5
    assert sizes[1][1] <= sizes[0][1] + rows * 0.2


@pytest.fixture(scope="module")
def signal_model():
    layers = [
        keras.layers.Conv1D(6, 5, name="conv"),
        keras.layers.GlobalAveragePooling1D(),
        keras.layers.Dense(12, activation="softmax", name="classes"),
    ]
    return keras.Sequential([keras.Input((40, 2)), *layers])


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("layer", "options"),
    [("conv", {"kind": "lines"}), ("conv", {"kind": "rows"}), ("classes", {})],
    ids=["lines", "rows", "bars"],
)
@pytest.mark.parametrize("case", slow_after(1, sample_cases(4, seed=5)), ids=str)
def test_plot_feature_maps_of_sequences_is_legible_or_refused(signal_model, layer, options, case):
    signals = np.sin(np.arange(80.0)).reshape(1, 40, 2)
    is_legible_or_refused(
        lambda **place: kerasviz.plot_feature_maps(
            signal_model, layer, signals, **options, **place
        ),
        case,
    )


@pytest.mark.parametrize("case", slow_after(1, sample_cases(4, seed=6)), ids=str)
def test_plot_kernels_of_sequences_is_legible_or_refused(signal_model, case):
    is_legible_or_refused(
        lambda **place: kerasviz.plot_kernels(signal_model, "conv", **place), case
    )


def test_plot_feature_maps_says_the_least_size_of_bars(signal_model):
    signals = np.ones((1, 40, 2))
    with pytest.raises(ValueError, match=r"must be at least [\d.]+ x [\d.]+ in"):
        kerasviz.plot_feature_maps(signal_model, "classes", signals, figsize=(1.5, 1))


@pytest.mark.parametrize("options", [{}, {"figsize": (8, 5)}], ids=str)
def test_plot_kernels_stays_in_order_when_the_caller_asks_for_tight_layout(grey_model, options):
    plot = kerasviz.plot_kernels(grey_model, **options)
    plot.figure.tight_layout()
    found = faults(plot)
    before = [ax.get_position().bounds for ax in plot.axes]
    plot.figure.set_layout_engine("tight")
    plot.figure.draw_without_rendering()
    after = [ax.get_position().bounds for ax in plot.axes]
    plot.close()
    assert not found
    np.testing.assert_allclose(after, before)


def test_plot_feature_maps_keeps_the_name_of_the_first_bar_below_the_title(signal_model):
    """At 60 dots per inch the letters of a name are higher than what is measured at 100."""
    case = a_case((3.3, 2.5), 24, "ggplot", "subfigure", layout="constrained")
    names, signals = [f"a class, number {index}" for index in range(12)], np.ones((1, 40, 2))
    with plt.rc_context({"figure.dpi": 60}):
        assert not is_legible_or_refused(
            lambda **place: kerasviz.plot_feature_maps(
                signal_model, "classes", signals, class_names=names, **place
            ),
            case,
        )


@pytest.mark.parametrize(
    ("layer", "options"),
    [
        ("conv", {"kind": "lines"}),
        ("conv", {"kind": "rows"}),
        ("conv", {"overlay": True, "kind": "rows"}),
        ("classes", {"class_names": [f"class {index}" for index in range(12)]}),
    ],
    ids=["lines", "rows", "over", "bars"],
)
def test_plot_feature_maps_of_sequences_stays_in_order_in_a_smaller_figure(
    signal_model, layer, options
):
    """The figure gets another size after the style of the picture has ended."""
    signals = np.sin(np.arange(80.0)).reshape(1, 40, 2)
    with plt.style.context("dark_background"), plt.rc_context({"font.size": 14}):
        plot = kerasviz.plot_feature_maps(signal_model, layer, signals, figsize=(10, 8), **options)
    image = plot.panels[0].image
    plot.figure.set_size_inches(6, 4)
    found, images = faults(plot), list(plot.axes[0].images)
    plot.close()
    assert not found
    assert images == [] if image is None else image in images, "the panel's image is the one seen"


def test_plot_tiles_shortens_names_when_its_figure_becomes_smaller(plot_tiles):
    names = [f"a tile with the number {index}" for index in range(12)]
    plot = plot_tiles(WAVES, tile_names=names, figsize=(10, 8))
    plot.axes[0].texts[3].set_text("mine")
    sizes = (10, 8), (5, 4), (10, 8)
    written = []
    for size in sizes:
        plot.figure.set_size_inches(size)
        assert not faults(plot)
        written.append([text.get_text() for text in plot.axes[0].texts])
    assert written[0] == written[2] != written[1]
    assert written[1][0].startswith("a ")
    assert "…" in written[1][0]
    assert [row[3] for row in written] == ["mine"] * 3


def test_plot_tiles_leaves_numbers_out_that_have_no_room_in_a_smaller_figure(plot_tiles, rng):
    plot = plot_tiles(rng.normal(size=(5, 5, 64)), labels=True)
    plot.figure.set_size_inches(1.5, 1.5)
    plot.figure.draw_without_rendering()
    assert {text.get_text() for text in plot.axes[0].texts} == {""}
