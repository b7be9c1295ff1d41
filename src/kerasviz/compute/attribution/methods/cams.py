"""Class activation maps that need one gradient. Source: each function names its own.

Each returns the sum over channels, whose negative values `get_attributions` makes 0.
"""

from __future__ import annotations

import numpy as np

from kerasviz.compute.attribution.question import Question
from kerasviz.compute.attribution.spatial_grid import LayerOutput


def _means(values: np.ndarray) -> np.ndarray:
    return np.asarray(values.mean(axis=tuple(range(1, values.ndim - 1)), keepdims=True))


def grad_cam(_: Question, output: LayerOutput) -> np.ndarray:
    """Return Σₖ meanₛ(gₛₖ) Aₛₖ (Selvaraju 2017, arXiv 1610.02391, equations 1 and 2)."""
    return np.asarray((_means(output.gradient) * output.values).sum(axis=-1))


def hires_cam(_: Question, output: LayerOutput) -> np.ndarray:
    """Return Σₖ gₛₖ Aₛₖ (Draelos & Carin 2020, arXiv 2011.08891)."""
    return np.asarray((output.gradient * output.values).sum(axis=-1))


def layer_cam(_: Question, output: LayerOutput) -> np.ndarray:
    """Return Σₖ ReLU(gₛₖ) Aₛₖ (Jiang 2021, doi 10.1109/TIP.2021.3089943)."""
    return np.asarray((np.maximum(output.gradient, 0) * output.values).sum(axis=-1))


def grad_cam_plus_plus(_: Question, output: LayerOutput) -> np.ndarray:
    """Return Σₖ wₖ Aₖ with the weights of Chattopadhay 2018, arXiv 1710.11063, equation 19.

    Its closed form holds for the score exp(y), whose second and third derivatives are g² and g³
    times exp(y). That common factor is left out: it changes the scale of the map alone.
    """
    a, g = output.values, output.gradient
    cells = tuple(range(1, a.ndim - 1))
    below = 2 * g**2 + a.sum(axis=cells, keepdims=True) * g**3
    alpha = np.divide(g**2, below, out=np.zeros_like(g), where=below != 0)
    weights = (alpha * np.maximum(g, 0)).sum(axis=cells, keepdims=True)
    return np.asarray((weights * a).sum(axis=-1))
