"""The commands for whoever has only a model file."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import warnings
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

import kerasviz
from kerasviz.cli import main
from kerasviz.cli.images import load_images

MAGIC = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


@pytest.fixture(autouse=True)
def close_figures(monkeypatch: pytest.MonkeyPatch):
    """A command ends with its process, and leaves its figures and environment to it."""
    for name in ("MPLBACKEND", "TF_CPP_MIN_LOG_LEVEL"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return kerasviz.fashion_mnist.load_model()


@pytest.fixture(scope="module")
def file(model: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("models") / "model.keras"
    with warnings.catch_warnings():  # Keras makes arrays in a way that NumPy 2 warns about
        warnings.simplefilter("ignore", DeprecationWarning)
        model.save(path)
    return str(path)


@pytest.fixture
def images(tmp_path: Path) -> list[str]:
    """Two real images as PNG files."""
    samples, _ = kerasviz.fashion_mnist.load_samples()
    paths = []
    for number in (0, 9):
        path = tmp_path / f"{number}.png"
        pixels = (255 * samples[number, ..., 0]).round().astype("uint8")
        Image.fromarray(pixels).save(path)
        paths.append(str(path))
    return paths


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what a command says that cannot do what it was asked for: one line."""
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("kerasviz: ")
    assert "Traceback" not in err
    assert len(err.splitlines()) == 1
    return err


def test_layers(file: str, model: keras.Model, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layers", file]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "conv2d: Conv2D, kernel 3×3×1×32, output (None, 28, 28, 32)",
        "conv2d_1: Conv2D, kernel 3×3×32×64, output (None, 14, 14, 64)",
    ]
    assert main(["layers", file, "*"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(model.layers)


@pytest.mark.parametrize("suffix", MAGIC)
def test_kernels(suffix: str, file: str, tmp_path: Path, capsys) -> None:
    path = tmp_path / f"kernels{suffix}"
    assert main(["kernels", file, "conv2d", "-o", str(path), "--tiles", "0:4"]) == 0
    assert path.read_bytes().startswith(MAGIC[suffix])
    assert capsys.readouterr() == ("", "")


def test_the_options_of_a_picture(file: str, model, tmp_path: Path, plot_kernels) -> None:
    path, again = tmp_path / "a.png", tmp_path / "b.png"
    options = [
        "--tiles",
        "3,1,2",
        "--sort",
        "norm",
        "--labels",
        "--columns",
        "2",
        "--scale",
        "tile",
    ]
    drawing = ["--channel", "mean", "--cmap", "PuOr", "--dpi", "50"]
    assert main(["kernels", file, "conv2d_1", "-o", str(path), *options, *drawing]) == 0
    plot_kernels(
        model,
        "conv2d_1",
        channel="mean",
        tiles=[3, 1, 2],
        sort="norm",
        labels=True,
        columns=2,
        scale="tile",
        cmap="PuOr",
    ).savefig(again, dpi=50)
    assert path.read_bytes() == again.read_bytes()


def test_maps_of_an_image(file: str, model, images, tmp_path: Path, plot_feature_maps) -> None:
    path, again = tmp_path / "a.png", tmp_path / "b.png"
    command = ["maps", file, "conv2d", images[1], "-o", str(path), "--values", "0-1"]
    assert main(command) == 0
    samples, _ = kerasviz.fashion_mnist.load_samples()
    plot_feature_maps(model, "conv2d", samples, sample=9).savefig(again)
    assert path.read_bytes() == again.read_bytes()


def test_images_are_resized_to_what_the_model_takes(model, tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    left_half_white = np.zeros((56, 84), "uint8")
    left_half_white[:, :42] = 255
    Image.fromarray(left_half_white).save(path)
    (image,) = load_images(model, [path], "0-1").inputs
    assert image.shape == (28, 28, 1)
    np.testing.assert_allclose(image[:, :12], 1, atol=0.02)
    np.testing.assert_allclose(image[:, 16:], 0, atol=0.02)


def test_maps_of_several_images(file: str, images, tmp_path: Path) -> None:
    one, both = tmp_path / "one.png", tmp_path / "both.png"
    options = ["--values", "0-1", "--tiles", "0:6"]
    assert main(["maps", file, "conv2d", images[0], "-o", str(one), *options]) == 0
    assert main(["maps", file, "conv2d", *images, "-o", str(both), *options, "--overlay"]) == 0
    assert one.read_bytes() != both.read_bytes()


def test_values_are_what_keras_makes_of_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "x.png"
    pixels = rng.integers(256, size=(8, 9, 3)).astype("uint8")
    Image.fromarray(pixels).save(path)
    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(1, 1)])
    whole = pixels[np.newaxis].astype("float32")
    for values, expected in {
        "0-255": whole,
        "0-1": whole / 255,
        "-1-1": whole / 127.5 - 1,
        "resnet50": keras.applications.resnet50.preprocess_input(whole.copy()),
        "mobilenet_v2": keras.applications.mobilenet_v2.preprocess_input(whole.copy()),
    }.items():
        np.testing.assert_allclose(load_images(model, [path], values).inputs, expected, rtol=1e-6)


def test_channels_first_images(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    Image.fromarray(np.zeros((8, 9, 3), "uint8")).save(path)
    model = keras.Sequential([keras.Input((3, 8, 9)), keras.layers.Flatten()])
    assert load_images(model, [path], "0-1").inputs.shape == (1, 3, 8, 9)


def test_an_array_is_taken_as_it_is(model, tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.full((28, 28, 1), -3.5))
    assert (load_images(model, [path], "0-1").inputs == -3.5).all()


def test_what_cannot_be_done_is_said_in_a_line(file: str, images, tmp_path: Path, capsys) -> None:
    out = ["-o", str(tmp_path / "out.png")]
    assert "no such file: nothing.keras" in refused(capsys, "layers", "nothing.keras")
    assert "Did you mean 'conv2d'" in refused(capsys, "kernels", file, "conv", *out)
    assert "must end in .png, .svg, .pdf" in refused(capsys, "kernels", file, "conv2d", "-o", "x.y")
    assert "no such folder" in refused(capsys, "kernels", file, "conv2d", "-o", "no/x.png")
    assert "`channel` must be" in refused(
        capsys, "kernels", file, "conv2d", "--channel", "read", *out
    )
    assert "no such file: boot.png" in refused(capsys, "maps", file, "conv2d", "boot.png", *out)
    assert "--values must be one of 0-255, 0-1, -1-1, " in refused(
        capsys, "maps", file, "conv2d", *images, "--values", "0-2", *out
    )
    text = tmp_path / "text.png"
    text.write_text("no image")
    assert "cannot be read as an image" in refused(capsys, "maps", file, "conv2d", str(text), *out)
    broken = tmp_path / "broken.keras"
    broken.write_bytes(b"PK no zip")
    assert "broken.keras cannot be loaded" in refused(capsys, "layers", str(broken))
    assert not (tmp_path / "out.png").exists()


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_model_without_convolutions_or_images(tmp_path: Path, images, capsys) -> None:
    path = str(tmp_path / "dense.keras")
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="dense")]).save(path)
    assert "has no convolution" in refused(capsys, "layers", path)
    said = refused(capsys, "maps", path, "dense", images[0], "-o", str(tmp_path / "x.png"))
    assert "its inputs are: (None, 4)" in said


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_code_in_a_file_runs_only_if_asked_for(tmp_path: Path, capsys) -> None:
    path = str(tmp_path / "lambda.keras")
    layers = [keras.layers.Lambda(lambda x: x * 2), keras.layers.Conv2D(1, 1, name="conv")]
    keras.Sequential([keras.Input((4, 4, 1)), *layers]).save(path)
    said = refused(capsys, "layers", path)
    assert "may run code of its own" in said
    assert "add --unsafe" in said
    assert main(["layers", path, "--unsafe"]) == 0
    assert capsys.readouterr().out.startswith("conv: Conv2D")


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize(
    ("version", "safe"),
    [("3.9.0", False), ("3.11.2", False), ("3.11.3", True), ("3.12.0rc1", True)],
)
def test_an_h5_file_that_no_safe_mode_covers(
    version: str, safe: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    path = str(tmp_path / "model.h5")
    keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(1, 1, name="conv")]).save(path)
    capsys.readouterr()
    monkeypatch.setattr(keras, "__version__", version)
    if not safe:
        said = refused(capsys, "layers", path)
        assert f"Keras {version} has no safe mode" in said
        assert "add --unsafe" in said
    assert main(["layers", path, *["--unsafe"] * (not safe)]) == 0
    assert capsys.readouterr().out.startswith("conv: Conv2D")


