"""`kerasviz filters`: the picture is that of `plot_filters`, of a folder that is streamed."""

from __future__ import annotations

import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import kerasviz
from kerasviz.cli import main

CLASSES = kerasviz.fashion_mnist.CLASSES


@pytest.fixture(scope="module", name="folder")
def _folder(model: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a model, and real images in one folder per class."""
    folder = tmp_path_factory.mktemp("filters")
    with warnings.catch_warnings():  # Keras makes arrays in a way that NumPy 2 warns about
        warnings.simplefilter("ignore", DeprecationWarning)
        model.save(folder / "model.keras")
    samples, labels = kerasviz.fashion_mnist.load_samples()
    for image, label in zip(samples, labels, strict=True):
        own = folder / "images" / f"class {label}"
        own.mkdir(parents=True)
        Image.fromarray((255 * image[..., 0]).round().astype("uint8")).save(own / "0.png")
    return folder


def test_filters_is_the_picture_of_plot_filters(
    folder: Path, model: keras.Model, tmp_path: Path
) -> None:
    path, again = tmp_path / "a.png", tmp_path / "b.png"
    command = ["filters", str(folder / "model.keras"), "conv2d", "--images", str(folder / "images")]
    command += ["--labels", "by-folder", "--values", "0-1", "--filters", "0,18"]
    assert main([*command, "-o", str(path)]) == 0
    samples, labels = kerasviz.fashion_mnist.load_samples()
    order = np.argsort(labels)
    kerasviz.plot_filters(
        model,
        "conv2d",
        samples[order],
        labels=labels[order],
        class_names=[f"class {label}" for label in range(10)],
        filters=[0, 18],
    ).savefig(again, dpi=100)
    np.testing.assert_array_equal(np.asarray(Image.open(path)), np.asarray(Image.open(again)))


def test_filters_says_in_a_line_what_is_wrong(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "images"
    broken.mkdir()
    (broken / "a.png").write_bytes(b"no image")
    output = ["-o", str(tmp_path / "a.png")]
    command = ["filters", str(folder / "model.keras")]
    for arguments, words in (
        (["conv2d", "--images", str(broken), *output], "a.png cannot be read as an image"),
        (["conv2d", "--images", str(tmp_path / "none"), *output], "no such file"),
        (["conv", "--images", str(folder / "images" / "class 0"), *output], "conv"),
        (["conv2d", "--images", str(folder), "-o", "a.txt"], "the output must end in"),
    ):
        assert main([*command, *arguments]) == 1
        error = capsys.readouterr().err
        assert words in error
        assert "Traceback" not in error
    assert not (tmp_path / "a.png").exists()
