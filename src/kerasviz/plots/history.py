"""`plot_history`: how loss and metrics developed during training."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from typing_extensions import Unpack

from kerasviz._checks import check_choice, check_type, suggest
from kerasviz.draw.charts.curves import Curve, CurvePanel, LegendEntry, Mark, Style, draw_curves
from kerasviz.draw.figure import FIGURE_DEFAULTS, FigureOptions, check_placement
from kerasviz.draw.plot import Plot
from kerasviz.draw.signatures import shows_keywords
from kerasviz.draw.tiles.layout import check_panels
from kerasviz.logs.history import (
    LEARNING_RATES,
    VALIDATION,
    Best,
    Direction,
    Run,
    explain,
    find_best,
    read_runs,
)


@shows_keywords(FigureOptions, FIGURE_DEFAULTS)
def plot_history(
    history: Any,
    *,
    metrics: str | Sequence[str] | None = None,
    monitor: str | None = "auto",
    mode: Direction | Literal["auto"] = "auto",
    **options: Unpack[FigureOptions],
) -> Plot:
    """Draw loss and metrics over the epochs of a training, each beside its validation twin.

    Args:
        history: What `fit` returned, its `history` dict, or the path of the file that a
            `keras.callbacks.CSVLogger` wrote; or several trainings to lay over one another, as a
            dict of names: `{"adam": a, "sgd": b}`.
        metrics: Which to draw, all by default. A name includes its validation twin; "val_..." is
            the twin alone.
        monitor: The metric that decides which epoch is the best. All panels mark that epoch;
            `EarlyStopping` or `ModelCheckpoint` with the same `monitor` keep its weights. "auto" is
            "val_loss", or "loss" without validation; `None` marks nothing.
        mode: Whether the lowest ("min") or the highest ("max") value of `monitor` is the best.
            "auto" goes by the name: losses, errors and divergences are to be low; accuracy, AUC,
            precision, recall, F1 and other scores high.
        **options: `title`, `ax` and `figure`, as for every plot. With several panels `title` is
            that of the figure.

    Returns:
        A `Plot` with one panel per metric, and no images. `axes[i].lines` are the curves: of each
        training first the values on the training data, then those on the validation data.

    Raises:
        TypeError: `history` is none of these, or a keyword has the wrong type.
        ValueError: `history` has no epoch or says impossible ones, a file is not there or no
            `CSVLogger` wrote it, no training has a metric of that name in known epochs, or its name
            does not tell what is good.

    Notes:
        A value is drawn at the epoch in which it was computed. A `History` and a dict do not say
        the epochs of a list that is shorter than the others: a metric that a callback logs now and
        then, or validation with `validation_freq`. Of validation, the epochs are assumed where one
        `validation_freq` gives that number of values: dotted, with open dots, and "assumed" in the
        legend and in the title. All other such lists are left out, and the title names them, or a
        warning where the title is not shown. `None` in a list is an epoch without a value. The file
        of a `CSVLogger` has the epochs of all metrics that the first epoch has.

        Epochs are counted from 1, as the progress bar of `fit` does; a training that went on from
        an `initial_epoch` goes on here. What was appended to a file goes on too: where a part
        begins at an epoch that is there already, it replaces what came after that; where it begins
        again at 1, it is counted on. The title says so.

        Values that are NaN or infinite are gaps in their curve; they are counted in the title and
        in one warning. The learning rate, where it was recorded, is on a logarithmic axis.

    Example:
        >>> import kerasviz
        >>> history = {"loss": [0.9, 0.5, 0.4], "val_loss": [0.8, 0.6, 0.7]}
        >>> kerasviz.plot_history(history)
        Plot(1 panel)
    """
    place = check_placement("metrics", "monitor", "mode", **options)
    check_type("monitor", monitor, (str, type(None)), "a metric's name, 'auto' or None")
    check_choice("mode", mode, ("auto", "min", "max"))
    runs = read_runs(history)
    keys = list(dict.fromkeys(key for run in runs.values() for key in run.series))
    names = _choose_metrics(metrics, keys, runs)
    if monitor not in (None, "auto", *keys):
        raise ValueError(
            f"`monitor` must be a metric of the history.{suggest(monitor, keys)} "
            f"Received: monitor={monitor!r}{_explain(monitor, runs)}"
        )
    check_panels(len(names), place.ax, "metrics")
    found = {name: find_best(run, monitor, mode) for name, run in runs.items() if monitor}
    best = {name: chosen for name, chosen in found.items() if chosen is not None}
    shown = [key for wanted in names.values() for key in wanted]
    not_finite = sum(_count_not_finite(run, shown) for run in runs.values())
    if not_finite:
        warnings.warn(
            f"{not_finite} of the values are NaN or infinite; they are gaps.", stacklevel=2
        )
    incomplete = [run for run in runs.values() if run.lengths]
    if incomplete and place.title is not True:
        warnings.warn(" ".join(map(explain, incomplete)), stacklevel=2)
    panels = [_panel(runs, best, base, wanted) for base, wanted in names.items()]
    return draw_curves(panels, place, colors=max(2, len(runs)), note=_say_runs(runs))


def _base(key: str) -> str:
    return key.removeprefix(VALIDATION)


def _explain(key: str | None, runs: Mapping[str, Run]) -> str:
    """Say why a quantity cannot be drawn that was recorded; nothing of any other."""
    run = next((run for run in runs.values() if key in run.lengths), None)
    return "" if run is None else f". {explain(run)}"


def _choose_metrics(
    metrics: Any, keys: Sequence[str], runs: Mapping[str, Run]
) -> dict[str, list[str]]:
    """Return the names of the panels, and which quantities each shows.

    The loss comes first and the learning rate last, unless the caller says so.
    """
    if metrics is None:
        order = sorted(map(_base, keys), key=lambda base: (base in LEARNING_RATES, base != "loss"))
        wanted = list(dict.fromkeys(order))
    else:
        wanted = [metrics] if isinstance(metrics, str) else metrics
        words = isinstance(wanted, (list, tuple)) and all(isinstance(x, str) for x in wanted)
        if not words:
            raise TypeError(
                "`metrics` must be a metric's name or a list of names. "
                f"Received: metrics={metrics!r}"
            )
    if not wanted:
        raise ValueError(f"`metrics` must name at least one. Received: metrics={metrics!r}")
    panels: dict[str, list[str]] = {}
    for name in wanted:
        found = [key for key in (name, f"{VALIDATION}{name}") if key in keys]
        if not found:
            raise ValueError(
                f"`metrics` must name metrics of the history.{suggest(name, keys)} "
                f"Received: {name!r}. There are: {', '.join(map(repr, keys))}"
                f"{_explain(name, runs)}"
            )
        shown = panels.setdefault(_base(name), [])
        shown += [key for key in found if key not in shown]
    return {base: sorted(shown, key=lambda key: key != base) for base, shown in panels.items()}


def _count_not_finite(run: Run, keys: Sequence[str]) -> int:
    values = [run.series[key].values for key in keys if key in run.series]
    return sum(int((~np.isfinite(part)).sum()) for part in values)


def _panel(
    runs: Mapping[str, Run], best: Mapping[str, Best], base: str, keys: Sequence[str]
) -> CurvePanel:
    """Gather what one panel shows of all trainings."""
    curves: list[Curve] = []
    marks: list[Mark] = []
    legend: list[LegendEntry] = []
    for number, (name, run) in enumerate(runs.items()):
        found = [key for key in keys if key in run.series]
        color = 0 if len(runs) == 1 else number
        drawn = [_curve(run, key, keys, color, alone=len(runs) == 1) for key in found]
        if not drawn:
            continue
        curves += drawn
        chosen = best.get(name)
        if chosen is not None:
            marks.append(Mark(chosen.epoch, None if len(runs) == 1 else color, drawn))
        if len(runs) > 1:
            value = _value_at(drawn[-1], chosen)
            epoch = f" at {_say_epoch(chosen, run)}" if value and chosen is not None else ""
            legend.append(LegendEntry(name + value + epoch, color, "solid"))
            continue
        for key, curve in zip(found, drawn, strict=True):
            assumed = ", epochs assumed" if run.series[key].frequency else ""
            text = _word(key) + assumed + _value_at(curve, chosen)
            legend.append(LegendEntry(text, curve.color, curve.style))
    if len(runs) > 1 and len(keys) > 1:
        legend += [
            LegendEntry(_word(key), None, "solid" if key == keys[-1] else "dashed") for key in keys
        ]
    if len(runs) > 1 and any(curve.style == "dotted" for curve in curves):
        legend.append(LegendEntry("epochs assumed", None, "dotted"))
    gaps = sum(_count_not_finite(run, keys) for run in runs.values())
    note = f", {gaps} NaN or infinite" if gaps else ""
    if marks:
        note += f" (dotted: {_say_best(best, runs)})"
    positive = all((curve.y[np.isfinite(curve.y)] > 0).all() for curve in curves)
    return CurvePanel(base, note, curves, marks, legend, base in LEARNING_RATES and positive)


def _curve(run: Run, key: str, keys: Sequence[str], color: int, *, alone: bool) -> Curve:
    """Return a curve: solid what counts, dashed the training data where validation is there too.

    Dotted is what has assumed epochs.

    A training that is alone has two colours for these, several have one each.
    """
    second = key == keys[-1] and len(keys) > 1
    epochs, values, frequency = run.series[key]
    style: Style = "dotted" if frequency else "solid" if key == keys[-1] else "dashed"
    return Curve(epochs, values, color + (alone and second), style)


def _word(key: str) -> str:
    if key in LEARNING_RATES:
        return key.replace("_", " ")
    return "validation" if key.startswith(VALIDATION) else "training"


def _value_at(curve: Curve, best: Best | None) -> str:
    """Return the value in the best epoch, where there is one, to be written behind a name."""
    values = curve.y[curve.x == best.epoch] if best is not None else curve.y[:0]
    return f": {values[0]:.4g}" if len(values) else ""


def _say_runs(runs: Mapping[str, Run]) -> str:
    """Say how the trainings were read; and the name of one that is alone."""
    if len(runs) == 1:
        ((name, run),) = runs.items()
        return ", ".join(filter(None, [name, *run.notes]))
    return ", ".join(f"{name}: {note}" for name, run in runs.items() for note in run.notes)


def _say_best(best: Mapping[str, Best], runs: Mapping[str, Run]) -> str:
    words = {"min": "lowest", "max": "highest"}
    reasons = dict.fromkeys(f"{words[item.direction]} {item.monitor}" for item in best.values())
    epoch = ""
    if len(runs) == 1:
        ((name, run),) = runs.items()
        epoch = f"{_say_epoch(best[name], run)}, "
    return epoch + " or ".join(reasons)


def _say_epoch(best: Best, run: Run) -> str:
    assumed = " (assumed)" if run.series[best.monitor].frequency else ""
    return f"epoch {best.epoch}{assumed}"
