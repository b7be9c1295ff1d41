"""Models of every kind that a Keras user brings, each with its maps computed by hand."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

Maps = dict[str, np.ndarray]


def to_numpy(tensor: Any) -> np.ndarray:
    """Return a tensor of any backend as a float32 array."""
    return keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32"))


@dataclass
class Case:
    """A model, what it is called on, and the maps that calling its layers one by one gives."""

    model: keras.Model
    inputs: Any
    maps: Maps
    layers: list[keras.Layer] = field(default_factory=list)
    runs_eagerly: bool = False
    keeps_state: bool = False

    def __post_init__(self) -> None:
        self.maps = {address: to_numpy(value) for address, value in self.maps.items()}

    def call(self) -> Any:
        """Call the model, and put back its state, which the call may have moved."""
        return self.keeping_state(lambda: self.model(self.inputs, training=False))

    def run(self, sub_model: keras.Model) -> Any:
        """Return what a sub-model predicts; one that only runs eagerly has no `predict`."""
        if self.runs_eagerly:
            return keras.tree.map_structure(to_numpy, sub_model(self.inputs, training=False))
        return self.keeping_state(lambda: sub_model.predict(self.inputs, verbose=0))

    def keeping_state(self, action: Callable[[], Any]) -> Any:
        """Return what an action returns, and put back the state that it moved."""
        variables = list(self.model.variables) if self.model is not None else []
        before = [keras.ops.convert_to_numpy(v.value).copy() for v in variables]
        result = action()
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
        return result


def _images(seed: int = 0, samples: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(samples, 12, 10, 3)).astype("float32")


def sequential() -> Case:
    model = keras.Sequential(
        [keras.Input((12, 10, 3)), layers.Conv2D(4, 3, name="c"), layers.MaxPooling2D(name="p")]
    )
    x = _images()
    c, p = model.layers
    return Case(model, x, {"c": c(x), "p": p(c(x))})


def unbuilt_sequential() -> Case:
    model = keras.Sequential([layers.Conv2D(4, 3, name="c"), layers.ReLU(name="r")])
    x = _images()
    c, r = layers.Conv2D(4, 3), layers.ReLU()
    c.build((None, 12, 10, 3))
    model.layers[0].build((None, 12, 10, 3))
    c.set_weights(model.layers[0].get_weights())
    return Case(model, x, {"c": c(x), "r": r(c(x))})


def functional() -> Case:
    inputs = keras.Input((12, 10, 3))
    c = layers.Conv2D(4, 3, strides=2, padding="same", name="c")
    d = layers.Conv2D(4, 3, dilation_rate=2, padding="same", use_bias=False, name="d")
    g = layers.Conv2D(4, 3, groups=2, padding="same", name="g")
    n = layers.BatchNormalization(name="n")
    s = layers.Add(name="s")
    h = c(inputs)
    outputs = s([g(n(h)), d(h)])
    model = keras.Model(inputs, layers.GlobalAveragePooling2D()(outputs))
    n.moving_mean.assign([0.1, 0.2, 0.3, 0.4])
    x = _images()
    h = c(x)
    normal = n(h, training=False)
    return Case(
        model, x, {"c": h, "n": normal, "g": g(normal), "d": d(h), "s": s([g(normal), d(h)])}
    )


def transfer_learning() -> Case:
    inner_inputs = keras.Input((12, 10, 3))
    c1, c2 = layers.Conv2D(4, 3, name="c1"), layers.Conv2D(5, 3, name="c2")
    drop = layers.Dropout(0.5, name="drop")
    backbone = keras.Model(inner_inputs, c2(drop(c1(inner_inputs))), name="backbone")
    backbone.trainable = False
    inputs = keras.Input((12, 10, 3))
    scale = layers.Rescaling(0.5, offset=-1)
    head = layers.Conv2D(2, 1, name="head")
    h = layers.RandomFlip(seed=0)(inputs)
    h = layers.RandomRotation(0.2, seed=0)(h)
    h = backbone(scale(h))
    model = keras.Model(inputs, layers.GlobalMaxPooling2D()(head(h)))
    x = _images()
    a = c1(scale(x))
    return Case(model, x, {"backbone/c1": a, "c2": c2(a), "backbone": c2(a), "head": head(c2(a))})


def deeply_nested() -> Case:
    c1, c2, c3 = (layers.Conv2D(3, 3, padding="same", name=f"c{i}") for i in (1, 2, 3))
    innermost = keras.Sequential([keras.Input((12, 10, 3)), c1], name="innermost")
    inputs = keras.Input((12, 10, 3))
    middle = keras.Model(inputs, c2(innermost(inputs)), name="middle")
    model = keras.Sequential([keras.Input((12, 10, 3)), middle, c3])
    x = _images()
    return Case(
        model,
        x,
        {"middle/innermost/c1": c1(x), "middle/c2": c2(c1(x)), "c3": c3(c2(c1(x)))},
    )


def convolution_applied_twice() -> Case:
    inputs = keras.Input((12, 10, 3))
    c = layers.Conv2D(3, 3, padding="same", name="c")
    model = keras.Model(inputs, c(c(inputs)))
    x = _images()
    return Case(model, x, {"c:0": c(x), "c:1": c(c(x))})


def siamese() -> Case:
    inner_inputs = keras.Input((12, 10, 3))
    c1 = layers.Conv2D(4, 3, name="c1")
    encoder = keras.Model(inner_inputs, layers.Flatten()(c1(inner_inputs)), name="encoder")
    left, right = keras.Input((12, 10, 3), name="left"), keras.Input((12, 10, 3), name="right")
    model = keras.Model([left, right], layers.Subtract()([encoder(left), encoder(right)]))
    x, y = _images(0), _images(1)
    return Case(model, [x, y], {"encoder:0/c1": c1(x), "encoder:1/c1": c1(y)})


def calls_that_run_in_another_order() -> Case:
    """The call written last needs less depth than the one written first."""
    inner_inputs = keras.Input((12, 10, 3))
    c1 = layers.Conv2D(3, 3, padding="same", name="c1")
    encoder = keras.Model(inner_inputs, c1(inner_inputs), name="encoder")
    left, right = keras.Input((12, 10, 3), name="left"), keras.Input((12, 10, 3), name="right")
    up = layers.Rescaling(2.0)
    first = encoder(up(up(left)))
    second = encoder(right)
    model = keras.Model({"left": left, "right": right}, layers.Add()([second, first]))
    x, y = _images(0), _images(1)
    return Case(
        model,
        {"right": y, "left": x},
        {"encoder:0/c1": c1(4 * x), "encoder:1/c1": c1(y), "encoder:1": c1(y)},
    )


class Subclassed(keras.Model):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stem = layers.Conv2D(4, 3, name="stem")
        self.blocks = [layers.Conv2D(4, 3, padding="same", name=f"block{i}") for i in range(2)]
        self.heads = {"mean": layers.Dense(2, name="mean")}
        self.drop = layers.Dropout(0.5, name="drop")

    def call(self, x: Any, training: bool = False) -> Any:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        x = self.drop(self.blocks[1](x), training=training)
        return self.heads["mean"](keras.ops.mean(x, axis=(1, 2)))


def _subclassed_maps(model: Subclassed, x: Any, prefix: str = "") -> Maps:
    stem = model.stem(x)
    a = model.blocks[0](stem)
    b = model.blocks[1](a)
    maps = {"stem": stem, "block0": a, "block1:0": b, "block1:1": model.blocks[1](b)}
    return {prefix + address: value for address, value in maps.items()}


def subclassed() -> Case:
    model, x = Subclassed(), _images()
    model(x)
    return Case(model, x, _subclassed_maps(model, x))


def subclassed_never_called() -> Case:
    model, x = Subclassed(), _images()
    twin = Subclassed()
    twin(x)
    for layer in (model.stem, *model.blocks):
        layer.build((None, 12, 10, (layer is model.stem and 3) or 4))
        layer.set_weights(next(t for t in twin.layers if t.name == layer.name).get_weights())
    return Case(model, x, _subclassed_maps(twin, x))


def subclassed_in_functional() -> Case:
    inner = Subclassed(name="inner")
    inputs = keras.Input((12, 10, 3))
    scale = layers.Rescaling(2.0)
    model = keras.Model(inputs, inner(scale(inputs)))
    x = _images()
    return Case(model, x, _subclassed_maps(inner, scale(x), "inner/"))


class Block(keras.Layer):
    """A composite layer: no model, but layers of its own, one called twice."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.c = layers.Conv2D(3, 3, padding="same", name="c")
        self.norm = layers.LayerNormalization(name="norm")

    def build(self, shape: Any) -> None:
        self.c.build(shape)
        self.norm.build(shape)

    def call(self, x: Any) -> Any:
        return x + self.c(self.norm(self.c(x)))


