"""The page of `report` in Chromium: what a reader sees, points at, types and is told."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest

import kerasviz

pytestmark = [pytest.mark.page, pytest.mark.xdist_group("page")]
HOSTILE = "<img src=x onerror=alert(1)><script>alert(1)<"


@pytest.fixture(scope="module")
def samples() -> tuple[np.ndarray, np.ndarray]:
    return kerasviz.fashion_mnist.load_samples()


@pytest.fixture(scope="module")
def shipped(samples: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of the network that ships with kerasviz."""
    return kerasviz.report(
        kerasviz.fashion_mnist.load_model(),
        samples[0],
        tmp_path_factory.mktemp("page") / "report.html",
        labels=samples[1],
        class_names=kerasviz.fashion_mnist.CLASSES,
        history={"loss": [1.0, 0.5, 0.4], "val_loss": [1.1, 0.7, 0.8]},
        method="grad-cam",
    )


def point(page: Any, kind: str, index: int, row: int, column: int) -> str:
    """Move the mouse to a value of a tile, and return what the page says of it."""
    canvas = page.locator(f"[data-kind={kind}] .scroll canvas")
    canvas.scroll_into_view_if_needed()
    layout = canvas.evaluate("(canvas) => ({...canvas.dataset})")
    position = layout["order"].split().index(str(index))
    across, down = map(float, layout["pitch"].split())
    zoom = [float(x) for x in layout["zoom"].split()]
    columns = int(layout["columns"])
    x = (position % columns) * across + (column + 0.5) * zoom[0]
    y = (position // columns) * down + float(layout["top"]) + (row + 0.5) * zoom[1]
    canvas.hover(position={"x": x, "y": y})
    return page.locator(f"[data-kind={kind}] .readout").inner_text()


def read_value(text: str) -> float:
    return float(re.search(r": (\S+)", text)[1].replace("−", "-"))


def test_report_shows_the_values_of_get_feature_maps_below_the_cursor(
    open_page: Any, shipped: Path, samples: Any
) -> None:
    page = open_page(shipped, "#conv2d")
    maps = kerasviz.get_feature_maps(kerasviz.fashion_mnist.load_model(), "conv2d", samples[0])
    for sample in (0, 9):
        page.locator(f".thumb[data-sample='{sample}']").click()
        page.wait_for_selector(f"[data-kind=maps][data-sample='{sample}']")
        for index, row, column in ((0, 0, 0), (4, 12, 9), (16, 20, 27), (31, 27, 13)):
            text = point(page, "maps", index, row, column)
            assert text.startswith(f"filter {index}, row {row}, column {column}: ")
            tile = maps[sample, ..., index]
            step = float(np.ptp(tile)) / 255
            assert read_value(text) == pytest.approx(tile[row, column], abs=step + 1e-3)


def test_report_says_where_weights_lie_beyond_the_colors(open_page: Any, shipped: Path) -> None:
    page = open_page(shipped, "#conv2d")
    weights = kerasviz.get_kernels(kerasviz.fashion_mnist.load_model(), "conv2d")
    ends = page.locator("[data-kind=kernels] .bar span").all_inner_texts()
    assert ends[0].startswith("≤ −")
    assert weights.min() < -float(ends[1])
    assert weights.max() <= float(ends[1]) * 1.001


def test_report_shows_kernels_below_the_cursor(open_page: Any, shipped: Path) -> None:
    page = open_page(shipped, "#conv2d")
    kernels = kerasviz.get_kernels(kerasviz.fashion_mnist.load_model(), "conv2d")
    page.locator("[data-kind=kernels] input[name=strongest]").check()
    for index, row, column in ((0, 0, 0), (16, 2, 2), (31, 1, 0)):
        text = point(page, "kernels", index, row, column)
        step = float(np.ptp(kernels[..., index])) / 255
        assert read_value(text) == pytest.approx(kernels[row, column, 0, index], abs=step + 1e-3)


def test_report_puts_the_strongest_first_and_filters(open_page: Any, shipped: Path) -> None:
    page = open_page(shipped, "#conv2d")
    kernels = kerasviz.get_kernels(kerasviz.fashion_mnist.load_model(), "conv2d")
    canvas = page.locator("[data-kind=kernels] .scroll canvas")
    page.locator("[data-kind=kernels] input[name=strongest]").check()
    norms = np.linalg.norm(kernels.reshape(9, 32), axis=0)
    order = list(map(int, canvas.get_attribute("data-order").split()))
    assert sorted(order) == list(range(32))
    # The page knows the norms to the accuracy of its values.
    assert (np.diff(norms[order]) < 0.005).all()
    page.locator("[data-kind=kernels] input[type=text]").fill("3, 8-10")
    assert sorted(map(int, canvas.get_attribute("data-order").split())) == [3, 8, 9, 10]


def color(page: Any, index: int, row: int, column: int) -> list[int]:
    """Return the colour of a value of a kernel."""
    return page.locator("[data-kind=kernels] .scroll canvas").evaluate(
        """(canvas, [index, row, column]) => {
            const [across, down] = canvas.dataset.pitch.split(" ").map(Number);
            const [x, y] = canvas.dataset.zoom.split(" ").map(Number);
            const position = canvas.dataset.order.split(" ").indexOf(String(index));
            const columns = Number(canvas.dataset.columns);
            const left = (position % columns) * across + (column + 0.5) * x;
            const top = Math.floor(position / columns) * down + Number(canvas.dataset.top);
            const copy = document.createElement("canvas");
            [copy.width, copy.height] = [canvas.width, canvas.height];
            const pen = copy.getContext("2d", { willReadFrequently: true });
            pen.drawImage(canvas, 0, 0);
            return [...pen.getImageData(left, top + (row + 0.5) * y, 1, 1).data].slice(0, 3);
        }""",
        [index, row, column],
    )


def test_report_has_the_colors_of_plot_kernels(
    open_page: Any, shipped: Path, plot_kernels: Any
) -> None:
    page = open_page(shipped, "#conv2d")
    model = kerasviz.fashion_mnist.load_model()
    image = plot_kernels(model, "conv2d").panels[0].image
    kernels = kerasviz.get_kernels(model, "conv2d")
    for index, row, column in ((0, 0, 0), (16, 2, 2), (25, 1, 1), (31, 1, 0)):
        expected = 255 * np.array(image.to_rgba(kernels[row, column, 0, index])[:3])
        assert np.abs(color(page, index, row, column) - expected).max() <= 8


def test_report_opens_what_is_clicked_on_and_goes_back(open_page: Any, shipped: Path) -> None:
    page = open_page(shipped)
    page.locator("svg [data-address='conv2d_1']").click()
    page.wait_for_selector("article[data-address='conv2d_1']")
    assert page.evaluate("location.hash") == "#conv2d_1"
    page.locator("nav [data-address='dense']").click()
    page.wait_for_selector("article[data-address='dense']")
    page.go_back()
    page.wait_for_selector("article[data-address='conv2d_1']")
    page.go_back()
    page.wait_for_selector("article.overview")


def test_report_is_used_with_the_keyboard_alone(open_page: Any, shipped: Path) -> None:
    page = open_page(shipped)
    page.keyboard.press("/")
    page.keyboard.type("conv2d_1")
    page.keyboard.press("Enter")
    page.wait_for_selector("article[data-address='conv2d_1']")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("article[data-address='max_pooling2d_1']")
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("article[data-address='conv2d_1']")
    page.locator("[data-kind=kernels] .scroll canvas").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    text = page.locator("[data-kind=kernels] .readout").inner_text()
    assert text.startswith("filter 0, row 1, column 0: ")
    page.keyboard.press("Escape")
    page.wait_for_selector("article.overview")


def test_report_shows_hostile_names_as_text(open_page: Any, tmp_path: Path) -> None:
    model = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 2, name=HOSTILE), keras.layers.Flatten()],
        name=HOSTILE,
    )
    images = np.random.default_rng(0).normal(size=(1, 4, 4, 1))
    path = kerasviz.report(
        model, images, tmp_path / "a.html", sample_names=[HOSTILE], class_names=[HOSTILE] * 18
    )
    page = open_page(path)
    assert page.locator("h1").inner_text() == HOSTILE
    assert HOSTILE in page.locator("nav").inner_text()
    page.locator("svg [data-address]").first.click()
    page.wait_for_selector("article.layer")
    assert page.locator("h2").inner_text() == HOSTILE
    assert page.title() == f"{HOSTILE} · kerasviz"
    page.goto(path.as_uri() + "#?sample=0")
    page.wait_for_selector("article.sample")
    assert HOSTILE in page.locator("article").inner_text()
    assert page.locator("img, article script, nav script").count() == 0


