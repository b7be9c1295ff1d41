"""Every figure of filter_statistics against NumPy over all maps at once, for layers of any kind."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import kerasviz
from marks import slow_after

L = keras.layers
PLACES = 4


def assert_as_numpy(statistics: Any, maps: np.ndarray, labels: Any = None) -> None:
    """Assert that statistics are what NumPy finds in `maps`, `(samples, ..., filters)`."""
    samples, filters = len(maps), maps.shape[-1]
    maps = np.asarray(maps, "float32")
    cells = maps.reshape(samples, -1, filters)
    peaks = cells.max(axis=1)
    order = np.argsort(-peaks, axis=0, kind="stable")[:PLACES].T
    assert statistics.samples == samples
    np.testing.assert_array_equal(statistics.indices, order)
    np.testing.assert_array_equal(statistics.values, np.take_along_axis(peaks.T, order, 1))
    flat = np.take_along_axis(cells.argmax(axis=1).T, order, 1)
    shape = maps.shape[1:-1]
    places = (
        np.stack(np.unravel_index(flat, shape), axis=-1) if shape else np.empty((*order.shape, 0))
    )
    np.testing.assert_array_equal(statistics.positions, places)
    values = cells.reshape(-1, filters).astype("float64")
    scale = max(np.abs(values).max(), 1e-30)
    np.testing.assert_array_equal(statistics.minimum, values.min(axis=0))
    np.testing.assert_array_equal(statistics.maximum, values.max(axis=0))
    np.testing.assert_allclose(statistics.mean, values.mean(axis=0), rtol=1e-5, atol=1e-6 * scale)
    np.testing.assert_allclose(statistics.std, values.std(axis=0), rtol=1e-4, atol=1e-6 * scale)
    for q in (0.0, 0.02, 0.5, 0.9, 0.999, 1.0):
        lower = np.quantile(values, q, axis=0, method="lower")
        upper = np.quantile(values, q, axis=0, method="higher")
        room = 0.01 * np.maximum(np.abs(lower), np.abs(upper)) + 1.2e-7
        assert np.all(statistics.quantile(q) >= lower - room), q
        assert np.all(statistics.quantile(q) <= upper + room), q
    constant = np.ptp(values, axis=0) == 0
    assert statistics.dead.tolist() == np.flatnonzero(constant).tolist()
    assert np.isnan(statistics.correlation[constant]).all()
    varied = ~constant & (values.std(axis=0) > 1e-4 * scale)
    if varied.sum() > 1:
        expected = np.corrcoef(values[:, varied].T)
        got = statistics.correlation[np.ix_(varied, varied)]
        np.testing.assert_allclose(got, expected, atol=2e-3)
    if labels is not None:
        means = [peaks[labels == n].mean(axis=0) for n in np.unique(labels)]
        np.testing.assert_allclose(statistics.class_means, means, rtol=1e-5, atol=1e-6 * scale)


def _noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def _sequential(shape: tuple[int | None, ...], *layers: keras.Layer) -> keras.Model:
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input(shape), *layers])


CASES: dict[str, Any] = {
    "one_image": lambda: (_sequential((5, 5, 1), L.Conv2D(3, 2)), 0, _noise(1, 5, 5, 1)),
    "ties": lambda: (_sequential((6, 6, 1), L.ReLU()), 0, np.sign(_noise(9, 6, 6, 1))),
    "all_maps_of_zeros": lambda: (_sequential((6, 6, 2), L.ReLU()), 0, -np.ones((9, 6, 6, 2))),
    "constant_maps_that_are_not_0": lambda: (
        _sequential((6, 6, 2), L.Activation("linear")),
        0,
        np.stack([np.full((9, 6, 6), 1 / 3), _noise(9, 6, 6)], axis=-1),
    ),
    "negative_values_only": lambda: (
        _sequential((6, 6, 2), L.Activation("linear")),
        0,
        -np.abs(_noise(9, 6, 6, 2)) - 0.1,
    ),
    "minus_0": lambda: (
        _sequential((6, 6, 2), L.Activation("linear")),
        0,
        np.where(_noise(9, 6, 6, 2) > 1, 1, -0.0),
    ),
    "tiny_and_huge_values": lambda: (
        _sequential((6, 6, 3), L.Activation("linear")),
        0,
        _noise(9, 6, 6, 3) * np.array([1e-6, 1.0, 1e15], "float32"),
    ),
    "far_from_0": lambda: (
        _sequential((6, 6, 2), L.Activation("linear")),
        0,
        1000 + _noise(40, 6, 6, 2),
    ),
    "images_of_two_kinds": lambda: (
        _sequential((6, 6, 2), L.Activation("linear")),
        0,
        _noise(40, 6, 6, 2) + np.repeat([0, 3000], 20)[:, None, None, None],
    ),
    "dense": lambda: (_sequential((12,), L.Dense(5)), 0, _noise(9, 12)),
    "many_filters": lambda: (_sequential((4, 4, 2), L.Conv2D(1100, 2)), 0, _noise(7, 4, 4, 2)),
    "one_filter": lambda: (_sequential((37, 1), L.Conv1D(1, 3)), 0, _noise(9, 37, 1)),
    "sequences": lambda: (
        _sequential((21, 3), L.Conv1D(7, 3, padding="causal")),
        0,
        _noise(9, 21, 3),
    ),
    "volumes": lambda: (_sequential((5, 6, 7, 1), L.Conv3D(3, 2)), 0, _noise(9, 5, 6, 7, 1)),
    "recurrent": lambda: (
        _sequential((6, 3), L.LSTM(4, return_sequences=True)),
        0,
        _noise(9, 6, 3),
    ),
    "time_steps": lambda: (
        _sequential((3, 6, 6, 1), L.TimeDistributed(L.Conv2D(2, 3))),
        0,
        _noise(9, 3, 6, 6, 1),
    ),
    "float16": lambda: (
        _sequential((6, 6, 1), L.Conv2D(3, 3, dtype="mixed_float16")),
        0,
        _noise(9, 6, 6, 1),
    ),
    "bfloat16": lambda: (
        _sequential((6, 6, 1), L.Conv2D(3, 3, dtype="mixed_bfloat16")),
        0,
        _noise(9, 6, 6, 1),
    ),
    "whole_numbers": lambda: (
        _sequential((6, 6, 1), L.Activation("linear", dtype="int32")),
        0,
        np.random.default_rng(0).integers(-9, 9, (9, 6, 6, 1)),
    ),
}


@pytest.mark.few(4)
@pytest.mark.parametrize("case", slow_after(10, CASES))
def test_filter_statistics_equals_numpy(case: str) -> None:
    model, layer, inputs = CASES[case]()
    labels = np.arange(len(inputs)) % 2
    options: dict[str, Any] = {"labels": labels, "images": PLACES}
    # A layer that is compiled for another number of samples may round in another way.
    statistics = kerasviz.filter_statistics(model, layer, inputs, batch_size=100, **options)
    maps = kerasviz.get_feature_maps(model, layer, inputs, batch_size=100)
    assert_as_numpy(statistics, maps, labels)
    half = len(inputs) // 2
    if half:
        parts = [
            kerasviz.filter_statistics(model, layer, inputs[cut], labels=labels[cut], images=PLACES)
            for cut in (slice(half), slice(half, None))
        ]
        merged = parts[0].merge(parts[1])
        np.testing.assert_allclose(merged.values, statistics.values, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(merged.mean, statistics.mean, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("layer", ["shared:0", "shared:1"])
def test_filter_statistics_of_a_shared_layer(layer: str) -> None:
    shared = L.Conv2D(3, 3, padding="same", name="shared")
    inputs = keras.Input((6, 6, 3))
    model = keras.Model(inputs, shared(shared(inputs)))
    images = _noise(9, 6, 6, 3)
    statistics = kerasviz.filter_statistics(model, layer, images, images=PLACES)
    assert_as_numpy(statistics, kerasviz.get_feature_maps(model, layer, images))


def test_filter_statistics_of_channels_first() -> None:
    model = _sequential((2, 6, 7), L.MaxPooling2D(2, data_format="channels_first", name="p"))
    images = _noise(9, 2, 6, 7)
    statistics = kerasviz.filter_statistics(model, "p", images, images=PLACES)
    assert_as_numpy(statistics, kerasviz.get_feature_maps(model, "p", images))
    assert statistics.crops.shape == (2, PLACES, 2, 2, 2)
    for place, index in np.ndenumerate(statistics.indices):
        top, left = 2 * statistics.positions[place]
        expected = np.moveaxis(images[index, :, top : top + 2, left : left + 2], 0, -1)
        np.testing.assert_array_equal(statistics.crops[place], expected)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_filter_statistics_names_an_image_that_is_not_finite(value: float, tmp_path: Path) -> None:
    model = _sequential((4, 4, 1), L.Activation("linear", name="a"))
    images = _noise(31, 4, 4, 1)
    images[17, 3, 3] = value
    checkpoint = tmp_path / "c.npz"
    with pytest.raises(ValueError, match="'a' returns NaN or infinite values for image 17"):
        kerasviz.filter_statistics(model, "a", images, batch_size=4, checkpoint=checkpoint)
    # What came before is not lost.
    images[17, 3, 3] = 0
    statistics = kerasviz.filter_statistics(
        model, "a", images, batch_size=4, checkpoint=checkpoint, images=9
    )
    assert statistics.samples == 31


def test_filter_statistics_names_the_first_image_that_is_not_finite(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of three batches, which as many threads count, the first and the last have one."""
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    model = _sequential((4, 4, 1), L.Activation("linear", name="a"))
    images = _noise(12, 4, 4, 1)
    images[[3, 9]] = np.nan
    with pytest.raises(ValueError, match="infinite values for image 3"):
        kerasviz.filter_statistics(model, "a", images, batch_size=4)


