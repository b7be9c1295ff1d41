"""Make 2,200 calls with 200 models, and see what does not come back: memory, figures, files.

Each model is new and goes through eleven calls, whose figures are closed. Printed are the resident
memory, the open pyplot figures, the threads and the open files of the process after each tenth of
the models; the slope of the memory is fitted over the second half, when caches are full. Keras's
own share is measured too: the same models, each called by `predict_on_batch` alone.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
import psutil
from calls import Subject, all_calls, make_model, make_subject, print_table

CALLS = (
    "find_layers",
    "get_kernels",
    "kernel_statistics",
    "get_feature_maps",
    "receptive_field",
    "plot_kernels",
    "plot_feature_maps",
    "plot_architecture",
    "plot_attributions",
    "savefig",
    "explore",
)
MAX_SLOPE = 0.1
"""By how much more the memory may grow with each model than with Keras alone, in MB."""


def measure() -> tuple[float, int, int, int]:
    """Return the memory in MB, and the number of figures, threads and open files."""
    gc.collect()
    process = psutil.Process()
    memory = process.memory_info().rss / 2**20
    return memory, len(plt.get_fignums()), threading.active_count(), process.num_fds()


def run(subject: Subject, models: int, use: Callable[[Subject], None]) -> np.ndarray:
    """Use new models one after the other; return what was measured ten times."""
    rows = []
    for index in range(models):
        use(replace(subject, model=make_model(index)))
        if (index + 1) % (models // 10) == 0:
            rows.append((index + 1, *measure()))
    keras.backend.clear_session()
    return np.array(rows)


def use_kerasviz(subject: Subject) -> None:
    calls = all_calls(subject)
    for name in CALLS:
        calls[name].run()
        plt.close("all")


def use_keras(subject: Subject) -> None:
    subject.model.predict_on_batch(subject.images)


def slope(rows: np.ndarray) -> float:
    """Return by how many MB the memory grows with each model, over the second half."""
    half = rows[len(rows) // 2 :]
    return float(np.polyfit(half[:, 0], half[:, 1], 1)[0])


def main() -> int:
    """Print what was measured over the models."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="10 models")
    models = 10 if parser.parse_args().short else 200
    with tempfile.TemporaryDirectory() as folder:
        subject = make_subject(Path(folder))
        alone = run(subject, models, use_keras)
        rows = run(subject, models, use_kerasviz)
    print_table(
        ("models", "calls", "memory (MB)", "figures", "threads", "open files"),
        [(int(n), int(n) * len(CALLS), f"{mb:.0f}", *map(int, rest)) for n, mb, *rest in rows],
    )
    own, of_keras = slope(rows), slope(alone)
    print(f"MB per model: {own:.3f} with kerasviz, {of_keras:.3f} with Keras alone")
    grew = (rows[-1, 2:] > rows[len(rows) // 2, 2:]).any()
    return int(grew or (models >= 100 and own - of_keras > MAX_SLOPE))


if __name__ == "__main__":
    sys.exit(main())
