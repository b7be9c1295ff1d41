"""Attributions against values known by hand, and against other laws than our own code."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasviz import get_attributions
from tiny_models import Function

INPUT_METHODS = ("gradient", "input-x-gradient", "smoothgrad", "integrated-gradients")


@pytest.fixture
def linear(rng):
    """Return a linear model of two scores on images 6×6×2, its weights, and three images."""
    model = keras.Sequential([keras.Input((6, 6, 2)), layers.Flatten(), layers.Dense(2)])
    weights = rng.normal(size=(72, 2)).astype("float32")
    model.layers[-1].set_weights([weights, np.array([1.0, -2.0], "float32")])
    images = rng.normal(size=(3, 6, 6, 2)).astype("float32")
    return model, weights.reshape(6, 6, 2, 2), images


def test_get_attributions_gradient_of_a_linear_model_is_its_weights(linear):
    model, weights, images = linear
    for method in ("gradient", "smoothgrad"):
        found = get_attributions(model, images, method=method, target=1, evidence=False)
        expected = np.broadcast_to(weights[..., 1], images.shape)
        np.testing.assert_allclose(found.values, expected, rtol=1e-5, atol=1e-6)


def test_get_attributions_of_a_difference_of_two_classes(linear):
    model, weights, images = linear
    found = get_attributions(model, images, method="gradient", target=(1, 0), evidence=False)
    expected = weights[..., 1] - weights[..., 0]
    np.testing.assert_allclose(found.values[2], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        found.scores, np.subtract(*model.predict(images, verbose=0).T[::-1]), rtol=1e-4
    )


def test_get_attributions_explain_samples_that_depend_on_one_another_a_little_one_by_one():
    """Of s + 0.1 s · mean(s) over the batch, that is s + 0.1 s², the gradient is 1 + 0.2 s."""
    inputs = keras.Input((2,))
    mix = Function(lambda s: s + 0.1 * s * keras.ops.mean(s, axis=0, keepdims=True))
    model = keras.Model(inputs, mix(keras.ops.sum(inputs, axis=1, keepdims=True)))
    x = np.array([[0, 1], [1, 1], [2, 1]], "float32")
    found = get_attributions(model, x, method="gradient", evidence=False)
    s = x.sum(axis=1)
    np.testing.assert_allclose(found.scores, s + 0.1 * s**2, rtol=1e-5)
    np.testing.assert_allclose(found.values, np.stack([1 + 0.2 * s] * 2, axis=1), rtol=1e-5)


def test_get_attributions_fill_no_batch_up_unless_another_size_is_compiled_again(linear):
    """The baseline runs as one more sample, beside five."""
    model, _, images = linear

    def size(outputs):
        return outputs[:, 0] * 0 + keras.ops.cast(keras.ops.shape(outputs)[0], "float32")

    images = np.concatenate([images, images[:2]])
    found = get_attributions(model, images, method="gradient", target=size, evidence=False)
    np.testing.assert_array_equal(found.scores, 8 if keras.backend.backend() == "jax" else 6)


@pytest.mark.parametrize("method", ["input-x-gradient", "integrated-gradients"])
def test_get_attributions_of_a_linear_model_are_weights_times_inputs(linear, method):
    model, weights, images = linear
    found = get_attributions(model, images, method=method, target=[0, 1, 1], evidence=False)
    for index, target in enumerate([0, 1, 1]):
        expected = weights[..., target] * images[index]
        np.testing.assert_allclose(found.values[index], expected, rtol=1e-4, atol=1e-5)


def test_get_attributions_integrated_gradients_are_measured_from_the_baseline(linear, rng):
    model, weights, images = linear
    baseline = rng.normal(size=(6, 6, 2)).astype("float32")
    found = get_attributions(model, images, target=0, baseline=baseline)
    expected = weights[..., 0] * (images - baseline)
    np.testing.assert_allclose(found.values, expected, rtol=1e-4, atol=1e-4)
    several = get_attributions(model, images, target=0, baseline=[0, baseline], evidence=False)
    mean = weights[..., 0] * (images - baseline / 2)
    np.testing.assert_allclose(several.values, mean, rtol=1e-4, atol=1e-4)


def products(x):
    return keras.ops.expand_dims(x[:, 0] * x[:, 1], -1)


def saturated(x):
    return 1 - keras.ops.relu(1 - x)


@pytest.mark.parametrize(
    ("function", "sample", "expected"),
    [(products, [3.0, 5.0], [7.5, 7.5]), (saturated, [2.0], [1.0])],
    ids=["product", "saturated"],
)
def test_get_attributions_integrated_gradients_by_hand(function, sample, expected):
    inputs = keras.Input((len(sample),))
    model = keras.Model(inputs, layers.Lambda(function)(inputs))
    values = get_attributions(
        model, np.array([sample], "float32"), target=lambda y: y[:, 0], evidence=False
    ).values
    np.testing.assert_allclose(values, [expected], atol=0.02)


def test_get_attributions_integrated_gradients_begin_beside_the_kinks(rng):
    model = keras.Sequential(
        [
            keras.Input((5, 4, 2)),
            layers.Conv2D(4, 3, activation="relu", use_bias=False),
            layers.Flatten(),
            layers.Dense(3, use_bias=False),
        ]
    )
    images = rng.normal(size=(3, 5, 4, 2)).astype("float32")
    found = get_attributions(model, images, target=1)
    product = get_attributions(model, images, target=1, method="input-x-gradient", evidence=False)
    # Without biases the score grows in proportion, so that its gradient is the same on the path.
    np.testing.assert_allclose(found.values, product.values, rtol=1e-3, atol=1e-5)
    assert found.evidence.completeness.max() < 1e-3
    np.testing.assert_array_equal(found.evidence.steps, 16)


def test_get_attributions_take_the_gradient_behind_one_use_of_a_tensor_alone():
    """A layer that passes its input on returns the same tensor, which has another use."""
    inputs = keras.Input((4, 4, 1))
    a = layers.Conv2D(1, 1, use_bias=False, kernel_initializer="ones", name="a")(inputs)
    passed = layers.Dropout(0.5, name="drop")(a)
    both = layers.Lambda(lambda x: 2 * x[0] + 3 * x[1])([a, passed])
    pooled = layers.GlobalAveragePooling2D()(both)
    model = keras.Model(inputs, pooled)
    image = np.ones((1, 4, 4, 1), "float32")
    options = {"method": "hires-cam", "target": lambda y: y[:, 0], "evidence": False}
    by_drop = get_attributions(model, image, layer="drop", **options)
    np.testing.assert_allclose(by_drop.values, np.full((1, 4, 4), 3 / 16), rtol=1e-5)
    by_a = get_attributions(model, image, layer="a", **options)
    np.testing.assert_allclose(by_a.values, np.full((1, 4, 4), 5 / 16), rtol=1e-5)


def test_get_attributions_grad_cam_is_the_class_activation_map(rng):
    """After a convolution, global averages and a dense layer it is Zhou's map (2016)."""
    model = keras.Sequential(
        [
            keras.Input((8, 6, 3)),
            layers.Conv2D(5, 3, name="c"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4, activation="softmax"),
        ]
    )
    images = rng.normal(size=(3, 8, 6, 3)).astype("float32")
    maps = keras.ops.convert_to_numpy(model.layers[0](images))
    weights = model.layers[-1].get_weights()[0][:, 2]
    expected = np.maximum((maps * weights).sum(-1), 0) / (6 * 4)
    for method in ("grad-cam", "hires-cam"):
        found = get_attributions(model, images, method=method, layer="c", target=2, evidence=False)
        np.testing.assert_allclose(found.values, expected, rtol=1e-4, atol=1e-6)
    assert found.layer == "c"
    assert found.score == "logit"


