"""Statistics of filters against NumPy over all maps at once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

import kerasviz
from kerasviz.compute.filters import collecting
from kerasviz.compute.filters.counting import responses
from kerasviz.compute.filters.counting.moments import ROWS
from kerasviz.compute.filters.ray_statistics import Part
from kerasviz.compute.filters.statistics_file import read_responses, write_responses

L = keras.layers
SAMPLES, PLACES = 31, 5


def _model() -> keras.Model:
    keras.utils.set_random_seed(0)
    layers = [
        L.Conv2D(4, 3, strides=2, padding="same", activation="relu", name="a"),
        L.Conv2D(6, (2, 3), name="b"),
    ]
    model = keras.Sequential([keras.Input((11, 9, 2)), *layers])
    # Of few digits, so that no backend rounds: PyTorch rounds one image otherwise than many.
    model.set_weights([np.round(256 * weight) / 256 for weight in model.get_weights()])
    kernel, bias = model.get_layer("a").get_weights()
    kernel[..., 3], bias[3] = 0, 0  # a dead filter
    model.get_layer("a").set_weights([kernel, bias])
    kernel, bias = model.get_layer("b").get_weights()
    kernel[..., 5], bias[5] = 2 * kernel[..., 1], 2 * bias[1]  # a duplicate
    model.get_layer("b").set_weights([kernel, bias])
    return model


def _images(samples: int = SAMPLES) -> np.ndarray:
    # Of few values, and some of the images twice, so that there are ties.
    images = np.random.default_rng(0).integers(0, 3, (samples, 11, 9, 2)).astype("float32")
    images[20:25] = images[3:8]
    return images


def _labels(samples: int = SAMPLES) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 3, samples)


@pytest.fixture(scope="module", name="model")
def _shared_model() -> keras.Model:
    return _model()


@pytest.fixture(scope="module", name="both")
def _of_both_layers(model: keras.Model) -> dict[str, kerasviz.FilterStatistics]:
    return kerasviz.filter_statistics(
        model, ["a", "b"], _images(), labels=_labels(), images=PLACES, batch_size=7
    )


def _maps(model: keras.Model, layer: str) -> np.ndarray:
    return np.asarray(kerasviz.get_feature_maps(model, layer, _images()))


def _assert_same(a: kerasviz.FilterStatistics, b: kerasviz.FilterStatistics) -> None:
    """Assert that counts, order and ties are equal, and sums to rounding."""
    assert (a.address, a.samples, a.classes) == (b.address, b.samples, b.classes)
    assert (a.fingerprint, a.labels) == (b.fingerprint, b.labels)
    for name in ("values", "indices", "positions", "boxes", "crops", "maximum", "firing_rate"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
    for q in (0, 0.3, 0.999, 1):
        np.testing.assert_array_equal(a.quantile(q), b.quantile(q))
    for name in ("mean", "std", "correlation", "class_means", "selectivity"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layer", ["a", "b"])
def test_filter_statistics_has_the_strongest_places(model: Any, both: Any, layer: str) -> None:
    statistics, maps = both[layer], _maps(model, layer)
    cells = maps.reshape(SAMPLES, -1, maps.shape[-1])
    peaks, places = cells.max(axis=1), cells.argmax(axis=1)
    order = np.argsort(-peaks, axis=0, kind="stable")[:PLACES].T
    np.testing.assert_array_equal(statistics.indices, order)
    np.testing.assert_array_equal(statistics.values, np.take_along_axis(peaks.T, order, 1))
    flat = np.take_along_axis(places.T, order, 1)
    expected = np.stack(np.unravel_index(flat, maps.shape[1:3]), axis=-1)
    np.testing.assert_array_equal(statistics.positions, expected)
    np.testing.assert_array_equal(statistics.labels, _labels()[order])


@pytest.mark.parametrize("layer", ["a", "b"])
def test_filter_statistics_has_the_moments(model: Any, both: Any, layer: str) -> None:
    statistics, maps = both[layer], _maps(model, layer)
    values = maps.reshape(-1, maps.shape[-1]).astype("float64")
    close = {"rtol": 1e-5, "atol": 1e-6}
    np.testing.assert_allclose(statistics.mean, values.mean(axis=0), **close)
    np.testing.assert_allclose(statistics.std, values.std(axis=0), **close)
    np.testing.assert_array_equal(statistics.maximum, values.max(axis=0))
    np.testing.assert_array_equal(statistics.minimum, values.min(axis=0))
    for q in (0, 0.01, 0.5, 0.9, 0.999, 1):
        expected = np.quantile(values, q, axis=0)
        np.testing.assert_allclose(statistics.quantile(q), expected, rtol=0.01, atol=1e-3)
    alive = np.ptp(values, axis=0) > 0
    correlation = np.corrcoef(values[:, alive].T)
    got = statistics.correlation[np.ix_(alive, alive)]
    np.testing.assert_allclose(got, correlation, atol=1e-5)
    assert np.isnan(statistics.correlation[~alive]).all()


def test_filter_statistics_has_the_moments_of_values_far_from_0() -> None:
    model = keras.Sequential([keras.Input((6, 5, 2)), L.Conv2D(3, 1, name="c")])
    kernel = np.array([[1, 0, 1], [0, 1, 1]]).reshape(1, 1, 2, 3)
    model.set_weights([kernel, np.array([1000, 0, -300])])
    images = np.random.default_rng(0).normal(size=(50, 6, 5, 2)).astype("float32")
    statistics = kerasviz.filter_statistics(model, "c", images)
    values = np.asarray(kerasviz.get_feature_maps(model, "c", images)).reshape(-1, 3)
    values = values.astype("float64")
    np.testing.assert_allclose(statistics.mean, values.mean(axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(statistics.std, values.std(axis=0), rtol=1e-4)
    np.testing.assert_allclose(statistics.correlation, np.corrcoef(values.T), atol=1e-4)


def test_filter_statistics_has_the_moments_of_more_cells_than_are_multiplied_at_a_time() -> None:
    """Some filters are far from 0, and the lowest values come later for some than for others."""
    rng = np.random.default_rng(0)
    model = keras.Sequential([keras.Input((24, 23, 3)), L.Conv2D(70, 1, name="c")])
    model.set_weights([rng.normal(size=(1, 1, 3, 70)), rng.choice([0, 0, 50, -50], size=70)])
    images = rng.normal(size=(30, 24, 23, 3), scale=rng.uniform(0.5, 2, size=(30, 1, 1, 3)))
    statistics = kerasviz.filter_statistics(model, "c", images.astype("float32"), batch_size=9)
    values = np.asarray(kerasviz.get_feature_maps(model, "c", images)).reshape(-1, 70)
    assert 2 * ROWS < 9 * 24 * 23
    np.testing.assert_array_equal(statistics.minimum, values.min(axis=0))
    np.testing.assert_array_equal(statistics.maximum, values.max(axis=0))
    values = values.astype("float64")
    np.testing.assert_allclose(statistics.mean, values.mean(axis=0), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(statistics.std, values.std(axis=0), rtol=1e-4)
    np.testing.assert_allclose(statistics.correlation, np.corrcoef(values.T), atol=1e-4)


@pytest.mark.parametrize("layer", ["a", "b"])
def test_filter_statistics_has_the_rates(model: Any, both: Any, layer: str) -> None:
    statistics, maps = both[layer], _maps(model, layer)
    values = maps.reshape(-1, maps.shape[-1])
    threshold = np.maximum(np.quantile(values, 0.999, axis=0), 0) / 2
    expected = (values > threshold).mean(axis=0)
    np.testing.assert_allclose(statistics.firing_rate, expected, atol=0.01)
    in_images = (maps.max(axis=(1, 2)) > threshold).mean(axis=0)
    np.testing.assert_allclose(statistics.image_rate, in_images, atol=0.05)


@pytest.mark.parametrize("layer", ["a", "b"])
def test_filter_statistics_has_the_classes(model: Any, both: Any, layer: str) -> None:
    statistics, peaks = both[layer], _maps(model, layer).max(axis=(1, 2))
    means = np.array([peaks[_labels() == n].mean(axis=0) for n in range(3)])
    assert statistics.classes == [0, 1, 2]
    np.testing.assert_allclose(statistics.class_means, means, rtol=1e-6)
    best = np.sort(means, axis=0)
    rest = best[:2].mean(axis=0)
    positive = (means >= 0).all(axis=0) & (best[2] > 0)
    expected = (best[2] - rest)[positive] / (best[2] + rest)[positive]
    np.testing.assert_allclose(statistics.selectivity[positive], expected, rtol=1e-5)
    assert np.isnan(statistics.selectivity[~positive]).all()


def test_filter_statistics_finds_what_is_odd(both: Any) -> None:
    assert both["a"].dead.tolist() == [3]
    assert both["b"].dead.tolist() == []
    assert both["b"].duplicates == [(1, 5)]
    assert "dead" in both["a"].remarks[3]
    assert both["b"].remarks[5] == "like filter 1"
    text = repr(both["a"])
    assert text.startswith("a: 4 filters, 31 images; 1 dead, 0 rare, 0 duplicate pairs")
    assert "<table>" in both["a"]._repr_html_()


def test_filter_statistics_to_pandas_has_a_row_per_filter(both: Any) -> None:
    pytest.importorskip("pandas")
    assert both["a"].to_pandas().shape == (4, 8)


def test_filter_statistics_finds_filters_that_fire_rarely() -> None:
    model = keras.Sequential([keras.Input((1, 1, 1)), L.Conv2D(1, 1, activation="relu", name="c")])
    model.set_weights([np.ones((1, 1, 1, 1)), np.zeros(1)])
    images = np.full((1000, 1, 1, 1), -1, "float32")
    images[7] = 5
    statistics = kerasviz.filter_statistics(model, "c", images)
    assert statistics.rare.tolist() == [0]
    assert statistics.remarks == ["rare: fires in 0.1% of images"]


def test_filter_statistics_finds_the_filter_that_responds_to_one_class_alone() -> None:
    """The means are 0 and 3 of the first filter, 1 and 3 of the second, -1 and 3 of the third."""
    model = keras.Sequential([keras.Input((1, 1, 3)), L.Activation("linear", name="a")])
    images = np.array([[0, 1, -1], [3, 3, 3]], "float32").reshape(2, 1, 1, 3)
    statistics = kerasviz.filter_statistics(model, "a", images, labels=["cat", "dog"])
    np.testing.assert_allclose(statistics.selectivity, [1, 0.5, np.nan])


def test_filter_statistics_has_rates_of_values_far_above_1() -> None:
    model = keras.Sequential([keras.Input((6, 5, 1)), keras.layers.ReLU(name="r")])
    images = np.random.default_rng(0).integers(-255, 256, (20, 6, 5, 1)).astype("float32")
    rate = kerasviz.filter_statistics(model, "r", images).firing_rate
    cells = np.maximum(images, 0)
    expected = np.mean(cells > np.quantile(cells, 0.999) / 2)
    np.testing.assert_allclose(rate, [expected], atol=0.01)


def test_filter_statistics_cuts_what_the_units_see(both: Any) -> None:
    statistics = both["b"]
    assert statistics.crops.shape == (6, PLACES, 5, 7, 2)
    padded = np.pad(_images(), ((0, 0), (9, 9), (9, 9), (0, 0)), constant_values=np.nan)
    field = kerasviz.receptive_field(_model(), "b")
    for place, index in np.ndenumerate(statistics.indices):
        position = statistics.positions[place]
        top, left = position * field.stride + np.array(field.offset) + 9
        expected = padded[index, top : top + 5, left : left + 7]
        np.testing.assert_array_equal(statistics.crops[place], expected)
        box = kerasviz.receptive_field(_model(), "b", position=tuple(position)).box
        assert statistics.boxes[place].tolist() == [list(axis) for axis in box]
        np.testing.assert_array_equal(statistics.image(index), _images()[index])


def test_filter_statistics_cuts_the_one_cell_that_a_unit_sees_after_an_upsampling() -> None:
    """The nearest cell is all that a unit sees, so that a crop is the value of the unit."""
    model = keras.Sequential([keras.Input((4, 5, 1)), L.UpSampling2D((2, 3), name="up")])
    images = np.random.default_rng(0).permutation(3 * 20).reshape(3, 4, 5, 1).astype("float32")
    statistics = kerasviz.filter_statistics(model, "up", images, images=3)
    assert statistics.crops.shape == (1, 3, 1, 1, 1)
    np.testing.assert_array_equal(statistics.crops[..., 0, 0, 0], statistics.values)


@pytest.mark.parametrize("batch_size", [1, 4, 31, 100])
def test_filter_statistics_of_any_batch_size(model: Any, both: Any, batch_size: int) -> None:
    again = kerasviz.filter_statistics(
        model, "a", _images(), labels=_labels(), images=PLACES, batch_size=batch_size
    )
    _assert_same(again, both["a"])


def test_filter_statistics_of_any_merge(model: Any, both: Any) -> None:
    parts = [
        kerasviz.filter_statistics(model, "b", _images()[cut], labels=_labels()[cut], images=PLACES)
        for cut in (slice(0, 2), slice(2, 19), slice(19, 20), slice(20, None))
    ]
    a, b, c, d = parts
    _assert_same(a.merge(b).merge(c).merge(d), both["b"])
    _assert_same(a.merge(b.merge(c.merge(d))), both["b"])


class _PyDataset(keras.utils.PyDataset):
    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Any:
        cut = slice(8 * index, 8 * index + 8)
        return _images()[cut], _labels()[cut]


def _refilled() -> Any:
    """Yield batches in one array that is filled again and again."""
    batch = np.empty((1, 11, 9, 2), "float32")
    for image, label in zip(_images(), _labels(), strict=True):
        batch[:] = image
        yield batch, np.eye(3)[[label]]


def _tf_data() -> Any:
    tf = pytest.importorskip("tensorflow")

    return tf.data.Dataset.from_tensor_slices((_images(), _labels())).batch(8)


def _data_loader() -> Any:
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.tensor(_images()), torch.tensor(_labels()))
    return torch.utils.data.DataLoader(data, batch_size=8)


def _weighted() -> Any:
    for start in range(0, SAMPLES, 8):
        cut = slice(start, start + 8)
        yield _images()[cut], _labels()[cut], np.ones(len(_images()[cut]))


@pytest.mark.parametrize(
    "stream", [lambda: _PyDataset(), _refilled, _tf_data, _data_loader, _weighted]
)
def test_filter_statistics_of_streams_with_their_own_labels(
    model: Any, both: Any, stream: Any
) -> None:
    statistics = kerasviz.filter_statistics(model, "a", stream(), images=PLACES)
    _assert_same(statistics, both["a"])
    maps = _maps(model, "a")
    peaks = maps.max(axis=(1, 2))
    order = np.argsort(-peaks, axis=0, kind="stable")[:PLACES].T
    np.testing.assert_array_equal(statistics.indices, order)
    np.testing.assert_allclose(statistics.mean, maps.mean(axis=(0, 1, 2)), rtol=1e-5)
    means = [peaks[_labels() == n].mean(axis=0) for n in range(3)]
    np.testing.assert_allclose(statistics.class_means, means, rtol=1e-5)


def test_filter_statistics_ignores_targets_that_are_no_classes(model: Any) -> None:
    pairs = ((x[np.newaxis], x[np.newaxis]) for x in _images())
    statistics = kerasviz.filter_statistics(model, "a", pairs)
    assert statistics.classes == []
    assert statistics.labels == [[None] * 9] * 4
    assert np.isnan(statistics.selectivity).all()


def test_filter_statistics_of_labels_in_words(model: Any) -> None:
    words = np.array(["boot", "bag", "coat"])[_labels()]
    statistics = kerasviz.filter_statistics(model, "a", _images(), labels=words)
    assert statistics.classes == ["bag", "boot", "coat"]
    np.testing.assert_array_equal(statistics.labels, words[statistics.indices])


def test_filter_statistics_saves_and_loads(both: Any, tmp_path: Path) -> None:
    path = both["b"].save(tmp_path / "b.npz")
    loaded = kerasviz.FilterStatistics.load(path)
    _assert_same(loaded, both["b"])
    assert repr(loaded) == repr(both["b"])
    _assert_same(loaded.merge(loaded), both["b"].merge(both["b"]))


def test_layers_share_the_images_that_they_keep_in_memory_and_in_a_file(
    both: Any, tmp_path: Path
) -> None:
    a, b = both["a"], both["b"]
    shared = set(a.indices.ravel()) & set(b.indices.ravel())
    assert shared
    assert all(a.image(n) is b.image(n) for n in shared)
    path = tmp_path / "both.npz"
    write_responses(path, {key: each._responses for key, each in both.items()})
    kept = set(a.indices.ravel()) | set(b.indices.ravel())
    with np.load(path) as archive:
        assert sum(name.startswith("image/") for name in archive.files) == len(kept)
    again = {key: kerasviz.FilterStatistics(each) for key, each in read_responses(path).items()}
    for key, statistics in again.items():
        _assert_same(statistics, both[key])
    assert all(again["a"].image(n) is again["b"].image(n) for n in shared)


def test_filter_statistics_keeps_no_more_images_than_memory_may_take(
    model: Any, both: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the layer that would keep the most, only indices are left."""
    counts = {key: len(set(each.indices.ravel())) for key, each in both.items()}
    assert counts["a"] < counts["b"]
    size = _images()[0].nbytes
    monkeypatch.setattr(responses, "MAX_BYTES", size * counts["a"])
    options: dict[str, Any] = {"labels": _labels(), "images": PLACES, "batch_size": 100}
    less = kerasviz.filter_statistics(model, ["a", "b"], _images(), **options)
    assert less["a"].has_images
    _assert_same(less["a"], both["a"])
    assert not less["b"].has_images
    np.testing.assert_array_equal(less["b"].indices, both["b"].indices)
    monkeypatch.setattr(responses, "MAX_BYTES", size * SAMPLES)
    enough = kerasviz.filter_statistics(model, ["a", "b"], _images(), **options)
    assert enough["a"].has_images
    assert enough["b"].has_images


