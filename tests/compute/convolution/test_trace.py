"""Steps of convolutions and poolings, against what Keras's own layers compute."""

import re
from dataclasses import replace

import keras
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from keras import layers

from kerasviz.compute.convolution.geometry import STEPPING, window_axis
from kerasviz.compute.convolution.trace import check_stepping, in_channels, read_walk, seen_channels
from kerasviz.compute.feature_maps import plan_extraction
from kerasviz.model.addresses import NamedCall, Selection

CHANNELS = 4


def make(layer, inputs):
    """Call a layer on one sample; return what it makes of it, channels last."""
    first = layer.data_format == "channels_first"
    batch = np.moveaxis(inputs, -1, 0)[np.newaxis] if first else inputs[np.newaxis]
    outputs = keras.ops.convert_to_numpy(keras.ops.cast(layer(batch), "float32"))[0]
    return np.moveaxis(outputs, 0, -1) if first else outputs


def walk_over(layer, inputs, filter=0):  # noqa: A002
    return read_walk(layer, layer.name, inputs, make(layer, inputs), filter)


def images(rng, height=6, width=5, channels=CHANNELS):
    return rng.normal(size=(height, width, channels)).astype("float32")


@st.composite
def stepping_layers(draw):
    """The class and the options of any of the layers, and a size of input that suits it."""
    two = st.tuples(st.integers(1, 3), st.integers(1, 3))
    cls = draw(st.sampled_from(STEPPING))
    window, strides, dilation = draw(two), draw(two), (1, 1)
    size = draw(st.tuples(st.integers(1, 8), st.integers(1, 8)))
    options = {
        "padding": draw(st.sampled_from(["same", "valid"])),
        "data_format": draw(st.sampled_from(["channels_last", "channels_first"])),
    }
    if "Pooling" in cls.__name__:
        options |= {"pool_size": window, "strides": draw(st.sampled_from([None, strides]))}
    else:
        if draw(st.booleans()):
            strides, dilation = (1, 1), draw(two)
        options |= {
            "kernel_size": window,
            "strides": strides,
            "dilation_rate": dilation,
            "activation": draw(st.sampled_from([None, "relu", "tanh", "softmax"])),
            "use_bias": draw(st.booleans()),
            "bias_initializer": "normal",
        }
    if cls is layers.Conv2D:
        options |= {"filters": 4, "groups": draw(st.sampled_from([1, 2]))}
    elif cls is layers.DepthwiseConv2D:
        options |= {"strides": strides[0], "depth_multiplier": draw(st.integers(1, 2))}
    elif cls is layers.Conv2DTranspose:
        extra = st.sampled_from([None, (1, strides[1] - 1)]) if min(strides) > 1 else st.none()
        return cls, {**options, "filters": 3, "output_padding": draw(extra)}, size
    span = (np.array(window) - 1) * dilation + 1
    assume(options["padding"] == "same" or min(size - span) >= 0)
    return cls, options, size


