"""Draw how loss and metrics developed during training: `plot_history`."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from typing_extensions import Unpack

from kerasviz._checks import check_choice, check_type, suggest
from kerasviz.draw.charts.curves import Curve, CurvePanel, Mark, draw_curves
from kerasviz.draw.charts.legend import LegendEntry, Style
from kerasviz.draw.color import color_cycle
from kerasviz.draw.figure import FIGURE_DEFAULTS, FigureOptions, check_panels, check_placement
from kerasviz.draw.plot import Plot
from kerasviz.draw.signatures import shows_keywords
from kerasviz.draw.text import fix_minus
from kerasviz.logs.best_epoch import Best, Direction, find_best
from kerasviz.logs.history import explain, read_runs
from kerasviz.logs.runs import LEARNING_RATES, VALIDATION, Run

MAX_VALUES = 3
"""Up to this number of trainings, every panel has a legend with the value of each in it."""


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
        monitor: The metric that decides which epoch is the best. All panels mark that epoch, by a
            line where one training is drawn, and by a ring on the curve of each of several;
            `EarlyStopping` or `ModelCheckpoint` with the same `monitor` keep its weights. "auto" is
            "val_loss", or "loss" without validation; `None` marks nothing.
        mode: Whether the lowest ("min") or the highest ("max") value of `monitor` is the best.
            "auto" goes by the name: losses, errors and divergences are to be low; accuracy, AUC,
            precision, recall, F1 and other scores high.
        **options: `title`, `figsize`, `ax` and `figure`, as for every plot. With several panels
            `title` is that of the figure.

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

        Of more than seven trainings (or the colours of your own `axes.prop_cycle`) the best ones
        have colours, and are named in the legend from the best on; the others are thin and grey.

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
    # Each run has a best epoch of its own. One that never recorded `monitor` has none, and no mark.
    candidates = {name: find_best(run, monitor, mode) for name, run in runs.items() if monitor}
    best = {name: epoch for name, epoch in candidates.items() if epoch is not None}
    all_keys = [key for panel_keys in names.values() for key in panel_keys]
    _warn_of_gaps(runs.values(), all_keys, is_titled=place.title is True)
    ranking = _rank(runs, best)
    panels = [_panel(runs, best, ranking, base, keys=own) for base, own in names.items()]
    legend = []
    if len(runs) > MAX_VALUES:
        legend = _run_entries(runs, best, ranking) + _style_entries(panels)
    return draw_curves(
        panels,
        place,
        colors=max(2, len(ranking)),
        note=", ".join(filter(None, [_say_runs(runs), _say_ranking(runs, best, ranking)])),
        legend=legend,
    )


def _base(key: str) -> str:
    return key.removeprefix(VALIDATION)


def _explain(key: str | None, runs: Mapping[str, Run]) -> str:
    """Return why a quantity that was recorded cannot be drawn; an empty text for any other."""
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
        requested = list(dict.fromkeys(order))
    else:
        requested = [metrics] if isinstance(metrics, str) else metrics
        is_list = isinstance(requested, (list, tuple))
        if not is_list or not all(isinstance(name, str) for name in requested):
            raise TypeError(
                "`metrics` must be a metric's name or a list of names. "
                f"Received: metrics={metrics!r}"
            )
    if not requested:
        raise ValueError(f"`metrics` must name at least one. Received: metrics={metrics!r}")
    panels: dict[str, list[str]] = {}
    for name in requested:
        matches = [key for key in (name, f"{VALIDATION}{name}") if key in keys]
        if not matches:
            raise ValueError(
                f"`metrics` must name metrics of the history.{suggest(name, keys)} "
                f"Received: {name!r}. There are: {', '.join(map(repr, keys))}"
                f"{_explain(name, runs)}"
            )
        panel_keys = panels.setdefault(_base(name), [])
        panel_keys += [key for key in matches if key not in panel_keys]
    return {base: sorted(panel, key=lambda key: key != base) for base, panel in panels.items()}


def _warn_of_gaps(runs: Collection[Run], keys: Sequence[str], *, is_titled: bool) -> None:
    """Warn of values that cannot be drawn, and of lists without epochs unless the title does."""
    not_finite = sum(_count_not_finite(run, keys) for run in runs)
    if not_finite:
        warnings.warn(
            f"{not_finite} of the values are NaN or infinite; they are gaps.", stacklevel=3
        )
    incomplete = [run for run in runs if run.lengths]
    if incomplete and not is_titled:
        warnings.warn(" ".join(map(explain, incomplete)), stacklevel=3)


def _count_not_finite(run: Run, keys: Sequence[str]) -> int:
    values = [run.series[key].values for key in keys if key in run.series]
    return sum(int((~np.isfinite(part)).sum()) for part in values)


def _rank(runs: Mapping[str, Run], best: Mapping[str, Best]) -> dict[str, int]:
    """Return the trainings that have a colour, and its index: the best ones, where not all can."""
    count = len(color_cycle())
    names = list(runs)
    if len(names) <= count:
        return {name: index for index, name in enumerate(names)}
    if len({(each.monitor, each.direction) for each in best.values()}) == 1:
        sign = -1 if next(iter(best.values())).direction == "max" else 1
        values = {name: sign * _best_value(runs[name], each) for name, each in best.items()}
        names.sort(key=lambda name: values.get(name, np.inf))
    return {name: index for index, name in enumerate(names[:count])}


def _best_value(run: Run, best: Best) -> float:
    series = run.series[best.monitor]
    return float(series.values[series.epochs == best.epoch][0])


def _panel(
    runs: Mapping[str, Run],
    best: Mapping[str, Best],
    ranking: Mapping[str, int],
    base: str,
    *,
    keys: Sequence[str],
) -> CurvePanel:
    """Gather what one panel shows of all trainings."""
    curves: list[Curve] = []
    marks: list[Mark] = []
    legend: list[LegendEntry] = []
    # Colour tells training from validation where one run is alone, and runs from one another where
    # there are several; then dashes tell training from validation.
    alone = len(runs) == 1
    for name, run in runs.items():
        run_keys = [key for key in keys if key in run.series]
        run_curves = [_curve(run, key, keys, ranking.get(name), alone=alone) for key in run_keys]
        if not run_curves:
            continue
        curves += run_curves
        run_best = best.get(name)
        if run_best is not None and name in ranking:
            # Of several, lines would be a comb, and rings on the training data would hide it.
            marked = run_curves if alone else run_curves[-1:]
            marks.append(Mark(x=run_best.epoch, curves=marked, has_line=alone))
        if alone:
            legend += _entries_of_one(run, run_curves, run_keys, run_best)
        elif len(runs) <= MAX_VALUES:
            legend.append(_run_entry(name, run, run_curves[-1], run_best))
    if 1 < len(runs) <= MAX_VALUES:
        legend += _style_entries([CurvePanel(name=base, curves=curves)])
    gaps = sum(_count_not_finite(run, keys) for run in runs.values())
    note = f", {gaps} NaN or infinite" if gaps else ""
    if marks:
        note += f" ({'dotted' if alone else 'ring'}: {_say_best(best, runs)})"
    positive = all((curve.y[np.isfinite(curve.y)] > 0).all() for curve in curves)
    return CurvePanel(
        name=base,
        note=note,
        curves=curves,
        marks=marks,
        legend=legend,
        log=base in LEARNING_RATES and positive,
    )


def _entries_of_one(
    run: Run, curves: Sequence[Curve], keys: Sequence[str], best: Best | None
) -> list[LegendEntry]:
    """Return the entries of a training that is alone: one per curve."""
    entries = []
    for key, curve in zip(keys, curves, strict=True):
        assumed = ", epochs assumed" if run.series[key].frequency else ""
        text = _word(key) + assumed + _value_at(curve, best)
        entries.append(LegendEntry(text=text, color=curve.color, style=curve.style))
    return entries


def _run_entry(name: str, run: Run, curve: Curve, best: Best | None) -> LegendEntry:
    """Return the entry of one of several trainings, with the value of a curve where it was best."""
    value = _value_at(curve, best)
    epoch = f" at {_say_epoch(best, run)}" if value and best is not None else ""
    return LegendEntry(text=name + value + epoch, color=curve.color)


def _run_entries(
    runs: Mapping[str, Run], best: Mapping[str, Best], ranking: Mapping[str, int]
) -> list[LegendEntry]:
    """Return the entries of many trainings, above all panels: with the value that was monitored."""
    entries = []
    for name, index in ranking.items():
        run, run_best = runs[name], best.get(name)
        monitored = run.series[run_best.monitor] if run_best else next(iter(run.series.values()))
        curve = Curve(x=monitored.epochs, y=monitored.values, color=index)
        entries.append(_run_entry(name, run, curve, run_best))
    others = len(runs) - len(ranking)
    if others:
        entries.append(LegendEntry(text=f"{others} more", color=None, is_thin=True))
    return entries


def _style_entries(panels: Sequence[CurvePanel]) -> list[LegendEntry]:
    """Return the entries that explain dashes and dots, where each training has one colour."""
    styles = {curve.style for panel in panels for curve in panel.curves}
    entries = []
    if "dashed" in styles:
        entries.append(LegendEntry(text="training", color=None, style="dashed"))
        entries.append(LegendEntry(text="validation", color=None))
    if "dotted" in styles:
        entries.append(LegendEntry(text="epochs assumed", color=None, style="dotted"))
    return entries


def _say_ranking(
    runs: Mapping[str, Run], best: Mapping[str, Best], ranking: Mapping[str, int]
) -> str:
    """Return which trainings have a colour, where not all have."""
    if len(ranking) == len(runs):
        return ""
    chosen = "best" if len({each.monitor for each in best.values()}) == 1 else "first"
    return f"the {len(ranking)} {chosen} of {len(runs)} in colour"


def _curve(run: Run, key: str, keys: Sequence[str], index: int | None, *, alone: bool) -> Curve:
    """Return a curve: solid, or dashed for the training data where validation is there too.

    A curve with assumed epochs is dotted. A training that is alone has one colour for its training
    data and one for validation; of several, each has one colour. One without `index` is grey.
    """
    series, is_last = run.series[key], key == keys[-1]
    style: Style = "dotted" if series.frequency else "solid" if is_last else "dashed"
    color = index
    if index is not None:
        color = index + (alone and is_last and len(keys) > 1)
    return Curve(x=series.epochs, y=series.values, color=color, style=style)


def _word(key: str) -> str:
    if key in LEARNING_RATES:
        return key.replace("_", " ")
    return "validation" if key.startswith(VALIDATION) else "training"


def _value_at(curve: Curve, best: Best | None) -> str:
    """Return the value in the best epoch, where there is one, to be written after a name."""
    values = curve.y[curve.x == best.epoch] if best is not None else curve.y[:0]
    return f": {fix_minus(f'{values[0]:.4g}')}" if len(values) else ""


def _say_runs(runs: Mapping[str, Run]) -> str:
    """Return how the trainings were read, and the name of one that is alone."""
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