def _kept(statistics: Iterable[kerasviz.FilterStatistics]) -> int:
    """Return how many images are kept by one or by several."""
    return len({n for each in statistics if each.has_images for n in each.indices.ravel()})


def test_memory_is_not_exceeded_in_the_middle_of_a_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last image is the strongest of all six filters, which had an image each before it."""
    model = keras.Sequential([keras.Input((1, 1, 6)), L.Conv2D(6, 1, use_bias=False, name="c")])
    model.set_weights([np.eye(6).reshape(1, 1, 6, 6)])
    images = np.vstack([np.eye(6), np.full((1, 6), 2)]).reshape(7, 1, 1, 6).astype("float32")
    monkeypatch.setattr(responses, "MAX_BYTES", 6 * images[0].nbytes)
    options: dict[str, Any] = {"images": 1, "batch_size": 1}
    assert kerasviz.filter_statistics(model, "c", images, **options).has_images
    monkeypatch.setattr(responses, "MAX_BYTES", 6 * images[0].nbytes - 1)
    assert not kerasviz.filter_statistics(model, "c", images, **options).has_images


def test_threads_together_keep_no_more_images_than_memory_may_take(
    model: Any, both: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of four threads sees 7 or 8 of the images, of which there is room for 12."""
    monkeypatch.setattr(responses, "MAX_BYTES", 12 * _images()[0].nbytes)
    monkeypatch.setattr(collecting.os, "cpu_count", lambda: 8)
    options: dict[str, Any] = {"labels": _labels(), "images": PLACES, "batch_size": 1}
    less = kerasviz.filter_statistics(model, ["a", "b"], _images(), **options)
    assert _kept(less.values()) <= 12 < _kept(both.values())
    for key, statistics in less.items():
        np.testing.assert_array_equal(statistics.indices, both[key].indices)