def test_report_says_why_an_image_is_misclassified(open_page: Any, shipped: Path) -> None:
    page = open_page(shipped)
    page.locator(".card.wrong").click()
    page.wait_for_selector("article.sample")
    assert page.evaluate("location.hash") == "#?sample=4"
    text = page.locator("article").inner_text()
    assert "The model takes it for Pullover" in text
    assert "It is Coat" in text
    assert "why Pullover and not Coat" in text
    assert "the more it counts for Pullover and against Coat." in text
    assert page.locator("[data-kind=explanation]").count() == 2
    assert page.locator("svg.chart").count() == 4
    # Of images on black, which is the baseline, black pixels get no part.
    assert "a pixel that is 0 already counts for nothing here" not in text  # Grad-CAM alone
    assert "the probability of Pullover, in which erased pixels are 0" in text
    page.get_by_role("link", name="← sample 3").click()
    # The address changes before what is shown does.
    page.get_by_role("link", name="← sample 2").wait_for()
    assert page.evaluate("location.hash") == "#?sample=3"
    page.keyboard.press("ArrowRight")
    page.get_by_role("link", name="← sample 3").wait_for()
    assert page.evaluate("location.hash") == "#?sample=4"
    code = page.locator("section.explanation .copy").first.get_attribute("data-code")
    assert code.endswith('method="grad-cam", sample=4, target=(2, 4))')


