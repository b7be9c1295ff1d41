"""Pictures of what layers learned: kernels side by side, and how weights are distributed."""

import keras
import numpy as np
import pytest

import kerasviz


@pytest.fixture(scope="module")
def models():
    """Return a model with weights as before training, and one whose filters are edges."""
    rng = np.random.default_rng(11)
    turn = np.arange(8) * np.pi / 4
    y, x, _ = np.mgrid[-1:2, -1:2, :1]
    edges = (0.4 * (np.cos(turn) * x + np.sin(turn) * y))[:, :, np.newaxis]
    edges[..., 5] = 0
    before = rng.uniform(-0.2, 0.2, size=edges.shape)
    after = [edges + 0.05 * rng.normal(size=edges.shape), rng.normal(0, 0.2, (3, 3, 8, 12))]
    after[0][..., 5] = 0
    kernels = {
        "untrained": [before, rng.uniform(-0.1, 0.1, (3, 3, 8, 12))],
        "after 1 epoch": [(2 * before + after[0]) / 3, after[1]],
        "after 5 epochs": [(before + 4 * after[0]) / 5, after[1]],
        "trained": after,
    }
    return {name: with_kernels(*each) for name, each in kernels.items()}


def with_kernels(*kernels):
    """Return a model of convolutions that have these kernels and no biases."""
    layers = [keras.Input((28, 28, kernels[0].shape[2]))]
    for number, kernel in enumerate(kernels):
        filters, size = kernel.shape[-1], kernel.shape[:2]
        layers.append(keras.layers.Conv2D(filters, size, use_bias=False, name=f"conv_{number}"))
    model = keras.Sequential(layers)
    model.set_weights(list(kernels))
    return model


@pytest.mark.mpl_image_compare
def test_trained_beside_untrained_and_their_difference(closing, models):
    two = {name: models[name] for name in ("untrained", "trained")}
    return closing(kerasviz.compare_kernels)(two, "conv_0", labels=True).figure


@pytest.mark.mpl_image_compare
def test_wide_panels_are_compared_in_a_column(closing, models):
    two = {name: models[name] for name in ("untrained", "trained")}
    compare_kernels = closing(kerasviz.compare_kernels)
    return compare_kernels(two, "conv_1", channel="mean", columns=12, vmax=0.15).figure


@pytest.mark.mpl_image_compare
def test_four_models_share_a_scale(closing, models):
    return closing(kerasviz.compare_kernels)(models, "conv_0", vmax=0.4).figure


@pytest.mark.mpl_image_compare
def test_histograms_of_two_models(closing, models):
    two = {name: models[name] for name in ("untrained", "trained")}
    return closing(kerasviz.plot_kernel_histograms)(two, bins=24).figure


@pytest.mark.mpl_image_compare
def test_histograms_of_many_layers(closing):
    rng = np.random.default_rng(12)
    sizes = 2 ** np.arange(8)
    kernels = [rng.normal(0, 0.5 / np.sqrt(n), (3, 3, n, 2 * n)) for n in sizes[:-1]]
    model = with_kernels(*kernels)
    return closing(kerasviz.plot_kernel_histograms)(model).figure