def composite_layers() -> Case:
    first, second = Block(name="first"), Block(name="second")
    inputs = keras.Input((12, 10, 3))
    model = keras.Model(inputs, second(first(inputs)))
    x = _images()
    a = first.c(x)
    n = first.norm(a)
    y = keras.ops.add(x, first.c(n))
    return Case(
        model,
        x,
        {"first/c:0": a, "first/norm": n, "first/c:1": first.c(n), "second/c:0": second.c(y)},
    )


def several_outputs() -> Case:
    inputs = keras.Input((12, 10, 3))
    c, d = layers.Conv2D(4, 3, name="c"), layers.Conv2D(2, 1, name="d")
    h = c(inputs)
    model = keras.Model(inputs, {"maps": d(h), "vector": layers.GlobalAveragePooling2D()(h)})
    x = _images()
    return Case(model, x, {"c": c(x), "d": d(c(x))})


class Split(keras.Layer):
    """A layer that returns a dict of tensors."""

    def call(self, x: Any) -> Any:
        return {"even": x[..., ::2], "odd": x[..., 1::2]}


def operations_between() -> Case:
    inputs = keras.Input((12, 10, 3))
    c, d = layers.Conv2D(4, 3, name="c"), layers.Conv2D(2, 3, name="d")
    h = keras.ops.relu(c(inputs) * 2.0) + 1.0
    h = layers.Lambda(lambda t: t - 0.5, name="shift")(h)
    parts = Split(name="split")(h)
    model = keras.Model(inputs, d(parts["even"]) + d(parts["odd"]))
    x = _images()
    shifted = keras.ops.relu(c(x) * 2.0) + 0.5
    return Case(
        model,
        x,
        {"c": c(x), "shift": shifted, "d:0": d(shifted[..., ::2]), "d:1": d(shifted[..., 1::2])},
    )


