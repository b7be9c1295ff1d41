"""The whole of Fashion-MNIST, from files that are on this machine already."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kerasviz._checks import check_path

SPLIT_SEED = 42
FILES = {
    "train images": "train-images-idx3-ubyte",
    "train labels": "train-labels-idx1-ubyte",
    "test images": "t10k-images-idx3-ubyte",
    "test labels": "t10k-labels-idx1-ubyte",
}
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package `dataset-fashion-mnist` puts the files."""


class Split(NamedTuple):
    """Images `(n, 28, 28, 1)`, float32 with values in 0 to 1, and their labels `(n,)`, 0 to 9."""

    images: np.ndarray
    labels: np.ndarray


class Dataset(NamedTuple):
    """The images to train on, to decide when to stop, and to judge the network by."""

    train: Split
    validation: Split
    test: Split


def load_data(
    folder: str | os.PathLike[str] | None = None, *, subset: int | None = None
) -> Dataset:
    """Load Fashion-MNIST: 48,000 images to train on, 12,000 to validate, 10,000 to test.

    The validation images are those of scikit-learn's `train_test_split(images, test_size=0.2,
    random_state=42)`. Nothing is downloaded.

    Args:
        folder: The folder with the four idx files, gzipped or not. `None` for Keras's cache, where
            `keras.datasets.fashion_mnist.load_data()` puts them, or the folder of Debian's package
            `dataset-fashion-mnist`.
        subset: Take only this number of training images, before they are split, and at most so
            many test images.

    Returns:
        A `Dataset` of three `Split`s: `train`, `validation` and `test`.

    Raises:
        FileNotFoundError: The files are not there; the message says how to get them.
        ValueError: `subset` is not a number of images, or a file is not an idx file.

    Example:
        >>> from kerasviz import fashion_mnist
        >>> data = fashion_mnist.load_data()  # doctest: +SKIP
        >>> data.train.images.shape  # doctest: +SKIP
        (48000, 28, 28, 1)
    """
    if subset is not None and not (isinstance(subset, (int, np.integer)) and subset >= 5):
        raise ValueError(f"`subset` must be an integer of at least 5. Received: subset={subset!r}")
    paths = find_files(folder)
    images, labels = read_split(paths["train images"], paths["train labels"], subset)
    train, validation = split_validation(len(images))
    return Dataset(
        Split(images[train], labels[train]),
        Split(images[validation], labels[validation]),
        read_split(paths["test images"], paths["test labels"], subset),
    )


def find_files(folder: str | os.PathLike[str] | None = None) -> dict[str, Path]:
    """Return the four files, by what is in them.

    Raises:
        FileNotFoundError: One of them is in none of the folders.
    """
    keras_home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    folders = [keras_home / "datasets" / "fashion-mnist", DEBIAN]
    if folder is not None:
        folders = [check_path("folder", folder)]
    for place in folders:
        paths = {
            what: path
            for what, name in FILES.items()
            for path in (place / name, place / f"{name}.gz")
            if path.is_file()
        }
        if len(paths) == len(FILES):
            return paths
    raise FileNotFoundError(
        f"No Fashion-MNIST in {' or '.join(map(str, folders))}. Let Keras download it once with "
        "keras.datasets.fashion_mnist.load_data(), install Debian's package dataset-fashion-mnist, "
        f"or name a folder that holds {', '.join(f'{name}.gz' for name in FILES.values())}."
    )


def read_split(images: Path, labels: Path, count: int | None = None) -> Split:
    """Read images, scaled to 0 to 1, and their labels; only the first `count` of them."""
    pixels = read_idx(images)[:count]
    return Split(pixels[..., np.newaxis].astype("float32") / 255.0, read_idx(labels)[:count])


def read_idx(path: Path) -> np.ndarray:
    """Read an idx file of unsigned bytes, the format of MNIST and Fashion-MNIST.

    The format: two zero bytes, a type code (8 for unsigned bytes), the number of dimensions,
    each dimension as a big-endian 32-bit integer, then the values in row-major order.
    Source: "The IDX file format" on the MNIST data set's page.
    """
    data = path.read_bytes()
    if path.suffix == ".gz":
        try:
            data = gzip.decompress(data)
        except (EOFError, zlib.error) as error:
            raise ValueError(f"`path` is damaged: {error}. Received: path={path}") from error
    if data[:3] != b"\0\0\x08":
        raise ValueError(f"`path` must be an idx file of unsigned bytes. Received: path={path}")
    rank = data[3]
    start = 4 + 4 * rank
    shape = np.frombuffer(data[4:start], ">u4").astype(int)
    if len(data) - start != shape.prod():
        raise ValueError(
            f"`path` must hold {shape.prod()} values. Received: {len(data) - start}, path={path}"
        )
    return np.frombuffer(data[start:], np.uint8).reshape(shape)


def split_validation(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of 80 % training and 20 % validation samples.

    The same split as scikit-learn's `train_test_split(test_size=0.2, random_state=42)`, which
    takes the validation part from the head of a permutation.
    """
    order = np.random.RandomState(SPLIT_SEED).permutation(count)
    validation = -(-count // 5)
    return order[validation:], order[:validation]
