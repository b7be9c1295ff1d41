"""# What did my first layer learn?

Each tile is a kernel. Red weights add the pixel below them, blue ones subtract it, and white ones
ignore it. Red beside blue is an edge filter, and red throughout is a blur. The colour bar holds for
all tiles, so a pale kernel is a weak one.
"""

import kerasviz

model = kerasviz.fashion_mnist.load_model()

# %%
# Three of these kernels have weights far beyond all others. To keep the rest from being pale, the
# colours end at ±0.5; the arrow of the colour bar says that some values are beyond, and the title
# counts them. `robust=False` draws all of them on one scale.

kerasviz.plot_kernels(model, "conv2d", labels=True)

# %%
# The strongest come first, on the scale of the strongest. The labels stay the indices in the layer.

kerasviz.plot_kernels(model, "conv2d", labels=True, sort="norm")

# %%
# Here is how four strong kernels respond to an ankle boot: 16 where the image becomes darker to the
# right, 25 and 15 where it becomes darker downwards, 9 where it becomes brighter downwards. Compare
# each map with its kernel.

images, labels = kerasviz.fashion_mnist.load_samples()
kerasviz.plot_feature_maps(model, "conv2d", images, sample=9, tiles=[16, 25, 15, 9], labels=True)
