"""The score of heads of every form, against the same model without its last step."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasviz import get_attributions
from kerasviz.model.calls import input_specs, traced
from tiny_models import Function


def with_head(head):
    """Return a classifier, and the same without what makes probabilities of its logits."""
    inputs = keras.Input((6, 5, 2))
    hidden = layers.Conv2D(3, 3, activation="relu")(inputs)
    logits = layers.Dense(3)(layers.GlobalAveragePooling2D()(hidden))
    return keras.Model(inputs, head(logits)), keras.Model(inputs, logits)


def same_as_dense(activation):
    """Return a `Dense` layer with an activation, that passes its inputs to it."""
    return layers.Dense(3, activation=activation, kernel_initializer="identity")


@pytest.fixture
def images(rng):
    return rng.normal(size=(3, 6, 5, 2)).astype("float32")


@pytest.mark.few(2)
@pytest.mark.parametrize(
    "head",
    [
        lambda x: layers.Softmax()(x),
        lambda x: layers.Activation("linear", dtype="float32")(layers.Softmax()(x)),
        lambda x: layers.Dropout(0.5)(layers.Activation("softmax")(x)),
        lambda x: layers.Identity()(layers.Softmax(dtype="float32")(x)),
        lambda x: same_as_dense(keras.ops.softmax)(x),
        lambda x: keras.Sequential([layers.Softmax(), layers.ActivityRegularization()])(x),
        lambda x: keras.ops.softmax(x),
        lambda x: keras.activations.softmax(x),
    ],
    ids=["layer", "cast", "dropout", "identity", "operation", "nested", "function", "activation"],
)
def test_get_attributions_take_the_logit_behind_softmax_of_any_form(images, head):
    model, bare = with_head(head)
    found = get_attributions(model, images, method="grad-cam", evidence=False, target=1)
    expected = get_attributions(bare, images, method="grad-cam", evidence=False, target=1)
    logits = keras.ops.convert_to_numpy(bare(images))
    assert found.score == "logit"
    np.testing.assert_allclose(found.scores, logits[:, 1], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-4, atol=1e-6)
    probabilities = keras.ops.convert_to_numpy(model(images))[:, 1]
    np.testing.assert_allclose(found.probabilities, probabilities, rtol=1e-4)


def test_get_attributions_take_the_logit_behind_a_function_that_has_no_axis(images):
    inputs = keras.Input((6, 5, 2))
    dense = layers.Dense(1)
    model = keras.Model(inputs, keras.ops.sigmoid(dense(layers.Flatten()(inputs))))
    found = get_attributions(model, images, method="gradient", evidence=False, target=1)
    weights, bias = dense.get_weights()
    assert found.score == "logit"
    np.testing.assert_allclose(
        found.scores, images.reshape(3, 60) @ weights[:, 0] + bias, rtol=1e-4
    )
    expected = np.broadcast_to(weights.reshape(6, 5, 2), images.shape)
    np.testing.assert_allclose(found.values, expected, rtol=1e-4)


def test_get_attributions_refuse_a_target_before_a_model_runs_whose_head_is_unknown(images):
    runs = []

    def head(x):
        runs.append(x)
        return keras.ops.softmax(x) ** 2

    model, _ = with_head(Function(head))
    traced(model, input_specs(model))  # on symbolic inputs
    runs.clear()
    for target, message in ((3, "between 0 and 2"), ([0, 1], "each of the 3 samples")):
        with pytest.raises(ValueError, match=f"`target` .*{message}"):
            get_attributions(model, images, method="gradient", target=target)
    assert not runs


@pytest.mark.slow
def test_get_attributions_take_the_logit_behind_functions_of_several_outputs(images):
    model, bare = with_head(lambda x: {"p": keras.ops.sigmoid(x), "q": keras.ops.log_softmax(x)})
    logits = keras.ops.convert_to_numpy(bare(images))
    answers = model.predict(images, verbose=0)
    for name, p in {"p": answers["p"], "q": np.exp(answers["q"])}.items():
        for method in ("gradient", "grad-cam"):
            found = get_attributions(model, images, method=method, target={name: 2})
            expected = get_attributions(bare, images, method=method, target=2)
            assert found.score == "logit"
            np.testing.assert_allclose(found.scores, logits[:, 2], rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(found.values, expected.values, rtol=1e-4, atol=1e-6)
            np.testing.assert_allclose(found.probabilities, p[:, 2], rtol=1e-4)
    options = {"method": "gradient", "evidence": False}
    probability = get_attributions(model, images, score="probability", target={"p": 2}, **options)
    np.testing.assert_allclose(probability.scores, answers["p"][:, 2], rtol=1e-4)
    function = get_attributions(model, images, target={"p": lambda y: y[:, 2]}, **options)
    np.testing.assert_allclose(function.scores, answers["p"][:, 2], rtol=1e-4)


@pytest.mark.slow
def test_get_attributions_take_no_softmax_over_cells_for_a_head(images):
    inputs = keras.Input((6, 5, 2))
    scores = layers.Dense(3)(layers.GlobalAveragePooling2D()(inputs))
    model = keras.Model(inputs, keras.ops.softmax(scores, axis=0))
    assert get_attributions(model, images[:1], method="gradient").score == "probability"


@pytest.mark.few(1)
@pytest.mark.parametrize("name", ["sparsemax", "hard_sigmoid"])
def test_get_attributions_take_the_probability_where_there_is_no_logit(images, name):
    for activation in (name, getattr(keras.ops, name)):
        model, _ = with_head(same_as_dense(activation))
        found = get_attributions(model, images, method="gradient", evidence=False, target=0)
        answers = keras.ops.convert_to_numpy(model(images))[:, 0]
        assert found.score == "probability"
        np.testing.assert_allclose(found.scores, answers, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(found.probabilities, answers, rtol=1e-4, atol=1e-6)


def test_get_attributions_take_no_amounts_for_probabilities(images):
    model = keras.Sequential(
        [
            keras.Input((6, 5, 2)),
            layers.Flatten(),
            layers.Dense(1),
            layers.ReLU(),
        ]
    )
    weights = np.linspace(-0.001, 0.001, 60, dtype="float32").reshape(6, 5, 2)
    model.layers[1].set_weights([weights.reshape(60, 1), np.array([0.3], "float32")])
    found = get_attributions(model, images, method="gradient", evidence=False)
    answers = keras.ops.convert_to_numpy(model(images))[:, 0]
    assert found.score == "logit"
    assert found.probabilities is None
    np.testing.assert_allclose(found.scores, answers, rtol=1e-5)
    np.testing.assert_allclose(found.values, np.broadcast_to(weights, images.shape), rtol=1e-4)


def test_get_attributions_of_a_softmax_that_casts_half_precision(images):
    inputs = keras.Input((6, 5, 2))
    hidden = layers.GlobalAveragePooling2D(dtype="mixed_float16")(inputs)
    logits = layers.Dense(3, dtype="mixed_float16")(hidden)
    model = keras.Model(inputs, layers.Softmax(dtype="float32")(logits))
    found = get_attributions(model, images, method="gradient", evidence=False, target=0)
    weights = model.layers[-2].get_weights()[0][:, 0]
    expected = np.broadcast_to(weights / 30, images.shape)
    np.testing.assert_allclose(found.values, expected, rtol=0.02, atol=1e-4)


def test_get_attributions_of_a_function_of_several_outputs(images):
    classifier, _ = with_head(layers.Softmax())
    size = layers.Dense(1)
    outputs = {"classes": classifier.output, "size": size(layers.Flatten()(classifier.input))}
    model, weights = keras.Model(classifier.input, outputs), size.get_weights()
    expected = np.broadcast_to(weights[0].reshape(6, 5, 2), images.shape)
    of_all = get_attributions(
        model, images, method="gradient", evidence=False, target=lambda y: y["size"][:, 0]
    )
    of_one = get_attributions(
        model, images, method="gradient", evidence=False, target={"size": lambda y: y[:, 0]}
    )
    for found in (of_all, of_one):
        np.testing.assert_allclose(found.values, expected, rtol=1e-5)
