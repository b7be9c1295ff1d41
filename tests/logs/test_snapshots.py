"""Check that what snapshots record is read again as it was, under names that sort."""

import keras
import numpy as np
import pytest
from matplotlib.figure import Figure

import kerasviz
from kerasviz import FeatureMapSnapshots, KernelSnapshots
from training import train

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)
"""Keras's own warning, ignored everywhere; `pytest.warns` sends it on without Keras's name."""


@pytest.fixture(scope="module")
def siamese():
    """Return a model that calls its "encoder", with a convolution "conv", on two inputs."""
    encoder = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Conv2D(5, 3, name="conv")], name="encoder"
    )
    inputs = keras.Input((8, 8, 1))
    model = keras.Model(inputs, keras.layers.add([encoder(inputs), encoder(-inputs)]))
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    return model


@pytest.fixture
def images(rng):
    return rng.normal(size=(2, 8, 8, 1)).astype("float32")


@pytest.fixture
def record(siamese, images):
    """Train for some epochs, in each of which callbacks record."""

    def record(*callbacks, epochs=1):
        targets = np.zeros((2, 6, 6, 5), "float32")
        train(siamese, images, targets, callbacks, epochs=epochs)

    return record


def plot_snapshots(folder, *args, **options):
    return kerasviz.plot_snapshots(folder, *args, figure=Figure(figsize=(12, 8)), **options)


def titles(plot):
    return [" ".join(panel.title.split()) for panel in plot.panels]


def test_plot_snapshots_has_the_addresses_the_values_and_the_order(
    record, siamese, images, tmp_path
):
    record(
        FeatureMapSnapshots(images, "encoder:*/conv", sample=1, tiles=[3, 1], directory=tmp_path)
    )
    plot = plot_snapshots(tmp_path)
    assert [panel.address for panel in plot.panels] == ["encoder:0/conv", "encoder:1/conv"]
    for panel in plot.panels:
        maps = kerasviz.get_feature_maps(siamese, panel.address, images)
        assert panel.indices.tolist() == [3, 1]
        np.testing.assert_allclose(
            panel.values, np.moveaxis(maps[1], -1, 0)[[3, 1]], rtol=1e-4, atol=1e-5
        )
        assert "sample 1 of 2" in panel.title


def test_plot_snapshots_has_the_steps_in_the_order_of_their_numbers(record, tmp_path):
    record(KernelSnapshots(directory=tmp_path, every="1 batch"))
    (path,) = tmp_path.rglob("*.npz")
    assert path.name == "kernels-batch-00000001.npz"
    for step in (10**8, 7, 12345):
        np.savez(
            path.with_name(f"kernels-batch-{step:08d}.npz"), **{**dict(np.load(path)), "step": step}
        )
    path.with_name("other.npz").write_bytes(b"")
    assert [title.split("batch ")[1] for title in titles(plot_snapshots(tmp_path))] == [
        "1",
        "7",
        "12345",
        "100000000",
    ]


def test_kernel_snapshots_with_other_settings_are_a_series_of_their_own(record, tmp_path):
    record(KernelSnapshots(gif=tmp_path, channel=0))
    record(KernelSnapshots(gif=tmp_path, channel=0))
    record(KernelSnapshots(gif=tmp_path, channel="mean"))
    (folder,) = tmp_path.iterdir()
    assert sorted(path.name for path in folder.iterdir()) == [
        "kernels-2-epoch-0003.npz",
        "kernels-2.gif",
        "kernels-epoch-0001.npz",
        "kernels-epoch-0002.npz",
        "kernels.gif",
    ]
    assert len(plot_snapshots(tmp_path, kind="kernels").panels) == 2
    (folder / "kernels-2-epoch-0003.npz").unlink()  # of whose animation nothing is known now
    record(KernelSnapshots(gif=tmp_path, channel="mean"))
    assert (folder / "kernels-3.gif").exists()


@pytest.mark.few(2)
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY", b"text"], ids=str)
def test_plot_snapshots_refuses_a_file_of_something_else(record, tmp_path, content):
    record(KernelSnapshots(directory=tmp_path))
    (path,) = tmp_path.rglob("*.npz")
    path.write_bytes(content)
    message = rf"`folder` must hold records that can be read.*{path.name}' cannot be read"
    with pytest.raises(ValueError, match=message):
        plot_snapshots(tmp_path)
