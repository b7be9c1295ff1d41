"""Preferred inputs against the closed form of a first layer, and against real images."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import kerasviz

L = keras.layers


@pytest.fixture(scope="module", name="model")
def _shipped() -> keras.Model:
    return kerasviz.fashion_mnist.load_model()


def test_get_preferred_inputs_of_a_first_layer_reaches_the_closed_form() -> None:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((7, 7, 1)), L.Conv2D(8, 3, name="conv2d")])
    # With pixels from 0 to 1 no input gives more than the sum of the positive weights.
    kernel, bias = (np.asarray(x) for x in model.get_layer("conv2d").get_weights())
    best = np.maximum(kernel, 0).sum(axis=(0, 1, 2)) + bias
    preferred = kerasviz.get_preferred_inputs(model, "conv2d", steps=128)
    assert preferred.images.shape == (8, 3, 3, 1)
    assert preferred.images.min() >= 0
    assert preferred.images.max() <= 1
    assert (preferred.values <= best + 1e-5).all()
    assert (preferred.values >= 0.97 * best).all()


def test_get_preferred_inputs_says_what_the_unit_reaches(model: Any) -> None:
    preferred = kerasviz.get_preferred_inputs(model, "conv2d_1", filters=[3, 60], steps=8)
    assert preferred.indices.tolist() == [3, 60]
    assert preferred.images.shape == (2, 8, 8, 1)
    field = kerasviz.receptive_field(model, "conv2d_1", position=(7, 7))
    (top, bottom), (left, right) = field.box
    inputs = np.zeros((2, 28, 28, 1), "float32")
    inputs[:, top:bottom, left:right] = preferred.images
    maps = kerasviz.get_feature_maps(model, "conv2d_1", inputs)
    # The values are those before the ReLU, which passes them on where they are positive.
    assert (preferred.values > 0).all()
    np.testing.assert_allclose(maps[[0, 1], 7, 7, [3, 60]], preferred.values, rtol=1e-5)


class _Positions(L.Layer):
    """Adds a number to each cell, so that it takes one size of input alone."""

    def build(self, input_shape: Any) -> None:
        self.added = self.add_weight(shape=input_shape[1:], initializer="normal")

    def call(self, x: Any) -> Any:
        return x + self.added


def _strided(**options: Any) -> list[Any]:
    return [L.Conv2D(4, 5, strides=2, padding="same"), L.Conv2D(3, 3, name="last", **options)]


def _nested() -> list[Any]:
    inner = keras.Sequential([keras.Input((31, 31, 1)), *_strided()], name="inner")
    return [L.Rescaling(2), inner]


def _enlarged() -> list[Any]:
    """Return layers of which the last has a unit for each cell, and an inner one for each four."""
    options: dict[str, Any] = {"strides": 2, "padding": "same"}
    inner = [L.Conv2D(4, 3, **options), L.Conv2DTranspose(4, 3, **options)]
    return [*inner, L.Conv2D(3, 3, name="last")]


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("make", "layer"),
    [
        (lambda: _strided(strides=2, padding="same"), "last"),
        (lambda: [L.ZeroPadding2D(1), *_strided(dilation_rate=2)], "last"),
        (lambda: [L.MaxPooling2D(3, padding="same"), *_strided()], "last"),
        (_nested, "inner/last"),
        (lambda: [_Positions(), *_strided()], "last"),
        (_enlarged, "last"),
    ],
    ids=["same", "dilated", "pooled", "nested", "positions", "enlarged"],
)
def test_get_preferred_inputs_of_a_part_of_the_input_are_those_of_the_whole(
    make: Any, layer: str
) -> None:
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((31, 31, 1)), *make(), L.Flatten(), L.Dense(2)])
    preferred = kerasviz.get_preferred_inputs(model, layer, steps=2)
    maps = kerasviz.get_feature_maps(model, layer, np.zeros((1, 31, 31, 1)))
    row, column = (n // 2 for n in maps.shape[1:3])
    field = kerasviz.receptive_field(model, layer, position=(row, column))
    (top, bottom), (left, right) = field.box
    assert preferred.images.shape[1:] == (bottom - top, right - left, 1)
    inputs = np.zeros((3, 31, 31, 1), "float32")
    inputs[:, top:bottom, left:right] = preferred.images
    maps = kerasviz.get_feature_maps(model, layer, inputs)
    np.testing.assert_allclose(preferred.values, maps[[0, 1, 2], row, column, [0, 1, 2]], rtol=1e-4)


def test_get_preferred_inputs_beats_the_best_of_real_images(model: Any) -> None:
    images, _ = kerasviz.fashion_mnist.load_samples()
    preferred = kerasviz.get_preferred_inputs(model, "conv2d_1", steps=32)
    best = kerasviz.filter_statistics(model, "conv2d_1", images).maximum
    assert (preferred.values > best).all()


def test_get_preferred_inputs_of_a_filter_that_is_never_active_climbs_all_the_same() -> None:
    model = keras.Sequential([keras.Input((6, 6, 1)), L.Conv2D(1, 3, activation="relu")])
    kernel = np.random.default_rng(0).normal(size=(3, 3, 1, 1))
    model.set_weights([kernel, np.full(1, -100)])
    preferred = kerasviz.get_preferred_inputs(model, 0, steps=64)
    expected = np.maximum(kernel, 0).sum() - 100
    np.testing.assert_allclose(preferred.values, expected, rtol=0.01)


def test_get_preferred_inputs_with_the_spectrum_of_real_images(model: Any) -> None:
    images, _ = kerasviz.fashion_mnist.load_samples()
    free = kerasviz.get_preferred_inputs(model, "conv2d_1", filters=[8], steps=24)
    real = kerasviz.get_preferred_inputs(model, "conv2d_1", filters=[8], steps=24, like=images)
    assert real.images.shape == (1, 8, 8, 1)
    assert real.images.min() >= images.min()
    assert real.images.max() <= images.max()
    assert real.values < free.values


@pytest.mark.parametrize("objective", ["unit", "channel"])
def test_get_preferred_inputs_is_the_same_whichever_others_are_asked_for(
    model: Any, objective: str
) -> None:
    options: dict[str, Any] = {"objective": objective, "steps": 4}
    alone = kerasviz.get_preferred_inputs(model, "conv2d_1", filters=5, **options)
    among = kerasviz.get_preferred_inputs(model, "conv2d_1", filters=[9, 5], **options)
    other = kerasviz.get_preferred_inputs(model, "conv2d_1", filters=5, seed=1, **options)
    np.testing.assert_allclose(alone.images[0], among.images[1], atol=1e-3)
    assert np.abs(alone.images - other.images).max() > 0.01


def test_get_preferred_inputs_of_a_channel_is_as_large_as_the_input(model: Any) -> None:
    options: dict[str, Any] = {"filters": [1], "objective": "channel"}
    preferred = kerasviz.get_preferred_inputs(model, "conv2d_1", steps=8, **options)
    first = kerasviz.get_preferred_inputs(model, "conv2d_1", steps=1, **options)
    assert preferred.images.shape == (1, 28, 28, 1)
    assert preferred.values > first.values


def test_get_preferred_inputs_of_logits(model: Any) -> None:
    preferred = kerasviz.get_preferred_inputs(model, "dense_1", filters=[0, 7], steps=12)
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    twin.layers[-1].activation = keras.activations.linear
    logits = keras.ops.convert_to_numpy(twin(preferred.images))
    np.testing.assert_allclose(logits[[0, 1], [0, 7]], preferred.values, rtol=1e-4)
    assert logits.argmax(axis=1).tolist() == [0, 7]


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("shape", "layer"),
    [
        ((20, 2), lambda: L.Conv1D(3, 5)),
        ((5, 6, 7, 1), lambda: L.Conv3D(3, 2)),
        ((None, None, 3), lambda: L.Conv2D(3, 3)),
    ],
)
def test_get_preferred_inputs_of_any_rank(shape: Any, layer: Any) -> None:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input(shape), layer()])
    kernel = model.get_weights()[0]
    preferred = kerasviz.get_preferred_inputs(model, 0, limits=(-2, 2), steps=128)
    expected = 2 * np.abs(kernel).sum(axis=tuple(range(kernel.ndim - 1)))
    np.testing.assert_allclose(preferred.values, expected, rtol=0.05)


def test_get_preferred_inputs_leaves_the_model_as_it_is(model: Any) -> None:
    before = [np.array(x) for x in model.get_weights()]
    activation = model.get_layer("conv2d_1").activation
    kerasviz.get_preferred_inputs(model, "conv2d_1", filters=0, steps=2)
    assert model.get_layer("conv2d_1").activation is activation
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"layer": None}, "name one layer"),
        ({"layer": ["conv2d", "conv2d_1"]}, "name one layer"),
        ({"filters": 32}, "indices of the 32 filters"),
        ({"filters": [0.5]}, "indices of the 32 filters"),
        ({"filters": []}, "indices of the 32 filters"),
        ({"objective": "logits"}, "`objective`"),
        ({"seed": -1}, "`seed` must be an integer of at least 0"),
        ({"like": np.full((1, 28, 28, 1), np.nan)}, "`like` must hold finite numbers"),
        ({"limits": (1, 0)}, "`limits`"),
        ({"limits": (0, np.nan)}, "`limits`"),
        ({"steps": 0}, "`steps`"),
        ({"verbose": 3}, "`verbose`"),
    ],
)
def test_get_preferred_inputs_refuses(model: Any, change: Any, words: str) -> None:
    options = {"layer": "conv2d", **change}
    with pytest.raises(ValueError, match=words):
        kerasviz.get_preferred_inputs(model, options.pop("layer"), **options)


def test_get_preferred_inputs_refuses_integers() -> None:
    model = keras.Sequential([keras.Input((8,), dtype="int32"), L.Embedding(9, 4), L.Conv1D(2, 3)])
    with pytest.raises(ValueError, match="one input of real numbers"):
        kerasviz.get_preferred_inputs(model, -1)
