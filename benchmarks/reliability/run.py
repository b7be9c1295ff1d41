"""Run every script here, one after the other; with `--short`, the quick ones in short."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPTS = (
    "wrong_calls",
    "colors",
    "state",
    "soak",
    "threads",
    "kills",
    "full_disk",
    "hostile_files",
    "zoo",
    "mutations",
)
QUICK = ("wrong_calls", "colors", "state", "full_disk")
"""Those that take a few seconds each with `--short`, for `.ci/run`."""


def main() -> int:
    """Run them with the arguments of this script; return how many did not end well."""
    failures = []
    for name in QUICK if "--short" in sys.argv else SCRIPTS:
        print(f"\n## {name}\n", flush=True)
        path = Path(__file__).with_name(f"{name}.py")
        command = [sys.executable, str(path), *sys.argv[1:]]
        if subprocess.run(command, stderr=subprocess.PIPE).returncode:
            failures.append(name)
    print(f"\nNot as they must be: {', '.join(failures) or 'none'}")
    return len(failures)


if __name__ == "__main__":
    sys.exit(main())
