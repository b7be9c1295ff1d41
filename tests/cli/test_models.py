"""The commands for whoever has only a model file."""

from __future__ import annotations

import io
import json
import os
import pickle
import pty
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path
from types import SimpleNamespace

import h5py
import keras
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

import kerasviz
from kerasviz.cli import main

MAGIC = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


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


class Reader:
    """Reads what `kerasviz maps` hands to `plot_feature_maps`, in place of a picture of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys, file: str, out: Path) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys
        self.file, self.out = file, out
        monkeypatch.setattr(kerasviz, "plot_feature_maps", self.plot)

    def plot(self, _model, _layer, inputs: np.ndarray, *, overlay=None, **_):
        self.inputs, self.pictures = inputs, overlay
        return SimpleNamespace(figure=Figure((1, 1)), savefig=lambda *_, **__: None)

    def __call__(self, model: keras.Model, paths: list[Path], values: str) -> SimpleNamespace:
        """Return the inputs, the pictures below the maps, and the lines on stderr."""
        self.monkeypatch.setattr(keras.models, "load_model", lambda *_, **__: model)
        command = ["maps", self.file, "c", *map(str, paths), "--values", values, "--overlay"]
        code = main([*command, "-o", str(self.out)])
        lines = self.capsys.readouterr().err.splitlines()
        remarks = [line.removeprefix("kerasviz: ") for line in lines]
        if code:
            return SimpleNamespace(inputs=None, pictures=None, remarks=remarks)
        return SimpleNamespace(inputs=self.inputs, pictures=self.pictures, remarks=remarks)


@pytest.fixture
def read_images(monkeypatch: pytest.MonkeyPatch, capsys, file: str, tmp_path: Path) -> Reader:
    return Reader(monkeypatch, capsys, file, tmp_path / "out.png")


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what a command says that cannot do what it was asked for: one line."""
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("kerasviz: ")
    assert "Traceback" not in err
    assert len(err.splitlines()) == 1
    return err


