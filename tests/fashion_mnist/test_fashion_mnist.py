"""The reference example."""

from __future__ import annotations

import base64
import gzip
import re
from itertools import islice
from pathlib import Path
from typing import ClassVar

import keras
import numpy as np
import pytest
from matplotlib.animation import FuncAnimation
from PIL import Image

from kerasviz import fashion_mnist

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package `dataset-fashion-mnist` puts the files."""


def test_build_model_makes_the_network_of_the_notes() -> None:
    model = fashion_mnist.build_model()
    conv, pool, conv_1, pool_1, flatten, dense, dropout, dense_1 = model.layers
    for layer, filters in ((conv, 32), (conv_1, 64)):
        assert (layer.filters, layer.kernel_size, layer.padding) == (filters, (3, 3), "same")
        assert layer.activation is keras.activations.relu
    assert pool.pool_size == pool_1.pool_size == (2, 2)
    assert pool_1.output.shape == (None, 7, 7, 64)
    assert isinstance(flatten, keras.layers.Flatten)
    assert (dense.units, dropout.rate, dense_1.units) == (100, 0.4, 10)
    assert dense_1.activation is keras.activations.softmax


def test_load_model_knows_the_samples() -> None:
    images, labels = fashion_mnist.load_samples()
    model = fashion_mnist.load_model()
    assert (images.shape, images.dtype) == ((10, 28, 28, 1), np.float32)
    assert (images.min(), images.max()) == (0, 1)
    np.testing.assert_array_equal(labels, range(10))
    assert len(fashion_mnist.CLASSES) == 10
    right = model.predict(images, verbose=0).argmax(axis=1) == labels
    assert right.sum() >= 9
    assert not model.compiled


@pytest.mark.slow
def test_load_model_has_its_accuracy_on_the_test_images() -> None:
    if not DEBIAN.is_dir():
        pytest.skip("needs the package dataset-fashion-mnist")
    _, _, (images, labels) = fashion_mnist.load_data(DEBIAN)
    assert images.shape == (10_000, 28, 28, 1)
    predicted = fashion_mnist.load_model().predict(images, batch_size=500, verbose=0)
    assert np.mean(predicted.argmax(axis=1) == labels) >= 0.91


def test_build_model_does_not_depend_on_earlier_models() -> None:
    names = [layer.name for layer in fashion_mnist.build_model().layers]
    assert names == [layer.name for layer in fashion_mnist.build_model().layers]
    assert names == [layer.name for layer in fashion_mnist.load_model().layers]


def write_idx(path: Path, array: np.ndarray) -> None:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes(), compresslevel=1))


def write_data(place: Path, *, train: np.ndarray, test: np.ndarray) -> None:
    """Write a folder like the real one, with labels drawn by chance."""
    rng = np.random.default_rng(0)
    place.mkdir()
    for name, images in (("train", train), ("t10k", test)):
        write_idx(place / f"{name}-images-idx3-ubyte.gz", images)
        write_idx(place / f"{name}-labels-idx1-ubyte.gz", rng.integers(10, size=len(images)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder like the real one: 40 images to train on, 20 to test."""
    rng = np.random.default_rng(0)
    train, test = (rng.integers(256, size=(count, 28, 28)) for count in (40, 20))
    write_data(tmp_path / "data", train=train, test=test)
    return tmp_path / "data"


