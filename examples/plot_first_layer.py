"""# What did my first layer learn?

Each tile is a kernel: red weights count for the pixel below them, blue ones against it, white ones
not at all. Red beside blue is an edge filter, red throughout is a blur. The colour bar holds for
all tiles, so that a pale kernel is a weak one.
"""

import kerasviz

model = kerasviz.fashion_mnist.load_model()

# %%
# Three of these kernels have weights far beyond all others. So that the rest is not pale, the
# colours end at ±0.5, and the arrow of the bar says that something lies beyond.

kerasviz.plot_kernels(model, "conv2d", labels=True, vmax=0.5)

# %%
# The strongest first, on the scale of the strongest. The numbers stay those of the layer.

kerasviz.plot_kernels(model, "conv2d", labels=True, sort="norm")

# %%
# What four strong kernels make of an ankle boot. Number 16 answers where the image becomes darker
# to the right, 25 and 15 where it becomes darker downwards, 9 where it becomes brighter downwards.
# Compare each map with its kernel.

images, labels = kerasviz.fashion_mnist.load_samples()
kerasviz.plot_feature_maps(model, "conv2d", images, sample=9, tiles=[16, 25, 15, 9], labels=True)
