"""Pictures of maps over images, and of images against maps; look at them before you commit them.

Draw them anew with `pytest tests/images/test_overlay.py --mpl-generate-path=tests/images/baseline`.
"""

import keras
import numpy as np
import pytest

KERNELS = {
    "left": np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 4,
    "right": np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]]) / 4,
    "top": np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]]) / 4,
    "blur": np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 32,
}


@pytest.fixture
def model():
    """28×28×1 → "edges": four kernels and a ReLU → "pool", 7×7; "signed" is without the ReLU."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(4, 3, padding="same", use_bias=False, name="signed"),
            layers.ReLU(name="edges"),
            layers.MaxPooling2D(4, name="pool"),
        ]
    )
    model.set_weights([np.moveaxis(list(KERNELS.values()), 0, -1)[:, :, np.newaxis]])
    return model


def disc(row, column, radius, side=28):
    y, x = np.mgrid[:side, :side] + 0.5
    return np.clip(radius - np.hypot(y - row, x - column) + 0.5, 0, 1)


@pytest.fixture
def shapes():
    """Return a ring, a pair of discs and a block, `(3, 28, 28, 1)`."""
    block = np.zeros((28, 28))
    block[8:20, 6:22] = 0.7
    ring = disc(14, 14, 11) - 0.6 * disc(14, 14, 6)
    return np.stack([ring, disc(9, 9, 6) + 0.5 * disc(19, 19, 7), block])[..., np.newaxis]


@pytest.mark.mpl_image_compare
def test_maps_over_a_grey_image(plot_feature_maps, model, shapes):
    return plot_feature_maps(model, "pool", shapes, overlay=True, labels=True).figure


@pytest.mark.mpl_image_compare
def test_signed_maps_over_a_color_picture(plot_feature_maps, model, shapes):
    y, x = np.mgrid[:112, :112] / 112
    photo = np.stack([0.3 + 0.3 * y, 0.4 + 0 * x, 0.7 - 0.4 * x], axis=2)
    photo += 0.3 * np.kron(shapes[1], np.ones((4, 4, 1)))
    return plot_feature_maps(
        model, "signed", shapes, sample=1, overlay=photo.clip(0, 1), interpolation="bilinear"
    ).figure


@pytest.mark.mpl_image_compare
def test_images_against_maps(plot_feature_maps, model, shapes):
    return plot_feature_maps(
        model, "edges", shapes, sample="all", sample_names=["ring", "discs", "block"], sort="norm"
    ).figure


@pytest.mark.mpl_image_compare
def test_images_against_maps_over_them(plot_feature_maps, model, shapes):
    return plot_feature_maps(
        model, "pool", 2 * shapes - 1, sample=[2, 0], overlay=True, tiles=slice(3)
    ).figure
