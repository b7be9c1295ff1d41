"""Every plot of tiles is legible in each size, font, style and layout, or says the least size."""

import numpy as np
import pytest

import kerasviz
from legibility import faults, is_legible_or_refused, sample_cases

ONE, SEVERAL = ("own", "ax", "subfigure"), ("own", "subfigure")
WAVES = np.sin(np.arange(6 * 6 * 12)).reshape(6, 6, 12)


@pytest.mark.parametrize("case", sample_cases(14, seed=1, places=ONE), ids=str)
def test_plot_kernels_is_legible_or_refused(grey_model, case):
    assert (
        is_legible_or_refused(
            lambda **place: kerasviz.plot_kernels(grey_model, "second", **place), case
        )
        or case.may_be_refused()
    )


@pytest.mark.parametrize("case", sample_cases(14, seed=2, places=ONE), ids=str)
def test_plot_tiles_with_names_is_legible_or_refused(case):
    names = [f"a tile with the number {index}" for index in range(12)]
    assert (
        is_legible_or_refused(
            lambda **place: kerasviz.plot_tiles(WAVES, tile_names=names, **place), case
        )
        or case.may_be_refused()
    )


@pytest.mark.parametrize("case", sample_cases(12, seed=3, places=ONE), ids=str)
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


@pytest.mark.parametrize("case", sample_cases(12, seed=4, places=SEVERAL), ids=str)
def test_plot_kernels_of_two_layers_is_legible_or_refused(grey_model, case):
    assert is_legible_or_refused(
        lambda **place: kerasviz.plot_kernels(grey_model, **place), case, several=True
    ) or case.may_be_refused(several=True)


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