class OwnStep(keras.Model):
    def train_step(self, *args: Any, **kwargs: Any) -> Any:
        return super().train_step(*args, **kwargs)


def own_train_step() -> Case:
    inputs = keras.Input((12, 10, 3))
    c = layers.Conv2D(4, 3, name="c")
    model = OwnStep(inputs, layers.GlobalAveragePooling2D()(c(inputs)))
    model.compile("adam", "mse")
    x = _images()
    return Case(model, x, {"c": c(x)})


def time_distributed() -> Case:
    c = layers.Conv2D(4, 3, name="c")
    inner_inputs = keras.Input((12, 10, 3))
    d = layers.Conv2D(2, 3, name="d")
    encoder = keras.Model(inner_inputs, layers.GlobalMaxPooling2D()(d(inner_inputs)), name="enc")
    inputs = keras.Input((4, 12, 10, 3))
    maps = layers.TimeDistributed(c, name="td")(inputs)
    codes = layers.TimeDistributed(encoder, name="codes")(inputs)
    pooled = layers.GlobalAveragePooling3D()(maps)
    model = keras.Model(inputs, layers.Concatenate()([pooled, layers.LSTM(3)(codes)]))
    x = _images(samples=8).reshape(2, 4, 12, 10, 3)

    def each_step(layer: keras.Layer) -> np.ndarray:
        return np.stack([to_numpy(layer(x[:, t])) for t in range(4)], axis=1)

    return Case(model, x, {"td": each_step(c), "td/c": each_step(c), "codes/enc/d": each_step(d)})


