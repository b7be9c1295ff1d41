"""Errors while training runs, and the work that is left when it was interrupted."""

from __future__ import annotations

import sys
import threading
import warnings
import weakref
from collections.abc import Callable
from typing import Any


class WriteErrors:
    """Lets training go on when something cannot be written, and says so once."""

    def __init__(self) -> None:
        self._reported: set[str] = set()

    def reset(self) -> None:
        """Warn of everything once more, in the next run."""
        self._reported.clear()

    def warn(self, subject: str, message: str) -> None:
        """Warn, unless there was a warning about the same subject before."""
        if subject not in self._reported:
            self._reported.add(subject)
            warnings.warn(message, stacklevel=3)

    def guard(self, keyword: str, action: Callable[[], None]) -> None:
        """Do something with files; a failure is a warning, the first time.

        Args:
            keyword: The keyword that asked for these files.
            action: What to do.
        """
        try:
            action()
        except OSError as error:
            self.warn(
                keyword,
                f"`{keyword}` can no longer be written; training continues without it: {error}",
            )


class FinishOnExit:
    """Finishes what a callback has begun, where Keras does not: training that was interrupted.

    It does so when the callback is no longer used, when the program ends, and in a notebook when
    the cell has ended.

    Args:
        callback: The callback.
        finish: What to do. It must not hold the callback, and may be called more than once.
    """

    def __init__(self, callback: object, finish: Callable[[], None]) -> None:
        self._finish = finish
        self._finalizer = weakref.finalize(callback, finish)
        self._thread = threading.get_ident()
        self._shell = _ipython_shell()
        if self._shell is not None:
            self._shell.events.register("post_run_cell", self._after_cell)

    def release(self) -> None:
        """Finish now, and never again."""
        self._finalizer.detach()
        self._forget_cell()
        self._finish()

    def _after_cell(self, *_: Any) -> None:
        if threading.get_ident() == self._thread:  # else training may go on in its own thread
            self._forget_cell()
            self._finish()

    def _forget_cell(self) -> None:
        if self._shell is not None:
            self._shell.events.unregister("post_run_cell", self._after_cell)
            self._shell = None


def _ipython_shell() -> Any:
    """Return the running IPython, or `None`."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()
