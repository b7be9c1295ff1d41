"""The methods of attribution, by name. A new one is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kerasviz.compute.attribution.methods.cams import (
    grad_cam,
    grad_cam_plus_plus,
    hires_cam,
    layer_cam,
)
from kerasviz.compute.attribution.methods.gradient import gradient, input_x_gradient
from kerasviz.compute.attribution.methods.integrated_gradients import integrated_gradients
from kerasviz.compute.attribution.methods.occlusion import occlusion
from kerasviz.compute.attribution.methods.rise import rise
from kerasviz.compute.attribution.methods.score_cam import score_cam
from kerasviz.compute.attribution.methods.smoothgrad import smoothgrad
from kerasviz.compute.attribution.question import Question


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method of attribution.

    Args:
        explain: Takes a `Question`, for a class activation map a `LayerOutput` too, and returns the
            values.
        is_cam: Whether it explains by the output of a layer, and not by the inputs.
        needs_gradient: Whether it takes gradients with respect to the inputs.
        needs_cells: Whether it changes parts of the inputs, which have to have cells.
        uses_baseline: Whether the values depend on the baseline.
        uses_first_pass: Whether the values come from the gradients at the inputs, which are
            computed together with those with respect to layers.
        factor: Returns what the values are a product with, where they are one: they are 0 by
            construction where it is.
    """

    explain: Callable[..., Any]
    is_cam: bool = False
    needs_gradient: bool = True
    needs_cells: bool = False
    uses_baseline: bool = False
    uses_first_pass: bool = False
    factor: Callable[[Question], list[np.ndarray]] | None = None


def _inputs(question: Question) -> list[np.ndarray]:
    return list(question.inputs)


def _differences(question: Question) -> list[np.ndarray]:
    return [x - b for x, b in zip(question.inputs, question.baseline, strict=True)]


def _cam(explain: Callable[..., Any], *, uses_baseline: bool = False) -> Method:
    return Method(explain=explain, is_cam=True, needs_gradient=False, uses_baseline=uses_baseline)


def _by_parts(explain: Callable[..., Any]) -> Method:
    return Method(explain=explain, needs_gradient=False, needs_cells=True, uses_baseline=True)


METHODS = {
    "gradient": Method(explain=gradient, uses_first_pass=True),
    "input-x-gradient": Method(explain=input_x_gradient, uses_first_pass=True, factor=_inputs),
    "smoothgrad": Method(explain=smoothgrad),
    "integrated-gradients": Method(
        explain=integrated_gradients,
        uses_baseline=True,
        uses_first_pass=True,
        factor=_differences,
    ),
    "occlusion": _by_parts(occlusion),
    "rise": _by_parts(rise),
    "grad-cam": _cam(grad_cam),
    "grad-cam++": _cam(grad_cam_plus_plus),
    "hires-cam": _cam(hires_cam),
    "layer-cam": _cam(layer_cam),
    "score-cam": _cam(score_cam, uses_baseline=True),
}