def test_report_links_a_finding_to_what_it_is_about(open_page: Any, shipped: Path) -> None:
    page = open_page(shipped)
    finding = page.locator(".findings li", has_text="no better than random")
    finding.locator("a").first.click()
    page.wait_for_selector("article.sample")
    assert "No better than random" in page.locator("article").inner_text()


def test_report_shows_filter_cards_and_curves(open_page: Any, shipped: Path) -> None:
    page = open_page(shipped)
    assert page.locator("svg.chart").count() == 1
    row = page.locator("table").inner_text().split("\n")[1].split("\t")
    assert row == ["Coat", "Pullover", "1", "sample 4"]
    page.goto(shipped.as_uri() + "#conv2d_1")
    page.wait_for_selector("article.layer")
    cards = page.locator(".filter")
    cards.nth(31).wait_for(state="attached")
    assert cards.count() == 32
    # Six images, and the input that was made for the filter.
    assert cards.first.locator("canvas").count() == 7
    assert cards.first.locator("svg.means rect").count() == 10
    names = cards.first.locator("svg.means g > text:last-child").all_text_contents()
    assert names == list(kerasviz.fashion_mnist.CLASSES)


def test_report_leads_from_a_mistake_to_its_image(open_page: Any, shipped: Path) -> None:
    page = open_page(shipped)
    page.locator("tr.leads td").first.click()
    page.wait_for_function("location.hash === '#?sample=4'")
    page.go_back()
    page.wait_for_selector("article.overview")
    page.locator("tr.leads a").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("article.sample")
    assert "It is Coat" in page.locator("article").inner_text()


def test_report_says_how_many_units_never_fire(open_page: Any, shipped: Path, samples: Any) -> None:
    outputs = kerasviz.get_feature_maps(kerasviz.fashion_mnist.load_model(), "dense", samples[0])
    silent = np.flatnonzero((outputs == 0).all(axis=0))
    page = open_page(shipped)
    finding = page.locator(".findings li", has_text="Never firing")
    assert f"for all 10 images: {len(silent)} units" in finding.inner_text()
    finding.get_by_role("link", name=f"dense unit {silent[1]}", exact=True).click()
    page.wait_for_function(f"location.hash === '#dense?filter={silent[1]}'")
    card = page.locator(".chosen .filter")
    assert card.inner_text().split("\n") == [
        "never fires",
        "",
        "0 for all 10 images",
    ]
    words = f"{len(silent)} of 100 units never fire, with the value 0 for all 10 images: "
    assert words in page.locator("ul.odd").inner_text()
    assert page.locator("nav [aria-current]").get_attribute("data-address") == "dense"
    page.get_by_role("link", name="all units").click()
    page.wait_for_selector("article.layer:not(:has(.chosen))")


def test_report_frames_the_filter_of_a_link(open_page: Any, shipped: Path) -> None:
    page = open_page(shipped, "#conv2d?filter=5")
    plain = open_page(shipped, "#conv2d")
    assert page.locator("article").get_attribute("data-address") == "conv2d"
    for kind in ("kernels", "maps"):
        canvases = [x.locator(f"[data-kind={kind}] .scroll canvas") for x in (page, plain)]
        for canvas in canvases:
            canvas.wait_for()
        framed, other = (canvas.evaluate(EDGES, 5) for canvas in canvases)
        assert framed == [255, 159, 28]
        assert other != framed
        assert canvases[0].evaluate(EDGES, 4) != framed
    assert page.locator(".chosen h3").inner_text() == "filter 5"
    assert page.locator(".chosen .filter svg.means").is_visible()


