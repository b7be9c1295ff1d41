"""# What do I do with ten thousand images?

Look at them batch by batch: `iter_feature_maps` never holds more than one batch of maps. What you
keep of each is up to you, such as the strongest answer of each filter and the image that gave it.
That tells more about a filter than the maps of a single image.
"""

import numpy as np

import kerasviz

model = kerasviz.fashion_mnist.load_model()
images, labels = kerasviz.fashion_mnist.load_samples()

# %%
# Images come from a generator, a `tf.data.Dataset`, a `keras.utils.PyDataset` or a PyTorch
# `DataLoader`. This generator makes 10,240 images of the ten that ship with kerasviz: it moves each
# of them by up to 16 pixels in every direction.


def moved():
    padded = np.pad(images, ((0, 0), (16, 16), (16, 16), (0, 0)))
    for row in range(32):
        parts = [padded[:, row : row + 28, column : column + 28] for column in range(32)]
        yield np.concatenate(parts)


# %%
# The strongest answer of each of the 64 filters so far, and the image that gave it. The maps of all
# images would take half a gigabyte; those of one batch take 16 megabytes.

strongest = np.zeros(64)
winners = np.zeros((64, 28, 28))
stream = kerasviz.iter_feature_maps(model, "conv2d_1", moved(), batch_size=320)
for batch, maps in zip(moved(), stream, strict=True):
    peaks = maps.max(axis=(1, 2))
    for number in np.flatnonzero(peaks.max(axis=0) > strongest):
        best = peaks[:, number].argmax()
        strongest[number] = peaks[best, number]
        winners[number] = batch[best, ..., 0]

print(f"no answer to any image: {np.flatnonzero(strongest == 0).tolist() or 'none'}")

# %%
# For each filter, the image that it answered to most. Many found it in the legs of the trousers or
# in the pullover, whose edges are the sharpest, and each in a place of its own.

kerasviz.plot_tiles(
    winners.transpose(1, 2, 0),
    labels=True,
    cmap="gray",
    vmax=1,
    title="what each filter of conv2d_1 answered to most",
)

# %%
# Where in its image did a filter answer? A row for the image of each of the five filters with the
# strongest answers, a column for each filter. On the diagonal each meets its own image.

five = strongest.argsort()[::-1][:5]
kerasviz.plot_feature_maps(
    model,
    "conv2d_1",
    winners[five],
    sample="all",
    sample_names=[f"of {number}" for number in five],
    tiles=five,
    overlay=True,
)

# %%
# To keep all maps, write them to a file, which takes no more memory either. NumPy opens a `.npy`
# file without reading it; `.h5` and `.zarr` hold several layers.
#
# ```python
# kerasviz.save_feature_maps(model, "conv2d_1", moved(), "maps.npy", batch_size=320, verbose=1)
# maps = np.load("maps.npy", mmap_mode="r")
# ```
