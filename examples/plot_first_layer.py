"""# What did my first layer learn?

Each tile is a kernel: red weights count for the pixel below them, blue ones against it, white ones
not at all. Red beside blue is an edge filter, red throughout is a blur. The colour bar holds for
all tiles, so that a pale kernel is a weak one.
"""

import kerasviz

model = kerasviz.fashion_mnist.load_model()
kerasviz.plot_kernels(model, "conv2d", labels=True)

# %%
# The strongest first. The numbers stay those of the layer, and the title says that not all are
# shown.

kerasviz.plot_kernels(model, "conv2d", labels=True, sort="norm", tiles=slice(16))

# %%
# What the two strongest kernels make of an image: pictures of the same numbers belong together.

images, labels = kerasviz.fashion_mnist.load_samples()
kerasviz.plot_feature_maps(model, "conv2d", images, sample=9, tiles=[1, 15], labels=True)
