"""Draw layers that are called inside models of many kinds."""

import keras
import numpy as np
import pytest
from keras import layers

import kerasviz
from marks import slow_after


@pytest.fixture
def plot_convolution(closing):
    return closing(kerasviz.plot_convolution)


def graph():
    inputs = keras.Input((6, 6, 2))
    c = layers.Conv2D(2, 3, padding="same", name="c")
    return keras.Model(inputs, c(layers.ReLU()(c(inputs)))), {"c:0": c, "c:1": c}


def nested():
    c, p = layers.Conv2D(3, 3, name="c"), layers.MaxPooling2D(name="p")
    encoder = keras.Sequential([keras.Input((6, 6, 2)), c], name="e")
    inputs = keras.Input((6, 6, 2))
    model = keras.Model(inputs, p(encoder(inputs)) + p(encoder(-inputs)))
    return model, {"e:1/c": c, "e:0/c": c, "p:1": p}


class Twice(keras.layers.Layer):
    def __init__(self):
        super().__init__(name="twice")
        self.c = layers.Conv2D(2, 3, padding="same", name="c")

    def call(self, x):
        return self.c(inputs=keras.ops.tanh(self.c(x)))


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.twice, self.p = Twice(), layers.AveragePooling2D(2, name="p")

    def call(self, x):
        return self.p(self.twice(2 * x))


def subclassed():
    model = Subclassed()
    return model, {"twice/c:1": model.twice.c, "twice/c:0": model.twice.c, "p": model.p}


def channels_first():
    inner = keras.Input((2, 6, 6))
    c = layers.Conv2D(3, 3, data_format="channels_first", name="c")
    p = layers.MaxPooling2D(data_format="channels_first", name="p")
    encoder = keras.Model(inner, layers.ReLU()(c(inner)), name="e")
    inputs = keras.Input((2, 6, 6))
    return keras.Model(inputs, p(encoder(inputs))), {"e/c": c, "p": p}


def call(layer, inputs):
    """Call a layer on one sample whose channels are last; return its output likewise."""
    first = layer.data_format == "channels_first"
    batch = np.moveaxis(inputs, -1, 0)[np.newaxis] if first else inputs[np.newaxis]
    outputs = keras.ops.convert_to_numpy(layer(batch.astype("float32")))[0]
    return np.moveaxis(outputs, 0, -1) if first else outputs


def data(image):
    """Return what an image shows of an input, without its padding."""
    values = image.get_array()
    mask = np.ma.getmaskarray(values)
    return values.data[~mask.all(axis=1)][:, ~mask.all(axis=0)]


@pytest.mark.parametrize("make_model", slow_after(1, [graph, nested, subclassed, channels_first]))
def test_plot_convolution_shows_input_and_output_of_one_call(plot_convolution, rng, make_model):
    model, layers_by_address = make_model()
    inputs = rng.normal(size=(2, 2, 6, 6) if make_model is channels_first else (2, 6, 6, 2))
    for address, layer in layers_by_address.items():
        plots = [
            plot_convolution(model, address, inputs, position=(0, 0), filter=index, sample=1)
            for index in range(kerasviz.get_feature_maps(model, address, inputs).shape[-1])
        ]
        # A convolution reads all channels, each in a row of four panels; a pooling one at a time.
        is_pooling = address[0] == "p"
        panels = [plot.images[0] for plot in plots] if is_pooling else plots[0].images[:-1:4]
        outputs = [plot.images[-1].get_array() for plot in plots]
        expected = call(layer, np.stack([data(image) for image in panels], -1))
        np.testing.assert_allclose(
            np.stack(outputs, -1), expected, rtol=1e-4, atol=1e-5, err_msg=address
        )


def test_plot_convolution_shows_the_sample_that_was_asked_for(plot_convolution, rng):
    model, _ = graph()
    inputs = rng.normal(size=(3, 6, 6, 2))
    plot = plot_convolution(model, "c:0", inputs, position=(0, 0), sample=-1)
    shown = np.stack([data(image) for image in plot.images[:-1:4]], -1)
    np.testing.assert_allclose(shown, inputs[2], rtol=1e-6)
    assert plot.figure.get_suptitle().endswith("sample 2 of 3")
