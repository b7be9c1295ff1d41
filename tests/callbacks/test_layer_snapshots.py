"""Pictures of a network while it is trained."""

from __future__ import annotations

import copy
import io
import pathlib
import re
import shutil
import warnings

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from PIL import Image

import kerasviz
from kerasviz import FeatureMapSnapshots, KernelSnapshots

BACKEND = keras.backend.backend()
EAGER = BACKEND == "tensorflow"
"""As in the fixture `make_model`."""

pytestmark = pytest.mark.filterwarnings(
    # Keras's own warning on PyTorch, ignored everywhere; `pytest.warns` sends it on without
    # Keras's name.
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)


class Album:
    """Keeps every `Plot` that it is given."""

    def __init__(self):
        self.plots = {}

    def __call__(self, step, address, plot):
        assert isinstance(plot, kerasviz.Plot)
        self.plots[step, address] = plot


class Witness(keras.callbacks.Callback):
    """Keeps what `look` returns, at the end of each batch or epoch."""

    def __init__(self, look, *, batches=False):
        super().__init__()
        self.look = look
        self.batches = batches
        self.seen = []

    def on_train_batch_end(self, *_, **__):
        if self.batches:
            self.seen.append(self.look(self.model))

    def on_epoch_end(self, *_, **__):
        if not self.batches:
            self.seen.append(self.look(self.model))


def kernel_of(name):
    return lambda model: np.array(model.get_layer(name).get_weights()[0])


def maps_of(image):
    """Return what the layer "second" makes of an image, from calls of the layers themselves."""

    def look(model):
        inside = model.get_layer("first")(image[np.newaxis], training=False)
        maps = model.get_layer("second")(inside, training=False)
        return np.moveaxis(np.array(keras.ops.convert_to_numpy(maps)[0]), -1, 0)

    return look


def decode(path):
    with Image.open(path) as picture:
        return np.array(picture.convert("RGBA"))


@pytest.fixture
def album():
    return Album()


@pytest.mark.parametrize("batches", [False, True], ids=["epochs", "batches"])
def test_kernel_snapshots_draw_the_kernels_of_the_moment(
    make_model, fit, album, read_tiles, batches
):
    model = make_model(run_eagerly=False)
    witness = Witness(kernel_of("first"), batches=batches)
    every = "1 batch" if batches else 1
    fit(model, KernelSnapshots("first", every=every, on_plot=album), witness)
    assert list(album.plots) == [(n + 1, "first") for n in range(len(witness.seen))]
    for plot, kernel in zip(album.plots.values(), witness.seen, strict=True):
        shown = read_tiles(plot.images[0], 3, 3)
        np.testing.assert_array_equal(shown, np.moveaxis(kernel[:, :, 0], -1, 0))
    assert not np.array_equal(witness.seen[0], witness.seen[1])


@pytest.mark.parametrize("batches", [False, True], ids=["epochs", "batches"])
def test_feature_map_snapshots_draw_the_maps_of_the_moment(
    make_model, fit, album, images, read_tiles, batches
):
    model = make_model(run_eagerly=False)
    witness = Witness(maps_of(images[3]), batches=batches)
    every = "1 batch" if batches else 1
    callback = FeatureMapSnapshots(images, "second", every=every, sample=3, on_plot=album)
    fit(model, callback, witness)
    assert list(album.plots) == [(n + 1, "second") for n in range(len(witness.seen))]
    for plot, maps in zip(album.plots.values(), witness.seen, strict=True):
        shown = read_tiles(plot.images[0], 5, 5)
        np.testing.assert_allclose(shown, maps, rtol=1e-4, atol=1e-5)
    assert not np.array_equal(witness.seen[0], witness.seen[1])


def test_kernel_snapshots_say_the_step_in_the_title(model, fit, album, images, read_title):
    fit(model, KernelSnapshots(on_plot=album), epochs=1)
    title = read_title(album.plots[1, "second"].axes[0])
    assert title.startswith("second: 5 kernels, 2×2×3 epoch 1, RGB, ")
    fit(model, FeatureMapSnapshots(images, every="2 batches", on_plot=album), epochs=1)
    title = read_title(album.plots[2, "first"].axes[0])
    assert title == "first: 3 feature maps, 6×6 batch 2, sample 0 of 12"