def test_get_attributions_occlusion_of_a_linear_model(linear):
    model, weights, images = linear
    found = get_attributions(model, images, method="occlusion", target=0, evidence=False)
    drop = (weights[..., 0] * images).sum(axis=-1)  # windows of one cell, which do not overlap
    np.testing.assert_allclose(found.values.sum(axis=-1), drop, rtol=1e-3, atol=1e-4)


def test_get_attributions_rise_finds_the_only_pixel_that_counts():
    model = keras.Sequential([keras.Input((7, 7, 1)), layers.Flatten(), layers.Dense(1)])
    weights = np.zeros((49, 1), "float32")
    weights[24] = 1
    model.layers[-1].set_weights([weights, np.zeros(1, "float32")])
    image = np.ones((1, 7, 7, 1), "float32")
    values = get_attributions(
        model, image, method="rise", target=lambda y: y[:, 0], evidence=False
    ).values[0, ..., 0]
    assert np.unravel_index(values.argmax(), values.shape) == (3, 3)


def test_get_attributions_both_sides_of_one_sigmoid(rng):
    model = keras.Sequential([keras.Input((5,)), layers.Dense(1, activation="sigmoid")])
    weights = model.layers[0].get_weights()[0][:, 0]
    x = rng.normal(size=(2, 5)).astype("float32")
    probability = model.predict(x, verbose=0)[:, 0]
    one, zero = (
        get_attributions(model, x, method="gradient", target=t, evidence=False) for t in (1, 0)
    )
    np.testing.assert_allclose(one.values, np.tile(weights, (2, 1)), rtol=1e-5)
    np.testing.assert_allclose(zero.values, -one.values, rtol=1e-6)
    np.testing.assert_allclose(one.probabilities, probability, rtol=1e-5)
    np.testing.assert_allclose(zero.probabilities, 1 - probability, rtol=1e-4)