@pytest.mark.parametrize("tiles", ["a", "1:2:3:4", "1,x", ""])
def test_tiles_that_are_no_numbers(tiles: str, file: str, capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["kernels", file, "conv2d", "-o", "x.png", "--tiles", tiles])
    assert stop.value.code == 2
    assert "must be a number, numbers with commas, or a slice" in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion(shell: str, capsys) -> None:
    pytest.importorskip("shtab")
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "train-example" in script
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_completion_without_shtab(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert "pip install 'kerasviz[completion]'" in refused(capsys, "completion", "bash")


def test_a_terminal_sees_a_progress_bar_and_no_chatter(file: str, tmp_path: Path) -> None:
    path = tmp_path / "kernels.png"
    program = "import sys; from kerasviz.cli import main; sys.exit(main(sys.argv[1:]))"
    leader, follower = pty.openpty()
    command = [sys.executable, "-c", program, "kernels", file, "conv2d", "-o", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=follower)
    os.close(follower)
    said = b""
    try:
        while chunk := os.read(leader, 4096):
            said += chunk
    except OSError:  # what Linux says when the other end is closed
        pass
    os.close(leader)
    assert process.communicate()[0] == b""
    assert process.returncode == 0
    assert path.is_file()
    for word in (b"starting Keras", b"drawing", b"writing"):
        assert word in said
    assert b"oneDNN" not in said
    assert said.endswith(b"\r\x1b[K")
