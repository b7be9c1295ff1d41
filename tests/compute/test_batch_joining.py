"""Models that look at more than one sample at a time: numbers are those of all samples at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

import kerasviz
from tiny_models import Function

X = np.random.default_rng(0).normal(size=(9, 6, 4)).astype("float32")


class Net(keras.Model):
    """Hands two layers and its inputs to a function of the tests."""

    def __init__(self, function: Callable[[Any, Any], Any]) -> None:
        super().__init__()
        self.a = layers.Dense(4, name="a")
        self.d = layers.Dense(4, name="d")
        self.function = function

    def call(self, x: Any) -> Any:
        return self.function(self.d, self.a(x))


def batch_of(x: Any) -> Any:
    return ops.cast(ops.shape(x)[0], "float32")


MIXING: dict[str, Callable[[Any], Any]] = {
    "batch as a number": lambda x: x / batch_of(x),
    "batch as a size": lambda x: ops.ones((ops.shape(x)[0], 4)) * batch_of(x),
    "slice by the batch": lambda x: x[:, : ops.shape(x)[0]],
    "time first": lambda x: ops.transpose(x, (1, 0, 2)),
    "as many rows by chance": lambda x: ops.sum(x, axis=0),
    "concatenation": lambda x: ops.concatenate([x, x + 1], 0),
    "repeat": lambda x: ops.repeat(x, 2, 0),
    "roll": lambda x: ops.roll(x, 1, 0),
    "reverse": lambda x: ops.flip(x, 0),
    "cumulative sum": lambda x: ops.cumsum(x, 0),
    "sort": lambda x: ops.sort(x, 0),
    "difference from the mean": lambda x: x - ops.mean(x, 0, keepdims=True),
    "noise": lambda x: x + keras.random.normal(ops.shape(x), seed=3),
}


@pytest.mark.few(6)
@pytest.mark.parametrize("name", MIXING)
@pytest.mark.parametrize("batch_size", [1, 4])
def test_get_feature_maps_computes_a_layer_that_mixes_samples_at_once(
    name: str, batch_size: int
) -> None:
    mix, after = Function(MIXING[name], name="mix"), layers.Dense(3, name="after")
    inputs = keras.Input((6, 4))
    model = keras.Model(inputs, after(mix(inputs)))
    expected = MIXING[name](ops.convert_to_tensor(X))
    maps = kerasviz.get_feature_maps(model, ["mix", "after"], X, batch_size=batch_size)
    for address, value in (("mix", expected), ("after", after(expected))):
        value = ops.convert_to_numpy(value)
        np.testing.assert_allclose(maps[address], value, rtol=1e-4, atol=1e-5, err_msg=address)


def softmax_layer(x: Any) -> Any:
    return layers.Softmax(axis=0, name="mix")(x)


def own_activation(x: Any) -> Any:
    return layers.Activation(lambda x: ops.softmax(x, 0), name="mix")(x)


def operation(x: Any) -> Any:
    return layers.Identity(name="mix")(ops.softmax(x, 0))


def in_a_lambda(x: Any) -> Any:
    return layers.Lambda(lambda x: ops.softmax(x, 0), name="mix")(x)


@pytest.mark.parametrize("mix", [softmax_layer, own_activation, operation, in_a_lambda])
def test_get_feature_maps_is_right_where_samples_mix_outside_the_users_layers(mix: Any) -> None:
    inputs = keras.Input((6, 4))
    model = keras.Model(inputs, mix(inputs))
    powers = np.exp(X)
    maps = kerasviz.get_feature_maps(model, "mix", X, batch_size=4)
    np.testing.assert_allclose(maps, powers / powers.sum(0), rtol=1e-4, atol=1e-6)


def test_get_feature_maps_sees_that_the_last_batch_is_of_another_size() -> None:
    """A layer that treats a single sample otherwise gives other values for the ninth of fours."""
    inputs = keras.Input((6, 4))
    single = Function(lambda x: ops.where(batch_of(x) == 1, 10.0, 1.0) * x, name="single")
    maps = kerasviz.get_feature_maps(keras.Model(inputs, single(inputs)), 1, X, batch_size=4)
    np.testing.assert_array_equal(maps, X)


SOURCES, TARGETS = np.array([0, 3, 7, 8]), np.array([0, 7, 7, 8])


def graph_network(d: Any, x: Any) -> Any:
    """Add up what edges between nodes carry, where the rows are the nodes."""
    return d(ops.segment_sum(ops.take(x, SOURCES, axis=0), TARGETS, num_segments=9))


def strongest(d: Any, x: Any) -> Any:
    return d(ops.transpose(ops.top_k(ops.transpose(x, (1, 2, 0)), 3)[0], (2, 0, 1)))


@pytest.mark.parametrize("batch_size", [1, 4, 32])
def test_get_feature_maps_takes_rows_for_the_nodes_of_one_graph(batch_size: int) -> None:
    model = Net(graph_network)
    model(X)
    x = ops.convert_to_numpy(model.a(X))
    sums = np.zeros((9, 6, 4), "float32")
    np.add.at(sums, TARGETS, x[SOURCES])
    maps = kerasviz.get_feature_maps(model, ["a", "d"], X, batch_size=batch_size)
    np.testing.assert_allclose(maps["a"], x, rtol=1e-4, atol=1e-5)
    expected = ops.convert_to_numpy(model.d(sums))
    np.testing.assert_allclose(maps["d"], expected, rtol=1e-4, atol=1e-5)


def test_get_feature_maps_computes_the_strongest_of_a_batch_from_all_samples() -> None:
    model = Net(strongest)
    model(X)
    x = ops.convert_to_numpy(model.a(X))
    expected = ops.convert_to_numpy(model.d(-np.sort(-x, axis=0)[:3]))
    for batch_size in (1, 4, 32):
        maps = kerasviz.get_feature_maps(model, "d", X, batch_size=batch_size)
        np.testing.assert_allclose(maps, expected, rtol=1e-4, atol=1e-5)


def test_iter_feature_maps_says_where_a_stream_cuts_a_graph() -> None:
    def whole(d: Any, x: Any) -> Any:
        if x.shape[0] not in (None, 9):
            raise ValueError("these are not all nodes")
        return d(x)

    model = Net(whole)
    model(X)
    with pytest.raises(ValueError, match="not all nodes") as error:
        list(kerasviz.iter_feature_maps(model, "d", X, batch_size=4))
    assert "4 of 9 samples" in error.value.__notes__[-1]
    assert "batch_size=9" in error.value.__notes__[-1]


def test_get_feature_maps_raises_an_error_of_the_model_as_it_is() -> None:
    def fail(*_: Any) -> Any:
        raise KeyError("mine")

    model = Net(fail)
    with pytest.raises(KeyError, match="mine"):
        kerasviz.get_feature_maps(model, "a", X, batch_size=4)


LOOPS: dict[str, Callable[[Any, Any], Any]] = {
    "map": lambda d, x: ops.map(d, x),
    "nested map": lambda d, x: ops.map(lambda r: ops.map(lambda q: d(q[None])[0], r), x),
    "vectorized_map": lambda d, x: ops.vectorized_map(d, x),
    "scan": lambda d, x: ops.scan(lambda c, r: (c, d(r)), ops.zeros((6, 4)), x)[1],
    "while_loop": lambda d, x: ops.while_loop(
        lambda i, _: i < 3, lambda i, h: (i + 1, d(h)), (0, x)
    )[1],
    "fori_loop": lambda d, x: ops.fori_loop(0, 3, lambda _, h: d(h), x),
}


@pytest.mark.few(2)
@pytest.mark.parametrize("name", LOOPS)
def test_get_feature_maps_shows_no_part_of_a_layer_in_a_loop_of_the_backend(name: str) -> None:
    """On PyTorch some of these are loops of Python's, whose calls have an address each."""
    model = Net(LOOPS[name])
    model(X)
    first = ops.convert_to_numpy(model.a(X))
    maps = kerasviz.get_feature_maps(model, "*", X)
    np.testing.assert_allclose(maps.pop("a"), first, rtol=1e-4, atol=1e-5)
    if keras.backend.backend() != "torch":
        assert not maps
        with pytest.raises(ValueError, match="holds 'd', but no output of it can be taken"):
            kerasviz.get_feature_maps(model, "d", X)
    assert all(address.startswith("d:") for address in maps)