def bidirectional_conv_lstm() -> Case:
    inputs = keras.Input((4, 12, 10, 3))
    both = layers.Bidirectional(
        layers.ConvLSTM2D(2, 3, return_sequences=True, name="lstm"), name="both"
    )
    model = keras.Model(inputs, both(inputs))
    x = _images(samples=8).reshape(2, 4, 12, 10, 3)
    return Case(model, x, {"both": both(x), "both/forward_lstm": both.forward_layer(x)})


def channels_first() -> Case:
    inputs = keras.Input((3, 12, 10))
    c = layers.Conv2D(4, 3, data_format="channels_first", name="c")
    r = layers.ReLU(name="r")
    n = layers.BatchNormalization(axis=1, name="n")
    model = keras.Model(inputs, n(r(c(inputs))))
    x = _images()
    twin = layers.Conv2D(4, 3)
    twin.build((None, 12, 10, 3))
    twin.set_weights(c.get_weights())
    positive = keras.ops.relu(twin(x))
    return Case(model, np.moveaxis(x, 3, 1), {"c": twin(x), "r": positive})


def _channels_last(layer: keras.Layer, channels: int) -> keras.Layer:
    twin = type(layer).from_config({**layer.get_config(), "data_format": "channels_last"})
    twin.build((None, 12, 10, channels))
    twin.set_weights(layer.get_weights())
    return twin


def channels_first_in_nested_models() -> Case:
    """One layer in one model says where the channels are, for the others after it, too."""
    backbone_inputs = keras.Input((3, 12, 10))
    c = layers.Conv2D(4, 3, data_format="channels_first", name="c")
    pooled = layers.GlobalAveragePooling2D(data_format="channels_first")(c(backbone_inputs))
    backbone = keras.Model(backbone_inputs, [pooled, c(backbone_inputs)], name="backbone")
    head_inputs = keras.Input((4, 10, 8))
    head = keras.Model(head_inputs, layers.ReLU(name="r")(head_inputs), name="head")
    inputs = keras.Input((3, 12, 10))
    drop = layers.Dropout(0.5, name="drop")
    model = keras.Model(inputs, drop(head(backbone(inputs)[1])))
    x = _images()
    y = _channels_last(c, 3)(x)
    r = keras.ops.relu(y)
    maps = {"backbone/c:1": y, "head/r": r, "head": r, "drop": r}
    return Case(model, np.moveaxis(x, 3, 1), maps)


