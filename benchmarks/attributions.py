"""Attributions, against the gradients that one would write by hand for the backend.

`python benchmarks/attributions.py` prints the rows; `run.py` has them among its own.
Times are taken in one process, the two ways in turn. A peak of memory is that of a process.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from timing import Spread, time_pairs

import kerasviz
from report import RATIO_HEADS, Goal, Row, table

if TYPE_CHECKING:
    import keras

SIZE, IMAGES, STEPS, BATCH = 160, 32, 64, 32
LAYER, TARGET = "out_relu", 3
CASE = f"MobileNetV2, {IMAGES} images {SIZE}×{SIZE}"
COUNT_HEADS = ("what is counted", "figure", "goal")


def network() -> keras.Model:
    """Return the network that is explained: random weights, a softmax."""
    import keras

    keras.utils.set_random_seed(0)
    return keras.applications.MobileNetV2(input_shape=(SIZE, SIZE, 3), weights=None)


def images(count: int = IMAGES) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, SIZE, SIZE, 3)).astype("float32")


class ByHand:
    """What one writes with a tape, compiled, for a network of which one knows the layers."""

    def __init__(self, model: keras.Model) -> None:
        import keras
        import tensorflow as tf

        pooled = model.layers[-1].input
        part = keras.Model(model.inputs, [model.get_layer(LAYER).output, pooled])
        kernel, bias = (variable.value for variable in model.layers[-1].weights)

        @tf.function(reduce_retracing=True)
        def run(x: Any, target: Any, by_inputs: bool) -> Any:
            with tf.GradientTape() as tape:
                if by_inputs:
                    tape.watch(x)
                maps, code = part(x, training=False)
                logits = tf.matmul(code, kernel) + bias
                score = tf.reduce_sum(tf.gather(logits, target, axis=1))
            return maps, tape.gradient(score, [maps, x] if by_inputs else [maps])

        self._run = run

    def gradients(self, x: np.ndarray, *, by_inputs: bool) -> list[np.ndarray]:
        """Return the map of Grad-CAM and, where asked for, the gradient by the inputs."""
        import tensorflow as tf

        parts = []
        for start in range(0, len(x), BATCH):
            batch = tf.convert_to_tensor(x[start : start + BATCH])
            maps, gradients = self._run(batch, tf.constant(TARGET), by_inputs)
            weights = gradients[0].numpy().mean(axis=(1, 2), keepdims=True)
            cam = np.maximum((weights * maps.numpy()).sum(axis=-1), 0)
            parts.append([cam, *(x.numpy() for x in gradients[1:])])
        return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]

    def integrate(self, x: np.ndarray) -> np.ndarray:
        """Return integrated gradients, by the mean of `STEPS` points."""
        a = ((np.arange(STEPS) + 0.5) / STEPS).astype("float32").reshape(-1, 1, 1, 1)
        return np.stack([y * self.gradients(a * y, by_inputs=True)[1].mean(axis=0) for y in x])


def by_kerasviz(model: keras.Model, x: np.ndarray, method: Any, **options: Any) -> Any:
    layer = None if method == "integrated-gradients" else LAYER
    options = {"target": TARGET, "evidence": False, "batch_size": BATCH, **options}
    return kerasviz.get_attributions(model, x, method=method, layer=layer, **options)


def by_recipe(model: keras.Model, image: np.ndarray) -> np.ndarray:
    """Return a map as https://keras.io/examples/vision/grad_cam does."""
    import keras
    import tensorflow as tf

    grad_model = keras.models.Model(model.inputs, [model.get_layer(LAYER).output, model.output])
    with tf.GradientTape() as tape:
        maps, answers = grad_model(image)
        channel = answers[:, TARGET]
    gradient = tape.gradient(channel, maps)
    pooled = tf.reduce_mean(gradient, axis=(0, 1, 2))
    heat = tf.squeeze(maps[0] @ pooled[..., tf.newaxis])
    return np.asarray(tf.maximum(heat, 0) / tf.math.reduce_max(heat))


