"""Pictures of trainings; look at them before you commit them.

Draw them anew with `pytest tests/images/test_history.py --mpl-generate-path=tests/images/baseline`.
"""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import kerasviz


def made_up(epochs, speed, noise=0.0):
    """Return a training that learns ever more slowly and begins to overfit."""
    epoch = np.arange(epochs)
    loss = 1.6 * np.exp(-speed * epoch) + 0.2
    val_loss = loss + 0.05 + 0.012 * epoch + noise * np.sin(5 * epoch)
    return {
        "loss": list(loss),
        "accuracy": list(0.97 - 0.4 * loss),
        "val_loss": list(val_loss),
        "val_accuracy": list(0.97 - 0.4 * val_loss),
    }


@pytest.fixture
def plot_history(closing):
    return closing(kerasviz.plot_history)


@pytest.mark.mpl_image_compare
def test_a_training_and_its_best_epoch(plot_history):
    run = made_up(14, 0.35, noise=0.02)
    rates = [0.001 * 0.2 ** (epoch // 5) for epoch in range(14)]
    return plot_history({**run, "learning_rate": rates}).figure


@pytest.mark.mpl_image_compare
@pytest.mark.filterwarnings("ignore:.*of the values are NaN:UserWarning")
def test_several_trainings_on_one_axis(plot_history):
    broken = made_up(40, 0.2)
    broken["loss"][22:25] = [np.nan] * 3
    broken["val_loss"][22:27] = [np.nan, np.nan, 1.2, np.nan, np.nan]
    runs = {"adam": made_up(24, 0.3), "sgd": made_up(30, 0.08), "too fast": broken}
    return plot_history(runs).figure


@pytest.mark.mpl_image_compare
def test_a_training_in_an_axes_of_the_callers(plot_history):
    figure, (left, right) = plt.subplots(1, 2, figsize=(7, 3.8))
    plot_history(made_up(8, 0.5), metrics="loss", ax=left)
    plot_history({"loss": [0.7]}, ax=right)
    return figure