class Residual(keras.Layer):
    """A composite layer in which a sum, which no layer makes, goes into a layer."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.c = layers.Conv2D(3, 3, padding="same", data_format="channels_first", name="c")
        self.r = layers.ReLU(name="r")

    def build(self, shape: Any) -> None:
        self.c.build(shape)

    def call(self, x: Any) -> Any:
        return self.r(x + self.c(x))


def channels_first_in_composite_layers() -> Case:
    inputs = keras.Input((3, 12, 10))
    block, drop = Residual(name="block"), layers.Dropout(0.5, name="drop")
    model = keras.Model(inputs, drop(block(layers.Activation("linear")(inputs))))
    x = _images()
    y = _channels_last(block.c, 3)(x)
    r = keras.ops.relu(keras.ops.add(x, y))
    return Case(model, np.moveaxis(x, 3, 1), {"block/c": y, "block/r": r, "block": r, "drop": r})


def channels_first_time_distributed() -> Case:
    inputs = keras.Input((4, 3, 12, 10))
    c = layers.Conv2D(4, 3, data_format="channels_first", name="c")
    model = keras.Model(inputs, layers.TimeDistributed(c, name="td")(inputs))
    x = _images(samples=8)
    y = keras.ops.reshape(_channels_last(c, 3)(x), (2, 4, 10, 8, 4))
    x = np.moveaxis(x.reshape(2, 4, 12, 10, 3), 4, 2)
    return Case(model, x, {"td": y, "td/c": y})


def mixed_precision() -> Case:
    inputs = keras.Input((12, 10, 3))
    c = layers.Conv2D(4, 3, name="c", dtype="mixed_bfloat16")
    p = layers.MaxPooling2D(name="p", dtype="mixed_bfloat16")
    model = keras.Model(inputs, p(c(inputs)))
    x = _images()
    return Case(model, x, {"c": c(x), "p": p(c(x))})


def cloned() -> Case:
    original = transfer_learning()
    model = keras.models.clone_model(original.model)
    model.set_weights(original.model.get_weights())
    return Case(model, original.inputs, original.maps)


def reloaded_from(name: str) -> Case:
    original = transfer_learning()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        original.model.save(path)
        model = keras.models.load_model(path)
    return Case(model, original.inputs, original.maps)


def reloaded_from_keras() -> Case:
    return reloaded_from("model.keras")


def reloaded_from_h5() -> Case:
    return reloaded_from("model.h5")


def sequential_reloaded_from_h5() -> Case:
    original = sequential()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.h5"
        original.model.save(path)
        model = keras.models.load_model(path)
    return Case(model, original.inputs, original.maps)


def lora() -> Case:
    inputs = keras.Input((12, 10, 3))
    c = layers.Conv2D(4, 3, name="c")
    model = keras.Model(inputs, layers.GlobalAveragePooling2D()(c(inputs)))
    c.enable_lora(2)
    for variable in c.trainable_variables:
        variable.assign(np.random.default_rng(1).normal(size=variable.shape))
    x = _images()
    return Case(model, x, {"c": c(x)})


def int8() -> Case:
    inputs = keras.Input((12, 10, 3))
    c, d = layers.Conv2D(4, 3, name="c"), layers.Dense(5, name="d")
    e = layers.Conv2D(2, 1, name="e")
    model = keras.Model(inputs, e(d(c(inputs))))
    d.quantize("int8")  # the model's own method warns about each layer that has none
    x = _images()
    return Case(model, x, {"c": c(x), "d": d(c(x)), "e": e(d(c(x)))})


def masking() -> Case:
    inputs = keras.Input((5, 4))
    lstm, c = layers.LSTM(12, name="lstm"), layers.Conv2D(2, 2, name="c")
    fold = layers.Reshape((3, 4, 1))
    masked = layers.Masking(0.0)(inputs)
    steps = layers.TimeDistributed(layers.Dense(3, name="dense"), name="steps")(masked)
    both = layers.Concatenate()([lstm(masked), layers.LSTM(2, name="other")(steps)])
    model = keras.Model(inputs, [c(fold(lstm(masked))), both])
    x = np.random.default_rng(0).normal(size=(2, 5, 4)).astype("float32")
    x[:, 2:] = 0
    y = lstm(x, mask=np.any(x != 0, axis=2))
    return Case(model, x, {"lstm:0": y, "c": c(fold(y))})


def vision_transformer() -> Case:
    inputs = keras.Input((12, 8, 3))
    patches = layers.Conv2D(6, 4, strides=4, name="patches")
    tokens = layers.Reshape((6, 6), name="tokens")
    norm = layers.LayerNormalization(name="norm")
    attention = layers.MultiHeadAttention(2, 3, name="attention")
    t = norm(tokens(patches(inputs)))
    model = keras.Model(inputs, layers.GlobalAveragePooling1D()(attention(t, t)))
    x = _images()[:, :, :8]
    t = norm(tokens(patches(x)))
    return Case(model, x, {"patches": patches(x), "norm": t, "attention": attention(t, t)})


class Windows(keras.layers.Layer):
    """Puts four windows of each image into the batch, as a Swin transformer does."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.c = layers.Conv2D(3, 3, padding="same", name="c")

    def build(self, shape: Any) -> None:
        self.c.build(shape)

    def call(self, x: Any) -> Any:
        return join_windows(self.c(split_windows(x)))