def test_layers_lists_addresses_classes_and_shapes(
    file: str, model: keras.Model, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["layers", file]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "conv2d: Conv2D, kernel 3×3×1×32, output (None, 28, 28, 32), sees 3×3, stride 1×1",
        "conv2d_1: Conv2D, kernel 3×3×32×64, output (None, 14, 14, 64), sees 8×8, stride 2×2",
    ]
    assert main(["layers", file, "*"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(model.layers)


@pytest.mark.parametrize("suffix", MAGIC)
def test_kernels_writes_png_svg_and_pdf(suffix: str, file: str, tmp_path: Path, capsys) -> None:
    path = tmp_path / f"kernels{suffix}"
    assert main(["kernels", file, "conv2d", "-o", str(path), "--tiles", "0:4"]) == 0
    assert path.read_bytes().startswith(MAGIC[suffix])
    assert capsys.readouterr() == ("", "")


def test_kernels_takes_the_options_of_a_picture(
    file: str, model, tmp_path: Path, plot_kernels
) -> None:
    path, again = tmp_path / "a.png", tmp_path / "b.png"
    options = [
        "--tiles",
        "3,1,2",
        "--sort",
        "norm",
        "--top",
        "2",
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
        top=2,
        labels=True,
        columns=2,
        scale="tile",
        cmap="PuOr",
    ).savefig(again, dpi=50)
    assert path.read_bytes() == again.read_bytes()


@pytest.mark.few(2)
@pytest.mark.parametrize("tiles", ["-3,-1", "-3:", "-2"])
def test_kernels_takes_values_of_options_that_begin_with_a_minus(
    tiles: str, file: str, tmp_path: Path
) -> None:
    apart, joined = tmp_path / "a.png", tmp_path / "b.png"
    for path, options in ((apart, ["--tiles", tiles]), (joined, [f"--tiles={tiles}"])):
        assert main(["kernels", file, "conv2d", *options, "-o", str(path)]) == 0
    assert apart.read_bytes() == joined.read_bytes()


def test_maps_writes_the_picture_of_plot_feature_maps(
    file: str, model, images, tmp_path: Path, plot_feature_maps
) -> None:
    path, again = tmp_path / "a.png", tmp_path / "b.png"
    command = ["maps", file, "conv2d", images[1], "-o", str(path), "--values", "0-1"]
    assert main(command) == 0
    samples, _ = kerasviz.fashion_mnist.load_samples()
    plot_feature_maps(model, "conv2d", samples[9]).savefig(again)
    assert path.read_bytes() == again.read_bytes()


def test_maps_resizes_images_to_what_the_model_takes(
    model, tmp_path: Path, read_images: Reader
) -> None:
    path = tmp_path / "x.png"
    left_half_white = np.zeros((56, 84), "uint8")
    left_half_white[:, :42] = 255
    Image.fromarray(left_half_white).save(path)
    (image,) = read_images(model, [path], "0-1").inputs
    assert image.shape == (28, 28, 1)
    np.testing.assert_allclose(image[:, :12], 1, atol=0.02)
    np.testing.assert_allclose(image[:, 16:], 0, atol=0.02)


def test_maps_writes_a_table_of_several_images(file: str, images, tmp_path: Path) -> None:
    one, both = tmp_path / "one.png", tmp_path / "both.png"
    options = ["--values", "0-1", "--tiles", "0:6"]
    assert main(["maps", file, "conv2d", images[0], "-o", str(one), *options]) == 0
    assert main(["maps", file, "conv2d", *images, "-o", str(both), *options, "--overlay"]) == 0
    assert one.read_bytes() != both.read_bytes()


def test_maps_preprocesses_values_as_keras_does(tmp_path: Path, read_images: Reader) -> None:
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
        np.testing.assert_allclose(read_images(model, [path], values).inputs, expected, rtol=1e-6)


def test_maps_reads_images_for_a_channels_first_model(tmp_path: Path, read_images: Reader) -> None:
    path = tmp_path / "x.png"
    Image.fromarray(np.zeros((8, 9, 3), "uint8")).save(path)
    model = keras.Sequential([keras.Input((3, 8, 9)), keras.layers.Flatten()])
    assert read_images(model, [path], "0-1").inputs.shape == (1, 3, 8, 9)


def test_maps_takes_an_array_as_it_is(model, tmp_path: Path, read_images: Reader) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.full((28, 28, 1), -3.5))
    assert (read_images(model, [path], "0-1").inputs == -3.5).all()


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


@pytest.mark.parametrize("tiles", ["a", "1:2:3:4", "1,x", "", "1,,2", "9" * 5000])
def test_tiles_that_are_no_numbers(tiles: str, file: str, capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["kernels", file, "conv2d", "-o", "x.png", "--tiles", tiles])
    assert stop.value.code == 2
    message = capsys.readouterr().err.splitlines()[-1]
    assert "must be an index, indices with commas, a slice" in message
    assert len(message) < 200


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


@pytest.mark.slow
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


@pytest.fixture
def color_model(tmp_path: Path) -> str:
    """A model of photos whose only map is 0 everywhere."""
    path = tmp_path / "color.keras"
    conv = keras.layers.Conv2D(1, 3, name="c", kernel_initializer="zeros")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        keras.Sequential([keras.Input((32, 32, 3)), conv]).save(path)
    return str(path)


def colored(path: Path, color: tuple[int, int, int], size: tuple[int, int] = (32, 32)) -> str:
    Image.new("RGB", size, color).save(path)
    return str(path)


@pytest.mark.few(2)
@pytest.mark.parametrize("values", ["resnet50", "vgg16", "0-255", "0-1", "mobilenet_v2"])
@pytest.mark.parametrize("count", [1, 2])
def test_a_photo_has_its_own_colors(
    values: str, count: int, color_model: str, tmp_path: Path
) -> None:
    photos = [colored(tmp_path / f"{n}.png", (255, 0, 0)) for n in range(count)]
    for more in (["--overlay"], [])[:count]:  # one photo is drawn under its maps alone
        out = tmp_path / "out.png"
        command = ["maps", color_model, "c", *photos, "--values", values, "-o", str(out), *more]
        assert main(command) == 0
        red, green, blue = np.asarray(Image.open(out).convert("RGB")).reshape(-1, 3).T.astype(int)
        assert ((red > 200) & (green < 60) & (blue < 60)).sum() > 1000
        assert not ((blue > 200) & (red < 60)).any()


def test_the_rows_of_a_table_are_named_after_the_files(
    color_model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "more").mkdir()
    photos = [tmp_path / "cat.png", tmp_path / "a\nb.png", tmp_path / "more" / "cat.png"]
    calls = []
    plain = kerasviz.plot_feature_maps
    monkeypatch.setattr(
        kerasviz, "plot_feature_maps", lambda *a, **k: calls.append(k) or plain(*a, **k)
    )
    for photo in photos:
        colored(photo, (0, 255, 0))
    arguments = [*map(str, photos), "-o", str(tmp_path / "out.png")]
    assert main(["maps", color_model, "c", *arguments]) == 0
    assert calls[0]["sample_names"] == (str(photos[0]), "a\\nb.png", str(photos[2]))


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bits_and_floats_mean_the_same_as_8_bits(
    channels: int, suffix: str, tmp_path: Path, read_images: Reader
) -> None:
    shades = np.arange(256, dtype="uint8").reshape(16, 16)
    model = keras.Sequential([keras.Input((16, 16, channels)), keras.layers.Flatten()])
    files = {"eight": shades, "sixteen": shades.astype("uint16") * 257}
    if suffix == ".tif":
        files |= {"unit": shades.astype("float32") / 255, "float": shades.astype("float32")}
    for name, values in files.items():
        path = tmp_path / f"{name}{suffix}"
        Image.fromarray(values).save(path)
        images = read_images(model, [path], "0-255")
        assert images.inputs.shape == (1, 16, 16, channels)
        for channel in range(min(channels, 3)):
            np.testing.assert_allclose(images.inputs[0, ..., channel], shades, atol=1e-4)
            np.testing.assert_array_equal(images.pictures[0, ..., channel], shades)
        if channels == 4:
            assert (images.inputs[..., 3] == 255).all()


def test_deep_images_keep_their_precision(tmp_path: Path, read_images: Reader) -> None:
    path = tmp_path / "x.png"
    values = np.arange(64, dtype="uint16").reshape(8, 8)  # of 65535: less than one step of 8 bits
    Image.fromarray(values).save(path)
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    images = read_images(model, [path], "0-255")
    np.testing.assert_allclose(images.inputs[0, ..., 0], values / 257, rtol=1e-6)


@pytest.mark.parametrize(
    ("size", "color", "channels", "remark"),
    [
        ((32, 32), (9, 9, 9), 3, ""),
        ((64, 64), (9, 8, 9), 3, ""),
        ((63, 64), (9, 9, 9), 3, ""),
        ((64, 32), (9, 9, 9), 3, "is squashed from 64×32 to 32×32 pixels, to fit the model"),
        ((32, 32), (9, 8, 9), 1, "loses its colours, to fit the model"),
        ((32, 32), (9, 9, 9), 1, ""),
        ((9, 32), (9, 8, 9), 1, "squashed from 9×32 to 32×32 pixels and loses its colours"),
    ],
)
def test_what_happens_to_a_photo_is_said(
    size: tuple[int, int],
    color: tuple[int, int, int],
    channels: int,
    remark: str,
    tmp_path: Path,
    read_images: Reader,
) -> None:
    path = tmp_path / "x.png"
    colored(path, color, size)
    model = keras.Sequential([keras.Input((32, 32, channels)), keras.layers.Flatten()])
    remarks = "".join(read_images(model, [path], "0-1").remarks)
    assert remark in remarks if remark else not remarks
    assert not remarks or remarks.startswith(f"{path} ")


def test_a_remark_is_a_line_beside_the_picture(color_model: str, tmp_path: Path, capsys) -> None:
    photo, out = colored(tmp_path / "x.png", (9, 9, 9), (64, 32)), tmp_path / "out.png"
    assert main(["maps", color_model, "c", photo, "-o", str(out)]) == 0
    text, err = capsys.readouterr()
    assert not text
    assert err == f"kerasviz: {photo} is squashed from 64×32 to 32×32 pixels, to fit the model\n"
    assert out.is_file()


def test_images_that_cannot_be_read(color_model: str, tmp_path: Path, capsys) -> None:
    Image.new("1", (15_000, 14_000)).save(tmp_path / "big.png")
    Image.fromarray(np.linspace(-1, 1000, 64, dtype="float32").reshape(8, 8)).save(
        tmp_path / "range.tif"
    )
    whole = Path(colored(tmp_path / "whole.png", (1, 2, 3))).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[:60])
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "folder").mkdir()
    np.save(tmp_path / "words.npy", np.full((32, 32, 3), "a"))
    np.save(tmp_path / "complex.npy", np.zeros((32, 32, 3), complex))
    np.save(tmp_path / "shape.npy", np.zeros((32, 32)))
    np.save(tmp_path / "objects.npy", np.array([None]), allow_pickle=True)
    (tmp_path / "empty.npy").write_bytes(b"")
    np.savez(tmp_path / "several.npz", np.zeros(3))
    (tmp_path / "several.npz").rename(tmp_path / "several.npy")
    (tmp_path / "code.npy").write_bytes(pickle.dumps([1]))
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 32, 3), }"
    (tmp_path / "huge.npy").write_bytes(
        b"\x93NUMPY\x01\x00v\x00" + header.ljust(117).encode() + b"\n"
    )
    (tmp_path / "drawing.png").write_text(
        "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"
    )
    os.mkfifo(tmp_path / "pipe.png")
    out = tmp_path / "out.png"
    for name, words in {
        "big.png": "too many pixels",
        "range.tif": "from 0 to 255, and are from -1 to 1000",
        "cut.png": "truncated",
        "text.png": "not an image",
        "folder": "no image is in the folder",
        "words.npy": "must be numbers, and are <U1",
        "complex.npy": "must be numbers, and are complex128",
        "shape.npy": "must be (32, 32, 3), and is (32, 32)",
        "objects.npy": "its values must be numbers",
        "empty.npy": "not a .npy file",
        "several.npy": "not a .npy file",
        "code.npy": "not a .npy file",
        "huge.npy": "too large for the memory",
        "drawing.png": "a drawing in the format EPS",
        "pipe.png": "not a regular file",
    }.items():
        path = str(tmp_path / name)
        text = refused(capsys, "maps", color_model, "c", path, "-o", str(out))
        assert path in text
        assert words in text
        assert " object at 0x" not in text
    assert not out.exists()


