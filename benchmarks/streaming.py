"""Memory of writing the maps of many images to a file, for which each run has a process."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from report import Goal, goal_text

SIZE = 28
STREAM_HEADS = (
    "images, format",
    "maps on disk, MiB",
    "more memory than for 320 images, MiB",
    "goal",
)
BASE = 320
GROWTH = Goal(30)
"""Of some hundred MiB of the process, so much varies from run to run."""


def write(count: int, suffix: str) -> None:
    """Write maps of generated images; print the peak of memory and the size of the file."""
    import kerasviz

    model = kerasviz.fashion_mnist.build_model()
    rng = np.random.default_rng(0)
    batches = (
        rng.random((min(32, count - start), SIZE, SIZE, 1), "float32")
        for start in range(0, count, 32)
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"maps{suffix}")
        kerasviz.save_feature_maps(model, "conv2d", batches, path)
        size = sum(file.stat().st_size for file in [path, *path.rglob("*")] if file.is_file())
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, size)


def measure_streaming(count: int) -> Iterator[list[str]]:
    """Yield a row a format: the size of the file, and by how much the peak of memory grew."""
    for suffix in (".npy", ".h5"):
        base, _ = _run(BASE, suffix)
        peak, size = _run(count, suffix)
        growth = (peak - base) / 2**20
        yield [
            f"{count}, {suffix}",
            f"{size / 2**20:.0f}",
            f"{growth:.0f}",
            goal_text((GROWTH,), growth),
        ]


def _run(count: int, suffix: str) -> tuple[int, int]:
    command = [sys.executable, str(Path(__file__)), str(count), suffix]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    peak, size = result.stdout.splitlines()[-1].split()
    return int(peak), int(size)


if __name__ == "__main__":
    write(int(sys.argv[1]), sys.argv[2])
