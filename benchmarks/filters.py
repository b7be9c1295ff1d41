"""Statistics of filters, receptive fields and preferred inputs, against the passes they need.

`python benchmarks/filters.py` prints the rows, `--short` those of fewer images, and `--ray` that of
a local Ray cluster, for which it needs an environment with `kerasviz[ray]` and two free cores.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from timing import Spread, time_once, time_pairs

import kerasviz
from report import RATIO_HEADS, Goal, Row, goal_text, table

if TYPE_CHECKING:
    import keras

LAYERS = ["conv2d", "conv2d_1"]
PHOTO_LAYERS = {
    "MobileNetV2": ["block_3_project_BN", "block_6_project_BN", "block_16_project_BN", "out_relu"],
    "ResNet50": ["conv2_block3_out", "conv3_block4_out", "conv4_block6_out", "conv5_block3_out"],
}
"""Layers of 24 to 1280 filters, and of 256 to 2048."""
WIDE_COUNT = 32
"""How many images of 64×64 pass through all convolutions of ResNet50, of 26,560 filters."""
STEPS = 128
SEEN = 8
"""How many cells of each axis a unit of `conv2d_1` sees, which is all that kerasviz computes."""
FIGURE_HEADS = ("what is measured", "figure", "goal")


def images(count: int, seed: int = 0) -> np.ndarray:
    """Return images of noise with an edge, as 28×28 grey values."""
    rng = np.random.default_rng(seed)
    x = 0.2 * rng.random((count, 28, 28, 1), "float32")
    x[:, 6:22, 8:20] += rng.random((count, 1, 1, 1), "float32")
    return x


def stream(count: int, size: int = 1000) -> Iterator[np.ndarray]:
    for start in range(0, count, size):
        yield images(min(size, count - start), seed=start)


def compare_passes(count: int, pairs: int) -> Iterator[Row]:
    """Yield the rows of `filter_statistics` over the bare pass of the same layers."""
    model, x = kerasviz.fashion_mnist.load_model(), images(count)
    name = f"the shipped network, both convolutions, {count} images"
    for batch_size in (32, 128):
        yield _compare_pass(name, model, LAYERS, x, batch_size=batch_size, pairs=pairs)
    import keras

    x = np.random.default_rng(0).random((count // 20, 160, 160, 3), "float32")
    for network, layers in PHOTO_LAYERS.items():
        model = getattr(keras.applications, network)(weights=None, input_shape=x.shape[1:])
        name = f"{network}, {len(layers)} layers, {len(x)} images 160×160"
        yield _compare_pass(name, model, layers, x, batch_size=32, pairs=pairs)


def _compare_pass(
    name: str,
    model: keras.Model,
    layers: list[str],
    x: np.ndarray,
    *,
    batch_size: int,
    pairs: int,
) -> Row:
    def bare() -> None:
        for _ in kerasviz.iter_feature_maps(model, layers, x, batch_size=batch_size):
            pass

    def statistics() -> None:
        kerasviz.filter_statistics(model, layers, x, batch_size=batch_size)

    return Row(
        f"{name} in batches of {batch_size}",
        "filter_statistics / iter_feature_maps",
        time_pairs(statistics, bare, pairs=pairs).ratios,
        pairs,
        (Goal(2.0),),
    )


def compare_ascent(pairs: int) -> Iterator[Row]:
    """Yield the rows of preferred inputs over the gradients that they take."""
    model = kerasviz.fashion_mnist.load_model()

    def ascent() -> None:
        kerasviz.get_preferred_inputs(model, "conv2d_1", steps=STEPS)

    for size, goals in ((28, (Goal(1.2),)), (SEEN, ())):
        passes = f"as many forward and backward passes of {size}×{size} by hand, compiled"
        yield Row(
            f"64 filters of conv2d_1, {STEPS} steps",
            f"get_preferred_inputs / {passes}",
            time_pairs(ascent, _passes(model, size), pairs=pairs).ratios,
            pairs,
            goals,
        )


def _passes(model: keras.Model, size: int) -> Any:
    """Return what runs the passes that preferred inputs need, and nothing else."""
    import keras
    import tensorflow as tf

    inputs = maps = keras.Input((size, size, 1))
    for layer in model.layers[: model.layers.index(model.get_layer("conv2d_1")) + 1]:
        if not isinstance(layer, keras.layers.InputLayer):
            maps = layer(maps)
    part = keras.Model(inputs, maps)

    @tf.function(reduce_retracing=True)
    def gradient(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            maps = part(x, training=False)
            middle = maps.shape[1] // 2
            score = tf.reduce_sum(tf.linalg.diag_part(maps[:, middle, middle, :]))
        return tape.gradient(score, x)

    def run() -> None:
        x = tf.constant(images(64)[:, :size, :size])
        for _ in range(STEPS):
            gradient(x).numpy()

    return run


def measure_fields() -> list[str]:
    """Return the row of the receptive field of ResNet50's last layer."""
    import keras

    model = keras.applications.ResNet50(weights=None)
    kerasviz.receptive_field(model, "conv5_block3_out")
    seconds = min(
        time_once(lambda: kerasviz.receptive_field(model, "conv5_block3_out")) for _ in range(5)
    )
    goal = Goal(50)
    return [
        "receptive_field of ResNet50, ms",
        f"{1e3 * seconds:.1f}",
        goal_text((goal,), 1e3 * seconds),
    ]


