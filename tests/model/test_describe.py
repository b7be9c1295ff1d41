"""What is said about each kind of layer."""

from __future__ import annotations

from typing import Any

import keras
import pytest
from keras import layers

from kerasviz.model.describe import KINDS, activation, is_composite, kind, settings, title


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
        (layers.BatchNormalization(axis=3), KINDS[4], "BatchNormalization"),
        (layers.BatchNormalization(axis=1), KINDS[4], "BatchNormalization axis 1"),
        (layers.GroupNormalization(8), KINDS[4], "GroupNormalization groups 8"),
        (layers.ReLU(), KINDS[4], "ReLU"),
        (layers.ReLU(max_value=6), KINDS[4], "ReLU max 6"),
        (layers.LeakyReLU(negative_slope=0.1), KINDS[4], "LeakyReLU 0.1"),
        (layers.PReLU(), KINDS[4], "PReLU"),
        (layers.ELU(), KINDS[4], "ELU"),
        (layers.Softmax(), KINDS[4], "Softmax"),
        (layers.Activation("relu"), KINDS[4], "Activation relu"),
        (layers.Dropout(0.25), KINDS[4], "Dropout 0.25"),
        (layers.SpatialDropout2D(0.5), KINDS[4], "SpatialDropout2D 0.5"),
        (layers.Dense(10), "dense", "Dense · 10"),
        (layers.EinsumDense("ab,bc->ac", 4), "dense", "EinsumDense ab,bc->ac"),
        (layers.Flatten(), "other", "Flatten"),
        (layers.Reshape((4, 4, -1)), "other", "Reshape 4×4×-1"),
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
def test_a_layer(layer: Any, kind_of: str, words: str) -> None:
    assert kind(layer) == kind_of
    assert kind_of in KINDS
    assert f"{title(layer)} {settings(layer, 4)}".strip() == words
    assert is_composite(layer) == (kind_of == "model")


def operation_of(tensor: Any) -> Any:
    return tensor._keras_history.operation


def test_operations_that_are_no_layers() -> None:
    x = keras.Input((4, 4, 2))
    for tensor, arity, kind_of, words in (
        (x * 2.0, 1, "other", "ops.multiply"),
        (x + x, 2, "merge", "ops.add"),
        (keras.ops.relu(x), 1, KINDS[4], "ops.relu"),
        (keras.ops.leaky_relu(x), 1, KINDS[4], "ops.leaky_relu"),
        (keras.ops.absolute(x), 1, "other", "ops.absolute"),
        (x[:, ::2], 1, "other", "ops.get_item"),
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
        (layers.TimeDistributed(layers.Dense(1, activation="relu")), "relu"),
        (layers.LSTM(1), ""),
        (layers.Activation("relu"), ""),
        (layers.Flatten(), ""),
    ],
)
def test_the_activation_with_which_a_layer_ends(layer: keras.Layer, name: str) -> None:
    assert activation(layer) == name
