"""Panels of several layers share the page: rows are full, and nothing of them is cut off."""

import itertools

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.transforms import Bbox

import kerasviz

FILTERS = (8, 64, 3, 32, 128, 16)
SIZES = (3, 3, 1, 5, 3, 7)


@pytest.fixture(scope="module")
def model():
    layers = [
        keras.layers.Conv2D(filters, size, name=f"c{index}")
        for index, (filters, size) in enumerate(zip(FILTERS, SIZES, strict=True))
    ]
    return keras.Sequential([keras.Input((32, 32, 3)), *layers])


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def boxes_of(plot):
    """Return what each panel spans with its words and its colour bar, in inches."""
    plot.figure.canvas.draw()
    boxes = []
    for panel in plot.panels:
        parts = [panel.ax.get_tightbbox()]
        if panel.colorbar is not None:
            parts.append(panel.colorbar.ax.get_tightbbox())
        box = Bbox.union(parts)
        boxes.append(Bbox(box.get_points() / plot.figure.dpi))
    return boxes


def rows_of(plot, boxes):
    """Return the boxes of each row: the tiles of a row begin at one height."""
    tops = [round(panel.ax.get_position().y1, 3) for panel in plot.panels]
    pairs = zip(tops, boxes, strict=True)
    return [
        [box for _, box in row] for _, row in itertools.groupby(pairs, key=lambda pair: pair[0])
    ]


LAYERS = [["c0", "c1"], ["c1", "c2"], ["c2", "c3", "c4"], ["c0", "c2", "c4", "c5"]]
LAYERS += [["c0", "c1", "c2", "c3", "c4"], ["c0", "c1", "c2", "c3", "c4", "c5"]]


@pytest.mark.few(2)
@pytest.mark.parametrize("layers", LAYERS, ids=" ".join)
def test_plot_kernels_no_row_of_panels_is_half_empty(model, layers):
    plot = kerasviz.plot_kernels(model, layers)
    width, height = plot.figure.get_size_inches()
    boxes = boxes_of(plot)
    assert all(box.x0 >= 0 and box.y0 >= 0 for box in boxes)
    assert all(box.x1 <= width and box.y1 <= height for box in boxes)
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    assert sum(box.width * box.height for box in boxes) > 0.7 * width * height
    for row in rows_of(plot, boxes):
        assert max(box.x1 for box in row) > 0.7 * width


@pytest.mark.few(2)
@pytest.mark.parametrize("layers", LAYERS, ids=" ".join)
def test_plot_feature_maps_no_row_of_panels_is_half_empty(model, layers):
    inputs = np.random.default_rng(0).random((1, 32, 32, 3), dtype="float32")
    plot = kerasviz.plot_feature_maps(model, layers, inputs)
    width, height = plot.figure.get_size_inches()
    boxes = [*boxes_of(plot), Bbox(plot.picture.ax.get_tightbbox().get_points() / plot.figure.dpi)]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    assert sum(box.width * box.height for box in boxes) > 0.7 * width * height


def test_plot_kernels_panels_of_layers_that_are_alike_are_of_one_size():
    layers = [keras.layers.Conv2D(16, 3, name=f"c{index}") for index in range(5)]
    model = keras.Sequential([keras.Input((32, 32, 16)), *layers])
    plot = kerasviz.plot_kernels(model)
    sizes = {tuple(np.round(panel.ax.get_window_extent().size, 1)) for panel in plot.panels}
    assert len(sizes) == 1


@pytest.mark.slow
def test_plot_kernels_a_figure_of_many_layers_is_about_as_wide_as_high():
    layers = [
        keras.layers.Conv2D(filters, 3, name=f"c{index}")
        for index, filters in enumerate([4, 8, 16, 32] * 5)
    ]
    model = keras.Sequential([keras.Input((64, 64, 3)), *layers])
    plot = kerasviz.plot_kernels(model)
    width, height = plot.figure.get_size_inches()
    assert 0.4 < width / height < 2.5
    assert sum(box.width * box.height for box in boxes_of(plot)) > 0.6 * width * height
