"""On a dark ground what is drawn can be seen as well as on a white one."""

from collections.abc import Iterator

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex, to_rgb

import kerasviz
from legibility import contrast

DARK = "#1e2129"


@pytest.fixture(params=["white", DARK], name="ground")
def _ground(request: pytest.FixtureRequest) -> Iterator[str]:
    parts = {f"{part}.facecolor": DARK for part in ("figure", "axes")}
    with plt.style.context(["dark_background", parts] if request.param == DARK else "default"):
        yield request.param
    plt.close("all")


def _contrast(first: str, second: str) -> float:
    return float(contrast(np.array(to_rgb(first)), np.array(to_rgb(second))))


def test_curves_of_evidence_are_seen(ground: str) -> None:
    model = kerasviz.fashion_mnist.load_model()
    images, _ = kerasviz.fashion_mnist.load_samples()
    plot = kerasviz.plot_attributions(model, images, sample=9)
    colors = {to_hex(line.get_color()) for line in plot.axes[-1].lines}
    assert len(colors) == 2
    assert all(_contrast(color, to_hex(ground)) > 3.7 for color in colors)
    legend = plot.axes[-1].get_legend()
    assert legend is not None
    assert {to_hex(line.get_color()) for line in legend.get_lines()} == colors


def test_bars_of_a_signal_begin_at_the_colour_of_0(ground: str) -> None:
    """Otherwise the weakest would be seen best on a dark ground."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((24, 1)), keras.layers.Flatten(), keras.layers.Dense(3)])
    plot = kerasviz.plot_attributions(model, np.random.default_rng(0).normal(size=(1, 24, 1)))
    (panel,) = (panel for panel in plot.panels if panel.image is not None)
    assert panel.image is not None
    assert to_hex(panel.image.cmap(0.5)) > "#f0f0f0"
    assert panel.ax is not None
    assert to_hex(panel.ax.get_facecolor()) == "#ffffff"
    assert to_hex(plot.figure.get_facecolor()) == to_hex(ground)


@pytest.mark.parametrize("call", ["kernels", "attributions", "convolution"])
def test_the_ends_of_a_colour_bar_are_told_from_the_ground(call: str, ground: str) -> None:
    model = kerasviz.fashion_mnist.load_model()
    images, _ = kerasviz.fashion_mnist.load_samples()
    if call == "kernels":
        plot = kerasviz.plot_kernels(model, "conv2d")
    elif call == "attributions":
        plot = kerasviz.plot_attributions(model, images, sample=9)
    else:
        plot = kerasviz.plot_convolution(model, "conv2d", images[9], position=(11, 15))
    bars = [bar for bar in plot.colorbars if bar is not None]
    assert bars
    for bar in bars:
        ends = [_contrast(to_hex(bar.cmap(end)), to_hex(ground)) for end in (0.0, 1.0)]
        assert bar.outline.get_visible() == (ground == DARK and min(ends) < 1.5)
        assert _contrast(to_hex(bar.outline.get_edgecolor()), to_hex(ground)) > 3
    assert any(bar.outline.get_visible() for bar in bars) == (ground == DARK)


def test_the_outline_of_frozen_layers_is_seen(ground: str) -> None:
    model = kerasviz.fashion_mnist.load_model()
    model.get_layer("conv2d").trainable = False
    plot = kerasviz.plot_architecture(model)
    dashed = [
        (to_hex(edge), to_hex(fill))
        for paths in plot.axes[0].collections
        if isinstance(paths, PathCollection) and len(paths.get_facecolor()) > 1
        for edge, fill, (_, dashes) in zip(
            paths.get_edgecolor(), paths.get_facecolor(), paths.get_linestyle(), strict=False
        )
        if dashes
    ]
    assert dashed
    # On white the outline is seen against that too; on a dark ground against its box alone.
    least = 7 if ground == DARK else 2.2
    assert all(_contrast(*colors) > least for colors in dashed)
