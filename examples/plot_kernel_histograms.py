"""# How are the weights of each layer distributed?

There is one panel per layer. All panels share one axis of weights, so that a wide distribution
looks wide and a narrow one narrow; the dashed line is zero. Look for a tall spike at zero (weights
that do nothing), for weights far from all others, and for layers that look as they did before
training.
"""

# %%
# The network of the reference example before and after training. The initial weights are drawn
# uniformly between two limits, so the histogram is a box. Training turns it into a bell with long
# tails.

import keras

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
# The layers of a deep network are the rows of one panel, with the standard deviation at the right.
# This network is untrained: its weights are within the limits that Keras chose, which are narrower
# the more channels go in and out of a layer.

mobilenet = keras.applications.MobileNet(weights=None)
kerasviz.plot_kernel_histograms(mobilenet)