def test_preprocessing_for_colors_of_a_grey_model(file: str, images, tmp_path, capsys) -> None:
    out = str(tmp_path / "out.png")
    text = refused(capsys, "maps", file, "conv2d", images[0], "--values", "vgg16", "-o", out)
    assert "--values vgg16 is for images of 3 channels, and the model takes 1" in text


def solid(path: Path, color: tuple[int, int, int]) -> str:
    Image.new("RGB", (32, 32), color).save(path)
    return str(path)


@pytest.mark.few(1)
@pytest.mark.parametrize("overlay", [[], ["--overlay"]])
def test_a_photo_beside_an_array_has_its_own_colors(
    overlay: list[str], color_model: str, tmp_path: Path, capsys
) -> None:
    red, array, out = tmp_path / "red.png", tmp_path / "grey.npy", tmp_path / "out.png"
    solid(red, (255, 0, 0))
    values = np.linspace(-100, 150, 32 * 32 * 3, dtype="float32").reshape(32, 32, 3)
    np.save(array, values)
    command = ["maps", color_model, "c", str(array), str(red), "--values", "resnet50", *overlay]
    assert main([*command, "-o", str(out)]) == 0
    assert capsys.readouterr().err == (
        f"kerasviz: {array} is an array, its picture black to white: \N{MINUS SIGN}100 to 150\n"
    )
    pixels = np.asarray(Image.open(out).convert("RGB")).reshape(-1, 3).tolist()
    assert pixels.count([255, 0, 0]) > 1000
    assert pixels.count([0, 0, 255]) == 0


