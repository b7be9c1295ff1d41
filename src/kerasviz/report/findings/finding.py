"""Hold one finding: a sentence, how grave it is, and what it links to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

MAX_NAMES = 3
Level = Literal["error", "warning", "note"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A sentence about a model.

    Args:
        level: "error": the model does not work as it is. "warning": something is wasted or may
            mislead. "note": worth knowing.
        text: The sentence.
        layers: The addresses that it links to.
        filters: The filters or units that it links to: an address and an index.
        samples: The indices of the samples that it links to.
    """

    level: Level
    text: str
    layers: tuple[str, ...] = ()
    filters: tuple[tuple[str, int], ...] = ()
    samples: tuple[int, ...] = ()

    def facts(self) -> dict[str, Any]:
        """Return it for the page."""
        return asdict(self)


def link_filters(
    filters: Mapping[str, Sequence[Sequence[int]]],
) -> tuple[tuple[str, int], ...]:
    """Return the filters that a finding names, each once, and as many of each layer as it names.

    Args:
        filters: For each address groups of filters, such as those that are alike.
    """
    links = ((a, i) for a, groups in filters.items() for group in groups[:MAX_NAMES] for i in group)
    return tuple(dict.fromkeys(links))


def list_names(names: Sequence[object]) -> str:
    """Return the first names of a list, and how many more there are."""
    words = ", ".join(str(name) for name in names[:MAX_NAMES])
    more = len(names) - MAX_NAMES
    return f"{words} and {more} more" if more > 0 else words
