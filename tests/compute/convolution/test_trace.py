"""Compare the steps of convolutions and poolings with what Keras's own layers compute."""

import re

import keras
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from keras import layers

from kerasviz.compute.convolution.channels import count_input_channels
from kerasviz.compute.convolution.geometry import SLIDING_LAYERS
from kerasviz.compute.convolution.trace import check_sliding_layer, trace_convolution

CHANNELS = 4


def call(layer, inputs):
    """Call a layer on one sample; return its output with the channels last."""
    first = layer.data_format == "channels_first"
    batch = np.moveaxis(inputs, -1, 0)[np.newaxis] if first else inputs[np.newaxis]
    outputs = keras.ops.convert_to_numpy(keras.ops.cast(layer(batch), "float32"))[0]
    return np.moveaxis(outputs, 0, -1) if first else outputs


def trace(layer, inputs, filter_index=0):
    outputs = call(layer, inputs)
    return trace_convolution(layer, inputs, outputs, filter_index=filter_index, address=layer.name)


def images(rng, height=6, width=5, channels=CHANNELS):
    return rng.normal(size=(height, width, channels)).astype("float32")


@st.composite
def sliding_layers(draw):
    """The class and the options of any of the layers, and a size of input that suits it."""
    two = st.tuples(st.integers(1, 3), st.integers(1, 3))
    cls = draw(st.sampled_from([cls for cls in SLIDING_LAYERS if "2D" in cls.__name__]))
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
@given(layer_and_size=sliding_layers(), seed=st.integers(0, 99))
def test_trace_convolution_computes_each_value_as_keras_does(layer_and_size, seed):
    cls, options, size = layer_and_size
    keras.utils.set_random_seed(seed)
    layer = cls(**options)
    rng = np.random.default_rng(seed)
    inputs = images(rng, *size)
    outputs = call(layer, inputs)
    # Keras's `add` on TensorFlow takes a bias for one of the last axis where that is as long.
    _, width, filters = outputs.shape
    assume(layer.data_format == "channels_last" or width != filters)
    index = int(rng.integers(outputs.shape[-1]))
    trace = trace_convolution(layer, inputs, outputs, filter_index=index, address="any")
    assert trace.output.shape == outputs.shape[:2]
    assert count_input_channels(layer, outputs.shape[-1]) == CHANNELS

    position = tuple(int(rng.integers(n)) for n in trace.output.shape)
    step = trace.step(*position)
    assert step.value == pytest.approx(outputs[(*position, index)], rel=1e-6)
    is_data = ~np.ma.getmaskarray(step.window)
    assert np.isin(step.window.data[is_data], inputs[..., trace.channel_indices]).all()
    activation = getattr(layer, "activation", keras.activations.linear)
    assert trace.mixes_sums == (activation is keras.activations.softmax)
    if step.products is None:
        assert step.total == pytest.approx(step.value, rel=1e-4, abs=1e-5)
        return
    assert step.products == pytest.approx(step.window.data * trace.kernel)
    assert not step.products[~is_data].any()
    assert step.sums.sum() == pytest.approx(step.products.sum())
    assert step.total == pytest.approx(step.products.sum() + trace.bias)
    if not trace.mixes_sums:
        value = keras.ops.convert_to_numpy(activation(keras.ops.convert_to_tensor(step.total)))
        assert step.value == pytest.approx(float(value), rel=1e-3, abs=1e-4)


def test_trace_convolution_averages_data_and_a_repeated_edge(rng):
    inputs = images(rng, 5, 5, 1)
    steps = trace(layers.AveragePooling2D(3, strides=2, padding="same"), inputs)
    assert steps.rows.padding == (1, 1)
    assert steps.step(0, 0).total == pytest.approx(inputs[:2, :2].mean(), rel=1e-4)
    assert not steps.repeats_edge

    # One cell of padding, at the end: Keras on PyTorch repeats the edge there.
    steps = trace(layers.AveragePooling2D(3, padding="same"), inputs)
    repeats = keras.backend.backend() == "torch"
    assert steps.rows.padding == (0, 1)
    assert steps.repeats_edge == repeats
    weights = [1, 2] if repeats else [1, 1]
    mean = np.average(np.average(inputs[3:, 3:, 0], 0, weights), 0, weights)
    step = steps.step(1, 1)
    assert step.total == pytest.approx(mean, rel=1e-4)
    assert step.window.count() == 4


