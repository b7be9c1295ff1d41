"""`kerasviz why`: the picture is that of `plot_attributions`, and what fails is one line."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import get_args, get_type_hints

import keras
import numpy as np
import pytest
from PIL import Image

import kerasviz
from kerasviz.cli import main

CLASSES = kerasviz.fashion_mnist.CLASSES


@pytest.fixture(scope="module")
def folder(model: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a model, two real images, and the names of the classes."""
    folder = tmp_path_factory.mktemp("why")
    with warnings.catch_warnings():  # Keras makes arrays in a way that NumPy 2 warns about
        warnings.simplefilter("ignore", DeprecationWarning)
        model.save(folder / "model.keras")
    samples, _ = kerasviz.fashion_mnist.load_samples()
    for index in (0, 9):
        pixels = (255 * samples[index, ..., 0]).round().astype("uint8")
        Image.fromarray(pixels).save(folder / f"{index}.png")
    (folder / "classes.txt").write_text("\n".join(CLASSES))
    return folder


def test_why_is_the_picture_of_plot_attributions(folder: Path, model, tmp_path: Path) -> None:
    path, again = tmp_path / "a.png", tmp_path / "b.png"
    command = ["why", str(folder / "model.keras"), str(folder / "9.png"), str(folder / "0.png")]
    command += ["--values", "0-1", "--classes", str(folder / "classes.txt")]
    command += ["--method", "grad-cam", "--method", "gradient", "--layer", "conv2d"]
    assert main([*command, "--target", "9,7", "--smooth", "-o", str(path)]) == 0
    samples, _ = kerasviz.fashion_mnist.load_samples()
    kerasviz.plot_attributions(
        model,
        samples[[9, 0]],
        method=["grad-cam", "gradient"],
        layer="conv2d",
        sample="all",
        sample_names=["9.png", "0.png"],
        class_names=CLASSES,
        target=(9, 7),
        interpolation="bilinear",
    ).savefig(again, dpi=100)
    np.testing.assert_array_equal(np.asarray(Image.open(path)), np.asarray(Image.open(again)))


def test_why_takes_the_methods_of_get_attributions(capsys: pytest.CaptureFixture[str]) -> None:
    # The help lists them by itself, since it must not import Keras.
    with pytest.raises(SystemExit) as stopped:
        main(["why", "--help"])
    assert stopped.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    listed = re.search(r"METHOD is one of ([^.]+)\.", text)[1].split(", ")
    hint = get_type_hints(kerasviz.plot_mistakes)["method"]
    assert listed == list(get_args(hint))
    with pytest.raises(ValueError, match="`method` must be one of") as error:
        kerasviz.get_attributions(None, None, method="nope")
    assert listed == re.findall(r"'([\w+-]+)'", str(error.value).partition("Received")[0])
    with pytest.raises(SystemExit):
        main(["why", "--method", "nope"])
    assert listed == re.findall(
        r"[\w+]+(?:-[\w+]+)*", capsys.readouterr().err.split("choose from")[1]
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--target", "99"], "`target` must be between 0 and 9"),
        (["--layer", "conv2", "--method", "grad-cam"], "conv2d"),
        (["--classes", "no-such-file"], "No such file"),
    ],
)
def test_why_says_in_a_line_what_cannot_be_done(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options, words
) -> None:
    path = tmp_path / "a.png"
    command = ["why", str(folder / "model.keras"), str(folder / "9.png"), "--values", "0-1"]
    assert main([*command, *options, "-o", str(path)]) == 1
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("kerasviz: ")
    assert len(err.splitlines()) == 1
    assert words in err
    assert not path.exists()


@pytest.mark.parametrize(
    "options", [["--method", "cam"], ["--target", "a"], ["--target", "1,2,3"], ["--dpi", "1"]]
)
def test_why_refuses_options_that_do_not_exist(options, capsys) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["why", "model.keras", "a.png", *options, "-o", "a.png"])
    assert stopped.value.code == 2
    assert "error: argument" in capsys.readouterr().err
