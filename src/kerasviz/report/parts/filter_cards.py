"""Collect what each filter responds to over all images: the cards of a layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kerasviz.compute.feature_maps import Extraction
from kerasviz.compute.filters.collecting import filter_statistics
from kerasviz.compute.filters.preferred_inputs import get_preferred_inputs
from kerasviz.compute.filters.statistics import FilterStatistics
from kerasviz.model.architecture.elements import Architecture, Part
from kerasviz.plots._filters.statistics import order_filters
from kerasviz.report.findings.filters import silent_units
from kerasviz.report.sample_images import Pictures, as_picture

MIN_SAMPLES = 10
"""Of fewer images it would say little that a filter is silent, and the pass takes its time."""
MAX_CARDS = 32
MAX_CLASSES = 20
"""With up to this number a card has a bar for each class."""
MAX_PREFERRED = 16
"""The first cards have a preferred input, which takes many passes."""
MAX_ODD = 64
"""How many filters with a remark have a card beside these."""
MAX_UNITS = 2048
"""Of dense layers with more units nothing is counted: it takes the square of them."""
CLIPPED = ("relu", "relu6")
"""Activations after which a unit that does not fire is 0."""
STEPS = 64
"""Steps of the ascent to a preferred input: fewer than those of `plot_filters`, for speed."""
IMAGES = 6
"""The images of each card."""


def responding_layers(architecture: Architecture) -> dict[str, str]:
    """Return for each convolution the address of what its filters become in its box.

    After a normalisation and an activation that change each channel by itself, it is these that
    tell whether a filter is silent.
    """
    return {
        part.address: node.address
        for box in architecture.nodes
        for node in (box, *box.repeats)
        for part in node.parts
        if part.kind == "convolution"
    }


def firing_layers(architecture: Architecture) -> dict[str, str]:
    """Return for each dense layer that ends in a ReLU the address of what the ReLU returns.

    After any other activation a value does not tell whether a unit fires.
    """
    layers = {}
    for box in architecture.nodes:
        for node in (box, *box.repeats):
            head, clipped = node.parts[0], [part for part in node.parts if _is_clipped(part)]
            shape = head.output_shapes[0] if head.output_shapes else ()
            is_row = len(shape) == 2 and (shape[1] or 0) <= MAX_UNITS
            if head.kind == "dense" and clipped and is_row:
                layers[head.address] = clipped[0].address
    return layers


def _is_clipped(part: Part) -> bool:
    name = part.settings if part.title == "Activation" else part.activation
    return name in CLIPPED or part.title == "ReLU"


def collect(
    extraction: Extraction,
    responding: Mapping[str, str],
    firing: Mapping[str, str],
    labels: Any,
    *,
    batch_size: int = 32,
    verbose: int = 0,
) -> dict[str, FilterStatistics]:
    """Return the statistics of all filters and units, by the addresses of their layers.

    What the pass refuses, such as values that are NaN, has none.

    Args:
        extraction: All inputs.
        responding: For each convolution the address of what its filters become.
        firing: For each dense layer the address of what its units become.
        labels: The class of each sample, or `None`.
        batch_size: How many samples are computed at a time.
        verbose: Whether progress is shown, 0 or 1.
    """
    if len(extraction.batch) < MIN_SAMPLES:
        return {}
    # Where the rows of some dense layer are not images, the convolutions are counted without them.
    attempts = [{**responding, **firing}, responding] if firing else [responding]
    for layers in filter(None, attempts):
        try:
            statistics = filter_statistics(
                extraction.model,
                list(dict.fromkeys(layers.values())),
                extraction.batch.packed(),
                labels=labels,
                images=IMAGES,
                batch_size=batch_size,
                verbose=verbose,
            )
        except ValueError:
            continue
        return {a: statistics[b] for a, b in layers.items() if b in statistics}
    return {}


def filter_facts(
    statistics: FilterStatistics,
    pictures: Pictures,
    *,
    noun: str,
    is_own: bool = True,
    is_small: bool = False,
) -> dict[str, Any]:
    """Return the cards of a layer, those of the most selective or the strongest filters first.

    Every filter with a remark has one too, behind them, as far as there is room.

    Args:
        statistics: What filters respond to.
        pictures: Those of the page, to which the strongest images are added.
        noun: "filter", or "unit" of a dense layer.
        is_own: Whether the images are the inputs of the page, and not another data set.
        is_small: Whether kernels are so small that it says nothing if two filters are alike.
    """
    prefix = "" if is_own else "data-"
    order, _ = order_filters(statistics, "selectivity")
    remarks = _remarks(statistics, noun, is_small=is_small)
    first, others = order[:MAX_CARDS].tolist(), order[MAX_CARDS:].tolist()
    odd = [index for index in others if index in remarks][:MAX_ODD]
    return {
        "responds": statistics.address,
        "samples": statistics.samples,
        "total": len(order),
        "classes": list(statistics.classes) if has_means(statistics) else [],
        "remarks": {str(index): remark for index, remark in remarks.items()},
        "odd": len(odd),
        "cards": [_card(statistics, index, pictures, prefix) for index in first + odd],
    }


def _remarks(statistics: FilterStatistics, noun: str, *, is_small: bool) -> dict[int, str]:
    """Return what is odd about filters, by their index.

    A unit has one value for each image. With so few of them two units are alike, and one is rare,
    by chance, and only those that never fire are named.
    """
    if noun == "unit":
        return dict.fromkeys(silent_units(statistics), "never fires")
    remarks = statistics.remarks
    if is_small:
        remarks = [_without_twins(remark) for remark in remarks]
    return {index: remark for index, remark in enumerate(remarks) if remark}


def _without_twins(remark: str) -> str:
    return ", ".join(part for part in remark.split(", ") if not part.startswith("like filter"))


def has_means(statistics: FilterStatistics) -> bool:
    """Whether there are as many classes as a card has room for."""
    return 1 < len(statistics.classes) <= MAX_CLASSES


def _card(
    statistics: FilterStatistics, index: int, pictures: Pictures, prefix: str
) -> dict[str, Any]:
    card: dict[str, Any] = {
        "filter": index,
        "mean": float(statistics.mean[index]),
        "maximum": float(statistics.maximum[index]),
        "fires": float(statistics.firing_rate[index]),
        "in_images": float(statistics.image_rate[index]),
        "images": _images(statistics, index, pictures, prefix),
    }
    if len(statistics.classes) > 1:
        best = statistics.best_class[index]
        card["selectivity"] = float(statistics.selectivity[index])
        card["best"] = None if best is None else best
    if has_means(statistics):
        card["means"] = [float(f"{x:.4g}") for x in statistics.class_means[:, index]]
    return card


def _images(
    statistics: FilterStatistics, index: int, pictures: Pictures, prefix: str
) -> list[dict[str, Any]]:
    """Return the strongest images, with what the unit sees as shares of height and width."""
    images = []
    places = zip(
        statistics.indices[index], statistics.values[index], statistics.boxes[index], strict=True
    )
    for sample, value, box in places:
        if value <= statistics.minimum[index]:  # silent in this image, and in those that follow
            break
        name = f"{prefix}{sample}"
        size = _keep(statistics, int(sample), name, pictures)
        if size is None:
            continue
        shares = np.asarray(box, float) / np.array(size, float)[:, np.newaxis]
        images.append(
            {
                "picture": name,
                "value": float(value),
                "box": [round(float(x), 4) for x in shares.ravel()],
            }
        )
    return images


def make_preferred(
    extraction: Extraction, facts: Mapping[str, Any], pictures: Pictures
) -> dict[int, dict[str, Any]]:
    """Return the inputs that drive the filters of a layer's first cards most, by filter.

    Where none can be made, as of a model with several inputs, there are none.

    Args:
        extraction: All inputs, whose range these have.
        facts: The cards of the layer.
        pictures: Those of the page, to which the inputs are added.
    """
    values = extraction.batch.arrays[0]
    if values.ndim != 4 or values.shape[-1] not in (1, 3) or len(extraction.batch.arrays) != 1:
        return {}
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if not high > low:
        return {}
    filters = [card["filter"] for card in facts["cards"][:MAX_PREFERRED]]
    address = facts["responds"]
    try:
        made = get_preferred_inputs(
            extraction.model, address, filters=filters, limits=(low, high), steps=STEPS
        )
    except ValueError:
        return {}
    preferred: dict[int, dict[str, Any]] = {}
    for index, image, value in zip(made.indices, made.images, made.values, strict=True):
        name = f"preferred-{address}-{index}"
        colors = np.clip(255 * (image - low) / (high - low), 0, 255).astype("uint8")
        if pictures.add(name, as_picture(colors)):
            preferred[int(index)] = {"picture": name, "value": float(value)}
    return preferred


def _keep(
    statistics: FilterStatistics, sample: int, name: str, pictures: Pictures
) -> tuple[int, int] | None:
    """Put the picture of a sample in the page, and return its size; `None` where it is not in."""
    if not statistics.has_images:
        return None
    try:
        image = statistics.image(sample)
    except KeyError:
        return None
    if image.ndim != 3 or image.shape[-1] not in (1, 3):
        return None
    if not pictures.add(name, as_picture(image)):
        return None
    return image.shape[0], image.shape[1]


def check_statistics(statistics: Any) -> Mapping[str, FilterStatistics]:
    """Return the caller's statistics by address, or raise `TypeError`."""
    items: Sequence[Any] = (
        list(statistics.values()) if isinstance(statistics, Mapping) else [statistics]
    )
    if not items or not all(isinstance(item, FilterStatistics) for item in items):
        raise TypeError(
            "`statistics` must be what filter_statistics returned: one, or a dict of them. "
            f"Received: statistics={statistics!r:.80}"
        )
    return {item.address: item for item in items}
