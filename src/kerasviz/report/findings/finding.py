"""Hold one finding: a sentence, how grave it is, and what it links to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

MAX_NAMES = 3


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A sentence about a model.

    Args:
        level: "error": the model does not work as it is. "warning": something is wasted or may
            mislead. "note": worth knowing.
        text: The sentence.
        layers: The addresses that it links to.
        samples: The indices of the samples that it links to.
    """

    level: Literal["error", "warning", "note"]
    text: str
    layers: tuple[str, ...] = ()
    samples: tuple[int, ...] = ()

    def facts(self) -> dict[str, Any]:
        """Return it for the page."""
        return asdict(self)


def list_names(names: Sequence[object]) -> str:
    """Return the first names of a list, and how many more there are."""
    words = ", ".join(str(name) for name in names[:MAX_NAMES])
    more = len(names) - MAX_NAMES
    return f"{words} and {more} more" if more > 0 else words
