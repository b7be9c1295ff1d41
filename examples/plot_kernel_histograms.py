"""# How are the weights of each layer distributed?

A panel a layer, all on one axis of weights, so that a wide distribution is wide and a narrow one
narrow; the dashed line is zero. What to look for: a tall spike at zero (weights that do nothing),
weights far from all others, and layers that still look as they did before training.
"""

# %%
# The network of the reference example before and after training. Before it, the weights are drawn
# evenly between two limits, and the histogram is a box. Training makes it a bell with long tails.

import keras

import kerasviz

keras.utils.set_random_seed(0)
models = {
    "untrained": kerasviz.fashion_mnist.build_model(),
    "trained": kerasviz.fashion_mnist.load_model(),
}
kerasviz.plot_kernel_histograms(models)

# %%
# On a logarithmic axis of counts a single weight can be seen: the first layer has a few below −1,
# far from all others.

kerasviz.plot_kernel_histograms(models, log=True)

# %%
# A deep network has many layers, and each gets a small panel. This one is untrained: its layers
# begin within the limits that Keras chose for them, narrower the more channels go in and out.

mobilenet = keras.applications.MobileNet(weights=None)
kerasviz.plot_kernel_histograms(mobilenet)
