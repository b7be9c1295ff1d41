"""Collect everything that one page shows: facts for its script, and blocks of values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np

import kerasviz
from kerasviz.compute.attribution.attributions import MethodName
from kerasviz.compute.feature_maps import Extraction
from kerasviz.compute.filters.statistics import FilterStatistics
from kerasviz.draw.color import DIVERGING, SEQUENTIAL
from kerasviz.model.architecture.elements import Architecture
from kerasviz.model.calls import input_specs
from kerasviz.report.colormaps import palette
from kerasviz.report.findings.filters import find_in_filters
from kerasviz.report.findings.finding import Finding
from kerasviz.report.findings.initialisation import find_initial
from kerasviz.report.findings.inputs import (
    find_baseline,
    find_input_range,
    find_not_finite,
    find_unfaithful,
)
from kerasviz.report.findings.kernels import MIN_WEIGHTS, find_in_kernels
from kerasviz.report.parts.explanations import (
    explain,
    explanation_facts,
    input_names,
    is_small,
)
from kerasviz.report.parts.filter_cards import (
    collect,
    filter_facts,
    firing_layers,
    make_preferred,
    responding_layers,
)
from kerasviz.report.parts.graph import graph_facts, read_graph
from kerasviz.report.parts.layers import kernel_facts, layer_facts, list_layers, read_kernels
from kerasviz.report.parts.maps import compute_maps
from kerasviz.report.parts.samples import (
    Predictions,
    choose_samples,
    confusions,
    images_of,
    predict,
    sample_facts,
    telling_mistakes,
)
from kerasviz.report.quantization import Block
from kerasviz.report.sample_images import Pictures, as_picture

LEVELS = ("error", "warning", "note")
MAX_MADE = 8
"""Of more layers with cards no preferred inputs are made, which take seconds for each."""


@dataclass(frozen=True, kw_only=True)
class SampleChoice:
    """Which samples a page shows, and how.

    Args:
        limit: How many have their maps in the page.
        labels: The class of each of all samples.
        picture: All of them as they are, before they were preprocessed.
        names: The name of each of all samples.
        methods: The methods that explain the answers.
        batch_size: How many are computed at a time.
        verbose: Whether progress is shown, 0 or 1.
    """

    limit: int = 12
    labels: np.ndarray | None = None
    picture: Any = None
    names: Sequence[str] | None = None
    methods: Sequence[MethodName] = ()
    batch_size: int = 32
    verbose: int = 0


@dataclass(kw_only=True)
class Contents:
    """Everything that a page shows, collected part by part.

    Args:
        model: The model.
        class_names: The names of the classes.
        facts: What the script reads.
        blocks: The values of each layer, by a name that is an identifier.
        findings: What is odd.
        pictures: The pictures of samples.
        small: The addresses of layers whose kernels have too few weights to be compared.
    """

    model: keras.Model
    class_names: Sequence[str] | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    pictures: Pictures = field(default_factory=Pictures)
    small: set[str] = field(default_factory=set)

    def add_model(self, specs: Any = None) -> Architecture:
        """Add the graph, the layers and their kernels, and return the graph."""
        architecture = self.add_layers(specs)
        kernels = read_kernels(self.model, list_layers(self.model))
        for entry in self.facts["layers"]:
            address = entry["address"]
            if address in kernels:
                layer, kernel = kernels[address]
                block = self.blocks[entry["block"]]
                entry["kernels"] = kernel_facts(kernel, layer, address, block)
        self.findings += find_in_weights(kernels)
        return architecture

    def add_layers(self, specs: Any = None) -> Architecture:
        """Add the graph and the layers, without values, and return the graph."""
        architecture = read_graph(self.model, specs)
        refs = list_layers(self.model)
        layers = [layer_facts(ref) | {"block": f"layer-{i}"} for i, ref in enumerate(refs)]
        self.blocks |= {entry["block"]: Block() for entry in layers}
        shapes = {ref.address: ref.kernel_shape for ref in refs if ref.kernel_shape}
        self.small = {a for a, shape in shapes.items() if math.prod(shape[:-1]) < MIN_WEIGHTS}
        self.facts |= {
            "version": kerasviz.__version__,
            "class_names": self.class_names,
            "model": self._model_facts(architecture, len(layers), specs),
            "palettes": {"diverging": palette(DIVERGING), "sequential": palette(SEQUENTIAL)},
            "graph": graph_facts(architecture),
            "layers": layers,
            "samples": [],
        }
        return architecture

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

    def add_samples(self, extraction: Extraction, choice: SampleChoice) -> list[int]:
        """Add predictions and pictures; return the indices of the samples that are shown."""
        probabilities = predict(extraction, choice.batch_size)
        predictions = None
        if probabilities is not None:
            predictions = Predictions(probabilities=probabilities, labels=choice.labels)
            self.facts["predictions"] = prediction_facts(predictions)
        mistakes = [] if predictions is None else telling_mistakes(predictions)
        indices = choose_samples(len(extraction.batch), choice.limit, mistakes)
        self.facts["total"] = len(extraction.batch)
        self.facts["samples"] = sample_facts(indices, predictions, choice.names)
        if choice.picture is not None:
            self.pictures.originals = np.asarray(choice.picture)
        images = images_of(extraction) if choice.picture is None else np.asarray(choice.picture)
        if images is not None:
            for index in indices:
                self.pictures.add(str(index), as_picture(images[index]), must=True)
        layers = [target.call.layer for target in extraction.targets.targets]
        self.findings += find_input_range(layers, extraction.batch.arrays[0])
        return indices

    def add_maps(self, extraction: Extraction, indices: list[int]) -> None:
        """Add the maps of the samples that are shown."""
        by_address = {layer["address"]: layer for layer in self.facts["layers"]}
        not_finite: dict[str, int] = {}
        for maps in compute_maps(extraction, indices):
            for address, tiles in maps.tiles.items():
                layer = by_address[address]
                layer.setdefault("maps", []).append(self.blocks[layer["block"]].add(tiles))
            for address, count in maps.not_finite.items():
                not_finite[address] = not_finite.get(address, 0) + count
        self.findings += find_not_finite(not_finite, extraction.batch.arrays)

    def add_explanations(
        self, extraction: Extraction, indices: list[int], choice: SampleChoice
    ) -> None:
        """Add why the model gives its answers for the samples that are shown."""
        if "predictions" not in self.facts:
            return
        size, verbose = choice.batch_size, choice.verbose
        results, reasons = explain(
            extraction, indices, choice.methods, batch_size=size, verbose=verbose
        )
        block = self.blocks["explanations"] = Block()
        mistakes = self._explain_mistakes(extraction, indices, [*results][:1], size)
        self.facts["explanations"] = [
            *mistakes,
            *explanation_facts(results, block, range(len(indices)), input_names(extraction)),
        ]
        self.facts["unexplained"] = reasons
        faithful = {m: x.evidence.faithful for m, x in results.items() if x.evidence is not None}
        self.findings += find_unfaithful(faithful, indices)
        if results:
            zeros = tuple(np.zeros_like(array[:1]) for array in extraction.batch.arrays)
            batch = replace(extraction.batch, arrays=zeros)
            rows = predict(replace(extraction, batch=batch))
            self.findings += find_baseline(None if rows is None else rows[0], self.class_names)

    def _explain_mistakes(
        self, extraction: Extraction, indices: list[int], methods: list[Any], batch_size: int
    ) -> list[dict[str, Any]]:
        """Return why the model gives its answer and not the true one, where it is wrong."""
        samples = self.facts["samples"]
        says = [sample["top"][0][0] for sample in samples]
        wrong = [i for i, x in enumerate(samples) if x.get("label", says[i]) != says[i]]
        if not wrong or not methods:
            return []
        pairs = np.array([(says[i], samples[i]["label"]) for i in wrong])
        samples_wrong = [indices[i] for i in wrong]
        results, _ = explain(
            extraction, samples_wrong, methods, target=pairs, batch_size=batch_size
        )
        block = self.blocks["explanations"]
        return explanation_facts(results, block, wrong, input_names(extraction))

    def collect_filters(
        self, extraction: Extraction, architecture: Architecture, choice: SampleChoice
    ) -> None:
        """Add what each filter responds to over all samples."""
        statistics = collect(
            extraction,
            responding_layers(architecture),
            firing_layers(architecture),
            choice.labels,
            batch_size=choice.batch_size,
            verbose=choice.verbose,
        )
        self.add_filters(statistics, is_own=True)
        cards = [
            layer["filters"]
            for layer in self.facts["layers"]
            if "filters" in layer and layer["noun"] == "filter"
        ]
        if len(cards) <= MAX_MADE and is_small(extraction):
            for facts in cards:
                made = make_preferred(extraction, facts, self.pictures)
                for card in facts["cards"]:
                    card |= {"preferred": made[card["filter"]]} if card["filter"] in made else {}

    def add_filters(self, statistics: Mapping[str, FilterStatistics], *, is_own: bool) -> None:
        """Add what each filter responds to, by the address of its layer."""
        by_address = {layer["address"]: layer for layer in self.facts["layers"]}
        for address, item in statistics.items():
            layer = by_address.get(address)
            if layer is not None:
                layer["filters"] = filter_facts(
                    item,
                    self.pictures,
                    noun=layer["noun"],
                    is_own=is_own,
                    is_small=address in self.small,
                )
        units = [address for address, layer in by_address.items() if layer["noun"] == "unit"]
        self.findings += find_in_filters(statistics, units=units, small=self.small)

    def finish(self) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the facts and the encoded blocks, those of a layer without values left out."""
        self.blocks["pictures"] = self.pictures.block
        blocks = {name: block.encode() for name, block in self.blocks.items() if block.parts}
        for layer in self.facts["layers"]:
            if layer["block"] not in blocks:
                layer["block"] = None
        facts = {
            **self.facts,
            "pictures": self.pictures.facts,
            "findings": sorted_findings(self.findings),
        }
        return facts, blocks


def sorted_findings(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return findings for the page: the gravest first, of these what is about layers."""
    ordered = sorted(findings, key=lambda x: (LEVELS.index(x.level), not x.layers))
    return [finding.facts() for finding in ordered]


def find_in_weights(kernels: dict[str, tuple[Any, np.ndarray]]) -> list[Finding]:
    """Return what is odd about the kernels of layers, those of a layer that is shared once.

    Args:
        kernels: The layer and the kernel of each address.
    """
    unique = {id(layer): (a, (layer, x)) for a, (layer, x) in reversed(kernels.items())}
    own = dict(reversed(unique.values()))
    return [*find_in_kernels({a: kernel for a, (_, kernel) in own.items()}), *find_initial(own)]


def prediction_facts(predictions: Predictions) -> dict[str, Any]:
    """Return what the page says of all samples together."""
    facts: dict[str, Any] = {"classes": predictions.probabilities.shape[1]}
    if predictions.labels is not None:
        count = len(predictions.labels)
        facts |= {"samples": count, "right": count - len(predictions.mistakes)}
        facts["confusions"] = confusions(predictions)
    return facts
