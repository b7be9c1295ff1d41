"""The built site in a browser: everything loads, leads somewhere and can be read."""

from __future__ import annotations

import html
import inspect
import re
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

import kerasviz

pytestmark = pytest.mark.site
ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("plot_*.py"))
CONTRAST = 4.5
"""Of text to its ground, as WCAG 2 asks for."""
SMALLEST_TEXT = 14
"""In CSS pixels."""


def bad_pictures(visit: Any, _: Any = None) -> Iterator[str]:
    """Name pictures that did not load, have no description, or are larger than they are sharp."""
    for image in visit.seen["images"]:
        if not image["loaded"]:
            yield f"{image['source']} did not load"
        elif not image["described"]:
            yield f"{image['source']} has no `alt`"
        elif image["enlarged"] > 1.01 and ".svg" not in image["source"]:
            yield f"{image['source']} is enlarged {image['enlarged']:.2f} times"


def bad_links(visit: Any, site: Path) -> Iterator[str]:
    """Name links to pages, files or anchors of the site that are not there."""
    for link in dict.fromkeys(visit.seen["links"]):
        parts = urlsplit(link)
        if parts.hostname != "127.0.0.1":
            continue
        target = site / unquote(parts.path).lstrip("/")
        target = target / "index.html" if target.is_dir() else target
        if not target.is_file():
            yield f"{link} is not there"
        elif parts.fragment and unquote(parts.fragment) not in anchors(target):
            yield f"{link} has no such anchor"


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page."""
    if path not in _anchors:
        found = re.findall(r'\s(?:id|name)="?([^"\s>]+)', path.read_text(encoding="utf-8"))
        _anchors[path] = set(found)
    return _anchors[path]


_anchors: dict[Path, set[str]] = {}


def troubles(visit: Any, _: Any = None) -> Iterator[str]:
    """Name errors in the console, and requests that failed or went to another host."""
    yield from visit.troubles


def misfits(visit: Any, _: Any = None) -> Iterator[str]:
    """Name what makes the page wider than the screen, or is cut off by its edge."""
    width = {"desk": 1280, "phone": 360}[visit.view]
    if visit.seen["width"] > width:
        yield f"the page is {visit.seen['width']} pixels wide"
    for element in visit.seen["wide"]:
        yield f"beyond the screen: {element}"


def small_text(visit: Any, _: Any = None) -> Iterator[str]:
    """Name text that is too small."""
    for text in visit.seen["texts"]:
        if text["size"] < SMALLEST_TEXT - 0.05:
            yield f"{text['size']:.1f} pixels: {text['text']}"


def pale_text(visit: Any, _: Any = None) -> Iterator[str]:
    """Name text that hardly differs from its ground."""
    for text in visit.seen["texts"]:
        if text["contrast"] < CONTRAST:
            yield f"contrast {text['contrast']:.2f}: {text['text']}"


def pictures_on_dark(visit: Any, _: Any = None) -> Iterator[str]:
    """Name pictures whose transparent parts would show a dark page behind black text."""
    for image in visit.seen["images"]:
        if not image["visible"] or image["isForDark"] or image["source"].endswith(".svg"):
            continue
        if image["ground"] < 0.8:
            yield f"{image['source']} stands on something dark"


def uncopyable(visit: Any, _: Any = None) -> Iterator[str]:
    """Say whether some code has no button that copies it."""
    if visit.seen["code"] != visit.seen["copyable"]:
        yield f"{visit.seen['code']} blocks of code, {visit.seen['copyable']} buttons"


def leftovers(visit: Any, _: Any = None) -> Iterator[str]:
    """Name what the tools that make the pages write for themselves."""
    marks = ("running time", "memory usage", "mkdocs-gallery", "site-packages", "Traceback")
    for mark in (*marks, "findfont", "# doctest", "\x1b", "\b"):
        if mark in visit.seen["text"]:
            yield f"{mark!r} is on the page"


CHECKS = [
    bad_pictures,
    bad_links,
    troubles,
    misfits,
    small_text,
    pale_text,
    pictures_on_dark,
    uncopyable,
    leftovers,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_no_page_has(check: Callable[[Any, Path], Iterator[str]], visits: list, site: Path) -> None:
    faults = [
        f"{visit.address or 'home'} ({visit.view}): {fault}"
        for visit in visits
        for fault in check(visit, site)
    ]
    assert not faults, "\n".join(["", *faults])


def test_every_page_is_there(visits: list) -> None:
    opened = {visit.address for visit in visits if visit.seen["title"]}
    pages = [path.stem for path in (ROOT / "docs").glob("*.md")]
    for folder in ("reference", "tasks"):
        pages += [f"{folder}/{path.stem}" for path in (ROOT / "docs" / folder).glob("*.md")]
    pages += ["changelog", "contributing"]
    modules = ("callbacks", "fashion_mnist")
    names = {*kerasviz.__all__, *kerasviz.callbacks.__all__}
    pages += [f"reference/{name}" for name in names if name not in modules]
    pages += ["gallery/index", *(f"gallery/{name}" for name in EXAMPLES)]
    assert {f"{page}/".removesuffix("index/") for page in pages} == opened


def heads(site: Path, addresses: list[str], pattern: str) -> dict[str, str]:
    """Return what an expression finds in each page, by its address."""
    texts = {
        address: (site / address / "index.html").read_text(encoding="utf-8")
        for address in addresses
    }
    return {address: "".join(re.findall(pattern, text)) for address, text in texts.items()}


@pytest.mark.parametrize(
    "pattern",
    [
        '<meta name="description" content="([^"]+)">',
        '<meta property="og:description" content="([^"]+)">',
        "<title>([^<]+)</title>",
    ],
)
def test_each_page_has_its_own_words_for_those_who_search(
    site: Path, addresses: list[str], pattern: str
) -> None:
    texts = heads(site, addresses, pattern)
    assert [address for address, text in texts.items() if len(text) < 12] == []
    assert [address for address, text in texts.items() if len(text) > 190] == []
    counts = Counter(texts.values())
    assert [address for address, text in texts.items() if counts[text] > 1] == []


AXE = Path(__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js"
KINDS = ["", "gallery/", "gallery/plot_mistakes/", "reference/plot_filters/", "coming-from/"]


@pytest.mark.parametrize("view", ["desk", "phone"])
def test_a_page_of_each_kind_is_accessible(view: str, site: Path, serve, open_tab) -> None:
    if not AXE.exists():
        pytest.fail("axe-core is missing: run frontend/build first")
    tab = open_tab(serve(site), view)
    for address in KINDS:
        tab.visit(address)
        tab.page.evaluate(AXE.read_text(encoding="utf-8"))
        serious = [
            (violation["id"], [node["html"][:120] for node in violation["nodes"]])
            for violation in tab.page.evaluate("axe.run()")["violations"]
            if violation["impact"] in ("serious", "critical")
        ]
        assert not serious, address


def test_the_report_of_the_start_page_opens(site: Path, serve, open_tab) -> None:
    tab = open_tab(serve(site), "desk")
    tab.page.goto(tab.root)
    tab.page.get_by_role("link", name="Open a live report").click()
    tab.page.locator("[data-address=conv2d]").first.wait_for()
    assert tab.page.url.endswith("report.html")


def test_every_example_can_be_downloaded(site: Path) -> None:
    import nbformat

    for name in EXAMPLES:
        source = (ROOT / f"examples/{name}.py").read_text(encoding="utf-8")
        assert (site / f"gallery/{name}.py").read_text(encoding="utf-8") == source
        notebook = nbformat.read(site / f"gallery/{name}.ipynb", as_version=4)
        nbformat.validate(notebook)
        cells = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
        calls = re.findall(r"^\w[\w.]*\(.*", source, flags=re.MULTILINE)
        assert [call for call in calls if call not in cells] == []
        page = (site / f"gallery/{name}/index.html").read_text(encoding="utf-8")
        assert all(f'href="../{name}{suffix}"' in page for suffix in (".py", ".ipynb"))
    for kind, suffix in (("python", ".py"), ("jupyter", ".ipynb")):
        with zipfile.ZipFile(site / f"gallery/gallery_{kind}.zip") as file:
            assert {Path(name).name for name in file.namelist()} == {
                name + suffix for name in EXAMPLES
            }


def test_a_search_finds_a_function(site: Path, serve, open_tab) -> None:
    page = open_tab(serve(site), "desk").page
    page.goto(serve(site))
    page.locator("[data-md-component=search-query]").first.click()
    page.keyboard.type("plot_kernels")
    first = page.locator(".md-search-result__item a").first
    first.wait_for(timeout=15_000)
    assert "reference/" in (first.get_attribute("href") or "")


def test_the_player_plays(site: Path, serve, open_tab) -> None:
    tab = open_tab(serve(site), "desk")
    tab.visit("gallery/plot_animated_convolution/")
    frame = tab.page.locator(".conv-input .conv-frame")
    before = frame.get_attribute("x")
    button = tab.page.get_by_title("Next frame")
    assert button.inner_text().strip()
    button.click()
    assert frame.get_attribute("x") != before


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", ["", "reading/", "gallery/", "gallery/plot_face/"])
def test_each_picture_is_drawn_for_light_and_for_dark_pages(
    site: Path, serve, browser: Any, address: str, scheme: str
) -> None:
    page = browser.new_page(color_scheme=scheme)
    page.goto(serve(site) + address)
    for other in ("light", "dark"):
        pictures = page.locator(f'.md-content img[src$="#only-{other}"]')
        assert pictures.count()
        visible = [picture.is_visible() for picture in pictures.all()]
        assert visible == [other == scheme] * len(visible)
    page.close()


def test_a_picture_can_be_enlarged_with_mouse_and_keys(site: Path, serve, open_tab) -> None:
    tab = open_tab(serve(site), "desk")
    tab.visit("gallery/plot_face/")
    picture = tab.page.locator('.md-content img[src$="#only-light"]').first
    small = picture.bounding_box()["width"]
    picture.click()
    large = tab.page.locator("dialog.enlarged img")
    large.wait_for()
    assert large.bounding_box()["width"] > small
    tab.page.keyboard.press("Escape")
    large.wait_for(state="detached")
    picture.focus()
    tab.page.keyboard.press("Enter")
    large.wait_for()
    large.click()
    large.wait_for(state="detached")


def test_an_enlarged_picture_is_larger_than_a_phone(site: Path, serve, open_tab) -> None:
    """Otherwise its words would be no more legible than on the page."""
    tab = open_tab(serve(site), "phone")
    tab.visit("gallery/plot_what_filters_look_for/")
    tab.page.locator(".md-content img.enlargeable:visible").first.click()
    large = tab.page.locator("dialog.enlarged img")
    large.wait_for()
    width = tab.page.evaluate("document.documentElement.clientWidth")
    assert large.bounding_box()["width"] > 2 * width
    assert tab.page.evaluate("document.querySelector('dialog').scrollWidth") > width


def test_numbers_have_the_names_of_their_columns_on_a_phone(site: Path, serve, open_tab) -> None:
    """There a row of a table is a list, and the names of columns would be far away."""
    tab = open_tab(serve(site), "phone")
    tab.visit("reliability/")
    cell = tab.page.locator("td", has_text="60,049")
    assert cell.get_attribute("data-column") == "read by a bar"
    words = "getComputedStyle(cell, '::before').content"
    assert cell.evaluate(f"(cell) => {words}") == '"read by a bar: "'
    table = cell.locator("xpath=ancestor::table")
    assert not table.locator("thead").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_animation_is_there_in_the_colours_of_the_page(
    scheme: str, site: Path, serve, open_tab
) -> None:
    view = {"light": "desk", "dark": "phone"}[scheme]
    tab = open_tab(serve(site), view)
    tab.visit("gallery/plot_kernels_over_epochs/")
    for name in ("light", "dark"):
        player = tab.page.locator(f".on-{name} .animation")
        assert player.is_visible() == (name == scheme)


def test_a_card_says_more_below_the_cursor(site: Path, serve, open_tab) -> None:
    tab = open_tab(serve(site), "desk")
    tab.visit("gallery/")
    cards = tab.page.locator("a.card")
    assert cards.count() == len(EXAMPLES)
    assert all(len(x) > 15 for x in tab.page.locator(".card .caption").all_text_contents())
    cards.first.hover()
    tab.page.wait_for_timeout(300)
    opacity = cards.first.locator(".caption").evaluate("x => getComputedStyle(x).opacity")
    assert float(opacity) > 0.9


def test_each_function_has_a_page_with_its_picture(site: Path) -> None:
    for name in kerasviz.__all__:
        if name in ("callbacks", "fashion_mnist"):
            continue
        page = (site / "reference" / name / "index.html").read_text(encoding="utf-8")
        assert f'id="kerasviz.{name}"' in page
        if name.startswith(("plot_", "compare_")):
            assert f'src="../../drawn/reference-{name}-1.png#only-light"' in page, name
        else:  # that of a page of the gallery, or of the report
            sources = re.findall(r'<div class="drawn">.*? src="../../([^"#]+\.png)', page)
            assert [(site / source).is_file() for source in sources] == [True], name


def test_gallery_and_reference_link_to_each_other(site: Path) -> None:
    links = {}
    for name in EXAMPLES:
        source = (ROOT / f"examples/{name}.py").read_text(encoding="utf-8")
        for called in set(re.findall(r"\bkerasviz\.(\w+)\(", source)):
            page = (site / f"gallery/{name}/index.html").read_text(encoding="utf-8")
            assert f'href="../../reference/{called}/#kerasviz.{called}"' in page, (name, called)
            page = (site / f"reference/{called}/index.html").read_text(encoding="utf-8")
            assert f'href="../../gallery/{name}/"' in page, (called, name)
            links[called] = name
    assert len(links) > 25


PAGE = "addresses/index.html"
END = "</article>"
DAMAGES = {
    "a picture that is not there": (bad_pictures, '<img src="nowhere.png" alt="">'),
    "a picture without a description": (bad_pictures, '<img src="../drawn/index-1.png">'),
    "a picture that is enlarged": (
        bad_pictures,
        '<img src="../drawn/index-1.png" alt="" style="max-width: none; width: 4000px">',
    ),
    "a link to a page that is not there": (bad_links, '<a href="../nowhere/">nowhere</a>'),
    "a link to an anchor that is not there": (bad_links, '<a href="../reading/#none">none</a>'),
    "an error in the console": (troubles, "<script>console.error('broken')</script>"),
    "an exception": (troubles, "<script>throw new Error('broken')</script>"),
    "a font of another host": (
        troubles,
        '<link rel="stylesheet" href="https://fonts.example/font.css">',
    ),
    "a wide block": (misfits, '<div style="width: 2000px">wide</div>'),
    "a table to be scrolled": (
        misfits,
        '<div style="overflow-x: auto"><table><td style="width: 2000px">wide</td></table></div>',
    ),
    "a word that is too long": (misfits, f'<div style="white-space: nowrap">{"x " * 99}</div>'),
    "small text": (small_text, '<p style="font-size: 11px">small</p>'),
    "black text in the dark": (pale_text, '<p style="color: black">black</p>'),
    "a transparent picture": (
        pictures_on_dark,
        '<img src="../drawn/index-1.png" alt="" style="background: none">',
    ),
    "a warning that an example printed": (leftovers, "<p>/lib/site-packages/keras/core.py:1</p>"),
    "a progress bar": (leftovers, "<pre>2/Unknown \x1b[1m0s\x1b[0m</pre>"),
    "code without its button": (
        uncopyable,
        '<div class="highlight no-copy"><pre><code>x</code></pre></div>',
    ),
}


@pytest.fixture(scope="module")
def part(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of a part of the site, to be damaged."""
    folder = tmp_path_factory.mktemp("part")
    for name in ("addresses", "assets", "drawn", "images", "reading", "search", "theme"):
        shutil.copytree(site / name, folder / name)
    for style in site.glob("*.css"):
        shutil.copy(style, folder)
    return folder


