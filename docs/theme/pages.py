"""Runs the Python of each page, and puts beneath each block what it draws and prints."""

from __future__ import annotations

import contextlib
import html
import io
import posixpath
import re
import tempfile

import keras
import matplotlib.pyplot as plt
from mkdocs.structure.files import File

DPI = 100
"""Dots per inch; the file has twice that number, for screens that show them."""


def on_page_markdown(markdown, page, config, files):
    """Run every block in the order of the page, as one program in a folder of its own."""
    if "```python\n" not in markdown or page.file.src_uri.startswith("gallery/"):
        return markdown
    keras.utils.clear_session()
    names, pictures = {}, []

    def run(match):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(match[1], names)
        lines = [match[0]]
        if printed.getvalue():
            lines += [
                "",
                f'``` {{ .text .output title="Output" }}\n{printed.getvalue().rstrip()}\n```',
            ]
        for number in plt.get_fignums():
            pictures.append(_draw(plt.figure(number), len(pictures) + 1, page, config, files))
            lines += ["", pictures[-1]]
        plt.close("all")
        return "\n".join(lines)

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), plt.rc_context():
        markdown = re.sub(r"```python\n(.*?)```", run, markdown, flags=re.DOTALL)
    return _place(markdown, pictures)


def _draw(figure, number, page, config, files):
    """Add a figure to the files of the site; return the Markdown that shows it."""
    content = io.BytesIO()
    figure.savefig(content, dpi=2 * DPI)
    stem = page.file.src_uri.removesuffix(".md").replace("/", "-")
    name = f"drawn/{stem}-{number}.png"
    files.append(File.generated(config, name, content=content.getvalue()))
    titles = [ax.get_title() or ax.get_title("left") for ax in figure.axes]
    title = html.escape(" ".join(next(filter(None, titles), "picture").split()))
    width = round(figure.get_figwidth() * DPI)
    link = posixpath.relpath(name, posixpath.dirname(page.file.src_uri))
    return f'![{title}]({link}){{ width="{width}" }}'


def _place(markdown, pictures):
    """Move the pictures to where the page asks for them, if it does."""
    for number, picture in enumerate(pictures, 1):
        place = f"<!-- picture {number} -->"
        if place in markdown:
            markdown = markdown.replace(f"\n\n{picture}", "").replace(f"\n{picture}", "")
            markdown = markdown.replace(place, picture)
    return markdown
