"""Adds to the site the live report, and the pages that are written in the root of the project."""

from __future__ import annotations

import contextlib
import re
import tempfile
from pathlib import Path

from ahead import start
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File

import kerasviz
from kerasviz.fashion_mnist.data import find_files

ROOT = Path(__file__).parents[2]
ABOUT = {
    "CHANGELOG.md": "What changed in each version of kerasviz, by what you can do with it.",
    "CONTRIBUTING.md": "How to set up a checkout of kerasviz, run its tests, build its "
    "documentation and add to it.",
}
"""The files of the root that are pages of the site, and their descriptions."""
_started = {}


@event_priority(200)  # before the examples, so that it is there when they are
def on_pre_build(**_):
    """Let another process make the report."""
    _started["report"] = start("added_files", "make_report")


def on_config(config):
    """Fetch Fashion-MNIST into Keras's cache, if this machine has it nowhere: examples need it."""
    try:
        find_files()
    except FileNotFoundError:
        import keras  # here, because it takes seconds and is seldom needed

        # Without a network the site is built all the same, of the ten images that are shipped.
        # Keras raises a plain Exception where it cannot download.
        with contextlib.suppress(Exception):
            keras.datasets.fashion_mnist.load_data()
    return config


def on_files(files, config):
    """Add the report, and the pages from the root."""
    files.append(File.generated(config, "report.html", content=_started["report"].result()))
    for name, description in ABOUT.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        content = f"---\ndescription: {description}\n---\n\n{_as_page(text)}"
        files.append(File.generated(config, name.lower(), content=content))
    return files


def make_report():
    """Return the report of the shipped network as HTML."""
    model = kerasviz.fashion_mnist.load_model()
    images, labels = kerasviz.fashion_mnist.load_samples()
    names = kerasviz.fashion_mnist.CLASSES
    with tempfile.TemporaryDirectory() as folder:
        path = kerasviz.report(
            model, images, f"{folder}/report.html", labels=labels, class_names=names
        )
        return Path(path).read_text(encoding="utf-8")


def _as_page(text):
    """Return Markdown of the root with the links that hold in `docs`, and code that is not run."""
    # The code of these is to be read: one block trains the shipped network.
    return re.sub(r"\]\(docs/", "](", text).replace("```python\n", "```py\n")
