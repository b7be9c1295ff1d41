"""Model randomisation: does a map change when the weights of the model are permuted?

Source: Adebayo 2018, arXiv 1810.03292.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import keras
import numpy as np

from kerasviz.compute.progress import track
from kerasviz.model.layer_call import Call

Values = list[np.ndarray]
"""The values of a map, each array `(samples, ...)`."""


def correlate_with_randomised(
    explain: Callable[[], Values],
    values: Values,
    stages: Sequence[Stage],
    *,
    masks: Sequence[np.ndarray | None],
    seed: int,
    verbose: int = 0,
) -> np.ndarray:
    """Return the rank correlation of a map with itself after weights are permuted.

    Args:
        explain: Computes the map again.
        values: The map of the model as it is, signed.
        stages: The weights that are permuted, one stage after the other; they stay permuted until
            all are, and come back in the end, also after an error.
        masks: For each array, which of its values are not 0 by construction; `None` for all.
        seed: Decides the permutations.
        verbose: Whether to show a progress bar.

    Returns:
        `(stages, samples)`.
    """
    rng = np.random.default_rng(seed)
    before = _signed(values, masks)
    correlations = np.empty((len(stages), len(values[0])))
    with _keeping_weights(stages):
        for index in track(range(len(stages)), "layer", verbose=verbose):
            for variable in stages[index].variables:
                array = keras.ops.convert_to_numpy(variable.value)
                variable.assign(rng.permutation(array.ravel()).reshape(array.shape))
            after = _signed(explain(), masks)
            correlations[index] = [spearman(a, b) for a, b in zip(before, after, strict=True)]
    return correlations


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The weights that are permuted together: those of one layer.

    Args:
        address: The layer's address.
        variables: Its own weights, of which layers inside it have others.
    """

    address: str
    variables: tuple[keras.Variable, ...]


def stages_from_the_top(model: keras.Model, calls: Sequence[Call]) -> list[Stage]:
    """Return the layers with weights, the last layer first.

    Args:
        model: The model.
        calls: The calls of its layers, in the order in which they end.
    """
    stages: list[Stage] = []
    seen: set[int] = set()

    def add(address: str, layer: keras.Layer, inner: Sequence[Call]) -> None:
        of_others = seen.union(id(v) for call in inner for v in call.layer.weights)
        own = [v for v in _permutable(layer) if id(v) not in of_others]
        seen.update(map(id, own))
        if own:
            stages.append(Stage(address=address, variables=tuple(own)))

    for call in reversed(calls):
        depth = len(call.path)
        inner = [c for c in calls if len(c.path) > depth and c.path[:depth] == call.path]
        add(call.address, call.layer, inner)
    add(model.name, model, [])
    return stages


def _permutable(layer: keras.Layer) -> list[keras.Variable]:
    """Return the variables of a layer that hold floats, of more than one value."""
    return [
        v
        for v in layer.weights
        if keras.backend.is_float_dtype(v.dtype) and int(np.prod(v.shape)) > 1
    ]


@contextmanager
def _keeping_weights(stages: Sequence[Stage]) -> Iterator[None]:
    variables = {id(v): v for stage in stages for v in stage.variables}
    before = {key: np.array(keras.ops.convert_to_numpy(v.value)) for key, v in variables.items()}
    try:
        yield
    finally:
        for key, variable in variables.items():
            variable.assign(before[key])


def _signed(values: Values, masks: Sequence[np.ndarray | None]) -> list[np.ndarray]:
    """Return the values of each sample that are not 0 by construction."""
    parts = [
        [x[row].ravel() if mask is None else x[row][mask[row]] for row in range(len(x))]
        for x, mask in zip(values, masks, strict=True)
    ]
    return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Return the correlation of the ranks of two arrays; 0 where one of them does not vary."""
    if a.size < 2:
        return 0.0
    a, b = (_ranks(x) for x in (a, b))
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / size) if size else 0.0


def _ranks(x: np.ndarray) -> np.ndarray:
    """Return the rank of each value; equal ones share the mean of theirs."""
    _, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse])
