"""State that Keras does not keep in variables: a look leaves it as it was."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable
from typing import Any

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest

import kerasviz
from kerasviz.model.graph import leaves

X = np.random.default_rng(0).normal(size=(5, 8, 8, 3)).astype("float32")
LOOKS: dict[str, Callable[[keras.Model], object]] = {
    "find": lambda model: kerasviz.find_layers(model, "*"),
    "get": lambda model: kerasviz.get_feature_maps(model, "*", X, batch_size=2),
    "iter": lambda model: list(kerasviz.iter_feature_maps(model, "*", iter([X, X]))),
    "plot": lambda model: kerasviz.plot_feature_maps(model, "d", X, sample=0),
    "architecture": lambda model: kerasviz.plot_architecture(model, inputs=X),
    "sub-model": lambda model: kerasviz.feature_map_model(model, "d"),
}


@pytest.fixture(params=LOOKS)
def look(request: pytest.FixtureRequest) -> Any:
    yield LOOKS[request.param]
    plt.close("all")


class Model(keras.Model):
    """Two convolutions, between which a test does something."""

    def __init__(self, between: Callable[[keras.Model, Any], Any]) -> None:
        super().__init__()
        seed = keras.initializers.RandomNormal
        self.c = keras.layers.Conv2D(4, 3, name="c", kernel_initializer=seed(seed=1))
        self.d = keras.layers.Conv2D(2, 3, name="d", kernel_initializer=seed(seed=2))
        self.between = between

    def call(self, x: Any) -> Any:
        return self.d(self.between(self, self.c(x)))


def called(model: keras.Model) -> keras.Model:
    model(X[:1])
    return model


@pytest.mark.few(2)
def test_attributes_that_call_sets(look: Any) -> None:
    def between(model: Any, x: Any) -> Any:
        model.calls += 1
        model.latest = model.scores["latest"] = model.fresh = x
        model.log.append(x)
        return x

    model = Model(between)
    model.calls, model.latest, model.scores, model.log = 0, None, {}, []
    called(model)
    before = model.calls, model.latest, model.scores["latest"], model.fresh, *model.log
    look(model)
    after = model.calls, model.latest, model.scores["latest"], model.fresh, *model.log
    assert len(before) == len(after)
    assert all(a is b for a, b in zip(before, after, strict=True))
    assert np.isfinite(keras.ops.convert_to_numpy(model.latest)).all()


def test_attributes_after_a_failure() -> None:
    def between(model: Any, x: Any) -> Any:
        model.latest = x
        if model.fails:
            raise KeyboardInterrupt
        return x

    model = Model(between)
    model.fails, model.latest = False, None
    called(model)
    before, model.fails = model.latest, True
    with pytest.raises(KeyboardInterrupt):
        kerasviz.get_feature_maps(model, "d", X)
    assert model.latest is before


def test_attributes_of_a_layer_in_a_graph(look: Any) -> None:
    class Keep(keras.Layer):
        def call(self, x: Any) -> Any:
            self.latest = x
            return x * 2

    keep = Keep()
    inputs = keras.Input((8, 8, 3))
    model = called(keras.Model(inputs, keras.layers.Conv2D(2, 3, name="d")(keep(inputs))))
    before = keep.latest
    look(model)
    assert keep.latest is before


@pytest.mark.few(3)
def test_losses(look: Any) -> None:
    def between(model: Any, x: Any) -> Any:
        model.add_loss(keras.ops.sum(x))
        return x

    model = called(Model(between))
    model.d.activity_regularizer = keras.regularizers.L2(0.1)
    called(model)
    before = [float(keras.ops.convert_to_numpy(loss)) for loss in model.losses]
    assert len(before) == 2
    look(model)
    assert [float(keras.ops.convert_to_numpy(loss)) for loss in model.losses] == before


@pytest.mark.few(3)
def test_random_numbers_to_come(look: Any) -> None:
    legacy = np.random  # users' code draws from the global generator
    model = called(Model(lambda _, x: x * (1 + random.random() + float(legacy.rand()))))
    before, numpy_before = random.getstate(), legacy.get_state()
    look(model)
    assert random.getstate() == before
    for a, b in zip(legacy.get_state(), numpy_before, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.few(2)
@pytest.mark.parametrize("kind", ["a model", "a layer"])
def test_layers_that_a_first_call_builds(look: Any, kind: str) -> None:
    """`build` of a subclassed model marks it as built, though the layers inside are not."""

    class Block(keras.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Model(lambda _, x: x)

        def build(self, shape: Any) -> None:
            del shape

        def call(self, x: Any) -> Any:
            return self.inner(x)

    class Whole(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.block = Block()

        def build(self, shape: Any) -> None:
            del shape

        def call(self, x: Any) -> Any:
            return self.block(x)

    expected = keras.ops.convert_to_numpy(Model(lambda _, x: x)(X))
    model = Model(lambda _, x: x) if kind == "a model" else Whole()
    model.built = True
    if kind == "a layer":
        model.build((None, 8, 8, 3))
    if look in (LOOKS["sub-model"], LOOKS["find"]) or not model.built:
        kerasviz.get_feature_maps(model, "d", X)
    else:
        look(model)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model(X)), expected, atol=1e-5)


def test_looks_of_several_threads_at_once() -> None:
    """The last of them puts back what was there before the first."""
    has_begun, may_go_on = ({name: threading.Event() for name in "ab"} for _ in range(2))

    def between(model: Any, x: Any) -> Any:
        name = threading.current_thread().name
        if name in has_begun:
            model.latest = name
            has_begun[name].set()
            assert may_go_on[name].wait(30)
        return x

    model = Model(between)
    model.latest = "before"
    kerasviz.find_layers(called(model), "*")  # which only one at a time looks for
    looks = {
        name: threading.Thread(target=kerasviz.get_feature_maps, args=args, name=name)
        for name, args in {"a": (model, "d", X), "b": (model, ["c", "d"], X)}.items()
    }
    for name, thread in looks.items():
        thread.start()
        assert has_begun[name].wait(30)
    for name, thread in looks.items():
        assert model.latest == "b"
        may_go_on[name].set()
        thread.join()
    assert model.latest == "before"


@pytest.mark.few(2)
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's variables")
def test_variables_of_tensorflow_in_lists_and_generators(look: Any) -> None:
    import tensorflow as tf

    class Inner(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.count = tf.Variable(0.0)

    def between(model: Any, x: Any) -> Any:
        model.counts[0].assign_add(1.0)
        model.module.count.assign_add(1.0)
        return x + model.generator.normal(tf.shape(x))

    model = Model(between)
    model.counts = [tf.Variable(0.0)]
    model.module = Inner()
    model.generator = tf.random.Generator.from_seed(1)
    called(model)
    state = model.generator.state.numpy()
    look(model)
    assert (model.counts[0].numpy(), model.module.count.numpy()) == (1, 1)
    np.testing.assert_array_equal(model.generator.state.numpy(), state)


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="PyTorch's modules")
def test_tensors_and_modes_of_pytorch(look: Any) -> None:
    import torch

    def between(model: Any, x: Any) -> Any:
        model.total += 1
        return model.wrapped(x)

    model = Model(between)
    model.total = torch.zeros(())
    norm = torch.nn.BatchNorm2d(6)
    model.wrapped = keras.layers.TorchModuleWrapper(norm, name="wrapped")
    called(model)
    norm.train()
    before, mean = model.total.item(), norm.running_mean.clone()
    look(model)
    assert norm.training
    assert model.total.item() == before
    assert torch.equal(norm.running_mean, mean)


@pytest.mark.few(3)
def test_attributes_whose_keys_cannot_be_sorted(look: Any) -> None:
    """As those are that Keras itself keeps, of layers by layer."""
    model = called(Model(lambda _, x: x))
    model.by_layer = {model: 1, keras.layers.Dense(1): 2, "name": 3}
    before = dict(model.by_layer)
    look(model)
    assert dict(model.by_layer) == before


def test_a_list_that_holds_itself_has_each_leaf_once() -> None:
    value: list[Any] = [1, {"a": 2}]
    value.append(value)
    assert list(itertools.islice(leaves(value), 9)) == [1, 2]
