"""`plot_activation_histograms`: how the values that layers return are distributed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import keras
import numpy as np
from typing_extensions import Unpack

from kerasviz._checks import check_choice, check_count, check_type
from kerasviz._wording import write_count
from kerasviz.compute.filters.collecting import filter_statistics
from kerasviz.compute.filters.statistics import FilterStatistics
from kerasviz.compute.kernel_statistics import write_number, write_share
from kerasviz.draw.charts.histograms import MAX_LARGE, Histogram, draw_histograms
from kerasviz.draw.charts.ridgeline import draw_ridgeline
from kerasviz.draw.figure import FIGURE_DEFAULTS, FigureOptions, check_panels, check_placement
from kerasviz.draw.plot import Plot
from kerasviz.draw.signatures import shows_keywords
from kerasviz.draw.text import SPACE, fix_minus
from kerasviz.draw.tiles.style import MAX_COLUMNS
from kerasviz.plots._filters.statistics import check_statistics, class_words
from kerasviz.plots._maps.kinds import check_class_names

By = Literal["layer", "class"]
MAX_BINS = 10_000
MARGIN = 0.03
"""Room on both sides of the values, as a part of their range."""
TINY = 1e-30
"""Nearer to 0 than any value that counts as another."""


@shows_keywords(FigureOptions, FIGURE_DEFAULTS)
def plot_activation_histograms(
    model: keras.Model,
    layer: Any = None,
    inputs: Any = None,
    *,
    labels: Any = None,
    class_names: Sequence[str] | None = None,
    by: By | None = None,
    bins: int = 40,
    log: bool = True,
    columns: int | None = None,
    batch_size: int = 32,
    verbose: int = 0,
    **options: Unpack[FigureOptions],
) -> Plot:
    """Draw the distribution of the values that layers return for a data set.

    By layer it is that of all values of all filters at all places. By class it is that of the
    strongest response of each filter in each image, a row per class.

    Args:
        model: A Keras model.
        layer: A layer address, or several; `None` is every convolution.
        inputs: What `filter_statistics` takes: arrays, or batches of any number of images; or the
            statistics that it returned, of one layer, or of several in a dict.
        labels: The class of each image, as in `filter_statistics`.
        class_names: The name of each class, where labels are integers.
        by: "layer" or "class", which needs one layer and labels. `None` is by class where there
            are both.
        bins: How many bins there are between the smallest and the largest value.
        log: Whether heights are logarithmic: after a ReLU most values are 0.
        columns: Panels in a row, by layer; more than six layers are rows of one panel without it.
        batch_size: How many images run at a time.
        verbose: 0 or 1; 1 shows a progress bar.
        **options: `title`, `figsize`, `ax` and `figure`, as for every plot.

    Returns:
        A `Plot` with one panel per layer or class, whose `values` are the heights of its bars,
        `(1, bins)`.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: As for `filter_statistics`; the statistics are of another model; `by="class"`
            without classes or of several layers; or the figure is too small.

    Notes:
        Counts come from the histogram of `FilterStatistics`, whose bins are less than 1 % wide,
        relative to their values.

    Example:
        >>> import kerasviz
        >>> model = kerasviz.fashion_mnist.load_model()
        >>> images, labels = kerasviz.fashion_mnist.load_samples()
        >>> kerasviz.plot_activation_histograms(model, None, images)
        Plot(2 panels)
    """
    own = ("labels", "class_names", "by", "bins", "log", "columns", "batch_size", "verbose")
    place = check_placement(*own, **options)
    if by is not None:
        check_choice("by", by, ("layer", "class"), "None")
    check_count("bins", bins, MAX_BINS)
    check_type("log", log, (bool, np.bool_), "a bool")
    if columns is not None:
        check_count("columns", columns, MAX_COLUMNS)
    names = check_class_names(class_names)
    statistics = _statistics(
        model, layer, inputs, labels=labels, batch_size=batch_size, verbose=verbose
    )
    if by is None:
        has_classes = len(statistics) == 1 and len(statistics[0].classes) > 1
        by = "class" if has_classes and columns is None else "layer"
    if by == "class":
        rows, heading = _by_class(statistics, names, bins)
        return draw_ridgeline(
            rows,
            place,
            heading=f"{heading}\nbars: {_heights(log)}, each row scaled to its highest bar",
            names=[""],
            log=log,
            words=("strongest response in an image", "mean"),
        )
    return _draw_layers(statistics, place, bins=bins, log=log, columns=columns)


def _statistics(
    model: keras.Model, layer: Any, inputs: Any, *, labels: Any, batch_size: int, verbose: int
) -> list[FilterStatistics]:
    """Return the statistics of each layer: those that `inputs` are, or those of the inputs."""
    if inputs is None:
        raise TypeError("`inputs` must be images, or a FilterStatistics. Received: inputs=None")
    several = list(inputs.values()) if isinstance(inputs, Mapping) else [inputs]
    if several and all(isinstance(each, FilterStatistics) for each in several):
        if labels is not None:
            raise ValueError(
                "`labels` are in the statistics already, and cannot be given with them. "
                "Received: labels with statistics as `inputs`"
            )
        for each in several:
            check_statistics(model, layer, each)
        return several
    result: FilterStatistics | dict[str, FilterStatistics] = filter_statistics(
        model, layer, inputs, labels=labels, images=1, batch_size=batch_size, verbose=verbose
    )
    return list(result.values()) if isinstance(result, dict) else [result]


def _heights(log: bool) -> str:
    return "logarithmic counts" if log else "counts"


def _draw_layers(
    statistics: Sequence[FilterStatistics],
    place: Any,
    *,
    bins: int,
    log: bool,
    columns: int | None,
) -> Plot:
    """Draw a panel per layer, or a row of one panel where there are many."""
    panels = [_of_layer(each, bins) for each in statistics]
    if len(panels) <= MAX_LARGE or columns is not None:
        check_panels(len(panels), place.ax)
        return draw_histograms(
            panels, place, columns=columns, share=False, log=log, quantity="value"
        )
    lows, highs = zip(*(panel.limits for panel in panels), strict=True)
    panels = [replace(panel, limits=(min(lows), max(highs))) for panel in panels]
    images = write_count(statistics[0].samples, "image")
    heading = f"Values of {len(panels)}{SPACE}layers over {images}\nbars: {_heights(log)}, each "
    return draw_ridgeline(
        panels,
        place,
        heading=f"{heading}row scaled to its highest bar",
        names=[""],
        log=log,
        words=("value", "0 in"),
    )


def _of_layer(statistics: FilterStatistics, bins: int) -> Histogram:
    """Return the histogram of all values of a layer."""
    low, high = float(statistics.minimum.min()), float(statistics.maximum.max())
    edges = _edges(low, high, bins)
    counts = statistics.histogram(edges).sum(axis=0)
    zeros = float(statistics.histogram([-TINY, TINY]).sum() / max(counts.sum(), 1))
    mean = float(statistics.mean.mean())
    # The mean of squares of all filters together, less the square of their mean.
    squares = float(np.mean(statistics.std**2 + statistics.mean**2))
    std = float(np.sqrt(max(squares - mean**2, 0)))
    words = [fix_minus(write_number(value)) for value in (mean, std)]
    facts = f"0{SPACE}in{SPACE}{write_share(zeros)}, mean{SPACE}{words[0]}, std{SPACE}{words[1]}"
    images = f"{statistics.samples:,}{SPACE}images"
    return Histogram(
        heading=f"{statistics.address}: {round(counts.sum()):,}{SPACE}values over {images}",
        edges=edges,
        heights=[counts],
        facts=[facts],
        limits=_limits(edges),
        min_height=1.0,
        address=statistics.address,
        spreads=[write_share(zeros)],
    )


def _by_class(
    statistics: Sequence[FilterStatistics], names: Sequence[str] | None, bins: int
) -> tuple[list[Histogram], str]:
    """Return a histogram per class, and what they show."""
    if len(statistics) > 1 or not statistics[0].classes:
        raise ValueError(
            "`by` can be 'class' for one layer and images with labels. Received: by='class', for "
            f"{write_count(len(statistics), 'layer')} and "
            f"{write_count(len(statistics[0].classes), 'class').replace('classs', 'classes')}"
        )
    (one,) = statistics
    low = float(one.minimum.min())
    edges = _edges(low, float(one.maximum.max()), bins)
    heights = one.class_histogram(edges)
    means = one.class_means.mean(axis=1)
    rows = [
        Histogram(
            heading=f"{one.address}, {name}: {round(counts.sum()):,} strongest responses",
            edges=edges,
            heights=[counts],
            facts=[""],
            limits=_limits(edges),
            min_height=1.0,
            address=name,
            spreads=[fix_minus(write_number(float(mean)))],
        )
        for name, counts, mean in zip(class_words(one, names), heights, means, strict=True)
    ]
    count = write_count(len(one.mean), "filter")
    images = f"{one.samples:,}{SPACE}images"
    return rows, f"{one.address}: the strongest response of {count} in each of {images}"


def _edges(low: float, high: float, bins: int) -> np.ndarray:
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1)


def _limits(edges: np.ndarray) -> tuple[float, float]:
    low, high = min(float(edges[0]), 0.0), max(float(edges[-1]), 0.0)
    margin = MARGIN * (high - low)
    return low - margin, high + margin
