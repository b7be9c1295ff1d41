"""A picture from inside `model.fit`; look at a baseline before you commit it.

Draw it anew with `pytest tests/images/test_callbacks.py
--mpl-generate-path=tests/images/baseline`.
"""

import keras
import numpy as np
import pytest

import kerasviz


@pytest.mark.mpl_image_compare
def test_a_snapshot_of_kernels_says_after_how_many_epochs_it_was_taken():
    model = keras.Sequential(
        [keras.Input((3, 3, 4)), keras.layers.Conv2D(6, 3, use_bias=False, name="conv2d")]
    )
    y, x, channel, number = np.mgrid[:3, :3, :4, :6]
    model.set_weights([(channel + 1) * np.sin((number + 1) * (x - 1) + y) * (number > 0)])
    model.compile(keras.optimizers.SGD(0.0), "mse", run_eagerly=True)
    plots = []
    snapshots = kerasviz.KernelSnapshots(on_plot=lambda *args: plots.append(args[-1]))
    model.fit(np.zeros((1, 3, 3, 4)), np.zeros((1, 1, 1, 6)), verbose=0, callbacks=[snapshots])
    return plots[0].figure
