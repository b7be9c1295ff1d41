"""Pictures made of tiles: kernels, feature maps, arrays, and comparisons of kernels."""

from __future__ import annotations

from functools import cache

import keras
import numpy as np

from kerasviz import Plot, compare_kernels, fashion_mnist, plot_feature_maps, plot_kernels
from kerasviz import plot_tiles as tiles_of


@cache
def _trained() -> keras.Model:
    return fashion_mnist.load_model()


@cache
def _samples() -> np.ndarray:
    return np.asarray(fashion_mnist.load_samples()[0])


@cache
def _wide() -> keras.Model:
    """Return a network with many filters, of which a few are far stronger than others."""
    keras.utils.set_random_seed(1)
    layers = [
        keras.layers.Conv2D(16, 7, name="stem"),
        keras.layers.Conv2D(64, 3, name="middle"),
        keras.layers.Conv2D(200, 3, name="wide"),
        keras.layers.Conv2D(48, 1, name="point"),
        keras.layers.Conv2D(512, 3, activation="relu", name="a_layer_with_a_name_that_is_long"),
    ]
    return keras.Sequential([keras.Input((32, 32, 3)), *layers])


def _photos(count: int = 3) -> np.ndarray:
    y, x = np.mgrid[0:1:32j, 0:1:32j]
    waves = [np.sin(9 * x + i) * np.cos(7 * y * (i + 1)) for i in range(count)]
    return np.stack([np.stack([w, x, y], axis=-1) for w in waves]).astype("float32")


def kernels() -> Plot:
    return plot_kernels(_trained(), "conv2d")


def kernels_labels() -> Plot:
    return plot_kernels(_trained(), "conv2d", labels=True)


def kernels_principal() -> Plot:
    return plot_kernels(_trained(), "conv2d_1")


def kernels_all_layers() -> Plot:
    return plot_kernels(_trained())


def kernels_wide_all_layers() -> Plot:
    return plot_kernels(_wide())


def kernels_rgb() -> Plot:
    return plot_kernels(_wide(), "stem")


def kernels_point() -> Plot:
    return plot_kernels(_wide(), "point")


def kernels_many() -> Plot:
    return plot_kernels(_wide(), "wide")


def kernels_table() -> Plot:
    return plot_kernels(_wide(), "stem", channel="all")


def kernels_zero() -> Plot:
    model = keras.Sequential([keras.Input((9, 9, 1)), keras.layers.Conv2D(12, 3, name="pruned")])
    kernel = np.random.default_rng(0).normal(size=(3, 3, 1, 12))
    kernel[..., 3:6] = 0
    model.set_weights([kernel, np.zeros(12)])
    return plot_kernels(model, "pruned")


def kernels_dark() -> Plot:
    import matplotlib.pyplot as plt

    with plt.style.context("dark_background"):
        return plot_kernels(_trained(), "conv2d")


def kernels_one_filter() -> Plot:
    return plot_kernels(_trained(), "conv2d", tiles=5)


def maps() -> Plot:
    return plot_feature_maps(_trained(), "conv2d", _samples(), sample=1)


def maps_all_layers() -> Plot:
    return plot_feature_maps(_trained(), None, _samples(), sample=1)


def maps_labels() -> Plot:
    return plot_feature_maps(_trained(), "conv2d_1", _samples(), sample=1, labels=True)


def maps_table() -> Plot:
    return plot_feature_maps(_trained(), "conv2d", _samples(), sample=[0, 1, 2], tiles=slice(8))


def maps_overlay() -> Plot:
    return plot_feature_maps(
        _trained(), "conv2d_1", _samples(), sample=1, overlay=True, tiles=slice(8)
    )


def maps_rgb() -> Plot:
    return plot_feature_maps(_wide(), "middle", _photos(), sample=2)


def maps_many() -> Plot:
    return plot_feature_maps(_wide(), "a_layer_with_a_name_that_is_long", _photos())


def maps_vector() -> Plot:
    return plot_feature_maps(_trained(), "dense", _samples(), sample=1)


def array() -> Plot:
    return tiles_of(np.sin(np.arange(8 * 8 * 12)).reshape(8, 8, 12))


def array_labels_of_large() -> Plot:
    maps = np.random.default_rng(0).random((512, 512, 64), "float32")
    return tiles_of(maps, labels=True)


def array_small() -> Plot:
    return tiles_of(np.sin(np.arange(8 * 8 * 12)).reshape(8, 8, 12), figsize=(3.3, 2.5))


def array_large_font() -> Plot:
    import matplotlib.pyplot as plt

    with plt.rc_context({"font.size": 24}):
        return tiles_of(np.sin(np.arange(8 * 8 * 12)).reshape(8, 8, 12), labels=True)


def compared() -> Plot:
    models = {"untrained": keras.models.clone_model(_trained()), "trained": _trained()}
    return compare_kernels(models, "conv2d")
