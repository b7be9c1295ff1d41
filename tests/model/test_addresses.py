"""Layer addresses: every form, and every mistake."""

from __future__ import annotations

from typing import Any

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from keras import layers

import kerasviz


@pytest.fixture
def model() -> keras.Model:
    """Layers: image, c1, pool, inner (with c1 and c2), shared twice, head."""
    inner_inputs = keras.Input((6, 6, 4))
    inner_outputs = layers.Conv2D(4, 3, padding="same", name="c1")(inner_inputs)
    inner_outputs = layers.DepthwiseConv2D(3, padding="same", name="c2")(inner_outputs)
    inner = keras.Model(inner_inputs, inner_outputs, name="inner")
    inputs = keras.Input((12, 12, 3), name="image")
    shared = layers.Conv2D(4, 1, name="shared")
    x = layers.Conv2D(4, 3, padding="same", name="c1")(inputs)
    x = inner(layers.MaxPooling2D(name="pool")(x))
    x = shared(shared(x))
    return keras.Model(inputs, layers.Dense(2, name="head")(layers.Flatten(name="flat")(x)))


def addresses(model: keras.Model, layer: Any) -> list[str]:
    return [ref.address for ref in kerasviz.find_layers(model, layer)]


def test_find_layers_lists_every_convolution_for_none(model: keras.Model) -> None:
    assert addresses(model, None) == ["c1", "inner/c1", "inner/c2", "shared:0", "shared:1"]


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ("pool", ["pool"]),
        ("c1", ["c1"]),  # at the top before inside a nested model
        ("c2", ["c2"]),  # the address that was written is the one that comes back
        ("inner/c2", ["inner/c2"]),
        ("shared:1", ["shared:1"]),
        (1, ["c1"]),
        (-1, ["head"]),
        (layers.MaxPooling2D, ["pool"]),
        (layers.Conv2D, ["c1", "inner/c1", "shared:0", "shared:1"]),
        ("c?", ["c1", "inner/c1", "inner/c2"]),
        ("inner/*", ["inner/c1", "inner/c2"]),
        ("shared*", ["shared:0", "shared:1"]),
        ("[ph]*", ["pool", "head"]),
        (["head", "c2", 1, "c?"], ["head", "c2", "c1", "inner/c1", "inner/c2"]),
        (("pool",), ["pool"]),
    ],
)
def test_find_layers_takes_each_form_of_address(
    model: keras.Model, layer: Any, expected: list[str]
) -> None:
    assert addresses(model, layer) == expected


def test_find_layers_takes_a_layer_object(model: keras.Model) -> None:
    inner = model.get_layer("inner")
    assert addresses(model, inner.get_layer("c1")) == ["inner/c1"]
    assert kerasviz.find_layers(model, inner)[0].layer is inner


def test_feature_map_model_of_an_address_has_one_output_and_of_a_pattern_several(
    model: keras.Model,
) -> None:
    one = kerasviz.feature_map_model(model, "pool")
    several = kerasviz.feature_map_model(model, "poo?")
    image = np.zeros((1, 12, 12, 3), "float32")
    assert one(image).shape == (1, 6, 6, 4)
    assert {name: x.shape for name, x in several(image).items()} == {"pool": (1, 6, 6, 4)}


def test_find_layers_takes_a_name_with_pattern_signs_for_a_name_first() -> None:
    model = keras.Sequential([keras.Input((4, 4, 1)), layers.Conv2D(1, 1, name="c[1]")])
    assert addresses(model, "c[1]") == ["c[1]"]


