"""What the callbacks add to the training of the Fashion-MNIST network, in time and in memory.

python benchmarks/callbacks.py [--short]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from timing import Spread
from typing_extensions import override

from report import RATIO_HEADS, Goal, Row, environment, table

WITHIN = (Goal(1.03),)
GROWTH = Goal(20)
BATCH_SIZE = 32
EPOCHS = 4
"""So many are timed, less the first."""
PICTURES = 4
"""Two layers, their kernels and their maps."""
SETTLED = 10
"""The number of epochs after which memory counts."""
GROWTH_HEADS = ("case", "MB after epoch 10", "MB at the end", "growth", "goal")


def measure_epochs(images: int, *, pairs: int) -> Iterator[Row]:
    """Compare an epoch of two `fit` in turn, and that with callbacks with the rest of it.

    The first epoch of each is not counted: it traces the model. Of the next ones the fastest is
    taken. Another program on the computer lengthens the one epoch or the other, but both parts of
    the same epoch alike.
    """
    others, parts = [], []
    for index in range(pairs):
        order = (True, False) if index % 2 else (False, True)
        epochs = {flag: _fastest_epoch(images, with_callbacks=flag) for flag in order}
        others.append(epochs[True].seconds / epochs[False].seconds)
        parts.append(epochs[True].seconds / (epochs[True].seconds - epochs[True].in_callbacks))
    name = f"an epoch of {images} images, PNG, GIF, CSV and TensorBoard"
    yield Row(name, "with all callbacks / without", Spread.of(others), pairs, WITHIN)
    compared = "with all callbacks / less the time within them"
    yield Row(name, compared, Spread.of(parts), pairs, WITHIN)


class _Epoch(NamedTuple):
    seconds: float
    in_callbacks: float


def _fastest_epoch(images: int, *, with_callbacks: bool) -> _Epoch:
    import keras

    class Clock(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.ends: list[float] = []

        @override
        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            self.ends.append(time.perf_counter())

    before, after = Clock(), Clock()
    with tempfile.TemporaryDirectory() as folder:
        callbacks = _callbacks(folder) if with_callbacks else []
        _fit(images, epochs=EPOCHS, callbacks=[before, *callbacks, after])
    return min(
        _Epoch(after.ends[i] - after.ends[i - 1], after.ends[i] - before.ends[i])
        for i in range(1, EPOCHS)
    )


def measure_snapshots(images: int, epochs: int) -> str:
    """Return how long one step of both snapshots takes, and how long the animations take."""
    with tempfile.TemporaryDirectory() as folder:
        snapshots = _snapshots(folder)
        spent: dict[str, list[float]] = {"on_epoch_end": [], "on_train_end": []}
        for callback in snapshots:
            for name, seconds in spent.items():
                setattr(callback, name, _timed(getattr(callback, name), seconds))
        _fit(images, epochs=epochs, callbacks=snapshots)
    # Both in turn, the first epoch left out.
    steps = [sum(spent["on_epoch_end"][i : i + 2]) for i in range(2, 2 * epochs, 2)]
    step = Spread.of(steps)
    frame = sum(spent["on_train_end"]) / (PICTURES * epochs)
    return (
        f"Both snapshots together take {step.median:.2f} s ({step.lowest:.2f}–{step.highest:.2f}) "
        f"of processor time an epoch for {PICTURES} pictures, and {frame:.3f} s at the end for "
        "each picture of an animation."
    )


def _timed(method: Callable[..., object], seconds: list[float]) -> Callable[..., None]:
    def call(*args: object, **kwargs: object) -> None:
        start = time.process_time()
        method(*args, **kwargs)
        seconds.append(time.process_time() - start)

    return call


def measure_growth(images: int, epochs: int) -> Iterator[list[str]]:
    """Yield how much a process grows over many epochs, each case in a process of its own."""
    for name, flag in (("with all callbacks", "--with"), ("without", "--without")):
        result = subprocess.run(
            [sys.executable, __file__, flag, "--memory", str(images), str(epochs)],
            check=True,
            capture_output=True,
            text=True,
        )
        sizes = json.loads(result.stdout.splitlines()[-1])
        first, last = sizes[min(SETTLED, epochs) - 1], sizes[-1]
        goal = f"{GROWTH} {'met' if GROWTH.met_by(last - first) else 'not met'}"
        case = f"{epochs} epochs of {images} images, {name}"
        yield [
            case,
            f"{first:.0f}",
            f"{last:.0f}",
            f"**{last - first:.1f}**",
            goal if flag == "--with" else "",
        ]


def _print_sizes(with_callbacks: bool, images: int, epochs: int) -> None:
    import keras

    class Scales(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.sizes: list[float] = []

        @override
        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            self.sizes.append(pages * os.sysconf("SC_PAGE_SIZE") / 1e6)

    scales = Scales()
    with tempfile.TemporaryDirectory() as folder:
        callbacks = _callbacks(folder) if with_callbacks else []
        _fit(images, epochs=epochs, callbacks=[*callbacks, scales])
    print(json.dumps(scales.sizes))


def _callbacks(folder: str) -> list[object]:
    import kerasviz

    images, _ = kerasviz.fashion_mnist.load_samples()
    statistics = kerasviz.WeightStatistics(
        ["conv2d*", "dense*"], inputs=images, csv=f"{folder}/statistics.csv", log_dir=folder
    )
    return [*_snapshots(folder), statistics]


def _snapshots(folder: str) -> list[object]:
    import kerasviz

    images, _ = kerasviz.fashion_mnist.load_samples()
    places = {"directory": folder, "gif": folder, "log_dir": folder}
    return [
        kerasviz.KernelSnapshots(**places),
        kerasviz.FeatureMapSnapshots(images, sample=9, **places),
    ]


def _fit(images: int, *, epochs: int, callbacks: list[object]) -> None:
    import keras

    from kerasviz import fashion_mnist
    from kerasviz.fashion_mnist.data import load_data

    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    train = load_data().train
    model = fashion_mnist.build_model()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(
        train.images[:images],
        train.labels[:images],
        batch_size=BATCH_SIZE,
        epochs=epochs,
        callbacks=callbacks,
        verbose=0,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="What the callbacks add to a training run.")
    parser.add_argument("--short", action="store_true", help="repeat little, to see that it runs")
    parser.add_argument("--memory", nargs=2, metavar=("IMAGES", "EPOCHS"), help=argparse.SUPPRESS)
    parser.add_argument("--with", dest="callbacks", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--without", dest="callbacks", action="store_false", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory:
        _print_sizes(arguments.callbacks, *map(int, arguments.memory))
        return
    short = arguments.short
    images, pairs, epochs = (2048, 1, 12) if short else (48000, 3, 200)
    print(environment())
    print(table(RATIO_HEADS, [row.cells() for row in measure_epochs(images, pairs=pairs)]))
    print(measure_snapshots(512, 12))
    print(table(GROWTH_HEADS, measure_growth(512, epochs)))


if __name__ == "__main__":
    main()
