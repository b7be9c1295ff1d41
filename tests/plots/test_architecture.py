"""Compare what `plot_architecture` writes and shows with plain calls of the layers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from keras import layers
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import kerasviz
from kerasviz import Plot
from written_words import texts_of


@pytest.fixture
def plot_architecture(closing: Callable[[Any], Any]) -> Callable[..., Plot]:
    return closing(kerasviz.plot_architecture)


@pytest.fixture(scope="module")
def model() -> keras.Model:
    """10×9×1 → a: 6 kernels, norm, ReLU → b: 3 kernels → pool → head; all weights set."""
    inputs = keras.Input((10, 9, 1), name="image")
    x = layers.Conv2D(6, 3, name="a")(inputs)
    x = layers.ReLU(name="a_relu")(layers.BatchNormalization(name="a_norm")(x))
    x = layers.Conv2D(3, 3, activation="tanh", padding="same", name="b")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    made = keras.Model(inputs, layers.Dense(2, activation="softmax", name="head")(x), name="net")
    rng = np.random.default_rng(3)
    made.set_weights([0.5 * rng.normal(size=weight.shape) for weight in made.get_weights()])
    norm = made.get_layer("a_norm")
    norm.moving_variance.assign(np.linspace(0.5, 2, 6))
    return made


@pytest.fixture
def images(rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(size=(3, 10, 9, 1)).astype("float32")


def to_numpy(tensor: Any) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


def after_relu(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return the maps `(samples, maps, height, width)` of the first box, layer by layer."""
    x = model.get_layer("a")(images)
    x = to_numpy(model.get_layer("a_norm")(x, training=False))
    return np.moveaxis(np.maximum(x, 0), 3, 1)


def strongest(maps: np.ndarray, count: int) -> list[int]:
    return sorted(range(len(maps)), key=lambda n: -np.sqrt((maps[n] ** 2).sum()))[:count]


def test_plot_architecture_writes_class_settings_parameters_name_and_shape(
    plot_architecture: Any, model: keras.Model
) -> None:
    plot = plot_architecture(model)
    assert plot.axes[0].get_title() == "net: 6 layers, 257 parameters"
    assert model.count_params() == 257
    assert texts_of(plot) == [
        *("Input", "image", "10×9×1"),
        *("Conv2D 3×3 · 6", "BatchNormalization · ReLU", "84 params", "a", "8×7×6"),
        *("Conv2D 3×3 · 3", "tanh", "165 params", "b", "8×7×3"),
        *("GlobalAveragePooling2D", "pool", "3"),
        *("Dense · 2", "softmax", "8 params", "head", "2"),
        *("convolution", "pooling or resizing", "dense"),
    ]
    assert plot.images == ()
    assert repr(plot) == "Plot(1 panel)"


def test_plot_architecture_gives_each_layer_a_box_of_its_own_on_demand(
    plot_architecture: Any, model: keras.Model
) -> None:
    written = texts_of(plot_architecture(model, detail="layers"))
    for name in ("a", "a_norm", "a_relu", "b", "pool", "head"):
        assert name in written
    assert "60 params" in written
    assert "24 params" in written


def test_plot_architecture_shows_the_maps_that_a_box_returns(
    plot_architecture: Any, read_tiles: Any, model: keras.Model, images: np.ndarray
) -> None:
    plot = plot_architecture(model, inputs=images)
    picture, first, second = plot.images
    maps = after_relu(model, images)[0]
    order = strongest(maps, 4)
    np.testing.assert_allclose(read_tiles(first, 8, 7), maps[order], rtol=1e-4, atol=1e-5)
    assert first.get_clim() == pytest.approx((0, maps[order].max()), rel=1e-4)
    assert first.get_cmap().name == "viridis"
    assert first.get_label() == f"a_relu: feature maps {', '.join(map(str, order))}"
    before = keras.Model(model.input, model.get_layer("b").output)
    maps = np.moveaxis(before.predict(images, verbose=0)[0], 2, 0)
    order = strongest(maps, 4)
    assert len(order) == 3
    np.testing.assert_allclose(read_tiles(second, 8, 7), maps[order], rtol=1e-4, atol=1e-5)
    reach = np.abs(maps).max()
    assert second.get_clim() == pytest.approx((-reach, reach), rel=1e-4)
    assert second.get_cmap().name == "RdBu_r"
    np.testing.assert_allclose(picture.get_array()[..., 0] / 255, images[0, ..., 0], atol=1 / 255)
    notes = " ".join(texts_of(plot)[-4:])
    assert "the 4 strongest feature maps" in notes
    assert "on a colour scale of its own: red above 0" in notes


