"""# How do kernels change over epochs?

`KernelSnapshots` is a callback: after every epoch, or every N batches, it records the kernels of
the layers that you name. Pictures, animations and differences are drawn from the records, during
training or later.
"""

# %%
# A network that tells three textures apart, which ship with scikit-image: bricks, grass and gravel.
# It sees patches of 32×32 pixels, each minus its mean. This page needs `pip install scikit-image`.

import tempfile

import keras
import numpy as np
from skimage import data

import kerasviz

rng = np.random.default_rng(0)
patches = []
for texture in (data.brick(), data.grass(), data.gravel()):
    for row, column in rng.integers(0, 512 - 32, (400, 2)):
        patches.append(texture[row : row + 32, column : column + 32, np.newaxis] / 255)
images = np.array([patch - patch.mean() for patch in patches], dtype="float32")
labels = np.repeat([0, 1, 2], 400)

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((32, 32, 1)),
        keras.layers.Conv2D(12, 7, activation="relu", name="conv"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(3, activation="softmax"),
    ]
)
model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")

# %%
# Train with the callback. It changes nothing in the training.

folder = tempfile.mkdtemp()
before = kerasviz.get_kernels(model, "conv")
snapshots = kerasviz.KernelSnapshots("conv", directory=folder)
model.fit(images, labels, epochs=12, verbose=0, callbacks=[snapshots])

# %%
# All steps are on one colour scale. Noise becomes order: stripes and edges in several directions,
# and kernels of one colour, which see how bright a place is.

kerasviz.plot_snapshots(folder, "conv", steps=[1, 3, 6, 12])

# %%
# The same as an animation, with a player here and in a notebook. `animation.save("kernels.gif")`
# writes it as a GIF, and `KernelSnapshots(gif="animations")` does so when training ends.

kerasviz.animate_snapshots(folder, "conv")

# %%
# What training added to each kernel: the last weights minus the first ones.

added = kerasviz.get_kernels(model, "conv") - before
kerasviz.plot_tiles(added[:, :, 0], labels=True, title="conv: epoch 12 minus the beginning")
