"""What type checkers say to a user of kerasviz: nothing to what is right, and every mistake."""

from __future__ import annotations

import ast
import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import matplotlib.pyplot as plt
import pytest

import kerasviz

SAMPLE = Path(__file__).parent / "sample.py"
MISUSE = Path(__file__).parent / "misuse.py"


def test_the_sample_has_every_public_name() -> None:
    tree = ast.parse(SAMPLE.read_text(encoding="utf-8"))
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {
        a.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for a in node.names
    }
    assert {*kerasviz.__all__, *kerasviz.fashion_mnist.__all__} <= names


@pytest.mark.slow
def test_the_sample_runs(tmp_path: Path) -> None:
    keras.utils.clear_session(free_memory=False)
    runpy.run_path(str(SAMPLE))["look"](tmp_path)
    plt.close("all")
    assert {"kernels.png", "maps.npy", "steps.gif"} <= {path.name for path in tmp_path.iterdir()}


def run(folder: Path, *command: str) -> str:
    """Run a checker on what this Python has installed, far from the settings of the project."""
    python = Path(sys.executable)  # pyright asks the first `python` of the PATH
    result = subprocess.run(
        [python, "-m", *command],
        cwd=folder,
        env={**os.environ, "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout, result.stderr
    return result.stdout


def mypy(folder: Path) -> set[tuple[str, int]]:
    options = ("--strict", "--config-file=", "--output=json")
    found = map(json.loads, run(folder, "mypy", *options, str(SAMPLE), str(MISUSE)).splitlines())
    return {(Path(e["file"]).name, e["line"]) for e in found if e["severity"] == "error"}


def pyright(folder: Path) -> set[tuple[str, int]]:
    report = json.loads(run(folder, "pyright", "--outputjson", str(SAMPLE), str(MISUSE)))
    return {
        (Path(e["file"]).name, e["range"]["start"]["line"] + 1)
        for e in report["generalDiagnostics"]
        if e["severity"] == "error"
    }


@pytest.mark.type_checkers
@pytest.mark.parametrize("checker", [mypy, pyright])
def test_every_mistake_is_reported_and_nothing_else(checker: Any, tmp_path: Path) -> None:
    lines = enumerate(MISUSE.read_text(encoding="utf-8").splitlines(), start=1)
    marked = {(MISUSE.name, number) for number, line in lines if "# mistake" in line}
    assert len(marked) > 20
    assert checker(tmp_path) == marked


@pytest.mark.type_checkers
def test_every_type_is_known_but_the_bases_that_keras_and_ipywidgets_have_no_types_for(
    tmp_path: Path,
) -> None:
    options = ("--verifytypes", "kerasviz", "--ignoreexternal", "--outputjson")
    report = json.loads(run(tmp_path, "pyright", *options))["typeCompleteness"]
    assert report["completenessScore"] > 0.99
    unknown = {
        symbol["name"]: diagnostic["message"]
        for symbol in report["symbols"]
        for diagnostic in symbol["diagnostics"]
        if diagnostic["severity"] == "error"
        and not re.search('base class|metaclass|"Explorer"', diagnostic["message"])
    }
    assert not unknown