@pytest.mark.few(2)
@pytest.mark.parametrize(
    "options",
    [
        {"channel": "all", "colorbar": False},
        {"channel": 1, "labels": True, "sort": "norm", "tiles": [0, 3, 4], "cmap": "PiYG"},
        {"channel": "mean", "scale": "tile", "columns": 2},
        {"channel": 0, "norm": "symlog"},
    ],
    ids=str,
)
def test_kernel_snapshots_write_what_plot_kernels_draws(
    model, fit, tmp_path, plot_kernels, pixels, files, options
):
    options["title"] = "same"
    fit(model, KernelSnapshots("second", directory=tmp_path, **options), epochs=1)
    assert files(tmp_path) == ["second/kernels-epoch-0001.png"]
    expected = pixels(plot_kernels(model, "second", **options).figure)
    np.testing.assert_array_equal(decode(tmp_path / "second/kernels-epoch-0001.png"), expected)


@pytest.mark.few(2)
@pytest.mark.parametrize(
    "options",
    [
        # So narrow a figure has no room for the image, which snapshots leave out.
        {"sample": -1, "sort": "mean", "labels": True, "figsize": (5, 4)},
        {"sample": [2, 0], "sample_names": [f"name {n}" for n in range(12)]},
        {"overlay": True, "alpha": 0.5, "interpolation": "bilinear"},
    ],
    ids=str,
)
def test_feature_map_snapshots_write_what_plot_feature_maps_draws(
    model, fit, images, tmp_path, plot_feature_maps, pixels, options
):
    options["title"] = "same"
    fit(model, FeatureMapSnapshots(images, "second", directory=tmp_path, **options), epochs=1)
    expected = pixels(plot_feature_maps(model, "second", images, **options).figure)
    path = tmp_path / "second/feature_maps-epoch-0001.png"
    np.testing.assert_array_equal(decode(path), expected)


def test_kernel_snapshots_draw_all_layers_on_the_scale_of_their_step(model, fit, album):
    witness = Witness(lambda model: max(np.abs(w).max() for w in model.get_weights()[:4:2]))
    fit(model, KernelSnapshots(channel=0, scale="figure", on_plot=album), witness)
    for step, reach in enumerate(witness.seen, start=1):
        limits = {album.plots[step, name].images[0].get_clim() for name in ("first", "second")}
        assert len(limits) == 1
        assert max(limits)[1] <= reach
    assert (
        album.plots[1, "first"].images[0].get_clim() != album.plots[2, "first"].images[0].get_clim()
    )


@pytest.mark.slow
def test_kernel_and_feature_map_snapshots_may_use_the_same_folder(
    model, fit, images, tmp_path, files
):
    fit(
        model,
        KernelSnapshots(directory=tmp_path, gif=tmp_path),
        FeatureMapSnapshots(images, directory=tmp_path, gif=tmp_path),
        epochs=1,
    )
    assert files(tmp_path) == [
        f"{layer}/{kind}"
        for layer in ("first", "second")
        for kind in (
            "feature_maps-epoch-0001.png",
            "feature_maps.gif",
            "kernels-epoch-0001.png",
            "kernels.gif",
        )
    ]


@pytest.mark.few(1)
@pytest.mark.parametrize("other", [True, False], ids=["another callback", "the same callback"])
def test_kernel_snapshots_lose_no_file_in_a_second_run(model, fit, tmp_path, files, other):
    callback = KernelSnapshots("first", directory=tmp_path)
    fit(model, callback)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.png")}
    if other:
        callback = KernelSnapshots("first", directory=tmp_path)
    fit(model, callback)
    fit(model, callback, epochs=8, initial_epoch=7)
    numbers = (1, 2, 3, 4, 8)
    assert files(tmp_path) == [f"first/kernels-epoch-{number:04d}.png" for number in numbers]
    assert all(path.read_bytes() == png for path, png in before.items())


@pytest.mark.slow
def test_kernel_snapshots_warn_of_a_fresh_model_in_the_folder_of_another(make_model, fit, tmp_path):
    for kind in ("directory", "gif"):
        folder = tmp_path / kind
        fit(make_model(), KernelSnapshots("first", **{kind: folder}))
        message = (
            f"KernelSnapshots goes on from epoch 2 of an earlier training, in {kind}='.*{kind}'"
        )
        with pytest.warns(UserWarning, match=message):
            fit(make_model(), KernelSnapshots("first", **{kind: folder}))


