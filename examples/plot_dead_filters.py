"""# Which filters are dead?

A map with one value everywhere is crossed out and counted as "constant here": it is constant for
this image. Only a filter that stays silent for many images is dead. So look at the weights first,
and then at several images.
"""

import numpy as np

import kerasviz

model = kerasviz.fashion_mnist.load_model()
images, labels = kerasviz.fashion_mnist.load_samples()

# %%
# The weights of every layer in numbers: this network has no filter whose weights are all near zero.

print(kerasviz.kernel_statistics(model))

# %%
# The maps of one image, a sandal. Two of them are constant, and the title counts them.

kerasviz.plot_feature_maps(model, "conv2d_1", images, sample=5, labels=True)

# %%
# Are their filters, 21 and 25, silent for every sample? No: each responds to another image. For
# more images than fit in memory, pass a generator or a `tf.data.Dataset` instead of the array.

strongest = np.max(
    [maps.max(axis=(0, 1, 2)) for maps in kerasviz.iter_feature_maps(model, "conv2d_1", images)],
    axis=0,
)
silent = np.flatnonzero(strongest == 0)
print(f"silent for all {len(images)} images: {silent.tolist() or 'none'}")

# %%
# To see what dead filters look like, kill three of them: with a bias so low that no image can lift
# the sum above 0, the ReLU cuts everything off. Their kernels look as lively as before. Five maps
# are constant now, and this picture cannot tell which three of their filters are dead.

kernel, bias = model.get_layer("conv2d_1").get_weights()
bias[[5, 20, 41]] = -100
model.get_layer("conv2d_1").set_weights([kernel, bias])
kerasviz.plot_feature_maps(model, "conv2d_1", images, sample=5, labels=True)

# %%
# During training, the callback `kerasviz.WeightStatistics(inputs=images)` records the share of
# filters that are dead over a batch of images.
