"""The evidence for attributions: curves by hand, correlations by statistics."""

import keras
import numpy as np
import pytest
from keras import layers
from scipy.integrate import trapezoid
from scipy.stats import spearmanr

from kerasviz import get_attributions


def dense_model(features=400, seed=0):
    """Return a nonlinear model of 400 features, whose gradient has no structure of its own."""
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((features,)),
            layers.Dense(30, activation="tanh", name="low"),
            layers.Dense(20, activation="tanh", name="middle"),
            layers.Dense(3, activation="softmax", name="top"),
        ]
    )


@pytest.mark.parametrize("method", ["gradient", "integrated-gradients"])
def test_evidence_of_randomised_weights_is_about_0_in_the_end(rng, method):
    model = dense_model()
    x = rng.choice([-1.0, 1.0], size=(3, 400)).astype("float32")
    before = [w.copy() for w in model.get_weights()]
    evidence = get_attributions(
        model, x, method=method, target=0, evidence="randomised", steps=None
    ).evidence
    assert evidence.randomised_layers == ("top", "middle", "low")
    assert evidence.randomised.shape == (3, 3)
    assert np.abs(evidence.randomised[-1]).max() < 3 / np.sqrt(400)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_evidence_of_randomised_weights_is_1_where_the_map_does_not_depend_on_them(rng):
    """Permuting equal weights changes nothing."""
    model = keras.Sequential([keras.Input((6,)), layers.Dense(1, kernel_initializer="ones")])
    layer = layers.Dense(1, name="own")
    model = keras.Sequential([keras.Input((6,)), layers.Rescaling(2.0), layer])
    layer.set_weights([np.ones((6, 1), "float32"), np.zeros(1, "float32")])
    x = rng.normal(size=(2, 6)).astype("float32")
    evidence = get_attributions(model, x, method="input-x-gradient", evidence="randomised").evidence
    np.testing.assert_allclose(evidence.randomised, 1)


def test_evidence_of_randomised_weights_is_the_rank_correlation(rng):
    """Of a linear model the gradient is its weights, whose permutations are those of NumPy."""
    model = keras.Sequential([keras.Input((50,)), layers.Dense(1, use_bias=False)])
    x = rng.normal(size=(1, 50)).astype("float32")
    weights = model.get_weights()[0]
    evidence = get_attributions(model, x, method="gradient", evidence="randomised", seed=4).evidence
    permuted = np.random.default_rng(4).permutation(weights.ravel())
    expected = spearmanr(weights.ravel(), permuted).statistic
    np.testing.assert_allclose(evidence.randomised, [[expected]], rtol=1e-9)


def test_evidence_of_randomised_weights_is_of_values_that_are_not_0_by_construction(rng):
    model = dense_model()
    x = rng.choice([-1.0, 1.0], size=(1, 400)).astype("float32")
    x[:, 100:] = 0
    found = get_attributions(model, x, method="input-x-gradient", evidence="randomised", target=0)
    assert not found.values[:, 100:].any()
    assert np.abs(found.evidence.randomised[-1]).max() < 3 / np.sqrt(100)


def test_evidence_of_randomised_weights_comes_back_after_an_error(rng, monkeypatch):
    model = dense_model()
    x = rng.normal(size=(1, 400)).astype("float32")
    before = [w.copy() for w in model.get_weights()]
    calls = []

    def assign(self, value, assign=keras.Variable.assign):
        calls.append(self)
        if len(calls) == 3:
            raise RuntimeError("no memory")
        return assign(self, value)

    monkeypatch.setattr(keras.Variable, "assign", assign)
    with pytest.raises(RuntimeError, match="no memory"):
        get_attributions(model, x, method="gradient", target=0, evidence="randomised")
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


class Counts(keras.layers.Layer):
    """Counts samples; it looks at a value, so that no backend compiles it."""

    samples = 0

    def call(self, x):
        if keras.ops.max(x) > -1e9:
            Counts.samples += x.shape[0]
        return x

    def compute_output_shape(self, shape):
        return shape


def test_evidence_takes_at_most_90_forward_passes(rng):
    model = keras.Sequential([keras.Input((4, 4, 1)), Counts(), layers.Flatten(), layers.Dense(2)])
    x = rng.normal(size=(4, 4, 4, 1)).astype("float32")
    counts = []
    for evidence in (False, True):
        Counts.samples = 0
        get_attributions(model, x, method="occlusion", target=0, evidence=evidence)
        counts.append(Counts.samples)
    assert 20 * 4 < counts[1] - counts[0] <= 90 * 4


@pytest.mark.slow
def test_evidence_is_the_same_in_batches_of_any_size(rng):
    model = keras.Sequential([keras.Input((6, 6, 1)), layers.Flatten(), layers.Dense(3, "softmax")])
    x = rng.normal(size=(5, 6, 6, 1)).astype("float32")
    for method in ("smoothgrad", "rise", "integrated-gradients"):
        a, b = (
            get_attributions(
                model, x, method=method, batch_size=n, steps=4 if method[0] == "i" else None
            )
            for n in (2, 64)
        )
        np.testing.assert_allclose(a.values, b.values, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(
            a.evidence.deletion.values, b.evidence.deletion.values, rtol=1e-4
        )
        np.testing.assert_allclose(
            a.evidence.deletion.random, b.evidence.deletion.random, rtol=1e-4
        )
        np.testing.assert_array_equal(a.targets, b.targets)


def test_evidence_of_insertion_in_random_order_mirrors_deletion(rng):
    model = keras.Sequential([keras.Input((6, 6, 1)), layers.Flatten(), layers.Dense(3, "softmax")])
    x = rng.normal(size=(2, 6, 6, 1)).astype("float32")
    found = get_attributions(model, x, method="gradient")
    evidence = found.evidence
    np.testing.assert_allclose(evidence.deletion.values[:, 0], found.probabilities, rtol=1e-5)
    np.testing.assert_allclose(
        evidence.deletion.values[:, -1], found.baseline_probabilities, rtol=1e-5
    )
    np.testing.assert_allclose(evidence.insertion.values[:, -1], found.probabilities, rtol=1e-5)
    np.testing.assert_allclose(evidence.insertion.random, evidence.deletion.random[:, ::-1])
    for curve in (evidence.deletion, evidence.insertion):
        np.testing.assert_allclose(curve.area, trapezoid(curve.values, curve.fractions))
        np.testing.assert_allclose(curve.random_area, trapezoid(curve.random, curve.fractions))
    better = evidence.deletion.area < evidence.deletion.random_area
    np.testing.assert_array_equal(evidence.faithful, better)


def test_evidence_of_a_baseline_that_is_no_number_to_the_model(rng):
    """The mean over the words of a text that is padding alone is 0 / 0."""
    inputs = keras.Input((6,), dtype="int32")
    words = layers.Embedding(10, 4, mask_zero=True)(inputs)
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling1D()(words)))
    x = rng.integers(1, 10, (2, 6))
    options = {"method": "grad-cam", "target": 0}
    with pytest.raises(ValueError, match="`baseline` must be one for which the model returns num"):
        get_attributions(model, x, **options)
    assert np.isfinite(get_attributions(model, x, evidence=False, **options).values).all()
    found = get_attributions(model, x, baseline=1, **options)
    assert np.isfinite(found.evidence.deletion.values).all()
