"""Write lines without control characters on a terminal."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

STYLE = re.compile(r"\x1b\[[0-9;]*m")
"""The sequences that make letters bold or coloured, as in Keras's messages."""


def printable(text: object) -> str:
    """Return text on one line, with each control character of it spelt out.

    Names of layers come from files of others, and could clear a screen or forge a line.
    """
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in STYLE.sub("", str(text))
    )


def say(text: object, stream: TextIO | None = None) -> None:
    """Print a line, with what the stream cannot write spelt out."""
    stream = sys.stdout if stream is None else stream
    encoding = stream.encoding or "utf-8"
    print(printable(text).encode(encoding, "backslashreplace").decode(encoding), file=stream)


def remark(text: object) -> None:
    """Print a line about the command itself."""
    say(f"kerasviz: {text}", sys.stderr)


@contextmanager
def plain_warnings() -> Iterator[None]:
    """Print warnings as lines of the command."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        remark(" ".join(str(message).split()))

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


@contextmanager
def progress(count: int) -> Iterator[Any]:
    """Show on a terminal how far a command is, and wipe it out at the end."""
    done = 0
    is_terminal = sys.stderr.isatty()

    def step(what: str) -> None:
        nonlocal done
        if is_terminal:
            bar = "#" * (20 * done // count)
            print(f"\r\x1b[K[{bar:<20}] {what} …", end="", file=sys.stderr, flush=True)
        done += 1

    try:
        yield step
    finally:
        if is_terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
