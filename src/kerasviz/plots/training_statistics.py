"""Draw how kernels and filters changed during training: `plot_training_statistics`."""

from __future__ import annotations

import fnmatch
import os
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import Unpack

from kerasviz._checks import check_count, suggest
from kerasviz.compute.filters.statistics import FilterStatistics, count_odd
from kerasviz.draw.charts.curves import Curve, CurvePanel, draw_curves
from kerasviz.draw.charts.legend import LegendEntry
from kerasviz.draw.color import color_cycle
from kerasviz.draw.figure import FIGURE_DEFAULTS, FigureOptions, check_panels, check_placement
from kerasviz.draw.plot import Plot
from kerasviz.draw.signatures import shows_keywords
from kerasviz.logs.training_statistics import FilterRow, StatisticsRow, read_statistics_log

if TYPE_CHECKING:
    import keras

RULE_OF_THUMB = 1e-3
"""The value that an update ratio should be near; `WeightStatistics` names the source."""
Rows = Sequence[StatisticsRow | FilterRow]
OF_KERNELS = {
    "mean": "mean of the weights",
    "std": "standard deviation of the weights",
    "norm": "norm of the kernel",
    "update_ratio": "update ratio of a step",
    "dead": "dead filters over your samples",
}
OF_FILTERS = {
    "dead": "dead filters",
    "rare": "rare filters",
    "duplicates": "pairs of duplicate filters",
    "selectivity": "mean selectivity of the filters",
}
MAX_NAMED = 7
"""How many of many layers the legend names."""


@shows_keywords(FigureOptions, FIGURE_DEFAULTS)
def plot_training_statistics(
    source: keras.callbacks.Callback | Mapping[str, Sequence[Any]] | str | os.PathLike[str],
    *,
    statistics: str | Sequence[str] | None = None,
    layer: str | Sequence[str] | None = None,
    columns: int | None = None,
    **options: Unpack[FigureOptions],
) -> Plot:
    """Draw the records of `WeightStatistics` or of `FilterSnapshots` from a training.

    Args:
        source: The callback, its `history`, or the path of the CSV file of a `WeightStatistics` or
            of the folder of a `FilterSnapshots`, of a training that has ended or still runs.
        statistics: Which to draw, of "mean", "std", "norm", "update_ratio" and "dead"; of a
            `FilterSnapshots`, of "dead", "rare", "duplicates" and "selectivity". By default all
            that were measured. There is one panel per statistic.
        layer: Which layers to draw, by their recorded addresses, or patterns of these such as
            "block1*". There is one curve per layer.
        columns: Panels in a row.
        **options: `title`, `figsize`, `ax` and `figure`, as for every plot. With several panels
            `title` is that of the figure.

    Returns:
        A `Plot` with one panel per statistic, and no images. `axes[i].lines` are the curves, one
        per layer, in the order in which they were written down.

    Raises:
        TypeError: `source` is none of these, or a keyword has the wrong type.
        ValueError: `source` holds no record, no layer has that address, a statistic does not exist
            or was not measured, or a file is not there or of something else.

    Notes:
        The axis is that of epochs, the first is 1, or that of steps where there are several records
        an epoch. Up to seven layers (or the colours of your own
        `axes.prop_cycle`) have a colour each; more are shades from dark, the first, to bright, the
        last.

        The update ratio is on a logarithmic axis, with the rule of thumb of 0.001 as a dotted line,
        see `WeightStatistics`. Values that such an axis does not have, the 0 of a layer that is not
        trained, are counted in the title. Values that are NaN or infinite are gaps in their curve;
        they are counted in the title and in one warning.

    Example:
        >>> import kerasviz
        >>> model = kerasviz.fashion_mnist.build_model()
        >>> model.compile("adam", "sparse_categorical_crossentropy")
        >>> images, labels = kerasviz.fashion_mnist.load_samples()
        >>> statistics = kerasviz.WeightStatistics()
        >>> _ = model.fit(images, labels, epochs=8, verbose=0, callbacks=[statistics])
        >>> kerasviz.plot_training_statistics(statistics)
        Plot(4 panels)
    """
    place = check_placement("statistics", "layer", "columns", **options)
    if columns is not None:
        check_count("columns", columns)
    if isinstance(source, (str, os.PathLike)) and Path(source).is_dir():
        source = _read_folder(Path(source))
    log = read_statistics_log(source)
    layers = _choose_layers(layer, log.rows)
    records: Rows = [record for record in log.rows if record.layer in layers]
    names = _choose_statistics(statistics, records)
    check_panels(len(names), place.ax, "statistics")
    not_finite = sum(_count_not_finite(records, name) for name in names)
    if not_finite:
        warnings.warn(
            f"{not_finite} of the values are NaN or infinite; they are gaps.", stacklevel=2
        )
    axis = _choose_axis(records)
    return draw_curves(
        [_panel(records, layers, name, axis) for name in names],
        place,
        colors=len(layers),
        note=", ".join(filter(None, [_say_layers(layers), log.note])),
        legend=_legend(layers),
        axis=axis,
        columns=columns or 2,
    )


