"""Runs the Python of each page and example, and puts below a block what it prints and draws."""

from __future__ import annotations

import contextlib
import html
import io
import posixpath
import re
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
from ahead import start
from dark import drawn_in_the_dark, picture_pair
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File

DPI = 100
"""Dots per inch; the file has twice that number, for screens that show them."""
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
_started = {}
"""Futures of what blocks of code print and draw, by these blocks."""


@event_priority(100)  # before mkdocs-gallery, which finds the pages of its examples made
def on_pre_build(config):
    """Run the examples of the gallery, and meanwhile the code of the pages."""
    Path(config.docs_dir, "gallery/images/thumb").mkdir(parents=True, exist_ok=True)
    paths = sorted(Path(config.config_file_path).parent.glob("examples/plot_*.py"))
    examples = [start("gallery", "run_example", config.config_file_path, x.stem) for x in paths]
    for path in sorted(Path(config.docs_dir).rglob("*.md")):
        if path.relative_to(config.docs_dir).parts[0] not in ("gallery", "theme"):
            _outputs(path.read_text(encoding="utf-8"))
    for example in examples:
        example.result()


def on_files(files, **_):
    """Run the code of the pages that the hooks before this one have made."""
    for file in files.documentation_pages():
        if not file.src_uri.startswith("gallery/"):
            _outputs(file.content_string)
    return files


def _outputs(markdown):
    """Let another process run the blocks of a page, and return the future of what they give."""
    blocks = tuple(BLOCK.findall(markdown))
    if blocks and blocks not in _started:
        _started[blocks] = start("pages", "run_blocks", blocks)
    return _started.get(blocks)


def run_blocks(blocks):
    """Run blocks of code in their order, as one program in a folder of its own.

    Returns:
        What each block prints, and what it draws: pairs of PNG files, for light and for dark pages,
        with title and size.
    """
    import keras

    keras.utils.clear_session()
    names = {}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), plt.rc_context():
        return [_run(block, names) for block in blocks]


def _run(block, names):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(block, names)
    return _as_seen(printed.getvalue()), _draw_twice(block, names)


def _as_seen(text):
    """Return what a terminal shows: no codes of colours, and of a progress bar its last state."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return "\n".join(re.split(r"[\b\r]+", line)[-1].rstrip() for line in plain.split("\n"))


def _draw_twice(code, names):
    """Return each open figure, and the same on a dark ground."""
    figures = [plt.figure(number) for number in plt.get_fignums()]
    lights = [_png(figure) for figure in figures]
    if not figures:
        return []
    with drawn_in_the_dark(code, names) as dark:
        assert len(dark) == len(figures), f"{len(dark)} of {len(figures)} figures: {code}"
        darks = [_png(figure) for figure in dark]
    titles, sizes = map(_title, figures), map(_size, figures)
    return list(zip(lights, darks, titles, sizes, strict=True))


def _png(figure):
    content = io.BytesIO()
    figure.savefig(content, dpi=2 * DPI)
    return content.getvalue()


def on_page_markdown(markdown, page, config, files):
    """Put below each block of code what it prints and draws."""
    if "```python\n" not in markdown or page.file.src_uri.startswith("gallery/"):
        return markdown
    outputs, pictures = iter(_outputs(markdown).result()), []

    def add(match):
        printed, drawn = next(outputs)
        lines = [match[0]]
        if printed:
            lines += ["", f'``` {{ .text .output title="Output" }}\n{printed.rstrip()}\n```']
        for light, dark, title, size in drawn:
            name = _add(light, page, config, files)
            dark_name = _add(dark, page, config, files, name)
            pictures.append(picture_pair(_link(name, page), _link(dark_name, page), title, size))
            lines += ["", pictures[-1]]
        return "\n".join(lines)

    return _place(BLOCK.sub(add, markdown), pictures)


def _add(content, page, config, files, light=None):
    """Add a picture to the files of the site, as the dark one of `light` if there is one."""
    stem = page.file.src_uri.removesuffix(".md").replace("/", "-")
    others = [name for name in files.src_uris if re.fullmatch(rf"drawn/{stem}-\d+\.png", name)]
    number = len(others) + 1
    name = light.replace(".png", "-dark.png") if light else f"drawn/{stem}-{number}.png"
    files.append(File.generated(config, name, content=content))
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
