"""Feature maps of whole networks: kerasviz against what one would write by hand.

Times are taken in one process, the two ways in turn, each on a network of its own. A peak of memory
belongs to a process, so each way has one: `python benchmarks/feature_maps.py WAY ARCHITECTURE`
prints it in KiB.
"""

from __future__ import annotations

import gc
import math
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from timing import Pairs, Spread, time_once, time_pairs

import kerasviz
from report import Goal, Row

if TYPE_CHECKING:
    import keras

CALLS = 10
ARCHITECTURES = ("VGG16", "ResNet50", "EfficientNetB0")
PARTS = ("block1_conv1", "block3_conv1", "block5_conv3")
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
    """Put a network into a transfer-learning model, which is not one graph."""
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
            peaks = [
                (_peak(way, architecture), _peak("by_hand", architecture))
                for _ in range(min(pairs, 2))
            ]
            case = f"all convolutions of {architecture}{', nested' if way == 'nested' else ''}"
            compared = "get_feature_maps / plain keras.Model"
            yield Row(f"{case}, first call", compared, first.ratios, pairs, FIRST)
            yield Row(f"{case}, tenth call", compared, later.ratios, pairs, LATER)
            memory = Spread.of([a / b for a, b in peaks])
            yield Row(f"{case}, peak of memory", compared, memory, len(peaks), MEMORY)


def _time_calls(way: str, architecture: str, pairs: int) -> tuple[Pairs, Pairs]:
    """Time first and tenth calls of two ways in turn, each pair on two new networks.

    The first to run changes from pair to pair. One pair before them is not counted: in it the
    first to run would load what TensorFlow loads at its first call of all.
    """
    first, later = [], []
    for index in range(pairs + 1):
        runs = [WAYS[way](network(architecture)), by_hand(network(architecture))]
        in_turn = _time_in_turn(runs, reverse=bool(index % 2))
        if index:
            first.append(in_turn)
            for _ in range(CALLS - 2):
                for run in runs:
                    run()
            later.append(_time_in_turn(runs, reverse=bool(index % 2)))
        del runs
        gc.collect()
    return Pairs(*zip(*first, strict=True)), Pairs(*zip(*later, strict=True))


def _time_in_turn(runs: list[Run], *, reverse: bool) -> list[float]:
    order = (1, 0) if reverse else (0, 1)
    seconds = {index: time_once(runs[index]) for index in order}
    return [seconds[0], seconds[1]]


def compare_notes(pairs: int) -> Iterator[Row]:
    """Compare with the notes' way, once everything that can be kept is kept."""
    model, image = network("VGG16"), photo()
    case = "all convolutions of VGG16, later calls"
    notes, way = as_in_the_notes(model), "a new keras.Model and predict a layer"
    timed = time_pairs(notes, by_kerasviz(model), pairs=pairs)
    yield Row(case, f"{way} / get_feature_maps", timed.ratios, pairs, FASTER_THAN_NOTES)
    timed = time_pairs(notes, lambda: model.predict_on_batch(image), pairs=pairs)
    yield Row(case, f"{way} / one pass, no maps kept", timed.ratios, pairs)


def compare_parts(pairs: int, layers: tuple[str, ...]) -> Iterator[Row]:
    """Compare a layer alone with the whole network, and with a plain model of it."""
    import keras

    model, image = network("VGG16"), photo()
    operations = {layer.name: _multiplications(layer) for layer in convolutions(model)}
    names = list(operations)
    for name in layers:
        before = sum(operations[other] for other in names[: names.index(name) + 1])
        share = before / sum(operations.values())
        plain = keras.Model(model.inputs, model.get_layer(name).output)
        alone = partial(kerasviz.get_feature_maps, model, name, image)
        timed = time_pairs(alone, partial(model.predict_on_batch, image), pairs=pairs)
        case = f"{name} of VGG16"
        compared = f"get_feature_maps / whole network, {share:.3f} of it in multiplications"
        yield Row(case, compared, timed.ratios, pairs)
        timed = time_pairs(alone, partial(plain.predict_on_batch, image), pairs=pairs)
        yield Row(case, "get_feature_maps / plain keras.Model", timed.ratios, pairs, LATER)


def _multiplications(layer: keras.Layer) -> int:
    """Count the multiplications of a convolution of one image."""
    return math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:-1])


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
