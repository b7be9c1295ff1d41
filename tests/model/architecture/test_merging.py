"""What is merged into one box, and what is not."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from kerasviz.model.architecture.reading import read_architecture


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
