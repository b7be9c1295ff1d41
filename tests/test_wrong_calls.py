"""Wrong calls of the public functions: an error before any work, which names the argument."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

import kerasviz

NAN, HUGE = float("nan"), 10**30
COUNTS: tuple[Any, ...] = (True, np.True_, 0, -1, 1.5, NAN, "3", [])
LAYERS: tuple[Any, ...] = (NAN, 1.5, True, 99, -99, HUGE, [], {"a": 1}, b"a", int, ("first", 3.5))
MODELS: tuple[Any, ...] = (None, 3, "model.keras", [], keras.Sequential, {})
INPUTS: tuple[Any, ...] = (
    None,
    3,
    "no-file.png",
    [],
    np.zeros((0, 12, 12, 1)),
    np.zeros((2, 5, 5, 1)),
    np.zeros(12),
    np.array([None]),
    np.zeros((1, 12, 12, 1), complex),
    np.zeros((1, 12, 12, 1), "M8[s]"),
    np.array(["a"]),
    np.zeros((1, 12, 12, 2)),
    [[1, 2], [3]],
)
STYLES: dict[str, tuple[Any, ...]] = {
    "tiles": (True, NAN, 1.5, "x", "3", [], [1.5], 99, -99, HUGE, slice(0, 0), {}, [0, 99]),
    "sort": ("x", 3, True, []),
    "top": (*COUNTS, HUGE * -1),
    "tile_names": ("abc", 3, {}),
    "labels": (1, "yes"),
    "scale": ("x", None, 3),
    "cmap": ("nope", 3, True, []),
    "vmin": ("3", True, NAN, []),
    "vmax": ("3", True, NAN, []),
    "norm": ("x", 3, True),
    "columns": COUNTS,
    "figsize": (3, (1,), (1, 2, 3), (0, 1), (-1, 1), (NAN, 1), ("a", "b"), True),
    "title": (3, []),
    "colorbar": (None, 1, "yes"),
    "ax": (3, "ax", [], plt),
    "figure": (3, "f", True),
    "nope": (3,),
}


def message_of(call: Callable[[], Any]) -> str:
    """Return what a wrong call says, and see that it left no figure."""
    try:
        call()
    except (TypeError, ValueError) as error:
        assert not plt.get_fignums()
        return str(error)
    plt.close("all")
    pytest.fail("no error")


@pytest.fixture
def model(grey_model: keras.Model) -> keras.Model:
    """A model that nothing has run yet, so that to run it is to call its layers."""
    return keras.models.clone_model(grey_model)


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Check what a call says for each wrong value of one argument."""

    def run(*_: Any, **__: Any) -> None:
        pytest.fail("a model was asked to run")

    monkeypatch.setattr(keras.Layer, "__call__", run)

    def check(name: str, call: Callable[[Any], Any], values: tuple[Any, ...]) -> None:
        for value in values:
            message = message_of(lambda value=value: call(value))
            assert f"`{name}`" in message, (value, message)
            assert "Received: " in message or "Unexpected keyword" in message, (value, message)
            assert len(message) < 700, (value, message)

    return check


def functions(model: keras.Model) -> dict[str, Callable[..., Any]]:
    """Return the functions that draw tiles, with what they draw."""
    image = np.zeros((1, 12, 12, 1), "float32")
    return {
        "tiles": lambda **options: kerasviz.plot_tiles(np.ones((5, 5, 4)), **options),
        "kernels": lambda **options: kerasviz.plot_kernels(model, "first", **options),
        "maps": lambda **options: kerasviz.plot_feature_maps(model, "first", image, **options),
    }


@pytest.mark.parametrize("keyword", STYLES)
@pytest.mark.parametrize("function", ["tiles", "kernels", "maps"])
def test_keywords_of_tiles(function: str, keyword: str, model: keras.Model, check) -> None:
    draw = functions(model)[function]
    check(keyword, lambda value: draw(**{keyword: value}), STYLES[keyword])


