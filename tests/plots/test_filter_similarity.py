"""Similarity of filters and of layers, against NumPy over all maps at once and against SciPy."""

from __future__ import annotations

from typing import Any

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

import kerasviz
from legibility import Case, assert_legible, is_legible_or_refused, sample_cases
from marks import slow_after

L = keras.layers
IMAGES = np.random.default_rng(0).normal(size=(40, 8, 9, 1)).astype("float32")


def _model(seed: int = 0) -> keras.Model:
    keras.utils.set_random_seed(seed)
    layers = [
        L.Conv2D(12, 3, activation="relu", name="a"),
        L.Conv2D(5, 2, strides=2, activation="tanh", name="b"),
        L.Flatten(name="flat"),
        L.Dense(4, name="d"),
    ]
    model = keras.Sequential([keras.Input((8, 9, 1)), *layers])
    kernel, bias = model.get_layer("a").get_weights()
    kernel[..., 7] = 2 * kernel[..., 2]  # a duplicate
    kernel[..., 4], bias[4] = 0, 0  # dead
    model.get_layer("a").set_weights([kernel, bias])
    return model


@pytest.fixture(scope="module", name="model")
def _shared_model() -> keras.Model:
    return _model()


def _title(plot: kerasviz.Plot) -> str:
    return " ".join(plot.panels[0].ax.get_title().split())


def _cka(a: np.ndarray, b: np.ndarray) -> float:
    """Return linear CKA as Kornblith et al. (2019) write it."""
    a, b = (x.reshape(len(x), -1).astype("float64") for x in (a, b))
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    return float(np.linalg.norm(a.T @ b) ** 2 / (np.linalg.norm(a.T @ a) * np.linalg.norm(b.T @ b)))


def test_plot_filter_similarity_is_the_correlation_of_all_maps(model: Any) -> None:
    plot = kerasviz.plot_filter_similarity(model, "a", IMAGES)
    (panel,) = plot.panels
    maps = np.asarray(kerasviz.get_feature_maps(model, "a", IMAGES)).reshape(-1, 12)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = np.corrcoef(maps.astype("float64").T)
    assert sorted(panel.indices) == list(range(12))
    assert panel.indices[-1] == 4
    assert np.isnan(panel.values[-1]).all()
    order = np.ix_(panel.indices, panel.indices)
    np.testing.assert_allclose(panel.values, expected[order], atol=1e-5)
    np.testing.assert_array_equal(panel.image.get_array().filled(np.nan), panel.values)
    assert panel.limits == (-1, 1)
    assert "Duplicates: 2 and 7. 1 dead (grey)." in _title(plot)
    plot.close()


def test_plot_filter_similarity_keeps_the_clusters_of_scipy_together() -> None:
    rng = np.random.default_rng(1)
    for _ in range(2):
        keras.utils.set_random_seed(int(rng.integers(1000)))
        model = keras.Sequential([keras.Input((8, 9, 1)), L.Conv2D(20, 3, name="a")])
        plot = kerasviz.plot_filter_similarity(model, "a", IMAGES)
        (panel,) = plot.panels
        plot.close()
        correlation = kerasviz.filter_statistics(model, "a", IMAGES).correlation
        distance = squareform(1 - correlation, checks=False)
        tree = hierarchy.to_tree(hierarchy.average(distance), rd=True)[1]
        place = np.argsort(panel.indices)
        for node in tree:
            places = sorted(place[node.pre_order()])
            assert places == list(range(places[0], places[0] + len(places)))


def test_plot_filter_similarity_of_statistics_in_the_order_of_the_layer(model: Any) -> None:
    statistics = kerasviz.filter_statistics(model, "b", IMAGES)
    plot = kerasviz.plot_filter_similarity(model, inputs=statistics, cluster=False)
    np.testing.assert_array_equal(plot.panels[0].values, statistics.correlation)
    assert plot.panels[0].indices.tolist() == [0, 1, 2, 3, 4]
    assert "No duplicates; most alike:" in _title(plot)
    plot.close()


def test_plot_filter_similarity_of_layers_is_cka(model: Any) -> None:
    names = ["a", "b", "d"]
    plot = kerasviz.plot_filter_similarity(model, names, IMAGES, batch_size=7)
    maps = kerasviz.get_feature_maps(model, names, IMAGES)
    expected = [[_cka(maps[a], maps[b]) for b in names] for a in names]
    np.testing.assert_allclose(plot.panels[0].values, expected, rtol=1e-5)
    ax = plot.panels[0].ax
    assert [label.get_text() for label in ax.get_yticklabels()] == names
    assert f"{expected[0][1]:.2f}" in [text.get_text() for text in ax.texts]
    assert "over 40 images" in _title(plot)
    plot.close()