@pytest.mark.parametrize("plane", [False, True])
def test_arrays_beside_photos_for_any_model(
    plane: bool, tmp_path: Path, read_images: Reader
) -> None:
    rng = np.random.default_rng(0)
    for shape in ((9, 9, 1), (9, 9, 3), (9, 9, 4), (1, 9, 9), (3, 9, 9)):
        if plane and 1 not in shape:
            continue
        size = (9, 9) if plane else shape
        array = rng.integers(256, size=size).astype("float32")
        array.flat[0] = 255
        np.save(tmp_path / "x.NPY", array)
        (tmp_path / "x.NPY.npy").rename(tmp_path / "x.NPY")
        solid(tmp_path / "x.png", (7, 8, 9))
        model = keras.Sequential([keras.Input(shape), keras.layers.Flatten()])
        images = read_images(model, [tmp_path / "x.NPY", tmp_path / "x.png"], "0-255")
        np.testing.assert_array_equal(images.inputs[0], array.reshape(shape))
        last = images.inputs[0] if shape[0] == 9 else np.moveaxis(images.inputs[0], 0, -1)
        np.testing.assert_array_equal(images.pictures[0], last[..., :3])
        assert images.inputs.shape == (2, *shape)


def test_a_photo_is_turned_upright(tmp_path: Path, read_images: Reader) -> None:
    pixels = np.zeros((8, 12, 3), "uint8")
    pixels[:4, :, 0] = 255  # red above black
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    Image.fromarray(pixels).save(tmp_path / "x.png", exif=exif)
    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Flatten()])
    images = read_images(model, [tmp_path / "x.png"], "0-255")
    np.testing.assert_array_equal(images.inputs[0], np.rot90(pixels, -1))
    sized = keras.Sequential([keras.Input((12, 8, 3)), keras.layers.Flatten()])
    assert not read_images(sized, [tmp_path / "x.png"], "0-255").remarks


