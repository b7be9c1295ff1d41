"""Every picture of the reference example's chapter, from the trained network."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast

import keras
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import Animation
from matplotlib.figure import Figure

from kerasviz._files import replacing
from kerasviz.compute.feature_maps import get_feature_maps
from kerasviz.compute.kernel_statistics import kernel_statistics
from kerasviz.draw.plot import Plot
from kerasviz.fashion_mnist.chapter_page import Section, chapter_page
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


COMPUTES, LEARNS, SEES = "What a layer computes", "What the network learned", "What it sees"
"""The parts of the chapter."""


class _Content(NamedTuple):
    """A file of the chapter, before it is written.

    Args:
        part: The part of the chapter.
        heading: What it shows.
        name: The name of the file, without its number.
        content: A plot, an animation, or text.
    """

    part: str
    heading: str
    name: str
    content: Any


def write_chapter(
    folder: Path,
    model: keras.Model,
    untrained: keras.Model,
    history: keras.callbacks.History,
    test: Split,
) -> tuple[Path, ...]:
    """Write every picture of the chapter into a folder, and one page that holds all of them.

    Args:
        folder: A folder that exists.
        model: The trained network.
        untrained: The same network before its training.
        history: The losses and accuracies of the training.
        test: Images and labels; the first image is looked at.

    Returns:
        The pictures, numbered in the order of the chapter, and the page, `index.html`.
    """
    sections = []
    for number, item in enumerate(_contents(model, untrained, history, test), start=1):
        path = folder / f"{number:02}-{item.name}"
        _write(path, item.content)
        sections.append(Section(part=item.part, heading=item.heading, path=path))
    page = folder / "index.html"
    introduction = (
        "Every picture of a chapter on convolutional networks, drawn by kerasviz from a network "
        "that was trained on Fashion-MNIST."
    )
    _write(page, chapter_page("A convolutional network, step by step", introduction, sections))
    return (*(section.path for section in sections), page)


def _write(path: Path, content: Any) -> None:
    if isinstance(content, Plot):
        content.savefig(path)
        plt.close(cast(Figure, content.figure))
    elif isinstance(content, Animation):
        content.save(path)
    else:
        with replacing(path) as stream:
            stream.write(f"{content}\n".encode())


def _contents(
    model: keras.Model, untrained: keras.Model, history: keras.callbacks.History, test: Split
) -> Iterator[_Content]:
    """Yield what goes into each file: one at a time, since figures are large."""
    yield from _how_layers_compute(model, test.images[0])
    yield from _what_it_learned(model, untrained, history)
    yield from _what_it_sees(model, test)


def _what_it_learned(
    model: keras.Model, untrained: keras.Model, history: keras.callbacks.History
) -> Iterator[_Content]:
    """Yield the network, its training, and its kernels before and after."""
    both = {"untrained": untrained, "trained": model}
    part = partial(_Content, LEARNS)
    yield part("The layers of the network", "architecture.png", plot_architecture(model))
    yield part("Its training", "history.png", plot_history(history))
    yield part("Kernels, trained", "kernels-trained.png", plot_kernels(model, "conv2d"))
    yield part("Kernels, untrained", "kernels-untrained.png", plot_kernels(untrained, "conv2d"))
    compared = compare_kernels(both, "conv2d")
    yield part("Untrained and trained, side by side", "kernels-compared.png", compared)
    histograms = plot_kernel_histograms(both)
    yield part("How the weights spread", "kernel-histograms.png", histograms)
    statistics = "\n\n".join(f"{name}\n{kernel_statistics(net)}" for name, net in both.items())
    yield part("The weights in numbers", "kernel-statistics.txt", statistics)
    functional = plot_architecture(_functional_model())
    yield part("A model of the functional API", "functional-model.png", functional)


def _what_it_sees(model: keras.Model, test: Split) -> Iterator[_Content]:
    """Yield the feature maps of some images."""
    image, part = test.images[0], partial(_Content, SEES)
    for layer in ("conv2d", "conv2d_1"):
        plot = plot_feature_maps(model, layer, image)
        yield part(f"Feature maps of {layer}", f"feature-maps-{layer}.png", plot)
    plot = plot_feature_maps(model, "conv2d_1", image, overlay=True, top=16)
    yield part("The strongest over the image", "feature-maps-over-the-image.png", plot)
    several = min(10, len(test.images))
    plot = plot_feature_maps(
        model,
        "conv2d_1",
        test.images[:several],
        sample="all",
        sample_names=[CLASSES[label] for label in test.labels[:several]],
        top=8,
    )
    yield part("Several images", "images-against-feature-maps.png", plot)
    plot = plot_architecture(model, inputs=image)
    yield part("The image on its way through the layers", "architecture-with-maps.png", plot)


def _how_layers_compute(model: keras.Model, image: np.ndarray) -> Iterator[_Content]:
    """Yield a step of each kind of layer: of the network's own, and of others with its kernels."""
    maps = get_feature_maps(model, "conv2d", image)[0]
    first = maps[..., :FILTERS]
    row, column, strongest = map(int, np.unravel_index(first.argmax(), first.shape))
    here, pooled = (row, column), (row // 2, column // 2)
    brightest = int(image[1:-1, -1].argmax())  # where there is something beside the padding
    last = image.shape[1] - 1

    def one_step(net: keras.Model, layer: Any, position: tuple[int, int]) -> Plot:
        return plot_convolution(net, layer, image, position=position, filter=strongest)

    part = partial(_Content, COMPUTES)
    valid = _with_kernels_of(model, padding="valid", name="valid_padding")
    stride = _with_kernels_of(model, padding="same", strides=2, name="stride_2")
    average = keras.Sequential(
        [keras.Input(maps.shape), keras.layers.AveragePooling2D(2, name="average_pooling2d")]
    )
    yield part("One step of a convolution", "convolution.png", one_step(model, "conv2d", here))
    rows, columns = (range(0, size, step) for size, step in zip(maps.shape, PACE, strict=False))
    walk = [(y, x) for y in rows for x in columns]
    animation = animate_convolution(
        model, "conv2d", image, filter=strongest, positions=[*walk, (last, last)]
    )
    yield part("Step after step", "convolution.gif", animation)
    same = one_step(model, "conv2d", (brightest + 1, last))
    yield part("Padding: zeros around the image", "padding-same.png", same)
    inside = one_step(valid, 0, (brightest, last - 2))
    yield part("No padding", "padding-valid.png", inside)
    yield part("A stride of 2", "stride.png", one_step(stride, 0, pooled))
    pooling = one_step(model, "max_pooling2d", pooled)
    yield part("Max pooling", "max-pooling.png", pooling)
    plot = plot_convolution(average, 0, maps, position=pooled, filter=strongest)
    yield part("Average pooling", "average-pooling.png", plot)


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
