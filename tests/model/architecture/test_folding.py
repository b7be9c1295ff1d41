"""Blocks that repeat are folded by `plot_architecture`, and only where they are truly alike."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import kerasviz
from kerasviz.model.architecture.folding import fold_repeats
from kerasviz.model.architecture.reading import read_architecture
from kerasviz.model.architecture.structure_keys import argument_structure
from written_words import texts_of


@pytest.fixture
def plot_architecture(closing: Callable[[Any], Any]) -> Callable[..., kerasviz.Plot]:
    return closing(kerasviz.plot_architecture)


def badges(plot: kerasviz.Plot) -> list[str]:
    return [word for word in texts_of(plot) if re.fullmatch(r"× \d+", word)]


def folded(plot: kerasviz.Plot) -> list[str]:
    """Return the titles of the panels of folded blocks."""
    return [panel.title for panel in plot.panels if panel.title.startswith("× ")]


def convolution(x: Any, name: str, **changes: Any) -> Any:
    options = {"filters": 4, "kernel_size": 3, "padding": "same", "activation": "relu"}
    return layers.Conv2D(**{**options, **changes}, name=name)(x)


def block(x: Any, name: str, **changes: Any) -> Any:
    """A residual block: convolution, normalization, convolution, sum."""
    y = convolution(x, f"{name}_conv1", **changes)
    y = layers.BatchNormalization(name=f"{name}_norm")(y)
    y = convolution(y, f"{name}_conv2", activation=None)
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([x, y]))


def model_of(step: Callable[[Any, int], Any], count: int, channels: int = 4) -> keras.Model:
    inputs = x = keras.Input((8, 8, channels), name="image")
    for index in range(count):
        x = step(x, index)
    return keras.Model(inputs, x, name="net")


def test_plot_architecture_folds_layers_alike_with_counts_of_each_and_of_all(
    plot_architecture: Any,
) -> None:
    """The first takes another number of channels, and stays apart."""
    model = model_of(lambda x, n: convolution(x, f"conv{n}"), 4, channels=1)
    plot = plot_architecture(model)
    written = texts_of(plot)
    first, each = (model.get_layer(name).count_params() for name in ("conv0", "conv1"))
    assert badges(plot) == ["× 3"]
    assert f"{first} params" in written
    assert f"{each} params each, {3 * each} in all" in written
    assert "conv1–3" in written
    (title,) = folded(plot)
    assert title == "× 3: conv1, conv2, conv3"
    assert plot.panels[-1].address == "conv1"


def test_plot_architecture_folds_blocks_in_a_frame_with_every_address(
    plot_architecture: Any,
) -> None:
    model = model_of(lambda x, n: block(x, f"block{n}"), 5)
    plot = plot_architecture(model)
    assert badges(plot) == ["× 5"]
    parts = [x for x in model.layers if x.name.startswith("block0_")]
    each = sum(layer.count_params() for layer in parts)
    assert 5 * each == model.count_params()
    assert {"block0–4", f"{each} params each, {5 * each:,} in all"} <= set(texts_of(plot))
    assert {"block0_conv1", "block0_add"} <= set(texts_of(plot))
    assert "block1_conv1" not in texts_of(plot)
    (title,) = folded(plot)
    assert title == "× 5: " + ", ".join(f"block{n}_add" for n in range(5))
    assert "fold=False draws every one" in " ".join(texts_of(plot))


def test_plot_architecture_draws_every_block_without_fold(plot_architecture: Any) -> None:
    model = model_of(lambda x, n: block(x, f"block{n}"), 3)
    plot = plot_architecture(model, fold=False)
    assert badges(plot) == []
    assert len(plot.panels) == 1
    assert {f"block{n}_conv1" for n in range(3)} <= set(texts_of(plot))
    assert "fold=False" not in " ".join(texts_of(plot))


@pytest.mark.few(3)
@pytest.mark.parametrize(
    "change",
    [
        {"kernel_size": 5},
        {"filters": 6},
        {"activation": "tanh"},
        {"activation": lambda x: x},
        {"dilation_rate": 2},
        {"use_bias": False},
        {"groups": 2},
        {"kernel_regularizer": "l2"},
        {"trainable": False},
        {"data_format": "channels_first", "filters": 8},
    ],
    ids=lambda change: next(iter(change)),
)
def test_plot_architecture_folds_no_block_that_differs(
    plot_architecture: Any, change: dict[str, Any]
) -> None:
    """Of three blocks, the last one or the two around it would be folded if it were alike."""

    def step(x: Any, index: int) -> Any:
        options = change if index == 2 else {}
        x = convolution(x, f"conv{index}", **options)
        return layers.Reshape((8, 8, -1))(x) if "data_format" in options else x

    assert badges(plot_architecture(model_of(lambda x, n: convolution(x, f"c{n}"), 3))) == ["× 3"]
    assert badges(plot_architecture(model_of(step, 3))) == ["× 2"]


def test_plot_architecture_folds_no_block_of_other_connections(plot_architecture: Any) -> None:
    def step(x: Any, index: int) -> Any:
        y = convolution(x, f"a{index}")
        z = convolution(y, f"b{index}", kernel_size=1)
        return layers.Add(name=f"s{index}")([x if index != 1 else y, z])

    assert badges(plot_architecture(model_of(step, 3))) == []
    assert badges(plot_architecture(model_of(step, 4))) == ["× 2"], "those after the second"


def test_plot_architecture_folds_no_calls_with_other_arguments(plot_architecture: Any) -> None:
    def attention(causal: list[bool]) -> keras.Model:
        inputs = x = keras.Input((6, 8))
        for index, flag in enumerate(causal):
            attend = layers.MultiHeadAttention(2, 4, name=f"a{index}")
            x = layers.Add(name=f"s{index}")([x, attend(x, x, use_causal_mask=flag)])
        return keras.Model(inputs, x)

    assert badges(plot_architecture(attention([True, True]))) == ["× 2"]
    assert badges(plot_architecture(attention([True, False]))) == []

    def scaled(factors: list[float]) -> keras.Model:
        inputs = x = keras.Input((6, 8))
        for factor in factors:
            x = keras.ops.tanh(x * factor)
        return keras.Model(inputs, x)

    assert badges(plot_architecture(scaled([2.0, 2.0]), detail="layers")) == ["× 2"]
    assert badges(plot_architecture(scaled([2.0, 3.0]), detail="layers")) == []


def test_plot_architecture_folds_lambdas_of_the_same_code_and_values(
    plot_architecture: Any,
) -> None:
    def shifted(amounts: list[float]) -> keras.Model:
        inputs = x = keras.Input((6,))
        for amount in amounts:
            x = layers.Lambda(lambda t, a=amount: t + a)(x)
        return keras.Model(inputs, x)

    assert badges(plot_architecture(shifted([1.0, 1.0]))) == ["× 2"]
    assert badges(plot_architecture(shifted([1.0, 2.0]))) == []


def test_plot_architecture_hides_no_output_of_the_model(plot_architecture: Any) -> None:
    inputs = x = keras.Input((8, 8, 4), name="image")
    outputs = []
    for index in range(5):
        x = convolution(x, f"conv{index}")
        outputs.append(x)
    plot = plot_architecture(keras.Model(inputs, [outputs[2], outputs[4]]))
    assert badges(plot) == ["× 2", "× 2"]
    assert {"conv0, 1", "conv2", "conv3, 4"} <= set(texts_of(plot))


def test_plot_architecture_writes_the_rates_of_dropouts_from_to(plot_architecture: Any) -> None:
    def step(x: Any, index: int) -> Any:
        y = layers.Dropout(0.1 * (index + 1), name=f"drop{index}")(convolution(x, f"conv{index}"))
        return layers.Add(name=f"add{index}")([x, y])

    plot = plot_architecture(model_of(step, 3))
    assert badges(plot) == ["× 3"]
    assert "relu · Dropout 0.1–0.3" in texts_of(plot)


def test_plot_architecture_folds_blocks_of_growing_width_with_their_ranges(
    plot_architecture: Any,
) -> None:
    """As in a dense block, each concatenates what it takes and what it makes of it."""

    def step(x: Any, index: int) -> Any:
        y = convolution(x, f"dense{index}_conv")
        return layers.Concatenate(name=f"dense{index}_concat")([x, y])

    model = model_of(step, 4)
    plot = plot_architecture(model)
    counts = [model.get_layer(f"dense{n}_conv").count_params() for n in range(4)]
    assert badges(plot) == ["× 4"]
    assert {
        f"{counts[0]}–{counts[-1]} params",
        f"{counts[0]}–{counts[-1]} params each, {sum(counts):,} in all",
        "8×8×8–20",
    } <= set(texts_of(plot))


class Residual(keras.Layer):
    """A composite layer of the user's."""

    def __init__(self, filters: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conv = layers.Conv2D(filters, 3, padding="same", name="conv")
        self.add = layers.Add(name="add")

    def build(self, shape: Any) -> None:
        self.conv.build(shape)
        self.built = True

    def call(self, x: Any) -> Any:
        return self.add([x, self.conv(x)])


def test_plot_architecture_folds_no_composite_layers_that_differ_outside_their_layers(
    plot_architecture: Any,
) -> None:
    def step(x: Any, index: int) -> Any:
        layer = Residual(4, name=f"block{index}")
        layer.scale = 0.5 if index == 2 else 1.0
        return layer(x)

    for expand in (0, 1):
        assert badges(plot_architecture(model_of(step, 2), expand=expand)) == ["× 2"]
        assert badges(plot_architecture(model_of(step, 3), expand=expand)) == ["× 2"]


class Stack(keras.Model):
    def __init__(self, dilation: int = 1) -> None:
        super().__init__(name="stack")
        self.blocks = [Residual(4, name=f"block{n}") for n in range(4)]
        self.blocks[-1].conv.dilation_rate = (dilation, dilation)
        self.head = layers.Dense(2, name="head")

    def call(self, x: Any) -> Any:
        for inner in self.blocks:
            x = inner(x)
        return self.head(x)


@pytest.mark.parametrize("expand", [0, 1])
def test_plot_architecture_folds_composite_layers(plot_architecture: Any, expand: int) -> None:
    model = Stack()
    model(np.zeros((1, 8, 8, 4), "float32"))
    plot = plot_architecture(model, expand=expand)
    assert badges(plot) == ["× 4"]
    each = model.blocks[0].count_params()
    assert any(f"{each} params each, {4 * each} in all" in word for word in texts_of(plot))
    assert any(word.startswith("block0–3") for word in texts_of(plot))
    other = Stack(dilation=2)
    other(np.zeros((1, 8, 8, 4), "float32"))
    assert badges(plot_architecture(other, expand=expand)) == ["× 3"]


def test_plot_architecture_folds_nested_models(plot_architecture: Any) -> None:
    def inner(index: int, kernel: int = 3) -> keras.Model:
        inputs = keras.Input((8, 8, 4))
        y = layers.Conv2D(4, kernel, padding="same")(inputs)
        return keras.Model(inputs, layers.Add()([inputs, y]), name=f"inner{index}")

    for expand in (0, 1):
        alike = model_of(lambda x, n: inner(n)(x), 3)
        assert badges(plot_architecture(alike, expand=expand)) == ["× 3"]
        last = model_of(lambda x, n: inner(n, 3 if n < 2 else 5)(x), 3)
        assert badges(plot_architecture(last, expand=expand)) == ["× 2"]


def test_plot_architecture_folds_models_that_are_nested_six_deep(plot_architecture: Any) -> None:
    def nested(kernel: int) -> keras.Model:
        inner: Any = layers.Conv2D(4, kernel, padding="same")
        for _ in range(6):
            inner = keras.Sequential([keras.Input((8, 8, 4)), inner])
        return inner

    alike = model_of(lambda x, _: nested(3)(x), 2)
    assert badges(plot_architecture(alike)) == ["× 2"]
    different = model_of(lambda x, n: nested(3 + 2 * n)(x), 2)
    assert badges(plot_architecture(different)) == []


@pytest.mark.parametrize(
    "wrap",
    [lambda x: {"a": x}, lambda x: [x], lambda x: frozenset([x]), lambda x: slice(x, None)],
    ids=["dict", "list", "set", "slice"],
)
def test_argument_structure_compares_arguments_that_are_nested_seven_deep(
    wrap: Callable[[Any], Any],
) -> None:
    def nested(leaf: int) -> Any:
        value: Any = (leaf,)
        for _ in range(7):
            value = wrap(value)
        return value

    assert argument_structure(nested(1)) == argument_structure(nested(1))
    assert argument_structure(nested(1)) != argument_structure(nested(2))


def stages(count: int) -> keras.Model:
    """Return a model of stages: a nested model of two residual blocks, and a convolution."""

    def stage(x: Any, index: int) -> Any:
        inputs = keras.Input((8, 8, 4))
        y = convolution(inputs, f"stem{index}", kernel_size=5)
        y = block(block(y, f"a{index}"), f"b{index}")
        inside = keras.Model(inputs, y, name=f"stage{index}")
        return convolution(inside(x), f"conv{index}", kernel_size=1)

    return model_of(stage, count)


def test_plot_architecture_folds_blocks_inside_the_models_of_folded_blocks(
    plot_architecture: Any,
) -> None:
    model = stages(3)
    plot = plot_architecture(model, expand=1)
    assert sorted(badges(plot)) == ["× 2", "× 3"]
    assert sorted(title[:4] for title in folded(plot)) == ["× 2:", "× 3:"]


def test_fold_repeats_puts_each_frame_after_the_one_around_it() -> None:
    """The frame of a block is made when that of the model inside it is there already."""
    architecture = fold_repeats(read_architecture(stages(3), expand=1))
    around = [frame.frame for frame in architecture.frames]
    assert around == [None, 0, 1], "the block of a stage, the stage, the block inside it"


def test_plot_architecture_folds_calls_of_one_layer_after_the_first(
    plot_architecture: Any,
) -> None:
    """The first call has the weights; the others are alike."""
    shared = layers.Conv2D(4, 3, padding="same", name="shared")
    plot = plot_architecture(model_of(lambda x, _: shared(x), 4))
    assert badges(plot) == ["× 3"]
    assert {f"{shared.count_params()} params", "weights of shared:0"} <= set(texts_of(plot))


def test_plot_architecture_folds_blocks_within_a_branch(plot_architecture: Any) -> None:
    inputs = x = keras.Input((8, 8, 4), name="image")
    for index in range(3):
        x = convolution(x, f"long{index}")
    short = convolution(inputs, "short", kernel_size=1)
    plot = plot_architecture(keras.Model(inputs, layers.Add(name="sum")([x, short])))
    assert badges(plot) == ["× 3"]
    assert {"long0–2", "short", "sum"} <= set(texts_of(plot))


class Hidden(keras.Model):
    """What leads to its second convolution is a sum that no layer makes."""

    def __init__(self) -> None:
        super().__init__(name="hidden")
        self.convs = [layers.Conv2D(4, 1, name=f"conv{n}") for n in range(4)]

    def call(self, x: Any) -> Any:
        for conv in self.convs:
            x = x + conv(x)
        return x


def test_plot_architecture_folds_nothing_whose_source_is_unknown(plot_architecture: Any) -> None:
    model = Hidden()
    model(np.zeros((1, 8, 8, 4), "float32"))
    assert badges(plot_architecture(model)) == []


def test_plot_architecture_keeps_the_maps_of_folded_boxes_in_panels(
    plot_architecture: Any, rng: np.random.Generator
) -> None:
    model = model_of(lambda x, n: convolution(x, f"conv{n}"), 3)
    images = rng.normal(size=(2, 8, 8, 4)).astype("float32")
    plot = plot_architecture(model, inputs=images, sample=1)
    maps = {panel.title.split(":")[0]: panel for panel in plot.panels if panel.values is not None}
    assert list(maps) == ["conv0", "conv1", "conv2"]
    for name, panel in maps.items():
        expected = keras.Model(model.input, model.get_layer(name).output).predict(images, verbose=0)
        np.testing.assert_allclose(
            panel.values, np.moveaxis(expected[1], 2, 0)[panel.indices], rtol=1e-4, atol=1e-5
        )
    assert [panel.image is None for panel in maps.values()] == [False, True, True]
    assert "maps are those of the first" in " ".join(texts_of(plot)).replace("\n", " ")


def test_plot_architecture_names_every_folded_layer_on_hovering(plot_architecture: Any) -> None:
    plot = plot_architecture(model_of(lambda x, n: block(x, f"block{n}"), 3))
    describe, texts = plot.axes[0].format_coord, plot.axes[0].texts
    at = {text.get_text(): text.get_position() for text in texts}
    assert describe(*at["block0_conv1"]).startswith("block0_conv1, block1_conv1, block2_conv1:")
    assert "block2_add" in describe(*at["× 3"])


@pytest.mark.parametrize("fold", [1, "all", None])
def test_plot_architecture_refuses_a_fold_that_is_not_a_bool(fold: Any) -> None:
    model = model_of(lambda x, n: convolution(x, f"conv{n}"), 2)
    with pytest.raises(TypeError, match=r"`fold` must be a bool\. Received: fold="):
        kerasviz.plot_architecture(model, fold=fold)