@pytest.mark.parametrize(
    ("mode", "suffix", "remark"),
    [
        ("RGBA", ".png", "loses its transparency, to fit the model"),
        ("P", ".png", "loses its transparency, to fit the model"),
        ("RGB", ".png", ""),
        ("RGB", ".gif", "has 2 frames; the first is read"),
        ("CMYK", ".jpg", ""),
    ],
)
def test_kinds_of_images(
    mode: str, suffix: str, remark: str, tmp_path: Path, read_images: Reader
) -> None:
    path = tmp_path / f"x{suffix}"
    image = Image.new("RGB", (8, 8), (204, 102, 0)).convert(mode)
    options: dict = {"transparency": image.getpixel((0, 0))} if mode == "P" else {}
    if suffix == ".gif":
        second = Image.new("RGB", (8, 8), (0, 0, 255))
        options = {"save_all": True, "append_images": [second]}
    if mode == "RGBA":
        image.putalpha(128)
    image.save(path, **options)
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    images = read_images(model, [path], "0-255")
    assert "".join(images.remarks) == (f"{path} {remark}" if remark else "")
    np.testing.assert_allclose(images.inputs[0] - [204, 102, 0], 0, atol=3)
    opaque = keras.Sequential([keras.Input((8, 8, 4)), keras.layers.Flatten()])
    assert "transparency" not in "".join(read_images(opaque, [path], "0-255").remarks)


@pytest.mark.slow
def test_damaged_images_are_told_in_a_line(tmp_path: Path, read_images: Reader) -> None:
    rng = np.random.default_rng(1)
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    image = Image.fromarray(rng.integers(256, size=(16, 16, 3)).astype("uint8"))
    refusals = 0
    for suffix in (".png", ".jpg", ".gif", ".tif", ".bmp", ".webp"):
        path = tmp_path / f"x{suffix}"
        image.save(path)
        whole = np.frombuffer(path.read_bytes(), "uint8")
        for _ in range(40):
            data = whole[: rng.integers(1, len(whole) + 1)].copy()
            places = rng.integers(min(len(data), 200), size=rng.integers(1, 12))
            data[places] = rng.integers(256, size=len(places))
            path.write_bytes(data.tobytes())
            images = read_images(model, [path], "0-1")
            (remark,) = images.remarks if images.inputs is None else [""]
            refusals += remark.startswith(f"{path} cannot be read as an image: ")
    assert refusals > 100


