"""Architectures against what Keras itself says: configurations, shapes and counts of parameters."""

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


def test_read_architecture_of_every_kind_of_model(
    case: Any, closing: Callable[[Any], Any], edges_of: Any
) -> None:
    """It is read and drawn; edges are those of the config, shapes those of the maps."""
    model = case.model
    if input_specs(model) is None:
        with pytest.raises(ValueError, match="has no inputs yet"):
            kerasviz.plot_architecture(model)
        built(case)
    flat = read_architecture(model, merge=False)
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

    full = read_architecture(model, expand=EVERY, merge=False)
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
        architecture = read_architecture(model, merge=False)
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