def test_parts_that_are_merged_keep_no_more_images_than_memory_may_take(
    model: Any, both: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    halves = [
        kerasviz.filter_statistics(model, ["a", "b"], images, images=PLACES)
        for images in (_images()[:16], _images()[16:])
    ]
    parts = [
        Part(samples=half["a"].samples, responses={key: x._responses for key, x in half.items()})
        for half in halves
    ]
    counts = [len(set(both[key].indices.ravel())) for key in ("a", "b")]
    size = _images()[0].nbytes
    monkeypatch.setattr(responses, "MAX_BYTES", size * counts[0])
    joined = parts[0].joined(parts[1]).responses
    assert joined["a"].strongest.images is not None
    assert joined["b"].strongest.images is None
    monkeypatch.setattr(responses, "MAX_BYTES", size * counts[0] - 1)
    merged = halves[0]["a"].merge(halves[1]["a"])
    assert not merged.has_images
    np.testing.assert_array_equal(merged.indices, both["a"].indices)


def test_filter_statistics_refuses_a_damaged_file(both: Any, tmp_path: Path) -> None:
    data = both["b"].save(tmp_path / "b.npz").read_bytes()
    broken = tmp_path / "broken.npz"
    for content in (data[: len(data) // 2], data[:100], b"", b"no archive"):
        broken.write_bytes(content)
        with pytest.raises(ValueError, match="not a complete file of filter statistics"):
            kerasviz.FilterStatistics.load(broken)
    np.savez(broken, header=np.zeros(3))
    with pytest.raises(ValueError, match="not a complete file"):
        kerasviz.FilterStatistics.load(broken)
    with pytest.raises(FileNotFoundError):
        kerasviz.FilterStatistics.load(tmp_path / "nothing.npz")
    with pytest.raises(ValueError, match=r"must end in \.npz"):
        both["b"].save(tmp_path / "b.pickle")


def _failing_after(batches: int) -> Any:
    for n in range(batches):
        yield _images()[8 * n : 8 * n + 8], _labels()[8 * n : 8 * n + 8]
    raise KeyboardInterrupt


def test_filter_statistics_goes_on_from_a_checkpoint(model: Any, both: Any, tmp_path: Path) -> None:
    checkpoint = tmp_path / "pass.npz"
    options: dict[str, Any] = {"images": PLACES, "checkpoint": checkpoint, "batch_size": 5}
    with pytest.raises(KeyboardInterrupt):
        kerasviz.filter_statistics(model, ["a", "b"], _failing_after(2), **options)
    assert checkpoint.exists()
    with pytest.raises(ValueError, match="of the same model"):
        kerasviz.filter_statistics(model, "a", _PyDataset(), **options)
    with pytest.raises(ValueError, match="of the same inputs"):
        kerasviz.filter_statistics(model, ["a", "b"], _images()[:3], **options)
    calls = []
    seen = kerasviz.filter_statistics(model, ["a", "b"], _counted(calls), **options)
    for key, statistics in seen.items():
        _assert_same(statistics, both[key])
    assert not checkpoint.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_takes_at_most_a_tenth_of_the_time(
    grey_model: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One is due after 10 s. It takes from 18 s to 48 s, so that the next is due at 348 s."""
    now, saved = 0, []

    def save(*_: Any) -> None:
        nonlocal now
        saved.append(now)
        now += 30

    def batches() -> Iterator[np.ndarray]:
        nonlocal now
        for _ in range(60):
            now += 9
            yield np.zeros((1, 12, 12, 1), "float32")

    monkeypatch.setattr(collecting, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(collecting, "write_responses", save)
    kerasviz.filter_statistics(grey_model, "first", batches(), checkpoint=tmp_path / "pass.npz")
    assert saved == [18, 354]


def _counted(calls: list[int]) -> Any:
    for n in range(4):
        calls.append(n)
        yield _images()[8 * n : 8 * n + 8], _labels()[8 * n : 8 * n + 8]


def test_filter_statistics_refuses_to_merge_what_does_not_belong_together(both: Any) -> None:
    with pytest.raises(ValueError, match="of the same layer"):
        both["a"].merge(both["b"])
    other = _model()
    other.get_layer("a").bias.assign([1, 1, 1, 1])
    of_other = kerasviz.filter_statistics(other, "a", _images(), images=PLACES)
    with pytest.raises(ValueError, match="of the same model"):
        both["a"].merge(of_other)
    fewer = kerasviz.filter_statistics(_model(), "a", _images(), images=2)
    with pytest.raises(ValueError, match="same `images`"):
        both["a"].merge(fewer)
    with pytest.raises(TypeError, match="must be a FilterStatistics"):
        both["a"].merge(3)


def test_filter_statistics_of_images_of_any_size() -> None:
    model = keras.Sequential([keras.Input((None, None, 1)), L.Conv2D(2, 3, name="c")])
    sizes = [(5, 8), (9, 4), (3, 3)]
    images = [np.random.default_rng(n).random((2, *size, 1)) for n, size in enumerate(sizes)]
    statistics = kerasviz.filter_statistics(model, "c", iter(images), images=6)
    peaks = [kerasviz.get_feature_maps(model, "c", x).max(axis=(1, 2)) for x in images]
    expected = -np.sort(-np.concatenate(peaks), axis=0).T
    np.testing.assert_allclose(statistics.values, expected, rtol=1e-5)
    assert statistics.crops is None
    assert statistics.image(2).shape == (9, 4, 1)


@pytest.mark.parametrize(
    ("shape", "layer", "positions"),
    [
        ((20, 3), lambda: L.Conv1D(4, 3, strides=2), (4, 6, 1)),
        ((5, 6, 7, 1), lambda: L.Conv3D(4, 2), (4, 6, 3)),
        ((12,), lambda: L.Dense(4), (4, 6, 0)),
        ((8, 8, 1), lambda: L.Conv2DTranspose(4, 3, strides=2), (4, 6, 2)),
    ],
)
def test_filter_statistics_of_outputs_of_any_rank(
    shape: tuple[int, ...], layer: Any, positions: tuple[int, ...]
) -> None:
    model = keras.Sequential([keras.Input(shape), layer()])
    inputs = np.random.default_rng(0).normal(size=(6, *shape)).astype("float32")
    statistics = kerasviz.filter_statistics(model, 0, inputs)
    maps = np.asarray(kerasviz.get_feature_maps(model, 0, inputs))
    peaks = maps.reshape(6, -1, 4).max(axis=1)
    np.testing.assert_array_equal(statistics.values, -np.sort(-peaks, axis=0).T)
    assert statistics.positions.shape == positions


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"labels": [0] * 30}, ValueError, "one class for each sample, of which there are 31"),
        ({"labels": np.zeros((31, 2))}, ValueError, "classes or one-hot"),
        ({"labels": [0.5] * 31}, TypeError, "class of each sample"),
        ({"images": 0}, ValueError, "`images`"),
        ({"images": True}, ValueError, "`images`"),
        ({"batch_size": 0}, ValueError, "`batch_size`"),
        ({"verbose": 2}, ValueError, "`verbose`"),
        ({"checkpoint": "x.txt"}, ValueError, r"`checkpoint` must end in \.npz"),
        ({"checkpoint": 3}, TypeError, "`checkpoint`"),
        ({"inputs": iter([])}, ValueError, "at least one batch"),
        ({"inputs": (_images()[:5] for _ in range(7))}, ValueError, "at least 35"),
        ({"inputs": (_images()[:5] for _ in range(2))}, ValueError, "there are 10. Received: 31"),
    ],
)
def test_filter_statistics_refuses(model: Any, change: Any, error: Any, words: str) -> None:
    options = {"inputs": _images(), "labels": _labels(), **change}
    with pytest.raises(error, match=words):
        kerasviz.filter_statistics(model, "a", options.pop("inputs"), **options)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (0.5, r"labels=0\.5"),
        ([[1], [2, 3]], r"labels=\[\[1\], \[2, 3\]\]"),
        ([0.5] * 31, r"an array of shape \(31,\) and dtype float64"),
    ],
    ids=["number", "ragged", "fractions"],
)
def test_filter_statistics_says_which_labels_are_no_classes(
    model: Any, labels: Any, words: str
) -> None:
    with pytest.raises(TypeError, match=f"`labels` must be the class .*Received: {words}$"):
        kerasviz.filter_statistics(model, "a", _images(), labels=labels)


def test_filter_statistics_names_the_image_that_is_not_finite() -> None:
    model = keras.Sequential([keras.Input((4, 4, 1)), L.Conv2D(2, 3, name="c")])
    images = np.zeros((31, 4, 4, 1), "float32")
    images[17, 3, 3] = np.nan
    with pytest.raises(ValueError, match="'c' returns NaN or infinite values for image 17"):
        kerasviz.filter_statistics(model, "c", images, batch_size=4)


def test_filter_statistics_ends_its_progress_bar(
    grey_model: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    batches = (np.full((2, 12, 12, 1), i, "float32") for i in range(5))
    kerasviz.filter_statistics(grey_model, "first", batches, verbose=1)
    last = re.split(r"[\b\r]+", capsys.readouterr().out)[-1]
    # All images are counted, and what is printed next has a line of its own.
    assert "10/" in last
    assert last.endswith("\n")


def test_a_pass_holds_openblas_to_one_thread_and_no_longer(model: Any) -> None:
    threads = pytest.importorskip("threadpoolctl").threadpool_info

    def of_openblas() -> list[int]:
        return [x["num_threads"] for x in threads() if x["internal_api"] == "openblas"]

    before, during = of_openblas(), []

    def batches() -> Iterator[np.ndarray]:
        yield _images()
        during.extend(of_openblas())
        yield _images()[..., :1]

    with pytest.raises(ValueError, match="shape"):
        kerasviz.filter_statistics(model, "a", batches())
    assert during == [1] * len(before)
    assert of_openblas() == before


def test_a_pass_leaves_the_environment_as_it_was() -> None:
    """As it is imported, threadpoolctl sets a variable of the environment."""
    pytest.importorskip("threadpoolctl")
    program = """
import os, kerasviz
model = kerasviz.fashion_mnist.load_model()
images, _ = kerasviz.fashion_mnist.load_samples()
kerasviz.find_layers(model)
before = dict(os.environ)
kerasviz.filter_statistics(model, "conv2d", images)
assert dict(os.environ) == before
"""
    environment = {name: x for name, x in os.environ.items() if not name.startswith("KMP")}
    subprocess.run([sys.executable, "-c", program], check=True, timeout=300, env=environment)
