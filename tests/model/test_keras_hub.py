"""KerasHub's backbones, tiny and untrained, against what their layers return in a plain call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import kerasviz

keras_hub = pytest.importorskip("keras_hub")
models = keras_hub.models

TWO_STAGES = {
    "input_conv_filters": [64],
    "input_conv_kernel_sizes": [3],
    "stackwise_num_filters": [64, 8],
    "stackwise_num_blocks": [1, 2],
    "stackwise_num_strides": [1, 2],
}
IMAGES = {"image_shape": (32, 32, 3)}


def resnet(**options: Any) -> keras.Model:
    return models.ResNetBackbone(
        **{**TWO_STAGES, "block_type": "basic_block", "image_shape": (32, 32, 3), **options}
    )


def efficientnet() -> keras.Model:
    return models.EfficientNetBackbone(
        stackwise_kernel_sizes=[3, 3],
        stackwise_num_repeats=[1, 2],
        stackwise_input_filters=[8, 8],
        stackwise_output_filters=[8, 16],
        stackwise_expansion_ratios=[1, 4],
        stackwise_squeeze_and_excite_ratios=[0.0, 0.25],
        stackwise_strides=[1, 2],
        stackwise_block_types=["fused", "unfused"],
        stackwise_width_coefficients=[1.0, 1.0],
        stackwise_depth_coefficients=[1.0, 1.0],
        input_shape=(32, 32, 3),
        num_features=16,
    )


def mobilenet() -> keras.Model:
    return models.MobileNetBackbone(
        stackwise_expansion=[[8, 8], [8]],
        stackwise_num_blocks=[2, 1],
        stackwise_num_filters=[[8, 8], [16]],
        stackwise_kernel_size=[[3, 3], [5]],
        stackwise_num_strides=[[2, 1], [2]],
        stackwise_se_ratio=[[None, None], [0.25]],
        stackwise_activation=[["relu", "relu"], ["hard_swish"]],
        stackwise_padding=[[1, 1], [2]],
        output_num_filters=16,
        depthwise_filters=8,
        depthwise_stride=2,
        depthwise_residual=False,
        last_layer_filter=16,
        squeeze_and_excite=0.5,
        **IMAGES,
    )


def cspnet() -> keras.Model:
    return models.CSPNetBackbone(
        stem_filters=8,
        stem_kernel_size=3,
        stem_strides=1,
        stackwise_depth=[1, 1],
        stackwise_strides=[1, 2],
        stackwise_num_filters=[8, 16],
        block_type="dark_block",
        stage_type="csp",
        bottle_ratio=[0.5],
        expand_ratio=[2.0],
        stem_padding="same",
        **IMAGES,
    )


def hgnet() -> keras.Model:
    return models.HGNetV2Backbone(
        depths=[1, 1],
        embedding_size=4,
        hidden_sizes=[8, 16],
        stem_channels=[3, 4, 4],
        hidden_act="relu",
        use_learnable_affine_block=True,
        stackwise_stage_filters=[(4, 4, 8, 1, 2, 3), (8, 4, 16, 1, 2, 3)],
        apply_downsample=[False, True],
        use_lightweight_conv_block=[False, True],
        **IMAGES,
    )


def mit() -> keras.Model:
    return models.MiTBackbone(
        num_layers=4,
        hidden_dims=[4, 8, 12, 16],
        layerwise_depths=[1, 1, 1, 1],
        layerwise_num_heads=[1, 2, 2, 4],
        layerwise_sr_ratios=[8, 4, 2, 1],
        layerwise_patch_sizes=[7, 3, 3, 3],
        layerwise_strides=[4, 2, 2, 2],
        max_drop_path_rate=0.1,
        image_shape=(64, 64, 3),
    )


def retinanet() -> keras.Model:
    encoder = resnet(
        stackwise_num_filters=[64, 8, 8, 8],
        stackwise_num_blocks=[1, 1, 1, 1],
        stackwise_num_strides=[1, 2, 2, 2],
        image_shape=(64, 64, 3),
    )
    return models.RetinaNetBackbone(
        encoder, min_level=3, max_level=5, use_p5=False, image_shape=(64, 64, 3)
    )


TOKENS = {"num_layers": 2, "num_heads": 2, "hidden_dim": 8, "image_shape": (16, 16, 3)}
MAKERS: dict[str, Callable[[], keras.Model]] = {
    "ResNet": resnet,
    "ResNet, channels first": lambda: resnet(image_shape=(3, 32, 32), data_format="channels_first"),
    "ResNetV2": lambda: resnet(use_pre_activation=True),
    "EfficientNet": efficientnet,
    "DenseNet": lambda: models.DenseNetBackbone([2, 2], growth_rate=4, **IMAGES),
    "MobileNet": mobilenet,
    "CSPNet": cspnet,
    "VGG": lambda: models.VGGBackbone([1, 2], [4, 8], **IMAGES),
    "Xception": lambda: models.XceptionBackbone([[4, 8], [8, 8]], [True, False], **IMAGES),
    "HGNetV2": hgnet,
    "MiT": mit,
    "SegFormer": lambda: models.SegFormerBackbone(mit(), projection_filters=8),
    "RetinaNet": retinanet,
    "ViT": lambda: models.ViTBackbone(patch_size=(4, 4), mlp_dim=8, **TOKENS),
    "DeiT": lambda: models.DeiTBackbone(patch_size=4, intermediate_dim=8, **TOKENS),
}


@pytest.fixture
def plain_outputs(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, list[Any]]]:
    """Call a model and return what every layer returned, by the layer's name."""

    def run(model: keras.Model, inputs: np.ndarray) -> dict[str, list[Any]]:
        plain_call, outputs = keras.Layer.__call__, {}

        def call(layer: keras.Layer, *args: Any, **kwargs: Any) -> Any:
            outputs.setdefault(layer.name, []).append(plain_call(layer, *args, **kwargs))
            return outputs[layer.name][-1]

        with monkeypatch.context() as patch:
            patch.setattr(keras.Layer, "__call__", call)
            model(inputs, training=False)
        return outputs

    return run


def tensors(outputs: Any) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(x) for x in keras.tree.flatten(outputs) if x is not None]


def is_same(got: list[np.ndarray], expected: list[np.ndarray], channels_first: bool) -> bool:
    if channels_first:
        expected = [np.moveaxis(x, 1, -1) if x.ndim > 2 else x for x in expected]
    return [x.shape for x in got] == [x.shape for x in expected] and all(
        np.allclose(x, y, rtol=1e-3, atol=1e-4) for x, y in zip(got, expected, strict=True)
    )


@pytest.mark.parametrize("name", MAKERS)
def test_get_feature_maps_gives_every_map_of_a_backbone(name: str, plain_outputs: Any) -> None:
    keras.utils.set_random_seed(0)
    model = MAKERS[name]()
    shape = [size or 32 for size in model.input_shape[1:]]
    images = np.random.default_rng(0).normal(size=(2, *shape)).astype("float32")
    maps = kerasviz.get_feature_maps(model, "*", images)
    expected = plain_outputs(model, images)
    convolutions = [ref.address for ref in kerasviz.find_layers(model)]
    assert convolutions
    assert set(convolutions) <= set(maps)
    for ref in kerasviz.find_layers(model, "*"):
        calls = [tensors(outputs) for outputs in expected[ref.layer.name]]
        got = tensors(maps[ref.address])
        assert any(is_same(got, call, "channels first" in name) for call in calls), ref