def _read_folder(folder: Path) -> dict[str, list[Any]]:
    """Return what `FilterSnapshots` has written to a folder, as its `history`.

    Raises:
        ValueError: It holds no record.
    """
    files = sorted(folder.glob("*/filters-*.npz"))
    steps = [re.fullmatch(r"filters-(epoch|batch)-(\d+)", path.stem) for path in files]
    history: dict[str, list[Any]] = {}
    for path, step in zip(files, steps, strict=True):
        if step is not None:
            row = {step[1]: int(step[2]), **count_odd(FilterStatistics.load(path))}
            for name, value in row.items():
                history.setdefault(name, []).append(value)
    if not history or len({step[1] for step in steps if step is not None}) > 1:
        raise ValueError(
            "`source` must be a folder in which FilterSnapshots has written records, all of epochs "
            f"or all of batches. Received: source={str(folder)!r}"
        )
    return history


def _names_of(records: Rows) -> dict[str, str]:
    """Return the statistics that records have, and these in words."""
    return OF_FILTERS if isinstance(records[0], FilterRow) else OF_KERNELS


def _as_list(name: str, value: Any) -> list[str]:
    """Return a list of words, also of a single word."""
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, (list, tuple)) or not all(isinstance(word, str) for word in words):
        raise TypeError(f"`{name}` must be a string or a list of these. Received: {name}={value!r}")
    if not words:
        raise ValueError(f"`{name}` must name at least one. Received: {name}={value!r}")
    return list(words)


def _choose_layers(layer: Any, records: Rows) -> list[str]:
    addresses = list(dict.fromkeys(record.layer for record in records))
    if layer is None:
        return addresses
    requested: set[str] = set()
    for word in _as_list("layer", layer):
        matches = [word] if word in addresses else fnmatch.filter(addresses, word)
        if not matches:
            raise ValueError(
                f"`layer` must name layers that were written down.{suggest(word, addresses)} "
                f"Received: {word!r}. There are: {', '.join(map(repr, addresses[:20]))}"
                f"{', …' if len(addresses) > 20 else ''}"
            )
        requested.update(matches)
    return [address for address in addresses if address in requested]


def _choose_statistics(statistics: Any, records: Rows) -> list[str]:
    names = list(_names_of(records))
    measured = [
        name for name in names if any(getattr(record, name) is not None for record in records)
    ]
    if statistics is None:
        return measured
    requested = list(dict.fromkeys(_as_list("statistics", statistics)))
    for name in requested:
        if name not in names:
            raise ValueError(
                f"`statistics` must name some of {', '.join(map(repr, names))}."
                f"{suggest(name, names)} Received: {name!r}"
            )
        if name not in measured:
            needs = {"dead": " Give WeightStatistics `inputs`.", "selectivity": " Give `labels`."}
            hint = needs.get(name, "")
            raise ValueError(
                f"`statistics` must name what was measured.{hint} Received: {name!r}. "
                f"There are: {', '.join(map(repr, measured))}"
            )
    return requested


def _choose_axis(records: Rows) -> str:
    """Return the unit in which no two records of a layer are at the same point."""
    points = {(record.layer, record.epoch) for record in records}
    has_epochs = any(record.epoch for record in records)
    return "epoch" if has_epochs and len(points) == len(records) else "step"


def _values(records: Rows, name: str) -> np.ndarray:
    """Return the values that were measured, `(n,)`."""
    values = [getattr(record, name) for record in records]
    return np.array([value for value in values if value is not None], "float64")


def _count_not_finite(records: Rows, name: str) -> int:
    return int((~np.isfinite(_values(records, name))).sum())


def _panel(records: Rows, layers: Sequence[str], name: str, axis: str) -> CurvePanel:
    """Gather what one panel shows of all layers."""
    values = _values(records, name)
    log = name == "update_ratio" and bool((values > 0).any())
    curves = []
    for color, layer in enumerate(layers):
        own = [record for record in records if record.layer == layer]
        if not len(_values(own, name)):
            continue
        x = np.array([getattr(record, axis) for record in own])
        y = np.array([getattr(record, name) for record in own], "float64")  # None becomes NaN
        # What a logarithmic axis cannot show is a gap and no point at its lower end; it is counted.
        y[~np.isfinite(y) | (log & (y <= 0))] = np.nan
        curves.append(Curve(x=x, y=y, color=color))
    notes = []
    not_finite = _count_not_finite(records, name)
    if not_finite:
        notes.append(f", {not_finite} NaN or infinite")
    zeros = int((values == 0).sum()) if log else 0
    if zeros:
        notes.append(f", {zeros} at 0 not shown")
    of_filters = isinstance(records[0], FilterRow)
    level = RULE_OF_THUMB if name == "update_ratio" else None
    if level is not None:
        notes.append(f" (dotted: {level}, a rule of thumb)")
    return CurvePanel(
        name=_names_of(records)[name],
        note="".join(notes),
        curves=curves,
        log=log,
        level=level,
        percent=name == "dead" and not of_filters,
        counts=of_filters and name != "selectivity",
    )


def _legend(layers: Sequence[str]) -> list[LegendEntry]:
    """Return one entry per layer; of many layers, of some that are evenly spaced."""
    indices: Sequence[int] = range(len(layers))
    if len(layers) > len(color_cycle()):
        indices = np.linspace(0, len(layers) - 1, MAX_NAMED).round().astype(int).tolist()
    return [LegendEntry(text=layers[index], color=index) for index in indices]


def _say_layers(layers: Sequence[str]) -> str:
    if len(layers) <= len(color_cycle()):
        return ""
    return f"{len(layers)} layers, of which {MAX_NAMED} are named: the deeper the brighter"