@pytest.mark.parametrize("projection", ["polar", "3d"])
@pytest.mark.parametrize("function", ["tiles", "kernels", "maps"])
def test_axes_that_hold_no_tiles(function: str, projection: str, model: keras.Model, check) -> None:
    ax = Figure().add_subplot(projection=projection)
    check("ax", lambda ax: functions(model)[function](ax=ax), (ax,))


def test_what_is_not_a_model(check) -> None:
    image = np.zeros((1, 12, 12, 1))
    for function in (kerasviz.get_kernels, kerasviz.plot_kernels, kerasviz.find_layers):
        check("model", function, MODELS)
    check("model", lambda model: kerasviz.get_feature_maps(model, None, image), MODELS)
    check("model", lambda model: kerasviz.iter_feature_maps(model, None, image), MODELS)
    check("model", lambda model: kerasviz.feature_map_model(model, "a"), MODELS)


def test_what_is_not_a_layer(model: keras.Model, check) -> None:
    image = np.zeros((1, 12, 12, 1))
    for function in (kerasviz.get_kernels, kerasviz.plot_kernels, kerasviz.feature_map_model):
        check("layer", lambda layer, call=function: call(model, layer), LAYERS)
    check("layer", lambda layer: kerasviz.get_feature_maps(model, layer, image), LAYERS)


def test_what_is_not_an_input(model: keras.Model, check) -> None:
    for function in (kerasviz.get_feature_maps, kerasviz.plot_feature_maps):
        check("inputs", lambda inputs, call=function: call(model, "first", inputs), INPUTS)


def test_counts(model: keras.Model, check) -> None:
    image = np.zeros((1, 12, 12, 1))
    train = kerasviz.fashion_mnist.train
    for function in (kerasviz.get_feature_maps, kerasviz.iter_feature_maps):
        check(
            "batch_size",
            lambda n, call=function: call(model, "first", image, batch_size=n),
            COUNTS,
        )
    check("batch_size", lambda n: train("nowhere", batch_size=n), COUNTS)
    check("epochs", lambda n: train("nowhere", epochs=n), COUNTS)
    check("seed", lambda n: train("nowhere", seed=n), (-1, 2**32, True, 1.5, "0", None))
    check("subset", lambda n: train("nowhere", subset=n), (4, True, "x", NAN))


def test_what_is_not_a_path(check) -> None:
    plot = kerasviz.plot_tiles(np.ones((3, 3, 2)), figure=Figure())
    values = (3, True, [], NAN)
    check("path", plot.savefig, (*values, None))
    check("folder", kerasviz.fashion_mnist.load_data, values)
    check("output", lambda path: kerasviz.fashion_mnist.train("nowhere", path), values)


ATTRIBUTIONS: dict[str, tuple[Any, ...]] = {
    "layer": (NAN, 1.5, True, 99, HUGE, [], {"a": 1}, b"a", int, "flat", "nowhere", ["flat"]),
    "method": ("gradcam", None, 3, [], ["grad-cam", "x"], {"a": 1}),
    "target": (10**9, -1, True, 1.5, "x", [], [0, 1], (1, 1), (0, 1, 2), {}, {"x": 0}, NAN, len),
    "score": ("softmax", None, 3, True),
    "baseline": (
        "black",
        [],
        np.zeros(3),
        np.zeros((2, 12, 12, 1)),
        {},
        "a",
        NAN,
        True,
        [None, "x"],
    ),
    "evidence": ("yes", None, 3, "random"),
    "batch_size": COUNTS,
    "steps": COUNTS,
    "seed": (-1, True, 1.5, "0", None),
    "verbose": (2, True, None, "yes"),
}


Explained = tuple[keras.Model, keras.Model]


@pytest.fixture
def explained(grey_model: keras.Model) -> Explained:
    """Two models whose heads are known: what can be a target tells one call, which is kept."""
    features = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    for model in (grey_model, features):
        inputs = np.zeros((1, *model.input_shape[1:]), "float32")
        kerasviz.get_attributions(model, inputs, method="gradient", evidence=False)
    return grey_model, features