@pytest.fixture(scope="module")
def unharmed(part: Path, serve, open_tab) -> tuple[Any, Any]:
    """Return a tab, and what it sees of the page before a damage."""
    tab = open_tab(serve(part), "phone")
    return tab, tab.visit("addresses/")


@pytest.mark.xdist_group("damage")
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damage_is_found(damage: str, part: Path, unharmed: tuple[Any, Any]) -> None:
    check, markup = DAMAGES[damage]
    tab, before = unharmed
    text = (part / PAGE).read_text(encoding="utf-8")
    assert text.count(END) == 1
    (part / PAGE).write_text(text.replace(END, markup + END), encoding="utf-8")
    # The browser keeps a page that changes twice in a second, unless it has another address.
    after = tab.visit(f"addresses/?{list(DAMAGES).index(damage)}")
    (part / PAGE).write_text(text, encoding="utf-8")
    assert set(check(after, part)) - set(check(before, part))


PLOTS = [name for name in kerasviz.__all__ if name.startswith(("plot_", "compare_", "animate_"))]
CALLBACKS = ["FeatureMapSnapshots", "KernelSnapshots"]
SHARED = {*kerasviz.TileOptions.__annotations__, "title", "figsize", "ax", "figure"}


@pytest.mark.parametrize("name", PLOTS + CALLBACKS)
def test_the_reference_shows_every_keyword_with_its_default(site: Path, name: str) -> None:
    content = (site / "reference" / name / "index.html").read_text(encoding="utf-8")
    signature = content.split(f'id="kerasviz.{name}"')[1].split("</code></pre>")[0]
    words = re.sub(r"\s", "", html.unescape(re.sub("<[^>]+>", "", signature)))
    assert "**" not in words
    for parameter in inspect.signature(getattr(kerasviz, name)).parameters.values():
        is_shared = parameter.name in SHARED
        default = f"={parameter.default!r},".replace("'", '"') if is_shared else ""
        assert f"{parameter.name}{default}" in words