EDGES = """(canvas, index) => {
    const [across, down] = canvas.dataset.pitch.split(" ").map(Number);
    const position = canvas.dataset.order.split(" ").indexOf(String(index));
    const columns = Number(canvas.dataset.columns);
    const top = Number(canvas.dataset.top) + Math.floor(position / columns) * down;
    const copy = document.createElement("canvas");
    [copy.width, copy.height] = [canvas.width, canvas.height];
    const pen = copy.getContext("2d", { willReadFrequently: true });
    pen.drawImage(canvas, 0, 0);
    const left = (position % columns) * across;
    return [...pen.getImageData(left + 1, top + 10, 1, 1).data].slice(0, 3);
}"""


IS_DRAWN = """(canvas) => {
    const blank = document.createElement("canvas");
    [blank.width, blank.height] = [canvas.width, canvas.height];
    return canvas.toDataURL() !== blank.toDataURL();
}"""


def test_report_draws_the_images_of_filter_cards_when_they_come_near(
    open_page: Any, shipped: Path
) -> None:
    page = open_page(shipped, "#conv2d_1")
    card = page.locator(".filter").nth(31)
    card.wait_for(state="attached")
    canvas = card.locator("canvas").first.element_handle()
    assert not page.evaluate(IS_DRAWN, canvas)
    card.scroll_into_view_if_needed()
    page.wait_for_function(IS_DRAWN, arg=canvas)
    # All of them are on paper.
    page = open_page(shipped, "#conv2d_1")
    card = page.locator(".filter").nth(31)
    card.wait_for(state="attached")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.wait_for_function(IS_DRAWN, arg=card.locator("canvas").first.element_handle())


def test_report_draws_maps_over_the_image(open_page: Any, shipped: Path) -> None:
    page = open_page(shipped, "#conv2d")
    canvas = page.locator("[data-kind=maps] .scroll canvas")
    before = canvas.screenshot()
    page.locator("[data-kind=maps] input[name=over]").check()
    assert canvas.screenshot() != before
    page.locator("[data-kind=maps] input[name=over]").uncheck()
    page.locator("[data-kind=maps] select").select_option("tile")
    assert page.locator("[data-kind=maps] .bar").inner_text() == "each on its own colour scale"
    assert canvas.screenshot() != before


def test_report_opens_where_a_link_leads(open_page: Any, tmp_path: Path) -> None:
    inner = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3, name="a?b c")], name="in:ner"
    )
    model = keras.Sequential([keras.Input((8, 8, 1)), inner])
    path = kerasviz.report(model, path=tmp_path / "a.html")
    page = open_page(path)
    for link in page.locator("nav [data-address]").all():
        address = link.get_attribute("data-address")
        other = open_page(path, link.get_attribute("href"))
        assert other.locator("article").get_attribute("data-address") == address
    other = open_page(path, "#not-there")
    assert "No such layer" in other.locator("article").inner_text()