def _batches(count: int, images: np.ndarray, *, stop: int | None = None) -> Any:
    for index in range(count):
        if index == stop:
            raise OSError("the disk is gone")
        yield images[4 * index : 4 * index + 4]


@pytest.mark.few(3)
@pytest.mark.parametrize("stop", range(1, 8))
def test_filter_statistics_goes_on_from_a_checkpoint_at_any_batch(
    stop: int, tmp_path: Path
) -> None:
    model = _sequential((6, 6, 1), L.Conv2D(3, 2, name="c"))
    images = np.sign(_noise(31, 6, 6, 1))
    options: dict[str, Any] = {"images": PLACES, "checkpoint": tmp_path / "c.npz"}
    with pytest.raises(OSError, match="the disk is gone"):
        kerasviz.filter_statistics(model, "c", _batches(8, images, stop=stop), **options)
    # Batches of another size the second time.
    statistics = kerasviz.filter_statistics(model, "c", iter(np.split(images, [5, 18])), **options)
    maps = [kerasviz.get_feature_maps(model, "c", part) for part in np.split(images, 31)]
    peaks = np.concatenate(maps).max(axis=(1, 2))
    np.testing.assert_allclose(statistics.values, -np.sort(-peaks, axis=0)[:PLACES].T, rtol=1e-5)
    assert statistics.samples == 31
    assert list(tmp_path.iterdir()) == []


