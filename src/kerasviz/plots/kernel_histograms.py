"""Draw how the weights of layers are distributed: `plot_kernel_histograms`."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

import keras
import numpy as np
from typing_extensions import Unpack

from kerasviz._checks import check_choice, check_count, check_type
from kerasviz.compute.kernel_statistics import LayerStatistics, describe_kernel, write_number
from kerasviz.compute.kernels import read_kernel
from kerasviz.compute.layer_matching import check_models, join_addresses, match_layers
from kerasviz.draw.charts.histograms import MAX_LARGE, Histogram, draw_histograms
from kerasviz.draw.charts.ridgeline import draw_ridgeline
from kerasviz.draw.color import value_range
from kerasviz.draw.figure import FIGURE_DEFAULTS, FigureOptions, check_panels, check_placement
from kerasviz.draw.plot import Plot
from kerasviz.draw.signatures import shows_keywords
from kerasviz.draw.text import SPACE, fix_minus
from kerasviz.draw.tiles.style import MAX_COLUMNS
from kerasviz.model.addresses import NamedCall

MAX_BINS = 100_000
Bins = int | Sequence[float] | np.ndarray
AxisScale = Literal["figure", "layer"]
MAX_NOTES = 3
"""How many layers with weights in no bin the title of a ridgeline names."""
MARGIN = 0.03
"""Room on both sides of the weights, as a part of their range."""


@shows_keywords(FigureOptions, FIGURE_DEFAULTS)
def plot_kernel_histograms(
    model: keras.Model | Mapping[str, keras.Model],
    layer: Any = None,
    *,
    bins: Bins = 40,
    scale: AxisScale = "figure",
    density: bool = False,
    log: bool = False,
    columns: int | None = None,
    **options: Unpack[FigureOptions],
) -> Plot:
    """Draw the distribution of the weights of each layer as a histogram.

    Up to six layers have a panel each. More are the rows of one panel, a ridgeline: the name of a
    layer at the left, the standard deviation of its weights at the right, and between them its
    bars. Each row is scaled to its highest bar, so that heights can be compared within a row, and
    widths between rows. With `columns` or `scale="layer"` every layer has a panel.

    Args:
        model: The model that has the layers, or several to lay over one another, as a dict of
            names and models: `{"untrained": a, "trained": b}`.
        layer: A layer address, or several; `None` is every convolution.
        bins: How many bins there are between the smallest and the largest weight of the layer, in
            whichever model; or the edges of the bins of all layers, of which weights outside are
            counted in the title.
        scale: "figure": all panels have the same axis of weights, so that widths can be compared.
            "layer": each has its own.
        density: Divide by the number of weights and the width of a bin, so that every histogram
            has the area 1.
        log: Put the heights on a logarithmic axis, which shows the few large weights.
        columns: Panels in a row; with it every layer has a panel of its own.
        **options: `title`, `figsize`, `ax` and `figure`, as for every plot. With several panels
            `title` is that of the figure.

    Returns:
        A `Plot` with one panel per layer, and no images; `panels[i].values` are the heights of its
        bars as counts or densities. The panels of a ridgeline share one Axes. Elsewhere mean and
        standard deviation are above each panel, which has its own axis of counts from 0.

    Raises:
        TypeError: `model` is not a Keras model, `layer` is not an address, or a keyword has the
            wrong type.
        ValueError: No layer has that address, it has no kernel, the models do not have the same
            number of layers, or a keyword cannot be used.

    Notes:
        Weights that are NaN or infinite are in no bin; they are counted in the title and in one
        warning. What `layer` names in one model and in another is matched by its order.

    Example:
        >>> import kerasviz
        >>> model = kerasviz.fashion_mnist.load_model()
        >>> kerasviz.plot_kernel_histograms(model)
        Plot(2 panels)
    """
    place = check_placement("bins", "scale", "density", "log", "columns", **options)
    edges = _check_bins(bins)
    check_choice("scale", scale, get_args(AxisScale))
    check_type("density", density, (bool, np.bool_), "a bool")
    check_type("log", log, (bool, np.bool_), "a bool")
    if columns is not None:
        check_count("columns", columns, MAX_COLUMNS)
    models = check_models(model, "model") if _is_several(model) else {"": model}
    layers = match_layers(models, layer)
    is_ridgeline = len(layers) > MAX_LARGE and scale == "figure" and columns is None
    if not is_ridgeline:
        check_panels(len(layers), place.ax)
    histograms = [_histogram(models, targets, edges, density) for targets in layers]
    not_finite = sum(count for _, count in histograms)
    if not_finite:
        warnings.warn(
            f"{not_finite} of the weights are NaN or infinite; they are in no bin.", stacklevel=2
        )
    panels = [panel for panel, _ in histograms]
    if scale == "figure":
        lows, highs = zip(*(panel.limits for panel in panels), strict=True)
        panels = [replace(panel, limits=(min(lows), max(highs))) for panel in panels]
    if is_ridgeline:
        heading = _ridgeline_heading(panels, density=density, log=log)
        return draw_ridgeline(panels, place, heading=heading, names=list(models), log=log)
    return draw_histograms(
        panels, place, columns=columns, share=scale == "figure", density=density, log=log
    )


def _ridgeline_heading(rows: Sequence[Histogram], *, density: bool, log: bool) -> str:
    """Return what a ridgeline shows, and what the height of a bar is."""
    notes = [row.note for row in rows if row.note]
    heading = f"Weights of {len(rows)}{SPACE}layers"
    if notes:
        heading += f" ({'; '.join(notes[:MAX_NOTES])}{'; …' if len(notes) > MAX_NOTES else ''})"
    bars = f"{'logarithmic ' if log else ''}{'densities' if density else 'counts'}"
    return f"{heading}\nbars: {bars}, each row scaled to its highest bar"


def _is_several(model: object) -> bool:
    """Whether `model` is a collection of models, named or not."""
    return isinstance(model, (Mapping, list, tuple))


def _check_bins(bins: Any) -> int | np.ndarray:
    """Return a number of bins or an array of their edges."""
    if not isinstance(bins, (list, tuple, np.ndarray)):
        check_count("bins", bins, MAX_BINS)
        return int(bins)
    edges = np.asarray(bins)
    rising = edges.ndim == 1 and edges.dtype.kind in "fiu" and (np.diff(edges) > 0).all()
    if not rising or len(edges) < 2 or not np.isfinite(edges).all():
        raise ValueError(
            "`bins` must be a positive integer or at least two edges, each larger than the one "
            f"before. Received: bins={bins!r}"
        )
    return edges.astype("float64")


def _histogram(
    names: Iterable[str], targets: Sequence[NamedCall], bins: int | np.ndarray, density: bool
) -> tuple[Histogram, int]:
    """Put a layer's weights, in each of the models, into the same bins.

    Returns:
        What to draw, and how many weights are NaN or infinite.
    """
    kernels = [read_kernel(target.call.layer, target.address) for target in targets]
    weights = [kernel[np.isfinite(kernel)].astype("float64") for kernel in kernels]
    span = value_range(np.concatenate(weights))
    counts = [np.histogram(values, bins, span)[0] for values in weights]
    edges = np.histogram_bin_edges(weights[0], bins, span)
    heights, min_height = counts, 1.0
    if density:
        areas = [max(len(values), 1) * np.diff(edges) for values in weights]
        heights = [count / area for count, area in zip(counts, areas, strict=True)]
        min_height = 1 / max(area.max() for area in areas)
    not_finite = sum(kernel.size for kernel in kernels) - sum(map(len, weights))
    outside = sum(map(len, weights)) - sum(int(count.sum()) for count in counts)
    sizes = " and ".join(dict.fromkeys(f"{kernel.size:,}" for kernel in kernels))
    notes = _count_missing(not_finite, outside)
    address = join_addresses(targets)
    rows = [
        describe_kernel(kernel, target.address)
        for target, kernel in zip(targets, kernels, strict=True)
    ]
    limits = (edges[0], edges[-1]) if isinstance(bins, np.ndarray) else _limits(*span)
    histogram = Histogram(
        heading=", ".join([f"{address}: {sizes}{SPACE}weights", *notes]),
        edges=edges,
        heights=heights,
        facts=[_fact(name, row) for name, row in zip(names, rows, strict=True)],
        spreads=[fix_minus(write_number(row.std)) for row in rows],
        note=f"{address}: {', '.join(notes)}" if notes else "",
        limits=limits,
        min_height=min_height,
        address=address,
    )
    return histogram, not_finite


def _count_missing(not_finite: int, outside: int) -> list[str]:
    """Say how many weights are in no bin, and why; spaces do not break."""
    notes = []
    if not_finite:
        notes.append(f"{not_finite:,}{SPACE}NaN{SPACE}or{SPACE}infinite")
    if outside:
        notes.append(f"{outside:,}{SPACE}outside{SPACE}the{SPACE}bins")
    return notes


def _fact(name: str, row: LayerStatistics) -> str:
    start = f"{name}: " if name else ""
    mean, std = (fix_minus(write_number(value)) for value in (row.mean, row.std))
    return f"{start}mean{SPACE}{mean}, std{SPACE}{std}"


def _limits(lowest: float, highest: float) -> tuple[float, float]:
    """Return the ends of an axis that shows all values, and 0."""
    low, high = min(lowest, 0.0), max(highest, 0.0)
    margin = MARGIN * (high - low) or 0.5
    return low - margin, high + margin
