"""Measured rows to one Markdown text."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from timing import Spread

PACKAGES = ("keras", "tensorflow", "matplotlib", "numpy")


@dataclass(frozen=True)
class Goal:
    """A bound on a ratio: at least or at most so much."""

    bound: float
    at_least: bool = False

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}"

    def met_by(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound


@dataclass(frozen=True)
class Row:
    """One comparison: what was timed over what, and the ratios of its pairs."""

    case: str
    compared: str
    ratios: Spread
    pairs: int
    goals: tuple[Goal, ...] = ()

    def cells(self) -> list[str]:
        spread = self.ratios
        return [
            self.case,
            self.compared,
            f"**{_figure(spread.median)}** ({_figure(spread.lowest)}–{_figure(spread.highest)})",
            str(self.pairs),
            goal_text(self.goals, spread.median),
        ]


RATIO_HEADS = ("case", "compared", "median ratio (min–max)", "pairs", "goal")


def goal_text(goals: Iterable[Goal], value: float) -> str:
    """Write each goal with whether it is met."""
    return ", ".join(f"{goal} {'met' if goal.met_by(value) else 'not met'}" for goal in goals)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def environment() -> str:
    """Return the versions and the size of the machine that this run had."""
    names = [f"Python {platform.python_version()}"]
    names += [f"{package} {version(package)}" for package in PACKAGES]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return ", ".join([*names, f"{os.cpu_count()} cores", f"{memory:.0f} GiB of memory"])


def _figure(value: float) -> str:
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
