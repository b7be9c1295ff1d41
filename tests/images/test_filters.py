"""Pictures of what filters do, and of why a model errs; look at them before you commit them.

Draw them again with
`pytest tests/images/test_filters.py --mpl-generate-path=tests/images/baseline`.
"""

import keras
import numpy as np
import pytest
from keras import layers

import kerasviz

NAMES = ["bar", "post", "disc"]
LABELS = np.arange(12) % 3


@pytest.fixture(scope="module")
def images():
    """Return four grey images of each class, `(12, 12, 12, 1)`: what is in them moves."""
    y, x = np.mgrid[:12, :12]
    shapes = []
    for n in range(4):
        shapes += [np.abs(y - 3 - n) < 2, np.abs(x - 3 - n) < 2, np.hypot(y - 6, x - 4 - n) < 4]
    strengths = np.linspace(0.4, 1, 12).reshape(-1, 1, 1)
    return (strengths * np.array(shapes))[..., np.newaxis].astype("float32")


@pytest.fixture(scope="module")
def model():
    """Return a classifier with kernels for edges, a dead filter and a duplicate."""
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            layers.Conv2D(5, 3, padding="same", activation="relu", name="edges"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax", name="class"),
        ]
    )
    edge = np.outer([1, 0, -1], [1, 1, 1])
    spot = np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]) / 4
    kernels = np.stack([edge, edge.T, spot, 0 * edge, 2 * edge], axis=-1)[:, :, np.newaxis]
    answers = np.array([[4, -2, 1], [-2, 4, 1], [0, 0, 2], [0, 0, 0], [0, 0, 0]])
    model.set_weights([kernels, np.zeros(5), answers, np.array([0, 0, 0.3])])
    return model


@pytest.mark.mpl_image_compare
def test_filters_are_cards_with_what_is_odd_about_them(closing, model, images):
    draw = closing(kerasviz.plot_filters)
    options = {"filters": [0, 2, 3], "images": 4, "preferred": False}
    return draw(model, "edges", images, labels=LABELS, class_names=NAMES, **options).figure


@pytest.mark.mpl_image_compare
def test_filters_that_respond_alike_are_side_by_side(closing, model, images):
    return closing(kerasviz.plot_filter_similarity)(model, "edges", images).figure


@pytest.mark.mpl_image_compare
def test_responses_to_each_class_are_rows(closing, model, images):
    draw = closing(kerasviz.plot_activation_histograms)
    return draw(model, "edges", images, labels=LABELS, class_names=NAMES, by="class").figure


@pytest.mark.mpl_image_compare
def test_mistakes_beside_the_most_probable_classes(closing, model, images):
    wrong = np.where(np.arange(12) < 2, (LABELS + 1) % 3, LABELS)
    draw = closing(kerasviz.plot_mistakes)
    return draw(model, images, wrong, samples=2, class_names=NAMES, steps=4).figure


def attributions(values, cells):
    """Return attributions of one sample by two methods."""
    facts = {
        "targets": np.array([1]),
        "score": "logit",
        "scores": np.array([2.5]),
        "probabilities": np.array([0.9]),
        "baseline_probabilities": np.array([0.1]),
        "evidence": None,
    }
    inputs = kerasviz.Attributions(values=values, method="gradient", layer=None, **facts)
    if cells is None:
        return {"gradient": inputs}
    layer = kerasviz.Attributions(values=cells, method="grad-cam", layer="conv", **facts)
    return {"gradient": inputs, "grad-cam": layer}


@pytest.mark.mpl_image_compare
def test_attributions_of_a_signal_are_bars(closing):
    steps = np.arange(40)
    signal = np.stack([np.sin(steps / 4), np.cos(steps / 7)], axis=-1)[np.newaxis]
    results = attributions(signal * np.sin(steps / 9)[:, np.newaxis], np.abs(signal[:, ::4, 0]))
    return closing(kerasviz.plot_attributions)(results, signal).figure


@pytest.mark.mpl_image_compare
def test_attributions_of_a_volume_are_slices(closing):
    z, y, x = np.mgrid[:6, :8, :8]
    volume = np.exp(-((z - 2) ** 2 + (y - 3) ** 2 + (x - 5) ** 2) / 8)[np.newaxis, ..., np.newaxis]
    cells = volume[:, ::2, ::2, ::2, 0]
    return closing(kerasviz.plot_attributions)(
        attributions(volume * (x - 4)[..., np.newaxis], cells), volume
    ).figure


@pytest.mark.mpl_image_compare
def test_attributions_of_a_vector_are_bars(closing):
    vector = np.array([[3, 1, 4, 1, 5, 9, 2, 6]]) / 9
    return closing(kerasviz.plot_attributions)(
        attributions(vector * [[1, -1, 1, -1, 1, -1, 1, -1]], None), vector
    ).figure