def test_get_attributions_leave_the_model_as_it_was(rng):
    model = keras.Sequential([keras.Input((5,)), layers.Dense(3, activation="softmax", name="d")])
    before = [w.copy() for w in model.get_weights()]
    x = rng.normal(size=(2, 5)).astype("float32")
    answer = model.predict(x, verbose=0)
    found = get_attributions(model, x, method=list(INPUT_METHODS))
    assert list(found) == list(INPUT_METHODS)
    assert model.layers[0].activation is keras.activations.softmax
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(model.predict(x, verbose=0), answer)
    np.testing.assert_allclose(found["gradient"].probabilities, answer.max(axis=1), rtol=1e-5)


def test_get_attributions_deletion_of_a_linear_model_is_the_known_sum(linear):
    model, weights, images = linear
    score = {"target": lambda y: y[:, 0]}
    found = get_attributions(model, images, method="input-x-gradient", **score)
    parts = (weights[..., 0] * images).sum(axis=-1).reshape(3, -1)
    ranked = -np.sort(-parts, axis=1)
    curve = found.evidence.deletion
    total = ranked.sum(axis=1) + 1.0  # the bias
    for column, share in enumerate(curve.fractions):
        expected = total - ranked[:, : round(share * 36)].sum(axis=1)
        np.testing.assert_allclose(curve.values[:, column], expected, rtol=1e-3, atol=1e-3)
    assert found.evidence.faithful.all()
    assert found.evidence.insertion.area.shape == (3,)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"method": "gradcam"}, ValueError, r"`method` must be one of .* Did you mean 'grad-cam'"),
        ({"score": "softmax"}, ValueError, "`score` must be one of 'logit', 'probability'"),
        ({"target": 2}, ValueError, "`target` must be between 0 and 1, since the model has 2"),
        ({"target": -1}, ValueError, "`target` must be between 0 and 1"),
        ({"target": True}, TypeError, "`target` must be a class"),
        ({"target": [0, 1]}, ValueError, "`target` must have one class for each of the 3 samples"),
        ({"target": (0, 0)}, ValueError, "`target` must name two classes"),
        ({"target": {"head": 0}}, ValueError, "`target` must name one output"),
        ({"baseline": "black"}, ValueError, "`baseline` must be one of 'mean', 'blur'"),
        ({"baseline": np.zeros(3)}, ValueError, "`baseline` must have the shape of a sample"),
        ({"baseline": np.inf}, ValueError, "`baseline` must be finite"),
        ({"seed": -1}, ValueError, "`seed` must be an integer of at least 0"),
        ({"steps": 0}, ValueError, "`steps` must be a positive integer"),
        ({"batch_size": 0}, ValueError, "`batch_size` must be a positive integer"),
        ({"method": "grad-cam"}, ValueError, "`layer` must name a layer whose output has cells"),
    ],
)
def test_get_attributions_refuse_what_cannot_be_used(linear, options, error, message):
    model, _, images = linear
    with pytest.raises(error, match=message):
        get_attributions(model, images, **options)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_get_attributions_refuse_inputs_that_are_not_finite(linear, value):
    model, _, images = linear
    images = images.copy()
    images[1, 2, 3] = value
    with pytest.raises(ValueError, match=r"`inputs` must be such .* sample 1 is not finite"):
        get_attributions(model, images)


def test_get_attributions_refuse_integers_where_a_gradient_is_needed():
    inputs = keras.Input((4,), dtype="int32")
    x = layers.Embedding(10, 3, name="e")(inputs)
    x = layers.Conv1D(2, 2, name="c")(x)
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling1D()(x)))
    tokens = np.array([[1, 2, 3, 4]])
    with pytest.raises(TypeError, match="`method` must explain by a layer"):
        get_attributions(model, tokens)
    found = get_attributions(model, tokens, method="grad-cam", layer="c", evidence=False)
    assert found.values.shape == (1, 3)
