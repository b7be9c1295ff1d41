"""Feature maps batch by batch, to an iterator and to files."""

from __future__ import annotations

import errno
import gc
import os
import re
import tracemalloc
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

import kerasviz


class Batches(keras.utils.PyDataset):
    """Three batches of images with targets, as `model.fit` takes them."""

    def __init__(self, images: np.ndarray) -> None:
        super().__init__()
        self.images = images

    def __len__(self) -> int:
        return 3

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        return self.images[2 * number : 2 * number + 2], np.zeros(2)


@pytest.fixture
def images(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(6, 12, 12, 1)).astype("float32")


@pytest.fixture
def expected(grey_model: keras.Model, images: np.ndarray) -> dict[str, np.ndarray]:
    """What Keras's own layer calls give."""
    first, second, _ = grey_model.layers
    maps = first(images)
    return {
        "first": keras.ops.convert_to_numpy(maps),
        "second": keras.ops.convert_to_numpy(second(maps)),
    }


def pairs(images: np.ndarray) -> object:
    return ((images[i : i + 2], np.zeros(2)) for i in range(0, 6, 2))


def loose(images: np.ndarray) -> object:
    return (images[i : i + 3, ..., 0] for i in range(0, 6, 3))


def singles(images: np.ndarray) -> object:
    return (image for image in images)


@pytest.mark.parametrize("source", [np.asarray, Batches, pairs, loose, singles])
def test_iter_feature_maps_gives_what_the_layers_give(source, grey_model, images, expected) -> None:
    batches = list(
        kerasviz.iter_feature_maps(grey_model, ["first", "second"], source(images), batch_size=4)
    )
    assert len(batches) > 1
    for address, maps in expected.items():
        joined = np.concatenate([batch[address] for batch in batches])
        np.testing.assert_allclose(joined, maps, rtol=1e-5, atol=1e-5)


def test_iter_feature_maps_takes_a_dataset_of_tensorflow(grey_model, images, expected) -> None:
    tf = pytest.importorskip("tensorflow")
    dataset = tf.data.Dataset.from_tensor_slices((images, np.arange(6))).batch(4)
    batches = list(kerasviz.iter_feature_maps(grey_model, "second", dataset))
    assert [len(batch) for batch in batches] == [4, 2]
    np.testing.assert_allclose(np.concatenate(batches), expected["second"], rtol=1e-5, atol=1e-5)


def test_iter_feature_maps_takes_a_loader_of_pytorch(grey_model, images, expected) -> None:
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.from_numpy(images), torch.arange(6))
    loader = torch.utils.data.DataLoader(data, batch_size=4)
    batches = list(kerasviz.iter_feature_maps(grey_model, "second", loader))
    np.testing.assert_allclose(np.concatenate(batches), expected["second"], rtol=1e-5, atol=1e-5)


def test_iter_feature_maps_takes_a_stream_of_several_inputs() -> None:
    left, right = keras.Input((8, 8, 1), name="left"), keras.Input((8, 8, 1), name="right")
    conv = keras.layers.Conv2D(2, 3, name="conv")
    model = keras.Model([left, right], keras.layers.Add(name="sum")([conv(left), conv(right)]))
    a, b = np.random.default_rng(0).normal(size=(2, 4, 8, 8, 1)).astype("float32")
    batches = ({"left": a[i : i + 2], "right": b[i : i + 2]} for i in (0, 2))
    maps = np.concatenate(list(kerasviz.iter_feature_maps(model, "sum", batches)))
    np.testing.assert_allclose(maps, model.predict([a, b], verbose=0), rtol=1e-5, atol=1e-5)


def read(path: Path) -> dict[str, np.ndarray]:
    if path.suffix == ".zarr":
        zarr = pytest.importorskip("zarr")
        group = zarr.open_group(path, mode="r")
        return {name: group[name][:] for name in group}
    with h5py.File(path) as file:
        return {name: file[name][:] for name in file}


@pytest.mark.parametrize("source", [np.asarray, pairs])
@pytest.mark.parametrize("suffix", [".h5", ".hdf5", ".zarr"])
def test_save_feature_maps_writes_files_of_several_layers(
    suffix, source, grey_model, images, expected, tmp_path: Path
) -> None:
    if suffix == ".zarr":
        pytest.importorskip("zarr")
    path = tmp_path / f"maps{suffix}"
    layers = ["first", "second"]
    written = kerasviz.save_feature_maps(grey_model, layers, source(images), path, batch_size=4)
    assert written == path
    assert list(tmp_path.iterdir()) == [path]
    found = read(path)
    assert set(found) == set(layers)
    for address, maps in expected.items():
        np.testing.assert_allclose(found[address], maps, rtol=1e-5, atol=1e-5)
    kerasviz.save_feature_maps(grey_model, "first", images[:1], path)  # again, over the old file
    assert {name: len(maps) for name, maps in read(path).items()} == {"first": 1}


