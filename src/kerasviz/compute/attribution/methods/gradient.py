"""Gradients, alone and times the input. Source: Simonyan 2014; Shrikumar 2016."""

from __future__ import annotations

import numpy as np

from kerasviz.compute.attribution.question import Question


def gradient(question: Question) -> list[np.ndarray]:
    """Return ∂y/∂x for each input, with its sign (arXiv 1312.6034)."""
    assert question.gradient is not None
    return question.gradient


def input_x_gradient(question: Question) -> list[np.ndarray]:
    """Return x · ∂y/∂x for each input (arXiv 1605.01713)."""
    return [x * g for x, g in zip(question.inputs, gradient(question), strict=True)]