@settings(max_examples=40)
@given(chosen=stepping_layers(), seed=st.integers(0, 99))
def test_every_step_makes_the_value_that_keras_computes(chosen, seed):
    cls, options, size = chosen
    keras.utils.set_random_seed(seed)
    layer = cls(**options)
    rng = np.random.default_rng(seed)
    inputs = images(rng, *size)
    outputs = make(layer, inputs)
    number = int(rng.integers(outputs.shape[-1]))
    walk = read_walk(layer, "any", inputs, outputs, number)
    assert walk.output.shape == outputs.shape[:2]
    assert in_channels(layer, outputs.shape[-1]) == CHANNELS

    position = tuple(int(rng.integers(n)) for n in walk.output.shape)
    step = walk.step(*position)
    assert step.value == pytest.approx(outputs[(*position, number)], rel=1e-6)
    real = ~np.ma.getmaskarray(step.window)
    assert np.isin(step.window.data[real], inputs[..., walk.channels]).all()
    activation = getattr(layer, "activation", keras.activations.linear)
    assert walk.mixes == (activation is keras.activations.softmax)
    if step.products is None:
        assert step.total == pytest.approx(step.value, rel=1e-4, abs=1e-5)
        return
    assert step.products == pytest.approx(step.window.data * walk.kernel)
    assert not step.products[~real].any()
    assert step.sums.sum() == pytest.approx(step.products.sum())
    assert step.total == pytest.approx(step.products.sum() + walk.bias)
    if not walk.mixes:
        value = keras.ops.convert_to_numpy(activation(keras.ops.convert_to_tensor(step.total)))
        assert step.value == pytest.approx(float(value), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize(
    ("size", "window", "stride", "dilation", "padding", "expected"),
    [
        (28, 3, 1, 1, "same", (1, 1)),
        (28, 3, 2, 1, "same", (0, 1)),
        (27, 3, 2, 1, "same", (1, 1)),
        (28, 2, 1, 1, "same", (0, 1)),
        (28, 3, 1, 2, "same", (2, 2)),
        (224, 7, 2, 1, "same", (2, 3)),
        (10, 1, 3, 1, "same", (0, 0)),
        (28, 3, 2, 1, "valid", (0, 0)),
    ],
)
def test_padding_is_that_of_tensorflow(size, window, stride, dilation, padding, expected):
    layer = layers.Conv2D(1, window, stride, padding, dilation_rate=dilation)
    axis = window_axis(layer, 0, size)
    assert axis.padding == expected
    assert axis.real.sum() == size
    assert axis.taken[1, 0] - axis.taken[0, 0] == stride
    assert axis.taken[0].tolist() == [dilation * tap for tap in range(window)]


def test_a_transposed_convolution_spreads_its_input():
    axis = window_axis(layers.Conv2DTranspose(1, 3, strides=2, padding="same"), 0, 3)
    assert axis.real.astype(int).tolist() == [0, 0, 1, 0, 1, 0, 1, 0]
    assert len(axis.taken) == 6
    assert (axis.stride, axis.spread) == (1, 2)


@pytest.mark.parametrize(
    ("layer", "filter", "expected"),
    [
        (layers.Conv2D(6, 1), 5, [0, 1, 2, 3]),
        (layers.Conv2D(6, 1, groups=2), 2, [0, 1]),
        (layers.Conv2D(6, 1, groups=2), 3, [2, 3]),
        (layers.DepthwiseConv2D(1, depth_multiplier=3), 7, [2]),
        (layers.Conv2DTranspose(6, 1), 5, [0, 1, 2, 3]),
        (layers.MaxPooling2D(), 3, [3]),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_a_filter_sees_the_channels_of_its_group(layer, filter, expected):  # noqa: A002
    layer.build((None, 6, 5, CHANNELS))
    assert seen_channels(layer, filter).tolist() == expected


def test_the_mean_is_over_real_values_but_for_a_repeated_edge(rng):
    inputs = images(rng, 5, 5, 1)
    walk = walk_over(layers.AveragePooling2D(3, strides=2, padding="same"), inputs)
    assert walk.rows.padding == (1, 1)
    assert walk.step(0, 0).total == pytest.approx(inputs[:2, :2].mean(), rel=1e-4)
    assert not walk.repeats_edge

    # One cell of padding, at the end: Keras on PyTorch repeats the edge there.
    walk = walk_over(layers.AveragePooling2D(3, padding="same"), inputs)
    repeats = keras.backend.backend() == "torch"
    assert walk.rows.padding == (0, 1)
    assert walk.repeats_edge == repeats
    weights = [1, 2] if repeats else [1, 1]
    mean = np.average(np.average(inputs[3:, 3:, 0], 0, weights), 0, weights)
    step = walk.step(1, 1)
    assert step.total == pytest.approx(mean, rel=1e-4)
    assert step.window.count() == 4


def test_padding_is_never_the_largest():
    walk = walk_over(layers.MaxPooling2D(2, padding="same"), np.full((3, 3, 1), -2.0, "float32"))
    assert walk.step(1, 1).value == -2
    assert walk.step(1, 1).window.count() == 1


def test_activations(rng):
    inputs = images(rng)
    prelu = layers.PReLU(alpha_initializer="random_normal")
    for activation, name, mixes in [
        (None, None, False),
        ("relu", "relu", False),
        ("softmax", "softmax", True),
        (lambda x: 2 * x, "activation", False),
        (layers.LeakyReLU(), "LeakyReLU", False),
        (prelu, "PReLU", False),
        (layers.Softmax(), "Softmax", True),
    ]:
        walk = walk_over(layers.Conv2D(3, 2, activation=activation), inputs, 1)
        assert (walk.activation, walk.mixes) == (name, mixes)
    assert prelu.alpha.shape == (5, 4, 3)


def test_a_softmax_over_columns_mixes_too(rng):
    layer = layers.Conv2D(3, 2, activation="softmax", data_format="channels_first")
    assert walk_over(layer, images(rng)).mixes


class Normalized(layers.Conv2D):
    """A convolution whose kernels are normalised when it is called."""

    def call(self, inputs):
        kernel = self.kernel / keras.ops.sum(self.kernel**2)
        return keras.ops.conv(inputs, kernel, padding="valid")


class Louder(layers.MaxPooling2D):
    def call(self, inputs):
        return 1.01 * super().call(inputs)


@pytest.mark.parametrize("layer", [Normalized(3, 2, name="own"), Louder(name="own")])
def test_a_layer_that_computes_something_else_is_refused(rng, layer):
    base = type(layer).__bases__[0].__name__
    message = (
        f"differs from what {base} computes, so its steps cannot be shown. Received: layer='own'"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        walk_over(layer, images(rng))


class Same(layers.Conv2D):
    """A layer of another class that computes the same."""

    def call(self, inputs):
        return super().call(inputs)


def test_a_layer_of_a_class_of_the_users_that_computes_the_same(rng):
    assert walk_over(Same(3, 2), images(rng)).kernel.shape == (2, 2, CHANNELS)


def test_half_precision_is_not_taken_for_something_else(rng):
    layer = layers.Conv2D(3, 3, activation="relu", dtype="mixed_bfloat16")
    walk = walk_over(layer, images(rng, 12, 12), 2)
    assert walk.activation == "relu"


def test_values_that_are_not_finite_reach_the_steps_that_take_them(rng):
    inputs = images(rng)
    inputs[0, 0, 1], inputs[5, 4, 0] = np.nan, np.inf
    walk = walk_over(layers.Conv2D(1, 2), inputs)
    assert np.isnan(walk.step(0, 0).total)
    assert np.isinf(walk.step(4, 3).total)
    assert np.isfinite(walk.step(2, 2).total)


def test_other_layers_are_refused():
    message = (
        "`layer` must name a Conv2D, DepthwiseConv2D, Conv2DTranspose, MaxPooling2D or "
        "AveragePooling2D. Received: 'd', a Dense"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        check_stepping(layers.Dense(3), "d")
    for cls in (layers.SeparableConv2D, layers.Conv1D, layers.Conv3D):
        with pytest.raises(ValueError, match=cls.__name__):
            check_stepping(cls(1, 1), "x")


def graph():
    inputs = keras.Input((6, 6, 2))
    c = layers.Conv2D(2, 3, padding="same", name="c")
    return keras.Model(inputs, c(layers.ReLU()(c(inputs)))), ["c:0", "c:1"]


def nested():
    encoder = keras.Sequential([keras.Input((6, 6, 2)), layers.Conv2D(3, 3, name="c")], name="e")
    inputs = keras.Input((6, 6, 2))
    pool = layers.MaxPooling2D(name="p")
    model = keras.Model(inputs, pool(encoder(inputs)) + pool(encoder(-inputs)))
    return model, ["e:1/c", "e:0/c", "p:1"]


def subclassed():
    class Twice(keras.layers.Layer):
        def __init__(self):
            super().__init__(name="twice")
            self.c = layers.Conv2D(2, 3, padding="same", name="c")

        def call(self, x):
            return self.c(inputs=keras.ops.tanh(self.c(x)))

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.twice, self.p = Twice(), layers.AveragePooling2D(2, name="p")

        def call(self, x):
            return self.p(self.twice(2 * x))

    return Model(), ["twice/c:1", "twice/c:0", "p"]


def channels_first():
    inner = keras.Input((2, 6, 6))
    c = layers.Conv2D(3, 3, data_format="channels_first", name="c")
    encoder = keras.Model(inner, layers.ReLU()(c(inner)), name="e")
    inputs = keras.Input((2, 6, 6))
    pool = layers.MaxPooling2D(data_format="channels_first", name="p")
    return keras.Model(inputs, pool(encoder(inputs))), ["e/c", "p"]


@pytest.mark.parametrize("make_model", [graph, nested, subclassed, channels_first])
def test_what_a_call_was_given_is_had_with_what_it_returned(rng, make_model):
    model, addresses = make_model()
    inputs = rng.normal(size=(2, 2, 6, 6) if make_model is channels_first else (2, 6, 6, 2))
    for address in addresses:
        extraction = plan_extraction(model, address, inputs)
        call = extraction.targets.targets[0].call
        pair = NamedCall("output", call), NamedCall("input", call.input_call)
        maps = replace(extraction, targets=Selection(pair, single=False)).run()
        made = [make(call.layer, sample) for sample in maps["input"]]
        assert maps["input"].shape == (2, *call_shape(call))
        np.testing.assert_allclose(made, maps["output"], rtol=1e-4, atol=1e-5, err_msg=address)


def call_shape(call):
    """Return height, width and channels of what a call is given, as they are known beforehand."""
    _, *axes = call.inputs[0].shape
    return np.moveaxis(np.empty(axes), call.channel_axis - (call.channel_axis > 0), -1).shape
