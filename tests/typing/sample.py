"""A typed program of a user: every public name, with the types that it is said to have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import assert_type

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure, FigureBase
from matplotlib.image import AxesImage

import kerasviz
from kerasviz import fashion_mnist
from kerasviz.callbacks import KernelSnapshots


def look(folder: Path) -> None:
    """Look at the shipped network in every way; the files go to a folder."""
    model = fashion_mnist.load_model()
    images, labels = fashion_mnist.load_samples()
    assert_type(images, np.ndarray)
    assert_type(labels, np.ndarray)

    for found in assert_type(kerasviz.find_layers(model), list[kerasviz.LayerRef]):
        assert_type(found.address, str)
        assert_type(found.kernel_shape, tuple[int, ...] | None)

    kernels = kerasviz.get_kernels(model, "conv2d")
    assert_type(kernels, np.ndarray | dict[str, np.ndarray])
    array = kernels["conv2d"] if isinstance(kernels, dict) else kernels
    maps: np.ndarray = kerasviz.get_feature_maps(model, "conv2d", images, batch_size=4)
    same: np.ndarray = kerasviz.feature_map_model(model, "conv2d").predict_on_batch(images)
    stream: Iterator[np.ndarray] = kerasviz.iter_feature_maps(model, 0, images)
    np.testing.assert_allclose(maps, same, atol=1e-5)
    np.testing.assert_allclose(maps, np.concatenate(list(stream)), atol=1e-5)
    saved = kerasviz.save_feature_maps(model, "conv2d", images, folder / "maps.npy")
    assert_type(saved, Path)

    options: kerasviz.TileOptions = {"scale": "tile", "sort": "norm", "tiles": slice(0, 8)}
    plot = kerasviz.plot_kernels(model, "conv2d", channel="mean", **options)
    assert_type(plot, kerasviz.Plot)
    assert_type(plot.figure, FigureBase)
    assert_type(plot.axes, tuple[Axes, ...])
    assert_type(plot.images, tuple[AxesImage, ...])
    panel = assert_type(plot.panels, tuple[kerasviz.Panel, ...])[0]
    assert_type(panel.address, str)
    assert_type(panel.indices, np.ndarray | None)
    assert_type(panel.values, np.ndarray | None)
    assert_type(panel.limits, tuple[float, float] | None)
    assert_type(panel.ax, Axes)
    assert_type(plot.colorbars, tuple[Colorbar | None, ...])
    plot.savefig(folder / "kernels.png", dpi=50)
    plot.close()

    plots = [
        kerasviz.plot_tiles(array[..., 0, :], cmap="gray", vmin=-1, vmax=1.0, columns=8),
        kerasviz.plot_feature_maps(model, 0, images, sample=[0, 9], tiles=[1, 2], labels=True),
        kerasviz.plot_feature_maps(model, 0, images, overlay=True, alpha=0.5, figure=Figure()),
        kerasviz.plot_convolution(model, "conv2d", images, position=(3, -1), filter=2),
        kerasviz.plot_kernel_histograms({"mine": model}, bins=20, density=True),
        kerasviz.compare_kernels({"a": model, "b": fashion_mnist.build_model()}, 0, title="Both"),
        kerasviz.plot_history({"loss": [2.0, 1.0], "val_loss": [2.1, 1.2]}, metrics="loss"),
        kerasviz.plot_architecture(model, inputs=images, maps=2, detail="layers"),
    ]
    assert_type(plots, list[kerasviz.Plot])
    animation = kerasviz.animate_convolution(model, "conv2d", images, positions=[(0, 0), (0, 1)])
    assert_type(animation.plot, kerasviz.Plot)
    animation.save(folder / "steps.gif", dpi=30)

    statistics = kerasviz.kernel_statistics(model, near_zero=0.01)
    assert_type(statistics, kerasviz.KernelStatistics)
    assert_type(statistics["conv2d"], kerasviz.LayerStatistics)
    assert_type(statistics[:1], kerasviz.KernelStatistics)
    assert_type([row.zero for row in statistics], list[int])

    explain(images, labels, folder)
    watch(images, labels, folder)


def explain(images: np.ndarray, labels: np.ndarray, folder: Path) -> None:
    """Ask why the network answers as it does, and what its filters look for."""
    model = fashion_mnist.load_model()
    why: kerasviz.Attributions = kerasviz.get_attributions(model, images[:1], method="gradient")
    evidence: kerasviz.Evidence | None = why.evidence
    curve: kerasviz.EvidenceCurve | None = None if evidence is None else evidence.deletion
    assert curve is None or len(curve.fractions) > 1
    assert_type(kerasviz.plot_attributions(model, images[:1], method="gradient"), kerasviz.Plot)
    wrong = (labels + 1) % 10
    assert_type(kerasviz.plot_mistakes(model, images, wrong, samples=1), kerasviz.Plot)
    field: kerasviz.ReceptiveField = kerasviz.receptive_field(model, "conv2d", position=(0, 0))
    assert_type(field.exact, bool)
    found: kerasviz.FilterStatistics = kerasviz.filter_statistics(model, "conv2d", images)
    assert_type(found.duplicates, list[tuple[int, int]])
    cards = kerasviz.plot_filters(model, "conv2d", found, filters=[0], preferred=False)
    assert_type(cards, kerasviz.Plot)
    preferred = kerasviz.get_preferred_inputs(model, "conv2d", filters=[0], steps=2)
    assert_type(preferred, kerasviz.PreferredInputs)
    made = kerasviz.plot_preferred_inputs(model, "conv2d", filters=[0], steps=2)
    assert_type(made, kerasviz.Plot)
    assert_type(kerasviz.plot_filter_similarity(model, "conv2d", found), kerasviz.Plot)
    assert_type(kerasviz.plot_activation_histograms(model, None, found, bins=20), kerasviz.Plot)
    page = kerasviz.report(model, images[:2], folder / "report.html", method="gradient")
    assert_type(page, Path)


def explore(images: np.ndarray) -> None:
    """Look around in a notebook, which needs the extra of that name."""
    model = fashion_mnist.load_model()
    widget = kerasviz.explore(model, images)
    widget.inputs = images[:3]


def watch(images: np.ndarray, labels: np.ndarray, folder: Path) -> None:
    """Train for an epoch, and watch the network change."""
    model = fashion_mnist.build_model()
    model.compile(loss="sparse_categorical_crossentropy")
    callbacks = [
        kerasviz.KernelSnapshots("conv2d", every="1 batch", on_plot=announce, sort="mean"),
        kerasviz.callbacks.FeatureMapSnapshots(images[:1], "conv2d", directory=folder / "maps"),
        kerasviz.FilterSnapshots(images, "conv2d", labels=labels),
        kerasviz.WeightStatistics(csv=folder / "statistics.csv"),
        kerasviz.Snapshots(kerasviz.plot_kernel_histograms, directory=folder / "plots", every=1),
    ]
    assert_type(kerasviz.KernelSnapshots(gif=folder), KernelSnapshots)
    maps = kerasviz.FeatureMapSnapshots(images, directory=folder)
    assert_type(maps, kerasviz.callbacks.FeatureMapSnapshots)
    model.fit(images, labels, callbacks=callbacks)
    recorded = kerasviz.plot_snapshots(
        folder / "maps", "conv2d", steps=slice(-1, None), cmap="PiYG"
    )
    assert_type(recorded, kerasviz.Plot)
    kerasviz.animate_snapshots(folder / "maps", "conv2d").save(folder / "maps.gif")
    plot = kerasviz.plot_training_statistics(folder / "statistics.csv", statistics=["mean"])
    assert_type(plot, kerasviz.Plot)


def announce(number: int, unit: str, plot: kerasviz.Plot) -> None:
    """Take what a callback has drawn."""
    assert plot.axes, (number, unit)


def train(folder: Path) -> kerasviz.Plot:
    """Train the network again, where the data set is."""
    data = fashion_mnist.load_data(subset=100)
    assert_type(data.train.images, np.ndarray)
    training = fashion_mnist.train(output=folder, subset=100, epochs=1)
    assert_type(training.accuracy, float)
    classes: tuple[str, ...] = fashion_mnist.CLASSES
    assert classes[training.model.predict_on_batch(data.test.images[:1]).argmax()]
    return kerasviz.plot_history(training.history)
