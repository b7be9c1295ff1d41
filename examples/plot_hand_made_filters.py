"""# What does a filter do to a photo?

A convolution need not be trained. Here are six kernels written by hand, and the response of each to
a photo. Compare a kernel with its map: where the photo looks like the kernel, the map is red; where
it looks like the inverted kernel, it is blue.
"""

import keras
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.cbook import get_sample_data

import kerasviz

# %%
# The photo ships with Matplotlib. Here it is grey and half its size.

with get_sample_data("grace_hopper.jpg") as file:
    photo = plt.imread(file)[::2, ::2].mean(axis=2) / 255

names = ["blur", "sharpen", "edges that face down", "edges that face right", "spots", "shift"]
kernels = np.array(
    [
        np.full((3, 3), 1 / 9),
        [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
        [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
        [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
        [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
        [[0, 0, 0], [0, 0, 1], [0, 0, 0]],
    ]
)
layer = keras.layers.Conv2D(6, 3, use_bias=False, name="by_hand")
model = keras.Sequential([keras.Input((None, None, 1)), layer])
layer.set_weights([np.moveaxis(kernels, 0, -1)[:, :, np.newaxis]])
kerasviz.plot_kernels(model, "by_hand", labels=True, title=", ".join(names), columns=6)

# %%
# Each map has its own scale, because a blur gives far larger values than an edge filter.

kerasviz.plot_feature_maps(model, "by_hand", photo, labels=True, columns=3, scale="tile")
