"""What `import kerasviz` costs, in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from typing import NamedTuple

from report import Goal
from timing import time_pairs

GOALS = (Goal(0.1), Goal(0.05))
HEAVY = ("keras", "matplotlib", "numpy", "tensorflow")


class ImportCost(NamedTuple):
    """Seconds more than an empty program takes, and which heavy packages were loaded."""

    seconds: float
    pairs: int
    loaded: tuple[str, ...]


def measure_import(*, pairs: int) -> ImportCost:
    timed = time_pairs(lambda: _run("import kerasviz"), lambda: _run("pass"), pairs=pairs)
    loaded = _run("import sys, kerasviz; print(*sys.modules)").split()
    return ImportCost(timed.difference, pairs, tuple(name for name in HEAVY if name in loaded))


def _run(program: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout
