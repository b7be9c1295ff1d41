"""Answer what the page asks about one model: values are computed when somebody looks at them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np

from kerasviz.compute.feature_maps import Extraction, plan_extraction
from kerasviz.model.calls import input_specs
from kerasviz.model.graph import has_inputs
from kerasviz.model.inputs.image_files import ImageShape, image_shape
from kerasviz.model.inputs.input_adapter import InputBatch
from kerasviz.report.document import finite
from kerasviz.report.notebook.dropped_images import (
    CONVERSIONS,
    MAX_SIDE,
    as_input,
    conversions,
    guess_conversion,
    read_picture,
)
from kerasviz.report.page_data import Contents, SampleChoice, find_in_weights, sorted_findings
from kerasviz.report.parts.explanations import (
    choose_methods,
    explain,
    explanation_facts,
    input_names,
)
from kerasviz.report.parts.filter_cards import (
    collect,
    filter_facts,
    firing_layers,
    make_preferred,
    responding_layers,
)
from kerasviz.report.parts.layers import kernel_facts, list_layers, map_tiles, read_kernels
from kerasviz.report.parts.maps import MAX_MAPS, spatial_maps
from kerasviz.report.parts.samples import Predictions, predict, sample_facts
from kerasviz.report.quantization import Block
from kerasviz.report.sample_images import Pictures

MAX_SAMPLES = 24
"""How many of the inputs are on the page; more can be dropped on it."""
MAX_VALUES = 4_000_000
"""How many values of maps are sent at a time."""
QUICK = 3_000_000
"""Up to this number of parameters the weights are searched for what is odd without being asked."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Facts for the page, and the bytes that they point into."""

    facts: Mapping[str, Any]
    block: bytes = b""


