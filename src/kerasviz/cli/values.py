"""Read the values of arguments: integers, paths, classes, sizes, indices of tiles."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path


def read_integer(least: int, most: int) -> Callable[[str], int]:
    """Return a reader of integers between two bounds."""

    def number(text: str) -> int:
        if not re.fullmatch(r"\d{1,12}", text) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(
                f"must be an integer from {least} to {most}: {text[:40]!r}"
            )
        return int(text)

    return number


def read_path(text: str) -> Path:
    """Return a path; an empty one, as of a variable that is not set, would be the folder here."""
    if not text:
        raise argparse.ArgumentTypeError("must not be empty")
    return Path(text)


def read_target(text: str) -> int | tuple[int, int]:
    """Return a class, or two: the difference of their scores."""
    classes = [int(part) for part in text.split(",")] if re.fullmatch(r"[\d,]{1,30}", text) else []
    if len(classes) == 1:
        return classes[0]
    if len(classes) == 2:
        return classes[0], classes[1]
    raise argparse.ArgumentTypeError(f"must be a class such as 3, or two as 9,7: {text[:40]!r}")


def read_size(text: str) -> tuple[float, float]:
    """Return a width and a height in inches."""
    sizes = re.fullmatch(r"(\d{1,4}(?:\.\d{1,4})?),(\d{1,4}(?:\.\d{1,4})?)", text)
    if sizes is None or not all(map(float, sizes.groups())):
        raise argparse.ArgumentTypeError(
            f"must be a width and a height in inches such as 8,6: {text[:40]!r}"
        )
    width, height = map(float, sizes.groups())
    return width, height


def read_tiles(text: str) -> int | slice | list[int] | str:
    """Return the choice of tiles as `plot_kernels` takes it."""
    if text == "all":
        return text
    index = r"-?\d{1,12}"
    if re.fullmatch(rf"{index}(,{index})*", text):
        indices = [int(part) for part in text.split(",")]
        return indices[0] if len(indices) == 1 else indices
    if re.fullmatch(rf"({index})?(:({index})?){{1,2}}", text):
        return slice(*(int(part) if part else None for part in text.split(":")))
    raise argparse.ArgumentTypeError(
        f"must be an index, indices with commas, a slice such as 0:16, or all: {text[:40]!r}"
    )
