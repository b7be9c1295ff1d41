"""In a notebook, each figure appears exactly once, and every keyword is completed."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import kerasviz

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

README = Path(__file__).parent.parent / "README.md"
CELLS = [
    "import keras, kerasviz, numpy as np\n"
    "model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3, name='c')])",
    "kerasviz.plot_kernels(model, 'c')",
    "plot = kerasviz.plot_feature_maps(model, 'c', np.eye(8))",
    "plot",
    "kerasviz.plot_kernels(model, 'c')\nkerasviz.plot_kernels(model, 'c')\nNone",
]


@pytest.mark.slow
# Jupyter's own threads and sockets, which outlive the kernel for a moment.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_each_figure_appears_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MPLBACKEND", raising=False)  # the kernel takes Jupyter's own
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(256, size=(96, 96, 3)).astype("uint8")).save(
        tmp_path / "photo.jpg"
    )
    blocks = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), flags=re.DOTALL)
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in [*CELLS, *blocks]]
    )
    nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    pictures = [
        sum("image/png" in output.get("data", {}) for output in cell.outputs)
        for cell in notebook.cells
    ]
    figures = [len(re.findall(r"kerasviz\.plot_\w+\(", cell.source)) for cell in notebook.cells]
    assert figures[:5] == [0, 1, 1, 0, 2]
    assert pictures == figures


@pytest.fixture
def complete():
    """Return the words with which IPython, or jedi for it, completes a line."""
    config = pytest.importorskip("traitlets.config")
    completer = pytest.importorskip("IPython.core.completer")
    shells = pytest.importorskip("IPython.core.interactiveshell")
    settings = config.Config(HistoryManager={"enabled": False})  # no file of the user's
    shell = shells.InteractiveShell(config=settings, user_ns={"kerasviz": kerasviz})

    def run(line: str, use_jedi: bool) -> set[str]:
        shell.Completer.use_jedi = use_jedi
        with completer.provisionalcompleter():
            return {match.text for match in shell.Completer.completions(line, len(line))}

    return run


@pytest.mark.parametrize("use_jedi", [False, True])
@pytest.mark.parametrize(
    "name", ["plot_kernels", "plot_feature_maps", "plot_history", "KernelSnapshots"]
)
def test_completion_offers_every_keyword(complete, name: str, use_jedi: bool) -> None:
    parameters = inspect.signature(getattr(kerasviz, name)).parameters.values()
    keywords = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    letters = sorted({keyword[0] for keyword in keywords})
    offers = set().union(
        *(complete(f"kerasviz.{name}(model, {letter}", use_jedi) for letter in letters)
    )
    assert {f"{keyword}=" for keyword in keywords} <= offers
