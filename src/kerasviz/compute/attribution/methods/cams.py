"""Class activation maps that need one gradient. Source: each function names its own."""

from __future__ import annotations

import numpy as np

from kerasviz.compute.attribution.question import Question


def _activations(question: Question) -> tuple[np.ndarray, np.ndarray]:
    """Return a layer's output and its gradient, `(samples, *cells, channels)`."""
    call = question.call
    assert call is not None
    gradients = question.scored.gradients(question.inputs, question.samples, call)
    assert gradients.output is not None
    assert gradients.output_gradient is not None
    axis = call.channel_axis
    return np.moveaxis(gradients.output, axis, -1), np.moveaxis(gradients.output_gradient, axis, -1)


def _cells(array: np.ndarray) -> tuple[int, ...]:
    return tuple(range(1, array.ndim - 1))


def _positive(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.maximum(values, 0))


def grad_cam(question: Question) -> np.ndarray:
    """Return ReLU(Σₖ meanₛ(gₛₖ) Aₛₖ) (Selvaraju 2017, arXiv 1610.02391, equations 1 and 2)."""
    a, g = _activations(question)
    weights = g.mean(axis=_cells(g), keepdims=True)
    return _positive((weights * a).sum(axis=-1))


def hires_cam(question: Question) -> np.ndarray:
    """Return ReLU(Σₖ gₛₖ Aₛₖ) (Draelos & Carin 2020, arXiv 2011.08891)."""
    a, g = _activations(question)
    return _positive((g * a).sum(axis=-1))


def layer_cam(question: Question) -> np.ndarray:
    """Return ReLU(Σₖ ReLU(gₛₖ) Aₛₖ) (Jiang 2021, doi 10.1109/TIP.2021.3089943)."""
    a, g = _activations(question)
    return _positive((_positive(g) * a).sum(axis=-1))


def grad_cam_plus_plus(question: Question) -> np.ndarray:
    """Return ReLU(Σₖ wₖ Aₖ) with the weights of Chattopadhay 2018, arXiv 1710.11063, equation 19.

    Its closed form holds for the score exp(y), whose second and third derivatives are g² and g³
    times exp(y). That common factor is left out: it changes the scale of the map alone.
    """
    a, g = _activations(question)
    cells = _cells(g)
    below = 2 * g**2 + a.sum(axis=cells, keepdims=True) * g**3
    alpha = np.divide(g**2, below, out=np.zeros_like(g), where=below != 0)
    weights = (alpha * _positive(g)).sum(axis=cells, keepdims=True)
    return _positive((weights * a).sum(axis=-1))
