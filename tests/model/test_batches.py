"""Outputs of several batches are what a layer returns for all samples at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

import kerasviz
from tiny_models import Function

LAYERS: dict[str, tuple[Callable[[Any], Any], tuple[int, ...]]] = {
    "windows": (lambda x: ops.reshape(x, (-1, 4, 4, 3)), (8, 8, 3)),
    "time first": (lambda x: ops.transpose(x, (1, 0, 2)), (4, 3)),
    "time first, of any length": (lambda x: ops.transpose(x, (1, 0, 2)), (4, 3)),
    "sum": (ops.sum, (8, 8, 3)),
    "sum over samples": (lambda x: ops.sum(x, axis=0), (8, 8, 3)),
    "sum as one sample": (lambda x: ops.sum(x, axis=0, keepdims=True), (8, 8, 3)),
    "maximum over samples": (lambda x: ops.max(x, axis=0), (8, 8, 3)),
    "number of samples": (
        lambda x: ops.cast(ops.shape(x)[0], "float32") * ops.ones(()),
        (8, 8, 3),
    ),
    "table": (lambda _: ops.arange(6), (8, 8, 3)),
    "several": (lambda x: (x * 2, ops.ones((5, 3)), ops.sum(x)), (8, 8, 3)),
    "one row more": (lambda x: ops.concatenate([ops.zeros((1, 4, 3)), x], 0), (4, 3)),
    "pairs of samples": (lambda x: ops.matmul(x, ops.transpose(x)), (4,)),
}


@pytest.mark.few(6)
@pytest.mark.parametrize("values", ["random", "zero", "equal"])
@pytest.mark.parametrize("name", LAYERS)
def test_get_feature_maps_joins_outputs_whose_rows_may_not_be_samples(
    name: str, values: str
) -> None:
    """Neither equal batches nor as many time steps as samples are taken for something else."""
    function, shape = LAYERS[name]
    inputs = keras.Input((None, 3) if "any length" in name else shape)
    layer = Function(function, name="layer")
    model = keras.Model(inputs, layer(inputs))
    x = np.random.default_rng(0).normal(size=(8, *shape)).astype("float32")
    x = {"random": x, "zero": np.zeros_like(x), "equal": np.repeat(x[:1], 8, axis=0)}[values]
    expected = keras.tree.flatten(function(ops.convert_to_tensor(x)))
    for samples_per_batch in (1, 3, 4):
        maps = kerasviz.get_feature_maps(model, "layer", x, batch_size=samples_per_batch)
        for got, want in zip(keras.tree.flatten(maps), expected, strict=True):
            want = ops.convert_to_numpy(want)
            assert got.shape == want.shape
            np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)