@pytest.mark.parametrize(
    "inputs",
    [
        "cat.jpg",
        pathlib.Path("cat.jpg"),
        iter([np.zeros((2, 8, 8, 1))]),
        keras.KerasTensor((None, 8, 8, 1)),
    ],
    ids=lambda inputs: type(inputs).__name__,
)
def test_feature_map_snapshots_refuse_inputs_that_no_model_takes_at_once(inputs):
    with pytest.raises(TypeError, match="`inputs`"):
        FeatureMapSnapshots(inputs, on_plot=print)


def test_kernel_snapshots_take_addresses_of_nested_models(fit, images, tmp_path, album, read_tiles):
    encoder = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3, name="conv")], name="encoder"
    )
    inputs = keras.Input((8, 8, 1))
    both = keras.layers.concatenate([encoder(inputs), encoder(-inputs)])
    outputs = keras.layers.Dense(2)(keras.layers.Flatten()(both))
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse", run_eagerly=EAGER)
    fit(
        model,
        FeatureMapSnapshots(images, "encoder:*/conv", directory=tmp_path, on_plot=album),
        KernelSnapshots("encoder/conv", directory=tmp_path, on_plot=album),
        epochs=1,
    )
    assert set(album.plots) == {
        (1, "encoder:0/conv"),
        (1, "encoder:1/conv"),
        (1, "encoder/conv"),
    }
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 3
    assert all(re.fullmatch(r"encoder(-[01])?-conv-[0-9a-f]{8}", name) for name in names)
    shown = read_tiles(album.plots[1, "encoder:1/conv"].images[0], 6, 6)
    expected = keras.ops.convert_to_numpy(encoder(-images[:1]))[0]
    np.testing.assert_allclose(np.moveaxis(shown, 0, -1), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.few(1)
@pytest.mark.parametrize("every", [1, "1 batch"])
def test_kernel_snapshots_take_a_subclassed_model_that_was_never_built(
    subclassed, fit, images, album, read_tiles, every
):
    model = subclassed("conv")
    maps = Album()
    fit(
        model,
        KernelSnapshots(every=every, on_plot=album),
        FeatureMapSnapshots(images, "conv", every=every, on_plot=maps),
        epochs=1,
    )
    last = 1 if every == 1 else 3
    assert [step for step, _ in album.plots] == [*range(1, last + 1)] == [s for s, _ in maps.plots]
    kernel = model.first.get_weights()[0]
    shown = read_tiles(album.plots[last, "conv"].images[0], 3, 3)
    np.testing.assert_array_equal(shown, np.moveaxis(kernel[:, :, 0], -1, 0))
    shown = read_tiles(maps.plots[last, "conv"].images[0], 6, 6)
    expected = keras.ops.convert_to_numpy(model.first(images[:1]))[0]
    np.testing.assert_allclose(np.moveaxis(shown, 0, -1), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_kernel_snapshots_find_layers_that_are_made_when_a_model_is_built(
    subclassed, fit, images, album
):
    callbacks = (
        KernelSnapshots("late", on_plot=album),
        FeatureMapSnapshots(images, "late", on_plot=album),
    )
    for callback in callbacks:
        fit(subclassed("late", run_eagerly=EAGER), callback, epochs=1)
        assert set(album.plots) == {(1, "late")}
        album.plots.clear()


@pytest.mark.few(1)
@pytest.mark.parametrize("kind", ["kernels", "maps"])
def test_kernel_snapshots_refuse_a_typo_in_a_model_that_was_never_built(
    subclassed, fit, images, kind
):
    def make(layer):
        if kind == "kernels":
            return KernelSnapshots(layer, on_plot=print)
        return FeatureMapSnapshots(images, layer, on_plot=print)

    steps = Witness(lambda _: None, batches=True)
    with pytest.raises(ValueError, match=r"No such layer.*Did you mean 'conv'"):
        fit(subclassed("conv", run_eagerly=EAGER), make("cnov"), steps)
    assert not steps.seen
    with pytest.raises(ValueError, match=r"No such layer.*Did you mean 'late'"):
        fit(subclassed("late", run_eagerly=EAGER), make("laet"), steps)
    assert len(steps.seen) == (BACKEND == "tensorflow")


@pytest.mark.slow
def test_kernel_snapshots_draw_half_precision(fit, images, album, read_tiles):
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(3, 3, name="conv", dtype="mixed_float16"),
            keras.layers.Flatten(),
            keras.layers.Dense(2, dtype="float32"),
        ]
    )
    model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.01)), "mse")
    maps = Album()
    fit(
        model,
        KernelSnapshots(every="1 batch", on_plot=album),
        FeatureMapSnapshots(images, on_plot=maps),
        epochs=1,
    )
    shown = read_tiles(album.plots[3, "conv"].images[0], 3, 3)
    kernel = model.get_layer("conv").get_weights()[0]
    np.testing.assert_array_equal(shown, np.moveaxis(kernel[:, :, 0], -1, 0))
    assert read_tiles(maps.plots[1, "conv"].images[0], 6, 6).dtype == "float32"


