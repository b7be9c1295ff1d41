"""Trains the reference network on the full data set: `python -m kerasviz.fashion_mnist.train`.

This is how the model that ships in the package was made.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np

from kerasviz.fashion_mnist.model import build_model

SPLIT_SEED = 42
WEIGHTS_SEED = 0
"""Of the seeds 0 to 3, the one with the lowest loss on the validation images."""


def read_idx(path: Path) -> np.ndarray:
    """Read a gzipped idx file of unsigned bytes, the format of MNIST and Fashion-MNIST.

    The format: two zero bytes, a type code (8 for unsigned bytes), the number of dimensions,
    each dimension as a big-endian 32-bit integer, then the values in row-major order.
    Source: "The IDX file format" on the MNIST data set's page.
    """
    data = gzip.decompress(path.read_bytes())
    if data[:3] != b"\0\0\x08":
        raise ValueError(f"`path` must be an idx file of unsigned bytes. Received: path={path}")
    rank = data[3]
    start = 4 + 4 * rank
    shape = np.frombuffer(data[4:start], ">u4").astype(int)
    return np.frombuffer(data[start:], np.uint8).reshape(shape)


def read_split(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Read images `(n, 28, 28, 1)`, scaled to 0 to 1, and labels `(n,)` of "train" or "t10k"."""
    images = read_idx(folder / f"{name}-images-idx3-ubyte.gz")
    labels = read_idx(folder / f"{name}-labels-idx1-ubyte.gz")
    return images[..., np.newaxis].astype("float32") / 255.0, labels


def split_validation(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of 80 % training and 20 % validation samples.

    The same split as scikit-learn's `train_test_split(test_size=0.2, random_state=42)`, which
    takes the validation part from the head of a permutation.
    """
    order = np.random.RandomState(SPLIT_SEED).permutation(count)
    validation = -(-count // 5)
    return order[validation:], order[:validation]


def train(folder: Path, output: Path, *, epochs: int = 20) -> float:
    """Train on the images in `folder`, save the weights, return the accuracy on the test images.

    Args:
        folder: The folder with the four idx `.gz` files.
        output: Where to save the weights, a name that ends in `.weights.h5`. Weights alone can be
            read by every Keras 3; the optimizer, which would triple the file, is left out.
        epochs: How many at most; training stops when the validation loss has not fallen for two.

    Returns:
        The share of the test images that are classified correctly, 0 to 1.
    """
    images, labels = read_split(folder, "train")
    training, validation = split_validation(len(images))

    keras.utils.set_random_seed(WEIGHTS_SEED)
    model = build_model()
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    with tempfile.TemporaryDirectory() as scratch:
        best = Path(scratch) / "best.keras"
        model.fit(
            images[training],
            labels[training],
            epochs=epochs,
            validation_data=(images[validation], labels[validation]),
            callbacks=[
                keras.callbacks.ModelCheckpoint(best, save_best_only=True),
                keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True),
            ],
            verbose=2,
        )
        trained = keras.models.load_model(best)
    _, accuracy = trained.evaluate(*read_split(folder, "t10k"), verbose=0)
    shipped = build_model()  # never compiled, so it has no optimizer to save
    shipped.set_weights(trained.get_weights())
    shipped.save_weights(output)
    return float(accuracy)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m kerasviz.fashion_mnist.train", description="Train the reference network."
    )
    parser.add_argument("folder", type=Path, help="the folder with the four idx .gz files")
    parser.add_argument("output", type=Path, help="where to save the weights (.weights.h5)")
    parser.add_argument("--epochs", type=int, default=20, help="at most (default: 20)")
    options = parser.parse_args(arguments)
    accuracy = train(options.folder, options.output, epochs=options.epochs)
    print(f"test accuracy {accuracy:.4f}, saved to {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
