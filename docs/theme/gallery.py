"""The gallery in the order of mkdocs.yml, with cards for pictures and without its maker's marks."""

from __future__ import annotations

import copy
import functools
import html
import logging
import re
import warnings
from pathlib import Path

import head
import reference
from dark import GROUND, picture_pair
from mkdocs.config import load_config
from mkdocs_gallery import scrapers
from mkdocs_gallery.gen_data_model import AllInformation
from mkdocs_gallery.gen_single import generate_file_md
from PIL import Image, ImageOps

CARD = (640, 400)
"""Width and height of a card's picture, twice as many pixels as are shown."""
CARD_SIZE = (320, 200)
CARDS = {
    "plot_first_layer": (1, 0, 6.7, 47.5, 36.4),
    "plot_deep_kernels": (4, 21, 7.5, 93, 52),
    "plot_trained_against_untrained": (2, 0, 9.7, 58, 36),
    "plot_kernel_histograms": (3, 0, 9, 80, 59),
    "plot_maps_over_the_image": (2, 0, 7, 94, 68),
    "plot_images_against_maps": (1, 11.5, 6.3, 84, 51.5),
    "plot_dark_maps": (2, 23, 8, 93, 52),
    "plot_dead_filters": (2, 37.5, 5.5, 89, 37.5),
    "plot_signals": (1, 0, 7, 100, 80),
    "plot_what_the_output_says": (1, 0, 7.8, 100, 70.3),
    "plot_face": (1, 0, 9.8, 59, 31.8),
    "plot_why_this_class": (1, 0, 9, 66, 48.3),
    "plot_why_not_that_class": (1, 0, 9, 66, 50),
    "plot_is_the_map_true": (1, 33, 9, 100, 51),
    "plot_where_two_models_look": (1, 19, 10, 59, 34),
    "plot_mistakes": (1, 0, 3.5, 50, 34),
    "plot_what_filters_look_for": (1, 9.5, 6.4, 49.5, 31.4),
    "plot_silent_and_double_filters": (1, 0, 16, 48, 46),
    "plot_alike_filters_and_layers": (1, 7, 8, 85, 56.8),
    "plot_preferred_inputs": (2, 0, 11, 50, 42.3),
    "plot_how_far_a_unit_sees": (1, 0, 6.4, 56, 41.4),
    "plot_hand_made_filters": (2, 29, 5, 85, 40),
    "plot_convolution_step": (1, 0, 4, 60, 33),
    "plot_animated_convolution": (1, 38, 4, 99, 33.2),
    "plot_stride_and_padding": (5, 0, 4.5, 60, 34),
    "plot_training_history": (1, 0, 7, 50, 33.8),
    "plot_kernels_over_epochs": (1, 50, 47.5, 94, 75),
    "plot_training_statistics": (1, 0, 78.5, 50, 109),
    "plot_architecture": (3, 0, 5, 85, 58),
    "plot_frozen_network": (2, 50, 5.5, 94, 33),
    "plot_siamese": (1, 0, 5.4, 41, 25),
    "plot_own_figure": (1, 33, 2.5, 66.5, 24),
    "plot_many_images": (2, 6.5, 7.3, 81, 54),
}
"""The part of a picture that is on an example's card: which picture; left, top, right and bottom in
hundredths of the picture's width."""
_given: list = []
_reset = scrapers._reset_dict["matplotlib"]


def _start_example(gallery_conf, file):
    """Name layers from the start, as in a program of its own, and reset Matplotlib."""
    import keras  # here, because only a build that runs examples has to wait for it

    keras.utils.clear_session()
    _reset(gallery_conf, file)


scrapers._reset_dict["matplotlib"] = _start_example


def on_config(config):
    """Keep the navigation before the gallery puts its own order into it."""
    # Keras's own variables with NumPy 2; mkdocs-gallery would print it on the page.
    warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
    # That a font of another environment is gone, which Matplotlib still has in its list.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    _given[:] = copy.deepcopy(config.nav)
    return config


def run_example(config_path, name):
    """Run an example as mkdocs-gallery does, which writes its page and its pictures.

    In a process of its own: mkdocs-gallery then finds that nothing has changed since.
    """
    config = _started_config(config_path)
    everything = AllInformation.from_cfg(config.plugins["gallery"].config, config)
    everything.collect_script_files()
    (gallery,) = everything.galleries
    (script,) = (script for script in gallery.scripts if script.script_stem == name)
    generate_file_md(script)


