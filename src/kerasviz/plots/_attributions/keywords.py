"""Check the keywords that pictures of attributions and of mistakes share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kerasviz._checks import check_choice, is_finite_number


def refuse_ax(options: Mapping[str, Any]) -> None:
    """Refuse an Axes, which has room for one panel."""
    if options.get("ax") is not None:
        raise ValueError(
            "`ax` takes one panel, but this plot has several: pass `figure` instead. "
            f"Received: ax={options['ax']!r}"
        )


def check_limits(vmax: Any, robust: Any) -> None:
    """Check the ends of the scales."""
    if not isinstance(robust, (bool, np.bool_)):
        check_choice("robust", robust, ("auto",), "a bool")
    if vmax is None:
        return
    if not is_finite_number(vmax):
        raise TypeError(f"`vmax` must be a finite number. Received: vmax={vmax!r}")
    if vmax <= 0:
        raise ValueError(f"`vmax` must be above 0. Received: vmax={vmax!r}")