@dataclass(kw_only=True)
class Session:
    """One model that is looked at.

    Args:
        model: The model.
        class_names: The names of the classes.
        extraction: The inputs, and every layer; `None` without inputs.
        labels: The class of each of the inputs.
    """

    model: keras.Model
    class_names: Sequence[str] | None = None
    extraction: Extraction | None = None
    labels: np.ndarray | None = None
    _contents: Contents = field(init=False)
    _responding: Mapping[str, str] = field(init=False)
    _firing: Mapping[str, str] = field(init=False)
    _dropped: list[InputBatch] = field(init=False, default_factory=list)
    _cards: dict[str, dict[str, Any]] = field(init=False, default_factory=dict)
    _is_complete: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.use(self.extraction, self.labels)

    def use(self, extraction: Extraction | None, labels: np.ndarray | None) -> None:
        """Look at other inputs.

        Raises:
            ValueError: The model is not built, and there are no inputs.
        """
        contents = Contents(model=self.model, class_names=self.class_names)
        architecture = contents.add_layers(None if extraction is None else extraction.specs)
        self._responding = responding_layers(architecture)
        self._firing = firing_layers(architecture)
        self._contents, self.extraction, self.labels = contents, extraction, labels
        self._dropped, self._cards, self._is_complete = [], {}, False

    def answer(self, message: Mapping[str, Any], buffers: Sequence[Any] = ()) -> Answer:
        """Return what a message asks for; what fails is an answer too, with its `error`.

        Args:
            message: Its `kind`, and what this kind needs.
            buffers: The bytes that came with it.
        """
        kinds: dict[str, Callable[..., Answer]] = {
            "facts": self._facts,
            "findings": self._findings,
            "kernels": self._kernels,
            "maps": self._maps,
            "filters": self._filters,
            "preferred": self._preferred,
            "explanations": self._explanations,
            "drop": self._drop,
        }
        options = {key: value for key, value in message.items() if key not in ("id", "kind")}
        try:
            answer = kinds[message["kind"]](**options, **({"buffers": buffers} if buffers else {}))
        # A user's own layers raise anything, and nobody sees what a handler of messages raises.
        except Exception as error:
            return Answer(facts={"error": f"{type(error).__name__}: {error}"})
        return replace(answer, facts=finite(answer.facts))

    def _facts(self) -> Answer:
        """Return what the page needs to be drawn: no values but those of pictures."""
        contents = self._contents
        if self.extraction is not None and not self._is_complete:
            choice = SampleChoice(limit=MAX_SAMPLES, labels=self.labels)
            contents.add_samples(self.extraction, choice)
            self._is_complete = True
        facts = {
            **contents.facts,
            "layers": [{**layer, "block": None} for layer in contents.facts["layers"]],
            "pictures": contents.pictures.facts,
            "findings": sorted_findings(contents.findings),
            "drop": self._drop_facts(),
            "is_quick": contents.facts["model"]["parameters"] <= QUICK,
        }
        return Answer(facts=facts, block=joined(contents.pictures.block))

    def _findings(self) -> Answer:
        kernels = read_kernels(self.model, list_layers(self.model))
        findings = [*self._contents.findings, *find_in_weights(kernels)]
        return Answer(facts={"findings": sorted_findings(findings)})

    def _kernels(self, address: str) -> Answer:
        refs = [ref for ref in list_layers(self.model) if ref.address == address]
        kernels = read_kernels(self.model, refs)
        if address not in kernels:
            return Answer(facts={"kernels": None})
        block = Block()
        layer, kernel = kernels[address]
        facts = kernel_facts(kernel, layer, address, block)
        return Answer(facts={"kernels": facts}, block=joined(block))

    def _maps(self, address: str, sample: int) -> Answer:
        single = plan_extraction(self.model, address, self._sample(sample).packed())
        maps = spatial_maps(single, single.run(1)).get(address)
        if maps is None:
            return Answer(facts={"tiles": None})
        cells = int(np.prod(maps.shape[-3:-1])) or 1
        block = Block()
        tiles = map_tiles(maps, max(1, min(MAX_MAPS, MAX_VALUES // cells)))
        return Answer(facts={"tiles": block.add(tiles)}, block=joined(block))

    def _sample(self, index: int) -> InputBatch:
        """Return one sample, of the inputs or of what was dropped, as a batch."""
        count = 0 if self.extraction is None else len(self.extraction.batch)
        if self.extraction is not None and 0 <= index < count:
            return self.extraction.batch.take(np.array([index]))
        return self._dropped[index - count]

    def _filters(self, address: str) -> Answer:
        if self.extraction is None or address not in {**self._responding, **self._firing}:
            return Answer(facts={"filters": None})
        filters, units = (
            {a: b for a, b in layers.items() if a == address}
            for layers in (self._responding, self._firing)
        )
        statistics = collect(self.extraction, filters, units, self.labels)
        if address not in statistics:
            return Answer(facts={"filters": None})
        pictures = Pictures()
        noun = "unit" if units else "filter"
        is_small = address in self._contents.small
        facts = self._cards[address] = filter_facts(
            statistics[address], pictures, noun=noun, is_small=is_small
        )
        return Answer(
            facts={"filters": facts, "pictures": pictures.facts}, block=joined(pictures.block)
        )

    def _preferred(self, address: str) -> Answer:
        """Return the inputs that drive the filters of the cards of a layer most."""
        if self.extraction is None or address not in self._cards:
            return Answer(facts={"preferred": {}})
        pictures = Pictures()
        made = make_preferred(self.extraction, self._cards[address], pictures)
        return Answer(
            facts={"preferred": made, "pictures": pictures.facts}, block=joined(pictures.block)
        )

    def _explanations(self, sample: int) -> Answer:
        """Return why the model answers as it does for one sample."""
        samples = self._contents.facts["samples"]
        position, entry = next((i, x) for i, x in enumerate(samples) if x["index"] == sample)
        if "top" not in entry:
            return Answer(facts={"explanations": [], "unexplained": {}})
        single = plan_extraction(self.model, "*", self._sample(sample).packed())
        methods = choose_methods(None, single)
        names = input_names(single)
        block = Block()
        facts = []
        says = entry["top"][0][0]
        if entry.get("label", says) != says:
            pair = np.array([(says, entry["label"])])
            results, _ = explain(single, [0], methods[:1], target=pair)
            facts += explanation_facts(results, block, [position], names)
        results, reasons = explain(single, [0], methods)
        facts += explanation_facts(results, block, [position], names)
        return Answer(facts={"explanations": facts, "unexplained": reasons}, block=joined(block))

    @property
    def _image_shape(self) -> ImageShape | None:
        """The images that the model takes, `None` where it takes something else."""
        if self.extraction is not None:
            specs = self.extraction.specs
        else:
            specs = input_specs(self.model) if has_inputs(self.model) else None
        shapes = [spec.shape for spec in keras.tree.flatten(specs) if spec is not None]
        return image_shape(tuple(shapes[0])) if len(shapes) == 1 else None

    def _drop_facts(self) -> dict[str, Any] | None:
        shape = self._image_shape
        if shape is None:
            return None
        return {
            "height": shape.height,
            "width": shape.width,
            "largest": MAX_SIDE,
            "conversions": conversions(shape),
            "conversion": guess_conversion(self.extraction, shape),
        }

    def _drop(
        self, name: str, size: Sequence[int], conversion: str, buffers: Sequence[Any]
    ) -> Answer:
        """Take a picture from the browser as one more sample."""
        shape = self._image_shape
        if shape is None or conversion not in CONVERSIONS:
            raise ValueError("The model does not take one image.")
        picture = read_picture(bytes(buffers[0]), size)
        values = as_input(picture, shape, conversion)
        extraction = plan_extraction(self.model, "*", values)
        probabilities = predict(extraction)
        facts = self._contents.facts
        inputs = 0 if self.extraction is None else len(self.extraction.batch)
        index = inputs + len(self._dropped)
        predictions = None if probabilities is None else Predictions(probabilities=probabilities)
        (entry,) = sample_facts([0], predictions, [name])
        self._dropped.append(extraction.batch)
        facts["samples"] = [*facts["samples"], {**entry, "index": index}]
        facts["total"] = index + 1
        self._contents.pictures.add(str(index), picture, must=True)
        pictures = Pictures()
        pictures.add(str(index), picture, must=True)
        return Answer(
            facts={
                "index": index,
                "samples": facts["samples"],
                "total": index + 1,
                "pictures": pictures.facts,
            },
            block=joined(pictures.block),
        )


def joined(block: Block) -> bytes:
    """Return the bytes of a block as they are, since a notebook's kernel is near."""
    return b"".join(block.parts)
