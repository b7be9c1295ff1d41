"""The order in which calls are listed, against `model.layers`."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

from kerasviz.model.calls import in_model_order, known_calls


def listed(model: keras.Model) -> list[str]:
    calls = in_model_order(model, known_calls(model))
    return [x.address for x in calls if not isinstance(x.layer, layers.InputLayer)]


def names(model: keras.Model) -> list[str]:
    return [x.name for x in model.layers if not isinstance(x, layers.InputLayer)]


def branches(name: str, shape: tuple[int, ...] = (8, 8, 3)) -> keras.Model:
    """Return a model with three parallel branches of one depth, and a short cut."""
    inputs = keras.Input(shape)
    tops = [layers.ReLU(name=f"r{i}")(layers.Conv2D(3, 1, name=f"c{i}")(inputs)) for i in range(3)]
    return keras.Model(inputs, layers.Add(name="sum")([inputs, *tops]), name=name)


def test_parallel_branches_are_in_the_order_of_the_layers() -> None:
    model = branches("model")
    assert listed(model) == names(model)


def test_an_application() -> None:
    model = keras.applications.InceptionV3(weights=None, input_shape=(96, 96, 3))
    assert listed(model) == names(model)


def test_what_is_inside_a_layer_follows_it() -> None:
    inner = branches("inner")
    inputs = keras.Input((8, 8, 3))
    x, y = layers.Conv2D(3, 1, name="left")(inputs), inner(inputs)
    z = layers.Conv2D(3, 1, name="right")(inputs)
    model = keras.Model(inputs, layers.Add(name="top")([x, y, z]), name="model")
    expected = []
    for name in names(model):
        expected.append(name)
        if name == "inner":
            expected += [f"inner/{inside}" for inside in names(inner)]
    assert listed(model) == expected


def test_several_calls_of_a_layer_are_in_the_order_in_which_they_were_written() -> None:
    shared = layers.Conv2D(3, 1, name="shared")
    inputs = keras.Input((8, 8, 3))
    x = layers.ReLU(name="r")(shared(inputs))
    model = keras.Model(inputs, layers.Add(name="sum")([x, shared(x), inputs]))
    expected = [
        address
        for name in names(model)
        for address in ([f"{name}:0", f"{name}:1"] if name == "shared" else [name])
    ]
    assert listed(model) == expected


class Net(keras.Model):
    """A model that calls its layers in another order than it makes them."""

    def __init__(self) -> None:
        super().__init__(name="net")
        self.last = layers.Conv2D(3, 1, name="last")
        self.inner = branches("inner")
        self.first = layers.Conv2D(3, 1, name="first")

    def call(self, x: Any) -> Any:
        return self.last(self.inner(self.first(x)))


def test_a_subclassed_model_is_in_the_order_of_its_calls() -> None:
    model = Net()
    model(np.zeros((1, 8, 8, 3), "float32"))
    assert listed(model) == [
        "first",
        "inner",
        *(f"inner/{name}" for name in names(model.inner)),
        "last",
    ]


def test_sorting_keeps_every_call() -> None:
    model = branches("model")
    calls = known_calls(model)
    assert {call.path for call in in_model_order(model, calls)} == {call.path for call in calls}
    assert len(in_model_order(model, calls)) == len(calls)