def test_plot_architecture_shows_the_maps_of_each_layer(
    plot_architecture: Any, read_tiles: Any, model: keras.Model, images: np.ndarray
) -> None:
    """With one box per layer, they are those of the convolution itself."""
    plot = plot_architecture(model, inputs=images, detail="layers", maps=6)
    maps = np.moveaxis(to_numpy(model.get_layer("a")(images))[0], 2, 0)
    order = strongest(maps, 6)
    shown = read_tiles(plot.images[1], 8, 7)
    np.testing.assert_allclose(shown, maps[order], rtol=1e-4, atol=1e-5)
    numbers = [text for text in texts_of(plot) if text.isdigit()]
    assert ",".join(map(str, order)) in ",".join(numbers)


@pytest.mark.parametrize("sample", [1, -1, np.int64(2)])
def test_plot_architecture_of_another_sample(
    plot_architecture: Any, read_tiles: Any, model: keras.Model, images: np.ndarray, sample: int
) -> None:
    plot = plot_architecture(model, inputs=images, sample=sample, maps=1)
    maps = after_relu(model, images)[sample]
    (number,) = strongest(maps, 1)
    np.testing.assert_allclose(read_tiles(plot.images[1], 8, 7)[0], maps[number], rtol=1e-4)
    assert "the strongest feature map of what it returns" in " ".join(texts_of(plot)).replace(
        "\n", " "
    )


def test_plot_architecture_takes_a_single_image_without_its_axes(
    plot_architecture: Any, model: keras.Model, images: np.ndarray
) -> None:
    whole = plot_architecture(model, inputs=images)
    single = plot_architecture(model, inputs=images[0, ..., 0])
    for a, b in zip(whole.images, single.images, strict=True):
        np.testing.assert_allclose(a.get_array(), b.get_array(), rtol=1e-4, atol=1e-5)


