"""Animations: colours that mean the same at every step, and runs that were interrupted."""

from __future__ import annotations

import contextlib
import gc
import signal
import sys
import types

import keras
import numpy as np
import pytest
from PIL import Image

from kerasviz import FeatureMapSnapshots, KernelSnapshots

pytestmark = pytest.mark.filterwarnings(
    # Keras's own warning on PyTorch, ignored everywhere; `pytest.warns` sends it on without
    # Keras's name.
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)


@pytest.fixture
def read_gif():
    """Return the pictures of an animation `(steps, height, width, 3)` and their times in ms."""

    def read(path):
        pictures, times = [], []
        with Image.open(path) as gif:
            for index in range(gif.n_frames):
                gif.seek(index)
                pictures.append(np.array(gif.convert("RGB")))
                times.append(gif.info["duration"])
            assert gif.info["loop"] == 0
        return np.array(pictures), times

    return read


@pytest.fixture
def assert_same(pixels):
    """Compare a picture of an animation with a figure; a palette has but so many colours."""

    def compare(picture, figure):
        expected = pixels(figure)[..., :3].astype(int)
        assert np.abs(picture.astype(int) - expected).max() <= 8

    return compare


class Steps(keras.callbacks.Callback):
    """Keeps the kernel of a layer at each step, and makes it larger or smaller at once."""

    def __init__(self, name, factor=1.0):
        super().__init__()
        self.name = name
        self.factor = factor
        self.kernels = []

    def on_epoch_end(self, *_, **__):
        layer = self.model.get_layer(self.name)
        kernel, bias = layer.get_weights()
        layer.set_weights([kernel * self.factor, bias])
        self.kernels.append(np.array(layer.get_weights()[0]))


def stop_at(number, error):
    def on_epoch_begin(epoch, _):
        if epoch == number:
            raise error

    return keras.callbacks.LambdaCallback(on_epoch_begin=on_epoch_begin)


@pytest.mark.slow
def test_kernel_snapshots_animate_with_one_color_per_value(
    model, fit, tmp_path, read_gif, assert_same, plot_tiles
):
    steps = Steps("first", factor=1.5)
    fit(model, steps, KernelSnapshots("first", gif=tmp_path), epochs=3)
    pictures, times = read_gif(tmp_path / "first/kernels.gif")
    assert times == [250, 250, 2000]
    reach = max(np.abs(kernel).max() for kernel in steps.kernels)
    for epoch, (picture, kernel) in enumerate(zip(pictures, steps.kernels, strict=True), start=1):
        title = f"first: 3 kernels, 3×3\nepoch {epoch}"
        plot = plot_tiles(kernel[:, :, 0], vmin=-reach, vmax=reach, title=title)
        assert_same(picture, plot.figure)


def test_feature_map_snapshots_animate_non_negative_maps_from_0(
    model, fit, images, tmp_path, read_gif, assert_same, plot_tiles
):
    maps = []

    def look(*_):
        inside = model.get_layer("first")(images[:1], training=False)
        outputs = model.get_layer("second")(inside, training=False)
        maps.append(np.array(keras.ops.convert_to_numpy(outputs)[0]))

    witness = keras.callbacks.LambdaCallback(on_epoch_end=look)
    fit(model, witness, FeatureMapSnapshots(images, "second", gif=tmp_path, title="maps"))
    pictures, _ = read_gif(tmp_path / "second/feature_maps.gif")
    highest = max(array.max() for array in maps)
    for picture, array in zip(pictures, maps, strict=True):
        assert_same(picture, plot_tiles(array, vmin=0, vmax=highest, title="maps").figure)


@pytest.mark.few(1)
@pytest.mark.parametrize("given", [{"vmin": -0.2, "cmap": "PiYG"}, {"norm": "symlog"}], ids=str)
def test_kernel_snapshots_animate_in_the_callers_colors(
    model, fit, tmp_path, read_gif, assert_same, plot_tiles, given
):
    steps = Steps("first", factor=0.5)
    callback = KernelSnapshots("first", gif=tmp_path, title="same", **given)
    fit(model, steps, callback, epochs=2)
    pictures, _ = read_gif(tmp_path / "first/kernels.gif")
    whole = np.concatenate(steps.kernels, axis=2)
    limits = plot_tiles(whole.reshape(9, -1), **given).images[0].norm
    chosen = {"norm": limits} if "norm" in given else {"vmin": limits.vmin, "vmax": limits.vmax}
    for picture, kernel in zip(pictures, steps.kernels, strict=True):
        options = {**given, **chosen}
        assert_same(picture, plot_tiles(kernel[:, :, 0], title="same", **options).figure)


