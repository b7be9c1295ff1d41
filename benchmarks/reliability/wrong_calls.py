"""Count wrong calls of the public API and the command line that do not say at once what is wrong.

Each keyword of each public function is given values of a wrong type, range or shape, and its name
is misspelt. A wrong call is right when it ends with a `TypeError` or `ValueError` that names the
argument, before a layer of the model is called, a figure is made or a file is written.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import inspect
import io
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import keras
import matplotlib.pyplot as plt
import numpy as np
from calls import Call, Subject, all_calls, callback_calls, make_subject, print_table
from matplotlib.figure import Figure

import kerasviz
from kerasviz.cli import main as run_command

NAN = float("nan")
COUNTS = (True, 0, -1, 1.5, NAN, "3", [])
FLAGS = ("yes", 3, 1.5, [])
WORDS = ("nope", 3, 1.5, [])
NAMES = ("abc", 3, {})
PATHS = (3, True, [], NAN)
SEEDS = (-1, True, 1.5, "0")
WRONG: dict[str, tuple[Any, ...]] = {
    "model": (None, 3, "model.keras", [], keras.Sequential),
    "models": (None, 3, [], {}, {"a": 3}),
    "layer": (NAN, 1.5, 99, -99, [], {"a": 1}, b"a", int, "nowhere"),
    "inputs": (
        3,
        "no-file.png",
        [],
        np.zeros((0, 12, 12, 1)),
        np.zeros((2, 5, 5, 1)),
        np.zeros((1, 12, 12, 1), complex),
        np.array(["a"]),
        np.zeros((1, 12, 12, 2)),
    ),
    "array": (3, "x", None, np.zeros(3), np.array(["a"]), np.zeros((3, 3, 2), complex)),
    "position": (True, "x", (1.5, 2), (99, 99), (-99, 0), (1, 2, 3)),
    "positions": ("x", 3, [(99, 99)], [], [(1.5, 2)]),
    "labels": ("x", np.zeros(3, int), np.zeros((6, 2, 2)), [0.5] * 6),
    "class_names": NAMES,
    "tile_names": NAMES,
    "sample_names": NAMES,
    "batch_size": COUNTS,
    "images": COUNTS,
    "samples": COUNTS,
    "steps": COUNTS,
    "bins": (True, 0, -1, "x", []),
    "columns": COUNTS,
    "maps": (True, -1, 1.5, NAN, "3"),
    "top": COUNTS,
    "every": (0, -1, 1.5, True, None, "x", "3 years"),
    "interval": (0, -1, "x", True, NAN),
    "seed": SEEDS,
    "filter": (99, -99, 1.5, True, "x"),
    "filters": (-1, 1.5, True, "x", []),
    "sample": (99, -99, 1.5, True, "x", []),
    "channel": (99, -99, 1.5, True, "x"),
    "slices": (99, 1.5, "x", []),
    "tiles": (True, NAN, 1.5, "x", [], [1.5], 99, {}),
    "near_zero": (-1, "x", NAN, True),
    "checkpoint": PATHS,
    "path": (*PATHS, None),
    "folder": PATHS,
    "directory": PATHS,
    "gif": PATHS,
    "log_dir": PATHS,
    "csv": PATHS,
    "history": (3, "no-file.csv", [], {"loss": "x"}),
    "source": (3, "no-file.csv", {}),
    "statistics": (3, "nope", []),
    "metrics": (3, "nope", []),
    "monitor": (3, "nope", []),
    "mode": WORDS,
    "method": ("gradcam", 3, [], {"a": 1}),
    "target": (10**9, -1, True, 1.5, "x", []),
    "score": WORDS,
    "objective": WORDS,
    "baseline": ("black", [], np.zeros(3), True, NAN),
    "evidence": FLAGS,
    "verbose": (2, -1, "yes", None),
    "like": (3, "x", np.zeros((2, 2))),
    "limits": (3, (1,), (1, 0), ("a", "b"), (NAN, 1)),
    "overlay": ("x", 3, np.zeros((2, 2, 2, 2, 2))),
    "picture": ("no-file.png", 1.5, np.zeros((2, 2, 2, 2, 2))),
    "alpha": ("x", -1, 2, NAN),
    "interpolation": WORDS,
    "patch_grid": (3, (1,), (0, 1), ("a", "b")),
    "kind": WORDS,
    "by": WORDS,
    "detail": WORDS,
    "direction": WORDS,
    "expand": (-1, 1.5, "x"),
    "fold": FLAGS,
    "cluster": FLAGS,
    "density": FLAGS,
    "log": FLAGS,
    "preferred": FLAGS,
    "sort": WORDS,
    "scale": WORDS,
    "robust": WORDS,
    "cmap": ("nope", 3, True, []),
    "vmin": ("3", True, NAN, []),
    "vmax": ("3", True, NAN, []),
    "norm": ("x", 3, True),
    "title": (3, []),
    "colorbar": ("yes", 3),
    "figsize": (3, (1,), (0, 1), (NAN, 1), ("a", "b")),
    "ax": (3, "ax", []),
    "figure": (3, "f", True),
    "name": (3, "", "a/b", []),
    "on_plot": (3, "x"),
    "function": (3, "x", None),
}
"""Values that are wrong for a keyword, in every function but those of `EXCEPTIONS`."""
OWN: dict[tuple[str, str], tuple[Any, ...]] = {
    **{(name, "layer"): (3, True, ["nowhere"], "nowhere") for name in ("plot_snapshots",)},
    ("animate_snapshots", "layer"): (3, True, "nowhere"),
    ("plot_training_statistics", "layer"): (3, "nowhere", []),
    ("report", "statistics"): (3, "no-file", []),
    ("plot_preferred_inputs", "statistics"): (3, "x", []),
    ("plot_snapshots", "steps"): ("x", 1.5, [99], []),
    ("animate_snapshots", "steps"): ("x", 1.5, [99], []),
    ("receptive_field", "position"): ("x", (1.5, 2), (99, 99), (1, 2, 3)),
    ("get_preferred_inputs", "filters"): (99999, 1.5, "x", []),
    ("plot_attributions", "method"): ("gradcam", 3, []),
    ("report", "method"): ("gradcam", 3, {"a": 1}),
    ("KernelSnapshots", "layer"): (1.5, [], {"a": 1}, b"a"),
    ("FeatureMapSnapshots", "layer"): (1.5, [], {"a": 1}, b"a"),
    ("FilterSnapshots", "layer"): (1.5, [], {"a": 1}, b"a"),
    ("WeightStatistics", "layer"): (1.5, [], {"a": 1}, b"a"),
}
"""Values where a function has another meaning of a keyword."""
TILE_LABELS = ("yes", 3)
COMMANDS: dict[str, tuple[str, ...]] = {
    "layers": ("MODEL",),
    "kernels": ("MODEL", "-o", "OUT.png"),
    "maps": ("MODEL", "IMAGE", "-o", "OUT.png"),
    "why": ("MODEL", "IMAGE", "-o", "OUT.png"),
    "filters": ("MODEL", "first", "--images", "IMAGE", "-o", "OUT.png"),
    "report": ("MODEL", "-o", "OUT.html"),
    "demo": (),
    "train-example": (),
    "completion": ("bash",),
}
OPTIONS: dict[str, tuple[str, ...]] = {
    "--dpi": ("x", "0", "-1", "1.5", "99999"),
    "--figsize": ("x", "1", "0,1", "1,2,3"),
    "--tiles": ("x", "1.5", "a:b"),
    "--sort": ("x", "3"),
    "--top": ("x", "0", "-1", "1.5"),
    "--scale": ("x", "3"),
    "--columns": ("x", "0", "-1"),
    "--method": ("gradcam", "3"),
    "--target": ("x", "1.5"),
    "--labels": ("nope",),
    "--samples": ("x", "0", "1000"),
    "--filters": ("x", "1.5"),
    "--seed": ("x", "-1"),
    "--epochs": ("x", "0"),
    "--subset": ("x", "0"),
}


@dataclass
class Watch:
    """What a wrong call must not do: call layers, make figures, write files."""

    folder: Path
    calls: int = 0
    figures: int = 0
    files: set[Path] = field(default_factory=set)

    @contextlib.contextmanager
    def over(self) -> Iterator[None]:
        self.calls = self.figures = 0
        before = set(self.folder.rglob("*"))
        call, make = keras.Layer.__call__, Figure.__init__

        @functools.wraps(call)
        def count_call(*args: Any, **options: Any) -> Any:
            self.calls += 1
            return call(*args, **options)

        def count_figure(*args: Any, **options: Any) -> None:
            self.figures += 1
            make(*args, **options)

        with (
            mock.patch.object(keras.Layer, "__call__", count_call),
            mock.patch.object(Figure, "__init__", count_figure),
        ):
            yield
        self.files = set(self.folder.rglob("*")) - before

    def fault(self) -> str:
        """Return what was done before the error, in words; nothing if nothing was."""
        done = {"layer calls": self.calls, "figures": self.figures, "files": len(self.files)}
        return ", ".join(f"{count} {what}" for what, count in done.items() if count)


def values_of(function: str, keyword: str, parameter: inspect.Parameter) -> tuple[Any, ...]:
    """Return what is wrong for a keyword of a function."""
    if keyword == "labels" and "bool" in str(parameter.annotation):
        return TILE_LABELS
    return OWN.get((function, keyword), WRONG[keyword])


def misspell(word: str) -> str:
    """Return a word with a typing error: its last two letters in another order, or doubled."""
    swapped = word[:-2] + word[-1] + word[-2]
    return swapped if swapped != word else word + word[-1]


def fault_of_call(call: Callable[[], Any], name: str, watch: Watch) -> str:
    """Return what is not right about the error of a wrong call; nothing if all is."""
    with watch.over():
        try:
            call()
        except (TypeError, ValueError) as error:
            message = str(error)
        # Any other class of error is the fault that is counted here.
        except Exception as error:
            return f"{type(error).__name__}: {str(error)[:80]}"
        else:
            return "no error"
    if not re.search(rf"[`']{name}\b", message):
        return f"does not name it: {message[:100]}"
    return watch.fault()


def check_functions(watch: Watch, *, short: bool) -> Iterator[tuple[str, str]]:
    """Yield each wrong call of a public function, and its fault."""
    subject = make_subject(watch.folder)
    callbacks = callback_calls(subject)
    calls = {**all_calls(subject), **callbacks}
    for name in ("animate", "savefig"):  # other calls of functions that are checked as such
        del calls[name]
    # Which outputs are classes is known from one call of a model, which is remembered.
    kerasviz.get_attributions(subject.model, subject.images, method="gradient", evidence=False)
    subject.model.fit(subject.images, subject.labels, verbose=0)
    for name, call in calls.items():
        if name == "iter_feature_maps":
            call = Call(function=kerasviz.iter_feature_maps, arguments=call.arguments)
        run = with_training(call, subject) if name in callbacks else call.run
        parameters = inspect.signature(call.function).parameters
        for keyword, parameter in parameters.items():
            wrong = [(keyword, value) for value in values_of(name, keyword, parameter)]
            wrong = [*wrong[: 1 if short else None], (misspell(keyword), 1)]
            for argument, value in wrong:
                fault = fault_of_call(partial(run, **{argument: value}), argument, watch)
                text = "array" if isinstance(value, np.ndarray) else f"{value!r:.40}"
                yield f"{name}({argument}={text})", fault
                plt.close("all")


def with_training(call: Call, subject: Subject) -> Callable[..., None]:
    """Return a function that makes a callback and trains with it, which must not begin."""

    def train(**changes: Any) -> None:
        callback = call.run(**changes)
        before = int(subject.model.optimizer.iterations)
        try:
            subject.model.fit(subject.images, subject.labels, verbose=0, callbacks=[callback])
        finally:
            if int(subject.model.optimizer.iterations) > before:
                raise RuntimeError("a step of training")

    return train


def check_commands(watch: Watch) -> Iterator[tuple[str, str]]:
    """Yield each wrong command, and its fault."""
    for command, arguments in COMMANDS.items():
        wrong = [(("--misspelt",), "--misspelt")]
        for option, values in OPTIONS.items():
            if option == "--labels" and command in ("kernels", "maps"):
                continue  # a flag there
            wrong += [((option, value), option) for value in values]
        for extra, name in wrong:
            yield (
                f"kerasviz {command} {' '.join(extra)}",
                fault_of_command([command, *arguments, *extra], name, watch),
            )
        if arguments:
            line = [command, *arguments[: -1 if "-o" in arguments else 0]]
            yield f"kerasviz {' '.join(line)}", fault_of_command(line, "", watch)


def fault_of_command(line: list[str], name: str, watch: Watch) -> str:
    """Return what is not right about a wrong command; nothing if all is."""
    errors = io.StringIO()
    with watch.over(), contextlib.redirect_stderr(errors):
        try:
            code = run_command(line)
        except SystemExit as stop:
            code = stop.code
    if code != 2:
        return f"exit code {code}"
    said = [text for text in errors.getvalue().splitlines() if text.startswith("kerasviz")]
    if len(said) != 1 or name not in said[0]:
        return f"not one line that names it: {said}"
    return watch.fault()


def main() -> int:
    """Print how many wrong calls there were, and each that was not right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="one wrong value per keyword")
    short = parser.parse_args().short
    with tempfile.TemporaryDirectory() as folder:
        watch = Watch(Path(folder))
        results = [("functions", *row) for row in check_functions(watch, short=short)]
        results += [("commands", *row) for row in check_commands(watch)]
    totals = Counter(kind for kind, _, _ in results)
    right = Counter(kind for kind, _, fault in results if not fault)
    rows = [(kind, totals[kind], right[kind]) for kind in totals]
    print_table(("wrong calls of", "calls", "right"), rows)
    faults = [(call, fault) for _, call, fault in results if fault]
    for call, fault in faults:
        print(f"{call}: {fault}")
    return len(faults) > 0


if __name__ == "__main__":
    sys.exit(main())
