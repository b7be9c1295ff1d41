"""Counts of weights, against those of Keras."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

from kerasviz.model.architecture.reading import read_architecture


def test_weight_counter_counts_a_shared_model_once(edges_of: Any) -> None:
    inner_inputs = keras.Input((8, 8, 1))
    encoder = keras.Model(inner_inputs, layers.Conv2D(2, 3, name="c")(inner_inputs), name="encoder")
    left, right = keras.Input((8, 8, 1), name="left"), keras.Input((8, 8, 1), name="right")
    model = keras.Model([left, right], layers.Subtract(name="s")([encoder(left), encoder(right)]))
    architecture = read_architecture(model, expand=1)
    nodes = {node.head.address: node.head for node in architecture.nodes}
    assert nodes["encoder:0/c"].parameters == encoder.count_params()
    assert nodes["encoder:1/c"].parameters == 0
    assert nodes["encoder:1/c"].shares_with == "encoder:0/c"
    assert [frame.part.shares_with for frame in architecture.frames] == ["", "encoder:0"]
    encoder.trainable = False
    frozen = read_architecture(model, expand=1)
    assert [frame.part.is_frozen for frame in frozen.frames] == [True, True]
    assert [node.is_frozen for node in frozen.nodes if node.frame is not None] == [True, True]
    assert frozen.frozen == encoder.count_params()
    assert edges_of(architecture) == {
        ("left", "encoder:0/c"),
        ("right", "encoder:1/c"),
        ("encoder:0/c", "s"),
        ("encoder:1/c", "s"),
    }
    assert [architecture.nodes[i].head.address for i in architecture.inputs] == ["left", "right"]


def test_weight_counter_counts_a_layer_that_the_model_does_not_hold(
    boxes_of: Any, edges_of: Any
) -> None:
    free = layers.Dense(3, name="free")
    frozen = layers.Dense(3, name="frozen", trainable=False)

    class Free(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="net")
            self.own = layers.Dense(2, name="own")

        def call(self, x: Any) -> Any:
            return self.own(frozen(free(x)))

    model = Free()
    model(np.zeros((1, 4), "float32"))
    architecture = read_architecture(model)
    assert boxes_of(architecture) == [["input"], ["free"], ["frozen"], ["own"]]
    assert edges_of(architecture) == {("input", "free"), ("free", "frozen"), ("frozen", "own")}
    counts = [layer.count_params() for layer in (free, frozen, model.own)]
    assert [node.parameters for node in architecture.nodes[1:]] == counts
    assert (architecture.parameters, architecture.layers) == (sum(counts), 3)
    assert [node.is_frozen for node in architecture.nodes[1:]] == [False, True, False]
    assert architecture.frozen == frozen.count_params()


class Scaled(keras.Layer):
    """A composite layer with a weight of its own."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.d = layers.Dense(3, name="d")

    def build(self, shape: Any) -> None:
        self.d.build(shape)
        self.scale = self.add_weight(shape=(3,), name="scale")

    def call(self, x: Any) -> Any:
        return self.d(x) * self.scale


def test_weight_counter_counts_the_weights_of_a_frame_once() -> None:
    inputs = keras.Input((3,), name="x")
    scaled = Scaled(name="scaled")
    model = keras.Model(inputs, scaled(scaled(inputs)))
    architecture = read_architecture(model, expand=1)
    first, second = (frame.part for frame in architecture.frames)
    assert (first.parameters, second.parameters) == (scaled.count_params(), 0)
    assert (first.shares_with, second.shares_with) == ("", "scaled:0")
    assert [node.parameters for node in architecture.nodes] == [0, scaled.d.count_params(), 0]
    assert architecture.parameters == model.count_params()


def test_weight_counter_names_the_first_call_that_has_the_weights() -> None:
    shared = layers.Dense(3, name="shared")
    inner = keras.Sequential([keras.Input((3,)), layers.ReLU(name="r"), shared], name="inner")
    inputs = keras.Input((3,), name="x")
    model = keras.Model(inputs, shared(inner(inputs)))
    owners = {
        expand: read_architecture(model, expand=expand).nodes[-1].head.shares_with
        for expand in (0, 1)
    }
    assert owners == {0: "inner", 1: "inner/shared"}


def test_weight_counter_counts_frozen_weights() -> None:
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(3, name="a"), layers.BatchNormalization(name="n")]
    )
    assert read_architecture(model).frozen == 0, "moving averages are not frozen"
    model.get_layer("a").trainable = False
    architecture = read_architecture(model)
    assert architecture.frozen == model.get_layer("a").count_params() == 15
    assert [node.frozen for node in architecture.nodes] == [0, 15]
    assert architecture.nodes[1].parameters == 15 + 12
    assert not architecture.nodes[1].is_frozen, "the normalization is trained"
    model.trainable = False
    assert read_architecture(model).frozen == model.count_params()
