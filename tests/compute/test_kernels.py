"""Kernels of every layer that has one: convolving with them in SciPy gives what the layer gives."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from scipy import signal

import kerasviz


def built(layer: keras.Layer, *shape: int) -> tuple[keras.Model, np.ndarray, np.ndarray]:
    """Return a model of one layer without bias, random inputs, and the layer's outputs."""
    model = keras.Sequential([keras.Input(shape), layer])
    x = np.random.default_rng(0).normal(size=(1, *shape)).astype("float32")
    return model, x[0], keras.ops.convert_to_numpy(keras.ops.cast(layer(x), "float32"))[0]


def correlate(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Cross-correlate `(..., channels)` with `(..., channels, filters)`, without padding."""
    channels, filters = kernel.shape[-2:]
    maps = [
        sum(signal.correlate(x[..., c], kernel[..., c, f], "valid") for c in range(channels))
        for f in range(filters)
    ]
    return np.stack(maps, axis=-1)


def dilate(kernel: np.ndarray, rate: int) -> np.ndarray:
    wide = np.zeros((*(rate * (n - 1) + 1 for n in kernel.shape[:2]), *kernel.shape[2:]))
    wide[::rate, ::rate] = kernel
    return wide


@pytest.mark.parametrize("bias", [True, False])
def test_get_kernels_of_a_convolution(bias: bool) -> None:
    layer = layers.Conv2D(4, (3, 2), use_bias=bias)
    model, x, expected = built(layer, 8, 7, 3)
    kernel = kerasviz.get_kernels(model, 0)
    assert (kernel.dtype, kernel.shape) == (np.float32, (3, 2, 3, 4))
    np.testing.assert_allclose(correlate(x, kernel), expected, atol=1e-5)


def test_get_kernels_of_stride_and_dilation() -> None:
    model, x, expected = built(layers.Conv2D(4, 3, strides=2, use_bias=False), 9, 9, 3)
    np.testing.assert_allclose(
        correlate(x, kerasviz.get_kernels(model, 0))[::2, ::2], expected, atol=1e-5
    )
    model, x, expected = built(layers.Conv2D(4, 3, dilation_rate=2, use_bias=False), 9, 9, 3)
    kernel = dilate(kerasviz.get_kernels(model, 0), 2)
    np.testing.assert_allclose(correlate(x, kernel), expected, atol=1e-5)


def test_get_kernels_of_groups() -> None:
    model, x, expected = built(layers.Conv2D(6, 3, groups=2, use_bias=False), 8, 8, 4)
    kernel = kerasviz.get_kernels(model, 0)
    assert kernel.shape == (3, 3, 2, 6)
    maps = [correlate(x[..., :2], kernel[..., :3]), correlate(x[..., 2:], kernel[..., 3:])]
    np.testing.assert_allclose(np.concatenate(maps, axis=-1), expected, atol=1e-5)


def test_get_kernels_of_one_dimension_is_a_row() -> None:
    model, x, expected = built(layers.Conv1D(4, 3, use_bias=False), 9, 2)
    kernel = kerasviz.get_kernels(model, 0)
    assert kernel.shape == (1, 3, 2, 4)
    np.testing.assert_allclose(correlate(x[np.newaxis], kernel)[0], expected, atol=1e-5)


def test_get_kernels_of_three_dimensions() -> None:
    model, x, expected = built(layers.Conv3D(4, (2, 3, 2), use_bias=False), 5, 6, 7, 2)
    kernel = kerasviz.get_kernels(model, 0)
    assert kernel.shape == (2, 3, 2, 2, 4)
    np.testing.assert_allclose(correlate(x, kernel), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.Conv1DTranspose(4, 3, use_bias=False), (6, 2)),
        (layers.Conv2DTranspose(4, (3, 2), use_bias=False), (6, 5, 2)),
        (layers.Conv3DTranspose(4, 2, use_bias=False), (4, 3, 5, 2)),
    ],
    ids=lambda value: value.name if isinstance(value, keras.Layer) else "",
)
def test_get_kernels_of_a_transposed_convolution(
    layer: keras.Layer, shape: tuple[int, ...]
) -> None:
    model, x, expected = built(layer, *shape)
    kernel = kerasviz.get_kernels(model, 0)
    assert kernel.shape[-2:] == (2, 4)
    if len(shape) == 2:
        x, expected = x[np.newaxis], expected[np.newaxis]
    maps = [
        sum(signal.convolve(x[..., c], kernel[..., c, f], "full") for c in range(2))
        for f in range(4)
    ]
    np.testing.assert_allclose(np.stack(maps, axis=-1), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.DepthwiseConv1D(3, depth_multiplier=2, use_bias=False), (9, 3)),
        (layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False), (9, 8, 3)),
    ],
    ids=lambda value: value.name if isinstance(value, keras.Layer) else "",
)
def test_get_kernels_of_a_depthwise_convolution(layer: keras.Layer, shape: tuple[int, ...]) -> None:
    model, x, expected = built(layer, *shape)
    kernel = kerasviz.get_kernels(model, 0)
    assert kernel.shape[-2:] == (1, 6)
    if len(shape) == 2:
        x, expected = x[np.newaxis], expected[np.newaxis]
    maps = [correlate(x[..., f // 2 : f // 2 + 1], kernel[..., f : f + 1]) for f in range(6)]
    np.testing.assert_allclose(np.concatenate(maps, axis=-1), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.SeparableConv1D(5, 3, use_bias=False), (9, 3)),
        (layers.SeparableConv2D(5, 3, use_bias=False), (9, 8, 3)),
    ],
    ids=lambda value: value.name if isinstance(value, keras.Layer) else "",
)
def test_get_kernels_of_a_separable_layer_has_both_parts(
    layer: keras.Layer, shape: tuple[int, ...]
) -> None:
    model, x, expected = built(layer, *shape)
    depthwise = kerasviz.get_kernels(model, layer.name)
    pointwise = kerasviz.get_kernels(model, f"{layer.name}/pointwise")
    np.testing.assert_equal(kerasviz.get_kernels(model, f"{layer.name}/depthwise"), depthwise)
    assert depthwise.shape[-2:] == (1, 3)
    assert pointwise.shape == (1, 1, 3, 5)
    if len(shape) == 2:
        x, expected = x[np.newaxis], expected[np.newaxis]
    maps = [correlate(x[..., f : f + 1], depthwise[..., f : f + 1]) for f in range(3)]
    mixed = correlate(np.concatenate(maps, axis=-1), pointwise)
    np.testing.assert_allclose(mixed, expected, atol=1e-5)


def test_get_kernels_names_all_parts_that_a_name_may_mean() -> None:
    parts = [layers.SeparableConv2D(2, 3, name=name) for name in ("s", "t")]
    model = keras.Sequential([keras.Input((9, 8, 3)), *parts])
    for name in ("depthwise", "pointwise"):
        with pytest.raises(ValueError, match=f"must name one of 's/{name}', 't/{name}'"):
            kerasviz.get_kernels(model, name)


def test_get_kernels_lists_no_class_that_a_layer_does_not_have() -> None:
    model, *_ = built(layers.SeparableConv2D(5, 3, name="s"), 9, 8, 3)
    with pytest.raises(ValueError, match="of the classes InputLayer, SeparableConv2D; "):
        kerasviz.get_kernels(model, layers.Dense)


@pytest.mark.parametrize(
    ("kind", "shape", "window"),
    [
        (layers.ConvLSTM1D, (2, 6, 3), (1, 3)),
        (layers.ConvLSTM2D, (2, 6, 6, 3), (3, 3)),
        (layers.ConvLSTM3D, (2, 5, 5, 5, 3), (3, 3, 3)),
    ],
)
def test_get_kernels_of_a_convolutional_lstm(
    kind: Any, shape: tuple[int, ...], window: tuple[int, ...]
) -> None:
    model, _, _ = built(kind(2, 3, name="lstm"), *shape)
    kernel = kerasviz.get_kernels(model, 0)
    recurrent = kerasviz.get_kernels(model, "lstm/recurrent")
    assert kernel.shape == (*window, 3, 8)  # four gates of two filters
    assert recurrent.shape == (*window, 2, 8)
    weights = model.layers[0].get_weights()
    np.testing.assert_array_equal(kernel.ravel(), weights[0].ravel())
    np.testing.assert_array_equal(recurrent.ravel(), weights[1].ravel())


def test_get_kernels_of_lora_is_the_effective_kernel() -> None:
    layer = layers.Conv2D(4, 3, use_bias=False)
    model, x, _ = built(layer, 8, 8, 3)
    layer.enable_lora(2)
    for weight in layer.trainable_variables:
        weight.assign(np.random.default_rng(1).normal(size=weight.shape))
    expected = keras.ops.convert_to_numpy(layer(x[np.newaxis]))[0]
    kernel = kerasviz.get_kernels(model, 0)
    np.testing.assert_allclose(correlate(x, kernel), expected, atol=1e-3)


def test_get_kernels_of_half_precision_is_float32() -> None:
    model, _, _ = built(layers.Conv2D(4, 3, dtype="bfloat16"), 8, 8, 3)
    assert kerasviz.get_kernels(model, 0).dtype == np.float32


def test_get_kernels_of_a_shared_layer_is_one_kernel() -> None:
    inputs = keras.Input((6, 6, 2))
    c = layers.Conv2D(2, 3, padding="same", name="c")
    model = keras.Model(inputs, c(c(inputs)))
    assert kerasviz.get_kernels(model, "c").shape == (3, 3, 2, 2)
    assert len(kerasviz.get_kernels(model, None)) == 1


def test_get_kernels_of_several_layers_is_a_dict_of_copies() -> None:
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Conv2D(2, 3, name="a"), layers.Conv2D(3, 1, name="b")]
    )
    kernels = kerasviz.get_kernels(model, ["b", "a"])
    assert {name: kernel.shape for name, kernel in kernels.items()} == {
        "b": (1, 1, 2, 3),
        "a": (3, 3, 1, 2),
    }
    kernels["a"][:] = 7
    assert not (kerasviz.get_kernels(model, "a") == 7).any()


def test_get_kernels_refuses_mistakes() -> None:
    model = keras.Sequential([keras.Input((4, 4, 1)), layers.ReLU(name="d")])
    with pytest.raises(ValueError, match="'d' is a ReLU and has no kernel"):
        kerasviz.get_kernels(model, "d")
    unbuilt = keras.Sequential([layers.Conv2D(2, 3, name="c")])
    with pytest.raises(ValueError, match="'c' is not built yet"):
        kerasviz.get_kernels(unbuilt, "c")


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.Dense(3, use_bias=False), (5,)),
        (layers.Dense(3, use_bias=False), (4, 5)),
        (layers.EinsumDense("abc,cd->abd", (None, 3)), (4, 5)),
        (layers.EinsumDense("abc,cde->abde", (None, 2, 3)), (4, 5)),
        (layers.EinsumDense("abcd,cde->abe", (None, 3)), (4, 2, 5)),
        (layers.EinsumDense("abc,dc->abd", (None, 3)), (4, 5)),
    ],
    ids=lambda value: getattr(value, "equation", None),
)
def test_get_kernels_of_a_dense_layer_is_a_matrix(
    layer: keras.Layer, shape: tuple[int, ...]
) -> None:
    model, x, expected = built(layer, *shape)
    kernel = kerasviz.get_kernels(model, 0)
    rows = x.reshape(-1, kernel.shape[0])
    np.testing.assert_allclose(
        rows @ kernel, expected.reshape(len(rows), kernel.shape[1]), rtol=1e-4, atol=1e-5
    )
    (row,) = kerasviz.kernel_statistics(model, 0)
    assert row.shape == kernel.shape
    assert row.norm == pytest.approx(np.linalg.norm(kernel), rel=1e-5)


def test_get_kernels_of_an_embedding_has_a_row_per_token() -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Embedding(9, 3, name="e")])
    kernel = kerasviz.get_kernels(model, "e")
    tokens = np.array([[8, 0, 3, 3]])
    expected = keras.ops.convert_to_numpy(model.layers[0](tokens))
    np.testing.assert_array_equal(kernel[tokens], expected)


@pytest.mark.parametrize(("kind", "gates"), [("SimpleRNN", 1), ("GRU", 3), ("LSTM", 4)])
def test_get_kernels_of_a_recurrent_layer_is_two_matrices(kind: str, gates: int) -> None:
    layer = getattr(layers, kind)(2, name="r")
    model = keras.Sequential([keras.Input((4, 5)), layer])
    weights = layer.get_weights()
    np.testing.assert_array_equal(kerasviz.get_kernels(model, "r"), weights[0])
    np.testing.assert_array_equal(kerasviz.get_kernels(model, "r/recurrent"), weights[1])
    assert weights[0].shape == (5, 2 * gates)


def test_get_kernels_of_a_wrapper_is_that_of_what_it_wraps() -> None:
    inputs = keras.Input((4, 9, 9, 2))
    hidden = layers.TimeDistributed(layers.Conv2D(3, 3, name="inner"), name="frames")(inputs)
    model = keras.Model(inputs, layers.TimeDistributed(layers.ReLU(), name="relu")(hidden))
    kernel = model.get_layer("frames").layer.get_weights()[0]
    for address in ("frames", 1, model.get_layer("frames"), "frames/inner", "inner"):
        np.testing.assert_array_equal(kerasviz.get_kernels(model, address), kernel)
    for several in (None, "frames*", "fr*s", layers.TimeDistributed, layers.Conv2D):
        assert list(kerasviz.get_kernels(model, several)) == ["frames/inner"]
    with pytest.raises(ValueError, match="'relu' is a ReLU and has no kernel"):
        kerasviz.get_kernels(model, "relu")


def test_get_kernels_of_a_bidirectional_layer_has_both_directions() -> None:
    layer = layers.Bidirectional(layers.LSTM(2, name="lstm"), name="both")
    model = keras.Sequential([keras.Input((4, 3)), layer])
    kernels = kerasviz.get_kernels(model, "both")
    assert list(kernels) == ["both/forward_lstm", "both/backward_lstm"]
    for kernel, inner in zip(
        kernels.values(), (layer.forward_layer, layer.backward_layer), strict=True
    ):
        np.testing.assert_array_equal(kernel, inner.get_weights()[0])
    for address, kernel in kernels.items():
        np.testing.assert_array_equal(kerasviz.get_kernels(model, address), kernel)


@pytest.fixture
def blocks() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(2, 3, name="block1_conv"),
            layers.BatchNormalization(name="block1_bn"),
            layers.ReLU(name="block1_relu"),
            layers.Conv2D(3, 3, name="block2_conv"),
            layers.Dropout(0.1, name="other"),
            layers.Dense(2, name="head"),
        ]
    )


def test_get_kernels_selects_what_has_a_kernel_by_pattern_or_class(blocks: keras.Model) -> None:
    for layer, found in (
        ("block1*", ["block1_conv"]),
        ("*", ["block1_conv", "block2_conv", "head"]),
        (keras.Layer, ["block1_conv", "block2_conv", "head"]),
        (layers.Dense, ["head"]),
        (["head", "block2*", "head"], ["head", "block2_conv"]),
        (None, ["block1_conv", "block2_conv"]),
    ):
        assert list(kerasviz.get_kernels(blocks, layer)) == found
        assert [row.address for row in kerasviz.kernel_statistics(blocks, layer)] == found
    assert list(kerasviz.get_kernels(blocks)) == ["block1_conv", "block2_conv"]


@pytest.mark.parametrize("layer", ["other*", "block1_[br]*", layers.ReLU, ["head", "other*"]])
def test_get_kernels_refuses_a_pattern_or_a_class_without_a_kernel(
    blocks: keras.Model, layer: Any
) -> None:
    with pytest.raises(ValueError, match="`layer` must match a layer with a kernel"):
        kerasviz.get_kernels(blocks, layer)


@pytest.mark.parametrize("layer", ["other", "block1_bn", 1, ["head", "other"]])
def test_get_kernels_refuses_a_named_layer_without_a_kernel(
    blocks: keras.Model, layer: Any
) -> None:
    with pytest.raises(ValueError, match="and has no kernel"):
        kerasviz.get_kernels(blocks, layer)


class NeverCalled(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.c = layers.Conv2D(2, 3, name="c")
        self.aux = layers.Conv2D(9, 3, name="aux")

    def call(self, x: Any) -> Any:
        return self.c(x)


@pytest.mark.filterwarnings("ignore:`build.*was called on layer:UserWarning")
def test_get_kernels_leaves_out_a_layer_that_is_never_built_unless_named() -> None:
    model = NeverCalled()
    for layer in (None, "*", layers.Conv2D):
        with pytest.raises(ValueError, match="'c' is not built yet"):
            kerasviz.get_kernels(model, layer)
    model(np.zeros((1, 8, 8, 1), "float32"))
    for layer in (None, "*", layers.Conv2D, "[ac]*"):
        assert list(kerasviz.get_kernels(model, layer)) == ["c"]
    with pytest.raises(ValueError, match="'aux' is not built yet"):
        kerasviz.get_kernels(model, "aux")
    with pytest.raises(ValueError, match="'aux' is not built yet"):
        kerasviz.get_kernels(model, "au*")