def row_by_row(d: Any, x: Any) -> Any:
    return ops.concatenate([d(x[i : i + 1]) for i in range(x.shape[0])])


def test_get_feature_maps_joins_the_calls_of_a_layer_for_each_sample() -> None:
    model = Net(row_by_row)
    model(X)
    rows = ops.convert_to_numpy(model.d(model.a(X)))
    for batch_size in (1, 2, 4, 32):
        maps = kerasviz.get_feature_maps(model, ["d:0", "d:1"], X, batch_size=batch_size)
        np.testing.assert_allclose(maps["d:0"], rows[:1], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(maps["d:1"], rows[1:2], rtol=1e-4, atol=1e-5)
    with pytest.raises(
        ValueError, match=r"did not call 'd:1' .* called 'd' once, and twice .* give more samples"
    ):
        kerasviz.get_feature_maps(model, "d:1", X[:1])


def until_large(d: Any, x: Any) -> Any:
    for _ in range(5):
        x = d(x)
        if float(ops.convert_to_numpy(ops.max(x))) > 1:
            break
    return x


def test_get_feature_maps_follows_a_loop_that_ends_early_on_other_values() -> None:
    model = Net(until_large)
    model(X)
    model.a.set_weights([np.eye(4), np.zeros(4)])
    model.d.set_weights([np.eye(4), np.full(4, 0.5)])
    high, low = np.ones((2, 6, 4), "float32"), np.zeros((2, 6, 4), "float32")
    np.testing.assert_allclose(kerasviz.get_feature_maps(model, "d", high), high + 0.5)
    with pytest.raises(ValueError, match=r"'d' 3 times on these inputs, and once .* 'd:0' is the"):
        kerasviz.get_feature_maps(model, "d", low)
    np.testing.assert_allclose(kerasviz.get_feature_maps(model, "d:0", low), low + 0.5)


@contextmanager
def without_compilation() -> Iterator[None]:
    """Run models in Python, so that their calls can be counted."""
    if keras.backend.backend() == "jax":
        import jax

        with jax.disable_jit():
            yield
    elif keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.run_functions_eagerly(True)
        try:
            yield
        finally:
            tf.config.run_functions_eagerly(False)
    else:
        yield


@pytest.mark.filterwarnings("ignore:Even though the `tf.config:UserWarning")
@pytest.mark.parametrize(
    ("axis", "other_batches"), [(-1, 0), ((0, -1), 2)], ids=["of each sample", "over all samples"]
)
def test_get_feature_maps_of_layers_of_keras_needs_no_other_batch(
    axis: Any, other_batches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs, last = keras.Input((8, 8, 3)), layers.Softmax(axis=axis, name="last")
    first = layers.Conv2D(4, 3, activation="relu", padding="same")
    x = first(inputs)
    x = layers.BatchNormalization()(x) + x
    x = layers.LayerNormalization()(layers.Concatenate()([x, inputs]))
    model = keras.Model(inputs, last(layers.Dense(3, name="dense")(layers.Flatten()(x))))
    kerasviz.find_layers(model, "*")
    runs: list[int] = []
    plain = keras.Layer.__call__

    def call(layer: keras.Layer, *args: Any, **kwargs: Any) -> Any:
        runs.extend([len(args[0])] if layer is first else [])
        return plain(layer, *args, **kwargs)

    with without_compilation():
        kerasviz.get_feature_maps(model, last.name, np.zeros((1, 8, 8, 3)))
        monkeypatch.setattr(keras.Layer, "__call__", call)
        kerasviz.get_feature_maps(model, last.name, np.zeros((9, 8, 8, 3)), batch_size=4)
    assert len(runs) == 3 + other_batches


def shifted(shift: float, kind: str) -> Callable[[Any], Any]:
    """Return a function that adds a shift for each sample of the batch."""

    def function(x: Any) -> Any:
        y = x + shift * batch_of(x)
        if kind == "int32":
            return ops.cast(1000 * y, "int32")
        return ops.view_as_complex(ops.stack([x, y], -1)) if kind == "complex" else y

    return function


@pytest.mark.parametrize(
    ("shift", "value", "kind", "is_rounding"),
    [
        (1e-4, 1.0, "float32", True),
        (0.1, 1.0, "float32", False),
        (1e-4, np.nan, "float32", False),
        (1e-4, np.inf, "float32", True),
        (0.1, 1.0, "complex", False),
        (1e-2, 1.0, "int32", False),
    ],
)
def test_get_feature_maps_takes_what_differs_by_rounding_alone_as_equal(
    shift: float, value: float, kind: str, is_rounding: bool
) -> None:
    if kind == "complex" and not hasattr(ops, "view_as_complex"):
        pytest.skip("this Keras makes no complex numbers")
    x = np.ones((9, 6, 4), "float32")
    x[:, 0, 0] = value
    function = shifted(shift, kind)
    inputs = keras.Input((6, 4))
    outputs = Shifted(function, dtype=kind, name="shifted")(inputs)
    model = keras.Model(inputs, outputs)
    maps = kerasviz.get_feature_maps(model, "shifted", x, batch_size=4)
    parts = [x[:4], x[4:8], x[8:]] if is_rounding else [x]
    expected = [ops.convert_to_numpy(function(ops.convert_to_tensor(part))) for part in parts]
    np.testing.assert_allclose(maps, np.concatenate(expected), rtol=1e-6)


class Shifted(keras.Layer):
    """Calls a function of the tests whose values may have another type than its inputs."""

    def __init__(self, function: Callable[[Any], Any], dtype: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.function = function
        self.output_dtype = {"complex": "complex64"}.get(dtype, dtype)

    def call(self, x: Any) -> Any:
        return self.function(x)

    def compute_output_spec(self, x: Any) -> Any:
        return keras.KerasTensor(x.shape, self.output_dtype)
