"""Find what tells that a model is given other inputs than it was made for, or returns NaN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from kerasviz.report.findings.finding import Finding

BYTES = 16
"""Inputs beyond this are taken for the bytes of photos, which most models take rescaled."""
CERTAIN = 0.5
"""From this probability on a class counts as what the model takes something for."""
RESCALING = (
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.Normalization,
    keras.layers.Rescaling,
)


def find_input_range(layers: Sequence[keras.layers.Layer], values: np.ndarray) -> list[Finding]:
    """Return a finding where inputs are of another range than the first layers expect.

    Args:
        layers: The layers of the model, in their order.
        values: The inputs.
    """
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if not finite.size:
        return []
    low, high = float(finite.min()), float(finite.max())
    span = f"{low:.3g} to {high:.3g}".replace("-", "−")
    scale = next((x.scale for x in layers if isinstance(x, keras.layers.Rescaling)), None)
    if isinstance(scale, (int, float)) and scale < 0.1 and high <= 1 and low >= -1:
        text = (
            f"The inputs go from {span}, and the model itself multiplies them by {scale:.3g}: it "
            "was made for values up to about "
            f"{1 / scale:.0f}."
        )
        return [Finding(level="warning", text=text)]
    if high > BYTES and low >= 0 and not any(isinstance(x, RESCALING) for x in layers):
        text = (
            f"The inputs go from {span}, and no layer of the model rescales or normalises them. "
            "Most such models were trained on values from 0 to 1 or −1 to 1."
        )
        return [Finding(level="warning", text=text)]
    return []


def find_not_finite(counts: Mapping[str, int], inputs: Sequence[np.ndarray]) -> list[Finding]:
    """Return a finding on the layers that return NaN, the first of them first.

    Args:
        counts: By address in the order of the layers, how many values are NaN or infinite.
        inputs: What the model was called on.
    """
    if any(x.dtype.kind == "f" and not np.isfinite(x).all() for x in inputs):
        return [Finding(level="error", text="The inputs hold NaN or infinite values.")]
    if not counts:
        return []
    first = next(iter(counts))
    text = f"{first} is the first layer that returns NaN or infinite values"
    others = len(counts) - 1
    text += f", and {others} after it do too." if others else "."
    return [Finding(level="error", text=text, layers=(first,))]


def find_baseline(probabilities: np.ndarray | None, names: Sequence[str] | None) -> list[Finding]:
    """Return a finding where the model takes an input of zeros, the baseline, for a class.

    Args:
        probabilities: The probabilities of classes for zeros, `(classes,)`.
        names: The names of the classes.
    """
    if probabilities is None or not probabilities.max() >= CERTAIN:
        return []
    index = int(probabilities.argmax())
    name = f"class {index}" if names is None or index >= len(names) else names[index]
    text = (
        f"The model takes an input of zeros for {name} ({probabilities[index]:.0%}). Explanations "
        "that start from zeros explain the difference from that."
    )
    return [Finding(level="note", text=text)]


def find_unfaithful(faithful: Mapping[str, np.ndarray], indices: Sequence[int]) -> list[Finding]:
    """Return a finding on each method whose maps are no better than a random order of the pixels.

    Args:
        faithful: By method, whether each map is better, `(samples,)`.
        indices: The index of each of these samples.
    """
    findings = []
    for method, is_better in faithful.items():
        odd = np.asarray(indices)[~is_better].tolist()
        if odd:
            text = (
                f"{method} is no better than random for {len(odd)} of {len(is_better)} images: to "
                "erase what it marks changes the answer no faster than to erase random pixels."
            )
            findings.append(Finding(level="warning", text=text, samples=tuple(odd)))
    return findings
