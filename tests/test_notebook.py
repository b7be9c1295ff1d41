"""In a notebook, each figure appears exactly once."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

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
