"""Random graphs: every layer call's maps, against a plain program evaluated call by call.

A graph is drawn as a program, plain data that says which layer is called on which values. From it
a Keras model is made for kerasviz to look into. What must come out is computed from the program
alone: twins of the layers, always channels last, are called on arrays in the order written.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import keras
import numpy as np
import pytest
from hypothesis import strategies as st

import kerasviz

Shape = tuple[int, ...]
"""Of one sample: `(height, width, channels)` or `(features,)`."""


@dataclass(frozen=True)
class Layer:
    """A layer, and for how many input channels it is built; the same name is the same layer."""

    name: str
    kind: str
    options: dict[str, Any]
    channels: int

    def output_shapes(self, shapes: list[Shape]) -> list[Shape] | None:
        """Return the shape of the output, or `None` where the inputs do not fit."""
        first, options = shapes[0], self.options
        same = all(shape[:-1] == first[:-1] for shape in shapes)
        if self.kind == "Concatenate":
            return [(*first[:-1], sum(shape[-1] for shape in shapes))] if same else None
        fits = len(set(shapes)) == 1 and first[-1] == self.channels
        if not fits or (len(first) == 3) == (self.kind == "Dense"):
            return None if self.kind not in RANKLESS or not fits else [first]
        if self.kind == "UpSampling2D":
            return [(2 * first[0], 2 * first[1], first[2])]
        sizes = [_windows(size, options) for size in first[:-1]]
        filters = options.get("filters", options.get("units", first[-1]))
        if self.kind == "GlobalAveragePooling2D":
            return [(filters,)]
        return [(*sizes, filters)] if min(sizes, default=1) > 0 else None


RANKLESS = ("ReLU", "Dropout", "Add", "Subtract")
FORMATTED = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Conv2DTranspose", "MaxPooling2D")
FORMATTED += ("AveragePooling2D", "UpSampling2D", "GlobalAveragePooling2D")
ALONG_CHANNELS = ("BatchNormalization", "LayerNormalization", "Concatenate")
MERGES = ("Add", "Subtract", "Concatenate")
