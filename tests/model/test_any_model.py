"""What holds for every kind of model, against layers that are called by hand."""

from __future__ import annotations

import gc
import logging
import threading
import weakref
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

import kerasviz


def snapshot(model: keras.Model) -> dict[str, Any]:
    """Return everything about a model that a look at it must leave as it was."""
    everything = [model, *model._flatten_layers(include_self=False, recursive=True)]
    return {
        "weights": [np.array(w) for w in model.get_weights()],
        "compiled": model.compiled,
        "config": [layer.get_config() if has_config(layer) else None for layer in everything],
        "trainable": [layer.trainable for layer in everything],
        "names": [layer.name for layer in everything],
        "attributes": [sorted(vars(layer)) for layer in everything],
        "call": [type(layer).__call__ for layer in everything],
        "inbound": [len(layer._inbound_nodes) for layer in everything],
        "outbound": [len(layer._outbound_nodes) for layer in everything],
    }


def has_config(layer: keras.Layer) -> bool:
    return type(layer).get_config is not keras.Model.get_config or isinstance(layer, keras.Function)


def assert_same(before: dict[str, Any], after: dict[str, Any]) -> None:
    for name, values in before.items():
        for old, new in zip(values, after[name], strict=True) if name != "compiled" else ():
            np.testing.assert_equal(new, old, err_msg=name)
    assert before["compiled"] == after["compiled"]


