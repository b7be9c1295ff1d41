"""A folder of images, a size in inches and all tiles, from the command line."""

from __future__ import annotations

import inspect
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import kerasviz
from kerasviz.cli import main


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("models") / "model.keras"
    layers = [keras.layers.Conv2D(3, 3, name=name) for name in ("one", "two")]
    model = keras.Sequential([keras.Input((8, 8, 1)), *layers])
    with warnings.catch_warnings():  # Keras makes arrays in a way that NumPy 2 warns about
        warnings.simplefilter("ignore", DeprecationWarning)
        model.save(path)
    return str(path)


@pytest.fixture
def plots(monkeypatch: pytest.MonkeyPatch):
    """Return the plots that commands make, with the keywords of each call."""
    calls = []

    def recorded(function):
        def call(*args, **keywords):
            plot = function(*args, **keywords)
            calls.append((plot, args, keywords))
            return plot

        return call

    for name in ("plot_kernels", "plot_feature_maps"):
        monkeypatch.setattr(kerasviz, name, recorded(getattr(kerasviz, name)))
    return calls


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "shoes"
    (folder / "more").mkdir(parents=True)
    for index, name in enumerate(("b.png", "a.JPG", "more/c.png")):
        Image.fromarray(np.full((8, 8), 50 * index, "uint8")).save(folder / name)
    np.save(folder / "c.npy", np.ones((8, 8)))
    (folder / "notes.txt").write_text("no image")
    return folder


def test_maps_of_a_folder_are_a_table_of_its_images(file, folder, tmp_path, plots) -> None:
    assert main(["maps", file, "one", str(folder), "-o", str(tmp_path / "o.png")]) == 0
    ((plot, args, keywords),) = plots
    assert list(keywords["sample_names"]) == ["a.JPG", "b.png", "c.npy"]
    np.testing.assert_allclose(args[2].mean(axis=(1, 2, 3)), [50, 0, 1], atol=1)
    assert [text.get_text() for text in plot.axes[0].get_yticklabels()] == [
        "a.JPG",
        "b.png",
        "c.npy",
    ]


def test_maps_leave_out_the_picture_that_is_written(file, folder, plots) -> None:
    for _ in range(2):
        assert main(["maps", file, "one", str(folder), "-o", str(folder / "z.png")]) == 0
    assert [len(args[2]) for _, args, _ in plots] == [3, 3]


def test_maps_of_a_folder_without_images_are_refused_in_one_line(file, tmp_path, capsys) -> None:
    (tmp_path / "empty").mkdir()
    out = str(tmp_path / "o.png")
    assert main(["maps", file, "one", str(tmp_path / "empty"), "-o", out]) == 1
    assert capsys.readouterr().err == f"kerasviz: no image is in the folder: {tmp_path / 'empty'}\n"


@pytest.mark.parametrize("command", ["kernels", "maps"])
def test_figsize_is_the_size_of_the_picture(file, folder, tmp_path, plots, command) -> None:
    more = ["one", str(folder)] if command == "maps" else ["one"]
    options = ["--figsize", "8.5,6", "-o", str(tmp_path / "o.png")]
    assert main([command, file, *more, *options]) == 0
    assert plots[0][2]["figsize"] == (8.5, 6.0)


@pytest.mark.parametrize("text", ["8", "8x6", "8,", "-8,6", "8,6,4", "nan,6", "0,1"])
def test_figsize_must_be_two_numbers(file, tmp_path, capsys, text) -> None:
    with pytest.raises(SystemExit) as error:
        main(["kernels", file, "one", f"--figsize={text}", "-o", str(tmp_path / "o.png")])
    assert error.value.code == 2
    assert "must be a width and a height in inches such as 8,6" in capsys.readouterr().err


def test_kernels_without_a_layer_are_those_of_every_convolution(file, tmp_path, plots) -> None:
    assert main(["kernels", file, "-o", str(tmp_path / "o.png")]) == 0
    assert [panel.address for panel in plots[0][0].panels] == ["one", "two"]


def test_the_defaults_are_those_of_python(file, tmp_path, plots) -> None:
    assert main(["kernels", file, "-o", str(tmp_path / "o.png")]) == 0
    parameters = inspect.signature(kerasviz.plot_tiles).parameters
    for name, value in plots[0][2].items():
        if name in parameters:
            assert value == parameters[name].default, name
    assert main(["kernels", file, "--tiles", "all", "-o", str(tmp_path / "o.png")]) == 0
    assert plots[1][2]["tiles"] == "all"


def test_maps_without_a_layer_are_of_every_convolution(file, folder, tmp_path, plots) -> None:
    out = ["-o", str(tmp_path / "o.png")]
    assert main(["maps", file, str(folder / "b.png"), *out]) == 0
    assert main(["maps", file, str(folder / "b.png"), str(folder / "a.JPG"), *out]) == 0
    assert main(["maps", file, str(folder), str(folder), *out]) == 0
    assert [args[1] for _, args, _ in plots] == [None] * 3
    assert [len(args[2]) for _, args, _ in plots] == [1, 2, 6]
    assert [[panel.address for panel in plot.panels] for plot, _, _ in plots] == [
        ["one", "two"]
    ] * 3


def test_maps_of_a_layer_that_has_the_name_of_a_folder(
    file, folder, tmp_path, plots, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two").mkdir()
    assert main(["maps", file, "two", str(folder / "b.png"), "-o", "o.png"]) == 0
    ((plot, _, _),) = plots
    assert [panel.address for panel in plot.panels] == ["two"]


@pytest.mark.parametrize("command", ["kernels", "maps"])
def test_options_may_come_before_the_layer(command, file, folder, tmp_path, plots) -> None:
    images = [str(folder / "b.png")] if command == "maps" else []
    out = str(tmp_path / "o.png")
    assert main([command, file, "-o", out, "--top", "2", "two", *images]) == 0
    ((plot, args, _),) = plots
    assert args[1] == "two"
    assert len(plot.panels[0].indices) == 2


def test_maps_show_the_photo_beside_what_a_caffe_model_makes_of_it(tmp_path, plots) -> None:
    path, photo = tmp_path / "m.keras", np.zeros((8, 8, 3), "uint8")
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(3, 3, name="c")])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        model.save(path)
    photo[:, :4, 0] = 255  # red, which preprocessing for ResNet50 puts last
    Image.fromarray(photo).save(tmp_path / "red.png")
    arguments = ["maps", str(path), "c", str(tmp_path / "red.png"), "--values", "resnet50"]
    assert main([*arguments, "-o", str(tmp_path / "o.png")]) == 0
    ((plot, _, _),) = plots
    np.testing.assert_allclose(plot.picture.image.get_array(), photo / 255, atol=1 / 255)