def test_the_output_replaces_neither_image_nor_folder(file: str, images, tmp_path, capsys) -> None:
    before = Path(images[0]).read_bytes()
    text = refused(capsys, "maps", file, "conv2d", images[0], "-o", images[0])
    assert "must not replace an image that is read" in text
    assert Path(images[0]).read_bytes() == before
    (tmp_path / "folder.png").mkdir()
    text = refused(capsys, "kernels", file, "conv2d", "-o", str(tmp_path / "folder.png"))
    assert "A folder is there" in text


def test_paths_of_variables_that_are_not_set(file: str, capsys) -> None:
    for arguments in (
        ["demo", "--output", ""],
        ["layers", ""],
        ["kernels", file, "conv2d", "-o", ""],
        ["train-example", "--data", ""],
    ):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 2
        assert "must not be empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--dpi", "1000000"),
        ("--dpi", "9" * 5000),
        ("--dpi", "0"),
        ("--dpi", "True"),
        ("--columns", "0"),
        ("--columns", "9" * 30),
    ],
)
def test_absurd_numbers(option: str, value: str, file: str, tmp_path: Path, capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["kernels", file, "conv2d", "-o", str(tmp_path / "x.png"), option, value])
    assert stop.value.code == 2
    assert f"error: argument {option}: must be an integer from" in capsys.readouterr().err


def test_a_picture_with_too_many_pixels(file: str, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("kerasviz.cli.commands.MAX_PIXELS", 10_000)
    out = tmp_path / "x.png"
    text = refused(capsys, "kernels", file, "conv2d", "-o", str(out), "--dpi", "200")
    assert "--dpi 200 would make a picture of" in text
    most = text.split("at most --dpi ")[1].split()[0]
    assert main(["kernels", file, "conv2d", "-o", str(out), "--dpi", most]) == 0
    with Image.open(out) as picture:
        assert 5_000 < picture.width * picture.height <= 10_000


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_files_that_hold_no_model(tmp_path: Path, capsys) -> None:
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3, name="c")])
    model.save(tmp_path / "model.keras")
    model.save(tmp_path / "model.h5")
    capsys.readouterr()
    model.save_weights(tmp_path / "m.weights.h5")
    (tmp_path / "renamed.keras").write_bytes((tmp_path / "m.weights.h5").read_bytes())
    with (
        zipfile.ZipFile(tmp_path / "model.keras") as old,
        zipfile.ZipFile(tmp_path / "bare.keras", "w") as new,
    ):
        new.writestr("model.weights.h5", old.read("model.weights.h5"))
    for name in ("model.keras", "model.h5"):
        data = (tmp_path / name).read_bytes()
        (tmp_path / f"cut-{name}").write_bytes(data[: len(data) // 2])
    (tmp_path / "empty.keras").write_bytes(b"")
    (tmp_path / "text.keras").write_text("no model")
    (tmp_path / "other.onnx").write_text("another format")
    (tmp_path / "page.keras").write_text("\n<!DOCTYPE html><html><body>404</body></html>")
    os.mkfifo(tmp_path / "pipe.keras")
    dense = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 3}}
    for name, config in {
        "words.keras": "{not json",
        "list.keras": "[]",
        "layer.keras": json.dumps({**dense, "registered_name": None}),
    }.items():
        with (
            zipfile.ZipFile(tmp_path / "model.keras") as old,
            zipfile.ZipFile(tmp_path / name, "w") as new,
        ):
            for part in old.namelist():
                new.writestr(part, config if part == "config.json" else old.read(part))
    with h5py.File(tmp_path / "number.h5", "w") as damaged:
        damaged.attrs["model_config"] = 3
    (tmp_path / "saved_model").mkdir()
    with zipfile.ZipFile(tmp_path / "other.pt", "w") as archive:
        archive.writestr("data.pkl", "")
    for name, words in {
        "m.weights.h5": "it holds weights alone",
        "renamed.keras": "it holds weights alone",
        "bare.keras": "it holds weights alone",
        "cut-model.keras": "truncated",
        "cut-model.h5": "truncated",
        "empty.keras": "it is empty",
        "text.keras": "truncated or damaged",
        "other.onnx": "not a model that Keras saved",
        "other.pt": "not a model that Keras saved",
        "saved_model": "it is a folder",
        "page.keras": "it is a web page",
        "pipe.keras": "not a regular file",
        "words.keras": "the description of the model in it is damaged",
        "list.keras": "the description of the model in it is damaged",
        "number.h5": "the description of the model in it is damaged",
        "layer.keras": "layer.keras holds a Dense, not a model",
    }.items():
        assert words in refused(capsys, "layers", str(tmp_path / name))


