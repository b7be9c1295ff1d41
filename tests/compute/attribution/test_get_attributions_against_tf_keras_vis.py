"""Class activation maps on TensorFlow against tf-keras-vis."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasviz import get_attributions

gradcam = pytest.importorskip("tf_keras_vis.gradcam")
scores = pytest.importorskip("tf_keras_vis.utils.scores")
pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="tf-keras-vis is of TensorFlow"
)


def test_get_attributions_grad_cam_as_tf_keras_vis(rng):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((12, 10, 3))
    maps = layers.Conv2D(5, 3, activation="relu", name="c")(inputs)
    hidden = layers.Dense(6, activation="tanh")(layers.Flatten()(maps))
    model = keras.Model(inputs, layers.Dense(4)(hidden))
    images = rng.normal(size=(3, 12, 10, 3)).astype("float32")
    theirs = gradcam.Gradcam(model, clone=False)(
        scores.CategoricalScore([1, 3, 0]),
        images,
        penultimate_layer="c",
        expand_cam=False,
        normalize_cam=False,
    )
    ours = get_attributions(
        model, images, method="grad-cam", layer="c", target=[1, 3, 0], evidence=False
    )
    theirs = np.asarray(theirs)
    np.testing.assert_allclose(ours.values, theirs, atol=1e-6 * theirs.max())
