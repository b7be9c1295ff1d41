"""Find layers whose weights are still those that they were initialised with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from kerasviz.report.findings.finding import Finding, list_names

MIN_WEIGHTS = 64
"""With fewer weights than this their distribution tells nothing."""


def find_initial(kernels: Mapping[str, tuple[Any, np.ndarray]]) -> list[Finding]:
    """Return a finding on the layers that training did not change.

    Args:
        kernels: By address, the layer and its kernel.
    """
    initial = [address for address, (layer, _) in kernels.items() if is_initial(layer)]
    if not initial:
        return []
    if len(initial) == len(kernels):
        text = (
            "No layer with a kernel moved from its initialisation: the model looks untrained, so "
            "its maps and explanations show chance."
        )
        return [Finding(level="warning", text=text, layers=tuple(initial))]
    they = "layer has" if len(initial) == 1 else "layers have"
    text = f"{len(initial)} {they} not moved from the initialisation: {list_names(initial)}."
    return [Finding(level="warning", text=text, layers=tuple(initial))]


def is_initial(layer: Any) -> bool:
    """Whether a layer's kernel is what its initialiser draws, and its bias is 0.

    An initialiser with a seed draws the same values again. That of a model that was loaded from a
    file has another seed: then the kernel counts as initial if it is within the bounds of the
    initialiser and has its standard deviation, as closely as that many random values would.
    """
    kernel, initializer = getattr(layer, "kernel", None), getattr(layer, "kernel_initializer", None)
    if kernel is None or not isinstance(initializer, keras.initializers.Initializer):
        return False
    values = keras.ops.convert_to_numpy(keras.ops.cast(kernel, "float32"))
    if not np.isfinite(values).all() or values.size < 2:
        return False
    bias = getattr(layer, "bias", None)
    if bias is not None and np.any(keras.ops.convert_to_numpy(keras.ops.cast(bias, "float32"))):
        return False
    return _is_same_draw(initializer, values) or _is_distributed_alike(
        initializer, values, has_bias=bias is not None
    )


def _is_same_draw(initializer: Any, values: np.ndarray) -> bool:
    # A generator as the seed would move on, and the model's next random numbers would be others.
    if not isinstance(getattr(initializer, "seed", None), (int, type(None))):
        return False
    if not isinstance(initializer, keras.initializers.VarianceScaling):
        return False
    draw = keras.ops.convert_to_numpy(initializer(values.shape, dtype="float32"))
    return bool(np.allclose(draw, values, rtol=1e-3, atol=1e-7))


def _is_distributed_alike(initializer: Any, values: np.ndarray, *, has_bias: bool) -> bool:
    least = MIN_WEIGHTS if has_bias else 16 * MIN_WEIGHTS
    if not isinstance(initializer, keras.initializers.VarianceScaling) or values.size < least:
        return False
    deviation = _deviation(initializer, values.shape)
    is_uniform = initializer.distribution == "uniform"
    # A truncated normal ends at two deviations of the normal before it was cut, which is wider.
    bound = deviation * (np.sqrt(3) if is_uniform else 2 / 0.87962566103423978)
    if initializer.distribution == "untruncated_normal" or np.abs(values).max() > 1.0001 * bound:
        return False
    ratio = values.std(dtype="float64") / deviation
    return bool(
        abs(ratio - 1) < 3 / np.sqrt(2 * values.size)
        and abs(values.mean(dtype="float64")) < 3 * deviation / np.sqrt(values.size)
    )


def _deviation(initializer: Any, shape: tuple[int, ...]) -> float:
    """Return the standard deviation that an initialiser gives to weights of a shape."""
    field = int(np.prod(shape[:-2])) if len(shape) > 2 else 1
    fan_in, fan_out = (shape[-2] * field, shape[-1] * field) if len(shape) > 1 else (shape[0],) * 2
    fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
    return float(np.sqrt(initializer.scale / max(1.0, fans[initializer.mode])))
