"""Every form in which a user may hand over inputs, and every mistake."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import kerasviz


@pytest.fixture
def grey() -> keras.Model:
    return keras.Sequential([keras.Input((6, 5, 1)), layers.Conv2D(2, 3, name="c")])


@pytest.fixture
def two() -> keras.Model:
    a, b = keras.Input((6, 5, 1), name="a"), keras.Input((6, 5, 1), name="b")
    return keras.Model([a, b], layers.Conv2D(2, 3, name="c")(layers.Subtract()([a, b])))


X = np.random.default_rng(0).normal(size=(3, 6, 5, 1)).astype("float32")


@pytest.mark.parametrize(
    ("inputs", "batch"),
    [
        (X, X),
        (X[0], X[:1]),
        (X[0, ..., 0], X[:1]),
        (X[..., 0], X),
        (X.tolist(), X),
        ([X], X),
        (X.astype("float64"), X),
        ({"image": X}, X),
        (list(X), X),
    ],
    ids=["batch", "sample", "plane", "planes", "lists", "list of one", "double", "dict", "images"],
)
def test_forms_of_one_input(inputs: Any, batch: np.ndarray) -> None:
    image = keras.Input((6, 5, 1), name="image")
    c = layers.Conv2D(2, 3, name="c")
    model = keras.Model(image, c(image))
    expected = keras.ops.convert_to_numpy(c(batch))
    np.testing.assert_allclose(kerasviz.get_feature_maps(model, "c", inputs), expected, atol=1e-5)


def test_tensors_of_the_backend(grey: keras.Model) -> None:
    tensor = keras.ops.convert_to_tensor(X)
    expected = keras.ops.convert_to_numpy(grey.layers[0](X))
    np.testing.assert_allclose(kerasviz.get_feature_maps(grey, 0, tensor), expected, atol=1e-5)


@pytest.mark.parametrize(
    "inputs", [[X, 2 * X], (X, 2 * X), {"b": 2 * X, "a": X}, [X[..., 0], (2 * X)[..., 0]]]
)
def test_forms_of_several_inputs(two: keras.Model, inputs: Any) -> None:
    expected = keras.ops.convert_to_numpy(two.get_layer("c")(X - 2 * X))
    np.testing.assert_allclose(kerasviz.get_feature_maps(two, "c", inputs), expected, atol=1e-5)


def test_nested_structures_of_inputs() -> None:
    a, b, c = (keras.Input((6, 5, 1), name=name) for name in "abc")
    conv = layers.Conv2D(2, 3, name="conv")
    model = keras.Model({"first": [a, b], "c": c}, conv(a - 2.0 * b + 3.0 * c))
    inputs = {"c": X, "first": [X[::-1], 2 * X]}
    expected = keras.ops.convert_to_numpy(conv(X[::-1] - 4 * X + 3 * X))
    np.testing.assert_allclose(
        kerasviz.get_feature_maps(model, "conv", inputs), expected, atol=1e-4
    )


def test_values_are_passed_on_as_they_are(grey: keras.Model) -> None:
    bytes_ = (100 * np.abs(X)).astype("uint8")
    before = bytes_.copy()
    expected = keras.ops.convert_to_numpy(grey.layers[0](bytes_.astype("float32")))
    np.testing.assert_allclose(kerasviz.get_feature_maps(grey, 0, bytes_), expected, rtol=1e-4)
    np.testing.assert_array_equal(bytes_, before)


def test_batches_of_any_size_give_the_same(grey: keras.Model) -> None:
    many = np.concatenate([X] * 4)
    expected = keras.ops.convert_to_numpy(grey.layers[0](many))
    for batch_size in (1, 5, 12, 100):
        maps = kerasviz.get_feature_maps(grey, 0, many, batch_size=batch_size)
        np.testing.assert_allclose(maps, expected, atol=1e-5)


def test_an_image_of_any_size_where_the_model_takes_it() -> None:
    model = keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(2, 3)])
    assert kerasviz.get_feature_maps(model, 0, np.zeros((9, 8, 3))).shape == (1, 7, 6, 2)
    assert kerasviz.get_feature_maps(model, 0, np.zeros((2, 5, 8, 3))).shape == (2, 3, 6, 2)


def test_an_unbuilt_model_takes_a_batch_or_a_sample() -> None:
    for inputs, samples in ((X, 3), (X[0], 1), (X[..., 0], 3)):
        model = keras.Sequential([layers.Conv2D(2, 3, name="c")])
        assert kerasviz.get_feature_maps(model, "c", inputs).shape == (samples, 4, 3, 2)


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        (
            X[:, :4],
            ValueError,
            r"`inputs` must have the shape \(samples, 6, 5, 1\).*\(3, 4, 5, 1\)",
        ),
        (X[0, 0], ValueError, r"Received: an array of shape \(5, 1\)"),
        (X[np.newaxis], ValueError, r"Received: an array of shape \(1, 3, 6, 5, 1\)"),
        (X[:0], ValueError, r"at least one sample. Received: an array of shape \(0, 6, 5, 1\)"),
        ([], ValueError, "must have the shape"),
        (np.float32(3), ValueError, r"Received: an array of shape \(\)"),
        ("photo.png", TypeError, "`inputs` must hold numbers"),
        (None, TypeError, "`inputs` must hold numbers"),
        ([[1, 2], [3]], ValueError, "not ragged"),
    ],
)
def test_mistakes(grey: keras.Model, inputs: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        kerasviz.get_feature_maps(grey, "c", inputs)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (X, "a list or dict of 2, for the model's inputs 'a', 'b'"),
        ([X], "Received: 1"),
        ({"a": X, "c": X}, "keys 'a', 'b'. Received: 'a', 'c'"),
        ([X, X[:2]], "as many samples in each input. Received: 3, 2"),
        ([X, X[:, 1:]], r"The input 'b' must have the shape"),
    ],
)
def test_mistakes_with_several_inputs(two: keras.Model, inputs: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kerasviz.get_feature_maps(two, "c", inputs)


@pytest.mark.parametrize("batch_size", [0, -1, 1.5, None])
def test_a_wrong_batch_size(grey: keras.Model, batch_size: Any) -> None:
    with pytest.raises(ValueError, match="`batch_size` must be a positive integer"):
        kerasviz.get_feature_maps(grey, "c", X, batch_size=batch_size)


def test_a_mistake_leaves_an_unbuilt_model_unbuilt() -> None:
    model = keras.Sequential([layers.Conv2D(2, 3, name="c")])
    with pytest.raises(ValueError, match="No such layer"):
        kerasviz.get_feature_maps(model, "d", X)
    assert not model.built
    with pytest.raises(ValueError, match="has no inputs yet"):
        kerasviz.feature_map_model(model, "c")