def test_feature_map_snapshots_need_a_place_for_the_pictures(images):
    message = "The pictures must go somewhere: give `directory`, `gif`, `log_dir` or `on_plot`."
    for make in (KernelSnapshots, lambda: FeatureMapSnapshots(images)):
        with pytest.raises(ValueError, match=re.escape(message)):
            make()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"every": 0}, ValueError, "`every` must be a positive integer"),
        ({"channel": "al"}, ValueError, "`channel` must be one of"),
        ({"cmap": "virids"}, ValueError, "Did you mean 'viridis'"),
        ({"tile": 3}, TypeError, "Unexpected keyword argument `tile`. Did you mean"),
        ({"dirctory": "x"}, TypeError, "Did you mean 'directory'"),
        ({"directory": 3}, TypeError, "`directory` must be a path. Received: directory=3"),
        ({"gif": True}, TypeError, "`gif` must be a path"),
        ({"on_plot": "x"}, TypeError, "`on_plot` must be a function. Received: on_plot='x'"),
        ({"figure": Figure()}, TypeError, "`figure` cannot be given"),
        ({"ax": Figure().add_subplot()}, TypeError, "`ax` cannot be given"),
    ],
    ids=str,
)
def test_kernel_snapshots_refuse_a_mistake_at_once(options, error, message):
    with pytest.raises(error, match=re.escape(message)):
        KernelSnapshots(**{"on_plot": print, **options})


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"sample": 1.5}, TypeError, "`sample` must be an int"),
        ({"patch_grid": 3}, TypeError, "`patch_grid` must be rows and columns"),
        ({"alpha": 2}, ValueError, "`alpha` must be 'strength' or a number"),
        ({"smaple": 1}, TypeError, "Did you mean 'sample'"),
        ({"figure": Figure()}, TypeError, "`figure` cannot be given"),
    ],
    ids=str,
)
def test_feature_map_snapshots_refuse_a_mistake_at_once(images, options, error, message):
    with pytest.raises(error, match=re.escape(message)):
        FeatureMapSnapshots(images, **{"on_plot": print, **options})


@pytest.mark.parametrize(
    ("layer", "options", "message"),
    [
        ("frist", {}, "Did you mean 'first'"),
        ("third", {}, "No such layer"),
        ("flatten*", {}, "must match a layer with a kernel"),
        ("first", {"channel": "rgb"}, "`channel` can be 'rgb' for 3 input channels only"),
        ("first", {"tiles": [3]}, "`tiles` must be between -3 and 2"),
        ("second", {"cmap": "gray"}, "`cmap` cannot be used for RGB tiles"),
        ("second", {"channel": "all", "columns": 2}, "`columns` cannot be given"),
    ],
    ids=str,
)
def test_kernel_snapshots_refuse_what_cannot_be_drawn_before_the_first_step(
    model, fit, tmp_path, layer, options, message
):
    steps = Witness(lambda _: None, batches=True)
    with pytest.raises(ValueError, match=re.escape(message)):
        fit(model, KernelSnapshots(layer, directory=tmp_path / "new", **options), steps)
    assert not steps.seen
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("part", "options", "message"),
    [
        (np.s_[:, :5], {}, "`inputs` must have the shape (samples, 8, 8, 1)"),
        (np.s_[:], {"sample": 12}, "`sample` must be between -12 and 11"),
        (np.s_[:], {"tiles": 5}, "`tiles` must be between -5 and 4"),
        (np.s_[:], {"patch_grid": (2, 2)}, "`patch_grid` must lay out the tokens"),
    ],
    ids=str,
)
def test_feature_map_snapshots_refuse_inputs_that_do_not_fit_before_the_first_step(
    model, fit, images, part, options, message
):
    steps = Witness(lambda _: None, batches=True)
    with pytest.raises(ValueError, match=re.escape(message)):
        fit(model, FeatureMapSnapshots(images[part], "second", on_plot=print, **options), steps)
    assert not steps.seen


