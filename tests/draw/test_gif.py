"""Frames and GIF files."""

from __future__ import annotations

import gc
import io
import weakref

import numpy as np
import pytest
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from PIL import Image

import kerasviz
from kerasviz.draw.color import ColorScale, color_scale
from kerasviz.draw.gif import fit_frame, free_figure, save_gif, value_palette


@pytest.fixture
def frames(rng):
    colors = rng.integers(0, 256, size=(3, 20, 30, 3), dtype="uint8")
    return [Image.fromarray(array) for array in colors]


def read(stream):
    with Image.open(stream) as gif:
        arrays, times = [], []
        for index in range(gif.n_frames):
            gif.seek(index)
            arrays.append(np.array(gif.convert("RGB")))
            times.append(gif.info["duration"])
        assert gif.info["loop"] == 0
    return arrays, times


def test_frames_are_asked_for_one_by_one(frames):
    stream, drawn = io.BytesIO(), []

    def draw():
        for index, frame in enumerate(frames):
            drawn.append(index)
            yield frame

    save_gif(stream, draw(), 3, None)
    arrays, times = read(stream)
    assert drawn == [0, 1, 2]
    assert times == [250, 250, 2000]
    assert {array.shape for array in arrays} == {(20, 30, 3)}


def test_a_value_has_the_color_of_the_palette_in_each_frame():
    scale = color_scale(np.array([-1.0, 1.0]))
    values = np.linspace(-1, 1, 600).reshape(2, 10, 30)
    expected = [(255 * scale.cmap(scale.norm(array))[..., :3]).round() for array in values]
    stream = io.BytesIO()
    frames = [Image.fromarray(array.astype("uint8")) for array in expected]
    save_gif(stream, frames, 2, value_palette(scale))
    arrays, _ = read(stream)
    for array, right in zip(arrays, expected, strict=True):
        assert np.abs(array - right).max() <= 8  # a palette has only 256 colours


def test_a_single_frame(frames):
    stream = io.BytesIO()
    save_gif(stream, frames[:1], 1, value_palette(ColorScale(Normalize(0, 1), colormap())))
    with Image.open(stream) as gif:
        assert gif.n_frames == 1


def colormap():
    return color_scale(np.ones(1)).cmap


def test_room_is_added_at_the_top(frames):
    taller = np.array(fit_frame(frames[0], (30, 24)))
    np.testing.assert_array_equal(taller[4:], np.array(frames[0]))
    assert (taller[:4] == np.array(frames[0])[0, 0]).all()
    assert fit_frame(frames[0], (30, 20)) is frames[0]


def test_a_figure_is_freed_without_a_garbage_collection():
    plot = kerasviz.plot_tiles(np.ones((4, 4, 2)), figure=Figure())
    image = weakref.ref(plot.images[0])
    gc.disable()
    try:
        free_figure(plot)
        del plot
        assert image() is None
    finally:
        gc.enable()
