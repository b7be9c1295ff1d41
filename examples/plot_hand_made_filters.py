"""# What does a filter do to a photo?

A convolution need not be trained. Here are six kernels written by hand, and the response of each to
a photo. Compare a kernel with its map: where the photo looks like the kernel, the map is red; where
it looks like the inverted kernel, it is blue.
"""

import keras
import numpy as np
from skimage import data

import kerasviz

# %%
# The photo ships with scikit-image (`pip install scikit-image`). Here it is half its size, with
# values from 0 to 1.

photo = data.camera()[::2, ::2] / 255

names = ["blur", "sharpen", "dark above bright", "dark left of bright", "spots", "diagonal"]
kernels = np.array(
    [
        np.full((3, 3), 1 / 9),
        [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
        [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
        [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
        [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
        [[2, -1, -1], [-1, 2, -1], [-1, -1, 2]],
    ]
)
layer = keras.layers.Conv2D(6, 3, use_bias=False, name="by_hand")
model = keras.Sequential([keras.Input((None, None, 1)), layer])
layer.set_weights([np.moveaxis(kernels, 0, -1)[:, :, np.newaxis]])
kerasviz.plot_kernels(
    model,
    "by_hand",
    tile_names=names,
    labels=True,
    columns=6,
    scale="tile",
    figsize=(11, 2.6),
)

# %%
# The four filters that add up to 0 respond to changes only: even sky is white. Their maps share one
# scale.

kerasviz.plot_feature_maps(
    model,
    "by_hand",
    photo,
    tiles=[2, 3, 4, 5],
    tile_names=names,
    labels=True,
    columns=2,
    figsize=(11, 7),
)

# %%
# The weights of blur and sharpen add up to 1, so their maps are as bright as the photo. In grey
# they look like photos.

kerasviz.plot_feature_maps(
    model,
    "by_hand",
    photo,
    tiles=[0, 1],
    tile_names=names,
    labels=True,
    cmap="gray",
    vmin=0,
    vmax=1,
    figsize=(11, 4),
)
