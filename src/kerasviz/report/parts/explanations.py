"""Explain the answers for some samples, with the evidence for each explanation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import keras
import numpy as np

from kerasviz._checks import check_choice
from kerasviz.compute.attribution.attributions import Attributions, MethodName, get_attributions
from kerasviz.compute.feature_maps import Extraction
from kerasviz.report.quantization import Block, Tiles

MAX_CELLS = 128 * 128
"""Up to this number of pixels integrated gradients are among the methods that are chosen."""
METHODS: tuple[MethodName, ...] = get_args(MethodName)


def choose_methods(method: Any, extraction: Extraction) -> list[MethodName]:
    """Return the methods: the caller's, or those that take little time.

    Raises:
        TypeError: `method` is neither the name of a method nor a list of names.
        ValueError: A name is unknown.
    """
    if method is None:
        chosen: list[MethodName] = ["grad-cam"]
        return ["integrated-gradients", *chosen] if is_small(extraction) else chosen
    if not isinstance(method, (str, list, tuple)):
        raise TypeError(
            f"`method` must be a method or a list of methods. Received: method={method!r}"
        )
    names: list[Any] = [method] if isinstance(method, str) else list(method)
    for name in names:
        check_choice("method", name, METHODS)
    return names


def is_small(extraction: Extraction) -> bool:
    """Whether the images are small enough for what takes many passes."""
    return int(np.prod(extraction.batch.arrays[0].shape[1:3])) <= MAX_CELLS


def explain(
    extraction: Extraction,
    indices: Sequence[int],
    methods: Sequence[MethodName],
    *,
    target: Any = None,
    batch_size: int = 32,
    verbose: int = 0,
) -> tuple[dict[str, Attributions], dict[str, str]]:
    """Return the attributions by method, and why there are none of the others.

    A model that is not a classifier, takes integers, or has no layer with rows and columns has
    none; the page then says so.

    Args:
        extraction: All inputs.
        indices: The samples that are explained.
        methods: By which methods.
        target: What is explained, as in `get_attributions`.
        batch_size: How many samples are computed at a time.
        verbose: Whether progress is shown, 0 or 1.
    """
    inputs = extraction.batch.take(np.array(indices)).packed()
    results: dict[str, Attributions] = {}
    reasons: dict[str, str] = {}
    for method in methods:
        try:
            results[method] = get_attributions(
                extraction.model,
                inputs,
                method=method,
                target=target,
                batch_size=batch_size,
                verbose=verbose,
            )
        except (TypeError, ValueError) as error:
            reasons[method] = " ".join(str(error).split())
            continue
        if not _maps(results[method]):
            reasons[method] = "it has no map with rows and columns; call get_attributions."
    return results, reasons


def input_names(extraction: Extraction) -> list[str]:
    """Return the names of several inputs; one input needs none."""
    specs = keras.tree.flatten(extraction.specs)
    return [str(spec.name or i) for i, spec in enumerate(specs)] if len(specs) > 1 else []


def explanation_facts(
    results: Mapping[str, Attributions],
    block: Block,
    positions: Sequence[int],
    names: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Pack the maps of each method, and return what the page says of them.

    Args:
        results: The attributions by method.
        block: Where their maps are packed.
        positions: Which of the samples in the page they explain.
        names: The names of the inputs, where there are several: each has a map of its own.
    """
    facts = []
    parts = [
        (method, result, index, maps)
        for method, result in results.items()
        for index, maps in _maps(result).items()
    ]
    for method, result, index, maps in parts:
        reach = float(np.abs(maps[np.isfinite(maps)]).max(initial=0)) or 1.0
        signed = result.layer is None
        tiles = Tiles(
            values=maps,
            indices=np.array(positions),
            total=len(positions),
            limits=(-reach if signed else 0.0, reach),
            signed=signed,
        )
        facts.append(
            {
                "method": method,
                "layer": result.layer,
                "input": names[index] if names and result.layer is None else None,
                "positions": list(positions),
                "score": result.score,
                "tiles": block.add(tiles),
                "targets": None if result.targets is None else result.targets.tolist(),
                "baseline": _listed(result.baseline_probabilities),
                "evidence": _evidence_facts(result),
            }
        )
    return facts


def _maps(result: Attributions) -> dict[int, np.ndarray]:
    """Return the maps at each input, `(samples, height, width)`, summed over channels.

    They are keyed by the index of the input; the map of a layer is one, with index 0.
    """
    maps = {}
    for index, array in enumerate(keras.tree.flatten(result.values)):
        values = np.asarray(array)
        if result.layer is None and values.ndim > 2:
            values = values.sum(axis=-1)
        if 2 <= values.ndim <= 3 and values.size:
            maps[index] = values[:, np.newaxis] if values.ndim == 2 else values
    return maps


def _listed(values: np.ndarray | None) -> list[float] | None:
    return None if values is None else [float(x) for x in values]


def _evidence_facts(result: Attributions) -> dict[str, Any] | None:
    evidence = result.evidence
    if evidence is None:
        return None
    curves = {
        name: {
            "fractions": curve.fractions.tolist(),
            "values": np.round(curve.values, 4).tolist(),
            "random": np.round(curve.random, 4).tolist(),
            "area": np.round(curve.area, 4).tolist(),
            "random_area": np.round(curve.random_area, 4).tolist(),
        }
        for name, curve in (("deletion", evidence.deletion), ("insertion", evidence.insertion))
    }
    return {
        **curves,
        "faithful": [bool(x) for x in evidence.faithful],
        "completeness": _listed(evidence.completeness),
    }
