"""How long a report takes, how large it is, and how fast its page is in Chromium.

python benchmarks/page.py [--folder FOLDER]. The browser is measured where playwright and Chromium
are installed, else left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

import kerasviz

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]
OBSERVE = """
    window.tasks = [];
    new PerformanceObserver((list) =>
        list.getEntries().forEach((entry) => window.tasks.push(entry.duration))
    ).observe({ entryTypes: ["longtask"] });
"""
CLICK = """async (address) => {
    const start = performance.now();
    document.querySelector(`nav [data-address="${address}"]`).click();
    const selector = `article[data-address="${address}"] [data-kind=maps] canvas[data-order]`;
    while (!document.querySelector(selector)) await new Promise(requestAnimationFrame);
    return performance.now() - start;
}"""
SCROLL = """async () => {
    const before = window.tasks.length;
    for (let y = 0; y < document.body.scrollHeight; y += 120) {
        scrollTo(0, y);
        await new Promise(requestAnimationFrame);
    }
    return window.tasks.slice(before);
}"""


def photos(count: int, size: int) -> np.ndarray:
    """Return pictures with the spectrum of photos, `(count, size, size, 3)`, from 0 to 255."""
    rng = np.random.default_rng(0)
    frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(size)] * 2))[np.newaxis, :, :, np.newaxis]
    frequency[:, 0, 0] = 1
    noise = np.fft.fft2(rng.normal(size=(count, size, size, 3)), axes=(1, 2))
    values = np.real(np.fft.ifft2(noise / frequency**1.2, axes=(1, 2)))
    values -= values.min(axis=(1, 2, 3), keepdims=True)
    return np.asarray(255 * values / values.max(axis=(1, 2, 3), keepdims=True), "float32")


def report_resnet(path: Path) -> tuple[str, Path]:
    """Write the report of an untrained ResNet50 and two photos."""
    images = photos(2, 224)
    inputs = keras.applications.resnet50.preprocess_input(images.copy())
    model = keras.applications.ResNet50(weights=None)
    return "conv4_block3_2_conv", kerasviz.report(model, inputs, path, picture=images)


def report_shipped(path: Path) -> tuple[str, Path]:
    """Write the report of the shipped network and a thousand images."""
    samples, labels = kerasviz.fashion_mnist.load_samples()
    rng = np.random.default_rng(0)
    images = np.repeat(samples, 100, axis=0)
    images = (images + rng.normal(0, 0.1, images.shape)).clip(0, 1).astype("float32")
    model = kerasviz.fashion_mnist.load_model()
    return "conv2d_1", kerasviz.report(model, images, path, labels=np.repeat(labels, 100))


def report_deep(path: Path) -> tuple[str, Path]:
    """Write the report of a model of a thousand layers, in ten branches."""
    layers = keras.layers
    inputs = keras.Input((16, 16, 4))
    ends = []
    for branch in range(10):
        x = inputs
        for index in range(50):
            x = layers.Conv2D(4, 3, padding="same", name=f"conv{branch}_{index}")(x)
            x = layers.ReLU(name=f"relu{branch}_{index}")(x)
        ends.append(x)
    model = keras.Model(inputs, layers.Add(name="add")(ends))
    return "conv5_20", kerasviz.report(model, np.ones((1, 16, 16, 4), "float32"), path)


CASES = {
    "ResNet50, two photos": report_resnet,
    "shipped network, 1,000 images": report_shipped,
    "1,000 layers": report_deep,
}


def measure_browser(browser: Any, path: Path, address: str) -> list[str]:
    """Return the seconds until a page can be used, those of a click, and its longest task."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.add_init_script(OBSERVE)
    start = time.perf_counter()
    page.goto(path.as_uri(), wait_until="commit")
    page.wait_for_selector("article.overview")
    usable = time.perf_counter() - start
    page.wait_for_load_state()
    click = page.evaluate(CLICK, address)
    tasks = page.evaluate(SCROLL)
    page.close()
    return [f"{usable:.2f} s", f"{click:.0f} ms", f"{max(tasks, default=0):.0f} ms"]


def main() -> None:
    """Measure every case, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.mkdtemp()))
    folder = parser.parse_args().folder
    rows, pages = [], []
    for index, (name, write) in enumerate(CASES.items()):
        start, cpu = time.perf_counter(), time.process_time()
        address, path = write(folder / f"page-{index}.html")
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        rows.append(
            [name, f"{seconds:.1f} s", f"{cpu:.1f} s", f"{path.stat().st_size / 1e6:.2f} MB"]
        )
        pages.append((path, address))
    if importlib.util.find_spec("playwright") is not None:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            for row, (path, address) in zip(rows, pages, strict=True):
                row += measure_browser(browser, path, address)
            browser.close()
    heads = ["case", "time", "CPU time", "size", "usable", "click to a layer", "longest task"]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for row in rows:
        print(f"| {' | '.join([*row, *['–'] * (len(heads) - len(row))])} |")


if __name__ == "__main__":
    main()