@pytest.mark.parametrize(
    ("layer", "error", "message"),
    [
        ("pol", ValueError, r"No such layer in the model '.*': 'pol'. Did you mean 'pool'"),
        ("inner/c9", ValueError, "Did you mean 'inner/c.'"),
        ("zzzzzz", ValueError, "Its layers are: image, c1, pool, inner, shared:0, shared:1"),
        ("shared", ValueError, "one of 'shared:0', 'shared:1': 'shared' is a layer that is called"),
        ("shared:2", ValueError, "Did you mean 'shared:"),
        ("*x*", ValueError, r"Nothing in the model '.*' matches '\*x\*'"),
        (layers.Conv3D, ValueError, "matches 'Conv3D'. Its layers are of the classes Conv2D"),
        (7, ValueError, r"`layer` must be between -7 and 6.* Received: layer=7"),
        (-8, ValueError, "between -7 and 6"),
        (4, ValueError, "one of 'shared:0', 'shared:1'"),
        (layers.Conv2D(1, 1, name="other"), ValueError, "`layer` is not in the model"),
        (1.5, TypeError, "`layer` must be a name.* Received: layer=1.5"),
        (True, TypeError, "Received: layer=True"),
        ([], ValueError, "at least one layer"),
        (["c1", "pol"], ValueError, "Did you mean 'pool'"),
    ],
)
def test_find_layers_refuses_mistakes(
    model: keras.Model, layer: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        kerasviz.find_layers(model, layer)


def test_find_layers_refuses_a_name_that_two_nested_models_have() -> None:
    def block(name: str) -> keras.Model:
        conv = layers.Conv2D(1, 1, name="c")
        return keras.Sequential([keras.Input((4, 4, 1)), conv], name=name)

    model = keras.Sequential([keras.Input((4, 4, 1)), block("a"), block("b")])
    with pytest.raises(ValueError, match="one of 'a/c', 'b/c': 'c' is more than one layer"):
        kerasviz.find_layers(model, "c")


def test_find_layers_refuses_a_path() -> None:
    with pytest.raises(TypeError, match=r"`model` must be a Keras model.*load_model.*'a.keras'"):
        kerasviz.find_layers("a.keras")


def test_get_kernels_says_that_a_model_has_no_convolution() -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    assert kerasviz.find_layers(model) == []
    with pytest.raises(ValueError, match="has no convolution"):
        kerasviz.get_kernels(model, None)


def test_find_layers_returns_references_that_read_well(model: keras.Model) -> None:
    c1, pool = kerasviz.find_layers(model, ["c1", "pool"])
    assert str(c1) == "c1: Conv2D, kernel 3×3×3×4, output (None, 12, 12, 4), sees 3×3, stride 1×1"
    assert str(pool) == "pool: MaxPooling2D, output (None, 6, 6, 4), sees 4×4, stride 2×2"
    assert repr(pool).startswith("LayerRef('pool', MaxPooling2D, output_shape=(None, 6, 6, 4)")
    assert (c1.layer, c1.kernel_shape) == (model.get_layer("c1"), (3, 3, 3, 4))


def test_get_feature_maps_takes_one_output_of_a_layer_that_has_several() -> None:
    inputs = keras.Input((4, 6))
    attention = layers.MultiHeadAttention(2, 3, name="mha")
    model = keras.Model(inputs, attention(inputs, inputs, return_attention_scores=True))
    x = np.random.default_rng(0).normal(size=(2, 4, 6)).astype("float32")
    expected = attention(x, x, return_attention_scores=True)
    for index, value in enumerate(expected):
        maps = kerasviz.get_feature_maps(model, f"mha#{index}", x)
        np.testing.assert_allclose(maps, keras.ops.convert_to_numpy(value), rtol=1e-4, atol=1e-5)
    assert kerasviz.find_layers(model, "mha#1")[0].output_shape == (None, 2, 4, 4)
    plot = kerasviz.plot_feature_maps(model, "mha#1", x, kind="image")
    assert len(plot.images) == 1
    plt.close(plot.figure)
    with pytest.raises(ValueError, match="has no output '2': it returns 2, counted from 0"):
        kerasviz.get_feature_maps(model, "mha#2", x)


class Block(layers.Layer):
    """A layer whose parts have automatic names."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = layers.Conv2D(2, 3, padding="same")

    def call(self, x: Any) -> Any:
        return self.conv(x)


class Blocks(keras.Model):
    """A model whose layers have automatic names and are in a list and a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = [Block(), Block()]
        self.heads = {"small": layers.Dense(2)}

    def call(self, x: Any) -> Any:
        for block in self.blocks:
            x = block(x)
        return self.heads["small"](x)


def test_get_feature_maps_takes_the_path_of_attributes() -> None:
    model = Blocks()
    x = np.random.default_rng(0).normal(size=(2, 6, 6, 2)).astype("float32")
    first = model.blocks[0](x)
    expected = {"blocks/0/conv": first, "blocks/1": model.blocks[1](first)}
    expected["heads/small"] = model.heads["small"](expected["blocks/1"])
    for address, value in expected.items():
        maps = kerasviz.get_feature_maps(model, address, x)
        np.testing.assert_allclose(maps, keras.ops.convert_to_numpy(value), rtol=1e-4, atol=1e-5)
    weights = model.blocks[1].conv.get_weights()[0]
    np.testing.assert_array_equal(kerasviz.get_kernels(model, "blocks/1/conv"), weights)


def test_find_layers_takes_names_and_patterns_that_hold_the_mark_of_an_output() -> None:
    class Split(keras.Layer):
        def call(self, x):
            return {"even": x, "odd": 2 * x}

    inner = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Conv2D(1, 1, name="c")], name="in#ner"
    )
    inputs = keras.Input((4, 4, 1))
    outputs = inner(Split(name="split#1")(inputs)["odd"])
    model = keras.Model(inputs, outputs)

    def find(layer):
        return [ref.address for ref in kerasviz.find_layers(model, layer)]

    assert find("in#ner/*") == ["in#ner/c"]
    assert find("split#1#odd") == ["split#1#odd"]
    assert find("*#1") == ["split#1"]
    assert find("*#odd") == ["split#1#odd"]
    with pytest.raises(ValueError, match=r"Nothing in the model .* matches '\*#2'.* layer='\*#2'"):
        find("*#2")
    with pytest.raises(ValueError, match=r"No such layer .* Received: layer='splitt#odd'"):
        find("splitt#odd")


