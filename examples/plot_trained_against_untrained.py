"""# What did training change in the kernels?

Here are two networks with the same layers side by side, one before training and one after. Both
panels share a colour scale, so a pale tile always means small weights. The third panel is the
difference, trained minus untrained, on its own scale. Below each panel are the mean, the standard
deviation and the norm of the layer's weights.
"""

# %%
# This is the network of the reference example, untrained and trained. With the TensorFlow backend,
# seed 0 gives the initial weights of its training.

import keras

import kerasviz

keras.utils.set_random_seed(0)
models = {
    "untrained": kerasviz.fashion_mnist.build_model(),
    "trained": kerasviz.fashion_mnist.load_model(),
}

# %%
# In the first convolution, the weights before training are small and random: Keras draws them
# uniformly between two limits. After training, many filters have a red side and a blue side: they
# respond to edges. A few weights are far larger than all others. To show the rest, the scale ends
# before them: the colour bar ends in an arrow, and the title counts what is beyond.

kerasviz.compare_kernels(models, "conv2d")

# %%
# The same in numbers, for all convolutions. The standard deviation has grown threefold. No filter
# is zero, and 5 to 7 % of the weights are near zero.

for name, model in models.items():
    print(name, kerasviz.kernel_statistics(model), sep="\n", end="\n\n")

# %%
# The second convolution has 32 input channels, so each filter is drawn as its principal pattern,
# its best rank-one summary. After training that summary captures more, as the line above each panel
# says. `top=16` draws the 16 filters with the largest weights after training, at the same position
# in all panels. The sign of a pattern is arbitrary; here it agrees with the untrained model.

kerasviz.compare_kernels(models, "conv2d_1", top=16, labels=True)