def test_plot_architecture_takes_one_forward_pass(
    plot_architecture: Any,
    model: keras.Model,
    images: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: Counter[str] = Counter()
    plain = keras.Layer.__call__

    def counted(layer: keras.Layer, *args: Any, **kwargs: Any) -> Any:
        calls[layer.name] += 1
        return plain(layer, *args, **kwargs)

    plot_architecture(model, inputs=images)
    monkeypatch.setattr(keras.Layer, "__call__", counted)
    plot_architecture(model, inputs=images)
    executed = 1 if keras.backend.backend() == "torch" else 0  # PyTorch runs what others trace
    assert max(calls[name] for name in ("a", "a_norm", "a_relu", "b")) == executed


def test_plot_architecture_leaves_the_model_as_it_was(
    plot_architecture: Any, model: keras.Model, images: np.ndarray
) -> None:
    weights, config, copy = model.get_weights(), model.get_config(), images.copy()
    plot_architecture(model, inputs=images, expand=True)
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert model.get_config() == config
    np.testing.assert_array_equal(images, copy)


def test_plot_architecture_builds_a_model_from_inputs(
    plot_architecture: Any, images: np.ndarray
) -> None:
    later = keras.Sequential([layers.Conv2D(2, 3, name="c"), layers.Flatten()], name="later")
    with pytest.raises(ValueError, match=r"'later' has no inputs yet.*give `inputs`"):
        kerasviz.plot_architecture(later)
    plot = plot_architecture(later, inputs=images)
    assert "8×7×2" in texts_of(plot)
    assert len(plot.images) == 2


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__(name="subclassed")
        self.c = layers.Conv2D(2, 3, name="c")
        self.d = layers.Conv2D(2, 1, name="d")

    def call(self, x: Any) -> Any:
        return self.d(self.c(x) * 2)


def test_plot_architecture_of_a_subclassed_model(
    plot_architecture: Any, read_tiles: Any, images: np.ndarray
) -> None:
    made = Subclassed()
    with pytest.raises(ValueError, match="'subclassed' has no inputs yet"):
        kerasviz.plot_architecture(made)
    plot = plot_architecture(made, inputs=images)
    maps = np.moveaxis(to_numpy(made.c(images))[0], 2, 0)
    shown = read_tiles(plot.images[1], 8, 7)
    np.testing.assert_allclose(shown, maps[strongest(maps, 4)], rtol=1e-4, atol=1e-5)
    assert "Dotted arrow: the input comes from an operation" in " ".join(texts_of(plot))
    assert "Dotted" not in " ".join(texts_of(plot_architecture(made.c and self_contained())))


def self_contained() -> keras.Model:
    return keras.Sequential([keras.Input((4, 4, 1)), layers.Conv2D(1, 1)])


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("layer", "shape", "tile"),
    [
        (layers.Conv1D(3, 3, name="c"), (12, 2), (1, 10)),
        (layers.Conv3D(3, 2, name="c"), (6, 5, 4, 1), (4, 3)),
        (layers.TimeDistributed(layers.Conv2D(3, 2), name="c"), (5, 6, 4, 1), (5, 3)),
        (layers.ConvLSTM2D(3, 2, return_state=True, name="c"), (3, 6, 4, 1), (5, 3)),
    ],
)
def test_plot_architecture_of_outputs_of_any_rank(
    plot_architecture: Any,
    read_tiles: Any,
    rng: np.random.Generator,
    layer: Any,
    shape: tuple[int, ...],
    tile: tuple[int, int],
) -> None:
    """A sequence is a row; of volumes and of steps the middle one is shown."""
    inputs = keras.Input(shape)
    made = keras.Model(inputs, keras.tree.flatten(layer(inputs))[0])
    x = rng.normal(size=(1, *shape)).astype("float32")
    output = np.asarray(made.predict(x, verbose=0))[0]
    while output.ndim > 3:
        output = output[output.shape[0] // 2]
    maps = np.moveaxis(output, -1, 0).reshape(3, *tile)
    (image,) = plot_architecture(made, inputs=x).images
    shown = read_tiles(image, *tile)
    np.testing.assert_allclose(shown, maps[strongest(maps, 3)], rtol=1e-4, atol=1e-5)


def test_plot_architecture_of_several_inputs(
    plot_architecture: Any, rng: np.random.Generator
) -> None:
    image, table = keras.Input((6, 6, 3), name="image"), keras.Input((4,), name="table")
    x = layers.Flatten()(layers.Conv2D(2, 3, name="c")(image))
    made = keras.Model([table, image], layers.Concatenate()([x, table]))
    inputs = {"image": rng.uniform(size=(2, 6, 6, 3)), "table": np.zeros((2, 4))}
    plot = plot_architecture(made, inputs=inputs, sample=1)
    picture, maps = plot.images
    assert (picture.get_label(), maps.get_label()[:2]) == ("image: input", "c:")
    np.testing.assert_allclose(picture.get_array() / 255, inputs["image"][1], atol=1 / 255)


def test_plot_architecture_says_what_black_and_white_are_in_a_preprocessed_input(
    plot_architecture: Any, model: keras.Model, images: np.ndarray
) -> None:
    plot = plot_architecture(model, inputs=images - 0.5)
    low, high = (images[0] - 0.5).min(), (images[0] - 0.5).max()
    assert f"image: picture black to white: {low:.3g} to {high:.3g}.".replace(
        "-", "\N{MINUS SIGN}"
    ) in texts_of(plot)


def test_plot_architecture_of_a_model_without_convolutions(plot_architecture: Any) -> None:
    made = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    plot = plot_architecture(made, inputs=np.zeros((1, 3)))
    assert plot.images == ()
    assert "There are no feature maps" in " ".join(texts_of(plot))


def test_plot_architecture_expands_nested_models(
    plot_architecture: Any, images: np.ndarray
) -> None:
    inner = keras.Sequential(
        [keras.Input((10, 9, 1)), layers.Conv2D(2, 3, name="c"), layers.ReLU(name="r")],
        name="inner",
    )
    inputs = [keras.Input((10, 9, 1), name=name) for name in ("x", "y")]
    made = keras.Model(inputs, layers.Add(name="s")([inner(x) for x in inputs]), name="twins")
    closed = plot_architecture(made)
    assert closed.axes[0].get_title() == "twins: 2 layers, 20 parameters"
    assert {"inner:0", "inner:1", "weights of inner:0", "Sequential, 2 layers"} <= set(
        texts_of(closed)
    )
    for expand in (1, True, np.int64(3)):
        opened = texts_of(plot_architecture(made, expand=expand))
        assert "inner:0: Sequential, 2 layers, 20 params" in opened
        assert "inner:1: Sequential, 2 layers, weights of inner:0" in opened
        assert [opened.count(word) for word in ("c", "20 params", "shared")] == [2, 1, 1]
    pair = [images, images[::-1]]
    maps = plot_architecture(made, inputs=pair, expand=1).images
    assert [image.get_label()[:9] for image in maps[2:]] == ["inner:0/r", "inner:1/r"]
    other = plot_architecture(made, inputs=pair[::-1], expand=1).images
    np.testing.assert_allclose(maps[2].get_array(), other[3].get_array(), rtol=1e-4, atol=1e-5)


class Eager(keras.Layer):
    """A layer that decides by a value, which cannot be traced."""

    def call(self, x: Any) -> Any:
        raise NotImplementedError

    def compute_output_shape(self, shape: Any) -> Any:
        return shape


class Around(keras.Layer):
    def __init__(self, name: str) -> None:
        super().__init__(name=name)
        self.conv = layers.Conv2D(2, 3, name="conv")
        self.eager = Eager(name="eager")

    def build(self, shape: Any) -> None:
        self.conv.build(shape)

    def call(self, x: Any) -> Any:
        return self.eager(self.conv(x))

    def compute_output_shape(self, shape: Any) -> Any:
        return self.conv.compute_output_shape(shape)


def test_plot_architecture_leaves_what_cannot_be_traced_one_box(plot_architecture: Any) -> None:
    inner = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(1, 1, name="c")], name="inner")
    inputs = keras.Input((8, 8, 1))
    made = keras.Model(inputs, Around("block")(inner(inputs)), name="made")
    written = texts_of(plot_architecture(made))
    assert {"inner", "block", "6×6×2", "20 params"} <= set(written)
    assert "Not expanded" not in " ".join(written)
    written = texts_of(plot_architecture(made, expand=1))
    assert {"inner: Sequential, 1 layer, 2 params", "c", "block", "20 params"} <= set(written)
    assert "Not expanded: block. What a composite layer calls" in " ".join(written)


