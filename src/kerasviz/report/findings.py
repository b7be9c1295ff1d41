"""Say in plain words what is odd about a model, each with the layers that it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from kerasviz._wording import write_count
from kerasviz.compute.kernel_statistics import LayerStatistics


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A sentence about a model.

    Args:
        level: "error": the model does not work as it is. "warning": something is wasted or may
            mislead. "note": worth knowing.
        text: The sentence.
        layers: The addresses that it links to.
        filters: The filters of the first of these layers that it is about.
        samples: The indices of the samples that it links to.
    """

    level: Literal["error", "warning", "note"]
    text: str
    layers: tuple[str, ...] = ()
    filters: tuple[int, ...] = ()
    samples: tuple[int, ...] = ()

    def facts(self) -> dict[str, Any]:
        """Return it for the page."""
        return asdict(self)


def find_in_kernels(rows: Sequence[LayerStatistics]) -> list[Finding]:
    """Return what the kernels alone tell: weights that are NaN, and filters of zeros."""
    findings = []
    for row in rows:
        if row.not_finite:
            weights = write_count(row.not_finite, "weight")
            findings.append(
                Finding(
                    level="error",
                    text=f"{row.address} has {weights} that are NaN or infinite.",
                    layers=(row.address,),
                )
            )
        if row.zero:
            filters = write_count(row.zero, "filter")
            text = f"{row.address} has {filters} whose weights are all (near) zero."
            findings.append(Finding(level="warning", text=text, layers=(row.address,)))
    return findings
