"""`explore`, without a browser: what the page asks for is what `get_feature_maps` computes."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import keras
import numpy as np
import pytest

import kerasviz

pytest.importorskip("anywidget")


@pytest.fixture(scope="module")
def samples() -> tuple[np.ndarray, np.ndarray]:
    return kerasviz.fashion_mnist.load_samples()


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return kerasviz.fashion_mnist.load_model()


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that sends a message as a browser does, and returns the answer."""

    def ask(widget: Any, kind: str, buffers: Any = (), **options: Any) -> tuple[Any, bytes]:
        answers: list[Any] = []
        monkeypatch.setattr(widget, "send", lambda *parts: answers.append(parts))
        content = {"id": "a-1", "kind": kind, **options}
        data = {"method": "custom", "content": content}
        widget.comm.handle_msg({"content": {"data": data}, "buffers": list(buffers)})
        ((facts, (block,)),) = answers
        assert facts["id"] == "a-1"
        return facts, block

    return ask


def read_tiles(block: bytes, part: dict[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the values of tiles, the range of each, and their indices."""
    count, start = part["count"], part["start"]
    low, high = np.frombuffer(block, "<f4", 2 * count, start).reshape(2, count)
    indices = np.frombuffer(block, "<u4", count, start + 8 * count)
    shape = (count, part["height"], part["width"], part["channels"])
    levels = np.frombuffer(block, "u1", int(np.prod(shape)), start + 12 * count).reshape(shape)
    span = (high - low).reshape(-1, 1, 1, 1)
    values = low.reshape(-1, 1, 1, 1) + span * (levels.astype("float64") - 1) / 254
    return values, span, indices


def small_model(name: str = "conv") -> keras.Model:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((6, 5, 1), name="x"),
            layers.Conv2D(3, 2, name=name),
            layers.Flatten(name="flat"),
            layers.Dense(2, activation="softmax", name="head"),
        ],
        name="small",
    )


@pytest.mark.parametrize("address", ["conv2d", "max_pooling2d_1"])
@pytest.mark.parametrize("sample", [0, 9])
def test_explore_answers_with_get_feature_maps(
    talk: Any, model: keras.Model, samples: Any, address: str, sample: int
) -> None:
    widget = kerasviz.explore(model, samples[0])
    facts, block = talk(widget, "maps", address=address, sample=sample)
    values, span, indices = read_tiles(block, facts["tiles"])
    maps = kerasviz.get_feature_maps(model, address, samples[0])[sample]
    assert indices.tolist() == list(range(maps.shape[-1]))
    expected = np.moveaxis(maps, -1, 0)[..., np.newaxis]
    assert (np.abs(values - expected) <= span / 508 + 1e-6).all()


def test_explore_answers_with_the_kernel(talk: Any, model: keras.Model) -> None:
    facts, block = talk(kerasviz.explore(model), "kernels", address="conv2d")
    values, span, _ = read_tiles(block, facts["kernels"]["tiles"])
    expected = np.moveaxis(kerasviz.get_kernels(model, "conv2d"), -1, 0)
    assert (np.abs(values - expected) <= span / 508 + 1e-6).all()


def test_explore_begins_with_facts_and_no_values_of_layers(
    talk: Any, model: keras.Model, samples: Any
) -> None:
    widget = kerasviz.explore(
        model, samples[0], labels=samples[1], class_names=kerasviz.fashion_mnist.CLASSES
    )
    facts, block = talk(widget, "facts")
    assert [layer["address"] for layer in facts["layers"]][:2] == ["conv2d", "max_pooling2d"]
    assert facts["predictions"] == {
        "classes": 10,
        "samples": 10,
        "right": 9,
        "confusions": [[4, 2, 1]],
    }
    assert len(facts["samples"]) == facts["total"] == 10
    assert len(block) == 10 * 28 * 28
    # What a notebook may save holds the script, and none of the values.
    state = widget.get_state()
    assert sum(len(str(value)) for name, value in state.items() if name != "_esm") < 2_000
    assert len(state["_esm"]) < 200_000


def test_explore_explains_an_answer_when_it_is_asked(
    talk: Any, model: keras.Model, samples: Any
) -> None:
    widget = kerasviz.explore(model, samples[0], labels=samples[1])
    talk(widget, "facts")
    facts, block = talk(widget, "explanations", sample=4)
    why, *others = facts["explanations"]
    assert why["targets"] == [[2, 4]]
    assert [part["method"] for part in others] == ["integrated-gradients", "grad-cam"]
    values, span, _ = read_tiles(block, others[0]["tiles"])
    result = kerasviz.get_attributions(
        model, samples[0][4:5], method="integrated-gradients", evidence=False
    )
    expected = result.values.sum(axis=-1)[..., np.newaxis]
    assert np.abs(values - expected).max() <= span.max() / 254


def test_explore_shows_what_filters_respond_to(talk: Any, model: keras.Model, samples: Any) -> None:
    widget = kerasviz.explore(model, samples[0], labels=samples[1])
    facts, _ = talk(widget, "filters", address="conv2d_1")
    statistics = kerasviz.filter_statistics(model, "conv2d_1", samples[0], labels=samples[1])
    for card in facts["filters"]["cards"]:
        assert card["maximum"] == pytest.approx(float(statistics.maximum[card["filter"]]))
        first = card["images"][0]
        assert first["picture"] == str(statistics.indices[card["filter"], 0])
        assert first["picture"] in facts["pictures"]


def test_explore_makes_preferred_inputs_when_cards_are_looked_at(
    talk: Any, model: keras.Model, samples: Any
) -> None:
    widget = kerasviz.explore(model, samples[0])
    facts, _ = talk(widget, "filters", address="conv2d")
    cards = [card["filter"] for card in facts["filters"]["cards"]]
    facts, block = talk(widget, "preferred", address="conv2d")
    assert sorted(map(int, facts["preferred"])) == sorted(cards[:16])
    made = kerasviz.get_preferred_inputs(
        model, "conv2d", filters=cards[:1], limits=(0, 1), steps=64
    )
    entry = facts["preferred"][str(cards[0])]
    assert entry["value"] == pytest.approx(float(made.values[0]), rel=0.02)
    part = facts["pictures"][entry["picture"]]
    shown = np.frombuffer(block, "uint8", 9 * part["channels"], part["start"])
    assert np.abs(shown / 255 - made.images[0].ravel()).mean() < 0.05
    assert talk(widget, "preferred", address="dense")[0]["preferred"] == {}


def rgba(grey: np.ndarray) -> bytes:
    """Return an image `(height, width)` as a browser decodes it."""
    pixels = np.full((*grey.shape, 4), 255, "uint8")
    pixels[..., :3] = grey[..., np.newaxis]
    return pixels.tobytes()


def test_explore_takes_a_dropped_image(talk: Any, model: keras.Model, samples: Any) -> None:
    widget = kerasviz.explore(model, samples[0], labels=samples[1])
    facts, _ = talk(widget, "facts")
    assert facts["drop"]["conversion"] == "0-1"
    assert (facts["drop"]["height"], facts["drop"]["width"]) == (28, 28)
    grey = np.rint(255 * samples[0][3]).astype("uint8").reshape(28, 28)
    facts, block = talk(
        widget, "drop", [rgba(grey)], name="<b>.png", size=[28, 28], conversion="0-1"
    )
    assert facts["index"] == 10
    assert facts["samples"][-1]["name"] == "<b>.png"
    assert facts["samples"][-1]["top"][0][0] == samples[1][3]
    assert np.frombuffer(block, "uint8").reshape(28, 28).tolist() == grey.tolist()
    facts, block = talk(widget, "maps", address="conv2d", sample=10)
    values, span, _ = read_tiles(block, facts["tiles"])
    image = (grey / np.float32(255)).astype("float32")
    expected = np.moveaxis(kerasviz.get_feature_maps(model, "conv2d", image)[0], -1, 0)
    assert (np.abs(values[..., 0] - expected) <= span[..., 0] / 508 + 1e-4).all()
    facts, _ = talk(widget, "explanations", sample=10)
    assert len(facts["explanations"]) == 2


@pytest.mark.parametrize(
    ("low", "high", "name"),
    [(0, 1, "0-1"), (0, 255, "0-255"), (-1, 1, "-1-1"), (-120, 140, "caffe"), (-2, 2.5, "torch")],
)
def test_explore_guesses_the_values_of_new_images(
    talk: Any, low: float, high: float, name: str
) -> None:
    model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Conv2D(2, 2, name="c")])
    images = np.linspace(low, high, 48, dtype="float32").reshape(1, 4, 4, 3)
    widget = kerasviz.explore(model, images)
    facts, _ = talk(widget, "facts")
    assert facts["drop"]["conversion"] == name
    # What is dropped becomes what Keras's own function makes of it.
    pixels = np.arange(48, dtype="uint8").reshape(4, 4, 3)
    opaque = np.concatenate([pixels, np.full((4, 4, 1), 255, "uint8")], axis=-1)
    talk(widget, "drop", [opaque.tobytes()], name="a", size=[4, 4], conversion=name)
    facts, block = talk(widget, "maps", address="c", sample=1)
    if name in ("caffe", "torch"):
        convert = keras.applications.imagenet_utils.preprocess_input
        values = convert(pixels.astype("float32"), data_format="channels_last", mode=name)
    else:
        scale, shift = {"0-1": (255, 0), "0-255": (1, 0), "-1-1": (127.5, -1)}[name]
        values = pixels.astype("float32") / scale + shift
    shown, span, _ = read_tiles(block, facts["tiles"])
    expected = np.moveaxis(kerasviz.get_feature_maps(model, 0, values)[0], -1, 0)
    assert (np.abs(shown[..., 0] - expected) <= span[..., 0] / 400 + 1e-5).all()


def test_explore_looks_at_other_inputs(talk: Any) -> None:
    model = small_model()
    first, second = np.random.default_rng(0).normal(size=(2, 3, 6, 5, 1)).astype("float32")
    widget = kerasviz.explore(model, first, labels=[0, 1, 1])
    talk(widget, "facts")
    widget.inputs = second[:2]
    assert np.array_equal(widget.inputs, second[:2])
    facts, _ = talk(widget, "facts")
    assert facts["total"] == 2
    assert "label" not in facts["samples"][0]
    facts, block = talk(widget, "maps", address="conv", sample=1)
    values, span, _ = read_tiles(block, facts["tiles"])
    expected = np.moveaxis(kerasviz.get_feature_maps(model, "conv", second)[1], -1, 0)
    assert (np.abs(values[..., 0] - expected) <= span[..., 0] / 508 + 1e-6).all()
    with pytest.raises(ValueError, match="inputs"):
        widget.inputs = np.zeros((2, 9, 9, 1))
    assert np.array_equal(widget.inputs, second[:2])


@keras.saving.register_keras_serializable("kerasviz_tests")
class Failing(keras.layers.Layer):
    """Refuses to be called on values."""

    def compute_output_spec(self, x: Any) -> Any:
        return keras.KerasTensor(x.shape, x.dtype)

    def call(self, x: Any) -> Any:
        raise RuntimeError(f"<b>this layer does not work</b> on {x.shape}")


def test_explore_shows_the_error_of_a_model_that_fails(talk: Any) -> None:
    inputs = keras.Input((4, 4, 1))
    outputs = Failing(name="failing")(keras.layers.Conv2D(2, 2, name="conv")(inputs))
    widget = kerasviz.explore(keras.Model(inputs, outputs), np.zeros((1, 4, 4, 1), "float32"))
    facts, block = talk(widget, "maps", address="failing", sample=0)
    assert "this layer does not work" in facts["error"]
    assert block == b""
    facts, _ = talk(widget, "maps", address="conv", sample=0)
    assert facts["tiles"]["count"] == 2


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("maps", {"address": "nothing", "sample": 0}),
        ("maps", {"address": "conv", "sample": 99}),
        ("drop", {"name": "a", "size": [1, 1], "conversion": "0-1"}),
        ("nothing", {}),
        ("maps", {}),
    ],
)
def test_explore_answers_a_wrong_message_with_an_error(
    talk: Any, kind: str, options: dict[str, Any]
) -> None:
    widget = kerasviz.explore(small_model(), np.zeros((1, 6, 5, 1), "float32"))
    facts, _ = talk(widget, kind, **options)
    assert facts["error"]


def test_explore_takes_models_of_every_form(talk: Any) -> None:
    layers = keras.layers

    class Subclassed(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.conv = layers.Conv2D(2, 2, name="conv")

        def call(self, x: Any) -> Any:
            return self.conv(x)

    inner = keras.Sequential([keras.Input((6, 5, 1)), layers.Conv2D(2, 2, name="a?b")], name="in")
    nested = keras.Sequential([keras.Input((6, 5, 1)), inner])
    a, b = keras.Input((6, 5, 1), name="a"), keras.Input((3,), name="b")
    several = keras.Model([a, b], [layers.Conv2D(2, 2, name="conv")(a), layers.Dense(2)(b)])
    images = np.random.default_rng(0).normal(size=(2, 6, 5, 1)).astype("float32")
    for model, inputs, address in (
        (Subclassed(), images, "conv"),
        (nested, images, "in/a?b"),
        (several, [images, np.zeros((2, 3))], "conv"),
    ):
        widget = kerasviz.explore(model, inputs)
        facts, _ = talk(widget, "facts")
        assert address in [layer["address"] for layer in facts["layers"]]
        facts, block = talk(widget, "maps", address=address, sample=1)
        values, span, _ = read_tiles(block, facts["tiles"])
        refs = [ref for ref in kerasviz.find_layers(model, "*") if ref.address == address]
        maps = kerasviz.get_feature_maps(model, refs[0].address, inputs)[1]
        expected = np.moveaxis(maps, -1, 0)
        assert (np.abs(values[..., 0] - expected) <= span[..., 0] / 508 + 1e-6).all()


def test_explore_refuses_what_it_cannot_show() -> None:
    model = small_model()
    with pytest.raises(TypeError, match="model"):
        kerasviz.explore("model.keras")
    with pytest.raises(ValueError, match="`labels` can only be used together with `inputs`"):
        kerasviz.explore(model, labels=[1])
    with pytest.raises(ValueError, match="one class for each of the 2 samples"):
        kerasviz.explore(model, np.zeros((2, 6, 5, 1)), labels=[1])
    with pytest.raises(TypeError, match="class_names"):
        kerasviz.explore(model, class_names="abc")
    with pytest.raises(ValueError, match="inputs"):
        kerasviz.explore(model, np.zeros((2, 9, 9, 1)))
    unbuilt = keras.Sequential([keras.layers.Conv2D(2, 2)])
    with pytest.raises(ValueError, match="build"):
        kerasviz.explore(unbuilt)


def test_explore_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "kerasviz\[notebook\]"'):
        kerasviz.explore(small_model())


def test_explore_is_what_imports_anywidget() -> None:
    script = (
        "import sys, kerasviz; kerasviz.explore; kerasviz.report; "
        "print({'anywidget', 'ipywidgets'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "set()"


def test_explore_leaves_the_model_as_it_was(talk: Any, samples: Any) -> None:
    model = kerasviz.fashion_mnist.load_model()
    before = [np.array(weight) for weight in model.get_weights()]
    widget = kerasviz.explore(model, samples[0], labels=samples[1])
    for kind, options in (
        ("facts", {}),
        ("findings", {}),
        ("kernels", {"address": "conv2d"}),
        ("explanations", {"sample": 0}),
    ):
        facts, _ = talk(widget, kind, **options)
        assert "error" not in facts
    for old, new in zip(before, model.get_weights(), strict=True):
        assert np.array_equal(old, new)
