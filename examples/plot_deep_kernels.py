"""# What do kernels deeper in the network look like?

Beyond the first layer a kernel has one slice per input channel, here 32, too many for one tile. By
default a kernel is drawn as its principal pattern, its best rank-one summary; the title says what
share of the squared weights (the energy) it captures.
"""

import kerasviz

model = kerasviz.fashion_mnist.load_model()
kerasviz.plot_kernels(model, "conv2d_1")

# %%
# One slice shows how the 64 filters use input channel 5. The title says which slice it is.

kerasviz.plot_kernels(model, "conv2d_1", channel=5)

# %%
# All slices form a table with one row per input channel and one column per filter. A pale row is a
# channel that hardly any filter uses; a pale column is a weak filter.

kerasviz.plot_kernels(model, "conv2d_1", channel="all")

# %%
# A filter of a 1×1 convolution, or a unit of a dense layer, has no spatial pattern: it is a list of
# weights. Such a layer is drawn as a matrix with one column per unit, here one per class.

kerasviz.plot_kernels(model, "dense_1")