def test_kernel_snapshots_animate_each_tile_on_one_scale_of_its_own(
    model, fit, tmp_path, read_gif, assert_same, plot_tiles
):
    steps = Steps("first", factor=1.5)
    callback = KernelSnapshots("first", gif=tmp_path, scale="tile", title="same")
    fit(model, steps, callback)
    pictures, _ = read_gif(tmp_path / "first/kernels.gif")
    reach = np.abs(steps.kernels).max(axis=(0, 1, 2, 3))
    for picture, kernel in zip(pictures, steps.kernels, strict=True):
        tiles = kernel[:, :, 0] / reach
        plot = plot_tiles(tiles, vmin=-1, vmax=1, colorbar=False, title="same")
        assert_same(picture, plot.figure)


@pytest.mark.few(1)
@pytest.mark.parametrize("scale", ["layer", "tile"])
def test_kernel_snapshots_animate_kernels_as_colors(
    model, fit, tmp_path, read_gif, pixels, plot_tiles, scale
):
    steps = Steps("second", factor=1.5)
    callback = KernelSnapshots("second", gif=tmp_path, scale=scale, title="same")
    fit(model, steps, callback)
    pictures, _ = read_gif(tmp_path / "second/kernels.gif")
    axes = (0, 1, 2, 3) if scale == "tile" else None
    reach = np.abs(steps.kernels).max(axis=axes)
    for picture, kernel in zip(pictures, steps.kernels, strict=True):
        colors = np.moveaxis((kernel / reach + 1) / 2, -1, 0)
        expected = pixels(plot_tiles(colors, title="same").figure)[..., :3]
        assert np.abs(picture.astype(int) - expected).mean() < 2


def test_kernel_snapshots_animate_all_layers_on_one_scale(
    model, fit, tmp_path, read_gif, assert_same, plot_tiles
):
    steps = [Steps("first", factor=0.1), Steps("second", factor=2.0)]
    callback = KernelSnapshots(channel=0, scale="figure", gif=tmp_path, title="same")
    fit(model, *steps, callback)
    shown = [[kernel[:, :, 0] for kernel in step.kernels] for step in steps]
    reach = max(np.abs(kernel).max() for layer in shown for kernel in layer)
    for name, layer in zip(("first", "second"), shown, strict=True):
        pictures, _ = read_gif(tmp_path / f"{name}/kernels.gif")
        for picture, tiles in zip(pictures, layer, strict=True):
            plot = plot_tiles(tiles, vmin=-reach, vmax=reach, title="same")
            assert_same(picture, plot.figure)


def test_kernel_snapshots_animate_tiles_in_the_order_of_the_last_step(
    model, fit, tmp_path, read_gif, assert_same, plot_tiles
):
    class Shuffle(Steps):
        def on_epoch_end(self, epoch, logs=None):
            layer = self.model.get_layer("first")
            kernel, bias = layer.get_weights()
            layer.set_weights([kernel * np.roll([1, 5, 25], epoch), bias])
            super().on_epoch_end(epoch, logs)

    steps = Shuffle("first")
    model.optimizer.learning_rate = 0.0
    callback = KernelSnapshots("first", gif=tmp_path, sort="norm", labels=True)
    fit(model, steps, callback)
    pictures, _ = read_gif(tmp_path / "first/kernels.gif")
    first, last = steps.kernels
    order = np.argsort(-np.linalg.norm(last.reshape(9, 3), axis=0))
    assert [*order] != [*np.argsort(-np.linalg.norm(first.reshape(9, 3), axis=0))]
    reach = np.abs(steps.kernels).max()
    plot = plot_tiles(
        first[:, :, 0, order],
        vmin=-reach,
        vmax=reach,
        labels=True,
        title="first: 3 kernels, 3×3\nepoch 1",
    )
    for number, text in zip(order, plot.axes[0].texts, strict=True):
        text.set_text(str(number))
    assert_same(pictures[0], plot.figure)


