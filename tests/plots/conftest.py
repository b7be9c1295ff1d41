"""What the tests of several plots share."""

import keras
import numpy as np
import pytest


@pytest.fixture
def weights():
    """Return the kernel of a layer in Keras's own layout."""

    def read(model, name):
        return np.array(model.get_layer(name).get_weights()[0])

    return read


class Trap(keras.layers.Layer):
    """Raises when it runs, once it is armed."""

    armed = False

    def call(self, inputs):
        if self.armed:
            raise RuntimeError("the model was run")
        return inputs


@pytest.fixture
def armed_model():
    """Return a model that cannot be run any more, to see what happens before a forward pass."""
    trap = Trap(name="trap")
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            trap,
            keras.layers.Conv2D(4, 3, name="conv"),
            keras.layers.GlobalAveragePooling2D(name="vector"),
        ]
    )
    trap.armed = True
    return model
