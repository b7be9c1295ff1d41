"""Origins of what the calls in a subclassed model or a composite layer take."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from kerasviz.model.architecture.reading import read_architecture


def test_read_trace_of_a_subclassed_model_has_the_arrows_that_are_known(
    net: keras.Model, boxes_of: Any, edges_of: Any
) -> None:
    architecture = read_architecture(net, expand=1)
    assert boxes_of(architecture) == [
        ["input"],
        ["stem"],
        ["block/c"],
        ["block/drop:0"],
        ["block/drop:1"],
        ["block/add"],
        ["head"],
    ]
    assert edges_of(architecture) == {
        ("input", "stem"),
        ("stem", "block/c"),
        ("block/c", "block/drop:0"),
        ("stem", "block/drop:1"),
        ("block/drop:0", "block/add"),
        ("block/drop:1", "block/add"),
        ("block/c", "block/add"),
    }
    assert [node.is_open for node in architecture.nodes] == [False] * 6 + [True]
    assert architecture.order == ((~0, 6),)
    assert architecture.outputs == (6,)
    assert architecture.nodes[-1].output_shapes == ((None, 2),)

    closed = read_architecture(net)
    assert boxes_of(closed) == [["input"], ["stem"], ["block"], ["head"]]
    assert edges_of(closed) == {("input", "stem"), ("stem", "block")}
    assert closed.order == ((2, 3),)


class Pair(keras.Layer):
    """A composite layer of two inputs."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.d = layers.Dense(3, name="d")
        self.add = layers.Add(name="add")

    def call(self, x: Any, y: Any) -> Any:
        return self.add([x, self.d(y)])


def test_read_trace_leads_each_input_to_what_takes_it(edges_of: Any) -> None:
    x, y = keras.Input((3,), name="x"), keras.Input((2,), name="y")
    model = keras.Model([x, y], Pair(name="pair")(x, y=y))
    assert edges_of(read_architecture(model, expand=1)) == {
        ("x", "pair/add"),
        ("y", "pair/d"),
        ("pair/d", "pair/add"),
    }


class Weighted(keras.Layer):
    """A composite layer that is called on a constant, too."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.d = layers.Dense(3, name="d")
        self.r = layers.ReLU(name="r")

    def call(self, weights: Any, y: Any) -> Any:
        return self.d(y) * self.r(weights)


def test_read_trace_is_not_misled_by_a_constant_among_the_inputs(edges_of: Any) -> None:
    y = keras.Input((2,), name="y")
    model = keras.Model(y, Weighted(name="weighted")(keras.ops.ones((3,)), y))
    architecture = read_architecture(model, expand=1)
    assert edges_of(architecture) == {("y", "weighted")}
    assert [node.is_open for node in architecture.nodes] == [False, True, True]


class Sum(keras.Layer):
    """What its layer returns goes on as a sum, which no layer makes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.d = layers.Dense(3, name="d")

    def build(self, shape: Any) -> None:
        self.d.build(shape)

    def call(self, x: Any) -> Any:
        return self.d(x * 2) + x


def test_read_trace_ends_arrows_at_the_frame_where_the_inside_is_unknown(edges_of: Any) -> None:
    inputs = keras.Input((3,), name="x")
    model = keras.Model(inputs, layers.ReLU(name="r")(Sum(name="sum")(inputs)))
    architecture = read_architecture(model, expand=1)
    assert edges_of(architecture) == {("x", "sum"), ("sum", "r")}
    assert [node.is_open for node in architecture.nodes] == [False, True, False]


def test_read_trace_inside_a_time_distributed_model(edges_of: Any) -> None:
    inner = keras.Sequential(
        [keras.Input((6, 6, 1)), layers.Conv2D(2, 3, name="c"), layers.Flatten(name="flat")],
        name="inner",
    )
    inputs = keras.Input((5, 6, 6, 1), name="video")
    outputs = layers.LSTM(2, name="lstm")(layers.TimeDistributed(inner, name="td")(inputs))
    architecture = read_architecture(keras.Model(inputs, outputs), expand=2)
    assert edges_of(architecture) == {
        ("video", "td/inner/c"),
        ("td/inner/c", "td/inner/flat"),
        ("td", "lstm"),
    }
    assert not any(node.is_open for node in architecture.nodes)
    assert [frame.is_open for frame in architecture.frames] == [False, False]
