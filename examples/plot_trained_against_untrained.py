"""# What did training change in the kernels?

Two networks with the same layers, side by side: one as it was before training, one as it was after.
Both panels have the same colour scale, so that a pale tile has small weights and nothing else. The
third panel is the difference, trained minus untrained, on a scale of its own. Below each stand the
mean, the standard deviation and the norm of the layer's weights.
"""

# %%
# The network of the reference example, untrained and trained. With the TensorFlow backend the seed
# 0 gives the weights that its training began with.

import keras

import kerasviz

keras.utils.set_random_seed(0)
models = {
    "untrained": kerasviz.fashion_mnist.build_model(),
    "trained": kerasviz.fashion_mnist.load_model(),
}

# %%
# The first convolution. Before training, its weights are small and without any order: Keras draws
# them evenly between two limits. After it, many filters have a light and a dark side: they answer
# to edges. A few weights are far larger than all others; to see the rest, the scale ends at ±0.5,
# and the arrow of the colour bar says that something lies beyond.

kerasviz.compare_kernels(models, "conv2d", vmax=0.5)

# %%
# The same in numbers, for all convolutions. The standard deviation has grown threefold. No filter
# is zero, and 5 to 7 in 100 weights are so small that they could as well be zero.

for name, model in models.items():
    print(name, kerasviz.kernel_statistics(model), sep="\n", end="\n\n")

# %%
# The second convolution has 32 input channels, and each filter is drawn as its principal pattern:
# the part of it that explains most. Training makes that part larger, as the line above each panel
# says. These are the 16 filters with the largest weights after training, at the same position in
# all panels. The sign of a pattern is free; here it agrees with the untrained model.

kerasviz.compare_kernels(models, "conv2d_1", top=16, labels=True)
