"""The widget of `explore` in a real JupyterLab: it opens, takes images, and can be lost."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

import kerasviz

nbformat = pytest.importorskip("nbformat", reason="of the extra test-notebook")
pytestmark = [pytest.mark.notebook, pytest.mark.xdist_group("notebook")]
CELLS = [
    "import kerasviz\n"
    "model = kerasviz.fashion_mnist.load_model()\n"
    "x, y = kerasviz.fashion_mnist.load_samples()",
    "widget = kerasviz.explore(model, x, labels=y, class_names=kerasviz.fashion_mnist.CLASSES)\n"
    "widget",
    "widget.inputs = x[:3]",
]
IDLE = "text=Python 3 (ipykernel) | Idle"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a notebook, and with all that Jupyter writes."""
    folder = tmp_path_factory.mktemp("jupyter")
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, folder / "explore.ipynb")
    return folder


@pytest.fixture(scope="module")
def jupyter(folder: Path) -> Iterator[str]:
    """Start JupyterLab without an account's own settings, and return its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    names += ("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    environment = os.environ | {name: str(folder / ".jupyter" / name) for name in names}
    environment.pop("MPLBACKEND", None)
    options = ["--no-browser", "--allow-root", f"--port={port}", f"--ServerApp.root_dir={folder}"]
    options += ["--IdentityProvider.token=", "--LabApp.news_url=None"]
    with (folder / "log").open("w") as log:
        command = [sys.executable, "-m", "jupyterlab", *options]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{address}/api").close()
            break
        except urllib.error.URLError:
            time.sleep(0.1)
    yield address
    process.terminate()
    process.wait()


@pytest.fixture(scope="module")
def lab(browser: Any, jupyter: str) -> Iterator[Any]:
    """Return the notebook in Chromium, its first two cells run."""
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    page.set_default_timeout(60_000)
    page.goto(f"{jupyter}/doc/tree/explore.ipynb")
    page.wait_for_selector(IDLE)
    run_cell(page, 0)
    run_cell(page, 1)
    page.wait_for_selector(".kerasviz-explore article.overview")
    yield page
    page.close()


def run_cell(page: Any, index: int) -> None:
    page.locator(".jp-CodeCell .cm-content").nth(index).click()
    page.keyboard.press("Control+Enter")


def point(page: Any, index: int, row: int, column: int) -> float:
    """Move the mouse to a value of a map, and return the value that the page shows."""
    canvas = page.locator("[data-kind=maps] .scroll canvas")
    canvas.scroll_into_view_if_needed()
    layout = canvas.evaluate("(canvas) => ({...canvas.dataset})")
    position = layout["order"].split().index(str(index))
    across, down = map(float, layout["pitch"].split())
    zoom = [float(x) for x in layout["zoom"].split()]
    columns = int(layout["columns"])
    x = (position % columns) * across + (column + 0.5) * zoom[0]
    y = (position // columns) * down + float(layout["top"]) + (row + 0.5) * zoom[1]
    canvas.hover(position={"x": x, "y": y})
    text = page.locator("[data-kind=maps] .readout").inner_text()
    assert text.startswith(f"filter {index}, row {row}, column {column}: ")
    return float(re.search(r": (\S+)", text)[1].replace("−", "-"))


def test_explore_opens_a_layer_that_is_clicked_on(lab: Any) -> None:
    samples, _ = kerasviz.fashion_mnist.load_samples()
    maps = kerasviz.get_feature_maps(kerasviz.fashion_mnist.load_model(), "conv2d", samples)
    lab.locator(".kerasviz-explore nav [data-address=conv2d]").click()
    lab.wait_for_selector("article[data-address=conv2d] [data-kind=maps][data-sample='0']")
    lab.locator(".thumb[data-sample='9']").click()
    lab.wait_for_selector("[data-kind=maps][data-sample='9']")
    for index, row, column in ((0, 0, 0), (16, 20, 17), (31, 7, 13)):
        step = float(np.ptp(maps[9, ..., index])) / 255
        assert point(lab, index, row, column) == pytest.approx(
            maps[9, row, column, index], abs=step + 1e-3
        )
    assert "#" not in lab.url
    # Its style stays inside it, and a letter typed into it does not reach the notebook.
    assert lab.evaluate("getComputedStyle(document.body).fontSize") == "13px"
    cells = lab.locator(".jp-CodeCell").count()
    lab.locator(".kerasviz-explore h2").focus()
    lab.keyboard.press("b")
    lab.keyboard.press("ArrowRight")
    lab.wait_for_selector(".kerasviz-explore article[data-address=max_pooling2d]")
    assert lab.locator(".jp-CodeCell").count() == cells


def test_explore_takes_a_file_and_other_inputs(lab: Any, folder: Path) -> None:
    samples, _ = kerasviz.fashion_mnist.load_samples()
    image = Image.fromarray(np.rint(255 * samples[7]).astype("uint8").reshape(28, 28))
    image.resize((56, 56), Image.Resampling.NEAREST).save(folder / "shoe.png")
    lab.locator(".kerasviz-explore input[type=file]").set_input_files(folder / "shoe.png")
    lab.wait_for_selector(".kerasviz-explore article.sample >> text=sample 10 of 11: shoe.png")
    lab.wait_for_selector(".kerasviz-explore article.sample >> text=Sneaker")
    lab.wait_for_selector(".kerasviz-explore [data-kind=explanation]")
    (folder / "text.png").write_text("no image")
    lab.locator(".kerasviz-explore input[type=file]").set_input_files(folder / "text.png")
    lab.wait_for_selector("text=text.png is not an image that the browser can read.")
    lab.keyboard.press("Escape")
    run_cell(lab, 2)
    lab.wait_for_selector(".kerasviz-explore >> text=3 samples")


def test_explore_leaves_a_picture_where_no_kernel_runs(
    lab: Any, browser: Any, jupyter: str, folder: Path
) -> None:
    still = leave_picture(lab, folder)
    notebook = json.loads((folder / "explore.ipynb").read_text(encoding="utf-8"))
    # For a kernel that it does not have, Jupyter asks which one to start.
    kernel = {"name": "not-here", "display_name": "Not here", "language": "not-here"}
    notebook["metadata"] = {"kernelspec": kernel}
    (folder / "closed.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    page.set_default_timeout(60_000)
    page.goto(f"{jupyter}/doc/tree/closed.ipynb")
    page.locator(".jp-Dialog .jp-mod-reject").click()  # "No Kernel"
    image = page.locator("[class^=kerasviz-still] img")
    image.wait_for()
    assert image.is_visible()
    assert page.locator(".kerasviz-explore").count() == 0
    assert f'src="{image.get_attribute("src")}"' in still
    assert "Run the cell again" in page.locator("[class^=kerasviz-still]").inner_text()
    data = base64.b64decode(image.get_attribute("src").split(",")[1])
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), int)
    # The kernels are in it: the strongest weight of all has the last blue of the scale.
    blue = 255 * np.array(plt.get_cmap("RdBu_r")(0)[:3])
    assert (np.abs(pixels - blue).max(axis=-1) < 3).sum() > 100
    page.close()


def test_explore_survives_a_restart(lab: Any) -> None:
    lab.keyboard.press("Escape")
    lab.locator("[data-command='kernelmenu:restart'], [title^='Restart the kernel']").first.click()
    lab.locator(".jp-Dialog .jp-mod-accept").click()
    lab.wait_for_selector(IDLE)
    lab.locator(".kerasviz-explore nav [data-address=max_pooling2d_1]").click()
    lab.wait_for_selector(".kerasviz-explore >> text=Run the cell again")
    run_cell(lab, 0)
    run_cell(lab, 1)
    lab.wait_for_selector(".kerasviz-explore article.overview")


def leave_picture(lab: Any, folder: Path) -> str:
    """Open a layer, save the notebook when it has the picture of it, and return its markup."""
    lab.locator(".kerasviz-explore nav [data-address=conv2d_1]").click()
    lab.wait_for_selector("article[data-address=conv2d_1] [data-kind=maps]")
    lab.wait_for_function(
        "() => document.querySelector('[class^=kerasviz-still] img')?.src.length > 30000"
    )
    assert not lab.locator("[class^=kerasviz-still]").is_visible()
    return save(lab, folder)


def save(page: Any, folder: Path) -> str:
    """Save the notebook, and return the markup in the file: of a picture, and no values."""
    page.locator(".kerasviz-explore h2").focus()
    page.keyboard.press("Control+s")
    for _ in range(50):
        cells = json.loads((folder / "explore.ipynb").read_text(encoding="utf-8"))["cells"]
        outputs = [x for x in cells[1]["outputs"] if x["output_type"] == "display_data"]
        if outputs:
            break
        time.sleep(0.1)
    widget, still = outputs
    assert "application/vnd.jupyter.widget-view+json" in widget["data"]
    markup = "".join(still["data"]["text/html"])
    assert 'src="data:image/png;base64,' in markup
    assert (folder / "explore.ipynb").stat().st_size < 500_000
    return markup