def split(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of `train_test_split(test_size=0.2, random_state=42)`, see below."""
    order = np.random.RandomState(42).permutation(count)
    return order[count // 5 :], order[: count // 5]


def test_load_data_splits_as_the_notes_do(tmp_path: Path) -> None:
    """With pictures of two pixels, which are the two bytes of their indices."""
    indices = np.arange(60_000)
    pixels = np.stack([indices // 256, indices % 256], axis=1)[:, np.newaxis]
    write_data(tmp_path / "data", train=pixels, test=pixels[:5])
    training, validation = (
        np.rint(part.images[:, 0, :, 0] * 255).astype(int) @ [256, 1]
        for part in fashion_mnist.load_data(tmp_path / "data")[:2]
    )
    assert (len(training), len(validation)) == (48_000, 12_000)
    assert len(np.union1d(training, validation)) == 60_000
    # From scikit-learn 1.9.1: train_test_split(range(60_000), test_size=0.2, random_state=42)
    assert training[:4].tolist() == [48572, 38696, 13611, 35213]
    assert validation[:4].tolist() == [12628, 37730, 39991, 8525]
    for part, expected in zip((training, validation), split(60_000), strict=True):
        np.testing.assert_array_equal(part, expected)


def test_load_data_reads_a_folder(folder: Path) -> None:
    data = fashion_mnist.load_data(folder)
    assert [len(split.images) for split in data] == [len(split.labels) for split in data]
    assert [split.images.shape for split in data] == [(n, 28, 28, 1) for n in (32, 8, 20)]
    raw = np.frombuffer(
        gzip.decompress((folder / "train-images-idx3-ubyte.gz").read_bytes()), np.uint8, offset=16
    ).reshape(40, 28, 28)
    train, validation = split(40)
    np.testing.assert_allclose(data.train.images[..., 0], raw[train] / 255, rtol=1e-6)
    np.testing.assert_allclose(data.validation.images[..., 0], raw[validation] / 255, rtol=1e-6)
    small = fashion_mnist.load_data(folder, subset=10)
    assert [len(split.labels) for split in small] == [8, 2, 10]
    train, _ = split(10)
    np.testing.assert_allclose(small.train.images[..., 0], raw[train] / 255, rtol=1e-6)


def test_load_data_reads_files_that_were_unzipped(folder: Path) -> None:
    zipped = fashion_mnist.load_data(folder)
    for path in list(folder.iterdir()):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    np.testing.assert_array_equal(fashion_mnist.load_data(folder).test.images, zipped.test.images)


def test_load_data_reads_the_cache_of_keras(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "home" / "datasets"
    cache.mkdir(parents=True)
    folder.rename(cache / "fashion-mnist")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    assert len(fashion_mnist.load_data().train.labels) == 32


def test_load_data_says_that_data_is_not_there(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(FileNotFoundError, match=r"No Fashion-MNIST in .*data\. Let Keras"):
        fashion_mnist.load_data(folder)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "nothing"))
    is_file = Path.is_file
    monkeypatch.setattr(
        Path, "is_file", lambda path: not path.is_relative_to(DEBIAN) and is_file(path)
    )
    with pytest.raises(FileNotFoundError, match=rf"nothing.datasets.fashion-mnist or {DEBIAN}"):
        fashion_mnist.load_data()
    with pytest.raises(FileNotFoundError, match="dataset-fashion-mnist"):
        fashion_mnist.train(output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("subset", [4, 0, "10", 2.5])
def test_load_data_refuses_a_subset_that_is_not_a_number_of_images(subset: object) -> None:
    with pytest.raises(ValueError, match="`subset` must be an integer of at least 5"):
        fashion_mnist.load_data("nowhere", subset=subset)


@pytest.mark.slow
def test_train_stops_early_and_keeps_the_best_weights(folder: Path) -> None:
    class Seen(keras.callbacks.Callback):
        weights: ClassVar[list[list[np.ndarray]]] = []

        def on_epoch_end(self, *_: object) -> None:
            self.weights.append(self.model.get_weights())

    run = fashion_mnist.train(folder, epochs=30, batch_size=16, callbacks=[Seen()])
    losses = run.history.history["val_loss"]
    assert len(losses) < 30, "labels drawn by chance cannot be learned"
    assert len(losses) == np.argmin(losses) + 1 + 2
    for kept, best in zip(run.model.get_weights(), Seen.weights[np.argmin(losses)], strict=True):
        np.testing.assert_array_equal(kept, best)
    assert not run.files
    keras.utils.set_random_seed(0)
    for kept, first in zip(
        run.untrained.get_weights(), fashion_mnist.build_model().get_weights(), strict=True
    ):
        np.testing.assert_array_equal(kept, first)


def test_train_returns_the_accuracy_on_the_test_images(folder: Path) -> None:
    run = fashion_mnist.train(folder, epochs=1, subset=20)
    data = fashion_mnist.load_data(folder, subset=20)
    _, accuracy = run.model.evaluate(*data.test, verbose=0)
    assert run.accuracy == pytest.approx(accuracy)


@pytest.mark.slow
# Keras's checkpoint turns TensorFlow's variables into arrays in a way that NumPy 2 warns about.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_train_writes_the_whole_chapter(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    every_frame = FuncAnimation.new_saved_frame_seq  # few frames, which are what takes time
    monkeypatch.setattr(
        FuncAnimation, "new_saved_frame_seq", lambda self: islice(every_frame(self), 4)
    )
    output = tmp_path / "chapter"
    run = fashion_mnist.train(folder, output, epochs=2)
    assert not capsys.readouterr().out
    assert set(run.files) == set(output.iterdir())
    best = keras.models.load_model(output / "best-model.keras")
    for saved, kept in zip(best.get_weights(), run.model.get_weights(), strict=True):
        np.testing.assert_array_equal(saved, kept)
    log = (output / "history.csv").read_text().splitlines()
    assert log[0].split(",") == ["epoch", "accuracy", "loss", "val_accuracy", "val_loss"]
    assert len(log) == 3
    pictures = [path for path in run.files if path.suffix in (".png", ".gif")]
    assert len(pictures) == 19
    assert [int(path.name[:2]) for path in run.files[2:-1]] == list(range(1, 21))
    page = (output / "index.html").read_text(encoding="utf-8")
    ids = re.findall(r'<section id="([^"]+)">', page)
    assert ids == [path.stem for path in run.files[2:-1]] == re.findall(r'href="#([^"]+)"', page)
    images = re.findall(r'src="data:image/\w+;base64,([^"]+)"', page)
    assert [base64.b64decode(data) for data in images] == [path.read_bytes() for path in pictures]
    assert not re.search(r"https?://|<script|style=", page)
    for path in pictures:
        with Image.open(path) as picture:
            assert len(picture.convert("RGB").getcolors(maxcolors=1 << 24)) > 20, path
    table = (output / "14-kernel-statistics.txt").read_text()
    assert f"{run.model.layers[0].get_weights()[0].std():.3}" in table


@pytest.mark.parametrize(
    ("suffix", "content", "message"),
    [
        (".gz", gzip.compress(b"\0\0\x08\1\0\0\0\2ab", mtime=0)[:-12], "is damaged"),
        ("", b"\0\0\x08\1\0\0\0\2a", "must hold 2 values. Received: 1,"),
        ("", b"not idx", "must be an idx file"),
        (".gz", gzip.compress(b"not idx", mtime=0), "must be an idx file"),
    ],
)
def test_load_data_refuses_damaged_idx_files(
    folder: Path, suffix: str, content: bytes, message: str
) -> None:
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    path = folder / f"t10k-labels-idx1-ubyte{suffix}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"`path` {message}.*path={path}"):
        fashion_mnist.load_data(folder)
