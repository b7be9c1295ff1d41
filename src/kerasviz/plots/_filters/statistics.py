"""The statistics that a picture of filters is drawn from: computed, or the caller's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from kerasviz._checks import check_count, is_int
from kerasviz._selection import select_tiles
from kerasviz._wording import list_indices, write_count
from kerasviz.compute.filters.collecting import filter_statistics, model_fingerprint
from kerasviz.compute.filters.statistics import FilterStatistics
from kerasviz.model.addresses import check_model


def statistics_of(
    model: keras.Model,
    layer: Any,
    inputs: Any,
    *,
    labels: Any,
    images: int,
    batch_size: int,
    verbose: int,
) -> FilterStatistics:
    """Return the statistics of one layer: those that `inputs` are, or those of the inputs.

    Raises:
        ValueError: They are of another layer or of another model, or there are several layers.
    """
    check_model(model)
    if isinstance(inputs, FilterStatistics):
        if labels is not None:
            raise ValueError(
                "`labels` are in the statistics already, and cannot be given with them. "
                "Received: labels with statistics as `inputs`"
            )
        check_statistics(model, layer, inputs)
        return inputs
    result: FilterStatistics | dict[str, FilterStatistics] = filter_statistics(
        model,
        layer,
        inputs,
        labels=labels,
        images=images,
        batch_size=batch_size,
        verbose=verbose,
    )
    if isinstance(result, FilterStatistics):
        return result
    if len(result) > 1:
        raise ValueError(
            f"`layer` must name one layer, such as {next(iter(result))!r}. Received: "
            f"layer={layer!r}, which is {', '.join(map(repr, result))}"
        )
    (statistics,) = result.values()
    return statistics


def check_statistics(
    model: keras.Model, layer: Any, statistics: FilterStatistics, *, name: str = "inputs"
) -> None:
    """Refuse statistics of another layer or of another model.

    Args:
        model: The model.
        layer: The caller's `layer`; `None` is that of the statistics.
        statistics: The statistics.
        name: The keyword by which they came.
    """
    check_model(model)
    if layer is not None and layer != statistics.address:
        raise ValueError(
            f"`layer` must be '{statistics.address}', the layer of the statistics, or None. "
            f"Received: layer={layer!r}"
        )
    if model_fingerprint(model) != statistics.fingerprint:
        raise ValueError(
            f"`{name}` must be statistics of `model`. Received: statistics of a model with other "
            f"weights, of '{statistics.address}'"
        )


def class_words(statistics: FilterStatistics, names: Sequence[str] | None) -> list[str]:
    """Return the name of each class of statistics.

    Raises:
        ValueError: There is a class without a name.
    """
    classes = statistics.classes
    if names is None or not all(isinstance(label, int) for label in classes):
        return [str(label) for label in classes]
    outside = [label for label in classes if not 0 <= int(label) < len(names)]
    if outside:
        raise ValueError(
            f"`class_names` must have a name for each class, of which the labels name {outside[0]}."
            f" Received: {len(names)} names"
        )
    return [str(names[int(label)]) for label in classes]


SORTS = ("selectivity", "maximum", "mean", "rate", "odd")
BY = {
    "selectivity": "most selective",
    "maximum": "that respond most strongly,",
    "mean": "with the largest mean",
    "rate": "that fire in most images,",
    "odd": "oddest",
}


def order_filters(statistics: FilterStatistics, sort: str | None) -> tuple[np.ndarray, str]:
    """Return all filters in an order, and what it goes by: "" is by index.

    Without labels no filter is known to be selective, and the order goes by the maximum.
    """
    count = len(statistics.mean)
    if sort is None:
        return np.arange(count), ""
    if sort == "selectivity" and np.isnan(statistics.selectivity).all():
        sort = "maximum"
    strength = {
        "selectivity": lambda: _selectivity(statistics),
        "maximum": lambda: statistics.maximum,
        "mean": lambda: statistics.mean,
        "rate": lambda: statistics.image_rate,
        "odd": lambda: _oddity(statistics),
    }[sort]()
    # NaN last; of equal ones the lower index first.
    return np.lexsort((np.arange(count), -np.nan_to_num(strength, nan=-np.inf))), sort


def _selectivity(statistics: FilterStatistics) -> np.ndarray:
    """Return the selectivity; below 0 for rare filters, which a single image makes selective."""
    is_rare = np.isin(np.arange(len(statistics.mean)), statistics.rare)
    return np.asarray(statistics.selectivity - 2 * is_rare)


def _oddity(statistics: FilterStatistics) -> np.ndarray:
    """Return the dead first, then the rare, the duplicates, and the others by selectivity."""
    score = np.nan_to_num(statistics.selectivity) / 2
    score[np.array(statistics.duplicates, int).ravel()] += 1
    score[statistics.rare] += 2
    score[statistics.dead] += 4
    return np.asarray(score)


def choose_filters(
    statistics: FilterStatistics, filters: Any, sort: str | None
) -> tuple[np.ndarray, str]:
    """Return which filters are drawn, and these in words.

    Args:
        statistics: Their statistics.
        filters: How many; or which, in the order of a list.
        sort: How they are ordered, where it is not a list.
    """
    total = len(statistics.mean)
    nouns = f"{noun_of(statistics)}s"
    order, by = order_filters(statistics, sort)
    if is_int(filters):
        chosen = order[: int(filters)]
        words = f"{len(chosen)} {BY[by]} of {total} {nouns}" if by else ""
        if len(chosen) == total:
            return chosen, f"all {total} {nouns}"
        return chosen, words or list_indices(chosen, total, nouns)
    chosen = select_tiles(
        None if isinstance(filters, str) else filters,
        total,
        "filters",
        f"'{statistics.address}'",
    )
    if isinstance(filters, (str, slice)) and by:
        position = np.argsort(order)
        chosen = chosen[np.argsort(position[chosen], kind="stable")]
    return chosen, list_indices(chosen, total, nouns) or f"all {total} {nouns}"


def check_filters(filters: Any) -> None:
    """Refuse what cannot say which filters are drawn, whatever layer it is."""
    if isinstance(filters, (bool, np.bool_)) or (isinstance(filters, str) and filters != "all"):
        raise TypeError(
            "`filters` must be a number of filters, a slice, a list of indices or 'all'. "
            f"Received: filters={filters!r}"
        )
    if is_int(filters):
        check_count("filters", filters)
    elif not isinstance(filters, (str, slice)) and not _are_indices(filters):
        raise ValueError(
            "`filters` must be a number of filters, a slice, a list of indices or 'all'. "
            f"Received: filters={filters!r:.200}"
        )


def _are_indices(filters: Any) -> bool:
    try:
        indices = np.asarray(filters)
    except ValueError:  # lists of different lengths
        return False
    return indices.ndim == 1 and indices.size > 0 and indices.dtype.kind in "iu"


def noun_of(statistics: FilterStatistics) -> str:
    """Return what has a response: a filter, or a unit of a layer without axes of space."""
    return "filter" if statistics.positions.shape[-1] else "unit"


def odd_words(statistics: FilterStatistics) -> str:
    """Return how many filters are dead, rare or duplicates."""
    pairs = write_count(len(statistics.duplicates), "duplicate pair")
    return f"{len(statistics.dead)} dead, {len(statistics.rare)} rare, {pairs}"
