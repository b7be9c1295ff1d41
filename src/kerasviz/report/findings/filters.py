"""Find what filters do over a data set: those that are dead, rare or duplicates."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from kerasviz.compute.filters.statistics import FilterStatistics
from kerasviz.report.findings.finding import Finding, Level, link_filters, list_names

MANY = 100
"""From this number of images on it is a warning that a unit never fires. It has one value for each
image, where a filter has one at each position, so that fewer images say little."""


def find_in_filters(
    statistics: Mapping[str, FilterStatistics],
    *,
    units: Collection[str] = (),
    small: Collection[str] = (),
) -> list[Finding]:
    """Return one finding each on dead, rare and duplicate filters, and on units that never fire.

    Args:
        statistics: What filters respond to, by the addresses of the layers that have them.
        units: The addresses of dense layers.
        small: The addresses of layers whose kernels are too small to differ, such as 1×1 kernels
            of one channel: that their filters respond alike says nothing.
    """
    filters = {a: x for a, x in statistics.items() if a not in units}
    dense = {a: x for a, x in statistics.items() if a in units}
    return [*_find_filters(filters, small), *_find_units(dense)]


def _find_filters(
    statistics: Mapping[str, FilterStatistics], small: Collection[str]
) -> list[Finding]:
    samples = max((x.samples for x in statistics.values()), default=0)
    dead = {a: [(i,) for i in x.dead.tolist()] for a, x in statistics.items()}
    rare = {a: [(i,) for i in x.rare.tolist()] for a, x in statistics.items()}
    pairs = {a: x.duplicates for a, x in statistics.items() if a not in small}
    of = f"{samples:,} images"
    return [
        *_find(dead, f"Dead, with the same value everywhere in all {of}", "filter", "warning"),
        *_find(pairs, f"Duplicates, which respond alike to {of}", "pair", "warning"),
        *_find(rare, f"Rare, firing in less than 1 % of {of}", "filter", "note"),
    ]


def _find_units(statistics: Mapping[str, FilterStatistics]) -> list[Finding]:
    """Return a finding on units of dense layers whose value is 0 for every image."""
    samples = max((x.samples for x in statistics.values()), default=0)
    silent = {a: [(i,) for i in silent_units(x)] for a, x in statistics.items()}
    words = f"Never firing, with the value 0 for all {samples:,} images"
    return _find(silent, words, "unit", "warning" if samples >= MANY else "note")


def silent_units(statistics: FilterStatistics) -> list[int]:
    """Return the indices of the units that were 0 for every image."""
    dead = statistics.dead
    return [int(index) for index in dead[statistics.maximum[dead] == 0]]


def _find(
    filters: Mapping[str, Sequence[tuple[int, ...]]], words: str, noun: str, level: Level
) -> list[Finding]:
    odd = {a: x for a, x in sorted(filters.items(), key=lambda item: -len(item[1])) if x}
    if not odd:
        return []
    count = sum(map(len, odd.values()))
    names = {a: [" and ".join(map(str, group)) for group in groups] for a, groups in odd.items()}
    where = [f"{address} ({list_names(x)})" for address, x in names.items()]
    text = f"{words}: {count:,} {noun}{'' if count == 1 else 's'}, in {list_names(where)}."
    return [Finding(level=level, text=text, layers=tuple(odd), filters=link_filters(odd))]
