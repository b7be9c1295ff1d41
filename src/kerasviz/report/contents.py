"""Collect everything that one page shows: facts for its script, and blocks of values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

import kerasviz
from kerasviz._wording import write_count
from kerasviz.compute.feature_maps import Extraction
from kerasviz.draw.color import DIVERGING, SEQUENTIAL
from kerasviz.model.architecture.elements import Architecture
from kerasviz.model.calls import input_specs
from kerasviz.report.blocks import Block
from kerasviz.report.findings import Finding, find_in_kernels
from kerasviz.report.graph import graph_facts, read_graph
from kerasviz.report.layers import kernel_facts, layer_facts, list_layers, read_kernels
from kerasviz.report.maps import compute_maps
from kerasviz.report.palettes import palette
from kerasviz.report.samples import (
    Predictions,
    choose_samples,
    pictures,
    predict,
    sample_facts,
)


@dataclass(frozen=True, kw_only=True)
class SampleChoice:
    """Which samples a page shows, and how.

    Args:
        limit: How many have their maps in the page.
        labels: The class of each of all samples.
        picture: All of them as they are, before they were preprocessed.
        names: The name of each of all samples.
        batch_size: How many are computed at a time.
    """

    limit: int = 12
    labels: np.ndarray | None = None
    picture: Any = None
    names: Sequence[str] | None = None
    batch_size: int = 32


@dataclass(kw_only=True)
class Contents:
    """Everything that a page shows, collected part by part.

    Args:
        model: The model.
        facts: What the script reads.
        blocks: The values of each layer, by a name that is an identifier.
        findings: What is odd, the gravest first.
    """

    model: keras.Model
    facts: dict[str, Any] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def add_model(self, specs: Any = None) -> None:
        """Add the graph, the layers and their kernels."""
        architecture = read_graph(self.model, specs)
        refs = list_layers(self.model)
        kernels = read_kernels(self.model, refs)
        rows, layers = [], []
        for index, ref in enumerate(refs):
            entry = layer_facts(ref) | {"block": f"layer-{index}"}
            block = Block()
            if ref.address in kernels:
                layer, kernel = kernels[ref.address]
                entry["kernels"], row = kernel_facts(kernel, layer, ref.address, block)
                rows.append(row)
            self.blocks[entry["block"]] = block
            layers.append(entry)
        self.findings += find_in_kernels(rows)
        self.facts |= {
            "version": kerasviz.__version__,
            "model": self._model_facts(architecture, len(layers), specs),
            "palettes": {"diverging": palette(DIVERGING), "sequential": palette(SEQUENTIAL)},
            "graph": graph_facts(architecture),
            "layers": layers,
            "samples": [],
        }

    def _model_facts(self, architecture: Architecture, layers: int, specs: Any) -> dict[str, Any]:
        inputs = keras.tree.flatten(input_specs(self.model) if specs is None else specs)
        shapes = ["×".join("?" if n is None else str(n) for n in x.shape[1:]) for x in inputs]
        return {
            "name": self.model.name,
            "type": type(self.model).__name__,
            "parameters": architecture.parameters,
            "frozen": architecture.frozen,
            "layers": layers,
            "inputs": shapes,
            "backend": keras.backend.backend(),
        }

    def add_samples(self, extraction: Extraction, choice: SampleChoice) -> None:
        """Add predictions, and the pictures and maps of some samples."""
        probabilities = predict(extraction, choice.batch_size)
        predictions = None
        if probabilities is not None:
            predictions = Predictions(probabilities=probabilities, labels=choice.labels)
            self.facts["predictions"] = prediction_facts(predictions)
        mistakes = [] if predictions is None else predictions.mistakes.tolist()
        indices = choose_samples(len(extraction.batch), choice.limit, mistakes)
        self.facts["total"] = len(extraction.batch)
        self.facts["samples"] = sample_facts(indices, predictions, choice.names)
        self._add_pictures(pictures(extraction, indices, choice.picture))
        self._add_maps(extraction, indices)

    def _add_pictures(self, colors: np.ndarray | None) -> None:
        if colors is None:
            return
        block = self.blocks["pictures"] = Block()
        for entry, picture in zip(self.facts["samples"], colors, strict=True):
            is_grey = bool((picture == picture[..., :1]).all())
            values = picture[..., 0] if is_grey else picture
            entry["picture"] = {
                "start": block.add_bytes(values),
                "height": picture.shape[0],
                "width": picture.shape[1],
                "channels": 1 if is_grey else 3,
            }

    def _add_maps(self, extraction: Extraction, indices: list[int]) -> None:
        by_address = {layer["address"]: layer for layer in self.facts["layers"]}
        not_finite: dict[str, int] = {}
        for maps in compute_maps(extraction, indices):
            for address, tiles in maps.tiles.items():
                layer = by_address[address]
                layer.setdefault("maps", []).append(self.blocks[layer["block"]].add(tiles))
            for address, count in maps.not_finite.items():
                not_finite[address] = not_finite.get(address, 0) + count
        self.findings += [
            Finding(
                level="error",
                text=f"{address} returns {write_count(count, 'value')} that are NaN or infinite.",
                layers=(address,),
            )
            for address, count in list(not_finite.items())[:1]
        ]

    def finish(self) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the facts and the encoded blocks, those of a layer without values left out."""
        blocks = {name: block.encode() for name, block in self.blocks.items() if block.parts}
        for layer in self.facts["layers"]:
            if layer["block"] not in blocks:
                layer["block"] = None
        order = ("error", "warning", "note")
        findings = sorted(self.findings, key=lambda finding: order.index(finding.level))
        return {**self.facts, "findings": [finding.facts() for finding in findings]}, blocks


def prediction_facts(predictions: Predictions) -> dict[str, Any]:
    """Return what the page says of all samples together."""
    facts: dict[str, Any] = {"classes": predictions.probabilities.shape[1]}
    if predictions.labels is not None:
        count = len(predictions.labels)
        facts |= {"samples": count, "right": count - len(predictions.mistakes)}
    return facts
