"""Every form in which a user may hand over inputs, and every mistake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import ml_dtypes
import numpy as np
import pytest
from keras import layers
from PIL import Image

import kerasviz


@pytest.fixture
def grey() -> keras.Model:
    return keras.Sequential([keras.Input((6, 5, 1)), layers.Conv2D(2, 3, name="c")])


@pytest.fixture
def two() -> keras.Model:
    a, b = keras.Input((6, 5, 1), name="a"), keras.Input((6, 5, 1), name="b")
    return keras.Model([a, b], layers.Conv2D(2, 3, name="c")(layers.Subtract()([a, b])))


X = np.random.default_rng(0).normal(size=(3, 6, 5, 1)).astype("float32")


@pytest.mark.parametrize(
    ("inputs", "batch"),
    [
        (X, X),
        (X[0], X[:1]),
        (X[0, ..., 0], X[:1]),
        (X[..., 0], X),
        (X.tolist(), X),
        ([X], X),
        (X.astype("float64"), X),
        ({"image": X}, X),
        (list(X), X),
    ],
    ids=["batch", "sample", "plane", "planes", "lists", "list of one", "double", "dict", "images"],
)
def test_get_feature_maps_takes_every_form_of_one_input(inputs: Any, batch: np.ndarray) -> None:
    image = keras.Input((6, 5, 1), name="image")
    c = layers.Conv2D(2, 3, name="c")
    model = keras.Model(image, c(image))
    expected = keras.ops.convert_to_numpy(c(batch))
    np.testing.assert_allclose(kerasviz.get_feature_maps(model, "c", inputs), expected, atol=1e-5)


def test_get_feature_maps_takes_tensors_of_the_backend(grey: keras.Model) -> None:
    tensor = keras.ops.convert_to_tensor(X)
    expected = keras.ops.convert_to_numpy(grey.layers[0](X))
    np.testing.assert_allclose(kerasviz.get_feature_maps(grey, 0, tensor), expected, atol=1e-5)


@pytest.mark.parametrize(
    "inputs", [[X, 2 * X], (X, 2 * X), {"b": 2 * X, "a": X}, [X[..., 0], (2 * X)[..., 0]]]
)
def test_get_feature_maps_takes_every_form_of_several_inputs(two: keras.Model, inputs: Any) -> None:
    expected = keras.ops.convert_to_numpy(two.get_layer("c")(X - 2 * X))
    np.testing.assert_allclose(kerasviz.get_feature_maps(two, "c", inputs), expected, atol=1e-5)


def test_get_feature_maps_takes_nested_structures_of_inputs() -> None:
    a, b, c = (keras.Input((6, 5, 1), name=name) for name in "abc")
    conv = layers.Conv2D(2, 3, name="conv")
    model = keras.Model({"first": [a, b], "c": c}, conv(a - 2.0 * b + 3.0 * c))
    inputs = {"c": X, "first": [X[::-1], 2 * X]}
    expected = keras.ops.convert_to_numpy(conv(X[::-1] - 4 * X + 3 * X))
    np.testing.assert_allclose(
        kerasviz.get_feature_maps(model, "conv", inputs), expected, atol=1e-4
    )


def test_get_feature_maps_passes_values_on_as_they_are(grey: keras.Model) -> None:
    bytes_ = (100 * np.abs(X)).astype("uint8")
    before = bytes_.copy()
    expected = keras.ops.convert_to_numpy(grey.layers[0](bytes_.astype("float32")))
    np.testing.assert_allclose(kerasviz.get_feature_maps(grey, 0, bytes_), expected, rtol=1e-4)
    np.testing.assert_array_equal(bytes_, before)


def test_get_feature_maps_gives_the_same_in_batches_of_any_size(grey: keras.Model) -> None:
    many = np.concatenate([X] * 4)
    expected = keras.ops.convert_to_numpy(grey.layers[0](many))
    for batch_size in (1, 5, 12, 100):
        maps = kerasviz.get_feature_maps(grey, 0, many, batch_size=batch_size)
        np.testing.assert_allclose(maps, expected, atol=1e-5)


def test_get_feature_maps_takes_an_image_of_any_size_where_the_model_does() -> None:
    model = keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(2, 3)])
    assert kerasviz.get_feature_maps(model, 0, np.zeros((9, 8, 3))).shape == (1, 7, 6, 2)
    assert kerasviz.get_feature_maps(model, 0, np.zeros((2, 5, 8, 3))).shape == (2, 3, 6, 2)


def test_get_feature_maps_takes_a_batch_or_a_sample_for_an_unbuilt_model() -> None:
    for inputs, samples in ((X, 3), (X[0], 1), (X[..., 0], 3)):
        model = keras.Sequential([layers.Conv2D(2, 3, name="c")])
        assert kerasviz.get_feature_maps(model, "c", inputs).shape == (samples, 4, 3, 2)


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        (
            X[:, :4],
            ValueError,
            r"`inputs` must have the shape \(samples, 6, 5, 1\).*\(3, 4, 5, 1\)",
        ),
        (X[0, 0], ValueError, r"Received: an array of shape \(5, 1\)"),
        (X[np.newaxis], ValueError, r"Received: an array of shape \(1, 3, 6, 5, 1\)"),
        (X[:0], ValueError, r"at least one sample. Received: an array of shape \(0, 6, 5, 1\)"),
        ([], ValueError, "must have the shape"),
        (np.float32(3), ValueError, r"Received: an array of shape \(\)"),
        ("photo.png", TypeError, "`inputs` must hold numbers"),
        (None, TypeError, "`inputs` must hold numbers"),
        ([[1, 2], [3]], ValueError, "not ragged"),
    ],
)
def test_get_feature_maps_refuses_mistakes(
    grey: keras.Model, inputs: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        kerasviz.get_feature_maps(grey, "c", inputs)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (X, "a list or dict of 2, for the model's inputs 'a', 'b'"),
        ([X], "Received: 1"),
        ({"a": X, "c": X}, "keys 'a', 'b'. Received: 'a', 'c'"),
        ([X, X[:2]], "as many samples in each input. Received: 3, 2"),
        ([X, X[:, 1:]], r"The input 'b' must have the shape"),
    ],
)
def test_get_feature_maps_refuses_mistakes_with_several_inputs(
    two: keras.Model, inputs: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        kerasviz.get_feature_maps(two, "c", inputs)


@pytest.mark.parametrize("batch_size", [0, -1, 1.5, None, True, np.True_])
def test_get_feature_maps_refuses_a_wrong_batch_size(grey: keras.Model, batch_size: Any) -> None:
    with pytest.raises(ValueError, match="`batch_size` must be a positive integer"):
        kerasviz.get_feature_maps(grey, "c", X, batch_size=batch_size)


def test_get_feature_maps_leaves_an_unbuilt_model_unbuilt_after_a_mistake() -> None:
    model = keras.Sequential([layers.Conv2D(2, 3, name="c")])
    with pytest.raises(ValueError, match="No such layer"):
        kerasviz.get_feature_maps(model, "d", X)
    assert not model.built
    with pytest.raises(ValueError, match="has no inputs yet"):
        kerasviz.feature_map_model(model, "c")


def one_in(wrap: Callable[[Any], Any]) -> keras.Model:
    """Return a model with one input inside a structure."""
    image = keras.Input((6, 5, 1), name="a")
    return keras.Model(wrap(image), layers.Conv2D(2, 3, name="c")(image))


NAMES = pytest.mark.filterwarnings(
    # What Keras says of keys that are not the names of tensors, and of structures left out.
    "ignore:When providing `inputs` as a dict:UserWarning",
    "ignore:The structure of `inputs`:UserWarning",
)


@pytest.mark.few(6)
@NAMES
@pytest.mark.parametrize(
    ("wrap", "inputs"),
    [
        (lambda i: i, {"a": X}),
        (lambda i: i, {"a": X, "other": X}),
        (lambda i: i, [[X]]),
        (lambda i: {"image": i}, {"image": X}),
        (lambda i: {"image": i}, {"image": X, "other": X}),
        (lambda i: {"image": i}, X),
        (lambda i: {"image": i}, [X]),
        (lambda i: [i], {"a": X}),
        (lambda i: [i], X),
        (lambda i: [{"image": i}], [{"image": X}]),
        (lambda i: [{"image": i}], [X]),
        (lambda i: [{"image": i}], X),
        (lambda i: [[i]], [[X]]),
        (lambda i: [[i]], [X]),
        (lambda i: [[i]], X),
    ],
)
def test_get_feature_maps_takes_one_input_in_a_structure(
    wrap: Callable[[Any], Any], inputs: Any
) -> None:
    model = one_in(wrap)
    expected = model.predict(inputs, verbose=0)
    np.testing.assert_allclose(kerasviz.get_feature_maps(model, "c", inputs), expected, atol=1e-5)


@NAMES
@pytest.mark.parametrize(
    ("wrap", "inputs", "message"),
    [
        (lambda i: i, {"b": X}, "the key 'a'. Received: 'b'"),
        (lambda i: {"image": i}, {"a": X}, "the key 'image'. Received: 'a'"),
        (lambda i: [i], {"image": X}, "the key 'a'. Received: 'image'"),
        (lambda i: [{"image": i}], {"a": X}, r"structure .*\[{'image': 'a'}\]. Received: .*'a'"),
        (lambda i: [[i]], {"a": X}, r"structure .*\[\['a'\]\]. Received: a dict of 'a'"),
    ],
)
def test_get_feature_maps_refuses_keys_that_keras_refuses(
    wrap: Callable[[Any], Any], inputs: Any, message: str
) -> None:
    model = one_in(wrap)
    if keras.backend.backend() == "tensorflow":  # others take some of them
        with pytest.raises(ValueError, match=r"[Mm]issing data|structure"):
            model.predict(inputs, verbose=0)
    with pytest.raises(ValueError, match=message):
        kerasviz.get_feature_maps(model, "c", inputs)


@NAMES
def test_get_feature_maps_takes_a_flat_list_for_nested_inputs() -> None:
    a, b, c = (keras.Input((6, 5, 1), name=name) for name in "abc")
    model = keras.Model([[a, b], c], layers.Conv2D(2, 3, name="conv")(a - 2.0 * b + 3.0 * c))
    inputs = [X, 2 * X, X[::-1]]
    expected = model.predict(inputs, verbose=0)
    maps = kerasviz.get_feature_maps(model, "conv", inputs)
    np.testing.assert_allclose(maps, expected, atol=1e-4)


def test_get_feature_maps_takes_a_sequential_model_of_several_inputs() -> None:
    model = keras.Sequential([layers.Subtract(), layers.Conv2D(2, 3, name="c")])
    inputs = [X, 3 * X[::-1]]
    maps = kerasviz.get_feature_maps(model, "c", inputs)
    expected = keras.ops.convert_to_numpy(model(inputs))
    np.testing.assert_allclose(maps, expected, atol=1e-5)
    np.testing.assert_allclose(kerasviz.get_feature_maps(model, "c", inputs), maps, atol=1e-5)


class Views(keras.Model):
    """A model whose inputs are a list in a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.c = layers.Conv2D(2, 3, name="c")

    def call(self, inputs: Any) -> Any:
        return self.c(inputs["views"][0] - 2 * inputs["views"][1])


