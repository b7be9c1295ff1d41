"""Layers of models with several inputs: which inputs a map belongs to, and what is erased."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasviz import get_attributions


def two_images(shared):
    """Return a model of two images of one size, each with a convolution, and one of their sum."""
    keras.utils.set_random_seed(1)
    left, right = keras.Input((8, 8, 1), name="left"), keras.Input((8, 8, 1), name="right")
    conv = layers.Conv2D(3, 3, activation="relu", name="c")
    other = conv if shared else layers.Conv2D(3, 3, activation="relu", name="d")
    one, two = conv(left), other(right)
    both = layers.Conv2D(2, 3, activation="relu", name="both")(one + two)
    joined = layers.Concatenate()([layers.Flatten()(x) for x in (one, two, both)])
    return keras.Model([left, right], layers.Dense(2)(joined))


class Subclassed(keras.Model):
    """The same without a graph."""

    def __init__(self):
        super().__init__()
        self.c, self.d = (layers.Conv2D(3, 3, name=name) for name in "cd")
        self.both = layers.Conv2D(2, 3, name="both")
        self.add, self.flat, self.dense = layers.Add(), layers.Flatten(), layers.Dense(2)

    def call(self, inputs):
        one, two = self.c(inputs[0]), self.d(inputs[1])
        return self.dense(self.flat(self.both(self.add([one, two]))))


@pytest.fixture
def pair(rng):
    return [rng.random((2, 8, 8, 1)).astype("float32") for _ in range(2)]


@pytest.mark.few(2)
@pytest.mark.parametrize("kind", ["graph", "shared", "subclassed", "nested"])
def test_get_attributions_name_the_inputs_that_a_layer_depends_on(pair, kind):
    model = Subclassed() if kind == "subclassed" else two_images(kind == "shared")
    addresses = ["c:0", "c:1", "both"] if kind == "shared" else ["c", "d", "both"]
    if kind == "nested":
        inputs = [keras.Input((8, 8, 1)), keras.Input((8, 8, 1))]
        model = keras.Model(inputs, model(inputs[::-1]))  # the other way round
        addresses = [f"{model.layers[-1].name}/{address}" for address in addresses]
    found = get_attributions(model, pair, method="grad-cam", layer=addresses, target=0)
    indices = [found[address].input_indices for address in addresses]
    expected = [(1,), (0,), (0, 1)] if kind == "nested" else [(0,), (1,), (0, 1)]
    assert indices == expected


def test_get_attributions_evidence_erases_the_inputs_of_the_layer(pair):
    model = two_images(shared=False)
    addresses = ["c", "d", "both"]
    found = get_attributions(
        model, pair, method="grad-cam", layer=addresses, target=1, baseline=0.25
    )
    nothing = np.full_like(pair[0], 0.25)
    erased = {"c": [nothing, pair[1]], "d": [pair[0], nothing], "both": [nothing, nothing]}
    for address in addresses:
        last = found[address].evidence.deletion.values[:, -1]
        expected = model.predict(erased[address], verbose=0)[:, 1]
        np.testing.assert_allclose(last, expected, rtol=1e-4)


def test_get_attributions_score_cam_masks_both_inputs_of_a_layer(pair):
    model = two_images(shared=False)
    found = get_attributions(model, pair, method="score-cam", layer="both", target=0)
    maps = keras.Model(model.inputs, model.get_layer("both").output).predict(pair, verbose=0)
    large = keras.ops.convert_to_numpy(
        keras.ops.image.resize(maps, (8, 8), interpolation="bilinear", data_format="channels_last")
    )
    low, high = large.min(axis=(1, 2), keepdims=True), large.max(axis=(1, 2), keepdims=True)
    masks = (large - low) / np.where(high > low, high - low, 1)
    scores = np.stack(
        [model.predict([x * masks[..., k, None] for x in pair], verbose=0)[:, 0] for k in range(2)],
        axis=1,
    )
    weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    expected = np.maximum((maps * weights[:, None, None]).sum(axis=-1), 0)
    np.testing.assert_allclose(found.values, expected, atol=1e-4 * expected.max())


def test_get_attributions_of_a_layer_whose_cells_are_of_another_input(rng):
    """A layer of an image's size computed from a vector alone has no cells of the image."""
    image, code = keras.Input((8, 8, 1), name="image"), keras.Input((4,), name="code")
    drawn = layers.Reshape((8, 8, 1), name="drawn")(layers.Dense(64)(code))
    joined = layers.Flatten()(layers.Conv2D(2, 3, name="c")(image + drawn))
    model = keras.Model([image, code], layers.Dense(2)(joined))
    inputs = [rng.random((2, 8, 8, 1)), rng.random((2, 4))]
    found = get_attributions(model, inputs, method="grad-cam", layer="drawn", target=0)
    assert found.input_indices == ()
    assert found.evidence is None
    assert get_attributions(model, inputs, method="grad-cam", target=0).layer == "c"


@pytest.mark.parametrize("method", [["gradient", "grad-cam"], ["grad-cam", "gradient"]])
def test_get_attributions_say_that_no_gradient_reaches_the_inputs(rng, method):
    inputs = keras.Input((6, 6, 1))
    fixed = keras.ops.stop_gradient(inputs)
    maps = layers.Conv2D(2, 3, name="c", kernel_initializer="ones")(fixed)
    model = keras.Model(inputs, layers.Dense(2, kernel_initializer="ones")(layers.Flatten()(maps)))
    x = rng.random((2, 6, 6, 1)).astype("float32")
    for _ in range(2):  # the second time nothing is traced
        assert get_attributions(model, x, method="grad-cam", layer="c", target=0).values.any()
        with pytest.raises(ValueError, match="the inputs, which no gradient of the score reaches"):
            get_attributions(model, x, method=method, layer="c", target=0)


def test_get_attributions_of_a_dead_network_are_zero_everywhere(rng):
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Conv2D(2, 3, activation="relu", name="c", bias_initializer="zeros"),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    kernel, bias = model.get_layer("c").get_weights()
    model.get_layer("c").set_weights([kernel, bias - 1e3])
    x = rng.random((2, 6, 6, 1)).astype("float32")
    found = get_attributions(model, x, method=["gradient", "grad-cam"], layer="c", target=0)
    assert not found["gradient"].values.any()
    assert not found["grad-cam"].values.any()


def test_get_attributions_name_inputs_without_a_name_of_their_own(pair):
    inputs = [keras.Input((8, 8, 1)), keras.Input((8, 8, 1))]
    joined = layers.Concatenate()([layers.Flatten()(x) for x in inputs])
    model = keras.Model(inputs, layers.Dense(2)(joined))
    names = [layer.name for layer in model.layers[:2]]
    with pytest.raises(ValueError, match=f"`baseline` must have the names.*'{names[0]}'"):
        get_attributions(model, pair, baseline={})
    found = get_attributions(model, pair, target=0, baseline=dict.fromkeys(names, 1.0))
    kernel = model.layers[-1].get_weights()[0][:64, 0].reshape(8, 8, 1)
    np.testing.assert_allclose(found.values[0], kernel * (pair[0] - 1), rtol=1e-3, atol=1e-5)
