"""Data sets of Ray, on a local cluster of two workers, against the same on this machine."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import kerasviz

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("default")]
L = keras.layers
SAMPLES, PLACES = 31, 5


@pytest.fixture(scope="module", name="data")
def _cluster() -> Iterator[Any]:
    import ray
    import ray.data

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield ray.data
    ray.shutdown()


def _model(*more: keras.Layer) -> keras.Model:
    keras.utils.set_random_seed(0)
    layers = [L.Conv2D(4, 3, activation="relu", name="a"), *more, L.Conv2D(6, (2, 3), name="b")]
    return keras.Sequential([keras.Input((11, 9, 2)), *layers])


def _images() -> np.ndarray:
    # Of few values, and some of the images twice, so that there are ties.
    images = np.random.default_rng(0).integers(0, 3, (SAMPLES, 11, 9, 2)).astype("float32")
    images[20:25] = images[3:8]
    return images


def _words() -> np.ndarray:
    return np.array(["boot", "bag", "coat"])[np.random.default_rng(1).integers(0, 3, SAMPLES)]


def _rows(images: Any = None) -> list[dict[str, Any]]:
    images = _images() if images is None else images
    pairs = zip(images, _words(), strict=True)
    return [{"image": image, "label": str(word)} for image, word in pairs]


def _assert_same(a: kerasviz.FilterStatistics, b: kerasviz.FilterStatistics) -> None:
    assert (a.address, a.samples, a.classes) == (b.address, b.samples, b.classes)
    for name in ("values", "indices", "positions", "crops", "maximum", "minimum", "firing_rate"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
    for name in ("mean", "std", "correlation", "class_means"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-5, atol=1e-5)


def test_filter_statistics_on_a_cluster_equals_one_machine(
    data: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    model = _model()
    dataset = data.from_items(_rows(), override_num_blocks=9)
    order = dataset.context.execution_options.preserve_order
    options: dict[str, Any] = {"images": PLACES, "batch_size": 4}
    there = kerasviz.filter_statistics(
        model, ["a", "b"], dataset, labels="label", verbose=1, **options
    )
    # The bar ends with all rows, and its line.
    assert re.search(rf"\b{SAMPLES}/\S+ .*\n", capsys.readouterr().out)
    here = kerasviz.filter_statistics(model, ["a", "b"], _images(), labels=_words(), **options)
    for address, statistics in here.items():
        _assert_same(there[address], statistics)
    assert dataset.context.execution_options.preserve_order == order


def _deadly(path: Path) -> keras.Layer:
    # Of a class that workers cannot import, as those of a notebook.
    class Deadly(keras.Layer):
        """Kills, once, the process in which it sees a value above 2."""

        def __init__(self, flag: str, **options: Any) -> None:
            super().__init__(**options)
            self.flag = flag

        def call(self, x: Any) -> Any:
            if float(keras.ops.max(x)) > 100 and not os.path.exists(self.flag):  # noqa: PTH110
                os.close(os.open(self.flag, os.O_CREAT))
                os.kill(os.getpid(), signal.SIGKILL)
            return x

        def compute_output_shape(self, shape: Any) -> Any:
            return shape

        def get_config(self) -> Any:
            return {**super().get_config(), "flag": self.flag}

    return Deadly(str(path))


def test_filter_statistics_on_a_cluster_that_loses_a_worker(data: Any, tmp_path: Path) -> None:
    model, images = _model(_deadly(tmp_path / "killed")), _images()
    images[17] *= 1000  # in the middle of the second of three blocks
    dataset = data.from_items(_rows(images), override_num_blocks=3)
    there = kerasviz.filter_statistics(model, "b", dataset, labels="label", batch_size=2)
    assert (tmp_path / "killed").exists()
    _assert_same(there, kerasviz.filter_statistics(model, "b", images, labels=_words()))


def test_filter_statistics_on_a_cluster_names_the_row_that_is_not_finite(data: Any) -> None:
    images = _images()
    images[17, 3, 3] = np.nan
    dataset = data.from_items(_rows(images), override_num_blocks=4)
    with pytest.raises(ValueError, match="'a' returns NaN or infinite values for image 17"):
        kerasviz.filter_statistics(_model(), "a", dataset)


def test_save_feature_maps_of_a_cluster(data: Any, tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr")
    model = _model()
    dataset = data.from_items(_rows(), override_num_blocks=4)
    path = kerasviz.save_feature_maps(model, None, dataset, tmp_path / "m.zarr", batch_size=4)
    group = zarr.open_group(path, mode="r")
    for address, maps in kerasviz.get_feature_maps(model, None, _images()).items():
        np.testing.assert_allclose(group[address][:], maps, rtol=1e-5, atol=1e-5)


def test_save_feature_maps_of_a_cluster_to_parquet(data: Any, tmp_path: Path) -> None:
    import pyarrow.parquet

    model, names = _model(L.MaxPooling2D(2, name="p")), ["a", "p", "b"]
    dataset = data.from_items(_rows(), override_num_blocks=4)
    path = kerasviz.save_feature_maps(model, names, dataset, tmp_path / "m.parquet", batch_size=4)
    table = pyarrow.parquet.read_table(path)
    assert table.column_names == names
    for address, maps in kerasviz.get_feature_maps(model, names, _images()).items():
        tensors = table[address].combine_chunks().to_numpy_ndarray()
        np.testing.assert_allclose(tensors, maps, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("columns", "options", "error", "words"),
    [
        (["image", "label"], {"labels": [0] * SAMPLES}, TypeError, "the name of a column"),
        (["image", "label"], {"labels": "class"}, ValueError, "'image', 'label'. Received"),
        (["image", "label"], {"checkpoint": "c.npz"}, ValueError, "`checkpoint` must be None"),
        (["x", "y"], {}, ValueError, "a column 'image'. Received: 'x', 'y'"),
    ],
)
def test_filter_statistics_on_a_cluster_refuses(
    data: Any, columns: list[str], options: dict[str, Any], error: Any, words: str
) -> None:
    dataset = data.from_items([dict(zip(columns, row.values(), strict=True)) for row in _rows()])
    with pytest.raises(error, match=words):
        kerasviz.filter_statistics(_model(), "a", dataset, **options)


def test_plot_filters_of_a_cluster_is_that_of_one_machine(data: Any) -> None:
    model, dataset = _model(), data.from_items(_rows(), override_num_blocks=3)
    there = kerasviz.plot_filters(model, "a", dataset, labels="label", preferred=False)
    here = kerasviz.plot_filters(model, "a", _images(), labels=_words(), preferred=False)
    assert len(there.panels) == len(here.panels)
    for a, b in zip(there.panels, here.panels, strict=True):
        np.testing.assert_array_equal(a.indices, b.indices)
        np.testing.assert_allclose(a.values, b.values, rtol=1e-5, atol=1e-5)
    there.close()
    here.close()


def test_plot_filter_similarity_and_plot_activation_histograms_of_a_cluster(data: Any) -> None:
    model, dataset = _model(), data.from_items(_rows(), override_num_blocks=3)
    for function, options in (
        (kerasviz.plot_filter_similarity, {}),
        (kerasviz.plot_activation_histograms, {"labels": "label"}),
    ):
        there = function(model, "a", dataset, **options)
        here = function(model, "a", _images(), **({"labels": _words()} if options else {}))
        for a, b in zip(there.panels, here.panels, strict=True):
            np.testing.assert_allclose(a.values, b.values, rtol=1e-5, atol=1e-5)
        there.close()
        here.close()


@pytest.mark.parametrize("function", ["get_feature_maps", "iter_feature_maps", "plot_feature_maps"])
def test_get_feature_maps_and_others_refuse_a_data_set_of_ray(data: Any, function: str) -> None:
    dataset = data.from_items(_rows())
    with pytest.raises(TypeError, match="filter_statistics and save_feature_maps"):
        getattr(kerasviz, function)(_model(), "a", dataset)


def test_filter_snapshots_and_plot_filter_similarity_refuse_a_data_set_of_ray(data: Any) -> None:
    dataset = data.from_items(_rows())
    with pytest.raises(TypeError, match="filter_statistics and save_feature_maps"):
        kerasviz.FilterSnapshots(dataset)
    with pytest.raises(TypeError, match="filter_statistics and save_feature_maps"):
        kerasviz.plot_filter_similarity(_model(), ["a", "b"], dataset)
