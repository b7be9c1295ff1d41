"""Write the description of each page, and the picture that a link to it shows elsewhere."""

from __future__ import annotations

import ast
import io
import re
import textwrap
from pathlib import Path

import matplotlib
from mkdocs.structure.files import File
from PIL import Image, ImageDraw, ImageFont

import kerasviz

ROOT = Path(__file__).parents[2]
CARD = (1200, 630)
"""Width and height of the picture, as sites that show links ask for."""
MAX_DESCRIPTION = 160
"""Characters that search engines show."""
GROUND, INK, ACCENT = "#ffffff", "#1e2129", "#4051b5"


def on_config(config):
    """Say at the foot of each page which version it is about."""
    config.copyright = f"kerasviz {kerasviz.__version__}, MIT licence"
    return config


def on_page_markdown(markdown, page, config, files):
    """Set the description and the card of a page, where the page does not say them."""
    source = page.file.src_uri
    is_example = source.startswith("gallery/plot_")
    if is_example:
        page.meta.setdefault("description", _of_example(page.file.name))
    elif source == "gallery/index.md":
        page.meta["description"] = (
            "A gallery of questions about Keras networks, each answered by a picture, a guide to "
            "reading it, and code to copy or download as a notebook."
        )
    name = page.file.name if is_example else "site"
    page.meta["social_card"] = f"social/{name}.png"
    if config.site_url and files.get_file_from_path(page.meta["social_card"]) is None:
        title = re.search(r"^# (.*)$", markdown, re.MULTILINE)[1] if is_example else ABOUT
        content = _card(title, _picture(config, name))
        files.append(File.generated(config, page.meta["social_card"], content=content))
    return markdown


ABOUT = "See inside a Keras model"


def _of_example(name):
    """Return the title and the first sentences of an example, in the length of a description."""
    tree = ast.parse((ROOT / f"examples/{name}.py").read_text(encoding="utf-8"))
    title, _, text = ast.get_docstring(tree).partition("\n")
    return shorten(f"{title.removeprefix('# ')} {plain(text)}")


def plain(markdown):
    """Return Markdown as one line of plain text."""
    text = re.sub(r"```.*", "", markdown, flags=re.DOTALL)
    text = re.sub(r"\[([^\]]*)\](\([^)]*\)|\[[^\]]*\])", r"\1", text)
    return " ".join(re.sub(r"[`*]", "", text).replace('"', "'").split())


def shorten(text):
    """Return as many whole words as a description holds."""
    return textwrap.shorten(text, MAX_DESCRIPTION, placeholder=" …")


def _picture(config, name):
    """Return the picture on a card: that of the example, or that of the start page."""
    card = "plot_face" if name == "site" else name
    return Path(config.docs_dir, "gallery/images/cards", f"{card}.png")


def _card(title, picture):
    """Return a PNG with a title at the left and a picture at the right."""
    fonts = Path(matplotlib.get_data_path(), "fonts/ttf")
    image = Image.new("RGB", CARD, GROUND)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, CARD[0], 14), fill=ACCENT)
    draw.text((60, 70), "kerasviz", ACCENT, ImageFont.truetype(fonts / "DejaVuSans-Bold.ttf", 44))
    font = ImageFont.truetype(fonts / "DejaVuSans.ttf", 48)
    draw.multiline_text((60, 180), "\n".join(textwrap.wrap(title, 18)), INK, font, spacing=14)
    with Image.open(picture) as part:
        part.thumbnail((560, 500))
        image.paste(part.convert("RGB"), (CARD[0] - 40 - part.width, (CARD[1] - part.height) // 2))
    content = io.BytesIO()
    image.save(content, "png", optimize=True)
    return content.getvalue()
