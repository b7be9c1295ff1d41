"""The pictures and the page of `kerasviz demo`."""

from __future__ import annotations

from pathlib import Path

import keras

from kerasviz import fashion_mnist, plot_feature_maps, plot_kernels, report


def write_demo(folder: Path) -> list[Path]:
    """Draw the trained and the untrained reference network into a folder; return the files.

    The last one is the report of the trained network.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trained = fashion_mnist.load_model()
    keras.utils.set_random_seed(0)
    untrained = fashion_mnist.build_model()
    images, labels = fashion_mnist.load_samples()
    plots = {
        "kernels-trained.png": plot_kernels(
            trained, "conv2d", title="conv2d, trained: 32 kernels, 3×3"
        ),
        "kernels-untrained.png": plot_kernels(
            untrained, "conv2d", title="conv2d, untrained: 32 kernels, 3×3"
        ),
        "feature-maps-conv2d.png": plot_feature_maps(trained, "conv2d", images),
        "feature-maps-conv2d_1.png": plot_feature_maps(trained, "conv2d_1", images),
    }
    for name, plot in plots.items():
        plot.savefig(folder / name)
    page = report(
        trained,
        images,
        folder / "report.html",
        labels=labels,
        class_names=fashion_mnist.CLASSES,
    )
    return [*(folder / name for name in plots), page]