class Watch:
    """Counts the calls of each layer, and fails those of one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: Counter[int] = Counter()
        self.failing: keras.Layer | None = None
        plain_call = keras.Layer.__call__

        def watched(layer: keras.Layer, *args: Any, **kwargs: Any) -> Any:
            if layer is self.failing:
                raise RuntimeError("broken on purpose")
            self.calls[id(layer)] += 1
            return plain_call(layer, *args, **kwargs)

        monkeypatch.setattr(keras.Layer, "__call__", watched)
        self.patched = watched

    def count(self, layers: list[keras.Layer], action: Callable[[], object]) -> list[int]:
        """Return how often an action calls each layer."""
        self.calls.clear()
        action()
        return [self.calls[id(layer)] for layer in layers]


def assert_maps(maps: dict[str, Any], expected: dict[str, np.ndarray]) -> None:
    for address, value in expected.items():
        output = np.asarray(maps[address], "float32")
        if output.shape != value.shape:
            output = np.moveaxis(output, -3, -1)  # the model's own data format
        np.testing.assert_allclose(output, value, rtol=1e-4, atol=1e-5, err_msg=address)


@dataclass
class Look:
    """A model of one kind, and all that the first look at it returned, saw and left behind."""

    case: Any
    maps: dict[str, np.ndarray]
    sub_model: keras.Model
    before: dict[str, Any]
    after: dict[str, Any]
    names: tuple[list[str], list[str]]

    @property
    def addresses(self) -> list[str]:
        return list(self.case.maps)

    def again(self) -> dict[str, np.ndarray]:
        return kerasviz.get_feature_maps(self.case.model, self.addresses, self.case.inputs)


def next_names() -> list[str]:
    """Make some layers and models, and return the names that Keras gives them."""
    inputs = keras.Input((8,))
    made = [
        keras.Model(inputs, keras.layers.ReLU()(inputs)),
        keras.layers.Conv2D(1, 1),
        keras.Sequential(),
    ]
    return [layer.name for layer in made]


@pytest.fixture(scope="module")
def look(make_case: Callable[[], Any]) -> Look:
    """Look at several layers of a model of each kind together; the tests of the kind share it."""
    keras.utils.set_random_seed(0)
    case = make_case()
    case.call()  # what a first call of a model does to it is its own affair
    before, earlier = snapshot(case.model), next_names()
    kerasviz.find_layers(case.model, "*")
    maps = kerasviz.get_feature_maps(case.model, list(case.maps), case.inputs)
    sub_model = kerasviz.feature_map_model(case.model, list(case.maps))
    return Look(case, maps, sub_model, before, snapshot(case.model), (earlier, next_names()))


@pytest.mark.few(3)
def test_get_feature_maps_gives_what_the_layers_give(case: Any) -> None:
    for address, expected in case.maps.items():
        maps = kerasviz.get_feature_maps(case.model, address, case.inputs)
        np.testing.assert_allclose(maps, expected, rtol=1e-4, atol=1e-5, err_msg=address)


def test_get_feature_maps_takes_one_pass_for_several_layers(look: Look) -> None:
    assert list(look.maps) == look.addresses
    assert_maps(look.maps, look.case.maps)


def test_get_feature_maps_leaves_the_model_as_it_was(look: Look) -> None:
    assert_same(look.before, look.after)


def test_get_feature_maps_takes_no_names_from_later_layers(look: Look) -> None:
    for earlier, later in zip(*look.names, strict=True):
        stem, _, number = earlier.rpartition("_")
        expected = f"{stem}_{int(number) + 1}" if number.isdigit() else f"{earlier}_1"
        assert later == expected


@pytest.mark.few(5)
def test_feature_map_model_gives_the_same(look: Look) -> None:
    assert_maps(look.case.run(look.sub_model), look.case.maps)
    for address in look.addresses:
        sub_model = kerasviz.feature_map_model(look.case.model, address)
        assert isinstance(sub_model, keras.Model)
        output = look.case.keeping_state(
            lambda sub_model=sub_model: sub_model(look.case.inputs, training=False)
        )
        output = keras.ops.convert_to_numpy(keras.ops.cast(output, "float32"))
        assert_maps({address: output}, {address: look.case.maps[address]})


def test_feature_map_model_is_the_same_for_the_same_question(look: Look) -> None:
    assert kerasviz.feature_map_model(look.case.model, look.addresses) is look.sub_model


@pytest.mark.few(8)
def test_get_feature_maps_takes_every_address_that_find_layers_lists(look: Look) -> None:
    listed = kerasviz.find_layers(look.case.model)
    maps = kerasviz.get_feature_maps(look.case.model, None, look.case.inputs)
    assert list(maps) == [ref.address for ref in listed]
    for ref in listed:
        shape = ref.output_shape
        assert np.prod(maps[ref.address].shape[1:]) == np.prod(shape[1:]), ref


@pytest.mark.few(5)
def test_get_feature_maps_shows_a_later_training_step(look: Look) -> None:
    model, weights = look.case.model, look.case.model.get_weights()
    model.set_weights([0 * weight for weight in weights])
    try:
        for maps in (look.again(), look.case.run(look.sub_model)):
            arrays = [np.asarray(maps[address], "float32") for address in look.addresses]
            assert any(np.ptp(array) == 0 for array in arrays)
    finally:
        model.set_weights(weights)


@pytest.mark.few(10)
def test_get_feature_maps_traces_nothing_at_a_second_look_and_runs_once(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = look.case
    layers = [kerasviz.find_layers(case.model, address)[0].layer for address in case.maps]
    wrapped = any(isinstance(x, keras.layers.TimeDistributed) for x in case.model.layers)
    watch = Watch(monkeypatch)
    in_one_pass = watch.count(layers, case.call)
    looked = watch.count(layers, look.again)
    runs_in_python = keras.backend.backend() == "torch" or case.runs_eagerly
    if not runs_in_python:  # what was traced once is not run in Python again
        assert sum(watch.calls.values()) == 0
    elif not wrapped:  # which calls the layer inside without __call__, step by step
        # But for layers that the model makes again in each call.
        assert any(in_one_pass)
        assert all(0 < n <= m for n, m in zip(looked, in_one_pass, strict=True) if m)


@pytest.mark.slow
def test_get_feature_maps_is_right_in_threads(look: Look) -> None:
    case = look.case

    def run() -> np.ndarray:
        output = keras.tree.flatten(case.model(case.inputs, training=False))[0]
        return keras.ops.convert_to_numpy(keras.ops.cast(output, "float32"))

    plain = case.keeping_state(run)
    wrong: list[str] = []

    def get(address: str) -> None:
        maps = kerasviz.get_feature_maps(case.model, address, case.inputs)
        if not np.allclose(maps, case.maps[address], rtol=1e-4, atol=1e-5):
            wrong.append(address)

    def call() -> None:
        if not np.allclose(run(), plain, atol=1e-5):
            wrong.append("the model itself")

    threads = [threading.Thread(target=get, args=(address,)) for address in case.maps]
    if not case.keeps_state:  # which plain calls would move meanwhile
        threads += [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.slow
def test_feature_map_model_outlives_the_name_of_its_model_which_is_freed_with_it(
    make_case: Callable[[], Any],
) -> None:
    case = make_case()
    model = weakref.ref(case.model)
    maps = kerasviz.get_feature_maps(case.model, list(case.maps), case.inputs)
    sub_model = kerasviz.feature_map_model(case.model, list(case.maps))
    case.model = None
    outputs = case.run(sub_model)
    assert {address: outputs[address].size for address in maps} == {
        address: value.size for address, value in case.maps.items()
    }
    del case, sub_model, outputs
    gc.collect()
    assert model() is None


@pytest.mark.few(3)
def test_get_feature_maps_leaves_every_kind_of_model_as_it_was_after_a_failure(
    case: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.call()
    last = kerasviz.find_layers(case.model, list(case.maps)[-1])[0]
    before = snapshot(case.model)
    watch = Watch(monkeypatch)
    watch.failing = last.layer
    with pytest.raises(RuntimeError, match="broken on purpose"):
        kerasviz.get_feature_maps(case.model, last.address, case.inputs)
    assert keras.Layer.__call__ is watch.patched
    monkeypatch.undo()
    assert_same({**before, "call": []}, {**snapshot(case.model), "call": []})
    np.testing.assert_allclose(
        kerasviz.get_feature_maps(case.model, last.address, case.inputs),
        case.maps[last.address],
        rtol=1e-4,
        atol=1e-5,
    )


def test_get_feature_maps_takes_layers_that_return_several_tensors() -> None:
    inputs = keras.Input((4, 12, 10, 3))
    lstm = keras.layers.ConvLSTM2D(2, 3, return_sequences=True, return_state=True, name="lstm")
    sequence, _, state = lstm(inputs)
    model = keras.Model(inputs, [sequence, state])
    x = np.random.default_rng(0).normal(size=(2, 4, 12, 10, 3)).astype("float32")
    maps = kerasviz.get_feature_maps(model, "lstm", x)
    assert len(maps) == 3
    for got, expected in zip(maps, lstm(x), strict=True):
        np.testing.assert_allclose(got, keras.ops.convert_to_numpy(expected), atol=1e-5)


def test_get_feature_maps_finds_the_channel_axis_of_each_of_several_tensors() -> None:
    inputs = keras.Input((4, 3, 12, 10))
    lstm = keras.layers.ConvLSTM2D(
        2, 3, return_sequences=True, return_state=True, data_format="channels_first", name="lstm"
    )
    model = keras.Model(inputs, lstm(inputs)[0])
    maps = kerasviz.get_feature_maps(model, "lstm", np.zeros((1, 4, 3, 12, 10)))
    assert [x.shape for x in maps] == [(1, 4, 10, 8, 2), (1, 10, 8, 2), (1, 10, 8, 2)]


def test_get_feature_maps_takes_layers_that_return_a_dict() -> None:
    class Split(keras.Layer):
        def call(self, x: Any) -> Any:
            return {"low": x - 1, "high": x + 1}

    inputs = keras.Input((3, 3, 1))
    split = Split(name="split")(inputs)
    model = keras.Model(inputs, split["low"] + split["high"])
    x = np.ones((1, 3, 3, 1), "float32")
    maps = kerasviz.get_feature_maps(model, "split", x)
    assert {name: float(value.mean()) for name, value in maps.items()} == {"low": 0, "high": 2}


def test_get_feature_maps_takes_layers_that_return_a_tensor_and_none() -> None:
    class Attention(keras.Layer):
        def call(self, x: Any) -> Any:
            return x + 1, None

    class Block(keras.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.attention = Attention(name="attention")

        def call(self, x: Any) -> Any:
            return self.attention(x)[0] + 1

    model = keras.Sequential([keras.Input((3, 3, 1)), Block(name="block")])
    maps = kerasviz.get_feature_maps(model, "*", np.ones((1, 3, 3, 1)))
    assert {name: float(value.mean()) for name, value in maps.items()} == {
        "block": 3,
        "block/attention": 2,
    }
    assert kerasviz.get_feature_maps(model, "attention", np.ones((1, 3, 3, 1))).shape == (
        1,
        3,
        3,
        1,
    )


def test_get_feature_maps_follows_a_model_that_calls_other_layers_later() -> None:
    class Model(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = (keras.layers.Conv2D(1, 1, name=name) for name in "ab")
            self.twice = True

        def call(self, x: Any) -> Any:
            x = self.first(x)
            return self.second(x) if self.twice else x

    model = Model()
    x = np.ones((1, 3, 3, 1), "float32")
    model(x)
    assert [ref.address for ref in kerasviz.find_layers(model)] == ["a", "b"]
    model.twice = False
    with pytest.raises(ValueError, match="The model did not call 'b' on these inputs"):
        kerasviz.get_feature_maps(model, "b", x)


def test_get_feature_maps_hides_advice_about_retracing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = logging.getLogger("tensorflow")
    logger.addHandler(caplog.handler)
    try:
        for _ in range(12):
            model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(1, 1)])
            kerasviz.get_feature_maps(model, 0, np.zeros((1, 4, 4, 1)))
    finally:
        logger.removeHandler(caplog.handler)
    assert not caplog.messages
    assert not logger.filters


class Alarm(keras.Layer):
    """Passes its input on and counts its calls; when armed, it fails."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.log = SimpleNamespace(calls=0)  # a look puts back a number of the layer's own
        self.armed = False

    @property
    def calls(self) -> int:
        return self.log.calls

    def call(self, x: Any) -> Any:
        if self.armed:
            raise RuntimeError("the alarm went off")
        self.log.calls += 1
        return x


