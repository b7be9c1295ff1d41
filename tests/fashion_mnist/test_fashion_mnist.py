"""The reference example."""

from __future__ import annotations

import gzip
from pathlib import Path

import keras
import numpy as np
import pytest

from kerasviz import fashion_mnist
from kerasviz.fashion_mnist import train


def test_the_network_is_that_of_the_notes() -> None:
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


def test_the_trained_network_knows_the_samples() -> None:
    images, labels = fashion_mnist.load_samples()
    model = fashion_mnist.load_model()
    assert (images.shape, images.dtype) == ((10, 28, 28, 1), np.float32)
    assert (images.min(), images.max()) == (0, 1)
    np.testing.assert_array_equal(labels, range(10))
    assert len(fashion_mnist.CLASSES) == 10
    right = model.predict(images, verbose=0).argmax(axis=1) == labels
    assert right.sum() >= 9
    assert not model.compiled


def test_accuracy_on_the_test_images() -> None:
    folder = Path("/usr/share/datasets/fashion-mnist")
    if not folder.is_dir():
        pytest.skip("needs the package dataset-fashion-mnist")
    images, labels = train.read_split(folder, "t10k")
    predicted = fashion_mnist.load_model().predict(images, batch_size=500, verbose=0)
    assert np.mean(predicted.argmax(axis=1) == labels) >= 0.91


def test_building_does_not_depend_on_earlier_models() -> None:
    names = [layer.name for layer in fashion_mnist.build_model().layers]
    assert names == [layer.name for layer in fashion_mnist.build_model().layers]
    assert names == [layer.name for layer in fashion_mnist.load_model().layers]


def test_the_split_is_that_of_the_notes() -> None:
    training, validation = train.split_validation(60_000)
    assert (len(training), len(validation)) == (48_000, 12_000)
    assert len(np.union1d(training, validation)) == 60_000
    # From scikit-learn 1.9.1: train_test_split(range(60_000), test_size=0.2, random_state=42)
    assert training[:4].tolist() == [48572, 38696, 13611, 35213]
    assert validation[:4].tolist() == [12628, 37730, 39991, 8525]


def write_idx(path: Path, array: np.ndarray) -> None:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes()))


# Keras's checkpoint turns TensorFlow's variables into arrays in a way that NumPy 2 warns about.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_training_from_idx_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    for name, count in (("train", 40), ("t10k", 20)):
        write_idx(
            tmp_path / f"{name}-images-idx3-ubyte.gz", rng.integers(256, size=(count, 28, 28))
        )
        write_idx(tmp_path / f"{name}-labels-idx1-ubyte.gz", rng.integers(10, size=count))
    images, labels = train.read_split(tmp_path, "train")
    assert (images.shape, labels.shape, images.max()) == ((40, 28, 28, 1), (40,), 1)
    output = tmp_path / "model.weights.h5"
    assert train.main([str(tmp_path), str(output), "--epochs", "1"]) == 0
    assert "saved to" in capsys.readouterr().out
    fashion_mnist.build_model().load_weights(output)


def test_a_file_that_is_no_idx_file(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(b"not idx"))
    with pytest.raises(ValueError, match="`path` must be an idx file"):
        train.read_idx(path)
