"""Any plot of a model, drawn while it is trained."""

from __future__ import annotations

import functools
import gc
import re
import weakref

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

import kerasviz
from kerasviz import Snapshots

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)
"""Keras's own warning, ignored everywhere; `pytest.warns` sends it on without Keras's name."""


def draw(model):
    return kerasviz.plot_kernels(model, "first", title="same")


def test_snapshots_draw_one_picture_per_step_of_the_model_as_it_is(
    model, fit, tmp_path, files, plot_kernels, pixels
):
    fit(model, Snapshots(draw, directory=tmp_path), epochs=3)
    assert files(tmp_path) == [f"draw-epoch-000{number}.png" for number in (1, 2, 3)]
    expected = pixels(plot_kernels(model, "first", title="same").figure)
    with Image.open(tmp_path / "draw-epoch-0003.png") as picture:
        np.testing.assert_array_equal(np.array(picture.convert("RGBA")), expected)
    with Image.open(tmp_path / "draw-epoch-0001.png") as picture:
        assert not np.array_equal(np.array(picture.convert("RGBA")), expected)


def test_snapshots_count_on_and_overwrite_no_picture(model, fit, tmp_path, files):
    fit(model, Snapshots(draw, directory=tmp_path, every=2, name="mine"))
    before = (tmp_path / "mine-epoch-0002.png").read_bytes()
    fit(model, Snapshots(draw, directory=tmp_path, every=2, name="mine"))
    fit(model, Snapshots(draw, directory=tmp_path, every="2 batches", name="mine"), epochs=1)
    assert files(tmp_path) == [
        "mine-batch-00000002.png",
        "mine-epoch-0002.png",
        "mine-epoch-0004.png",
    ]
    assert (tmp_path / "mine-epoch-0002.png").read_bytes() == before


@pytest.mark.slow
def test_snapshots_warn_of_an_untrained_model_in_the_folder_of_another(make_model, fit, tmp_path):
    fit(make_model(), Snapshots(draw, directory=tmp_path), epochs=1)
    with pytest.warns(UserWarning, match="Snapshots goes on from epoch 1 of an earlier training"):
        fit(make_model(), Snapshots(draw, directory=tmp_path), epochs=1)


def test_snapshots_close_figures_but_for_those_of_the_user(model, fit, tmp_path):
    mine = plt.figure()
    ax = mine.add_subplot()
    try:
        into_mine = functools.partial(kerasviz.plot_kernels, layer="first", ax=ax)
        fit(
            model,
            Snapshots(draw, directory=tmp_path),
            Snapshots(into_mine, directory=tmp_path),
            epochs=1,
        )
        assert plt.get_fignums() == [mine.number]
        assert plt.gcf() is mine
        assert ax.images
    finally:
        plt.close(mine)
    assert (tmp_path / "plot_kernels-epoch-0001.png").exists()


def test_snapshots_free_a_figure_without_a_garbage_collection(model, fit, tmp_path):
    images = []

    def draw_first(model):
        plot = kerasviz.plot_kernels(model, "first")
        images.append(weakref.ref(plot.images[0]))
        return plot

    gc.disable()
    try:
        fit(model, Snapshots(draw_first, directory=tmp_path), epochs=2)
        assert [image() for image in images] == [None, None]
    finally:
        gc.enable()


def test_snapshots_hand_on_plot_a_plot_to_keep(model, fit):
    kept = []
    fit(model, Snapshots(draw, on_plot=lambda *call: kept.append(call)))
    assert [call[:2] for call in kept] == [(1, "draw"), (2, "draw")]
    assert all(plot.images[0].get_array().count() == 27 for _, _, plot in kept)


def test_snapshots_warn_once_of_what_the_function_raises(model, fit, tmp_path, files):
    calls = []

    def fail(model):
        calls.append(1)
        plt.figure()
        if len(calls) > 1:
            raise RuntimeError("mine")
        return draw(model)

    message = "No picture of epoch 2, training goes on: `fail` raised RuntimeError: mine"
    with pytest.warns(UserWarning, match=message) as caught:
        fit(model, Snapshots(fail, directory=tmp_path), epochs=4)
    assert len([w for w in caught if w.category is UserWarning]) == 1
    assert len(calls) == 4
    assert files(tmp_path) == ["fail-epoch-0001.png"]
    assert not plt.get_fignums()


def test_snapshots_refuse_a_function_that_returns_something_else(model, fit, tmp_path):
    with pytest.raises(TypeError, match=r"`function` must return a Plot. Received: <Figure size"):
        fit(model, Snapshots(lambda _: plt.figure(), directory=tmp_path))
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"function": "x"}, TypeError, "`function` must be a function that takes a model"),
        ({"directory": None}, ValueError, "give `directory`, `log_dir` or `on_plot`."),
        ({"directory": 3}, TypeError, "`directory` must be a path. Received: directory=3"),
        ({"every": 0}, ValueError, "`every` must be a positive integer"),
        ({"on_plot": 3}, TypeError, "`on_plot` must be a function"),
        ({"name": 3}, TypeError, "`name` must be a string"),
        ({"name": "../a"}, ValueError, "`name` must be of letters, digits"),
    ],
    ids=str,
)
def test_snapshots_refuse_a_mistake_at_once(tmp_path, change, error, message):
    with pytest.raises(error, match=re.escape(message)):
        Snapshots(**{"function": draw, "directory": tmp_path, **change})
    assert Snapshots(lambda _: None, directory=tmp_path).name == "plot"


def test_snapshots_refuse_a_folder_that_cannot_be_written_to_before_training(model, fit, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="`directory` must be a folder that can be written to"):
        fit(model, Snapshots(draw, directory=tmp_path / "file"))


@pytest.mark.slow
def test_snapshots_of_attributions_of_fixed_images_are_on_one_scale(
    make_model, fit, tmp_path, files, rng
):
    images, results = rng.random((2, 8, 8, 1)).astype("float32"), []

    def why(model):
        plot = kerasviz.plot_attributions(
            model, images, method="input-x-gradient", sample="all", target=0, vmax=0.5
        )
        values = kerasviz.get_attributions(model, images, method="input-x-gradient", target=0)
        results.append(([panel.limits for panel in plot.panels if panel.image], values.values))
        return plot

    alone = make_model()
    fit(alone, epochs=3)
    weights = alone.get_weights()
    watched = make_model()
    fit(watched, Snapshots(why, directory=tmp_path), epochs=3)
    assert files(tmp_path) == [f"why-epoch-000{number}.png" for number in (1, 2, 3)]
    assert all(limits == [(-0.5, 0.5)] * 2 for limits, _ in results)
    assert not np.allclose(results[0][1], results[-1][1], atol=1e-6)
    for a, b in zip(watched.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(a, b)
