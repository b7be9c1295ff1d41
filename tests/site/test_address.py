"""The site with a public address and without one: a small site, built with the same hooks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.site, pytest.mark.xdist_group("address")]
ROOT = Path(__file__).parents[2]
ADDRESS = "https://github.com/example/kerasviz"
SITE = "https://example.github.io/kerasviz/"
EXAMPLE = """# How?

An example.

<div id="download_links"></div>

[:fontawesome-solid-download: Download](./plot_first_layer.py)

[:fontawesome-solid-download: Download](./plot_first_layer.ipynb)
"""
HOOKS = ("address", "head")


def build(folder: Path, address: str) -> Path:
    """Build three pages of the site, among them one as mkdocs-gallery makes it of an example."""
    docs = folder / "docs"
    (docs / "gallery/images/cards").mkdir(parents=True)
    for name in ("install", "citing"):
        text = (ROOT / f"docs/{name}.md").read_text(encoding="utf-8")
        text = re.sub(r"\]\([\w/-]+\.md\)|\]\[kerasviz\.\w+\]", "]", text)
        (docs / f"{name}.md").write_text(text, encoding="utf-8")
    (docs / "index.md").write_text("# Start\n", encoding="utf-8")
    (docs / "gallery/plot_first_layer.md").write_text(EXAMPLE, encoding="utf-8")
    cell = {"cell_type": "code", "source": ["from skimage import data"]}
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (docs / "gallery/plot_first_layer.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    (docs / "gallery/plot_first_layer.py").write_text('"""# How?"""\n', encoding="utf-8")
    for name in ("plot_face", "plot_first_layer"):
        card = next((ROOT / "docs/images").glob("*.png"))
        (docs / f"gallery/images/cards/{name}.png").write_bytes(card.read_bytes())
    hooks = [*(ROOT / f"docs/theme/{name}.py" for name in HOOKS), folder / "example.py"]
    (folder / "example.py").write_text(
        "import runpy, sys\n"
        f"sys.path.insert(0, {str(ROOT / 'docs/theme')!r})\n"
        f"example = runpy.run_path({str(ROOT / 'docs/theme/gallery.py')!r})['_example']\n"
        "def on_page_markdown(markdown, page, **_):\n"
        "    is_example = page.file.name.startswith('plot_')\n"
        "    return example(markdown, page.file.name) if is_example else markdown\n",
        encoding="utf-8",
    )
    hooks = [hooks[-1], *hooks[:-1]]
    theme = f"theme:\n  name: material\n  font: false\n  custom_dir: {ROOT}/docs/theme/overrides\n"
    features = "  features: [content.action.edit, content.action.view]\n"
    lines = "".join(f"  - {hook}\n" for hook in hooks)
    (folder / "mkdocs.yml").write_text(
        f"site_name: kerasviz\nmarkdown_extensions: [attr_list]\n{theme}{features}hooks:\n{lines}",
        encoding="utf-8",
    )
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "-q", "-d", "site"],
        cwd=folder,
        env={**os.environ, "KERASVIZ_REPOSITORY": address},
        check=True,
    )
    return folder / "site"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("published"), ADDRESS)


@pytest.fixture(scope="module")
def unpublished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("unpublished"), "")


def test_a_published_site_has_its_links(published: Path) -> None:
    page = (published / "install/index.html").read_text(encoding="utf-8")
    assert f'<link rel="canonical" href="{SITE}install/">' in page
    assert f'href="{ADDRESS}/edit/main/docs/install.md"' in page
    assert f'href="{ADDRESS}"' in page
    assert f'property="og:url" content="{SITE}install/"' in page
    assert f'property="og:image" content="{SITE}social/site.png"' in page
    assert (published / "social/site.png").is_file()
    assert f"<loc>{SITE}install/</loc>" in (published / "sitemap.xml").read_text(encoding="utf-8")
    assert ADDRESS in (published / "citing/index.html").read_text(encoding="utf-8")


def test_a_published_example_opens_in_colab_and_binder(published: Path) -> None:
    page = (published / "gallery/plot_first_layer/index.html").read_text(encoding="utf-8")
    path, file = "example/kerasviz", "gallery/plot_first_layer.ipynb"
    assert f"https://colab.research.google.com/github/{path}/blob/gh-pages/{file}" in page
    assert f"https://mybinder.org/v2/gh/{path}/gh-pages?urlpath=lab/tree/{file}" in page
    assert f'href="{ADDRESS}/edit/main/examples/plot_first_layer.py"' in page
    assert f"git+{ADDRESS}" in (published / "binder/requirements.txt").read_text(encoding="utf-8")
    notebook = json.loads((published / file).read_text(encoding="utf-8"))
    (line,) = notebook["cells"][0]["source"]
    assert line == f'%pip install -q "kerasviz @ git+{ADDRESS}" scikit-image'


def test_install_lines_of_a_published_site_need_no_checkout(published: Path) -> None:
    page = (published / "install/index.html").read_text(encoding="utf-8")
    text = re.sub("<[^>]+>", "", page)
    assert "pip install kerasviz" in text
    assert "--no-deps kerasviz" in text
    assert "kerasviz[ray]" in text
    assert "pip install ." not in text


def test_a_site_without_an_address_names_none(unpublished: Path) -> None:
    for page in unpublished.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        links = re.findall(r'(?:href|content|src)="(https?://[^"]+)"', text)
        assert [link for link in links if "squidfunk" not in link] == [], page
    text = re.sub("<[^>]+>", "", (unpublished / "install/index.html").read_text(encoding="utf-8"))
    assert ".venv/bin/pip install ." in text
    assert "pip install kerasviz" not in text
    assert not (unpublished / "binder").exists()
