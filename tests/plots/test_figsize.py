"""`figsize`, the keyword of every plot that is the size of a new figure."""

import inspect

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest

import kerasviz

SIZE = (9.0, 7.0)


@pytest.fixture(scope="module")
def plots():
    """Return each plot function that takes `figsize`, called with nothing but its keywords."""
    model = kerasviz.fashion_mnist.load_model()
    rows = {"layer": ["conv2d"] * 2, "epoch": [1, 2], "step": [1, 2], "mean": [0.1, 0.2]}
    rows |= {name: [0.5, 0.4] for name in ("std", "norm", "update_ratio", "dead")}
    first = {
        "plot_history": ({"loss": [0.9, 0.5, 0.4]},),
        "plot_training_statistics": (rows,),
        "plot_kernel_histograms": (model,),
        "plot_architecture": (model,),
        "plot_convolution": (model, "conv2d", np.ones((28, 28))),
    }
    own = {"plot_convolution": {"position": (5, 5)}}

    def draw(name, **keywords):
        return getattr(kerasviz, name)(*first[name], **own.get(name, {}), **keywords)

    return draw


NAMES = [
    "plot_history",
    "plot_training_statistics",
    "plot_kernel_histograms",
    "plot_architecture",
    "plot_convolution",
]


@pytest.mark.few(2)
@pytest.mark.parametrize("name", NAMES)
def test_figsize_is_the_size_of_a_new_figure(plots, name):
    plot = plots(name, figsize=SIZE)
    assert tuple(plot.figure.get_size_inches()) == SIZE
    assert plt.fignum_exists(plot.figure.number)
    plot.close()
    assert inspect.signature(getattr(kerasviz, name)).parameters["figsize"].default is None


@pytest.mark.parametrize("figsize", [5, "8x6", (8,), (8, 6, 4), (True, 6), (np.nan, 6), ("8", 6)])
def test_figsize_must_be_two_numbers(plots, figsize):
    with pytest.raises(TypeError, match=r"^`figsize` must be a width and a height.*Received: fig"):
        plots("plot_history", figsize=figsize)


@pytest.mark.parametrize("figsize", [(0, 6), (8, -1), (8, 10_000)])
def test_figsize_must_be_a_size_that_can_be_drawn(plots, figsize):
    with pytest.raises(ValueError, match=r"^`figsize` must have sides above 0 and up to 655 in"):
        plots("plot_history", figsize=figsize)


@pytest.mark.parametrize("name", ["ax", "figure"])
def test_figsize_is_refused_together_with_a_place(plots, name):
    figure = plt.figure()
    place = figure if name == "figure" else figure.add_subplot()
    with pytest.raises(ValueError, match=f"^`figsize` is .* cannot be given with `{name}`"):
        plots("plot_history", figsize=SIZE, **{name: place})
    plt.close(figure)


def test_panels_of_a_given_page_leave_no_row_half_empty():
    layers = [
        layer
        for index, filters in enumerate((8, 16, 32, 64, 128))
        for layer in (
            keras.layers.Conv2D(filters, 3, padding="same", name=f"c{index}"),
            keras.layers.MaxPooling2D(),
        )
    ]
    model = keras.Sequential([keras.Input((64, 64, 3)), *layers])
    image = np.random.default_rng(0).uniform(size=(1, 64, 64, 3))
    names = [f"c{index}" for index in range(5)]
    plot = kerasviz.plot_feature_maps(model, names, image, figsize=(12, 4))
    plot.figure.draw_without_rendering()
    boxes = [panel.ax.get_window_extent() for panel in plot.panels]
    right, page = boxes[-1].x1, plot.figure.bbox
    plot.close()
    assert right > 0.85 * page.width
    assert sum(box.width * box.height for box in boxes) > 0.24 * page.width * page.height
