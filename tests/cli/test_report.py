"""`kerasviz report`: the page of a model file and of images in folders."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import Any

import keras
import pytest
from PIL import Image

import kerasviz
from kerasviz.cli import main

CLASSES = kerasviz.fashion_mnist.CLASSES


@pytest.fixture(scope="module")
def folder(model: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a model, and images in folders named after their classes."""
    folder = tmp_path_factory.mktemp("report")
    with warnings.catch_warnings():  # Keras makes arrays in a way that NumPy 2 warns about
        warnings.simplefilter("ignore", DeprecationWarning)
        model.save(folder / "model.keras")
    samples, labels = kerasviz.fashion_mnist.load_samples()
    for index in (9, 1, 4):
        inside = folder / "images" / CLASSES[labels[index]]
        inside.mkdir(parents=True)
        pixels = (255 * samples[index, ..., 0]).round().astype("uint8")
        Image.fromarray(pixels).save(inside / "a.png")
    (folder / "classes.txt").write_text("\n".join(CLASSES))
    return folder


def read_facts(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    (facts,) = re.findall(r'<script type="application/json" id="facts">(.*?)</script>', text)
    return dict(json.loads(facts))


def test_report_writes_the_page_of_images_by_folder(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "report.html"
    command = ["report", str(folder / "model.keras"), str(folder / "images"), "-o", str(path)]
    command += ["--labels", "by-folder", "--values", "0-1"]
    assert main([*command, "--classes", str(folder / "classes.txt")]) == 0
    assert capsys.readouterr().out == f"{path}: open it in a browser\n"
    facts = read_facts(path)
    assert facts["class_names"] == list(CLASSES)
    samples = facts["samples"]
    assert [sample["name"] for sample in samples] == [
        f"{name}/a.png" for name in ("Ankle boot", "Coat", "Trouser")
    ]
    assert [sample["label"] for sample in samples] == [9, 4, 1]
    assert [sample["top"][0][0] for sample in samples] == [9, 2, 1]
    assert str(folder) not in path.read_text(encoding="utf-8")


@pytest.mark.slow
def test_report_takes_the_classes_from_the_folders(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    command = ["report", str(folder / "model.keras"), str(folder / "images"), "-o", str(path)]
    assert main([*command, "--labels", "by-folder", "--values", "0-1"]) == 0
    facts = read_facts(path)
    assert facts["class_names"] == ["Ankle boot", "Coat", "Trouser"]
    assert [sample["label"] for sample in facts["samples"]] == [0, 1, 2]


def test_report_needs_no_images(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    assert main(["report", str(folder / "model.keras"), "-o", str(path)]) == 0
    assert read_facts(path)["samples"] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "a.png"], "the output must end in .html: a.png"),
        (["--labels", "by-folder", "-o", "a.html"], "and finds none"),
        (["model.keras", "--labels", "by-folder", "-o", "a.html"], "needs a folder with one per"),
        (
            ["images", "--labels", "by-folder", "--classes", "few.txt", "-o", "a.html"],
            "the folder is not named after one of the classes",
        ),
    ],
)
def test_report_fails_in_one_line(
    arguments: list[str],
    message: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    Path("few.txt").write_text("Trouser\n")
    assert main(["report", "model.keras", *arguments]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error