@pytest.mark.parametrize("source", [np.asarray, pairs])
def test_save_feature_maps_writes_a_memory_mapped_file(
    source, grey_model, images, expected, tmp_path: Path
) -> None:
    path = tmp_path / "maps.npy"
    kerasviz.save_feature_maps(grey_model, "second", source(images), path, batch_size=4)
    maps = np.load(path, mmap_mode="r")
    assert isinstance(maps, np.memmap)
    np.testing.assert_allclose(maps, expected["second"], rtol=1e-5, atol=1e-5)


def test_save_feature_maps_has_addresses_in_nested_models_as_keys(
    grey_model, images, tmp_path: Path
) -> None:
    outer = keras.Sequential([keras.Input((12, 12, 1)), grey_model])
    path = kerasviz.save_feature_maps(outer, "grey/second", images, tmp_path / "maps.h5")
    with h5py.File(path) as file:
        maps = file["grey/second"][:]
    np.testing.assert_allclose(
        maps, kerasviz.get_feature_maps(grey_model, "second", images), rtol=1e-5, atol=1e-5
    )


def test_save_feature_maps_shows_a_progress_bar_only_on_demand(
    grey_model, images, tmp_path, capsys
) -> None:
    path = tmp_path / "maps.npy"
    kerasviz.save_feature_maps(grey_model, "first", images, path)
    assert not capsys.readouterr().out
    kerasviz.save_feature_maps(grey_model, "first", images, path, batch_size=4, verbose=1)
    assert "6/6" in capsys.readouterr().out
    stream = (images[i : i + 1] for i in range(6))
    kerasviz.save_feature_maps(grey_model, "first", stream, path, verbose=1)
    assert re.search(r"6/.*\n$", capsys.readouterr().out)


def test_save_feature_maps_takes_no_more_memory_for_more_images(grey_model, tmp_path: Path) -> None:
    def peak(batches: int) -> int:
        gc.collect()
        tracemalloc.start()
        stream = (np.ones((64, 12, 12, 1), "float32") for _ in range(batches))
        kerasviz.save_feature_maps(grey_model, "first", stream, tmp_path / "maps.npy")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(2)
    few, many = peak(4), peak(40)
    maps = 40 * 64 * 10 * 11 * 4 * 4
    assert many < few + maps / 20


