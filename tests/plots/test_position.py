"""`position=` of `plot_feature_maps` frames a cell, and what the unit there saw of the input."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from matplotlib.patches import Rectangle

import kerasviz
from legibility import assert_legible

L = keras.layers
IMAGES = np.random.default_rng(0).random((2, 14, 12, 1)).astype("float32")


@pytest.fixture(scope="module", name="model")
def _model() -> keras.Model:
    keras.utils.set_random_seed(0)
    layers = [
        L.Conv2D(3, 3, padding="same", name="a"),
        L.MaxPooling2D(2, name="p"),
        L.Conv2D(4, 2, name="b"),
        L.GlobalAveragePooling2D(name="g"),
    ]
    return keras.Sequential([keras.Input((14, 12, 1)), *layers])


def _frames(panel: kerasviz.Panel) -> np.ndarray:
    """Return left, top, width and height of each frame, each once."""
    frames = [p for p in panel.ax.patches if isinstance(p, Rectangle) and not p.get_fill()]
    boxes = [(p.get_x(), p.get_y(), p.get_width(), p.get_height()) for p in frames]
    return np.array(list(dict.fromkeys(boxes)))


@pytest.mark.few(2)
@pytest.mark.parametrize(("layer", "position"), [("a", (0, 5)), ("p", (6, 0)), ("b", (3, 2))])
def test_plot_feature_maps_position_frames_the_cell_and_what_it_saw(
    model: Any, layer: str, position: tuple[int, int]
) -> None:
    plot = kerasviz.plot_feature_maps(model, layer, IMAGES, position=position)
    (panel,), picture = plot.panels, plot.picture
    box = kerasviz.receptive_field(model, layer, position=position).box
    (top, bottom), (left, right) = box
    np.testing.assert_allclose(_frames(picture), [[left, top, right - left, bottom - top]])
    frames = _frames(panel)
    assert len(frames) == len(panel.indices)
    np.testing.assert_allclose(frames[:, 2:], 1)
    for (x, y, _, _), index in zip(frames, panel.indices, strict=True):
        words = panel.ax.format_coord(x + 0.5, y + 0.5)  # of the cell in the middle of the frame
        assert words.startswith(f"tile {index}, row {position[0]}, column {position[1]}:")
    words = f"rows {top}–{bottom - 1} and columns {left}–{right - 1} of the input"
    assert words in " ".join(panel.title.split())
    assert_legible(plot)
    plot.close()


def test_plot_feature_maps_position_over_the_input_frames_what_the_unit_saw(model: Any) -> None:
    plot = kerasviz.plot_feature_maps(model, "b", IMAGES, position=(1, 2), overlay=True)
    (panel,) = plot.panels
    box = kerasviz.receptive_field(model, "b", position=(1, 2)).box
    np.testing.assert_allclose(
        _frames(panel)[0], [box[1][0], box[0][0], np.diff(box[1])[0], np.diff(box[0])[0]]
    )
    plot.close()


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"position": 3}, TypeError, "`position` must be the row and the column"),
        ({"position": (1, 2, 3)}, TypeError, "`position` must be the row and the column"),
        ({"position": (True, 2)}, TypeError, "`position` must be the row and the column"),
        ({"position": (14, 0)}, ValueError, "`position` must be inside the output of 'a'"),
        ({"position": (0, 0), "layer": "g"}, ValueError, "`position` can be used for one layer"),
        ({"position": (0, 0), "layer": ["a", "b"]}, ValueError, "`position` can be used for one"),
    ],
)
def test_plot_feature_maps_position_refuses(
    model: Any, arguments: Any, error: Any, words: str
) -> None:
    with pytest.raises(error, match=words):
        kerasviz.plot_feature_maps(model, **{"layer": "a", "inputs": IMAGES, **arguments})