def split_windows(x: Any) -> Any:
    parts = keras.ops.reshape(x, (-1, 2, 6, 2, 5, 3))
    return keras.ops.reshape(keras.ops.transpose(parts, (0, 1, 3, 2, 4, 5)), (-1, 6, 5, 3))


def join_windows(x: Any) -> Any:
    parts = keras.ops.transpose(keras.ops.reshape(x, (-1, 2, 2, 6, 5, 3)), (0, 1, 3, 2, 4, 5))
    return keras.ops.reshape(parts, (-1, 12, 10, 3))


def windows_in_the_batch() -> Case:
    inputs = keras.Input((12, 10, 3))
    windows = Windows(name="windows")
    model = keras.Model(inputs, windows(inputs))
    x = _images(samples=3)
    y = windows.c(split_windows(keras.ops.convert_to_tensor(x)))
    return Case(model, x, {"windows/c": y, "windows": join_windows(y)})


class InPlaceReLU(keras.layers.Layer):
    """Writes into the tensor that it is given, where the backend lets it."""

    def call(self, x: Any) -> Any:
        if keras.backend.backend() != "torch":
            return keras.ops.relu(x)
        return x.relu_()


class WritesInPlace(keras.Model):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.c = layers.Conv2D(3, 3, padding="same", name="c")
        self.r = InPlaceReLU(name="r")
        self.d = layers.Conv2D(2, 1, name="d")

    def call(self, x: Any) -> Any:
        h = self.c(x)
        view = h[:, :, :, :2]
        view *= 2.0  # on PyTorch this changes h, too
        h += x
        return self.d(self.r(h))


def written_in_place() -> Case:
    model, x = WritesInPlace(), _images()
    model(x)
    c = to_numpy(model.c(x))
    h = c * np.array([2, 2, 1], "float32") if keras.backend.backend() == "torch" else c
    r = np.maximum(h + x, 0)
    return Case(model, x, {"c": c, "r": r, "d": model.d(r)})


def written_in_place_in_a_graph() -> Case:
    inputs = keras.Input((12, 10, 3))
    c, r, d = layers.Conv2D(3, 3, name="c"), InPlaceReLU(name="r"), layers.Conv2D(2, 1, name="d")
    model = keras.Model(inputs, d(r(c(inputs))))
    x = _images()
    positive = np.maximum(to_numpy(c(x)), 0)
    return Case(model, x, {"c": c(x), "r": positive, "d": d(positive)})


class MovingMean(keras.layers.Layer):
    """Keeps a moving mean, a count, a metric and a seed, and moves them at each call."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.metric = keras.metrics.Mean(name="metric")
        self.seed = keras.random.SeedGenerator(7)

    def build(self, shape: Any) -> None:
        self.mean = self.add_weight(shape=(shape[-1],), initializer="zeros", trainable=False)
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x: Any) -> Any:
        self.count.assign(self.count + 1.0)
        self.mean.assign(0.9 * self.mean + 0.1 * keras.ops.mean(x, axis=(0, 1, 2)))
        self.metric.update_state(keras.ops.mean(x))
        noise = keras.random.normal(keras.ops.shape(x), seed=self.seed)
        return x - self.mean + 0.0 * noise


def state_in_layers() -> Case:
    inputs = keras.Input((12, 10, 3))
    mean, c = MovingMean(name="mean"), layers.Conv2D(2, 3, name="c")
    model = keras.Model(inputs, c(mean(inputs)))
    x = _images()
    moved = x - 0.1 * x.mean(axis=(0, 1, 2))
    return Case(model, x, {"mean": moved, "c": c(moved)}, keeps_state=True)


class MakesLayers(keras.layers.Layer):
    """Makes a layer at each call, which Keras gives another name each time."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.c = layers.Conv2D(3, 3, padding="same", name="c")

    def build(self, shape: Any) -> None:
        self.c.build(shape)

    def call(self, x: Any) -> Any:
        return layers.ReLU()(layers.add([self.c(x), x]))


