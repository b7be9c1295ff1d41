"""Multiply matrices in one thread, where threadpoolctl is installed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec


@contextmanager
def one_multiplying_thread() -> Iterator[None]:
    """Hold OpenBLAS, by which NumPy multiplies, to one thread; after that it has those of before.

    Matrices of few filters are soon multiplied. Threads that share this take no less time, and
    wait for one another without leaving the core to the model.
    """
    if find_spec("threadpoolctl") is None:
        yield
        return
    variables = set(os.environ)
    from threadpoolctl import ThreadpoolController

    for name in set(os.environ) - variables:  # one is set at the import, for programs with Intel's
        del os.environ[name]
    with ThreadpoolController().select(internal_api="openblas").limit(limits=1):
        yield
