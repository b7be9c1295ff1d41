"""Run test files, each in a process that forks once more for each mutant.

TensorFlow is imported once, in the first process, and a test file once, in its own. Neither may
run an operation of TensorFlow: the threads that it starts then do not live on in a fork.
"""

from __future__ import annotations

import importlib
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

SETTINGS = {
    "KERAS_BACKEND": "tensorflow",
    "MPLBACKEND": "agg",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
}
HEAVY = ("tensorflow", "keras", "matplotlib.pyplot", "matplotlib.testing.compare", "PIL.Image")
MEMORY = 8 * 2**30
"""Bytes: a change that asks for more is noticed."""
TICK = 0.02
"""Seconds between two looks at a fork."""


def preload(source: Path) -> None:
    """Import what no run changes, in a process that has its settings from the beginning."""
    if any(os.environ.get(name) != value for name, value in SETTINGS.items()):
        environment = {**os.environ, **SETTINGS}
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)
    sys.path.insert(0, str(source))
    for name in HEAVY:
        importlib.import_module(name)


def in_forks(actions: Iterable[Callable[[], bool]], processes: int) -> list[bool]:
    """Run each action in a fork, a few at a time; return what each returns."""
    results: dict[int, bool | None] = {}
    for action in actions:
        if list(results.values()).count(None) == processes:
            _wait(results)
        child = os.fork()
        if not child:
            _run_and_end(action)
        results[child] = None
    while None in results.values():
        _wait(results)
    return [result is True for result in results.values()]


def _wait(results: dict[int, bool | None]) -> None:
    child, status = os.wait()
    results[child] = os.waitstatus_to_exitcode(status) == 1


def _run_and_end(action: Callable[[], bool]) -> None:
    """Run an action, and end this process, which is a fork, whatever happens."""
    result = False
    try:
        result = action()
    except BaseException:  # nothing may go on in a fork
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(result))


def limit(seconds: int, output: Path) -> None:
    """Give this process a group, a file to write into, and some seconds of a processor."""
    os.setsid()
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def wait_for(child: int, seconds: int) -> bool:
    """Wait for a fork; return whether it ended by itself. What it left running is killed."""
    ticks = 0  # and not the clock, which goes on while all of this is stopped
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        time.sleep(TICK)
        ticks += 1
        if ticks * TICK > 10 * seconds:
            _kill(child)
    _kill(child)
    return not os.WIFSIGNALED(ended[1])


def _kill(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


class Folder:
    """A temporary folder that is removed by the process that made it, and by no fork of it."""

    def __enter__(self) -> Path:
        self.path, self.process = Path(tempfile.mkdtemp(prefix="mutant-")), os.getpid()
        return self.path

    def __exit__(self, *_: object) -> None:
        if os.getpid() == self.process:
            shutil.rmtree(self.path, ignore_errors=True)
