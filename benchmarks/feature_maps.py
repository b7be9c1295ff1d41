"""All convolutions of a network in one pass: kerasviz against one multi-output model by hand.

Each way runs in a process of its own, so that neither finds the other's work done and each has a
peak of memory of its own: `python benchmarks/feature_maps.py WAY ARCHITECTURE` prints it as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from report import Goal, Row
from timing import Spread

CALLS = 10
WITHIN = (Goal(1.1),)
ARCHITECTURES = ("VGG16", "ResNet50", "EfficientNetB0")
FACTS = {"first": "first call", "later": "tenth call", "peak": "peak of memory"}


def measure(way: str, architecture: str) -> dict[str, float]:
    """Return seconds of the first and of a later call, and the process's peak of memory in KiB."""
    import keras
    import numpy as np

    import kerasviz

    model = getattr(keras.applications, architecture)(weights=None)
    image = np.random.default_rng(0).uniform(0, 255, (1, *model.input_shape[1:])).astype("float32")
    addresses = [ref.address for ref in kerasviz.find_layers(model)]
    if way == "nested":  # as in transfer learning: what kerasviz cannot read from one graph
        inputs = keras.Input(model.input_shape[1:])
        model = keras.Model(inputs, model(keras.layers.RandomFlip()(inputs)))
    if way == "plain":
        run = _plain(model, addresses, image)
    else:

        def run() -> object:
            return kerasviz.get_feature_maps(model, None, image)

    seconds = []
    for _ in range(CALLS):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"first": seconds[0], "later": median(seconds[CALLS // 2 :]), "peak": peak}


def _plain(model: object, addresses: list[str], image: object) -> Callable[[], object]:
    """Return what one would write: a model with all outputs, made at the first call."""
    import keras

    made: list[keras.Model] = []

    def run() -> object:
        if not made:
            outputs = {name: model.get_layer(name).output for name in addresses}
            made.append(keras.Model(model.inputs, outputs))
        return made[0].predict_on_batch(image)

    return run


def compare_feature_maps(pairs: int, architectures: tuple[str, ...]) -> Iterator[Row]:
    """Yield time and memory of kerasviz over those of the plain model."""
    for architecture in architectures:
        for way in ("kerasviz", "nested"):
            runs = [(_run(way, architecture), _run("plain", architecture)) for _ in range(pairs)]
            for fact, name in FACTS.items():
                yield Row(
                    f"all convolutions of {architecture}, {name}",
                    f"get_feature_maps{', nested' if way == 'nested' else ''} / plain keras.Model",
                    Spread.of([a[fact] / b[fact] for a, b in runs]),
                    pairs,
                    WITHIN,
                )


def _run(way: str, architecture: str) -> dict[str, float]:
    command = [sys.executable, str(Path(__file__)), way, architecture]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    facts: dict[str, float] = json.loads(result.stdout.splitlines()[-1])
    return facts


if __name__ == "__main__":
    print(json.dumps(measure(*sys.argv[1:3])))
