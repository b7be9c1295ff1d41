"""Describe each kind of layer: its kind, title, settings and activation."""

from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from kerasviz.model.architecture.layer_words import (
    KINDS,
    activation,
    is_composite,
    kind,
    settings,
    title,
)


class OwnConvolution(layers.Conv2D):
    pass


class Composite(keras.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.parts = [layers.Dense(2), layers.ReLU()]


def nested() -> keras.Model:
    return keras.Sequential([keras.Input((4,)), layers.Dense(2)])


@pytest.mark.parametrize(
    ("layer", "kind_of", "words"),
    [
        (layers.Conv2D(64, 3), "convolution", "Conv2D 3×3 · 64"),
        (layers.Conv2D(64, (3, 5), strides=2), "convolution", "Conv2D 3×5, stride 2 · 64"),
        (layers.Conv2D(8, 3, strides=(1, 2)), "convolution", "Conv2D 3×3, stride 1×2 · 8"),
        (
            layers.Conv2D(8, 3, dilation_rate=2, groups=4),
            "convolution",
            "Conv2D 3×3, dilation 2, groups 4 · 8",
        ),
        (layers.Conv1D(8, 5, strides=2), "convolution", "Conv1D 5, stride 2 · 8"),
        (layers.Conv3D(8, 3), "convolution", "Conv3D 3×3×3 · 8"),
        (layers.Conv2DTranspose(8, 2, 2), "convolution", "Conv2DTranspose 2×2, stride 2 · 8"),
        (layers.DepthwiseConv2D(3, 2), "convolution", "DepthwiseConv2D 3×3, stride 2"),
        (
            layers.DepthwiseConv2D(3, depth_multiplier=2),
            "convolution",
            "DepthwiseConv2D 3×3, depth ×2",
        ),
        (layers.SeparableConv2D(8, 3), "convolution", "SeparableConv2D 3×3 · 8"),
        (layers.ConvLSTM2D(8, 3), "convolution", "ConvLSTM2D 3×3 · 8"),
        (OwnConvolution(4, 1), "convolution", "OwnConvolution 1×1 · 4"),
        (layers.MaxPooling2D(), "pooling or resizing", "MaxPooling2D 2×2"),
        (layers.MaxPooling2D(3, 2), "pooling or resizing", "MaxPooling2D 3×3, stride 2"),
        (layers.AveragePooling1D(4), "pooling or resizing", "AveragePooling1D 4"),
        (layers.GlobalAveragePooling2D(), "pooling or resizing", "GlobalAveragePooling2D"),
        (layers.UpSampling2D(2), "pooling or resizing", "UpSampling2D 2×2"),
        (layers.Add(), "merge", "Add"),
        (layers.Concatenate(), "merge", "Concatenate"),
        (layers.Concatenate(axis=3), "merge", "Concatenate"),
        (layers.Concatenate(axis=1), "merge", "Concatenate axis 1"),
        (layers.Concatenate(axis=-2), "merge", "Concatenate axis -2"),
        (layers.BatchNormalization(axis=3), KINDS[4], "BatchNormalization"),
        (layers.BatchNormalization(axis=1), KINDS[4], "BatchNormalization axis 1"),
        (layers.LayerNormalization(axis=[3]), KINDS[4], "LayerNormalization"),
        (layers.LayerNormalization(axis=[1, 2]), KINDS[4], "LayerNormalization axes 1, 2"),
        (layers.GroupNormalization(8), KINDS[4], "GroupNormalization groups 8"),
        (layers.ReLU(), KINDS[4], "ReLU"),
        (layers.ReLU(max_value=6), KINDS[4], "ReLU max 6"),
        (layers.LeakyReLU(negative_slope=0.1), KINDS[4], "LeakyReLU 0.1"),
        (layers.PReLU(), KINDS[4], "PReLU"),
        (layers.ELU(), KINDS[4], "ELU"),
        (layers.Softmax(), KINDS[4], "Softmax"),
        (layers.Activation("relu"), KINDS[4], "Activation relu"),
        (layers.Activation(layers.LeakyReLU()), KINDS[4], "Activation LeakyReLU"),
        (layers.Activation(lambda x: x), KINDS[4], "Activation lambda"),
        (layers.Dropout(0.25), KINDS[4], "Dropout 0.25"),
        (layers.Dropout(0), KINDS[4], "Dropout 0"),
        (layers.SpatialDropout2D(0.5), KINDS[4], "SpatialDropout2D 0.5"),
        (layers.Dense(10), "dense", "Dense · 10"),
        (layers.EinsumDense("ab,bc->ac", 4), "dense", "EinsumDense ab,bc->ac"),
        (layers.Flatten(), "other", "Flatten"),
        (layers.Reshape((4, 4, -1)), "other", "Reshape 4×4×-1"),
        (layers.ZeroPadding1D((2, 3)), "other", "ZeroPadding1D 2+3"),
        (layers.ZeroPadding1D(0), "other", "ZeroPadding1D 0"),
        (layers.ZeroPadding2D(1), "other", "ZeroPadding2D 1"),
        (layers.ZeroPadding2D(((0, 1), (0, 2))), "other", "ZeroPadding2D 0+1, 0+2"),
        (layers.Cropping2D(((0, 1), (2, 1))), "other", "Cropping2D 0+1, 2+1"),
        (layers.Rescaling(1 / 255), "other", "Rescaling ×0.003922"),
        (layers.Rescaling(0.5, offset=-1.0), "other", "Rescaling ×0.5, -1"),
        (layers.Resizing(224, 196), "other", "Resizing 224×196"),
        (
            layers.RandomFlip("horizontal_and_vertical"),
            "other",
            "RandomFlip horizontal and vertical",
        ),
        (layers.RandomRotation(0.1), "other", "RandomRotation ±0.1"),
        (layers.RandomRotation((-0.1, 0.2)), "other", "RandomRotation -0.1×0.2"),
        (layers.Embedding(1000, 16), "other", "Embedding · 16"),
        (layers.LSTM(32), "other", "LSTM · 32"),
        (layers.Bidirectional(layers.LSTM(32)), "other", "Bidirectional(LSTM) · 32"),
        (layers.MultiHeadAttention(4, 8), "other", "MultiHeadAttention heads 4"),
        (layers.Lambda(lambda x: x), "other", "Lambda"),
        (
            layers.TimeDistributed(layers.Conv2D(4, 3)),
            "convolution",
            "TimeDistributed(Conv2D) 3×3 · 4",
        ),
        (nested(), "model", "Sequential 1 layer"),
        (layers.TimeDistributed(nested()), "model", "TimeDistributed(Sequential) 1 layer"),
        (Composite(), "model", "Composite 2 layers"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_kind_title_and_settings_of_each_layer(layer: Any, kind_of: str, words: str) -> None:
    assert kind(layer) == kind_of
    assert kind_of in KINDS
    assert f"{title(layer)} {settings(layer, 4)}".strip() == words
    assert is_composite(layer) == (kind_of == "model")


class Wide(layers.Conv2D):
    def __init__(self, width: int) -> None:
        super().__init__(width, 3)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}


class WithoutConfig(layers.Dropout):
    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError


class Unreadable(layers.ReLU):
    @property
    def max_value(self) -> None:
        if vars(self).get("built"):
            raise RuntimeError

    @max_value.setter
    def max_value(self, _: Any) -> None:
        pass


def with_attribute(layer: keras.Layer, name: str, value: Any) -> keras.Layer:
    setattr(layer, name, value)
    return layer


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (Wide(4), "Wide 3×3 · 4"),
        (WithoutConfig(0.2), "WithoutConfig 0.2"),
        (Unreadable(), "Unreadable"),
        (with_attribute(layers.Dropout(0.2), "rate", None), "Dropout"),
        (with_attribute(layers.Dropout(0.2), "rate", True), "Dropout"),
        (with_attribute(layers.Conv2D(4, 3), "strides", "two"), "Conv2D 3×3 · 4"),
        (with_attribute(layers.MaxPooling2D(), "pool_size", [None, 2]), "MaxPooling2D stride 2"),
        (with_attribute(layers.Reshape((4, 4)), "target_shape", np.ones(2)), "Reshape"),
        (with_attribute(layers.Activation("relu"), "activation", None), "Activation"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_settings_leave_out_what_cannot_be_read(layer: Any, words: str) -> None:
    assert f"{title(layer)} {settings(layer, 4)}".strip() == words


def test_settings_serialize_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Serialization takes long, may raise, and imports TensorFlow on other backends."""

    def fail(*_: Any) -> None:
        raise AssertionError("it is serialized")

    monkeypatch.setattr(keras.Layer, "get_config", fail)
    monkeypatch.setattr(layers.Conv2D, "get_config", fail)
    monkeypatch.setattr(keras.saving, "serialize_keras_object", fail)
    assert settings(layers.Conv2D(64, 3, activation="relu"), 4) == "3×3 · 64"
    assert settings(layers.Activation("tanh"), 4) == "tanh"
    assert settings(nested(), 2) == "1 layer"


class Relu(keras.Operation):
    """An operation of a user's own that has the name of one of Keras's."""

    def call(self, x: Any) -> Any:
        return x

    def compute_output_spec(self, x: Any) -> Any:
        return keras.KerasTensor(x.shape, x.dtype)


def operation_of(tensor: Any) -> Any:
    return tensor._keras_history.operation


def test_kind_title_and_settings_of_operations_outside_layers() -> None:
    x = keras.Input((4, 4, 2))
    for tensor, arity, kind_of, words in (
        (x * 2.0, 1, "other", "ops.multiply"),
        (x + x, 2, "merge", "ops.add"),
        (keras.ops.relu(x), 1, KINDS[4], "ops.relu"),
        (keras.ops.leaky_relu(x), 1, KINDS[4], "ops.leaky_relu"),
        (keras.ops.absolute(x), 1, "other", "ops.absolute"),
        (x[:, ::2], 1, "other", "ops.get_item"),
        (keras.ops.reshape(x, (-1, 4, 8)), 1, "other", "ops.reshape"),
        (keras.ops.average(x, axis=1), 1, "other", "ops.average"),
        (keras.ops.add(x, 1), 1, "other", "ops.add"),
        (keras.ops.repeat(x, 2, axis=1), 1, "other", "ops.repeat"),
        (Relu()(x), 1, "other", "Relu"),
    ):
        operation = operation_of(tensor)
        assert kind(operation, arity) == kind_of
        assert f"{title(operation)} {settings(operation, 4)}".strip() == words
        assert activation(operation) == ""
        assert not is_composite(operation)


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (layers.Conv2D(1, 1), ""),
        (layers.Conv2D(1, 1, activation="relu"), "relu"),
        (layers.Dense(1, activation="softmax"), "softmax"),
        (layers.Dense(1, activation=layers.LeakyReLU()), "LeakyReLU"),
        (layers.Dense(1, activation=functools.partial(keras.ops.leaky_relu)), "leaky_relu"),
        (with_attribute(layers.Dense(1, activation="relu"), "activation", None), ""),
        (layers.TimeDistributed(layers.Dense(1, activation="relu")), "relu"),
        (layers.LSTM(1), ""),
        (layers.Activation("relu"), ""),
        (layers.Flatten(), ""),
    ],
)
def test_activation_with_which_a_layer_ends(layer: keras.Layer, name: str) -> None:
    assert activation(layer) == name
