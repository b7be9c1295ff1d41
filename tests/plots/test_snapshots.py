"""What callbacks recorded, drawn after the training."""

from __future__ import annotations

import re
import shutil

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.animation import FuncAnimation
from matplotlib.figure import Figure
from PIL import Image

import kerasviz
import training
from kerasviz import FeatureMapSnapshots, KernelSnapshots
from kerasviz.draw.animations.gif import fit_frame
from marks import slow_after
from written_words import titles_of

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)
"""Keras's own warning, ignored everywhere; `pytest.warns` sends it on without Keras's name."""


class SetKernels(keras.callbacks.Callback):
    """Sets the kernels of the layers "c" and "d" at the end of each epoch."""

    def __init__(self, kernels):
        super().__init__()
        self.kernels = kernels

    def on_epoch_end(self, epoch, logs=None):  # noqa: ARG002
        for name, kernels in self.kernels.items():
            self.model.get_layer(name).set_weights([kernels[epoch]])


@pytest.fixture(scope="module")
def model():
    """Build 8×8×1 → "c", 3 kernels 3×3 → "d", 4 kernels 2×2×3, which training leaves alone."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(3, 3, use_bias=False, name="c"),
            keras.layers.Conv2D(4, 2, use_bias=False, activation="relu", name="d"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    return model


@pytest.fixture
def images(rng):
    return rng.random((2, 8, 8, 1)).astype("float32")


@pytest.fixture
def kernels():
    return make_kernels()


def make_kernels():
    """Return the kernels of both layers after each of four epochs."""
    rng = np.random.default_rng(20240607)
    sizes = np.array([1, 2, 4, 0.5]).reshape(-1, 1, 1, 1, 1)
    return {
        "c": (sizes * rng.normal(size=(4, 3, 3, 1, 3))).astype("float32"),
        "d": (sizes * rng.normal(size=(4, 2, 2, 3, 4))).astype("float32"),
    }


def train_model(model, images, kernels, *callbacks, epochs=4):
    """Train a model that has these kernels after its epochs."""
    targets = np.zeros((2, 5, 5, 4), "float32")
    callbacks = [SetKernels(kernels), *callbacks]
    training.train(model, images, targets, callbacks, epochs=epochs)


@pytest.fixture
def train(model, images, kernels):
    def train(*callbacks, epochs=4, kernels=kernels):
        train_model(model, images, kernels, *callbacks, epochs=epochs)

    return train


@pytest.fixture(scope="module")
def recorded(model, tmp_path_factory):
    """Return a folder with the records of the layer "c" after four epochs, which nobody changes."""
    folder = tmp_path_factory.mktemp("recorded")
    images = np.zeros((2, 8, 8, 1), "float32")
    train_model(model, images, make_kernels(), KernelSnapshots("c", directory=folder))
    return folder


@pytest.fixture
def plot_snapshots(closing):
    return closing(kerasviz.plot_snapshots)


def test_plot_snapshots_draws_one_panel_per_record_on_one_scale(
    kernels, recorded, plot_snapshots, read_tiles
):
    plot = plot_snapshots(recorded)
    assert titles_of(plot) == [f"c: 3 kernels, 3×3 epoch {epoch}" for epoch in (1, 2, 3, 4)]
    reach = np.abs(kernels["c"]).max()
    for image, kernel in zip(plot.images, kernels["c"], strict=True):
        np.testing.assert_array_equal(read_tiles(image, 3, 3), np.moveaxis(kernel[:, :, 0], -1, 0))
        assert image.get_clim() == (-reach, reach)


def test_plot_snapshots_needs_nothing_but_a_record(kernels, recorded):
    names = [path.name for path in sorted((recorded / "c").iterdir())]
    assert names == [
        f"kernels-epoch-000{epoch}.{suffix}" for epoch in (1, 2, 3, 4) for suffix in ("npz", "png")
    ]
    with np.load(recorded / "c/kernels-epoch-0003.npz") as record:
        np.testing.assert_array_equal(record["values"], np.moveaxis(kernels["c"][2][:, :, 0], 2, 0))
        assert record["indices"].tolist() == [0, 1, 2]
        words = {name: str(record[name]) for name in ("address", "kind", "unit", "step", "version")}
    assert words == {
        "address": "c",
        "kind": "kernels",
        "unit": "epoch",
        "step": "3",
        "version": "1",
    }


@pytest.mark.parametrize(
    "options",
    slow_after(
        2,
        [
            {},
            {"channel": "all", "colorbar": False},
            {"channel": 1, "labels": True, "sort": "norm", "tiles": [0, 3, 2], "cmap": "PiYG"},
            {"channel": "mean", "scale": "tile", "columns": 2},
            {"channel": "principal", "title": False},
            {"channel": 0, "norm": "symlog"},
            {"scale": "tile"},
            {"vmax": 0.5},
        ],
    ),
    ids=str,
)
def test_plot_snapshots_draws_kernels_as_the_callback_did(
    train, tmp_path, plot_snapshots, pixels, options
):
    train(KernelSnapshots("d", directory=tmp_path, **options))
    style = {name: value for name, value in options.items() if name not in ("channel", "tiles")}
    style.pop("sort", None)  # the record has the order already
    for epoch in (1, 3):
        plot = plot_snapshots(tmp_path, "d", steps=epoch, **style)
        with Image.open(tmp_path / f"d/kernels-epoch-000{epoch}.png") as picture:
            np.testing.assert_array_equal(pixels(plot.figure), np.array(picture.convert("RGBA")))


@pytest.mark.parametrize(
    "options",
    slow_after(
        2,
        [
            {"sample": 1, "labels": True},
            {"sample": [1, 0], "sample_names": ["a", "b"]},
            {"overlay": True},
            {"overlay": True, "alpha": 0.5, "interpolation": "bilinear", "cmap": "viridis"},
            {"overlay": True, "scale": "tile"},
        ],
    ),
    ids=str,
)
def test_plot_snapshots_draws_maps_as_the_callback_did(
    train, images, tmp_path, plot_snapshots, pixels, options
):
    train(FeatureMapSnapshots(images, "d", directory=tmp_path, **options))
    style = {name: options[name] for name in ("labels", "cmap", "scale") if name in options}
    plot = plot_snapshots(tmp_path, steps=-1, **style)
    with Image.open(tmp_path / "d/feature_maps-epoch-0004.png") as picture:
        np.testing.assert_array_equal(pixels(plot.figure), np.array(picture.convert("RGBA")))


@pytest.mark.parametrize(
    "options",
    slow_after(
        1, [{}, {"channel": 0, "scale": "tile"}, {"channel": 0, "sort": "norm", "labels": True}]
    ),
    ids=str,
)
def test_animate_snapshots_is_the_animation_of_the_callback(train, tmp_path, options):
    train(KernelSnapshots("d", directory=tmp_path / "png", gif=tmp_path / "gif", **options))
    style = {name: value for name, value in options.items() if name in ("scale", "labels")}
    for folder in ("png", "gif"):
        animation = kerasviz.animate_snapshots(tmp_path / folder, "d", **style)
        animation.save(tmp_path / "afterwards.gif")
        written = (tmp_path / "gif/d/kernels.gif").read_bytes()
        assert (tmp_path / "afterwards.gif").read_bytes() == written


def test_animate_snapshots_draws_each_step_as_plot_snapshots_does(
    kernels, recorded, plot_snapshots, pixels
):
    reach = float(np.abs(kernels["c"]).max())
    animation = kerasviz.animate_snapshots(recorded, "c")
    assert isinstance(animation, FuncAnimation)
    for index, epoch in enumerate((1, 2, 3, 4)):
        animation._draw_frame(index)
        plot = plot_snapshots(recorded, "c", steps=epoch, vmin=-reach, vmax=reach)
        frame = pixels(animation._fig)[..., :3]
        expected = pixels(plot.figure)[..., :3]
        assert frame.shape == expected.shape
        # The colour bar has no arrow where the limits are those of all steps.
        width = expected.shape[1] // 2
        np.testing.assert_array_equal(frame[:, :width], expected[:, :width])


def test_animate_snapshots_puts_every_frame_into_a_player_without_other_hosts(recorded):
    html = kerasviz.animate_snapshots(recorded, steps=slice(2, None))._repr_html_()
    assert html.count("data:image/png;base64") == 3
    assert "https://" not in html


@pytest.mark.slow
def test_animate_snapshots_saves_other_kinds_of_files(train, tmp_path):
    train(KernelSnapshots("c", directory=tmp_path), epochs=2)
    animation = kerasviz.animate_snapshots(tmp_path)
    animation.save(tmp_path / "steps.webp", writer="pillow")
    with Image.open(tmp_path / "steps.webp") as picture:
        assert picture.n_frames == 2


@pytest.mark.few(5)
@pytest.mark.parametrize(
    ("steps", "epochs"),
    [
        (3, [3]),
        (-1, [4]),
        ([4, 1, 4], [1, 4]),
        (np.array([2, 3]), [2, 3]),
        (range(1, 3), [1, 2]),
        (slice(2, 4), [2, 3]),
        (slice(None, None, 2), [1, 3]),
        (slice(-2, None), [3, 4]),
        (slice(-9, -1), [1, 2, 3]),
        (None, [1, 2, 3, 4]),
    ],
    ids=str,
)
def test_plot_snapshots_chooses_steps_by_their_number(recorded, plot_snapshots, steps, epochs):
    plot = plot_snapshots(recorded, steps=steps)
    assert titles_of(plot) == [f"c: 3 kernels, 3×3 epoch {epoch}" for epoch in epochs]


def test_plot_snapshots_draws_some_of_many_steps_evenly_and_says_so(
    recorded, tmp_path, plot_snapshots
):
    record = dict(np.load(recorded / "c/kernels-epoch-0001.npz"))
    (tmp_path / "c").mkdir()
    for step in range(1, 31):
        np.savez(tmp_path / f"c/kernels-epoch-{step:04d}.npz", **{**record, "step": step})
    plot = plot_snapshots(tmp_path)
    epochs = [int(re.search(r"epoch (\d+)", title)[1]) for title in titles_of(plot)]
    assert len(epochs) == 12
    assert (epochs[0], epochs[-1]) == (1, 30)
    assert set(np.diff(epochs)) == {2, 3}
    assert titles_of(plot)[0].endswith("epoch 1, 12 of 30 steps")
    assert len(plot_snapshots(tmp_path, steps=slice(None)).axes) == 30


def test_plot_snapshots_draws_every_layer_in_the_order_of_the_model(
    train, tmp_path, plot_snapshots
):
    train(KernelSnapshots(["d", "c"], directory=tmp_path, channel=0))
    plot = plot_snapshots(tmp_path, steps=[1, 4])
    assert [title.split(":")[0] for title in titles_of(plot)] == ["d", "d", "c", "c"]
    limits = [image.get_clim() for image in plot.images]
    assert limits[0] == limits[1] != limits[2] == limits[3]
    together = plot_snapshots(tmp_path, steps=[1, 4], scale="figure")
    assert {image.get_clim() for image in together.images} == {max(limits, key=lambda x: x[1])}
    assert len(plot_snapshots(tmp_path, "c", steps=1).images) == 1


def test_plot_snapshots_tells_several_kinds_in_one_folder_apart(
    train, images, tmp_path, plot_snapshots
):
    train(
        KernelSnapshots("c", directory=tmp_path),
        FeatureMapSnapshots(images, "c", directory=tmp_path),
        FeatureMapSnapshots(images, "c", directory=tmp_path, sample=1, slices=0),
        epochs=1,
    )
    with pytest.raises(
        ValueError, match=r"`kind` must say.*: 'feature_maps', 'feature_maps-2', 'k"
    ):
        plot_snapshots(tmp_path)
    assert "kernels" in titles_of(plot_snapshots(tmp_path, kind="kernels"))[0]
    title = titles_of(plot_snapshots(tmp_path, kind="feature_maps-2"))[0]
    assert "sample 1 of 2" in title
    with pytest.raises(ValueError, match=r"`kind` must be one of.*Did you mean 'kernels'"):
        plot_snapshots(tmp_path, kind="kernel")


def test_plot_snapshots_keeps_signs_from_step_to_step(tmp_path, rng, plot_snapshots):
    model = keras.Sequential([keras.Input((4, 4, 64)), keras.layers.Conv2D(4, 3, use_bias=False)])
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    mix = rng.normal(size=(64, 4))
    mix -= mix.mean(axis=0)
    patterns = rng.normal(size=(3, 3, 4))
    name = model.layers[0].name
    offsets = [1e-3 * (-1) ** epoch for epoch in range(4)]
    kernels = {name: [patterns[:, :, None] * (mix + offset)[None, None] for offset in offsets]}
    callbacks = [SetKernels(kernels), KernelSnapshots(directory=tmp_path)]
    x, y = np.zeros((2, 4, 4, 64), "float32"), np.zeros((2, 2, 2, 4), "float32")
    for epochs in ((0, 2), (2, 4)):  # also where the training was resumed
        training.train(model, x, y, callbacks, initial_epoch=epochs[0], epochs=epochs[1])
        callbacks[1] = KernelSnapshots(directory=tmp_path)
    first, *others = (
        image.get_array().compressed().astype("float64")
        for image in plot_snapshots(tmp_path).images
    )
    assert len(others) == 3
    for values in others:
        assert values @ first / np.linalg.norm(values) / np.linalg.norm(first) > 0.99


def test_plot_snapshots_chooses_and_orders_tiles_by_the_last_step(
    train, kernels, tmp_path, plot_snapshots, read_tiles
):
    train(KernelSnapshots("d", channel=0, directory=tmp_path))
    strength = np.linalg.norm(kernels["d"][3][:, :, 0].reshape(-1, 4), axis=0)
    best = np.argsort(-strength)[:2]
    plot = plot_snapshots(tmp_path, steps=[2, 4], top=2)
    for image, epoch in zip(plot.images, (2, 4), strict=True):
        expected = np.moveaxis(kernels["d"][epoch - 1][:, :, 0, best], -1, 0)
        np.testing.assert_array_equal(read_tiles(image, 2, 2), expected)
    assert titles_of(plot)[0].startswith("d: 2 strongest of 4 kernels")
    plot = plot_snapshots(tmp_path, steps=1, tiles=[-1, 1])
    np.testing.assert_array_equal(
        read_tiles(plot.images[0], 2, 2), np.moveaxis(kernels["d"][0][:, :, 0, [3, 1]], -1, 0)
    )
    assert titles_of(plot)[0].startswith("d: filters 1, 3 of 4")


@pytest.mark.slow
def test_plot_snapshots_draws_steps_that_have_other_strongest_tiles(
    train, kernels, tmp_path, plot_snapshots, read_tiles
):
    train(KernelSnapshots("d", channel=0, directory=tmp_path, top=1))
    plot = plot_snapshots(tmp_path)
    for image, kernel in zip(plot.images, kernels["d"], strict=True):
        best = np.linalg.norm(kernel.reshape(-1, 4), axis=0).argmax()
        np.testing.assert_array_equal(read_tiles(image, 2, 2)[0], kernel[:, :, 0, best])
    with pytest.raises(ValueError, match="scale='tile' cannot be used where each step shows other"):
        plot_snapshots(tmp_path, scale="tile")
    with pytest.raises(ValueError, match="`tiles` must choose from those that were recorded"):
        plot_snapshots(tmp_path, tiles=slice(None))


def test_plot_snapshots_draws_into_a_figure_of_the_callers(recorded):
    figure = Figure()
    assert kerasviz.plot_snapshots(recorded, figure=figure, steps=[1, 2]).figure is figure
    ax = Figure().add_subplot()
    assert kerasviz.plot_snapshots(recorded, ax=ax, steps=2).axes == (ax,)
    with pytest.raises(ValueError, match="`ax` takes one panel, but 4 steps were requested"):
        kerasviz.plot_snapshots(recorded, ax=ax)
    with pytest.raises(TypeError, match="`ax` cannot be given"):
        kerasviz.animate_snapshots(recorded, ax=ax)
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"folder": 3}, TypeError, "`folder` must be the path of a folder. Received: folder=3"),
        ({"folder": "nowhere"}, ValueError, "`folder` must be a folder that is there"),
        ({"layer": 0}, TypeError, "`layer` must be the address of a layer that was recorded"),
        ({"layer": "cc"}, ValueError, "recorded: 'c'. Did you mean 'c'? Received: layer='cc'"),
        ({"kind": 1}, TypeError, "`kind` must be a string"),
        ({"steps": "1"}, TypeError, "`steps` must be an int, a slice or a list of ints"),
        ({"steps": True}, TypeError, "Received: steps=True"),
        ({"steps": 1.5}, TypeError, "Received: steps=1.5"),
        (
            {"steps": 0},
            ValueError,
            "`steps` must name steps that were recorded: 1, 2, 3, 4. Received: 0",
        ),
        ({"steps": [1, 9]}, ValueError, "recorded: 1, 2, 3, 4. Received: 9"),
        ({"steps": -5}, ValueError, "recorded: 1, 2, 3, 4. Received: -5"),
        ({"steps": []}, ValueError, "`steps` must choose at least one of 1, 2, 3, 4"),
        ({"steps": slice(7, 9)}, ValueError, "`steps` must choose at least one of 1, 2, 3, 4"),
        ({"steps": slice(None, None, -1)}, ValueError, "must be a slice that goes forward"),
        ({"steps": slice("a")}, TypeError, "`steps` must be a slice of ints"),
        ({"step": 1}, TypeError, "Unexpected keyword argument `step`. Did you mean 'steps'"),
        ({"tiles": 3}, ValueError, "`tiles` must be between -3 and 2, since 'c' has 3"),
    ],
    ids=str,
)
def test_plot_snapshots_refuses_a_mistake(recorded, change, error, message):
    for function in (kerasviz.plot_snapshots, kerasviz.animate_snapshots):
        with pytest.raises(error, match=re.escape(message)):
            function(**{"folder": recorded, **change})
    assert not plt.get_fignums()


def test_plot_snapshots_refuses_a_folder_without_records(train, tmp_path):
    with pytest.raises(ValueError, match="`folder` must be the `directory` or the `gif` folder"):
        kerasviz.plot_snapshots(tmp_path)
    train(KernelSnapshots(["c", "d"], gif=tmp_path), epochs=1)
    with pytest.raises(ValueError, match=r"`layer` must be the address of one layer.*: 'c', 'd'"):
        kerasviz.animate_snapshots(tmp_path)


def test_plot_snapshots_refuses_a_record_that_is_damaged_or_too_new(train, tmp_path):
    train(KernelSnapshots("c", directory=tmp_path), epochs=2)
    path = tmp_path / "c/kernels-epoch-0001.npz"
    whole = dict(np.load(path))
    np.savez(path, **{**whole, "version": 99})
    with pytest.raises(ValueError, match=r"-0001\.npz' cannot be read: a newer version of"):
        kerasviz.plot_snapshots(tmp_path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match="`folder` must hold records that can be read"):
        kerasviz.plot_snapshots(tmp_path)
    shutil.copy(tmp_path / "c/kernels-epoch-0002.npz", path)
    np.savez(path, **{**dict(np.load(path)), "values": np.zeros((3, 2, 2), "float32")})
    with pytest.raises(ValueError, match="`folder` must hold records of one shape"):
        kerasviz.plot_snapshots(tmp_path)


@pytest.mark.slow
def test_plot_snapshots_shows_values_that_are_not_finite(train, kernels, tmp_path, plot_snapshots):
    kernels["c"][1][0, 0, 0, 0] = np.nan
    with pytest.warns(UserWarning, match="At epoch 2, values of 'c' are NaN"):
        train(KernelSnapshots("c", directory=tmp_path))
    with pytest.warns(UserWarning, match="1 of the values drawn is NaN or infinite"):
        plot = plot_snapshots(tmp_path)
    assert len({image.get_clim() for image in plot.images}) == 1


def wide_model(filters):
    layer = keras.layers.Conv2D(filters, 3, use_bias=False, name="c")
    model = keras.Sequential([keras.Input((5, 5, 1)), layer, keras.layers.Flatten()])
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    return model


def record_kernels(kernels, folder, **options):
    """Record kernels `(epochs, 3, 3, 1, filters)`, one after the other."""
    model = wide_model(kernels.shape[-1])
    targets = np.zeros((1, 9 * kernels.shape[-1]), "float32")
    callbacks = [SetKernels({"c": kernels}), KernelSnapshots("c", directory=folder, **options)]
    epochs = len(kernels)
    training.train(model, np.zeros((1, 5, 5, 1)), targets, callbacks, epochs=epochs)


@pytest.mark.slow
def test_plot_snapshots_limits_leave_out_what_would_wash_out_all_steps(tmp_path, plot_snapshots):
    kernels = np.random.default_rng(3).uniform(-1, 1, (3, 3, 3, 1, 20)).astype("float32")
    kernels[1, 0, 0, 0, :3] = 40
    record_kernels(kernels, tmp_path)
    plot = plot_snapshots(tmp_path)
    reach = np.quantile(np.abs(kernels), 0.98)
    for panel in plot.panels:
        assert panel.limits == pytest.approx((-reach, reach), rel=0.02)
    beyond = [
        int((np.abs(kernel) > panel.limits[1]).sum())
        for kernel, panel in zip(kernels, plot.panels, strict=True)
    ]
    assert beyond[1] >= 3
    for count, panel in zip(beyond, plot.panels, strict=True):
        assert (f"{count} of 180 beyond ±" in panel.title) == (count > 0)
    whole = plot_snapshots(tmp_path, robust=False)
    assert {panel.limits for panel in whole.panels} == {(-40, 40)}
    assert not any("beyond" in panel.title for panel in whole.panels)


def test_plot_snapshots_one_step_has_the_limits_of_its_own_picture(tmp_path, plot_snapshots):
    kernels = np.random.default_rng(4).uniform(-1, 1, (1, 3, 3, 1, 20)).astype("float32")
    kernels[0, 0, 0, 0, 0] = 40
    record_kernels(kernels, tmp_path)
    (panel,) = plot_snapshots(tmp_path).panels
    model = wide_model(20)
    model.get_layer("c").set_weights([kernels[0]])
    alone = kerasviz.plot_kernels(model, "c").panels[0]
    assert panel.limits == alone.limits
    assert panel.title.splitlines()[1].endswith(alone.title.splitlines()[1])
    plt.close("all")


@pytest.mark.slow
def test_plot_snapshots_shows_the_same_of_more_than_128_tiles_in_each_step(
    tmp_path, plot_snapshots
):
    kernels = np.random.default_rng(5).normal(size=(4, 3, 3, 1, 130)).astype("float32")
    strongest = np.argsort(-np.linalg.norm(kernels[0].reshape(9, -1), axis=0), kind="stable")[:64]
    record_kernels(kernels[:2], tmp_path)
    with pytest.warns(UserWarning, match="goes on from epoch 2"):
        record_kernels(kernels[2:], tmp_path)
    plot = plot_snapshots(tmp_path)
    assert len(plot.panels) == 4
    for panel, kernel in zip(plot.panels, kernels, strict=True):
        np.testing.assert_array_equal(panel.indices, strongest)
        expected = np.moveaxis(kernel[:, :, 0, strongest], -1, 0)
        np.testing.assert_array_equal(panel.values, expected)
        assert "64 strongest of 130 at epoch 1; tiles='all' draws every one" in panel.title


def test_plot_snapshots_numbers_the_strongest_tiles_of_each_step(tmp_path, plot_snapshots):
    kernels = np.random.default_rng(6).normal(size=(2, 3, 3, 1, 9)).astype("float32")
    record_kernels(kernels, tmp_path, top=2)
    plot = plot_snapshots(tmp_path)
    for panel, kernel in zip(plot.panels, kernels, strict=True):
        strongest = np.argsort(-np.linalg.norm(kernel.reshape(9, -1), axis=0), kind="stable")[:2]
        np.testing.assert_array_equal(panel.indices, strongest)
        written = {text.get_text() for text in panel.ax.texts}
        assert {str(index) for index in strongest} <= written


def test_plot_snapshots_of_more_than_128_tiles_are_the_64_strongest_of_the_last_step(
    tmp_path, plot_snapshots
):
    kernels = np.random.default_rng(5).normal(size=(2, 3, 3, 1, 130)).astype("float32")
    record_kernels(kernels, tmp_path, tiles="all")
    plot = plot_snapshots(tmp_path)
    strongest = np.argsort(-np.linalg.norm(kernels[1].reshape(9, -1), axis=0), kind="stable")[:64]
    for panel in plot.panels:
        np.testing.assert_array_equal(panel.indices, strongest)
        assert "64 strongest of 130; tiles='all' draws every one" in panel.title
    assert len(plot_snapshots(tmp_path, tiles="all").panels[0].indices) == 130


def test_a_frame_that_is_lower_gets_room_of_its_own_ground_at_the_top(rng):
    pixels = rng.integers(0, 256, (4, 5, 3), "uint8")
    pixels[0] = (250, 240, 230)
    fitted = np.asarray(fit_frame(Image.fromarray(pixels), (5, 7)))
    np.testing.assert_array_equal(fitted[3:], pixels)
    assert (fitted[:3] == (250, 240, 230)).all()