def test_filter_statistics_refuses_a_checkpoint_that_is_cut(tmp_path: Path) -> None:
    model = _sequential((6, 6, 1), L.Conv2D(3, 2, name="c"))
    images, checkpoint = _noise(31, 6, 6, 1), tmp_path / "c.npz"
    batches = _batches(8, images, stop=3)
    with pytest.raises(OSError, match="the disk is gone"):
        kerasviz.filter_statistics(model, "c", batches, checkpoint=checkpoint)
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"c\.npz' is not a complete file of filter statistics"):
        kerasviz.filter_statistics(model, "c", images, checkpoint=checkpoint)
    assert checkpoint.read_bytes() == whole[: len(whole) // 2]


def test_filter_statistics_keeps_what_it_has_seen_before_an_image_of_another_size(
    tmp_path: Path,
) -> None:
    model = _sequential((6, 6, 1), L.Conv2D(3, 2, name="c"))
    images, checkpoint = _noise(12, 6, 6, 1), tmp_path / "c.npz"
    batches = iter([images[:8], _noise(4, 7, 6, 1)])
    with pytest.raises(ValueError, match="`inputs` must have the shape"):
        kerasviz.filter_statistics(model, "c", batches, checkpoint=checkpoint)
    statistics = kerasviz.filter_statistics(model, "c", images, checkpoint=checkpoint)
    assert statistics.samples == 12


@pytest.mark.parametrize(
    "empty", [np.empty((0, 6, 6, 1)), iter([]), iter([np.empty((0, 6, 6, 1))])]
)
def test_filter_statistics_refuses_nothing(empty: Any) -> None:
    model = _sequential((6, 6, 1), L.Conv2D(3, 2, name="c"))
    with pytest.raises(ValueError, match=r"`inputs` must hold at least one (batch|sample)"):
        kerasviz.filter_statistics(model, "c", empty)


def test_filter_statistics_has_the_boxes_of_units_at_the_border(tmp_path: Path) -> None:
    # The pooling drops the last row and column, and the unit at the border sees padding in their
    # place; after the upsampling, units see more and less in turn.
    layers = [L.MaxPooling2D(2), L.Conv2D(9, 3, padding="same", name="c"), L.UpSampling2D(2)]
    model = _sequential((9, 9, 1), *layers, L.Conv2D(9, 2, name="d"))
    images = _noise(30, 9, 9, 1)
    both = kerasviz.filter_statistics(model, ["c", "d"], images, images=9)
    for address, statistics in both.items():
        reloaded = kerasviz.FilterStatistics.load(statistics.save(tmp_path / f"{address}.npz"))
        np.testing.assert_array_equal(reloaded.boxes, statistics.boxes)
        merged = statistics.merge(reloaded)
        np.testing.assert_array_equal(merged.boxes[:, 0], statistics.boxes[:, 0])
        last = statistics.positions.max()
        boxes = {}
        for place in zip(*np.nonzero((statistics.positions == last).any(axis=-1)), strict=True):
            boxes[tuple(statistics.positions[place].tolist())] = statistics.boxes[place].tolist()
        assert len(boxes) > 3
        for position, box in boxes.items():
            expected = kerasviz.receptive_field(model, address, position=position).box
            assert tuple(map(tuple, box)) == expected, position
        assert statistics.boxes.max() == 8
