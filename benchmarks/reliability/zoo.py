"""Compare the maps at every address of many models with what Keras itself computes there.

The models are those of `keras.applications`, of KerasHub where it is installed, and small ones of
every common layer, all with random weights and a small input; one at a time. At each address that
`find_layers(model, "*")` lists, the map must equal the output of a `keras.Model` that ends there,
or, for layers inside other layers, what the layer itself returned when the model was called.
"""

from __future__ import annotations

import argparse
import gc
import inspect
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from unittest import mock

import keras
import numpy as np
from calls import print_table

import kerasviz

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


def hub() -> Iterator[tuple[str, Callable[[], keras.Model]]]:
    """Yield small backbones of KerasHub; none where it is not installed."""
    try:
        import keras_hub
    except ImportError:
        return
    text = {"vocabulary_size": 30, "num_layers": 2, "num_heads": 2, "hidden_dim": 8}
    text["intermediate_dim"] = 16
    for name in sorted(vars(keras_hub.models)):
        kind = getattr(keras_hub.models, name)
        if name.endswith("Backbone") and inspect.isclass(kind):
            parameters = inspect.signature(kind.__init__).parameters
            known = {key: value for key, value in text.items() if key in parameters}
            yield f"KerasHub {name}", partial(kind, **known)


def make_inputs(model: keras.Model) -> Any:
    """Return one or two random samples of each input."""
    rng = np.random.default_rng(0)

    def make(spec: Any) -> np.ndarray:
        shape = (spec.shape[0] or 1, *(side or 8 for side in spec.shape[1:]))
        if "int" in str(spec.dtype):
            return rng.integers(1, 2, shape).astype("int32")
        return rng.uniform(0.1, 1, shape).astype(str(spec.dtype))

    return keras.tree.map_structure(make, model.input)


def expected_maps(model: keras.Model, inputs: Any) -> dict[int, list[np.ndarray]]:
    """Return what each layer returned, call by call, when Keras itself ran the model."""
    outputs: dict[int, list[Any]] = {}
    call = keras.Layer.__call__

    def record(layer: keras.Layer, *args: Any, **options: Any) -> Any:
        result = call(layer, *args, **options)
        outputs.setdefault(id(layer), []).append(result)
        return result

    with mock.patch.object(keras.Layer, "__call__", record):
        model(keras.tree.map_structure(keras.ops.convert_to_tensor, inputs), training=False)
    return {
        key: [
            np.asarray(keras.ops.convert_to_numpy(tensor))
            for result in results
            for tensor in keras.tree.flatten(result)
        ]
        for key, results in outputs.items()
    }


def compare(
    model: keras.Model, expected: dict[int, list[np.ndarray]], *, short: bool
) -> tuple[int, int, list[str]]:
    """Return how many addresses were compared, how many were right, and the others."""
    inputs = make_inputs(model)
    references = kerasviz.find_layers(model, "*")
    references = references[:: SKIPPED if short else 1]
    maps = kerasviz.get_feature_maps(model, [ref.address for ref in references], inputs)
    wrong = []
    for reference in references:
        parts = [np.asarray(x) for x in keras.tree.flatten(maps[reference.address])]
        candidates = expected.get(id(reference.layer), [])
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
    short = parser.parse_args().short
    models = [*layers(), *([] if short else [*hub(), *applications()])]
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
        if wrong:
            print(f"{name}: {len(wrong)} of {total}: {', '.join(wrong[:5])}", flush=True)
        del model
        keras.backend.clear_session()
        gc.collect()
    head = ("models of", "models", "right at every address", "addresses", "right")
    print_table(head, [(kind, *row) for kind, row in rows.items()])
    return sum(row[0] - row[1] for row in rows.values()) > 0


if __name__ == "__main__":
    sys.exit(main())
