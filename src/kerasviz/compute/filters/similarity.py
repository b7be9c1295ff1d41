"""Compare filters by their responses, and layers by the images that they tell apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from kerasviz.compute.feature_maps import Extraction, plan_extraction, rows_are_samples
from kerasviz.model.inputs.input_adapter import is_stream, iter_batches

MAX_VALUES = 1 << 16
"""How many values of an image are compared; larger maps are averaged over cells first."""
MAX_BYTES = 1 << 30
"""The memory that the responses of all layers may take."""
FLOAT_BYTES = 4


def cluster_order(similarity: np.ndarray) -> np.ndarray:
    """Return an order in which items that are alike are neighbours.

    The items are joined by average linkage, nearest first, each group turned so that the ends that
    meet are alike. Those that are like nothing, NaN, come last.

    Args:
        similarity: Symmetric array `(n, n)`, larger for what is more alike.

    Returns:
        A permutation of `0` to `n - 1`.

    References:
        Average linkage: Sokal and Michener (1958), A statistical method for evaluating systematic
        relationships; the turning: Gruvaeus and Wainer (1972),
        https://doi.org/10.1111/j.2044-8317.1972.tb00491.x.
    """
    alike = np.flatnonzero(~np.isnan(np.diag(similarity)))
    others = np.setdiff1d(np.arange(len(similarity)), alike)
    groups = [[int(index)] for index in alike]
    if not groups:
        return others
    distance = -np.nan_to_num(similarity[np.ix_(alike, alike)].astype("float64"))
    between = distance.copy()
    np.fill_diagonal(between, np.inf)
    position = {int(index): n for n, index in enumerate(alike)}
    for _ in range(len(groups) - 1):
        a, b = sorted(map(int, np.unravel_index(between.argmin(), between.shape)))
        first, second = groups[a], groups[b]
        sizes = len(first), len(second)
        row = (sizes[0] * between[a] + sizes[1] * between[b]) / sum(sizes)
        between[a], between[:, a] = row, row
        between[a, a] = np.inf
        between[b], between[:, b] = np.inf, np.inf
        groups[a] = _join(first, second, distance, position)
    return np.array([*groups[0], *others], int)


def _join(
    first: list[int], second: list[int], distance: np.ndarray, position: Mapping[int, int]
) -> list[int]:
    """Return two groups in a row, turned so that the ends that meet are nearest."""
    turns = [(a, b) for a in (first, first[::-1]) for b in (second, second[::-1])]
    a, b = min(turns, key=lambda pair: distance[position[pair[0][-1]], position[pair[1][0]]])
    return [*a, *b]


@dataclass(frozen=True, kw_only=True)
class LayerSimilarity:
    """The linear CKA of layers.

    Args:
        rows: The addresses of the layers of the first model.
        columns: Those of the second, or the same.
        values: `(rows, columns)`, from 0 to 1; NaN where a layer gives each image the same maps.
        samples: How many images were compared.
        averaged: The layers whose maps were averaged, each with the number of cells along an axis.
    """

    rows: Sequence[str]
    columns: Sequence[str]
    values: np.ndarray
    samples: int
    averaged: Mapping[str, int]


def compare_layers(
    models: Sequence[keras.Model],
    layer: Any,
    inputs: Any,
    *,
    samples: int,
    batch_size: int,
) -> LayerSimilarity:
    """Return how alike layers see images: their linear CKA.

    Args:
        models: One model, whose layers are compared with one another, or two.
        layer: What selects layers in each model.
        inputs: Arrays, or batches.
        samples: How many images are compared at most, the first ones.
        batch_size: How many are computed at a time.

    References:
        Kornblith et al. (2019), Similarity of neural network representations revisited,
        arXiv 1905.00414.
    """
    rows: list[dict[str, list[np.ndarray]]] = [{} for _ in models]
    averaged: dict[str, int] = {}
    count = 0
    for extractions in _parts(models, layer, inputs, samples, batch_size):
        count += len(extractions[0].batch)
        layers = sum(len(each.targets.targets) for each in extractions)
        limit = min(MAX_VALUES, MAX_BYTES // (FLOAT_BYTES * samples * layers))
        for extraction, responses in zip(extractions, rows, strict=True):
            for address, maps in extraction.run(batch_size).items():
                _check_rows(extraction, address, maps)
                values, cells = _average(np.asarray(maps, "float32"), max(limit, 1))
                if cells > 1:
                    averaged[address] = cells
                responses.setdefault(address, []).append(values.reshape(len(values), -1))
    if count < 2:
        raise ValueError(f"`inputs` must hold at least two images to compare. Received: {count}")
    grams = [[_gram(np.concatenate(parts)) for parts in each.values()] for each in rows]
    products = np.array([[np.vdot(a, b) for b in grams[-1]] for a in grams[0]])
    norms = [np.array([np.linalg.norm(gram) for gram in each]) for each in (grams[0], grams[-1])]
    largest = [np.where(norm > 0, norm, np.nan) for norm in norms]
    return LayerSimilarity(
        rows=list(rows[0]),
        columns=list(rows[-1]),
        values=(products / np.outer(largest[0], largest[1])).clip(0, 1),
        samples=count,
        averaged=averaged,
    )


def _parts(
    models: Sequence[keras.Model], layer: Any, inputs: Any, samples: int, batch_size: int
) -> Iterator[list[Extraction]]:
    """Yield parts of the inputs, up to a number of samples, for each of the models."""
    batches = iter_batches(inputs) if is_stream(inputs) else [inputs]
    seen = 0
    for batch in batches:
        extractions = [plan_extraction(model, layer, batch) for model in models]
        total = min(len(extractions[0].batch), samples - seen)
        for start in range(0, total, batch_size):
            stop = min(start + batch_size, total)
            yield [
                replace(extraction, batch=extraction.batch.part(start, stop))
                for extraction in extractions
            ]
        seen += total
        if seen >= samples:
            return


def _check_rows(extraction: Extraction, address: str, maps: Any) -> None:
    call = next(target.call for target in extraction.targets.targets if target.address == address)
    if keras.tree.is_nested(maps):
        raise ValueError(f"'{address}' has several outputs: name one, such as '{address}#0'.")
    if not rows_are_samples(extraction, call, call.output or 0, maps) or maps.ndim < 2:
        raise ValueError(f"'{address}' must return a row for each image to be compared.")
    if not np.isfinite(maps).all():
        raise ValueError(f"'{address}' returns NaN or infinite values, which cannot be compared.")


def _average(maps: np.ndarray, limit: int) -> tuple[np.ndarray, int]:
    """Return maps of at most `limit` values per image, averaged over blocks of cells if needed.

    Args:
        maps: `(samples, *space, filters)`.
        limit: How many values an image may have.
    """
    size = maps[0].size
    axes = maps.ndim - 2
    if size <= limit or not axes:
        return maps, 1
    cells = int(np.ceil((size / limit) ** (1 / axes)))
    for axis in range(1, axes + 1):
        starts = np.arange(0, maps.shape[axis], cells)
        counts = np.diff([*starts, maps.shape[axis]])
        shape = [-1 if n == axis else 1 for n in range(maps.ndim)]
        maps = np.add.reduceat(maps, starts, axis=axis) / counts.reshape(shape)
    return maps.astype("float32"), cells


def _gram(values: np.ndarray) -> np.ndarray:
    """Return the products of images `(n, n)`, of responses less their mean over the images."""
    centered = values.astype("float64")
    centered -= centered.mean(axis=0)
    return np.asarray(centered @ centered.T)