AXE = Path(__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_report_is_accessible(open_page: Any, shipped: Path, scheme: str) -> None:
    if not AXE.exists():
        pytest.fail("axe-core is missing: run frontend/build first")
    for view in VIEWS:
        page = open_page(shipped, view, color_scheme=scheme)
        # By the driver, since the page's own policy allows no other script.
        page.evaluate(AXE.read_text(encoding="utf-8"))
        result = page.evaluate("axe.run()")
        serious = [
            (violation["id"], [node["html"][:120] for node in violation["nodes"]])
            for violation in result["violations"]
            if violation["impact"] in ("serious", "critical")
        ]
        assert not serious, view
        # Nothing has moved while it was loaded.
        assert page.evaluate("window.shift") < 0.01, view


VIEWS = ("", "#conv2d", "#dense", "#?sample=4")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_report_fits_a_phone(open_page: Any, shipped: Path, scheme: str) -> None:
    for view in VIEWS:
        page = open_page(shipped, view, width=360, color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 22, 26)"}[scheme]


def test_report_prints_without_controls(open_page: Any, shipped: Path) -> None:
    page = open_page(shipped, "#conv2d")
    page.emulate_media(media="print")
    assert not page.locator(".side-list").is_visible()
    assert not page.locator(".copy").first.is_visible()
    canvas = page.locator("[data-kind=maps] .scroll canvas")
    assert canvas.is_visible()
    # A sheet is narrower than the screen that the columns were counted on.
    assert canvas.evaluate("(canvas) => getComputedStyle(canvas).maxWidth") == "100%"


def test_report_prints_dark_letters_from_a_dark_screen(open_page: Any, shipped: Path) -> None:
    page = open_page(shipped, "#conv2d", color_scheme="dark")
    canvas = page.locator("[data-kind=kernels] .scroll canvas")
    assert canvas.evaluate(LETTERS)[0] > 200
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert canvas.evaluate(LETTERS)[0] < 50
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert canvas.evaluate(LETTERS)[0] > 200


# The colour of the most opaque pixel above the first tile, in which its index is.
LETTERS = """(canvas) => {
    const copy = document.createElement("canvas");
    [copy.width, copy.height] = [canvas.width, canvas.height];
    const pen = copy.getContext("2d", { willReadFrequently: true });
    pen.drawImage(canvas, 0, 0);
    const data = pen.getImageData(0, 0, 20, Number(canvas.dataset.top) - 1).data;
    let best = 0;
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] > data[best + 3]) best = i;
    return [...data.slice(best, best + 4)];
}"""


def test_report_copies_the_code_that_draws_the_same(open_page: Any, shipped: Path) -> None:
    page = open_page(shipped, "#conv2d", permissions=["clipboard-read", "clipboard-write"])
    page.locator("[aria-label='Feature maps'] .copy").click()
    page.wait_for_selector("text=Copied")
    code = page.evaluate("navigator.clipboard.readText()")
    assert code == (
        'import kerasviz\n\nkerasviz.plot_feature_maps(model, "conv2d", inputs, sample=0)'
    )


class Branches(keras.Model):
    """Adds two branches outside of any layer; its first filter is dead."""

    def __init__(self) -> None:
        super().__init__(name="branches")
        self.first = keras.layers.Conv2D(3, 3, padding="same", name="first")
        self.second = keras.layers.Conv2D(3, 1, name="second")
        self.relu = keras.layers.ReLU(name="relu")

    def call(self, x: Any) -> Any:
        return self.relu(self.first(x) + self.second(x))


def test_report_is_used_with_a_finger(open_page: Any, tmp_path: Path) -> None:
    model = Branches()
    images = np.random.default_rng(0).random((12, 8, 8, 1), "float32")
    model(images)
    kernel, bias = model.first.get_weights()
    kernel[..., 0], bias[0] = 0, -1
    model.first.set_weights([kernel, bias])
    page = open_page(kerasviz.report(model, images, tmp_path / "a.html"), width=360, has_touch=True)
    # An operation that is not a layer adds the branches: the input of `relu` has an unknown source.
    assert page.locator(".graph .open").count() == 1
    assert "Dotted arrow" in page.locator("article").inner_text()
    graph = page.locator(".graph")
    assert graph.evaluate("(graph) => getComputedStyle(graph).touchAction") == "auto"
    page.locator("[aria-label='Zoom in']").tap()
    assert graph.evaluate("(graph) => getComputedStyle(graph).touchAction") == "none"
    # The list is above what it leads to, and makes room for it.
    page.locator(".side-list summary").tap()
    page.locator("nav [data-address=first]").tap()
    page.wait_for_selector("article[data-address=first]")
    assert not page.locator("nav").is_visible()
    card = page.locator(".filter[data-filter='0']")
    assert card.inner_text().split("\n")[-1] == "−1 everywhere in all 12 images"
    assert card.locator("canvas").count() == 0
    page.keyboard.press("/")
    page.keyboard.type("second")
    page.keyboard.press("Enter")
    page.wait_for_selector("article[data-address=second]")


def test_report_offers_code_that_runs(
    open_page: Any, shipped: Path, samples: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes: set[str] = set()
    for view in ("", "#conv2d_1", "#?sample=4"):
        page = open_page(shipped, view)
        page.wait_for_selector(".copy", state="attached")
        codes |= set(page.locator(".copy").evaluate_all("(all) => all.map((x) => x.dataset.code)"))
    names = {code.split("kerasviz.")[-1].split("(")[0] for code in codes}
    assert names == {
        "plot_architecture",
        "plot_attributions",
        "plot_feature_maps",
        "plot_filters",
        "plot_history",
        "plot_kernel_histograms",
        "plot_kernels",
        "plot_mistakes",
    }
    few = slice(3, 5)
    values = {
        "model": kerasviz.fashion_mnist.load_model(),
        "inputs": samples[0][few],
        "labels": samples[1][few],
        "history": {"loss": [1.0, 0.5]},
    }
    for name in ("plot_attributions", "plot_filters"):  # they take long: only their arguments
        monkeypatch.setattr(kerasviz, name, inspect.signature(getattr(kerasviz, name)).bind)
    for code in codes:
        exec(code.replace("sample=4", "sample=1"), dict(values))
    plt.close("all")
