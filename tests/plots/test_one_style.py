"""All plots share one style: the same fonts, sizes, greys, minus signs and colours of series."""

import re

import keras
import numpy as np
import pytest
from matplotlib import rcParams
from matplotlib.colors import to_hex, to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

import kerasviz
from legibility import drawn_texts

HYPHEN = re.compile(r"(?<![\w.])-[\d.∞]")
"""A minus sign that is a hyphen; in names and in ranges of words a hyphen is right."""
SIZES = {0.694, 0.833, 1.0, 1.2}
"""Matplotlib's own sizes "x-small" to "large", in sizes of the usual font."""
SERIES = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"}
"""The colours of Okabe and Ito, "Color Universal Design", 2008, without their yellow."""
WINDOW = "#ff6a00"
"""The window of a convolution, brighter than a series, since it has to be seen on any map."""
INKS = {"#0072b2", "#c05500"}
"""Words in the colour of a series: the orange is darker, to be read on white."""


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(3)
    layers = [
        keras.layers.Conv2D(6, 3, name="a", activation="relu"),
        keras.layers.Conv2D(6, 3, name="b"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(3, activation="softmax", name="classes"),
    ]
    return keras.Sequential([keras.Input((8, 8, 1)), *layers])


IMAGES = np.random.default_rng(0).normal(size=(12, 8, 8, 1)).astype("float32")
LABELS = np.arange(12) % 3
RUN = {"loss": [0.9, 0.5, -0.4], "val_loss": [0.8, 0.6, -0.5]}
ROWS = {
    "layer": ["a", "b"] * 2,
    "epoch": [1, 1, 2, 2],
    "step": [1, 1, 2, 2],
    "mean": [-0.1, 0.2, -0.3, 0.1],
    "std": [0.1, 0.2, 0.3, 0.1],
    "norm": [1.0, 2.0, 3.0, 1.0],
    "update_ratio": [1e-3, 1e-2, 1e-3, 1e-4],
    "dead": [None] * 4,
}


def draw_snapshots(model, folder):
    model.compile("sgd", "mse")
    callback = kerasviz.KernelSnapshots("a", directory=folder)
    model.fit(IMAGES, np.eye(3)[LABELS], verbose=0, callbacks=[callback])
    return kerasviz.plot_snapshots(folder, "a")


PLOTS = {
    "compare_kernels": lambda m, _: kerasviz.compare_kernels({"x": m, "y": m}, "a"),
    "plot_activation_histograms": lambda m, _: kerasviz.plot_activation_histograms(m, "b", IMAGES),
    "plot_architecture": lambda m, _: kerasviz.plot_architecture(m),
    "plot_attributions": lambda m, _: kerasviz.plot_attributions(m, IMAGES[:2], steps=4),
    "plot_convolution": lambda m, _: kerasviz.plot_convolution(m, "a", IMAGES[:1], position=(1, 1)),
    "plot_feature_maps": lambda m, _: kerasviz.plot_feature_maps(m, "b", IMAGES[:1]),
    "plot_filter_similarity": lambda m, _: kerasviz.plot_filter_similarity(m, "b", IMAGES),
    "plot_filters": lambda m, _: kerasviz.plot_filters(
        m, "b", IMAGES, labels=LABELS, filters=2, steps=1
    ),
    "plot_history": lambda *_: kerasviz.plot_history({"x": RUN, "y": RUN}),
    "plot_kernel_histograms": lambda m, _: kerasviz.plot_kernel_histograms({"x": m, "y": m}, "a"),
    "plot_kernels": lambda m, _: kerasviz.plot_kernels(m, "b"),
    "plot_mistakes": lambda m, _: kerasviz.plot_mistakes(m, IMAGES, LABELS, samples=1, steps=4),
    "plot_preferred_inputs": lambda m, _: kerasviz.plot_preferred_inputs(
        m, "b", filters=2, steps=1
    ),
    "plot_snapshots": draw_snapshots,
    "plot_tiles": lambda *_: kerasviz.plot_tiles(IMAGES[..., 0].transpose(1, 2, 0)),
    "plot_training_statistics": lambda *_: kerasviz.plot_training_statistics(ROWS),
}


def test_every_plot_of_kerasviz_is_tried():
    names = {n for n in kerasviz.__all__ if n.startswith(("plot_", "compare_"))}
    assert names == PLOTS.keys()


@pytest.fixture
def figure(request, model, tmp_path):
    """Return the figure that a plot of kerasviz draws."""
    plot = PLOTS[request.param](model, tmp_path)
    yield plot.figure
    plot.close()


def colors_of(figure):
    """Return the colours of lines and areas that are neither grey nor of a colormap."""
    lines = {to_hex(line.get_color()) for line in figure.findobj(Line2D)}
    areas = [color for patch in figure.findobj(Patch) for color in _colors_of(patch)]
    return {color for color in lines.union(map(to_hex, areas)) if np.ptp(to_rgb(color)) > 0.05}


def _colors_of(patch):
    return [color for color in (patch.get_facecolor(), patch.get_edgecolor()) if color[3] > 0]


@pytest.mark.parametrize("figure", PLOTS, indirect=True)
def test_every_plot_of_kerasviz_has_the_same_fonts_minus_signs_and_colors(request, figure):
    texts = drawn_texts(figure)
    assert {text.get_fontname() for text in texts} == {"DejaVu Sans"}
    # The words in boxes and in cells follow the size of these.
    if not {"plot_architecture", "plot_convolution"} & set(request.node.callspec.id.split("-")):
        sizes = {round(text.get_fontsize() / rcParams["font.size"], 3) for text in texts}
        assert sizes <= SIZES
    words = [re.sub(r"\$[^$]*\$", "", text.get_text()) for text in texts]  # TeX has minus signs
    assert not [text for text in words if HYPHEN.search(text)]
    assert colors_of(figure) <= {*SERIES, WINDOW}
    inks = {to_hex(text.get_color()) for text in texts}
    assert {ink for ink in inks if np.ptp(to_rgb(ink)) > 0.05} <= INKS