@pytest.mark.parametrize("keyword", ["directory", "gif"])
def test_kernel_snapshots_refuse_a_folder_that_cannot_be_written_to_before_training(
    model, fit, tmp_path, keyword
):
    (tmp_path / "file").write_text("")
    steps = Witness(lambda _: None, batches=True)
    with pytest.raises(OSError, match=f"`{keyword}` must be a folder that can be written to"):
        fit(model, KernelSnapshots(**{keyword: tmp_path / "file"}), steps)
    assert not steps.seen


def test_kernel_snapshots_warn_of_a_folder_that_vanishes_and_go_on(model, fit, at_epoch, tmp_path):
    folders = [tmp_path / "png", tmp_path / "gif"]
    album = Album()
    callback = KernelSnapshots("first", directory=folders[0], gif=folders[1], on_plot=album)
    vanish = at_epoch(2, lambda: [shutil.rmtree(folder) for folder in folders])
    with pytest.warns(UserWarning, match="can no longer be written; training") as caught:
        fit(model, vanish, callback, epochs=4)
    ours = [str(w.message) for w in caught if w.category is UserWarning]
    assert [message.split()[0] for message in ours] == ["`gif`", "`directory`"]
    assert [step for step, _ in album.plots] == [1, 2, 3, 4]
    assert not [*tmp_path.iterdir()]


def test_kernel_snapshots_go_on_when_a_full_disk_has_room_again(
    model, fit, at_epoch, tmp_path, disk, files
):
    callback = KernelSnapshots("first", directory=tmp_path)
    with pytest.warns(UserWarning, match="`directory` .*No space left on device") as caught:
        fit(model, at_epoch(1, disk.set), at_epoch(3, disk.clear), callback, epochs=4)
    assert len([w for w in caught if w.category is UserWarning]) == 1
    assert files(tmp_path) == ["first/kernels-epoch-0001.png", "first/kernels-epoch-0004.png"]


@pytest.mark.slow
def test_feature_map_snapshots_go_on_with_a_real_disk_that_is_full(model, fit, small_disk, images):
    folder = small_disk("48k")
    callback = FeatureMapSnapshots(images, "second", directory=folder, gif=folder)
    with pytest.warns(UserWarning, match="No space left on device") as caught:
        fit(model, callback, epochs=6)
    ours = [str(w.message).split()[0] for w in caught if w.category is UserWarning]
    assert sorted(ours) == ["`directory`", "`gif`"]
    pictures = sorted(folder.rglob("*.png"))
    assert 1 <= len(pictures) < 6
    for path in pictures:
        decode(path)
    assert not list(folder.rglob("*.tmp"))


def test_kernel_snapshots_let_an_error_of_on_plot_end_the_training(model, fit, tmp_path, files):
    def fail(step, *_):
        if step == 2:
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        fit(model, KernelSnapshots("first", directory=tmp_path, on_plot=fail), epochs=3)
    assert files(tmp_path) == ["first/kernels-epoch-0001.png", "first/kernels-epoch-0002.png"]


def test_kernel_snapshots_show_values_that_are_not_finite_and_warn_once(
    model, fit, at_epoch, album, pixels
):
    def spoil():
        layer = model.get_layer("first")
        kernel, bias = layer.get_weights()
        kernel[1, 1] = np.nan
        layer.set_weights([kernel, bias])

    message = "At epoch 2, values of 'first' are NaN or infinite; they are shown in magenta."
    with pytest.warns(UserWarning, match=re.escape(message)) as caught:
        fit(model, at_epoch(1, spoil), KernelSnapshots("first", on_plot=album), epochs=4)
    assert len([w for w in caught if w.category is UserWarning]) == 1
    magenta = 255 * np.array(to_rgba("magenta"))
    shown = [(pixels(plot.figure) == magenta).all(axis=2).any() for plot in album.plots.values()]
    assert shown == [False, True, True, True]


