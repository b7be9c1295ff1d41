"""Methods that run a model on changed inputs, against the same written out with Keras and NumPy."""

import keras
import numpy as np
import pytest
from keras import layers
from scipy import ndimage

from kerasviz import get_attributions


@pytest.fixture
def model():
    """Return a network with bends, so that no method has a closed form, and two classes."""
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.Input((14, 12, 2)),
            layers.Conv2D(5, 3, strides=2, activation="relu", name="c"),
            layers.Flatten(),
            layers.Dense(6, activation="tanh"),
            layers.Dense(2, name="logits"),
            layers.Softmax(),
        ]
    )


@pytest.fixture
def images(rng):
    return rng.normal(size=(4, 14, 12, 2)).astype("float32")


def logits(model, x, target):
    part = keras.Model(model.inputs[0], model.get_layer("logits").output)
    return keras.ops.convert_to_numpy(part(x))[:, target]


METHODS = ["smoothgrad", "rise", "occlusion", "integrated-gradients", "grad-cam", "score-cam"]


def test_get_attributions_of_a_sample_do_not_depend_on_those_beside_it(model, images):
    images[0] *= 9  # another range
    together = get_attributions(model, images, method=METHODS)
    for size in (32, 3):
        alone = get_attributions(model, images[3:], method=METHODS, batch_size=size)
        for method in METHODS:
            a, b = alone[method], together[method]
            scale = np.abs(b.values).max()
            np.testing.assert_allclose(a.values[0], b.values[3], atol=1e-4 * scale)
            for curve in ("deletion", "insertion"):
                x, y = getattr(a.evidence, curve), getattr(b.evidence, curve)
                np.testing.assert_allclose(x.random[0], y.random[3], atol=1e-4)
                np.testing.assert_allclose(x.values[0], y.values[3], atol=1e-4)


def test_get_attributions_smoothgrad_of_a_cubic_score(rng):
    """Of Σ x³/3 the gradient is x², and its mean under noise x² + σ²."""
    inputs = keras.Input((30, 30, 1))
    model = keras.Model(inputs, keras.ops.sum(inputs**3, axis=(1, 2)) / 3)
    x = rng.uniform(-1, 3, size=(2, 30, 30, 1)).astype("float32")
    x[1] *= 10
    found = get_attributions(model, x, method="smoothgrad", evidence=False).values
    sigma = 0.15 * np.ptp(x.reshape(2, -1), axis=1)
    np.testing.assert_allclose((found - x**2).mean(axis=(1, 2, 3)), sigma**2, rtol=0.1)
    error = (found - x**2 - (sigma**2).reshape(2, 1, 1, 1)).std(axis=(1, 2, 3))
    squares = (x**2).mean(axis=(1, 2, 3))  # of 32 draws the variance is (4 x² σ² + 2 σ⁴) / 32
    np.testing.assert_allclose(error, np.sqrt((4 * squares + 2 * sigma**2) / 32) * sigma, rtol=0.1)


def test_get_attributions_occlusion_window_by_window(model, images):
    found = get_attributions(
        model, images[:2], method="occlusion", target=1, baseline=0.5, evidence=False
    )
    whole = logits(model, images[:2], 1)
    corners = [(top, left) for top in range(13) for left in range(11)]
    changed = np.stack([images[:2]] * len(corners))
    for each, (top, left) in zip(changed, corners, strict=True):
        each[:, top : top + 2, left : left + 2] = 0.5  # windows of a seventh, by half of that
    answers = logits(model, changed.reshape(-1, 14, 12, 2), 1).reshape(-1, 2)
    total, count = np.zeros((2, 14, 12)), np.zeros((14, 12))
    for (top, left), fall in zip(corners, whole - answers, strict=True):
        total[:, top : top + 2, left : left + 2] += fall[:, None, None]
        count[top : top + 2, left : left + 2] += 1
    expected = total / count
    np.testing.assert_allclose(found.values.sum(axis=-1), expected, atol=1e-4)
    np.testing.assert_array_equal(found.values[..., 0], found.values[..., 1])


def test_get_attributions_occlusion_of_one_step_that_counts():
    """Of 28 steps, windows are 4 long and 2 apart: of the two over a cell, one or both see it."""
    model = keras.Sequential([keras.Input((28, 1)), layers.Flatten(), layers.Dense(1)])
    model.layers[-1].set_weights([np.ones((28, 1)), np.zeros(1)])
    x = np.zeros((1, 28, 1), "float32")
    x[0, 13] = 8
    found = get_attributions(model, x, method="occlusion", evidence=False)
    expected = np.zeros(28)
    expected[10:16] = [4, 4, 8, 8, 4, 4]
    np.testing.assert_allclose(found.values[0, :, 0], expected, atol=1e-5)


def test_get_attributions_score_cam_channel_by_channel(model, images):
    found = get_attributions(model, images[:2], method="score-cam", target=0, evidence=False)
    maps = keras.Model(model.inputs[0], model.get_layer("c").output).predict(images[:2], verbose=0)
    large = keras.ops.image.resize(
        maps, (14, 12), interpolation="bilinear", data_format="channels_last"
    )
    large = keras.ops.convert_to_numpy(large)
    low, high = large.min(axis=(1, 2), keepdims=True), large.max(axis=(1, 2), keepdims=True)
    masks = (large - low) / np.where(high > low, high - low, 1)
    scores = np.stack([logits(model, images[:2] * masks[..., k, None], 0) for k in range(5)], 1)
    weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    expected = np.maximum((maps * weights[:, None, None]).sum(axis=-1), 0)
    np.testing.assert_allclose(found.values, expected, atol=1e-4 * expected.max())


def test_get_attributions_rise_with_masks_of_our_own(rng):
    """The mean over random masks is that over others, as far as 512 of them tell."""
    inputs = keras.Input((14, 12, 1))
    corner = keras.ops.mean(inputs[:, :7, 3:9], axis=(1, 2))
    model = keras.Model(inputs, layers.Activation("sigmoid")(12 * (corner - 0.5)))
    x = np.ones((1, 14, 12, 1), "float32")
    options = {"method": "rise", "target": 1, "score": "probability", "evidence": False}
    found = np.mean([get_attributions(model, x, seed=i, **options).values for i in range(3)], 0)
    cells = (rng.random((2000, 9, 9)) < 0.5).astype("float32")
    large = [ndimage.zoom(each, 2, order=1, grid_mode=True, mode="nearest") for each in cells]
    corners = rng.integers(0, 5, (2000, 2))
    masks = np.stack(
        [each[i : i + 14, j : j + 12] for each, (i, j) in zip(large, corners, strict=True)]
    )
    answers = keras.ops.convert_to_numpy(model(masks[..., None]))
    expected = (answers[..., None] * masks).mean(axis=0) / 0.5
    values = found[0, ..., 0]
    np.testing.assert_allclose(values.mean(), expected.mean(), rtol=0.05)
    assert np.corrcoef(values.ravel(), expected.ravel())[0, 1] > 0.8


def test_get_attributions_score_cam_refuse_integers_that_it_would_mask(rng):
    inputs = keras.Input((6,), dtype="int32")
    x = layers.Conv1D(2, 2, name="c")(layers.Embedding(10, 3)(inputs))
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling1D()(x)))
    with pytest.raises(TypeError, match="`method` must be one that masks no input"):
        get_attributions(model, rng.integers(0, 10, (2, 6)), method="score-cam", layer="c")
