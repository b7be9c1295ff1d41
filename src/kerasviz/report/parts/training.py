"""Read how training went, for the curves of the page."""

from __future__ import annotations

from typing import Any

from kerasviz.logs.history import read_runs


def history_facts(history: Any) -> list[dict[str, Any]]:
    """Return the curves of each training: its name, and for each metric epochs and values.

    Raises:
        TypeError: `history` is not what `plot_history` takes.
        ValueError: It holds no epoch.
    """
    return [
        {
            "name": name,
            "notes": list(run.notes),
            "series": {
                key: {"epochs": series.epochs.tolist(), "values": series.values.tolist()}
                for key, series in run.series.items()
            },
        }
        for name, run in read_runs(history).items()
    ]