def measure_memory(counts: tuple[int, int]) -> list[str]:
    """Return the row of the peak of memory of a longer pass over that of a shorter one."""
    low, high = (_run("--pass", str(count))[0] for count in counts)
    growth = (high - low) / 2**10
    goal = Goal(64)
    name = f"more memory for {counts[1]} images than for {counts[0]}, MiB"
    return [name, f"{growth:.0f}", goal_text((goal,), growth)]


def measure_wide() -> list[list[str]]:
    """Return the rows of all convolutions of ResNet50: time and memory beyond a bare pass."""
    (bare_peak, bare), (peak, seconds) = (_run("--wide", kind) for kind in ("bare", "statistics"))
    name = f"all convolutions of ResNet50, {WIDE_COUNT} images 64×64"
    return [
        [f"{name}, seconds (the model alone: {bare:.2f})", f"{seconds:.2f}", ""],
        [f"{name}, more memory than the model, MiB", f"{(peak - bare_peak) / 2**10:.0f}", ""],
    ]


def print_wide(kind: str) -> None:
    """Run a pass through ResNet50, and print the peak of memory in KiB and the seconds."""
    import keras

    model = keras.applications.ResNet50(weights=None, input_shape=(64, 64, 3))
    x = np.random.default_rng(0).random((WIDE_COUNT, 64, 64, 3), "float32")

    def bare() -> None:
        for _ in kerasviz.iter_feature_maps(model, None, x):
            pass

    bare()
    work = bare if kind == "bare" else lambda: kerasviz.filter_statistics(model, None, x)
    seconds = time_once(work)
    print(_peak(), seconds)


def _run(*arguments: str, **environment: str) -> list[float]:
    command = [sys.executable, __file__, *arguments]
    environment = {**os.environ, **environment}
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return [float(word) for word in result.stdout.splitlines()[-1].split()]


def print_pass(count: int) -> None:
    """Run a pass over a stream, and print the peak of memory in KiB and the seconds."""
    model = kerasviz.fashion_mnist.load_model()
    start = time.perf_counter()
    kerasviz.filter_statistics(model, LAYERS, stream(count))
    seconds = time.perf_counter() - start
    print(_peak(), seconds)


def _peak() -> int:
    """Return the largest memory of this process so far, in KiB."""
    with Path("/proc/self/status").open(encoding="utf-8") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def print_cluster(workers: int, counts: tuple[int, int]) -> None:
    """Print the images per second of a cluster, from the difference of two passes."""
    # Before anything starts: whatever has threads of its own, Ray included, inherits these cores.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:workers])
    import ray
    import ray.data

    ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False, logging_level="error")
    ray.data.DataContext.get_current().enable_progress_bars = False
    model = kerasviz.fashion_mnist.load_model()
    seconds = []
    for count in counts:
        blocks = [images(250, seed) for seed in range(count // 250)]
        dataset = ray.data.from_numpy(blocks).materialize()
        start = time.perf_counter()
        kerasviz.filter_statistics(model, LAYERS, dataset)
        seconds.append(time.perf_counter() - start)
    # The start of the workers takes both passes the same time.
    print((counts[1] - counts[0]) / (seconds[1] - seconds[0]))


def compare_clusters(counts: tuple[int, int], pairs: int) -> Row:
    """Return the row of two workers over one."""
    command = [f"{counts[0]}", f"{counts[1]}"]
    rates = [
        (_run("--cluster", "2", *command)[0], _run("--cluster", "1", *command)[0])
        for _ in range(pairs)
    ]
    return Row(
        f"the shipped network, both convolutions, {counts[1] - counts[0]} images more",
        "images per second, two Ray workers of one core / one",
        Spread.of([two / one for two, one in rates]),
        pairs,
        (Goal(1.6, at_least=True),),
    )


def main(*, is_short: bool) -> None:
    pairs, count = (1, 1000) if is_short else (5, 4000)
    rows = [*compare_passes(count, pairs), *compare_ascent(pairs)]
    print(table(RATIO_HEADS, [row.cells() for row in rows]))
    counts = (1000, 3000) if is_short else (1000, 60_000)
    print(table(FIGURE_HEADS, [measure_fields(), measure_memory(counts), *measure_wide()]))


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    match sys.argv[1:]:
        case ["--pass", images_in_pass]:
            print_pass(int(images_in_pass))
        case ["--cluster", workers_in_cluster, low, high]:
            print_cluster(int(workers_in_cluster), (int(low), int(high)))
        case ["--wide", kind]:
            print_wide(kind)
        case ["--ray", *options]:
            is_short = "--short" in options
            row = compare_clusters((1000, 5000 if is_short else 21_000), 1 if is_short else 3)
            print(table(RATIO_HEADS, [row.cells()]))
        case options:
            main(is_short="--short" in options)