def layers_made_in_call() -> Case:
    inputs = keras.Input((12, 10, 3))
    block = MakesLayers(name="block")
    model = keras.Model(inputs, block(inputs))
    x = _images()
    total = to_numpy(block.c(x)) + x
    positive = np.maximum(total, 0)
    return Case(
        model,
        x,
        {"block/c": block.c(x), "block/add": total, "block/re_lu": positive, "block": positive},
    )


class Decides(keras.layers.Layer):
    """Looks at a value, which only eager code can."""

    def call(self, x: Any) -> Any:
        return x if keras.ops.max(x) > 0 else -x

    def compute_output_shape(self, shape: Any) -> Any:
        return shape


class DecidingBlock(keras.layers.Layer):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.c = layers.Conv2D(3, 3, padding="same", name="c")
        self.decides = Decides(name="decides")

    def build(self, shape: Any) -> None:
        self.c.build(shape)

    def call(self, x: Any) -> Any:
        return self.decides(self.c(x))

    def compute_output_shape(self, shape: Any) -> Any:
        return shape


def layers_that_only_run_eagerly() -> Case:
    inputs = keras.Input((12, 10, 3))
    first, last = layers.Conv2D(3, 1, name="first"), layers.Conv2D(2, 1, name="last")
    block = DecidingBlock(name="block")
    model = keras.Model(inputs, last(block(first(inputs))))
    x = _images()
    c = block.c(first(x))
    maps = {"first": first(x), "block/c": c, "block/decides": c, "block": c, "last": last(c)}
    return Case(model, x, maps, runs_eagerly=True)


class Remembers(keras.Model):
    """Held under `keras.RematScope`, as large models are trained."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.c = layers.Conv2D(4, 3, name="c")
        self.d = layers.Conv2D(2, 1, name="d")

    def call(self, x: Any) -> Any:
        return self.d(self.c(x))


def rematerialized() -> Case:
    # Keras 3.9 fails to call any layer that was made under it.
    is_broken = keras.version().startswith("3.9.")
    with nullcontext() if is_broken else keras.RematScope(mode="full"):
        model = Remembers()
        x = _images()
        model(x)
    return Case(model, x, {"c": model.c(x), "d": model.d(model.c(x))})


MAKERS: list[Callable[[], Case]] = [
    sequential,
    unbuilt_sequential,
    functional,
    transfer_learning,
    deeply_nested,
    convolution_applied_twice,
    siamese,
    calls_that_run_in_another_order,
    subclassed,
    subclassed_never_called,
    subclassed_in_functional,
    composite_layers,
    several_outputs,
    operations_between,
    own_train_step,
    time_distributed,
    bidirectional_conv_lstm,
    channels_first,
    channels_first_in_nested_models,
    channels_first_in_composite_layers,
    channels_first_time_distributed,
    mixed_precision,
    cloned,
    reloaded_from_keras,
    reloaded_from_h5,
    sequential_reloaded_from_h5,
    lora,
    int8,
    masking,
    vision_transformer,
    windows_in_the_batch,
    written_in_place,
    written_in_place_in_a_graph,
    state_in_layers,
    layers_made_in_call,
    layers_that_only_run_eagerly,
    rematerialized,
]


VARIANTS = {
    channels_first_in_composite_layers,
    channels_first_in_nested_models,
    channels_first_time_distributed,
    cloned,
    lora,
    own_train_step,
    reloaded_from_h5,
    reloaded_from_keras,
    rematerialized,
    sequential_reloaded_from_h5,
    written_in_place,
    written_in_place_in_a_graph,
}
"""Kinds that differ little from others: they run with `-m slow`."""
PARAMETERS = [
    pytest.param(maker, marks=[pytest.mark.slow] if maker in VARIANTS else []) for maker in MAKERS
]


@pytest.fixture(scope="module", params=PARAMETERS, ids=lambda maker: maker.__name__)
def make_case(request: pytest.FixtureRequest) -> Callable[[], Case]:
    """A kind of model; each call makes a new one."""
    return request.param


@pytest.fixture
def case(make_case: Callable[[], Case]) -> Case:
    """A model of each kind."""
    keras.utils.set_random_seed(0)
    return make_case()
