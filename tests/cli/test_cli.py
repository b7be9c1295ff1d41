"""The command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import kerasviz
from kerasviz.cli import main


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command ends with its process, and leaves its environment to it."""
    for name in ("MPLBACKEND", "TF_CPP_MIN_LOG_LEVEL"):
        monkeypatch.setenv(name, os.environ.get(name, ""))


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "import sys; from kerasviz.cli import main; sys.exit(main())"]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, cwd=cwd)


@pytest.mark.slow
def test_demo_writes_the_pictures_and_says_where(tmp_path: Path) -> None:
    result = run("demo", "--output", "out", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    files = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.png"))
    assert [path.name for path in files] == [
        "feature-maps-conv2d.png",
        "feature-maps-conv2d_1.png",
        "kernels-trained.png",
        "kernels-untrained.png",
    ]
    page = tmp_path / "out" / "report.html"
    assert page.stat().st_size > 100_000
    assert f"Open the page in a browser: {page.as_uri()}\n" in result.stdout
    for path in files:
        assert str(path) in result.stdout
        with Image.open(tmp_path / path) as picture:
            assert min(picture.size) > 200
            assert len(picture.getcolors(maxcolors=1 << 24)) > 50


def test_demo_says_that_a_folder_cannot_be_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["demo", "--output", str(tmp_path / "file")]) == 1
    assert capsys.readouterr().err.startswith("kerasviz: ")


def test_help_needs_neither_keras_nor_matplotlib() -> None:
    script = (
        "import sys\nfrom kerasviz.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print({'keras', 'matplotlib'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    for command in (
        "layers",
        "kernels",
        "maps",
        "why",
        "report",
        "demo",
        "train-example",
        "completion",
    ):
        assert command in result.stdout
    assert result.stdout.rstrip().endswith("set()")


def test_version_and_a_missing_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.strip() == kerasviz.__version__
    with pytest.raises(SystemExit) as stop:
        main([])
    assert stop.value.code == 2


def test_train_example_says_that_data_is_damaged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (tmp_path / f"{name}-ubyte.gz").write_bytes(b"\x1f\x8b\x08\x00")
    output = tmp_path / "out"
    assert main(["train-example", "--data", str(tmp_path), "--output", str(output)]) == 1
    assert "`path` is damaged" in capsys.readouterr().err


@pytest.mark.parametrize("seed", ["-1", "4294967296", "x"])
def test_train_example_refuses_what_is_not_a_seed(
    seed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["train-example", "--seed", seed])
    assert stop.value.code == 2
    assert "argument --seed: must be an integer" in capsys.readouterr().err
