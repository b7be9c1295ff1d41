"""Pictures of preferred inputs: they hold what `get_preferred_inputs` returns."""

from __future__ import annotations

from typing import Any

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest

import kerasviz
from legibility import Case, assert_legible, is_legible_or_refused, sample_cases
from marks import slow_after

L = keras.layers
IMAGES = np.random.default_rng(0).random((20, 9, 9, 1)).astype("float32")


@pytest.fixture(scope="module", name="model")
def _model() -> keras.Model:
    keras.utils.set_random_seed(0)
    layers = [L.Conv2D(3, 3, padding="same", activation="relu", name="a"), L.Conv2D(20, 3)]
    return keras.Sequential([keras.Input((9, 9, 1)), *layers])


def _captions(plot: kerasviz.Plot) -> list[str]:
    return [text.get_text() for ax in plot.axes for text in ax.texts]


def test_plot_preferred_inputs_draws_what_get_preferred_inputs_returns(model: Any) -> None:
    made = kerasviz.get_preferred_inputs(model, "a", filters=[2, 0], steps=3)
    plot = kerasviz.plot_preferred_inputs(model, "a", filters=[2, 0], steps=3)
    assert [panel.indices.tolist() for panel in plot.panels] == [[2], [0]]
    for panel, image, value in zip(plot.panels, made.images, made.values, strict=True):
        np.testing.assert_array_equal(panel.values, image)
        np.testing.assert_allclose(panel.image.get_array()[..., 0], image[..., 0], atol=1e-6)
        assert f"{value:#.3g}".replace("-", "\N{MINUS SIGN}") in _captions(plot)
    assert "filters 0, 2 of 3" in plot.figure.get_suptitle()
    assert "synthetic" in plot.figure.get_suptitle()
    plot.close()


@pytest.mark.parametrize(("layer", "kind"), [("a", "filter"), ("d", "unit")])
def test_plot_preferred_inputs_says_units_of_a_layer_without_space(layer: str, kind: str) -> None:
    layers = [L.Conv2D(3, 3, name="a"), L.Flatten(), L.Dense(5, name="d")]
    model = keras.Sequential([keras.Input((5, 5, 1)), *layers])
    plot = kerasviz.plot_preferred_inputs(model, layer, filters=[2, 1], steps=2)
    words = [plot.figure.get_suptitle(), *_captions(plot), *(p.title for p in plot.panels)]
    plot.close()
    assert f"{kind}s 1, 2 of {3 if layer == 'a' else 5}" in words[0]
    assert f"{kind} 2" in words[1:]
    assert not any({"filter": "unit ", "unit": "filter"}[kind] in w for w in words[1:])


def test_plot_preferred_inputs_draws_the_best_of_the_data_beside(model: Any) -> None:
    statistics = kerasviz.filter_statistics(model, "a", IMAGES)
    plot = kerasviz.plot_preferred_inputs(model, statistics=statistics, steps=3)
    maps = np.asarray(kerasviz.get_feature_maps(model, "a", IMAGES))
    padded = np.pad(IMAGES, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=np.nan)
    best = plot.panels[1::2]
    assert [int(panel.indices[0]) for panel in best] == [0, 1, 2]
    for index, panel in enumerate(best):
        image, row, column = np.unravel_index(maps[..., index].argmax(), maps.shape[:3])
        seen = padded[image, row : row + 3, column : column + 3]
        np.testing.assert_array_equal(panel.values, seen)
        assert f"image {image}," in panel.title
        assert f"{maps[..., index].max():#.3g}" in _captions(plot)
    assert "best of 20 images" in " ".join(plot.figure.get_suptitle().split())
    plot.close()


def test_plot_preferred_inputs_draws_the_first_sixteen(model: Any) -> None:
    plot = kerasviz.plot_preferred_inputs(model, 1, steps=1)
    assert [int(panel.indices[0]) for panel in plot.panels] == list(range(16))
    plot.close()
    plot = kerasviz.plot_preferred_inputs(model, 1, steps=1, filters="all")
    assert len(plot.panels) == 20
    plot.close()