@functools.cache
def _started_config(path):
    config = load_config(path)
    config.plugins.on_startup(command="build", dirty=False)
    return config.plugins.on_config(config)


def on_pre_build(config):
    """Restore the navigation, and cut the cards from the pictures."""
    config.nav = copy.deepcopy(_given)
    images = Path(config.docs_dir, "gallery", "images")
    (images / "cards").mkdir(exist_ok=True)
    for group in _groups():
        for name in group[1]:
            for end in ("", "_dark"):
                card = _card(images, name, end)
                card.save(images / "cards" / f"{name}{end}.png", optimize=True)


def on_page_markdown(markdown, page, files, **_):
    """Rewrite the pages that were made from examples."""
    source = page.file.src_uri
    if source == "gallery/index.md":
        page.meta["hide"] = ["toc"]
        return _front_page(markdown, files)
    if source.startswith("gallery/plot_"):
        page.meta["hide"] = ["toc"]
        return _example(markdown, page.file.name)
    return markdown


def _groups():
    """Return the groups of the gallery in mkdocs.yml, a title and the names of examples each."""
    (entries,) = (entry["Gallery"] for entry in _given if "Gallery" in entry)
    return [
        (title, [Path(page).stem for page in pages])
        for group in entries
        if isinstance(group, dict)
        for title, pages in group.items()
    ]


def _card(images, name, end):
    number, *box = CARDS[name]
    ground = GROUND if end else "white"
    with Image.open(images / f"mkd_glr_{name}_{number:03d}_2_0x{end}.png") as file:
        picture = Image.new("RGB", file.size, ground)
        picture.paste(file, mask=file.getchannel("A") if file.mode == "RGBA" else None)
    left, top, right, bottom = (round(edge * picture.width / 100) for edge in box)
    part = picture.crop((left, top, right, min(bottom, picture.height)))
    return ImageOps.pad(part, CARD, Image.Resampling.LANCZOS, color=ground)


def _front_page(markdown, files):
    """Return the introduction, and a card for each example in its group."""
    lines = [markdown.partition("<div")[0].strip()]
    for title, names in _groups():
        lines += ["", f"## {title}", "", '<div class="cards" markdown>', ""]
        for name in names:
            source = files.get_file_from_path(f"gallery/{name}.md").abs_src_path
            title, text = _opening(Path(source).read_text("utf-8"))
            pictures = picture_pair(
                f"images/cards/{name}.png", f"images/cards/{name}_dark.png", "", CARD_SIZE
            )
            lines += [
                f'<a class="card" href="{name}/"><span class="picture">{pictures}'
                f'<span class="caption">{html.escape(text)}</span></span>{html.escape(title)}</a>',
                "",
            ]
        lines += ["</div>"]
    zips = ("Python files", "gallery_python.zip"), ("Notebooks", "gallery_jupyter.zip")
    buttons = [f"[{text} of all pages]({path}){{ .md-button }}" for text, path in zips]
    return "\n".join([*lines, "", "## Download", "", *buttons, ""])


def _opening(markdown):
    """Return the question of an example, and the first sentence below it."""
    title = re.search(r"^# (.*)$", markdown, re.MULTILINE)
    text = head.plain(markdown[title.end() :].strip().partition("\n\n")[0])
    return title[1], re.split(r"(?<=[.?]) ", text)[0]


def _example(markdown, name):
    """Return the page of an example as it would be written by hand."""
    markdown = re.sub(r"\A.*?^(?=# )", "", markdown, flags=re.DOTALL | re.MULTILINE)
    markdown = re.sub(r"<!-- GENERATED FROM .*? -->\n", "", markdown)
    markdown = markdown.replace("```{.python }\n\n", "```{.python }\n")
    markdown = re.sub(
        r"Out:\n\{: \.mkd-glr-script-out \}\n\n```\{\.shell \.mkd-glr-script-out-disp \}\n\n?",
        '```{ .text .output title="Output" }\n',
        markdown,
    )
    body, _, downloads = markdown.partition('<div id="download_links"></div>')
    python, notebook = re.findall(r"\]\(\./(plot_\w+\.(?:py|ipynb))\)", downloads)
    links = " · ".join(f"[`{x}`][kerasviz.{x}]" for x in reference.names_in(name))
    functions = f"## In the reference\n\n{links}\n\n" if links else ""
    return (
        f"{body.rstrip()}\n\n{functions}## Download {'{'} #download {'}'}\n\n"
        f"[Python file]({python}){{ .md-button }}\n[Notebook]({notebook}){{ .md-button }}\n"
    )
