"""Make every call in eight threads at once, and compare with what one thread returns.

The calls that bring numbers share a model, each thread in an order of its own; those that bring
pictures draw into a figure of the thread, since pyplot itself is for one thread, and one at a time,
as Matplotlib asks for: its parser of mathematical text, for one, is shared by all figures. With
`--unlocked` they are drawn at the same time. Arrays must be equal to 1e-6, pictures to the pixel.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from calls import (
    Call,
    Subject,
    make_model,
    make_subject,
    notebook_calls,
    number_calls,
    plot_calls,
    print_table,
)
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

THREADS = 8
drawing: contextlib.AbstractContextManager[Any] = threading.Lock()
"""What a thread holds while it draws."""


def arrays_of(value: Any) -> list[np.ndarray]:
    """Return every number in what a call returns, in order."""
    if isinstance(value, (str, bytes, type(None), keras.Layer, Path)):
        return []
    if isinstance(value, Mapping):
        return [array for key in value for array in arrays_of(value[key])]
    if isinstance(value, (list, tuple)):
        return [array for item in value for array in arrays_of(item)]
    if is_dataclass(value):
        return [x for part in fields(value) for x in arrays_of(getattr(value, part.name))]
    names = ("values", "indices", "positions", "mean", "maximum", "firing_rate", "correlation")
    if hasattr(value, "firing_rate"):
        return [np.asarray(getattr(value, name)) for name in names]
    try:
        array = np.asarray(value)
    except ValueError:
        return []
    return [array] if array.dtype.kind in "iufb" else []


def same(a: Any, b: Any) -> bool:
    first, second = arrays_of(a), arrays_of(b)
    return len(first) == len(second) and all(
        x.shape == y.shape and np.allclose(x, y, rtol=1e-5, atol=1e-6, equal_nan=True)
        for x, y in zip(first, second, strict=True)
    )


def draw(call: Call) -> np.ndarray:
    """Return the pixels of a picture in a figure of its own."""
    with drawing:
        figure = Figure(figsize=(9, 7))
        call.run(figure=figure)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return np.array(canvas.buffer_rgba())


def tasks(subject: Subject, thread: int) -> dict[str, Callable[[], Any]]:
    """Return what a thread does: files go to a path of its own."""
    numbers = {**number_calls(subject), **notebook_calls(subject)}
    save = numbers["save_feature_maps"]
    path = subject.folder / f"maps-{thread}.npy"
    numbers["save_feature_maps"] = Call(
        function=lambda **options: np.load(save.function(**options)),
        arguments={**save.arguments, "path": path},
    )
    drawn = {
        name: call for name, call in plot_calls(subject).items() if not name.startswith("animate_")
    }
    return {
        **{name: call.run for name, call in numbers.items()},
        **{name: lambda call=call: draw(call) for name, call in drawn.items()},
    }


def run_together(subject: Subject, rounds: int) -> dict[str, list[Any]]:
    """Return what each call returned in every thread, or the error that it raised."""
    results: dict[str, list[Any]] = {name: [] for name in tasks(subject, 0)}
    barrier = threading.Barrier(THREADS)

    def work(index: int) -> None:
        own = [*tasks(subject, index).items()] * rounds
        random.Random(index).shuffle(own)
        barrier.wait()
        for name, task in own:
            try:
                results[name].append(task())
            # What a thread raises is lost; here it is a result, which differs from the right one.
            except Exception as error:
                results[name].append(error)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def main() -> int:
    """Print how many results of eight threads are those of one."""
    global drawing
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="each call once per thread")
    parser.add_argument("--unlocked", action="store_true", help="draw pictures at the same time")
    options = parser.parse_args()
    if options.unlocked:
        drawing = contextlib.nullcontext()
    with tempfile.TemporaryDirectory() as folder:
        subject = make_subject(Path(folder))
        # The threads get a model that nothing has called, so that they also prepare it together.
        together = run_together(subject, 1 if options.short else 4)
        alone = {
            name: task() for name, task in tasks(replace(subject, model=make_model()), 99).items()
        }
    counts: dict[str, list[int]] = {"arrays": [0, 0], "pictures": [0, 0]}
    for name, results in together.items():
        wrong = [result for result in results if not same(result, alone[name])]
        row = counts["pictures" if name in plot_calls(subject) else "arrays"]
        row[:] = row[0] + len(results), row[1] + len(results) - len(wrong)
        for result in wrong[:1]:
            text = repr(result) if isinstance(result, Exception) else "another result"
            print(f"{name}: {len(wrong)} of {len(results)}: {text:.300}")
    rows = [(f"{kind}, in {THREADS} threads", *row) for kind, row in counts.items()]
    print_table(("calls that bring", "calls", "as in one thread"), rows)
    return any(calls > right for calls, right in counts.values())


if __name__ == "__main__":
    sys.exit(main())
