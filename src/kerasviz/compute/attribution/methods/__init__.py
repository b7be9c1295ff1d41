"""The methods of attribution, by name. A new one is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method of attribution.

    Args:
        explain: Takes a `Question` and returns the values.
        is_cam: Whether it explains by the output of a layer, and not by the inputs.
        needs_gradient: Whether it takes gradients with respect to the inputs.
    """

    explain: Callable[..., Any]
    is_cam: bool = False
    needs_gradient: bool = True


METHODS = {
    "gradient": Method(explain=gradient),
    "input-x-gradient": Method(explain=input_x_gradient),
    "smoothgrad": Method(explain=smoothgrad),
    "integrated-gradients": Method(explain=integrated_gradients),
    "occlusion": Method(explain=occlusion, needs_gradient=False),
    "rise": Method(explain=rise, needs_gradient=False),
    "grad-cam": Method(explain=grad_cam, is_cam=True),
    "grad-cam++": Method(explain=grad_cam_plus_plus, is_cam=True),
    "hires-cam": Method(explain=hires_cam, is_cam=True),
    "layer-cam": Method(explain=layer_cam, is_cam=True),
    "score-cam": Method(explain=score_cam, is_cam=True),
}
