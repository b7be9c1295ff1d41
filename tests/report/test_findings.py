"""`report` says in plain words what is odd about a model, and only then."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import kerasviz
from page_data import PageData, read_page


def build(seed: int = 0, **options: Any) -> keras.Sequential:
    """Return a small model whose weights are those of no initialiser."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(6, 3, activation="relu", name="conv", **options),
            layers.Flatten(name="flat"),
            layers.Dense(3, activation="softmax", name="head"),
        ]
    )
    rng = np.random.default_rng(seed)
    model.set_weights([0.3 * rng.standard_t(3, w.shape) for w in model.get_weights()])
    return model


def change(model: keras.Model, **filters: Any) -> keras.Model:
    """Set some filters of the convolution, as in `_2=0`."""
    kernel, *rest = model.get_layer("conv").get_weights()
    for name, value in filters.items():
        kernel[..., int(name[1:])] = value
    model.get_layer("conv").set_weights([kernel, *rest])
    return model


def texts(page: PageData) -> list[str]:
    return [finding["text"] for finding in page.facts["findings"]]


def find(model: keras.Model, path: Path, inputs: Any = None, **options: Any) -> PageData:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read_page(kerasviz.report(model, inputs, path / "a.html", **options))


def images(count: int = 12) -> np.ndarray:
    return np.random.default_rng(5).uniform(size=(count, 8, 8, 1)).astype("float32")


def test_report_finds_nothing_odd_about_a_model_in_order(tmp_path: Path) -> None:
    assert texts(find(build(), tmp_path)) == []


def test_report_finds_zero_exploding_duplicate_and_nan_filters(tmp_path: Path) -> None:
    model = build()
    kernel = model.get_layer("conv").get_weights()[0]
    model = change(model, _1=0, _2=kernel[..., 4], _3=1000 * kernel[..., 3])
    assert texts(find(model, tmp_path)) == [
        "1 filter whose weights are all near zero: conv (1).",
        "1 filter more than 20 times as large as the median of its layer (exploding): conv (3).",
        "1 pair of filters with the same kernel (duplicate): conv (2 and 4).",
    ]
    links = [finding["filters"] for finding in find(model, tmp_path).facts["findings"]]
    assert links == [[["conv", 1]], [["conv", 3]], [["conv", 2], ["conv", 4]]]
    page = find(change(build(), _5=np.nan), tmp_path)
    assert texts(page) == ["9 weights are NaN or infinite, in conv."]
    assert page.facts["findings"][0] == {
        "level": "error",
        "text": "9 weights are NaN or infinite, in conv.",
        "layers": ["conv"],
        "filters": [],
        "samples": [],
    }


@pytest.mark.parametrize("initializer", ["glorot_uniform", "he_normal"])
def test_report_finds_layers_that_did_not_move(tmp_path: Path, initializer: str) -> None:
    fresh = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(16, 3, kernel_initializer=initializer, name="first"),
            keras.layers.Conv2D(16, 3, kernel_initializer=initializer, name="second"),
        ]
    )
    assert texts(find(fresh, tmp_path))[0].startswith("No layer with a kernel moved")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fresh.save(tmp_path / "a.keras")
        loaded = keras.models.load_model(tmp_path / "a.keras")
    assert texts(find(loaded, tmp_path))[0].startswith("No layer with a kernel moved")
    kernel, bias = loaded.get_layer("second").get_weights()
    loaded.get_layer("second").set_weights([1.3 * kernel, bias])
    assert texts(find(loaded, tmp_path)) == [
        "1 layer has not moved from the initialisation: first."
    ]


def test_report_does_not_say_of_the_shipped_network_that_it_is_untrained(tmp_path: Path) -> None:
    model = kerasviz.fashion_mnist.load_model()
    assert not [text for text in texts(find(model, tmp_path)) if "initialisation" in text]


def test_report_finds_dead_filters_over_the_data(tmp_path: Path) -> None:
    model = build()
    kernel, bias = model.get_layer("conv").get_weights()
    kernel[..., 2] = -np.abs(kernel[..., 2])
    bias[2] = -1
    model.get_layer("conv").set_weights([kernel, bias])
    page = find(model, tmp_path, images(), method=[])
    words = "Dead, with the same value everywhere in all 12 images: 1 filter, in conv (2)."
    assert words in texts(page)
    assert page.layer("conv")["filters"]["remarks"]["2"] == "dead"
    assert "filters" not in find(model, tmp_path, images(3), method=[]).layer("conv")


