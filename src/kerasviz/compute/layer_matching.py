"""Find what a layer address names in each of several models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import keras

from kerasviz.compute.kernels import resolve_kernels
from kerasviz.model.addresses import NamedCall


def check_models(models: Any, name: str = "models") -> dict[str, keras.Model]:
    """Return models with their names, or say in which form they must be.

    Args:
        models: The caller's argument.
        name: What the argument is called.

    Raises:
        TypeError: `models` is not a dict of strings and Keras models.
        ValueError: It has no model.
    """
    form = f'`{name}` must be a dict of names and Keras models: {{"untrained": a, "trained": b}}.'
    if not isinstance(models, Mapping):
        raise TypeError(f"{form} Received: {name}={models!r}")
    for key, model in models.items():
        if not (isinstance(key, str) and isinstance(model, keras.Model)):
            raise TypeError(f"{form} Received: {key!r}: {model!r}")
    if not models:
        raise ValueError(f"{form} Received: {name}={models!r}")
    return dict(models)


def match_layers(models: Mapping[str, keras.Model], layer: Any) -> list[tuple[NamedCall, ...]]:
    """Find what a layer argument names in each of several models.

    Returns:
        For each layer, what it is in each model: those in the same place belong together.

    Raises:
        ValueError: It does not name the same number of layers in each.
    """
    matches = [resolve_kernels(model, layer).targets for model in models.values()]
    if len(set(map(len, matches))) > 1:
        counts = ", ".join(
            f"{len(targets)} in {name!r}" for name, targets in zip(models, matches, strict=True)
        )
        raise ValueError(
            "`layer` must name the same number of layers in each model. "
            f"Received: layer={layer!r}, which names {counts}"
        )
    return list(zip(*matches, strict=True))


def join_addresses(targets: Iterable[NamedCall]) -> str:
    """Return the address of a layer in several models, or all of them where they differ."""
    return ", ".join(dict.fromkeys(target.address for target in targets))
