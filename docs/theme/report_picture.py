"""Take the pictures of the report, light and dark, that the README and the site show.

Run it after a change of the page: `python docs/theme/report_picture.py`.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import sync_playwright

import kerasviz

CHROMIUM = os.environ.get("KERASVIZ_CHROMIUM", "/usr/bin/chromium")
IMAGES = Path(__file__).parents[1] / "images"
TARGETS = {"light": IMAGES / "report.png", "dark": IMAGES / "report_dark.png"}
SIZE = {"width": 1100, "height": 960}
TO_MAPS = """() => {
    const maps = document.querySelector("[aria-label='Feature maps']");
    scrollTo(0, maps.getBoundingClientRect().top + scrollY - 12);
}"""


def write_report(path: Path) -> Path:
    """Write the report of the shipped network and its samples."""
    model = kerasviz.fashion_mnist.load_model()
    images, labels = kerasviz.fashion_mnist.load_samples()
    names = kerasviz.fashion_mnist.CLASSES
    return kerasviz.report(model, images, path, labels=labels, class_names=names)


def take_picture(page_path: Path, scheme: Literal["light", "dark"], target: Path) -> None:
    """Save what a reader sees of the first convolution: maps of the boot, and a filter's card."""
    with sync_playwright() as playwright:
        options = ["--disable-gpu", "--no-sandbox"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        page = browser.new_page(viewport=SIZE, color_scheme=scheme)
        page.goto(f"{page_path.as_uri()}#conv2d")
        page.locator(".thumb[data-sample='9']").click()
        page.wait_for_selector("[data-kind=maps][data-sample='9']")
        page.locator(".filter").nth(31).wait_for(state="attached")
        page.evaluate(TO_MAPS)
        page.wait_for_timeout(500)  # the images of a card are drawn when they are near
        page.screenshot(path=target)
        browser.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        report = write_report(Path(folder) / "report.html")
        for scheme, target in TARGETS.items():
            take_picture(report, scheme, target)
