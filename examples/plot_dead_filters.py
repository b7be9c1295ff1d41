"""# Which filters are dead?

A map that has one value everywhere is crossed out and counted as "constant here": for this image.
Only a filter that stays silent for many images is dead. So look at the weights first, and then at
several images.
"""

import numpy as np

import kerasviz

model = kerasviz.fashion_mnist.load_model()
images, labels = kerasviz.fashion_mnist.load_samples()

# %%
# The weights of every layer in numbers: no filter of this network has only weights near zero.

print(kerasviz.kernel_statistics(model))

# %%
# The maps of one image. The title counts those that are constant.

kerasviz.plot_feature_maps(model, "conv2d_1", images, sample=1)

# %%
# Which of these stay silent for every sample? For more images than memory holds, pass a generator
# or a `tf.data.Dataset` in place of the array.

strongest = np.max(
    [maps.max(axis=(0, 1, 2)) for maps in kerasviz.iter_feature_maps(model, "conv2d_1", images)],
    axis=0,
)
silent = np.flatnonzero(strongest == 0)
print(f"silent for all {len(images)} images: {silent.tolist() or 'none'}")

# %%
# To see what a dead filter looks like, kill three: with a bias so low that no image can lift them
# above 0, the ReLU cuts everything off. Their kernels look as lively as before.

kernel, bias = model.get_layer("conv2d_1").get_weights()
bias[[5, 20, 41]] = -100
model.get_layer("conv2d_1").set_weights([kernel, bias])
kerasviz.plot_feature_maps(model, "conv2d_1", images, sample=1, labels=True)
