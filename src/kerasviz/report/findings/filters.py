"""Find what filters do over a data set: those that are dead, rare or duplicates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kerasviz.compute.filters.statistics import FilterStatistics
from kerasviz.report.findings.finding import Finding, list_names


def find_in_filters(statistics: Mapping[str, FilterStatistics]) -> list[Finding]:
    """Return one finding each on dead, rare and duplicate filters.

    Args:
        statistics: What filters respond to, by the addresses of the layers that have them.
    """
    samples = max((x.samples for x in statistics.values()), default=0)
    dead = {a: [str(i) for i in x.dead.tolist()] for a, x in statistics.items()}
    rare = {a: [str(i) for i in x.rare.tolist()] for a, x in statistics.items()}
    pairs = {a: [f"{i} and {j}" for i, j in x.duplicates] for a, x in statistics.items()}
    of = f"{samples:,} images"
    return [
        *_find(dead, f"Dead, with the same value everywhere in all {of}", "filter", "warning"),
        *_find(pairs, f"Duplicates, which respond alike to {of}", "pair", "warning"),
        *_find(rare, f"Rare, firing in less than 1 % of {of}", "filter", "note"),
    ]


def _find(filters: Mapping[str, Sequence[str]], words: str, noun: str, level: str) -> list[Finding]:
    odd = {a: x for a, x in sorted(filters.items(), key=lambda item: -len(item[1])) if x}
    if not odd:
        return []
    count = sum(map(len, odd.values()))
    where = [f"{address} ({list_names(x)})" for address, x in odd.items()]
    text = f"{words}: {count:,} {noun}{'' if count == 1 else 's'}, in {list_names(where)}."
    return [Finding(level="note" if level == "note" else "warning", text=text, layers=tuple(odd))]