def alarmed(kind: str) -> tuple[keras.Model, Alarm, Alarm]:
    """Return a model with a convolution "c", an alarm before it and one behind it."""
    before, behind = Alarm(name="before"), Alarm(name="behind")
    c = keras.layers.Conv2D(2, 3, name="c")
    inputs = keras.Input((8, 8, 1))
    if kind == "subclassed":

        class Model(keras.Model):
            def __init__(self) -> None:
                super().__init__()
                self.parts = [before, c, behind]

            def call(self, x: Any) -> Any:
                for part in self.parts:
                    x = part(x)
                return x

        model = Model()
        model(np.zeros((1, 8, 8, 1), "float32"))
        return model, before, behind
    model = keras.Model(inputs, behind(c(before(inputs))))
    if kind == "nested":
        outer = keras.Input((8, 8, 1))
        model = keras.Model(outer, model(outer))
    return model, before, behind


KINDS = ["graph", "nested", "subclassed"]


@pytest.mark.parametrize("kind", KINDS)
def test_get_feature_maps_computes_nothing_after_the_deepest_layer(kind: str) -> None:
    model, _, behind = alarmed(kind)
    kerasviz.get_feature_maps(model, "c", np.zeros((1, 8, 8, 1)))
    behind.armed = True
    maps = kerasviz.get_feature_maps(model, "c", np.zeros((3, 8, 8, 1)))
    assert maps.shape == (3, 6, 6, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_get_feature_maps_traces_nothing_in_a_second_call(kind: str) -> None:
    model, before, _ = alarmed(kind)
    inputs = np.zeros((1, 8, 8, 1))
    kerasviz.get_feature_maps(model, ["before", "c"], inputs)
    calls = before.calls
    kerasviz.get_feature_maps(model, ["before", "c"], inputs)
    executed = 1 if keras.backend.backend() == "torch" else 0  # PyTorch runs what others trace
    assert before.calls == calls + executed


@pytest.mark.parametrize("kind", KINDS)
def test_get_feature_maps_takes_one_forward_pass_for_all_layers(kind: str) -> None:
    model, before, behind = alarmed(kind)
    inputs = np.zeros((1, 8, 8, 1))
    kerasviz.find_layers(model, "*")
    calls = before.calls
    kerasviz.get_feature_maps(model, ["before", "c", "behind"], inputs)
    passes = before.calls - calls
    assert passes == behind.calls - calls
    assert passes == 1


@pytest.mark.parametrize("kind", KINDS)
def test_get_feature_maps_leaves_everything_as_it_was_after_a_failure_in_the_middle(
    kind: str,
) -> None:
    model, _, behind = alarmed(kind)
    plain_call = keras.Layer.__call__
    before = snapshot(model)
    behind.armed = True
    with pytest.raises(RuntimeError, match="alarm"):
        kerasviz.get_feature_maps(model, "behind", np.zeros((1, 8, 8, 1)))
    behind.armed = False
    assert keras.Layer.__call__ is plain_call
    assert_same(before, snapshot(model))
    assert kerasviz.get_feature_maps(model, "c", np.zeros((1, 8, 8, 1))).shape == (1, 6, 6, 2)
