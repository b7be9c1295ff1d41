"""Pictures of architectures; drawn anew as those of test_images.py are."""

import keras
import numpy as np
import pytest
from keras import layers

import kerasviz


@pytest.fixture
def plot_architecture(closing):
    return closing(kerasviz.plot_architecture)


def block(x, filters, stride, name):
    y = layers.Conv2D(filters, 3, stride, padding="same", use_bias=False, name=f"{name}_conv1")(x)
    y = layers.ReLU(name=f"{name}_relu1")(layers.BatchNormalization(name=f"{name}_norm1")(y))
    y = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"{name}_conv2")(y)
    y = layers.BatchNormalization(name=f"{name}_norm2")(y)
    if stride > 1:
        x = layers.Conv2D(filters, 1, stride, use_bias=False, name=f"{name}_shortcut")(x)
        x = layers.BatchNormalization(name=f"{name}_norm3")(x)
    return layers.ReLU(name=f"{name}_relu2")(layers.Add(name=f"{name}_add")([y, x]))


@pytest.mark.mpl_image_compare
def test_a_residual_network_in_columns(plot_architecture):
    inputs = keras.Input((32, 32, 3), name="image")
    x = layers.Conv2D(16, 3, padding="same", use_bias=False, name="stem")(inputs)
    x = layers.ReLU(name="stem_relu")(layers.BatchNormalization(name="stem_norm")(x))
    for number, (filters, stride) in enumerate([(16, 1), (16, 1), (32, 2), (32, 1), (64, 2)]):
        x = block(x, filters, stride, f"block{number}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    outputs = layers.Dense(10, activation="softmax", name="dense")(x)
    return plot_architecture(keras.Model(inputs, outputs, name="residual")).figure


@pytest.mark.mpl_image_compare
def test_frames_of_a_shared_model_and_a_frozen_layer(plot_architecture):
    inner_inputs = keras.Input((12, 12, 1))
    x = layers.Conv2D(8, 3, activation="relu", name="conv")(inner_inputs)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    encoder = keras.Model(inner_inputs, layers.Dense(4, name="code")(x), name="encoder")
    encoder.get_layer("conv").trainable = False
    left, right = keras.Input((12, 12, 1), name="left"), keras.Input((12, 12, 1), name="right")
    codes = [encoder(left), encoder(right)]
    x = layers.Concatenate(name="pair")([*codes, keras.ops.abs(codes[0] - codes[1])])
    outputs = layers.Dense(1, activation="sigmoid", name="same")(x)
    model = keras.Model([left, right], outputs, name="siamese")
    return plot_architecture(model, expand=1).figure


@pytest.mark.mpl_image_compare
def test_maps_in_the_boxes(plot_architecture):
    inputs = keras.Input((16, 16, 1), name="image")
    x = layers.Conv2D(5, 3, padding="same", name="edges")(inputs)
    x = layers.MaxPooling2D(name="pool")(x)
    x = layers.Conv2D(3, 3, padding="same", use_bias=False, name="parts")(x)
    model = keras.Model(inputs, layers.ReLU(name="relu")(x), name="maps")
    kernel = np.zeros((3, 3, 1, 5))
    kernel[1, :, 0, 0] = kernel[:, 1, 0, 1] = -1, 0, 1
    kernel[..., 0, 2] = 1 / 9
    kernel[1, 1, 0, 3] = 1
    parts = np.zeros((3, 3, 5, 3))
    parts[1, 1, 0, 0] = parts[1, 1, 1, 1] = parts[:, :, 2, 1] = 1
    model.set_weights([kernel, np.array([0, 0, 0, 0, 0.5]), parts])
    y, x = np.mgrid[:16, :16]
    image = ((y - 8) ** 2 + (x - 7) ** 2 < 30).astype("float32")
    return plot_architecture(model, inputs=image).figure
