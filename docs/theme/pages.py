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
from dark import drawn_in_the_dark, picture_pair
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
        for picture in _draw_twice(match[1], names, page, config, files):
            pictures.append(picture)
            lines += ["", picture]
        return "\n".join(lines)

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), plt.rc_context():
        markdown = re.sub(r"```python\n(.*?)```", run, markdown, flags=re.DOTALL)
    return _place(markdown, pictures)


def _draw_twice(code, names, page, config, files):
    """Return the HTML of each open figure, and of the same on a dark ground."""
    figures = [plt.figure(number) for number in plt.get_fignums()]
    lights = [_add(figure, page, config, files) for figure in figures]
    if not figures:
        return []
    with drawn_in_the_dark(code, names) as dark:
        assert len(dark) == len(figures), f"{page.file.src_uri}: {len(dark)} of {len(figures)}"
        darks = [
            _add(figure, page, config, files, light)
            for figure, light in zip(dark, lights, strict=True)
        ]
    return [
        picture_pair(_link(light, page), _link(dark, page), _title(figure), _size(figure))
        for figure, light, dark in zip(figures, lights, darks, strict=True)
    ]


def _add(figure, page, config, files, light=None):
    """Add a figure to the files of the site, as the dark one of `light` if there is one."""
    content = io.BytesIO()
    figure.savefig(content, dpi=2 * DPI)
    stem = page.file.src_uri.removesuffix(".md").replace("/", "-")
    others = [name for name in files.src_uris if re.fullmatch(rf"drawn/{stem}-\d+\.png", name)]
    number = len(others) + 1
    name = light.replace(".png", "-dark.png") if light else f"drawn/{stem}-{number}.png"
    files.append(File.generated(config, name, content=content.getvalue()))
    return name


def _link(name, page):
    """Return the address of a file of the site, as HTML on a page has to name it."""
    return posixpath.relpath(name, page.url or ".")


def _title(figure):
    """Return the first title in a figure, as an attribute in HTML."""
    titles = [ax.get_title() or ax.get_title("left") for ax in figure.axes]
    return html.escape(" ".join(next(filter(None, titles), "picture").split()))


def _size(figure):
    """Return the width and height of a figure in the pixels of a page."""
    return tuple(round(inches * DPI) for inches in figure.get_size_inches())


def _place(markdown, pictures):
    """Move the pictures to where the page asks for them, if it does."""
    for number, picture in enumerate(pictures, 1):
        place = f"<!-- picture {number} -->"
        if place in markdown:
            markdown = markdown.replace(f"\n\n{picture}", "").replace(f"\n{picture}", "")
            markdown = markdown.replace(place, picture)
    return markdown
