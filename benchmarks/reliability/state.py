"""Compare what there was before and after each public call, in success and in failure.

Compared are the weights, the variables of layers, optimizer and metrics, the seeds of layers, the
attributes of the model; rcParams, open figures, the current folder and what is in it; the bytes of
the arrays and of the Axes and figure of the caller; and the global random numbers of Python, NumPy
and Keras. A call fails at a layer in the middle of the model, which raises an error.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import inspect
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import keras
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from calls import Call, Subject, all_calls, make_model, make_subject, print_table

NEW_FIGURES = ("plot_", "compare_", "animate", "savefig")
"""Functions that return a figure, which is the caller's from then on."""
KINDS = ("success", "failure", "failure, with an Axes")


class InjectedError(Exception):
    """What a layer raises in the calls that are to fail."""


def digest(value: Any) -> str:
    array = np.asarray(value)
    return hashlib.sha256(array.tobytes()).hexdigest()[:16] + str(array.shape)


def state_of(subject: Subject) -> dict[str, Any]:
    """Return all that a call must leave as it was, part by part."""
    model = subject.model
    variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    arrays = [keras.ops.convert_to_numpy(variable) for variable in variables]
    layers = [model, *model.layers]
    # One draw leaves the keys as they are: only the place among them moves, or what is kept back.
    _, keys, *rest = np.random.get_state()  # noqa: NPY002 (the global generator is compared)
    return {
        "weights, states and seeds": [digest(array) for array in arrays],
        "configurations": [str(layer.get_config()) for layer in layers],
        "attributes": [sorted(vars(layer)) for layer in layers],
        "trainable, compiled": [*(layer.trainable for layer in layers), model.compiled],
        "input arrays": [digest(subject.images), digest(subject.labels)],
        "rcParams": {key: str(value) for key, value in mpl.rcParams.items()},
        "backend of Matplotlib": mpl.get_backend(),
        "open figures": plt.get_fignums(),
        "current folder": str(Path.cwd()),
        "files in it": sorted(map(str, Path.cwd().rglob("*"))),
        "environment": dict(os.environ),
        "random numbers": [digest(keys), *rest, hash(random.getstate())],
        "precision, seed, data format": [
            keras.config.floatx(),
            str(keras.config.dtype_policy()),
            keras.config.image_data_format(),
            keras.utils.get_random_seed() if hasattr(keras.utils, "get_random_seed") else None,
        ],
    }


@contextlib.contextmanager
def failing(*, drawing: bool = True) -> Iterator[None]:
    """Let the layer "norm" raise when it is called, and Matplotlib in the midst of a picture."""
    call = keras.layers.BatchNormalization.call

    def fail(self: Any, *args: Any, **options: Any) -> Any:
        if self.name == "norm":
            raise InjectedError
        return call(self, *args, **options)

    def refuse(*_: Any, **__: Any) -> None:
        raise InjectedError

    places = [(mpl.axes.Axes, "set_title")]
    places += [(mpl.figure.Figure, name) for name in ("colorbar", "suptitle", "text")]
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(keras.layers.BatchNormalization, "call", fail))
        for owner, name in places if drawing else ():
            stack.enter_context(mock.patch.object(owner, name, refuse))
        yield


def changed_parts(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [part for part in before if before[part] != after[part]]


def look(name: str, call: Call, subject: Subject, *, fails: bool) -> tuple[str, list[str]]:
    """Make a call; return how it ended and which parts of the state are not what they were."""
    before, ended = state_of(subject), "success"
    with failing() if fails else contextlib.nullcontext():
        try:
            call.run()
        except InjectedError:
            ended = "failure"
        # Keras and Matplotlib wrap the injected error in classes of theirs; others are re-raised.
        except Exception as error:
            if not (fails and isinstance(error.__cause__ or error.__context__, InjectedError)):
                raise
            ended = "failure"
    if ended == "success" and name.startswith(NEW_FIGURES):
        plt.close("all")
    return ended, changed_parts(before, state_of(subject))


def look_at_axes(call: Call, **wrong: Any) -> tuple[str, list[str]]:
    """Make a call that fails, for an Axes of the caller, which must stay as it was."""
    figure, ax = plt.subplots()
    ax.plot([1, 2])
    ax.set_title("mine")

    def state() -> tuple[Any, ...]:
        limits = (ax.get_xlim(), ax.get_ylim(), ax.get_position().bounds, ax.axison)
        return [*ax.get_children()], limits, ax.get_title(), [*figure.get_children()], figure.axes

    before = state()
    with failing(drawing=False):
        try:
            call.run(ax=ax, **wrong)
            ended = "success"
        except (InjectedError, TypeError, ValueError):
            ended = "failure, with an Axes"
    same = state() == before
    plt.close("all")
    return ended, [] if same or ended == "success" else ["the caller's Axes"]


def main() -> int:
    """Print how many calls left everything as it was, and what the others changed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="a third of the calls")
    options = parser.parse_args()
    rows: list[tuple[str, str, list[str]]] = []
    with tempfile.TemporaryDirectory() as folder:
        subject = make_subject(Path(folder) / "files")
        here = Path(folder) / "here"
        here.mkdir()
        os.chdir(here)
        calls = all_calls(subject)
        names = [*calls][:: 3 if options.short else 1]
        for fails in (True, False):  # first the failures: afterwards some results are remembered
            for name in names:
                subject = replace(subject, model=make_model()) if fails else subject
                rows.append((name, *look(name, all_calls(subject)[name], subject, fails=fails)))
        for name in names:
            if "ax" in inspect.signature(calls[name].function).parameters:
                subject = replace(subject, model=make_model())
                call, figure = all_calls(subject)[name], plt.Figure()
                wrong = [{}, {"title": 3}, {"figsize": (9, 9)}, {"figure": figure}]
                rows += [(name, *look_at_axes(call, **options)) for options in wrong]
        os.chdir("/")
    totals = {kind: [row for row in rows if row[1] == kind] for kind in KINDS}
    print_table(
        ("calls that ended with", "calls", "left all as it was"),
        [(k, len(found), sum(not row[2] for row in found)) for k, found in totals.items()],
    )
    changed = [row for row in rows if row[2]]
    for name, ended, parts in changed:
        print(f"{name}, {ended}: {', '.join(parts)} changed")
    return len(changed) > 0


if __name__ == "__main__":
    sys.exit(main())
