"""Observers of a running model: what they see, what they change, and what is left afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from typing_extensions import override

from kerasviz.model.interception import Observer, OpenCall, StopModel, call_observed


class Seen(Observer):
    """Lists what begins and ends."""

    def __init__(self) -> None:
        self.began: list[Any] = []
        self.ended: list[Any] = []

    @override
    def begin(self, call: OpenCall, parents: Sequence[OpenCall]) -> None:
        self.began.append((call.path, len(parents)))

    @override
    def end(self, call: OpenCall, outputs: Any, parents: Sequence[OpenCall]) -> Any:
        self.ended.append(call.path)
        return outputs


class Replace(Observer):
    """Lets the model go on with another value at one call."""

    def __init__(self, path: tuple[tuple[str, int], ...], value: Any) -> None:
        self.path = path
        self.value = value

    @override
    def end(self, call: OpenCall, outputs: Any, parents: Sequence[OpenCall]) -> Any:
        return self.value if call.path == self.path else outputs


class Net(keras.Model):
    """Calls one layer twice, inside another and by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = keras.Sequential([keras.Input((4,)), layers.Dense(4, name="d")], name="inner")
        self.last = layers.Dense(2, name="last")

    def call(self, x: Any) -> Any:
        return self.last(self.inner(self.inner(x)))


@pytest.fixture
def net() -> Net:
    keras.utils.set_random_seed(0)
    model = Net()
    model(np.zeros((1, 4), "float32"))
    return model


X = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")


def to_numpy(tensor: Any) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


def test_call_observed_shows_calls_as_they_begin_and_end(net: Net) -> None:
    seen = Seen()
    call_observed(net, keras.ops.convert_to_tensor(X), [seen])
    first, second = ("inner", 0), ("inner", 1)
    assert seen.began == [
        ((first,), 1),
        ((first, ("d", 0)), 2),
        ((second,), 1),
        ((second, ("d", 0)), 2),
        ((("last", 0),), 1),
    ]
    assert seen.ended == [
        (first, ("d", 0)),
        (first,),
        (second, ("d", 0)),
        (second,),
        (("last", 0),),
    ]


@pytest.mark.parametrize("value", [np.ones((3, 4), "float32"), 5 * X])
def test_call_observed_goes_on_with_an_injected_value(net: Net, value: Any) -> None:
    value = keras.ops.convert_to_tensor(value)
    injected = Replace((("inner", 0), ("d", 0)), value)
    got = call_observed(net, keras.ops.convert_to_tensor(X), [injected])
    by_hand = net.last(net.inner(value))
    np.testing.assert_allclose(to_numpy(got), to_numpy(by_hand), rtol=1e-5)


def test_call_observed_injects_a_value_into_a_graph() -> None:
    inputs = keras.Input((4,))
    first, second = layers.Dense(4, name="a"), layers.Dense(2, name="b")
    model = keras.Model(inputs, second(first(inputs)) + 1.0)
    value = keras.ops.ones((3, 4))
    got = call_observed(model, keras.ops.convert_to_tensor(X), [Replace((("a", 0),), value)])
    np.testing.assert_allclose(to_numpy(got), to_numpy(second(value)) + 1, rtol=1e-5)


def test_call_observed_shows_later_observers_what_earlier_ones_changed(net: Net) -> None:
    value = keras.ops.ones((3, 4))
    values: list[Any] = []

    class Keep(Observer):
        @override
        def end(self, call: OpenCall, outputs: Any, parents: Sequence[OpenCall]) -> Any:
            values.append(outputs)
            return outputs

    observers = [Replace((("inner", 0), ("d", 0)), value), Keep()]
    call_observed(net, keras.ops.convert_to_tensor(X), observers)
    assert values[0] is value


def test_call_observed_shows_no_cell_of_a_recurrent_layer() -> None:
    model = keras.Sequential([keras.Input((5, 3)), layers.SimpleRNN(2, unroll=True, name="rnn")])
    seen = Seen()
    call_observed(model, keras.ops.ones((1, 5, 3)), [seen])
    assert seen.ended == [(("rnn", 0),)]


@pytest.mark.parametrize("error", [StopModel, ValueError, KeyboardInterrupt])
def test_call_observed_leaves_keras_as_it_was_however_the_call_ends(
    net: Net, error: type[BaseException]
) -> None:
    plain = keras.Layer.__call__, keras.Layer.rematerialized_call

    class Fail(Observer):
        @override
        def begin(self, call: OpenCall, parents: Sequence[OpenCall]) -> None:
            assert keras.Layer.__call__ is not plain[0]
            raise error

    if error is StopModel:
        assert call_observed(net, X, [Fail()]) is None
    else:
        with pytest.raises(error):
            call_observed(net, X, [Fail()])
    assert (keras.Layer.__call__, keras.Layer.rematerialized_call) == plain


def test_call_observed_leaves_an_interception_around_it_as_it_was(net: Net) -> None:
    outer, inner = Seen(), Seen()

    class Look(Observer):
        @override
        def begin(self, call: OpenCall, parents: Sequence[OpenCall]) -> None:
            if call.path == (("last", 0),):
                call_observed(net.inner, keras.ops.convert_to_tensor(X), [inner])

    call_observed(net, keras.ops.convert_to_tensor(X), [outer, Look()])
    assert inner.ended == [(("d", 0),)]
    assert len(outer.ended) == 5