def test_plot_preferred_inputs_of_a_signal_draws_curves() -> None:
    model = keras.Sequential([keras.Input((30, 2)), L.Conv1D(2, 5, name="c")])
    made = kerasviz.get_preferred_inputs(model, "c", steps=2)
    plot = kerasviz.plot_preferred_inputs(model, "c", steps=2)
    for panel, signal in zip(plot.panels, made.images, strict=True):
        np.testing.assert_array_equal([line.get_ydata() for line in panel.ax.lines], signal.T)
    plot.close()


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"filters": [5]}, ValueError, "`filters` must be indices of the 3 filters"),
        ({"filters": "some"}, TypeError, "`filters` must be"),
        ({"statistics": "a.npz"}, TypeError, "`statistics` must be a FilterStatistics"),
        ({"figsize": (1, 1)}, ValueError, r"`figsize` must be at least \S+ x \S+ in"),
        ({"objective": "class"}, ValueError, "`objective` must be"),
        ({"ax": 3}, ValueError, "`ax` takes one panel"),
    ],
)
def test_plot_preferred_inputs_refuses(model: Any, change: Any, error: Any, words: str) -> None:
    before = plt.get_fignums()
    with pytest.raises(error, match=words):
        kerasviz.plot_preferred_inputs(model, "a", **{"steps": 1, **change})
    assert plt.get_fignums() == before


def test_plot_preferred_inputs_refuses_statistics_of_another_model(model: Any) -> None:
    statistics = kerasviz.filter_statistics(model, "a", IMAGES)
    other = keras.models.clone_model(model)
    with pytest.raises(ValueError, match="`statistics` must be statistics of `model`"):
        kerasviz.plot_preferred_inputs(other, "a", statistics=statistics)


@pytest.mark.parametrize(
    "case", slow_after(1, sample_cases(4, seed=5, places=("own", "subfigure"))), ids=str
)
def test_plot_preferred_inputs_is_legible(model: Any, case: Case) -> None:
    def draw(**place: Any) -> kerasviz.Plot:
        return kerasviz.plot_preferred_inputs(model, "a", steps=1, **place)

    is_legible_or_refused(draw, case, several=True)


def test_plot_preferred_inputs_breaks_its_title_by_the_letters_of_a_screen() -> None:
    """Small letters are wider in few dots than on paper."""
    model = kerasviz.fashion_mnist.load_model()
    case = Case(size=(3.3, 2.5), font=8, style="seaborn-v0_8", layout="tight", place="subfigure")

    def draw(**place: Any) -> kerasviz.Plot:
        return kerasviz.plot_preferred_inputs(model, "conv2d_1", filters=8, steps=1, **place)

    with plt.rc_context({"figure.dpi": 60}):
        is_legible_or_refused(draw, case, several=True)


@pytest.mark.parametrize("size", [(7, 5), (14, 6)])
def test_plot_preferred_inputs_fits_a_figure_that_gets_another_size(
    model: Any, size: tuple[float, float]
) -> None:
    plot = kerasviz.plot_preferred_inputs(model, "a", steps=1)
    fresh = kerasviz.plot_preferred_inputs(model, "a", steps=1, figsize=size)
    plot.figure.set_size_inches(size)
    assert_legible(plot)
    fresh.figure.draw_without_rendering()
    boxes = [[ax.get_position().bounds for ax in each.axes] for each in (plot, fresh)]
    np.testing.assert_allclose(boxes[0], boxes[1], atol=1e-3)
    plot.close()
    fresh.close()


@pytest.mark.slow
@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_plot_preferred_inputs_is_legible_in_its_own_size(model: Any, style: str) -> None:
    with plt.style.context(style):
        plot = kerasviz.plot_preferred_inputs(model, 1, steps=1, filters="all")
        assert_legible(plot)
        plot.close()
