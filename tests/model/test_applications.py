"""Every architecture of keras.applications, every convolution of each, as users have them: nested.

A fast run takes two architectures, `-m slow` three more, `-m every_family` one of each of the other
families, which differ in how their blocks are built; `-m every_architecture` takes those that
differ only in size.
"""

from __future__ import annotations

import inspect

import keras
import numpy as np
import pytest
from keras import applications, layers

import kerasviz

FEW = {"MobileNetV2"}
SLOW = {"ConvNeXtTiny", "EfficientNetB0", "ResNet50", "VGG16"}
ONE_OF_A_FAMILY = {
    "DenseNet121",
    "EfficientNetV2B0",
    "InceptionResNetV2",
    "InceptionV3",
    "MobileNet",
    "MobileNetV3Small",
    "NASNetMobile",
    "ResNet50V2",
    "Xception",
}
ARCHITECTURES = [
    name for name in dir(applications) if inspect.isfunction(getattr(applications, name))
]
LARGE_INPUT = ("Inception", "NASNet", "Xception")  # 75 pixels at least


def _marks(name: str) -> list[pytest.MarkDecorator]:
    if name in FEW or name in SLOW:
        return [pytest.mark.slow] if name in SLOW else []
    return [pytest.mark.every_family if name in ONE_OF_A_FAMILY else pytest.mark.every_architecture]


@pytest.mark.parametrize("name", [pytest.param(name, marks=_marks(name)) for name in ARCHITECTURES])
def test_get_feature_maps_of_every_convolution_of_an_application(name: str) -> None:
    keras.utils.set_random_seed(0)
    size = 96 if name.startswith(LARGE_INPUT) else 32
    shape = (size, size, 3)
    application = getattr(applications, name)(weights=None, include_top=False, input_shape=shape)
    inputs = keras.Input(shape)
    flipped = layers.RandomFlip(seed=0)(inputs)
    model = keras.Model(inputs, layers.GlobalAveragePooling2D()(application(flipped)))
    x = np.random.default_rng(0).uniform(0, 255, size=(1, *shape)).astype("float32")

    maps = kerasviz.get_feature_maps(model, None, x)
    kernels = kerasviz.get_kernels(model, None)

    everything = application._flatten_layers(include_self=False, recursive=True)
    assert len(maps) == len(kernels) == sum(map(is_convolution, everything))
    convolutions = [layer for layer in application.layers if is_convolution(layer)]
    expected = keras.Model(application.input, [layer.output for layer in convolutions])
    for layer, output in zip(convolutions, expected.predict_on_batch(x), strict=True):
        address = f"{application.name}/{layer.name}"
        scale = np.abs(output).max()
        np.testing.assert_allclose(maps[address], output, atol=1e-4 * scale, rtol=1e-3)
        weight = getattr(layer, "depthwise_kernel", None)
        weight = layer.kernel if weight is None else weight
        assert kernels[address].size == np.prod(weight.shape)


def is_convolution(layer: keras.Layer) -> bool:
    return "Conv" in type(layer).__name__ and "Padding" not in type(layer).__name__
