"""`plot_preferred_inputs`: the inputs that drive filters most, which are synthetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import keras
import numpy as np
from typing_extensions import Unpack

from kerasviz._checks import check_type, is_int
from kerasviz._wording import list_indices, write_size
from kerasviz.compute.filters.preferred_inputs import PreferredInputs, get_preferred_inputs
from kerasviz.compute.filters.statistics import FilterStatistics
from kerasviz.draw.figure import FIGURE_DEFAULTS, FigureOptions, check_placement
from kerasviz.draw.filters.content import Pattern
from kerasviz.draw.filters.preferred_inputs import (
    PreferredGrid,
    PreferredTile,
    draw_preferred_inputs,
)
from kerasviz.draw.plot import Plot
from kerasviz.draw.signatures import shows_keywords
from kerasviz.plots._attributions.keywords import refuse_ax
from kerasviz.plots._filters.input_patches import InputColors, field_size, seen_values, write_value
from kerasviz.plots._filters.statistics import check_filters, check_statistics

OWN_KEYWORDS = (
    "filters",
    "statistics",
    "objective",
    "like",
    "limits",
    "steps",
    "seed",
    "verbose",
)


@shows_keywords(FigureOptions, FIGURE_DEFAULTS, without=("ax",))
def plot_preferred_inputs(
    model: keras.Model,
    layer: Any = None,
    *,
    filters: int | slice | Sequence[int] | Literal["all"] = 16,
    statistics: FilterStatistics | None = None,
    objective: Literal["unit", "channel"] = "unit",
    like: Any = None,
    limits: tuple[float, float] | None = None,
    steps: int = 256,
    seed: int = 0,
    verbose: int = 0,
    **options: Unpack[FigureOptions],
) -> Plot:
    """Draw the inputs to which filters of a layer respond most strongly, made by gradient ascent.

    Below each is the value that it reaches, before the activation. It shows what drives a unit, and
    not what the data looks like: with `statistics` the best of the data is beside it.

    Args:
        model: A built Keras model with one input of real numbers.
        layer: The address of one layer; `None` where the model has one convolution, or for the
            layer of the statistics.
        filters: How many are drawn, the first ones by index; or which: a list of indices, a slice,
            or "all".
        statistics: What `filter_statistics` returned for the layer. What a unit saw where it
            responded most strongly is drawn beside each input, and the smallest and the largest
            value of these are the `limits`.
        objective: As in `get_preferred_inputs`.
        like: As there.
        limits: As there.
        steps: As there.
        seed: As there.
        verbose: 0 or 1; 1 prints a progress bar.
        **options: `title`, `figsize` and `figure`, as for every plot.

    Returns:
        A `Plot`. Each panel has the filter's index in `indices`, and the input as `values`. With
        `statistics` there are two panels per filter.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: As for `get_preferred_inputs`; the statistics are of another layer or model, or
            the figure is too small.

    Example:
        >>> import kerasviz
        >>> model = kerasviz.fashion_mnist.load_model()
        >>> kerasviz.plot_preferred_inputs(model, "conv2d_1", filters=6, steps=64)
        Plot(6 panels)
    """
    refuse_ax(options)
    place = check_placement(*OWN_KEYWORDS, **options)
    check_filters(filters)
    check_type("statistics", statistics, (FilterStatistics, type(None)), "a FilterStatistics")
    colors, has_best = None, False
    if statistics is not None:
        check_statistics(model, layer, statistics, name="statistics")
        layer = statistics.address
        colors = _data_colors(statistics)
        has_best = colors is not None
        limits = colors.range if colors is not None and limits is None else limits
    made = get_preferred_inputs(
        model,
        layer,
        filters=_filter_choice(filters),
        objective=objective,
        like=like,
        limits=limits,
        steps=steps,
        seed=seed,
        verbose=verbose,
    )
    colors = colors or InputColors.of(list(made.images))
    tiles = [
        _tile(made, number, colors, statistics if has_best else None)
        for number in range(len(made.indices))
    ]
    grid = PreferredGrid(
        address=made.address,
        tiles=tiles,
        title=_title(made, statistics if has_best else None),
        limits=colors.range,
    )
    return draw_preferred_inputs(grid, place)


def _filter_choice(filters: Any) -> Any:
    """Return which filters `get_preferred_inputs` makes inputs for."""
    if is_int(filters):
        return slice(int(filters))
    return None if isinstance(filters, str) else filters


def _data_colors(statistics: FilterStatistics) -> InputColors | None:
    """Return the colours of the images in the statistics, `None` where there are none."""
    if not statistics.has_images:
        return None
    named = np.unique(statistics.indices[:, 0]).tolist()
    return InputColors.of([statistics.image(index) for index in named])


def _tile(
    made: PreferredInputs, number: int, colors: InputColors, statistics: FilterStatistics | None
) -> PreferredTile:
    """Return the pictures of one filter."""
    index, caption = int(made.indices[number]), write_value(float(made.values[number]))
    pattern = Pattern(
        values=made.images[number],
        view=colors.middle_slice(made.images[number]),
        kind="curves" if colors.is_flat else "picture",
        caption=caption,
    )
    patterns, titles = [pattern], [f"{made.kind} {index}: preferred input, {caption}"]
    if statistics is not None:
        place, caption = int(statistics.indices[index, 0]), write_value(statistics.values[index, 0])
        box = statistics.boxes[index, 0]
        values = seen_values(statistics.image(place), box, field_size(statistics))
        view = colors.middle_slice(values)
        patterns.append(Pattern(values=values, view=view, kind=pattern.kind, caption=caption))
        titles.append(f"{made.kind} {index}: best of the data, image {place}, {caption}")
    return PreferredTile(index=index, name=f"{made.kind} {index}", patterns=patterns, titles=titles)


def _title(made: PreferredInputs, statistics: FilterStatistics | None) -> str:
    """Return what is drawn, in words."""
    kinds = f"{made.kind}s"
    words = list_indices(made.indices, made.total, kinds) or f"all {made.total} {kinds}"
    reached = "a unit" if "unit" in (made.objective, made.kind) else "the mean of the channel"
    size = write_size(*made.images.shape[1:-1])
    title = f"{made.address}: {words}. Preferred inputs ({size}, synthetic), and below each what "
    title += f"{reached} reaches before the activation"
    if statistics is None:
        return title + "."
    return f"{title}; beside it the best of {statistics.samples:,} images, and its response."