@pytest.mark.slow
def test_kernel_snapshots_keep_the_tiles_where_they_are_under_any_title(
    model, fit, tmp_path, read_gif
):
    class Kill(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, *_):
            if epoch == 1:
                layer = self.model.get_layer("first")
                kernel, bias = layer.get_weights()
                kernel[..., 0], kernel[0, 0, 0, 1] = 0, np.nan
                layer.set_weights([kernel, bias])

    callback = KernelSnapshots("first", gif=tmp_path, vmin=-1, vmax=1)
    with pytest.warns(UserWarning, match="At epoch 2, values of 'first' are NaN"):
        fit(model, Kill(), callback)
    (short, long), _ = read_gif(tmp_path / "first/kernels.gif")
    assert short.shape == long.shape
    below = short.shape[0] // 2
    bars = short[below:, -70:], long[below:, -70:]
    np.testing.assert_array_equal(*bars)
    assert (long == (255, 0, 255)).all(axis=2).any()


def test_kernel_snapshots_animate_one_step(model, fit, tmp_path, read_gif):
    fit(model, KernelSnapshots("first", gif=tmp_path), epochs=1)
    pictures, _ = read_gif(tmp_path / "first/kernels.gif")
    assert len(pictures) == 1


def test_kernel_snapshots_go_on_with_the_animation_of_a_resumed_run(model, fit, tmp_path, read_gif):
    fit(model, KernelSnapshots("first", gif=tmp_path))
    before, _ = read_gif(tmp_path / "first/kernels.gif")
    steps = Steps("first", factor=3.0)
    fit(model, steps, KernelSnapshots("first", gif=tmp_path), epochs=3, initial_epoch=2)
    after, times = read_gif(tmp_path / "first/kernels.gif")
    assert len(before) == 2
    assert times == [250, 250, 2000]
    assert not np.array_equal(after[0], before[0])  # the last step needs a wider scale
    fit(model, KernelSnapshots("first", gif=tmp_path), epochs=1)
    assert len(read_gif(tmp_path / "first/kernels.gif")[0]) == 4


@pytest.mark.slow
def test_kernel_snapshots_give_an_animation_of_something_else_another_name(
    model, fit, images, tmp_path, files
):
    fit(model, KernelSnapshots("second", gif=tmp_path), epochs=1)
    first = (tmp_path / "second/kernels.gif").read_bytes()
    for options in ({"channel": 1}, {"channel": 1}, {"channel": 1, "tiles": [1, 2]}):
        fit(model, KernelSnapshots("second", gif=tmp_path, **options), epochs=1)
    names = [f"second/kernels{number}.gif" for number in ("-2", "-3", "")]
    assert files(tmp_path) == names
    assert (tmp_path / "second/kernels.gif").read_bytes() == first
    with Image.open(tmp_path / "second/kernels-2.gif") as gif:
        assert gif.n_frames == 2
    for sample in (0, 1):
        fit(model, FeatureMapSnapshots(images, "first", gif=tmp_path, sample=sample), epochs=1)
    assert files(tmp_path)[:2] == ["first/feature_maps-2.gif", "first/feature_maps.gif"]


@pytest.mark.slow
def test_kernel_snapshots_keep_an_animation_whose_values_were_deleted(model, fit, tmp_path, files):
    fit(model, KernelSnapshots("first", gif=tmp_path), epochs=1)
    first = (tmp_path / "first/kernels.gif").read_bytes()
    for record in tmp_path.rglob("*.npz"):
        record.unlink()
    fit(model, KernelSnapshots("first", gif=tmp_path), epochs=1)
    assert files(tmp_path) == ["first/kernels-2.gif", "first/kernels.gif"]
    assert (tmp_path / "first/kernels.gif").read_bytes() == first


@pytest.mark.slow
def test_kernel_snapshots_animate_an_interrupted_training_when_they_are_freed(
    model, fit, tmp_path, files
):
    with contextlib.suppress(KeyboardInterrupt):
        fit(model, KernelSnapshots("first", gif=tmp_path), stop_at(2, KeyboardInterrupt), epochs=9)
    gc.collect()
    assert files(tmp_path) == ["first/kernels.gif"]


def test_kernel_snapshots_animate_an_interrupted_training_when_they_are_closed(
    model, fit, tmp_path, read_gif
):
    callback = KernelSnapshots("first", gif=tmp_path)
    with pytest.raises(RuntimeError, match="stop"):
        fit(model, callback, stop_at(2, RuntimeError("stop")), epochs=9)
    path = tmp_path / "first/kernels.gif"
    assert not path.exists()
    callback.close()
    written = path.read_bytes()
    callback.close()
    assert len(read_gif(path)[0]) == 2
    with pytest.raises(RuntimeError, match="stop"):
        fit(model, callback, stop_at(3, RuntimeError("stop")), epochs=9, initial_epoch=2)
    assert path.read_bytes() == written
    fit(model, callback, epochs=3, initial_epoch=3)  # nothing to train, but it begins and ends
    assert len(read_gif(path)[0]) == 3