def test_report_finds_no_duplicates_where_a_filter_has_a_single_weight(tmp_path: Path) -> None:
    layers = [keras.layers.Conv2D(4, size, name=f"conv{size}") for size in (1, 2)]
    inputs = keras.Input((8, 8, 1))
    model = keras.Model(inputs, [layer(inputs) for layer in layers])
    rng = np.random.default_rng(0)
    for layer in layers:
        kernel = rng.normal(size=layer.kernel.shape)
        kernel[..., 3] = 2 * kernel[..., 0]
        layer.set_weights([kernel, np.zeros(4)])
    page = find(model, tmp_path, images(), method=[])
    (text,) = (text for text in texts(page) if text.startswith("Duplicates"))
    assert text.endswith("1 pair, in conv2 (0 and 3).")
    remarks = page.layer("conv1")["filters"]["remarks"].values()
    assert not [remark for remark in remarks if "like" in remark]
    assert page.layer("conv1")["kernels"]["tiles"]["title"] == "1 input channel × 4 filters"
    remarks = page.layer("conv2")["filters"]["remarks"]
    assert [i for i in remarks if "like" in remarks[i]] == ["0", "3"]


def with_hidden_units(activation: str) -> keras.Model:
    """Return a model of a dense layer, of whose units 1 and 4 are below 0 for every image."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Flatten(),
            layers.Dense(6, name="hidden"),
            layers.Activation(activation, name="act"),
            layers.Dropout(0.5),
            layers.Dense(3, activation="softmax", name="head"),
        ]
    )
    rng = np.random.default_rng(3)
    kernel, bias = rng.uniform(0.1, 1, (64, 6)), np.zeros(6)
    kernel[:, [1, 4]] *= -1
    model.get_layer("hidden").set_weights([kernel, bias])
    return model


def test_report_finds_units_that_never_fire(tmp_path: Path) -> None:
    model = with_hidden_units("relu")
    for count, level in ((120, "warning"), (12, "note")):
        page = find(model, tmp_path, images(count), method=[])
        (finding,) = (x for x in page.facts["findings"] if x["text"].startswith("Never firing"))
        assert finding == {
            "level": level,
            "text": f"Never firing, with the value 0 for all {count} images: 2 units, in hidden "
            "(1, 4).",
            "layers": ["hidden"],
            "filters": [["hidden", 1], ["hidden", 4]],
            "samples": [],
        }
        facts = page.layer("hidden")["filters"]
        assert facts["responds"] == "act"
        assert facts["remarks"] == {"1": "never fires", "4": "never fires"}
        outputs = kerasviz.get_feature_maps(model, "act", images(count))
        cards = {card["filter"]: card for card in facts["cards"]}
        assert sorted(cards) == list(range(6))
        for index, card in cards.items():
            assert card["maximum"] == pytest.approx(outputs[:, index].max(), rel=1e-4)


def test_report_shows_no_image_in_which_a_unit_is_silent(tmp_path: Path) -> None:
    model = with_hidden_units("relu")
    kernel, bias = model.get_layer("hidden").get_weights()
    values = images(20)
    sums = np.sort(values.reshape(20, -1) @ kernel[:, 0])
    bias[0] = -(sums[-3] + sums[-2]) / 2  # above 0 for two images alone
    model.get_layer("hidden").set_weights([kernel, bias])
    cards = find(model, tmp_path, values, method=[]).layer("hidden")["filters"]["cards"]
    counts = {card["filter"]: len(card["images"]) for card in cards}
    assert counts == {0: 2, 1: 0, 2: 6, 3: 6, 4: 0, 5: 6}


@pytest.mark.parametrize("activation", ["tanh", "elu", "linear"])
def test_report_says_of_no_other_activation_that_a_unit_never_fires(
    tmp_path: Path, activation: str
) -> None:
    page = find(with_hidden_units(activation), tmp_path, images(), method=[])
    assert not [text for text in texts(page) if text.startswith("Never firing")]
    assert "filters" not in page.layer("hidden")


def test_report_has_a_card_for_each_filter_with_a_remark(tmp_path: Path) -> None:
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(40, 3, activation="relu", name="conv"),
        ]
    )
    rng = np.random.default_rng(2)
    kernel, bias = rng.normal(size=(3, 3, 1, 40)), np.zeros(40)
    kernel[..., 37] = -1
    model.set_weights([kernel, bias])
    facts = find(model, tmp_path, images(), method=[]).layer("conv")["filters"]
    assert facts["remarks"]["37"] == "dead"
    card = next(card for card in facts["cards"] if card["filter"] == 37)
    assert card["images"] == []
    assert len(facts["cards"]) == 32 + facts["odd"]
    assert {str(card["filter"]) for card in facts["cards"]} >= facts["remarks"].keys()


def test_report_finds_dead_filters_after_the_normalisation(tmp_path: Path) -> None:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(3, 3, name="conv", use_bias=False),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(name="relu"),
        ]
    )
    gamma, beta, mean, variance = model.get_layer("norm").get_weights()
    beta[1] = -100
    model.get_layer("norm").set_weights([gamma, beta, mean, variance])
    page = find(model, tmp_path, images())
    assert page.layer("conv")["filters"]["responds"] == "relu"
    assert page.layer("conv")["filters"]["remarks"]["1"] == "dead"


def test_report_finds_inputs_of_another_range(tmp_path: Path) -> None:
    page = find(build(), tmp_path, 255 * images(2), method=[])
    assert [text for text in texts(page) if "no layer of the model rescales" in text]
    rescaling = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Rescaling(1 / 255), build()])
    page = find(rescaling, tmp_path, images(2), method=[])
    assert [text for text in texts(page) if "made for values up to about 255" in text]
    page = find(rescaling, tmp_path, 255 * images(2), method=[])
    assert not [text for text in texts(page) if text.startswith("The inputs go")]


def test_report_finds_the_first_layer_that_returns_nan(tmp_path: Path) -> None:
    page = find(build(), tmp_path, images(2) * np.inf)
    assert "The inputs hold NaN or infinite values." in texts(page)
    page = find(change(build(), _0=np.inf), tmp_path, images(2))
    assert any(text.startswith("conv is the first layer that returns NaN") for text in texts(page))


def test_report_finds_explanations_no_better_than_random_and_a_baseline_that_is_a_class(
    tmp_path: Path,
) -> None:
    model = kerasviz.fashion_mnist.load_model()
    samples, labels = kerasviz.fashion_mnist.load_samples()
    page = find(model, tmp_path, samples, labels=labels, method="grad-cam")
    result = kerasviz.get_attributions(model, samples, method="grad-cam")
    odd = np.flatnonzero(~result.evidence.faithful)
    (finding,) = (x for x in page.facts["findings"] if "no better than random" in x["text"])
    assert finding["samples"] == odd.tolist()
    zeros = keras.ops.convert_to_numpy(model(np.zeros((1, 28, 28, 1))))[0]
    assert zeros.max() > 0.5
    name = f"class {zeros.argmax()} ({zeros.max():.0%})"
    assert [text for text in texts(page) if f"an input of zeros for {name}" in text]


def test_report_explains_as_get_attributions(tmp_path: Path) -> None:
    model = kerasviz.fashion_mnist.load_model()
    samples, _ = kerasviz.fashion_mnist.load_samples()
    page = find(model, tmp_path, samples[:3], method=["gradient", "grad-cam"])
    results = kerasviz.get_attributions(model, samples[:3], method=["gradient", "grad-cam"])
    for facts in page.facts["explanations"]:
        result = results[facts["method"]]
        assert facts["layer"] == result.layer
        assert facts["targets"] == result.targets.tolist()
        assert facts["evidence"]["faithful"] == result.evidence.faithful.tolist()
        area = facts["evidence"]["deletion"]["area"]
        assert area == pytest.approx(result.evidence.deletion.area.tolist(), abs=1e-3)


def test_report_of_a_model_without_classes_has_no_explanations(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3, name="conv")])
    page = find(model, tmp_path, images(2))
    assert "predictions" not in page.facts
    assert "explanations" not in page.facts


def test_report_holds_the_history(tmp_path: Path) -> None:
    history = {"loss": [1.0, 0.5], "val_loss": [1.1, float("nan")]}
    page = find(build(), tmp_path, history=history)
    (run,) = page.facts["history"]
    assert run["series"]["loss"] == {"epochs": [1, 2], "values": [1.0, 0.5]}
    assert run["series"]["val_loss"] == {"epochs": [1, 2], "values": [1.1, None]}


def test_report_takes_statistics_of_a_larger_data_set(tmp_path: Path) -> None:
    model = build()
    statistics = kerasviz.filter_statistics(model, "conv", images(20))
    page = find(model, tmp_path, images(2), statistics=statistics, method=[])
    facts = page.layer("conv")["filters"]
    assert facts["samples"] == 20
    for card in facts["cards"]:
        index = card["filter"]
        expected = statistics.values[index].tolist()
        names = [f"data-{i}" for i in statistics.indices[index]]
        assert [image["picture"] for image in card["images"]] == names
        assert [image["value"] for image in card["images"]] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"method": "gradcam"}, ValueError, "`method` must be one of .* Did you mean 'grad-cam'"),
        ({"method": 3}, TypeError, "`method` must be a method or a list of methods"),
        ({"statistics": 3}, TypeError, "`statistics` must be what filter_statistics returned"),
        ({"history": 3}, TypeError, "`history` must be what `fit` returned"),
    ],
)
def test_report_refuses_wrong_options(
    tmp_path: Path, options: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        find(build(), tmp_path, images(2), **options)
    assert not list(tmp_path.iterdir())
