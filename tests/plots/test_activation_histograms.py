"""Histograms of activations, against NumPy over all maps at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest

import kerasviz
from legibility import Case, is_legible_or_refused, sample_cases
from marks import slow_after

L = keras.layers
IMAGES = np.random.default_rng(0).normal(size=(40, 8, 9, 1)).astype("float32")
LABELS = np.arange(40) % 3
NAMES = ["boot", "bag", "coat"]


@pytest.fixture(scope="module", name="model")
def _model() -> keras.Model:
    keras.utils.set_random_seed(0)
    layers = [
        L.Conv2D(6, 3, activation="relu", name="a"),
        L.Conv2D(5, 2, name="b"),
        L.Flatten(name="flat"),
        L.Dense(4, activation="softmax", name="d"),
    ]
    return keras.Sequential([keras.Input((8, 9, 1)), *layers])


def _assert_near(counts: np.ndarray, values: np.ndarray, edges: np.ndarray) -> None:
    """Assert that counts are those of NumPy, but for values within 1 % of an edge."""
    expected, _ = np.histogram(values, edges)
    assert counts.sum() == pytest.approx(values.size)
    near = np.abs(values.ravel()[:, np.newaxis] - edges) < 0.008 * np.abs(edges)
    slack = near.sum(axis=0)
    assert (np.abs(counts - expected) <= slack[:-1] + slack[1:] + 1e-6).all()


@pytest.mark.few(1)
@pytest.mark.parametrize("bins", [4, 17])
def test_plot_activation_histograms_counts_all_values_of_a_layer(model: Any, bins: int) -> None:
    names = ["a", "b", "d"]
    plot = kerasviz.plot_activation_histograms(model, names, IMAGES, bins=bins)
    maps = kerasviz.get_feature_maps(model, names, IMAGES)
    for panel, (address, values) in zip(plot.panels, maps.items(), strict=True):
        assert panel.address == address
        edges = np.linspace(values.min(), values.max(), bins + 1)
        _assert_near(panel.values[0], values, edges)
        assert f"{address}: {values.size:,}" in " ".join(panel.title.split())
    words = [text.get_text() for ax in plot.axes for text in ax.texts]
    share = (maps["a"] == 0).mean()
    assert any(f"0 in {share:.1%}" in " ".join(text.split()) for text in words)
    plot.close()


def test_plot_activation_histograms_by_class_has_a_row_for_each(model: Any) -> None:
    plot = kerasviz.plot_activation_histograms(
        model, "a", IMAGES, labels=LABELS, class_names=NAMES, bins=9
    )
    maps = np.asarray(kerasviz.get_feature_maps(model, "a", IMAGES))
    peaks = maps.reshape(40, -1, 6).max(axis=1)
    assert [panel.address for panel in plot.panels] == NAMES
    edges = np.linspace(maps.min(), maps.max(), 10)
    for label, panel in enumerate(plot.panels):
        _assert_near(panel.values[0], peaks[label == LABELS], edges)
    plot.close()


@pytest.mark.slow
def test_plot_activation_histograms_of_saved_and_merged_statistics(
    model: Any, tmp_path: Path
) -> None:
    parts = [
        kerasviz.filter_statistics(model, "b", IMAGES[cut], labels=LABELS[cut])
        for cut in (slice(0, 11), slice(11, None))
    ]
    merged = parts[0].merge(parts[1])
    loaded = kerasviz.FilterStatistics.load(merged.save(tmp_path / "b.npz"))
    first = kerasviz.plot_activation_histograms(model, "b", IMAGES, labels=LABELS)
    second = kerasviz.plot_activation_histograms(model, None, loaded)
    for a, b in zip(first.panels, second.panels, strict=True):
        np.testing.assert_allclose(a.values, b.values, atol=1e-6)
    first.close()
    second.close()
    plot = kerasviz.plot_activation_histograms(model, None, loaded, by="layer")
    assert [panel.address for panel in plot.panels] == ["b"]
    plot.close()


def test_plot_activation_histograms_of_many_layers_is_one_panel() -> None:
    layers = [L.Conv2D(2, 1, name=f"c{n}") for n in range(7)]
    deep = keras.Sequential([keras.Input((8, 9, 1)), *layers])
    plot = kerasviz.plot_activation_histograms(deep, None, IMAGES[:4])
    assert len(plot.panels) == 7
    assert len(plot.axes) == 1
    plot.close()


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"inputs": None}, TypeError, "`inputs` must be images"),
        ({"by": "image"}, ValueError, "`by` must be"),
        ({"by": "class"}, ValueError, "`by` can be 'class' for one layer"),
        ({"bins": 0}, ValueError, "`bins`"),
        ({"log": 3}, TypeError, "`log` must be a bool"),
        ({"labels": LABELS, "class_names": ["boot"]}, ValueError, "`class_names` must have"),
        ({"figsize": (0.5, 0.5)}, ValueError, "`figsize` must be at least"),
    ],
)
def test_plot_activation_histograms_refuses(
    model: Any, arguments: Any, error: Any, words: str
) -> None:
    before = plt.get_fignums()
    with pytest.raises(error, match=words):
        kerasviz.plot_activation_histograms(model, "a", **{"inputs": IMAGES, **arguments})
    assert plt.get_fignums() == before


@pytest.mark.parametrize("case", slow_after(1, sample_cases(3, seed=4)), ids=str)
def test_plot_activation_histograms_is_legible(model: Any, case: Case) -> None:
    statistics = kerasviz.filter_statistics(model, "a", IMAGES, labels=LABELS)

    def draw(**place: Any) -> kerasviz.Plot:
        return kerasviz.plot_activation_histograms(
            model, None, statistics, class_names=NAMES, **place
        )

    is_legible_or_refused(draw, case)