@pytest.mark.few(1)
@pytest.mark.parametrize("begin", [0, 1])
def test_kernel_snapshots_go_on_where_a_norm_can_no_longer_show_the_values(
    model, fit, at_epoch, tmp_path, files, begin
):
    def kill():
        model.get_layer("first").set_weights([np.zeros((3, 3, 1, 3)), np.zeros(3)])

    places = {"directory": tmp_path, "gif": tmp_path}
    callback = KernelSnapshots("first", norm="log", every="3 batches", **places)
    model.optimizer.learning_rate = 0.0
    batch = 3 + 3 * begin
    message = f"No picture of batch {batch}, training goes on: `norm` cannot"
    with pytest.warns(UserWarning, match=message):
        fit(model, at_epoch(begin, kill), callback, epochs=3)
    expected = ["first/kernels-batch-00000003.png", "first/kernels.gif"] if begin else []
    assert files(tmp_path) == expected


def test_kernel_snapshots_leave_no_figure_in_pyplot(model, fit, images, album, tmp_path):
    mine = plt.figure()
    try:
        fit(
            model,
            KernelSnapshots(on_plot=album, gif=tmp_path),
            FeatureMapSnapshots(images, directory=tmp_path),
        )
        assert plt.get_fignums() == [mine.number]
        assert plt.gcf() is mine
        assert not mine.axes
    finally:
        plt.close(mine)
    (first, _), *_ = [(plot.figure, step) for step, plot in album.plots.items()]
    stream = io.BytesIO()
    first.savefig(stream)  # what a logger does with it later
    assert stream.getvalue()


def test_feature_map_snapshots_work_in_a_thread(model, fit, images, tmp_path, files, in_thread):
    callback = FeatureMapSnapshots(images, "first", directory=tmp_path, gif=tmp_path)
    in_thread(lambda: fit(model, callback))
    assert files(tmp_path) == [
        "first/feature_maps-epoch-0001.png",
        "first/feature_maps-epoch-0002.png",
        "first/feature_maps.gif",
    ]


def test_feature_map_snapshots_show_inputs_as_they_were_at_first(
    model, fit, at_epoch, images, album, read_tiles
):
    mine = images.copy()
    witness = Witness(maps_of(images[0]))
    callback = FeatureMapSnapshots(mine, "second", on_plot=album)
    fit(model, at_epoch(1, lambda: mine.fill(0)), callback, witness)
    shown = read_tiles(album.plots[2, "second"].images[0], 5, 5)
    np.testing.assert_allclose(shown, witness.seen[1], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_feature_map_snapshots_can_be_copied_before_and_after_training(
    model, fit, images, tmp_path, files
):
    callback = FeatureMapSnapshots(images, "first", directory=tmp_path, gif=tmp_path)
    fit(model, copy.deepcopy(callback), epochs=1)
    fit(model, callback, epochs=1)
    fit(model, copy.deepcopy(callback), epochs=1)
    pngs = [name for name in files(tmp_path) if name.endswith("png")]
    assert pngs == [f"first/feature_maps-epoch-000{n}.png" for n in (1, 2, 3)]


@pytest.mark.slow
def test_feature_map_snapshots_print_nothing(model, fit, images, tmp_path, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="__array__ implementation", module="keras")
        fit(model, FeatureMapSnapshots(images, directory=tmp_path, gif=tmp_path))
    assert capfd.readouterr() == ("", "")


def test_kernel_snapshots_take_top_for_pictures_and_not_for_animations(tmp_path):
    with pytest.raises(ValueError, match="`top` cannot be given together with `gif`"):
        kerasviz.KernelSnapshots(gif=tmp_path, top=2)


def test_kernel_snapshots_draw_the_strongest_filters(model, fit):
    titles = []
    snapshots = kerasviz.KernelSnapshots(
        "first", on_plot=lambda _, __, plot: titles.append(plot.axes[0].get_title()), top=2
    )
    fit(model, snapshots)
    assert titles
    assert all(": 2 strongest of " in title for title in titles)
