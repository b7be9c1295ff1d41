"""# What do I do with ten thousand images?

Look at them batch by batch: `iter_feature_maps` never holds more than one batch of maps. You decide
what to keep of each batch, such as the strongest response of each filter and the image that caused
it. That says more about a filter than the maps of a single image.
"""

import numpy as np

import kerasviz

model = kerasviz.fashion_mnist.load_model()
images, labels = kerasviz.fashion_mnist.load_samples()

# %%
# Images come from a generator, a `tf.data.Dataset`, a `keras.utils.PyDataset` or a PyTorch
# `DataLoader`. This generator makes 10,240 images from the ten that ship with kerasviz by moving
# each of them by up to 16 pixels in every direction.


def moved():
    padded = np.pad(images, ((0, 0), (16, 16), (16, 16), (0, 0)))
    for row in range(32):
        parts = [padded[:, row : row + 28, column : column + 28] for column in range(32)]
        yield np.concatenate(parts)


# %%
# We keep the strongest response of each of the 64 filters so far, and the image that caused it. The
# maps of all images would take half a gigabyte; those of one batch take 16 megabytes.

strongest = np.zeros(64)
winners = np.zeros((64, 28, 28))
stream = kerasviz.iter_feature_maps(model, "conv2d_1", moved(), batch_size=320)
for batch, maps in zip(moved(), stream, strict=True):
    peaks = maps.max(axis=(1, 2))
    for index in np.flatnonzero(peaks.max(axis=0) > strongest):
        best = peaks[:, index].argmax()
        strongest[index] = peaks[best, index]
        winners[index] = batch[best, ..., 0]

print(f"no response to any image: {np.flatnonzero(strongest == 0).tolist() or 'none'}")

# %%
# For each filter, the image that it responded to most. For many it is the legs of the trousers or
# the pullover, whose edges are the sharpest, each at a different position.

kerasviz.plot_tiles(
    winners.transpose(1, 2, 0),
    labels=True,
    cmap="gray",
    title="the image that each filter of conv2d_1 responds to most",
)

# %%
# Where in its image did a filter respond? Take the five filters with the strongest responses: one
# row per image, one column per filter. On the diagonal each filter is drawn over its own image.

five = strongest.argsort()[::-1][:5]
kerasviz.plot_feature_maps(
    model,
    "conv2d_1",
    winners[five],
    sample="all",
    sample_names=[f"of {index}" for index in five],
    tiles=five,
    overlay=True,
)

# %%
# To keep all maps, write them to a file, which takes no more memory either. NumPy opens a `.npy`
# file without reading it; `.h5` and `.zarr` files hold several layers. The file gets its name when
# it is complete.
#
# ```python
# kerasviz.save_feature_maps(model, "conv2d_1", moved(), "maps.npy", batch_size=320, verbose=1)
# maps = np.load("maps.npy", mmap_mode="r")
# ```
