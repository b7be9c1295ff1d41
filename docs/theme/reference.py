"""Makes a page for each public name, with its picture and the pages of the gallery that use it."""

from __future__ import annotations

import doctest
import html
import inspect
import operator
import re
from pathlib import Path

from dark import picture_pair
from head import plain, shorten
from mkdocs.structure.files import File

import kerasviz

ROOT = Path(__file__).parents[2]
WITHOUT_MEMBERS = {
    *("FeatureMapSnapshots", "FilterSnapshots", "KernelSnapshots", "Snapshots"),
    *("TileOptions", "WeightStatistics"),
}
DRAWS = ("plot_", "compare_")
SHOWN_BY = {
    "plot_dark_maps": ["TileOptions"],
    "plot_dead_filters": ["FilterSnapshots", "WeightStatistics"],
    "plot_first_layer": ["get_kernels"],
    "plot_frozen_network": ["LayerRef", "feature_map_model", "find_layers"],
    "plot_how_far_a_unit_sees": ["ReceptiveField"],
    "plot_images_against_maps": ["FeatureMapSnapshots", "get_feature_maps"],
    "plot_is_the_map_true": ["Attributions", "Evidence", "EvidenceCurve"],
    "plot_kernels_over_epochs": ["callbacks.log_to_mlflow", "callbacks.log_to_wandb"],
    "plot_own_figure": ["Panel", "Plot"],
    "plot_preferred_inputs": ["PreferredInputs", "get_preferred_inputs"],
    "plot_trained_against_untrained": ["KernelStatistics", "LayerStatistics", "kernel_statistics"],
    "plot_what_filters_look_for": ["FilterStatistics", "filter_statistics"],
}
"""Pages of the gallery, and the names that have their picture because they draw none themselves.
Every other name that draws none has that of the first page that calls it."""
CARD_SIZE = (320, 200)
ON_THE_PAGE = ("explore", "report")


def groups():
    """Return the names in each table of the reference, by the heading above it."""
    text = (ROOT / "docs/reference/index.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (.*)$", text, flags=re.MULTILINE)[1:]
    tables = zip(parts[::2], parts[1::2], strict=True)
    names = {title: re.findall(r"\[kerasviz\.([\w.]+)\]", table) for title, table in tables}
    return {
        title: list(dict.fromkeys(found)) for title, found in names.items() if "](" not in title
    }


def path_of(name):
    """Return where the page of a name is, which may be in a package: `callbacks.log_to_mlflow`."""
    return f"reference/{name.rpartition('.')[2]}.md"


def examples_with(name):
    """Return the gallery's pages that call a name, and the question of each."""
    found = {}
    for path in sorted((ROOT / "examples").glob("plot_*.py")):
        text = path.read_text(encoding="utf-8")
        if re.search(rf"\bkerasviz\.{name}\(", text):
            found[path.stem] = question_of(path.stem)
    return found


def names_in(example):
    """Return the public names that an example calls, in their order."""
    text = (ROOT / f"examples/{example}.py").read_text(encoding="utf-8")
    called = re.findall(r"\bkerasviz\.(\w+)\(", text)
    return [name for name in dict.fromkeys(called) if name in kerasviz.__all__]


def on_config(config):
    """Add the pages to the navigation, below the overview."""
    (entry,) = (entry for entry in config.nav if "Reference" in entry)
    pages = {title: [path_of(name) for name in names] for title, names in groups().items()}
    first, *rest = entry["Reference"]
    entry["Reference"] = [first, *({title: names} for title, names in pages.items()), *rest]
    return config


def on_files(files, config):
    """Add a page for each name."""
    for names in groups().values():
        for name in names:
            files.append(File.generated(config, path_of(name), content=_page(name)))
    return files


def _page(name):
    """Return the page of a name: its docstring, its picture, and where the gallery uses it."""
    value = operator.attrgetter(name)(kerasviz)
    summary = plain(inspect.getdoc(value).partition("\n\n")[0])
    kind = "class" if isinstance(value, type) else "function"
    lines = [
        "---",
        f"title: {name}",
        f'description: "{shorten(f"The {kind} kerasviz.{name} with all its keywords. {summary}")}"',
        "---",
        "",
        f"::: kerasviz.{name}",
        "    options:",
        "      heading_level: 1",
    ]
    if name in WITHOUT_MEMBERS:
        lines += ["      members: []"]
    if name.startswith(DRAWS):
        examples = doctest.DocTestParser().get_examples(inspect.getdoc(value))
        code = "".join(example.source for example in examples)
        lines += ["", "<!--", "```python", code.rstrip(), "```", "-->"]
        lines += ["", '<div class="drawn" markdown>', "", "<!-- picture 1 -->", "", "</div>"]
    else:
        lines += ["", f'<div class="drawn">{_picture_of(name)}</div>']
    pages = examples_with(name)
    if pages:
        lines += ["", "## In the gallery", ""]
        lines += [f"- [{question}](../gallery/{page}.md)" for page, question in pages.items()]
    return "\n".join([*lines, ""])


def _picture_of(name):
    """Return a picture as HTML for a name that draws none: of the report, or a gallery card."""
    if name in ON_THE_PAGE:
        alt = "A page about a model: its layers, feature maps and what its filters respond to"
        light, dark = "../../images/report.png", "../../images/report_dark.png"
        return f'<a href="../../report.html">{picture_pair(light, dark, alt, (550, 480))}</a>'
    shown_by = [example for example, names in SHOWN_BY.items() if name in names]
    example = [*shown_by, *examples_with(name)][0]
    question = html.escape(question_of(example))
    card = f"../../gallery/images/cards/{example}"
    pictures = picture_pair(f"{card}.png", f"{card}_dark.png", question, CARD_SIZE)
    link = f'<a href="../../gallery/{example}/">'
    return f"{link}{pictures}</a><p>From the gallery: {link}{question}</a></p>"


def question_of(example):
    """Return the title of a page of the gallery."""
    text = (ROOT / f"examples/{example}.py").read_text(encoding="utf-8")
    return re.search(r'^"""# (.*)$', text, re.MULTILINE)[1]


def on_page_content(content, **_):
    """Move the picture of a function to the top, between its signature and its text."""
    name = r'(?<=<span class="doc doc-object-name doc-function-name">)\w+'
    content = re.sub(name, lambda match: match[0].replace("_", "_<wbr>"), content)
    drawn = re.search(r'<div class="drawn">.*?</div>', content, re.DOTALL)
    if not drawn:
        return content
    start = '<div class="doc doc-contents'
    return content.replace(drawn[0], "").replace(start, f"{drawn[0]}{start}", 1)
