"""Architectures against what Keras itself says: connections, shapes, counts, what is merged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import kerasviz
from kerasviz.model.architecture.reading import read_architecture
from kerasviz.model.calls import input_specs, known_calls, traced
from kerasviz.model.connections import CallOutput, Connections
from kerasviz.model.tracing import ModelTrace

EVERY = 99
"""More levels than any model here has."""


def histories(value: Any) -> Iterator[tuple[str, int]]:
    """Yield the layers, and which of their calls, that a part of a configuration refers to."""
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            name, call, _ = value["config"]["keras_history"]
            yield name, call
        else:
            for inner in value.values():
                yield from histories(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from histories(inner)


def config_edges(model: keras.Model) -> set[tuple[str, str]]:
    """Return the edges of a Functional model by the addresses of its calls, from its config."""
    config = model.get_config()["layers"]
    calls = {layer["name"]: max(1, len(layer["inbound_nodes"])) for layer in config}

    def address(name: str, call: int) -> str:
        return name if calls[name] == 1 else f"{name}:{call}"

    return {
        (address(*source), address(layer["name"], call))
        for layer in config
        for call, arguments in enumerate(layer["inbound_nodes"])
        for source in histories(arguments)
    }


def built(case: Any) -> keras.Model:
    if not case.model.built or input_specs(case.model) is None:
        case.model(case.inputs)
    return case.model


@pytest.mark.few(5)
def test_read_architecture_of_every_kind_of_model(
    case: Any, closing: Callable[[Any], Any], edges_of: Any
) -> None:
    """It is read and drawn; edges are those of the config, shapes those of the maps."""
    model = case.model
    if input_specs(model) is None:
        with pytest.raises(ValueError, match="has no inputs yet"):
            kerasviz.plot_architecture(model)
        built(case)
    flat = read_architecture(model, detail="layers")
    if isinstance(model, keras.Function):
        assert edges_of(flat) == config_edges(model)
        check_wiring(model)
        for node in flat.nodes:
            if node.head.address == node.head.path[0][0] and node.head.is_layer:
                layer = model.get_layer(node.head.address)
                expected = [x.shape for x in keras.tree.flatten(layer.output)]
                assert list(node.output_shapes) == expected
    assert flat.parameters == model.count_params()
    assert sum(node.parameters for node in flat.nodes) == flat.parameters

    full = read_architecture(model, expand=EVERY, detail="layers")
    items = [*(node.parts[0] for node in full.nodes), *(frame.part for frame in full.frames)]
    shapes = {part.address: part.output_shapes[0] for part in items if part.output_shapes}
    for address, maps in case.maps.items():
        if address in shapes:
            assert sorted(maps.shape[1:]) == sorted(shapes[address][1:]), address
    paths = {call.path for call in known_calls(model)}
    assert all(part.path in paths for part in items if part.is_layer and part.kind != "input")
    merged = read_architecture(model, expand=EVERY)
    assert sorted(part.address for node in merged.nodes for part in node.parts) == sorted(
        node.parts[0].address for node in full.nodes
    )
    plot = closing(kerasviz.plot_architecture)(model, expand=True)
    assert model.name in plot.axes[0].get_title()
    written = " ".join(text.get_text() for text in plot.axes[0].texts)
    for node in merged.nodes:
        assert all(str(size or "?") in written for size in node.output_shapes[0][1:])


def check_wiring(model: keras.Model) -> None:
    """Compare the connections of a trace, by the identity of tensors, with those of the config."""
    connections = traced(model, input_specs(model)).connections
    calls = {call.path: call.address for call in known_calls(model) if len(call.steps) == 1}
    traced_edges, expected = set(), config_edges(model)
    for path, sources in connections.inputs.items():
        if len(path) == 1 and path in calls:
            traced_edges |= {
                (calls[source.path], calls[path])
                for source in sources
                if isinstance(source, CallOutput)
            }
    assert traced_edges <= expected
    inputs = {layer.name for layer in model.layers if isinstance(layer, layers.InputLayer)}
    others = {x.name for x in model.operations if not isinstance(x, keras.Layer)}
    assert traced_edges == {(a, b) for a, b in expected if a not in inputs and not {a, b} & others}


def test_read_architecture_of_a_nested_model_as_a_box_or_a_frame(
    conv_block: Any, boxes_of: Any, edges_of: Any
) -> None:
    inner_inputs = keras.Input((8, 8, 3))
    inner = keras.Model(
        inner_inputs, conv_block(conv_block(inner_inputs, 4, "a"), 5, "b"), name="inner"
    )
    inner.trainable = False
    inputs = keras.Input((8, 8, 3), name="image")
    model = keras.Model(inputs, layers.Flatten(name="flat")(inner(inputs)))
    closed = read_architecture(model)
    assert boxes_of(closed) == [["image"], ["inner"], ["flat"]]
    assert closed.nodes[1].parameters == closed.nodes[1].frozen == inner.count_params()
    assert (closed.frames, closed.nodes[1].head.kind) == ((), "model")

    opened = read_architecture(model, expand=1)
    assert boxes_of(opened) == [
        ["image"],
        ["inner/a_conv", "inner/a_norm", "inner/a_relu"],
        ["inner/b_conv", "inner/b_norm", "inner/b_relu"],
        ["flat"],
    ]
    (frame,) = opened.frames
    assert (frame.part.address, frame.part.frozen) == ("inner", inner.count_params())
    assert [node.frame for node in opened.nodes] == [None, 0, 0, None]
    assert edges_of(opened) == {
        ("image", "inner/a_conv"),
        ("inner/a_conv", "inner/b_conv"),
        ("inner/b_conv", "flat"),
    }


def test_read_architecture_expands_as_many_levels_as_requested(boxes_of: Any) -> None:
    model: Any = layers.Conv2D(2, 1, name="c")
    for name in ("three", "two", "one"):
        model = keras.Sequential([keras.Input((4, 4, 1)), model], name=name)
    for expand, box, frames in (
        (0, "two", []),
        (1, "two/three", ["two"]),
        (2, "two/three/c", ["two", "two/three"]),
        (9, "two/three/c", ["two", "two/three"]),
    ):
        architecture = read_architecture(model, expand=expand)
        assert boxes_of(architecture)[1] == [box]
        assert [frame.part.address for frame in architecture.frames] == frames
        assert [frame.frame for frame in architecture.frames] == [None, 0][: len(frames)]


def test_read_architecture_traces_a_graph_only_where_expand_needs_it(
    net: keras.Model,
    composite_layer: Any,
    monkeypatch: pytest.MonkeyPatch,
    boxes_of: Any,
    edges_of: Any,
) -> None:
    inputs = keras.Input((8, 8, 3), name="image")
    made = keras.Model(inputs, layers.Flatten(name="flat")(composite_layer(name="block")(inputs)))
    opened = read_architecture(made, expand=1)

    def fail(*_: Any) -> ModelTrace:
        return ModelTrace([], Connections(), "RuntimeError: it is traced")

    monkeypatch.setattr("kerasviz.model.architecture.reading.traced", fail)
    closed = read_architecture(made)
    assert edges_of(closed) == {("image", "block"), ("block", "flat")}
    assert (closed.closed, closed.failure) == ((), "")
    assert opened.parameters == closed.parameters == made.count_params()
    again = read_architecture(made, expand=1)
    assert boxes_of(again) == boxes_of(closed)
    assert (again.closed, again.failure) == (("block",), "RuntimeError: it is traced")
    with pytest.raises(ValueError, match="it is traced"):
        read_architecture(net)


class MadeInCall(keras.Model):
    def __init__(self) -> None:
        super().__init__(name="net")
        self.d = layers.Conv2D(4, 1, name="d")

    def call(self, x: Any) -> Any:
        return keras.layers.add([layers.ReLU()(self.d(x)), x])


def test_read_architecture_of_layers_that_are_made_in_call() -> None:
    model = MadeInCall()
    model(np.zeros((1, 8, 8, 4), "float32"))
    for _ in range(2):
        architecture = read_architecture(model, detail="layers")
        assert [node.head.title for node in architecture.nodes] == [
            *("Input", "Conv2D", "ReLU", "Add")
        ]
        assert architecture.parameters == model.count_params()
        assert architecture.layers == 3


def test_read_architecture_leaves_the_model_as_it_was(
    net: keras.Model, residual: keras.Model
) -> None:
    for model in (net, residual):
        inner = model._flatten_layers(include_self=True, recursive=True)
        before = [(layer.name, len(layer._inbound_nodes), sorted(vars(layer))) for layer in inner]
        call = keras.Layer.__call__
        read_architecture(model, expand=1)
        assert keras.Layer.__call__ is call
        assert before == [
            (layer.name, len(layer._inbound_nodes), sorted(vars(layer))) for layer in inner
        ]


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


def test_merge_chains_puts_what_finishes_a_layer_into_its_box(
    residual: keras.Model, boxes_of: Any, edges_of: Any
) -> None:
    architecture = read_architecture(residual)
    assert boxes_of(architecture) == [
        ["image"],
        ["a_conv", "a_norm", "a_relu"],
        ["b_conv", "b_norm", "b_relu"],
        ["c_conv", "c_norm"],
        ["add", "relu"],
        ["pool"],
        ["dense", "drop", "softmax"],
    ]
    assert edges_of(architecture) == {
        ("image", "a_conv"),
        ("a_conv", "b_conv"),
        ("b_conv", "c_conv"),
        ("c_conv", "add"),
        ("a_conv", "add"),
        ("add", "pool"),
        ("pool", "dense"),
    }
    for node in architecture.nodes[1:]:
        members = [residual.get_layer(part.address) for part in node.parts]
        assert node.parameters == sum(layer.count_params() for layer in members)
        assert node.output_shapes == (tuple(members[-1].output.shape),)
    assert (architecture.inputs, architecture.outputs) == ((0,), (6,))
    assert architecture.layers == len(residual.layers) - 1


def test_merge_chains_hides_nothing_that_is_used_twice_or_returned(boxes_of: Any) -> None:
    """A layer whose output is taken twice, or returned, keeps a box of its own."""
    inputs = keras.Input((8, 8, 3), name="image")
    c = layers.Conv2D(4, 3, name="c")(inputs)
    n = layers.BatchNormalization(name="n")(c)
    r = layers.ReLU(name="r")(n)
    model = keras.Model(inputs, [layers.Add(name="s")([c, r]), n])
    architecture = read_architecture(model)
    assert boxes_of(architecture) == [["image"], ["c"], ["n"], ["r"], ["s"]]
    assert [boxes_of(architecture)[item][0] for item in architecture.outputs] == ["s", "n"]


class Shifted(layers.LayerNormalization):
    """A normalization that takes a second input, too."""

    def call(self, x: Any, shift: Any) -> Any:
        return super().call(x) + shift


def test_merge_chains_leaves_alone_what_takes_several_inputs(boxes_of: Any) -> None:
    inputs, shift = keras.Input((4, 4, 3), name="image"), keras.Input((4, 4, 2), name="shift")
    outputs = Shifted(name="n")(layers.Conv2D(2, 1, name="c")(inputs), shift)
    architecture = read_architecture(keras.Model([inputs, shift], outputs))
    assert sorted(boxes_of(architecture)) == [["c"], ["image"], ["n"], ["shift"]]


def test_merge_chains_joins_a_padding_to_the_convolution_after_it(boxes_of: Any) -> None:
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3), name="image"),
            layers.ZeroPadding2D(1, name="pad"),
            layers.Conv2D(4, 3, name="c"),
            layers.ReLU(name="r"),
            layers.ZeroPadding2D(1, name="pad_pool"),
            layers.MaxPooling2D(name="pool"),
            layers.Dropout(0.5, name="drop"),
        ]
    )
    architecture = read_architecture(model)
    assert boxes_of(architecture)[1:] == [["pad", "c", "r"], ["pad_pool"], ["pool"], ["drop"]]
    assert architecture.nodes[1].head.address == "c"


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
