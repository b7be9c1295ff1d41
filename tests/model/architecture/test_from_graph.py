"""Origins of what the calls in a graph take."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from kerasviz.model.architecture.reading import read_architecture


def test_read_graph_matches_inputs_of_a_nested_model_by_name(edges_of: Any) -> None:
    """A model that was made with a list can be called with a dict in another order."""
    b, a = keras.Input((4,), name="b"), keras.Input((4,), name="a")
    tops = [layers.Dense(1, name="from_b")(b), layers.Dense(1, name="from_a")(a)]
    inner = keras.Model([b, a], layers.Add(name="add")(tops), name="inner")
    x, y = keras.Input((4,), name="x"), keras.Input((4,), name="y")
    model = keras.Model([x, y], inner({"a": x, "b": y}))
    assert {("x", "inner/from_a"), ("y", "inner/from_b")} < edges_of(
        read_architecture(model, expand=1)
    )


class Split(keras.Layer):
    def call(self, x: Any) -> Any:
        return {"low": x[:, :2], "high": x[:, 2:]}


def test_read_graph_of_a_layer_with_several_outputs(edges_of: Any) -> None:
    inputs = keras.Input((4, 3), name="image")
    parts = Split(name="split")(inputs)
    model = keras.Model(inputs, layers.Add(name="add")([parts["low"], parts["high"]]))
    architecture = read_architecture(model)
    assert architecture.nodes[1].output_shapes == ((None, 2, 3), (None, 2, 3))
    assert edges_of(architecture) == {("image", "split"), ("split", "add")}
