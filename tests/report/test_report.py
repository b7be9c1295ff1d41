"""`report`: what is in the file is what the model computes, and nothing in it is code of others."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import kerasviz
from page_data import PageData, read_page

PAGE = ("page.js", "page.css", "widget.js")
HOSTILE = '</script><script>alert("x")</script><img src=x onerror=alert(1)>'


@pytest.fixture(scope="module")
def samples() -> tuple[np.ndarray, np.ndarray]:
    return kerasviz.fashion_mnist.load_samples()


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return kerasviz.fashion_mnist.load_model()


@pytest.fixture(scope="module")
def page(model: keras.Model, samples: Any, tmp_path_factory: pytest.TempPathFactory) -> PageData:
    folder = tmp_path_factory.mktemp("page")
    path = kerasviz.report(
        model,
        samples[0],
        folder / "report.html",
        labels=samples[1],
        class_names=kerasviz.fashion_mnist.CLASSES,
    )
    return read_page(path)


def small_model() -> keras.Model:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((6, 5, 1), name="x"),
            layers.Conv2D(3, 2, name="conv"),
            layers.Flatten(name="flat"),
            layers.Dense(2, activation="softmax", name="head"),
        ],
        name="small",
    )


@pytest.mark.few(2)
@pytest.mark.parametrize("address", ["conv2d", "max_pooling2d", "conv2d_1", "max_pooling2d_1"])
def test_report_holds_the_values_of_get_feature_maps(
    page: PageData, model: keras.Model, samples: Any, address: str
) -> None:
    maps = kerasviz.get_feature_maps(model, address, samples[0])
    parts = page.layer(address)["maps"]
    assert len(parts) == len(samples[0])
    for sample, part in enumerate(parts):
        values, span = page.tiles(address, part)
        expected = np.moveaxis(maps[sample], -1, 0)[..., np.newaxis]
        assert values.shape == expected.shape
        # Half a step of the range of the tile, and the rounding of float32.
        assert (np.abs(values - expected) <= span / 508 + 1e-6).all()


def test_report_holds_the_kernels(page: PageData, model: keras.Model) -> None:
    part = page.layer("conv2d")["kernels"]["tiles"]
    values, span = page.tiles("conv2d", part)
    expected = np.moveaxis(kerasviz.get_kernels(model, "conv2d"), -1, 0)
    assert (np.abs(values - expected) <= span / 508 + 1e-6).all()
    assert part["signed"]
    assert part["limits"][0] == -part["limits"][1]


def test_report_holds_the_strongest_part_of_a_large_matrix(
    page: PageData, model: keras.Model
) -> None:
    part = page.layer("dense")["kernels"]["tiles"]
    values, span = page.tiles("dense", part)
    kernel = kerasviz.get_kernels(model, "dense")
    strongest = np.sort(np.argsort(-np.linalg.norm(kernel, axis=0))[:64])
    assert part["columns"] == strongest.tolist()
    expected = kernel[np.ix_(part["rows"], part["columns"])]
    assert (np.abs(values[0, ..., 0] - expected) <= span[0, ..., 0] / 508 + 1e-6).all()


def test_report_says_what_the_model_takes_each_sample_for(
    page: PageData, model: keras.Model, samples: Any
) -> None:
    probabilities = keras.ops.convert_to_numpy(model(samples[0]))
    for sample in page.facts["samples"]:
        row = probabilities[sample["index"]]
        index, probability = sample["top"][0]
        assert index == row.argmax()
        assert probability == pytest.approx(row.max(), abs=1e-5)
    right = int((probabilities.argmax(axis=1) == samples[1]).sum())
    (wrong,) = np.flatnonzero(probabilities.argmax(axis=1) != samples[1])
    confusion = [int(samples[1][wrong]), int(probabilities[wrong].argmax()), 1]
    assert page.facts["predictions"] == {
        "classes": 10,
        "samples": 10,
        "right": right,
        "confusions": [confusion],
    }
    (difference,) = (x for x in page.facts["explanations"] if len(x["positions"]) == 1)
    assert difference["targets"] == [[confusion[1], confusion[0]]]


def test_report_lists_every_layer(page: PageData, model: keras.Model) -> None:
    listed = [layer["address"] for layer in page.facts["layers"]]
    assert listed == [ref.address for ref in kerasviz.find_layers(model, "*")]
    counts = {layer["address"]: layer["parameters"] for layer in page.facts["layers"]}
    assert counts == {layer.name: layer.count_params() for layer in model.layers}
    boxes = [box["address"] for box in page.facts["graph"]["boxes"]]
    assert [name for name in boxes if name != "image"] == [
        layer.name for layer in model.layers if layer.name != "dropout"
    ]


def test_report_needs_no_network_and_allows_no_other_script(page: PageData) -> None:
    (policy,) = (
        attributes["content"]
        for tag, attributes in page.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    (script,), (style,) = page.scripts, page.styles
    for text, rule in ((script, "script-src"), (style, "style-src")):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    urls = set(re.findall(r"\bhttps?://[^\s\"'`)]*", page.text))
    assert urls <= {"http://www.w3.org/2000/svg"}
    for tag, attributes in page.elements:
        assert tag in {"html", "head", "meta", "title", "style", "body", "div", "p", "script"}
        assert not {"src", "href", "style"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]


def test_report_holds_hostile_names_as_data_alone(tmp_path: Path) -> None:
    name = "<img src=x onerror=alert(1)><!--"  # Keras takes no slash in a name
    conv = keras.layers.Conv2D(2, 2, name=name)
    model = keras.Sequential([keras.Input((4, 4, 1)), conv, keras.layers.Flatten()], name=name)
    path = kerasviz.report(
        model,
        np.zeros((1, 4, 4, 1)),
        tmp_path / "x.html",
        class_names=[HOSTILE],
        sample_names=[HOSTILE],
    )
    page = read_page(path)
    assert page.facts["model"]["name"] == name
    assert page.layer(name)["type"] == "Conv2D"
    assert page.facts["samples"][0]["name"] == HOSTILE
    assert len(page.scripts) == 1
    # Of markup there is none of it: brackets are spelt out, in JSON or as entities.
    assert "<img" not in page.text
    assert "<script>alert" not in page.text


def test_report_holds_no_path_of_the_machine(page: PageData) -> None:
    assert str(Path.cwd()) not in page.text
    assert str(Path(kerasviz.__file__).parent) not in page.text


def test_report_without_inputs_is_about_the_model_alone(tmp_path: Path) -> None:
    model = small_model()
    before = [w.copy() for w in model.get_weights()]
    page = read_page(kerasviz.report(model, path=tmp_path / "a.html"))
    assert page.facts["samples"] == []
    assert "maps" not in page.layer("conv")
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_report_marks_values_that_are_not_numbers(tmp_path: Path) -> None:
    model = small_model()
    kernel, bias = model.get_layer("conv").get_weights()
    kernel[0, 1, 0, 2] = np.nan
    model.get_layer("conv").set_weights([kernel, bias])
    page = read_page(kerasviz.report(model, np.ones((1, 6, 5)), tmp_path / "a.html"))
    values, _ = page.tiles("conv", page.layer("conv")["kernels"]["tiles"])
    np.testing.assert_array_equal(
        np.isnan(values[..., 0]), np.moveaxis(np.isnan(kernel[:, :, 0]), -1, 0)
    )
    maps, _ = page.tiles("conv", page.layer("conv")["maps"][0])
    assert np.isnan(maps).any(axis=(1, 2, 3)).tolist() == [False, False, True]
    texts = [finding["text"] for finding in page.facts["findings"]]
    assert "1 weight is NaN or infinite, in conv." in texts
    assert page.facts["findings"][0]["level"] == "error"


@pytest.mark.slow
def test_report_shows_the_surest_mistake_of_each_frequent_pair(
    model: keras.Model, samples: Any, tmp_path: Path
) -> None:
    images, labels = samples
    many = np.concatenate([images[[0] * 20], images[[2, 2, 3]], images])
    # Of samples 20 to 22 the labels are wrong: two of one pair, and one of another.
    labels = np.concatenate([[0] * 20, [7, 7, 5], labels])
    path = kerasviz.report(model, many, tmp_path / "a.html", labels=labels, samples=4)
    page = read_page(path)
    says = keras.ops.convert_to_numpy(model(many)).argmax(axis=1)
    shown = [sample["index"] for sample in page.facts["samples"]]
    pairs = [(labels[index], says[index]) for index in shown if says[index] != labels[index]]
    assert len(shown) == 4
    assert len(pairs) == 2
    frequent = page.facts["predictions"]["confusions"][:2]
    assert frequent[0] == [7, int(says[20]), 2]
    assert set(pairs) == {(label, predicted) for label, predicted, _ in frequent}
    assert page.facts["total"] == 33


class Subclassed(keras.Model):
    """A model whose layers are known only from a call."""

    def __init__(self) -> None:
        super().__init__(name="subclassed")
        self.first = keras.layers.Conv2D(2, 3, name="first")
        self.second = keras.layers.Conv2D(3, 3, name="second")

    def call(self, x: Any) -> Any:
        return self.second(self.first(x))


def test_report_takes_a_subclassed_model_that_is_not_built(tmp_path: Path) -> None:
    model = Subclassed()
    images = np.random.default_rng(0).normal(size=(2, 8, 8, 1)).astype("float32")
    page = read_page(kerasviz.report(model, images, tmp_path / "a.html"))
    expected = kerasviz.get_feature_maps(model, "second", images)
    values, span = page.tiles("second", page.layer("second")["maps"][1])
    difference = np.abs(values[..., 0] - np.moveaxis(expected[1], -1, 0))
    assert (difference <= span[..., 0] / 508 + 1e-6).all()


def test_report_takes_a_nested_model(tmp_path: Path) -> None:
    inner = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3, name="conv")], name="inner"
    )
    model = keras.Sequential([keras.Input((8, 8, 1)), inner, keras.layers.Flatten()], name="outer")
    page = read_page(kerasviz.report(model, np.ones((8, 8)), tmp_path / "a.html"))
    assert page.layer("inner/conv")["maps"][0]["count"] == 2
    assert "inner/conv" in [box["address"] for box in page.facts["graph"]["boxes"]]


def several_inputs() -> tuple[keras.Model, Any]:
    image, number = keras.Input((6, 6, 1), name="image"), keras.Input((3,), name="number")
    flat = keras.layers.Flatten()(keras.layers.Conv2D(2, 3, name="conv")(image))
    x = keras.layers.Concatenate()([flat, number])
    model = keras.Model([image, number], keras.layers.Dense(2, activation="softmax")(x))
    rng = np.random.default_rng(0)
    return model, [rng.normal(size=(2, 6, 6, 1)), rng.normal(size=(2, 3))]


def sequence() -> tuple[keras.Model, Any]:
    layers = [keras.Input((9, 2)), keras.layers.Conv1D(3, 3, name="conv")]
    return keras.Sequential(layers), np.random.default_rng(0).normal(size=(2, 9, 2))


def volume() -> tuple[keras.Model, Any]:
    layers = [keras.Input((5, 4, 4, 1)), keras.layers.Conv3D(3, 3, name="conv")]
    return keras.Sequential(layers), np.random.default_rng(0).normal(size=(2, 5, 4, 4, 1))


@pytest.mark.few(2)
@pytest.mark.parametrize("build", [several_inputs, sequence, volume])
def test_report_takes_inputs_of_any_form(build: Any, tmp_path: Path) -> None:
    model, inputs = build()
    page = read_page(kerasviz.report(model, inputs, tmp_path / "a.html", method="gradient"))
    maps = kerasviz.get_feature_maps(model, "conv", inputs)[1]
    while maps.ndim > 3:  # of a volume its middle slice
        maps = maps[len(maps) // 2]
    values, span = page.tiles("conv", page.layer("conv")["maps"][1])
    expected = np.moveaxis(maps, -1, 0).reshape(values.shape)
    assert (np.abs(values - expected) <= span / 508 + 1e-6).all()
    if build is volume:
        assert page.layer("conv")["maps"][1]["title"] == "slice 1 of 3"
        assert page.layer("conv")["kernels"]["tiles"]["title"].endswith("below one another")
    if build is several_inputs:
        assert [part["input"] for part in page.facts["explanations"]] == ["image", "number"]
        assert not page.facts["unexplained"]


def test_report_is_built_with_exact_versions_and_no_address_of_a_registry() -> None:
    frontend = Path(__file__).parents[2] / "frontend"
    package = json.loads((frontend / "package.json").read_text(encoding="utf-8"))
    assert "dependencies" not in package
    for version in package["devDependencies"].values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    folder = Path(kerasviz.__file__).parent / "report"
    assert sum((folder / name).stat().st_size for name in PAGE) <= 200_000
    assert not list(frontend.glob("*lock*"))


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"path": "a.png"}, ValueError, r"`path` must end in \.html\. Received: path='a\.png'"),
        ({"path": 3}, TypeError, "`path` must be a path. Received: path=3"),
        ({"labels": [0]}, ValueError, "`labels` can only be used together with `inputs`"),
        ({"samples": 0}, ValueError, "`samples` must be a positive integer"),
        ({"inputs": np.zeros((2, 6, 5)), "labels": [0]}, ValueError, "`labels` must have one"),
        ({"inputs": np.zeros((2, 6, 5)), "sample_names": ["a"]}, ValueError, "`sample_names` must"),
        ({"class_names": "ab"}, TypeError, "`class_names` must be a list"),
    ],
)
def test_report_refuses(
    options: dict[str, Any], error: type[Exception], text: str, tmp_path: Path
) -> None:
    arguments: dict[str, Any] = {"path": tmp_path / "a.html", **options}
    with pytest.raises(error, match=text):
        kerasviz.report(small_model(), **arguments)
    assert not list(tmp_path.iterdir())


def test_report_refuses_what_is_not_a_model(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="`model` must be a Keras model"):
        kerasviz.report("model.keras", path=tmp_path / "a.html")


def picture_of(page: PageData, name: str) -> np.ndarray:
    """Return a picture of the page, `(height, width, channels)`."""
    part = page.facts["pictures"][name]
    shape = (part["height"], part["width"], part["channels"])
    data = page.blocks["pictures"]
    return np.frombuffer(data, "uint8", int(np.prod(shape)), part["start"]).reshape(shape)


def test_report_holds_what_plot_filters_draws_beside_the_images(
    page: PageData, model: keras.Model, samples: Any
) -> None:
    filters = page.layer("conv2d_1")["filters"]
    statistics = kerasviz.filter_statistics(model, "conv2d_1", samples[0], labels=samples[1])
    assert filters["classes"] == list(range(10))
    indices = [card["filter"] for card in filters["cards"]]
    for card in filters["cards"]:
        expected = statistics.class_means[:, card["filter"]]
        assert card["means"] == pytest.approx(expected.tolist(), rel=1e-3, abs=1e-6)
    made = kerasviz.get_preferred_inputs(
        model, "conv2d_1", filters=indices[:2], limits=(0, 1), steps=64
    )
    for card, image, value in zip(filters["cards"][:2], made.images, made.values, strict=True):
        assert card["preferred"]["value"] == pytest.approx(float(value), rel=0.02)
        shown = picture_of(page, card["preferred"]["picture"])
        assert np.abs(shown / 255 - image).mean() < 0.05


def test_report_explains_each_of_several_inputs(tmp_path: Path) -> None:
    layers = keras.layers
    a, b = keras.Input((6, 5, 1), name="a"), keras.Input((8, 8, 3), name="b")
    flat = [layers.Flatten()(layers.Conv2D(2, 2)(x)) for x in (a, b)]
    outputs = layers.Dense(3, activation="softmax")(layers.Concatenate()(flat))
    model = keras.Model([a, b], outputs)
    rng = np.random.default_rng(0)
    inputs = [rng.normal(size=(2, *x.shape[1:])).astype("float32") for x in (a, b)]
    path = kerasviz.report(model, inputs, tmp_path / "a.html", method="integrated-gradients")
    page = read_page(path)
    result = kerasviz.get_attributions(model, inputs, method="integrated-gradients", evidence=False)
    first, second = page.facts["explanations"]
    assert [part["input"] for part in (first, second)] == ["a", "b"]
    for part, values in zip((first, second), result.values, strict=True):
        tiles = part["tiles"]
        assert (tiles["height"], tiles["width"]) == values.shape[1:3]
        count = tiles["count"]
        low = np.frombuffer(page.blocks["explanations"], "<f4", count, tiles["start"])
        summed = values.sum(axis=-1).reshape(count, -1)
        assert low == pytest.approx(summed.min(axis=1), rel=1e-3, abs=1e-6)
