"""The picture of a training in numbers; look at it before you commit it.

Draw it anew with
`pytest tests/images/test_training_statistics.py --mpl-generate-path=tests/images/baseline`.
"""

import numpy as np
import pytest

import kerasviz


@pytest.fixture
def plot_training_statistics(closing):
    return closing(kerasviz.plot_training_statistics)


@pytest.mark.mpl_image_compare
def test_weights_of_many_layers_over_epochs(plot_training_statistics):
    rows = [
        (
            epoch,
            375 * epoch,
            f"block{layer // 4 + 1}_conv{layer % 4 + 1}",
            0.004 * np.sin(layer + epoch / 3) / np.sqrt(epoch),
            0.1 / (1 + layer / 4) + 0.002 * np.sqrt(epoch),
            1 + 0.5 * layer + 0.2 * np.sqrt(epoch * layer),
            0
            if layer < 2
            else 10 ** (-2 - layer / 9 - epoch / 25 + 0.1 * np.sin(9 * epoch + layer)),
            min(1, 0.02 * max(layer - 5, 0) * np.sqrt(epoch) / 2),
        )
        for epoch in range(1, 13)
        for layer in range(12)
    ]
    names = ("epoch", "step", "layer", "mean", "std", "norm", "update_ratio", "dead")
    history = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    return plot_training_statistics(history, statistics=["update_ratio", "dead"]).figure