@pytest.mark.few(4)
@pytest.mark.parametrize("keyword", ATTRIBUTIONS)
def test_keywords_of_attributions(keyword: str, explained: Explained, check) -> None:
    grey_model, _ = explained
    values = ATTRIBUTIONS[keyword]
    if keras.backend.backend() == "torch":
        # What a function returns is known when it was called; only PyTorch calls layers for that.
        values = tuple(value for value in values if not callable(value))
    image = np.zeros((1, 12, 12, 1), "float32")
    method = "integrated-gradients" if keyword == "steps" else "grad-cam"
    options: dict[str, Any] = {"method": method, "target": 0}
    check(
        keyword,
        lambda value: kerasviz.get_attributions(grey_model, image, **{**options, keyword: value}),
        values,
    )


def test_what_attributions_cannot_explain(explained: Explained, check) -> None:
    grey_model, features = explained
    image = np.zeros((1, 12, 12, 1), "float32")
    explain = kerasviz.get_attributions
    check("model", lambda model: explain(model, image), MODELS)
    check("inputs", lambda inputs: explain(grey_model, inputs), INPUTS)
    check("steps", lambda n: explain(grey_model, image, method="gradient", steps=n), (3,))
    check("layer", lambda a: explain(grey_model, image, method="gradient", layer=a), ("first",))
    check("inputs", lambda inputs: explain(features, inputs), (np.full((1, 4), NAN),))
    for method in ("occlusion", "rise"):
        check("method", lambda m: explain(features, np.zeros((1, 4)), method=m), (method,))
    check("baseline", lambda b: explain(features, np.zeros((1, 4)), baseline=b), ("blur",))


MISTAKES: dict[str, tuple[Any, ...]] = {
    "layer": (NAN, 1.5, 99, [], {"a": 1}, b"a", int, "nowhere", "first"),
    "baseline": ("black", [], np.zeros(3), {}, NAN, True),
    "evidence": ("yes", None, 3),
    "steps": COUNTS,
    "seed": (-1, True, 1.5, "0", None),
    "verbose": (2, True, None, "yes"),
}


@pytest.mark.parametrize("keyword", MISTAKES)
def test_keywords_of_mistakes_before_the_inputs_run(
    keyword: str, model: keras.Model, check
) -> None:
    images, labels = np.zeros((2, 12, 12, 1), "float32"), [0, 1]
    draw = kerasviz.plot_mistakes
    check(keyword, lambda value: draw(model, images, labels, **{keyword: value}), MISTAKES[keyword])
    batches = [(images, np.array(labels))]
    check(keyword, lambda value: draw(model, iter(batches), **{keyword: value}), MISTAKES[keyword])


def test_keywords_of_filters(model: keras.Model, check) -> None:
    image = np.zeros((1, 12, 12, 1), "float32")
    draw = kerasviz.plot_filters
    check("filters", lambda n: draw(model, "first", image, filters=n), (1.5, [], [1.5], [[1], 2]))
    check("preferred", lambda n: draw(model, "first", image, preferred=n), ("yes", 3, None, []))
    likes = (3, "x", np.zeros((2, 2)), np.zeros((0, 12, 12, 1)))
    for function in (kerasviz.get_preferred_inputs, kerasviz.plot_preferred_inputs):
        check("like", lambda like, call=function: call(model, "first", like=like), likes)


def test_samples_of_a_report(model: keras.Model, check, tmp_path: Path) -> None:
    images, path = np.zeros((3, 12, 12, 1), "float32"), tmp_path / "report.html"
    for keyword, values in {"picture": (1.5, "x", [1]), "sample_names": (3, "abc", ["a"])}.items():
        check(
            keyword,
            lambda value, name=keyword: kerasviz.report(model, images, path, **{name: value}),
            values,
        )
    assert not path.exists()
