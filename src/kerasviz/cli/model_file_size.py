"""Refuse model files that would take far more memory than their own size accounts for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any
from zipfile import ZipInfo

MAX_CONFIG = 64 << 20
"""Bytes of the description of a model, which may hold all words of a language model."""
MAX_RATIO = 200
"""How many times its size an archive may become: trained weights hardly shrink."""
MAX_FREE = 1 << 30
"""Bytes that an archive may become whatever its own size is, such as weights that are all 0."""
VALUES_PER_BYTE = 2
"""Of a kernel in the smallest form that Keras saves, int4."""
SMALL_KERNEL = 1 << 24
"""Weights that a layer may have in any case: a model that is not built is saved without them."""
KERNELS = ("Conv", "Dense", "LSTM", "GRU", "SimpleRNN", "SeparableConv")
"""How the names of layers begin that have a kernel for each of their `filters` or `units`."""


def explain_archive(parts: list[ZipInfo], size: int) -> str | None:
    """Return why an archive is too large when unpacked, `None` if it is not.

    Args:
        parts: The list of what is in it, which says how large each part is.
        size: The size of the archive in bytes.
    """
    total = sum(part.file_size for part in parts)
    if total > max(MAX_FREE, MAX_RATIO * size):
        return f"it would become {_write_size(total)}, {total // size} times its own size"
    for part in parts:
        if part.filename == "config.json" and part.file_size > MAX_CONFIG:
            return explain_config_size(part.file_size)
    return None


def explain_config_size(size: int) -> str | None:
    """Return why a description is too large, `None` if it is not."""
    if size <= MAX_CONFIG:
        return None
    return (
        f"the description of the model in it is of {_write_size(size)}, "
        f"and of at most {_write_size(MAX_CONFIG)} in a model that Keras saved"
    )


def explain_kernels(config: Any, size: int) -> str | None:
    """Return which kernel the weights in a file are too few for, `None` if there is none.

    Keras allocates each kernel before it reads the weights.

    Args:
        config: The description of the model.
        size: The bytes of all weights in the file.
    """
    for name, values in _kernels(config):
        if values > max(SMALL_KERNEL, VALUES_PER_BYTE * size):
            return (
                f"its layer {name!r} would have {values:,} weights or more, and the file holds "
                f"{_write_size(size)} of weights"
            )
    return None


def _kernels(config: Any) -> Iterator[tuple[str, int]]:
    """Yield the name of each layer in a description, and the number of weights it has at least."""
    waiting = [config]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            waiting += part.values()
            settings = part.get("config")
            if isinstance(settings, dict):
                kind = str(part.get("class_name"))
                yield str(settings.get("name", kind))[:80], _least_weights(kind, settings)


def _least_weights(kind: str, settings: dict[str, Any]) -> int:
    """Return how many weights a layer has, whatever its input is."""
    if kind == "Embedding":
        return _product(settings.get("input_dim")) * _product(settings.get("output_dim"))
    if not kind.startswith(KERNELS):
        return 0
    count = _product(settings.get("filters", settings.get("units", 0)))
    # The steps of a separable convolution are apart, so that its window does not multiply.
    window = 1 if kind.startswith("Separable") else _product(settings.get("kernel_size", 1))
    return count * window


def _product(sizes: Any) -> int:
    """Return the product of one size or of several; 0 where they are not sizes."""
    values = sizes if isinstance(sizes, list) else [sizes]
    if not all(type(value) is int and value > 0 for value in values):
        return 0
    return math.prod(values)


def _write_size(size: int) -> str:
    for unit, power in (("GB", 30), ("MB", 20), ("kB", 10)):
        if size >= 1 << power:
            return f"{size / (1 << power):.3g} {unit}"
    return f"{size} bytes"