def test_find_layers_takes_an_index_of_numpy() -> None:
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(1, 1, name="c")])
    assert [ref.address for ref in kerasviz.find_layers(model, np.int64(-1))] == ["c"]


class Around(keras.layers.Layer):
    """A layer around one that it calls and one that it does not."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.used = keras.layers.Conv2D(2, 3, name="used")
        self.unused = keras.layers.Conv2D(2, 3, name="unused")

    def build(self, shape: Any) -> None:
        self.used.build(shape)
        self.unused.build(shape)

    def call(self, x: Any) -> Any:
        return self.used(x)


def inputs_and(inner: keras.layers.Layer) -> keras.Model:
    inputs = [keras.Input((8, 8, 3), name="left"), keras.Input((8, 8, 3), name="right")]
    total = keras.layers.Add(name="add")([inner(x) for x in inputs])
    return keras.Model(inputs, total)


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.layers.Conv2D(2, 3, name="inner"),
        lambda: keras.Sequential([keras.layers.Conv2D(2, 3, name="used")], name="inner"),
        lambda: Around(name="inner"),
    ],
    ids=["flat", "nested", "composite"],
)
def test_get_feature_maps_of_input_layers_are_the_inputs(make: Any) -> None:
    model = inputs_and(make())
    x = list(np.random.default_rng(0).random((2, 3, 8, 8, 3), dtype="float32"))
    index = [layer.name for layer in model.layers].index("right")
    for layer in ("right", index, model.get_layer("right")):
        np.testing.assert_array_equal(kerasviz.get_feature_maps(model, layer, x), x[1])
    last = [ref.address for ref in kerasviz.find_layers(model, "*")][-2]
    maps = kerasviz.get_feature_maps(model, ["right", last, "left"], x, batch_size=2)
    assert list(maps) == ["right", last, "left"]
    np.testing.assert_array_equal(maps["left"], x[0])
    np.testing.assert_array_equal(maps["right"], x[1])
    sub_model = kerasviz.feature_map_model(model, ["right", last])
    assert sub_model.output["right"].shape == (None, 8, 8, 3)
    assert "left" not in [ref.address for ref in kerasviz.find_layers(model, "*")]


def test_find_layers_refuses_the_index_of_a_layer_that_is_not_called() -> None:
    block = Around(name="block")

    class Net(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="net")
            self.block = block
            self.inner = block.used
            self.drop = keras.layers.Dropout(0.5, name="drop")

        def call(self, x: Any) -> Any:
            return self.block(x)

    model = Net()
    x = np.ones((1, 8, 8, 3), "float32")
    model(x)
    assert [ref.address for ref in kerasviz.find_layers(model, 1)] == ["block/used"]
    with pytest.raises(ValueError, match="The model 'net' holds 'drop', but no output of it"):
        kerasviz.get_feature_maps(model, 2, x)


def test_get_feature_maps_takes_one_output_of_each_call_that_a_pattern_names() -> None:
    class Split(keras.Layer):
        def call(self, x: Any) -> Any:
            return {"even": x, "odd": 2 * x}

    inputs = keras.Input((4, 4, 1))
    split = Split(name="split")
    model = keras.Model(inputs, split(split(inputs)["odd"])["even"])
    x = np.random.default_rng(0).random((2, 4, 4, 1), dtype="float32")
    maps = kerasviz.get_feature_maps(model, "sp*#even", x)
    assert list(maps) == ["split:0#even", "split:1#even"]
    np.testing.assert_allclose(maps["split:1#even"], 2 * x, rtol=1e-6)


def test_find_layers_says_that_a_model_has_no_layers() -> None:
    class Double(keras.Model):
        def call(self, x: Any) -> Any:
            return 2 * x

    model = Double(name="double")
    model(np.ones((1, 3), "float32"))
    for layer in ("*", "conv"):
        with pytest.raises(ValueError, match=r"It has no layers.*Received: layer='"):
            kerasviz.find_layers(model, layer)


@pytest.mark.parametrize("layer", ["b", None, "a:1", "in:0/k", "in:0"])
def test_get_feature_maps_takes_names_that_a_graph_of_tensorflow_does_not(layer: Any) -> None:
    inputs = keras.Input((4, 4, 1))
    inner = keras.Sequential(
        [keras.Input((4, 4, 2)), keras.layers.Conv2D(3, 1, name="k")], name="in:0"
    )
    a, b = keras.layers.Conv2D(2, 1, name="a:1"), keras.layers.Conv2D(2, 1, name="b")
    model = keras.Model(inputs, inner(b(a(inputs))), name="m:1")
    x = np.random.default_rng(0).random((2, 4, 4, 1), dtype="float32")
    maps = {"a:1": a(x), "b": b(a(x)), "in:0": inner(b(a(x))), "in:0/k": inner(b(a(x)))}
    got = kerasviz.get_feature_maps(model, layer, x)
    for address, array in (got if isinstance(got, dict) else {layer: got}).items():
        expected = keras.ops.convert_to_numpy(maps[address])
        np.testing.assert_allclose(array, expected, rtol=1e-4, atol=1e-5)