def test_plot_architecture_takes_a_title_with_formulas(
    plot_architecture: Any, model: keras.Model
) -> None:
    assert plot_architecture(model, title=r"$\alpha$").axes[0].title.get_parse_math()
    assert not plot_architecture(model).axes[0].title.get_parse_math()


def test_plot_architecture_marks_frozen_layers(plot_architecture: Any, read_title: Any) -> None:
    made = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="a"), layers.Dense(2)])
    made.get_layer("a").trainable = False
    plot = plot_architecture(made, title=True)
    assert read_title(plot.axes[0]).endswith("2 layers, 14 parameters, 8 of them frozen")
    assert {"8 frozen", "6 params", "frozen"} <= set(texts_of(plot))
    made.trainable = False
    assert read_title(plot_architecture(made).axes[0]).endswith("14 parameters, all frozen")


def test_plot_architecture_marks_an_output_that_is_used_further(plot_architecture: Any) -> None:
    inputs = keras.Input((3,))
    x = layers.Dense(2, name="a")(inputs)
    y = layers.Dense(2, name="b")(x)
    assert "8 params, output" in texts_of(plot_architecture(keras.Model(inputs, [x, y])))
    assert "output" not in " ".join(texts_of(plot_architecture(keras.Model(inputs, y))))


def test_plot_architecture_into_ax_and_figure(
    plot_architecture: Any, model: keras.Model, images: np.ndarray
) -> None:
    figure = Figure(figsize=(6, 4))
    left, right = figure.subplots(1, 2)
    plot = plot_architecture(model, ax=right, title=False)
    assert plot.axes == (right,)
    assert not left.texts
    assert not plt.get_fignums()
    plot_architecture(model, ax=figure.add_axes((0, 0, 0, 0)))  # an Axes without any room
    other = Figure(figsize=(5, 5))
    assert plot_architecture(model, figure=other, inputs=images).figure is other


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"maps": 0}, ValueError, "`maps` must be a positive integer. Received: maps=0"),
        ({"expand": -1}, ValueError, "`expand` must be 0 or more. Received: expand=-1"),
        ({"expand": "all"}, TypeError, "`expand` must be an int or a bool. Received: expand='all'"),
        ({"expand": None}, TypeError, "Received: expand=None"),
        ({"expand": 1.0}, TypeError, "Received: expand=1.0"),
        ({"maps": True}, ValueError, "`maps` must be a positive integer. Received: maps=True"),
        ({"sample": False}, TypeError, "`sample` must be an int. Received: sample=False"),
        ({"sample": np.arange(2)}, TypeError, "`sample` must be an int. Received: sample="),
        ({"sample": 10**9}, ValueError, "Received: sample=1000000000"),
        ({"detail": "block"}, ValueError, "Did you mean 'blocks'? Received: detail='block'"),
        (
            {"expands": 1},
            TypeError,
            "Unexpected keyword argument `expands`. Did you mean 'expand'?",
        ),
        (
            {"sample": 1},
            ValueError,
            "`sample` can only be used together with `inputs`. Received: sample=1",
        ),
        (
            {"maps": 2},
            ValueError,
            "`maps` can only be used together with `inputs`. Received: maps=2",
        ),
        ({"title": 3}, TypeError, "`title` must be a string or a bool. Received: title=3"),
        ({"ax": 3}, TypeError, "`ax` must be a Matplotlib Axes. Received: ax=3"),
        ({"inputs": True, "sample": 3}, ValueError, "between -3 and 2, since `inputs` has 3."),
        (
            {"inputs": True, "sample": 0.0},
            TypeError,
            "`sample` must be an int. Received: sample=0.0",
        ),
        ({"inputs": True, "sample": True}, TypeError, "Received: sample=True"),
        ({"inputs": np.zeros((2, 5, 5))}, ValueError, "`inputs` must have the shape"),
    ],
)
def test_plot_architecture_refuses_mistakes_before_any_work(
    model: keras.Model,
    images: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    if options.get("inputs") is True:
        options = {**options, "inputs": images}

    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("nothing is computed or drawn before a mistake is found")

    model = keras.models.clone_model(model)  # which nothing has run yet
    monkeypatch.setattr(keras.Layer, "__call__", fail)
    monkeypatch.setattr(plt, "figure", fail)
    with pytest.raises(error, match=re.escape(message)):
        kerasviz.plot_architecture(model, **options)


def test_plot_architecture_draws_names_letter_by_letter(plot_architecture: Any) -> None:
    named = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(2, 3, name="cost_$_$"),
            layers.ReLU(name="two\nlines"),
        ],
        name="$x$",
    )
    plot = plot_architecture(named, detail="layers")
    assert {"cost_$_$", "two lines"} <= set(texts_of(plot))
    shown = [*plot.axes[0].texts, plot.axes[0].title]
    assert not any(text.get_parse_math() for text in shown)


