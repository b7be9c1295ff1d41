"""Compare the order in which `find_layers` lists layers with `model.layers`."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import kerasviz


def listed(model: keras.Model) -> list[str]:
    return [ref.address for ref in kerasviz.find_layers(model, "*")]


def names(model: keras.Model) -> list[str]:
    return [x.name for x in model.layers if not isinstance(x, layers.InputLayer)]


def branches(name: str, shape: tuple[int, ...] = (8, 8, 3)) -> keras.Model:
    """Return a model with three parallel branches of one depth, and a short cut."""
    inputs = keras.Input(shape)
    tops = [layers.ReLU(name=f"r{i}")(layers.Conv2D(3, 1, name=f"c{i}")(inputs)) for i in range(3)]
    return keras.Model(inputs, layers.Add(name="sum")([inputs, *tops]), name=name)


def test_find_layers_lists_parallel_branches_in_the_order_of_the_layers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = branches("model")
    assert listed(model) == names(model)
    assert [ref.address for ref in kerasviz.find_layers(model)] == ["c0", "c1", "c2"]
    run: list[str] = []
    plain = keras.Layer.__call__
    monkeypatch.setattr(
        keras.Layer, "__call__", lambda x, *args, **kw: run.append(x.name) or plain(x, *args, **kw)
    )
    model(np.zeros((1, 8, 8, 3), "float32"))
    assert [x for x in run if x in names(model)] != names(model), "or this test shows nothing"


def test_find_layers_has_the_order_of_get_feature_maps_and_get_kernels() -> None:
    model = branches("model")
    maps = kerasviz.get_feature_maps(model, "*", np.zeros((1, 8, 8, 3), "float32"))
    assert list(maps) == names(model)
    assert list(kerasviz.get_kernels(model, None)) == ["c0", "c1", "c2"]


@pytest.mark.slow
def test_find_layers_of_an_application() -> None:
    model = keras.applications.InceptionV3(weights=None, input_shape=(96, 96, 3))
    assert listed(model) == names(model)


def test_find_layers_lists_what_is_inside_a_layer_after_it() -> None:
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


def test_find_layers_lists_calls_of_a_layer_in_the_order_in_which_they_were_written() -> None:
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


def test_find_layers_lists_a_subclassed_model_in_the_order_of_its_calls() -> None:
    model = Net()
    model(np.zeros((1, 8, 8, 3), "float32"))
    assert listed(model) == [
        "first",
        "inner",
        *(f"inner/{name}" for name in names(model.inner)),
        "last",
    ]


def test_find_layers_of_a_model_without_a_convolution_is_empty() -> None:
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="dense")])
    assert kerasviz.find_layers(model) == []
    assert listed(model) == ["dense"]