def test_trace_convolution_averages_steps_and_a_repeated_last_one():
    """Of windows of 3, the second ends in padding, which Keras on PyTorch fills with the last."""
    layer = layers.AveragePooling1D(3, padding="same")
    inputs = np.array([[1], [2], [3], [4], [7]], "float32")
    outputs = np.array([[2], [6]], "float32")
    steps = trace_convolution(layer, inputs, outputs, filter_index=0, address="any")
    assert steps.repeats_edge
    assert steps.step(0, 1).total == pytest.approx(6)
    if keras.backend.backend() == "torch":
        np.testing.assert_allclose(call(layer, inputs), outputs)


def test_trace_convolution_never_takes_padding_for_the_largest():
    steps = trace(layers.MaxPooling2D(2, padding="same"), np.full((3, 3, 1), -2.0, "float32"))
    assert steps.step(1, 1).value == -2
    assert steps.step(1, 1).window.count() == 1


def test_trace_convolution_recognises_activations(rng):
    inputs = images(rng)
    prelu = layers.PReLU(alpha_initializer="random_normal")
    for activation, name, mixes_sums in [
        (None, None, False),
        ("relu", "relu", False),
        ("softmax", "softmax", True),
        (lambda x: 2 * x, "activation", False),
        (layers.LeakyReLU(), "LeakyReLU", False),
        (prelu, "PReLU", False),
        (layers.Softmax(), "Softmax", True),
    ]:
        steps = trace(layers.Conv2D(3, 2, activation=activation), inputs, 1)
        assert (steps.activation, steps.mixes_sums) == (name, mixes_sums)
    assert prelu.alpha.shape == (5, 4, 3)


def test_trace_convolution_sees_that_a_softmax_over_columns_mixes_sums(rng):
    layer = layers.Conv2D(3, 2, activation="softmax", data_format="channels_first")
    assert trace(layer, images(rng)).mixes_sums


class Normalized(layers.Conv2D):
    """A convolution whose kernels are normalised when it is called."""

    def call(self, inputs):
        kernel = self.kernel / keras.ops.sum(self.kernel**2)
        return keras.ops.conv(inputs, kernel, padding="valid")


class Louder(layers.MaxPooling2D):
    def call(self, inputs):
        return 1.01 * super().call(inputs)


@pytest.mark.parametrize("layer", [Normalized(3, 2, name="own"), Louder(name="own")])
def test_trace_convolution_refuses_a_layer_that_computes_something_else(rng, layer):
    base = type(layer).__bases__[0].__name__
    message = (
        f"differs from what {base} computes, so its steps cannot be shown. Received: layer='own'"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        trace(layer, images(rng))


class Same(layers.Conv2D):
    """A layer of another class that computes the same."""

    def call(self, inputs):
        return super().call(inputs)


def test_trace_convolution_accepts_a_subclass_that_computes_the_same(rng):
    assert trace(Same(3, 2), images(rng)).kernel.shape == (2, 2, CHANNELS)


def test_trace_convolution_allows_for_half_precision(rng):
    layer = layers.Conv2D(3, 3, activation="relu", dtype="mixed_bfloat16")
    steps = trace(layer, images(rng, 12, 12), 2)
    assert steps.activation == "relu"


def test_trace_convolution_keeps_nan_and_infinity_in_their_steps(rng):
    inputs = images(rng)
    inputs[0, 0, 1], inputs[5, 4, 0] = np.nan, np.inf
    steps = trace(layers.Conv2D(1, 2), inputs)
    assert np.isnan(steps.step(0, 0).total)
    assert np.isinf(steps.step(4, 3).total)
    assert np.isfinite(steps.step(2, 2).total)


def test_check_sliding_layer_refuses_other_layers():
    message = (
        "`layer` must name a Conv1D, Conv2D, DepthwiseConv1D, DepthwiseConv2D, Conv1DTranspose, "
        "Conv2DTranspose, MaxPooling1D, MaxPooling2D, AveragePooling1D or AveragePooling2D. "
        "Received: 'd', a Dense"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        check_sliding_layer(layers.Dense(3), "d")
    for cls in (layers.SeparableConv1D, layers.SeparableConv2D, layers.Conv3D):
        with pytest.raises(ValueError, match=cls.__name__):
            check_sliding_layer(cls(1, 1), "x")