def test_get_feature_maps_takes_lists_inside_a_dict_for_a_subclassed_model() -> None:
    model, inputs = Views(), {"views": [X, X[::-1]]}
    maps = kerasviz.get_feature_maps(model, "c", inputs)
    np.testing.assert_allclose(maps, model.predict(inputs, verbose=0), atol=1e-5)
    expected = keras.ops.convert_to_numpy(model.c(X - 2 * X[::-1]))
    np.testing.assert_allclose(maps, expected, atol=1e-5)


class Sums(keras.Model):
    """A model that takes one input or several, of which nothing says how many axes they have."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = layers.Activation("linear", name="linear")

    def call(self, inputs: Any) -> Any:
        return self.linear(sum(inputs) if isinstance(inputs, (list, tuple)) else inputs)


@pytest.mark.parametrize(
    ("shape", "is_several"),
    [((6, 5, 3), False), ((6, 3, 5), True), ((6, 5), True), ((2, 6, 5, 3), True)],
    ids=["images in colour", "time steps", "features", "batches"],
)
def test_get_feature_maps_takes_a_list_of_images_for_samples_and_others_for_inputs(
    shape: tuple[int, ...], is_several: bool, rng: np.random.Generator
) -> None:
    arrays = rng.normal(size=(2, *shape)).astype("float32")
    expected = arrays.sum(axis=0) if is_several else arrays
    maps = kerasviz.get_feature_maps(Sums(), "linear", list(arrays))
    np.testing.assert_allclose(maps, expected, rtol=1e-5, atol=1e-6)


class Data(keras.utils.PyDataset):
    """Batches of images with targets."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return X + index, np.zeros(3)