def tf_keras_vis_map(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """Return what computes a map with tf-keras-vis, which is set up once, as its guide does."""
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.utils.model_modifiers import ReplaceToLinear
    from tf_keras_vis.utils.scores import CategoricalScore

    find = Gradcam(model, model_modifier=ReplaceToLinear(), clone=True)
    options = {"penultimate_layer": LAYER, "expand_cam": False, "normalize_cam": False}
    options["seek_penultimate_conv_layer"] = False  # or it takes another layer, before the ReLU
    return lambda image: np.asarray(find(CategoricalScore(TARGET), image, **options))


def compare_one_by_one(model: keras.Model, x: np.ndarray, pairs: int) -> Iterator[Row]:
    """Yield how much longer others take for the maps of images that come one by one.

    tf-keras-vis is in the extra `test`; its row is left out where it is not installed.
    """
    rows = [x[i : i + 1] for i in range(len(x))]
    ways = {"the eager recipe of keras.io": lambda image: by_recipe(model, image)}
    if find_spec("tf_keras_vis") is not None:
        ways["tf-keras-vis"] = tf_keras_vis_map(model)
        cam = by_kerasviz(model, rows[0], "grad-cam").values
        np.testing.assert_allclose(ways["tf-keras-vis"](rows[0]), cam, atol=1e-3 * cam.max())
    for name, way in ways.items():
        ratios = time_pairs(
            lambda way=way: [way(image) for image in rows],
            lambda: [by_kerasviz(model, image, "grad-cam") for image in rows],
            pairs=pairs,
        ).ratios
        compared = f"{name} / get_attributions"
        goals = (Goal(5.0, at_least=True),)
        yield Row(f"{CASE}, one by one: Grad-CAM", compared, ratios, pairs, goals)


def compare_attributions(pairs: int) -> Iterator[Row]:
    """Yield the rows of times and of memory."""
    model, x = network(), images()
    hand = ByHand(model)
    both = by_kerasviz(model, x, ["gradient", "grad-cam"])
    cam, gradient = hand.gradients(x, by_inputs=True)
    largest = np.abs(gradient).max()
    np.testing.assert_allclose(both["gradient"].values, gradient, atol=1e-3 * largest)
    np.testing.assert_allclose(both["grad-cam"].values, cam, atol=1e-3 * cam.max())
    compared = "get_attributions / forward and backward pass by hand, compiled"
    ways: list[tuple[str, Callable[[], Any], Callable[[], Any], float]] = [
        (
            f"{CASE}: gradients of one layer and the input",
            lambda: by_kerasviz(model, x, ["gradient", "grad-cam"]),
            lambda: hand.gradients(x, by_inputs=True),
            1.15,
        ),
        (
            f"{CASE}: Grad-CAM",
            lambda: by_kerasviz(model, x, "grad-cam"),
            lambda: hand.gradients(x, by_inputs=True),
            1.2,
        ),
        (
            f"{CASE}: Grad-CAM, beside no gradient of the input",
            lambda: by_kerasviz(model, x, "grad-cam"),
            lambda: hand.gradients(x, by_inputs=False),
            1.2,
        ),
        (
            f"MobileNetV2, one image: integrated gradients of {STEPS} steps",
            lambda: by_kerasviz(model, x[:1], "integrated-gradients", steps=STEPS),
            lambda: hand.integrate(x[:1]),
            1.1,
        ),
    ]
    for case, first, second, bound in ways:
        ratios = time_pairs(first, second, pairs=pairs, warmup=1).ratios
        yield Row(case, compared, ratios, pairs, (Goal(bound),))
    yield from compare_one_by_one(model, x, pairs)
    peaks = [(_peak("kerasviz"), _peak("hand")) for _ in range(min(pairs, 2))]
    memory = Spread.of([a / b for a, b in peaks])
    yield Row(
        f"{CASE}: gradients of one layer and the input, peak of memory",
        compared,
        memory,
        len(peaks),
        (Goal(1.1),),
    )


def _peak(way: str) -> float:
    """Return the peak of memory of a process that computes gradients one way."""
    command = [sys.executable, __file__, "--peak", way]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(result.stdout.split()[-1])


def _print_peak(way: str) -> None:
    model, x = network(), images(2 * IMAGES)
    if way == "hand":
        ByHand(model).gradients(x, by_inputs=True)
    else:
        by_kerasviz(model, x, ["gradient", "grad-cam"])
    with Path("/proc/self/status").open(encoding="utf-8") as status:
        print(next(line.split()[1] for line in status if line.startswith("VmHWM")))


def count_traces_and_passes() -> Iterator[list[str]]:
    """Yield what is counted and not timed: layers that are traced, and forward passes."""
    import keras

    calls: list[int] = []

    class Counts(keras.layers.Layer):
        """Counts its calls and their samples."""

        def __init__(self, *, looks: bool) -> None:
            super().__init__()
            self._looks = looks

        def call(self, x: Any) -> Any:
            if not self._looks or keras.ops.max(x) > -1e9:  # a look at a value: never compiled
                calls.append(x.shape[0] or 0)
            return x

        def compute_output_shape(self, shape: Any) -> Any:
            return shape

    def model(*, looks: bool) -> keras.Model:
        parts = [keras.Input((16, 16, 1)), keras.layers.Conv2D(4, 3), Counts(looks=looks)]
        parts += [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(5)]
        return keras.Sequential(parts)

    x = np.random.default_rng(0).normal(size=(2, 16, 16, 1)).astype("float32")
    traced = model(looks=False)
    methods = ["gradient", "integrated-gradients", "grad-cam", "occlusion"]
    kerasviz.get_attributions(traced, x[:1], method=methods, target=1, steps=8)
    calls.clear()
    kerasviz.get_attributions(traced, x[1:], method=methods, target=2, steps=8)
    yield [
        "layers traced for another class and another image",
        str(len(calls)),
        _met(len(calls), 0),
    ]
    counted, passes = model(looks=True), []
    for evidence in (False, True):
        calls.clear()
        kerasviz.get_attributions(counted, x, method="occlusion", target=0, evidence=evidence)
        passes.append(sum(calls) / len(x))
    more = passes[1] - passes[0]
    yield ["forward passes of the evidence for each sample", f"{more:.0f}", _met(more, 90)]


def _met(figure: float, bound: float) -> str:
    return f"≤ {bound:g} {'met' if figure <= bound else 'not met'}"


def main() -> None:
    print(table(RATIO_HEADS, [row.cells() for row in compare_attributions(3)]))
    print(table(COUNT_HEADS, list(count_traces_and_passes())))


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if sys.argv[1:2] == ["--peak"]:
        _print_peak(sys.argv[2])
    else:
        main()
