"""Targets, inputs and baselines of every form, against linear models by hand."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasviz import get_attributions


def linear(shape, classes=3, **options):
    """Return a linear model of images, and its weights `(*shape, classes)`."""
    model = keras.Sequential(
        [keras.Input(shape), layers.Flatten(), layers.Dense(classes, **options)]
    )
    return model, model.layers[-1].get_weights()[0].reshape(*shape, classes)


@pytest.mark.few(2)
@pytest.mark.parametrize("activation", ["softmax", "log_softmax", "sigmoid", "linear", "tanh"])
def test_get_attributions_score_of_each_head(rng, activation):
    model, _ = linear((4, 3, 2), activation=activation)
    x = rng.normal(size=(4, 4, 3, 2)).astype("float32")
    logits = x.reshape(4, -1) @ model.layers[-1].get_weights()[0]
    y = model.predict(x, verbose=0)
    p = {"log_softmax": np.exp(y), "softmax": y, "sigmoid": y}.get(activation)
    found = get_attributions(model, x, method="gradient", evidence=False)
    np.testing.assert_array_equal(found.targets, logits.argmax(axis=1))
    expected = y if activation == "tanh" else logits
    np.testing.assert_allclose(found.scores, expected.max(axis=1), rtol=1e-4)
    probability = get_attributions(model, x, method="gradient", score="probability", target=1)
    if p is None:
        assert found.probabilities is None
    else:
        np.testing.assert_allclose(found.probabilities, p.max(axis=1), rtol=1e-4)
        np.testing.assert_allclose(probability.scores, p[:, 1], rtol=1e-4)
        np.testing.assert_allclose(probability.probabilities, p[:, 1], rtol=1e-4)


class Subclassed(keras.Model):
    """Its softmax is code, which cannot be taken off."""

    def __init__(self):
        super().__init__()
        self.flat, self.dense = layers.Flatten(), layers.Dense(3)

    def call(self, x):
        return keras.ops.softmax(self.dense(self.flat(x)))


def test_get_attributions_of_a_head_that_cannot_be_made_linear(rng):
    model = Subclassed()
    x = rng.normal(size=(2, 4, 3, 1)).astype("float32")
    p = keras.ops.convert_to_numpy(model(x))
    found = get_attributions(model, x, method="gradient", target=0)
    assert found.score == "probability"
    np.testing.assert_allclose(found.scores, p[:, 0], rtol=1e-5)
    np.testing.assert_allclose(found.probabilities, p[:, 0], rtol=1e-5)
    w = model.dense.get_weights()[0]
    by_hand = p[:, :1] * (w[:, 0] - p @ w.T)
    np.testing.assert_allclose(found.values.reshape(2, -1), by_hand, rtol=1e-3, atol=1e-6)


def test_get_attributions_of_a_difference_for_each_sample(rng):
    model, w = linear((4, 3, 2))
    x = rng.normal(size=(3, 4, 3, 2)).astype("float32")
    pairs = [(0, 1), (2, 1), (1, 2)]
    found = get_attributions(model, x, method="gradient", target=pairs, evidence=False)
    expected = np.stack([w[..., a] - w[..., b] for a, b in pairs])
    np.testing.assert_allclose(found.values, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(found.targets, pairs)


def test_get_attributions_of_several_inputs_in_their_structure(rng):
    a, b = keras.Input((4, 4, 1), name="a"), keras.Input((3,), name="b")
    joined = layers.Concatenate()([layers.Flatten()(a), b])
    model = keras.Model({"a": a, "b": b}, layers.Dense(2, name="d")(joined))
    w = model.get_layer("d").get_weights()[0][:, 1]
    x = {
        "a": rng.normal(size=(2, 4, 4, 1)).astype("float32"),
        "b": rng.normal(size=(2, 3)).astype("float32"),
    }
    found = get_attributions(model, x, target=1, baseline={"a": 0.5, "b": [1.0, 2.0, 3.0]})
    image = w[:16].reshape(4, 4, 1) * (x["a"] - 0.5)
    np.testing.assert_allclose(found.values["a"], image, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(
        found.values["b"], w[16:] * (x["b"] - [1, 2, 3]), rtol=1e-3, atol=1e-5
    )
    assert found.evidence.completeness.max() < 0.01
    assert found.evidence.deletion.values.shape == (2, 11)
    cam = get_attributions(model, x, method="gradient", target=1, baseline="mean").values
    assert list(cam) == ["a", "b"]
    with pytest.raises(ValueError, match="`baseline` must have the names of the inputs"):
        get_attributions(model, x, baseline={"a": 0})


def test_get_attributions_name_the_first_layer_of_floats():
    inputs = keras.Input((4,), dtype="int32")
    x = layers.Embedding(10, 3, name="embedded")(inputs)
    x = layers.Conv1D(2, 2, padding="same", name="c")(x)
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling1D()(x)))
    tokens = np.array([[1, 2, 3, 4]])
    for method in ("gradient", "integrated-gradients", "rise"):
        with pytest.raises(TypeError, match="first layer that returns floats is 'embedded'"):
            get_attributions(model, tokens, method=method)
    found = get_attributions(model, tokens, method="grad-cam", target=0)
    assert found.layer == "c"
    assert found.evidence.deletion.values.shape == (1, 11)


def test_get_attributions_baselines_by_hand(rng):
    model, w = linear((5, 4, 2))
    x = rng.normal(size=(3, 5, 4, 2)).astype("float32")
    mean = x.mean(axis=(0, 1, 2))
    options = {"target": 0, "evidence": False}
    by_mean = get_attributions(model, x, baseline="mean", **options)
    np.testing.assert_allclose(by_mean.values, w[..., 0] * (x - mean), rtol=1e-3, atol=1e-5)
    by_blur = get_attributions(model, np.ones_like(x), baseline="blur", **options)
    np.testing.assert_allclose(by_blur.values, 0, atol=1e-5)
    several = get_attributions(model, x, baseline=[0, "mean"], **options)
    np.testing.assert_allclose(several.values, w[..., 0] * (x - mean / 2), rtol=1e-3, atol=1e-5)


def test_get_attributions_occlude_an_image_without_a_channel_axis(rng):
    model = keras.Sequential(
        [keras.Input((6, 6)), layers.Reshape((6, 6, 1)), layers.Flatten(), layers.Dense(1)]
    )
    w = model.layers[-1].get_weights()[0].reshape(6, 6)
    x = rng.normal(size=(2, 6, 6)).astype("float32")
    found = get_attributions(model, x, method="occlusion")
    np.testing.assert_allclose(found.values, w * x, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(found.evidence.deletion.values[:, 0], found.scores, rtol=1e-5)


def test_get_attributions_run_a_model_of_a_fixed_number_of_samples(rng):
    inputs = keras.Input(batch_shape=(4, 6))
    model = keras.Model(inputs, layers.Dense(2, name="d")(inputs))
    w = model.get_layer("d").get_weights()[0]
    x = rng.normal(size=(4, 6)).astype("float32")
    found = get_attributions(model, x, target=1)
    np.testing.assert_allclose(found.values, w[:, 1] * x, rtol=1e-3, atol=1e-5)


class Traced(keras.layers.Layer):
    calls = 0

    def call(self, x):
        Traced.calls += 1
        return x


def test_get_attributions_of_another_class_or_image_trace_nothing(rng):
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Conv2D(2, 3, name="c"),
            Traced(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    x = rng.normal(size=(3, 6, 6, 1)).astype("float32")
    methods = ["gradient", "integrated-gradients", "grad-cam", "occlusion"]
    options = {"method": methods, "layer": "c", "steps": 8}
    if keras.backend.backend() == "torch":
        return  # which compiles nothing
    get_attributions(model, x[:1], target=0, **options)
    Traced.calls = 0
    get_attributions(model, x[1:2], target=2, **options)
    get_attributions(model, x[2:], target=(1, 0), **options)
    get_attributions(model, x[2:], **options)
    assert Traced.calls == 0


def test_get_attributions_leave_the_model_as_it_was_after_an_error():
    model = keras.Sequential([keras.Input((5,)), layers.Dense(3, activation="softmax")])
    model.trainable = False
    model.layers[0].bias.assign(np.full(3, np.nan))
    before = [w.copy() for w in model.get_weights()]
    x = np.zeros((2, 5), "float32")
    with pytest.raises(ValueError, match="sample 0 has a score that is NaN"):
        get_attributions(model, x)
    assert not model.trainable
    assert model.layers[0].activation is keras.activations.softmax
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_get_attributions_show_a_progress_bar_after_two_seconds(rng, capsys, monkeypatch):
    model, _ = linear((4, 4, 1))
    x = rng.normal(size=(1, 4, 4, 1)).astype("float32")
    options = {"method": "occlusion", "batch_size": 2, "evidence": False}
    monkeypatch.setattr("time.monotonic", lambda: 0.0)
    get_attributions(model, x, verbose=1, **options)
    assert not capsys.readouterr().out
    clock = iter(range(10_000))
    monkeypatch.setattr("time.monotonic", lambda: float(next(clock)))
    get_attributions(model, x, verbose=1, **options)
    assert "batch of windows" in capsys.readouterr().out
    get_attributions(model, x, **options)
    assert not capsys.readouterr().out
