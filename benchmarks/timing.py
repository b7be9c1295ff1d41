"""Two ways of doing the same thing, timed in turn."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

Action = Callable[[], object]


@dataclass(frozen=True)
class Spread:
    """Median, lowest and highest of some measured figures."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(median(values), min(values), max(values))


@dataclass(frozen=True)
class Pairs:
    """Seconds of two actions that ran in turn: A B A B."""

    first: tuple[float, ...]
    second: tuple[float, ...]

    @property
    def ratios(self) -> Spread:
        """The first action's time over that of the second one that ran right after it."""
        return Spread.of([a / b for a, b in zip(self.first, self.second, strict=True)])

    @property
    def difference(self) -> float:
        """Seconds by which the median of the first lies above that of the second."""
        return median(self.first) - median(self.second)


def time_pairs(first: Action, second: Action, *, pairs: int, warmup: int = 1) -> Pairs:
    """Run both actions in turn, `warmup` times unmeasured and `pairs` times measured."""
    for _ in range(warmup):
        first()
        second()
    seconds = [(time_once(first), time_once(second)) for _ in range(pairs)]
    return Pairs(*zip(*seconds, strict=True))


def time_once(action: Action) -> float:
    """Return seconds of one run; the garbage of the run before is not on its bill."""
    gc.collect()
    start = time.perf_counter()
    action()
    return time.perf_counter() - start
