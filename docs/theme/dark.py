"""Draw each picture on a light and on a dark ground; the page shows the one that suits it."""

from __future__ import annotations

import ast
import contextlib
import io
import re
from pathlib import Path
from urllib.parse import urljoin

import matplotlib.pyplot as plt
from mkdocs_gallery import scrapers
from PIL import Image

GROUND = "#1e2129"
"""The ground of a page in the dark."""
STYLE = {f"{part}.facecolor": GROUND for part in ("figure", "axes", "savefig")}
DRAWS = re.compile(r"\b(plot|compare)_\w+\(|\bplt\.\w+\(")
DPI = 200
_light = scrapers.matplotlib_scraper


def drawing_statements(code):
    """Return the statements that draw, and those that use what these made: not the training."""
    names, chosen = set(), []
    for statement in ast.parse(code).body:
        nodes = list(ast.walk(statement))
        loads = {x.id for x in nodes if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Load)}
        text = ast.unparse(statement)
        is_training = ".fit(" in text and "plt." not in text
        if is_training or not (DRAWS.search(text) or loads & names):
            continue
        chosen.append(statement)
        names |= {x.id for x in nodes if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Store)}
    return compile(ast.Module(chosen, []), "<drawn in the dark>", "exec")


@contextlib.contextmanager
def drawn_in_the_dark(code, names):
    """Run the part of some code that draws, and yield its figures on a dark ground."""
    plt.close("all")
    with plt.style.context(["dark_background", STYLE]), contextlib.redirect_stdout(io.StringIO()):
        exec(drawing_statements(code), dict(names))
        yield [plt.figure(number) for number in plt.get_fignums()]
    plt.close("all")


class _TwoPlayers:
    """The last value of some code, an animation, and the same on a dark ground."""

    def __init__(self, animation, code, names):
        last = ast.Expression(ast.parse(code).body[-1].value)
        with plt.style.context(["dark_background", STYLE]):
            dark = eval(compile(last, "<animated in the dark>", "eval"), dict(names))
            self._players = {"light": animation._repr_html_(), "dark": dark._repr_html_()}

    def _repr_html_(self):
        return "".join(f'<div class="on-{key}">{html}</div>' for key, html in self._players.items())


def _scrape_twice(block, script, **options):
    """Save the figures of a block as mkdocs-gallery does, and once more on a dark ground."""
    names = script.run_vars.example_globals
    if "animate_snapshots(" in block[1]:
        names["___"] = _TwoPlayers(names["___"], block[1], names)
    first = len(script.run_vars.image_path_iterator)
    figures = len(plt.get_fignums())
    markdown = _light(block, script, **options)
    if figures:
        paths = script.run_vars.image_path_iterator.paths[first:]
        with drawn_in_the_dark(block[1], names) as dark:
            assert len(dark) == figures, f"{script.src_py_file}: {len(dark)} of {figures} figures"
            for path, figure in zip(paths, dark, strict=True):
                figure.savefig(_dark_name(str(path)), dpi=DPI)
    return markdown


scrapers._scraper_dict["matplotlib"] = _scrape_twice


def _dark_name(name):
    """Return the name of the dark picture that belongs to a light one of the gallery."""
    return re.sub(r"(_2_0x)?\.png$", "_2_0x_dark.png", name)


def on_page_content(content, page, config, **_):
    """Put the dark picture beside each one of the gallery, in the size of a screen."""

    def pair(match):
        source = re.sub(r"(_2_0x)?\.png$", "_2_0x.png", match[1])
        place = urljoin(f"/{page.url}", source).lstrip("/")
        path = Path(config.docs_dir, place)
        with Image.open(path) as image:
            width, height = image.width // 2, image.height // 2
        alt = re.search(r'alt="([^"]*)"', match[0])
        return picture_pair(source, _dark_name(source), alt[1] if alt else "", (width, height))

    return re.sub(r'<img [^>]*src="([^"]*mkd_glr_plot_\w+\.png)"[^>]*>', pair, content)


def picture_pair(light, dark, alt, size):
    """Return the HTML of a picture that is there for light pages and for dark ones."""
    width, height = size
    return "".join(
        f'<img alt="{alt}" src="{source}#only-{scheme}" width="{width}" height="{height}" '
        'loading="lazy">'
        for source, scheme in ((light, "light"), (dark, "dark"))
    )
