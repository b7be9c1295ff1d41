"""Class activation maps of layers of every form, against sums over channels by hand."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasviz import get_attributions

OPTIONS = {"method": "hires-cam", "target": lambda y: y[:, 0], "evidence": False}


def positive(maps):
    return np.maximum(maps, 0)


class Weighted(keras.layers.Layer):
    """Sums values times weights to one score."""

    def __init__(self, weights):
        super().__init__()
        self.sizes = weights

    def call(self, x):
        axes = tuple(range(1, self.sizes.ndim + 1))
        return keras.ops.sum(x * keras.ops.convert_to_tensor(self.sizes), axis=axes)[:, None]

    def compute_output_shape(self, shape):
        return (shape[0], 1)


def weighted(shape, rng):
    """Return a layer that sums values times weights to one score, and the weights."""
    w = rng.normal(size=shape).astype("float32")
    return Weighted(w), w


def test_get_attributions_of_a_layer_called_twice(rng):
    inputs = keras.Input((5, 4, 2))
    c = layers.Conv2D(2, 1, use_bias=False, name="c")
    score, w = weighted((5, 4, 2), rng)
    model = keras.Model(inputs, score(c(c(inputs))))
    x = rng.normal(size=(2, 5, 4, 2)).astype("float32")
    kernel = c.get_weights()[0][0, 0]
    first, second = x @ kernel, x @ kernel @ kernel
    found = get_attributions(model, x, layer=["c:0", "c:1"], **OPTIONS)
    assert list(found) == ["c:0", "c:1"]
    by_first = positive((first * (w @ kernel.T)).sum(axis=-1))
    np.testing.assert_allclose(found["c:0"].values, by_first, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        found["c:1"].values, positive((second * w).sum(axis=-1)), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("size", [(7,), (4, 5, 6)], ids=["sequence", "volume"])
def test_get_attributions_of_layers_of_any_rank(rng, size):
    inputs = keras.Input((*size, 2))
    score, w = weighted((*size, 3), rng)
    c = layers.Dense(3, name="c")
    model = keras.Model(inputs, score(c(inputs)))
    x = rng.normal(size=(2, *size, 2)).astype("float32")
    maps = keras.ops.convert_to_numpy(c(x))
    found = get_attributions(model, x, **{**OPTIONS, "evidence": True})
    assert found.layer == "c"  # the last one with cells, which is not named
    np.testing.assert_allclose(
        found.values, positive((maps * w).sum(axis=-1)), rtol=1e-4, atol=1e-5
    )
    assert found.evidence.deletion.area.shape == (2,)


def test_get_attributions_of_channels_first(rng):
    inputs = keras.Input((3, 6, 5))
    c = layers.BatchNormalization(axis=1, name="c")
    score, w = weighted((3, 6, 5), rng)
    model = keras.Model(inputs, score(c(layers.ZeroPadding2D(0, "channels_first")(inputs))))
    x = rng.normal(size=(2, 3, 6, 5)).astype("float32")
    maps = keras.ops.convert_to_numpy(c(x))
    found = get_attributions(model, x, layer="c", **OPTIONS)
    np.testing.assert_allclose(found.values, positive((maps * w).sum(axis=1)), rtol=1e-4, atol=1e-5)
    gradient = get_attributions(model, x, **{**OPTIONS, "method": "gradient"}).values
    assert gradient.shape == (2, 6, 5, 3)  # channels last
    scale = 1 / np.sqrt(1 + c.epsilon)
    expected = np.broadcast_to(np.moveaxis(w, 0, -1) * scale, gradient.shape)
    np.testing.assert_allclose(gradient, expected, rtol=1e-4)


@pytest.mark.few(1)
@pytest.mark.parametrize("extra", [0, 1], ids=["patches", "class-token"])
def test_get_attributions_of_tokens_on_their_patch_grid(rng, extra):
    inputs = keras.Input((8, 12, 3))
    tokens = layers.Reshape((6, 4), name="fold")(layers.Conv2D(4, 4, strides=4)(inputs))
    if extra:
        tokens = layers.Lambda(lambda t: keras.ops.pad(t, [[0, 0], [1, 0], [0, 0]]))(tokens)
    layer = layers.Dense(5, name="tokens")
    score, w = weighted((6 + extra, 5), rng)
    model = keras.Model(inputs, score(layer(tokens)))
    x = rng.normal(size=(2, 8, 12, 3)).astype("float32")
    values = keras.Model(inputs, model.get_layer("tokens").output).predict(x, verbose=0)
    found = get_attributions(model, x, **{**OPTIONS, "evidence": True})
    assert found.layer == "tokens"
    expected = positive((values * w)[:, extra:].sum(axis=-1)).reshape(2, 2, 3)
    np.testing.assert_allclose(found.values, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_get_attributions_of_the_last_tokens_that_count(rng):
    """A score that is read from the class token has no gradient with respect to the last others."""
    inputs = keras.Input((8, 8, 3))
    tokens = layers.Reshape((4, 4))(layers.Conv2D(4, 4, strides=4)(inputs))
    tokens = layers.Lambda(lambda t: keras.ops.pad(t, [[0, 0], [1, 0], [0, 0]]))(tokens)
    before = layers.Dense(4, name="before")(tokens)
    mixed = layers.Dense(4, name="after")(layers.MultiHeadAttention(1, 4)(before, before))
    first = layers.Lambda(lambda t: t[:, 0])(mixed)
    model = keras.Model(inputs, layers.Dense(2)(first))
    x = rng.normal(size=(2, 8, 8, 3)).astype("float32")
    found = get_attributions(model, x, method="grad-cam", target=0, evidence=False)
    assert found.layer == "before"


def test_get_attributions_inside_time_distributed(rng):
    inputs = keras.Input((3, 5, 4, 2))
    c = layers.Conv2D(2, 1, name="c")
    score, w = weighted((3, 5, 4, 2), rng)
    model = keras.Model(inputs, score(layers.TimeDistributed(c, name="td")(inputs)))
    x = rng.normal(size=(2, 3, 5, 4, 2)).astype("float32")
    maps = keras.ops.convert_to_numpy(c(x.reshape(6, 5, 4, 2))).reshape(2, 3, 5, 4, 2)
    found = get_attributions(model, x, layer=["td", "td/c"], **OPTIONS)
    for each in found.values():
        expected = positive((maps * w).sum(axis=-1))
        np.testing.assert_allclose(each.values, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_get_attributions_inside_time_distributed_of_channels_first(rng):
    inputs = keras.Input((3, 2, 5, 4))
    pool = layers.AveragePooling2D(1, data_format="channels_first", name="c")
    score, w = weighted((3, 2, 5, 4), rng)
    model = keras.Model(inputs, score(layers.TimeDistributed(pool, name="td")(inputs)))
    x = rng.normal(size=(2, 3, 2, 5, 4)).astype("float32")
    for address in ("td", "td/c"):
        found = get_attributions(model, x, layer=address, **OPTIONS)
        expected = positive((x * w).sum(axis=2))
        np.testing.assert_allclose(found.values, expected, rtol=1e-4, atol=1e-5)
    gradient = get_attributions(model, x, **{**OPTIONS, "method": "gradient"}).values
    np.testing.assert_allclose(
        gradient, np.broadcast_to(np.moveaxis(w, 1, -1), gradient.shape), rtol=1e-5
    )


def test_get_attributions_of_a_pattern_take_the_layers_with_cells(rng):
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Conv2D(2, 3, name="part_a"),
            layers.GlobalAveragePooling2D(name="part_b"),
            layers.Dense(2),
        ]
    )
    x = rng.normal(size=(1, 6, 6, 1)).astype("float32")
    found = get_attributions(model, x, method="grad-cam", layer="part*", target=0, evidence=False)
    assert list(found) == ["part_a"]
    both = get_attributions(
        model, x, method=["grad-cam", "gradient"], layer="part_a", target=0, evidence=False
    )
    assert {key: each.layer for key, each in both.items()} == {
        "grad-cam": "part_a",
        "gradient": None,
    }
    with pytest.raises(ValueError, match="`layer` must name layers whose output has cells"):
        get_attributions(model, x, method="grad-cam", layer="part_b")
    with pytest.raises(ValueError, match="`layer` can only be used together with a method"):
        get_attributions(model, x, method="gradient", layer="part_a")


def two_heads():
    inputs = keras.Input((6, 6, 1))
    shared = layers.Conv2D(2, 3, name="shared")(inputs)
    a = layers.Dense(3, activation="softmax", name="a")(layers.GlobalAveragePooling2D()(shared))
    b = layers.Conv2D(2, 3, name="own")(shared)
    b = layers.Dense(2, name="b")(layers.GlobalAveragePooling2D()(b))
    return keras.Model(inputs, {"a": a, "b": b})


def test_get_attributions_of_a_layer_on_the_way_to_another_output(rng):
    x = rng.normal(size=(2, 6, 6, 1)).astype("float32")
    model = two_heads()
    by_default = {
        name: get_attributions(model, x, method="grad-cam", target={name: 0}, evidence=False).layer
        for name in ("a", "b")
    }
    assert by_default == {"a": "shared", "b": "own"}
    for method in ("grad-cam", "hires-cam"):
        with pytest.raises(ValueError, match="Received: 'own', which no gradient of the score"):
            get_attributions(model, x, method=method, layer="own", target={"a": None})


def test_get_attributions_of_a_dead_layer_are_zero_everywhere(rng):
    inputs = keras.Input((6, 6, 1))
    c = layers.Conv2D(2, 3, activation="relu", bias_initializer=lambda *_, **__: [-99.0, -99.0])
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(c(inputs))))
    c.name = "c"
    x = rng.normal(size=(2, 6, 6, 1)).astype("float32")
    found = get_attributions(model, x, method="gradient", target=0, evidence=False)
    assert not found.values.any()
    found = get_attributions(model, x, method="grad-cam", target=0)
    assert not found.values.any()
    assert not found.evidence.faithful.any()
