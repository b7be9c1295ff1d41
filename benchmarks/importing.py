"""What `import kerasviz` and `kerasviz --help` cost, in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from timing import time_pairs

from report import Goal, goal_text

HEAVY = ("keras", "matplotlib", "numpy", "tensorflow")
HELP = """
from kerasviz.cli import main
try:
    main(["--help"])
except SystemExit:
    pass
"""
PROGRAMS = {"import kerasviz": ("import kerasviz", 0.05), "kerasviz --help": (HELP, 0.15)}
IMPORT_HEADS = ("program", "seconds more", "runs", "goal", "heavy packages loaded")


def measure_import(*, pairs: int) -> Iterator[list[str]]:
    """Yield a row a program: the difference of the medians, and what was loaded."""
    for name, (program, most) in PROGRAMS.items():

        def run(program: str = program) -> str:
            return _run(program)

        seconds = time_pairs(run, lambda: _run("pass"), pairs=pairs).difference
        modules = _run(f"{program}\nimport sys\nprint(*sys.modules)").split()
        loaded = [package for package in HEAVY if package in modules]
        yield [
            f"`{name}`",
            f"{seconds:.3f}",
            str(pairs),
            goal_text((Goal(most),), seconds),
            ", ".join(loaded) or "none",
        ]


def _run(program: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout
