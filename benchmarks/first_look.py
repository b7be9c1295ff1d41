"""The first look at a model that is not one graph, against what Keras itself needs for one call.

`python benchmarks/first_look.py` prints the rows for the backend that `KERAS_BACKEND` names;
`run.py` has them among its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from timing import Pairs, time_once

import kerasviz
from report import RATIO_HEADS, Goal, Row, table

if TYPE_CHECKING:
    import keras

SIZE = 224
FIRST_LOOK = (Goal(3.0),)


def swin() -> keras.Model:
    """Return a network of twelve blocks that put windows of the image into the batch."""
    import keras
    from keras import layers, ops

    class Block(layers.Layer):
        def __init__(self, width: int, size: int, shift: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.width, self.size, self.shift = width, size, shift
            self.norm = layers.LayerNormalization(name="norm")
            self.attention = layers.MultiHeadAttention(4, width // 4, name="attention")
            self.mlp = keras.Sequential(
                [layers.Dense(4 * width, activation="gelu"), layers.Dense(width)], name="mlp"
            )

        def call(self, x: Any) -> Any:
            shape = (-1, self.size // 7, 7, self.size // 7, 7, self.width)
            shifted = ops.roll(x, (-self.shift, -self.shift), (1, 2)) if self.shift else x
            parts = ops.transpose(ops.reshape(shifted, shape), (0, 1, 3, 2, 4, 5))
            tokens = self.norm(ops.reshape(parts, (-1, 49, self.width)))
            tokens = self.attention(tokens, tokens)
            parts = ops.reshape(tokens, (-1, self.size // 7, self.size // 7, 7, 7, self.width))
            parts = ops.transpose(parts, (0, 1, 3, 2, 4, 5))
            return x + self.mlp(ops.reshape(parts, (-1, self.size, self.size, self.width)))

    class Swin(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.steps = [layers.Conv2D(32, 4, strides=4, name="patches")]
            for stage, (width, size) in enumerate([(32, 56), (64, 28), (128, 14), (256, 7)]):
                if stage:
                    self.steps.append(layers.Conv2D(width, 2, strides=2, name=f"merge{stage}"))
                self.steps += [
                    Block(width, size, 3 * (block % 2), name=f"stage{stage}_block{block}")
                    for block in range(3)
                ]

        def call(self, x: Any) -> Any:
            for step in self.steps:
                x = step(x)
            return x

    model = Swin()
    model(np.zeros((1, SIZE, SIZE, 3), "float32"))
    return model


def vae() -> keras.Model:
    """Return a subclassed autoencoder that samples."""
    import keras
    from keras import layers, ops

    class Autoencoder(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            widths = (32, 64, 128, 256)
            self.down = [layers.Conv2D(n, 3, 2, "same", activation="relu") for n in widths]
            self.mean, self.log_variance = layers.Conv2D(64, 1), layers.Conv2D(64, 1)
            self.up = [layers.Conv2DTranspose(n, 3, 2, "same") for n in widths[::-1]]
            self.last = layers.Conv2D(3, 1)
            self.seed = keras.random.SeedGenerator(0)

        def call(self, x: Any) -> Any:
            for layer in self.down:
                x = layer(x)
            mean, log_variance = self.mean(x), self.log_variance(x)
            noise = keras.random.normal(ops.shape(mean), seed=self.seed)
            x = mean + ops.exp(log_variance / 2) * noise
            for layer in self.up:
                x = layer(x)
            return self.last(x)

    model = Autoencoder()
    model(np.zeros((1, SIZE, SIZE, 3), "float32"))
    return model


NETWORKS = {"Swin, 12 blocks": swin, "VAE": vae}


def photo() -> np.ndarray:
    return np.random.default_rng(0).random((1, SIZE, SIZE, 3), dtype="float32")


def list_layers(model: keras.Model) -> object:
    return kerasviz.find_layers(model, "*")


def call_symbolically(model: keras.Model) -> object:
    import keras

    return model(keras.Input((SIZE, SIZE, 3)))


def look(model: keras.Model) -> object:
    return kerasviz.get_feature_maps(model, None, photo())


def predict(model: keras.Model) -> object:
    return model.predict_on_batch(photo())


COMPARISONS = (
    ('find_layers(model, "*") / a symbolic call of the model', list_layers, call_symbolically),
    ("first get_feature_maps / first predict_on_batch", look, predict),
)


def compare_first_looks(pairs: int) -> Iterator[Row]:
    """Yield what the first look costs; each has a new network, since what it finds is kept."""
    for name, make in NETWORKS.items():
        for compared, ours, plain in COMPARISONS:
            seconds = [
                tuple(time_once(partial(way, make())) for way in (ours, plain))
                for _ in range(pairs)
            ]
            ratios = Pairs(*zip(*seconds, strict=True)).ratios
            yield Row(f"first look: {name}", compared, ratios, pairs, FIRST_LOOK)


if __name__ == "__main__":
    print(table(RATIO_HEADS, [row.cells() for row in compare_first_looks(3)]))
