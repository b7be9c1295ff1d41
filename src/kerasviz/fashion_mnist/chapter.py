"""Every picture of the reference example's chapter, from the trained network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import keras
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import Animation
from matplotlib.figure import Figure

from kerasviz._files import replacing
from kerasviz.compute.feature_maps import get_feature_maps
from kerasviz.compute.kernel_statistics import kernel_statistics
from kerasviz.draw.plot import Plot
from kerasviz.fashion_mnist.data import Split
from kerasviz.fashion_mnist.samples import CLASSES
from kerasviz.plots.architecture import plot_architecture
from kerasviz.plots.compare_kernels import compare_kernels
from kerasviz.plots.convolution import animate_convolution, plot_convolution
from kerasviz.plots.feature_maps import plot_feature_maps
from kerasviz.plots.history import plot_history
from kerasviz.plots.kernel_histograms import plot_kernel_histograms
from kerasviz.plots.kernels import plot_kernels

PACE = (4, 2)
"""How many rows and columns the window of the animation moves at a time."""
FILTERS = 10
"""How many filters the layers have that show padding and stride."""


def write_chapter(
    folder: Path,
    model: keras.Model,
    untrained: keras.Model,
    history: keras.callbacks.History,
    test: Split,
) -> tuple[Path, ...]:
    """Write every picture of the chapter into a folder, numbered in its order.

    Args:
        folder: A folder that exists.
        model: The trained network.
        untrained: The same network before its training.
        history: The losses and accuracies of the training.
        test: Images and labels; the first image is looked at.
    """
    files = []
    for number, (name, content) in enumerate(_pages(model, untrained, history, test), start=1):
        path = folder / f"{number:02}-{name}"
        files.append(path)
        if isinstance(content, Plot):
            content.savefig(path)
            plt.close(cast(Figure, content.figure))
        elif isinstance(content, Animation):
            content.save(path)
        else:
            with replacing(path) as stream:
                stream.write(f"{content}\n".encode())
    return tuple(files)


def _pages(
    model: keras.Model, untrained: keras.Model, history: keras.callbacks.History, test: Split
) -> Iterator[tuple[str, Any]]:
    """Yield what each file is called, and what is in it: one at a time, since figures are large."""
    image = test.images[0]
    both = {"untrained": untrained, "trained": model}

    yield from _how_layers_compute(model, image)
    yield "architecture.png", plot_architecture(model)
    yield "history.png", plot_history(history)

    yield "kernels-trained.png", plot_kernels(model, "conv2d")
    yield "kernels-untrained.png", plot_kernels(untrained, "conv2d")
    yield "kernels-compared.png", compare_kernels(both, "conv2d")
    yield "kernel-histograms.png", plot_kernel_histograms(both)
    yield (
        "kernel-statistics.txt",
        "\n\n".join(f"{name}\n{kernel_statistics(net)}" for name, net in both.items()),
    )

    yield "functional-model.png", plot_architecture(_functional_model())
    yield "feature-maps-conv2d.png", plot_feature_maps(model, "conv2d", image)
    yield "feature-maps-conv2d_1.png", plot_feature_maps(model, "conv2d_1", image)
    yield (
        "feature-maps-over-the-image.png",
        plot_feature_maps(model, "conv2d_1", image, overlay=True, top=16),
    )
    several = min(10, len(test.images))
    yield (
        "images-against-feature-maps.png",
        plot_feature_maps(
            model,
            "conv2d_1",
            test.images[:several],
            sample="all",
            sample_names=[CLASSES[label] for label in test.labels[:several]],
            top=8,
        ),
    )
    yield "architecture-with-maps.png", plot_architecture(model, inputs=image)


def _how_layers_compute(model: keras.Model, image: np.ndarray) -> Iterator[tuple[str, Any]]:
    """Yield a step of each kind of layer: of the network's own, and of others with its kernels."""
    maps = get_feature_maps(model, "conv2d", image)[0]
    first = maps[..., :FILTERS]
    row, column, strongest = map(int, np.unravel_index(first.argmax(), first.shape))
    here, pooled = (row, column), (row // 2, column // 2)
    brightest = int(image[1:-1, -1].argmax())  # where there is something beside the padding
    last = image.shape[1] - 1

    def one_step(net: keras.Model, layer: Any, position: tuple[int, int]) -> Plot:
        return plot_convolution(net, layer, image, position=position, filter=strongest)

    valid = _with_kernels_of(model, padding="valid", name="valid_padding")
    stride = _with_kernels_of(model, padding="same", strides=2, name="stride_2")
    average = keras.Sequential(
        [keras.Input(maps.shape), keras.layers.AveragePooling2D(2, name="average_pooling2d")]
    )
    yield "convolution.png", one_step(model, "conv2d", here)
    rows, columns = (range(0, size, step) for size, step in zip(maps.shape, PACE, strict=False))
    walk = [(y, x) for y in rows for x in columns]
    animation = animate_convolution(
        model, "conv2d", image, filter=strongest, positions=[*walk, (last, last)]
    )
    yield "convolution.gif", animation
    yield "padding-same.png", one_step(model, "conv2d", (brightest + 1, last))
    yield "padding-valid.png", one_step(valid, 0, (brightest, last - 2))
    yield "stride.png", one_step(stride, 0, pooled)
    yield "max-pooling.png", one_step(model, "max_pooling2d", pooled)
    yield (
        "average-pooling.png",
        plot_convolution(average, 0, maps, position=pooled, filter=strongest),
    )


def _with_kernels_of(model: keras.Model, **settings: Any) -> keras.Model:
    """Return one convolution with other settings, and kernels of the network's first one."""
    layer = keras.layers.Conv2D(FILTERS, 3, activation="relu", **settings)
    other = keras.Sequential([keras.Input((28, 28, 1)), layer])
    kernel, bias = model.get_layer("conv2d").get_weights()
    layer.set_weights([kernel[..., :FILTERS], bias[:FILTERS]])
    return other


def _functional_model() -> keras.Model:
    """Return the chapter's example of the functional API."""
    inputs = keras.Input((784,), name="pixels")
    hidden = keras.layers.Dense(100, activation="sigmoid", name="hidden")(inputs)
    outputs = keras.layers.Dense(10, activation="softmax", name="classes")(hidden)
    return keras.Model(inputs, outputs, name="functional")
