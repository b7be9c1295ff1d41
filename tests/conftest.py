"""What every test has: no leaks, a seeded generator, tiny models, and baselines that count."""

from __future__ import annotations

import gc
import os
import random

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if "PYTEST_XDIST_WORKER" in os.environ:
    # Processes that each take every core get in each other's way, and models this small need one.
    for _name in ("OMP_NUM_THREADS", "TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS"):
        os.environ.setdefault(_name, "1")

import matplotlib

matplotlib.use("agg")

import hypothesis
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

import kerasviz

BASELINE_MATPLOTLIB = "3.11.2"
"""The Matplotlib that drew tests/images/baseline; text differs by a pixel in another."""
CHROMIUM = os.environ.get("KERASVIZ_CHROMIUM", "/usr/bin/chromium")
FLAGS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--no-sandbox"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]

hypothesis.settings.register_profile("kerasviz", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("kerasviz")


@pytest.hookimpl(tryfirst=True)  # before pytest deselects what is slow
def pytest_collection_modifyitems(items):
    """Let as many cases of a test run always as `few` says, and the others with `-m slow`.

    `KERASVIZ_CASES` says how many for all tests.
    """
    tests = {}
    for item in items:
        if not item.get_closest_marker("slow"):
            tests.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for name, cases in tests.items():
        marker = cases[0].get_closest_marker("few")
        counts = [marker.args[0]] if marker else []
        counts += [int(os.environ["KERASVIZ_CASES"])] if "KERASVIZ_CASES" in os.environ else []
        count = min([len(cases), *counts])
        # At random, so that no parameter of several is always the same; in each run the same ones.
        chosen = random.Random(name).sample(cases, count) if count < len(cases) else cases
        for case in cases if count < len(cases) else ():
            if case not in chosen:
                case.add_marker("slow")


def pytest_collection_finish():
    """Keep what all tests share, TensorFlow first, out of every later garbage collection."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item):
    marked = item.get_closest_marker("mpl_image_compare") is not None
    if marked and matplotlib.__version__ != BASELINE_MATPLOTLIB:
        reason = (
            f"the baselines count for Matplotlib {BASELINE_MATPLOTLIB}, "
            f"this is {matplotlib.__version__}"
        )
        if os.environ.get("KERASVIZ_REQUIRE_BASELINES") == "1":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


@pytest.fixture(autouse=True)
def seeded_layers(request):
    """Give each test the same random weights in every run: Keras draws its seeds from `random`."""
    state = random.getstate()
    random.seed(os.environ.get("KERASVIZ_TEST_SEED", "") + request.node.name)
    yield
    random.setstate(state)


@pytest.fixture(autouse=True)
def leaves_no_trace():
    """Fail a test after which a pyplot figure is open or an rcParam is not what it was."""
    # As plain dicts, whose values nobody checks or resolves: thousands of tests come by here.
    settings = dict.copy(matplotlib.rcParams)
    yield
    changed = [key for key, value in dict.items(matplotlib.rcParams) if settings[key] != value]
    dict.update(matplotlib.rcParams, settings)
    leaked = plt.get_fignums()
    plt.close("all")
    assert not leaked, f"the test left {len(leaked)} pyplot figures open"
    assert not changed, f"the test left rcParams changed: {changed}"


@pytest.fixture
def closing():
    """Wrap a plot function: the figures that it hands back, and only these, are closed."""
    figures = []

    def wrap(function):
        def call(*args, **kwargs):
            plot = function(*args, **kwargs)
            figures.append(plot.figure.get_figure(root=True))
            return plot

        return call

    yield wrap
    for figure in figures:
        plt.close(figure)


@pytest.fixture
def plot_tiles(closing):
    return closing(kerasviz.plot_tiles)


@pytest.fixture
def plot_kernels(closing):
    return closing(kerasviz.plot_kernels)


@pytest.fixture
def plot_feature_maps(closing):
    return closing(kerasviz.plot_feature_maps)


@pytest.fixture
def rng():
    return np.random.default_rng(20240607)


@pytest.fixture
def pixels():
    """Render a figure to an array `(height, width, 4)`."""

    def render(figure):
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return np.array(canvas.buffer_rgba())

    return render


@pytest.fixture
def read_tiles():
    """Cut the tiles `(n, height, width)` out of an image, at its masked rows and columns."""

    def read(image, height, width):
        array = image.get_array()
        mask = np.ma.getmaskarray(array).reshape(*array.shape[:2], -1).all(axis=2)
        cells = array[~mask.all(axis=1)][:, ~mask.all(axis=0)]
        rows, columns = cells.shape[0] // height, cells.shape[1] // width
        blocks = cells.reshape(rows, height, columns, width, *cells.shape[2:]).swapaxes(1, 2)
        tiles = blocks.reshape(rows * columns, height, width, *cells.shape[2:])
        return tiles[~np.ma.getmaskarray(tiles).reshape(len(tiles), -1).all(axis=1)]

    return read


@pytest.fixture
def read_title():
    """Return the title of an Axes as one line, wherever it was wrapped."""
    return lambda ax: " ".join(ax.get_title().split())


@pytest.fixture(scope="session")
def grey_model():
    """12×12×1 → "first", 4 kernels 3×2 → "second", 6 kernels 3×3×4 and a ReLU; map 2 is all 0."""
    import keras

    rng = np.random.default_rng(1)
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            keras.layers.Conv2D(4, (3, 2), name="first"),
            keras.layers.Conv2D(6, 3, activation="relu", name="second"),
            keras.layers.Flatten(name="flat"),
        ],
        name="grey",
    )
    first, second, bias = rng.normal(size=(3, 2, 1, 4)), rng.normal(size=(3, 3, 4, 6)), np.ones(6)
    second[..., 2] = bias[2] = 0
    model.set_weights([first, np.zeros(4), second, bias])
    return model


@pytest.fixture(scope="session")
def rgb_model():
    """10×10×3 → "color", 5 kernels 3×3×3 → "next", 2 kernels 1×1×5."""
    import keras

    rng = np.random.default_rng(2)
    model = keras.Sequential(
        [
            keras.Input((10, 10, 3)),
            keras.layers.Conv2D(5, 3, name="color"),
            keras.layers.Conv2D(2, 1, name="next"),
        ],
        name="rgb",
    )
    model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])
    return model


@pytest.fixture(scope="session")
def browser():
    """Start Chromium, once. Where it or its driver is missing, that is an error and no skip."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
