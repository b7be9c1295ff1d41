"""Cards of filters: what is drawn equals NumPy over all maps at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import Rectangle

import kerasviz
from legibility import Case, assert_legible, is_legible_or_refused, sample_cases
from marks import slow_after

L = keras.layers
NAMES = ["boot", "bag", "coat"]
RNG = np.random.default_rng(0)
IMAGES = RNG.random((30, 10, 12, 1)).astype("float32")
LABELS = np.arange(30) % 3


def _model() -> keras.Model:
    keras.utils.set_random_seed(3)
    layers = [
        L.Conv2D(5, 3, padding="same", activation="relu", name="a"),
        L.MaxPooling2D(2, name="p"),
        L.Conv2D(4, (2, 3), name="b"),
        L.Flatten(),
        L.Dense(3, activation="softmax", name="answer"),
    ]
    model = keras.Sequential([keras.Input((10, 12, 1)), *layers])
    kernel, bias = model.get_layer("a").get_weights()
    kernel[..., 1], bias[1] = 0, 0  # dead
    kernel[..., 4], bias[4] = 3 * kernel[..., 2], 3 * bias[2]  # a duplicate
    model.get_layer("a").set_weights([kernel, bias])
    return model


@pytest.fixture(scope="module", name="model")
def _shared_model() -> keras.Model:
    return _model()


@pytest.fixture(scope="module", name="statistics")
def _of_first_layer(model: keras.Model) -> kerasviz.FilterStatistics:
    return kerasviz.filter_statistics(model, "a", IMAGES, labels=LABELS)


def _panels(plot: kerasviz.Plot, kind: str) -> dict[int, kerasviz.Panel]:
    return {int(p.indices[0]): p for p in plot.panels if kind in p.title}


def _texts(plot: kerasviz.Plot) -> list[str]:
    return [text.get_text() for text in plot.figure.findobj(plt.Text) if text.get_text()]


def _title(plot: kerasviz.Plot) -> str:
    return " ".join(plot.figure.get_suptitle().split())


def test_plot_filters_draws_what_numpy_finds_in_all_maps(model: Any) -> None:
    plot = kerasviz.plot_filters(
        model, "a", IMAGES, labels=LABELS, class_names=NAMES, filters="all", images=4, steps=2
    )
    maps = np.asarray(kerasviz.get_feature_maps(model, "a", IMAGES))
    peaks = maps.reshape(30, -1, 5).max(axis=1)
    kernels, examples = _panels(plot, "kernel"), _panels(plot, "strongest of")
    made, classes = _panels(plot, "preferred"), _panels(plot, "mean of")
    assert all(set(panels) == set(range(5)) for panels in (kernels, examples, made, classes))
    for index in range(5):
        weights = model.get_layer("a").get_weights()[0][..., index]
        np.testing.assert_array_equal(kernels[index].values, weights)
        assert made[index].values.shape == (3, 3, 1)
        means = [peaks[label == LABELS, index].mean() for label in range(3)]
        np.testing.assert_allclose(classes[index].values, means, rtol=1e-6)
        np.testing.assert_allclose([b.get_width() for b in _bars(classes[index])], means, rtol=1e-6)
        if index == 1:
            assert examples[index].values is None
            continue
        order = np.argsort(-peaks[:, index], kind="stable")[:4]
        np.testing.assert_array_equal(examples[index].values, IMAGES[order])
        assert all(f"image {n}:" in examples[index].title for n in order)
    limits = {panel.limits for panel in kernels.values()}
    assert len(limits) == 1
    assert "all 5 filters, over 30 images. Of all: 1 dead, 0 rare, 1 duplicate pair." in _title(
        plot
    )
    plot.close()


def _bars(panel: kerasviz.Panel) -> list[Rectangle]:
    return [patch for patch in panel.ax.patches if isinstance(patch, Rectangle)]


def test_plot_filters_frames_what_the_unit_sees(model: Any) -> None:
    plot = kerasviz.plot_filters(model, "b", IMAGES, filters=[2], images=3, preferred=False)
    (panel,) = _panels(plot, "strongest of").values()
    maps = np.asarray(kerasviz.get_feature_maps(model, "b", IMAGES))[..., 2]
    frames = [patch for patch in _bars(panel) if patch.get_linewidth() > 1]
    order = np.argsort(-maps.reshape(30, -1).max(axis=1), kind="stable")[:3]
    for frame, image, index in zip(frames, panel.ax.images, order, strict=True):
        position = np.unravel_index(maps[index].argmax(), maps.shape[1:])
        box = kerasviz.receptive_field(model, "b", position=tuple(map(int, position))).box
        left, right, bottom, top = image.get_extent()
        scale = (right - left) / 12
        rows, columns = box
        assert frame.get_x() == pytest.approx(left + scale * columns[0])
        assert frame.get_width() == pytest.approx(scale * (columns[1] - columns[0]))
        assert frame.get_y() == pytest.approx(top - scale * rows[1])
        assert frame.get_height() == pytest.approx(scale * (rows[1] - rows[0]))
        drawn = np.asarray(image.get_array())[..., 0]
        field = (slice(*rows), slice(*columns))
        np.testing.assert_allclose(drawn[field], IMAGES[index, ..., 0][field], rtol=1e-6)
        pale = 0.3 * IMAGES[index, ..., 0] + 0.7  # on white ground
        pale[field] = drawn[field]
        np.testing.assert_allclose(drawn, pale, rtol=1e-5)
        assert bottom < top
    plot.close()


def test_plot_filters_of_saved_statistics_is_the_same_picture(
    model: Any, statistics: Any, tmp_path: Path
) -> None:
    loaded = kerasviz.FilterStatistics.load(statistics.save(tmp_path / "a.npz"))
    kwargs: dict[str, Any] = {"class_names": NAMES, "filters": 3, "steps": 2}
    first = kerasviz.plot_filters(model, "a", IMAGES, labels=LABELS, **kwargs)
    second = kerasviz.plot_filters(model, None, loaded, **kwargs)
    assert _texts(first) == _texts(second)
    for a, b in zip(first.panels, second.panels, strict=True):
        np.testing.assert_array_equal(a.values, b.values)
    first.close()
    second.close()


def test_plot_filters_writes_value_and_class_below_each_image(model: Any, statistics: Any) -> None:
    plot = kerasviz.plot_filters(model, "a", statistics, class_names=NAMES, filters=[0])
    (panel,) = _panels(plot, "strongest of").values()
    words = [text.get_text() for text in panel.ax.texts]
    order = statistics.indices[0]
    assert [w for w in words if w in NAMES] == [NAMES[n] for n in LABELS[order]]
    values = [f"{value:#.3g}" for value in statistics.values[0]]
    assert [w for w in words if w in values] == values
    plot.close()


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("maximum", lambda s: -s.maximum),
        ("mean", lambda s: -s.mean),
        ("rate", lambda s: -s.image_rate),
        ("selectivity", lambda s: -np.nan_to_num(s.selectivity, nan=-1)),
        (None, lambda s: np.arange(len(s.mean))),
    ],
)
def test_plot_filters_sort(model: Any, statistics: Any, sort: Any, key: Any) -> None:
    plot = kerasviz.plot_filters(model, "a", statistics, sort=sort, filters=3, preferred=False)
    indices = list(_panels(plot, "kernel"))
    assert indices == np.argsort(key(statistics), kind="stable")[:3].tolist()
    plot.close()


def test_plot_filters_draws_rare_filters_last() -> None:
    """A filter that fires in one image of 200 has the highest selectivity that there is."""
    images, labels = np.zeros((200, 2, 2, 3), "float32"), np.arange(200) % 2
    images[0, ..., 0] = 1
    images[labels == 1, ..., 1] = 1
    images[..., 2] = 1 + labels[:, np.newaxis, np.newaxis]
    same = keras.Sequential([keras.Input((2, 2, 3)), keras.layers.Activation("relu", name="same")])
    plot = kerasviz.plot_filters(same, "same", images, labels=labels, preferred=False)
    names = [text for text in _texts(plot) if text.startswith("filter ")]
    assert names == ["filter 1", "filter 2", "filter 0"]
    plot.close()


def test_plot_filters_draws_the_odd_first(model: Any, statistics: Any) -> None:
    plot = kerasviz.plot_filters(model, "a", statistics, sort="odd", filters=3, preferred=False)
    first, *twins = _panels(plot, "kernel")
    assert (first, sorted(twins)) == (1, [2, 4])
    words = _texts(plot)
    assert {"dead", "like filter 4", "like filter 2"} <= set(words)
    assert not [word for word in words if "(r" in word]  # not once more, in grey
    plot.close()


def test_plot_filters_without_labels_goes_by_the_maximum(model: Any) -> None:
    plot = kerasviz.plot_filters(model, "a", IMAGES, filters=2, preferred=False)
    peaks = np.asarray(kerasviz.get_feature_maps(model, "a", IMAGES)).max(axis=(0, 1, 2))
    assert list(_panels(plot, "kernel")) == np.argsort(-peaks)[:2].tolist()
    assert "2 that respond most strongly, of 5 filters" in _title(plot)
    assert not _panels(plot, "mean of")
    plot.close()


def test_plot_filters_of_colours_has_one_scale() -> None:
    model = keras.Sequential([keras.Input((9, 9, 3)), L.Conv2D(3, 3, name="c")])
    images = RNG.random((12, 9, 9, 3)).astype("float32")
    plot = kerasviz.plot_filters(model, "c", images, filters=1, images=2, preferred=False)
    (panel,) = _panels(plot, "strongest of").values()
    for image, values in zip(panel.ax.images, panel.values, strict=True):
        drawn = np.asarray(image.get_array())
        bright = np.isclose(drawn, values).all(axis=-1)
        assert bright.sum() == 9
    plot.close()


def test_plot_filters_of_signals_draws_the_strongest_windows() -> None:
    model = keras.Sequential([keras.Input((40, 2)), L.Conv1D(3, 5, padding="same", name="c")])
    signals = RNG.normal(size=(12, 40, 2)).astype("float32")
    plot = kerasviz.plot_filters(model, "c", signals, filters=[1], images=3, preferred=False)
    (panel,) = _panels(plot, "strongest of").values()
    maps = np.asarray(kerasviz.get_feature_maps(model, "c", signals))[..., 1]
    padded = np.pad(signals, ((0, 0), (2, 2), (0, 0)), constant_values=np.nan)
    order = np.argsort(-maps.max(axis=1), kind="stable")[:3]
    windows = [padded[n, maps[n].argmax() : maps[n].argmax() + 5] for n in order]
    np.testing.assert_allclose(panel.values, windows)
    curves = np.array([line.get_ydata() for line in panel.ax.lines], float).reshape(3, 2, 5)
    unit = (np.array(windows) - np.nanmin(windows)) / np.ptp(np.nan_to_num(windows))
    slope = np.nanstd(curves) / np.nanstd(unit)
    expected = np.nanmean(curves) + slope * (unit - np.nanmean(unit))
    np.testing.assert_allclose(curves, expected.transpose(0, 2, 1), atol=1e-5)
    # A box reaches from a little below to as much above the signals that are shown.
    known = np.isfinite(windows)
    slope, start = np.polyfit(np.array(windows)[known], curves.transpose(0, 2, 1)[known], 1)
    low, high = signals[order].min(), signals[order].max()
    below, above = low + start / slope, (1 - start) / slope - high
    assert below == pytest.approx(above, rel=1e-3)
    assert 0.02 * (high - low) < below < 0.2 * (high - low)
    lefts = [patch.get_x() for patch in panel.ax.patches]
    for line, left in zip(panel.ax.lines, np.repeat(lefts, 2), strict=True):
        assert left < line.get_xdata().min() < line.get_xdata().max() < left + 1.5
    plot.close()


def test_plot_filters_of_volumes_draws_the_slice_through_the_field() -> None:
    model = keras.Sequential([keras.Input((7, 8, 9, 1)), L.Conv3D(2, 3, name="c")])
    volumes = RNG.random((6, 7, 8, 9, 1)).astype("float32")
    plot = kerasviz.plot_filters(model, "c", volumes, filters=[0], images=2, preferred=False)
    (panel,) = _panels(plot, "strongest of").values()
    maps = np.asarray(kerasviz.get_feature_maps(model, "c", volumes))[..., 0]
    order = np.argsort(-maps.reshape(6, -1).max(axis=1), kind="stable")[:2]
    for image, n in zip(panel.ax.images, order, strict=True):
        d, r, c = np.unravel_index(maps[n].argmax(), maps.shape[1:])
        drawn = np.asarray(image.get_array())[r : r + 3, c : c + 3, 0]
        np.testing.assert_allclose(drawn, volumes[n, d + 1, r : r + 3, c : c + 3, 0], rtol=1e-6)
        assert f"slice {d + 1} of 7" in [text.get_text() for text in panel.ax.texts]
    plot.close()


def test_plot_filters_of_a_dense_layer_shows_whole_images(model: Any) -> None:
    plot = kerasviz.plot_filters(model, "answer", IMAGES, filters=[2], images=2, steps=2)
    (panel,) = _panels(plot, "strongest of").values()
    assert not [patch for patch in _bars(panel) if patch.get_linewidth() > 1]
    drawn = np.asarray(panel.ax.images[0].get_array())[..., 0]
    np.testing.assert_allclose(drawn, panel.values[0, ..., 0], rtol=1e-6)
    assert "unit 2" in _texts(plot)
    assert not _panels(plot, "kernel")
    plot.close()


def test_plot_filters_says_what_it_leaves_out() -> None:
    model = keras.Sequential([keras.Input((6,)), L.Dense(4, name="d")])
    rows = RNG.normal(size=(20, 6)).astype("float32")
    plot = kerasviz.plot_filters(model, "d", rows, labels=np.arange(20) % 2)
    assert "No preferred inputs" in _title(plot)
    assert "hold no images" in _title(plot)
    assert len(plot.panels) == 4
    plot.close()
    with pytest.raises(ValueError, match="nothing of 'd' that can be drawn"):
        kerasviz.plot_filters(model, "d", rows)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"filters": 0}, ValueError, "`filters` must be"),
        ({"filters": True}, TypeError, "`filters` must be .* Received: filters=True"),
        ({"filters": "every"}, TypeError, "`filters` must be"),
        ({"filters": [7]}, ValueError, "`filters` must be between -5 and 4"),
        ({"sort": "norm"}, ValueError, "`sort` must be"),
        ({"class_names": NAMES[:2]}, ValueError, "`class_names` must have a name .* 2"),
        ({"class_names": "boot"}, TypeError, "`class_names` must be a list"),
        ({"labels": LABELS}, ValueError, "`labels` are in the statistics"),
        ({"layer": "b"}, ValueError, "`layer` must be 'a'"),
        ({"steps": 0}, ValueError, "`steps`"),
        ({"colour": 1}, TypeError, "colour"),
        ({"ax": 1}, ValueError, "`ax` takes one panel"),
        ({"figsize": (2, 2)}, ValueError, r"`figsize` must be at least \S+ x \S+ in"),
    ],
)
def test_plot_filters_refuses(
    model: Any, statistics: Any, change: Any, error: Any, words: str
) -> None:
    arguments = {"layer": "a", "preferred": False, **change}
    layer = arguments.pop("layer")
    before = plt.get_fignums()
    with pytest.raises(error, match=words):
        kerasviz.plot_filters(model, layer, statistics, **arguments)
    assert plt.get_fignums() == before


def test_plot_filters_refuses_statistics_of_another_model(statistics: Any) -> None:
    other = keras.models.clone_model(_model())
    with pytest.raises(ValueError, match="`inputs` must be statistics of `model`"):
        kerasviz.plot_filters(other, "a", statistics)
    with pytest.raises(ValueError, match="`layer` must name one layer"):
        kerasviz.plot_filters(other, None, IMAGES)


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", slow_after(1, sample_cases(4, seed=2, places=("own", "subfigure"))), ids=str
)
def test_plot_filters_is_legible(model: Any, statistics: Any, case: Case) -> None:
    def draw(**place: Any) -> kerasviz.Plot:
        return kerasviz.plot_filters(
            model, "a", statistics, class_names=NAMES, filters=2, preferred=False, **place
        )

    is_legible_or_refused(draw, case, several=True)


@pytest.mark.slow
@pytest.mark.parametrize("style", ["default", "dark_background", "seaborn-v0_8"])
def test_plot_filters_is_legible_in_its_own_size(model: Any, style: str) -> None:
    labels = np.array([f"class with a long name {n}" for n in range(10)])[np.arange(30) % 10]
    with plt.style.context(style):
        plot = kerasviz.plot_filters(model, "a", IMAGES, labels=labels, filters="all", steps=1)
        assert_legible(plot)
        plot.close()


@pytest.mark.few(1)
@pytest.mark.parametrize("size", [(8, 6), (16, 8)])
def test_plot_filters_fits_a_figure_that_gets_another_size(
    model: Any, statistics: Any, size: tuple[float, float]
) -> None:
    def draw(**place: Any) -> kerasviz.Plot:
        return kerasviz.plot_filters(
            model, "a", statistics, class_names=NAMES, filters=2, preferred=False, **place
        )

    plot, fresh = draw(), draw(figsize=size)
    plot.figure.set_size_inches(size)
    assert_legible(plot)
    fresh.figure.draw_without_rendering()
    assert set(_texts(plot)) == set(_texts(fresh))
    boxes = [[ax.get_position().bounds for ax in each.axes] for each in (plot, fresh)]
    np.testing.assert_allclose(boxes[0], boxes[1], atol=1e-3)
    plot.close()
    fresh.close()


ALL_CARDS: dict[str, Any] = {"filters": "all", "class_names": NAMES, "preferred": False}


@pytest.fixture(scope="module")
def order(model: Any, statistics: Any) -> list[int]:
    """The filters in the order in which a figure of any size draws them."""
    plot = kerasviz.plot_filters(model, "a", statistics, **ALL_CARDS)
    plot.close()
    return list(_panels(plot, "kernel"))


@pytest.mark.few(2)
@pytest.mark.parametrize(("size", "count"), [((7, 5), 3), ((6.5, 4), 1), ((7, 14), 5)])
def test_plot_filters_draws_as_many_cards_as_a_figure_has_room_for(
    model: Any, statistics: Any, order: list[int], size: tuple[float, float], count: int
) -> None:
    plot = kerasviz.plot_filters(model, "a", statistics, figsize=size, **ALL_CARDS)
    indices = list(_panels(plot, "kernel"))
    assert len(indices) >= count
    assert indices == order[: len(indices)]
    says_so = f"There is room for the first {len(indices)}." in _title(plot)
    assert says_so == (len(indices) < len(order))
    assert_legible(plot)
    plot.close()


def test_plot_filters_refuses_a_figure_without_room_below_a_title(
    model: Any, statistics: Any
) -> None:
    with pytest.raises(ValueError, match=r"`figsize` must be at least \S+ x \S+ in"):
        # A title of the caller's does not say how many cards there are.
        kerasviz.plot_filters(model, "a", statistics, figsize=(7, 3.4), title="Mine", **ALL_CARDS)
