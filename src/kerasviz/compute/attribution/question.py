"""One question to a model, as every method of attribution takes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kerasviz.compute.attribution.scored_model import ScoredModel
from kerasviz.model.layer_call import Call


@dataclass(frozen=True, kw_only=True)
class Question:
    """Why these scores, for these inputs?

    Args:
        scored: The model and the score.
        inputs: Each input, `(samples, ...)`, channels where the model has them.
        baseline: What counts as nothing, of the same shapes.
        call: The call of the layer whose output is explained, for methods that take one.
        steps: How many steps integrated gradients take, `None` for a doubling until exact.
        seed: Decides whatever is random.
    """

    scored: ScoredModel
    inputs: tuple[np.ndarray, ...]
    baseline: tuple[np.ndarray, ...]
    call: Call | None = None
    steps: int | None = None
    seed: int = 0

    @property
    def samples(self) -> np.ndarray:
        """The index of each sample, `(samples,)`."""
        return np.arange(len(self.inputs[0]))

    def replaced(self, index: int, values: np.ndarray, samples: np.ndarray) -> list[np.ndarray]:
        """Return inputs of which one has other values.

        Args:
            index: Which input.
            values: Its values, `(n, ...)`.
            samples: Which sample each belongs to, `(n,)`.
        """
        arrays = [array[samples] for array in self.inputs]
        arrays[index] = values
        return arrays