class Shell:
    """As much of IPython as a callback uses."""

    def __init__(self):
        self.events = self
        self.hooks = []

    def register(self, event, hook):
        assert event == "post_run_cell"
        self.hooks.append(hook)

    def unregister(self, event, hook):
        assert event == "post_run_cell"
        self.hooks.remove(hook)

    def end_cell(self):
        for hook in list(self.hooks):
            hook(None)


@pytest.fixture
def shell(monkeypatch):
    shell = Shell()
    module = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", module)
    return shell


@pytest.mark.slow
def test_kernel_snapshots_animate_a_training_that_is_interrupted_in_a_notebook(
    model, fit, tmp_path, files, shell
):
    callback = KernelSnapshots("first", gif=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        fit(model, callback, stop_at(1, KeyboardInterrupt), epochs=9)
    assert not files(tmp_path)
    shell.end_cell()
    assert files(tmp_path) == ["first/kernels.gif"]
    assert not shell.hooks
    fit(model, callback, epochs=3, initial_epoch=2)
    assert not shell.hooks
    with Image.open(tmp_path / "first/kernels.gif") as gif:
        assert gif.n_frames == 2


FAILING = """
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras, kerasviz, numpy as np

def stop(epoch, logs):
    if epoch == 2:
        raise RuntimeError("stopped on purpose")

model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3, name="conv")])
model.compile("sgd", "mse")
snapshots = kerasviz.KernelSnapshots(gif="out")
stopper = keras.callbacks.LambdaCallback(on_epoch_begin=stop)
model.fit(np.ones((4, 8, 8, 1)), np.ones((4, 6, 6, 2)), epochs=5, verbose=0,
          callbacks=[snapshots, stopper])
"""


@pytest.mark.slow
def test_kernel_snapshots_animate_the_training_of_a_script_that_fails(run_script, tmp_path):
    process = run_script(FAILING)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert errors.rstrip().endswith("RuntimeError: stopped on purpose")
    with Image.open(tmp_path / "out/conv/kernels.gif") as gif:
        assert gif.n_frames == 2


KILLED = """
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import io, pathlib, time
import keras, kerasviz, numpy as np

plain_open = pathlib.Path.open

class Slow(io.FileIO):
    def write(self, data):
        super().write(bytes(data)[: max(1, len(data) // 2)])
        print("half", self.name, flush=True)
        time.sleep(600)

def slow_open(path, mode="r", *rest, **options):
    if "kernels-epoch-0003.png" in path.name and mode == "wb":
        return Slow(path, "w")
    return plain_open(path, mode, *rest, **options)

pathlib.Path.open = slow_open
model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3, name="conv")])
model.compile("sgd", "mse")
snapshots = kerasviz.KernelSnapshots(directory="out", gif="out")
model.fit(np.ones((4, 8, 8, 1)), np.ones((4, 6, 6, 2)), epochs=4, verbose=0, callbacks=[snapshots])
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_kernel_snapshots_leave_nothing_half_written_by_a_killed_process(
    run_script, tmp_path, files
):
    process = run_script(KILLED)
    assert process.stdout.readline().startswith("half ")
    process.kill()
    process.communicate()
    complete = [name for name in files(tmp_path / "out") if not name.endswith(".tmp")]
    assert complete == ["conv/kernels-epoch-0001.png", "conv/kernels-epoch-0002.png"]
    for name in complete:
        with Image.open(tmp_path / "out" / name) as picture:
            picture.load()
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3, name="conv")])
    model.compile("sgd", "mse")
    callback = KernelSnapshots(directory=tmp_path / "out", gif=tmp_path / "out")
    x, y = np.ones((4, 8, 8, 1)), np.ones((4, 6, 6, 2))
    with pytest.warns(UserWarning, match="goes on from epoch 3 of an earlier training"):
        model.fit(x, y, verbose=0, callbacks=[callback])
    with Image.open(tmp_path / "out/conv/kernels.gif") as gif:
        assert gif.n_frames == 4  # the values of the third had been put aside already
    assert (tmp_path / "out/conv/kernels-epoch-0004.png").exists()