@pytest.mark.parametrize(
    ("layer", "inputs", "name", "error", "message"),
    [
        ("frist", iter([]), "m.npy", ValueError, "Did you mean 'first'"),
        ("first", iter([]), "m.npy", ValueError, "`inputs` must hold at least one batch"),
        ("first", np.zeros((2, 5, 5, 1)), "m.npy", ValueError, "must have the shape"),
        ("first", iter([np.zeros((2, 5, 5, 1))]), "m.h5", ValueError, "must have the shape"),
        (None, np.zeros((2, 12, 12, 1)), "m.npy", ValueError, ".hdf5, .zarr or .parquet for"),
        ("first", np.zeros((2, 12, 12, 1)), "m.csv", ValueError, "`path` must end in .npy, .h5"),
        ("first", np.zeros((2, 12, 12, 1)), "no/m.npy", FileNotFoundError, "m.npy"),
    ],
)
def test_save_feature_maps_leaves_no_file_after_a_mistake(
    layer, inputs, name, error, message, grey_model, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        kerasviz.save_feature_maps(grey_model, layer, inputs, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_save_feature_maps_keeps_the_file_that_was_there_after_a_failure(
    grey_model, images, tmp_path: Path
) -> None:
    path = kerasviz.save_feature_maps(grey_model, "first", images, tmp_path / "maps.npy")
    before = path.read_bytes()

    def broken() -> object:
        yield images
        raise RuntimeError("the disk of the images is gone")

    with pytest.raises(RuntimeError, match="is gone"):
        kerasviz.save_feature_maps(grey_model, "first", broken(), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_save_feature_maps_refuses_maps_of_different_sizes(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((None, None, 1)), keras.layers.Conv2D(2, 3, name="c")])
    batches = [np.zeros((1, size, size, 1)) for size in (8, 9)]
    sizes = [maps.shape[1] for maps in kerasviz.iter_feature_maps(model, "c", iter(batches))]
    assert sizes == [6, 7]
    for name in ("maps.npy", "maps.h5"):
        with pytest.raises(ValueError, match=r"maps of one size.*\(6, 6, 2\) and \(7, 7, 2\)"):
            kerasviz.save_feature_maps(model, "c", iter(batches), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_iter_feature_maps_builds_a_model_from_the_first_batch(
    images,
) -> None:
    model = keras.Sequential([keras.layers.Conv2D(2, 3, name="c")])
    with pytest.raises(ValueError, match="No such layer in the model"):
        kerasviz.iter_feature_maps(model, "d", iter([images]))
    (maps,) = kerasviz.iter_feature_maps(model, "c", iter([images]))
    assert maps.shape == (6, 10, 10, 2)


def test_save_feature_maps_refuses_a_layer_with_several_outputs_at_once(
    tmp_path: Path,
) -> None:
    class Two(keras.layers.Layer):
        def call(self, x: object) -> object:
            return x + 1, x + 2

    inputs = keras.Input((4, 4, 1))
    one, _ = Two(name="two")(inputs)
    model = keras.Model(inputs, one)
    with pytest.raises(ValueError, match="`layer` must name layers with one output"):
        kerasviz.save_feature_maps(model, "two", np.zeros((1, 4, 4, 1)), tmp_path / "m.h5")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["maps.npy", "maps.h5", "maps.zarr", "link.npy"])
def test_save_feature_maps_replaces_no_folder(name, grey_model, tmp_path: Path) -> None:
    real = tmp_path / ("real" if name.startswith("link") else name)
    (real / "sub").mkdir(parents=True)
    (real / "sub" / "thesis.txt").write_text("years of work")
    if name.startswith("link"):
        (tmp_path / name).symlink_to(real)

    def batches() -> object:
        pytest.fail("the model was asked to run")
        yield

    with pytest.raises(OSError, match=r"`path` must be where a \.\w+ file can be written"):
        kerasviz.save_feature_maps(grey_model, "first", batches(), tmp_path / name)
    assert (real / "sub" / "thesis.txt").read_text() == "years of work"


def test_save_feature_maps_replaces_only_a_folder_of_nothing_but_zarr(
    grey_model, images, expected, tmp_path: Path
) -> None:
    zarr = pytest.importorskip("zarr")
    path = tmp_path / "maps.zarr"
    for version in (2, 3):
        group = zarr.open_group(path, mode="w", zarr_format=version)
        group.create_array("a/b", shape=(4, 4), chunks=(2, 2), dtype="float32")[:] = 1
        kerasviz.save_feature_maps(grey_model, "first", images, path)
        np.testing.assert_allclose(read(path)["first"], expected["first"], atol=1e-5)
    (path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="`path`"):
        kerasviz.save_feature_maps(grey_model, "first", images, path)
    assert (path / "notes.txt").read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


def test_save_feature_maps_leaves_files_of_others_beside_the_target(
    grey_model, images, tmp_path: Path
) -> None:
    own, victim = tmp_path / "maps.npy.partial", tmp_path / "victim"
    own.write_text("mine")
    victim.write_text("precious")
    (tmp_path / "planted.npy.partial").symlink_to(victim)
    for name in ("maps.npy", "planted.npy"):
        kerasviz.save_feature_maps(grey_model, "first", images, tmp_path / name)
        assert not (tmp_path / name).is_symlink()
        with pytest.raises(ValueError, match="at least one batch"):
            kerasviz.save_feature_maps(grey_model, "first", iter([]), tmp_path / name)
    assert own.read_text() == "mine"
    assert victim.read_text() == "precious"


@pytest.fixture
def small_disk():
    """Let no file grow beyond 20 kB, which fails as a full disk does."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.usefixtures("small_disk")
def test_save_feature_maps_says_that_a_disk_is_full(grey_model, tmp_path: Path) -> None:
    path = tmp_path / "maps.npy"
    path.write_bytes(b"old")
    batches = (np.ones((8, 12, 12, 1), "float32") for _ in range(9))
    with pytest.raises(OSError, match="maps") as error:
        kerasviz.save_feature_maps(grey_model, "first", batches, path)
    assert str(error.value) == f"[Errno {errno.EFBIG}] {os.strerror(errno.EFBIG)}: {str(path)!r}"
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", [".npy", ".h5"])
def test_save_feature_maps_keeps_finished_maps_where_the_file_cannot_get_its_name(
    suffix, grey_model, images, expected, tmp_path: Path
) -> None:
    path = tmp_path / f"maps{suffix}"

    def batches() -> object:
        yield images
        path.mkdir()  # someone else's, while the model ran

    with pytest.raises(OSError, match="complete and kept as") as error:
        kerasviz.save_feature_maps(grey_model, "first", batches(), path)
    (kept,) = (file for file in tmp_path.iterdir() if file != path)
    assert str(kept) in str(error.value)
    maps = np.load(kept) if suffix == ".npy" else read(kept)["first"]
    np.testing.assert_allclose(maps, expected["first"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("keyword", "value", "error"),
    [
        ("path", None, TypeError),
        ("path", 3, TypeError),
        ("verbose", True, ValueError),
        ("verbose", 2, ValueError),
        ("batch_size", True, ValueError),
        ("batch_size", np.True_, ValueError),
    ],
)
def test_save_feature_maps_refuses_wrong_keywords(
    keyword, value, error, grey_model, images, tmp_path
) -> None:
    options = {"path": tmp_path / "maps.npy", keyword: value}
    with pytest.raises(error, match=f"`{keyword}` must be"):
        kerasviz.save_feature_maps(grey_model, "first", images, **options)
    assert not list(tmp_path.iterdir())
