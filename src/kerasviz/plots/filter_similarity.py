"""`plot_filter_similarity`: which filters of a layer, or which layers, respond alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from typing_extensions import Unpack

from kerasviz._checks import check_count, check_type, check_verbose
from kerasviz._wording import write_count
from kerasviz.compute.feature_maps import check_address, check_batch_size
from kerasviz.compute.filters.similarity import LayerSimilarity, cluster_order, compare_layers
from kerasviz.compute.filters.statistics import FilterStatistics
from kerasviz.compute.layer_matching import check_models
from kerasviz.draw.charts.matrix import Matrix, draw_matrix
from kerasviz.draw.figure import FIGURE_DEFAULTS, FigureOptions, check_placement
from kerasviz.draw.plot import Plot
from kerasviz.draw.signatures import shows_keywords
from kerasviz.model.addresses import check_model
from kerasviz.plots._filters.statistics import check_statistics, noun_of, statistics_of

MAX_PAIRS = 4
"""How many pairs of duplicates the title names."""
MAX_MODELS = 2


@shows_keywords(FigureOptions, FIGURE_DEFAULTS)
def plot_filter_similarity(
    model: keras.Model | Mapping[str, keras.Model],
    layer: Any = None,
    inputs: Any = None,
    *,
    cluster: bool = True,
    samples: int = 500,
    batch_size: int = 32,
    verbose: int = 0,
    **options: Unpack[FigureOptions],
) -> Plot:
    """Draw which filters of a layer respond alike, or which layers do.

    Of one layer it is the correlation of its filters over all cells of all images, and the title
    names duplicates. Of several layers, or of two models, it is their linear CKA: whether two
    layers find the same images alike, 1 for the same but for a rotation and a scale.

    Args:
        model: A Keras model; or two to compare, as a dict of names: `{"before": a, "after": b}`.
        layer: A layer address; several, and `None` for every convolution, are compared by CKA.
        inputs: What `filter_statistics` takes: arrays, or batches of any number of images; of one
            layer also the statistics that it returned, or that were loaded from a file.
        cluster: Whether filters that are alike are neighbours; `False` keeps the order of the
            layer. Layers keep their order.
        samples: How many images CKA compares at most, the first ones; its memory grows with them.
        batch_size: How many images run at a time.
        verbose: 0 or 1; 1 shows a progress bar, of one layer.
        **options: `title`, `figsize`, `ax` and `figure`, as for every plot.

    Returns:
        A `Plot` with one panel. Its `values` are the matrix in the order in which it is drawn, and
        `indices` the filter of each row and column, `None` of layers.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: No layer has that address, `inputs` do not fit the model or are fewer than two,
            values are NaN or infinite, the statistics are of another layer or model, or the figure
            is too small.

    Notes:
        Filters are joined by average linkage of their correlations. A dead filter is like nothing
        and comes last, in grey. CKA compares whole maps; where these have more than 65,536 values,
        or all layers together take more than a gigabyte, they are averaged over blocks of cells
        first, and the title says so. Source: Kornblith et al. (2019), arXiv 1905.00414.

    Example:
        >>> import kerasviz
        >>> model = kerasviz.fashion_mnist.load_model()
        >>> images, labels = kerasviz.fashion_mnist.load_samples()
        >>> plot = kerasviz.plot_filter_similarity(model, "conv2d", images)
        >>> plot.panels[0].values.shape
        (32, 32)
    """
    own = ("cluster", "samples", "batch_size", "verbose")
    place = check_placement(*own, **options)
    check_type("cluster", cluster, (bool, np.bool_), "a bool")
    check_count("samples", samples)
    check_batch_size(batch_size)
    check_verbose(verbose)
    if inputs is None:
        raise TypeError("`inputs` must be images, or a FilterStatistics. Received: inputs=None")
    if isinstance(model, Mapping):
        models = check_models(model, "model")
        if len(models) != MAX_MODELS:
            raise ValueError(
                f"`model` must be one model or two. Received: {write_count(len(models), 'model')}"
            )
    else:
        check_model(model)
        models = {"": model}
    if isinstance(inputs, FilterStatistics):
        if len(models) > 1:
            raise ValueError("`inputs` must be images where two models are compared. Received: one")
        check_statistics(next(iter(models.values())), layer, inputs)
        return draw_matrix(_correlation(inputs, cluster), place)
    if len(models) == 1 and len(check_address(model, layer).targets) == 1:
        statistics = statistics_of(
            model,
            layer,
            inputs,
            labels=None,
            images=1,
            batch_size=batch_size,
            verbose=verbose,
        )
        return draw_matrix(_correlation(statistics, cluster), place)
    similarity = compare_layers(
        list(models.values()), layer, inputs, samples=samples, batch_size=batch_size
    )
    return draw_matrix(_cka(similarity, list(models)), place)


def _correlation(statistics: FilterStatistics, cluster: bool) -> Matrix:
    """Return the correlation of the filters of a layer."""
    values = statistics.correlation
    order = cluster_order(values) if cluster else np.arange(len(values))
    noun = noun_of(statistics)
    names = [str(index) for index in order]
    count = write_count(len(values), noun)
    title = f"{statistics.address}: correlation of {count} over {statistics.samples:,} images"
    title += f"{', clustered' if cluster else ''}. {_pairs(statistics)}."
    if len(statistics.dead):
        title += f" {len(statistics.dead)} dead (grey)."
    return Matrix(
        values=values[np.ix_(order, order)],
        rows=names,
        columns=names,
        axes=(noun, noun),
        limits=(-1.0, 1.0),
        unit="correlation",
        title=title,
        address=statistics.address,
        indices=order,
    )


def _pairs(statistics: FilterStatistics) -> str:
    """Name the duplicates, or the pair that is most alike."""
    pairs = [f"{a} and {b}" for a, b in statistics.duplicates]
    if pairs:
        more = f" and {len(pairs) - MAX_PAIRS} more pairs" if len(pairs) > MAX_PAIRS else ""
        return f"Duplicates: {', '.join(pairs[:MAX_PAIRS])}{more}"
    others = np.triu(np.nan_to_num(statistics.correlation, nan=-2) + 2, k=1)
    a, b = np.unravel_index(others.argmax(), others.shape)
    if a == b or not np.isfinite(statistics.correlation[a, b]):
        return "No duplicates"
    return f"No duplicates; most alike: {a} and {b} ({statistics.correlation[a, b]:.2f})"


def _cka(similarity: LayerSimilarity, names: list[str]) -> Matrix:
    """Return the similarity of layers, of one model or of two."""
    title = f"Linear CKA of layers over {write_count(similarity.samples, 'image')}"
    if len(names) > 1:
        title += f": {names[0]} (rows) and {names[1]} (columns)"
    cells = [f"{address} over {n} cells along each axis" for address, n in _few(similarity)]
    note = f" Averaged: {'; '.join(cells)}." if cells else ""
    return Matrix(
        values=similarity.values,
        rows=similarity.rows,
        columns=similarity.columns,
        axes=(names[0], names[-1]) if len(names) > 1 else ("", ""),
        limits=(0.0, 1.0),
        unit="CKA",
        title=f"{title}.{note}",
        has_numbers=True,
    )


def _few(similarity: LayerSimilarity) -> list[tuple[str, int]]:
    return list(similarity.averaged.items())[:MAX_PAIRS]