def test_get_feature_maps_takes_the_first_batch_of_a_data_set(
    grey: keras.Model, plot_feature_maps: Any
) -> None:
    expected = keras.ops.convert_to_numpy(grey.layers[0](X))
    np.testing.assert_allclose(kerasviz.get_feature_maps(grey, "c", Data()), expected, atol=1e-5)
    plot = plot_feature_maps(grey, "c", Data(), sample=[0, 2], tiles=1)
    drawn = plot.images[0].get_array()
    np.testing.assert_allclose(drawn[:4, :3], expected[0, ..., 1], atol=1e-5)
    np.testing.assert_allclose(drawn[-4:, :3], expected[2, ..., 1], atol=1e-5)


def test_get_feature_maps_takes_the_first_batch_of_a_dataset_of_tensorflow(
    grey: keras.Model,
) -> None:
    tf = pytest.importorskip("tensorflow")
    data = tf.data.Dataset.from_tensor_slices((X, np.zeros(3))).batch(2)
    expected = keras.ops.convert_to_numpy(grey.layers[0](X[:2]))
    np.testing.assert_allclose(kerasviz.get_feature_maps(grey, "c", data), expected, atol=1e-5)


def test_get_feature_maps_refuses_to_run_inside_a_function_of_tensorflow(grey: keras.Model) -> None:
    if keras.backend.backend() != "tensorflow":
        pytest.skip("only TensorFlow has graphs without values")
    import tensorflow as tf

    def look() -> None:
        for function in (kerasviz.get_feature_maps, kerasviz.plot_feature_maps):
            with pytest.raises(RuntimeError, match="in eager mode"):
                function(grey, "c", X)

    tf.function(look, autograph=False)()  # else it rewrites all that is called
    with tf.Graph().as_default():
        look()


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Two photos of the size that a model of 6 × 5 pixels takes."""
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path in paths:
        pixels = np.random.default_rng(len(path.name)).integers(256, size=(6, 5, 3))
        Image.fromarray(pixels.astype("uint8")).save(path)
    return paths


def load(path: Path, mode: str) -> np.ndarray:
    """Return an image as Keras loads it."""
    return keras.utils.img_to_array(
        keras.utils.load_img(path, color_mode=mode), data_format="channels_last"
    )


@pytest.mark.parametrize(("channels", "mode"), [(1, "grayscale"), (3, "rgb"), (4, "rgba")])
def test_get_feature_maps_takes_image_files(channels: int, mode: str, photos: list[Path]) -> None:
    model = keras.Sequential([keras.Input((6, 5, channels)), layers.Conv2D(2, 3, name="c")])
    batch = np.stack([load(path, mode) for path in photos])
    expected = keras.ops.convert_to_numpy(model.layers[0](batch))
    for inputs, samples in ((photos, 2), (str(photos[0]), 1), ([str(photos[0])], 1)):
        maps = kerasviz.get_feature_maps(model, "c", inputs)
        np.testing.assert_allclose(maps, expected[:samples], rtol=1e-4, atol=1e-3)
    maps = np.concatenate(list(kerasviz.iter_feature_maps(model, "c", iter(photos))))
    np.testing.assert_allclose(maps, expected, rtol=1e-4, atol=1e-3)


def test_get_feature_maps_takes_an_image_file_for_one_of_several_inputs(
    two: keras.Model, photos: list[Path]
) -> None:
    first = load(photos[0], "grayscale")
    maps = kerasviz.get_feature_maps(two, "c", {"a": photos[0], "b": X[:1]})
    expected = keras.ops.convert_to_numpy(two.get_layer("c")(first - X[:1]))
    np.testing.assert_allclose(maps, expected, rtol=1e-4, atol=1e-3)


def test_get_feature_maps_takes_image_files_of_any_one_size_where_the_model_does(
    photos: list[Path],
) -> None:
    model = keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(2, 3, name="c")])
    assert kerasviz.get_feature_maps(model, "c", photos).shape == (2, 4, 3, 2)
    Image.new("RGB", (9, 8)).save(photos[1])
    with pytest.raises(ValueError, match=r"of one size, .*Received: 5×6, 9×8 pixels"):
        kerasviz.get_feature_maps(model, "c", photos)


@pytest.mark.parametrize(("largest", "factor"), [(1.0, 255), (1.5, 1), (255.0, 1)])
def test_get_feature_maps_takes_image_files_of_floats_up_to_1_or_up_to_255(
    largest: float, factor: int, tmp_path: Path
) -> None:
    model = keras.Sequential([keras.Input((2, 2, 1)), layers.Activation("linear", name="a")])
    pixels = np.array([[0, 0.25], [0.5, largest]], "float32")
    Image.fromarray(pixels).save(tmp_path / "a.tiff")
    maps = kerasviz.get_feature_maps(model, "a", tmp_path / "a.tiff")
    np.testing.assert_allclose(maps[0, ..., 0], factor * pixels, rtol=1e-6)


def take_without_model(inputs: Any) -> kerasviz.FeatureMapSnapshots:
    """Make a callback, which knows no model yet and refuses a form that none can take."""
    return kerasviz.FeatureMapSnapshots(inputs, on_plot=print)


def test_get_feature_maps_refuses_files_that_are_not_images(
    grey: keras.Model, photos: list[Path], tmp_path: Path
) -> None:
    text, cut = tmp_path / "text.png", tmp_path / "cut.png"
    text.write_text("no image")
    cut.write_bytes(photos[0].read_bytes()[:60])
    for path in (text, cut):
        with pytest.raises(ValueError, match=f"cannot be read as an image.*{path.name}"):
            kerasviz.get_feature_maps(grey, "c", [photos[0], path])
    for path in (tmp_path, tmp_path / "cat.jpg"):
        for inputs in (path, str(path), [photos[0], path], {"image": path}):
            with pytest.raises(TypeError, match=r"load_img .*which is not a file"):
                kerasviz.get_feature_maps(grey, "c", inputs)
        # Of several, a callback cannot know before it has a model that these are no texts.
        for inputs in (path, str(path)):
            with pytest.raises(TypeError, match=r"load_img .*which is not a file"):
                take_without_model(inputs)
    unbuilt = keras.Sequential([layers.Conv2D(2, 3, name="c")])
    with pytest.raises(TypeError, match=r"load the file with keras.utils.load_img"):
        kerasviz.get_feature_maps(unbuilt, "c", photos[0])
    assert not unbuilt.built


LABELS = np.zeros((3, 10))


@pytest.mark.parametrize(
    "inputs",
    [(X, LABELS), [X, LABELS], (X, X), (X, list("abc")), (X, LABELS, LABELS[:, 0])],
    ids=["pair", "list", "autoencoder", "words", "weights"],
)
def test_get_feature_maps_refuses_targets_beside_the_inputs(grey: keras.Model, inputs: Any) -> None:
    unbuilt = keras.Sequential([layers.Conv2D(2, 3, name="c")])
    for model in (grey, unbuilt):
        with pytest.raises(ValueError, match=r"x alone.*Received: a \w+ of \d, like \(x, y\)"):
            kerasviz.get_feature_maps(model, "c", inputs)
    assert not unbuilt.built


@pytest.mark.parametrize("x", [[X, X], {"a": X, "b": X}], ids=["list", "dict"])
def test_get_feature_maps_refuses_targets_beside_several_inputs(two: keras.Model, x: Any) -> None:
    with pytest.raises(ValueError, match="x alone"):
        kerasviz.get_feature_maps(two, "c", (x, LABELS))


SHAPE = (2, 6, 5, 1)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (np.ones(SHAPE, "complex64"), "not complex numbers. Give their parts"),
        (np.zeros(SHAPE, "datetime64[s]"), "not dates"),
        (np.zeros(SHAPE, "timedelta64[s]"), "not time spans"),
        (np.full(SHAPE, "0.5"), "not strings"),
        (np.zeros(SHAPE, [("a", "float32")]), "not records"),
        (np.zeros(SHAPE, "object"), "not other objects"),
        (keras.KerasTensor(SHAPE), "symbolic. Received: the KerasTensor"),
        ((x for x in [X]), r"give next\(inputs\), .* iter_feature_maps. Received: .*generator"),
    ],
    ids=lambda value: None if isinstance(value, str) else type(value).__name__,
)
def test_get_feature_maps_refuses_inputs_that_are_not_real_numbers(
    grey: keras.Model, inputs: Any, message: str
) -> None:
    for call in (
        lambda: kerasviz.get_feature_maps(grey, "c", inputs),
        lambda: kerasviz.plot_feature_maps(grey, "c", inputs),
        lambda: kerasviz.plot_architecture(grey, inputs=inputs),
        lambda: kerasviz.plot_convolution(grey, "c", inputs, position=(0, 0)),
    ):
        with pytest.raises(TypeError, match=f"`inputs` .*{message}") as error:
            call()
        assert len(str(error.value)) < 400


def test_get_feature_maps_takes_floats_of_any_dtype(grey: keras.Model) -> None:
    for dtype in (ml_dtypes.bfloat16, "float16", "int8", bool):
        batch = X.astype(dtype)
        expected = keras.ops.convert_to_numpy(grey.layers[0](batch.astype("float32")))
        np.testing.assert_allclose(kerasviz.get_feature_maps(grey, "c", batch), expected, atol=1e-5)


@pytest.mark.parametrize(
    "inputs", [X, [X, X], {"a": X}, (X, LABELS), Data(), np.array(["text"]), X.tolist()]
)
def test_get_feature_maps_refuses_nothing_without_a_model_that_one_may_take(
    inputs: Any,
) -> None:
    assert take_without_model(inputs)


class Parts(keras.Model):
    """A model of parts, which only its training puts together."""

    def __init__(self) -> None:
        super().__init__(name="vae")
        self.scale = layers.Rescaling(2)
        self.encoder = keras.Sequential(
            [keras.Input((6, 5, 1)), layers.Conv2D(2, 3, name="c")], name="encoder"
        )


def test_get_feature_maps_refuses_a_model_without_a_call() -> None:
    model = Parts()
    for function in (kerasviz.get_feature_maps, kerasviz.plot_feature_maps):
        with pytest.raises(ValueError, match=r"no `call` method.*such as model.encoder\. Received"):
            function(model, "encoder/c", X)
    expected = keras.ops.convert_to_numpy(model.encoder.layers[0](X))
    maps = kerasviz.get_feature_maps(model.encoder, "c", X)
    np.testing.assert_allclose(maps, expected, atol=1e-5)
