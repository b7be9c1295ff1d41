"""Small models, and architectures by the addresses of their parts."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from kerasviz.model.architecture.elements import Architecture


def block(x: Any, filters: int, name: str) -> Any:
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"{name}_conv")(x)
    x = layers.BatchNormalization(name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


@pytest.fixture(scope="session")
def conv_block() -> Any:
    """Call a convolution, a normalization and a ReLU, whose names begin with the name given."""
    return block


@pytest.fixture(scope="session")
def residual() -> keras.Model:
    """A model with one residual block, of which each layer has a name."""
    inputs = keras.Input((8, 8, 3), name="image")
    x = block(inputs, 4, "a")
    y = layers.BatchNormalization(name="c_norm")(
        layers.Conv2D(4, 3, padding="same", name="c_conv")(block(x, 4, "b"))
    )
    x = layers.Activation("relu", name="relu")(layers.Add(name="add")([y, x]))
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(0.5, name="drop")(layers.Dense(3, name="dense")(x))
    return keras.Model(inputs, layers.Softmax(name="softmax")(x), name="residual")


class Residual(keras.Layer):
    """A composite layer in which all is known, even past the dropout, which returns what it got."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.c = layers.Conv2D(3, 3, padding="same", name="c")
        self.drop = layers.Dropout(0.5, name="drop")
        self.add = layers.Add(name="add")

    def build(self, shape: Any) -> None:
        self.c.build(shape)

    def call(self, x: Any) -> Any:
        y = self.c(x)
        return self.add([self.drop(y), self.drop(x), y])


class Net(keras.Model):
    def __init__(self) -> None:
        super().__init__(name="net")
        self.stem = layers.Conv2D(3, 1, name="stem")
        self.block = Residual(name="block")
        self.head = layers.Dense(2, name="head")

    def call(self, x: Any) -> Any:
        x = self.block(self.stem(x))
        return self.head(keras.ops.mean(x, axis=(1, 2)))


@pytest.fixture(scope="session")
def composite_layer() -> Any:
    """The class of a composite layer."""
    return Residual


@pytest.fixture
def net() -> keras.Model:
    """A subclassed model with a composite layer."""
    model = Net()
    model(np.zeros((1, 8, 8, 1), "float32"))
    return model


@pytest.fixture(scope="session")
def boxes_of() -> Any:
    """Return the addresses of the parts of each node."""

    def boxes(architecture: Architecture) -> list[list[str]]:
        return [[part.address for part in node.parts] for node in architecture.nodes]

    return boxes


@pytest.fixture(scope="session")
def edges_of() -> Any:
    """Return the edges of an architecture by addresses."""

    def edges(architecture: Architecture) -> set[tuple[str, str]]:
        def address(item: int) -> str:
            if item < 0:
                return architecture.frames[~item].part.address
            return architecture.nodes[item].head.address

        return {(address(a), address(b)) for a, b in architecture.edges}

    return edges
