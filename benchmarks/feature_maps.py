"""Feature maps of whole networks: kerasviz against what one would write by hand.

Times are taken in one process, the two ways in turn, each on a network of its own. A peak of memory
belongs to a process, so each way has one: `python benchmarks/feature_maps.py WAY ARCHITECTURE`
prints it in KiB.
"""

from __future__ import annotations

import gc
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from report import Goal, Row
from timing import Pairs, Spread, time_once, time_pairs

import kerasviz

if TYPE_CHECKING:
    import keras

CALLS = 10
ARCHITECTURES = ("VGG16", "ResNet50", "EfficientNetB0")
FIRST, LATER, MEMORY = (Goal(1.1),), (Goal(1.05),), (Goal(1.1),)
FASTER_THAN_NOTES = (Goal(15, at_least=True),)
Run = Callable[[], object]


def network(architecture: str) -> keras.Model:
    """Return a network without its classifier, which has no convolution but most weights."""
    import keras

    make = getattr(keras.applications, architecture)
    return make(weights=None, include_top=False, input_shape=(224, 224, 3))


def photo() -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (1, 224, 224, 3)).astype("float32")


def nested(model: keras.Model) -> keras.Model:
    """Put a network into a transfer-learning model, which is no single graph."""
    import keras

    inputs = keras.Input(model.input_shape[1:])
    return keras.Model(inputs, model(keras.layers.RandomFlip()(inputs)))


def by_kerasviz(model: keras.Model) -> Run:
    image = photo()
    return lambda: kerasviz.get_feature_maps(model, None, image)


def by_hand(model: keras.Model) -> Run:
    """Return what one would write: a model with all outputs, made at the first call."""
    import keras

    image, made = photo(), []

    def run() -> object:
        if not made:
            outputs = {layer.name: layer.output for layer in convolutions(model)}
            made.append(keras.Model(model.inputs, outputs))
        return made[0].predict_on_batch(image)

    return run


def as_in_the_notes(model: keras.Model) -> Run:
    """Return what the notes do, for every convolution: a new model, and `predict`."""
    import keras

    image = photo()
    return lambda: [
        keras.Model(model.inputs, layer.output).predict(image, verbose=0)
        for layer in convolutions(model)
    ]


def convolutions(model: keras.Model) -> list[keras.Layer]:
    names = {ref.address for ref in kerasviz.find_layers(model)}
    return [layer for layer in model.layers if layer.name in names]


WAYS = {
    "kerasviz": by_kerasviz,
    "nested": lambda model: by_kerasviz(nested(model)),
    "by_hand": by_hand,
}


def compare_feature_maps(pairs: int, architectures: tuple[str, ...]) -> Iterator[Row]:
    """Yield time and memory of kerasviz over those of the plain model."""
    for architecture in architectures:
        for way in ("kerasviz", "nested"):
            first, later = _time_calls(way, architecture, pairs)
            peaks = [(_peak(way, architecture), _peak("by_hand", architecture)) for _ in "ab"]
            case = f"all convolutions of {architecture}{', nested' if way == 'nested' else ''}"
            compared = "get_feature_maps / plain keras.Model"
            yield Row(f"{case}, first call", compared, first.ratios, pairs, FIRST)
            yield Row(f"{case}, tenth call", compared, later.ratios, pairs, LATER)
            memory = Spread.of([a / b for a, b in peaks])
            yield Row(f"{case}, peak of memory", compared, memory, len(peaks), MEMORY)


def _time_calls(way: str, architecture: str, pairs: int) -> tuple[Pairs, Pairs]:
    """Time first and tenth calls of two ways in turn, each pair on two new networks."""
    first, later = [], []
    for _ in range(pairs):
        runs = [WAYS[way](network(architecture)), by_hand(network(architecture))]
        first.append([time_once(run) for run in runs])
        for _ in range(CALLS - 2):
            for run in runs:
                run()
        later.append([time_once(run) for run in runs])
        del runs
        gc.collect()
    return Pairs(*zip(*first, strict=True)), Pairs(*zip(*later, strict=True))


def compare_notes(pairs: int) -> Row:
    """Compare with the notes' way, once everything that can be kept is kept."""
    model = network("VGG16")
    timed = time_pairs(as_in_the_notes(model), by_kerasviz(model), pairs=pairs)
    compared = "a new keras.Model and predict a layer / get_feature_maps"
    return Row(
        "all convolutions of VGG16, later calls", compared, timed.ratios, pairs, FASTER_THAN_NOTES
    )


def compare_first_layer(pairs: int) -> Iterator[Row]:
    """Compare the first layer alone with the whole network, and with a plain model of it."""
    import keras

    model, image = network("VGG16"), photo()
    plain = keras.Model(model.inputs, model.get_layer("block1_conv1").output)

    def by_kerasviz() -> object:
        return kerasviz.get_feature_maps(model, "block1_conv1", image)

    def whole() -> object:
        return model.predict_on_batch(image)

    timed = time_pairs(by_kerasviz, whole, pairs=pairs)
    yield Row("block1_conv1 of VGG16", "get_feature_maps / whole network", timed.ratios, pairs)
    timed = time_pairs(by_kerasviz, lambda: plain.predict_on_batch(image), pairs=pairs)
    compared = "get_feature_maps / plain keras.Model"
    yield Row("block1_conv1 of VGG16", compared, timed.ratios, pairs, LATER)


def _peak(way: str, architecture: str) -> float:
    command = [sys.executable, str(Path(__file__)), way, architecture]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return float(result.stdout.splitlines()[-1])


def main(way: str, architecture: str) -> None:
    run = WAYS[way](network(architecture))
    for _ in range(2):
        run()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    main(*sys.argv[1:3])