def test_plot_filter_similarity_of_two_models_is_cka(model: Any) -> None:
    other = _model(1)
    batches = (IMAGES[n : n + 6] for n in range(0, 40, 6))
    plot = kerasviz.plot_filter_similarity(
        {"before": model, "after": other}, None, batches, samples=20
    )
    first, second = (kerasviz.get_feature_maps(m, None, IMAGES[:20]) for m in (model, other))
    expected = [[_cka(x, y) for y in second.values()] for x in first.values()]
    np.testing.assert_allclose(plot.panels[0].values, expected, rtol=1e-5)
    assert "over 20 images: before (rows) and after (columns)" in _title(plot)
    plot.close()


def test_plot_filter_similarity_averages_large_maps_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kerasviz.compute.filters.similarity.MAX_VALUES", 60)
    model = keras.Sequential([keras.Input((5, 5, 1)), L.Conv2D(4, 1, name="a"), L.Conv2D(1, 3)])
    images = np.random.default_rng(2).random((5, 5, 5, 1)).astype("float32")
    plot = kerasviz.plot_filter_similarity(model, None, images)
    a, b = kerasviz.get_feature_maps(model, None, images).values()
    # Of an odd number of cells, the last block along each axis has one.
    blocks = np.pad(a, ((0, 0), (0, 1), (0, 1), (0, 0)), constant_values=np.nan)
    small = np.nanmean(blocks.reshape(5, 3, 2, 3, 2, 4), axis=(2, 4))
    np.testing.assert_allclose(plot.panels[0].values[0, 1], _cka(small, b), rtol=1e-4)
    assert "Averaged: a over 2 cells along each axis" in _title(plot)
    plot.close()


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"inputs": None}, TypeError, "`inputs` must be images"),
        ({"inputs": IMAGES[:1], "layer": ["a", "b"]}, ValueError, "at least two images"),
        ({"cluster": "yes"}, TypeError, "`cluster` must be a bool"),
        ({"samples": 0}, ValueError, "`samples` must be"),
        ({"layer": "c"}, ValueError, "layer"),
        ({"batch_size": 0}, ValueError, "`batch_size`"),
        ({"figsize": (0.5, 0.5)}, ValueError, "`figsize` must be at least"),
    ],
)
def test_plot_filter_similarity_refuses(model: Any, arguments: Any, error: Any, words: str) -> None:
    arguments = {"layer": "a", "inputs": IMAGES, **arguments}
    before = plt.get_fignums()
    with pytest.raises(error, match=words):
        kerasviz.plot_filter_similarity(model, **arguments)
    assert plt.get_fignums() == before


def test_plot_filter_similarity_refuses_three_models(model: Any) -> None:
    models = dict.fromkeys("abc", model)
    with pytest.raises(ValueError, match="`model` must be one model or two"):
        kerasviz.plot_filter_similarity(models, "a", IMAGES)


@pytest.mark.parametrize("case", slow_after(1, sample_cases(4, seed=3)), ids=str)
def test_plot_filter_similarity_is_legible(model: Any, case: Case) -> None:
    statistics = kerasviz.filter_statistics(model, "a", IMAGES)

    def draw(**place: Any) -> kerasviz.Plot:
        return kerasviz.plot_filter_similarity(model, "a", statistics, **place)

    is_legible_or_refused(draw, case)


@pytest.mark.few(1)
@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_plot_filter_similarity_is_legible_in_its_own_size(model: Any, style: str) -> None:
    with plt.style.context(style):
        plot = kerasviz.plot_filter_similarity(model, ["a", "b", "flat", "d"], IMAGES)
        assert_legible(plot)
        plot.close()


def test_plot_filter_similarity_of_layers_names_them_in_full_and_writes_numbers_once() -> None:
    names = ["a_convolution_of_edges", "a_convolution_of_corners"]
    layers = [L.Conv2D(3, 3, name=name) for name in names]
    deep = keras.Sequential([keras.Input((8, 8, 1)), *layers])
    images = np.random.default_rng(6).random((6, 8, 8, 1)).astype("float32")
    plot = kerasviz.plot_filter_similarity(deep, names, images)
    ax = plot.axes[0]
    assert [text.get_text() for text in ax.get_yticklabels()] == names
    plot.figure.set_size_inches(1.3 * plot.figure.get_size_inches())
    plot.figure.draw_without_rendering()
    assert len(ax.texts) == 4
    plot.close()


@pytest.mark.parametrize(("left", "has_unit"), [(0.2, True), (0.42, False)])
def test_plot_filter_similarity_in_an_axes_says_what_the_bar_shows_where_it_has_room(
    model: Any, left: float, has_unit: bool
) -> None:
    figure = plt.figure(figsize=(9, 7))
    ax = figure.add_axes((left, 0.25, 0.5, 0.55))
    plot = kerasviz.plot_filter_similarity(model, "a", IMAGES, ax=ax)
    label = plot.panels[0].colorbar.ax.get_ylabel()
    plt.close(figure)
    assert bool(label) is has_unit
