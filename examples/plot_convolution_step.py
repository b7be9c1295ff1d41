"""# What does a convolution do to my image?

A kernel is a small grid of weights. It is laid on the image, each value under it is multiplied by
its weight, and the sum of the products, plus a bias, is one value of the output map. Read the
picture from left to right: the window on the image, the values in it, the kernel, the products,
and the place in the output map where their sum goes. The line beneath is the same sum in numbers.
"""

import kerasviz

model = kerasviz.fashion_mnist.load_model()
images, _ = kerasviz.fashion_mnist.load_samples()
boot = images[9]

# %%
# Kernel 5 of the first layer has negative weights at its left and positive ones at its right, so
# that the sum is large where the image becomes brighter to the right: at the front of the boot's
# shaft. The activation, ReLU, leaves a positive sum as it is.

kerasviz.plot_convolution(model, "conv2d", boot, position=(11, 15), filter=5)

# %%
# At the back of the boot the image becomes darker to the right, and the sum is negative. ReLU makes
# it 0. The window reaches over the edge of the image: the hatched cells are padding.

kerasviz.plot_convolution(model, "conv2d", boot, position=(14, 27), filter=5)

# %%
# Pooling makes a map smaller. Of each window of 2×2 values it takes the largest; windows do not
# overlap, since each is two values further.

kerasviz.plot_convolution(model, "max_pooling2d", boot, position=(5, 7), filter=5)

# %%
# The second convolution sees all 32 maps that the first one made, and has a kernel slice for each.
# The three that contribute most to this value are drawn; the other 29 are one number in the sum.

kerasviz.plot_convolution(model, "conv2d_1", boot, position=(11, 7), filter=52)
