"""Runs the functions of hooks in other processes, as many at a time as there are processors."""

from __future__ import annotations

import functools
import importlib
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path


def start(module, function, *args):
    """Let another process call a function of a hook, and return its future.

    Hooks go by their paths, under which another process finds none: it imports `module` itself.
    """
    return _pool().submit(_call, module, function, args)


@functools.cache
def _pool():
    folder = str(Path(__file__).parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)  # which processes that are started take over
    # Processes that each take every core get in each other's way.
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS"):
        os.environ.setdefault(name, "1")
    return ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn"))


def _call(module, function, args):
    return getattr(importlib.import_module(module), function)(*args)