EVIL = "\x1b]0;owned\x07\x1b[31mRED\x1b[2J\nfake: line"


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_no_control_character_of_a_file_reaches_the_terminal(tmp_path: Path, capsys) -> None:
    path = tmp_path / "evil.keras"
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3, name="PLACE")])
    model.save(tmp_path / "plain.keras")
    with zipfile.ZipFile(tmp_path / "plain.keras") as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name).replace(b'"PLACE"', json.dumps(EVIL).encode())
            new.writestr(name, data)
    for code, *more in ((0,), (0, "*"), (1, "wrong_name")):
        assert main(["layers", str(path), *more]) == code
        text = "".join(capsys.readouterr())
        assert "owned" in text
        assert all(letter.isprintable() or letter == "\n" for letter in text)
        assert "\nfake" not in text


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("conv2d: 3×3, 계층", "conv2d: 3×3, 계층"),
        ("\x1b[1mbold\x1b[0m", "bold"),
        ("a\tb\u202ec\udc80", "a\\tb\\u202ec\\udc80"),
    ],
)
def test_printable_text(name: str, printed: str, capsys) -> None:
    assert refused(capsys, "layers", name) == f"kerasviz: no such file: {printed}\n"


@pytest.mark.parametrize(
    ("encoding", "line"),
    [
        ("ascii", rb"kernel 3\xd73, \uacc4\x1b"),
        ("cp1252", b"kernel 3\xd73, \\uacc4\\x1b"),
    ],
)
def test_letters_that_the_terminal_does_not_have(
    encoding: str, line: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stderr", stream)
    assert main(["layers", "kernel 3×3, 계\x1b"]) == 1
    stream.flush()
    assert stream.buffer.getvalue().rstrip() == b"kerasviz: no such file: " + line


def test_an_interrupted_command_ends_without_a_traceback(
    file: str, tmp_path: Path, monkeypatch, capsys
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(kerasviz, "plot_kernels", interrupted)
    out = str(tmp_path / "x.png")
    assert "interrupted" in refused(capsys, "kernels", file, "conv2d", "-o", out)


def test_an_error_of_the_backend_is_a_line(file: str, tmp_path: Path, monkeypatch, capsys) -> None:
    def failing(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA:\n  out of memory")

    monkeypatch.setattr(kerasviz, "plot_kernels", failing)
    text = refused(capsys, "kernels", file, "conv2d", "-o", str(tmp_path / "x.png"))
    assert "RuntimeError: CUDA: out of memory" in text


def test_layers_refuses_files_that_would_fill_the_memory(tmp_path, capsys) -> None:
    """The peaks of memory are measured in benchmarks/reliability/hostile_files.py."""
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 3, name="c")])
    model.save(tmp_path / "good.keras")
    with zipfile.ZipFile(tmp_path / "good.keras") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    config["config"]["layers"][1]["config"]["filters"] = 10**9
    huge = {**parts, "config.json": json.dumps(config).encode()}
    long = {**parts, "config.json": parts["config.json"] + b" " * (65 << 20)}
    for name, members, message in (
        ("huge", huge, "its layer 'c' would have 9,000,000,000 weights or more"),
        ("long", long, "the description of the model in it is of 65 MB"),
    ):
        path = tmp_path / f"{name}.keras"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in members.items():
                archive.writestr(member, content)
        assert main(["layers", str(path)]) == 1
        assert message in capsys.readouterr().err
    assert main(["layers", str(tmp_path / "good.keras")]) == 0


@pytest.mark.filterwarnings("ignore:You are saving a model that has not yet been built")
def test_layers_takes_wide_layers_that_have_no_weights_yet(tmp_path, capsys) -> None:
    keras.Sequential([keras.layers.Conv2D(100_000, 3, name="c")]).save(tmp_path / "m.keras")
    main(["layers", str(tmp_path / "m.keras")])
    assert "cannot be loaded" not in capsys.readouterr().err