def test_plot_architecture_refuses_what_is_not_a_model() -> None:
    with pytest.raises(TypeError, match=r"`model` must be a Keras model.*'model.keras'"):
        kerasviz.plot_architecture("model.keras")


def test_plot_architecture_leaves_no_figure_open_after_a_failure(
    model: keras.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(Axes, "text", fail)
    with pytest.raises(RuntimeError, match="broken on purpose"):
        kerasviz.plot_architecture(model)
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    ("samples", "sample", "words"), [(3, 1, "sample 1 of 3"), (3, -1, "sample 2 of 3"), (1, 0, "")]
)
def test_plot_architecture_says_which_sample_of_several_in_the_title(
    plot_architecture: Callable[..., Plot],
    model: keras.Model,
    images: np.ndarray,
    samples: int,
    sample: int,
    words: str,
) -> None:
    plot = plot_architecture(model, inputs=images[:samples], sample=sample)
    title = plot.axes[0].get_title()
    assert words in title
    assert ("sample" in title) == bool(words)
    assert not title.rstrip().endswith(",")


class Complex(layers.Conv2D):
    """Makes complex numbers of its channels, which are real and imaginary parts."""

    def call(self, x: Any) -> Any:
        return keras.ops.view_as_complex(keras.ops.reshape(super().call(x), (-1, 3, 3, 2, 2)))

    def compute_output_spec(self, x: Any) -> Any:
        return keras.KerasTensor((x.shape[0], 3, 3, 2), "complex64")


