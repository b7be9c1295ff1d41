"""The names of the folders and files of pictures, as `KernelSnapshots` writes them."""

from __future__ import annotations

import errno
import re

import keras
import pytest

from kerasviz import KernelSnapshots, Snapshots, plot_kernels

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)
"""Keras's own warning, ignored everywhere; `pytest.warns` sends it on without Keras's name."""


def possible(names):
    """Return the names that a layer can have: PyTorch refuses a point in the name of a module."""
    return [name for name in names if keras.backend.backend() != "torch" or "." not in name]


ODD = ["encoder:1-conv", "encoder-1-conv", "encoder 1:conv", "a b", "..", ".", "con", "COM1"]


@pytest.fixture
def write_pictures(tmp_path):
    """Write a picture of each of some layers with these names; return the names of the folders."""

    def write(names):
        layers = [keras.layers.Conv2D(1, 1, name=name) for name in names]
        model = keras.Sequential([keras.Input((2, 2, 1)), *layers])
        callback = KernelSnapshots(layers, directory=tmp_path, colorbar=False, title=False)
        callback.set_model(model)
        callback.on_train_begin()
        callback.on_epoch_begin(0)
        callback.on_epoch_end(0)
        callback.on_train_end()
        return sorted(path.name for path in tmp_path.iterdir())

    return write


def test_kernel_snapshots_name_files_by_address_where_that_is_a_name(write_pictures):
    plain = possible(["conv2d", "conv2d_1", "block1.conv", "Conv1", "계층"])
    assert write_pictures(plain) == sorted(plain)


@pytest.mark.parametrize("addresses", [ODD, ["Conv", "conv"], ["x" * 300, "x" * 301]], ids=len)
def test_kernel_snapshots_give_each_layer_a_safe_name_of_its_own(write_pictures, addresses):
    addresses = possible(addresses)
    names = write_pictures(addresses)
    assert len({name.casefold() for name in names}) == len(addresses)
    for name in names:
        assert re.fullmatch(r"[\w-][\w.-]*", name)
        assert name.lower() not in ("con", "com1")
        assert len(name) < 100


def test_kernel_snapshots_make_a_folder(model, fit, tmp_path, files):
    fit(model, KernelSnapshots("first", directory=tmp_path / "a/b"), epochs=1)
    assert files(tmp_path) == ["a/b/first/kernels-epoch-0001.png"]


@pytest.mark.parametrize("path", ["file", "file/below"])
def test_kernel_snapshots_refuse_a_folder_that_cannot_be_written_to(model, fit, tmp_path, path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="`gif` must be a folder that can be written to: ") as error:
        fit(model, KernelSnapshots(gif=tmp_path / path))
    assert error.value.errno in (errno.EEXIST, errno.ENOTDIR)
    assert str(error.value).endswith(f"Received: gif='{tmp_path / path}'")


def test_kernel_snapshots_never_overwrite_pictures(model, fit, tmp_path):
    """Three callbacks that write to one folder at the same time."""
    folder = tmp_path / "first"
    callbacks = [KernelSnapshots("first", directory=tmp_path) for _ in range(3)]
    fit(model, *callbacks, epochs=1)
    names = sorted(path.name for path in folder.glob("*.png"))
    assert names == [
        "kernels-epoch-0001-2.png",
        "kernels-epoch-0001-3.png",
        "kernels-epoch-0001.png",
    ]
    before = {path: path.read_bytes() for path in folder.glob("*.png")}
    fit(model, callbacks[0], epochs=2)
    assert (folder / "kernels-epoch-0002.png").exists()
    assert all(path.read_bytes() == content for path, content in before.items())


@pytest.mark.slow
def test_snapshots_count_on_from_the_last_picture_of_their_kind(model, fit, tmp_path):
    fit(model, epochs=1)  # since it is warned of a model that was never trained
    for name in (
        "kernels-epoch-12345.png",
        "feature_maps-epoch-99999.png",
        "kernels-epoch-77777.gif",
        "kernels-batch-01000000.png",
    ):
        (tmp_path / "first").mkdir(exist_ok=True)
        (tmp_path / "first" / name).write_bytes(b"")
    numbers = []
    for every, function in ((1, "kernels"), ("1 batch", "kernels"), ("1 batch", "kernel")):
        callback = Snapshots(
            plot_kernels,
            name=function,
            every=every,
            directory=tmp_path,
            on_plot=lambda number, *_: numbers.append(number),
        )
        fit(model, callback, epochs=1)
    assert numbers == [12346, *(10**6 + n for n in (1, 2, 3)), 1, 2, 3]
