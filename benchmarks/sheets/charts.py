"""Pictures made of curves, bars and boxes, such as of training, histograms and architectures."""

from __future__ import annotations

from functools import cache

import keras
import numpy as np

import kerasviz
from kerasviz import Plot, fashion_mnist

RUN = {"loss": [0.9, 0.5, 0.4, 0.35, 0.33], "val_loss": [0.8, 0.6, 0.5, 0.55, 0.58]}


@cache
def _trained() -> keras.Model:
    return fashion_mnist.load_model()


@cache
def _samples() -> np.ndarray:
    return np.asarray(fashion_mnist.load_samples()[0])


@cache
def _deep() -> keras.Model:
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Conv2D(4 + n, 3, name=f"block{n}_convolution") for n in range(12)]
    return keras.Sequential([keras.Input((32, 32, 1)), *layers])


@cache
def _signals() -> keras.Model:
    keras.utils.set_random_seed(1)
    layers = [
        keras.layers.Conv1D(8, 5, activation="relu", name="conv"),
        keras.layers.GlobalAveragePooling1D(),
        keras.layers.Dense(12, activation="softmax", name="classes"),
    ]
    return keras.Sequential([keras.Input((60, 2)), *layers])


@cache
def _residual() -> keras.Model:
    image = x = keras.Input((32, 32, 3))
    for _ in range(6):
        y = keras.layers.Conv2D(8, 3, padding="same", activation="relu")(x)
        y = keras.layers.Conv2D(8, 3, padding="same")(y)
        skip = x if x.shape[-1] == 8 else keras.layers.Conv2D(8, 1)(x)
        x = keras.layers.Activation("relu")(keras.layers.Add()([skip, y]))
    return keras.Model(image, keras.layers.Dense(10)(keras.layers.GlobalMaxPooling2D()(x)))


def _signal() -> np.ndarray:
    steps = np.linspace(0, 12, 60)
    return np.stack([np.sin(steps), np.cos(2 * steps)], axis=-1)[np.newaxis]


def history() -> Plot:
    return kerasviz.plot_history(RUN)


def history_of_many() -> Plot:
    runs = {
        f"learning rate {n / 100}": {
            name: [n / 9 + v for v in values] for name, values in RUN.items()
        }
        for n in range(9)
    }
    return kerasviz.plot_history(runs)


def histogram() -> Plot:
    return kerasviz.plot_kernel_histograms(_trained(), "conv2d")


def histograms_of_many() -> Plot:
    return kerasviz.plot_kernel_histograms(_deep())


def sequence() -> Plot:
    return kerasviz.plot_feature_maps(_signals(), "conv", _signal())


def sequence_kernels() -> Plot:
    return kerasviz.plot_kernels(_signals(), "conv")


def classes() -> Plot:
    return kerasviz.plot_feature_maps(_signals(), "classes", _signal())


def step() -> Plot:
    return kerasviz.plot_convolution(_trained(), "conv2d", _samples(), position=(11, 15), filter=5)


def step_over_channels() -> Plot:
    return kerasviz.plot_convolution(_trained(), "conv2d_1", _samples(), position=(4, 4))


def architecture() -> Plot:
    return kerasviz.plot_architecture(_trained())


def architecture_of_blocks() -> Plot:
    return kerasviz.plot_architecture(_residual())


def attributions() -> Plot:
    return kerasviz.plot_attributions(_trained(), _samples(), sample=[0, 1])


def filters() -> Plot:
    return kerasviz.plot_filters(_trained(), "conv2d_1", _samples(), filters=3, steps=16)


def similarity() -> Plot:
    return kerasviz.plot_filter_similarity(_trained(), "conv2d_1", _samples())


def activations() -> Plot:
    return kerasviz.plot_activation_histograms(_trained(), None, _samples())
