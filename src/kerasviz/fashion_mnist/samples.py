"""One real test image of each class of Fashion-MNIST."""

from __future__ import annotations

from importlib import resources

import numpy as np

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
"""The names of the labels 0 to 9."""


def load_samples() -> tuple[np.ndarray, np.ndarray]:
    """Load the first test image of each class.

    Source: "Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms",
    2017, arXiv:1708.07747; MIT licence, installed with kerasviz as
    `LICENSE-fashion-mnist.txt`.

    Returns:
        Images, float32 `(10, 28, 28, 1)` with values in 0 to 1, and labels, int64 `(10,)`: 0 to 9.

    Example:
        >>> from kerasviz import fashion_mnist
        >>> images, labels = fashion_mnist.load_samples()
        >>> images.shape, fashion_mnist.CLASSES[labels[9]]
        ((10, 28, 28, 1), 'Ankle boot')
    """
    file = resources.files("kerasviz.fashion_mnist") / "samples.npz"
    with file.open("rb") as stream, np.load(stream) as data:
        images, labels = data["images"], data["labels"]
    return images[..., np.newaxis].astype("float32") / 255.0, labels