@pytest.mark.skipif(
    not hasattr(keras.ops, "view_as_complex"), reason="this Keras makes no complex numbers"
)
def test_plot_architecture_draws_the_magnitudes_of_complex_maps(
    plot_architecture: Any, read_tiles: Any
) -> None:
    inputs = keras.Input((3, 3, 4))
    made = keras.Model(inputs, Complex(4, 1, use_bias=False, name="c")(inputs))
    made.set_weights([np.eye(4).reshape(1, 1, 4, 4)])
    values = np.broadcast_to(np.array([1, 1, 3, -4], "float32"), (1, 3, 3, 4))
    image = plot_architecture(made, inputs=values, maps=2).images[-1]
    tiles = read_tiles(image, 3, 3)
    np.testing.assert_allclose(tiles[:, 0, 0], [5, np.sqrt(2)], rtol=1e-6)
    assert "magnitudes" in image.get_label()


def test_plot_architecture_keeps_equally_strong_maps_in_their_order(
    plot_architecture: Any, read_tiles: Any
) -> None:
    made = keras.Sequential([keras.Input((2, 3, 1)), layers.Conv2D(5, 1, name="c")])
    made.set_weights([np.array([0.0, -1, 0, 9, 1]).reshape(1, 1, 1, 5), np.zeros(5)])
    image = np.linspace(1, 2, 6).reshape(1, 2, 3, 1)
    plot = plot_architecture(made, inputs=image, maps=3)
    assert plot.images[1].get_label() == "c: feature maps 3, 1, 4"
    expected = np.array([9, -1, 1])[:, np.newaxis, np.newaxis] * image[0, ..., 0]
    np.testing.assert_allclose(read_tiles(plot.images[1], 2, 3), expected, rtol=1e-6)


def test_plot_architecture_writes_names_on_one_line(plot_architecture: Any) -> None:
    made = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="a\nb\t\x1b[1m$c$ é×")])
    assert "a b  [1m$c$ é×" in texts_of(plot_architecture(made))


def test_plot_architecture_writes_unknown_sizes_and_scalars(plot_architecture: Any) -> None:
    inputs = keras.Input((None, 3), name="sequence")
    total = keras.ops.sum(inputs, axis=(1, 2))
    written = texts_of(plot_architecture(keras.Model(inputs, total)))
    assert {"?×3", "scalar"} <= set(written)
